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
    if is_incompressible(json) {
        return None;
    }
    let mut compress = COMPRESSORS.take().unwrap_or_else(|| Compress::new(Compression::default(), true));
    // There is no room for more than is wanted: what does not fit is not wanted.
    let mut packed = Vec::with_capacity(shorter);
    let status = compress.compress_vec(json, &mut packed, FlushCompress::Finish);
    compress.reset();
    COMPRESSORS.keep(compress);
    (matches!(status, Ok(Status::StreamEnd)) && packed.len() <= shorter).then_some(packed)
}

/// Whether zlib cannot make something shorter of this, which spares asking it: of the least of sessions, a number or a
/// name.
///
/// Where no three bytes come twice there is nothing to refer back to, and what is saved is saved by giving each byte a
/// code of its own length. Of so little, zlib makes one block. Either its codes are the fixed ones, of eight bits each, and
/// nothing is saved; or they come with it (RFC 1951 section 3.2.7): 17 bits of counts; 30 for the lengths of the lengths
/// (a code of less than 64 letters has one of 5 bits or fewer, which is the tenth in their order); 16 for the letters below
/// the blank and above `~`, which are not in this; and for each six letters three bits, if they are all alike. The letters
/// themselves, with the block's end, take no less than their entropy (Shannon).
fn is_incompressible(json: &[u8]) -> bool {
    const LONGEST: usize = 62;
    if json.len() > LONGEST || !json.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return false;
    }
    let mut threes = [0; LONGEST];
    let threes = &mut threes[..json.len().saturating_sub(2)];
    for (three, bytes) in threes.iter_mut().zip(json.windows(3)) {
        *three = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2]);
    }
    threes.sort_unstable();
    if threes.windows(2).any(|two| two[0] == two[1]) {
        return false;
    }
    let mut counts = [0_u8; 128];
    json.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let all = json.len() as f32 + 1.0;
    let (mut letters, mut entropy) = (1.0, all.log2());
    for count in counts.iter().filter(|count| **count > 0).map(|count| f32::from(*count)) {
        letters += 1.0;
        entropy += count * (all / count).log2();
    }
    // One bit less, for the arithmetic.
    let bits = 16.0 + 30.0 + 16.0 + letters / 2.0 + entropy;
    6.0 + (bits / 8.0).ceil() > json.len() as f32 - 2.0
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a text without asking zlib is what zlib says, however hard it tries.
    #[test]
    fn what_is_incompressible() {
        let mut random = 1_u64;
        let mut next = move |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        let mut said = 0;
        for letters in [2, 5, 8, 12, 20, 30, 60, 95] {
            for _ in 0..2000 {
                let text: Vec<u8> = (0..next(66)).map(|_| b' ' + (next(letters) * 95 / letters) as u8).collect();
                if !is_incompressible(&text) {
                    continue;
                }
                said += usize::from(text.len() > LEAST + 2);
                for level in 0..=9 {
                    let mut packed = Vec::with_capacity(200);
                    let mut compress = Compress::new(Compression::new(level), true);
                    compress.compress_vec(&text, &mut packed, FlushCompress::Finish).unwrap();
                    assert!(packed.len() + 2 > text.len(), "{:?} at level {level}", String::from_utf8_lossy(&text));
                }
            }
        }
        assert!(said > 1000, "{said}");
        for session in
            [r#"{"user_id":42}"#, r#"{"name":"Ada Lovelace","visits":12345}"#, r#"{"_user_id":"17","_fresh":true}"#]
        {
            assert!(is_incompressible(session.as_bytes()), "{session}");
        }
        assert!(!is_incompressible(br#"{"a":"b","c":"d"}"#), "three bytes come twice");
    }
}
