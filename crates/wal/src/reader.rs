//! Reading records from segments, and telling the end of the log from damage inside it. (PostgreSQL: `xlogreader.c`)
//!
//! The log ends where the next record is not valid: zeroes, an older segment's content, a link to another record, a wrong
//! checksum. That a page later in the *same* segment is valid proves nothing, since the writes of one sync may reach the
//! disk in any order. But a segment is synced before the next one is begun: a valid record in a later segment means that
//! the log is damaged here ([`Reader::later_record`]).

use std::sync::Arc;

use base::{Lsn, Result, TimelineId};
use storage::vfs::{IoContext, OpenMode, read_full};
use storage::{Vfs, VfsFile};

use crate::position::{
    PAGE, PAGE_MAGIC, PageHeader, Segments, XLP_FIRST_IS_CONTRECORD, XLP_FIRST_IS_OVERWRITE_CONTRECORD,
    XLP_LONG_HEADER, segment_file_name, segment_path,
};
use crate::record::{HEADER_SIZE, MAX_SIZE, Record};
use crate::rmgr::RmgrId;
use crate::xlog;

/// What comes next in the log.
#[derive(Debug)]
pub enum Next {
    Record(Box<Record>),
    End(End),
}

/// Why there is no further record. (PostgreSQL reports it as `invalid record length at ..` and the like)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// Where the next record would start.
    pub at: Lsn,
    /// PostgreSQL's words.
    pub reason: String,
    /// A record begins at `at`, and this page, where it should go on, does not hold its rest.
    pub missing_page: Option<Lsn>,
}

enum Stop {
    End(End),
    /// The record was cut short, and the log goes on with another one on this page.
    Overwritten(u64),
}

/// Reads a log record by record.
pub struct Reader {
    vfs: Arc<dyn Vfs>,
    segments: Segments,
    tli: TimelineId,
    system_identifier: u64,
    at: Lsn,
    /// The record read before, if the next one must link to it.
    prev: Option<Lsn>,
    file: Option<(u64, Box<dyn VfsFile>)>,
    /// Several pages from one segment.
    chunk: Vec<u8>,
    chunk_start: u64,
    latest_tli: TimelineId,
}

/// How much is read at once.
const CHUNK: u64 = 16 * PAGE;

impl Reader {
    pub fn new(vfs: Arc<dyn Vfs>, segments: Segments, tli: TimelineId, system_identifier: u64) -> Reader {
        Reader {
            vfs,
            segments,
            tli,
            system_identifier,
            at: Lsn::INVALID,
            prev: None,
            file: None,
            chunk: Vec::new(),
            chunk_start: 0,
            latest_tli: TimelineId(0),
        }
    }
    /// Starts at a record that begins exactly here.
    pub fn seek(&mut self, lsn: Lsn) {
        self.at = lsn;
        self.prev = None;
        self.chunk.clear();
    }
    /// Starts at the first record that begins at or after this point; says where that is. (PostgreSQL: `XLogFindNextRecord`)
    pub fn seek_from(&mut self, lsn: Lsn) -> Result<Result<Lsn, End>> {
        self.seek(lsn);
        let mut page = lsn.0 - lsn.0 % PAGE;
        // Skip what continues from before.
        loop {
            let header = match self.page_header(page)? {
                Ok(header) => header,
                Err(reason) => return Ok(Err(End { at: Lsn(page), reason, missing_page: None })),
            };
            let room = PAGE - header.size() as u64;
            let remaining = u64::from(header.remaining);
            if header.info & XLP_FIRST_IS_CONTRECORD != 0 && remaining.next_multiple_of(8) >= room {
                page += PAGE;
                continue;
            }
            let skipped = if header.info & XLP_FIRST_IS_CONTRECORD != 0 { remaining.next_multiple_of(8) } else { 0 };
            self.at = Lsn(page + header.size() as u64 + skipped);
            break;
        }
        while self.at < lsn {
            if let Next::End(end) = self.next()? {
                return Ok(Err(end));
            }
        }
        Ok(Ok(self.at))
    }
    /// Where the next record starts.
    pub fn position(&self) -> Lsn {
        self.at
    }
    /// The next record. After an end the position stays, so that one may ask again when the log has grown.
    pub fn next(&mut self) -> Result<Next> {
        loop {
            let mut at = self.at.0;
            if at % PAGE == 0 {
                at += self.segments.header_size(Lsn(at));
            }
            match self.read(at)? {
                Ok(record) => {
                    self.at = record.end;
                    self.prev = Some(record.lsn);
                    return Ok(Next::Record(Box::new(record)));
                }
                Err(Stop::End(end)) => {
                    self.chunk.clear();
                    return Ok(Next::End(end));
                }
                Err(Stop::Overwritten(page)) => self.at = Lsn(page),
            }
        }
    }
    /// After an end: is there a valid record in a later segment, so that this is damage inside the log? Where?
    pub fn later_record(&mut self, end: &End) -> Result<Option<Lsn>> {
        let next = self.segments.start(self.segments.number(end.at) + 1);
        let kept = (self.at, self.prev);
        let found = match self.seek_from(next)? {
            Ok(_) => match self.next()? {
                Next::Record(record) => Some(record.lsn),
                Next::End(_) => None,
            },
            Err(_) => None,
        };
        (self.at, self.prev) = kept;
        self.chunk.clear();
        Ok(found)
    }

