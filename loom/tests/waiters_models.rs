// The models. Loom finds those who wait for ever; the models look at how many permits there are in the end, and a cell
// that loom watches is used by those who have the only one.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::sync::Mutex;
use loom::thread;

use super::permits::{Asking, Permits};
use super::waiters::{Wait, change, lock};

type Shared = Arc<Mutex<Permits>>;

fn permits(free: usize) -> Shared {
    Arc::new(Mutex::new(Permits::new(free)))
}

fn asking(permits: &Shared, amount: usize) -> Wait<Asking<'_>> {
    Wait::new(Asking { permits, amount })
}

fn give(permits: &Shared, amount: usize) {
    change(permits, |permits, wakes| permits.give(amount, wakes));
}

/// Waits on this thread. Loom ends threads that wait for ever without letting them use its locks; so nothing may be done
/// when this is dropped, and nothing is to be done if it has passed.
fn park(wait: Wait<Asking<'_>>) {
    ManuallyDrop::new(wait).park(|| ());
}

fn take(permits: &Shared, amount: usize) {
    park(asking(permits, amount));
}

/// Takes its place in the line, unless it passes.
fn poll(wait: &mut Wait<Asking<'_>>) -> Poll<()> {
    Pin::new(wait).poll(&mut Context::from_waker(Waker::noop()))
}

/// Asks, and gives up: by then it may have what it asked for, and not know it.
fn give_up(permits: &Shared, amount: usize) {
    let mut wait = asking(permits, amount);
    if poll(&mut wait).is_ready() {
        drop(wait);
        give(permits, amount);
    }
}

fn spawn(permits: &Shared, job: impl FnOnce(&Shared) + 'static) -> thread::JoinHandle<()> {
    let permits = Arc::clone(permits);
    thread::spawn(move || job(&permits))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("loom tells of panics by itself");
    }
}

#[track_caller]
fn all_are_back(permits: &Shared, all: usize) {
    let permits = lock(permits);
    assert!(permits.line.is_empty(), "somebody is left in the line");
    assert_eq!(permits.free(), all, "permits are lost, or made");
}

/// What the only permit is for.
struct Guarded {
    permits: Shared,
    value: UnsafeCell<u32>,
}

// SAFETY: the value is reached through a cell that loom watches.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

impl Guarded {
    fn count(&self) {
        take(&self.permits, 1);
        // SAFETY: loom panics when this is not the only one.
        self.value.with_mut(|value| unsafe { *value += 1 });
        give(&self.permits, 1);
    }
}

/// Three take turns, each with what the one before it has left behind.
pub(super) fn one_permit() {
    loom::model(|| {
        let world = Arc::new(Guarded { permits: permits(1), value: UnsafeCell::new(0) });
        let others = [(); 2].map(|()| {
            let world = Arc::clone(&world);
            thread::spawn(move || world.count())
        });
        world.count();
        join(others);
        // SAFETY: nobody else is left.
        assert_eq!(world.value.with(|value| unsafe { *value }), 3);
        all_are_back(&world.permits, 1);
    });
}

/// The permit is handed over while one gives up, and another waits behind or before it.
pub(super) fn cancelled() {
    loom::model(|| {
        let permits = permits(0);
        let others = [
            spawn(&permits, |permits| give_up(permits, 1)),
            spawn(&permits, |permits| {
                take(permits, 1);
                give(permits, 1);
            }),
        ];
        give(&permits, 1);
        join(others);
        all_are_back(&permits, 1);
    });
}

/// The same with one for sure who waits behind, and is not polled before the end.
pub(super) fn cancelled_by_hand() {
    loom::model(|| {
        let permits = permits(0);
        let mut first = asking(&permits, 1);
        assert!(poll(&mut first).is_pending());
        let mut second = asking(&permits, 1);
        assert!(poll(&mut second).is_pending());
        let giver = spawn(&permits, |permits| give(permits, 1));
        drop(first);
        join([giver]);
        assert!(poll(&mut second).is_ready(), "the permit is lost");
        assert_eq!(lock(&permits).free(), 0, "a permit was made");
    });
}

/// One asks for more than there is, and gives up: there is enough for the one behind.
pub(super) fn left() {
    loom::model(|| {
        let permits = permits(1);
        let others = [
            spawn(&permits, |permits| {
                // Nobody gives anything: it is never ready.
                let mut wait = asking(permits, 2);
                assert!(poll(&mut wait).is_pending());
            }),
            spawn(&permits, |permits| take(permits, 1)),
        ];
        join(others);
        all_are_back(&permits, 0);
    });
}

/// One asks for two, and gives up while there are two.
pub(super) fn many() {
    loom::model(|| {
        let permits = permits(1);
        let others = [
            spawn(&permits, |permits| give_up(permits, 2)),
            spawn(&permits, |permits| {
                take(permits, 1);
                give(permits, 1);
            }),
        ];
        give(&permits, 1);
        join(others);
        all_are_back(&permits, 2);
    });
}

/// One comes to wait with another waker.
pub(super) fn moved() {
    loom::model(|| {
        let permits = permits(0);
        let other = spawn(&permits, |permits| {
            let mut wait = asking(permits, 1);
            if poll(&mut wait).is_pending() {
                park(wait);
            }
        });
        give(&permits, 1);
        join([other]);
        all_are_back(&permits, 0);
    });
}

/// Enough for two comes at once.
pub(super) fn two_at_once() {
    loom::model(|| {
        let permits = permits(0);
        let others = [(); 2].map(|()| spawn(&permits, |permits| take(permits, 1)));
        give(&permits, 2);
        join(others);
        all_are_back(&permits, 0);
    });
}

/// What one waits for, who asks for two, is not for a newcomer who would be content with one.
pub(super) fn nobody_barges() {
    loom::model(|| {
        let permits = permits(1);
        let mut first = asking(&permits, 2);
        assert!(poll(&mut first).is_pending());
        let newcomer = spawn(&permits, |permits| {
            assert!(asking(permits, 1).try_now().is_none(), "it came in before the first");
        });
        give(&permits, 1);
        join([newcomer]);
        assert!(poll(&mut first).is_ready());
    });
}

/// Wakers that look whether they are called under the lock: when they are replaced, woken and dropped. There is only one
/// thread, so nobody else has it.
pub(super) fn nosy() {
    struct Nosy {
        permits: Shared,
        under_lock: Arc<AtomicBool>,
    }

    impl Nosy {
        fn look(&self) {
            if self.permits.try_lock().is_err() {
                self.under_lock.store(true, Ordering::Relaxed);
            }
        }
    }

    impl Wake for Nosy {
        fn wake(self: Arc<Self>) {
            self.look();
        }
    }

    impl Drop for Nosy {
        fn drop(&mut self) {
            self.look();
        }
    }

    loom::model(|| {
        let (permits, under_lock) = (permits(0), Arc::new(AtomicBool::new(false)));
        let mut waits = [asking(&permits, 1), asking(&permits, 1)];
        for wait in waits.iter_mut().chain([&mut asking(&permits, 1)]) {
            for _ in 0..2 {
                let nosy = Nosy { permits: Arc::clone(&permits), under_lock: Arc::clone(&under_lock) };
                let waker = Waker::from(Arc::new(nosy));
                assert!(Pin::new(&mut *wait).poll(&mut Context::from_waker(&waker)).is_pending());
            }
        }
        give(&permits, 1);
        drop(waits);
        assert!(!under_lock.load(Ordering::Relaxed), "a waker was called under the lock");
    });
}
