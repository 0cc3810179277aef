//! A client's reading of what a server sends, strict where a lenient one could be fooled.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// An answer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) status: u16,
    /// Their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body broke off.
    pub(crate) cut: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// For messages.
    pub(crate) fn summary(&self) -> String {
        let headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let body = self.body[..self.body.len().min(300)].escape_ascii();
        let cut = if self.cut { ", cut" } else { "" };
        format!("{} {} {{{}}} \"{body}\"{cut}", self.version, self.status, headers.join(", "))
    }
}

/// What came instead of an answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server closed the connection before the first byte of one.
    Closed,
    /// Nothing, for too long.
    Silence,
    /// What is no answer.
    Nonsense(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Closed => write!(f, "the connection was closed"),
            Trouble::Silence => write!(f, "nothing came"),
            Trouble::Nonsense(what) => write!(f, "what came is malformed: {what}"),
        }
    }
}

/// Reads answers until a moment.
pub(crate) struct Answers {
    socket: BufReader<Socket>,
}

struct Socket {
    stream: TcpStream,
    until: Instant,
}

impl Read for Socket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(out)
    }
}

impl Answers {
    pub(crate) fn of(stream: TcpStream) -> Answers {
        Answers { socket: BufReader::new(Socket { stream, until: Instant::now() }) }
    }

    /// From now on it waits for so long in all.
    pub(crate) fn wait_for(&mut self, patience: Duration) {
        self.socket.get_mut().until = Instant::now() + patience;
    }

    /// The next answer; `bodiless` when it is one to HEAD.
    pub(crate) fn next(&mut self, bodiless: bool) -> Result<Answer, Trouble> {
        let first = match self.line() {
            Ok(line) => line,
            Err(Trouble::Nonsense(what)) if what.is_empty() => return Err(Trouble::Closed),
            Err(trouble) => return Err(trouble),
        };
        let nonsense = |what: &str| Trouble::Nonsense(format!("{what}: {first:?}"));
        let mut words = first.splitn(3, ' ');
        let version = words.next().filter(|version| ["HTTP/1.1", "HTTP/1.0"].contains(version));
        let version = version.ok_or_else(|| nonsense("no status line"))?.to_owned();
        let status = words.next().filter(|status| status.len() == 3).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| nonsense("no status"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(Trouble::Nonsense(format!("no header: {line:?}")));
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { version, status, headers, body: Vec::new(), cut: false };
        self.check(&answer).map_err(|what| Trouble::Nonsense(format!("{what}: {}", answer.summary())))?;
        if !bodiless && status >= 200 && ![204, 304].contains(&status) {
            self.body(&mut answer)?;
        }
        Ok(answer)
    }

    fn check(&self, answer: &Answer) -> Result<(), &'static str> {
        let count = |name: &str| answer.headers.iter().filter(|(field, _)| field == name).count();
        match () {
            () if answer.status < 200 => Ok(()),
            () if count("content-length") + count("transfer-encoding") > 1 => Err("its framing is ambiguous"),
            () if count("transfer-encoding") > 0 && answer.version == "HTTP/1.0" => Err("chunks for HTTP/1.0"),
            () if count("date") != 1 => Err("there is not one Date"),
            () => Ok(()),
        }
    }

    fn body(&mut self, answer: &mut Answer) -> Result<(), Trouble> {
        if let Some(length) = answer.header("content-length") {
            let length: u64 = length.parse().map_err(|_| Trouble::Nonsense(format!("Content-Length {length:?}")))?;
            self.exactly(length, answer)
        } else if answer.header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            self.chunks(answer)
        } else if answer.header("connection").is_some_and(|value| value == "close") {
            self.socket.read_to_end(&mut answer.body).map(drop).map_err(trouble)
        } else {
            Err(Trouble::Nonsense(format!("an answer without an end: {}", answer.summary())))
        }
    }

    fn exactly(&mut self, length: u64, answer: &mut Answer) -> Result<(), Trouble> {
        let got = self.socket.by_ref().take(length).read_to_end(&mut answer.body).map_err(trouble)?;
        answer.cut |= (got as u64) < length;
        Ok(())
    }

    fn chunks(&mut self, answer: &mut Answer) -> Result<(), Trouble> {
        loop {
            let line = match self.line() {
                Err(Trouble::Nonsense(_)) => {
                    answer.cut = true;
                    return Ok(());
                }
                line => line?,
            };
            let digits = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_hexdigit());
            let length = u64::from_str_radix(&line, 16).ok().filter(|_| digits);
            let length = length.ok_or_else(|| Trouble::Nonsense(format!("no chunk: {line:?}")))?;
            self.exactly(length, answer)?;
            let end = if answer.cut { return Ok(()) } else { self.line() };
            match end {
                Err(Trouble::Nonsense(_)) => {
                    answer.cut = true;
                    return Ok(());
                }
                end if end.as_ref().is_ok_and(|line| !line.is_empty()) => {
                    return Err(Trouble::Nonsense("a chunk that is longer than it says".into()));
                }
                end => end?,
            };
            if length == 0 {
                return Ok(());
            }
        }
    }

    /// A line without its end; one that the close of the connection cuts is nonsense.
    fn line(&mut self) -> Result<String, Trouble> {
        let mut line = Vec::new();
        match self.socket.read_until(b'\n', &mut line) {
            Ok(_) => {}
            Err(error) if line.is_empty() && is_silence(&error) => return Err(Trouble::Silence),
            Err(error) => return Err(trouble(error)),
        }
        match line.strip_suffix(b"\r\n") {
            Some(whole) if whole.is_ascii() => Ok(String::from_utf8_lossy(whole).into_owned()),
            _ => Err(Trouble::Nonsense(line.escape_ascii().to_string())),
        }
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn trouble(error: io::Error) -> Trouble {
    match error.kind() {
        _ if is_silence(&error) => Trouble::Silence,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Trouble::Closed,
        _ => Trouble::Nonsense(error.to_string()),
    }
}
