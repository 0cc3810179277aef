//! The line before a chunk: its size and its extensions (RFC 9112 sections 7.1 and 7.1.1).

use super::fields::is_token;
use super::refusal::Refusal;

/// Digits of a chunk's size: what a u64 has.
const DIGITS: u8 = 16;
/// Bytes of extensions in all of a body. Nobody reads them; a body of nothing else would cost and give nothing.
const EXTENSIONS: usize = 16 * 1024;

const SIZE: Refusal = Refusal::bad("a chunk's size is not a number");
const SIZE_TOO_LONG: Refusal = Refusal::bad("a chunk's size has too many digits");
const EXTENSION: Refusal = Refusal::bad("a chunk's extension is malformed");
const TOO_MANY: Refusal = Refusal::bad("the chunks have too many extensions");
const LINE_END: Refusal = Refusal::bad("the line of a chunk's size does not end in CRLF");

/// How far the line of a size is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Size,
    /// White space before a semicolon.
    BeforeSemicolon,
    /// Behind a semicolon.
    BeforeName,
    Name,
    /// White space behind a name.
    BehindName,
    /// Behind an equals sign.
    BeforeValue,
    Value,
    Quoted,
    /// Behind a backslash.
    Escaped,
    BehindQuoted,
    LineFeed,
}

/// Reads the lines before chunks, one after the other, a byte at a time.
#[derive(Debug)]
pub(super) struct SizeLine {
    size: u64,
    digits: u8,
    place: Place,
    extensions: usize,
}

impl Default for SizeLine {
    fn default() -> SizeLine {
        SizeLine { size: 0, digits: 0, place: Place::Size, extensions: 0 }
    }
}

impl SizeLine {
    /// Takes the next byte: the last one of a line gives the chunk's size.
    pub(super) fn take(&mut self, byte: u8) -> Result<Option<u64>, Refusal> {
        use Place::*;
        let next = match (self.place, byte) {
            (Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if self.digits == DIGITS {
                    return Err(SIZE_TOO_LONG);
                }
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                self.digits += 1;
                self.size = self.size << 4 | u64::from(digit);
                return Ok(None);
            }
            (Size, _) if self.digits == 0 => return Err(SIZE),
            (LineFeed, b'\n') => {
                let size = self.size;
                *self = SizeLine { extensions: self.extensions, ..SizeLine::default() };
                return Ok(Some(size));
            }
            (LineFeed, _) => return Err(LINE_END),
            (Size | Name | Value | BehindQuoted, b'\r') => LineFeed,
            (_, b'\n') => return Err(LINE_END),
            (Size | BeforeSemicolon | Name | BehindName | Value | BehindQuoted, b';') => BeforeName,
            (Size | BeforeSemicolon | Value | BehindQuoted, b' ' | b'\t') => BeforeSemicolon,
            (Name | BehindName, b' ' | b'\t') => BehindName,
            (BeforeName, b' ' | b'\t') => BeforeName,
            (BeforeValue, b' ' | b'\t') => BeforeValue,
            (Name | BehindName, b'=') => BeforeValue,
            (BeforeName | Name, byte) if is_token(byte) => Name,
            (BeforeValue | Value, byte) if is_token(byte) => Value,
            (BeforeValue, b'"') => Quoted,
            (Quoted, b'"') => BehindQuoted,
            (Quoted, b'\\') => Escaped,
            (Quoted | Escaped, b'\t' | b' '..=b'~' | 0x80..) => Quoted,
            (Size, _) => return Err(SIZE),
            _ => return Err(EXTENSION),
        };
        if next != LineFeed {
            self.extensions += 1;
            if self.extensions > EXTENSIONS {
                return Err(TOO_MANY);
            }
        }
        self.place = next;
        Ok(None)
    }
}
