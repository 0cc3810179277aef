use super::*;
use crate::proto::fuzzing;

const LIMITS: HeadLimits = HeadLimits { bytes: 16 * 1024, headers: 100, target: 8 * 1024 };

/// Parses a head, and all of its beginnings.
fn parse(input: &[u8], limits: &HeadLimits) -> Result<RequestHead, u16> {
    let whole = parse_head(input, limits);
    for end in 0..input.len() {
        match parse_head(&input[..end], limits) {
            Ok(None) => {}
            Ok(Some(head)) => assert!(head.len == end && end == whole.as_ref().unwrap().as_ref().unwrap().len),
            Err(refusal) => assert_eq!(Some(&refusal), whole.as_ref().err(), "{end} of {}", input.escape_ascii()),
        }
    }
    fuzzing::head(&[&[3], input].concat());
    Ok(whole.map_err(|refusal| refusal.status.as_u16())?.expect("it is whole"))
}

fn with(version: &str, headers: &str) -> Result<RequestHead, u16> {
    parse(format!("POST /x {version}\r\n{headers}\r\n").as_bytes(), &LIMITS)
}

/// A head of HTTP/1.1 with these headers beside its Host.
fn new(headers: &str) -> Result<RequestHead, u16> {
    with("HTTP/1.1", &format!("Host: a\r\n{headers}"))
}

#[test]
fn a_head_is_read() {
    let input = b"GET /a?b=c HTTP/1.1\r\nHost:  a:80 \t\r\nX-Y:\r\nx-y: \xe9 \t z\r\nAccept:*/*\r\n\r\nrest";
    let head = parse_head(input, &LIMITS).unwrap().unwrap();
    assert_eq!((head.method, head.version, head.len), (Method::GET, Version::HTTP_11, input.len() - 4));
    assert_eq!((head.uri.path(), head.uri.query()), ("/a", Some("b=c")));
    assert_eq!((head.framing, head.keep_alive), (Framing::Empty, true));
    assert!(!head.expects_continue && !head.wants_trailers);
    let headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    assert_eq!(headers, [("host", &b"a:80"[..]), ("x-y", b""), ("x-y", b"\xe9 \t z"), ("accept", b"*/*")]);
}

#[test]
fn empty_lines_before_it_are_overlooked() {
    for count in 0..=EMPTY_LINES {
        let input = "\r\n".repeat(count) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(parse(input.as_bytes(), &LIMITS).unwrap().len, input.len());
    }
    for input in [&b"\r\n\r\n\r\n\r\n\r\n"[..], b"\n", b"\r\n\n", b"\rG", b"\r\r\n", b"\r\n GET / HTTP/1.1\r\n"] {
        assert_eq!(parse(input, &LIMITS).unwrap_err(), 400, "{}", input.escape_ascii());
    }
}

#[test]
fn headers_that_are_refused() {
    for headers in [
        "X: a\r\n b\r\n",
        "X: a\r\n\tb\r\n",
        "X: a\r\n \r\n",
        " X: a\r\n",
        "X : a\r\n",
        "X\t: a\r\n",
        ": a\r\n",
        "X\r\n",
        "X a: b\r\n",
        "X(: b\r\n",
        "X\"Y: b\r\n",
        "\u{e9}: b\r\n",
        "X: a\0\r\n",
        "X: a\x01b\r\n",
        "X: a\x7f\r\n",
        "X: a\nY: b\r\n",
        "X: a\n\r\n",
        "X: a\rY: b\r\n",
        "X: a\r\r\n",
        "X: a\r\n\n",
        "\0: a\r\n",
    ] {
        assert_eq!(new(headers).unwrap_err(), 400, "{headers:?}");
    }
}

#[test]
fn what_is_certain_is_said_at_once() {
    for (status, input) in [
        (400, &b"\x16"[..]),
        (400, b"GET / HTTP/1.2x"),
        (400, b"GET /<> HTTP/1.1\r\n"),
        (400, b"GET x HTTP/1.1\r\n"),
        (501, b"CONNECT a:1 HTTP/1.1\r\n"),
        (505, b"GET / HTTP/2.0\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\rb"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\n "),
        // The line first, whatever the headers.
        (400, b"GET /<> HTTP/1.1\r\nHost: a\n"),
    ] {
        assert_eq!(parse(input, &LIMITS).unwrap_err(), status, "{}", input.escape_ascii());
    }
}

#[test]
fn limits_hold_to_the_byte() {
    let input = b"GET /23456 HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n";
    let exact = HeadLimits { bytes: input.len(), headers: 2, target: 6 };
    assert!(parse(input, &exact).is_ok());
    assert_eq!(parse(input, &HeadLimits { bytes: input.len() - 1, ..exact.clone() }).unwrap_err(), 431);
    assert_eq!(parse(input, &HeadLimits { headers: 1, ..exact.clone() }).unwrap_err(), 431);
    assert_eq!(parse(input, &HeadLimits { target: 5, ..exact.clone() }).unwrap_err(), 414);
    assert_eq!(parse(&[b'a'; 30], &HeadLimits { bytes: 20, ..exact.clone() }).unwrap_err(), 431);
    // What follows the head is not the head's.
    assert!(parse_head(&[&input[..], &[b'x'; 100]].concat(), &exact).unwrap().is_some());
    for count in [15, 16, 17, 63, 64, 65, 99] {
        let headers: String = (0..count).map(|i| format!("X-{i}: {i}\r\n")).collect();
        assert_eq!(new(&headers).unwrap().headers.len(), count + 1);
    }
    assert_eq!(new(&"X: y\r\n".repeat(100)).unwrap_err(), 431);
    // More than a Uri can hold, whatever is allowed.
    let endless = HeadLimits { bytes: 100_000, headers: 10, target: 100_000 };
    let input = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70_000));
    assert_eq!(parse_head(input.as_bytes(), &endless).unwrap_err().status, StatusCode::URI_TOO_LONG);
}

