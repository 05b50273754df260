//! The visibility map: two bits a heap page. (PostgreSQL: `visibilitymap.c`)
//!
//! A map page has a header and then bits only. A bit is set under the heap page's and the map page's latch, logged by the
//! heap; it is cleared under the heap page's latch, which the heap change's record covers. So whoever sees a bit set
//! while no change was made in between may trust it.

use base::{BLCKSZ, BlockNumber, ForkNumber, RelFileLocator, Result};

use crate::buffer::{BufferPool, BufferTag, PinnedBuffer, ReadMode};
use crate::critical::critical;
use crate::page::{HEADER_SIZE, Page};

/// All tuples of the page are visible to every transaction. (PostgreSQL: `VISIBILITYMAP_ALL_VISIBLE`)
pub const ALL_VISIBLE: u8 = 1;
/// All tuples of the page are frozen. (PostgreSQL: `VISIBILITYMAP_ALL_FROZEN`)
pub const ALL_FROZEN: u8 = 2;
/// All bits there are.
pub const VALID_BITS: u8 = 3;

const PER_BYTE: u32 = 4;
/// Heap pages that a map page covers.
pub const HEAP_BLOCKS_PER_PAGE: u32 = (BLCKSZ - HEADER_SIZE) as u32 * PER_BYTE;

/// The map page that covers a heap page.
pub fn map_block(heap_block: BlockNumber) -> BlockNumber {
    BlockNumber(heap_block.0 / HEAP_BLOCKS_PER_PAGE)
}
fn place(heap_block: BlockNumber) -> (usize, u32) {
    let n = heap_block.0 % HEAP_BLOCKS_PER_PAGE;
    (HEADER_SIZE + (n / PER_BYTE) as usize, n % PER_BYTE * 2)
}

