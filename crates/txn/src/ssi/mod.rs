//! SERIALIZABLE by watching rw-conflicts: serializable snapshot isolation. (PostgreSQL: `predicate.c`; Cahill, Röhm and Fekete,
//! "Serializable isolation for snapshot databases"; Ports and Grittner, "Serializable snapshot isolation in PostgreSQL")
//!
//! A serializable transaction notes what it reads as SIREAD locks, on rows, pages or whole relations (a page of an index stands
//! for the keys that could lie on it). They block nobody. Who writes looks whether others have read what changes: a
//! *rw-conflict* from the reader to the writer. Who reads a row in a version that its snapshot does not see, or that somebody
//! has replaced, has a conflict to that writer. Two conflicts in a row, whose last transaction commits first, may be part of
//! a circle: one of the three is rolled back (40001).
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | what transactions and access methods call |
//! | `locks.rs` | SIREAD locks: taking, promoting, moving them |
//! | `conflicts.rs` | conflicts and what they lead to |
//! | `finish.rs` | the end of transactions; what is kept after it, and for how long |
//!
//! Everything lies under one mutex, which nobody else takes: transactions of other levels cost nothing here but the look at a
//! counter when an index page splits. Latch order: page latches, then this mutex, then the list of running transactions.

mod conflicts;
mod finish;
mod locks;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use base::sqlstate::T_R_SERIALIZATION_FAILURE;
use base::{BlockNumber, Oid, PgError, Result, SessionId, TupleId, Xid};
use hashbrown::{HashMap, HashSet};
use parking_lot::{Condvar, Mutex};

use crate::manager::TransactionManager;
use crate::proc::Proc;
use crate::snapshot::{RunningSet, Snapshot};

/// What was read. (PostgreSQL: `PREDICATELOCKTARGETTAG`)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    pub db: Oid,
    pub rel: Oid,
    /// `None`: the whole relation.
    pub block: Option<BlockNumber>,
    /// 0: the whole page.
    pub offset: u16,
}

impl Target {
    pub fn relation(db: Oid, rel: Oid) -> Target {
        Target { db, rel, block: None, offset: 0 }
    }
    pub fn page(db: Oid, rel: Oid, block: BlockNumber) -> Target {
        Target { db, rel, block: Some(block), offset: 0 }
    }
    pub fn row(db: Oid, rel: Oid, tid: TupleId) -> Target {
        Target { db, rel, block: Some(tid.block), offset: tid.offset }
    }
    /// What it is a part of.
    fn parent(self) -> Option<Target> {
        match (self.block, self.offset) {
            (None, _) => None,
            (Some(_), 0) => Some(Target { block: None, ..self }),
            (Some(_), _) => Some(Target { offset: 0, ..self }),
        }
    }
    fn ancestors(self) -> impl Iterator<Item = Target> {
        std::iter::successors(self.parent(), |t| t.parent())
    }
}

/// A line of `pg_locks`.
#[derive(Clone, Copy, Debug)]
pub struct PredicateLockInfo {
    pub target: Target,
    pub session: SessionId,
    pub virtual_transaction: (u32, u32),
}

/// A transaction's number here.
type Id = u64;
/// Commits and preparations in their order.
type Seq = u64;
const NEVER: Seq = Seq::MAX;
/// (PostgreSQL: `FirstNormalSerCommitSeqNo`)
const FIRST_SEQ: Seq = 2;

/// A serializable transaction, also for a while after its end. (PostgreSQL: `SERIALIZABLEXACT`)
struct Xact {
    session: SessionId,
    virtual_xid: (u32, u32),
    /// Its ids, the top level's first if it has one; subtransactions' too.
    xids: Vec<Xid>,
    running: Arc<RunningSet>,
    xmin: Xid,
    /// The last commit before its snapshot.
    last_commit: Seq,
    prepare_seq: Seq,
    commit_seq: Seq,
    /// The first commit among those it has a conflict to; counts if `conflict_out`.
    earliest_out: Seq,
    /// Transactions with ids from here on began after its end.
    finished_before: Xid,
    /// It read what these have written.
    out_conflicts: Vec<Id>,
    /// These have read what it wrote.
    in_conflicts: Vec<Id>,
    /// Of one that reads only: those that may yet make its snapshot unsafe. Of the others: those that wait for it in this way.
    possible_unsafe: Vec<Id>,
    locks: HashSet<Target>,
    /// How many finer locks it holds below a target.
    children: HashMap<Target, u32>,
    declared_read_only: bool,
    read_only: bool,
    did_write: bool,
    prepared: bool,
    committed: bool,
    rolled_back: bool,
    /// It must roll back, or has.
    doomed: bool,
    conflict_out: bool,
    /// Conflicts with transactions of which only a summary is kept.
    summary_in: bool,
    summary_out: bool,
    waiting: bool,
    safe: bool,
    unsafe_snapshot: bool,
}

