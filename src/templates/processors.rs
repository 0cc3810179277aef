//! Values that an app or a blueprint gives to every template.

use std::collections::HashMap;
use std::fmt;

use minijinja::Value;

use crate::ctx::Ctx;
use crate::error::{Error, Result};

/// What [`Scaffold::context_processor`](crate::Scaffold::context_processor) keeps.
pub(crate) type ContextProcessor = Box<dyn Fn() -> Result<Value> + Send + Sync>;

/// What a context processor gives: what `context!` makes, or a result of it.
pub trait ContextValues {
    /// The values by name, or why there are none.
    ///
    /// # Errors
    /// What the processor failed with.
    fn into_values(self) -> Result<Value>;
}

impl ContextValues for Value {
    fn into_values(self) -> Result<Value> {
        Ok(self)
    }
}

impl<E: Into<Error>> ContextValues for Result<Value, E> {
    fn into_values(self) -> Result<Value> {
        self.map_err(Into::into)
    }
}

/// All of them, once the app is frozen.
#[derive(Default)]
pub(crate) struct ContextProcessors {
    app: Vec<ContextProcessor>,
    /// By the blueprint's dotted name.
    blueprints: HashMap<String, Vec<ContextProcessor>>,
}

impl ContextProcessors {
    /// Those of the blueprint of this name, which is empty for the app.
    pub(crate) fn add(&mut self, name: &str, processors: Vec<ContextProcessor>) {
        if processors.is_empty() {
            return;
        }
        match name {
            "" => self.app.extend(processors),
            name => self.blueprints.entry(name.to_owned()).or_default().extend(processors),
        }
    }

    /// Asks those that are for this request: the app's, then the outer blueprint's, then the inner one's.
    pub(super) fn values(&self, ctx: &Ctx) -> Result<Vec<Value>> {
        if self.app.is_empty() && self.blueprints.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = self.app.iter().map(|processor| processor()).collect::<Result<Vec<_>>>()?;
        let blueprint = ctx.blueprint().unwrap_or("");
        let outer = blueprint.match_indices('.').map(|(end, _)| &blueprint[..end]);
        for name in outer.chain([blueprint]) {
            for processor in self.blueprints.get(name).into_iter().flatten() {
                values.push(processor()?);
            }
        }
        Ok(values)
    }
}

impl fmt::Debug for ContextProcessors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextProcessors").field("app", &self.app.len()).finish_non_exhaustive()
    }
}
