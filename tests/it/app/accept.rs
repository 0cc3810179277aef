//! What a client would like to get. The table is what Werkzeug answers.

use dewar::{Accept, App, Request, request};

use crate::support::{Random, client};

type Read = fn(&str) -> Accept;

/// The reader, the header, what is offered, the best of it, the entries in order, and the quality of each offer.
type Row = (Read, &'static str, &'static [&'static str], Option<&'static str>, &'static str, &'static [f64]);

#[rustfmt::skip]
const WERKZEUG: &[Row] = &[
    (Accept::mimetypes, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", &["application/json", "text/html"], Some("text/html"), "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", &[0.8, 1.0]),
    (Accept::mimetypes, "text/*;q=0.5, text/html;q=0.1, */*;q=0.9", &["text/html", "text/plain", "image/png"], Some("image/png"), "text/html;q=0.1,text/*;q=0.5,*/*;q=0.9", &[0.1, 0.5, 0.9]),
    (Accept::mimetypes, "*/*", &["image/png", "text/html"], Some("image/png"), "*/*", &[1.0, 1.0]),
    (Accept::mimetypes, "text/html;level=1;q=0.4, text/html;q=0.7", &["text/html;level=1", "text/html"], Some("text/html"), "text/html; level=1;q=0.4,text/html;q=0.7", &[0.4, 0.7]),
    (Accept::mimetypes, "text/html; b=2; a=1", &["text/html;a=1;b=2", "text/html"], Some("text/html;a=1;b=2"), "text/html; b=2; a=1", &[1.0, 0.0]),
    (Accept::mimetypes, "application/json;q=0, */*", &["application/json", "text/html"], Some("text/html"), "application/json;q=0.0,*/*", &[0.0, 1.0]),
    (Accept::mimetypes, "application/json;q=0", &["application/json"], None, "application/json;q=0.0", &[0.0]),
    (Accept::mimetypes, "TEXT/HTML", &["text/html"], Some("text/html"), "TEXT/HTML", &[1.0]),
    (Accept::mimetypes, "*/html, text", &["text/html"], None, "text,*/html", &[0.0]),
    (Accept::mimetypes, "", &["text/html"], None, "", &[0.0]),
    (Accept::mimetypes, "text/html", &["*/*", "text/*"], Some("*/*"), "text/html", &[1.0, 1.0]),
    (Accept::mimetypes, "a/b;q=0.3, c/d;q=2, e/f;q=x, g/h;q=-1, i/j;q=0.30", &["a/b", "c/d", "e/f", "g/h", "i/j"], Some("a/b"), "a/b;q=0.3,i/j;q=0.3", &[0.3, 0.0, 0.0, 0.0, 0.3]),
    (Accept::mimetypes, "text/html;q=\"0.5\", text/plain", &["text/html", "text/plain"], Some("text/plain"), "text/plain,text/html;q=0.5", &[0.5, 1.0]),
    (Accept::mimetypes, "text/html;q=.5, text/plain;q=1.", &["text/html", "text/plain"], None, "", &[0.0, 0.0]),
    (Accept::mimetypes, "text/plain;q=0.5, text/html;q=0.5", &["text/html", "text/plain"], Some("text/html"), "text/plain;q=0.5,text/html;q=0.5", &[0.5, 0.5]),
    (Accept::languages, "de-AT,de;q=0.7,en;q=0.3", &["en", "de", "de-AT"], Some("de-AT"), "de-AT,de;q=0.7,en;q=0.3", &[0.3, 0.7, 1.0]),
    (Accept::languages, "en-us", &["en"], Some("en"), "en-us", &[0.0]),
    (Accept::languages, "en", &["en-US", "en-GB"], Some("en-US"), "en", &[0.0, 0.0]),
    (Accept::languages, "en-GB", &["en_US", "de"], None, "en-GB", &[0.0, 0.0]),
    (Accept::languages, "en_us", &["EN-US"], Some("EN-US"), "en_us", &[1.0]),
    (Accept::languages, "de;q=0, en;q=0.5", &["de", "en-GB"], Some("en-GB"), "en;q=0.5,de;q=0.0", &[0.0, 0.0]),
    (Accept::languages, "zh-Hant-TW, *;q=0.1", &["zh-TW", "fr"], Some("zh-TW"), "zh-Hant-TW,*;q=0.1", &[0.1, 0.1]),
    (Accept::languages, "fr", &["en", "de"], None, "fr", &[0.0, 0.0]),
    (Accept::languages, "es-419, pt", &["pt-BR", "es-ES"], Some("pt-BR"), "es-419,pt", &[0.0, 0.0]),
    (Accept::encodings, "gzip, br;q=0.9, *;q=0", &["br", "gzip", "zstd"], Some("gzip"), "gzip,br;q=0.9,*;q=0.0", &[0.9, 1.0, 0.0]),
    (Accept::encodings, "gzip;q=1.0, identity; q=0.5, *;q=0", &["identity", "gzip"], Some("gzip"), "gzip,identity;q=0.5,*;q=0.0", &[0.5, 1.0]),
    (Accept::encodings, "GZip", &["gzip"], Some("gzip"), "GZip", &[1.0]),
    (Accept::charsets, "ISO-8859-1, utf-8;q=0.7", &["utf8", "latin1"], Some("latin1"), "ISO-8859-1,utf-8;q=0.7", &[0.7, 1.0]),
    (Accept::charsets, "UTF8", &["utf_8", "ascii"], Some("utf_8"), "UTF8", &[1.0, 0.0]),
    (Accept::charsets, "windows-1252;q=0.5, us-ascii", &["cp1252", "ASCII"], Some("ASCII"), "us-ascii,windows-1252;q=0.5", &[0.5, 1.0]),
    (Accept::charsets, "iso-8859-15, *;q=0.1", &["latin1", "iso8859-15"], Some("iso8859-15"), "iso-8859-15,*;q=0.1", &[0.1, 1.0]),
];

#[test]
fn as_werkzeug() {
    for (read, header, offers, best, entries, qualities) in WERKZEUG {
        let accept = read(header);
        assert_eq!(accept.best_match(offers.iter().copied()), *best, "{header} of {offers:?}");
        assert_eq!(accept.to_string(), *entries, "{header}");
        for (offer, quality) in offers.iter().zip(*qualities) {
            assert_eq!(accept.quality(offer), *quality, "{header} of {offer}");
        }
        assert_eq!(accept.is_provided(), !header.is_empty());
        assert_eq!(accept.best(), accept.values().next());
    }
}

#[test]
fn by_the_request() {
    let mut app = App::new("demo");
    app.get("/", || {
        let request = request();
        let types = request.accept_mimetypes();
        let (html, json, xhtml) = (types.accept_html(), types.accept_json(), types.accept_xhtml());
        let languages = request.accept_languages();
        let packed = request.accept_encodings().contains("gzip");
        let charset = request.accept_charsets().best().map(str::to_owned);
        format!("{html} {json} {xhtml} {:?} {packed} {charset:?}", languages.best_match(["en", "de"]))
    });
    let client = client(app);
    assert_eq!(client.get("/").text(), "false false false None false None");
    let response = client
        .request("GET", "/")
        .header("accept", "application/xml, */*;q=0.1")
        .header("accept-language", "fr, de")
        .header("accept-encoding", "gzip;q=0")
        .header("accept-charset", "utf-8")
        .send();
    assert_eq!(response.text(), "true true true Some(\"de\") true Some(\"utf-8\")");
}

#[test]
fn several_lines_are_one_list() {
    let mut request = Request::get("/").with_header("accept", "text/html;q=0.5");
    request.head_mut().headers.append("accept", "image/png".parse().unwrap());
    let bytes = dewar::http::HeaderValue::from_bytes(b"text/\xff\xfe").unwrap();
    request.head_mut().headers.append("accept", bytes);
    assert_eq!(request.accept_mimetypes().to_string(), "image/png,text/\u{ff}\u{fe},text/html;q=0.5");
}

#[test]
fn what_is_not_a_media_type_matches_nothing() {
    let accept = Accept::mimetypes("*/*, html");
    for value in ["html", "", "*", "*/html"] {
        assert!(!accept.contains(value), "{value}");
    }
}

#[test]
fn huge_headers() {
    for header in [
        "a/b,".repeat(1 << 18),
        "a".repeat(1 << 20),
        "\"".repeat(1 << 20),
        "a/b;q=0.1".to_owned() + &";x=y".repeat(1 << 18),
    ] {
        for read in [Accept::mimetypes, Accept::charsets, Accept::encodings, Accept::languages] {
            let accept = read(&header);
            assert!(accept.len() <= 256, "{}", accept.len());
            assert_eq!(accept.best_match(["text/none", "zz"]), None);
        }
    }
}

#[test]
fn any_header_is_read_and_ordered() {
    let letters: Vec<char> = "ab*/*;;,,q==0.15 \t\"\\'%-_\u{e9}\u{ff}\0".chars().collect();
    let mut random = Random(11);
    for _ in 0..5000 {
        let header = random.text(&letters, 40);
        for read in [Accept::mimetypes, Accept::charsets, Accept::encodings, Accept::languages] {
            let accept = read(&header);
            for (value, quality) in accept.iter() {
                assert!((0.0..=1.0).contains(&quality), "{header:?}: {value}");
            }
            // Of entries that say as much the better liked come first; an entry for all is the last.
            let qualities = |wild: bool| -> Vec<f64> {
                accept
                    .iter()
                    .filter(|(value, _)| (*value == "*") == wild && !value.contains(['/', ';']))
                    .map(|(_, q)| q)
                    .collect()
            };
            for qualities in [qualities(true), qualities(false)] {
                assert!(qualities.is_sorted_by(|a, b| a >= b), "{header:?}: {accept:?}");
            }
            let offers = [random.text(&letters, 6), "a/b".to_owned(), "a".to_owned()];
            if let Some(best) = accept.best_match(offers.iter().map(String::as_str)) {
                assert!(offers.iter().any(|offer| offer == best), "{header:?}: {best:?} of {offers:?}");
            }
            let _ = read(&accept.to_string());
        }
    }
}
