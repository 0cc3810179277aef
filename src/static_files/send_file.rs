//! A file, or data as if it were one, as a response.

use std::fs::{File, Metadata};
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, EXPIRES};
use http::{HeaderName, HeaderValue};

use super::disposition::disposition;
use super::names::guess_type;
use crate::body::Body;
use crate::conditional::{Validators, Verdict, not_satisfiable};
use crate::ctx::Ctx;
use crate::error::{Error, HttpError, Result};
use crate::float_repr::float_repr;
use crate::http_date::format_http_date;
use crate::range::ContentRange;
use crate::response::{Response, content_type_of};

/// How a file is sent: see [`send_file_with`](crate::send_file_with). The names and defaults are those of Flask's
/// `send_file`.
///
/// ```
/// use dewar::SendFile;
///
/// let options = SendFile { as_attachment: true, download_name: Some("report.pdf".into()), ..SendFile::default() };
/// # let _ = options;
/// ```
#[derive(Debug, Clone)]
pub struct SendFile {
    /// The type; by the name unless said. `; charset=utf-8` is added to what is text.
    pub mimetype: Option<String>,
    /// Whether browsers are to save it rather than show it.
    pub as_attachment: bool,
    /// The name under which they save it; the file's own unless said.
    pub download_name: Option<String>,
    /// Whether the request's conditions and ranges are heeded; the default is `true`.
    pub conditional: bool,
    /// The entity tag; the default is one by the file's time, size and path.
    pub etag: FileETag,
    /// When it was last modified; the file's own time unless said.
    pub last_modified: Option<SystemTime>,
    /// For how long it may be used without asking; the configuration's `SEND_FILE_MAX_AGE_DEFAULT` unless said.
    pub max_age: Option<Duration>,
}

impl Default for SendFile {
    fn default() -> Self {
        SendFile {
            mimetype: None,
            as_attachment: false,
            download_name: None,
            conditional: true,
            etag: FileETag::Generated,
            last_modified: None,
            max_age: None,
        }
    }
}

/// The entity tag of a file that is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FileETag {
    /// By the file's time, size and path, as Flask makes it. Data that is no file has none.
    #[default]
    Generated,
    /// None.
    Off,
    /// This one, without quotes.
    Named(String),
}

/// Sends a file; relative paths are relative to the app's root.
pub(crate) fn send_file(ctx: &Ctx, path: &Path, options: &SendFile) -> Result<Response> {
    let path = ctx.site().root_path().join(path);
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    if !path.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(HttpError::new(404).into());
    }
    let Ok(mut file) = File::open(&path) else { return Err(HttpError::new(404).into()) };
    let meta = file.metadata()?;
    let modified = options.last_modified.or_else(|| meta.modified().ok());

    let own_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut response = Response::new(());
    describe(&mut response, own_name.as_deref(), options)?;
    validate(&mut response, options, modified, || Some(etag(&path, &meta)))?;
    age(ctx, &mut response, options);

    if ctx.site().settings().use_x_sendfile
        && let Ok(place) = HeaderValue::from_bytes(path.as_os_str().as_encoded_bytes())
    {
        const X_SENDFILE: HeaderName = HeaderName::from_static("x-sendfile");
        // The server in front sends the file, and does the ranges.
        return Ok(match weigh(ctx, &response, options, modified, None)? {
            Verdict::NotModified => not_modified(response),
            _ => {
                response.headers_mut().insert(X_SENDFILE, place);
                response
            }
        });
    }
    match weigh(ctx, &response, options, modified, Some(meta.len()))? {
        Verdict::Range { start, end } => {
            file.seek(SeekFrom::Start(start))?;
            part(&mut response, start, end, meta.len());
            response.set_body(Body::file(file, end - start));
        }
        Verdict::NotModified => return Ok(not_modified(response)),
        _ => response.set_body(Body::file(file, meta.len())),
    }
    accept_ranges(&mut response, options);
    Ok(response)
}

/// Sends data as if it were a file.
pub(crate) fn send_data(ctx: &Ctx, data: Body, options: &SendFile) -> Result<Response> {
    let mut response = Response::new(data);
    describe(&mut response, None, options)?;
    validate(&mut response, options, options.last_modified, || None)?;
    age(ctx, &mut response, options);
    let len = response.body().len();
    match weigh(ctx, &response, options, options.last_modified, len)? {
        Verdict::Range { start, end } => {
            let whole = len.unwrap_or(end);
            if !response.body_mut().cut(start, end - start)? {
                return Err(not_satisfiable(whole).into());
            }
            part(&mut response, start, end, whole);
        }
        Verdict::NotModified => return Ok(not_modified(response)),
        _ => {}
    }
    accept_ranges(&mut response, options);
    Ok(response)
}

