//! The body as data: read, written to, made whole.

use std::io::{self, Write};

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::de::DeserializeOwned;

use super::Response;
use crate::body::Body;
use crate::etag::unquote_etag;

impl Response {
    /// JSON that serde_json has written: see [`plain_json`](Response::plain_json).
    pub(crate) fn json(text: Vec<u8>) -> Response {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let mut response = Response::of_type(JSON, text);
        response.plain_json = true;
        response
    }

    /// The body, where it is JSON as serde_json has written it, and was not touched since.
    pub(crate) fn plain_json(&self) -> Option<&[u8]> {
        if self.plain_json { self.body.whole() } else { None }
    }

    /// Puts another text of the same JSON in place of it; the type, unless another was set since.
    pub(crate) fn put_json(&mut self, text: String, content_type: HeaderValue) {
        self.set_body(text);
        if self.headers.get(CONTENT_TYPE).is_some_and(|value| value == "application/json") {
            self.headers.insert(CONTENT_TYPE, content_type);
        }
    }

    /// The whole body (Flask's `get_data`). A stream, or a file, is read to its end first, and is bytes from then on.
    ///
    /// ```
    /// use dewar::{Body, Response};
    ///
    /// let mut response = Response::text(Body::blocks(["a", "b"]));
    /// assert!(response.is_streamed());
    /// assert_eq!(response.get_data()?, "ab");
    /// assert!(!response.is_streamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the stream or the file says; the body is empty then.
    pub fn get_data(&mut self) -> io::Result<Bytes> {
        if self.body.whole().is_none() {
            let mut whole = Vec::new();
            let read = io::copy(&mut self.body, &mut whole);
            self.body.replace(if read.is_ok() { Body::from(whole) } else { Body::empty() });
            read?;
        }
        Ok(self.body.share())
    }

    /// The whole body as text (Flask's `get_data(as_text=True)`); what is no UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// As [`Response::get_data`].
    pub fn get_data_as_text(&mut self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&self.get_data()?).into_owned())
    }

    /// The whole body as JSON (Flask's `get_json`); `None` when its type is not JSON.
    ///
    /// ```
    /// use dewar::{jsonify, json};
    ///
    /// let mut response = jsonify(json!({ "n": 1 }))?;
    /// assert_eq!(response.get_json::<serde_json::Value>()?.unwrap()["n"], 1);
    /// # Ok::<(), dewar::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Response::get_data`]; `InvalidData` when it is not a `T`.
    pub fn get_json<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        if !self.is_json() {
            return Ok(None);
        }
        let data = self.get_data()?;
        serde_json::from_slice(&data).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Whether the body is made while it is sent (Flask's `is_streamed`): a reader or blocks, but not a file.
    pub fn is_streamed(&self) -> bool {
        self.body.is_stream()
    }

    /// Writes at the end of the body (Flask's `response.stream`), which is read to its end first if it is a stream. What
    /// was written is there once the writer is dropped.
    ///
    /// ```
    /// use dewar::Response;
    /// use std::io::Write;
    ///
    /// let mut response = Response::text("a");
    /// write!(response.stream()?, "{}", 1)?;
    /// assert_eq!(response.get_data()?, "a1");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Response::get_data`].
    pub fn stream(&mut self) -> io::Result<ResponseStream<'_>> {
        let data = self.get_data()?;
        self.set_body(()); // so that the bytes are one's own, and need not be copied
        Ok(ResponseStream { data: data.into(), response: self })
    }

    /// Reads the body to its end, and says its length and, unless there is one, its entity tag (Werkzeug's `freeze`): the
    /// response can then be kept.
    ///
    /// # Errors
    /// As [`Response::get_data`].
    #[cfg(feature = "static_files")]
    pub fn freeze(&mut self) -> io::Result<()> {
        let length = self.get_data()?.len();
        self.headers.insert(CONTENT_LENGTH, length.into());
        self.add_etag(false, false)
    }

    /// Gives it an entity tag by its data, as [`generate_etag`](crate::generate_etag) makes it; with `overwrite` also
    /// where there is one (Flask's `add_etag`).
    ///
    /// ```
    /// use dewar::{Request, Response};
    ///
    /// let mut response = Response::text("hello");
    /// response.add_etag(false, false)?;
    /// let tag = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
    /// assert_eq!(response.get_etag(), Some((tag, false)));
    /// let request = Request::get("/").with_header("if-none-match", &format!("\"{tag}\""));
    /// assert_eq!(response.make_conditional(&request).status(), 304);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Response::get_data`].
    #[cfg(feature = "static_files")]
    pub fn add_etag(&mut self, overwrite: bool, weak: bool) -> io::Result<()> {
        if overwrite || !self.headers.contains_key("etag") {
            let data = self.get_data()?;
            self.set_etag(&crate::etag::generate_etag(&data), weak);
        }
        Ok(())
    }

    /// Sets the entity tag, which is put in quotes.
    ///
    /// # Panics
    /// At the caller's line, when it has a quote, or a character that a header cannot carry.
    #[track_caller]
    pub fn set_etag(&mut self, tag: &str, weak: bool) {
        self.set_header("etag", &crate::etag::quote_etag(tag, weak));
    }

    /// The entity tag without its quotes, and whether it is weak.
    pub fn get_etag(&self) -> Option<(&str, bool)> {
        self.header("etag").map(unquote_etag)
    }

    /// Without the headers that describe a body: for 304, which has none (Werkzeug's `remove_entity_headers`).
    pub(crate) fn remove_entity_headers(&mut self) {
        const OF_A_BODY: [&str; 8] = [
            "allow",
            "content-encoding",
            "content-language",
            "content-length",
            "content-md5",
            "content-range",
            "content-type",
            "last-modified",
        ];
        OF_A_BODY.iter().for_each(|name| _ = self.headers.remove(*name));
    }

    /// Says the length, for a response to HEAD whose body was not made.
    pub fn set_content_length(&mut self, length: impl Into<Option<u64>>) {
        match length.into() {
            Some(length) => _ = self.headers.insert(CONTENT_LENGTH, length.into()),
            None => _ = self.headers.remove(CONTENT_LENGTH),
        }
    }

    /// The length of the body in bytes: the `Content-Length` if there is one, or else the body's own where it is known.
    pub fn content_length(&self) -> Option<u64> {
        let said = self.header("content-length").and_then(|length| length.parse().ok());
        said.or_else(|| self.body.len())
    }
}

/// Writes at the end of a response's body: made by [`Response::stream`].
#[derive(Debug)]
pub struct ResponseStream<'r> {
    data: Vec<u8>,
    response: &'r mut Response,
}

impl Write for ResponseStream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.data.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ResponseStream<'_> {
    fn drop(&mut self) {
        self.response.set_body(std::mem::take(&mut self.data));
    }
}
