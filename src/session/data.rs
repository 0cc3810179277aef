//! The values of a session: each is kept as the text that it came in, until it is asked for or set.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use serde_json::{Error, Value};

use super::tagged::{self, Tagged};
use crate::signing::json;

/// The values of a session, by key, apart from any request: see [`SessionSerializer`](crate::SessionSerializer).
///
/// A value that is not set anew is written as it was read, whatever Python type Flask had tagged it as.
#[derive(Clone, Default)]
pub struct SessionData(BTreeMap<String, Box<RawValue>>);

impl SessionData {
    /// No values.
    pub fn new() -> SessionData {
        SessionData::default()
    }

    /// The value of this key, when it is there and a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        decode(self.raw(key)?)
    }

    /// Sets a value: anything that can be JSON.
    ///
    /// # Errors
    /// When it cannot.
    pub fn set(&mut self, key: impl Into<String>, value: impl Serialize) -> Result<(), Error> {
        self.insert(key.into(), encode(value)?);
        Ok(())
    }

    /// Sets a value of a type that Python has and JSON has not.
    pub fn set_tagged(&mut self, key: impl Into<String>, value: Tagged) {
        self.insert(key.into(), raw(value.into_wire()));
    }

    /// Takes a value out; says whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        self.take(key).is_some()
    }

    /// Takes all values out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is a value of this key.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads Flask's tagged JSON, which a cookie's payload is.
    ///
    /// ```
    /// use dewar::SessionData;
    ///
    /// let data = SessionData::from_tagged_json(r#"{"at":{" t":[3,4]},"token":{" b":"3q0="}}"#)?;
    /// assert_eq!(data.get::<(i32, i32)>("at"), Some((3, 4)));
    /// assert_eq!(data.get::<Vec<u8>>("token"), Some(vec![0xde, 0xad]));
    /// assert_eq!(data.to_tagged_json(), r#"{"at":{" t":[3,4]},"token":{" b":"3q0="}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// When it is not JSON, or no object.
    pub fn from_tagged_json(json: &str) -> Result<SessionData, Error> {
        let mut values: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json)?;
        let lone = values.first_key_value().filter(|(key, _)| values.len() == 1 && tagged::is_tag(key));
        if let Some((tag, inner)) = lone {
            // A session of one value may look like a tagged value, and is tagged itself then.
            if tag != tagged::DICT {
                return Err(Error::custom("a tagged value, but no dict"));
            }
            let inner: BTreeMap<String, Box<RawValue>> = serde_json::from_str(inner.get())?;
            let unescaped = |(key, value): (String, _)| Some((key.strip_suffix("__")?.to_owned(), value));
            values = inner
                .into_iter()
                .map(unescaped)
                .collect::<Option<_>>()
                .ok_or_else(|| Error::custom("a dict's tag without a dict"))?;
        }
        Ok(SessionData(values))
    }

    /// Writes Flask's tagged JSON: sorted keys, no blanks, ASCII.
    pub fn to_tagged_json(&self) -> String {
        let json = match self.0.first_key_value().filter(|(key, _)| self.0.len() == 1 && tagged::is_tag(key)) {
            Some((key, value)) => {
                let (outer, inner) = tagged::escaped(key);
                format!("{{\"{outer}\":{{\"{inner}\":{value}}}}}")
            }
            None => serde_json::to_string(&self.0).expect("keys are text, and values are JSON already"),
        };
        json::ascii(json)
    }

    pub(super) fn raw(&self, key: &str) -> Option<&RawValue> {
        self.0.get(key).map(|value| &**value)
    }

    pub(super) fn insert(&mut self, key: String, value: Box<RawValue>) {
        self.0.insert(key, value);
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Box<RawValue>> {
        self.0.remove(key)
    }
}

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, value.get()))).finish()
    }
}

pub(super) fn decode<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    T::deserialize(tagged::untag(wire(raw)?)).ok()
}

/// A value with its tags.
pub(super) fn wire(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

pub(super) fn encode(value: impl Serialize) -> Result<Box<RawValue>, Error> {
    Ok(raw(tagged::tag(serde_json::to_value(value)?)))
}

pub(super) fn raw(wire: Value) -> Box<RawValue> {
    RawValue::from_string(tagged::text(wire)).expect("it was just written as JSON")
}
