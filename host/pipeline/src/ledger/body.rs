//! The fields of each kind of record; `docs/audit.md` explains them.
//!
//! No value of a variable, no token and no argument is among them: variables stand here by name, arguments by number.

use std::error::Error;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::Judged;
use crate::Order;
use crate::Stop;
use crate::Stopped;
use crate::ledger::Activity;
use smcp_audit::About;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_decide::Consent;
use smcp_launch::Finished;
use smcp_launch::status::Ended;
use smcp_launch::status::EndedBy;
use smcp_model::digest::Digest;
use smcp_model::limits::PolicyLimits;
use smcp_model::package::ResolvedPackage;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::warning::Delivery;
use smcp_policy::request;

/// Keys and values.
pub(super) type Body = Map<String, Value>;

fn body<const N: usize>(fields: [(&str, Value); N]) -> Body {
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What every record has: who did it, and what was asked for.
pub(super) fn circumstances(activity: &Activity) -> Body {
    body([
        ("command", json!(activity.command)),
        ("asked", json!(activity.asked)),
        ("pid", json!(std::process::id())),
        ("uid", json!(nix::unistd::getuid().as_raw())),
        ("smcp", json!(env!("CARGO_PKG_VERSION"))),
    ])
}

/// A decision of policies, with all that is needed to make it again.
pub(super) fn decision(
    config: &Config,
    judged: &Judged,
    context: Context,
    consent: Option<Consent>,
    document: Value,
) -> Body {
    body([
        ("package", json!(SafeText::new(&judged.subject.label()))),
        ("consent", json!(consent.map(consent_word))),
        ("decision", document),
        ("request", json!({ "subject": request::document_of(&judged.subject), "context": circumstance(context) })),
        ("policies", policies(config, judged)),
    ])
}

/// A decision before any policy.
pub(super) fn refusal(stopped: &Stopped, document: Value) -> Body {
    body([
        ("package", json!(SafeText::new(&stopped.subject.label()))),
        ("decision", document),
        ("request", json!({ "subject": request::document_of(&stopped.subject) })),
    ])
}

/// Why nothing was decided, or what was decided could not be done.
pub(super) fn failure(label: &str, stop: &Stop) -> Body {
    body([
        ("package", json!(SafeText::new(label))),
        ("outcome", json!("failed")),
        ("code", json!(stop.code())),
        ("message", json!(message(stop))),
    ])
}

/// A server that is about to be started.
pub(super) fn start(package: &ResolvedPackage, order: &Order, warned: bool) -> Body {
    let variables: Vec<_> = order.env_file.iter().chain(&order.env).map(|assignment| assignment.name()).collect();
    body([
        ("package", json!(SafeText::new(&package.label()))),
        ("registry", json!(package.registry.to_string())),
        ("bundle_digest", json!(package.bundle_digest)),
        ("program", json!(package.manifest.entrypoint.command)),
        ("arguments", json!(order.arguments.len())),
        ("variables", json!(variables)),
        ("warning", json!(warned)),
    ])
}

/// A server that has ended.
pub(super) fn end(label: &str, finished: Finished) -> Body {
    let (outcome, code, signal) = match finished.ended {
        Ended::Exited(code) => ("exited", Some(code), None),
        Ended::Signalled(signal) => ("signalled", None, Some(signal)),
        Ended::ReaperKilled { .. } => ("unkept", None, None),
    };
    body([
        ("package", json!(SafeText::new(label))),
        ("outcome", json!(outcome)),
        ("server_exit_code", json!(code)),
        ("signal", json!(signal)),
        ("ended_by", json!(ended_by_word(finished.by))),
        ("exit_code", json!(finished.ended.exit_code())),
        ("warning", json!(finished.delivery.map(delivery_word))),
    ])
}

/// The end of a server that nobody saw: its smcp is gone. Whoever records it is not the one who started it, and says so.
pub(super) fn abandoned(about: &About) -> Body {
    let mut body = circumstances(&Activity { command: "run", asked: about.asked.clone() });
    body.extend(self::body([
        ("package", json!(SafeText::new(&about.package))),
        ("outcome", json!("abandoned")),
        ("start", json!(about.start)),
        ("message", json!("its smcp was killed, or the machine stopped; this was recorded by the next one")),
    ]));
    body
}

const fn consent_word(consent: Consent) -> &'static str {
    match consent {
        Consent::Trusted => "trusted",
        Consent::Accepted => "accepted",
        Consent::Declined => "declined",
        Consent::NobodyToAsk => "nobody-to-ask",
    }
}

const fn ended_by_word(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Server => "server",
        EndedBy::Client => "client",
        EndedBy::Signal => "signal",
        EndedBy::Smcp => "smcp",
    }
}

const fn delivery_word(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Delivered => "delivered",
        Delivery::Undelivered => "undelivered",
    }
}

fn circumstance(context: Context) -> Value {
    let Context { evaluated_at, trust, interactive } = context;
    json!({
        "evaluated_at": evaluated_at,
        "trust": trust,
        "interactive": interactive,
        "tool_version": env!("CARGO_PKG_VERSION"),
    })
}

/// Every policy as it was configured, in the order of evaluation, with the digest of what was loaded.
fn policies(config: &Config, judged: &Judged) -> Value {
    let evaluated = judged.ruling.policies();
    let of_layer = |layer: &Layer| {
        let believed = layer.believes(judged.subject.registry.as_ref());
        let specs = layer.policies();
        specs.into_iter().map(|spec| policy(&spec, believed, evaluated)).collect::<Vec<_>>()
    };
    config.layers().iter().flat_map(of_layer).collect()
}

fn policy(spec: &PolicySpec, believed: bool, evaluated: &[Evaluated]) -> Value {
    let found = evaluated.iter().find(|policy| policy.layer == spec.layer && policy.name == spec.name);
    let digest: Option<Digest> = found.and_then(|policy| policy.digest);
    let PolicyLimits { time, memory, instances, component_size, output } = spec.limits;
    json!({
        "name": spec.name,
        "layer": spec.layer,
        "source": spec.source.to_string(),
        "digest": digest,
        "pin": spec.pin,
        "mode": spec.mode,
        "on_warn": spec.on_warn,
        "facts_believed": believed,
        "settings": spec.settings,
        "limits": {
            "time_us": u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
            "memory": memory,
            "instances": instances,
            "component_size": component_size,
            "output": output,
        },
    })
}

/// An error with its causes, on one line.
fn message(stop: &Stop) -> SafeText {
    let mut text = stop.to_string();
    let mut cause = stop.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    SafeText::new(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
