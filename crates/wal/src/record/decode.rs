//! Taking a record's bytes apart. Nothing is trusted: lengths and flags are checked as PostgreSQL checks them.
//! (PostgreSQL: `DecodeXLogRecord`)

use base::{BLCKSZ, BlockNumber, ForkNumber, Lsn, PgError, RelFileLocator, Result, Xid};
use storage::BufferTag;

use super::{
    BKPBLOCK_FORK_MASK, BKPBLOCK_HAS_DATA, BKPBLOCK_HAS_IMAGE, BKPBLOCK_SAME_REL, BKPIMAGE_COMPRESS_LZ4,
    BKPIMAGE_COMPRESS_PGLZ, BKPIMAGE_COMPRESS_ZSTD, BKPIMAGE_HAS_HOLE, BLOCK_ID_DATA_LONG, BLOCK_ID_DATA_SHORT,
    BLOCK_ID_ORIGIN, BLOCK_ID_TOPLEVEL_XID, MAX_BLOCK_ID,
};
use crate::bytes::Reader;

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
    /// Takes the whole bytes of a record apart, whose checksum was verified.
    pub fn decode(bytes: &[u8], lsn: Lsn, end: Lsn) -> Result<Record> {
        let mut r = Reader::new(bytes);
        let (total_len, xid, prev) = (r.u32()?, r.xid()?, r.lsn()?);
        let (info, rmgr) = (r.u8()?, r.u8()?);
        r.skip(2)?;
        let crc = r.u32()?;
        let mut record = Record {
            lsn,
            end,
            total_len,
            xid,
            prev,
            info,
            rmgr,
            crc,
            origin: None,
            toplevel_xid: None,
            main: Vec::new(),
            blocks: Vec::new(),
        };
        let mut sizes: Vec<(usize, usize)> = Vec::new();
        let (mut main_len, mut data_total) = (0, 0);
        // Headers go on until what is left is their data.
        while r.remaining() > data_total {
            match r.u8()? {
                BLOCK_ID_DATA_SHORT => main_len = usize::from(r.u8()?),
                BLOCK_ID_DATA_LONG => main_len = r.u32()? as usize,
                BLOCK_ID_ORIGIN => {
                    record.origin = Some(r.u16()?);
                    continue;
                }
                BLOCK_ID_TOPLEVEL_XID => {
                    record.toplevel_xid = Some(r.xid()?);
                    continue;
                }
                id @ ..=MAX_BLOCK_ID => {
                    let (block, size) = decode_block(id, &record, &mut r)?;
                    record.blocks.push(block);
                    data_total += size.0 + size.1;
                    sizes.push(size);
                    continue;
                }
                id => return Err(record.damaged(format!("invalid block_id {id} at {lsn}"))),
            }
            // The main data's header is the last one.
            data_total += main_len;
            break;
        }
        if r.remaining() != data_total {
            return Err(record.damaged(format!("record with invalid length at {lsn}")));
        }
        for (block, (image_len, data_len)) in record.blocks.iter_mut().zip(sizes) {
            if let Some(image) = &mut block.image {
                image.bytes = r.bytes(image_len)?.to_vec();
            }
            if let Some(data) = &mut block.data {
                *data = r.bytes(data_len)?.to_vec();
            }
        }
        record.main = r.bytes(main_len)?.to_vec();
        Ok(record)
    }

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
    pub fn main_reader(&self) -> Reader<'_> {
        Reader::new(&self.main)
    }
}

/// A block's header, and how many bytes its image and data have.
fn decode_block(id: u8, record: &Record, r: &mut Reader<'_>) -> Result<(BlockRef, (usize, usize))> {
    let lsn = record.lsn;
    if record.blocks.last().is_some_and(|b| b.id >= id) {
        return Err(record.damaged(format!("out-of-order block_id {id} at {lsn}")));
    }
    let flags = r.u8()?;
    let data_len = usize::from(r.u16()?);
    let has_data = flags & BKPBLOCK_HAS_DATA != 0;
    if has_data && data_len == 0 {
        return Err(record.damaged(format!("BKPBLOCK_HAS_DATA set, but no data included at {lsn}")));
    }
    if !has_data && data_len != 0 {
        return Err(record.damaged(format!("BKPBLOCK_HAS_DATA not set, but data length is {data_len} at {lsn}")));
    }
    let (mut image, mut image_len) = (None, 0);
    if flags & BKPBLOCK_HAS_IMAGE != 0 {
        let (head, len) = decode_image_header(record, r)?;
        image = Some(head);
        image_len = len;
    }
    let locator = if flags & BKPBLOCK_SAME_REL == 0 {
        r.locator()?
    } else {
        let before = record.blocks.last();
        before.ok_or_else(|| record.damaged(format!("BKPBLOCK_SAME_REL set but no previous rel at {lsn}")))?.locator
    };
    let fork = ForkNumber::from_u8(flags & BKPBLOCK_FORK_MASK)
        .ok_or_else(|| record.damaged(format!("invalid fork number in block_id {id} at {lsn}")))?;
    let block = r.block()?;
    let data = has_data.then(Vec::new);
    Ok((BlockRef { id, locator, fork, block, flags, image, data }, (image_len, data_len)))
}

fn decode_image_header(record: &Record, r: &mut Reader<'_>) -> Result<(BlockImage, usize)> {
    let lsn = record.lsn;
    let len = usize::from(r.u16()?);
    let hole_offset = r.u16()?;
    let info = r.u8()?;
    let has_hole = info & BKPIMAGE_HAS_HOLE != 0;
    let compressed = info & (BKPIMAGE_COMPRESS_PGLZ | BKPIMAGE_COMPRESS_LZ4 | BKPIMAGE_COMPRESS_ZSTD) != 0;
    let hole_length = match (compressed, has_hole) {
        (true, true) => r.u16()?,
        (true, false) => 0,
        (false, _) => u16::try_from(BLCKSZ.saturating_sub(len)).unwrap_or(0),
    };
    let wrong = if has_hole && (hole_offset == 0 || hole_length == 0 || len == BLCKSZ) {
        Some(format!(
            "BKPIMAGE_HAS_HOLE set, but hole offset {hole_offset} length {hole_length} block image length {len} at {lsn}"
        ))
    } else if !has_hole && (hole_offset != 0 || hole_length != 0) {
        Some(format!("BKPIMAGE_HAS_HOLE not set, but hole offset {hole_offset} length {hole_length} at {lsn}"))
    } else if compressed && len == BLCKSZ {
        Some(format!("BKPIMAGE_COMPRESSED set, but block image length {len} at {lsn}"))
    } else if !has_hole && !compressed && len != BLCKSZ {
        Some(format!("neither BKPIMAGE_HAS_HOLE nor BKPIMAGE_COMPRESSED set, but block image length is {len} at {lsn}"))
    } else if usize::from(hole_offset) + usize::from(hole_length) > BLCKSZ || len > BLCKSZ {
        Some(format!("invalid block image at {lsn}"))
    } else {
        None
    };
    match wrong {
        Some(message) => Err(record.damaged(message)),
        None => Ok((BlockImage { bytes: Vec::new(), hole_offset, hole_length, info }, len)),
    }
}
