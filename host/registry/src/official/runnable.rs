//! What of a version can be started, or else what the user can do.

use serde_json::Value;

use crate::official::entry::ListedServer;
use smcp_model::digest::Digest;
use smcp_model::limits::http;
use smcp_model::text::SafeText;

/// The registries of packages that are meant when nothing else is said.
const NPM: &str = "https://registry.npmjs.org";
const PYPI: &str = "https://pypi.org";

/// An MCP bundle that a version has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfferedBundle {
    pub(super) digest: Digest,
    /// Where it lies, as the registry says it: not looked at before a connection is made.
    pub(super) url: String,
}

/// A package of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OfferedPackage {
    /// It can be started.
    Bundle(OfferedBundle),
    /// It can't; says why, and what can be done.
    Other(String),
}

impl OfferedPackage {
    /// Its address, or why it can't be started.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bundle(OfferedBundle { url, .. }) => url,
            Self::Other(why) => why,
        }
    }

    /// Reads a package. The error says what is wrong with it.
    pub(super) fn read(package: &Value) -> Result<Self, String> {
        let package = package.as_object().ok_or("`server.packages` has something that is no object")?;
        let given = |key: &str| package.get(key).filter(|value| !value.is_null());
        let text = |key: &str| match given(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(format!("`{key}` of a package is no text")),
        };
        let needed = |key: &str| text(key)?.ok_or_else(|| format!("`{key}` of a package is missing"));
        let (kind, identifier) = (needed("registryType")?, needed("identifier")?);
        if identifier.len() > http::URL {
            return Err("`identifier` of a package is too long".to_owned());
        }
        let (version, base) = (text("version")?, text("registryBaseUrl")?);
        Ok(match kind {
            "mcpb" => {
                let transport = given("transport").and_then(|transport| transport.get("type")?.as_str());
                match (text("fileSha256")?, transport) {
                    (None, _) => Self::Other(unpinned(identifier)),
                    (Some(_), Some(other)) if other != "stdio" => {
                        let other = SafeText::quoted_value(other);
                        Self::Other(format!("its MCP bundle speaks {other}, and smcp starts what speaks stdio"))
                    }
                    (Some(digits), _) => {
                        let digest = format!("sha256:{digits}").parse();
                        let digest = digest.map_err(|error| format!("`fileSha256` of a package: {error}"))?;
                        Self::Bundle(OfferedBundle { digest, url: identifier.to_owned() })
                    }
                }
            }
            "npm" => Self::Other(imported("npm", (identifier, version, "@"), base, NPM)),
            "pypi" => Self::Other(imported("pypi", (identifier, version, "=="), base, PYPI)),
            "oci" => Self::Other("it is a container image, which smcp does not start".to_owned()),
            other => {
                Self::Other(format!("it is a package of {}, which smcp does not start", SafeText::quoted_value(other)))
            }
        })
    }
}

fn unpinned(url: &str) -> String {
    let why = "its MCP bundle has no `fileSha256`: nothing says which bytes are meant";
    if !is_plain(url, ":/%=+") {
        return why.to_owned();
    }
    format!("{why}\n  `smcp import mcpb:{url}` makes a package of what is there now")
}

/// What to do with a package of a registry that is fetched from at every start.
fn imported(
    kind: &str,
    (name, version, between): (&str, Option<&str>, &str),
    base: Option<&str>,
    usual: &str,
) -> String {
    let why = format!("it is a package of {kind}, which would be fetched at every start");
    if let Some(base) = base.filter(|base| base.trim_end_matches('/') != usual) {
        return format!("{why}, from {}", SafeText::quoted(base));
    }
    let version = version.map(|version| format!("{between}{version}")).unwrap_or_default();
    // It is to be copied to a command line, so nothing that means something there may be in it.
    if !is_plain(name, "@/") || !is_plain(&version, "@=+") {
        return format!("{why}, with a name that none has");
    }
    format!("{why}\n  `smcp import {kind}:{name}{version}` makes a package of it")
}

/// Whether a text has nothing but letters, digits, `.`, `_`, `-` and these.
fn is_plain(text: &str, others: &str) -> bool {
    let is_one = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter) || others.contains(letter);
    text.chars().all(is_one) && !text.starts_with('-')
}

impl ListedServer {
    /// Its MCP bundles.
    pub(super) fn bundles(&self) -> impl Iterator<Item = &OfferedBundle> {
        self.packages.iter().filter_map(|package| match package {
            OfferedPackage::Bundle(bundle) => Some(bundle),
            OfferedPackage::Other(_) => None,
        })
    }

    /// Returns what is started of it: its only MCP bundle, or the one with the digest that was asked for. The error says why
    /// nothing is, and what can be done.
    pub(super) fn runnable(&self, wanted: Option<&Digest>) -> Result<&OfferedBundle, String> {
        let mut fitting: Vec<&OfferedBundle> =
            self.bundles().filter(|bundle| wanted.is_none_or(|wanted| bundle.digest == *wanted)).collect();
        // The same file at several places is one.
        fitting.sort_by_key(|bundle| bundle.digest);
        fitting.dedup_by_key(|bundle| bundle.digest);
        match fitting.as_slice() {
            [one] => Ok(*one),
            [] => Err(self.why_not()),
            several => {
                let lines: String = several
                    .iter()
                    .map(|bundle| format!("\n  {}@{}  {}", self.name, bundle.digest, SafeText::quoted(&bundle.url)))
                    .collect();
                Err(format!("it has several MCP bundles, and nothing says which is for this machine; name one:{lines}"))
            }
        }
    }

    fn why_not(&self) -> String {
        let others: Vec<&str> = self
            .packages
            .iter()
            .filter_map(|package| match package {
                OfferedPackage::Other(why) => Some(why.as_str()),
                OfferedPackage::Bundle(_) => None,
            })
            .collect();
        if !others.is_empty() {
            return others.join("\n  ");
        }
        let why = if self.is_remote {
            "it runs elsewhere, and is reached over the network"
        } else {
            "it has no package\n  where smcp serves the registry, its address without /v0.1 starts it"
        };
        why.to_owned()
    }
}
