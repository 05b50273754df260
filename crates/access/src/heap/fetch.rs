//! Single rows by their place.
//!
//! An index entry points to the first version of a row on its page; heap-only versions are reached from there, link by
//! link, without leaving the page. A link holds if the next tuple's xmin is the one's xmax: else the line pointer was
//! reused for something else.
//!
//! PostgreSQL: `heap_hot_search_buffer`, `heap_fetch`, `heap_get_latest_tid`.

use std::sync::Arc;

use base::{BlockNumber, OffsetNumber, Result, TupleId, Xid};
use storage::{Page, PinnedBuffer, vm};
use txn::ssi::{Target, Watched};
use txn::{Transaction, VisibilityHorizon};
use types::Column;

use super::visibility::{Hints, Look, Viewer, is_surely_dead, set_hints};
use super::{HeapRelation, prune};
use crate::tuple::{Header, Projection, RowBytes, varlena::corrupted};

/// What [`Fetcher::index_fetch`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// The version seen, of the chain that the index entry points to.
    pub tid: Option<TupleId>,
    /// No version can be seen by anybody any more: tell the index ([`crate::index::IndexScan::kill`]).
    pub all_dead: bool,
}

/// What a unique index wants to know of a row. (PostgreSQL: `SnapshotDirty`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UniqueRow {
    /// No version is alive. `for_all`: nor can anybody see one, so that the index entry may be killed.
    Dead { for_all: bool },
    /// This version is alive and committed, or our own.
    Alive(TupleId),
    /// It depends on a running transaction: wait for it, then ask again. `token` is not 0 for a speculative insertion:
    /// wait for [`txn::LockTag::SpeculativeToken`] instead.
    Wait { xid: Xid, token: u32 },
}

/// A chain of versions on one page, walked from its root.
struct Chain<'p> {
    page: &'p Page,
    next: Option<OffsetNumber>,
    previous_xmax: Option<Xid>,
    at_start: bool,
    steps: usize,
}

impl<'p> Chain<'p> {
    fn new(page: &'p Page, root: OffsetNumber) -> Chain<'p> {
        Chain { page, next: Some(root), previous_xmax: None, at_start: true, steps: 0 }
    }
    /// The next version. Its successor is found through `advance`.
    fn step(&mut self) -> Result<Option<(OffsetNumber, Header<'p>)>> {
        let Some(mut off) = self.next.take() else { return Ok(None) };
        self.steps += 1;
        if self.steps > storage::page::MAX_HEAP_TUPLES_PER_PAGE * 2 {
            return Err(corrupted("a chain of versions does not end"));
        }
        let mut item = self.page.item_id(off);
        if self.at_start && item.is_redirected() {
            off = item.redirect_target();
            item = self.page.item_id(off);
            self.at_start = false;
        }
        if !item.is_normal() {
            return Ok(None);
        }
        let Some(h) = self.page.item_at(item).and_then(Header::new) else {
            return Err(corrupted("a line pointer points off its page"));
        };
        // A chain does not begin with a heap-only tuple.
        if self.at_start && h.is_heap_only() {
            return Ok(None);
        }
        if self.previous_xmax.is_some_and(|x| x != h.xmin() && x != h.raw_xmin()) {
            return Ok(None);
        }
        self.at_start = false;
        Ok(Some((off, h)))
    }
    fn advance(&mut self, h: Header<'_>, viewer: &Viewer<'_>) -> Result<()> {
        if h.is_hot_updated() {
            self.next = Some(h.ctid().offset);
            self.previous_xmax = Some(viewer.update_xid(h)?);
        }
        Ok(())
    }
}

/// Fetches rows one by one, reading from the pinned page. Keep one a plan node: it remembers the page. Allocates nothing
/// a row. (PostgreSQL: `IndexFetchHeapData`)
pub struct Fetcher {
    rel: Arc<HeapRelation>,
    projection: Projection,
    buffer: Option<PinnedBuffer>,
    map: Option<PinnedBuffer>,
    horizon: Option<VisibilityHorizon>,
    hints: Vec<(OffsetNumber, Hints)>,
}

impl Fetcher {
    pub fn new(rel: Arc<HeapRelation>, projection: Projection) -> Fetcher {
        Fetcher { rel, projection, buffer: None, map: None, horizon: None, hints: Vec::new() }
    }
    pub fn relation(&self) -> &Arc<HeapRelation> {
        &self.rel
    }

