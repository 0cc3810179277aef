//! Configuration from files.

use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::Location;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Config, Origin, environment};

impl Config {
    /// Takes the keys in upper case from a file, in JSON or TOML as its extension says (`.json`, `.toml`; the latter
    /// needs the feature `toml`). Its name is relative to the app's root path, or to its instance path:
    /// [`App::instance_relative_config`](crate::App::instance_relative_config).
    ///
    /// Returns whether there was such a file; when there is none, that is only said if `silent`.
    ///
    /// ```
    /// let mut config = dewar::Config::new();
    /// assert!(!config.from_file("no/such/site.json", true)?);
    /// assert!(config.from_file("no/such/site.json", false).is_err());
    /// # Ok::<(), dewar::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, is not what its extension says, or has an extension that says nothing.
    #[track_caller]
    pub fn from_file(&mut self, path: impl AsRef<Path>, silent: bool) -> Result<bool, ConfigError> {
        let at = Location::caller();
        match path.as_ref().extension().and_then(|extension| extension.to_str()) {
            Some("json") => self.read_file(path.as_ref(), silent, at, json),
            Some("toml") => self.read_file(path.as_ref(), silent, at, toml_text),
            _ => Err(ConfigError {
                path: self.absolute(path.as_ref()),
                what: "its name must end in .json or .toml, which says what is in it".into(),
                missing: false,
            }),
        }
    }

    /// As [`from_file`](Config::from_file), of JSON, whatever the file's name.
    ///
    /// # Errors
    /// When the file cannot be read or is no JSON object.
    #[track_caller]
    pub fn from_json_file(&mut self, path: impl AsRef<Path>, silent: bool) -> Result<bool, ConfigError> {
        self.read_file(path.as_ref(), silent, Location::caller(), json)
    }

    /// As [`from_file`](Config::from_file), of TOML, whatever the file's name. Dates and times become text.
    ///
    /// # Errors
    /// When the file cannot be read or is not TOML.
    #[cfg(feature = "toml")]
    #[track_caller]
    pub fn from_toml_file(&mut self, path: impl AsRef<Path>, silent: bool) -> Result<bool, ConfigError> {
        self.read_file(path.as_ref(), silent, Location::caller(), toml_text)
    }

    /// As [`from_file`](Config::from_file), of the file that this environment variable ([`env_var`](crate::env_var))
    /// names. When it is not set, or empty, that is only said if `silent`.
    ///
    /// # Errors
    /// As that, and when the variable is not set.
    #[track_caller]
    pub fn from_envvar(&mut self, variable: &str, silent: bool) -> Result<bool, ConfigError> {
        match environment::env_var(variable).filter(|path| !path.is_empty()) {
            Some(path) => self.from_file(path, silent),
            None if silent => Ok(false),
            None => Err(ConfigError {
                path: PathBuf::new(),
                what: format!("the environment variable {variable} is not set: it names the configuration's file"),
                missing: true,
            }),
        }
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        self.root.as_ref().map_or_else(|| path.to_owned(), |root| root.join(path))
    }

    fn read_file(
        &mut self,
        path: &Path,
        silent: bool,
        at: &'static Location<'static>,
        parse: fn(&str) -> Result<Map<String, Value>, String>,
    ) -> Result<bool, ConfigError> {
        let path = self.absolute(path);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if silent && is_missing(&error) => return Ok(false),
            Err(error) => return Err(ConfigError::io(&path, &error)),
        };
        let map = parse(&text).map_err(|what| ConfigError { path: path.clone(), what, missing: false })?;
        self.take_upper(map, &Origin { at, from: Some(path.display().to_string().into()) });
        Ok(true)
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory)
}

fn json(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("it must be a JSON object: {error}"))
}

#[cfg(not(feature = "toml"))]
fn toml_text(_: &str) -> Result<Map<String, Value>, String> {
    Err("to read TOML, build dewar with its feature `toml`".into())
}

#[cfg(feature = "toml")]
fn toml_text(text: &str) -> Result<Map<String, Value>, String> {
    fn value(found: toml::Value) -> Value {
        match found {
            toml::Value::String(text) => Value::String(text),
            toml::Value::Integer(number) => number.into(),
            // JSON has no infinities and no NaN.
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(yes) => yes.into(),
            toml::Value::Datetime(time) => time.to_string().into(),
            toml::Value::Array(values) => values.into_iter().map(value).collect(),
            toml::Value::Table(table) => Value::Object(map(table)),
        }
    }
    fn map(table: toml::Table) -> Map<String, Value> {
        table.into_iter().map(|(key, inner)| (key, value(inner))).collect()
    }
    text.parse::<toml::Table>().map(map).map_err(|error| error.to_string().trim_end().to_owned())
}

/// Why a file gave no configuration.
#[derive(Debug, Clone)]
pub struct ConfigError {
    path: PathBuf,
    what: String,
    missing: bool,
}

impl ConfigError {
    pub(super) fn io(path: &Path, error: &io::Error) -> ConfigError {
        ConfigError { path: path.to_owned(), what: error.to_string(), missing: is_missing(error) }
    }

    /// The file; empty when it is the variable that should name it that is missing.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is no such file, which `silent` would have passed over.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.missing
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_os_str().is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "the configuration file {} could not be taken: {}", self.path.display(), self.what),
        }
    }
}

impl std::error::Error for ConfigError {}
