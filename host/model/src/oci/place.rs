//! A place of packages in a registry of images: `oci://HOST/PREFIX`.

use std::fmt;

use crate::limits;
use crate::name::PackageId;
use crate::oci::OciHost;
use crate::oci::OciRepository;
use crate::oci::SCHEME;
use crate::oci::is_repository;
use crate::package::Version;
use crate::text::SafeText;

/// The grammar, for messages.
pub const PLACE_GRAMMAR: &str = "oci://HOST[:PORT][/PREFIX]";
/// What a repository's name may be, for messages.
pub(super) const REPOSITORY_SHAPE: &str = "a repository is lower-case letters and digits, with single dots, one or two \
                                           underscores or any number of hyphens between them, and slashes";

/// A name that no package has: an organisation's and a package's are two.
const NOBODYS: &str = "no-package";

/// A server of images, and the prefix below which it has packages: each is a repository `PREFIX/ORG/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciPlace {
    host: OciHost,
    prefix: String, // INVARIANT: empty, or see `is_repository`.
}

/// A package, or one of its versions, that a registry of images can't have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {problem}")]
pub struct UnplacedPackage {
    /// What can't be there.
    pub what: SafeText,
    /// Why.
    pub problem: SafeText,
}

impl OciPlace {
    /// Reads a place.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix(SCHEME).ok_or("it does not begin with oci://")?;
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("it has a user name or a password in it: log in with smcp login");
        }
        let host = OciHost::new(authority).ok_or("it names no host")?;
        let prefix = prefix.trim_end_matches('/');
        if prefix.contains([':', '@']) {
            return Err("the packages below a prefix have tags and digests, the prefix has none");
        }
        if !prefix.is_empty() && !is_repository(prefix) {
            return Err(REPOSITORY_SHAPE);
        }
        if prefix.len() > limits::oci::REPOSITORY {
            return Err("the prefix is too long");
        }
        Ok(Self { host, prefix: prefix.to_owned() })
    }

    /// The server.
    pub const fn host(&self) -> &OciHost {
        &self.host
    }

    /// The repository of a package.
    ///
    /// # Errors
    /// When the package's name is none for a repository.
    pub fn repository(&self, id: &PackageId) -> Result<OciRepository, UnplacedPackage> {
        let name = if self.prefix.is_empty() { id.to_string() } else { format!("{}/{id}", self.prefix) };
        let unplaced = |problem: &str| UnplacedPackage {
            what: SafeText::new(&format!("`{name}` is not the name of a repository")),
            problem: SafeText::new(problem),
        };
        if !is_repository(&name) {
            return Err(unplaced(REPOSITORY_SHAPE));
        }
        if name.len() > limits::oci::REPOSITORY {
            return Err(unplaced(&format!("it is longer than {} bytes", limits::oci::REPOSITORY)));
        }
        Ok(OciRepository { host: self.host.clone(), name })
    }

    /// A repository that no package has, for what is asked of the registry as a whole.
    pub fn nobodys(&self) -> OciRepository {
        let name = if self.prefix.is_empty() { NOBODYS.to_owned() } else { format!("{}/{NOBODYS}", self.prefix) };
        OciRepository { host: self.host.clone(), name }
    }

    /// The package whose repository has this name; `None` when it is no package's of this place.
    pub fn package(&self, repository: &str) -> Option<PackageId> {
        let id = match self.prefix.as_str() {
            "" => repository,
            prefix => repository.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        id.parse().ok()
    }
}

impl fmt::Display for OciPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

impl Version {
    /// The tag of this version in a registry of images: a tag has no `+`, and so `_` stands for it.
    ///
    /// # Errors
    /// When the tag is that of something else.
    pub fn tag(&self) -> Result<String, UnplacedPackage> {
        let tag = self.as_str().replace('+', "_");
        match version_of(&tag) {
            Some(version) if version == *self => Ok(tag),
            found => {
                let problem = match found {
                    Some(other) => format!("its tag is that of `{other}`"),
                    None => "its tag is that of what refers to an artefact".to_owned(),
                };
                let what = format!("`{self}` is not a version that a registry of images can have");
                Err(UnplacedPackage { what: SafeText::new(&what), problem: SafeText::new(&problem) })
            }
        }
    }
}

/// The version whose tag this is; `None` when it is no version's, such as a tag in place of a list of referrers.
pub fn version_of(tag: &str) -> Option<Version> {
    let is_digest = |rest: &str| rest.get(..64).is_some_and(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if tag.strip_prefix("sha256-").is_some_and(is_digest) {
        return None;
    }
    let with_plus: Option<Version> = tag.replace('_', "+").parse().ok();
    with_plus.filter(|version| version.semver().is_some()).or_else(|| tag.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_repository_below_the_prefix() {
        let long = format!("{}/{}", "a".repeat(128), "b".repeat(123));
        let cases = [
            ("oci://r.example/mcp", "acme/tool", Some("mcp/acme/tool")),
            ("oci://r.example/a/b", "a.b/c_d-e", Some("a/b/a.b/c_d-e")),
            ("oci://r.example", "acme/tool", Some("acme/tool")),
            ("oci://r.example/mcp", "Acme/tool", None),
            ("oci://r.example/mcp", "acme/tool-", None),
            ("oci://r.example/mcp", "acme/to..ol", None),
            ("oci://r.example/mcp", long.as_str(), None),
        ];
        for (place, id, expected) in cases {
            let (place, id) = (OciPlace::parse(place).unwrap(), id.parse::<PackageId>().unwrap());
            let repository = place.repository(&id);
            assert_eq!(repository.as_ref().ok().map(OciRepository::name), expected, "{place} {id}");
            match repository {
                Ok(repository) => assert_eq!(place.package(repository.name()), Some(id), "{place}"),
                Err(error) => assert!(error.to_string().contains("is not the name of a repository: "), "{error}"),
            }
        }
        let place = OciPlace::parse("oci://r.example/mcp").unwrap();
        for foreign in ["mcp", "mcp/", "mcp/acme", "mcp/acme/a/b", "mcpx/acme/tool", "acme/tool", "other/acme/tool"] {
            assert_eq!(place.package(foreign), None, "{foreign}");
        }
        for text in ["oci://r.example/mcp:1", "oci://r.example/mcp@sha256:00", "oci://r.example/a//b", "oci://@r/x"] {
            assert!(OciPlace::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_version_has_a_tag_of_its_own_or_none() {
        let long = format!("1.0.0-{}", "x".repeat(122));
        let (list, signature) = (format!("sha256-{}", "a".repeat(64)), format!("sha256-{}.sig", "0".repeat(64)));
        let cases = [
            ("1.0.0", Some("1.0.0")),
            ("1.0.0-rc.1+build.5", Some("1.0.0-rc.1_build.5")),
            ("2024_01", Some("2024_01")),
            (long.as_str(), Some(long.as_str())),
            // It would be read as `1.0.0+x`, and `1+a_b` as `1_a_b`.
            ("1.0.0_x", None),
            ("1+a", None),
            (list.as_str(), None),
            (signature.as_str(), None),
            ("sha256-short", Some("sha256-short")),
        ];
        for (version, tag) in cases {
            let version: Version = version.parse().unwrap();
            assert_eq!(version.tag().ok().as_deref(), tag, "{version}");
        }
        for tag in ["latest", list.as_str(), "_x", ".x", ""] {
            assert_eq!(version_of(tag), None, "{tag}");
        }
    }
}
