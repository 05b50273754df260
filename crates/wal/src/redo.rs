//! What redo functions work with: pages brought to the state a record needs. (PostgreSQL: `xlogutils.c`)
//!
//! ```ignore
//! match cx.read_buffer_for_redo(record, 0)? {
//!     RedoBuffer::NeedsRedo(mut page) => { page.write(section).. ; page.set_lsn(section, record.end); }
//!     RedoBuffer::Restored(_) | RedoBuffer::Done(_) | RedoBuffer::NotFound => {}
//! }
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use base::{BlockNumber, ForkNumber, Lsn, Oid, PgError, RelFileLocator, Result};
use storage::{BufferPool, BufferTag, OwnedExclusive, Page, Smgr, Vfs};

use crate::record::Record;

/// A page as a redo function finds it. (PostgreSQL: `XLogRedoAction`)
pub enum RedoBuffer {
    /// The record's change is not in the page yet: apply it, then set the LSN to `record.end`.
    NeedsRedo(OwnedExclusive),
    /// The page has this change already.
    Done(OwnedExclusive),
    /// The page was restored from the image in the record.
    Restored(OwnedExclusive),
    /// The page or its file is gone: a later record dropped or truncated it.
    NotFound,
}

impl RedoBuffer {
    pub fn needs_redo(self) -> Option<OwnedExclusive> {
        match self {
            RedoBuffer::NeedsRedo(page) => Some(page),
            _ => None,
        }
    }
    /// The page, in whatever state.
    pub fn into_page(self) -> Option<OwnedExclusive> {
        match self {
            RedoBuffer::NeedsRedo(page) | RedoBuffer::Done(page) | RedoBuffer::Restored(page) => Some(page),
            RedoBuffer::NotFound => None,
        }
    }
}

/// What redo functions are handed.
pub struct RedoContext {
    pub pool: Arc<BufferPool>,
    pub vfs: Arc<dyn Vfs>,
    invalid_pages: RefCell<BTreeMap<BufferTag, bool>>,
    /// The start of the record being replayed and its end.
    pub(crate) current: RefCell<(Lsn, Lsn)>,
    /// Have we passed the point up to which pages may be from the future?
    pub(crate) reached_consistency: RefCell<bool>,
}

impl RedoContext {
    pub fn new(pool: Arc<BufferPool>, vfs: Arc<dyn Vfs>) -> RedoContext {
        RedoContext {
            pool,
            vfs,
            invalid_pages: RefCell::default(),
            current: RefCell::new((Lsn::INVALID, Lsn::INVALID)),
            reached_consistency: RefCell::new(false),
        }
    }
    pub fn smgr(&self) -> &Arc<Smgr> {
        self.pool.smgr()
    }
    /// The page of a block reference, exclusively latched and ready for redo. (PostgreSQL: `XLogReadBufferForRedo`)
    pub fn read_buffer_for_redo(&self, record: &Record, block_id: u8) -> Result<RedoBuffer> {
        let _ = (record, block_id);
        Err(PgError::unsupported("redo"))
    }
    /// As `read_buffer_for_redo`, waiting for nobody else to have a pin. Redo runs before anybody reads, so that it is
    /// the same until hot standby comes.
    pub fn read_buffer_for_cleanup(&self, record: &Record, block_id: u8) -> Result<RedoBuffer> {
        self.read_buffer_for_redo(record, block_id)
    }
    /// The zeroed page of a block that the record initialises. (PostgreSQL: `XLogInitBufferForRedo`)
    pub fn init_buffer_for_redo(&self, record: &Record, block_id: u8) -> Result<OwnedExclusive> {
        let _ = (record, block_id);
        Err(PgError::unsupported("redo"))
    }
    /// A page by its name, extending the fork with zeroes as needed. `None`: it does not exist and a later record should
    /// say why. (PostgreSQL: `XLogReadBufferExtended`)
    pub fn read_page(&self, tag: BufferTag, extend: bool) -> Result<Option<OwnedExclusive>> {
        let _ = (tag, extend);
        Err(PgError::unsupported("redo"))
    }
    /// The relation's fork is dropped: pages missing from it are explained. (PostgreSQL: `XLogDropRelation`)
    pub fn forget_relation(&self, locator: RelFileLocator, fork: ForkNumber) {
        self.invalid_pages.borrow_mut().retain(|t, _| t.locator != locator || t.fork != fork);
    }
    /// (PostgreSQL: `XLogTruncateRelation`)
    pub fn forget_from(&self, locator: RelFileLocator, fork: ForkNumber, first: BlockNumber) {
        self.invalid_pages.borrow_mut().retain(|t, _| t.locator != locator || t.fork != fork || t.block < first);
    }
    /// (PostgreSQL: `XLogDropDatabase`)
    pub fn forget_database(&self, db: Oid) {
        self.invalid_pages.borrow_mut().retain(|t, _| t.locator.db != db);
    }
}

/// Rebuilds a page from a record's image. (PostgreSQL: `RestoreBlockImage`)
pub fn restore_image(record: &Record, block_id: u8, into: &mut Page) -> Result<()> {
    let _ = (record, block_id, into);
    Err(PgError::unsupported("redo"))
}