struct State {
    next: Id,
    xacts: HashMap<Id, Xact>,
    by_xid: HashMap<Xid, Id>,
    locks: HashMap<Target, Vec<Id>>,
    /// Committed ones that still matter, in the order of their commits.
    finished: VecDeque<Id>,
    last_seq: Seq,
    /// Running ones that may write.
    writable: usize,
    /// The oldest xmin of the running ones, and how many have it.
    global_xmin: Option<Xid>,
    global_xmin_count: usize,
    can_clear_through: Seq,
    have_cleared_through: Seq,
    /// Locks of committed transactions that were summarized, with the last commit among them. (PostgreSQL:
    /// `OldCommittedSxact`)
    old_locks: HashMap<Target, Seq>,
    /// Ids of summarized writers: the first commit they have a conflict to. (PostgreSQL: `pg_serial`)
    old_xids: HashMap<Xid, Seq>,
}

/// The serializable transactions of a cluster.
pub struct Ssi {
    state: Mutex<State>,
    /// Tells those that wait for a safe snapshot.
    decided: Condvar,
    /// Targets with locks: nobody reads serializably if there are none.
    targets: AtomicUsize,
    /// (PostgreSQL: `max_pred_locks_per_transaction`, `_per_relation`, `_per_page`)
    per_transaction: AtomicI64,
    per_relation: AtomicI64,
    per_page: AtomicI64,
}

/// Committed transactions kept in full; of older ones only a summary is.
const KEEP_FINISHED: usize = 10_000;
const POLL: Duration = Duration::from_millis(50);

#[cold]
fn failure(reason: String) -> PgError {
    let text = "could not serialize access due to read/write dependencies among transactions";
    PgError::new(T_R_SERIALIZATION_FAILURE, text)
        .detail(format!("Reason code: {reason}"))
        .hint("The transaction might succeed if retried.")
}

impl Default for Ssi {
    fn default() -> Ssi {
        Ssi {
            state: Mutex::new(State {
                next: 1,
                xacts: HashMap::new(),
                by_xid: HashMap::new(),
                locks: HashMap::new(),
                finished: VecDeque::new(),
                last_seq: FIRST_SEQ,
                writable: 0,
                global_xmin: None,
                global_xmin_count: 0,
                can_clear_through: 0,
                have_cleared_through: 0,
                old_locks: HashMap::new(),
                old_xids: HashMap::new(),
            }),
            decided: Condvar::new(),
            targets: AtomicUsize::new(0),
            per_transaction: AtomicI64::new(64),
            per_relation: AtomicI64::new(-2),
            per_page: AtomicI64::new(2),
        }
    }
}

impl Ssi {
    pub fn set_limits(&self, per_transaction: i64, per_relation: i64, per_page: i64) {
        self.per_transaction.store(per_transaction, Ordering::Relaxed);
        self.per_relation.store(per_relation, Ordering::Relaxed);
        self.per_page.store(per_page, Ordering::Relaxed);
    }
    /// Finer locks below a target beyond which it is locked as a whole. (PostgreSQL: `MaxPredicateChildLocks`)
    fn most_children(&self, target: Target) -> u32 {
        let most = match target.block {
            Some(_) => self.per_page.load(Ordering::Relaxed),
            None => match self.per_relation.load(Ordering::Relaxed) {
                n if n < 0 => self.per_transaction.load(Ordering::Relaxed) / -n - 1,
                n => n,
            },
        };
        u32::try_from(most.max(0)).unwrap_or(u32::MAX)
    }
    fn note_targets(&self, state: &State) {
        self.targets.store(state.locks.len() + state.old_locks.len(), Ordering::Release);
    }
    /// For `pg_locks`.
    pub fn all_locks(&self) -> Vec<PredicateLockInfo> {
        let state = self.state.lock();
        let mut all = Vec::new();
        for x in state.xacts.values() {
            let line =
                |t: &Target| PredicateLockInfo { target: *t, session: x.session, virtual_transaction: x.virtual_xid };
            all.extend(x.locks.iter().map(line));
        }
        all
    }
    /// Whom a session waits for that wants a safe snapshot. (PostgreSQL: `GetSafeSnapshotBlockingPids`)
    pub fn safe_snapshot_blockers(&self, session: SessionId) -> Vec<SessionId> {
        let state = self.state.lock();
        let Some(x) = state.xacts.values().find(|x| x.session == session && x.waiting) else { return Vec::new() };
        x.possible_unsafe.iter().filter_map(|id| state.xacts.get(id)).map(|o| o.session).collect()
    }
}

