//! What `bridge::sync` costs while nobody waits, beside others: `cargo bench --bench sync`.
//!
//! As in `bridge.rs`, each line is the median of 15 runs of as many iterations as take about 10 ms, with the fastest run
//! beside it, in nanoseconds per iteration. Last come hand-overs, from one waiting task to the next on one loop.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use dewar::bridge::{self, sync};

mod timing;

use timing::{line, time};

/// The result of a future that is ready at once: without the price of an executor.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("nobody else is there"),
    }
}

fn main() {
    println!("-- a lock, taken and let go");
    let (lock, std_lock, async_lock) = (sync::Lock::new(0_u64), Mutex::new(0_u64), async_lock::Mutex::new(0_u64));
    line("std::sync::Mutex", || *black_box(&std_lock).lock().unwrap() += 1);
    line("async_lock::Mutex, lock().await", || *ready(black_box(&async_lock).lock()) += 1);
    line("async_lock::Mutex, lock_blocking", || *black_box(&async_lock).lock_blocking() += 1);
    line("Lock, lock().await", || *ready(black_box(&lock).lock()) += 1);
    line("Lock, blocking_lock", || *black_box(&lock).blocking_lock() += 1);
    let (lock, async_lock) = (Arc::new(lock), Arc::new(async_lock));
    line("async_lock::Mutex, lock_arc().await", || *ready(black_box(&async_lock).lock_arc()) += 1);
    line("Lock, lock_arc().await", || *ready(black_box(&lock).lock_arc()) += 1);

    println!("-- a permit, taken and given back");
    let (semaphore, async_semaphore) = (sync::Semaphore::new(4), async_lock::Semaphore::new(4));
    line("async_lock::Semaphore, acquire().await", || drop(ready(black_box(&async_semaphore).acquire())));
    line("Semaphore, acquire().await", || drop(ready(black_box(&semaphore).acquire())));
    line("Semaphore, acquire_many(3).await", || drop(ready(black_box(&semaphore).acquire_many(3))));

    println!("-- an item, put and got");
    let (sender, receiver) = async_channel::bounded(8);
    line("async_channel::bounded, send().await, recv().await", || {
        ready(black_box(&sender).send(1_u64)).unwrap();
        black_box(ready(black_box(&receiver).recv()).unwrap());
    });
    let (sender, receiver) = async_channel::unbounded();
    line("async_channel::unbounded, send().await, recv().await", || {
        ready(black_box(&sender).send(1_u64)).unwrap();
        black_box(ready(black_box(&receiver).recv()).unwrap());
    });
    let (sender, receiver) = std::sync::mpsc::sync_channel(8);
    line("std::sync::mpsc::sync_channel", || {
        black_box(&sender).send(1_u64).unwrap();
        black_box(black_box(&receiver).recv().unwrap());
    });
    let queues = [("bounded", sync::Queue::bounded(8)), ("unbounded", sync::Queue::unbounded())];
    for (name, queue) in &queues {
        line(&format!("Queue::{name}, put().await, get().await"), || {
            ready(black_box(queue).put(1_u64)).unwrap();
            black_box(ready(black_box(queue).get()).unwrap());
        });
    }
    line("Queue::bounded, try_put, try_get", || {
        black_box(&queues[0].1).try_put(1_u64).unwrap();
        black_box(black_box(&queues[0].1).try_get().unwrap());
    });
    let priorities = sync::PriorityQueue::bounded(8);
    line("PriorityQueue::bounded, put().await, get().await", || {
        ready(black_box(&priorities).put(1_u64)).unwrap();
        black_box(ready(black_box(&priorities).get()).unwrap());
    });

    println!("-- others");
    let event = sync::Event::new();
    event.set();
    line("Event, wait().await when it is set", || ready(black_box(&event).wait()));
    line("oneshot, made, sent and received", || {
        let (sender, receiver) = sync::oneshot();
        sender.send(1_u64).unwrap();
        black_box(ready(receiver).unwrap());
    });

    println!("-- handed over between two tasks of one loop");
    const TURNS: u32 = 100;
    hand_overs("async_lock::Mutex", TURNS, async || {
        for _ in 0..TURNS {
            let guard = async_lock.lock().await;
            bridge::yield_now().await;
            drop(guard);
        }
    });
    hand_overs("Lock", TURNS, async || {
        for _ in 0..TURNS {
            let guard = lock.lock().await;
            bridge::yield_now().await;
            drop(guard);
        }
    });
}

/// Nanoseconds per turn of two that run at once.
fn hand_overs(name: &str, turns: u32, turn: impl AsyncFn()) {
    let (median, fastest) = time(|| {
        bridge::block_on(bridge::gather([turn(), turn()])).unwrap();
    });
    let each = f64::from(2 * turns);
    println!("{name:<58} {:>9.1} ns   (fastest {:.1})", median / each, fastest / each);
}
