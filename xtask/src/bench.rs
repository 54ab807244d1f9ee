//! `cargo xtask bench`: builds smcp and what it is compared with, and has the runner measure them.
//!
//! `tests/bench` is a workspace of its own. A peer that can't be built is left out, and the page says so.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use anyhow::bail;
use serde_json::Value;
use serde_json::json;

use crate::run::cargo;
use crate::run::output;
use crate::run::run;
use crate::say;
use crate::toolchain::TARGET;
use crate::toolchain::Toolchain;

/// The workspace of the bench.
pub(crate) const BENCH: &str = "tests/bench";
/// Where it builds; its `.cargo/config.toml` says so.
const BUILT: &str = "target/bench";
/// Cedar's command line is a program and no library, so no lock file of ours can have it; its own one is used.
const CEDAR_CLI: &str = "cedar-policy-cli";
const CEDAR_CLI_VERSION: &str = "4.14.1";
/// The one file in the plan that is no program.
const PLUGIN: &str = "plugin";
/// How often each process is run, unless somebody says otherwise.
const ROUNDS: usize = 300;
const QUICK_ROUNDS: usize = 3;

/// How thoroughly to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Thoroughness {
    /// How often each process is run [default: 300, or 3 with --quick].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Only see that everything works: few rounds, and the page goes to target/bench/quick and not to docs.
    #[arg(long)]
    quick: bool,
}

impl Thoroughness {
    /// Only see that everything works.
    pub(crate) const QUICK: Self = Self { rounds: None, quick: true };
}

/// What was built, and what was not.
#[derive(Debug)]
struct Built<'a> {
    root: &'a Path,
    plan: serde_json::Map<String, Value>,
    left_out: Vec<Value>,
}

impl Built<'_> {
    /// Adds a peer's file to the plan, or its name to what is left out.
    fn add(&mut self, key: &str, peer: &str, built: anyhow::Result<PathBuf>) {
        let file = built.map_err(|error| {
            say(&format!("left out: {peer}: {error:#}"));
            self.left_out.push(json!({"peer": peer, "reason": format!("{error:#}")}));
        });
        self.plan.insert(key.to_owned(), json!(file.ok()));
    }

    /// A program of the bench's workspace.
    fn peer(&self, package: &str, program: &str) -> anyhow::Result<PathBuf> {
        let build = ["build", "--release", "--locked", "--package", package, "--bin", program];
        run(cargo().args(build).current_dir(self.root.join(BENCH)))?;
        Ok(self.root.join(BUILT).join("release").join(program))
    }
}

/// Builds, measures, and writes `docs/performance.md`.
pub(crate) fn bench(root: &Path, thoroughness: &Thoroughness) -> anyhow::Result<()> {
    if cfg!(not(target_os = "linux")) {
        bail!("the bench reads what Linux says of processes, so it runs there alone");
    }
    say("── building smcp");
    run(cargo().args(["build", "--release", "--locked", "--package", "smcp"]).current_dir(root))?;
    // Before the benches are built: with them Cargo makes the program anew, with the features that tests add, whose
    // symbols are not those of the list of functions.
    let smcp = installed(root)?;
    let [decisions, relay] = our_benches(root)?;
    say("── building what it is compared with");
    let mut built = Built { root, plan: serde_json::Map::new(), left_out: Vec::new() };
    let runner = built.peer("bench-runner", "bench-runner")?;
    for (key, package, program) in [("hello", "bench-hello", "hello"), ("server", "bench-hello", "bench-server")] {
        let file = built.peer(package, program)?;
        built.plan.insert(key.to_owned(), json!(file));
    }
    built.add("hello_c", "hello world in C", hello_c(root));
    for (key, peer) in [("native", "native Rust"), ("rego", "regorus"), ("cedar", "Cedar"), ("extism", "Extism")] {
        let package = format!("bench-{key}");
        built.add(key, peer, built.peer(&package, &package));
    }
    built.add(PLUGIN, "the plug-in of Extism", plugin(root));
    built.add("cedar_cli", "Cedar's command line", cedar_cli(root));
    for (key, file) in [("smcp", smcp), ("decisions", decisions), ("relay", relay)] {
        built.plan.insert(key.to_owned(), json!(file));
    }
    copy_all(&mut built)?;
    let file = plan(built, thoroughness)?;
    run(Command::new(runner).arg(file))
}

