//! A payload: JSON as base64; packed by zlib first, where that is shorter, which a dot in front of it says.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::BASE64;

/// What a payload may unpack to. A browser keeps some 4 KiB of a cookie; deflate makes up to a thousand times that of it.
const MOST: usize = 1 << 20;

/// The least that zlib makes of anything: two bytes of head, four of checksum, and a block with a match in it.
const LEAST: usize = 11;

/// Machines that wait for their next use. A compressor has some 300 KB of tables, the other one some 50: to keep a few
/// saves allocating them, though not clearing the 128 KB that each use of the first begins with. What is made beyond
/// these is dropped.
struct Spares<T>(Mutex<Vec<T>>);

static COMPRESSORS: Spares<Compress> = Spares(Mutex::new(Vec::new()));
static DECOMPRESSORS: Spares<Decompress> = Spares(Mutex::new(Vec::new()));
const SPARES: usize = 4;

impl<T> Spares<T> {
    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, machine: T) {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < SPARES {
            spares.push(machine);
        }
    }
}

/// The payload for this JSON. It has room for a time and a signature.
pub(crate) fn pack(json: &str) -> String {
    const BEHIND: usize = 64;
    let mut payload = String::with_capacity(json.len() * 4 / 3 + BEHIND);
    match deflated(json.as_bytes()) {
        Some(packed) => {
            payload.push('.');
            BASE64.encode_string(packed, &mut payload);
        }
        None => BASE64.encode_string(json, &mut payload),
    }
    payload
}

/// What zlib makes of it, when that and the dot are shorter.
fn deflated(json: &[u8]) -> Option<Vec<u8>> {
    let shorter = json.len().checked_sub(2).filter(|most| *most >= LEAST)?;
    let mut compress = COMPRESSORS.take().unwrap_or_else(|| Compress::new(Compression::default(), true));
    // There is no room for more than is wanted: what does not fit is not wanted.
    let mut packed = Vec::with_capacity(shorter);
    let status = compress.compress_vec(json, &mut packed, FlushCompress::Finish);
    compress.reset();
    COMPRESSORS.keep(compress);
    (matches!(status, Ok(Status::StreamEnd)) && packed.len() <= shorter).then_some(packed)
}

/// The JSON of a payload, which is bytes still.
pub(crate) fn unpack(payload: &str) -> Result<Vec<u8>, Unfit> {
    let Some(packed) = payload.strip_prefix('.') else {
        return BASE64.decode(payload).map_err(|_| Unfit::Base64);
    };
    let packed = BASE64.decode(packed).map_err(|_| Unfit::Base64)?;
    let mut decompress = DECOMPRESSORS.take().unwrap_or_else(|| Decompress::new(true));
    let json = inflated(&packed, &mut decompress);
    decompress.reset(true);
    DECOMPRESSORS.keep(decompress);
    json
}

fn inflated(packed: &[u8], decompress: &mut Decompress) -> Result<Vec<u8>, Unfit> {
    // Text of a session is seldom packed to less than a third.
    let mut json = Vec::with_capacity((packed.len() * 3).clamp(64, MOST + 1));
    loop {
        let read = decompress.total_in() as usize;
        match decompress.decompress_vec(&packed[read..], &mut json, FlushDecompress::None) {
            Err(_) => return Err(Unfit::Zlib),
            Ok(_) if json.len() > MOST => return Err(Unfit::TooLarge),
            Ok(Status::StreamEnd) => return Ok(json),
            // There was room for more, and nothing more came: it has no end.
            Ok(_) if json.len() < json.capacity() => return Err(Unfit::Zlib),
            Ok(_) => json.reserve(json.len().min(MOST + 1 - json.len())),
        }
    }
}

/// Why a payload does not unpack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    Base64,
    Zlib,
    TooLarge,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unfit::Base64 => "it is not base64",
            Unfit::Zlib => "it does not unpack by zlib",
            Unfit::TooLarge => "it unpacks to more than 1 MiB",
        })
    }
}

impl std::error::Error for Unfit {}
