//! Files: which are sent, with what, and under which conditions.

use std::time::{Duration, SystemTime};

use dewar::{
    App, Body, FileETag, Result, SendFile, send_data, send_file, send_file_with, send_from_directory,
    send_from_directory_with,
};

use crate::support::{Client, Folder, client, mistakes};

fn site(name: &str) -> (Folder, Client) {
    let folder = Folder::new(name);
    folder
        .write("secret.txt", "secret")
        .write("static/a.txt", "0123456789")
        .write("static/sub/b.css", "b{}")
        .write("static/with space é.html", "<p>")
        .write("static/app.js", "1")
        .write("static/data.json", "{}")
        .write("static/pic.svg", "<svg/>")
        .write("static/x.tar.gz", "gz")
        .write("static/unknown.zzz", "?")
        .write("static/empty", "");
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    app.get("/download", || {
        let options =
            SendFile { as_attachment: true, download_name: Some("b \"ä\".txt".into()), ..SendFile::default() };
        send_file_with("static/a.txt", &options)
    });
    app.get("/aged", || {
        let max_age = Some(std::time::Duration::from_secs(60));
        send_file_with("static/a.txt", &SendFile { max_age, mimetype: Some("x/y".into()), ..SendFile::default() })
    });
    app.get("/file", || send_file("static/sub/b.css"));
    app.get("/dir/<path:name>", |name: String| -> Result<_> { send_from_directory("static/sub", &name) });
    (folder, client(app))
}

