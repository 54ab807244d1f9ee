//! Checks that every client can read an answer; only then does it count.
//!
//! A client drops an answer that it can't read and goes on waiting. The server could then send a readable one without
//! the warning. So an answer counts only if the strictest decoder in use accepts it. Others carry the warning too, but
//! don't count as its delivery.

use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

/// The nesting depth that every decoder accepts: .NET's stops at 64, our own members included.
const DEPTH: usize = 60;

/// Whether every client can read these bytes as JSON.
pub(crate) fn is_read_by_all(line: &[u8]) -> bool {
    let mut reader = serde_json::Deserializer::from_slice(line);
    Depth(0).deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// Checks a value without storing it: strings have to be Unicode, numbers have to fit, and nesting has a limit.
#[derive(Clone, Copy)]
struct Depth(usize);

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON that every client reads")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while map.next_key_seed(inner)?.is_some() {
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

impl Depth {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.0 == DEPTH { Err(E::custom("too deep")) } else { Ok(Self(self.0 + 1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_strictest_decoder_reads_counts() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for line in [r#"{"a":[1,-2.5e3,"x\ud83d\ude80é",null,true]}"#, " {} ", &nested(60)] {
            assert!(is_read_by_all(line.as_bytes()), "{line}");
        }
        for line in [
            "{\"a\":1,}",
            "{} x",
            "{}{}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":1e999}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\u{1}\"}",
            "\u{feff}{}",
            &nested(61),
        ] {
            assert!(!is_read_by_all(line.as_bytes()), "{line}");
        }
        assert!(!is_read_by_all(b"{\"a\":\"\xff\"}"));
    }
}
