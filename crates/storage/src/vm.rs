//! The visibility map: two bits a heap page. (PostgreSQL: `visibilitymap.c`)
use base::{BlockNumber, PgError, RelFileLocator, Result};

use crate::buffer::{BufferPool, PinnedBuffer};
use crate::page::Page;

/// All tuples of the page are visible to every transaction. (PostgreSQL: `VISIBILITYMAP_ALL_VISIBLE`)
pub const ALL_VISIBLE: u8 = 1;
/// All tuples of the page are frozen. (PostgreSQL: `VISIBILITYMAP_ALL_FROZEN`)
pub const ALL_FROZEN: u8 = 2;
/// All bits there are.
pub const VALID_BITS: u8 = 3;

/// The map page that covers a heap page; the map is extended if it is too short. (PostgreSQL: `visibilitymap_pin`)
pub fn pin(pool: &BufferPool, locator: RelFileLocator, heap_block: BlockNumber) -> Result<PinnedBuffer> {
    let _ = (pool, locator, heap_block);
    Err(PgError::unsupported("visibility map"))
}
/// Does this map page cover the heap page? (PostgreSQL: `visibilitymap_pin_ok`)
pub fn covers(buffer: &PinnedBuffer, heap_block: BlockNumber) -> bool {
    let _ = (buffer, heap_block);
    false
}
/// The heap page's bits; `buffer` remembers the map page between calls. 0 where the map is too short.
/// (PostgreSQL: `visibilitymap_get_status`)
pub fn status(
    pool: &BufferPool,
    l: RelFileLocator,
    heap_block: BlockNumber,
    buffer: &mut Option<PinnedBuffer>,
) -> Result<u8> {
    let _ = (pool, l, heap_block, buffer);
    Err(PgError::unsupported("visibility map"))
}
/// The bits of a heap page in a latched map page that covers it.
pub fn bits(page: &Page, heap_block: BlockNumber) -> u8 {
    let _ = (page, heap_block);
    0
}
/// Sets bits in a map page that covers the heap page (from `write(section)`). The caller logs it. Says whether anything
/// changed; ask [`bits`] first to leave the page clean.
pub fn set(page: &mut Page, heap_block: BlockNumber, bits: u8) -> bool {
    let _ = (page, heap_block, bits);
    false
}
/// Clears bits; covered by the WAL record of the heap change. Says whether any was set. (PostgreSQL:
/// `visibilitymap_clear`)
pub fn clear(page: &mut Page, heap_block: BlockNumber, bits: u8) -> bool {
    let _ = (page, heap_block, bits);
    false
}
/// How many pages are all-visible, and all-frozen. (PostgreSQL: `visibilitymap_count`)
pub fn count(pool: &BufferPool, locator: RelFileLocator) -> Result<(u32, u32)> {
    let _ = (pool, locator);
    Err(PgError::unsupported("visibility map"))
}
/// The heap is about to be truncated to `nblocks`: clears bits beyond, and says how many map pages remain (`None`: the
/// map need not be truncated). (PostgreSQL: `visibilitymap_prepare_truncate`)
pub fn prepare_truncate(pool: &BufferPool, locator: RelFileLocator, nblocks: u32) -> Result<Option<u32>> {
    let _ = (pool, locator, nblocks);
    Err(PgError::unsupported("visibility map"))
}
