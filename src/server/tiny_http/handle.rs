//! One request, from tiny_http's hands to its answer.

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::tiny_http as tiny;
use ::tiny_http::ReadWrite;
use http::Version;

use super::State;
use super::aside;
use super::head::{self, Head, Place};
use super::lease::{self, Lease, Rest};
use super::ruined::Ruin;
use super::send::{Scratch, Sent, Tally, send};
use super::visit::Visit;
use crate::body::Body;
use crate::error::HttpError;
use crate::quiet::discard_panic;
use crate::request::Request;
use crate::response::Response;

impl State {
    /// Answers a request. With `close` the client is told to come again on another connection.
    pub(super) fn handle(self: &Arc<Self>, request: tiny::Request, scratch: &mut Scratch, close: bool) {
        let visit = Visit::of(&request);
        let head = match head::read(&request, visit.terms, &self.limits) {
            Ok(head) => head,
            Err(error) => {
                self.ruined.note(visit.addr, Ruin::Request);
                return self.refuse(request, scratch, error, Rest::Unknown, &visit);
            }
        };
        if let Some(ruin) = self.ruined.look(visit.addr) {
            return self.on_ruined(request, scratch, ruin, &visit);
        }
        match head.place {
            Place::Socket(rest @ Rest::Sized(length)) if length > self.limits.body => {
                let what = format!("The request's body has {length} bytes, {} are allowed.", self.limits.body);
                self.refuse(request, scratch, HttpError::new(413).with_description(what), rest, &visit)
            }
            Place::Socket(rest) => self.handle_lease(request, head, rest, scratch, &visit, close),
            Place::Nowhere | Place::Memory(_) => self.handle_here(request, head, scratch, &visit, close),
        }
    }

    /// One with no body, or with one that is in memory.
    fn handle_here(&self, mut request: tiny::Request, head: Head, scratch: &mut Scratch, visit: &Visit, close: bool) {
        let body = match head.place {
            Place::Memory(length) => {
                let mut bytes = Vec::with_capacity(length as usize);
                // Cut short it is shorter, which only a client that has gone away can make it.
                let _ = request.as_reader().take(length).read_to_end(&mut bytes);
                Body::from(bytes)
            }
            _ => Body::empty(),
        };
        // Requests of one connection are in several hands at once. Not before the answer to the one before has gone out
        // is it known that that one was not malformed, and this one no part of it.
        let mut writer = request.into_writer();
        if writer.write(&[]).is_err() {
            return;
        }
        match self.ruined.look(visit.addr) {
            None => {
                let response = self.call(head.into_request(visit.addr, visit.terms, body));
                self.send(&mut writer, scratch, visit, response, close);
            }
            Some(Ruin::Request) => {
                self.send(&mut writer, scratch, visit, HttpError::new(400).into_response(), true);
            }
            Some(Ruin::Response) => {}
        }
    }

