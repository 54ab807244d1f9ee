//! The allocator of a component.
//!
//! It may be simple, because an instance lives for one call.
//!
//! Rust's own allocator is a fifth of the code of a small policy. This one gives out blocks whose sizes are powers of
//! two, keeps freed blocks in one list per size, and cuts new ones from what the program's first pages have left behind
//! its data; only then it asks the host for pages, which costs more than many a policy. Blocks above a page are whole pages. Blocks are never joined, so a policy that fills its memory with many sizes in turn can use half of
//! it.

#![expect(unsafe_code, reason = "memory that nobody owns yet has only addresses")]

use std::alloc::Layout;
use std::ptr;

/// The smallest block, bytes: it has room for the link of a list, and is aligned for every type.
const SMALLEST: usize = 16;

/// A page of WebAssembly, bytes.
const PAGE: usize = 64 * 1024;

/// The source of memory: it is asked for a number of pages, and returns the address of the first.
type Grow = fn(usize) -> Option<*mut u8>;

/// The memory that is there from the beginning and that nobody else uses: its address, and its size in bytes.
type Begin = fn() -> (*mut u8, usize);

/// Freed blocks, and the unused rest of the last pages.
pub(crate) struct Heap {
    grow: Grow,
    /// Asked once.
    begin: Option<Begin>,
    /// The first free block of each size, by its power of two; each block begins with the address of the next.
    free: [*mut u8; usize::BITS as usize],
    next: *mut u8,
    /// Bytes from `next` to the end of the pages.
    left: usize,
}

impl Heap {
    pub(crate) const fn new(grow: Grow, begin: Begin) -> Self {
        let free = [ptr::null_mut(); usize::BITS as usize];
        Self { grow, begin: Some(begin), free, next: ptr::null_mut(), left: 0 }
    }

    /// Returns a block for a layout; null when there is no more memory.
    pub(crate) fn allocate(&mut self, layout: Layout) -> *mut u8 {
        let Some(size) = block(layout.size()) else { return ptr::null_mut() };
        let Some(power) = size.checked_next_power_of_two() else { return ptr::null_mut() };
        if layout.align() > SMALLEST {
            return self.aligned(size, layout.align());
        }
        // Every block of this list has at least the next power of two.
        let list = self.free.get_mut(power.trailing_zeros() as usize);
        if let Some(list) = list.filter(|list| !list.is_null()) {
            let first = *list;
            // SAFETY: a block in a list is free, has room for an address, and begins with that of the next.
            *list = unsafe { first.cast::<*mut u8>().read() };
            return first;
        }
        self.cut(size)
    }

    /// Aligns above 16 bytes, which no type of Rust's own needs. The bytes that it skips are lost.
    fn aligned(&mut self, size: usize, align: usize) -> *mut u8 {
        let Some(with_room) = size.checked_add(align) else { return ptr::null_mut() };
        let block = self.cut(with_room);
        // An alignment is a power of two.
        let skipped = block.addr().wrapping_neg() & align.wrapping_sub(1);
        if block.is_null() { block } else { block.wrapping_add(skipped) }
    }

    /// A new block from the end of the pages.
    fn cut(&mut self, size: usize) -> *mut u8 {
        if let Some(begin) = self.begin.take() {
            let (first, bytes) = begin();
            // Blocks are at multiples of 16.
            let skipped = (first.addr().wrapping_neg() % SMALLEST).min(bytes);
            (self.next, self.left) = (first.wrapping_add(skipped), bytes - skipped);
        }
        if size > self.left {
            let pages = (size - self.left).div_ceil(PAGE);
            let Some(first) = (self.grow)(pages) else { return ptr::null_mut() };
            if first == self.next.wrapping_add(self.left) {
                self.left += pages * PAGE;
            } else {
                // The new pages don't follow the last ones, so the rest of those is lost, and they may be too few
                // alone.
                let whole = size.div_ceil(PAGE);
                let first = if pages < whole { (self.grow)(whole) } else { Some(first) };
                let Some(first) = first else { return ptr::null_mut() };
                (self.next, self.left) = (first, whole * PAGE);
            }
        }
        let block = self.next;
        (self.next, self.left) = (block.wrapping_add(size), self.left - size);
        block
    }

