//! What several rooms' tests need.

use std::process::Command;
use std::sync::{Mutex, Once, PoisonError};
use std::{env, panic};

/// Everything that was logged by this process since the first call, as "LEVEL message".
///
/// Tests run at the same time and share the log: look for something that only your test says.
pub(crate) fn log_capture() -> LogCapture {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&Logger).expect("no other test sets a logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
    LogCapture
}

/// The handle to what is logged; see [`log_capture`].
pub(crate) struct LogCapture;

static RECORDS: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl LogCapture {
    /// The records that contain `needle`, in their order.
    pub(crate) fn with(&self, needle: &str) -> Vec<String> {
        let records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| record.contains(needle)).cloned().collect()
    }
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        RECORDS.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
    fn flush(&self) {}
}

/// Runs `test` in a process of its own: for what is process-wide (figures, settings before first use).
/// `name` is the path of the calling test, as `cargo test` prints it.
pub(crate) fn alone(name: &str, test: impl FnOnce()) {
    const MARK: &str = "DEWAR_TEST_ALONE";
    if env::var(MARK).is_ok_and(|alone| alone == name) {
        return test();
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(MARK, name)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "in its own process:\n{text}");
    assert!(text.contains("1 passed"), "no test is called {name}");
}

/// Runs `f`, which must panic, and returns what the panic said.
pub(crate) fn panic_message<R>(f: impl FnOnce() -> R) -> String {
    match panic::catch_unwind(panic::AssertUnwindSafe(f)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => payload.downcast::<&str>().unwrap().to_string(),
        },
    }
}
