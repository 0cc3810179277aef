//! What all threads of the engine share.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::HeaderMap;

use super::claim::Outcome;
use super::conn::{Conn, Terms};
use super::crew::Crew;
use super::door::{Door, LISTENER};
use super::hand::Hand;
use super::lease::{Lease, Waiting};
use super::predict::{Kind, Predictor};
use super::ready::{Event, Interest, Ready};
use super::shard::Shard;
use super::table::{NEVER, Table, Token};
use super::tls::Acceptor;
use crate::pool::Watch;
use crate::proto::HeadLimits;
use crate::request::Request;
use crate::response::Response;
use crate::server::{Limits, Listener};
use crate::service::Service;

pub(super) struct Core {
    /// Itself, for threads that outlive a call.
    pub(super) this: Weak<Core>,
    pub(super) service: Arc<dyn Service>,
    pub(super) limits: Limits,
    pub(super) head_limits: HeadLimits,
    /// Connections are encrypted.
    pub(super) acceptor: Option<Acceptor>,
    pub(super) table: Table,
    pub(super) shards: Vec<Shard>,
    pub(super) crew: Crew<Job>,
    pub(super) predictor: Predictor,
    pub(super) waiting: Arc<Waiting>,
    pub(super) figures: Figures,
    pub(super) watch: OnceLock<Watch>,
    /// New connections go to the first so many shards, and old ones move there: more only when those have no time left.
    pub(super) active: AtomicUsize,
    phase: AtomicU8,
    pub(super) listener: Mutex<Door>,
    /// The last attempt to accept failed for want of descriptors or memory.
    pub(super) short: AtomicBool,
    started: Instant,
    /// Told when a connection has ended during a shutdown, when the first one comes, and at the end.
    changed: (Mutex<()>, Condvar),
    clock_asleep: AtomicBool,
}

/// What is counted.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) accepted: AtomicU64,
    pub(super) panics: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) timeouts: AtomicU64,
}

/// What a worker that does not lead can be asked for.
pub(super) enum Job {
    /// Handle a request.
    Call(Box<Call>),
    /// Go on with a handshake.
    Handshake(Box<Conn>),
    /// Send a response that is made while it is sent.
    Send(Box<Answered>),
    /// See to an event.
    Event(Event),
    /// Drop what may take its time with that.
    Discard(Box<dyn Send>),
}

pub(super) struct Call {
    pub(super) conn: Box<Conn>,
    pub(super) request: Request,
    pub(super) terms: Terms,
    pub(super) lease: Option<Arc<Lease>>,
    pub(super) kind: Kind,
}

pub(super) struct Answered {
    pub(super) conn: Box<Conn>,
    pub(super) response: Response,
    pub(super) terms: Terms,
    pub(super) lease: Option<Arc<Lease>>,
}

const RUNNING: u8 = 0;
const DRAINING: u8 = 1;
const ENDING: u8 = 2;

impl Core {
    pub(super) fn new(
        listener: Listener,
        service: Arc<dyn Service>,
        limits: &Limits,
        acceptor: Option<Acceptor>,
        shards: usize,
    ) -> io::Result<Arc<Core>> {
        let limits = limits.clone();
        let shards = (0..shards).map(|_| Shard::new()).collect::<io::Result<Vec<_>>>()?;
        let listener = Arc::new(listener);
        shards[0].ready.add(&listener, LISTENER, Interest::Listener)?;
        let crew = Crew::new(limits.max_workers)?;
        Ok(Arc::new_cyclic(|this| Core {
            this: Weak::clone(this),
            service,
            head_limits: HeadLimits { bytes: limits.head, headers: limits.headers, target: limits.target },
            acceptor,
            table: Table::new(limits.connections),
            crew,
            predictor: Predictor::new(),
            waiting: Waiting::new(&limits),
            figures: Figures::default(),
            watch: OnceLock::new(),
            active: AtomicUsize::new(1),
            phase: AtomicU8::new(RUNNING),
            listener: Mutex::new(Door::Open(listener)),
            short: AtomicBool::new(false),
            started: Instant::now(),
            changed: (Mutex::new(()), Condvar::new()),
            clock_asleep: AtomicBool::new(false),
            shards,
            limits,
        }))
    }

