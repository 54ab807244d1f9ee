//! The errors of the store.
//!
//! Every message about a folder names it, and the option that names another one.

use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::stream::Halted;
use crate::stream::recover;
use smcp_model::deadline::Expired;
use smcp_model::name::PackageId;
use smcp_model::ownership::Untrusted;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A folder can't be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What is to be removed is not there, or its name fits several things.
    #[error(transparent)]
    Target(#[from] RemovalTargetError),
    /// The deadline has passed, or the user has interrupted it.
    #[error(transparent)]
    Halted(#[from] Halted),
}

impl StoreError {
    /// The error for a cache whose folder can't be opened.
    pub fn no_cache(place: &Path, cause: io::Error) -> Self {
        FolderPurpose::Cache.failed(place, "open it")(cause)
    }

    /// The error for the folder with what servers keep when it can't be opened.
    pub fn no_data(place: &Path, cause: io::Error) -> Self {
        FolderPurpose::Data.failed(place, "open it")(cause)
    }

    /// The error for a folder for runs that can't be opened.
    pub fn no_runs(place: &Path, cause: io::Error) -> Self {
        FolderPurpose::Runs.failed(place, "open it")(cause)
    }

    /// Whether a folder can't be written, so that another one is needed.
    pub fn is_read_only(&self) -> bool {
        let read_only = [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied];
        matches!(
            self,
            Self::Folder(FolderError { problem: FolderProblem::Unusable { cause, .. }, .. })
                if read_only.contains(&cause.kind())
        )
    }
}

impl From<Expired> for StoreError {
    fn from(expired: Expired) -> Self {
        Halted::from(expired).into()
    }
}

/// What is to be removed is not there, or its name fits several things.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemovalTargetError {
    /// The cache has no such file or package.
    #[error("the cache has nothing of `{target}`\n  `smcp cache ls` shows what it has")]
    NotCached {
        /// The name, as the user gave it.
        target: String,
    },
    /// More than one digest in the cache begins with the prefix.
    #[error(
        "several digests in the cache begin with `{prefix}`\n  give more digits; `smcp cache ls --json` has them all"
    )]
    AmbiguousPrefix {
        /// The hex digits.
        prefix: String,
    },
    /// The server of the package keeps nothing.
    #[error(
        "the server of `{package}` keeps nothing{}\n  `smcp data ls` shows what servers keep",
        of(.registry.as_ref())
    )]
    NoData {
        /// The package.
        package: PackageId,
        /// The registry, if one was named.
        registry: Option<SafeText>,
    },
    /// Servers of packages with this name keep something, of several registries.
    #[error(
        "`{package}` of several registries keeps something, and nothing was removed\n  name one with --registry: {}",
        .registries.join(", ")
    )]
    SeveralRegistries {
        /// The package.
        package: PackageId,
        /// The registries.
        registries: Vec<String>,
    },
}

impl RemovalTargetError {
    /// The error for a package whose server keeps nothing.
    pub fn no_data(package: &PackageId, of: Option<&Registry>) -> Self {
        let registry = of.map(|registry| SafeText::new(&registry.to_string()));
        Self::NoData { package: package.clone(), registry }
    }
}

fn of(registry: Option<&SafeText>) -> String {
    registry.map(|registry| format!(" that is from {registry}")).unwrap_or_default()
}

/// A folder can't be used.
#[derive(Debug)]
pub struct FolderError {
    /// The path of the folder.
    pub place: PathBuf,
    /// The problem.
    pub problem: FolderProblem,
}

/// A problem with a folder.
#[derive(Debug)]
pub enum FolderProblem {
    /// The system returned an error.
    Unusable {
        /// The purpose of the folder.
        purpose: FolderPurpose,
        /// The operation, for the message.
        doing: &'static str,
        /// The error of the system.
        cause: io::Error,
    },
    /// Another user could change the files that run.
    Exposed(Untrusted),
    /// Another user could change what servers keep.
    ExposedData(Untrusted),
    /// A folder of the cache is a link.
    Link,
    /// A folder that is named as the cache has other contents. The value is the first name that no version of smcp made.
    NotACache(SafeText),
}

