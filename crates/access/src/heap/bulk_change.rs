//! Changing many rows in one statement: pages stay pinned from row to row, and an update names just the columns it sets.
//!
//! A new version that does not fit its old page goes to the page that took the last one. That page is latched in the order of
//! blocks, or without waiting, while the old one stays latched: so the row needs not be locked for all to see first, as
//! [`HeapRelation::update`] does where it must let go of the latch to look for room. If there is no room, a page is looked for
//! with nothing latched, and the row looked at anew.
//!
//! PostgreSQL has nothing like it: each row goes through `heap_update`.

use base::{BlockNumber, Result, TupleId};
use storage::page::maxalign;
use storage::{OwnedExclusive, PinnedBuffer};
use txn::Transaction;
use types::{Datum, DatumRef};

use super::delete::{ModifyOptions, invisible, settle, tuple_at};
use super::update::{UpdateIndexes, Updated};
use super::visibility::Viewer;
use super::xmax::Queue;
use super::{BulkInsert, HeapRelation, Outcome, RowLock, hio};
use crate::toast;
use crate::tuple::infomask;

/// How often an update looks for a page before it goes the ordinary way.
const TRIES: usize = 3;
/// Rows up to so many columns are taken apart without an allocation.
const FEW: usize = 24;

/// What is kept from row to row. Holds pins, no latches: to be released when the statement ends.
pub struct BulkChange {
    /// The page of the last old version.
    old: Option<PinnedBuffer>,
    room: BulkInsert,
    tuple: Vec<u8>,
}

impl Default for BulkChange {
    fn default() -> BulkChange {
        BulkChange { old: None, room: BulkInsert::without_ring(), tuple: Vec::new() }
    }
}

impl BulkChange {
    /// The new version that was written last, its values perhaps not yet toasted.
    pub fn tuple(&self) -> &[u8] {
        &self.tuple
    }
    /// For insertions in the same statement.
    pub fn room(&mut self) -> &mut BulkInsert {
        &mut self.room
    }
    /// Lets go of what a statement left that did not come to its end.
    pub fn forget(&mut self) {
        self.old = None;
        self.room = BulkInsert::without_ring();
    }
    /// Lets go of all pages.
    pub fn release(&mut self, rel: &HeapRelation, txn: &Transaction) -> Result<()> {
        self.old = None;
        self.room.release(rel, txn)
    }
    pub(super) fn page(&mut self, rel: &HeapRelation, txn: &Transaction, block: BlockNumber) -> Result<PinnedBuffer> {
        match self.old.take() {
            Some(b) if b.block() == block => Ok(b),
            _ => txn.manager().pool().read(rel.locator, block),
        }
    }
    pub(super) fn keep(&mut self, buffer: PinnedBuffer) {
        self.old = Some(buffer);
    }
}

impl HeapRelation {
    /// Updates some columns (numbered from 0) of a row. No value may be external.
    pub fn update_columns(
        &self,
        txn: &Transaction,
        tid: TupleId,
        columns: &[(usize, DatumRef<'_>)],
        options: ModifyOptions<'_>,
        state: &mut BulkChange,
    ) -> Result<Updated> {
        let buffer = state.page(self, txn, tid.block)?;
        for _ in 0..TRIES {
            if let Some(updated) = self.try_update(txn, &buffer, tid, columns, options, state)? {
                state.keep(buffer);
                return Ok(updated);
            }
            let len = state.tuple.len();
            hio::check_size(len)?;
            // The place is only remembered.
            drop(hio::page_for(self, txn, len, len, true, Some(&mut state.room))?);
        }
        self.update_whole(txn, &buffer, tid, columns, options, state)
    }

    /// `None`: there was no room for the new version.
    fn try_update(
        &self,
        txn: &Transaction,
        buffer: &PinnedBuffer,
        tid: TupleId,
        columns: &[(usize, DatumRef<'_>)],
        options: ModifyOptions<'_>,
        state: &mut BulkChange,
    ) -> Result<Option<Updated>> {
        let viewer = Viewer::new(txn);
        let mut map = None;
        let mut queue = Queue::new(self, txn, tid);
        let mut changes = None;
        let (page, outcome) = settle(self, buffer, &mut map, &viewer, &mut queue, tid, options, |h| {
            Ok(changes.insert(self.changes_of(h, columns)?).lock())
        })?;
        let old = tuple_at(&page, tid.offset)?;
        let changes = match changes {
            Some(c) => c,
            None => self.changes_of(old, columns)?,
        };
        match outcome {
            Outcome::Ok => {}
            Outcome::Invisible => return Err(invisible("update")),
            outcome => {
                return Ok(Some(Updated { outcome, tid, indexes: UpdateIndexes::None, lock: changes.lock() }));
            }
        }
        if changes.lock() == RowLock::NoKeyExclusive {
            txn.manager().multixacts().set_oldest_member(txn);
        }
        self.form_changed(old.bytes(), columns, &mut state.tuple)?;
        if old.has(infomask::HASEXTERNAL) || toast::is_needed(self, &state.tuple) {
            drop(page);
            return self.update_whole(txn, buffer, tid, columns, options, state).map(Some);
        }
        let mut other = None;
        if maxalign(state.tuple.len()) > page.heap_free_space() {
            other = self.latch_room(state, tid.block);
            if other.is_none() {
                return Ok(None);
            }
        }
        self.replace(&viewer, page, other, map.as_ref(), tid, &mut state.tuple, changes, options).map(Some)
    }

    /// The page that took the last new version, if it has room and can be latched while another one is.
    fn latch_room(&self, state: &BulkChange, latched: BlockNumber) -> Option<OwnedExclusive> {
        let target = state.room.buffer.as_ref().filter(|b| b.block() != latched)?.clone();
        let page = match target.block() > latched {
            true => target.into_exclusive(),
            false => target.try_into_exclusive().ok()?,
        };
        let wanted = maxalign(state.tuple.len()) + self.target_free_space();
        (page.is_new() || page.heap_free_space() >= wanted).then_some(page)
    }

    /// A row with some columns replaced, as a tuple.
    fn form_changed(&self, old: &[u8], columns: &[(usize, DatumRef<'_>)], out: &mut Vec<u8>) -> Result<()> {
        let n = self.layout.len();
        let (mut few, mut many) = ([DatumRef::Null; FEW], Vec::new());
        let values = match n <= FEW {
            true => &mut few[..n],
            false => {
                many.resize(n, DatumRef::Null);
                &mut many[..]
            }
        };
        self.layout.deform_into(old, values)?;
        columns.iter().for_each(|&(i, v)| values[i] = v);
        self.layout.form_heap(&*values, out)
    }

    /// The ordinary way.
    fn update_whole(
        &self,
        txn: &Transaction,
        buffer: &PinnedBuffer,
        tid: TupleId,
        columns: &[(usize, DatumRef<'_>)],
        options: ModifyOptions<'_>,
        state: &mut BulkChange,
    ) -> Result<Updated> {
        let mut row: Vec<Datum> = {
            let page = buffer.shared();
            let old = tuple_at(&page, tid.offset)?;
            self.form_changed(old.bytes(), columns, &mut state.tuple)?;
            let mut values = Vec::new();
            self.layout.deform_all(old.bytes(), &mut values)?;
            values.into_iter().map(DatumRef::to_owned).collect()
        };
        columns.iter().for_each(|&(i, v)| row[i] = v.to_owned());
        self.update(txn, tid, &row, options)
    }
}
