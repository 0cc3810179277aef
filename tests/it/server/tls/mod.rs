//! HTTPS by the native engine, with clients that speak rustls.

mod ends;
mod handshake;

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use dewar::rustls::pki_types::ServerName;
use dewar::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use dewar::server::{EngineKind, Limits, Server, ServerHandle, TlsConfig};
use dewar::{Body, Request, Response};

use super::{Client, NEVER, next};
use crate::support::Folder;

type Socket = StreamOwned<ClientConnection, TcpStream>;

/// What a test's server shows, and its clients trust.
struct Identity {
    cert: String,
    key: String,
    roots: Arc<RootCertStore>,
    client: Arc<ClientConfig>,
}

fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let roots = Arc::new(roots);
        let mut client = ClientConfig::builder().with_root_certificates(Arc::clone(&roots)).with_no_client_auth();
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Identity { cert: made.cert.pem(), key: made.signing_key.serialize_pem(), roots, client: Arc::new(client) }
    })
}

fn config() -> TlsConfig {
    let identity = identity();
    TlsConfig::from_pem(identity.cert.as_bytes(), identity.key.as_bytes()).unwrap()
}

fn start(service: impl Fn(Request) -> Response + Send + Sync + 'static) -> ServerHandle {
    start_with(Limits::default(), service)
}

fn start_with(limits: Limits, service: impl Fn(Request) -> Response + Send + Sync + 'static) -> ServerHandle {
    let server = Server::bind("127.0.0.1:0").unwrap().engine(EngineKind::Native);
    server.limits(limits).tls(config()).start(Arc::new(service)).unwrap()
}

fn socket(addr: SocketAddr) -> Socket {
    socket_with(addr, Arc::clone(&identity().client))
}

fn socket_with(addr: SocketAddr, config: Arc<ClientConfig>) -> Socket {
    let socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(NEVER)).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(config, name).unwrap(), socket)
}

/// A handshake by a client of another kind.
fn attempt(addr: SocketAddr, change: impl FnOnce(&mut ClientConfig)) -> io::Result<()> {
    let mut config = (*identity().client).clone();
    change(&mut config);
    let Socket { mut conn, mut sock } = socket_with(addr, Arc::new(config));
    conn.complete_io(&mut sock).map(drop)
}

fn connect(addr: SocketAddr) -> Client<Socket> {
    Client(BufReader::new(socket(addr)))
}

/// Large, and nowhere like itself.
fn megabytes(n: usize) -> String {
    let mut text = String::with_capacity(n << 20);
    for i in 0.. {
        if text.len() >= n << 20 {
            break;
        }
        text.push_str(&format!("{i:x},"));
    }
    text.truncate(n << 20);
    text
}

