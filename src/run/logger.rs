//! A log on standard error, for programs that set none: an error in a handler must be seen by somebody.

use std::io::Write;
use std::time::SystemTime;

use log::{LevelFilter, Log, Metadata, Record};

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Its engine says what is wrong itself; tiny_http calls it an error that we stop it from accepting at the end.
        metadata.target() != "tiny_http"
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let now = httpdate::fmt_http_date(SystemTime::now());
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(std::io::stderr(), "[{now}] {} in {}: {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}

/// Does nothing when the program has a logger already.
pub(super) fn install(level: LevelFilter) {
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(level);
    }
}