/// A serializable transaction's hold on all this. The number is 0 while the transaction does not take part: before its
/// snapshot, at other levels, and once its snapshot is known to be safe.
#[derive(Default)]
pub(crate) struct Part {
    id: std::sync::atomic::AtomicU64,
}

impl Part {
    #[inline]
    fn id(&self) -> Option<Id> {
        Some(self.id.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }
}

/// A transaction that must be watched: what access methods hold on to.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    ssi: &'a Ssi,
    part: &'a Part,
    manager: &'a TransactionManager,
    id: Id,
    /// A subtransaction may be rolled back, and what it wrote with it.
    in_subtransaction: bool,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(manager: &'a TransactionManager, part: &'a Part, nested: impl FnOnce() -> bool) -> Option<Self> {
        let id = part.id()?;
        Some(Watched { ssi: manager.ssi(), part, manager, id, in_subtransaction: nested() })
    }
    /// Must reads be noted? Not any more if the snapshot has proved safe. (PostgreSQL: `SerializationNeededForRead`)
    fn reads(&self, state: &mut State) -> bool {
        match state.xacts.get(&self.id) {
            Some(x) if !x.safe => true,
            Some(_) => {
                self.part.id.store(0, Ordering::Relaxed);
                self.ssi.finish_in(state, self.id, finish::How::Safe, self.manager.next_full_xid().xid());
                false
            }
            None => false,
        }
    }
    /// Notes that something was read; for a page while it is latched. (PostgreSQL: `PredicateLockAcquire`)
    pub fn lock(&self, target: Target) {
        let mut state = self.ssi.state.lock();
        if self.reads(&mut state) {
            self.ssi.acquire(&mut state, self.id, target);
            self.ssi.note_targets(&state);
        }
    }
    /// The row read was inserted, or is replaced, by that transaction. (PostgreSQL: `CheckForSerializableConflictOut`)
    pub fn conflict_out(&self, writer: Xid) -> Result<()> {
        let mut state = self.ssi.state.lock();
        if !self.reads(&mut state) {
            return Ok(());
        }
        state.conflict_out(self.id, writer)
    }
    /// Something is written: a row (`tid`), a page, or (also) whatever lies in the relation. The page is latched exclusively
    /// until the change is there. (PostgreSQL: `CheckForSerializableConflictIn`)
    pub fn conflict_in(&self, db: Oid, rel: Oid, tid: Option<TupleId>, block: Option<BlockNumber>) -> Result<()> {
        let mut state = self.ssi.state.lock();
        let targets = [
            tid.map(|t| Target::row(db, rel, t)),
            block.map(|b| Target::page(db, rel, b)),
            Some(Target::relation(db, rel)),
        ];
        state.write(self.id, "Canceled on identification as a pivot, during conflict in checking.")?;
        for target in targets.into_iter().flatten() {
            let own_row = target.offset != 0 && !self.in_subtransaction;
            state.conflicts_with_readers(self.id, target, own_row)?;
        }
        self.ssi.note_targets(&state);
        Ok(())
    }
    /// A table's whole content goes. (PostgreSQL: `CheckTableForSerializableConflictIn`)
    pub fn conflict_in_table(&self, db: Oid, rel: Oid) -> Result<()> {
        let mut state = self.ssi.state.lock();
        state.write(self.id, "Canceled on identification as a pivot, during conflict in checking.")?;
        let targets: Vec<Target> = state.locks.keys().filter(|t| (t.db, t.rel) == (db, rel)).copied().collect();
        targets.into_iter().try_for_each(|t| state.conflicts_with_readers(self.id, t, false))
    }
}

