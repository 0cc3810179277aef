//! Ranges: what a client asks for, and what it gets (RFC 9110 section 14).

use std::fmt;
use std::time::SystemTime;

use crate::etag::unquote_etag;
use crate::http_date::{format_http_date, parse_http_date};

/// A `Range` header (Werkzeug's `Range`): see [`Request::range`](crate::Request::range).
///
/// ```
/// use dewar::{ByteRange, Range};
///
/// let range = Range::parse("bytes=0-99").unwrap();
/// assert_eq!(range.units(), "bytes");
/// assert_eq!(range.ranges(), [ByteRange::FromTo(0, 100)]);
/// assert_eq!(range.range_for_length(50), Some(0..50));
/// assert_eq!(Range::parse("bytes=-5").unwrap().range_for_length(50), Some(45..50));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    units: String,
    ranges: Vec<ByteRange>,
}

/// One range of a `Range` header, in its unit, which is mostly bytes. Numbers too large for a `u64` are drawn in to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first number up to, and without, the second one: `0-99` is `FromTo(0, 100)`.
    FromTo(u64, u64),
    /// From here to the end: `100-`.
    From(u64),
    /// The last ones, so many of them: `-100`.
    Last(u64),
}

impl Range {
    /// Reads a header's value. `None` when it is malformed: ranges that are out of order or overlap are, too, as in
    /// Werkzeug.
    #[must_use]
    pub fn parse(value: &str) -> Option<Range> {
        let (units, list) = value.split_once('=')?;
        let mut ranges = Vec::new();
        // From where on the next one may begin; `None` when there can be no next one.
        let mut free = Some(0);
        for item in list.split(',') {
            let (first, last) = item.trim_matches([' ', '\t']).split_once('-')?;
            let range = match (first.trim_matches([' ', '\t']), last.trim_matches([' ', '\t'])) {
                ("", _) => ByteRange::Last(number(last).filter(|n| *n > 0)?),
                (first, "") => ByteRange::From(number(first)?),
                (first, last) => {
                    let (first, last) = (number(first)?, number(last)?);
                    if first > last {
                        return None;
                    }
                    ByteRange::FromTo(first, last.saturating_add(1))
                }
            };
            let free_from = free?;
            free = match range {
                ByteRange::FromTo(first, _) | ByteRange::From(first) if first < free_from => return None,
                ByteRange::FromTo(_, end) => Some(end),
                ByteRange::From(_) | ByteRange::Last(_) => None,
            };
            ranges.push(range);
        }
        Some(Range { units: units.trim_matches([' ', '\t']).to_ascii_lowercase(), ranges })
    }

    /// The unit, in lower case: mostly `bytes`.
    #[must_use]
    pub fn units(&self) -> &str {
        &self.units
    }

    /// The ranges; there is at least one.
    #[must_use]
    pub fn ranges(&self) -> &[ByteRange] {
        &self.ranges
    }

    /// Which bytes are asked for of so many, when it is bytes, a single range, and one that begins among them. Where more
    /// are asked for than there are, it is those that there are.
    #[must_use]
    pub fn range_for_length(&self, length: u64) -> Option<std::ops::Range<u64>> {
        let [range] = *self.ranges.as_slice() else { return None };
        let (start, end) = match range {
            ByteRange::FromTo(start, end) => (start, end),
            ByteRange::From(start) => (start, u64::MAX),
            ByteRange::Last(n) => (length.saturating_sub(n), u64::MAX),
        };
        (self.units == "bytes" && start < length).then(|| start..end.min(length))
    }

    /// The `Content-Range` of the answer, when it can be answered.
    #[must_use]
    pub fn to_content_range(&self, length: u64) -> Option<ContentRange> {
        self.range_for_length(length).map(|range| ContentRange::bytes(range, Some(length)))
    }
}

/// Digits and nothing else; more than a `u64` holds is its largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// As a header's value.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.units)?;
        for (i, range) in self.ranges.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match range {
                ByteRange::FromTo(first, end) => write!(f, "{comma}{first}-{}", end.saturating_sub(1)),
                ByteRange::From(first) => write!(f, "{comma}{first}-"),
                ByteRange::Last(n) => write!(f, "{comma}-{n}"),
            }?;
        }
        Ok(())
    }
}

