//! How connections are held, let go and ended.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::claim::{GONE, READ};
use super::conn::{Conn, Stage};
use super::core::Core;
use super::hand::Hand;
use super::ready::Interest;
use super::stream::Wait;
use super::table::Token;
use crate::quiet::quietly;

/// For how long a new connection is waited for during a shutdown: its first request may be on its way.
const NEWCOMER: u64 = 500;

impl Core {
    /// Leaves a connection to whoever gets its next event; or gives it back with the events that came meanwhile.
    pub(super) fn let_go(&self, mut conn: Box<Conn>) -> Option<(Box<Conn>, u8)> {
        let resting = matches!(conn.stage, Stage::Head | Stage::Handshake) && conn.input.is_empty();
        if resting && conn.served > 0 && self.is_draining() {
            // Unless its next request has come while the last one was answered.
            if conn.stream.wait(Wait::Read, Duration::ZERO).is_ok_and(|ready| ready) {
                return Some((conn, READ));
            }
            self.close(conn);
            return None;
        }
        if resting && self.is_draining() {
            conn.due = conn.due.min(self.now() + NEWCOMER);
        }
        conn.input.shrink();
        let (token, wanted) = (conn.token, conn.wanted_interest());
        let shard = self.shard_of(&conn);
        let armed = if shard != conn.shard {
            self.leave_shard(&conn);
            conn.shard = shard;
            if shard == self.shards.len() {
                self.crew.guests.fetch_add(1, Ordering::Relaxed);
            }
            self.ready(shard).add(&conn.stream, token.to_u64(), wanted)
        } else if wanted != conn.interest || self.ready(shard).forgets() {
            self.ready(shard).change(&conn.stream, token.to_u64(), wanted)
        } else {
            Ok(())
        };
        conn.interest = wanted;
        if let Err(error) = armed {
            log::warn!("a connection cannot be watched, it is closed: {error}");
            self.close(conn);
            return None;
        }
        let place = self.table.place(token.index);
        place.due.store(conn.due, Ordering::Relaxed);
        place.put(conn);
        let flags = place.claim.release().err()?;
        Some((place.take()?, flags))
    }

    /// Takes it out of the set while its owner reads and writes it without asking.
    pub(super) fn mute(&self, conn: &mut Conn) {
        if self.ready(conn.shard).change(&conn.stream, conn.token.to_u64(), Interest::Muted).is_ok() {
            conn.interest = Interest::Muted;
        }
    }

    pub(super) fn leave_shard(&self, conn: &Conn) {
        self.ready(conn.shard).remove(&conn.stream);
        if conn.shard == self.shards.len() {
            self.crew.guests.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Ends a connection.
    pub(super) fn close(&self, conn: Box<Conn>) {
        if !conn.broken && !matches!(conn.stage, Stage::Sending(_)) {
            conn.stream.part();
        }
        drop(conn);
    }

    /// Takes a connection that is dropped out of its place.
    pub(super) fn vacate(&self, conn: &mut Conn) {
        // Before the descriptor is closed, and also when it is not: a body that was leaked keeps it open.
        self.leave_shard(conn);
        self.table.place(conn.token.index).set_stream(None);
        if Arc::strong_count(&conn.stream) > 1 {
            conn.stream.cut();
        }
        // Jobs on close, and a line for the log, neither of which is ours.
        quietly(|| drop(std::mem::replace(&mut conn.stage, Stage::Head)));
        self.table.free(conn.token);
        if self.is_draining() {
            self.wake_clock();
        }
    }

    /// Takes a connection that nobody owns, when its time is over: for the clock.
    pub(super) fn claim_due(&self, index: u32, now: u64) -> Option<Box<Conn>> {
        let place = self.table.place(index);
        if place.due.load(Ordering::Relaxed) > now {
            return None;
        }
        let generation = place.claim.idle_generation()?;
        if !place.claim.take(generation) {
            return None;
        }
        // It may have been used in between, and have more time now.
        if place.due.load(Ordering::Relaxed) > now {
            if let Err(flags) = place.claim.release() {
                self.hand_back(Token { index, generation }, flags);
            }
            return None;
        }
        place.take()
    }

    /// Has the leader of its shard take a connection that the caller owns, but will do nothing with.
    pub(super) fn hand_back(&self, token: Token, flags: u8) {
        let place = self.table.place(token.index);
        let Some(conn) = place.take() else { return };
        if flags & GONE != 0 {
            return self.close(conn);
        }
        // Setting the interest once more has what can be done told once more.
        let interest = conn.interest;
        let armed = self.ready(conn.shard).change(&conn.stream, token.to_u64(), interest);
        place.put(conn);
        if let Err(flags) = place.claim.release() {
            return self.hand_back(token, flags);
        }
        if armed.is_err() {
            log::warn!("a connection could not be watched any more");
        }
    }

    /// At the beginning of a shutdown: closes what is idle, and gives new ones a moment. A request that has come already
    /// is answered, though nobody has looked yet.
    pub(super) fn let_go_of_all(&self, hand: &mut Hand<'_>) {
        for (_, place) in self.table.places() {
            let Some(generation) = place.claim.idle_generation() else { continue };
            if place.claim.take(generation)
                && let Some(conn) = place.take()
            {
                self.drive(conn, READ, hand);
            }
        }
    }

    /// Connections that somebody owns: their requests are being handled.
    pub(super) fn in_flight(&self) -> usize {
        let places = self.table.places();
        places.filter(|(_, place)| place.stream().is_some() && place.claim.idle_generation().is_none()).count()
    }

    /// Cuts what is left at the end of a shutdown; how many requests in flight that hits.
    pub(super) fn cut_all(&self) -> usize {
        let cut = self.in_flight();
        for (_, place) in self.table.places() {
            if let Some(stream) = place.stream() {
                stream.cut();
            }
        }
        cut
    }
}
