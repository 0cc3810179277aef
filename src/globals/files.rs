//! Sending files to the current request's client.

use super::context;
use crate::error::{Here, Result};
use crate::response::Response;

/// Sends a file, with its type by its name, an entity tag, and what conditional and range requests want.
///
/// ```no_run
/// use dewar::{Response, Result, send_file};
///
/// fn report() -> Result<Response> {
///     send_file("reports/today.pdf")
/// }
/// ```
///
/// # Errors
/// 404 when it is not there, or is no file. 412 and 416 as the request's conditions and ranges say.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn send_file(path: impl AsRef<std::path::Path>) -> Result<Response> {
    let ctx = context("send_file()");
    crate::static_files::send_file(&ctx, path.as_ref(), &crate::static_files::SendFile::default()).here()
}

/// As [`send_file`], with options: as an attachment, under another name or type.
///
/// # Errors
/// As [`send_file`]; and when a name, a type or an entity tag that was said cannot be a header.
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn send_file_with(path: impl AsRef<std::path::Path>, options: &crate::static_files::SendFile) -> Result<Response> {
    crate::static_files::send_file(&context("send_file_with()"), path.as_ref(), options).here()
}

/// Sends the file of this name from a folder. The name may come from a client: it cannot lead out of the folder.
///
/// # Errors
/// 404 when it is not there, is no file, or would lead out of the folder; otherwise as [`send_file`].
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn send_from_directory(folder: impl AsRef<std::path::Path>, name: &str) -> Result<Response> {
    let options = crate::static_files::SendFile::default();
    send_from_directory_with(folder, name, &options).here()
}

/// As [`send_from_directory`], with options.
///
/// # Errors
/// As [`send_from_directory`] and [`send_file_with`].
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn send_from_directory_with(
    folder: impl AsRef<std::path::Path>,
    name: &str,
    options: &crate::static_files::SendFile,
) -> Result<Response> {
    let ctx = context("send_from_directory()");
    crate::static_files::send_from_directory(&ctx, folder.as_ref(), name, options).here()
}

/// Sends data as if it were a file (Flask's `send_file` of a file object): bytes, an open file, a reader, blocks.
///
/// Its name or its type must be said; it has no entity tag and no date unless they are said, too. Parts of it can be asked
/// for where its length is known.
///
/// ```
/// use dewar::{App, SendFile, send_data};
///
/// let mut app = App::new("demo");
/// app.get("/", || {
///     send_data("a,b\n", &SendFile { download_name: Some("table.csv".into()), as_attachment: true, ..SendFile::default() })
/// });
/// let response = app.test_client().get("/");
/// assert_eq!(response.header("content-disposition"), Some("attachment; filename=table.csv"));
/// assert_eq!(response.header("content-type"), Some("text/csv; charset=utf-8"));
/// ```
///
/// # Errors
/// When there is neither a name nor a type, or no name for an attachment; 412 and 416 as [`send_file`].
///
/// # Panics
/// Outside of a request, at the caller's line.
#[track_caller]
pub fn send_data(data: impl Into<crate::body::Body>, options: &crate::static_files::SendFile) -> Result<Response> {
    crate::static_files::send_data(&context("send_data()"), data.into(), options).here()
}
