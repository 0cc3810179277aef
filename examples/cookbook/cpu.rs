//! Work for the processor, off the loop: on all cores, while the loop goes on.
//!
//! In asyncio: `loop.run_in_executor(ProcessPoolExecutor(), …)`. Here threads will do: there is no GIL.
//!
//! `cargo run --example cookbook_cpu` prints
//!
//! ```text
//! primes below 60000: [2262, 1941, 1854]
//! together 6057
//! all of it ran on compute threads: true
//! the loop went on meanwhile: true
//! a broken job is an error: the task panicked: more than I can count
//! ```

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use dewar::bridge::{self, TaskError};
use dewar::{Error, Result};

fn is_prime(n: u32) -> bool {
    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

/// What keeps a processor busy; and on which thread.
fn count_primes(range: Range<u32>) -> (usize, bool) {
    let is_off_the_loop = thread::current().name().is_some_and(|name| name.starts_with("dewar-compute-"));
    (range.filter(|n| is_prime(*n)).count(), is_off_the_loop)
}

pub fn main() -> Result<()> {
    bridge::run(async {
        let ticks = Rc::new(Cell::new(0));
        let ticker = bridge::spawn({
            let ticks = Rc::clone(&ticks);
            async move {
                let mut interval = bridge::interval(Duration::from_millis(1));
                loop {
                    interval.tick().await;
                    ticks.set(ticks.get() + 1);
                }
            }
        });

        // All are under way before the first is waited for.
        let jobs = [0..20_000, 20_000..40_000, 40_000..60_000].map(|range| bridge::compute(|| count_primes(range)));
        bridge::yield_now().await;
        let (counts, off_the_loop): (Vec<_>, Vec<_>) = bridge::try_gather(jobs).await?.into_iter().unzip();
        println!("primes below 60000: {counts:?}");
        println!("together {}", counts.iter().sum::<usize>());
        println!("all of it ran on compute threads: {}", off_the_loop.iter().all(|yes| *yes));
        println!("the loop went on meanwhile: {}", ticks.get() > 0);
        ticker.cancel();

        let broken = bridge::compute(|| panic!("more than I can count")).await;
        if let Err(TaskError::Panicked { message, .. }) = broken {
            println!("a broken job is an error: the task panicked: {message}");
        }
        Ok::<(), Error>(())
    })
}
