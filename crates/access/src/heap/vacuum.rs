//! Lazy vacuum: dead rows leave a table and its indexes while others work with it.
//!
//! 1. Page by page (skipping those the visibility map knows to be clean): prune, freeze, collect dead line pointers, set
//!    the visibility map's bits, tell the free-space map.
//! 2. When the dead line pointers fill their memory, or at the end: remove the index entries that point to them, then make
//!    the line pointers free.
//! 3. Clean up the indexes, bring the upper levels of the free-space map up to date, cut off empty pages at the end.
//!
//! The caller holds the table's SHARE UPDATE EXCLUSIVE lock and writes what [`VacuumResult`] says into `pg_class`.
//!
//! PostgreSQL: `vacuumlazy.c`, `vacuum_get_cutoffs`.

use std::sync::Arc;

use base::{BlockNumber, ForkNumber, MultiXactId, OffsetNumber, Oid, Result, TupleId, Xid};
use storage::page::flags;
use storage::{BufferTag, ExclusivePage, PinnedBuffer, ReadMode, Strategy, critical, fsm, vm};
use txn::lock::{Acquired, LockLevel, Wait};
use txn::{LockMode, LockTag, Transaction, VisibilityHorizon};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::HeapRelation;
use super::dead_items::DeadItems;
use super::freeze::{Cutoffs, FreezeState};
use super::prune::{self, PageReport, Reason};
use super::visibility::{ForVacuum, Viewer};
use super::wal::{Prune, Visible, op2};
use crate::index::{IndexRelation, IndexVacuum, IndexVacuumStats};
use crate::tuple::Header;

/// Fewer skippable pages in a row are read all the same: reading ahead is cheaper. (PostgreSQL: `SKIP_PAGES_THRESHOLD`)
const SKIP_THRESHOLD: u32 = 32;
/// Truncation is tried for so many empty pages, or so large a part of the table.
const TRUNCATE_MINIMUM: u32 = 1000;
const TRUNCATE_FRACTION: u32 = 16;

/// How old ids may get. (PostgreSQL: `vacuum_freeze_min_age` and so on)
#[derive(Clone, Copy, Debug)]
pub struct FreezeAges {
    pub freeze_min_age: u32,
    pub freeze_table_age: u32,
    pub multixact_freeze_min_age: u32,
    pub multixact_freeze_table_age: u32,
}

impl Default for FreezeAges {
    fn default() -> FreezeAges {
        FreezeAges {
            freeze_min_age: 50_000_000,
            freeze_table_age: 150_000_000,
            multixact_freeze_min_age: 5_000_000,
            multixact_freeze_table_age: 150_000_000,
        }
    }
}

/// The cutoffs of a vacuum that begins now, and whether it must be aggressive: visit all pages that are not frozen.
/// (PostgreSQL: `vacuum_get_cutoffs`)
pub fn cutoffs(
    rel: &HeapRelation,
    txn: &Transaction,
    relfrozenxid: Xid,
    relminmxid: MultiXactId,
    ages: FreezeAges,
) -> (Cutoffs, bool) {
    let manager = txn.manager();
    let oldest_xmin = manager.oldest_xmin(rel.horizon_kind(), txn.proc().database());
    let oldest_mxact = manager.multixacts().oldest_needed();
    let next = manager.next_full_xid().xid();
    let next_multi = manager.multixacts().next();
    let back = |age: u32| {
        let xid = Xid(next.0.wrapping_sub(age));
        // Not before the first id there ever was.
        if age >= next.0 || !xid.is_normal() { Xid::FIRST_NORMAL } else { xid }
    };
    let back_multi = |age: u32| {
        if age >= next_multi.0 { MultiXactId::FIRST } else { MultiXactId(next_multi.0 - age) }
    };
    let limit = back(ages.freeze_min_age);
    let multi_limit = back_multi(ages.multixact_freeze_min_age);
    let c = Cutoffs {
        relfrozenxid,
        relminmxid,
        oldest_xmin,
        oldest_mxact,
        freeze_limit: if oldest_xmin.precedes(limit) { oldest_xmin } else { limit },
        multi_cutoff: if oldest_mxact.precedes(multi_limit) { oldest_mxact } else { multi_limit },
    };
    let table_limit = back(ages.freeze_table_age);
    let multi_table_limit = back_multi(ages.multixact_freeze_table_age);
    let aggressive = relfrozenxid.is_normal() && relfrozenxid.precedes_or_equals(table_limit)
        || relminmxid.is_valid() && !multi_table_limit.precedes(relminmxid) && multi_table_limit != MultiXactId::FIRST;
    (c, aggressive)
}

