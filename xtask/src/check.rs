//! `cargo xtask check`: the one command that CI runs; and with `--all`, what takes more toolchains.
//!
//! Tests come last, so that their summary is the last output.

use std::path::Path;
use std::process::Command;

use crate::bench;
use crate::bench::BENCH;
use crate::bench::Thoroughness;
use crate::guests::GuestSet;
use crate::instructions;
use crate::run::cargo;
use crate::run::output;
use crate::run::run;
use crate::say;

/// The Rust projects that are not part of the workspace: a client that the tests build, and the bench.
const OTHERS: [&str; 2] = ["tests/peers/rust-client/Cargo.toml", "tests/bench/Cargo.toml"];

/// The tests that [`check_all`] alone runs, since they need more than Rust.
const FURTHER_TESTS: [&str; 7] =
    ["languages", "registries", "imports", "lockdown", "signing-tools", "outside", "kernels"];

/// What a package registry would get, together: they depend on one another.
const SDK: [&str; 4] = ["smcp-policy-cases", "smcp-policy-derive", "smcp-policy-sdk", "smcp-yaml"];

/// Stops at the first step that fails.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    step("format");
    run(cargo_in(root).args(["fmt", "--all", "--check"]))?;
    for other in OTHERS {
        run(cargo_in(root).args(["fmt", "--manifest-path", other, "--all", "--check"]))?;
    }
    step("lints");
    run(cargo_in(root).args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // They are built only by name.
    let mut further = cargo_in(root);
    further.args(["clippy", "--locked", "--workspace"]).args(FURTHER_TESTS.iter().flat_map(|name| ["--test", name]));
    run(further.args(["--", "-D", "warnings"]))?;
    step("licences, sources and duplicates of dependencies");
    deny(root)?;
    step("built components");
    GuestSet::BUILTINS.verify(root)?;
    GuestSet::EXAMPLES.verify(root)?;
    step("instructions of a decision");
    instructions::compare(root, false)?;
    step("tests");
    run(cargo_in(root).args(["test", "--locked", "--workspace"]))
}

/// Everything of [`check`], and then what needs more than Rust, or the network. A step says what it skips, and why; what
/// is there and fails is a failure.
pub(crate) fn check_all(root: &Path) -> anyhow::Result<()> {
    check(root)?;
    step("packages of the SDK");
    let mut package = cargo_in(root);
    package.args(["package", "--locked", "--offline", "--no-verify", "--allow-dirty"]);
    run(package.args(SDK.iter().flat_map(|name| ["--package", name])))?;
    step("a policy in every language, by its real toolchain");
    let languages = ["test", "--locked", "--package", "smcp", "--test", "languages"];
    run(cargo_in(root).args(languages))?;
    step("policies in a real registry of images");
    let registries = ["test", "--locked", "--package", "smcp", "--test", "registries", "--", "--nocapture"];
    run(cargo_in(root).args(registries))?;
    step("servers of npm and PyPI, and MCP bundles, by the real clients");
    let imports = ["test", "--locked", "--package", "smcp", "--test", "imports", "--", "--nocapture"];
    run(cargo_in(root).args(imports))?;
    step("managed settings, by the clients that have them");
    let lockdown = ["test", "--locked", "--package", "smcp", "--test", "lockdown", "--", "--nocapture"];
    run(cargo_in(root).args(lockdown))?;
    step("signatures, by their real tools");
    run(cargo_in(root).args([
        "test",
        "--locked",
        "--package",
        "smcp",
        "--test",
        "signing-tools",
        "--",
        "--nocapture",
    ]))?;
    step("pages in a real browser, events against the published schema");
    let outside = ["test", "--locked", "--package", "smcp", "--test", "outside", "--", "--nocapture"];
    run(cargo_in(root).args(outside))?;
    step("hostile servers on real kernels, in machines of software");
    let kernels = ["test", "--locked", "--package", "smcp", "--test", "kernels", "--", "--nocapture"];
    run(cargo_in(root).args(kernels))?;
    step("the bench, quickly");
    let bench = root.join(BENCH);
    run(cargo().args(["test", "--locked", "--package", "bench-runner"]).current_dir(&bench))?;
    run(cargo().args(["clippy", "--locked", "--package", "bench-runner", "--", "-D", "warnings"]).current_dir(&bench))?;
    bench::bench(root, &Thoroughness::QUICK)
}

/// The advisories of cargo-deny need a database from the network, so they are not part of this.
fn deny(root: &Path) -> anyhow::Result<()> {
    if output(cargo_in(root).args(["deny", "--version"])).is_err() {
        say("skipped: cargo-deny is not installed (`cargo install cargo-deny`)");
        return Ok(());
    }
    run(cargo_in(root).args(["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

fn cargo_in(root: &Path) -> Command {
    let mut cargo = cargo();
    cargo.current_dir(root);
    cargo
}

fn step(name: &str) {
    say(&format!("── {name}"));
}
