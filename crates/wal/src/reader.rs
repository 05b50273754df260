//! Reading records from segments.

use std::sync::Arc;

use base::{Lsn, PgError, Result, TimelineId};
use storage::Vfs;

use crate::position::Segments;
use crate::record::Record;

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
    /// The start of a record that continues on a page that is not there.
    pub incomplete: Option<Lsn>,
}

/// Reads a log record by record.
pub struct Reader {
    vfs: Arc<dyn Vfs>,
    segments: Segments,
    tli: TimelineId,
}

impl Reader {
    pub fn new(vfs: Arc<dyn Vfs>, segments: Segments, tli: TimelineId, system_identifier: u64) -> Reader {
        let _ = system_identifier;
        Reader { vfs, segments, tli }
    }
    /// Starts at a record that begins exactly here.
    pub fn seek(&mut self, lsn: Lsn) {
        let _ = (lsn, &self.vfs, self.segments, self.tli);
    }
    /// Starts at the first record that begins at or after this point.
    pub fn seek_from(&mut self, lsn: Lsn) -> Result<Lsn> {
        let _ = lsn;
        Err(PgError::unsupported("WAL reader"))
    }
    pub fn next(&mut self) -> Result<Next> {
        Err(PgError::unsupported("WAL reader"))
    }
    /// After an end: is there a valid record further on, so that this is damage inside the log?
    pub fn later_record(&mut self, end: &End) -> Result<Option<Lsn>> {
        let _ = end;
        Ok(None)
    }
}
