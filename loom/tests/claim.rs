//! Every order of steps in which a connection of the native engine can change hands, as far as loom goes: up to three
//! preemptions in each run.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path loom/Cargo.toml`

#![cfg(loom)]

#[allow(dead_code)]
#[path = "../../src/server/native/claim.rs"]
mod claim;
mod models;

#[test]
fn idle() {
    models::idle();
}

#[test]
fn owned() {
    models::owned();
}

#[test]
fn placed() {
    models::placed();
}

#[test]
fn parked() {
    models::parked();
}

#[test]
fn reopened() {
    models::reopened();
}

#[test]
fn late_timer() {
    models::late_timer();
}

/// The models find what `build.rs` has put into copies of `claim.rs`; each mistake by the models that are named.
macro_rules! found {
    ($($mistake:ident: $($model:ident)+;)+) => {$(
        mod $mistake {
            #[allow(unused, unreachable_patterns)]
            mod claim {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($mistake), ".rs"));
            }
            #[allow(dead_code)]
            mod models {
                include!("models.rs");
            }

            #[test]
            fn is_found() {
                $(
                    // In a thread of its own, since loom leaves something behind when a model fails.
                    let run = std::thread::spawn(models::$model).join();
                    assert!(run.is_err(), concat!(stringify!($model), " did not find it"));
                )+
            }
        }
    )+};
}

found! {
    deaf_release: idle owned placed;
    lost_note: idle owned placed parked;
    any_generation: reopened;
    same_generation: reopened late_timer;
    parked_is_free: parked;
    owned_is_free: idle owned placed;
    deaf_unpark: parked;
    relaxed_leave: idle owned;
    relaxed_event: idle;
    relaxed_take: idle;
}
