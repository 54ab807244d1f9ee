//! What a call points to: in the memory of its thread, and in its folders.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::IoSliceMut;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::libc;
use nix::sys::uio::RemoteIoVec;
use nix::sys::uio::process_vm_readv;
use nix::unistd::Pid;

use crate::grants::FileView;

/// The longest path that a call can have, bytes, with the zero at its end.
const LONGEST: usize = 4096;
/// What the kernel reads in one piece.
const PAGE: usize = 4096;

/// A thread that waits in a call.
#[derive(Debug)]
pub(super) struct Tracee {
    thread: Pid,
    pub(super) view: FileView,
    unseen: Cell<bool>,
}

impl Tracee {
    pub(super) const fn new(thread: Pid, view: FileView) -> Self {
        Self { thread, view, unseen: Cell::new(false) }
    }

    /// Whether smcp was not let look at it: a process can forbid that, and a setting of Yama's can.
    pub(super) const fn is_unseen(&self) -> bool {
        self.unseen.get()
    }

    /// Reads so many bytes.
    pub(super) fn bytes(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let remote = [RemoteIoVec { base: usize::try_from(address).ok()?, len: length }];
        let read = process_vm_readv(self.thread, &mut [IoSliceMut::new(&mut bytes)], &remote);
        self.unseen.set(self.unseen.get() || read == Err(Errno::EPERM));
        (read == Ok(length)).then_some(bytes)
    }

    /// Reads a number of eight bytes.
    pub(super) fn number(&self, address: u64) -> Option<u64> {
        Some(u64::from_ne_bytes(self.bytes(address, size_of::<u64>())?.try_into().ok()?))
    }

    /// Reads a text up to the zero at its end. The page behind it may not be there.
    fn text(&self, address: u64) -> Option<PathBuf> {
        let mut text = Vec::new();
        let mut next = address;
        while text.len() < LONGEST {
            let in_page = usize::try_from(next).ok()? % PAGE;
            let part = self.bytes(next, PAGE - in_page)?;
            if let Some(end) = part.iter().position(|byte| *byte == 0) {
                text.extend(part.into_iter().take(end));
                return Some(PathBuf::from(OsString::from_vec(text)));
            }
            next = next.checked_add(u64::try_from(part.len()).ok()?)?;
            text.extend(part);
        }
        None
    }

    /// An absolute path of the thread's, as smcp would name it: the thread can have another root, and what it has open has
    /// the same name in each process.
    fn named_here(&self, own: &Path, text: PathBuf) -> PathBuf {
        let root = (self.view.target)(&own.join("root")).filter(|root| root != Path::new("/"));
        if let (Some(root), Ok(below)) = (root, text.strip_prefix("/")) {
            return root.join(below);
        }
        let names =
            [("/proc/self", own.to_path_buf()), ("/proc/thread-self", own.to_path_buf()), ("/dev/fd", own.join("fd"))];
        let named = names.into_iter().find_map(|(name, its)| Some(its.join(text.strip_prefix(name).ok()?)));
        named.unwrap_or(text)
    }

    /// The absolute path that a call means: by its text, beginning at a folder that the thread has open, or where it is.
    pub(super) fn path(&self, folder: Option<u64>, address: u64) -> Option<PathBuf> {
        let text = self.text(address)?;
        let own = Path::new("/proc").join(self.thread.to_string());
        if text.is_absolute() {
            return Some(self.named_here(&own, text));
        }
        // The kernel looks at the lower half.
        let folder = folder.map(|folder| u32::try_from(folder & 0xffff_ffff).map(u32::cast_signed));
        let place = match folder {
            None | Some(Ok(libc::AT_FDCWD)) => own.join("cwd"),
            Some(Ok(number)) => own.join("fd").join(number.to_string()),
            Some(Err(_)) => return None,
        };
        let place = (self.view.target)(&place).filter(|place| place.is_absolute())?;
        Some(if text.as_os_str().is_empty() { place } else { place.join(text) })
    }
}
