//! The folder in which a server keeps what it keeps: made, listed, removed.

use crate::PipelineError;
use crate::Session;
use smcp_authority as authority;
use smcp_model::deadline::Deadline;
use smcp_model::name::PackageId;
use smcp_model::package::ResolvedPackage;
use smcp_model::registry::Registry;
use smcp_model::server_data::DataRemoval;
use smcp_model::server_data::ServerData;
use smcp_store::DataFolder;
use smcp_store::DataFolders;
use smcp_store::RemovalTargetError;
use smcp_store::StoreError;

/// Where servers keep what they keep, below the home.
const DATA: &str = ".mcp/data";

/// Returns what every server keeps, by package; nothing where no server ever kept something.
///
/// # Errors
/// When the folder can't be used.
pub fn list_server_data(session: &Session) -> Result<Vec<ServerData>, PipelineError> {
    existing(session)?.map_or(Ok(Vec::new()), |folders| Ok(folders.entries()?))
}

/// Removes what the servers of these packages keep; of all when the list is empty, and of one registry when it is named.
///
/// # Errors
/// When a package has nothing, or something of two registries; when something can't be removed.
pub fn remove_server_data(
    session: &Session,
    packages: &[PackageId],
    of: Option<&Registry>,
) -> Result<DataRemoval, PipelineError> {
    match (existing(session)?, packages.first()) {
        (Some(folders), _) => Ok(folders.remove(packages, of)?),
        (None, None) => Ok(DataRemoval::default()),
        (None, Some(package)) => Err(StoreError::from(RemovalTargetError::no_data(package, of)).into()),
    }
}

/// Makes the folder in which the server of a package keeps what it keeps; `None` without a home, or where it can't be made.
pub(crate) fn folder(session: &Session, package: &ResolvedPackage, by: &Deadline) -> Option<DataFolder> {
    let path = session.system().home()?.join(DATA);
    let made = authority::create_dir(&path).map_err(|cause| StoreError::no_data(&path, cause));
    let folder = made.and_then(|dir| {
        DataFolders::new(dir, &path, session.system().caller)?.folder(&package.registry, &package.id, by)
    });
    folder.inspect_err(|error| tracing::warn!(%error, "the server has no folder to keep things in")).ok()
}

fn existing(session: &Session) -> Result<Option<DataFolders>, PipelineError> {
    let Some(home) = session.system().home() else { return Ok(None) };
    let path = home.join(DATA);
    match authority::open_dir(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(StoreError::no_data(&path, cause).into()),
        Ok(dir) => Ok(Some(DataFolders::new(dir, &path, session.system().caller)?)),
    }
}
