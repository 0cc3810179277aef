//! Where the tasks of a fragment run, on what, and how long that place lives.

use std::sync::atomic::{AtomicU32, Ordering};

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
    /// fragment. Its tasks end with the outermost fragment. The default with [`Backend::Futures`].
    #[default]
    PerThread,
    /// As `PerThread` for what [`spawn`](super::spawn) leaves on the thread, which need not be `Send`,
    /// and for the fragment's own timers; said by an app whose fragments put their tasks on the
    /// background loop by [`spawn_shared`](super::spawn_shared), which works in every scope. With
    /// `Backend::Tokio` the fragment sees the one runtime of the process, whose sockets and pools outlive
    /// it: the default there.
    Shared {
        /// How many threads the background loop has at least; 0 says nothing about it. It is made with
        /// one, or [`set_shared_threads`](super::set_shared_threads), and never has fewer afterwards.
        threads: u16,
    },
}

/// What drives the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Backend {
    /// The bridge's own loop. Sockets are async-io's, or any library's that brings its own reactor.
    #[default]
    Futures,
    /// A tokio runtime, for what needs one: reqwest, sqlx, tonic. (Cargo feature `tokio`.)
    ///
    /// In [`Scope::Shared`] that is the one of the process: clients and pools can be kept in statics and used by all
    /// threads, in anybody's tokio program too. In the other scopes it is one of the fragment's or the thread's own, which
    /// is refused where a runtime is driven already ([`BridgeError::InsideTokio`](super::BridgeError::InsideTokio)), and
    /// what was made on it is bound to it:
    ///
    /// - `PerRequest`: a socket that is kept and used later fails with tokio's "A Tokio 1.x context was found, but it is
    ///   being shutdown". A client with a pool (reqwest) finds its connections closed, and makes them anew in each fragment.
    /// - `PerThread`: a connection gets on only while a fragment runs on the thread that made it. A client that several
    ///   threads share waits, without an error, for a thread that does nothing.
    ///
    /// Blocking inside of a fragment: a `block_on` of any executor works; tokio's own (`Handle::block_on`) and
    /// `reqwest::blocking` do where the thread drives no runtime, in fragments of `Scope::Shared`. In the other scopes and
    /// in tasks of the process's runtime they panic: "Cannot start a runtime from within a runtime", "Cannot drop a runtime
    /// in a context where blocking is not allowed". [`unblock`](super::unblock()) is the place for them.
    #[cfg(feature = "tokio")]
    Tokio,
}

/// How fragments are run: scope, backend, and whether they are watched.
///
/// Set for the process ([`set_default_policy`]), an app or a route (`loop_policy`), a part of a thread's
/// work ([`with_policy`]), or a single call ([`block_on_with`](super::block_on_with)). asyncio's event loop policy.
///
/// ```
/// use dewar::bridge::{self, Backend, LoopPolicy, Scope};
///
/// let answer = bridge::block_on_with(LoopPolicy::per_request().debug(true), async { 6 * 7 })?;
/// assert_eq!(answer, 42);
/// assert_eq!(LoopPolicy::default().scope, Scope::PerThread);
/// assert_eq!(LoopPolicy::default().backend, Backend::Futures);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct LoopPolicy {
    /// Where the loop lives.
    pub scope: Scope,
    /// What drives it.
    pub backend: Backend,
    /// Whether polls are timed and watched: one that takes as long as
    /// [`set_slow_poll`](super::set_slow_poll) says is logged with its task's name and place, afterwards
    /// and, if it blocks, while it lasts; and a fragment that is begun inside of another executor's loop
    /// (futures-executor's, which says so) is told of. Times are the watchdog's, a thread that looks ten times in
    /// a slow poll: a poll costs a few nanoseconds more, a fragment some thirty.
    pub debug: bool,
}

impl LoopPolicy {
    const fn of(scope: Scope) -> LoopPolicy {
        LoopPolicy { scope, backend: Backend::Futures, debug: false }
    }

