//! The messages from one request to a later one: as they are given, kept and read.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::tagged::{self, Tagged};
use crate::signals::Flashing;

/// What [`flash`](crate::flash) keeps: a text, or a `Markup`, which stays one and is not escaped by the template that shows
/// it. Made of either by `into()`.
///
/// ```
/// use dewar::{App, Markup, context, flash, render_template_string};
///
/// let mut app = App::new("demo");
/// app.config_mut().set("SECRET_KEY", "long, random, and known to nobody else");
/// app.get("/", || {
///     flash(Markup("<b>Saved</b>".into()))?;
///     flash("a < b")?;
///     render_template_string("{{ get_flashed_messages()|join(', ') }}", context! {})
/// });
/// assert_eq!(app.test_client().get("/").text(), "<b>Saved</b>, a &lt; b");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlashMessage {
    pub(super) text: String,
    pub(super) markup: bool,
}

impl FlashMessage {
    /// Of HTML that is not to be escaped.
    #[cfg(feature = "templates")]
    pub(crate) fn html(text: String) -> FlashMessage {
        FlashMessage { text, markup: true }
    }
}

impl From<String> for FlashMessage {
    fn from(text: String) -> Self {
        FlashMessage { text, markup: false }
    }
}

impl From<&str> for FlashMessage {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for FlashMessage {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<Cow<'_, str>> for FlashMessage {
    fn from(text: Cow<'_, str>) -> Self {
        text.into_owned().into()
    }
}

impl From<Box<str>> for FlashMessage {
    fn from(text: Box<str>) -> Self {
        String::from(text).into()
    }
}

/// As a session keeps it: Python's `(category, message)`.
pub(super) fn wire(flashing: &Flashing) -> Value {
    let text = flashing.message.clone();
    let message = if flashing.markup { Tagged::Markup(text).into_wire() } else { text.into() };
    tagged::tuple(vec![flashing.category.clone().into(), message])
}

/// A message from one request to a later one: see [`get_flashed_messages`](crate::get_flashed_messages).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flashed {
    /// `message`, unless it was given another one.
    pub category: String,
    /// The message.
    pub message: String,
    /// Whether it is HTML, which templates do not escape: a `Markup` that was flashed, here or by a Flask app.
    pub markup: bool,
}

impl Flashed {
    pub(super) fn read(wire: &Value) -> Option<Flashed> {
        let [category, message] = tagged::items(wire)? else { return None };
        let markup = tagged::markup(message);
        let message = match markup.or(message.as_str()) {
            Some(text) => text.to_owned(),
            None => tagged::untag(message.clone()).to_string(),
        };
        Some(Flashed { category: category.as_str()?.to_owned(), message, markup: markup.is_some() })
    }
}

impl fmt::Display for Flashed {
    /// The message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
