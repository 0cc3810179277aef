//! tokio behind the bridge: in somebody else's tokio program, with somebody else's `block_on`, to the end of a thread.

#![expect(clippy::async_yields_async, reason = "a task that outlives the fragment that spawned it is what is tried")]

use std::cell::RefCell;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, Backend, BridgeError, LoopPolicy, Task};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::support;

use super::{POLICIES, all_policies};

const SHORT: Duration = Duration::from_millis(1);

/// Those with tokio.
fn on_tokio() -> [LoopPolicy; 3] {
    POLICIES.map(|policy| policy.backend(Backend::Tokio))
}

/// What needs a tokio runtime, a local task of ours and a shared one, in one fragment.
fn work(policy: LoopPolicy) -> Result<u32, BridgeError> {
    bridge::block_on_with(policy, async {
        tokio::time::sleep(SHORT).await;
        let local = bridge::spawn(async {
            tokio::time::sleep(SHORT).await;
            bridge::sleep(SHORT).await;
            1
        });
        let shared = bridge::spawn_shared(async {
            tokio::time::sleep(SHORT).await;
            // what a task of tokio's spawns is on tokio too
            bridge::spawn_shared(async { tokio::time::sleep(SHORT).await }).await.unwrap();
            2
        });
        let theirs = tokio::spawn(async { 4 });
        local.await.unwrap() + shared.await.unwrap() + theirs.await.unwrap()
    })
}

#[test]
fn every_scope_works() {
    for policy in on_tokio() {
        for _ in 0..3 {
            assert_eq!(work(policy).unwrap(), 7, "{policy:?}");
        }
        // on a thread of its own, whose loop is a fresh one
        let own = bridge::with_policy(policy, || {
            bridge::own_thread(async || {
                tokio::time::sleep(SHORT).await;
                bridge::spawn_shared(async { Handle::try_current().is_ok() }).await.unwrap()
            })
        });
        assert!(own.unwrap(), "{policy:?}");
    }
}

/// The process's runtime works inside of somebody's, one of the thread's own is refused.
fn check_inside() {
    assert_eq!(work(LoopPolicy::tokio()).unwrap(), 7);
    assert!(bridge::block_on_with(LoopPolicy::per_thread(), async { bridge::spawn(async {}).await }).is_ok());
    for policy in [LoopPolicy::per_request(), LoopPolicy::per_thread()] {
        let policy = policy.backend(Backend::Tokio);
        match work(policy) {
            Err(error @ BridgeError::InsideTokio { .. }) => {
                assert!(error.to_string().contains("`LoopPolicy::tokio()`"), "{error}");
            }
            other => panic!("{other:?}"),
        }
        // but on a thread of its own there is one
        bridge::with_policy(policy, || bridge::own_thread(async || tokio::time::sleep(SHORT).await)).unwrap();
    }
}

#[test]
fn it_works_inside_of_a_tokio_program() {
    let runtimes: [fn() -> Runtime; 2] = [
        || Builder::new_current_thread().enable_all().build().unwrap(),
        || Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
    ];
    for runtime in runtimes {
        let runtime = runtime();
        runtime.block_on(async {
            check_inside();
            tokio::spawn(async { check_inside() }).await.unwrap();
            tokio::task::spawn_blocking(check_inside).await.unwrap();
            let local = tokio::task::LocalSet::new();
            local.run_until(async { tokio::task::spawn_local(async { check_inside() }).await }).await.unwrap();
        });
    }
}

/// Other people's ways to block.
const BLOCKS: [(&str, fn()); 4] = [
    ("futures_executor", || futures_executor::block_on(bridge::sleep(SHORT))),
    ("futures_lite", || futures_lite::future::block_on(bridge::sleep(SHORT))),
    ("async_io", || _ = async_io::block_on(async_io::Timer::after(SHORT))),
    ("unblock", || bridge::unblock(|| ()).join().unwrap()),
];

#[test]
fn third_party_block_ons_work_everywhere() {
    for policy in all_policies() {
        for (name, block) in BLOCKS {
            bridge::block_on_with(policy, async {
                block();
                bridge::spawn(async move { block() }).await.unwrap();
                bridge::spawn_shared(async move { block() }).await.unwrap();
            })
            .unwrap_or_else(|error| panic!("{name} {policy:?}: {error}"));
        }
    }
}

#[test]
fn tokios_own_block_on_works_where_no_runtime_is_driven() {
    // In a fragment on the process's runtime, and in its local tasks: its thread drives none.
    bridge::block_on_with(LoopPolicy::tokio(), async {
        Handle::current().block_on(tokio::time::sleep(SHORT));
        bridge::spawn(async { Handle::current().block_on(async { 1 }) }).await.unwrap();
    })
    .unwrap();
    // In a runtime of the thread's own and in a task of the process's, tokio refuses by a panic, which harms no loop.
    const SAID: &str = "Cannot start a runtime from within a runtime";
    for policy in on_tokio() {
        let refused: Task<()> = bridge::block_on_with(policy, async {
            bridge::spawn_shared(async { Handle::current().block_on(async {}) })
        })
        .unwrap();
        let said = refused.join().unwrap_err().to_string();
        assert!(said.contains(SAID), "{said}");
        assert_eq!(work(policy).unwrap(), 7);
    }
    for policy in &on_tokio()[..2] {
        let said =
            support::panic_message(|| bridge::block_on_with(*policy, async { Handle::current().block_on(async {}) }));
        assert!(said.contains(SAID), "{said}");
        assert_eq!(work(*policy).unwrap(), 7);
    }
}

#[test]
fn a_thread_with_a_loop_on_tokio_ends_in_peace() {
    support::alone("bridge::tokio_works::a_thread_with_a_loop_on_tokio_ends_in_peace", || {
        static PANICS: AtomicUsize = AtomicUsize::new(0);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(info);
        }));
        let counted = Arc::new(());
        for first in all_policies() {
            for second in all_policies() {
                // Used at the end of the thread too: begun there before tokio's thread-local, or after it.
                for at_end in [None, Some(0), Some(1), Some(2)] {
                    let inside = Arc::clone(&counted);
                    let ended = thread::spawn(move || a_thread([first, second], at_end, &inside)).join();
                    assert!(ended.is_ok());
                    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "{first:?} {second:?} {at_end:?}");
                }
            }
        }
        while Arc::strong_count(&counted) > 1 {
            thread::yield_now(); // what was left on the process's runtime goes on by itself
        }
        assert_eq!(bridge::stats().tasks_alive, 0);
    });
}

/// Runs a fragment by each policy, and again in a destructor that is registered before the fragment of that number.
fn a_thread(policies: [LoopPolicy; 2], at_end: Option<usize>, counted: &Arc<()>) {
    struct AtEnd([LoopPolicy; 2]);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            for policy in self.0 {
                // It works, or it is refused; it does not panic.
                let _ = bridge::block_on_with(policy, async {
                    bridge::sleep(SHORT).await;
                    bridge::spawn(async {}).await.unwrap();
                });
            }
        }
    }
    thread_local! {
        static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
    }
    for number in 0..3 {
        if at_end == Some(number) {
            AT_END.set(Some(AtEnd(policies)));
        }
        let Some(policy) = policies.get(number) else { return };
        let inside = Arc::clone(counted);
        bridge::block_on_with(*policy, async {
            bridge::sleep(SHORT).await;
            if policy.backend == Backend::Tokio {
                // left behind on the runtime
                drop(tokio::spawn(async move {
                    let _inside = inside;
                    tokio::time::sleep(SHORT).await;
                }));
            }
            bridge::spawn(async {}).await.unwrap();
        })
        .unwrap();
    }
}
