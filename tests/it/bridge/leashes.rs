//! The leash: fragments that would never end are ended, in every scope, whatever they do.

use std::future::pending;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, BridgeError, Leash, TaskBuilder};

use super::all_policies;

/// Never within a test.
const LONG: Duration = Duration::from_secs(600);

/// What a fragment does that never ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Sleeps,
    Waits,
    Yields,
    HasTasks,
    CleansUp,
    Streams,
}

const KINDS: [Kind; 6] = [Kind::Sleeps, Kind::Waits, Kind::Yields, Kind::HasTasks, Kind::CleansUp, Kind::Streams];

async fn never(kind: Kind, begun: mpsc::Sender<()>, cleaned: mpsc::Sender<()>) {
    match kind {
        Kind::CleansUp => {
            let builder = TaskBuilder::new().on_cancel(LONG, async move || {
                bridge::sleep(Duration::from_millis(1)).await;
                cleaned.send(()).unwrap();
            });
            let task = builder.spawn(async move {
                begun.send(()).unwrap();
                pending::<()>().await;
            });
            return task.await.unwrap();
        }
        _ => begun.send(()).unwrap(),
    }
    match kind {
        Kind::Sleeps => bridge::sleep(LONG).await,
        Kind::Yields => loop {
            bridge::yield_now().await;
        },
        Kind::HasTasks => bridge::spawn(bridge::sleep(LONG)).await.unwrap(),
        Kind::Streams => drop(bridge::gather((0..100).map(|_| bridge::sleep(LONG))).await),
        Kind::Waits | Kind::CleansUp => pending().await,
    }
}

#[test]
fn it_ends_fragments_in_every_scope_whatever_they_do() {
    for policy in all_policies() {
        for kind in KINDS {
            for is_own_thread in [false, true] {
                let leash = Leash::new();
                let held = leash.clone();
                let (begun, beginning) = mpsc::channel();
                let (cleaned, cleaning) = mpsc::channel();
                let thread = thread::spawn(move || {
                    let _held = held.hold();
                    bridge::with_policy(policy, || match is_own_thread {
                        true => bridge::own_thread(async move || never(kind, begun, cleaned).await),
                        false => bridge::block_on(never(kind, begun, cleaned)),
                    })
                });
                beginning.recv().unwrap();
                leash.pull();
                let ended = thread.join().unwrap();
                assert!(matches!(ended, Err(BridgeError::Cancelled { .. })), "{policy:?} {kind:?} {is_own_thread}");
                assert_eq!(cleaning.try_recv().is_ok(), kind == Kind::CleansUp, "{policy:?} {is_own_thread}");
            }
        }
    }
}

#[test]
fn one_that_was_pulled_lets_nobody_wait() {
    for policy in all_policies() {
        let leash = Leash::new();
        let held = leash.hold();
        leash.pull();
        let ready = bridge::block_on_with(policy, async { 1 });
        assert_eq!(ready.unwrap(), 1, "it does not wait");
        for kind in KINDS {
            let (send, _receive) = mpsc::channel();
            let ended = bridge::block_on_with(policy, never(kind, send.clone(), send));
            assert!(matches!(ended, Err(BridgeError::Cancelled { .. })), "{policy:?} {kind:?}");
        }
        drop(held);
        assert!(bridge::block_on_with(policy, bridge::yield_now()).is_ok(), "it is off the leash");
    }
}

#[test]
fn pulls_race_with_fragments_that_begin_and_end() {
    for policy in all_policies() {
        for _ in 0..200 {
            let leash = Leash::new();
            let held = leash.clone();
            let thread = thread::spawn(move || {
                let _held = held.hold();
                while bridge::block_on_with(policy, async { bridge::spawn(bridge::yield_now()).await }).is_ok() {}
                bridge::block_on_with(policy, pending::<()>())
            });
            leash.pull();
            assert!(matches!(thread.join().unwrap(), Err(BridgeError::Cancelled { .. })), "{policy:?}");
        }
    }
}
