//! First come, first served: the line that everything in `sync` waits in.
//!
//! ```text
//!   newcomer ── enter: it may pass at once ─────────────────────────────────────▶ passes
//!      │
//!      ▼ join                      called                            polled
//!   in the line ──────────────────▶ out of the line, and woken ────────────────▶ passes
//!      │ dropped                    │ dropped
//!      ▼ left: those behind may     ▼ pass_on: what it was called for goes to the next
//! ```
//!
//! What somebody waits for is handed over: who is called *has* it, before it is polled, and no newcomer can come in
//! between. So being called is all that there is to know, and it is known by not being in the line any more. A future
//! that is dropped looks whether it still was there, and gives back what it had if not: nothing is lost.
//!
//! The line is part of the state that one lock guards. Wakers are other people's code: they are cloned, woken and
//! dropped without that lock.
//!
//! This file uses nothing of the crate but `parker` and `quiet`, so that `loom/` can include it and try every order of
//! steps. A change begins there.

use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

use super::parker::Parker;
use crate::quiet::quietly;

/// Who waits, in the order of coming.
pub(super) struct Waiters {
    line: BTreeMap<u64, Waiter>,
    next: u64,
}

struct Waiter {
    /// How much of what is waited for it asks for.
    amount: usize,
    waker: Waker,
}

impl Waiters {
    pub(super) const fn new() -> Waiters {
        Waiters { line: BTreeMap::new(), next: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    /// How much the first in the line asks for.
    pub(super) fn first_amount(&self) -> Option<usize> {
        self.line.values().next().map(|waiter| waiter.amount)
    }

    /// Calls the first in the line, to whom the caller has given what it waits for. False if nobody waits.
    pub(super) fn call_first(&mut self, wakes: &mut Wakes) -> bool {
        let first = self.line.pop_first();
        first.map(|(_, waiter)| wakes.push(waiter.waker)).is_some()
    }

    pub(super) fn call_all(&mut self, wakes: &mut Wakes) {
        while self.call_first(wakes) {}
    }

    fn join(&mut self, amount: usize, waker: Waker) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.line.insert(ticket, Waiter { amount, waker });
        ticket
    }
}

/// Who was called under the lock, and is to be woken without it.
#[derive(Default)]
pub(super) struct Wakes {
    /// Most often there is one, which needs no allocation.
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Wakes {
    fn push(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.rest.push(waker),
        }
    }

    /// In the order of their calls. A waker that panics harms none of the others.
    pub(super) fn wake(self) {
        for waker in self.first.into_iter().chain(self.rest) {
            quietly(|| waker.wake());
        }
    }
}

pub(super) fn lock<S>(state: &Mutex<S>) -> MutexGuard<'_, S> {
    // Nothing of anybody else's runs under the lock, so the state is whole even if it is poisoned.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes the state under its lock, and then wakes those whom that called.
pub(super) fn change<S, R>(state: &Mutex<S>, by: impl FnOnce(&mut S, &mut Wakes) -> R) -> R {
    let mut wakes = Wakes::default();
    let result = by(&mut lock(state), &mut wakes);
    wakes.wake();
    result
}

/// What can be waited for. All but `state` and `amount` are called under the lock.
pub(super) trait Door {
    type State;
    /// What somebody has who passed.
    type Pass;

    fn state(&self) -> &Mutex<Self::State>;

    /// The line in front of this door.
    fn line<'s>(&self, state: &'s mut Self::State) -> &'s mut Waiters;

    fn amount(&self) -> usize {
        1
    }

    /// For a newcomer. `None` if it has to join the line; it must not be let in before others who wait.
    fn enter(&self, state: &mut Self::State) -> Option<Self::Pass>;

    /// For somebody who was called.
    fn called(&self, state: &mut Self::State) -> Self::Pass;

    /// Somebody was called who is not there any more.
    fn pass_on(&self, state: &mut Self::State, wakes: &mut Wakes);

    /// Somebody left the line uncalled.
    fn left(&self, _state: &mut Self::State, _wakes: &mut Wakes) {}
}

/// A wait at a door, by a future or by a thread. Takes its place in the line when it is first polled, and goes, with
/// all that it had, when it is dropped.
pub(super) struct Wait<D: Door> {
    pub(super) door: D,
    /// The place in the line. Kept until what it was called for is taken.
    ticket: Option<u64>,
}

impl<D: Door> Wait<D> {
    pub(super) fn new(door: D) -> Wait<D> {
        Wait { door, ticket: None }
    }

    /// Passes if it need not wait. For newcomers.
    pub(super) fn try_now(&self) -> Option<D::Pass> {
        self.door.enter(&mut lock(self.door.state()))
    }

    fn poll_with(&mut self, waker: &Waker) -> Poll<D::Pass> {
        // Cloned only where it is needed, and then without the lock, after which all is looked at again.
        let mut new = None;
        loop {
            let mut state = lock(self.door.state());
            match self.ticket {
                None => {
                    if let Some(pass) = self.door.enter(&mut state) {
                        return Poll::Ready(pass);
                    }
                    if let Some(new) = new.take() {
                        let amount = self.door.amount();
                        self.ticket = Some(self.door.line(&mut state).join(amount, new));
                        return Poll::Pending;
                    }
                }
                Some(ticket) => match self.door.line(&mut state).line.get_mut(&ticket) {
                    None => {
                        self.ticket = None;
                        return Poll::Ready(self.door.called(&mut state));
                    }
                    Some(waiter) if waiter.waker.will_wake(waker) => return Poll::Pending,
                    Some(waiter) => {
                        if let Some(new) = new.take() {
                            let old = mem::replace(&mut waiter.waker, new);
                            drop(state);
                            drop(old);
                            return Poll::Pending;
                        }
                    }
                },
            }
            drop(state);
            new = Some(waker.clone());
        }
    }

    /// Waits on this thread. `joined` is called when it has its place in the line, or has passed.
    pub(super) fn park(&mut self, joined: impl FnOnce()) -> D::Pass {
        let (parker, waker) = Parker::new();
        let first = self.poll_with(&waker);
        joined();
        if let Poll::Ready(pass) = first {
            return pass;
        }
        loop {
            parker.park();
            if let Poll::Ready(pass) = self.poll_with(&waker) {
                return pass;
            }
        }
    }

    /// Waits on this thread, but not beyond `deadline`. Who gives up is still in the line until this is dropped.
    pub(super) fn park_until(&mut self, deadline: Instant) -> Option<D::Pass> {
        let (parker, waker) = Parker::new();
        loop {
            if let Poll::Ready(pass) = self.poll_with(&waker) {
                return Some(pass);
            }
            if Instant::now() >= deadline {
                return None;
            }
            parker.park_until(deadline);
        }
    }
}

impl<D: Door + Unpin> Future for Wait<D> {
    type Output = D::Pass;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<D::Pass> {
        self.get_mut().poll_with(cx.waker())
    }
}

impl<D: Door> Drop for Wait<D> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else {
            return;
        };
        let waiter = change(self.door.state(), |state, wakes| {
            let waiter = self.door.line(state).line.remove(&ticket);
            match waiter {
                Some(_) => self.door.left(state, wakes),
                None => self.door.pass_on(state, wakes),
            }
            waiter
        });
        quietly(|| drop(waiter)); // this may be an unwinding already
    }
}
