//! Asking for credentials.

use std::fmt;

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use super::{header_value, parameters_or_token, title};
use crate::error::HttpError;
use crate::header_parts::quote;
use crate::response::Response;

/// A challenge: one `WWW-Authenticate` header, which goes with 401 (Werkzeug's `WWWAuthenticate`).
///
/// ```
/// use dewar::{App, HttpError, Result, WwwAuthenticate, request};
///
/// fn secret() -> Result<String> {
///     let request = request();
///     let auth = request.authorization();
///     match auth.as_ref().and_then(|auth| Some((auth.username()?, auth.password()?))) {
///         Some(("ada", "secret")) => Ok("Hello, Ada!".into()),
///         _ => Err(HttpError::new(401).with_www_authenticate(&WwwAuthenticate::basic("the vault")))?,
///     }
/// }
///
/// let mut app = App::new("demo");
/// app.get("/", secret);
/// let client = app.test_client();
/// assert_eq!(client.get("/").header("www-authenticate"), Some("Basic realm=\"the vault\""));
/// let response = client.request("GET", "/").header("authorization", "Basic YWRhOnNlY3JldA==").send();
/// assert_eq!(response.text(), "Hello, Ada!");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WwwAuthenticate {
    scheme: String,
    parameters: Vec<(String, Option<String>)>,
    token: Option<String>,
}

impl WwwAuthenticate {
    /// A challenge of this scheme, as yet without parameters.
    pub fn new(scheme: &str) -> WwwAuthenticate {
        WwwAuthenticate { scheme: scheme.to_lowercase(), parameters: Vec::new(), token: None }
    }

    /// `Basic` (RFC 7617): browsers show the realm when they ask for name and password.
    pub fn basic(realm: &str) -> WwwAuthenticate {
        WwwAuthenticate::new("basic").with("realm", realm)
    }

    /// `Bearer` (RFC 6750).
    pub fn bearer(realm: &str) -> WwwAuthenticate {
        WwwAuthenticate::new("bearer").with("realm", realm)
    }

    /// `Digest` (RFC 7616) with this nonce, which must be fresh and hard to guess.
    pub fn digest(realm: &str, nonce: &str) -> WwwAuthenticate {
        WwwAuthenticate::new("digest").with("realm", realm).with("nonce", nonce)
    }

    /// Reads a header with one challenge. `None` when it is empty.
    pub fn from_header(header: &str) -> Option<WwwAuthenticate> {
        if header.is_empty() {
            return None;
        }
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        let mut made = WwwAuthenticate::new(scheme);
        match parameters_or_token(rest.trim_matches([' ', '\t'])) {
            Ok(parameters) => made.parameters = parameters,
            Err(token) => made.token = Some(token),
        }
        Some(made)
    }

    /// The same with a parameter set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> WwwAuthenticate {
        self.set(name, value);
        self
    }

    /// The same with a token in place of parameters.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> WwwAuthenticate {
        self.token = Some(token.to_owned());
        self
    }

    /// Sets a parameter.
    pub fn set(&mut self, name: &str, value: &str) {
        let value = Some(value.to_owned());
        match self.parameters.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.parameters.push((name.to_owned(), value)),
        }
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.parameters.retain(|(known, _)| known != name);
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name)?.1.as_deref()
    }

    /// The parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// The scheme in lower case (Werkzeug's `type`).
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The token, of a scheme that has one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The header's value. Control characters, which a header cannot carry, are left out.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        header_value(&self.to_string())
    }
}

/// As in the header.
impl fmt::Display for WwwAuthenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = title(&self.scheme);
        if let Some(token) = &self.token {
            return write!(f, "{title} {token}");
        }
        if self.parameters.is_empty() {
            return f.write_str(&title);
        }
        // Those clients of old that want these in quotes want no others in them (RFC 7616 section 3.3).
        let quoted: &[&str] =
            if self.scheme == "digest" { &["realm", "domain", "nonce", "opaque", "qop"] } else { &[] };
        write!(f, "{title} {}", dump(&self.parameters, quoted))
    }
}

/// Parameters between commas, those named in quotes even where they are tokens.
pub(super) fn dump(parameters: &[(String, Option<String>)], quoted: &[&str]) -> String {
    let items = parameters.iter().map(|(name, value)| match value {
        None => name.clone(),
        Some(value) if name.ends_with('*') => format!("{name}={value}"),
        Some(value) => format!("{name}={}", quote(value, !quoted.contains(&name.as_str()))),
    });
    items.collect::<Vec<_>>().join(", ")
}

impl Response {
    /// Adds a challenge; several may be offered, the strongest first (Werkzeug: `response.www_authenticate`).
    pub fn add_www_authenticate(&mut self, challenge: &WwwAuthenticate) {
        self.headers_mut().append(WWW_AUTHENTICATE, challenge.to_header());
    }

    /// The first challenge, if there is one.
    pub fn www_authenticate(&self) -> Option<WwwAuthenticate> {
        WwwAuthenticate::from_header(&crate::header_parts::text(self.headers().get(WWW_AUTHENTICATE)?))
    }
}

impl HttpError {
    /// The same with a challenge on its response, in place of one from before (Werkzeug: `Unauthorized(www_authenticate=…)`).
    #[must_use]
    pub fn with_www_authenticate(self, challenge: &WwwAuthenticate) -> HttpError {
        let mut headers = self.headers().clone();
        headers.insert(WWW_AUTHENTICATE, challenge.to_header());
        self.with_headers(headers)
    }
}
