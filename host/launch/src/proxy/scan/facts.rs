//! What the scanner tells: that something is known now, and what is known.
//!
//! Filled by the scanner from either stream, read by the session and by the line.

use crate::proxy::token::Id;
use crate::proxy::token::Method;

/// Something is known now that was not known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanEvent {
    /// A member of the message is complete.
    Member,
    /// The message is complete.
    Message,
}

/// What is known of the message being read, or of the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MessageFacts {
    /// The last `id`.
    pub(crate) id: Option<Id>,
    /// The first one, when there are two.
    pub(crate) first_id: Option<Id>,
    /// The `method`; of several, the one that matters.
    pub(crate) method: Option<Method>,
    /// There is a `result`, or one has begun.
    pub(crate) result: bool,
    /// There is an `error`.
    pub(crate) error: bool,
    /// The result has a key that those of the warning's own methods have.
    pub(crate) shaped: bool,
    /// A key of the message stands twice.
    pub(crate) duplicate: bool,
    /// A key of the result stands twice.
    pub(crate) duplicate_in_result: bool,
    /// There are too many keys to compare.
    pub(crate) crowded: bool,
    /// It began its line and has not left it, so that whoever reads lines has seen all of it.
    pub(crate) on_own_line: bool,
    /// It is an element of a batch.
    pub(crate) batched: bool,
    /// Where the first element of the result's `content` would stand, counted from the scanner's first byte.
    pub(crate) content_at: Option<usize>,
}
