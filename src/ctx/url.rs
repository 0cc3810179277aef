//! `url_for`: URLs from endpoints and values.

use std::borrow::Cow;
use std::fmt;

use http::Method;

use super::Ctx;
use super::site::Site;
use crate::error::{Error, Here, Result};
use crate::request::Request;
use crate::routing::{BuildError, Standpoint, UrlValue, UrlValues};

/// Adds to the values of an endpoint's URL.
pub(crate) type UrlDefaults = Box<dyn Fn(&str, &mut UrlValues) -> Result<()> + Send + Sync>;

/// Has a URL after all, for what no rule makes one of.
pub(crate) type BuildErrorHandler = Box<dyn Fn(&BuildError, &str, &UrlValues) -> Result<Option<String>> + Send + Sync>;

/// What hooks into the building of URLs.
#[derive(Default)]
pub(crate) struct UrlHooks {
    /// By the dotted name of a blueprint, empty for the app's; outer ones come before inner ones.
    pub(crate) defaults: Vec<(String, UrlDefaults)>,
    pub(crate) on_error: Vec<BuildErrorHandler>,
}

impl fmt::Debug for UrlHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.defaults.iter().map(|(name, _)| name).collect();
        f.debug_struct("UrlHooks").field("defaults", &names).field("on_error", &self.on_error.len()).finish()
    }
}

/// The options among the values of `url_for`.
#[derive(Default)]
struct Options {
    anchor: Option<String>,
    method: Option<Method>,
    scheme: Option<String>,
    external: Option<bool>,
}

impl Site {
    /// The URL of an endpoint outside of a request: whole, with the configuration's `SERVER_NAME`, unless `_external` is
    /// false. See [`url_for`](fn@crate::url_for).
    ///
    /// # Errors
    /// When `SERVER_NAME` is needed and not set, and as inside of a request.
    #[track_caller]
    pub fn url_for(&self, endpoint: &str, values: &[(&str, UrlValue)]) -> Result<String> {
        self.build_url(endpoint, values, None).here()
    }

    /// Whether any rule of this endpoint has all these arguments (Werkzeug's `Map.is_endpoint_expecting`): for hooks that
    /// add values to URLs.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("site");
    /// app.get("/<lang>/", || "").endpoint("index");
    /// let service = app.into_service()?;
    /// assert!(service.site().is_endpoint_expecting("index", &["lang"]));
    /// assert!(!service.site().is_endpoint_expecting("index", &["page"]));
    /// # Ok::<(), dewar::Error>(())
    /// ```
    #[must_use]
    pub fn is_endpoint_expecting(&self, endpoint: &str, arguments: &[&str]) -> bool {
        self.router.rules_of(endpoint).any(|rule| arguments.iter().all(|wanted| rule.arguments().any(|a| a == *wanted)))
    }

