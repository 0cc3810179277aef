//! A response's head (RFC 9112 section 4; RFC 9110 section 8.6 for its length).

use std::time::SystemTime;

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, UPGRADE};
use http::{HeaderName, StatusCode, Version};

use crate::response::{Reason, Response};

/// How a response is delivered: what its request and its body say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    version: Version,
    status: StatusCode,
    head_only: bool,
    /// The body's length, where it is known.
    length: Option<u64>,
    /// The connection ends with it.
    pub(crate) close: bool,
}

impl Delivery {
    /// The response to a request of this version; with `head_only` to HEAD. It is the last one on its connection when
    /// `close` is asked for, by the response itself too, or when its end can only be told by that.
    pub(crate) fn of(response: &Response, version: Version, head_only: bool, close: bool) -> Delivery {
        let length = response.body().len();
        let told = length.is_some() || version == Version::HTTP_11;
        let asked = response.headers().get(CONNECTION);
        let asked = asked.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        Delivery { version, status: response.status(), head_only, length, close: close || asked || !told }
    }

    /// Whether the body is sent in chunks: its length is not known, and HTTP/1.0 has none.
    pub(crate) fn is_chunked(&self) -> bool {
        self.length.is_none() && self.version == Version::HTTP_11
    }

    /// Whether there is only the head, whatever the body.
    pub(crate) fn is_bodiless(&self) -> bool {
        self.head_only || self.status == StatusCode::NO_CONTENT || self.status == StatusCode::NOT_MODIFIED
    }
}

/// Writes heads; keeps the date of the second for the next one.
#[derive(Debug, Default)]
pub(crate) struct HeadWriter {
    date: String,
    date_second: u64,
}

