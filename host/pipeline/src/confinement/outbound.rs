//! What leads out of a server's own network.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Session;
use crate::confinement::folders::may_be_confined;
use crate::session::access;
use smcp_confine::Kernel;
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

/// The hosts that a server is held to; `None` for one that is not.
fn held_to(session: &Session, manifest: &Manifest) -> Option<AllowedHosts> {
    let permissions = manifest.permissions.as_ref()?;
    let holds = || smcp_confine::holds_hosts(Kernel::ask(Some(permissions)), Some(permissions));
    (may_be_confined(session) && holds()).then(|| AllowedHosts::of(&permissions.network))
}

/// Tells a server that is held to hosts of no proxy but ours, and of that only where nothing else leads to its hosts.
pub(crate) fn lead_out(session: &Session, manifest: &Manifest, environment: &mut ServerEnvironment) {
    if let Some(hosts) = held_to(session, manifest) {
        environment.lead_out(hosts.needs_proxy().then(|| hosts.proxy_port()));
    }
}

/// What serves the network of a server that is held to hosts.
pub(super) fn outbound(session: &Session, manifest: &Manifest, denials: &Denials) -> Option<Outbound> {
    let hosts = held_to(session, manifest)?;
    Some(Outbound { hosts, resolver: Arc::new(NameServices), upstream: upstream(session), denials: denials.clone() })
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
