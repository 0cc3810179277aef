//! `block_on`: the door between blocking code and async code.

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use super::bell::{Bell, BellPull};
use super::counters::{self, Count};
use super::error::BridgeError;
use super::local_loop::LocalLoop;
use super::luggage;
use super::policy::{LoopPolicy, Scope};
use super::this_thread::{self, Running, ThisThread};

/// Runs an async fragment to its end on this thread and returns its result. `asyncio.run`.
///
/// The fragment may borrow from the calling function and need not be `Send`, whatever the policy: it is
/// polled on this thread, which sleeps while there is nothing to do. If it is ready at once, no loop is
/// made. What it [`spawn`](super::spawn)ed and did not await is cancelled when it ends, with a warning.
///
/// ```
/// use dewar::bridge;
///
/// let name = String::from("Dewar");
/// let length = bridge::block_on(async {
///     bridge::yield_now().await;
///     name.len() // borrowed
/// })?;
/// assert_eq!(length, 5);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Errors
///
/// [`BridgeError::Nested`] if a fragment is running on this thread already (one on another executor's
/// loop is not seen). A third-party `block_on` inside of a fragment works; it blocks the fragment
/// meanwhile, and must not wait for a task that the fragment spawned.
///
/// # Panics
///
/// If the future does; its tasks are cancelled nevertheless.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> Result<F::Output, BridgeError> {
    drive(LoopPolicy::current(), Location::caller(), future)
}

/// As [`block_on`], with a policy for this fragment.
///
/// ```
/// use dewar::bridge::{self, LoopPolicy};
///
/// let loops = bridge::stats().loops_created;
/// bridge::block_on_with(LoopPolicy::per_request(), async {})?;
/// assert!(bridge::stats().loops_created > loops);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Errors
///
/// As [`block_on`].
#[track_caller]
pub fn block_on_with<F: Future>(policy: LoopPolicy, future: F) -> Result<F::Output, BridgeError> {
    drive(policy, Location::caller(), future)
}

/// As [`block_on`], for a fragment that fails with [`Error`](crate::Error), as handlers do: one `?` for both its own
/// error and the bridge's.
///
/// ```
/// use dewar::{Result, bridge};
///
/// fn handler() -> Result<i64> {
///     let n: i64 = bridge::run(async {
///         bridge::yield_now().await;
///         Ok("42".parse()?)
///     })?;
///     Ok(n)
/// }
/// assert_eq!(handler().unwrap(), 42);
/// ```
///
/// # Errors
///
/// The fragment's own, and those of [`block_on`].
#[track_caller]
pub fn run<T>(fragment: impl Future<Output = crate::error::Result<T>>) -> crate::error::Result<T> {
    drive(LoopPolicy::current(), Location::caller(), fragment)?
}

