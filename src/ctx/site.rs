//! What every request may read of its app.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Ctx;
use crate::config::{Config, Settings};
use crate::error::{Error, Here, Result};
use crate::routing::{Router, UrlValue};

/// The app as its requests see it: its name, configuration, rules and shared values, and no way to change them
/// (Flask's `current_app`).
pub struct Site {
    pub(crate) name: String,
    pub(crate) root_path: PathBuf,
    pub(crate) config: Config,
    pub(crate) settings: Settings,
    pub(crate) router: Router,
    /// By rule.
    pub(crate) rules: Vec<RuleInfo>,
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
    /// The names of its view arguments.
    pub(crate) args: Vec<String>,
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

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
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

    /// The URL of an endpoint outside of a request: whole, with the configuration's `SERVER_NAME`, unless `_external` is
    /// false. See [`url_for`](fn@crate::url_for).
    ///
    /// # Errors
    /// When `SERVER_NAME` is needed and not set, and as inside of a request.
    #[track_caller]
    pub fn url_for(&self, endpoint: &str, values: &[(&str, UrlValue)]) -> Result<String> {
        self.build_url(endpoint, values, None).here()
    }

    /// Values whose names begin with `_` are options: `_anchor`, `_method`, `_scheme`, `_external`.
    pub(super) fn build_url(&self, endpoint: &str, values: &[(&str, UrlValue)], ctx: Option<&Ctx>) -> Result<String> {
        let option = |name: &str| match values.iter().find(|(n, _)| *n == name) {
            Some((_, UrlValue::One(value))) => Some(value.to_string()),
            _ => None,
        };
        let plain: Vec<(&str, UrlValue)> = values.iter().filter(|(n, _)| !is_option(n)).cloned().collect();

        // A leading dot means this blueprint's.
        let endpoint = match (endpoint.strip_prefix('.'), ctx.and_then(Ctx::blueprint)) {
            (Some(rest), Some(blueprint)) => &format!("{blueprint}.{rest}"),
            (Some(rest), None) => rest,
            (None, _) => endpoint,
        };
        let method = option("_method").and_then(|method| method.parse().ok());
        let built = self.router.build_for_endpoint(endpoint, method.as_ref(), &plain)?;

        let root = match ctx.map_or("", |ctx| ctx.request().script_root()) {
            "" => self.settings.application_root.trim_end_matches('/'),
            mount => mount,
        };
        let mut url = format!("{root}{built}");
        if let Some(anchor) = option("_anchor") {
            url.push('#');
            url.extend(percent_encoding::utf8_percent_encode(&anchor, ANCHOR));
        }

        let scheme = option("_scheme");
        let external = option("_external").map(|v| matches!(&*v, "true" | "1" | "True"));
        match (external, &scheme, ctx) {
            (Some(false), Some(_), _) => Err(Error::msg("url_for: _scheme makes no sense with _external=false")),
            (Some(false), None, _) | (None, None, Some(_)) => Ok(url),
            (_, _, Some(ctx)) => {
                let request = ctx.request();
                Ok(format!("{}://{}{url}", scheme.as_deref().unwrap_or(request.scheme()), request.host()))
            }
            (_, _, None) => {
                let Some(host) = &self.settings.server_name else {
                    return Err(Error::msg(
                        "url_for outside of a request needs to know the host: set SERVER_NAME in the configuration, or \
                         ask for a path with _external=false",
                    ));
                };
                Ok(format!("{}://{host}{url}", scheme.as_ref().unwrap_or(&self.settings.preferred_url_scheme)))
            }
        }
    }
}

/// What may stand in a fragment stays (RFC 3986 section 3.5).
const ANCHOR: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'[')
    .add(b']')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'\\')
    .add(b'^');

fn is_option(name: &str) -> bool {
    matches!(name, "_anchor" | "_method" | "_scheme" | "_external")
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

/// What is wrong when a folder that was named is not there.
#[cfg(any(feature = "static_files", feature = "templates"))]
pub(crate) fn missing_folder(what: &str, folder: &Path, root: &Path) -> String {
    format!(
        "the {what} folder {} is not there: make it, or name another (the path is relative to {})",
        folder.display(),
        root.display()
    )
}
