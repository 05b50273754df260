//! Laying a record out: header, block headers, images, data. (PostgreSQL: `XLogRecordAssemble`)

use base::{BLCKSZ, Lsn};
use storage::Page;

use super::build::{BlockPart, RecordBuilder, RegBuf};
use super::{
    BKPBLOCK_HAS_DATA, BKPBLOCK_HAS_IMAGE, BKPBLOCK_SAME_REL, BKPBLOCK_WILL_INIT, BKPIMAGE_APPLY,
    BKPIMAGE_COMPRESS_LZ4, BKPIMAGE_HAS_HOLE, BLOCK_ID_DATA_LONG, BLOCK_ID_DATA_SHORT, BLOCK_ID_ORIGIN,
    BLOCK_ID_TOPLEVEL_XID, HEADER_SIZE,
};
use crate::bytes::Put;
use crate::insert::Compression;

/// What decides about images.
#[derive(Clone, Copy)]
pub(crate) struct ImageRules {
    pub redo: Lsn,
    pub full_page_writes: bool,
    pub compression: Compression,
}

/// A record's bytes; previous link and checksum still lack.
pub(crate) struct Assembled {
    pub bytes: Vec<u8>,
    /// The smallest LSN among pages that got no image for being newer than the redo pointer.
    pub oldest_without_image: Option<Lsn>,
    /// CRC of everything after the header.
    crc: u32,
}

impl Assembled {
    /// Completes the header once the record's place is known.
    pub fn seal(&mut self, prev: Lsn) {
        self.bytes[8..16].copy_from_slice(&prev.0.to_le_bytes());
        let crc = crc32c::crc32c_append(self.crc, &self.bytes[..20]);
        self.bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    }
}

struct Image<'a> {
    before_hole: &'a [u8],
    after_hole: &'a [u8],
    hole_offset: u16,
    hole_length: u16,
    compressed: Option<Vec<u8>>,
    info: u8,
}

impl RecordBuilder<'_> {
    pub(crate) fn assemble(&self, rules: ImageRules) -> Assembled {
        let mut oldest_without_image: Option<Lsn> = None;
        let data: usize = self.blocks.iter().map(|b| b.data.len() + 32).sum();
        let mut out = Vec::with_capacity(HEADER_SIZE + self.main.len() + data + 16);
        out.resize(HEADER_SIZE, 0);
        let mut images: [Option<Image<'_>>; 5] = [const { None }; 5];
        let mut more_images: Vec<Option<Image<'_>>> = Vec::new();
        if self.blocks.len() > images.len() {
            more_images.resize_with(self.blocks.len() - images.len(), || None);
        }
        for (i, block) in self.blocks.iter().enumerate() {
            let wanted = block.wants_image(rules, &mut oldest_without_image);
            let image = block.page.filter(|_| wanted).map(|page| take_image(page, block.flags, rules.compression));
            let same_rel = i > 0 && self.blocks[i - 1].tag.locator == block.tag.locator;
            put_block_header(&mut out, block, image.as_ref(), same_rel);
            match images.get_mut(i) {
                Some(slot) => *slot = image,
                None => more_images[i - images.len()] = image,
            }
        }
        if let Some(origin) = self.origin {
            out.put_u8(BLOCK_ID_ORIGIN);
            out.put_u16(origin);
        }
        if let Some(xid) = self.toplevel_xid {
            out.put_u8(BLOCK_ID_TOPLEVEL_XID);
            out.put_u32(xid.0);
        }
        match self.main.len() {
            0 => {}
            n @ 1..=255 => out.put(&[BLOCK_ID_DATA_SHORT, n as u8]),
            n => {
                out.put_u8(BLOCK_ID_DATA_LONG);
                out.put_u32(n as u32);
            }
        }
        for (block, image) in self.blocks.iter().zip(images.iter().chain(&more_images)) {
            if let Some(image) = image {
                match &image.compressed {
                    Some(bytes) => out.put(bytes),
                    None => {
                        out.put(image.before_hole);
                        out.put(image.after_hole);
                    }
                }
            }
            if block.keeps_data(image.is_some()) {
                out.put(&block.data);
            }
        }
        out.put(&self.main);
        let total = out.len() as u32;
        out[0..4].copy_from_slice(&total.to_le_bytes());
        out[4..8].copy_from_slice(&self.xid.0.to_le_bytes());
        out[16] = self.info;
        out[17] = self.rmgr;
        let crc = crc32c::crc32c(&out[HEADER_SIZE..]);
        Assembled { bytes: out, oldest_without_image, crc }
    }
}

