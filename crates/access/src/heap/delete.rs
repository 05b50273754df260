//! Deleting rows; and what deleting and updating share: making sure that the row is ours to change.
//!
//! PostgreSQL: `heap_delete`.

use base::sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE;
use base::{CommandId, PgError, Result, TupleId};
use storage::page::flags;
use storage::{ExclusivePage, PinnedBuffer, critical, vm};
use txn::lock::Wait;
use txn::stats::Change;
use txn::{Snapshot, Transaction};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::bulk_change::BulkChange;
use super::insert::clear_map;
use super::visibility::{ForUpdate, Look, Viewer, set_hints_exclusive};
use super::wal::{Delete, delete_flags, op};
use super::xmax::{self, Queue};
use super::{HeapRelation, Outcome, RowLock, WaitPolicy, change};
use crate::toast;
use crate::tuple::{Header, header, infomask, varlena::corrupted};

/// How to delete or update.
#[derive(Clone, Copy)]
pub struct ModifyOptions<'a> {
    /// The command: [`Transaction::command_id`].
    pub cid: CommandId,
    /// Wait for other transactions; else [`Outcome::BeingModified`].
    pub wait: bool,
    /// The row must also be seen by this one (REPEATABLE READ, referential actions).
    pub crosscheck: Option<&'a Snapshot>,
    /// The row goes to another partition.
    pub moving: bool,
}

impl<'a> ModifyOptions<'a> {
    pub fn new(cid: CommandId) -> ModifyOptions<'a> {
        ModifyOptions { cid, wait: true, crosscheck: None, moving: false }
    }
}

/// The tuple at `off` of a latched page.
pub(super) fn tuple_at(page: &storage::Page, off: u16) -> Result<Header<'_>> {
    if !page.item_id(off).is_normal() {
        return Err(PgError::internal("attempted to access a dead line pointer"));
    }
    page.item(off).and_then(Header::new).ok_or_else(|| corrupted("a line pointer points off its page"))
}

/// Latches a heap page; if all its tuples are visible to everyone, the map's page is pinned before.
pub(super) fn latch_with_map<'b>(
    rel: &HeapRelation,
    txn: &Transaction,
    buffer: &'b PinnedBuffer,
    map: &mut Option<PinnedBuffer>,
) -> Result<ExclusivePage<'b>> {
    loop {
        let page = buffer.exclusive();
        if !page.is_all_visible() || map.is_some() {
            return Ok(page);
        }
        drop(page);
        *map = Some(vm::pin(txn.manager().pool(), rel.locator, buffer.block())?);
    }
}

/// Notes what became of xmax, which ended. (PostgreSQL: `UpdateXmaxHintBits`)
pub(super) fn hint_ended_xmax(page: &mut ExclusivePage<'_>, off: u16, viewer: &Viewer<'_>) -> Result<()> {
    let h = tuple_at(page, off)?;
    if h.has(infomask::XMAX_COMMITTED | infomask::XMAX_INVALID) {
        return Ok(());
    }
    let xmax = h.raw_xmax();
    let bit = match !h.xmax_locked_only() && viewer.did_commit(xmax)? {
        false => infomask::XMAX_INVALID,
        true if viewer.txn().manager().may_hint_committed(xmax) => infomask::XMAX_COMMITTED,
        true => 0,
    };
    set_hints_exclusive(page, &[(off, bit)])
}

/// The outcome of a row that is not ours to change.
pub(super) fn outcome(viewer: &Viewer<'_>, h: Header<'_>, status: ForUpdate) -> Result<Outcome> {
    let xmax = viewer.update_xid(h)?;
    Ok(match status {
        ForUpdate::Ok => Outcome::Ok,
        ForUpdate::Invisible => Outcome::Invisible,
        ForUpdate::SelfModified => Outcome::SelfModified { ctid: h.ctid(), xmax, cmax: viewer.cmax(h) },
        ForUpdate::Updated if h.moved_partitions() => Outcome::Deleted { moved_partitions: true, xmax },
        ForUpdate::Updated => Outcome::Updated { ctid: h.ctid(), xmax },
        ForUpdate::Deleted => Outcome::Deleted { moved_partitions: false, xmax },
        ForUpdate::BeingModified => Outcome::BeingModified { xmax },
    })
}

