//! What a server may not do while its warning is undelivered.

use thiserror::Error;

/// A server did what could have kept its warning from the model. The session ends, with exit 3.
///
/// Every text says what the server did and what is allowed; nothing of the server's own words is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Evasion {
    /// A line that is still not known to be nobody's answer.
    #[error(
        "the server sent a line over 8 MiB that may be the answer that has to carry its security warning; until the \
         warning is delivered such an answer has to fit 8 MiB, and a longer line has to begin with the `id` of the \
         request that it answers or with a `method`"
    )]
    TooLong,
    /// Two keys in one object that a client may take for the same.
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
    /// A line that had been let out as something else turns into an answer.
    #[error(
        "the server sent a message with a `method`, or with the `id` of another request, that then turned into the \
         answer that has to carry its security warning; until the warning is delivered a message is a request or an \
         answer from its beginning"
    )]
    LateAnswer,
    /// An answer that no client should read, but some do.
    #[error(
        "the server sent an answer over several lines, or behind other text on its line; until its security warning \
         is delivered an answer has to be one line of its own"
    )]
    NotOneLine,
    /// An answer whose result has no place to put the warning, because it isn't JSON.
    #[error(
        "the server sent an answer that is not JSON, so that its security warning can't be put into it; until the \
         warning is delivered an answer has to be valid JSON"
    )]
    Malformed,
    /// An answer with more places for the warning than are filled.
    #[error(
        "the server sent an answer with so many tools that its security warning would add more than 8 MiB to it; \
         until the warning is delivered fewer are allowed"
    )]
    TooManyPlaces,
}
