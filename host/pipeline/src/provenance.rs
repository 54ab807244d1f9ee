//! A file of a bundle, and one behind a URL: for `info --provenance`, `import`.

use std::io;

use crate::PipelineError;
use crate::Session;
use crate::find;
use crate::remote::RemoteServers;
use smcp_bundle as bundle;
use smcp_bundle::BundleErrorKind;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::package::PackageRef;
use smcp_model::policy::LayerName;
use smcp_model::progress::Progress;
use smcp_model::registry::RegistryUrl;
use smcp_model::request::Subject;
use smcp_policy::request;
use smcp_store::stream::Hashed;
use smcp_store::stream::check_digest;

/// Returns what the registry says of a package, and one file of its verified bundle; `None` when the bundle has no such
/// file.
///
/// # Errors
/// See [`PipelineError`].
pub fn file_of_package(
    session: &Session,
    reference: &PackageRef,
    path: &str,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<(Subject, Option<Vec<u8>>), PipelineError> {
    let resolved = find::resolve(session, reference, deadline)?;
    let (package, _lease) = resolved.fetch(session, deadline, progress)?;
    if package.registry.has_mcp_bundles() {
        // An archive of somebody else's: what it is made of, it does not say.
        return Ok((request::subject(&package), None));
    }
    let (cache, label) = (session.cache()?, package.label());
    let digest = &package.bundle_digest;
    let Some(file) = cache.open(digest)? else {
        return Err(cache.failed("find the bundle in it")(io::ErrorKind::NotFound.into()).into());
    };
    let mut source = Hashed::new(file);
    let found = bundle::read_one(&mut source, path, limits::MANIFEST);
    let rest = source.drain().map_err(cache.failed("read the cached bundle"))?;
    if let Err(mismatch) = check_digest(digest, rest) {
        return Err(smcp_registry::PackageError::from(BundleErrorKind::Changed(mismatch).of(&label)).into());
    }
    let found = found.map_err(|problem| {
        PipelineError::from(smcp_registry::PackageError::from(BundleErrorKind::Archive(problem).of(&label)))
    })?;
    Ok((request::subject(&package), found))
}

/// Gets the file at a URL, of at most `limit` bytes, by the user's proxy, authorities and log-ins.
///
/// # Errors
/// See [`PipelineError`].
pub fn download(
    session: &Session,
    url: &RegistryUrl,
    limit: usize,
    deadline: &Deadline,
) -> Result<Vec<u8>, PipelineError> {
    Ok(RemoteServers(session).fetch_file(url, LayerName::User, limit, deadline)?)
}
