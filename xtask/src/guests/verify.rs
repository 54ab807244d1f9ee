//! Checks that the committed components fit their record.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;

use crate::guests::GuestSet;
use crate::guests::build;
use crate::guests::digest;
use crate::guests::graph::Graph;
use crate::guests::record::Component;
use crate::guests::record::Record;
use crate::say;
use crate::toolchain;
use crate::toolchain::Toolchain;

/// Reports every problem, then fails if there was one.
pub(crate) fn verify(root: &Path, set: &GuestSet) -> anyhow::Result<()> {
    let record = Record::read(&set.record_path(root))?;
    let graph = Graph::load(root)?;
    let mut problems = stale(root, set, &record)?;
    for guest in set.guests {
        let now = graph.digest(guest.package)?;
        if record.components.get(guest.name).is_some_and(|component| component.dependencies != now) {
            problems.push(format!("`{}`: its dependencies changed since it was built", guest.name));
        }
    }
    if graph.encoder()? != record.encoder {
        problems.push(format!("built with {}, but the workspace has {}", record.encoder, graph.encoder()?));
    }
    if problems.is_empty() {
        problems = rebuilt_differently(root, set, &record)?;
    }
    for problem in &problems {
        say(&format!("{}: {problem}", set.dist));
    }
    if !problems.is_empty() {
        bail!("{} is out of date; run `cargo xtask {} build` and commit the result", set.dist, set.chore);
    }
    say(&format!("{}: {} components are what their record says", set.dist, set.guests.len()));
    Ok(())
}

/// Finds problems without building: files that are not the recorded ones, and sources that changed.
fn stale(root: &Path, set: &GuestSet, record: &Record) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut unknown: BTreeMap<&str, &Component> =
        record.components.iter().map(|(name, component)| (name.as_str(), component)).collect();
    for guest in set.guests {
        let Some(component) = unknown.remove(guest.name) else {
            problems.push(format!("`{}` is not in the record", guest.name));
            continue;
        };
        match std::fs::read(root.join(set.dist).join(guest.file)) {
            Ok(bytes) if digest::of_bytes(&bytes) == component.sha256 && bytes.len() == component.size => {}
            Ok(_) => problems.push(format!("`{}` is not the file that was recorded", guest.file)),
            Err(cause) => problems.push(format!("`{}` can't be read: {cause}", guest.file)),
        }
        if digest::of_sources(root, guest.folders)? != component.sources {
            problems.push(format!("`{}`: its sources changed since it was built", guest.name));
        }
    }
    problems.extend(unknown.keys().map(|name| format!("the record names `{name}`, which is no guest")));
    Ok(problems)
}

/// Builds again and compares, where the same bytes can be expected.
fn rebuilt_differently(root: &Path, set: &GuestSet, record: &Record) -> anyhow::Result<Vec<String>> {
    let here = toolchain::release()?;
    if here != record.toolchain || Toolchain::find().ok() != Some(Toolchain::Rustup) {
        let (rustc, host) = (&record.toolchain.rustc, &record.toolchain.host);
        say(&format!("{}: not built again, which takes rustc {rustc} on {host} with its wasm target", set.dist));
        return Ok(Vec::new());
    }
    let built = build::build(root, set)?;
    let pairs = set.guests.iter().zip(&built.components);
    let differs = pairs.filter(|(guest, bytes)| {
        record.components.get(guest.name).is_none_or(|component| component.sha256 != digest::of_bytes(bytes))
    });
    Ok(differs.map(|(guest, _)| format!("`{}` built again has other bytes", guest.file)).collect())
}

#[cfg(test)]
mod tests;
