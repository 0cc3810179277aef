//! Headers under Flask's names: read and written as what they mean.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::Response;
use crate::cache_control::CacheControl;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::header_set::HeaderSet;
use crate::http_date::{format_http_date, parse_http_date};
use crate::range::ContentRange;

macro_rules! texts {
    ($($header:literal, $get:ident, $set:ident;)*) => { $(
        #[doc = concat!("The header `", $header, "`, where it is visible ASCII.")]
        pub fn $get(&self) -> Option<&str> {
            self.header($header)
        }

        #[doc = concat!("Sets the header `", $header, "`; `None` takes it away.")]
        ///
        /// # Panics
        /// At the caller's line, when the value has a character that a header cannot carry.
        #[track_caller]
        pub fn $set<'v>(&mut self, value: impl Into<Option<&'v str>>) {
            self.put($header, value.into());
        }
    )* };
}

macro_rules! dates {
    ($($header:literal, $get:ident, $set:ident;)*) => { $(
        #[doc = concat!("The date in the header `", $header, "`; `None` when it is not there, or is no date.")]
        pub fn $get(&self) -> Option<SystemTime> {
            self.header($header).and_then(parse_http_date)
        }

        #[doc = concat!("Sets the header `", $header, "`, in whole seconds; `None` takes it away.")]
        pub fn $set(&mut self, at: impl Into<Option<SystemTime>>) {
            self.put($header, at.into().map(format_http_date).as_deref());
        }
    )* };
}

macro_rules! values {
    ($($header:literal, $value:ident, $get:ident, $set:ident, $edit:ident;)*) => { $(
        #[doc = concat!("The header `", $header, "`, which is empty when it is not there.")]
        pub fn $get(&self) -> $value {
            $value::parse(&self.joined($header))
        }

        #[doc = concat!("Sets the header `", $header, "`; an empty one takes it away.")]
        ///
        /// # Panics
        /// At the caller's line, when it has a character that a header cannot carry.
        #[track_caller]
        pub fn $set(&mut self, value: impl Into<$value>) {
            let value = value.into();
            self.put($header, (!value.is_empty()).then(|| value.to_string()).as_deref());
        }

        #[doc = concat!("Changes the header `", $header, "`.")]
        ///
        /// # Panics
        #[doc = concat!("As [`Response::", stringify!($set), "`].")]
        #[track_caller]
        pub fn $edit(&mut self, edit: impl FnOnce(&mut $value)) {
            let mut value = self.$get();
            edit(&mut value);
            self.$set(value);
        }
    )* };
}

/// Headers by name. Where Flask has an attribute, there is a method to read it and one to set it; what is a collection
/// there (`response.vary.add("Cookie")`) is changed by a closure here (`response.edit_vary(|vary| vary.add("Cookie"))`).
///
/// ```
/// use dewar::Response;
/// use std::time::{Duration, SystemTime};
///
/// let mut response = Response::text("hello");
/// response.edit_vary(|vary| vary.add("Cookie"));
/// response.set_content_language(["en", "de"]);
/// response.set_last_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
/// response.set_retry_after(Duration::from_secs(120));
/// assert_eq!(response.header("vary"), Some("Cookie"));
/// assert_eq!(response.header("content-language"), Some("en, de"));
/// assert_eq!(response.header("last-modified"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
/// assert_eq!(response.header("retry-after"), Some("120"));
/// response.set_last_modified(None);
/// assert_eq!(response.header("last-modified"), None);
/// ```
impl Response {
    texts! {
        "location", location, set_location;
        "content-location", content_location, set_content_location;
        "content-encoding", content_encoding, set_content_encoding;
        "content-md5", content_md5, set_content_md5;
        "accept-ranges", accept_ranges, set_accept_ranges;
        "access-control-allow-origin", access_control_allow_origin, set_access_control_allow_origin;
    }

    dates! {
        "date", date, set_date;
        "expires", expires, set_expires;
        "last-modified", last_modified, set_last_modified;
    }

    values! {
        "vary", HeaderSet, vary, set_vary, edit_vary;
        "allow", HeaderSet, allow, set_allow, edit_allow;
        "content-language", HeaderSet, content_language, set_content_language, edit_content_language;
        "access-control-allow-headers", HeaderSet, access_control_allow_headers, set_access_control_allow_headers,
            edit_access_control_allow_headers;
        "access-control-allow-methods", HeaderSet, access_control_allow_methods, set_access_control_allow_methods,
            edit_access_control_allow_methods;
        "access-control-expose-headers", HeaderSet, access_control_expose_headers, set_access_control_expose_headers,
            edit_access_control_expose_headers;
        "cache-control", CacheControl, cache_control, set_cache_control, edit_cache_control;
    }

    /// The header `Content-Security-Policy`, which is empty when it is not there.
    pub fn content_security_policy(&self) -> ContentSecurityPolicy {
        ContentSecurityPolicy::parse(self.header("content-security-policy").unwrap_or(""))
    }

