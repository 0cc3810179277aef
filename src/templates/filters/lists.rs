//! Filters for lists and dicts.

use std::cmp::Ordering;

use minijinja::value::{Kwargs, Rest, Value, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Error, ErrorKind, State};

use super::Args;
use crate::templates::print;

/// What is not defined has no items.
pub(super) fn length(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(0.into());
    }
    value.len().map(Value::from).ok_or_else(|| {
        let what = format!("the filter `length` is for what has one, and not for a {}", value.kind());
        Error::new(ErrorKind::InvalidOperation, what)
    })
}

pub(super) fn default(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    let absent = value.is_undefined() || (args.is_true("boolean", false) && !value.is_true());
    Ok(if absent { args.required("default_value").cloned().unwrap_or_else(|_| "".into()) } else { value.clone() })
}

/// Pairs, of a dict; none, of what is not defined.
pub(super) fn items(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    minijinja::filters::items(value)
}

/// The engine's filters take the same by name.
fn named(args: &Args, names: &[&'static str]) -> Kwargs {
    names.iter().filter_map(|name| Some((*name, args.get(name)?.clone()))).collect()
}

pub(super) fn dictsort(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    if !matches!(args.text("by", "key")?, "key" | "value") {
        return Err(args.wrong("by", "\"key\" or \"value\""));
    }
    minijinja::filters::dictsort(value, named(args, &["case_sensitive", "by", "reverse"]))
}

pub(super) fn sort(state: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    minijinja::filters::sort(state, value.clone(), named(args, &["reverse", "case_sensitive", "attribute"]))
}

/// So many lists, and items to fill one up, a page may have: as many as `range` has.
const MANY: usize = 100_000;

/// `batch`: the engine would fill a list up to any number.
pub(super) fn batch(state: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    args.required("linecount")?;
    let (count, fill) = (args.number("linecount", 0)?, args.get("fill_with").cloned());
    if fill.is_some() && count > MANY {
        return Err(args.wrong("linecount", "100,000 at most"));
    }
    minijinja::filters::batch(state, value.clone(), count, fill)
}

/// `slice`: the engine would make any number of lists.
pub(super) fn slice(state: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    args.required("slices")?;
    let count = args.number("slices", 0)?;
    if count > MANY {
        return Err(args.wrong("slices", "100,000 at most"));
    }
    minijinja::filters::slice(state, value.clone(), count, args.get("fill_with").cloned())
}

pub(super) fn max(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    best(value, args, Ordering::Greater)
}

pub(super) fn min(_: &mut State<'_, '_>, value: &Value, args: &Args) -> Result<Value, Error> {
    best(value, args, Ordering::Less)
}

/// Of several that are equal, the first.
fn best(value: &Value, args: &Args, wanted: Ordering) -> Result<Value, Error> {
    let case_sensitive = args.is_true("case_sensitive", false);
    let mut best: Option<(Value, Value)> = None;
    for item in value.try_iter()?.checked() {
        let item = item?;
        let mut key = match args.get("attribute") {
            Some(path) => attribute(&item, path),
            None => item.clone(),
        };
        if let (false, Some(text)) = (case_sensitive, key.as_str()) {
            key = text.to_lowercase().into();
        }
        if best.as_ref().is_none_or(|(than, _)| key.cmp(than) == wanted) {
            best = Some((key, item));
        }
    }
    Ok(best.map(|(_, item)| item).unwrap_or_default())
}

/// `city.name`, or a number.
fn attribute(item: &Value, path: &Value) -> Value {
    let Some(path) = path.as_str() else { return item.get_item(path).unwrap_or_default() };
    path.split('.').fold(item.clone(), |item, step| match step.parse::<usize>() {
        Ok(i) => item.get_item_by_index(i).unwrap_or_default(),
        Err(_) => item.get_attr(step).unwrap_or_default(),
    })
}

pub(super) fn random(_: &mut State<'_, '_>, value: &Value, _: &Args) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        let letters: Vec<char> = text.chars().collect();
        return Ok(if letters.is_empty() {
            Value::UNDEFINED
        } else {
            letters[fastrand::usize(..letters.len())].into()
        });
    }
    let items: Vec<Value> = value.try_iter()?.collect();
    Ok(if items.is_empty() { Value::UNDEFINED } else { items[fastrand::usize(..items.len())].clone() })
}

/// An attribute of each, or a filter on each, with all arguments of that.
pub(super) fn map(state: &mut State<'_, '_>, value: &Value, given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let given = given.into_values();
    let (positional, by_name): (&[Value], Kwargs) = from_args(&given)?;
    let items = |value: &Value| match value.is_undefined() {
        true => Ok(Vec::new()),
        false => value.try_iter()?.checked().collect::<Result<Vec<_>, _>>(),
    };
    let Some(filter) = positional.first() else {
        let path: Value = by_name.get::<Option<Value>>("attribute")?.ok_or_else(|| {
            Error::new(ErrorKind::MissingArgument, "the filter `map` needs a filter's name, or `attribute`")
        })?;
        let default = by_name.get::<Option<Value>>("default")?.unwrap_or_default();
        by_name.assert_all_used()?;
        let of = |item: &Value| Some(attribute(item, &path)).filter(|v| !v.is_undefined()).unwrap_or(default.clone());
        return Ok(items(value)?.iter().map(of).collect::<Vec<Value>>().into());
    };
    let Some(filter) = filter.as_str() else {
        return Err(Error::new(ErrorKind::InvalidOperation, "the filter `map` needs a filter's name as a text"));
    };
    let mut mapped = Vec::new();
    for item in items(value)? {
        let mut args = vec![item];
        args.extend_from_slice(&given[1..]);
        mapped.push(state.apply_filter(filter, &args).map_err(|error| match error.kind() {
            ErrorKind::UnknownFilter if error.detail().is_none() => {
                Error::new(ErrorKind::UnknownFilter, format!("filter {filter} is unknown"))
            }
            _ => error,
        })?);
    }
    Ok(mapped.into())
}

/// A value over several lines where one is too short: as Python's `pprint`, with dicts in the order of their keys.
pub(super) fn pretty(value: &Value, indent: usize, room: usize) -> String {
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    match value.kind() {
        ValueKind::Map if print::first_byte(value) == Some(b'{') => {
            for key in value.try_iter().into_iter().flatten() {
                let item = value.get_item(&key).unwrap_or_default();
                pairs.push((key, item));
            }
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        ValueKind::Seq => {}
        _ => return print::repr(value),
    }
    let flat = match value.kind() {
        ValueKind::Map => {
            let parts = pairs.iter().map(|(k, v)| format!("{}: {}", print::repr(k), pretty(v, 0, usize::MAX)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        _ => print::repr(value),
    };
    if flat.chars().count() <= room.saturating_sub(indent) || indent > MARGIN {
        return flat;
    }
    let separator = format!(",\n{}", " ".repeat(indent + 1));
    match value.kind() {
        ValueKind::Map => {
            let part = |(k, v): &(Value, Value)| {
                let key = print::repr(k);
                let inner = pretty(v, indent + key.chars().count() + 3, room);
                format!("{key}: {inner}")
            };
            format!("{{{}}}", pairs.iter().map(part).collect::<Vec<_>>().join(&separator))
        }
        _ => {
            let (begin, end) = if flat.starts_with('(') { ('(', ')') } else { ('[', ']') };
            let parts = value.try_iter().into_iter().flatten().map(|item| pretty(&item, indent + 1, room));
            format!("{begin}{}{end}", parts.collect::<Vec<_>>().join(&separator))
        }
    }
}

/// What is indented further than that stays in one line.
const MARGIN: usize = 200;
