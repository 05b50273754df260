//! Subtransactions: savepoints, and those that procedures begin to catch errors.

use std::sync::atomic::Ordering;

use base::sqlstate::{PROGRAM_LIMIT_EXCEEDED, S_E_INVALID_SPECIFICATION};
use base::{PgError, Result};

use super::{Level, SubId, Transaction, TransactionEvent, no_subtransaction};

impl Transaction {
    /// The current subtransaction. (PostgreSQL: `GetCurrentSubTransactionId`)
    pub fn sub_id(&self) -> SubId {
        self.state.lock().stack.last().map_or(SubId::TOP, |l| l.id)
    }
    /// 1 at the top level. (PostgreSQL: `GetCurrentTransactionNestLevel`)
    pub fn nest_level(&self) -> usize {
        self.state.lock().stack.len()
    }
    /// Does the subtransaction live, running or not? (PostgreSQL: `SubTransactionIsActive`)
    pub fn is_active_sub(&self, id: SubId) -> bool {
        self.state.lock().stack.iter().any(|l| l.id == id)
    }
    /// `SAVEPOINT name`, or an internal subtransaction without a name. (PostgreSQL: `DefineSavepoint`)
    pub fn begin_sub(&self, name: Option<&str>) -> Result<SubId> {
        let (id, parent) = {
            let mut state = self.state.lock();
            let id = SubId(state.next_sub);
            state.next_sub = state.next_sub.checked_add(1).ok_or_else(|| {
                PgError::new(PROGRAM_LIMIT_EXCEEDED, "cannot have more than 2^32-1 subtransactions in a transaction")
            })?;
            let parent = state.stack.last().map_or(SubId::TOP, |l| l.id);
            let lock_mark = self.manager.locks().mark(&self.proc);
            let name = name.map(str::to_owned);
            state.stack.push(Level { id, name, xid: None, children: Vec::new(), lock_mark });
            self.current.store(0, Ordering::Relaxed);
            (id, parent)
        };
        self.changes.lock().begin_sub();
        let started = self.tell(TransactionEvent::SubStart { id, parent });
        if started.is_err() {
            self.rollback_sub()?;
        }
        started.map(|()| id)
    }
    /// Merges the current subtransaction into its parent. (PostgreSQL: `ReleaseCurrentSubTransaction`)
    pub fn release_sub(&self) -> Result<()> {
        self.command_counter_increment()?;
        let (id, parent) = {
            let mut state = self.state.lock();
            let level = state.pop()?;
            let depth = state.stack.len();
            let Some(parent) = state.stack.last_mut() else { return Err(no_subtransaction()) };
            parent.children.extend(level.xid);
            parent.children.extend(level.children);
            let (parent_id, parent_xid) = (parent.id, parent.xid);
            for file in &mut state.files {
                file.level = file.level.min(depth);
            }
            self.current.store(parent_xid.unwrap_or_default().0, Ordering::Relaxed);
            // The id stays locked until the top level ends; see PostgreSQL's `XactLockTableDelete`: a waiter for the
            // subtransaction then waits for the whole.
            (level.id, parent_id)
        };
        self.changes.lock().release_sub();
        self.tell_all(TransactionEvent::SubCommitted { id, parent });
        Ok(())
    }
    /// Undoes and ends the current subtransaction. (PostgreSQL: `RollbackAndReleaseCurrentSubTransaction`)
    pub fn rollback_sub(&self) -> Result<()> {
        let (level, parent, files) = {
            let mut state = self.state.lock();
            let depth = state.stack.len();
            let level = state.pop()?;
            let files = state.take_files(|f| f.level >= depth, false);
            let Some(parent) = state.stack.last() else { return Err(no_subtransaction()) };
            let (parent_id, parent_xid) = (parent.id, parent.xid);
            self.current.store(parent_xid.unwrap_or_default().0, Ordering::Relaxed);
            (level, parent_id, files)
        };
        self.changes.lock().rollback_sub();
        if let Some(xid) = level.xid {
            self.log_abort(xid, &level.children, &files)?;
            let mut xids = level.children.clone();
            xids.push(xid);
            self.own.remove_subs(&xids);
            self.manager.publish_abort(None, &xids);
            self.manager.locks().release_own_xids(&self.proc, &xids);
        }
        self.tell_all(TransactionEvent::SubAborted { id: level.id, parent });
        self.manager.locks().release_since(&self.proc, level.lock_mark);
        self.remove_files(&files);
        Ok(())
    }
    /// `RELEASE SAVEPOINT name` (3B001 if there is none).
    pub fn release_savepoint(&self, name: &str) -> Result<()> {
        let target = self.find_savepoint(name)?;
        while self.nest_level() >= target {
            self.release_sub()?;
        }
        Ok(())
    }
    /// `ROLLBACK TO SAVEPOINT name`: the savepoint remains.
    pub fn rollback_to_savepoint(&self, name: &str) -> Result<()> {
        let target = self.find_savepoint(name)?;
        while self.nest_level() >= target {
            self.rollback_sub()?;
        }
        self.begin_sub(Some(name)).map(|_| ())
    }
    /// The nest level of the innermost savepoint of this name.
    fn find_savepoint(&self, name: &str) -> Result<usize> {
        let state = self.state.lock();
        let at = state.stack.iter().rposition(|l| l.name.as_deref() == Some(name));
        at.map(|i| i + 1)
            .ok_or_else(|| PgError::new(S_E_INVALID_SPECIFICATION, format!("savepoint \"{name}\" does not exist")))
    }
}
