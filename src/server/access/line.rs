//! A line of the access log, in each of its formats.

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use http::{Method, StatusCode, Version};

use super::format::{AccessLog, Part};
use super::{Moment, TARGET};
use crate::quiet::quietly;

/// Bytes of a target, and of a header, that are written. One that is refused for its length shall not fill the log
/// either.
const LONGEST: usize = 8192;

/// A response that was sent, and what it was sent for.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Line<'a> {
    pub(in crate::server) format: &'a AccessLog,
    /// Who asked; none for a Unix socket.
    pub(in crate::server) peer: Option<SocketAddr>,
    pub(in crate::server) method: &'a Method,
    /// As the client sent it.
    pub(in crate::server) target: &'a str,
    pub(in crate::server) version: Version,
    pub(in crate::server) status: StatusCode,
    /// Bytes of the body as they went over the wire.
    pub(in crate::server) bytes: u64,
    /// From when the request was taken until the response was sent.
    pub(in crate::server) took: Duration,
    /// The headers that the format has.
    pub(in crate::server) headers: &'a [Option<Vec<u8>>],
}

impl Line<'_> {
    /// A logger that panics does no harm.
    pub(in crate::server) fn log(self) {
        quietly(|| log::info!(target: TARGET, "{self}"));
    }

    fn milliseconds(&self) -> f64 {
        self.took.as_secs_f64() * 1000.0
    }

    fn header(&self, index: usize) -> Option<&[u8]> {
        self.headers.get(index)?.as_deref()
    }

    fn peer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "{}", peer.ip()),
            None => f.write_str("unix"),
        }
    }

    fn request(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.method, Escaped(self.target.as_bytes()), self.version)
    }

    fn dev(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peer(f)?;
        f.write_str(" \"")?;
        self.request(f)?;
        write!(f, "\" {} {} {:.2}ms", self.status.as_u16(), self.bytes, self.milliseconds())
    }

    /// When the request was taken.
    fn time(&self) -> Moment {
        let now = SystemTime::now();
        Moment(now.checked_sub(self.took).unwrap_or(now))
    }

    fn common(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peer(f)?;
        write!(f, " - - [{:#}] \"", self.time())?;
        self.request(f)?;
        write!(f, "\" {} ", self.status.as_u16())?;
        if self.bytes == 0 { f.write_char('-') } else { write!(f, "{}", self.bytes) }
    }

    fn quoted_header(&self, index: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " \"{}\"", Escaped(self.header(index).unwrap_or(b"-")))
    }

    fn json(&self) -> serde_json::Value {
        let cut = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned();
        serde_json::json!({
            "time": httpdate::fmt_http_date(self.time().0),
            "peer": self.peer.map(|peer| peer.ip()),
            "method": self.method.as_str(),
            "target": cut(self.target.as_bytes()),
            "version": format!("{:?}", self.version),
            "status": self.status.as_u16(),
            "bytes": self.bytes,
            "ms": (self.milliseconds() * 100.0).round() / 100.0,
            "referer": self.header(0).map(cut),
            "user_agent": self.header(1).map(cut),
        })
    }

    fn part(&self, part: &Part, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match part {
            Part::Text(text) => f.write_str(text),
            Part::Peer => self.peer(f),
            Part::Time => write!(f, "{:#}", self.time()),
            Part::Method => write!(f, "{}", self.method),
            Part::Target => write!(f, "{}", Escaped(self.target.as_bytes())),
            Part::Version => write!(f, "{:?}", self.version),
            Part::Status => write!(f, "{}", self.status.as_u16()),
            Part::Bytes => write!(f, "{}", self.bytes),
            Part::Milliseconds => write!(f, "{:.2}", self.milliseconds()),
            Part::Header(index) => write!(f, "{}", Escaped(self.header(*index).unwrap_or(b"-"))),
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format {
            AccessLog::Off => Ok(()),
            AccessLog::Dev => self.dev(f),
            AccessLog::DevInColour => {
                f.write_str(colour(self.status))?;
                self.dev(f)?;
                f.write_str("\x1b[0m")
            }
            AccessLog::Common => self.common(f),
            AccessLog::Combined => {
                self.common(f)?;
                self.quoted_header(0, f)?;
                self.quoted_header(1, f)
            }
            // Its strings are escaped by JSON; what is no ASCII stays readable, and DEL and C1 are escaped here.
            AccessLog::Json => self.json().to_string().chars().try_for_each(|c| match c {
                '\u{7f}'..='\u{9f}' => write!(f, "\\u{:04x}", c as u32),
                c => f.write_char(c),
            }),
            AccessLog::Template(template) => template.parts.iter().try_for_each(|part| self.part(part, f)),
        }
    }
}