/// A `Content-Range` header (Werkzeug's `ContentRange`): which part of how much this is.
///
/// ```
/// use dewar::ContentRange;
///
/// assert_eq!(ContentRange::bytes(0..100, Some(1000)).to_string(), "bytes 0-99/1000");
/// assert_eq!(ContentRange::unsatisfied(1000).to_string(), "bytes */1000");
/// assert_eq!(ContentRange::parse("bytes 0-99/*").unwrap().range(), Some(0..100));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRange {
    units: String,
    range: Option<(u64, u64)>,
    length: Option<u64>,
}

impl ContentRange {
    /// These bytes, of so many; `None` when it is not known of how many.
    ///
    /// # Panics
    /// At the caller's line, when the range is empty or goes beyond the length.
    #[track_caller]
    #[must_use]
    pub fn bytes(range: std::ops::Range<u64>, length: Option<u64>) -> ContentRange {
        let fits = range.start < range.end && length.is_none_or(|length| range.end <= length);
        assert!(fits, "{range:?} of {length:?} bytes is no part of them");
        ContentRange { units: "bytes".to_owned(), range: Some((range.start, range.end)), length }
    }

    /// What is said with 416: there are so many bytes, and none of them was asked for.
    #[must_use]
    pub fn unsatisfied(length: u64) -> ContentRange {
        ContentRange { units: "bytes".to_owned(), range: None, length: Some(length) }
    }

    /// Reads a header's value; `None` when it is malformed, or its numbers contradict each other.
    #[must_use]
    pub fn parse(value: &str) -> Option<ContentRange> {
        let (units, rest) = value.trim().split_once([' ', '\t'])?;
        let (range, length) = rest.trim().split_once('/')?;
        let length = if length == "*" { None } else { Some(number(length)?) };
        let range = match range {
            "*" => None,
            range => {
                let (first, last) = range.split_once('-')?;
                let (first, end) = (number(first)?, number(last)?.checked_add(1)?);
                if first >= end || length.is_some_and(|length| end > length) {
                    return None;
                }
                Some((first, end))
            }
        };
        Some(ContentRange { units: units.to_owned(), range, length })
    }

    /// The unit.
    #[must_use]
    pub fn units(&self) -> &str {
        &self.units
    }

    /// Which part it is; none when it is none.
    #[must_use]
    pub fn range(&self) -> Option<std::ops::Range<u64>> {
        self.range.map(|(start, end)| start..end)
    }

    /// How much there is, where that is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }
}

/// As a header's value.
impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range {
            Some((start, end)) => write!(f, "{} {start}-{}/", self.units, end - 1)?,
            None => write!(f, "{} */", self.units)?,
        }
        match self.length {
            Some(length) => write!(f, "{length}"),
            None => f.write_str("*"),
        }
    }
}

/// An `If-Range` header (Werkzeug's `IfRange`): the version that a client has a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfRange {
    /// The entity tag, without its quotes.
    ETag {
        /// The tag.
        tag: String,
        /// Whether it is a weak one, which no range goes with (RFC 9110 section 13.1.5).
        weak: bool,
    },
    /// When it was last modified.
    Date(SystemTime),
}

impl IfRange {
    /// Reads a header's value: what is no date is taken for a tag. `None` when it is empty.
    ///
    /// ```
    /// use dewar::IfRange;
    ///
    /// assert_eq!(IfRange::parse("\"v1\""), Some(IfRange::ETag { tag: "v1".into(), weak: false }));
    /// ```
    #[must_use]
    pub fn parse(value: &str) -> Option<IfRange> {
        if value.trim().is_empty() {
            return None;
        }
        Some(parse_http_date(value).map_or_else(
            || {
                let (tag, weak) = unquote_etag(value);
                IfRange::ETag { tag: tag.to_owned(), weak }
            },
            IfRange::Date,
        ))
    }
}

/// As a header's value.
impl fmt::Display for IfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IfRange::ETag { tag, weak } => write!(f, "{}\"{tag}\"", if *weak { "W/" } else { "" }),
            IfRange::Date(at) => f.write_str(&format_http_date(*at)),
        }
    }
}
