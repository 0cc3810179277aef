//! Configuration: upper-case keys with values, those that Dewar itself reads checked when the app is frozen.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cookie::{SameSite, is_attribute, is_token};

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

    /// The keys that Dewar reads, or what is wrong with them and where they were set.
    pub(crate) fn settings(&self) -> Result<Settings, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let settings = Settings {
            debug: self.read("DEBUG", "true or false", &mut wrong).unwrap_or(false),
            max_content_length: self.read("MAX_CONTENT_LENGTH", "a number of bytes", &mut wrong),
            max_form_memory_size: self.read("MAX_FORM_MEMORY_SIZE", "a number of bytes", &mut wrong).unwrap_or(500_000),
            max_form_parts: self.read("MAX_FORM_PARTS", "a number", &mut wrong).unwrap_or(1_000),
            server_name: self.read("SERVER_NAME", "text such as \"example.org:8080\"", &mut wrong),
            application_root: self
                .read("APPLICATION_ROOT", "a path such as \"/app\"", &mut wrong)
                .unwrap_or("/".into()),
            preferred_url_scheme: self
                .read("PREFERRED_URL_SCHEME", "\"http\" or \"https\"", &mut wrong)
                .unwrap_or("http".into()),
            automatic_options: self.read("PROVIDE_AUTOMATIC_OPTIONS", "true or false", &mut wrong).unwrap_or(true),
            send_file_max_age: self
                .read("SEND_FILE_MAX_AGE_DEFAULT", "a number of seconds", &mut wrong)
                .map(Duration::from_secs),
            templates_auto_reload: self.read("TEMPLATES_AUTO_RELOAD", "true or false", &mut wrong),
            explain_template_loading: self
                .read("EXPLAIN_TEMPLATE_LOADING", "true or false", &mut wrong)
                .unwrap_or(false),
            session: self.session_settings(&mut wrong),
        };
        if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
    }

    fn read<T: DeserializeOwned>(&self, key: &str, wanted: &str, wrong: &mut Vec<Wrong>) -> Option<T> {
        let value = self.get(key).filter(|value| !value.is_null())?;
        let parsed = T::deserialize(value).ok();
        if parsed.is_none() {
            let shown = if is_secret(key) { "of another type".to_owned() } else { value.to_string() };
            wrong.push(self.wrong(key, &shown, wanted));
        }
        parsed
    }

    fn wrong(&self, key: &str, shown: &str, wanted: &str) -> Wrong {
        let at = self.set_at.get(key).expect("there is a line for every key that is set");
        (format!("the configuration's {key} is {shown}, but it must be {wanted}"), at)
    }

    fn session_settings(&self, wrong: &mut Vec<Wrong>) -> SessionSettings {
        const ATTRIBUTE: &str = "without control characters, `;` and what is not ASCII";
        let same_site = self.read::<String>("SESSION_COOKIE_SAMESITE", SAME_SITE, wrong).and_then(|text| {
            let known = [("strict", SameSite::Strict), ("lax", SameSite::Lax), ("none", SameSite::None)];
            let found = known.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
            if found.is_none() {
                wrong.push(self.wrong("SESSION_COOKIE_SAMESITE", &format!("{text:?}"), SAME_SITE));
            }
            found.map(|(_, same_site)| same_site)
        });
        let mut checked = |key: &str, wanted: &str, fine: fn(&str) -> bool, must: &str| {
            let text = self.read::<String>(key, wanted, wrong)?;
            if !fine(&text) {
                wrong.push(self.wrong(key, &format!("{text:?}"), must));
                return None;
            }
            Some(text)
        };
        let cookie_name = checked("SESSION_COOKIE_NAME", "text", is_token, "letters, digits and !#$%&'*+-.^_`|~");
        let domain = checked("SESSION_COOKIE_DOMAIN", "text such as \"example.org\"", is_attribute, ATTRIBUTE);
        let path = checked("SESSION_COOKIE_PATH", "a path such as \"/app\"", is_attribute, ATTRIBUTE)
            .or_else(|| self.get_str("APPLICATION_ROOT").filter(|root| is_attribute(root)).map(str::to_owned));
        let lifetime = self.read("PERMANENT_SESSION_LIFETIME", "a number of seconds", wrong);
        let keys = self.read("SECRET_KEY_FALLBACKS", "a list of texts, the oldest key first", wrong);
        SessionSettings {
            secret_key: self.read("SECRET_KEY", "text", wrong).filter(|key: &String| !key.is_empty()),
            secret_key_fallbacks: keys.unwrap_or_default(),
            cookie_name: cookie_name.unwrap_or("session".into()),
            // As Werkzeug writes it.
            domain: domain
                .map(|domain| domain.split(':').next().unwrap_or("").trim_start_matches('.').to_owned())
                .filter(|domain| !domain.is_empty()),
            path: path.filter(|path| !path.is_empty()).unwrap_or("/".into()),
            http_only: self.read("SESSION_COOKIE_HTTPONLY", "true or false", wrong).unwrap_or(true),
            secure: self.read("SESSION_COOKIE_SECURE", "true or false", wrong).unwrap_or(false),
            same_site,
            partitioned: self.read("SESSION_COOKIE_PARTITIONED", "true or false", wrong).unwrap_or(false),
            // A century is for ever, and more might not fit the clock.
            lifetime: Duration::from_secs(lifetime.unwrap_or(31 * 24 * 3600).min(u64::from(u32::MAX))),
            refresh_each_request: self.read("SESSION_REFRESH_EACH_REQUEST", "true or false", wrong).unwrap_or(true),
            max_cookie_size: self.read("MAX_COOKIE_SIZE", "a number of bytes", wrong).unwrap_or(4093),
        }
    }
}

