//! A context for what is read when its request is over.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::{packed, request_context};
use crate::ctx::Ctx;

/// Keeps the current request's context for a streamed response: `request()`, `g()` and their kin work in the iterator, or
/// the async stream, as they did in the view.
///
/// A stream is read when the view has returned, the hooks have run and the context is off its thread; without this, it
/// finds none. Its session is read, and can no longer be sent.
///
/// ```
/// use dewar::{App, Body, StreamBody, bridge, request, stream_with_context};
///
/// fn letters() -> Body {
///     Body::blocks(stream_with_context((0..3).map(|n| request().args().get("word").unwrap_or("")[n..=n].to_owned())))
/// }
///
/// fn letters_slowly() -> StreamBody {
///     StreamBody::new(stream_with_context(bridge::stream(async |yielder| {
///         for letter in request().args().get("word").unwrap_or("").chars() {
///             bridge::yield_now().await;
///             yielder.send(letter.to_string()).await;
///         }
///     })))
/// }
///
/// let mut app = App::new("demo");
/// app.get("/", letters);
/// app.get("/slowly", letters_slowly);
/// let client = app.test_client();
/// assert_eq!(client.get("/?word=abc").text(), "abc");
/// assert_eq!(client.get("/slowly?word=abc").text(), "abc");
/// ```
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn stream_with_context<T>(stream: T) -> WithContext<T> {
    WithContext { ctx: request_context("stream_with_context()"), stream: Some(Box::pin(stream)) }
}

/// An iterator, or an async stream, with a request's context: made by [`stream_with_context`].
#[must_use = "a stream does nothing until it is read"]
pub struct WithContext<T> {
    ctx: Arc<Ctx>,
    /// `None` only while it is dropped. Boxed, so that it can be dropped in its context.
    stream: Option<Pin<Box<T>>>,
}

impl<T> WithContext<T> {
    fn within<R>(&mut self, run: impl FnOnce(Pin<&mut T>) -> R) -> Option<R> {
        let stream = self.stream.as_mut()?;
        let _packed = packed(&self.ctx);
        Some(run(stream.as_mut()))
    }
}

impl<T: Iterator + Unpin> Iterator for WithContext<T> {
    type Item = T::Item;

    fn next(&mut self) -> Option<T::Item> {
        self.within(|iterator| iterator.get_mut().next()).flatten()
    }
}

impl<T: Stream> Stream for WithContext<T> {
    type Item = T::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T::Item>> {
        self.within(|stream| stream.poll_next(cx)).unwrap_or(Poll::Ready(None))
    }
}

impl<T> Drop for WithContext<T> {
    fn drop(&mut self) {
        let stream = self.stream.take();
        let _packed = packed(&self.ctx);
        drop(stream);
    }
}

impl<T> fmt::Debug for WithContext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithContext").finish_non_exhaustive()
    }
}
