//! Transparency logs of signatures: that an entry is in one, and when.
//!
//! An entry proves itself: a path of hashes leads from it to the head of the log, and the log has signed the head. The
//! first generation of logs has also signed the time at which it took the entry in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::bundle::hex;
use crate::flaw::Flaw;
use crate::json::Base64Bytes;
use crate::json::LongNumber;
use crate::json::Moment;
use crate::public_key::HashKind;
use crate::root::TrustedLog;

/// An entry of a log, as a bundle has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogEntry {
    log_index: LongNumber,
    log_id: RawLogId,
    pub(crate) kind_version: LogEntryKind,
    #[serde(default)]
    integrated_time: LongNumber,
    inclusion_promise: Option<Promise>,
    inclusion_proof: Option<InclusionProof>,
    pub(crate) canonicalized_body: Base64Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLogId {
    key_id: Base64Bytes,
}

/// The form of an entry.
#[derive(Debug, Deserialize)]
pub(crate) struct LogEntryKind {
    pub(crate) kind: String,
    pub(crate) version: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: Base64Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionProof {
    log_index: LongNumber,
    root_hash: Base64Bytes,
    tree_size: LongNumber,
    #[serde(default)]
    hashes: Vec<Base64Bytes>,
    checkpoint: RawCheckpoint,
}

#[derive(Debug, Deserialize)]
struct RawCheckpoint {
    envelope: String,
}

impl LogEntry {
    /// Makes sure that a log that is believed has the entry, and returns the time at which it took it in, if it has
    /// signed one.
    pub(crate) fn prove(&self, logs: &[TrustedLog], now: Moment) -> Result<Option<Moment>, Flaw> {
        let time = self.promised_time(logs, now)?;
        let of_this = |log: &&TrustedLog| log.id == self.log_id.key_id.0;
        // Without a time of its own an entry has the time of a time-stamp, which was checked against the certificate.
        let mut known = logs.iter().filter(of_this).filter(|log| time.is_none_or(|time| log.window.holds(time)));
        let log = known.next().ok_or(Flaw::Entry("the log is not one that is believed"))?;
        self.prove_inclusion(log)?;
        Ok(time)
    }

    /// The time that the log has promised to have taken the entry in at.
    fn promised_time(&self, logs: &[TrustedLog], now: Moment) -> Result<Option<Moment>, Flaw> {
        // Newer logs sign no time.
        let (Some(promise), true) = (&self.inclusion_promise, self.kind_version.version == "0.0.1") else {
            return Ok(None);
        };
        let (time, id) = (Moment(self.integrated_time.0), &self.log_id.key_id.0);
        let log = logs.iter().find(|log| log.id == *id && log.window.holds(time));
        let log = log.ok_or(Flaw::Entry("the log is not one that is believed, or was not at that time"))?;
        // The members in the order of their names, as the log has signed them.
        let signed = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
            STANDARD.encode(&self.canonicalized_body.0),
            time.0,
            hex(id),
            self.log_index.0,
        );
        if !log.key.has_signed(log.key.usual_hash(), signed.as_bytes(), &promise.signed_entry_timestamp.0) {
            return Err(Flaw::Entry("the log has not signed the time of the entry"));
        }
        match time.0 > now.0.saturating_add(CLOCKS_DIFFER) {
            true => Err(Flaw::Entry("its time is in the future")),
            false => Ok(Some(time)),
        }
    }

    fn prove_inclusion(&self, log: &TrustedLog) -> Result<(), Flaw> {
        let proof = self.inclusion_proof.as_ref().ok_or(Flaw::Entry("it has no proof that the log has it"))?;
        let head =
            Checkpoint::read(&proof.checkpoint.envelope).ok_or(Flaw::Entry("the head of the log is malformed"))?;
        if !head.is_signed_by(log) {
            return Err(Flaw::Entry("the head of the log is not signed by it"));
        }
        let size_and_root = (proof.tree_size.0, proof.root_hash.0.as_slice());
        // The first generation repeats in the proof what the head says. What the next one repeats counts for nothing.
        if self.kind_version.version == "0.0.1" && size_and_root != (head.size, head.root.as_slice()) {
            return Err(Flaw::Entry("the proof is about another head of the log"));
        }
        let index = if self.kind_version.version == "0.0.1" { proof.log_index.0 } else { self.log_index.0 };
        let leaf = HashKind::Sha256.of(&[&[0], self.canonicalized_body.0.as_slice()].concat());
        let path: Vec<_> = proof.hashes.iter().map(|hash| hash.0.as_slice()).collect();
        let root = root_of(&leaf, index, head.size, &path).ok_or(Flaw::Entry("the proof leads nowhere"))?;
        if root == head.root { Ok(()) } else { Err(Flaw::Entry("the proof does not lead to the head of the log")) }
    }
}

