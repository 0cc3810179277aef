//! Panics of other people's code, where they must not get out.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
