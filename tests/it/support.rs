//! What several rooms' tests share: a client that watches for leaks, captured log records, random numbers, folders.

use std::cell::RefCell;
use std::ops::Deref;
use std::process::Command;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};
use std::{env, panic};

use dewar::bridge::{self, luggage};
use dewar::{App, AppService, TestClient};

/// Freezes the app; the client also sees that the test leaves no context and no task behind.
#[track_caller]
pub(crate) fn client(app: App) -> Client {
    let leaks = Leaks::watch();
    Client { client: app.test_client(), _leaks: leaks }
}

pub(crate) struct Client {
    client: TestClient,
    _leaks: Leaks,
}

impl Deref for Client {
    type Target = TestClient;

    fn deref(&self) -> &TestClient {
        &self.client
    }
}

/// Freezes an app that is right.
#[track_caller]
pub(crate) fn service(app: App) -> AppService {
    app.into_service().expect("the set-up is right")
}

/// The mistakes of an app's set-up.
#[track_caller]
pub(crate) fn mistakes(app: App) -> Vec<String> {
    match app.into_service() {
        Ok(_) => panic!("no mistake was found"),
        Err(errors) => errors.messages().collect(),
    }
}

/// Sees to it that nothing is left behind by the tests that hold one.
///
/// The bridge's counters are those of the whole process, in which tests run side by side. So each test checks its own
/// thread, and the last of those that run at the same time checks the process; one such moment comes at the end.
pub(crate) struct Leaks(());

static WATCHED: Mutex<usize> = Mutex::new(0);

impl Leaks {
    pub(crate) fn watch() -> Leaks {
        *WATCHED.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Leaks(())
    }
}

impl Drop for Leaks {
    fn drop(&mut self) {
        // Held while looking, so that no other test begins meanwhile.
        let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        *watched -= 1;
        if std::thread::panicking() {
            return;
        }
        assert!(luggage::current().is_none(), "this test's thread still carries a context");
        if *watched > 0 {
            return;
        }
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let (pushed, alive) = (luggage::pushed(), bridge::stats().tasks_alive);
            if pushed == 0 && alive == 0 {
                return;
            }
            let tasks = bridge::tasks();
            assert!(Instant::now() < until, "left behind: {pushed} contexts pushed, {alive} tasks alive: {tasks:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What happened, in order: shared by hooks and handlers.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    pub(crate) fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    /// What happened since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

static ALL: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    static OF_THIS_THREAD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

fn install_logger() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&Logger).expect("no other logger is set in the tests");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// The tests' logger panics when it is to log these words.
pub(crate) const LOGGER_PANICS: &str = "a logger cannot say this";

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        assert!(!line.contains(LOGGER_PANICS), "the logger panics");
        OF_THIS_THREAD.with_borrow_mut(|records| records.as_mut().map(|records| records.push(line.clone())));
        ALL.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

/// The log records that `run` makes on this thread: `ERROR text`.
pub(crate) fn logged<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    install_logger();
    OF_THIS_THREAD.set(Some(Vec::new()));
    let result = run();
    (result, OF_THIS_THREAD.take().unwrap_or_default())
}

/// Everything that was logged by this process since the first call, as "LEVEL message".
///
/// Tests run at the same time and share the log: look for something that only your test says.
pub(crate) fn log_capture() -> LogCapture {
    install_logger();
    LogCapture
}

/// The handle to what is logged; see [`log_capture`].
pub(crate) struct LogCapture;

impl LogCapture {
    /// The records that contain `needle`, in their order.
    pub(crate) fn with(&self, needle: &str) -> Vec<String> {
        let records = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| record.contains(needle)).cloned().collect()
    }
}

/// SplitMix64: small, good enough, and the same each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn text(&mut self, alphabet: &[char], most: usize) -> String {
        let length = self.below(most + 1);
        (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

/// A folder of this test's own, removed at the end.
#[cfg(any(feature = "static_files", feature = "templates", feature = "tiny_http"))]
pub(crate) struct Folder(pub(crate) std::path::PathBuf);

#[cfg(any(feature = "static_files", feature = "templates", feature = "tiny_http"))]
impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("dewar-it-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary folder can be made");
        Folder(path)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Folder {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder can be made");
        std::fs::write(path, bytes).expect("a file can be written");
        self
    }
}

#[cfg(any(feature = "static_files", feature = "templates", feature = "tiny_http"))]
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
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

/// The file and the line that a panic of `f` names: what `#[track_caller]` has made of them. The panic hook is the whole
/// process's: to be called inside of [`alone`].
pub(crate) fn panic_line<R>(f: impl FnOnce() -> R) -> (String, u32) {
    let named = Arc::new(Mutex::new(None));
    let told = Arc::clone(&named);
    panic::set_hook(Box::new(move |info| {
        *told.lock().unwrap() = info.location().map(|at| (at.file().to_owned(), at.line()));
    }));
    let panicked = panic::catch_unwind(panic::AssertUnwindSafe(f)).is_err();
    drop(panic::take_hook());
    assert!(panicked, "it did not panic");
    named.lock().unwrap().take().expect("the hook was called")
}
