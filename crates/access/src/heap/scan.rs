//! Sequential scans: a page at a time, straight into columns.
//!
//! A page is looked at once under the shared latch: which of its tuples does the snapshot see? (All of them, if the page
//! says so.) Their line pointers are noted, and the wanted columns of as many as the caller wants are decoded under the
//! same latch. Rows left over are decoded by the next calls: the pin keeps the tuples where they are, since pruning needs
//! the page to be pinned by nobody else.
//!
//! PostgreSQL: `heapgetpage`, `heapgettup_pagemode`. Different here: parallel workers take chunks of blocks from one
//! counter; backwards scans are for cursors and not shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base::{BlockNumber, ForkNumber, OffsetNumber, Result, TupleId};
use storage::{BufferTag, Page, PinnedBuffer, ReadMode, Strategy, StrategyKind};
use txn::ssi::{Target, Watched};
use txn::{Snapshot, Transaction};
use types::Column;

use super::visibility::{Hints, Viewer, set_hints, settled};
use super::{HeapRelation, prune};
use crate::index::{BlockRange, Direction};
use crate::tuple::{Header, PREFILTER_ROWS, Prefilter, Projection, RowBytes, varlena::corrupted};

/// Blocks a worker takes at once from a [`SharedScan`].
const CHUNK: u32 = 32;

/// Hands blocks to the workers of a parallel scan. (PostgreSQL: `ParallelBlockTableScanDesc`)
pub struct SharedScan {
    next: AtomicU32,
    end: u32,
}

impl SharedScan {
    pub fn new(range: BlockRange) -> SharedScan {
        SharedScan { next: AtomicU32::new(range.start.0), end: range.end.0 }
    }
    fn take(&self) -> Option<BlockRange> {
        // Smaller chunks towards the end, so that the workers finish together.
        let left = self.end.saturating_sub(self.next.load(Ordering::Relaxed));
        let n = (left / 64).clamp(1, CHUNK);
        let start = self.next.fetch_add(n, Ordering::Relaxed);
        (start < self.end)
            .then(|| BlockRange { start: BlockNumber(start), end: BlockNumber(start.saturating_add(n).min(self.end)) })
    }
}

/// How to scan.
#[derive(Clone, Default)]
pub struct ScanOptions {
    /// Only these blocks; all if `None`.
    pub range: Option<BlockRange>,
    /// Shared with other workers; then `range` is not looked at.
    pub shared: Option<Arc<SharedScan>>,
    /// Do not use a ring of buffers even if the table is large, e.g. for catalogs.
    pub no_ring: bool,
}

/// The page being read: which of its tuples are seen, and where in it the scan stands.
struct Current {
    buffer: PinnedBuffer,
    visible: Vec<OffsetNumber>,
    /// Going forwards, `visible[next..]` follows; going backwards, `visible[..before]` does. Between them is the row that
    /// was returned last, if any.
    next: usize,
    before: usize,
}

/// A sequential scan in progress. Holds a pin between calls, no latch. (PostgreSQL: `HeapScanDesc`)
pub struct HeapScan {
    rel: Arc<HeapRelation>,
    snapshot: Snapshot,
    projection: Projection,
    options: ScanOptions,
    strategy: Option<Strategy>,
    range: BlockRange,
    /// The block that was read last.
    block: Option<u32>,
    current: Option<Current>,
    spare: Vec<OffsetNumber>,
    hints: Vec<(OffsetNumber, Hints)>,
    prefilter: Option<Prefilter>,
}

impl HeapScan {
    pub fn new(
        rel: Arc<HeapRelation>,
        txn: &Transaction,
        snapshot: Snapshot,
        projection: Projection,
        options: ScanOptions,
    ) -> Result<HeapScan> {
        let mut scan = HeapScan {
            rel,
            snapshot,
            projection,
            options,
            strategy: None,
            range: BlockRange { start: BlockNumber(0), end: BlockNumber(0) },
            block: None,
            current: None,
            spare: Vec::new(),
            hints: Vec::new(),
            prefilter: None,
        };
        scan.rescan(txn, None)?;
        Ok(scan)
    }

