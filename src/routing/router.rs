//! From rules to a router, and from a method and a path to what is found there.

use std::{collections::BTreeMap, sync::Arc};

use http::Method;

use super::{
    args::{Args, Defaults},
    methods::Wanted,
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
#[derive(Debug, Default)]
pub struct RouterBuilder {
    entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rule: Rule,
    pub(super) endpoint: String,
    defaults: Option<Arc<Defaults>>,
    /// For each variable that has a default: which.
    overridden: Vec<(usize, u32)>,
}

/// The rules of each endpoint, by their ids; those with more arguments first, then those with more
/// defaults.
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
        self.entries.push(Entry { rule, endpoint: endpoint.into(), defaults, overridden });
        id
    }

    /// No more rules: the router that is asked from then on, by any number of threads.
    pub fn freeze(self) -> Router {
        let mut tree = Tree::new();
        self.entries.iter().for_each(|entry| tree.add(&entry.rule));
        Router { by_endpoint: by_endpoint(&self.entries), entries: self.entries, tree }
    }
}

/// All rules of an app, ready to be matched against paths and to build URLs.
#[derive(Debug)]
pub struct Router {
    pub(super) entries: Vec<Entry>,
    pub(super) by_endpoint: ByEndpoint,
    tree: Tree,
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
        self.find_wanted(Wanted::new(method), path)
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
        match self.find_wanted(Wanted::NONE, path) {
            Found::MethodNotAllowed { allow } => allow,
            _ => Vec::new(),
        }
    }

    /// The rule of this number; `id` is from the builder of this router.
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.entries[id.index()].rule
    }

    /// The endpoint that the rule was added with.
    pub fn endpoint(&self, id: RuleId) -> &str {
        &self.entries[id.index()].endpoint
    }

    /// All rules with their endpoints, in the order in which they were added.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &Rule, &str)> {
        let entries = (0..).zip(&self.entries);
        entries.map(|(i, entry)| (RuleId(i), &entry.rule, entry.endpoint.as_str()))
    }

    fn find_wanted(&self, wanted: Wanted<'_>, path: &str) -> Found {
        // The places of values are kept as `u32`.
        if u32::try_from(path.len()).is_err() {
            return Found::NotFound;
        }
        let mut walk = Walk::new(&self.tree, path, wanted);
        match walk.start() {
            Some(End::Rule(id)) => self.matched(id, &walk, path),
            Some(End::SlashMissing(_)) => match path.trim_start_matches('/') {
                // Of the empty path, only the first slash is missing.
                "" if path.is_empty() => Found::Redirect { path: "/".to_owned() },
                // As slashes at the beginning are one, one more would change nothing.
                "" => no_match(&walk),
                rest => Found::Redirect { path: format!("/{rest}/") },
            },
            None if path.trim_start_matches('/').contains("//") => self.find_merged(&mut walk, path),
            None => no_match(&walk),
        }
    }

    /// Tries again with one slash for each run of slashes; what is found so is a redirect.
    #[cold]
    fn find_merged(&self, walk: &mut Walk<'_>, path: &str) -> Found {
        let mut merged = String::with_capacity(path.len());
        merged.push('/');
        for c in path.chars() {
            if !(c == '/' && merged.ends_with('/')) {
                merged.push(c);
            }
        }
        let mut second = Walk::new(&self.tree, &merged, walk.wanted());
        let end = second.start();
        walk.allowed.extend(&second.allowed);
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

    fn matched(&self, id: u32, walk: &Walk<'_>, path: &str) -> Found {
        let entry = &self.entries[id as usize];
        // Filled where it is, because copying it would take as long as the rest of this.
        let mut found = Found::Match { rule: RuleId(id), args: Args::new(entry.defaults.clone()) };
        if let Found::Match { args, .. } = &mut found {
            for (i, variable) in entry.rule.variables.iter().enumerate() {
                let (start, end) = walk.places.get(i);
                let text = &path[start as usize..end as usize];
                if variable.conv.push(text, (start, end), args).is_none() {
                    // A value that its converter refuses ends the search.
                    return no_match(walk);
                }
                let default = entry.overridden.iter().find(|(index, _)| *index == i);
                if let Some((_, default)) = default {
                    args.replace_last(*default);
                }
            }
        }
        found
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
            std::cmp::Reverse((rule.arguments().count(), rule.defaults.len()))
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
