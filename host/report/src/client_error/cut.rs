//! Makes a decision document small enough for a client.
//!
//! What refuses is kept before what doesn't, and what is left out is counted where it would stand.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use smcp_model::limits;
use smcp_model::visible;

/// What the words about what is missing take, bytes, in all their places.
const RESERVED: usize = 512;

/// The document, with no more than a client takes; none when even its facts are too much.
pub(super) fn cut(document: Value) -> Option<Value> {
    if size(&document) <= limits::CLIENT_DATA {
        return Some(document);
    }
    let Value::Object(mut document) = document else { return None };
    let (policies, notices) = (take(&mut document, "policies"), take(&mut document, "notices"));
    let base = size(&document.clone().into());
    let mut room = limits::CLIENT_DATA.checked_sub(base + RESERVED)?;
    let (policies, left_out) = kept_policies(policies, &mut room);
    document.insert("policies".to_owned(), policies.into());
    if left_out > 0 {
        document.insert("more".to_owned(), format!("and {left_out} more policies").into());
    }
    document.insert("notices".to_owned(), kept(notices, &mut room, |more| json!({"code": "more", "message": more})));
    Some(document.into())
}

/// The policies that there is room for, in their order, and how many there are besides.
fn kept_policies(policies: Vec<Value>, room: &mut usize) -> (Vec<Value>, usize) {
    let number = policies.len();
    let mut ranked: Vec<_> = policies.into_iter().enumerate().collect();
    ranked.sort_by_key(|(_, policy)| policy.get("effect").is_some_and(|effect| effect == "pass"));
    let mut fitting: Vec<_> =
        ranked.into_iter().filter_map(|(place, policy)| Some((place, small(policy, room)?))).collect();
    fitting.sort_by_key(|(place, _)| *place);
    let left_out = number - fitting.len();
    (fitting.into_iter().map(|(_, policy)| policy).collect(), left_out)
}

/// A policy with the findings that there is room for; none when there is no room for it at all. Its findings take no
/// more than half of what is left, so that the next one has its say too.
fn small(policy: Value, room: &mut usize) -> Option<Value> {
    let Value::Object(mut policy) = policy else { return None };
    let findings = take(&mut policy, "findings");
    let left = room.checked_sub(size(&policy.clone().into()) + RESERVED / 2)?;
    let mut half = left / 2;
    let findings = kept(findings, &mut half, |more| json!({"kind": "notice", "code": "more", "message": more}));
    *room = left / 2 + half;
    policy.insert("findings".to_owned(), findings);
    Some(policy.into())
}

/// The first entries of a list that there is room for, and one that says how many there are besides.
fn kept(list: Vec<Value>, room: &mut usize, more: impl FnOnce(String) -> Value) -> Value {
    let number = list.len();
    let mut fitting = Vec::new();
    for entry in list {
        let Some(left) = room.checked_sub(size(&entry) + 1) else { break };
        *room = left;
        fitting.push(entry);
    }
    let left_out = number - fitting.len();
    if left_out > 0 {
        fitting.push(more(format!("and {left_out} more")));
    }
    fitting.into()
}

fn take(object: &mut Map<String, Value>, key: &str) -> Vec<Value> {
    match object.remove(key) {
        Some(Value::Array(list)) => list,
        Some(_) | None => Vec::new(),
    }
}

/// Bytes of a value as it is sent.
fn size(value: &Value) -> usize {
    // What can't be JSON has no size; a `Value` always can.
    visible::line(value).map_or(usize::MAX, |line| line.len())
}
