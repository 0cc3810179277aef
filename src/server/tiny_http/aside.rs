//! A few threads beside the pool, for what waits for clients: a worker must not.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ::tiny_http::ReadWrite;

use super::lease::Rest;
use crate::quiet::quietly;

/// How many bytes of a body are read at once to be thrown away.
const STEP: usize = 64 * 1024;
/// How long a thread waits for another job before it ends.
const IDLE: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce() + Send>;

/// Threads that are started when there is something to do and end when there is not.
pub(super) struct Aside(Arc<Shared>);

struct Shared {
    name: &'static str,
    max_threads: usize,
    max_waiting: usize,
    state: Mutex<State>,
    /// Told when there is a job, when one has ended, and at the end.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closing: bool,
}

impl Aside {
    pub(super) fn new(name: &'static str, max_threads: usize, max_waiting: usize) -> Aside {
        let shared = Shared { name, max_threads, max_waiting, state: Mutex::default(), changed: Condvar::new() };
        Aside(Arc::new(shared))
    }

    /// Has `job` done, or gives it back when there is too much to do.
    pub(super) fn run(&self, job: Job) -> Result<(), Job> {
        let mut state = self.0.lock();
        if state.closing || state.waiting.len() >= self.0.max_waiting {
            return Err(job);
        }
        state.waiting.push_back(job);
        if state.waiting.len() > state.idle && state.threads < self.0.max_threads {
            let shared = Arc::clone(&self.0);
            match thread::Builder::new().name(self.0.name.into()).spawn(move || shared.work()) {
                Ok(_) => state.threads += 1,
                // Another one will come to it, or there is nobody.
                Err(_) if state.threads > 0 => {}
                Err(_) => return state.waiting.pop_back().map_or(Ok(()), Err),
            }
        }
        drop(state);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Takes no more jobs and waits for those there are, until `deadline`. Threads that wait for a client then are left
    /// to it.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.0.lock();
        state.closing = true;
        self.0.changed.notify_all();
        while state.threads > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                drop(state);
                if quietly(job).is_none() {
                    quietly(|| log::error!("{} panicked", self.name));
                }
                state = self.lock();
                continue;
            }
            if state.closing {
                break;
            }
            state.idle += 1;
            let (back, waited) = self.changed.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = back;
            state.idle -= 1;
            if waited.timed_out() && state.waiting.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        drop(state);
        self.changed.notify_all();
    }
}

/// Reads the rest of a request's body, so that the next request on its connection can be read: at most `limit` bytes.
/// Returns whether that was all. If not, the stream must not be dropped.
pub(super) fn drain(stream: &mut (dyn ReadWrite + Send), rest: Rest, limit: u64) -> bool {
    let mut left = match rest {
        Rest::Nothing => return true,
        Rest::Unknown => return false,
        Rest::Sized(left) if left > limit => return false,
        Rest::Sized(left) => left,
        Rest::Chunks => limit,
    };
    let mut block = vec![0; STEP];
    loop {
        if left == 0 {
            return matches!(rest, Rest::Sized(_));
        }
        let want = left.min(STEP as u64) as usize;
        match stream.read(&mut block[..want]) {
            // All of it, or the client has gone.
            Ok(0) => return true,
            Ok(got) => left -= got as u64,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Where a sized body cannot be read any more, there is no connection, and its rest is within the limit.
            // Broken chunks have no end.
            Err(_) => return matches!(rest, Rest::Sized(_)),
        }
    }
}
