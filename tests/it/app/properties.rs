//! What holds for all values, tried with many made at random (but the same each time).

use dewar::routing::{UrlValue, encode_query};
use dewar::{App, Cookie, MultiDict, Response, Result, request, url_for};

use crate::support::{Random, client};

fn alphabet() -> Vec<char> {
    "abcXYZ019 \t\r\n\0\u{7f}\"\\;,=&+%#?/<>'éü€\u{1f980}\u{fffd}".chars().collect()
}

#[test]
fn cookies_survive_the_way_there_and_back() {
    let mut app = App::new("demo");
    app.post("/set", |body: Vec<u8>| Response::new(()).with_cookie(Cookie::new("c", String::from_utf8(body).unwrap())));
    app.get("/get", || request().cookie("c"));
    let client = client(app);
    let (mut random, letters) = (Random(1), alphabet());
    for _ in 0..1000 {
        let value = random.text(&letters, 12);
        let response = client.post("/set").body(value.clone()).send();
        assert!(response.headers()["set-cookie"].as_bytes().is_ascii());
        assert_eq!(client.cookie("c").as_deref(), Some(&*value));
        assert_eq!(client.get("/get").text(), value);
    }
}

#[test]
fn queries_survive_the_way_there_and_back() {
    let mut app = App::new("demo");
    app.get("/<path:p>", |p: String| {
        let request = request();
        let pairs: Vec<_> = request.args().iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        dewar::Json((p, pairs))
    })
    .endpoint("view");
    let service = crate::support::service(app);
    let client = dewar::TestClient::new(service.clone());
    let (mut random, letters) = (Random(2), alphabet());
    for _ in 0..1000 {
        // As in Werkzeug `path` takes no line break.
        let path = format!("p{}", random.text(&letters, 8).replace("//", "/").replace('\n', " "));
        let (one, two) = (random.text(&letters, 8), random.text(&letters, 8));
        let url: Result<String> = service.with_context(dewar::Request::get("/"), || {
            url_for!("view", p = &path, n = vec![one.as_str(), two.as_str()])
        });
        let url = url.unwrap();
        let response = client.get(&url);
        assert_eq!(response.status(), 200, "{path:?} {url}");
        let (seen, pairs): (String, Vec<(String, String)>) = response.json();
        assert_eq!(seen, path, "{url}");
        assert_eq!(pairs, [("n".to_owned(), one), ("n".to_owned(), two)], "{url}");
    }
}

#[test]
fn multidicts_keep_order_and_all_values() {
    let (mut random, letters) = (Random(3), alphabet());
    for _ in 0..1000 {
        let pairs: Vec<(String, String)> =
            (0..random.below(6)).map(|_| (format!("k{}", random.below(3)), random.text(&letters, 6))).collect();
        let values: Vec<(&str, UrlValue)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str().into())).collect();
        let parsed = MultiDict::parse(&encode_query(&values));
        let made: MultiDict = pairs.clone().into_iter().collect();
        assert_eq!(parsed, made);
        assert_eq!(parsed.len(), pairs.len());
        for key in ["k0", "k1", "k2"] {
            let wanted: Vec<_> = pairs.iter().filter(|(n, _)| n == key).map(|(_, v)| v.as_str()).collect();
            assert_eq!(parsed.getlist(key), wanted);
            assert_eq!(parsed.get(key), wanted.first().copied());
        }
    }
}

#[cfg(feature = "static_files")]
#[test]
fn ranges_are_slices() {
    let folder = crate::support::Folder::new("ranges");
    let bytes: Vec<u8> = (0..=255).collect();
    folder.write("static/f.bin", &bytes);
    let mut app = App::new("demo");
    app.root_path(&folder.0);
    let client = client(app);
    let (mut random, n) = (Random(4), bytes.len());
    for _ in 0..2000 {
        let (a, b) = (random.below(n + 40), random.below(n + 40));
        let (range, slice) = match random.below(3) {
            0 => (format!("bytes={a}-{b}"), (a <= b && a < n).then(|| a..(b + 1).min(n))),
            1 => (format!("bytes={a}-"), (a < n).then_some(a..n)),
            _ => (format!("bytes=-{a}"), (a > 0).then(|| n.saturating_sub(a)..n)),
        };
        let response = client.request("GET", "/static/f.bin").header("range", &range).send();
        match slice {
            Some(slice) => {
                assert_eq!(response.status(), 206, "{range}");
                assert_eq!(response.bytes(), &bytes[slice.clone()], "{range}");
                let said = format!("bytes {}-{}/{n}", slice.start, slice.end - 1);
                assert_eq!(response.header("content-range"), Some(&*said), "{range}");
            }
            None => {
                assert_eq!(response.status(), 416, "{range}");
                assert_eq!(response.header("content-range"), Some("bytes */256"), "{range}");
            }
        }
    }
}
