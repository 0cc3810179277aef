//! HTTPS by the native engine, with clients that speak rustls.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use dewar::rustls::pki_types::ServerName;
use dewar::rustls::version::TLS12;
use dewar::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use dewar::server::{EngineKind, Limits, Server, ServerHandle, TlsConfig};
use dewar::{Body, Request, Response};

use super::{Client, NEVER, next, until};
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
fn tls_1_2_is_spoken_too() {
    let server = start(|_| Response::text("old"));
    let text = megabytes(1);
    let roots = Arc::clone(&identity().roots);
    let client = ClientConfig::builder_with_protocol_versions(&[&TLS12]).with_root_certificates(roots);
    let mut client = Client(BufReader::new(socket_with(server.addr(), Arc::new(client.with_no_client_auth()))));
    client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
    assert_eq!(client.answer().body, "old");
    assert_eq!(client.get("/").body, "old");
    assert_eq!(client.0.get_ref().conn.protocol_version(), Some(TLS12.version));
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
fn a_connection_too_many_is_closed() {
    let server = start_with(Limits { connections: 1, ..Limits::default() }, |_| Response::text("one"));
    let mut first = connect(server.addr());
    assert_eq!(first.get("/").body, "one");
    assert!(attempt(server.addr(), |_| ()).is_err());
    assert_eq!((first.get("/").body.as_str(), server.stats().refused_503), ("one", 1));
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
fn clients_that_do_not_finish_their_handshake_hold_nobody_up_and_are_given_up() {
    let limits = Limits { head_timeout: Duration::from_secs(1), ..Limits::default() };
    let server = start_with(limits, |_| Response::text("here"));
    let silent: Vec<_> = (0..25).map(|_| TcpStream::connect(server.addr()).unwrap()).collect();
    let begun: Vec<_> = (0..25)
        .map(|n| {
            let mut hello = Vec::new();
            socket(server.addr()).conn.write_tls(&mut hello).unwrap();
            let mut half = TcpStream::connect(server.addr()).unwrap();
            half.write_all(&hello[..hello.len() - n]).unwrap(); // the first one whole, but nothing follows
            half
        })
        .collect();
    assert_eq!(connect(server.addr()).get("/").body, "here");
    for mut client in silent.into_iter().chain(begun) {
        client.set_read_timeout(Some(NEVER)).unwrap();
        let _ = client.read_to_end(&mut Vec::new()); // ends
    }
    until(|| server.stats().timeouts >= 50 && server.stats().connections == 0);
    assert_eq!(connect(server.addr()).get("/").body, "here");
}

#[test]
fn plain_http_is_told_so() {
    let server = start(|_| Response::text("secret"));
    let mut client = Client::connect(server.addr());
    let answer = client.get("/");
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    assert!(answer.body.contains("https://") && answer.header("content-type").unwrap().starts_with("text/plain"));
    // And all of a long request is taken, so that the answer is seen.
    let mut client = Client::connect(server.addr());
    client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n{}", "x".repeat(300_000)));
    assert_eq!(client.answer().status, 400);
    client.expect_silence();
}

#[test]
fn what_is_no_tls_gets_an_alert() {
    let server = start(|_| Response::text("secret"));
    for nonsense in [&b"\x16\x03\x01\xff\xffhello"[..], b"\x00\x01\x02\x03\x04\x05\x06", &[0x80; 5000]] {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        client.set_read_timeout(Some(NEVER)).unwrap();
        client.write_all(nonsense).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(answer.first(), Some(&21), "an alert to {:?}, not {answer:?}", &nonsense[..5]);
    }
    let error = attempt(server.addr(), |client| client.alpn_protocols = vec![b"h2".to_vec()]).unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    assert_eq!(connect(server.addr()).get("/").body, "secret");
}

#[test]
fn a_client_may_say_that_it_sends_no_more() {
    let (entered, inside) = channel();
    let (go, wait) = channel::<()>();
    let ends = Mutex::new((entered, wait));
    let server = start(move |_| {
        let ends = ends.lock().unwrap();
        ends.0.send(()).unwrap();
        next(&ends.1);
        Response::text("late")
    });
    for with_fin in [false, true] {
        let mut client = connect(server.addr());
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        next(&inside);
        let socket = client.0.get_mut();
        socket.conn.send_close_notify();
        socket.flush().unwrap();
        if with_fin {
            socket.sock.shutdown(Shutdown::Write).unwrap();
        }
        go.send(()).unwrap();
        assert_eq!(client.answer().body, "late");
        // And the server says so as well: an end, not a cut.
        assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
    until(|| server.stats().connections == 0);
}

#[test]
fn an_end_that_was_not_announced_is_an_error_in_a_body_and_an_end_between_requests() {
    let (seen, errors) = channel();
    let seen = Mutex::new(seen);
    let server = start(move |request| {
        let read = request.take_body().read_to_end(&mut Vec::new());
        seen.lock().unwrap().send(read.map_err(|error| error.kind())).unwrap();
        Response::text("read")
    });
    for length in [10, 1_000_000] {
        let mut client = connect(server.addr());
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nhalf"));
        client.0.get_ref().sock.shutdown(Shutdown::Write).unwrap();
        let _ = client.0.read_to_end(&mut Vec::new());
    }
    // Of the short one the handler has never heard.
    assert_eq!(next(&errors), Err(ErrorKind::UnexpectedEof));
    let mut client = connect(server.addr());
    assert_eq!(client.get("/").status, 200);
    client.0.get_ref().sock.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    until(|| server.stats().connections == 0);
}

#[test]
fn a_response_that_breaks_off_does_not_look_complete() {
    let server = start(|_| Response::new(Body::try_blocks([Ok("begun"), Err(io::Error::other("no more"))])));
    let mut client = connect(server.addr());
    client.send("GET / HTTP/1.0\r\n\r\n");
    client.head();
    let mut body = String::new();
    let error = client.0.read_to_string(&mut body).unwrap_err();
    assert_eq!((body.as_str(), error.kind()), ("begun", ErrorKind::UnexpectedEof));
}

#[test]
fn the_end_of_a_last_response_is_announced() {
    let server = start(|_| Response::text("x".repeat(100_000)));
    for version in ["1.0", "1.1"] {
        let mut client = connect(server.addr());
        client.send(format!("GET / HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n"));
        client.head();
        assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 100_000);
    }
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

#[test]
fn a_shutdown_finishes_what_is_in_flight_and_waits_for_no_handshake() {
    let (entered, inside) = channel();
    let (go, wait) = channel::<()>();
    let ends = Mutex::new((entered, wait));
    let server = Arc::new(start(move |request| {
        if request.path() == "/wait" {
            let ends = ends.lock().unwrap();
            ends.0.send(()).unwrap();
            next(&ends.1);
        }
        Response::text("finished")
    }));
    let mut idle = connect(server.addr());
    idle.get("/");
    let _silent = TcpStream::connect(server.addr()).unwrap();
    let mut client = connect(server.addr());
    client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    next(&inside);
    let stopping = Arc::clone(&server);
    let begun = Instant::now();
    let stopped = std::thread::spawn(move || stopping.shutdown(NEVER));
    assert_eq!(idle.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    until(|| TcpStream::connect(server.addr()).is_err());
    go.send(()).unwrap();
    assert_eq!(client.answer().body, "finished");
    assert_eq!(client.0.read_to_end(&mut Vec::new()).unwrap(), 0);
    assert_eq!(stopped.join().unwrap().cut, 0);
    assert!(begun.elapsed() < NEVER / 2);
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let identity = identity();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().signing_key.serialize_pem();
    let folder = Folder::new("tls-errors");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let damaged = identity.cert.replace("-----END", "=?=");
    for (cert, key, says) in [
        (identity.cert.as_str(), other.as_str(), &["site.key does not belong", "site.crt"][..]),
        (&identity.key, &identity.cert, &["no certificate is in", "site.crt", "swapped?"]),
        (&identity.cert, &identity.cert, &["no private key is in", "site.key", "swapped?"]),
        ("", &identity.key, &["no certificate is in", "site.crt", "BEGIN CERTIFICATE"]),
        (&identity.cert, "hello", &["no private key is in", "site.key", "BEGIN PRIVATE KEY"]),
        (&identity.cert, encrypted, &["site.key has a passphrase", "openssl pkey"]),
        (&damaged, &identity.key, &["site.crt is damaged"]),
    ] {
        folder.write("site.crt", cert).write("site.key", key);
        let error = TlsConfig::from_pem_files(folder.0.join("site.crt"), folder.0.join("site.key")).unwrap_err();
        for part in says {
            assert!(error.to_string().contains(part), "{part:?} is not in {error}");
        }
    }
    let error = TlsConfig::from_pem_files(folder.0.join("nowhere.crt"), folder.0.join("site.key")).unwrap_err();
    assert!(error.to_string().contains("nowhere.crt cannot be read"), "{error}");
}

#[cfg(feature = "tiny_http")]
#[test]
fn an_engine_that_knows_no_tls_does_not_start() {
    let error = super::tiny().tls(config()).start(Arc::new(|_| Response::text("plain"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("native"), "{error}");
}
