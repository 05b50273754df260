//! Inserting rows.
//!
//! 1. The tuple is formed, its long values compressed or moved to the TOAST table (`toast`).
//! 2. A page with room is found, pinned and latched (`hio`).
//! 3. In a critical section the tuple goes onto the page, the page loses its all-visible mark, the record is written.
//!
//! Invariants
//! - The visibility map's bit is cleared under the same latch: an index-only scan could trust a stale bit otherwise.
//! - A page whose only tuple this is gets logged as "made anew": redo need not read it.
//!
//! PostgreSQL: `heap_insert`, `heap_multi_insert`.

use base::{BlockNumber, CommandId, OffsetNumber, PgError, Result, TupleId, Xid};
use storage::page::{AddItem, flags, maxalign};
use storage::{ExclusivePage, PinnedBuffer, Strategy, critical, vm};
use txn::Transaction;
use txn::stats::Change;
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::hio::{self, Place};
use super::wal::{Confirm, Delete, Insert, MultiInsert, delete_flags, insert_flags, op, op2};
use super::{HeapRelation, change};
use crate::toast;
use crate::tuple::{self, Header, Row, SPEC_TOKEN_OFFSET, header, infomask, infomask2};

/// How to insert. (PostgreSQL: `TABLE_INSERT_*`)
#[derive(Clone, Copy, Default, Debug)]
pub struct InsertOptions {
    /// Do not look for room in the free-space map: the table is new or bulk loaded.
    pub skip_fsm: bool,
    /// The rows are frozen at once (COPY FREEZE).
    pub frozen: bool,
    /// Speculative (ON CONFLICT): this token, not 0; then [`HeapRelation::finish_speculative`].
    pub speculative_token: u32,
}

/// Keeps the page that a bulk load fills. (PostgreSQL: `BulkInsertState`)
pub struct BulkInsert {
    pub(super) strategy: Option<Strategy>,
    pub(super) buffer: Option<PinnedBuffer>,
    /// Pages added and not used yet.
    pub(super) next_extended: u32,
    pub(super) end_extended: u32,
    /// How many pages the next extension adds at least.
    pub(super) grown: u32,
    /// Room for tuples before they go to their pages.
    bytes: Vec<u8>,
}

impl BulkInsert {
    pub fn new() -> BulkInsert {
        BulkInsert {
            strategy: Some(Strategy::new(storage::StrategyKind::BulkWrite)),
            buffer: None,
            next_extended: 0,
            end_extended: 0,
            grown: 1,
            bytes: Vec::new(),
        }
    }
    /// For statements that add rows among others' pages: no ring of buffers.
    pub fn without_ring() -> BulkInsert {
        BulkInsert { strategy: None, ..BulkInsert::new() }
    }
    pub(super) fn target(&self) -> Option<BlockNumber> {
        self.buffer.as_ref().map(PinnedBuffer::block)
    }
    /// Ends the load: pages that were added and not used become known to others.
    pub fn finish(mut self, rel: &HeapRelation, txn: &Transaction) -> Result<()> {
        self.release(rel, txn)
    }
    /// As `finish`; it can be used again.
    pub fn release(&mut self, rel: &HeapRelation, txn: &Transaction) -> Result<()> {
        self.buffer = None;
        let unused = std::mem::take(&mut self.next_extended)..std::mem::take(&mut self.end_extended);
        self.grown = 1;
        for n in unused {
            storage::fsm::record(txn.manager().pool(), rel.locator, BlockNumber(n), tuple::MAX_HEAP_TUPLE_SIZE)?;
        }
        Ok(())
    }
}

/// Fills in the header of a new tuple. (PostgreSQL: `heap_prepare_insert`)
pub(super) fn prepare(t: &mut [u8], xid: Xid, cid: CommandId, frozen: bool) {
    header::set_xmin(t, xid);
    header::set_xmax(t, Xid::INVALID);
    header::set_raw_cid(t, cid);
    let mut bits = infomask::XMAX_INVALID;
    if frozen {
        bits |= infomask::XMIN_FROZEN;
    }
    header::change_infomask(t, infomask::XACT_MASK, bits);
    header::change_infomask2(t, infomask2::XACT_MASK, 0);
}

/// Puts a tuple that fits onto a page; its own place becomes its ctid. (PostgreSQL: `RelationPutHeapTuple`)
pub(super) fn put(page: &mut storage::Page, block: BlockNumber, t: &[u8], spec_token: u32) -> OffsetNumber {
    let off = page.add_item(t, AddItem::AnywhereHeap).expect("the page was chosen for its room");
    let tid = match spec_token {
        0 => TupleId::new(block, off),
        token => TupleId::new(BlockNumber(token), SPEC_TOKEN_OFFSET),
    };
    header::set_ctid(page.item_mut(off).expect("it was just added"), tid);
    off
}

/// Clears the visibility map's bits for a heap page; `false` if none was set.
pub(super) fn clear_map(map: &mut Option<ExclusivePage<'_>>, section: &storage::Critical, heap: BlockNumber) -> bool {
    match map {
        Some(m) if vm::bits(m, heap) != 0 => vm::clear(m.write(section), heap, vm::VALID_BITS),
        _ => false,
    }
}

