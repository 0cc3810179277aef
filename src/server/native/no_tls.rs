//! In place of [`tls`](super::tls) in a build without it: there are no such connections.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

use crate::server::Setup;

pub(super) type Acceptor = Infallible;

pub(super) fn acceptor(_: &Setup) -> Option<Acceptor> {
    None
}

pub(super) enum Tls {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "nobody greets here")]
pub(super) enum Greeting {
    Tls,
    Http,
}

impl Tls {
    pub(super) fn new(acceptor: &Acceptor) -> io::Result<Tls> {
        match *acceptor {}
    }

    pub(super) fn handshake(&self, _: BorrowedFd<'_>) -> io::Result<Greeting> {
        match *self {}
    }

    pub(super) fn read(&self, _: BorrowedFd<'_>, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn write(&self, _: BorrowedFd<'_>, _: &[IoSlice<'_>], _: bool) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn send_file(&self, _: BorrowedFd<'_>, _: &File, _: usize) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn flush(&self, _: BorrowedFd<'_>) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn is_kept(&self) -> bool {
        match *self {}
    }

    pub(super) fn has_more(&self) -> bool {
        match *self {}
    }

    pub(super) fn has_moved(&self) -> bool {
        match *self {}
    }

    pub(super) fn part(&self, _: BorrowedFd<'_>) {
        match *self {}
    }
}
