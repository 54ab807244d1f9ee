//! MCP bundles: zip archives with a manifest of their own, for desktop clients.
//!
//! The archive is read strictly: one in which two readers could see two things is refused, whatever either would see.
//! `import` makes packages of them. A registry of the official kind has nothing else: its packages are the archives
//! themselves, and their manifests are made here.

mod manifest;
mod names;
mod zip;

pub use crate::mcpb::manifest::McpbDraft;
pub use crate::mcpb::zip::ZipEntry;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::manifest::MANIFEST;
use crate::mcpb::manifest::McpbManifest;
use smcp_model::digest::Digest;
use smcp_model::imported::ImportedFrom;
use smcp_model::text::SafeText;

/// What a package that is an MCP bundle says of where it comes from.
pub const KIND: &str = "mcpb";

/// Why an MCP bundle can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum McpbError {
    /// It is not the one that was meant.
    #[error("the MCP bundle is not the one that was meant: expected {expected}, found {found}")]
    Digest {
        /// As given.
        expected: Digest,
        /// Of the bytes.
        found: Digest,
    },
    /// Its archive is damaged, or could be read in two ways.
    #[error("the MCP bundle's archive is refused: {0}")]
    Archive(String),
    /// Its manifest is not valid.
    #[error("the MCP bundle's manifest.json is not valid: {0}")]
    Manifest(String),
    /// It can't be started here.
    #[error("the MCP bundle can't be used: {0}")]
    Unfit(String),
}

impl McpbError {
    fn archive(problem: impl AsRef<str>) -> Self {
        Self::Archive(safe_lines(problem.as_ref()))
    }

    fn manifest(problem: impl AsRef<str>) -> Self {
        Self::Manifest(safe_lines(problem.as_ref()))
    }

    fn unfit(problem: impl AsRef<str>) -> Self {
        Self::Unfit(safe_lines(problem.as_ref()))
    }
}

/// Makes each line of a message harmless: names in it are others'.
fn safe_lines(text: &str) -> String {
    text.lines().map(|line| SafeText::new(line).to_string()).collect::<Vec<_>>().join("\n")
}

/// Everything in the archive of an MCP bundle.
#[derive(Debug)]
pub struct McpbArchive<'b> {
    entries: Vec<ZipEntry<'b>>,
}

impl<'b> McpbArchive<'b> {
    /// Reads an archive; nothing of it is unpacked yet.
    ///
    /// # Errors
    /// [`McpbError::Archive`] when two readers could see two things in it.
    pub fn read(bytes: &'b [u8]) -> Result<Self, McpbError> {
        Ok(Self { entries: zip::entries(bytes)? })
    }

    /// Its files and folders, in the order of its directory.
    pub fn entries(&self) -> &[ZipEntry<'b>] {
        &self.entries
    }

    /// Reads its manifest, and says it in words of ours; its files lie in `folder`, from where the server is started.
    ///
    /// # Errors
    /// When it has no manifest that is understood, or can't be started here.
    pub fn draft(&self, folder: Option<&'static str>) -> Result<McpbDraft, McpbError> {
        let of_manifest = self.entries.iter().find(|entry| entry.name == MANIFEST && !entry.is_folder);
        let text = of_manifest.ok_or_else(|| McpbError::archive("it has no manifest.json in its root"))?.contents()?;
        McpbManifest::read(&text)?.draft(&self.entries, folder)
    }
}

/// Makes the manifest of a package that is an MCP bundle: `id` and `version` are those of the package, whatever the bundle
/// calls itself.
///
/// # Errors
/// When the bundle has no manifest that is understood, or can't be started here.
pub fn package_manifest(bytes: &[u8], id: &str, version: &str, digest: &Digest) -> Result<String, McpbError> {
    let McpbDraft { name, version: own, description, repository, license, runtime, command, env, variables, .. } =
        McpbArchive::read(bytes)?.draft(None)?;
    let source = ImportedFrom {
        kind: KIND.to_owned(),
        name,
        version: own,
        integrity: digest.to_string(),
        facts_by_importer: false,
    };
    let mut package = Map::new();
    let texts = [("description", description), ("repository", repository), ("license", license)];
    package.extend([("id", id), ("version", version)].map(|(key, text)| (key.to_owned(), text.into())));
    package.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))));
    let manifest = json!({
        "schema_version": 1,
        "package": package,
        "runtime": {"type": runtime},
        "entrypoint": {"command": command, "env": env},
        "variables": variables,
        "source": source.document(),
    });
    Ok(format!("{manifest:#}\n"))
}

/// Where a project's source is, from the forms in which the manifests of others have it.
pub fn repository(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text,
        Value::Object(object) => object.get("url")?.as_str()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    let text = text.strip_prefix("git+").unwrap_or(text);
    text.starts_with("https://").then(|| text.trim_end_matches(".git").to_owned())
}

/// Reads a text of a document, without the control characters that none needs.
pub fn text(document: &Map<String, Value>, key: &str) -> Option<String> {
    let text = document.get(key)?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
