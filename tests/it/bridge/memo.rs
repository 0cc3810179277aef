//! Results that are kept, and made once however many ask for them.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, Memo};
use futures_lite::future::poll_once;
use futures_util::future::{join, join3};

use crate::support;

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(20);

#[test]
fn it_is_made_once_for_all_who_ask_at_once() {
    for policy in POLICIES {
        let (memo, runs) = (Memo::new(), Cell::new(0));
        let values = bridge::block_on_with(
            policy,
            bridge::gather((0..50).map(async |n| {
                memo.get_or_run("key", async || {
                    runs.set(runs.get() + 1);
                    bridge::sleep(MS).await;
                    n
                })
                .await
            })),
        );
        assert_eq!(values.unwrap(), [0; 50]);
        assert_eq!((runs.get(), memo.len()), (1, 1));
    }
}

#[test]
fn both_worlds_wait_for_one_run() {
    let (memo, runs) = (Arc::new(Memo::<u8, u64>::new()), Arc::new(AtomicUsize::new(0)));
    let begin = Arc::new(Barrier::new(12));
    let (tell, told) = mpsc::channel();
    for n in 0..12_u64 {
        let (memo, runs, begin, tell) = (Arc::clone(&memo), Arc::clone(&runs), Arc::clone(&begin), tell.clone());
        thread::spawn(move || {
            begin.wait();
            for key in 0..100 {
                let count = || {
                    runs.fetch_add(1, Ordering::SeqCst);
                    thread::yield_now();
                    u64::from(key)
                };
                let value = match n % 3 {
                    0 => memo.get_or_run_blocking(key, count),
                    1 => bridge::block_on(memo.get_or_run(key, async || {
                        bridge::yield_now().await;
                        count()
                    }))
                    .unwrap(),
                    _ => {
                        let (memo, runs) = (Arc::clone(&memo), Arc::clone(&runs));
                        let task = bridge::spawn_shared(async move {
                            memo.get_or_run(key, async || {
                                bridge::yield_now().await;
                                runs.fetch_add(1, Ordering::SeqCst);
                                u64::from(key)
                            })
                            .await
                        });
                        task.join().unwrap()
                    }
                };
                assert_eq!(value, u64::from(key));
            }
            tell.send(()).unwrap();
        });
    }
    for _ in 0..12 {
        told.recv_timeout(NEVER).expect("all threads come to their end");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 100);
}

#[test]
fn errors_are_not_kept_and_the_next_one_runs_its_own() {
    for policy in POLICIES {
        let (memo, runs) = (Memo::new(), RefCell::new(Vec::new()));
        let results = bridge::block_on_with(
            policy,
            bridge::gather((0..5).map(async |n| {
                memo.get_or_try_run("key", async || {
                    runs.borrow_mut().push(n);
                    bridge::sleep(MS).await;
                    if n < 2 { Err(n) } else { Ok(n) }
                })
                .await
            })),
        );
        assert_eq!(results.unwrap(), [Err(0), Err(1), Ok(2), Ok(2), Ok(2)]);
        assert_eq!(runs.into_inner(), [0, 1, 2], "one at a time");
        assert_eq!(memo.len(), 1);
    }
}

#[test]
fn when_all_fail_nothing_is_left() {
    let memo = Memo::<_, ()>::new();
    let results = bridge::block_on(bridge::gather((0..3).map(async |n| {
        memo.get_or_try_run(1, async || {
            bridge::yield_now().await;
            Err(n)
        })
        .await
    })));
    assert_eq!(results.unwrap(), [Err(0), Err(1), Err(2)]);
    assert!(memo.is_empty());
    assert_eq!(memo.get_or_try_run_blocking(1, || Err("again")), Err("again"));
    assert_eq!(memo.get_or_try_run_blocking(1, || Ok::<_, ()>(())), Ok(()));
}

#[test]
fn a_panic_is_the_leaders_alone() {
    let memo = Arc::new(Memo::new());
    let (begun, has_begun) = mpsc::channel();
    let leader = {
        let memo = Arc::clone(&memo);
        bridge::spawn_shared(async move {
            memo.get_or_run("key", async || {
                begun.send(()).unwrap();
                bridge::sleep(5 * MS).await;
                panic!("the leader panics")
            })
            .await
        })
    };
    has_begun.recv_timeout(NEVER).unwrap();
    assert_eq!(memo.get_or_run_blocking("key", || 7), 7);
    assert!(leader.join().unwrap_err().to_string().contains("the leader panics"));
    // The same in blocking code.
    let message = support::panic_message(|| memo.get_or_run_blocking("other", || panic!("here, too")));
    assert_eq!(message, "here, too");
    assert_eq!(memo.get_or_run_blocking("other", || 8), 8);
}

#[test]
fn whoever_is_next_takes_over_from_one_who_is_cancelled() {
    for policy in POLICIES {
        bridge::block_on_with(policy, async {
            let (memo, alive) = (Rc::new(Memo::new()), Rc::new(()));
            let mut leader = Box::pin(memo.get_or_run("key", async || {
                let _alive = Rc::clone(&alive);
                pending().await
            }));
            let mut given_up = Box::pin(memo.get_or_run("key", async || 1));
            assert!(poll_once(leader.as_mut()).await.is_none());
            assert!(poll_once(given_up.as_mut()).await.is_none());
            // In tasks, which are polled only when they are woken.
            let begun = Rc::new(Cell::new(0));
            let wait = |n| {
                let (memo, alive, begun) = (Rc::clone(&memo), Rc::clone(&alive), Rc::clone(&begun));
                bridge::spawn(async move {
                    begun.set(begun.get() + 1);
                    let value = memo.get_or_run("key", async || {
                        assert_eq!(Rc::strong_count(&alive), 3, "the first run is gone");
                        bridge::yield_now().await;
                        n
                    });
                    (value.await, alive).0
                })
            };
            let (next, last) = (wait(2), wait(3));
            while begun.get() < 2 {
                bridge::yield_now().await;
            }
            drop(given_up);
            drop(leader);
            assert_eq!((next.await.unwrap(), last.await.unwrap()), (2, 2));
        })
        .unwrap();
    }
}

