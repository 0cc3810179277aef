//! Bodies in chunks (RFC 9112 section 7.1).

use std::io::Write;

/// What ends a body in chunks, without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends a chunk. An empty one would end the body, so it is left out.
pub(crate) fn put_chunk(out: &mut Vec<u8>, block: &[u8]) {
    if block.is_empty() {
        return;
    }
    // Into a Vec it cannot fail.
    let _ = write!(out, "{:x}\r\n", block.len());
    out.extend_from_slice(block);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_written() {
        let mut out = Vec::new();
        put_chunk(&mut out, b"hello");
        put_chunk(&mut out, b"");
        put_chunk(&mut out, &[b'x'; 16]);
        out.extend_from_slice(LAST_CHUNK);
        assert_eq!(out, b"5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    }
}
