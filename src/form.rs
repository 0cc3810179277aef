//! What a form carried: fields and uploaded files.

use std::ops::Deref;

use crate::error::HttpError;
use crate::multidict::MultiDict;
use crate::upload::Upload;

/// A form that was read: see [`Request::form`](crate::Request::form). It is used as the [`MultiDict`] of its text fields.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FormData {
    /// The text fields, in order (Flask's `request.form`).
    pub fields: MultiDict,
    /// The uploaded files, in order; only `multipart/form-data` has them (Flask's `request.files`).
    pub files: Files,
    pub(crate) malformed: Option<String>,
}

impl FormData {
    /// The first file of the field `name`.
    pub fn file(&self, name: &str) -> Option<&Upload> {
        self.files.get(name)
    }

    /// Why the body could not be read as the form that it was said to be. Such a form is empty, as in Flask; the
    /// extractor [`Form`](crate::Form) answers it with 400.
    pub fn malformed(&self) -> Option<&str> {
        self.malformed.as_deref()
    }

    pub(crate) fn is_malformed(why: impl Into<String>) -> FormData {
        FormData { malformed: Some(why.into()), ..FormData::default() }
    }
}

/// The text fields.
impl Deref for FormData {
    type Target = MultiDict;

    fn deref(&self) -> &MultiDict {
        &self.fields
    }
}

/// The files of a form, in the order they came; a field may have several (Flask's `request.files`).
#[derive(Debug, Clone, Default)]
pub struct Files(Vec<Upload>);

impl Files {
    /// The first file of the field `name`.
    pub fn get(&self, name: &str) -> Option<&Upload> {
        self.0.iter().find(|file| file.name() == name)
    }

    /// The first file of the field `name`, which must be there (Flask: `files["name"]`).
    ///
    /// # Errors
    /// 400, which names the field when the app's `DEBUG` is set, and says what the form may lack.
    pub fn require(&self, name: &str) -> Result<&Upload, HttpError> {
        self.get(name).ok_or_else(|| {
            let error = HttpError::bad_request_key(name);
            if !self.is_empty() {
                return error;
            }
            let hint = format!(
                "The form has no file '{name}', and no other one. If a page sends it, its <form> needs \
                 method=\"post\" enctype=\"multipart/form-data\"."
            );
            error.with_debug_description(hint)
        })
    }

    /// All files of the field `name`, in order.
    pub fn getlist(&self, name: &str) -> Vec<&Upload> {
        self.0.iter().filter(|file| file.name() == name).collect()
    }

    /// Whether the field `name` has a file. A page's file field that was left empty sends one without a name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names of the fields, each once, in the order they first came.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let mut seen = std::collections::HashSet::new();
        self.0.iter().map(Upload::name).filter(move |name| seen.insert(*name))
    }

    /// All files.
    pub fn iter(&self) -> std::slice::Iter<'_, Upload> {
        self.0.iter()
    }

    /// The number of files.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(feature = "multipart")]
    pub(crate) fn push(&mut self, file: Upload) {
        self.0.push(file);
    }
}

impl<'f> IntoIterator for &'f Files {
    type Item = &'f Upload;
    type IntoIter = std::slice::Iter<'f, Upload>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
