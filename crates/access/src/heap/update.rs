//! Updating rows.
//!
//! 1. Which columns change decides how strongly the old version is locked, and whether the new one can be heap-only.
//! 2. The row is made ours to change (`settle`).
//! 3. If values must be toasted, or the page has no room, the old version is locked for all to see, and the latch
//!    released meanwhile.
//! 4. Both pages are latched, the lower block first. In a critical section the new version is placed, the old one marked
//!    and linked to it, the record written.
//!
//! PostgreSQL: `heap_update`, `log_heap_update`.

use base::{Result, TupleId, Xid};
use storage::page::{flags, maxalign};
use storage::{ExclusivePage, OwnedExclusive, PinnedBuffer, critical, vm};
use txn::{Transaction, stats};
use types::DatumRef;
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::delete::{adjust_cmax, clear_frozen, invisible, latch_with_map, settle, tuple_at};
use super::insert::{clear_map, prepare, put};
use super::visibility::Viewer;
use super::wal::{Lock, Update, lock_flags, op, put_header, update_flags};
use super::xmax::{self, Queue};
use super::{HeapRelation, ModifyOptions, Outcome, RowLock, change, hio};
use crate::toast;
use crate::tuple::{self, Header, Row, header, infomask, infomask2};

/// Which indexes need an entry for the new version. (PostgreSQL: `TU_UpdateIndexes`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpdateIndexes {
    /// None: the new version is heap-only.
    None,
    All,
    /// Only summarizing ones (BRIN).
    Summarizing,
}

/// What an update did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Updated {
    pub outcome: Outcome,
    /// The new version, if `outcome` is `Ok`.
    pub tid: TupleId,
    pub indexes: UpdateIndexes,
    /// How the old version was locked: to be used again when following to a newer version.
    pub lock: RowLock,
}

/// Which kinds of columns an update changes.
#[derive(Clone, Copy, Default)]
pub(super) struct Changes {
    keys: bool,
    indexed: bool,
    summarized: bool,
}

impl Changes {
    pub fn lock(self) -> RowLock {
        if self.keys { RowLock::Exclusive } else { RowLock::NoKeyExclusive }
    }
}

