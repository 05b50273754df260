//! What functions of procedural languages do to the session that runs them: subtransactions, COMMIT and ROLLBACK, settings,
//! utility statements. The session itself is at work meanwhile; this holds what they share.
//!
//! Invariants
//! - The session's block does not change here: a function that ends the transaction (outside a block) leaves another one
//!   begun, which the session then ends with its statement.
//! - Settings changed here are in force at once; the session renews what it derived when its statement ends.
//!
//! PostgreSQL: `spi.c` (`SPI_commit`, `_SPI_execute_plan` for utility statements), `fmgr_security_definer`.

use std::sync::Arc;

use base::guc::{self, Values};
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use commands::CommandContext;
use executor::cursor::{self, Cursors};
use executor::{ExecContext, FunctionHost, UtilityOutcome};
use parking_lot::Mutex;
use parser::ast::{Statement, VariableSetKind, VariableSetStmt};
use txn::stats::{DatabaseCounter, DatabaseStats};
use txn::{Proc, Transaction, TransactionOptions};
use types::oid::TEXTOID;
use types::{Align, Attribute, Datum, TupleDesc};

use super::SharedVariables;
use super::store::Store;
use super::variables::{Asker, Saved, Scope};
use crate::clock;
use crate::cluster::{Cluster, SessionEntry};
use crate::notify::Notifier;

/// See the module's head.
pub(super) struct Host {
    pub cluster: Arc<Cluster>,
    pub entry: Arc<SessionEntry>,
    pub proc: Arc<Proc>,
    pub variables: SharedVariables,
    pub store: Arc<Store>,
    pub counts: Arc<DatabaseStats>,
    /// Settings of the functions that run, the innermost last.
    pub entered: Mutex<Vec<Saved>>,
}

impl Host {
    /// What follows from settings, after a change.
    fn renew(&self, cx: &mut ExecContext) {
        let variables = self.variables.lock();
        let values = variables.values();
        super::derived::renew(Arc::make_mut(&mut cx.settings), values);
        cx.cost = super::derived::costs(values);
        let path = catalog::namespace::split_identifiers(values.str(guc::SEARCH_PATH)).unwrap_or_default();
        cx.catalog.set_search_path(&path, cx.settings.current_user);
    }

    fn asker(&self, cx: &ExecContext) -> Result<Asker> {
        Ok(Asker::User { superuser: cx.catalog.is_superuser(cx.settings.current_user)? })
    }

    fn notifier<'a>(&'a self, cx: &'a ExecContext) -> Result<Notifier<'a>> {
        Ok(Notifier { cluster: &self.cluster, entry: &self.entry, txn: cx.txn()? })
    }

    fn level(cx: &ExecContext) -> usize {
        cx.txn.as_ref().map_or(0, |t| t.nest_level())
    }

    /// Begins a transaction; with those characteristics, else with the session's.
    fn begin(&self, cx: &mut ExecContext, chained: Option<TransactionOptions>) -> Result<()> {
        let (options, sync) = {
            let variables = self.variables.lock();
            let values = variables.values();
            let options = chained.unwrap_or_else(|| TransactionOptions {
                isolation: super::transaction::isolation(values.str(guc::DEFAULT_TRANSACTION_ISOLATION)),
                read_only: values.bool(guc::DEFAULT_TRANSACTION_READ_ONLY),
                deferrable: values.bool(guc::DEFAULT_TRANSACTION_DEFERRABLE),
            });
            (options, super::transaction::sync_commit(values.str(guc::SYNCHRONOUS_COMMIT)))
        };
        let txn = Transaction::begin(&self.cluster.manager, &self.proc, options)?;
        txn.set_sync_commit(sync);
        txn.set_database_tablespace(self.store.database_tablespace);
        txn.add_callback(self.store.follower(cx));
        Arc::make_mut(&mut cx.settings).transaction_timestamp = clock::now();
        self.store.set_transaction(cx, Some(Arc::new(txn)));
        Ok(())
    }

    fn characteristics(cx: &ExecContext) -> Result<TransactionOptions> {
        let txn = cx.txn()?;
        Ok(TransactionOptions {
            isolation: txn.isolation(),
            read_only: txn.is_read_only(),
            deferrable: txn.is_deferrable(),
        })
    }

    fn end_now(&self, cx: &mut ExecContext) -> Result<()> {
        executor::after::fire_deferred(cx)?;
        cursor::before_commit(cx)?;
        commands::temp::before_commit(cx)?;
        cx.snapshot = None;
        let Some(txn) = self.store.set_transaction(cx, None) else { return Ok(()) };
        let in_use = |_| PgError::internal("the transaction is still in use at its commit");
        Arc::try_unwrap(txn).map_err(in_use)?.commit()
    }

