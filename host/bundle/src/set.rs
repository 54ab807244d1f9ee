//! Packs the files of a policy set into an archive.
//!
//! [`read_set`](crate::read_set) reads them back. The bytes depend on the names and contents of the files alone: entries are sorted and have no times, owners or local
//! modes, so that the same files give the same digest everywhere.

use std::collections::BTreeMap;
use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::Builder;
use tar::EntryType;

use crate::pack::header;

/// Returns the archive of a set with these files, by their paths in it.
///
/// # Errors
/// When a name can't be that of an entry, such as one that is too long.
pub fn pack_set(files: &BTreeMap<String, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, contents) in files {
        let size = u64::try_from(contents.len()).unwrap_or(u64::MAX);
        archive.append_data(&mut header(EntryType::Regular, 0o644, size), path, contents.as_slice())?;
    }
    archive.into_inner()?.finish()
}
