//! tokio behind the bridge: one runtime for the process, or one of the thread's own.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures_util::task::AtomicWaker;
use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Sleep;

use super::bell::{BellPull, Sleeper};
use super::course::{Course, Step};
use super::error::BridgeError;
use super::far::Runnable;
use super::fragment::Fragment;
use super::job::{Body, Job};
use super::local_loop::LocalLoop;
use super::policy::{LoopPolicy, Scope};
use super::roll::{self, Home, Roll};
use super::shared_loop;
use super::task::Task;
use super::this_thread::{self, ThisThread};

pub(crate) static ROLL: Roll = Roll::new();

/// Never dropped: sockets and pools that were made on it stay good, and a runtime must not be dropped in async code.
static RUNTIME: OnceCell<Runtime> = OnceCell::new();

fn runtime() -> io::Result<&'static Runtime> {
    RUNTIME.get_or_try_init(|| {
        Builder::new_multi_thread()
            .worker_threads(shared_loop::wanted())
            .thread_name("dewar-tokio")
            .enable_all()
            .build()
    })
}

/// A handle to the process's tokio runtime, the one of [`LoopPolicy::tokio`](super::LoopPolicy::tokio); made if there is
/// none yet. For code that wants to `enter` it outside of a fragment, to make a client or a pool at the program's start.
///
/// ```
/// use dewar::bridge;
///
/// let _in_tokio = bridge::tokio_handle()?;
/// # Ok::<(), dewar::bridge::BridgeError>(())
/// ```
///
/// # Errors
///
/// [`BridgeError::Runtime`] if the operating system refuses what a runtime needs.
pub fn tokio_handle() -> Result<Handle, BridgeError> {
    Ok(runtime().map_err(BridgeError::Runtime)?.handle().clone())
}

/// A fragment on tokio. To be called only where nothing is running.
pub(crate) fn drive<F: Future>(
    this: &ThisThread,
    policy: LoopPolicy,
    here: &'static Location<'static>,
    future: F,
) -> Result<F::Output, BridgeError> {
    if Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed()) {
        // tokio would panic, which in a destructor of a thread-local ends the process.
        return Err(BridgeError::Runtime(io::Error::other("this thread is ending, and tokio's part of it has ended")));
    }
    match policy.scope {
        Scope::Shared { threads } => {
            shared_loop::wish_for(threads);
            let runtime = runtime().map_err(BridgeError::Runtime)?;
            // Entered and parked, not `block_on`: that is refused on threads that drive a runtime already, this works in
            // anybody's tokio program.
            let _entered = runtime.enter();
            Fragment::begin(this, policy, here, None).run(future, true)
        }
        Scope::PerRequest => TokioLocal::new(here)?.run(this, policy, here, future),
        Scope::PerThread => {
            let own = match this.tokio.take() {
                Some(own) => {
                    refuse_inside(here)?;
                    own
                }
                None => TokioLocal::new(here)?,
            };
            /// Puts it back, also when the fragment panics.
            struct PutBack<'a>(&'a ThisThread, Option<TokioLocal>);
            impl Drop for PutBack<'_> {
                fn drop(&mut self) {
                    self.0.tokio.set(self.1.take());
                    self.0.keep_tokio_until_thread_ends();
                }
            }
            let own = PutBack(this, Some(own));
            own.1.as_ref().expect("taken only by `drop`").run(this, policy, here, future)
        }
    }
}

/// A runtime starts on no thread that has one: tokio would panic. (That a runtime was only entered cannot be told from
/// that.)
fn refuse_inside(here: &'static Location<'static>) -> Result<(), BridgeError> {
    if Handle::try_current().is_ok() { Err(BridgeError::InsideTokio { at: here }) } else { Ok(()) }
}

/// Onto the process's runtime.
pub(crate) fn spawn<B>(
    name: Option<Arc<str>>,
    at: &'static Location<'static>,
    is_debug: bool,
    body: B,
) -> Task<B::Output>
where
    B: Body<Output: Send + 'static> + Send + 'static,
{
    let header = roll::enter_shared(&ROLL, Home::Tokio(&ROLL), name, at, is_debug);
    let job = Job::new(Arc::clone(&header), body);
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            pin!(job).refuse(&format!("no tokio runtime: {error}"));
            let nothing = shared_loop::nothing(header.number);
            return Task::new(header, nothing);
        }
    };
    let schedule = move |runnable: Runnable| {
        drop(runtime.spawn(async move { this_thread::run_shared(runnable) }));
    };
    let (runnable, task) = async_task::Builder::new().metadata(header.number).spawn(|_| job, schedule);
    runnable.schedule();
    Task::new(header, task.fallible())
}

/// A current-thread runtime, and a loop of ours that lives in its `block_on`.
pub(crate) struct TokioLocal {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    local: Rc<LocalLoop>,
    /// Whom our bells wake: the future in `block_on`.
    outer: Arc<AtomicWaker>,
}

impl TokioLocal {
    fn new(here: &'static Location<'static>) -> Result<TokioLocal, BridgeError> {
        refuse_inside(here)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(BridgeError::Runtime)?;
        let outer = Arc::new(AtomicWaker::new());
        let local = Rc::new(LocalLoop::new(Some(Sleeper::Outer(Arc::clone(&outer)))));
        Ok(TokioLocal { runtime: Some(runtime), local, outer })
    }

    fn run<F: Future>(
        &self,
        this: &ThisThread,
        policy: LoopPolicy,
        here: &'static Location<'static>,
        future: F,
    ) -> Result<F::Output, BridgeError> {
        let runtime = self.runtime.as_ref().expect("taken only by `drop`");
        let _fragment = Fragment::begin(this, policy, here, Some(Rc::clone(&self.local)));
        let _on_leash = this.leash.borrow().as_ref().map(|leash| leash.also_wakes(&self.outer));
        let pull = BellPull::of(Sleeper::Outer(Arc::clone(&self.outer)));
        // Dropped in the runtime's context, as it was polled there.
        let _entered = runtime.enter();
        let root = pin!(Some(future));
        let mut course = Course::new(this, &pull, here, root, None, true);
        let mut is_begun = false;
        let mut alarm: Option<Pin<Box<Sleep>>> = None;
        runtime.block_on(poll_fn(|cx| {
            // Before anything is looked at: a bell that rings from now on wakes us.
            self.outer.register(cx.waker());
            if !std::mem::replace(&mut is_begun, true) {
                course.begin();
            }
            match course.step() {
                Step::Done => return Poll::Ready(()),
                // Not at once: sockets, timers and tokio's own tasks are to have their turn.
                Step::Again => cx.waker().wake_by_ref(),
                Step::Idle(None) => {}
                Step::Idle(Some(deadline)) => {
                    let deadline = deadline.into();
                    let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
                    if alarm.deadline() != deadline {
                        alarm.as_mut().reset(deadline);
                    }
                    if alarm.as_mut().poll(cx).is_ready() {
                        cx.waker().wake_by_ref();
                    }
                }
            }
            Poll::Pending
        }));
        course.finish()
    }
}

impl Drop for TokioLocal {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        {
            let _entered = runtime.enter();
            self.local.close();
        }
        // Without waiting for `tokio::task::spawn_blocking`, and wherever we are.
        runtime.shutdown_background();
    }
}
