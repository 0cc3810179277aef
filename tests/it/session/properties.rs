//! Random sessions and broken cookies.

use std::time::SystemTime;

use dewar::{Cookie, SessionData, SessionSerializer, parse_cookies};
use serde_json::{Map, Value};

use super::{DAY, app, then};
use crate::support::{Random, client};

fn alphabet() -> Vec<char> {
    "abx01._-\"\\'; ,=é😀\u{7f}\u{0}\n{}[]:<&".chars().collect()
}

/// Any JSON, with keys that look like tags now and then.
fn value(random: &mut Random, depth: usize) -> Value {
    let text = |random: &mut Random| random.text(&alphabet(), 12);
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => (random.below(2) == 0).into(),
        2 => (random.next() as i64).into(),
        3 => f64::from_bits(random.next()).into(),
        4 => ((random.next() % 2000) as f64 / 8.0).into(),
        5 => text(random).into(),
        6 | 7 => (0..random.below(4)).map(|_| value(random, depth - 1)).collect(),
        _ => {
            let mut object = Map::new();
            for _ in 0..random.below(3) {
                let key = match random.below(3) {
                    0 => [" t", " b", " m", " u", " d", " di", " t__"][random.below(7)].to_owned(),
                    _ => text(random),
                };
                object.insert(key, value(random, depth - 1));
            }
            Value::Object(object)
        }
    }
}

#[test]
fn random_sessions_come_back() {
    let mut random = Random(1);
    let serializer = SessionSerializer::new("dev");
    for _ in 0..500 {
        let mut data = SessionData::new();
        let mut wanted = Map::new();
        for _ in 0..random.below(4) {
            let key = if random.below(4) == 0 { " t".into() } else { random.text(&alphabet(), 6) };
            let value = value(&mut random, 3);
            data.set(key.as_str(), &value).unwrap();
            wanted.insert(key, value);
        }
        let cookie = serializer.dumps(&data, then());
        let read = serializer.loads(&cookie, DAY, then()).unwrap();
        assert_eq!(read.len(), wanted.len());
        for (key, value) in &wanted {
            assert_eq!(read.get::<Value>(key).as_ref(), Some(value), "{key:?} of {}", data.to_tagged_json());
        }
        assert_eq!(read.to_tagged_json(), data.to_tagged_json());
        // And through a header.
        let header = Cookie::new("session", cookie.as_str()).to_header();
        let sent = header.to_str().unwrap().split(';').next().unwrap();
        assert_eq!(parse_cookies(sent).next().unwrap(), ("session", cookie.as_str().into()));
    }
}

#[test]
fn broken_cookies_are_empty_sessions() {
    let mut random = Random(2);
    let client = client(app());
    let serializer = SessionSerializer::new("dev");
    for round in 0..300 {
        let mut data = SessionData::new();
        data.set("n", 7).unwrap();
        data.set("text", random.text(&['a', 'b'], 120)).unwrap();
        let fine = serializer.dumps(&data, SystemTime::now());
        let mut broken = fine.clone().into_bytes();
        match round % 3 {
            0 => broken.truncate(random.below(fine.len())),
            1 => {
                let at = random.below(fine.len());
                broken[at] = b"Zz9_-.=*"[random.below(8)];
            }
            _ => broken = (0..random.below(40)).map(|_| b"eyJ.ZVPxA_-=*"[random.below(13)]).collect(),
        }
        let broken = String::from_utf8(broken).unwrap();
        let sent = format!("session={broken}");
        let response = client.request("GET", "/get/n").header("cookie", &sent).send();
        let wanted = if broken == fine { "7" } else { "" };
        assert_eq!((response.status(), response.text().as_str()), (200, wanted), "{broken}");
        assert_eq!(response.header("set-cookie"), None);
    }
}

#[test]
fn cookie_headers_survive_anything() {
    let mut random = Random(3);
    for _ in 0..1000 {
        // What we write, we read.
        let value = random.text(&alphabet(), 20);
        let header = Cookie::new("n", value.as_str()).to_header();
        let sent = header.to_str().unwrap().strip_suffix("; Path=/").unwrap();
        let read: Vec<_> = parse_cookies(sent).collect();
        assert_eq!(read, [("n", value.as_str().into())], "{sent}");
        // What others write is read somehow, each pair once.
        let header = random.text(&alphabet(), 40);
        assert!(parse_cookies(&header).count() <= header.matches(';').count() + 1);
        let beside = format!("{header}; mine=1");
        assert_eq!(parse_cookies(&beside).last().unwrap(), ("mine", "1".into()), "{header:?}");
    }
}
