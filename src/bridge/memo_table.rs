//! What a memo keeps: values, and runs with those who wait for them. The reckoning, without lock or clock.
//!
//! What is handed out is for its receiver to drop or wake when the lock is let go: values, keys and wakers are other
//! people's.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

pub(crate) struct Table<K, V> {
    slots: HashMap<Arc<K>, Slot<V>>,
    /// The keys with a value, by their last use.
    uses: BTreeMap<u64, Arc<K>>,
    /// Those that somebody takes part in; also such that their key does not know any more (`forget`).
    runs: HashMap<u64, Running<V>>,
    /// For uses, runs and callers alike.
    next_number: u64,
}

enum Slot<V> {
    Kept {
        value: Arc<V>,
        /// `None`: for ever.
        until: Option<Instant>,
        /// Its key in `uses`.
        used: u64,
    },
    /// The run of this number.
    Running(u64),
}

/// A run and its callers: the one who leads it, and those who wait.
struct Running<V> {
    /// Who runs the function; `None` when that one has failed and nobody has taken over yet.
    leader: Option<u64>,
    /// When the run has ended well: for those who wait, whatever becomes of the slot.
    value: Option<Arc<V>>,
    /// Everybody but the leader, in the order of their coming, each with a waker if it is to be woken.
    waiting: BTreeMap<u64, Option<Waker>>,
}

/// A caller's part in a run.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    run: u64,
    caller: u64,
}

pub(crate) enum Asked<V> {
    Value(Arc<V>),
    /// The caller is to make the value: then `end`, or else `leave`.
    Lead(Ticket),
    /// Somebody else does: `wait`, then `look` when woken; `leave` to give up.
    Wait(Ticket),
}

/// What is thrown out.
pub(crate) type Thrown<K, V> = Vec<(Arc<K>, Option<Arc<V>>)>;

impl<K, V> Table<K, V> {
    pub(crate) fn new() -> Table<K, V> {
        Table { slots: HashMap::new(), uses: BTreeMap::new(), runs: HashMap::new(), next_number: 0 }
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        self.uses.len()
    }

    /// A waiting caller's next question.
    pub(crate) fn look(&mut self, ticket: Ticket) -> Asked<V> {
        let Some(run) = self.runs.get_mut(&ticket.run) else {
            unreachable!("a run stays as long as somebody takes part in it");
        };
        if let Some(value) = &run.value {
            let value = Arc::clone(value);
            run.waiting.remove(&ticket.caller);
            if run.waiting.is_empty() {
                self.runs.remove(&ticket.run);
            }
            return Asked::Value(value);
        }
        if run.leader.is_some() {
            return Asked::Wait(ticket);
        }
        run.waiting.remove(&ticket.caller);
        run.leader = Some(ticket.caller);
        Asked::Lead(ticket)
    }

    /// Leaves a waker; the old one is handed out.
    pub(crate) fn wait(&mut self, ticket: Ticket, waker: Waker) -> Option<Waker> {
        self.runs.get_mut(&ticket.run)?.waiting.insert(ticket.caller, Some(waker)).flatten()
    }
}

impl<K: Hash + Eq, V> Table<K, V> {
    /// A caller's first question.
    pub(crate) fn ask(&mut self, key: &Arc<K>, now: Instant, expired: &mut Thrown<K, V>) -> Asked<V> {
        let use_now = self.number();
        match self.slots.get_mut(key) {
            Some(Slot::Kept { value, until, used }) if until.is_none_or(|until| now < until) => {
                let value = Arc::clone(value);
                let before = std::mem::replace(used, use_now);
                if let Some(own) = self.uses.remove(&before) {
                    self.uses.insert(use_now, own);
                }
                return Asked::Value(value);
            }
            Some(Slot::Running(run)) => {
                let ticket = Ticket { run: *run, caller: use_now };
                if let Some(run) = self.runs.get_mut(&ticket.run) {
                    run.waiting.insert(ticket.caller, None);
                }
                return self.look(ticket);
            }
            Some(Slot::Kept { .. }) => expired.extend(self.forget(key)),
            None => {}
        }
        let ticket = Ticket { run: use_now, caller: self.number() };
        let run = Running { leader: Some(ticket.caller), value: None, waiting: BTreeMap::new() };
        self.runs.insert(ticket.run, run);
        self.slots.insert(Arc::clone(key), Slot::Running(ticket.run));
        Asked::Lead(ticket)
    }

