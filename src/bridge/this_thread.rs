//! What a thread knows of its own fragments: the machine's thread-local. (The user's is in `luggage`.)

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, RawWakerVTable, Waker};

use super::bell::BellPull;
use super::far::{Far, Runnable};
use super::header::Header;
use super::leash::Leash;
use super::local_loop::LocalLoop;
use super::policy::LoopPolicy;
use super::shared_loop;
use super::timers::{self, Timers};
use crate::quiet::quietly;

/// The event loop, if any, that is busy on a thread.
#[derive(Clone, Copy)]
pub(crate) enum Running {
    Nothing,
    /// A fragment, and where it was started.
    Fragment(&'static Location<'static>),
    /// A task of the shared loop, and where it was spawned.
    SharedTask(&'static Location<'static>),
    /// The same on the tokio runtime.
    #[cfg(feature = "tokio")]
    TokioTask(&'static Location<'static>),
}

impl Running {
    /// What keeps another fragment from being started.
    #[inline]
    pub(crate) fn place(self) -> Option<&'static Location<'static>> {
        match self {
            Running::Nothing => None,
            Running::Fragment(at) | Running::SharedTask(at) => Some(at),
            #[cfg(feature = "tokio")]
            Running::TokioTask(at) => Some(at),
        }
    }
}

/// A waker's identity: the same two pointers, the same waker (`Waker::will_wake` without a `Waker`).
/// Compared only while the waker that it was taken from is alive, so that no other can have its address.
type WakerId = (*const (), *const RawWakerVTable);

const NOBODY: WakerId = (ptr::null(), ptr::null());

#[inline]
fn id(waker: &Waker) -> WakerId {
    (waker.data(), ptr::from_ref(waker.vtable()))
}

pub(crate) struct ThisThread {
    pub(crate) running: Cell<Running>,
    /// `with_policy`'s.
    policy: Cell<Option<LoopPolicy>>,
    /// The loop that `spawn` and `sleep` use; under `PerThread` it stays from fragment to fragment.
    pub(crate) local: RefCell<Option<Rc<LocalLoop>>>,
    /// The root's bell, while no fragment has it.
    pub(crate) pull: Cell<Option<BellPull>>,
    /// The loop over a tokio runtime of this thread's own, while no fragment uses it.
    #[cfg(feature = "tokio")]
    pub(crate) tokio: Cell<Option<super::tokio_loop::TokioLocal>>,
    /// The task that is being polled. Lent by its job, which has it back afterwards: that costs no reference count.
    task: Cell<Option<Arc<Header>>>,
    /// Whether something was made that is kept from fragment to fragment, and is to be dropped with the thread.
    pub(crate) is_news: Cell<bool>,
    /// Whether the policy of the running fragment says so.
    pub(crate) is_debug: Cell<bool>,
    /// Set on a thread whose fragments somebody may end: a server's workers.
    pub(crate) leash: RefCell<Option<Leash>>,
    /// The waker of the poll that our own loop is in the middle of; see [`is_driven`].
    driven: Cell<WakerId>,
    /// Whether the `gather` that is being polled is driven, and with it its children.
    gather_driven: Cell<bool>,
}

thread_local! {
    /// Never dropped, so that it is there to the very end of its thread: other thread-locals' destructors may begin
    /// fragments and wait for tasks. What it owns is dropped by `END`.
    static THIS: ManuallyDrop<ThisThread> = const {
        ManuallyDrop::new(ThisThread {
            running: Cell::new(Running::Nothing),
            policy: Cell::new(None),
            local: RefCell::new(None),
            pull: Cell::new(None),
            #[cfg(feature = "tokio")]
            tokio: Cell::new(None),
            task: Cell::new(None),
            is_news: Cell::new(false),
            is_debug: Cell::new(false),
            leash: RefCell::new(None),
            driven: Cell::new(NOBODY),
            gather_driven: Cell::new(false),
        })
    };
    static END: End = const { End };
    /// The same, begun later: see `keep_tokio_until_thread_ends`.
    #[cfg(feature = "tokio")]
    static TOKIO_END: End = const { End };
}

struct End;

impl Drop for End {
    fn drop(&mut self) {
        with(ThisThread::clear);
    }
}

#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&ThisThread) -> R) -> R {
    THIS.with(|this| f(this))
}

pub(crate) fn policy() -> Option<LoopPolicy> {
    with(|this| this.policy.get())
}

pub(crate) fn set_policy(policy: Option<LoopPolicy>) -> Option<LoopPolicy> {
    with(|this| this.policy.replace(policy))
}

/// The loop of the fragment that runs on this thread, made if there is none yet; `None` outside of a
/// fragment.
pub(crate) fn local_loop() -> Option<Rc<LocalLoop>> {
    with(|this| match this.running.get() {
        Running::Fragment(_) => {
            let mut local = this.local.borrow_mut();
            let local = local.get_or_insert_with(|| {
                this.is_news.set(true);
                Rc::new(LocalLoop::new(None))
            });
            Some(Rc::clone(local))
        }
        _ => None,
    })
}

/// Whether a task of the shared loop (or of the tokio runtime) is being polled on this thread.
pub(crate) fn is_shared_loop() -> bool {
    with(|this| this.running.get().place().is_some() && !matches!(this.running.get(), Running::Fragment(_)))
}

/// Whether that is one of the tokio runtime.
#[cfg(feature = "tokio")]
pub(crate) fn is_tokio_task() -> bool {
    with(|this| matches!(this.running.get(), Running::TokioTask(_)))
}

/// The task that is being polled on this thread.
pub(crate) fn current_task() -> Option<Arc<Header>> {
    with(|this| {
        let task = this.task.take();
        this.task.set(task.clone());
        task
    })
}

