//! What every request may read of its app.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::host::HostRules;
use super::url::UrlHooks;
use crate::config::{Config, Settings};
use crate::json_provider::JsonProvider;
use crate::routing::Router;

/// The app as its requests see it: its name, configuration, rules and shared values, and no way to change them
/// (Flask's `current_app`).
pub struct Site {
    pub(crate) name: String,
    pub(crate) root_path: PathBuf,
    pub(crate) instance_path: PathBuf,
    pub(crate) config: Config,
    pub(crate) settings: Settings,
    /// What prints JSON in place of serde_json.
    pub(crate) json: Option<JsonProvider>,
    pub(crate) router: Router,
    /// By rule.
    pub(crate) rules: Vec<RuleInfo>,
    /// Which part hosts have in routing.
    pub(crate) hosts: HostRules,
    pub(crate) url_hooks: UrlHooks,
    /// What users gave as `State`.
    pub(crate) states: TypeMap,
    /// The framework's own parts that not every build has, such as templates.
    #[cfg_attr(
        not(any(feature = "templates", feature = "sessions")),
        allow(dead_code, reason = "this build has none")
    )]
    pub(crate) parts: TypeMap,
}

/// What is known of a rule beside how it matches.
#[derive(Debug)]
pub(crate) struct RuleInfo {
    pub(crate) text: String,
    /// The dotted name of its blueprint; empty for the app's own.
    pub(crate) blueprint: String,
    /// Empty where the view is a closure that was given none.
    pub(crate) endpoint: String,
    /// The line of its registration.
    pub(crate) at: &'static Location<'static>,
    /// The names of all its arguments.
    pub(crate) args: Vec<String>,
    /// The view arguments, where url-value preprocessors take some of them: otherwise all of them are.
    pub(crate) left: Option<ArgsLeft>,
}

/// What url-value preprocessors leave of a rule's arguments.
#[derive(Debug)]
pub(crate) struct ArgsLeft {
    pub(crate) names: Vec<String>,
    /// Their places among all arguments.
    pub(crate) places: Vec<usize>,
}

impl RuleInfo {
    /// The names of its view arguments.
    pub(crate) fn view_args(&self) -> &[String] {
        self.left.as_ref().map_or(&self.args, |left| &left.names)
    }
}

impl Site {
    /// The app's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder that relative paths are relative to.
    pub fn root_path(&self) -> &Path {
        &self.root_path
    }

    /// The folder for what belongs to this installation: see [`App::instance_path`](crate::App::instance_path).
    pub fn instance_path(&self) -> &Path {
        &self.instance_path
    }

    /// Opens a file for reading whose path is relative to the root path (Flask's `open_resource`).
    ///
    /// # Errors
    /// When it cannot be opened; the message names the whole path.
    pub fn open_resource(&self, path: impl AsRef<Path>) -> io::Result<File> {
        open_in(&self.root_path, path.as_ref())
    }

    /// Opens a file for reading whose path is relative to the instance path. To write one, join its name to
    /// [`instance_path`](Site::instance_path).
    ///
    /// # Errors
    /// When it cannot be opened; the message names the whole path.
    pub fn open_instance_resource(&self, path: impl AsRef<Path>) -> io::Result<File> {
        open_in(&self.instance_path, path.as_ref())
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How JSON is printed, where the app was told to by [`App::json`](crate::App::json) or `FLASK_JSON` (Flask's
    /// `current_app.json`).
    pub fn json(&self) -> Option<&JsonProvider> {
        self.json.as_ref()
    }

    /// Whether `DEBUG` is set.
    pub fn debug(&self) -> bool {
        self.settings.debug
    }

    /// The shared value of type `T` that was given to the app, if one was.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.states.get()
    }

    pub(crate) fn states(&self) -> &TypeMap {
        &self.states
    }

    #[cfg(any(feature = "templates", feature = "sessions"))]
    pub(crate) fn parts(&self) -> &TypeMap {
        &self.parts
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn rule(&self, rule: usize) -> &RuleInfo {
        &self.rules[rule]
    }

    /// Every rule with its endpoint, in the order of registration.
    pub fn url_map(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().map(|rule| (rule.text.as_str(), rule.endpoint.as_str()))
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("name", &self.name).field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// One value of each type.
#[derive(Default)]
pub(crate) struct TypeMap(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl TypeMap {
    /// Puts a value in; gives back whether one of its type was there before.
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) -> bool {
        self.0.insert(TypeId::of::<T>(), value).is_some()
    }

    /// The value of type `T`.
    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }

    /// Whether there is a value of this type.
    pub(crate) fn contains(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }
}

impl fmt::Debug for TypeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypeMap({})", self.0.len())
    }
}

/// Opens a file for reading; the error says which, as the system's does not.
pub(crate) fn open_in(folder: &Path, path: &Path) -> io::Result<File> {
    let path = folder.join(path);
    File::open(&path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// What is wrong when a folder that was named is not there.
#[cfg(any(feature = "static_files", feature = "templates"))]
pub(crate) fn missing_folder(what: &str, folder: &Path, root: &Path) -> String {
    format!(
        "the {what} folder {} is not there: make it, or name another (the path is relative to {})",
        folder.display(),
        root.display()
    )
}