    /// The leader has a value. Hands out whom to wake, and what had to make room.
    pub(crate) fn end(
        &mut self,
        key: &Arc<K>,
        ticket: Ticket,
        value: Arc<V>,
        until: Option<Instant>,
        capacity: usize,
    ) -> (Vec<Waker>, Thrown<K, V>) {
        let mut wakers = Vec::new();
        let mut thrown = Vec::new();
        if let Some(run) = self.runs.get_mut(&ticket.run) {
            run.leader = None;
            wakers.extend(run.waiting.values_mut().filter_map(Option::take));
            if run.waiting.is_empty() {
                self.runs.remove(&ticket.run);
            } else {
                run.value = Some(Arc::clone(&value));
            }
        }
        // The key may have been forgotten meanwhile, and there may be a new run of it.
        if self.is_slot_of(key, ticket) {
            if let Some((own, _)) = self.slots.remove_entry(key) {
                let used = self.number();
                self.uses.insert(used, Arc::clone(&own));
                self.slots.insert(own, Slot::Kept { value, until, used });
            }
            while self.uses.len() > capacity
                && let Some((_, oldest)) = self.uses.pop_first()
            {
                thrown.extend(self.forget(&oldest));
                thrown.push((oldest, None));
            }
        } else {
            thrown.push((Arc::clone(key), Some(value)));
        }
        (wakers, thrown)
    }

    /// A caller gives up. Hands out whom to wake, its own waker, and the key if nobody is left.
    pub(crate) fn leave(&mut self, key: &Arc<K>, ticket: Ticket) -> (Option<Waker>, Option<Waker>, Thrown<K, V>) {
        let Some(run) = self.runs.get_mut(&ticket.run) else { return (None, None, Vec::new()) };
        let own = run.waiting.remove(&ticket.caller).flatten();
        if run.leader == Some(ticket.caller) {
            run.leader = None;
        }
        if run.leader.is_none() && run.waiting.is_empty() {
            let gone = self.runs.remove(&ticket.run).and_then(|run| run.value);
            let mut thrown: Thrown<K, V> = vec![(Arc::clone(key), gone)];
            if self.is_slot_of(key, ticket) {
                thrown.extend(self.forget(key));
            }
            return (None, own, thrown);
        }
        // Without a leader, the next one is woken to take over. That may have happened before and been for this caller.
        let next = if run.leader.is_none() { run.waiting.values_mut().find_map(Option::take) } else { None };
        (next, own, Vec::new())
    }

    pub(crate) fn forget(&mut self, key: &K) -> Thrown<K, V> {
        let mut thrown = Vec::new();
        if let Some((own, slot)) = self.slots.remove_entry(key) {
            self.throw(own, slot, &mut thrown);
        }
        thrown
    }

    pub(crate) fn forget_all(&mut self) -> Thrown<K, V> {
        let mut thrown = Vec::new();
        for (own, slot) in std::mem::take(&mut self.slots) {
            self.throw(own, slot, &mut thrown);
        }
        thrown
    }

    fn throw(&mut self, own: Arc<K>, slot: Slot<V>, thrown: &mut Thrown<K, V>) {
        match slot {
            Slot::Kept { value, used, .. } => {
                thrown.extend(self.uses.remove(&used).map(|key| (key, None)));
                thrown.push((own, Some(value)));
            }
            // Its callers go on; nobody else finds it.
            Slot::Running(_) => thrown.push((own, None)),
        }
    }

    fn is_slot_of(&self, key: &K, ticket: Ticket) -> bool {
        matches!(self.slots.get(key), Some(Slot::Running(run)) if *run == ticket.run)
    }
}
