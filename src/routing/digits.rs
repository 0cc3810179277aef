//! Decimal digits of all scripts, which Python's `\d` and `int` take, and with them Flask's `int` and `float`.

use std::borrow::Cow;

/// The zero of each script beyond ASCII (Unicode's category `Nd`); its nine other digits follow it.
const ZEROS: [u32; 65] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
    0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0,
    0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// What a character counts as a decimal digit.
fn value(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let after = ZEROS.partition_point(|zero| *zero <= u32::from(c));
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    let value = u32::from(c) - zero;
    (value < 10).then_some(value as u8)
}

/// The number of bytes that the digit at this place has; 0 where there is none.
pub(super) fn width(text: &str, at: usize) -> usize {
    match text.as_bytes().get(at) {
        Some(byte) if byte.is_ascii() => usize::from(byte.is_ascii_digit()),
        Some(_) => match text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(c) if value(c).is_some() => c.len_utf8(),
            _ => 0,
        },
        None => 0,
    }
}

/// Whether there is at least one digit, and nothing else.
pub(super) fn are_all(text: &str) -> bool {
    !text.is_empty() && (text.bytes().all(|b| b.is_ascii_digit()) || text.chars().all(|c| value(c).is_some()))
}

/// The same number in ASCII digits.
pub(super) fn to_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| value(c).map_or(c, |value| char::from(b'0' + value))).collect()
}
