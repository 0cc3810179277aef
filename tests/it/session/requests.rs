//! A session in requests: what comes back, when it is saved, and who shares it.

use std::time::{Duration, SystemTime};

use dewar::bridge;
use dewar::{App, Result, Session, SessionData, SessionSerializer, session};
use serde_json::{Value, json};

use super::{DAY, TAGS, app, config, signed};
use crate::support::panic_message;

#[test]
fn values_come_back() {
    let client = app().test_client();
    assert_eq!(client.get("/keys").text(), "");
    client.get("/set/b/2");
    client.get("/set/a/1");
    assert_eq!(client.get("/keys").text(), "a b");
    assert_eq!(client.get("/get/a").text(), "1");
    assert_eq!(client.get("/contains/c").text(), "false");
    assert_eq!(client.get("/pop/a").text(), "Some(1)");
    assert_eq!(client.get("/pop/a").text(), "None");
    assert_eq!(client.get("/remove/b").text(), "true");
    assert_eq!(client.cookie("session"), None);
    assert_eq!(client.get("/remove/b").text(), "false");
}

#[test]
fn a_tagged_value_that_nobody_asks_for_is_kept() {
    let data = SessionData::from_tagged_json(TAGS).unwrap();
    let client = app().test_client();
    client.set_cookie("session", &SessionSerializer::new("dev").dumps(&data, SystemTime::now()));
    client.get("/set/n/1");
    let cookie = client.cookie("session").unwrap();
    let data = SessionSerializer::new("dev").loads(&cookie, DAY, SystemTime::now()).unwrap();
    assert_eq!(data.to_tagged_json(), TAGS.replace("GMT\"}]}", "GMT\"}],\"n\":1}"));
}

#[test]
fn without_a_key_it_is_empty_and_cannot_be_written_to() {
    for key in [Value::Null, json!("")] {
        let client = config("SECRET_KEY", key);
        client.set_cookie("session", &signed("", &[("n", 1.into()), ("_permanent", true.into())]));
        for path in ["/get/n", "/keys", "/nothing", "/clear"] {
            let response = client.get(path);
            assert_eq!((response.status(), response.text()), (200, String::new()), "{path}");
            assert_eq!((response.header("set-cookie"), response.header("vary")), (None, None), "{path}");
        }
        let response = client.get("/set/n/1");
        assert_eq!(response.status(), 500);
        let error = response.error().unwrap();
        assert!(error.to_string().contains("no SECRET_KEY to sign it with"), "{error}");
        assert_eq!(error.at().file(), "tests/it/session/mod.rs");
        assert_eq!(client.get("/permanent/1").status(), 500);
    }
    assert!(panic_message(session).contains("`session()` was asked for outside of a request"));
}

#[test]
fn it_is_saved_after_the_hooks_and_once() {
    let mut app = app();
    app.after_request(|mut response: dewar::Response| {
        session().set("after", 1)?;
        assert_eq!(response.header("vary"), None);
        assert_eq!(response.header("set-cookie"), None);
        response.set_header("vary", "Accept-Encoding");
        Ok::<_, dewar::Error>(response)
    });
    app.before_request(|| session().set("before", 1));
    app.get("/fail", || -> Result<()> { Err(dewar::Error::msg("as it should")) }).endpoint("fail");
    app.teardown_request(|_: Option<&dewar::Error>| {
        session().set("teardown", 1).unwrap();
    });
    let client = app.test_client();
    for (path, status) in [("/set/n/1", 200), ("/nowhere", 404), ("/fail", 500)] {
        client.delete_cookie("session");
        let response = client.get(path);
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 1, "{path}");
        assert_eq!(response.header("vary"), Some("Accept-Encoding, Cookie"), "{path}");
        assert_eq!(client.get("/keys").text(), if status == 200 { "after before n" } else { "after before" });
    }
}

#[test]
fn many_threads_share_one_request_and_many_requests_one_cookie() {
    let mut app = app();
    app.get("/crowd", || {
        let session = session();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let session = session.clone();
                scope.spawn(move || {
                    for i in 0..50 {
                        session.set(format!("k{n}"), i).unwrap();
                        session.flash("x", "y").unwrap();
                        assert_eq!(session.get::<i32>(&format!("k{n}")), Some(i));
                    }
                });
            }
        });
        format!("{} {}", session.keys().len(), session.flashed_messages().len())
    })
    .endpoint("crowd");
    let client = app.test_client();
    assert_eq!(client.get("/crowd").text(), "9 400");

    client.delete_cookie("session");
    client.get("/set/n/1");
    let cookie = format!("session={}", client.cookie("session").unwrap());
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (client, cookie) = (&client, &cookie);
            scope.spawn(move || {
                let response = client.request("GET", &format!("/set/m/{n}")).header("cookie", cookie).send();
                assert!(response.header("set-cookie").is_some());
            });
        }
    });
    // The last one wins, whole.
    assert_eq!(client.get("/keys").text(), "m n");
}

#[test]
fn it_is_there_in_async_fragments_and_for_the_test() {
    let mut app = app();
    app.get("/async", async || {
        dewar::bridge::sleep(Duration::from_millis(1)).await;
        session().set("n", 3)
    })
    .endpoint("async");
    let response = app.test_client().get("/async");
    let session = Session::of(response.context().unwrap());
    assert_eq!((session.get::<i32>("n"), session.is_modified(), session.permanent()), (Some(3), true, false));
    assert_eq!(format!("{session:?}"), r#"Session(["n"])"#);
}

#[test]
fn a_session_follows_an_async_view_into_its_tasks() {
    let mut app = App::new("dewar_it");
    app.config_mut().set("SECRET_KEY", "dev");
    app.get("/write", async || {
        let local = bridge::spawn(async { session().set("local", 1) });
        let shared = bridge::spawn_shared(async { session().set("shared", 2) });
        let elsewhere = bridge::unblock(|| session().set("elsewhere", 3));
        for task in [local, shared, elsewhere] {
            task.await.unwrap().unwrap();
        }
    })
    .endpoint("write");
    app.get("/read", || {
        ["local", "shared", "elsewhere"].map(|key| session().get::<u8>(key).unwrap().to_string()).join(" ")
    })
    .endpoint("read");
    let client = app.test_client();
    assert_eq!(client.get("/write").status(), 200);
    assert_eq!(client.get("/read").text(), "1 2 3");
}
