//! What redo functions work with: pages brought to the state a record needs. (PostgreSQL: `xlogutils.c`)
//!
//! ```ignore
//! if let Some(mut page) = cx.read_buffer_for_redo(record, 0)?.needs_redo() {
//!     critical(|section| {
//!         page.write(section).add_item(..);
//!         page.set_lsn(section, record.end);
//!     });
//! }
//! ```
//! A page that a record refers to may be missing, if a later record dropped or truncated its relation. That is noted; at
//! the end of recovery every such page must have been explained, else the log or the files are damaged.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use base::sqlstate::DATA_CORRUPTED;
use base::{BLCKSZ, BlockNumber, ForkNumber, Oid, PgError, RelFileLocator, Result};
use storage::{BufferPool, BufferTag, OwnedExclusive, Page, ReadMode, Smgr, Vfs, critical};

use crate::pglz;
use crate::record::{BKPIMAGE_COMPRESS_LZ4, BKPIMAGE_COMPRESS_PGLZ, BKPIMAGE_COMPRESS_ZSTD, BlockRef, Record};

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
    /// Missing pages; `true`: the page is there but was never initialised.
    invalid_pages: RefCell<BTreeMap<BufferTag, bool>>,
}

impl RedoContext {
    pub fn new(pool: Arc<BufferPool>, vfs: Arc<dyn Vfs>) -> RedoContext {
        RedoContext { pool, vfs, invalid_pages: RefCell::default() }
    }
    pub fn smgr(&self) -> &Arc<Smgr> {
        self.pool.smgr()
    }
    /// The page of a block reference, exclusively latched and ready for redo. Not for blocks that the record initialises.
    /// (PostgreSQL: `XLogReadBufferForRedo`)
    pub fn read_buffer_for_redo(&self, record: &Record, block_id: u8) -> Result<RedoBuffer> {
        let block = record.require_block(block_id)?;
        if block.will_init() {
            let text = "block with WILL_INIT flag in WAL record must be zeroed by redo routine";
            return Err(crate::panic_level(record.damaged(text)));
        }
        if block.applies_image() {
            return self.restore(record, block).map(RedoBuffer::Restored);
        }
        Ok(match self.read_page(block.tag(), false)? {
            None => RedoBuffer::NotFound,
            Some(page) if record.end <= page.lsn() => RedoBuffer::Done(page),
            Some(page) => RedoBuffer::NeedsRedo(page),
        })
    }
    /// As `read_buffer_for_redo`, waiting for nobody else to have a pin. Redo runs before anybody reads, so that it is
    /// the same until hot standby comes.
    pub fn read_buffer_for_cleanup(&self, record: &Record, block_id: u8) -> Result<RedoBuffer> {
        self.read_buffer_for_redo(record, block_id)
    }
    /// The page of a block that the record initialises: zeroed (or restored, if the record has an image). The caller
    /// fills it and sets the LSN. (PostgreSQL: `XLogInitBufferForRedo`)
    pub fn init_buffer_for_redo(&self, record: &Record, block_id: u8) -> Result<OwnedExclusive> {
        let block = record.require_block(block_id)?;
        if block.applies_image() {
            return self.restore(record, block);
        }
        self.zeroed(block.tag())
    }
    fn zeroed(&self, tag: BufferTag) -> Result<OwnedExclusive> {
        self.make_sure_it_exists(tag)?;
        let mut page = self.pool.pin_zeroed(tag)?;
        critical(|section| page.write(section).bytes_mut().fill(0));
        Ok(page)
    }
    fn restore(&self, record: &Record, block: &BlockRef) -> Result<OwnedExclusive> {
        let mut content = Page::boxed();
        restore_block_image(record, block, &mut content)?;
        let mut page = self.zeroed(block.tag())?;
        critical(|section| {
            page.write(section).copy_from(&content);
            if !content.is_new() {
                page.set_lsn(section, record.end);
            }
        });
        if block.fork == ForkNumber::Init {
            // An unlogged relation is made anew from this fork's file at the end of recovery.
            let kept = page.unlatch();
            self.pool.flush_relation(block.locator)?;
            return Ok(kept.into_exclusive());
        }
        Ok(page)
    }
    /// A page by its name, extending the fork with zeroes if asked to. `None`: it does not exist, or was never
    /// initialised, and a later record should say why. (PostgreSQL: `XLogReadBufferExtended`)
    pub fn read_page(&self, tag: BufferTag, extend: bool) -> Result<Option<OwnedExclusive>> {
        self.make_sure_it_exists(tag)?;
        let nblocks = self.pool.nblocks(tag.locator, tag.fork)?;
        if tag.block.0 >= nblocks {
            if !extend {
                self.note_invalid(tag, false);
                return Ok(None);
            }
            self.pool.extend_to(tag.locator, tag.fork, tag.block.0 + 1)?;
        }
        let page = self.pool.pin(tag, ReadMode::Normal, None)?.into_exclusive();
        if page.is_new() && !extend {
            self.note_invalid(tag, true);
            return Ok(None);
        }
        Ok(Some(page))
    }
    /// A relation whose file is gone is created again, so that redo of the records until its drop finds it.
    fn make_sure_it_exists(&self, tag: BufferTag) -> Result<()> {
        match self.smgr().exists(tag.locator, tag.fork)? {
            true => Ok(()),
            false => self.smgr().create(tag.locator, tag.fork, true),
        }
    }
    fn note_invalid(&self, tag: BufferTag, present: bool) {
        self.invalid_pages.borrow_mut().entry(tag).or_insert(present);
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
    /// At the end: the error if a missing page was not explained. (PostgreSQL: `XLogCheckInvalidPages`)
    pub(crate) fn check_invalid_pages(&self) -> Result<()> {
        let pages = self.invalid_pages.borrow();
        let Some((tag, present)) = pages.iter().next() else { return Ok(()) };
        let path = self.smgr().path(tag.locator, tag.fork);
        let what = if *present { "is uninitialized" } else { "does not exist" };
        Err(crate::panic_level(
            PgError::new(base::sqlstate::INTERNAL_ERROR, "WAL contains references to invalid pages")
                .detail(format!("Page {} of relation {path} {what}.", tag.block)),
        ))
    }
}

/// Rebuilds a page from a record's image. (PostgreSQL: `RestoreBlockImage`)
pub fn restore_image(record: &Record, block_id: u8, into: &mut Page) -> Result<()> {
    restore_block_image(record, record.require_block(block_id)?, into)
}

fn restore_block_image(record: &Record, block: &BlockRef, into: &mut Page) -> Result<()> {
    let (lsn, id) = (record.lsn, block.id);
    let broken =
        |what: &str| PgError::new(DATA_CORRUPTED, format!("could not restore image at {lsn} {what}, block {id}"));
    let image = block.image.as_ref().ok_or_else(|| broken("with invalid state"))?;
    let (offset, hole) = (usize::from(image.hole_offset), usize::from(image.hole_length));
    let plain_len = BLCKSZ.checked_sub(hole).ok_or_else(|| broken("with invalid hole"))?;
    let mut unpacked = [0; BLCKSZ];
    let plain: &[u8] = if image.info & BKPIMAGE_COMPRESS_PGLZ != 0 {
        pglz::decompress(&image.bytes, &mut unpacked[..plain_len])
            .ok_or_else(|| PgError::new(DATA_CORRUPTED, format!("could not decompress image at {lsn}, block {id}")))?;
        &unpacked[..plain_len]
    } else if image.info & BKPIMAGE_COMPRESS_LZ4 != 0 {
        match lz4_flex::block::decompress_into(&image.bytes, &mut unpacked) {
            Ok(n) if n == plain_len => &unpacked[..plain_len],
            _ => return Err(PgError::new(DATA_CORRUPTED, format!("could not decompress image at {lsn}, block {id}"))),
        }
    } else if image.info & BKPIMAGE_COMPRESS_ZSTD != 0 {
        return Err(PgError::unsupported("wal_compression = zstd"));
    } else {
        &image.bytes
    };
    if plain.len() != plain_len || offset > plain_len {
        return Err(broken("with invalid length"));
    }
    let page = into.bytes_mut();
    page.fill(0);
    page[..offset].copy_from_slice(&plain[..offset]);
    page[offset + hole..].copy_from_slice(&plain[offset..]);
    Ok(())
}
