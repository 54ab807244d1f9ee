//! What is imported, as the command line names it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use smcp_model::digest::Digest;
use smcp_model::imported::ImportedFrom;
use smcp_model::name::PackageId;
use smcp_model::text::SafeText;

/// The longest name that npm takes, bytes; longer ones of PyPI are not known either.
const LONGEST_NAME: usize = 214;
/// The longest version or range, bytes.
const LONGEST_VERSION: usize = 256;

/// A server that is started otherwise today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportSource {
    /// A package of npm, which `npx` starts.
    Npm {
        /// `name` or `@scope/name`.
        name: String,
        /// A version, a tag or a range; the newest when absent.
        wanted: Option<String>,
    },
    /// A package of PyPI, which `uvx` starts.
    Pypi {
        /// Its name, as typed.
        name: String,
        /// Its extras.
        extras: Vec<String>,
        /// A version; the newest when absent.
        version: Option<String>,
    },
    /// An MCP bundle.
    Mcpb {
        /// Where it is.
        place: McpbPlace,
        /// Its digest, when it is given.
        digest: Option<Digest>,
    },
}

/// Where an MCP bundle is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpbPlace {
    /// A file.
    File(String),
    /// Behind a URL.
    Url(String),
}

/// A text names nothing that can be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` can't be imported: {reason}\n  {EXPECTED}")]
pub struct ImportSourceError {
    found: SafeText,
    reason: &'static str,
}

const EXPECTED: &str = "expected npm:NAME[@VERSION], pypi:NAME[==VERSION] or mcpb:FILE|URL[#sha256:DIGEST], for example npm:@acme/tool@1.2.0";

impl ImportSource {
    /// The name that the package has here, when nobody gives it another; `None` for what its own file names.
    pub fn package_id(&self) -> Option<PackageId> {
        let name = match self {
            Self::Npm { name, .. } => name.trim_start_matches('@').replace('/', "."),
            Self::Pypi { name, extras, .. } => pypi_word(name, extras),
            Self::Mcpb { .. } => return None,
        };
        format!("{}/{name}", self.kind()).parse().ok()
    }

    /// The names that the package has here when this program of it is started: its own, if `npx` or `uvx` would start another,
    /// and else the one without a program.
    pub fn program_ids(&self, bin: &str) -> Vec<PackageId> {
        let Some(id) = self.package_id() else { return Vec::new() };
        let is_named_so = match self {
            Self::Npm { name, .. } => name.rsplit('/').next() == Some(bin),
            Self::Pypi { name, .. } => canonical(name) == canonical(bin),
            Self::Mcpb { .. } => false,
        };
        let own = program_word(&id.to_string(), bin).parse().ok();
        own.into_iter().chain(is_named_so.then_some(id)).collect()
    }

    /// The version, tag or range that is named.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Npm { wanted, .. } => wanted.as_deref(),
            Self::Pypi { version, .. } => version.as_deref(),
            Self::Mcpb { .. } => None,
        }
    }

    /// Whether a package was imported from this source, in the version that is named.
    pub fn is_of(&self, from: &ImportedFrom) -> bool {
        let is_name = match self {
            Self::Npm { name, .. } => from.name == *name,
            Self::Pypi { name, extras, .. } => {
                let (there, theirs) = from.name.split_once('[').unwrap_or((&from.name, ""));
                let theirs = theirs.trim_end_matches(']').split(',').filter(|extra| !extra.is_empty());
                let theirs: Vec<String> = theirs.map(str::to_owned).collect();
                pypi_word(there, &theirs) == pypi_word(name, extras)
            }
            Self::Mcpb { .. } => false,
        };
        is_name && from.kind == self.kind() && Some(from.version.as_str()) == self.version()
    }

    /// The kind, as it stands before the colon.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Npm { .. } => "npm",
            Self::Pypi { .. } => "pypi",
            Self::Mcpb { .. } => "mcpb",
        }
    }
}

impl fmt::Display for ImportSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Npm { name, wanted } => {
                write!(f, "npm:{name}{}", wanted.as_ref().map(|wanted| format!("@{wanted}")).unwrap_or_default())
            }
            Self::Pypi { name, extras, version } => {
                let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
                let version = version.as_ref().map(|version| format!("=={version}")).unwrap_or_default();
                write!(f, "pypi:{name}{extras}{version}")
            }
            Self::Mcpb { place: McpbPlace::File(place) | McpbPlace::Url(place), .. } => write!(f, "mcpb:{place}"),
        }
    }
}

impl FromStr for ImportSource {
    type Err = ImportSourceError;

