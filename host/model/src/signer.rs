//! Who must have signed a policy's component: the values of `signed_by`.
//!
//! Before it the configuration was read; after it `smcp-signature` holds signatures against these rules.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;

use crate::text::SafeText;

/// The rule of one component: at least one of its demands must be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy(Vec<Demand>); // INVARIANT: neither the list nor one of its demands is empty, checked by `new`.

/// One item of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// This signer.
    One(Signer),
    /// All of these signers.
    All(Vec<Signer>),
}

/// Somebody who may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The owner of a minisign key.
    Minisign(MinisignKey),
    /// The owner of the key in a PEM file, by a sigstore bundle.
    Key {
        /// The file with the public key.
        file: PathBuf,
        /// The transparency logs that must have the signature; `None` when none is asked for.
        log: Option<TrustedRoot>,
    },
    /// Whoever an issuer has given an identity, by a sigstore bundle with a certificate.
    Keyless {
        /// The issuer's address, as the certificate has it.
        issuer: String,
        /// The identity, as the certificate has it.
        identity: String,
        /// The authorities and logs that are believed.
        root: TrustedRoot,
    },
}

/// The authorities and logs that are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedRoot {
    /// Sigstore's public ones, as they were when smcp was built.
    Public,
    /// Those of a file.
    File(PathBuf),
}

/// A minisign public key.
#[derive(Clone, PartialEq, Eq)]
pub struct MinisignKey {
    id: [u8; 8],
    key: [u8; 32],
}

/// A text can't be a minisign public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a minisign public key is one line of 56 characters that begins with `RW`")]
pub struct MinisignKeyError;

impl SignedBy {
    /// Takes a list of demands; `None` when it, or one of them, is empty: it would ask for nobody.
    pub fn new(demands: Vec<Demand>) -> Option<Self> {
        let is_empty = |demand: &Demand| matches!(demand, Demand::All(all) if all.is_empty());
        (!demands.is_empty() && !demands.iter().any(is_empty)).then_some(Self(demands))
    }

    /// The demands, of which one must be met.
    pub fn demands(&self) -> &[Demand] {
        &self.0
    }

    /// The files that it names.
    pub fn files(&self) -> Vec<&Path> {
        let signers = self.0.iter().flat_map(|demand| match demand {
            Demand::One(signer) => std::slice::from_ref(signer),
            Demand::All(all) => all.as_slice(),
        });
        signers.flat_map(Signer::files).collect()
    }

    /// The rule as a configuration has it.
    pub fn written(&self) -> Value {
        let demand = |demand: &Demand| match demand {
            Demand::One(signer) => signer.written(),
            Demand::All(all) => json!({"all_of": all.iter().map(Signer::written).collect::<Vec<_>>()}),
        };
        self.0.iter().map(demand).collect()
    }
}

impl fmt::Display for SignedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, demand) in self.0.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { ", or " })?;
            match demand {
                Demand::One(signer) => signer.fmt(f)?,
                Demand::All(all) => {
                    for (number, signer) in all.iter().enumerate() {
                        write!(f, "{}{signer}", if number == 0 { "" } else { " and " })?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Signer {
    /// Whether both are one signer, whatever is demanded of his signature.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Minisign(key), Self::Minisign(other)) => key.key() == other.key(),
            (Self::Key { file, .. }, Self::Key { file: other, .. }) => file == other,
            (Self::Keyless { issuer, identity, .. }, Self::Keyless { issuer: of, identity: other, .. }) => {
                (issuer, identity) == (of, other)
            }
            (Self::Minisign(_) | Self::Key { .. } | Self::Keyless { .. }, _) => false,
        }
    }

    /// The signer as a configuration has it.
    fn written(&self) -> Value {
        let path = |path: &PathBuf| json!(path.to_string_lossy());
        let mut value = match self {
            Self::Minisign(key) => json!({"minisign": key.to_string()}),
            Self::Key { file, log } => match log {
                None => json!({"key": path(file)}),
                Some(_) => json!({"key": path(file), "log": "required"}),
            },
            Self::Keyless { issuer, identity, root: _ } => json!({"issuer": issuer, "identity": identity}),
        };
        if let (Value::Object(members), Some(TrustedRoot::File(root))) = (&mut value, self.root()) {
            members.insert("trusted_root".to_owned(), path(root));
        }
        value
    }

    /// The files that it names.
    fn files(&self) -> Vec<&Path> {
        let root = match self.root() {
            Some(TrustedRoot::File(root)) => Some(root.as_path()),
            Some(TrustedRoot::Public) | None => None,
        };
        let key = if let Self::Key { file, .. } = self { Some(file.as_path()) } else { None };
        key.into_iter().chain(root).collect()
    }

    /// The authorities and logs that it takes to verify its signatures.
    pub const fn root(&self) -> Option<&TrustedRoot> {
        match self {
            Self::Minisign(_) => None,
            Self::Key { log, .. } => log.as_ref(),
            Self::Keyless { root, .. } => Some(root),
        }
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minisign(key) => write!(f, "the minisign key {key} (number {})", key.number()),
            Self::Key { file, log: None } => write!(f, "the key in {}", SafeText::new(&file.to_string_lossy())),
            Self::Key { file, log: Some(_) } => {
                write!(f, "the key in {}, in a log", SafeText::new(&file.to_string_lossy()))
            }
            Self::Keyless { issuer, identity, root: _ } => {
                write!(f, "`{}` of {}", SafeText::new(identity), SafeText::new(issuer))
            }
        }
    }
}

