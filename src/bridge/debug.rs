//! Debug mode: polls that take long, told of afterwards and, by a watchdog, while they last.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::header::Header;
use super::tasks;
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

/// Milliseconds since the watchdog began, as of its last look: what polls are timed by. Reading a clock twice would cost
/// more than most polls.
static TICK: AtomicU64 = AtomicU64::new(0);

/// What is being polled.
#[derive(Clone, Copy)]
enum Polled {
    /// A task, by its number.
    Task(u64),
    Fragment(&'static Location<'static>),
}

impl fmt::Display for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Polled::Task(number) => match tasks::find(number) {
                Some(header) => header.fmt(f),
                None => write!(f, "the task number {number}, which has ended,"),
            },
            Polled::Fragment(at) => write!(f, "the fragment at {at}"),
        }
    }
}

/// One thread's entry in the watchdog's list. Written by its thread alone, but for `told`.
struct Post {
    thread: Arc<str>,
    /// One more than the tick at which the poll began; 0 while there is none.
    since: AtomicU64,
    /// The task; 0 for the fragment itself.
    number: AtomicU64,
    /// Where that was begun.
    fragment: Mutex<Option<&'static Location<'static>>>,
    /// `since` and `number` of the poll that was told of last.
    told: Mutex<(u64, u64)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing of anybody else's runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

static POSTS: Mutex<Vec<Arc<Post>>> = Mutex::new(Vec::new());

/// Takes the thread's entry off the list at its end.
struct OwnPost(Arc<Post>);

impl Drop for OwnPost {
    fn drop(&mut self) {
        lock(&POSTS).retain(|post| !Arc::ptr_eq(post, &self.0));
    }
}

impl OwnPost {
    fn new() -> OwnPost {
        let thread = thread::current();
        let name = thread.name().map_or_else(|| format!("{:?}", thread.id()).into(), Arc::from);
        let post = Arc::new(Post {
            thread: name,
            since: AtomicU64::new(0),
            number: AtomicU64::new(0),
            fragment: Mutex::new(None),
            told: Mutex::new((0, 0)),
        });
        lock(&POSTS).push(Arc::clone(&post));
        start_watchdog();
        OwnPost(post)
    }
}

thread_local! {
    static POST: OwnPost = OwnPost::new();
}

/// Times a poll, and has the watchdog look at it, until it is dropped.
pub(crate) struct Watched {
    polled: Polled,
    /// `since` and `number` of the poll around this one.
    outer: (u64, u64),
}

/// For a poll of a task in debug mode.
pub(crate) fn watch(header: &Header) -> Watched {
    Watched::begin(Polled::Task(header.number))
}

/// For a poll of a fragment in debug mode.
pub(crate) fn watch_fragment(at: &'static Location<'static>) -> Watched {
    Watched::begin(Polled::Fragment(at))
}

impl Watched {
    fn begin(polled: Polled) -> Watched {
        // On a thread that is ending nobody watches.
        let outer = POST.try_with(|OwnPost(post)| {
            let number = match polled {
                Polled::Task(number) => number,
                Polled::Fragment(at) => {
                    *lock(&post.fragment) = Some(at);
                    0
                }
            };
            let outer = (post.since.load(Ordering::Relaxed), post.number.load(Ordering::Relaxed));
            post.number.store(number, Ordering::Relaxed);
            // `Release`: the watchdog reads this first, and then whose poll it is.
            post.since.store(TICK.load(Ordering::Relaxed) + 1, Ordering::Release);
            outer
        });
        Watched { polled, outer: outer.unwrap_or_default() }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let slow_poll = POST.try_with(|OwnPost(post)| {
            let since = post.since.load(Ordering::Relaxed);
            post.number.store(self.outer.1, Ordering::Relaxed);
            post.since.store(self.outer.0, Ordering::Release);
            let took = Duration::from_millis((TICK.load(Ordering::Relaxed) + 1).saturating_sub(since));
            (took >= slow()).then(|| (took, Arc::clone(&post.thread)))
        });
        if let Ok(Some((took, thread))) = slow_poll {
            let polled = self.polled;
            quietly(|| {
                log::warn!(
                    "{polled} was polled for about {took:?} on the thread `{thread}`: whatever else is on that loop had \
                     to wait. Move blocking code into `bridge::unblock`, computing into `bridge::compute`, or \
                     `yield_now` in between"
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
    let begun = Instant::now();
    loop {
        let now = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        TICK.store(now, Ordering::Relaxed);
        let slow = slow();
        let all = lock(&POSTS).clone();
        for post in &all {
            // Told of outside of all locks: a logger may use the bridge.
            if let Some((polled, since)) = post.new_slow_poll(now, slow) {
                quietly(|| {
                    log::warn!(
                        "{polled} has kept the loop of the thread `{}` from everything else for about {since:?} and \
                         goes on: blocking code belongs into `bridge::unblock`",
                        post.thread
                    );
                });
            }
        }
        drop(all);
        thread::sleep((slow / 10).clamp(Duration::from_millis(1), Duration::from_millis(100)));
    }
}

impl Post {
    /// A poll that lasts too long, and since when; once for each.
    fn new_slow_poll(&self, now: u64, slow: Duration) -> Option<(Polled, Duration)> {
        let since = self.since.load(Ordering::Acquire);
        let lasted = Duration::from_millis((now + 1).saturating_sub(since));
        if since == 0 || lasted < slow {
            return None;
        }
        let number = self.number.load(Ordering::Relaxed);
        let polled = if number == 0 { Polled::Fragment((*lock(&self.fragment))?) } else { Polled::Task(number) };
        if self.since.load(Ordering::Acquire) != since {
            return None; // it has ended meanwhile, and what was read may be another's
        }
        let told = std::mem::replace(&mut *lock(&self.told), (since, number));
        (told != (since, number)).then_some((polled, lasted))
    }
}
