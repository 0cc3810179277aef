//! How the bridge's loops are put to sleep and woken, modelled: these are the orders of steps of `src/bridge`, with what
//! they hand over as numbers. Each model has its mistakes beside it, and finds them.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path loom/Cargo.toml --test sleep`

#![cfg(loom)]

use std::collections::VecDeque;
// Not loom's, which ends the process where it is dropped after a model has failed.
use std::sync::Arc;

use loom::model::Builder;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Whether the model fails. In a thread of its own, since loom leaves something behind then.
fn finds(model: impl FnOnce() + Send + 'static) -> bool {
    std::thread::spawn(model).join().is_err()
}

/// A thread's `park` and `unpark`: a token. (loom's own do not go together with its `join`.)
#[derive(Default)]
struct Parker(Mutex<bool>, Condvar);

impl Parker {
    fn park(&self) {
        let mut token = self.0.lock().unwrap();
        while !std::mem::take(&mut *token) {
            token = self.1.wait(token).unwrap();
        }
    }

    fn unpark(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }
}

/// `Far::schedule` with `Bell::ring`, and the fragment that takes what was left, looks, and parks.
fn far(is_rung_first: bool, is_answered_late: bool) {
    check(move || {
        let far = Arc::new((Mutex::new(Vec::new()), AtomicBool::new(false)));
        let looper = Arc::new(Parker::default());
        let others: Vec<_> = (0..2)
            .map(|n| {
                let (far, looper) = (Arc::clone(&far), Arc::clone(&looper));
                thread::spawn(move || {
                    let ring = || {
                        if !far.1.swap(true, Ordering::Release) {
                            looper.unpark();
                        }
                    };
                    if is_rung_first {
                        ring();
                    }
                    far.0.lock().unwrap().push(n);
                    if !is_rung_first {
                        ring();
                    }
                })
            })
            .collect();
        let mut seen = 0;
        while seen < 2 {
            if is_answered_late {
                seen += far.0.lock().unwrap().drain(..).count();
                far.1.swap(false, Ordering::Acquire);
            } else if far.1.load(Ordering::Acquire) && far.1.swap(false, Ordering::Acquire) {
                seen += far.0.lock().unwrap().drain(..).count();
            }
            if seen < 2 && !far.1.load(Ordering::Acquire) {
                looper.park();
            }
        }
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn what_is_left_for_a_loop_is_seen() {
    far(false, false);
    assert!(finds(|| far(true, false)), "rung before there is anything");
    assert!(finds(|| far(false, true)), "answered after the look");
}

/// `Header::cancel` and `Header::listen`: the cancel finds the waker, or who listens finds the cancel.
fn header(is_asked_first: bool, is_told_first: bool) {
    check(move || {
        let header = Arc::new((AtomicBool::new(false), Mutex::new(false), AtomicBool::new(false)));
        let far = Arc::clone(&header);
        let canceller = thread::spawn(move || {
            let (cancel, waker, woken) = &*far;
            if is_told_first {
                cancel.store(true, Ordering::SeqCst);
            }
            let has_waker = *waker.lock().unwrap();
            if !is_told_first {
                cancel.store(true, Ordering::SeqCst);
            }
            if has_waker {
                woken.store(true, Ordering::SeqCst);
            }
        });
        let (cancel, waker, woken) = &*header;
        let early = is_asked_first && cancel.load(Ordering::SeqCst);
        *waker.lock().unwrap() = true;
        let is_seen = if is_asked_first { early } else { cancel.load(Ordering::SeqCst) };
        canceller.join().unwrap();
        assert!(is_seen || woken.load(Ordering::SeqCst), "the cancel is lost");
    });
}

#[test]
fn a_cancel_is_seen_or_wakes() {
    header(false, true);
    assert!(finds(|| header(true, true)), "looked before it listens");
    assert!(finds(|| header(false, false)), "cancelled after the look for the waker");
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// The heap: whether its first deadline is far away, or none.
    has_timer: Mutex<bool>,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<u8>,
    sleeping: usize,
    is_over: bool,
    done: usize,
}

/// Which mistake a model of the shared loop has.
#[derive(Clone, Copy, PartialEq)]
enum Mistake {
    None,
    /// Whoever queues a task looks who sleeps before it queues.
    DeafPush,
    /// An earlier deadline is told without the lock.
    LockFreeClock,
}

/// `SharedLoop`: its threads, a task that is queued, and a deadline that comes while they sleep. loom has no clock,
/// so who finds a deadline fires it at once.
fn shared(mistake: Mistake, threads: usize, is_push_last: bool) {
    check(move || {
        let shared = Arc::new(Shared::default());
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || work(&shared))
            })
            .collect();
        if !is_push_last {
            push(&shared, mistake);
        }
        // A timer, which pushes a task when it fires.
        *shared.has_timer.lock().unwrap() = true;
        let is_anybody_asleep = match mistake {
            Mistake::LockFreeClock => true,
            _ => shared.inner.lock().unwrap().sleeping > 0,
        };
        if is_anybody_asleep {
            shared.changed.notify_all();
        }
        if is_push_last {
            push(&shared, mistake);
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

fn push(shared: &Shared, mistake: Mistake) {
    let early = mistake == Mistake::DeafPush && shared.inner.lock().unwrap().sleeping > 0;
    let mut inner = shared.inner.lock().unwrap();
    inner.queue.push_back(1);
    let is_anybody_asleep = if mistake == Mistake::DeafPush { early } else { inner.sleeping > 0 };
    drop(inner);
    if is_anybody_asleep {
        shared.changed.notify_one();
    }
}

fn work(shared: &Shared) {
    let mut inner = shared.inner.lock().unwrap();
    loop {
        if inner.queue.pop_front().is_some() {
            inner.done += 1;
            if inner.done == 2 {
                inner.is_over = true;
                shared.changed.notify_all();
            }
            continue;
        }
        if inner.is_over {
            return;
        }
        let is_due = std::mem::take(&mut *shared.has_timer.lock().unwrap());
        if !is_due {
            inner.sleeping += 1;
            inner = shared.changed.wait(inner).unwrap();
            inner.sleeping -= 1;
            continue;
        }
        // The keeper goes to work: another one is to keep the time.
        let is_heir_needed = inner.sleeping > 0;
        drop(inner);
        if is_heir_needed {
            shared.changed.notify_one();
        }
        push(shared, Mistake::None);
        inner = shared.inner.lock().unwrap();
    }
}

#[test]
fn tasks_and_deadlines_reach_the_shared_loop() {
    for is_push_last in [false, true] {
        shared(Mistake::None, 1, is_push_last);
        shared(Mistake::None, 2, is_push_last);
    }
    assert!(finds(|| shared(Mistake::DeafPush, 1, true)), "the task is queued behind the look");
    assert!(finds(|| shared(Mistake::LockFreeClock, 1, false)), "the deadline comes between the look and the sleep");
}
