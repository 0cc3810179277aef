//! What the behaviour tests share: a client that watches for leaks, captured log records, random numbers.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

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
            assert!(Instant::now() < until, "left behind: {pushed} contexts pushed, {alive} tasks alive");
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

thread_local! {
    static RECORDS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// The log records that `run` makes on this thread: `ERROR text`.
pub(crate) fn logged<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        log::set_logger(&PerThread).expect("no other logger is set in the tests");
        log::set_max_level(log::LevelFilter::Warn);
    });
    RECORDS.set(Some(Vec::new()));
    let result = run();
    (result, RECORDS.take().unwrap_or_default())
}

struct PerThread;

impl log::Log for PerThread {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        RECORDS.with_borrow_mut(|records| {
            if let Some(records) = records {
                records.push(format!("{} {}", record.level(), record.args()));
            }
        });
    }

    fn flush(&self) {}
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
#[cfg(any(feature = "static_files", feature = "templates"))]
pub(crate) struct Folder(pub(crate) std::path::PathBuf);

#[cfg(any(feature = "static_files", feature = "templates"))]
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

#[cfg(any(feature = "static_files", feature = "templates"))]
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
