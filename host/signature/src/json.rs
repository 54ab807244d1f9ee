//! Values in the JSON of protocol buffers: bytes in Base64, numbers as text.

use std::time::Duration;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;

/// Bytes, in Base64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Base64Bytes(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Base64Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(|_| D::Error::custom("not Base64"))
    }
}

/// A number that may be written as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LongNumber(pub(crate) u64);

impl<'de> Deserialize<'de> for LongNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.map(Self).ok_or_else(|| D::Error::custom("not a number"))
    }
}

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_rfc3339(&text).ok_or_else(|| D::Error::custom("not a time"))
    }
}

impl Moment {
    /// Reads a time in UTC.
    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        let time = humantime::parse_rfc3339(text).ok()?;
        time.duration_since(SystemTime::UNIX_EPOCH).ok().as_ref().map(Duration::as_secs).map(Self)
    }

    /// The moment for people.
    pub(crate) fn shown(self) -> String {
        smcp_model::time::utc_of(self.0).unwrap_or_else(|| format!("second {}", self.0))
    }
}
