//! An async stream as a response.

use std::fmt;

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::IntoResponse;
use crate::body::Body;
use crate::bridge::{self, IntoBlock};
use crate::error::Result;
use crate::response::Response;

/// A response whose body is made by an async stream: Flask's generator as a response, of async code.
///
/// The stream's items are blocks, [`Bytes`], `Vec<u8>` or text, or results of such. Each is sent as it comes, and the
/// next one is asked for when that is out: a slow client slows the stream down, and one that goes away drops it. An error
/// cuts the connection, so that the client sees that the body is not whole.
///
/// It is `text/html; charset=utf-8`, as what Flask's views return, unless [`content_type`](StreamBody::content_type) says
/// otherwise. The worker that sends the response polls the stream, by [`bridge::block_on_iter`]; what it spawns on that
/// thread's loop ends with the block that it was spawned for.
///
/// As with Flask's generators, the context is gone by then: what the stream needs of the request is taken before, or
/// kept by [`stream_with_context`](crate::stream_with_context).
///
/// ```
/// use dewar::{App, StreamBody, bridge};
///
/// fn count(to: u32) -> StreamBody {
///     let numbers = bridge::stream(async move |yielder| {
///         for n in 1..=to {
///             bridge::yield_now().await; // think of an async client here
///             yielder.send(format!("{n}\n")).await;
///         }
///     });
///     StreamBody::new(numbers).content_type("text/plain")
/// }
///
/// let mut app = App::new("demo");
/// app.get("/count/<int:to>", count);
/// let response = app.test_client().get("/count/3");
/// assert_eq!(response.text(), "1\n2\n3\n");
/// assert_eq!(response.header("content-type"), Some("text/plain"));
/// ```
#[must_use = "a body does nothing until it is returned or sent"]
pub struct StreamBody {
    body: Body,
    content_type: HeaderValue,
}

impl StreamBody {
    /// A body of this stream's blocks.
    pub fn new<S>(stream: S) -> StreamBody
    where
        S: Stream<Item: IntoBlock> + Send + 'static,
    {
        let blocks = bridge::block_on_iter(stream).map(IntoBlock::into_block);
        StreamBody {
            body: Body::try_blocks::<_, Bytes, _>(blocks),
            content_type: HeaderValue::from_static("text/html; charset=utf-8"),
        }
    }

    /// A body that is made without a stream.
    #[cfg(feature = "templates")]
    pub(crate) fn of_body(body: Body) -> StreamBody {
        StreamBody { body, content_type: HeaderValue::from_static("text/html; charset=utf-8") }
    }

    /// The same with another type.
    ///
    /// # Panics
    ///
    /// At the caller's line, when it cannot be a header's value.
    #[track_caller]
    pub fn content_type(mut self, content_type: &str) -> StreamBody {
        let Ok(value) = HeaderValue::try_from(content_type) else {
            panic!("the content type {content_type:?} has a character that a header cannot carry");
        };
        self.content_type = value;
        self
    }
}

impl IntoResponse for StreamBody {
    fn into_response(self) -> Result<Response> {
        Ok(self.into())
    }
}

/// For a view that answers with a stream or something else: `Ok(body.into())`.
impl From<StreamBody> for Response {
    fn from(stream: StreamBody) -> Response {
        let mut response = Response::new(stream.body);
        response.headers_mut().insert(CONTENT_TYPE, stream.content_type);
        response
    }
}

/// Without the type.
impl From<StreamBody> for Body {
    fn from(stream: StreamBody) -> Body {
        stream.body
    }
}

impl fmt::Debug for StreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBody").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}
