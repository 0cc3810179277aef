//! Debug mode: polls that take long, told of afterwards and, by a watchdog, while they last.

use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::header::Header;
use crate::quiet::quietly;

/// asyncio's `loop.slow_callback_duration`.
static SLOW_NS: AtomicU64 = AtomicU64::new(100_000_000);

/// Sets from which time on a poll is told of in debug mode ([`LoopPolicy::debug`](super::LoopPolicy::debug)): 100 ms
/// unless set, as asyncio's `loop.slow_callback_duration`. At least 1 ms.
///
/// ```
/// use dewar::bridge;
/// use std::time::Duration;
///
/// bridge::set_slow_poll(Duration::from_millis(50));
/// ```
pub fn set_slow_poll(duration: Duration) {
    let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).max(1_000_000);
    SLOW_NS.store(ns, Ordering::Relaxed);
}

fn slow() -> Duration {
    Duration::from_nanos(SLOW_NS.load(Ordering::Relaxed))
}

/// What is being polled.
#[derive(Clone)]
enum Polled {
    Task(Arc<Header>),
    Fragment(&'static Location<'static>),
}

impl fmt::Display for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Polled::Task(header) => header.fmt(f),
            Polled::Fragment(at) => write!(f, "the fragment at {at}"),
        }
    }
}

/// One thread's entry in the watchdog's list.
struct Post {
    thread: Arc<str>,
    now: Mutex<Option<Now>>,
}

struct Now {
    polled: Polled,
    since: Instant,
    is_told: bool,
}

impl Post {
    fn lock(&self) -> MutexGuard<'_, Option<Now>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

static POSTS: Mutex<Vec<Arc<Post>>> = Mutex::new(Vec::new());

fn posts() -> MutexGuard<'static, Vec<Arc<Post>>> {
    POSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the thread's entry off the list at its end.
struct OwnPost(Arc<Post>);

impl Drop for OwnPost {
    fn drop(&mut self) {
        posts().retain(|post| !Arc::ptr_eq(post, &self.0));
    }
}

thread_local! {
    static POST: RefCell<Option<OwnPost>> = const { RefCell::new(None) };
}

fn own_post() -> Option<Arc<Post>> {
    POST.try_with(|own| {
        let mut own = own.borrow_mut();
        let own = own.get_or_insert_with(|| {
            let thread = thread::current();
            let name = thread.name().map_or_else(|| format!("{:?}", thread.id()).into(), Arc::from);
            let post = Arc::new(Post { thread: name, now: Mutex::new(None) });
            posts().push(Arc::clone(&post));
            start_watchdog();
            OwnPost(post)
        });
        Arc::clone(&own.0)
    })
    .ok()
}

/// Times a poll, and has the watchdog look at it, until it is dropped.
pub(crate) struct Watched {
    /// `None` on a thread that is ending.
    post: Option<Arc<Post>>,
    outer: Option<Now>,
}

/// For a poll of a task in debug mode.
pub(crate) fn watch(header: &Arc<Header>) -> Watched {
    Watched::begin(Polled::Task(Arc::clone(header)))
}

/// For a poll of a fragment in debug mode.
pub(crate) fn watch_fragment(at: &'static Location<'static>) -> Watched {
    Watched::begin(Polled::Fragment(at))
}

impl Watched {
    fn begin(polled: Polled) -> Watched {
        let post = own_post();
        let now = Now { polled, since: Instant::now(), is_told: false };
        let outer = post.as_ref().and_then(|post| post.lock().replace(now));
        Watched { post, outer }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(post) = &self.post else { return };
        let ended = std::mem::replace(&mut *post.lock(), self.outer.take());
        let Some(Now { polled, since, .. }) = ended else { return };
        let took = since.elapsed();
        if took >= slow() {
            quietly(|| {
                log::warn!(
                    "{polled} was polled for {took:?} on the thread `{}`: whatever else is on that loop had to wait. \
                     Move blocking code into `bridge::unblock`, computing into `bridge::compute`, or `yield_now` in \
                     between",
                    post.thread
                );
            });
        }
    }
}

/// Tells of a fragment that is begun inside of futures-executor's loop: it works, but that loop stands still meanwhile, and
/// what the fragment waits for may be on it. (That crate alone says whether it is running.)
pub(crate) fn look_for_a_foreign_loop(here: &'static Location<'static>) {
    if futures_executor::enter().is_err() {
        quietly(|| {
            log::warn!(
                "the fragment at {here} blocks a thread on which an executor of futures-executor is running: that one \
                 stands still meanwhile. `.await` the future there"
            );
        });
    }
}

/// A thread that looks, ten times in the shortest slow poll, who is polled for too long.
fn start_watchdog() {
    static IS_STARTED: AtomicBool = AtomicBool::new(false);
    if IS_STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    if let Err(error) = thread::Builder::new().name("dewar-watchdog".into()).spawn(|| watch_over()) {
        IS_STARTED.store(false, Ordering::Relaxed);
        quietly(|| log::error!("no thread for the bridge's watchdog: {error}"));
    }
}

fn watch_over() -> ! {
    loop {
        let slow = slow();
        let all = posts().clone();
        for post in &all {
            // Told of outside of the lock: a logger may use the bridge.
            let told = {
                let mut now = post.lock();
                match &mut *now {
                    Some(now) if !now.is_told && now.since.elapsed() >= slow => {
                        now.is_told = true;
                        Some((now.polled.clone(), now.since.elapsed()))
                    }
                    _ => None,
                }
            };
            if let Some((polled, since)) = told {
                quietly(|| {
                    log::warn!(
                        "{polled} has kept the loop of the thread `{}` from everything else for {since:?} and goes \
                         on: blocking code belongs into `bridge::unblock`",
                        post.thread
                    );
                });
            }
        }
        drop(all);
        thread::sleep((slow / 10).clamp(Duration::from_millis(1), Duration::from_millis(100)));
    }
}
