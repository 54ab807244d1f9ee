//! The folders that are a server's own, and what its locks depend on.

use std::path::Path;
use std::path::PathBuf;

use crate::Session;
use crate::confinement::outbound;
use crate::server_data;
use smcp_authority as authority;
use smcp_config::Config;
use smcp_config::choice::Strictness;
use smcp_confine::FileView;
use smcp_confine::Kernel;
use smcp_confine::Mount;
use smcp_confine::Surroundings;
use smcp_launch::Confining;
use smcp_launch::Observing;
use smcp_launch::environment::ServerEnvironment;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::manifest::Manifest;
use smcp_model::manifest::Permissions;
use smcp_model::package::ResolvedPackage;
use smcp_model::policy::PolicySource;
use smcp_model::registry::Registry;
use smcp_model::signer::SignedBy;
use smcp_model::source::SetSource;
use smcp_outbound::Denials;
use smcp_store::DataFolder;
use smcp_store::RunFolder;

/// The variable for files that last as long as the run.
const TEMPORARY: &str = "TMPDIR";

/// The variables by which programs find their own folders: each with the folder in a server's state, and the one in the
/// home that it stands for.
const STATE: [(&str, &str, &str); 4] = [
    ("XDG_CACHE_HOME", "cache", ".cache"),
    ("XDG_CONFIG_HOME", "config", ".config"),
    ("XDG_DATA_HOME", "data", ".local/share"),
    ("XDG_STATE_HOME", "state", ".local/state"),
];

/// The folders that one server may write to, whatever its manifest asks for. Those that can't be made are not there.
#[derive(Debug, Default)]
pub(crate) struct OwnFolders {
    /// Nobody removes it while this lives.
    state: Option<DataFolder>,
    /// Removed when this is dropped, after the server's end.
    temporary: Option<RunFolder>,
}

/// Makes the folders of a server that is confined to them, and tells it where they are. A server whose permissions are not
/// known keeps to those that it always had, so that who observes it sees them; temporary files are nothing to ask for.
pub(crate) fn own_folders(
    session: &Session,
    package: &ResolvedPackage,
    environment: &mut ServerEnvironment,
    observe: bool,
    by: &Deadline,
) -> OwnFolders {
    let permissions = package.manifest.permissions.as_ref().filter(|_| may_be_confined(session));
    let temporary = if permissions.is_some() || observe { session.run_folder(false).ok() } else { None };
    environment.tell_folders(temporary.as_ref().map(|folder| (TEMPORARY, folder.path().to_path_buf())));
    let Some(permissions) = permissions else { return OwnFolders { state: None, temporary } };
    let home = session.system().home();
    let state = server_data::folder(session, package, by);
    let told =
        state.iter().flat_map(|state| STATE.map(|(variable, name, usual)| (variable, state.path().join(name), usual)));
    for (variable, path, usual) in told {
        // A server that is to read the user's settings looks for them where they are.
        let asks = home.as_ref().is_some_and(|home| asks_for(permissions, home, usual));
        if !asks && authority::create_dir(&path).is_ok() {
            environment.tell_folders([(variable, path)]);
        }
    }
    OwnFolders { state, temporary }
}

/// Whether a manifest asks for something in a folder of the home.
fn asks_for(permissions: &Permissions, home: &Path, usual: &str) -> bool {
    let paths = permissions.filesystem_read.iter().chain(&permissions.filesystem_write);
    let folder = home.join(usual);
    paths.into_iter().filter_map(|text| smcp_confine::path_asked_for(text, home)).any(|path| {
        // All that is in the home includes it.
        path.starts_with(&folder) || folder.starts_with(&path)
    })
}

pub(super) fn may_be_confined(session: &Session) -> bool {
    session.config().confinement() != Strictness::Off
}

/// A machine of which nothing is known.
pub(crate) fn bare() -> Surroundings {
    let (kept, ruling, own, mounts) = Default::default();
    Surroundings { home: None, kept, ruling, own, mounts, view: VIEW }
}

const VIEW: FileView = FileView {
    resolve: |path| authority::resolve(path).ok(),
    target: authority::link_target,
    settled: authority::is_others,
    names: authority::names_in,
};

