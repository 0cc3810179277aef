//! The running side of a task: what a loop polls or a pool calls. Its other side is `Task`.
//!
//! The two share a `Core`. A job ends exactly once, in this order: the future (or closure) is dropped
//! under its luggage, the luggage is let go, the figures are counted, the end is published. So whoever
//! sees the end, on whichever thread, finds nothing of the job left.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::task::AtomicWaker;

use super::counters::{self, Count};
use super::error::TaskError;
use super::luggage::{self, Bag};
use super::{this_thread, timers};

/// Where a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Local,
    Shared,
    Unblock,
    #[cfg(feature = "compute")]
    Compute,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Its value is in the core.
    Done,
    Cancelled,
    Panicked(String),
    Refused(String),
}

/// What is known of a task whatever its result's type.
pub(crate) struct Header {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) spawned_at: &'static Location<'static>,
    pub(crate) place: Place,
    /// Set once, by `cancel`; read by the job before each poll.
    cancel: AtomicBool,
    /// Wakes the job, so that it sees `cancel`.
    canceller: AtomicWaker,
    state: Mutex<State>,
    /// Notified at the end. Only `join` waits for it.
    ended: Condvar,
}

struct State {
    /// Set once.
    end: Option<End>,
    /// A closure that has begun cannot be cancelled any more.
    begun: bool,
    /// Whoever awaits the task.
    waker: Option<Waker>,
    /// The `Task` is dropped: nobody will ask for the result.
    abandoned: bool,
}

