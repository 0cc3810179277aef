//! Binding a Unix domain socket, whose file outlives its program: whether somebody listens there, and when it may go.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

use super::{BindError, BindOptions};

/// A socket that programs started from this one do not inherit.
pub(super) fn socket(family: AddressFamily, kind: SocketType) -> io::Result<OwnedFd> {
    #[cfg(any(target_vendor = "apple", target_os = "aix", target_os = "haiku"))]
    {
        // It cannot be had in one step here.
        let socket = net::socket(family, kind, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        Ok(socket)
    }
    #[cfg(not(any(target_vendor = "apple", target_os = "aix", target_os = "haiku")))]
    Ok(net::socket_with(family, kind, net::SocketFlags::CLOEXEC, None)?)
}

/// Binds the path, also where a program that has ended left its socket file behind.
pub(in crate::server) fn bind(path: &Path) -> Result<(UnixListener, SocketFile), BindError> {
    let failed = |source| BindError::socket(path, source);
    let addr = SocketAddrUnix::new(path).map_err(|error| failed(error.into()))?;
    let bind = || -> io::Result<UnixListener> {
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM)?;
        net::bind(&socket, &addr)?;
        net::listen(&socket, BindOptions::default().backlog as i32)?;
        Ok(UnixListener::from(socket))
    };
    let bound = match bind() {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            remove_stale(path, &addr)?;
            bind()
        }
        bound => bound,
    };
    let listener = bound.map_err(failed)?;
    let file = SocketFile::at(path).map_err(failed)?;
    Ok((listener, file))
}

/// Removes the file if it is a socket that nobody listens on.
fn remove_stale(path: &Path, addr: &SocketAddrUnix) -> Result<(), BindError> {
    let failed = |source| BindError::socket(path, source);
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.map_err(failed)?,
    };
    if !found.file_type().is_socket() {
        return Err(BindError::no_socket(path));
    }
    if knock_at(addr).map_err(failed)? {
        return Err(failed(Errno::ADDRINUSE.into()));
    }
    // Another server may have taken its place in this moment.
    SocketFile { path: path.to_owned(), id: id(&found) }.remove();
    Ok(())
}

/// Whether somebody listens there, which only an attempt can tell: they get a connection that ends at once.
#[cfg(feature = "tiny_http")]
pub(in crate::server) fn knock(path: &Path) -> io::Result<bool> {
    knock_at(&SocketAddrUnix::new(path)?)
}

fn knock_at(addr: &SocketAddrUnix) -> io::Result<bool> {
    let socket = UnixStream::from(socket(AddressFamily::UNIX, SocketType::STREAM)?);
    // One whose backlog is full would let us wait.
    socket.set_nonblocking(true)?;
    match net::connect(&socket, addr) {
        Ok(()) | Err(Errno::AGAIN | Errno::INPROGRESS | Errno::PROTOTYPE) => Ok(true),
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The file of a socket that we have bound.
#[derive(Debug)]
pub(in crate::server) struct SocketFile {
    path: PathBuf,
    id: Id,
}

/// Device, inode, and when it was made: inodes are given out again. (Not when it was changed, which `chmod` does.)
type Id = (u64, u64, i64, i64);

fn id(metadata: &fs::Metadata) -> Id {
    (metadata.dev(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<SocketFile> {
        let id = id(&fs::symlink_metadata(path)?);
        // The program may go to another folder.
        Ok(SocketFile { path: std::path::absolute(path)?, id })
    }

    /// Removes it, unless another one has its place: that of a server that was started since.
    pub(in crate::server) fn remove(&self) {
        let is_it = fs::symlink_metadata(&self.path).is_ok_and(|found| id(&found) == self.id);
        if is_it && let Err(error) = fs::remove_file(&self.path) {
            log::warn!("the socket file {} could not be removed: {error}", self.path.display());
        }
    }
}
