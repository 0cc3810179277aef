//! Every order of steps in which what is waited for can be handed over, while some give up.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --manifest-path loom/Cargo.toml`

#![cfg(loom)]

#[allow(dead_code)]
#[path = "../../src/bridge/sync/parker.rs"]
mod parker;
#[allow(dead_code)]
#[path = "../../src/bridge/sync/permits.rs"]
mod permits;
#[path = "../../src/quiet.rs"]
mod quiet;
#[allow(dead_code)]
#[path = "../../src/bridge/sync/waiters.rs"]
mod waiters;
#[path = "waiters_models.rs"]
mod waiters_models;

/// Each model holds, and finds what `build.rs` has put into copies of the files; each mistake is found by the models that
/// are named.
macro_rules! models {
    ($($model:ident)+; $($mistake:ident in $file:ident: $($finds:ident)+;)+) => {
        $(
            #[test]
            fn $model() {
                waiters_models::$model();
            }
        )+

        $(
            mod $mistake {
                models!(@files $mistake $file);

                #[allow(dead_code)]
                mod waiters_models {
                    include!("waiters_models.rs");
                }

                #[test]
                fn is_found() {
                    $(
                        // In a thread of its own, since loom leaves something behind when a model fails.
                        let run = std::thread::spawn(waiters_models::$finds).join();
                        assert!(run.is_err(), concat!(stringify!($finds), " did not find it"));
                    )+
                }
            }
        )+
    };

    // The wrong file, and those that use it: they must use this one.
    (@files $mistake:ident waiters) => {
        #[allow(unused_imports)]
        use crate::parker;
        models!(@wrong $mistake waiters);
        models!(@right permits);
    };
    (@files $mistake:ident permits) => {
        use crate::waiters;
        models!(@wrong $mistake permits);
    };
    (@files $mistake:ident parker) => {
        models!(@wrong $mistake parker);
        models!(@right waiters);
        models!(@right permits);
    };
    (@wrong $mistake:ident $file:ident) => {
        #[allow(unused, unreachable_code)]
        mod $file {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($mistake), ".rs"));
        }
    };
    (@right $file:ident) => {
        #[allow(dead_code)]
        mod $file {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($file), ".rs"));
        }
    };
}

models! {
    one_permit cancelled cancelled_by_hand left many moved two_at_once nobody_barges nosy;

    keeps_its_turn in waiters: cancelled cancelled_by_hand many;
    gives_too_much in waiters: cancelled cancelled_by_hand;
    deaf_to_leaving in waiters: left;
    no_wake in waiters: one_permit;
    old_waker in waiters: moved;
    joins_blindly in waiters: one_permit;
    wakes_locked in waiters: nosy;
    barging in permits: nobody_barges;
    not_handed_over in permits: one_permit;
    one_at_a_time in permits: two_at_once;
    gives_one_back in permits: many;
    wake_is_forgotten in parker: one_permit;
    sleeps_first in parker: one_permit;
}
