//! How values are printed: as Python prints them.

use std::borrow::Cow;
use std::fmt::{self, Write};

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{AutoEscape, Error, Output, State};

/// The engine's formatter. Its own way of escaping escapes `/` too, which makes every URL in a page hard to read.
pub(super) fn write_value(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined => return Ok(()),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            return match *state.auto_escape() {
                AutoEscape::Html if !value.is_safe() => write_escaped(out, text).map_err(Error::from),
                AutoEscape::Html | AutoEscape::None => out.write_str(text).map_err(Error::from),
                _ => minijinja::escape_formatter(out, state, value),
            };
        }
        ValueKind::None | ValueKind::Bool => return minijinja::escape_formatter(out, state, value),
        ValueKind::Number if value.is_integer() => {
            return match i64::try_from(value.clone()) {
                Ok(n) if !matches!(*state.auto_escape(), AutoEscape::Json | AutoEscape::Custom(_)) => {
                    out.write_str(itoa::Buffer::new().format(n)).map_err(Error::from)
                }
                _ => minijinja::escape_formatter(out, state, value),
            };
        }
        _ => {}
    }
    match *state.auto_escape() {
        AutoEscape::Html => write_escaped(out, &text(value)).map_err(Error::from),
        AutoEscape::None => out.write_str(&text(value)).map_err(Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// As [`escape_html`](crate::escape_html), without a text in between.
fn write_escaped(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    let mut done = 0;
    // All five are ASCII: no byte of another character is taken for one of them.
    for (at, byte) in text.bytes().enumerate() {
        // Most bytes are letters, which are behind all of them.
        if byte > b'>' {
            continue;
        }
        let escape = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&#34;",
            b'\'' => "&#39;",
            _ => continue,
        };
        if done < at {
            out.write_str(&text[done..at])?;
        }
        out.write_str(escape)?;
        done = at + 1;
    }
    if done < text.len() { out.write_str(&text[done..]) } else { Ok(()) }
}

/// What Python's `str` makes of a value.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    if let Some(text) = value.as_str() {
        return Cow::Borrowed(text);
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Map | ValueKind::Number => Cow::Owned(repr(value)),
        _ => Cow::Owned(value.to_string()),
    }
}

/// What Python's `repr` makes of a value.
pub(super) fn repr(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => "Undefined".to_owned(),
        ValueKind::Number if !value.is_integer() => match f64::try_from(value.clone()) {
            Ok(x) => float(x),
            Err(_) => value.to_string(),
        },
        ValueKind::String if value.is_safe() => format!("Markup({value:?})"),
        ValueKind::String | ValueKind::Bytes => format!("{value:?}"),
        ValueKind::Seq if value.downcast_object_ref::<Tuple>().is_some() => {
            let items = items(value);
            if items.len() == 1 { format!("({},)", items[0]) } else { format!("({})", items.join(", ")) }
        }
        ValueKind::Seq | ValueKind::Map => {
            // An object may have a way of its own: only what is shown as a list or a dict is looked into.
            match first_byte(value) {
                Some(b'[') => format!("[{}]", items(value).join(", ")),
                Some(b'{') => {
                    let keys = value.try_iter().into_iter().flatten();
                    let pair =
                        |key: Value| format!("{}: {}", repr(&key), repr(&value.get_item(&key).unwrap_or_default()));
                    format!("{{{}}}", keys.map(pair).collect::<Vec<_>>().join(", "))
                }
                _ => value.to_string(),
            }
        }
        _ => value.to_string(),
    }
}

/// What a value's own text begins with. It is written no further: values within values would be written again and again.
pub(super) fn first_byte(value: &Value) -> Option<u8> {
    struct First(Option<u8>);

    impl Write for First {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = text.bytes().next();
            if self.0.is_some() { Err(fmt::Error) } else { Ok(()) }
        }
    }

    let mut first = First(None);
    let _ = write!(first, "{value}");
    first.0
}

fn items(value: &Value) -> Vec<String> {
    value.try_iter().into_iter().flatten().map(|item| repr(&item)).collect()
}

/// A float as Python prints it: the shortest text that gives the same number, with an exponent from 1e16 on and below
/// 1e-4.
pub(super) fn float(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if x != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let mut plain = x.to_string();
    if !plain.contains('.') {
        plain.push_str(".0");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_pythons() {
        for (x, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(float(x), text);
        }
    }
}