impl HeapRelation {
    /// Compares the columns that matter, as they are stored. (PostgreSQL: `HeapDetermineColumnsInfo`)
    fn changes<R: Row + ?Sized>(&self, old: Header<'_>, row: &R) -> Result<Changes> {
        let mut changes = Changes::default();
        let mut interesting = self.indexed.clone();
        interesting.union(&self.summarized);
        interesting.union(&self.keys);
        for i in interesting.iter().filter(|&i| i < self.layout.len()) {
            self.compare_column(old, i, row.value(i), &mut changes)?;
        }
        Ok(changes)
    }
    /// As `changes`, of some columns; the others stay.
    pub(super) fn changes_of(&self, old: Header<'_>, columns: &[(usize, DatumRef<'_>)]) -> Result<Changes> {
        let mut changes = Changes::default();
        for &(i, value) in columns {
            if self.keys.contains(i) || self.indexed.contains(i) || self.summarized.contains(i) {
                self.compare_column(old, i, value, &mut changes)?;
            }
        }
        Ok(changes)
    }
    fn compare_column(&self, old: Header<'_>, i: usize, new: DatumRef<'_>, changes: &mut Changes) -> Result<()> {
        if self.layout.attr(old.bytes(), i)? != new {
            changes.keys |= self.keys.contains(i);
            changes.indexed |= self.indexed.contains(i);
            changes.summarized |= self.summarized.contains(i);
        }
        Ok(())
    }

    /// Replaces a row by a new version. `row` are all its columns; a value that was not touched may be the old version's
    /// TOAST pointer. (PostgreSQL: `heap_update`)
    pub fn update<R: Row + ?Sized>(
        &self,
        txn: &Transaction,
        tid: TupleId,
        row: &R,
        options: ModifyOptions<'_>,
    ) -> Result<Updated> {
        let xid = txn.xid()?;
        let viewer = Viewer::new(txn);
        let pool = txn.manager().pool();
        let buffer = pool.read(self.locator, tid.block)?;
        let mut map = None;
        let mut queue = Queue::new(self, txn, tid);
        let mut changes = None;
        let (mut page, outcome) = settle(self, &buffer, &mut map, &viewer, &mut queue, tid, options, |h| {
            Ok(changes.insert(self.changes(h, row)?).lock())
        })?;
        let changes = match changes {
            Some(c) => c,
            None => self.changes(tuple_at(&page, tid.offset)?, row)?,
        };
        let lock = changes.lock();
        let failed = |outcome| Updated { outcome, tid, indexes: UpdateIndexes::None, lock };
        match outcome {
            Outcome::Ok => {}
            Outcome::Invisible => return Err(invisible("update")),
            other => return Ok(failed(other)),
        }
        if lock == RowLock::NoKeyExclusive {
            txn.manager().multixacts().set_oldest_member(txn);
        }
        let mut t = Vec::new();
        self.layout.form_heap(row, &mut t)?;
        let old = tuple_at(&page, tid.offset)?;
        let needs_toast = toast::is_needed(self, t.as_slice()) || old.has(infomask::HASEXTERNAL);
        let mut other = None;
        if needs_toast || maxalign(t.len()) > page.heap_free_space() {
            let old_bytes = old.bytes().to_vec();
            self.lock_old_version(&viewer, &mut page, map.as_ref(), tid, xid, lock, options)?;
            drop(page);
            if needs_toast {
                toast::form_tuple(self, txn, row, Some(&old_bytes), &mut t)?;
            }
            hio::check_size(t.len())?;
            (page, other) = self.latch_both(txn, &buffer, &mut map, t.len())?;
        }
        self.replace(&viewer, page, other, map.as_ref(), tid, &mut t, changes, options)
    }

    /// The old version is ours and its page latched, and `other` if the new one goes there: writes.
    #[expect(clippy::too_many_arguments, reason = "the state of one update")]
    pub(super) fn replace(
        &self,
        viewer: &Viewer<'_>,
        page: ExclusivePage<'_>,
        other: Option<OwnedExclusive>,
        map: Option<&PinnedBuffer>,
        tid: TupleId,
        t: &mut [u8],
        changes: Changes,
        options: ModifyOptions<'_>,
    ) -> Result<Updated> {
        let (txn, lock) = (viewer.txn(), changes.lock());
        let xid = txn.xid()?;
        self.before_write(txn, Some(tid))?;
        let old = tuple_at(&page, tid.offset)?;
        let (cmax, combo) = adjust_cmax(viewer, old, options.cid)?;
        let old_xmax = xmax::new_xmax(viewer, old, xid, lock, true)?;
        prepare(t, xid, options.cid, false);
        header::change_infomask(t, 0, infomask::UPDATED);
        self.carry_lockers(viewer, old, t)?;

        let new_block = other.as_ref().map_or(tid.block, OwnedExclusive::block);
        let hot = new_block == tid.block && !changes.indexed;
        if hot {
            header::change_infomask2(t, 0, infomask2::ONLY_TUPLE);
        }
        let change = Change { viewer, xid, tid, hot, cmax, combo, old_xmax };
        let new_tid = self.write_update(change, page, other, map, t)?;
        let counted = match (hot, new_block == tid.block) {
            (true, _) => stats::Change::HotUpdate,
            (false, true) => stats::Change::Update,
            (false, false) => stats::Change::NewPageUpdate,
        };
        txn.count(self.stats(txn), counted, 1);
        let indexes = match (hot, changes.summarized) {
            (false, _) => UpdateIndexes::All,
            (true, true) => UpdateIndexes::Summarizing,
            (true, false) => UpdateIndexes::None,
        };
        Ok(Updated { outcome: Outcome::Ok, tid: new_tid, indexes, lock })
    }

    /// The lockers of the old version that still run lock the new one, too.
    fn carry_lockers(&self, viewer: &Viewer<'_>, old: Header<'_>, t: &mut [u8]) -> Result<()> {
        let mask = old.infomask();
        let over = old.has(infomask::XMAX_INVALID)
            || xmax::locked_upgraded(mask)
            || old.xmax_is_multi() && !viewer.multi_is_running(old.raw_xmax(), old.xmax_locked_only())?
            || !old.xmax_is_multi() && !viewer.is_current(old.raw_xmax()) && !viewer.in_progress(old.raw_xmax());
        if over {
            return Ok(());
        }
        let bits = match old.xmax_is_multi() {
            true => xmax::multi_bits(viewer, base::MultiXactId(old.raw_xmax().0))?,
            false => change::NewXmax {
                xmax: old.raw_xmax(),
                infomask: infomask::XMAX_KEYSHR_LOCK | infomask::XMAX_LOCK_ONLY,
                infomask2: 0,
            },
        };
        header::change_infomask(t, infomask::XMAX_BITS, bits.infomask);
        header::change_infomask2(t, infomask2::KEYS_UPDATED, bits.infomask2);
        header::set_xmax(t, bits.xmax);
        Ok(())
    }

    /// Makes the old version ours while its page is not latched: a lock that others see.
    fn lock_old_version(
        &self,
        viewer: &Viewer<'_>,
        page: &mut ExclusivePage<'_>,
        map: Option<&PinnedBuffer>,
        tid: TupleId,
        xid: Xid,
        mode: RowLock,
        options: ModifyOptions<'_>,
    ) -> Result<()> {
        let h = tuple_at(page, tid.offset)?;
        let new = xmax::new_xmax(viewer, h, xid, mode, false)?;
        let (cmax, combo) = adjust_cmax(viewer, h, options.cid)?;
        let mut map = map.filter(|_| page.is_all_visible()).map(PinnedBuffer::exclusive);
        critical(|section| {
            let t = page.write(section).item_mut(tid.offset).expect("looked at above");
            new.apply(t, Some(false));
            change::set_cmax(t, cmax, combo);
            header::set_ctid(t, tid);
            let cleared = clear_frozen(&mut map, section, tid.block);
            log_lock(self, viewer.txn(), section, page, map.as_mut().filter(|_| cleared), tid, xid, &new);
        });
        Ok(())
    }

    /// The old version's page latched, and another one with room, if the old one has none.
    fn latch_both<'b>(
        &self,
        txn: &Transaction,
        buffer: &'b PinnedBuffer,
        map: &mut Option<PinnedBuffer>,
        len: usize,
    ) -> Result<(ExclusivePage<'b>, Option<OwnedExclusive>)> {
        loop {
            let page = latch_with_map(self, txn, buffer, map)?;
            if maxalign(len) <= page.heap_free_space() {
                return Ok((page, None));
            }
            drop(page);
            let found = hio::page_for(self, txn, len, len, true, None)?.page.unlatch();
            if found.block() == buffer.block() {
                continue;
            }
            // In the order of blocks, as everybody does.
            let (page, other) = if found.block() < buffer.block() {
                let other = found.into_exclusive();
                (buffer.exclusive(), other)
            } else {
                let page = buffer.exclusive();
                (page, found.into_exclusive())
            };
            let room = other.is_new() || other.heap_free_space() >= maxalign(len);
            if room && (!page.is_all_visible() || map.is_some()) {
                return Ok((page, Some(other)));
            }
            // Somebody was faster: another try, perhaps another page. The row stays locked by us.
            drop((page, other));
            if map.is_none() {
                *map = Some(vm::pin(txn.manager().pool(), self.locator, buffer.block())?);
            }
            txn.proc().interrupt().check()?;
        }
    }
}

