//! TLS on a connection's socket, by rustls. It blocks no more than the socket does: what cannot be sent at once is kept,
//! at most [`KEPT`] bytes of it, and goes first when there is room.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use rustls::{ServerConfig, ServerConnection};

use super::system;
use crate::server::Setup;

/// What new connections are greeted with.
pub(super) type Acceptor = Arc<ServerConfig>;

/// Bytes that are encrypted ahead of what the socket takes: four records.
const KEPT: usize = 64 * 1024;
/// Records may be empty: after so many reads others come first.
const READS: usize = 64;

pub(super) fn acceptor(setup: &Setup) -> Option<Acceptor> {
    setup.tls.as_ref().map(|config| Arc::clone(config.rustls()))
}

/// One connection's TLS. The lock is held while bytes are moved, never while somebody waits for the client: a body that
/// is read on one thread does not stop the response on another.
pub(super) struct Tls(Box<Mutex<Session>>);

struct Session {
    tls: ServerConnection,
    phase: Phase,
    /// The last read has not told all that has come.
    more: bool,
    /// The socket has taken some of what was kept.
    moved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has come.
    New,
    Handshake,
    Open,
    /// There is no TLS, or none any more: bytes go through as they are, and nobody takes them for a request.
    Plain,
}

/// How a client has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    Tls,
    /// As if this were a port for plain HTTP.
    Http,
}

impl Tls {
    pub(super) fn new(acceptor: &Acceptor) -> io::Result<Tls> {
        let mut tls = ServerConnection::new(Arc::clone(acceptor)).map_err(io::Error::other)?;
        tls.set_buffer_limit(Some(KEPT));
        Ok(Tls(Box::new(Mutex::new(Session { tls, phase: Phase::New, more: true, moved: false }))))
    }

    fn lock(&self) -> MutexGuard<'_, Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on with the handshake.
    ///
    /// # Errors
    /// `WouldBlock` when the client is waited for: to take something if something [is kept](Tls::is_kept), else to send.
    /// `InvalidData` when it will not come to an agreement, of which the client has been told.
    pub(super) fn handshake(&self, fd: BorrowedFd<'_>) -> io::Result<Greeting> {
        let mut session = self.lock();
        if session.phase == Phase::New {
            let mut first = [0];
            if recv(fd, &mut first, RecvFlags::PEEK)?.1 == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if first[0].is_ascii_alphabetic() {
                session.phase = Phase::Plain;
                return Ok(Greeting::Http);
            }
            session.phase = Phase::Handshake;
        }
        loop {
            session.flush(fd, false)?;
            if !session.tls.is_handshaking() {
                session.phase = Phase::Open;
                return Ok(Greeting::Tls);
            }
            match session.tls.read_tls(&mut Socket::new(fd)) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if let Err(error) = session.tls.process_new_packets() {
                let _ = session.flush(fd, false); // the alert, which is short
                session.phase = Phase::Plain;
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }

    /// As [`Stream::read`](super::stream::Stream::read). Less than there is room for is all there was, unless there
    /// [is more](Tls::has_more).
    pub(super) fn read(&self, fd: BorrowedFd<'_>, out: &mut [u8]) -> io::Result<usize> {
        let mut session = self.lock();
        match session.phase {
            Phase::Plain => Socket::new(fd).read(out),
            _ => session.read(fd, out),
        }
    }

    /// As [`Stream::write`](super::stream::Stream::write), of some pieces. What it counts is sent or kept.
    pub(super) fn write(&self, fd: BorrowedFd<'_>, pieces: &[IoSlice<'_>], more: bool) -> io::Result<usize> {
        let mut session = self.lock();
        if session.phase == Phase::Plain {
            return Socket::new(fd).write_vectored(pieces);
        }
        session.flush(fd, more)?;
        let taken = session.tls.writer().write_vectored(pieces)?;
        match session.flush(fd, more) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    /// As [`Stream::send_file`](super::stream::Stream::send_file), by way of our memory.
    pub(super) fn send_file(&self, fd: BorrowedFd<'_>, mut file: &File, count: usize) -> io::Result<usize> {
        self.flush(fd)?;
        let mut bytes = vec![0; count.min(KEPT)];
        let read = file.read(&mut bytes)?;
        if read == 0 {
            return Ok(0);
        }
        let written = self.write(fd, &[IoSlice::new(&bytes[..read])], count > read);
        let back = read - written.as_ref().map_or(0, |written| *written);
        if back > 0 {
            file.seek(SeekFrom::Current(-(back as i64)))?;
        }
        written
    }

    /// Sends what is kept.
    pub(super) fn flush(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.lock().flush(fd, false)
    }

    pub(super) fn is_kept(&self) -> bool {
        self.lock().tls.wants_write()
    }

    /// Something can be read that no event will tell of.
    pub(super) fn has_more(&self) -> bool {
        self.lock().more
    }

    /// Whether the client has taken something since this was last asked.
    pub(super) fn has_moved(&self) -> bool {
        std::mem::take(&mut self.lock().moved)
    }

    /// Tells the client that nothing is missing, and no more follows. What it still sends is only to be thrown away.
    pub(super) fn part(&self, fd: BorrowedFd<'_>) {
        let mut session = self.lock();
        if session.phase == Phase::Open {
            session.tls.send_close_notify();
            let _ = session.flush(fd, false); // a client that takes nothing learns nothing
            // rustls must not be shown what is malformed from here on: it would have to send a second last alert.
            session.phase = Phase::Plain;
        }
    }
}

impl Session {
    fn read(&mut self, fd: BorrowedFd<'_>, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        self.more = true;
        for _ in 0..READS {
            match self.tls.reader().read(&mut out[filled..]) {
                Ok(0) => return Ok(filled),
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) if filled > 0 => return Ok(filled), // it says so again
                Err(error) => return Err(error),
            }
            if filled == out.len() {
                return Ok(filled);
            }
            match self.take_records(fd) {
                Ok(()) => {}
                Err(error) => {
                    self.more = error.kind() != ErrorKind::WouldBlock;
                    return if filled > 0 { Ok(filled) } else { Err(error) };
                }
            }
        }
        if filled > 0 { Ok(filled) } else { Err(ErrorKind::Interrupted.into()) }
    }

    /// Takes some of what the kernel has.
    fn take_records(&mut self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // Of an earlier failure, too: nothing that comes after that is looked at.
        let malformed = |error| io::Error::new(ErrorKind::InvalidData, error);
        self.tls.process_new_packets().map_err(malformed)?;
        self.tls.read_tls(&mut Socket::new(fd))?; // rustls remembers the end
        let taken = self.tls.process_new_packets();
        if self.tls.wants_write() {
            let _ = self.flush(fd, false); // an alert, or new keys as the client wants them; else with the next write
        }
        taken.map_err(malformed)?;
        Ok(())
    }

    fn flush(&mut self, fd: BorrowedFd<'_>, more: bool) -> io::Result<()> {
        let mut socket = Socket::new(fd);
        socket.flags = system::send_flags(more);
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut socket) {
                Ok(n) => self.moved |= n > 0,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The socket, as rustls wants it.
struct Socket<'a> {
    fd: BorrowedFd<'a>,
    flags: SendFlags,
}

impl<'a> Socket<'a> {
    fn new(fd: BorrowedFd<'a>) -> Socket<'a> {
        Socket { fd, flags: system::send_flags(false) }
    }
}

impl Read for Socket<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.fd, out, RecvFlags::empty())?.1)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(sendmsg(self.fd, pieces, &mut SendAncillaryBuffer::default(), self.flags)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
