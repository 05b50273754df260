//! Transactions as a client sees them: blocks, savepoints, and what happens around each statement.
//!
//! Each statement runs in a transaction. Outside a block it is its own, ended with the statement; the statements of one
//! simple-query message, and those of an extended-query pipeline up to Sync, share one. (PostgreSQL: `TBLOCK_*` in `xact.c`)

use std::sync::Arc;

use base::guc;
use base::sqlstate::*;
use base::{PgError, Result};
use parser::ast::{DefElem, TransactionStmt, TransactionStmtKind};
use txn::stats::DatabaseCounter;
use txn::{IsolationLevel, SyncCommit, Transaction, TransactionOptions};

use super::Session;
use super::variables::{Asker, Scope};
use crate::clock;

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

fn warning(code: base::SqlState, text: &str) -> PgError {
    PgError::with_severity(base::Severity::Warning, code, text)
}

impl Session {
    /// Makes sure that a transaction is in progress. (PostgreSQL: `StartTransactionCommand`)
    pub(super) fn start_transaction(&mut self) -> Result<()> {
        if self.cx.txn.is_some() {
            return Ok(());
        }
        let options = {
            let variables = self.variables.lock();
            let values = variables.values();
            TransactionOptions {
                isolation: isolation(values.str(guc::DEFAULT_TRANSACTION_ISOLATION)),
                read_only: values.bool(guc::DEFAULT_TRANSACTION_READ_ONLY),
                deferrable: values.bool(guc::DEFAULT_TRANSACTION_DEFERRABLE),
            }
        };
        let txn = Transaction::begin(&self.cluster.manager, &self.proc, options)?;
        txn.set_sync_commit(self.sync_commit);
        txn.set_database_tablespace(self.store.database_tablespace);
        txn.add_callback(self.store.follower(&self.cx));
        let settings = Arc::make_mut(&mut self.cx.settings);
        settings.transaction_timestamp = settings.statement_timestamp;
        self.set_transaction(Some(Arc::new(txn)));
        Ok(())
    }

    /// A statement begins: the clock, the interrupts of the last one, a snapshot.
    pub(super) fn begin_statement(&mut self) -> Result<()> {
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
        self.block = Block::None;
        self.savepoints.clear();
        self.cx.snapshot = None;
        self.close_portals_at_commit()?;
        let result = match self.set_transaction(None) {
            Some(txn) => match Arc::try_unwrap(txn) {
                Ok(txn) => {
                    let done = txn.commit();
                    let counter = if done.is_ok() { DatabaseCounter::Commits } else { DatabaseCounter::Rollbacks };
                    self.counts.add(counter, 1);
                    done
                }
                Err(_) => Err(PgError::internal("the transaction is still in use at its commit")),
            },
            None => Ok(()),
        };
        match &result {
            Ok(()) => self.variables.lock().commit(),
            Err(_) => self.variables.lock().abort(),
        }
        self.settings_changed();
        result
    }

    /// The transaction aborts. In a block the session then waits for its end. (PostgreSQL: `AbortCurrentTransaction`)
    pub(super) fn abort_statement(&mut self) {
        let next = match self.block {
            Block::Begun | Block::Failed => Block::Failed,
            Block::None | Block::Implicit => Block::None,
        };
        if self.block == Block::Begun && !self.savepoints.is_empty() {
            // Savepoints survive: only the innermost subtransaction's work is undone, at the latest with ROLLBACK TO.
            self.cx.snapshot = None;
            self.portals.retain(|_, p| !p.is_running());
            self.block = next;
            return;
        }
        self.abort();
        self.block = next;
    }

    /// The whole transaction aborts.
    pub(super) fn abort(&mut self) {
        self.block = Block::None;
        self.savepoints.clear();
        self.cx.snapshot = None;
        self.close_portals();
        if let Some(txn) = self.set_transaction(None)
            && let Ok(txn) = Arc::try_unwrap(txn)
        {
            txn.abort();
            self.counts.add(DatabaseCounter::Rollbacks, 1);
        }
        self.variables.lock().abort();
        self.settings_changed();
    }

    /// Refuses everything but the block's end after a failure.
    pub(super) fn check_not_failed(&self, stmt: &parser::ast::Statement) -> Result<()> {
        if self.block != Block::Failed {
            return Ok(());
        }
        if let parser::ast::Statement::Transaction(t) = stmt
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
                Ok("RELEASE")
            }
            TransactionStmtKind::RollbackTo => {
                let name = self.savepoint_name(stmt, "ROLLBACK TO SAVEPOINT")?;
                let at = self.find_savepoint(&name)?;
                self.cx.txn()?.rollback_to_savepoint(&name)?;
                self.savepoints.truncate(at + 1);
                self.variables.lock().abort_to(at + 2);
                self.settings_changed();
                self.block = Block::Begun;
                Ok("ROLLBACK")
            }
            TransactionStmtKind::Prepare => Err(PgError::unsupported("PREPARE TRANSACTION")),
            TransactionStmtKind::CommitPrepared => Err(PgError::unsupported("COMMIT PREPARED")),
            TransactionStmtKind::RollbackPrepared => Err(PgError::unsupported("ROLLBACK PREPARED")),
        }
    }

    /// The options that the next transaction inherits with AND CHAIN.
    fn chained(&self, stmt: &TransactionStmt, what: &str) -> Result<Option<(IsolationLevel, bool)>> {
        if !stmt.chain {
            return Ok(None);
        }
        if matches!(self.block, Block::None | Block::Implicit) {
            let text = format!("{what} can only be used in transaction blocks");
            return Err(PgError::new(NO_ACTIVE_SQL_TRANSACTION, text));
        }
        Ok(Some(match &self.cx.txn {
            Some(txn) => (txn.isolation(), txn.is_read_only()),
            None => (IsolationLevel::ReadCommitted, false),
        }))
    }
    fn chain(&mut self, options: Option<(IsolationLevel, bool)>) -> Result<()> {
        let Some((isolation, read_only)) = options else { return Ok(()) };
        self.block = Block::Begun;
        self.start_transaction()?;
        let txn = self.cx.txn()?;
        txn.set_isolation(isolation)?;
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

pub(super) fn sync_commit(text: &str) -> SyncCommit {
    match text {
        "off" => SyncCommit::Off,
        "local" => SyncCommit::Local,
        "remote_write" => SyncCommit::RemoteWrite,
        "remote_apply" => SyncCommit::RemoteApply,
        _ => SyncCommit::RemoteFlush,
    }
}