/// What a vacuum shall do.
pub struct VacuumOptions<'a> {
    pub cutoffs: Cutoffs,
    pub aggressive: bool,
    /// Visit every page whatever the visibility map says. (PostgreSQL: `DISABLE_PAGE_SKIPPING`)
    pub no_skipping: bool,
    /// `INDEX_CLEANUP off`: leave dead line pointers.
    pub index_cleanup: bool,
    pub truncate: bool,
    /// Bytes for dead line pointers. (PostgreSQL: `maintenance_work_mem`)
    pub memory: usize,
    pub strategy: Option<&'a Strategy>,
    /// Called for each page: cost-based delay, interrupts, progress.
    pub delay: &'a mut dyn FnMut() -> Result<()>,
    /// `relpages` and `reltuples` of `pg_class` (-1: unknown).
    pub old_pages: u32,
    pub old_tuples: f64,
}

/// What a vacuum did, and found. (PostgreSQL: `LVRelState`)
#[derive(Clone, Debug, Default)]
pub struct VacuumResult {
    /// For `pg_class`.
    pub pages: u32,
    pub live_tuples: f64,
    pub all_visible: u32,
    pub all_frozen: u32,
    /// `None`: pages were skipped, nothing new is known.
    pub relfrozenxid: Option<Xid>,
    pub relminmxid: Option<MultiXactId>,
    pub scanned_pages: u32,
    pub removed_pages: u32,
    pub frozen_pages: u32,
    pub tuples_deleted: u64,
    pub tuples_frozen: u64,
    pub recently_dead: u64,
    /// Dead line pointers that were freed, and that remain.
    pub dead_items_removed: u64,
    pub dead_items_left: u64,
    pub index_scans: u32,
    pub indexes: Vec<(Oid, IndexVacuumStats)>,
}

struct Vacuum<'a, 'o> {
    rel: &'a HeapRelation,
    txn: &'a Transaction,
    indexes: &'a [Arc<IndexRelation>],
    options: &'a mut VacuumOptions<'o>,
    horizon: VisibilityHorizon,
    dead: Vec<TupleId>,
    stats: Vec<Option<IndexVacuumStats>>,
    result: VacuumResult,
    live: f64,
    nonempty: u32,
    skipped_visible: bool,
}

/// Vacuums a table. (PostgreSQL: `heap_vacuum_rel`)
pub fn vacuum(
    rel: &HeapRelation,
    txn: &Transaction,
    indexes: &[Arc<IndexRelation>],
    options: &mut VacuumOptions<'_>,
) -> Result<VacuumResult> {
    let horizon = txn.manager().visibility_horizon(rel.horizon_kind(), txn.proc().database());
    let mut v = Vacuum {
        rel,
        txn,
        indexes,
        options,
        horizon,
        dead: Vec::new(),
        stats: vec![None; indexes.len()],
        result: VacuumResult::default(),
        live: 0.0,
        nonempty: 0,
        skipped_visible: false,
    };
    v.run()?;
    Ok(v.result)
}

impl Vacuum<'_, '_> {
    fn pool(&self) -> &storage::BufferPool {
        self.txn.manager().pool()
    }

