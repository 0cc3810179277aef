//! View arguments by name, and values for URLs that hooks may change.

use super::{
    args::{ArgRef, Args},
    url::UrlValue,
};

/// The view arguments of a request by their names: what a url-value preprocessor and `redirect_to_with` are given.
///
/// ```
/// use dewar::{App, g};
///
/// let mut app = App::new("site");
/// app.url_value_preprocessor(["lang"], |_endpoint, values| {
///     if let Some(lang) = values.get("lang") {
///         g().set("lang", lang.to_string());
///     }
/// });
/// app.get("/<lang>/<page>", |page: String| format!("{page} in {}", g().get::<String>("lang").unwrap())).endpoint("page");
/// assert_eq!(app.test_client().get("/de/about").text(), "about in de");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NamedArgs<'a> {
    names: &'a [String],
    /// The values, and the text that they are parts of.
    args: Option<(&'a Args, &'a str)>,
}

impl<'a> NamedArgs<'a> {
    pub(crate) fn new(names: &'a [String], args: &'a Args, text: &'a str) -> NamedArgs<'a> {
        NamedArgs { names, args: Some((args, text)) }
    }

    /// None at all: no rule matched.
    pub(crate) fn none() -> NamedArgs<'a> {
        NamedArgs { names: &[], args: None }
    }

    /// The argument of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ArgRef<'a>> {
        let (args, text) = self.args?;
        args.get(self.names.iter().position(|known| known == name)?, text)
    }

    /// All of them in order: the rule's variables, then its defaults.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, ArgRef<'a>)> + use<'a> {
        let args = self.args;
        let values = self.names.iter().enumerate();
        values.filter_map(move |(i, name)| args.and_then(|(args, text)| Some((name.as_str(), args.get(i, text)?))))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.args.map_or(0, |(args, _)| args.len())
    }

    /// Whether there are none, also when no rule matched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The values of one `url_for`, by name: what `url_defaults` adds to, and what `url_build_error_handler` is given.
///
/// ```
/// use dewar::routing::{UrlValue, UrlValues};
///
/// let mut values = UrlValues::new();
/// values.insert("page", 2);
/// values.set_default("page", 1);
/// values.set_default("lang", "de");
/// assert_eq!(values.get("page"), Some(&UrlValue::from(2)));
/// assert_eq!(values.names().collect::<Vec<_>>(), ["page", "lang"]);
/// assert_eq!(values.remove("lang"), Some("de".into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UrlValues(Vec<(String, UrlValue)>);

impl UrlValues {
    /// No values.
    #[must_use]
    pub fn new() -> UrlValues {
        UrlValues::default()
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&UrlValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether there is a value of this name, `None` included.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a value, in place of one that is there.
    pub fn insert(&mut self, name: &str, value: impl Into<UrlValue>) {
        let value = value.into();
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Sets a value where there is none of this name (Python's `setdefault`).
    pub fn set_default(&mut self, name: &str, value: impl Into<UrlValue>) {
        if !self.contains(name) {
            self.0.push((name.to_owned(), value.into()));
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, name: &str) -> Option<UrlValue> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Names and values, in order: as [`Ctx::url_for`](crate::Ctx::url_for) takes them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &UrlValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<'a> FromIterator<(&'a str, UrlValue)> for UrlValues {
    /// Of two values with one name the first counts, as in `url_for`.
    fn from_iter<I: IntoIterator<Item = (&'a str, UrlValue)>>(values: I) -> UrlValues {
        let mut all = UrlValues::new();
        for (name, value) in values {
            all.set_default(name, value);
        }
        all
    }
}
