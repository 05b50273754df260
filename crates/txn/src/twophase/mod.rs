//! Two-phase commit: transactions that are prepared live on without a session, also over restarts and crashes, until
//! somebody commits or rolls them back. (PostgreSQL: `twophase.c`)
//!
//! PREPARE TRANSACTION logs the transaction's state ([`state::State`]) and hands its id and its locks to a place of its own
//! among the transactions, a [`Proc`] without a session. A checkpoint writes the states of those that were prepared before
//! it to `pg_twophase`; recovery begins with these files and follows the log. Unlike PostgreSQL we keep the state in memory
//! too, so that the log is not read again.
//!
//! Latch order: the manager's `commits`, then `PreparedTransactions::list`.

mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::sqlstate::*;
use base::{FullXid, Interrupt, Lsn, Oid, PgError, Result, SessionId, Xid};
use parking_lot::Mutex;
use storage::vfs::IoContext;
use storage::{Vfs, critical};
use wal::{RecordBuilder, RmgrId};

use crate::clog::XidStatus;
use crate::manager::TransactionManager;
use crate::proc::Proc;
use crate::record::{AbortRecord, CommitRecord, PREPARE};
use crate::transaction::{InvalidationMessage, SyncCommit, current_timestamp};
pub(crate) use state::State;

/// (PostgreSQL: `GIDSIZE`)
const GID_LIMIT: usize = 200;
const DIR: &str = "pg_twophase";

/// A row of `pg_prepared_xacts`.
#[derive(Clone, Debug)]
pub struct PreparedInfo {
    pub xid: Xid,
    pub gid: String,
    /// Microseconds since 2000-01-01 UTC.
    pub prepared_at: i64,
    pub owner: Oid,
    pub database: Oid,
}

struct Entry {
    gid: String,
    xid: Xid,
    owner: Oid,
    database: Oid,
    prepared_at: i64,
    /// Encoded; empty while it is being prepared.
    state: Vec<u8>,
    /// The end of its record; invalid if it was found in a file.
    end: Lsn,
    on_disk: bool,
    /// Its place; `None` while it is being prepared, and in recovery.
    proc: Option<Arc<Proc>>,
    /// Somebody prepares or finishes it.
    busy: bool,
}

/// The prepared transactions of a cluster.
#[derive(Default)]
pub(crate) struct PreparedTransactions {
    list: Mutex<Vec<Entry>>,
    /// (PostgreSQL: `max_prepared_transactions`)
    limit: usize,
}

impl PreparedTransactions {
    pub fn new(limit: usize) -> PreparedTransactions {
        PreparedTransactions { list: Mutex::default(), limit }
    }

