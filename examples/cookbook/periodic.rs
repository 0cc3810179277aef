//! Something again and again: in a fragment, as a task that is cancelled, and beside the whole program.
//!
//! In asyncio: `while True: …; await asyncio.sleep(period)` in a task, and `task.cancel()`.
//!
//! `cargo run --example cookbook_periodic` prints
//!
//! ```text
//! tick 1
//! tick 2
//! tick 3
//! ticks were a period apart: true
//! a task beat at least 3 times, and was cancelled: true
//! a job ran at least 3 times, one of them failed
//! no run after its stop: true
//! ```

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use dewar::bridge;
use dewar::bridge::sync::Event;
use dewar::{Error, Result};

const PERIOD: Duration = Duration::from_millis(2);

/// The work between two ticks does not shift the next one, as it does in a loop around `sleep`.
async fn ticks() -> Result<()> {
    let mut interval = bridge::interval(PERIOD);
    let mut due = Vec::new();
    for n in 1..=3 {
        due.push(interval.tick().await);
        println!("tick {n}");
    }
    println!("ticks were a period apart: {}", due.windows(2).all(|two| two[1] - two[0] == PERIOD));
    Ok(())
}

/// A heartbeat, for as long as something else goes on.
async fn heartbeat() -> Result<()> {
    let (beats, enough) = (Rc::new(Cell::new(0)), Rc::new(Event::new()));
    let task = bridge::spawn({
        let (beats, enough) = (Rc::clone(&beats), Rc::clone(&enough));
        async move {
            let mut interval = bridge::interval(PERIOD);
            loop {
                interval.tick().await;
                beats.set(beats.get() + 1);
                if beats.get() == 3 {
                    enough.set();
                }
            }
        }
    });
    enough.wait().await;
    task.cancel();
    let is_cancelled = task.await.is_err_and(|error: bridge::TaskError| error.is_cancelled());
    println!("a task beat at least {} times, and was cancelled: {is_cancelled}", beats.get().min(3));
    Ok(())
}

pub fn main() -> Result<()> {
    bridge::run(ticks())?;
    bridge::run(heartbeat())?;

    // On the shared loop, whatever this thread does. An error is logged, and the next run comes.
    let (tell, told) = mpsc::channel();
    let mut runs = 0;
    let job = bridge::every(PERIOD, move || {
        runs += 1;
        let result = if runs == 2 { Err(Error::msg("no luck")) } else { Ok(()) };
        let sent = tell.send(result.is_err());
        async move { sent.map_err(Error::from).and(result) }
    });
    let failed = told.iter().take(3).filter(|failed| *failed).count();
    println!("a job ran at least 3 times, {} of them failed", if failed == 1 { "one" } else { "not one" });
    bridge::block_on(job.stop())?; // waits for a run that goes on
    let left: Vec<_> = told.try_iter().collect();
    println!("no run after its stop: {}", left.iter().all(|failed| !failed) && told.recv().is_err());
    Ok(())
}
