//! Text that is HTML already.

use std::fmt;
use std::ops::Deref;

use minijinja::Value;
use serde::{Serialize, Serializer};

use crate::error::Result;
use crate::respond::IntoResponse;
use crate::response::{Response, escape_html};

/// Text that is HTML already, which templates do not escape (markupsafe's `Markup`).
///
/// As a value of a template it is printed as it is; in JSON it is a text, as in Flask. Make it of what you wrote, never of
/// what a client sent: [`Markup::escape`] is for that.
///
/// ```
/// use dewar::{App, Markup, context, render_template_string};
///
/// let mut app = App::new("demo");
/// app.get("/<name>", |name: String| {
///     let greeting = Markup(format!("<b>{}</b>", Markup::escape(&name)));
///     render_template_string("{{ greeting }} {{ name }}", context! { greeting, name })
/// });
/// assert_eq!(app.test_client().get("/%3Ci%3E").text(), "<b>&lt;i&gt;</b> &lt;i&gt;");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Markup(pub String);

impl Markup {
    /// The text, with what HTML would take for its own escaped.
    #[must_use]
    pub fn escape(text: &str) -> Markup {
        Markup(escape_html(text))
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text in it: without tags and comments, with each run of blanks as one, and entities resolved (markupsafe's
    /// `striptags`).
    ///
    /// ```
    /// assert_eq!(dewar::Markup("<p>a  <b>b</b> &amp; c</p>".into()).striptags(), "a b & c");
    /// ```
    #[must_use]
    pub fn striptags(&self) -> String {
        super::filters::striptags(&self.0)
    }
}

impl Deref for Markup {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Markup {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Markup {
    fn from(html: String) -> Markup {
        Markup(html)
    }
}

impl From<&str> for Markup {
    fn from(html: &str) -> Markup {
        Markup(html.to_owned())
    }
}

impl From<Markup> for String {
    fn from(markup: Markup) -> String {
        markup.0
    }
}

impl From<Markup> for Value {
    fn from(markup: Markup) -> Value {
        Value::from_safe_string(markup.0)
    }
}

impl PartialEq<str> for Markup {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Markup {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// A text; for a template, one that is not escaped.
impl Serialize for Markup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match minijinja::value::serializing_for_value() {
            true => Value::from_safe_string(self.0.clone()).serialize(serializer),
            false => serializer.serialize_str(&self.0),
        }
    }
}

/// A page.
impl IntoResponse for Markup {
    fn into_response(self) -> Result<Response> {
        self.0.into_response()
    }
}

/// As Flask keeps it in a session: `session().set_tagged("hello", markup.into())`.
#[cfg(feature = "sessions")]
impl From<Markup> for crate::session::Tagged {
    fn from(markup: Markup) -> Self {
        crate::session::Tagged::Markup(markup.0)
    }
}

/// As [`flash`](crate::flash) takes it: it stays HTML.
#[cfg(feature = "sessions")]
impl From<Markup> for crate::session::FlashMessage {
    fn from(markup: Markup) -> Self {
        crate::session::FlashMessage::html(markup.0)
    }
}
