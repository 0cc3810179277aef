//! `block_on`: the door between blocking code and async code.

use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::thread;
use std::time::Instant;

use super::bell::BellPull;
use super::counters::{self, Count};
use super::course::{self, Course, Step};
use super::debug;
use super::error::BridgeError;
use super::leash::Leash;
use super::local_loop::LocalLoop;
use super::luggage::Bag;
use super::policy::{Backend, LoopPolicy, Scope};
use super::shared_loop;
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
/// meanwhile, and must not wait for a task that the fragment spawned. [`BridgeError::Cancelled`] where
/// the thread is on a [`Leash`](super::Leash) that was pulled. With tokio, [`BridgeError::Runtime`] and
/// [`BridgeError::InsideTokio`].
///
/// # Panics
///
/// If the future does; its tasks are cancelled nevertheless.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> Result<F::Output, BridgeError> {
    drive(LoopPolicy::current(), Location::caller(), future)
}

/// As [`block_on`], with a policy for this fragment, and for what it hands to the shared loop.
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
    let here = Location::caller();
    // What it spawns on the shared loop is to find the same backend.
    super::with_policy(policy, || drive(policy, here, future))
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
    let mut bag = Bag::packed_now();
    let outer = LoopPolicy::current();
    let policy = LoopPolicy { scope: Scope::PerRequest, ..outer };
    // This thread waits for the other one, so what ends its fragments must reach those.
    let leash = this_thread::with(|this| this.leash.borrow().clone());
    thread::scope(|scope| {
        let running = thread::Builder::new()
            .name("dewar-own-thread".into())
            .spawn_scoped(scope, || {
                counters::add(Count::OwnThreads);
                let _held = leash.as_ref().map(Leash::hold);
                bag.hold(|| super::with_policy(outer, || drive(policy, here, make())))
            })
            .map_err(BridgeError::Thread)?;
        running.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn drive<F: Future>(policy: LoopPolicy, here: &'static Location<'static>, future: F) -> Result<F::Output, BridgeError> {
    this_thread::with(|this| {
        if let Some(outer) = this.running.get().place() {
            return Err(BridgeError::Nested { outer, inner: here });
        }
        if policy.debug {
            debug::look_for_a_foreign_loop(here);
        }
        match policy.backend {
            Backend::Futures => {
                let own = match policy.scope {
                    // Made whether it will be needed or not: that is what this scope is there to show.
                    Scope::PerRequest => Some(Rc::new(LocalLoop::new(None))),
                    Scope::PerThread => None,
                    Scope::Shared { threads } => {
                        shared_loop::at_least(threads);
                        None
                    }
                };
                Fragment::begin(this, policy, here, own).run(future, true)
            }
            #[cfg(feature = "tokio")]
            Backend::Tokio => super::tokio_loop::drive(this, policy, here, future),
        }
    })
}

/// As [`block_on`], on a loop that is given, and whose tasks stay when the fragment ends.
pub(crate) fn drive_on<F: Future>(
    own: Rc<LocalLoop>,
    policy: LoopPolicy,
    here: &'static Location<'static>,
    future: F,
) -> Result<F::Output, BridgeError> {
    this_thread::with(|this| match this.running.get().place() {
        Some(outer) => Err(BridgeError::Nested { outer, inner: here }),
        None => Fragment::begin(this, policy, here, Some(own)).run(future, false),
    })
}

/// Ends a loop's tasks, as if a fragment ran there: what their destructors do must not start another one.
pub(crate) fn close(local: &Rc<LocalLoop>, here: &'static Location<'static>) -> Result<(), BridgeError> {
    this_thread::with(|this| {
        if let Some(outer) = this.running.get().place() {
            return Err(BridgeError::Nested { outer, inner: here });
        }
        let _fragment = Fragment::begin(this, LoopPolicy::per_thread(), here, Some(Rc::clone(local)));
        local.close();
        Ok(())
    })
}

/// An outermost fragment, from its beginning to its end. Ends when dropped.
pub(crate) struct Fragment<'a> {
    pub(crate) this: &'a ThisThread,
    pub(crate) here: &'static Location<'static>,
    /// `None` only while it is dropped.
    pull: Option<BellPull>,
    /// Where another loop is used: the thread's own (or that there is none), laid aside meanwhile.
    laid_aside: Option<Option<Rc<LocalLoop>>>,
}

impl<'a> Fragment<'a> {
    /// To be called only where nothing is running. `own`: the loop to use instead of the thread's.
    #[inline]
    pub(crate) fn begin(
        this: &'a ThisThread,
        policy: LoopPolicy,
        here: &'static Location<'static>,
        own: Option<Rc<LocalLoop>>,
    ) -> Fragment<'a> {
        this.running.set(Running::Fragment(here));
        this.is_debug.set(policy.debug);
        counters::add_fragment();
        let pull = this.pull.take().unwrap_or_else(|| this.new_pull());
        // The last fragment may have been woken while it ended.
        pull.bell.answer();
        let laid_aside = own.map(|own| this.local.replace(Some(own)));
        Fragment { this, here, pull: Some(pull), laid_aside }
    }

    /// Runs `root` to its end, with the thread parked while there is nothing to do; `is_outermost`: what it left on the
    /// loop ends with it.
    #[inline]
    pub(crate) fn run<F: Future>(self, root: F, is_outermost: bool) -> Result<F::Output, BridgeError> {
        // Dropped before the fragment ends, also when it panics: what the future does in its destructors is still part
        // of it.
        let mut root = pin!(Some(root));
        let pull = self.pull.as_ref().expect("taken only by `drop`");
        let first = course::poll(self.this, pull, self.here, root.as_mut());
        if let course::Polled::Ended(course::End::Value(value)) = first {
            // The short way, of a future that was ready and left nothing behind.
            if !is_outermost || self.this.local.borrow().as_ref().is_none_or(|local| local.is_at_rest()) {
                return Ok(value);
            }
            return self.go_on(root, Some(course::End::Value(value)), is_outermost);
        }
        self.go_on(root, first.into_end(), is_outermost)
    }

    #[inline(never)]
    fn go_on<F: Future>(
        &self,
        root: Pin<&mut Option<F>>,
        end: Option<course::End<F::Output>>,
        is_outermost: bool,
    ) -> Result<F::Output, BridgeError> {
        let pull = self.pull.as_ref().expect("taken only by `drop`");
        let mut course = Course::new(self.this, pull, self.here, root, end, is_outermost);
        loop {
            match course.step() {
                Step::Done => return course.finish(),
                Step::Again => {}
                // Between the look at the bells and the park nobody else's code runs, so no token of `unpark` can get
                // lost: a wake that comes after that look ends the park at once.
                Step::Idle(None) => thread::park(),
                Step::Idle(Some(deadline)) => {
                    let rest = deadline.saturating_duration_since(Instant::now());
                    if !rest.is_zero() {
                        thread::park_timeout(rest);
                    }
                }
            }
        }
    }
}

impl Drop for Fragment<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(own) = self.laid_aside.take() {
            self.this.local.replace(own);
        }
        if let Some(pull) = self.pull.take()
            && !pull.is_shared()
        {
            self.this.pull.set(Some(pull));
        }
        self.this.is_debug.set(false);
        self.this.running.set(Running::Nothing);
        self.this.keep_until_thread_ends();
    }
}
