//! Writes responses.
//!
//! Not by tiny_http's own `respond`: that drops what is left of the request's body (by an allocation of the size that
//! the client claims), lets a `TE` header of the request choose the coding, holds chunks back until there are 8 KiB,
//! holds whole streams in memory for HTTP/1.0, and ends a body that failed midway as if it were whole.

use std::io::{self, ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use http::StatusCode;

use super::head::Terms;
use crate::body::Plain;
use crate::proto::{Delivery, HeadWriter, LAST_CHUNK, put_chunk};
use crate::quiet::{discard_panic, quietly};
use crate::response::Response;

/// Bodies up to this go out in one write with their head.
const TOGETHER: usize = 32 * 1024;
const BLOCK: usize = 64 * 1024;

/// How sending went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The client has it, or is gone.
    Done,
    /// It has a part. Nothing may follow on this connection, or it would be taken for the rest.
    Broken,
    /// The same, and the body panicked.
    Panicked,
}

/// What went over the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    pub(super) status: StatusCode,
    /// Bytes behind the head.
    pub(super) bytes: u64,
}

/// What a thread that sends keeps for the next response.
#[derive(Default)]
pub(super) struct Scratch {
    out: Vec<u8>,
    heads: HeadWriter,
}

/// Sends it, and closes its body. With `close` the client is told that the connection ends here.
pub(super) fn send(
    out: &mut dyn Write,
    scratch: &mut Scratch,
    terms: Terms,
    mut response: Response,
    close: bool,
) -> (Sent, Tally) {
    if response.status().is_informational() {
        log::error!("a handler answered {}, which is no final status: sent as 500", response.status());
        response = Response::empty(500);
    }
    let delivery = Delivery::of(&response, terms.version, terms.head_only, close || terms.last);
    scratch.out.clear();
    scratch.heads.put(&mut scratch.out, &response, delivery);
    let (status, head) = (response.status(), scratch.out.len() as u64);
    let mut turn = Turn { out, written: 0 };
    let sent = transmit(&mut turn, scratch, delivery, response);
    (sent, Tally { status, bytes: turn.written.saturating_sub(head) })
}

/// Sends the head that is in `scratch`, and the body behind it.
fn transmit(out: &mut Turn<'_>, scratch: &mut Scratch, delivery: Delivery, response: Response) -> Sent {
    let chunked = delivery.is_chunked();
    let (plain, closers) = response.into_body().into_plain();
    let sent = catch_unwind(AssertUnwindSafe(|| {
        if delivery.is_bodiless() {
            return out.write_all(&scratch.out).map_err(Failure::Client);
        }
        match plain {
            Plain::Bytes(bytes) => send_bytes(out, &mut scratch.out, &bytes).map_err(Failure::Client),
            Plain::File(file, length) => {
                out.write_all(&scratch.out).map_err(Failure::Client)?;
                let mut file = file.take(length);
                let sent = send_blocks(out, &mut scratch.out, false, || read_block(&mut file));
                if file.limit() > 0 && sent.is_ok() {
                    let what = format!("the file ended {} bytes before its announced length", file.limit());
                    return Err(Failure::Body(io::Error::new(ErrorKind::UnexpectedEof, what)));
                }
                sent
            }
            Plain::Stream(mut body) => {
                // Ahead of the first block, for which the client may have to wait.
                out.write_all(&scratch.out).and_then(|()| out.flush()).map_err(Failure::Client)?;
                let sent = send_blocks(out, &mut scratch.out, chunked, || body.next_block());
                // When all was sent, a destructor cannot make it less.
                if sent.is_ok() && quietly(|| drop(body)).is_none() {
                    log::error!("the response's body panicked when it was dropped");
                }
                sent
            }
        }
    }));
    let sent = match sent {
        Ok(Ok(())) => out.flush().map_err(Failure::Client),
        Ok(Err(failure)) => Err(failure),
        Err(panic) => {
            discard_panic(panic);
            log::error!("the response's body panicked while it was sent");
            break_off(out, chunked);
            return Sent::Panicked;
        }
    };
    drop(closers);
    match sent {
        Ok(()) => Sent::Done,
        Err(Failure::Body(error)) => {
            log::error!(
                "the response's body failed while it was sent, its connection cannot be used any more: {error}"
            );
            break_off(out, chunked);
            Sent::Broken
        }
        Err(Failure::Client(error)) => match error.kind() {
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Sent::Done,
            // It takes nothing, for as long as the write timeout.
            _ if out.written > 0 => Sent::Broken,
            _ => Sent::Done,
        },
    }
}

enum Failure {
    /// The client could not be written to.
    Client(io::Error),
    /// What was to be sent could not be had.
    Body(io::Error),
}

/// The client must see that this is not the end: it gets what cannot be a chunk. (With a known length it sees that
/// bytes are missing; closing the connection, which would tell it at once, is not in tiny_http's power.)
fn break_off(out: &mut Turn<'_>, chunked: bool) {
    if chunked {
        let _ = out.write_all(b"broken off\r\n").and_then(|()| out.flush());
    }
}

fn send_bytes(out: &mut Turn<'_>, head: &mut Vec<u8>, bytes: &Bytes) -> io::Result<()> {
    if bytes.len() <= TOGETHER {
        head.extend_from_slice(bytes);
        return out.write_all(head);
    }
    out.write_all(head)?;
    out.write_all(bytes)
}

/// Each block is sent as it is made, so that a client sees events when they happen.
fn send_blocks(
    out: &mut Turn<'_>,
    scratch: &mut Vec<u8>,
    chunked: bool,
    mut next: impl FnMut() -> io::Result<Option<Bytes>>,
) -> Result<(), Failure> {
    while let Some(block) = next().map_err(Failure::Body)? {
        if !chunked {
            out.write_all(&block).and_then(|()| out.flush()).map_err(Failure::Client)?;
            continue;
        }
        scratch.clear();
        put_chunk(scratch, &block);
        out.write_all(scratch).and_then(|()| out.flush()).map_err(Failure::Client)?;
    }
    if chunked { out.write_all(LAST_CHUNK).map_err(Failure::Client) } else { Ok(()) }
}

fn read_block(file: &mut impl Read) -> io::Result<Option<Bytes>> {
    let mut block = vec![0; BLOCK];
    let got = file.read(&mut block)?;
    block.truncate(got);
    Ok((got > 0).then(|| block.into()))
}

/// Counts what was written.
struct Turn<'a> {
    out: &'a mut dyn Write,
    written: u64,
}

impl Write for Turn<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
