//! `BoundedSemaphore`: what it has beyond a `Semaphore`.

use std::sync::Arc;

use dewar::bridge::sync::{BoundedSemaphore, ReleasedTooMany};

use super::{refused, waiting};
use crate::support;

#[test]
fn no_more_is_released_than_was_taken() {
    let seats = BoundedSemaphore::new(3);
    assert_eq!(seats.bound(), 3);
    assert!(matches!(seats.release(1), Err(ReleasedTooMany { released: 1, forgotten: 0, .. })));

    // One is out with a guard, which gives it back by itself.
    let permit = seats.try_acquire().unwrap();
    seats.release(1).unwrap_err();
    drop(permit);
    assert_eq!(seats.available_permits(), 3);

    seats.blocking_acquire().forget();
    seats.try_acquire_many(2).unwrap().forget();
    assert!(seats.is_locked());
    let error = seats.release(4).unwrap_err();
    let says = "4 permits to be released, but 3 were taken and forgotten";
    assert!(error.to_string().starts_with(says), "{error}");
    assert_eq!(seats.available_permits(), 0, "nothing is changed by what is refused");
    seats.release(2).unwrap();
    seats.release(1).unwrap();
    seats.release(1).unwrap_err();
    assert_eq!(seats.available_permits(), 3);
}

#[test]
fn who_waits_gets_what_is_released() {
    let seats = BoundedSemaphore::new(1);
    futures_lite::future::block_on(seats.acquire_arc()).forget();
    let [first, second] = [(); 2].map(|()| waiting(seats.acquire()));
    seats.release(1).unwrap();
    drop(first); // cancelled when it had its permit
    second.served().forget();
    let many = waiting(seats.acquire_many(1));
    seats.release(1).unwrap();
    drop(many.served());
}

#[test]
fn more_than_there_ever_are_are_refused() {
    let seats = BoundedSemaphore::new(2);
    let says = "3 permits at once can never be had: this `BoundedSemaphore` has 2";
    assert_eq!(support::panic_message(|| drop(seats.blocking_acquire_many(3))), says);
    assert_eq!(support::panic_message(|| drop(futures_lite::future::block_on(seats.acquire_many(3)))), says);
    assert!(seats.try_acquire_many(3).is_none());
    drop(seats.blocking_acquire_many(2));
}

#[test]
fn blocking_is_refused_on_a_loop_if_it_would_wait() {
    let seats = Arc::new(BoundedSemaphore::new(1));
    let permit = seats.try_acquire().unwrap();
    let lent = Arc::clone(&seats);
    refused("acquire().await", move || drop(lent.blocking_acquire()));
    drop(permit);
}
