//! `Lock`.

use std::future::pending;
use std::sync::Arc;
use std::thread;

use dewar::bridge::{self, sync::Lock};

use super::{PLACES, Place, refused, tried, until, waiting};
use crate::support;

#[test]
fn one_at_a_time_across_awaits() {
    let lock = Lock::new(0);
    bridge::block_on(bridge::gather((0..10).map(async |_| {
        let mut value = lock.lock().await;
        let before = *value;
        bridge::yield_now().await;
        *value = before + 1;
    })))
    .unwrap();
    assert!(!lock.is_locked());
    assert_eq!(lock.into_inner(), 10);
}

#[test]
fn by_hand() {
    let mut lock = Lock::from("a");
    *lock.get_mut() = "b";
    let guard = lock.try_lock().unwrap();
    assert!(lock.is_locked());
    assert!(lock.try_lock().is_none());
    drop(guard);
    assert_eq!(*lock.blocking_lock(), "b");
    assert_eq!(lock.into_inner(), "b");
    assert_eq!(Lock::<u8>::default().into_inner(), 0);
}

#[test]
fn an_owned_guard_keeps_it_alive_and_lets_it_go() {
    let lock = Arc::new(Lock::new(1));
    let mut guard = futures_lite::future::block_on(lock.lock_arc());
    let next = waiting(Lock::lock_arc(&lock));
    *guard += 1;
    drop(guard);
    let guard = next.served();
    assert_eq!(*guard, 2);
    drop(guard);
    assert_eq!(Arc::into_inner(lock).unwrap().into_inner(), 2);

    let lock = Arc::new(Lock::new(Arc::new(())));
    let witness = Arc::clone(&*lock.blocking_lock());
    let guard = futures_lite::future::block_on(lock.lock_arc());
    drop(lock);
    assert_eq!(Arc::strong_count(&guard), 2);
    drop(guard);
    assert_eq!(Arc::strong_count(&witness), 1);
}

#[test]
fn first_come_first_served() {
    let lock = Lock::new(());
    let mut guard = lock.try_lock().unwrap();
    let all: Vec<_> = (0..5).map(|_| waiting(lock.lock())).collect();
    for next in all {
        assert!(!next.is_woken(), "before its turn");
        drop(guard);
        assert!(lock.try_lock().is_none(), "a newcomer came in between");
        let newcomer = waiting(lock.lock());
        guard = next.served();
        drop(newcomer);
    }
}

#[test]
fn a_wait_that_is_dropped_loses_nothing() {
    let lock = Lock::new(());
    let guard = lock.try_lock().unwrap();
    let [first, second, third, fourth] = [(); 4].map(|()| waiting(lock.lock()));
    drop(second); // in the middle of the line
    drop(guard);
    assert!(first.is_woken() && !third.is_woken());
    drop(first); // it had the lock and was not polled
    let guard = third.served();
    assert!(!fourth.is_woken());
    drop(fourth);
    drop(guard);
    assert!(!lock.is_locked());
    drop(lock.lock()); // never polled
    assert!(!lock.is_locked());
}

#[test]
fn the_last_waker_counts() {
    let lock = Lock::new(());
    let guard = lock.try_lock().unwrap();
    let here = waiting(lock.lock());
    let before = Arc::clone(&here.wakes);
    let there = here.moved();
    drop(guard);
    drop(there.served());
    assert_eq!(before.0.load(std::sync::atomic::Ordering::Relaxed), 0, "the old one was woken");
}

#[test]
fn one_line_for_all_places() {
    let lock = Arc::new(Lock::new(Vec::new()));
    let guard = lock.try_lock().unwrap();
    let waiters: Vec<_> = [PLACES, PLACES]
        .concat()
        .into_iter()
        .enumerate()
        .map(|(i, place)| {
            let (here, there) = (Arc::clone(&lock), Arc::clone(&lock));
            let waiter =
                place.run(async move { here.lock().await.push(place) }, move || there.blocking_lock().push(place));
            until(&lock, &format!("waiting: {},", i + 1));
            waiter
        })
        .collect();
    drop(guard);
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    assert_eq!(*lock.blocking_lock(), [PLACES, PLACES].concat());
}

#[test]
fn a_cancelled_task_lets_go_of_it() {
    for place in [Place::Local, Place::Shared] {
        let lock = Arc::new(Lock::new(()));
        bridge::block_on(async {
            let lent = Arc::clone(&lock);
            let keeps = async move {
                let _guard = lent.lock().await;
                pending::<()>().await;
            };
            let task = if place == Place::Local { bridge::spawn(keeps) } else { bridge::spawn_shared(keeps) };
            while !lock.is_locked() {
                bridge::yield_now().await;
            }
            task.cancel();
            drop(lock.lock().await);
            assert!(task.await.unwrap_err().is_cancelled());
        })
        .unwrap();
    }
}

#[test]
fn a_panic_does_not_poison_it() {
    let lock = Lock::new(1);
    support::panic_message(|| {
        *lock.blocking_lock() = 2;
        let _guard = lock.blocking_lock();
        panic!("with the lock");
    });
    assert_eq!(*lock.blocking_lock(), 2);
}

#[test]
fn blocking_is_refused_on_a_loop_if_it_would_wait() {
    let lock = Arc::new(Lock::new(()));
    bridge::block_on(async { drop(lock.blocking_lock()) }).unwrap(); // it need not
    let lent = Arc::clone(&lock);
    let guard = lock.try_lock().unwrap();
    refused("lock().await", move || drop(lent.blocking_lock()));
    drop(guard);
    assert!(!lock.is_locked());

    // As the message says.
    let guard = lock.try_lock().unwrap();
    let lent = Arc::clone(&lock);
    bridge::block_on(async {
        let there = bridge::unblock(move || drop(lent.blocking_lock()));
        until(&lock, "waiting: 1");
        drop(guard);
        there.await
    })
    .unwrap()
    .unwrap();
}

#[test]
fn under_stress_it_counts_exactly() {
    const EACH: usize = 2000;
    let lock = Arc::new(Lock::new((0, 0)));
    let threads: Vec<_> = [PLACES, PLACES]
        .concat()
        .into_iter()
        .map(|place| {
            let (here, there) = (Arc::clone(&lock), Arc::clone(&lock));
            let waits = async move {
                let mut more = 0;
                for n in 0..EACH {
                    if n % 3 == 0 {
                        // Given up, unless it was there at once.
                        if let Some(mut both) = tried(here.lock()).await {
                            both.0 += 1;
                            both.1 += 1;
                            more += 1;
                        }
                    }
                    let mut both = here.lock().await;
                    both.0 += 1;
                    if n % 7 == 0 {
                        bridge::yield_now().await;
                    }
                    both.1 += 1;
                }
                EACH + more
            };
            let blocks = move || {
                for _ in 0..EACH {
                    let mut both = there.blocking_lock();
                    both.0 += 1;
                    both.1 += 1;
                }
                EACH
            };
            place.run(waits, blocks)
        })
        .collect();
    let sum: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(*lock.blocking_lock(), (sum, sum));
    assert!(format!("{lock:?}").contains("is_locked: false, waiting: 0"), "{lock:?}");
}

#[test]
fn scoped_threads_may_borrow_it() {
    let lock = Lock::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| *lock.blocking_lock() += 1);
        }
    });
    assert_eq!(lock.into_inner(), 3);
}