impl FolderProblem {
    /// Makes the error about the folder at `place`.
    pub(crate) fn at(self, place: &Path) -> FolderError {
        FolderError { place: place.to_path_buf(), problem: self }
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.display();
        match &self.problem {
            FolderProblem::Unusable { purpose: FolderPurpose::Cache, doing, cause } => {
                write!(f, "the cache at {place} can't be used: can't {doing}\n  {}", way_out(cause, "--cache-dir"))
            }
            FolderProblem::Unusable { purpose: FolderPurpose::Runs, doing, cause } => write!(
                f,
                "the folder for what runs, {place}, can't be used: can't {doing}\n  {}",
                way_out(cause, "`runtime_dir` in the configuration, or --cache-dir")
            ),
            FolderProblem::Unusable { purpose: FolderPurpose::Data, doing, .. } => {
                write!(
                    f,
                    "the folder with what servers keep, {place}, can't be used: can't {doing}\n  check the folder"
                )
            }
            FolderProblem::Exposed(problem) => {
                write!(f, "{place} is not safe for what runs: {problem}\n  {}", remedy(&self.place, *problem))
            }
            FolderProblem::ExposedData(problem) => {
                write!(f, "{place} is not safe for what servers keep: {problem}\n  ")?;
                match problem {
                    Untrusted::Foreign { .. } => write!(f, "make it yours"),
                    Untrusted::OthersWrite { .. } | Untrusted::GroupWrites { .. } => {
                        write!(f, "run: {} {place}", problem.remedy())
                    }
                }
            }
            FolderProblem::Link => {
                write!(f, "{place} is a link, and links are not followed there: put the folder itself in its place")
            }
            FolderProblem::NotACache(found) => write!(
                f,
                "{place} is not a cache of smcp: there is `{found}` in it, and nothing of it was touched\n  \
                 name an empty folder, or one that is not there yet, with --cache-dir or `cache_dir`"
            ),
        }
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            FolderProblem::Unusable { cause, .. } => Some(cause),
            FolderProblem::Exposed(_)
            | FolderProblem::ExposedData(_)
            | FolderProblem::Link
            | FolderProblem::NotACache(_) => None,
        }
    }
}

/// The purpose of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderPurpose {
    /// The cache.
    Cache,
    /// The folder of all runs.
    Runs,
    /// The folder with what servers keep.
    Data,
}

impl FolderPurpose {
    /// Returns a converter of I/O errors while `doing` something with the folder at `place`. A [`StoreError`] inside of
    /// one is returned as it is.
    pub(crate) fn failed(self, place: &Path, doing: &'static str) -> impl Fn(io::Error) -> StoreError + Copy {
        move |error| {
            let unusable = |cause| FolderProblem::Unusable { purpose: self, doing, cause }.at(place).into();
            match error.downcast::<StoreError>() {
                // Where the cache lies can be chosen; where servers keep things can't.
                Ok(StoreError::Folder(FolderError { place, problem: FolderProblem::Exposed(problem) }))
                    if self == Self::Data =>
                {
                    FolderProblem::ExposedData(problem).at(&place).into()
                }
                Ok(error) => error,
                Err(error) => recover(error, unusable),
            }
        }
    }
}

/// The advice for a folder that can't be used; `other` is the option that names another one.
fn way_out(cause: &io::Error, other: &str) -> String {
    if matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        format!("free some space there, or name another folder with {other}")
    } else if matches!(cause.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE)) {
        // Another folder does not help.
        "raise how many files may be open (`ulimit -n`)".to_owned()
    } else {
        format!("check the folder, or name another with {other}")
    }
}

/// The advice for a folder that other users could change.
fn remedy(place: &Path, problem: Untrusted) -> String {
    /// The sticky bit, which folders for all users have. Their mode is right, so no `chmod` is advised.
    const STICKY: u32 = 0o1000;
    let another = "name another with --cache-dir, or `runtime_dir` in the configuration";
    match problem {
        Untrusted::Foreign { .. } => format!("make it yours, or {another}"),
        Untrusted::OthersWrite { mode } if mode & STICKY != 0 => {
            format!("a folder of your own in it would do: {another}")
        }
        Untrusted::OthersWrite { .. } | Untrusted::GroupWrites { .. } => {
            format!("run: {} {}; or {another}", problem.remedy(), place.display())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_fits_the_reason() {
        for (reason, says) in [
            (Errno::ENOSPC, "free some space there, or name another folder with --cache-dir"),
            (Errno::EMFILE, "raise how many files may be open (`ulimit -n`)"),
            (Errno::EROFS, "check the folder, or name another with --cache-dir"),
        ] {
            assert_eq!(way_out(&reason.into(), "--cache-dir"), says, "{reason}");
        }
    }
}
