//! Rate limits: of one thing, and of one for each key.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use dewar::bridge::{self, BridgeError, KeyedRateLimiter, RateLimiter};
use futures_lite::future::poll_once;

use crate::support;

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const NEVER: Duration = Duration::from_secs(20);

/// That of these instants at most `n` are in any window. Each is taken *after* its call was let through, and late by
/// whatever the machine had to do; `before` holds one that was taken before.
#[track_caller]
fn check(mut calls: Vec<(Instant, Instant)>, n: usize, window: Duration) {
    calls.sort_by_key(|(_, after)| *after);
    for pair in calls.windows(n + 1) {
        // The last cannot have been let through later than its `after`, the first not earlier than its `before`.
        assert!(pair[n].1 - pair[0].0 >= window, "{} calls within {:?}", n + 1, pair[n].1 - pair[0].0);
    }
}

#[test]
fn no_window_has_too_many_wherever_they_come_from() {
    let (n, window) = (3, 4 * MS);
    let limiter = RateLimiter::new(n, window);
    let calls = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for policy in POLICIES {
            let (limiter, calls) = (limiter.clone(), Arc::clone(&calls));
            scope.spawn(move || {
                let work = async {
                    let call = async |_| {
                        let before = Instant::now();
                        limiter.acquire().await;
                        calls.lock().unwrap().push((before, Instant::now()));
                    };
                    bridge::fan_out(5, 0..10, call).await;
                };
                bridge::block_on_with(policy, work).unwrap();
            });
        }
        let (shared, told) = (limiter.clone(), Arc::clone(&calls));
        bridge::spawn_shared(async move {
            for _ in 0..5 {
                let before = Instant::now();
                shared.acquire().await;
                told.lock().unwrap().push((before, Instant::now()));
            }
        })
        .detach();
        scope.spawn(|| {
            for _ in 0..5 {
                let before = Instant::now();
                limiter.blocking_acquire().unwrap();
                calls.lock().unwrap().push((before, Instant::now()));
            }
        });
    });
    // The shared task may be last.
    while calls.lock().unwrap().len() < 40 {
        limiter.blocking_acquire().unwrap();
    }
    let begun = calls.lock().unwrap().iter().map(|(before, _)| *before).min().unwrap();
    // Forty calls and more: with three in four milliseconds they take fifty and more.
    assert!(begun.elapsed() >= 13 * window, "{:?}", begun.elapsed());
}

#[test]
fn calls_one_after_the_other_keep_the_window() {
    for n in [1, 2, 5] {
        let limiter = RateLimiter::new(n, 3 * MS);
        let calls = bridge::block_on(async {
            let mut calls = Vec::new();
            for _ in 0..3 * n + 1 {
                let before = Instant::now();
                limiter.acquire().await;
                // One at a time: the one before has its `after` no later than this one's `before`.
                calls.push((before, Instant::now()));
            }
            calls
        });
        check(calls.unwrap(), n, 3 * MS);
    }
}

#[test]
fn a_refusal_says_how_long() {
    let limiter = RateLimiter::new(2, HOUR);
    let begun = Instant::now();
    limiter.try_acquire().unwrap();
    limiter.clone().try_acquire().unwrap();
    let refused = limiter.try_acquire().unwrap_err();
    assert!(refused.wait() <= HOUR && refused.wait() + begun.elapsed() >= HOUR, "until the first is over");
    assert!((1..=3600).contains(&refused.seconds()));
    assert!(refused.to_string().contains("try again after"), "{refused}");
}

#[test]
fn after_the_wait_it_is_let_through() {
    let limiter = RateLimiter::new(1, 5 * MS);
    limiter.try_acquire().unwrap();
    for _ in 0..3 {
        // However late this thread wakes: it is never refused twice.
        if let Err(refused) = limiter.try_acquire() {
            thread::sleep(refused.wait());
            limiter.try_acquire().unwrap();
        }
    }
}

#[test]
fn it_is_fair() {
    for policy in POLICIES {
        let limiter = RateLimiter::new(1, MS);
        limiter.try_acquire().unwrap();
        let order = RefCell::new(Vec::new());
        bridge::block_on_with(policy, async {
            bridge::gather((0..10).map(async |n| {
                limiter.acquire().await;
                order.borrow_mut().push(n);
            }))
            .await;
        })
        .unwrap();
        assert_eq!(order.into_inner(), (0..10).collect::<Vec<_>>());
    }
}

/// Runs `test` with a limiter of one call, which was just made, and with its window. `None`: the machine was too slow for
/// that window, so it is tried again with a longer one.
fn with_a_full_limiter<T>(test: impl Fn(RateLimiter, Duration) -> Option<T>) -> T {
    let windows = (0..).map(|attempt| 5 * MS * 2_u32.pow(attempt));
    let attempt = |window| {
        let limiter = RateLimiter::new(1, window);
        limiter.try_acquire().unwrap();
        test(limiter, window)
    };
    windows.map(attempt).find_map(|done| done).expect("some window is long enough")
}

#[test]
fn try_acquire_does_not_push_ahead() {
    with_a_full_limiter(|limiter, window| {
        bridge::block_on(async {
            let mut waiting = limiter.acquire();
            if poll_once(&mut waiting).await.is_some() {
                return None;
            }
            thread::sleep(window);
            // There is room now; it belongs to the one who waits and was not polled yet.
            let refused = limiter.try_acquire().unwrap_err();
            assert!(refused.wait() <= window && !refused.wait().is_zero());
            assert!(poll_once(&mut waiting).await.is_some());
            Some(())
        })
        .unwrap()
    });
}

