//! The platform that a bundle is made for: what its native code needs.

use std::fmt;

use serde_json::Map;
use serde_json::Value;

/// System, processor, C library, and the version of Python without its last number. Bundles of one lock and one platform
/// are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockPlatform {
    /// `linux` or `darwin`.
    pub os: String,
    /// `amd64`, `arm64`.
    pub arch: String,
    /// `glibc` or `musl`; none where the system has one only.
    pub libc: Option<String>,
    /// Such as `3.11`; for what runs on Python.
    pub python: Option<String>,
}

impl LockPlatform {
    /// The platform of this program, which is that of an MCP bundle too: nothing says more of it.
    pub(crate) fn current() -> Self {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        Self { os: os.to_owned(), arch: architecture(std::env::consts::ARCH), libc: None, python: None }
    }

    /// The same as a document, without what is not known.
    pub(crate) fn document(&self) -> Map<String, Value> {
        let Self { os, arch, libc, python } = self;
        let keys = [("os", Some(os)), ("arch", Some(arch)), ("libc", libc.as_ref()), ("python", python.as_ref())];
        keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.as_str().into()))).collect()
    }
}

impl fmt::Display for LockPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { os, arch, libc, python } = self;
        write!(f, "{os}/{arch}")?;
        if let Some(libc) = libc {
            write!(f, ", {libc}")?;
        }
        python.as_ref().map_or(Ok(()), |python| write!(f, ", Python {python}"))
    }
}

/// The word of manifests for a processor.
pub(crate) fn architecture(word: &str) -> String {
    match word {
        "x86_64" | "x64" | "AMD64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
    .to_owned()
}
