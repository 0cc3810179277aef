//! `multipart/form-data`, by multer.

use std::io::Read;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::stream;

use crate::body::{Body, BodyTooLarge};
use crate::error::HttpError;
use crate::form::{FormData, Upload};
use crate::request::Request;

/// Reads a multipart form from the body. multer takes in as much as there is before it looks for parts, so at one time
/// there may be twice the body in memory.
pub(crate) fn read(request: &Request) -> Result<FormData, HttpError> {
    let limits = request.form_limits();
    let boundary = multer::parse_boundary(request.content_type().unwrap_or(""))
        .map_err(|_| malformed("its Content-Type has no boundary"))?;
    let mut parts = multer::Multipart::new(blocks(request.take_body()), boundary);

    let mut form = FormData::default();
    // multer is async, but it only ever waits for our body, which blocks: so one poll takes it to its end.
    poll_to_end(async {
        while let Some(mut part) = parts.next_field().await.map_err(refusal)? {
            if form.fields.len() + form.files.len() == limits.parts {
                return Err(HttpError::new(413).with_description("The form has too many parts."));
            }
            let name = part.name().unwrap_or("").to_owned();
            let filename = part.file_name().map(str::to_owned);
            let content_type = part.content_type().map(ToString::to_string);
            let mut data = Vec::new();
            while let Some(block) = part.chunk().await.map_err(refusal)? {
                if filename.is_none() && (data.len() + block.len()) as u64 > limits.memory {
                    return Err(HttpError::new(413).with_description("A field of the form is too large."));
                }
                data.extend_from_slice(&block);
            }
            match filename {
                Some(filename) => form.files.push(Upload { name, filename, content_type, data: data.into() }),
                None => {
                    let text = String::from_utf8(data).map_err(|_| malformed(&format!("'{name}' is not UTF-8")))?;
                    form.fields.push(name, text);
                }
            }
        }
        Ok(())
    })?;
    Ok(form)
}

fn blocks(mut body: Body) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    let mut block = vec![0; 64 * 1024];
    stream::iter(std::iter::from_fn(move || match body.read(&mut block) {
        Ok(0) => None,
        // Copied, since a client may send its bytes one by one.
        Ok(n) => Some(Ok(Bytes::copy_from_slice(&block[..n]))),
        Err(error) => Some(Err(error)),
    }))
}

fn poll_to_end<T>(work: impl Future<Output = Result<T, HttpError>>) -> Result<T, HttpError> {
    let mut work = std::pin::pin!(work);
    let mut cx = Context::from_waker(Waker::noop());
    // multer yields now and then by waking itself, so it is asked again; it never waits for anything else.
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut cx) {
            return done;
        }
    }
}

fn refusal(error: multer::Error) -> HttpError {
    if let multer::Error::StreamReadFailed(source) = &error
        && let Some(io) = source.downcast_ref::<std::io::Error>()
    {
        return if BodyTooLarge::caused(io) { HttpError::new(413) } else { malformed("it ended early") };
    }
    malformed(&error.to_string())
}

fn malformed(why: &str) -> HttpError {
    HttpError::new(400).with_description(format!("The multipart form is malformed: {why}."))
}