impl TransactionManager {
    /// The snapshot of a serializable transaction. (PostgreSQL: `GetSerializableTransactionSnapshot`)
    pub(crate) fn serializable_snapshot(
        &self,
        proc: &Arc<Proc>,
        part: &Part,
        xids: &[Xid],
        read_only: bool,
        deferrable: bool,
        take: &dyn Fn() -> Result<Snapshot>,
    ) -> Result<Snapshot> {
        loop {
            let (snapshot, id) = self.ssi().begin(proc, xids, read_only, take)?;
            let Some(id) = id else { return Ok(snapshot) };
            part.id.store(id, Ordering::Relaxed);
            if !(read_only && deferrable) {
                return Ok(snapshot);
            }
            let safe = self.ssi().wait_until_decided(proc, id);
            part.id.store(0, Ordering::Relaxed);
            let how = if matches!(safe, Ok(true)) { finish::How::Safe } else { finish::How::Rollback };
            self.ssi().finish(id, how, self.next_full_xid().xid());
            if safe? {
                return Ok(snapshot);
            }
        }
    }
    /// An id was assigned: writes by it are this transaction's. (PostgreSQL: `RegisterPredicateLockingXid`)
    pub(crate) fn register_serializable_xid(&self, part: &Part, xid: Xid, top: bool) {
        let Some(id) = part.id() else { return };
        let mut state = self.ssi().state.lock();
        if let Some(x) = state.xacts.get_mut(&id) {
            let at = if top { 0 } else { x.xids.len() };
            x.xids.insert(at, xid);
            state.by_xid.insert(xid, id);
        }
    }
    /// The last moment at which the commit can fail. (PostgreSQL: `PreCommit_CheckForSerializationFailure`)
    pub(crate) fn serializable_pre_commit(&self, part: &Part) -> Result<()> {
        match part.id() {
            Some(id) => self.ssi().state.lock().pre_commit(id),
            None => Ok(()),
        }
    }
    /// (PostgreSQL: `ReleasePredicateLocks`)
    pub(crate) fn serializable_end(&self, part: &Part, committed: bool) {
        let Some(id) = part.id() else { return };
        part.id.store(0, Ordering::Relaxed);
        let how = if committed { finish::How::Commit } else { finish::How::Rollback };
        self.ssi().finish(id, how, self.next_full_xid().xid());
    }
    /// The transaction is prepared: it goes on without its session.
    pub(crate) fn serializable_prepared(&self, part: &Part, place: &Proc) {
        let Some(id) = part.id() else { return };
        part.id.store(0, Ordering::Relaxed);
        if let Some(x) = self.ssi().state.lock().xacts.get_mut(&id) {
            (x.session, x.virtual_xid, x.did_write) = (SessionId(0), place.virtual_xid(), true);
        }
    }
    /// (PostgreSQL: `PredicateLockTwoPhaseFinish`)
    pub(crate) fn serializable_finish_prepared(&self, xid: Xid, committed: bool) {
        let id = self.ssi().state.lock().by_xid.get(&xid).copied();
        if let Some(id) = id {
            let how = if committed { finish::How::Commit } else { finish::How::Rollback };
            self.ssi().finish(id, how, self.next_full_xid().xid());
        }
    }
}