    /// Values whose names begin with `_` are options: `_anchor`, `_method`, `_scheme`, `_external`.
    pub(super) fn build_url(&self, endpoint: &str, values: &[(&str, UrlValue)], ctx: Option<&Ctx>) -> Result<String> {
        let options = Options::of(values);
        // A leading dot means this blueprint's.
        let endpoint = match (endpoint.strip_prefix('.'), ctx.and_then(Ctx::blueprint)) {
            (Some(rest), Some(blueprint)) => &format!("{blueprint}.{rest}"),
            (Some(rest), None) => rest,
            (None, _) => endpoint,
        };
        let external = match (options.external, &options.scheme) {
            (Some(false), Some(_)) => {
                return Err(Error::msg("url_for: _scheme makes no sense with _external=false"));
            }
            (Some(external), _) => external,
            (None, scheme) => scheme.is_some() || ctx.is_none(),
        };
        let rest = || values.iter().filter(|(name, _)| !is_option(name)).cloned();
        let built = if self.url_hooks.defaults.is_empty() {
            // Most have no options.
            let plain: Cow<'_, [(&str, UrlValue)]> = match values.iter().any(|(name, _)| is_option(name)) {
                true => Cow::Owned(rest().collect()),
                false => Cow::Borrowed(values),
            };
            self.build(endpoint, &plain, &options, external, ctx)
        } else {
            let mut all: UrlValues = rest().collect();
            self.inject_url_defaults(endpoint, &mut all)?;
            let plain: Vec<(&str, UrlValue)> = all.iter().map(|(name, value)| (name, value.clone())).collect();
            self.build(endpoint, &plain, &options, external, ctx)
        };
        let mut url = match built {
            Err(error) if !self.url_hooks.on_error.is_empty() => {
                return self.handle_url_build_error(error, endpoint, values);
            }
            built => built?,
        };
        if let Some(anchor) = options.anchor {
            url.push('#');
            url.extend(percent_encoding::utf8_percent_encode(&anchor, ANCHOR));
        }
        Ok(url)
    }

    fn build(
        &self,
        endpoint: &str,
        values: &[(&str, UrlValue)],
        options: &Options,
        external: bool,
        ctx: Option<&Ctx>,
    ) -> Result<String> {
        let request = ctx.map(Ctx::request);
        let host = match request {
            Some(request) if self.hosts.host_matching => Some(request.host().to_lowercase()),
            None if self.hosts.host_matching => self.server_name(&self.settings.preferred_url_scheme),
            _ => None,
        };
        let here = Standpoint { method: request.map_or(&Method::GET, Request::method), host: host.as_deref() };
        let built = self.router.build_from(here, endpoint, options.method.as_ref(), values)?;
        self.located(built.host.as_deref(), built.path, options.scheme.as_deref(), external, request)
    }

    /// The URL of a path on a rule's host: the path alone where that is enough, and whole where it is asked for, or is
    /// another host than the request's.
    pub(crate) fn located(
        &self,
        host: Option<&str>,
        path: String,
        scheme: Option<&str>,
        external: bool,
        request: Option<&Request>,
    ) -> Result<String> {
        let root = self.root(request);
        if !external {
            let is_here = match request {
                _ if !self.hosts.matched() => host.is_none(),
                // A rule for no host is found on every one.
                Some(_) if self.hosts.host_matching && host.is_none() => true,
                Some(request) => self.domain(request)?.as_deref() == Some(host.unwrap_or_default()),
                None => host.is_none(),
            };
            if is_here {
                return Ok(if root.is_empty() { path } else { root + &path });
            }
        }
        let current = match request {
            Some(request) => request.scheme(),
            None => &self.settings.preferred_url_scheme,
        };
        // As in Werkzeug, what is not secure is plain, and an empty scheme is the page's own.
        let scheme = match scheme.unwrap_or(current) {
            "" => "",
            "https" | "wss" => "https:",
            _ => "http:",
        };
        let host = match (host, self.hosts.host_matching) {
            (Some(host), true) => host.to_owned(),
            (Some(""), false) | (None, _) => self.own_host(request)?,
            (Some(subdomain), false) => format!("{subdomain}.{}", self.own_host(request)?),
        };
        Ok(format!("{scheme}//{host}{root}{path}"))
    }

    /// The host in whole URLs: `SERVER_NAME`, and, where that is not set or hosts are matched, the request's.
    fn own_host(&self, request: Option<&Request>) -> Result<String> {
        let scheme = request.map_or(&*self.settings.preferred_url_scheme, |request| request.scheme());
        let configured = self.server_name(scheme);
        match (request, configured) {
            (Some(_), Some(name)) if !self.hosts.host_matching => Ok(name),
            (Some(request), _) => {
                self.check_host(request)?;
                Ok(request.host().to_lowercase())
            }
            (None, Some(name)) => Ok(name),
            (None, None) => Err(Error::msg(
                "url_for outside of a request needs to know the host: set SERVER_NAME in the configuration, or ask for a \
                 path with _external=false",
            )),
        }
    }

    /// The app's hooks, then those of the endpoint's blueprints from the outermost in.
    fn inject_url_defaults(&self, endpoint: &str, values: &mut UrlValues) -> Result<()> {
        let blueprint = endpoint.rsplit_once('.').map_or("", |(blueprint, _)| blueprint);
        for (name, hook) in &self.url_hooks.defaults {
            let rest = blueprint.strip_prefix(name.as_str());
            if name.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                hook(endpoint, values)?;
            }
        }
        Ok(())
    }

    /// The first handler that has a URL; one that fails with another [`BuildError`] puts that in its place.
    fn handle_url_build_error(&self, error: Error, endpoint: &str, values: &[(&str, UrlValue)]) -> Result<String> {
        let mut error = error.downcast::<BuildError>()?;
        let values: UrlValues = values.iter().cloned().collect();
        for handler in &self.url_hooks.on_error {
            match handler(&error, endpoint, &values) {
                Ok(Some(url)) => return Ok(url),
                Ok(None) => {}
                Err(other) => error = other.downcast::<BuildError>()?,
            }
        }
        Err(error.into())
    }

    /// What URLs of the app have before its own paths: empty, or a path without a slash at the end.
    pub(crate) fn root(&self, request: Option<&Request>) -> String {
        let root = match request.map_or("", Request::script_root) {
            "" => &*self.settings.application_root,
            mount => mount,
        };
        let root = root.trim_matches('/');
        if root.is_empty() { String::new() } else { format!("/{root}") }
    }
}

impl Options {
    fn of(values: &[(&str, UrlValue)]) -> Options {
        let mut options = Options::default();
        for (name, value) in values.iter().filter(|(name, _)| is_option(name)) {
            let UrlValue::One(value) = value else { continue };
            match *name {
                "_anchor" => options.anchor = Some(value.to_string()),
                "_method" => options.method = value.to_string().to_ascii_uppercase().parse().ok(),
                "_scheme" => options.scheme = Some(value.to_string()),
                "_external" => {
                    let no = matches!(&*value.to_string(), "" | "0" | "0.0" | "false" | "False");
                    options.external = Some(!no);
                }
                _ => {}
            }
        }
        options
    }
}

fn is_option(name: &str) -> bool {
    name.starts_with('_') && matches!(name, "_anchor" | "_method" | "_scheme" | "_external")
}

/// What Flask leaves as it is in a fragment: escapes and `#` too.
const ANCHOR: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
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
