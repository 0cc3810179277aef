//! A rule: its text, read, and its options.

use std::borrow::Cow;

use http::Method;

use super::{
    args::ViewArg,
    conv::{Conv, Kind},
    converters::Converters,
    error::RuleError,
    grammar::{self, ConverterArgs, Token, VariableToken},
    methods::Methods,
};

/// As many variables a rule may have.
const MAX_VARIABLES: usize = 16;

/// A URL rule, as `/post/<int:id>/<any(raw, html):form>`.
///
/// Between slashes stand literals and variables, as many as you like. A variable is `<name>` or
/// `<converter:name>` or `<converter(arguments):name>`; [`Converters`] lists the converters.
///
/// ```
/// use dewar::routing::{Converters, Kind, Rule};
/// use http::Method;
///
/// let rule = Rule::parse("/post/<int:id>/<slug>", &Converters::default())?
///     .methods([Method::GET])
///     .strict_slashes(false);
/// let variables: Vec<_> = rule.variables().collect();
/// assert_eq!(variables, [("id", Kind::Int), ("slug", Kind::String)]);
/// # Ok::<(), dewar::routing::RuleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    text: String,
    pub(super) pieces: Vec<Piece>,
    pub(super) variables: Vec<Variable>,
    /// `None`: all.
    pub(super) methods: Option<Methods>,
    pub(super) defaults: Vec<(String, ViewArg)>,
    domain: Option<Domain>,
    strict_slashes: bool,
    merge_slashes: bool,
    build_only: bool,
    alias: bool,
}

/// The host, or the subdomain, that a rule is for.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    text: String,
    /// Without slashes. Its variables are the first of the rule's.
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Slash,
    Literal(String),
    /// The variable of that index.
    Variable(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) conv: Conv,
}

impl Rule {
    /// Reads a rule. It is for all methods, until [`methods`](Rule::methods) says which.
    pub fn parse(rule: &str, converters: &Converters) -> Result<Rule, RuleError> {
        let mut pieces = Vec::new();
        let mut variables: Vec<Variable> = Vec::new();
        for token in grammar::tokens(rule)? {
            let token = match token {
                Token::Slash => {
                    pieces.push(Piece::Slash);
                    continue;
                }
                Token::Literal(place) => {
                    pieces.push(Piece::Literal(rule[place].to_owned()));
                    continue;
                }
                Token::Variable(token) => token,
            };
            let new = variable(rule, token, converters, &variables)?;
            pieces.push(Piece::Variable(variables.len()));
            variables.push(new);
        }
        Ok(Rule {
            text: rule.to_owned(),
            pieces,
            variables,
            methods: None,
            defaults: Vec::new(),
            domain: None,
            strict_slashes: true,
            merge_slashes: true,
            build_only: false,
            alias: false,
        })
    }

    /// For this host, or subdomain, alone: `api.example.com`, `<user>.example.com`. Its variables come before those of
    /// the path. Capital letters mean the same as small ones.
    ///
    /// Such rules are found by [`Router::find_at`](super::Router::find_at), which says which text hosts are compared
    /// with.
    ///
    /// ```
    /// use dewar::routing::{Converters, Rule};
    ///
    /// let converters = Converters::default();
    /// let rule = Rule::parse("/<page>", &converters)?.on_host("<user>.example.com", &converters)?;
    /// assert_eq!(rule.arguments().collect::<Vec<_>>(), ["user", "page"]);
    /// assert_eq!(rule.host(), Some("<user>.example.com"));
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    ///
    /// # Errors
    /// When it has a slash, a variable whose values may have one, or what would be wrong in a rule as well.
    pub fn on_host(mut self, host: &str, converters: &Converters) -> Result<Rule, RuleError> {
        let path_variables = std::mem::take(&mut self.variables);
        let mut pieces = Vec::new();
        for token in grammar::host_tokens(host)? {
            let token = match token {
                Token::Literal(place) => {
                    pieces.push(Piece::Literal(host[place].to_lowercase()));
                    continue;
                }
                Token::Slash => continue, // there is none
                Token::Variable(token) => token,
            };
            let place = token.name.clone();
            let known: Vec<_> = path_variables.iter().chain(&self.variables).cloned().collect();
            let new = variable(host, token, converters, &known)?;
            if !new.conv.part_isolating() {
                let what = "a host has no slashes, but this converter's values may have: take another one";
                return Err(RuleError::new(host, place, what));
            }
            pieces.push(Piece::Variable(self.variables.len()));
            self.variables.push(new);
        }
        let before = self.variables.len();
        for piece in &mut self.pieces {
            if let Piece::Variable(index) = piece {
                *index += before;
            }
        }
        self.variables.extend(path_variables);
        self.domain = (!host.is_empty()).then(|| Domain { text: host.to_owned(), pieces });
        Ok(self)
    }

