//! The frames' bytes: one allocation, aligned to 4096, of which the operating system gives only what is touched.
//!
//! All `unsafe` of the pool is here and in the four derefs of `guard.rs`, which rest on the frame's latch.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

use base::BLCKSZ;

const ALIGN: usize = 4096;

/// Memory for a fixed number of pages.
pub(super) struct PageMemory {
    /// As the allocator gave it.
    allocation: *mut u8,
    layout: Layout,
    /// The first page.
    base: *mut u8,
    pages: usize,
}

// SAFETY: the pointers are to memory owned by this value; access to a page's bytes is synchronised by the frame's latch,
// which is the contract of `page`.
unsafe impl Send for PageMemory {}
// SAFETY: as for `Send`.
unsafe impl Sync for PageMemory {}

impl PageMemory {
    pub(super) fn new(pages: usize) -> PageMemory {
        // The alignment is made by hand: with a small one the allocator takes `calloc`, which leaves large blocks
        // untouched, so that unused frames cost no memory.
        let layout = Layout::from_size_align(pages * BLCKSZ + ALIGN, 16).expect("the pool is smaller than the memory");
        // SAFETY: the layout's size is not zero.
        let allocation = unsafe { alloc_zeroed(layout) };
        if allocation.is_null() {
            handle_alloc_error(layout);
        }
        let offset = allocation.align_offset(ALIGN);
        // SAFETY: `offset` is less than ALIGN, and the allocation is ALIGN bytes larger than the pages.
        let base = unsafe { allocation.add(offset) };
        PageMemory { allocation, layout, base, pages }
    }
    /// Where a frame's page lies: 8192 initialised bytes, valid as long as this value.
    #[inline]
    pub(super) fn page(&self, frame: u32) -> *mut [u8; BLCKSZ] {
        debug_assert!((frame as usize) < self.pages);
        // SAFETY: frame numbers are below `pages` (they come from the table, the clock or a ring, which only hold such),
        // so the result lies within the allocation.
        unsafe { self.base.add(frame as usize * BLCKSZ).cast() }
    }
    /// Gives the memory back; no page may be used any more.
    ///
    /// # Safety
    /// No pointer from `page` may be dereferenced after or during this call, and it is called once.
    pub(super) unsafe fn release(&self) {
        // SAFETY: allocated with this layout by `new`; the caller promises that this is the last use.
        unsafe { dealloc(self.allocation, self.layout) }
    }
}
