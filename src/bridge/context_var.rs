//! Variables of a context: they follow a fragment into its tasks, and a task keeps its own.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::luggage;

/// What is set in a context: few, so a list; shared, so copied when one is set.
pub(crate) type Vars = Option<Arc<Vec<(usize, Arc<dyn Any + Send + Sync>)>>>;

/// A variable of a context, made as a `static`. `contextvars.ContextVar`.
///
/// A task, a closure of [`unblock`](super::unblock()) or [`compute`](super::compute()), and [`own_thread`](super::own_thread)
/// start with the values of the place where they were spawned, whichever thread they run on; what they set is their own.
/// Each request starts without values, and leaves none behind on its thread.
///
/// ```
/// use dewar::bridge::{self, ContextVar};
///
/// static TENANT: ContextVar<String> = ContextVar::new();
///
/// TENANT.set("acme".into());
/// let task = bridge::spawn_shared(async {
///     let seen = TENANT.get();
///     TENANT.set("other".into()); // the task's own
///     seen
/// });
/// assert_eq!(task.join()?.as_deref(), Some("acme"));
/// assert_eq!(TENANT.get().as_deref(), Some("acme"));
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub struct ContextVar<T> {
    /// Gives each variable an address of its own: its key.
    _place: u8,
    _values: PhantomData<fn() -> T>,
}

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// One without a value.
    #[expect(clippy::new_without_default, reason = "made as a static, where `default` cannot be called")]
    pub const fn new() -> ContextVar<T> {
        ContextVar { _place: 0, _values: PhantomData }
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Its value in this context, cloned.
    pub fn get(&'static self) -> Option<T> {
        let value = luggage::with_vars(|vars| {
            let (_, value) = vars.as_ref()?.iter().find(|(key, _)| *key == self.key())?;
            Some(Arc::clone(value))
        })?;
        // Cloned out here: a `clone` of somebody's may use variables itself.
        value.downcast_ref::<T>().cloned()
    }

    /// Sets it, for what follows in this context: the rest of the request, task or closure. Returns what it was.
    pub fn set(&'static self, value: T) -> Option<T> {
        self.put(Some(Arc::new(value)))
    }

    /// Takes its value away.
    pub fn clear(&'static self) -> Option<T> {
        self.put(None)
    }

    fn put(&'static self, value: Option<Arc<dyn Any + Send + Sync>>) -> Option<T> {
        let before = self.get();
        let mut vars = luggage::with_vars(|vars| vars.as_deref().cloned().unwrap_or_default());
        vars.retain(|(key, _)| *key != self.key());
        if let Some(value) = value {
            vars.push((self.key(), value));
        }
        let old = luggage::replace_vars((!vars.is_empty()).then(|| Arc::new(vars)));
        drop(old);
        before
    }

    /// Calls `f` with the value set; afterwards, also after a panic, it is what it was.
    ///
    /// ```
    /// # use dewar::bridge::ContextVar;
    /// static DEPTH: ContextVar<u32> = ContextVar::new();
    /// assert_eq!(DEPTH.scope(1, || DEPTH.get()), Some(1));
    /// assert_eq!(DEPTH.get(), None);
    /// ```
    pub fn scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        struct Restore<T: Clone + Send + Sync + 'static>(&'static ContextVar<T>, Option<T>);
        impl<T: Clone + Send + Sync + 'static> Drop for Restore<T> {
            fn drop(&mut self) {
                match self.1.take() {
                    Some(value) => self.0.set(value),
                    None => self.0.clear(),
                };
            }
        }
        let _restore = Restore(self, self.set(value));
        f()
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextVar").finish_non_exhaustive()
    }
}
