//! What happens on a connection, from one event to the next: whose turn it is, and what its stage is.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::claim::{GONE, HALF, READ, WRITE};
use super::conn::{Conn, Outgoing, Stage};
use super::core::{Core, Job};
use super::hand::Hand;
use super::ready::{Event, Interest};

/// For how long a worker that does not lead goes on with one connection, when it has more requests.
const TURN: Duration = Duration::from_millis(10);
/// Responses to requests that came together are sent together, up to so many bytes.
const TOGETHER: usize = 32 * 1024;
/// A note that says that a worker is in no handler.
pub(super) const NO_HANDLER: u64 = u64::MAX;

/// What is next for a connection.
pub(super) enum Step {
    /// To go on with its stage.
    Go(Box<Conn>),
    /// Nothing, until there is an event.
    Wait(Box<Conn>),
    /// The others first.
    Later(Box<Conn>),
    /// It is over.
    Close(Box<Conn>),
    /// Somebody else has it now.
    Away,
}

impl Conn {
    pub(super) fn wanted_interest(&self) -> Interest {
        match self.stage {
            Stage::Sending(_) => Interest::Write,
            Stage::Handshake if self.stream.is_kept() => Interest::Write,
            _ => Interest::Read,
        }
    }
}

impl Core {
    /// Goes on with a connection that the caller owns, and lets it go in the end.
    pub(super) fn drive(&self, conn: Box<Conn>, flags: u8, hand: &mut Hand<'_>) {
        let step = on_flags(conn, flags);
        self.drive_on(step, hand);
    }

    pub(super) fn drive_on(&self, mut step: Step, hand: &mut Hand<'_>) {
        let mut in_a_row = 0;
        let began = (!hand.is_wanted()).then(Instant::now);
        loop {
            step = match step {
                Step::Go(conn) if in_a_row > hand.in_a_row => Step::Later(conn),
                Step::Go(conn) if began.is_some_and(|began| in_a_row > 0 && began.elapsed() > TURN) => {
                    Step::Later(conn)
                }
                Step::Go(conn) => {
                    in_a_row += 1;
                    self.advance(conn, hand)
                }
                Step::Wait(conn) => match self.let_go(conn) {
                    Some((conn, flags)) => on_flags(conn, flags),
                    None => return,
                },
                Step::Later(conn) => {
                    in_a_row = 0;
                    // Its answers so far go out first, and what they leave over has the same way to go.
                    match self.flush(conn, hand) {
                        Step::Go(conn) => return self.put_off(conn),
                        step => step,
                    }
                }
                Step::Close(conn) => {
                    hand.out.clear();
                    return self.close(conn);
                }
                Step::Away => return,
            };
        }
    }

    /// Lets go of a connection that could go on, behind all others that can. Where it belongs may be another place by now.
    fn put_off(&self, conn: Box<Conn>) {
        let (token, shard) = (conn.token.to_u64(), self.shard_of(&conn));
        let mut event = Event { token, flags: READ | WRITE };
        let mut held = Some(conn);
        while let Some(conn) = held {
            held = self.let_go(conn).map(|(conn, flags)| {
                event.flags |= flags;
                conn
            });
        }
        match self.shards.get(shard) {
            Some(shard) => shard.again(event),
            None => self.submit(Job::Event(event)),
        }
    }

    fn advance(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        match &mut conn.stage {
            Stage::Handshake => self.handshake(conn, hand),
            Stage::Head => self.read_head(conn, hand),
            Stage::Ahead(_) => self.take_ahead(conn, hand),
            Stage::Sending(_) => self.send_on(conn, hand),
            Stage::Draining(..) => self.drain(conn, hand),
            Stage::Lingering(..) => self.linger(conn, hand),
        }
    }

    /// Reads what the kernel has: `Some(0)` when that is nothing, `None` when the connection is broken.
    pub(super) fn receive(conn: &mut Conn, scratch: &mut [u8]) -> Option<usize> {
        if !conn.more || conn.ended {
            return Some(0);
        }
        match conn.stream.read(scratch) {
            Ok(0) => {
                conn.ended = true;
                Some(0)
            }
            Ok(n) => {
                // A short read has taken all there was: more of it is a new event. But the end of what the client
                // sends comes with no event of its own, when it came together with the last bytes.
                conn.more = n == scratch.len() || conn.half || conn.stream.has_more();
                Some(n)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                conn.more = false;
                Some(0)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Some(0),
            Err(_) => None,
        }
    }

    /// Sends what is waiting to be sent on this connection: `Go` when that is done.
    pub(super) fn flush(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        if hand.out.is_empty() {
            return Step::Go(conn);
        }
        let mut sent = 0;
        loop {
            let written = match &hand.out[sent..] {
                [] => conn.stream.flush().map(|()| None),
                rest => conn.stream.write(rest, false).map(Some),
            };
            match written {
                Ok(Some(n)) => sent += n,
                Ok(None) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let rest = Bytes::copy_from_slice(&hand.out[sent..]);
                    hand.out.clear();
                    let outgoing = Outgoing::of_bytes(rest, self.now());
                    conn.stage = Stage::Sending(Box::new(outgoing));
                    conn.due = self.after(self.limits.write_timeout);
                    return Step::Wait(conn);
                }
                Err(_) => return Step::Close(conn),
            }
        }
        hand.out.clear();
        Step::Go(conn)
    }

    /// Whether more answers may be put behind those that wait to be sent.
    pub(super) fn may_put_off(conn: &Conn, hand: &Hand<'_>) -> bool {
        !conn.input.is_empty() && hand.out.len() < TOGETHER
    }
}

/// What events say. A connection that is broken is not read any more: nobody is there for an answer.
fn on_flags(mut conn: Box<Conn>, flags: u8) -> Step {
    if flags & GONE != 0 {
        return Step::Close(conn);
    }
    conn.half |= flags & HALF != 0;
    conn.more |= flags & (READ | HALF) != 0;
    Step::Go(conn)
}