impl HeadWriter {
    /// Appends the head of `response`.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, response: &Response, delivery: Delivery) {
        let status = delivery.status;
        let version = if delivery.version == Version::HTTP_10 { "HTTP/1.0 " } else { "HTTP/1.1 " };
        out.extend_from_slice(version.as_bytes());
        out.extend_from_slice(status.as_str().as_bytes());
        out.push(b' ');
        match response.extensions().get::<Reason>() {
            Some(Reason(words)) => out.extend_from_slice(words.as_bytes()),
            None => out.extend_from_slice(status.canonical_reason().unwrap_or("Unknown").as_bytes()),
        }
        out.extend_from_slice(b"\r\n");
        for (name, value) in response.headers() {
            // A HeaderValue holds no line break, so nothing can split the response.
            // 426 says what to upgrade to (RFC 9110 section 15.5.22).
            if !is_framing(name) || (*name == UPGRADE && status == StatusCode::UPGRADE_REQUIRED) {
                put_field(out, name.as_str(), value.as_bytes());
            }
        }
        match delivery.length {
            _ if status == StatusCode::NO_CONTENT => {}
            // It would be the length of what the client has (RFC 9110 section 8.6), of which the body at hand, that is not
            // sent, says nothing.
            _ if status == StatusCode::NOT_MODIFIED => {
                if let Some(length) = response.headers().get(CONTENT_LENGTH) {
                    put_field(out, "content-length", length.as_bytes());
                }
            }
            // What the body of a GET would be.
            Some(0) if delivery.head_only => match response.headers().get(CONTENT_LENGTH) {
                Some(length) => put_field(out, "content-length", length.as_bytes()),
                None => put_field(out, "content-length", b"0"),
            },
            Some(length) => {
                out.extend_from_slice(b"content-length: ");
                put_number(out, length);
                out.extend_from_slice(b"\r\n");
            }
            None if delivery.is_chunked() => put_field(out, "transfer-encoding", b"chunked"),
            None => {}
        }
        if delivery.close {
            put_field(out, "connection", b"close");
        } else if delivery.version == Version::HTTP_10 {
            put_field(out, "connection", b"keep-alive");
        }
        if !response.headers().contains_key(DATE) {
            put_field(out, "date", self.date().as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the head of a response after which the connection speaks another protocol (RFC 9110 section 7.8).
    pub(crate) fn put_switch(&mut self, out: &mut Vec<u8>, response: &Response) {
        out.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
        for (name, value) in response.headers() {
            if *name == UPGRADE || !is_framing(name) {
                put_field(out, name.as_str(), value.as_bytes());
            }
        }
        put_field(out, "connection", b"upgrade");
        put_field(out, "date", self.date().as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    fn date(&mut self) -> &str {
        let now = SystemTime::now();
        let second = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if second != self.date_second {
            self.date = httpdate::fmt_http_date(now);
            self.date_second = second;
        }
        &self.date
    }
}

/// Appends a number; `write!` takes ten times as long.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

/// Headers that say how the message is framed: the engine's to write, not a handler's.
fn is_framing(name: &HeaderName) -> bool {
    matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection" | "upgrade" | "keep-alive")
}

fn put_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;

    /// The head without its date and the empty line at its end.
    fn head(response: &Response, version: Version, head_only: bool, close: bool) -> String {
        let mut out = Vec::new();
        HeadWriter::default().put(&mut out, response, Delivery::of(response, version, head_only, close));
        let text = String::from_utf8(out).unwrap();
        let (before, after) = text.split_once("date: ").expect("there is a date");
        assert!(after.ends_with(" GMT\r\n\r\n"), "{text}");
        before.to_owned()
    }

    #[test]
    fn heads_say_where_the_body_ends() {
        let (new, old) = (Version::HTTP_11, Version::HTTP_10);
        let text = || Response::new("hello");
        let stream = || Response::new(Body::reader(&b"hello"[..]));
        let empty = |status: u16| Response::empty(status);
        for (response, version, head_only, close, wanted) in [
            (text(), new, false, false, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"),
            (text(), new, true, false, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"),
            (text(), new, false, true, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n"),
            (text(), old, false, false, "HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n"),
            (stream(), new, false, false, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"),
            (stream(), old, false, false, "HTTP/1.0 200 OK\r\nconnection: close\r\n"),
            (empty(204), new, false, false, "HTTP/1.1 204 No Content\r\n"),
            (empty(304), new, false, false, "HTTP/1.1 304 Not Modified\r\n"),
            (text().with_status(304), new, false, false, "HTTP/1.1 304 Not Modified\r\n"),
            (stream().with_status(304), new, true, false, "HTTP/1.1 304 Not Modified\r\n"),
            (
                text().with_status(304).with_header("content-length", "1234"),
                new,
                false,
                false,
                "HTTP/1.1 304 Not Modified\r\ncontent-length: 1234\r\n",
            ),
            (empty(404), new, false, false, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n"),
            (Response::new("x".repeat(1_234_567)), new, false, false, "HTTP/1.1 200 OK\r\ncontent-length: 1234567\r\n"),
            (empty(799), new, false, false, "HTTP/1.1 799 Unknown\r\ncontent-length: 0\r\n"),
        ] {
            assert_eq!(head(&response, version, head_only, close), wanted);
        }
    }

    #[test]
    fn framing_is_not_the_handlers() {
        let response = Response::new("hello")
            .with_header("content-length", "7")
            .with_header("transfer-encoding", "chunked")
            .with_header("keep-alive", "timeout=5")
            .with_header("x-other", "stays");
        let wanted = "HTTP/1.1 200 OK\r\nx-other: stays\r\ncontent-length: 5\r\n";
        assert_eq!(head(&response, Version::HTTP_11, false, false), wanted);

        let response = Response::new("hello").with_header("connection", "Close");
        assert!(Delivery::of(&response, Version::HTTP_11, false, false).close);
    }

    #[test]
    fn a_length_that_head_alone_knows_is_kept() {
        let response = Response::empty(200).with_header("content-length", "1234");
        assert_eq!(head(&response, Version::HTTP_11, true, false), "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n");
    }
}