impl Header {
    pub(crate) fn new(place: Place, name: Option<Arc<str>>, spawned_at: &'static Location<'static>) -> Header {
        Header {
            name,
            spawned_at,
            place,
            cancel: AtomicBool::new(false),
            canceller: AtomicWaker::new(),
            state: Mutex::new(State { end: None, begun: false, waker: None, abandoned: false }),
            ended: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No foreign code runs under this lock (wakers are woken and dropped outside of it).
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    /// The end if there is one; otherwise `waker` is woken when there is.
    pub(crate) fn end_or_wake(&self, waker: &Waker) -> Option<End> {
        // Cloned before the lock is taken; dropped, as is the one that it replaces, after.
        let mut new = Some(waker.clone());
        let mut state = self.lock();
        if let Some(end) = &state.end {
            return Some(end.clone());
        }
        std::mem::swap(&mut state.waker, &mut new);
        drop(state);
        None
    }

    /// Blocks until the end.
    pub(crate) fn wait(&self) -> End {
        let mut state = self.lock();
        loop {
            if let Some(end) = &state.end {
                return end.clone();
            }
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asks the job to end. A future sees it before its next poll; a closure that has not begun never
    /// will; one that has begun goes on.
    pub(crate) fn cancel(&self) {
        match self.place {
            Place::Local | Place::Shared => {
                // Set before the wake: the poll that follows must see it.
                self.cancel.store(true, Ordering::Release);
                self.canceller.wake();
            }
            _ => {
                self.publish_if(|state| !state.begun, End::Cancelled);
            }
        }
    }

    fn is_cancel_requested(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }

    /// Marks a closure as begun, after which it cannot be cancelled; false if it is already.
    fn begin(&self) -> bool {
        let mut state = self.lock();
        state.begun = true;
        state.end.is_none()
    }

    /// Makes the end known, unless there was one. True if nobody will ask for the result.
    pub(crate) fn publish(&self, end: End) -> bool {
        self.publish_if(|_| true, end)
    }

    fn publish_if(&self, condition: impl FnOnce(&State) -> bool, end: End) -> bool {
        let mut state = self.lock();
        if state.end.is_some() || !condition(&state) {
            return false;
        }
        state.end = Some(end.clone());
        let abandoned = state.abandoned;
        let waker = state.waker.take();
        drop(state);
        self.ended.notify_all();
        if let Some(waker) = waker {
            timers::wake(waker); // a loop thread must survive a waker that panics
        }
        if let (End::Panicked(message), true) = (end, abandoned) {
            log::error!("{self} panicked, and nobody holds the Task: {message}");
        }
        abandoned
    }

    /// The `Task` is dropped, and with it the wish for the result; `asked` if it was given out.
    pub(crate) fn abandon(&self, asked: bool) {
        let mut state = self.lock();
        state.abandoned = true;
        let waker = state.waker.take();
        let end = if asked { None } else { state.end.clone() };
        drop(state);
        drop(waker);
        if let Some(End::Panicked(message)) = end {
            log::error!("{self} panicked, and its Task was dropped unasked: {message}");
        }
    }

    pub(crate) fn error(&self, end: End) -> TaskError {
        let (name, spawned_at) = (self.name.clone(), self.spawned_at);
        match end {
            End::Panicked(message) => TaskError::Panicked { message, name, spawned_at },
            End::Refused(reason) => TaskError::Refused { reason, name, spawned_at },
            End::Done | End::Cancelled => TaskError::Cancelled { name, spawned_at },
        }
    }
}

/// For messages: "the task `name` spawned at file:line:column".
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task ")?;
        if let Some(name) = &self.name {
            write!(f, "`{name}` ")?;
        }
        write!(f, "spawned at {}", self.spawned_at)
    }
}

/// What a `Task` and its job share.
pub(crate) struct Core<T> {
    pub(crate) header: Header,
    /// Filled by the job before it publishes `Done`.
    value: Mutex<Option<T>>,
}

impl<T> Core<T> {
    pub(crate) fn new(header: Header) -> Arc<Core<T>> {
        let value = Mutex::new(None);
        Arc::new(Core { header, value })
    }

    fn put(&self, value: T) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A core whose result's type is nobody's business.
pub(crate) trait AnyCore {
    fn header(&self) -> &Header;
    fn discard(&self);
}

impl<T> AnyCore for Core<T> {
    fn header(&self) -> &Header {
        &self.header
    }
    fn discard(&self) {
        drop(self.take());
    }
}

/// A future on a loop: with its luggage, its cancellation and its panics.
pub(crate) struct Job<B, C: AnyCore + ?Sized> {
    core: Arc<C>,
    bag: Bag,
    /// `None` once it has ended.
    body: Option<B>,
}

pub(crate) type LocalJob = Job<Pin<Box<dyn Future<Output = ()>>>, dyn AnyCore>;
pub(crate) type SharedJob = Job<Pin<Box<dyn Future<Output = ()> + Send>>, dyn AnyCore + Send + Sync>;

impl<B: Future<Output = ()> + Unpin, C: AnyCore + ?Sized> Job<B, C> {
    /// The body is to [`put`](Core::put) its value into the core before it is ready.
    fn new(core: Arc<C>, body: B) -> Job<B, C> {
        counters::add(Count::TasksSpawned);
        Job { core, bag: Bag::packed_now(), body: Some(body) }
    }
}

impl LocalJob {
    pub(crate) fn local<F>(core: &Arc<Core<F::Output>>, future: F) -> LocalJob
    where
        F: Future<Output: 'static> + 'static,
    {
        let of_body = Arc::clone(core);
        let body = Box::pin(async move { of_body.put(future.await) });
        Job::new(Arc::clone(core) as Arc<dyn AnyCore>, body)
    }
}

impl SharedJob {
    pub(crate) fn shared<F>(core: &Arc<Core<F::Output>>, future: F) -> SharedJob
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let of_body = Arc::clone(core);
        let body = Box::pin(async move { of_body.put(future.await) });
        Job::new(Arc::clone(core) as Arc<dyn AnyCore + Send + Sync>, body)
    }

    /// Ends it before it began.
    pub(crate) fn refuse(mut self, reason: String) {
        self.end(End::Refused(reason));
    }
}

impl<B, C: AnyCore + ?Sized> Job<B, C> {
    pub(crate) fn is_cancel_requested(&self) -> bool {
        self.core.header().is_cancel_requested()
    }

    fn end(&mut self, mut end: End) {
        let body = self.body.take();
        let dropped = self.bag.hold(|| catch_unwind(AssertUnwindSafe(|| drop(body))));
        if let Err(panic) = dropped {
            let message = message(panic);
            log::error!("{}: a destructor panicked: {message}", self.core.header());
            if matches!(end, End::Done) {
                // There is a value, but a result after a panic would look as if all were well.
                end = End::Panicked(message);
            }
        }
        // The last owner's destructor may panic; the end is to be published nevertheless.
        let _ = catch_unwind(AssertUnwindSafe(|| self.bag.empty()));
        match end {
            End::Cancelled => counters::add(Count::TasksCancelled),
            End::Panicked(_) => counters::add(Count::TasksPanicked),
            End::Done | End::Refused(_) => {}
        }
        counters::add(Count::TasksFinished);
        if self.core.header().publish(end) {
            // The value has no other owner left; its destructor must not harm the loop.
            let _ = catch_unwind(AssertUnwindSafe(|| self.core.discard()));
        }
    }
}

impl<B: Future<Output = ()> + Unpin, C: AnyCore + ?Sized> Future for Job<B, C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Job { core, bag, body } = &mut *self;
        let header = core.header();
        // Registered before the flag is read: a `cancel` in between is then seen here, or wakes us.
        header.canceller.register(cx.waker());
        if header.is_cancel_requested() {
            self.end(End::Cancelled);
            return Poll::Ready(());
        }
        let Some(body) = body else {
            return Poll::Ready(());
        };
        counters::add(Count::Polls);
        let polled = this_thread::with(|this| {
            let (_drive, _run) = match header.place {
                Place::Local => (Some(this.drive(cx.waker())), None),
                _ => (None, Some(this.run_shared(header.spawned_at))),
            };
            bag.hold(|| catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll(cx))))
        });
        match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => self.end(End::Done),
            Err(panic) => self.end(End::Panicked(message(panic))),
        }
        Poll::Ready(())
    }
}

