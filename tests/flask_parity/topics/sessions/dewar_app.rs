use std::time::{Duration, SystemTime};

use dewar::serde_json::Value;
use dewar::{App, Request, Response, Result, Tagged, json, session};

/// As Python's `str` shows it, as far as the cases go.
fn shown(value: Option<Value>) -> String {
    match value {
        None => "nothing".into(),
        Some(Value::String(text)) => text,
        Some(Value::Bool(true)) => "True".into(),
        Some(other) => other.to_string(),
    }
}

fn typed(name: String) -> Result<&'static str> {
    let session = session();
    match &*name {
        "tuple" => session.set_tagged("value", Tagged::Tuple(vec![json!(1), json!("a"), json!([2])]))?,
        "bytes" => session.set_tagged("value", Tagged::Bytes(vec![0, 255]))?,
        "markup" => session.set_tagged("value", Tagged::Markup("<b>&</b>".into()))?,
        "datetime" => {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
            session.set_tagged("value", Tagged::DateTime(at))?;
        }
        "uuid" => {
            let id = "12345678-1234-5678-1234-567812345678".parse().expect("a UUID");
            session.set_tagged("value", Tagged::Uuid(id))?;
        }
        "like_a_tag" => session.set("value", json!({ " t": [1] }))?,
        "nested" => session.set("value", json!({ "b": [null, true, 1.5], "a": { "x": "\u{1f600}" } }))?,
        "long" => session.set("value", "ab".repeat(500))?,
        "text" => session.set("value", "caf\u{e9} \"x\" </script>")?,
        "float" => session.set("value", 1.0)?,
        "big" => session.set("value", 10_u128.pow(30))?,
        "zero" => session.set("value", 0)?,
        _ => dewar::abort!(500),
    }
    Ok("set")
}

fn count() -> Result<String> {
    let n = session().get::<i64>("n").unwrap_or(0) + 1;
    session().set("n", n)?;
    Ok(n.to_string())
}

pub(crate) fn app() -> App {
    let mut app = crate::app("sessions");
    app.config_mut().set("SECRET_KEY", "of the parity suite");
    app.get("/set/<name>/<value>", |name: String, value: String| -> Result<&'static str> {
        session().set(name, value)?;
        Ok("set")
    });
    app.get("/count", count);
    app.get("/get/<name>", |name: String| shown(session().get(&name)));
    app.get("/typed/<name>", typed);
    app.get("/touch", || -> Result<&'static str> {
        session().set("touched", true)?;
        Ok("touched")
    });
    app.get("/keys", || {
        let mut keys = session().keys();
        keys.sort();
        keys.join(" ")
    });
    app.get("/has/<name>", |name: String| if session().contains(&name) { "yes" } else { "no" });
    app.get("/pop/<name>", |name: String| shown(session().pop(&name)));
    app.get("/clear", || {
        session().clear();
        "cleared"
    });
    app.get("/permanent/<int:on>", |on: u8| -> Result<&'static str> {
        session().set_permanent(on != 0)?;
        Ok(if session().permanent() { "permanent" } else { "not permanent" })
    });
    app.get("/unused", |request: Request| request.path().to_owned());
    app.get("/modified", || {
        session().set_modified(true);
        "modified"
    });
    app.get("/same", || -> Result<&'static str> {
        let n = session().get::<i64>("n").unwrap_or(0);
        session().set("n", n)?;
        Ok("same")
    });
    app.get("/fails", || -> Result<Response> {
        session().set("n", 99)?;
        Ok("x".parse::<i64>().map(|_| Response::new(()))?)
    });
    app.get("/vary", || {
        session().get::<i64>("n");
        ("varies", [("vary", "Accept")])
    });
    app
}
