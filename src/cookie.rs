//! Cookies, read as Werkzeug reads them and written in its order of attributes (RFC 6265).

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::HeaderValue;

pub(crate) use crate::http_date::format_http_date as http_date;

/// Which other sites' requests a cookie goes along with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// None of them.
    Strict,
    /// Only when a link is followed.
    Lax,
    /// All; browsers want [`Cookie::secure`] with it.
    None,
}

/// A cookie to set: see [`Response::set_cookie`](crate::Response::set_cookie).
///
/// ```
/// use dewar::Cookie;
/// use std::time::Duration;
///
/// let cookie = Cookie::new("theme", "dark blue").max_age(Duration::from_secs(60)).http_only(true);
/// let header = cookie.to_header();
/// assert!(header.to_str()?.starts_with("theme=\"dark blue\"; Expires="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cookie {
    name: String,
    value: String,
    domain: Option<String>,
    expires: Option<SystemTime>,
    max_age: Option<Duration>,
    secure: bool,
    http_only: bool,
    path: Option<String>,
    same_site: Option<SameSite>,
    partitioned: bool,
}

impl Cookie {
    /// A cookie for the path `/` that lasts until the browser is closed.
    ///
    /// # Panics
    /// At the caller's line, when the name is not a token (RFC 9110 section 5.6.2): such a cookie would be read as
    /// another one, or as several.
    #[track_caller]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Cookie {
        let name = name.into();
        assert!(is_token(&name), "{name:?} is not a cookie's name: use letters, digits and !#$%&'*+-.^_`|~");
        Cookie {
            name,
            value: value.into(),
            domain: None,
            expires: None,
            max_age: None,
            secure: false,
            http_only: false,
            path: Some("/".into()),
            same_site: None,
            partitioned: false,
        }
    }

    /// The cookie that makes a browser forget `name`.
    #[track_caller]
    pub fn removal(name: impl Into<String>) -> Cookie {
        let mut cookie = Cookie::new(name, "").max_age(Duration::ZERO);
        cookie.expires = Some(SystemTime::UNIX_EPOCH);
        cookie
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, as it was given.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// How long it lasts. `Expires` goes along with it for old browsers.
    pub fn max_age(mut self, age: Duration) -> Cookie {
        self.max_age = Some(age);
        self.expires = SystemTime::now().checked_add(age);
        self
    }

    /// When it ends, without a `Max-Age`.
    pub fn expires(mut self, at: SystemTime) -> Cookie {
        self.expires = Some(at);
        self
    }

    /// The path below which it is sent; the default is `/`. What cannot stand in one is percent-encoded.
    pub fn path(mut self, path: impl Into<String>) -> Cookie {
        let path = path.into();
        self.path = Some(percent_encoding::utf8_percent_encode(&path, PATH).to_string());
        self
    }

    /// Without a path: browsers then take that of the request, up to its last slash (Flask: `path=None`).
    pub fn without_path(mut self) -> Cookie {
        self.path = None;
        self
    }

    /// The domain whose hosts it is sent to; the default is this host alone. A dot in front and a port behind are left
    /// out, as in Werkzeug.
    ///
    /// # Panics
    /// At the caller's line, when it has a control character or a semicolon.
    #[track_caller]
    pub fn domain(mut self, domain: impl Into<String>) -> Cookie {
        let domain = attribute(domain.into());
        self.domain = Some(domain.split(':').next().unwrap_or("").trim_start_matches('.').to_owned());
        self
    }

    /// Only over https.
    pub fn secure(mut self, secure: bool) -> Cookie {
        self.secure = secure;
        self
    }

    /// Not for scripts.
    pub fn http_only(mut self, http_only: bool) -> Cookie {
        self.http_only = http_only;
        self
    }

    /// Which other sites' requests it goes along with.
    pub fn same_site(mut self, same_site: SameSite) -> Cookie {
        self.same_site = Some(same_site);
        self
    }

    /// Kept apart for each site that embeds this one (CHIPS); only over https, so [`Cookie::secure`] comes with it.
    pub fn partitioned(mut self, partitioned: bool) -> Cookie {
        self.partitioned = partitioned;
        self
    }

    /// The value of its `Set-Cookie` header.
    pub fn to_header(&self) -> HeaderValue {
        let mut text = format!("{}={}", self.name, quote(&self.value));
        if let Some(domain) = &self.domain {
            text += &format!("; Domain={domain}");
        }
        if let Some(at) = self.expires {
            text += &format!("; Expires={}", http_date(at));
        }
        if let Some(age) = self.max_age {
            text += &format!("; Max-Age={}", age.as_secs());
        }
        if self.secure || self.partitioned {
            text += "; Secure";
        }
        if self.http_only {
            text += "; HttpOnly";
        }
        if let Some(path) = &self.path {
            text += &format!("; Path={path}");
        }
        if let Some(same_site) = self.same_site {
            text += &format!("; SameSite={same_site:?}");
        }
        if self.partitioned {
            text += "; Partitioned";
        }
        HeaderValue::try_from(text).expect("the name is a token, the value is quoted, attributes were checked")
    }
}

/// What may stand in a cookie's path, as Werkzeug has it: what is encoded already stays, and `;` would end it.
const PATH: &percent_encoding::AsciiSet = &crate::url_escapes::PATH.add(b';');

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

pub(crate) fn is_attribute(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';')
}

#[track_caller]
fn attribute(text: String) -> String {
    assert!(
        is_attribute(&text),
        "{text:?} cannot be a cookie's attribute: it has a control, non-ASCII or `;` character"
    );
    text
}

/// Reads a `Cookie` header's pairs, in order. Of a name that comes twice the first is the one that counts; what has no
/// name is left out.
///
/// Other than in Werkzeug a `;` ends a pair in quotes too (RFC 6265 section 5.4; whoever writes one escapes it): a stray
/// quote in one cookie must not swallow those behind it.
///
/// ```
/// let pairs: Vec<_> = dewar::parse_cookies(r#"a=1; b="x\054y"; c"#).collect();
/// assert_eq!(pairs, [("a", "1".into()), ("b", "x,y".into()), ("c", "".into())]);
/// ```
pub fn parse_cookies(header: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    header.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.trim();
        (!name.is_empty()).then(|| (name, unquote(value.trim())))
    })
}

/// A value as it stands in the header: as it is, or in double quotes with octal escapes for what a cookie's value may
/// not hold (Werkzeug's form, which Python's `http.cookies` reads too).
fn quote(value: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_!#$%&'()*+-./:<=>?@[]^`{|}~".contains(&b);
    if value.bytes().all(plain) {
        return Cow::Borrowed(value);
    }
    let mut quoted = String::from("\"");
    for b in value.bytes() {
        match b {
            b'"' => quoted += "\\\"",
            b'\\' => quoted += "\\\\",
            b if plain(b) || b == b' ' => quoted.push(b as char),
            b => quoted += &format!("\\{b:03o}"),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

fn unquote(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let bytes = inner.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i..] {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                i += 4;
            }
            [b'\\', other, ..] => {
                plain.push(other);
                i += 2;
            }
            [b, ..] => {
                plain.push(b);
                i += 1;
            }
            [] => unreachable!("the index is below the length"),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}
