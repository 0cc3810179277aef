//! Which connections have something to say: Linux's epoll.
//!
//! Edge-triggered: an event is told once, to whoever waits, and [`Claim`](super::claim::Claim) sees to it that it is
//! not lost. Tokens are numbers, never pointers, since an event may outlive its connection.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};

use super::claim::{GONE, HALF, READ, WRITE};

/// The token of what wakes a waiter.
const WAKE: u64 = u64::MAX;

/// A set of descriptors, and who waits for them.
pub(super) struct Ready {
    set: OwnedFd,
    bell: OwnedFd,
}

/// Something can be done with a descriptor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) token: u64,
    /// As in [`claim`](super::claim).
    pub(super) flags: u8,
}

/// The kernel's event as ours; `None` for a wake-up.
fn ours(event: &epoll::Event) -> Option<Event> {
    let (token, told) = ({ event.data }.u64(), { event.flags });
    let mut flags = 0;
    for (theirs, ours) in [
        (EventFlags::IN, READ),
        (EventFlags::OUT, WRITE),
        (EventFlags::RDHUP, HALF),
        (EventFlags::HUP, GONE),
        (EventFlags::ERR, GONE),
    ] {
        if told.contains(theirs) {
            flags |= ours;
        }
    }
    (token != WAKE).then_some(Event { token, flags })
}

/// What to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    Read,
    Write,
    /// Only that the connection is broken: while somebody reads or writes it without asking us.
    Muted,
    /// Told again and again for as long as it can be read: a listener.
    Listener,
}

/// Room for what one wait finds.
pub(super) struct Found(Vec<epoll::Event>);

impl Found {
    pub(super) fn new() -> Found {
        Found(Vec::with_capacity(256))
    }
}

fn flags(interest: Interest) -> EventFlags {
    match interest {
        Interest::Read => EventFlags::IN | EventFlags::RDHUP | EventFlags::ET,
        Interest::Write => EventFlags::OUT | EventFlags::ET,
        Interest::Muted => EventFlags::ET,
        Interest::Listener => EventFlags::IN,
    }
}

impl Ready {
    pub(super) fn new() -> io::Result<Ready> {
        let set = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&set, &bell, EventData::new_u64(WAKE), EventFlags::IN | EventFlags::ET)?;
        Ok(Ready { set, bell })
    }

    /// What can already be done is told at once.
    pub(super) fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.set, fd, EventData::new_u64(token), flags(interest))?)
    }

    /// What can already be done is told once more.
    pub(super) fn change(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.set, fd, EventData::new_u64(token), flags(interest))?)
    }

    /// Must come before the descriptor is closed: a copy of it would keep it in the set.
    pub(super) fn remove(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.set, fd); // not there is as good
    }

    /// Waits until there is something, and adds it to `events`. For one thread at a time.
    pub(super) fn wait(&self, found: &mut Found, events: &mut impl Extend<Event>) {
        found.0.clear();
        // EINTR is no event.
        if epoll::wait(&self.set, spare_capacity(&mut found.0), None).is_ok() {
            events.extend(found.0.iter().filter_map(ours));
        }
    }

    /// Waits for one event, which no other waiter gets; `None` when woken.
    pub(super) fn wait_for_one(&self) -> Option<Event> {
        let mut found = [MaybeUninit::uninit()];
        let (found, _) = epoll::wait(&self.set, &mut found, None).ok()?;
        found.first().and_then(ours)
    }

    /// What there is at this moment, and whether a wake-up is among it.
    pub(super) fn take(&self) -> (Vec<Event>, bool) {
        let mut found = Vec::with_capacity(256);
        let _ = epoll::wait(&self.set, spare_capacity(&mut found), Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        let events: Vec<_> = found.iter().filter_map(ours).collect();
        let woken = events.len() < found.len();
        (events, woken)
    }

    /// Wakes one who waits, or the next who is going to.
    pub(super) fn wake(&self) {
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes()); // full is woken
    }
}
