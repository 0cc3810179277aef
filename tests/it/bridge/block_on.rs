//! The properties that any `block_on` must have, and the rule against nesting.

use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use dewar::bridge::{self, BridgeError};

use super::POLICIES;

const MANY: usize = if cfg!(miri) { 50 } else { 20_000 };

#[test]
fn doesnt_poll_after_ready() {
    for policy in POLICIES {
        let mut polls = 0;
        let future = poll_fn(|cx| {
            polls += 1;
            assert_eq!(polls, 1, "polled after it was ready");
            cx.waker().wake_by_ref();
            Poll::Ready(())
        });
        bridge::block_on_with(policy, future).unwrap();
    }
}

#[test]
fn a_wake_during_the_poll_is_kept() {
    for policy in POLICIES {
        let mut polls = 0;
        let future = poll_fn(|cx| {
            polls += 1;
            if polls == 100 {
                return Poll::Ready(polls);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!(bridge::block_on_with(policy, future).unwrap(), 100);
    }
}

#[test]
fn a_wake_from_another_thread_is_never_lost() {
    // The other thread wakes as fast as it can: before the park, during it, during the poll.
    let (wakers, woken) = mpsc::channel::<(Waker, Arc<AtomicBool>)>();
    let waking = thread::spawn(move || {
        for (waker, done) in woken {
            done.store(true, Ordering::Release);
            waker.wake();
        }
    });
    for round in 0..MANY {
        let done = Arc::new(AtomicBool::new(false));
        let mut sent = false;
        let future = poll_fn(|cx| {
            if !sent {
                sent = true;
                wakers.send((cx.waker().clone(), Arc::clone(&done))).unwrap();
            }
            if done.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        });
        bridge::block_on_with(POLICIES[round % 3], future).unwrap();
    }
    drop(wakers);
    waking.join().unwrap();
}

#[test]
fn strange_unparks_and_eaten_tokens_do_no_harm() {
    for policy in POLICIES {
        thread::current().unpark();
        let mut polls = 0;
        let future = poll_fn(|cx| {
            polls += 1;
            match polls {
                1 => {
                    let waker = cx.waker().clone();
                    thread::current().unpark(); // a token that means nothing
                    thread::spawn(move || waker.wake());
                    Poll::Pending
                }
                2 => {
                    cx.waker().wake_by_ref();
                    // Third-party code eats the token of that wake.
                    thread::park();
                    Poll::Pending
                }
                _ => Poll::Ready(()),
            }
        });
        bridge::block_on_with(policy, future).unwrap();
        assert_eq!(polls, 3, "polled without being woken");
    }
}

#[test]
fn first_cannot_wake_second() {
    for policy in POLICIES {
        let mut first = None;
        let keep = poll_fn(|cx| {
            first = Some(cx.waker().clone());
            Poll::Ready(())
        });
        bridge::block_on_with(policy, keep).unwrap();
        let first = first.unwrap();

        let root = Rc::new(Mutex::new((None::<Waker>, false)));
        let mut spawned = false;
        let second = poll_fn(|cx| {
            assert!(!cx.waker().will_wake(&first));
            if !spawned {
                spawned = true;
                root.lock().unwrap().0 = Some(cx.waker().clone());
                let root = Rc::clone(&root);
                let first = first.clone();
                bridge::spawn(async move {
                    // Many turns of the loop in which only the stale waker is rung.
                    for _ in 0..100 {
                        first.wake_by_ref();
                        bridge::yield_now().await;
                    }
                    let mut root = root.lock().unwrap();
                    root.1 = true;
                    root.0.take().unwrap().wake();
                })
                .detach();
                return Poll::Pending;
            }
            assert!(root.lock().unwrap().1, "polled by the first one's waker");
            Poll::Ready(())
        });
        bridge::block_on_with(policy, second).unwrap();
        first.wake(); // and after both
    }
}

#[test]
fn a_tasks_wake_does_not_poll_the_root() {
    let polls = AtomicU32::new(0);
    bridge::block_on(async {
        let mut task = bridge::spawn(async {
            for _ in 0..1000 {
                bridge::yield_now().await;
            }
        });
        poll_fn(|cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            std::pin::Pin::new(&mut task).poll(cx)
        })
        .await
        .unwrap();
    })
    .unwrap();
    assert_eq!(polls.into_inner(), 2, "once pending, once woken by the end");
}

#[test]
fn inner_cannot_wake_outer() {
    for policy in POLICIES {
        let mut polls = 0;
        let (end, ending) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || ending.recv().unwrap().wake());
        let outer = poll_fn(|cx| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            // Wakers of three other loops, none of which is ours.
            futures_executor::block_on(bridge::yield_now());
            bridge::own_thread(async || bridge::yield_now().await).unwrap();
            futures_executor::LocalPool::new().run_until(bridge::yield_now());
            end.send(cx.waker().clone()).unwrap();
            Poll::Pending
        });
        bridge::block_on_with(policy, outer).unwrap();
        assert_eq!(polls, 2);
        waking.join().unwrap();
    }
}

