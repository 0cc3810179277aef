//! `g` in a template.

use std::sync::Arc;

use minijinja::value::{Object, Serde, Value};
use minijinja::{Error as TemplateError, ErrorKind};

use crate::ctx::G;

/// `g` in a template: what is text, a number, a truth value, one of these or `None`, JSON or a template value, and what was set to be shown.
/// Anything else is an error that says so: as undefined, `{% if g.user %}` would just be false.
#[derive(Debug)]
pub(super) struct GObject(pub(super) G);

impl Object for GObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        macro_rules! first_of {
            ($($t:ty),*) => { $(
                if let Some(value) = self.0.look::<$t>(name) { return Some(Value::from(value)); }
                if let Some(value) = self.0.look::<Option<$t>>(name) { return Some(Value::from(value)); }
            )* };
        }
        first_of!(String, &'static str, bool, i32, i64, u32, u64, usize, f64, Value);
        if let Some(value) = self.0.look::<serde_json::Value>(name) {
            return Some(Value::from(Serde(value)));
        }
        Some(match self.0.shown(name)? {
            Ok(value) => Value::from(Serde(value)),
            Err(why) => Value::from(TemplateError::new(ErrorKind::InvalidOperation, why)),
        })
    }
}
