//! The session's cookie: its name and its attributes.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use http::header::{SET_COOKIE, VARY};

use crate::config::SessionSettings;
use crate::cookie::Cookie;
use crate::ctx::Site;
use crate::request::Request;
use crate::response::Response;

/// The session's cookie as the configuration wants it, for a [`SessionInterface`](crate::SessionInterface): what
/// `get_cookie_name`, `get_cookie_domain` and their kin are in Flask's.
#[derive(Clone, Copy)]
pub struct SessionCookie<'a>(&'a SessionSettings);

impl<'a> SessionCookie<'a> {
    /// That of this app.
    pub fn of(app: &'a Site) -> SessionCookie<'a> {
        SessionCookie(&app.settings().session)
    }

    /// `SESSION_COOKIE_NAME`.
    pub fn name(&self) -> &'a str {
        &self.0.cookie_name
    }

    /// `PERMANENT_SESSION_LIFETIME`: how long a session is good for.
    pub fn lifetime(&self) -> Duration {
        self.0.lifetime
    }

    /// Its value, when the request has one that is not empty.
    pub fn value(&self, request: &Request) -> Option<String> {
        request.cookie(self.name()).filter(|value| !value.is_empty())
    }

    /// Has the browser keep it: for its lifetime when it is permanent, and until it is closed otherwise. The response
    /// varies by cookies then.
    ///
    /// One that is larger than `MAX_COOKIE_SIZE` is warned of in the log.
    pub fn set(&self, response: &mut Response, value: impl Into<String>, permanent: bool) {
        let value = value.into();
        let size = value.len();
        let cookie = Cookie::new(self.name(), value);
        let end = if permanent { SystemTime::now().checked_add(self.0.lifetime) } else { None };
        let header = self.with_attributes(match end {
            Some(end) => cookie.expires(end),
            None => cookie,
        });
        if self.0.max_cookie_size != 0 && header.len() > self.0.max_cookie_size {
            log::warn!(
                "the cookie `{}` is too large: its value has {size} bytes, the whole header {}, and the limit is {}. \
                 Browsers may ignore it without a word: keep less in the session",
                self.name(),
                header.len(),
                self.0.max_cookie_size,
            );
        }
        response.headers_mut().append(SET_COOKIE, header);
        vary_by_cookie(response);
    }

    /// Has the browser forget it. The response varies by cookies then.
    pub fn delete(&self, response: &mut Response) {
        let header = self.with_attributes(Cookie::removal(self.name()));
        response.headers_mut().append(SET_COOKIE, header);
        vary_by_cookie(response);
    }

    fn with_attributes(&self, cookie: Cookie) -> HeaderValue {
        let settings = self.0;
        let mut cookie = cookie
            .path(&settings.path)
            .http_only(settings.http_only)
            .secure(settings.secure)
            .partitioned(settings.partitioned);
        if let Some(domain) = &settings.domain {
            cookie = cookie.domain(domain);
        }
        if let Some(same_site) = settings.same_site {
            cookie = cookie.same_site(same_site);
        }
        cookie.to_header()
    }
}

impl fmt::Debug for SessionCookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionCookie").field(&self.name()).finish()
    }
}

/// Adds to what the response says it depends on.
pub(super) fn vary_by_cookie(response: &mut Response) {
    let headers = response.headers_mut();
    if !headers.contains_key(VARY) {
        headers.insert(VARY, HeaderValue::from_static("Cookie"));
        return;
    }
    let known: Vec<&[u8]> = headers.get_all(VARY).iter().map(HeaderValue::as_bytes).collect();
    let mut names = known.iter().flat_map(|value| value.split(|byte| *byte == b','));
    if names.any(|name| matches!(name.trim_ascii(), b"*") || name.trim_ascii().eq_ignore_ascii_case(b"cookie")) {
        return;
    }
    let mut all = known.join(&b", "[..]);
    if !all.is_empty() {
        all.extend_from_slice(b", ");
    }
    all.extend_from_slice(b"Cookie");
    if let Ok(value) = HeaderValue::from_bytes(&all) {
        headers.insert(VARY, value);
    }
}
