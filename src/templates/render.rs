//! Rendering, in the order of what happens.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::{Error as TemplateError, ErrorKind, Template, Value};

use super::attribute::TemplateAttribute;
use super::environment::STRING;
use super::stream::{self, Within};
use super::{TemplateNotFound, Templates, loader, names, source_line};
use crate::body::Body;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::signals::{self, Rendering};

/// The first of these templates that there is, rendered.
pub(crate) fn render(ctx: &Arc<Ctx>, choices: &[&str], values: Value) -> Result<String> {
    let templates = templates(ctx)?;
    let template = templates.first_of(ctx, choices)?;
    let names = names::all(&templates, ctx, values)?;
    rendering(ctx, template.name(), &names, || templates.told(template.render(names.clone()), None))
}

/// A text, rendered as a template.
pub(crate) fn render_string(ctx: &Arc<Ctx>, text: &str, values: Value) -> Result<String> {
    let templates = templates(ctx)?;
    let text = &*loader::read_as(Cow::Borrowed(text), &templates.env);
    let template = templates.told(templates.env.template_from_named_str(STRING, text), Some(text))?;
    let names = names::all(&templates, ctx, values)?;
    rendering(ctx, STRING, &names, || templates.told(template.render(names.clone()), Some(text)))
}

/// The first of these templates that there is, rendered while it is read.
pub(crate) fn stream(ctx: &Arc<Ctx>, choices: &[&str], values: Value, within: Within) -> Result<Body> {
    let templates = templates(ctx)?;
    let name = templates.first_of(ctx, choices)?.name().to_owned();
    let names = names::all(&templates, ctx, values)?;
    let ctx = ctx.clone();
    Ok(stream::body(within, move |out| {
        let template = templates.told(templates.env.get_template(&name), None)?;
        rendering(&ctx, &name, &names, || {
            templates.told(template.render_captured_to(names.clone(), out).map(drop), None)
        })
    }))
}

/// A text, rendered as a template while it is read.
pub(crate) fn stream_string(ctx: &Arc<Ctx>, text: &str, values: Value, within: Within) -> Result<Body> {
    let templates = templates(ctx)?;
    let text = loader::read_as(Cow::Borrowed(text), &templates.env).into_owned();
    templates.told(templates.env.template_from_named_str(STRING, &text).map(drop), Some(&text))?;
    let names = names::all(&templates, ctx, values)?;
    let ctx = ctx.clone();
    Ok(stream::body(within, move |out| {
        let template = templates.told(templates.env.template_from_named_str(STRING, &text), Some(&text))?;
        rendering(&ctx, STRING, &names, || {
            templates.told(template.render_captured_to(names.clone(), out).map(drop), Some(&text))
        })
    }))
}

/// What a template exports under this name.
pub(crate) fn attribute(ctx: &Arc<Ctx>, template: &str, attribute: &str) -> Result<TemplateAttribute> {
    let templates = templates(ctx)?;
    templates.first_of(ctx, &[template])?;
    TemplateAttribute::new(templates, ctx.clone(), template.to_owned(), attribute.to_owned())
}

/// One rendering: the one place to tell of each, whole or streamed. `names` is a map of what the template sees.
fn rendering<T>(ctx: &Arc<Ctx>, template: &str, names: &Value, render: impl FnOnce() -> Result<T>) -> Result<T> {
    tell(&signals::BEFORE_RENDER_TEMPLATE, ctx, template, names);
    let rendered = render()?;
    tell(&signals::TEMPLATE_RENDERED, ctx, template, names);
    Ok(rendered)
}

fn tell(signal: &signals::Signal<Rendering>, ctx: &Arc<Ctx>, template: &str, names: &Value) {
    if signal.has_receivers() {
        signal.send(ctx, &Rendering::new(template, names));
    }
}

fn templates(ctx: &Arc<Ctx>) -> Result<Arc<Templates>> {
    ctx.site().parts().get().ok_or_else(|| Error::msg("the app was frozen without templates"))
}

impl Templates {
    /// An error of the engine, with the template's line.
    pub(super) fn told<T>(&self, result: Result<T, TemplateError>, text: Option<&str>) -> Result<T> {
        result.map_err(|error| source_line::shown(&self.env, error, text).into())
    }

    /// The first of these that there is.
    pub(super) fn first_of(&self, ctx: &Ctx, choices: &[&str]) -> Result<Template<'_, '_>> {
        for name in choices {
            match self.env.get_template(name) {
                Ok(template) => return Ok(template),
                Err(error) if error.kind() == ErrorKind::TemplateNotFound => {}
                Err(error) => return self.told(Err(error), None),
            }
        }
        Err(TemplateNotFound::new(choices, self.none_of(ctx, choices)).into())
    }

    fn none_of(&self, ctx: &Ctx, choices: &[&str]) -> String {
        let what = match choices {
            [] => return "a list of templates has no name in it: give at least one".to_owned(),
            [name] => format!("there is no template `{name}`"),
            names => format!("there is none of the templates `{}`", names.join("`, `")),
        };
        match &self.folders[..] {
            [] => format!(
                "{what}: {} is not there, so only those added by `app.template(…)` are; `app.root_path(…)` or \
                 `app.template_folder(…)` name another place",
                ctx.site().root_path().join("templates").display()
            ),
            folders => {
                let places: Vec<_> = folders.iter().map(|folder| folder.path.display().to_string()).collect();
                let added = if choices.len() == 1 { "nor was it added to the app" } else { "nor were they added" };
                format!("{what} in {}, {added}", places.join(" or "))
            }
        }
    }
}
