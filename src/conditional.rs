//! Conditional and range requests (RFC 9110 sections 13 and 14), as values: what a client holds, what it asks for.

use std::time::{Duration, SystemTime};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, HeaderName, Method};

/// What is known of a representation: its entity tag, when it changed, its length in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Validators {
    /// The strong entity tag, without its quotes.
    pub(crate) etag: String,
    /// When it was last modified.
    pub(crate) last_modified: Option<SystemTime>,
    /// Its length, in bytes.
    pub(crate) len: u64,
}

/// What to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// 200 with everything.
    Full,
    /// 206 with the bytes from `start` up to and including `last`.
    Range {
        /// The first byte.
        start: u64,
        /// The last byte.
        last: u64,
    },
    /// 304: the client has it already.
    NotModified,
    /// 412: a precondition does not hold.
    PreconditionFailed,
    /// 416: the range cannot be given.
    RangeNotSatisfiable,
}

impl Validators {
    /// Weighs a request's conditions in the order of RFC 9110 section 13.2.2. Only GET and HEAD know 304, and only GET
    /// knows ranges; as Flask, a single range is answered and several ones are 416.
    pub(crate) fn weigh(&self, method: &Method, headers: &HeaderMap) -> Verdict {
        let reads = method == Method::GET || method == Method::HEAD;
        let field = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let changed_after = |date: &str| match (httpdate::parse_http_date(date), self.last_modified) {
            (Ok(date), Some(changed)) => Some(whole_seconds(changed) > date),
            _ => None,
        };

        // A list may come in several lines (RFC 9110 section 5.3).
        let list = |name: HeaderName| {
            let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            (!lines.is_empty()).then(|| lines.join(","))
        };

        if let Some(tags) = list(IF_MATCH) {
            if !self.matches(&tags, false) {
                return Verdict::PreconditionFailed;
            }
        } else if field(IF_UNMODIFIED_SINCE).and_then(changed_after) == Some(true) {
            return Verdict::PreconditionFailed;
        }

        if let Some(tags) = list(IF_NONE_MATCH) {
            if self.matches(&tags, true) {
                return if reads { Verdict::NotModified } else { Verdict::PreconditionFailed };
            }
        } else if reads && field(IF_MODIFIED_SINCE).and_then(changed_after) == Some(false) {
            return Verdict::NotModified;
        }

        match field(RANGE) {
            Some(range) if method == Method::GET && self.range_holds(field(IF_RANGE)) => self.range(range),
            _ => Verdict::Full,
        }
    }

    /// Whether one of a list of entity tags is this one; `*` always is. A weak tag counts only in a weak comparison.
    fn matches(&self, tags: &str, weak: bool) -> bool {
        tags.trim() == "*"
            || tags.split(',').map(str::trim).any(|tag| {
                let tag = match tag.strip_prefix("W/") {
                    Some(tag) if weak => tag,
                    Some(_) => return false,
                    None => tag,
                };
                tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(&*self.etag)
            })
    }

    /// `If-Range`: the range counts only while the tag (strongly) or the date is still this one's.
    fn range_holds(&self, if_range: Option<&str>) -> bool {
        match if_range {
            None => true,
            Some(tag) if tag.starts_with('"') || tag.starts_with("W/") => self.matches(tag, false),
            Some(date) => match (httpdate::parse_http_date(date), self.last_modified) {
                (Ok(date), Some(changed)) => whole_seconds(changed) == date,
                _ => false,
            },
        }
    }

    fn range(&self, header: &str) -> Verdict {
        // Units have no case; one that is not known is to be ignored (RFC 9110 section 14.1, 14.2).
        let Some((_, spec)) = header.split_once('=').filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"))
        else {
            return Verdict::Full;
        };
        let number = |text: &str| -> Option<u64> {
            (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().unwrap_or(u64::MAX))
        };
        let Some((start, last)) = spec.trim().split_once('-') else { return Verdict::RangeNotSatisfiable };
        let (start, last) = match (number(start.trim()), last.trim()) {
            (Some(start), "") => (start, u64::MAX),
            (Some(start), last) => match number(last) {
                Some(last) if last >= start => (start, last),
                _ => return Verdict::RangeNotSatisfiable,
            },
            (None, suffix) if start.trim().is_empty() => match number(suffix) {
                Some(n) if n > 0 => (self.len.saturating_sub(n), u64::MAX),
                _ => return Verdict::RangeNotSatisfiable,
            },
            _ => return Verdict::RangeNotSatisfiable,
        };
        if start >= self.len {
            return Verdict::RangeNotSatisfiable;
        }
        Verdict::Range { start, last: last.min(self.len - 1) }
    }
}

/// HTTP dates have whole seconds; a file's time has more.
fn whole_seconds(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