/// Runs an async fragment on a fresh thread with a fresh loop, waits for it and returns its result: what
/// Flask does for each `async def` view. The only way to start a fragment where one is running already.
///
/// `make` crosses to the thread, the future that it makes does not: it may borrow and need not be `Send`.
/// The luggage of this thread goes along.
///
/// ```
/// use dewar::bridge;
/// use std::rc::Rc;
///
/// let names = vec!["a", "b"];
/// let count = bridge::block_on(async {
///     // blocking code, deep inside of async code
///     bridge::own_thread(async || {
///         let not_send = Rc::new(names.len());
///         bridge::yield_now().await;
///         *not_send
///     })
/// })??;
/// assert_eq!(count, 2);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Errors
///
/// [`BridgeError::Thread`] if the operating system refuses a thread.
///
/// # Panics
///
/// If `make` or its future panics, with the same payload.
#[track_caller]
pub fn own_thread<T: Send>(make: impl AsyncFnOnce() -> T + Send) -> Result<T, BridgeError> {
    let here = Location::caller();
    let luggage = luggage::current();
    thread::scope(|scope| {
        let running = thread::Builder::new()
            .name("dewar-own-thread".into())
            .spawn_scoped(scope, || {
                counters::add(Count::OwnThreads);
                let _packed = luggage::pack(luggage);
                drive(LoopPolicy::per_request(), here, make())
            })
            .map_err(BridgeError::Thread)?;
        running.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn drive<F: Future>(policy: LoopPolicy, here: &'static Location<'static>, future: F) -> Result<F::Output, BridgeError> {
    this_thread::with(|this| {
        if let Running::Fragment(outer) | Running::SharedTask(outer) = this.running.get() {
            return Err(BridgeError::Nested { outer, inner: here });
        }
        let fragment = Fragment::begin(this, policy, here);
        // Declared after the fragment and so dropped before it ends, also when it panics: what the future
        // does in its destructors is still part of it.
        let future = pin!(future);
        Ok(fragment.drive(future))
    })
}

/// An outermost fragment, from its beginning to its end. Ends when dropped.
struct Fragment<'a> {
    this: &'a ThisThread,
    here: &'static Location<'static>,
    /// `None` only while it is dropped.
    pull: Option<BellPull>,
    /// Under `PerRequest`: the thread's own loop (or that there is none), laid aside for the fresh one.
    laid_aside: Option<Option<Rc<LocalLoop>>>,
}

impl<'a> Fragment<'a> {
    /// To be called only where nothing is running.
    #[inline]
    fn begin(this: &'a ThisThread, policy: LoopPolicy, here: &'static Location<'static>) -> Fragment<'a> {
        this.running.set(Running::Fragment(here));
        counters::add(Count::Fragments);
        let pull = this.pull.take().unwrap_or_else(BellPull::new);
        // The last fragment may have been woken while it ended.
        pull.bell.answer();
        let laid_aside = match policy.scope {
            // Made whether it will be needed or not: that is what this scope is there to show.
            Scope::PerRequest => Some(this.local.replace(Some(Rc::new(LocalLoop::new())))),
            Scope::PerThread | Scope::Shared => None,
        };
        Fragment { this, here, pull: Some(pull), laid_aside }
    }

    /// Polls the root until it is ready. Polled only when it was woken, not at the wakes of its tasks.
    fn drive<F: Future>(&self, mut root: Pin<&mut F>) -> F::Output {
        let pull = self.pull.as_ref().expect("taken only by `drop`");
        let mut cx = Context::from_waker(&pull.waker);
        loop {
            counters::add(Count::Polls);
            {
                let _drive = self.this.drive(&pull.waker);
                if let Poll::Ready(value) = root.as_mut().poll(&mut cx) {
                    return value;
                }
            }
            self.wait(&pull.bell);
        }
    }

    /// Runs tasks and timers, and sleeps, until the root's bell is rung. They have a turn also when it is
    /// rung already: a root that wakes itself starves nobody.
    fn wait(&self, bell: &Bell) {
        loop {
            // Looked up each time: any poll may have made it.
            let local = self.this.local.borrow().clone();
            if let Some(local) = &local {
                local.turn();
            }
            if bell.answer() {
                return;
            }
            // From here to the park nobody else's code runs, so no token of `unpark` can get lost: a wake
            // that comes after the looks at the bells ends the park at once.
            match &local {
                Some(local) if local.is_rung() => {}
                Some(local) => match local.first_deadline() {
                    Some(deadline) => {
                        let rest = deadline.saturating_duration_since(Instant::now());
                        if !rest.is_zero() {
                            thread::park_timeout(rest);
                        }
                    }
                    None => thread::park(),
                },
                None => thread::park(),
            }
        }
    }
}

impl Drop for Fragment<'_> {
    #[inline]
    fn drop(&mut self) {
        // `running` stays set meanwhile: destructors of tasks must not start another fragment, and what
        // they spawn is swept too.
        if self.this.local.borrow().is_some() {
            self.end_loop();
        }
        if let Some(pull) = self.pull.take()
            && !pull.is_shared()
        {
            self.this.pull.set(Some(pull));
        }
        self.this.running.set(Running::Nothing);
        self.this.keep_until_thread_ends();
    }
}

impl Fragment<'_> {
    fn end_loop(&mut self) {
        let local = self.this.local.borrow().clone();
        if let Some(local) = local {
            // Tasks' panics are caught where they are dropped. This is for a logger that panics: the
            // thread must be usable afterwards, and this may be an unwinding already.
            let _ = catch_unwind(AssertUnwindSafe(|| local.sweep(self.here)));
        }
        if let Some(own) = self.laid_aside.take() {
            drop(self.this.local.replace(own));
        }
    }
}