/// 412 and 416 are errors.
fn weigh(
    ctx: &Ctx,
    response: &Response,
    options: &SendFile,
    last_modified: Option<SystemTime>,
    len: Option<u64>,
) -> Result<Verdict> {
    if !options.conditional {
        return Ok(Verdict::Full);
    }
    let validators = Validators { etag: response.get_etag(), last_modified, len };
    match validators.weigh(ctx.request().method(), ctx.request().headers()) {
        Verdict::PreconditionFailed => Err(HttpError::new(412).into()),
        Verdict::RangeNotSatisfiable(len) => Err(not_satisfiable(len).into()),
        verdict => Ok(verdict),
    }
}

fn accept_ranges(response: &mut Response, options: &SendFile) {
    if options.conditional {
        response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
}

fn part(response: &mut Response, start: u64, end: u64, len: u64) {
    response.set_status(206);
    response.set_content_range(ContentRange::bytes(start..end, Some(len)));
}

fn not_modified(mut response: Response) -> Response {
    response.set_body(());
    response.set_status(304);
    response.remove_entity_headers();
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// Type, encoding and name.
///
/// # Errors
/// When they can neither be told nor were said, or cannot be headers.
fn describe(response: &mut Response, own_name: Option<&str>, options: &SendFile) -> Result<()> {
    let name = options.download_name.as_deref().or(own_name);
    let mimetype = match (&options.mimetype, name) {
        (Some(mimetype), _) => mimetype.clone(),
        (None, Some(name)) => {
            let (mimetype, encoding) = guess_type(name);
            // A browser would save what is compressed unpacked, under the name of what is not.
            if let Some(encoding) = encoding.filter(|_| !options.as_attachment) {
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            mimetype.unwrap_or("application/octet-stream").to_owned()
        }
        (None, None) => {
            return Err(Error::msg(
                "data that is sent as a file has no name to tell its type by: set `download_name` or `mimetype`",
            ));
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::try_from(content_type_of(&mimetype))?);
    match name {
        Some(name) => {
            headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(disposition(options.as_attachment, name))?);
        }
        None if options.as_attachment => {
            return Err(Error::msg("an attachment has no name to be saved under: set `download_name`"));
        }
        None => {}
    }
    Ok(())
}

/// When it changed, and what it is known by.
fn validate(
    response: &mut Response,
    options: &SendFile,
    modified: Option<SystemTime>,
    generate: impl FnOnce() -> Option<String>,
) -> Result<()> {
    response.set_last_modified(modified);
    let tag = match &options.etag {
        FileETag::Generated => generate(),
        FileETag::Off => None,
        FileETag::Named(tag) if tag.contains('"') || tag.chars().any(char::is_control) => {
            return Err(Error::msg(format!("the entity tag {tag:?} has a quote or a control character in it")));
        }
        FileETag::Named(tag) => Some(tag.clone()),
    };
    if let Some(tag) = tag {
        response.set_etag(&tag, false);
    }
    Ok(())
}

/// For how long it may be used without asking.
fn age(ctx: &Ctx, response: &mut Response, options: &SendFile) {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let max_age = options.max_age.or(ctx.site().settings().send_file_max_age);
    let text = match max_age.map(|age| age.as_secs()) {
        None => "no-cache".to_owned(),
        Some(0) => "no-cache, max-age=0".to_owned(),
        Some(seconds) => format!("public, max-age={seconds}"),
    };
    response.set_header(CACHE_CONTROL.as_str(), &text);
    if let Some(age) = max_age {
        response.set_header(EXPIRES.as_str(), &format_http_date(SystemTime::now() + age.min(CENTURY)));
    }
}

/// The file's time as Python has it, its length, and a checksum of its path.
fn etag(path: &Path, meta: &Metadata) -> String {
    let modified = meta.modified().ok();
    let mtime = match modified.map(|at| at.duration_since(SystemTime::UNIX_EPOCH)) {
        Some(Ok(since)) => seconds(since),
        Some(Err(before)) => -seconds(before.duration()),
        None => 0.0,
    };
    format!("{}-{}-{}", float_repr(mtime), meta.len(), adler32(path.as_os_str().as_encoded_bytes()))
}

/// Rounded as Python rounds a file's time: the nanoseconds on their own first.
fn seconds(since: Duration) -> f64 {
    since.as_secs() as f64 + 1e-9 * f64::from(since.subsec_nanos())
}

/// RFC 1950 section 8.2: the checksum that Werkzeug's entity tags end in.
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}
