//! A package: as the user names it, and as a registry resolves it.

mod elsewhere;

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::digest::DigestError;
use crate::facts::Facts;
use crate::manifest::Manifest;
use crate::name::NameError;
use crate::name::PackageId;
use crate::package::elsewhere::Elsewhere;
use crate::registry::Registry;
use crate::text::SafeText;

/// A version: 1 to 128 bytes of `[A-Za-z0-9.+_-]` with a letter or digit first. It need not be SemVer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String); // INVARIANT: checked by `FromStr`, the only constructor.

/// Selects one of a package's versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// This version.
    Exact(Version),
    /// The highest published SemVer version.
    Latest,
    /// The version whose manifest, bundle or image manifest has this digest.
    Digest(Digest),
}

/// `org/name@version`, `org/name@latest` or `org/name@sha256:…` (spec section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRef {
    /// The package.
    pub id: PackageId,
    /// Its version.
    pub selector: Selector,
}

/// A text is not a reference to a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not a package reference: {reason}\n  \
     expected ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST, for example acme/tool@1.2.0{}",
    way_out.as_ref().map(|way_out| format!("\n  {way_out}")).unwrap_or_default()
)]
pub struct RefError {
    found: SafeText,
    reason: String,
    way_out: Option<String>,
}

impl RefError {
    fn new(found: &str, reason: String) -> Self {
        Self { found: SafeText::quoted(found), reason, way_out: None }
    }
}

/// A registry's answer about a package, not yet verified against any bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The package.
    pub id: PackageId,
    /// The version; never `latest`.
    pub version: Version,
    /// The registry that answered.
    pub registry: Registry,
    /// The facts in the answer; the manifest adds to them later.
    pub facts: Facts,
    /// Digest of the manifest, as the registry gives it.
    pub manifest_digest: Digest,
    /// Digest of the bundle, as the registry gives it.
    pub bundle_digest: Digest,
    /// Length of the bundle in bytes, when the registry gives it.
    pub bundle_size: Option<u64>,
    /// Digest of the image manifest that names both, in a registry of images: what statements there are about.
    pub image_digest: Option<Digest>,
}

impl Resolution {
    /// `org/name@version`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// Whether a digest is that of its manifest, its bundle or its image manifest.
    pub fn has_digest(&self, digest: &Digest) -> bool {
        self.manifest_digest == *digest || self.bundle_digest == *digest || self.image_digest == Some(*digest)
    }
}

/// A package with exact bytes, identified by verified digests, and the facts that its registry gives.
#[derive(Debug, Clone)]
pub struct ResolvedPackage {
    /// The package.
    pub id: PackageId,
    /// The version; never `latest`.
    pub version: Version,
    /// The registry that vouches for the facts.
    pub registry: Registry,
    /// The facts that this registry gives.
    pub facts: Facts,
    /// Digest of the manifest's bytes; verified.
    pub manifest_digest: Digest,
    /// Digest of the bundle's bytes; verified.
    pub bundle_digest: Digest,
    /// The bundle's length in bytes.
    pub bundle_size: u64,
    /// The manifest, parsed.
    pub manifest: Manifest,
}

impl ResolvedPackage {
    /// `org/name@version`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }
}

impl Version {
    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The version as SemVer; `None` when it is not SemVer.
    pub fn semver(&self) -> Option<semver::Version> {
        semver::Version::parse(&self.0).ok()
    }
}

impl FromStr for Version {
    type Err = RefError;

    fn from_str(text: &str) -> Result<Self, RefError> {
        let shape = (1..=128).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'_' | b'-'));
        if shape && text != "latest" {
            Ok(Self(text.to_owned()))
        } else {
            let reason = "a version is 1 to 128 characters of A-Z, a-z, 0-9, `.`, `+`, `_` and `-`";
            Err(RefError::new(text, reason.to_owned()))
        }
    }
}

impl FromStr for PackageRef {
    type Err = RefError;

