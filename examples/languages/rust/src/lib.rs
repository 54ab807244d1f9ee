//! A policy in Rust: refuses servers that ask for network hosts other than the listed ones.

mod settings;

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::OnWarn;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Verdict;
use smcp_policy_sdk::log;

pub use crate::settings::Host;
pub use crate::settings::Settings;

/// The policy.
#[derive(Debug)]
pub struct AllowedHosts;

impl Policy for AllowedHosts {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "allowed-hosts",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Refuses servers that ask for network hosts other than the listed ones.",
            settings_schema: smcp_policy_sdk::settings_schema!(),
            on_warn: OnWarn::Notify,
        }
    }

    fn evaluate(request: &Request, settings: &Settings) -> Verdict {
        let Some(permissions) = &request.subject.permissions else {
            return Verdict::allow().violation(
                finding("network-unknown", "what the server asks of the network is unknown")
                    .remedy("use a package whose manifest declares its permissions"),
            );
        };
        let asked = &permissions.network;
        log::debug(format!("hosts asked for: {}", asked.len()));
        if asked.is_empty() {
            return Verdict::allow();
        }
        let is_refused = |host: &&String| !settings.allow.iter().any(|allowed| allowed.as_str() == host.as_str());
        let refused: Vec<_> = asked.iter().filter(is_refused).collect();
        let said = format!("hosts asked for: {}, refused: {}", asked.len(), refused.len());
        let verdict = Verdict::allow().notice(finding("network-asked", said));
        let message = match refused.as_slice() {
            [] => return verdict,
            [only] => format!("the server asks for {only}, which is not allowed"),
            [first, more @ ..] => {
                format!("the server asks for {first} and {} more hosts that are not allowed", more.len())
            }
        };
        verdict.violation(finding("host-not-allowed", message).remedy("add the host to `allow`, if you trust it"))
    }
}

smcp_policy_sdk::export!(AllowedHosts);

fn finding(code: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(code, message).fact("permissions.network")
}
