//! The one `unsafe` call that the engine needs where it has no epoll of its own, and what makes it safe.

#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

type Source = Arc<dyn AsFd + Send + Sync>;
type Kept = HashMap<RawFd, Source>;

/// A `Poller` that shares in its sources, so that none is closed before it is removed.
pub(super) struct Guard {
    // Dropped before the sources are: by then nothing is registered any more.
    poller: Poller,
    kept: Mutex<Kept>,
}

impl Guard {
    pub(super) fn new() -> io::Result<Guard> {
        Ok(Guard { poller: Poller::new()?, kept: Mutex::default() })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn supports_edge(&self) -> bool {
        self.poller.supports_edge()
    }

    pub(super) fn add<S>(&self, source: &Arc<S>, event: Event, mode: PollMode) -> io::Result<()>
    where
        S: AsFd + Send + Sync + 'static,
    {
        let fd = source.as_fd().as_raw_fd();
        // Kept before it is registered, and for as long as the lock is held nobody removes it.
        let mut kept = self.kept();
        if kept.contains_key(&fd) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        kept.insert(fd, Arc::clone(source) as Source);
        // SAFETY: `add_with_mode` asks that the source is deleted from the poller before it is dropped. It is in `kept`
        // now, and what the engine adds (a `Stream`, a `Listener`) has the same open descriptor until it is dropped. It
        // leaves `kept` in one place, `delete`, when the poller has it no more; otherwise `kept` is dropped after
        // `poller`, with which all registrations go.
        let added = unsafe { self.poller.add_with_mode(fd, event, mode) };
        if added.is_err() {
            // kqueue may have taken it in part.
            self.delete(&mut kept, fd);
        }
        added
    }

    pub(super) fn change(&self, source: &impl AsFd, event: Event, mode: PollMode) -> io::Result<()> {
        self.poller.modify_with_mode(source, event, mode)
    }

    pub(super) fn remove(&self, source: &impl AsFd) {
        let source = self.delete(&mut self.kept(), source.as_fd().as_raw_fd());
        drop(source); // with the lock let go: it may be the last use of it
    }

    /// Takes a source out of the poller, and then out of `kept`. One that the poller does not let go stays there.
    fn delete(&self, kept: &mut Kept, fd: RawFd) -> Option<Source> {
        match self.poller.delete(kept.get(&fd)?.as_fd()) {
            Err(error) if error.kind() != ErrorKind::NotFound => None,
            _ => kept.remove(&fd),
        }
    }

    pub(super) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<usize> {
        self.poller.wait(events, timeout)
    }

    pub(super) fn notify(&self) -> io::Result<()> {
        self.poller.notify()
    }
}