impl Ssi {
    fn begin(
        &self,
        proc: &Arc<Proc>,
        xids: &[Xid],
        read_only: bool,
        take: &dyn Fn() -> Result<Snapshot>,
    ) -> Result<(Snapshot, Option<Id>)> {
        // Under the mutex: no serializable transaction ends between the snapshot and our note of it.
        let mut state = self.state.lock();
        let snapshot = take()?;
        if read_only && state.writable == 0 {
            return Ok((snapshot, None));
        }
        let possible: Vec<Id> = match read_only {
            true => {
                let open = state.xacts.iter().filter(|(_, x)| !x.committed && !x.doomed && !x.read_only);
                open.map(|(id, _)| *id).collect()
            }
            false => Vec::new(),
        };
        if read_only && possible.is_empty() {
            return Ok((snapshot, None));
        }
        let id = state.next;
        state.next += 1;
        for other in &possible {
            if let Some(x) = state.xacts.get_mut(other) {
                x.possible_unsafe.push(id);
            }
        }
        if !read_only {
            state.writable += 1;
        }
        let xmin = snapshot.xmin;
        match state.global_xmin {
            None => (state.global_xmin, state.global_xmin_count) = (Some(xmin), 1),
            Some(g) if g == xmin => state.global_xmin_count += 1,
            // Ours cannot be older, but for an imported snapshot's.
            Some(g) if xmin.precedes(g) => (state.global_xmin, state.global_xmin_count) = (Some(xmin), 1),
            Some(_) => {}
        }
        let last_commit = state.last_seq;
        state.by_xid.extend(xids.iter().map(|x| (*x, id)));
        state.xacts.insert(
            id,
            Xact {
                session: proc.session_id(),
                virtual_xid: proc.virtual_xid(),
                xids: xids.to_vec(),
                running: Arc::clone(snapshot.running()),
                xmin,
                last_commit,
                prepare_seq: NEVER,
                commit_seq: NEVER,
                earliest_out: NEVER,
                finished_before: Xid::INVALID,
                out_conflicts: Vec::new(),
                in_conflicts: Vec::new(),
                possible_unsafe: possible,
                locks: HashSet::new(),
                children: HashMap::new(),
                declared_read_only: read_only,
                read_only,
                did_write: false,
                prepared: false,
                committed: false,
                rolled_back: false,
                doomed: false,
                conflict_out: false,
                summary_in: false,
                summary_out: false,
                waiting: false,
                safe: false,
                unsafe_snapshot: false,
            },
        );
        Ok((snapshot, Some(id)))
    }
    /// READ ONLY DEFERRABLE: waits until the snapshot is known to be safe (`true`) or not. (PostgreSQL: `GetSafeSnapshot`)
    fn wait_until_decided(&self, proc: &Proc, id: Id) -> Result<bool> {
        proc.interrupt().before_wait();
        let mut state = self.state.lock();
        loop {
            let Some(x) = state.xacts.get_mut(&id) else { return Ok(false) };
            x.waiting = true;
            if x.unsafe_snapshot {
                return Ok(false);
            }
            if x.safe || x.possible_unsafe.is_empty() {
                return Ok(true);
            }
            self.decided.wait_for(&mut state, POLL);
            proc.interrupt().check()?;
        }
    }

    // Pages and relations that change their place

    /// What was on page `from` may be on page `to` now; both are latched. (PostgreSQL: `PredicateLockPageSplit`)
    pub fn page_split(&self, db: Oid, rel: Oid, from: BlockNumber, to: BlockNumber) {
        if self.targets.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut state = self.state.lock();
        let (old, new) = (Target::page(db, rel, from), Target::page(db, rel, to));
        for id in state.locks.get(&old).cloned().unwrap_or_default() {
            self.acquire(&mut state, id, new);
        }
        if let Some(seq) = state.old_locks.get(&old).copied() {
            let kept = state.old_locks.entry(new).or_insert(seq);
            *kept = (*kept).max(seq);
        }
        self.note_targets(&state);
    }
    /// Rows lie elsewhere now, or an index is gone: locks on parts of `rel` become locks on the whole table `heap`.
    /// (PostgreSQL: `TransferPredicateLocksToHeapRelation`)
    pub fn lock_whole_table(&self, db: Oid, rel: Oid, heap: Oid) {
        if self.targets.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut state = self.state.lock();
        let whole = Target::relation(db, heap);
        let parts: Vec<Target> = state.locks.keys().filter(|t| (t.db, t.rel) == (db, rel)).copied().collect();
        for part in parts.into_iter().filter(|p| *p != whole) {
            for id in state.locks.get(&part).cloned().unwrap_or_default() {
                state.forget_lock(id, part);
                self.acquire(&mut state, id, whole);
            }
        }
        let old: Vec<Target> = state.old_locks.keys().filter(|t| (t.db, t.rel) == (db, rel)).copied().collect();
        for part in old.into_iter().filter(|p| *p != whole) {
            if let Some(seq) = state.old_locks.remove(&part) {
                let kept = state.old_locks.entry(whole).or_insert(seq);
                *kept = (*kept).max(seq);
            }
        }
        self.note_targets(&state);
    }
}
