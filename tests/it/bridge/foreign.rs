//! Fragments that are begun inside of somebody else's loop.

use dewar::bridge::{self, LoopPolicy};

use crate::support;

#[test]
fn debug_mode_tells_of_a_fragment_that_blocks_another_executor() {
    let log = support::log_capture();
    let debug = LoopPolicy::per_thread().debug(true);
    let begin = || bridge::block_on_with(debug, bridge::yield_now()).unwrap();
    begin();
    assert_eq!(log.with("foreign.rs"), [""; 0], "nothing to tell of");
    // It works all the same, and the other executor does not notice.
    futures_executor::block_on(async { begin() });
    let told = log.with("foreign.rs");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("WARN") && told[0].contains("stands still"), "{told:?}");
    futures_executor::block_on(async { bridge::block_on(bridge::yield_now()).unwrap() });
    assert_eq!(log.with("foreign.rs").len(), 1, "not in debug mode: not told of");
}
