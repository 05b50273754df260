//! The log as pages and segments: where bytes go, what files are called, page headers. (PostgreSQL: `xlog_internal.h`)

use base::{Lsn, TimelineId};

/// Bytes of a page of the log. (PostgreSQL: `XLOG_BLCKSZ`)
pub const PAGE: u64 = 8192;
/// (PostgreSQL: `XLOG_PAGE_MAGIC`)
pub const PAGE_MAGIC: u16 = 0xD118;
/// (PostgreSQL: `SizeOfXLogShortPHD`)
pub const SHORT_HEADER: u64 = 24;
/// The first page of a segment has a longer header. (PostgreSQL: `SizeOfXLogLongPHD`)
pub const LONG_HEADER: u64 = 40;
pub const WAL_DIR: &str = "pg_wal";

pub const XLP_FIRST_IS_CONTRECORD: u16 = 1;
pub const XLP_LONG_HEADER: u16 = 2;
pub const XLP_BKP_REMOVABLE: u16 = 4;
pub const XLP_FIRST_IS_OVERWRITE_CONTRECORD: u16 = 8;

/// The segments of a log, all of one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segments {
    size: u64,
}

impl Segments {
    pub fn new(size: u32) -> Segments {
        Segments { size: u64::from(size) }
    }
    pub fn is_valid_size(size: u32) -> bool {
        size.is_power_of_two() && (1 << 20..=1 << 30).contains(&size)
    }
    pub fn size(self) -> u64 {
        self.size
    }
    /// The number of the segment that holds this byte. (PostgreSQL: `XLByteToSeg`)
    pub fn number(self, lsn: Lsn) -> u64 {
        lsn.0 / self.size
    }
    /// The number of the segment that holds the byte before. (PostgreSQL: `XLByteToPrevSeg`)
    pub fn number_before(self, lsn: Lsn) -> u64 {
        lsn.0.saturating_sub(1) / self.size
    }
    pub fn start(self, number: u64) -> Lsn {
        Lsn(number * self.size)
    }
    pub fn offset(self, lsn: Lsn) -> u64 {
        lsn.0 % self.size
    }
    fn per_id(self) -> u64 {
        (1 << 32) / self.size
    }
    fn usable(self) -> u64 {
        self.size / PAGE * USABLE_IN_PAGE - (LONG_HEADER - SHORT_HEADER)
    }
    /// The header that the page at this position has.
    pub fn header_size(self, page: Lsn) -> u64 {
        if self.offset(page) == 0 { LONG_HEADER } else { SHORT_HEADER }
    }
    /// Counting only bytes that records may use: the position where a record starts. (PostgreSQL: `XLogBytePosToRecPtr`)
    pub(crate) fn start_of(self, usable: u64) -> Lsn {
        let (segment, left) = (usable / self.usable(), usable % self.usable());
        let first = PAGE - LONG_HEADER;
        let offset = if left < first {
            left + LONG_HEADER
        } else {
            let left = left - first;
            PAGE + left / USABLE_IN_PAGE * PAGE + left % USABLE_IN_PAGE + SHORT_HEADER
        };
        Lsn(segment * self.size + offset)
    }
    /// As `start_of`, but a page's boundary rather than the place after the next page's header: where a record ends.
    pub(crate) fn end_of(self, usable: u64) -> Lsn {
        let (segment, left) = (usable / self.usable(), usable % self.usable());
        let first = PAGE - LONG_HEADER;
        let offset = if left == 0 {
            0
        } else if left <= first {
            left + LONG_HEADER
        } else {
            let left = left - first;
            let within = left % USABLE_IN_PAGE;
            PAGE + left / USABLE_IN_PAGE * PAGE + if within == 0 { 0 } else { within + SHORT_HEADER }
        };
        Lsn(segment * self.size + offset)
    }
    /// The inverse of both. (PostgreSQL: `XLogRecPtrToBytePos`)
    pub(crate) fn usable_before(self, lsn: Lsn) -> u64 {
        let (segment, offset) = (self.number(lsn), self.offset(lsn));
        let (page, within) = (offset / PAGE, offset % PAGE);
        let in_segment = match page {
            0 => within.saturating_sub(LONG_HEADER),
            _ => (PAGE - LONG_HEADER) + (page - 1) * USABLE_IN_PAGE + within.saturating_sub(SHORT_HEADER),
        };
        segment * self.usable() + in_segment
    }
}