    fn run(&mut self) -> Result<()> {
        let blocks = self.rel.nblocks(self.txn)?;
        let cutoffs = self.options.cutoffs;
        let mut freeze = FreezeState::new(&cutoffs);
        self.scan(blocks, &mut freeze)?;
        let frozen = (freeze.relfrozenxid, freeze.relminmxid);
        if self.options.index_cleanup {
            self.reap()?;
        }
        self.result.dead_items_left += self.dead.len() as u64;
        self.estimate(blocks);
        self.clean_up_indexes()?;
        fsm::vacuum(self.pool(), self.rel.locator, BlockNumber(0), BlockNumber(blocks))?;
        self.result.pages = blocks;
        if self.options.truncate {
            self.truncate(blocks)?;
        }
        let (visible, all_frozen) = vm::count(self.pool(), self.rel.locator)?;
        self.result.all_visible = visible.min(self.result.pages);
        self.result.all_frozen = all_frozen.min(self.result.all_visible);
        if !self.skipped_visible {
            (self.result.relfrozenxid, self.result.relminmxid) = (Some(frozen.0), Some(frozen.1));
        }
        Ok(())
    }

    /// The next block to visit from `from` on. (PostgreSQL: `find_next_unskippable_block`)
    fn next_block(&mut self, from: u32, blocks: u32, map: &mut Option<PinnedBuffer>) -> Result<Option<u32>> {
        if from >= blocks {
            return Ok(None);
        }
        let (mut at, mut visible_only) = (from, false);
        // The last page is always visited: is there something to truncate?
        while at + 1 < blocks && !self.options.no_skipping {
            let bits = vm::status(self.pool(), self.rel.locator, BlockNumber(at), map)?;
            if bits & vm::ALL_VISIBLE == 0 || self.options.aggressive && bits & vm::ALL_FROZEN == 0 {
                break;
            }
            visible_only |= bits & vm::ALL_FROZEN == 0;
            at += 1;
        }
        if at - from < SKIP_THRESHOLD {
            return Ok(Some(from));
        }
        self.skipped_visible |= visible_only;
        Ok(Some(at))
    }

    /// (PostgreSQL: `lazy_scan_heap`)
    fn scan(&mut self, blocks: u32, freeze: &mut FreezeState<'_>) -> Result<()> {
        let mut map = None;
        let most = (self.options.memory / std::mem::size_of::<TupleId>()).max(1024);
        let mut next = 0;
        // Within a run of pages too short to skip, all are visited.
        let mut run_end = 0;
        while next < blocks {
            if next >= run_end {
                let Some(block) = self.next_block(next, blocks, &mut map)? else { break };
                run_end = if block == next { (next + SKIP_THRESHOLD).min(blocks) } else { block + 1 };
                next = block;
            }
            (self.options.delay)()?;
            self.txn.proc().interrupt().check()?;
            if self.dead.len() + storage::page::MAX_HEAP_TUPLES_PER_PAGE > most && self.options.index_cleanup {
                self.reap()?;
            }
            self.page(BlockNumber(next), freeze)?;
            self.result.scanned_pages += 1;
            next += 1;
        }
        Ok(())
    }

    fn page(&mut self, block: BlockNumber, freeze: &mut FreezeState<'_>) -> Result<()> {
        let tag = BufferTag::new(self.rel.locator, ForkNumber::Main, block);
        // The map's page is pinned before the heap's is latched.
        let map = vm::pin(self.pool(), self.rel.locator, block)?;
        let buffer = self.pool().pin(tag, ReadMode::Normal, self.options.strategy)?;
        let mut page = match buffer.try_cleanup() {
            Some(p) => p,
            None if self.options.aggressive => buffer.cleanup(self.txn.proc().interrupt())?,
            None => return self.page_in_use(&buffer, block),
        };
        if page.is_new() {
            drop(page);
            return fsm::record(self.pool(), self.rel.locator, block, crate::tuple::MAX_HEAP_TUPLE_SIZE);
        }
        let no_indexes = self.indexes.is_empty();
        let report = prune::prune_page(
            self.rel,
            self.txn,
            &mut page,
            &self.horizon,
            Reason::VacuumScan,
            no_indexes,
            Some(freeze),
        )?;
        self.count(&report, block);
        if report.all_visible && report.dead_items.is_empty() {
            let bits = vm::ALL_VISIBLE | if report.all_frozen { vm::ALL_FROZEN } else { 0 };
            let cutoff = if report.all_frozen { Xid::INVALID } else { report.visibility_cutoff };
            set_visible(self.rel, self.txn, &mut page, &map, bits, cutoff);
        } else if page.is_all_visible() || vm::bits(&map.shared(), block) != 0 {
            self.repair_map(&mut page, &map);
        }
        let free = page.heap_free_space();
        drop(page);
        if no_indexes || report.dead_items.is_empty() || !self.options.index_cleanup {
            fsm::record(self.pool(), self.rel.locator, block, free)?;
        }
        self.dead.extend(report.dead_items.iter().map(|&off| TupleId::new(block, off)));
        Ok(())
    }

