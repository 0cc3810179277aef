//! A rule: its text, read, and its options.

use http::Method;

use super::{
    args::ViewArg,
    conv::{Conv, Kind},
    converters::Converters,
    error::RuleError,
    grammar::{self, ConverterArgs, Token},
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
    strict_slashes: bool,
    merge_slashes: bool,
    build_only: bool,
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
            let name = &rule[token.name.clone()];
            if variables.iter().any(|v| v.name == name) {
                let what = format!("there are two variables `{name}`; give one another name");
                return Err(RuleError::new(rule, token.name, what));
            }
            if variables.len() == MAX_VARIABLES {
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
            pieces.push(Piece::Variable(variables.len()));
            variables.push(Variable { name: name.to_owned(), conv: conv? });
        }
        Ok(Rule {
            text: rule.to_owned(),
            pieces,
            variables,
            methods: None,
            defaults: Vec::new(),
            strict_slashes: true,
            merge_slashes: true,
            build_only: false,
        })
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
}