    /// Takes the identifier for a transaction. (PostgreSQL: `MarkAsPreparing`)
    pub fn reserve(&self, gid: &str, xid: Xid, owner: Oid, database: Oid, prepared_at: i64) -> Result<()> {
        if gid.len() >= GID_LIMIT {
            return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("transaction identifier \"{gid}\" is too long")));
        }
        if self.limit == 0 {
            return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, "prepared transactions are disabled")
                .hint("Set \"max_prepared_transactions\" to a nonzero value."));
        }
        let mut list = self.list.lock();
        if list.iter().any(|e| e.gid == gid) {
            let text = format!("transaction identifier \"{gid}\" is already in use");
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
        if list.len() >= self.limit {
            return Err(full(self.limit));
        }
        list.push(Entry {
            gid: gid.to_owned(),
            xid,
            owner,
            database,
            prepared_at,
            state: Vec::new(),
            end: Lsn::INVALID,
            on_disk: false,
            proc: None,
            busy: true,
        });
        Ok(())
    }
    /// It came to nothing, or it is finished.
    pub fn forget(&self, xid: Xid) {
        self.list.lock().retain(|e| e.xid != xid);
    }
    fn with<T>(&self, xid: Xid, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.list.lock().iter_mut().find(|e| e.xid == xid).map(change)
    }
    /// Takes the transaction for finishing. (PostgreSQL: `LockGXact`)
    fn take(&self, gid: &str, user: Oid, superuser: bool, database: Oid) -> Result<(Xid, Vec<u8>, Arc<Proc>)> {
        let mut list = self.list.lock();
        let found = list.iter_mut().find(|e| e.gid == gid && (e.proc.is_some() || e.busy));
        let Some(entry) = found else {
            let text = format!("prepared transaction with identifier \"{gid}\" does not exist");
            return Err(PgError::new(UNDEFINED_OBJECT, text));
        };
        let (Some(proc), false) = (entry.proc.clone(), entry.busy) else {
            let text = format!("prepared transaction with identifier \"{gid}\" is busy");
            return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
        };
        if user != entry.owner && !superuser {
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, "permission denied to finish prepared transaction")
                .hint("Must be superuser or the user that prepared the transaction."));
        }
        if entry.database != database {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "prepared transaction belongs to another database")
                .hint("Connect to the database where the transaction was prepared to finish it."));
        }
        entry.busy = true;
        Ok((entry.xid, entry.state.clone(), proc))
    }

    // Files

    /// Those prepared before the redo pointer get their files. (PostgreSQL: `CheckPointTwoPhase`)
    pub fn checkpoint(&self, manager: &TransactionManager) -> Result<()> {
        let redo = manager.wal().redo_pointer();
        let vfs = manager.pool().smgr().vfs();
        let due: Vec<(Xid, Vec<u8>)> = {
            let list = self.list.lock();
            let due = list.iter().filter(|e| !e.on_disk && !e.state.is_empty() && e.end <= redo);
            due.map(|e| (e.xid, e.state.clone())).collect()
        };
        for (xid, state) in due {
            let path = path(manager, xid);
            vfs.write_file_durably(&path, &State::to_file(&state)).or_pg("write file", &path)?;
            // Whoever finished it meanwhile found it without a file.
            if self.with(xid, |e| e.on_disk = true).is_none() {
                remove_file(&**vfs, &path)?;
            }
        }
        Ok(())
    }
    /// At the start of recovery: the files. (PostgreSQL: `restoreTwoPhaseData`)
    pub fn read_files(&self, manager: &TransactionManager, log: &dyn Fn(&str)) -> Result<()> {
        let vfs = manager.pool().smgr().vfs();
        if !vfs.is_dir(DIR) {
            return Ok(());
        }
        for entry in vfs.list(DIR).or_pg("open directory", DIR)? {
            let name = &entry.name;
            let full = u64::from_str_radix(name, 16).ok().filter(|_| name.len() == 16);
            let Some(full) = full.map(FullXid) else { continue };
            let (xid, path) = (full.xid(), format!("{DIR}/{name}"));
            if full >= manager.next_full_xid() {
                log(&format!("removing future two-phase state file for transaction {xid}"));
                remove_file(&**vfs, &path)?;
                continue;
            }
            let file = vfs.read_file(&path).or_pg("read file", &path)?;
            let bytes = State::check_file(&path, &file)?;
            if State::decode(&bytes)?.xid != xid {
                let text = format!("corrupted two-phase state file for transaction {xid}");
                return Err(PgError::new(DATA_CORRUPTED, text));
            }
            self.add(bytes, Lsn::INVALID, true)?;
        }
        Ok(())
    }
    fn add(&self, bytes: Vec<u8>, end: Lsn, on_disk: bool) -> Result<()> {
        let state = State::decode(&bytes)?;
        let mut list = self.list.lock();
        // A file of that transaction was there: the checkpoint that wrote it was cut short.
        if list.iter().any(|e| e.xid == state.xid) {
            return Ok(());
        }
        list.push(Entry {
            gid: state.gid,
            xid: state.xid,
            owner: state.owner,
            database: state.database,
            prepared_at: state.prepared_at,
            state: bytes,
            end,
            on_disk,
            proc: None,
            busy: false,
        });
        Ok(())
    }
    /// XLOG_XACT_PREPARE. (PostgreSQL: `PrepareRedoAdd`)
    pub fn redo_prepare(&self, manager: &TransactionManager, main: &[u8], end: Lsn) -> Result<()> {
        let state = State::decode(main)?;
        state.subs.iter().chain([&state.xid]).for_each(|x| manager.advance_past(*x));
        self.add(main.to_vec(), end, false)
    }
    /// Its outcome is replayed. (PostgreSQL: `PrepareRedoRemove`)
    pub fn redo_finish(&self, manager: &TransactionManager, xid: Xid) -> Result<()> {
        let on_disk = self.with(xid, |e| e.on_disk).unwrap_or(false);
        self.forget(xid);
        if on_disk { remove_file(&**manager.pool().smgr().vfs(), &path(manager, xid)) } else { Ok(()) }
    }
    /// At the end of recovery: those that are still there run again. (PostgreSQL: `RecoverPreparedTransactions`)
    pub fn restore(&self, manager: &Arc<TransactionManager>, log: &dyn Fn(&str)) -> Result<()> {
        let mut found: Vec<(Xid, Vec<u8>, bool)> =
            self.list.lock().iter().map(|e| (e.xid, e.state.clone(), e.on_disk)).collect();
        let next = manager.next_full_xid().xid();
        found.sort_by_key(|(xid, ..)| xid.0.wrapping_sub(next.0));
        let mut places = Vec::new();
        for (xid, bytes, on_disk) in found {
            if manager.did_commit(xid)? || manager.did_abort(xid)? {
                let what = if on_disk { "state file" } else { "state from memory" };
                log(&format!("removing stale two-phase {what} for transaction {xid}"));
                self.redo_finish(manager, xid)?;
                continue;
            }
            log(&format!("recovering prepared transaction {xid} from shared memory"));
            let state = State::decode(&bytes)?;
            let proc = manager.register(SessionId(0), state.database, Interrupt::new())?;
            proc.xid.store(xid.0, Ordering::Release);
            manager.locks().restore(&proc, &state.locks);
            proc.oldest_member.store(state.oldest_member.unwrap_or_default().0, Ordering::Release);
            self.with(xid, |e| e.proc = Some(proc));
            places.push((xid, state.subs));
        }
        manager.restore_running(&places);
        if self.list.lock().len() > self.limit {
            return Err(full(self.limit).fatal());
        }
        Ok(())
    }
}