#[test]
fn there_is_one_host() {
    for (version, headers) in [
        ("HTTP/1.1", ""),
        ("HTTP/1.7", "X-Host: a\r\n"),
        ("HTTP/1.1", "Host: a\r\nHost: a\r\n"),
        ("HTTP/1.1", "Host: a\r\nhost: b\r\n"),
        ("HTTP/1.0", "Host: a\r\nHost: a\r\n"),
        ("HTTP/1.1", "Host:\r\n"),
        ("HTTP/1.0", "Host: \r\n"),
        ("HTTP/1.1", "Host: a b\r\n"),
        ("HTTP/1.1", "Host: a, b\r\n"),
        ("HTTP/1.1", "Host: u@a\r\n"),
        ("HTTP/1.1", "Host: a:65536\r\n"),
        ("HTTP/1.0", "Host: http://a\r\n"),
    ] {
        assert_eq!(with(version, headers).unwrap_err(), 400, "{version} {headers:?}");
    }
    assert!(with("HTTP/1.0", "").is_ok());
    assert!(with("HTTP/1.0", "Host: [::1]:80\r\n").is_ok());
}

#[test]
fn an_absolute_target_says_the_host() {
    let head = parse(b"GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", &LIMITS).unwrap();
    assert_eq!(
        (head.uri.path(), head.uri.query(), &head.headers[HOST]),
        ("/x", Some("y"), &HeaderValue::from_static("b:81"))
    );
    assert_eq!(head.headers.get_all(HOST).iter().count(), 1);
    let head = parse(b"GET http://b HTTP/1.0\r\n\r\n", &LIMITS).unwrap();
    assert_eq!((head.uri.path(), &head.headers[HOST]), ("/", &HeaderValue::from_static("b")));
    assert_eq!(parse(b"GET http://b/x HTTP/1.1\r\n\r\n", &LIMITS).unwrap_err(), 400);
    assert_eq!(parse(b"GET http://b/x HTTP/1.1\r\nHost: a,b\r\n\r\n", &LIMITS).unwrap_err(), 400);
}

#[test]
fn the_body_is_framed() {
    for (headers, framing) in [
        ("", Framing::Empty),
        ("Content-Length: 0\r\n", Framing::Empty),
        ("Content-Length: \t7 \r\n", Framing::Sized(7)),
        ("Content-Length: 7\r\nContent-Length: 7\r\n", Framing::Sized(7)),
        ("Transfer-Encoding: CHUNKED\r\n", Framing::Chunked),
    ] {
        assert_eq!(new(headers).unwrap().framing, framing, "{headers:?}");
    }
    for (status, headers) in [
        (400, "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n"),
        (400, "Content-Length: 7, 7\r\n"),
        (400, "Content-Length:\r\n"),
        (400, "Transfer-Encoding:\r\n"),
        (400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        (501, "Transfer-Encoding: gzip, chunked\r\n"),
    ] {
        assert_eq!(new(headers).unwrap_err(), status, "{headers:?}");
    }
    assert_eq!(with("HTTP/1.0", "Transfer-Encoding: chunked\r\n").unwrap_err(), 400);
    assert_eq!(with("HTTP/1.0", "Transfer-Encoding: gzip, chunked\r\n").unwrap_err(), 400);
}

#[test]
fn connections_are_kept_as_asked() {
    for (version, headers, keep) in [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: foo, CLOSE\r\n", false),
        ("HTTP/1.1", "Connection: foo\r\nConnection: ,close\t, bar\r\n", false),
        ("HTTP/1.1", "Connection: closed, not-close\r\n", true),
        ("HTTP/1.1", "Connection: keep-alive, close\r\n", false),
        ("HTTP/1.1", "Connection:\r\n", true),
        ("HTTP/1.3", "Connection: upgrade\r\n", true),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("HTTP/1.0", "Keep-Alive: timeout=5\r\n", false),
    ] {
        let head = with(version, &format!("Host: a\r\n{headers}")).unwrap();
        assert_eq!(head.keep_alive, keep, "{version} {headers:?}");
    }
}

#[test]
fn expectations() {
    let body = "Content-Length: 1\r\n";
    assert!(new(&format!("{body}Expect: 100-Continue\r\n")).unwrap().expects_continue);
    assert!(new("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n").unwrap().expects_continue);
    assert!(!new("Expect: 100-continue\r\n").unwrap().expects_continue);
    assert!(!new("Expect: 100-continue\r\nContent-Length: 0\r\n").unwrap().expects_continue);
    assert!(!with("HTTP/1.0", &format!("{body}Expect: 100-continue\r\n")).unwrap().expects_continue);
    assert!(!with("HTTP/1.0", &format!("{body}Expect: wonders\r\n")).unwrap().expects_continue);
    for value in ["wonders", "100-continue, wonders", "100-continue;q=1", "", "100"] {
        assert_eq!(new(&format!("Expect: {value}\r\n")).unwrap_err(), 417, "{value}");
    }
    assert_eq!(new("Expect: 100-continue\r\nExpect: wonders\r\n").unwrap_err(), 417);
}

#[test]
fn trailers_are_wanted_by_their_name() {
    for (value, wants) in
        [("trailers", true), ("gzip, Trailers", true), ("trailers;q=1", false), ("gzip", false), ("", false)]
    {
        assert_eq!(new(&format!("TE: {value}\r\n")).unwrap().wants_trailers, wants, "{value}");
    }
}
