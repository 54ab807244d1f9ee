//! What a compiling child and its parent say to each other.
//!
//! The parent sends the length of a component (eight bytes, the lowest first) and the component. The child answers with
//! the length of a head, the head as JSON, and the code up to the end. A length in front says whether all of it came.

use serde::Deserialize;
use serde::Serialize;

use crate::confine::CompilerConfinement;
use smcp_model::limits::compiling;
use smcp_model::text::SafeText;

/// Bytes of a length.
pub(crate) const LENGTH: usize = 8;

/// The head of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    /// The confinement of the child.
    pub(crate) confinement: CompilerConfinement,
    /// The result.
    pub(crate) result: CompileResult,
}

/// The result of compiling a component.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum CompileResult {
    /// Code of this length follows.
    Code(usize),
    /// It can never be compiled.
    Refused {
        /// The reason.
        message: SafeText,
        /// Advice.
        remedy: Option<SafeText>,
    },
    /// There was not enough memory, and the runtime noticed it.
    OutOfMemory,
    /// The answer to a trial: what the confined child could still do.
    Tried(Vec<String>),
}

/// Lays out a message: its length, and its bytes.
pub(crate) fn frame(bytes: &[u8]) -> [u8; LENGTH] {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes()
}

/// The length at the beginning of a message, if the beginning is there and the length at most `most`.
pub(crate) fn length(bytes: &[u8], most: usize) -> Option<usize> {
    let length = u64::from_le_bytes(*bytes.first_chunk::<LENGTH>()?);
    usize::try_from(length).ok().filter(|length| *length <= most)
}

/// Takes an answer apart: the head, and what follows it. `None` when it is not whole.
pub(crate) fn read(mut bytes: Vec<u8>) -> Option<(Reply, Vec<u8>)> {
    let head = length(&bytes, compiling::REPLY)?;
    let end = LENGTH.checked_add(head)?;
    let reply: Reply = serde_json::from_slice(bytes.get(LENGTH..end)?).ok()?;
    bytes.drain(..end);
    let expected = match reply.result {
        CompileResult::Code(length) => length,
        CompileResult::Refused { .. } | CompileResult::OutOfMemory | CompileResult::Tried(_) => 0,
    };
    (bytes.len() == expected).then_some((reply, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(result: CompileResult, code: &[u8]) -> Vec<u8> {
        let head = serde_json::to_vec(&Reply { confinement: CompilerConfinement::default(), result }).unwrap();
        [frame(&head).as_slice(), &head, code].concat()
    }

    #[test]
    fn only_a_whole_answer_is_one() {
        let whole = answer(CompileResult::Code(4), b"code");
        assert_eq!(read(whole.clone()).unwrap().1, b"code");
        for end in 0..whole.len() {
            assert!(read(whole[..end].to_vec()).is_none(), "{end} bytes of it");
        }
        assert!(read([whole, vec![0]].concat()).is_none(), "one byte more");
        let refused = CompileResult::Refused { message: "it is broken".into(), remedy: None };
        assert!(read(answer(refused, b"")).is_some());
        assert!(read(answer(CompileResult::OutOfMemory, b"x")).is_none());
        assert!(read([u64::MAX.to_le_bytes().as_slice(), b"{}"].concat()).is_none());
        assert!(read([2_u64.to_le_bytes().as_slice(), b"{}"].concat()).is_none());
    }
}
