//! What is wrong with a rule, where in it, and how to cure it.

use std::{fmt, ops::Range};

/// A rule that cannot be used.
///
/// The message names the rule, marks the place, and says what to write instead.
///
/// ```
/// use dewar::routing::{Converters, Rule};
///
/// let error = Rule::parse("/post/<integer:id>", &Converters::default()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "URL rule \"/post/<integer:id>\": there is no converter `integer`; \
///      there are any, default, float, int, path, string, uuid\n\
///      \x20   /post/<integer:id>\n\
///      \x20          ^^^^^^^"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    rule: String,
    place: Range<usize>,
    message: String,
}

impl RuleError {
    pub(super) fn new(rule: &str, place: Range<usize>, message: impl Into<String>) -> RuleError {
        RuleError(Box::new(Inner { rule: rule.to_owned(), place, message: message.into() }))
    }

    /// The rule as it was written.
    pub fn rule(&self) -> &str {
        &self.0.rule
    }

    /// The bytes of the rule that the message is about.
    pub fn place(&self) -> Range<usize> {
        self.0.place.clone()
    }

    /// What is wrong and how to cure it, without the rule and the mark.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { rule, place, message } = &*self.0;
        // The mark counts characters, not bytes, so that it stands right under text beyond ASCII.
        let width = |range: Range<usize>| rule.get(range).map_or(0, |text| text.chars().count());
        let (before, marked) = (width(0..place.start), width(place.clone()).max(1));
        writeln!(f, "URL rule {rule:?}: {message}")?;
        writeln!(f, "    {rule}")?;
        write!(f, "    {:before$}{}", "", "^".repeat(marked))
    }
}

impl std::error::Error for RuleError {}