/// Latches the page of a row that is to be changed, waiting for those who are at it. With [`Outcome::Ok`] the row is ours
/// while the latch is held; else it is not, for this reason. `mode` looks at the old tuple and says how it is to be locked.
pub(super) fn settle<'b>(
    rel: &HeapRelation,
    buffer: &'b PinnedBuffer,
    map: &mut Option<PinnedBuffer>,
    viewer: &Viewer<'_>,
    queue: &mut Queue<'_>,
    tid: TupleId,
    options: ModifyOptions<'_>,
    mut mode: impl FnMut(Header<'_>) -> Result<RowLock>,
) -> Result<(ExclusivePage<'b>, Outcome)> {
    let txn = viewer.txn();
    loop {
        let mut page = latch_with_map(rel, txn, buffer, map)?;
        let h = tuple_at(&page, tid.offset)?;
        let (mut status, hints) = viewer.for_update(h, tid, options.cid)?;
        set_hints_exclusive(&mut page, &[(tid.offset, hints)])?;
        let h = tuple_at(&page, tid.offset)?;
        if status == ForUpdate::BeingModified && options.wait {
            let mode = mode(h)?;
            let (xwait, mask, mask2) = (h.raw_xmax(), h.infomask(), h.infomask2());
            let conflict = xmax::conflict(viewer, xwait, mask, mask2, mode)?;
            if conflict.exists {
                drop(page);
                // Who is in the multixact already holds the row: to queue could be a deadlock.
                if !conflict.own_member {
                    queue.join(mode, WaitPolicy::Block)?;
                }
                xmax::wait_for(txn, xwait, mask, mode, Wait::Block)?;
                page = latch_with_map(rel, txn, buffer, map)?;
                if xmax::xmax_changed(tuple_at(&page, tid.offset)?, xwait, mask) {
                    continue;
                }
                if mask & infomask::XMAX_IS_MULTI == 0 {
                    hint_ended_xmax(&mut page, tid.offset, viewer)?;
                }
            }
            let h = tuple_at(&page, tid.offset)?;
            status = if h.has(infomask::XMAX_INVALID) || viewer.is_only_locked(h)? {
                ForUpdate::Ok
            } else if h.ctid() == tid {
                ForUpdate::Deleted
            } else {
                ForUpdate::Updated
            };
        }
        let h = tuple_at(&page, tid.offset)?;
        if let (ForUpdate::Ok, Some(snapshot)) = (status, options.crosscheck)
            && !viewer.sees(h, Look::Mvcc(snapshot))?.0
        {
            status = ForUpdate::Updated;
        }
        let result = outcome(viewer, h, status)?;
        return Ok((page, result));
    }
}

/// The cmax of a tuple that command `cid` of ours deletes: a combo id if we inserted it, too.
/// (PostgreSQL: `HeapTupleHeaderAdjustCmax`)
pub(super) fn adjust_cmax(viewer: &Viewer<'_>, h: Header<'_>, cid: CommandId) -> Result<(CommandId, bool)> {
    if h.xmin_committed() || !viewer.is_current(h.raw_xmin()) {
        return Ok((cid, false));
    }
    Ok((viewer.txn().own().combo_cid(viewer.cmin(h), cid)?, true))
}

pub(super) fn invisible(what: &str) -> PgError {
    PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, format!("attempted to {what} invisible tuple"))
}