    /// The page, or the map, says that all is visible, but it is not: damage of the past.
    fn repair_map(&self, page: &mut ExclusivePage<'_>, map: &PinnedBuffer) {
        let block = page.buffer().block();
        let mut m = map.exclusive();
        critical(|section| {
            page.write(section).clear_flag(flags::ALL_VISIBLE);
            vm::clear(m.write(section), block, vm::VALID_BITS);
        });
    }

    fn count(&mut self, r: &PageReport, block: BlockNumber) {
        self.live += r.live as f64;
        self.result.recently_dead += r.recently_dead as u64;
        self.result.tuples_deleted += r.deleted as u64;
        self.result.tuples_frozen += r.frozen as u64;
        self.result.frozen_pages += u32::from(r.frozen > 0);
        if r.has_tuples {
            self.nonempty = block.0 + 1;
        }
    }

    /// Somebody has the page pinned: only look. (PostgreSQL: `lazy_scan_noprune`)
    fn page_in_use(&mut self, buffer: &PinnedBuffer, block: BlockNumber) -> Result<()> {
        // What is on it was not frozen.
        self.skipped_visible = true;
        let viewer = Viewer::new(self.txn);
        let page = buffer.shared();
        for off in page.offsets() {
            let item = page.item_id(off);
            if item.is_used() {
                self.nonempty = block.0 + 1;
            }
            if item.is_dead() {
                self.dead.push(TupleId::new(block, off));
            }
            if !item.is_normal() {
                continue;
            }
            let Some(h) = page.item(off).and_then(Header::new) else { continue };
            match viewer.for_vacuum(h)?.0 {
                ForVacuum::Live | ForVacuum::DeleteInProgress => self.live += 1.0,
                ForVacuum::RecentlyDead(_) | ForVacuum::Dead => self.result.recently_dead += 1,
                ForVacuum::InsertInProgress => {}
            }
        }
        Ok(())
    }

    /// Removes the dead line pointers collected so far, with the index entries. (PostgreSQL: `lazy_vacuum`)
    fn reap(&mut self) -> Result<()> {
        if self.dead.is_empty() {
            return Ok(());
        }
        // By block and offset: as the scan found them, but for a page that was in use.
        self.dead.sort_unstable();
        self.dead.dedup();
        let dead = std::mem::take(&mut self.dead);
        let set = DeadItems::new(&dead);
        for (i, index) in self.indexes.iter().enumerate() {
            let mut cx = IndexVacuum {
                txn: self.txn,
                strategy: self.options.strategy,
                delay: &mut *self.options.delay,
                heap_tuples: self.options.old_tuples,
            };
            let mut is_dead = |tid: TupleId| set.contains(tid);
            self.stats[i] = Some(index.am.bulk_delete(&mut cx, index, self.stats[i], &mut is_dead)?);
        }
        self.result.index_scans += 1;
        self.result.dead_items_removed += dead.len() as u64;
        for items in dead.chunk_by(|a, b| a.block == b.block) {
            (self.options.delay)()?;
            self.txn.proc().interrupt().check()?;
            let offsets: Vec<OffsetNumber> = items.iter().map(|t| t.offset).collect();
            self.free_items(items[0].block, offsets)?;
        }
        Ok(())
    }

