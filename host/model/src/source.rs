//! Where a policy's component comes from when it is not on this machine.

use std::fmt;
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
    /// A file whose name ends in `.wasm`; `http` only for this machine.
    Url(RegistryUrl),
}

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
    /// Reads an address.
    ///
    /// # Errors
    /// With the problem.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if text.starts_with(SCHEME) {
            return text.parse().map(Self::Oci).map_err(|error: crate::oci::OciReferenceError| error.problem);
        }
        let url = RegistryUrl::parse(text)
            .ok_or("it is no https:// URL (http:// only for localhost) without user, query and fragment")?;
        let file = url.path().rsplit('/').next().unwrap_or_default();
        if file.len() > ".wasm".len() && file.ends_with(".wasm") {
            Ok(Self::Url(url))
        } else {
            Err("it does not end in a file's name with .wasm")
        }
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
}
