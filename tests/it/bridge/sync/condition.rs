//! `Condition`.

use std::sync::Arc;

use dewar::bridge::sync::{Condition, Lock};
use dewar::bridge::{self};

use super::{PLACES, refused, until, waiting};

fn both<T>(value: T) -> (Lock<T>, Condition) {
    (Lock::new(value), Condition::new())
}

#[test]
fn a_wait_lets_go_of_the_lock_and_has_it_again() {
    let (lock, changed) = both(0);
    let wait = waiting(changed.wait(lock.try_lock().unwrap()));
    let mut guard = lock.try_lock().expect("the wait has let go of it");
    *guard = 1;
    changed.notify_one();
    let mut wait = wait;
    assert!(wait.is_woken());
    assert!(wait.poll().is_pending(), "the lock is not free yet");
    drop(guard);
    let guard = wait.served();
    assert_eq!(*guard, 1);
    assert!(lock.is_locked());
}

#[test]
fn predicates() {
    let (lock, changed) = both(0);
    // At once, if it is so.
    let zero = async { changed.wait_for(lock.lock().await, |n| *n == 0).await };
    drop(futures_lite::future::block_on(zero));
    drop(changed.blocking_wait_while(lock.blocking_lock(), |n| *n != 0));

    let mut for_two = waiting(async { *changed.wait_for(lock.lock().await, |n| *n == 2).await });
    let mut while_none = waiting(async { *changed.wait_while(lock.lock().await, |n| *n == 0).await });
    *lock.try_lock().unwrap() += 1;
    changed.notify_all();
    assert!(for_two.poll().is_pending());
    assert!(matches!(while_none.poll(), std::task::Poll::Ready(1)));
    *lock.try_lock().unwrap() += 1;
    changed.notify_one();
    assert_eq!(for_two.served(), 2);
}

#[test]
fn notifications_go_to_those_who_wait_longest() {
    let (lock, changed) = both(());
    changed.notify_all(); // nobody is there, and nothing is kept
    let mut all: Vec<_> = (0..6).map(|_| waiting(changed.wait(lock.try_lock().unwrap()))).collect();
    let woken = |all: &[super::ByHand<_>]| all.iter().map(super::ByHand::is_woken).collect::<Vec<_>>();
    changed.notify_one();
    assert_eq!(woken(&all), [true, false, false, false, false, false]);
    changed.notify(2);
    assert_eq!(woken(&all), [true, true, true, false, false, false]);
    changed.notify(0);
    assert_eq!(woken(&all), [true, true, true, false, false, false]);
    let late = all.split_off(3);
    for wait in all {
        drop(wait.served());
    }
    changed.notify(100);
    for wait in late {
        drop(wait.served());
    }
    drop(waiting(changed.wait(lock.try_lock().unwrap())));
}

#[test]
fn a_cancelled_wait_passes_its_notification_on() {
    let (lock, changed) = both(());
    let [first, second, mut third, fourth] = [(); 4].map(|()| waiting(changed.wait(lock.try_lock().unwrap())));
    drop(second); // not notified
    changed.notify_one();
    assert!(first.is_woken() && !third.is_woken());
    drop(first); // notified and not polled
    assert!(third.is_woken() && !fourth.is_woken());

    // Polled, and waiting for the lock.
    let guard = lock.try_lock().unwrap();
    assert!(third.poll().is_pending());
    drop(third);
    assert!(fourth.is_woken());
    drop(guard);
    drop(fourth.served());
    assert!(!lock.is_locked());
}

#[test]
fn a_wait_that_has_the_lock_and_is_dropped_passes_both_on() {
    let (lock, changed) = both(());
    let [mut first, second] = [(); 2].map(|()| waiting(changed.wait(lock.try_lock().unwrap())));
    let guard = lock.try_lock().unwrap();
    changed.notify_one();
    assert!(first.poll().is_pending());
    drop(guard); // handed to the first, who is not polled
    assert!(lock.is_locked() && !second.is_woken());
    drop(first);
    drop(second.served());
    // Never polled: the guard is in the future.
    drop(changed.wait(lock.try_lock().unwrap()));
    assert!(!lock.is_locked());
}

