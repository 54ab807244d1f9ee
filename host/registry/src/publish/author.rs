//! Reads the author's manifest, and checks it against the publish request.

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
use smcp_model::bounded;
use smcp_model::elsewhere::RunsElsewhere;
use smcp_model::facts::Status;
use smcp_model::fetches::Fetches;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::manifest::Entrypoint;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;

/// The author's manifest, as far as publishing needs it.
pub(super) struct AuthorManifest {
    /// The manifest as a document.
    pub(super) document: Map<String, Value>,
    /// The commit in it.
    pub(super) git_sha: Option<String>,
    /// The files that its command names, as far as smcp can recognise them.
    pub(super) expected: Vec<ExpectedFile>,
    /// Remarks about it, for the user.
    pub(super) remarks: Vec<SafeText>,
}

/// A file that the command needs in the directory.
pub(super) struct ExpectedFile {
    pub(super) path: String,
    /// Whether it is started itself, and not passed to an interpreter.
    pub(super) is_program: bool,
}

/// Reads the manifest in the directory of a request.
///
/// # Errors
/// When there is none, when it is not a valid author's manifest, or when it is about another package or version.
pub(super) fn read(request: &PublishRequest<'_>, label: &str) -> Result<AuthorManifest, PackageError> {
    let refuse = |problem: &str| Err(BundleErrorKind::Unpublishable(problem.to_owned()).of(label).into());
    let invalid = |problem| BundleErrorKind::Manifest(problem).of(label);
    let bytes = read_file(&request.bundle_dir, label)?;
    // A byte order mark is skipped; the registry's manifest is written without it.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let document: Map<String, Value> = json::read(bytes).map_err(|problem| invalid(ManifestError::Invalid(problem)))?;
    let holds = |key: &str| document.get(key).is_some_and(|value| !value.is_null());
    if holds("certification") {
        return refuse("its `manifest.json` has a `certification` block, which is for the registry to write");
    }
    if holds("source") {
        return refuse("its `manifest.json` has a `source` block, which only `smcp import` writes");
    }
    if holds("bundle") {
        return refuse("its `manifest.json` has a `bundle` block, which can't be right about a bundle that holds it");
    }
    manifest::check_author(&document).map_err(invalid)?;
    let read = manifest::read(bytes, Platform::current()).map_err(invalid)?;
    check_identity(request, &read.identity)?;
    if let Some(status) = request.status.as_ref().filter(|status| !Status::KNOWN.contains(&status.as_str())) {
        let status = SafeText::new(status.as_str());
        return refuse(&format!("the status `{status}` is not known; expected one of {}", Status::KNOWN.join(", ")));
    }
    let fetches = Fetches::of(&read.manifest.entrypoint).map(|fetches| SafeText::new(&fetches.sentence()));
    let elsewhere = RunsElsewhere::of(&read.manifest.entrypoint).map(|it| SafeText::new(&it.sentence()));
    let remarks = fetches.into_iter().chain(elsewhere).chain(manifest::unknown_keys(&document)).collect();
    let expected = expected(&read.manifest.entrypoint);
    Ok(AuthorManifest { document, git_sha: read.identity.git_sha, expected, remarks })
}

/// Finds the files that a command names: a program in the bundle, and a script as the first argument.
fn expected(entrypoint: &Entrypoint) -> Vec<ExpectedFile> {
    let Entrypoint { command, args, workdir, .. } = entrypoint;
    let is_script = |word: &&String| {
        let (path, end) = word.rsplit_once('.').unwrap_or((word, ""));
        !path.starts_with(['-', '/']) && !path.contains("..") && ["js", "mjs", "cjs", "py"].contains(&end)
    };
    let normalized =
        |path: &str| path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
    let program = command.contains('/').then(|| ExpectedFile { path: normalized(command), is_program: true });
    let script = args.first().filter(is_script).map(|script| {
        let path = normalized(&format!("{}/{script}", workdir.as_deref().unwrap_or_default()));
        ExpectedFile { path, is_program: false }
    });
    program.into_iter().chain(script).collect()
}

fn check_identity(request: &PublishRequest<'_>, identity: &Identity) -> Result<(), PackageError> {
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
    let bytes = bounded::read_within(file, limits::MANIFEST, 0).map_err(failed)?;
    bytes.ok_or_else(|| refuse(format!("its `{MANIFEST}` has more than {} bytes", limits::MANIFEST)))
}
