//! The small services that the cases and the differential test talk to.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dewar::server::{EngineKind, Limits, Server, ServerHandle};
use dewar::{Body, HttpError, Request, Response};

/// Bytes that a request's body may have; the cases in `body-limits` know it.
pub(crate) const BODY_LIMIT: u64 = 100_000;

/// What the runner asks to see whether a connection is still in step.
pub(crate) const PROBE: &str = "/probe";

/// What a service was asked, by the client's address.
#[derive(Default)]
pub(crate) struct Log {
    seen: Mutex<HashMap<SocketAddr, Vec<String>>>,
    changed: Condvar,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, Vec<String>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what became of reading a request's body.
    fn note(&self, request: &Request, outcome: &str) {
        let Some(client) = request.remote_addr() else { return };
        if request.uri() != PROBE {
            let line = format!("{} {} {outcome}", request.method(), request.uri());
            self.lock().entry(client).or_default().push(line);
            self.changed.notify_all();
        }
    }

    /// Forgets what another connection from this address did.
    pub(crate) fn begin(&self, client: SocketAddr) {
        self.lock().remove(&client);
    }

    /// What it was asked, sorted, once that is `count` requests or the time is over.
    pub(crate) fn of(&self, client: SocketAddr, count: usize, patience: Duration) -> Vec<String> {
        let until = Instant::now() + patience;
        let mut seen = self.lock();
        loop {
            let lines = seen.get(&client).cloned().unwrap_or_default();
            let left = until.saturating_duration_since(Instant::now());
            if lines.len() >= count || left.is_zero() {
                let mut lines = lines;
                lines.sort();
                return lines;
            }
            seen = self.changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A server with one of the services.
pub(crate) struct Wired {
    pub(crate) server: ServerHandle,
    pub(crate) log: Arc<Log>,
}

impl Wired {
    pub(crate) fn start(engine: EngineKind, service: &str) -> Result<Wired, String> {
        let answer = named(service).ok_or_else(|| format!("there is no service {service:?}"))?;
        let log = Arc::new(Log::default());
        let noted = Arc::clone(&log);
        let service = move |request: Request| match request.path() {
            PROBE => Response::text("the probe's answer"),
            _ => answer(&request, &noted),
        };
        let limits = Limits { body: BODY_LIMIT, unread_body: 2 * BODY_LIMIT, ..Limits::default() };
        let server = Server::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let server = server.engine(engine).limits(limits).start(Arc::new(service));
        Ok(Wired { server: server.map_err(|error| error.to_string())?, log })
    }
}

type Answer = fn(&Request, &Log) -> Response;

fn named(name: &str) -> Option<Answer> {
    Some(match name {
        "echo" => |request, log| read(request, log, echo),
        "stream" => |request, log| read(request, log, |_, _| Response::new(Body::blocks(["one", "two", "three"]))),
        "sized-stream" => {
            |request, log| read(request, log, |_, _| Response::new(Body::sized_reader(&b"onetwothree"[..], 11)))
        }
        "empty" => |request, log| read(request, log, |_, _| Response::empty(200)),
        "204" => |request, log| read(request, log, |_, _| Response::text("not to be sent").with_status(204)),
        "304" => |request, log| read(request, log, |_, _| Response::text("not to be sent").with_status(304)),
        "close" => {
            |request, log| read(request, log, |_, _| Response::text("the last one").with_header("connection", "close"))
        }
        // Framing is the engine's, whatever a handler says.
        "liar" => |request, log| {
            read(request, log, |_, _| {
                let response = Response::text("hello").with_header("content-length", "500");
                response.with_header("transfer-encoding", "gzip").with_header("keep-alive", "timeout=5")
            })
        },
        "panic" => |request, log| {
            log.note(request, "panic");
            panic!("the wire tests' panicking service")
        },
        "unread" => |request, log| {
            log.note(request, "unread");
            Response::text("unread")
        },
        "part" => |request, log| {
            let mut start = [0; 3];
            let outcome = io::Read::read_exact(&mut request.take_body(), &mut start);
            log.note(request, if outcome.is_ok() { "part" } else { "cut" });
            Response::text(start.to_vec())
        },
        "broken-stream" => |request, log| {
            read(request, log, |_, _| {
                Response::new(Body::try_blocks([Ok("begun"), Err(io::Error::other("on purpose"))]))
            })
        },
        "short-stream" => {
            |request, log| read(request, log, |_, _| Response::new(Body::sized_reader(&b"begun"[..], 100)))
        }
        _ => return None,
    })
}

/// Reads the body and notes whether that went well; only then there is an answer.
fn read(request: &Request, log: &Log, answer: fn(&Request, &[u8]) -> Response) -> Response {
    match request.data() {
        Ok(data) => {
            log.note(request, &data.len().to_string());
            answer(request, &data)
        }
        Err(error) => {
            log.note(request, "cut");
            HttpError::into_response(error)
        }
    }
}

/// The request as text: its line, its headers in lower case, an empty line, its body. Bytes that are not ASCII are
/// escaped, so that what the engine made of them can be told.
pub(crate) fn echo(request: &Request, data: &[u8]) -> Response {
    let mut text = format!("{} {} {:?}\n", request.method(), request.uri(), request.version());
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\n", value.as_bytes().escape_ascii()));
    }
    text.push_str(&format!("\n{}", data.escape_ascii()));
    Response::text(text)
}
