//! Text to plans, and the cache of plans that sessions share.
//!
//! A cached plan belongs to a text in a database under certain planner settings and search path (`plan_key`), and is valid
//! while the catalogs have not changed since it was made. A transaction that changed catalogs itself plans anew.

use std::sync::Arc;

use analyze::query::{CmdType, Query};
use analyze::{AnalyzeContext, ParamTypes};
use base::sqlstate::FEATURE_NOT_SUPPORTED;
use base::{Oid, PgError, Result};
use executor::{Destination, ExecContext, Execution, StartOptions};
use hashbrown::HashMap;
use parking_lot::Mutex;
use parser::ast::{RawStmt, Statement};
use planner::{PlanOptions, PlannedStmt};
use types::{Batch, Datum, Runtime, TupleDesc};

use super::Session;
use super::rows::RowWriter;
use crate::protocol::{Connection, Format};

/// What one statement became.
#[derive(Clone)]
pub(super) enum Unit {
    Plan(Arc<PlannedStmt>),
    Utility(Arc<Statement>),
}

impl Unit {
    pub fn result_desc(&self) -> Option<Arc<TupleDesc>> {
        match self {
            Unit::Plan(p) if p.command_type == CmdType::Select || p.has_returning => Some(Arc::clone(&p.result_desc)),
            _ => None,
        }
    }
}

/// A statement as Parse or PREPARE leaves it.
pub struct Prepared {
    pub(super) name: String,
    pub(super) source: Arc<str>,
    /// `None` for an empty text.
    pub(super) raw: Option<Arc<RawStmt>>,
    pub(super) param_types: Vec<Oid>,
    /// By PREPARE rather than Parse.
    pub(super) from_sql: bool,
    pub(super) prepared_at: i64,
    /// The generic plan, with the catalog generation and plan key it was made under.
    plan: Mutex<Option<(u64, u64, Arc<[Unit]>)>>,
}

impl Prepared {
    pub(super) fn new(
        name: &str,
        source: Arc<str>,
        raw: Option<Arc<RawStmt>>,
        param_types: Vec<Oid>,
        from_sql: bool,
    ) -> Prepared {
        let (name, prepared_at) = (name.to_owned(), crate::clock::now());
        Prepared { name, source, raw, param_types, from_sql, prepared_at, plan: Mutex::new(None) }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    text: Box<str>,
    database: Oid,
    plan_key: u64,
}

/// Plans by text, for all sessions.
#[derive(Default)]
pub struct PlanCache {
    plans: Mutex<HashMap<Key, (u64, Arc<[Unit]>)>>,
}

/// Longer texts are hardly ever repeated.
const CACHED_TEXT: usize = 16 << 10;
const CACHED_PLANS: usize = 4096;

impl PlanCache {
    fn get(&self, text: &str, database: Oid, plan_key: u64, generation: u64) -> Option<Arc<[Unit]>> {
        if text.len() > CACHED_TEXT {
            return None;
        }
        let plans = self.plans.lock();
        let (made, units) = plans.get(&Key { text: text.into(), database, plan_key })?;
        (*made == generation).then(|| Arc::clone(units))
    }
    fn put(&self, text: &str, database: Oid, plan_key: u64, generation: u64, units: &Arc<[Unit]>) {
        if text.len() > CACHED_TEXT {
            return;
        }
        let mut plans = self.plans.lock();
        if plans.len() >= CACHED_PLANS {
            // Stale ones first; if all are fresh, start over: what is in use comes back at once.
            plans.retain(|_, (made, _)| *made == generation);
            if plans.len() >= CACHED_PLANS {
                plans.clear();
            }
        }
        plans.insert(Key { text: text.into(), database, plan_key }, (generation, Arc::clone(units)));
    }
}

impl Session {
    /// Looks a text up among the shared plans. Only plain single statements are there.
    pub(super) fn cached_plan(&self, text: &str) -> Option<Arc<[Unit]>> {
        if self.cx.catalog.has_changes() {
            return None;
        }
        let generation = self.cx.catalog.shared().generation();
        self.cluster.plans.get(text, self.cx.settings.database, self.plan_key, generation)
    }

    /// Analyzes, rewrites and plans one raw statement.
    pub(super) fn plan_statement(
        &mut self,
        raw: &RawStmt,
        source: &str,
        params: &mut ParamTypes,
    ) -> Result<Arc<[Unit]>> {
        let queries = self.analyze_and_rewrite(raw, source, params)?;
        queries.into_iter().map(|q| self.plan_query(q)).collect()
    }

    /// As `plan_statement`, leaving the plan for others with the same text.
    pub(super) fn plan_text(&mut self, raw: &RawStmt, source: &str) -> Result<Arc<[Unit]>> {
        let generation = self.cx.catalog.shared().generation();
        let units = self.plan_statement(raw, source, &mut ParamTypes::None)?;
        let plain = units.iter().all(|u| matches!(u, Unit::Plan(p) if !p.transient && !p.depends_on_role));
        if plain && !self.cx.catalog.has_changes() {
            self.cluster.plans.put(source, self.cx.settings.database, self.plan_key, generation, &units);
        }
        Ok(units)
    }

