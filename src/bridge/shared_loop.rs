//! The loop in the background: futures-executor's `ThreadPool`, made on first use, never ended.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::ThreadPool;
use once_cell::sync::OnceCell;

use super::error::BridgeError;
use super::job::SharedJob;
use super::task_core::Core;

static POOL: OnceCell<(ThreadPool, usize)> = OnceCell::new();

/// How many threads it shall have; `None` once it is in use. The lock orders the setting and the first
/// use: a setting that was accepted is used.
static WANTED: Mutex<Option<usize>> = Mutex::new(Some(1));

/// Sets the number of the shared loop's threads: 1 unless set, and at least that.
///
/// ```
/// use dewar::bridge;
///
/// bridge::set_shared_threads(2)?;
/// bridge::spawn_shared(async {}).join()?;
/// assert_eq!(bridge::stats().shared_threads, 2);
/// assert!(bridge::set_shared_threads(3).is_err()); // too late
/// # Ok::<(), bridge::BridgeError>(())
/// ```
///
/// # Errors
///
/// [`BridgeError::TooLate`] once the shared loop has been used.
pub fn set_shared_threads(threads: usize) -> Result<(), BridgeError> {
    match &mut *WANTED.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(wanted) => {
            *wanted = threads.max(1);
            Ok(())
        }
        None => Err(BridgeError::TooLate { setting: "set_shared_threads" }),
    }
}

/// The number of its threads: zero before its first use.
pub(crate) fn threads() -> usize {
    POOL.get().map_or(0, |(_, threads)| *threads)
}

fn pool() -> io::Result<&'static ThreadPool> {
    POOL.get_or_try_init(|| {
        let mut wanted = WANTED.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = wanted.unwrap_or(1);
        let pool = ThreadPool::builder().pool_size(threads).name_prefix("dewar-loop-").create()?;
        *wanted = None; // not before it succeeded: it may be tried again
        Ok((pool, threads))
    })
    .map(|(pool, _)| pool)
}

/// Hands `future` over. If there is no thread for it, the task ends at once, and says so.
pub(crate) fn spawn<F>(core: &Arc<Core<F::Output>>, future: F)
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let job = SharedJob::shared(core, future);
    match pool() {
        Ok(pool) => pool.spawn_ok(job),
        Err(error) => job.refuse(format!("no thread for the shared loop: {error}")),
    }
}
