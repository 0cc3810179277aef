//! Debug mode: who is told of, by whom, and when nobody is.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use dewar::bridge::{self, LoopPolicy};

use crate::support;

use super::all_policies;

/// Keeps its thread until the log has `needle` more than `before` times: the watchdog tells of a poll while it lasts.
fn stall_until_told(log: &support::LogCapture, needle: &str, before: usize) {
    while log.with(needle).len() <= before {
        thread::yield_now();
    }
}

/// Keeps its thread for longer than a slow poll takes.
fn stall(slow: Duration) {
    let begun = Instant::now();
    while begun.elapsed() <= slow {
        thread::yield_now();
    }
}

/// What a fragment that was begun on this line is called.
fn place(line: u32) -> String {
    format!("the fragment at {}:{line}:", file!())
}

#[test]
fn a_poll_that_stalls_a_loop_is_told_of_while_it_lasts_and_afterwards() {
    support::alone("bridge::watching::a_poll_that_stalls_a_loop_is_told_of_while_it_lasts_and_afterwards", || {
        let log = support::log_capture();
        bridge::set_slow_poll(Duration::from_millis(5));
        for (number, policy) in all_policies().into_iter().enumerate() {
            let policy = policy.debug(true);
            let [local, shared] = ["local", "shared"].map(|kind| format!("{kind} {number}"));
            bridge::block_on_with(policy, async {
                for (name, is_shared) in [(&local, false), (&shared, true)] {
                    let log = support::log_capture();
                    let needle = format!("`{name}` spawned at {}", file!());
                    let task = async move { stall_until_told(&log, &needle, 0) };
                    let builder = bridge::TaskBuilder::new().name(name.as_str());
                    let task = if is_shared { builder.spawn_shared(task) } else { builder.spawn(task) };
                    task.await.unwrap();
                }
            })
            .unwrap();
            for name in [local, shared] {
                let told = log.with(&format!("`{name}`"));
                assert_eq!(told.len(), 2, "{told:?}");
                assert!(told[0].starts_with("WARN the task") && told[0].contains("goes on"), "{told:?}");
                assert!(told[1].contains(" was polled for ") && told[1].contains("ms on the thread"), "{told:?}");
            }
            // the fragment itself, by its place
            let line = line!() + 1;
            bridge::block_on_with(policy, async { stall_until_told(&log, &place(line), 2 * number) }).unwrap();
            assert_eq!(log.with(&place(line)).len(), 2 * (number + 1));
        }
    });
}

#[test]
fn without_debug_nobody_is_told_of() {
    support::alone("bridge::watching::without_debug_nobody_is_told_of", || {
        let log = support::log_capture();
        let slow = Duration::from_millis(1);
        bridge::set_slow_poll(slow);
        // The watchdog is there, since another one is watched.
        bridge::block_on_with(LoopPolicy::per_thread().debug(true), async {}).unwrap();
        for policy in all_policies() {
            bridge::block_on_with(policy, async {
                stall(slow * 5);
                bridge::spawn_named("unwatched", async move { stall(slow * 5) }).await.unwrap();
                bridge::spawn_shared(async move { stall(slow * 5) }).await.unwrap();
            })
            .unwrap();
        }
        assert_eq!(log.with("loop"), [""; 0]);
    });
}

#[test]
fn unhandled_panics_go_to_the_handler_once_each() {
    support::alone("bridge::watching::unhandled_panics_go_to_the_handler_once_each", || {
        let log = support::log_capture();
        let (send, heard) = mpsc::channel();
        bridge::on_unhandled(move |error| {
            send.send(error.name().unwrap_or_default().to_owned()).unwrap();
            if error.name() == Some("the handler panics") {
                panic!("in the handler");
            }
        });
        let bad = async || panic!("bad");
        bridge::block_on(async {
            bridge::spawn_named("local", bad()).detach();
            let dropped_later = bridge::spawn_named("dropped later", bad());
            let asked = bridge::spawn_named("asked", bad());
            assert!(asked.await.is_err());
            drop(dropped_later);
        })
        .unwrap();
        for name in ["the handler panics", "shared"] {
            bridge::TaskBuilder::new().name(name).spawn_shared(async { panic!("bad") }).detach();
        }
        let mut names: Vec<String> = heard.iter().take(4).collect();
        names.sort_unstable();
        assert_eq!(names, ["dropped later", "local", "shared", "the handler panics"]);
        bridge::spawn_shared(async {}).join().unwrap();
        assert!(heard.try_recv().is_err(), "each one once");
        assert_eq!(log.with("nobody asks"), [""; 0]);
    });
}
