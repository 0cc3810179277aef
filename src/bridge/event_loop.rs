//! A loop to be held in the hand, for those who want to say when it runs.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use super::error::BridgeError;
use super::fragment;
use super::local_loop::LocalLoop;
use super::loop_handle::{LoopHandle, Which};
use super::policy::LoopPolicy;

/// An event loop of this thread's, made, run, stopped and closed by hand. `asyncio.new_event_loop`.
///
/// Handlers do not need one: [`block_on`](super::block_on) has a loop by itself. This is for programs of the kind
/// `loop.run_forever()`, for tasks that stay from run to run, and for tests. Its tasks rest while it does not run. One
/// loop at a time runs on a thread: the second is refused with [`BridgeError::Nested`].
///
/// It stays on its thread. Dropping it closes it.
///
/// ```
/// use dewar::bridge::{self, EventLoop};
///
/// let event_loop = EventLoop::new();
/// let task = event_loop.run_until_complete(async { bridge::spawn(async { 42 }) })?;
/// // the task was spawned in one run, and ends in another
/// assert_eq!(event_loop.run_until_complete(task)??, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EventLoop {
    /// `None` once it is closed.
    local: std::cell::RefCell<Option<Rc<LocalLoop>>>,
    handle: LoopHandle,
    policy: LoopPolicy,
}

impl Default for EventLoop {
    fn default() -> EventLoop {
        EventLoop::new()
    }
}

impl EventLoop {
    /// A loop for this thread, on the bridge's own backend, in [debug](LoopPolicy::debug) mode if the policy of this
    /// point is. (For tokio, run a fragment under [`LoopPolicy::tokio`](LoopPolicy).)
    pub fn new() -> EventLoop {
        let local = Rc::new(LocalLoop::new(None));
        let handle = LoopHandle(Which::Local(Arc::clone(local.far())));
        let policy = LoopPolicy::per_thread().debug(LoopPolicy::current().debug);
        EventLoop { local: Some(local).into(), handle, policy }
    }

    /// The loop that is running on this thread: [`LoopHandle::current`]. `asyncio.get_running_loop`.
    ///
    /// ```
    /// use dewar::bridge::{self, EventLoop};
    ///
    /// assert!(EventLoop::current().is_none());
    /// assert!(bridge::block_on(async { EventLoop::current() })?.is_some());
    /// # Ok::<(), bridge::BridgeError>(())
    /// ```
    pub fn current() -> Option<LoopHandle> {
        LoopHandle::current()
    }

    /// A handle for other threads.
    pub fn handle(&self) -> LoopHandle {
        self.handle.clone()
    }

    /// Runs the loop until `future` is ready. What was spawned and is not done stays, for the next run.
    ///
    /// # Errors
    ///
    /// [`BridgeError::Closed`]; [`BridgeError::Nested`] if a loop is running on this thread.
    ///
    /// # Panics
    ///
    /// If the future does.
    #[track_caller]
    pub fn run_until_complete<F: Future>(&self, future: F) -> Result<F::Output, BridgeError> {
        let here = Location::caller();
        let local = self.local.borrow().clone().ok_or(BridgeError::Closed { at: here })?;
        fragment::drive_on(local, self.policy, here, future)
    }

    /// Runs the loop until [`stop`](EventLoop::stop) is called, by one of its tasks or callbacks or by another thread. If
    /// it was called before, one turn is run.
    ///
    /// ```
    /// use dewar::bridge::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let handle = event_loop.handle();
    /// std::thread::spawn(move || handle.clone().call_soon(move || handle.stop()));
    /// event_loop.run_forever()?;
    /// # Ok::<(), dewar::bridge::BridgeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run_until_complete`](EventLoop::run_until_complete).
    #[track_caller]
    pub fn run_forever(&self) -> Result<(), BridgeError> {
        let here = Location::caller();
        let local = self.local.borrow().clone().ok_or(BridgeError::Closed { at: here })?;
        let far = Arc::clone(local.far());
        let mut turns = 0;
        let until_stopped = poll_fn(move |cx| {
            // Not at the first poll: tasks have a turn before the look.
            if turns > 0 && far.stop.swap(false, Ordering::Acquire) {
                return Poll::Ready(());
            }
            turns += 1;
            // Registered before the look: a stop in between is seen, or wakes us.
            far.on_stop.register(cx.waker());
            if far.stop.load(Ordering::Acquire) {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        });
        fragment::drive_on(local, self.policy, here, until_stopped)
    }

    /// Ends [`run_forever`](EventLoop::run_forever) when the turn that runs is over.
    pub fn stop(&self) {
        self.handle.stop();
    }

    /// Closes the loop: its tasks are dropped (an `on_cancel` is polled once, and not waited for), and whatever is handed
    /// to it afterwards is refused. Again: nothing. `loop.close`.
    ///
    /// ```
    /// use dewar::bridge::{self, BridgeError, EventLoop};
    ///
    /// let event_loop = EventLoop::new();
    /// let task = event_loop.run_until_complete(async { bridge::spawn(std::future::pending::<()>()) })?;
    /// event_loop.close()?;
    /// assert!(task.is_finished());
    /// assert!(matches!(event_loop.run_until_complete(async {}), Err(BridgeError::Closed { .. })));
    /// # Ok::<(), BridgeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BridgeError::Nested`] if it is running, because one of its own tasks calls this: stop it first.
    #[track_caller]
    pub fn close(&self) -> Result<(), BridgeError> {
        let local = self.local.borrow().clone();
        let Some(local) = local else { return Ok(()) };
        fragment::close(&local, Location::caller())?;
        drop(self.local.take());
        Ok(())
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.local.borrow().is_none()
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        // It cannot be running: that borrows it. Another one may: then its tasks' destructors are part of that one's run.
        if let Some(local) = self.local.take()
            && fragment::close(&local, Location::caller()).is_err()
        {
            local.close();
        }
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").field("handle", &self.handle).field("closed", &self.is_closed()).finish()
    }
}
