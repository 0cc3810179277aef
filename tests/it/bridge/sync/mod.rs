//! `bridge::sync`: first come, first served; nothing lost by a wait that is dropped; the same line from everywhere.

mod bounded_semaphore;
mod condition;
mod event;
mod lock;
mod oneshot;
mod priority_queue;
mod queue;
mod semaphore;

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle};

use dewar::bridge::{self, sync};

use crate::support;

/// A future that is polled by hand.
struct ByHand<F: ?Sized> {
    wakes: Arc<Wakes>,
    future: Pin<Box<F>>,
}

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polled once: it waits.
fn waiting<F: Future>(future: F) -> ByHand<F> {
    let mut by_hand = ByHand { wakes: Arc::new(Wakes(AtomicUsize::new(0))), future: Box::pin(future) };
    assert!(by_hand.poll().is_pending(), "there is nothing that it has to wait for");
    by_hand
}

impl<F: Future> ByHand<F> {
    fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// From now on another waker is to be woken.
    fn moved(mut self) -> ByHand<F> {
        self.wakes = Arc::new(Wakes(AtomicUsize::new(0)));
        assert!(self.poll().is_pending());
        self
    }

    /// It was woken, and is ready.
    #[track_caller]
    fn served(mut self) -> F::Output {
        assert!(self.is_woken(), "it was not woken");
        let Poll::Ready(result) = self.poll() else { panic!("woken for nothing") };
        result
    }

    fn is_woken(&self) -> bool {
        self.wakes.0.load(Ordering::Relaxed) > 0
    }
}

/// Polls once and drops: a wait that is cancelled early, or something that is there at once.
async fn tried<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Where somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A fragment, polled on its own thread.
    Fragment,
    /// A task of a fragment, on its thread's loop.
    Local,
    /// A task of the shared loop.
    Shared,
    /// A future on a third-party executor.
    Foreign,
    /// No future at all.
    Thread,
}

const PLACES: [Place; 5] = [Place::Fragment, Place::Local, Place::Shared, Place::Foreign, Place::Thread];

impl Place {
    /// Runs one of two ways to do the same: the async one where that is, on a loop of this place.
    fn run<T: Send + 'static>(
        self,
        future: impl Future<Output = T> + Send + 'static,
        blocking: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        thread::spawn(move || match self {
            Place::Fragment => bridge::block_on(future).unwrap(),
            Place::Local => bridge::block_on(async { bridge::spawn(future).await }).unwrap().unwrap(),
            Place::Shared => bridge::spawn_shared(future).join().unwrap(),
            Place::Foreign => futures_lite::future::block_on(future),
            Place::Thread => blocking(),
        })
    }
}

/// Until `what` says of itself that so many wait, as in `until(&lock, "waiting: 1")`.
fn until(what: &dyn Debug, says: &str) {
    while !format!("{what:?}").contains(says) {
        thread::yield_now();
    }
}

/// What blocks is refused on a thread with a loop: in a fragment, in its tasks, on the shared loop.
fn refused(cure: &str, blocks: impl Fn() + Clone + Send + 'static) {
    let fragment = bridge::block_on(async { support::panic_message(&blocks) }).unwrap();
    let (local, shared) = (blocks.clone(), blocks);
    let local = bridge::block_on(async { bridge::spawn(async move { support::panic_message(local) }).await });
    let shared = bridge::spawn_shared(async move { support::panic_message(shared) }).join();
    for message in [fragment, local.unwrap().unwrap(), shared.unwrap()] {
        assert!(message.contains(cure), "{message}");
        assert!(message.contains("bridge::unblock"), "{message}");
    }
}

/// A waker of somebody who uses, when it is woken and when it is dropped, the very thing that it waits for.
struct Nosy<F: Fn()>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Nosy<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

impl<F: Fn()> Drop for Nosy<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn nosy(look: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Nosy(look)))
}

/// Polls with wakers that look, has the first one replaced, and lets the last one be woken by `release`.
fn wakers_are_free<F: Future>(future: F, look: impl Fn() + Clone + Send + Sync + 'static, release: impl FnOnce()) {
    let mut future = Box::pin(future);
    for _ in 0..2 {
        assert!(future.as_mut().poll(&mut Context::from_waker(&nosy(look.clone()))).is_pending());
    }
    release();
    let panics = nosy(|| ());
    assert!(future.as_mut().poll(&mut Context::from_waker(&panics)).is_ready());
}

