//! Compiles guests into components, with the same bytes on every machine.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::guests::GuestSet;
use crate::run::run;
use crate::say;
use crate::toolchain;
use crate::toolchain::Release;
use crate::toolchain::TARGET;
use crate::toolchain::Toolchain;

/// Components in the order of the set's guests.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) components: Vec<Vec<u8>>,
    pub(crate) toolchain: Release,
}

/// Builds every guest of the set.
pub(crate) fn build(root: &Path, set: &GuestSet) -> anyhow::Result<Built> {
    let toolchain = Toolchain::find()?;
    if toolchain == Toolchain::Debian {
        say("building with Debian's Rust: the bytes will differ from those of the recorded toolchain");
    }
    let target_dir = target_dir(root);
    let flags = flags(root)?.join("\u{1f}");
    for guest in set.guests {
        let mut command = toolchain.cargo_rustc()?;
        command.current_dir(root).arg("--target-dir").arg(&target_dir).args(["--package", guest.package]);
        run(command.env("CARGO_ENCODED_RUSTFLAGS", &flags))?;
    }

    let modules = target_dir.join(TARGET).join("guest");
    let components = set.guests.iter().map(|guest| {
        let module = modules.join(format!("{}.wasm", guest.package.replace('-', "_")));
        let bytes = std::fs::read(&module).with_context(|| format!("`{}` can't be read", module.display()))?;
        smcp_author::from_module(&bytes).with_context(|| format!("package `{}`", guest.package))
    });
    Ok(Built { components: components.collect::<anyhow::Result<_>>()?, toolchain: release(toolchain)? })
}

/// The release of the compiler that was used.
fn release(toolchain: Toolchain) -> anyhow::Result<Release> {
    match toolchain {
        Toolchain::Rustup => toolchain::release(),
        Toolchain::Debian => toolchain::debian_release(),
    }
}

/// Flags that keep paths of this machine out of the bytes, since panic messages name files.
fn flags(root: &Path) -> anyhow::Result<Vec<String>> {
    let release = toolchain::release()?;
    let library = toolchain::sysroot()?.join("lib/rustlib/src/rust");
    let remaps = [
        (root.to_owned(), "/smcp".to_owned()),
        (cargo_home()?, "/cargo".to_owned()),
        // The name that the precompiled standard library has for its own sources.
        (library, format!("/rustc/{}", release.commit)),
    ];
    Ok(remaps.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect())
}

fn cargo_home() -> anyhow::Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::home_dir().context("neither `CARGO_HOME` nor `HOME` is set")?;
    Ok(home.join(".cargo"))
}

/// A separate target folder: guests and host are built with different flags, and would discard each other's work.
fn target_dir(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root.join(target).join("guests")
}
