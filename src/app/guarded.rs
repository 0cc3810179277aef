//! User code that may panic, and receivers of signals that may fail.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::ctx::Ctx;
use crate::error::Result;
use crate::quiet::{PanicSeen, discard_panic, panic_seen, quietly};

/// Runs what tells receivers of a signal, at a place where no error can be answered any more.
pub(super) fn told(ctx: &Arc<Ctx>, send: impl FnOnce()) {
    let sent = guarded(|| {
        send();
        Ok(())
    });
    if let Err(error) = sent {
        let request = ctx.request();
        quietly(|| log::error!("a signal's receiver failed on {} [{}]: {error:#}", request.path(), request.method()));
    }
}

/// Runs user code; a panic in it becomes an error.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| Err(Panicked::from(payload).into()))
}

/// A handler, a hook or an error handler panicked. Answered with 500; an error handler for this type may do otherwise.
#[derive(Debug)]
pub struct Panicked {
    message: String,
    /// Where it came from: known in debug mode.
    pub(super) seen: Option<PanicSeen>,
}

impl From<Box<dyn Any + Send>> for Panicked {
    fn from(payload: Box<dyn Any + Send>) -> Panicked {
        let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(|s| &**s));
        let message = text.unwrap_or("with a payload that is no text").to_owned();
        let panicked = Panicked { message, seen: panic_seen() };
        discard_panic(payload);
        panicked
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)?;
        match &self.seen {
            Some(seen) if f.alternate() => write!(f, " (at {})", seen.place),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Panicked {}
