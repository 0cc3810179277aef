//! All view arguments together, as one typed value.

use std::fmt;
use std::sync::Arc;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::{FromRequest, Shape};
use crate::ctx::{Ctx, not_found};
use crate::error::{Error, Result};
use crate::routing::ArgRef;

/// All view arguments together: as a struct by their names, as a tuple by their places, or as the only one.
///
/// Where a handler has several, this keeps them apart by name. Values that do not fit the fields' types are answered
/// with 404: such a URL names nothing. Where no value ever fits, as for a field that the rule has no variable for, it is
/// an error that is answered with 500.
///
/// ```
/// use dewar::{App, Path};
///
/// #[derive(serde::Deserialize)]
/// struct Day { year: u16, month: u8 }
///
/// let mut app = App::new("demo");
/// app.get("/<int:year>/<int:month>", |Path(day): Path<Day>| format!("{}-{:02}", day.year, day.month)).endpoint("day");
/// assert_eq!(app.test_client().get("/2024/5").text(), "2024-05");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    fn describe(shape: &mut Shape) {
        shape.takes_all = Some(std::any::type_name::<Self>());
    }

    fn from_request(ctx: &Arc<Ctx>) -> Result<Self> {
        T::deserialize(ViewArgs(ctx)).map(Path).map_err(|error| match error {
            DeError::Value(what) => {
                log::debug!("the view arguments of {} do not fit: {what}", ctx.request().path());
                not_found().into()
            }
            DeError::Type(what) => Error::msg(format!(
                "`{}` can never be made of the view arguments of the rule `{}`: {what}",
                std::any::type_name::<Self>(),
                ctx.url_rule().unwrap_or_default(),
            )),
        })
    }
}

/// Why view arguments are no `T`.
#[derive(Debug)]
enum DeError {
    /// This value does not fit: the URL names nothing.
    Value(String),
    /// No value ever fits: the program asks for what the rule does not give.
    Type(String),
}

impl serde::de::Error for DeError {
    fn custom<M: fmt::Display>(what: M) -> DeError {
        DeError::Value(what.to_string())
    }

    fn invalid_type(got: Unexpected<'_>, wanted: &dyn Expected) -> DeError {
        DeError::Type(format!("invalid type: {got}, expected {wanted}"))
    }

    fn invalid_length(len: usize, wanted: &dyn Expected) -> DeError {
        DeError::Type(format!("invalid length {len}, expected {wanted}"))
    }

    fn unknown_field(field: &str, wanted: &'static [&'static str]) -> DeError {
        DeError::Type(format!("unknown field `{field}`, expected one of {wanted:?}"))
    }

    fn missing_field(field: &'static str) -> DeError {
        DeError::Type(format!("missing field `{field}`"))
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (DeError::Value(what) | DeError::Type(what)) = self;
        what.fmt(f)
    }
}

impl std::error::Error for DeError {}

struct ViewArgs<'a>(&'a Ctx);

impl<'a> ViewArgs<'a> {
    fn values(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let ctx = self.0;
        (0..ctx.view_arg_count()).filter_map(|i| ctx.view_arg(i)).map(Value)
    }

    fn only(&self) -> Result<Value<'a>, DeError> {
        match (self.0.view_arg_count(), self.values().next()) {
            (1, Some(value)) => Ok(value),
            (n, _) => Err(DeError::Type(format!("it has {n} view arguments where one is wanted"))),
        }
    }
}

macro_rules! only {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
            self.only()?.$method(visitor)
        }
    )* };
}

impl<'de> Deserializer<'de> for ViewArgs<'de> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let names = self.0.view_arg_names().iter().map(String::as_str);
        visitor.visit_map(MapDeserializer::new(names.zip(self.values())))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_seq(SeqDeserializer::new(self.values()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, DeError> {
        let n = self.0.view_arg_count();
        if n > len {
            return Err(DeError::Type(format!("it has {n} view arguments, and the tuple has {len} places")));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    only! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option deserialize_identifier
    }

    forward_to_deserialize_any! { unit unit_struct ignored_any }
}

/// One view argument.
struct Value<'a>(ArgRef<'a>);

impl<'de> IntoDeserializer<'de, DeError> for Value<'de> {
    type Deserializer = Value<'de>;

    fn into_deserializer(self) -> Value<'de> {
        self
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.0 {
            ArgRef::Str(text) => visitor.visit_borrowed_str(text),
            ArgRef::Int(n) => visitor.visit_i64(n),
            ArgRef::Float(x) => visitor.visit_f64(x),
            ArgRef::Uuid(uuid) => visitor.visit_string(uuid.to_string()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match self.0 {
            ArgRef::Str(text) => text.into_deserializer().deserialize_enum(name, variants, visitor),
            _ => Err(DeError::Type("a variant's name is wanted".to_owned())),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
