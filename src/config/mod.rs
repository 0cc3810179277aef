//! Configuration: upper-case keys with values, those that Dewar itself reads checked when the app is frozen.

#[cfg(feature = "cli")]
mod dotenv;
mod environment;
mod files;
mod known;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use environment::env_var;
#[cfg(feature = "cli")]
pub(crate) use environment::{complaints, load_env_file};
pub use files::ConfigError;
#[cfg(feature = "sessions")]
pub(crate) use settings::SessionSettings;
pub(crate) use settings::{Settings, is_true};

/// What is wrong, and the line that set it.
type Wrong = (String, &'static Location<'static>);

/// An app's configuration (Flask's `app.config`): keys with JSON values, yours and Dewar's own.
///
/// | key | default | what it does |
/// | --- | --- | --- |
/// | `DEBUG` | as `DEWAR_DEBUG` in the environment | error pages show the error; templates are read again when they change |
/// | `TESTING` | `false` | errors that nothing handles get to the test |
/// | `PROPAGATE_EXCEPTIONS` | as `TESTING` or `DEBUG` | errors that nothing handles are handed on, not made a 500 of |
/// | `TRAP_HTTP_EXCEPTIONS` | `false` | HTTP errors are errors like all others: only handlers for their type answer them |
/// | `TRAP_BAD_REQUEST_ERRORS` | as `DEBUG` | the same for missing keys of forms and queries |
/// | `TRUSTED_HOSTS` | none | the hosts that requests may name; others are answered with 400. `.example.org` is all below it, too |
/// | `FLASK_JSON` | `false` | print JSON as Flask does: see [`JsonProvider`](crate::JsonProvider) |
/// | `JSON_ERRORS` | `false` | answer HTTP errors with JSON in place of a page |
/// | `USE_X_SENDFILE` | `false` | leave the sending of files to the proxy in front |
/// | `EXPLAIN_TEMPLATE_LOADING` | `false` | log where each template was looked for |
/// | `MAX_CONTENT_LENGTH` | none | a request's body in bytes; more is answered with 413. The engine has a limit of its own |
/// | `MAX_FORM_MEMORY_SIZE` | 500 000 | bytes of a form that is not a file upload, or of one field of one that is |
/// | `MAX_FORM_PARTS` | 1 000 | parts of a multipart form |
/// | `SERVER_NAME` | none | the host that `url_for` writes outside of requests |
/// | `APPLICATION_ROOT` | `/` | the path that a proxy has taken off; `url_for` puts it back |
/// | `PREFERRED_URL_SCHEME` | `http` | the scheme that `url_for` writes outside of requests |
/// | `PROVIDE_AUTOMATIC_OPTIONS` | `true` | answer OPTIONS with the methods a path has |
/// | `SEND_FILE_MAX_AGE_DEFAULT` | none | seconds for which browsers keep static files without asking |
/// | `TEMPLATES_AUTO_RELOAD` | as `DEBUG` | read templates again when they change |
///
/// With the feature `sessions`:
///
/// | key | default | what it does |
/// | --- | --- | --- |
/// | `SECRET_KEY` | none | text that sessions are signed with: long, random, and known to nobody else. Without it there are none |
/// | `SECRET_KEY_FALLBACKS` | none | keys of before, the oldest first: what they signed is still read |
/// | `SESSION_COOKIE_NAME` | `session` | the cookie's name |
/// | `SESSION_COOKIE_DOMAIN` | none | the domain whose hosts get the cookie; without it, this host alone |
/// | `SESSION_COOKIE_PATH` | `APPLICATION_ROOT` | the path below which it is sent |
/// | `SESSION_COOKIE_HTTPONLY` | `true` | keep it from scripts |
/// | `SESSION_COOKIE_SECURE` | `false` | send it over https only |
/// | `SESSION_COOKIE_SAMESITE` | none | `"Lax"`, `"Strict"` or `"None"`: which other sites' requests it goes along with |
/// | `SESSION_COOKIE_PARTITIONED` | `false` | keep it apart for each site that embeds this one; https only |
/// | `PERMANENT_SESSION_LIFETIME` | 2 678 400 (31 days) | seconds after which a session's cookie is not read any more, and for which browsers keep that of a permanent one |
/// | `SESSION_REFRESH_EACH_REQUEST` | `true` | send a permanent session's cookie with every response, so that it ends this long after the last request |
/// | `MAX_COOKIE_SIZE` | 4 093 | bytes of the session's `Set-Cookie` above which a warning is logged; 0 for none |
///
/// A value may be set from code ([`set`](Config::set), [`from_mapping`](Config::from_mapping),
/// [`from_object`](Config::from_object)), from files ([`from_file`](Config::from_file)) and from the environment
/// ([`from_prefixed_env`](Config::from_prefixed_env), [`from_envvar`](Config::from_envvar)); of two, the later counts. One
/// of Dewar's keys that has a value of the wrong type is a mistake of the set-up, reported with its line when the app
/// is frozen; a key that is nearly one of them, and one that Flask has given up, is warned of. `true` and `false` may
/// be `1` and `0`. With null, `MAX_FORM_MEMORY_SIZE` and `MAX_FORM_PARTS` bound nothing; other keys have their default.
///
/// ```
/// use dewar::Config;
///
/// let mut config = Config::new();
/// config.set("MAX_CONTENT_LENGTH", 1 << 20);
/// config.set("MAIL", serde_json::json!({ "host": "localhost", "port": 25 }));
///
/// #[derive(serde::Deserialize)]
/// struct Mail { host: String, port: u16 }
/// let mail: Mail = config.get_as("MAIL").unwrap()?;
/// assert_eq!((mail.host.as_str(), mail.port), ("localhost", 25));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Config {
    values: BTreeMap<String, Value>,
    /// Where each key was set, for the report of those that are wrong.
    set_at: BTreeMap<String, Origin>,
    /// What relative names of files are relative to; the folder that the program runs in without it.
    pub(crate) root: Option<PathBuf>,
    /// What could not be taken, for the report at the freeze.
    wrong: Vec<Wrong>,
}