    /// One whose body is on the socket.
    fn handle_lease(
        self: &Arc<Self>,
        request: tiny::Request,
        head: Head,
        rest: Rest,
        scratch: &mut Scratch,
        visit: &Visit,
        close: bool,
    ) {
        let terms = visit.terms;
        let limit = self.limits.body;
        let lease = Lease::new(request, rest);
        let mut response = self.call(head.into_request(visit.addr, terms, lease.body(limit)));
        match catch_unwind(AssertUnwindSafe(|| lease::detach(&lease, &mut response, limit))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                log::error!("the response could not be read ahead: {error}");
                response = HttpError::from(error).into_response();
            }
            Err(panic) => {
                discard_panic(panic);
                self.count_panic();
                log::error!("the response's body panicked while it was read");
                response = HttpError::new(500).into_response();
            }
        }
        let Some((request, rest)) = lease.revoke() else {
            log::error!("another thread is still reading a request's body: its client gets no answer");
            self.ruined.note(visit.addr, Ruin::Response);
            self.leaked();
            return;
        };
        if rest == Rest::Nothing || !terms.reader_matters {
            return self.answer(request, scratch, visit, response, close);
        }
        // Kept usable only when it is known that the rest is within bounds.
        let fits = matches!(rest, Rest::Sized(left) if left <= self.limits.unread_body);
        let Some(mut stream) = split(request, visit, &response) else {
            self.leaked();
            return;
        };
        self.send(&mut stream, scratch, visit, response, close || !fits);
        self.end(stream, rest);
    }

    /// Lets go of a connection whose request has been answered and not read to its end. Not here: who knows when the
    /// client sends it.
    fn end(self: &Arc<Self>, mut stream: Box<dyn ReadWrite + Send>, rest: Rest) {
        let state = Arc::clone(self);
        let job = Box::new(move || {
            if !aside::drain(&mut *stream, rest, state.limits.unread_body) {
                std::mem::forget(stream);
                state.leaked();
            }
        });
        if let Err(job) = self.drains.run(job) {
            // Too many clients are being waited for already.
            std::mem::forget(job);
            self.leaked();
        }
    }

    /// Calls the service; what panics is a 500.
    fn call(&self, request: Request) -> Response {
        match catch_unwind(AssertUnwindSafe(|| self.service.call(request))) {
            Ok(response) => response,
            Err(panic) => {
                self.count_panic();
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                log::error!("a handler panicked: {}", text.unwrap_or("with something that is no text"));
                discard_panic(panic);
                HttpError::new(500).into_response()
            }
        }
    }

    /// Answers a request that has nothing left to be read.
    fn answer(&self, request: tiny::Request, scratch: &mut Scratch, visit: &Visit, response: Response, close: bool) {
        let mut writer = request.into_writer();
        self.send(&mut writer, scratch, visit, response, close);
    }

    fn send(&self, mut writer: &mut dyn Write, scratch: &mut Scratch, visit: &Visit, response: Response, close: bool) {
        // tiny_http keeps answers in the order of their requests, by letting the first write of each wait. Waited for
        // before looking, since it is then that the answer before may break off.
        let turn = writer.write(&[]);
        if turn.is_err() || self.ruined.look(visit.addr) == Some(Ruin::Response) {
            return;
        }
        let (sent, tally) = send(&mut writer, scratch, visit.terms, response, close);
        visit.answered(tally);
        if sent == Sent::Panicked {
            self.count_panic();
        }
        if sent != Sent::Done {
            self.ruined.note(visit.addr, Ruin::Response);
        }
    }

    /// Answers without asking the service. What is left of the body is thrown away if it is known and within bounds,
    /// for most clients do not look at an answer before they have sent all; else the connection is leaked.
    fn refuse(
        self: &Arc<Self>,
        request: tiny::Request,
        scratch: &mut Scratch,
        error: HttpError,
        rest: Rest,
        visit: &Visit,
    ) {
        let response = error.into_response();
        if !visit.terms.reader_matters {
            return self.answer(request, scratch, visit, response, true);
        }
        match split(request, visit, &response) {
            Some(mut stream) => {
                self.send(&mut stream, scratch, visit, response, true);
                if matches!(rest, Rest::Sized(left) if left <= self.limits.unread_body) {
                    self.end(stream, rest);
                } else {
                    std::mem::forget(stream);
                    self.leaked();
                }
            }
            None => self.leaked(),
        }
    }

    /// A request on a connection that is ruined.
    fn on_ruined(self: &Arc<Self>, request: tiny::Request, scratch: &mut Scratch, ruin: Ruin, visit: &Visit) {
        match ruin {
            Ruin::Request => self.refuse(request, scratch, HttpError::new(400), Rest::Unknown, visit),
            Ruin::Response if visit.terms.reader_matters => {
                std::mem::forget(request);
                self.leaked();
            }
            Ruin::Response => {
                // Not a byte is written, and those who wait behind it go on, to find the same.
                drop(request.into_writer());
            }
        }
    }

    /// Answers a request that has waited for too long.
    pub(super) fn overloaded(self: &Arc<Self>, request: tiny::Request) {
        let seconds = self.limits.queue_deadline.as_secs().clamp(1, 60);
        let error = HttpError::new(503).with_header("retry-after", &seconds.to_string());
        let visit = Visit::of(&request);
        let rest = match head::read(&request, visit.terms, &self.limits).map(|head| head.place) {
            Ok(Place::Socket(rest @ Rest::Sized(_))) => rest,
            _ => Rest::Unknown,
        };
        self.refuse(request, &mut Scratch::default(), error, rest, &visit);
    }

    fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that was given up with all that tiny_http has for it, and warns of the first and of every
    /// hundredth.
    pub(super) fn leaked(&self) {
        let count = self.leaked.fetch_add(1, Ordering::Relaxed) + 1;
        if count % 100 == 1 {
            log::warn!(
                "gave up a connection with its thread, {count} since the start: tiny_http cannot close one whose \
                 request was not read to its end"
            );
        }
    }
}

/// Parts a request into what is read from and what is written to, which live on together. Nothing else does that:
/// all other ways to an answer drop the reader, and with it read the body, or misread it.
///
/// tiny_http thinks that this is an upgrade, and writes a response first. An interim one does no harm: clients skip
/// those. HTTP/1.0 has none; there the head of the real response is written by tiny_http, and is all that is sent.
fn split(request: tiny::Request, visit: &Visit, response: &Response) -> Option<Box<dyn ReadWrite + Send>> {
    if visit.terms.version == Version::HTTP_10 {
        let status = response.status();
        std::mem::forget(request.upgrade("HTTP/1.1", tiny::Response::empty(status.as_u16())));
        visit.answered(Tally { status, bytes: 0 });
        return None;
    }
    Some(request.upgrade("HTTP/1.1", tiny::Response::empty(100)))
}