    /// The plan of a prepared statement; made anew when the catalogs or settings it relied on have changed.
    pub(super) fn plan_prepared(&mut self, prepared: &Prepared) -> Result<Arc<[Unit]>> {
        let Some(raw) = prepared.raw.clone() else { return Ok(Arc::from([])) };
        let generation = self.cx.catalog.shared().generation();
        let own_changes = self.cx.catalog.has_changes();
        if !own_changes
            && let Some((g, k, units)) = &*prepared.plan.lock()
            && (*g, *k) == (generation, self.plan_key)
        {
            return Ok(Arc::clone(units));
        }
        let mut params = ParamTypes::Fixed(prepared.param_types.clone());
        let units = self.plan_statement(&raw, &prepared.source, &mut params)?;
        if let Some((.., before)) = &*prepared.plan.lock()
            && !same_result(before, &units)
        {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "cached plan must not change result type"));
        }
        if !own_changes {
            *prepared.plan.lock() = Some((generation, self.plan_key, Arc::clone(&units)));
        }
        Ok(units)
    }

    pub(super) fn analyze_and_rewrite(
        &mut self,
        raw: &RawStmt,
        source: &str,
        params: &mut ParamTypes,
    ) -> Result<Vec<Query>> {
        let catalog = self.cx.catalog.clone();
        let mut lock = executor::relation_locker(&self.cx)?;
        let mut cx = AnalyzeContext::new(catalog, &mut self.cx);
        cx.lock = Some(&mut lock);
        let query = analyze::analyze(&mut cx, raw, source, params)?;
        if query.command_type == CmdType::Utility { Ok(vec![query]) } else { analyze::rewrite(&mut cx, query) }
    }

    pub(super) fn plan_query(&mut self, query: Query) -> Result<Unit> {
        if query.command_type == CmdType::Utility {
            let stmt = query.utility.ok_or_else(|| PgError::internal("a utility query without its statement"))?;
            return Ok(Unit::Utility(stmt));
        }
        executor::plan_query(&mut self.cx, query, &PlanOptions::default()).map(|p| Unit::Plan(Arc::new(p)))
    }

    /// Runs a plan to its end, sending its rows.
    pub(super) fn run_plan(&mut self, planned: &Arc<PlannedStmt>, params: Arc<[Datum]>) -> Result<u64> {
        let options = StartOptions { params, snapshot: self.cx.snapshot.clone(), ..StartOptions::default() };
        let mut execution = Execution::start(Arc::clone(planned), &mut self.cx, options)?;
        let mut sender = Sender::described(&mut self.conn, &[], planned);
        let sent = execution.run(&mut self.cx, 0, &mut sender)?;
        execution.finish(&mut self.cx)?;
        let returns = planned.command_type == CmdType::Select;
        Ok(if returns { sent } else { execution.processed() })
    }
}

/// Do two plans of a statement return the same columns?
fn same_result(a: &[Unit], b: &[Unit]) -> bool {
    let ([a], [b]) = (a, b) else { return true };
    match (a.result_desc(), b.result_desc()) {
        (Some(a), Some(b)) => {
            let key = |d: &types::Attribute| (d.name.clone(), d.type_oid, d.typmod, d.collation);
            a.len() == b.len() && a.attrs.iter().zip(&b.attrs).all(|(a, b)| key(a) == key(b))
        }
        (a, b) => a.is_some() == b.is_some(),
    }
}

/// Sends rows as they come.
pub(super) struct Sender<'a> {
    conn: &'a mut Connection,
    formats: &'a [Format],
    /// The simple protocol describes rows before the first; in the extended one Describe did.
    describe: Option<&'a PlannedStmt>,
    writer: Option<RowWriter>,
}

impl<'a> Sender<'a> {
    pub fn described(conn: &'a mut Connection, formats: &'a [Format], planned: &'a PlannedStmt) -> Sender<'a> {
        Sender { conn, formats, describe: Some(planned), writer: None }
    }
    pub fn plain(conn: &'a mut Connection, formats: &'a [Format], writer: Option<RowWriter>) -> Sender<'a> {
        Sender { conn, formats, describe: None, writer }
    }
    /// For the portal's next round.
    pub fn into_writer(self) -> Option<RowWriter> {
        self.writer
    }
}

/// Tables and columns that result columns come from.
pub(super) fn origins(planned: &PlannedStmt) -> Vec<(Oid, i16)> {
    let visible = planned.plan.targetlist.iter().filter(|t| !t.resjunk);
    visible.map(|t| (t.resorigtbl, t.resorigcol)).collect()
}

impl Destination for Sender<'_> {
    fn start(&mut self, cx: &mut ExecContext, desc: &Arc<TupleDesc>) -> Result<()> {
        if let Some(planned) = self.describe {
            super::rows::describe(desc, &origins(planned), self.formats, &mut self.conn.out);
        }
        if self.writer.is_none() {
            self.writer = Some(RowWriter::new(cx, desc, self.formats)?);
        }
        Ok(())
    }
    fn receive(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<bool> {
        let Some(writer) = &mut self.writer else { return Ok(true) };
        writer.write(cx, batch, &mut self.conn.out)?;
        let interrupt = cx.interrupt().clone();
        self.conn.flush_if_full(&interrupt)?;
        Ok(true)
    }
}

/// The command tag of a plan.
pub(super) fn plan_tag(planned: &PlannedStmt, rows: u64) -> String {
    match planned.command_type {
        CmdType::Select => format!("SELECT {rows}"),
        CmdType::Insert => format!("INSERT 0 {rows}"),
        CmdType::Update => format!("UPDATE {rows}"),
        CmdType::Delete => format!("DELETE {rows}"),
        CmdType::Merge => format!("MERGE {rows}"),
        CmdType::Utility => String::new(),
    }
}