    /// A fresh loop for every fragment: [`Scope::PerRequest`].
    pub const fn per_request() -> LoopPolicy {
        LoopPolicy::of(Scope::PerRequest)
    }

    /// One loop per thread: [`Scope::PerThread`], the default.
    pub const fn per_thread() -> LoopPolicy {
        LoopPolicy::of(Scope::PerThread)
    }

    /// Tasks on background threads: [`Scope::Shared`].
    pub const fn shared() -> LoopPolicy {
        LoopPolicy::of(Scope::Shared { threads: 0 })
    }

    /// The process's tokio runtime: [`Scope::Shared`] on `Backend::Tokio`, where pooled clients outlive the
    /// request that made them. The cure of tokio's panic "there is no reactor running, must be called from the context
    /// of a Tokio 1.x runtime".
    ///
    /// ```
    /// use dewar::bridge::{self, LoopPolicy};
    ///
    /// let done = bridge::block_on_with(LoopPolicy::tokio(), async {
    ///     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    ///     tokio::spawn(async { "on tokio" }).await
    /// })??;
    /// assert_eq!(done, "on tokio");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub const fn tokio() -> LoopPolicy {
        LoopPolicy { scope: Scope::Shared { threads: 0 }, backend: Backend::Tokio, debug: false }
    }

    /// With this backend.
    #[must_use]
    pub const fn backend(mut self, backend: Backend) -> LoopPolicy {
        self.backend = backend;
        self
    }

    /// In [`Scope::Shared`], with at least so many threads in the background.
    #[must_use]
    pub const fn threads(mut self, threads: u16) -> LoopPolicy {
        self.scope = Scope::Shared { threads };
        self
    }

    /// With or without [`debug`](LoopPolicy::debug).
    #[must_use]
    pub const fn debug(mut self, debug: bool) -> LoopPolicy {
        self.debug = debug;
        self
    }

    /// The policy of fragments that begin here: [`with_policy`]'s on this thread, or else the
    /// process-wide default.
    #[inline]
    pub fn current() -> LoopPolicy {
        LoopPolicy::unpack(current())
    }

    /// In four bytes, of which one bit says that there is one: so it is never 0.
    #[inline]
    pub(crate) fn pack(self) -> u32 {
        let (scope, threads) = match self.scope {
            Scope::PerRequest => (0, 0),
            Scope::PerThread => (1, 0),
            Scope::Shared { threads } => (2, u32::from(threads)),
        };
        let backend = match self.backend {
            Backend::Futures => 0,
            #[cfg(feature = "tokio")]
            Backend::Tokio => 1,
        };
        threads << 16 | 1 << 15 | u32::from(self.debug) << 8 | backend << 4 | scope
    }

    #[inline]
    pub(crate) fn unpack(packed: u32) -> LoopPolicy {
        let scope = match packed & 0xf {
            0 => Scope::PerRequest,
            1 => Scope::PerThread,
            _ => Scope::Shared { threads: (packed >> 16) as u16 },
        };
        let backend = match packed >> 4 & 0xf {
            #[cfg(feature = "tokio")]
            1 => Backend::Tokio,
            _ => Backend::Futures,
        };
        LoopPolicy { scope, backend, debug: packed >> 8 & 1 == 1 }
    }
}

/// The process-wide default, packed. `Relaxed` will do: it guards nothing but itself.
static DEFAULT: AtomicU32 = AtomicU32::new(1 << 15 | 1);

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
    DEFAULT.store(policy.pack(), Ordering::Relaxed);
}

/// The policy here, packed.
#[inline]
pub(crate) fn current() -> u32 {
    match this_thread::policy() {
        0 => DEFAULT.load(Ordering::Relaxed),
        set => set,
    }
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
    struct Restore(u32);
    impl Drop for Restore {
        fn drop(&mut self) {
            this_thread::set_policy(self.0);
        }
    }
    let _restore = Restore(this_thread::set_policy(policy.pack()));
    f()
}
