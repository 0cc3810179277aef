//! What the bridge costs, beside others: `cargo bench --all-features --bench bridge`, with a word of a section's title to
//! run that one alone.
//!
//! No statistics package: each line is the median of 15 runs of as many iterations as take about 10 ms,
//! with the fastest run beside it, in nanoseconds per iteration. The last sections take what they take.
//! `benches/asyncio_baseline.py` prints the like of Python's asyncio; this prints it too, if `python3` is there.
#![allow(unsafe_code, reason = "counting bytes takes a global allocator; it only adds to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::{pending, ready};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(feature = "tokio")]
use dewar::bridge::Backend;
use dewar::bridge::{self, LoopPolicy, luggage};
use dewar::{App, Request, Service};
use futures_executor::{LocalPool, ThreadPool};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

/// Counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: both hand over to the system's allocator; the count beside it is no part of what they promise.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

mod timing;

use timing::{RUNS, line};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let wish = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let sections: [(&str, fn()); 9] = [
        ("a ready future", ready_future),
        ("a task, spawned and awaited or joined", one_task),
        ("100,000 tasks on one loop, spawned and awaited", many_tasks),
        ("bytes of an idle task, beyond its future", idle_task),
        ("timers", timers),
        ("a handler, bridged and not: CPU time of a call", handlers),
        ("ten fetches of a slow endpoint", fetches),
        ("luggage", luggages),
        ("Python", python),
    ];
    for (title, run) in sections {
        if title.contains(&wish) {
            println!("-- {title}");
            run();
        }
    }
}

fn ready_future() {
    for (name, policy) in [
        ("block_on_with PerThread", LoopPolicy::per_thread()),
        ("block_on_with PerRequest", LoopPolicy::per_request()),
        ("block_on_with Shared", LoopPolicy::shared()),
        ("block_on_with PerThread, debug", LoopPolicy::per_thread().debug(true)),
        #[cfg(feature = "tokio")]
        ("block_on_with tokio Shared", LoopPolicy::tokio()),
        #[cfg(feature = "tokio")]
        ("block_on_with tokio PerThread", LoopPolicy::per_thread().backend(Backend::Tokio)),
        #[cfg(feature = "tokio")]
        ("block_on_with tokio PerRequest", LoopPolicy::per_request().backend(Backend::Tokio)),
    ] {
        line(name, || {
            black_box(bridge::block_on_with(policy, black_box(ready(1)))).unwrap();
        });
    }
    line("block_on (the thread's policy looked up)", || {
        black_box(bridge::block_on(black_box(ready(1)))).unwrap();
    });
    line("own_thread (Flask's async def)", || {
        black_box(bridge::own_thread(async || 1)).unwrap();
    });
    line("  futures_executor::block_on", || {
        black_box(futures_executor::block_on(black_box(ready(1))));
    });
    line("  futures_executor::LocalPool::new().run_until", || {
        black_box(LocalPool::new().run_until(black_box(ready(1))));
    });
    line("  pollster::block_on", || {
        black_box(pollster::block_on(black_box(ready(1))));
    });
    line("  async_io::block_on", || {
        black_box(async_io::block_on(black_box(ready(1))));
    });
    let tokio = tokio_runtime();
    line("  tokio Handle::block_on", || {
        black_box(tokio.handle().block_on(black_box(ready(1))));
    });
    line("  tokio current-thread runtime, made and used", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        black_box(runtime.block_on(black_box(ready(1))));
    });
}

fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn one_task() {
    for (name, policy) in [
        ("spawn, awaited: PerThread", LoopPolicy::per_thread()),
        ("spawn, awaited: PerRequest", LoopPolicy::per_request()),
        ("spawn, awaited: PerThread, debug", LoopPolicy::per_thread().debug(true)),
    ] {
        line(name, || {
            bridge::block_on_with(policy, async { bridge::spawn(ready(1)).await }).unwrap().unwrap();
        });
    }
    // In turns, so that the machine's moods reach both.
    let (tokio, pool) = (tokio_runtime(), ThreadPool::builder().pool_size(1).create().unwrap());
    for _ in 0..3 {
        line("spawn_shared, joined from a blocking thread", || {
            bridge::spawn_shared(ready(1)).join().unwrap();
        });
        line("  tokio spawn, Handle::block_on of its handle", || {
            tokio.handle().block_on(tokio.spawn(ready(1))).unwrap();
        });
        line("  futures ThreadPool, and a channel", || {
            let (send, receive) = std::sync::mpsc::channel();
            pool.spawn_ok(async move { send.send(ready(1).await).unwrap() });
            receive.recv().unwrap();
        });
    }
    line("unblock, joined", || {
        bridge::unblock(|| 1).join().unwrap();
    });
    #[cfg(feature = "compute")]
    line("compute, joined", || {
        bridge::compute(|| 1).join().unwrap();
    });
}

const MANY: usize = 100_000;