#[test]
fn requests_are_answered_over_one_connection_and_know_that_it_is_secure() {
    let server = start(|request| {
        let seen = (request.is_secure(), request.scheme(), request.remote_addr().is_some());
        Response::text(format!("{} {seen:?} {}", request.path(), String::from_utf8_lossy(&request.data().unwrap())))
    });
    let mut client = connect(server.addr());
    assert_eq!(client.get("/one").body, r#"/one (true, "https", true) "#);
    client.send("POST /two HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    assert_eq!(client.answer().body, r#"/two (true, "https", true) body"#);
    // Sent ahead, in records of all sizes.
    let many: String = (0..100).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    for piece in many.as_bytes().chunks(37) {
        client.send(piece);
    }
    for n in 0..100 {
        assert!(client.answer().body.starts_with(&format!("/{n} (true")));
    }
    assert_eq!(client.0.get_ref().conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(server.stats().accepted, 1);
}

#[test]
fn large_bodies_go_both_ways() {
    let folder = Folder::new("tls-bodies");
    let text = megabytes(5);
    folder.write("large", &text);
    let (file, bytes) = (folder.0.join("large"), text.clone());
    let server = start(move |request| match request.path() {
        "/file" => Response::new(Body::file(std::fs::File::open(&file).unwrap(), 5 << 20)),
        "/bytes" => Response::text(bytes.clone()),
        "/blocks" => Response::new(Body::reader(io::Cursor::new(bytes.clone()))),
        "/echo" => Response::new(request.take_body()),
        _ => Response::text(request.data().unwrap()),
    });
    let mut client = connect(server.addr());
    for path in ["/file", "/bytes", "/blocks", "/file"] {
        assert!(client.get(path).body == text, "{path}");
    }
    client.send(format!("POST /data HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", text.len()));
    client.send(&text);
    assert!(client.answer().body == text);
    client.send("POST /data HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in text.as_bytes().chunks(70_000) {
        client.send(format!("{:x}\r\n", chunk.len()));
        client.send(chunk);
        client.send("\r\n");
    }
    client.send("0\r\n\r\n");
    assert!(client.answer().body == text);
    // Of what is sent back while it comes, as much as fits on the way.
    client
        .send(format!("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", 100_000));
    client.send(&text[..100_000]);
    assert!(client.answer().body == text[..100_000]);
    assert_eq!(client.get("/bytes").status, 200);
}

#[test]
fn a_client_that_takes_its_time_gets_all_of_it() {
    // On both sides the kernel has less room than the engine encrypts ahead, so something is always kept, at the end too.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::sockopt::set_socket_send_buffer_size(&listener, 8 * 1024).unwrap();
    let text = megabytes(1);
    let folder = Folder::new("tls-slow");
    folder.write("large", &text);
    let (file, bytes) = (folder.0.join("large"), text.clone());
    let service = move |request: Request| match request.path() {
        "/file" => Response::new(Body::file(std::fs::File::open(&file).unwrap(), 1 << 20)),
        "/bytes" => Response::text(bytes.clone()),
        "/blocks" => Response::new(Body::sized_reader(io::Cursor::new(bytes.clone()), 1 << 20)),
        _ => Response::text("quick"),
    };
    let server = Server::from_listener(listener).engine(EngineKind::Native).tls(config());
    let server = server.start(Arc::new(service)).unwrap();
    let mut slow = ["/file", "/bytes", "/blocks"].map(|path| {
        let mut client = connect(server.addr());
        rustix::net::sockopt::set_socket_recv_buffer_size(&client.0.get_ref().sock, 48 * 1024).unwrap();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        client
    });
    for _ in 0..20 {
        assert_eq!(connect(server.addr()).get("/").body, "quick");
    }
    for client in &mut slow {
        let mut throttled = Client(BufReader::with_capacity(50_000, Throttled(client)));
        assert!(throttled.answer().body == text);
    }
    for mut client in slow {
        assert_eq!(client.get("/").body, "quick");
    }
}

/// Reads little at a time, and not at once.
struct Throttled<'a>(&'a mut Client<Socket>);

impl Read for Throttled<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        std::thread::sleep(Duration::from_millis(1));
        let most = out.len().min(50_000);
        self.0.0.get_mut().read(&mut out[..most])
    }
}

impl Write for Throttled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.get_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.0.get_mut().flush()
    }
}

#[test]
fn events_are_sent_when_they_are_made() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(Some(wait));
    let server = start(move |_| {
        let wait = wait.lock().unwrap().take().unwrap();
        let blocks = (0..3).map(move |n| {
            if n > 0 {
                next(&wait);
            }
            format!("event {n}")
        });
        Response::new(Body::blocks(blocks))
    });
    let mut client = connect(server.addr());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.head();
    for n in 0..3 {
        assert_eq!(client.chunk().unwrap(), format!("event {n}").as_bytes());
        let _ = go.send(());
    }
    assert_eq!(client.chunk(), None);
}

#[test]
fn a_connection_can_be_taken_over() {
    let server = start(|_| {
        Response::switching_protocols("shout", |mut connection| {
            let mut word = [0; 4];
            while connection.read_exact(&mut word).is_ok() {
                connection.write_all(&word.to_ascii_uppercase()).unwrap();
            }
            connection.write_all(&[b'.'; 300_000]).unwrap();
        })
    });
    let mut client = connect(server.addr());
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\nword");
    assert_eq!(client.line(), "HTTP/1.1 101 Switching Protocols\r\n");
    while client.line() != "\r\n" {}
    let mut word = [0; 4];
    for _ in 0..3 {
        client.0.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"WORD");
        client.send("word");
    }
    client.0.get_mut().conn.send_close_notify();
    client.0.get_mut().flush().unwrap();
    let mut rest = Vec::new();
    client.0.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 4 + 300_000);
}
