//! A table's rows into a new file: VACUUM FULL and CLUSTER.
//!
//! Versions that nobody can see any more stay behind. The others are copied with their transactions' ids, so that older
//! snapshots see the table as before, and with the links from a replaced version to the next. Chains of heap-only versions
//! dissolve: each version gets entries in the indexes, which are built anew. Old ids are frozen on the way.
//!
//! The caller holds the table with ACCESS EXCLUSIVE, so that nobody else's lock or change is under way.
//!
//! PostgreSQL: `rewriteheap.c`, `heapam_relation_copy_for_cluster`. Different here: links are mended at the end; rows come
//! through the buffer pool.

use std::collections::HashMap;
use std::sync::Arc;

use base::{BlockNumber, ForkNumber, OffsetNumber, Result, TupleId, Xid};
use storage::page::maxalign;
use storage::{OwnedExclusive, Page, critical};
use txn::{Transaction, VisibilityHorizon};

use super::freeze::Cutoffs;
use super::insert::put;
use super::visibility::{ForVacuum, Viewer};
use super::{HeapRelation, change};
use crate::tuple::{Header, header, infomask::*, infomask2, varlena::corrupted};

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct RewriteResult {
    pub tuples: u64,
    /// Kept for older snapshots.
    pub recently_dead: u64,
    pub removed: u64,
    pub pages: u32,
    pub old_pages: u32,
    /// Nothing older is left.
    pub relfrozenxid: Xid,
}

/// A rewrite in progress.
pub struct Rewrite<'t> {
    txn: &'t Transaction,
    viewer: Viewer<'t>,
    horizon: VisibilityHorizon,
    cutoffs: Cutoffs,
    old: Arc<HeapRelation>,
    new: Arc<HeapRelation>,
    page: Option<OwnedExclusive>,
    /// A copy of the old page that is being read.
    source: Option<(BlockNumber, Box<Page>)>,
    /// New versions that an older one may lead to: old places and new ones.
    moved: HashMap<TupleId, TupleId>,
    /// Older versions, where they are now, and the old places of the next ones.
    links: Vec<(TupleId, TupleId)>,
    result: RewriteResult,
}

impl<'t> Rewrite<'t> {
    /// `new`: the same table with its new, empty file.
    pub fn new(txn: &'t Transaction, old: Arc<HeapRelation>, new: Arc<HeapRelation>, cutoffs: Cutoffs) -> Result<Self> {
        let horizon = txn.manager().visibility_horizon(old.horizon_kind(), txn.proc().database());
        let result = RewriteResult {
            tuples: 0,
            recently_dead: 0,
            removed: 0,
            pages: 0,
            old_pages: old.nblocks(txn)?,
            relfrozenxid: cutoffs.oldest_xmin,
        };
        Ok(Rewrite {
            txn,
            viewer: Viewer::new(txn),
            horizon,
            cutoffs,
            old,
            new,
            page: None,
            source: None,
            moved: HashMap::new(),
            links: Vec::new(),
            result,
        })
    }

    /// All rows as they lie.
    pub fn copy_all(&mut self) -> Result<()> {
        for n in 0..self.result.old_pages {
            self.txn.proc().interrupt().check()?;
            self.read(BlockNumber(n))?;
            let offsets: Vec<OffsetNumber> = match &self.source {
                Some((_, page)) => page.offsets().filter(|o| page.item_id(*o).is_normal()).collect(),
                None => Vec::new(),
            };
            offsets.into_iter().try_for_each(|off| self.copy(TupleId::new(BlockNumber(n), off)))?;
        }
        Ok(())
    }

    /// The versions that an index entry leads to.
    pub fn copy_chain(&mut self, root: TupleId) -> Result<()> {
        self.txn.proc().interrupt().check()?;
        self.read(root.block)?;
        let mut chain = Vec::new();
        if let Some((_, page)) = &self.source {
            let mut next = Some(root.offset);
            let mut previous_xmax = None;
            while let Some(off) = next.take().filter(|o| (1..=page.max_offset()).contains(o)) {
                let item = page.item_id(off);
                if chain.is_empty() && item.is_redirected() {
                    next = Some(item.redirect_target());
                    continue;
                }
                let Some(h) = page.item(off).filter(|_| item.is_normal()).and_then(Header::new) else { break };
                if previous_xmax.is_some_and(|x| x != h.xmin() && x != h.raw_xmin()) {
                    break;
                }
                chain.push(off);
                if h.is_hot_updated() {
                    (next, previous_xmax) = (Some(h.ctid().offset), Some(self.viewer.update_xid(h)?));
                }
            }
        }
        chain.into_iter().try_for_each(|off| self.copy(TupleId::new(root.block, off)))
    }

