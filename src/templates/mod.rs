//! Templates, by minijinja, with Flask's names in them.
//!
//! [`setup`] is what an app says of them before it is frozen, [`environment`] how the engine is made Jinja's: its filters
//! (`filters`), tests, methods (`methods`) and way of printing (`print`). [`loader`] finds them, [`names`] is what they
//! see, [`render`] renders them, whole, in a stream ([`stream`]) or one macro of them ([`attribute`]).

mod attribute;
mod context_free;
mod dates;
mod environment;
mod filters;
mod functions;
mod g_object;
mod loader;
mod markup;
mod methods;
mod names;
mod not_found;
mod print;
mod processors;
mod render;
mod request_object;
mod setup;
mod source_line;
mod stream;
mod template_name;

pub use attribute::TemplateAttribute;
pub use markup::Markup;
pub use not_found::TemplateNotFound;
pub use processors::ContextValues;
pub(crate) use processors::{ContextProcessor, ContextProcessors};
pub(crate) use render::{attribute, render, render_string, stream, stream_string};
pub use setup::JinjaOptions;
pub(crate) use setup::{EnvironmentChange, TemplateSetup};
pub(crate) use source_line::TemplateLine;
pub(crate) use stream::Within;
pub use template_name::TemplateName;

use std::path::PathBuf;

use minijinja::Environment;

/// Templates of a frozen app.
pub(crate) struct Templates {
    env: Environment<'static>,
    /// Where they are looked for beside those in the program, in this order: the app's folder, then the blueprints'.
    folders: Vec<Folder>,
    processors: ContextProcessors,
    /// Names of the framework's that the app has set as globals of its own: [`names`] leaves them to the engine.
    overridden: Vec<&'static str>,
}

/// A folder of templates.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// `the app`, or ``the blueprint `name` ``.
    whose: String,
    path: PathBuf,
}

/// The values for a template, by name: `context! { post, title => "Hello", n => posts.len() }`. Each is anything that
/// serde can serialize, or a minijinja value.
///
/// ```
/// use dewar::context;
///
/// #[derive(serde::Serialize)]
/// struct Post { title: &'static str }
///
/// let post = Post { title: "Hello" };
/// let values = context! { post, page => 2 };
/// assert_eq!(values.get_attr("post").unwrap().get_attr("title").unwrap().as_str(), Some("Hello"));
/// ```
#[macro_export]
macro_rules! context {
    ($($name:ident $(=> $value:expr)?),* $(,)?) => {
        $crate::minijinja::Value::from(::std::collections::BTreeMap::<&str, $crate::minijinja::Value>::from([
            $((::core::stringify!($name), $crate::context!(@ $name $(=> $value)?))),*
        ]))
    };
    (@ $name:ident) => { $crate::context!(@ $name => $name) };
    (@ $name:ident => $value:expr) => {
        $crate::minijinja::Value::from($crate::minijinja::value::Serde(&$value))
    };
}
