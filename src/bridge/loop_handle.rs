//! Handles to loops: what other threads can have done there.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::far::Far;
use super::job::Plain;
use super::sleep::sleep_until;
use super::spawn;
use super::task::Task;
use super::{LoopPolicy, this_thread};

/// A loop, as seen from any thread. `Clone`, `Send` and `Sync`; it keeps nothing running.
///
/// What is handed to a thread's own loop runs while a fragment runs there, or, for an [`EventLoop`](super::EventLoop), in
/// its next run; what is still unfinished when the outermost fragment ends is cancelled, as is what was spawned there.
/// What is handed to the shared loop runs always. What is handed to a closed loop is refused: the task says so.
///
/// ```
/// use dewar::bridge::{self, LoopHandle};
///
/// let handle = LoopHandle::shared();
/// let task = handle.spawn(async { 6 * 7 }); // from any thread
/// assert_eq!(task.join()?, 42);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
#[derive(Clone)]
pub struct LoopHandle(pub(crate) Which);

#[derive(Clone)]
pub(crate) enum Which {
    Local(Arc<Far>),
    Shared(LoopPolicy),
}

impl LoopHandle {
    /// The shared loop, or the process's tokio runtime, by the backend of the policy at this point.
    pub fn shared() -> LoopHandle {
        LoopHandle(Which::Shared(LoopPolicy::current()))
    }

    /// The loop of the fragment that runs on this thread; in a task of the shared loop, that one; `None` where no loop
    /// runs. `asyncio.get_running_loop`.
    pub fn current() -> Option<LoopHandle> {
        if this_thread::is_shared_loop() {
            return Some(LoopHandle::shared());
        }
        let local = this_thread::local_loop()?;
        Some(LoopHandle(Which::Local(Arc::clone(local.far()))))
    }

    /// Runs `future` there. `asyncio.run_coroutine_threadsafe`.
    ///
    /// ```
    /// use dewar::bridge::{self, LoopHandle};
    /// use std::thread;
    ///
    /// let sum = bridge::block_on(async {
    ///     let here = LoopHandle::current().unwrap();
    ///     // another thread has something done on our loop, and blocks until it is
    ///     let other = bridge::unblock(move || here.spawn(async { 1 + 1 }).join());
    ///     other.await
    /// })???;
    /// assert_eq!(sum, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.task(None, Location::caller(), future)
    }

    fn task<F>(&self, name: Option<Arc<str>>, at: &'static Location<'static>, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        match &self.0 {
            Which::Local(far) => spawn::far_away(far, name, at, Plain { future }),
            Which::Shared(policy) => super::with_policy(*policy, || spawn::shared(name, at, Plain { future })),
        }
    }

    /// Calls `f` there, as soon as it is its turn; in the order of such calls, unless it is the shared loop and that has
    /// several threads. It must not block.
    /// `loop.call_soon` and `call_soon_threadsafe` in one.
    ///
    /// ```
    /// use dewar::bridge::LoopHandle;
    /// use std::sync::mpsc;
    ///
    /// let (send, called) = mpsc::channel();
    /// LoopHandle::shared().call_soon(move || send.send("called").unwrap());
    /// assert_eq!(called.recv()?, "called");
    /// # Ok::<(), mpsc::RecvError>(())
    /// ```
    #[track_caller]
    pub fn call_soon(&self, f: impl FnOnce() + Send + 'static) -> CallHandle {
        CallHandle(self.task(None, Location::caller(), async move { f() }))
    }

    /// As [`call_soon`](LoopHandle::call_soon), when `delay` has passed. `loop.call_later`.
    ///
    /// ```
    /// use dewar::bridge::LoopHandle;
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let (send, called) = mpsc::channel();
    /// let never = LoopHandle::shared().call_later(Duration::from_secs(60), || panic!("cancelled in time"));
    /// LoopHandle::shared().call_later(Duration::from_millis(1), move || send.send("called").unwrap());
    /// never.cancel();
    /// assert_eq!(called.recv()?, "called");
    /// # Ok::<(), mpsc::RecvError>(())
    /// ```
    #[track_caller]
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + Send + 'static) -> CallHandle {
        let sleep = super::sleep(delay);
        CallHandle(self.task(None, Location::caller(), async move {
            sleep.await;
            f();
        }))
    }

    /// As [`call_soon`](LoopHandle::call_soon), at `when`; at once if that is past. `loop.call_at`.
    ///
    /// ```
    /// use dewar::bridge::LoopHandle;
    /// use std::sync::mpsc;
    /// use std::time::{Duration, Instant};
    ///
    /// let (send, called) = mpsc::channel();
    /// let when = Instant::now() + Duration::from_millis(1);
    /// LoopHandle::shared().call_at(when, move || send.send(Instant::now()).unwrap());
    /// assert!(called.recv()? >= when);
    /// # Ok::<(), mpsc::RecvError>(())
    /// ```
    #[track_caller]
    pub fn call_at(&self, when: Instant, f: impl FnOnce() + Send + 'static) -> CallHandle {
        CallHandle(self.task(None, Location::caller(), async move {
            sleep_until(when).await;
            f();
        }))
    }

    /// Ends the [`run_forever`](super::EventLoop::run_forever) of the loop, if one is running. `loop.stop`. Fragments and
    /// the shared loop take no notice.
    pub fn stop(&self) {
        if let Which::Local(far) = &self.0 {
            far.stop.store(true, Ordering::Release);
            far.on_stop.wake();
        }
    }

    /// Whether nothing will run there any more, because the loop was closed or its thread has ended.
    pub fn is_closed(&self) -> bool {
        match &self.0 {
            Which::Local(far) => far.is_closed(),
            Which::Shared(_) => false,
        }
    }
}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Which::Local(far) => write!(f, "LoopHandle(the loop of the thread `{}`)", far.thread),
            Which::Shared(policy) => write!(f, "LoopHandle(the shared loop, {:?})", policy.backend),
        }
    }
}

/// A call that a loop was asked for. Dropping it changes nothing. asyncio's `Handle` and `TimerHandle`.
#[derive(Debug)]
pub struct CallHandle(Task<()>);

impl CallHandle {
    /// Takes the call back, if it has not begun.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether it was taken back.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Whether it has been called, or never will be.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}
