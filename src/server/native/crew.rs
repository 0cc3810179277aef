//! Who does what: the workers of the pool, of whom one leads each shard and the others wait for something to do.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ready::{Event, Lounge};

/// What a worker is to do.
pub(super) enum Order<J> {
    /// Lead this shard, in this term of office.
    Lead(usize, u64),
    Job(J),
    /// See to this event.
    Event(Event),
    /// Leave this event to a leader: as many as may do a job already.
    Pass(Event),
    /// Nobody needs it any more.
    End,
}

/// The workers without a shard, and what waits for one.
pub(super) struct Crew<J> {
    state: Mutex<State<J>>,
    /// Where they wait; and, if the kernel can wake a worker for each by itself, connections whose requests are slow.
    pub(super) lounge: Lounge,
    /// Connections there.
    pub(super) guests: AtomicUsize,
    /// Workers that have come, wherever they are; others may just have been started.
    pub(super) present: AtomicUsize,
    most_jobs: usize,
}

struct State<J> {
    waiting: VecDeque<(Instant, J)>,
    /// Shards without a leader.
    vacant: VecDeque<(usize, u64)>,
    /// Workers in the lounge.
    idle: usize,
    /// So many of them shall leave.
    leaving: usize,
    /// Workers in a job, those among them that led until they were found to block.
    working: usize,
    closing: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<J> Crew<J> {
    /// At most `most_jobs` at once are done by those who do not lead.
    pub(super) fn new(most_jobs: usize) -> io::Result<Crew<J>> {
        let (waiting, vacant) = (VecDeque::new(), VecDeque::new());
        let state = State { waiting, vacant, idle: 0, leaving: 0, working: 0, closing: false };
        Ok(Crew {
            state: Mutex::new(state),
            lounge: Lounge::new()?,
            guests: AtomicUsize::new(0),
            present: AtomicUsize::new(0),
            most_jobs,
        })
    }

    /// Leaves a job to a worker: `false` when there is none for it, and a new one would help.
    pub(super) fn submit(&self, job: J) -> bool {
        let mut state = lock(&self.state);
        state.waiting.push_back((Instant::now(), job));
        let (free, full) = (state.idle >= state.waiting.len(), state.working >= self.most_jobs);
        let somebody = state.idle > 0;
        drop(state);
        if somebody && !full {
            self.lounge.ring();
        }
        free || full
    }

    /// Has somebody lead a shard: `false` when nobody is there, and a new worker would.
    pub(super) fn appoint(&self, shard: usize, term: u64) -> bool {
        let mut state = lock(&self.state);
        state.vacant.push_back((shard, term));
        let somebody = state.idle > 0;
        drop(state);
        self.lounge.ring();
        somebody
    }

    /// A leader was found to block, and counts among those in a job until [`done`](Crew::done).
    pub(super) fn deposed(&self) {
        lock(&self.state).working += 1;
    }

    /// A worker has done its job.
    pub(super) fn done(&self) {
        lock(&self.state).working -= 1;
    }

    /// How many more workers could do something at once. What the kernel has for workers of whom none is there is put
    /// in line first, so that it is counted, and is known to wait from now on. When there can be none either, it is for
    /// a leader: it may need no worker.
    ///
    /// While connections are in the lounge somebody has to be there, or to come back: nobody else is told of their next
    /// events, and whoever asks here sleeps when nothing happens.
    pub(super) fn wanted(&self, job: impl Fn(Event) -> J, lead: impl Fn(Event)) -> usize {
        let mut state = lock(&self.state);
        let guests = self.guests.load(Ordering::Relaxed) > 0;
        if state.idle == 0 && guests {
            let events = self.lounge.drain().into_iter();
            if state.working < self.most_jobs {
                let now = Instant::now();
                state.waiting.extend(events.map(|event| (now, job(event))));
            } else {
                events.for_each(lead);
            }
        }
        let jobs = state.waiting.len().min(self.most_jobs.saturating_sub(state.working));
        let host = usize::from(guests && state.working == 0);
        (state.vacant.len() + jobs.max(host)).saturating_sub(state.idle)
    }

    /// Whether as many do a job as may.
    pub(super) fn is_full(&self) -> bool {
        lock(&self.state).working >= self.most_jobs
    }

    /// Requests that wait for a worker.
    pub(super) fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }

    /// The job that has waited for longest, if that is `for_so_long`.
    pub(super) fn overdue(&self, for_so_long: Duration) -> Option<J> {
        let mut state = lock(&self.state);
        let (since, _) = state.waiting.front()?;
        if since.elapsed() < for_so_long {
            return None;
        }
        state.waiting.pop_front().map(|(_, job)| job)
    }

    /// Since when the request that has waited for longest has done so.
    pub(super) fn oldest(&self) -> Option<Instant> {
        lock(&self.state).waiting.front().map(|(since, _)| *since)
    }

    /// Sends home so many of those that have nothing to do; but one, while connections are in the lounge.
    pub(super) fn dismiss(&self, count: usize) {
        let mut state = lock(&self.state);
        let stays = usize::from(self.guests.load(Ordering::Relaxed) > 0);
        state.leaving = count.min(state.idle.saturating_sub(stays));
        if state.leaving > 0 {
            self.lounge.ring();
        }
    }

    /// What is next for a worker that has nothing to do.
    pub(super) fn next(&self) -> Order<J> {
        let mut state = lock(&self.state);
        loop {
            let order = if let Some((shard, term)) = state.vacant.pop_front() {
                Some(Order::Lead(shard, term))
            } else if state.working < self.most_jobs
                && let Some((_, job)) = state.waiting.pop_front()
            {
                state.working += 1;
                Some(Order::Job(job))
            } else if state.leaving > 0 || state.closing {
                state.leaving = state.leaving.saturating_sub(1);
                Some(Order::End)
            } else {
                None
            };
            if let Some(order) = order {
                // Several rings may have woken one worker only.
                let more = !state.vacant.is_empty() || !state.waiting.is_empty() || state.leaving > 0 || state.closing;
                if more && state.idle > 0 {
                    self.lounge.ring();
                }
                return order;
            }
            state.idle += 1;
            drop(state);
            let event = self.lounge.wait();
            state = lock(&self.state);
            state.idle -= 1;
            if let Some(event) = event {
                if state.working >= self.most_jobs {
                    return Order::Pass(event);
                }
                state.working += 1;
                return Order::Event(event);
            }
        }
    }

    /// Sends home whoever has nothing to do, now and from now on; what waits is still done.
    pub(super) fn close(&self) {
        lock(&self.state).closing = true;
        self.lounge.ring();
    }
}
