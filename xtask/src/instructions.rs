//! Counts the instructions of what every start does, and compares them with those of before.
//!
//! Times differ from machine to machine and from minute to minute; the instructions of one program on one input hardly
//! do. `valgrind --tool=callgrind` counts those of the process, not of the system.

use std::collections::BTreeMap;
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

/// The counts that are compared with.
const BASELINE: &str = "host/benches/instructions.json";

/// The released program.
const SMCP: &str = "target/release/smcp";

/// How much a count may differ from its baseline, per cent.
const TOLERANCE: u64 = 5;

/// Cases in the shorter and the longer run whose difference is divided by the number of cases more.
const CASES: (u64, u64) = (10, 110);

/// A package of the example registry that the rules below allow.
const PACKAGE: &str = "acme/greeter@1.0.0";

const RULES: &str = "policy: {allowed_origins: [official, verified], min_cert_level: 2, min_score: 60}\n";
const FACTS: &str = r#"{"origin": "verified", "cert_level": 2, "score": 88}"#;

type Counts = BTreeMap<String, u64>;

/// Counts, and fails where a count is more than [`TOLERANCE`] away from its baseline, in either direction: a gate that
/// became faster would otherwise be allowed to become slower again. With `accept` the counts are the new baseline.
pub(crate) fn compare(root: &Path, accept: bool) -> anyhow::Result<()> {
    if output(Command::new("valgrind").arg("--version")).is_err() {
        say("skipped: valgrind is not installed (Debian's package `valgrind`)");
        return Ok(());
    }
    run(cargo().current_dir(root).args(["build", "--locked", "--release", "--package", "smcp"]))?;
    if asks_for_a_loader(&fs::read(root.join(SMCP))?) {
        say(
            "skipped: smcp is linked to shared libraries here, and loading them would be counted (docs/decisions/0046)",
        );
        return Ok(());
    }
    let found = count(root)?;
    let file = root.join(BASELINE);
    if accept {
        let text = format!("{}\n", serde_json::to_string_pretty(&found)?);
        return fs::write(&file, text).with_context(|| format!("`{BASELINE}` can't be written"));
    }
    let baseline: Counts = serde_json::from_slice(&fs::read(&file).with_context(|| format!("`{BASELINE}`"))?)?;
    let mut wrong = 0;
    for (name, count) in &found {
        let before = baseline.get(name).copied().unwrap_or_default();
        let holds = count.abs_diff(before).saturating_mul(100) <= before.saturating_mul(TOLERANCE);
        wrong += u32::from(!holds);
        say(&format!("  {} {name}: {count} instructions, before {before}", if holds { "✓" } else { "✗" }));
    }
    if wrong > 0 || found.len() != baseline.len() {
        bail!(
            "{wrong} counts are more than {TOLERANCE}% away from {BASELINE}\n  if that is meant, `cargo xtask \
             instructions --accept` writes the new ones; say why in the commit"
        );
    }
    Ok(())
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

fn count(root: &Path) -> anyhow::Result<Counts> {
    let home = tempfile::tempdir()?;
    let bed = Bed { smcp: root.join(SMCP), home: home.path().to_owned() };
    bed.write(".mcp/config.yaml", RULES)?;
    bed.write("facts.json", FACTS)?;
    let registry = root.join("examples/registry");
    let dry_run = ["--registry".as_ref(), registry.as_os_str(), "run".as_ref(), "--dry-run".as_ref(), PACKAGE.as_ref()];
    // What is counted is a start with everything in the cache.
    run(bed.command(&bed.smcp).args(dry_run).stdout(Stdio::null()).stderr(Stdio::null()))?;
    let eval = ["policy", "eval", "--facts", "facts.json"].map(OsStr::new);
    let (few, many) = (bed.count_cases(CASES.0)?, bed.count_cases(CASES.1)?);
    Ok(Counts::from([
        ("policy eval".to_owned(), bed.count(&eval)?),
        ("run --dry-run, cached".to_owned(), bed.count(&dry_run)?),
        ("one further case of a built-in policy".to_owned(), many.abs_diff(few) / CASES.0.abs_diff(CASES.1)),
    ]))
}

/// A home of its own for the program that is counted.
struct Bed {
    smcp: PathBuf,
    home: PathBuf,
}

impl Bed {
    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.home.join(name);
        fs::create_dir_all(path.parent().context("every file has a folder")?)?;
        Ok(fs::write(&path, text)?)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.home).env_clear().env("HOME", &self.home).env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null());
        command
    }

    /// The instructions of smcp with these arguments, of all its threads.
    fn count(&self, arguments: &[&OsStr]) -> anyhow::Result<u64> {
        let mut valgrind = self.command("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&self.smcp).args(arguments);
        let ran = valgrind.output().context("valgrind can't be started")?;
        let told = String::from_utf8_lossy(&ran.stderr);
        let collected = told.lines().find_map(|line| line.split("Collected : ").nth(1));
        match (ran.status.success(), collected) {
            (true, Some(count)) => Ok(count.trim().parse()?),
            (true, None) | (false, _) => bail!("valgrind counted nothing ({}): {told}", ran.status),
        }
    }

    /// The instructions of a run of so many cases of one policy.
    fn count_cases(&self, number: u64) -> anyhow::Result<u64> {
        let case =
            |number| format!("- {{name: case {number}, facts: {FACTS}, settings: {{min_score: 60}}, expect: allow}}\n");
        let cases: String = (0..number).map(case).collect();
        self.write("cases.yaml", &format!("cases:\n{cases}"))?;
        self.count(&["policy", "test", "--built-in", "score", "--cases", "cases.yaml"].map(OsStr::new))
    }
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