    /// Milliseconds since the start.
    pub(super) fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// That time from now.
    pub(super) fn after(&self, time: Duration) -> u64 {
        // Limits may be as long as there are numbers for.
        u64::try_from(self.started.elapsed().saturating_add(time).as_millis()).unwrap_or(NEVER)
    }

    /// The server is shutting down: responses are the last ones on their connections.
    pub(super) fn is_draining(&self) -> bool {
        self.phase.load(Ordering::Relaxed) >= DRAINING
    }

    /// Threads shall end.
    pub(super) fn is_ending(&self) -> bool {
        self.phase.load(Ordering::SeqCst) >= ENDING
    }

    pub(super) fn start_draining(&self) {
        self.phase.store(DRAINING, Ordering::SeqCst);
        self.wake_clock();
    }

    pub(super) fn end(&self) {
        self.phase.store(ENDING, Ordering::SeqCst);
        self.crew.close();
        for shard in &self.shards {
            shard.ready.wake();
        }
        self.wake_clock();
    }

    /// There is a connection: the clock sleeps until the first one comes.
    pub(super) fn rouse_clock(&self) {
        if self.clock_asleep.load(Ordering::SeqCst) {
            self.wake_clock();
        }
    }

    pub(super) fn wake_clock(&self) {
        drop(self.changed.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.1.notify_all();
    }

    /// Waits until something has changed, or for so long. `None`: until there is a connection.
    pub(super) fn pause(&self, time: Option<Duration>) {
        let guard = self.changed.0.lock().unwrap_or_else(PoisonError::into_inner);
        match time {
            Some(time) => drop(self.changed.1.wait_timeout(guard, time)),
            None => {
                self.clock_asleep.store(true, Ordering::SeqCst);
                // A connection that came before that has not seen it; now it is seen here.
                // So is a listener that is to be looked at again.
                let idle = self.table.open() == 0 && !matches!(*self.door(), Door::Paused(..));
                if idle && self.phase.load(Ordering::SeqCst) == RUNNING {
                    drop(self.changed.1.wait(guard));
                }
                self.clock_asleep.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Gives a job away. The caller leads.
    pub(super) fn submit(&self, job: Job) {
        if !self.crew.submit(job) {
            self.hurry();
        }
    }

    pub(super) fn hurry(&self) {
        if let Some(watch) = self.watch.get() {
            watch.hurry();
        }
    }

    /// An event has come.
    pub(super) fn on_event(&self, event: Event, hand: &mut Hand<'_>) {
        if event.token == LISTENER {
            return self.on_listener(hand);
        }
        let token = Token::from_u64(event.token);
        let place = self.table.place(token.index);
        if place.claim.event(token.generation, event.flags) == Outcome::Mine
            && let Some(conn) = place.take()
        {
            self.drive(conn, event.flags, hand);
        }
    }

    /// Where a connection belongs: a shard, or the place behind the last one, which is the lounge.
    pub(super) fn shard_of(&self, conn: &Conn) -> usize {
        match self.active.load(Ordering::Relaxed) {
            _ if conn.slow > 0 && self.crew.lounge.guests().is_some() => self.shards.len(),
            1 => 0,
            active => conn.token.index as usize % active,
        }
    }

    pub(super) fn ready(&self, shard: usize) -> &Ready {
        let shard = self.shards.get(shard).map(|shard| &shard.ready);
        shard.or(self.crew.lounge.guests()).expect("no connection is sent to a lounge that takes none")
    }
}

/// The place of trailers that come with a request's body.
pub(super) type Trailers = Arc<OnceLock<HeaderMap>>;
