//! Filters for text.

use std::borrow::Cow;

use minijinja::formatting::FormatStyle;
use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{AutoEscape, Error, ErrorKind, State};

use super::Args;
use super::args::MOST;
use super::html::escaped;
use super::lists::pretty;
use crate::templates::print;

/// HTML stays HTML.
pub(super) fn like(value: &Value, text: String) -> Value {
    if value.is_safe() { Value::from_safe_string(text) } else { text.into() }
}

/// A text that is put into `value`: escaped, where that is HTML.
pub(in crate::templates) fn fitting<'a>(value: &Value, text: &'a Value) -> Cow<'a, str> {
    if value.is_safe() { Cow::Owned(escaped(text)) } else { print::text(text) }
}

pub(super) fn string(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    Ok(if value.kind() == ValueKind::String { value.clone() } else { print::text(value).into_owned().into() })
}

pub(super) fn center(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let text = print::text(value);
    Ok(like(value, centered(&text, args.number("width", 80)?, ' ')))
}

/// Where both sides cannot be equal, Python has the odd one on the left of odd widths, and on the right of even ones.
pub(in crate::templates) fn centered(text: &str, width: usize, fill: char) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let left = missing / 2 + (missing & width & 1);
    let fill = |n| std::iter::repeat_n(fill, n);
    fill(left).chain(text.chars()).chain(fill(missing - left)).collect()
}

pub(super) fn indent(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let text = print::text(value);
    let with = match args.get("width") {
        Some(width) if width.kind() == ValueKind::String => fitting(value, width).into_owned(),
        _ => " ".repeat(args.number("width", 4)?),
    };
    let (first, blank) = (args.is_true("first", false), args.is_true("blank", false));
    let mut indented = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            indented.push('\n');
        }
        if if i == 0 { first } else { blank || !line.trim_end_matches('\r').is_empty() } {
            indented.push_str(&with);
        }
        indented.push_str(line);
    }
    Ok(like(value, indented))
}

pub(super) fn pprint(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    Ok(pretty(value, 0, 80).into())
}

pub(super) fn replace(state: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let (old, new) = (args.required("old")?, args.required("new")?);
    let count = match args.get("count") {
        Some(count) => i64::try_from(count.clone()).map_err(|_| args.wrong("count", "a number"))?,
        None => -1,
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let html = *state.auto_escape() != AutoEscape::None && (value.is_safe() || old.is_safe() || new.is_safe());
    if !html {
        let text = print::text(value).replacen(&*print::text(old), &print::text(new), count);
        return Ok(text.into());
    }
    // What is HTML already is searched as it is.
    let text = escaped(value).replacen(&*print::text(old), &escaped(new), count);
    Ok(Value::from_safe_string(text))
}

pub(super) fn trim(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let text = print::text(value);
    let trimmed = match args.get("chars") {
        Some(chars) => {
            let chars: Vec<char> = print::text(chars).chars().collect();
            text.trim_matches(&chars[..]).to_owned()
        }
        None => text.trim().to_owned(),
    };
    Ok(like(value, trimmed))
}

/// Up to `leeway` letters more than `length` are let stand.
pub(super) fn truncate(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let text = print::text(value);
    let (length, leeway) = (args.number("length", 255)?, args.number("leeway", 5)?);
    let dots = Value::from("...");
    let end = args.required("end").unwrap_or(&dots);
    let ending = print::text(end);
    let Some(keep) = length.checked_sub(ending.chars().count()) else {
        let what = format!("at least as long as the ending {ending:?}");
        return Err(Error::new(ErrorKind::InvalidOperation, format!("the filter `truncate` needs a length {what}")));
    };
    if text.chars().count() <= length + leeway {
        return Ok(value.clone());
    }
    let cut = text.char_indices().nth(keep).map_or(text.len(), |(at, _)| at);
    let mut kept = &text[..cut];
    if !args.is_true("killwords", false) {
        kept = kept.rsplit_once(' ').map_or(kept, |(kept, _)| kept);
    }
    Ok(like(value, format!("{kept}{}", fitting(value, end))))
}

pub(super) fn wordcount(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    let text = print::text(value);
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    Ok(words.count().into())
}

/// `"%s, %s!"|format(greeting, name)`; in HTML the values are escaped.
pub(super) fn format(_: &mut State<'_, '_>, value: &Value, given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args: Vec<Value> = given.into_values();
    let text = print::text(value);
    check_widths(FormatStyle::Printf, &text)?;
    if !value.is_safe() {
        return minijinja::formatting::format(FormatStyle::Printf, &text, &args).map(Value::from);
    }
    let args: Vec<Value> = args.iter().map(escaped_arg).collect();
    minijinja::formatting::format(FormatStyle::Printf, &text, &args).map(Value::from_safe_string)
}

/// Where in a format a letter stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Text,
    Name,
    Spec,
}

/// Refuses formats with widths that no page has room for: the engine makes as many blanks and digits as it is told.
pub(in crate::templates) fn check_widths(style: FormatStyle, format: &str) -> Result<(), Error> {
    let printf = matches!(style, FormatStyle::Printf);
    let (mut place, mut number) = (Place::Text, 0_usize);
    for b in format.bytes() {
        match b {
            b'0'..=b'9' if place == Place::Spec => {
                number = number.saturating_mul(10).saturating_add(usize::from(b - b'0'));
            }
            _ => number = 0,
        }
        if number > MOST {
            let what = format!("a format's widths and precisions are {MOST} at most");
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
        place = match (printf, place, b) {
            // The second of two is a letter as any other.
            (true, Place::Text, b'%') => Place::Spec,
            (true, Place::Spec, b'(') => Place::Name,
            (true, Place::Name, b')') => Place::Spec,
            (true, Place::Spec, b'a'..=b'z' | b'A'..=b'Z' | b'%') => Place::Text,
            (false, Place::Text, b'{') => Place::Name,
            (false, Place::Name, b':') => Place::Spec,
            (false, Place::Name, b'{' | b'}') | (false, Place::Spec, b'}') => Place::Text,
            (_, place, _) => place,
        };
    }
    Ok(())
}

/// A value that is put into HTML: numbers stay numbers, for those who ask for a number's form.
pub(in crate::templates) fn escaped_arg(value: &Value) -> Value {
    match value.kind() {
        ValueKind::Number | ValueKind::Bool | ValueKind::None | ValueKind::Undefined => value.clone(),
        _ if value.is_kwargs() => {
            let names = value.try_iter().into_iter().flatten();
            let pairs = names.filter_map(|name| {
                let item = value.get_item(&name).ok()?;
                Some((name.as_str()?.to_owned(), escaped_arg(&item)))
            });
            minijinja::value::Kwargs::from_iter(pairs).into()
        }
        _ => Value::from_safe_string(escaped(value)),
    }
}
