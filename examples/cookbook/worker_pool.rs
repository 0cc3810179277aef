//! Workers over a queue, one of which is cancelled in the middle of a job: the job is not lost.
//!
//! In asyncio: `create_task(worker(queue))` several times, `queue.join()`, then `task.cancel()` for each, with
//! `try … finally` in the worker for the job that it was at.
//!
//! `cargo run --example cookbook_worker_pool` prints
//!
//! ```text
//! worker-0 is stuck in job 0
//! worker-0 is cancelled, job 0 goes back
//! 9 jobs are done: [0, 1, 2, 3, 4, 5, 6, 7, 8]
//! worker-1: cancelled
//! worker-2: cancelled
//! ```

use std::cell::RefCell;
use std::future;
use std::rc::Rc;

use dewar::Result;
use dewar::bridge::{self, sync::Event, sync::Queue};

/// What all workers share. They are tasks of one thread: an `Rc` and a `RefCell` will do.
struct Shop {
    jobs: Queue<u32>,
    done: RefCell<Vec<u32>>,
    is_stuck: Event,
}

/// A job in somebody's hands. Dropped before it is done, it goes back into the queue: `finally`, but nobody can forget it.
struct InHand<'a> {
    shop: &'a Shop,
    worker: u32,
    job: Option<u32>,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Some(job) = self.job {
            println!("worker-{} is cancelled, job {job} goes back", self.worker);
            self.shop.jobs.try_put(job).expect("the queue has no bound and is open");
        }
        // It was got once, so it is done once; put back, it counts anew.
        self.shop.jobs.task_done().expect("once for each item");
    }
}

async fn work(shop: Rc<Shop>, worker: u32) {
    while let Ok(job) = shop.jobs.get().await {
        let mut in_hand = InHand { shop: &shop, worker, job: Some(job) };
        if worker == 0 {
            println!("worker-{worker} is stuck in job {job}");
            shop.is_stuck.set();
            future::pending::<()>().await;
        }
        bridge::yield_now().await; // the work
        shop.done.borrow_mut().extend(in_hand.job.take());
    }
}

pub fn main() -> Result<()> {
    bridge::run(async {
        let shop = Rc::new(Shop { jobs: Queue::unbounded(), done: RefCell::default(), is_stuck: Event::new() });
        for job in 0..9 {
            shop.jobs.put(job).await?;
        }
        let spawn = |n| bridge::spawn_named(format!("worker-{n}"), work(Rc::clone(&shop), n));
        let mut workers: Vec<_> = (0..3).map(spawn).collect();

        shop.is_stuck.wait().await;
        let stuck = workers.remove(0);
        stuck.cancel();
        assert!(stuck.await.is_err_and(|error| error.is_cancelled()));

        shop.jobs.join().await;
        let mut done = shop.done.take();
        done.sort_unstable();
        println!("{} jobs are done: {done:?}", done.len());
        for worker in workers {
            worker.cancel(); // it waits for another job
            if let Err(error) = worker.await {
                println!(
                    "{}: {}",
                    error.name().unwrap_or_default(),
                    if error.is_cancelled() { "cancelled" } else { "?" }
                );
            }
        }
        Ok(())
    })
}