const SAME_SITE: &str = "\"Lax\", \"Strict\" or \"None\"";

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

/// The keys that Dewar itself reads, checked.
#[derive(Clone)]
#[cfg_attr(
    not(all(feature = "templates", feature = "static_files", feature = "sessions")),
    allow(dead_code, reason = "a build without a feature checks its keys, but does not read them")
)]
pub(crate) struct Settings {
    pub(crate) debug: bool,
    pub(crate) max_content_length: Option<u64>,
    pub(crate) max_form_memory_size: u64,
    pub(crate) max_form_parts: usize,
    pub(crate) server_name: Option<String>,
    pub(crate) application_root: String,
    pub(crate) preferred_url_scheme: String,
    pub(crate) automatic_options: bool,
    #[cfg_attr(not(feature = "static_files"), allow(dead_code, reason = "checked all the same"))]
    pub(crate) send_file_max_age: Option<Duration>,
    #[cfg_attr(not(feature = "templates"), allow(dead_code, reason = "checked all the same"))]
    pub(crate) templates_auto_reload: Option<bool>,
    #[cfg_attr(not(feature = "templates"), allow(dead_code, reason = "checked all the same"))]
    pub(crate) explain_template_loading: bool,
    pub(crate) session: SessionSettings,
}

/// How sessions are kept.
#[derive(Clone)]
#[cfg_attr(not(feature = "sessions"), allow(dead_code, reason = "this build has no sessions, but checks their keys"))]
pub(crate) struct SessionSettings {
    pub(crate) secret_key: Option<String>,
    /// The oldest first.
    pub(crate) secret_key_fallbacks: Vec<String>,
    pub(crate) cookie_name: String,
    pub(crate) domain: Option<String>,
    pub(crate) path: String,
    pub(crate) http_only: bool,
    pub(crate) secure: bool,
    pub(crate) same_site: Option<SameSite>,
    pub(crate) partitioned: bool,
    pub(crate) lifetime: Duration,
    pub(crate) refresh_each_request: bool,
    pub(crate) max_cookie_size: usize,
}
