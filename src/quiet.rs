//! Panics of other people's code, where they must not get out.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Runs code of others where its panic must not get out: in destructors, and between a result and its delivery. `None`
/// when it panicked, of which the panic hook has told.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).map_err(discard_panic).ok()
}

/// Drops what a panic left: that can be anything, also something that panics when it is dropped.
pub(crate) fn discard_panic(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second); // there is no end to that otherwise
    }
}

/// Where a panic came from, which only the panic hook is told.
#[derive(Debug)]
pub(crate) struct PanicSeen {
    /// `file:line:column`.
    pub(crate) place: String,
    pub(crate) backtrace: Backtrace,
}

thread_local! {
    /// Of this thread's last panic, until whoever catches it asks.
    static LAST_PANIC: RefCell<Option<PanicSeen>> = const { RefCell::new(None) };
}

/// From now on panics leave where they came from, for [`panic_seen`]. For debug mode: making a backtrace takes long.
///
/// The hook that was there still runs.
pub(crate) fn watch_panics() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let seen = PanicSeen { place, backtrace: Backtrace::force_capture() };
            // A thread that is ending, or one that panics while it is in here, leaves nothing.
            let _ = LAST_PANIC.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some(seen)));
            before(info);
        }));
    });
}

/// Where this thread's last panic came from, once, if [`watch_panics`] was called before it.
pub(crate) fn panic_seen() -> Option<PanicSeen> {
    LAST_PANIC.try_with(|last| last.try_borrow_mut().ok()?.take()).ok().flatten()
}
