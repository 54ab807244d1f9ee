//! The origin check: who stands behind a package must be in `allowed_origins`.

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::Origin;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;

/// The origin check.
#[derive(Debug, Settings)]
pub struct OriginPolicy {
    /// The origins that may run, whatever their case; none when the list is empty, any when it is absent or null.
    allowed_origins: Option<Vec<String>>,
}

impl Policy for OriginPolicy {
    const DESCRIPTION: Description =
        Description::new("origin", env!("CARGO_PKG_VERSION"), "Allows packages only from the listed origins.");

    fn evaluate(&self, request: &Request) -> Verdict {
        let Some(allowed) = &self.allowed_origins else { return Verdict::allow() };
        match request.subject.origin.as_ref().map(|origin| origin.as_str().trim()).filter(|word| !word.is_empty()) {
            Some(word) if allowed.iter().any(|entry| entry.trim().eq_ignore_ascii_case(word)) => Verdict::allow(),
            Some(word) => Verdict::allow().violation(not_allowed(request, word, allowed)),
            None => Verdict::allow().violation(unknown(allowed)),
        }
    }
}

#[cfg(feature = "component")]
smcp_policy_sdk::export!(OriginPolicy);

fn not_allowed(request: &Request, word: &str, allowed: &[String]) -> Finding {
    let message = format!("origin \"{word}\" is not allowed by policy (allowed origins: [{}])", list(allowed));
    let remedy = match &request.subject.origin {
        // Not "add it": the configuration refuses words that it doesn't know.
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
