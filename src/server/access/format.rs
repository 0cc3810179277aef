//! How a line of the access log looks.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use http::HeaderName;
use http::header::{REFERER, USER_AGENT};

/// How a line of the access log looks: for `--access-log`, `DEWAR_ACCESS_LOG` and
/// [`RunOptions::access_log`](crate::RunOptions::access_log), or [`set_access_log`].
///
/// Whatever a client sent is escaped, so that it can write no line of its own, close no quotes, and say nothing to a
/// terminal.
///
/// ```
/// use dewar::server::AccessLog;
///
/// assert_eq!("combined".parse(), Ok(AccessLog::Combined));
/// let own: AccessLog = "{peer} {method} {target} {status} {ms} {header:x-request-id}".parse()?;
/// assert_eq!(own.to_string(), "{peer} {method} {target} {status} {ms} {header:x-request-id}");
///
/// let error = "{speed}".parse::<AccessLog>().unwrap_err();
/// assert!(error.to_string().starts_with("there is no {speed}"));
/// # Ok::<(), dewar::server::UnknownFormat>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AccessLog {
    /// `off`: no lines.
    Off,
    /// `dev`: `127.0.0.1 "GET /hello?x=1 HTTP/1.1" 200 13 0.42ms`. On a terminal, its colour tells the status.
    #[default]
    Dev,
    /// `Dev`, with the colours of terminals, whatever it is written to.
    DevInColour,
    /// `common`: NCSA's, which Apache's `%h %l %u %t "%r" %>s %b` is. Nobody is known to be logged in.
    Common,
    /// `combined`: `Common`, and in quotes the headers `Referer` and `User-Agent`.
    Combined,
    /// `json`: an object with `time`, `peer`, `method`, `target`, `version`, `status`, `bytes`, `ms`, `referer` and
    /// `user_agent`.
    Json,
    /// A text with `{peer}`, `{time}`, `{method}`, `{target}`, `{version}`, `{status}`, `{bytes}`, `{ms}`, `{referer}`,
    /// `{user_agent}` and `{header:NAME}`, for any header of the request. `{{` and `}}` are the braces themselves.
    Template(Template),
}

/// A template of lines: made by parsing an [`AccessLog`].
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    pub(super) parts: Vec<Part>,
    headers: Vec<HeaderName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Peer,
    Time,
    Method,
    Target,
    Version,
    Status,
    Bytes,
    Milliseconds,
    /// The header of that index in the format's list.
    Header(usize),
}

impl AccessLog {
    /// The headers of the request that a line has.
    #[cfg_attr(not(any(unix, feature = "tiny_http")), allow(dead_code, reason = "there is no engine"))]
    pub(super) fn headers(&self) -> &[HeaderName] {
        static COMBINED: [HeaderName; 2] = [REFERER, USER_AGENT];
        match self {
            AccessLog::Combined | AccessLog::Json => &COMBINED,
            AccessLog::Template(template) => &template.headers,
            _ => &[],
        }
    }
}

impl FromStr for AccessLog {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<AccessLog, UnknownFormat> {
        Ok(match text {
            "off" => AccessLog::Off,
            "dev" => AccessLog::Dev,
            "common" => AccessLog::Common,
            "combined" => AccessLog::Combined,
            "json" => AccessLog::Json,
            text if text.contains('{') => AccessLog::Template(Template::parse(text)?),
            _ => {
                return Err(UnknownFormat(
                    "there are off, dev, common, combined and json, and templates such as {peer} {target}".into(),
                ));
            }
        })
    }
}

impl Template {
    fn parse(text: &str) -> Result<Template, UnknownFormat> {
        let mut template = Template { text: text.to_owned(), parts: Vec::new(), headers: Vec::new() };
        let (mut plain, mut chars) = (String::new(), text.chars().peekable());
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.next_if_eq(&c).is_some() => plain.push(c),
                '{' => {
                    let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                    if !plain.is_empty() {
                        template.parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    let part = template.field(&name)?;
                    template.parts.push(part);
                }
                // A line is one line.
                c if c.is_control() && c != '\t' => {
                    return Err(UnknownFormat("a template is one line, without control characters".into()));
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            template.parts.push(Part::Text(plain));
        }
        Ok(template)
    }

    fn field(&mut self, name: &str) -> Result<Part, UnknownFormat> {
        let header = match name {
            "peer" => return Ok(Part::Peer),
            "time" => return Ok(Part::Time),
            "method" => return Ok(Part::Method),
            "target" => return Ok(Part::Target),
            "version" => return Ok(Part::Version),
            "status" => return Ok(Part::Status),
            "bytes" => return Ok(Part::Bytes),
            "ms" => return Ok(Part::Milliseconds),
            "referer" => Some(REFERER),
            "user_agent" => Some(USER_AGENT),
            name => name.strip_prefix("header:").and_then(|header| header.parse().ok()),
        };
        let Some(header) = header else {
            return Err(UnknownFormat(format!(
                "there is no {{{name}}}: there are {{peer}}, {{time}}, {{method}}, {{target}}, {{version}}, {{status}}, \
                 {{bytes}}, {{ms}}, {{referer}}, {{user_agent}} and {{header:NAME}}"
            )));
        };
        self.headers.push(header);
        Ok(Part::Header(self.headers.len() - 1))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text).finish()
    }
}

impl fmt::Display for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AccessLog::Off => "off",
            AccessLog::Dev | AccessLog::DevInColour => "dev",
            AccessLog::Common => "common",
            AccessLog::Combined => "combined",
            AccessLog::Json => "json",
            AccessLog::Template(template) => &template.text,
        })
    }
}

/// A text that is no format of the access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownFormat {}

static FORMAT: LazyLock<RwLock<Arc<AccessLog>>> = LazyLock::new(Default::default);

/// Sets how the lines of the access log look, for all servers of this process: they go to one log, under the target
/// `dewar::access`, at the level info. [`App::run`](crate::App::run) does this for the format that it is given.
pub fn set_access_log(format: AccessLog) {
    *FORMAT.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(format);
}

#[cfg_attr(not(any(unix, feature = "tiny_http")), allow(dead_code, reason = "there is no engine"))]
pub(super) fn current() -> Arc<AccessLog> {
    Arc::clone(&FORMAT.read().unwrap_or_else(PoisonError::into_inner))
}