#[test]
fn wakers_run_without_locks() {
    let lock = Arc::new(sync::Lock::new(()));
    let guard = lock.try_lock().unwrap();
    let seen = Arc::clone(&lock);
    wakers_are_free(lock.lock(), move || _ = seen.try_lock(), || drop(guard));

    let event = Arc::new(sync::Event::new());
    let seen = Arc::clone(&event);
    wakers_are_free(event.wait(), move || _ = seen.is_set(), || event.set());

    let semaphore = Arc::new(sync::Semaphore::new(0));
    let seen = Arc::clone(&semaphore);
    wakers_are_free(semaphore.acquire(), move || _ = seen.try_acquire(), || semaphore.add_permits(1));

    let condition = Arc::new(sync::Condition::new());
    let seen = Arc::clone(&condition);
    let wait = condition.wait(lock.try_lock().unwrap());
    wakers_are_free(wait, move || seen.notify(0), || condition.notify_one());

    let queue = sync::Queue::unbounded();
    let seen = queue.clone();
    wakers_are_free(queue.get(), move || _ = seen.try_get(), || queue.try_put(1).unwrap());
    let seen = queue.clone();
    wakers_are_free(queue.join(), move || _ = seen.len(), || queue.task_done().unwrap());

    let (sender, receiver) = sync::oneshot();
    let sender = Arc::new(std::sync::Mutex::new(Some(sender)));
    let seen = Arc::clone(&sender);
    let look = move || _ = seen.lock().unwrap().as_ref().map(sync::Sender::is_closed);
    let send = || {
        let sender = sender.lock().unwrap().take();
        sender.unwrap().send(1).unwrap();
    };
    wakers_are_free(receiver, look, send);
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_asleep() {
    let event = sync::Event::new();
    let mut first = Box::pin(event.wait());
    let panics = Waker::from(Arc::new(Panics));
    assert!(first.as_mut().poll(&mut Context::from_waker(&panics)).is_pending());
    let second = waiting(event.wait());
    event.set();
    second.served();

    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker");
        }
    }
}

#[test]
fn all_of_it_may_go_to_other_threads() {
    fn goes<T: Send>(_: &T) {}
    fn goes_and_is_shared<T: Send + Sync>(_: &T) {}

    let lock = Arc::new(sync::Lock::new(std::cell::Cell::new(0)));
    goes_and_is_shared(&lock);
    goes(&lock.lock());
    goes(&lock.lock_arc());
    goes(&lock.try_lock());
    let condition = sync::Condition::new();
    goes_and_is_shared(&condition);
    goes(&condition.wait(lock.try_lock().unwrap()));
    let event = sync::Event::new();
    goes_and_is_shared(&event);
    goes(&event.wait());
    let semaphore = Arc::new(sync::Semaphore::new(1));
    goes_and_is_shared(&semaphore);
    goes(&semaphore.acquire());
    goes_and_is_shared(&semaphore.try_acquire());
    let queue = sync::Queue::<std::cell::Cell<u8>>::unbounded();
    goes_and_is_shared(&queue);
    goes(&queue.get());
    goes(&queue.put(std::cell::Cell::new(1)));
    goes_and_is_shared(&sync::PriorityQueue::<u8>::unbounded());
    let (sender, receiver) = sync::oneshot::<std::cell::Cell<u8>>();
    goes_and_is_shared(&sender);
    goes_and_is_shared(&receiver);
    goes(&sender.closed());
}

#[test]
fn they_tell_of_themselves() {
    let lock = Arc::new(sync::Lock::new(1));
    let guard = lock.try_lock().unwrap();
    assert_eq!(format!("{guard:?}"), "LockGuard(1)");
    let second = waiting(lock.lock_arc());
    assert_eq!(format!("{lock:?}"), "Lock { is_locked: true, waiting: 1, .. }");
    drop(guard);
    assert_eq!(format!("{:?}", second.served()), "LockGuardArc(1)");
    let event = sync::Event::default();
    event.set();
    assert_eq!(format!("{event:?}"), "Event { is_set: true, waiting: 0 }");
    assert_eq!(format!("{:?}", sync::Condition::default()), "Condition { waiting: 0 }");
    assert_eq!(format!("{:?}", sync::Semaphore::new(2)), "Semaphore { available: 2, waiting: 0 }");
    let queue = sync::PriorityQueue::bounded(2);
    queue.try_put(1).unwrap();
    assert_eq!(
        format!("{queue:?}"),
        "PriorityQueue { len: 1, capacity: Some(2), unfinished: 1, putting: 0, getting: 0, joining: 0, \
         is_closed: false, .. }"
    );
    let (sender, receiver) = sync::oneshot::<u8>();
    assert_eq!(format!("{sender:?} {receiver:?}"), "Sender { is_closed: false, .. } Receiver { arrived: false, .. }");
}
