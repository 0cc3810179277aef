//! The keys that there are, with their defaults; and what is said of those that look like one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::settings::debug_by_environment;

/// But for `DEBUG`, whose default the environment says.
static DEFAULTS: LazyLock<BTreeMap<&'static str, Value>> = LazyLock::new(|| {
    BTreeMap::from([
        ("APPLICATION_ROOT", json!("/")),
        ("EXPLAIN_TEMPLATE_LOADING", json!(false)),
        ("MAX_COOKIE_SIZE", json!(4093)),
        ("MAX_FORM_MEMORY_SIZE", json!(500_000)),
        ("MAX_FORM_PARTS", json!(1_000)),
        ("PERMANENT_SESSION_LIFETIME", json!(31 * 24 * 3600)),
        ("PREFERRED_URL_SCHEME", json!("http")),
        ("PROVIDE_AUTOMATIC_OPTIONS", json!(true)),
        ("SESSION_COOKIE_HTTPONLY", json!(true)),
        ("SESSION_COOKIE_NAME", json!("session")),
        ("SESSION_COOKIE_PARTITIONED", json!(false)),
        ("SESSION_COOKIE_SECURE", json!(false)),
        ("SESSION_REFRESH_EACH_REQUEST", json!(true)),
        ("TESTING", json!(false)),
        ("TRAP_HTTP_EXCEPTIONS", json!(false)),
        ("FLASK_JSON", json!(false)),
        ("JSON_ERRORS", json!(false)),
        ("USE_X_SENDFILE", json!(false)),
    ])
});

/// The keys whose default is that nothing is set.
const UNSET: [&str; 11] = [
    "MAX_CONTENT_LENGTH",
    "PROPAGATE_EXCEPTIONS",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SEND_FILE_MAX_AGE_DEFAULT",
    "SERVER_NAME",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SAMESITE",
    "TEMPLATES_AUTO_RELOAD",
    "TRAP_BAD_REQUEST_ERRORS",
];

/// Keys of early Flasks, which people still set, and what does their work now.
const GIVEN_UP: [(&str, &str); 7] = [
    ("ENV", "set DEBUG for development, or a key of your own, such as STAGE"),
    ("JSON_SORT_KEYS", JSON_PROVIDER),
    ("JSON_AS_ASCII", JSON_PROVIDER),
    ("JSONIFY_PRETTYPRINT_REGULAR", JSON_PROVIDER),
    ("JSONIFY_MIMETYPE", JSON_PROVIDER),
    ("LOGGER_NAME", "give records their target where they are logged: `log::warn!(target: \"shop\", …)`"),
    ("PRESERVE_CONTEXT_ON_EXCEPTION", "look at a test's context by `TestResponse::context`"),
];

const JSON_PROVIDER: &str =
    "how JSON is written is for the app's JSON provider to say, or for the response's own headers";

static DEBUG: [Value; 2] = [Value::Bool(false), Value::Bool(true)];

pub(super) fn defaults() -> impl Iterator<Item = (&'static str, &'static Value)> {
    DEFAULTS.iter().map(|(key, value)| (*key, value)).chain([("DEBUG", debug())])
}

pub(super) fn default_of(key: &str) -> Option<&'static Value> {
    if key == "DEBUG" { Some(debug()) } else { DEFAULTS.get(key) }
}

/// As `DEWAR_DEBUG` says.
fn debug() -> &'static Value {
    &DEBUG[usize::from(debug_by_environment())]
}

/// What there is to say of a key that is none of Dewar's.
pub(super) fn doubt(key: &str) -> Option<String> {
    if let Some((_, instead)) = GIVEN_UP.iter().find(|(known, _)| *known == key) {
        return Some(format!("nothing reads the configuration's {key}, which Flask has given up too: {instead}"));
    }
    let mut known = DEFAULTS.keys().copied().chain(UNSET).chain(["DEBUG", "TRUSTED_HOSTS"]);
    if known.clone().any(|known| known == key) {
        return None;
    }
    let meant = known.find(|known| is_near(key, known))?;
    Some(format!("nothing reads the configuration's {key}: did you mean {meant}?"))
}

/// Whether one was likely meant by the other: but for underscores, case and a slip of a finger.
fn is_near(key: &str, known: &str) -> bool {
    let bare = |text: &str| -> Vec<char> { text.chars().filter(|c| *c != '_').flat_map(char::to_uppercase).collect() };
    let (a, b) = (bare(key), bare(known));
    // Every pair of short words is a slip or two apart.
    let slips = if b.len() > 8 { 1 } else { 0 };
    a.len().abs_diff(b.len()) <= slips && distance(&a, &b) <= slips
}

/// How many characters must be changed, put in, left out, or swapped with the next.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = rows[i][j] + usize::from(x != y);
            let mut least = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
