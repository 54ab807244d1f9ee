//! The provenance record: the sources and the tools of the components.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use crate::toolchain::Release;
use crate::toolchain::TARGET;

/// The version of the record's own shape.
const SCHEMA: &str = "smcp.provenance/1";

/// A folder of components.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    schema: String,
    /// The compiler.
    pub(crate) toolchain: Release,
    target: String,
    /// The tool that made components of the modules: `wit-component` and its version.
    pub(crate) encoder: String,
    /// By name.
    pub(crate) components: BTreeMap<String, Component>,
}

/// One component. Digests are `sha256:` and hex.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Component {
    /// The file beside the record.
    pub(crate) file: String,
    /// The Cargo package.
    pub(crate) package: String,
    /// Bytes.
    pub(crate) size: usize,
    /// Of the file.
    pub(crate) sha256: String,
    /// Of the guest's own sources, the SDK, the interface and the profile.
    pub(crate) sources: String,
    /// Of name, version and checksum of everything the guest is built with.
    pub(crate) dependencies: String,
}

impl Record {
    pub(crate) fn new(toolchain: Release, encoder: String, components: BTreeMap<String, Component>) -> Self {
        Self { schema: SCHEMA.to_owned(), toolchain, target: TARGET.to_owned(), encoder, components }
    }

    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("`{}` can't be read", path.display()))?;
        let record: Self =
            serde_json::from_str(&text).with_context(|| format!("`{}` is not a provenance record", path.display()))?;
        anyhow::ensure!(record.schema == SCHEMA, "`{}` is not a record of {SCHEMA}", path.display());
        Ok(record)
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("`{}` can't be written", path.display()))
    }
}
