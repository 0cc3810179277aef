//! Which handlers block: a guess before each one, by what those for the same kind of path did before.
//!
//! A worker that leads a shard runs quick handlers itself: nothing is faster. One that blocks would stop the shard until
//! the ticker notices, so requests that will probably block are handed to another worker first, which costs some
//! microseconds. As with a processor's branches, a wrong guess costs time, never correctness.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::system::{self, Usage};

/// Kinds that are told apart.
const KINDS: usize = 4096;
/// A handler that costs others more than this is better handed over: that takes a tenth of it.
const SLOW_AFTER: Duration = Duration::from_micros(100);
/// So much it may compute beside: as long as all cores have work, it is done no sooner by another worker, and handing it
/// over is work too. What it waits for others counts from the first moment.
const MAY_COMPUTE: Duration = Duration::from_micros(150);
/// One that takes this long is not taken for a quick one that was held up.
const SURELY_SLOW: Duration = Duration::from_millis(1);
/// Seen quick so often, a kind is looked at only now and then.
const TRUSTED: u16 = 8;
const SAMPLE: u32 = 16;
/// Scores from here on are slow; the difference is how many quick ones it takes to try it among the quick ones again.
const SLOW: u16 = 0x1000;
const SURE: u16 = 3;
/// How often a kind may be taken for a quick one and be slow until it counts no more. Each time makes it four times as
/// many quick ones in a row: some requests of a kind may be quick and others slow, and who sends them may mean to.
const STRIKES: u8 = 6;
/// How long it takes for one of them to be forgotten.
pub(super) const FORGIVEN_AFTER: Duration = Duration::from_secs(10);
/// After a wrong guess, kinds that were never seen are taken for slow ones for this many milliseconds.
const WARY: u64 = 1000;
/// Where two kinds stop a shard within that time, nobody is trusted for as long: somebody may have made many kinds look
/// quick, and each would stop a shard once. It is twice as long for each time before that is not forgotten, at most so
/// often.
const LONGER: u8 = 4;

/// The scores of all kinds: 0 never seen, then how often seen quick, then slow.
pub(super) struct Predictor {
    scores: Box<[AtomicU16]>,
    strikes: Box<[AtomicU8]>,
    /// An example of each kind, for the log.
    names: Mutex<HashMap<u16, String>>,
    wary_until: AtomicU64,
    /// When a kind has stopped a shard last, plus 1, and which one; 0 for never.
    stopped: AtomicU64,
    /// How many sieges there were, of late.
    sieges: AtomicU8,
    /// Until when nobody is trusted; 0 in peace.
    besieged_until: AtomicU64,
}

/// What is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// It will be quick; with `true`, look whether it was.
    Quick(bool),
    Slow,
}

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(u16);

impl Kind {
    /// By method and path, where all numbers are alike: `/post/7` and `/post/123` go to the same handler.
    pub(super) fn of(method: &str, path: &str) -> Kind {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ method.len() as u64 ^ u64::from(method.as_bytes()[0]) << 8;
        let mut digits = false;
        for &byte in path.as_bytes().iter().take(128) {
            let digit = byte.is_ascii_digit();
            if !(digit && digits) {
                hash = (hash ^ u64::from(if digit { b'0' } else { byte })).wrapping_mul(0x0000_0100_0000_01b3);
            }
            digits = digit;
        }
        Kind(((hash ^ hash >> 32) as usize % KINDS) as u16)
    }

    pub(super) fn to_u64(self) -> u64 {
        u64::from(self.0)
    }

    pub(super) fn from_u64(number: u64) -> Kind {
        Kind((number as usize % KINDS) as u16)
    }
}

/// What a handler costs those who wait for whoever runs it.
pub(super) struct Toll {
    since: Instant,
    /// Whether it is a leader who runs it.
    leads: bool,
    /// Whether it is of a kind that is trusted, and not looked at closely.
    trusted: bool,
    /// What the thread had done before, where it is looked at.
    before: Option<Usage>,
}

impl Toll {
    /// What it cost, and for how long it computed as far as that was looked at.
    fn taken(&self) -> (Duration, Duration) {
        let took = self.since.elapsed();
        // Asking the system takes longer than most handlers.
        if took <= SLOW_AFTER {
            return (took, Duration::ZERO);
        }
        match (self.before, system::usage_of_thread()) {
            (Some(before), Some(after)) => {
                let computed = after.computed.saturating_sub(before.computed);
                (cost(took, computed, after.waits != before.waits), computed)
            }
            _ => (took, Duration::ZERO),
        }
    }
}

