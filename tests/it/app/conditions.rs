//! Conditions, ranges, dates and cache directives: read, written, and weighed. The tables were made by Werkzeug 3.1; where
//! an RFC says otherwise and is followed, the line says so.

use std::time::{Duration, SystemTime};

use dewar::http_date::{format_http_date, parse_http_date};
use dewar::{
    App, Body, ByteRange, CacheControl, ContentRange, ContentSecurityPolicy, ETags, HeaderSet, IfRange, Range, Request,
    Response, Result, quote_etag, request, unquote_etag,
};

use crate::support::{Random, client, panic_message};

fn at(seconds: i64) -> SystemTime {
    let away = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::UNIX_EPOCH - away } else { SystemTime::UNIX_EPOCH + away }
}

#[test]
fn dates() {
    for (text, seconds) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
        ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
        ("6 Nov 1994 08:49:37", Some(784_111_777)),
        ("06 Nov 94 08:49", Some(784_111_740)),
        ("Mon, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
        ("Sun, 06 Nov 1994 08:49:37 +0200", Some(784_104_577)),
        ("Sun, 06 Nov 1994 08:49:37 -0130", Some(784_117_177)),
        ("Sun, 06 Nov 1994 08:49:37 EST", Some(784_129_777)),
        ("Sun, 06 Nov 1994 08:49:37 XYZ", Some(784_111_777)),
        ("Sun, 6 November 1994 08:49:37 GMT", Some(784_111_777)),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("Sun, 29 Feb 2000 00:00:00 GMT", Some(951_782_400)),
        ("Sun, 29 Feb 1900 00:00:00 GMT", None),
        ("Sun, 06 Nov 99999 08:49:37 GMT", None),
        ("Sun, 06 Nov -994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("Sun, 06 Nov 1994 23:59:60 GMT", None),
        ("Sun, 06 Nov 1994", None),
        ("nonsense", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
        ("1 Jan 68 00:00:00 GMT", Some(3_092_601_600)),
        ("1 Jan 69 00:00:00 GMT", Some(-31_536_000)),
        ("Sun, 00 Nov 1994 08:49:37 GMT", None),
        ("sun, 06 nov 1994 08:49:37 gmt", Some(784_111_777)),
        ("784111777", None),
        ("1994-11-06T08:49:37Z", None),
        ("Sun, 06 Nov 1994 8:9:7 GMT", Some(784_109_347)),
        ("Sun, 06 Nov 1994 08.49.37 GMT", Some(784_111_777)),
        ("Sun, 06 Nov 1994 08:49:37:00 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 +9999", None),
        // The year one is none of these, and neither are longer forms.
        ("Sun, 06 Nov 1994 08:49:37 GMT; length=5", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT                                                          ", None),
        ("Sun, 06 Nov 1994 08:49:37 +", None),
        ("éun, 06 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Növ 1994 08:49:37 GMT", None),
    ] {
        assert_eq!(parse_http_date(text), seconds.map(at), "{text}");
    }
    assert_eq!(format_http_date(at(-1)), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(format_http_date(at(1 << 40)), "Fri, 31 Dec 9999 23:59:59 GMT");
}

#[test]
fn dates_round_trip() {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut random = Random(1);
    for _ in 0..20_000 {
        let date = at(random.below(253_402_300_800) as i64);
        let text = format_http_date(date);
        assert_eq!(parse_http_date(&text), Some(date), "{text}");
        // The same without the weekday goes the long way.
        assert_eq!(parse_http_date(&text[5..]), Some(date), "{text}");
        let words: Vec<&str> = text.split(' ').collect();
        let asctime = format!("{} {} {} {} {}", &words[0][..3], words[2], words[1], words[4], words[3]);
        assert_eq!(parse_http_date(&asctime), Some(date), "{asctime}");
        assert!(MONTHS.contains(&words[2]));
    }
    let alphabet: Vec<char> = "Sun, 06-Nov1994 :08GMT+é\t".chars().collect();
    for _ in 0..20_000 {
        let text = random.text(&alphabet, 40);
        if let Some(date) = parse_http_date(&text) {
            let again = parse_http_date(&format_http_date(date)).unwrap();
            assert!(again == date || date < SystemTime::UNIX_EPOCH, "{text}");
        }
    }
}

#[test]
fn etags() {
    for (list, strong, weak) in [
        (r#""a""#, &["a"][..], &[][..]),
        (r#""a", "b""#, &["a", "b"], &[]),
        (r#"W/"a""#, &[], &["a"]),
        (r#"w/"a""#, &[], &["a"]),
        ("a, b", &["a", "b"], &[]),
        (r#""a" "b""#, &[], &[]),
        (r#""a"x, "b""#, &["b"], &[]),
        (r#""a"#, &[], &[]),
        (r#"W/"a",W/"b", "c""#, &["c"], &["a", "b"]),
        (r#",,"a",,"#, &["a"], &[]),
        (r#""a,b""#, &["a,b"], &[]),
        ("W/a", &[], &["a"]),
        (r#""a"b""#, &[], &[]),
        ("", &[], &[]),
        (r#""a"	,	"b""#, &["a", "b"], &[]),
    ] {
        let tags = ETags::parse(list);
        let of = |weak: bool| tags.iter().filter(|(_, w)| *w == weak).map(|(tag, _)| tag).collect::<Vec<_>>();
        assert_eq!((of(false), of(true), tags.is_star()), (strong.to_vec(), weak.to_vec(), false), "{list}");
        assert_eq!(tags.is_empty(), strong.is_empty() && weak.is_empty());
        assert!(strong.iter().all(|tag| tags.contains(tag) && tags.is_strong(tag) && tags.contains_weak(tag)));
        assert!(weak.iter().all(|tag| !tags.contains(tag) && tags.is_weak(tag) && tags.contains_weak(tag)));
    }
    let star = ETags::parse("*");
    assert!(star.is_star() && star.contains("x") && !star.is_strong("x") && star.to_string() == "*");
    let tags = ETags::parse(r#""a", W/"b""#);
    assert!(tags.contains_raw("\"a\"") && tags.contains_raw("W/\"b\"") && !tags.contains_raw("\"b\""));
    assert_eq!(
        (unquote_etag("W/\"b\""), unquote_etag("x"), unquote_etag("")),
        (("b", true), ("x", false), ("", false))
    );
    assert_eq!(quote_etag("a", false), "\"a\"");
    assert!(panic_message(|| _ = quote_etag("\"", true)).contains("quote"));

    let mut random = Random(2);
    let alphabet = ['a', 'b', ',', ' ', '*', '/', 'W', '\\'];
    for _ in 0..2000 {
        let own: Vec<(String, bool)> =
            (0..random.below(5)).map(|_| (random.text(&alphabet, 4), random.below(2) == 0)).collect();
        let list = own.iter().map(|(tag, weak)| quote_etag(tag, *weak)).collect::<Vec<_>>().join(", ");
        let tags = ETags::parse(&list);
        assert_eq!(tags.iter().map(|(tag, weak)| (tag.to_owned(), weak)).collect::<Vec<_>>(), own, "{list}");
        assert_eq!(tags.to_string(), list);
        let noise = random.text(&['"', ',', 'W', '/', 'a', ' '], 20);
        let once = ETags::parse(&noise);
        assert_eq!(ETags::parse(&once.to_string()), once, "{noise}");
    }
}

#[test]
fn ranges() {
    use ByteRange::{From, FromTo, Last};
    for (header, ranges) in [
        ("bytes=0-0", &[FromTo(0, 1)][..]),
        ("bytes=0-99", &[FromTo(0, 100)]),
        ("bytes=5-", &[From(5)]),
        ("bytes=-5", &[Last(5)]),
        ("bytes=0-1,5-6", &[FromTo(0, 2), FromTo(5, 7)]),
        ("bytes=0-1,-5", &[FromTo(0, 2), Last(5)]),
        ("Bytes=0-1", &[FromTo(0, 2)]),
        ("  bytes =0-1", &[FromTo(0, 2)]),
        ("items=0-1", &[FromTo(0, 2)]),
        ("bytes=0 - 1", &[FromTo(0, 2)]),
        ("bytes=0-99999999999999999999", &[FromTo(0, u64::MAX)]),
        ("bytes=-0", &[]),
        ("bytes=5-6,0-1", &[]),
        ("bytes=0-5,3-6", &[]),
        ("bytes=0-,5-6", &[]),
        ("bytes=-5,-6", &[]),
        ("bytes", &[]),
        ("bytes=", &[]),
        ("bytes=-", &[]),
        ("bytes=a-b", &[]),
        ("bytes=3-2", &[]),
        ("bytes=+1-2", &[]),
        ("bytes=1--2", &[]),
        ("bytes=--1", &[]),
        ("bytes=0-1,", &[]),
        ("bytes=1-2-3", &[]),
        ("bytes=\u{661}-2", &[]),
    ] {
        let range = Range::parse(header);
        assert_eq!(range.as_ref().map_or(&[][..], Range::ranges), ranges, "{header}");
        if let Some(range) = range {
            assert_eq!(Range::parse(&range.to_string()).unwrap(), range, "{header}");
        }
    }
    for (header, length, part) in [
        ("bytes=0-4", 10, Some(0..5)),
        ("bytes=5-100", 10, Some(5..10)),
        ("bytes=9-", 10, Some(9..10)),
        ("bytes=10-", 10, None),
        ("bytes=-3", 10, Some(7..10)),
        ("bytes=-30", 10, Some(0..10)), // RFC 9110 section 14.1.2; None in Werkzeug
        ("bytes=0-1,3-4", 10, None),
        ("items=0-4", 10, None),
        ("bytes=0-", 0, None),
        ("bytes=-1", 0, None),
    ] {
        let range = Range::parse(header).unwrap();
        assert_eq!(range.range_for_length(length), part, "{header} of {length}");
        let content = part.map(|part| format!("bytes {}-{}/{length}", part.start, part.end - 1));
        assert_eq!(range.to_content_range(length).map(|range| range.to_string()), content);
    }
    for (text, parsed) in [
        ("bytes 0-99/1000", Some((Some(0..100), Some(1000)))),
        ("bytes 0-99/*", Some((Some(0..100), None))),
        ("bytes */1000", Some((None, Some(1000)))),
        ("bytes */*", Some((None, None))),
        ("bytes 0-1000/1000", None),
        ("bytes 5-4/10", None),
        ("bytes 0-18446744073709551615/*", None),
        ("bytes 0-1", None),
        ("0-1/2", None),
        ("", None),
    ] {
        let range = ContentRange::parse(text);
        assert_eq!(range.as_ref().map(|range| (range.range(), range.length())), parsed, "{text}");
        assert!(range.is_none_or(|range| range.to_string() == text && range.units() == "bytes"));
    }
    assert!(panic_message(|| _ = ContentRange::bytes(0..5, Some(4))).contains("no part"));
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(IfRange::parse(date), Some(IfRange::Date(at(784_111_777))));
    assert_eq!(IfRange::parse("W/\"x\""), Some(IfRange::ETag { tag: "x".into(), weak: true }));
    assert_eq!(IfRange::parse(" "), None);
    assert_eq!(
        IfRange::parse("\"x\"").unwrap().to_string() + &IfRange::parse(date).unwrap().to_string(),
        format!("\"x\"{date}")
    );
}

#[test]
fn ranges_round_trip() {
    let mut random = Random(3);
    for _ in 0..5000 {
        let (mut text, mut from) = (String::from("bytes="), 0);
        for i in 0..=random.below(4) {
            let first = from + random.below(20);
            from = first + random.below(20) + 1;
            text += &format!("{}{first}-{}", if i > 0 { "," } else { "" }, from - 1);
        }
        let range = Range::parse(&text).unwrap();
        assert_eq!(range.to_string(), text);
        let noise = format!("bytes={}", random.text(&['0', '1', '-', ',', ' ', '9'], 12));
        if let Some(range) = Range::parse(&noise) {
            assert_eq!(Range::parse(&range.to_string()), Some(range.clone()), "{noise}");
            if let Some(part) = range.range_for_length(50) {
                assert!(part.start < part.end && part.end <= 50, "{noise}");
            }
        }
    }
}

#[test]
fn cache_control() {
    for (header, max_age, written) in [
        ("no-cache", None, "no-cache"),
        ("max-age=60", Some(60), "max-age=60"),
        ("max-age=\"60\"", Some(60), "max-age=60"),
        ("MAX-AGE=5", Some(5), "max-age=5"), // RFC 9111 section 5.2: directives have no case
        ("private=\"a, b\"", None, "private=\"a, b\""),
        ("max-age=-1", None, "max-age=-1"),
        ("max-age=x", None, "max-age=x"),
        ("max-age", None, "max-age"),
        ("a,,b", None, "a, b"),
        ("no-cache, max-age=0, max-age=5", Some(5), "no-cache, max-age=0, max-age=5"),
        ("=5", None, ""),
        ("max-age=99999999999999999999", Some(u64::MAX), "max-age=99999999999999999999"),
        (" public , max-age = 5 ", Some(5), "public, max-age=5"),
        ("x=\"a\\\"b\\\\\", y=\"", None, "x=\"a\\\"b\\\\\", y=\"\\\"\""),
    ] {
        let cache = CacheControl::parse(header);
        assert_eq!(cache.max_age(), max_age.map(Duration::from_secs), "{header}");
        assert_eq!(cache.to_string(), written);
        assert_eq!(CacheControl::parse(written), cache, "{header}");
    }
    let cache = CacheControl::parse("no-store, max-stale, min-fresh=3, only-if-cached, no-transform");
    assert!(cache.no_store() && cache.contains("max-stale") && cache.only_if_cached() && cache.no_transform());
    assert_eq!((cache.max_stale(), cache.min_fresh()), (None, Some(Duration::from_secs(3))));
    assert_eq!(cache.iter().count(), 5);

    let mut random = Random(4);
    let alphabet = ['a', '"', '\\', ',', '=', ' ', '5', '-', ';', 'é'];
    for _ in 0..5000 {
        let noise = random.text(&alphabet, 16);
        let cache = CacheControl::parse(&noise);
        let again = CacheControl::parse(&cache.to_string());
        // A name may hold what no name holds; what is set properly comes back.
        if cache.iter().all(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')) {
            assert_eq!(again, cache, "{noise:?}");
        }
        let value = random.text(&alphabet, 8);
        let mut made = CacheControl::new();
        made.set("x-own", Some(&value)).set_public(true);
        assert_eq!(CacheControl::parse(&made.to_string()), made, "{value:?}");
        let words: Vec<String> = (0..3).map(|_| random.text(&alphabet, 5)).filter(|w| !w.is_empty()).collect();
        let set: HeaderSet = words.iter().collect();
        assert_eq!(HeaderSet::parse(&set.to_string()), set, "{words:?}");
        let policy = ContentSecurityPolicy::parse(&noise);
        assert_eq!(ContentSecurityPolicy::parse(&policy.to_string()), policy, "{noise:?}");
    }
}

#[test]
fn of_requests() {
    let request = Request::get("/")
        .with_header("if-match", "\"a\"")
        .with_header("if-none-match", "*")
        .with_header("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")
        .with_header("if-unmodified-since", "nonsense")
        .with_header("if-range", "\"a\"")
        .with_header("range", "bytes=0-4")
        .with_header("cache-control", "max-age=0");
    assert!(request.if_match().contains("a") && request.if_none_match().is_star());
    assert_eq!((request.if_modified_since(), request.if_unmodified_since()), (Some(at(784_111_777)), None));
    assert_eq!(request.if_range().unwrap().to_string(), "\"a\"");
    assert_eq!(request.range().unwrap().ranges(), [ByteRange::FromTo(0, 5)]);
    assert_eq!(request.cache_control().max_age(), Some(Duration::ZERO));
    let bare = Request::get("/");
    assert!(bare.if_match().is_empty() && bare.range().is_none() && bare.cache_control().is_empty());
    // Of several lines, all.
    let mut several = Request::get("/");
    several.head_mut().headers.append("if-match", "\"a\"".parse().unwrap());
    several.head_mut().headers.append("if-match", "\"b\"".parse().unwrap());
    assert!(several.if_match().contains("b"));
}

fn conditional() -> App {
    let mut app = App::new("demo");
    app.route("/page", || {
        let mut response = Response::text("0123456789");
        response.set_etag("v1", false);
        response.set_last_modified(at(784_111_777));
        response.make_conditional(&request());
        response
    })
    .methods(["GET", "POST"]);
    app.get("/weak", || {
        let mut response = Response::text("0123456789");
        response.set_etag("v1", true);
        response.make_conditional(&request());
        response
    });
    app.get("/parts/<kind>", |kind: String| -> Result<Response> {
        let body = match kind.as_str() {
            "bytes" => Body::from("0123456789"),
            "blocks" => Body::blocks(["012", "3456", "", "789"]),
            _ => Body::reader(&b"0123456789"[..]),
        };
        let mut response = Response::text(body);
        response.set_etag("v1", false);
        response.make_conditional_range(&request(), Some(10))?;
        Ok(response)
    });
    app
}

#[test]
fn a_condition_of_other_bytes_than_texts_is_one_that_does_not_hold() {
    use dewar::Service;
    use dewar::http::HeaderValue;

    let service = crate::support::service(conditional());
    for (tag, status) in [(&b"\"v1\""[..], 206), (b"\"v2\"", 200), (b"\"v\xff\"", 200)] {
        let mut request = Request::get("/parts/bytes").with_header("range", "bytes=0-1");
        request.head_mut().headers.insert("if-range", HeaderValue::from_bytes(tag).unwrap());
        assert_eq!(service.call(request).status(), status, "{tag:?}");
    }
    for (name, status) in [("if-match", 412), ("if-none-match", 200)] {
        let mut request = Request::get("/page");
        request.head_mut().headers.insert(name, HeaderValue::from_bytes(b"\"v\xff\"").unwrap());
        assert_eq!(service.call(request).status(), status, "{name}");
    }
}

#[test]
fn pages() {
    let client = client(conditional());
    let (same, old, new) =
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Sat, 05 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT");
    for (path, headers, status) in [
        ("/page", &[][..], 200),
        ("/page", &[("if-none-match", "\"v1\"")], 304),
        ("/page", &[("if-none-match", "W/\"v1\"")], 304),
        ("/page", &[("if-none-match", "v1")], 304),
        ("/page", &[("if-none-match", "\"v2\"")], 200),
        ("/page", &[("if-none-match", "\"v2\""), ("if-modified-since", new)], 200),
        ("/page", &[("if-modified-since", same)], 304),
        ("/page", &[("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT")], 304),
        ("/page", &[("if-modified-since", old)], 200),
        ("/page", &[("if-modified-since", new)], 304),
        ("/page", &[("if-match", "\"v1\"")], 200),
        ("/page", &[("if-match", "\"v2\"")], 412),
        ("/page", &[("if-match", "W/\"v1\"")], 412),
        ("/page", &[("range", "bytes=0-1")], 200),
        ("/weak", &[("if-none-match", "\"v1\"")], 304),
        ("/weak", &[("if-match", "\"v1\"")], 412),
    ] {
        for method in ["GET", "HEAD"] {
            let mut request = client.request(method, path);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let response = request.send();
            assert_eq!(response.status(), status, "{method} {path} {headers:?}");
            assert_eq!(response.header("content-type").is_none(), status == 304);
            assert!(response.header("etag").is_some());
        }
    }
    assert_eq!(client.post("/page").header("if-none-match", "\"v1\"").send().status(), 200);
}

#[test]
fn parts_are_exactly_the_bytes() {
    let client = client(conditional());
    let whole = "0123456789";
    for kind in ["bytes", "blocks", "reader"] {
        let path = format!("/parts/{kind}");
        for (start, end) in (0..10).flat_map(|start| (start..12).map(move |last| (start, last + 1))) {
            let response = client.request("GET", &path).header("range", &format!("bytes={start}-{}", end - 1)).send();
            let end = end.min(10);
            assert_eq!((response.status(), &*response.text()), (206, &whole[start..end]), "{kind} {start}-{end}");
            assert_eq!(response.header("content-range"), Some(&*format!("bytes {start}-{}/10", end - 1)));
        }
        let last = client.request("GET", &path).header("range", "bytes=-3").send();
        assert_eq!((last.status(), &*last.text()), (206, "789"));
        assert_eq!(client.get(&path).header("accept-ranges"), Some("bytes"));
        assert_eq!(client.get(&path).text(), whole);
        for range in ["bytes=10-", "bytes=0-1,3-4", "bytes=x", "nonsense"] {
            let response = client.request("GET", &path).header("range", range).send();
            assert_eq!((response.status(), response.header("content-range")), (416, Some("bytes */10")), "{range}");
        }
        for (if_range, status) in [("\"v1\"", 206), ("\"v2\"", 200), ("W/\"v1\"", 200)] {
            let request = client.request("GET", &path).header("range", "bytes=0-1").header("if-range", if_range);
            assert_eq!(request.send().status(), status, "{if_range}");
        }
    }
}

/// What a client can make as long and as broken as it likes is read once, and answered.
#[test]
fn hostile() {
    let client = client(conditional());
    let many = (0..10_000).map(|n| format!("{}-{}", 2 * n, 2 * n)).collect::<Vec<_>>().join(",");
    let mib = 1 << 20;
    for (name, value, status) in [
        ("range", format!("bytes={many}"), 416),
        ("range", format!("bytes={}", "0-0,".repeat(10_000)), 416),
        ("range", format!("bytes={}-", "9".repeat(mib)), 416),
        ("range", format!("bytes={}", "-".repeat(mib)), 416),
        ("range", "=".repeat(mib), 200), // counted in a unit that is not known
        ("range", format!("bytes={}", ",".repeat(mib)), 416),
        ("if-none-match", "\"x\",".repeat(mib / 4), 200),
        ("if-none-match", "\"x\",".repeat(mib / 4) + "\"v1\"", 304),
        ("if-none-match", "\"".repeat(mib), 200),
        ("if-none-match", "W/\"".repeat(mib / 3), 200),
        ("if-none-match", "\",".repeat(mib / 2), 200),
        ("if-none-match", ",".repeat(mib), 200),
        ("if-none-match", "\"x".repeat(mib / 2), 200),
        ("if-match", "\"x\",".repeat(mib / 4), 412),
        ("if-range", "\"".repeat(mib), 200),
        ("if-modified-since", "Sun, ".repeat(mib / 5), 200),
        ("if-modified-since", "9".repeat(mib), 200),
        ("cache-control", "a=\"".repeat(mib / 3), 200),
    ] {
        let response = client.request("GET", "/parts/bytes").header(name, &value).send();
        assert_eq!(response.status(), status, "{name}: {}…", &value[..40]);
    }
    for text in [
        "a=\"".repeat(mib / 3),
        "\\\"".repeat(mib / 2),
        "\"\\".repeat(mib / 2),
        ",".repeat(mib),
        "a,".repeat(mib / 2),
        "=".repeat(mib),
        "\"".repeat(mib),
    ] {
        let cache = CacheControl::parse(&text);
        assert!(cache.max_age().is_none() && cache.to_string().len() <= 4 * mib);
        assert!(!HeaderSet::parse(&text).contains("x"));
        assert!(!ETags::parse(&text).contains("x"));
        assert!(ContentSecurityPolicy::parse(&text).get("x").is_none());
        assert!(
            parse_http_date(&text).is_none() && Range::parse(&text).is_none() && ContentRange::parse(&text).is_none()
        );
    }
}
