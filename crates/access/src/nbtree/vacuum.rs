//! Vacuum: removes entries of dead rows, deletes empty pages, recycles deleted ones. (PostgreSQL: `btvacuumscan`,
//! `_bt_pagedel`)
//!
//! All pages are visited in the order they lie in the file. A page split while vacuum is under way carries vacuum's cycle
//! id; if its right half went to a page already passed, that one is visited at once.
//!
//! A leaf that has become empty is deleted in two steps, each logged: its downlink is removed from the parent and it is
//! marked half-dead; then it is unlinked from its siblings and marked deleted. Parents that would be left without children
//! go with it. The rightmost page of a level never goes. A deleted page keeps its links until nobody can arrive any more.

use std::sync::atomic::{AtomicUsize, Ordering};

use base::{BlockNumber, ForkNumber, FullXid, Interrupt, OffsetNumber, RelFileLocator, Result, TupleId};
use parking_lot::Mutex;
use storage::{OwnedExclusive, Strategy, critical};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::delete::{Reason, Removal};
use super::page::{
    FIRST_KEY, HIGH_KEY, MAX_CYCLE_ID, META_BLOCK, NONE, Opaque, change_opaque, deleted_at, flags, set_deleted,
};
use super::search::{Stack, Tree};
use super::tuple;
use super::wal::{
    HalfDead, MARK_PAGE_HALFDEAD, META_CLEANUP, UNLINK_PAGE, UNLINK_PAGE_META, Unlink, half_dead_high_key, put_meta,
    remove_downlink,
};
use crate::index::IndexVacuumStats;

/// Vacuums that are under way, with their numbers. (PostgreSQL: `BTVacInfo`)
#[derive(Default)]
pub struct VacuumCycles {
    active: AtomicUsize,
    list: Mutex<(u16, Vec<(RelFileLocator, u16)>)>,
}

impl VacuumCycles {
    /// The number of the vacuum of this index, 0 if none is under way.
    pub fn current(&self, index: RelFileLocator) -> u16 {
        if self.active.load(Ordering::Acquire) == 0 {
            return 0;
        }
        self.list.lock().1.iter().find(|(l, _)| *l == index).map_or(0, |(_, id)| *id)
    }
    /// Ends when the result is dropped.
    pub fn start(&self, index: RelFileLocator) -> ActiveCycle<'_> {
        let mut list = self.list.lock();
        list.0 = if list.0 >= MAX_CYCLE_ID { 1 } else { list.0 + 1 };
        let id = list.0;
        list.1.push((index, id));
        self.active.store(list.1.len(), Ordering::Release);
        ActiveCycle { cycles: self, index, id }
    }
}

pub struct ActiveCycle<'a> {
    cycles: &'a VacuumCycles,
    index: RelFileLocator,
    pub id: u16,
}

impl Drop for ActiveCycle<'_> {
    fn drop(&mut self) {
        let mut list = self.cycles.list.lock();
        list.1.retain(|entry| *entry != (self.index, self.id));
        self.cycles.active.store(list.1.len(), Ordering::Release);
    }
}

/// What a vacuum needs besides the tree.
pub struct VacuumRun<'a> {
    pub strategy: Option<&'a Strategy>,
    pub interrupt: &'a Interrupt,
    pub delay: &'a mut dyn FnMut() -> Result<()>,
    /// The next transaction id: pages deleted now may be used again when all before it are over.
    pub next_xid: &'a dyn Fn() -> FullXid,
    /// 0: only clean up.
    pub cycle_id: u16,
    /// Pages deleted by this run.
    pub deleted: Vec<(BlockNumber, FullXid)>,
    pub stats: IndexVacuumStats,
}

/// What to do after a page was visited.
#[derive(Default)]
struct Visit {
    is_empty_leaf: bool,
    /// The right half of a split, already passed.
    backtrack_to: Option<BlockNumber>,
}

