//! The names that a template sees.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Serde, Value, ValueKind, from_args};
use minijinja::{Error as TemplateError, ErrorKind, State};

use super::Templates;
use super::context_free::{self, Closed};
use super::g_object::GObject;
use super::request_object::RequestObject;
use crate::ctx::Ctx;
use crate::error::Result;
use crate::routing::{UrlValue, ViewArg};

/// The framework's names that an app may replace by globals of its own. `request`, `session` and `g` are values of the
/// context in Flask, which come before globals.
pub(super) const GLOBALS: &[&str] = &["url_for", "get_flashed_messages", "config"];

/// The values that are given to a template, then those of context processors, then the framework's names. The engine's
/// globals come last.
#[derive(Debug)]
pub(super) struct Names {
    ctx: Arc<Ctx>,
    values: Value,
    /// Of the context processors: of two for one name the later one counts.
    processed: Vec<Value>,
    overridden: Vec<&'static str>,
    closed: Closed,
    /// Made once for a page: it keeps what it has made.
    request: OnceLock<Value>,
    /// So is this: a page may ask for it in each of its rows.
    url_for: OnceLock<Value>,
}

/// What a template that is rendered for this request sees.
pub(super) fn all(templates: &Templates, ctx: &Arc<Ctx>, values: Value) -> Result<Value> {
    Ok(names(templates, ctx, values, templates.processors.values(ctx)?))
}

/// What a template sees that is taken without a context: the framework's names alone.
pub(super) fn globals(templates: &Templates, ctx: &Arc<Ctx>) -> Value {
    names(templates, ctx, Value::UNDEFINED, Vec::new())
}

fn names(templates: &Templates, ctx: &Arc<Ctx>, values: Value, processed: Vec<Value>) -> Value {
    let overridden = templates.overridden.clone();
    let (closed, request, url_for) = (Closed::default(), OnceLock::new(), OnceLock::new());
    Value::from_object(Names { ctx: ctx.clone(), values, processed, overridden, closed, request, url_for })
}

impl AsRef<Closed> for Names {
    fn as_ref(&self) -> &Closed {
        &self.closed
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        if !self.closed.is_closed() {
            for values in std::iter::once(&self.values).chain(self.processed.iter().rev()) {
                if let Some(value) = values.as_object().and_then(|values| values.get_value_by_str(name))
                    && !value.is_undefined()
                {
                    return Some(value);
                }
            }
        }
        if self.overridden.contains(&name) {
            return None;
        }
        match name {
            "request" => {
                let made = || Value::from_object(RequestObject::new(self.ctx.clone()));
                Some(self.request.get_or_init(made).clone())
            }
            "g" => Some(Value::from_object(GObject(self.ctx.g()))),
            "config" => Some(Value::from(Serde(self.ctx.site().config().iter().collect::<BTreeMap<_, _>>()))),
            #[cfg(feature = "sessions")]
            "session" => Some(crate::session::in_templates::object(&self.ctx)),
            #[cfg(feature = "sessions")]
            "get_flashed_messages" => Some(crate::session::in_templates::flashed_messages(&self.ctx)),
            "url_for" => {
                let made = || Value::from_object(UrlFor(self.ctx.clone()));
                Some(self.url_for.get_or_init(made).clone())
            }
            context_free::FUNCTION => {
                let names = self.clone();
                Some(Value::from_function(move |name: Value| context_free::name(&names, name)))
            }
            _ => None,
        }
    }

    /// The names that were given, and Flask's: what a listener to renderings is shown.
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names: Vec<Value> = Vec::new();
        for values in std::iter::once(&self.values).chain(&self.processed) {
            names.extend(values.try_iter().into_iter().flatten().filter(|name| name.as_str().is_some()));
        }
        names.extend(["g", "request"].map(Value::from));
        #[cfg(feature = "sessions")]
        names.push(Value::from("session"));
        names.sort();
        names.dedup();
        Enumerator::Values(names)
    }
}

/// The function `url_for` of a page. An object and no closure: what a page calls in each row is worth the shorter way.
#[derive(Debug)]
struct UrlFor(Arc<Ctx>);

impl Object for UrlFor {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, TemplateError> {
        let (endpoint, values) = from_args::<(&str, Kwargs)>(args)?;
        let mut names = values.args();
        let url = match (names.next(), names.next()) {
            // Most have one value, or none.
            (Some(name), None) => self.0.url_for(endpoint, &[(name, url_value(&values.peek::<Value>(name)?))]),
            (first, second) => {
                let mut named = Vec::new();
                for name in first.into_iter().chain(second).chain(names) {
                    named.push((name, url_value(&values.peek::<Value>(name)?)));
                }
                self.0.url_for(endpoint, &named)
            }
        };
        url.map(Value::from).map_err(|error| TemplateError::new(ErrorKind::InvalidOperation, error.to_string()))
    }
}

fn url_value(value: &Value) -> UrlValue {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => UrlValue::None,
        ValueKind::Seq | ValueKind::Iterable => match value.try_iter() {
            Ok(items) => UrlValue::Many(items.map(|item| view_arg(&item)).collect()),
            Err(_) => UrlValue::One(view_arg(value)),
        },
        _ => UrlValue::One(view_arg(value)),
    }
}

fn view_arg(value: &Value) -> ViewArg {
    if value.is_integer() {
        if let Ok(n) = i64::try_from(value.clone()) {
            return n.into();
        }
    } else if value.is_number()
        && let Ok(x) = f64::try_from(value.clone())
    {
        return x.into();
    }
    value.to_string().into()
}
