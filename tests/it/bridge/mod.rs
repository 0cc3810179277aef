//! The bridge: futures on blocking threads.

mod block_on;
mod contexts;
mod event_loops;
mod fan_out;
mod foreign;
mod groups;
mod interval;
mod joins;
mod leashes;
mod luggage;
mod memo;
mod panics;
mod periodic;
mod pools;
mod rate_limiter;
mod retry;
mod scopes;
mod soak;
mod stats;
mod stream_bridges;
mod streams;
mod sync;
mod task_life;
mod tasks;
mod timers;
mod together;
#[cfg(feature = "tokio")]
mod tokio_clients;
#[cfg(feature = "tokio")]
mod tokio_works;
mod types;
mod watching;

use dewar::bridge::LoopPolicy;

/// What must hold in every scope is tried in every scope.
const POLICIES: [LoopPolicy; 3] = [LoopPolicy::per_request(), LoopPolicy::per_thread(), LoopPolicy::shared()];

/// The same, and on tokio where that is.
fn all_policies() -> Vec<LoopPolicy> {
    #[cfg_attr(not(feature = "tokio"), expect(unused_mut, reason = "there are no others"))]
    let mut all = POLICIES.to_vec();
    #[cfg(feature = "tokio")]
    all.extend(POLICIES.map(|policy| policy.backend(dewar::bridge::Backend::Tokio)));
    all
}
