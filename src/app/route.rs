//! What can be said of a route: its host, its slashes, where it redirects to; and views by their endpoints.

use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use http::Method;

use super::handler::{Handler, View};
use super::scaffold::{Mistake, RouteMut, Scaffold};
use crate::error::Error;
use crate::extract::Shape;
use crate::routing::{NamedArgs, Rule, encode_path};

/// A view as it was registered.
pub(super) struct ViewDef {
    pub(super) run: View,
    pub(super) shape: Shape,
    pub(super) id: TypeId,
    pub(super) name: &'static str,
    pub(super) at: &'static Location<'static>,
}

impl ViewDef {
    #[track_caller]
    pub(super) fn new<M, H: Handler<M>>(view: H) -> ViewDef {
        ViewDef {
            run: Arc::new(move |ctx| view.call(ctx)),
            shape: H::shape(),
            id: TypeId::of::<H>(),
            name: type_name::<H>(),
            at: Location::caller(),
        }
    }

    /// None: it is to be found by its endpoint.
    #[track_caller]
    fn none() -> ViewDef {
        ViewDef {
            run: Arc::new(|_| Err(Error::msg("this rule is for building URLs only"))),
            shape: Shape::default(),
            id: TypeId::of::<ViewDef>(), // of a type that is no view

            name: "",
            at: Location::caller(),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.id == TypeId::of::<ViewDef>()
    }
}

/// What few routes say.
#[derive(Default)]
pub(super) struct RouteOptions {
    /// The method of `get`, `post` and their kin.
    pub(super) only: Option<Method>,
    pub(super) strict_slashes: Option<bool>,
    pub(super) merge_slashes: Option<bool>,
    pub(super) subdomain: Option<String>,
    pub(super) host: Option<String>,
    pub(super) alias: bool,
    pub(super) build_only: bool,
    pub(super) redirect_to: Option<RedirectTo>,
}

/// Where a rule redirects to.
pub(super) enum RedirectTo {
    /// `new/<id>`
    Pattern(String),
    Call(Box<dyn Fn(&NamedArgs<'_>) -> String + Send + Sync>),
}

impl RedirectTo {
    /// What is wrong with it for a rule with these arguments.
    pub(super) fn mistake(&self, args: &[String]) -> Option<String> {
        let RedirectTo::Pattern(pattern) = self else { return None };
        let unknown = pieces(pattern).find_map(|(_, name)| name.filter(|name| args.iter().all(|arg| arg != name)))?;
        Some(format!("`redirect_to({pattern:?})` has a variable `<{unknown}>` that the rule does not have"))
    }

    /// The target, below `root` where it is relative. What comes from the request never makes it another site's.
    pub(super) fn target(&self, rule: &Rule, args: &NamedArgs<'_>, root: &str) -> Result<String, Error> {
        let pattern = match self {
            RedirectTo::Call(target) => {
                let target = target(args);
                return Ok(if is_whole(&target) { target } else { below(root, &target) });
            }
            RedirectTo::Pattern(pattern) => pattern,
        };
        let mut target = String::new();
        for (literal, name) in pieces(pattern) {
            target.push_str(literal);
            let Some((name, value)) = name.and_then(|name| Some((name, args.get(name)?))) else { continue };
            let text = rule.to_url(name, &value.to_view_arg()).map_err(|reason| {
                Error::msg(format!("`redirect_to({pattern:?})`: the value of `{name}` does not fit: {reason}"))
            })?;
            target.push_str(&encode_path(&text));
        }
        let literal = pattern.split('<').next().unwrap_or_default();
        Ok(if is_whole(literal) { target } else { below(root, &target) })
    }
}

impl fmt::Debug for RedirectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedirectTo::Pattern(pattern) => pattern.fmt(f),
            RedirectTo::Call(_) => f.write_str("a function"),
        }
    }
}

/// Whether it names a site.
fn is_whole(target: &str) -> bool {
    target.starts_with("//") || target.find("://").is_some_and(|at| !target[..at].contains(['/', '?', '#']))
}

/// With one slash at the front a path is as it is, as `urljoin` has it; without, it is the app's own.
fn below(root: &str, target: &str) -> String {
    match target.strip_prefix('/') {
        Some(rest) => format!("/{}", rest.trim_start_matches('/')),
        None => format!("{root}/{target}"),
    }
}

/// The pattern's literals, each with the variable behind it.
fn pieces(pattern: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let variable = rest.find('<').and_then(|open| Some((open, open + rest[open..].find('>')?)));
        let piece = match variable {
            Some((open, close)) => {
                let piece = (&rest[..open], Some(&rest[open + 1..close]));
                rest = &rest[close + 1..];
                piece
            }
            None => (std::mem::take(&mut rest), None),
        };
        Some(piece)
    })
}

impl Scaffold {
    /// Adds a rule for an endpoint whose view is given elsewhere: by [`endpoint`](Scaffold::endpoint), or by another
    /// route of the same endpoint (Flask's `add_url_rule` without a view).
    ///
    /// A rule for which there is no view is a mistake, unless it is [`build_only`](RouteMut::build_only) or
    /// [redirects](RouteMut::redirect_to).
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("site");
    /// app.add_url_rule("/", "index");
    /// app.add_url_rule("/index.html", "index");
    /// app.endpoint("index", || "hello");
    /// let client = app.test_client();
    /// assert_eq!(client.get("/").text(), "hello");
    /// assert_eq!(client.get("/index.html").text(), "hello");
    /// ```
    #[track_caller]
    pub fn add_url_rule(&mut self, rule: &str, endpoint: &str) -> RouteMut<'_> {
        self.add_route(rule, Some(endpoint.to_owned()), ViewDef::none())
    }

    /// Gives the view of an endpoint, for the rules that [`add_url_rule`](Scaffold::add_url_rule) adds (Flask's
    /// `@app.endpoint`). In a blueprint it is one of the blueprint's.
    #[track_caller]
    pub fn endpoint<M, H: Handler<M>>(&mut self, endpoint: &str, view: H) -> &mut Self {
        self.endpoint_views.push((endpoint.to_owned(), ViewDef::new(view)));
        self
    }
}

