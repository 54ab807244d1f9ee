//! The warning about a server that a model gets before using it (section 7).

use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// A warning in the three forms that the protocol has room for. Made by `report`, inserted into the stream by `launch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The whole text, for `instructions`: from the opening delimiter to the closing one, under 1.5 KiB.
    pub block: String,
    /// One line that begins as the block does, for the descriptions of tools and the result of a call.
    pub short: String,
    /// One sentence, for the `data` of a `notifications/message`.
    pub notification: String,
}

/// Whether a warning was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// An answer to a request of the client has carried it.
    Delivered,
    /// The session ended before an answer could carry it.
    Undelivered,
}

impl Delivery {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Delivered, Self::Undelivered];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
        }
    }
}

serialize_as_word!(Delivery);
deserialize_word!(Delivery);
