//! What a thread carries for the code that runs on it: the context of a request, as a rule.
//!
//! This is the only thread-local of the crate that holds something of its user's. The bridge knows
//! nothing about what is inside: a [`Luggage`] is opaque. It goes along wherever the bridge takes code
//! to: into every spawned task, onto whichever thread polls it, into [`unblock`](super::unblock()),
//! [`compute`](super::compute()) and [`own_thread`](super::own_thread); and it is taken off again
//! after every poll, so that a thread that polls many requests' tasks never mixes them up.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use super::context_var::Vars;
use super::counters::{self, Count};
use crate::quiet::quietly;

/// What is carried: shared, opaque, for its owner to downcast.
pub type Luggage = Arc<dyn Any + Send + Sync>;

/// All that goes along: the luggage, and the values of `ContextVar`s.
#[derive(Clone, Default)]
struct Carried {
    luggage: Option<Luggage>,
    vars: Vars,
}

thread_local! {
    static CARRIED: RefCell<Carried> = const { RefCell::new(Carried { luggage: None, vars: None }) };
}

/// Puts `carried` in place and returns what was there. The old value is handed out, never dropped in
/// here: its destructor may read the luggage.
///
/// On a thread whose thread-locals are already gone there is nothing to carry and nothing to restore.
#[inline]
fn replace(carried: Carried) -> Carried {
    change(|here| std::mem::replace(here, carried)).unwrap_or_default()
}

fn change<R>(f: impl FnOnce(&mut Carried) -> R) -> Option<R> {
    CARRIED
        .try_with(|here| {
            let mut here = here
                .try_borrow_mut()
                .expect("the luggage cannot be changed inside `luggage::with`: use `luggage::current` there");
            f(&mut here)
        })
        .ok()
}

/// The values of `ContextVar`s on this thread.
pub(crate) fn with_vars<R: Default>(f: impl FnOnce(&Vars) -> R) -> R {
    CARRIED.try_with(|here| here.try_borrow().map(|here| f(&here.vars)).unwrap_or_default()).unwrap_or_default()
}

/// Puts others in place, and hands out what was there.
pub(crate) fn replace_vars(vars: Vars) -> Vars {
    change(|here| std::mem::replace(&mut here.vars, vars)).unwrap_or_default()
}

/// The luggage of this thread, if there is any. Clones the `Arc`; [`with`] does not.
///
/// ```
/// use dewar::bridge::luggage;
/// use std::sync::Arc;
///
/// assert!(luggage::current().is_none());
/// let _packed = luggage::pack(Some(Arc::new("request 7")));
/// let current = luggage::current().unwrap();
/// assert_eq!(current.downcast_ref::<&str>(), Some(&"request 7"));
/// ```
pub fn current() -> Option<Luggage> {
    with(|luggage| luggage.cloned())
}

/// Reads the luggage of this thread without touching its reference count.
///
/// # Panics
///
/// If `f` packs other luggage or polls a future made by [`carry`]: the luggage is lent to `f`
/// meanwhile. Use [`current`] for that.
///
/// ```
/// use dewar::bridge::luggage;
///
/// let is_empty = luggage::with(|luggage| luggage.is_none());
/// assert!(is_empty);
/// ```
pub fn with<R>(f: impl FnOnce(Option<&Luggage>) -> R) -> R {
    // `f` runs exactly once, and a closure given to `try_with` may not run at all: hence the Option.
    let mut f = Some(f);
    let read = CARRIED.try_with(|here| f.take().map(|f| f(here.borrow().luggage.as_ref())));
    match (read, f) {
        (Ok(Some(result)), _) => result,
        (_, Some(f)) => f(None), // the thread is ending: no luggage any more
        _ => unreachable!("taken only where it is called"),
    }
}

/// Makes `luggage` the luggage of this thread until the guard is dropped; then what was there before
/// is back. [`ContextVar`](super::ContextVar)s have no values at first, and have their former ones afterwards. Guards are to be dropped in the reverse order of their making, as `let`-bound ones are.
///
/// ```
/// use dewar::bridge::luggage;
/// use std::sync::Arc;
///
/// let outer = luggage::pack(Some(Arc::new(1_u8)));
/// {
///     let _inner = luggage::pack(None);
///     assert!(luggage::current().is_none());
/// }
/// assert!(luggage::current().unwrap().is::<u8>());
/// drop(outer);
/// assert!(luggage::current().is_none());
/// ```
pub fn pack(luggage: Option<Luggage>) -> Packed {
    let before = replace(Carried { luggage, vars: None });
    counters::add(Count::Pushed);
    Packed { before, _on_this_thread: PhantomData }
}

