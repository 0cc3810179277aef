//! What templates see of the session: `session` and `get_flashed_messages`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Serde, Value};
use minijinja::{Error, ErrorKind, State};

use super::{Session, data, tagged};
use crate::ctx::Ctx;

/// `session`.
pub(crate) fn object(ctx: &Arc<Ctx>) -> Value {
    Value::from_object(SessionObject(Session::of(ctx)))
}

/// `get_flashed_messages(with_categories=false, category_filter=[])`.
pub(crate) fn flashed_messages(ctx: &Arc<Ctx>) -> Value {
    let session = Session::of(ctx);
    Value::from_function(
        move |with_categories: Option<Value>, category_filter: Option<Value>, named: Kwargs| -> Result<Value, Error> {
            let with_categories = with_categories.or(named.get("with_categories")?);
            let category_filter = category_filter.or(named.get("category_filter")?);
            named.assert_all_used()?;
            let wanted = match category_filter {
                Some(filter) => filter.try_iter()?.collect(),
                None => Vec::new(),
            };
            let message = |text: String, markup| if markup { Value::from_safe_string(text) } else { text.into() };
            let messages = session.flashed_messages().into_iter().filter_map(|flashed| {
                let category = Value::from(flashed.category);
                let shown = wanted.is_empty() || wanted.contains(&category);
                let message = message(flashed.message, flashed.markup);
                let both = with_categories.as_ref().is_some_and(Value::is_true);
                shown.then(|| if both { Value::from(vec![category, message]) } else { message })
            });
            Ok(messages.collect())
        },
    )
}

/// The session in a template: `session.user`, `"user" in session`, `session.get("user", "nobody")`.
struct SessionObject(Session);

impl SessionObject {
    fn value(&self, key: &str) -> Option<Value> {
        let raw = self.0.lock().state.data.raw(key)?.to_owned();
        let wire = data::wire(&raw)?;
        Some(match tagged::markup(&wire) {
            Some(html) => Value::from_safe_string(html.to_owned()),
            None => Value::from(Serde(tagged::untag(wire))),
        })
    }
}

impl Object for SessionObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.value(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().into_iter().map(Value::from).collect())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let keys = || self.0.keys().into_iter();
        let pair = |key: String| self.value(&key).map(|value| Value::from(vec![Value::from(key), value]));
        match (method, args) {
            ("get", [key, default @ ..]) => {
                let value = key.as_str().and_then(|key| self.value(key));
                Ok(value.or_else(|| default.first().cloned()).unwrap_or(Value::from(())))
            }
            ("keys", []) => Ok(keys().map(Value::from).collect()),
            ("values", []) => Ok(keys().filter_map(|key| self.value(&key)).collect()),
            ("items", []) => Ok(keys().filter_map(pair).collect()),
            _ => Err(ErrorKind::UnknownMethod.into()),
        }
    }
}

impl fmt::Debug for SessionObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
