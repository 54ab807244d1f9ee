//! C, by clang and its `wasm-ld`, without a C library.

use crate::build::BuildError;
use crate::build::MADE;
use crate::build::Project;
use crate::toolchain::ToolError;

const INSTALL: &str = "install it: `apt-get install clang lld` (Debian, Ubuntu), `dnf install clang lld` (Fedora), \
                       `brew install llvm lld` (macOS)";

/// A stack of 64 KiB, so that a policy's memory stays small; and no `main`.
const FLAGS: [&str; 6] =
    ["--target=wasm32-unknown-unknown", "-Oz", "-Wall", "-Wextra", "-nostdlib", "-Wl,--no-entry,-z,stack-size=65536"];

/// Compiles every `.c` file of the folder into one module.
pub(super) fn build(project: &Project<'_>) -> Result<Vec<u8>, BuildError> {
    check_clang(project)?;
    let entries = project.dir.entries().map_err(|cause| BuildError::Unreadable { name: ".".to_owned(), cause })?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    // A name that begins with `-` would be an option.
    let mut sources: Vec<_> = names.filter(|name| name.ends_with(".c")).map(|name| format!("./{name}")).collect();
    sources.sort();
    project.make(project.tool("clang", INSTALL).args(FLAGS).args(["-o", MADE]).args(sources))
}

/// Tries whether clang can make WebAssembly and finds its linker: Apple's clang can't, and in Debian the linker is
/// another package.
fn check_clang(project: &Project<'_>) -> Result<(), ToolError> {
    let tries =
        ["--target=wasm32-unknown-unknown", "-nostdlib", "-Wl,--version", "-x", "c", "/dev/null", "-o", "/dev/null"];
    if project.tool("clang", INSTALL).args(tries).succeeds()? {
        return Ok(());
    }
    Err(ToolError::Unfit(format!(
        "the `clang` of this machine can't make WebAssembly, or lacks `wasm-ld`\n→ {INSTALL}"
    )))
}
