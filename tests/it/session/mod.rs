//! Sessions and flashed messages: Flask's cookies, read and written; and sessions that are kept elsewhere.

mod cookie;
mod flashes;
mod interface;
mod properties;
mod requests;
mod wire;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dewar::{App, BadSession, Session, SessionData, SessionSerializer, TestClient, session};
use serde_json::Value;

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// When the vectors were signed.
pub(super) fn then() -> SystemTime {
    at(1_700_000_000)
}

pub(super) fn read(cookie: &str) -> Result<SessionData, BadSession> {
    SessionSerializer::new("dev").loads(cookie, DAY, then())
}

pub(super) const TAGS: &str = r#"{"all":[{" t":[1,{" t":[2,"x"]}]},{" b":"AP8="},{" m":"<b>&</b>"},{" u":"12345678123456781234567812345678"},{" d":"Tue, 02 Jan 2024 03:04:05 GMT"}]}"#;

/// A cookie signed now.
pub(super) fn signed(key: &str, values: &[(&str, Value)]) -> String {
    let mut data = SessionData::new();
    for (name, value) in values {
        data.set(*name, value).unwrap();
    }
    SessionSerializer::new(key).dumps(&data, SystemTime::now())
}

/// An app that does with its session what its paths say.
pub(super) fn app() -> App {
    let mut app = App::new("sessions");
    app.config_mut().set("SECRET_KEY", "dev");
    app.get("/nothing", || "").endpoint("nothing");
    app.get("/argument", |_: Session| "").endpoint("argument");
    app.get("/get/<key>", |key: String| session().get::<Value>(&key).map(|v| v.to_string()).unwrap_or_default())
        .endpoint("get");
    app.get("/set/<key>/<int:n>", |key: String, n: i64| session().set(key, n)).endpoint("set");
    app.get("/remove/<key>", |key: String| session().remove(&key).to_string()).endpoint("remove");
    app.get("/pop/<key>", |key: String| format!("{:?}", session().pop::<i64>(&key))).endpoint("pop");
    app.get("/contains/<key>", |key: String| session().contains(&key).to_string()).endpoint("contains");
    app.get("/keys", || session().keys().join(" ")).endpoint("keys");
    app.get("/clear", || session().clear()).endpoint("clear");
    app.get("/permanent/<int:yes>", |yes: i64| session().set_permanent(yes != 0)).endpoint("permanent");
    app.get("/modified/<int:yes>", |yes: i64| session().set_modified(yes != 0)).endpoint("modified");
    app
}

pub(super) fn config(key: &str, value: impl Into<Value>) -> TestClient {
    let mut app = app();
    app.config_mut().set(key, value);
    app.test_client()
}

/// What follows the value, without the time.
pub(super) fn attributes(header: &str) -> String {
    let (_, attributes) = header.split_once(';').unwrap_or_default();
    let shown = attributes.split(';').map(|attribute| match attribute.strip_prefix(" Expires=") {
        Some(_) => " Expires=…".to_owned(),
        None => attribute.to_owned(),
    });
    shown.map(|attribute| format!(";{attribute}")).collect()
}
