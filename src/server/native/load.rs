//! How many shards take part.
//!
//! One leader is best for as long as it has time: it finds many events with each wait, and leaves the other processors
//! to those who need them (a database on the same machine, the handlers that block). When it has none left, and there is
//! a processor that nobody uses, twice as many take part; when processors are short and the leaders share what one of
//! them fewer could have had, or they have time to spare, it is one fewer.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::core::Core;

/// Over how long it is looked at.
pub(super) const WINDOW: Duration = Duration::from_millis(200);
/// Leaders that have had so large a part of a processor have no time left.
const FULL: f64 = 0.97;
/// Processors that must have been unused for more leaders to be of use.
const UNUSED: f64 = 0.2;
/// What the others would have to do if one were given up.
const SPARE: f64 = 0.70;
/// The same when no processor is unused.
const SHORT: f64 = 1.1;
/// Windows in which it must have been so.
const UP: u32 = 2;
const DOWN: u32 = 5;

#[derive(Default)]
pub(super) struct Load {
    since: Option<Instant>,
    /// Each leader, and the processor time that it has had.
    leaders: Vec<(u64, Duration)>,
    /// What no process has had.
    unused: Duration,
    full: u32,
    spare: u32,
}

impl Load {
    /// Looks at what the leaders have to do, and has more or fewer of them take part.
    pub(super) fn look(&mut self, core: &Core) {
        let (Some(watch), active) = (core.watch.get(), core.active.load(Ordering::Relaxed)) else { return };
        let elapsed = self.since.map_or(Duration::MAX, |since| since.elapsed());
        if core.shards.len() == 1 || elapsed < WINDOW {
            return;
        }
        self.since = Some(Instant::now());
        let Some(unused) = unused_time() else {
            // Where nobody tells, all of them.
            core.active.store(core.shards.len(), Ordering::Relaxed);
            return;
        };
        let unused_before = std::mem::replace(&mut self.unused, unused);
        let before = std::mem::take(&mut self.leaders);
        let times = core.shards[..active].iter().map(|shard| {
            let leader = shard.leader()?;
            Some((leader, watch.cpu_time(leader)?))
        });
        // A leader that has just been deposed has no figures, and the others' say little.
        let Some(now) = times.collect::<Option<Vec<_>>>() else { return };
        let parts = now.iter().map(|(leader, time)| {
            let (_, earlier) = before.iter().find(|(id, _)| id == leader)?;
            Some(time.saturating_sub(*earlier).as_secs_f64() / elapsed.as_secs_f64())
        });
        let parts = parts.collect::<Option<Vec<_>>>();
        self.leaders = now;
        let Some(parts) = parts else { return };
        let unused = unused.saturating_sub(unused_before).as_secs_f64() / elapsed.as_secs_f64();
        let (all, others) = (parts.iter().sum::<f64>(), (active - 1) as f64);
        let full = parts.iter().all(|part| *part > FULL) && unused > UNUSED;
        let spare = all < SPARE * others || (unused < UNUSED / 2.0 && all < SHORT * others);
        self.full = if full { self.full + 1 } else { 0 };
        self.spare = if spare { self.spare + 1 } else { 0 };
        if self.full >= UP && active < core.shards.len() {
            core.active.store((active * 2).min(core.shards.len()), Ordering::Relaxed);
            self.full = 0;
        } else if self.spare >= DOWN {
            core.active.store(active - 1, Ordering::Relaxed);
            self.spare = 0;
        }
    }
}

/// How long processors had nothing to do, all of them together, since the machine was started. In hundredths of a
/// second, which is coarse but for a window of some of them.
fn unused_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let hundredths: u64 = line.split_ascii_whitespace().nth(3)?.parse().ok()?;
    Some(Duration::from_millis(hundredths * 10))
}
