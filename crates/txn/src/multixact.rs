//! Sets of transactions that lock one row, in `pg_multixact`. (PostgreSQL: `multixact.c`)

use base::{MultiXactId, PgError, Result, Xid};

use crate::transaction::Transaction;

/// How a member locks the row. (PostgreSQL: `MultiXactStatus`)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum MultiXactStatus {
    ForKeyShare = 0,
    ForShare = 1,
    ForNoKeyUpdate = 2,
    ForUpdate = 3,
    NoKeyUpdate = 4,
    Update = 5,
}

impl MultiXactStatus {
    pub fn from_u8(n: u8) -> Option<MultiXactStatus> {
        use MultiXactStatus::{ForKeyShare, ForNoKeyUpdate, ForShare, ForUpdate, NoKeyUpdate, Update};
        [ForKeyShare, ForShare, ForNoKeyUpdate, ForUpdate, NoKeyUpdate, Update].get(usize::from(n)).copied()
    }
    /// Did the member change the row, rather than only lock it? (PostgreSQL: `ISUPDATE_from_mxstatus`)
    pub fn is_update(self) -> bool {
        self > MultiXactStatus::ForUpdate
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MultiXactMember {
    pub xid: Xid,
    pub status: MultiXactStatus,
}

/// The cluster's multixacts.
pub struct MultiXacts {}

impl MultiXacts {
    pub(crate) fn new(
        wal: std::sync::Arc<wal::Wal>,
        smgr: std::sync::Arc<storage::Smgr>,
        buffers: usize,
    ) -> MultiXacts {
        let _ = (wal, smgr, buffers);
        MultiXacts {}
    }
    pub(crate) fn end_of_transaction(&self, proc: &crate::proc::Proc) {
        let _ = proc;
    }
    /// A new set. (PostgreSQL: `MultiXactIdCreateFromMembers`)
    pub fn create(&self, txn: &Transaction, members: &[MultiXactMember]) -> Result<MultiXactId> {
        let _ = (txn, members);
        Err(PgError::unsupported("multixacts"))
    }
    /// The set with one more member; members that have ended and do not matter any more are left out.
    /// (PostgreSQL: `MultiXactIdExpand`)
    pub fn expand(&self, txn: &Transaction, multi: MultiXactId, member: MultiXactMember) -> Result<MultiXactId> {
        let _ = (txn, multi, member);
        Err(PgError::unsupported("multixacts"))
    }
    /// The members; empty if the set is too old to matter. `lock_only`: the row's infomask says that nobody in it updated.
    /// (PostgreSQL: `GetMultiXactIdMembers`)
    pub fn members(&self, multi: MultiXactId, lock_only: bool) -> Result<Vec<MultiXactMember>> {
        let _ = (multi, lock_only);
        Err(PgError::unsupported("multixacts"))
    }
    /// Does any member still run? (PostgreSQL: `MultiXactIdIsRunning`)
    pub fn is_running(&self, txn: &Transaction, multi: MultiXactId, lock_only: bool) -> Result<bool> {
        let _ = (txn, multi, lock_only);
        Err(PgError::unsupported("multixacts"))
    }
    /// Before this transaction's id can get into a set. (PostgreSQL: `MultiXactIdSetOldestMember`)
    pub fn set_oldest_member(&self, txn: &Transaction) {
        let _ = txn;
    }
    pub fn next(&self) -> MultiXactId {
        MultiXactId::FIRST
    }
    /// Sets before this one cannot be asked about by a running transaction. (PostgreSQL: `GetOldestMultiXactId`)
    pub fn oldest_needed(&self) -> MultiXactId {
        MultiXactId::FIRST
    }
}
