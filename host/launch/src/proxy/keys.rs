//! The keys of messages and results, and the check that none occurs twice.
//!
//! The scanner and the rewriter pass in the raw bytes between the quotes. Names are compared without regard to case, as
//! Go's decoder does, because a client may be laxer than the standard.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::hash::RandomState;

use crate::proxy::token::decode;

/// A key that matters somewhere in an answer or a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProtocolKey {
    /// `jsonrpc` of a message.
    Jsonrpc,
    /// `id` of a message.
    Id,
    /// `method` of a message.
    Method,
    /// `result` of an answer.
    Result,
    /// `error` of an answer.
    Error,
    /// `instructions` of a result.
    Instructions,
    /// `protocolVersion`, `supportedVersions` or `serverInfo`: only the result of a handshake has them.
    Handshake,
    /// `tools` of a result.
    Tools,
    /// `content` of a result.
    Content,
    /// `structuredContent` of a result.
    Structured,
    /// `resultType` of a result.
    ResultType,
    /// `task` of a result, which means that the work is not done yet.
    Task,
    /// `capabilities` of a result.
    Capabilities,
    /// `logging` of the capabilities.
    Logging,
    /// `description` of a tool.
    Description,
    /// `ttlMs` of a result: how long a client may keep it.
    Lifetime,
    /// `cacheScope` of a result: with whom a client may share it.
    Scope,
    /// Any other key.
    Other,
}

/// The names of the keys, as the protocol spells them. `params` is here because every message has it.
const KNOWN: [(&str, ProtocolKey); 20] = [
    ("jsonrpc", ProtocolKey::Jsonrpc),
    ("id", ProtocolKey::Id),
    ("method", ProtocolKey::Method),
    ("params", ProtocolKey::Other),
    ("result", ProtocolKey::Result),
    ("error", ProtocolKey::Error),
    ("instructions", ProtocolKey::Instructions),
    ("protocolVersion", ProtocolKey::Handshake),
    ("supportedVersions", ProtocolKey::Handshake),
    ("serverInfo", ProtocolKey::Handshake),
    ("tools", ProtocolKey::Tools),
    ("content", ProtocolKey::Content),
    ("structuredContent", ProtocolKey::Structured),
    ("resultType", ProtocolKey::ResultType),
    ("task", ProtocolKey::Task),
    ("capabilities", ProtocolKey::Capabilities),
    ("logging", ProtocolKey::Logging),
    ("description", ProtocolKey::Description),
    ("ttlMs", ProtocolKey::Lifetime),
    ("cacheScope", ProtocolKey::Scope),
];

/// The name of a member, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// The key that a lax client takes it for.
    pub(crate) key: ProtocolKey,
    /// Whether a strict client takes it for that key, too.
    pub(crate) exact: bool,
    identity: KeyIdentity,
}

/// Identifies a name. Equal for names that some client takes for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyIdentity {
    /// The index in `KNOWN`.
    Known(u32),
    /// The hash of any other name, with a secret key.
    Hash(u64),
}

impl Name {
    /// Reads the name between two quotes.
    pub(crate) fn read(raw: &[u8], hasher: &RandomState) -> Self {
        for ((name, key), place) in KNOWN.iter().zip(0..) {
            if name.as_bytes() == raw {
                return Self { key: *key, exact: true, identity: KeyIdentity::Known(place) };
            }
        }
        let text = decode(raw);
        for ((name, key), place) in KNOWN.iter().zip(0..) {
            if text.chars().map(fold).eq(name.chars().map(fold)) {
                return Self { key: *key, exact: text == *name, identity: KeyIdentity::Known(place) };
            }
        }
        Self { key: ProtocolKey::Other, exact: false, identity: KeyIdentity::Hash(hasher.hash_one(text.as_ref())) }
    }
}

/// Folds a letter as decoders that ignore case do: Go also takes U+017F for `s` and U+212A for `k`.
pub(crate) fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// The set of the names in one object.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    /// One bit for each entry of `KNOWN`.
    known: u32,
    others: HashSet<u64>,
}

impl KeySet {
    /// Adds a name. False when the set has it already.
    pub(crate) fn insert(&mut self, name: Name) -> bool {
        match name.identity {
            KeyIdentity::Known(place) => {
                let before = self.known;
                self.known |= 1 << place;
                self.known != before
            }
            KeyIdentity::Hash(hash) => self.others.insert(hash),
        }
    }

    /// How many names are not in `KNOWN`.
    pub(crate) fn others(&self) -> usize {
        self.others.len()
    }

    /// Removes all names.
    pub(crate) fn clear(&mut self) {
        self.known = 0;
        self.others.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_some_client_takes_them_for() {
        let hasher = RandomState::new();
        let name = |raw: &str| Name::read(raw.as_bytes(), &hasher);
        for (raw, key, exact) in [
            ("id", ProtocolKey::Id, true),
            ("\\u0069d", ProtocolKey::Id, true),
            ("ID", ProtocolKey::Id, false),
            ("in\u{17f}tructions", ProtocolKey::Instructions, false),
            ("ta\\u017f\u{212a}", ProtocolKey::Task, false),
            ("resultType", ProtocolKey::ResultType, true),
            ("resulttype", ProtocolKey::ResultType, false),
            ("identity", ProtocolKey::Other, false),
            ("", ProtocolKey::Other, false),
        ] {
            assert_eq!((name(raw).key, name(raw).exact), (key, exact), "{raw}");
        }
    }

    #[test]
    fn a_name_stands_twice_when_some_client_takes_two_for_one() {
        let hasher = RandomState::new();
        for (one, other, distinct) in [
            ("id", "id", false),
            ("id", "\\u0049d", false),
            ("RESULT", "re\u{17f}ult", false),
            ("\\u0078", "x", false),
            ("X", "x", true),
            ("protocolVersion", "serverInfo", true),
            ("params", "method", true),
        ] {
            let mut names = KeySet::default();
            assert!(names.insert(Name::read(one.as_bytes(), &hasher)));
            assert_eq!(names.insert(Name::read(other.as_bytes(), &hasher)), distinct, "{one} and {other}");
            names.clear();
            assert!(names.insert(Name::read(other.as_bytes(), &hasher)), "{other}");
        }
    }
}
