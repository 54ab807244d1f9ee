//! The error for a client whose server was not started (spec section 7).
//!
//! Clients don't show standard error, so this is often all that the user sees. Before it a launch has ended; after it
//! `launch` answers the client's requests with the error. As in the warning for the model, text from elsewhere is in
//! quotation marks.

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

/// The number from which the exit code is subtracted. JSON-RPC leaves the resulting error codes to programs.
const BASE: i32 = -31_000;

/// Returns the error for a decision that starts nothing.
pub fn decision(report: &Report<'_>) -> ClientError {
    let label = report.subject.label();
    let message = match report.conclusion {
        Conclusion::Ruled(ruling) => ruled(&label, ruling, report),
        Conclusion::Refused { message, .. } | Conclusion::Unavailable { message, .. } => {
            message_line(Some(&label), message)
        }
    };
    let data = cut::cut(report.document()).and_then(|small| serde_json::to_value(small).ok());
    let data = data.unwrap_or_else(|| document(report.exit.code(), &message));
    ClientError { code: code(report.exit.code()), message, data }
}

/// Returns the error for a failure before any decision. The first line of `message` says what is wrong, and the others
/// what helps. `label` is the package, where it is known.
pub fn failure(label: Option<&str>, exit_code: u8, message: &str) -> ClientError {
    let message = message_line(label, message);
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

/// Returns the part about what helps.
fn tail(remedy: Option<&str>) -> String {
    remedy.map(|remedy| format!(". What helps: {}", quoted(remedy, limits::CLIENT_QUOTE))).unwrap_or_default()
}

/// Returns the part about whom to ask: the contact of the first layer that objects, which is the strongest one.
fn whom_to_ask(report: &Report<'_>, effect: Effect) -> String {
    let contacts = report.contacts(effect);
    let first = contacts.first();
    first.map(|(_, contact)| format!(". Ask {}", quoted(contact.as_str(), limits::CLIENT_QUOTE))).unwrap_or_default()
}

/// Returns the line for a message.
fn message_line(label: Option<&str>, message: &str) -> String {
    let (wrong, helps) = message.split_once('\n').unwrap_or((message, ""));
    let helps = SafeText::one_line(helps);
    let helps = Some(helps.as_str()).filter(|helps| !helps.is_empty());
    let reason = quoted(wrong.trim_end_matches(':'), limits::CLIENT_REASON);
    format!("{}: {reason}{}", lead(label), tail(helps))
}

/// Returns the line for a ruling: the objecting policies and as many of their reasons as fit.
fn ruled(label: &str, ruling: &Ruling, report: &Report<'_>) -> String {
    let effect = ruling.effect();
    let against: Vec<_> = ruling.policies().iter().filter(|policy| policy.effect() == effect).collect();
    let layered = ruling.policies().iter().any(|policy| policy.layer() != LayerName::User);
    let reasons: Vec<_> = against.iter().flat_map(|policy| reasons(policy, layered)).collect();
    let because = match (effect, report.consent) {
        (Effect::Ask, Some(Consent::Declined)) => ", consent was declined",
        (Effect::Ask, _) => ", it needs consent and nobody can be asked here (--trust gives it in advance)",
        (Effect::Pass | Effect::Warn | Effect::Block, _) => "",
    };
    let head = format!("{}{because}: ", lead(Some(label)));
    let mut remedies: Vec<_> = against.iter().filter_map(|policy| remedy(policy)).collect();
    remedies.dedup();
    let tail = format!("{}{}", tail(remedies.first().copied()), whom_to_ask(report, effect));
    let room = limits::CLIENT_MESSAGE.saturating_sub(head.len() + tail.len());
    let mut line = format!("{head}{}{tail}", fitting(&reasons, room));
    for remedy in remedies.iter().skip(1) {
        let also = format!(", and {}", quoted(remedy, limits::CLIENT_QUOTE));
        if line.len() + also.len() <= limits::CLIENT_MESSAGE {
            line.push_str(&also);
        }
    }
    line
}

/// Returns the objections of a policy.
fn reasons(policy: &Evaluated, layered: bool) -> Vec<String> {
    let name = policy.name().as_str();
    let who = if layered { format!("{name} ({})", policy.layer().as_str()) } else { name.to_owned() };
    let quote = |message: &str| quoted(message, limits::CLIENT_QUOTE);
    match &policy.outcome {
        Outcome::Violation { verdict, .. } => {
            verdict.violations.iter().map(|finding| format!("{who}: {}", quote(finding.message.as_str()))).collect()
        }
        Outcome::Fault(fault) => {
            vec![format!("{who} is broken ({}): {}", fault.kind.as_str(), quote(fault.message.as_str()))]
        }
        Outcome::Pass { .. } | Outcome::Skipped | Outcome::Waived { .. } => Vec::new(),
    }
}

fn remedy(policy: &Evaluated) -> Option<&str> {
    let remedy = match &policy.outcome {
        Outcome::Violation { verdict, .. } => verdict.violations.iter().find_map(|finding| finding.remedy.as_ref()),
        Outcome::Fault(fault) => fault.remedy.as_ref(),
        Outcome::Pass { .. } | Outcome::Skipped | Outcome::Waived { .. } => None,
    };
    remedy.map(|remedy| remedy.as_str())
}

/// Joins as many reasons as fit into `room` bytes, and counts the others.
fn fitting(reasons: &[String], room: usize) -> String {
    let mut list = String::new();
    for (index, reason) in reasons.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        let rest = reasons.len() - index;
        let more = format!("{separator}and {rest} more");
        // All reasons but the last leave room for the count of the others.
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
