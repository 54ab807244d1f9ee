//! Reads the bytes of a manifest, in either format, into a [`Manifest`].
//!
//! The caller has verified the bytes against their digest. The reader is strict where something depends on it (types,
//! required keys, identity, platform) and ignores unknown keys, since registries grow.

mod author;
mod certification;
mod client;
mod hub;
mod keys;
mod scaffold;
mod schema;

pub use crate::manifest::author::check as check_author;
pub use crate::manifest::author::unknown as unknown_keys;
pub use crate::manifest::certification::believe;
pub use crate::manifest::scaffold::ScaffoldError;
pub use crate::manifest::scaffold::Scaffolded;
pub use crate::manifest::scaffold::ServerRuntime;
pub use crate::manifest::scaffold::scaffold;
pub use crate::manifest::schema::schema;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use smcp_model::digest::Digest;
use smcp_model::json::Document;
use smcp_model::manifest::Manifest;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// The name of a package's manifest, at the root of its directory.
pub const MANIFEST: &str = "manifest.json";

/// Why a manifest can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not a valid manifest.
    #[error("{0}")]
    Invalid(SafeText),
    /// It is not a valid manifest of an author; all of its problems.
    #[error("{}", list(.0))]
    Author(Vec<SafeText>),
    /// It has no entrypoint for this platform.
    #[error("it has no entrypoint for {platform}\n  it has some for: {available}")]
    NoEntrypoint {
        /// This platform.
        platform: String,
        /// The platforms it supports, separated by commas.
        available: String,
    },
}

impl ManifestError {
    fn invalid(problem: impl AsRef<str>) -> Self {
        Self::Invalid(SafeText::new(problem.as_ref()))
    }
}

/// Writes the problems of an author's manifest, and where to find out more.
fn list(problems: &[SafeText]) -> String {
    const MORE: &str = "docs/manifest.md and `smcp registry schema` have every key; `smcp registry new DIR` writes one";
    match problems {
        [one] => format!("{one}\n  {MORE}"),
        several => {
            let lines: String = several.iter().map(|problem| format!("\n  {problem}")).collect();
            format!("{} things in it are not right{lines}\n  {MORE}", several.len())
        }
    }
}

/// A platform in the words of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    os: &'static str,
    arch: &'static str,
}

impl Platform {
    /// Returns the platform this program was built for.
    pub fn current() -> Self {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Self { os, arch }
    }

    /// The word for its system: `linux` or `darwin`.
    pub const fn os(self) -> &'static str {
        self.os
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)
    }
}

/// The two formats of manifests (facts file, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ManifestFormat {
    /// With a `runtime` key and, from the registry, a `certification` block.
    Hub,
    /// With entrypoints for several platforms; it never has a score.
    Client,
}

/// A manifest that was read, not yet compared with the requested package.
#[derive(Debug)]
pub struct Read {
    /// The manifest.
    pub manifest: Manifest,
    /// The package it claims to belong to.
    pub identity: Identity,
    /// The `certification` block, unchanged; only the hub format has one.
    pub certification: Option<Value>,
}

/// The package and the bundle that a manifest claims to belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The package.
    pub id: PackageId,
    /// Its version.
    pub version: Version,
    /// The commit that it was built from.
    pub git_sha: Option<String>,
    /// Digest of the bundle.
    pub bundle_digest: Option<Digest>,
    /// Length of the bundle, bytes.
    pub bundle_size: Option<u64>,
}