impl BlockPart<'_> {
    fn wants_image(&self, rules: ImageRules, oldest: &mut Option<Lsn>) -> bool {
        if self.flags.has(RegBuf::FORCE_IMAGE) {
            return true;
        }
        if self.flags.has(RegBuf::NO_IMAGE) {
            return false;
        }
        let Some(lsn) = self.page.map(Page::lsn) else { return false };
        if rules.full_page_writes && lsn <= rules.redo {
            return true;
        }
        *oldest = Some(oldest.map_or(lsn, |o| o.min(lsn)));
        false
    }
    fn keeps_data(&self, has_image: bool) -> bool {
        !self.data.is_empty() && (!has_image || self.flags.has(RegBuf::KEEP_DATA))
    }
}

fn take_image(page: &Page, flags: RegBuf, compression: Compression) -> Image<'_> {
    let bytes = page.bytes();
    let (lower, upper) = (page.lower(), page.upper());
    let hole = match flags.has(RegBuf::STANDARD) {
        true if lower >= storage::page::HEADER_SIZE && upper > lower && upper <= BLCKSZ => lower..upper,
        _ => 0..0,
    };
    let has_hole = !hole.is_empty();
    let (before_hole, after_hole) = (&bytes[..hole.start], &bytes[hole.end..]);
    let mut image = Image {
        before_hole,
        after_hole,
        hole_offset: hole.start as u16,
        hole_length: hole.len() as u16,
        compressed: None,
        info: BKPIMAGE_APPLY | if has_hole { BKPIMAGE_HAS_HOLE } else { 0 },
    };
    if compression == Compression::Lz4 {
        let plain = [before_hole, after_hole].concat();
        let packed = lz4_flex::block::compress(&plain);
        // The hole's length takes two bytes that an uncompressed image does not need.
        if packed.len() + if has_hole { 2 } else { 0 } < plain.len() {
            image.compressed = Some(packed);
            image.info |= BKPIMAGE_COMPRESS_LZ4;
        }
    }
    image
}

fn put_block_header(out: &mut Vec<u8>, block: &BlockPart<'_>, image: Option<&Image<'_>>, same_rel: bool) {
    let keeps_data = block.keeps_data(image.is_some());
    let mut flags = block.tag.fork as u8;
    for (set, bit) in [
        (image.is_some(), BKPBLOCK_HAS_IMAGE),
        (keeps_data, BKPBLOCK_HAS_DATA),
        (block.flags.has(RegBuf::WILL_INIT), BKPBLOCK_WILL_INIT),
        (same_rel, BKPBLOCK_SAME_REL),
    ] {
        flags |= if set { bit } else { 0 };
    }
    out.put(&[block.id, flags]);
    out.put_u16(if keeps_data { block.data.len() as u16 } else { 0 });
    if let Some(image) = image {
        let len = image.compressed.as_ref().map_or(image.before_hole.len() + image.after_hole.len(), Vec::len);
        out.put_u16(len as u16);
        out.put_u16(image.hole_offset);
        out.put_u8(image.info);
        if image.compressed.is_some() && image.hole_length > 0 {
            out.put_u16(image.hole_length);
        }
    }
    if !same_rel {
        out.put_locator(block.tag.locator);
    }
    out.put_u32(block.tag.block.0);
}
