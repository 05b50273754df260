//! Overwriting a catalog row where it stands, without a new version: statistics of `pg_class` and `pg_database` that
//! vacuum writes. Everybody sees the change at once, and it stays if the transaction aborts.
//!
//! PostgreSQL: `heap_inplace_lock`, `heap_inplace_update_and_unlock`.

use base::{Oid, PgError, Result, TupleId};
use storage::critical;
use txn::lock::{LockLevel, Wait};
use txn::{LockMode, LockTag, Transaction};
use wal::{RecordBuilder, RegBuf, RmgrId};

use super::HeapRelation;
use super::delete::tuple_at;
use super::visibility::{ForUpdate, Viewer};
use super::wal::{Inplace, op};
use super::xmax;
use crate::tuple::{HEADER_SIZE, Header, Row};

/// What others must forget, written with the change.
#[derive(Clone, Default, Debug)]
pub struct InplaceMessages {
    pub db: Oid,
    pub tablespace: Oid,
    pub relcache_init_file: bool,
    pub messages: Vec<[u8; 16]>,
}

impl HeapRelation {
    /// Overwrites a row with one of the same length. `false`: another transaction changed the row meanwhile; read its new
    /// version and try again. `make` is handed the row's bytes and gives the new values.
    pub fn update_in_place<R: Row>(
        &self,
        txn: &Transaction,
        tid: TupleId,
        messages: InplaceMessages,
        make: impl FnOnce(&[u8]) -> Result<R>,
    ) -> Result<bool> {
        let tag = LockTag::Tuple { db: self.lock_db(txn), rel: self.oid, block: tid.block, offset: tid.offset };
        let locks = txn.manager().locks();
        // Two of us could overwrite each other's change.
        locks.acquire(txn.proc(), tag, LockMode::Exclusive, LockLevel::Transaction, Wait::Block)?;
        let result = self.overwrite(txn, tid, messages, make);
        locks.release(txn.proc(), tag, LockMode::Exclusive, LockLevel::Transaction);
        result
    }

    fn overwrite<R: Row>(
        &self,
        txn: &Transaction,
        tid: TupleId,
        messages: InplaceMessages,
        make: impl FnOnce(&[u8]) -> Result<R>,
    ) -> Result<bool> {
        let viewer = Viewer::new(txn);
        let buffer = txn.manager().pool().read(self.locator, tid.block)?;
        let mut page = buffer.exclusive();
        let h = tuple_at(&page, tid.offset)?;
        match viewer.for_update(h, tid, txn.command_id_for_reading())?.0 {
            ForUpdate::Ok => {}
            // Lockers do no harm; an updater's new version must get the change.
            ForUpdate::BeingModified if viewer.is_only_locked(h)? => {}
            ForUpdate::BeingModified => {
                let (xmax, mask) = (h.raw_xmax(), h.infomask());
                drop(page);
                xmax::wait_for(txn, xmax, mask, super::RowLock::Exclusive, Wait::Block)?;
                return Ok(false);
            }
            ForUpdate::Invisible => return Err(PgError::internal("attempted to overwrite invisible tuple")),
            ForUpdate::SelfModified => {
                return Err(PgError::internal("tuple to be updated was already modified by an operation of its own"));
            }
            ForUpdate::Updated | ForUpdate::Deleted => return Ok(false),
        }
        let mut new = Vec::new();
        self.layout.form_heap(&make(h.bytes())?, &mut new)?;
        let (from, old) = (h.hoff(), h.bytes());
        let same_shape = Header::new(&new).is_some_and(|n| n.hoff() == from) && new.len() == old.len();
        // The null bitmap is not overwritten.
        if !same_shape || new[HEADER_SIZE..from] != old[HEADER_SIZE..from] {
            return Err(PgError::internal("wrong tuple length"));
        }
        let xid = txn.xid_if_assigned().unwrap_or_default();
        let head = Inplace {
            offnum: tid.offset,
            db: messages.db,
            tablespace: messages.tablespace,
            relcache_init_file: messages.relcache_init_file,
            messages: messages.messages,
        };
        critical(|section| {
            let t = page.write(section).item_mut(tid.offset).expect("looked at above");
            t[from..].copy_from_slice(&new[from..]);
            if self.needs_wal() {
                let record = RecordBuilder::new(RmgrId::HEAP, op::INPLACE)
                    .xid(xid)
                    .main_data(&head.encode())
                    .register_buffer(0, &page, RegBuf::STANDARD)
                    .buffer_data(0, &new[from..]);
                let lsn = txn.manager().wal().insert(section, record);
                page.set_lsn(section, lsn);
                txn.note_wal(lsn);
            }
        });
        Ok(true)
    }
}
