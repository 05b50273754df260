//! Commit and abort.

use std::sync::atomic::Ordering;

use base::{Lsn, Result, Xid};
use storage::critical;

use super::files::logged_files;
use super::{PendingFile, SyncCommit, Transaction, TransactionEvent, current_timestamp};
use crate::clog::XidStatus;
use crate::record::{AbortRecord, CommitRecord};

impl Transaction {
    /// Commits: durable (unless asynchronous) and visible when this returns. On an error the transaction was aborted.
    /// (PostgreSQL: `CommitTransaction`)
    pub fn commit(mut self) -> Result<()> {
        while self.nest_level() > 1 {
            self.release_sub()?;
        }
        let ready = self.tell(TransactionEvent::PreCommit);
        if let Err(e) = ready.and_then(|()| self.manager.serializable_pre_commit(&self.ssi)) {
            self.finish_abort();
            return Err(e);
        }
        let files = self.state.lock().take_files(|_| true, true);
        if !files.is_empty() {
            // Only for temporary and unlogged files there may be no id yet.
            if let Err(e) = self.xid() {
                self.finish_abort();
                return Err(e);
            }
        }
        if let Err(e) = self.record_commit(&files) {
            if e.severity() < base::Severity::Panic {
                self.finish_abort();
            }
            self.finished = true;
            return Err(e);
        }
        self.finished = true;
        self.changes.lock().end(true);
        self.tell_all(TransactionEvent::Committed);
        self.manager.serializable_end(&self.ssi, true);
        self.release();
        self.remove_files(&files);
        Ok(())
    }
    /// Makes the log durable up to there.
    fn flush(&self, end: Lsn) -> Result<()> {
        let wal = self.manager.wal();
        if end > wal.flush_position() {
            self.proc.interrupt().before_wait();
        }
        wal.flush(end)
    }
    fn record_commit(&self, files: &[PendingFile]) -> Result<()> {
        let wal = self.manager.wal();
        let Some(xid) = self.own.top_xid() else {
            // Nothing to record; but what was logged on the way (a sequence) must not be lost.
            let end = Lsn(self.last_wal.load(Ordering::Relaxed));
            if end.is_valid() {
                let state = self.state.lock();
                let sync = state.sync_commit > SyncCommit::Off || state.force_sync;
                drop(state);
                if sync { self.flush(end)? } else { wal.set_async_commit(end) }
            }
            return Ok(());
        };
        let (record, sync) = {
            let mut state = self.state.lock();
            let top = &mut state.stack[0];
            let mut subs = std::mem::take(&mut top.children);
            let first = top.xid.unwrap_or_default();
            subs.sort_unstable_by_key(|x| x.0.wrapping_sub(first.0));
            let record = CommitRecord {
                time: current_timestamp(),
                database: self.proc.database(),
                tablespace: state.database_tablespace,
                subs,
                dropped: logged_files(files),
                invalidations: std::mem::take(&mut state.invalidations),
                relcache_init_file: state.relcache_init_file,
                force_sync: state.force_sync,
                apply_feedback: state.sync_commit >= SyncCommit::RemoteApply,
                exclusive_locks: state.exclusive_locks,
                prepared: None,
            };
            (record, state.sync_commit > SyncCommit::Off || state.force_sync || !files.is_empty())
        };
        let end = self.manager.log_commit(&self.proc, xid, &record.subs, |section| record.insert(wal, section, xid))?;
        match sync {
            true => self.flush(end).map_err(wal::panic_level)?,
            false => wal.set_async_commit(end),
        }
        self.manager.publish_commit(&self.proc, end, sync);
        Ok(())
    }
    /// (PostgreSQL: `AbortTransaction`)
    pub fn abort(mut self) {
        self.finish_abort();
    }
    pub(super) fn finish_abort(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let (files, subs) = {
            let mut state = self.state.lock();
            let files = state.take_files(|_| true, false);
            let mut subs: Vec<Xid> = state.stack.iter().skip(1).filter_map(|l| l.xid).collect();
            subs.extend(state.stack.iter().flat_map(|l| l.children.iter().copied()));
            let top = state.stack[0].xid.unwrap_or_default();
            subs.sort_unstable_by_key(|x| x.0.wrapping_sub(top.0));
            (files, subs)
        };
        if let Some(xid) = self.own.top_xid() {
            // If pg_xact cannot be written, the server is stopping; after the crash the transaction counts as aborted.
            let _ = self.log_abort(xid, &subs, &files);
            let mut xids = subs;
            xids.push(xid);
            self.manager.publish_abort(Some(&self.proc), &xids);
        }
        self.changes.lock().end(false);
        self.tell_all(TransactionEvent::Aborted);
        self.manager.serializable_end(&self.ssi, false);
        self.release();
        self.remove_files(&files);
    }
    /// The abort's record, not flushed: if it is lost, the outcome is the same.
    pub(super) fn log_abort(&self, xid: Xid, subs: &[Xid], files: &[PendingFile]) -> Result<()> {
        let wal = self.manager.wal();
        let record = AbortRecord {
            time: current_timestamp(),
            subs: subs.to_vec(),
            dropped: logged_files(files),
            prepared: None,
        };
        critical(|section| {
            let end = record.insert(wal, section, xid);
            wal.set_async_commit(end);
            self.manager.clog().set_tree(xid, subs, XidStatus::Aborted, Lsn::INVALID)
        })
    }
    /// Gives everything back that others wait for.
    pub(super) fn release(&self) {
        self.state.lock().fixed = None;
        self.manager.multixacts().end_of_transaction(&self.proc);
        self.manager.locks().release_transaction(&self.proc);
        self.proc.local_xid.store(0, Ordering::Release);
    }
}