    /// (PostgreSQL: `lazy_vacuum_heap_page`)
    fn free_items(&mut self, block: BlockNumber, offsets: Vec<OffsetNumber>) -> Result<()> {
        let map = vm::pin(self.pool(), self.rel.locator, block)?;
        let tag = BufferTag::new(self.rel.locator, ForkNumber::Main, block);
        let buffer = self.pool().pin(tag, ReadMode::Normal, self.options.strategy)?;
        let mut page = buffer.exclusive();
        let now_unused: Vec<_> = offsets.into_iter().filter(|&o| page.item_id(o).is_dead()).collect();
        if !now_unused.is_empty() {
            let p = Prune { now_unused, ..Prune::default() };
            critical(|section| {
                prune::apply(page.write(section), &p, true).expect("the line pointers are there");
                prune::log_prune(self.rel, self.txn, section, &mut page, Reason::VacuumCleanup, &p);
            });
        }
        if let Some((bits, cutoff)) = self.visible_now(&page)? {
            set_visible(self.rel, self.txn, &mut page, &map, bits, cutoff);
        }
        let free = page.heap_free_space();
        drop(page);
        fsm::record(self.pool(), self.rel.locator, block, free)
    }

    /// Is every tuple of the page visible to everybody now? (PostgreSQL: `heap_page_is_all_visible`)
    fn visible_now(&self, page: &storage::Page) -> Result<Option<(u8, Xid)>> {
        let viewer = Viewer::new(self.txn);
        let (mut frozen, mut newest) = (true, Xid::INVALID);
        for off in page.offsets() {
            let item = page.item_id(off);
            if item.is_dead() {
                return Ok(None);
            }
            if !item.is_normal() {
                continue;
            }
            let Some(h) = page.item(off).and_then(Header::new) else { return Ok(None) };
            let xmin = h.xmin();
            let old = !xmin.is_normal() || xmin.precedes(self.options.cutoffs.oldest_xmin);
            if viewer.for_vacuum(h)?.0 != ForVacuum::Live || !h.xmin_committed() || !old {
                return Ok(None);
            }
            if xmin.is_normal() && (!newest.is_valid() || xmin.follows(newest)) {
                newest = xmin;
            }
            frozen &= !xmin.is_normal() && !h.raw_xmax().is_valid();
        }
        let bits = vm::ALL_VISIBLE | if frozen { vm::ALL_FROZEN } else { 0 };
        Ok(Some((bits, newest)))
    }

