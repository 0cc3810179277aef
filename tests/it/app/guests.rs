//! Users' code in odd places: it may use the context from there, and its panics stay where they are.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use dewar::{
    App, Body, Error, Request, Response, Result, Service, after_this_request, g, has_request_context, request,
};

use crate::support::{Leaks, Trace, client, panic_message, service};

/// Uses `g` whenever something is done with it.
struct Nosy;

impl Clone for Nosy {
    fn clone(&self) -> Nosy {
        let clones = g().pop::<u32>("clones").unwrap_or(0);
        g().set("clones", clones + 1);
        Nosy
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        if has_request_context() {
            let drops = g().get::<u32>("drops").unwrap_or(0);
            g().set("drops", drops + 1);
        }
    }
}

impl From<Nosy> for Cow<'static, str> {
    fn from(_: Nosy) -> Self {
        g().names().len().to_string().into()
    }
}

#[cfg(feature = "sessions")]
impl From<Nosy> for String {
    fn from(_: Nosy) -> String {
        dewar::session().keys().len().to_string()
    }
}

#[test]
fn values_and_names_in_g_may_use_g() {
    let mut app = App::new("nosy");
    app.get("/", || {
        g().set("nosy", Nosy);
        drop(g().get::<Nosy>("nosy"));
        g().set("nosy", Nosy);
        drop(g().get_or_insert_with("nosy", || Nosy));
        drop(g().pop::<Nosy>("nosy"));
        g().set(Nosy, 1_u8);
        assert!(g().get::<u32>("clones").is_some_and(|clones| clones == 2));
        // of the two clones, the two values, the one that was made a name
        assert_eq!(g().get::<u32>("drops"), Some(5));
        assert_eq!((g().get::<u8>("clones"), g().pop::<u8>("drops")), (None, None), "of another type");
        g().names().join(" ")
    });
    assert_eq!(client(app).get("/").text(), "2 clones drops");
}

#[cfg(feature = "sessions")]
#[test]
fn names_in_the_session_may_use_the_session() {
    let mut app = App::new("nosy");
    app.config_mut().set("SECRET_KEY", "nobody knows");
    app.get("/", || -> Result<String> {
        dewar::session().set(Nosy, 1)?;
        dewar::session().set_tagged(Nosy, dewar::Tagged::Bytes(vec![1]))?;
        Ok(dewar::session().keys().join(" "))
    });
    assert_eq!(client(app).get("/").text(), "0 1");
}

#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("while it says what it is");
    }
}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("while it says what it is");
    }
}

impl std::error::Error for Unspeakable {}

#[test]
fn wherever_it_panics_there_is_an_answer_and_the_teardown_hooks_run() {
    fn panics(_: Option<&Error>) {
        panic!("in a hook");
    }
    fn bombs(_: Option<&Error>) {
        std::panic::panic_any(Bomb);
    }
    let _leaks = Leaks::watch();
    let trace = Trace::default();
    let mut app = App::new("bombs");
    let torn = trace.clone();
    app.teardown_request(move |_: Option<&Error>| torn.add("torn down"));
    app.teardown_request(panics);
    app.teardown_request(bombs);
    app.get("/fine", || "fine");
    app.get("/g", || {
        g().set("bomb", Mutex::new(Some(Arc::new(Bomb))));
        "fine"
    });
    app.get("/payload", || -> String { std::panic::panic_any(Bomb) });
    app.get("/error", || -> Result<String> { Err(Unspeakable.into()) });
    app.get("/hooks", || {
        let bomb = Bomb;
        after_this_request(|_| panic!("so that the next one is dropped"));
        after_this_request(move |response| {
            let _bomb = &bomb;
            response
        });
        "fine"
    });
    let service = service(app);
    for (path, status) in [("/fine", 200), ("/g", 200), ("/payload", 500), ("/error", 500), ("/hooks", 500)] {
        let response = service.call(Request::get(path));
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(trace.take(), ["torn down"], "{path}");
    }
    // with no response to be saved
    let said = panic_message(|| {
        service.with_context(Request::get("/"), || {
            g().set("bomb", Mutex::new(Some(Arc::new(Bomb))));
            panic!("the first one")
        })
    });
    assert_eq!(said, "the first one");
}