/// The keys that both formats share, and those that tell them apart.
#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct ManifestHead {
    schema_version: Value,
    package: RawPackage,
    runtime: Option<Value>,
    bundle: Option<RawBundle>,
    certification: Option<Value>,
    workdir_writable: Option<bool>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawPackage {
    id: String,
    version: String,
    git_sha: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawBundle {
    digest: Option<String>,
    size_bytes: Option<u64>,
}

/// Reads a manifest for `platform`.
///
/// # Errors
/// When something that a launch depends on is missing or wrong. Unknown keys are not an error.
pub fn read(bytes: &[u8], platform: Platform) -> Result<Read, ManifestError> {
    let document = Document::new(bytes).map_err(ManifestError::Invalid)?;
    let head: ManifestHead = document.read().map_err(ManifestError::Invalid)?;
    let text = str::from_utf8(bytes).map_err(|error| ManifestError::invalid(error.to_string()))?;
    let format = if head.runtime.is_some() { ManifestFormat::Hub } else { ManifestFormat::Client };
    check_schema(&head.schema_version, format)?;
    let identity = identify(head.package, head.bundle)?;
    let started = match format {
        ManifestFormat::Hub => hub::read(document)?,
        ManifestFormat::Client => {
            require_bundle(&identity)?;
            client::read(document, platform)?
        }
    };
    let Started { transport, entrypoint, permissions, variables } = started;
    let workdir_writable = head.workdir_writable.unwrap_or(false);
    let manifest = Manifest { transport, entrypoint, permissions, variables, workdir_writable, text: text.to_owned() };
    let certification = head.certification.filter(|_| format == ManifestFormat::Hub);
    Ok(Read { manifest, identity, certification })
}

/// The part of a manifest that each format writes in its own way.
struct Started {
    transport: smcp_model::manifest::Transport,
    entrypoint: smcp_model::manifest::Entrypoint,
    permissions: Option<smcp_model::manifest::Permissions>,
    variables: BTreeMap<String, smcp_model::manifest::UserVariable>,
}

fn check_schema(version: &Value, format: ManifestFormat) -> Result<(), ManifestError> {
    let fits = match (version, format) {
        (Value::Number(_), _) => true,
        (Value::String(text), ManifestFormat::Client) => !text.trim().is_empty(),
        (Value::String(text), ManifestFormat::Hub) => text.parse::<f64>().is_ok(),
        (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_), _) => false,
    };
    if fits {
        Ok(())
    } else {
        let found = SafeText::quoted_value(&version.to_string());
        Err(ManifestError::invalid(format!("`schema_version` is `{found}`; expected a number, or one as text")))
    }
}

fn identify(package: RawPackage, bundle: Option<RawBundle>) -> Result<Identity, ManifestError> {
    let RawPackage { id, version, git_sha } = package;
    let RawBundle { digest, size_bytes } = bundle.unwrap_or(RawBundle { digest: None, size_bytes: None });
    let id = id.parse().map_err(|error| ManifestError::invalid(format!("`package.id`: {error}")))?;
    let bundle_digest = digest
        .map(|digest| digest.parse().map_err(|error| ManifestError::invalid(format!("`bundle.digest`: {error}"))))
        .transpose()?;
    // The parser's error explains references, which does not help here.
    let version = version.parse().map_err(|_| {
        let found = SafeText::quoted_value(&version);
        ManifestError::invalid(format!("`package.version` is `{found}`, which is no version"))
    })?;
    Ok(Identity { id, version, git_sha: git_sha.filter(|sha| !sha.is_empty()), bundle_digest, bundle_size: size_bytes })
}

fn require_bundle(identity: &Identity) -> Result<(), ManifestError> {
    match (identity.bundle_digest, identity.bundle_size) {
        (Some(_), Some(1..)) => Ok(()),
        (None, _) => Err(ManifestError::invalid("`bundle.digest` is missing")),
        (_, None | Some(0)) => Err(ManifestError::invalid("`bundle.size_bytes` is missing or 0")),
    }
}

/// Checks a program's name or path before it is looked up: it may not lead out of the bundle.
fn check_command(field: &str, command: &str) -> Result<(), ManifestError> {
    if command.trim().is_empty() {
        return Err(ManifestError::invalid(format!("`{field}` is empty; it names what to start")));
    }
    check_inside(field, command)
}

/// Checks that a path stays inside the bundle.
fn check_inside(field: &str, path: &str) -> Result<(), ManifestError> {
    check_text(field, path)?;
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(ManifestError::invalid(format!("`{field}` is `{path}`, which leads out of the bundle")));
    }
    Ok(())
}

/// Checks that an operating system takes a text as an argument.
fn check_text(field: &str, text: &str) -> Result<(), ManifestError> {
    if text.contains('\0') {
        return Err(ManifestError::invalid(format!("`{field}` has a NUL character")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
