//! `urlencode`.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Args;
use crate::templates::print;

/// What stays in a part of a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
/// What stays in a query; a blank becomes a `+`.
const QUERY: &AsciiSet = &PATH.add(b'/').remove(b' ');

/// A text for a URL's path; of a dict, or a list of pairs, a query.
pub(super) fn urlencode(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    let mut pairs = Vec::new();
    match value.kind() {
        ValueKind::Map => {
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                pairs.push(pair(&key, &item));
            }
        }
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()? {
                pairs.push(pair(&item.get_item_by_index(0)?, &item.get_item_by_index(1)?));
            }
        }
        _ => return Ok(encoded(value, PATH).into()),
    }
    Ok(pairs.join("&").into())
}

fn pair(key: &Value, value: &Value) -> String {
    let query = |value: &Value| encoded(value, QUERY).replace(' ', "+");
    format!("{}={}", query(key), query(value))
}

fn encoded(value: &Value, set: &'static AsciiSet) -> String {
    match value.as_bytes() {
        Some(bytes) => percent_encode(bytes, set).to_string(),
        None => percent_encode(print::text(value).as_bytes(), set).to_string(),
    }
}