    fn read(&mut self, at: u64) -> Result<Result<Record, Stop>> {
        let lsn = Lsn(at);
        let end = |reason: String| Ok(Err(Stop::End(End { at: lsn, reason, missing_page: None })));
        let mut page = at - at % PAGE;
        let header = match self.page_header(page)? {
            Ok(header) => header,
            Err(reason) => return end(reason),
        };
        if at - page < header.size() as u64 {
            return end(format!(
                "invalid record offset at {lsn}: expected at least {}, got {}",
                header.size(),
                at - page
            ));
        }
        if at - page == header.size() as u64 && header.info & XLP_FIRST_IS_CONTRECORD != 0 {
            return end(format!("contrecord is requested by {lsn}"));
        }
        let total = match self.bytes(page, at - page, 4)?.try_into() {
            Ok(b) => u32::from_le_bytes(b) as usize,
            Err(_) => return end(format!("invalid record offset at {lsn}")),
        };
        if !(HEADER_SIZE..=MAX_SIZE).contains(&total) {
            return end(format!("invalid record length at {lsn}: expected at least {HEADER_SIZE}, got {total}"));
        }
        let first = total.min((PAGE - at % PAGE) as usize);
        if first >= HEADER_SIZE {
            let header = self.bytes(page, at - page, HEADER_SIZE)?.to_vec();
            if let Some(reason) = self.header_problem(&header, lsn) {
                return end(reason);
            }
        }
        let mut bytes = Vec::with_capacity(total.min(1 << 20));
        bytes.extend_from_slice(self.bytes(page, at - page, first)?);
        let mut record_end = at + first.next_multiple_of(8) as u64;
        while bytes.len() < total {
            page += PAGE;
            let missing = |reason: String| Ok(Err(Stop::End(End { at: lsn, reason, missing_page: Some(Lsn(page)) })));
            let header = match self.page_header(page)? {
                Ok(header) => header,
                Err(reason) => return missing(reason),
            };
            if header.info & XLP_FIRST_IS_OVERWRITE_CONTRECORD != 0 {
                return Ok(Err(Stop::Overwritten(page)));
            }
            if header.info & XLP_FIRST_IS_CONTRECORD == 0 {
                return missing(format!("there is no contrecord flag at {lsn}"));
            }
            if header.remaining as usize != total - bytes.len() {
                return missing(format!(
                    "invalid contrecord length {} (expected {}) at {lsn}",
                    header.remaining,
                    total - bytes.len()
                ));
            }
            let size = header.size() as u64;
            let n = (total - bytes.len()).min((PAGE - size) as usize);
            bytes.extend_from_slice(self.bytes(page, size, n)?);
            record_end = page + size + n.next_multiple_of(8) as u64;
            if bytes.len() >= HEADER_SIZE && bytes.len() - n < HEADER_SIZE {
                if let Some(reason) = self.header_problem(&bytes[..HEADER_SIZE], lsn) {
                    return end(reason);
                }
            }
        }
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[HEADER_SIZE..]), &bytes[..20]);
        if bytes[20..24] != crc.to_le_bytes() {
            return end(format!("incorrect resource manager data checksum in record at {lsn}"));
        }
        if bytes[17] == RmgrId::XLOG.0 && bytes[16] & 0xF0 == xlog::SWITCH {
            record_end = record_end.next_multiple_of(self.segments.size());
        }
        match Record::decode(&bytes, lsn, Lsn(record_end)) {
            Ok(record) => Ok(Ok(record)),
            Err(e) => end(e.message().to_owned()),
        }
    }

    /// (PostgreSQL: `ValidXLogRecordHeader`)
    fn header_problem(&self, header: &[u8], lsn: Lsn) -> Option<String> {
        let mut r = crate::bytes::Reader::new(header);
        r.skip(8).ok()?;
        let (prev, _, rmgr) = (r.lsn().ok()?, r.u8().ok()?, r.u8().ok()?);
        if !RmgrId::is_valid(rmgr) {
            return Some(format!("invalid resource manager ID {rmgr} at {lsn}"));
        }
        let right = match self.prev {
            Some(expected) => prev == expected,
            None => prev < lsn,
        };
        (!right).then(|| format!("record with incorrect prev-link {prev} at {lsn}"))
    }

    /// The header of a page, or why it is none. (PostgreSQL: `XLogReaderValidatePageHeader`)
    fn page_header(&mut self, page: u64) -> Result<std::result::Result<PageHeader, String>> {
        if let Some(reason) = self.load(page)? {
            return Ok(Err(reason));
        }
        let lsn = Lsn(page);
        let offset = self.segments.offset(lsn);
        let (tli, segments) = (self.tli, self.segments);
        let place = || {
            let name = segment_file_name(tli, segments.number(lsn), segments);
            format!("in WAL segment {name}, LSN {lsn}, offset {offset}")
        };
        let from = (page - self.chunk_start) as usize;
        let Some(header) = PageHeader::decode(&self.chunk[from..from + PAGE as usize]) else {
            return Ok(Err(format!("invalid page {}", place())));
        };
        let problem = if header.magic != PAGE_MAGIC {
            Some(format!("invalid magic number {:04X} {}", header.magic, place()))
        } else if header.info & !0x000F != 0 {
            Some(format!("invalid info bits {:04X} {}", header.info, place()))
        } else if let Some((sysid, size, block)) = header.long {
            if self.system_identifier != 0 && sysid != self.system_identifier {
                Some(format!(
                    "WAL file is from different database system: WAL file database system identifier is {sysid}, \
                     pg_control database system identifier is {}",
                    self.system_identifier
                ))
            } else if u64::from(size) != self.segments.size() {
                Some("WAL file is from different database system: incorrect segment size in page header".into())
            } else if u64::from(block) != PAGE {
                Some("WAL file is from different database system: incorrect XLOG_BLCKSZ in page header".into())
            } else {
                None
            }
        } else if offset == 0 {
            Some(format!("invalid info bits {:04X} {}", header.info, place()))
        } else {
            None
        };
        let problem = problem.or_else(|| {
            (header.address != lsn).then(|| format!("unexpected pageaddr {} {}", header.address, place())).or_else(
                || {
                    let wrong = offset != 0 && header.info & XLP_LONG_HEADER != 0;
                    wrong.then(|| format!("invalid info bits {:04X} {}", header.info, place()))
                },
            )
        });
        if let Some(reason) = problem {
            return Ok(Err(reason));
        }
        if header.tli < self.latest_tli {
            return Ok(Err(format!(
                "out-of-sequence timeline ID {} (after {}) {}",
                header.tli.0,
                self.latest_tli.0,
                place()
            )));
        }
        self.latest_tli = header.tli;
        Ok(Ok(header))
    }

    /// Bytes of a page that was loaded.
    fn bytes(&mut self, page: u64, offset: u64, n: usize) -> Result<&[u8]> {
        self.load(page)?;
        let from = (page - self.chunk_start + offset) as usize;
        Ok(self.chunk.get(from..from + n).unwrap_or(&[]))
    }

    /// Brings the page into the chunk; says why that is not possible.
    fn load(&mut self, page: u64) -> Result<Option<String>> {
        if page >= self.chunk_start && page + PAGE <= self.chunk_start + self.chunk.len() as u64 {
            return Ok(None);
        }
        let number = self.segments.number(Lsn(page));
        let path = segment_path(self.tli, number, self.segments);
        if self.file.as_ref().is_none_or(|(n, _)| *n != number) {
            self.file = match self.vfs.open(&path, OpenMode::Read) {
                Ok(file) => Some((number, file)),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    self.chunk.clear();
                    return Ok(Some(format!("could not open file \"{path}\": No such file or directory")));
                }
                Err(e) => return Err(e).or_pg("open file", &path),
            };
        }
        let Some((_, file)) = &self.file else { return Ok(Some(String::new())) };
        let offset = self.segments.offset(Lsn(page));
        let want = CHUNK.min(self.segments.size() - offset) as usize;
        self.chunk.resize(want, 0);
        let n = read_full(&**file, &mut self.chunk, offset).or_pg("read file", &path)?;
        self.chunk.truncate(n / PAGE as usize * PAGE as usize);
        self.chunk_start = page;
        Ok(match self.chunk.is_empty() {
            true => Some(format!("could not read from WAL segment {path}, offset {offset}: read {n} of {PAGE}")),
            false => None,
        })
    }
}
