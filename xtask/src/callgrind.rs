//! Runs the released program under `valgrind --tool=callgrind`, in a home of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context as _;
use anyhow::bail;

use crate::run::cargo;
use crate::run::output;
use crate::run::run;
use crate::say;

/// The released program.
pub(crate) const SMCP: &str = "target/release/smcp";

/// A package of the example registry that the rules below allow.
const PACKAGE: &str = "acme/greeter@1.0.0";

const RULES: &str = "policy: {allowed_origins: [official, verified], min_cert_level: 2, min_score: 60}\n";
/// A component that rules can name.
const COMPONENT: &str = "examples/policies/dist/no_network.wasm";
pub(crate) const FACTS: &str = r#"{"origin": "verified", "cert_level": 2, "score": 88}"#;

/// A home of its own for the program that is counted.
#[derive(Debug)]
pub(crate) struct Bed {
    smcp: PathBuf,
    registry: PathBuf,
    home: tempfile::TempDir,
}

impl Bed {
    /// Builds the program, and a home with rules, facts, and a package in the cache; `None` where there is nothing to
    /// count with, which is said.
    pub(crate) fn make(root: &Path) -> anyhow::Result<Option<Self>> {
        if output(Command::new("valgrind").arg("--version")).is_err() {
            say("skipped: valgrind is not installed (Debian's package `valgrind`)");
            return Ok(None);
        }
        run(cargo().current_dir(root).args(["build", "--locked", "--release", "--package", "smcp"]))?;
        if asks_for_a_loader(&fs::read(root.join(SMCP))?) {
            say("skipped: smcp is linked to shared libraries here, and loading them would be counted \
                 (docs/decisions/0046)");
            return Ok(None);
        }
        let registry = root.join("examples/registry");
        let bed = Self { smcp: root.join(SMCP), registry, home: tempfile::tempdir()? };
        bed.write(".mcp/config.yaml", RULES)?;
        bed.write("facts.json", FACTS)?;
        let component = root.join(COMPONENT);
        bed.write(
            "own.yaml",
            &format!("policy:\n  custom:\n  - {{name: own, mode: warn, source: {}}}\n", component.display()),
        )?;
        // What is counted is a start with everything in the cache.
        for arguments in [bed.dry_run(), bed.own_policy()] {
            run(bed.command(&bed.smcp).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()))?;
        }
        Ok(Some(bed))
    }

    /// The arguments of `policy eval`.
    pub(crate) fn eval(&self) -> Vec<&OsStr> {
        ["policy", "eval", "--facts", "facts.json"].map(OsStr::new).into()
    }

    /// The arguments of `policy eval` with a policy of one's own.
    pub(crate) fn own_policy(&self) -> Vec<&OsStr> {
        ["--config", "own.yaml", "policy", "eval", "--facts", "facts.json"].map(OsStr::new).into()
    }

    /// The arguments of `run --dry-run`.
    pub(crate) fn dry_run(&self) -> Vec<&OsStr> {
        self.run(&["--dry-run"])
    }

    /// The arguments of `run`, with further ones.
    pub(crate) fn run<'a>(&'a self, further: &'a [&'a str]) -> Vec<&'a OsStr> {
        let registry = ["--registry".as_ref(), self.registry.as_os_str(), "run".as_ref()];
        registry.into_iter().chain(further.iter().map(OsStr::new)).chain([OsStr::new(PACKAGE)]).collect()
    }

    /// Writes a file into the home.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().context("every file has a folder")?)?;
        Ok(fs::write(&path, text)?)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let (mut command, home) = (Command::new(program), self.home.path());
        command.current_dir(home).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null());
        command
    }

    /// The instructions of smcp with these arguments, of all its threads.
    pub(crate) fn count(&self, arguments: &[&OsStr]) -> anyhow::Result<u64> {
        let told = self.callgrind(&["--callgrind-out-file=/dev/null"], &self.smcp, arguments)?;
        let collected = told.lines().find_map(|line| line.split("Collected : ").nth(1));
        Ok(collected.with_context(|| format!("valgrind counted nothing: {told}"))?.trim().parse()?)
    }

    /// What smcp with these arguments runs, in callgrind's format, with the address of each instruction.
    pub(crate) fn profile(&self, arguments: &[&OsStr]) -> anyhow::Result<String> {
        self.profile_of(&self.smcp, arguments)
    }

    /// The same of another program.
    pub(crate) fn profile_of(&self, program: &Path, arguments: &[&OsStr]) -> anyhow::Result<String> {
        let file = self.home.path().join("profile");
        let to_file = format!("--callgrind-out-file={}", file.display());
        let options = ["--dump-instr=yes", "--demangle=no", "--compress-strings=no", "--compress-pos=no", &to_file];
        self.callgrind(&options, program, arguments)?;
        fs::read_to_string(&file).with_context(|| format!("`{}` can't be read", file.display()))
    }

    /// Returns what valgrind tells at the end.
    fn callgrind(&self, options: &[&str], program: &Path, arguments: &[&OsStr]) -> anyhow::Result<String> {
        let mut valgrind = self.command("valgrind");
        valgrind.arg("--tool=callgrind").args(options).arg(program).args(arguments);
        let ran = valgrind.output().context("valgrind can't be started")?;
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        if !ran.status.success() {
            bail!("valgrind counted nothing ({}): {told}", ran.status);
        }
        Ok(told)
    }
}

/// Whether a program (ELF, 64 bit, little-endian) names a loader of shared libraries: a program header of the type
/// `PT_INTERP`.
fn asks_for_a_loader(program: &[u8]) -> bool {
    let number = |at: usize, length: usize| {
        let bytes = program.get(at..at.saturating_add(length)).unwrap_or_default();
        bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let (headers, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    (0..count).any(|header| number(headers.saturating_add(header.saturating_mul(size)), 4) == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Cargo builds by itself has shared libraries, and so has this test.
    #[test]
    fn a_loader_is_found() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(asks_for_a_loader(&this));
        assert!(!asks_for_a_loader(&this[..0x40]) && !asks_for_a_loader(b""));
    }
}
