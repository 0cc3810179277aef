//! Who does what: the workers of the pool, of whom one leads each shard and the others wait for something to do.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a worker is to do.
pub(super) enum Order<J> {
    /// Lead this shard, in this term of office.
    Lead(usize, u64),
    Job(J),
    /// Nobody needs it any more.
    End,
}

/// The workers without a shard, and what waits for one.
pub(super) struct Crew<J> {
    state: Mutex<State<J>>,
    most_jobs: usize,
}

struct State<J> {
    /// Last in, first out: who worked last is warm, and those at the bottom end when nobody wants them.
    idle: Vec<Arc<Seat<J>>>,
    waiting: VecDeque<(Instant, J)>,
    /// Shards without a leader.
    vacant: VecDeque<(usize, u64)>,
    /// Workers in a job, those among them that led until they were found to block.
    working: usize,
    closing: bool,
}

/// Where a worker waits.
pub(super) struct Seat<J> {
    order: Mutex<Option<Order<J>>>,
    bell: Condvar,
}

impl<J> Seat<J> {
    pub(super) fn new() -> Arc<Seat<J>> {
        Arc::new(Seat { order: Mutex::new(None), bell: Condvar::new() })
    }

    fn give(&self, order: Order<J>) {
        *lock(&self.order) = Some(order);
        self.bell.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<J> Crew<J> {
    /// At most `most_jobs` at once are done by those who do not lead.
    pub(super) fn new(most_jobs: usize) -> Crew<J> {
        let (idle, waiting, vacant) = (Vec::new(), VecDeque::new(), VecDeque::new());
        Crew { state: Mutex::new(State { idle, waiting, vacant, working: 0, closing: false }), most_jobs }
    }

    /// Gives a job to a worker who waits, or keeps it until one comes by: `false`, and a new one would help.
    pub(super) fn submit(&self, job: J) -> bool {
        let mut state = lock(&self.state);
        // Never past those who have waited for longer.
        if state.waiting.is_empty()
            && state.working < self.most_jobs
            && let Some(seat) = state.idle.pop()
        {
            state.working += 1;
            drop(state);
            seat.give(Order::Job(job));
            return true;
        }
        state.waiting.push_back((Instant::now(), job));
        state.working >= self.most_jobs
    }

    /// Has somebody lead a shard: `false` when nobody is there, and a new worker would.
    pub(super) fn appoint(&self, shard: usize, term: u64) -> bool {
        let mut state = lock(&self.state);
        match state.idle.pop() {
            Some(seat) => {
                drop(state);
                seat.give(Order::Lead(shard, term));
                true
            }
            None => {
                state.vacant.push_back((shard, term));
                false
            }
        }
    }

    /// A leader was found to block, and counts among those in a job until [`done`](Crew::done).
    pub(super) fn deposed(&self) {
        lock(&self.state).working += 1;
    }

    /// A worker has done its job.
    pub(super) fn done(&self) {
        lock(&self.state).working -= 1;
    }

    /// How many more workers could do something at once.
    pub(super) fn wanted(&self) -> usize {
        let state = lock(&self.state);
        let jobs = state.waiting.len().min(self.most_jobs.saturating_sub(state.working));
        (state.vacant.len() + jobs).saturating_sub(state.idle.len())
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

    /// Sends home so many of those that have nothing to do; those that have had nothing for longest.
    pub(super) fn dismiss(&self, count: usize) {
        let mut state = lock(&self.state);
        let count = count.min(state.idle.len());
        for seat in state.idle.drain(..count) {
            seat.give(Order::End);
        }
    }

    /// What is next for a worker that has nothing to do.
    pub(super) fn next(&self, seat: &Arc<Seat<J>>) -> Order<J> {
        {
            let mut state = lock(&self.state);
            if let Some((shard, term)) = state.vacant.pop_front() {
                return Order::Lead(shard, term);
            }
            if state.working < self.most_jobs
                && let Some((_, job)) = state.waiting.pop_front()
            {
                state.working += 1;
                return Order::Job(job);
            }
            if state.closing {
                return Order::End;
            }
            state.idle.push(Arc::clone(seat));
        }
        let mut order = lock(&seat.order);
        loop {
            match order.take() {
                Some(order) => return order,
                None => order = seat.bell.wait(order).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Sends home whoever has nothing to do, now and from now on; what waits is still done.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closing = true;
        for seat in state.idle.drain(..) {
            seat.give(Order::End);
        }
    }
}
