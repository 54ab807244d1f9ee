//! The request: everything that a policy is told.
//!
//! In a component the bindings make it, field by field. In tests `testing` makes it, or serde reads it from a document;
//! only native builds have the code for serde.

/// Everything a policy is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The package in question.
    pub subject: Subject,
    /// The circumstances of the evaluation.
    pub context: Context,
    /// Facts that later versions of smcp add, as name and value. Ignore names that you don't know.
    pub extensions: Vec<(String, String)>,
}

/// The package to be started. `None` always means "unknown": a rule about an unknown fact should be violated, not
/// skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Subject {
    /// The part of `org/name` before the slash.
    pub org: String,
    /// The part of `org/name` after the slash.
    pub name: String,
    /// The exact version; never `latest`.
    pub version: String,
    /// The registry that vouches for the facts below: its URL, or the path of its directory.
    pub registry: Option<String>,
    /// `published` or `deprecated`; a package in any other state is refused before policies run.
    pub status: Option<String>,
    /// The kind of publisher.
    #[cfg_attr(not(target_arch = "wasm32"), serde(deserialize_with = "origin"))]
    pub origin: Option<Origin>,
    /// Certification level, 0 to 3.
    pub cert_level: Option<u8>,
    /// Security score, 0 to 100.
    pub score: Option<u8>,
    /// The part of the score that is about the code itself.
    pub security_score: Option<u8>,
    /// The part of the score that is about dependencies and build.
    pub supply_chain_score: Option<u8>,
    /// The part of the score that is about upkeep.
    pub maturity_score: Option<u8>,
    /// What the analysis found.
    pub findings: Option<SeverityCounts>,
    /// Digest of the manifest, `sha256:` and 64 lower-case hex digits; verified.
    pub manifest_digest: Option<String>,
    /// Digest of the bundle, in the same form; verified.
    pub bundle_digest: Option<String>,
    /// The commit that the package was built from, as the registry says it.
    pub git_sha: Option<String>,
    /// `stdio` or `http`.
    pub transport: Option<String>,
    /// The command that would be started on this platform.
    pub entrypoint: Option<Entrypoint>,
    /// The permissions that the manifest asks for.
    pub permissions: Option<Permissions>,
    /// The whole manifest as JSON text.
    pub manifest: Option<String>,
}

/// The kind of a package's publisher, in the registry's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Published by the registry's own organisation.
    Official,
    /// Published by an owner whose identity the registry has checked.
    Verified,
    /// Published by an owner whose identity is not checked.
    Community,
    /// A word that this version doesn't know.
    Other(String),
}

impl Origin {
    /// The registry's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Official => "official",
            Self::Verified => "verified",
            Self::Community => "community",
            Self::Other(word) => word,
        }
    }

    /// Reads a registry's word as smcp does: trimmed, in upper or lower case. `None` when it has only white space.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        if word.is_empty() {
            return None;
        }
        let known = [Self::Official, Self::Verified, Self::Community];
        let known = known.into_iter().find(|origin| origin.as_str().eq_ignore_ascii_case(word));
        Some(known.unwrap_or_else(|| Self::Other(word.to_owned())))
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn origin<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    let word: Option<String> = serde::Deserialize::deserialize(deserializer)?;
    Ok(word.as_deref().and_then(Origin::from_word))
}

/// The number of findings of each severity in the registry's analysis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct SeverityCounts {
    /// Critical findings.
    pub critical: u32,
    /// High findings.
    pub high: u32,
    /// Medium findings.
    pub medium: u32,
    /// Low findings.
    pub low: u32,
}

/// The command that starts the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Entrypoint {
    /// A name looked up on PATH, or a path inside the bundle.
    pub command: String,
    /// The arguments from the manifest, without those of the command line.
    pub args: Vec<String>,
}

/// The permissions that the manifest asks for. Lists are unchanged, in the manifest's order, `*` included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Permissions {
    /// Hosts, or patterns of hosts.
    pub network: Vec<String>,
    /// Paths to read.
    pub filesystem_read: Vec<String>,
    /// Paths to write.
    pub filesystem_write: Vec<String>,
    /// Names of environment variables.
    pub environment: Vec<String>,
    /// Whether it wants to start other processes.
    pub subprocess: bool,
}

/// The circumstances of the evaluation. A policy has no clock: this is the only time it can know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub evaluated_at: u64,
    /// Whether the caller passed `--trust`. It answers questions; it never turns a violation into a pass.
    pub trust: bool,
    /// Whether a person can be asked.
    pub interactive: bool,
    /// The version of smcp, a SemVer string.
    pub tool_version: String,
}
