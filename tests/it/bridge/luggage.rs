//! The luggage: seen everywhere in its request, never in another.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use dewar::bridge::{self, luggage};

use crate::support;

use super::POLICIES;

fn pack(request: u32) -> luggage::Packed {
    luggage::pack(Some(Arc::new(request)))
}

/// The number of the request that this code believes to be in.
fn request() -> Option<u32> {
    luggage::with(|luggage| luggage.and_then(|l| l.downcast_ref::<u32>()).copied())
}

#[test]
fn guards_restore_what_was_before() {
    assert_eq!(request(), None);
    let one = pack(1);
    {
        let _two = pack(2);
        assert_eq!(request(), Some(2));
        let _none = luggage::pack(None);
        assert_eq!(request(), None);
    }
    assert_eq!(request(), Some(1));
    assert_eq!(luggage::current().unwrap().downcast_ref::<u32>(), Some(&1));
    drop(one);
    assert_eq!(request(), None);
}

#[test]
fn guards_are_counted_on_all_threads() {
    support::alone("bridge::luggage::guards_are_counted_on_all_threads", || {
        assert_eq!(luggage::pushed(), 0);
        let here = pack(1);
        let (there, also_there) = thread::spawn(|| {
            let _two = (pack(2), pack(3));
            (luggage::pushed(), request())
        })
        .join()
        .unwrap();
        assert_eq!((there, also_there), (3, Some(3)));
        assert_eq!(luggage::pushed(), 1);
        drop(here);
        assert_eq!(luggage::pushed(), 0);
        // one that leaks with its thread is still seen
        thread::spawn(|| std::mem::forget(pack(4))).join().unwrap();
        assert_eq!(luggage::pushed(), 1);
    });
}

#[test]
fn packing_while_the_luggage_is_lent_is_refused() {
    let said = support::panic_message(|| luggage::with(|_| drop(pack(1))));
    assert!(said.contains("luggage::with"), "{said}");
    assert_eq!(request(), None);
    drop(pack(1)); // still works
}

#[test]
fn the_destructor_of_luggage_sees_what_was_before() {
    static SEEN: Mutex<Option<Option<u32>>> = Mutex::new(None);
    struct Nosy;
    impl Drop for Nosy {
        fn drop(&mut self) {
            *SEEN.lock().unwrap() = Some(request());
        }
    }
    let _one = pack(1);
    drop(luggage::pack(Some(Arc::new(Nosy))));
    assert_eq!(*SEEN.lock().unwrap(), Some(Some(1)));
}

#[test]
fn carried_in_polls_and_in_the_drop_and_nowhere_else() {
    struct Witness(Arc<Mutex<Vec<Option<u32>>>>);
    impl Drop for Witness {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(request());
        }
    }
    for polls in [0, 2] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let witness = Witness(Arc::clone(&seen));
        let packed = pack(1);
        let carried = luggage::carry(async move {
            witness.0.lock().unwrap().push(request());
            bridge::yield_now().await;
            witness.0.lock().unwrap().push(request());
            pending::<()>().await;
        });
        drop(packed);
        let _other = pack(2);
        {
            let mut carried = pin!(carried);
            for _ in 0..polls {
                let polled = carried.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_pending());
                assert_eq!(request(), Some(2), "left behind after a poll");
            }
        }
        assert_eq!(request(), Some(2), "left behind after the drop");
        assert_eq!(*seen.lock().unwrap(), vec![Some(1); polls + 1]);
    }
}

#[test]
fn a_panic_leaves_no_luggage_behind() {
    let packed = pack(1);
    let carried = luggage::carry(async { panic!("in the future") });
    drop(packed);
    let _other = pack(2);
    support::panic_message(|| bridge::block_on(carried));
    assert_eq!(request(), Some(2));
}

