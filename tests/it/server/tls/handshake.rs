//! How connections with TLS begin, and what a server needs for that.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use dewar::Response;
use dewar::rustls::ClientConfig;
use dewar::rustls::version::TLS12;
use dewar::server::{Limits, TlsConfig};

use super::{attempt, config, connect, identity, megabytes, socket, socket_with, start, start_with};
use crate::server::{Client, NEVER, tiny, until};
use crate::support::Folder;

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
fn a_connection_too_many_is_closed() {
    let server = start_with(Limits { connections: 1, ..Limits::default() }, |_| Response::text("one"));
    let mut first = connect(server.addr());
    assert_eq!(first.get("/").body, "one");
    assert!(attempt(server.addr(), |_| ()).is_err());
    assert_eq!((first.get("/").body.as_str(), server.stats().refused_503), ("one", 1));
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
    let error = tiny().tls(config()).start(Arc::new(|_| Response::text("plain"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("native"), "{error}");
}
