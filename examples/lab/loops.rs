//! The kinds of loops that are compared. Another one is another entry here; tables, charts and tests follow.

use dewar::Result;
#[cfg(feature = "tokio")]
use dewar::bridge::Backend;
use dewar::bridge::{self, LoopPolicy};

use super::work::Work;

/// A way to run a fragment from blocking code.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What it means, in one sentence.
    pub(crate) what: &'static str,
    /// Runs the fragment of `work` once, to its end, and blocks the calling thread meanwhile.
    pub(crate) run: fn(Work) -> Result<()>,
}

/// The one that has no loop comes first: what the others take beyond it is their price.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "no loop",
        what: "Blocking code does the same, without a future; ten fetches at once are ten threads.",
        run: |work| Ok(work.block()?),
    },
    Kind {
        name: "PerThread",
        what: "The thread’s own loop, made once and used again for every fragment: the default.",
        run: |work| Ok(bridge::block_on_with(LoopPolicy::per_thread(), work.fragment())??),
    },
    Kind {
        name: "PerRequest",
        what: "A fresh loop for each fragment, dropped after it: what asyncio.run in each view does.",
        run: |work| Ok(bridge::block_on_with(LoopPolicy::per_request(), work.fragment())??),
    },
    Kind {
        name: "Shared",
        what: "To the background loop on other threads, and back: spawn_shared and join.",
        run: |work| Ok(bridge::spawn_shared(work.fragment()).join()??),
    },
    Kind {
        name: "own_thread",
        what: "A fresh thread with a fresh loop for each fragment: what Flask does for each async callable.",
        run: |work| Ok(bridge::own_thread(async || work.fragment().await)??),
    },
    #[cfg(feature = "tokio")]
    Kind {
        name: "tokio PerThread",
        what: "A tokio runtime of the thread’s own, made once and entered for every fragment.",
        run: |work| Ok(bridge::block_on_with(LoopPolicy::per_thread().backend(Backend::Tokio), work.fragment())??),
    },
    #[cfg(feature = "tokio")]
    Kind {
        name: "tokio PerRequest",
        what: "A fresh tokio runtime for each fragment: what a Runtime::new in each handler does.",
        run: |work| Ok(bridge::block_on_with(LoopPolicy::per_request().backend(Backend::Tokio), work.fragment())??),
    },
    #[cfg(feature = "tokio")]
    Kind {
        name: "tokio Shared",
        what: "The fragment on its own thread, inside the process’s one tokio runtime: for reqwest, sqlx and their pools.",
        run: |work| Ok(bridge::block_on_with(LoopPolicy::tokio(), work.fragment())??),
    },
];
