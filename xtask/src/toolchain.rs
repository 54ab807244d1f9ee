//! Finds the Rust that builds guests: rustup's with the target, or Debian's.
//!
//! Debian's also needs the source of the standard library.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use anyhow::bail;

use crate::run::cargo;
use crate::run::output;

/// The target of guests, which has no system interface.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler that can build guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The compiler of this workspace; `rustup target add` adds the target to it.
    Rustup,
    /// Debian's `cargo-web`, which builds the standard library too. Its bytes differ from rustup's.
    Debian,
}

/// The release of a compiler, from `rustc -vV`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Release {
    /// `1.95.0`.
    pub(crate) rustc: String,
    /// The commit it was built from.
    pub(crate) commit: String,
    /// The platform that it runs on.
    pub(crate) host: String,
}

impl Toolchain {
    /// The first toolchain of this machine that can build guests.
    pub(crate) fn find() -> anyhow::Result<Self> {
        if has_target(&sysroot()?) {
            return Ok(Self::Rustup);
        }
        if Path::new("/usr/bin/cargo").exists() && debian_sources().is_some() {
            return Ok(Self::Debian);
        }
        bail!("no Rust of this machine can build for {TARGET}; run `cargo xtask setup`")
    }

    /// The command that builds a guest: `cargo rustc` with everything but package and folders. A library that tests link
    /// too is built as a component's module alone, because the optimisation over all crates is for one kind of file only.
    pub(crate) fn cargo_rustc(self) -> anyhow::Result<Command> {
        let mut command = match self {
            Self::Rustup => cargo(),
            Self::Debian => Command::new("/usr/bin/cargo"),
        };
        command.args([
            "rustc",
            "--locked",
            "--profile",
            "guest",
            "--target",
            TARGET,
            "--lib",
            "--crate-type",
            "cdylib",
        ]);
        if self == Self::Debian {
            let lends_linker = sysroot()?.join("lib/rustlib").join(release()?.host).join("bin");
            let path = env::var_os("PATH").unwrap_or_default();
            let folders = [lends_linker, PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&path));
            command.env("PATH", env::join_paths(folders)?).env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
            command.arg("-Zbuild-std=std,panic_abort");
        }
        Ok(command)
    }

    /// Its name in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rustup => "the Rust that builds this workspace",
            Self::Debian => "Debian's Rust, with its standard library built from source",
        }
    }
}

/// The compiler that builds this workspace.
pub(crate) fn release() -> anyhow::Result<Release> {
    release_of(rustc())
}

/// Debian's compiler.
pub(crate) fn debian_release() -> anyhow::Result<Release> {
    release_of(Command::new("/usr/bin/rustc"))
}

fn release_of(mut rustc: Command) -> anyhow::Result<Release> {
    let text = output(rustc.arg("-vV"))?;
    let fields: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once(": ")).collect();
    let field = |name: &str| {
        fields.get(name).map(|&value| value.to_owned()).with_context(|| format!("`rustc -vV` doesn't say its {name}"))
    };
    Ok(Release { rustc: field("release")?, commit: field("commit-hash")?, host: field("host")? })
}

/// The folder of the compiler that builds this workspace.
pub(crate) fn sysroot() -> anyhow::Result<PathBuf> {
    Ok(PathBuf::from(output(rustc().args(["--print", "sysroot"]))?.trim()))
}

fn has_target(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
}

/// The source of Debian's standard library, of the same release as `/usr/bin/rustc`.
fn debian_sources() -> Option<PathBuf> {
    let sysroot = output(Command::new("/usr/bin/rustc").args(["--print", "sysroot"])).ok()?;
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std");
    sources.is_dir().then_some(sources)
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}
