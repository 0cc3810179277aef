//! Files as responses: by name, with validators, conditions and single ranges (RFC 9110).

mod disposition;
mod names;
mod send_file;

use std::ffi::OsStr;
use std::panic::Location;
use std::path::{Component, Path, PathBuf};

pub use self::send_file::{FileETag, SendFile};
pub(crate) use self::send_file::{send_data, send_file};
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

/// Sends the file of this name, which may come from a client, from a folder.
pub(crate) fn send_from_directory(ctx: &Ctx, folder: &Path, name: &str, options: &SendFile) -> Result<Response> {
    let path = safe_join(&ctx.site().root_path().join(folder), name).ok_or_else(|| HttpError::new(404))?;
    send_file(ctx, &path, options)
}

/// `folder/name`, when the name stays inside: none of its parts may be what another system reads as a path or a device.
/// As Werkzeug's, it looks at the name alone, not at what is there: `.` is nothing, `..` takes the part before it back,
/// never more than that, and a slash at the end does not count.
fn safe_join(folder: &Path, name: &str) -> Option<PathBuf> {
    if name.contains(['\\', '\0', ':']) {
        return None;
    }
    let mut inside: Vec<&OsStr> = Vec::new();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => inside.push(part),
            Component::CurDir => {}
            // With nothing to take back it would lead out.
            Component::ParentDir => _ = inside.pop()?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    // There, opening one would wait for ever, or worse.
    if cfg!(windows) && inside.iter().any(|part| names::is_device(&part.to_string_lossy())) {
        return None;
    }
    let mut path = folder.to_path_buf();
    path.extend(inside);
    Some(path)
}