/// How far the clock of a log may be ahead of this machine's, seconds.
const CLOCKS_DIFFER: u64 = 300;

/// The signed head of a log: its size and its root.
struct Checkpoint<'t> {
    text: &'t str,
    size: u64,
    root: Vec<u8>,
    signatures: &'t str,
}

impl<'t> Checkpoint<'t> {
    /// Reads a head: lines, an empty one, and signatures.
    fn read(envelope: &'t str) -> Option<Self> {
        let end = envelope.find("\n\n")?.checked_add(1)?;
        let (text, rest) = envelope.split_at_checked(end)?;
        let mut lines = text.lines().skip(1);
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?;
        Some(Self { text, size, root, signatures: rest.strip_prefix('\n')? })
    }

    /// Whether one of the signatures is the log's.
    fn is_signed_by(&self, log: &TrustedLog) -> bool {
        self.signatures.lines().any(|line| {
            let words = line.strip_prefix("— ").and_then(|line| line.rsplit_once(' '));
            let bytes = words.and_then(|(_, text)| STANDARD.decode(text).ok()).unwrap_or_default();
            let parts = bytes.split_first_chunk::<4>();
            parts.is_some_and(|(hint, signature)| {
                log.id.starts_with(hint) && log.key.has_signed(log.key.usual_hash(), self.text.as_bytes(), signature)
            })
        })
    }
}

/// Returns the root to which a path of hashes leads from a leaf (RFC 6962, section 2.1.1); `None` when the path is too
/// short or too long for a tree of this size.
fn root_of(leaf: &[u8], index: u64, size: u64, path: &[&[u8]]) -> Option<Vec<u8>> {
    if index >= size {
        return None;
    }
    let (mut index, mut last) = (index, size.checked_sub(1)?);
    let mut hash = leaf.to_vec();
    for sibling in path {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            hash = HashKind::Sha256.of(&[&[1], *sibling, &hash].concat());
            // The last leaf of a level has no sibling until its number is odd.
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = HashKind::Sha256.of(&[&[1], hash.as_slice(), *sibling].concat());
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(prefix: u8, parts: &[&[u8]]) -> Vec<u8> {
        HashKind::Sha256.of(&[&[prefix], parts.concat().as_slice()].concat())
    }

    /// The root of these leaves, and the path to one of them, as RFC 6962 defines both.
    fn tree(leaves: &[Vec<u8>], index: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
        if leaves.len() == 1 {
            return (leaves[0].clone(), Vec::new());
        }
        let split = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(split);
        let of = |leaves: &[Vec<u8>], inside: Option<usize>| tree(leaves, inside.unwrap_or(0));
        let (is_left, below) = (index < split, if index < split { index } else { index - split });
        let (left, mut path) = {
            let (root, path) = of(left, is_left.then_some(below));
            (root, path)
        };
        let (right, right_path) = of(right, (!is_left).then_some(below));
        let root = hash(1, &[&left, &right]);
        if is_left {
            path.push(right);
            (root, path)
        } else {
            let mut path = right_path;
            path.push(left);
            (root, path)
        }
    }

    #[test]
    fn every_path_in_every_small_tree_leads_to_its_root_and_no_other_does() {
        for size in 1..=40_usize {
            let leaves: Vec<_> = (0..size).map(|leaf| hash(0, &[&leaf.to_be_bytes()])).collect();
            for index in 0..size {
                let (root, path) = tree(&leaves, index);
                let path: Vec<_> = path.iter().map(Vec::as_slice).collect();
                let at = |index: usize, size: usize, path: &[&[u8]]| {
                    root_of(&leaves[index.min(leaves.len() - 1)], index as u64, size as u64, path)
                };
                assert_eq!(at(index, size, &path), Some(root.clone()), "{index} of {size}");
                assert_ne!(at(index, size, path.get(1..).unwrap_or(&[&[0; 32]])), Some(root.clone()));
                assert_eq!(at(size, size, &path), None);
                let longer = [path.clone(), vec![&[0; 32][..]]].concat();
                assert_eq!(at(index, size, &longer), None, "{index} of {size}");
                let neighbour = (index + 1) % size;
                assert!(size == 1 || at(neighbour, size, &path) != Some(root), "{index} of {size}");
            }
        }
    }

    #[test]
    fn a_head_is_lines_and_signatures() {
        let head = Checkpoint::read("log\n12\nAAEC\nmore\n\n— log AAAA\n").unwrap();
        assert_eq!((head.size, head.root.as_slice()), (12, &[0, 1, 2][..]));
        assert_eq!(head.text, "log\n12\nAAEC\nmore\n");
        for text in ["", "log\n", "log\n12\n\n", "log\n-1\nAAEC\n\n", "log\n12\n!\n\n", "log\n12\nAAEC\n"] {
            assert!(Checkpoint::read(text).is_none(), "{text:?}");
        }
    }
}