const USABLE_IN_PAGE: u64 = PAGE - SHORT_HEADER;

/// `TTTTTTTTXXXXXXXXYYYYYYYY`. (PostgreSQL: `XLogFileName`)
pub fn segment_file_name(tli: TimelineId, number: u64, segments: Segments) -> String {
    format!("{:08X}{:08X}{:08X}", tli.0, number / segments.per_id(), number % segments.per_id())
}
/// The path of a segment in the data directory.
pub fn segment_path(tli: TimelineId, number: u64, segments: Segments) -> String {
    format!("{WAL_DIR}/{}", segment_file_name(tli, number, segments))
}
/// The timeline and number in a segment's file name. (PostgreSQL: `XLogFromFileName`)
pub fn parse_segment_file_name(name: &str, segments: Segments) -> Option<(TimelineId, u64)> {
    let digits = |b: &u8| b.is_ascii_digit() || (b'A'..=b'F').contains(b);
    if name.len() != 24 || !name.as_bytes().iter().all(digits) {
        return None;
    }
    let part = |at: usize| u32::from_str_radix(&name[at..at + 8], 16).ok();
    let (tli, high, low) = (part(0)?, part(8)?, part(16)?);
    Some((TimelineId(tli), u64::from(high) * segments.per_id() + u64::from(low)))
}

/// A page's header. (PostgreSQL: `XLogPageHeaderData`, `XLogLongPageHeaderData`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageHeader {
    pub magic: u16,
    pub info: u16,
    pub tli: TimelineId,
    pub address: Lsn,
    /// How many bytes of the record before continue here.
    pub remaining: u32,
    /// On a segment's first page: system identifier, segment size, page size.
    pub long: Option<(u64, u32, u32)>,
}

impl PageHeader {
    pub fn size(&self) -> usize {
        if self.info & XLP_LONG_HEADER != 0 { LONG_HEADER as usize } else { SHORT_HEADER as usize }
    }
    /// Takes the header apart; `None` if there are too few bytes.
    pub fn decode(bytes: &[u8]) -> Option<PageHeader> {
        let u16_at = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let u32_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let info = u16_at(2)?;
        let long = match info & XLP_LONG_HEADER != 0 {
            true => Some((u64_at(24)?, u32_at(32)?, u32_at(36)?)),
            false => None,
        };
        Some(PageHeader {
            magic: u16_at(0)?,
            info,
            tli: TimelineId(u32_at(4)?),
            address: Lsn(u64_at(8)?),
            remaining: u32_at(16)?,
            long,
        })
    }
    /// Writes the header to the front of a page.
    pub fn encode(&self, page: &mut [u8]) {
        page[..24].fill(0);
        page[0..2].copy_from_slice(&self.magic.to_le_bytes());
        page[2..4].copy_from_slice(&self.info.to_le_bytes());
        page[4..8].copy_from_slice(&self.tli.0.to_le_bytes());
        page[8..16].copy_from_slice(&self.address.0.to_le_bytes());
        page[16..20].copy_from_slice(&self.remaining.to_le_bytes());
        if let Some((sysid, seg_size, page_size)) = self.long {
            page[24..32].copy_from_slice(&sysid.to_le_bytes());
            page[32..36].copy_from_slice(&seg_size.to_le_bytes());
            page[36..40].copy_from_slice(&page_size.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_inverse() {
        let s = Segments::new(1 << 20);
        for usable in (0..3 * s.usable()).step_by(8).chain([s.usable(), s.usable() - 8, PAGE - LONG_HEADER]) {
            let (start, end) = (s.start_of(usable), s.end_of(usable));
            assert_eq!(s.usable_before(start), usable);
            assert_eq!(s.usable_before(end), usable);
            assert!(start == end || (end.0 % PAGE == 0 && start.0 == end.0 + s.header_size(end)), "{start} {end}");
        }
    }

    #[test]
    fn file_names() {
        let s = Segments::new(16 << 20);
        assert_eq!(segment_file_name(TimelineId(1), 1, s), "000000010000000000000001");
        assert_eq!(segment_file_name(TimelineId(2), 257, s), "000000020000000100000001");
        assert_eq!(parse_segment_file_name("000000020000000100000001", s), Some((TimelineId(2), 257)));
        assert_eq!(parse_segment_file_name("00000002000000010000000g", s), None);
    }
}