/// What is mounted where, by the kernel.
const MOUNTS: &str = "/proc/self/mountinfo";

/// What confining a server takes; `None` where the configuration has it off. What it is refused is counted in `denials`.
pub(crate) fn confining(
    session: &Session,
    manifest: &Manifest,
    own: &OwnFolders,
    denials: &Denials,
    observing: Option<&Observing>,
) -> Option<Confining> {
    // Without a block of permissions, files stay as they are, and nothing has to be known of them.
    let looks = manifest.permissions.is_some() || observing.is_some();
    may_be_confined(session).then(|| Confining {
        kernel: Kernel::ask(manifest.permissions.as_ref()),
        surroundings: if looks { surroundings(session, own) } else { bare() },
        outbound: outbound::outbound(session, manifest, denials, observing),
        observing: observing.cloned(),
    })
}

/// What there is beside a server, and what of it is granted by its own name alone.
fn surroundings(session: &Session, own: &OwnFolders) -> Surroundings {
    let config = session.config();
    let temporary = own.temporary.as_ref().map(|folder| folder.path().to_path_buf());
    let kept = config.cache_dir().into_iter().chain(config.audit_log()).chain(config.runtime_dir());
    // Who could write these would decide what starts next.
    let rules = config.layers().iter().flat_map(|layer| layer.files().iter().map(PathBuf::as_path));
    let registry = directory(config.registry());
    Surroundings {
        home: session.system().home(),
        kept: kept.chain(rules).chain(registry).map(Path::to_path_buf).collect(),
        ruling: ruling(config),
        mounts: Mount::all_of(&authority::read_file(Path::new(MOUNTS), limits::MOUNTS).unwrap_or_default()),
        own: own.state.iter().map(|state| state.path().to_path_buf()).chain(temporary).collect(),
        view: VIEW,
    }
}

/// What notes the uses of a server.
pub(crate) fn observing(session: &Session) -> Observing {
    Observing::new(session.system().home().and_then(|home| (VIEW.resolve)(&home)), listening)
}

/// The kernel's lists of sockets of the network.
const SOCKETS: [&str; 2] = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
/// The state of one that listens.
const LISTENS: &str = "0A";

/// The ports on which somebody on this machine listens.
fn listening() -> Vec<u16> {
    let mut ports = Vec::new();
    for list in SOCKETS {
        let list = authority::read_file(Path::new(list), limits::observe::SOCKETS).unwrap_or_default();
        for line in String::from_utf8_lossy(&list).lines() {
            let mut words = line.split_whitespace().skip(1);
            let (own, state) = (words.next().unwrap_or_default(), words.nth(1));
            let port = own.rsplit(':').next().and_then(|port| u16::from_str_radix(port, 16).ok());
            ports.extend(port.filter(|_| state == Some(LISTENS)));
        }
    }
    ports
}

fn directory(registry: &Registry) -> Option<&Path> {
    match registry {
        Registry::Directory(path) => Some(path),
        Registry::Url(_) | Registry::Official(_) | Registry::Oci(_) => None,
    }
}

/// The files that rules name, and this program.
fn ruling(config: &Config) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = authority::program_file().into_iter().collect();
    let signed = |signed_by: &SignedBy| signed_by.files().into_iter().map(Path::to_path_buf).collect::<Vec<_>>();
    files.extend(config.ca_file().map(Path::to_path_buf));
    for layer in config.layers() {
        for policy in layer.policies() {
            match &policy.source {
                PolicySource::File(path) if !policy.layer.is_set() => files.push(path.clone()),
                PolicySource::File(_) | PolicySource::BuiltIn(_) | PolicySource::Remote(_) => {}
            }
            files.extend(policy.signed_by.iter().flat_map(signed));
        }
        if let Some(set) = layer.policy_set() {
            match &set.source {
                SetSource::File(path) => files.push(path.clone()),
                SetSource::Remote(_) => {}
            }
            files.extend(set.signed_by.iter().flat_map(signed));
        }
        for trusted in layer.trusted().value.iter().flatten() {
            files.extend(directory(&trusted.registry).map(Path::to_path_buf));
            files.extend(trusted.statements.iter().flat_map(|rule| signed(&rule.signed_by)));
        }
    }
    files
}
