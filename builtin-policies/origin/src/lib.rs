//! The origin check: who stands behind a package must be in `allowed_origins`.

mod settings;

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::OnWarn;
use smcp_policy_sdk::Origin;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Verdict;

pub use crate::settings::Settings;

/// The origin check.
#[derive(Debug)]
pub struct OriginPolicy;

impl Policy for OriginPolicy {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "origin",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Allows packages only from the listed origins.",
            settings_schema: smcp_policy_sdk::settings_schema!(),
            on_warn: OnWarn::Notify,
        }
    }

    fn evaluate(request: &Request, settings: &Settings) -> Verdict {
        let Some(allowed) = &settings.allowed_origins else { return Verdict::allow() };
        match request.subject.origin.as_ref().map(|origin| origin.as_str().trim()).filter(|word| !word.is_empty()) {
            Some(word) if allowed.iter().any(|entry| entry.trim().eq_ignore_ascii_case(word)) => Verdict::allow(),
            Some(word) => Verdict::allow().violation(not_allowed(request, word, allowed)),
            None => Verdict::allow().violation(unknown(allowed)),
        }
    }
}

smcp_policy_sdk::export!(OriginPolicy);

fn not_allowed(request: &Request, word: &str, allowed: &[String]) -> Finding {
    let message = format!("origin \"{word}\" is not allowed by policy (allowed origins: [{}])", list(allowed));
    let remedy = match &request.subject.origin {
        // The configuration refuses words that it doesn't know, so this one can't be added.
        None | Some(Origin::Other(_)) => "use a package from an allowed origin".to_owned(),
        Some(Origin::Official | Origin::Verified | Origin::Community) => {
            format!("use a package from an allowed origin, or add `{word}` to `allowed_origins` if you trust it")
        }
    };
    Finding::new("origin-not-allowed", message).fact("origin").remedy(remedy)
}

fn unknown(allowed: &[String]) -> Finding {
    let message = format!("origin is unknown and not allowed by policy (allowed origins: [{}])", list(allowed));
    Finding::new("origin-unknown", message)
        .fact("origin")
        .remedy("use a registry that says who stands behind the package, and that `trusted_registries` names")
}

fn list(allowed: &[String]) -> String {
    allowed.iter().map(|entry| entry.trim()).collect::<Vec<_>>().join(" ")
}
