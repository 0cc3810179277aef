//! What a form carried: fields and uploaded files.

use std::io::Write;
use std::ops::Deref;
use std::path::Path;

use bytes::Bytes;

use crate::multidict::MultiDict;

/// A form that was read: see [`Request::form`](crate::Request::form). It is used as the [`MultiDict`] of its text fields.
#[derive(Debug, Clone, Default)]
pub struct FormData {
    /// The text fields, in order.
    pub fields: MultiDict,
    /// The uploaded files, in order; only `multipart/form-data` has them.
    pub files: Vec<Upload>,
}

impl FormData {
    /// The first file of the field `name`.
    pub fn file(&self, name: &str) -> Option<&Upload> {
        self.files.iter().find(|file| file.name == name)
    }
}

/// The text fields.
impl Deref for FormData {
    type Target = MultiDict;

    fn deref(&self) -> &MultiDict {
        &self.fields
    }
}

/// An uploaded file (Werkzeug's `FileStorage`), held in memory: the limits on bodies bound it.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The form's field.
    pub name: String,
    /// The file's name, as the client said: not safe as a path.
    pub filename: String,
    /// Its type, as the client said.
    pub content_type: Option<String>,
    /// Its bytes.
    pub data: Bytes,
}

impl Upload {
    /// Writes it to a file, in place of what was there.
    ///
    /// # Errors
    /// As creating and writing a file.
    pub fn save(&self, path: impl AsRef<Path>) -> std::io::Result<()> {
        std::fs::File::create(path)?.write_all(&self.data)
    }
}

/// How large a form may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormLimits {
    /// Bytes of a urlencoded form, or of one text field of a multipart one.
    pub memory: u64,
    /// Parts of a multipart form.
    pub parts: usize,
}

impl Default for FormLimits {
    /// Flask's: 500,000 bytes and 1,000 parts.
    fn default() -> Self {
        FormLimits { memory: 500_000, parts: 1_000 }
    }
}
