//! A whole run: every kind of loop, with every number of threads, within the time that there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dewar::Result;

use super::cell::Cell;
use super::flask;
use super::loops::KINDS;
use super::plan::Plan;
use super::report::Row;
use super::work::{FETCHES, Work};

/// What happens in a run.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// How much of it is over, from 0 to 1, and what is being measured.
    Progress(f64, Arc<str>),
    Row(Row),
    /// Something to know beside the figures.
    Note(String),
}

/// The most connections that fragments make in one measurement: each takes a port of this machine for a while.
const MOST_FETCHES: usize = 3000;
/// How often it is told how far a measurement is.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// The longest that one measurement takes, where there is more time than that.
const LONG_ENOUGH: Duration = Duration::from_secs(1);

/// Measures what `plan` says and tells of it as it goes. Ends early, and well, when `stop` is set.
///
/// # Errors
/// Those of a fragment, or of the system that has no further thread.
pub(crate) fn run(plan: &Plan, stop: &AtomicBool, tell: &mut dyn FnMut(Event)) -> Result<()> {
    let began = Instant::now();
    // Python is slower, and has fewer kinds: half of the time is enough for both.
    let ours = if plan.flask { plan.time / 2 } else { plan.time };
    let whole = if plan.flask { 0.5 } else { 1.0 };

    let cells: Vec<_> = plan
        .works
        .iter()
        .flat_map(|work| plan.concurrency_of(*work).iter().map(move |threads| (*work, *threads)))
        .flat_map(|(work, threads)| KINDS.iter().map(move |kind| (work, threads, kind)))
        .collect();
    for (i, (work, concurrency, kind)) in cells.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        // What quick ones leave of their time goes to those that come later.
        let left = ours.saturating_sub(began.elapsed());
        if left.is_zero() {
            tell(Event::Note(format!(
                "The time was up: {} of {} measurements are left out.",
                cells.len() - i,
                cells.len()
            )));
            break;
        }
        let weights: u32 = cells[i..].iter().map(|(work, ..)| work.weight()).sum();
        let time = (left * work.weight() / weights).min(LONG_ENOUGH);
        let fragments = fragments(plan.fragments, *work, *concurrency);
        let cell = Cell { kind, work: *work, concurrency: *concurrency, fragments, time, stop };
        let what: Arc<str> = format!("{} · {} × {}", work.name(), kind.name, concurrency).into();
        let progress = |part: f64| Event::Progress(whole * (i as f64 + part) / cells.len() as f64, Arc::clone(&what));
        tell(progress(0.0));
        // Seldom: whoever is told takes a processor's time too.
        let mut told = Instant::now();
        let row = cell.measure(&mut |part| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                tell(progress(part));
            }
        })?;
        if stop.load(Ordering::Relaxed) {
            return Ok(()); // it was cut short: no figure
        }
        tell(Event::Row(row));
    }
    if plan.flask {
        let left = plan.time.saturating_sub(began.elapsed());
        flask::run(plan, left.max(Duration::from_secs(1)), stop, &mut |event| match event {
            Event::Progress(part, what) => tell(Event::Progress(whole + (1.0 - whole) * part, what)),
            other => tell(other),
        })?;
    }
    Ok(())
}

/// How many of this sort each of so many threads is to run.
fn fragments(asked: u64, work: Work, threads: usize) -> u64 {
    match work {
        Work::Fetch(_) | Work::FetchInTurn(_) => asked.min((MOST_FETCHES / FETCHES / threads) as u64),
        Work::Ready | Work::Sleep(_) => asked,
    }
}