    fn from_str(text: &str) -> Result<Self, RefError> {
        let fail = |reason: String| match Elsewhere::of(text) {
            Some(elsewhere) => {
                let way_out = Some(elsewhere.way_out(text));
                RefError { way_out, ..RefError::new(text, elsewhere.reason().to_owned()) }
            }
            None => RefError::new(text, reason),
        };
        let Some((id, selector)) = text.split_once('@') else {
            return Err(fail("it names no version; add one, or `@latest`".to_owned()));
        };
        let id = id.parse().map_err(|error: NameError| fail(error.to_string()))?;
        let selector = if selector == "latest" {
            Selector::Latest
        } else if selector.contains(':') {
            let lower = selector.to_ascii_lowercase();
            let meant = lower.parse::<Digest>().map(|digest| format!("; did you mean `{digest}`?")).unwrap_or_default();
            let error = |error: DigestError| fail(format!("{error}{meant}"));
            Selector::Digest(selector.parse().map_err(error)?)
        } else {
            Selector::Exact(selector.parse().map_err(|error: Self::Err| fail(error.reason))?)
        };
        Ok(Self { id, selector })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(f),
            Self::Latest => f.write_str("latest"),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl fmt::Display for PackageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.selector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_follow_the_grammar() {
        let digest = format!("acme/tool@sha256:{}", "0".repeat(64));
        for good in ["acme/tool@1.0.0", "acme/tool@latest", "a.b/c_d@2024-01-01", "acme/tool@1.0.0-rc.1+x", &digest] {
            assert_eq!(good.parse::<PackageRef>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "acme/tool",
            "acme/tool@",
            "@1",
            "acme@1",
            "acme/tool@1@2",
            "acme/tool@../1",
            "acme/tool@sha256:12",
            "acme/tool@sha512:00",
            "../x/tool@1",
            "acme/tool@1 0",
            "acme/tool@-1",
            "acme/a/b@1",
        ] {
            let error = bad.parse::<PackageRef>().unwrap_err();
            assert!(error.to_string().contains("expected ORG/NAME@VERSION"), "{bad}: {error}");
        }
    }
    #[test]
    fn names_from_other_registries_are_recognised() {
        let cases = [
            ("@modelcontextprotocol/server-filesystem", "it is the name of an npm package"),
            ("@scope/x@1.0.0", "it is the name of an npm package"),
            ("npm:left-pad", "it is the name of an npm package"),
            ("npx", "it is the name of an npm package"),
            ("npx -y @scope/x", "it is the name of an npm package"),
            ("uvx mcp-server-fetch", "it is the name of a PyPI package"),
            ("pypi:mcp-server-fetch==1.0", "it is the name of a PyPI package"),
            ("mcp-server-fetch==2025.1", "it is the name of a PyPI package"),
            ("ghcr.io/github/github-mcp-server", "it is the name of a container image"),
            ("ghcr.io/github/github-mcp-server:1.0", "it is the name of a container image"),
            ("localhost:5000/tool", "it is the name of a container image"),
            ("docker run -i mcp/fetch", "it is the name of a container image"),
            ("docker://mcp/fetch", "it is the name of a container image"),
            ("https://mcp.example.com/mcp", "it is a URL"),
            ("https://registry.example/acme/tool@1.0.0", "it is a URL"),
            ("git@github.com:acme/tool", "it is a URL"),
            ("tool.mcpb", "it is the name of an MCP bundle"),
            ("policies/no_network.wasm", "it is the name of a WebAssembly file"),
            ("./downloads/tool.MCPB", "it is the name of an MCP bundle"),
            ("./server", "it is the path of a file or folder"),
            ("/srv/tool", "it is the path of a file or folder"),
            ("~/tool", "it is the path of a file or folder"),
            (".", "it is the path of a file or folder"),
            ("acme/tool:1.0.0", "a version stands behind `@`, not behind `:`"),
            ("server-filesystem", "it does not say whose package it is"),
            ("tool@1.0.0", "it does not say whose package it is"),
            ("acme/tool", "it names no version; add one, or `@latest`"),
        ];
        for (text, reason) in cases {
            let error = text.parse::<PackageRef>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not a package reference: {reason}\n")), "{error}");
        }
        for (text, command) in [
            ("npm:@scope/x@1.0.0", "smcp import npm:@scope/x@1.0.0"),
            ("npx -y @scope/x", "smcp import npm:@scope/x"),
            ("npx", "smcp import npm:NAME@VERSION"),
            ("pypi:mcp-server-fetch==1.0", "smcp import pypi:mcp-server-fetch==1.0"),
            ("uvx mcp-server-fetch", "smcp import pypi:mcp-server-fetch"),
            ("./tool.mcpb", "smcp import mcpb:./tool.mcpb"),
        ] {
            let error = text.parse::<PackageRef>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{command}` makes a package of it")), "{error}");
        }
        let upper = format!("acme/tool@SHA256:{}", "A".repeat(64));
        let error = upper.parse::<PackageRef>().unwrap_err().to_string();
        assert!(error.contains(&format!("did you mean `sha256:{}`?", "a".repeat(64))), "{error}");
        let error = "acme/t\u{202e}ool@1".parse::<PackageRef>().unwrap_err().to_string();
        assert!(!error.contains('\u{202e}'), "{error}");
    }
}