    /// Makes this the page that `buffer` holds; says whether it was another one before.
    fn pin(&mut self, txn: &Transaction, block: BlockNumber) -> Result<bool> {
        if self.buffer.as_ref().is_some_and(|b| b.block() == block) {
            return Ok(false);
        }
        self.buffer = None;
        self.buffer = Some(txn.manager().pool().read(self.rel.locator, block)?);
        Ok(true)
    }

    /// The row an index entry points to: the first version of its chain that `look` sees is appended to the columns.
    /// (PostgreSQL: `heap_hot_search_buffer`)
    pub fn index_fetch(
        &mut self,
        txn: &Transaction,
        tid: TupleId,
        look: Look<'_>,
        out: &mut [Column],
    ) -> Result<Fetched> {
        let projection = std::mem::take(&mut self.projection);
        let rel = self.rel.clone();
        let found = self.search(txn, tid, look, |tid, bytes| {
            projection.append(&rel.layout, rel.oid, &[RowBytes { tid, bytes }], out)?;
            Ok(tid)
        });
        self.projection = projection;
        let (tid, all_dead) = found?;
        Ok(Fetched { tid, all_dead })
    }

    /// As `index_fetch`, handing the tuple's bytes to `read` under the page's latch (it must not touch other pages).
    pub fn index_fetch_with<R>(
        &mut self,
        txn: &Transaction,
        tid: TupleId,
        look: Look<'_>,
        read: impl FnOnce(TupleId, &[u8]) -> Result<R>,
    ) -> Result<Option<R>> {
        Ok(self.search(txn, tid, look, read)?.0)
    }

    fn search<R>(
        &mut self,
        txn: &Transaction,
        tid: TupleId,
        look: Look<'_>,
        read: impl FnOnce(TupleId, &[u8]) -> Result<R>,
    ) -> Result<(Option<R>, bool)> {
        let fresh = self.pin(txn, tid.block)?;
        let Some(buffer) = &self.buffer else { return Ok((None, false)) };
        let viewer = Viewer::new(txn);
        self.hints.clear();
        let mut page = buffer.shared();
        if fresh && prune::is_worth_a_try(&self.rel, &page) {
            drop(page);
            prune::prune_on_access(&self.rel, txn, buffer)?;
            page = buffer.shared();
        }
        let mut chain = Chain::new(&page, tid.offset);
        let mut all_dead = true;
        let mut result = None;
        let watched = self.rel.watched(txn);
        while let Some((off, h)) = chain.step()? {
            let (seen, hint) = viewer.sees(h, look)?;
            if hint != 0 {
                self.hints.push((off, hint));
            }
            if let (Some(w), Look::Mvcc(snapshot)) = (&watched, look) {
                self.rel.note_read(w, &viewer, TupleId::new(tid.block, off), h, seen, snapshot)?;
            }
            if seen {
                result = Some(read(TupleId::new(tid.block, off), h.bytes())?);
                all_dead = false;
                break;
            }
            if all_dead {
                let kind = self.rel.horizon_kind();
                let horizon =
                    self.horizon.get_or_insert_with(|| txn.manager().visibility_horizon(kind, txn.proc().database()));
                all_dead = is_surely_dead(h, horizon);
            }
            chain.advance(h, &viewer)?;
        }
        set_hints(page, &self.hints)?;
        Ok((result, all_dead))
    }

    /// Exactly this version; `false` if it is not there or not seen. (PostgreSQL: `heap_fetch`)
    pub fn fetch(&mut self, txn: &Transaction, tid: TupleId, look: Look<'_>, out: &mut [Column]) -> Result<bool> {
        let projection = std::mem::take(&mut self.projection);
        let rel = self.rel.clone();
        let found = self.fetch_with(txn, tid, look, |bytes| {
            projection.append(&rel.layout, rel.oid, &[RowBytes { tid, bytes }], out)
        });
        self.projection = projection;
        Ok(found?.is_some())
    }

