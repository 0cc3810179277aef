//! The bridge: futures on blocking threads.

mod block_on;
mod fan_out;
mod foreign;
mod groups;
mod interval;
mod luggage;
mod memo;
mod panics;
mod periodic;
mod pools;
mod rate_limiter;
mod retry;
mod scopes;
mod stats;
mod streams;
mod sync;
mod tasks;
mod timers;
mod types;

use dewar::bridge::LoopPolicy;

/// What must hold in every scope is tried in every scope.
const POLICIES: [LoopPolicy; 3] = [LoopPolicy::per_request(), LoopPolicy::per_thread(), LoopPolicy::shared()];
