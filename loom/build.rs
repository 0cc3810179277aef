//! Makes wrong versions of what is modelled, one for each mistake in `MISTAKES`, to show that the models would find them.

use std::path::{Path, PathBuf};
use std::{env, fs};

const CLAIM: &str = "../src/server/native/claim.rs";
const WAITERS: &str = "../src/bridge/sync/waiters.rs";
const PERMITS: &str = "../src/bridge/sync/permits.rs";
const PARKER: &str = "../src/bridge/sync/parker.rs";

/// The mistakes of each file.
const MISTAKES: &[(&str, &[Mistake])] =
    &[(CLAIM, CLAIM_MISTAKES), (WAITERS, WAITERS_MISTAKES), (PERMITS, PERMITS_MISTAKES), (PARKER, PARKER_MISTAKES)];

/// A name, what is right, and what is wrong.
type Mistake = (&'static str, &'static str, &'static str);

const CLAIM_MISTAKES: &[Mistake] = &[
    (
        "deaf_release",
        "let flags = ((word & FLAGS) >> FLAGS_SHIFT) as u8;\n            let next",
        "let flags = 0_u8;\n            let next",
    ),
    ("lost_note", "_ => (word | u64::from(flags) << FLAGS_SHIFT, Outcome::Noted)", "_ => (word, Outcome::Noted)"),
    ("any_generation", "if generation(word) != of || word & STATE == CLOSED", "if word & STATE == CLOSED"),
    ("same_generation", ".wrapping_add(1)", ""),
    (
        "parked_is_free",
        "IDLE => (word & !STATE | OWNED, Outcome::Mine)",
        "IDLE | PARKED => (word & !STATE | OWNED, Outcome::Mine)",
    ),
    (
        "owned_is_free",
        "IDLE => (word & !STATE | OWNED, Outcome::Mine)",
        "IDLE | OWNED => (word & !STATE | OWNED, Outcome::Mine)",
    ),
    (
        "deaf_unpark",
        "((word.unwrap_or_else(|word| word) & FLAGS) >> FLAGS_SHIFT) as u8\n    }\n\n    /// It is over",
        "let _ = word;\n        0\n    }\n\n    /// It is over",
    ),
    (
        "relaxed_leave",
        "match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {\n                Ok(_) if",
        "match self.0.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {\n                Ok(_) if",
    ),
    (
        "relaxed_event",
        "match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {\n                Ok(_) => return outcome",
        "match self.0.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {\n                Ok(_) => return outcome",
    ),
    (
        "relaxed_take",
        "self.0.compare_exchange(idle, owned, Ordering::AcqRel,",
        "self.0.compare_exchange(idle, owned, Ordering::Relaxed,",
    ),
];

const WAITERS_MISTAKES: &[Mistake] = &[
    // A wait that was called and is dropped keeps what it had.
    ("keeps_its_turn", "None => self.door.pass_on(state, wakes),", "None => {}"),
    // One that was not called gives back what it never had.
    ("gives_too_much", "Some(_) => self.door.left(state, wakes),", "Some(_) => self.door.pass_on(state, wakes),"),
    // Those behind it are not looked after.
    ("deaf_to_leaving", "Some(_) => self.door.left(state, wakes),", "Some(_) => {}"),
    // Called, and never woken.
    ("no_wake", "    wakes.wake();\n    result\n", "    drop(wakes);\n    result\n"),
    // The waker of an earlier poll is woken.
    (
        "old_waker",
        "let old = mem::replace(&mut waiter.waker, new);",
        "let old = new;\n                            let _ = &mut waiter.waker;",
    ),
    // The state is looked at before the waker is cloned, and not again.
    (
        "joins_blindly",
        "if let Some(pass) = self.door.enter(&mut state) {",
        "if new.is_none() && let Some(pass) = self.door.enter(&mut state) {",
    ),
    // Woken with the lock.
    (
        "wakes_locked",
        "let result = by(&mut lock(state), &mut wakes);",
        "let mut held = lock(state);\n    let result = by(&mut held, &mut wakes);",
    ),
];

const PERMITS_MISTAKES: &[Mistake] = &[
    ("barging", "let may = self.line.is_empty() && self.free >= amount;", "let may = self.free >= amount;"),
    (
        "not_handed_over",
        "            self.free -= amount;\n            self.line.call_first(wakes);",
        "            self.line.call_first(wakes);\n            break;",
    ),
    (
        "one_at_a_time",
        "self.line.call_first(wakes);\n        }",
        "self.line.call_first(wakes);\n            break;\n        }",
    ),
    ("gives_one_back", "permits.give(self.amount, wakes);", "permits.give(1, wakes);"),
];

const PARKER_MISTAKES: &[Mistake] = &[
    (
        "wake_is_forgotten",
        "unwrap_or_else(PoisonError::into_inner) = true;",
        "unwrap_or_else(PoisonError::into_inner) = false;",
    ),
    (
        "sleeps_first",
        "while !std::mem::take(&mut *woken) {\n            woken = self.changed.wait(woken)",
        "loop {\n            woken = self.changed.wait(woken)",
    ),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for (file, mistakes) in MISTAKES {
        println!("cargo::rerun-if-changed={file}");
        let right = fs::read_to_string(file).expect("it is in the repository");
        // An included file has no docs of its own.
        let right: String =
            right.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect();
        let name = Path::new(file).file_name().expect("it is a file");
        fs::write(out.join(name), &right).expect("OUT_DIR can be written to");
        for (name, good, bad) in *mistakes {
            assert_eq!(right.matches(good).count(), 1, "{name}: {file} has changed, so must its mistakes: {good}");
            fs::write(out.join(format!("{name}.rs")), right.replace(good, bad)).expect("OUT_DIR can be written to");
        }
    }
}
