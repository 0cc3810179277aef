//! Several services behind one address.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::HOST;
use http::{HeaderValue, Uri};

use crate::error::HttpError;
use crate::request::Request;
use crate::response::Response;
use crate::service::Service;

/// Several apps behind one address: each below a path, or for a host (Werkzeug's `DispatcherMiddleware`).
///
/// A mounted app sees the path behind its prefix; the prefix is its [`Request::script_root`], which its `url_for` and
/// redirects put in front. The longest prefix that fits counts. A host comes before paths.
///
/// ```
/// use dewar::middleware::Mount;
/// use dewar::{App, Request, Service, url_for};
///
/// let mut admin = App::new("admin");
/// admin.get("/users", || url_for!("users")).endpoint("users");
/// let mut api = App::new("api");
/// api.get("/", || "the API").endpoint("index");
/// let mut site = App::new("site");
/// site.get("/", || "the site").endpoint("index");
///
/// let all = Mount::new(site.into_service()?)
///     .at("/admin", admin.into_service()?)
///     .host("api.example.com", api.into_service()?);
///
/// let client = dewar::TestClient::new(all);
/// assert_eq!(client.get("/").text(), "the site");
/// assert_eq!(client.get("/admin/users").text(), "/admin/users");
/// assert_eq!(client.request("GET", "/").header("host", "api.example.com").send().text(), "the API");
/// # Ok::<(), dewar::Error>(())
/// ```
///
/// To serve it, give it to [`Server`](crate::server::Server), or put it around an app that is run:
/// `app.middleware(|app| Mount::new(app).at("/admin", admin))`.
#[derive(Clone)]
pub struct Mount {
    otherwise: Arc<dyn Service>,
    /// Without the slash at the end; longer ones first.
    prefixes: Vec<(String, Arc<dyn Service>)>,
    /// In lower case; with a dot in front for all hosts below it.
    hosts: Vec<(String, Arc<dyn Service>)>,
}

impl Mount {
    /// What answers where nothing else is mounted.
    pub fn new(otherwise: impl Service + 'static) -> Mount {
        Mount { otherwise: Arc::new(otherwise), prefixes: Vec::new(), hosts: Vec::new() }
    }

    /// Only mounted services: 404 everywhere else.
    pub fn empty() -> Mount {
        Mount::new(|_: Request| HttpError::new(404).into_response())
    }

    /// Mounts a service below a path, such as `/admin`: it answers `/admin/` and everything below. `/admin` itself is
    /// redirected there.
    ///
    /// # Panics
    /// At the caller's line, when the prefix does not begin with a slash, or is nothing else.
    #[must_use]
    #[track_caller]
    pub fn at(mut self, prefix: &str, service: impl Service + 'static) -> Mount {
        let path = prefix.trim_end_matches('/');
        assert!(
            prefix.starts_with('/') && !path.is_empty(),
            "{prefix:?} is no prefix to mount at: it begins with a slash and has a name, as \"/admin\" does"
        );
        self.prefixes.retain(|(known, _)| known != path);
        self.prefixes.push((path.to_owned(), Arc::new(service)));
        self.prefixes.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        self
    }

    /// Mounts a service for a host, whatever the port; with a dot in front (`.example.com`) for the host and all those
    /// below it. Of several that fit, the one mounted first counts.
    #[must_use]
    pub fn host(mut self, host: &str, service: impl Service + 'static) -> Mount {
        self.hosts.push((host.to_ascii_lowercase(), Arc::new(service)));
        self
    }

    fn by_host(&self, request: &Request) -> Option<&Arc<dyn Service>> {
        if self.hosts.is_empty() {
            return None;
        }
        let host = request.host().to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => &host,
        };
        let fits = |pattern: &str| match pattern.strip_prefix('.') {
            Some(domain) => name == domain || name.ends_with(pattern),
            None => name == pattern,
        };
        self.hosts.iter().find(|(pattern, _)| fits(pattern)).map(|(_, service)| service)
    }
}

impl Service for Mount {
    fn call(&self, mut request: Request) -> Response {
        if let Some(service) = self.by_host(&request) {
            return service.call(request);
        }
        for (prefix, service) in &self.prefixes {
            let Some(rest) = behind(request.path(), prefix) else { continue };
            let root = format!("{}{prefix}", request.script_root());
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            if rest.is_empty() {
                return Response::redirect(&format!("{root}/{query}"), 308);
            }
            let target = format!("{rest}{query}");
            let Ok(target) = target.parse::<Uri>() else { return HttpError::new(400).into_response() };
            let head = request.head_mut();
            // The host of a target that has one comes before the header's (RFC 9112 section 3.2.2).
            let host = head.uri.authority().and_then(|host| HeaderValue::try_from(host.as_str()).ok());
            head.headers.extend(host.map(|host| (HOST, host)));
            head.uri = target;
            return service.call(request.with_script_root(&root));
        }
        self.otherwise.call(request)
    }
}

/// What follows the prefix in a path that is below it: nothing, or something that begins with one slash. Paths are
/// compared as they are meant, `/%61dmin` is `/admin`.
fn behind<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    for end in ends {
        let decoded: Cow<'_, str> = percent_encoding::percent_decode_str(&path[..end]).decode_utf8().ok()?;
        if decoded == prefix {
            let rest = &path[end..];
            let extra = rest.len() - rest.trim_start_matches('/').len();
            return Some(&rest[extra.saturating_sub(1)..]);
        }
        if decoded.len() > prefix.len() {
            return None;
        }
    }
    None
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |of: &[(String, Arc<dyn Service>)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("Mount").field("prefixes", &names(&self.prefixes)).field("hosts", &names(&self.hosts)).finish()
    }
}