#[test]
fn what_is_sent() {
    let (_folder, client) = site("sent");
    for (path, content_type, encoding, text) in [
        ("/static/a.txt", "text/plain; charset=utf-8", None, "0123456789"),
        ("/static/sub/b.css", "text/css; charset=utf-8", None, "b{}"),
        ("/static/with%20space%20%C3%A9.html", "text/html; charset=utf-8", None, "<p>"),
        ("/static/app.js", "text/javascript; charset=utf-8", None, "1"),
        ("/static/data.json", "application/json", None, "{}"),
        ("/static/pic.svg", "image/svg+xml; charset=utf-8", None, "<svg/>"),
        ("/static/x.tar.gz", "application/x-tar", Some("gzip"), "gz"),
        ("/static/unknown.zzz", "application/octet-stream", None, "?"),
        ("/static/empty", "application/octet-stream", None, ""),
        ("/file", "text/css; charset=utf-8", None, "b{}"),
        ("/dir/b.css", "text/css; charset=utf-8", None, "b{}"),
    ] {
        let response = client.get(path);
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.header("content-type"), Some(content_type), "{path}");
        assert_eq!(response.header("content-encoding"), encoding, "{path}");
        assert_eq!(response.text(), text, "{path}");
        assert_eq!(response.header("accept-ranges"), Some("bytes"));
        assert_eq!(response.header("cache-control"), Some("no-cache"));
        assert!(response.header("etag").unwrap().starts_with('"'));
        assert!(response.header("last-modified").unwrap().ends_with(" GMT"));
        let head = client.head(path);
        assert_eq!((head.status(), head.header("etag"), head.bytes().len()), (200, response.header("etag"), 0));
    }
    assert_eq!(client.get("/static/a.txt").header("content-disposition"), Some("inline; filename=a.txt"));
    let aged = client.get("/aged");
    assert_eq!(aged.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(aged.header("content-type"), Some("x/y"));
    assert!(aged.header("expires").is_some());
    assert_eq!(
        client.get("/download").header("content-disposition"),
        Some(r#"attachment; filename="b \"a\".txt"; filename*=UTF-8''b%20%22%C3%A4%22.txt"#)
    );
    assert_eq!(client.post("/static/a.txt").send().status(), 405);
}

/// By the ending of the name, as Python's `mimetypes` where other lists have older names.
#[test]
fn types_by_the_ending() {
    let mut app = App::new("demo");
    app.get("/<name>", |name: String| {
        send_data("x", &SendFile { download_name: Some(name), etag: FileETag::Off, ..SendFile::default() })
    });
    let client = client(app);
    for (name, wanted, encoding) in [
        ("a.ico", "image/vnd.microsoft.icon", None),
        ("A.ICO", "image/vnd.microsoft.icon", None),
        ("a.mjs", "text/javascript; charset=utf-8", None),
        ("a.js", "text/javascript; charset=utf-8", None),
        ("a.xml", "application/xml; charset=utf-8", None),
        ("a.xml.gz", "application/xml; charset=utf-8", Some("gzip")),
        ("a.wav", "audio/x-wav", None),
        ("a.woff", "font/woff", None),
        ("a.woff2", "font/woff2", None),
        ("a.otf", "font/otf", None),
        ("a.ttf", "font/ttf", None),
        ("a.m4a", "audio/mp4", None),
        ("a.vcf", "text/vcard; charset=utf-8", None),
        ("a.md", "text/markdown; charset=utf-8", None),
        ("a.webp", "image/webp", None),
        ("a.", "application/octet-stream", None),
        (".ico", "application/octet-stream", None),
    ] {
        let response = client.get(&format!("/{name}"));
        assert_eq!(response.header("content-type"), Some(wanted), "{name}");
        assert_eq!(response.header("content-encoding"), encoding, "{name}");
    }
}

#[test]
fn nothing_outside_of_the_folder() {
    let (_folder, client) = site("outside");
    for name in [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "%2e%2e%2fsecret.txt",
        "sub/../../secret.txt",
        "sub/../../static/a.txt",
        "sub/../..",
        "sub/..",
        "../static/a.txt",
        "sub/..%2f..%2fsecret.txt",
        "sub/%2E%2E/%2E%2E/secret.txt",
        "./../secret.txt",
        "..%5csecret.txt",
        "..\\secret.txt",
        "%252e%252e/secret.txt",
        "..",
        "%2e%2e",
        ".",
        "sub",
        "sub/",
        "a.txt%00",
        "a.txt%00.css",
        "C:a.txt",
        "a.txt::$DATA",
        "%2Fetc/passwd",
        "%2f%2fetc/passwd",
        "sub%2f..%2f..%2fsecret.txt",
        "nowhere",
        "a.txt/b",
    ] {
        let Ok(_) = format!("/static/{name}").parse::<http::Uri>() else { continue };
        for path in [format!("/static/{name}"), format!("/dir/{name}")] {
            let response = client.request("GET", &path).follow_redirects().send();
            assert_eq!(response.status(), 404, "{path}");
            assert!(!response.text().contains("secret"));
        }
    }
    // As in Flask a step back inside of the folder is none, wherever it is taken; a doubled slash is a redirect.
    for name in ["sub/../a.txt", "sub/%2e%2e/a.txt", "./a.txt", "nowhere/../a.txt", "a.txt/", "sub/.././a.txt/."] {
        assert_eq!(client.get(&format!("/static/{name}")).text(), "0123456789", "{name}");
    }
    assert_eq!(client.request("GET", "/static//a.txt").follow_redirects().send().text(), "0123456789");
}

#[test]
fn conditions() {
    let (_folder, client) = site("conditions");
    let first = client.get("/static/a.txt");
    let tag = first.header("etag").unwrap();
    let weak = format!("W/{tag}");
    let list = format!("\"x\", {tag}");
    let changed = first.header("last-modified").unwrap();
    let (old, new) = ("Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    for (headers, status) in [
        (&[("if-none-match", tag)][..], 304),
        (&[("if-none-match", &*weak)], 304),
        (&[("if-none-match", &*list)], 304),
        (&[("if-none-match", "*")], 304),
        (&[("if-none-match", "\"x\"")], 200),
        (&[("if-none-match", "\"x\""), ("if-none-match", tag)], 304), // a list may come in several lines
        (&[("if-none-match", "\"x\""), ("if-modified-since", new)], 200), // the tag counts alone
        (&[("if-modified-since", changed)], 304),
        (&[("if-modified-since", new)], 304),
        (&[("if-modified-since", old)], 200),
        (&[("if-modified-since", "nonsense")], 200),
        (&[("if-match", tag)], 200),
        (&[("if-match", "*")], 200),
        (&[("if-match", &*list)], 200),
        (&[("if-match", "\"x\""), ("if-match", tag)], 200),
        (&[("if-match", "\"x\"")], 412),
        (&[("if-match", &*weak)], 412), // strong comparison
        (&[("if-unmodified-since", changed)], 200),
        (&[("if-unmodified-since", old)], 412),
        (&[("if-match", tag), ("if-unmodified-since", old)], 200),
        (&[("if-match", tag), ("if-none-match", tag)], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let mut request = client.request(method, "/static/a.txt");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let response = request.send();
            assert_eq!(response.status(), status, "{method} {headers:?}");
            if status == 304 {
                assert_eq!(response.header("etag"), Some(tag));
                assert_eq!(response.header("content-type"), None);
                assert_eq!(response.bytes().len(), 0);
            }
        }
    }
}

#[test]
fn ranges() {
    let (_folder, client) = site("ranges-table");
    let first = client.get("/static/a.txt");
    let tag = first.header("etag").unwrap();
    let weak = format!("W/{tag}");
    let changed = first.header("last-modified").unwrap();
    let whole = (200, "0123456789", None);
    let never = (416, "", Some("bytes */10"));
    for (range, if_range, (status, text, content_range)) in [
        ("bytes=0-3", None, (206, "0123", Some("bytes 0-3/10"))),
        ("bytes=9-", None, (206, "9", Some("bytes 9-9/10"))),
        ("bytes=5-100", None, (206, "56789", Some("bytes 5-9/10"))),
        ("bytes=-3", None, (206, "789", Some("bytes 7-9/10"))),
        ("bytes=-100", None, (206, "0123456789", Some("bytes 0-9/10"))),
        ("bytes= 1 - 2 ", None, (206, "12", Some("bytes 1-2/10"))),
        ("Bytes=1-2", None, (206, "12", Some("bytes 1-2/10"))), // units have no case (RFC 9110 section 14.1)
        ("bytes=0-99999999999999999999999", None, (206, "0123456789", Some("bytes 0-9/10"))),
        ("bytes=10-", None, never),
        ("bytes=99999999999999999999999-", None, never),
        ("bytes=3-2", None, never),
        ("bytes=-0", None, never),
        ("bytes=-", None, never),
        ("bytes=", None, never),
        ("bytes=a-b", None, never),
        ("bytes=+1-2", None, never),
        ("bytes=0-1,3-4", None, never),
        ("lines=0-1", None, whole),
        ("nonsense", None, never),
        ("bytes=0-3", Some(tag), (206, "0123", Some("bytes 0-3/10"))),
        ("bytes=0-3", Some(changed), (206, "0123", Some("bytes 0-3/10"))),
        ("bytes=0-3", Some(&*weak), whole),
        ("bytes=0-3", Some("\"x\""), whole),
        ("bytes=0-3", Some("Fri, 01 Jan 2100 00:00:00 GMT"), whole),
        ("bytes=10-", Some("\"x\""), whole),
    ] {
        let mut request = client.request("GET", "/static/a.txt").header("range", range);
        if let Some(if_range) = if_range {
            request = request.header("if-range", if_range);
        }
        let response = request.send();
        assert_eq!(response.status(), status, "{range} {if_range:?}");
        assert_eq!(response.header("content-range"), content_range, "{range} {if_range:?}");
        if status != 416 {
            assert_eq!(response.text(), text, "{range} {if_range:?}");
        }
    }
    // Only GET knows ranges; an empty file has none, and is sent whole.
    assert_eq!(client.request("HEAD", "/static/a.txt").header("range", "bytes=0-3").send().status(), 200);
    assert_eq!(client.request("GET", "/static/empty").header("range", "bytes=0-").send().status(), 200);
}

#[test]
fn folders() {
    let folder = Folder::new("folders");
    folder.write("files/a.txt", "a");
    let mut app = App::new("demo");
    app.root_path(&folder.0).static_folder("files").static_url_path("/assets");
    app.get("/url", || dewar::url_for!("static", filename = "a b/c.txt"));
    let served = client(app);
    assert_eq!(served.get("/assets/a.txt").text(), "a");
    assert_eq!(served.get("/static/a.txt").status(), 404);
    assert_eq!(served.get("/url").text(), "/assets/a%20b/c.txt");

    // The usual folder need not be there; one that was named must.
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    assert_eq!(client(app).get("/static/a.txt").status(), 404);
    let mut app = App::new("demo");
    app.root_path(&folder.0).static_folder("other");
    let found = mistakes(app);
    assert!(found[0].contains(&format!("the static folder {} is not there", folder.0.join("other").display())));

    // What is wrong with its rule is said of the line that asked for it.
    let mut app = App::new("demo");
    app.root_path(&folder.0).static_folder("files").static_url_path("no-slash");
    let found = mistakes(app);
    assert!(found[0].starts_with(&format!("{}:{}:", file!(), line!() - 2)), "{found:?}");
    let mut app = App::new("demo");
    app.root_path(&folder.0).static_folder("files");
    app.get("/mine", || "mine").endpoint("static");
    let found = mistakes(app);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with(file!()) && found[0].contains("the endpoint `static`"), "{found:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_opened() {
    let folder = Folder::new("pipe");
    std::fs::create_dir(folder.0.join("static")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.0.join("static/pipe")).status();
    if !made.is_ok_and(|status| status.success()) {
        return; // a system without mkfifo has no pipes to be afraid of
    }
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    assert_eq!(client(app).get("/static/pipe").status(), 404); // at once, rather than never
}

#[test]
fn files_from_before_1970_and_after_9999() {
    let (folder, client) = site("times");
    let year = std::time::Duration::from_secs(365 * 24 * 3600);
    let (early, late) = (std::time::UNIX_EPOCH - year, std::time::UNIX_EPOCH + 8100 * year);
    for (at, wanted) in [(early, "Thu, 01 Jan 1970 00:00:00 GMT"), (late, "Fri, 31 Dec 9999 23:59:59 GMT")] {
        let file = std::fs::File::options().write(true).open(folder.0.join("static/a.txt")).unwrap();
        // Not every file system has such times.
        if file.set_modified(at).is_err() || file.metadata().unwrap().modified().unwrap() != at {
            continue;
        }
        let response = client.get("/static/a.txt");
        assert_eq!((response.status(), response.header("last-modified")), (200, Some(wanted)));
    }
}

/// Each option of Flask's `send_file`, one after the other.
#[test]
fn options() {
    let folder = Folder::new("options");
    folder.write("a.txt", "0123456789").write("x.tar.gz", "gz").write("files/b.css", "b{}");
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    let mut add = |path: &str, file: &'static str, options: SendFile| {
        app.get(path, move || send_file_with(file, &options));
    };
    add("/mimetype", "a.txt", SendFile { mimetype: Some("text/csv".into()), ..SendFile::default() });
    add("/attachment", "x.tar.gz", SendFile { as_attachment: true, ..SendFile::default() });
    add("/unconditional", "a.txt", SendFile { conditional: false, ..SendFile::default() });
    add("/untagged", "a.txt", SendFile { etag: FileETag::Off, ..SendFile::default() });
    add("/tagged", "a.txt", SendFile { etag: FileETag::Named("v1".into()), ..SendFile::default() });
    add("/bad-tag", "a.txt", SendFile { etag: FileETag::Named("v\"1".into()), ..SendFile::default() });
    add("/bad-type", "a.txt", SendFile { mimetype: Some("a\nb".into()), ..SendFile::default() });
    add("/dated", "a.txt", SendFile { last_modified: Some(at), ..SendFile::default() });
    add("/at-once", "a.txt", SendFile { max_age: Some(Duration::ZERO), ..SendFile::default() });
    add("/for-ever", "a.txt", SendFile { max_age: Some(Duration::MAX), ..SendFile::default() });
    add("/named", "a.txt", SendFile { download_name: Some("été\r\n.csv".into()), ..SendFile::default() });
    app.get("/directory", || {
        send_from_directory_with("files", "b.css", &SendFile { as_attachment: true, ..SendFile::default() })
    });
    let client = client(app);
    assert_eq!(client.get("/mimetype").header("content-type"), Some("text/csv; charset=utf-8"));
    let attachment = client.get("/attachment");
    assert_eq!(attachment.header("content-disposition"), Some("attachment; filename=x.tar.gz"));
    assert_eq!(
        (attachment.header("content-encoding"), attachment.header("content-type")),
        (None, Some("application/x-tar"))
    );
    let unconditional =
        client.request("GET", "/unconditional").header("if-none-match", "*").header("range", "bytes=0-1").send();
    assert_eq!((unconditional.status(), &*unconditional.text()), (200, "0123456789"));
    assert_eq!(unconditional.header("accept-ranges"), None);
    assert!(unconditional.header("etag").is_some());
    assert_eq!(client.get("/untagged").header("etag"), None);
    assert_eq!(client.get("/tagged").header("etag"), Some("\"v1\""));
    assert_eq!(client.request("GET", "/tagged").header("if-none-match", "\"v1\"").send().status(), 304);
    assert_eq!(client.get("/bad-tag").status(), 500);
    assert_eq!(client.get("/bad-type").status(), 500);
    assert_eq!(client.get("/dated").header("last-modified"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    let same = client.request("GET", "/dated").header("if-modified-since", "Sun Nov  6 08:49:37 1994").send();
    assert_eq!((same.status(), same.header("last-modified")), (304, None));
    let at_once = client.get("/at-once");
    assert_eq!(at_once.header("cache-control"), Some("no-cache, max-age=0"));
    assert!(at_once.header("expires").is_some());
    assert!(
        client.get("/for-ever").header("cache-control").unwrap().starts_with("public, max-age=18446744073709551615")
    );
    let named = client.get("/named");
    assert_eq!(
        named.header("content-disposition"),
        Some("inline; filename=ete.csv; filename*=UTF-8''%C3%A9t%C3%A9.csv")
    );
    assert_eq!(named.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(client.get("/directory").header("content-disposition"), Some("attachment; filename=b.css"));
}

/// As Flask's: `"<time>-<size>-<adler32 of the path>"`, with the time as Python writes a float.
#[cfg(unix)]
#[test]
fn tags_of_files() {
    let folder = Folder::new("tags");
    folder.write("static/a.txt", "0123456789");
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    let client = client(app);
    let path = folder.0.join("static/a.txt");
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in path.to_str().unwrap().bytes() {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    for (nanos, time) in [
        (784_111_777_000_000_000, "784111777.0"),
        (784_111_777_250_000_000, "784111777.25"),
        (1_700_000_000_123_456_789, "1700000000.1234567"),
        (1_700_000_000_999_999_999, "1700000001.0"),
        (1_763_739_000_100_000_000, "1763739000.1"),
        (0, "0.0"),
    ] {
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)).unwrap();
        let tag = format!("\"{time}-10-{}\"", b << 16 | a);
        assert_eq!(client.get("/static/a.txt").header("etag"), Some(&*tag));
    }
}

#[test]
fn data_as_files() {
    let mut app = App::new("demo");
    let named = |name: &str| SendFile { download_name: Some(name.into()), ..SendFile::default() };
    app.get("/bytes", move || send_data("0123456789", &named("a.csv")));
    app.get("/reader", move || send_data(Body::reader(&b"0123456789"[..]), &named("a.csv")));
    app.get("/sized", move || send_data(Body::sized_reader(&b"0123456789"[..], 10), &named("a.csv")));
    app.get("/typed", || send_data("x", &SendFile { mimetype: Some("image/png".into()), ..SendFile::default() }));
    app.get("/tagged", || {
        let etag = FileETag::Named("v1".into());
        send_data("0123", &SendFile { etag, mimetype: Some("x/y".into()), ..SendFile::default() })
    });
    app.get("/nameless", || send_data("x", &SendFile::default()));
    app.get("/nameless-attachment", || {
        send_data("x", &SendFile { as_attachment: true, mimetype: Some("x/y".into()), ..SendFile::default() })
    });
    let client = client(app);
    for path in ["/bytes", "/reader", "/sized"] {
        let response = client.get(path);
        assert_eq!((response.status(), &*response.text()), (200, "0123456789"), "{path}");
        assert_eq!(response.header("content-type"), Some("text/csv; charset=utf-8"));
        assert_eq!(response.header("content-disposition"), Some("inline; filename=a.csv"));
        assert_eq!((response.header("etag"), response.header("last-modified")), (None, None));
        assert_eq!(response.header("cache-control"), Some("no-cache"));
        let part = client.request("GET", path).header("range", "bytes=2-4").send();
        // A reader's length is not known, so there are no parts of it.
        let wanted = if path == "/reader" { (200, "0123456789") } else { (206, "234") };
        assert_eq!((part.status(), &*part.text()), wanted, "{path}");
        let beyond = client.request("GET", path).header("range", "bytes=10-").send();
        assert_eq!(beyond.status(), if path == "/reader" { 200 } else { 416 });
    }
    assert_eq!(client.get("/typed").header("content-disposition"), None);
    assert_eq!(client.request("GET", "/tagged").header("if-none-match", "\"v1\"").send().status(), 304);
    assert_eq!(client.request("GET", "/tagged").header("if-match", "\"v2\"").send().status(), 412);
    let nameless = client.get("/nameless");
    assert!(nameless.error().unwrap().to_string().contains("download_name"), "{nameless:?}");
    assert_eq!(client.get("/nameless-attachment").status(), 500);
}

#[test]
fn the_server_in_front_sends_files() {
    let folder = Folder::new("sendfile");
    folder.write("static/a.txt", "0123456789");
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    app.config_mut().set("USE_X_SENDFILE", true).set("SEND_FILE_MAX_AGE_DEFAULT", 60);
    let client = client(app);
    let response = client.get("/static/a.txt");
    let path = folder.0.join("static/a.txt");
    assert_eq!((response.status(), response.header("x-sendfile")), (200, path.to_str()));
    assert_eq!(response.text(), "");
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(response.header("cache-control"), Some("public, max-age=60"));
    let tag = response.header("etag").unwrap();
    let known = client.request("GET", "/static/a.txt").header("if-none-match", tag).send();
    assert_eq!((known.status(), known.header("x-sendfile")), (304, None));
    assert_eq!(client.get("/static/b.txt").status(), 404);
}

/// By Python's `mimetypes`.
#[test]
fn names() {
    let folder = Folder::new("names");
    let names = [
        ("a.csv.gz", "text/csv; charset=utf-8", Some("gzip")),
        ("README.gz", "application/octet-stream", Some("gzip")),
        ("x.tgz", "application/x-tar", Some("gzip")),
        ("x.tar.bz2", "application/x-tar", Some("bzip2")),
        ("x.svgz", "image/svg+xml; charset=utf-8", Some("gzip")),
        ("x.tar.xz", "application/x-tar", Some("xz")),
        (".gz", "application/octet-stream", None),
        ("x.PNG", "image/png", None),
    ];
    for (name, ..) in names {
        folder.write(&format!("static/{name}"), "x");
    }
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    let client = client(app);
    for (name, content_type, encoding) in names {
        let response = client.get(&format!("/static/{name}"));
        assert_eq!(response.header("content-type"), Some(content_type), "{name}");
        assert_eq!(response.header("content-encoding"), encoding, "{name}");
    }
}
