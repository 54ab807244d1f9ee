//! Finds the other places at which a folder is mounted.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::path::PathBuf;

/// A part of a file system, and where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The file system's number.
    device: String,
    /// The folder of the file system.
    root: PathBuf,
    /// Where it is.
    point: PathBuf,
}

impl Mount {
    /// Reads the mounts of a process as the kernel lists them (`/proc/self/mountinfo`).
    pub fn all_of(text: &[u8]) -> Vec<Self> {
        let mount = |line: &[u8]| {
            let mut words = line.split(|byte| *byte == b' ').skip(2);
            let device = String::from_utf8_lossy(words.next()?).into_owned();
            Some(Self { device, root: path(words.next()?), point: path(words.next()?) })
        };
        text.split(|byte| *byte == b'\n').filter_map(mount).collect()
    }
}

/// Reads a path in which blanks stand as their numbers.
fn path(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let number = after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match number.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Returns the other paths of what is at `real`, or of what is in it.
pub(super) fn others(real: &Path, mounts: &[Mount]) -> Vec<PathBuf> {
    // Of two at the same place the later one is seen.
    let below = mounts.iter().filter(|mount| real.starts_with(&mount.point));
    let Some(mount) = below.max_by_key(|mount| mount.point.components().count()) else { return Vec::new() };
    let Ok(rest) = real.strip_prefix(&mount.point) else { return Vec::new() };
    let inside = mount.root.join(rest);
    let same = mounts.iter().filter(|other| other.device == mount.device && other.point != mount.point);
    let place = |other: &Mount| match inside.strip_prefix(&other.root) {
        Ok(rest) => Some(other.point.join(rest)),
        Err(_) => other.root.starts_with(&inside).then(|| other.point.clone()),
    };
    same.filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        23 22 0:5 / /proc rw - proc proc rw\n\
        30 22 8:2 /@home /home rw - btrfs /dev/sda2 rw\n\
        31 22 8:2 /@home/u /mnt/my\\040home rw - btrfs /dev/sda2 rw\n\
        32 22 8:2 / /mnt/disk rw - btrfs /dev/sda2 rw\n\
        33 22 8:2 /@home/u/.ssh/sub /srv/sub rw - btrfs /dev/sda2 rw\n\
        34 22 8:2 /@other /srv/other rw - btrfs /dev/sda2 rw\n\
        broken\n";

    #[test]
    fn all_names_of_a_folder_are_found() {
        let mounts = Mount::all_of(MOUNTS);
        assert_eq!(mounts.len(), 7);
        let found = |path: &str| others(Path::new(path), &mounts);
        assert_eq!(
            found("/home/u/.ssh"),
            ["/mnt/my home/.ssh", "/mnt/disk/@home/u/.ssh", "/srv/sub"].map(PathBuf::from)
        );
        assert_eq!(
            found("/home/u/.ssh/key"),
            ["/mnt/my home/.ssh/key", "/mnt/disk/@home/u/.ssh/key"].map(PathBuf::from)
        );
        assert!(found("/etc").is_empty());
        assert!(others(Path::new("/home/u"), &[]).is_empty());
    }
}
