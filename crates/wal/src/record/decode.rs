//! Taking a record's bytes apart. Nothing is trusted: lengths and flags are checked as PostgreSQL checks them.
//! (PostgreSQL: `DecodeXLogRecord`, `RestoreBlockImage`)

use base::{BLCKSZ, BlockNumber, ForkNumber, Lsn, PgError, RelFileLocator, Result, Xid};
use storage::BufferTag;

/// A page image in a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockImage {
    /// The bytes as stored: the hole left out, perhaps compressed.
    pub bytes: Vec<u8>,
    pub hole_offset: u16,
    pub hole_length: u16,
    /// `BKPIMAGE_*` bits.
    pub info: u8,
}

/// A block reference of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockRef {
    pub id: u8,
    pub locator: RelFileLocator,
    pub fork: ForkNumber,
    pub block: BlockNumber,
    /// `BKPBLOCK_*` bits.
    pub flags: u8,
    pub image: Option<BlockImage>,
    pub data: Option<Vec<u8>>,
}

impl BlockRef {
    pub fn tag(&self) -> BufferTag {
        BufferTag::new(self.locator, self.fork, self.block)
    }
    /// Is there an image that redo must restore?
    pub fn applies_image(&self) -> bool {
        self.image.as_ref().is_some_and(|i| i.info & super::BKPIMAGE_APPLY != 0)
    }
    pub fn will_init(&self) -> bool {
        self.flags & super::BKPBLOCK_WILL_INIT != 0
    }
}

/// A record taken apart. (PostgreSQL: `DecodedXLogRecord`)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where it starts.
    pub lsn: Lsn,
    /// Where the next one may start: what pages carry as their LSN.
    pub end: Lsn,
    pub total_len: u32,
    pub xid: Xid,
    pub prev: Lsn,
    pub info: u8,
    pub rmgr: u8,
    pub crc: u32,
    pub origin: Option<u16>,
    pub toplevel_xid: Option<Xid>,
    pub main: Vec<u8>,
    pub blocks: Vec<BlockRef>,
}

impl Record {
    /// The manager's bits of `info`. (PostgreSQL: `XLogRecGetInfo(r) & ~XLR_INFO_MASK`)
    pub fn rmgr_info(&self) -> u8 {
        self.info & 0xF0
    }
    pub fn block(&self, id: u8) -> Option<&BlockRef> {
        self.blocks.iter().find(|b| b.id == id)
    }
    /// The block reference, or an error naming what lacks.
    pub fn require_block(&self, id: u8) -> Result<&BlockRef> {
        self.block(id).ok_or_else(|| self.damaged(format!("could not locate backup block with ID {id} in WAL record")))
    }
    /// The data of a block; empty if there is none.
    pub fn block_data(&self, id: u8) -> &[u8] {
        self.block(id).and_then(|b| b.data.as_deref()).unwrap_or(&[])
    }
    /// An error about this record's content.
    pub fn damaged(&self, message: impl Into<String>) -> PgError {
        PgError::new(base::sqlstate::DATA_CORRUPTED, message)
            .context(format!("WAL redo at {} for resource manager ID {}, info {:02X}", self.lsn, self.rmgr, self.info))
    }
    /// A reader over the main data.
    pub fn main_reader(&self) -> crate::bytes::Reader<'_> {
        crate::bytes::Reader::new(&self.main)
    }
}
