//! Transactions as a client sees them: blocks, savepoints, and what happens around each statement.
//!
//! Each statement runs in a transaction. Outside a block it is its own, ended with the statement; the statements of one
//! simple-query message, and those of an extended-query pipeline up to Sync, share one. (PostgreSQL: `TBLOCK_*` in `xact.c`)

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::guc;
use base::interrupt::Reason;
use base::sqlstate::*;
use base::{PgError, Result};
use parser::ast::{DefElem, Statement, TransactionStmt, TransactionStmtKind};
use txn::stats::DatabaseCounter;
use txn::{IsolationLevel, SyncCommit, Transaction, TransactionOptions};

use txn::twophase::Finish;

use super::Session;
use super::variables::{Asker, Scope};
use crate::clock;
use crate::timers::Alarm;

/// Where a session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Block {
    /// No transaction block: a transaction ends with its statement.
    None,
    /// Several statements of one message: the transaction ends with the message.
    Implicit,
    /// After BEGIN.
    Begun,
    /// A statement of a block failed: only its end is accepted.
    Failed,
}

impl Block {
    /// For ReadyForQuery.
    pub fn status(self) -> u8 {
        match self {
            Block::None | Block::Implicit => b'I',
            Block::Begun => b'T',
            Block::Failed => b'E',
        }
    }
}

pub(super) fn warning(code: base::SqlState, text: &str) -> PgError {
    PgError::with_severity(base::Severity::Warning, code, text)
}

impl Session {
    /// Makes sure that a transaction is in progress. (PostgreSQL: `StartTransactionCommand`)
    pub(super) fn start_transaction(&mut self) -> Result<()> {
        if self.cx.txn.is_some() {
            return Ok(());
        }
        let options = self.transaction_options;
        let mut resting = self.resting.take();
        let txn = match resting.as_mut().and_then(Arc::get_mut) {
            Some(txn) => {
                txn.restart(options, self.cx.settings.statement_timestamp);
                resting
            }
            None => {
                let txn = Transaction::begin(&self.cluster.manager, &self.proc, options)?;
                txn.set_database_tablespace(self.store.database_tablespace);
                txn.add_callback(self.store.follower(&self.cx));
                Some(Arc::new(txn))
            }
        };
        if let Some(txn) = &txn {
            txn.set_sync_commit(self.sync_commit);
        }
        let settings = Arc::make_mut(&mut self.cx.settings);
        settings.transaction_timestamp = settings.statement_timestamp;
        self.transaction_alarm = self.alarm(self.timeouts.transaction, Reason::TransactionTimeout);
        self.set_transaction(txn);
        Ok(())
    }

    /// A statement begins: in a transaction, with a snapshot if it looks at data.
    pub(super) fn begin_statement(&mut self, stmt: &Statement) -> Result<()> {
        self.statement_alarm = self.alarm(self.timeouts.statement, Reason::StatementTimeout);
        self.start_transaction()?;
        self.cx.snapshot = if executor::needs_snapshot(stmt) { Some(self.cx.txn()?.snapshot()?) } else { None };
        Ok(())
    }

    /// As `begin_statement`, for a plan.
    pub(super) fn begin_plan(&mut self) -> Result<()> {
        self.statement_alarm = self.alarm(self.timeouts.statement, Reason::StatementTimeout);
        self.start_transaction()?;
        self.cx.snapshot = Some(self.cx.txn()?.snapshot()?);
        Ok(())
    }

    /// A statement ended well. Outside a block its transaction commits. (PostgreSQL: `CommitTransactionCommand`)
    pub(super) fn end_statement(&mut self) -> Result<()> {
        self.cx.snapshot = None;
        // A function may have changed some: `set_config`.
        self.settings_changed();
        match self.block {
            Block::None => self.commit(),
            Block::Failed => Ok(()),
            Block::Implicit | Block::Begun => self.command_counter_increment(),
        }
    }

    /// The next command sees what this one did.
    pub(super) fn command_counter_increment(&mut self) -> Result<()> {
        match &self.cx.txn {
            Some(_) => self.cx.catalog.command_counter_increment(),
            None => Ok(()),
        }
    }

