//! A guest's part of the dependency graph, so that a dependency of the host never makes a guest look stale.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::guests::digest;
use crate::run::cargo;
use crate::run::output;
use crate::toolchain::TARGET;

/// What makes components of modules.
const ENCODER: &str = "wit-component";
/// Who uses it.
const ENCODER_USER: &str = "xtask";

/// The resolved graph of the workspace, for the target of guests.
#[derive(Debug)]
pub(crate) struct Graph {
    packages: BTreeMap<String, Package>,
    edges: BTreeMap<String, Vec<String>>,
    /// From `Cargo.lock`, by name and version.
    checksums: BTreeMap<(String, String), String>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Debug, Deserialize)]
struct DependencyKind {
    /// `null`, `build` or `dev`.
    kind: Option<String>,
}

impl Graph {
    /// Asks Cargo.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET];
        let metadata = output(cargo().args(arguments).current_dir(root))?;
        let lock = std::fs::read_to_string(root.join("Cargo.lock")).context("`Cargo.lock` can't be read")?;
        Self::parse(&metadata, &lock)
    }

    fn parse(metadata: &str, lock: &str) -> anyhow::Result<Self> {
        let Metadata { packages, resolve } =
            serde_json::from_str(metadata).context("`cargo metadata` wrote something unexpected")?;
        let shipped = |dependency: &Dependency| {
            dependency.dep_kinds.iter().any(|DependencyKind { kind }| kind.as_deref() != Some("dev"))
        };
        let edges = resolve
            .nodes
            .into_iter()
            .map(|Node { id, deps }| (id, deps.into_iter().filter(shipped).map(|dependency| dependency.pkg).collect()));
        Ok(Self {
            edges: edges.collect(),
            packages: packages.into_iter().map(|package| (package.id.clone(), package)).collect(),
            checksums: checksums(lock),
        })
    }

    /// Digest of name, version, source and checksum of everything `package` is built with.
    pub(crate) fn digest(&self, package: &str) -> anyhow::Result<String> {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![self.member(package)?.id.as_str()];
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                waiting.extend(self.edges.get(id).into_iter().flatten().map(String::as_str));
            }
        }
        let mut lines = BTreeSet::new();
        for id in seen {
            let Package { name, version, source, .. } = self.package(id)?;
            // A member of the workspace has no source; its files are part of the sources' digest.
            let Some(source) = source else { continue };
            let checksum = self.checksums.get(&(name.clone(), version.clone()));
            let checksum = checksum.with_context(|| format!("`Cargo.lock` has no checksum of {name} {version}"))?;
            lines.insert(format!("{name} {version} {source} {checksum}\n"));
        }
        Ok(digest::of_bytes(lines.into_iter().collect::<String>().as_bytes()))
    }

    /// Name and version of what makes components of modules.
    pub(crate) fn encoder(&self) -> anyhow::Result<String> {
        let direct = self.edges.get(&self.member(ENCODER_USER)?.id).into_iter().flatten();
        let mut packages = direct.filter_map(|id| self.packages.get(id));
        let Package { name, version, .. } =
            packages.find(|package| package.name == ENCODER).context("xtask doesn't depend on wit-component")?;
        Ok(format!("{name} {version}"))
    }

    fn member(&self, name: &str) -> anyhow::Result<&Package> {
        let mut members = self.packages.values().filter(|package| package.source.is_none());
        members.find(|package| package.name == name).with_context(|| format!("the workspace has no package `{name}`"))
    }

    fn package(&self, id: &str) -> anyhow::Result<&Package> {
        self.packages.get(id).with_context(|| format!("`cargo metadata` doesn't describe {id}"))
    }
}

/// The checksums of a lock file, which Cargo writes as one `[[package]]` table each, one key on a line.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let entry = |table: &str| {
        let value = |key: &str| {
            let line = table.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
            line.strip_suffix('"').map(str::to_owned)
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    };
    lock.split("[[package]]").filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// guest → near (→ far) at build time, → tester in tests only; host → other.
    fn graph(far_checksum: &str, other_version: &str, tester_version: &str) -> Graph {
        let package = |name: &str, version: &str, source: Option<&str>| serde_json::json!({ "id": name, "name": name, "version": version, "source": source });
        let edge = |to: &str, kind: Option<&str>| serde_json::json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
        let metadata = serde_json::json!({
            "packages": [
                package("guest", "0.1.0", None), package("host", "0.1.0", None),
                package("near", "1.0.0", Some("index")), package("far", "1.0.0", Some("index")),
                package("other", other_version, Some("index")), package("tester", tester_version, Some("index")),
            ],
            "resolve": { "nodes": [
                { "id": "guest", "deps": [edge("near", Some("build")), edge("tester", Some("dev"))] },
                { "id": "near", "deps": [edge("far", None)] },
                { "id": "host", "deps": [edge("other", None)] },
            ] },
        });
        let locked = |name: &str, version: &str, checksum: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nchecksum = \"{checksum}\"\n\n")
        };
        let lock = locked("near", "1.0.0", "aa") + &locked("far", "1.0.0", far_checksum);
        Graph::parse(&metadata.to_string(), &lock).unwrap()
    }

    #[test]
    fn only_what_the_guest_is_built_with_changes_its_digest() {
        let digest = |graph: Graph| graph.digest("guest").unwrap();
        let before = digest(graph("bb", "1.0.0", "1.0.0"));
        assert_eq!(before, digest(graph("bb", "2.0.0", "1.0.0")), "a dependency of the host");
        assert_eq!(before, digest(graph("bb", "1.0.0", "2.0.0")), "a dependency of tests");
        assert_ne!(before, digest(graph("cc", "1.0.0", "1.0.0")), "an indirect dependency");
    }

    #[test]
    fn a_package_without_checksum_or_name_is_an_error() {
        assert!(graph("bb", "1.0.0", "1.0.0").digest("host").is_err());
        assert!(graph("bb", "1.0.0", "1.0.0").digest("nobody").is_err());
    }
}