impl MinisignKey {
    /// The key with this number.
    pub const fn new(id: [u8; 8], key: [u8; 32]) -> Self {
        Self { id, key }
    }

    /// The key's number, as signatures have it.
    pub const fn id(&self) -> [u8; 8] {
        self.id
    }

    /// The key itself, for Ed25519.
    pub const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The key's number, as minisign shows it.
    pub fn number(&self) -> String {
        format!("{:016X}", u64::from_le_bytes(self.id))
    }
}

impl FromStr for MinisignKey {
    type Err = MinisignKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; 42] =
            STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(MinisignKeyError)?;
        let (algorithm, rest) = bytes.split_first_chunk::<2>().ok_or(MinisignKeyError)?;
        let (id, rest) = rest.split_first_chunk::<8>().ok_or(MinisignKeyError)?;
        let key = rest.try_into().map_err(|_| MinisignKeyError)?;
        if algorithm == b"Ed" { Ok(Self { id: *id, key }) } else { Err(MinisignKeyError) }
    }
}

impl fmt::Display for MinisignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode([b"Ed".as_slice(), &self.id, &self.key].concat()))
    }
}

impl fmt::Debug for MinisignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MinisignKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_minisign_key_is_one_line() {
        let key: MinisignKey = KEY.parse().unwrap();
        assert_eq!((key.to_string().as_str(), key.number().as_str()), (KEY, "E7620F1842B4E81F"));
        let cut = &KEY[..52];
        let legacy = STANDARD.encode([b"ED".as_slice(), &[0; 40]].concat());
        for wrong in ["", "RW", cut, &format!("{KEY}\n"), &format!(" {KEY}"), &KEY.to_lowercase(), &legacy] {
            assert_eq!(wrong.parse::<MinisignKey>(), Err(MinisignKeyError), "{wrong}");
        }
    }

    #[test]
    fn a_rule_asks_for_somebody() {
        let signer = || Signer::Minisign(KEY.parse().unwrap());
        assert_eq!(SignedBy::new(Vec::new()), None);
        assert_eq!(SignedBy::new(vec![Demand::One(signer()), Demand::All(Vec::new())]), None);
        let rule = SignedBy::new(vec![
            Demand::One(signer()),
            Demand::All(vec![
                Signer::Key { file: "/k.pem".into(), log: Some(TrustedRoot::File("/root.json".into())) },
                Signer::Keyless { issuer: "https://i".into(), identity: "a@b".into(), root: TrustedRoot::Public },
            ]),
        ]);
        let rule = rule.unwrap();
        let said = format!(
            "the minisign key {KEY} (number E7620F1842B4E81F), or the key in /k.pem, in a log and `a@b` of https://i"
        );
        assert_eq!(rule.to_string(), said);
        let written = json!([
            {"minisign": KEY},
            {"all_of": [
                {"key": "/k.pem", "log": "required", "trusted_root": "/root.json"},
                {"issuer": "https://i", "identity": "a@b"},
            ]},
        ]);
        assert_eq!(rule.written(), written);
    }
}