impl Tree<'_> {
    /// Visits all pages. Without `is_dead` nothing but pages is cleaned up.
    pub fn vacuum(&self, run: &mut VacuumRun<'_>, mut is_dead: Option<&mut dyn FnMut(TupleId) -> bool>) -> Result<()> {
        (run.stats.pages, run.stats.tuples) = (0, 0.0);
        (run.stats.pages_deleted, run.stats.pages_free) = (0, 0);
        let mut block = 1;
        loop {
            let end = self.pool.nblocks(self.index.locator, ForkNumber::Main)?;
            run.stats.pages = end;
            if block >= end {
                break;
            }
            while block < end {
                (run.delay)()?;
                self.visit_with_backtracking(run, BlockNumber(block), &mut is_dead)?;
                block += 1;
            }
        }
        for (block, xid) in std::mem::take(&mut run.deleted) {
            // They were deleted in this order, so the rest is younger.
            if !(self.recyclable)(xid) {
                break;
            }
            storage::fsm::record_free_index_page(self.pool, self.index.locator, block)?;
            run.stats.pages_free += 1;
        }
        if run.stats.pages_free > 0 {
            storage::fsm::vacuum(self.pool, self.index.locator, BlockNumber(0), BlockNumber(run.stats.pages))?;
        }
        Ok(())
    }
    fn visit_with_backtracking(
        &self,
        run: &mut VacuumRun<'_>,
        scanned: BlockNumber,
        is_dead: &mut Option<&mut dyn FnMut(TupleId) -> bool>,
    ) -> Result<()> {
        let mut block = scanned;
        loop {
            let visit = self.visit(run, block, scanned, is_dead)?;
            if visit.is_empty_leaf && block == scanned {
                self.delete_page(run, block)?;
            }
            match visit.backtrack_to {
                Some(right) => block = right,
                None => return Ok(()),
            }
            (run.delay)()?;
        }
    }
    /// (PostgreSQL: `btvacuumpage`)
    fn visit(
        &self,
        run: &mut VacuumRun<'_>,
        block: BlockNumber,
        scanned: BlockNumber,
        is_dead: &mut Option<&mut dyn FnMut(TupleId) -> bool>,
    ) -> Result<Visit> {
        let buffer = self.pin(block, run.strategy)?;
        {
            let page = buffer.shared();
            let is_new = page.is_new();
            if !is_new {
                self.check(&page, block)?;
            }
            let opaque = Opaque::of(&page);
            // Reached by going back: only what belongs to this vacuum's splits.
            if block != scanned
                && (is_new || opaque.cycle_id != run.cycle_id || opaque.is_ignored() || !opaque.is_leaf())
            {
                return Ok(Visit::default());
            }
            if is_new || deleted_at(&page).is_some_and(|xid| (self.recyclable)(xid)) {
                run.stats.pages_deleted += 1;
                run.stats.pages_free += 1;
                drop(page);
                storage::fsm::record_free_index_page(self.pool, self.index.locator, block)?;
                return Ok(Visit::default());
            }
            if opaque.is_deleted() {
                run.stats.pages_deleted += 1;
                return Ok(Visit::default());
            }
            if opaque.is_half_dead() {
                // A vacuum was interrupted.
                return Ok(Visit { is_empty_leaf: opaque.is_leaf(), backtrack_to: None });
            }
            if !opaque.is_leaf() {
                return Ok(Visit::default());
            }
        }
        // A scan that holds a pin may be about to look at rows whose entries we would remove.
        let mut page = buffer.into_cleanup(run.interrupt)?;
        self.clean_leaf(run, &mut page, scanned, is_dead)
    }
    fn clean_leaf(
        &self,
        run: &mut VacuumRun<'_>,
        page: &mut OwnedExclusive,
        scanned: BlockNumber,
        is_dead: &mut Option<&mut dyn FnMut(TupleId) -> bool>,
    ) -> Result<Visit> {
        let opaque = Opaque::of(page);
        let mut visit = Visit::default();
        let of_this_cycle = run.cycle_id != 0 && opaque.cycle_id == run.cycle_id;
        if of_this_cycle && !opaque.has(flags::SPLIT_END) && !opaque.is_rightmost() && opaque.next < scanned {
            visit.backtrack_to = Some(opaque.next);
        }
        let first = opaque.first_data();
        let mut removal = Removal::default();
        let (mut dead, mut alive) = (0, 0);
        for n in first..=page.max_offset() {
            let t = self.item(page, n)?;
            match is_dead {
                Some(is_dead) => {
                    let (d, a) = removal.add(n, t, &mut **is_dead);
                    dead += d;
                    alive += a;
                }
                None => alive += 1,
            }
        }
        if !removal.is_empty() {
            self.remove_items(page, &removal, Reason::Vacuum)?;
            run.stats.tuples_removed += dead as f64;
        } else if of_this_cycle {
            change_opaque(page.hint_write(), |o| o.cycle_id = 0);
            page.mark_dirty_hint()?;
        }
        run.stats.tuples += alive as f64;
        visit.is_empty_leaf = first > page.max_offset();
        Ok(visit)
    }

    /// Deletes an empty leaf, and right siblings that turn out to be empty. (PostgreSQL: `_bt_pagedel`)
    fn delete_page(&self, run: &mut VacuumRun<'_>, block: BlockNumber) -> Result<()> {
        let mut block = block;
        let mut stack: Option<Stack> = None;
        loop {
            run.interrupt.check()?;
            let leaf = self.read_for_write(block)?;
            let opaque = Opaque::of(&leaf);
            let has_items = opaque.first_data() <= leaf.max_offset();
            if !opaque.is_leaf()
                || opaque.is_deleted()
                || opaque.is_rightmost()
                || opaque.is_root()
                || has_items
                || opaque.is_split_incomplete()
            {
                return Ok(());
            }
            if !opaque.is_half_dead() {
                let Some(way) = &mut stack else {
                    let high = self.item(&leaf, HIGH_KEY)?.to_vec();
                    drop(leaf);
                    if self.is_right_half_of_incomplete_split(opaque.prev, block)? {
                        return Ok(());
                    }
                    let mut key = self.key_of(&high)?;
                    key.backward = true;
                    stack = Some(self.way_to(&key)?);
                    continue;
                };
                if !self.mark_half_dead(leaf, way)? {
                    return Ok(());
                }
            } else {
                drop(leaf);
            }
            let mut right_is_empty = false;
            loop {
                run.interrupt.check()?;
                let more = self.unlink_page(run, block, &mut right_is_empty)?;
                let leaf = self.read(block)?;
                let opaque = Opaque::of(&leaf);
                if !more {
                    return Ok(());
                }
                if !opaque.is_half_dead() {
                    if !right_is_empty {
                        return Ok(());
                    }
                    block = opaque.next;
                    break;
                }
            }
        }
    }
    fn is_right_half_of_incomplete_split(&self, left: BlockNumber, block: BlockNumber) -> Result<bool> {
        if left == NONE {
            return Ok(false);
        }
        let opaque = Opaque::of(&*self.read(left)?);
        Ok(opaque.next == block && opaque.is_split_incomplete())
    }
    /// First step: out of the parent. `false`: it cannot be deleted now. (PostgreSQL: `_bt_mark_page_halfdead`)
    fn mark_half_dead(&self, mut leaf: OwnedExclusive, stack: &mut Stack) -> Result<bool> {
        let (block, opaque) = (leaf.block(), Opaque::of(&leaf));
        // Deleting two neighbours at once would confuse the second step.
        if Opaque::of(&*self.read(opaque.next)?).is_half_dead() {
            return Ok(false);
        }
        let Some(branch) = self.lock_branch_parent(block, opaque.next, stack)? else { return Ok(false) };
        let Branch { mut parent, offnum, top, top_right } = branch;
        if tuple::downlink(self.item(&parent, offnum + 1)?) != top_right {
            return Ok(false);
        }
        let mut new_parent = parent.to_boxed();
        remove_downlink(&mut new_parent, offnum)?;
        let top = if top == block { BlockNumber::INVALID } else { top };
        let mut new_leaf = leaf.to_boxed();
        change_opaque(&mut new_leaf, |o| o.flags |= flags::HALF_DEAD);
        if !new_leaf.index_tuple_overwrite(HIGH_KEY, &half_dead_high_key(top))? {
            return Err(base::PgError::internal("could not overwrite high key in half-dead page"));
        }
        self.note_moved(block, opaque.next);
        critical(|section| {
            parent.write(section).copy_from(&new_parent);
            leaf.write(section).copy_from(&new_leaf);
            let Some(log) = self.log else { return };
            let data =
                HalfDead { parent_offnum: offnum, leaf: block, left: opaque.prev, right: opaque.next, top_parent: top };
            let record = RecordBuilder::new(RmgrId::BTREE, MARK_PAGE_HALFDEAD)
                .xid(self.xid)
                .main_data(&data.encode())
                .register_buffer(0, &leaf, RegBuf::WILL_INIT)
                .register_buffer(1, &parent, RegBuf::STANDARD);
            let lsn = log.insert(section, record);
            parent.set_lsn(section, lsn);
            leaf.set_lsn(section, lsn);
        });
        Ok(true)
    }
    /// The lowest page above `child` that keeps a child when this branch goes. `None`: the branch cannot be deleted.
    /// (PostgreSQL: `_bt_lock_subtree_parent`)
    fn lock_branch_parent(&self, child: BlockNumber, right: BlockNumber, stack: &mut Stack) -> Result<Option<Branch>> {
        let (mut top, mut top_right) = (child, right);
        let mut above = stack.clone();
        loop {
            if above.is_empty() {
                return Ok(None);
            }
            let Some((parent, offnum)) = self.find_downlink(&mut above, top)? else { return Ok(None) };
            let opaque = Opaque::of(&parent);
            if offnum < parent.max_offset() {
                return Ok(Some(Branch { parent, offnum, top, top_right }));
            }
            // The last child: its key space would go to the next parent. Only if it is the only one, that parent as well.
            if offnum != opaque.first_data() || opaque.is_rightmost() {
                return Ok(None);
            }
            let block = parent.block();
            drop(parent);
            if self.is_right_half_of_incomplete_split(opaque.prev, block)? {
                return Ok(None);
            }
            (top, top_right) = (block, opaque.next);
            above.pop();
        }
    }
    /// Second step: one page of the half-dead leaf's branch is taken out of its level, the topmost first, the leaf last.
    /// `false`: it could not be done. (PostgreSQL: `_bt_unlink_halfdead_page`)
    fn unlink_page(&self, run: &mut VacuumRun<'_>, leaf_block: BlockNumber, right_is_empty: &mut bool) -> Result<bool> {
        let (leaf_opaque, target) = {
            let leaf = self.read(leaf_block)?;
            (Opaque::of(&leaf), tuple::downlink(self.item(&leaf, HIGH_KEY)?))
        };
        let is_leaf = !target.is_valid();
        let target = if is_leaf { leaf_block } else { target };
        let (mut left_block, level) = match is_leaf {
            true => (leaf_opaque.prev, 0),
            false => {
                let o = Opaque::of(&*self.read(target)?);
                (o.prev, o.level)
            }
        };
        // Leaf first, then from left to right on the target's level.
        let mut leaf = if is_leaf { None } else { Some(self.read_for_write(leaf_block)?) };
        let mut left = None;
        while left_block != NONE {
            let page = self.read_for_write(left_block)?;
            let o = Opaque::of(&page);
            if !o.is_deleted() && o.next == target {
                left = Some(page);
                break;
            }
            if o.is_rightmost() || o.is_deleted() || o.next == left_block {
                return Ok(false);
            }
            left_block = o.next;
        }
        let mut page = self.read_for_write(target)?;
        let opaque = Opaque::of(&page);
        if opaque.is_rightmost() || opaque.is_root() || opaque.is_deleted() {
            return Err(self.corrupted(format_args!("target page changed status unexpectedly in block {target}")));
        }
        if opaque.prev != left_block {
            return Err(self.corrupted(format_args!(
                "target page left link unexpectedly changed from {left_block} to {} in block {target}",
                opaque.prev
            )));
        }
        let next_top = match is_leaf {
            true => BlockNumber::INVALID,
            false => match tuple::downlink(self.item(&page, opaque.first_data())?) {
                child if child == leaf_block => BlockNumber::INVALID,
                child => child,
            },
        };
        let mut right = self.read_for_write(opaque.next)?;
        let right_opaque = Opaque::of(&right);
        if right_opaque.prev != target {
            return Ok(false);
        }
        *right_is_empty = right_opaque.first_data() > right.max_offset();
        // The right sibling becomes the only page of its level: searches may begin there.
        let mut meta = None;
        if left_block == NONE && right_opaque.is_rightmost() {
            let m = self.read_for_write(META_BLOCK)?;
            let mut data = self.meta_of(&m)?;
            if data.fast_level <= level + 1 {
                data.fast_root = opaque.next;
                data.fast_level = level;
                meta = Some((m, data));
            }
        }
        let safe_xid = (run.next_xid)();
        let mut new_leaf = leaf.as_ref().map(|l| l.to_boxed());
        if let Some(new_leaf) = &mut new_leaf {
            new_leaf.index_tuple_overwrite(HIGH_KEY, &half_dead_high_key(next_top))?;
        }
        critical(|section| {
            if let Some(left) = &mut left {
                change_opaque(left.write(section), |o| o.next = opaque.next);
            }
            change_opaque(right.write(section), |o| o.prev = left_block);
            if let (Some(leaf), Some(new)) = (&mut leaf, &new_leaf) {
                leaf.write(section).copy_from(new);
            }
            let p = page.write(section);
            set_deleted(p, safe_xid);
            change_opaque(p, |o| o.cycle_id = 0);
            if let Some((m, data)) = &mut meta {
                data.store(m.write(section));
            }
            let Some(log) = self.log else { return };
            let data = Unlink {
                left: left_block,
                right: opaque.next,
                level,
                safe_xid,
                leaf_left: leaf_opaque.prev,
                leaf_right: leaf_opaque.next,
                leaf_top_parent: next_top,
            };
            let info = if meta.is_some() { UNLINK_PAGE_META } else { UNLINK_PAGE };
            let mut record = RecordBuilder::new(RmgrId::BTREE, info)
                .xid(self.xid)
                .main_data(&data.encode())
                .register_buffer(0, &page, RegBuf::WILL_INIT);
            if let Some(left) = &left {
                record = record.register_buffer(1, left, RegBuf::STANDARD);
            }
            record = record.register_buffer(2, &right, RegBuf::STANDARD);
            if let Some(leaf) = &leaf {
                record = record.register_buffer(3, leaf, RegBuf::WILL_INIT);
            }
            if let Some((m, data)) = &meta {
                record =
                    record.register_buffer(4, m, RegBuf::WILL_INIT | RegBuf::STANDARD).buffer_data(4, &put_meta(data));
            }
            let lsn = log.insert(section, record);
            page.set_lsn(section, lsn);
            right.set_lsn(section, lsn);
            for other in left.iter_mut().chain(leaf.iter_mut()) {
                other.set_lsn(section, lsn);
            }
            if let Some((m, _)) = &mut meta {
                m.set_lsn(section, lsn);
            }
        });
        run.stats.pages_newly_deleted += 1;
        // Pages behind the scan, and the one it is at, are counted here; it will come to the others.
        if target <= leaf_block {
            run.stats.pages_deleted += 1;
        }
        run.deleted.push((target, safe_xid));
        Ok(true)
    }

    /// Is it worthwhile to visit all pages only to recycle some? (PostgreSQL: `_bt_vacuum_needs_cleanup`)
    pub fn needs_cleanup(&self) -> Result<bool> {
        let deleted = self.meta()?.last_cleanup_num_delpages;
        Ok(deleted > 0 && deleted > self.pool.nblocks(self.index.locator, ForkNumber::Main)? / 20)
    }
    /// Remembers in the metapage how many deleted pages could not be recycled yet. (PostgreSQL: `_bt_set_cleanup_info`)
    pub fn set_cleanup_info(&self, deleted: u32) -> Result<()> {
        if self.meta()?.last_cleanup_num_delpages == deleted {
            return Ok(());
        }
        let mut page = self.read_for_write(META_BLOCK)?;
        let mut meta = self.meta_of(&page)?;
        meta.last_cleanup_num_delpages = deleted;
        critical(|section| {
            meta.store(page.write(section));
            let Some(log) = self.log else { return };
            let record = RecordBuilder::new(RmgrId::BTREE, META_CLEANUP)
                .xid(self.xid)
                .register_buffer(0, &page, RegBuf::WILL_INIT | RegBuf::STANDARD)
                .buffer_data(0, &put_meta(&meta));
            let lsn = log.insert(section, record);
            page.set_lsn(section, lsn);
        });
        Ok(())
    }
}

/// A branch without leaves worth keeping: its top, and the page above with the downlinks.
struct Branch {
    parent: OwnedExclusive,
    offnum: OffsetNumber,
    top: BlockNumber,
    top_right: BlockNumber,
}

const _: () = assert!(FIRST_KEY == HIGH_KEY + 1);