    /// As `fetch`, handing the tuple's bytes to `read` under the page's latch.
    pub fn fetch_with<R>(
        &mut self,
        txn: &Transaction,
        tid: TupleId,
        look: Look<'_>,
        read: impl FnOnce(&[u8]) -> Result<R>,
    ) -> Result<Option<R>> {
        if !tid.is_valid() || tid.block.0 >= self.rel.nblocks(txn)? {
            return Ok(None);
        }
        self.pin(txn, tid.block)?;
        let Some(buffer) = &self.buffer else { return Ok(None) };
        let page = buffer.shared();
        let item = page.item_id(tid.offset);
        if !item.is_normal() {
            return Ok(None);
        }
        let Some(h) = page.item_at(item).and_then(Header::new) else {
            return Err(corrupted("a line pointer points off its page"));
        };
        let viewer = Viewer::new(txn);
        let (seen, hint) = viewer.sees(h, look)?;
        if let (Some(w), Look::Mvcc(snapshot)) = (self.rel.watched(txn), look) {
            self.rel.note_read(&w, &viewer, tid, h, seen, snapshot)?;
        }
        let result = if seen { Some(read(h.bytes())?) } else { None };
        if hint != 0 {
            set_hints(page, &[(tid.offset, hint)])?;
        }
        Ok(result)
    }

    /// Does every snapshot see all of this page, by the visibility map? Then an index-only scan need not look.
    pub fn is_all_visible(&mut self, txn: &Transaction, block: BlockNumber) -> Result<bool> {
        let bits = vm::status(txn.manager().pool(), self.rel.locator, block, &mut self.map)?;
        Ok(bits & vm::ALL_VISIBLE != 0)
    }
    /// Lets go of the page.
    pub fn release(&mut self) {
        self.buffer = None;
        self.map = None;
        self.horizon = None;
    }
}

impl HeapRelation {
    /// A serializable transaction looks at a row, under its page's latch.
    #[cold]
    fn note_read(
        &self,
        watched: &Watched<'_>,
        viewer: &Viewer<'_>,
        tid: TupleId,
        h: Header<'_>,
        seen: bool,
        snapshot: &txn::Snapshot,
    ) -> Result<()> {
        viewer.conflict_out(watched, h, seen, snapshot)?;
        // What we wrote ourselves is ours anyway.
        if seen && !viewer.is_current(h.xmin()) {
            watched.lock(Target::row(self.locator.db, self.oid, tid));
        }
        Ok(())
    }
    /// An index-only scan trusts the visibility map: it has read from the page without a look.
    /// (PostgreSQL: `PredicateLockPage` in `IndexOnlyNext`)
    pub fn note_page_read(&self, txn: &Transaction, block: BlockNumber) {
        if let Some(w) = self.watched(txn) {
            w.lock(Target::page(self.locator.db, self.oid, block));
        }
    }
    /// For unique indexes: the state of the row an index entry points to. (PostgreSQL: `table_index_fetch_tuple_check`)
    pub fn check_unique(&self, txn: &Transaction, tid: TupleId) -> Result<UniqueRow> {
        let viewer = Viewer::new(txn);
        let buffer = txn.manager().pool().read(self.locator, tid.block)?;
        let page = buffer.shared();
        let mut chain = Chain::new(&page, tid.offset);
        let mut hints = Vec::new();
        let mut found = None;
        let mut horizon = None;
        let mut for_all = true;
        while let Some((off, h)) = chain.step()? {
            let (now, hint) = viewer.now(h)?;
            if hint != 0 {
                hints.push((off, hint));
            }
            if now.alive {
                let pending = if now.inserting.is_valid() { now.inserting } else { now.deleting };
                let token = match now.inserting.is_valid() && h.is_speculative() {
                    true => h.ctid().block.0,
                    false => 0,
                };
                found = Some(match pending.is_valid() {
                    true => UniqueRow::Wait { xid: pending, token },
                    false => UniqueRow::Alive(TupleId::new(tid.block, off)),
                });
                break;
            }
            if for_all {
                let horizon = horizon.get_or_insert_with(|| {
                    txn.manager().visibility_horizon(self.horizon_kind(), txn.proc().database())
                });
                for_all = is_surely_dead(h, horizon);
            }
            chain.advance(h, &viewer)?;
        }
        set_hints(page, &hints)?;
        Ok(found.unwrap_or(UniqueRow::Dead { for_all }))
    }

