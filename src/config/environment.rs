//! The environment as Dewar sees it: the process's own variables, and below them those of `.env` files.
//!
//! What files say is kept here, and not put into the process's environment: to change that is not safe while other
//! threads may read it.

#[cfg(feature = "cli")]
use std::collections::BTreeMap;
#[cfg(feature = "cli")]
use std::path::{Path, PathBuf};
#[cfg(feature = "cli")]
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "cli")]
use super::dotenv;
#[cfg(feature = "cli")]
use super::files::ConfigError;

/// A variable of the process's environment, or else of the `.env` files. A value that is not UTF-8 counts as none.
///
/// With the feature `cli`, the first call reads `.dewarenv` and then `.env`, each from the folder that the program runs
/// in or the nearest one above it that has such a file, and then the file that the program's argument `--env-file` names;
/// of two values the later counts, and what is really in the environment comes before them all (Flask's `.flaskenv` and
/// `.env`). [`Config::from_prefixed_env`](crate::Config::from_prefixed_env) and the options of
/// [`App::run`](crate::App::run) see the same. With `DEWAR_SKIP_DOTENV=1` in the environment no file is read unless it
/// is named.
///
/// The process's own environment stays as it was: `std::env::var` and programs that are started do not see what files
/// say.
///
/// ```
/// assert!(dewar::env_var("PATH").is_some());
/// assert_eq!(dewar::env_var("NO_SUCH_VARIABLE"), None);
/// ```
#[must_use]
pub fn env_var(name: &str) -> Option<String> {
    #[cfg(feature = "cli")]
    ensure();
    known_var(name)
}

/// As [`env_var`], but no file is read for it.
pub(super) fn known_var(name: &str) -> Option<String> {
    #[cfg(feature = "cli")]
    return std::env::var(name).ok().or_else(|| lock().values.get(name).cloned());
    #[cfg(not(feature = "cli"))]
    std::env::var(name).ok()
}

/// All variables, sorted by name.
pub(super) fn vars() -> Vec<(String, String)> {
    let real =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    #[cfg(feature = "cli")]
    {
        ensure();
        let mut all = lock().values.clone();
        all.extend(real);
        all.into_iter().collect()
    }
    #[cfg(not(feature = "cli"))]
    {
        let mut all: Vec<_> = real.collect();
        all.sort();
        all
    }
}

#[cfg(feature = "cli")]
#[derive(Default)]
struct Files {
    looked: bool,
    values: BTreeMap<String, String>,
    /// Files that were read because they were named.
    named: Vec<PathBuf>,
    complaints: Vec<String>,
}

#[cfg(feature = "cli")]
static FILES: Mutex<Files> =
    Mutex::new(Files { looked: false, values: BTreeMap::new(), named: Vec::new(), complaints: Vec::new() });

#[cfg(feature = "cli")]
fn lock() -> MutexGuard<'static, Files> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the files, once.
#[cfg(feature = "cli")]
fn ensure() {
    let mut files = lock();
    if std::mem::replace(&mut files.looked, true) {
        return;
    }
    if !std::env::var("DEWAR_SKIP_DOTENV").is_ok_and(|text| super::is_true(&text)) {
        for name in [".dewarenv", ".env"] {
            if let Some(path) = nearest(name) {
                // It may be unreadable on purpose.
                let _ = files.read(&path);
            }
        }
    }
    // The command line's own reading of it comes later, and tells of a file that is not there.
    if let Some(path) = named_by_arguments(std::env::args_os().filter_map(|arg| arg.into_string().ok())) {
        let _ = files.read_named(&path);
    }
}

/// Reads a file that `--env-file` names; one that was read already is not read again.
#[cfg(feature = "cli")]
pub(crate) fn load_env_file(path: &Path) -> Result<(), ConfigError> {
    ensure();
    lock().read_named(path)
}

/// What was odd in the files: to be logged, once there is a log.
#[cfg(feature = "cli")]
pub(crate) fn complaints() -> Vec<String> {
    std::mem::take(&mut lock().complaints)
}

#[cfg(feature = "cli")]
impl Files {
    fn read_named(&mut self, path: &Path) -> Result<(), ConfigError> {
        if self.named.iter().all(|known| known != path) {
            self.read(path)?;
            self.named.push(path.to_owned());
        }
        Ok(())
    }

    fn read(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::io(path, &error))?;
        let known = &self.values;
        let outside = |name: &str| std::env::var(name).ok().or_else(|| known.get(name).cloned());
        let (pairs, odd) = dotenv::parse(&text, &outside);
        self.complaints.extend(odd.into_iter().map(|line| {
            format!(
                "{}, line {line}: this is no `NAME=value`, and a quote that is opened must be closed",
                path.display()
            )
        }));
        self.values.extend(pairs);
        Ok(())
    }
}

#[cfg(feature = "cli")]
fn nearest(name: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(feature = "cli")]
fn named_by_arguments(args: impl Iterator<Item = String>) -> Option<PathBuf> {
    let mut args = args.skip(1).take_while(|arg| arg != "--");
    while let Some(arg) = args.next() {
        match arg.strip_prefix("--env-file") {
            Some("") => return args.next().map(PathBuf::from),
            Some(rest) => return rest.strip_prefix('=').map(PathBuf::from),
            None => {}
        }
    }
    None
}