    fn undo(&self, cx: &mut ExecContext) {
        cx.snapshot = None;
        executor::after::reset(cx);
        cx.extension_or_default::<Cursors>().close_from(1);
        if let Some(txn) = self.store.set_transaction(cx, None)
            && let Ok(txn) = Arc::try_unwrap(txn)
        {
            txn.abort();
        }
        self.counts.add(DatabaseCounter::Rollbacks, 1);
        self.variables.lock().abort();
        self.renew(cx);
    }

    fn set(&self, cx: &mut ExecContext, s: &VariableSetStmt) -> Result<&'static str> {
        let scope = if s.is_local { Scope::Local } else { Scope::Session };
        let (level, asker) = (Host::level(cx), self.asker(cx)?);
        let name = s.name.clone().unwrap_or_default();
        match s.kind {
            VariableSetKind::Multi => {
                for option in &s.options {
                    let text = super::utility::option_text(option);
                    self.transaction_option(cx, &option.defname, &text)?;
                }
                return Ok("SET");
            }
            VariableSetKind::ResetAll => {
                self.variables.lock().reset_all(level, asker)?;
                self.renew(cx);
                return Ok("RESET");
            }
            VariableSetKind::Current => return Ok("SET"),
            _ => {}
        }
        let value = match s.kind {
            VariableSetKind::Value => Some(super::utility::set_value(&name, &s.args)?),
            _ => None,
        };
        match name.as_str() {
            "role" => self.set_role(cx, value.as_deref().unwrap_or("none"))?,
            "session_authorization" => return Err(PgError::unsupported("SET SESSION AUTHORIZATION in a function")),
            "transaction_isolation" | "transaction_read_only" | "transaction_deferrable" => {
                self.transaction_option(cx, &name, value.as_deref().unwrap_or_default())?;
            }
            _ => self.variables.lock().set(&name, value.as_deref(), scope, level, asker)?,
        }
        self.renew(cx);
        Ok(if s.kind == VariableSetKind::Reset { "RESET" } else { "SET" })
    }

    fn transaction_option(&self, cx: &mut ExecContext, name: &str, text: &str) -> Result<()> {
        let txn = cx.txn()?;
        match name {
            "transaction_isolation" => txn.set_isolation(super::transaction::isolation(text)),
            "transaction_read_only" => txn.set_read_only(text == "on"),
            _ => Ok(()),
        }
    }

    fn set_role(&self, cx: &mut ExecContext, name: &str) -> Result<()> {
        let session_user = cx.settings.session_user;
        let role = match name {
            "none" | "default" => session_user,
            name => {
                let role = cx.catalog.role_oid(name)?;
                let superuser = cx.catalog.is_superuser(session_user)?;
                if !superuser && !cx.catalog.member_can_set_role(session_user, role)? {
                    let text = format!("permission denied to set role \"{name}\"");
                    return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
                }
                role
            }
        };
        Arc::make_mut(&mut cx.settings).current_user = role;
        self.variables.lock().generation += 1;
        Ok(())
    }

    fn show(&self, cx: &ExecContext, name: &str) -> Result<String> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "transaction_isolation" => cx.txn()?.isolation().as_str().to_owned(),
            "transaction_read_only" => if cx.txn()?.is_read_only() { "on" } else { "off" }.to_owned(),
            _ => self.variables.lock().show(name)?.ok_or_else(|| guc::unrecognized(name))?,
        })
    }
}

impl FunctionHost for Host {
    fn begin_sub(&self, cx: &mut ExecContext) -> Result<()> {
        cx.txn()?.begin_sub(None).map(drop)
    }

    fn release_sub(&self, cx: &mut ExecContext) -> Result<()> {
        let level = Host::level(cx);
        cx.txn()?.release_sub()?;
        self.variables.lock().release(level);
        cx.extension_or_default::<Cursors>().release(level);
        Ok(())
    }

    fn rollback_sub(&self, cx: &mut ExecContext) -> Result<()> {
        let level = Host::level(cx);
        cx.extension_or_default::<Cursors>().close_from(level);
        cx.txn()?.rollback_sub()?;
        executor::after::subtransaction_aborted(cx, level);
        let changed = {
            let mut variables = self.variables.lock();
            let before = variables.generation;
            variables.abort_to(level);
            variables.generation != before
        };
        if changed {
            self.renew(cx);
        }
        Ok(())
    }

    fn commit(&self, cx: &mut ExecContext, chain: bool) -> Result<()> {
        let chained = if chain { Some(Host::characteristics(cx)?) } else { None };
        let done = self.end_now(cx);
        if done.is_ok() {
            self.counts.add(DatabaseCounter::Commits, 1);
            self.variables.lock().commit();
            self.renew(cx);
        } else {
            self.undo(cx);
        }
        self.begin(cx, chained)?;
        done
    }

    fn rollback(&self, cx: &mut ExecContext, chain: bool) -> Result<()> {
        let chained = if chain { Some(Host::characteristics(cx)?) } else { None };
        cursor::before_rollback(cx)?;
        self.undo(cx);
        self.begin(cx, chained)
    }

