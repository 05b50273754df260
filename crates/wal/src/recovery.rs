//! From pg_control to a consistent cluster. (PostgreSQL: `StartupXLOG`)

use std::sync::Arc;

use base::{Lsn, PgError, Result};
use storage::BufferPool;

use crate::control::CheckPoint;
use crate::insert::{LogEnd, Wal};
use crate::rmgr::RmgrTable;

/// What recovery reports, and asks, while it runs. `txn` implements it.
pub trait RecoveryHooks: Send + Sync {
    /// The checkpoint recovery starts from: counters and SLRUs are set up from it.
    fn start(&self, checkpoint: &CheckPoint) -> Result<()>;
    /// A record with this xid is about to be replayed: the next xid lies beyond it.
    fn saw_xid(&self, xid: base::Xid);
    /// An XLOG_NEXTOID, or a checkpoint's counters, were replayed.
    fn saw_checkpoint(&self, checkpoint: &CheckPoint, online: bool) -> Result<()>;
    fn saw_next_oid(&self, next: base::Oid);
    /// Everything is replayed and the log accepts records.
    fn finish(&self) -> Result<()>;
    /// For the log's own resource manager and the server log.
    fn log(&self, message: &str);
}

/// What recovery found.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub end: LogEnd,
    /// `None` after a clean shutdown.
    pub redo: Option<(Lsn, Lsn)>,
    pub checkpoint: CheckPoint,
}

/// Brings the cluster to a consistent state and lets the log accept records. The caller makes the end-of-recovery
/// checkpoint if `Outcome::redo` says that there was recovery.
pub fn recover(
    wal: &Arc<Wal>,
    pool: &Arc<BufferPool>,
    managers: &RmgrTable,
    hooks: &dyn RecoveryHooks,
) -> Result<Outcome> {
    let _ = (wal, pool, managers, hooks);
    Err(PgError::unsupported("recovery"))
}