    /// Frees a block.
    ///
    /// # Safety
    /// `allocate` or `reallocate` returned it for this layout, and it is no longer in use.
    pub(crate) unsafe fn free(&mut self, first: *mut u8, layout: Layout) {
        let Some(size) = block(layout.size()).filter(|_| layout.align() <= SMALLEST) else { return };
        if first.wrapping_add(size) == self.next {
            (self.next, self.left) = (first, self.left + size);
            return;
        }
        let Some(list) = self.free.get_mut((usize::BITS - 1).wrapping_sub(size.leading_zeros()) as usize) else {
            return;
        };
        // SAFETY: the block is the caller's, and has at least 16 bytes at a multiple of 16.
        unsafe { first.cast::<*mut u8>().write(*list) };
        *list = first;
    }

    /// Moves the bytes into a block of another size.
    ///
    /// # Safety
    /// As for [`free`](Self::free).
    pub(crate) unsafe fn reallocate(&mut self, first: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (Some(old), Some(new)) = (block(layout.size()), block(size)) else { return ptr::null_mut() };
        let is_simple = layout.align() <= SMALLEST;
        if old == new && is_simple {
            return first;
        }
        if is_simple && new > old && first.wrapping_add(old) == self.next {
            // The last block grows where it is, unless the pages that it needs lie elsewhere.
            let rest = self.cut(new - old);
            if rest == first.wrapping_add(old) {
                return first;
            }
            if rest.is_null() {
                return rest;
            }
        }
        let Ok(layout_of_new) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
        let to = self.allocate(layout_of_new);
        if !to.is_null() {
            // SAFETY: both blocks have at least this many bytes, and a new block never overlaps one that is in use.
            unsafe {
                ptr::copy_nonoverlapping(first, to, layout.size().min(size));
                self.free(first, layout);
            }
        }
        to
    }
}

/// Returns the size of the block for this many bytes: a power of two, or whole pages above a page.
fn block(size: usize) -> Option<usize> {
    if size > PAGE { size.checked_next_multiple_of(PAGE) } else { size.max(SMALLEST).checked_next_power_of_two() }
}

#[cfg(target_arch = "wasm32")]
mod global {
    //! The heap of this instance.

    use std::alloc::GlobalAlloc;
    use std::alloc::Layout;
    use std::arch::wasm32;
    use std::cell::UnsafeCell;
    use std::ptr;

    use crate::heap::Heap;
    use crate::heap::PAGE;

    struct Global(UnsafeCell<Heap>);

    #[global_allocator]
    static HEAP: Global = Global(UnsafeCell::new(Heap::new(grow, begin)));

    unsafe extern "C" {
        /// The first byte behind the data and the stack of the program: the linker puts it there.
        static __heap_base: u8;
    }

    // SAFETY: this target has one thread, and a heap calls nothing that allocates.
    unsafe impl Sync for Global {}

    fn grow(pages: usize) -> Option<*mut u8> {
        let before = wasm32::memory_grow::<0>(pages);
        (before != usize::MAX).then(|| ptr::without_provenance_mut(before * PAGE))
    }

    fn begin() -> (*mut u8, usize) {
        let first = (&raw const __heap_base).cast_mut();
        (first, (wasm32::memory_size::<0>() * PAGE).saturating_sub(first.addr()))
    }

    // SAFETY: the callers promise what the heap requires; blocks are aligned, and never given out twice at a time.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: there is one thread, and no call of the heap is inside another.
            unsafe { (*self.0.get()).allocate(layout) }
        }

        unsafe fn dealloc(&self, first: *mut u8, layout: Layout) {
            // SAFETY: as above, and as the caller promises.
            unsafe { (*self.0.get()).free(first, layout) }
        }

        unsafe fn realloc(&self, first: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: as above.
            unsafe { (*self.0.get()).reallocate(first, layout, size) }
        }
    }
}

#[cfg(test)]
mod tests;