    fn from_str(text: &str) -> Result<Self, ImportSourceError> {
        let fail = |reason| ImportSourceError { found: SafeText::quoted(text), reason };
        let (kind, rest) = text.split_once(':').ok_or_else(|| fail(unprefixed(text)))?;
        match kind {
            "npm" => npm(rest).map_err(fail),
            "pypi" => pypi(rest).map_err(fail),
            "mcpb" => mcpb(rest).map_err(fail),
            "oci" | "docker" => {
                Err(fail("an image of a container has no bundle in it that starts without the container"))
            }
            "http" | "https" if rest.contains(".mcpb") => Err(fail("an MCP bundle behind a URL begins with `mcpb:`")),
            _ => Err(fail("what stands before the colon is none of the kinds")),
        }
    }
}

fn unprefixed(text: &str) -> &'static str {
    if text.ends_with(".mcpb") || text.ends_with(".dxt") {
        "an MCP bundle begins with `mcpb:`"
    } else {
        "it does not say of what kind it is"
    }
}

fn npm(text: &str) -> Result<ImportSource, &'static str> {
    // The first `@` may be that of a scope.
    let at = text.char_indices().skip(1).find(|(_, letter)| *letter == '@').map(|(at, _)| at);
    let (name, wanted) = match at.and_then(|at| Some((text.get(..at)?, text.get(at.saturating_add(1)..)?))) {
        Some((name, wanted)) => (name, Some(wanted)),
        None => (text, None),
    };
    if !is_npm_name(name) {
        return Err("that is no name of npm");
    }
    if wanted.is_some_and(|wanted| !is_npm_version(wanted)) {
        return Err("what follows the `@` is no version, tag or range: addresses of git and files are none");
    }
    Ok(ImportSource::Npm { name: name.to_owned(), wanted: wanted.map(str::to_owned) })
}

/// Whether a text is a name as npm has it: `name` or `@scope/name`, of letters that a URL keeps.
pub(crate) fn is_npm_name(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && !word.starts_with(['.', '_', '-'])
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
    };
    let is_name = match text.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| is_word(scope) && is_word(name)),
        None => is_word(text),
    };
    is_name && text.len() <= LONGEST_NAME
}

fn is_npm_version(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~^*<>=|_ ".contains(&byte);
    (1..=LONGEST_VERSION).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(is_part)
}

fn pypi(text: &str) -> Result<ImportSource, &'static str> {
    let split = text.split_once("==").or_else(|| text.split_once('@'));
    let (named, version) = split.map_or((text, None), |(named, version)| (named, Some(version.trim())));
    let (name, extras) = match named.trim().strip_suffix(']').map(|named| named.split_once('[')) {
        None => (named.trim(), Vec::new()),
        Some(None) => return Err("its brackets don't fit"),
        Some(Some((name, extras))) => (name.trim(), extras.split(',').map(|extra| extra.trim().to_owned()).collect()),
    };
    if !is_pypi_name(name) || !extras.iter().all(|extra| is_pypi_name(extra)) {
        return Err("that is no name of PyPI");
    }
    if version.is_some_and(|version| !is_pypi_version(version)) {
        return Err("what follows the name is no version; it must be an exact one");
    }
    Ok(ImportSource::Pypi { name: name.to_owned(), extras, version: version.map(str::to_owned) })
}

