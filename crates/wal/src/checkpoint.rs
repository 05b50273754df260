//! Checkpoints. (PostgreSQL: `CreateCheckPoint`)

use base::{PgError, Result};

use crate::control::CheckPoint;
use crate::insert::Wal;

/// What a checkpoint is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// While transactions run.
    Online,
    /// Nothing runs any more.
    Shutdown,
    /// After crash recovery; logged as a shutdown checkpoint.
    EndOfRecovery,
}

/// What the log asks of the floors above during a checkpoint. `txn` implements it ([`CheckpointHooks`]).
pub trait CheckpointHooks: Send + Sync {
    /// Fills `next_xid`, `next_oid`, multixact and oldest-xid fields. No commit may be halfway: those that are, are waited for.
    fn fill(&self, checkpoint: &mut CheckPoint, kind: Kind) -> Result<()>;
    /// Runs `body`, which determines the redo pointer, while no commit is between its record and its mark in pg_xact.
    fn with_commits_blocked(&self, body: &mut dyn FnMut());
    /// Writes everything up to the redo pointer: SLRUs, buffers (spread over time if `fast` is false), then fsyncs.
    /// (PostgreSQL: `CheckPointGuts`)
    fn write_all(&self, kind: Kind, fast: bool) -> Result<()>;
    /// Logs XLOG_RUNNING_XACTS.
    fn log_running_xacts(&self) -> Result<()>;
    /// The checkpoint is durable: files of dropped relations may go, pg_subtrans be truncated.
    fn done(&self, kind: Kind) -> Result<()>;
}

/// How a checkpoint went, for `log_checkpoints` and `pg_stat_checkpointer`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    pub segments_added: usize,
    pub segments_removed: usize,
    pub segments_recycled: usize,
}

/// Makes a checkpoint. An online one is skipped (`None`) if nothing important was logged since the last one, unless `force`.
pub fn create(wal: &Wal, hooks: &dyn CheckpointHooks, kind: Kind, fast: bool, force: bool) -> Result<Option<Summary>> {
    let _ = (wal, hooks, kind, fast, force);
    Err(PgError::unsupported("CHECKPOINT"))
}
