//! The name of a template, or names to choose from.

use std::borrow::Cow;

/// What says which template: its name, or a list of names, of which the first that exists is taken.
///
/// ```
/// use dewar::{App, context, render};
///
/// let mut app = App::new("demo");
/// app.template("page.html", "the usual page");
/// app.get("/<theme>", |theme: String| render([format!("{theme}/page.html"), "page.html".into()], context! {}));
/// assert_eq!(app.test_client().get("/dark").text(), "the usual page");
/// ```
pub trait TemplateName {
    /// Calls `choose` with the names, in order.
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R;
}

impl TemplateName for str {
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R {
        choose(&[self])
    }
}

impl TemplateName for String {
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R {
        choose(&[self])
    }
}

impl TemplateName for Cow<'_, str> {
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R {
        choose(&[self])
    }
}

impl<T: TemplateName + ?Sized> TemplateName for &T {
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R {
        (**self).with_names(choose)
    }
}

impl<T: AsRef<str>> TemplateName for [T] {
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R {
        choose(&self.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    }
}

impl<T: AsRef<str>, const N: usize> TemplateName for [T; N] {
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R {
        self[..].with_names(choose)
    }
}

impl<T: AsRef<str>> TemplateName for Vec<T> {
    fn with_names<R>(&self, choose: impl FnOnce(&[&str]) -> R) -> R {
        self[..].with_names(choose)
    }
}
