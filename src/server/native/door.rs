//! Where connections come in.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt;

use super::conn::{Conn, Input, Stage};
use super::core::Core;
use super::hand::Hand;
use super::ready::Interest;
use super::stream::Stream;
use super::system;
use crate::server::Listener;

/// The token of the listener.
pub(super) const LISTENER: u64 = u64::MAX - 1;
/// Connections that are accepted before the others are looked after.
const ACCEPT_AT_ONCE: usize = 64;
/// Connections that are accepted at the beginning of a shutdown: as many as are queued by default on Linux.
const QUEUED: usize = 4096;
/// For how long no connection is accepted when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where connections come in.
pub(super) enum Door {
    Open(Arc<Listener>),
    /// Not looked at before this: the system had no descriptors left.
    Paused(Arc<Listener>, Instant),
    Closed,
}

impl Core {
    pub(super) fn door(&self) -> MutexGuard<'_, Door> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The listener has connections.
    pub(super) fn on_listener(&self, hand: &mut Hand<'_>) {
        // First, since a handler may run in between, and then another leader has to be told of the next connection.
        if self.shards[0].ready.forgets()
            && let Door::Open(listener) = &*self.door()
            && let Err(error) = self.shards[0].ready.change(listener, LISTENER, Interest::Listener)
        {
            log::error!("the listener cannot be watched any more: {error}");
        }
        self.accept(ACCEPT_AT_ONCE, hand);
    }

    /// Accepts what is there, at most so many.
    fn accept(&self, most: usize, hand: &mut Hand<'_>) {
        for _ in 0..most {
            let accepted = match &*self.door() {
                Door::Open(listener) => system::accept(listener),
                _ => return,
            };
            match accepted {
                Ok((fd, addr)) => {
                    self.admit(fd, addr.and_then(|addr| SocketAddr::try_from(addr).ok()), hand);
                }
                Err(Errno::AGAIN) => return self.short.store(false, Ordering::Relaxed),
                // The connection was gone before it was accepted (accept(2) lists the reasons); others may follow.
                Err(
                    Errno::CONNABORTED
                    | Errno::INTR
                    | Errno::PROTO
                    | Errno::NETDOWN
                    | Errno::NETUNREACH
                    | Errno::HOSTDOWN
                    | Errno::HOSTUNREACH
                    | Errno::NOPROTOOPT
                    | Errno::OPNOTSUPP
                    | Errno::PERM
                    | Errno::TIMEDOUT,
                ) => {}
                // No descriptors or no memory are left; or the listener is broken, which would be told again and again.
                Err(error) => return self.pause_accepting(error.into()),
            }
        }
    }

    fn pause_accepting(&self, error: io::Error) {
        let mut door = self.door();
        if let Door::Open(listener) = std::mem::replace(&mut *door, Door::Closed) {
            self.shards[0].ready.remove(&listener);
            *door = Door::Paused(listener, Instant::now() + ACCEPT_PAUSE);
        }
        drop(door);
        // Said once, until all that waited could be accepted.
        if !self.short.swap(true, Ordering::Relaxed) {
            log::warn!("no connection can be accepted just now, trying again shortly: {error}");
        }
        self.wake_clock();
    }

    /// Looks at the listener again, when it is time. Whether that is still to come.
    pub(super) fn resume_accepting(&self) -> bool {
        let mut door = self.door();
        match std::mem::replace(&mut *door, Door::Closed) {
            Door::Paused(listener, until) if until <= Instant::now() => {
                if self.shards[0].ready.add(&listener, LISTENER, Interest::Listener).is_ok() {
                    *door = Door::Open(listener);
                    return false;
                }
                *door = Door::Paused(listener, Instant::now() + ACCEPT_PAUSE);
                true
            }
            other => {
                let paused = matches!(other, Door::Paused(..));
                *door = other;
                paused
            }
        }
    }

    /// Accepts what is queued, and then no more.
    pub(super) fn stop_accepting(&self, hand: &mut Hand<'_>) {
        // Those who connect all the time are not waited for.
        self.accept(QUEUED, hand);
        if let Door::Open(listener) | Door::Paused(listener, _) = std::mem::replace(&mut *self.door(), Door::Closed) {
            self.shards[0].ready.remove(&listener);
        }
    }

    fn admit(&self, fd: OwnedFd, peer: Option<SocketAddr>, hand: &mut Hand<'_>) {
        if peer.is_some() {
            let _ = sockopt::set_tcp_nodelay(&fd, true); // slower without, not wrong
        }
        self.figures.accepted.fetch_add(1, Ordering::Relaxed);
        let stream = match self.greet() {
            Ok(tls) => Arc::new(Stream::new(fd, tls)),
            Err(error) => return log::error!("a connection cannot be encrypted, it is closed: {error}"),
        };
        let Some(token) = self.table.reserve() else {
            self.figures.refused.fetch_add(1, Ordering::Relaxed);
            // To tell it by TLS takes a handshake, for which there is no room.
            if !stream.is_secure() {
                let _ = stream.write(FULL, false);
                stream.finish();
            }
            return;
        };
        let stage = if stream.is_secure() { Stage::Handshake } else { Stage::Head };
        self.table.place(token.index).set_stream(Some(Arc::clone(&stream)));
        let mut conn = Box::new(Conn {
            core: Weak::clone(&self.this),
            stream,
            token,
            peer,
            shard: 0,
            slow: 0,
            interest: Interest::Read,
            stage,
            input: Input::default(),
            unsent: Vec::new(),
            more: false,
            half: false,
            ended: false,
            broken: false,
            served: 0,
            due: self.after(self.limits.head_timeout),
        });
        conn.shard = self.shard_of(&conn);
        if let Err(error) = self.ready(conn.shard).add(&conn.stream, token.to_u64(), Interest::Read) {
            log::warn!("a connection cannot be watched, it is closed: {error}");
            return self.close(conn);
        }
        // Before it is driven, which may take as long as a handler does.
        self.rouse_clock();
        if let Some((conn, flags)) = self.let_go(conn) {
            self.drive(conn, flags, hand);
        }
    }
}

/// What a connection beyond [`Limits::connections`] gets.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
