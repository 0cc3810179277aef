//! The same by the crate `polling`: kqueue on macOS and the BSDs, event ports, poll.
//!
//! **Modes.** Where the system has edges (kqueue's `EV_CLEAR`, `EPOLLET`), they are used: `change` is `EV_ADD` or
//! `EPOLL_CTL_MOD` then, and both look at the descriptor once more and tell what they find. So an event that comes
//! before `change` is told by it; one that comes after it is an edge; and one that somebody else was told of meanwhile is
//! noted in the claim of the connection. Elsewhere (event ports, poll) a source is told of once and then forgotten, and
//! the owner of a connection changes the interest each time before it lets go. What comes before that is told by the
//! change, as there it always looks first; what comes after it, by the source being armed.
//!
//! **Filters.** No more than one of reading and writing is ever asked for, so that both at once have to mean something
//! else: with kqueue, that the client sends no more.
//!
//! **One waiter.** A second thread that waits would be told at once that there is nothing: `polling` lets one wait at a
//! time. So there is no set that several workers wait for.

use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use polling::{Events, PollMode};

use super::super::claim::{GONE, HALF, READ, WRITE};
use super::guard::Guard;
use super::{Event, Interest};

/// kqueue tells the end of what a client sends: it is an event for reading, and `polling` has it be one for writing too.
const KQUEUE: bool = cfg!(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
));
/// A hang-up is the end of both directions. Other systems may say so of one of them.
const HANG_UP_IS_ALL: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A set of descriptors, and who waits for them.
pub(in crate::server::native) struct Ready {
    set: Guard,
}

/// Room for what one wait finds.
pub(in crate::server::native) struct Found(Events);

impl Found {
    pub(in crate::server::native) fn new() -> Found {
        Found(Events::with_capacity(NonZeroUsize::MIN.saturating_add(255)))
    }
}

impl Ready {
    pub(in crate::server::native) fn new() -> io::Result<Ready> {
        if usize::BITS < u64::BITS {
            let what = "the native engine needs a 64-bit system here, use the tiny_http engine";
            return Err(io::Error::new(ErrorKind::Unsupported, what));
        }
        Ok(Ready { set: Guard::new()? })
    }

    /// Whether an interest is to be changed, even to the same, once it was told of.
    pub(in crate::server::native) fn forgets(&self) -> bool {
        !self.set.supports_edge()
    }

    /// What can already be done is told at once.
    pub(in crate::server::native) fn add<S>(&self, source: &Arc<S>, token: u64, interest: Interest) -> io::Result<()>
    where
        S: AsFd + Send + Sync + 'static,
    {
        self.set.add(source, theirs(token, interest), self.mode(interest))
    }

    /// What can already be done is told once more.
    pub(in crate::server::native) fn change(
        &self,
        source: &impl AsFd,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.set.change(source, theirs(token, interest), self.mode(interest))
    }

    /// Must come before the descriptor is to be closed: until then the set keeps it open.
    pub(in crate::server::native) fn remove(&self, source: &impl AsFd) {
        self.set.remove(source);
    }

    /// Waits until there is something, and adds it to `events`. For one thread at a time.
    pub(in crate::server::native) fn wait(&self, found: &mut Found, events: &mut impl Extend<Event>, only_look: bool) {
        found.0.clear();
        if self.set.wait(&mut found.0, only_look.then_some(Duration::ZERO)).is_ok() {
            events.extend(found.0.iter().map(|event| self.ours(event)));
        }
    }

    /// Wakes one who waits, or the next who is going to.
    pub(in crate::server::native) fn wake(&self) {
        let _ = self.set.notify(); // it was notified before, or there is nobody to be woken any more
    }

    fn mode(&self, interest: Interest) -> PollMode {
        match interest {
            _ if self.forgets() => PollMode::Oneshot,
            Interest::Listener => PollMode::Level,
            _ => PollMode::Edge,
        }
    }

    fn ours(&self, event: polling::Event) -> Event {
        let mut flags = 0;
        // Without kqueue nobody tells whether the end came too.
        let half = event.readable && (event.writable || !KQUEUE || self.forgets());
        let gone = HANG_UP_IS_ALL && (event.is_interrupt() || event.is_err() == Some(true));
        for (told, ours) in [(event.readable, READ), (event.writable, WRITE), (half, HALF), (gone, GONE)] {
            if told {
                flags |= ours;
            }
        }
        Event { token: event.key as u64, flags }
    }
}

fn theirs(token: u64, interest: Interest) -> polling::Event {
    let key = token as usize; // of the same width: see `Ready::new`
    match interest {
        Interest::Read | Interest::Listener => polling::Event::readable(key),
        Interest::Write => polling::Event::writable(key),
        Interest::Muted => polling::Event::none(key),
    }
}

/// Where workers wait that lead no shard, until somebody rings.
pub(in crate::server::native) struct Lounge {
    /// Rings that nobody has heard.
    rings: Mutex<usize>,
    bell: Condvar,
}

impl Lounge {
    pub(in crate::server::native) fn new() -> io::Result<Lounge> {
        Ok(Lounge { rings: Mutex::new(0), bell: Condvar::new() })
    }

    /// The set of the connections that are here: none.
    pub(in crate::server::native) fn guests(&self) -> Option<&Ready> {
        None
    }

    fn rings(&self) -> MutexGuard<'_, usize> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for an event, of which there are none; `None` when somebody rang.
    pub(in crate::server::native) fn wait(&self) -> Option<Event> {
        let mut rings = self.rings();
        while *rings == 0 {
            rings = self.bell.wait(rings).unwrap_or_else(PoisonError::into_inner);
        }
        *rings -= 1;
        None
    }

    /// Wakes one who waits, or the next who is going to.
    pub(in crate::server::native) fn ring(&self) {
        *self.rings() += 1;
        self.bell.notify_one();
    }

    /// What is there that nobody has come for.
    pub(in crate::server::native) fn drain(&self) -> Vec<Event> {
        Vec::new()
    }
}
