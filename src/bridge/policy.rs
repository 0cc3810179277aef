//! Where the tasks of a fragment run, and how long that place lives.

use std::sync::atomic::{AtomicU8, Ordering};

use super::this_thread;

/// Where the event loop of a fragment lives. The fragment itself is polled on the calling thread in
/// every scope: it may borrow, and need not be `Send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Scope {
    /// A fresh loop for every outermost fragment, made when it begins and dropped when it ends, whether
    /// it was needed or not: what `asyncio.run` in each view does, at the price of that.
    /// [`own_thread`](super::own_thread) adds the fresh thread that Flask's `async def` views cost.
    PerRequest,
    /// One loop per thread, made when the thread first spawns or sleeps, and used by every later
    /// fragment. Its tasks end with the outermost fragment. The default.
    #[default]
    PerThread,
    /// As `PerThread` for what [`spawn`](super::spawn) leaves on the thread, which need not be `Send`,
    /// and for the fragment's own timers; said by an app whose fragments put their tasks on the
    /// background loop by [`spawn_shared`](super::spawn_shared), which works in every scope.
    Shared,
}

/// How fragments are run.
///
/// ```
/// use dewar::bridge::{self, LoopPolicy, Scope};
///
/// let answer = bridge::block_on_with(LoopPolicy::per_request(), async { 6 * 7 })?;
/// assert_eq!(answer, 42);
/// assert_eq!(LoopPolicy::default().scope, Scope::PerThread);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct LoopPolicy {
    /// Where the loop lives.
    pub scope: Scope,
}

impl LoopPolicy {
    /// A fresh loop for every fragment: [`Scope::PerRequest`].
    pub const fn per_request() -> LoopPolicy {
        LoopPolicy { scope: Scope::PerRequest }
    }

    /// One loop per thread: [`Scope::PerThread`], the default.
    pub const fn per_thread() -> LoopPolicy {
        LoopPolicy { scope: Scope::PerThread }
    }

    /// Tasks on background threads: [`Scope::Shared`].
    pub const fn shared() -> LoopPolicy {
        LoopPolicy { scope: Scope::Shared }
    }

    /// The policy of fragments that begin here: [`with_policy`]'s on this thread, or else the
    /// process-wide default.
    pub fn current() -> LoopPolicy {
        this_thread::policy().unwrap_or_else(default_policy)
    }
}

/// The process-wide default, as an index of `SCOPES`. `Relaxed` will do: it guards nothing but itself.
static DEFAULT: AtomicU8 = AtomicU8::new(1);
const SCOPES: [Scope; 3] = [Scope::PerRequest, Scope::PerThread, Scope::Shared];

/// Sets the policy of every fragment that is begun by [`block_on`](super::block_on) on a thread without
/// one of its own ([`with_policy`]). Takes effect from the next fragment on.
///
/// ```
/// use dewar::bridge::{self, LoopPolicy};
///
/// bridge::set_default_policy(LoopPolicy::per_request());
/// assert_eq!(LoopPolicy::current(), LoopPolicy::per_request());
/// ```
pub fn set_default_policy(policy: LoopPolicy) {
    let index = match policy.scope {
        Scope::PerRequest => 0,
        Scope::PerThread => 1,
        Scope::Shared => 2,
    };
    DEFAULT.store(index, Ordering::Relaxed);
}

fn default_policy() -> LoopPolicy {
    LoopPolicy { scope: SCOPES[usize::from(DEFAULT.load(Ordering::Relaxed))] }
}

/// Runs `f` with `policy` for the fragments that it begins on this thread; afterwards, also after a
/// panic, the thread has its former policy.
///
/// ```
/// use dewar::bridge::{self, LoopPolicy};
///
/// bridge::with_policy(LoopPolicy::per_request(), || {
///     assert_eq!(LoopPolicy::current(), LoopPolicy::per_request());
/// });
/// assert_eq!(LoopPolicy::current(), LoopPolicy::per_thread());
/// ```
pub fn with_policy<R>(policy: LoopPolicy, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<LoopPolicy>);
    impl Drop for Restore {
        fn drop(&mut self) {
            this_thread::set_policy(self.0);
        }
    }
    let _restore = Restore(this_thread::set_policy(Some(policy)));
    f()
}
