//! Binding the port, and what to do when it is taken.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, ToSocketAddrs};

/// A port could not be bound. The message says what to do about it.
#[derive(Debug)]
pub struct BindError {
    addr: String,
    source: io::Error,
}

impl BindError {
    /// What the system said.
    pub fn kind(&self) -> ErrorKind {
        self.source.kind()
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BindError { addr, source } = self;
        let port = addr.rsplit(':').next().unwrap_or(addr);
        match source.kind() {
            ErrorKind::AddrInUse => {
                write!(f, "port {port} of {addr} is in use by another program. Stop that one (")?;
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
                    "the system does not allow this program to listen on port {port} of {addr}: ports below 1024 "
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
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

pub(super) fn bind(addr: impl ToSocketAddrs + fmt::Display) -> Result<TcpListener, BindError> {
    TcpListener::bind(&addr).map_err(|source| BindError { addr: addr.to_string(), source })
}
