//! The errors of a server that evades its warning.

use thiserror::Error;

/// The server did something that could have kept its warning from the model. The session ends with exit 3.
///
/// Every message says what the server did and what is allowed, and shows nothing of the server's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Evasion {
    /// A line that is too long and may still be an answer.
    #[error(
        "the server sent a line over 8 MiB that may be the answer that has to carry its security warning; until the \
         warning is delivered such an answer has to fit 8 MiB, and a longer line has to begin with the `id` of the \
         request that it answers or with a `method`"
    )]
    TooLong,
    /// Two keys of one object that some client takes for the same.
    #[error(
        "the server sent a message with a duplicate key, of which every client may read another; until its security \
         warning is delivered each key may stand only once, also in another case or spelling"
    )]
    DuplicateKey,
    /// An object with more keys than are compared.
    #[error(
        "the server sent a message with more than 65,536 keys in one object; until its security warning is delivered \
         fewer are allowed"
    )]
    TooManyKeys,
    /// A line turned into an answer after its beginning had been let out as something else.
    #[error(
        "the server sent a message with a `method`, or with the `id` of another request, that then turned into the \
         answer that has to carry its security warning; until the warning is delivered a message is a request or an \
         answer from its beginning"
    )]
    LateAnswer,
    /// An answer that is not a line of its own. No client should read it, but some do.
    #[error(
        "the server sent an answer over several lines, or behind other text on its line; until its security warning \
         is delivered an answer has to be one line of its own"
    )]
    NotOneLine,
    /// An answer that is not JSON, so that the warning can't be put into it.
    #[error(
        "the server sent an answer that is not JSON, so that its security warning can't be put into it; until the \
         warning is delivered an answer has to be valid JSON"
    )]
    Malformed,
    /// An answer with too many places for the warning.
    #[error(
        "the server sent an answer with so many tools that its security warning would add more than 8 MiB to it; \
         until the warning is delivered fewer are allowed"
    )]
    TooManyPlaces,
}