    /// Only for these methods, and for HEAD if GET is one of them.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Rule {
        self.methods = Some(methods.into_iter().collect());
        self
    }

    /// Values for arguments that are not in the path; to build a URL they may be left out.
    ///
    /// ```
    /// use dewar::routing::{Converters, Rule, ViewArg};
    ///
    /// let rule = Rule::parse("/users/", &Converters::default())?
    ///     .defaults(vec![("page".into(), ViewArg::Int(1))]);
    /// assert_eq!(rule.arguments().collect::<Vec<_>>(), ["page"]);
    /// # Ok::<(), dewar::routing::RuleError>(())
    /// ```
    pub fn defaults(mut self, defaults: Vec<(String, ViewArg)>) -> Rule {
        self.defaults = defaults;
        self
    }

    /// Whether a path must end with a slash just as the rule does (so from the start). A path that
    /// lacks the slash is then redirected, one that has a slash too many is not found. If not strict,
    /// both are matches.
    pub fn strict_slashes(mut self, strict: bool) -> Rule {
        self.strict_slashes = strict;
        self
    }

    /// Whether `//` in a path is redirected to `/` where that gives a match (so from the start);
    /// then `//` in the rule itself is `/`, too.
    pub fn merge_slashes(mut self, merge: bool) -> Rule {
        self.merge_slashes = merge;
        self
    }

    /// Whether the rule is there for building URLs only and never matches (not so from the start).
    pub fn build_only(mut self, build_only: bool) -> Rule {
        self.build_only = build_only;
        self
    }

    /// Whether it is a second way to write a URL (not so from the start): a path that it matches is redirected to the
    /// rule of the same endpoint that is no alias, and URLs are built by that one.
    pub fn alias(mut self, alias: bool) -> Rule {
        self.alias = alias;
        self
    }

    /// The host or subdomain that it is for, as it was written.
    pub fn host(&self) -> Option<&str> {
        self.domain.as_ref().map(|domain| domain.text.as_str())
    }

    /// The rule as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names and kinds of the variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, Kind)> {
        let variables = self.variables.iter();
        variables.map(|v| (v.name.as_str(), v.conv.kind()))
    }

    /// The names of all arguments of a match, in order: the variables, then those of the defaults
    /// that are not variables.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        let variables = self.variables.iter().map(|v| v.name.as_str());
        let defaults = self.defaults.iter().map(|(name, _)| name.as_str());
        variables.chain(defaults.filter(|name| self.variable(name).is_none()))
    }

    /// The methods, sorted by name; `None`: all.
    pub fn allowed(&self) -> Option<Vec<Method>> {
        self.methods.as_ref().map(Methods::sorted)
    }

    /// The default for this argument.
    pub fn default_of(&self, name: &str) -> Option<&ViewArg> {
        let default = self.defaults.iter().find(|(known, _)| known == name);
        default.map(|(_, value)| value)
    }

    /// A variable's value as it stands in a URL, not yet percent-encoded; a default's as it is.
    pub(crate) fn to_url(&self, name: &str, value: &ViewArg) -> Result<String, String> {
        match self.variable(name) {
            Some(variable) => variable.conv.to_url(value).map(Cow::into_owned),
            None => Ok(value.to_string()),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name)
    }

    pub(super) fn is_strict(&self) -> bool {
        self.strict_slashes
    }

    pub(super) fn merges_slashes(&self) -> bool {
        self.merge_slashes
    }

    pub(super) fn is_build_only(&self) -> bool {
        self.build_only
    }

    pub(super) fn is_alias(&self) -> bool {
        self.alias
    }

    pub(super) fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// Whether two rules of one endpoint are the same place with other values: they have the same arguments, and this
    /// one has defaults for some (Werkzeug's `provides_defaults_for`).
    pub(super) fn stands_for(&self, other: &Rule) -> bool {
        !self.build_only
            && !self.defaults.is_empty()
            && (&self.text, self.host()) != (&other.text, other.host())
            && self.arguments().all(|name| other.arguments().any(|known| known == name))
            && self.arguments().count() == other.arguments().count()
    }
}

/// The variable of a token, which must not be one of those that there are already.
fn variable(
    rule: &str,
    token: VariableToken,
    converters: &Converters,
    known: &[Variable],
) -> Result<Variable, RuleError> {
    let name = &rule[token.name.clone()];
    if known.iter().any(|v| v.name == name) {
        let what = format!("there are two variables `{name}`; give one another name");
        return Err(RuleError::new(rule, token.name, what));
    }
    if known.len() == MAX_VARIABLES {
        let what = format!("a rule has at most {MAX_VARIABLES} variables");
        return Err(RuleError::new(rule, token.name, what));
    }
    let args = match (token.arguments, &token.converter) {
        (Some(place), _) => grammar::arguments(rule, place)?,
        // Without arguments, what they lack is shown at the converter's name.
        (None, place) => {
            ConverterArgs { items: Vec::new(), place: place.clone().unwrap_or_else(|| token.name.clone()) }
        }
    };
    let converter = token.converter.clone().map_or("default", |place| &rule[place]);
    let Some(conv) = converters.make(rule, converter, &args) else {
        let known: Vec<_> = converters.names().collect();
        let what = format!("there is no converter `{converter}`; there are {}", known.join(", "));
        return Err(RuleError::new(rule, token.converter.unwrap_or(token.name), what));
    };
    Ok(Variable { name: name.to_owned(), conv: conv? })
}
