//! The running side of a task: what a loop polls or a pool calls. Its other side is `Task`.
//!
//! The two share a `Header`; the future, and later its value, are in the one allocation of `async-task`. A job ends
//! exactly once, in this order: the future (or closure) is dropped under its luggage, the luggage is let go, the figures
//! are counted, the end is published, the value becomes visible. So whoever sees the value, on whichever thread, finds
//! nothing of the job left.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use pin_project_lite::pin_project;

use super::counters::{self, Count};
use super::debug;
use super::header::{End, Header, Place, TaskState};
use super::luggage::Bag;
use super::this_thread::{self, ThisThread};
use crate::quiet::{discard_panic, quietly};

/// What a job runs: a future that may have something to do when it is cancelled.
pub(crate) trait Body: Future {
    /// Polled instead of `poll` once the task is to end.
    fn poll_cancel(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

pin_project! {
    /// A future with nothing to do at its cancellation but to be dropped.
    pub(crate) struct Plain<F> {
        #[pin]
        pub(crate) future: F,
    }
}

impl<F: Future> Future for Plain<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F: Future> Body for Plain<F> {}

pin_project! {
    /// A closure for a pool.
    pub(crate) struct Closure<F> {
        f: Option<F>,
    }
}

impl<F> Closure<F> {
    pub(crate) fn new(f: F) -> Closure<F> {
        Closure { f: Some(f) }
    }
}

impl<T, F: FnOnce() -> T> Future for Closure<F> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<T> {
        let f = self.project().f.take();
        Poll::Ready(f.expect("a closure is called once")())
    }
}

impl<T, F: FnOnce() -> T> Body for Closure<F> {}

/// A task's value, if there is one. Whoever owns it last may be a loop: its destructor must not harm that.
pub(crate) struct Output<T>(Option<T>);

impl<T> Output<T> {
    pub(crate) fn take(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Output<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            quietly(|| drop(value));
        }
    }
}

pin_project! {
    #[project = SlotProjection]
    enum Slot<B> {
        Live {
            #[pin]
            body: B,
        },
        Ended,
    }
}

pin_project! {
    /// A body on a loop: with its luggage, its cancellation and its panics.
    pub(crate) struct Job<B: Body> {
        // Lent to the thread during a poll; there at all other times.
        header: Option<Arc<Header>>,
        bag: Bag,
        // `cancel` knows our waker.
        is_listening: bool,
        #[pin]
        slot: Slot<B>,
    }

    impl<B: Body> PinnedDrop for Job<B> {
        fn drop(this: Pin<&mut Self>) {
            if matches!(this.slot, Slot::Live { .. }) {
                // Dropped by its loop.
                this.drop_body(End::Cancelled);
            }
        }
    }
}

/// Why a job has its header.
const LENT: &str = "it is lent only while it is polled";

impl<B: Body> Job<B> {
    fn header(&self) -> &Arc<Header> {
        self.header.as_ref().expect(LENT)
    }

    #[inline]
    pub(crate) fn new(header: Arc<Header>, body: B) -> Job<B> {
        if !header.place.is_pool() {
            counters::add(Count::TasksSpawned);
        }
        Job { header: Some(header), bag: Bag::packed_now(), is_listening: false, slot: Slot::Live { body } }
    }

    /// Ends it without a value.
    fn drop_body(mut self: Pin<&mut Self>, end: End) {
        let mut this = self.as_mut().project();
        let dropped = this.bag.hold(|| catch_unwind(AssertUnwindSafe(|| this.slot.set(Slot::Ended))));
        self.end(end, dropped);
    }

    /// Ends it when its body is dropped; says whether its value still counts.
    fn end(self: Pin<&mut Self>, mut end: End, dropped: thread::Result<()>) -> bool {
        let this = self.project();
        let header: &Header = this.header.as_ref().expect(LENT);
        if let Err(panic) = dropped {
            let message = message(panic);
            quietly(|| log::error!("{header}: a destructor panicked: {message}"));
            if matches!(end, End::Done) {
                // There is a value, but a result after a panic would look as if all were well.
                end = End::Panicked(message);
            }
        }
        // The last owner's destructor may panic; the end is to be published nevertheless.
        if !this.bag.is_empty() {
            quietly(|| this.bag.empty());
        }
        if !header.place.is_pool() {
            match end {
                End::Cancelled => counters::add(Count::TasksCancelled),
                End::Panicked(_) => counters::add(Count::TasksPanicked),
                End::Done | End::Refused(_) => {}
            }
            counters::add(Count::TasksFinished);
        }
        let is_done = matches!(end, End::Done);
        header.publish(end);
        is_done
    }

