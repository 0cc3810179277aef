//! Ticks: when they come, and what becomes of those that were missed.

use std::future::pending;
use std::thread;
use std::time::{Duration, Instant};

use dewar::bridge::{self, Interval, MissedTicks};
use futures_util::StreamExt;

use crate::support;

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);

#[test]
fn ticks_come_on_schedule_and_never_early() {
    for policy in POLICIES {
        bridge::block_on_with(policy, async {
            let start = Instant::now() + 2 * MS;
            let mut interval = bridge::interval_at(start, MS);
            for n in 0..5 {
                let tick = interval.tick().await;
                assert_eq!(tick, start + n * MS);
                assert!(Instant::now() >= tick);
            }
        })
        .unwrap();
    }
}

#[test]
fn the_first_tick_comes_at_once() {
    let before = Instant::now();
    let mut interval = bridge::interval(Duration::from_secs(3600));
    let after = Instant::now();
    let first = bridge::block_on(interval.tick()).unwrap();
    assert!(before <= first && first <= after, "an hour was not waited for");
    assert_eq!(interval.period(), Duration::from_secs(3600));
}

#[test]
fn burst_makes_up_for_all_of_them() {
    let start = Instant::now().checked_sub(100 * MS).unwrap();
    let mut interval = bridge::interval_at(start, 10 * MS);
    bridge::block_on(async {
        for n in 0..20 {
            assert_eq!(interval.tick().await, start + n * 10 * MS);
        }
    })
    .unwrap();
}

#[test]
fn delay_keeps_the_distance() {
    let start = Instant::now().checked_sub(100 * MS).unwrap();
    let mut interval = bridge::interval_at(start, 2 * MS).missed(MissedTicks::Delay);
    bridge::block_on(async {
        let mut before = Instant::now();
        assert_eq!(interval.tick().await, start);
        for _ in 0..3 {
            thread::sleep(3 * MS); // late again
            let again = Instant::now();
            let tick = interval.tick().await;
            assert!(tick <= Instant::now());
            assert!(tick >= before + 2 * MS, "less than a period after the one before was handed out");
            before = again;
        }
    })
    .unwrap();
}

#[test]
fn skip_stays_on_the_multiples() {
    let start = Instant::now().checked_sub(101 * MS).unwrap();
    let period = 10 * MS;
    let mut interval = bridge::interval_at(start, period).missed(MissedTicks::Skip);
    bridge::block_on(async {
        assert_eq!(interval.tick().await, start);
        let next = interval.tick().await;
        assert!(next >= start + 11 * period, "those in between are left out");
        assert_eq!((next - start).as_nanos() % period.as_nanos(), 0);
        thread::sleep(3 * period);
        let late = interval.tick().await;
        assert!(late > next, "the one that was due meanwhile is late, and comes");
        let after = interval.tick().await;
        // `late` was at most a period away before the sleep, and this one is beyond its end.
        assert!(after >= late + 3 * period, "those in between are left out again");
        assert_eq!((after - start).as_nanos() % period.as_nanos(), 0);
    })
    .unwrap();
}

#[test]
fn a_tick_that_is_given_up_is_not_lost() {
    for policy in POLICIES {
        bridge::block_on_with(policy, async {
            let start = Instant::now() + 10 * MS;
            let mut interval = bridge::interval_at(start, 10 * MS);
            for n in 0..3 {
                // Given up as often as it takes.
                let tick = loop {
                    if let Ok(tick) = bridge::timeout(MS, interval.tick()).await {
                        break tick;
                    }
                };
                assert_eq!(tick, start + n * 10 * MS);
            }
        })
        .unwrap();
    }
}

#[test]
fn it_moves_between_fragments_and_loops() {
    let start = Instant::now();
    let mut interval = bridge::interval_at(start, MS);
    for n in (0..6).step_by(2) {
        assert_eq!(bridge::block_on_with(POLICIES[n as usize / 2], interval.tick()).unwrap(), start + n * MS);
        let task = bridge::spawn_shared(async move {
            let tick = interval.tick().await;
            (tick, interval)
        });
        let (tick, back) = task.join().unwrap();
        assert_eq!(tick, start + (n + 1) * MS);
        interval = back;
    }
}

#[test]
fn it_is_a_stream() {
    let start = Instant::now();
    let ticks: Vec<_> = bridge::block_on(bridge::interval_at(start, MS).take(3).collect()).unwrap();
    assert_eq!(ticks, [start, start + MS, start + 2 * MS]);
}

#[test]
fn beyond_the_clock_it_never_ticks_again() {
    let mut interval = bridge::interval(Duration::MAX);
    bridge::block_on(async {
        interval.tick().await;
        bridge::timeout(2 * MS, interval.tick()).await.unwrap_err();
        bridge::timeout(MS, pending::<()>()).await.unwrap_err();
    })
    .unwrap();
}

#[test]
fn a_period_of_zero_is_refused() {
    for make in [bridge::interval as fn(Duration) -> Interval, |period| bridge::interval_at(Instant::now(), period)] {
        let message = support::panic_message(|| make(Duration::ZERO));
        assert!(message.contains("yield_now"), "{message}");
    }
}

#[test]
fn refusals_name_the_callers_line() {
    support::alone("bridge::interval::refusals_name_the_callers_line", || {
        let here = |line| (file!().to_owned(), line);
        assert_eq!(support::panic_line(|| bridge::interval(Duration::ZERO)), here(line!()));
        assert_eq!(support::panic_line(|| bridge::every(Duration::ZERO, || async {})), here(line!()));
        assert_eq!(support::panic_line(|| bridge::Retry::<()>::new().attempts(0)), here(line!()));
        assert_eq!(support::panic_line(|| bridge::RateLimiter::new(0, MS)), here(line!()));
        assert_eq!(support::panic_line(|| bridge::KeyedRateLimiter::<u8>::new(1, Duration::ZERO)), here(line!()));
        assert_eq!(support::panic_line(|| drop(bridge::fan_out(0, [1], async |n| n))), here(line!()));
        assert_eq!(support::panic_line(|| bridge::read_stream(std::io::empty()).block_size(0)), here(line!()));
    });
}