#[cold]
fn full(limit: usize) -> PgError {
    PgError::new(OUT_OF_MEMORY, "maximum number of prepared transactions reached")
        .hint(format!("Increase \"max_prepared_transactions\" (currently {limit})."))
}

/// (PostgreSQL: `TwoPhaseFilePath`)
fn path(manager: &TransactionManager, xid: Xid) -> String {
    format!("{DIR}/{:016X}", manager.full_xid(xid).0)
}

fn remove_file(vfs: &dyn Vfs, path: &str) -> Result<()> {
    match vfs.remove_file(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.or_pg("remove file", path),
    }
}

/// How a prepared transaction ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    Commit,
    Rollback,
}

/// Who ends a prepared transaction.
#[derive(Clone, Copy, Debug)]
pub struct Finisher {
    pub user: Oid,
    pub superuser: bool,
    pub database: Oid,
    pub database_tablespace: Oid,
    pub sync_commit: SyncCommit,
}

impl TransactionManager {
    /// For `pg_prepared_xacts`.
    pub fn prepared_transactions(&self) -> Vec<PreparedInfo> {
        let list = self.prepared.list.lock();
        let info = |e: &Entry| PreparedInfo {
            xid: e.xid,
            gid: e.gid.clone(),
            prepared_at: e.prepared_at,
            owner: e.owner,
            database: e.database,
        };
        list.iter().filter(|e| e.proc.is_some()).map(info).collect()
    }

    /// Logs the state; once this returns the transaction is prepared whatever happens.
    pub(crate) fn log_prepared(&self, state: &State) -> Result<()> {
        let bytes = state.encode();
        let end = {
            // A checkpoint finds the state, or its record lies after the checkpoint's redo pointer.
            let _commits = self.block_commits();
            let record = RecordBuilder::new(RmgrId::XACT, PREPARE).xid(state.xid).main_data(&bytes);
            let end = critical(|section| self.wal().insert(section, record));
            self.prepared.with(state.xid, |e| (e.state, e.end) = (bytes.clone(), end));
            end
        };
        self.wal().flush(end).map_err(wal::panic_level)
    }
    /// The transaction has its own place now.
    pub(crate) fn prepared_is_ready(&self, xid: Xid, proc: Arc<Proc>) {
        self.prepared.with(xid, |e| (e.proc, e.busy) = (Some(proc), false));
    }

