//! Rules, and what is found by them: which view a path belongs to, and which URL a view has.
//!
//! [`Rule::parse`] reads a rule such as `/post/<int:id>`, a [`RouterBuilder`] collects rules, and the
//! [`Router`] that it freezes into answers [`find`](Router::find) and
//! [`build_for_endpoint`](Router::build_for_endpoint). The behaviour is that of Werkzeug 3, which
//! Flask routes with.
//!
//! ```
//! use dewar::routing::{Converters, Found, Rule, RouterBuilder};
//! use http::Method;
//!
//! let converters = Converters::default();
//! let mut routes = RouterBuilder::new();
//! let hello = routes.add(Rule::parse("/hello/<name>", &converters)?, "hello");
//! let router = routes.freeze();
//!
//! let path = "/hello/world";
//! let Found::Match { rule, args } = router.find(&Method::GET, path) else { panic!() };
//! assert_eq!(rule, hello);
//! assert_eq!(args.get(0, path).unwrap().to_string(), "world");
//! assert_eq!(router.build(hello, &[("name", "world".into())]).unwrap(), "/hello/world");
//! # Ok::<(), dewar::routing::RuleError>(())
//! ```
//!
//! # Which rule is it?
//!
//! A path is matched segment by segment. At each, the rules with exactly this text there come first;
//! then those with variables there, in this order: more literals in the segment, longer literals, more
//! variables, lighter converters (`int` and `float`, then the others, then `path`), and last the order
//! in which they were added. If the rest of the path does not fit behind one, the next is tried. Among
//! rules that read the same, the first one for the request's method is taken.
//!
//! Three things end the search where they are met, though another rule might have matched: a rule that
//! lacks only a slash at the end of the path (a redirect), a number out of its bounds and a value that a
//! custom converter rejects (404).
//!
//! # How it works
//!
//! The rules are cut at their slashes and make up a tree; for `/`, `/post/<int:id>`, `/post/new` and
//! `/<path:page>`:
//!
//! ```text
//! root ─┬─ ""  ● /
//!       ├─ "post" ─┬─ "new"  ● /post/new
//!       │          └─ <int>  ● /post/<int:id>
//!       └─ <path> (all the rest)  ● /<path:page>
//! ```
//!
//! A branch by text is a look-up that takes as long with a thousand branches as with ten. A walk visits
//! each node at most once, and matching several variables in one segment takes time in proportion to
//! its length, so no path that a stranger sends takes long.
//!
//! # Other than in Werkzeug
//!
//! - `int` and `float` take numbers that `i64` and `f64` hold.
//! - Negative bounds can be written: `<int(signed=True, min=-5):x>`.
//! - Two variables of one name, and more than sixteen, are an error in the rule.
//! - With `merge_slashes(false)`, doubled slashes are never merged, not even to add a slash at the end.
//! - `float` writes URLs without an exponent, so that they match.
//! - A value that does not fit is a [`BuildError`], and what `any` writes into a URL is encoded.
//! - Where adding a slash would redirect `/` to itself, it is not found.

mod args;
mod build;
mod build_error;
mod canonical;
mod conv;
mod converters;
mod custom;
mod digits;
mod error;
mod grammar;
mod methods;
mod named;
mod part;
mod place;
mod router;
mod rule;
mod segment;
mod tree;
mod url;

pub use args::{ArgRef, Args, ViewArg};
pub(crate) use build::Standpoint;
pub use build_error::BuildError;
pub use conv::Kind;
pub use converters::Converters;
pub use custom::{Converter, Outcome};
pub use error::RuleError;
pub use grammar::ConverterArgs;
pub use named::{NamedArgs, UrlValues};
pub use place::Place;
pub use router::{Found, Router, RouterBuilder, RuleId};
pub use rule::Rule;
pub use url::{UrlValue, encode_path, encode_query};
