//! A shard: some of the connections, and the one worker that is told of their events.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ready::{Event, Ready};

pub(super) struct Shard {
    pub(super) ready: Ready,
    batch: Mutex<Batch>,
    /// Requests taken.
    pub(super) requests: AtomicU64,
}

/// What the last wait found. It is not the leader's own, so that whoever takes over from one that blocks finds it.
struct Batch {
    events: VecDeque<Event>,
    /// Connections that could go on, but had their turn. They come behind what the kernel knows of the others: a client
    /// that never runs out of requests is one of many.
    later: Vec<Event>,
    /// Goes up when a leader is deposed: an order of an earlier term is void.
    term: u64,
    leader: Option<u64>,
    /// The leader waits for events, so whatever it was seen doing is over.
    waiting: bool,
}

/// What is next for a leader.
pub(super) enum Next {
    Event(Event),
    /// To wait for more; with `true` only to look, for there is more to do.
    Wait(bool),
    /// It leads no more.
    Deposed,
}

impl Shard {
    pub(super) fn new() -> io::Result<Shard> {
        let batch =
            Batch { events: VecDeque::with_capacity(256), later: Vec::new(), term: 0, leader: None, waiting: false };
        Ok(Shard { ready: Ready::new()?, batch: Mutex::new(batch), requests: AtomicU64::new(0) })
    }

    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker begins to lead; `false` when the order is an old one.
    pub(super) fn take_office(&self, term: u64, worker: u64) -> bool {
        let mut batch = self.batch();
        if batch.term == term {
            batch.leader = Some(worker);
        }
        batch.term == term
    }

    pub(super) fn next(&self, term: u64) -> Next {
        let mut batch = self.batch();
        if batch.term != term {
            return Next::Deposed;
        }
        match batch.events.pop_front() {
            Some(event) => Next::Event(event),
            None => {
                batch.waiting = true;
                Next::Wait(!batch.later.is_empty())
            }
        }
    }

    /// Adds what a wait has found, and behind it what was put off; how much there is to do now.
    pub(super) fn found(&self, events: &mut Vec<Event>) -> u32 {
        let batch = &mut *self.batch();
        batch.waiting = false;
        batch.events.extend(events.drain(..));
        batch.events.extend(batch.later.drain(..));
        batch.events.len() as u32
    }

    /// Has the leader come to a connection after the others.
    pub(super) fn again(&self, event: Event) {
        let mut batch = self.batch();
        batch.later.push(event);
        // Who says so may have been deposed meanwhile, or never have led: then whoever does may be waiting.
        let waiting = batch.waiting;
        drop(batch);
        if waiting {
            self.ready.wake();
        }
    }

    /// Who leads.
    pub(super) fn leader(&self) -> Option<u64> {
        self.batch().leader
    }

    /// Takes the lead from a worker that was found to block; the next term, unless it has come back meanwhile.
    pub(super) fn depose(&self, worker: u64) -> Option<u64> {
        let mut batch = self.batch();
        if batch.leader != Some(worker) || batch.waiting {
            return None;
        }
        batch.leader = None;
        batch.term += 1;
        Some(batch.term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::native::claim::READ;
    use crate::server::native::ready::Found;

    const EVENT: Event = Event { token: 7, flags: READ };

    #[test]
    fn a_leader_that_waits_hears_of_what_a_deposed_one_leaves() -> io::Result<()> {
        let shard = Shard::new()?;
        assert!(shard.take_office(0, 1));
        let term = shard.depose(1).expect("it does not wait");
        assert!(shard.take_office(term, 2));
        assert!(matches!(shard.next(term), Next::Wait(false)));
        shard.again(EVENT);
        let mut events = Vec::new();
        shard.ready.wait(&mut Found::new(), &mut events, false); // for ever, if nobody wakes it
        shard.found(&mut events);
        assert!(matches!(shard.next(term), Next::Event(Event { token: 7, .. })));
        assert!(matches!(shard.next(0), Next::Deposed));
        Ok(())
    }

    #[test]
    fn whoever_waits_is_not_deposed_and_an_old_order_is_void() -> io::Result<()> {
        let shard = Shard::new()?;
        assert!(shard.take_office(0, 1));
        assert!(matches!(shard.next(0), Next::Wait(false)));
        assert_eq!(shard.depose(1), None);
        shard.found(&mut vec![EVENT]);
        assert_eq!(shard.depose(2), None);
        assert_eq!(shard.depose(1), Some(1));
        assert_eq!(shard.depose(1), None);
        assert!(!shard.take_office(0, 2));
        assert!(shard.take_office(1, 2));
        assert_eq!(shard.leader(), Some(2));
        Ok(())
    }
}
