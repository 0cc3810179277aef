//! Conditional and range requests (RFC 9110 sections 13 and 14): what a client holds, what it asks for, and what it gets.

mod request;
mod response;

#[cfg(feature = "static_files")]
pub(crate) use self::response::not_satisfiable;

use std::time::{Duration, SystemTime};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::etag::{tags, unquote_etag};
use crate::http_date::parse_http_date;
use crate::range::Range;

/// What is known of a representation: its entity tag, when it changed, its length in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validators<'v> {
    /// The entity tag, without its quotes, and whether it is weak.
    pub(crate) etag: Option<(&'v str, bool)>,
    /// When it was last modified.
    pub(crate) last_modified: Option<SystemTime>,
    /// Its length, in bytes, if parts of it can be had.
    pub(crate) len: Option<u64>,
}

/// What to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// 200 with everything.
    Full,
    /// 206 with the bytes from `start` up to, and without, `end`.
    Range {
        /// The first byte.
        start: u64,
        /// The one behind the last.
        end: u64,
    },
    /// 304: the client has it already.
    NotModified,
    /// 412: a precondition does not hold.
    PreconditionFailed,
    /// 416: the range cannot be given, of so many bytes.
    RangeNotSatisfiable(u64),
}

impl Validators<'_> {
    /// Weighs a request's conditions in the order of RFC 9110 section 13.2.2. Only GET and HEAD know 304, and only GET
    /// knows ranges; as Flask, a single range is answered and several ones are 416.
    pub(crate) fn weigh(&self, method: &Method, headers: &HeaderMap) -> Verdict {
        let reads = method == Method::GET || method == Method::HEAD;
        let field = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let changed_after = |date: &str| match (parse_http_date(date), self.last_modified) {
            (Some(date), Some(changed)) => Some(whole_seconds(changed) > date),
            _ => None,
        };

        if headers.contains_key(IF_MATCH) {
            if !self.matches(headers, IF_MATCH, false) {
                return Verdict::PreconditionFailed;
            }
        } else if field(IF_UNMODIFIED_SINCE).and_then(changed_after) == Some(true) {
            return Verdict::PreconditionFailed;
        }

        if headers.contains_key(IF_NONE_MATCH) {
            if self.matches(headers, IF_NONE_MATCH, true) {
                return if reads { Verdict::NotModified } else { Verdict::PreconditionFailed };
            }
        } else if reads && field(IF_MODIFIED_SINCE).and_then(changed_after) == Some(false) {
            return Verdict::NotModified;
        }

        match (field(RANGE), self.len) {
            // Of nothing there are no parts; as Flask, it is then sent whole.
            (Some(range), Some(len)) if len > 0 && method == Method::GET && self.range_holds(headers.get(IF_RANGE)) => {
                part(range, len)
            }
            _ => Verdict::Full,
        }
    }

    /// Whether one of a list's entity tags is this one; `*` always is. A weak tag counts only in a weak comparison. A
    /// list may come in several lines (RFC 9110 section 5.3).
    fn matches(&self, headers: &HeaderMap, name: HeaderName, weak: bool) -> bool {
        let mut lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        lines.any(|line| {
            line.trim() == "*"
                || self.etag.is_some_and(|(own, own_is_weak)| {
                    tags(line).any(|(tag, is_weak)| tag == own && (weak || !(is_weak || own_is_weak)))
                })
        })
    }

    /// `If-Range`: the range counts only while the tag (strongly) or the date is still this one's.
    fn range_holds(&self, if_range: Option<&HeaderValue>) -> bool {
        let Some(if_range) = if_range else { return true };
        // What has other bytes than text's is a condition all the same, and no tag or date of this one's.
        let Ok(if_range) = if_range.to_str() else { return false };
        if let Some(date) = parse_http_date(if_range) {
            return self.last_modified.is_some_and(|changed| whole_seconds(changed) == date);
        }
        let (tag, is_weak) = unquote_etag(if_range);
        !is_weak && self.etag == Some((tag, false))
    }
}

fn part(header: &str, len: u64) -> Verdict {
    match Range::parse(header) {
        // What is counted in a unit that is not known is to be ignored (RFC 9110 section 14.2).
        Some(range) if range.units() != "bytes" => Verdict::Full,
        Some(range) => match range.range_for_length(len) {
            Some(part) => Verdict::Range { start: part.start, end: part.end },
            None => Verdict::RangeNotSatisfiable(len),
        },
        None => match header.split_once('=') {
            Some((units, _)) if !units.trim().eq_ignore_ascii_case("bytes") => Verdict::Full,
            _ => Verdict::RangeNotSatisfiable(len),
        },
    }
}

/// HTTP dates have whole seconds; a file's time has more.
fn whole_seconds(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
