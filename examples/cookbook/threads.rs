//! Threads and a loop in one program: threads have the loop do things, and wait for what they need of it.
//!
//! In asyncio: `run_forever`, `call_soon_threadsafe`, `run_coroutine_threadsafe(…).result()`, `loop.stop`.
//!
//! `cargo run --example cookbook_threads` prints
//!
//! ```text
//! worker 1 had 10 doubled: 20
//! worker 2 had 20 doubled: 40
//! worker 3 had 30 doubled: 60
//! the loop was called 3 times, always on its own thread: true
//! a call was taken back: true
//! on the shared loop, without any loop here: 42
//! after its close the loop takes nothing: true
//! ```

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, EventLoop, LoopHandle};
use dewar::{Error, Result};

/// Runs on a thread of its own, which may block.
fn worker(n: u32, event_loop: &LoopHandle, called: mpsc::Sender<thread::ThreadId>) -> Result<String> {
    // Done there, and not waited for.
    event_loop.call_soon(move || called.send(thread::current().id()).expect("somebody listens"));
    // Done there, and waited for.
    let doubled = event_loop.spawn(async move {
        bridge::yield_now().await;
        2 * 10 * n
    });
    Ok(format!("worker {n} had {} doubled: {}", 10 * n, doubled.join()?))
}

pub fn main() -> Result<()> {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (send_called, called) = mpsc::channel();
    let (send_done, done) = mpsc::channel();

    let workers = thread::spawn({
        let handle = handle.clone();
        move || {
            let workers = (1..=3).map(|n| {
                let (handle, called) = (handle.clone(), send_called.clone());
                thread::spawn(move || worker(n, &handle, called))
            });
            let workers: Vec<_> = workers.collect();
            for worker in workers {
                send_done.send(worker.join().expect("no worker panics")).expect("somebody listens");
            }
            handle.stop();
        }
    });
    let later = handle.call_later(Duration::from_secs(60), || println!("too late to be seen"));
    later.cancel();
    event_loop.run_forever()?; // until the last worker has what it wants
    workers.join().map_err(|_| Error::msg("a thread panicked"))?;

    for line in done {
        println!("{}", line?);
    }
    let called: Vec<_> = called.iter().collect();
    let here = thread::current().id();
    let is_here = called.iter().all(|thread| *thread == here);
    println!("the loop was called {} times, always on its own thread: {is_here}", called.len());
    println!("a call was taken back: {}", later.is_cancelled());

    println!("on the shared loop, without any loop here: {}", bridge::spawn_shared(async { 6 * 7 }).join()?);
    event_loop.close()?;
    println!("after its close the loop takes nothing: {}", handle.spawn(async {}).join().is_err());
    Ok(())
}
