//! What the bridge costs: `cargo bench --bench bridge`.
//!
//! No statistics package: each line is the median of 15 runs of as many iterations as take about 10 ms,
//! with the fastest run beside it, in nanoseconds per iteration.

use std::future::ready;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dewar::bridge::{self, LoopPolicy, luggage};
use futures_executor::LocalPool;

const RUNS: usize = 15;
const RUN: Duration = Duration::from_millis(10);

/// Nanoseconds per call: (median, fastest).
fn time(mut f: impl FnMut()) -> (f64, f64) {
    let mut calls = 1_u32;
    while run(calls, &mut f) < RUN {
        calls *= 2;
    }
    let mut runs: Vec<f64> = (0..RUNS).map(|_| run(calls, &mut f).as_nanos() as f64 / f64::from(calls)).collect();
    runs.sort_by(f64::total_cmp);
    (runs[RUNS / 2], runs[0])
}

fn run(calls: u32, f: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        f();
    }
    start.elapsed()
}

fn line(name: &str, f: impl FnMut()) {
    let (median, fastest) = time(f);
    println!("{name:<58} {median:>9.1} ns   (fastest {fastest:.1})");
}

fn main() {
    println!("-- a ready future");
    for (name, policy) in [
        ("block_on_with PerThread", LoopPolicy::per_thread()),
        ("block_on_with PerRequest", LoopPolicy::per_request()),
        ("block_on_with Shared", LoopPolicy::shared()),
    ] {
        line(name, || {
            black_box(bridge::block_on_with(policy, black_box(ready(1)))).unwrap();
        });
    }
    line("block_on (the thread's policy looked up)", || {
        black_box(bridge::block_on(black_box(ready(1)))).unwrap();
    });
    line("futures_executor::block_on", || {
        black_box(futures_executor::block_on(black_box(ready(1))));
    });
    line("futures_executor::LocalPool::new().run_until", || {
        black_box(LocalPool::new().run_until(black_box(ready(1))));
    });
    let twice: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(|| {
                time(|| {
                    black_box(bridge::block_on(black_box(ready(1)))).unwrap();
                })
            })
        })
        .collect();
    for thread in twice {
        let (median, _) = thread.join().unwrap();
        println!("{:<58} {median:>9.1} ns", "block_on, on two threads at once");
    }
    line("own_thread (Flask's async def)", || {
        black_box(bridge::own_thread(async || 1)).unwrap();
    });

    println!("-- a future that wakes itself once");
    for (name, policy) in [
        ("block_on_with PerThread, yield_now", LoopPolicy::per_thread()),
        ("block_on_with PerRequest, yield_now", LoopPolicy::per_request()),
    ] {
        line(name, || {
            bridge::block_on_with(policy, bridge::yield_now()).unwrap();
        });
    }
    line("futures_executor::block_on, yield_now", || {
        futures_executor::block_on(bridge::yield_now());
    });

    println!("-- a task, spawned and awaited");
    for (name, policy) in
        [("spawn PerThread", LoopPolicy::per_thread()), ("spawn PerRequest", LoopPolicy::per_request())]
    {
        line(name, || {
            bridge::block_on_with(policy, async { bridge::spawn(ready(1)).await }).unwrap().unwrap();
        });
    }
    line("spawn_shared, awaited", || {
        bridge::block_on(async { bridge::spawn_shared(ready(1)).await }).unwrap().unwrap();
    });
    line("unblock, joined", || {
        bridge::unblock(|| 1).join().unwrap();
    });
    #[cfg(feature = "compute")]
    line("compute, joined", || {
        bridge::compute(|| 1).join().unwrap();
    });

    println!("-- timers");
    line("a sleep made, registered and dropped", || {
        bridge::block_on(async {
            let mut sleep = bridge::sleep(Duration::from_secs(60));
            std::future::poll_fn(|cx| {
                let _ = std::pin::Pin::new(&mut sleep).poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
        })
        .unwrap();
    });

    println!("-- luggage");
    let bag: luggage::Luggage = Arc::new(7_u64);
    line("Arc clone and drop alone", || {
        black_box(black_box(&bag).clone());
    });
    line("pack (with that clone) and drop", || {
        drop(black_box(luggage::pack(Some(black_box(&bag).clone()))));
    });
    line("pack(None) and drop", || {
        drop(black_box(luggage::pack(None)));
    });
    line("with", || {
        black_box(luggage::with(|luggage| luggage.is_some()));
    });
    line("current", || {
        black_box(luggage::current());
    });
    println!("{:#?}", bridge::stats());
}