impl<B, C: AnyCore + ?Sized> Drop for Job<B, C> {
    fn drop(&mut self) {
        if self.body.is_some() {
            self.end(End::Cancelled);
        }
    }
}

impl<B, C: AnyCore + ?Sized> fmt::Display for Job<B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.header().fmt(f)
    }
}

/// A closure on a pool: to be called with `Ok`, or with why it cannot run.
pub(crate) type ClosureJob = Box<dyn FnOnce(Result<(), String>) + Send>;

pub(crate) fn closure<T, F>(core: &Arc<Core<T>>, f: F) -> ClosureJob
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let core = Arc::clone(core);
    let luggage = luggage::current();
    Box::new(move |go| {
        let header = &core.header;
        let begun = header.begin();
        // Everything of the user's is inside: the closure, what it owns, the luggage. A panic that got out
        // would end a thread of the blocking pool, and the process on the compute pool.
        let end = catch_unwind(AssertUnwindSafe(|| {
            let _packed = luggage::pack(luggage);
            match go {
                Ok(()) if begun => {
                    core.put(f());
                    End::Done
                }
                Ok(()) => {
                    drop(f);
                    End::Cancelled // published already; this one is ignored
                }
                Err(reason) => {
                    drop(f);
                    End::Refused(reason)
                }
            }
        }));
        let end = end.unwrap_or_else(|panic| End::Panicked(message(panic)));
        if header.publish(end) {
            let _ = catch_unwind(AssertUnwindSafe(|| core.discard()));
        }
    })
}

/// What a panic said.
fn message(panic: Box<dyn Any + Send>) -> String {
    let message = if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "(a payload that is no text)".to_owned()
    };
    // A payload can be anything, also something that panics when it is dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
    message
}
