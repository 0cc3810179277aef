//! Configuration: upper-case keys with values, those that Dewar itself reads checked when the app is frozen.

mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use settings::{SessionSettings, Settings};

/// What is wrong, and the line that set it.
type Wrong = (String, &'static Location<'static>);

/// An app's configuration (Flask's `app.config`): keys with JSON values, yours and Dewar's own.
///
/// | key | default | what it does |
/// | --- | --- | --- |
/// | `DEBUG` | `false` | error pages show the error; templates are read again when they change |
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
    set_at: BTreeMap<String, &'static Location<'static>>,
}

impl Config {
    /// No keys: every setting has its default.
    pub fn new() -> Config {
        Config::default()
    }

    /// Sets a key.
    #[track_caller]
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) -> &mut Config {
        let key = key.into();
        self.set_at.insert(key.clone(), Location::caller());
        self.values.insert(key, value.into());
        self
    }

    /// A key's value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// A key's value as a `T`; `None` when it is not set.
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

    /// All keys with their values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Takes keys from environment variables `PREFIX_KEY`, as Flask does: a value is read as JSON, and as text when it
    /// is none; `PREFIX_A__B` sets the key `B` inside of `A`.
    #[track_caller]
    pub fn from_prefixed_env(&mut self, prefix: &str) -> &mut Config {
        let mut found: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| {
                let name = name.into_string().ok()?;
                let key = name.strip_prefix(prefix)?.strip_prefix('_')?.to_owned();
                Some((key, value.into_string().ok()?))
            })
            .collect();
        found.sort();
        for (key, text) in found {
            let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            let mut path = key.split("__");
            let outer = path.next().unwrap_or_default();
            self.set_at.insert(outer.to_owned(), Location::caller());
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
