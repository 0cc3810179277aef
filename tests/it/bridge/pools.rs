//! `unblock` and `compute`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use dewar::bridge::{self, BridgeError};

use crate::support;

#[test]
fn unblock_gives_results_to_blocking_and_async_code() {
    assert_eq!(bridge::unblock(|| 1).join().unwrap(), 1);
    let both = bridge::block_on(async {
        let here = thread::current().id();
        let named = bridge::unblock(move || {
            assert_ne!(thread::current().id(), here);
            thread::current().name().unwrap().to_owned()
        });
        (bridge::unblock(|| 2).await.unwrap(), named.await.unwrap())
    });
    let (two, name) = both.unwrap();
    assert_eq!(two, 2);
    assert!(name.starts_with("dewar-unblock-"), "{name}");
}

#[test]
fn unblock_delivers_panics() {
    let error = bridge::unblock(|| panic!("blocked badly")).join().unwrap_err();
    assert!(matches!(&error, BridgeError::Task(e) if e.is_panic()));
    assert!(error.to_string().ends_with("panicked: blocked badly"), "{error}");
    let awaited = bridge::block_on(async { bridge::unblock(|| panic!("again")).await });
    assert!(awaited.unwrap().unwrap_err().is_panic());
    assert_eq!(bridge::unblock(|| 1).join().unwrap(), 1);
}

#[test]
fn unblock_keeps_to_its_bound_and_uses_it() {
    support::alone("bridge::pools::unblock_keeps_to_its_bound_and_uses_it", || {
        assert_eq!(bridge::unblock_stats().threads, 0);
        assert_eq!(bridge::unblock_stats().max_threads, 64);
        bridge::set_unblock_threads(3);
        let running = Arc::new(AtomicUsize::new(0));
        // Passed only by three at once, so the bound is used to the full...
        let three = Arc::new(Barrier::new(3));
        let tasks: Vec<_> = (0..30)
            .map(|_| {
                let (running, three) = (Arc::clone(&running), Arc::clone(&three));
                bridge::unblock(move || {
                    // ... and never exceeded.
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    three.wait();
                    running.fetch_sub(1, Ordering::SeqCst);
                    now
                })
            })
            .collect();
        for task in tasks {
            let running = task.join().unwrap();
            assert!(running <= 3, "{running} at once");
        }
        let stats = bridge::unblock_stats();
        assert_eq!((stats.threads, stats.queued, stats.max_threads), (3, 0, 3));
    });
}

#[test]
fn unblock_uses_a_raised_bound_for_what_is_queued() {
    support::alone("bridge::pools::unblock_uses_a_raised_bound_for_what_is_queued", || {
        bridge::set_unblock_threads(0); // at least one
        assert_eq!(bridge::unblock_stats().max_threads, 1);
        let both = Arc::new(Barrier::new(2));
        let tasks = [(); 2].map(|()| {
            let both = Arc::clone(&both);
            bridge::unblock(move || both.wait().is_leader())
        });
        assert_eq!(bridge::unblock_stats().threads, 1);
        bridge::set_unblock_threads(2);
        for task in tasks {
            task.join().unwrap();
        }
        // Lowered again: the thread too many ends, the other works on.
        bridge::set_unblock_threads(1);
        while bridge::unblock_stats().threads > 1 {
            thread::yield_now();
        }
        assert_eq!(bridge::unblock(|| 1).join().unwrap(), 1);
    });
}

#[test]
fn unblock_reuses_its_idle_thread() {
    support::alone("bridge::pools::unblock_reuses_its_idle_thread", || {
        for _ in 0..100 {
            bridge::unblock(|| ()).join().unwrap();
            // Until it waits again.
            while bridge::unblock_stats().idle == 0 {
                thread::yield_now();
            }
        }
        assert_eq!(bridge::unblock_stats().threads, 1);
    });
}

#[test]
fn only_a_queued_closure_can_be_cancelled() {
    support::alone("bridge::pools::only_a_queued_closure_can_be_cancelled", || {
        bridge::set_unblock_threads(1);
        let (begun, begins) = mpsc::channel();
        let (go, waits) = mpsc::channel::<()>();
        let running = bridge::unblock(move || {
            begun.send(()).unwrap();
            waits.recv().unwrap();
            "ran to its end"
        });
        let queued = bridge::unblock(|| unreachable!("cancelled before it began"));
        begins.recv().unwrap();
        queued.cancel();
        running.cancel();
        assert!(queued.is_finished());
        let _: BridgeError = queued.join().unwrap_err();
        go.send(()).unwrap();
        assert_eq!(running.join().unwrap(), "ran to its end");
        assert_eq!(bridge::unblock(|| 1).join().unwrap(), 1);
    });
}

#[test]
fn a_fragment_can_run_on_an_unblock_thread() {
    let nested = bridge::block_on(async {
        bridge::unblock(|| bridge::block_on(async { bridge::spawn(async { 4 }).await })).await
    });
    assert_eq!(nested.unwrap().unwrap().unwrap().unwrap(), 4);
}

#[cfg(feature = "compute")]
mod compute {
    use super::*;

    #[test]
    fn computes_on_threads_of_its_own() {
        let name = || thread::current().name().unwrap_or("").to_owned();
        let joined = bridge::compute(name).join().unwrap();
        let awaited = bridge::block_on(async move { bridge::compute(name).await });
        for name in [joined, awaited.unwrap().unwrap()] {
            assert!(name.starts_with("dewar-compute-"), "{name}");
        }
    }

    #[test]
    fn delivers_panics_and_survives_them() {
        let error = bridge::compute(|| panic!("miscalculated")).join().unwrap_err();
        assert!(error.to_string().ends_with("panicked: miscalculated"), "{error}");
        assert_eq!(bridge::compute(|| 1).join().unwrap(), 1);
    }

    #[test]
    fn join_on_a_compute_thread_is_refused() {
        // The inner one waits for the outer one's end, so it is unfinished when it is joined.
        let (end, ending) = mpsc::channel::<()>();
        let outer = bridge::compute(move || {
            let inner = bridge::compute(move || ending.recv().is_err());
            let refused = inner.join();
            drop(end);
            refused
        });
        let refused = outer.join().unwrap().unwrap_err();
        assert!(refused.to_string().contains("rayon::join"), "{refused}");
    }
}
