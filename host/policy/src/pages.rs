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

/// The size of a page, bytes.
fn page_size() -> usize {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}