impl HeapRelation {
    /// Inserts a row (its values by column; dropped ones null), toasting what is long. Index entries are the caller's
    /// business. External values must be of this table's TOAST table: others are to be fetched before.
    /// (PostgreSQL: `heap_insert`)
    pub fn insert<R: Row + ?Sized>(
        &self,
        txn: &Transaction,
        row: &R,
        options: InsertOptions,
        bulk: Option<&mut BulkInsert>,
    ) -> Result<TupleId> {
        let xid = txn.xid()?;
        let mut t = Vec::new();
        toast::form_tuple(self, txn, row, None, &mut t)?;
        prepare(&mut t, xid, txn.command_id(), options.frozen);
        self.insert_formed(txn, &t, options, bulk)
    }

    /// Inserts a tuple that is formed and prepared.
    pub(crate) fn insert_formed(
        &self,
        txn: &Transaction,
        t: &[u8],
        options: InsertOptions,
        bulk: Option<&mut BulkInsert>,
    ) -> Result<TupleId> {
        let xid = txn.xid()?;
        let Place { mut page, map } = hio::page_for(self, txn, t.len(), t.len(), !options.skip_fsm, bulk)?;
        let block = page.block();
        self.before_write(txn, None)?;
        let all_visible = page.is_all_visible();
        let mut map = map.as_ref().filter(|_| all_visible).map(PinnedBuffer::exclusive);
        let off = critical(|section| {
            let p = page.write(section);
            if p.is_new() {
                p.init(0);
            }
            let off = put(p, block, t, options.speculative_token);
            let cleared = all_visible && clear_map(&mut map, section, block);
            if all_visible {
                p.clear_flag(flags::ALL_VISIBLE);
            }
            if self.needs_wal() {
                let mut info = op::INSERT;
                let mut reg = RegBuf::STANDARD;
                if off == 1 && page.max_offset() == 1 {
                    info |= op::INIT_PAGE;
                    reg = reg | RegBuf::WILL_INIT;
                }
                let mut f = if all_visible { insert_flags::ALL_VISIBLE_CLEARED } else { 0 };
                if options.speculative_token != 0 {
                    f |= insert_flags::IS_SPECULATIVE;
                }
                let mut record = RecordBuilder::new(RmgrId::HEAP, info)
                    .xid(xid)
                    .main_data(&Insert { offnum: off, flags: f }.encode())
                    .register_buffer(0, &page, reg)
                    .buffer_data(0, &t[18..]);
                if let Some(m) = map.as_ref().filter(|_| cleared) {
                    record = record.register_buffer(1, m, RegBuf::NONE);
                }
                let lsn = txn.manager().wal().insert(section, record);
                page.set_lsn(section, lsn);
                if let Some(m) = map.as_mut().filter(|_| cleared) {
                    m.set_lsn(section, lsn);
                }
            }
            off
        });
        txn.count(self.stats(txn), Change::Insert, 1);
        Ok(TupleId::new(block, off))
    }

    /// Inserts many rows, several a page and record; appends their places. (PostgreSQL: `heap_multi_insert`)
    pub fn multi_insert<R: Row>(
        &self,
        txn: &Transaction,
        rows: impl IntoIterator<Item = R>,
        options: InsertOptions,
        bulk: Option<&mut BulkInsert>,
        tids: &mut Vec<TupleId>,
    ) -> Result<()> {
        let (xid, cid) = (txn.xid()?, txn.command_id());
        let mut state = bulk;
        // The tuples one behind the other.
        let mut bytes = state.as_deref_mut().map_or_else(Vec::new, |b| std::mem::take(&mut b.bytes));
        bytes.clear();
        let mut ends = Vec::new();
        for row in rows {
            let from = bytes.len();
            toast::append_tuple(self, txn, &row, &mut bytes)?;
            prepare(&mut bytes[from..], xid, cid, options.frozen);
            hio::check_size(bytes.len() - from)?;
            ends.push(bytes.len());
        }
        let mut from = 0;
        let tuples: Vec<&[u8]> = ends
            .iter()
            .map(|&end| {
                let t = &bytes[from..end];
                from = end;
                t
            })
            .collect();
        let mut done = 0;
        let mut left = bytes.len() + 4 * tuples.len();
        while done < tuples.len() {
            let n = self.insert_some(txn, xid, &tuples[done..], left, options, state.as_deref_mut(), tids)?;
            left -= tuples[done..done + n].iter().map(|t| t.len() + 4).sum::<usize>();
            done += n;
        }
        if let Some(b) = state {
            b.bytes = bytes;
        }
        Ok(())
    }

