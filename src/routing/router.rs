//! From rules to a router, and from a method and a path to what is found there.

use std::{collections::BTreeMap, sync::Arc};

use http::Method;

use super::{
    args::{Args, Defaults},
    canonical,
    methods::Wanted,
    place::Place,
    rule::Rule,
    tree::{End, Tree, Walk},
};

/// A rule in a router: rules are numbered in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(u32);

impl RuleId {
    /// The number, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Collects rules; [`freeze`](RouterBuilder::freeze) makes a [`Router`] of them.
#[derive(Debug)]
pub struct RouterBuilder {
    entries: Vec<Entry>,
    merge_slashes: bool,
    redirect_defaults: bool,
}

impl Default for RouterBuilder {
    fn default() -> RouterBuilder {
        RouterBuilder { entries: Vec::new(), merge_slashes: true, redirect_defaults: true }
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rule: Rule,
    pub(super) endpoint: String,
    defaults: Option<Arc<Defaults>>,
    /// For each variable that has a default: which.
    overridden: Vec<(usize, u32)>,
    /// Rules of the same endpoint whose defaults may be the values of this one: then theirs is the URL.
    pub(super) better: Vec<u32>,
    /// Whether it is an alias of another rule, to which it redirects.
    pub(super) alias: bool,
}

/// The rules of each endpoint, by their ids; aliases last, those with more arguments first, then those
/// with more defaults.
pub(super) type ByEndpoint = BTreeMap<String, Vec<u32>>;

impl RouterBuilder {
    /// No rules yet.
    pub fn new() -> RouterBuilder {
        RouterBuilder::default()
    }

    /// Adds a rule. Several rules may have one endpoint; URLs are built for endpoints.
    pub fn add(&mut self, rule: Rule, endpoint: impl Into<String>) -> RuleId {
        let id = RuleId(self.entries.len() as u32);
        let (mut values, extra): (Vec<_>, Vec<_>) =
            rule.defaults.iter().cloned().partition(|(name, _)| rule.variable(name).is_some());
        let of = |v: &str| values.iter().position(|(name, _)| name == v);
        let variables = rule.variables.iter().enumerate();
        let overridden = variables.filter_map(|(i, v)| Some((i, of(&v.name)? as u32))).collect();
        let extra_from = values.len();
        values.extend(extra);
        let defaults = (!values.is_empty()).then(|| Arc::new(Defaults { values, extra_from }));
        let alias = rule.is_alias();
        self.entries.push(Entry { rule, endpoint: endpoint.into(), defaults, overridden, better: Vec::new(), alias });
        id
    }

    /// Whether `//` in paths is redirected to `/` at all (so from the start); for single rules see
    /// [`Rule::merge_slashes`].
    pub fn merge_slashes(&mut self, merge: bool) -> &mut RouterBuilder {
        self.merge_slashes = merge;
        self
    }

    /// Whether a path is redirected where another rule of the endpoint has its values as defaults, and where the rule
    /// is an alias (so from the start).
    ///
    /// ```
    /// use dewar::routing::{Converters, Found, Rule, RouterBuilder, ViewArg};
    /// use http::Method;
    ///
    /// let mut routes = RouterBuilder::new();
    /// let rule = |text| Rule::parse(text, &Converters::default());
    /// routes.add(rule("/users/")?.defaults(vec![("page".into(), ViewArg::Int(1))]), "users");
    /// routes.add(rule("/users/page/<int:page>")?, "users");
    /// let found = routes.freeze().find(&Method::GET, "/users/page/1");
    /// assert!(matches!(found, Found::Canonical { path, .. } if path == "/users/"));
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn redirect_defaults(&mut self, redirect: bool) -> &mut RouterBuilder {
        self.redirect_defaults = redirect;
        self
    }

