//! What holds for all rules of an app: slashes, redirects, hosts, converters.

use std::panic::Location;

use super::App;
use super::scaffold::Mistake;
use crate::routing::{Converter, Converters};

/// What holds for all rules of an app (Flask's `app.url_map`): by [`App::url_map`].
///
/// ```
/// use dewar::App;
///
/// let mut app = App::new("site");
/// app.url_map().strict_slashes(false).merge_slashes(false);
/// app.get("/users/", || "users").endpoint("users");
/// assert_eq!(app.test_client().get("/users").text(), "users");
/// ```
#[derive(Debug)]
pub struct UrlMap {
    pub(super) strict_slashes: bool,
    pub(super) merge_slashes: bool,
    pub(super) redirect_defaults: bool,
    pub(super) default_subdomain: String,
    pub(super) host_matching: bool,
    pub(super) subdomain_matching: bool,
    pub(super) static_host: Option<String>,
    /// The line that last said something of hosts.
    pub(super) hosts_at: Option<&'static Location<'static>>,
    pub(super) converters: Converters,
}

impl Default for UrlMap {
    fn default() -> UrlMap {
        UrlMap {
            strict_slashes: true,
            merge_slashes: true,
            redirect_defaults: true,
            default_subdomain: String::new(),
            host_matching: false,
            subdomain_matching: false,
            static_host: None,
            hosts_at: None,
            converters: Converters::default(),
        }
    }
}

impl UrlMap {
    /// Whether a missing slash at the end of a path is a redirect, and one too many a 404, for routes that do not say so
    /// themselves (so from the start): see [`RouteMut::strict_slashes`](crate::RouteMut::strict_slashes).
    pub fn strict_slashes(&mut self, strict: bool) -> &mut UrlMap {
        self.strict_slashes = strict;
        self
    }

    /// Whether paths with `//` are redirected to those with `/` (so from the start).
    pub fn merge_slashes(&mut self, merge: bool) -> &mut UrlMap {
        self.merge_slashes = merge;
        self
    }

    /// Whether `/users/page/1` is redirected to `/users/`, where that is a rule of the same endpoint with the default
    /// `page` of 1, and aliases to what they stand for (so from the start).
    pub fn redirect_defaults(&mut self, redirect: bool) -> &mut UrlMap {
        self.redirect_defaults = redirect;
        self
    }

    /// The subdomain of routes that name none; empty from the start. It counts where subdomains are matched.
    pub fn default_subdomain(&mut self, subdomain: &str) -> &mut UrlMap {
        self.default_subdomain = subdomain.to_owned();
        self
    }

    /// What is wrong with what was said of hosts.
    pub(super) fn mistake(&self) -> Option<Mistake> {
        let what = match self {
            UrlMap { host_matching: true, subdomain_matching: true, .. } => {
                "the app matches hosts and subdomains, but it can only do one: a subdomain is part of a host, as in \
                 `.host(\"<user>.example.com\")`"
            }
            UrlMap { host_matching: false, static_host: Some(_), .. } => {
                "the static files have a host, but the app matches none: call `app.host_matching(true)` too"
            }
            _ => return None,
        };
        Some(Mistake { at: self.hosts_at?, what: what.to_owned() })
    }

    /// The converters that rules may name, to add to (Flask's `app.url_map.converters["name"] = …`).
    pub fn converters(&mut self) -> &mut Converters {
        &mut self.converters
    }
}

impl App {
    /// What holds for all rules: slashes, redirects, converters.
    pub fn url_map(&mut self) -> &mut UrlMap {
        &mut self.url_map
    }

    /// Whether rules are for whole hosts, which each says by [`RouteMut::host`](crate::RouteMut::host). A rule that says
    /// none is then for none.
    ///
    /// Hosts are compared as requests name them, in lower case, with the port where it is not the scheme's own. It cannot
    /// be had together with [`subdomain_matching`](App::subdomain_matching).
    #[track_caller]
    pub fn host_matching(&mut self, matching: bool) -> &mut App {
        self.url_map.hosts_at = Some(Location::caller());
        self.url_map.host_matching = matching;
        self
    }

    /// Whether rules are for subdomains of the configuration's `SERVER_NAME`, which each says by
    /// [`RouteMut::subdomain`](crate::RouteMut::subdomain), or its blueprint does. One that says none is for
    /// `SERVER_NAME` itself.
    ///
    /// Under a host that is not below `SERVER_NAME`, only rules with a variable for the subdomain match, and give it the
    /// value `<invalid>`.
    #[track_caller]
    pub fn subdomain_matching(&mut self, matching: bool) -> &mut App {
        self.url_map.hosts_at = Some(Location::caller());
        self.url_map.subdomain_matching = matching;
        self
    }

    /// The host of the static files, which an app with [`host_matching`](App::host_matching) has to say.
    #[track_caller]
    pub fn static_host(&mut self, host: &str) -> &mut App {
        self.url_map.hosts_at = Some(Location::caller());
        self.url_map.static_host = Some(host.to_owned());
        self
    }

    /// Adds a converter for variables of rules: `<name:variable>`. One that takes arguments is added by
    /// [`Converters::register_with`].
    pub fn converter(&mut self, name: &str, converter: impl Converter + 'static) -> &mut App {
        self.url_map.converters.register(name, converter);
        self
    }
}
