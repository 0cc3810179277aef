//! The engine, made Jinja's.

use std::sync::Mutex;
use std::sync::PoisonError;

use minijinja::value::{Object, ObjectRepr, Rest, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State};

use super::{filters, functions, methods, print};

/// The name of a template given as text.
pub(super) const STRING: &str = "<string>";

/// An environment with Jinja's filters, tests, functions and methods, and Flask's rule for escaping.
pub(super) fn new() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(auto_escape);
    env.set_formatter(print::write_value);
    // `text.split(',')`, `map.items()` and the like, as Jinja's templates write them.
    env.set_unknown_method_callback(methods::call);
    filters::add_to(&mut env);
    env.add_test("callable", is_callable);
    env.add_test("sequence", |value: &Value| value.kind() == ValueKind::Map || is_sequence(value));
    env.add_test("divisibleby", is_divisible_by);
    env.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    env.add_function("cycler", cycler);
    env.add_function("joiner", joiner);
    env.add_function("dict", functions::dict);
    env.add_function("lipsum", functions::lipsum);
    env
}

/// Flask's rule: these endings are escaped, everything else is not.
fn auto_escape(name: &str) -> AutoEscape {
    let escaped = [".html", ".htm", ".xml", ".xhtml", ".svg"].iter().any(|ending| name.ends_with(ending));
    // A template given as text has no name of its own, and is always escaped.
    if escaped || name == STRING { AutoEscape::Html } else { AutoEscape::None }
}

/// Functions and macros are; other objects cannot be asked.
fn is_callable(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    object.repr() == ObjectRepr::Plain || object.to_string().starts_with("<macro ")
}

/// The engine's own panics at a divisor of 0, which may come from a client.
fn is_divisible_by(value: &Value, by: &Value) -> Result<bool, Error> {
    if let (Ok(value), Ok(by)) = (i128::try_from(value.clone()), i128::try_from(by.clone())) {
        let rest = value.checked_rem(by);
        // -1 divides everything, the smallest number too.
        return if by == 0 { Err(by_zero()) } else { Ok(rest.is_none_or(|rest| rest == 0)) };
    }
    match (f64::try_from(value.clone()), f64::try_from(by.clone())) {
        (Ok(_), Ok(0.0)) => Err(by_zero()),
        (Ok(value), Ok(by)) => Ok(value % by == 0.0),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "the test `divisibleby` is for numbers")),
    }
}

fn by_zero() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the test `divisibleby` cannot divide by 0")
}

/// What has a length and items by number.
fn is_sequence(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Seq | ValueKind::String => true,
        ValueKind::Iterable => value.len().is_some(),
        _ => false,
    }
}

fn cycler(items: Rest<Value>) -> Result<Value, Error> {
    if items.is_empty() {
        return Err(Error::new(ErrorKind::MissingArgument, "a cycler needs at least one item"));
    }
    Ok(Value::from_object(Cycler { items: items.0, next: Mutex::new(0) }))
}

/// `cycler("odd", "even")`: the next item for each call of `next()`.
#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    next: Mutex<usize>,
}

impl Object for Cycler {
    fn repr(self: &std::sync::Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &std::sync::Arc<Self>, key: &Value) -> Option<Value> {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        (key.as_str()? == "current").then(|| self.items[next].clone())
    }

    fn call_method(
        self: &std::sync::Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        match (method, args) {
            ("next", []) => {
                let item = self.items[*next].clone();
                *next = (*next + 1) % self.items.len();
                Ok(item)
            }
            ("reset", []) => {
                *next = 0;
                Ok(Value::from(()))
            }
            _ => Err(ErrorKind::UnknownMethod.into()),
        }
    }
}

fn joiner(separator: Option<Value>) -> Value {
    Value::from_object(Joiner { separator: separator.unwrap_or_else(|| ", ".into()), used: Mutex::new(false) })
}

/// `joiner("|")`: nothing at the first call, then the separator.
#[derive(Debug)]
struct Joiner {
    separator: Value,
    used: Mutex<bool>,
}

impl Object for Joiner {
    fn repr(self: &std::sync::Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &std::sync::Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        if !args.is_empty() {
            return Err(Error::new(ErrorKind::TooManyArguments, "a joiner is called without arguments"));
        }
        let used = std::mem::replace(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner), true);
        Ok(if used { self.separator.clone() } else { "".into() })
    }
}