#[test]
fn the_one_who_was_to_take_over_may_give_up_too() {
    bridge::block_on(async {
        let memo = Memo::new();
        let mut leader = Box::pin(memo.get_or_run("key", async || pending().await));
        let mut second = Box::pin(memo.get_or_run("key", async || 2));
        assert!(poll_once(leader.as_mut()).await.is_none());
        assert!(poll_once(second.as_mut()).await.is_none());
        let third = bridge::gather([memo.get_or_run("key", async || 3)]);
        let (third, ()) = join(third, async {
            bridge::yield_now().await;
            drop(leader); // wakes the second
            drop(second); // which is not polled any more
        })
        .await;
        assert_eq!(third, [3]);
    })
    .unwrap();
}

#[test]
fn values_grow_old() {
    let memo = Memo::new().ttl(5 * MS);
    assert_eq!(memo.get_or_run_blocking("key", || 1), 1);
    thread::sleep(5 * MS);
    assert_eq!(memo.get_or_run_blocking("key", || 2), 2);
    assert_eq!(memo.len(), 1);
    let long = Memo::new().ttl(Duration::MAX);
    assert_eq!(long.get_or_run_blocking("key", || 1), 1);
    assert_eq!(long.get_or_run_blocking("key", || 2), 1);
}

#[test]
fn the_one_that_was_not_asked_for_the_longest_makes_room() {
    let memo = Memo::new().capacity(3);
    let made = RefCell::new(Vec::new());
    let ask = |key| {
        memo.get_or_run_blocking(key, || {
            made.borrow_mut().push(key);
        });
    };
    for key in [1, 2, 3, 1, 4, 1, 3, 2] {
        ask(key);
        assert!(memo.len() <= 3);
    }
    assert_eq!(made.take(), [1, 2, 3, 4, 2], "4 took the place of 2, and 2 that of 4");
    ask(4);
    assert_eq!(made.take(), [4]);
}

#[test]
fn without_capacity_runs_are_shared_all_the_same() {
    let (memo, runs) = (Memo::new().capacity(0), Cell::new(0));
    let values = bridge::block_on(bridge::gather((0..5).map(async |_| {
        memo.get_or_run("key", async || {
            runs.set(runs.get() + 1);
            bridge::yield_now().await;
            runs.get()
        })
        .await
    })));
    assert_eq!(values.unwrap(), [1; 5]);
    assert!(memo.is_empty());
}

#[test]
fn what_is_invalidated_is_made_anew() {
    let memo = Memo::new();
    memo.get_or_run_blocking(1, || "old");
    memo.get_or_run_blocking(2, || "old");
    memo.invalidate(&1);
    memo.invalidate(&3);
    assert_eq!(memo.len(), 1);
    assert_eq!(memo.get_or_run_blocking(1, || "new"), "new");
    assert_eq!(memo.get_or_run_blocking(2, || "new"), "old");
    memo.clear();
    assert!(memo.is_empty());
    assert_eq!(memo.get_or_run_blocking(2, || "new"), "new");
}

#[test]
fn a_run_that_is_invalidated_serves_those_who_wait_and_nobody_else() {
    for policy in POLICIES {
        for clear in [false, true] {
            bridge::block_on_with(policy, async {
                let memo = Memo::new();
                let old = async || {
                    bridge::sleep(3 * MS).await;
                    "old"
                };
                let (first, second, third) =
                    join3(memo.get_or_run(1, old), memo.get_or_run(1, async || "never run"), async {
                        bridge::yield_now().await;
                        if clear {
                            memo.clear()
                        } else {
                            memo.invalidate(&1)
                        }
                        memo.get_or_run(1, async || "new").await
                    })
                    .await;
                assert_eq!((first, second, third), ("old", "old", "new"));
                assert_eq!(memo.get_or_run(1, async || "newer").await, "new");
                assert_eq!(memo.len(), 1);
            })
            .unwrap();
        }
    }
}

#[test]
fn the_blocking_front_is_refused_in_a_fragment() {
    let memo = Memo::new();
    memo.get_or_run_blocking(1, || 1);
    let message = support::panic_message(|| bridge::block_on(async { memo.get_or_run_blocking(1, || 1) }));
    assert!(message.contains("cannot start") && message.contains(file!()), "{message}");
    // The function itself may have fragments.
    assert_eq!(memo.get_or_run_blocking(2, || bridge::block_on(async { 2 }).unwrap()), 2);
}

#[test]
fn values_and_keys_are_dropped_outside_of_its_lock() {
    // Their destructors use the memo.
    #[derive(Clone)]
    struct Looks(Arc<Memo<u8, Looks>>, Arc<Mutex<Vec<usize>>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0.len());
        }
    }
    let (memo, seen) = (Arc::new(Memo::new().capacity(1)), Arc::new(Mutex::new(Vec::new())));
    for key in 0..3 {
        memo.get_or_run_blocking(key, || Looks(Arc::clone(&memo), Arc::clone(&seen)));
    }
    memo.invalidate(&2);
    memo.get_or_run_blocking(5, || Looks(Arc::clone(&memo), Arc::clone(&seen)));
    memo.clear();
    assert_eq!(seen.lock().unwrap().len(), 8, "four values, each of which was cloned once");
}