#[test]
fn the_root_borrows_and_need_not_be_send() {
    for policy in POLICIES {
        let name = String::from("borrowed");
        let mut changed = 0;
        let not_send = Rc::new(5);
        let length = bridge::block_on_with(policy, async {
            let not_send = Rc::clone(&not_send);
            bridge::yield_now().await;
            changed += *not_send;
            name.len()
        });
        assert_eq!(length.unwrap(), 8);
        assert_eq!(changed, 5);
    }
}

#[test]
fn it_is_polled_on_the_calling_thread() {
    let here = thread::current().id();
    for policy in POLICIES {
        bridge::block_on_with(policy, async {
            assert_eq!(thread::current().id(), here);
            bridge::spawn_shared(async {}).await.unwrap();
            assert_eq!(thread::current().id(), here);
        })
        .unwrap();
    }
}

#[test]
fn nesting_is_refused_and_names_both_places() {
    for policy in POLICIES {
        let outer_line = line!() + 1;
        let error = bridge::block_on_with(policy, async { bridge::block_on(ready(1)) });
        let error = error.unwrap().unwrap_err();
        let BridgeError::Nested { outer, inner } = &error else { panic!("{error:?}") };
        assert_eq!((outer.file(), outer.line()), (file!(), outer_line));
        assert_eq!((inner.file(), inner.line()), (file!(), outer_line));
        assert_ne!(outer.column(), inner.column());
        let text = error.to_string();
        for part in [&outer.to_string(), &inner.to_string(), ".await", "own_thread", "unblock"] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
        // The refusal left nothing behind.
        assert_eq!(bridge::block_on(ready(2)).unwrap(), 2);
    }
}

#[test]
fn nesting_is_refused_in_tasks_too() {
    let refused = bridge::block_on(async {
        let local = bridge::spawn(async { bridge::block_on(ready(1)).is_err() });
        let shared = bridge::spawn_shared(async { bridge::block_on(ready(1)).is_err() });
        (local.await.unwrap(), shared.await.unwrap())
    });
    assert_eq!(refused.unwrap(), (true, true));
    let error = bridge::spawn_shared(async { bridge::block_on(ready(1)).unwrap_err() });
    let spawned_at = error.spawned_at();
    match error.join().unwrap() {
        BridgeError::Nested { outer, .. } => assert_eq!(outer, spawned_at),
        other => panic!("{other:?}"),
    }
}

#[test]
fn third_party_block_on_works_in_the_root_and_in_tasks() {
    let both = bridge::block_on(async {
        let root = futures_executor::block_on(ready(1));
        let task = bridge::spawn(async { futures_executor::block_on(ready(2)) });
        (root, task.await.unwrap())
    });
    assert_eq!(both.unwrap(), (1, 2));
}

#[test]
fn own_thread_runs_elsewhere_also_inside_of_a_fragment() {
    let here = thread::current().id();
    let name = String::from("lent");
    let (there, length) = bridge::block_on(async {
        bridge::own_thread(async || {
            let not_send = Rc::new(name.len());
            bridge::spawn(bridge::yield_now()).await.unwrap();
            assert_eq!(thread::current().name(), Some("dewar-own-thread"));
            (thread::current().id(), *not_send)
        })
    })
    .unwrap()
    .unwrap();
    assert_ne!(here, there);
    assert_eq!(length, 4);
}

#[test]
fn panics_come_through_and_leave_the_thread_usable() {
    for policy in POLICIES {
        let dropped = Rc::new(());
        let in_task = Rc::clone(&dropped);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            bridge::block_on_with(policy, async {
                let task = bridge::spawn(async move {
                    let _in_task = in_task;
                    pending::<()>().await;
                });
                bridge::yield_now().await;
                task.detach();
                panic!("root")
            })
        }));
        assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"root"));
        assert_eq!(Rc::strong_count(&dropped), 1, "its task is still there");
        assert_eq!(bridge::block_on(ready(1)).unwrap(), 1);
    }
    let panic = catch_unwind(|| bridge::own_thread(async || panic!("own thread")));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"own thread"));
}
