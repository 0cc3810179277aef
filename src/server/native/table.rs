//! Where connections are kept while nobody owns them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::claim::Claim;
use super::conn::Conn;
use super::stream::Stream;

/// Places that are made at once.
const CHUNK: usize = 512;
/// In [`Place::due`]: no time is set.
pub(super) const NEVER: u64 = u64::MAX;

/// A connection's place.
pub(super) struct Place {
    pub(super) claim: Claim,
    /// When the clock shall look after it, in milliseconds since the start.
    pub(super) due: AtomicU64,
    /// Taken by whoever has claimed it, so the lock is never waited for.
    conn: Mutex<Option<Box<Conn>>>,
    /// Whoever owns the connection: what a shutdown cuts when the time is over.
    stream: Mutex<Option<Arc<Stream>>>,
}

impl Place {
    pub(super) fn put(&self, conn: Box<Conn>) {
        *self.lock() = Some(conn);
    }

    pub(super) fn take(&self) -> Option<Box<Conn>> {
        self.lock().take()
    }

    pub(super) fn stream(&self) -> Option<Arc<Stream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_stream(&self, stream: Option<Arc<Stream>>) {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Conn>>> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which connection: a place, and the generation that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Token {
    pub(super) fn to_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub(super) fn from_u64(number: u64) -> Token {
        Token { index: number as u32, generation: (number >> 32) as u32 }
    }
}

/// All places. They are made as they are needed, and never given back.
pub(super) struct Table {
    chunks: Vec<OnceLock<Box<[Place]>>>,
    most: usize,
    free: Mutex<Free>,
    open: AtomicUsize,
}

#[derive(Default)]
struct Free {
    /// Last in, first out: what was used last is warm.
    list: Vec<u32>,
    /// Places from here on have never been used.
    next: u32,
}

impl Table {
    pub(super) fn new(most: usize) -> Table {
        let most = most.clamp(1, 1 << 24);
        Table {
            chunks: (0..most.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect(),
            most,
            free: Mutex::default(),
            open: AtomicUsize::new(0),
        }
    }

    /// Connections there are.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// A place for a connection, owned by the caller; `None` when there are as many as there may be.
    pub(super) fn reserve(&self) -> Option<Token> {
        let index = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            match free.list.pop() {
                Some(index) => index,
                None if (free.next as usize) < self.most => {
                    free.next += 1;
                    free.next - 1
                }
                None => return None,
            }
        };
        self.open.fetch_add(1, Ordering::SeqCst);
        Some(Token { index, generation: self.place(index).claim.open() })
    }

    /// Gives a place back, whose connection has been taken out of it.
    pub(super) fn free(&self, token: Token) {
        let place = self.place(token.index);
        place.due.store(NEVER, Ordering::Relaxed);
        place.claim.close();
        self.free.lock().unwrap_or_else(PoisonError::into_inner).list.push(token.index);
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn place(&self, index: u32) -> &Place {
        let chunk = self.chunks[index as usize / CHUNK].get_or_init(|| {
            let place = |_| Place {
                claim: Claim::new(),
                due: AtomicU64::new(NEVER),
                conn: Mutex::new(None),
                stream: Mutex::new(None),
            };
            (0..CHUNK).map(place).collect()
        });
        &chunk[index as usize % CHUNK]
    }

    /// All places that were ever used, with their indexes.
    pub(super) fn places(&self) -> impl Iterator<Item = (u32, &Place)> {
        let used = self.free.lock().unwrap_or_else(PoisonError::into_inner).next;
        (0..used).map(|index| (index, self.place(index)))
    }
}