    /// The transaction commits; the session is outside a block afterwards, also if the commit fails.
    pub(super) fn commit(&mut self) -> Result<()> {
        if let Err(e) = self.before_commit() {
            self.abort();
            return Err(e);
        }
        self.block = Block::None;
        self.savepoints.clear();
        self.cx.snapshot = None;
        self.transaction_alarm = None;
        let result = match self.set_transaction(None) {
            Some(txn) => self.commit_transaction(txn),
            None => Ok(()),
        };
        match &result {
            Ok(()) => self.variables.lock().commit(),
            Err(_) => self.variables.lock().abort(),
        }
        match &result {
            Ok(()) => self.roles_at_commit(),
            Err(_) => self.restore_roles(0),
        }
        self.settings_changed();
        result
    }

    /// Commits a transaction that nobody else holds; one that changed nothing rests until the next begins.
    fn commit_transaction(&mut self, mut txn: Arc<Transaction>) -> Result<()> {
        let in_use = || PgError::internal("the transaction is still in use at its commit");
        let done = match Arc::get_mut(&mut txn).ok_or_else(in_use)?.commit_and_rest() {
            Ok(true) => {
                self.resting = Some(txn);
                Ok(())
            }
            Ok(false) => Arc::try_unwrap(txn).map_err(|_| in_use())?.commit(),
            Err(e) => Err(e),
        };
        self.counts.add(if done.is_ok() { DatabaseCounter::Commits } else { DatabaseCounter::Rollbacks }, 1);
        done
    }

    /// What may still fail or change something.
    pub(super) fn before_commit(&mut self) -> Result<()> {
        if self.cx.txn.is_some() {
            executor::after::fire_deferred(&mut self.cx)?;
        }
        self.close_portals_at_commit()?;
        match self.cx.txn {
            Some(_) => commands::temp::before_commit(&mut self.cx),
            None => Ok(()),
        }
    }

    /// The transaction aborts. In a block the session then waits for its end. (PostgreSQL: `AbortCurrentTransaction`)
    pub(super) fn abort_statement(&mut self) {
        match self.block {
            Block::None | Block::Implicit => self.abort(),
            // What failed inside a failed block changes nothing more.
            Block::Failed => self.cx.snapshot = None,
            Block::Begun => {
                if !self.abort_subtransaction() {
                    self.abort();
                }
                self.block = Block::Failed;
            }
        }
    }

    /// Undoes the innermost savepoint's work at once, so that its locks go; the savepoint stays, for ROLLBACK TO. `false` if
    /// there is none. (PostgreSQL: `AbortSubTransaction`)
    fn abort_subtransaction(&mut self) -> bool {
        let Some(name) = self.savepoints.last().cloned() else { return false };
        let level = self.nest_level();
        self.undo_to(level, &name).is_ok()
    }

    /// Undoes everything from nesting level `level` on, which savepoint `name` began, and begins it anew.
    fn undo_to(&mut self, level: usize, name: &str) -> Result<()> {
        self.cx.snapshot = None;
        self.close_portals(level);
        self.cx.txn()?.rollback_to_savepoint(name)?;
        executor::after::subtransaction_aborted(&mut self.cx, level);
        self.savepoints.truncate(level - 1);
        self.variables.lock().abort_to(level);
        self.restore_roles(level);
        self.settings_changed();
        Ok(())
    }

    /// The whole transaction aborts.
    pub(super) fn abort(&mut self) {
        self.block = Block::None;
        self.savepoints.clear();
        self.cx.snapshot = None;
        executor::after::reset(&mut self.cx);
        // Cursors that outlived an earlier transaction stay.
        self.close_portals(1);
        self.transaction_alarm = None;
        if let Some(txn) = self.set_transaction(None)
            && let Ok(txn) = Arc::try_unwrap(txn)
        {
            txn.abort();
            self.counts.add(DatabaseCounter::Rollbacks, 1);
        }
        self.variables.lock().abort();
        self.restore_roles(0);
        self.settings_changed();
    }

