//! Serialises types as words for machines.
//!
//! A type is written as the text that its `as_str` returns, and read back by searching its list of values or by its
//! `FromStr`.

/// Implements `Serialize` for types by their `as_str`.
macro_rules! serialize_as_word {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}

/// Implements `Deserialize` for types that list their values in `ALL`.
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

/// Implements `Deserialize` for types by their `FromStr`.
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
