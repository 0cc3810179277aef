//! Servers on real sockets.

mod access;
#[cfg(unix)]
mod besieged;
mod framing;
mod hostile;
mod lease;
mod listen;
mod responses;
mod shutdown;
mod streams;
#[cfg(all(unix, feature = "tls"))]
mod tls;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use dewar::server::{EngineKind, Server, ServerHandle};
use dewar::{Request, Response};

/// Long enough to mean "never" when nothing is wrong, since it is not waited for then.
pub(crate) const NEVER: Duration = Duration::from_secs(20);
/// Short enough to be waited for, where nothing must happen.
pub(crate) const MOMENT: Duration = Duration::from_millis(300);

pub(crate) fn start(service: impl Fn(Request) -> Response + Send + Sync + 'static) -> ServerHandle {
    Server::bind("127.0.0.1:0").unwrap().start(Arc::new(service)).unwrap()
}

/// On the engine over tiny_http, for what only that one does.
#[cfg(feature = "tiny_http")]
pub(crate) fn start_tiny(service: impl Fn(Request) -> Response + Send + Sync + 'static) -> ServerHandle {
    tiny().start(Arc::new(service)).unwrap()
}

#[cfg(feature = "tiny_http")]
pub(crate) fn tiny() -> Server {
    Server::bind("127.0.0.1:0").unwrap().engine(EngineKind::TinyHttp)
}

pub(crate) fn next<T>(events: &Receiver<T>) -> T {
    events.recv_timeout(NEVER).expect("it should have happened by now")
}

/// Waits for something that must happen soon.
#[track_caller]
pub(crate) fn until(done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < NEVER, "it should have happened by now");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An HTTP client that sends what it is told and takes answers apart.
pub(crate) struct Client<S = TcpStream>(pub(crate) BufReader<S>);

/// A final response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Client {
    pub(crate) fn connect(addr: SocketAddr) -> Client {
        let socket = TcpStream::connect(addr).unwrap();
        socket.set_read_timeout(Some(NEVER)).unwrap();
        Client(BufReader::new(socket))
    }

    /// That nothing (more) comes, for a moment.
    pub(crate) fn expect_silence(&mut self) {
        self.0.get_ref().set_read_timeout(Some(MOMENT)).unwrap();
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

#[cfg(unix)]
impl Client<std::os::unix::net::UnixStream> {
    pub(crate) fn connect_unix(path: &std::path::Path) -> Self {
        let socket = std::os::unix::net::UnixStream::connect(path).unwrap();
        socket.set_read_timeout(Some(NEVER)).unwrap();
        Client(BufReader::new(socket))
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        self.answer()
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the server closed the connection");
        line
    }

    /// The head of the next final response.
    pub(crate) fn head(&mut self) -> Answer {
        loop {
            let mut head = String::new();
            loop {
                let line = self.line();
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status = status.unwrap_or_else(|| panic!("not the head of a response: {head:?}"));
            if status >= 200 {
                return Answer { status, head, body: String::new() };
            }
        }
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let mut body = Vec::new();
        if let Some(length) = answer.header("content-length") {
            body = vec![0; length.parse().unwrap()];
            self.0.read_exact(&mut body).unwrap();
        } else if answer.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk() {
                body.extend_from_slice(&chunk);
            }
        }
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = self.line();
        let length = usize::from_str_radix(line.trim_end(), 16).unwrap_or_else(|_| panic!("not a chunk: {line:?}"));
        let mut chunk = vec![0; length + 2];
        self.0.read_exact(&mut chunk).unwrap();
        assert_eq!(&chunk[length..], b"\r\n");
        chunk.truncate(length);
        (length > 0).then_some(chunk)
    }
}