/// Copies every program, right before it is measured: how the system has a file in memory depends on how it came there, and
/// decides how fast it starts (docs/decisions/0070).
fn copy_all(built: &mut Built<'_>) -> anyhow::Result<()> {
    let folder = built.root.join(BUILT).join("installed");
    std::fs::create_dir_all(&folder)?;
    for (key, file) in &mut built.plan {
        let Some(program) = file.as_str().filter(|_| key != PLUGIN).map(PathBuf::from) else { continue };
        let copy = folder.join(program.file_name().context("every program has a name")?);
        // Not over one that is there already, in the memory that it has.
        drop(std::fs::remove_file(&copy));
        std::fs::copy(&program, &copy).with_context(|| format!("while copying {}", program.display()))?;
        *file = json!(copy);
    }
    Ok(())
}

/// Writes what the runner needs to know (`tests/bench/runner/src/plan.rs`), and returns the file.
fn plan(built: Built<'_>, thoroughness: &Thoroughness) -> anyhow::Result<PathBuf> {
    let Built { root, mut plan, left_out } = built;
    let Thoroughness { rounds, quick } = *thoroughness;
    let folder = root.join(BUILT);
    let page = if quick { folder.join("quick") } else { root.join("docs") };
    let mut command = "cargo xtask bench".to_owned();
    command.push_str(if quick { " --quick" } else { "" });
    if let Some(rounds) = rounds {
        command.push_str(&format!(" --rounds {rounds}"));
    }
    let rounds = rounds.map_or(if quick { QUICK_ROUNDS } else { ROUNDS }, |rounds| rounds as usize);
    let rustc = output(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-V"))?;
    for (key, value) in [
        ("root", json!(root)),
        ("output", json!(page)),
        ("work", json!(folder.join("work"))),
        ("rounds", json!(rounds)),
        ("quick", json!(quick)),
        ("command", json!(command)),
        ("rustc", json!(rustc.trim())),
        ("cedar_cli_version", json!(CEDAR_CLI_VERSION)),
        ("left_out", json!(left_out)),
    ] {
        plan.insert(key.to_owned(), value);
    }
    let file = folder.join("plan.json");
    std::fs::write(&file, Value::Object(plan).to_string())?;
    Ok(file)
}

/// A copy of smcp, before Cargo makes another in its place.
fn installed(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join(BUILT);
    std::fs::create_dir_all(&folder).with_context(|| format!("while creating {BUILT}"))?;
    let copy = folder.join("smcp");
    std::fs::copy(root.join("target/release/smcp"), &copy).context("while copying smcp")?;
    Ok(copy)
}

/// The benches of this workspace that the runner calls: smcp's library, and the relay. Cargo says where it puts them.
pub(crate) fn our_benches(root: &Path) -> anyhow::Result<[PathBuf; 2]> {
    let build = ["build", "--release", "--locked", "--package", "smcp", "--bench", "decisions", "--bench", "relay"];
    let messages = ["--message-format", "json-render-diagnostics"];
    let mut command = cargo();
    command.args(build).args(messages).current_dir(root).stderr(std::process::Stdio::inherit());
    let told = output(&mut command)?;
    let find = |name: &str| {
        let messages = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut programs = messages.filter(|message| message.pointer("/target/name") == Some(&json!(name)));
        let file = programs.find_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)));
        file.with_context(|| format!("Cargo doesn't say where the bench `{name}` is"))
    };
    Ok([find("decisions")?, find("relay")?])
}

fn hello_c(root: &Path) -> anyhow::Result<PathBuf> {
    let program = root.join(BUILT).join("release/hello-c");
    let source = root.join(BENCH).join("hello/src/hello.c");
    run(Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(source))?;
    Ok(program)
}

fn plugin(root: &Path) -> anyhow::Result<PathBuf> {
    let mut build = Toolchain::find()?.cargo_rustc()?;
    run(build.args(["--package", "bench-plugin"]).current_dir(root.join(BENCH)))?;
    Ok(root.join(BUILT).join(TARGET).join("guest/bench_plugin.wasm"))
}

fn cedar_cli(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join(BUILT).join("tools");
    let program = folder.join("bin/cedar");
    let is_there = output(Command::new(&program).arg("--version")).is_ok_and(|told| told.contains(CEDAR_CLI_VERSION));
    if !is_there {
        let install = ["install", CEDAR_CLI, "--version", CEDAR_CLI_VERSION, "--locked", "--bin", "cedar", "--root"];
        run(cargo().args(install).arg(&folder).current_dir(root.join(BENCH)))?;
    }
    Ok(program)
}