/// What is about to be written.
struct Change<'a> {
    viewer: &'a Viewer<'a>,
    xid: Xid,
    tid: TupleId,
    hot: bool,
    cmax: base::CommandId,
    combo: bool,
    old_xmax: change::NewXmax,
}

impl HeapRelation {
    fn write_update(
        &self,
        c: Change<'_>,
        mut old: ExclusivePage<'_>,
        mut new: Option<OwnedExclusive>,
        map: Option<&PinnedBuffer>,
        t: &[u8],
    ) -> Result<TupleId> {
        let txn = c.viewer.txn();
        let wal = txn.manager().wal();
        let block = new.as_ref().map_or(c.tid.block, OwnedExclusive::block);
        let (old_visible, new_visible) = (old.is_all_visible(), new.as_ref().is_some_and(|p| p.is_all_visible()));
        // The map's pages, pinned before; the new page's may be the same as the old one's.
        let old_map = map.filter(|_| old_visible);
        let new_map = match new_visible {
            true if old_map.is_some_and(|m| vm::covers(m, block)) => None,
            true => Some(vm::pin(txn.manager().pool(), self.locator, block)?),
            false => None,
        };
        let shared_map = new_visible && new_map.is_none();
        // Two pages of the map in the order of blocks, too.
        let (mut old_map, mut new_map) = match (old_map, &new_map) {
            (Some(o), Some(n)) if n.block() < o.block() => {
                let n = n.exclusive();
                (Some(o.exclusive()), Some(n))
            }
            (o, n) => (o.map(PinnedBuffer::exclusive), n.as_ref().map(PinnedBuffer::exclusive)),
        };
        let before = tuple_at(&old, c.tid.offset)?.bytes();
        let (prefix, suffix) = match new.is_none() && self.needs_wal() && !wal.needs_image(&old) {
            true => common_ends(before, t),
            false => (0, 0),
        };
        Ok(critical(|section| {
            change::set_prunable(old.write(section), c.xid);
            let target = match &mut new {
                Some(p) => {
                    // Those who look for room learn that pruning this page may pay.
                    old.write(section).set_flag(flags::PAGE_FULL);
                    p.write(section)
                }
                None => old.write(section),
            };
            if target.is_new() {
                target.init(0);
            }
            let off = put(target, block, t, 0);
            let new_tid = TupleId::new(block, off);
            if new_visible {
                target.clear_flag(flags::ALL_VISIBLE);
            }
            let p = old.write(section);
            if old_visible {
                p.clear_flag(flags::ALL_VISIBLE);
            }
            let o = p.item_mut(c.tid.offset).expect("looked at above");
            c.old_xmax.apply(o, Some(c.hot));
            change::set_cmax(o, c.cmax, c.combo);
            header::set_ctid(o, new_tid);
            let old_cleared = old_visible && clear_map(&mut old_map, section, c.tid.block);
            let new_cleared = match shared_map {
                true => clear_map(&mut old_map, section, block),
                false => new_visible && clear_map(&mut new_map, section, block),
            };
            if !self.needs_wal() {
                return new_tid;
            }
            let mut f = 0;
            for (yes, flag) in [
                (old_visible, update_flags::OLD_ALL_VISIBLE_CLEARED),
                (new_visible, update_flags::NEW_ALL_VISIBLE_CLEARED),
                (prefix > 0, update_flags::PREFIX_FROM_OLD),
                (suffix > 0, update_flags::SUFFIX_FROM_OLD),
            ] {
                f |= if yes { flag } else { 0 };
            }
            let max_offset = new.as_ref().map_or_else(|| old.max_offset(), |p| p.max_offset());
            let init = off == 1 && max_offset == 1;
            let info = if c.hot { op::HOT_UPDATE } else { op::UPDATE } | if init { op::INIT_PAGE } else { 0 };
            let reg = if init { RegBuf::STANDARD | RegBuf::WILL_INIT } else { RegBuf::STANDARD };
            let head = Update {
                old_xmax: c.old_xmax.xmax,
                old_offnum: c.tid.offset,
                old_infobits: c.old_xmax.infobits(),
                flags: f,
                new_xmax: Header::new(t).map_or(Xid::INVALID, Header::raw_xmax),
                new_offnum: off,
            };
            let mut record = RecordBuilder::new(RmgrId::HEAP, info).xid(c.xid).main_data(&head.encode());
            record = match &new {
                Some(p) => record.register_buffer(0, p, reg).register_buffer(1, &old, RegBuf::STANDARD),
                None => record.register_buffer(0, &old, reg),
            };
            record.push_buffer_data(0, &update_data(t, prefix, suffix));
            // A page of the map that serves both is named as the new page's, if that one's bits changed.
            let (vm_new, vm_old) = match shared_map && new_cleared {
                true => (old_map.as_ref(), None),
                false => (new_map.as_ref().filter(|_| new_cleared), old_map.as_ref().filter(|_| old_cleared)),
            };
            if let Some(m) = vm_new {
                record = record.register_buffer(2, m, RegBuf::NONE);
            }
            if let Some(m) = vm_old {
                record = record.register_buffer(3, m, RegBuf::NONE);
            }
            let lsn = wal.insert(section, record);
            old.set_lsn(section, lsn);
            if let Some(p) = &mut new {
                p.set_lsn(section, lsn);
            }
            if let Some(m) = old_map.as_mut().filter(|_| old_cleared || shared_map && new_cleared) {
                m.set_lsn(section, lsn);
            }
            if let Some(m) = new_map.as_mut().filter(|_| new_cleared) {
                m.set_lsn(section, lsn);
            }
            new_tid
        }))
    }
}

