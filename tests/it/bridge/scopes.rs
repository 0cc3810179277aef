//! Policies: which one holds where, and what they do.

use std::future::{poll_fn, ready};
use std::panic::catch_unwind;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, LoopPolicy};

use crate::support;

use super::POLICIES;

#[test]
fn the_innermost_policy_holds_and_a_panic_ends_it() {
    support::alone("bridge::scopes::the_innermost_policy_holds_and_a_panic_ends_it", || {
        assert_eq!(LoopPolicy::current(), LoopPolicy::per_thread());
        for policy in POLICIES {
            bridge::set_default_policy(policy);
            assert_eq!(LoopPolicy::current(), policy);
            let panicked = catch_unwind(|| {
                bridge::with_policy(LoopPolicy::shared(), || {
                    bridge::with_policy(LoopPolicy::per_request(), || {
                        assert_eq!(LoopPolicy::current(), LoopPolicy::per_request());
                        // other threads have their own
                        let other = thread::spawn(LoopPolicy::current).join().unwrap();
                        assert_eq!(other, policy);
                    });
                    assert_eq!(LoopPolicy::current(), LoopPolicy::shared());
                    panic!("in with_policy");
                })
            });
            assert!(panicked.is_err());
            assert_eq!(LoopPolicy::current(), policy);
        }
    });
}

#[test]
fn loops_are_made_as_the_scope_says() {
    support::alone("bridge::scopes::loops_are_made_as_the_scope_says", || {
        let made = |policy, spawning: bool| {
            // A fresh thread, which has no loop yet.
            let run = move || {
                let before = bridge::stats().loops_created;
                for _ in 0..10 {
                    bridge::block_on_with(policy, async {
                        if spawning {
                            bridge::spawn(ready(())).await.unwrap();
                        }
                    })
                    .unwrap();
                }
                bridge::stats().loops_created - before
            };
            thread::spawn(run).join().unwrap()
        };
        assert_eq!(made(LoopPolicy::per_request(), false), 10);
        assert_eq!(made(LoopPolicy::per_request(), true), 10);
        assert_eq!(made(LoopPolicy::per_thread(), false), 0);
        assert_eq!(made(LoopPolicy::per_thread(), true), 1);
        assert_eq!(made(LoopPolicy::shared(), false), 0);
        assert_eq!(made(LoopPolicy::shared(), true), 1);
    });
}

#[test]
fn per_request_leaves_the_threads_own_loop_alone() {
    support::alone("bridge::scopes::per_request_leaves_the_threads_own_loop_alone", || {
        let spawn = |policy| {
            bridge::block_on_with(policy, async { bridge::spawn(ready(())).await.unwrap() }).unwrap();
            bridge::stats().loops_created
        };
        assert_eq!(spawn(LoopPolicy::per_thread()), 1);
        assert_eq!(spawn(LoopPolicy::per_request()), 2);
        assert_eq!(spawn(LoopPolicy::per_thread()), 2);
    });
}

#[test]
fn a_sleep_outlives_its_fragment() {
    // What a pooled client does: made and polled in one request, used in the next, under any scope.
    for first in POLICIES {
        for second in POLICIES {
            let mut sleep = bridge::sleep(Duration::from_millis(3));
            let once = poll_fn(|cx| {
                let _ = std::pin::Pin::new(&mut sleep).poll(cx);
                Poll::Ready(())
            });
            bridge::block_on_with(first, once).unwrap();
            bridge::block_on_with(second, sleep).unwrap();
        }
    }
}

#[test]
fn the_shared_loop_is_the_same_from_every_scope() {
    let (names, named) = mpsc::channel();
    for policy in POLICIES {
        let names = names.clone();
        bridge::block_on_with(policy, async {
            bridge::spawn_shared(async move {
                names.send(thread::current().name().map(str::to_owned)).unwrap();
            })
            .await
            .unwrap();
        })
        .unwrap();
    }
    drop(names);
    let names: Vec<_> = named.into_iter().flatten().collect();
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|name| name.starts_with("dewar-loop-")));
}

#[test]
fn the_shared_loop_grows_and_never_shrinks() {
    support::alone("bridge::scopes::the_shared_loop_grows_and_never_shrinks", || {
        assert_eq!(bridge::stats().shared_threads, 0);
        bridge::set_shared_threads(4);
        bridge::set_shared_threads(2);
        bridge::spawn_shared(async {}).join().unwrap();
        assert_eq!(bridge::stats().shared_threads, 2);
        // raised while it runs; a lower number takes no thread away
        bridge::set_shared_threads(3);
        assert_eq!(bridge::stats().shared_threads, 3);
        bridge::set_shared_threads(1);
        assert_eq!(bridge::stats().shared_threads, 3);
        // a policy can ask for more, too
        let policy = LoopPolicy::shared().threads(5);
        bridge::block_on_with(policy, async {}).unwrap();
        bridge::spawn_shared(async {}).join().unwrap();
        assert_eq!(bridge::stats().shared_threads, 5);
    });
}
