//! Words for machines, each in one place.
//!
//! A type that has `as_str` is written by it, and read back through the list of all its words or its `FromStr`.

/// Serialises types as what their `as_str` gives.
macro_rules! serialize_as_word {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}

/// Reads types back that have an `ALL`: the one of them that has the word.
macro_rules! deserialize_word {
    ($($name:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::ALL.into_iter().find(|known| known.as_str() == word).ok_or_else(|| {
                    let allowed = Self::ALL.map(|known| known.as_str()).join(", ");
                    serde::de::Error::custom(format!("expected one of {allowed}"))
                })
            }
        }
    )+};
}

/// Reads types back through their `FromStr`.
macro_rules! deserialize_parsed {
    ($($name:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

pub(crate) use deserialize_parsed;
pub(crate) use deserialize_word;
pub(crate) use serialize_as_word;
