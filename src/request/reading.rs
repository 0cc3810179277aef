//! A request's body: read whole or as a stream, within limits that the app sets and a view may change.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::Request;
use crate::body::{Body, BodyTooLarge};
use crate::error::HttpError;
use crate::form::FormData;

/// The body as far as nobody has taken it, and how much of it may be read.
pub(super) struct Source {
    body: Body,
    /// Bytes; the greatest number is no limit.
    max_content_length: u64,
    form: FormLimits,
}

/// How large a form may be; the greatest numbers are no limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FormLimits {
    /// Bytes of a urlencoded form, or of one text field of a multipart one.
    pub(crate) memory: u64,
    /// Parts of a multipart form.
    #[cfg_attr(not(feature = "multipart"), allow(dead_code, reason = "only multipart forms have parts"))]
    pub(crate) parts: usize,
}

impl FormLimits {
    /// Flask's.
    pub(crate) const DEFAULT: FormLimits = FormLimits { memory: 500_000, parts: 1_000 };
}

impl Source {
    pub(super) fn of(body: Body) -> Source {
        Source { body, max_content_length: u64::MAX, form: FormLimits::DEFAULT }
    }

    /// The same limits without the body.
    pub(super) fn emptied(&self) -> Source {
        Source { body: Body::empty(), ..*self }
    }

    /// Whether it is known to be too long, before a byte is read.
    fn check(&self) -> Result<(), BodyTooLarge> {
        let limit = self.max_content_length;
        if self.body.len().is_some_and(|len| len > limit) { Err(BodyTooLarge { limit }) } else { Ok(()) }
    }

    fn take(&mut self) -> Body {
        let body = std::mem::take(&mut self.body);
        if self.max_content_length == u64::MAX { body } else { body.limited(self.max_content_length) }
    }
}

impl Request {
    pub(super) fn source(&self) -> MutexGuard<'_, Source> {
        self.0.source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole body, read once and kept, whatever its type (Flask's `get_data()`). As text it is
    /// `String::from_utf8_lossy(&request.get_data()?)`; to read it without keeping it there is
    /// [`stream`](Request::stream).
    ///
    /// It is empty when a form was read from it before, or a stream was taken.
    ///
    /// # Errors
    /// 413 when it is longer than allowed, 400 when the client went away before its end, each time that it is asked
    /// for.
    pub fn get_data(&self) -> Result<Bytes, HttpError> {
        // The lock is held while reading, so that a second caller waits for the first one's bytes.
        let mut source = self.source();
        if self.0.data.get().is_none() {
            // A form that failed has used up the body, and half of one is no body.
            if let Some(Err(unread)) = self.0.form.get() {
                return Err(unread.clone().into());
            }
            // Not kept: the limit may be raised yet.
            source.check().map_err(too_large)?;
        }
        let mut panic = None;
        let read = || {
            let body = source.take();
            match catch_unwind(AssertUnwindSafe(|| body.into_bytes())) {
                Ok(read) => read.map_err(|error| HttpError::from(error).into()),
                Err(payload) => {
                    panic = Some(payload);
                    Err(HttpError::new(500).with_description("Reading the body panicked.").into())
                }
            }
        };
        let data = self.0.data.get_or_init(read).clone();
        drop(source);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
        data.map_err(HttpError::from)
    }

    /// Whether the body was read whole, and is kept.
    pub(crate) fn has_data(&self) -> bool {
        self.0.data.get().is_some()
    }

    /// The body as a stream, for whoever comes first; after that it is empty (Flask's `stream`). A body that was read by
    /// [`get_data`](Request::get_data) is streamed from memory.
    ///
    /// It is a lease on the connection: void once the response is written.
    ///
    /// # Errors
    /// 413 when it is declared to be longer than allowed; nothing is read then. Without a declared length reading fails
    /// where it becomes too long, with [`BodyTooLarge`].
    pub fn stream(&self) -> Result<Body, HttpError> {
        // The lock first: another thread may be reading at this moment, and what it reads is kept.
        let mut source = self.source();
        match self.0.data.get() {
            Some(Ok(data)) => Ok(data.clone().into()),
            Some(Err(unread)) => Err(unread.clone().into()),
            None => {
                source.check().map_err(too_large)?;
                Ok(source.take())
            }
        }
    }

    /// As [`stream`](Request::stream), with its error where the stream is read.
    pub fn take_body(&self) -> Body {
        let mut source = self.source();
        match (self.0.data.get(), source.check()) {
            (Some(data), _) => data.clone().unwrap_or_default().into(),
            (None, Ok(())) => source.take(),
            (None, Err(limit)) => Body::try_blocks([Err::<Bytes, _>(io::Error::other(limit))]),
        }
    }

    /// The fields that came behind a body in chunks, once that has been read to its end; none before. Fields that may be
    /// no trailers, such as `Host`, are left out. From the native engine.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.0.trailers.as_ref()?.get().filter(|trailers| !trailers.is_empty())
    }

