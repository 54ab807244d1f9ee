//! The author's manifest, held against what is published.

use cap_std::fs::Dir;
use serde_json::Map;
use serde_json::Value;

use crate::error::PackageError;
use crate::publish::PublishRequest;
use smcp_bundle::BundleErrorKind;
use smcp_bundle::manifest;
use smcp_bundle::manifest::Identity;
use smcp_bundle::manifest::MANIFEST;
use smcp_bundle::manifest::ManifestError;
use smcp_bundle::manifest::Platform;
use smcp_bundle::pack;
use smcp_model::facts::Status;
use smcp_model::fetches::Fetches;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::manifest::Entrypoint;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;
use smcp_store::file::read_at_most;

/// What an author's manifest comes to.
pub(super) struct Author {
    /// The manifest as a document.
    pub(super) document: Map<String, Value>,
    /// The commit that it names.
    pub(super) git_sha: Option<String>,
    /// Files that its command names, as far as that can be told.
    pub(super) expected: Vec<Expected>,
    /// What is worth saying about it.
    pub(super) remarks: Vec<SafeText>,
}

/// A file that a command needs in the directory.
pub(super) struct Expected {
    pub(super) path: String,
    /// Whether it is started itself, and not handed to a program.
    pub(super) is_program: bool,
}

/// Reads the manifest in the directory of a request.
///
/// # Errors
/// When there is none, when it is not what an author has to write, or when it is another package's.
pub(super) fn read(request: &PublishRequest, label: &str) -> Result<Author, PackageError> {
    let refuse = |problem: &str| Err(BundleErrorKind::Unpublishable(problem.to_owned()).of(label).into());
    let invalid = |problem| BundleErrorKind::Manifest(problem).of(label);
    let bytes = read_file(&request.bundle_dir, label)?;
    // The registry's manifest is written anew, without the mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let document: Map<String, Value> = json::read(bytes).map_err(|problem| invalid(ManifestError::Invalid(problem)))?;
    let holds = |key: &str| document.get(key).is_some_and(|value| !value.is_null());
    if holds("certification") {
        return refuse("its `manifest.json` has a `certification` block, which is for the registry to write");
    }
    if holds("bundle") {
        return refuse("its `manifest.json` has a `bundle` block, which can't be right about a bundle that holds it");
    }
    manifest::check_author(&document).map_err(invalid)?;
    let read = manifest::read(bytes, Platform::current()).map_err(invalid)?;
    check_identity(request, &read.identity)?;
    if !Status::KNOWN.contains(&request.status.as_str()) {
        let status = SafeText::new(request.status.as_str());
        return refuse(&format!("the status `{status}` is not known; expected one of {}", Status::KNOWN.join(", ")));
    }
    let fetches = Fetches::of(&read.manifest.entrypoint).map(|fetches| SafeText::new(&fetches.sentence()));
    let remarks = fetches.into_iter().chain(manifest::unknown_keys(&document)).collect();
    let expected = expected(&read.manifest.entrypoint);
    Ok(Author { document, git_sha: read.identity.git_sha, expected, remarks })
}

/// The files that a command names: a program of the bundle's own, and the first script of an interpreter.
fn expected(entrypoint: &Entrypoint) -> Vec<Expected> {
    let Entrypoint { command, args, workdir, .. } = entrypoint;
    let is_script = |word: &&String| {
        let (path, end) = word.rsplit_once('.').unwrap_or((word, ""));
        !path.starts_with(['-', '/']) && !path.contains("..") && ["js", "mjs", "cjs", "py"].contains(&end)
    };
    let plain = |path: &str| path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
    let program = command.contains('/').then(|| Expected { path: plain(command), is_program: true });
    let script = args.first().filter(is_script).map(|script| {
        let path = plain(&format!("{}/{script}", workdir.as_deref().unwrap_or_default()));
        Expected { path, is_program: false }
    });
    program.into_iter().chain(script).collect()
}

fn check_identity(request: &PublishRequest, identity: &Identity) -> Result<(), PackageError> {
    let mismatch = |what, expected: String, found: String| {
        Err(PackageError::Identity { what, expected, found: SafeText::new(&found) })
    };
    if identity.id != request.id {
        return mismatch("`package.id` in manifest.json", request.id.to_string(), identity.id.to_string());
    }
    if identity.version != request.version {
        return mismatch(
            "`package.version` in manifest.json",
            request.version.to_string(),
            identity.version.to_string(),
        );
    }
    Ok(())
}

fn read_file(dir: &Dir, label: &str) -> Result<Vec<u8>, PackageError> {
    let failed = |cause| pack::unreadable(label, MANIFEST, cause);
    let refuse = |problem| PackageError::from(BundleErrorKind::Unpublishable(problem).of(label));
    let Some(file) = open_file(dir, MANIFEST).map_err(failed)? else {
        return Err(refuse(format!(
            "there is no `{MANIFEST}` in the directory\n  `smcp registry new DIR` writes one, docs/manifest.md has every key"
        )));
    };
    let bytes = read_at_most(file, limits::MANIFEST).map_err(failed)?;
    bytes.ok_or_else(|| refuse(format!("its `{MANIFEST}` has more than {} bytes", limits::MANIFEST)))
}
