//! The test client and sessions.

use dewar::{App, MemorySessions, TestClient, flash, g, session};

use crate::support::{client, panic_message};

fn app() -> App {
    let mut app = App::new("demo");
    app.config_mut().set("SECRET_KEY", "dev");
    app.get("/", || session().get::<String>("user").unwrap_or("nobody".into()));
    app.get("/login/<name>", |name: String| {
        g().set("name", name.clone());
        session().set("user", name)
    })
    .endpoint("login");
    app
}

#[test]
fn a_session_to_begin_with() {
    let client = client(app());
    let returned = client.session_transaction(|session| {
        session.set("user", "ada").unwrap();
        session.set_permanent(true).unwrap();
        assert!(dewar::session().contains("user"), "the context is in place");
        7
    });
    assert_eq!(returned, 7);
    assert_eq!(client.get("/").text(), "ada");
    client.get("/login/bob");
    client.session_transaction(|session| {
        assert_eq!(session.get::<String>("user").as_deref(), Some("bob"));
        assert!(session.permanent());
        session.clear();
    });
    assert_eq!(client.cookie("session"), None);
    assert_eq!(client.get("/").text(), "nobody");
    client.session_transaction(|session| assert!(session.is_empty()));
    assert_eq!(client.cookie("session"), None, "what is only read is not written");
}

#[test]
fn wherever_it_is_kept() {
    let sessions = MemorySessions::new();
    let mut app = app();
    app.config_mut().set("APPLICATION_ROOT", "/root").set("SESSION_COOKIE_DOMAIN", "localhost");
    app.session_interface(sessions.clone());
    let client = client(app);
    client.session_transaction(|session| session.set("user", "ada")).unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(client.get("/").text(), "ada");
}

#[test]
fn what_the_request_left() {
    let mut app = app();
    app.get("/flash", || flash("hello")).endpoint("flash");
    let client = client(app);
    let response = client.get("/login/ada");
    assert_eq!(response.session().unwrap().get::<String>("user").as_deref(), Some("ada"));
    assert_eq!(response.context().unwrap().g().get::<String>("name").as_deref(), Some("ada"));
    assert_eq!(client.get("/flash").session().unwrap().flashed_messages()[0].message, "hello");
    // It was only looked at: the next page has it still.
    assert!(client.session_transaction(|session| session.contains("_flashes")));
}

#[test]
fn where_there_is_none() {
    let mut keyless = app();
    keyless.config_mut().set("SECRET_KEY", serde_json::Value::Null);
    let keyless = keyless.test_client();
    let text = panic_message(|| keyless.session_transaction(|_| ()));
    assert!(text.contains("no SECRET_KEY to sign it with"), "{text}");
    let cookieless = app().test_client().use_cookies(false);
    let text = panic_message(|| cookieless.session_transaction(|_| ()));
    assert!(text.contains("keeps no cookies"), "{text}");
    let other = TestClient::new(|_: dewar::Request| dewar::Response::text(""));
    assert!(panic_message(|| other.session_transaction(|_| ())).contains("is no app"));
    assert!(other.get("/").session().is_none());
}
