//! Headers that are lists: of words, and of words with values.

use std::borrow::Cow;
use std::fmt;

/// A header that is a set of words (Werkzeug's `HeaderSet`), such as `Vary` and `Allow`: in their order, each once,
/// whatever its case. See [`Response::vary`](crate::Response::vary).
///
/// ```
/// use dewar::HeaderSet;
///
/// let mut set = HeaderSet::parse("Cookie, Accept");
/// set.add("cookie");
/// set.add("Origin");
/// set.discard("accept");
/// assert_eq!(set.to_string(), "Cookie, Origin");
/// assert!(set.contains("ORIGIN"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderSet(Vec<String>);

impl HeaderSet {
    /// Reads a header's value.
    #[must_use]
    pub fn parse(value: &str) -> HeaderSet {
        HeaderSet(list_items(value).map(|item| unquote(item).into_owned()).filter(|item| !item.is_empty()).collect())
    }

    /// Adds a word at the end, unless it is there.
    pub fn add(&mut self, word: &str) {
        if !self.contains(word) {
            self.0.push(word.to_owned());
        }
    }

    /// Takes a word out; gives back whether it was there.
    pub fn discard(&mut self, word: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|known| !known.eq_ignore_ascii_case(word));
        self.0.len() < before
    }

    /// Whether it has the word, whatever its case.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(word))
    }

    /// Takes all words out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<T: AsRef<str>> FromIterator<T> for HeaderSet {
    fn from_iter<I: IntoIterator<Item = T>>(words: I) -> Self {
        let mut set = HeaderSet::default();
        words.into_iter().for_each(|word| set.add(word.as_ref()));
        set
    }
}

/// As a header's value: words that are no tokens are quoted.
impl fmt::Display for HeaderSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{}", quote(word))?;
        }
        Ok(())
    }
}

/// The items of a list, without the white space around them; a comma in quotes ends none (RFC 9110 section 5.6.1).
pub(crate) fn list_items(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        loop {
            let text = rest?;
            let (mut quoted, mut escaped) = (false, false);
            let end = text.bytes().position(|b| {
                match b {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    b',' => return !quoted,
                    _ => {}
                }
                false
            });
            let item = &text[..end.unwrap_or(text.len())];
            rest = end.map(|end| &text[end + 1..]);
            if !item.trim().is_empty() {
                return Some(item.trim());
            }
        }
    })
}

/// A value as it is, or in quotes where it is no token (RFC 9110 section 5.6.4; Werkzeug's `quote_header_value`).
pub(crate) fn quote(value: &str) -> Cow<'_, str> {
    if crate::cookie::is_token(value) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// What stands in quotes, or the value as it is.
pub(crate) fn unquote(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let Some(inner) = inner else { return Cow::Borrowed(value) };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut escaped = false;
    let plain = inner.chars().filter(|c| {
        escaped = *c == '\\' && !escaped;
        !escaped
    });
    Cow::Owned(plain.collect())
}
