//! The request that a policy gets: the subject and the circumstances.

use crate::confinement::Confinement;
use crate::digest::Digest;
use crate::facts::Facts;
use crate::manifest::Entrypoint;
use crate::manifest::Permissions;
use crate::manifest::Transport;
use crate::registry::Registry;

/// The package to judge. `None` means unknown, and a rule about an unknown field is violated.
///
/// Owner, name and version are texts: a facts document may have any text there, and a package that is not yet resolved
/// has `latest` or a digest in place of its version (spec section 5). For a resolved package they come from a
/// [`PackageId`](crate::name::PackageId) and a [`Version`](crate::package::Version).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The owner.
    pub org: String,
    /// The package.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// The registry that vouches for the facts.
    pub registry: Option<Registry>,
    /// The facts that this registry gives.
    pub facts: Facts,
    /// Digest of the manifest.
    pub manifest_digest: Option<Digest>,
    /// Digest of the bundle.
    pub bundle_digest: Option<Digest>,
    /// The transport between the server and its client.
    pub transport: Option<Transport>,
    /// The command that would be started.
    pub entrypoint: Option<Entrypoint>,
    /// The permissions that the manifest asks for.
    pub permissions: Option<Permissions>,
    /// The manifest as JSON text.
    pub manifest: Option<String>,
    /// How far the server would be confined on this machine; `None` where nothing would start.
    pub confinement: Option<Confinement>,
}

impl Subject {
    /// `org/name@version`.
    pub fn label(&self) -> String {
        format!("{}/{}@{}", self.org, self.name, self.version)
    }

    /// The same subject for a layer that doesn't trust the registry: its facts are unknown.
    #[must_use]
    pub fn without_facts(&self) -> Self {
        Self { facts: Facts::untrusted(), ..self.clone() }
    }
}

/// The circumstances of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Seconds since the Unix epoch.
    pub evaluated_at: u64,
    /// Whether `--trust` was passed.
    pub trust: bool,
    /// Whether a person can be asked.
    pub interactive: bool,
}

/// Everything that a policy gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The package to judge.
    pub subject: Subject,
    /// The circumstances.
    pub context: Context,
    /// Details that have no field in the interface, as pairs of name and value.
    pub extensions: Vec<(String, String)>,
}