#[test]
fn whoever_gives_up_makes_room_for_the_next() {
    for policy in POLICIES {
        with_a_full_limiter(|limiter, _| {
            bridge::block_on_with(policy, async {
                let (mut first, mut second) = (limiter.acquire(), limiter.acquire());
                if poll_once(&mut first).await.is_some() || poll_once(&mut second).await.is_some() {
                    return None;
                }
                let own = limiter.clone();
                let third = bridge::spawn(async move { own.acquire().await });
                while !format!("{limiter:?}").contains("waiting: 3") {
                    if third.is_finished() {
                        return None;
                    }
                    bridge::yield_now().await;
                }
                // The third has no timer of its own; it is woken to have one.
                drop(second);
                drop(first);
                third.await.unwrap();
                Some(())
            })
            .unwrap()
        });
    }
}

#[test]
fn who_gave_up_has_not_counted() {
    with_a_full_limiter(|limiter, window| {
        bridge::block_on(async {
            let mut given_up = limiter.acquire();
            if poll_once(&mut given_up).await.is_some() {
                return None;
            }
            drop(given_up);
            assert!(format!("{limiter:?}").contains("waiting: 0"));
            thread::sleep(window);
            limiter.try_acquire().unwrap();
            Some(())
        })
        .unwrap()
    });
}

#[test]
fn blocking_is_refused_in_a_fragment() {
    let limiter = RateLimiter::new(1, HOUR);
    let nested = bridge::block_on(async { limiter.blocking_acquire() }).unwrap();
    assert!(matches!(nested, Err(BridgeError::Nested { .. })));
    limiter.try_acquire().unwrap(); // the refused one has not counted
    let keyed = KeyedRateLimiter::new(1, HOUR);
    let nested = bridge::block_on(async { keyed.blocking_acquire("x") }).unwrap();
    assert!(matches!(nested, Err(BridgeError::Nested { .. })));
}

#[test]
fn limits_of_nothing_are_refused() {
    let message = support::panic_message(|| RateLimiter::new(0, HOUR));
    assert!(message.contains("at least one"), "{message}");
    let message = support::panic_message(|| KeyedRateLimiter::<u8>::new(1, Duration::ZERO));
    assert!(message.contains("limits nothing"), "{message}");
    // The longest window there is.
    let limiter = RateLimiter::new(1, Duration::MAX);
    limiter.try_acquire().unwrap();
    assert!(limiter.try_acquire().is_err());
    let keyed = KeyedRateLimiter::new(1, Duration::MAX);
    keyed.try_acquire(1).unwrap();
    assert!(keyed.try_acquire(1).is_err());
}

// ---- by key

#[test]
fn keys_do_not_hinder_each_other() {
    let limiter = KeyedRateLimiter::new(2, HOUR);
    for key in ["a", "b", "a", "b"] {
        limiter.clone().try_acquire(key.to_owned()).unwrap();
    }
    for key in ["a", "b"] {
        limiter.try_acquire(key.to_owned()).unwrap_err();
    }
    limiter.try_acquire("c".to_owned()).unwrap();
    assert_eq!(limiter.keys(), 3);
}

#[test]
fn idle_keys_are_forgotten_and_used_ones_are_not() {
    let window = 10 * MS;
    let limiter = KeyedRateLimiter::new(1, window);
    for key in 0..1000 {
        limiter.try_acquire(key).unwrap();
    }
    thread::sleep(window);
    assert_eq!(limiter.keys(), 0);
    // One that is used without end is never let through too early by being forgotten.
    let mut calls = Vec::new();
    for n in 0..4 {
        let before = Instant::now();
        limiter.blocking_acquire(7).unwrap();
        calls.push((before, Instant::now()));
        limiter.try_acquire(1000 + n).unwrap();
    }
    check(calls, 1, window);
}

#[test]
fn a_key_that_is_waited_for_is_kept() {
    let limiter = KeyedRateLimiter::new(1, 5 * MS);
    limiter.try_acquire("a").unwrap();
    let begun = Instant::now();
    bridge::block_on(bridge::gather((0..4).map(async |_| {
        limiter.acquire("a").await;
        limiter.keys(); // looks for idle ones
    })))
    .unwrap();
    assert!(begun.elapsed() >= 15 * MS);
}

#[test]
fn beyond_the_bound_new_keys_wait_for_room() {
    let limiter = KeyedRateLimiter::new(1, HOUR).max_keys(2);
    limiter.try_acquire(1).unwrap();
    limiter.try_acquire(2).unwrap();
    let refused = limiter.try_acquire(3).unwrap_err();
    assert!(refused.wait() <= HOUR && refused.wait() > HOUR - NEVER);
    assert!(limiter.try_acquire(1).is_err(), "the old ones are still known");
    assert_eq!(limiter.keys(), 2);

    let short = KeyedRateLimiter::new(1, 5 * MS).max_keys(1);
    short.try_acquire(1).unwrap();
    let begun = Instant::now();
    short.blocking_acquire(2).unwrap();
    short.blocking_acquire(3).unwrap();
    assert!(begun.elapsed() >= 5 * MS, "for the room that key two had");
}

#[test]
fn many_threads_share_it() {
    let limiter = KeyedRateLimiter::new(5, HOUR);
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..4 {
            let (limiter, tell) = (limiter.clone(), tell.clone());
            scope.spawn(move || {
                for key in (0..100).cycle().take(1000) {
                    if limiter.try_acquire(key).is_ok() {
                        tell.send(key).unwrap();
                    }
                }
            });
        }
    });
    drop(tell);
    let mut counts = [0; 100];
    told.iter().for_each(|key| counts[key as usize] += 1);
    assert_eq!(counts, [5; 100]);
}
