//! What a request's headers say.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use http::HeaderName;
use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ACCESS_CONTROL_REQUEST_HEADERS, AUTHORIZATION,
    CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, USER_AGENT,
};

use super::Request;
use crate::accept::Accept;
use crate::authorization::Authorization;
use crate::cookie::parse_cookies;
use crate::header_parts;
use crate::multidict::MultiDict;

impl Request {
    /// A cookie's value; of several with one name the first.
    pub fn cookie(&self, name: &str) -> Option<String> {
        // Most requests of programs have none.
        if !self.headers().contains_key(http::header::COOKIE) {
            return None;
        }
        self.cookies().get(name).map(str::to_owned)
    }

    /// All cookies, in the order they came.
    pub fn cookies(&self) -> MultiDict {
        let headers = self.headers().get_all(http::header::COOKIE);
        let mut cookies = MultiDict::default();
        for header in headers {
            // A script's cookie may be raw UTF-8 or worse; the others in the header are good all the same.
            for (name, value) in parse_cookies(&String::from_utf8_lossy(header.as_bytes())) {
                cookies.push(name, value);
            }
        }
        cookies
    }

    /// A header as one text (Flask's `headers.get`, as WSGI gives it): all lines of that name, with commas between them
    /// (RFC 9110 section 5.3), and what is not ASCII read as Latin-1. Case does not count.
    ///
    /// [`header`](Request::header) is the first line alone, without a copy.
    ///
    /// ```
    /// use dewar::Request;
    /// use dewar::http::HeaderValue;
    ///
    /// let mut request = Request::get("/").with_header("x-tag", "a");
    /// request.head_mut().headers.append("x-tag", HeaderValue::from_static("b"));
    /// assert_eq!(request.header_text("X-Tag").as_deref(), Some("a,b"));
    /// assert_eq!(request.header("X-Tag"), Some("a"));
    /// ```
    pub fn header_text(&self, name: &str) -> Option<Cow<'_, str>> {
        header_parts::joined(self.headers(), HeaderName::from_bytes(name.as_bytes()).ok()?)
    }

    /// The `Content-Type`.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    fn content_type_text(&self) -> Cow<'_, str> {
        self.headers().get(CONTENT_TYPE).map_or(Cow::Borrowed(""), header_parts::text)
    }

    /// The `Content-Type` in lower case and without its parameters; empty when there is none.
    pub fn mimetype(&self) -> String {
        let text = self.content_type_text();
        text.split(';').next().unwrap_or("").trim_matches([' ', '\t']).to_ascii_lowercase()
    }

    /// The parameters of the `Content-Type`, such as `charset`; names in lower case.
    ///
    /// ```
    /// use dewar::Request;
    ///
    /// let request = Request::post("/", "x").with_header("content-type", "text/plain; Charset=\"latin1\"");
    /// assert_eq!(request.mimetype(), "text/plain");
    /// assert_eq!(request.mimetype_params()["charset"], "latin1");
    /// ```
    pub fn mimetype_params(&self) -> BTreeMap<String, String> {
        header_parts::options(&self.content_type_text()).1.into_iter().collect()
    }

    /// Whether the body is said to be JSON: `application/json` or `application/…+json`.
    pub fn is_json(&self) -> bool {
        let mimetype = self.mimetype();
        mimetype == "application/json" || (mimetype.starts_with("application/") && mimetype.ends_with("+json"))
    }

    /// The number of bytes that the body is said to have: `None` when it is not said, or the body comes in chunks, and 0
    /// when what is said is no number.
    pub fn content_length(&self) -> Option<u64> {
        let length = self.headers().get(CONTENT_LENGTH)?;
        let chunked = self.list(TRANSFER_ENCODING).iter().any(|coding| coding.eq_ignore_ascii_case("chunked"));
        let digits = length.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        (!chunked).then(|| digits.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// The `Content-Encoding`: how the body is packed. It is given as it came, still packed.
    pub fn content_encoding(&self) -> Option<&str> {
        self.header("content-encoding")
    }

    /// The page that led here, by the `Referer` header; as any header, what the client likes to say.
    pub fn referrer(&self) -> Option<&str> {
        self.header("referer")
    }

    /// The `Origin`: the site whose page sent this.
    pub fn origin(&self) -> Option<&str> {
        self.header("origin")
    }

    /// When the request was sent, by the client's clock.
    pub fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header("date")?).ok()
    }

    /// How many more proxies may hand the request on (`Max-Forwards`).
    pub fn max_forwards(&self) -> Option<u64> {
        self.header("max-forwards")?.trim().parse().ok()
    }

    /// The client's program, as it calls itself; empty when it does not (Flask's `user_agent.string`).
    pub fn user_agent(&self) -> Cow<'_, str> {
        self.headers().get(USER_AGENT).map_or(Cow::Borrowed(""), header_parts::text)
    }

    /// The credentials that were sent, if any were that can be read.
    pub fn authorization(&self) -> Option<Authorization> {
        Authorization::from_header(&header_parts::text(self.headers().get(AUTHORIZATION)?))
    }

    /// The addresses that the request passed through, the client's first: `X-Forwarded-For` where there is one, which any
    /// client can write, or else [`remote_addr`](Request::remote_addr).
    pub fn access_route(&self) -> Vec<String> {
        const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
        if self.headers().contains_key(FORWARDED) {
            return self.list(FORWARDED);
        }
        self.remote_addr().map(|addr| addr.ip().to_string()).into_iter().collect()
    }

    /// What a page of another site wants to send, by a browser's preflight request (`Access-Control-Request-Headers`).
    pub fn access_control_request_headers(&self) -> Vec<String> {
        self.list(ACCESS_CONTROL_REQUEST_HEADERS)
    }

    /// With which method a page of another site wants to send it (`Access-Control-Request-Method`).
    pub fn access_control_request_method(&self) -> Option<&str> {
        self.header("access-control-request-method")
    }

    /// The media types that the client takes.
    pub fn accept_mimetypes(&self) -> Accept {
        Accept::mimetypes(&self.joined(ACCEPT))
    }

    /// The charsets that the client takes. Clients of today send none.
    pub fn accept_charsets(&self) -> Accept {
        Accept::charsets(&self.joined(ACCEPT_CHARSET))
    }

    /// The ways of packing that the client takes, such as `gzip`.
    pub fn accept_encodings(&self) -> Accept {
        Accept::encodings(&self.joined(ACCEPT_ENCODING))
    }

    /// The languages that the user reads.
    pub fn accept_languages(&self) -> Accept {
        Accept::languages(&self.joined(ACCEPT_LANGUAGE))
    }

    pub(crate) fn joined(&self, name: HeaderName) -> Cow<'_, str> {
        header_parts::joined(self.headers(), name).unwrap_or_default()
    }

    fn list(&self, name: HeaderName) -> Vec<String> {
        header_parts::list(&self.joined(name)).into_iter().map(Cow::into_owned).collect()
    }
}
