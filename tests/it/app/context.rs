//! Where `request()`, `g()` and their kin are known, and where they are not.

use std::time::Duration;

use dewar::bridge::{self, luggage};
use dewar::{
    App, Error, FromRequest, HttpError, Request, Result, abort, after_this_request, current_app, current_context, g,
    has_request_context, request,
};

use crate::support::{Leaks, Trace, client, logged, service};

fn path() -> String {
    request().path().to_owned()
}

#[test]
fn in_every_part_of_a_request() {
    struct Taken(String);
    impl FromRequest for Taken {
        fn from_request(_: &std::sync::Arc<dewar::Ctx>) -> Result<Self> {
            Ok(Taken(path()))
        }
    }
    let trace = Trace::default();
    let mut app = App::new("demo");
    let t = trace.clone();
    app.before_request(move || t.add(format!("before {}", path())));
    let t = trace.clone();
    app.after_request(move |r: dewar::Response| {
        t.add(format!("after {}", path()));
        r
    });
    let t = trace.clone();
    app.teardown_request(move |_: Option<&Error>| t.add(format!("teardown {}", path())));
    let t = trace.clone();
    app.errorhandler(410, move |_: HttpError| t.add(format!("handler {}", path())));
    let t = trace.clone();
    app.get("/x", move |taken: Taken| -> Result<()> {
        t.add(format!("extractor {}", taken.0));
        t.add(format!("view {} {}", path(), current_app().name()));
        let t = t.clone();
        after_this_request(move |r| {
            t.add(format!("this {}", path()));
            r
        });
        abort!(410)
    });
    let client = client(app);
    client.get("/x");
    assert_eq!(
        trace.take(),
        ["before /x", "extractor /x", "view /x demo", "handler /x", "this /x", "after /x", "teardown /x"]
    );
}

#[test]
fn in_fragments_and_their_tasks() {
    let mut app = App::new("demo");
    app.get("/async", async || {
        bridge::sleep(Duration::from_millis(1)).await;
        path()
    });
    app.get("/fragment", || -> Result<String> {
        Ok(bridge::block_on(async {
            bridge::yield_now().await;
            path()
        })?)
    });
    app.get("/local", || -> Result<String> {
        Ok(bridge::block_on(async {
            bridge::spawn(async {
                bridge::sleep(Duration::from_millis(1)).await;
                path()
            })
            .await
        })??)
    });
    app.get("/shared", || -> Result<String> {
        Ok(bridge::block_on(async {
            bridge::spawn_shared(async {
                bridge::yield_now().await;
                path()
            })
            .await
        })??)
    });
    app.get("/unblock", || -> Result<String> { Ok(bridge::block_on(async { bridge::unblock(path).await })??) });
    app.get("/g", || -> Result<String> {
        g().set("n", 1);
        bridge::block_on(async {
            bridge::spawn_shared(async { g().set("n", g().get::<i32>("n").unwrap_or(0) + 1) }).await
        })??;
        Ok(g().get::<i32>("n").unwrap_or(0).to_string())
    });
    app.get("/own-thread", || -> Result<String> { Ok(bridge::own_thread(|| async { path() })?) });
    #[cfg(feature = "compute")]
    app.get("/compute", || -> Result<String> { Ok(bridge::block_on(async { bridge::compute(path).await })??) });
    let client = client(app);
    #[cfg(feature = "compute")]
    assert_eq!(client.get("/compute").text(), "/compute");
    for p in ["/async", "/fragment", "/local", "/shared", "/unblock", "/own-thread"] {
        assert_eq!(client.get(p).text(), p);
    }
    assert_eq!(client.get("/g").text(), "2");
}

#[test]
fn what_a_request_leaves_running_is_cancelled() {
    let mut app = App::new("demo");
    app.get("/", async || {
        drop(bridge::spawn(async {
            bridge::sleep(Duration::from_secs(60)).await;
            path()
        }));
        "done"
    });
    app.get("/nested", async || -> Result<String> { Ok(bridge::block_on(async { path() })?) });
    let client = client(app); // which sees that no task is alive at the end
    assert_eq!(client.get("/").text(), "done");
    // A loop in a loop is refused, with both places.
    let (response, _) = crate::support::logged(|| client.get("/nested"));
    let error = response.error().unwrap().to_string();
    assert!(response.status() == 500 && error.contains(file!()), "{error}");
}

