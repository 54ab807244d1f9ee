//! Rust, by cargo for `wasm32-unknown-unknown`.
//!
//! Paths of this machine are kept out of the bytes, so that the same sources have the same digest on another one.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::build::BuildError;
use crate::build::Project;
use crate::project_file;
use crate::toolchain::Tool;
use crate::toolchain::ToolError;

/// The target of policies, which has no system interface.
const TARGET: &str = "wasm32-unknown-unknown";
const INSTALL: &str = "install Rust: https://rustup.rs";

/// Compiles the crate in the folder, in release mode.
pub(super) fn build(project: &Project<'_>) -> Result<Vec<u8>, BuildError> {
    check_target(project)?;
    let metadata = ["metadata", "--format-version=1", "--filter-platform", TARGET];
    let metadata = project.tool("cargo", INSTALL).args(metadata).output()?;
    let metadata: Value = serde_json::from_slice(&metadata)
        .map_err(|error| BuildError::Unfit(format!("`cargo metadata` prints what can't be read: {error}")))?;
    let library = library(project, &metadata)?;

    // As a module alone: with `rlib` beside it, the optimiser sees one crate at a time, and the component is larger.
    let compile = ["rustc", "--release", "--lib", "--crate-type", "cdylib", "--target", TARGET];
    let cargo = project.tool("cargo", INSTALL).args(compile);
    (project.announce)(&cargo.line());
    // The other flags are about paths in messages, which an author need not read.
    cargo.args(["--config", &format!("build.rustflags={}", json!(flags(project, &metadata)?))]).run()?;

    let target = Path::new(text(&metadata, "target_directory"));
    let (folder, name) = (target.join(TARGET).join("release"), format!("{library}.wasm"));
    let read = (project.open)(&folder).and_then(|folder| project_file::read(&folder, &name));
    read.map_err(|cause| BuildError::Unreadable { name: folder.join(&name).display().to_string(), cause })
}

/// Whether the compiler that the project chooses has the standard library of the target.
fn check_target(project: &Project<'_>) -> Result<(), ToolError> {
    let library = print(project.tool("rustc", INSTALL).args(["--print", "target-libdir", "--target", TARGET]))?;
    if (project.open)(Path::new(&library)).is_ok() {
        return Ok(());
    }
    Err(ToolError::Unfit(format!(
        "Rust has no target {TARGET} here\n→ `rustup target add {TARGET}`; where there is no rustup, the package of your \
         system: `rust-std-static-{TARGET}` (Fedora), `libstd-rust-dev-wasm32` (Debian, Ubuntu)"
    )))
}

/// Returns the output of a program as one line.
fn print(tool: Tool<'_>) -> Result<String, ToolError> {
    Ok(String::from_utf8_lossy(&tool.output()?).trim().to_owned())
}

/// Returns the name of the crate in the folder, which has to make a module.
fn library<'m>(project: &Project<'_>, metadata: &'m Value) -> Result<String, BuildError> {
    let manifest = project.folder.join("Cargo.toml");
    let unfit = |why: &str| BuildError::Unfit(format!("Cargo.toml {why}"));
    let is_this = |package: &&&'m Value| Path::new(text(package, "manifest_path")) == manifest;
    let package = list(metadata, "packages").find(|package| is_this(&package));
    let package =
        package.ok_or_else(|| unfit("is that of a workspace\n→ name the folder of the policy's own package"))?;
    let makes_module = |target: &&Value| list(target, "crate_types").any(|kind| kind == "cdylib");
    let library = list(package, "targets").find(makes_module);
    let library = library.ok_or_else(|| unfit("says no `cdylib`\n→ [lib] crate-type = [\"cdylib\"]"))?;
    Ok(text(library, "name").replace('-', "_"))
}

/// Flags that keep paths of this machine out of the bytes, since the messages of panics name files.
fn flags(project: &Project<'_>, metadata: &Value) -> Result<Vec<String>, ToolError> {
    let mut remaps = BTreeSet::new();
    for package in list(metadata, "packages") {
        let folder = Path::new(text(package, "manifest_path")).parent().unwrap_or(Path::new("/"));
        let source = package.get("source").and_then(Value::as_str).unwrap_or_default();
        let of_registry = source.starts_with("registry+") || source.starts_with("sparse+");
        match folder.parent().filter(|_| of_registry) {
            Some(sources) => remaps.insert((sources.to_path_buf(), "/cargo".to_owned())),
            None => remaps.insert((folder.to_path_buf(), format!("/cargo/{}", text(package, "name")))),
        };
    }
    // The standard library's sources, under the name that they had when it was compiled.
    let sysroot = print(project.tool("rustc", INSTALL).args(["--print", "sysroot"]))?;
    let version = print(project.tool("rustc", INSTALL).args(["-vV"]))?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or_default();
    remaps.insert((Path::new(&sysroot).join("lib/rustlib/src/rust"), format!("/rustc/{commit}")));
    // Of several that fit, the compiler takes the last; a folder stands before those inside it.
    Ok(remaps.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect())
}

/// A text in a document of cargo's; empty if it is not there.
fn text<'d>(document: &'d Value, key: &str) -> &'d str {
    document.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list in a document of cargo's.
fn list<'d>(document: &'d Value, key: &str) -> impl Iterator<Item = &'d Value> {
    document.get(key).and_then(Value::as_array).into_iter().flatten()
}
