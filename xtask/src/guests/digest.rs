//! Digests of bytes, and of everything that a guest is built from.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use sha2::Digest as _;
use sha2::Sha256;

/// The folders that every guest is built from, besides its own. The interface is a link in the SDK's folder.
const SHARED: [&str; 2] = ["sdk/rust", "sdk/derive"];

/// The parts of the workspace's manifest that decide how a guest is compiled.
const PROFILES: [&str; 3] = ["[profile.release]", "[profile.guest]", "[workspace.package]"];

/// The digest of bytes, as `sha256:` and hex.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// Digest of the sources of the guest in `folders`: manifests, build scripts and `src`, its own and the SDK's, the
/// interface, and the profile.
pub(crate) fn of_sources(root: &Path, folders: &[&str]) -> anyhow::Result<String> {
    let mut files = BTreeSet::new();
    for part in SHARED.iter().chain(folders) {
        for entry in ["Cargo.toml", "build.rs", "src", "wit"] {
            collect(root, &format!("{part}/{entry}"), &mut files)?;
        }
    }
    let mut content = Vec::new();
    for file in &files {
        let bytes = std::fs::read(root.join(file)).with_context(|| format!("`{file}` can't be read"))?;
        append(&mut content, file, &bytes);
    }
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).context("`Cargo.toml` can't be read")?;
    for profile in PROFILES {
        append(&mut content, profile, table(&manifest, profile).as_bytes());
    }
    Ok(of_bytes(&content))
}

/// Appends a file. Name and length come before the bytes, so that no two sets of files give the same content.
fn append(content: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    content.extend_from_slice(format!("{name}\0{}\0", bytes.len()).as_bytes());
    content.extend_from_slice(bytes);
}

/// Adds a file, or all files of a folder, as paths from the root with `/`.
fn collect(root: &Path, path: &str, files: &mut BTreeSet<String>) -> anyhow::Result<()> {
    let full = root.join(path);
    if full.is_file() {
        files.insert(path.to_owned());
    } else if full.is_dir() {
        for entry in std::fs::read_dir(&full).with_context(|| format!("`{path}` can't be read"))? {
            let name = entry?.file_name();
            let name = name.to_str().with_context(|| format!("a name in `{path}` is not UTF-8"))?;
            collect(root, &format!("{path}/{name}"), files)?;
        }
    }
    Ok(())
}

/// The lines of one table of a TOML document, without comments and blank lines.
fn table(document: &str, header: &str) -> String {
    let lines = document.lines().skip_while(|line| line.trim() != header).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha256() {
        assert_eq!(of_bytes(b""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn a_table_ends_where_the_next_begins() {
        let document = "[a]\nx = 1\n# why\n\ny = 2\n[a.b]\nz = 3\n";
        assert_eq!(table(document, "[a]"), "x = 1\ny = 2\n");
        assert_eq!(table(document, "[c]"), "");
    }
}