/// How many bytes of data both versions begin and end with; fewer than three are not worth it.
fn common_ends(old: &[u8], new: &[u8]) -> (usize, usize) {
    let (old, new) = (&old[usize::from(old[22])..], &new[usize::from(new[22])..]);
    let shorter = old.len().min(new.len());
    let worth = |n: usize| if n < 3 { 0 } else { n };
    let prefix = worth(old.iter().zip(new).take_while(|(a, b)| a == b).count());
    let ends = old.iter().rev().zip(new.iter().rev()).take(shorter - prefix);
    (prefix, worth(ends.take_while(|(a, b)| a == b).count()))
}

/// Block 0's data of an update: see `redo::updated_tuple`.
fn update_data(t: &[u8], prefix: usize, suffix: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(t.len());
    for n in [prefix, suffix] {
        if n > 0 {
            data.extend_from_slice(&(n as u16).to_le_bytes());
        }
    }
    put_header(&mut data, t);
    let (hoff, end) = (usize::from(t[22]), t.len() - suffix);
    if prefix == 0 {
        data.extend_from_slice(&t[tuple::HEADER_SIZE..end]);
    } else {
        data.extend_from_slice(&t[tuple::HEADER_SIZE..hoff]);
        data.extend_from_slice(&t[hoff + prefix..end]);
    }
    data
}

/// Logs that a tuple was locked. `map`: its page of the visibility map, if its bit was cleared.
pub(super) fn log_lock(
    rel: &HeapRelation,
    txn: &Transaction,
    section: &storage::Critical,
    page: &mut ExclusivePage<'_>,
    map: Option<&mut ExclusivePage<'_>>,
    tid: TupleId,
    xid: Xid,
    new: &change::NewXmax,
) {
    if !rel.needs_wal() {
        return;
    }
    let flags = if map.is_some() { lock_flags::ALL_FROZEN_CLEARED } else { 0 };
    let head = Lock { xmax: new.xmax, offnum: tid.offset, infobits: new.infobits(), flags };
    let mut record = RecordBuilder::new(RmgrId::HEAP, op::LOCK).xid(xid).main_data(&head.encode()).register_buffer(
        0,
        page,
        RegBuf::STANDARD,
    );
    if let Some(m) = &map {
        record = record.register_buffer(1, &**m, RegBuf::NONE);
    }
    let lsn = txn.manager().wal().insert(section, record);
    page.set_lsn(section, lsn);
    if let Some(m) = map {
        m.set_lsn(section, lsn);
    }
}
