//! Where a policy's component or a policy set comes from when it is elsewhere.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Digest;
use crate::limits;
use crate::oci::OciReference;
use crate::oci::SCHEME;
use crate::registry::RegistryUrl;

/// An artefact in a registry of images, or a file behind a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemoteAddress {
    /// An artefact.
    Oci(OciReference),
    /// A file whose name ends in `.wasm`, or in `.tar.gz` for a policy set; `http` only for this machine.
    Url(RegistryUrl),
}

/// Where a policy set comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetSource {
    /// A file, by its absolute path.
    File(PathBuf),
    /// Elsewhere.
    Remote(RemoteAddress),
}

/// The folders that stand for what is elsewhere, so that what lies in an archive has a path. No file system has them.
const ELSEWHERE: [(&str, &str); 3] = [("/oci:/", SCHEME), ("/https:/", "https://"), ("/http:/", "http://")];

/// The place of a remote component, and how long an answer about it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSource {
    /// The place.
    pub address: RemoteAddress,
    /// The age from which a tag is asked for again.
    pub refresh: Duration,
    /// The age up to which the last good answer counts when it can't be asked for.
    pub max_age: Duration,
}

impl RemoteAddress {
    /// Reads the address of a component.
    ///
    /// # Errors
    /// With the problem.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        Self::of_file(text, ".wasm", "it does not end in a file's name with .wasm")
    }

    /// Reads the address of a policy set.
    ///
    /// # Errors
    /// With the problem.
    pub fn read_set(text: &str) -> Result<Self, &'static str> {
        Self::of_file(text, ".tar.gz", "it does not end in a file's name with .tar.gz")
    }

    /// Reads an address; the name of a file ends in `end`.
    fn of_file(text: &str, end: &str, otherwise: &'static str) -> Result<Self, &'static str> {
        if text.starts_with(SCHEME) {
            return text.parse().map(Self::Oci).map_err(|error: crate::oci::OciReferenceError| error.problem);
        }
        let url = RegistryUrl::parse(text)
            .ok_or("it is no https:// URL (http:// only for localhost) without user, query and fragment")?;
        let file = url.path().rsplit('/').next().unwrap_or_default();
        if file.len() > end.len() && file.ends_with(end) { Ok(Self::Url(url)) } else { Err(otherwise) }
    }

    /// The digest of the manifest that it names, if any.
    pub const fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Oci(reference) => reference.digest(),
            Self::Url(_) => None,
        }
    }
}

impl RemoteSource {
    /// The source at an address, with the ages that hold by default.
    pub const fn at(address: RemoteAddress) -> Self {
        Self { address, refresh: limits::oci::REFRESH_DEFAULT, max_age: limits::oci::MAX_AGE_DEFAULT }
    }
}

impl SetSource {
    /// The digest of the manifest that it names, if any.
    pub const fn digest(&self) -> Option<&Digest> {
        match self {
            Self::File(_) => None,
            Self::Remote(address) => address.digest(),
        }
    }

    /// The absolute path that the paths of its files begin with: that of the archive, or one that stands for its address.
    pub fn root(&self) -> PathBuf {
        let address = match self {
            Self::File(path) => return path.clone(),
            Self::Remote(address) => address.to_string(),
        };
        let folder = ELSEWHERE.iter().find_map(|(folder, scheme)| Some((folder, address.strip_prefix(scheme)?)));
        folder.map_or_else(|| Path::new("/").join(&address), |(folder, rest)| Path::new(folder).join(rest))
    }
}

/// Returns the address of a file in a set that is elsewhere; `None` for any other path.
pub fn address_in(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    ELSEWHERE.iter().find_map(|(folder, scheme)| Some(format!("{scheme}{}", text.strip_prefix(folder)?)))
}

/// Returns a path as it is told: the address of a file in a set that is elsewhere, any other as it is.
pub fn told(path: &Path) -> PathBuf {
    address_in(path).map_or_else(|| path.to_owned(), PathBuf::from)
}

impl fmt::Display for SetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.pad(&path.to_string_lossy()),
            Self::Remote(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for RemoteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oci(reference) => reference.fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_artefact_or_a_file() {
        let cases = [
            ("oci://r.example/a:1", Ok("oci://r.example/a:1")),
            ("https://r.example/policies/no-network.wasm", Ok("https://r.example/policies/no-network.wasm")),
            ("http://localhost:8080/a.wasm", Ok("http://localhost:8080/a.wasm")),
            ("http://r.example/a.wasm", Err("https:// URL")),
            ("https://r.example/a.wasm?token=x", Err("https:// URL")),
            ("https://me@r.example/a.wasm", Err("https:// URL")),
            ("https://r.example/a.tar", Err(".wasm")),
            ("https://r.example/.wasm", Err(".wasm")),
            ("https://r.example/", Err(".wasm")),
            ("oci://r.example/A", Err("a repository is")),
        ];
        for (text, expected) in cases {
            match (RemoteAddress::read(text), expected) {
                (Ok(read), Ok(shown)) => assert_eq!(read.to_string(), shown),
                (Err(problem), Err(says)) => assert!(problem.contains(says), "{text}: {problem}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn what_is_in_a_set_has_a_path_that_names_its_source() {
        let digest = Digest::of(b"x");
        let pinned = format!("oci://r.example/rules:1@{digest}");
        for text in ["oci://r.example:5000/a/rules:1", &pinned, "https://r.example/a/company.tar.gz"] {
            let source = SetSource::Remote(RemoteAddress::read_set(text).unwrap());
            let file = source.root().join("policies.d/a.wasm");
            assert!(file.is_absolute(), "{}", file.display());
            assert_eq!(address_in(&file), Some(format!("{text}/policies.d/a.wasm")));
            assert_eq!(crate::path::absolute(&file, Path::new("/"), None), Ok(file));
        }
        assert_eq!(address_in(Path::new("/srv/company.tar.gz/set.yaml")), None);
        assert_eq!(SetSource::File("/srv/a.tar.gz".into()).root(), Path::new("/srv/a.tar.gz"));
        for text in ["https://r.example/a.wasm", "https://r.example/.tar.gz", "http://r.example/a.tar.gz", "oci://r"] {
            assert!(RemoteAddress::read_set(text).is_err(), "{text}");
        }
    }
}