#[test]
fn one_line_for_all_places() {
    let shared = Arc::new(both(Vec::new()));
    let waiters: Vec<_> = PLACES
        .into_iter()
        .enumerate()
        .map(|(i, place)| {
            let (here, there) = (Arc::clone(&shared), Arc::clone(&shared));
            let waits = async move { here.1.wait(here.0.lock().await).await.push(place) };
            let blocks = move || there.1.blocking_wait(there.0.blocking_lock()).push(place);
            let waiter = place.run(waits, blocks);
            until(&shared.1, &format!("waiting: {}", i + 1));
            waiter
        })
        .collect();
    for waiter in waiters {
        shared.1.notify_one();
        waiter.join().unwrap(); // who was first in the line; or it waits for ever
    }
    assert_eq!(*shared.0.blocking_lock(), PLACES);
}

#[test]
fn blocking_is_refused_on_a_loop() {
    let shared = Arc::new(both(0));
    let lent = Arc::clone(&shared);
    refused("wait(guard).await", move || drop(lent.1.blocking_wait(lent.0.blocking_lock())));
    let lent = Arc::clone(&shared);
    refused("wait(guard).await", move || drop(lent.1.blocking_wait_for(lent.0.blocking_lock(), |n| *n == 1)));
    assert!(!shared.0.is_locked());
    bridge::block_on(async { drop(shared.1.blocking_wait_for(shared.0.blocking_lock(), |n| *n == 0)) }).unwrap();
}

#[test]
fn under_stress_nothing_is_lost() {
    // A box for one thing: half of them fill it, the others empty it, and some give up in between.
    const EACH: usize = 500;
    struct Shared {
        slot: Lock<Option<usize>>,
        filled: Condition,
        emptied: Condition,
    }
    let shared = Arc::new(Shared { slot: Lock::new(None), filled: Condition::new(), emptied: Condition::new() });
    let fill = PLACES.map(|place| {
        let (here, there) = (Arc::clone(&shared), Arc::clone(&shared));
        let waits = async move {
            for n in 1..=EACH {
                *here.emptied.wait_while(here.slot.lock().await, |slot| slot.is_some()).await = Some(n);
                here.filled.notify_one();
            }
            0
        };
        let blocks = move || {
            for n in 1..=EACH {
                let slot = there.slot.blocking_lock();
                *there.emptied.blocking_wait_while(slot, |slot| slot.is_some()) = Some(n);
                there.filled.notify_one();
            }
            0
        };
        place.run(waits, blocks)
    });
    let empty = PLACES.map(|place| {
        let (here, there) = (Arc::clone(&shared), Arc::clone(&shared));
        let waits = async move {
            let mut sum = 0;
            for n in 0..EACH {
                if n % 5 == 0 {
                    // Given up with or without a notification.
                    let wait = here.filled.wait(here.slot.lock().await);
                    super::tried(wait).await;
                }
                sum += here.filled.wait_for(here.slot.lock().await, |slot| slot.is_some()).await.take().unwrap();
                here.emptied.notify_one();
            }
            sum
        };
        let blocks = move || {
            let mut sum = 0;
            for _ in 0..EACH {
                let slot = there.slot.blocking_lock();
                sum += there.filled.blocking_wait_for(slot, |slot| slot.is_some()).take().unwrap();
                there.emptied.notify_one();
            }
            sum
        };
        place.run(waits, blocks)
    });
    let sum: usize = fill.into_iter().chain(empty).map(|thread| thread.join().unwrap()).sum();
    assert_eq!(sum, PLACES.len() * EACH * (EACH + 1) / 2);
    assert_eq!(*shared.slot.blocking_lock(), None);
}
