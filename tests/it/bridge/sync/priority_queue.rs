//! `PriorityQueue`: what it has beyond a `Queue`, whose mechanism it shares.

use std::cmp::{Ordering, Reverse};
use std::sync::atomic::{AtomicBool, Ordering as Memory};
use std::sync::{Arc, mpsc};
use std::thread;

use dewar::bridge::sync::{Closed, PriorityQueue, TryGetError, TryPutError};
use dewar::bridge::{self};

use super::{PLACES, refused, waiting};
use crate::support;

/// Compared by its number only, for which both hooks are called.
#[derive(Clone)]
struct Job {
    number: u32,
    name: &'static str,
    hook: Arc<dyn Fn() + Send + Sync>,
}

fn job(number: u32, name: &'static str) -> Job {
    Job { number, name, hook: Arc::new(|| ()) }
}

impl Ord for Job {
    fn cmp(&self, other: &Job) -> Ordering {
        (self.hook)();
        (other.hook)();
        self.number.cmp(&other.number)
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Job) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Job) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Job {}

#[test]
fn the_smallest_first_and_the_oldest_among_equals() {
    let queue = PriorityQueue::unbounded();
    for (number, name) in [(2, "a"), (1, "b"), (2, "c"), (0, "d"), (1, "e"), (2, "f"), (0, "g")] {
        queue.try_put(job(number, name)).unwrap();
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.try_get().ok().map(|job| job.name)).collect();
    assert_eq!(order, ["d", "g", "b", "e", "a", "c", "f"]);

    let greatest = PriorityQueue::unbounded();
    [1, 3, 2].into_iter().for_each(|n| greatest.try_put(Reverse(n)).unwrap());
    assert_eq!(greatest.try_get(), Ok(Reverse(3)));
}

#[test]
fn it_is_a_queue() {
    let queue = PriorityQueue::bounded(1);
    queue.blocking_put(2).unwrap();
    assert!(queue.is_full() && !queue.is_empty());
    assert_eq!((queue.len(), queue.capacity()), (1, Some(1)));
    assert_eq!(queue.try_put(1), Err(TryPutError::Full(1)));
    let [first, second] = [1, 0].map(|n| waiting(queue.put(n)));
    assert_eq!(queue.try_get(), Ok(2));
    first.served().unwrap(); // first come, first served, whatever it puts
    assert_eq!(bridge::block_on(queue.get()).unwrap(), Ok(1));
    second.served().unwrap();
    assert_eq!(queue.blocking_get(), Ok(0));
    let join = waiting(queue.join());
    (0..3).for_each(|_| queue.task_done().unwrap());
    join.served();
    queue.task_done().unwrap_err();
    queue.blocking_join();

    let other = queue.clone();
    let get = waiting(queue.get());
    other.close();
    assert!(queue.is_closed());
    assert_eq!(get.served(), Err(Closed(())));
    assert_eq!(queue.blocking_put(1), Err(Closed(1)));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));

    let message = support::panic_message(|| PriorityQueue::<u8>::bounded(0));
    assert!(message.contains("PriorityQueue::unbounded()"), "{message}");
    let empty = PriorityQueue::<u8>::unbounded();
    refused("get().await", move || _ = empty.blocking_get().unwrap());
}

#[test]
fn a_get_that_is_dropped_loses_nothing() {
    let queue = PriorityQueue::unbounded();
    let [first, second, third] = [(); 3].map(|()| waiting(queue.get()));
    queue.try_put(5).unwrap();
    drop(first);
    assert!(second.is_woken() && !third.is_woken());
    queue.try_put(4).unwrap();
    // It takes what is the smallest when it looks.
    assert_eq!(third.served(), Ok(4));
    assert_eq!(second.served(), Ok(5));

    let promised = waiting(queue.get());
    queue.try_put(6).unwrap();
    queue.close_now();
    assert_eq!(promised.served(), Err(Closed(())));
    queue.try_get().unwrap_err();
}

