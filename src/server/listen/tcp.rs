//! Binding a port.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use super::{BindError, BindOptions};

/// Binds the first of the addresses that can be bound.
pub(in crate::server) fn bind(
    addr: impl ToSocketAddrs + fmt::Display,
    options: &BindOptions,
) -> Result<TcpListener, BindError> {
    let bind = || {
        let mut error = io::Error::new(ErrorKind::InvalidInput, "the name has no address");
        for addr in addr.to_socket_addrs()? {
            match bind_one(addr, options) {
                Ok(listener) => return Ok(listener),
                Err(this) => error = this,
            }
        }
        Err(error)
    };
    bind().map_err(|source| BindError::port(addr.to_string(), source))
}

#[cfg(unix)]
fn bind_one(addr: SocketAddr, options: &BindOptions) -> io::Result<TcpListener> {
    use rustix::net::{self, AddressFamily, SocketType, sockopt};

    let family = if addr.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = super::unix::socket(family, SocketType::STREAM)?;
    // As std does: else a port could not be bound again for minutes after its server has ended.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if options.reuse_port {
        reuse_port(&socket)?;
    }
    if options.only_v6 && addr.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    net::bind(&socket, &addr)?;
    net::listen(&socket, i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok(TcpListener::from(socket))
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
fn reuse_port(socket: &std::os::fd::OwnedFd) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_reuseport(socket, true)?)
}

#[cfg(any(target_os = "solaris", target_os = "illumos"))]
fn reuse_port(_: &std::os::fd::OwnedFd) -> io::Result<()> {
    Err(no_reuse_port())
}

#[cfg(not(unix))]
fn bind_one(addr: SocketAddr, options: &BindOptions) -> io::Result<TcpListener> {
    if options.reuse_port {
        return Err(no_reuse_port());
    }
    TcpListener::bind(addr)
}

#[cfg(any(not(unix), target_os = "solaris", target_os = "illumos"))]
fn no_reuse_port() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, "this system cannot share a port between servers (reuse_port)")
}