impl RouteMut<'_> {
    /// This method, for good.
    pub(super) fn only(self, method: Method) -> Self {
        self.route.methods = vec![method.clone()];
        self.route.options.only = Some(method);
        self
    }

    /// With `false` a rule that ends in a slash answers without it too, and the other way round; otherwise a missing
    /// slash is a redirect with 308, and one too many is a 404. Unless said here, [`UrlMap`](super::UrlMap) says.
    pub fn strict_slashes(self, strict: bool) -> Self {
        self.route.options.strict_slashes = Some(strict);
        self
    }

    /// Whether `//` in a path is redirected to `/`, with 308, where the rule then matches. Unless said here,
    /// [`UrlMap`](super::UrlMap) says.
    pub fn merge_slashes(self, merge: bool) -> Self {
        self.route.options.merge_slashes = Some(merge);
        self
    }

    /// Only for this host, which may have variables: `api.example.com`, `<user>.example.com:8080`. They come before the
    /// path's. It counts in an app with [`host_matching`](crate::App::host_matching) only.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("site");
    /// app.host_matching(true).static_host("static.example.com");
    /// app.get("/<page>", |user: String, page: String| format!("{page} of {user}")).host("<user>.example.com");
    /// let client = app.test_client();
    /// assert_eq!(client.request("GET", "/about").header("host", "ada.example.com").send().text(), "about of ada");
    /// assert_eq!(client.request("GET", "/about").header("host", "example.com").send().status(), 404);
    /// ```
    pub fn host(self, host: &str) -> Self {
        self.route.options.host = Some(host.to_owned());
        self
    }

    /// Only for this subdomain of the configuration's `SERVER_NAME`, which may have variables: `api`, `<user>`. It is
    /// matched in an app with [`subdomain_matching`](crate::App::subdomain_matching) only; URLs are built with it in
    /// every app that does not match hosts.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("site");
    /// app.subdomain_matching(true).config_mut().set("SERVER_NAME", "example.com");
    /// app.get("/", |user: String| user).subdomain("<user>");
    /// let client = app.test_client();
    /// assert_eq!(client.request("GET", "/").header("host", "ada.example.com").send().text(), "ada");
    /// ```
    pub fn subdomain(self, subdomain: &str) -> Self {
        self.route.options.subdomain = Some(subdomain.to_owned());
        self
    }

    /// Makes it a second way to write a URL of its endpoint: a path that it matches is redirected, with 308, to the
    /// endpoint's rule that is no alias. URLs are built by that one.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// fn user(name: String) -> String {
    ///     name
    /// }
    ///
    /// let mut app = App::new("site");
    /// app.get("/users/<name>", user);
    /// app.get("/u/<name>", user).alias(true);
    /// assert_eq!(app.test_client().get("/u/ada?page=2").header("location"), Some("/users/ada?page=2"));
    /// ```
    pub fn alias(self, alias: bool) -> Self {
        self.route.options.alias = alias;
        self
    }

    /// Keeps it for building URLs: no path matches it.
    ///
    /// ```
    /// use dewar::{App, url_for};
    ///
    /// let mut app = App::new("site");
    /// app.add_url_rule("/uploads/<name>", "upload").build_only(true); // another server has them
    /// app.get("/", || url_for!("upload", name = "a.png")).endpoint("index");
    /// assert_eq!(app.test_client().get("/").text(), "/uploads/a.png");
    /// ```
    pub fn build_only(self, build_only: bool) -> Self {
        self.route.options.build_only = build_only;
        self
    }

    /// Redirects what it matches, with 308 and without the query: `new/<id>` is below the app's root, `/new/<id>` is a
    /// path of the site, and a whole URL is itself. Before-request hooks run before, the view never.
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("site");
    /// app.add_url_rule("/post/<int:id>", "old").redirect_to("blog/<id>");
    /// let response = app.test_client().get("/post/7");
    /// assert_eq!((response.status(), response.header("location")), (308, Some("/blog/7")));
    /// ```
    pub fn redirect_to(self, pattern: &str) -> Self {
        self.route.options.redirect_to = Some(RedirectTo::Pattern(pattern.to_owned()));
        self
    }

    /// As [`redirect_to`](RouteMut::redirect_to), to what the function makes of the arguments. It is trusted with the
    /// whole URL: encode what comes from the request, with [`encode_path`].
    ///
    /// ```
    /// use dewar::App;
    ///
    /// let mut app = App::new("site");
    /// app.add_url_rule("/page/<int:n>", "old").redirect_to_with(|args| match args.get("n") {
    ///     Some(n) => format!("pages?n={n}"),
    ///     None => "pages".to_owned(),
    /// });
    /// assert_eq!(app.test_client().get("/page/3").header("location"), Some("/pages?n=3"));
    /// ```
    pub fn redirect_to_with(self, target: impl Fn(&NamedArgs<'_>) -> String + Send + Sync + 'static) -> Self {
        self.route.options.redirect_to = Some(RedirectTo::Call(Box::new(target)));
        self
    }
}

/// What is said at the line of a rule that no view is for.
pub(super) fn no_view(rule: &str, endpoint: &str, at: &'static Location<'static>) -> Mistake {
    let what = format!(
        "rule `{rule}`: no view has the endpoint `{endpoint}`: give it one with `.endpoint(\"{endpoint}\", view)`, or say \
         `.build_only(true)`"
    );
    Mistake { at, what }
}
