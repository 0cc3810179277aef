//! Who handles a request, and what becomes of one that nobody will.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::{Method, StatusCode, Version};

use super::conn::{Conn, Stage, Terms};
use super::core::{Answered, Call, Core, Job};
use super::drive::Step;
use super::entry::Entry;
use super::hand::Hand;
use super::lease::Lease;
use super::predict::{Guess, Kind};
use crate::error::HttpError;
use crate::proto::{Refusal, RequestHead};
use crate::quiet::discard_panic;
use crate::request::Request;
use crate::response::Response;

/// So many quick requests in a row, and a connection goes back from the slow ones to the others.
const STAYS_SLOW: u8 = 2;

impl Core {
    /// Has the request handled: here if it will be quick, or if this is nobody whom others wait for.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn dispatch(
        &self,
        mut conn: Box<Conn>,
        request: Request,
        terms: Terms,
        lease: Option<Arc<Lease>>,
        kind: Kind,
        guess: Guess,
        hand: &mut Hand<'_>,
    ) -> Step {
        match guess {
            Guess::Slow if hand.is_wanted() => {
                self.submit(Job::Call(Box::new(Call { conn, request, terms, lease, kind })));
                Step::Away
            }
            Guess::Quick(false) => {
                hand.note(kind.to_u64());
                let response = self.call(request);
                self.answer(conn, response, terms, lease, hand)
            }
            _ => {
                if self.predictor.is_new(kind) {
                    self.predictor.name(kind, || format!("{} {:.128}", request.method(), request.path()));
                }
                hand.note(kind.to_u64());
                let toll = self.predictor.begin(kind, hand.leads);
                let response = self.call(request);
                let slow = self.predictor.end(kind, &toll, hand.leads, || self.now());
                conn.slow = if slow { STAYS_SLOW } else { conn.slow.saturating_sub(1) };
                self.answer(conn, response, terms, lease, hand)
            }
        }
    }

    /// Does a job that a leader left to this worker.
    pub(super) fn perform(&self, job: Job, hand: &mut Hand<'_>) {
        let step = match job {
            Job::Call(call) => {
                let Call { conn, request, terms, lease, kind } = *call;
                self.dispatch(conn, request, terms, lease, kind, Guess::Quick(true), hand)
            }
            Job::Event(event) => return self.on_event(event, hand),
            Job::Handshake(conn) => self.handshake(conn, hand),
            Job::Discard(what) => return drop(what),
            Job::Send(answered) => {
                let Answered { mut conn, response, terms, lease } = *answered;
                hand.out = std::mem::take(&mut conn.unsent);
                self.answer(conn, response, terms, lease, hand)
            }
        };
        self.drive_on(step, hand);
    }

    /// Answers what is no request, and ends the connection: nobody knows where the next one would begin.
    pub(super) fn refuse(&self, conn: Box<Conn>, refusal: Refusal, hand: &mut Hand<'_>) -> Step {
        let error = HttpError::new(refusal.status);
        let error = if refusal.status == StatusCode::BAD_REQUEST {
            error.with_description(format!("The request is malformed: {}.", refusal.why))
        } else {
            error
        };
        log::debug!("refused a request with {}: {}", refusal.status.as_u16(), refusal.why);
        let entry = match &conn.stage {
            Stage::Ahead(ahead) => {
                let head = &ahead.head;
                Entry::begin(conn.peer, &head.method, &head.uri, head.version, &head.headers)
            }
            _ => Entry::of_malformed(conn.peer, conn.input.as_slice()),
        };
        let terms = Terms { entry, ..Terms::last(Method::GET, Version::HTTP_11) };
        let mut conn = conn;
        conn.stage = Stage::Head;
        self.answer_finally(conn, error.into_response(), terms, hand)
    }

    pub(super) fn refuse_with_body(
        &self,
        conn: Box<Conn>,
        refusal: Refusal,
        head: &RequestHead,
        hand: &mut Hand<'_>,
    ) -> Step {
        let what = format!("The request's body is larger than the {} bytes allowed.", self.limits.body);
        let response = HttpError::new(refusal.status).with_description(what).into_response();
        let entry = Entry::begin(conn.peer, &head.method, &head.uri, head.version, &head.headers);
        let terms = Terms { entry, ..Terms::last(head.method.clone(), head.version) };
        self.answer_finally(conn, response, terms, hand)
    }

    /// Calls the service; what panics is a 500.
    pub(super) fn call(&self, request: Request) -> Response {
        match catch_unwind(AssertUnwindSafe(|| self.service.call(request))) {
            Ok(response) => response,
            Err(panic) => {
                self.figures.panics.fetch_add(1, Ordering::Relaxed);
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                log::error!("a handler panicked: {}", text.unwrap_or("with something that is no text"));
                discard_panic(panic);
                HttpError::new(500).into_response()
            }
        }
    }
}
