//! A log on standard error, for programs that set none: an error in a handler must be seen by somebody.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::SystemTime;

use log::{LevelFilter, Log, Metadata, Record};
use once_cell::sync::OnceCell;

use super::RunOptions;
use crate::server::{self, AccessLog, Moment};

const ACCESS: &str = "dewar::access";

struct Stderr {
    level: LevelFilter,
    /// Whether lines of the access log are written whatever the level, and with nothing before them: their format was
    /// chosen.
    access: bool,
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.target() {
            // Its engine says what is wrong itself; tiny_http calls it an error that we stop it from accepting at the end.
            "tiny_http" => false,
            ACCESS if self.access => true,
            _ => metadata.level() <= self.level,
        }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = match record.target() {
            ACCESS if self.access => format!("{}\n", record.args()),
            _ => line(record, SystemTime::now()),
        };
        // In one piece, so that the lines of several threads do not mix. Nobody is left to be told when standard error
        // is closed.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// As Flask's: `[2026-01-01 12:00:00,123] ERROR in shop::cart: what happened`, in UTC. What the message has of control
/// characters is escaped, and its further lines are indented: so nothing in it can pass for another record.
fn line(record: &Record<'_>, now: SystemTime) -> String {
    let mut line = format!("[{}] {} in {}: ", Moment(now), record.level(), record.target());
    for c in record.args().to_string().trim_end_matches('\n').chars() {
        match c {
            '\n' => line.push_str("\n    "),
            '\t' => line.push(c),
            c if c.is_control() => drop(write!(line, "{}", c.escape_default())),
            c => line.push(c),
        }
    }
    line + "\n"
}

/// Does nothing when the program has a logger already, but for the access log's format.
pub(super) fn install(options: &RunOptions) {
    static STDERR: OnceCell<Stderr> = OnceCell::new();
    let ours = STDERR.get_or_init(|| Stderr { level: options.log, access: options.access_log.is_some() });
    let installed = log::set_logger(ours).is_ok();
    if installed {
        let access = if ours.access { LevelFilter::Info } else { LevelFilter::Off };
        log::set_max_level(ours.level.max(access));
    }
    if let Some(format) = &options.access_log {
        // A logger of the program's own may write anywhere.
        let colour = installed && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let format = if colour && *format == AccessLog::Dev { AccessLog::DevInColour } else { format.clone() };
        server::set_access_log(format);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_record() {
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_767_268_800_123);
        let says = |text: &str| line(&Record::builder().args(format_args!("{text}")).target("shop").build(), at);
        assert_eq!(says("it broke"), "[2026-01-01 12:00:00,123] INFO in shop: it broke\n");
        assert_eq!(
            says("a\r\n[2026-01-01 12:00:00,123] ERROR in x: y\u{1b}[31m\u{85}\n"),
            "[2026-01-01 12:00:00,123] INFO in shop: a\\r\n    [2026-01-01 12:00:00,123] ERROR in x: y\\u{1b}[31m\\u{85}\n"
        );
    }
}
