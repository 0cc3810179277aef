//! What the process takes: threads, memory, the processor's time. Where a system does not tell, it is `None`.

use std::time::Duration;

/// The most that was seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peak {
    pub(crate) threads: Option<u64>,
    pub(crate) resident_kib: Option<u64>,
}

impl Peak {
    /// Has a look. On Linux only: elsewhere both stay `None`.
    pub(crate) fn look(&mut self) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        self.threads = self.threads.max(number(&status, "Threads:"));
        self.resident_kib = self.resident_kib.max(number(&status, "VmRSS:"));
    }
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The processor's time that the whole process has taken until now.
#[cfg(unix)]
pub(crate) fn cpu() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(unix))]
pub(crate) fn cpu() -> Option<Duration> {
    None
}

/// Allows as many open files as the system lets us: 64 threads with ten fetches each need more than the usual 1024.
pub(crate) fn raise_descriptors() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        const WANTED: u64 = 8192;
        let now = getrlimit(Resource::Nofile);
        let most = now.maximum.unwrap_or(WANTED).min(WANTED);
        if now.current.is_some_and(|current| current < most) {
            // Refused: then a fetch will say that there are too many open files.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: now.maximum });
        }
    }
}
