//! Work for the processor: rayon, in a pool of its own.

use std::num::NonZero;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use once_cell::sync::OnceCell;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::counters::{self, Count};
use super::far::Runnable;
use super::header::Place;
use super::job::{Closure, Job};
use super::roll;
use super::shared_loop;
use super::task::Task;

static POOL: OnceCell<ThreadPool> = OnceCell::new();

/// Made by the first `compute`; if that fails it is tried again by the next.
fn pool() -> Result<&'static ThreadPool, ThreadPoolBuildError> {
    POOL.get_or_try_init(|| {
        ThreadPoolBuilder::new()
            .num_threads(thread::available_parallelism().map_or(1, NonZero::get))
            .thread_name(|index| format!("dewar-compute-{index}"))
            .build()
    })
}

/// Whether this thread is one of the pool's.
pub(crate) fn is_compute_thread() -> bool {
    POOL.get().is_some_and(|pool| pool.current_thread_index().is_some())
}

/// Runs `f`, which keeps a processor busy, on the compute pool: rayon's, one thread per core, apart from
/// rayon's global pool and from the threads of requests. `ProcessPoolExecutor`.
///
/// Inside of `f`, rayon's parallel iterators and `rayon::join` use this pool. Await the task in a
/// fragment, or [`join`](Task::join) it from blocking code. A panic is delivered to whoever awaits.
///
/// The luggage goes along with `f` itself and is taken off after it. It does *not* go along with the
/// pieces that rayon splits off inside of `f`: they may run on any thread of the pool, which may be in the
/// middle of another job. Code in such a piece must be given what it needs as a value, and not ask for the
/// luggage.
///
/// ```
/// use dewar::bridge;
///
/// let sum = bridge::block_on(async { bridge::compute(|| (1..=100).sum::<u32>()).await })??;
/// assert_eq!(sum, 5050);
/// assert_eq!(bridge::compute(|| 6 * 7).join()?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn compute<T, F>(f: F) -> Task<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    counters::add(Count::ComputeJobs);
    let header = roll::of_a_closure(Place::Compute, Location::caller());
    let job = Job::new(Arc::clone(&header), Closure::new(f));
    match pool() {
        Err(error) => {
            pin!(job).refuse(&format!("no compute pool: {error}"));
            let nothing = shared_loop::nothing(header.number);
            Task::new(header, nothing)
        }
        Ok(pool) => {
            let run = |runnable: Runnable| {
                pool.spawn(move || {
                    runnable.run();
                });
            };
            let (runnable, task) = async_task::Builder::new().metadata(header.number).spawn(|_| job, run);
            runnable.schedule();
            Task::new(header, task.fallible())
        }
    }
}
