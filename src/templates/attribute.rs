//! One macro, or one value, of a template.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::Kwargs;

use super::{Markup, Templates, names};
use crate::ctx::Ctx;
use crate::error::{Error, Result};

/// What a template exports: a macro to be called, or a value that it sets. Made by
/// [`get_template_attribute`](crate::get_template_attribute).
///
/// It sees the app's globals and the framework's names, but neither values nor context processors, as in Flask. The
/// template's top level runs for each call: what is there beside macros should be short.
#[derive(Clone)]
pub struct TemplateAttribute {
    templates: Arc<Templates>,
    ctx: Arc<Ctx>,
    template: String,
    name: String,
}

impl TemplateAttribute {
    pub(super) fn new(
        templates: Arc<Templates>,
        ctx: Arc<Ctx>,
        template: String,
        name: String,
    ) -> Result<TemplateAttribute> {
        let attribute = TemplateAttribute { templates, ctx, template, name };
        attribute.value()?;
        Ok(attribute)
    }

    /// The value itself: of `{% set version = "1.0" %}` the text.
    ///
    /// # Errors
    /// When the template fails.
    pub fn value(&self) -> Result<Value> {
        self.with(|_, value| Ok(value))
    }

    /// Calls the macro with these values: `hello.call(&["World".into()])`.
    ///
    /// # Errors
    /// When it is no macro, takes other arguments, or fails.
    pub fn call(&self, values: &[Value]) -> Result<Markup> {
        self.call_with(values, &Value::UNDEFINED)
    }

    /// As [`call`](TemplateAttribute::call), with values by name too: `field.call_with(&[], &context! { name => "q" })`.
    ///
    /// # Errors
    /// As that, and when `named` is no map of names.
    pub fn call_with(&self, values: &[Value], named: &Value) -> Result<Markup> {
        let mut given = values.to_vec();
        if !named.is_undefined() {
            let mut pairs = Vec::new();
            for name in named.try_iter()? {
                let text = name.as_str().ok_or_else(|| Error::msg("the arguments by name must have texts as names"))?;
                pairs.push((text.to_owned(), named.get_item(&name)?));
            }
            given.push(Kwargs::from_iter(pairs).into());
        }
        self.with(|state, value| value.call(state, &given)).map(|value| Markup(value.to_string()))
    }

    fn with<T>(
        &self,
        run: impl FnOnce(&mut minijinja::State<'_, '_>, Value) -> Result<T, minijinja::Error>,
    ) -> Result<T> {
        let template = self.templates.first_of(&self.ctx, &[&self.template])?;
        let names = names::globals(&self.templates, &self.ctx);
        let mut module = self.templates.told(template.render_captured(names), None)?;
        if !module.state().exports().contains(&&*self.name) {
            let (template, name) = (&self.template, &self.name);
            return Err(Error::msg(format!(
                "the template `{template}` has no `{name}`: it must be a macro, or be set, outside of blocks, and not \
                 begin with an underscore"
            )));
        }
        let result = module.with_state_mut(|state| {
            let value = state.lookup(&self.name).unwrap_or_default();
            run(state, value)
        });
        self.templates.told(result, None)
    }
}

impl fmt::Debug for TemplateAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TemplateAttribute { template, name, .. } = self;
        f.debug_struct("TemplateAttribute").field("template", template).field("name", name).finish_non_exhaustive()
    }
}
