//! Who may touch a connection: one number that every thread with an event, a timer or a job for it goes through.
//!
//! ```text
//!            event, timer                    release, nothing noted
//!   IDLE ─────────────────▶ OWNED ─────────────────────────────────▶ IDLE
//!                           │  ▲ │ event: its flags are noted, and the owner finds them when it releases
//!                     park  │  │ └───▶ OWNED + flags
//!                           ▼  │ unpark
//!                         PARKED                  close: from OWNED or PARKED, to CLOSED; the generation goes up
//! ```
//!
//! Events are told once (edge-triggered), so one that comes while somebody owns the connection must not get lost: its
//! flags are left in the number, and an owner that finds some there has to act on them before it may let go.
//!
//! This file uses nothing but an atomic number, so that `loom/` can include it and try every order of steps.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

/// There is something to read, or the end of it.
pub(super) const READ: u8 = 1;
/// There is room to write.
pub(super) const WRITE: u8 = 2;
/// The client has sent its last byte. It may still be waiting for answers.
pub(super) const HALF: u8 = 4;
/// The connection is broken, in both directions.
pub(super) const GONE: u8 = 8;

const STATE: u64 = 0b11;
const IDLE: u64 = 0;
const OWNED: u64 = 1;
const PARKED: u64 = 2;
const CLOSED: u64 = 3;
const FLAGS_SHIFT: u32 = 8;
const FLAGS: u64 = 0xff << FLAGS_SHIFT;
const GENERATION_SHIFT: u32 = 32;

/// The number: the state, the flags that were noted, and the generation, which tells the connections that have had
/// this place one after the other from each other.
pub(super) struct Claim(AtomicU64);

/// What came of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The connection is the caller's now.
    Mine,
    /// It has an owner, who has been told.
    Noted,
    /// It is not there any more.
    Stale,
}

fn generation(word: u64) -> u32 {
    (word >> GENERATION_SHIFT) as u32
}

impl Claim {
    pub(super) fn new() -> Claim {
        Claim(AtomicU64::new(CLOSED))
    }

    /// Takes a free place for a new connection, which is the caller's. Only who has the place off the free list may
    /// call it.
    pub(super) fn open(&self) -> u32 {
        let generation = generation(self.0.load(Ordering::Relaxed));
        self.0.swap(u64::from(generation) << GENERATION_SHIFT | OWNED, Ordering::AcqRel);
        generation
    }

    /// An event has come for the connection of this generation.
    pub(super) fn event(&self, of: u32, flags: u8) -> Outcome {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if generation(word) != of || word & STATE == CLOSED {
                return Outcome::Stale;
            }
            let (next, outcome) = match word & STATE {
                IDLE => (word & !STATE | OWNED, Outcome::Mine),
                _ => (word | u64::from(flags) << FLAGS_SHIFT, Outcome::Noted),
            };
            // Release too when only noted: what the event was told for happened before.
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return outcome,
                Err(now) => word = now,
            }
        }
    }

    /// Takes the connection if nobody has it: for timers, whose owner keeps its own time.
    pub(super) fn take(&self, of: u32) -> bool {
        let idle = u64::from(of) << GENERATION_SHIFT | IDLE;
        let owned = u64::from(of) << GENERATION_SHIFT | OWNED;
        self.0.compare_exchange(idle, owned, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Lets go of it; or gives the flags of events that came meanwhile, and it stays the caller's.
    pub(super) fn release(&self) -> Result<(), u8> {
        self.leave(IDLE)
    }

    /// Puts it away until somebody calls [`unpark`](Claim::unpark); or gives the flags that came meanwhile.
    pub(super) fn park(&self) -> Result<(), u8> {
        self.leave(PARKED)
    }

    fn leave(&self, state: u64) -> Result<(), u8> {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let flags = ((word & FLAGS) >> FLAGS_SHIFT) as u8;
            let next = if flags == 0 { word & !STATE | state } else { word & !FLAGS };
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if flags == 0 => return Ok(()),
                Ok(_) => return Err(flags),
                Err(now) => word = now,
            }
        }
    }

    /// Takes it back from being parked, with the flags of events that came meanwhile. Only who parked it may call it.
    pub(super) fn unpark(&self) -> u8 {
        let word =
            self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |word| Some(word & !STATE & !FLAGS | OWNED));
        ((word.unwrap_or_else(|word| word) & FLAGS) >> FLAGS_SHIFT) as u8
    }

    /// It is over. Only its owner may call it; after that nothing that knows the old generation reaches this place.
    pub(super) fn close(&self) {
        // The generation is the owner's to change, so it is as it was; flags may come until the last moment, and go with
        // the connection. (A store would do, but loom does not see that it cannot come in the middle of an event.)
        let generation = generation(self.0.load(Ordering::Relaxed)).wrapping_add(1);
        self.0.swap(u64::from(generation) << GENERATION_SHIFT | CLOSED, Ordering::AcqRel);
    }

    /// The generation of the connection that is here, if it is idle.
    pub(super) fn idle_generation(&self) -> Option<u32> {
        let word = self.0.load(Ordering::Relaxed);
        (word & STATE == IDLE).then(|| generation(word))
    }
}