/// The map page that covers a heap page; the map is extended if it is too short. (PostgreSQL: `visibilitymap_pin`)
pub fn pin(pool: &BufferPool, locator: RelFileLocator, heap_block: BlockNumber) -> Result<PinnedBuffer> {
    let block = map_block(heap_block);
    if pool.smgr().nblocks_or_zero(locator, ForkNumber::Vm)? <= block.0 {
        if !pool.smgr().exists(locator, ForkNumber::Vm)? {
            pool.smgr().create(locator, ForkNumber::Vm, true)?;
        }
        pool.extend_to(locator, ForkNumber::Vm, block.0 + 1)?;
    }
    read(pool, locator, block)
}
fn read(pool: &BufferPool, locator: RelFileLocator, block: BlockNumber) -> Result<PinnedBuffer> {
    // Damaged bits become zeroes, which only cost time.
    let buffer = pool.pin(BufferTag::new(locator, ForkNumber::Vm, block), ReadMode::ZeroOnError, None)?;
    if buffer.shared().is_new() {
        let mut page = buffer.exclusive();
        if page.is_new() {
            page.hint_write().init(0);
        }
    }
    Ok(buffer)
}
/// Does this map page cover the heap page? (PostgreSQL: `visibilitymap_pin_ok`)
pub fn covers(buffer: &PinnedBuffer, heap_block: BlockNumber) -> bool {
    buffer.block() == map_block(heap_block)
}
/// The heap page's bits; `buffer` remembers the map page between calls. 0 where the map is too short.
/// (PostgreSQL: `visibilitymap_get_status`)
pub fn status(
    pool: &BufferPool,
    l: RelFileLocator,
    heap_block: BlockNumber,
    buffer: &mut Option<PinnedBuffer>,
) -> Result<u8> {
    if !buffer.as_ref().is_some_and(|b| covers(b, heap_block)) {
        *buffer = None;
        let block = map_block(heap_block);
        if pool.smgr().nblocks_or_zero(l, ForkNumber::Vm)? <= block.0 {
            return Ok(0);
        }
        *buffer = Some(read(pool, l, block)?);
    }
    Ok(buffer.as_ref().map_or(0, |b| bits(&b.shared(), heap_block)))
}
/// The bits of a heap page in a latched map page that covers it.
pub fn bits(page: &Page, heap_block: BlockNumber) -> u8 {
    let (byte, shift) = place(heap_block);
    page.bytes()[byte] >> shift & VALID_BITS
}
/// Sets bits in a map page that covers the heap page (from `write(section)`). The caller logs it. Says whether anything
/// changed; ask [`bits`] first to leave the page clean.
pub fn set(page: &mut Page, heap_block: BlockNumber, new: u8) -> bool {
    let (byte, shift) = place(heap_block);
    let old = page.bytes()[byte];
    page.bytes_mut()[byte] = old | (new & VALID_BITS) << shift;
    page.bytes()[byte] != old
}
/// Clears bits; covered by the WAL record of the heap change. Says whether any was set. (PostgreSQL:
/// `visibilitymap_clear`)
pub fn clear(page: &mut Page, heap_block: BlockNumber, gone: u8) -> bool {
    let (byte, shift) = place(heap_block);
    let old = page.bytes()[byte];
    page.bytes_mut()[byte] = old & !((gone & VALID_BITS) << shift);
    page.bytes()[byte] != old
}
/// How many pages are all-visible, and all-frozen. (PostgreSQL: `visibilitymap_count`)
pub fn count(pool: &BufferPool, locator: RelFileLocator) -> Result<(u32, u32)> {
    let (mut visible, mut frozen) = (0, 0);
    for block in 0..pool.smgr().nblocks_or_zero(locator, ForkNumber::Vm)? {
        let buffer = read(pool, locator, BlockNumber(block))?;
        let page = buffer.shared();
        for chunk in page.bytes()[HEADER_SIZE..].as_chunks::<8>().0 {
            let word = u64::from_le_bytes(*chunk);
            visible += (word & 0x5555_5555_5555_5555).count_ones();
            frozen += (word & 0xAAAA_AAAA_AAAA_AAAA).count_ones();
        }
    }
    Ok((visible, frozen))
}
/// The heap is about to be truncated to `nblocks`: clears bits beyond, and says how many map pages remain (`None`: the
/// map need not be truncated). The truncation's record covers this. (PostgreSQL: `visibilitymap_prepare_truncate`)
pub fn prepare_truncate(pool: &BufferPool, locator: RelFileLocator, nblocks: u32) -> Result<Option<u32>> {
    let size = pool.smgr().nblocks_or_zero(locator, ForkNumber::Vm)?;
    let first = BlockNumber(nblocks);
    let block = map_block(first);
    if nblocks.is_multiple_of(HEAP_BLOCKS_PER_PAGE) {
        return Ok((size > block.0).then_some(block.0));
    }
    if size <= block.0 {
        return Ok(None);
    }
    let buffer = read(pool, locator, block)?;
    let mut page = buffer.exclusive();
    critical(|section| {
        let (byte, shift) = place(first);
        let bytes = page.write(section).bytes_mut();
        bytes[byte] &= (1 << shift) - 1;
        bytes[byte + 1..].fill(0);
    });
    Ok((size > block.0 + 1).then_some(block.0 + 1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::Oid;

    use super::*;
    use crate::{PoolOptions, SimVfs, Smgr};

    const REL: RelFileLocator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(16384) };

    #[test]
    fn set_test_clear_truncate() {
        let smgr = Arc::new(Smgr::new(Arc::new(SimVfs::new(1))));
        let pool = BufferPool::new(PoolOptions { buffers: 32, checksums: true }, smgr);
        let mut cache = None;
        assert_eq!(status(&pool, REL, BlockNumber(7), &mut cache).unwrap(), 0);
        for n in [0, 1, 7, 32_671, 32_672, 40_000] {
            let map = pin(&pool, REL, BlockNumber(n)).unwrap();
            assert!(covers(&map, BlockNumber(n)));
            let mut page = map.exclusive();
            critical(|s| assert!(set(page.write(s), BlockNumber(n), if n == 7 { 3 } else { 1 })));
        }
        assert_eq!(pool.nblocks(REL, ForkNumber::Vm).unwrap(), 2);
        assert_eq!(status(&pool, REL, BlockNumber(7), &mut cache).unwrap(), 3);
        assert_eq!(status(&pool, REL, BlockNumber(6), &mut cache).unwrap(), 0);
        assert_eq!(status(&pool, REL, BlockNumber(40_000), &mut cache).unwrap(), 1);
        assert_eq!(count(&pool, REL).unwrap(), (6, 1));
        // Block 7 lies in the second byte behind the header, at bits 6 and 7.
        assert_eq!(pin(&pool, REL, BlockNumber(7)).unwrap().shared().bytes()[HEADER_SIZE + 1], 0xC0);
        let map = pin(&pool, REL, BlockNumber(7)).unwrap();
        critical(|s| assert!(clear(map.exclusive().write(s), BlockNumber(7), ALL_FROZEN)));
        assert_eq!(prepare_truncate(&pool, REL, 1).unwrap(), Some(1));
        assert_eq!(status(&pool, REL, BlockNumber(0), &mut cache).unwrap(), 1);
        assert_eq!(status(&pool, REL, BlockNumber(1), &mut cache).unwrap(), 0);
        assert_eq!(prepare_truncate(&pool, REL, 0).unwrap(), Some(0));
    }
}
