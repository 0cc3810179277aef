//! `multipart/form-data` (RFC 7578), as tolerant as Werkzeug is.

mod decoder;
mod spool;

use std::io::Read;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::body::Body;
use crate::error::HttpError;
use crate::form::FormData;
use crate::header_parts::{self, Charset};
use crate::request::{FormLimits, Request};
use crate::upload::Upload;

use decoder::{Decoder, Event, Head};
use spool::Spool;

/// So many bytes are read at once.
const BLOCK: usize = 64 * 1024;

/// Why there is no form.
enum Failure {
    /// What the client is answered.
    Refused(HttpError),
    /// The body is no such form. It is read as an empty one.
    Malformed(String),
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Failure {
        Failure::Refused(error)
    }
}

/// Reads a form from the body to its end.
pub(crate) fn read(request: &Request) -> Result<FormData, HttpError> {
    let body = request.stream()?;
    match parse(request, body) {
        Ok(form) => Ok(form),
        Err(Failure::Malformed(why)) => Ok(FormData::is_malformed(why)),
        Err(Failure::Refused(error)) => Err(error),
    }
}

fn parse(request: &Request, mut body: Body) -> Result<FormData, Failure> {
    let boundary = request.mimetype_params().remove("boundary").unwrap_or_default();
    // A line break may come in by way of `boundary*=''%0A`; no delimiter is more than a line.
    if boundary.is_empty() || !boundary.is_ascii() || boundary.contains(['\r', '\n']) {
        return Err(Failure::Malformed("its Content-Type has no boundary of ASCII characters on one line".to_owned()));
    }

    let limits = request.form_limits();
    let mut decoder = Decoder::new(&boundary, limits.memory);
    let mut parts = Parts { limits, form: FormData::default(), count: 0, part: None, spool: Spool::default() };
    let known = body.len().and_then(|len| usize::try_from(len).ok()).unwrap_or(BLOCK);
    let mut block = vec![0; known.clamp(1, BLOCK)];
    loop {
        let n = fill(&mut body, &mut block).map_err(HttpError::from)?;
        if n == 0 {
            break;
        }
        decoder.push(&block[..n])?;
        while let Some(event) = decoder.next()? {
            parts.take(event)?;
        }
    }
    if !decoder.is_finished() {
        return Err(Failure::Malformed("it ends before its last boundary".to_owned()));
    }
    Ok(parts.form)
}

/// Reads until the block is full or the body ends: a client may send its bytes one by one, and each look at what has come
/// may begin a boundary's length earlier.
fn fill(body: &mut Body, block: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < block.len() {
        match body.read(&mut block[n..])? {
            0 => break,
            got => n += got,
        }
    }
    Ok(n)
}

/// The form as far as it has come.
struct Parts {
    limits: FormLimits,
    form: FormData,
    count: usize,
    part: Option<Part>,
    spool: Spool,
}

struct Part {
    name: String,
    headers: Head,
    kind: PartKind,
}

enum PartKind {
    Field(Vec<u8>),
    File { filename: String },
}

impl Parts {
    fn take(&mut self, event: Event<'_>) -> Result<(), Failure> {
        match event {
            Event::Head(headers) => {
                self.count += 1;
                if self.count > self.limits.parts {
                    return Err(too_large("The form has too many parts.").into());
                }
                self.part = Some(begin(headers)?);
            }
            Event::Data(data) => match &mut self.part.as_mut().expect("data follows a head").kind {
                PartKind::Field(value) => {
                    if (value.len() + data.len()) as u64 > self.limits.memory {
                        return Err(too_large("A field of the form is too large.").into());
                    }
                    value.extend_from_slice(data);
                }
                PartKind::File { .. } => self.spool.write(data)?,
            },
            Event::End => self.end()?,
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), HttpError> {
        let Part { name, headers, kind } = self.part.take().expect("an end follows a head");
        match kind {
            PartKind::Field(value) => {
                let text = decode(value, headers.get("content-type"));
                self.form.fields.push(name, text);
            }
            PartKind::File { filename } => {
                let content = self.spool.finish();
                self.form.files.push(Upload::of(name, filename, carried(&headers), content));
            }
        }
        Ok(())
    }
}

fn too_large(what: &'static str) -> HttpError {
    HttpError::new(413).with_description(what)
}

/// What a part is, by its `Content-Disposition`. One without a name has an empty one.
fn begin(headers: Head) -> Result<Part, Failure> {
    let Some(disposition) = headers.get("content-disposition") else {
        return Err(Failure::Malformed("a part has no Content-Disposition".to_owned()));
    };
    let (_, parameters) = header_parts::options(disposition);
    let (mut name, mut filename) = (String::new(), None);
    for (parameter, value) in parameters {
        match parameter.as_str() {
            "name" => name = value,
            "filename" => filename = Some(value),
            _ => {}
        }
    }
    let kind = match filename {
        Some(filename) => PartKind::File { filename },
        None => PartKind::Field(Vec::new()),
    };
    Ok(Part { name, headers, kind })
}

/// A field's text: UTF-8, unless the part says that it is ASCII or Latin-1. What does not decode becomes U+FFFD.
fn decode(value: Vec<u8>, content_type: Option<&str>) -> String {
    let charset = content_type.and_then(|content_type| {
        let (_, parameters) = header_parts::options(content_type);
        parameters.iter().find(|(name, _)| name == "charset").and_then(|(_, charset)| Charset::named(charset))
    });
    match charset.unwrap_or(Charset::Utf8) {
        Charset::Utf8 => {
            String::from_utf8(value).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        charset => charset.decode(&value),
    }
}

/// Those headers of a part that HTTP could carry.
fn carried(head: &Head) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in head.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
            // A map has room for 32,768 names; a head may have more.
            let _ = headers.try_append(name, value);
        }
    }
    headers
}
