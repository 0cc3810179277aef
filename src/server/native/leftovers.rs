//! What is read only to be thrown away: bodies that nobody wanted, and what comes behind the last response.

use std::time::Duration;

use super::conn::{Conn, Stage};
use super::core::Core;
use super::drive::Step;
use super::hand::Hand;

/// Bytes that are thrown away before a leader looks after the others.
const SKIP_AT_ONCE: usize = 1 << 20;
/// How long a client may send nothing after the last response, and not close.
pub(super) const LINGER: Duration = Duration::from_secs(2);

impl Core {
    /// Throws away what is left of a body that was not wanted.
    pub(super) fn drain(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        let mut skipped = 0;
        loop {
            let Stage::Draining(decoder, budget) = &mut conn.stage else { return Step::Go(conn) };
            match decoder.skip(conn.input.as_slice()) {
                Ok(progress) => {
                    conn.input.consume(progress.consumed);
                    skipped += progress.consumed;
                    *budget = budget.saturating_sub(progress.consumed as u64);
                    if decoder.is_done() {
                        conn.stage = Stage::Head;
                        conn.due = self.after(self.limits.keep_alive);
                        return Step::Go(conn);
                    }
                    if *budget == 0 {
                        return self.wind_up(conn, false, hand);
                    }
                    if progress.consumed > 0 && !conn.input.is_empty() {
                        continue; // what is wrong with the rest is told by itself
                    }
                }
                Err(_) => return self.wind_up(conn, false, hand),
            }
            if skipped > SKIP_AT_ONCE && hand.is_wanted() {
                return Step::Later(conn);
            }
            match Core::receive(&mut conn, &mut hand.scratch) {
                None => return Step::Close(conn),
                Some(0) if conn.ended => return Step::Close(conn),
                Some(0) if conn.more => {}
                Some(0) => return Step::Wait(conn),
                Some(n) => {
                    conn.input.push(&hand.scratch[..n]);
                    conn.due = self.after(self.limits.body_timeout);
                }
            }
        }
    }

    /// Waits for the client to see the end, and throws away what it sends until then.
    pub(super) fn linger(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        conn.input.consume(conn.input.as_slice().len());
        let mut skipped = 0;
        loop {
            match Core::receive(&mut conn, &mut hand.scratch) {
                None => return Step::Close(conn),
                Some(0) if conn.ended => return Step::Close(conn),
                Some(0) if conn.more => {}
                Some(0) => return Step::Wait(conn),
                Some(n) => {
                    let Stage::Lingering(budget, end) = &mut conn.stage else { return Step::Close(conn) };
                    skipped += n;
                    *budget = budget.saturating_sub(n as u64);
                    if *budget == 0 {
                        return Step::Close(conn);
                    }
                    conn.due = self.after(LINGER).min(*end);
                    if skipped > SKIP_AT_ONCE && hand.is_wanted() {
                        return Step::Later(conn);
                    }
                }
            }
        }
    }

    /// The last response is out: the client has to see that before the connection is closed. With `clean` there is
    /// nothing that it can still be sending.
    pub(super) fn wind_up(&self, mut conn: Box<Conn>, clean: bool, hand: &mut Hand<'_>) -> Step {
        if conn.ended {
            return Step::Close(conn);
        }
        if clean && conn.input.is_empty() {
            conn.more = true;
            match Core::receive(&mut conn, &mut hand.scratch) {
                Some(0) if conn.ended || !conn.more => return Step::Close(conn),
                None => return Step::Close(conn),
                Some(_) => {}
            }
        }
        conn.stream.finish();
        conn.due = self.after(LINGER);
        conn.stage = Stage::Lingering(self.limits.unread_body, self.after(self.limits.body_timeout));
        conn.more = true;
        Step::Go(conn)
    }
}
