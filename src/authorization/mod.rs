//! Credentials: the `Authorization` header, and the `WWW-Authenticate` that asks for them (RFC 9110 section 11).

mod base64;
mod www_authenticate;

use std::fmt;

use http::HeaderValue;

pub use www_authenticate::WwwAuthenticate;

use crate::header_parts;

/// An `Authorization` header, parsed as Werkzeug's `Authorization`: see
/// [`Request::authorization`](crate::Request::authorization).
///
/// A scheme has parameters (`Basic` its `username` and `password`, `Digest` what RFC 7616 names) or a token (`Bearer`).
///
/// ```
/// use dewar::{Authorization, Request};
///
/// let request = Request::get("/").with_header("authorization", "Basic YWRhOnNlY3JldA==");
/// let auth = request.authorization().unwrap();
/// assert_eq!((auth.scheme(), auth.username(), auth.password()), ("basic", Some("ada"), Some("secret")));
///
/// let auth = Authorization::from_header("Bearer abc123").unwrap();
/// assert_eq!((auth.scheme(), auth.token()), ("bearer", Some("abc123")));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    scheme: String,
    parameters: Vec<(String, Option<String>)>,
    token: Option<String>,
}

impl Authorization {
    /// Reads a header's value. `None` when it is empty, or `Basic` with what is not base64 of UTF-8.
    pub fn from_header(header: &str) -> Option<Authorization> {
        if header.is_empty() {
            return None;
        }
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        let (scheme, rest) = (scheme.to_lowercase(), rest.trim_matches([' ', '\t']));
        if scheme == "basic" {
            let plain = String::from_utf8(base64::decode(rest)?).ok()?;
            let (username, password) = plain.split_once(':').unwrap_or((&plain, ""));
            return Some(Authorization::basic(username, password));
        }
        Some(match parameters_or_token(rest) {
            Ok(parameters) => Authorization { scheme, parameters, token: None },
            Err(token) => Authorization { scheme, parameters: Vec::new(), token: Some(token) },
        })
    }

    /// `Basic` credentials (RFC 7617).
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Authorization {
        let (username, password) = (Some(username.into()), Some(password.into()));
        let parameters = vec![("username".to_owned(), username), ("password".to_owned(), password)];
        Authorization { scheme: "basic".to_owned(), parameters, token: None }
    }

    /// A `Bearer` token (RFC 6750).
    pub fn bearer(token: impl Into<String>) -> Authorization {
        Authorization { scheme: "bearer".to_owned(), parameters: Vec::new(), token: Some(token.into()) }
    }

    /// The scheme in lower case: `basic`, `digest`, `bearer` (Werkzeug's `type`).
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The token, of a scheme that has one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A parameter; `None` when it is not there, or has no value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name)?.1.as_deref()
    }

    /// Whether there is such a parameter.
    pub fn contains(&self, name: &str) -> bool {
        self.parameters.iter().any(|(known, _)| known == name)
    }

    /// The parameters, in the order they came.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// The user's name, of `Basic` and `Digest`.
    pub fn username(&self) -> Option<&str> {
        self.get("username")
    }

    /// The password, of `Basic`. Compare it with a hash, or in constant time.
    pub fn password(&self) -> Option<&str> {
        self.get("password")
    }

    /// The header's value, for a client. Control characters, which a header cannot carry, are left out.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        let title = title(&self.scheme);
        let mut value = match (&self.token, self.scheme.as_str()) {
            (_, "basic") => {
                let plain = format!("{}:{}", self.username().unwrap_or(""), self.password().unwrap_or(""));
                header_value(&format!("{title} {}", base64::encode(plain.as_bytes())))
            }
            (Some(token), _) => header_value(&format!("{title} {token}")),
            (None, _) => header_value(&format!("{title} {}", www_authenticate::dump(&self.parameters, &[]))),
        };
        value.set_sensitive(true);
        value
    }
}

/// The scheme and the names of the parameters: no log is to have the rest.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.parameters().map(|(name, _)| name).collect();
        f.debug_struct("Authorization")
            .field("scheme", &self.scheme)
            .field("parameters", &names)
            .finish_non_exhaustive()
    }
}

/// What has a `=` that is not padding at its end has parameters; the rest is a token.
fn parameters_or_token(rest: &str) -> Result<Vec<(String, Option<String>)>, String> {
    if rest.trim_end_matches('=').contains('=') { Ok(header_parts::dict(rest)) } else { Err(rest.to_owned()) }
}

/// Each word with a capital, as schemes are written.
fn title(scheme: &str) -> String {
    let mut begins = true;
    let letter = |c: char| {
        let made = if begins { c.to_ascii_uppercase() } else { c };
        begins = !c.is_alphabetic();
        made
    };
    scheme.chars().map(letter).collect()
}

fn header_value(text: &str) -> HeaderValue {
    let text: String = text.chars().filter(|c| !c.is_ascii_control() || *c == '\t').collect();
    HeaderValue::from_bytes(text.as_bytes()).expect("what a header cannot carry was left out")
}
