//! A file mapped into memory: the bytes that are checked are those that run.

#![expect(unsafe_code, reason = "memory is mapped, for which there is no safe call")]

use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::Arc;

use nix::sys::mman::MapFlags;
use nix::sys::mman::ProtFlags;
use nix::sys::mman::mmap;
use nix::sys::mman::munmap;

use smcp_policy::CodeImage;
use smcp_policy::MachineCode;

/// The beginning of a file, mapped privately and to be read only.
///
/// A process of the same user that writes to the file meanwhile can change what is here, or end this process by cutting the
/// file short. It could as well read the key; smcp itself replaces files, and never writes into them.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<c_void>, // INVARIANT: the start of `length` mapped bytes, which only `drop` unmaps.
    length: NonZeroUsize,
}

// SAFETY: it is memory that is only read; nothing in it belongs to one thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `length` bytes of a file.
    pub(crate) fn of(file: impl AsFd, length: NonZeroUsize) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_POPULATE;
        #[cfg(not(target_os = "linux"))]
        let flags = MapFlags::MAP_PRIVATE;
        // SAFETY: the system chooses the place, so nothing is mapped over.
        let start = unsafe { mmap(None, length, ProtFlags::PROT_READ, flags, file, 0) }?;
        Ok(Self { start, length })
    }

    /// The bytes.
    pub(crate) const fn bytes(&self) -> &[u8] {
        // SAFETY: so many bytes are mapped there, to be read, as long as `self` lives; see above for who could write.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.length.get()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the place and length of what `of` mapped; nobody has a reference into it any more.
        let unmapped = unsafe { munmap(self.start, self.length.get()) };
        debug_assert!(unmapped.is_ok(), "what was mapped can be unmapped: {unmapped:?}");
    }
}

/// Code in a mapping.
struct CodeMapping {
    mapping: Mapping,
    place: Range<usize>,
}

impl CodeImage for CodeMapping {
    fn bytes(&self) -> &[u8] {
        self.mapping.bytes().get(self.place.clone()).unwrap_or_default()
    }
}

/// Vouches for the code in a mapping that was found to be ours.
///
/// # Safety
/// The bytes at `place`, which begins at a page, must be code that a compiler of `smcp-policy` made.
pub(crate) unsafe fn vouched(mapping: Mapping, place: Range<usize>) -> MachineCode {
    // SAFETY: the caller vouches for the bytes. They stay where they are as long as the image, and begin at a page.
    unsafe { MachineCode::from_image(Arc::new(CodeMapping { mapping, place })) }
}
