//! Linux's epoll, edge-triggered, which several threads may wait for: an event is told to one of them.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};

use super::super::claim::{GONE, HALF, READ, WRITE};
use super::{Event, Interest};

/// The token of what wakes a waiter.
const WAKE: u64 = u64::MAX;

/// Does not wait.
const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// A set of descriptors, and who waits for them.
pub(in crate::server::native) struct Ready {
    set: OwnedFd,
    bell: OwnedFd,
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

/// Room for what one wait finds.
pub(in crate::server::native) struct Found(Vec<epoll::Event>);

impl Found {
    pub(in crate::server::native) fn new() -> Found {
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
    pub(in crate::server::native) fn new() -> io::Result<Ready> {
        let set = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&set, &bell, EventData::new_u64(WAKE), EventFlags::IN | EventFlags::ET)?;
        Ok(Ready { set, bell })
    }

    /// Whether an interest is to be changed, even to the same, once it was told of.
    pub(in crate::server::native) fn forgets(&self) -> bool {
        false
    }

    /// What can already be done is told at once.
    pub(in crate::server::native) fn add<S>(&self, source: &Arc<S>, token: u64, interest: Interest) -> io::Result<()>
    where
        S: AsFd + Send + Sync + 'static,
    {
        Ok(epoll::add(&self.set, source, EventData::new_u64(token), flags(interest))?)
    }

    /// What can already be done is told once more.
    pub(in crate::server::native) fn change(
        &self,
        source: &impl AsFd,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        Ok(epoll::modify(&self.set, source, EventData::new_u64(token), flags(interest))?)
    }

    /// Must come before the descriptor is closed: a copy of it would keep it in the set.
    pub(in crate::server::native) fn remove(&self, source: &impl AsFd) {
        let _ = epoll::delete(&self.set, source); // not there is as good
    }

    /// Waits until there is something, unless it shall `only_look`, and adds it to `events`. For one thread at a time.
    pub(in crate::server::native) fn wait(&self, found: &mut Found, events: &mut impl Extend<Event>, only_look: bool) {
        found.0.clear();
        let timeout = only_look.then_some(&NOW);
        // EINTR is no event.
        if epoll::wait(&self.set, spare_capacity(&mut found.0), timeout).is_ok() {
            events.extend(found.0.iter().filter_map(ours));
        }
    }

    /// Waits for one event, which no other waiter gets; `None` when woken.
    fn wait_for_one(&self) -> Option<Event> {
        let mut found = [MaybeUninit::uninit()];
        let (found, _) = epoll::wait(&self.set, &mut found, None).ok()?;
        found.first().and_then(ours)
    }

    /// What there is at this moment, and whether a wake-up is among it.
    fn take(&self) -> (Vec<Event>, bool) {
        let mut found = Vec::with_capacity(256);
        let _ = epoll::wait(&self.set, spare_capacity(&mut found), Some(&NOW));
        let events: Vec<_> = found.iter().filter_map(ours).collect();
        let woken = events.len() < found.len();
        (events, woken)
    }

    /// Wakes one who waits, or the next who is going to.
    pub(in crate::server::native) fn wake(&self) {
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes()); // full is woken
    }
}

/// Where workers wait that lead no shard: a set of connections for which each event wakes one of them, without anybody in
/// between.
pub(in crate::server::native) struct Lounge {
    ready: Ready,
}

impl Lounge {
    pub(in crate::server::native) fn new() -> io::Result<Lounge> {
        Ok(Lounge { ready: Ready::new()? })
    }

    /// The set of the connections that are here; where there is none, nobody may come.
    pub(in crate::server::native) fn guests(&self) -> Option<&Ready> {
        Some(&self.ready)
    }

    /// Waits for an event; `None` when somebody rang.
    pub(in crate::server::native) fn wait(&self) -> Option<Event> {
        self.ready.wait_for_one()
    }

    /// Wakes one who waits, or the next who is going to. Rings that nobody has heard are one.
    pub(in crate::server::native) fn ring(&self) {
        self.ready.wake();
    }

    /// What is there that nobody has come for.
    pub(in crate::server::native) fn drain(&self) -> Vec<Event> {
        let (events, rang) = self.ready.take();
        if rang {
            self.ring();
        }
        events
    }
}
