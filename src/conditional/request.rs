//! What a request says of its conditions, parsed.

use std::time::SystemTime;

use http::header::{CACHE_CONTROL, IF_MATCH, IF_NONE_MATCH};

use crate::cache_control::CacheControl;
use crate::etag::ETags;
use crate::http_date::parse_http_date;
use crate::range::{IfRange, Range};
use crate::request::Request;

/// Conditions, parsed anew at each call; a header that is missing is an empty list, or `None`.
///
/// ```
/// use dewar::Request;
///
/// let request = Request::get("/").with_header("if-none-match", "\"v1\", W/\"v2\"").with_header("range", "bytes=0-9");
/// assert!(request.if_none_match().contains_weak("v2"));
/// assert_eq!(request.range().unwrap().range_for_length(5), Some(0..5));
/// assert!(request.if_match().is_empty());
/// assert_eq!(request.if_modified_since(), None);
/// ```
impl Request {
    /// The entity tags of `If-Match`.
    pub fn if_match(&self) -> ETags {
        ETags::parse(&self.joined(IF_MATCH))
    }

    /// The entity tags of `If-None-Match`.
    pub fn if_none_match(&self) -> ETags {
        ETags::parse(&self.joined(IF_NONE_MATCH))
    }

    /// The date of `If-Modified-Since`; `None` when it is none.
    pub fn if_modified_since(&self) -> Option<SystemTime> {
        self.header("if-modified-since").and_then(parse_http_date)
    }

    /// The date of `If-Unmodified-Since`; `None` when it is none.
    pub fn if_unmodified_since(&self) -> Option<SystemTime> {
        self.header("if-unmodified-since").and_then(parse_http_date)
    }

    /// The tag or the date of `If-Range`.
    pub fn if_range(&self) -> Option<IfRange> {
        self.header("if-range").and_then(IfRange::parse)
    }

    /// The ranges of `Range`; `None` when they are malformed, too.
    pub fn range(&self) -> Option<Range> {
        self.header("range").and_then(Range::parse)
    }

    /// The directives of `Cache-Control`.
    pub fn cache_control(&self) -> CacheControl {
        CacheControl::parse(&self.joined(CACHE_CONTROL))
    }
}
