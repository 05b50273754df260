//! What a checkpoint does above the log: [`wal::checkpoint::CheckpointHooks`] for the cluster.

use std::sync::Arc;

use base::Result;
use wal::checkpoint::{Kind, Summary};

use crate::manager::TransactionManager;

/// Makes a checkpoint. `fast`: without pauses. `force`: even if nothing happened since the last one.
/// `None`: there was nothing to do.
pub fn run(manager: &Arc<TransactionManager>, kind: Kind, fast: bool, force: bool) -> Result<Option<Summary>> {
    let _ = (manager, kind, fast, force);
    Err(base::PgError::unsupported("CHECKPOINT"))
}
