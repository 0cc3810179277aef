//! Where an app's files are: its instance folder, and resources beside its code.

use std::fs::File;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};

use super::App;
use super::scaffold::Mistake;
use crate::ctx::open_in;

impl App {
    /// The folder for what belongs to this installation and not to the code: its configuration, its database. It need
    /// not be there; make it with `std::fs::create_dir_all` before writing to it. The default is `instance` below the
    /// root path.
    ///
    /// As in Flask it must be absolute; another one is a mistake of the set-up. What it is while the app is set up is
    /// said by [`instance_folder`](App::instance_folder), later by [`Site::instance_path`](crate::Site::instance_path).
    #[track_caller]
    pub fn instance_path(&mut self, path: impl Into<PathBuf>) -> &mut App {
        let path = path.into();
        if !path.is_absolute() {
            let what =
                format!("the instance path {} must be absolute, from the root of the file system", path.display());
            self.scaffold.mistakes.push(Mistake { at: Location::caller(), what });
        }
        self.instance_path = Some(path);
        self
    }

    /// The instance path as it is now (what a factory of Flask's reads as `app.instance_path`), for the names of files in
    /// it. After [`root_path`](App::root_path) has been said, where that is said: the default is below it.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("flaskr");
    /// app.root_path(std::env::temp_dir());
    /// let database = app.instance_folder().join("flaskr.sqlite");
    /// app.config_mut().set("DATABASE", database.display().to_string());
    /// assert_eq!(database, std::env::temp_dir().join("instance").join("flaskr.sqlite"));
    /// ```
    #[must_use]
    pub fn instance_folder(&self) -> PathBuf {
        self.instance_path.clone().unwrap_or_else(|| self.root().join("instance"))
    }

    /// Whether the names of configuration files ([`Config::from_file`](crate::Config::from_file) and its kin) are
    /// relative to the instance path, instead of the root path: `false`. Say it before files are read.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("shop");
    /// app.instance_path(std::env::temp_dir().join("shop-instance")).instance_relative_config(true);
    /// let read = app.config_mut().from_file("secrets.json", true)?; // in that folder, if it is there
    /// assert!(!read);
    /// # Ok::<(), dewar::ConfigError>(())
    /// ```
    pub fn instance_relative_config(&mut self, relative: bool) -> &mut App {
        self.instance_relative_config = relative;
        self
    }

    /// Opens a file for reading whose path is relative to the root path; when the app runs,
    /// [`Site::open_resource`](crate::Site::open_resource) does the same.
    ///
    /// # Errors
    /// When it cannot be opened; the message names the whole path.
    pub fn open_resource(&self, path: impl AsRef<Path>) -> io::Result<File> {
        open_in(&self.root(), path.as_ref())
    }

    /// Opens a file for reading whose path is relative to the instance path; when the app runs,
    /// [`Site::open_instance_resource`](crate::Site::open_instance_resource) does the same.
    ///
    /// # Errors
    /// When it cannot be opened; the message names the whole path.
    pub fn open_instance_resource(&self, path: impl AsRef<Path>) -> io::Result<File> {
        open_in(&self.instance_folder(), path.as_ref())
    }

    pub(super) fn root(&self) -> PathBuf {
        self.root_path.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default()
    }

    /// What the names of configuration files are relative to.
    pub(super) fn config_root(&self) -> Option<PathBuf> {
        if self.instance_relative_config { Some(self.instance_folder()) } else { self.root_path.clone() }
    }
}
