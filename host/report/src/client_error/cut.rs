//! Makes a decision document small enough for a client.
//!
//! Policies that object are kept before those that pass. What is left out is counted at the end of its list.

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

/// The code of the entry that counts those left out.
const MORE: &str = "more";
/// The space for these counts in the whole document, bytes.
const RESERVED: usize = 512;

/// Cuts the document to the size that a client takes; `None` when its facts alone are too large.
pub(super) fn cut(mut document: DecisionDocument) -> Option<DecisionDocument> {
    if size(&document) <= limits::CLIENT_DATA {
        return Some(document);
    }
    let (policies, notices) = (std::mem::take(&mut document.policies), std::mem::take(&mut document.notices));
    let mut room = limits::CLIENT_DATA.checked_sub(size(&document) + RESERVED)?;
    let (policies, left_out) = cut_policies(policies, &mut room);
    document.policies = policies;
    document.more = (left_out > 0).then(|| format!("and {left_out} more policies"));
    document.notices = cut_list(notices, &mut room, |message| CodedMessage { code: MORE.to_owned(), message });
    Some(document)
}

/// Returns the policies that fit, in their order, and the number of the others.
fn cut_policies(policies: Vec<PolicyResult>, room: &mut usize) -> (Vec<PolicyResult>, usize) {
    let number = policies.len();
    let mut ranked: Vec<_> = policies.into_iter().enumerate().collect();
    ranked.sort_by_key(|(_, policy)| policy.effect == Effect::Pass);
    let mut fitting: Vec<_> =
        ranked.into_iter().filter_map(|(place, policy)| Some((place, cut_policy(policy, room)?))).collect();
    fitting.sort_by_key(|(place, _)| *place);
    let left_out = number - fitting.len();
    (fitting.into_iter().map(|(_, policy)| policy).collect(), left_out)
}

/// Cuts a policy to the findings that fit; `None` when the policy itself doesn't. Its findings take at most half of the
/// room, so that the next policies have some too.
fn cut_policy(mut policy: PolicyResult, room: &mut usize) -> Option<PolicyResult> {
    let findings = std::mem::take(&mut policy.findings);
    let left = room.checked_sub(size(&policy) + RESERVED / 2)?;
    let mut half = left / 2;
    policy.findings = cut_list(findings, &mut half, |message| FindingDocument {
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

/// Cuts a list to the first entries that fit, and adds one that counts the others.
fn cut_list<T: Serialize>(list: Vec<T>, room: &mut usize, more: impl FnOnce(SafeText) -> T) -> Vec<T> {
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

/// Returns the size of a value as it is sent, bytes.
pub(super) fn size(value: &impl Serialize) -> usize {
    // A value that can't be written as JSON never fits; the documents here always can.
    visible::line(value).map_or(usize::MAX, |line| line.len())
}
