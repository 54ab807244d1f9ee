//! Blocks are aligned, keep their bytes, and never lie over one another.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;

/// The memory of a test, bytes: what a policy has.
const MEMORY: usize = 32 << 20;

thread_local! {
    /// Of this test: its memory, the pages that were handed out, and how often they have gaps.
    static PAGES: Cell<(*mut u8, usize)> = const { Cell::new((ptr::null_mut(), 0)) };
    static GAPS: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Where the heap begins, bytes from the start of the memory; the pages up to there are the program's.
    static BEGIN: Cell<usize> = const { Cell::new(0) };
}

/// As `memory.grow`: one page after another, until there are no more. A gap is what another user of it would leave.
fn grow(pages: usize) -> Option<*mut u8> {
    let (memory, used) = PAGES.get();
    let used = if GAPS.get() < used { used + 1 } else { used };
    let end = pages.checked_add(used)?;
    (end * PAGE <= MEMORY).then(|| {
        PAGES.set((memory, end));
        memory.wrapping_add(used * PAGE)
    })
}

fn begin() -> (*mut u8, usize) {
    let (memory, used) = PAGES.get();
    (memory.wrapping_add(BEGIN.get()), used * PAGE - BEGIN.get())
}

/// Calls a test with a heap of its own.
fn with_heap<T>(gaps_after: usize, test: impl FnOnce(&mut Heap) -> T) -> T {
    with_heap_behind(0, gaps_after, test)
}

/// Calls a test with a heap behind so many bytes of data.
fn with_heap_behind<T>(data: usize, gaps_after: usize, test: impl FnOnce(&mut Heap) -> T) -> T {
    let layout = Layout::from_size_align(MEMORY, PAGE).unwrap();
    // SAFETY: the layout has a size.
    let memory = unsafe { std::alloc::alloc(layout) };
    PAGES.set((memory, data.div_ceil(PAGE)));
    BEGIN.set(data);
    GAPS.set(gaps_after);
    let result = test(&mut Heap::new(grow, begin));
    // SAFETY: it came from there, and the heap is gone.
    unsafe { std::alloc::dealloc(memory, layout) };
    result
}

fn pages() -> usize {
    PAGES.get().1
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).unwrap()
}

#[test]
fn many_short_lives_in_any_order_take_little_memory() {
    with_heap(usize::MAX, |heap| {
        for round in 0..100_000_usize {
            let (one, two) = (heap.allocate(layout(20 + round % 7)), heap.allocate(layout(100)));
            // SAFETY: both are used by nobody else.
            unsafe {
                heap.free(one, layout(20 + round % 7));
                heap.free(two, layout(100));
            }
        }
        assert_eq!(pages(), 1);
    });
}

/// A policy that needs no more than that asks the host for nothing.
#[test]
fn what_the_data_has_left_of_its_pages_comes_first() {
    for data in [1, 3_425, PAGE - 16, PAGE - 1, PAGE, PAGE + 1, 17 * PAGE + 100] {
        with_heap_behind(data, usize::MAX, |heap| {
            let (memory, used) = PAGES.get();
            let begin = data.next_multiple_of(SMALLEST);
            let left = used * PAGE - begin;
            for block in 0..left / SMALLEST {
                assert_eq!(heap.allocate(layout(1)), memory.wrapping_add(begin + block * SMALLEST), "behind {data}");
            }
            assert_eq!(pages(), used);
            assert_eq!(heap.allocate(layout(1)), memory.wrapping_add(used * PAGE));
            assert_eq!(pages(), used + 1);
        });
    }
}

#[test]
fn a_growing_list_grows_where_it_is() {
    with_heap(usize::MAX, |heap| {
        let mut size = 64;
        let first = heap.allocate(layout(size));
        while size < MEMORY / 2 {
            // SAFETY: it is the one block, of this size.
            assert_eq!(unsafe { heap.reallocate(first, layout(size), size * 2) }, first);
            size *= 2;
        }
        assert_eq!(pages(), MEMORY / 2 / PAGE);
    });
}

