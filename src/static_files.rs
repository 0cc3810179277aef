//! Files as responses: by name, with validators, conditions and single ranges (RFC 9110).

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::panic::Location;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, EXPIRES, LAST_MODIFIED,
};
use http::{HeaderValue, StatusCode};

use crate::body::Body;
use crate::conditional::{Validators, Verdict};
use crate::cookie::http_date;
use crate::ctx::{Ctx, missing_folder};
use crate::error::{HttpError, Result};
use crate::response::Response;

/// Static files while the app is set up: what was named, and where.
#[derive(Debug, Default)]
pub(crate) struct StaticSetup {
    pub(crate) folder: Option<(PathBuf, &'static Location<'static>)>,
    pub(crate) url_path: Option<(String, &'static Location<'static>)>,
}

/// The folder that is served, below which path, and whose wish that was.
pub(crate) struct StaticRoute {
    pub(crate) folder: PathBuf,
    pub(crate) url_path: String,
    pub(crate) at: &'static Location<'static>,
}

impl StaticSetup {
    /// The usual folder need not be there; one that was named must. `made_at` is where the app was made.
    pub(crate) fn freeze(
        self,
        root: &Path,
        made_at: &'static Location<'static>,
    ) -> Result<Option<StaticRoute>, (String, &'static Location<'static>)> {
        let named = self.folder.is_some();
        let (folder, at) = match self.folder {
            Some((path, at)) => (root.join(path), at),
            None => (root.join("static"), made_at),
        };
        if !folder.is_dir() {
            return if named { Err((missing_folder("static", &folder, root), at)) } else { Ok(None) };
        }
        // As Flask: the folder's own name, wherever it is.
        let name = folder.file_name().map_or("static".into(), |name| name.to_string_lossy());
        let (url_path, at) = self.url_path.unwrap_or_else(|| (format!("/{name}"), at));
        Ok(Some(StaticRoute { folder, url_path, at }))
    }
}

/// How a file is sent: see [`send_file_with`](crate::send_file_with).
///
/// ```
/// use dewar::SendFile;
///
/// let options = SendFile { as_attachment: true, download_name: Some("report.pdf".into()), ..SendFile::default() };
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Default)]
pub struct SendFile {
    /// The type; by the name unless said.
    pub mimetype: Option<String>,
    /// Whether browsers are to save it rather than show it.
    pub as_attachment: bool,
    /// The name under which they save it; the file's own unless said.
    pub download_name: Option<String>,
    /// For how long it may be used without asking; the configuration's `SEND_FILE_MAX_AGE_DEFAULT` unless said.
    pub max_age: Option<Duration>,
}

/// Sends the file of this name, which may come from a client, from a folder.
pub(crate) fn send_from_directory(ctx: &Ctx, folder: &Path, name: &str) -> Result<Response> {
    let path = safe_join(&ctx.site().root_path().join(folder), name).ok_or_else(|| HttpError::new(404))?;
    send_file(ctx, &path, &SendFile::default())
}

/// `folder/name`, when the name stays inside: only plain parts, none that another system reads as a path or a device.
fn safe_join(folder: &Path, name: &str) -> Option<PathBuf> {
    // A slash at the end names a folder, and folders are not served.
    if name.contains(['\\', '\0', ':']) || name.ends_with('/') {
        return None;
    }
    let mut path = folder.to_path_buf();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => path.push(part),
            _ => return None,
        }
    }
    Some(path)
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
    let modified = meta.modified().ok();
    let validators = Validators { etag: etag(&path, meta.len(), modified), last_modified: modified, len: meta.len() };

    let mut response = Response::new(());
    describe(&mut response, &path, options);
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(ETAG, value(&format!("\"{}\"", validators.etag)));
    if let Some(modified) = modified {
        headers.insert(LAST_MODIFIED, value(&http_date(modified)));
    }
    match options.max_age.or(ctx.site().settings().send_file_max_age) {
        Some(age) if !age.is_zero() => {
            headers.insert(CACHE_CONTROL, value(&format!("public, max-age={}", age.as_secs())));
            headers.insert(EXPIRES, value(&http_date(SystemTime::now() + age.min(CENTURY))));
        }
        _ => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
    }

    match validators.weigh(ctx.request().method(), ctx.request().headers()) {
        Verdict::Full => response.set_body(Body::file(file, meta.len())),
        Verdict::Range { start, last } => {
            file.seek(SeekFrom::Start(start))?;
            response.set_status(StatusCode::PARTIAL_CONTENT);
            let range = format!("bytes {start}-{last}/{}", meta.len());
            response.headers_mut().insert(CONTENT_RANGE, value(&range));
            response.set_body(Body::file(file, last - start + 1));
        }
        Verdict::NotModified => {
            response.set_status(StatusCode::NOT_MODIFIED);
            // What describes the bytes that are not sent would only contradict what the client has.
            for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_DISPOSITION] {
                response.headers_mut().remove(name);
            }
        }
        Verdict::PreconditionFailed => return Err(HttpError::new(412).into()),
        Verdict::RangeNotSatisfiable => {
            return Err(HttpError::new(416).with_header("content-range", &format!("bytes */{}", meta.len())).into());
        }
    }
    Ok(response)
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Type, encoding and name.
fn describe(response: &mut Response, path: &Path, options: &SendFile) {
    let own_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = options.download_name.clone().unwrap_or(own_name);
    // `data.csv.gz` is a CSV that is sent compressed, unless it is to be saved as it is.
    let (bare, encoding) = match name.strip_suffix(".gz") {
        Some(bare) if !options.as_attachment && options.mimetype.is_none() && bare.contains('.') => {
            (bare, Some("gzip"))
        }
        _ => (name.as_str(), None),
    };
    let guessed = || mime_guess::from_path(bare).first_raw().unwrap_or("application/octet-stream").to_owned();
    let mut mimetype = options.mimetype.clone().unwrap_or_else(guessed);
    let is_text = mimetype.starts_with("text/")
        || mimetype.ends_with("+xml")
        || matches!(mimetype.as_str(), "application/javascript" | "application/xml" | "application/sql");
    if is_text && !mimetype.contains("charset") {
        mimetype += "; charset=utf-8";
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, value(&mimetype));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, value(encoding));
    }
    headers.insert(CONTENT_DISPOSITION, value(&disposition(options.as_attachment, &name)));
}

/// `inline; filename=name`, quoted where the name is no token, and as RFC 5987 says where it is not ASCII.
fn disposition(attachment: bool, name: &str) -> String {
    let kind = if attachment { "attachment" } else { "inline" };
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.bytes().all(token) && !name.is_empty() {
        return format!("{kind}; filename={name}");
    }
    let plain: String = name
        .chars()
        .filter(|c| c.is_ascii() && !c.is_ascii_control())
        .flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]))
        .collect();
    if name.is_ascii() {
        return format!("{kind}; filename=\"{plain}\"");
    }
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// Changes with the file's time, length and place.
fn etag(path: &Path, len: u64, modified: Option<SystemTime>) -> String {
    let since = modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{len}-{}", since.as_secs_f64(), adler32(path.to_string_lossy().as_bytes()))
}

/// RFC 1950 section 8.2: the checksum that Werkzeug's entity tags end in.
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

/// A header's value from text that has no control characters, or else an empty one.
fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
