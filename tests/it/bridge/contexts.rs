//! The context of a request, and variables, wherever the bridge takes code to; and none of it where it does not belong.

use std::sync::Arc;
use std::thread;

use dewar::bridge::{self, ContextVar, LoopPolicy, luggage};
use dewar::{App, g, request};

use crate::support::{self, panic_message};

use super::all_policies;

static WHO: ContextVar<String> = ContextVar::new();

/// What is seen of a request here: its path's end, `g`, and a variable.
fn seen() -> String {
    let path = request().path().to_owned();
    let who = path.rsplit('/').next().unwrap_or_default().to_owned();
    assert_eq!(g().get::<String>("who").as_ref(), Some(&who), "of another request");
    assert_eq!(WHO.get().as_ref(), Some(&who), "of another request");
    who
}

/// Looks in a fragment's every place, several times.
async fn everywhere() -> String {
    let local = bridge::spawn(async {
        bridge::yield_now().await;
        seen()
    });
    let shared = bridge::spawn_shared(async {
        bridge::yield_now().await;
        let nested = bridge::spawn_shared(async { seen() }).await.unwrap();
        assert_eq!(nested, seen());
        WHO.set("the task's own".into());
        nested
    });
    let blocking = bridge::unblock(seen);
    let children = bridge::gather((0..40).map(|_| async {
        bridge::yield_now().await;
        seen()
    }));
    let own = bridge::own_thread(async || seen()).unwrap();
    let mut all = children.await;
    all.extend([local.await.unwrap(), shared.await.unwrap(), blocking.await.unwrap(), own, seen()]);
    #[cfg(feature = "compute")]
    all.push(bridge::compute(seen).await.unwrap());
    all.dedup();
    all.join(" ")
}

fn app(policy: LoopPolicy) -> App {
    let mut app = App::new("dewar_it");
    app.loop_policy(policy);
    app.before_request(|| {
        assert!(WHO.get().is_none(), "left by another request");
        let who = request().path().rsplit('/').next().unwrap_or_default().to_owned();
        WHO.set(who.clone());
        g().set("who", who);
    });
    app.get("/sync/<who>", |_: String| bridge::block_on(everywhere())).endpoint("sync");
    app.get("/async/<who>", async |_: String| everywhere().await).endpoint("async");
    app.get("/panics/<who>", async |_: String| {
        everywhere().await;
        if true { panic!("in a handler") } else { "" }
    })
    .endpoint("panics");
    app
}

#[test]
fn it_follows_in_every_scope_and_comes_back() {
    for policy in all_policies() {
        let client = support::client(app(policy));
        for kind in ["sync", "async"] {
            for who in ["ada", "bob"] {
                assert_eq!(client.get(&format!("/{kind}/{who}")).text(), who, "{policy:?} {kind}");
            }
        }
        assert_eq!(client.get("/panics/eve").status(), 500);
        assert!(luggage::current().is_none() && WHO.get().is_none());
        assert_eq!(client.get("/sync/after").text(), "after");
    }
}

#[test]
fn requests_at_the_same_time_never_see_each_other() {
    for policy in all_policies() {
        let client = support::client(app(policy));
        let client = &*client;
        thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || {
                    for n in 0..60 {
                        let kind = ["sync", "async"][n % 2];
                        let who = format!("{number}-{n}");
                        assert_eq!(client.get(&format!("/{kind}/{who}")).text(), who, "{policy:?}");
                        assert!(luggage::current().is_none() && WHO.get().is_none());
                    }
                });
            }
        });
    }
}

#[test]
fn a_variable_goes_along_and_what_a_task_sets_is_its_own() {
    for policy in all_policies() {
        WHO.scope("outside".into(), || {
            bridge::block_on_with(policy, async {
                let set_and_get = |who: &'static str| async move {
                    assert_eq!(WHO.get().as_deref(), Some("outside"));
                    WHO.set(who.into());
                    for _ in 0..20 {
                        bridge::yield_now().await;
                        assert_eq!(WHO.get().as_deref(), Some(who));
                    }
                };
                let local = ["a", "b", "c"].map(|who| bridge::spawn(set_and_get(who)));
                let shared = ["d", "e", "f"].map(|who| bridge::spawn_shared(set_and_get(who)));
                for task in local.into_iter().chain(shared) {
                    task.await.unwrap();
                }
                assert_eq!(WHO.get().as_deref(), Some("outside"));
            })
            .unwrap();
            assert_eq!(WHO.get().as_deref(), Some("outside"));
        });
        assert_eq!(WHO.get(), None);
    }
    let said = panic_message(|| WHO.scope("panics".into(), || panic!("in a scope")));
    assert_eq!((said.as_str(), WHO.get()), ("in a scope", None));
}

#[test]
fn a_value_may_use_variables_when_it_is_cloned() {
    struct Counted(Arc<()>);
    static CLONED: ContextVar<u32> = ContextVar::new();
    static VALUE: ContextVar<Counted> = ContextVar::new();
    impl Clone for Counted {
        fn clone(&self) -> Counted {
            CLONED.set(CLONED.get().unwrap_or(0) + 1);
            Counted(Arc::clone(&self.0))
        }
    }
    let held = Arc::new(());
    VALUE.set(Counted(Arc::clone(&held)));
    drop(VALUE.get());
    assert_eq!(CLONED.clear(), Some(1));
    drop(VALUE.clear());
    assert_eq!(Arc::strong_count(&held), 1);
    CLONED.clear();
}
