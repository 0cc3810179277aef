//! `Content-Security-Policy`.

use std::fmt;

/// A `Content-Security-Policy` header (Werkzeug's `ContentSecurityPolicy`): directives with their values, in order. See
/// [`Response::content_security_policy`](crate::Response::content_security_policy).
///
/// ```
/// use dewar::Response;
///
/// let mut response = Response::html("<p>hello");
/// response.edit_content_security_policy(|csp| {
///     csp.set("default-src", "'self'").set("img-src", "*");
/// });
/// assert_eq!(response.header("content-security-policy"), Some("default-src 'self'; img-src *"));
/// assert_eq!(response.content_security_policy().get("img-src"), Some("*"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentSecurityPolicy(Vec<(String, String)>);

impl ContentSecurityPolicy {
    /// No directives.
    #[must_use]
    pub fn new() -> ContentSecurityPolicy {
        ContentSecurityPolicy::default()
    }

    /// Reads a header's value. Of a directive that comes twice the first counts, as for browsers (CSP 3 section 2.2.1).
    #[must_use]
    pub fn parse(value: &str) -> ContentSecurityPolicy {
        let directives = value.split(';').map(str::trim).filter(|directive| !directive.is_empty());
        let pairs = directives.map(|directive| directive.split_once([' ', '\t']).unwrap_or((directive, "")));
        ContentSecurityPolicy(pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect())
    }

    /// A directive's value: `csp.get("default-src")`. Empty where it has none, as `upgrade-insecure-requests`.
    #[must_use]
    pub fn get(&self, directive: &str) -> Option<&str> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(directive)).map(|(_, value)| value)
    }

    /// Sets a directive: one that is there keeps its place. An empty value is written as none.
    ///
    /// # Panics
    /// At the caller's line, when the directive is no name, or the value has a `;`, a `,`, a control character or one that
    /// is not ASCII: it would begin a directive of its own, or not be read at all.
    #[track_caller]
    pub fn set(&mut self, directive: &str, value: &str) -> &mut Self {
        let named = !directive.is_empty() && directive.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        assert!(named, "{directive:?} is not the name of a Content-Security-Policy directive");
        let fits = value.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';' && b != b',');
        assert!(fits, "the value {value:?} of {directive} has a character that would end it: percent-encode it");
        let place = self.0.iter().position(|(name, _)| name.eq_ignore_ascii_case(directive)).unwrap_or(self.0.len());
        self.remove(directive);
        self.0.insert(place, (directive.to_ascii_lowercase(), value.trim().to_owned()));
        self
    }

    /// Takes a directive out.
    pub fn remove(&mut self, directive: &str) -> &mut Self {
        self.0.retain(|(name, _)| !name.eq_ignore_ascii_case(directive));
        self
    }

    /// The directives with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As a header's value.
impl fmt::Display for ContentSecurityPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            let (semicolon, space) = (if i > 0 { "; " } else { "" }, if value.is_empty() { "" } else { " " });
            write!(f, "{semicolon}{name}{space}{value}")?;
        }
        Ok(())
    }
}
