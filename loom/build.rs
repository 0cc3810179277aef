//! Makes wrong versions of `claim.rs`, one for each mistake in `MISTAKES`, to show that the models would find them.

use std::path::PathBuf;
use std::{env, fs};

const CLAIM: &str = "../src/server/native/claim.rs";

/// A name, what is right, and what is wrong.
const MISTAKES: &[(&str, &str, &str)] = &[
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

fn main() {
    println!("cargo::rerun-if-changed={CLAIM}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let right = fs::read_to_string(CLAIM).expect("it is in the repository");
    // An included file has no docs of its own.
    let right: String = right.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect();
    for (name, good, bad) in MISTAKES {
        assert_eq!(right.matches(good).count(), 1, "{name}: claim.rs has changed, so must its mistakes: {good}");
        fs::write(out.join(format!("{name}.rs")), right.replace(good, bad)).expect("OUT_DIR can be written to");
    }
}
