//! What a worker brings along for every connection that it takes in hand.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::core::Core;
use super::crew::Order;
use super::ready::Found;
use super::shard::Next;
use crate::pool::Worker;
use crate::proto::HeadWriter;
use crate::quiet::quietly;

/// Bytes that are read at once.
const SCRATCH: usize = 32 * 1024;
/// Requests of one connection that are answered before others get their turn: also those who wait for a worker.
const IN_A_ROW: u32 = 64;
/// A round of a leader, in which all who could go on have their turn, has about so many requests, and at least so many of
/// each connection.
const ROUND: u32 = 1024;
const LEAST: u32 = 8;

pub(super) struct Hand<'w> {
    /// The worker whose hand it is; none for the clock and for a shutdown.
    pub(super) worker: Option<&'w Worker<'w>>,
    /// It leads a shard: it must not wait for anything but events.
    pub(super) leads: bool,
    /// What was read; nothing in it outlives a call.
    pub(super) scratch: Box<[u8]>,
    /// Responses of the connection at hand that are to be sent.
    pub(super) out: Vec<u8>,
    pub(super) heads: HeadWriter,
    /// Requests taken, to time one of so many.
    pub(super) turn: u32,
    /// Requests of one connection that are answered before others get their turn.
    pub(super) in_a_row: u32,
}

impl<'w> Hand<'w> {
    pub(super) fn new(worker: Option<&'w Worker<'w>>) -> Hand<'w> {
        Hand {
            worker,
            leads: false,
            scratch: vec![0; SCRATCH].into(),
            out: Vec::new(),
            heads: HeadWriter::default(),
            turn: 0,
            in_a_row: IN_A_ROW,
        }
    }

    /// Others wait for it: it may run only what is quick, and nothing that waits for a client.
    pub(super) fn is_wanted(&self) -> bool {
        self.leads || self.worker.is_none()
    }

    /// Says what it is about to do, for whoever finds it stuck there.
    pub(super) fn note(&self, note: u64) {
        if let Some(worker) = self.worker {
            worker.note(note);
        }
    }
}

/// A worker that is there, until this is dropped.
struct Present<'a>(&'a AtomicUsize);

impl<'a> Present<'a> {
    fn of(count: &'a AtomicUsize) -> Present<'a> {
        count.fetch_add(1, Ordering::Relaxed);
        Present(count)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Core {
    /// Does a piece of work in which a handler's leftovers or a logger may panic: that ends the connection at hand, and
    /// nothing else.
    pub(super) fn safely(&self, hand: &mut Hand<'_>, work: impl FnOnce(&mut Hand<'_>)) {
        if quietly(|| work(hand)).is_none() {
            self.figures.panics.fetch_add(1, Ordering::Relaxed);
            // What it was in the middle of is nothing that the next connection may find.
            *hand = Hand { leads: hand.leads, in_a_row: hand.in_a_row, ..Hand::new(hand.worker) };
            quietly(|| log::error!("something panicked outside of a handler: its connection is closed"));
        }
    }

    /// What every worker does: leads a shard, or does what the leaders leave to it.
    pub(super) fn work(&self, worker: &Worker<'_>) {
        let mut hand = Hand::new(Some(worker));
        let _present = Present::of(&self.crew.present);
        loop {
            match self.crew.next() {
                Order::Lead(shard, term) => self.lead(shard, term, worker, &mut hand),
                Order::Job(job) => {
                    let busy = worker.job();
                    self.safely(&mut hand, |hand| self.perform(job, hand));
                    drop(busy);
                    self.crew.done();
                }
                Order::Event(event) => {
                    let busy = worker.job();
                    self.safely(&mut hand, |hand| self.on_event(event, hand));
                    drop(busy);
                    self.crew.done();
                }
                Order::Pass(event) => self.shards[0].again(event),
                Order::End => return,
            }
        }
    }

    fn lead(&self, index: usize, term: u64, worker: &Worker<'_>, hand: &mut Hand<'_>) {
        let shard = &self.shards[index];
        if !shard.take_office(term, worker.id()) {
            return;
        }
        hand.leads = true;
        let (mut found, mut events) = (Found::new(), Vec::with_capacity(256));
        loop {
            match shard.next(term) {
                Next::Event(event) => {
                    let busy = worker.job();
                    self.safely(hand, |hand| self.on_event(event, hand));
                    drop(busy);
                }
                Next::Wait(only_look) => {
                    if self.is_ending() {
                        break;
                    }
                    shard.ready.wait(&mut found, &mut events, only_look);
                    let round = shard.found(&mut events);
                    hand.in_a_row = (ROUND / round.max(1)).clamp(LEAST, IN_A_ROW);
                }
                Next::Deposed => {
                    // It has been counted among those who do a job since then.
                    self.crew.done();
                    break;
                }
            }
        }
        hand.leads = false;
        hand.in_a_row = IN_A_ROW;
    }
}