    /// Passes over the rows that a filter drops.
    pub fn set_prefilter(&mut self, filter: Option<Prefilter>) {
        self.prefilter = filter;
    }
    /// How many rows the filter dropped since this was last asked.
    pub fn take_dropped(&mut self) -> usize {
        self.prefilter.as_mut().map_or(0, Prefilter::take_dropped)
    }

    /// Starts over, with another snapshot if given. (PostgreSQL: `heap_rescan`)
    pub fn rescan(&mut self, txn: &Transaction, snapshot: Option<Snapshot>) -> Result<()> {
        if let Some(s) = snapshot {
            self.snapshot = s;
        }
        self.release_page();
        self.block = None;
        let pool = txn.manager().pool();
        if let Some(w) = self.rel.watched(txn) {
            w.lock(Target::relation(self.rel.locator.db, self.rel.oid));
        }
        // The length is taken once: later pages hold nothing the snapshot sees.
        let blocks = self.rel.nblocks(txn)?;
        let all = BlockRange { start: BlockNumber(0), end: BlockNumber(blocks) };
        self.range = match (&self.options.shared, self.options.range) {
            (Some(_), _) => BlockRange { end: BlockNumber(0), ..all },
            (None, Some(r)) => BlockRange { start: r.start, end: BlockNumber(r.end.0.min(blocks)) },
            (None, None) => all,
        };
        let large = blocks as usize > pool.options().buffers / 4;
        let ring =
            large && !self.options.no_ring && !matches!(self.rel.persistence, storage::Persistence::Temporary(_));
        self.strategy = ring.then(|| Strategy::new(StrategyKind::BulkRead));
        Ok(())
    }

    /// Appends up to `limit` rows to the columns (one an output of the projection), and their places to `tids` if asked
    /// for. Returns how many; 0 at the end. Rows of several pages may come together.
    pub fn next(
        &mut self,
        txn: &Transaction,
        direction: Direction,
        limit: usize,
        columns: &mut [Column],
        mut tids: Option<&mut Vec<TupleId>>,
    ) -> Result<usize> {
        let mut done = 0;
        while done < limit {
            let left = limit - done;
            let (looked_at, n) = match self.current.is_some() {
                true => self.from_current(direction, left, columns, tids.as_deref_mut())?,
                false => (0, 0),
            };
            done += n;
            if looked_at > 0 {
                continue;
            }
            if !self.next_page(txn, direction)? {
                break;
            }
        }
        Ok(done)
    }

    /// The block scanned last, for progress reports.
    pub fn block(&self) -> Option<BlockNumber> {
        self.current.as_ref().map(|c| c.buffer.block())
    }
    pub fn relation(&self) -> &Arc<HeapRelation> {
        &self.rel
    }

    fn release_page(&mut self) {
        if let Some(c) = self.current.take() {
            self.spare = c.visible;
        }
    }

    fn next_block(&mut self, direction: Direction) -> Option<BlockNumber> {
        let range = self.range;
        let next = match (direction, self.block) {
            (Direction::Forward, None) => range.start.0,
            (Direction::Forward, Some(b)) => b + 1,
            (Direction::Backward, None) => range.end.0.checked_sub(1)?,
            (Direction::Backward, Some(b)) => b.checked_sub(1)?,
        };
        if range.start.0 <= next && next < range.end.0 {
            return Some(BlockNumber(next));
        }
        let shared = self.options.shared.as_ref().filter(|_| direction == Direction::Forward)?;
        self.range = shared.take()?;
        Some(self.range.start)
    }

    /// Goes to the next page and notes what is seen there. `false` at the end.
    fn next_page(&mut self, txn: &Transaction, direction: Direction) -> Result<bool> {
        txn.proc().interrupt().check()?;
        let Some(block) = self.next_block(direction) else {
            // The last page stays: a cursor may turn round, and then stands beyond its last row.
            if let Some(c) = &mut self.current {
                match direction {
                    Direction::Forward => c.before = c.visible.len(),
                    Direction::Backward => c.next = 0,
                }
            }
            return Ok(false);
        };
        self.release_page();
        self.block = Some(block.0);
        let pool = txn.manager().pool();
        let tag = BufferTag::new(self.rel.locator, ForkNumber::Main, block);
        let buffer = pool.pin(tag, ReadMode::Normal, self.strategy.as_ref())?;
        let mut visible = std::mem::take(&mut self.spare);
        visible.clear();
        self.hints.clear();
        let mut page = buffer.shared();
        if prune::is_worth_a_try(&self.rel, &page) {
            drop(page);
            prune::prune_on_access(&self.rel, txn, &buffer)?;
            page = buffer.shared();
        }
        bring_in(&page);
        let watched = self.rel.watched(txn);
        see_page(&page, watched, &Viewer::new(txn), &self.snapshot, &mut visible, &mut self.hints)?;
        set_hints(page, &self.hints)?;
        let before = visible.len();
        self.current = Some(Current { buffer, visible, next: 0, before });
        Ok(true)
    }