/// Where a key came from.
#[derive(Clone)]
struct Origin {
    at: &'static Location<'static>,
    /// The file or the variable, when the line does not show the value.
    from: Option<Arc<str>>,
}

impl Config {
    /// No keys: every setting has its default.
    pub fn new() -> Config {
        Config::default()
    }

    /// Sets a key.
    #[track_caller]
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) -> &mut Config {
        self.put(key.into(), value.into(), Origin { at: Location::caller(), from: None });
        self
    }

    fn put(&mut self, key: String, value: Value, origin: Origin) {
        self.set_at.insert(key.clone(), origin);
        self.values.insert(key, value);
    }

    /// A key's value: what was set, or the default of a key of Dewar's own that has one.
    ///
    /// ```
    /// let config = dewar::Config::new();
    /// assert_eq!(config.get_str("SESSION_COOKIE_NAME"), Some("session"));
    /// assert_eq!(config.get("SERVER_NAME"), None);
    /// assert_eq!(config.get("DEBUG").unwrap(), false);
    /// ```
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).or_else(|| known::default_of(key))
    }

    /// A key's value as a `T`; `None` when it is not set and has no default.
    ///
    /// # Errors
    /// When it is not a `T`.
    pub fn get_as<T: DeserializeOwned>(&self, key: &str) -> Option<Result<T, serde_json::Error>> {
        self.get(key).map(T::deserialize)
    }

    /// A key's value when it is text.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// All keys with their values, sorted: those that were set, and the defaults of the others.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let mut all: BTreeMap<&str, &Value> = known::defaults().collect();
        all.extend(self.values.iter().map(|(key, value)| (key.as_str(), value)));
        all.into_iter()
    }

    /// The keys that begin with `prefix`, for handing them to something that has options of such names; in lower case
    /// if `lowercase`, and without the prefix if `trim`.
    ///
    /// ```
    /// let mut config = dewar::Config::new();
    /// config.set("IMAGE_STORE_TYPE", "fs").set("IMAGE_STORE_PATH", "/var/images");
    /// let store = config.get_namespace("IMAGE_STORE_", true, true);
    /// assert_eq!(store["type"], "fs");
    /// assert_eq!(store["path"], "/var/images");
    /// ```
    pub fn get_namespace(&self, prefix: &str, lowercase: bool, trim: bool) -> BTreeMap<String, Value> {
        let of_prefix = self.iter().filter(|(key, _)| key.starts_with(prefix));
        let named = of_prefix.map(|(key, value)| {
            let key = if trim { &key[prefix.len()..] } else { key };
            (if lowercase { key.to_lowercase() } else { key.to_owned() }, value.clone())
        });
        named.collect()
    }

    /// Takes the pairs whose keys are in upper case, and no others.
    ///
    /// ```
    /// let mut config = dewar::Config::new();
    /// config.from_mapping([("TESTING", true), ("hidden", true)]);
    /// assert_eq!((config.get("TESTING").is_some(), config.get("hidden")), (true, None));
    /// ```
    #[track_caller]
    pub fn from_mapping<K: Into<String>, V: Into<Value>>(
        &mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Config {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.take_upper(pairs, &Origin { at: Location::caller(), from: None });
        self
    }

    /// Takes an object's fields whose names are in upper case, and no others: Flask's `from_object`, of anything that
    /// serde writes as an object. What is none is a mistake of the set-up, which is reported when the app is frozen.
    ///
    /// ```
    /// #[derive(serde::Serialize)]
    /// #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    /// struct Production { max_content_length: u64, session_cookie_secure: bool }
    ///
    /// let mut config = dewar::Config::new();
    /// config.from_object(&Production { max_content_length: 1 << 20, session_cookie_secure: true });
    /// assert_eq!(config.get("MAX_CONTENT_LENGTH").unwrap(), 1 << 20);
    /// ```
    #[track_caller]
    pub fn from_object<T: Serialize + ?Sized>(&mut self, object: &T) -> &mut Config {
        let at = Location::caller();
        match serde_json::to_value(object) {
            Ok(Value::Object(map)) => self.take_upper(map, &Origin { at, from: None }),
            Ok(other) => {
                let what = format!("from_object takes what has named fields, such as a struct, not {}", kind(&other));
                self.wrong.push((what, at));
            }
            Err(error) => self.wrong.push((format!("from_object: the object cannot be written: {error}"), at)),
        }
        self
    }

    fn take_upper(&mut self, pairs: impl IntoIterator<Item = (String, Value)>, origin: &Origin) {
        for (key, value) in pairs {
            if is_upper(&key) {
                self.put(key, value, origin.clone());
            }
        }
    }

    /// Takes keys from environment variables `PREFIX_KEY`, as Flask does: a value is read as JSON, and as text when it
    /// is none; `PREFIX_A__B__C` sets the key `C` inside of `B` inside of `A`. Variables are taken in the order of
    /// their names, those of `.env` files ([`env_var`]) among them.
    #[track_caller]
    pub fn from_prefixed_env(&mut self, prefix: &str) -> &mut Config {
        let at = Location::caller();
        for (name, text) in environment::vars() {
            let Some(key) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else { continue };
            let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            let mut path = key.split("__");
            let outer = path.next().unwrap_or_default();
            let origin = Origin { at, from: Some(format!("the environment's {name}").into()) };
            self.set_at.insert(outer.to_owned(), origin);
            let mut place = self.values.entry(outer.to_owned()).or_insert(Value::Null);
            for step in path {
                if !place.is_object() {
                    *place = Value::Object(serde_json::Map::new());
                }
                place = &mut place[step];
            }
            *place = value;
        }
        self
    }

    /// What is likely to be a mistake, but need not be one: keys that nothing reads any more, and keys that are nearly
    /// one of Dewar's own. Each with the line that set it.
    pub(crate) fn doubts(&self) -> Vec<Wrong> {
        let doubt = |key: &String| Some((known::doubt(key)?, self.set_at.get(key)?.at));
        self.values.keys().filter_map(doubt).collect()
    }
}

fn is_secret(key: &str) -> bool {
    key.starts_with("SECRET_KEY")
}

impl fmt::Debug for Config {
    /// All but the secret keys, so that no log has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = Value::from("…");
        let shown = self.iter().map(|(key, value)| (key, if is_secret(key) { &hidden } else { value }));
        f.debug_map().entries(shown).finish()
    }
}

/// As Python's `isupper`: there is a letter, and none in lower case.
fn is_upper(key: &str) -> bool {
    key.chars().any(char::is_uppercase) && !key.chars().any(char::is_lowercase)
}

/// What a value is, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