    fn clean_up_indexes(&mut self) -> Result<()> {
        for (i, index) in self.indexes.iter().enumerate() {
            if self.options.index_cleanup {
                let mut cx = IndexVacuum {
                    txn: self.txn,
                    strategy: self.options.strategy,
                    delay: &mut *self.options.delay,
                    heap_tuples: self.result.live_tuples,
                };
                self.stats[i] = index.am.vacuum_cleanup(&mut cx, index, self.stats[i])?;
            }
            if let Some(s) = self.stats[i] {
                self.result.indexes.push((index.oid, s));
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `vac_estimate_reltuples`)
    fn estimate(&mut self, blocks: u32) {
        let scanned = self.result.scanned_pages;
        let (old_pages, old_tuples) = (f64::from(self.options.old_pages), self.options.old_tuples);
        self.result.live_tuples = if scanned >= blocks {
            self.live
        } else if scanned == 0
            || old_tuples >= 0.0 && blocks == self.options.old_pages && f64::from(scanned) < f64::from(blocks) * 0.02
        {
            old_tuples
        } else if old_tuples < 0.0 || old_pages == 0.0 {
            (self.live / f64::from(scanned) * f64::from(blocks) + 0.5).floor()
        } else {
            let unscanned = f64::from(blocks - scanned);
            (old_tuples / old_pages * unscanned + self.live + 0.5).floor()
        };
    }

    /// Cuts off empty pages at the end. (PostgreSQL: `lazy_truncate_heap`)
    fn truncate(&mut self, blocks: u32) -> Result<()> {
        let empty = blocks - self.nonempty.min(blocks);
        if empty == 0 || self.dead.iter().any(|t| t.block.0 >= self.nonempty) {
            return Ok(());
        }
        if empty < TRUNCATE_MINIMUM && empty < (blocks / TRUNCATE_FRACTION).max(1) {
            return Ok(());
        }
        let tag = LockTag::Relation { db: self.rel.lock_db(self.txn), rel: self.rel.oid };
        let locks = self.txn.manager().locks();
        let proc = self.txn.proc();
        let got = locks.acquire(proc, tag, LockMode::AccessExclusive, LockLevel::Transaction, Wait::No)?;
        if got == Acquired::NotAvailable {
            return Ok(());
        }
        let result = self.truncate_locked(blocks);
        locks.release(proc, tag, LockMode::AccessExclusive, LockLevel::Transaction);
        result
    }

    fn truncate_locked(&mut self, blocks: u32) -> Result<()> {
        if self.rel.nblocks(self.txn)? != blocks {
            return Ok(());
        }
        // What was empty may be used again. (PostgreSQL: `count_nondeletable_pages`)
        let mut keep = blocks;
        while keep > self.nonempty {
            self.txn.proc().interrupt().check()?;
            let tag = BufferTag::new(self.rel.locator, ForkNumber::Main, BlockNumber(keep - 1));
            let buffer = self.pool().pin(tag, ReadMode::Normal, self.options.strategy)?;
            let page = buffer.shared();
            if page.offsets().any(|off| page.item_id(off).is_used()) {
                break;
            }
            keep -= 1;
        }
        if keep < blocks {
            truncate(self.rel, self.txn, keep)?;
            self.result.removed_pages = blocks - keep;
            self.result.pages = keep;
        }
        Ok(())
    }
}

/// Sets bits of the visibility map for a page all of whose tuples are visible (or frozen) for everybody, and logs that.
/// (PostgreSQL: `visibilitymap_set`, `log_heap_visible`)
pub fn set_visible(
    rel: &HeapRelation,
    txn: &Transaction,
    page: &mut ExclusivePage<'_>,
    map: &PinnedBuffer,
    bits: u8,
    cutoff: Xid,
) {
    let block = page.buffer().block();
    let mut m = map.exclusive();
    if page.is_all_visible() && vm::bits(&m, block) & bits == bits {
        return;
    }
    let wal = txn.manager().wal();
    critical(|section| {
        if !page.is_all_visible() {
            page.write(section).set_flag(flags::ALL_VISIBLE);
        }
        vm::set(m.write(section), block, bits);
        if !rel.needs_wal() {
            return;
        }
        let logs_hints = wal.logs_hints();
        let heap = if logs_hints { RegBuf::STANDARD } else { RegBuf::STANDARD | RegBuf::NO_IMAGE };
        let record = RecordBuilder::new(RmgrId::HEAP2, op2::VISIBLE)
            .xid(txn.xid_if_assigned().unwrap_or(Xid::INVALID))
            .main_data(&Visible { conflict_horizon: cutoff, flags: bits }.encode())
            .register_buffer(0, &m, RegBuf::NONE)
            .register_buffer(1, &*page, heap);
        let lsn = wal.insert(section, record);
        m.set_lsn(section, lsn);
        if logs_hints {
            page.mark_dirty(section);
            page.set_lsn(section, lsn);
        }
    });
}

/// Cuts a table off after `nblocks` pages, with its maps. The caller holds its ACCESS EXCLUSIVE lock.
/// (PostgreSQL: `RelationTruncate`)
pub fn truncate(rel: &HeapRelation, txn: &Transaction, nblocks: u32) -> Result<()> {
    let pool = txn.manager().pool();
    let l = rel.locator;
    rel.targets.forget();
    let mut forks = vec![(ForkNumber::Main, nblocks)];
    let exists = |fork| pool.smgr().exists(l, fork);
    if exists(ForkNumber::Vm)?
        && let Some(n) = vm::prepare_truncate(pool, l, nblocks)?
    {
        forks.push((ForkNumber::Vm, n));
    }
    if exists(ForkNumber::Fsm)?
        && let Some(n) = fsm::prepare_truncate(pool, l, nblocks)?
    {
        forks.push((ForkNumber::Fsm, n));
    }
    if rel.needs_wal() {
        // Durable before the file shrinks: replay must not meet pages that are gone.
        let wal = txn.manager().wal();
        let lsn = critical(|section| wal.log_smgr_truncate(section, l, BlockNumber(nblocks), 7));
        wal.flush(lsn)?;
    }
    for (fork, n) in forks {
        pool.discard_from(l, fork, BlockNumber(n));
        pool.smgr().truncate(l, fork, n)?;
    }
    Ok(())
}