    /// The newest version of a row, following updates, that `look` sees. (PostgreSQL: `heap_get_latest_tid`)
    pub fn latest_tid(&self, txn: &Transaction, tid: TupleId, look: Look<'_>) -> Result<TupleId> {
        let viewer = Viewer::new(txn);
        let mut best = tid;
        let mut at = tid;
        let mut previous_xmax = None;
        let blocks = self.nblocks(txn)?;
        loop {
            txn.proc().interrupt().check()?;
            if at.block.0 >= blocks {
                return Ok(best);
            }
            let buffer = txn.manager().pool().read(self.locator, at.block)?;
            let page = buffer.shared();
            if !page.item_id(at.offset).is_normal() {
                return Ok(best);
            }
            let Some(h) = page.item(at.offset).and_then(Header::new) else { return Ok(best) };
            if previous_xmax.is_some_and(|x| x != h.xmin() && x != h.raw_xmin()) {
                return Ok(best);
            }
            if viewer.sees(h, look)?.0 {
                best = at;
            }
            let over = h.has(crate::tuple::infomask::XMAX_INVALID)
                || viewer.is_only_locked(h)?
                || h.moved_partitions()
                || h.ctid() == at;
            if over {
                return Ok(best);
            }
            previous_xmax = Some(viewer.update_xid(h)?);
            at = h.ctid();
        }
    }

    /// The highest of these transactions that removed rows the index entries point to; entries whose rows are not all
    /// dead are taken out of the list. For deleting index entries. (PostgreSQL: `heap_index_delete_tuples`)
    pub fn index_delete_check(&self, txn: &Transaction, tids: &mut Vec<TupleId>) -> Result<Xid> {
        let viewer = Viewer::new(txn);
        let horizon = txn.manager().visibility_horizon(self.horizon_kind(), txn.proc().database());
        let mut newest = Xid::INVALID;
        tids.sort_unstable();
        let mut dead = Vec::with_capacity(tids.len());
        let mut pinned: Option<PinnedBuffer> = None;
        for &tid in tids.iter() {
            let buffer = match pinned.take().filter(|b| b.block() == tid.block) {
                Some(b) => b,
                None => txn.manager().pool().read(self.locator, tid.block)?,
            };
            {
                let page = buffer.shared();
                let mut chain = Chain::new(&page, tid.offset);
                let mut all_dead = true;
                let mut removed = newest;
                while let Some((_, h)) = chain.step()? {
                    all_dead = is_surely_dead(h, &horizon);
                    if !all_dead {
                        break;
                    }
                    advance_conflict_horizon(h, &viewer, &mut removed)?;
                    chain.advance(h, &viewer)?;
                }
                if all_dead {
                    newest = removed;
                    dead.push(tid);
                }
            }
            pinned = Some(buffer);
        }
        *tids = dead;
        Ok(newest)
    }
}

/// A tuple is removed: standbys must not have snapshots that see it.
/// (PostgreSQL: `HeapTupleHeaderAdvanceConflictHorizon`)
pub(super) fn advance_conflict_horizon(h: Header<'_>, viewer: &Viewer<'_>, horizon: &mut Xid) -> Result<()> {
    let (xmin, xmax) = (h.xmin(), viewer.update_xid(h)?);
    // What an aborted transaction inserted was seen by nobody.
    if h.xmin_committed() || !h.xmin_invalid() && viewer.did_commit(xmin)? {
        let later = |a: Xid, b: Xid| a.is_valid() && (!b.is_valid() || a.follows(b));
        if xmax != xmin && later(xmax, *horizon) {
            *horizon = xmax;
        }
    }
    Ok(())
}
