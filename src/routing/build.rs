//! URLs from rules and values.

use std::borrow::Cow;

use http::Method;

use super::{
    args::ViewArg,
    build_error::{BadValue, BuildError},
    methods::Wanted,
    router::{Router, RuleId},
    rule::{Piece, Rule, Variable},
    url::{UrlValue, push_path, push_query},
};

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Built {
    /// The host or subdomain, of a rule that is for one.
    pub(crate) host: Option<String>,
    /// The path, encoded, and the query behind it.
    pub(crate) path: String,
}

/// Where a URL is built: of several rules that suit, those near it come first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standpoint<'a> {
    /// Rules for this method come first.
    pub(crate) method: &'a Method,
    /// Rules for this host come first; `None`: the host does not matter.
    pub(crate) host: Option<&'a str>,
}

impl Router {
    /// Builds the URL of one rule: the path, encoded, and a query of the values that are not its
    /// arguments.
    ///
    /// Values are trusted: an `int` with a `max` takes a larger number, and text with slashes keeps
    /// them. But it is always a path of one leading slash, so never another site.
    ///
    /// ```
    /// use dewar::routing::{Converters, Rule, RouterBuilder};
    ///
    /// let mut routes = RouterBuilder::new();
    /// let user = routes.add(Rule::parse("/user/<name>", &Converters::default())?, "user");
    /// let url = routes.freeze().build(user, &[("name", "ada l".into()), ("page", 2.into())]).unwrap();
    /// assert_eq!(url, "/user/ada%20l?page=2");
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn build(&self, id: RuleId, values: &[(&str, UrlValue)]) -> Result<String, BuildError> {
        let error = || BuildError::new(self, self.endpoint(id), None, values);
        let rule = self.rule(id);
        match is_suitable(rule, None, values) {
            true => parts(rule, values, true).map(|built| built.path).map_err(|bad| error().because(bad)),
            false => Err(error()),
        }
    }

    /// Builds a URL for an endpoint, by the rule that suits the values: all its variables are given,
    /// and what is given for its defaults equals them. Of several it is the one with the most
    /// arguments, then the one with the most defaults, then the first. Aliases are the last resort.
    ///
    /// It is the path alone, of rules that are for one host, too.
    ///
    /// With a method, only rules for it count. Without one, rules for GET count first, then all.
    ///
    /// ```
    /// use dewar::routing::{Converters, Rule, RouterBuilder, ViewArg};
    ///
    /// let mut routes = RouterBuilder::new();
    /// let rule = |text| Rule::parse(text, &Converters::default());
    /// routes.add(rule("/users/")?.defaults(vec![("page".into(), ViewArg::Int(1))]), "users");
    /// routes.add(rule("/users/page/<int:page>")?, "users");
    /// let router = routes.freeze();
    /// let users = |page: i64| router.build_for_endpoint("users", None, &[("page", page.into())]);
    /// assert_eq!(users(1).unwrap(), "/users/");
    /// assert_eq!(users(2).unwrap(), "/users/page/2");
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn build_for_endpoint(
        &self,
        endpoint: &str,
        method: Option<&Method>,
        values: &[(&str, UrlValue)],
    ) -> Result<String, BuildError> {
        let here = Standpoint { method: &Method::GET, host: None };
        self.build_from(here, endpoint, method, values).map(|built| built.path)
    }

    /// The same in parts, for a request, whose method comes first.
    pub(crate) fn build_from(
        &self,
        here: Standpoint<'_>,
        endpoint: &str,
        method: Option<&Method>,
        values: &[(&str, UrlValue)],
    ) -> Result<Built, BuildError> {
        let mut bad = None;
        let first = method.unwrap_or(here.method);
        let then = method.is_none().then_some(None);
        for method in std::iter::once(Some(first)).chain(then) {
            let mut elsewhere = None;
            for id in self.by_endpoint.get(endpoint).into_iter().flatten() {
                let rule = &self.entries[*id as usize].rule;
                if !is_suitable(rule, method, values) {
                    continue;
                }
                match parts(rule, values, true) {
                    Ok(built) if here.host.is_none() || here.host == built.host.as_deref() => return Ok(built),
                    Ok(built) => elsewhere = elsewhere.or(Some(built)),
                    Err(error) => bad = bad.or(Some(error)),
                }
            }
            if let Some(built) = elsewhere {
                return Ok(built);
            }
        }
        let error = BuildError::new(self, endpoint, method, values);
        Err(match bad {
            Some(bad) => error.because(bad),
            None => error,
        })
    }
}

