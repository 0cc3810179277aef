//! JSON as Python's `json.dumps` writes it, without blanks: with floats in Python's form, and in ASCII where that is
//! asked for, as Flask's sessions do and itsdangerous does not.

use std::fmt::Write;
use std::io;

use serde::Serialize;

/// The value as Python would write it; an object's keys in the order that they come in. What is not ASCII stays as it is.
pub(crate) fn dumps<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut text = Vec::with_capacity(128);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Python))?;
    Ok(String::from_utf8(text).expect("JSON is UTF-8"))
}

/// JSON with `\u…` for all that is not ASCII: that stands in strings alone, so it may be replaced wherever it is.
pub(crate) fn ascii(json: String) -> String {
    let plain = |b: u8| b.is_ascii() && b != 0x7f;
    if json.bytes().all(plain) {
        return json;
    }
    let mut text = String::with_capacity(json.len() * 2);
    for c in json.chars() {
        if c.is_ascii() && c != '\x7f' {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(text, "\\u{unit:04x}").expect("writing to a string does not fail");
            }
        }
    }
    text
}

struct Python;

impl serde_json::ser::Formatter for Python {
    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        float(writer, &format!("{value:e}"), &format!("{value:?}"))
    }

    fn write_f32<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        float(writer, &format!("{value:e}"), &format!("{value:?}"))
    }
}

/// The shortest digits that read back as the same number, as Rust's; but with an exponent from 1e16 on and below 1e-4, of
/// two digits and with its sign.
fn float<W: io::Write + ?Sized>(writer: &mut W, scientific: &str, plain: &str) -> io::Result<()> {
    match scientific.split_once('e').and_then(|(digits, e)| Some((digits, e.parse::<i32>().ok()?))) {
        Some((digits, e)) if !(-4..16).contains(&e) => {
            let sign = if e < 0 { '-' } else { '+' };
            write!(writer, "{digits}e{sign}{:02}", e.abs())
        }
        _ => writer.write_all(plain.as_bytes()),
    }
}
