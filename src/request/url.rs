//! Where a request was sent to: its path, its query, its URL.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Request;
use crate::error::HttpError;

/// What a path of a URL cannot hold as it is (RFC 3986 section 3.3); escapes stay.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl Request {
    /// The path, as it was sent: percent-encoded. Rules are matched against the decoded one.
    ///
    /// It may begin with several slashes, and a link to `//host/` leads to another host: to send a client back here there
    /// are [`full_path`](Request::full_path) and [`url`](Request::url).
    pub fn path(&self) -> &str {
        self.0.head.uri.path()
    }

    /// The path decoded, with one slash at its beginning (Flask's `path`).
    ///
    /// ```
    /// use dewar::Request;
    ///
    /// assert_eq!(Request::get("//caf%C3%A9//menu").decoded_path()?, "/caf\u{e9}//menu");
    /// # Ok::<(), dewar::HttpError>(())
    /// ```
    ///
    /// # Errors
    /// 400 when an escape is not two hexadecimal digits, or what they make is not UTF-8.
    pub fn decoded_path(&self) -> Result<Cow<'_, str>, HttpError> {
        Ok(match self.routed_path()? {
            Cow::Borrowed(path) => Cow::Borrowed(one_slash(path)),
            Cow::Owned(path) if path.starts_with("//") => Cow::Owned(one_slash(&path).to_owned()),
            path => path,
        })
    }

    /// The path decoded, as rules see it: with all its slashes.
    ///
    /// # Errors
    /// As [`decoded_path`](Request::decoded_path).
    pub(crate) fn routed_path(&self) -> Result<Cow<'_, str>, HttpError> {
        let path = self.path();
        if !path.as_bytes().contains(&b'%') {
            return Ok(Cow::Borrowed(path));
        }
        check_escapes(path, "path")?;
        percent_encoding::percent_decode_str(path).decode_utf8().map_err(|_| bad_escapes("path"))
    }

    /// The path as it was sent, but with one slash at its beginning, so that it stays one in a link.
    pub(crate) fn linked_path(&self) -> &str {
        one_slash(self.path())
    }

    /// The query string, without its `?`; empty when there is none.
    pub fn query_string(&self) -> &str {
        self.0.head.uri.query().unwrap_or("")
    }

    /// Path and query, always with a `?` (Flask's `full_path`). Of several slashes at its beginning, which would make a
    /// host of what follows, there is one.
    ///
    /// The path is encoded as it was sent, and not decoded as in Flask: `/a%3Fb%2Fc` would be another place.
    pub fn full_path(&self) -> String {
        format!("{}?{}", self.linked_path(), self.query_string())
    }

    /// The query string, once it is known to be percent-encoded UTF-8.
    pub(crate) fn checked_query(&self) -> Result<&str, HttpError> {
        let query = self.query_string();
        check_escapes(query, "query")?;
        let decoded = percent_encoding::percent_decode_str(query).decode_utf8();
        decoded.map(|_| query).map_err(|_| bad_escapes("query"))
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.0.secure { "https" } else { "http" }
    }

    /// The host it was sent to, with its port where that is not the scheme's own.
    pub fn host(&self) -> &str {
        let host = self.uri().authority().map(|a| a.as_str()).or_else(|| self.header("host")).unwrap_or("localhost");
        let usual = if self.0.secure { ":443" } else { ":80" };
        host.strip_suffix(usual).unwrap_or(host)
    }

    /// The path that the app is mounted below, without a final slash; empty when it has the whole host (Flask's
    /// `script_root`, WSGI's `SCRIPT_NAME`). [`path`](Request::path) is what comes behind it.
    pub fn script_root(&self) -> &str {
        self.0.script_root.as_deref().unwrap_or("")
    }

    /// As [`script_root`](Request::script_root), by Flask's other name.
    pub fn root_path(&self) -> &str {
        self.script_root()
    }

    /// The same, to an app that is mounted below this path. The request's own path is to be what comes behind it:
    /// whoever mounts takes the prefix off.
    ///
    /// ```
    /// use dewar::Request;
    ///
    /// let request = Request::get("/post/7?all=1").with_header("host", "example.org").with_script_root("/blog/");
    /// assert_eq!(request.script_root(), "/blog");
    /// assert_eq!(request.url(), "http://example.org/blog/post/7?all=1");
    /// assert_eq!(request.root_url(), "http://example.org/blog/");
    /// assert_eq!(request.path(), "/post/7");
    /// ```
    pub fn with_script_root(mut self, root: &str) -> Request {
        let root = root.trim_matches('/');
        let encoded = utf8_percent_encode(root, PATH);
        self.inner_mut().script_root = (!root.is_empty()).then(|| format!("/{encoded}").into());
        self
    }

    /// The scheme and the host, without a slash. Of a host case does not count (RFC 3986 section 6.2.2.1).
    fn origin_url(&self) -> String {
        format!("{}://{}", self.scheme(), self.host().to_ascii_lowercase())
    }

    /// `http://host/`, the host in lower case (Flask's `host_url`).
    pub fn host_url(&self) -> String {
        self.origin_url() + "/"
    }

    /// `http://host/` and the path that the app is mounted below, with a final slash (Flask's `root_url`).
    pub fn root_url(&self) -> String {
        format!("{}{}/", self.origin_url(), self.script_root())
    }

    /// As [`root_url`](Request::root_url), by Flask's other name.
    pub fn url_root(&self) -> String {
        self.root_url()
    }

    /// The URL without its query string.
    pub fn base_url(&self) -> String {
        let path = self.linked_path();
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("{}{}{slash}{path}", self.origin_url(), self.script_root())
    }

    /// The whole URL, percent-encoded as it was sent, so that it can be linked to; the host is in lower case. (Flask's is
    /// an IRI: it decodes what a reader likes better so.)
    pub fn url(&self) -> String {
        match self.query_string() {
            "" => self.base_url(),
            query => format!("{}?{query}", self.base_url()),
        }
    }
}

/// Of several slashes at the beginning the last.
fn one_slash(path: &str) -> &str {
    let rest = path.trim_start_matches('/');
    &path[(path.len() - rest.len()).saturating_sub(1)..]
}

/// `percent_encoding` leaves a stray `%` as it is; a request with one is malformed (RFC 3986 section 2.1).
fn check_escapes(text: &str, place: &str) -> Result<(), HttpError> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        match rest[at + 1..] {
            [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest = &rest[at + 3..],
            _ => return Err(bad_escapes(place)),
        }
    }
    Ok(())
}

fn bad_escapes(place: &str) -> HttpError {
    HttpError::new(400).with_description(format!("The {place} of the URL is not percent-encoded UTF-8."))
}