/// The guard of [`pack`]: brings back what was there before. Bound to its thread.
///
/// ```compile_fail
/// let packed = dewar::bridge::luggage::pack(None);
/// std::thread::spawn(move || drop(packed)); // it belongs to the thread that packed
/// ```
#[must_use = "the luggage is taken off again when the guard is dropped"]
pub struct Packed {
    before: Carried,
    /// A raw pointer is neither `Send` nor `Sync`.
    _on_this_thread: PhantomData<*const ()>,
}

impl Drop for Packed {
    fn drop(&mut self) {
        counters::sub(Count::Pushed);
        // What was packed is dropped when its predecessor is in place.
        let packed = replace(std::mem::take(&mut self.before));
        if thread::panicking() {
            quietly(|| drop(packed)); // a second panic would end the process
        } else {
            drop(packed);
        }
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed").field("before", &self.before.luggage.is_some()).finish()
    }
}

/// The number of [`Packed`] guards alive in the whole process: zero when nothing is being handled. For
/// leak checks.
///
/// ```
/// use dewar::bridge::luggage;
///
/// let _packed = luggage::pack(None);
/// assert!(luggage::pushed() >= 1);
/// ```
pub fn pushed() -> usize {
    // The gauges of threads that packed less than others dropped cannot go negative (a guard stays on
    // its thread), so the sum fits.
    counters::sum(Count::Pushed) as usize
}

/// Wraps `future` so that the luggage of this moment is in place whenever it is polled and when it is
/// dropped, on whichever thread that happens; before and after, the thread has its own.
///
/// Spawned tasks do this by themselves; this is for futures that are handed to another executor.
///
/// ```
/// use dewar::bridge::{self, luggage};
/// use std::sync::Arc;
///
/// let packed = luggage::pack(Some(Arc::new("request 7")));
/// let future = luggage::carry(async { luggage::current().is_some() });
/// drop(packed);
/// assert!(luggage::current().is_none());
/// assert!(bridge::block_on(future)?);
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Carry {
        bag: Bag::packed_now(),
        // Boxed, so that it can be dropped early, under its luggage, without `unsafe`.
        future: Some(Box::pin(future)),
    }
}

struct Carry<F> {
    bag: Bag,
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Carry<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Carry { bag, future } = &mut *self;
        let future = future.as_mut().expect("only `drop` takes the future");
        bag.hold(|| future.as_mut().poll(cx))
    }
}

impl<F> Drop for Carry<F> {
    fn drop(&mut self) {
        let future = self.future.take();
        self.bag.hold(|| drop(future));
    }
}

/// Luggage set down beside the code that it belongs to, between two polls.
pub(crate) struct Bag(Carried);

impl Bag {
    pub(crate) fn packed_now() -> Bag {
        Bag(CARRIED.try_with(|here| here.borrow().clone()).unwrap_or_default())
    }

    /// Whether the thread has just this.
    #[inline]
    fn is_in_place(&self) -> bool {
        fn address<T: ?Sized>(value: &Option<Arc<T>>) -> Option<*const ()> {
            value.as_ref().map(|value| Arc::as_ptr(value).cast())
        }
        let same = CARRIED.try_with(|here| {
            let here = here.borrow();
            address(&here.luggage) == address(&self.0.luggage) && address(&here.vars) == address(&self.0.vars)
        });
        same.unwrap_or(true)
    }

    /// Runs `f` with this luggage in place, and takes back what `f` made of it. Swaps instead of cloning: a poll costs no
    /// reference count; and most often there is nothing to swap, since a request's tasks run on its own thread.
    #[inline]
    pub(crate) fn hold<R>(&mut self, f: impl FnOnce() -> R) -> R {
        /// Puts things back also if `f` panics.
        struct PutBack<'a> {
            bag: &'a mut Bag,
            /// `None`: the same as in the bag.
            threads_own: Option<Carried>,
        }
        impl Drop for PutBack<'_> {
            #[inline]
            fn drop(&mut self) {
                match self.threads_own.take() {
                    Some(own) => self.bag.0 = replace(own),
                    None if self.bag.is_in_place() => {}
                    None => {
                        let own = self.bag.0.clone();
                        self.bag.0 = replace(own);
                    }
                }
            }
        }
        let threads_own = (!self.is_in_place()).then(|| replace(std::mem::take(&mut self.0)));
        let _put_back = PutBack { bag: self, threads_own };
        f()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.luggage.is_none() && self.0.vars.is_none()
    }

    /// Lets go of the luggage.
    pub(crate) fn empty(&mut self) {
        drop(std::mem::take(&mut self.0));
    }
}
