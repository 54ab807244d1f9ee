//! Decodes JSON into the author's type, and remembers the place of a problem.

use std::slice;

use serde::de;
use serde::de::IntoDeserializer;
use serde::de::Unexpected;
use serde::de::value::StrDeserializer;

use crate::settings::error::Error;
use crate::settings::json::Json;

/// Reads one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoder<'a>(&'a Json);

impl<'a> Decoder<'a> {
    pub(super) const fn new(json: &'a Json) -> Self {
        Self(json)
    }

    fn unexpected(self) -> Unexpected<'a> {
        match self.0 {
            Json::Null => Unexpected::Unit,
            Json::Bool(value) => Unexpected::Bool(*value),
            Json::Unsigned(value) => Unexpected::Unsigned(*value),
            Json::Signed(value) => Unexpected::Signed(*value),
            Json::Float(value) => Unexpected::Float(*value),
            Json::Text(text) => Unexpected::Str(text),
            Json::List(_) => Unexpected::Seq,
            Json::Object(_) => Unexpected::Map,
        }
    }
}

impl<'a, 'de> de::Deserializer<'de> for Decoder<'a> {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Unsigned(value) => visitor.visit_u64(*value),
            Json::Signed(value) => visitor.visit_i64(*value),
            Json::Float(value) => visitor.visit_f64(*value),
            Json::Text(text) => visitor.visit_str(text),
            Json::List(list) => elements(list, visitor),
            Json::Object(entries) => visitor.visit_map(Entries { entries, next: 0 }),
        }
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if matches!(self.0, Json::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// A struct is written as an object. serde would also take a list of its fields, whose order no author writes down.
    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Json::Object(entries) = self.0 else {
            return Err(de::Error::invalid_type(self.unexpected(), &"an object"));
        };
        visitor.visit_map(Entries { entries, next: 0 })
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if let Json::Text(name) = self.0 {
            return visitor.visit_enum(Variant { name, content: None });
        }
        let Json::Object(entries) = self.0 else {
            return Err(de::Error::invalid_type(self.unexpected(), &variants.join(", ").as_str()));
        };
        let [(name, content)] = entries.as_slice() else {
            return Err(de::Error::invalid_length(entries.len(), &"an object with one key"));
        };
        visitor.visit_enum(Variant { name, content: Some(content) })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

fn elements<'de, V: de::Visitor<'de>>(list: &[Json], visitor: V) -> Result<V::Value, Error> {
    let mut elements = Elements { index: 0, rest: list.iter() };
    let value = visitor.visit_seq(&mut elements)?;
    match elements.index {
        read if read == list.len() => Ok(value),
        read => Err(Error::new(format!("found {} entries, allowed are {read}", list.len()))),
    }
}

struct Elements<'a> {
    index: usize,
    rest: slice::Iter<'a, Json>,
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Decoder(value)).map(Some).map_err(|error| error.under(index.to_string()))
    }
}

struct Entries<'a> {
    entries: &'a [(String, Json)],
    next: usize,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((key, _)) = self.entries.get(self.next) else { return Ok(None) };
        if self.entries.iter().take(self.next).any(|(earlier, _)| earlier == key) {
            return Err(Error::repeated().under(key.clone()));
        }
        let name: StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| error.under(key.clone()))
    }

    fn next_value_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, value)) = self.entries.get(self.next) else {
            return Err(Error::new("a value was asked for before its key".to_owned()));
        };
        self.next += 1;
        seed.deserialize(Decoder(value)).map_err(|error| error.under(key.clone()))
    }
}

struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Json>,
}

impl<'a, 'de> de::EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = Content<'a>;

    fn variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'a>), Error> {
        let name: StrDeserializer<'_, Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.name, self.content)))
    }
}

/// The value of a variant that is written as an object with its name as the only key.
struct Content<'a>(&'a str, Option<&'a Json>);

impl<'a> Content<'a> {
    fn decoder(&self) -> Result<Decoder<'a>, Error> {
        self.1
            .map(Decoder)
            .ok_or_else(|| Error::new(format!("found `{}` alone, allowed is an object with that key", self.0)))
    }

    fn under(&self, error: Error) -> Error {
        error.under(self.0.to_owned())
    }
}

impl<'de> de::VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.1 {
            None | Some(Json::Null) => Ok(()),
            Some(_) => Err(self.under(Error::new(format!("found a value, allowed is `{}` alone", self.0)))),
        }
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.decoder()?).map_err(|error| self.under(error))
    }

    fn tuple_variant<V: de::Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_seq(self.decoder()?, visitor).map_err(|error| self.under(error))
    }

    fn struct_variant<V: de::Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_struct(self.decoder()?, "", &[], visitor).map_err(|error| self.under(error))
    }
}
