//! `cargo xtask setup`: installs the WebAssembly target.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::run::run;
use crate::say;
use crate::toolchain::TARGET;
use crate::toolchain::Toolchain;

/// Debian's packages of Rust for WebAssembly, with the source of the standard library.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Tries rustup, then Debian; returns the one that worked.
pub(crate) fn setup(root: &Path) -> anyhow::Result<()> {
    if let Ok(toolchain) = Toolchain::find() {
        say(&format!("policies can be built for {TARGET} with {}; nothing to do", toolchain.name()));
        return Ok(());
    }
    if let Err(error) = run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(root)) {
        say(&format!("{error:#}; trying Debian's packages"));
        debian().with_context(|| {
            format!("run `rustup target add {TARGET}`, or as root `apt-get install {}`", DEBIAN_PACKAGES.join(" "))
        })?;
    }
    let toolchain = Toolchain::find()?;
    say(&format!("policies can be built for {TARGET} with {}", toolchain.name()));
    Ok(())
}

fn debian() -> anyhow::Result<()> {
    run(Command::new("apt-get").arg("update"))?;
    run(Command::new("apt-get").args(["install", "-y", "--no-install-recommends"]).args(DEBIAN_PACKAGES))
}
