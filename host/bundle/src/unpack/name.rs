//! Parses the name of an archive's entry; it can't lead out of the root.

use std::fmt;
use std::path::PathBuf;

use crate::unpack::ArchiveError;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// A normalised relative path; without parts it is the root itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryName {
    parts: Vec<String>, // INVARIANT: no part is empty, `.`, `..` or too long, or holds `/` or NUL.
}

impl EntryName {
    /// Parses a name from an archive. `./a`, `a/` and `a//b` are other spellings of `a`, `a` and `a/b`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let fail =
            |problem| Err(ArchiveError::Name { entry: SafeText::quoted(&String::from_utf8_lossy(bytes)), problem });
        let Ok(text) = str::from_utf8(bytes) else { return fail("is not UTF-8") };
        if text.is_empty() {
            return fail("is empty");
        }
        if text.contains('\0') {
            return fail("has a NUL character");
        }
        if text.starts_with('/') {
            return fail("is absolute");
        }
        let parts: Vec<String> = text.split('/').filter(|part| !matches!(*part, "" | ".")).map(String::from).collect();
        if parts.iter().any(|part| part == "..") {
            return fail("has `..` in it");
        }
        if text.len() > limits::BUNDLE_PATH || parts.iter().any(|part| part.len() > limits::BUNDLE_NAME) {
            return fail("is too long");
        }
        if parts.len() > limits::BUNDLE_DEPTH {
            return fail("is nested too deep");
        }
        Ok(Self { parts })
    }

    /// Whether it is the root itself.
    pub(crate) const fn is_root(&self) -> bool {
        self.parts.is_empty()
    }

    /// Its parts, outermost first.
    pub(crate) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Returns the path of the first `depth` parts.
    pub(crate) fn path(&self, depth: usize) -> PathBuf {
        self.parts.iter().take(depth).collect()
    }

    /// The path of the folder that it is in, and its last part; both are empty for the root.
    pub(crate) fn split(&self) -> (String, &str) {
        self.parts.split_last().map_or((String::new(), ""), |(last, above)| (above.join("/"), last))
    }

    /// The whole path.
    pub(crate) fn full_path(&self) -> PathBuf {
        self.path(self.parts.len())
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}
