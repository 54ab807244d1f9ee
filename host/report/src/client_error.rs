//! What a client is told when no server was started for it (spec section 7).
//!
//! Clients don't show standard error, so this is often all that a person learns. Before it something ended a launch;
//! after it `launch` answers the client's requests with it. As in the warning for the model, whatever was not written
//! here stands in quotation marks.

use serde_json::Value;
use serde_json::json;

use crate::Report;
use crate::quote::quoted;
use smcp_decide::Conclusion;
use smcp_decide::Ruling;
use smcp_model::client_error::ClientError;
use smcp_model::decision::Consent;
use smcp_model::limits;
use smcp_model::mode::Effect;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Outcome;

mod cut;

/// What is subtracted from, so that every exit code has an error code which JSON-RPC leaves to programs.
const BASE: i32 = -31_000;

/// The error of a decision that starts nothing.
pub fn decision(report: &Report<'_>) -> ClientError {
    let label = report.subject.label();
    let message = match report.conclusion {
        Conclusion::Ruled(ruling) => ruled(&label, ruling, report.consent),
        Conclusion::Refused { message, .. } | Conclusion::Unavailable { message, .. } => said(Some(&label), message),
    };
    let data = cut::cut(report.document()).and_then(|small| serde_json::to_value(small).ok());
    let data = data.unwrap_or_else(|| document(report.exit.code(), &message));
    ClientError { code: code(report.exit.code()), message, data }
}

/// The error of a failure, which is no decision: `message` has what is wrong in its first line and what helps behind it.
/// `label` is the package, where one is known.
pub fn failure(label: Option<&str>, exit_code: u8, message: &str) -> ClientError {
    let message = said(label, message);
    let data = document(exit_code, &message);
    ClientError { code: code(exit_code), message, data }
}

fn code(exit_code: u8) -> i32 {
    BASE - i32::from(exit_code)
}

fn document(exit_code: u8, message: &str) -> Value {
    json!({"schema": "smcp.failure/1", "exit_code": exit_code, "message": message})
}

fn lead(label: Option<&str>) -> String {
    match label {
        Some(label) => format!("smcp did not start {}", quoted(label, limits::WARNING_NAME)),
        None => "smcp started nothing".to_owned(),
    }
}

/// What helps. The contact of an administrator belongs here too, once the configuration can name one.
fn tail(remedy: Option<&str>) -> String {
    remedy.map(|remedy| format!(". What helps: {}", quoted(remedy, limits::CLIENT_QUOTE))).unwrap_or_default()
}

/// The line of a message.
fn said(label: Option<&str>, message: &str) -> String {
    let (wrong, helps) = message.split_once('\n').unwrap_or((message, ""));
    let helps = SafeText::one_line(helps);
    let helps = Some(helps.as_str()).filter(|helps| !helps.is_empty());
    let reason = quoted(wrong.trim_end_matches(':'), limits::CLIENT_REASON);
    format!("{}: {reason}{}", lead(label), tail(helps))
}

/// The line of a ruling: who is against it and why, in as many reasons as fit.
fn ruled(label: &str, ruling: &Ruling, consent: Option<Consent>) -> String {
    let effect = ruling.effect();
    let against: Vec<_> = ruling.policies().iter().filter(|policy| policy.effect() == effect).collect();
    let layered = ruling.policies().iter().any(|policy| policy.layer() != LayerName::User);
    let reasons: Vec<_> = against.iter().flat_map(|policy| reasons(policy, layered)).collect();
    let because = match (effect, consent) {
        (Effect::Ask, Some(Consent::Declined)) => ", consent was declined",
        (Effect::Ask, _) => ", it needs consent and nobody can be asked here (--trust gives it in advance)",
        (Effect::Pass | Effect::Warn | Effect::Block, _) => "",
    };
    let head = format!("{}{because}: ", lead(Some(label)));
    let mut remedies: Vec<_> = against.iter().filter_map(|policy| remedy(policy)).collect();
    remedies.dedup();
    let tail = tail(remedies.first().copied());
    let room = limits::CLIENT_MESSAGE.saturating_sub(head.len() + tail.len());
    let mut said = format!("{head}{}{tail}", fitting(&reasons, room));
    for remedy in remedies.iter().skip(1) {
        let also = format!(", and {}", quoted(remedy, limits::CLIENT_QUOTE));
        if said.len() + also.len() <= limits::CLIENT_MESSAGE {
            said.push_str(&also);
        }
    }
    said
}

/// What a policy has against the package.
fn reasons(policy: &Evaluated, layered: bool) -> Vec<String> {
    let name = policy.name().as_str();
    let who = if layered { format!("{name} ({})", policy.layer().as_str()) } else { name.to_owned() };
    let words = |message: &str| quoted(message, limits::CLIENT_QUOTE);
    match &policy.outcome {
        Outcome::Violation(verdict) => {
            verdict.violations.iter().map(|found| format!("{who}: {}", words(found.message.as_str()))).collect()
        }
        Outcome::Fault(fault) => {
            vec![format!("{who} is broken ({}): {}", fault.kind.as_str(), words(fault.message.as_str()))]
        }
        Outcome::Pass { .. } | Outcome::Skipped | Outcome::Waived { .. } => Vec::new(),
    }
}

fn remedy(policy: &Evaluated) -> Option<&str> {
    let remedy = match &policy.outcome {
        Outcome::Violation(verdict) => verdict.violations.iter().find_map(|found| found.remedy.as_ref()),
        Outcome::Fault(fault) => fault.remedy.as_ref(),
        Outcome::Pass { .. } | Outcome::Skipped | Outcome::Waived { .. } => None,
    };
    remedy.map(|remedy| remedy.as_str())
}

/// As many reasons as `room` bytes hold, and how many are left out.
fn fitting(reasons: &[String], room: usize) -> String {
    let mut list = String::new();
    for (index, reason) in reasons.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        let rest = reasons.len() - index;
        let more = format!("{separator}and {rest} more");
        // Unless it is the last one, a reason leaves room for the words that others are missing.
        let reserved = if rest == 1 { 0 } else { "; ".len() + more.len() };
        if list.len() + separator.len() + reason.len() + reserved > room {
            return list + &more;
        }
        list.extend([separator, reason]);
    }
    list
}

#[cfg(test)]
mod tests;
