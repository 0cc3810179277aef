//! Responses that are made to fit what a request asked for.

use super::{Validators, Verdict};
use crate::error::{Error, HttpError};
use crate::range::ContentRange;
use crate::request::Request;
use crate::response::Response;

impl Response {
    /// Makes it 304 when the client has it already, by its `ETag` and its `Last-Modified`, and 412 when a condition of the
    /// request does not hold (Flask's `make_conditional`). It does nothing for requests other than GET and HEAD.
    ///
    /// `If-None-Match` counts before `If-Modified-Since`; a 304 is sent without its body and the headers that describe it.
    ///
    /// ```
    /// use dewar::{App, Response, request};
    ///
    /// fn page() -> Response {
    ///     let mut response = Response::text("hello");
    ///     response.set_etag("v1", false);
    ///     response.make_conditional(&request());
    ///     response
    /// }
    ///
    /// let mut app = App::new("demo");
    /// app.get("/", page);
    /// let client = app.test_client();
    /// assert_eq!(client.get("/").status(), 200);
    /// assert_eq!(client.request("GET", "/").header("if-none-match", "\"v1\"").send().status(), 304);
    /// ```
    pub fn make_conditional(&mut self, request: &Request) -> &mut Response {
        match self.verdict(request, None) {
            Verdict::NotModified => self.set_status(304),
            Verdict::PreconditionFailed => self.set_status(412),
            // Without a length no parts are asked for.
            Verdict::Full | Verdict::Range { .. } | Verdict::RangeNotSatisfiable(_) => {}
        }
        self
    }

    /// As [`make_conditional`](Response::make_conditional), and gives a client the part that it asks for by `Range`
    /// (Flask's `make_conditional(request, accept_ranges=True, complete_length=…)`): 206 with the `Content-Range`, where the
    /// condition of `If-Range` holds. `complete_length` is the body's in bytes; without it, the body's own where it is
    /// known. Of a stream, what is before the part is read and thrown away.
    ///
    /// ```
    /// use dewar::{Request, Response};
    ///
    /// let request = Request::get("/").with_header("range", "bytes=1-3");
    /// let mut response = Response::text("hello");
    /// response.make_conditional_range(&request, None)?;
    /// assert_eq!((response.status_code(), response.header("content-range")), (206, Some("bytes 1-3/5")));
    /// assert_eq!(response.get_data()?, "ell");
    /// # Ok::<(), dewar::Error>(())
    /// ```
    ///
    /// # Errors
    /// 416 when the range is malformed, cannot be satisfied, or is several; an I/O error when the part of a file cannot be
    /// found.
    pub fn make_conditional_range(
        &mut self,
        request: &Request,
        complete_length: Option<u64>,
    ) -> Result<&mut Response, Error> {
        let length = complete_length.or_else(|| self.body().len());
        self.set_accept_ranges("bytes");
        match self.verdict(request, length) {
            Verdict::Full => {}
            Verdict::NotModified => self.set_status(304),
            Verdict::PreconditionFailed => self.set_status(412),
            Verdict::RangeNotSatisfiable(length) => return Err(not_satisfiable(length).into()),
            Verdict::Range { start, end } => {
                let length = length.unwrap_or(end);
                if !self.body_mut().cut(start, end - start)? {
                    return Err(not_satisfiable(length).into());
                }
                self.set_content_length(None);
                self.set_content_range(ContentRange::bytes(start..end, Some(length)));
                self.set_status(206);
            }
        }
        Ok(self)
    }

    fn verdict(&self, request: &Request, len: Option<u64>) -> Verdict {
        if request.method() != http::Method::GET && request.method() != http::Method::HEAD {
            return Verdict::Full;
        }
        let validators = Validators { etag: self.get_etag(), last_modified: self.last_modified(), len };
        validators.weigh(request.method(), request.headers())
    }
}

/// 416, with how much there is.
pub(crate) fn not_satisfiable(length: u64) -> HttpError {
    HttpError::new(416).with_header("content-range", &ContentRange::unsatisfied(length).to_string())
}
