//! Tasks by priority: what is urgent overtakes what came before, and equals keep their order.
//!
//! In asyncio: `asyncio.PriorityQueue` of `(priority, number, item)`, the number being there to keep equals apart.
//!
//! `cargo run --example cookbook_priorities` prints
//!
//! ```text
//! 1 answer the phone
//! 5 write the report
//! 5 read the post
//! 0 put out the fire
//! 9 tidy up
//! ```

use std::cmp::Ordering;

use dewar::Result;
use dewar::bridge::{self, sync::PriorityQueue};

/// Compared by its priority alone: 0 is the most urgent.
struct Job {
    priority: u8,
    what: &'static str,
}

impl Ord for Job {
    fn cmp(&self, other: &Job) -> Ordering {
        self.priority.cmp(&other.priority)
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Job) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Job) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Job {}

async fn work(jobs: PriorityQueue<Job>) -> Result<()> {
    while let Ok(Job { priority, what }) = jobs.get().await {
        println!("{priority} {what}");
        if what == "read the post" {
            // It comes last and is next.
            jobs.put(Job { priority: 0, what: "put out the fire" }).await?;
            jobs.close();
        }
        bridge::yield_now().await; // the work
    }
    Ok(())
}

pub fn main() -> Result<()> {
    let jobs = PriorityQueue::unbounded();
    for (priority, what) in [(9, "tidy up"), (5, "write the report"), (1, "answer the phone"), (5, "read the post")] {
        jobs.blocking_put(Job { priority, what })?;
    }
    bridge::run(work(jobs))
}
