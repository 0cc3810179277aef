//! An uploaded file: what the client said of it, and its bytes, in memory or on disk.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};

use crate::header_parts;

/// An uploaded file (Werkzeug's `FileStorage`): see [`Request::files`](crate::Request::files).
///
/// A small one is held in memory, a large one in a temporary file without a name, which is gone when the last that holds
/// the request or one of its uploads is. Cloning one costs a count.
///
/// ```no_run
/// use dewar::{App, Result, request, secure_filename};
///
/// fn upload() -> Result<&'static str> {
///     let request = request();
///     let photo = request.files()?.require("photo")?;
///     let name = match secure_filename(photo.filename()) {
///         name if name.is_empty() => "unnamed".to_owned(),
///         name => name,
///     };
///     photo.save(std::path::Path::new("uploads").join(name))?;
///     Ok("Saved.")
/// }
/// let mut app = App::new("demo");
/// app.post("/photo", upload);
/// ```
#[derive(Clone)]
pub struct Upload(Arc<Inner>);

struct Inner {
    name: String,
    filename: String,
    headers: HeaderMap,
    content: Content,
}

/// Where the bytes are.
#[derive(Clone)]
pub(crate) enum Content {
    Memory(Bytes),
    /// So many bytes from this place on of a file that the form's large uploads share.
    #[cfg_attr(not(feature = "multipart"), allow(dead_code, reason = "only multipart forms have files"))]
    Disk {
        file: Arc<Mutex<File>>,
        start: u64,
        len: u64,
    },
}

impl Content {
    fn len(&self) -> u64 {
        match self {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Disk { len, .. } => *len,
        }
    }
}

impl Upload {
    /// A file made by hand: for tests of what takes one.
    pub fn new(name: impl Into<String>, filename: impl Into<String>, bytes: impl Into<Bytes>) -> Upload {
        Upload::of(name.into(), filename.into(), HeaderMap::new(), Content::Memory(bytes.into()))
    }

    pub(crate) fn of(name: String, filename: String, headers: HeaderMap, content: Content) -> Upload {
        Upload(Arc::new(Inner { name, filename, headers, content }))
    }

    /// The form's field.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The file's name, as the client said: not safe as a path, see `secure_filename`. Empty where a page's field was
    /// left empty.
    pub fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The headers of its part, but for those that HTTP could not carry.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Its `Content-Type`, as the client said.
    pub fn content_type(&self) -> Option<&str> {
        std::str::from_utf8(self.0.headers.get(CONTENT_TYPE)?.as_bytes()).ok()
    }

    /// Its `Content-Type` in lower case and without parameters; empty when there is none.
    pub fn mimetype(&self) -> String {
        header_parts::options(self.content_type().unwrap_or("")).0.to_ascii_lowercase()
    }

    /// The parameters of its `Content-Type`.
    pub fn mimetype_params(&self) -> BTreeMap<String, String> {
        header_parts::options(self.content_type().unwrap_or("")).1.into_iter().collect()
    }

    /// The `Content-Length` of its part, 0 when it has none: browsers send none. What it really has is
    /// [`len`](Upload::len).
    pub fn content_length(&self) -> u64 {
        let header = self.0.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        header.filter(|text| text.bytes().all(|b| b.is_ascii_digit())).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The number of its bytes.
    pub fn len(&self) -> u64 {
        self.0.content.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether its bytes are in memory, rather than on disk.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.0.content, Content::Memory(_))
    }

    /// All its bytes, in memory.
    ///
    /// # Errors
    /// As reading a file, where it is on disk.
    pub fn read(&self) -> io::Result<Bytes> {
        if let Content::Memory(bytes) = &self.0.content {
            return Ok(bytes.clone());
        }
        let mut all = Vec::new();
        self.stream().read_to_end(&mut all)?;
        Ok(all.into())
    }

    /// Its bytes from the first on, as a stream that can be sought in. Each stream has a place of its own.
    pub fn stream(&self) -> UploadStream {
        UploadStream { content: self.0.content.clone(), at: 0 }
    }

    /// Writes it to a file, in place of what was there.
    ///
    /// # Errors
    /// As creating and writing a file.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.save_to(&mut File::create(path)?)
    }

    /// Writes it to whatever takes bytes.
    ///
    /// # Errors
    /// As reading it, and as writing.
    pub fn save_to(&self, to: &mut impl Write) -> io::Result<()> {
        match &self.0.content {
            Content::Memory(bytes) => to.write_all(bytes),
            Content::Disk { .. } => io::copy(&mut io::BufReader::with_capacity(64 * 1024, self.stream()), to).map(drop),
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.name())
            .field("filename", &self.filename())
            .field("content_type", &self.content_type())
            .field("len", &self.len())
            .finish()
    }
}

/// An upload's bytes as a stream: see [`Upload::stream`].
pub struct UploadStream {
    content: Content,
    at: u64,
}

impl Read for UploadStream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.content.len().saturating_sub(self.at);
        let want = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let got = match &self.content {
            Content::Memory(bytes) => {
                let at = self.at as usize; // below the length, which is a usize
                out[..want].copy_from_slice(&bytes[at..at + want]);
                want
            }
            Content::Disk { file, start, .. } => {
                // The file is shared, and so is its place: it is set anew each time.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start + self.at))?;
                file.read(&mut out[..want])?
            }
        };
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for UploadStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.content.len().checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the place to seek to lies before the first byte")
        })?;
        Ok(self.at)
    }
}

impl fmt::Debug for UploadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadStream").field("len", &self.content.len()).field("at", &self.at).finish()
    }
}