#[test]
fn two_requests_at_once_do_not_mix() {
    let mut app = App::new("demo");
    app.get("/<name>", |name: String| -> Result<String> {
        g().set("name", name.clone());
        let seen = bridge::block_on(async {
            let tasks = (0..4).map(|_| {
                bridge::spawn_shared(async {
                    bridge::sleep(Duration::from_millis(1)).await;
                    g().get::<String>("name").unwrap_or_default()
                })
            });
            bridge::gather(tasks).await
        })?;
        let seen = seen.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert!(seen.iter().all(|s| *s == name));
        Ok(name)
    });
    let client = client(app);
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let client = &*client;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(client.get(&format!("/{name}")).text(), name);
                }
            });
        }
    });
}

#[test]
fn an_app_in_an_app() {
    // A request made while another is answered: afterwards the outer one is back.
    let mut inner = App::new("inner");
    inner.get("/in", || format!("{} {}", current_app().name(), path()));
    let inner = inner.test_client();
    let mut outer = App::new("outer");
    outer.get("/out", move || format!("{}, {} {}", inner.get("/in").text(), current_app().name(), path()));
    let client = client(outer);
    assert_eq!(client.get("/out").text(), "inner /in, outer /out");
}

#[test]
fn outside_the_panic_teaches() {
    let _leaks = Leaks::watch();
    assert!(!has_request_context());
    assert!(current_context().is_none());
    let asks: [(&str, fn()); 5] = [
        ("request()", || drop(request())),
        ("g()", || drop(g())),
        ("current_app()", || drop(current_app())),
        ("after_this_request()", || after_this_request(|r| r)),
        ("url_for()", || drop(dewar::url_for!("x"))),
    ];
    for (what, ask) in asks {
        let panic = std::panic::catch_unwind(ask).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        for part in [what, "outside of a request", "handlers, hooks", "AppService::with_context"] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[test]
fn a_thread_of_ones_own_is_outside() {
    let mut app = App::new("demo");
    app.get("/", || {
        let ctx = current_context().unwrap();
        let seen = std::thread::spawn(move || (has_request_context(), ctx.request().path().to_owned())).join().unwrap();
        format!("{seen:?}")
    });
    let client = client(app);
    assert_eq!(client.get("/").text(), r#"(false, "/")"#);
}

#[test]
fn with_context() {
    let _leaks = Leaks::watch();
    let mut app = App::new("demo");
    app.get("/post/<int:id>", |id: i64| id.to_string()).endpoint("post");
    let service = service(app);
    let url = service.with_context(Request::get("/?q=1"), || {
        assert!(has_request_context());
        assert_eq!(request().args().get("q"), Some("1"));
        dewar::url_for!("post", id = 7)
    });
    assert_eq!(url.unwrap(), "/post/7");
    let panicking = std::panic::AssertUnwindSafe(|| service.with_context(Request::get("/"), || panic!("inside")));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert!(luggage::current().is_none());
}

#[test]
fn a_context_lives_no_longer_than_its_request() {
    struct Dropped(Trace);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.add(format!("dropped, {}", has_request_context()));
        }
    }
    let trace = Trace::default();
    let mut app = App::new("demo");
    let t = trace.clone();
    app.get("/", move || g().set("value", std::sync::Mutex::new(Some(Dropped(t.clone())))));
    let service = service(app);
    let _leaks = Leaks::watch();
    let response = dewar::Service::call(&service, Request::get("/"));
    assert_eq!(trace.take(), ["dropped, false"]);
    drop(response);
}

#[test]
fn g_knows_what_may_be_missing() {
    let service = service(App::new("demo"));
    let (_, records) = logged(|| {
        service.app_context(|| {
            g().set("user", None::<String>);
            assert!(g().contains("user"), "as Flask's `g.user = None`");
            assert_eq!(g().get::<String>("user"), None);
            assert_eq!(g().get::<Option<String>>("user"), Some(None));
            g().set("user", Some("ada".to_owned()));
            assert_eq!(g().get::<String>("user").as_deref(), Some("ada"));
            assert_eq!(g().get::<Option<String>>("user"), Some(Some("ada".to_owned())));
            assert_eq!(g().get_or_insert_with("user", || "bob".to_owned()), "ada");
            g().set("user", "eve".to_owned());
            assert_eq!(g().get::<Option<String>>("user"), None, "the other way round it is another type");
            assert_eq!(g().get::<u8>("nobody"), None);
            assert_eq!(g().get::<u8>("user"), None);
        })
    });
    let told: Vec<_> = records.iter().filter(|record| record.contains("`g.user` is a")).collect();
    assert_eq!(told.len(), 2, "{records:?}");
    assert!(told[1].starts_with("DEBUG") && told[1].contains("String") && told[1].contains("`u8`"), "{records:?}");
}
