//! A number of permits, given out in the order in which they were asked for: the lock has one, the semaphore some, the
//! queue one for each place and one for each item.
//!
//! As `waiters`, this file is included by `loom/`.

#[cfg(loom)]
use loom::sync::Mutex;
#[cfg(not(loom))]
use std::sync::Mutex;

use super::waiters::{Door, Waiters, Wakes};

/// Nobody waits for what is free already: after each change those in front have been given what there is for them. So
/// `free` is less than the first in the line asks for.
pub(super) struct Permits {
    free: usize,
    pub(super) line: Waiters,
}

impl Permits {
    pub(super) const fn new(free: usize) -> Permits {
        Permits { free, line: Waiters::new() }
    }

    pub(super) fn free(&self) -> usize {
        self.free
    }

    /// Takes permits for a newcomer, who does not get what others wait for, even if it is too little for them.
    pub(super) fn try_take(&mut self, amount: usize) -> bool {
        let may = self.line.is_empty() && self.free >= amount;
        if may {
            self.free -= amount;
        }
        may
    }

    /// Gives permits back, or new ones.
    pub(super) fn give(&mut self, amount: usize, wakes: &mut Wakes) {
        // As many as that are without number: none will ever be missed.
        self.free = self.free.saturating_add(amount);
        self.hand_out(wakes);
    }

    fn hand_out(&mut self, wakes: &mut Wakes) {
        while let Some(amount) = self.line.first_amount()
            && amount <= self.free
        {
            self.free -= amount;
            self.line.call_first(wakes);
        }
    }

    /// For a [`Door`] to permits that is left.
    pub(super) fn left(&mut self, wakes: &mut Wakes) {
        // It may have been the first, who asked for more than those behind.
        self.hand_out(wakes);
    }
}

/// Somebody who asks for permits.
pub(super) struct Asking<'a> {
    pub(super) permits: &'a Mutex<Permits>,
    pub(super) amount: usize,
}

impl Door for Asking<'_> {
    type State = Permits;
    type Pass = ();

    fn state(&self) -> &Mutex<Permits> {
        self.permits
    }

    fn line<'s>(&self, permits: &'s mut Permits) -> &'s mut Waiters {
        &mut permits.line
    }

    fn amount(&self) -> usize {
        self.amount
    }

    fn enter(&self, permits: &mut Permits) -> Option<()> {
        permits.try_take(self.amount).then_some(())
    }

    fn called(&self, _: &mut Permits) {}

    fn pass_on(&self, permits: &mut Permits, wakes: &mut Wakes) {
        permits.give(self.amount, wakes);
    }

    fn left(&self, permits: &mut Permits, wakes: &mut Wakes) {
        permits.left(wakes);
    }
}
