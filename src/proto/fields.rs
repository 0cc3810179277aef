//! A section of fields, in a head or after the last chunk (RFC 9112 sections 2.2, 5 and 7.1.2).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use httparse::{EMPTY_HEADER, Header, Status};

use super::refusal::Refusal;

const BARE_CR: Refusal = Refusal::bad("a carriage return stands without its line feed");
const BARE_LF: Refusal = Refusal::bad("a line feed stands without its carriage return");
const FOLDED: Refusal = Refusal::bad("a header goes on in the next line");
const MALFORMED: Refusal = Refusal::bad("a header's name or value has bytes that cannot be in it");
/// More fields than are allowed.
pub(super) const TOO_MANY: Refusal =
    Refusal::with(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "there are too many headers");

/// Whether it may be in a method or in a field's name (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let others = b"!#$%&'*+-.^_`|~";
        let mut i = 0;
        while i < others.len() {
            table[others[i] as usize] = true;
            i += 1;
        }
        let mut byte = 0;
        while byte < 128 {
            table[byte] |= (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        table
    };
    TOKEN[usize::from(byte)]
}

/// The elements of comma-separated lists, without the white space around them.
pub(super) fn list<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a [u8]> {
    values.into_iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// Whether the CRLF of an empty line begins here; `None` as long as there is only a CR.
pub(super) fn empty_line(input: &[u8]) -> Result<Option<bool>, Refusal> {
    match input {
        [b'\r', b'\n', ..] => Ok(Some(true)),
        [] | [b'\r'] => Ok(None),
        [b'\r', ..] => Err(BARE_CR),
        [b'\n', ..] => Err(BARE_LF),
        _ => Ok(Some(false)),
    }
}

/// A whole section, its empty line included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// In bytes.
    pub(super) len: usize,
    /// How many fields there are.
    pub(super) fields: usize,
}

/// Where a section ends; `None` when it is not whole yet. It goes from left to right, so what is wrong with the
/// beginning of a section is wrong with the section, in the same way.
pub(super) fn extent(section: &[u8], most: usize) -> Result<Option<Extent>, Refusal> {
    let (mut at, mut fields) = (0, 0);
    loop {
        let line = &section[at..];
        match empty_line(line)? {
            None => return Ok(None),
            Some(true) => return Ok(Some(Extent { len: at + 2, fields })),
            Some(false) if matches!(line[0], b' ' | b'\t') => return Err(FOLDED),
            Some(false) if fields == most => return Err(TOO_MANY),
            Some(false) => fields += 1,
        }
        let Some(end) = memchr::memchr2(b'\r', b'\n', line) else { return Ok(None) };
        match empty_line(&line[end..])? {
            None => return Ok(None),
            Some(_) => at += end + 2,
        }
    }
}

/// Gives each field of a whole section, which is `head` from `start` on, to `take`. The values share its memory.
pub(super) fn each(
    head: &Bytes,
    start: usize,
    fields: usize,
    take: impl FnMut(HeaderName, HeaderValue) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    // The arrays are filled before they are used, so a small one is worth having.
    match fields {
        0 => Ok(()),
        1..=4 => each_in(head, start, &mut [EMPTY_HEADER; 4], take),
        5..=16 => each_in(head, start, &mut [EMPTY_HEADER; 16], take),
        17..=64 => each_in(head, start, &mut [EMPTY_HEADER; 64], take),
        _ => each_in(head, start, &mut vec![EMPTY_HEADER; fields], take),
    }
}

fn each_in<'a>(
    head: &'a Bytes,
    start: usize,
    room: &mut [Header<'a>],
    mut take: impl FnMut(HeaderName, HeaderValue) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let Ok(Status::Complete((len, fields))) = httparse::parse_headers(&head[start..], room) else {
        return Err(MALFORMED);
    };
    if start + len != head.len() {
        return Err(MALFORMED);
    }
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| MALFORMED)?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value)).map_err(|_| MALFORMED)?;
        take(name, value)?;
    }
    Ok(())
}
