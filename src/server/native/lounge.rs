//! Where workers wait that lead no shard.

use std::io;

use super::epoll::{Event, Ready};

/// A set of connections for which each event wakes one worker, without anybody in between.
pub(super) struct Lounge {
    pub(super) ready: Ready,
}

impl Lounge {
    pub(super) fn new() -> io::Result<Lounge> {
        Ok(Lounge { ready: Ready::new()? })
    }

    /// Waits for an event; `None` when somebody rang.
    pub(super) fn wait(&self) -> Option<Event> {
        self.ready.wait_for_one()
    }

    /// Wakes one who waits, or the next who is going to. Rings that nobody has heard are one.
    pub(super) fn ring(&self) {
        self.ready.wake();
    }

    /// What is there that nobody has come for.
    pub(super) fn drain(&self) -> Vec<Event> {
        let (events, rang) = self.ready.take();
        if rang {
            self.ring();
        }
        events
    }
}
