//! Refuses servers that ask for the network, but for the hosts in `allow`.

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::HostPattern;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;
use smcp_policy_sdk::log;

/// How many refused hosts a message names; a manifest can hold thousands.
const NAMED: usize = 10;

/// The policy.
#[derive(Debug, Settings)]
pub struct NoNetwork {
    /// The hosts that a server may ask for: `api.example.com`, or `*.example.com` for every host below it, with `:443` or
    /// `:*` where it asks for a port; or `*`. No host when it is absent or empty.
    #[setting(default = [])]
    allow: Vec<HostPattern>,
}

impl Policy for NoNetwork {
    const DESCRIPTION: Description = Description::new(
        "no-network",
        env!("CARGO_PKG_VERSION"),
        "Refuses servers that ask for network hosts other than the listed ones.",
    );

    fn evaluate(&self, request: &Request) -> Verdict {
        let Some(permissions) = &request.subject.permissions else {
            return Verdict::allow().violation(unknown());
        };
        log::debug(format!("{} hosts asked for, {} allowed", permissions.network.len(), self.allow.len()));
        let refused: Vec<&str> = permissions
            .network
            .iter()
            .map(String::as_str)
            .filter(|host| !self.allow.iter().any(|entry| entry.covers(host)))
            .collect();
        if refused.is_empty() {
            Verdict::allow()
        } else {
            Verdict::allow().violation(not_allowed(&refused, &self.allow))
        }
    }
}

smcp_policy_sdk::export!(NoNetwork);

fn not_allowed(refused: &[&str], allow: &[HostPattern]) -> Finding {
    let mut hosts = refused.iter().take(NAMED).copied().collect::<Vec<_>>().join(" ");
    if let Some(more @ 1..) = refused.len().checked_sub(NAMED) {
        hosts.push_str(&format!(" and {more} more"));
    }
    let allowed = allow.iter().map(HostPattern::as_str).collect::<Vec<_>>().join(" ");
    Finding::new(
        "network-not-allowed",
        format!("the server asks for network hosts that are not allowed: {hosts} (allowed hosts: [{allowed}])"),
    )
    .fact("permissions.network")
    .remedy("use a server that stays off the network, or add the host to this policy's `allow` if you trust it")
}

fn unknown() -> Finding {
    Finding::new("network-unknown", "what the server asks of the network is unknown")
        .fact("permissions.network")
        .remedy("use a package whose manifest declares its permissions")
}

#[cfg(test)]
mod tests;
