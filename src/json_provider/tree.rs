//! Any value that serde can serialize, as a tree: with floats that are not finite, and keys that are numbers, which
//! `serde_json::Value` does not hold.

use serde::Serializer;
use serde::ser::{Error as _, Serialize};
use serde_json::Error;

use super::text;
use super::tree_maps::{List, Map, Raw, Variant};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Int(i128),
    /// An integer that no integer of Rust's holds.
    Digits(String),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
}

/// A map's key: numbers are sorted as such, and written as text.
#[derive(Debug, Clone)]
pub(super) enum Key {
    Text(String),
    Int(i128),
    Float(f64),
}

impl Key {
    pub(super) fn of(tree: Tree) -> Result<Key, Error> {
        Ok(match tree {
            Tree::Text(text) | Tree::Digits(text) => Key::Text(text),
            Tree::Int(number) => Key::Int(number),
            Tree::Float(number) => Key::Float(number),
            Tree::Bool(truth) => Key::Text(truth.to_string()),
            Tree::Null => Key::Text("null".to_owned()),
            Tree::List(_) | Tree::Map(_) => {
                return Err(Error::custom("a map's key must be text, a number or a truth value to be written as JSON"));
            }
        })
    }
}

/// The serializer.
pub(super) struct ToTree;

/// So serde_json's own types say that they are text to be taken as it is.
pub(super) const RAW: [&str; 2] = ["$serde_json::private::RawValue", "$serde_json::private::Number"];

pub(super) fn raw(json: &str) -> Result<Tree, Error> {
    text::read(json).ok_or_else(|| Error::custom("raw JSON that is none, or nested more than 1000 deep"))
}

impl Serializer for ToTree {
    type Ok = Tree;
    type Error = Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Variant<List>;
    type SerializeMap = Map;
    type SerializeStruct = Raw;
    type SerializeStructVariant = Variant<Map>;

    fn serialize_bool(self, v: bool) -> Result<Tree, Error> {
        Ok(Tree::Bool(v))
    }

    fn serialize_i8(self, v: i8) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_i16(self, v: i16) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_i32(self, v: i32) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_i64(self, v: i64) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_i128(self, v: i128) -> Result<Tree, Error> {
        Ok(Tree::Int(v))
    }

    fn serialize_u8(self, v: u8) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_u16(self, v: u16) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_u32(self, v: u32) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_u64(self, v: u64) -> Result<Tree, Error> {
        Ok(Tree::Int(v.into()))
    }

    fn serialize_u128(self, v: u128) -> Result<Tree, Error> {
        Ok(i128::try_from(v).map_or_else(|_| Tree::Digits(v.to_string()), Tree::Int))
    }

    fn serialize_f32(self, v: f32) -> Result<Tree, Error> {
        // By its shortest digits: 0.1 is to be 0.1, and not what lies nearest to it among the longer ones.
        Ok(Tree::Float(v.to_string().parse().unwrap_or(f64::from(v))))
    }

    fn serialize_f64(self, v: f64) -> Result<Tree, Error> {
        Ok(Tree::Float(v))
    }

    fn serialize_char(self, v: char) -> Result<Tree, Error> {
        Ok(Tree::Text(v.to_string()))
    }

    fn serialize_str(self, v: &str) -> Result<Tree, Error> {
        Ok(Tree::Text(v.to_owned()))
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<Tree, Error> {
        Ok(Tree::List(v.iter().map(|b| Tree::Int((*b).into())).collect()))
    }

    fn serialize_none(self) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Tree, Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Tree, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, Error> {
        Ok(Tree::Map(vec![(Key::Text(variant.to_owned()), value.serialize(self)?)]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Error> {
        Ok(List::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Error> {
        Ok(List::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Error> {
        Ok(List::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Variant<List>, Error> {
        Ok(Variant::new(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map, Error> {
        Ok(Map::default())
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Raw, Error> {
        Ok(if RAW.contains(&name) { Raw::Text(None) } else { Raw::Map(Map::default()) })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Variant<Map>, Error> {
        Ok(Variant::new(variant))
    }
}
