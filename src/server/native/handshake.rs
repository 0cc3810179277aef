//! How a connection with TLS begins: in a worker that does not lead, for a handshake computes for longer than most
//! requests. A client that says nothing has none.

use std::io::{self, ErrorKind};

use http::{Method, StatusCode, Version};

use super::conn::{Conn, Stage, Terms};
use super::core::{Core, Job};
use super::drive::Step;
use super::entry::Entry;
use super::hand::Hand;
use super::tls::{Greeting, Tls};
use crate::response::Response;

/// What plain HTTP is answered with, as it came.
const SPEAKS_HTTPS: &str = "This port speaks HTTPS, and was sent plain HTTP: ask for https:// in place of http://\n";

impl Core {
    /// What a new connection needs to be encrypted, if it is to be.
    pub(super) fn greet(&self) -> io::Result<Option<Tls>> {
        self.acceptor.as_ref().map(Tls::new).transpose()
    }

    pub(super) fn handshake(&self, mut conn: Box<Conn>, hand: &mut Hand<'_>) -> Step {
        if hand.is_wanted() {
            self.submit(Job::Handshake(conn));
            return Step::Away;
        }
        match conn.stream.handshake() {
            Ok(Greeting::Tls) => {
                conn.stage = Stage::Head;
                conn.more = true; // it may have come with the last of the handshake
                Step::Go(conn)
            }
            Ok(Greeting::Http) => {
                log::debug!("plain HTTP was sent to a port that speaks HTTPS");
                conn.stage = Stage::Head;
                let response = Response::text(SPEAKS_HTTPS).with_status(StatusCode::BAD_REQUEST);
                let entry = Entry::of_malformed(conn.peer, b"");
                let terms = Terms { entry, ..Terms::last(Method::GET, Version::HTTP_11) };
                self.answer_finally(conn, response, terms, hand)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Wait(conn),
            Err(error) => {
                log::debug!("a TLS handshake came to nothing: {error}");
                match error.kind() {
                    ErrorKind::InvalidData => self.wind_up(conn, false, hand),
                    _ => Step::Close(conn),
                }
            }
        }
    }
}