#[test]
fn every_job_on_close_runs() {
    let trace = Trace::default();
    let body = || {
        let mut body = Body::from("x");
        for name in ["first", "second"] {
            let trace = trace.clone();
            body.call_on_close(move || {
                trace.add(name);
                panic!("on close");
            });
        }
        body
    };
    drop(body());
    assert_eq!(trace.take(), ["first", "second"]);
    drop(Response::new(body()).into_body().into_plain());
    assert_eq!(trace.take(), ["first", "second"]);
    // in an unwinding
    let said = panic_message(|| {
        let _body = body();
        panic!("the first one")
    });
    assert_eq!((said.as_str(), trace.take().len()), ("the first one", 2));
}

#[test]
fn a_body_that_panics_is_not_an_empty_one_afterwards() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("while it is read")
        }
    }
    let request = Request::post("/", Body::reader(Broken));
    assert_eq!(panic_message(|| request.data()), "while it is read");
    for _ in 0..2 {
        assert_eq!(request.data().unwrap_err().status(), 500);
    }
}

/// Tells that it is being read, and waits.
struct Slow(Sender<()>, Receiver<()>);

impl Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let _ = self.0.send(());
        match self.1.recv() {
            Ok(()) => {
                out[0] = b'x';
                Ok(1)
            }
            Err(_) => Ok(0),
        }
    }
}

#[test]
fn who_takes_a_body_that_is_being_read_gets_what_was_read() {
    let (reading, is_read) = channel();
    let (go, wait) = channel();
    let request = Request::post("/", Body::reader(Slow(reading, wait)));
    std::thread::scope(|scope| {
        let data = scope.spawn(|| request.data().unwrap());
        is_read.recv().unwrap();
        let (near, is_near) = channel::<()>();
        let taken = scope.spawn(|| {
            drop(near);
            let mut text = String::new();
            request.take_body().read_to_string(&mut text).map(|_| text).unwrap()
        });
        let second = scope.spawn(|| request.data().unwrap());
        assert!(is_near.recv().is_err());
        for _ in 0..100 {
            std::thread::yield_now(); // it may well wait now
        }
        go.send(()).unwrap();
        drop(go);
        assert_eq!(data.join().unwrap(), "x");
        assert_eq!(second.join().unwrap(), "x");
        assert_eq!(taken.join().unwrap(), "x");
    });
}

#[test]
fn a_request_in_a_request_in_a_hook_and_in_an_error_handler() {
    let inner = {
        let mut app = App::new("inner");
        app.get("/", || request().path().len().to_string());
        app.get("/bad", || -> Result<String> { Err(Error::msg("inner")) });
        app.into_service().unwrap()
    };
    let mut app = App::new("outer");
    let trace = Trace::default();
    let (before, on_error, teardown) = (inner.clone(), inner.clone(), inner);
    app.before_request(move || {
        assert_eq!(before.call(Request::get("/")).status(), 200);
        assert_eq!(request().path(), "/outer");
    });
    app.errorhandler_for(move |error: Error| -> Result<String> {
        assert_eq!(dewar::bridge::block_on(async { on_error.call(Request::get("/bad")).status() })?, 500);
        Ok(format!("{error} at {}", request().path()))
    });
    let torn = trace.clone();
    app.teardown_request(move |_: Option<&Error>| {
        let n = dewar::bridge::block_on(async { dewar::bridge::spawn(async { request().path().len() }).await });
        torn.add(format!("{} {}", n.unwrap().unwrap(), teardown.call(Request::get("/")).status()));
    });
    app.get("/outer", || -> Result<String> { Err(Error::msg("outer")) });
    assert_eq!(client(app).get("/outer").text(), "outer at /outer");
    assert_eq!(trace.take(), ["6 200 OK"]);
}
