//! Whose policy holds in a view, in hooks, and afterwards.

use dewar::bridge::{self, LoopPolicy, Scope};
use dewar::{App, Blueprint, Response};

use crate::support;

fn scope() -> String {
    format!("{:?}", LoopPolicy::current().scope)
}

#[test]
fn the_innermost_policy_holds() {
    let mut inner = Blueprint::new("inner");
    inner.get("/inner", scope).endpoint("inner");
    let mut outer = Blueprint::new("outer");
    outer.loop_policy(LoopPolicy::shared());
    outer.get("/outer", scope).endpoint("outer");
    outer.get("/own", scope).endpoint("own").loop_policy(LoopPolicy::per_thread().debug(true));
    outer.register_blueprint(inner);
    let mut app = App::new("dewar_it");
    app.loop_policy(LoopPolicy::per_request());
    app.get("/", scope).endpoint("index");
    app.register_blueprint(outer);
    // Hooks run under the app's, whosesoever the view is.
    app.after_request(|response: Response| response.with_header("x-hook", &scope()));
    let client = support::client(app);
    for (path, expected) in [
        ("/", "PerRequest"),
        ("/outer", "Shared { threads: 0 }"),
        ("/inner", "Shared { threads: 0 }"),
        ("/own", "PerThread"),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.text(), expected, "{path}");
        assert_eq!(answer.headers()["x-hook"], "PerRequest", "{path}");
    }
    assert_eq!(LoopPolicy::current().scope, Scope::PerThread, "nothing is left on the thread");
}

#[test]
fn async_views_run_as_the_policy_says() {
    support::alone("app::loop_policy::async_views_run_as_the_policy_says", || {
        let mut app = App::new("dewar_it");
        app.get("/fresh", async || bridge::yield_now().await).endpoint("fresh").loop_policy(LoopPolicy::per_request());
        app.get("/kept", async || bridge::yield_now().await).endpoint("kept");
        let client = support::client(app);
        let loops_made_by = |path: &str| {
            let before = bridge::stats().loops_created;
            for _ in 0..3 {
                assert_eq!(client.get(path).status(), 200);
            }
            bridge::stats().loops_created - before
        };
        assert_eq!(loops_made_by("/fresh"), 3);
        assert_eq!(loops_made_by("/kept"), 0);
    });
}