    /// How many bytes of body may be read, if there is a limit: the configuration's `MAX_CONTENT_LENGTH`, unless
    /// [`set_max_content_length`](Request::set_max_content_length) said otherwise. The engine has a limit of its own.
    pub fn max_content_length(&self) -> Option<u64> {
        let limit = self.source().max_content_length;
        (limit < u64::MAX).then_some(limit)
    }

    /// Allows this request's body so many bytes, more or fewer than others (Flask: `request.max_content_length = n`).
    /// More of them are answered with 413 when the body is read; what was read, or is being read as a stream, stays.
    ///
    /// ```
    /// use dewar::{App, request};
    ///
    /// let mut app = App::new("demo");
    /// app.config_mut().set("MAX_CONTENT_LENGTH", 10);
    /// app.post("/short", || request().get_data());
    /// app.post("/long", || {
    ///     request().set_max_content_length(1000);
    ///     request().get_data()
    /// });
    /// let client = app.test_client();
    /// assert_eq!(client.post("/short").body("eleven bytes").send().status(), 413);
    /// assert_eq!(client.post("/long").body("eleven bytes").send().status(), 200);
    /// ```
    pub fn set_max_content_length(&self, bytes: u64) {
        self.source().max_content_length = bytes;
    }

    /// How many bytes a urlencoded form, or one text field of a multipart one, may have, if there is a limit: the
    /// configuration's `MAX_FORM_MEMORY_SIZE`, which is 500,000 if it is not set.
    ///
    /// As in Flask it is also how much of a multipart form is looked at in one piece, which is 64 KiB at most: a lower
    /// limit is that of small files, too.
    pub fn max_form_memory_size(&self) -> Option<u64> {
        let limit = self.source().form.memory;
        (limit < u64::MAX).then_some(limit)
    }

    /// Allows this request's form so many bytes; to be said before the form is read
    /// (Flask: `request.max_form_memory_size = n`).
    pub fn set_max_form_memory_size(&self, bytes: u64) {
        self.source().form.memory = bytes;
    }

    /// How many parts a multipart form may have, if there is a limit: the configuration's `MAX_FORM_PARTS`, which is
    /// 1,000 if it is not set.
    pub fn max_form_parts(&self) -> Option<usize> {
        let limit = self.source().form.parts;
        (limit < usize::MAX).then_some(limit)
    }

    /// Allows this request's form so many parts; to be said before the form is read
    /// (Flask: `request.max_form_parts = n`).
    pub fn set_max_form_parts(&self, parts: usize) {
        self.source().form.parts = parts;
    }

    pub(crate) fn form_limits(&self) -> FormLimits {
        self.source().form
    }

    pub(crate) fn set_form_limits(&self, limits: FormLimits) {
        self.source().form = limits;
    }

    pub(crate) fn form_slot(&self) -> &OnceLock<Result<FormData, Unread>> {
        &self.0.form
    }
}

fn too_large(error: BodyTooLarge) -> HttpError {
    io::Error::other(error).into()
}

/// Why the body, or the form in it, could not be read: kept, so that who asks again is not given an empty one.
#[derive(Clone)]
pub(crate) struct Unread {
    status: StatusCode,
    description: String,
    headers: Box<HeaderMap>,
}

impl From<HttpError> for Unread {
    fn from(error: HttpError) -> Unread {
        let (description, headers) = (error.description().to_owned(), Box::new(error.headers().clone()));
        Unread { status: error.status(), description, headers }
    }
}

impl From<Unread> for HttpError {
    fn from(unread: Unread) -> HttpError {
        HttpError::new(unread.status).with_description(unread.description).with_headers(*unread.headers)
    }
}
