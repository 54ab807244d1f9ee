//! `cargo xtask templates`: pins what a new project of Rust is built with.
//!
//! `smcp policy new` writes a lock file, so that a project builds with what smcp was tested with, and offline where that is
//! at hand. It is this workspace's own, without what such a project doesn't use.

use std::path::Path;

use anyhow::Context as _;

use crate::run::cargo;
use crate::run::output;
use crate::say;
use smcp_author::Language;

/// The lock file in the template.
const LOCK: &str = "host/author/templates/rust/Cargo.lock.template";

/// Makes a project with this workspace's lock file, and keeps what Cargo leaves of it.
pub(crate) fn pin(root: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let name = "my-policy".parse()?;
    for (file, content) in smcp_author::project_files(Language::Rust, &name) {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        std::fs::write(path, content)?;
    }
    let lock = folder.path().join("Cargo.lock");
    std::fs::copy(root.join("Cargo.lock"), &lock)?;
    output(cargo().args(["metadata", "--format-version=1", "--offline"]).current_dir(folder.path()))?;
    std::fs::copy(&lock, root.join(LOCK)).with_context(|| format!("`{LOCK}` can't be written"))?;
    say(&format!("{LOCK}: what a new project is built with"));
    Ok(())
}