/// Whether a text is a name as PyPI has it.
pub(crate) fn is_pypi_name(text: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= LONGEST_NAME
        && ends(text.bytes().next())
        && ends(text.bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Whether a text is an exact version as PyPI has it.
pub(crate) fn is_pypi_version(text: &str) -> bool {
    (1..=LONGEST_VERSION).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!+_-".contains(&byte))
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// The name by which PyPI knows a package: one for all spellings.
pub(crate) fn canonical(name: &str) -> String {
    let parts: Vec<&str> = name.split(['.', '_', '-']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

/// Extras as PyPI knows them: each once, whatever the order and the spelling.
pub(crate) fn canonical_extras(extras: &[String]) -> Vec<String> {
    let extras: BTreeSet<String> = extras.iter().map(|extra| canonical(extra)).collect();
    extras.into_iter().collect()
}

/// The name here of a package of which another program is started than `npx` or `uvx` would.
pub(crate) fn program_word(word: &str, bin: &str) -> String {
    format!("{word}--{bin}")
}

/// The name here of a package of PyPI. With extras it is another package; no name of PyPI has the dot once it is canonical.
pub(crate) fn pypi_word(name: &str, extras: &[String]) -> String {
    std::iter::once(canonical(name)).chain(canonical_extras(extras)).collect::<Vec<_>>().join(".")
}

fn mcpb(text: &str) -> Result<ImportSource, &'static str> {
    let (place, digest) = match text.rsplit_once('#') {
        Some((place, digest)) if is_meant_as_digest(digest) => (place, Some(digest)),
        Some((place, _)) if place.starts_with("http") && place.contains("://") => (place, Some("")),
        Some(_) | None => (text, None),
    };
    let no_digest = "what follows the `#` is no digest: sha256: and 64 digits of 0 to 9 and a to f";
    let digest = digest.map(str::parse).transpose().map_err(|_| no_digest)?;
    let is_url = place.starts_with("https://") || place.starts_with("http://");
    if place.is_empty() {
        return Err("it names no file");
    }
    let place = if is_url { McpbPlace::Url(place.to_owned()) } else { McpbPlace::File(place.to_owned()) };
    Ok(ImportSource::Mcpb { place, digest })
}

/// Whether what follows a `#` can be no part of a file's name: nothing, or a word and a colon.
fn is_meant_as_digest(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.is_empty() || text.split_once(':').is_some_and(|(kind, _)| is_word(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_their_own_clients_write_them() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, shown) in [
            ("npm:tool", "npm:tool"),
            ("npm:tool@1.0.0", "npm:tool@1.0.0"),
            ("npm:@acme/tool", "npm:@acme/tool"),
            ("npm:@acme/tool@^1.2", "npm:@acme/tool@^1.2"),
            ("npm:tool@latest", "npm:tool@latest"),
            ("pypi:tool", "pypi:tool"),
            ("pypi:tool==1.0", "pypi:tool==1.0"),
            ("pypi:tool@1.0", "pypi:tool==1.0"),
            ("pypi:Some_Tool[cli, fast]==1!2.0+local", "pypi:Some_Tool[cli,fast]==1!2.0+local"),
            ("mcpb:./a.mcpb", "mcpb:./a.mcpb"),
            ("mcpb:a#b.mcpb", "mcpb:a#b.mcpb"),
            ("mcpb:https://x.example/a.mcpb", "mcpb:https://x.example/a.mcpb"),
            (&format!("mcpb:a.mcpb#{digest}"), "mcpb:a.mcpb"),
        ] {
            assert_eq!(text.parse::<ImportSource>().unwrap().to_string(), shown, "{text}");
        }
        let Ok(ImportSource::Mcpb { digest: found, .. }) = format!("mcpb:a.mcpb#{digest}").parse() else { panic!() };
        assert_eq!(found.unwrap().to_string(), digest);
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (text, reason) in [
            ("tool", "does not say of what kind"),
            ("a.mcpb", "begins with `mcpb:`"),
            ("https://x.example/a.mcpb", "begins with `mcpb:`"),
            ("docker:acme/tool", "container"),
            ("gem:tool", "none of the kinds"),
            ("npm:", "no name of npm"),
            ("npm:../evil", "no name of npm"),
            ("npm:@acme", "no name of npm"),
            ("npm:@acme/../x", "no name of npm"),
            ("npm:tool@file:../x", "no version"),
            ("npm:tool@../x", "no version"),
            ("npm:tool@git+ssh://x", "no version"),
            ("npm:tool@", "no version"),
            ("npm:-g", "no name of npm"),
            ("pypi:", "no name of PyPI"),
            ("pypi:--index-url", "no name of PyPI"),
            ("pypi:tool==1.*", "exact"),
            ("pypi:tool==-e", "exact"),
            ("pypi:tool]", "brackets"),
            ("pypi:tool @ https://x", "exact"),
            ("mcpb:", "names no file"),
            ("mcpb:a.mcpb#sha256:12", "no digest"),
            ("mcpb:a.mcpb#SHA256:12", "no digest"),
            ("mcpb:a.mcpb#sha512:12", "no digest"),
            ("mcpb:a.mcpb#", "no digest"),
            ("mcpb:https://x.example/a.mcpb#", "no digest"),
            ("mcpb:https://x.example/a.mcpb#part", "no digest"),
            ("mcpb:https://x.example/a.mcpb#sha512:12", "no digest"),
        ] {
            let error = text.parse::<ImportSource>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_package_with_extras_has_a_name_of_its_own() {
        for (text, id) in [
            ("npm:@acme/tool@1.0.0", "npm/acme.tool"),
            ("pypi:Some_Tool==1.0", "pypi/some-tool"),
            ("pypi:mcp[cli]==2.3.0", "pypi/mcp.cli"),
            ("pypi:mcp[ws,CLI,ws]", "pypi/mcp.cli.ws"),
            ("pypi:mcp[cli_ws]", "pypi/mcp.cli-ws"),
        ] {
            assert_eq!(text.parse::<ImportSource>().unwrap().package_id().unwrap().to_string(), id);
        }
    }

    #[test]
    fn spellings_of_a_name_are_one() {
        for name in ["Some_Tool", "some-tool", "some.tool", "some__tool"] {
            assert_eq!(canonical(name), "some-tool");
        }
    }
}
