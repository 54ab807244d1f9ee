//! Python, by componentize-py, which the project's requirements.txt pins.

use crate::build::BuildError;
use crate::build::MADE;
use crate::build::Project;
use crate::component::WORLD;

const INSTALL: &str = "install Python 3.10 or newer with venv: `apt-get install python3 python3-venv` (Debian, Ubuntu), \
                       `dnf install python3` (Fedora), https://www.python.org";
const REINSTALL: &str = "remove the folder `.venv`, and build again";

/// The folder of the installed toolchain, and the names of the files in it.
const FOLDER: &str = ".venv";
const PYTHON: &str = ".venv/bin/python3";
const COMPONENTIZE: &str = ".venv/bin/componentize-py";
const LOCK: &str = "requirements.txt";

/// The module of the policy: `policy.py`.
const MODULE: &str = "policy";

/// Installs the toolchain, wheels with the pinned hashes only; then makes the component.
pub(super) fn build(project: &Project<'_>) -> Result<Vec<u8>, BuildError> {
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--require-hashes", "--only-binary"];
    let steps = vec![
        project.tool("python3", INSTALL).args(["-m", "venv", "--clear", FOLDER]),
        project.tool(PYTHON, REINSTALL).args(pip).args([":all:", "--requirement", LOCK]),
    ];
    project.install(FOLDER, &[LOCK], steps)?;
    let wit = project.wit()?;
    let made = project.tool(COMPONENTIZE, REINSTALL).args(["--wit-path", wit, "--world", WORLD]);
    project.make(made.args(["componentize", "--stub-wasi", MODULE, "--output", MADE]))
}
