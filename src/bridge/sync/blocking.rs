//! Waiting on a plain thread, and the refusal to do so where it would stop an event loop.

use std::time::Instant;

use super::super::this_thread::{self, Running};
use super::waiters::{Door, Wait};

/// Waits on this thread. `call` is what the user wrote, `cure` what to write in async code.
#[track_caller]
pub(super) fn wait<D: Door>(wait: &mut Wait<D>, call: &str, cure: &str) -> D::Pass {
    if let Some(pass) = wait.try_now() {
        return pass;
    }
    refuse_on_a_loop(call, cure);
    wait.park(|| ())
}

/// As [`wait`], but not beyond `deadline`.
#[track_caller]
pub(super) fn wait_until<D: Door>(wait: &mut Wait<D>, deadline: Instant, call: &str, cure: &str) -> Option<D::Pass> {
    if let Some(pass) = wait.try_now() {
        return Some(pass);
    }
    refuse_on_a_loop(call, cure);
    wait.park_until(deadline)
}

/// What would end the wait may be a task of the loop that would be stopped by it.
#[track_caller]
pub(super) fn refuse_on_a_loop(call: &str, cure: &str) {
    let on_a_loop = this_thread::with(|this| !matches!(this.running.get(), Running::Nothing));
    assert!(
        !on_a_loop,
        "`{call}` would have to wait, on a thread whose event loop is running: nothing else could run there meanwhile, \
         perhaps not even what it waits for. Write `{cure}` in async code, or call it inside of `bridge::unblock`"
    );
}
