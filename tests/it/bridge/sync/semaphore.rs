//! `Semaphore`.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dewar::bridge::{self, sync::Semaphore};

use super::{PLACES, refused, tried, until, waiting};

#[test]
fn so_many_and_no_more() {
    let semaphore = Semaphore::new(2);
    let one = semaphore.try_acquire().unwrap();
    let two = semaphore.blocking_acquire();
    assert_eq!((one.permits(), semaphore.available_permits()), (1, 0));
    assert!(semaphore.is_locked() && semaphore.try_acquire().is_none());
    let third = waiting(semaphore.acquire());
    drop(one);
    let third = third.served();
    drop((two, third));
    assert_eq!(semaphore.available_permits(), 2);
    assert!(!semaphore.is_locked());
}

#[test]
fn permits_are_added_and_forgotten() {
    let semaphore = Arc::new(Semaphore::new(0));
    let first = waiting(semaphore.acquire());
    semaphore.add_permits(3);
    first.served().forget();
    semaphore.try_acquire_many(1).unwrap().forget();
    futures_lite::future::block_on(semaphore.acquire_arc()).forget();
    assert_eq!(semaphore.available_permits(), 0);
    semaphore.add_permits(usize::MAX);
    semaphore.add_permits(1);
    assert_eq!(semaphore.available_permits(), usize::MAX);
}

#[test]
fn an_owned_permit_goes_into_a_task() {
    let semaphore = Arc::new(Semaphore::new(1));
    bridge::block_on(async {
        let permit = semaphore.acquire_arc().await;
        assert_eq!(permit.permits(), 1);
        let task = bridge::spawn(async move {
            let _permit = permit;
            pending::<()>().await;
        });
        let next = waiting(semaphore.acquire());
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        drop(next.served());
    })
    .unwrap();
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn first_come_first_served() {
    let semaphore = Semaphore::new(1);
    let mut permit = semaphore.try_acquire().unwrap();
    let all: Vec<_> = (0..5).map(|_| waiting(semaphore.acquire())).collect();
    for next in all {
        assert!(!next.is_woken(), "before its turn");
        drop(permit);
        assert!(semaphore.try_acquire().is_none(), "a newcomer came in between");
        permit = next.served();
    }
}

#[test]
fn who_wants_many_is_not_passed() {
    let semaphore = Semaphore::new(3);
    let mut held: Vec<_> = (0..3).map(|_| semaphore.try_acquire().unwrap()).collect();
    let many = waiting(semaphore.acquire_many(3));
    let few = waiting(semaphore.acquire());
    while held.pop().is_some() {
        assert!(!few.is_woken());
        assert!(semaphore.try_acquire().is_none(), "a newcomer came in between");
        assert!(semaphore.is_locked());
    }
    let many = many.served();
    assert_eq!(many.permits(), 3);
    assert!(!few.is_woken());
    drop(many);
    drop(few.served());
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn many_free_permits_serve_many() {
    let semaphore = Semaphore::new(0);
    let all = [1, 2, 1, 3].map(|n| waiting(semaphore.acquire_many(n)));
    semaphore.add_permits(5);
    let [a, b, c, d] = all;
    let held = [a.served(), b.served(), c.served()];
    assert!(!d.is_woken());
    assert_eq!(semaphore.available_permits(), 1);
    drop(held);
    drop(d.served());
    assert_eq!(semaphore.try_acquire_many(0).unwrap().permits(), 0);
}

#[test]
fn a_wait_that_is_dropped_loses_nothing() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    let [first, second, third] = [(); 3].map(|()| waiting(semaphore.acquire()));
    drop(second);
    drop(permit);
    assert!(first.is_woken() && !third.is_woken());
    drop(first); // it had its permit and was not polled
    drop(third.served());
    assert_eq!(semaphore.available_permits(), 1);

    // Of many permits that it had, or waited for, those behind get what they want.
    for enough in [false, true] {
        let many = waiting(semaphore.acquire_many(3));
        let few = [(); 2].map(|()| waiting(semaphore.acquire()));
        semaphore.add_permits(if enough { 2 } else { 1 });
        assert_eq!(many.is_woken(), enough);
        assert!(!few[0].is_woken());
        drop(many);
        few.into_iter().for_each(|few| drop(few.served()));
        semaphore.try_acquire_many(semaphore.available_permits() - 1).unwrap().forget();
    }
}

#[test]
fn one_line_for_all_places() {
    let (semaphore, order) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(Vec::new())));
    let permit = semaphore.try_acquire().unwrap();
    let waiters: Vec<_> = PLACES
        .into_iter()
        .enumerate()
        .map(|(i, place)| {
            let (here, there) = (Arc::clone(&semaphore), Arc::clone(&semaphore));
            let (order, also) = (Arc::clone(&order), Arc::clone(&order));
            let waits = async move {
                let _permit = here.acquire().await;
                order.lock().unwrap().push(place);
            };
            let blocks = move || {
                let _permit = there.blocking_acquire();
                also.lock().unwrap().push(place);
            };
            let waiter = place.run(waits, blocks);
            until(&semaphore, &format!("waiting: {} ", i + 1));
            waiter
        })
        .collect();
    drop(permit);
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    assert_eq!(*order.lock().unwrap(), PLACES);
}

#[test]
fn blocking_is_refused_on_a_loop_if_it_would_wait() {
    let semaphore = Arc::new(Semaphore::new(1));
    bridge::block_on(async { drop(semaphore.blocking_acquire()) }).unwrap();
    let lent = Arc::clone(&semaphore);
    refused("acquire_many(n).await", move || drop(lent.blocking_acquire_many(2)));
    let permit = semaphore.try_acquire().unwrap();
    let lent = Arc::clone(&semaphore);
    refused("acquire().await", move || drop(lent.blocking_acquire()));
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn under_stress_there_are_never_too_many() {
    const EACH: usize = 1000;
    const PERMITS: usize = 4;
    let (semaphore, taken) = (Arc::new(Semaphore::new(PERMITS)), Arc::new(AtomicUsize::new(0)));
    let enter = |taken: &AtomicUsize, n: usize| {
        assert!(taken.fetch_add(n, Ordering::SeqCst) + n <= PERMITS);
        std::thread::yield_now();
        taken.fetch_sub(n, Ordering::SeqCst);
    };
    let threads: Vec<_> = [PLACES, PLACES]
        .concat()
        .into_iter()
        .map(|place| {
            let (here, there) = (Arc::clone(&semaphore), Arc::clone(&semaphore));
            let (taken, also) = (Arc::clone(&taken), Arc::clone(&taken));
            let waits = async move {
                let mut done = 0;
                for n in 0..EACH {
                    if n % 3 == 0 {
                        drop(tried(here.acquire_many(1 + n % PERMITS)).await);
                    }
                    let permit = here.acquire_many(1 + n % PERMITS).await;
                    enter(&taken, permit.permits());
                    done += 1;
                }
                done
            };
            let blocks = move || {
                let mut done = 0;
                for n in 0..EACH {
                    let permit = there.blocking_acquire_many(1 + n % PERMITS);
                    enter(&also, permit.permits());
                    done += 1;
                }
                done
            };
            place.run(waits, blocks)
        })
        .collect();
    let done: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(done, 2 * PLACES.len() * EACH);
    assert_eq!(semaphore.available_permits(), PERMITS);
}