    /// COMMIT PREPARED and ROLLBACK PREPARED. `invalidate` hands the transaction's messages to the shared caches once the
    /// commit is visible, before its locks go. (PostgreSQL: `FinishPreparedTransaction`)
    pub fn finish_prepared(
        &self,
        gid: &str,
        finish: Finish,
        who: Finisher,
        invalidate: &mut dyn FnMut(&[InvalidationMessage]) -> Result<()>,
    ) -> Result<()> {
        let (xid, bytes, proc) = self.prepared.take(gid, who.user, who.superuser, who.database)?;
        let state = match State::decode(&bytes) {
            Ok(state) => state,
            Err(e) => {
                self.prepared.with(xid, |e| e.busy = false);
                return Err(e);
            }
        };
        match finish {
            Finish::Commit => self.commit_prepared(&proc, &state, who)?,
            Finish::Rollback => self.abort_prepared(&proc, &state)?,
        }
        let committed = finish == Finish::Commit;
        let files = if committed { &state.dropped } else { &state.created };
        if !files.is_empty() {
            self.pool().drop_relations(files);
            // The outcome stands already; a file that cannot be removed is garbage only.
            let _ = self.pool().smgr().unlink(files, false);
        }
        let invalidated = if committed { invalidate(&state.invalidations) } else { Ok(()) };
        state.changes.iter().for_each(|c| c.apply(self.stats(), state.database, committed));
        self.serializable_finish_prepared(xid, committed);
        self.multixacts().end_of_transaction(&proc);
        let on_disk = self.prepared.with(xid, |e| e.on_disk).unwrap_or(false);
        self.prepared.forget(xid);
        self.locks().release_transaction(&proc);
        self.unregister(&proc);
        if on_disk {
            remove_file(&**self.pool().smgr().vfs(), &path(self, xid))?;
        }
        invalidated
    }
    fn commit_prepared(&self, proc: &Arc<Proc>, state: &State, who: Finisher) -> Result<()> {
        let record = CommitRecord {
            time: current_timestamp(),
            database: who.database,
            tablespace: who.database_tablespace,
            subs: state.subs.clone(),
            dropped: state.dropped.clone(),
            invalidations: state.invalidations.clone(),
            relcache_init_file: state.relcache_init_file,
            force_sync: false,
            apply_feedback: who.sync_commit >= SyncCommit::RemoteApply,
            exclusive_locks: true,
            prepared: Some((state.xid, state.gid.clone())),
        };
        let insert = |section: &storage::Critical| record.insert(self.wal(), section, Xid::INVALID);
        let end = self.log_commit(proc, state.xid, &state.subs, insert)?;
        // Always durable: the other participants rely on it.
        self.wal().flush(end).map_err(wal::panic_level)?;
        self.publish_commit(proc, end, true);
        Ok(())
    }
    fn abort_prepared(&self, proc: &Arc<Proc>, state: &State) -> Result<()> {
        let record = AbortRecord {
            time: current_timestamp(),
            subs: state.subs.clone(),
            dropped: state.created.clone(),
            prepared: Some((state.xid, state.gid.clone())),
        };
        let end = critical(|section| {
            let end = record.insert(self.wal(), section, Xid::INVALID);
            self.clog().set_tree(state.xid, &state.subs, XidStatus::Aborted, Lsn::INVALID).map(|()| end)
        })?;
        self.wal().flush(end).map_err(wal::panic_level)?;
        let mut xids = state.subs.clone();
        xids.push(state.xid);
        self.publish_abort(Some(proc), &xids);
        Ok(())
    }
}

/// Text of a PREPARE record. (PostgreSQL: `xact_desc_prepare`)
pub(crate) fn describe(
    main: &[u8],
    time: &dyn Fn(i64) -> String,
    files: &dyn Fn(&[base::RelFileLocator]) -> String,
) -> Result<String> {
    let s = State::decode(main)?;
    let mut out = format!("gid {}: {}", s.gid, time(s.prepared_at));
    for (label, list) in [("rels(commit)", &s.dropped), ("rels(abort)", &s.created)] {
        if !list.is_empty() {
            out.push_str(&format!("; {label}: {}", files(list)));
        }
    }
    if !s.subs.is_empty() {
        let subs: Vec<String> = s.subs.iter().map(Xid::to_string).collect();
        out.push_str(&format!("; subxacts: {}", subs.join(" ")));
    }
    Ok(out)
}
