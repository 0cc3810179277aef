//! Credentials and challenges. The tables are what Werkzeug reads and writes.

use dewar::{App, Authorization, HttpError, Request, Response, WwwAuthenticate};

use crate::support::{Random, client};

type Row = (&'static str, &'static str, &'static [(&'static str, Option<&'static str>)], Option<&'static str>);

#[test]
fn read_as_werkzeug_does() {
    const ROWS: &[Row] = &[
        ("Basic YWRhOnNlY3JldA==", "basic", &[("username", Some("ada")), ("password", Some("secret"))], None),
        ("basic YWRhOg==", "basic", &[("username", Some("ada")), ("password", Some(""))], None),
        ("BASIC YWRh", "basic", &[("username", Some("ada")), ("password", Some(""))], None),
        ("Basic YTpiOmM=", "basic", &[("username", Some("a")), ("password", Some("b:c"))], None),
        ("Basic w6k6w6k=", "basic", &[("username", Some("é")), ("password", Some("é"))], None),
        ("Basic", "basic", &[("username", Some("")), ("password", Some(""))], None),
        ("Bearer abc.def", "bearer", &[], Some("abc.def")),
        ("bearer abc==", "bearer", &[], Some("abc==")),
        ("Bearer", "bearer", &[], Some("")),
        ("Token token=\"x\"", "token", &[("token", Some("x"))], None),
        (
            "Digest username=\"ada\", realm=\"a, b\", nonce=xyz, uri=\"/x?a=b\", nc=00000001, stale",
            "digest",
            &[
                ("username", Some("ada")),
                ("realm", Some("a, b")),
                ("nonce", Some("xyz")),
                ("uri", Some("/x?a=b")),
                ("nc", Some("00000001")),
                ("stale", None),
            ],
            None,
        ),
        ("Digest username*=UTF-8''%C3%A9", "digest", &[("username", Some("é"))], None),
        ("Digest username=\"ada\", a=\"x", "digest", &[], None),
        ("Custom a=b, a=c, =d, e", "custom", &[("a", Some("c")), ("e", None)], None),
        (" ", "", &[], Some("")),
        ("X  y", "x", &[], Some("y")),
    ];
    for (header, scheme, parameters, token) in ROWS {
        let auth = Authorization::from_header(header).unwrap_or_else(|| panic!("{header}"));
        assert_eq!(auth.scheme(), *scheme, "{header}");
        assert_eq!(auth.parameters().collect::<Vec<_>>(), *parameters, "{header}");
        assert_eq!(auth.token(), *token, "{header}");
    }
    for header in ["", "Basic 6Q==", "Basic %%%", "Basic YWRhOnNlY3JldA"] {
        assert_eq!(Authorization::from_header(header), None, "{header}");
    }
}

#[test]
fn written_as_werkzeug_does() {
    let digest = WwwAuthenticate::digest("x", "n").with("qop", "auth").with("algorithm", "MD5").with("opaque", "");
    for (challenge, header) in [
        (WwwAuthenticate::basic("a b"), r#"Basic realm="a b""#),
        (WwwAuthenticate::basic("x"), "Basic realm=x"),
        (digest, r#"Digest realm="x", nonce="n", qop="auth", algorithm=MD5, opaque="""#),
        (WwwAuthenticate::new("custom-scheme").with_token("tok"), "Custom-Scheme tok"),
        (WwwAuthenticate::new("negotiate"), "Negotiate"),
        (WwwAuthenticate::new("x").with("b", "q\"\\"), r#"X b="q\"\\""#),
    ] {
        assert_eq!(challenge.to_header(), header);
        let read = WwwAuthenticate::from_header(header).unwrap();
        assert_eq!(read.scheme(), challenge.scheme());
        assert!(read.parameters().eq(challenge.parameters()), "{header}");
    }
    let mut challenge = WwwAuthenticate::bearer("api");
    challenge.set("error", "invalid_token\r\nSet-Cookie: a=b");
    assert_eq!(challenge.to_header(), r#"Bearer realm=api, error="invalid_tokenSet-Cookie: a=b""#);
    challenge.remove("error");
    assert_eq!((challenge.get("realm"), challenge.get("error")), (Some("api"), None));
}

#[test]
fn challenges_go_out() {
    let mut app = App::new("demo");
    app.get("/one", || -> Result<(), HttpError> {
        Err(HttpError::new(401).with_www_authenticate(&WwwAuthenticate::basic("vault")))
    });
    app.get("/two", || {
        let mut response = Response::new("no").with_status(401);
        response.add_www_authenticate(&WwwAuthenticate::digest("vault", "n"));
        response.add_www_authenticate(&WwwAuthenticate::basic("vault"));
        assert_eq!(response.www_authenticate().unwrap().get("nonce"), Some("n"));
        response
    });
    let client = client(app);
    let response = client.get("/one");
    assert_eq!((response.status(), response.header("www-authenticate")), (401, Some("Basic realm=vault")));
    let response = client.get("/two");
    let all: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(all, ["Digest realm=\"vault\", nonce=\"n\"", "Basic realm=vault"]);
}

#[test]
fn there_and_back() {
    let letters: Vec<char> = "ab:=,; \"\\'%/+\u{e9}\u{732b}".chars().collect();
    let mut random = Random(12);
    for _ in 0..1000 {
        let (name, password) = (random.text(&letters, 8).replace(':', "-"), random.text(&letters, 8));
        let sent = Authorization::basic(&name, &password);
        let mut request = Request::get("/");
        request.head_mut().headers.insert("authorization", sent.to_header());
        let seen = request.authorization().unwrap();
        assert_eq!((seen.username(), seen.password()), (Some(&*name), Some(&*password)));
        assert!(!format!("{seen:?}").contains("secret"));
        let _ = Authorization::from_header(&random.text(&letters, 30));
    }
    assert_eq!(Authorization::bearer("t").to_header(), "Bearer t");
}

#[test]
fn huge_headers() {
    for rest in ["a=b,", ",", "\"", "a", "==", "a*=utf-8''%ff,"] {
        let header = format!("Digest {}", rest.repeat((1 << 20) / rest.len()));
        let auth = Authorization::from_header(&header).unwrap();
        assert!(auth.parameters().count() <= 64);
        assert!(
            Authorization::from_header(&header.replace("Digest", "Basic")).is_none_or(|auth| auth.token().is_none())
        );
    }
}
