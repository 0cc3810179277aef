//! Filters for HTML: `escape`, `forceescape`, `striptags`, `xmlattr`.

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Error, ErrorKind, State};

use super::Args;
use crate::response::escape_html;
use crate::templates::print;

/// A value as HTML: what is HTML already stays as it is.
pub(super) fn escaped(value: &Value) -> String {
    match value.as_str() {
        Some(text) if value.is_safe() => text.to_owned(),
        _ => escape_html(&print::text(value)),
    }
}

/// HTML where the template is escaped, text where it is not.
pub(super) fn markup(state: &State<'_, '_>, html: String) -> Value {
    if *state.auto_escape() == AutoEscape::None { html.into() } else { Value::from_safe_string(html) }
}

pub(super) fn escape(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    Ok(Value::from_safe_string(escaped(value)))
}

pub(super) fn forceescape(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    Ok(Value::from_safe_string(escape_html(&print::text(value))))
}

pub(super) fn strip(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    Ok(striptags(&print::text(value)).into())
}

/// The text in HTML: see [`Markup::striptags`](crate::Markup::striptags). One walk over the text, however many tags are
/// not closed.
pub(crate) fn striptags(html: &str) -> String {
    let mut bare = without(html, "<!--", "-->");
    bare = without(&bare, "<", ">");
    unescape(&bare.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Without what is between `begin` and `end`; from the first that is not ended, all stays.
fn without(text: &str, begin: &str, end: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(begin) {
        let Some(length) = rest[at..].find(end) else { break };
        kept.push_str(&rest[..at]);
        rest = &rest[at + length + end.len()..];
    }
    kept.push_str(rest);
    kept
}

/// The longest name of an entity.
const LONGEST: usize = 33;

fn unescape(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(LONGEST).position(|b| b == b';');
        match end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            Some((end, resolved)) => {
                plain.push_str(&resolved);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// What an entity stands for, without its `&` and `;`.
fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        // As HTML has it, what is no character is shown as such.
        return Some(code.ok().map(|code| char::from_u32(code).filter(|c| *c != '\0').unwrap_or('\u{fffd}'))?.into());
    }
    if name == "nbsp" {
        return Some('\u{a0}'.into());
    }
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    // The table is in there; the letters around keep blanks from being taken away.
    let resolved = minijinja_contrib::filters::striptags(format!("x&{name};x"));
    let resolved = resolved.strip_prefix('x')?.strip_suffix('x')?;
    (resolved != format!("&{name};")).then(|| resolved.to_owned())
}

/// `<ul{{ {"class": "nav", "id": none}|xmlattr }}>`.
pub(super) fn xmlattr(state: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return Err(Error::new(ErrorKind::InvalidOperation, "the filter `xmlattr` is for a dict"));
    }
    let mut html = String::new();
    for key in value.try_iter()? {
        let item = value.get_item(&key)?;
        if item.is_none() || item.is_undefined() {
            continue;
        }
        let name = print::text(&key);
        if name.contains(|c: char| c.is_ascii_whitespace() || c == '\x0b' || matches!(c, '/' | '>' | '=')) {
            let what = format!("{name:?} cannot be an attribute's name: it has a blank, a `/`, a `>` or a `=`");
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
        if !html.is_empty() || args.is_true("autospace", true) {
            html.push(' ');
        }
        html.push_str(&format!("{}=\"{}\"", escaped(&key), escaped(&item)));
    }
    Ok(markup(state, html))
}