    fn utility(
        &self,
        cx: &mut ExecContext,
        stmt: &Arc<Statement>,
        source: &Arc<str>,
        atomic: bool,
    ) -> Result<UtilityOutcome> {
        let tagged = |tag: &str| Ok(UtilityOutcome { tag: tag.to_owned(), result: None });
        match &**stmt {
            Statement::VariableSet(s) => tagged(self.set(cx, s)?),
            Statement::VariableShow(s) if s.name != "all" => {
                let value = self.show(cx, &s.name)?;
                let name = guc::Guc::find(&s.name).map_or(s.name.as_str(), |g| g.name());
                let desc = Arc::new(TupleDesc::new(vec![Attribute::new(name, TEXTOID, -1, false, Align::Int)]));
                Ok(UtilityOutcome { tag: "SHOW".into(), result: Some((desc, vec![vec![Datum::text(&value)]])) })
            }
            Statement::DeclareCursor(d) => {
                let level = Host::level(cx);
                super::cursors::declare(cx, d, source, level)?;
                tagged("DECLARE CURSOR")
            }
            Statement::Fetch(f) => {
                let (desc, rows) = super::cursors::fetch(cx, f)?;
                let tag = format!("{} {}", if f.ismove { "MOVE" } else { "FETCH" }, rows.len());
                let result = (!f.ismove).then_some((desc, rows));
                Ok(UtilityOutcome { tag, result })
            }
            Statement::ClosePortal(c) => tagged(super::cursors::close(cx, c.portalname.as_deref())?),
            Statement::Listen(s) => {
                self.notifier(cx)?.listen(&s.conditionname);
                tagged("LISTEN")
            }
            Statement::Unlisten(s) => {
                self.notifier(cx)?.unlisten(s.conditionname.as_deref());
                tagged("UNLISTEN")
            }
            Statement::Notify(s) => {
                self.notifier(cx)?.notify(&s.conditionname, s.payload.as_deref().unwrap_or_default())?;
                tagged("NOTIFY")
            }
            Statement::Transaction(_)
            | Statement::Prepare(_)
            | Statement::Execute(_)
            | Statement::Deallocate(_)
            | Statement::Discard(_)
            | Statement::AlterSystem(_)
            | Statement::VariableShow(_) => {
                Err(PgError::unsupported(format!("{} in a function", commands::command_name(stmt))))
            }
            other => {
                let values = self.variables.lock().values().clone();
                let mut session = Inside { host: self, values, atomic };
                let mut cmd = CommandContext { cx, session: &mut session, source };
                if let Statement::ConstraintsSet(s) = other {
                    commands::foreign_key::set_constraints(&mut cmd, s)?;
                    return tagged("SET CONSTRAINTS");
                }
                let outcome = commands::execute(&mut cmd, other)?;
                let result = outcome.result.map(|(desc, batches)| {
                    let rows = batches.iter().flat_map(|b| b.selected().iter().map(|i| b.row(i)).collect::<Vec<_>>());
                    (desc, rows.collect())
                });
                Ok(UtilityOutcome { tag: outcome.tag, result })
            }
        }
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.variables.lock().show(name).ok().flatten()
    }

    fn enter(&self, cx: &mut ExecContext, config: &[String]) -> Result<usize> {
        let asker = self.asker(cx)?;
        let saved = self.variables.lock().enter(config, asker)?;
        let level = {
            let mut entered = self.entered.lock();
            entered.push(saved);
            entered.len()
        };
        self.renew(cx);
        Ok(level)
    }

    fn leave(&self, cx: &mut ExecContext, level: usize, _failed: bool) {
        let mut inner = self.entered.lock().split_off(level - 1);
        while let Some(saved) = inner.pop() {
            self.variables.lock().leave(saved);
        }
        self.renew(cx);
    }
}

/// What commands ask of the session while a function runs them.
struct Inside<'a> {
    host: &'a Host,
    values: Values,
    atomic: bool,
}

impl commands::Session for Inside<'_> {
    fn values(&self) -> &Values {
        &self.values
    }
    fn is_atomic(&self) -> bool {
        self.atomic
    }
    fn prevent_in_transaction_block(&mut self, name: &str) -> Result<()> {
        Err(PgError::new(ACTIVE_SQL_TRANSACTION, format!("{name} cannot be executed from a function")))
    }
    fn next_transaction(&mut self, _: &mut ExecContext) -> Result<()> {
        Err(PgError::internal("a function's statement cannot end its transaction"))
    }
    fn count_sessions(&self, database: Oid) -> usize {
        let others = self.host.cluster.sessions.list();
        let own = self.host.entry.id;
        others.iter().filter(|s| s.id != own && s.activity.lock().database == database).count()
    }
}
