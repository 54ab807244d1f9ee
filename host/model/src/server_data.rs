//! What a server keeps between its runs, as it is listed and removed.

use crate::name::PackageId;
use crate::size::ByteSize;
use crate::text::SafeText;

/// What one server keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerData {
    /// The package.
    pub package: PackageId,
    /// The folder of its registry: the beginning of the digest of the registry's name.
    pub folder: String,
    /// The registry's name; `None` when the file that has it can't be read.
    pub registry: Option<SafeText>,
    /// How much there is of it.
    pub measure: DataMeasure,
    /// Whether a server that runs uses it.
    pub in_use: bool,
}

impl ServerData {
    /// The registry's name, as far as it is known.
    pub fn registry(&self) -> String {
        let unknown = || format!("{}… (its name can't be read)", self.folder);
        self.registry.as_ref().map_or_else(unknown, ToString::to_string)
    }
}

/// How much a server keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataMeasure {
    /// The place that it takes on the disk. A file with two names counts twice.
    pub size: ByteSize,
    /// The number of files, links and other things that are no folders.
    pub files: u64,
    /// The last time something of it was changed, seconds since the Unix epoch.
    pub changed: u64,
    /// Whether there is more than could be read, or than [`limits::DATA_ENTRIES`](crate::limits::DATA_ENTRIES).
    pub is_partial: bool,
}

/// What was removed of that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataRemoval {
    /// What is gone.
    pub removed: Vec<ServerData>,
    /// What stays, although asked for, because a server that runs uses it.
    pub in_use: Vec<ServerData>,
}
