//! The first segment and pg_control of a new cluster. (PostgreSQL: `BootStrapXLOG`)

use base::{Lsn, PgError, Result};
use storage::Vfs;

use crate::control::{CheckPoint, ControlFile, Parameters};

/// What a new cluster starts with.
#[derive(Clone, Debug)]
pub struct NewCluster {
    /// Identifies the cluster; see [`system_identifier`].
    pub system_identifier: u64,
    /// 32 random bytes.
    pub nonce: [u8; 32],
    pub segment_size: u32,
    pub checksums: bool,
    pub parameters: Parameters,
    /// The counters; `redo` and `time` are set here. [`CheckPoint`] as PostgreSQL's initdb leaves it: [`initial_checkpoint`].
    pub checkpoint: CheckPoint,
}

/// Where the first record lies: the first segment is number 1.
pub fn first_record(segment_size: u32) -> Lsn {
    Lsn(u64::from(segment_size) + crate::position::LONG_HEADER)
}

/// Writes `pg_wal/000000010000000000000001` with its checkpoint record, and `global/pg_control` (state: shut down).
/// The directories must exist. The pages of the cluster were written without WAL.
pub fn create(vfs: &dyn Vfs, new: &NewCluster) -> Result<ControlFile> {
    let _ = (vfs, new);
    Err(PgError::unsupported("bootstrap"))
}
