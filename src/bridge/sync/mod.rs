//! What fragments, tasks and threads share and wait for: asyncio's synchronisation primitives.
//!
//! | to | use |
//! | --- | --- |
//! | let one at a time at a value, across `.await`s | [`Lock`] |
//! | wait until something has happened | [`Event`] |
//! | wait for a change of what a lock guards | [`Condition`] |
//! | let so many at a time do something | [`Semaphore`], [`BoundedSemaphore`] |
//! | hand items from producers to consumers | [`Queue`], [`PriorityQueue`] |
//! | hand over one value, once | [`oneshot()`] |
//!
//! ```
//! use dewar::bridge::{self, sync::Queue};
//! use std::thread;
//!
//! // From a plain thread to a fragment: whoever waits, and wherever, it is the same queue.
//! let lines = Queue::bounded(8);
//! let producer = thread::spawn({
//!     let lines = lines.clone();
//!     move || {
//!         for line in ["a", "b", "c"] {
//!             lines.blocking_put(line).expect("nobody has closed it");
//!         }
//!         lines.close();
//!     }
//! });
//! let all = bridge::block_on(async {
//!     let mut all = String::new();
//!     while let Ok(line) = lines.get().await {
//!         all += line;
//!     }
//!     all
//! })?;
//! producer.join().unwrap();
//! assert_eq!(all, "abc");
//! # Ok::<(), bridge::BridgeError>(())
//! ```
//!
//! # What holds for all of them
//!
//! - **First come, first served.** What somebody waits for is handed to the one who has waited longest, and no newcomer
//!   comes in between. That has a price: a lock that many want goes from one to the next at the pace of their wakes.
//! - **A wait can be dropped** at any moment, by a `timeout`, a cancelled task or a lost race. What it had already been
//!   given goes to the next. Each method says so exactly under *Cancel safety*.
//! - **A wait must be polled.** A future that was given its turn and is neither polled nor dropped holds up those behind.
//! - **Anywhere**: in a fragment, in its tasks, on the shared loop, in a third-party executor; and on plain threads by the
//!   `blocking_` methods, which wait in the same line. Such a method panics where it would have to wait on a thread whose
//!   event loop is running, since it would stop that loop; where it need not wait it is allowed there, too.
//! - They carry no luggage and are bound to no loop, which asyncio's are to the one that first waits for them.

mod blocking;
mod bounded_semaphore;
mod condition;
mod event;
mod lock;
mod oneshot;
mod parker;
mod permits;
mod queue;
mod semaphore;
mod waiters;

pub use self::bounded_semaphore::{BoundedSemaphore, ReleasedTooMany};
pub use self::condition::Condition;
pub use self::event::Event;
pub use self::lock::{Lock, LockGuard, LockGuardArc};
pub use self::oneshot::{Dropped, Receiver, Sender, TryRecvError, oneshot};
pub use self::queue::{Closed, DoneTooOften, PriorityQueue, Queue, TryGetError, TryPutError};
pub use self::semaphore::{Semaphore, SemaphorePermit, SemaphorePermitArc};
