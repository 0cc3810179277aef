//! Connections on which nothing may be read or written any more, though tiny_http goes on with them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection is remembered. By then the client has closed it; and the address may be that of a new one.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Why a connection is ruined, which says what to do with requests that still come on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruin {
    /// The request was malformed. What comes after it may be a part of it, put there to be taken for a request.
    Request,
    /// The response broke off. Whatever is written would be taken for its rest.
    Response,
}

/// Ruined connections, by the client's address.
#[derive(Debug, Default)]
pub(super) struct Ruined {
    count: AtomicUsize,
    /// How many there were when those of long ago were last thrown out.
    swept: AtomicUsize,
    connections: Mutex<HashMap<SocketAddr, (Ruin, Instant)>>,
}

impl Ruined {
    pub(super) fn note(&self, addr: Option<SocketAddr>, ruin: Ruin) {
        let Some(addr) = addr else { return };
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if connections.len() >= self.swept.load(Ordering::Relaxed).saturating_mul(2).max(64) {
            connections.retain(|_, (_, since)| since.elapsed() < REMEMBERED);
            self.swept.store(connections.len(), Ordering::Relaxed);
        }
        let (known, since) = connections.entry(addr).or_insert((ruin, now));
        // A broken response is the worse one: then nothing may be written at all.
        if *known != Ruin::Response || since.elapsed() >= REMEMBERED {
            *known = ruin;
        }
        *since = now;
        self.count.store(connections.len(), Ordering::Release);
    }

    /// Whether this one is; nearly always answered by one look at a number that nearly never changes.
    pub(super) fn look(&self, addr: Option<SocketAddr>) -> Option<Ruin> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let addr = addr?;
        let (ruin, since) = *connections.get(&addr)?;
        if since.elapsed() < REMEMBERED {
            return Some(ruin);
        }
        connections.remove(&addr);
        self.count.store(connections.len(), Ordering::Release);
        None
    }
}
