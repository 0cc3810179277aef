//! `tojson`.

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::Args;
use crate::json_provider::JsonProvider;
use crate::templates::print;

/// JSON as Flask's `app.json` writes it (sorted by key, ASCII only), and safe in HTML: `<`, `>`, `&` and `'` are written
/// as `\u003c` and so on, so it may stand in a `<script>` and in an attribute with single quotes.
pub(super) fn tojson(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let indent = match args.get("indent") {
        None => None,
        Some(_) => Some(args.number("indent", 0)?),
    };
    let mut json = String::new();
    write_value(&mut json, value, indent, 0)?;
    Ok(Value::from_safe_string(json))
}

/// The same as the app's own JSON provider writes it.
pub(super) fn by_provider(provider: &JsonProvider, value: &Value, args: &Args) -> Result<Value, Error> {
    let text = match args.get("indent") {
        None => provider.dumps(value),
        // A page that is all indentation is nobody's wish.
        Some(_) => provider.dumps_indented(value, args.number("indent", 0)?.min(100)),
    };
    let text = text.map_err(|error| cannot(&error.to_string()))?;
    let safe = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(Value::from_safe_string(safe))
}

/// Deeper than that is no data, but an object that holds itself.
const DEEPEST: usize = 128;

fn write_value(out: &mut String, value: &Value, indent: Option<usize>, depth: usize) -> Result<(), Error> {
    if depth > DEEPEST {
        return Err(cannot("it is nested too deep"));
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&number(value)),
        ValueKind::String => write_text(out, value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            write_all(out, ['[', ']'], items.len(), indent, depth, |out, i| {
                write_value(out, &items[i], indent, depth + 1)
            })?;
        }
        ValueKind::Map => {
            let mut pairs = Vec::new();
            for key in value.try_iter()? {
                pairs.push((name(&key)?, value.get_item(&key)?, key));
            }
            // Numbers by their size, as Python sorts before it writes; a mixture, at which it fails, by the texts.
            match pairs.iter().all(|(_, _, key)| key.is_number()) {
                true => pairs.sort_by(|(_, _, a), (_, _, b)| a.cmp(b)),
                false => pairs.sort_by(|(a, ..), (b, ..)| a.cmp(b)),
            }
            write_all(out, ['{', '}'], pairs.len(), indent, depth, |out, i| {
                write_text(out, &pairs[i].0);
                out.push_str(": ");
                write_value(out, &pairs[i].1, indent, depth + 1)
            })?;
        }
        ValueKind::Undefined => return Err(cannot("it is not defined")),
        kind => return Err(cannot(&format!("a value of type {kind} has no form in JSON"))),
    }
    Ok(())
}

fn write_all(
    out: &mut String,
    [begin, end]: [char; 2],
    length: usize,
    indent: Option<usize>,
    depth: usize,
    mut write: impl FnMut(&mut String, usize) -> Result<(), Error>,
) -> Result<(), Error> {
    out.push(begin);
    for i in 0..length {
        match indent {
            None if i > 0 => out.push_str(", "),
            None => {}
            Some(indent) => {
                out.push_str(if i > 0 { ",\n" } else { "\n" });
                out.extend(std::iter::repeat_n(' ', indent * (depth + 1)));
            }
        }
        write(out, i)?;
    }
    if let Some(indent) = indent
        && length > 0
    {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    }
    out.push(end);
    Ok(())
}

fn number(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(x) if !value.is_integer() => match x {
            x if x.is_nan() => "NaN".to_owned(),
            x if x.is_infinite() => if x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
            x => print::float(x),
        },
        _ => value.to_string(),
    }
}

/// A key: JSON has texts only.
fn name(key: &Value) -> Result<String, Error> {
    Ok(match key.kind() {
        ValueKind::String => key.as_str().unwrap_or_default().to_owned(),
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => if key.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Number => number(key),
        kind => return Err(cannot(&format!("a key of type {kind} has no form in JSON"))),
    })
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            ' '..='~' if !matches!(c, '<' | '>' | '&' | '\'') => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn cannot(why: &str) -> Error {
    Error::new(ErrorKind::BadSerialization, format!("the filter `tojson` cannot write this: {why}"))
}
