//! Procedural languages: the hook by which functions, procedures, triggers and DO blocks of a language above this floor run.
//!
//! A language is one value that implements [`Language`]. The server puts all there are into [`ExecContext::languages`] of each
//! session, under the name of the C function that PostgreSQL's `pg_language.lanplcallfoid` points to (`plpgsql_call_handler`),
//! so that a language created by any name finds its handler:
//!
//! ```ignore
//! cx.languages = Arc::new(Languages::default().with("plpgsql_call_handler", Arc::new(PlPgSql)));
//! ```
//!
//! Who calls what
//! - Expressions call [`Language::call`] (one value) and [`Language::call_set`] (`RETURNS SETOF`). A call site keeps what it likes
//!   between calls in `state`; strictness was obeyed, arguments are plain (never [`DatumRef::Toasted`]).
//! - CALL runs [`Language::call_procedure`], DO runs [`Language::inline`], CREATE FUNCTION [`Language::validate`].
//! - Triggers run [`Language::call_trigger`] with a [`TriggerData`](crate::trigger::TriggerData); the command triggers of
//!   `pg_event_trigger` run [`Language::call_event_trigger`].
//!
//! SQL that a function runs sees `cx.snapshot` unless the function is volatile: then it takes a new one after a
//! `command_counter_increment`, as [`crate::sqlfunction`] does. Transition tables of a trigger are visible to a statement if
//! the language hands [`TriggerData::transition_tables`](crate::trigger::TriggerData::transition_tables) to the analyzer
//! (`AnalyzeContext::named`) and to the execution (`StartOptions::named`).
//!
//! PostgreSQL: the call handler's interface, `fmgr.h` and `trigger.h`.

use std::sync::Arc;

use base::{Oid, PgError, Result};
use types::registry::RowSource;
use types::{Datum, DatumRef, FnCall, FnState};

use crate::context::ExecContext;
use crate::trigger::{EventTriggerData, TriggerData};

/// A procedural language; see the module's head.
pub trait Language: Send + Sync {
    /// A function's value. A composite result is one datum (a record); void is null.
    fn call(&self, cx: &mut ExecContext, call: &FnCall, state: &mut FnState, args: &[DatumRef<'_>]) -> Result<Datum>;

    /// A set's rows: of one value, or, where `call.result_desc` is there, of the row's columns.
    fn call_set(
        &self,
        cx: &mut ExecContext,
        call: &FnCall,
        state: &mut FnState,
        args: &[DatumRef<'_>],
    ) -> Result<Box<dyn RowSource>>;

    /// CALL. `args` are those of `proargtypes`' input; the result is the record of the output arguments, null if there are none.
    /// `atomic`: within a transaction block or a function, so it may not end the transaction.
    fn call_procedure(&self, cx: &mut ExecContext, call: &FnCall, args: &[DatumRef<'_>], atomic: bool)
    -> Result<Datum>;

    /// Runs a trigger function. For row triggers the result is the row to go on with, `None` for a null (nothing is to be done
    /// to this row); after triggers' and statement triggers' results are not looked at. A row must have the relation's columns.
    fn call_trigger(&self, cx: &mut ExecContext, data: &TriggerData) -> Result<Option<Vec<Datum>>>;

    fn call_event_trigger(&self, cx: &mut ExecContext, data: &EventTriggerData) -> Result<()>;

    /// DO.
    fn inline(&self, cx: &mut ExecContext, source: &str, atomic: bool) -> Result<()>;

    /// Checks a function whose row in `pg_proc` was just written. (PostgreSQL: `lanvalidator`)
    fn validate(&self, cx: &mut ExecContext, function: Oid) -> Result<()>;
}

/// The languages of a server, by their call handlers.
#[derive(Default, Clone)]
pub struct Languages(Vec<(&'static str, Arc<dyn Language>)>);

impl Languages {
    #[must_use]
    pub fn with(mut self, handler: &'static str, language: Arc<dyn Language>) -> Languages {
        self.0.push((handler, language));
        self
    }
}

impl ExecContext {
    /// The language with this id in `pg_language`; `None` for those without a handler: internal, C, SQL.
    pub fn language(&self, oid: Oid) -> Result<Option<Arc<dyn Language>>> {
        let row = self.catalog.language(oid)?;
        let row = row.ok_or_else(|| PgError::internal(format!("cache lookup failed for language {oid}")))?;
        let Some(handler) = row.lanplcallfoid.valid() else { return Ok(None) };
        let handler = self.catalog.function_row(handler)?;
        match self.languages.0.iter().find(|l| *l.0 == handler.prosrc) {
            Some((_, language)) => Ok(Some(language.clone())),
            None => Err(PgError::unsupported(format!("language {}", row.lanname))),
        }
    }
}

/// Runs a procedure of any language. The result is the record of its output arguments.
pub fn call_procedure(cx: &mut ExecContext, call: &FnCall, args: &[DatumRef<'_>], atomic: bool) -> Result<Datum> {
    let proc = cx.catalog.function_row(call.function)?;
    cx.check_execute(&proc)?;
    let language = cx.language(proc.prolang)?;
    // Its settings and its role end with it, so it may not end the transaction.
    let own = proc.prosecdef || proc.proconfig.is_some();
    guarded(cx, &proc, |cx| match language {
        Some(language) => language.call_procedure(cx, call, args, atomic || own),
        None => {
            let scope = crate::expr::Scope::empty();
            let mut compiler = crate::expr::Compiler::new(cx, scope);
            let mut node = compiler.bare_function(call.function, &call.arg_types, call.result_type, call.collation)?;
            let mut st = crate::state::Estate::detached();
            st.snapshot = cx.snapshot.clone();
            node.call(&mut crate::state::Run { cx, st: &mut st }, args)
        }
    })
}

/// Runs what a function does as its owner if it is SECURITY DEFINER, and with the settings it has.
/// (PostgreSQL: `fmgr_security_definer`)
pub fn guarded<R>(
    cx: &mut ExecContext,
    proc: &catalog::PgProc,
    f: impl FnOnce(&mut ExecContext) -> Result<R>,
) -> Result<R> {
    if !proc.prosecdef && proc.proconfig.is_none() {
        return f(cx);
    }
    let user = cx.settings.current_user;
    if proc.prosecdef {
        Arc::make_mut(&mut cx.settings).current_user = proc.proowner;
    }
    let level = match (&proc.proconfig, cx.host.clone()) {
        (Some(config), Some(host)) => match host.enter(cx, config) {
            Ok(level) => Some((host, level)),
            Err(e) => {
                Arc::make_mut(&mut cx.settings).current_user = user;
                return Err(e);
            }
        },
        _ => None,
    };
    let done = f(cx);
    if let Some((host, level)) = level {
        host.leave(cx, level, done.is_err());
    }
    if proc.prosecdef {
        Arc::make_mut(&mut cx.settings).current_user = user;
    }
    done
}
