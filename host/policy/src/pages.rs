//! Makes the code of an image executable where it lies.
//!
//! The runtime does that itself for memory that it has mapped; for memory of a store it asks.

#![expect(unsafe_code, reason = "the protection of memory is changed, for which there is no safe call")]

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use nix::sys::mman::ProtFlags;
use nix::sys::mman::mprotect;
use wasmtime::Config;
use wasmtime::CustomCodeMemory;

/// Whether code can be run where it lies. Elsewhere caches of instructions have to be told of new code, which the runtime
/// does for its own memory alone; there the code is copied.
pub(crate) const RUN_IN_PLACE: bool = cfg!(target_arch = "x86_64");

/// Lets an engine run code that lies in an image.
pub(crate) fn run_in_place(config: &mut Config) {
    if RUN_IN_PLACE {
        config.with_custom_code_memory(Some(Arc::new(Pages)));
    }
}

struct Pages;

impl CustomCodeMemory for Pages {
    fn required_alignment(&self) -> usize {
        page_size()
    }

    fn publish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
        let start = NonNull::new(start.cast_mut().cast::<c_void>())
            .ok_or_else(|| wasmtime::Error::msg("there is no code to run"))?;
        // SAFETY: the runtime owns the pages, or they are those of an image, which nothing writes to. What stands in the
        // last of them behind the code is of the same image, or nothing.
        unsafe { mprotect(start, length, ProtFlags::PROT_READ | ProtFlags::PROT_EXEC) }
            .map_err(|error| wasmtime::Error::from(std::io::Error::from(error)))
    }

    /// Nothing to do: this is called only when the code is dropped, and its memory is unmapped then.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// Asks for the first pages of this thread's heap, all of which the code of the built-in policies takes when it is loaded. In
/// one call they take two thirds of the time of as many faults.
///
/// The C library gives each thread a heap of its own with its first allocation, 132 KiB in one piece. Where that is
/// otherwise, or the system does not know the call (before Linux 5.14), nothing is changed, or memory of this process that
/// is there anyway is filled.
pub(crate) fn ask_for_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const HEAP: usize = 32 * 4096;
        let first = std::hint::black_box(Box::new(0_u64));
        let at = NonNull::from(&*first).cast::<c_void>();
        let Some(page) = NonNull::new(at.as_ptr().map_addr(|at| at & !page_size().saturating_sub(1))) else { return };
        // SAFETY: the call changes no byte of memory that is there, and fails where none is.
        let _ = unsafe { nix::sys::mman::madvise(page, HEAP, nix::sys::mman::MmapAdvise::MADV_POPULATE_WRITE) };
    }
}

/// The size of a page, bytes.
fn page_size() -> usize {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}