#[test]
fn comparing_runs_without_the_lock_but_must_not_use_the_queue() {
    let queue = PriorityQueue::unbounded();
    queue.try_put(job(1, "there")).unwrap();
    let (lent, looked) = (queue.clone(), Arc::new(AtomicBool::new(false)));
    let seen = Arc::clone(&looked);
    let looks = move || {
        assert!(!lent.is_empty() && !lent.is_closed()); // no lock is held
        seen.store(true, Memory::Relaxed);
    };
    queue.try_put(Job { hook: Arc::new(looks), ..job(2, "looks") }).unwrap();
    assert!(looked.load(Memory::Relaxed));

    let lent = queue.clone();
    let puts = move || lent.try_put(job(9, "never")).unwrap();
    let message = support::panic_message(|| queue.try_put(Job { hook: Arc::new(puts), ..job(0, "puts") }));
    assert!(message.contains("let it only compare"), "{message}");
}

#[test]
fn a_panic_of_ord_leaves_the_counts_right() {
    let panics = Arc::new(AtomicBool::new(true));
    let hook = Arc::clone(&panics);
    let bad = Job { hook: Arc::new(move || assert!(!hook.load(Memory::Relaxed), "cannot compare")), ..job(0, "bad") };
    let queue = PriorityQueue::bounded(4);
    (1..=3).for_each(|n| queue.try_put(job(n, "good")).unwrap());
    let waits = PriorityQueue::clone(&queue);
    assert_eq!(support::panic_message(|| queue.try_put(bad.clone())), "cannot compare");
    assert_eq!(waits.len(), 4, "it is in, nevertheless");
    assert!(queue.is_full());
    let put = waiting(queue.put(job(4, "waits")));

    // One item is lost by that, and done.
    assert_eq!(support::panic_message(|| queue.try_get()), "cannot compare");
    assert_eq!(queue.len(), 3);
    panics.store(false, Memory::Relaxed);
    put.served().unwrap();
    let join = waiting(queue.join());
    for _ in 0..4 {
        queue.try_get().unwrap();
        queue.task_done().unwrap();
    }
    queue.try_get().map(|job| job.name).unwrap_err();
    join.served();
    queue.task_done().unwrap_err();
}

#[test]
fn others_wait_while_items_are_compared() {
    // One thread is in the middle of a comparison; the others' puts, gets and close come after it.
    let queue = PriorityQueue::unbounded();
    queue.try_put(job(5, "there")).unwrap();
    let (begun, begins) = mpsc::channel();
    let (go, waits) = mpsc::channel::<()>();
    let waits = std::sync::Mutex::new(waits);
    let slow = Job {
        hook: Arc::new(move || {
            if begun.send(()).is_ok() {
                _ = waits.lock().unwrap().recv();
            }
        }),
        ..job(1, "slow")
    };
    let lent = queue.clone();
    let putting = thread::spawn(move || lent.try_put(slow).unwrap());
    begins.recv().unwrap();
    assert_eq!(queue.len(), 1, "looking waits for nobody");
    let lent = queue.clone();
    let closing = thread::spawn(move || {
        lent.close();
        lent.len()
    });
    drop((begins, go)); // no further comparison waits
    putting.join().unwrap();
    assert_eq!(closing.join().unwrap(), 2, "what was being put when it was closed is in");
    assert_eq!(queue.try_get().map(|job| job.name), Ok("slow"));
    assert_eq!(queue.try_get().map(|job| job.name), Ok("there"));
    assert!(matches!(queue.try_get(), Err(TryGetError::Closed)));
}

#[test]
fn under_stress_each_item_arrives_once() {
    const EACH: u32 = 600;
    let queue = PriorityQueue::bounded(8);
    let producers = PLACES.map(|place| {
        let (here, there) = (queue.clone(), queue.clone());
        let waits = async move {
            for n in 0..EACH {
                here.put(n).await.unwrap();
            }
        };
        place.run(waits, move || (0..EACH).for_each(|n| there.blocking_put(n).unwrap()))
    });
    let consumers = PLACES.map(|place| {
        let (here, there) = (queue.clone(), queue.clone());
        let waits = async move {
            let mut got = Vec::new();
            loop {
                if let Some(Ok(n)) = super::tried(here.get()).await {
                    got.push(n);
                }
                match here.get().await {
                    Ok(n) => got.push(n),
                    Err(Closed(())) => return got,
                }
            }
        };
        place.run(waits, move || std::iter::from_fn(|| there.blocking_get().ok()).collect())
    });
    producers.into_iter().for_each(|thread| thread.join().unwrap());
    queue.close();
    let mut got: Vec<u32> = consumers.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    got.sort_unstable();
    let expected: Vec<u32> = (0..EACH).flat_map(|n| [n; PLACES.len()]).collect();
    assert_eq!(got, expected);
}
