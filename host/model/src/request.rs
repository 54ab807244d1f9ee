//! What a policy is told: the subject and the circumstances.

use crate::digest::Digest;
use crate::facts::Facts;
use crate::manifest::Entrypoint;
use crate::manifest::Permissions;
use crate::manifest::Transport;
use crate::registry::Registry;

/// The package in question. `None` means unknown, and a rule about something unknown is violated.
///
/// Owner, name and version are texts: a facts document may have any text there, and a package that was not found yet has
/// `latest` or a digest in place of its version (spec section 5). Where they name a package, they come from a
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
    /// What that registry says.
    pub facts: Facts,
    /// Digest of the manifest.
    pub manifest_digest: Option<Digest>,
    /// Digest of the bundle.
    pub bundle_digest: Option<Digest>,
    /// How the server talks.
    pub transport: Option<Transport>,
    /// What would be started.
    pub entrypoint: Option<Entrypoint>,
    /// What the manifest asks for.
    pub permissions: Option<Permissions>,
    /// The manifest as JSON text.
    pub manifest: Option<String>,
}

impl Subject {
    /// `org/name@version`.
    pub fn label(&self) -> String {
        format!("{}/{}@{}", self.org, self.name, self.version)
    }

    /// The same subject in the eyes of a layer that doesn't trust the registry: its facts are unknown.
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

/// Everything a policy is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The package in question.
    pub subject: Subject,
    /// The circumstances.
    pub context: Context,
    /// What the interface has no field for, as name and value.
    pub extensions: Vec<(String, String)>,
}
