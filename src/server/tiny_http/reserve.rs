//! The owner of overload: answers what no worker comes for, from outside of the pool.
//!
//! tiny_http does not tell how long a request has waited, so its queue is asked: while no worker is free, a *marker*
//! (an `unblock`) is put behind all that waits. When a worker comes by it, everything that was before it has been taken,
//! and the marker's age bounds that of what is left. A marker that is older than the deadline has only requests before
//! it that are older still: they are answered with 503.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ::tiny_http as tiny;

use super::head::Terms;
use super::{State, lock};
use crate::pool::Watch;

/// When the marker that is in the queue was put there.
#[derive(Default)]
pub(super) struct Marker(Mutex<Option<Instant>>);

/// The marker, or some other wake-up, has been taken from the queue.
pub(super) fn passed(state: &State) {
    *lock(&state.marker.0) = None;
}

pub(super) fn run(state: &Arc<State>, watch: &Watch) {
    let deadline = state.limits.queue_deadline;
    let pace = (deadline / 8).clamp(Duration::from_millis(5), Duration::from_millis(250));
    while watch.until_saturated() {
        passed(state);
        while !watch.closing() {
            let Some(server) = state.front.server() else { return };
            let since = *lock(&state.marker.0);
            match since {
                None if !watch.saturated() => break,
                None => {
                    *lock(&state.marker.0) = Some(Instant::now());
                    server.unblock();
                }
                Some(since) if since.elapsed() >= deadline => refuse_up_to_marker(state, &server),
                Some(_) => {}
            }
            watch.pause(pace);
        }
    }
}

fn refuse_up_to_marker(state: &Arc<State>, server: &Arc<tiny::Server>) {
    let mut refused = 0_u64;
    while lock(&state.marker.0).is_some() {
        match server.try_recv() {
            Ok(Some(request)) => {
                refused += 1;
                state.taken_aside.fetch_add(1, Ordering::Relaxed);
                state.refused.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(state);
                let reader_matters = Terms::of(&request).reader_matters;
                // Not by this thread: the answer may have to wait for that to the request before on its connection.
                if let Err(job) = state.refusals.run(Box::new(move || shared.overloaded(request))) {
                    if reader_matters {
                        // Dropping it would wait for its body, after an allocation of the size that it claims.
                        std::mem::forget(job);
                        state.leaked();
                    }
                    log::error!("too many requests to refuse, one was dropped");
                }
            }
            // The marker. (Or there was none, or the accept loop has died, which a worker will find as well.)
            _ => passed(state),
        }
    }
    if refused > 0 {
        let seconds = state.limits.queue_deadline.as_secs_f32();
        log::warn!("no worker was free for {seconds} s: answered {refused} waiting requests with 503");
    }
}
