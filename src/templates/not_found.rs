//! That there is no such template.

use std::fmt;

/// There is no template of this name, or of any of these (Jinja's `TemplateNotFound` and `TemplatesNotFound`).
///
/// It is the error of what takes a template's name, so a view can tell it from a template that fails. That a template names
/// another one that is not there, by `extends` or `include`, is such a failure: an error of the engine, with the line.
///
/// ```
/// use dewar::{App, IntoResponse, Response, Result, TemplateNotFound, context, render};
///
/// fn page(name: String) -> Result<Response> {
///     match render([format!("{name}.html"), format!("{name}/index.html")], context! {}) {
///         Err(error) if error.is::<TemplateNotFound>() => (format!("no page {name}"), 404).into_response(),
///         page => page?.into_response(),
///     }
/// }
///
/// let mut app = App::new("demo");
/// app.template("help.html", "Help!");
/// app.get("/<name>", page);
/// let client = app.test_client();
/// assert_eq!(client.get("/help").text(), "Help!");
/// assert_eq!(client.get("/me").status(), 404);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateNotFound {
    names: Vec<String>,
    message: String,
}

impl TemplateNotFound {
    pub(super) fn new(names: &[&str], message: String) -> TemplateNotFound {
        TemplateNotFound { names: names.iter().map(|name| (*name).to_owned()).collect(), message }
    }

    /// The names that were tried, in order; none, when the list was empty (Jinja's `templates`).
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The last name that was tried, if there was one (Jinja's `name`).
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }
}

impl fmt::Display for TemplateNotFound {
    /// With the places where it was looked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateNotFound {}
