//! Words for machines, each in one place.
//!
//! A type that has `as_str` is serialised by it.

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

pub(crate) use serialize_as_word;