    /// Refuses everything but the block's end after a failure.
    pub(super) fn check_not_failed(&self, stmt: &Statement) -> Result<()> {
        if self.block != Block::Failed {
            return Ok(());
        }
        if let Statement::Transaction(t) = stmt
            && matches!(
                t.kind,
                TransactionStmtKind::Commit
                    | TransactionStmtKind::Rollback
                    | TransactionStmtKind::RollbackTo
                    | TransactionStmtKind::Prepare
            )
        {
            return Ok(());
        }
        Err(failed_block())
    }

    /// BEGIN, COMMIT and their like. Returns the command tag.
    pub(super) fn transaction_statement(&mut self, stmt: &TransactionStmt) -> Result<&'static str> {
        match stmt.kind {
            TransactionStmtKind::Begin | TransactionStmtKind::Start => {
                match self.block {
                    Block::None | Block::Implicit => self.block = Block::Begun,
                    Block::Begun => {
                        self.notice(warning(ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress"));
                    }
                    Block::Failed => return Err(failed_block()),
                }
                self.start_transaction()?;
                self.set_transaction_options(&stmt.options)?;
                Ok(if stmt.kind == TransactionStmtKind::Begin { "BEGIN" } else { "START TRANSACTION" })
            }
            TransactionStmtKind::Commit => {
                let chained = self.chained(stmt, "COMMIT AND CHAIN")?;
                match self.block {
                    Block::None | Block::Implicit => {
                        self.notice(warning(NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress"));
                        self.commit()?;
                    }
                    Block::Begun => self.commit()?,
                    Block::Failed => {
                        self.abort();
                        self.chain(chained)?;
                        return Ok("ROLLBACK");
                    }
                }
                self.chain(chained)?;
                Ok("COMMIT")
            }
            TransactionStmtKind::Rollback => {
                let chained = self.chained(stmt, "ROLLBACK AND CHAIN")?;
                if matches!(self.block, Block::None | Block::Implicit) {
                    self.notice(warning(NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress"));
                }
                self.abort();
                self.chain(chained)?;
                Ok("ROLLBACK")
            }
            TransactionStmtKind::Savepoint => {
                let name = self.savepoint_name(stmt, "SAVEPOINT")?;
                self.cx.txn()?.begin_sub(Some(&name))?;
                self.savepoints.push(name);
                Ok("SAVEPOINT")
            }
            TransactionStmtKind::Release => {
                let name = self.savepoint_name(stmt, "RELEASE SAVEPOINT")?;
                let at = self.find_savepoint(&name)?;
                self.cx.txn()?.release_savepoint(&name)?;
                self.savepoints.truncate(at);
                self.variables.lock().release(at + 2);
                self.portals.values_mut().for_each(|p| p.level = p.level.min(at + 1));
                self.cx.extension_or_default::<executor::cursor::Cursors>().release(at + 2);
                Ok("RELEASE")
            }
            TransactionStmtKind::RollbackTo => {
                let name = self.savepoint_name(stmt, "ROLLBACK TO SAVEPOINT")?;
                let at = self.find_savepoint(&name)?;
                self.undo_to(at + 2, &name)?;
                self.block = Block::Begun;
                Ok("ROLLBACK")
            }
            TransactionStmtKind::Prepare => self.prepare_transaction(stmt.gid.as_deref().unwrap_or_default()),
            TransactionStmtKind::CommitPrepared => self.finish_prepared(stmt, Finish::Commit, "COMMIT PREPARED"),
            TransactionStmtKind::RollbackPrepared => self.finish_prepared(stmt, Finish::Rollback, "ROLLBACK PREPARED"),
        }
    }

    /// The options that the next transaction inherits with AND CHAIN.
    fn chained(&self, stmt: &TransactionStmt, what: &str) -> Result<Option<(IsolationLevel, bool, bool)>> {
        if !stmt.chain {
            return Ok(None);
        }
        if matches!(self.block, Block::None | Block::Implicit) {
            let text = format!("{what} can only be used in transaction blocks");
            return Err(PgError::new(NO_ACTIVE_SQL_TRANSACTION, text));
        }
        Ok(Some(match &self.cx.txn {
            Some(txn) => (txn.isolation(), txn.is_read_only(), txn.is_deferrable()),
            None => (IsolationLevel::ReadCommitted, false, false),
        }))
    }
    fn chain(&mut self, options: Option<(IsolationLevel, bool, bool)>) -> Result<()> {
        let Some((isolation, read_only, deferrable)) = options else { return Ok(()) };
        self.block = Block::Begun;
        self.start_transaction()?;
        let txn = self.cx.txn()?;
        txn.set_isolation(isolation)?;
        txn.set_deferrable(deferrable);
        txn.set_read_only(read_only)
    }

    fn savepoint_name(&self, stmt: &TransactionStmt, what: &str) -> Result<String> {
        if matches!(self.block, Block::None | Block::Implicit) {
            let text = format!("{what} can only be used in transaction blocks");
            return Err(PgError::new(NO_ACTIVE_SQL_TRANSACTION, text));
        }
        Ok(stmt.savepoint_name.clone().unwrap_or_default())
    }
    fn find_savepoint(&self, name: &str) -> Result<usize> {
        let missing = || PgError::new(S_E_INVALID_SPECIFICATION, format!("savepoint \"{name}\" does not exist"));
        self.savepoints.iter().rposition(|n| n == name).ok_or_else(missing)
    }

    /// ISOLATION LEVEL, READ ONLY, DEFERRABLE of BEGIN and SET TRANSACTION.
    pub(super) fn set_transaction_options(&mut self, options: &[DefElem]) -> Result<()> {
        for option in options {
            let text = super::utility::option_text(option);
            let txn = self.cx.txn()?;
            match option.defname.as_str() {
                "transaction_isolation" => txn.set_isolation(isolation(&text))?,
                "transaction_read_only" => txn.set_read_only(text == "on")?,
                "transaction_deferrable" => txn.set_deferrable(text == "on"),
                _ => {}
            }
        }
        Ok(())
    }

    /// SET SESSION CHARACTERISTICS AS TRANSACTION.
    pub(super) fn set_session_characteristics(&mut self, options: &[DefElem]) -> Result<()> {
        for option in options {
            let name = format!("default_{}", option.defname);
            let text = super::utility::option_text(option);
            self.set_variable(&name, Some(&text), Scope::Session)?;
        }
        Ok(())
    }

    /// The transaction's nesting level for settings: 0 outside, 1 at its top.
    pub(super) fn nest_level(&self) -> usize {
        if self.cx.txn.is_some() { 1 + self.savepoints.len() } else { 0 }
    }

    /// Asks this session to stop after so many milliseconds, unless the alarm is dropped before.
    fn alarm(&self, milliseconds: u64, reason: Reason) -> Option<Alarm> {
        let after = Duration::from_millis(milliseconds);
        (milliseconds > 0).then(|| self.cluster.timers.arm(Instant::now() + after, &self.entry, reason))
    }

    pub(super) fn asker(&self) -> Asker {
        Asker::User { superuser: self.is_superuser }
    }

    pub(super) fn now(&mut self) {
        let now = clock::now();
        Arc::make_mut(&mut self.cx.settings).statement_timestamp = now;
    }
}

#[cold]
pub(super) fn failed_block() -> PgError {
    let text = "current transaction is aborted, commands ignored until end of transaction block";
    PgError::new(IN_FAILED_SQL_TRANSACTION, text)
}

pub(super) fn isolation(text: &str) -> IsolationLevel {
    match text {
        "serializable" => IsolationLevel::Serializable,
        "repeatable read" => IsolationLevel::RepeatableRead,
        "read uncommitted" => IsolationLevel::ReadUncommitted,
        _ => IsolationLevel::ReadCommitted,
    }
}

/// What the settings say of new transactions.
pub(super) fn options(values: &guc::Values) -> TransactionOptions {
    TransactionOptions {
        isolation: isolation(values.str(guc::DEFAULT_TRANSACTION_ISOLATION)),
        read_only: values.bool(guc::DEFAULT_TRANSACTION_READ_ONLY),
        deferrable: values.bool(guc::DEFAULT_TRANSACTION_DEFERRABLE),
    }
}

pub(super) fn sync_commit(text: &str) -> SyncCommit {
    match text {
        "off" => SyncCommit::Off,
        "local" => SyncCommit::Local,
        "remote_write" => SyncCommit::RemoteWrite,
        "remote_apply" => SyncCommit::RemoteApply,
        _ => SyncCommit::RemoteFlush,
    }
}
