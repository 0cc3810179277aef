//! A filter's arguments, by position or by name, as Python takes them.

use minijinja::value::{Kwargs, Rest, Value, ValueOrKwargs, from_args};
use minijinja::{Error, ErrorKind};

pub(super) struct Args {
    filter: &'static str,
    names: &'static [&'static str],
    values: Vec<Option<Value>>,
}

impl Args {
    pub(super) fn bind(
        filter: &'static str,
        names: &'static [&'static str],
        given: Rest<ValueOrKwargs>,
    ) -> Result<Args, Error> {
        let given = given.into_values();
        let (positional, named): (&[Value], Kwargs) = from_args(&given)?;
        if positional.len() > names.len() {
            let what = format!("the filter `{filter}` takes {} at most: {}", names.len(), names.join(", "));
            return Err(Error::new(ErrorKind::TooManyArguments, what));
        }
        let mut values: Vec<Option<Value>> = positional.iter().cloned().map(Some).collect();
        values.resize(names.len(), None);
        for name in named.args() {
            let Some(at) = names.iter().position(|known| *known == name) else {
                let what = format!("the filter `{filter}` has no argument `{name}`; it has: {}", names.join(", "));
                return Err(Error::new(ErrorKind::TooManyArguments, what));
            };
            if values[at].is_some() {
                let what = format!("the filter `{filter}` was given `{name}` twice");
                return Err(Error::new(ErrorKind::TooManyArguments, what));
            }
            values[at] = Some(named.get(name)?);
        }
        Ok(Args { filter, names, values })
    }

    fn at(&self, name: &str) -> Option<&Value> {
        let at = self.names.iter().position(|known| *known == name)?;
        self.values[at].as_ref()
    }

    /// The argument, where it was given and is not `none`.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.at(name).filter(|value| !value.is_none() && !value.is_undefined())
    }

    pub(super) fn required(&self, name: &str) -> Result<&Value, Error> {
        self.at(name).ok_or_else(|| {
            Error::new(ErrorKind::MissingArgument, format!("the filter `{}` needs `{name}`", self.filter))
        })
    }

    pub(super) fn is_true(&self, name: &str, default: bool) -> bool {
        self.at(name).map_or(default, Value::is_true)
    }

    /// A number of something, which is not negative.
    pub(super) fn number(&self, name: &str, default: usize) -> Result<usize, Error> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match usize::try_from(value.clone()) {
            // More than that is nothing that a page could hold.
            Ok(n) if n <= MOST => Ok(n),
            _ => Err(self.wrong(name, "a number from 0 to 10 million")),
        }
    }

    pub(super) fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, Error> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| self.wrong(name, "a text")),
        }
    }

    pub(super) fn wrong(&self, name: &str, wanted: &str) -> Error {
        let what = format!("the filter `{}` takes {wanted} as `{name}`", self.filter);
        Error::new(ErrorKind::InvalidOperation, what)
    }
}

/// So that a width that came from elsewhere does not take all memory.
pub(super) const MOST: usize = 10_000_000;
