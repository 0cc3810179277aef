//! `Event`: a flag that many can wait for.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::blocking;
use super::waiters::{Door, Wait, Waiters, Wakes, change, lock};

/// A flag to wait for. `asyncio.Event`.
///
/// [`set`](Event::set) releases all who wait at that moment, in the order of their coming, even if
/// [`clear`](Event::clear) follows at once; until then nobody has to wait.
///
/// ```
/// use dewar::bridge::{self, sync::Event};
/// use std::sync::Arc;
///
/// let ready = Arc::new(Event::new());
/// let waiting = bridge::spawn_shared({
///     let ready = Arc::clone(&ready);
///     async move { ready.wait().await }
/// });
/// ready.set();
/// waiting.join()?;
/// # Ok::<(), bridge::BridgeError>(())
/// ```
pub struct Event(Mutex<State>);

struct State {
    set: bool,
    line: Waiters,
}

/// In front of an event.
struct Setting<'a>(&'a Mutex<State>);

impl Door for Setting<'_> {
    type State = State;
    type Pass = ();

    fn state(&self) -> &Mutex<State> {
        self.0
    }

    fn line<'s>(&self, state: &'s mut State) -> &'s mut Waiters {
        &mut state.line
    }

    fn enter(&self, state: &mut State) -> Option<()> {
        state.set.then_some(())
    }

    fn called(&self, _: &mut State) {}

    // All who waited were called; there is nothing to hand on.
    fn pass_on(&self, _: &mut State, _: &mut Wakes) {}
}

impl Event {
    /// An event that is not set.
    pub const fn new() -> Event {
        Event(Mutex::new(State { set: false, line: Waiters::new() }))
    }

    /// Sets it, and releases all who wait.
    pub fn set(&self) {
        change(&self.0, |state, wakes| {
            state.set = true;
            state.line.call_all(wakes);
        });
    }

    /// Unsets it: who comes from now on waits for the next [`set`](Event::set).
    ///
    /// ```
    /// let event = dewar::bridge::sync::Event::new();
    /// event.set();
    /// event.clear();
    /// assert!(!event.is_set());
    /// ```
    pub fn clear(&self) {
        lock(&self.0).set = false;
    }

    /// Whether it is set, at this moment.
    pub fn is_set(&self) -> bool {
        lock(&self.0).set
    }

    fn setting(&self) -> Wait<Setting<'_>> {
        Wait::new(Setting(&self.0))
    }

    /// Waits until it is set; not at all if it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing for anybody else.
    pub async fn wait(&self) {
        self.setting().await;
    }

    /// Waits on this thread until it is set.
    ///
    /// ```
    /// use dewar::bridge::sync::Event;
    ///
    /// let event = Event::new();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| event.set());
    ///     event.blocking_wait();
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If it would have to wait while an event loop is running on this thread.
    #[track_caller]
    pub fn blocking_wait(&self) {
        blocking::wait(&mut self.setting(), "Event::blocking_wait", "wait().await");
    }

    /// As [`blocking_wait`](Event::blocking_wait), but no longer than `limit`. Whether it was set: false if the time ran
    /// out. (In async code, put [`timeout`](crate::bridge::timeout) around [`wait`](Event::wait).)
    ///
    /// ```
    /// use dewar::bridge::sync::Event;
    /// use std::time::Duration;
    ///
    /// let event = Event::new();
    /// assert!(!event.blocking_wait_timeout(Duration::from_millis(1)));
    /// event.set();
    /// assert!(event.blocking_wait_timeout(Duration::ZERO));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`blocking_wait`](Event::blocking_wait).
    #[track_caller]
    #[must_use = "it tells whether the event was set"]
    pub fn blocking_wait_timeout(&self, limit: Duration) -> bool {
        let (mut setting, cure) = (self.setting(), "timeout(limit, event.wait()).await");
        match Instant::now().checked_add(limit) {
            Some(deadline) => {
                blocking::wait_until(&mut setting, deadline, "Event::blocking_wait_timeout", cure).is_some()
            }
            // Later than the clock can tell.
            None => {
                blocking::wait(&mut setting, "Event::blocking_wait_timeout", cure);
                true
            }
        }
    }
}

impl Default for Event {
    fn default() -> Event {
        Event::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Copied, so that nothing is written under the lock.
        let (is_set, waiting) = {
            let state = lock(&self.0);
            (state.set, state.line.len())
        };
        f.debug_struct("Event").field("is_set", &is_set).field("waiting", &waiting).finish()
    }
}