impl HeapRelation {
    /// Deletes a row, with its TOASTed values. (PostgreSQL: `heap_delete`)
    pub fn delete(&self, txn: &Transaction, tid: TupleId, options: ModifyOptions<'_>) -> Result<Outcome> {
        let buffer = txn.manager().pool().read(self.locator, tid.block)?;
        self.delete_on(txn, &buffer, tid, options)
    }
    /// As `delete`, one of many.
    pub fn delete_next(
        &self,
        txn: &Transaction,
        tid: TupleId,
        options: ModifyOptions<'_>,
        state: &mut BulkChange,
    ) -> Result<Outcome> {
        let buffer = state.page(self, txn, tid.block)?;
        let outcome = self.delete_on(txn, &buffer, tid, options);
        state.keep(buffer);
        outcome
    }
    fn delete_on(
        &self,
        txn: &Transaction,
        buffer: &PinnedBuffer,
        tid: TupleId,
        options: ModifyOptions<'_>,
    ) -> Result<Outcome> {
        let xid = txn.xid()?;
        let viewer = Viewer::new(txn);
        let mut map = None;
        let mut queue = Queue::new(self, txn, tid);
        let (mut page, result) =
            settle(self, buffer, &mut map, &viewer, &mut queue, tid, options, |_| Ok(RowLock::Exclusive))?;
        match result {
            Outcome::Ok => {}
            Outcome::Invisible => return Err(invisible("delete")),
            other => return Ok(other),
        }
        self.before_write(txn, Some(tid))?;
        let h = tuple_at(&page, tid.offset)?;
        let (cmax, combo) = adjust_cmax(&viewer, h, options.cid)?;
        txn.manager().multixacts().set_oldest_member(txn);
        let new = xmax::new_xmax(&viewer, h, xid, RowLock::Exclusive, true)?;
        let old = if h.has(infomask::HASEXTERNAL) { h.bytes().to_vec() } else { Vec::new() };
        let all_visible = page.is_all_visible();
        let mut map = map.as_ref().filter(|_| all_visible).map(PinnedBuffer::exclusive);
        critical(|section| {
            let p = page.write(section);
            change::set_prunable(p, xid);
            let cleared = all_visible && clear_map(&mut map, section, tid.block);
            if all_visible {
                p.clear_flag(flags::ALL_VISIBLE);
            }
            let t = p.item_mut(tid.offset).expect("looked at above");
            new.apply(t, Some(false));
            change::set_cmax(t, cmax, combo);
            header::set_ctid(t, if options.moving { change::MOVED_PARTITIONS } else { tid });
            if !self.needs_wal() {
                return;
            }
            let mut f = if all_visible { delete_flags::ALL_VISIBLE_CLEARED } else { 0 };
            if options.moving {
                f |= delete_flags::IS_PARTITION_MOVE;
            }
            let head = Delete { xmax: new.xmax, offnum: tid.offset, infobits: new.infobits(), flags: f };
            let mut record = RecordBuilder::new(RmgrId::HEAP, op::DELETE)
                .xid(xid)
                .main_data(&head.encode())
                .register_buffer(0, &page, RegBuf::STANDARD);
            if let Some(m) = map.as_ref().filter(|_| cleared) {
                record = record.register_buffer(1, m, RegBuf::NONE);
            }
            let lsn = txn.manager().wal().insert(section, record);
            page.set_lsn(section, lsn);
            if let Some(m) = map.as_mut().filter(|_| cleared) {
                m.set_lsn(section, lsn);
            }
        });
        drop(map);
        drop(page);
        if !old.is_empty() {
            toast::delete_all(self, txn, &old, false)?;
        }
        txn.count(self.stats(txn), Change::Delete, 1);
        Ok(Outcome::Ok)
    }
}

/// A locked row is not frozen any more, whatever else the map says.
pub(super) fn clear_frozen(
    map: &mut Option<ExclusivePage<'_>>,
    s: &storage::Critical,
    heap: base::BlockNumber,
) -> bool {
    match map {
        Some(m) if vm::bits(m, heap) & vm::ALL_FROZEN != 0 => vm::clear(m.write(s), heap, vm::ALL_FROZEN),
        _ => false,
    }
}
