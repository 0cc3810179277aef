//! One request over one connection, and what came back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// An answer, taken apart.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) phrase: String,
    /// In the order they came; names in lower case. Bytes beyond ASCII are taken for Latin-1.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) chunked: bool,
    /// The body ended before its framing said so.
    pub(crate) cut: bool,
}

impl Answer {
    /// The values of a header.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// How long a server may take for anything. Only a server that hangs comes near it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the bytes and reads until the server closes.
///
/// # Errors
/// What the socket said, or what is no HTTP in the answer.
pub(crate) fn exchange(port: u16, request: &[u8], head_only: bool) -> Result<Answer, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).map_err(said)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(said)?;
    socket.set_write_timeout(Some(PATIENCE)).map_err(said)?;
    // A server may refuse what is too long while it is still being sent: then the answer is there all the same.
    let _ = socket.write_all(request);
    let mut bytes = Vec::new();
    match socket.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset || bytes.is_empty() => return Err(said(error)),
        _ => {}
    }
    let _ = socket.shutdown(Shutdown::Both);
    parse(&bytes, head_only)
}

fn parse(mut bytes: &[u8], head_only: bool) -> Result<Answer, String> {
    loop {
        let end =
            find(bytes, b"\r\n\r\n").ok_or_else(|| format!("no whole head in {:?}", String::from_utf8_lossy(bytes)))?;
        let head: String = bytes[..end].iter().map(|&byte| char::from(byte)).collect();
        bytes = &bytes[end + 4..];
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let mut words = status_line.splitn(3, ' ');
        let (version, status, phrase) = (words.next(), words.next().and_then(|s| s.parse().ok()), words.next());
        let (Some("HTTP/1.1" | "HTTP/1.0"), Some(status)) = (version, status) else {
            return Err(format!("`{status_line}` is no status line"));
        };
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is no header"))?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        let headers: Vec<(String, String)> = headers.collect::<Result<_, String>>()?;
        let mut answer = Answer { status, phrase: phrase.unwrap_or_default().into(), headers, ..Answer::default() };
        let chunked = answer.all("transfer-encoding").any(|coding| coding.eq_ignore_ascii_case("chunked"));
        answer.chunked = chunked;
        let length: Option<usize> = answer.all("content-length").next().and_then(|length| length.parse().ok());
        if head_only || status == 204 || status == 304 {
            // Anything here is a body that must not be.
            answer.body = bytes.to_vec();
        } else if answer.chunked {
            (answer.body, answer.cut) = dechunk(bytes);
        } else {
            answer.cut = length.is_some_and(|length| bytes.len() != length);
            answer.body = bytes.to_vec();
        }
        return Ok(answer);
    }
}

/// The body in the chunks, and whether the last chunk is missing.
fn dechunk(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = find(bytes, b"\r\n") else { return (body, true) };
        let size =
            std::str::from_utf8(&bytes[..line]).ok().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let Some(size) = size else { return (body, true) };
        bytes = &bytes[line + 2..];
        if size == 0 {
            return (body, false);
        }
        let Some(chunk) = bytes.get(..size) else {
            body.extend(bytes);
            return (body, true);
        };
        body.extend(chunk);
        bytes = bytes.get(size + 2..).unwrap_or_default();
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