/// As Werkzeug's: success as it is, the rest the louder the worse it is.
fn colour(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "\x1b[1m",
        200..300 => "\x1b[37m",
        304 => "\x1b[36m",
        300..400 => "\x1b[32m",
        404 => "\x1b[33m",
        400..500 => "\x1b[1;31m",
        _ => "\x1b[1;35m",
    }
}

/// What a client sent, in which nothing can end the line or the quotes, or speak to a terminal.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.iter().take(LONGEST) {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", byte as char)?,
                b' '..=b'~' => f.write_char(byte as char)?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        if self.0.len() > LONGEST { f.write_str("...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: &AccessLog, headers: &[Option<Vec<u8>>]) -> String {
        let line = Line {
            format,
            peer: Some(([10, 0, 0, 1], 80).into()),
            method: &Method::GET,
            target: "/a\u{1b}\n\"\\é",
            version: Version::HTTP_11,
            status: StatusCode::NOT_FOUND,
            bytes: 0,
            took: Duration::from_micros(1234),
            headers,
        };
        line.to_string()
    }

    #[test]
    fn each_format_escapes() {
        let evil = [Some(b"x\"\r\n\x1b[31m".to_vec()), None];
        let request = r#""GET /a\x1b\x0a\"\\\xc3\xa9 HTTP/1.1""#;
        assert_eq!(line(&AccessLog::Dev, &[]), format!("10.0.0.1 {request} 404 0 1.23ms"));
        assert_eq!(line(&AccessLog::DevInColour, &[]), format!("\x1b[33m10.0.0.1 {request} 404 0 1.23ms\x1b[0m"));
        let common = line(&AccessLog::Common, &[]);
        assert!(
            common.starts_with("10.0.0.1 - - [") && common.ends_with(&format!(" +0000] {request} 404 -")),
            "{common}"
        );
        let combined = line(&AccessLog::Combined, &evil);
        assert!(combined.ends_with(r#" 404 - "x\"\x0d\x0a\x1b[31m" "-""#), "{combined}");
        let template = "{{{peer}}} {method} {target} {status} {bytes} {ms} [{header:x-id}]".parse().unwrap();
        assert_eq!(
            line(&template, &evil[..1]),
            r#"{10.0.0.1} GET /a\x1b\x0a\"\\\xc3\xa9 404 0 1.23 [x\"\x0d\x0a\x1b[31m]"#
        );
        let json = line(&AccessLog::Json, &evil);
        assert!(!json.contains(|c: char| c.is_control()), "{json:?}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (json["target"].as_str(), json["referer"].as_str()),
            (Some("/a\u{1b}\n\"\\é"), Some("x\"\r\n\x1b[31m"))
        );
        assert_eq!((&json["status"], &json["user_agent"], &json["ms"]), (&404.into(), &().into(), &1.23.into()));
        assert_eq!(line(&AccessLog::Off, &[]), "");
    }

    #[test]
    fn templates_are_checked() {
        for (text, says) in [
            ("x", "there are off, dev"),
            ("{nothing}", "there is no {nothing}"),
            ("{peer", ""),
            ("{header:a b}", "there is no {header:a b}"),
            ("{peer}\n", "a template is one line"),
            ("{", "there is no {}"),
        ] {
            match text.parse::<AccessLog>() {
                Ok(format) => assert!(says.is_empty() && format.to_string() == text, "{text}"),
                Err(error) => assert!(!says.is_empty() && error.to_string().starts_with(says), "{text}: {error}"),
            }
        }
    }
}
