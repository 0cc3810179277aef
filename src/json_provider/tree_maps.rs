//! The parts of the serializer that gather several values.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::Error;

use super::tree::{Key, ToTree, Tree, raw};

/// A list as it grows.
#[derive(Default)]
pub(super) struct List(Vec<Tree>);

impl List {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.push(value.serialize(ToTree)?);
        Ok(())
    }
}

/// A map as it grows.
#[derive(Default)]
pub(super) struct Map {
    pairs: Vec<(Key, Tree)>,
    key: Option<Key>,
}

impl Map {
    fn add<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        self.pairs.push((Key::Text(key.to_owned()), value.serialize(ToTree)?));
        Ok(())
    }
}

/// A struct, which may be one of serde_json's that stand for text.
pub(super) enum Raw {
    Map(Map),
    Text(Option<Tree>),
}

/// An enum's variant with several values.
pub(super) struct Variant<T> {
    name: &'static str,
    values: T,
}

impl<T: Default> Variant<T> {
    pub(super) fn new(name: &'static str) -> Variant<T> {
        Variant { name, values: T::default() }
    }
}

impl<T> Variant<T> {
    fn named(self, tree: impl FnOnce(T) -> Tree) -> Tree {
        Tree::Map(vec![(Key::Text(self.name.to_owned()), tree(self.values))])
    }
}

impl SerializeSeq for List {
    type Ok = Tree;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.add(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(Tree::List(self.0))
    }
}

impl SerializeTuple for List {
    type Ok = Tree;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.add(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(Tree::List(self.0))
    }
}

impl SerializeTupleStruct for List {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.add(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(Tree::List(self.0))
    }
}

impl SerializeTupleVariant for Variant<List> {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.values.add(value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.named(|list| Tree::List(list.0)))
    }
}

impl SerializeMap for Map {
    type Ok = Tree;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(Key::of(key.serialize(ToTree)?)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().ok_or_else(|| Error::custom("a map's value came without a key"))?;
        self.pairs.push((key, value.serialize(ToTree)?));
        Ok(())
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(Tree::Map(self.pairs))
    }
}

impl SerializeStruct for Raw {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        match self {
            Raw::Map(map) => map.add(key, value),
            Raw::Text(tree) => {
                *tree = match value.serialize(ToTree)? {
                    Tree::Text(json) => Some(raw(&json)?),
                    other => Some(other),
                };
                Ok(())
            }
        }
    }

    fn end(self) -> Result<Tree, Error> {
        match self {
            Raw::Map(map) => Ok(Tree::Map(map.pairs)),
            Raw::Text(tree) => Ok(tree.unwrap_or(Tree::Null)),
        }
    }
}

impl SerializeStructVariant for Variant<Map> {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.values.add(key, value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.named(|map| Tree::Map(map.pairs)))
    }
}