fn many_tasks() {
    let mut medians = [Vec::new(), Vec::new(), Vec::new()];
    let ours = |policy| {
        let start = Instant::now();
        let sum: usize = bridge::block_on_with(policy, async {
            let tasks: Vec<_> = (0..MANY).map(|n| bridge::spawn(async move { n })).collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        })
        .unwrap();
        black_box(sum);
        start.elapsed()
    };
    for _ in 0..RUNS {
        medians[0].push(ours(LoopPolicy::per_thread()));
        medians[1].push(ours(LoopPolicy::per_thread().debug(true)));
        let start = Instant::now();
        let executor = async_executor::LocalExecutor::new();
        let sum: usize = futures_lite::future::block_on(executor.run(async {
            let tasks: Vec<_> = (0..MANY).map(|n| executor.spawn(async move { n })).collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await;
            }
            sum
        }));
        black_box(sum);
        medians[2].push(start.elapsed());
    }
    for (name, times) in ["ours", "ours, debug", "  async-executor's LocalExecutor"].iter().zip(&mut medians) {
        times.sort();
        println!("{name:<58} {:>9.2?}   (fastest {:.2?})", times[RUNS / 2], times[0]);
    }
}

fn idle_task() {
    const TASKS: usize = 10_000;
    bridge::block_on(async {
        let future = pending::<u64>;
        let before = IN_USE.load(Ordering::Relaxed);
        let mut handles = Vec::with_capacity(TASKS);
        handles.extend((0..TASKS).map(|_| bridge::spawn_named("idle", future())));
        for _ in 0..3 {
            bridge::yield_now().await;
        }
        // The name is one allocation each: part of the price. The handles are not.
        let used = IN_USE.load(Ordering::Relaxed) - before - TASKS * size_of_val(&handles[0]);
        println!("with a name of its own: {} bytes (its future: {})", used / TASKS, size_of_val(&future()));
        handles.iter().for_each(bridge::Task::cancel);
    })
    .unwrap();
}

fn timers() {
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
    for (count, ms) in [(10_000, 500), (100_000, 500)] {
        let start = Instant::now();
        bridge::block_on(bridge::gather((0..count).map(|_| bridge::sleep(Duration::from_millis(ms))))).unwrap();
        println!("{count} sleeps of {ms} ms at once, on one thread: {:.1?}", start.elapsed());
    }
}

/// The CPU time of this process, in nanoseconds.
fn cpu_ns() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

fn handlers() {
    let mut app = App::new("bench");
    app.get("/blocking", || "ok").endpoint("blocking");
    app.get("/ready", async || "ok").endpoint("ready");
    app.get("/sleep", || {
        thread::sleep(Duration::from_micros(100));
        "ok"
    })
    .endpoint("sleep");
    app.get("/timer", async || {
        bridge::sleep(Duration::from_micros(100)).await;
        "ok"
    })
    .endpoint("timer");
    let app = app.into_service().unwrap();
    let cost = |path: &str, calls: u32| {
        let mut runs: Vec<f64> = (0..RUNS)
            .map(|_| {
                let start = cpu_ns();
                for _ in 0..calls {
                    black_box(app.call(Request::get(path)));
                }
                (cpu_ns() - start) / f64::from(calls)
            })
            .collect();
        runs.sort_by(f64::total_cmp);
        runs[RUNS / 2]
    };
    let (blocking, ready) = (cost("/blocking", 20_000), cost("/ready", 20_000));
    println!("ready at once: {ready:.0} ns bridged, {blocking:.0} ns not: {:+.0} ns", ready - blocking);
    let (sleep, timer) = (cost("/sleep", 500), cost("/timer", 500));
    println!("100 µs: {timer:.0} ns with a timer, {sleep:.0} ns with thread::sleep: {:+.0} ns", timer - sleep);
}

/// Answers each connection after 200 ms.
fn slow_endpoint() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 512]);
                thread::sleep(Duration::from_millis(200));
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            });
        }
    });
    address
}

async fn fetch(address: SocketAddr) -> usize {
    let mut stream = async_io::Async::<std::net::TcpStream>::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer.len()
}

fn fetches() {
    let address = slow_endpoint();
    let start = Instant::now();
    bridge::block_on(bridge::gather((0..10).map(|_| fetch(address)))).unwrap();
    println!("at once: {:.1?}", start.elapsed());
    let start = Instant::now();
    bridge::block_on(async {
        for _ in 0..10 {
            fetch(address).await;
        }
    })
    .unwrap();
    println!("in turn: {:.1?}", start.elapsed());
}

fn luggages() {
    let bag: luggage::Luggage = Arc::new(7_u64);
    line("Arc clone and drop alone", || {
        black_box(black_box(&bag).clone());
    });
    line("pack (with that clone) and drop", || {
        drop(black_box(luggage::pack(Some(black_box(&bag).clone()))));
    });
    line("with", || {
        black_box(luggage::with(|luggage| luggage.is_some()));
    });
    line("current", || {
        black_box(luggage::current());
    });
}

fn python() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/asyncio_baseline.py");
    match std::process::Command::new("python3").arg(script).status() {
        Ok(status) if status.success() => {}
        other => println!("left out: {other:?}"),
    }
}
