//! Timers: in the loop's own heap, on the timer thread, and moving between them.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use dewar::bridge::{self, Sleep};

use crate::support;

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);

/// Polls once and goes on.
async fn poll_once(sleep: &mut Sleep) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *sleep).poll(cx).is_ready())).await
}

#[test]
fn no_sleep_ends_early_wherever_it_is() {
    for policy in POLICIES {
        let early = bridge::block_on_with(policy, async {
            let deadline = Instant::now() + 3 * MS;
            let late = || async move {
                bridge::sleep_until(deadline).await;
                Instant::now() >= deadline
            };
            let root = late().await;
            let local = bridge::spawn(late()).await.unwrap();
            let shared = bridge::spawn_shared(late()).await.unwrap();
            let foreign = futures_executor::block_on(late());
            [root, local, shared, foreign]
        });
        assert_eq!(early.unwrap(), [true; 4]);
    }
}

#[test]
fn they_fire_in_the_order_of_their_deadlines() {
    // All are registered, then all become due while the loop is blocked, then they fire. On a machine too
    // slow to register all before the first is due it is tried again with longer times.
    for unit in (0..).map(|attempt| MS * 2_u32.pow(attempt)) {
        let order = Rc::new(RefCell::new(Vec::new()));
        let registered = Rc::new(Cell::new(0));
        let sleeps = [30, 10, 20, 10, 40];
        bridge::block_on(async {
            let start = Instant::now();
            let tasks = sleeps.map(|n| {
                let (order, registered) = (Rc::clone(&order), Rc::clone(&registered));
                let mut sleep = bridge::sleep_until(start + unit * n / 10);
                let mut first = true;
                bridge::spawn(async move {
                    poll_fn(|cx| {
                        let polled = Pin::new(&mut sleep).poll(cx);
                        if std::mem::take(&mut first) && polled.is_pending() {
                            registered.set(registered.get() + 1);
                        }
                        polled
                    })
                    .await;
                    order.borrow_mut().push(n);
                })
            });
            bridge::yield_now().await; // their first polls
            thread::sleep((start + unit * 4).saturating_duration_since(Instant::now()));
            bridge::try_gather(tasks).await.unwrap();
        })
        .unwrap();
        if registered.get() == sleeps.len() {
            assert_eq!(*order.borrow(), [10, 10, 20, 30, 40]);
            return;
        }
    }
}

#[test]
fn a_third_party_block_on_that_sleeps_inside_of_a_fragment_wakes_up() {
    // The loop of this thread is blocked meanwhile and cannot look at its timers.
    for policy in POLICIES {
        bridge::block_on_with(policy, async {
            futures_executor::block_on(bridge::sleep(MS));
            bridge::spawn(async { futures_executor::block_on(bridge::sleep(MS)) }).await.unwrap();
            bridge::gather([async { futures_executor::block_on(bridge::sleep(MS)) }]).await;
            // moved there after it was registered here
            let mut sleep = bridge::sleep(3 * MS);
            poll_once(&mut sleep).await;
            futures_executor::block_on(sleep);
        })
        .unwrap();
    }
}

#[test]
fn works_in_a_foreign_executor() {
    futures_executor::block_on(bridge::sleep(MS));
    let elapsed = futures_executor::block_on(bridge::timeout(MS, pending::<()>()));
    assert_eq!(elapsed.unwrap_err().after, MS);
}

#[test]
fn a_sleep_moves_between_threads_and_executors() {
    for policy in POLICIES {
        // made here, polled here, polled on the shared loop, ended on a third thread
        let mut sleep = bridge::sleep(5 * MS);
        let first = bridge::block_on_with(policy, poll_once(&mut sleep)).unwrap();
        let task = bridge::spawn_shared(async move {
            let second = poll_once(&mut sleep).await;
            (second, sleep)
        });
        let (second, sleep) = task.join().unwrap();
        assert!(!first || second, "went back to pending");
        thread::spawn(move || bridge::block_on_with(policy, sleep).unwrap()).join().unwrap();
    }
}