#[test]
fn seen_wherever_the_bridge_takes_code_to() {
    for policy in POLICIES {
        let _packed = pack(7);
        let seen = bridge::block_on_with(policy, async {
            vec![
                request(),
                bridge::spawn(async { request() }).await.unwrap(),
                bridge::spawn_shared(async {
                    bridge::yield_now().await;
                    request()
                })
                .await
                .unwrap(),
                bridge::own_thread(async || request()).unwrap(),
                bridge::unblock(request).await.unwrap(),
                bridge::gather([async { request() }]).await[0],
                #[cfg(feature = "compute")]
                bridge::compute(request).await.unwrap(),
            ]
        })
        .unwrap();
        assert!(seen.iter().all(|r| *r == Some(7)), "{seen:?}");
    }
}

#[test]
fn taken_off_wherever_the_bridge_was() {
    support::alone("bridge::luggage::taken_off_wherever_the_bridge_was", || {
        // One thread each, so that the second job meets the thread of the first.
        bridge::set_unblock_threads(1);
        let packed = pack(7);
        bridge::unblock(|| ()).join().unwrap();
        bridge::unblock(|| panic!("with luggage")).join().unwrap_err();
        bridge::spawn_shared(async {}).join().unwrap();
        bridge::spawn_shared(async { panic!("with luggage") }).join().unwrap_err();
        #[cfg(feature = "compute")]
        bridge::compute(|| panic!("with luggage")).join().unwrap_err();
        let owner = Arc::downgrade(&luggage::current().unwrap());
        drop(packed);
        assert_eq!(owner.strong_count(), 0, "somebody still has it");
        assert_eq!(luggage::pushed(), 0);
        assert_eq!(bridge::unblock(request).join().unwrap(), None);
        assert_eq!(bridge::spawn_shared(async { request() }).join().unwrap(), None);
        #[cfg(feature = "compute")]
        for _ in 0..100 {
            assert_eq!(bridge::compute(request).join().unwrap(), None);
        }
    });
}

#[test]
fn a_guard_held_across_an_await_stays_in_its_task() {
    let _one = pack(1);
    bridge::block_on(async {
        let packing = bridge::spawn(async {
            let two = pack(2);
            for _ in 0..10 {
                bridge::yield_now().await;
                assert_eq!(request(), Some(2));
            }
            drop(two);
            request()
        });
        let plain = bridge::spawn(async {
            for _ in 0..10 {
                assert_eq!(request(), Some(1));
                bridge::yield_now().await;
            }
        });
        assert_eq!(packing.await.unwrap(), Some(1));
        plain.await.unwrap();
    })
    .unwrap();
}

#[test]
fn right_in_thousands_of_interleavings_over_the_shared_loop() {
    let rounds = if cfg!(miri) { 5 } else { 500 };
    let threads: Vec<_> = (0..8)
        .map(|request_here| {
            thread::spawn(move || {
                for round in 0..rounds {
                    let _packed = pack(request_here);
                    let tasks = (0..3).map(|_| {
                        bridge::spawn_shared(async move {
                            for _ in 0..5 {
                                assert_eq!(request(), Some(request_here));
                                bridge::yield_now().await;
                            }
                            request()
                        })
                    });
                    let tasks: Vec<_> = tasks.collect();
                    let local = async { bridge::spawn(async { request() }).await.unwrap() };
                    let all = bridge::block_on_with(POLICIES[round % 3], async {
                        (bridge::gather(tasks).await, local.await)
                    });
                    let (shared, local) = all.unwrap();
                    assert_eq!(local, Some(request_here));
                    for seen in shared {
                        assert_eq!(seen.unwrap(), Some(request_here));
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_foreign_executor_carries_what_was_packed() {
    let packed = pack(5);
    let mut pool = futures_executor::LocalPool::new();
    let carried = luggage::carry(async {
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        })
        .await;
        request()
    });
    drop(packed);
    assert_eq!(pool.run_until(carried), Some(5));
    assert_eq!(request(), None);
}
