//! What a converter of your own is made of.

use super::args::ViewArg;

/// A converter of your own: which text fits a variable, and what the text becomes.
///
/// ```
/// use dewar::routing::{Converter, Converters, Found, Rule, RouterBuilder};
/// use http::Method;
///
/// /// An upper-case code: `/airport/<code:from>`.
/// struct Code;
///
/// impl Converter for Code {
///     fn matches(&self, text: &str) -> bool {
///         text.bytes().all(|b| b.is_ascii_uppercase())
///     }
/// }
///
/// let mut converters = Converters::default();
/// converters.register("code", Code);
/// let mut routes = RouterBuilder::new();
/// routes.add(Rule::parse("/airport/<code:from>", &converters)?, "airport");
/// let router = routes.freeze();
/// assert!(matches!(router.find(&Method::GET, "/airport/ZRH"), Found::Match { .. }));
/// assert!(matches!(router.find(&Method::GET, "/airport/zrh"), Found::NotFound));
/// # Ok::<(), dewar::routing::RuleError>(())
/// ```
pub trait Converter: Send + Sync {
    /// Whether this text (never empty) has the form of a value. If not, the matcher tries other
    /// rules: this is what the regular expression is in Werkzeug.
    ///
    /// In a segment of several variables it is asked for several pieces of the segment, the longest
    /// first; there it is asked at most 1,024 times for one segment, and past that nothing matches.
    fn matches(&self, text: &str) -> bool;

    /// What a text that has the form becomes. Unless you implement it, it stays the text.
    fn convert(&self, text: &str) -> Outcome {
        let _ = text;
        Outcome::Text
    }

    /// The text for a URL, not yet percent-encoded, or why there is none.
    fn to_url(&self, value: &ViewArg) -> Result<String, String> {
        Ok(value.to_string())
    }

    /// Where it stands among the variables that might match: the lowest is tried first. `int` and
    /// `float` have 50, `path` has 200, all others 100.
    fn weight(&self) -> i32 {
        100
    }

    /// Whether a value is always inside one segment. If not, it is given text with slashes too.
    fn part_isolating(&self) -> bool {
        true
    }
}

/// What a custom converter makes of a text that has the form of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The text itself is the value, nothing is allocated.
    Text,
    /// This is the value.
    Value(ViewArg),
    /// There is no such value: the request ends in 404, other rules are not tried.
    Reject,
}
