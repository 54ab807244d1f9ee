//! What leads out of a server's own network.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Session;
use crate::confinement::folders::may_be_confined;
use crate::session::access;
use smcp_confine::Kernel;
use smcp_confine::lists_hosts;
use smcp_launch::Observing;
use smcp_launch::environment::ServerEnvironment;
use smcp_model::manifest::Manifest;
use smcp_outbound::AllowedHosts;
use smcp_outbound::Denials;
use smcp_outbound::Outbound;
use smcp_outbound::Resolve;
use smcp_outbound::Upstream;

/// The services of the system that know names.
#[derive(Debug)]
struct NameServices;

impl Resolve for NameServices {
    fn resolve(&self, name: &str, within: Duration) -> io::Result<Vec<IpAddr>> {
        smcp_http::system_addresses(name, within)
    }
}

/// The hosts that a server reaches through smcp: those that it is held to, or all of one that is observed. `None` for a server
/// that has no network of its own.
fn led_to(session: &Session, manifest: &Manifest, observe: bool) -> Option<AllowedHosts> {
    let permissions = manifest.permissions.as_ref();
    if !may_be_confined(session) {
        return None;
    }
    if let Some(permissions) = permissions.filter(|permissions| lists_hosts(permissions)) {
        let holds = smcp_confine::holds_hosts(Kernel::ask(Some(permissions)), Some(permissions));
        return holds.then(|| AllowedHosts::of(&permissions.network));
    }
    let has_network = permissions.is_none_or(|permissions| !permissions.network.is_empty());
    (observe && has_network && smcp_confine::has_networks()).then(AllowedHosts::everything)
}

/// Tells a server that reaches hosts through smcp of no proxy but ours, and of that only where nothing else leads to its hosts.
pub(crate) fn lead_out(session: &Session, manifest: &Manifest, observe: bool, environment: &mut ServerEnvironment) {
    if let Some(hosts) = led_to(session, manifest, observe) {
        environment.lead_out(hosts.needs_proxy().then(|| hosts.proxy_port()));
    }
}

/// What serves the network of a server that has one of its own.
pub(super) fn outbound(
    session: &Session,
    manifest: &Manifest,
    denials: &Denials,
    observing: Option<&Observing>,
) -> Option<Outbound> {
    Some(Outbound {
        hosts: led_to(session, manifest, observing.is_some())?,
        resolver: Arc::new(NameServices),
        upstream: upstream(session),
        denials: denials.clone(),
        reached: observing.map(|observing| observing.reached.clone()).unwrap_or_default(),
    })
}

/// The proxy that smcp itself uses.
fn upstream(session: &Session) -> Option<Upstream> {
    let tunnel = access::proxy(session.system()).tunnel();
    let tunnel = tunnel.unwrap_or_else(|problem| {
        tracing::warn!("the server's connections don't go through the proxy of the environment: {problem}");
        None
    })?;
    Some(Upstream {
        host: tunnel.host().to_owned(),
        port: tunnel.port(),
        authorization: tunnel.authorization(),
        covers: Box::new(move |host, port| tunnel.is_for(host, port)),
    })
}
