//! What becomes of a panic in a task that nobody asks about.

use std::sync::{Arc, Mutex, PoisonError};

use super::error::TaskError;
use crate::quiet::quietly;

type Handler = Arc<dyn Fn(&TaskError) + Send + Sync>;

static HANDLER: Mutex<Option<Handler>> = Mutex::new(None);

/// Sets what is done when a task panicked and nobody asks for its result, because its [`Task`](super::Task) was dropped
/// or detached. `loop.set_exception_handler`, for all loops of the process. Unless set, it is logged as an error.
///
/// The handler is called on the thread where the task panicked, or where its handle was dropped, at once; a panic in
/// it is swallowed (the panic hook tells of it).
///
/// ```
/// use dewar::bridge;
/// use std::sync::mpsc;
///
/// let (send, heard) = mpsc::channel();
/// bridge::on_unhandled(move |error| {
///     let _ = send.send(error.to_string());
/// });
/// bridge::spawn_shared(async { panic!("nobody listens") }).detach();
/// assert!(heard.recv()?.ends_with("panicked: nobody listens"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn on_unhandled(handler: impl Fn(&TaskError) + Send + Sync + 'static) {
    let before = HANDLER.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(handler));
    drop(before);
}

pub(crate) fn report(error: TaskError) {
    let handler = HANDLER.lock().unwrap_or_else(PoisonError::into_inner).clone();
    quietly(|| match handler {
        Some(handler) => handler(&error),
        None => log::error!("nobody asks for the result: {error}"),
    });
}
