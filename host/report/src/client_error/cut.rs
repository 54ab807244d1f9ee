//! Makes a decision document small enough for a client.
//!
//! What refuses is kept before what doesn't, and what is left out is counted where it would stand.

use serde::Serialize;

use smcp_model::decision::CodedMessage;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::FindingDocument;
use smcp_model::decision::FindingKind;
use smcp_model::decision::PolicyResult;
use smcp_model::limits;
use smcp_model::mode::Effect;
use smcp_model::text::SafeText;
use smcp_model::visible;

/// The code of an entry that says how many were left out.
const MORE: &str = "more";
/// What the words about what is missing take, bytes, in all their places.
const RESERVED: usize = 512;

/// The document, with no more than a client takes; `None` when even its facts are too much.
pub(super) fn cut(mut document: DecisionDocument) -> Option<DecisionDocument> {
    if size(&document) <= limits::CLIENT_DATA {
        return Some(document);
    }
    let (policies, notices) = (std::mem::take(&mut document.policies), std::mem::take(&mut document.notices));
    let mut room = limits::CLIENT_DATA.checked_sub(size(&document) + RESERVED)?;
    let (policies, left_out) = kept_policies(policies, &mut room);
    document.policies = policies;
    document.more = (left_out > 0).then(|| format!("and {left_out} more policies"));
    document.notices = kept(notices, &mut room, |message| CodedMessage { code: MORE.to_owned(), message });
    Some(document)
}

/// The policies that there is room for, in their order, and how many there are besides.
fn kept_policies(policies: Vec<PolicyResult>, room: &mut usize) -> (Vec<PolicyResult>, usize) {
    let number = policies.len();
    let mut ranked: Vec<_> = policies.into_iter().enumerate().collect();
    ranked.sort_by_key(|(_, policy)| policy.effect == Effect::Pass);
    let mut fitting: Vec<_> =
        ranked.into_iter().filter_map(|(place, policy)| Some((place, small(policy, room)?))).collect();
    fitting.sort_by_key(|(place, _)| *place);
    let left_out = number - fitting.len();
    (fitting.into_iter().map(|(_, policy)| policy).collect(), left_out)
}

/// A policy with the findings that there is room for; `None` when there is no room for it at all. Its findings take no
/// more than half of what is left, so that the next one has its say too.
fn small(mut policy: PolicyResult, room: &mut usize) -> Option<PolicyResult> {
    let findings = std::mem::take(&mut policy.findings);
    let left = room.checked_sub(size(&policy) + RESERVED / 2)?;
    let mut half = left / 2;
    policy.findings = kept(findings, &mut half, |message| FindingDocument {
        kind: FindingKind::Notice,
        code: MORE.to_owned(),
        message,
        fact: None,
        remedy: None,
        extensions: Vec::new(),
    });
    *room = left / 2 + half;
    Some(policy)
}

/// The first entries of a list that there is room for, and one that says how many there are besides.
fn kept<T: Serialize>(list: Vec<T>, room: &mut usize, more: impl FnOnce(SafeText) -> T) -> Vec<T> {
    let number = list.len();
    let mut fitting = Vec::new();
    for entry in list {
        let Some(left) = room.checked_sub(size(&entry) + 1) else { break };
        *room = left;
        fitting.push(entry);
    }
    let left_out = number - fitting.len();
    if left_out > 0 {
        fitting.push(more(SafeText::new(&format!("and {left_out} more"))));
    }
    fitting
}

/// Bytes of a value as it is sent.
pub(super) fn size(value: &impl Serialize) -> usize {
    // What can't be JSON has no size; none of these can fail.
    visible::line(value).map_or(usize::MAX, |line| line.len())
}
