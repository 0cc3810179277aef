//! Flask's `TaggedJSON`: what JSON has no form for is an object with one key, its tag. An object that would be taken for
//! one is tagged itself.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::cookie::http_date;
use crate::signing::json;

pub(super) const DICT: &str = " di";
const TUPLE: &str = " t";
const BYTES: &str = " b";
const MARKUP: &str = " m";
const UUID: &str = " u";
const DATETIME: &str = " d";

/// A value of a type that Python has and JSON has not: for sessions that a Flask app reads too. See
/// [`Session::set_tagged`](crate::Session::set_tagged).
///
/// What of these is in a session is read by `get` like any other value: a tuple as a sequence or a Rust tuple, bytes as
/// a `Vec<u8>`, markup as text, a UUID as text or `Uuid`, a date and time as the text of an HTTP date.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Tagged {
    /// A `tuple`.
    Tuple(Vec<Value>),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// markupsafe's `Markup`: HTML that templates do not escape.
    Markup(String),
    /// A `uuid.UUID`.
    Uuid(Uuid),
    /// A `datetime`, to the second.
    DateTime(SystemTime),
}

impl Tagged {
    pub(super) fn into_wire(self) -> Value {
        match self {
            Tagged::Tuple(items) => tagged(TUPLE, items.into_iter().map(tag).collect()),
            Tagged::Bytes(bytes) => tagged(BYTES, STANDARD.encode(bytes).into()),
            Tagged::Markup(html) => tagged(MARKUP, html.into()),
            Tagged::Uuid(uuid) => tagged(UUID, uuid.simple().to_string().into()),
            Tagged::DateTime(at) => tagged(DATETIME, http_date(at).into()),
        }
    }
}

/// A tuple of what is as it is kept already.
pub(super) fn tuple(items: Vec<Value>) -> Value {
    tagged(TUPLE, items.into())
}

fn tagged(tag: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(tag.to_owned(), value)]))
}

pub(super) fn is_tag(key: &str) -> bool {
    matches!(key, DICT | TUPLE | BYTES | MARKUP | UUID | DATETIME)
}

/// The key under which an object whose only key looks like a tag goes, and what that key becomes in it.
pub(super) fn escaped(key: &str) -> (&'static str, String) {
    (DICT, format!("{key}__"))
}

/// The tag and the value in it, when this is a tagged value.
fn split(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let (key, value) = object.iter().next()?;
    is_tag(key).then_some((key, value))
}

/// Plain JSON as it is kept: all that must change is what looks like a tag.
pub(super) fn tag(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(tag).collect(),
        Value::Object(object) => {
            let lone = object.len() == 1;
            let mut kept = Map::new();
            for (key, value) in object {
                if lone && is_tag(&key) {
                    let (outer, inner) = escaped(&key);
                    return tagged(outer, tagged(&inner, tag(value)));
                }
                kept.insert(key, tag(value));
            }
            Value::Object(kept)
        }
        plain => plain,
    }
}

/// What is kept, as plain JSON that serde reads Rust's types from.
pub(super) fn untag(value: Value) -> Value {
    let is_tagged = split(&value).is_some();
    match value {
        Value::Object(object) if is_tagged => {
            let (tag, value) = object.into_iter().next().expect("a tagged value has its tag");
            untagged(&tag, value)
        }
        Value::Object(object) => object.into_iter().map(|(key, value)| (key, untag(value))).collect(),
        Value::Array(items) => items.into_iter().map(untag).collect(),
        plain => plain,
    }
}

fn untagged(tag: &str, value: Value) -> Value {
    match (tag, value) {
        (DICT, Value::Object(inner)) => {
            let unescaped = |key: String| key.strip_suffix("__").map_or(key.clone(), str::to_owned);
            inner.into_iter().map(|(key, value)| (unescaped(key), untag(value))).collect()
        }
        (BYTES, Value::String(text)) => STANDARD.decode(&text).map_or(text.into(), Value::from),
        (_, other) => untag(other),
    }
}

/// The items, when this is a tuple or a list.
pub(super) fn items(value: &Value) -> Option<&[Value]> {
    match split(value) {
        Some((TUPLE, inner)) => inner.as_array().map(Vec::as_slice),
        _ => value.as_array().map(Vec::as_slice),
    }
}

/// The HTML, when this is markup.
pub(super) fn markup(value: &Value) -> Option<&str> {
    split(value).filter(|(tag, _)| *tag == MARKUP)?.1.as_str()
}

/// JSON as Python writes it for Flask: sorted keys, no blanks, floats in Python's form. Not yet ASCII.
pub(super) fn text(mut value: Value) -> String {
    value.sort_all_objects();
    json::dumps(&value).expect("a JSON value can be written as JSON")
}
