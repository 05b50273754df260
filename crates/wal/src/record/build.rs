//! Building a record: main data, registered buffers, their data. The bytes are laid out when the record is inserted,
//! since only then is known which pages need a full image. (PostgreSQL: `xloginsert.c`)

use base::{Lsn, Xid};
use storage::{BufferTag, ExclusivePage, OwnedExclusive, Page};

/// How a registered buffer is treated; combine with `|`. (PostgreSQL: `REGBUF_*`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegBuf(pub u8);

impl RegBuf {
    /// No wish: image decided by the redo pointer, the page taken as a whole.
    pub const NONE: RegBuf = RegBuf(0);
    pub const FORCE_IMAGE: RegBuf = RegBuf(0x01);
    pub const NO_IMAGE: RegBuf = RegBuf(0x02);
    /// Redo initialises the page from nothing; implies no image.
    pub const WILL_INIT: RegBuf = RegBuf(0x06);
    /// The page has the standard layout: the hole between lower and upper is left out of an image.
    pub const STANDARD: RegBuf = RegBuf(0x08);
    /// The buffer's data is kept even if an image is taken.
    pub const KEEP_DATA: RegBuf = RegBuf(0x10);
    /// The page was deliberately not changed.
    pub const NO_CHANGE: RegBuf = RegBuf(0x20);

    pub fn has(self, other: RegBuf) -> bool {
        self.0 & other.0 == other.0
    }
}
impl std::ops::BitOr for RegBuf {
    type Output = RegBuf;
    fn bitor(self, other: RegBuf) -> RegBuf {
        RegBuf(self.0 | other.0)
    }
}

/// A page that can be registered: both kinds of exclusive guard are.
pub trait RegisteredPage {
    fn tag(&self) -> BufferTag;
    fn page(&self) -> &Page;
}
impl RegisteredPage for ExclusivePage<'_> {
    fn tag(&self) -> BufferTag {
        self.buffer().tag()
    }
    fn page(&self) -> &Page {
        self
    }
}
impl RegisteredPage for OwnedExclusive {
    fn tag(&self) -> BufferTag {
        self.buffer().tag()
    }
    fn page(&self) -> &Page {
        self
    }
}

pub(crate) struct BlockPart<'a> {
    pub id: u8,
    pub flags: RegBuf,
    pub tag: BufferTag,
    /// `None`: the page is not at hand; it then never gets an image.
    pub page: Option<&'a Page>,
    pub data: Vec<u8>,
}

/// A record in the making. Cheap to make; consumed by [`crate::Wal::insert`].
pub struct RecordBuilder<'a> {
    pub(crate) rmgr: u8,
    pub(crate) info: u8,
    pub(crate) xid: Xid,
    pub(crate) main: Vec<u8>,
    pub(crate) blocks: Vec<BlockPart<'a>>,
    pub(crate) origin: Option<u16>,
    pub(crate) toplevel_xid: Option<Xid>,
    pub(crate) important: bool,
}

impl<'a> RecordBuilder<'a> {
    /// `info`: the manager's own bits (upper four) and the `XLR_*` bits.
    pub fn new(rmgr: crate::RmgrId, info: u8) -> RecordBuilder<'a> {
        RecordBuilder {
            rmgr: rmgr.0,
            info,
            xid: Xid::INVALID,
            main: Vec::new(),
            blocks: Vec::new(),
            origin: None,
            toplevel_xid: None,
            important: true,
        }
    }
    /// The transaction that writes the record; invalid if none. (PostgreSQL takes it from the session.)
    #[must_use]
    pub fn xid(mut self, xid: Xid) -> RecordBuilder<'a> {
        self.xid = xid;
        self
    }
    /// Appends to the main data. (PostgreSQL: `XLogRegisterData`)
    #[must_use]
    pub fn main_data(mut self, bytes: &[u8]) -> RecordBuilder<'a> {
        self.main.extend_from_slice(bytes);
        self
    }
    /// As `main_data`, for building step by step.
    pub fn push_main_data(&mut self, bytes: &[u8]) {
        self.main.extend_from_slice(bytes);
    }
    /// Registers a page that this record changes. Ids ascend. (PostgreSQL: `XLogRegisterBuffer`)
    #[must_use]
    pub fn register_buffer(mut self, id: u8, page: &'a impl RegisteredPage, flags: RegBuf) -> RecordBuilder<'a> {
        self.push_block(id, page.tag(), Some(page.page()), flags);
        self
    }
    /// Registers a page whose bytes lie outside the pool. (PostgreSQL: `XLogRegisterBlock`)
    #[must_use]
    pub fn register_block(mut self, id: u8, tag: BufferTag, page: &'a Page, flags: RegBuf) -> RecordBuilder<'a> {
        self.push_block(id, tag, Some(page), flags);
        self
    }
    /// Registers a page by its name alone; it gets no image.
    #[must_use]
    pub fn register_tag(mut self, id: u8, tag: BufferTag, flags: RegBuf) -> RecordBuilder<'a> {
        self.push_block(id, tag, None, flags | RegBuf::NO_IMAGE);
        self
    }
    /// Appends to the data of a registered buffer; left out if an image is taken (unless `KEEP_DATA`).
    /// (PostgreSQL: `XLogRegisterBufData`)
    #[must_use]
    pub fn buffer_data(mut self, id: u8, bytes: &[u8]) -> RecordBuilder<'a> {
        self.push_buffer_data(id, bytes);
        self
    }
    /// As `buffer_data`, for building step by step. The buffer must be registered.
    pub fn push_buffer_data(&mut self, id: u8, bytes: &[u8]) {
        let block = self.blocks.iter_mut().find(|b| b.id == id).expect("the buffer was registered before its data");
        block.data.extend_from_slice(bytes);
    }
    /// Replication origin. (PostgreSQL: `XLOG_INCLUDE_ORIGIN`)
    #[must_use]
    pub fn origin(mut self, origin: u16) -> RecordBuilder<'a> {
        self.origin = Some(origin);
        self
    }
    /// The top-level transaction of `xid`, for logical decoding.
    #[must_use]
    pub fn toplevel_xid(mut self, xid: Xid) -> RecordBuilder<'a> {
        self.toplevel_xid = Some(xid);
        self
    }
    /// Does not count as activity that makes a checkpoint worthwhile. (PostgreSQL: `XLOG_MARK_UNIMPORTANT`)
    #[must_use]
    pub fn unimportant(mut self) -> RecordBuilder<'a> {
        self.important = false;
        self
    }
    /// Sets bits of `info` after the fact.
    pub fn set_info(&mut self, bits: u8) {
        self.info |= bits;
    }

    fn push_block(&mut self, id: u8, tag: BufferTag, page: Option<&'a Page>, flags: RegBuf) {
        debug_assert!(self.blocks.last().is_none_or(|b| b.id < id), "block ids ascend");
        self.blocks.push(BlockPart { id, flags, tag, page, data: Vec::new() });
    }
}

/// Start and end of an inserted record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inserted {
    pub start: Lsn,
    pub end: Lsn,
}
