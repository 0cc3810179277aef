//! The native engine: blocking HTTP/1.1, with a bounded number of threads, timeouts for everything that a client can
//! hold up, strict framing and an orderly end.
//!
//! ```text
//!            ┌────────────── shard 0 ──────────────┐                      ┌ worker ┐
//!  accept ──▶│ ready ─▶ leader: head, handler, send │── will it block? ──▶ │ worker │  as many as block at once,
//!            └──────────────────────────────────────┘                      └ worker ┘  up to `max_workers`
//! ```
//!
//! **Shards.** There is one for each processor: a set of connections of which those that are `ready` are told (epoll, or
//! what the system has instead), and exactly one worker that *leads* it: it waits for events, reads, runs the handler and
//! writes, all by itself. New connections go to the first shard for as long as its leader has time left; more shards take
//! part when it has not, and connections move over with their next request.
//!
//! **Handlers that block.** A leader runs only what is quick. A predictor remembers which kinds of request
//! were not, and those are handed to one of the other workers, who may block as they like. A wrong guess stops the shard
//! until the pool's ticker finds its leader asleep in a handler, a millisecond later: then another worker leads.
//!
//! **Connections** are places in a table, owned by one thread at a time. While nobody owns
//! them they cost a few hundred bytes and no thread, whatever they wait for: a head, a small body, room for
//! the rest of a response, the end.
//!
//! **TLS** (feature `tls`) is between a connection and its socket, and the rest of the engine does not see it. Handshakes
//! are done by workers that do not lead; what is encrypted and not yet sent is at most 64 KiB for each connection.
//!
//! **Time** is the clock's: one thread goes through the connections a few times a second.

mod answer;
mod blocks;
mod claim;
mod clock;
mod conn;
mod core;
mod crew;
mod dispatch;
mod door;
mod drive;
mod entry;
mod hand;
mod handshake;
mod hold;
mod intake;
mod lease;
mod leftovers;
mod load;
mod predict;
mod ready;
mod shard;
mod stream;
mod system;
mod table;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod upgrade;

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Engine, Listener, Running, ServerStats, Setup, ShutdownReport};
use crate::pool::{LAST_WORDS, Look, Pool, Source, Worker, join_until};
use crate::service::Service;
use core::{Core, Job};
use drive::NO_HANDLER;
use hand::Hand;
use predict::Kind;
use stream::FOR_EVER;

/// A leader that computes for longer than this is worked around, as one that sleeps is at once.
const UNFAIR: Duration = Duration::from_millis(10);

/// One that computes for this long may have to be worked around the next time, and is timed then.
const LONG: Duration = Duration::from_millis(2);

/// The native engine: [`EngineKind::Native`](super::EngineKind::Native).
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

struct Server {
    core: Arc<Core>,
    pool: Pool,
    clock: Mutex<Option<JoinHandle<()>>>,
}

/// The pool's way to the engine.
struct Staff(Arc<Core>);

impl Engine for Native {
    fn start(&self, listener: Listener, service: Arc<dyn Service>, setup: &Setup) -> io::Result<Box<dyn Running>> {
        listener.set_nonblocking(true)?;
        system::raise_descriptors(setup.limits.connections);
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        let limits = &setup.limits;
        let shards = cores.min(limits.max_workers).max(1);
        let core = Core::new(listener, service, limits, tls::acceptor(setup), shards)?;
        for shard in 0..shards {
            core.crew.appoint(shard, 0);
        }
        // Beside those that may block, one for each shard, and one to take over from another at the worst moment.
        let most = limits.max_workers + shards + 1;
        let pool = Pool::start(setup.workers.clamp(shards, most), most, Arc::new(Staff(Arc::clone(&core))))?;
        let _ = core.watch.set(pool.watch());
        let ticking = Arc::clone(&core);
        let clock = thread::Builder::new().name("dewar-clock".into()).spawn(move || clock::run(&ticking))?;
        Ok(Box::new(Server { core, pool, clock: Mutex::new(Some(clock)) }))
    }
}

