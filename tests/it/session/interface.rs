//! Sessions that are kept elsewhere: in memory, or as an interface of one's own says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dewar::{
    App, Error, MemorySessions, NullSession, Request, Response, Result, SecureCookieSessionInterface, SessionData,
    SessionInterface, SessionSerializer, SessionState, Site, flash, get_flashed_messages, session,
};

use super::{app, attributes};
use crate::support::{client, logged};

fn in_memory() -> (App, MemorySessions) {
    let sessions = MemorySessions::new();
    let mut app = app();
    app.config_mut().set("SECRET_KEY", serde_json::Value::Null);
    app.session_interface(sessions.clone());
    app.get("/regenerate", || session().regenerate()).endpoint("regenerate");
    (app, sessions)
}

#[test]
fn the_browser_has_an_id_and_no_more() {
    let (app, sessions) = in_memory();
    let client = client(app);
    assert_eq!(client.get("/get/n").header("set-cookie"), None);
    assert!(sessions.is_empty());
    let response = client.get("/set/n/7");
    assert_eq!(attributes(response.header("set-cookie").unwrap()), "; HttpOnly; Path=/");
    assert_eq!(response.header("vary"), Some("Cookie"));
    let id = client.cookie("session").unwrap();
    assert!(id.len() == 43 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{id}");
    assert_eq!((client.get("/get/n").text().as_str(), sessions.len()), ("7", 1));
    client.get("/set/m/8");
    assert_eq!((client.get("/keys").text().as_str(), client.cookie("session").unwrap() == id), ("m n", true));
    assert_eq!(attributes(client.get("/permanent/1").header("set-cookie").unwrap()), "; Expires=…; HttpOnly; Path=/");
    // Prolonged by a request that does not ask for it.
    assert_eq!(attributes(client.get("/nothing").header("set-cookie").unwrap()), "; Expires=…; HttpOnly; Path=/");
    let gone = client.get("/clear").header("set-cookie").unwrap().to_owned();
    assert!(gone.starts_with("session=; Expires=Thu, 01 Jan 1970"), "{gone}");
    assert!(sessions.is_empty());
    // What the id led to is gone, too.
    client.set_cookie("session", &id);
    assert_eq!(client.get("/keys").text(), "");
    assert!(!format!("{sessions:?}").contains(&id));
}

#[test]
fn ids_are_not_taken_over() {
    let (app, sessions) = in_memory();
    let client = client(app);
    client.set_cookie("session", "planted");
    client.get("/set/n/1");
    let first = client.cookie("session").unwrap();
    assert_ne!(first, "planted");
    client.get("/regenerate");
    let second = client.cookie("session").unwrap();
    assert_ne!(second, first);
    assert_eq!((client.get("/get/n").text().as_str(), sessions.len()), ("1", 1));
    let old = client.request("GET", "/get/n").header("cookie", &format!("session={first}")).send();
    assert_eq!(old.text(), "");
}

#[test]
fn what_was_ended_stays_ended() {
    let sessions = MemorySessions::new();
    let mut app = app();
    app.session_interface(sessions.clone());
    app.get("/slow", {
        let sessions = sessions.clone();
        move || {
            let n = session().get::<i64>("n");
            sessions.clear(); // as somebody who logs out meanwhile
            session().set("n", n)
        }
    })
    .endpoint("slow");
    let client = client(app);
    client.get("/set/n/1");
    assert_eq!(client.get("/slow").header("set-cookie"), None);
    assert!(sessions.is_empty());
    assert_eq!(client.get("/keys").text(), "");
}

#[test]
fn there_is_room_for_so_many() {
    let sessions = MemorySessions::with_limit(3);
    let mut app = app();
    app.session_interface(sessions.clone());
    let client = client(app);
    let ids: Vec<String> = (0..5)
        .map(|n| {
            client.delete_cookie("session");
            client.get(&format!("/set/n/{n}"));
            client.cookie("session").unwrap()
        })
        .collect();
    assert_eq!(sessions.len(), 3);
    let read = |id: &String| client.request("GET", "/get/n").header("cookie", &format!("session={id}")).send().text();
    assert_eq!(ids.iter().map(read).collect::<Vec<_>>(), ["", "", "2", "3", "4"]);
}

#[test]
fn messages_are_flashed_in_memory_too() {
    let (mut app, _) = in_memory();
    app.get("/flash", || flash("hello")).endpoint("flash");
    app.get("/show", || get_flashed_messages().iter().map(ToString::to_string).collect::<String>()).endpoint("show");
    let client = client(app);
    client.get("/flash");
    assert_eq!(client.get("/show").text(), "hello");
    assert_eq!(client.get("/show").text(), "");
}

/// A store that can be down.
struct Flaky {
    up: Arc<AtomicBool>,
    cookie: SecureCookieSessionInterface,
}

impl SessionInterface for Flaky {
    fn open_session(&self, app: &Site, request: &Request) -> Result<Option<SessionState>> {
        if request.header("x-none").is_some() {
            return Ok(None);
        }
        if !self.up.load(Ordering::SeqCst) {
            return Err(Error::msg("the store is down"));
        }
        self.cookie.open_session(app, request)
    }

    fn save_session(&self, app: &Site, session: &SessionState, response: &mut Response) -> Result<()> {
        if session.data().contains("unsavable") {
            return Err(Error::msg("the store is full"));
        }
        assert!(!session.data().contains("panic"), "the store panics");
        self.cookie.save_session(app, session, response)
    }

    fn make_null_session(&self, _: &Site) -> NullSession {
        NullSession::new("no session for you")
    }
}

#[test]
fn a_store_may_fail() {
    let up = Arc::new(AtomicBool::new(true));
    let mut app = app();
    let cookie = SecureCookieSessionInterface::new(SessionSerializer::new("dev"));
    app.session_interface(Flaky { up: up.clone(), cookie });
    let client = client(app);
    client.get("/set/n/1");
    assert_eq!(client.get("/get/n").text(), "1");

    let refused = client.request("GET", "/set/n/2").header("x-none", "1").send();
    assert_eq!(refused.error().unwrap().to_string(), "no session for you");
    assert_eq!(refused.error().unwrap().at().file(), "tests/it/session/mod.rs");

    for (path, why) in [("/set/unsavable/1", "the store is full"), ("/set/panic/1", "panicked: the store panics")] {
        let (failed, log) = logged(|| client.get(path));
        assert_eq!((failed.status(), failed.header("set-cookie")), (500, None), "{path}");
        assert_eq!(failed.error().unwrap().to_string(), why);
        assert!(log.iter().any(|line| line.contains(why)), "{log:?}");
    }
    assert_eq!(client.get("/keys").text(), "n");

    up.store(false, Ordering::SeqCst);
    let (read, log) = logged(|| client.get("/get/n"));
    assert_eq!((read.status(), read.text().as_str(), read.header("set-cookie")), (200, "", None));
    assert!(log.iter().any(|line| line.contains("could not be opened: the store is down")), "{log:?}");
    let written = client.get("/set/n/2");
    assert!(written.error().unwrap().to_string().contains("the store is down"));
    up.store(true, Ordering::SeqCst);
    assert_eq!(client.get("/get/n").text(), "1", "nobody was logged out");
}

#[test]
fn a_state_says_what_happened() {
    let mut data = SessionData::new();
    data.set("_permanent", true).unwrap();
    let state = SessionState::new(data).with_id("x");
    assert_eq!((state.id(), state.is_permanent(), state.data().len()), (Some("x"), true, 1));
    assert!(!state.is_modified() && !state.is_accessed() && !state.wants_new_id());
    assert!(!SessionState::default().is_permanent());
}
