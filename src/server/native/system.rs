//! What each system has a call of its own for, or none.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::net::{SendFlags, SocketAddrAny};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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

/// What a thread has done since it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// How long it has computed.
    pub(super) computed: Duration,
    /// How often it has waited for something; giving way to another thread does not count.
    pub(super) waits: std::ffi::c_long,
}

/// Whether it is known what a thread has done.
pub(super) const TELLS_USAGE: bool = cfg!(any(target_os = "linux", target_os = "freebsd"));

/// What this thread has done, where the system tells: some 500 ns.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub(super) fn usage_of_thread() -> Option<Usage> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::time::{ClockId, clock_gettime};

    // getrusage has times too, on Linux without what was computed since the last tick.
    let computed = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?.into();
    let waits = getrusage(UsageWho::RUSAGE_THREAD).ok()?.voluntary_context_switches();
    Some(Usage { computed, waits })
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
pub(super) fn usage_of_thread() -> Option<Usage> {
    None
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

/// Raises the limit of descriptors to what so many connections need, as far as that needs nobody's leave: often it is
/// 1024 to begin with, for the sake of programs that use `select`.
pub(super) fn raise_descriptors(connections: usize) {
    let limits = getrlimit(Resource::Nofile);
    // Beside the connections, what handlers open.
    let wanted = connections as u64 + 1024;
    let wanted = limits.maximum.map_or(wanted, |maximum| wanted.min(maximum));
    if limits.current.is_some_and(|current| current < wanted) {
        // Refused, there are fewer connections, and accepting says so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limits.maximum });
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_file_is_sent_from_its_position_and_what_found_no_room_is_sent_later() -> io::Result<()> {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let path = std::env::temp_dir().join(format!("dewar-send-file-{}", std::process::id()));
        let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        file.write_all(&bytes)?;
        file.seek(SeekFrom::Start(3))?;
        let (ours, mut theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (ours, mut got) = (OwnedFd::from(ours), Vec::new());
        // As much as there is room for, and then all of that is read.
        while got.len() < 900_000 {
            let before = got.len();
            let position = loop {
                match send_file(&ours, &file, 900_000 - got.len()) {
                    Ok(sent) if got.len() + sent < 900_000 => got.resize(got.len() + sent, 0),
                    Ok(sent) => {
                        got.resize(got.len() + sent, 0);
                        break file.stream_position()?;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break file.stream_position()?,
                    Err(error) => return Err(error),
                }
            };
            assert_eq!(position, 3 + got.len() as u64);
            theirs.read_exact(&mut got[before..])?;
        }
        assert!(got == bytes[3..900_003]);
        file.seek(SeekFrom::End(0))?;
        assert_eq!(send_file(&ours, &file, 10)?, 0);
        Ok(())
    }
}
