//! A policy in Rust: refuses servers that ask for network hosts other than the listed ones.

use std::borrow::Cow;

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;
use smcp_policy_sdk::log;
use smcp_policy_sdk::settings::CheckedSetting;

/// The policy.
#[derive(Debug, Settings)]
pub struct AllowedHosts {
    /// The hosts that a server may ask for.
    allow: Vec<Host>,
}

/// The name of a host: not empty, without quotes, backslashes and control characters.
#[derive(Debug)]
struct Host(String); // INVARIANT: made by `check` only.

impl CheckedSetting for Host {
    type Written = String;
    const KEYWORDS: &'static str = r#""pattern":"^[^\"\\\\\\x00-\\x1f]+$""#;

    fn check(written: String) -> Result<Self, Cow<'static, str>> {
        let is_bad = |char: char| char < ' ' || matches!(char, '"' | '\\');
        if written.is_empty() || written.contains(is_bad) {
            return Err("a host: not empty, without quotes or backslashes".into());
        }
        Ok(Self(written))
    }
}

impl Policy for AllowedHosts {
    const DESCRIPTION: Description = smcp_policy_sdk::description!();

    fn evaluate(&self, request: &Request) -> Verdict {
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
        let is_refused = |host: &&String| !self.allow.iter().any(|Host(allowed)| allowed == *host);
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
