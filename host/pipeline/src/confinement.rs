//! What a server is held to: foreseen before a decision, made before a start.

use crate::Failed;
use crate::Session;
use smcp_config::choice::Strictness;
#[cfg(target_os = "linux")]
use smcp_confine::Grants;
use smcp_confine::Kernel;
#[cfg(target_os = "linux")]
use smcp_confine::Right;
use smcp_decide::Admitted;
use smcp_model::confinement::Confinement;
use smcp_model::confinement::Gap;
use smcp_model::manifest::Permissions;
use smcp_model::package::ResolvedPackage;
use smcp_model::request::Subject;
use smcp_policy::request;

#[cfg(target_os = "linux")]
pub(super) use folders::confining;
#[cfg(target_os = "linux")]
pub(super) use folders::observing;
#[cfg(target_os = "linux")]
pub(super) use folders::own_folders;
#[cfg(target_os = "linux")]
pub(super) use outbound::lead_out;

#[cfg(target_os = "linux")]
mod folders;
#[cfg(target_os = "linux")]
mod outbound;

/// Says how far servers can be confined on this machine, by what their manifests ask for.
pub fn prospects() -> [(&'static str, Confinement); 4] {
    let foresee = |permissions: Option<&Permissions>| smcp_confine::foresee(Kernel::ask(permissions), permissions);
    let asks_for = |hosts: &[&str]| {
        let network = hosts.iter().map(|host| (*host).to_owned()).collect();
        foresee(Some(&Permissions { network, ..Permissions::default() }))
    };
    [
        ("no network", asks_for(&[])),
        ("hosts", asks_for(&["api.example.com"])),
        ("any host", asks_for(&["*"])),
        ("nothing, since it has no block of permissions", foresee(None)),
    ]
}

/// The files and folders of this machine that every confined server may read, with what it may do there.
#[cfg(target_os = "linux")]
pub fn granted_to_all() -> Vec<String> {
    let surroundings = folders::bare();
    let grants = Grants::of(&Permissions::default(), &[], None, &surroundings).list;
    let runs = grants.iter().filter(|grant| grant.right == Right::Run);
    runs.map(|grant| grant.path.display().to_string()).collect()
}

/// Says how far a package's server would be confined, and refuses it where that is less than the configuration demands.
pub(super) fn foresee(
    session: &Session,
    admitted: Admitted<ResolvedPackage>,
) -> Result<(Admitted<ResolvedPackage>, Confinement), Failed> {
    let strictness = session.config().confinement();
    let confinement = match strictness {
        Strictness::Off => Confinement::none(vec![Gap::Off]),
        Strictness::Required | Strictness::BestEffort => {
            let permissions = admitted.candidate().manifest.permissions.as_ref();
            smcp_confine::foresee(Kernel::ask(permissions), permissions)
        }
    };
    let subject = request::subject(admitted.candidate());
    let confined = admitted.confined(&confinement, strictness == Strictness::Required).map_err(|refusal| {
        Failed::new(Subject { confinement: Some(confinement.clone()), ..subject }, refusal.into())
    })?;
    Ok((confined, confinement))
}