/// The value given for this name; `None` and an empty list are not given.
fn given<'a>(values: &'a [(&str, UrlValue)], name: &str) -> Option<&'a UrlValue> {
    let of_name = |(known, value): &&(&str, UrlValue)| *known == name && !matches!(value, UrlValue::None);
    values.iter().find(of_name).map(|(_, value)| value)
}

pub(super) fn is_suitable(rule: &Rule, method: Option<&Method>, values: &[(&str, UrlValue)]) -> bool {
    let for_method = match (method, &rule.methods) {
        (Some(method), Some(methods)) => Wanted::new(method).is_in(methods),
        _ => true,
    };
    for_method
        && rule.arguments().all(|name| match (rule.default_of(name), given(values, name)) {
            (None, given) => given.is_some(),
            (Some(_), None) => true,
            (Some(default), Some(UrlValue::One(value))) => is_same(default, value),
            (Some(_), Some(_)) => false,
        })
}

/// Whether two values are equal, 1 and 1.0 included.
fn is_same(a: &ViewArg, b: &ViewArg) -> bool {
    match (a, b) {
        (ViewArg::Int(n), ViewArg::Float(x)) | (ViewArg::Float(x), ViewArg::Int(n)) => *n as f64 == *x,
        _ => a == b,
    }
}

/// The URL of a rule that is suitable; `query`: with what is given beyond its arguments.
pub(super) fn parts(rule: &Rule, values: &[(&str, UrlValue)], query: bool) -> Result<Built, BadValue> {
    let mut url = String::with_capacity(64);
    url.push('/');
    for piece in &rule.pieces {
        match piece {
            // The first is there already; the others are one where the rule merges them.
            Piece::Slash if url.ends_with('/') && (url.len() == 1 || rule.merges_slashes()) => {}
            Piece::Slash => url.push('/'),
            Piece::Literal(text) => push_path(&mut url, text),
            Piece::Variable(index) => {
                let Variable { name, conv, .. } = &rule.variables[*index];
                // By far the most frequent, and needs neither a text of its own nor escapes.
                if let Some(UrlValue::One(ViewArg::Int(number))) = given(values, name)
                    && conv.is_plain_int()
                {
                    url.push_str(itoa::Buffer::new().format(*number));
                    continue;
                }
                let text = text_of(rule, *index, values)?;
                // `//evil.example` would be another site.
                let text = if url == "/" { text.trim_start_matches('/') } else { &text };
                push_path(&mut url, text);
            }
        }
    }
    // All arguments are given, as it is suitable: where nothing else is, there is no query.
    if query && (values.len() > rule.variables.len() || !rule.defaults.is_empty()) {
        let path = url.len();
        for (name, value) in values {
            if rule.arguments().all(|known| known != *name) {
                push_query(&mut url, path, name, value);
            }
        }
    }
    Ok(Built { host: host(rule, values)?, path: url })
}

fn host(rule: &Rule, values: &[(&str, UrlValue)]) -> Result<Option<String>, BadValue> {
    let Some(domain) = rule.domain() else { return Ok(None) };
    let mut host = String::new();
    for piece in &domain.pieces {
        match piece {
            Piece::Slash => {}
            Piece::Literal(text) => host.push_str(text),
            Piece::Variable(index) => {
                let text = text_of(rule, *index, values)?.to_lowercase();
                // A slash or an `@` would lead to another site, and nothing is escaped in a host.
                let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
                if !text.bytes().all(fits) {
                    let name = rule.variables[*index].name.clone();
                    return Err(BadValue { name, reason: format!("`{text}` cannot stand in a host") });
                }
                host.push_str(&text);
            }
        }
    }
    Ok(Some(host))
}

/// A variable's value as its converter writes it, from what is given or from the default.
fn text_of<'a>(rule: &'a Rule, index: usize, values: &'a [(&str, UrlValue)]) -> Result<Cow<'a, str>, BadValue> {
    let variable = &rule.variables[index];
    let bad = |reason| BadValue { name: variable.name.clone(), reason };
    let value = match given(values, &variable.name) {
        Some(UrlValue::One(value)) => Some(value),
        Some(_) => return Err(bad("it is a list".to_owned())),
        None => rule.default_of(&variable.name),
    };
    let value = value.ok_or_else(|| bad("it is not given".to_owned()))?;
    variable.conv.to_url(value).map_err(bad)
}