    /// Sets the header `Content-Security-Policy`; an empty one takes it away.
    pub fn set_content_security_policy(&mut self, policy: &ContentSecurityPolicy) {
        self.put("content-security-policy", (!policy.is_empty()).then(|| policy.to_string()).as_deref());
    }

    /// Changes the header `Content-Security-Policy`.
    pub fn edit_content_security_policy(&mut self, edit: impl FnOnce(&mut ContentSecurityPolicy)) {
        let mut policy = self.content_security_policy();
        edit(&mut policy);
        self.set_content_security_policy(&policy);
    }

    /// The header `Content-Security-Policy-Report-Only`, which is empty when it is not there.
    pub fn content_security_policy_report_only(&self) -> ContentSecurityPolicy {
        ContentSecurityPolicy::parse(self.header("content-security-policy-report-only").unwrap_or(""))
    }

    /// Sets the header `Content-Security-Policy-Report-Only`; an empty one takes it away.
    pub fn set_content_security_policy_report_only(&mut self, policy: &ContentSecurityPolicy) {
        self.put("content-security-policy-report-only", (!policy.is_empty()).then(|| policy.to_string()).as_deref());
    }

    /// Changes the header `Content-Security-Policy-Report-Only`.
    pub fn edit_content_security_policy_report_only(&mut self, edit: impl FnOnce(&mut ContentSecurityPolicy)) {
        let mut policy = self.content_security_policy_report_only();
        edit(&mut policy);
        self.set_content_security_policy_report_only(&policy);
    }

    /// How old the response was when a cache gave it away.
    pub fn age(&self) -> Option<Duration> {
        self.header("age")?.trim().parse().ok().map(Duration::from_secs)
    }

    /// Sets the header `Age`, in whole seconds; `None` takes it away.
    pub fn set_age(&mut self, age: impl Into<Option<Duration>>) {
        self.put("age", age.into().map(|age| age.as_secs().to_string()).as_deref());
    }

    /// When the client may try again: what is said as a number of seconds is counted from now, as in Werkzeug.
    pub fn retry_after(&self) -> Option<SystemTime> {
        let value = self.header("retry-after")?.trim();
        if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
            return SystemTime::now().checked_add(Duration::from_secs(value.parse().ok()?));
        }
        parse_http_date(value)
    }

    /// Sets the header `Retry-After`: after a [`Duration`], in whole seconds, or at a [`SystemTime`].
    pub fn set_retry_after(&mut self, after: impl Into<RetryAfter>) {
        self.set_header("retry-after", &after.into().to_string());
    }

    /// Which part of the whole this is.
    pub fn content_range(&self) -> Option<ContentRange> {
        self.header("content-range").and_then(ContentRange::parse)
    }

    /// Sets the header `Content-Range`; `None` takes it away.
    pub fn set_content_range(&mut self, range: impl Into<Option<ContentRange>>) {
        self.put("content-range", range.into().map(|range| range.to_string()).as_deref());
    }

    /// Sets the header `WWW-Authenticate`, in place of all that there were: text, or whatever shows itself as such a
    /// header.
    ///
    /// # Panics
    /// At the caller's line, when it has a character that a header cannot carry.
    #[track_caller]
    pub fn set_www_authenticate(&mut self, challenge: impl fmt::Display) {
        self.set_header("www-authenticate", &challenge.to_string());
    }

    #[track_caller]
    fn put(&mut self, name: &'static str, value: Option<&str>) {
        match value {
            Some(value) => self.set_header(name, value),
            None => _ = self.headers.remove(name),
        }
    }

    /// A list may come in several lines (RFC 9110 section 5.3).
    fn joined(&self, name: &str) -> String {
        let lines = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        lines.collect::<Vec<_>>().join(", ")
    }
}

impl<T: AsRef<str>, const N: usize> From<[T; N]> for HeaderSet {
    fn from(words: [T; N]) -> HeaderSet {
        words.into_iter().collect()
    }
}

impl<T: AsRef<str>> From<Vec<T>> for HeaderSet {
    fn from(words: Vec<T>) -> HeaderSet {
        words.into_iter().collect()
    }
}

/// When a client may try again: see [`Response::set_retry_after`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this time, in whole seconds.
    After(Duration),
    /// From then on.
    At(SystemTime),
}

impl From<Duration> for RetryAfter {
    fn from(after: Duration) -> RetryAfter {
        RetryAfter::After(after)
    }
}

impl From<SystemTime> for RetryAfter {
    fn from(at: SystemTime) -> RetryAfter {
        RetryAfter::At(at)
    }
}

/// As the header's value.
impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RetryAfter::After(after) => write!(f, "{}", after.as_secs()),
            RetryAfter::At(at) => f.write_str(&format_http_date(*at)),
        }
    }
}
