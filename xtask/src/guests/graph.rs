//! A guest's part of the dependency graph; the host's is left out.
//!
//! So a dependency of the host never makes a guest look stale.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::guests::digest;
use crate::run::cargo;
use crate::run::output;
use crate::toolchain::TARGET;

/// The crate that makes components of modules.
const ENCODER: &str = "wit-component";
/// The crate that uses it.
const ENCODER_USER: &str = "smcp-author";

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
    /// Its declared dependencies, with inherited settings of the workspace filled in.
    dependencies: Vec<Declared>,
}

#[derive(Debug, Deserialize)]
struct Declared {
    name: String,
    /// `null`, `build` or `dev`.
    kind: Option<String>,
    target: Option<String>,
    features: BTreeSet<String>,
    uses_default_features: bool,
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

impl Declared {
    fn line(&self, of: &str) -> String {
        let Self { name, kind, target, features, uses_default_features } = self;
        let (kind, target) = (kind.as_deref().unwrap_or("normal"), target.as_deref().unwrap_or("any"));
        let default = if *uses_default_features { "default" } else { "no-default" };
        let features: Vec<_> = features.iter().map(String::as_str).collect();
        format!("{of} -> {name} {kind} {target} {default} {}\n", features.join(","))
    }
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

    /// Digest of name, version, source and checksum of everything `package` is built with, and of the features that
    /// the workspace's own packages among them ask for. The rest follows: what a published package asks for is part of
    /// its checksum.
    pub(crate) fn digest(&self, package: &str) -> anyhow::Result<String> {
        let root = self.member(package)?.id.as_str();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![root];
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                waiting.extend(self.edges.get(id).into_iter().flatten().map(String::as_str));
            }
        }
        let mut lines = BTreeSet::new();
        for id in seen {
            let Package { name, version, source, dependencies, .. } = self.package(id)?;
            // A member of the workspace has no source. Its files are part of the sources' digest, but not the tables
            // of the workspace that they refer to.
            let Some(source) = source else {
                // The resolver unites features with those for the tests of the package that is built, and only of it.
                let counts = |declared: &&Declared| id == root || declared.kind.as_deref() != Some("dev");
                lines.extend(dependencies.iter().filter(counts).map(|declared| declared.line(name)));
                continue;
            };
            let checksum = self.checksums.get(&(name.clone(), version.clone()));
            let checksum = checksum.with_context(|| format!("`Cargo.lock` has no checksum of {name} {version}"))?;
            lines.insert(format!("{name} {version} {source} {checksum}\n"));
        }
        Ok(digest::of_bytes(lines.into_iter().collect::<String>().as_bytes()))
    }

    /// Name and version of the crate that makes components of modules.
    pub(crate) fn encoder(&self) -> anyhow::Result<String> {
        let direct = self.edges.get(&self.member(ENCODER_USER)?.id).into_iter().flatten();
        let mut packages = direct.filter_map(|id| self.packages.get(id));
        let Package { name, version, .. } =
            packages.find(|package| package.name == ENCODER).context("smcp-author doesn't depend on wit-component")?;
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

    /// What differs from graph to graph.
    #[derive(Clone, Copy)]
    struct World {
        far_checksum: &'static str,
        other_version: &'static str,
        tester_version: &'static str,
        /// What guest asks of near, sdk of near, sdk of its tester, guest of its tester, host of near.
        features: [&'static str; 5],
    }

    const WORLD: World =
        World { far_checksum: "bb", other_version: "1.0.0", tester_version: "1.0.0", features: ["std"; 5] };

    /// guest → sdk → near (→ far), guest → near at build time, both → tester in tests only; host → other, near.
    fn graph(world: World) -> Graph {
        let World { far_checksum, other_version, tester_version, features } = world;
        let asks = |name: &str, kind: Option<&str>, feature: &str| {
            serde_json::json!({
                "name": name, "kind": kind, "target": null, "features": [feature], "uses_default_features": false,
            })
        };
        let package = |name: &str, version: &str, source: Option<&str>, dependencies: &[serde_json::Value]| {
            serde_json::json!({
                "id": name, "name": name, "version": version, "source": source, "dependencies": dependencies,
            })
        };
        let edge = |to: &str, kind: Option<&str>| serde_json::json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
        let (dev, build, index) = (Some("dev"), Some("build"), Some("index"));
        let of_guest = [asks("near", build, features[0]), asks("tester", dev, features[3])];
        let of_sdk = [asks("near", None, features[1]), asks("tester", dev, features[2])];
        let metadata = serde_json::json!({
            "packages": [
                package("guest", "0.1.0", None, &of_guest), package("sdk", "0.1.0", None, &of_sdk),
                package("host", "0.1.0", None, &[asks("near", None, features[4])]),
                package("near", "1.0.0", index, &[]), package("far", "1.0.0", index, &[]),
                package("other", other_version, index, &[]), package("tester", tester_version, index, &[]),
            ],
            "resolve": { "nodes": [
                { "id": "guest", "deps": [edge("sdk", None), edge("near", build), edge("tester", dev)] },
                { "id": "sdk", "deps": [edge("near", None), edge("tester", dev)] },
                { "id": "near", "deps": [edge("far", None)] },
                { "id": "host", "deps": [edge("other", None), edge("near", None)] },
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
        let digest = |world| graph(world).digest("guest").unwrap();
        let asking = |place: usize| {
            let mut features = WORLD.features;
            features[place] = "alloc";
            World { features, ..WORLD }
        };
        for (what, world, changes) in [
            ("a dependency of the host", World { other_version: "2.0.0", ..WORLD }, false),
            ("a dependency of tests", World { tester_version: "2.0.0", ..WORLD }, false),
            ("an indirect dependency", World { far_checksum: "cc", ..WORLD }, true),
            ("a feature for the build", asking(0), true),
            ("a feature that the SDK asks for", asking(1), true),
            ("a feature for the tests of the SDK", asking(2), false),
            ("a feature for the tests of the guest", asking(3), true),
            ("a feature that the host asks for", asking(4), false),
        ] {
            assert_eq!(digest(world) != digest(WORLD), changes, "{what}");
        }
    }

    #[test]
    fn a_package_without_checksum_or_name_is_an_error() {
        assert!(graph(WORLD).digest("host").is_err());
        assert!(graph(WORLD).digest("nobody").is_err());
    }
}
