//! The free-space map: a tree of maxima over one byte a heap page. (PostgreSQL: `freespace.c`, `fsmpage.c`)
use base::{BlockNumber, PgError, RelFileLocator, Result};

use crate::buffer::BufferPool;

/// A page with at least `needed` bytes free, if the map knows one. (PostgreSQL: `GetPageWithFreeSpace`)
pub fn search(pool: &BufferPool, locator: RelFileLocator, needed: usize) -> Result<Option<BlockNumber>> {
    let _ = (pool, locator, needed);
    Err(PgError::unsupported("free space map"))
}
/// The map was wrong about `old` (it has `old_free` bytes): records that and searches again.
/// (PostgreSQL: `RecordAndGetPageWithFreeSpace`)
pub fn record_and_search(
    pool: &BufferPool,
    locator: RelFileLocator,
    old: BlockNumber,
    old_free: usize,
    needed: usize,
) -> Result<Option<BlockNumber>> {
    let _ = (pool, locator, old, old_free, needed);
    Err(PgError::unsupported("free space map"))
}
/// Records how many bytes a heap page has free. (PostgreSQL: `RecordPageWithFreeSpace`)
pub fn record(pool: &BufferPool, locator: RelFileLocator, block: BlockNumber, free: usize) -> Result<()> {
    let _ = (pool, locator, block, free);
    Err(PgError::unsupported("free space map"))
}
/// What the map says about a page. (PostgreSQL: `GetRecordedFreeSpace`)
pub fn recorded(pool: &BufferPool, locator: RelFileLocator, block: BlockNumber) -> Result<usize> {
    let _ = (pool, locator, block);
    Err(PgError::unsupported("free space map"))
}
/// Brings the upper levels up to date for heap pages `start..end`. (PostgreSQL: `FreeSpaceMapVacuumRange`)
pub fn vacuum(pool: &BufferPool, l: RelFileLocator, start: BlockNumber, end: BlockNumber) -> Result<()> {
    let _ = (pool, l, start, end);
    Err(PgError::unsupported("free space map"))
}
/// The heap is about to be truncated to `nblocks`: clears what lies beyond, and says how many pages of the map remain
/// (`None`: the map need not be truncated). (PostgreSQL: `FreeSpaceMapPrepareTruncateRel`)
pub fn prepare_truncate(pool: &BufferPool, locator: RelFileLocator, nblocks: u32) -> Result<Option<u32>> {
    let _ = (pool, locator, nblocks);
    Err(PgError::unsupported("free space map"))
}
/// For indexes: the map holds wholly free pages. (PostgreSQL: `GetFreeIndexPage`)
pub fn take_free_index_page(pool: &BufferPool, locator: RelFileLocator) -> Result<Option<BlockNumber>> {
    let _ = (pool, locator);
    Err(PgError::unsupported("free space map"))
}
/// (PostgreSQL: `RecordFreeIndexPage`)
pub fn record_free_index_page(pool: &BufferPool, locator: RelFileLocator, block: BlockNumber) -> Result<()> {
    let _ = (pool, locator, block);
    Err(PgError::unsupported("free space map"))
}
