//! The bridge: async fragments in blocking code, and blocking code in async fragments.
//!
//! A handler blocks. Where it needs an async library, it hands a future to [`block_on`] and gets the
//! result. That future, the *fragment*, is polled on the calling thread: it may borrow from the handler's
//! stack and need not be `Send`. Works the same in a handler, a hook, a background job, a test or `main`.
//!
//! ```
//! use dewar::bridge;
//! use std::time::Duration;
//!
//! # async fn price(symbol: &str) -> Result<usize, std::num::ParseIntError> {
//! #     bridge::sleep(Duration::from_millis(1)).await;
//! #     Ok(symbol.len())
//! # }
//! let symbols = vec!["ADA".to_string(), "BOB".to_string()];
//! let prices = bridge::block_on(async {
//!     // borrowed, concurrent, the first error ends it
//!     bridge::try_gather(symbols.iter().map(|symbol| price(symbol))).await
//! })??;
//! assert_eq!(prices, [3, 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! | --- | --- |
//! | run a fragment | [`block_on`], [`run`] where it fails as handlers do, [`block_on_with`] a policy, [`own_thread`] |
//! | run several futures at once, borrowing | [`gather`], [`try_gather`]; [`task_group`](fn@task_group), whose children may come later |
//! | wait for some of them, or take them as they come | [`wait`](fn@wait), [`as_completed`] |
//! | let something run by itself | [`spawn`] and [`spawn_named`] until the fragment ends, [`spawn_shared`] beyond; [`TaskBuilder`] with clean-up |
//! | go on when whoever waits gives up | [`shield`] |
//! | wait for a time, or no longer than that | [`sleep`], [`sleep_until`]; [`timeout`], [`timeout_at`] |
//! | do something again and again | [`interval`](fn@interval), in a fragment; [`every`], beside all of them |
//! | go through many items, some at a time | [`fan_out`](fn@fan_out), [`try_fan_out`], [`for_each_limited`] |
//! | write a stream as a function | [`stream`](fn@stream), [`try_stream`] |
//! | use a stream in blocking code, an iterator or reader as a stream | [`block_on_iter`](fn@block_on_iter), [`stream_reader`]; [`iter_stream`](fn@iter_stream), [`read_stream`] |
//! | call something not too often, again when it failed, once for all | [`RateLimiter`], [`KeyedRateLimiter`]; [`retry`](fn@retry); [`Memo`] |
//! | call blocking code from a fragment | [`unblock()`]; for the processor's work [`compute()`] |
//! | share, wait for and hand over | [`sync`]: locks, events, semaphores, queues |
//! | have something done on a loop, from another thread | [`LoopHandle`] |
//! | have a value follow the tasks | [`ContextVar`] |
//! | say where loops live | [`LoopPolicy`], [`with_policy`], [`set_default_policy`] |
//! | hold a loop in the hand | [`EventLoop`] |
//! | see what goes on | [`tasks`](fn@tasks), [`current_task`], [`on_unhandled`]; [`stats`], [`unblock_stats`] |
//!
//! # Rules
//!
//! - One fragment at a time per thread: a second one is refused with [`BridgeError::Nested`], which names
//!   both places. `.await` it instead, or use [`own_thread`].
//! - What a fragment spawned on its thread and did not await is cancelled when it ends, with a warning.
//! - A panic in a task is delivered through its [`Task`]; nobody else notices.
//! - The thread's [`luggage`] (the request context) is seen in the fragment and in all its tasks, on
//!   whichever thread they are polled.
//! - Third-party `block_on`s work inside of a fragment and inside of the tasks that it spawned.

mod bell;
mod block_on_iter;
#[cfg(feature = "compute")]
mod compute;
mod context_var;
mod counters;
mod course;
mod debug;
mod error;
mod event_loop;
mod fan_out;
mod far;
mod fragment;
mod gather;
mod header;
mod interval;
mod iter_stream;
mod job;
mod keyed_rate_limiter;
mod leash;
mod local_loop;
mod loop_handle;
pub mod luggage;
mod memo;
mod memo_table;
mod periodic;
mod policy;
mod rate_limiter;
mod retry;
mod roll;
mod shared_loop;
mod sleep;
mod sliding_window;
mod spawn;
mod stream;
pub mod sync;
mod task;
mod task_group;
mod tasks;
mod this_thread;
mod timers;
#[cfg(feature = "tokio")]
mod tokio_loop;
mod unblock;
mod unhandled;
mod wait;

pub use self::block_on_iter::{BlockOnIter, IntoBlock, StreamReader, block_on_iter, stream_reader};
#[cfg(feature = "compute")]
pub use self::compute::compute;
pub use self::context_var::ContextVar;
pub use self::counters::{Stats, stats};
pub use self::debug::set_slow_poll;
pub use self::error::{BridgeError, TaskError};
pub use self::event_loop::EventLoop;
pub use self::fan_out::{fan_out, for_each_limited, try_fan_out};
pub use self::fragment::{block_on, block_on_with, own_thread, run};
pub use self::gather::{gather, try_gather};
pub use self::header::TaskState;
pub use self::interval::{Interval, MissedTicks, interval, interval_at};
pub use self::iter_stream::{IterStream, ReadStream, iter_stream, read_stream};
pub use self::keyed_rate_limiter::KeyedRateLimiter;
pub use self::leash::{Held, Leash};
pub use self::loop_handle::{CallHandle, LoopHandle};
pub use self::memo::Memo;
pub use self::periodic::{Periodic, RunOutcome, every};
pub use self::policy::{Backend, LoopPolicy, Scope, set_default_policy, with_policy};
pub use self::rate_limiter::{Acquire, RateLimiter, RetryAfter};
pub use self::retry::{Retry, retry, retry_blocking};
pub use self::shared_loop::set_shared_threads;
pub use self::sleep::{Elapsed, Sleep, sleep, sleep_until, timeout, timeout_at, yield_now};
pub use self::spawn::{Cleanup, NoCleanup, TaskBuilder, shield, spawn, spawn_named, spawn_shared};
pub use self::stream::{Sending, Yielder, stream, try_stream};
pub use self::task::Task;
pub use self::task_group::{GroupError, GroupTask, TaskGroup, task_group};
pub use self::tasks::{TaskInfo, current_task, tasks};
#[cfg(feature = "tokio")]
pub use self::tokio_loop::tokio_handle;
pub use self::unblock::{UnblockStats, set_unblock_threads, unblock, unblock_stats};
pub use self::unhandled::on_unhandled;
pub use self::wait::{AsCompleted, Waited, all_completed, as_completed, first_completed, first_error, wait};
