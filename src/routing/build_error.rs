//! Why no URL could be built, and what was probably meant.

use std::fmt;

use http::Method;

use super::{
    methods::Wanted,
    router::{Entry, Router},
    url::UrlValue,
};

/// No rule of an endpoint can make a URL of the values that were given.
///
/// The message says what was probably meant.
///
/// ```
/// use dewar::routing::{Converters, Rule, RouterBuilder};
///
/// let mut routes = RouterBuilder::new();
/// routes.add(Rule::parse("/post/<int:id>", &Converters::default())?, "blog.post");
/// let router = routes.freeze();
/// let message = |endpoint| router.build_for_endpoint(endpoint, None, &[]).unwrap_err().to_string();
/// assert_eq!(
///     message("blog.pots"),
///     "no URL for endpoint 'blog.pots'. Did you mean 'blog.post' instead?"
/// );
/// assert_eq!(
///     message("blog.post"),
///     "no URL for endpoint 'blog.post'. Did you forget to specify values ['id']?"
/// );
/// # Ok::<(), dewar::routing::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BuildError(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    endpoint: String,
    method: Option<Method>,
    values: Vec<String>,
    /// The endpoint of the rule that comes closest, if any comes close.
    suggested: Option<String>,
    /// What that rule lacks, if it is the right endpoint.
    missing: Vec<String>,
    methods: Vec<Method>,
    bad: Option<(String, String)>,
}

/// A value that cannot stand in the URL: the argument and the reason.
pub(super) struct BadValue {
    pub(super) name: String,
    pub(super) reason: String,
}

/// From this likeness on, a name is suggested.
const ALIKE: f64 = 0.5;

impl BuildError {
    pub(super) fn new(
        router: &Router,
        endpoint: &str,
        method: Option<&Method>,
        values: &[(&str, UrlValue)],
    ) -> BuildError {
        let given = values.iter().filter(|(_, v)| *v != UrlValue::None);
        let mut names: Vec<String> = given.map(|(name, _)| (*name).to_owned()).collect();
        names.sort_unstable();
        let mut inner = Inner {
            endpoint: endpoint.to_owned(),
            method: method.cloned(),
            values: names,
            suggested: None,
            missing: Vec::new(),
            methods: Vec::new(),
            bad: None,
        };
        if let Some(closest) = closest(&router.entries, &inner) {
            inner.suggested = Some(closest.endpoint.clone());
            if closest.endpoint == inner.endpoint {
                let required = closest.rule.variables().map(|(name, _)| name.to_owned());
                inner.missing = required
                    .filter(|name| closest.rule.default_of(name).is_none())
                    .filter(|name| !inner.values.contains(name))
                    .collect();
                inner.missing.sort_unstable();
                if let (Some(method), Some(methods)) = (&inner.method, &closest.rule.methods)
                    && !Wanted::new(method).is_in(methods)
                {
                    inner.methods = methods.sorted();
                }
            }
        }
        BuildError(Box::new(inner))
    }

    pub(super) fn because(mut self, bad: BadValue) -> BuildError {
        self.0.bad = Some((bad.name, bad.reason));
        self
    }

    /// The endpoint that was asked for.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// The method that was asked for.
    pub fn method(&self) -> Option<&Method> {
        self.0.method.as_ref()
    }

    /// The endpoint of the rule that comes closest, which may be the one that was asked for.
    pub fn suggested(&self) -> Option<&str> {
        self.0.suggested.as_deref()
    }

    /// The name of a value that a variable of the endpoint's rule cannot be, and why: text for an `int`, say. (Werkzeug
    /// hands on the `ValueError` of the converter in place of its own error.)
    ///
    /// ```
    /// use dewar::routing::{Converters, Rule, RouterBuilder};
    ///
    /// let mut routes = RouterBuilder::new();
    /// routes.add(Rule::parse("/post/<int:id>", &Converters::default())?, "post");
    /// let error = routes.freeze().build_for_endpoint("post", None, &[("id", "five".into())]).unwrap_err();
    /// assert_eq!(error.bad_value().unwrap().0, "id");
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn bad_value(&self) -> Option<(&str, &str)> {
        self.0.bad.as_ref().map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    /// The values that are missing, sorted, where the endpoint is right.
    pub fn missing(&self) -> &[String] {
        &self.0.missing
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "no URL for endpoint '{}'", inner.endpoint)?;
        if let Some(method) = &inner.method {
            write!(f, " ('{method}')")?;
        }
        if !inner.values.is_empty() {
            write!(f, " with values {}", List(&inner.values))?;
        }
        f.write_str(".")?;
        if let Some((name, reason)) = &inner.bad {
            return write!(f, " The value of '{name}' does not fit: {reason}.");
        }
        match &inner.suggested {
            Some(other) if *other != inner.endpoint => {
                write!(f, " Did you mean '{other}' instead?")?;
            }
            _ => {}
        }
        if !inner.methods.is_empty() {
            write!(f, " Did you mean to use methods {}?", List(&inner.methods))?;
        }
        if !inner.missing.is_empty() {
            let missing = List(&inner.missing);
            write!(f, " Did you forget to specify values {missing}?")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}

/// `['a', 'b']`
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, item) in self.0.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}'{item}'")?;
        }
        f.write_str("]")
    }
}

/// The rule whose endpoint is most like the one asked for; of equals the one that has all the values
/// as arguments, then the one that is for the method.
fn closest<'a>(entries: &'a [Entry], asked: &Inner) -> Option<&'a Entry> {
    let score = |entry: &Entry| {
        let likeness = likeness(&entry.endpoint, &asked.endpoint);
        let takes = |value: &String| entry.rule.arguments().any(|name| name == value);
        let for_method = match (&asked.method, &entry.rule.methods) {
            (Some(method), Some(methods)) => Wanted::new(method).is_in(methods),
            _ => false,
        };
        let all_taken = asked.values.iter().all(takes);
        (likeness, all_taken, for_method)
    };
    let scored = entries.iter().map(|entry| (score(entry), entry));
    let alike = scored.filter(|((likeness, ..), _)| *likeness >= ALIKE);
    // `max_by` gives the last of equals; the first is wanted.
    let best = alike.rev().max_by(|(a, _), (b, _)| {
        let likeness = a.0.total_cmp(&b.0);
        likeness.then((a.1, a.2).cmp(&(b.1, b.2)))
    });
    best.map(|(_, entry)| entry)
}

/// Twice the length of the longest common subsequence, over both lengths: 1 for equal texts, 0 for
/// texts with nothing in common.
fn likeness(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let mut row = vec![0_usize; b.len() + 1];
    for x in &a {
        let mut diagonal = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    2.0 * row[b.len()] as f64 / (a.len() + b.len()) as f64
}