    fn read(&mut self, block: BlockNumber) -> Result<()> {
        if self.source.as_ref().is_some_and(|(b, _)| *b == block) {
            return Ok(());
        }
        let buffer = self.txn.manager().pool().read(self.old.locator, block)?;
        let copy = buffer.shared().to_boxed();
        self.source = Some((block, copy));
        Ok(())
    }

    fn copy(&mut self, tid: TupleId) -> Result<()> {
        let missing = || corrupted("a line pointer points off its page");
        let Some((_, page)) = &self.source else { return Err(missing()) };
        let h = page.item(tid.offset).and_then(Header::new).ok_or_else(missing)?;
        let (fate, _) = self.viewer.for_vacuum(h)?;
        let replaced = match fate {
            ForVacuum::Dead => {
                self.result.removed += 1;
                return Ok(());
            }
            ForVacuum::RecentlyDead(xid) if self.horizon.is_removable(xid) => {
                self.result.removed += 1;
                return Ok(());
            }
            ForVacuum::RecentlyDead(_) => {
                self.result.recently_dead += 1;
                true
            }
            ForVacuum::DeleteInProgress => true,
            ForVacuum::Live | ForVacuum::InsertInProgress => false,
        };
        let mut t = h.bytes().to_vec();
        header::change_infomask2(&mut t, infomask2::HOT_UPDATED | infomask2::ONLY_TUPLE, 0);
        let (mut link, mut ids) = (None, [Xid::INVALID; 2]);
        if replaced {
            let by = self.viewer.update_xid(h)?;
            if h.xmax_is_multi() {
                header::set_xmax(&mut t, by);
                header::change_infomask(&mut t, XMAX_BITS, 0);
            }
            ids[0] = by;
            link = (h.ctid() != tid && !h.moved_partitions()).then(|| h.ctid());
        } else {
            header::set_xmax(&mut t, Xid::INVALID);
            header::change_infomask(&mut t, XMAX_BITS, XMAX_INVALID);
            header::change_infomask2(&mut t, infomask2::KEYS_UPDATED, 0);
        }
        let xmin = h.xmin();
        if !h.xmin_frozen() && xmin.is_normal() {
            match fate == ForVacuum::Live && xmin.precedes(self.cutoffs.freeze_limit) {
                true => header::change_infomask(&mut t, 0, XMIN_FROZEN),
                false => ids[1] = xmin,
            }
        }
        let leads_here = h.has(UPDATED) && !xmin.precedes(self.cutoffs.oldest_xmin);
        let moved_away = h.moved_partitions();
        ids.into_iter().for_each(|xid| self.note_id(xid));
        let place = self.put(&t, moved_away)?;
        if leads_here {
            self.moved.insert(tid, place);
        }
        if let Some(next) = link {
            self.links.push((place, next));
        }
        self.result.tuples += 1;
        Ok(())
    }
    fn note_id(&mut self, xid: Xid) {
        if xid.is_normal() && xid.precedes(self.result.relfrozenxid) {
            self.result.relfrozenxid = xid;
        }
    }

    fn put(&mut self, t: &[u8], moved_away: bool) -> Result<TupleId> {
        let room = maxalign(t.len()) + self.new.target_free_space();
        let fits = |p: &OwnedExclusive| p.heap_free_space() >= room || p.max_offset() == 0;
        let mut page = match self.page.take() {
            Some(page) if fits(&page) => page,
            full => {
                full.into_iter().for_each(|p| self.log(p));
                let new = self.txn.manager().pool().extend(self.new.locator, ForkNumber::Main, None)?;
                self.result.pages += 1;
                new
            }
        };
        let block = page.block();
        let off = critical(|section| {
            let p = page.write(section);
            if p.is_new() {
                p.init(0);
            }
            let off = put(p, block, t, 0);
            if moved_away && let Some(item) = p.item_mut(off) {
                header::set_ctid(item, change::MOVED_PARTITIONS);
            }
            off
        });
        self.page = Some(page);
        Ok(TupleId::new(block, off))
    }
    fn log(&self, mut page: OwnedExclusive) {
        if !self.new.needs_wal() {
            return;
        }
        critical(|section| {
            let tag = page.buffer().tag();
            let lsn = self.txn.manager().wal().log_new_page(section, tag, &page, true);
            page.set_lsn(section, lsn);
        });
    }

    /// Mends the links between versions and ends.
    pub fn finish(mut self) -> Result<RewriteResult> {
        if let Some(page) = self.page.take() {
            self.log(page);
        }
        let pool = self.txn.manager().pool();
        for (from, next) in std::mem::take(&mut self.links) {
            // The next version may have been dead: its transaction has aborted.
            let Some(to) = self.moved.get(&next).copied() else { continue };
            let mut page = pool.read(self.new.locator, from.block)?.into_exclusive();
            critical(|section| {
                if let Some(item) = page.write(section).item_mut(from.offset) {
                    header::set_ctid(item, to);
                }
            });
            self.log(page);
        }
        Ok(self.result)
    }
}
