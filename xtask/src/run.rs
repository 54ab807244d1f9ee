//! Runs a command; an error shows the command, so that it can be repeated.

use std::process::Command;

use anyhow::Context as _;
use anyhow::bail;

/// Runs a command with our own streams.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("`{}` can't be started", spell(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", spell(command));
    }
    Ok(())
}

/// Runs a command and returns its standard output.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("`{}` can't be started", spell(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({}): {}", spell(command), output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote something that is not UTF-8", spell(command)))
}

/// The Cargo that runs us, so that everything is built by the same one.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn spell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