    /// How many rows it looked at, and how many of them it appended.
    fn from_current(
        &mut self,
        direction: Direction,
        limit: usize,
        columns: &mut [Column],
        mut tids: Option<&mut Vec<TupleId>>,
    ) -> Result<(usize, usize)> {
        let Some(c) = &mut self.current else { return Ok((0, 0)) };
        let range = match direction {
            Direction::Forward => c.next..(c.next + limit).min(c.visible.len()),
            Direction::Backward => c.before.saturating_sub(limit)..c.before,
        };
        if range.is_empty() {
            return Ok((0, 0));
        }
        let page = c.buffer.shared();
        let block = c.buffer.block();
        let mut rows = [RowBytes { tid: TupleId::INVALID, bytes: &[] }; PREFILTER_ROWS];
        let mut appended = 0;
        let mut offsets: Vec<OffsetNumber> = c.visible[range.clone()].to_vec();
        if direction == Direction::Backward {
            offsets.reverse();
        }
        for part in offsets.chunks(PREFILTER_ROWS) {
            for (row, &off) in rows.iter_mut().zip(part) {
                let bytes = page.item(off).ok_or_else(|| corrupted("it vanished from a pinned page"))?;
                *row = RowBytes { tid: TupleId::new(block, off), bytes };
            }
            let rows = &mut rows[..part.len()];
            let n = match &mut self.prefilter {
                Some(filter) => filter.keep(&self.rel.layout, self.rel.oid, rows)?,
                None => rows.len(),
            };
            self.projection.append(&self.rel.layout, self.rel.oid, &rows[..n], columns)?;
            if let Some(tids) = &mut tids {
                tids.extend(rows[..n].iter().map(|row| row.tid));
            }
            appended += n;
        }
        match direction {
            Direction::Forward => (c.next, c.before) = (range.end, range.end - 1),
            Direction::Backward => (c.next, c.before) = (range.start + 1, range.start),
        }
        Ok((range.len(), appended))
    }
}

/// All tuples of a page will be read: their cache lines, all at once.
#[inline]
pub(super) fn bring_in(page: &Page) {
    let bytes = page.bytes();
    for at in (page.upper().min(bytes.len())..bytes.len()).step_by(64) {
        storage::prefetch(bytes, at);
    }
}

/// The line pointers of tuples that a snapshot sees. (PostgreSQL: `heap_prepare_pagescan`)
pub(super) fn see_page(
    page: &Page,
    watched: Option<Watched<'_>>,
    viewer: &Viewer<'_>,
    snapshot: &Snapshot,
    visible: &mut Vec<OffsetNumber>,
    hints: &mut Vec<(OffsetNumber, Hints)>,
) -> Result<()> {
    // In recovery a page may say so before every standby snapshot agrees.
    let all_visible = page.is_all_visible() && !viewer.txn().manager().wal().in_recovery();
    for (off, item) in page.items() {
        if !item.is_normal() {
            continue;
        }
        if let Some(seen) = page.item_head(item).and_then(|h| settled(h, snapshot)) {
            if seen || all_visible {
                visible.push(off);
            }
            continue;
        }
        let Some(h) = page.item_at(item).and_then(Header::new) else {
            return Err(corrupted("a line pointer points off its page"));
        };
        if all_visible {
            visible.push(off);
            continue;
        }
        let (seen, hint) = viewer.mvcc(h, snapshot)?;
        if let Some(w) = &watched {
            viewer.conflict_out(w, h, seen, snapshot)?;
        }
        if seen {
            visible.push(off);
        }
        if hint != 0 {
            hints.push((off, hint));
        }
    }
    Ok(())
}
