//! Why the cache, or the folder for what runs, can't be used.
//!
//! Every message names the folder, and how another one is named.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use nix::errno::Errno;

use smcp_model::ownership::Untrusted;
use smcp_model::text::SafeText;

/// A folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The cache can't be used.
    #[error("the cache at {} can't be used: can't {doing}\n  {}", place.display(), way_out(cause, "--cache-dir"))]
    Cache {
        /// Where it is.
        place: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
    /// The folder for what runs can't be used.
    #[error(
        "the folder for what runs, {}, can't be used: can't {doing}\n  {}",
        place.display(),
        way_out(cause, "`runtime_dir` in the configuration, or --cache-dir")
    )]
    Runs {
        /// Where it is.
        place: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
    /// Somebody else could change what runs.
    #[error("{} is not safe for what runs: {problem}\n  {}", place.display(), mended(place, *problem))]
    Exposed {
        /// The folder.
        place: PathBuf,
        /// In what way.
        problem: Untrusted,
    },
    /// A folder of the cache is a link.
    #[error("{} is a link, and links are not followed there: put the folder itself in its place", place.display())]
    Link {
        /// Where it is.
        place: PathBuf,
    },
    /// A folder that is named as the cache has something else in it.
    #[error(
        "{} is not a cache of smcp: there is `{found}` in it, and nothing of it was touched\n  \
         name an empty folder, or one that is not there yet, with --cache-dir or `cache_dir`",
        place.display()
    )]
    NotACache {
        /// The folder.
        place: PathBuf,
        /// What no version of smcp put there.
        found: SafeText,
    },
}

impl CacheError {
    /// Whether the folder can be read and not be written.
    pub(crate) fn is_read_only(&self) -> bool {
        let read_only = [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied];
        match self {
            Self::Cache { cause, .. } | Self::Runs { cause, .. } => read_only.contains(&cause.kind()),
            Self::Exposed { .. } | Self::Link { .. } | Self::NotACache { .. } => false,
        }
    }
}

/// What helps when a folder can't be used; `other` is how another one is named.
fn way_out(cause: &io::Error, other: &str) -> String {
    if matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        format!("free some space there, or name another folder with {other}")
    } else if matches!(cause.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE)) {
        // Another folder would change nothing.
        "raise how many files may be open (`ulimit -n`)".to_owned()
    } else {
        format!("check the folder, or name another with {other}")
    }
}

/// What helps when others could change a folder.
fn mended(place: &Path, problem: Untrusted) -> String {
    /// Of a folder that everybody is meant to use: there is nothing to mend.
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
