//! Filters for numbers: `int`, `float`, `filesizeformat`.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::Args;

/// What cannot be made a number is the default, which is 0.
pub(super) fn int(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let default = args.get("default").cloned().unwrap_or_else(|| 0.into());
    let base = args.number("base", 10)?;
    if base != 0 && !(2..=36).contains(&base) {
        return Err(args.wrong("base", "a number from 2 to 36, or 0"));
    }
    let whole = match value.kind() {
        ValueKind::Bool => Some(i64::from(value.is_true()).into()),
        ValueKind::Number if value.is_integer() => Some(value.clone()),
        ValueKind::Number => f64::try_from(value.clone()).ok().and_then(truncated),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            python_int(text, base as u32).or_else(|| python_float(text).and_then(truncated))
        }
        _ => None,
    };
    Ok(whole.unwrap_or(default))
}

fn truncated(x: f64) -> Option<Value> {
    let x = x.trunc();
    // Beyond that, an `i128` cannot hold it.
    (x.abs() < 1e38).then(|| Value::from(x as i128)).map(small)
}

/// Numbers of the usual size are kept as such.
fn small(value: Value) -> Value {
    i64::try_from(value.clone()).map_or(value, Value::from)
}

/// A number as Python's `int` reads it: blanks around, a sign, underscores between digits, the base's prefix.
fn python_int(text: &str, base: u32) -> Option<Value> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)];
    let prefix = prefixed.iter().find(|(prefix, of)| lower.starts_with(prefix) && (base == *of || base == 0));
    let (digits, base) = match prefix {
        Some((prefix, base)) => (lower[prefix.len()..].strip_prefix('_').unwrap_or(&lower[prefix.len()..]), *base),
        None => (&*lower, if base == 0 { 10 } else { base }),
    };
    if digits.starts_with(['_', '+', '-']) || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let n = i128::from_str_radix(&digits.replace('_', ""), base).ok()?;
    Some(small(Value::from(if negative { -n } else { n })))
}

fn python_float(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// What cannot be made a number is the default, which is 0.0.
pub(super) fn float(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let default = args.get("default").cloned().unwrap_or_else(|| 0.0.into());
    Ok(to_float(value).map_or(default, Value::from))
}

fn to_float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok().or_else(|| value.to_string().parse().ok()),
        ValueKind::String => python_float(value.as_str().unwrap_or_default()),
        _ => None,
    }
}

/// `1.5 kB`; with `true`, by 1024: `1.5 KiB`.
pub(super) fn filesizeformat(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let Some(bytes) = to_float(value) else {
        return Err(Error::new(ErrorKind::InvalidOperation, "the filter `filesizeformat` is for a number of bytes"));
    };
    let (base, binary) = if args.is_true("binary", false) { (1024.0_f64, "i") } else { (1000.0, "") };
    Ok(if bytes == 1.0 {
        "1 Byte".into()
    } else if bytes < base {
        format!("{} Bytes", bytes.trunc()).into()
    } else {
        let letters = if binary.is_empty() { "kMGTPEZY" } else { "KMGTPEZY" };
        let (mut unit, mut letter) = (base, 'k');
        for (i, next) in letters.chars().enumerate() {
            (unit, letter) = (base.powi(i as i32 + 1), next);
            if bytes < unit * base {
                break;
            }
        }
        format!("{:.1} {letter}{binary}B", bytes / unit).into()
    })
}