/// A handler that did not wait may have given way to another thread, for as long as the system liked: that is not its own.
fn cost(took: Duration, computed: Duration, waited: bool) -> Duration {
    let took = if waited { took } else { took.min(computed) };
    took.saturating_sub(computed.min(MAY_COMPUTE))
}

impl Predictor {
    pub(super) fn new() -> Predictor {
        Predictor {
            scores: (0..KINDS).map(|_| AtomicU16::new(0)).collect(),
            strikes: (0..KINDS).map(|_| AtomicU8::new(0)).collect(),
            names: Mutex::default(),
            wary_until: AtomicU64::new(0),
            stopped: AtomicU64::new(0),
            sieges: AtomicU8::new(0),
            besieged_until: AtomicU64::new(0),
        }
    }

    /// `turn` counts the requests of the caller, `now` the milliseconds since the start.
    pub(super) fn guess(&self, kind: Kind, turn: u32, now: impl Fn() -> u64) -> Guess {
        if self.besieged_until.load(Ordering::Relaxed) > 0 && self.is_besieged(now()) {
            return Guess::Slow;
        }
        match self.score(kind).load(Ordering::Relaxed) {
            0 if self.wary_until.load(Ordering::Relaxed) > 0 && self.wary_until.load(Ordering::Relaxed) > now() => {
                Guess::Slow
            }
            score @ 0..SLOW => Guess::Quick(score < TRUSTED || turn.is_multiple_of(SAMPLE)),
            SLOW.. => Guess::Slow,
        }
    }

    fn is_besieged(&self, now: u64) -> bool {
        let until = self.besieged_until.load(Ordering::Relaxed);
        if until <= now {
            // Another one may begin at this moment: that one stays.
            let _ = self.besieged_until.compare_exchange(until, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
        until > now
    }

    /// Whether one of this kind was ever seen.
    pub(super) fn is_new(&self, kind: Kind) -> bool {
        self.score(kind).load(Ordering::Relaxed) == 0
    }

    /// What one of this kind is called.
    pub(super) fn name(&self, kind: Kind, name: impl FnOnce() -> String) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).entry(kind.0).or_insert_with(name);
    }