/// Runs a task on a thread of a shared loop, which is "in a task" (its job says so) until its destructors are done too.
pub(crate) fn run_shared(runnable: Runnable) {
    runnable.run();
    with(|this| this.running.set(Running::Nothing));
}

/// Puts a task's header back to its job at the end of the poll.
pub(crate) struct PollTask<'a> {
    this: &'a ThisThread,
    header: &'a mut Option<Arc<Header>>,
    outer: Option<Arc<Header>>,
    driven: WakerId,
}

impl Drop for PollTask<'_> {
    #[inline]
    fn drop(&mut self) {
        self.this.driven.set(self.driven);
        *self.header = self.this.task.replace(self.outer.take());
    }
}

/// Sets a cell until dropped.
pub(crate) struct Set<'a, T: Copy> {
    cell: &'a Cell<T>,
    before: T,
}

impl<'a, T: Copy> Set<'a, T> {
    #[inline]
    fn new(cell: &'a Cell<T>, value: T) -> Set<'a, T> {
        let before = cell.replace(value);
        Set { cell, before }
    }
}

impl<T: Copy> Drop for Set<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.cell.set(self.before);
    }
}

impl ThisThread {
    /// To be called at the end of a fragment: what is kept for the next one is dropped with the thread, or at once when
    /// that is ending already.
    #[inline]
    pub(crate) fn keep_until_thread_ends(&self) {
        if self.is_news.replace(false) && END.try_with(|_| ()).is_err() {
            // The thread is ending: so it stays, for the next time.
            self.is_news.set(true);
            self.clear();
        }
    }

    /// For what is made for a fragment, and may be kept.
    pub(crate) fn new_pull(&self) -> BellPull {
        self.is_news.set(true);
        BellPull::new()
    }

    /// As `keep_until_thread_ends`, where tokio's thread-local is in use: ours is begun after it, and so ends before it,
    /// whenever `END` was begun. A runtime cannot be entered any more when tokio's is gone.
    #[cfg(feature = "tokio")]
    pub(crate) fn keep_tokio_until_thread_ends(&self) {
        if TOKIO_END.try_with(|_| ()).is_err() {
            self.clear();
        }
    }

    fn clear(&self) {
        // Out of their cells first: timers have wakers, which are other people's.
        let (local, pull) = (self.local.take(), self.pull.take());
        if let Some(local) = &local {
            quietly(|| local.close());
        }
        quietly(|| drop((local, pull)));
        #[cfg(feature = "tokio")]
        if let Some(tokio) = self.tokio.take() {
            quietly(|| drop(tokio));
        }
    }

    /// For a poll by our own loop: what is polled with exactly this waker is driven by it.
    #[inline]
    pub(crate) fn drive(&self, waker: &Waker) -> Set<'_, WakerId> {
        Set::new(&self.driven, id(waker))
    }

    /// For the poll of a task: with exactly this waker it is driven by its loop.
    #[inline]
    pub(crate) fn poll_task<'a>(&'a self, header: &'a mut Option<Arc<Header>>, waker: &Waker) -> PollTask<'a> {
        let outer = self.task.replace(header.take());
        PollTask { this: self, header, outer, driven: self.driven.replace(id(waker)) }
    }

    /// Puts what is to be polled into the queue of the loop behind `far`, if that is this thread's, and in use; gives it
    /// back otherwise.
    #[inline]
    pub(crate) fn enqueue(&self, far: &Arc<Far>, runnable: Runnable) -> Option<Runnable> {
        let Ok(local) = self.local.try_borrow() else { return Some(runnable) };
        match &*local {
            Some(local) if local.is_of(far) => {
                local.enqueue(runnable);
                None
            }
            _ => Some(runnable),
        }
    }

    /// Moves what others have left for the loop behind `far` into its queue, if it is this thread's, and in use.
    pub(crate) fn take_left(&self, far: &Far) {
        if let Ok(local) = self.local.try_borrow()
            && let Some(local) = &*local
            && local.is_of(far)
        {
            local.take_left();
        }
    }

    /// Whether this thread's loop will look at its timers before it sleeps on behalf of `cx`.
    ///
    /// That is so only if `cx` is the very one that the loop passed in. With any other, somebody is in
    /// between who may be sleeping by itself: a third-party `block_on` inside of a fragment would wait
    /// for ever for a timer in the heap of the loop that it blocks. (A combinator with wakers of its own,
    /// `FuturesUnordered` for one, cannot be told from that; its timers take the slower way too.)
    pub(crate) fn is_driven(&self, cx: &Context<'_>) -> bool {
        self.driven.get() == id(cx.waker())
    }
}

/// The heap for a timer that is polled with `cx`: this thread's own, or else the timer thread's. `None`
/// if the latter cannot be started.
pub(crate) fn timers_for(cx: &Context<'_>) -> Option<Arc<Timers>> {
    if with(|this| this.is_driven(cx)) {
        if let Some(local) = local_loop() {
            return Some(local.timers());
        }
        if with(|this| matches!(this.running.get(), Running::SharedTask(_))) {
            return Some(shared_loop::timers());
        }
    }
    timers::of_the_timer_thread()
}

/// Polls a `gather`: its children, polled by `poll`, are driven if it is.
pub(crate) fn poll_gather<R>(cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
    with(|this| {
        let _set = Set::new(&this.gather_driven, this.is_driven(cx));
        poll(cx)
    })
}

/// Polls a child of a `gather`, which comes with a waker of its own where there are many children.
pub(crate) fn poll_gathered<R>(cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
    with(|this| {
        let _drive = this.gather_driven.get().then(|| this.drive(cx.waker()));
        poll(cx)
    })
}
