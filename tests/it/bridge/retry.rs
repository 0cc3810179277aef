//! Trying again.

use std::cell::{Cell, RefCell};
use std::num::ParseIntError;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dewar::bridge::{self, Retry};

use crate::support;

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);

fn quick<'a, E>() -> Retry<'a, E> {
    Retry::new().first_delay(MS).max_delay(2 * MS)
}

#[test]
fn it_is_tried_until_it_succeeds() {
    for policy in POLICIES {
        let mut calls = 0;
        let result = bridge::block_on_with(
            policy,
            bridge::retry(quick().attempts(5), async || {
                calls += 1;
                bridge::yield_now().await;
                if calls < 4 { Err(calls) } else { Ok("done") }
            }),
        );
        assert_eq!(result.unwrap(), Ok("done"));
        assert_eq!(calls, 4);
    }
}

#[test]
fn the_last_error_is_the_result_in_both_worlds() {
    let calls = Cell::new(0);
    let fail = || {
        calls.set(calls.get() + 1);
        Err::<(), _>(calls.get())
    };
    assert_eq!(bridge::block_on(bridge::retry(quick().attempts(3), async || fail())).unwrap(), Err(3));
    assert_eq!(bridge::retry_blocking(quick().attempts(2), fail), Err(5));
    assert_eq!(bridge::retry_blocking(quick().attempts(1), fail), Err(6), "once is without a retry");
}

#[test]
fn the_question_mark_takes_its_error() {
    fn parse() -> Result<u8, ParseIntError> {
        let n = bridge::retry_blocking(quick().attempts(2), || "x".parse::<u8>())?;
        Ok(n)
    }
    assert!(parse().is_err());
}

#[test]
fn some_errors_are_not_tried_again() {
    let mut calls = 0;
    let policy = quick().attempts(9).retry_if(|error: &i32| *error < 3);
    let result: Result<(), _> = bridge::retry_blocking(policy, || {
        calls += 1;
        Err(calls)
    });
    assert_eq!(result, Err(3));
}

#[test]
fn each_retry_is_told_of_with_a_delay_that_is_kept() {
    let told = Mutex::new(Vec::new());
    let policy = Retry::new()
        .attempts(4)
        .first_delay(2 * MS)
        .max_delay(3 * MS)
        .jitter(false)
        .on_retry(|attempt, error: &&str, delay| told.lock().unwrap().push((attempt, error.to_string(), delay)));
    let begun = Instant::now();
    let result: Result<(), _> = bridge::block_on(bridge::retry(policy, async || Err("no"))).unwrap();
    assert_eq!(result, Err("no"));
    assert!(begun.elapsed() >= 8 * MS);
    let no = || "no".to_owned();
    assert_eq!(*told.lock().unwrap(), [(1, no(), 2 * MS), (2, no(), 3 * MS), (3, no(), 3 * MS)]);
}

#[test]
fn jitter_is_within_the_bounds_and_not_always_the_same() {
    let delays = Mutex::new(Vec::new());
    let policy = Retry::new()
        .attempts(30)
        .first_delay(MS)
        .factor(1.0)
        .on_retry(|_, _: &(), delay| delays.lock().unwrap().push(delay));
    let _ = bridge::retry_blocking(policy, || Err::<(), ()>(()));
    let delays = delays.into_inner().unwrap();
    assert_eq!(delays.len(), 29);
    assert!(delays.iter().all(|delay| *delay <= MS), "{delays:?}");
    assert!(delays.iter().any(|delay| *delay != delays[0]), "{delays:?}");
}

#[test]
fn it_gives_up_when_the_time_would_be_over() {
    let mut calls = 0;
    let policy = Retry::new()
        .attempts(u32::MAX)
        .first_delay(Duration::from_secs(3600))
        .max_delay(Duration::MAX)
        .jitter(false)
        .total_time(Duration::from_secs(60));
    let result: Result<(), _> = bridge::retry_blocking(policy, || {
        calls += 1;
        Err("an hour was not waited for")
    });
    assert!(result.is_err());
    assert_eq!(calls, 1);
}

#[test]
fn a_policy_is_cloned_and_used_again() {
    let told = RefCell::new(0);
    let policy = quick::<()>().attempts(2);
    for _ in 0..3 {
        let _ = bridge::retry_blocking(policy.clone(), || {
            *told.borrow_mut() += 1;
            Err::<(), ()>(())
        });
    }
    assert_eq!(told.into_inner(), 6);
}

#[test]
fn it_goes_to_the_shared_loop() {
    let mut calls = vec![1, 2];
    let task = bridge::spawn_shared(bridge::retry(quick(), async move || {
        bridge::yield_now().await;
        calls.pop().map_or(Ok("none left"), Err)
    }));
    assert_eq!(task.join().unwrap(), Ok("none left"));
}

#[test]
fn senseless_policies_are_refused() {
    let message = support::panic_message(|| drop(Retry::<()>::new().attempts(0)));
    assert!(message.contains("1 is once"), "{message}");
    for factor in [0.5, f64::NAN, f64::INFINITY, -1.0] {
        let message = support::panic_message(|| drop(Retry::<()>::new().factor(factor)));
        assert!(message.contains("must not shrink"), "{message}");
    }
}
