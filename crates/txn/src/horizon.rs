//! Horizons: rows removed by transactions before them can be seen by nobody any more. (PostgreSQL: `GlobalVisState`,
//! `ComputeXidHorizons`)

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

use base::{Oid, Xid};

use crate::manager::TransactionManager;

/// Which relations a horizon is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HorizonKind {
    /// Shared catalogs: snapshots of all databases count.
    Shared,
    /// A database's catalogs.
    Catalog,
    /// Ordinary tables.
    Data,
    /// The session's own temporary tables: only its own transaction counts.
    Temp,
}

/// (PostgreSQL: `ComputeXidHorizonsResult`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Horizons {
    pub shared: Xid,
    pub catalog: Xid,
    pub data: Xid,
    /// The oldest running xid. (PostgreSQL: `GetOldestActiveTransactionId`)
    pub oldest_running: Xid,
    pub next: Xid,
}

/// Answers for page pruning, cheaply: a cached bound, made exact only when asked about an xid beyond it and something
/// has ended since. (PostgreSQL: `GlobalVisTestIsRemovableXid`)
pub struct VisibilityHorizon {
    pub(crate) manager: Arc<TransactionManager>,
    pub(crate) kind: HorizonKind,
    pub(crate) database: Oid,
    pub(crate) bound: AtomicU32,
    /// The manager's count of ended transactions when `bound` was computed.
    pub(crate) computed_at: AtomicU64,
}
