//! Horizons: rows removed by transactions before them can be seen by nobody any more. (PostgreSQL: `GlobalVisState`,
//! `ComputeXidHorizons`)

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

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
    /// The session's own temporary tables. (Treated as ordinary ones for now.)
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

impl Horizons {
    pub fn of(&self, kind: HorizonKind) -> Xid {
        match kind {
            HorizonKind::Shared => self.shared,
            HorizonKind::Catalog => self.catalog,
            HorizonKind::Data | HorizonKind::Temp => self.data,
        }
    }
}

/// Answers for page pruning, cheaply: a cached bound, made exact only when asked about an xid beyond it and some
/// transaction has ended since. (PostgreSQL: `GlobalVisTestIsRemovableXid`)
pub struct VisibilityHorizon {
    manager: Arc<TransactionManager>,
    kind: HorizonKind,
    database: Oid,
    bound: AtomicU32,
    /// The manager's count of ended transactions when `bound` was computed.
    computed_at: AtomicU64,
}

impl VisibilityHorizon {
    pub(crate) fn new(manager: Arc<TransactionManager>, kind: HorizonKind, database: Oid) -> VisibilityHorizon {
        let computed_at = manager.ended_count().into();
        let bound = manager.horizons(database).of(kind).0.into();
        VisibilityHorizon { manager, kind, database, bound, computed_at }
    }
    /// Can nobody see any more what this transaction removed? The transaction must have committed.
    #[inline]
    pub fn is_removable(&self, xid: Xid) -> bool {
        xid.precedes(Xid(self.bound.load(Ordering::Acquire))) || self.is_removable_now(xid)
    }
    #[cold]
    fn is_removable_now(&self, xid: Xid) -> bool {
        let ended = self.manager.ended_count();
        if self.computed_at.load(Ordering::Acquire) == ended {
            return false;
        }
        let bound = self.manager.horizons(self.database).of(self.kind);
        self.bound.store(bound.0, Ordering::Release);
        self.computed_at.store(ended, Ordering::Release);
        xid.precedes(bound)
    }
    /// The bound as it is now: everything before it is removable.
    pub fn bound(&self) -> Xid {
        Xid(self.bound.load(Ordering::Acquire))
    }
}
