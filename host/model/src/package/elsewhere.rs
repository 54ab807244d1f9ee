//! Recognises names of other systems in place of a package reference.

use crate::text::SafeText;

/// The kind of thing that a text names instead of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// A package of npm.
    Npm,
    /// A package of PyPI.
    Pypi,
    /// A container's image.
    Image,
    /// An MCP bundle.
    Bundle,
    /// A file or a folder.
    Path,
    /// An address on the web.
    Url,
    /// `acme/tool:1.0.0`.
    Tag,
    /// A WebAssembly file.
    Component,
    /// A name without its owner.
    Name,
}

impl Elsewhere {
    /// Returns the kind of thing that `text`, which is not a reference, most likely names.
    pub(super) fn of(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let begins = |with: &[&str]| with.iter().any(|start| lower.starts_with(start));
        let first = lower.split('/').next().unwrap_or_default();
        let segments = lower.split('/').count();
        Some(match () {
            () if lower.is_empty() => return None,
            () if begins(&["docker:", "docker://", "oci:", "docker "]) => Self::Image,
            () if lower.contains("://") || begins(&["git@", "git+"]) => Self::Url,
            () if lower.ends_with(".mcpb") || lower.ends_with(".dxt") => Self::Bundle,
            () if lower.ends_with(".wasm") => Self::Component,
            () if begins(&["./", "../", "/", "~"]) || lower == "." || lower == ".." => Self::Path,
            () if begins(&["@", "npm:", "npx "]) || lower == "npx" => Self::Npm,
            () if begins(&["pypi:", "uvx ", "pipx "]) || lower == "uvx" || lower.contains("==") => Self::Pypi,
            () if segments > 1 && (first.contains('.') || first.contains(':')) && !lower.contains('@') => Self::Image,
            () if segments == 2 && lower.contains(':') && !lower.contains('@') => Self::Tag,
            () if segments == 1 && !lower.starts_with('@') => Self::Name,
            () => return None,
        })
    }

    /// The reason why it is not a reference.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Npm => "it is the name of an npm package",
            Self::Pypi => "it is the name of a PyPI package",
            Self::Image => "it is the name of a container image",
            Self::Bundle => "it is the name of an MCP bundle",
            Self::Component => "it is the name of a WebAssembly file",
            Self::Path => "it is the path of a file or folder",
            Self::Url => "it is a URL",
            Self::Tag => "a version stands behind `@`, not behind `:`",
            Self::Name => "it does not say whose package it is",
        }
    }

    /// The remedy for `text`.
    pub(super) fn way_out(self, text: &str) -> String {
        match self {
            Self::Npm => return import("npm", text, "NAME@VERSION"),
            Self::Pypi => return import("pypi", text, "NAME==VERSION"),
            Self::Bundle => return import("mcpb", text, "FILE"),
            Self::Path => PUBLISH,
            Self::Component => {
                "a policy stands in the configuration, under `policy.custom`; `smcp policy inspect FILE` shows what it is"
            }
            Self::Image => {
                "smcp starts programs and no containers; publish the server's files: `smcp registry publish` makes a \
                 package of a folder, docs/registry.md has the steps"
            }
            Self::Url => {
                "a registry's URL belongs to --registry or `registry_url`; a server that is reached by its URL has no \
                 files to be judged, so smcp doesn't start it"
            }
            Self::Tag => "put `@` in its place",
            Self::Name => {
                "put the owner before it, as the registry has it; a package of npm or PyPI has to be imported into a \
                 registry first: `smcp import`, docs/from-npx.md has the steps"
            }
        }
        .to_owned()
    }
}

/// The command that makes a package of what `text` names; `unnamed` stands for a name that is not in it.
fn import(kind: &str, text: &str, unnamed: &str) -> String {
    let starters = ["npx", "uvx", "pipx", "run"];
    let mut words = text.split_whitespace().filter(|word| !word.starts_with('-') && !starters.contains(word));
    let word = words.next().unwrap_or_default();
    let name = word.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':')).unwrap_or(word);
    let name = SafeText::quoted(if name.is_empty() { unnamed } else { name });
    format!(
        "`smcp import {kind}:{name}` makes a package of it in a registry directory, and says what starts that; \
         docs/from-npx.md has the steps"
    )
}

const PUBLISH: &str = "smcp starts packages of its registry; `smcp registry publish` makes one of a folder that has the \
                       server's files and a manifest.json, docs/registry.md has the steps";