    pub(super) fn name_of(&self, kind: Kind) -> String {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&kind.0).cloned().unwrap_or_else(|| "a request".into())
    }

    /// One of this kind begins.
    pub(super) fn begin(&self, kind: Kind, leads: bool) -> Toll {
        let trusted = system::TELLS_USAGE && self.score(kind).load(Ordering::Relaxed) == TRUSTED;
        let before = if trusted { None } else { system::usage_of_thread() };
        Toll { since: Instant::now(), leads, trusted, before }
    }

    /// It has ended; whether it was slow.
    pub(super) fn end(&self, kind: Kind, toll: &Toll, led: bool, now: impl Fn() -> u64) -> bool {
        let (took, computed) = toll.taken();
        if toll.trusted && took > SLOW_AFTER {
            // It may have been held up by others: the next one is looked at. The ticker sees one that sleeps.
            self.doubt(kind);
            return false;
        }
        self.learn(kind, took, led, &now);
        if toll.leads && computed > SURELY_SLOW {
            self.note_stop(kind, now());
        }
        took > SLOW_AFTER
    }

    /// One of this kind cost so much. Others waited for it where a leader did it.
    fn learn(&self, kind: Kind, took: Duration, led: bool, now: impl FnOnce() -> u64) {
        let score = self.score(kind);
        let before = score.load(Ordering::Relaxed);
        let after = match before {
            SLOW.. if took > SLOW_AFTER => SLOW + SURE.max(self.proof(kind)),
            SLOW.. if before <= SLOW + 1 => 1,
            SLOW.. => before - 1,
            _ if took > SURELY_SLOW => {
                if led {
                    self.strike(kind, now());
                }
                SLOW + self.proof(kind)
            }
            0 | 1 if took > SLOW_AFTER => SLOW + 1,
            _ if took > SLOW_AFTER => before / 2,
            _ => (before + 1).min(TRUSTED),
        };
        if after != before {
            score.store(after, Ordering::Relaxed);
        }
    }

    /// One of this kind was thought quick and stopped a shard; whether it sleeps there, as far as the kernel tells.
    pub(super) fn was_wrong(&self, kind: Kind, sleeps: bool, now: u64) {
        self.strike(kind, now);
        if sleeps {
            self.note_stop(kind, now);
        }
        self.score(kind).store(SLOW + SURE.max(self.proof(kind)), Ordering::Relaxed);
    }

    /// One of this kind takes long, and was not looked at: the next ones will be.
    pub(super) fn doubt(&self, kind: Kind) {
        let score = self.score(kind);
        if (2..SLOW).contains(&score.load(Ordering::Relaxed)) {
            score.store(1, Ordering::Relaxed);
        }
    }

    fn strike(&self, kind: Kind, now: u64) {
        let strikes = &self.strikes[kind.0 as usize];
        strikes.store((strikes.load(Ordering::Relaxed) + 1).min(STRIKES), Ordering::Relaxed);
        self.wary_until.store(now + WARY, Ordering::Relaxed);
    }

    /// One of this kind has stopped a shard, and was not just held up by the lack of a processor.
    fn note_stop(&self, kind: Kind, now: u64) {
        const BITS: u32 = u16::BITS;
        let before = self.stopped.swap((now + 1) << BITS | kind.to_u64(), Ordering::Relaxed);
        // The same kind again has to prove itself: that is what strikes are for.
        let another = before > 0 && before & u64::from(u16::MAX) != kind.to_u64();
        if another && now < (before >> BITS) + WARY && !self.is_besieged(now) {
            let sieges = self.sieges.load(Ordering::Relaxed).min(LONGER);
            self.sieges.store(sieges + 1, Ordering::Relaxed);
            self.besieged_until.store(now + (WARY << sieges), Ordering::Relaxed);
        }
    }

    /// How many quick ones in a row it takes to try this kind among the quick ones again.
    fn proof(&self, kind: Kind) -> u16 {
        let strikes = self.strikes[kind.0 as usize].load(Ordering::Relaxed);
        1 << (2 * strikes.saturating_sub(1).min(5))
    }

    /// Forgets one strike of each kind, and one siege: once in [`FORGIVEN_AFTER`].
    pub(super) fn forgive(&self) {
        for strikes in self.strikes.iter().filter(|strikes| strikes.load(Ordering::Relaxed) > 0) {
            let _ = strikes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |strikes| strikes.checked_sub(1));
        }
        let _ = self.sieges.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sieges| sieges.checked_sub(1));
    }

    fn score(&self, kind: Kind) -> &AtomicU16 {
        &self.scores[kind.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(5);
    const SLEPT: Duration = Duration::from_millis(10);

    fn guess(predictor: &Predictor, kind: Kind) -> Guess {
        predictor.guess(kind, 1, || 0)
    }

    fn learn(predictor: &Predictor, kind: Kind, took: Duration) {
        predictor.learn(kind, took, true, || 0);
    }

    #[test]
    fn numbers_are_alike_and_paths_are_not() {
        assert_eq!(Kind::of("GET", "/post/7"), Kind::of("GET", "/post/123"));
        assert_ne!(Kind::of("GET", "/post/7"), Kind::of("GET", "/posts/7"));
        assert_ne!(Kind::of("GET", "/a"), Kind::of("POST", "/a"));
    }

    #[test]
    fn who_computes_may_take_longer_than_who_waits() {
        let micros = Duration::from_micros;
        let slow = |took, computed, waited| cost(micros(took), micros(computed), waited) > SLOW_AFTER;
        assert!(!slow(90, 0, true) && slow(110, 5, true), "it waits");
        assert!(!slow(240, 240, false) && slow(260, 260, false), "it computes");
        assert!(!slow(200, 110, true) && slow(260, 110, true), "both");
        assert!(!slow(5000, 60, false) && slow(5000, 60, true), "held up by others");
        assert!(!slow(10, 20, true), "the clocks are not one");
    }

    #[test]
    fn the_quick_stay_quick_and_the_slow_slow() {
        let predictor = Predictor::new();
        let kind = Kind::of("GET", "/");
        for _ in 0..20 {
            assert!(matches!(guess(&predictor, kind), Guess::Quick(_)));
            learn(&predictor, kind, QUICK);
        }
        assert_eq!(guess(&predictor, kind), Guess::Quick(false), "it is looked at now and then only");
        // Held up once, by whatever else the machine does.
        learn(&predictor, kind, SLOW_AFTER * 2);
        assert_eq!(guess(&predictor, kind), Guess::Quick(true));
        learn(&predictor, kind, SLEPT);
        assert_eq!(guess(&predictor, kind), Guess::Slow);
        learn(&predictor, kind, SLEPT);
        learn(&predictor, kind, QUICK);
        assert_eq!(guess(&predictor, kind), Guess::Slow, "one quick one is no proof");
        learn(&predictor, kind, QUICK);
        learn(&predictor, kind, QUICK);
        assert_eq!(guess(&predictor, kind), Guess::Quick(true));
    }

    #[test]
    fn a_first_one_that_is_slow_gets_a_second_chance() {
        let predictor = Predictor::new();
        let kind = Kind::of("GET", "/");
        learn(&predictor, kind, SLEPT);
        assert_eq!(guess(&predictor, kind), Guess::Slow);
        learn(&predictor, kind, QUICK);
        assert_eq!(guess(&predictor, kind), Guess::Quick(true));
    }

    #[test]
    fn after_a_wrong_guess_strangers_are_not_trusted_for_a_while() {
        let predictor = Predictor::new();
        let (known, wrong, new) = (Kind::of("GET", "/a"), Kind::of("GET", "/b"), Kind::of("GET", "/c"));
        learn(&predictor, known, QUICK);
        predictor.was_wrong(wrong, true, 5_000);
        assert_eq!(predictor.guess(wrong, 1, || 5_001), Guess::Slow);
        assert_eq!(predictor.guess(new, 1, || 5_001), Guess::Slow);
        assert!(matches!(predictor.guess(known, 1, || 5_001), Guess::Quick(_)));
        assert!(matches!(predictor.guess(new, 1, || 6_001), Guess::Quick(_)));
    }

    #[test]
    fn who_is_quick_and_slow_by_turns_is_tried_less_and_less() {
        let predictor = Predictor::new();
        let kind = Kind::of("GET", "/");
        let mut stopped = 0;
        for turn in 0..4000 {
            let led = guess(&predictor, kind) != Guess::Slow;
            let took = if turn % 4 == 3 { SLEPT } else { QUICK };
            stopped += u32::from(led && took == SLEPT);
            predictor.learn(kind, took, led, || 0);
        }
        assert!(stopped <= 3, "{stopped}");
        // Also when it takes its time to be slow.
        let mut stopped = 0;
        for turn in 0..10_000 {
            let led = guess(&predictor, kind) != Guess::Slow;
            let took = if led && turn % 2 == 1 { SLEPT } else { QUICK };
            stopped += u32::from(took == SLEPT);
            predictor.learn(kind, took, led, || 0);
        }
        assert!(stopped <= 15, "{stopped}");
        (0..STRIKES).for_each(|_| predictor.forgive());
        (0..2000).for_each(|_| predictor.learn(kind, QUICK, false, || 0));
        predictor.learn(kind, SLEPT, true, || 0);
        learn(&predictor, kind, QUICK);
        assert_eq!(guess(&predictor, kind), Guess::Quick(true));
    }

    #[test]
    fn many_kinds_that_were_made_to_look_quick_stop_two_shards_and_no_more() {
        let predictor = Predictor::new();
        let kinds: Vec<Kind> = (0..100).map(|n: u8| Kind::of("GET", &"x".repeat(n.into()))).collect();
        for kind in &kinds {
            (0..20).for_each(|_| learn(&predictor, *kind, QUICK));
        }
        let round = |begin: u64| {
            let mut stopped = 0;
            for (kind, now) in kinds.iter().zip(begin..) {
                if predictor.guess(*kind, 1, || now) != Guess::Slow {
                    stopped += 1;
                    predictor.was_wrong(*kind, true, now);
                }
                predictor.learn(*kind, SLEPT, false, || now);
            }
            // Quick again, until all of them look so.
            (0..10_000).for_each(|_| kinds.iter().for_each(|kind| predictor.learn(*kind, QUICK, false, || begin)));
            stopped
        };
        assert_eq!(round(5_000), 2);
        assert_eq!(round(5_500), 0, "nobody is trusted for a second");
        assert_eq!(round(6_500), 2);
        assert_eq!(round(8_400), 0, "and for two when it happens again");
        assert_eq!(round(8_600), 2);
        // In peace the quick are trusted again.
        let kind = Kind::of("GET", "/");
        learn(&predictor, kind, QUICK);
        assert_eq!(predictor.guess(kind, 1, || 8_700), Guess::Slow);
        assert!(matches!(predictor.guess(kind, 1, || 20_000), Guess::Quick(_)));
    }

    #[test]
    fn one_that_takes_long_is_looked_at_the_next_time() {
        let predictor = Predictor::new();
        let kind = Kind::of("GET", "/");
        (0..20).for_each(|_| learn(&predictor, kind, QUICK));
        assert_eq!(guess(&predictor, kind), Guess::Quick(false));
        predictor.doubt(kind);
        assert_eq!(guess(&predictor, kind), Guess::Quick(true));
        learn(&predictor, kind, SLEPT);
        predictor.doubt(kind);
        assert_eq!(guess(&predictor, kind), Guess::Slow);
    }
}
