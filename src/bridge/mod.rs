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
//! | run several futures at once, borrowing | [`gather`], [`try_gather`] |
//! | let something run by itself | [`spawn`] and [`spawn_named`] until the fragment ends, [`spawn_shared`] beyond |
//! | wait for a time, or no longer than that | [`sleep`], [`sleep_until`], [`timeout`] |
//! | call blocking code from a fragment | [`unblock()`]; for the processor's work [`compute()`] |
//! | share, wait for and hand over | [`sync`]: locks, events, semaphores, queues |
//! | say where loops live | [`LoopPolicy`], [`with_policy`], [`set_default_policy`] |
//! | see what goes on | [`stats`], [`unblock_stats`] |
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
#[cfg(feature = "compute")]
mod compute;
mod counters;
mod error;
mod fragment;
mod gather;
mod job;
mod local_loop;
pub mod luggage;
mod policy;
mod shared_loop;
mod sleep;
pub mod sync;
mod task;
mod task_core;
mod this_thread;
mod timers;
mod unblock;

#[cfg(feature = "compute")]
pub use self::compute::compute;
pub use self::counters::{Stats, stats};
pub use self::error::{BridgeError, TaskError};
pub use self::fragment::{block_on, block_on_with, own_thread, run};
pub use self::gather::{gather, try_gather};
pub use self::policy::{LoopPolicy, Scope, set_default_policy, with_policy};
pub use self::shared_loop::set_shared_threads;
pub use self::sleep::{Elapsed, Sleep, sleep, sleep_until, timeout, yield_now};
pub use self::task::{Task, spawn, spawn_named, spawn_shared};
pub use self::unblock::{UnblockStats, set_unblock_threads, unblock, unblock_stats};