#[test]
fn a_dropped_sleep_lets_go_of_its_waker() {
    struct Silent;
    impl std::task::Wake for Silent {
        fn wake(self: Arc<Self>) {}
    }
    // On the timer thread: polled with a waker that is nobody's.
    let silent = Arc::new(Silent);
    let waker = Waker::from(Arc::clone(&silent));
    let mut sleep = bridge::sleep(Duration::from_secs(3600));
    assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&silent), 2);
    drop(sleep);
    assert_eq!(Arc::strong_count(&silent), 1);
}

#[test]
fn a_sleep_without_end_can_be_made() {
    let result = bridge::block_on(bridge::timeout(MS, bridge::sleep(Duration::MAX)));
    assert!(result.unwrap().is_err());
}

#[test]
fn a_hundred_thousand_at_once() {
    let n: u32 = if cfg!(miri) { 100 } else { 100_000 };
    let fired = bridge::block_on(async {
        let start = Instant::now();
        // every one in a task or in the gather; deadlines spread over 10 ms, in no order
        let sleeps = (0..n).map(|i| start + MS + Duration::from_nanos(u64::from(i * 7919 % n) * 100));
        let fired = bridge::gather(sleeps.map(|deadline| async move {
            bridge::sleep_until(deadline).await;
            Instant::now() >= deadline
        }))
        .await;
        fired.into_iter().filter(|late| *late).count()
    });
    assert_eq!(fired.unwrap(), n as usize);
}

#[test]
#[cfg(target_os = "linux")]
fn the_loops_own_timers_need_no_thread() {
    support::alone("bridge::timers::the_loops_own_timers_need_no_thread", || {
        let has_timer_thread = || {
            std::fs::read_dir("/proc/self/task")
                .unwrap()
                .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
                .any(|name| name.trim() == "dewar-timers")
        };
        for policy in POLICIES {
            bridge::block_on_with(policy, async {
                bridge::sleep(MS).await;
                bridge::spawn(bridge::sleep(MS)).await.unwrap();
                bridge::timeout(MS, pending::<()>()).await.unwrap_err();
                // few, and many enough for wakers of their own
                bridge::gather((0..3).map(|_| bridge::sleep(MS))).await;
                bridge::gather((0..100).map(|_| bridge::sleep(MS))).await;
                let nested = (0..100).map(|_| bridge::gather([bridge::sleep(MS)]));
                bridge::try_gather(nested.map(async |all| Ok::<_, ()>(all.await))).await.unwrap();
            })
            .unwrap();
        }
        assert!(!has_timer_thread());
        futures_executor::block_on(bridge::sleep(MS));
        assert!(has_timer_thread());
    });
}

#[test]
fn thousands_on_the_timer_thread() {
    let tasks: Vec<_> = (0..2000).map(|i| bridge::spawn_shared(bridge::sleep(MS * (i % 5)))).collect();
    for task in tasks {
        task.join().unwrap();
    }
}

#[test]
fn a_root_and_a_task_that_never_rest_starve_no_timer() {
    bridge::block_on(async {
        let busy = bridge::spawn(async {
            loop {
                bridge::yield_now().await;
            }
        });
        let mut sleep = bridge::sleep(2 * MS);
        while !poll_once(&mut sleep).await {
            bridge::yield_now().await;
        }
        let napping = bridge::spawn(bridge::sleep(MS));
        napping.await.unwrap();
        busy.cancel();
        assert!(busy.await.unwrap_err().is_cancelled());
    })
    .unwrap();
}

#[test]
fn timeout_drops_the_loser() {
    let witness = Arc::new(());
    let lent = Arc::clone(&witness);
    bridge::block_on(async {
        let slow = async move {
            let _lent = lent;
            pending::<()>().await;
        };
        let elapsed = bridge::timeout(MS, slow).await.unwrap_err();
        assert_eq!(elapsed.to_string(), "not done within 1ms");
        assert_eq!(Arc::strong_count(&witness), 1);
        // one that is ready wins even without any time
        assert_eq!(bridge::timeout(Duration::ZERO, async { 1 }).await, Ok(1));
    })
    .unwrap();
}