    /// As many of the tuples as fit one page; at least one. `total`: how many bytes all of them take, about.
    fn insert_some(
        &self,
        txn: &Transaction,
        xid: Xid,
        tuples: &[&[u8]],
        total: usize,
        options: InsertOptions,
        bulk: Option<&mut BulkInsert>,
        tids: &mut Vec<TupleId>,
    ) -> Result<usize> {
        let place = hio::page_for(self, txn, tuples[0].len(), total, !options.skip_fsm, bulk)?;
        let Place { mut page, map } = place;
        let block = page.block();
        self.before_write(txn, None)?;
        let all_visible = page.is_all_visible();
        let mut map = map.as_ref().filter(|_| all_visible).map(PinnedBuffer::exclusive);
        let reserve = self.target_free_space();
        let first_new = page.is_new() || page.max_offset() == 0;
        let mut offsets = Vec::with_capacity(tuples.len());
        critical(|section| {
            let p = page.write(section);
            if p.is_new() {
                p.init(0);
            }
            for t in tuples {
                if !offsets.is_empty() && p.heap_free_space() < maxalign(t.len()) + reserve {
                    break;
                }
                offsets.push(put(p, block, t, 0));
            }
            let cleared = all_visible && clear_map(&mut map, section, block);
            if all_visible {
                p.clear_flag(flags::ALL_VISIBLE);
            }
            if self.needs_wal() {
                let init = first_new && usize::from(page.max_offset()) == offsets.len();
                let mut f = if all_visible { insert_flags::ALL_VISIBLE_CLEARED } else { 0 };
                if offsets.len() == tuples.len() {
                    f |= insert_flags::LAST_IN_MULTI;
                }
                let head = MultiInsert {
                    flags: f,
                    ntuples: offsets.len() as u16,
                    offsets: if init { Vec::new() } else { offsets.clone() },
                };
                let mut data = Vec::with_capacity(8192);
                for t in &tuples[..offsets.len()] {
                    MultiInsert::put_tuple(&mut data, t);
                }
                let (info, reg) = match init {
                    true => (op2::MULTI_INSERT | op::INIT_PAGE, RegBuf::STANDARD | RegBuf::WILL_INIT),
                    false => (op2::MULTI_INSERT, RegBuf::STANDARD),
                };
                let mut record = RecordBuilder::new(RmgrId::HEAP2, info)
                    .xid(xid)
                    .main_data(&head.encode())
                    .register_buffer(0, &page, reg)
                    .buffer_data(0, &data);
                if let Some(m) = map.as_ref().filter(|_| cleared) {
                    record = record.register_buffer(1, m, RegBuf::NONE);
                }
                let lsn = txn.manager().wal().insert(section, record);
                page.set_lsn(section, lsn);
                if let Some(m) = map.as_mut().filter(|_| cleared) {
                    m.set_lsn(section, lsn);
                }
            }
        });
        txn.count(self.stats(txn), Change::Insert, offsets.len());
        tids.extend(offsets.iter().map(|&off| TupleId::new(block, off)));
        Ok(offsets.len())
    }

    /// A speculative insertion stays, or is taken back. (PostgreSQL: `heap_finish_speculative`,
    /// `heap_abort_speculative`)
    pub fn finish_speculative(&self, txn: &Transaction, tid: TupleId, keep: bool) -> Result<()> {
        let xid = txn.xid()?;
        let mut page = txn.manager().pool().read_exclusive(self.locator, tid.block)?;
        let Some(h) = page.item(tid.offset).and_then(Header::new).filter(|_| page.item_id(tid.offset).is_normal())
        else {
            return Err(PgError::internal("invalid lp"));
        };
        if !h.is_speculative() || h.raw_xmin() != xid {
            return Err(PgError::internal("attempted to kill a non-speculative tuple"));
        }
        let external = !keep && h.has(infomask::HASEXTERNAL);
        let old = if external { h.bytes().to_vec() } else { Vec::new() };
        critical(|section| {
            let p = page.write(section);
            let t = p.item_mut(tid.offset).expect("looked at above");
            header::set_ctid(t, tid);
            let mut infobits = 0;
            if !keep {
                header::change_infomask(t, infomask::XMAX_BITS | infomask::MOVED, 0);
                header::change_infomask2(t, infomask2::KEYS_UPDATED, 0);
                infobits = change::infobits_of(t);
                header::set_xmin(t, Xid::INVALID);
                // Nobody else can have seen it: pruning may take it at once.
                let horizon = txn.own().top_xid().unwrap_or(xid);
                change::set_prunable(p, horizon);
            }
            if self.needs_wal() {
                let record = match keep {
                    true => RecordBuilder::new(RmgrId::HEAP, op::CONFIRM)
                        .main_data(&Confirm { offnum: tid.offset }.encode()),
                    false => {
                        let flags = delete_flags::IS_SUPER;
                        let head = Delete { xmax: xid, offnum: tid.offset, infobits, flags };
                        RecordBuilder::new(RmgrId::HEAP, op::DELETE).main_data(&head.encode())
                    }
                };
                let record = record.xid(xid).register_buffer(0, &page, RegBuf::STANDARD);
                let lsn = txn.manager().wal().insert(section, record);
                page.set_lsn(section, lsn);
            }
        });
        drop(page);
        if external {
            toast::delete_all(self, txn, &old, true)?;
        }
        if !keep {
            txn.count(self.stats(txn), Change::Delete, 1);
        }
        Ok(())
    }
}
