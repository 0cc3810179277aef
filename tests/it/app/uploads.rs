//! Multipart forms and uploads: what Werkzeug makes of them, limits, and what is sent to do harm.

use std::io::{Read, Seek, SeekFrom};

use dewar::{App, Body, Form, Request, Result, Service, Upload, request, secure_filename};

use crate::support::{Folder, Random, client, service};

/// The parameters of the type, the body, the fields, the files, and whether it is malformed.
type Row = (
    &'static str,
    &'static [u8],
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str, &'static str)],
    bool,
);

#[rustfmt::skip]
const WERKZEUG: &[Row] = &[
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--b--\r\n", &[("n", "x")], &[], false),
    ("boundary=b", b"--b\nContent-Disposition: form-data; name=\"n\"\n\nx\n--b--\n", &[("n", "x")], &[], false),
    ("boundary=b", b"--b\rContent-Disposition: form-data; name=\"n\"\r\rx\r--b--\r", &[("n", "x")], &[], false),
    ("boundary=b", b"pre\r\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--b--\r\nepilogue\r\n--b\r\n", &[("n", "x")], &[], false),
    ("boundary=b", b"pre--b  \t\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--b  \r\nContent-Disposition: form-data; name=\"n\"\r\n\r\ny\r\n--b--", &[("n", "x"), ("n", "y")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n\r\n--b--\r\n", &[("n", "")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n--b--\r\n", &[("n", "")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\na\r\n--bc\r\n--b--\r\n", &[("n", "a\r\n--bc")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\na--b\r\nc\r\n\r\n--b--\r\n", &[("n", "a--b\r\nc\r\n")], &[], false),
    ("boundary=b", b"--b--\r\n", &[], &[], false),
    ("boundary=\"b c\"", b"--b c\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--b c--", &[("n", "x")], &[], false),
    ("boundary=b", b"--b\r\ncontent-DISPOSITION : x;\r\n name=\"n\"\r\n\r\nx\r\n--b--", &[("n", "x")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", &[("", "x")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name*=utf-8''%C3%A9\r\n\r\nx\r\n--b--", &[("\u{e9}", "x")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=f; filename=a; filename*=utf-8''%C3%A9.txt\r\n\r\nx\r\n--b--", &[], &[("f", "\u{e9}.txt", "x")], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=f; filename=\"\"\r\n\r\n\r\n--b--", &[], &[("f", "", "")], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"a\\\"b%22c\"; filename=\"C:\\\\x\\y.txt\"\r\n\r\nx\r\n--b--", &[], &[("a\"b\"c", "C:\\x\\y.txt", "x")], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe9\r\n--b--", &[("n", "\u{e9}")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\na\xe9\r\n--b--", &[("n", "a\u{fffd}")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n\xc3\xa9\xff\r\n--b--", &[("n", "\u{e9}\u{fffd}")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"\xc3\xa9\"\r\n\r\nx\r\n--b--", &[("\u{e9}", "x")], &[], false),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--b--", &[], &[], true),
    ("boundary=b", b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n", &[], &[], true),
    ("boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", &[], &[], true),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx", &[], &[], true),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--b", &[], &[], true),
    ("boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"n\"", &[], &[], true),
    ("boundary=b", b"", &[], &[], true),
    ("boundary=b", b"something else", &[], &[], true),
    ("boundary=", b"--\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n----", &[], &[], true),
    ("", b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--b--", &[], &[], true),
    ("boundary=b", b"--c\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nx\r\n--c--", &[], &[], true),
    ("boundary=b", b"--b\r\nContent-Type: multipart/mixed; boundary=i\r\nContent-Disposition: form-data; name=m\r\n\r\n--i\r\nContent-Disposition: file; filename=a\r\n\r\nx\r\n--i--\r\n--b--", &[("m", "--i\r\nContent-Disposition: file; filename=a\r\n\r\nx\r\n--i--")], &[], false),
];

fn posted(parameters: &str, body: impl Into<Body>) -> Request {
    let separator = if parameters.is_empty() { "" } else { "; " };
    Request::post("/", body).with_header("content-type", &format!("multipart/form-data{separator}{parameters}"))
}

#[test]
fn as_werkzeug() {
    for (parameters, body, fields, files, malformed) in WERKZEUG {
        let text = String::from_utf8_lossy(body);
        let request = posted(parameters, *body);
        let form = request.form().unwrap();
        assert_eq!(form.fields.iter().collect::<Vec<_>>(), *fields, "{text}");
        let seen: Vec<_> = form.files.iter().map(|f| (f.name(), f.filename(), f.read().unwrap())).collect();
        let seen: Vec<_> = seen.iter().map(|(n, f, b)| (*n, *f, std::str::from_utf8(b).unwrap())).collect();
        assert_eq!(seen, *files, "{text}");
        assert_eq!(form.malformed().is_some(), *malformed, "{text}: {:?}", form.malformed());
    }
}

/// However the bytes come in pieces, the form is the same.
#[test]
fn in_pieces() {
    for (parameters, body, fields, files, malformed) in WERKZEUG.iter().step_by(5) {
        // What comes before the delimiter moves it to each place around the block's end.
        for shift in (64 * 1024 - body.len().min(200))..=64 * 1024 {
            let mut long = vec![b'.'; shift];
            long.extend_from_slice(b"\r\n");
            long.extend_from_slice(body);
            let request = posted(parameters, Body::reader(std::io::Cursor::new(long)));
            let form = request.form().unwrap();
            assert_eq!(form.fields.iter().collect::<Vec<_>>(), *fields, "{shift} {parameters} {body:?}");
            assert_eq!(form.files.len(), files.len());
            assert_eq!(form.malformed().is_some(), *malformed);
        }
    }
    let one_by_one = WERKZEUG[0].1.iter().map(|b| vec![*b]);
    assert_eq!(posted("boundary=b", Body::blocks(one_by_one)).form().unwrap().get("n"), Some("x"));
}

#[test]
fn the_extractor_is_strict() {
    #[derive(serde::Deserialize)]
    struct Entry {
        n: String,
    }
    let mut app = App::new("demo");
    app.post("/", |Form(entry): Form<Entry>| entry.n);
    let service = service(app);
    let call = |body: &'static [u8]| service.call(posted("boundary=b", body)).status().as_u16();
    assert_eq!(call(WERKZEUG[0].1), 200);
    assert_eq!(call(b"--b--"), 422);
    assert_eq!(call(b"something else"), 400);
    assert_eq!(service.call(posted("", WERKZEUG[0].1)).status(), 400);
}

fn app() -> App {
    let mut app = App::new("demo");
    app.post("/", || -> Result<String> {
        let request = request();
        let form = request.form()?;
        let data = request.data()?.len();
        let files: Vec<_> = form.files.iter().map(|f| (f.name(), f.len(), f.is_in_memory())).collect();
        Ok(format!("{} {files:?} {data}", form.fields.len()))
    });
    app
}

#[test]
fn what_an_upload_says() {
    let body = "--b\r\nContent-Disposition: form-data; name=f; filename=\"a b.txt\"\r\nContent-Type: Text/Plain; \
                charset=x\r\nContent-Length: 7\r\nX-Own: 1\r\nBad Name: 2\r\nX-Control: \x01\r\n\r\nhello\r\n--b\r\n\
                Content-Disposition: form-data; name=f; filename=b\r\n\r\n\r\n--b--";
    let request = posted("boundary=b", body.as_bytes());
    let files = request.files().unwrap();
    let file = files.require("f").unwrap();
    assert_eq!((file.name(), file.filename(), file.content_type()), ("f", "a b.txt", Some("Text/Plain; charset=x")));
    assert_eq!((file.mimetype(), file.mimetype_params()["charset"].as_str()), ("text/plain".to_owned(), "x"));
    assert_eq!((file.content_length(), file.len(), file.is_empty()), (7, 5, false));
    assert_eq!(file.headers()["x-own"], "1");
    assert_eq!(file.headers().len(), 4);
    let second = files.getlist("f")[1];
    assert_eq!((second.content_type(), second.mimetype(), second.content_length()), (None, String::new(), 0));
    assert!(second.is_empty() && files.contains("f") && !files.contains("g"));
    assert_eq!(files.keys().collect::<Vec<_>>(), ["f"]);
    assert_eq!(files.require("g").unwrap_err().status(), 400);
    assert_eq!(files.into_iter().count(), 2);
    assert!(format!("{files:?}").contains("a b.txt"));
}

/// A form with a file of each of these lengths, of bytes that tell their place.
fn with_files(lengths: &[usize]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut body, mut random, mut all) = (Vec::new(), Random(21), Vec::new());
    for (i, length) in lengths.iter().enumerate() {
        let bytes: Vec<u8> = (0..*length).map(|_| random.next() as u8).collect();
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{i}\"; filename=\"{i}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&bytes);
        body.extend_from_slice(b"\r\n");
        all.push(bytes);
    }
    body.extend_from_slice(b"--b--\r\n");
    (body, all)
}

#[test]
fn in_memory_and_on_disk() {
    const LIMIT: usize = 500 * 1024;
    let lengths = [10, LIMIT, LIMIT + 1, 0, 3 * LIMIT, 100];
    let (body, all) = with_files(&lengths);
    let request = posted("boundary=b", body);
    let files = request.files().unwrap();
    let folder = Folder::new("uploads");
    for (i, (file, bytes)) in files.iter().zip(&all).enumerate() {
        assert_eq!(file.is_in_memory(), bytes.len() <= LIMIT, "{i}");
        assert_eq!(file.len(), bytes.len() as u64);
        assert!(file.read().unwrap() == bytes, "{i}");
        let path = folder.0.join(i.to_string());
        std::fs::write(&path, "older, and longer than nothing").unwrap();
        file.save(&path).unwrap();
        assert!(std::fs::read(&path).unwrap() == *bytes, "{i}");
        let mut written = Vec::new();
        file.save_to(&mut written).unwrap();
        assert!(written == *bytes, "{i}");
    }
    assert!(files.get("0").unwrap().save(folder.0.join("no/folder")).is_err());

    // Two streams of files that share what is on disk, in turns.
    let (mut one, mut two) = (files.get("2").unwrap().stream(), files.get("4").unwrap().stream());
    two.seek(SeekFrom::End(-2000)).unwrap();
    let (mut from_one, mut from_two) = (vec![0; 1000], vec![0; 1000]);
    for _ in 0..2 {
        one.read_exact(&mut from_one).unwrap();
        two.read_exact(&mut from_two).unwrap();
    }
    assert!(from_one == all[2][1000..2000] && from_two == all[4][3 * LIMIT - 1000..]);
    assert_eq!(two.read(&mut from_two).unwrap(), 0);
    for file in [files.get("1").unwrap(), files.get("2").unwrap()] {
        let mut stream = file.stream();
        assert_eq!(stream.seek(SeekFrom::Current(5)).unwrap(), 5);
        assert!(stream.seek(SeekFrom::Current(-6)).is_err() && stream.seek(SeekFrom::End(i64::MIN)).is_err());
        assert_eq!(stream.seek(SeekFrom::Start(u64::MAX)).unwrap(), u64::MAX);
        assert_eq!(stream.read(&mut [0; 4]).unwrap(), 0);
    }
    // An upload outlives its request.
    let file = files.get("4").unwrap().clone();
    drop(request);
    assert!(file.read().unwrap() == all[4]);
}

/// Many that are small are large together.
#[test]
fn small_ones_go_to_disk_too_when_there_are_many() {
    let (body, all) = with_files(&[400 * 1024; 14]);
    let request = posted("boundary=b", body);
    let files = request.files().unwrap();
    let in_memory = files.iter().filter(|file| file.is_in_memory()).count();
    assert_eq!((files.len(), in_memory), (14, 10));
    for (file, bytes) in files.iter().zip(&all) {
        assert!(file.read().unwrap() == bytes);
    }
}

#[test]
fn one_made_by_hand() {
    let file = Upload::new("photo", "a.png", &b"bytes"[..]);
    assert_eq!((file.name(), file.filename(), &*file.read().unwrap()), ("photo", "a.png", &b"bytes"[..]));
}

#[test]
fn limits() {
    let mut app = app();
    let config = app.config_mut();
    // More than is read in one piece, of which there may not be more than of a field either.
    const FIELD: usize = 70_000;
    config.set("MAX_FORM_MEMORY_SIZE", FIELD).set("MAX_FORM_PARTS", 3).set("MAX_CONTENT_LENGTH", 200_000);
    app.post("/allowed", || -> Result<String> {
        let request = request();
        request.set_max_form_memory_size(FIELD as u64 + 1);
        request.set_max_form_parts(4);
        request.set_max_content_length(400_000);
        Ok(request.form()?.fields.len().to_string())
    });
    let client = client(app);
    let sent = |path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]| {
        client.post(path).multipart(fields, files).send().status()
    };
    let send = |fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]| sent("/", fields, files);
    let (most, long) = ("x".repeat(FIELD), vec![b'x'; 2 * FIELD]);
    let more = most.clone() + "x";
    assert_eq!(send(&[("n", &most)], &[]), 200);
    assert_eq!(send(&[("n", &more)], &[]), 413);
    assert_eq!(send(&[("n", &most), ("m", &most)], &[]), 200, "the limit is for each");
    assert_eq!(send(&[], &[("f", "f", &long)]), 200, "not for files");
    assert_eq!(send(&[("a", ""), ("b", "")], &[("c", "c", b"")]), 200);
    let four: [(&str, &str, &[u8]); 2] = [("c", "c", b""), ("d", "d", b"")];
    assert_eq!(send(&[("a", ""), ("b", "")], &four), 413);
    let large: [(&str, &str, &[u8]); 1] = [("f", "f", &[b'x'; 300_000])];
    assert_eq!(send(&[], &large), 413);
    assert_eq!(sent("/allowed", &[("n", &more)], &[]), 200);
    assert_eq!(sent("/allowed", &[("a", ""), ("b", "")], &four), 200);
    assert_eq!(sent("/allowed", &[], &large), 200);
}

/// A limit below the 64 KiB that are read in one piece is that of the piece, whatever is in it (Werkzeug counts its buffer).
#[test]
fn a_small_limit_is_that_of_the_body() {
    let mut app = app();
    app.config_mut().set("MAX_FORM_MEMORY_SIZE", 100);
    let service = service(app);
    for file in ["", "; filename=f"] {
        let form = |value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"n\"{file}\r\n\r\n{value}\r\n--b--\r\n")
        };
        let room = 100 - form("").len();
        for (value, status) in [(room, 200), (room + 1, 413)] {
            let body = form(&"x".repeat(value));
            assert_eq!(service.call(posted("boundary=b", body)).status(), status, "{file} {value}");
        }
    }
}

/// What Flask answers for limits about the size of a piece: of the last one only what may begin a boundary is kept, and
/// counts with the next.
#[test]
fn limits_about_the_size_of_a_piece() {
    let (plain, lines) = (vec![b'x'; 300_000], b"x\n".repeat(150_000));
    let field = |n: usize| vec![b'x'; n];
    for (limit, file, value, status) in [
        (65_535, "; filename=f", &plain, 413),
        (65_535, "; filename=f", &field(0), 200),
        (65_535, "", &field(65_535), 413),
        (65_536, "; filename=f", &plain, 200),
        (65_536, "; filename=f", &lines, 413),
        (65_536, "", &field(65_536), 200),
        (65_536, "", &field(65_537), 413),
        (65_537, "", &field(65_537), 200),
        (65_600, "; filename=f", &lines, 200),
    ] {
        let mut app = app();
        app.config_mut().set("MAX_FORM_MEMORY_SIZE", limit);
        let mut body = format!("--b\r\nContent-Disposition: form-data; name=n{file}\r\n\r\n").into_bytes();
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let len = value.len();
        assert_eq!(service(app).call(posted("boundary=b", body)).status(), status, "{limit} {file} {len}");
    }
}

/// Once refused, always refused: the second look is no empty form, and not the rest of the body.
#[test]
fn refused_for_good() {
    let mut app = app();
    app.config_mut().set("MAX_FORM_MEMORY_SIZE", 20);
    app.post("/again", || {
        let request = request();
        let status = |error: dewar::HttpError| error.status().as_u16();
        let form = || request.form().map(|form| form.len()).map_err(status);
        format!(
            "{:?} {:?} {:?} {:?}",
            form(),
            form(),
            request.data().map_err(status),
            request.get_data().map_err(status)
        )
    });
    let text = client(app).post("/again").multipart(&[("n", &"x".repeat(21))], &[]).send().text();
    assert_eq!(text, "Err(413) Err(413) Err(413) Err(413)");
}

#[test]
fn the_default_limits() {
    let client = client(app());
    let field = |n: usize| client.post("/").multipart(&[("n", &"x".repeat(n))], &[]).send().status();
    assert_eq!((field(500_000), field(500_001)), (200, 413));
    let parts = |n: usize| client.post("/").multipart(&vec![("n", ""); n], &[]).send().status();
    assert_eq!((parts(1_000), parts(1_001), parts(10_000)), (200, 413, 413));
    assert_eq!(client.post("/").multipart(&[("n", "")], &[("f", "f", b"x")]).send().text(), r#"1 [("f", 1, true)] 0"#);
}

#[test]
fn bodies_that_end_early() {
    let half = &WERKZEUG[0].1[..20];
    let gone = || Body::sized_reader(half, 100);
    let service = service(app());
    assert_eq!(service.call(posted("boundary=b", gone())).status(), 400, "the client went away");
    assert_eq!(service.call(posted("boundary=b", half)).status(), 200, "the body is as long as it says");
}

#[test]
fn hostile_bodies() {
    let service = service(app());
    let call = |parameters: &str, body: Vec<u8>| service.call(posted(parameters, body)).status().as_u16();
    let part = |head: &str, value: &str| format!("--b\r\n{head}\r\n\r\n{value}\r\n--b--").into_bytes();
    let named = "Content-Disposition: form-data; name=n";
    let long = "x".repeat(2 << 20);
    // Names and heads.
    assert_eq!(call("boundary=b", part(&format!("{named}{long}"), "")), 413);
    assert_eq!(call("boundary=b", part(&format!("{named}{}", "x".repeat(10_000)), "")), 200);
    assert_eq!(call("boundary=b", part(&format!("X: {long}\r\n{named}"), "")), 413);
    assert_eq!(call("boundary=b", part(&format!("{}{named}", "X: y\r\n".repeat(40_000)), "")), 200);
    assert_eq!(call("boundary=b", part(&format!("{named}{}", "; a=b".repeat(50_000)), "")), 200);
    assert_eq!(call("boundary=b", part(&format!("{named}{}", "\r\n ;".repeat(50_000)), "")), 200);
    assert_eq!(call("boundary=b", format!("--b\r\n{long}").into_bytes()), 413);
    // Boundaries.
    let wide = "b".repeat(10_000);
    assert_eq!(
        call(&format!("boundary={wide}"), format!("--{wide}\r\n{named}\r\n\r\nx\r\n--{wide}--").into_bytes()),
        200
    );
    assert_eq!(call(&format!("boundary={wide}"), "b".repeat(4 << 20).into_bytes()), 200);
    assert_eq!(call(&format!("boundary={wide}"), "\r\n--".repeat(1 << 20).into_bytes()), 200);
    // Boundaries that overlap themselves: each letter begins another one.
    let hyphens = "-".repeat(100_000);
    let data = format!("--{hyphens}\r\n{named}; filename=f\r\n\r\n{}", "-".repeat(8 << 20));
    let body = format!("{data}\r\n--{hyphens}--");
    assert_eq!(call(&format!("boundary={hyphens}"), body.into_bytes()), 200);
    let again = format!("xyz{}", "--xyz".repeat(20_000));
    assert_eq!(call(&format!("boundary={again}--xy"), "--xyz".repeat(1 << 20).into_bytes()), 200);
    // What almost is one, again and again; behind a head, so that it is data of a file.
    let file = "--b\r\nContent-Disposition: form-data; name=n; filename=f\r\n\r\n";
    for almost in ["\r\n--bx", "\r\n--b .", "\r\n--b-", "x--b\r\n", "\r", "\n", "-", " ", "\r\n--b\t\t\t\t\t\t\t\tx"] {
        let body = format!("{file}{}\r\n--b--", almost.repeat((2 << 20) / almost.len()));
        assert_eq!(call("boundary=b", body.into_bytes()), 200, "{almost:?}");
    }
    let body = format!("{file}\r\n--b{}\r\n--b--", " ".repeat(4 << 20));
    assert_eq!(call("boundary=b", body.into_bytes()), 200);
    assert_eq!(call("boundary=b", " ".repeat(4 << 20).into_bytes()), 200);
}

#[test]
fn what_is_built_is_read() {
    let letters: Vec<char> = "ab\r\n-- \t\0;=\"\\%é猫".chars().collect();
    let names: Vec<char> = "abc ;=,'é猫.-".chars().collect();
    let mut random = Random(22);
    for _ in 0..500 {
        let mut body = Vec::new();
        let (mut fields, mut files) = (Vec::new(), Vec::new());
        for _ in 0..random.below(6) {
            let (name, value) = (random.text(&names, 6), random.text(&letters, 20).replace("--b", "--c"));
            body.extend_from_slice(format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"").as_bytes());
            if random.below(2) == 0 {
                let filename = random.text(&names, 6);
                body.extend_from_slice(format!("; filename=\"{filename}\"").as_bytes());
                files.push((name, filename, value.clone()));
            } else {
                fields.push((name, value.clone()));
            }
            body.extend_from_slice(format!("\r\n\r\n{value}\r\n").as_bytes());
        }
        body.extend_from_slice(b"--b0--\r\n");
        let request = posted("boundary=b0", body);
        let form = request.form().unwrap();
        assert_eq!(form.malformed(), None);
        let seen: Vec<_> = form.fields.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        assert_eq!(seen, fields);
        let text = |file: &Upload| String::from_utf8(file.read().unwrap().to_vec()).unwrap();
        let seen = form.files.iter().map(|f| (f.name().to_owned(), f.filename().to_owned(), text(f)));
        assert_eq!(seen.collect::<Vec<_>>(), files);
    }
}

#[test]
fn noise_is_no_form() {
    let letters: Vec<char> = "ab-\r\n:; =\"".chars().collect();
    let pieces =
        ["--b", "\r\n", "\n", "--b--", "Content-Disposition: form-data; name=n", "; filename=f", "\r\n\r\n", "x"];
    let mut random = Random(23);
    for _ in 0..5000 {
        let mut body = String::new();
        for _ in 0..random.below(12) {
            body += pieces[random.below(pieces.len())];
            body += &random.text(&letters, 2);
        }
        let request = posted("boundary=b", body.clone());
        let form = request.form().unwrap();
        assert!(form.malformed().is_none() || form.is_empty() && form.files.is_empty(), "{body:?}");
    }
}

/// What Werkzeug answers, other than on Windows.
#[cfg(not(windows))]
#[test]
fn names_made_safe() {
    for (name, safe) in [
        ("My cool movie.mov", "My_cool_movie.mov"),
        ("../../../etc/passwd", "etc_passwd"),
        ("i contain cool \u{fc}ml\u{e4}uts.txt", "i_contain_cool_umlauts.txt"),
        ("__filename__", "filename"),
        ("foo\u{0}bar", "foobar"),
        ("", ""),
        ("...", ""),
        ("._.", ""),
        ("a/b/c", "a_b_c"),
        ("C:\u{5c}x\u{5c}y.txt", "Cxy.txt"),
        ("\u{2163}.txt", "IV.txt"),
        ("\u{fb01}le.txt", "file.txt"),
        ("a  b\u{9}\u{a}c", "a_b_c"),
        ("  lead", "lead"),
        ("trail  ", "trail"),
        ("\u{732b}", ""),
        ("\u{732b}.png", "png"),
        ("nul", "nul"),
        ("NUL.txt", "NUL.txt"),
        ("a\u{301}b.txt", "ab.txt"),
        ("a$ $b", "a_b"),
        ("a $ b", "a__b"),
        ("-rf", "-rf"),
        ("~/.bashrc", "bashrc"),
        ("a;b|c&d", "abcd"),
        ("name\u{2024}txt", "name.txt"),
        ("\u{ff0e}\u{ff0e}\u{ff0f}x", "x"),
        ("xxx.", "xxx"),
        ("\u{1c}A\u{1d}B", "A_B"),
        ("a\u{a0}b", "a_b"),
        ("a\u{2003}b", "a_b"),
        ("\u{85}x", "x"),
        ("a\u{85}b", "ab"),
        ("\u{2460}.txt", "1.txt"),
        ("\u{1f600}.jpg", "jpg"),
        ("con .txt", "con_.txt"),
        ("a\u{7f}b", "ab"),
        ("line\u{2028}break", "linebreak"),
    ] {
        assert_eq!(secure_filename(name), safe, "{name:?}");
    }
    let letters: Vec<char> = "aZ9._-/\\: \t\0é猫\u{ff0f}\u{ff0e}\u{2024}\u{1f980}".chars().collect();
    let mut random = Random(24);
    for _ in 0..5000 {
        let name = random.text(&letters, 12);
        let safe = secure_filename(&name);
        assert!(safe.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{name:?}: {safe:?}");
        assert!(!safe.starts_with(['.', '_']) && !safe.ends_with(['.', '_']), "{name:?}: {safe:?}");
        assert_eq!(secure_filename(&safe), safe);
    }
}
