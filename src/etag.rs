//! Entity tags (RFC 9110 section 8.8.3), one and many.

use std::fmt;

/// The tag as it stands in a header: `"tag"`, or `W/"tag"` for a weak one (Werkzeug's `quote_etag`).
///
/// ```
/// assert_eq!(dewar::quote_etag("v1", true), "W/\"v1\"");
/// ```
///
/// # Panics
/// At the caller's line, when it has a quote, which would end it.
#[track_caller]
#[must_use]
pub fn quote_etag(tag: &str, weak: bool) -> String {
    assert!(!tag.contains('"'), "the entity tag {tag:?} has a quote in it: leave it out");
    format!("{}\"{tag}\"", if weak { "W/" } else { "" })
}

/// The tag of a header's value, and whether it is weak (Werkzeug's `unquote_etag`).
///
/// ```
/// assert_eq!(dewar::unquote_etag("W/\"v1\""), ("v1", true));
/// assert_eq!(dewar::unquote_etag("v1"), ("v1", false));
/// ```
#[must_use]
pub fn unquote_etag(value: &str) -> (&str, bool) {
    let value = value.trim();
    let strong = value.strip_prefix("W/").or_else(|| value.strip_prefix("w/"));
    let tag = strong.unwrap_or(value);
    let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    (quoted.unwrap_or(tag), strong.is_some())
}

/// A tag for these bytes: their SHA-1 in hexadecimal (Werkzeug's `generate_etag`).
///
/// ```
/// assert_eq!(dewar::generate_etag(b"hello"), "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
/// ```
#[cfg(feature = "static_files")]
#[must_use]
pub fn generate_etag(data: &[u8]) -> String {
    use sha1::Digest;
    use std::fmt::Write;

    sha1::Sha1::digest(data).iter().fold(String::with_capacity(40), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The tags of an `If-Match` or an `If-None-Match` (Werkzeug's `ETags`): see
/// [`Request::if_none_match`](crate::Request::if_none_match).
///
/// ```
/// use dewar::ETags;
///
/// let tags = ETags::parse(r#""a", W/"b""#);
/// assert!(tags.contains("a") && !tags.contains("b") && tags.contains_weak("b"));
/// assert!(ETags::parse("*").contains("whatever"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ETags {
    star: bool,
    tags: Vec<(String, bool)>,
}

impl ETags {
    /// Reads a header's value. What is no tag is left out; a tag without quotes is taken for a strong one, as in Werkzeug.
    #[must_use]
    pub fn parse(value: &str) -> ETags {
        if value.trim() == "*" {
            return ETags { star: true, tags: Vec::new() };
        }
        ETags { star: false, tags: tags(value).map(|(tag, weak)| (tag.to_owned(), weak)).collect() }
    }

    /// Whether it is `*`, which stands for any tag.
    #[must_use]
    pub fn is_star(&self) -> bool {
        self.star
    }

    /// Whether there is no tag, and no `*`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.star && self.tags.is_empty()
    }

    /// Whether the tag is among the strong ones.
    #[must_use]
    pub fn is_strong(&self, tag: &str) -> bool {
        self.tags.iter().any(|(known, weak)| !weak && known == tag)
    }

    /// Whether the tag is among the weak ones.
    #[must_use]
    pub fn is_weak(&self, tag: &str) -> bool {
        self.tags.iter().any(|(known, weak)| *weak && known == tag)
    }

    /// The strong comparison, of RFC 9110 section 8.8.3.2: whether the tag is among the strong ones, or all are meant.
    #[must_use]
    pub fn contains(&self, tag: &str) -> bool {
        self.star || self.is_strong(tag)
    }

    /// The weak comparison: whether the tag is among them, or all are meant.
    #[must_use]
    pub fn contains_weak(&self, tag: &str) -> bool {
        self.star || self.tags.iter().any(|(known, _)| known == tag)
    }

    /// As [`contains`](ETags::contains) of a tag that is quoted, or as [`contains_weak`](ETags::contains_weak) where it is
    /// a weak one.
    #[must_use]
    pub fn contains_raw(&self, quoted: &str) -> bool {
        let (tag, weak) = unquote_etag(quoted);
        if weak { self.contains_weak(tag) } else { self.contains(tag) }
    }

    /// The tags, each with whether it is weak, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.tags.iter().map(|(tag, weak)| (tag.as_str(), *weak))
    }
}

/// As a header's value.
impl fmt::Display for ETags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.star {
            return f.write_str("*");
        }
        for (i, (tag, weak)) in self.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{}\"{tag}\"", if weak { "W/" } else { "" })?;
        }
        Ok(())
    }
}

/// The tags of a list as they stand there, each with whether it is weak: without copies, and each byte is looked at a
/// fixed number of times, however the list is made.
pub(crate) fn tags(list: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return None;
            }
            let strong = rest.strip_prefix("W/").or_else(|| rest.strip_prefix("w/"));
            let tag = strong.unwrap_or(rest);
            let (tag, after) = match tag.strip_prefix('"') {
                Some(tag) => match tag.split_once('"') {
                    Some((tag, after)) => (Some(tag), after),
                    // It has no end; and what seems to come behind it would be its own.
                    None => (None, ""),
                },
                None => {
                    let (tag, after) = tag.split_at(tag.find(',').unwrap_or(tag.len()));
                    let tag = tag.trim_end_matches([' ', '\t']);
                    ((!tag.is_empty() && !tag.contains('"')).then_some(tag), after)
                }
            };
            let after = after.trim_start_matches([' ', '\t']);
            let ends = after.is_empty() || after.starts_with(',');
            rest = &after[after.find(',').unwrap_or(after.len())..];
            if let Some(tag) = tag.filter(|_| ends) {
                return Some((tag, strong.is_some()));
            }
        }
    })
}
