//! What is known of one worker: a number on a cache line of its own.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One worker's number. It goes up by one when a job begins and by one when it ends, so that it is odd inside of jobs
/// and the same number seen twice is the same job. No clock is read: the ticker adds the time.
///
/// Two lines wide, since processors fetch lines in pairs.
#[repr(align(128))]
pub(super) struct Slot {
    number: AtomicU64,
    /// What the worker says it is about to do.
    pub(super) note: AtomicU64,
    pub(super) id: u64,
    /// Whether it is one of the minimum, which never end.
    pub(super) base: bool,
    /// Where the kernel tells the thread's state.
    stat: OnceLock<PathBuf>,
}

/// Whether the number is that of a worker in a job.
pub(super) fn is_busy(number: u64) -> bool {
    number % 2 == 1
}

/// How many jobs were begun by then.
pub(super) fn jobs(number: u64) -> u64 {
    number.div_ceil(2)
}

impl Slot {
    pub(super) fn new(id: u64, base: bool) -> Slot {
        Slot { number: AtomicU64::new(0), note: AtomicU64::new(0), id, base, stat: OnceLock::new() }
    }

    /// Called by the worker's own thread, at its start.
    pub(super) fn announce(&self) {
        if let Ok(task) = std::fs::read_link("/proc/thread-self") {
            let _ = self.stat.set(PathBuf::from("/proc").join(task).join("stat"));
        }
    }

    /// Sequentially consistent with the ticker's falling asleep: either it sees this number, or the worker sees that
    /// it sleeps.
    pub(super) fn begin(&self) {
        self.number.store(self.number.load(Ordering::Relaxed) + 1, Ordering::SeqCst);
    }

    pub(super) fn finish(&self) {
        self.number.store(self.number.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    /// How much processor time the thread has had.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(self.stat.get()?.with_file_name("schedstat")).ok()?;
        Some(Duration::from_nanos(text.split_ascii_whitespace().next()?.parse().ok()?))
    }

    /// Whether the kernel says that the thread waits for something, rather than runs or waits for a processor.
    /// `None` where there is no `/proc`.
    pub(super) fn sleeps(&self) -> Option<bool> {
        let stat = std::fs::read(self.stat.get()?).ok()?;
        // "123 (name) S …": the name may have anything in it, so the last parenthesis counts.
        let state = stat.get(stat.iter().rposition(|b| *b == b')')? + 2)?;
        Some(*state != b'R')
    }
}
