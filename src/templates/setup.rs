//! Templates while the app is set up.

use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use minijinja::{Environment, UndefinedBehavior};

use super::{ContextProcessors, Folder, Templates, environment, filters, loader, names};
use crate::config::Settings;
use crate::ctx::missing_folder;
use crate::json_provider::JsonProvider;

/// A filter, a test or a global, to be added when the app is frozen.
pub(crate) type EnvironmentChange = Box<dyn FnOnce(&mut Environment<'static>) + Send>;

/// What an app says of its templates.
pub(crate) struct TemplateSetup {
    pub(crate) env: Environment<'static>,
    pub(crate) folder: Option<(PathBuf, &'static Location<'static>)>,
    sources: Vec<Source>,
    /// What the filter `tojson` prints by.
    json: Arc<OnceLock<JsonProvider>>,
}

/// A template that is part of the program. It is read when the app is frozen, when its syntax is known.
struct Source {
    name: &'static str,
    text: &'static str,
    at: &'static Location<'static>,
}

/// What is wrong, and where it was said.
type Wrong = (String, &'static Location<'static>);

impl Default for TemplateSetup {
    fn default() -> Self {
        let mut env = environment::new();
        let json = Arc::default();
        // Now, so that a filter of the user's of this name comes after it.
        filters::tojson_by(&mut env, Arc::clone(&json));
        TemplateSetup { env, folder: None, sources: Vec::new(), json }
    }
}

impl TemplateSetup {
    pub(crate) fn add(&mut self, name: &'static str, text: &'static str, at: &'static Location<'static>) {
        self.sources.push(Source { name, text, at });
    }

    pub(crate) fn set_options(&mut self, options: &JinjaOptions) {
        let mut syntax = self.env.syntax().to_builder();
        syntax
            .trim_blocks(options.trim_blocks)
            .lstrip_blocks(options.lstrip_blocks)
            .keep_trailing_newline(options.keep_trailing_newline);
        self.env.set_syntax(syntax.build().expect("the delimiters were right before, and stay"));
        self.env.set_undefined_behavior(options.undefined);
    }

    /// `blueprints` are the blueprints' folders, with their names, in the order of registration.
    pub(crate) fn freeze(
        mut self,
        root: &Path,
        settings: &Settings,
        json: Option<&JsonProvider>,
        blueprints: Vec<(String, PathBuf, &'static Location<'static>)>,
        processors: ContextProcessors,
    ) -> Result<Templates, Vec<Wrong>> {
        if let Some(provider) = json {
            let _ = self.json.set(provider.clone());
        }
        let mut wrong = Vec::new();
        for source in &self.sources {
            if let Err(error) = loader::add(&mut self.env, source.name, source.text) {
                // With the line of the template, as the engine's long form shows it.
                wrong.push((format!("the template `{}` is not valid: {error}", source.name), source.at));
            }
        }
        let mut folders = Vec::new();
        let mut add = |whose: String, path: &Path, at| {
            let path = root.join(path);
            match path.is_dir() {
                true => folders.push(Folder { whose, path }),
                false => wrong.push((missing_folder("template", &path, root), at)),
            }
        };
        match self.folder {
            Some((path, at)) => add("the app".into(), &path, at),
            None if root.join("templates").is_dir() => add("the app".into(), "templates".as_ref(), Location::caller()),
            None => {}
        }
        for (name, path, at) in blueprints {
            add(format!("the blueprint `{name}`"), &path, at);
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        if !folders.is_empty() {
            loader::install(&mut self.env, folders.clone(), settings.explain_template_loading);
        }
        self.env.set_debug(settings.debug);
        self.env.set_auto_reload(settings.templates_auto_reload.unwrap_or(settings.debug));
        let overridden = names::GLOBALS.iter().copied().filter(|name| self.env.globals().any(|(n, _)| n == *name));
        let overridden = overridden.collect();
        Ok(Templates { env: self.env, folders, processors, overridden })
    }
}

/// How templates are read, and what becomes of names that are not there (Flask's `jinja_options`, and Jinja's arguments of
/// its `Environment`). What is not said stays as Jinja has it. For other delimiters there is
/// [`App::jinja_env`](crate::App::jinja_env).
///
/// ```
/// use dewar::{App, JinjaOptions, context, render};
///
/// let mut app = App::new("demo");
/// app.jinja_options(JinjaOptions::new().trim_blocks(true).lstrip_blocks(true));
/// app.template("list.txt", "{% for n in ns %}\n  {% if n %}\n{{ n }}\n  {% endif %}\n{% endfor %}\n");
/// app.get("/", || render("list.txt", context! { ns => [1, 2] }));
/// assert_eq!(app.test_client().get("/").text(), "1\n2\n");
/// ```
#[derive(Debug, Clone)]
#[must_use = "options do nothing until the app is given them"]
pub struct JinjaOptions {
    trim_blocks: bool,
    lstrip_blocks: bool,
    keep_trailing_newline: bool,
    undefined: UndefinedBehavior,
}

impl Default for JinjaOptions {
    fn default() -> Self {
        JinjaOptions {
            trim_blocks: false,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            undefined: UndefinedBehavior::Lenient,
        }
    }
}

impl JinjaOptions {
    /// Jinja's own.
    pub fn new() -> JinjaOptions {
        JinjaOptions::default()
    }

    /// Whether the line's end after a block is taken away.
    pub fn trim_blocks(mut self, trim: bool) -> JinjaOptions {
        self.trim_blocks = trim;
        self
    }

    /// Whether blanks before a block, at the beginning of a line, are taken away.
    pub fn lstrip_blocks(mut self, strip: bool) -> JinjaOptions {
        self.lstrip_blocks = strip;
        self
    }

    /// Whether the line's end at a template's end stays.
    pub fn keep_trailing_newline(mut self, keep: bool) -> JinjaOptions {
        self.keep_trailing_newline = keep;
        self
    }

    /// What becomes of names that are not there: `Lenient` (Jinja's `Undefined`, the default) prints nothing, `Chainable`
    /// lets them have attributes too, `Strict` makes each use an error.
    pub fn undefined(mut self, behavior: UndefinedBehavior) -> JinjaOptions {
        self.undefined = behavior;
        self
    }
}