    /// No more rules: the router that is asked from then on, by any number of threads.
    pub fn freeze(mut self) -> Router {
        let mut tree = Tree::new();
        self.entries.iter().for_each(|entry| tree.add(&entry.rule));
        let by_endpoint = by_endpoint(&self.entries);
        if self.redirect_defaults {
            canonical::redirects(&by_endpoint, &mut self.entries);
        } else {
            self.entries.iter_mut().for_each(|entry| entry.alias = false);
        }
        Router { by_endpoint, entries: self.entries, tree, merge_slashes: self.merge_slashes }
    }
}

/// All rules of an app, ready to be matched against paths and to build URLs.
#[derive(Debug)]
pub struct Router {
    pub(super) entries: Vec<Entry>,
    pub(super) by_endpoint: ByEndpoint,
    tree: Tree,
    merge_slashes: bool,
}

/// What a router has at a path.
#[derive(Clone, Debug)]
pub enum Found {
    /// This rule matches, with these arguments.
    Match {
        /// The rule.
        rule: RuleId,
        /// The values of its variables, and its defaults.
        args: Args,
    },
    /// A rule would match this other path: slashes doubled, or one lacking at the end. To be answered
    /// by a redirect with status 308.
    Redirect {
        /// The other path, percent-decoded as the one that was asked for. For the header it is to be
        /// encoded, by [`encode_path`](super::encode_path), with the request's query after it.
        path: String,
    },
    /// Another rule of the same endpoint is for this: the one whose defaults have these values, or the one that the
    /// rule is an alias of. To be answered by a redirect with status 308.
    Canonical {
        /// The host or subdomain of that rule, where it has one.
        host: Option<String>,
        /// The path, percent-encoded.
        path: String,
    },
    /// There are rules for this path, for other methods: 405.
    MethodNotAllowed {
        /// These, sorted by name.
        allow: Vec<Method>,
    },
    /// There is nothing: 404.
    NotFound,
}

impl Router {
    /// Finds the rule for a method and a path, which has been percent-decoded (once).
    ///
    /// ```
    /// use dewar::routing::{Converters, Found, Rule, RouterBuilder};
    /// use http::Method;
    ///
    /// let mut routes = RouterBuilder::new();
    /// let rule = Rule::parse("/users/", &Converters::default())?.methods([Method::GET]);
    /// let users = routes.add(rule, "users");
    /// let router = routes.freeze();
    ///
    /// let found = router.find(&Method::HEAD, "/users/");
    /// assert!(matches!(found, Found::Match { rule, .. } if rule == users));
    /// let found = router.find(&Method::GET, "/users");
    /// assert!(matches!(found, Found::Redirect { path } if path == "/users/"));
    /// let found = router.find(&Method::POST, "/users/");
    /// assert!(matches!(found, Found::MethodNotAllowed { allow } if allow == [Method::GET, Method::HEAD]));
    /// assert!(matches!(router.find(&Method::GET, "/"), Found::NotFound));
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn find(&self, method: &Method, path: &str) -> Found {
        self.find_wanted(Wanted::new(method), path, 0)
    }

    /// Finds the rule for a method, a host and a path. Rules that are for no host in particular are found when the host
    /// is empty; the others are compared with it, as it is: in lower case it ought to be, and a port counts.
    ///
    /// The values of a match are parts of the place's text.
    ///
    /// ```
    /// use dewar::routing::{Converters, Found, Place, Rule, RouterBuilder};
    /// use http::Method;
    ///
    /// let converters = Converters::default();
    /// let mut routes = RouterBuilder::new();
    /// routes.add(Rule::parse("/<page>", &converters)?.on_host("<user>.example.com", &converters)?, "page");
    /// let place = Place::new("ada.example.com", "/about");
    /// let Found::Match { args, .. } = routes.freeze().find_at(&Method::GET, &place) else { panic!() };
    /// let values: Vec<_> = args.iter(place.as_str()).map(|value| value.to_string()).collect();
    /// assert_eq!(values, ["ada", "about"]);
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn find_at(&self, method: &Method, place: &Place) -> Found {
        self.find_wanted(Wanted::new(method), place.as_str(), place.path_at())
    }

    /// The methods that a path has, sorted by name, for an automatic answer to OPTIONS. There are none
    /// if nothing is there, and none if a rule there is for all methods.
    ///
    /// ```
    /// # use dewar::routing::{Converters, Rule, RouterBuilder};
    /// # use http::Method;
    /// # let mut routes = RouterBuilder::new();
    /// # let rule = |text| Rule::parse(text, &Converters::default());
    /// routes.add(rule("/item")?.methods([Method::GET]), "show");
    /// routes.add(rule("/item")?.methods([Method::PUT]), "store");
    /// assert_eq!(routes.freeze().allowed("/item"), [Method::GET, Method::HEAD, Method::PUT]);
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn allowed(&self, path: &str) -> Vec<Method> {
        allow(self.find_wanted(Wanted::NONE, path, 0))
    }

    /// As [`allowed`](Router::allowed), for a host and a path.
    pub fn allowed_at(&self, place: &Place) -> Vec<Method> {
        allow(self.find_wanted(Wanted::NONE, place.as_str(), place.path_at()))
    }

    /// The rule of this number; `id` is from the builder of this router.
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.entries[id.index()].rule
    }

    /// The endpoint that the rule was added with.
    pub fn endpoint(&self, id: RuleId) -> &str {
        &self.entries[id.index()].endpoint
    }

