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

/// Cuts a policy to the findings and exceptions that fit; `None` when the policy itself doesn't. Its findings take at most
/// half of the room and its exceptions a quarter, so that the next policies have some too.
fn cut_policy(mut policy: PolicyResult, room: &mut usize) -> Option<PolicyResult> {
    let (findings, waivers) = (std::mem::take(&mut policy.findings), std::mem::take(&mut policy.waivers));
    let left = room.checked_sub(size(&policy) + RESERVED / 2)?;
    let (mut half, mut quarter) = (left / 2, left / 4);
    let number = waivers.len();
    policy.waivers = waivers.into_iter().map_while(|waiver| fits(&mut quarter, waiver)).collect();
    let unnamed = number - policy.waivers.len();
    policy.findings = cut_list(findings, &mut half, counted);
    // An exception has no room for a count, so it is a remark of the policy.
    policy.findings.extend((unnamed > 0).then(|| counted(SafeText::new(&format!("and {unnamed} more exceptions")))));
    *room = left - left / 2 - left / 4 + half + quarter;
    Some(policy)
}

/// Returns the entry that counts what was left out of a policy.
fn counted(message: SafeText) -> FindingDocument {
    let (kind, code) = (FindingKind::Notice, MORE.to_owned());
    FindingDocument { kind, code, message, fact: None, remedy: None, extensions: Vec::new() }
}

/// Returns an entry that fits into the room, which is less then.
fn fits<T: Serialize>(room: &mut usize, entry: T) -> Option<T> {
    *room = room.checked_sub(size(&entry) + 1)?;
    Some(entry)
}

/// Cuts a list to the first entries that fit, and adds one that counts the others.
fn cut_list<T: Serialize>(list: Vec<T>, room: &mut usize, more: impl FnOnce(SafeText) -> T) -> Vec<T> {
    let number = list.len();
    let mut fitting: Vec<_> = list.into_iter().map_while(|entry| fits(room, entry)).collect();
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
