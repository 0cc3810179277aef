//! Why binding failed, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

/// A port or a Unix socket could not be bound. The message says what to do about it.
#[derive(Debug)]
pub struct BindError {
    /// What was to be bound, as it was given.
    addr: String,
    target: Target,
    source: io::Error,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Port,
    #[cfg(unix)]
    Socket,
    /// A path at which there is another kind of file.
    #[cfg(unix)]
    OtherFile,
}

impl BindError {
    pub(super) fn port(addr: String, source: io::Error) -> BindError {
        BindError { addr, target: Target::Port, source }
    }

    #[cfg(unix)]
    pub(super) fn socket(path: &std::path::Path, source: io::Error) -> BindError {
        BindError { addr: path.display().to_string(), target: Target::Socket, source }
    }

    #[cfg(unix)]
    pub(super) fn no_socket(path: &std::path::Path) -> BindError {
        let source = io::Error::from(ErrorKind::AddrInUse);
        BindError { target: Target::OtherFile, ..BindError::socket(path, source) }
    }

    /// What the system said.
    pub fn kind(&self) -> ErrorKind {
        self.source.kind()
    }

    fn fmt_port(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BindError { addr, source, .. } = self;
        let (host, port) = addr.rsplit_once(':').unwrap_or(("", addr));
        match source.kind() {
            ErrorKind::AddrInUse => {
                write!(f, "port {port} of {host} is in use by another program. Stop that one (")?;
                let finder = if cfg!(target_os = "linux") {
                    format!("`ss -ltnp 'sport = :{port}'`")
                } else if cfg!(windows) {
                    format!("`netstat -ano | findstr :{port}`")
                } else {
                    format!("`lsof -nP -iTCP:{port} -sTCP:LISTEN`")
                };
                write!(f, "{finder} shows which it is) or choose another port with --port")?;
                if cfg!(target_os = "macos") && port == "5000" {
                    write!(f, "; on macOS it is often the AirPlay Receiver, in System Settings")?;
                }
                Ok(())
            }
            ErrorKind::PermissionDenied => {
                write!(
                    f,
                    "the system does not allow this program to listen on port {port} of {host}: ports below 1024 "
                )?;
                write!(f, "are reserved, choose a higher one with --port")
            }
            ErrorKind::AddrNotAvailable => {
                write!(f, "{addr} is not an address of this machine: use 127.0.0.1 for this machine only or 0.0.0.0 ")?;
                write!(f, "for all of its networks with --host")
            }
            _ => write!(f, "cannot listen on {addr}: {source}"),
        }
    }

    #[cfg(unix)]
    fn fmt_socket(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BindError { addr, source, .. } = self;
        match source.kind() {
            ErrorKind::AddrInUse => {
                let finder = if cfg!(target_os = "linux") { "ss -lxp src" } else { "lsof -U" };
                write!(
                    f,
                    "another program listens on the socket {addr}. Stop that one (`{finder} {addr}` shows which it "
                )?;
                write!(f, "is) or choose another path with --host unix:PATH")
            }
            ErrorKind::NotFound => {
                write!(
                    f,
                    "the folder for the socket {addr} does not exist: make it, or choose another path with --host"
                )
            }
            ErrorKind::PermissionDenied => {
                write!(f, "the system does not allow this program to make or to reach the socket {addr}: it must be ")?;
                write!(f, "allowed to write to the folder, and to a socket that is there already")
            }
            ErrorKind::InvalidFilename => {
                write!(f, "the path {addr} is too long for a socket: on Linux it may have 107 bytes")
            }
            _ => write!(f, "cannot listen on the socket {addr}: {source}"),
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            Target::Port => self.fmt_port(f),
            #[cfg(unix)]
            Target::Socket => self.fmt_socket(f),
            #[cfg(unix)]
            Target::OtherFile => {
                let addr = &self.addr;
                write!(
                    f,
                    "there is a file at {addr} that is no socket, which is not removed: move it away, or choose "
                )?;
                write!(f, "another path with --host unix:PATH")
            }
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