    /// The rules of an endpoint, those first that URLs are built by.
    pub fn rules_of(&self, endpoint: &str) -> impl Iterator<Item = &Rule> {
        let ids = self.by_endpoint.get(endpoint).into_iter().flatten();
        ids.map(|id| &self.entries[*id as usize].rule)
    }

    /// All rules with their endpoints, in the order in which they were added.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &Rule, &str)> {
        let entries = (0..).zip(&self.entries);
        entries.map(|(i, entry)| (RuleId(i), &entry.rule, entry.endpoint.as_str()))
    }

    /// `text` is a host, which may be empty, and the path.
    fn find_wanted(&self, wanted: Wanted<'_>, text: &str, path_at: usize) -> Found {
        // The places of values are kept as `u32`.
        if u32::try_from(text.len()).is_err() {
            return Found::NotFound;
        }
        let mut walk = Walk::new(&self.tree, text, path_at, wanted);
        let end = walk.start();
        if let Some(End::Rule(id)) = end {
            return self.matched(id, &walk, text);
        }
        let path = &text[path_at..];
        match end {
            Some(End::SlashMissing(_)) => match path.trim_start_matches('/') {
                // Of the empty path, only the first slash is missing.
                "" if path.is_empty() => Found::Redirect { path: "/".to_owned() },
                // As slashes at the beginning are one, one more would change nothing.
                "" => no_match(&walk),
                rest => Found::Redirect { path: format!("/{rest}/") },
            },
            None if self.merge_slashes && path.trim_start_matches('/').contains("//") => {
                self.find_merged(&mut walk, &text[..path_at], path)
            }
            _ => no_match(&walk),
        }
    }

    /// Tries again with one slash for each run of slashes; what is found so is a redirect.
    #[cold]
    fn find_merged(&self, walk: &mut Walk<'_>, host: &str, path: &str) -> Found {
        let mut text = String::with_capacity(host.len() + path.len());
        text.push_str(host);
        text.push('/');
        for c in path.chars() {
            if !(c == '/' && text.ends_with('/')) {
                text.push(c);
            }
        }
        let mut second = Walk::new(&self.tree, &text, host.len(), walk.wanted());
        let end = second.start();
        walk.allowed.extend(&second.allowed);
        let mut merged = text[host.len()..].to_owned();
        match end {
            Some(End::Rule(id)) if self.merges(id) => Found::Redirect { path: merged },
            Some(End::SlashMissing(id)) if self.merges(id) => {
                merged.push('/');
                Found::Redirect { path: merged }
            }
            _ => no_match(walk),
        }
    }

    fn merges(&self, id: u32) -> bool {
        self.entries[id as usize].rule.merges_slashes()
    }

    fn matched(&self, id: u32, walk: &Walk<'_>, text: &str) -> Found {
        let entry = &self.entries[id as usize];
        // Filled where it is, because copying it would take as long as the rest of this.
        let mut found = Found::Match { rule: RuleId(id), args: Args::new(entry.defaults.clone()) };
        if let Found::Match { args, .. } = &mut found {
            for (i, variable) in entry.rule.variables.iter().enumerate() {
                let (start, end) = walk.places.get(i);
                let value = &text[start as usize..end as usize];
                if variable.conv.push(value, (start, end), args).is_none() {
                    // A value that its converter refuses ends the search.
                    return no_match(walk);
                }
                let default = entry.overridden.iter().find(|(index, _)| *index == i);
                if let Some((_, default)) = default {
                    args.replace_last(*default);
                }
            }
            if (entry.alias || !entry.better.is_empty())
                && let Some(canonical) = self.canonical(id, entry, walk, args, text)
            {
                return canonical;
            }
        }
        found
    }
}

fn allow(found: Found) -> Vec<Method> {
    match found {
        Found::MethodNotAllowed { allow } => allow,
        _ => Vec::new(),
    }
}

fn by_endpoint(entries: &[Entry]) -> ByEndpoint {
    let mut map = ByEndpoint::new();
    for (id, entry) in (0..).zip(entries) {
        map.entry(entry.endpoint.clone()).or_default().push(id);
    }
    for ids in map.values_mut() {
        ids.sort_by_key(|id: &u32| {
            let rule = &entries[*id as usize].rule;
            (rule.is_alias(), std::cmp::Reverse((rule.arguments().count(), rule.defaults.len())))
        });
    }
    map
}

#[cold]
fn no_match(walk: &Walk<'_>) -> Found {
    match walk.allowed.is_empty() {
        true => Found::NotFound,
        false => Found::MethodNotAllowed { allow: walk.allowed.sorted() },
    }
}
