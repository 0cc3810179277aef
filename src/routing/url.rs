//! Values for URLs, and how paths and queries are percent-encoded.

use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::args::ViewArg;
use crate::url_escapes::RAW_PATH;

/// A value for building a URL. Nearly everything turns into one by `into()`.
///
/// ```
/// use dewar::routing::{UrlValue, ViewArg};
///
/// assert_eq!(UrlValue::from(7), UrlValue::One(ViewArg::Int(7)));
/// assert_eq!(UrlValue::from(None::<i64>), UrlValue::None);
/// assert_eq!(UrlValue::from(vec!["a", "b"]), UrlValue::Many(vec!["a".into(), "b".into()]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum UrlValue {
    /// As if it were not given.
    None,
    /// One value.
    One(ViewArg),
    /// A list; in the query, the name is repeated for each.
    Many(Vec<ViewArg>),
}

impl<T: Into<ViewArg>> From<T> for UrlValue {
    fn from(value: T) -> UrlValue {
        UrlValue::One(value.into())
    }
}

impl<T: Into<ViewArg>> From<Option<T>> for UrlValue {
    fn from(value: Option<T>) -> UrlValue {
        value.map_or(UrlValue::None, UrlValue::from)
    }
}

impl<T: Into<ViewArg>> From<Vec<T>> for UrlValue {
    fn from(values: Vec<T>) -> UrlValue {
        UrlValue::Many(values.into_iter().map(T::into).collect())
    }
}

/// Percent-encodes a path, as it stands in a URL or a `Location` header. What is encoded already
/// would be encoded twice.
///
/// ```
/// assert_eq!(dewar::routing::encode_path("/a b/ü&c"), "/a%20b/%C3%BC&c");
/// ```
pub fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, RAW_PATH).to_string()
}

/// Adds a part of a path.
pub(super) fn push_path(url: &mut String, part: &str) {
    url.extend(utf8_percent_encode(part, RAW_PATH));
}

/// Encodes values as a query, without the `?`: lists repeat their name, `None` is left out.
///
/// ```
/// use dewar::routing::{UrlValue, encode_query};
///
/// let values = [("q", "a b&c".into()), ("tag", vec!["x", "y"].into()), ("page", UrlValue::None)];
/// assert_eq!(encode_query(&values), "q=a+b%26c&tag=x&tag=y");
/// ```
pub fn encode_query(values: &[(&str, UrlValue)]) -> String {
    let mut query = String::new();
    for (name, value) in values {
        push_query(&mut query, 0, name, value);
    }
    if !query.is_empty() {
        query.remove(0);
    }
    query
}

/// What stands in a query as it is; a space becomes a plus.
const QUERY: &AsciiSet = &RAW_PATH.remove(b'?').add(b'&').add(b'+').add(b'=');

/// Adds a name and its values to the query behind a path of this length, with what is before each.
pub(super) fn push_query(url: &mut String, path: usize, name: &str, value: &UrlValue) {
    let values = match value {
        UrlValue::None => &[],
        UrlValue::One(value) => std::slice::from_ref(value),
        UrlValue::Many(values) => values.as_slice(),
    };
    for value in values {
        url.push(if url.len() == path { '?' } else { '&' });
        push_quoted(url, name);
        url.push('=');
        push_quoted(url, &value.to_string());
    }
}

fn push_quoted(query: &mut String, text: &str) {
    for (i, word) in text.split(' ').enumerate() {
        if i > 0 {
            query.push('+');
        }
        query.extend(utf8_percent_encode(word, QUERY));
    }
}
