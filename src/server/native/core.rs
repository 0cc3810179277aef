//! What all threads of the engine share, and how connections come and go.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::HeaderMap;

use super::claim::{GONE, Outcome, READ};
use super::conn::{Conn, Stage, Terms};
use super::crew::Crew;
use super::door::{Door, LISTENER};
use super::hand::Hand;
use super::lease::{Lease, Waiting};
use super::predict::{Kind, Predictor};
use super::ready::{Event, Interest, Ready};
use super::shard::Shard;
use super::stream::Wait;
use super::table::{NEVER, Table, Token};
use super::tls::Acceptor;
use crate::pool::Watch;
use crate::proto::HeadLimits;
use crate::quiet::quietly;
use crate::request::Request;
use crate::response::Response;
use crate::server::{Limits, Listener};
use crate::service::Service;

/// For how long a new connection is waited for during a shutdown: its first request may be on its way.
const NEWCOMER: u64 = 500;

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

    /// Leaves a connection to whoever gets its next event; or gives it back with the events that came meanwhile.
    pub(super) fn let_go(&self, mut conn: Box<Conn>) -> Option<(Box<Conn>, u8)> {
        let resting = matches!(conn.stage, Stage::Head | Stage::Handshake) && conn.input.is_empty();
        if resting && conn.served > 0 && self.is_draining() {
            // Unless its next request has come while the last one was answered.
            if conn.stream.wait(Wait::Read, Duration::ZERO).is_ok_and(|ready| ready) {
                return Some((conn, READ));
            }
            self.close(conn);
            return None;
        }
        if resting && self.is_draining() {
            conn.due = conn.due.min(self.now() + NEWCOMER);
        }
        conn.input.shrink();
        let (token, wanted) = (conn.token, conn.wanted_interest());
        let shard = self.shard_of(&conn);
        let armed = if shard != conn.shard {
            self.leave_shard(&conn);
            conn.shard = shard;
            if shard == self.shards.len() {
                self.crew.guests.fetch_add(1, Ordering::Relaxed);
            }
            self.ready(shard).add(&conn.stream, token.to_u64(), wanted)
        } else if wanted != conn.interest || self.ready(shard).forgets() {
            self.ready(shard).change(&conn.stream, token.to_u64(), wanted)
        } else {
            Ok(())
        };
        conn.interest = wanted;
        if let Err(error) = armed {
            log::warn!("a connection cannot be watched, it is closed: {error}");
            self.close(conn);
            return None;
        }
        let place = self.table.place(token.index);
        place.due.store(conn.due, Ordering::Relaxed);
        place.put(conn);
        let flags = place.claim.release().err()?;
        Some((place.take()?, flags))
    }

    fn leave_shard(&self, conn: &Conn) {
        self.ready(conn.shard).remove(&conn.stream);
        if conn.shard == self.shards.len() {
            self.crew.guests.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Takes it out of the set while its owner reads and writes it without asking.
    pub(super) fn mute(&self, conn: &mut Conn) {
        if self.ready(conn.shard).change(&conn.stream, conn.token.to_u64(), Interest::Muted).is_ok() {
            conn.interest = Interest::Muted;
        }
    }

    /// Ends a connection.
    pub(super) fn close(&self, conn: Box<Conn>) {
        if !conn.broken && !matches!(conn.stage, Stage::Sending(_)) {
            conn.stream.part();
        }
        drop(conn);
    }

    /// Takes a connection that is dropped out of its place.
    pub(super) fn vacate(&self, conn: &mut Conn) {
        // Before the descriptor is closed, and also when it is not: a body that was leaked keeps it open.
        self.leave_shard(conn);
        self.table.place(conn.token.index).set_stream(None);
        if Arc::strong_count(&conn.stream) > 1 {
            conn.stream.cut();
        }
        // Jobs on close, and a line for the log, neither of which is ours.
        quietly(|| drop(std::mem::replace(&mut conn.stage, Stage::Head)));
        self.table.free(conn.token);
        if self.is_draining() {
            self.wake_clock();
        }
    }

    /// Takes a connection that nobody owns, when its time is over: for the clock.
    pub(super) fn claim_due(&self, index: u32, now: u64) -> Option<Box<Conn>> {
        let place = self.table.place(index);
        if place.due.load(Ordering::Relaxed) > now {
            return None;
        }
        let generation = place.claim.idle_generation()?;
        if !place.claim.take(generation) {
            return None;
        }
        // It may have been used in between, and have more time now.
        if place.due.load(Ordering::Relaxed) > now {
            if let Err(flags) = place.claim.release() {
                self.hand_back(Token { index, generation }, flags);
            }
            return None;
        }
        place.take()
    }

    /// Has the leader of its shard take a connection that the caller owns, but will do nothing with.
    pub(super) fn hand_back(&self, token: Token, flags: u8) {
        let place = self.table.place(token.index);
        let Some(conn) = place.take() else { return };
        if flags & GONE != 0 {
            return self.close(conn);
        }
        // Setting the interest once more has what can be done told once more.
        let interest = conn.interest;
        let armed = self.ready(conn.shard).change(&conn.stream, token.to_u64(), interest);
        place.put(conn);
        if let Err(flags) = place.claim.release() {
            return self.hand_back(token, flags);
        }
        if armed.is_err() {
            log::warn!("a connection could not be watched any more");
        }
    }

    /// At the beginning of a shutdown: closes what is idle, and gives new ones a moment. A request that has come already
    /// is answered, though nobody has looked yet.
    pub(super) fn let_go_of_all(&self, hand: &mut Hand<'_>) {
        for (_, place) in self.table.places() {
            let Some(generation) = place.claim.idle_generation() else { continue };
            if place.claim.take(generation)
                && let Some(conn) = place.take()
            {
                self.drive(conn, READ, hand);
            }
        }
    }

    /// Connections that somebody owns: their requests are being handled.
    pub(super) fn in_flight(&self) -> usize {
        let places = self.table.places();
        places.filter(|(_, place)| place.stream().is_some() && place.claim.idle_generation().is_none()).count()
    }

    /// Cuts what is left at the end of a shutdown; how many requests in flight that hits.
    pub(super) fn cut_all(&self) -> usize {
        let cut = self.in_flight();
        for (_, place) in self.table.places() {
            if let Some(stream) = place.stream() {
                stream.cut();
            }
        }
        cut
    }
}

/// The place of trailers that come with a request's body.
pub(super) type Trailers = Arc<OnceLock<HeaderMap>>;