#[test]
fn a_large_text_takes_its_own_size_and_not_the_next_power_of_two() {
    with_heap(usize::MAX, |heap| {
        assert!(!heap.allocate(layout(20 << 20)).is_null());
        assert_eq!(pages(), (20 << 20) / PAGE);
    });
}

#[test]
fn what_is_too_much_gets_no_block() {
    with_heap(usize::MAX, |heap| {
        assert!(heap.allocate(layout(MEMORY + 1)).is_null());
        assert!(heap.allocate(layout(isize::MAX as usize - 7)).is_null());
        let block = heap.allocate(layout(MEMORY));
        assert!(!block.is_null() && heap.allocate(layout(1)).is_null());
        // SAFETY: it is the block of this size.
        assert!(unsafe { heap.reallocate(block, layout(MEMORY), MEMORY * 2) }.is_null());
    });
}

#[derive(Debug, Clone)]
enum Step {
    Allocate(usize, usize),
    Free(prop::sample::Index),
    Reallocate(prop::sample::Index, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = || prop_oneof![8 => 1_usize..300, 2 => 1_usize..70_000, 1 => 1_usize..150_000];
    let align = prop_oneof![9 => Just(8_usize), 1 => prop::sample::select(vec![1, 16, 32, 4096])];
    let step = prop_oneof![
        3 => (size(), align).prop_map(|(size, align)| Step::Allocate(size, align)),
        2 => any::<prop::sample::Index>().prop_map(Step::Free),
        2 => (any::<prop::sample::Index>(), size()).prop_map(|(index, size)| Step::Reallocate(index, size)),
    ];
    prop::collection::vec(step, 1..80)
}

/// A block with the one byte that fills it.
struct Filled {
    first: *mut u8,
    layout: Layout,
    byte: u8,
}

impl Filled {
    fn new(first: *mut u8, layout: Layout, byte: u8) -> Self {
        assert!(!first.is_null() && first.align_offset(layout.align()) == 0);
        // SAFETY: the heap gave so many bytes.
        unsafe { first.write_bytes(byte, layout.size()) };
        Self { first, layout, byte }
    }

    fn is_whole(&self, size: usize) -> bool {
        // SAFETY: it was filled.
        unsafe { std::slice::from_raw_parts(self.first, size) }.iter().all(|byte| *byte == self.byte)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nobody_writes_into_the_block_of_another(steps in steps(), gaps_after in 0_usize..300, data in 0..2 * PAGE) {
        with_heap_behind(data, gaps_after, |heap| {
            let mut blocks: Vec<Filled> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Allocate(size, align) => {
                        let layout = Layout::from_size_align(size, align).unwrap();
                        blocks.push(Filled::new(heap.allocate(layout), layout, number as u8));
                    }
                    Step::Free(index) if !blocks.is_empty() => {
                        let block = blocks.swap_remove(index.index(blocks.len()));
                        assert!(block.is_whole(block.layout.size()));
                        let Filled { first, layout, .. } = block;
                        // SAFETY: it left the list.
                        unsafe { heap.free(first, layout) };
                    }
                    Step::Reallocate(index, size) if !blocks.is_empty() => {
                        let old = blocks.swap_remove(index.index(blocks.len()));
                        assert!(old.is_whole(old.layout.size()));
                        // SAFETY: it left the list.
                        let first = unsafe { heap.reallocate(old.first, old.layout, size) };
                        let layout = Layout::from_size_align(size, old.layout.align()).unwrap();
                        let moved = Filled { first, layout, byte: old.byte };
                        assert!(moved.is_whole(size.min(old.layout.size())), "the bytes moved along");
                        blocks.push(Filled::new(first, layout, number as u8));
                    }
                    Step::Free(_) | Step::Reallocate(..) => {}
                }
            }
            assert!(blocks.iter().all(|block| block.is_whole(block.layout.size())));
        });
    }
}
