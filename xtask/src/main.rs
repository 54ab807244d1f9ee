//! Every chore of this repository, as `cargo xtask …`. It is not released.

#![expect(
    clippy::disallowed_methods,
    reason = "the law about the ambient world is for the shipped binary, not for chores"
)]

mod bench;
mod callgrind;
mod check;
mod guests;
mod instructions;
mod order;
mod run;
mod setup;
mod templates;
mod toolchain;
mod wit;

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use clap::Subcommand;

use crate::bench::Thoroughness;
use crate::guests::GuestSet;

/// Chores of the smcp repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Installs what building policies takes: the WebAssembly target of Rust.
    Setup,
    /// Everything that CI runs: format, lints, licences, built components, tests.
    Check {
        /// Then also what needs other toolchains, which are installed from package registries into `target`.
        #[arg(long)]
        all: bool,
    },
    /// Measures smcp and its peers, and writes docs/performance.md.
    Bench {
        #[command(flatten)]
        thoroughness: Thoroughness,
    },
    /// The three policies inside the binary (builtin-policies/dist).
    Builtins {
        #[command(subcommand)]
        action: Action,
    },
    /// The example policies (examples/policies/dist).
    Examples {
        #[command(subcommand)]
        action: Action,
    },
    /// Pins what a new project of Rust is built with, after a change of the SDK's dependencies.
    Templates,
    /// Makes sdk/wasi-stub.wasm of sdk/wasi-stub.wat, after a change of it.
    Stub,
    /// Counts the instructions of a decision in the release build, and compares them with host/benches/instructions.json.
    Instructions {
        /// Take what is counted as what later counts are compared with.
        #[arg(long)]
        accept: bool,
    },
    /// Writes host/link-order.txt: the functions of a decision, which the release build puts side by side.
    Order,
    /// Makes docs/wit.md, the interface for readers.
    Wit,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Action {
    /// Builds the components and writes them with their provenance record.
    Build,
    /// Fails when the components are not what their record and their sources say.
    Verify,
}

fn main() -> ExitCode {
    match execute(&Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(chore: &Chore) -> anyhow::Result<()> {
    let root = root()?;
    match chore {
        Chore::Setup => setup::setup(&root),
        Chore::Check { all: false } => check::check(&root),
        Chore::Check { all: true } => check::check_all(&root),
        Chore::Bench { thoroughness } => bench::bench(&root, thoroughness),
        Chore::Builtins { action } => guests(&root, &GuestSet::BUILTINS, *action),
        Chore::Examples { action } => guests(&root, &GuestSet::EXAMPLES, *action),
        Chore::Templates => templates::pin(&root),
        Chore::Stub => stub(&root),
        Chore::Instructions { accept } => instructions::compare(&root, *accept),
        Chore::Order => order::write(&root),
        Chore::Wit => wit::write(&root),
    }
}

fn guests(root: &Path, set: &GuestSet, action: Action) -> anyhow::Result<()> {
    match action {
        Action::Build => set.build(root),
        Action::Verify => set.verify(root),
    }
}

/// The stub stands in for WASI preview 1 in components; a test of smcp-author compares the two files.
fn stub(root: &Path) -> anyhow::Result<()> {
    let module = wat::parse_file(root.join("sdk/wasi-stub.wat"))?;
    let made = smcp_author::without_custom_sections(&module)?;
    let file = root.join("sdk/wasi-stub.wasm");
    std::fs::write(&file, &made).with_context(|| format!("`{}` can't be written", file.display()))?;
    say(&format!("sdk/wasi-stub.wasm: {} bytes", made.len()));
    Ok(())
}

/// The repository: the folder above this crate.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_owned).context("the xtask crate must lie in the repository's folder")
}

/// Reports progress to the person. A closed standard error is not an error.
fn say(line: &str) {
    let _closed = writeln!(std::io::stderr(), "{line}");
}
