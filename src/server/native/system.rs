//! What each system has a call of its own for, or none.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::event::PollFlags;
use rustix::net::{SendFlags, SocketAddrAny};

use crate::server::Listener;

/// Accepts a connection, which does not block and is not left to child processes.
#[cfg(all(
    any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly",
    ),
    not(dewar_polling)
))]
pub(super) fn accept(listener: &Listener) -> rustix::io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    use rustix::net::{SocketFlags, acceptfrom_with};

    acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
}

/// Accepts a connection, which does not block. A process that is started at this very moment may get it as well.
#[cfg(not(all(
    any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly",
    ),
    not(dewar_polling)
)))]
pub(super) fn accept(listener: &Listener) -> rustix::io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let (fd, peer) = rustix::net::acceptfrom(listener)?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&fd, true)?;
    Ok((fd, peer))
}

/// Has writing to a connection that the client has closed be an error and no signal, where it is said of the socket.
#[cfg(target_vendor = "apple")]
pub(super) fn without_signals(fd: &OwnedFd) {
    // std has programs ignore the signal; this is for those that undid that.
    let _ = rustix::net::sockopt::set_socket_nosigpipe(fd, true);
}

/// It is said with each write.
#[cfg(not(target_vendor = "apple"))]
pub(super) fn without_signals(_: &OwnedFd) {}

/// How to send. With `more`, what follows belongs into the same packet.
pub(super) fn send_flags(more: bool) -> SendFlags {
    #[cfg(target_vendor = "apple")]
    let flags = SendFlags::empty();
    #[cfg(not(target_vendor = "apple"))]
    let flags = SendFlags::NOSIGNAL;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if more {
        return flags | SendFlags::MORE;
    }
    let _ = more;
    flags
}

/// What to wait for before reading: bytes, or the end of them. Where that has no name it is told as bytes are.
pub(super) fn readable() -> PollFlags {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return PollFlags::IN | PollFlags::RDHUP;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    PollFlags::IN
}

/// Sends up to `count` bytes of a file from its position, which moves by as many as were sent.
#[cfg(all(any(target_os = "linux", target_os = "android"), not(dewar_polling)))]
pub(super) fn send_file(socket: &OwnedFd, file: &File, count: usize) -> io::Result<usize> {
    Ok(rustix::fs::sendfile(socket, file, None, count)?)
}

/// The same by a buffer. The file is read at its position, which moves only by what was sent: the rest is read again.
#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(dewar_polling))))]
pub(super) fn send_file(socket: &OwnedFd, mut file: &File, count: usize) -> io::Result<usize> {
    use std::io::{Seek, SeekFrom};
    use std::os::unix::fs::FileExt;

    /// As many bytes as a socket usually has room for.
    const AT_ONCE: usize = 64 * 1024;

    let mut buffer = vec![0; count.min(AT_ONCE)];
    let position = file.stream_position()?;
    let read = file.read_at(&mut buffer, position)?;
    if read == 0 {
        return Ok(0);
    }
    let sent = rustix::net::send(socket, &buffer[..read], send_flags(read < count))?;
    file.seek(SeekFrom::Start(position + sent as u64))?;
    Ok(sent)
}
