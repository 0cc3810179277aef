//! The running side of a task: what a loop polls or a pool calls. Its other side is `Task`.
//!
//! The two share a `Core`. A job ends exactly once, in this order: the future (or closure) is dropped
//! under its luggage, the luggage is let go, the figures are counted, the end is published. So whoever
//! sees the end, on whichever thread, finds nothing of the job left.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::counters::{self, Count};
use super::luggage::{self, Bag};
use super::task_core::{AnyCore, Core, End, Place};
use super::this_thread::{self, ThisThread};
use crate::quiet::{discard_panic, quietly};

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
            quietly(|| log::error!("{}: a destructor panicked: {message}", self.core.header()));
            if matches!(end, End::Done) {
                // There is a value, but a result after a panic would look as if all were well.
                end = End::Panicked(message);
            }
        }
        // The last owner's destructor may panic; the end is to be published nevertheless.
        quietly(|| self.bag.empty());
        match end {
            End::Cancelled => counters::add(Count::TasksCancelled),
            End::Panicked(_) => counters::add(Count::TasksPanicked),
            End::Done | End::Refused(_) => {}
        }
        counters::add(Count::TasksFinished);
        if self.core.header().publish(end) {
            // The value has no other owner left; its destructor must not harm the loop.
            quietly(|| self.core.discard());
        }
    }
}

impl<B: Future<Output = ()> + Unpin, C: AnyCore + ?Sized> Future for Job<B, C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Set to the end, not only while the future is polled: destructors too must not block a thread of the shared
        // loop, which may be the only one that what they wait for can run on.
        this_thread::with(|this| {
            let header = self.core.header();
            let _run = (header.place != Place::Local).then(|| this.run_shared(header.spawned_at));
            self.step(this, cx)
        })
    }
}

impl<B: Future<Output = ()> + Unpin, C: AnyCore + ?Sized> Job<B, C> {
    fn step(&mut self, this: &ThisThread, cx: &mut Context<'_>) -> Poll<()> {
        let Job { core, bag, body } = self;
        let header = core.header();
        // Registered before the flag is read: a `cancel` in between is then seen here, or wakes us.
        header.listen(cx.waker());
        if header.is_cancel_requested() {
            self.end(End::Cancelled);
            return Poll::Ready(());
        }
        let Some(body) = body else {
            return Poll::Ready(());
        };
        counters::add(Count::Polls);
        let polled = {
            let _drive = (header.place == Place::Local).then(|| this.drive(cx.waker()));
            bag.hold(|| catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll(cx))))
        };
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
            quietly(|| core.discard());
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
    discard_panic(panic);
    message
}
