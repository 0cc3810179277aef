//! A connection's socket, with TLS or without, which never blocks by itself: whoever has to wait says so, and for how
//! long.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendAncillaryBuffer, Shutdown, recv, send, sendmsg, shutdown, sockopt};

use super::system;
use super::tls::{Greeting, Tls};

/// For so long nothing happens where no limit is set; the kernel knows no longer times.
pub(super) const FOR_EVER: Duration = Duration::from_secs(i32::MAX as u64);

/// A socket. It is shared with the body of the request that is being handled and with whoever may have to cut it, so
/// its end is `shutdown`: a body that was leaked keeps the descriptor open.
pub(super) struct Stream {
    fd: OwnedFd,
    tls: Option<Tls>,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Read,
    Write,
}

impl Stream {
    /// A socket that does not block.
    pub(super) fn new(fd: OwnedFd, tls: Option<Tls>) -> Stream {
        system::without_signals(&fd);
        Stream { fd, tls }
    }

    /// It is encrypted.
    pub(super) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Goes on with the handshake; nothing else may be done before it is over.
    ///
    /// # Errors
    /// `WouldBlock` when the client has to be waited for; `InvalidData` when there can be no TLS with it, and the rest
    /// of what it sends is only to be thrown away; otherwise the connection is broken.
    pub(super) fn handshake(&self) -> io::Result<Greeting> {
        self.tls.as_ref().map_or(Ok(Greeting::Tls), |tls| tls.handshake(self.as_fd()))
    }

    /// Reads what there is; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing yet; otherwise the connection is broken. With TLS that is also one that ends
    /// without saying so: something may have been cut off.
    pub(super) fn read(&self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(tls) = &self.tls {
            return tls.read(self.as_fd(), out);
        }
        Ok(recv(&self.fd, out, RecvFlags::empty())?.1)
    }

    /// After a read that was not full, and so has taken all that the kernel had: there is more nevertheless.
    pub(super) fn has_more(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::has_more)
    }

    /// Writes what there is room for. With `more`, what follows belongs into the same packet. It is on its way when it
    /// was [flushed](Stream::flush).
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; otherwise the connection is broken.
    pub(super) fn write(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        if let Some(tls) = &self.tls {
            return tls.write(self.as_fd(), &[IoSlice::new(bytes)], more);
        }
        Ok(send(&self.fd, bytes, system::send_flags(more))?)
    }

    /// The same of two pieces at once.
    pub(super) fn write_both(&self, first: &[u8], second: &[u8]) -> io::Result<usize> {
        if let Some(tls) = &self.tls {
            return tls.write(self.as_fd(), &[IoSlice::new(first), IoSlice::new(second)], false);
        }
        // Not `writev`, which cannot be told to do without the signal.
        let (pieces, mut nothing) = ([IoSlice::new(first), IoSlice::new(second)], SendAncillaryBuffer::default());
        Ok(sendmsg(&self.fd, &pieces, &mut nothing, system::send_flags(false))?)
    }

    /// Sends up to `count` bytes of a file from its position, without a copy where the system can.
    ///
    /// # Errors
    /// As [`write`](Stream::write); what reading the file said cannot be told from that. 0 is the file's end.
    pub(super) fn send_file(&self, file: &File, count: usize) -> io::Result<usize> {
        if let Some(tls) = &self.tls {
            return tls.send_file(self.as_fd(), file, count);
        }
        system::send_file(&self.fd, file, count)
    }

    /// Sends what was written and is kept, which only TLS does.
    ///
    /// # Errors
    /// As [`write`](Stream::write).
    pub(super) fn flush(&self) -> io::Result<()> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.flush(self.as_fd()))
    }

    /// There is something to [`flush`](Stream::flush).
    pub(super) fn is_kept(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::is_kept)
    }

    /// Since this was last asked, the client has taken some of what was kept.
    pub(super) fn has_moved(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::has_moved)
    }

    /// Waits until there is something to read or room to write; `false` when there is not for this long.
    pub(super) fn wait(&self, wait: Wait, timeout: Duration) -> io::Result<bool> {
        if wait == Wait::Read && self.has_more() {
            return Ok(true);
        }
        let flags = if wait == Wait::Read { system::readable() } else { PollFlags::OUT };
        let timeout = timeout.min(FOR_EVER);
        let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        match poll(&mut [PollFd::new(&self.fd, flags)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(true), // looking once more does no harm
            Err(error) => Err(error.into()),
        }
    }

    /// Sends no more. What was written still arrives.
    pub(super) fn finish(&self) {
        self.part();
        let _ = shutdown(&self.fd, Shutdown::Write); // gone already is as good
    }

    /// Says that no more is sent, where that has to be said: TLS tells an end from a connection that was cut.
    pub(super) fn part(&self) {
        if let Some(tls) = &self.tls {
            tls.part(self.as_fd());
        }
    }

    /// Has its end be a reset: no client takes that for the end of a response, and the kernel keeps nothing for one that
    /// takes nothing. (On TCP.)
    pub(super) fn abort(&self) {
        let _ = sockopt::set_socket_linger(&self.fd, Some(Duration::ZERO)); // it ends all the same
    }

    /// Takes no more from the client: who waits for it finds an end.
    pub(super) fn deafen(&self) {
        let _ = shutdown(&self.fd, Shutdown::Read);
    }

    /// Ends it in both directions, whoever else still has it.
    pub(super) fn cut(&self) {
        let _ = shutdown(&self.fd, Shutdown::Both);
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