    /// Ends it before it began.
    pub(crate) fn refuse(self: Pin<&mut Self>, reason: &str) {
        self.drop_body(End::Refused(reason.into()));
    }
}

impl<B: Body> Future for Job<B> {
    type Output = Output<B::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        this_thread::with(|this| {
            let header = self.header();
            if header.place == Place::Shared {
                // Until the loop gets its thread back, not only while the future is polled: destructors too, of the value
                // as well, must not block a thread of the shared loop, which may be the only one that what they wait for
                // can run on.
                this.running.set(header.home.running(header.spawned_at));
            }
            self.as_mut().step(this, cx)
        })
    }
}

impl<B: Body> Job<B> {
    fn step(mut self: Pin<&mut Self>, this: &ThisThread, cx: &mut Context<'_>) -> Poll<Output<B::Output>> {
        let header = self.header();
        let is_pool = header.place.is_pool();
        if is_pool && !header.begin() {
            self.drop_body(End::Cancelled); // known already; this drops the closure
            return Poll::Ready(Output(None));
        }
        let is_cancelled = !is_pool && header.is_cancel_requested();
        let was_pending = is_cancelled && header.state() == TaskState::Pending;
        if !is_pool && !was_pending {
            header.set_state(TaskState::Running);
        }
        let mut dropped = Ok(());
        let polled = {
            let this_job = self.as_mut().project();
            if was_pending {
                // Nothing began, so there is nothing to clean up.
                let mut slot = this_job.slot;
                dropped = this_job.bag.hold(|| catch_unwind(AssertUnwindSafe(|| slot.set(Slot::Ended))));
                Ok(Poll::Ready(None))
            } else {
                if !is_pool {
                    counters::add(Count::Polls);
                }
                let header = this_job.header.as_ref().expect(LENT);
                let _watched = (header.is_debug && !is_pool).then(|| debug::watch(header));
                let _polling = this.poll_task(this_job.header, cx.waker());
                let mut slot = this_job.slot;
                this_job.bag.hold(|| {
                    let polled = catch_unwind(AssertUnwindSafe(|| {
                        let SlotProjection::Live { body } = slot.as_mut().project() else { return Poll::Ready(None) };
                        if is_cancelled { body.poll_cancel(cx).map(|()| None) } else { body.poll(cx).map(Some) }
                    }));
                    if !matches!(polled, Ok(Poll::Pending)) {
                        dropped = catch_unwind(AssertUnwindSafe(|| slot.set(Slot::Ended)));
                    }
                    polled
                })
            }
        };
        let (value, end) = match polled {
            Ok(Poll::Pending) => {
                let this_job = self.project();
                let header = this_job.header.as_ref().expect(LENT);
                header.set_state(TaskState::Waiting);
                if !*this_job.is_listening {
                    *this_job.is_listening = true;
                    if !header.listen(cx.waker()) {
                        cx.waker().wake_by_ref(); // cancelled before we listened
                    }
                }
                return Poll::Pending;
            }
            Ok(Poll::Ready(Some(value))) => (Output(Some(value)), End::Done),
            Ok(Poll::Ready(None)) => (Output(None), End::Cancelled),
            Err(panic) => (Output(None), End::Panicked(message(panic))),
        };
        if self.end(end, dropped) { Poll::Ready(value) } else { Poll::Ready(Output(None)) }
    }
}

/// What a panic said.
pub(crate) fn message(panic: Box<dyn Any + Send>) -> Arc<str> {
    let message: Arc<str> = if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).into()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.as_str().into()
    } else {
        "(a payload that is no text)".into()
    };
    discard_panic(panic);
    message
}
