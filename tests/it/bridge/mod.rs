//! The bridge: futures on blocking threads.

mod block_on;
mod luggage;
mod panics;
mod pools;
mod scopes;
mod stats;
mod sync;
mod tasks;
mod timers;

use dewar::bridge::LoopPolicy;

/// What must hold in every scope is tried in every scope.
const POLICIES: [LoopPolicy; 3] = [LoopPolicy::per_request(), LoopPolicy::per_thread(), LoopPolicy::shared()];
