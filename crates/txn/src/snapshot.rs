//! Snapshots. Taking one is cheap: the list of running transactions is shared by all snapshots until some transaction that
//! had an xid ends. (PostgreSQL: `SnapshotData`, `GetSnapshotData`)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use base::{CommandId, PgError, Result, Xid};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};

use crate::proc::SnapshotPin;

/// The transactions that ran at one moment; immutable and shared.
#[derive(Debug)]
pub struct RunningSet {
    /// Every id before this one has ended.
    pub xmin: Xid,
    /// This id and those after it had not ended.
    pub xmax: Xid,
    /// The running ids in between, of subtransactions too, in the circle's order from `xmin`.
    pub(crate) xids: Box<[Xid]>,
}

impl RunningSet {
    /// (PostgreSQL: `XidInMVCCSnapshot`)
    #[inline]
    pub fn contains(&self, xid: Xid) -> bool {
        if xid.precedes(self.xmin) {
            return false;
        }
        if !xid.precedes(self.xmax) {
            return true;
        }
        let key = |x: Xid| x.0.wrapping_sub(self.xmin.0);
        self.xids.binary_search_by_key(&key(xid), |x| key(*x)).is_ok()
    }
    pub fn xids(&self) -> &[Xid] {
        &self.xids
    }
}

/// Which transactions' work a statement sees. Cheap to clone. While it lives, rows it can see are not removed.
#[derive(Clone)]
pub struct Snapshot {
    pub xmin: Xid,
    pub xmax: Xid,
    /// Of one's own changes, those of earlier commands are seen.
    pub curcid: CommandId,
    pub(crate) running: Arc<RunningSet>,
    pub(crate) own: Arc<OwnTransaction>,
    /// Holds the horizon back while a clone of this lives.
    pub(crate) _pin: Arc<SnapshotPin>,
}

impl Snapshot {
    /// Is the other one a clone of this?
    pub fn is_same(&self, other: &Snapshot) -> bool {
        self.curcid == other.curcid
            && Arc::ptr_eq(&self.running, &other.running)
            && Arc::ptr_eq(&self._pin, &other._pin)
    }
    /// Was this transaction still running (or yet to start) when the snapshot was taken? Own ids are not special here:
    /// ask [`Snapshot::is_own`] before. (PostgreSQL: `XidInMVCCSnapshot`)
    #[inline]
    pub fn in_progress(&self, xid: Xid) -> bool {
        self.running.contains(xid)
    }
    /// Is this the snapshot's own transaction or one of its live subtransactions?
    /// (PostgreSQL: `TransactionIdIsCurrentTransactionId`)
    #[inline]
    pub fn is_own(&self, xid: Xid) -> bool {
        self.own.is_current(xid)
    }
    pub fn own(&self) -> &Arc<OwnTransaction> {
        &self.own
    }
    pub fn running(&self) -> &Arc<RunningSet> {
        &self.running
    }
    /// The same snapshot as of a later command.
    #[must_use]
    pub fn with_command(&self, curcid: CommandId) -> Snapshot {
        Snapshot { curcid, ..self.clone() }
    }
}

/// What visibility needs to know about one's own transaction. Shared by the transaction and its snapshots.
pub struct OwnTransaction {
    /// The top-level xid, 0 if none.
    top: AtomicU32,
    has_subs: AtomicBool,
    /// Ids of live subtransactions: running, or released into a parent. Ascending.
    subs: RwLock<Vec<Xid>>,
    combo: Mutex<ComboCids>,
}

#[derive(Default)]
struct ComboCids {
    pairs: Vec<(CommandId, CommandId)>,
    numbers: HashMap<(CommandId, CommandId), u32>,
}

impl OwnTransaction {
    pub(crate) fn new() -> OwnTransaction {
        OwnTransaction {
            top: AtomicU32::new(0),
            has_subs: AtomicBool::new(false),
            subs: RwLock::default(),
            combo: Mutex::default(),
        }
    }
    /// (PostgreSQL: `TransactionIdIsCurrentTransactionId`)
    #[inline]
    pub fn is_current(&self, xid: Xid) -> bool {
        let top = self.top.load(Ordering::Acquire);
        if top == 0 || !xid.is_normal() {
            return false;
        }
        top == xid.0 || self.has_subs.load(Ordering::Acquire) && self.is_live_sub(xid)
    }
    fn is_live_sub(&self, xid: Xid) -> bool {
        let top = self.top.load(Ordering::Acquire);
        let key = |x: Xid| x.0.wrapping_sub(top);
        self.subs.read().binary_search_by_key(&key(xid), |x| key(*x)).is_ok()
    }
    pub fn top_xid(&self) -> Option<Xid> {
        Some(Xid(self.top.load(Ordering::Acquire))).filter(|x| x.is_valid())
    }
    pub(crate) fn set_top(&self, xid: Xid) {
        self.top.store(xid.0, Ordering::Release);
    }
    pub(crate) fn add_sub(&self, xid: Xid) {
        self.subs.write().push(xid);
        self.has_subs.store(true, Ordering::Release);
    }
    pub(crate) fn remove_subs(&self, xids: &[Xid]) {
        let gone: hashbrown::HashSet<Xid> = xids.iter().copied().collect();
        self.subs.write().retain(|x| !gone.contains(x));
    }
    /// The number that stands for a tuple inserted and deleted by the same transaction.
    /// (PostgreSQL: `GetComboCommandId`)
    pub fn combo_cid(&self, cmin: CommandId, cmax: CommandId) -> Result<CommandId> {
        let mut combo = self.combo.lock();
        if let Some(n) = combo.numbers.get(&(cmin, cmax)) {
            return Ok(CommandId(*n));
        }
        let n = u32::try_from(combo.pairs.len()).map_err(|_| PgError::internal("too many combo command ids"))?;
        combo.pairs.push((cmin, cmax));
        combo.numbers.insert((cmin, cmax), n);
        Ok(CommandId(n))
    }
    /// What a combo command id stands for: (cmin, cmax). (PostgreSQL: `GetRealCmin`, `GetRealCmax`)
    pub fn combo_parts(&self, combo: CommandId) -> Option<(CommandId, CommandId)> {
        self.combo.lock().pairs.get(combo.0 as usize).copied()
    }
}