impl Source for Staff {
    fn work(&self, worker: &Worker<'_>) {
        self.0.work(worker);
    }

    fn wanted(&self, look: &Look<'_>) -> usize {
        for stuck in look.stuck() {
            for (index, shard) in self.0.shards.iter().enumerate() {
                if shard.leader() != Some(stuck.id()) {
                    continue;
                }
                if stuck.age >= LONG && stuck.note() != NO_HANDLER {
                    self.0.predictor.doubt(Kind::from_u64(stuck.note()));
                }
                if stuck.is_blocked(UNFAIR)
                    && let Some(term) = shard.depose(stuck.id())
                {
                    if stuck.note() != NO_HANDLER {
                        self.0.predictor.was_wrong(Kind::from_u64(stuck.note()), stuck.is_asleep(), self.0.now());
                    }
                    self.0.crew.deposed();
                    self.0.crew.appoint(index, term);
                }
            }
        }
        // Those that were started and have not come yet need not be started again.
        let coming = look.workers.saturating_sub(self.0.crew.present.load(Ordering::Relaxed));
        self.0.crew.wanted(Job::Event, |event| self.0.shards[0].again(event)).saturating_sub(coming)
    }

    fn needed(&self, look: &Look<'_>) -> usize {
        look.workers - look.free
    }

    fn dismiss(&self, count: usize) {
        self.0.crew.dismiss(count);
    }

    fn is_impatient(&self) -> bool {
        true
    }
}

impl Running for Server {
    fn stats(&self) -> ServerStats {
        let (core, mut pool) = (&self.core, self.pool.stats());
        // A leader is always free; what counts is how long others have waited.
        pool.saturated = core.crew.oldest().map_or(Duration::ZERO, |since| since.elapsed());
        ServerStats {
            requests: core.shards.iter().map(|shard| shard.requests.load(Ordering::Relaxed)).sum(),
            panics: pool.panics + core.figures.panics.load(Ordering::Relaxed),
            leaked_readers: 0,
            connections: core.table.open(),
            accepted: core.figures.accepted.load(Ordering::Relaxed),
            waiting: core.crew.waiting(),
            timeouts: core.figures.timeouts.load(Ordering::Relaxed) + core.waiting.given_up.load(Ordering::Relaxed),
            refused_503: core.figures.refused.load(Ordering::Relaxed),
            pool,
        }
    }

    fn stop(&self, grace: Duration) -> ShutdownReport {
        let core = &self.core;
        let deadline = Instant::now() + grace.min(FOR_EVER);
        let mut hand = Hand::new(None);
        core.start_draining();
        core.let_go_of_all(&mut hand);
        let until = (Instant::now() + core.limits.drain_grace.min(FOR_EVER)).min(deadline);
        while Instant::now() < until {
            core.pause(Some(until.saturating_duration_since(Instant::now())));
        }
        core.stop_accepting(&mut hand);
        let in_flight = core.in_flight();
        while core.table.open() > 0 && Instant::now() < deadline {
            // Again: one that was let go just when the draining began was not seen by the first look.
            core.let_go_of_all(&mut hand);
            core.pause(Some(deadline.saturating_duration_since(Instant::now()).min(Duration::from_millis(50))));
        }
        if core.in_flight() > 0 {
            // Handlers that wait in the bridge for what never comes get an error, and a moment to answer.
            self.pool.end_fragments();
            let last = Instant::now() + LAST_WORDS;
            while core.in_flight() > 0 && Instant::now() < last {
                core.pause(Some(Duration::from_millis(5)));
            }
        }
        let cut = core.cut_all();
        if cut > 0 {
            log::warn!("{cut} requests were not finished when the time for the shutdown was over");
        }
        self.pool.close();
        core.end();
        self.pool.join(deadline);
        if let Some(clock) = self.clock.lock().unwrap_or_else(PoisonError::into_inner).take() {
            join_until(vec![clock], deadline); // a logger may hold it
        }
        ShutdownReport { finished: in_flight.saturating_sub(cut), cut }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native").field("pool", &self.pool).finish_non_exhaustive()
    }
}
