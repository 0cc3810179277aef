//! A client's headers, and what a response makes of them.

use dewar::http::{HeaderName, HeaderValue};
use dewar::http_date;
use dewar::{Accept, CacheControl, ContentRange, ETags, IfRange, Range, Request, Response, parse_cookies};

/// What the response says beside: ten bytes, with a tag and a date.
const BODY: &[u8] = b"0123456789";

/// Lines of `name: value`. Whatever they say, a request with them can be asked for everything, and a response that goes
/// by them is whole, a part that is what it says, or a refusal.
pub(crate) fn headers(data: &[u8]) {
    let mut request = Request::get("/");
    for line in data.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(line[colon + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            request.head_mut().headers.append(name, value);
        }
    }
    // No header has control characters.
    words(&String::from_utf8_lossy(data).replace(char::is_control, " "));
    asked(&request);
    answered(&request);
}

/// What is read from one text, and written again, is read as the same.
fn words(text: &str) {
    for (name, value) in parse_cookies(text) {
        assert!(name.len() + value.len() <= text.len() * 4);
    }
    let tags = ETags::parse(text);
    for (tag, weak) in tags.iter() {
        assert!(if weak { tags.contains_weak(tag) } else { tags.contains(tag) }, "{tag:?}");
    }
    if let Some(range) = Range::parse(text) {
        assert_eq!(Range::parse(&range.to_string()).as_ref(), Some(&range));
        for length in [0, 1, 10, u64::MAX] {
            if let Some(part) = range.range_for_length(length) {
                assert!(part.start < part.end && part.end <= length, "{part:?} of {length}");
            }
        }
    }
    if let Some(range) = ContentRange::parse(text) {
        assert_eq!(ContentRange::parse(&range.to_string()).as_ref(), Some(&range));
    }
    if let Some(range) = IfRange::parse(text) {
        let _ = range.to_string();
    }
    if let Some(date) = http_date::parse_http_date(text) {
        assert_eq!(http_date::parse_http_date(&http_date::format_http_date(date)), Some(date));
    }
    let cache = CacheControl::parse(text);
    // A name that is no token is kept as it came, and may be read in another way beside other neighbours.
    if cache.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')) {
        assert_eq!(CacheControl::parse(&cache.to_string()), cache, "{cache}");
    }
    for accept in [Accept::mimetypes(text), Accept::charsets(text), Accept::encodings(text)] {
        assert!(accept.iter().all(|(_, quality)| (0.0..=1.0).contains(&quality)));
        if let Some(best) = accept.best_match(["text/html", "utf-8", "gzip"]) {
            assert!(accept.quality(best) > 0.0);
        }
    }
    // A language may be the best by its first part, of which the header says nothing.
    let languages = Accept::languages(text);
    assert!(languages.best_match(["en", "de-AT"]).is_none_or(|best| ["en", "de-AT"].contains(&best)));
}

fn asked(request: &Request) {
    let _ = (request.cookies(), request.content_type(), request.mimetype(), request.mimetype_params());
    let _ = (request.content_length(), request.date(), request.max_forwards(), request.user_agent());
    let _ = (request.authorization(), request.access_route(), request.access_control_request_headers());
    let _ = (request.if_match(), request.if_none_match(), request.if_modified_since(), request.if_range());
    let _ = (request.range(), request.cache_control(), request.host(), request.url(), request.form().is_ok());
    let _ = (request.accept_mimetypes().best(), request.accept_languages().best_match(["en", "de"]));
}

fn answered(request: &Request) {
    let mut response = Response::new(BODY);
    response.set_etag("tag", false);
    response.set_header("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT");
    match response.make_conditional_range(request, None) {
        Err(error) => assert_eq!(error.status(), 416),
        Ok(_) => match response.status_code() {
            200 => assert_eq!(response.get_data().expect("it is in memory")[..], *BODY),
            206 => {
                let range = response.header("content-range").and_then(ContentRange::parse);
                let part = range.and_then(|range| range.range()).expect("a part says which one it is");
                let part = &BODY[part.start as usize..part.end as usize];
                assert_eq!(response.get_data().expect("it is in memory")[..], *part);
            }
            status => assert!([304, 412].contains(&status), "{status}"),
        },
    }
}
