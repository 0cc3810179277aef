//! The keys that Dewar itself reads, as types.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Config, Wrong, environment, is_secret};
use crate::cookie::{SameSite, is_attribute, is_token};

impl Config {
    /// The keys that Dewar reads, or what is wrong with them and where they were set.
    pub(crate) fn settings(&self) -> Result<Settings, Vec<Wrong>> {
        let mut wrong = self.wrong.clone();
        let settings = Settings {
            debug: self.flag("DEBUG", &mut wrong).unwrap_or_else(debug_by_environment),
            testing: self.flag("TESTING", &mut wrong).unwrap_or(false),
            propagate_exceptions: self.flag("PROPAGATE_EXCEPTIONS", &mut wrong),
            trap_http_exceptions: self.flag("TRAP_HTTP_EXCEPTIONS", &mut wrong).unwrap_or(false),
            flask_json: self.flag("FLASK_JSON", &mut wrong).unwrap_or(false),
            json_errors: self.flag("JSON_ERRORS", &mut wrong).unwrap_or(false),
            trap_bad_request_errors: self.flag("TRAP_BAD_REQUEST_ERRORS", &mut wrong),
            use_x_sendfile: self.flag("USE_X_SENDFILE", &mut wrong).unwrap_or(false),
            trusted_hosts: self.read("TRUSTED_HOSTS", "a list of hosts such as [\".example.org\"]", &mut wrong),
            explain_template_loading: self.flag("EXPLAIN_TEMPLATE_LOADING", &mut wrong).unwrap_or(false),
            max_content_length: self.read("MAX_CONTENT_LENGTH", "a number of bytes", &mut wrong),
            max_form_memory_size: self.bound(
                "MAX_FORM_MEMORY_SIZE",
                "a number of bytes",
                500_000,
                u64::MAX,
                &mut wrong,
            ),
            max_form_parts: self.bound("MAX_FORM_PARTS", "a number", 1_000, usize::MAX, &mut wrong),
            server_name: self.read("SERVER_NAME", "text such as \"example.org:8080\"", &mut wrong),
            application_root: self
                .read("APPLICATION_ROOT", "a path such as \"/app\"", &mut wrong)
                .unwrap_or("/".into()),
            preferred_url_scheme: self
                .read("PREFERRED_URL_SCHEME", "\"http\" or \"https\"", &mut wrong)
                .unwrap_or("http".into()),
            automatic_options: self.flag("PROVIDE_AUTOMATIC_OPTIONS", &mut wrong).unwrap_or(true),
            send_file_max_age: self
                .read("SEND_FILE_MAX_AGE_DEFAULT", "a number of seconds", &mut wrong)
                .map(Duration::from_secs),
            templates_auto_reload: self.flag("TEMPLATES_AUTO_RELOAD", &mut wrong),
            session: self.session_settings(&mut wrong),
        };
        if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
    }

    /// A limit: the default when it is not set, none at all when it is null.
    fn bound<T: DeserializeOwned>(&self, key: &str, wanted: &str, default: T, none: T, wrong: &mut Vec<Wrong>) -> T {
        match self.values.get(key) {
            Some(serde_json::Value::Null) => none,
            _ => self.read(key, wanted, wrong).unwrap_or(default),
        }
    }

    /// True or false, which a variable of the environment may call 1 and 0.
    fn flag(&self, key: &str, wrong: &mut Vec<Wrong>) -> Option<bool> {
        match self.values.get(key).and_then(serde_json::Value::as_u64) {
            Some(number @ (0 | 1)) => Some(number == 1),
            _ => self.read(key, "true or false", wrong),
        }
    }

    fn read<T: DeserializeOwned>(&self, key: &str, wanted: &str, wrong: &mut Vec<Wrong>) -> Option<T> {
        let value = self.values.get(key).filter(|value| !value.is_null())?;
        let parsed = T::deserialize(value).ok();
        if parsed.is_none() {
            let shown = if is_secret(key) { "of another type".to_owned() } else { value.to_string() };
            wrong.push(self.wrong(key, &shown, wanted));
        }
        parsed
    }

    fn wrong(&self, key: &str, shown: &str, wanted: &str) -> Wrong {
        let origin = self.set_at.get(key).expect("there is a line for every key that is set");
        let from = origin.from.as_ref().map_or(String::new(), |from| format!(" (from {from})"));
        (format!("the configuration's {key} is {shown}, but it must be {wanted}{from}"), origin.at)
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
            http_only: self.flag("SESSION_COOKIE_HTTPONLY", wrong).unwrap_or(true),
            secure: self.flag("SESSION_COOKIE_SECURE", wrong).unwrap_or(false),
            same_site,
            partitioned: self.flag("SESSION_COOKIE_PARTITIONED", wrong).unwrap_or(false),
            // A century is for ever, and more might not fit the clock.
            lifetime: Duration::from_secs(lifetime.unwrap_or(31 * 24 * 3600).min(u64::from(u32::MAX))),
            refresh_each_request: self.flag("SESSION_REFRESH_EACH_REQUEST", wrong).unwrap_or(true),
            max_cookie_size: self.read("MAX_COOKIE_SIZE", "a number of bytes", wrong).unwrap_or(4093),
        }
    }
}

const SAME_SITE: &str = "\"Lax\", \"Strict\" or \"None\"";

/// The keys that Dewar itself reads, checked.
#[derive(Clone)]
#[allow(dead_code, reason = "a build without a feature checks its keys, but does not read them")]
pub(crate) struct Settings {
    /// `DEBUG`, or `DEWAR_DEBUG` in the environment.
    pub(crate) debug: bool,
    pub(crate) testing: bool,
    /// Not set: as `testing` or `debug`.
    pub(crate) propagate_exceptions: Option<bool>,
    pub(crate) trap_http_exceptions: bool,
    pub(crate) flask_json: bool,
    /// Whether the pages of HTTP errors are JSON.
    pub(crate) json_errors: bool,
    /// Not set: as `debug`.
    pub(crate) trap_bad_request_errors: Option<bool>,
    pub(crate) use_x_sendfile: bool,
    /// None: every host. An empty list trusts none.
    pub(crate) trusted_hosts: Option<Vec<String>>,
    pub(crate) explain_template_loading: bool,
    pub(crate) max_content_length: Option<u64>,
    /// `u64::MAX` for none.
    pub(crate) max_form_memory_size: u64,
    /// `usize::MAX` for none.
    pub(crate) max_form_parts: usize,
    pub(crate) server_name: Option<String>,
    pub(crate) application_root: String,
    pub(crate) preferred_url_scheme: String,
    pub(crate) automatic_options: bool,
    pub(crate) send_file_max_age: Option<Duration>,
    pub(crate) templates_auto_reload: Option<bool>,
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

/// Whether `DEWAR_DEBUG` asks for debug mode.
pub(super) fn debug_by_environment() -> bool {
    environment::known_var("DEWAR_DEBUG").is_some_and(|text| is_true(&text))
}

/// Whether the text of a variable means yes: anything but nothing, `0`, `false` and `no` does, as with Flask's.
pub(crate) fn is_true(text: &str) -> bool {
    !matches!(&*text.to_lowercase(), "" | "0" | "false" | "no")
}
