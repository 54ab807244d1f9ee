//! Builds the committed components, and checks that they fit their sources.

mod build;
mod digest;
mod graph;
mod record;
mod verify;

use std::path::Path;
use std::path::PathBuf;

use crate::guests::record::Component;
use crate::guests::record::Record;
use crate::say;

/// Components that are built together, in one folder with one record.
#[derive(Debug)]
pub(crate) struct GuestSet {
    /// The name of the chore, for messages.
    chore: &'static str,
    /// The folder of the components.
    dist: &'static str,
    guests: &'static [Guest],
}

/// One policy's crate.
#[derive(Debug)]
struct Guest {
    /// The name in the record.
    name: &'static str,
    /// The Cargo package.
    package: &'static str,
    /// Its folder, and those of other policies that are part of it.
    folders: &'static [&'static str],
    /// The component's file in `dist`.
    file: &'static str,
}

impl GuestSet {
    /// The component that the binary embeds, and each of its policies by itself.
    pub(crate) const BUILTINS: Self = Self {
        chore: "builtins",
        dist: "builtin-policies/dist",
        guests: &[
            Guest {
                name: "origin",
                package: "smcp-policy-origin",
                folders: &["builtin-policies/origin"],
                file: "origin.wasm",
            },
            Guest {
                name: "certification",
                package: "smcp-policy-certification",
                folders: &["builtin-policies/certification"],
                file: "certification.wasm",
            },
            Guest {
                name: "score",
                package: "smcp-policy-score",
                folders: &["builtin-policies/score"],
                file: "score.wasm",
            },
            Guest {
                name: "built-ins",
                package: "smcp-policy-built-ins",
                folders: &[
                    "builtin-policies/all",
                    "builtin-policies/origin",
                    "builtin-policies/certification",
                    "builtin-policies/score",
                ],
                file: "built_ins.wasm",
            },
        ],
    };

    /// The components that examples and tests use.
    pub(crate) const EXAMPLES: Self = Self {
        chore: "examples",
        dist: "examples/policies/dist",
        guests: &[
            Guest {
                name: "no-network",
                package: "smcp-policy-no-network",
                folders: &["examples/policies/no-network"],
                file: "no_network.wasm",
            },
            Guest {
                name: "findings-by-severity",
                package: "findings-by-severity",
                folders: &["examples/policies/findings-by-severity"],
                file: "findings_by_severity.wasm",
            },
            Guest {
                name: "publishers",
                package: "publishers",
                folders: &["examples/policies/publishers"],
                file: "publishers.wasm",
            },
            Guest {
                name: "change-freeze",
                package: "change-freeze",
                folders: &["examples/policies/change-freeze"],
                file: "change_freeze.wasm",
            },
            Guest {
                name: "package-age",
                package: "package-age",
                folders: &["examples/policies/package-age"],
                file: "package_age.wasm",
            },
            Guest {
                name: "no-fetch-at-start",
                package: "no-fetch-at-start",
                folders: &["examples/policies/no-fetch-at-start"],
                file: "no_fetch_at_start.wasm",
            },
        ],
    };

    /// Builds the components and writes them with their record.
    pub(crate) fn build(&self, root: &Path) -> anyhow::Result<()> {
        let dist = root.join(self.dist);
        let built = build::build(root, self)?;
        std::fs::create_dir_all(&dist)?;
        for (guest, bytes) in self.guests.iter().zip(&built.components) {
            std::fs::write(dist.join(guest.file), bytes)?;
            say(&format!("{}/{}: {} bytes", self.dist, guest.file, bytes.len()));
        }
        self.record(root, &built)?.write(&self.record_path(root))
    }

    /// Fails when the components are not what their record says, or the record is not what the sources say, or the
    /// recorded toolchain makes other bytes of them.
    pub(crate) fn verify(&self, root: &Path) -> anyhow::Result<()> {
        verify::verify(root, self)
    }

    fn record(&self, root: &Path, built: &build::Built) -> anyhow::Result<Record> {
        let graph = graph::Graph::load(root)?;
        let mut components = std::collections::BTreeMap::new();
        for (guest, bytes) in self.guests.iter().zip(&built.components) {
            let component = Component {
                file: guest.file.to_owned(),
                package: guest.package.to_owned(),
                size: bytes.len(),
                sha256: digest::of_bytes(bytes),
                sources: digest::of_sources(root, guest.folders)?,
                dependencies: graph.digest(guest.package)?,
            };
            components.insert(guest.name.to_owned(), component);
        }
        Ok(Record::new(built.toolchain.clone(), graph.encoder()?, components))
    }

    fn record_path(&self, root: &Path) -> PathBuf {
        root.join(self.dist).join("provenance.json")
    }
}

#[cfg(test)]
mod tests;
