//! A connection's socket, which never blocks by itself: whoever has to wait says so, and for how long.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendAncillaryBuffer, Shutdown, recv, send, sendmsg, shutdown};

use super::system;

/// A socket. It is shared with the body of the request that is being handled and with whoever may have to cut it, so
/// its end is `shutdown`: a body that was leaked keeps the descriptor open.
pub(super) struct Stream {
    fd: OwnedFd,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Read,
    Write,
}

impl Stream {
    /// A socket that does not block.
    pub(super) fn new(fd: OwnedFd) -> Stream {
        system::without_signals(&fd);
        Stream { fd }
    }

    /// Reads what there is; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing yet; otherwise the connection is broken.
    pub(super) fn read(&self, out: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.fd, out, RecvFlags::empty())?.1)
    }

    /// Writes what there is room for. With `more`, what follows belongs into the same packet.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; otherwise the connection is broken.
    pub(super) fn write(&self, bytes: &[u8], more: bool) -> io::Result<usize> {
        Ok(send(&self.fd, bytes, system::send_flags(more))?)
    }

    /// The same of two pieces at once.
    pub(super) fn write_both(&self, first: &[u8], second: &[u8]) -> io::Result<usize> {
        // Not `writev`, which cannot be told to do without the signal.
        let (pieces, mut nothing) = ([IoSlice::new(first), IoSlice::new(second)], SendAncillaryBuffer::default());
        Ok(sendmsg(&self.fd, &pieces, &mut nothing, system::send_flags(false))?)
    }

    /// Sends up to `count` bytes of a file from its position, without a copy where the system can.
    ///
    /// # Errors
    /// As [`write`](Stream::write); what reading the file said cannot be told from that. 0 is the file's end.
    pub(super) fn send_file(&self, file: &File, count: usize) -> io::Result<usize> {
        system::send_file(&self.fd, file, count)
    }

    /// Waits until there is something to read or room to write; `false` when there is not for this long.
    pub(super) fn wait(&self, wait: Wait, timeout: Duration) -> io::Result<bool> {
        let flags = if wait == Wait::Read { system::readable() } else { PollFlags::OUT };
        let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        match poll(&mut [PollFd::new(&self.fd, flags)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(true), // looking once more does no harm
            Err(error) => Err(error.into()),
        }
    }

    /// Sends no more. What was written still arrives.
    pub(super) fn finish(&self) {
        let _ = shutdown(&self.fd, Shutdown::Write); // gone already is as good
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
