//! The results of the scanner: its events, and the facts of a message.
//!
//! The scanner fills them from either stream; the session and the line read them.

use crate::proxy::token::Id;
use crate::proxy::token::Method;

/// An event after which more is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanEvent {
    /// A member of the message is complete.
    Member,
    /// The message is complete.
    Message,
}

/// The facts of the message being read, or of the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MessageFacts {
    /// The last `id`.
    pub(crate) id: Option<Id>,
    /// The first `id`, if there are several.
    pub(crate) first_id: Option<Id>,
    /// The `method`; if there are several, the one that matters.
    pub(crate) method: Option<Method>,
    /// There is a `result`, or one has begun.
    pub(crate) result: bool,
    /// There is an `error`.
    pub(crate) error: bool,
    /// The result has a key of those results that have to carry the warning.
    pub(crate) shaped: bool,
    /// A key of the message occurs twice.
    pub(crate) duplicate: bool,
    /// A key of the result occurs twice.
    pub(crate) duplicate_in_result: bool,
    /// There are too many keys to compare.
    pub(crate) crowded: bool,
    /// The message began its line and is still on it, so that clients that read lines see all of it.
    pub(crate) on_own_line: bool,
    /// The message is an element of a batch.
    pub(crate) batched: bool,
    /// The place for a first element of the result's `content`, counted from the scanner's first byte.
    pub(crate) content_at: Option<usize>,
}
