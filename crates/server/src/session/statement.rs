//! Text to plans, and the cache of plans that sessions share.
//!
//! A cached plan belongs to a text in a database under certain planner settings and search path (`plan_key`), and is valid
//! while the catalogs have not changed since it was made. A transaction that changed catalogs itself plans anew.

use std::sync::Arc;

use analyze::query::{CmdType, Query};
use analyze::{AnalyzeContext, ParamTypes};
use base::sqlstate::FEATURE_NOT_SUPPORTED;
use base::{Oid, PgError, Result};
use executor::{Destination, ExecContext};
use hashbrown::{Equivalent, HashMap};
use parking_lot::Mutex;
use parser::ast::{RawStmt, Statement};
use planner::{PlanOptions, PlannedStmt};
use types::{Batch, Datum, Runtime, TupleDesc};

use super::Session;
use super::constants::Shape;
use super::plan_choice::{Choice, plan_cost};
use super::rows::RowWriter;
use crate::protocol::{Connection, Format};

/// What one statement became.
#[derive(Clone)]
pub(super) enum Unit {
    Plan(Arc<PlannedStmt>),
    Utility(Arc<Statement>),
    /// Rules left nothing to do, or nothing that counts; with the tag to report.
    Nothing(&'static str),
}

impl Unit {
    pub fn result_desc(&self) -> Option<Arc<TupleDesc>> {
        match self {
            Unit::Plan(p) if p.command_type == CmdType::Select || p.has_returning => Some(Arc::clone(&p.result_desc)),
            _ => None,
        }
    }
}

/// A parsed and analyzed text. Sessions that prepare the same text share it, and its plan.
pub struct Parsed {
    pub(super) source: Arc<str>,
    /// `None` for an empty text.
    pub(super) raw: Option<Arc<RawStmt>>,
    pub(super) param_types: Vec<Oid>,
    /// Types of the result's columns; `None` where there is no result.
    pub(super) result_types: Option<Vec<Oid>>,
    /// The generic plan, with the catalog generation and plan key it was made under.
    plan: Mutex<Option<(u64, u64, GenericPlan)>>,
}

impl Parsed {
    /// Of what the text was analyzed and rewritten to.
    pub(super) fn new(
        source: Arc<str>,
        raw: Option<Arc<RawStmt>>,
        param_types: Vec<Oid>,
        queries: &[Query],
    ) -> Parsed {
        let list = match queries {
            [q] if q.command_type == CmdType::Select => Some(&q.target_list),
            [q] if !q.returning_list.is_empty() => Some(&q.returning_list),
            _ => None,
        };
        let result_types =
            list.map(|l| l.iter().filter(|t| !t.resjunk).map(|t| t.expr.type_oid()).collect::<Vec<Oid>>());
        Parsed { source, raw, param_types, result_types, plan: Mutex::new(None) }
    }
}

/// A plan for any values of the parameters.
#[derive(Clone)]
pub(super) struct GenericPlan {
    pub units: Arc<[Unit]>,
    /// No values would give another plan.
    pub any_values: bool,
    pub cost: f64,
    /// What it was planned from, for custom plans.
    pub queries: Option<(CmdType, Arc<[Query]>)>,
}

/// A statement as Parse or PREPARE leaves it.
pub struct Prepared {
    pub(super) name: String,
    pub(super) statement: Arc<Parsed>,
    /// By PREPARE rather than Parse.
    pub(super) from_sql: bool,
    pub(super) prepared_at: i64,
    pub(super) choice: Choice,
}

impl Prepared {
    pub(super) fn new(name: &str, statement: Arc<Parsed>, from_sql: bool, prepared_at: i64) -> Prepared {
        let counts = (!name.is_empty()).then(Arc::default);
        let choice = Choice::new(counts);
        Prepared { name: name.to_owned(), statement, from_sql, prepared_at, choice }
    }
}

/// What a text means depends on these.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    text: Box<str>,
    /// Of the parameters, as far as the client gave them.
    types: Box<[Oid]>,
    database: Oid,
    plan_key: u64,
}

/// A [`Key`] to look up, without owning its parts.
#[derive(Clone, Copy, Hash)]
struct KeyRef<'a> {
    text: &'a str,
    types: &'a [Oid],
    database: Oid,
    plan_key: u64,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.text == *key.text
            && *self.types == *key.types
            && (self.database, self.plan_key) == (key.database, key.plan_key)
    }
}

/// Things made from texts, with the catalog generation under which they were.
struct TextCache<T>(Mutex<HashMap<Key, (u64, T)>>);

impl<T> Default for TextCache<T> {
    fn default() -> TextCache<T> {
        TextCache(Mutex::default())
    }
}

/// Longer texts are hardly ever repeated.
const CACHED_TEXT: usize = 16 << 10;
const CACHED_PLANS: usize = 4096;

impl<T: Clone> TextCache<T> {
    fn get(&self, key: KeyRef<'_>, generation: u64) -> Option<T> {
        if key.text.len() > CACHED_TEXT {
            return None;
        }
        let map = self.0.lock();
        let (made, value) = map.get(&key)?;
        (*made == generation).then(|| value.clone())
    }
    fn put(&self, key: KeyRef<'_>, generation: u64, value: T) {
        if key.text.len() > CACHED_TEXT {
            return;
        }
        let KeyRef { text, types, database, plan_key } = key;
        let mut map = self.0.lock();
        if map.len() >= CACHED_PLANS {
            // Stale ones first; if all are fresh, start over: what is in use comes back at once.
            map.retain(|_, (made, _)| *made == generation);
            if map.len() >= CACHED_PLANS {
                map.clear();
            }
        }
        map.insert(Key { text: text.into(), types: types.into(), database, plan_key }, (generation, value));
    }
}

/// Plans by text, for all sessions.
#[derive(Default)]
pub struct PlanCache {
    plans: TextCache<Arc<[Unit]>>,
    /// What Parse made.
    statements: TextCache<Arc<Parsed>>,
    /// By a text's shape.
    shapes: TextCache<Shape>,
}

impl Session {
    /// Looks a text up among the shared plans. Only plain single statements are there.
    pub(super) fn cached_plan(&self, text: &str) -> Option<Arc<[Unit]>> {
        if self.cx.catalog.has_changes() {
            return None;
        }
        let generation = self.cx.catalog.shared().generation();
        self.cluster.plans.plans.get(self.text_key(text, &[]), generation)
    }

    fn text_key<'a>(&self, text: &'a str, types: &'a [Oid]) -> KeyRef<'a> {
        KeyRef { text, types, database: self.cx.settings.database, plan_key: self.plan_key() }
    }

    pub(super) fn known_shape(&self, shape: &str) -> Option<Shape> {
        if self.cx.catalog.has_changes() {
            return None;
        }
        let generation = self.cx.catalog.shared().generation();
        self.cluster.plans.shapes.get(self.text_key(shape, &[]), generation)
    }

    /// `generation` is that of the catalogs before the text was analyzed.
    pub(super) fn learn_shape(&self, shape: &str, generation: u64, what: Shape) {
        if !self.cx.catalog.has_changes() {
            self.cluster.plans.shapes.put(self.text_key(shape, &[]), generation, what);
        }
    }

    /// What Parse made of the same text before, here or in another session.
    pub(super) fn cached_statement(&self, text: &str, types: &[Oid]) -> Option<Arc<Parsed>> {
        if self.cx.catalog.has_changes() {
            return None;
        }
        let generation = self.cx.catalog.shared().generation();
        self.cluster.plans.statements.get(self.text_key(text, types), generation)
    }

    /// Leaves a statement for others with the same text. `generation` is that of the catalogs before it was analyzed.
    pub(super) fn share_statement(&self, text: &str, types: &[Oid], generation: u64, statement: &Arc<Parsed>) {
        if !self.cx.catalog.has_changes() {
            self.cluster.plans.statements.put(self.text_key(text, types), generation, Arc::clone(statement));
        }
    }

    /// Analyzes, rewrites and plans one raw statement.
    pub(super) fn plan_statement(
        &mut self,
        raw: &RawStmt,
        source: &str,
        params: &mut ParamTypes,
    ) -> Result<Arc<[Unit]>> {
        let (command, queries) = self.queries_of(raw, source, params)?;
        self.plan_queries(command, queries)
    }

    /// What a raw statement is rewritten to, and the kind of command it was.
    pub(super) fn queries_of(
        &mut self,
        raw: &RawStmt,
        source: &str,
        params: &mut ParamTypes,
    ) -> Result<(CmdType, Vec<Query>)> {
        let command = match raw.stmt {
            Statement::Insert(_) => CmdType::Insert,
            Statement::Update(_) => CmdType::Update,
            Statement::Delete(_) => CmdType::Delete,
            _ => CmdType::Select,
        };
        Ok((command, self.analyze_and_rewrite(raw, source, params)?))
    }

    /// As `plan_statement`, leaving the plan for others with the same text.
    pub(super) fn plan_text(&mut self, raw: &RawStmt, source: &str) -> Result<Arc<[Unit]>> {
        let generation = self.cx.catalog.shared().generation();
        let units = self.plan_statement(raw, source, &mut ParamTypes::None)?;
        self.share_plan(source, generation, &units);
        Ok(units)
    }

    /// As `plan_text`, of what the analyzer made of it under that generation of the catalogs.
    pub(super) fn plan_analyzed(&mut self, query: Query, source: &str, generation: u64) -> Result<Arc<[Unit]>> {
        let units = self.rewrite_and_plan(query)?;
        self.share_plan(source, generation, &units);
        Ok(units)
    }

    fn share_plan(&self, source: &str, generation: u64, units: &Arc<[Unit]>) {
        let plain = units.iter().all(|u| matches!(u, Unit::Plan(p) if is_shareable(p)));
        if plain && !self.cx.catalog.has_changes() {
            self.cluster.plans.plans.put(self.text_key(source, &[]), generation, Arc::clone(units));
        }
    }

    /// Plans what a statement was rewritten to. If none of it tells what was done, as under INSTEAD NOTHING, nothing was.
    pub(super) fn plan_queries(&mut self, command: CmdType, queries: Vec<Query>) -> Result<Arc<[Unit]>> {
        self.plan_queries_with(command, queries, &PlanOptions::default())
    }

    pub(super) fn plan_queries_with(
        &mut self,
        command: CmdType,
        queries: Vec<Query>,
        options: &PlanOptions,
    ) -> Result<Arc<[Unit]>> {
        let silent = !queries.iter().any(|q| q.can_set_tag);
        let mut units =
            queries.into_iter().map(|q| self.plan_query_with(q, options)).collect::<Result<Vec<Unit>>>()?;
        match command {
            CmdType::Insert if silent => units.push(Unit::Nothing("INSERT 0 0")),
            CmdType::Update if silent => units.push(Unit::Nothing("UPDATE 0")),
            CmdType::Delete if silent => units.push(Unit::Nothing("DELETE 0")),
            _ => {}
        }
        Ok(units.into())
    }

    pub(super) fn rewrite_and_plan(&mut self, query: Query) -> Result<Arc<[Unit]>> {
        let command = query.command_type;
        let queries = match query.command_type {
            CmdType::Utility => vec![query],
            _ => {
                let catalog = self.cx.catalog.clone();
                let mut lock = executor::relation_locker(&self.cx)?;
                let mut cx = AnalyzeContext::new(catalog, &mut self.cx);
                cx.lock = Some(&mut lock);
                analyze::rewrite(&mut cx, query)?
            }
        };
        self.plan_queries(command, queries)
    }

    /// The generic plan of a prepared statement.
    pub(super) fn plan_prepared(&mut self, prepared: &Parsed) -> Result<Arc<[Unit]>> {
        self.generic_plan(prepared).map(|p| p.units)
    }

    /// The generic plan; made anew when the catalogs or settings it relied on have changed.
    pub(super) fn generic_plan(&mut self, prepared: &Parsed) -> Result<GenericPlan> {
        let Some(raw) = prepared.raw.clone() else {
            return Ok(GenericPlan { units: Arc::from([]), any_values: true, cost: 0.0, queries: None });
        };
        let generation = self.cx.catalog.shared().generation();
        let own_changes = self.cx.catalog.has_changes();
        if !own_changes
            && let Some((g, k, plan)) = &*prepared.plan.lock()
            && (*g, *k) == (generation, self.plan_key())
        {
            return Ok(plan.clone());
        }
        let mut params = ParamTypes::Fixed(prepared.param_types.clone());
        let (command, queries) = self.queries_of(&raw, &prepared.source, &mut params)?;
        let kept = (!prepared.param_types.is_empty()).then(|| queries.clone());
        let units = self.plan_queries(command, queries)?;
        let mut any_values = true;
        for unit in units.iter() {
            if let Unit::Plan(p) = unit {
                any_values = any_values && planner::suits_any_values(&self.cx.catalog, p)?;
            }
        }
        let plan = GenericPlan {
            any_values,
            cost: plan_cost(&units, None),
            queries: kept.filter(|_| !any_values).map(|q| (command, q.into())),
            units,
        };
        if let Some((.., before)) = &*prepared.plan.lock()
            && !same_result(&before.units, &plan.units)
        {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "cached plan must not change result type"));
        }
        let shareable = plan.units.iter().all(|u| matches!(u, Unit::Plan(p) if is_shareable(p)));
        if !own_changes && shareable {
            *prepared.plan.lock() = Some((generation, self.plan_key(), plan.clone()));
        }
        Ok(plan)
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

    pub(super) fn plan_query_with(&mut self, query: Query, options: &PlanOptions) -> Result<Unit> {
        if query.command_type == CmdType::Utility {
            let stmt = query.utility.ok_or_else(|| PgError::internal("a utility query without its statement"))?;
            return Ok(Unit::Utility(stmt));
        }
        executor::plan_query(&mut self.cx, query, options).map(|p| Unit::Plan(Arc::new(p)))
    }

    /// Runs a plan to its end, sending its rows. `again`: it will probably be run again.
    pub(super) fn run_plan(&mut self, planned: &Arc<PlannedStmt>, params: Arc<[Datum]>, again: bool) -> Result<u64> {
        let mut running = self.start_plan(planned, params, &[])?;
        let mut sender = Sender::described(&mut self.conn, &[], planned, &mut running.writer);
        let sent = running.execution.run(&mut self.cx, 0, &mut sender)?;
        running.execution.finish(&mut self.cx)?;
        let returns = planned.command_type == CmdType::Select;
        let rows = if returns { sent } else { running.execution.processed() };
        if again {
            self.rest_execution(running)?;
        }
        Ok(rows)
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

/// May others with the same text use it?
pub(super) fn is_shareable(planned: &PlannedStmt) -> bool {
    !planned.transient && !planned.depends_on_role
}

/// Sends rows as they come.
pub(super) struct Sender<'a> {
    conn: &'a mut Connection,
    formats: &'a [Format],
    /// The simple protocol describes rows before the first; in the extended one Describe did.
    describe: Option<&'a PlannedStmt>,
    /// Made when it is first needed, and kept for the portal's next round.
    writer: &'a mut Option<RowWriter>,
}

impl<'a> Sender<'a> {
    pub fn described(
        conn: &'a mut Connection,
        formats: &'a [Format],
        planned: &'a PlannedStmt,
        writer: &'a mut Option<RowWriter>,
    ) -> Sender<'a> {
        Sender { conn, formats, describe: Some(planned), writer }
    }
    pub fn plain(conn: &'a mut Connection, formats: &'a [Format], writer: &'a mut Option<RowWriter>) -> Sender<'a> {
        Sender { conn, formats, describe: None, writer }
    }
}

/// Tables and columns that result columns come from.
pub(super) fn origins(planned: &PlannedStmt) -> impl Iterator<Item = (Oid, i16)> {
    let visible = planned.plan.targetlist.iter().filter(|t| !t.resjunk);
    visible.map(|t| (t.resorigtbl, t.resorigcol))
}

impl Destination for Sender<'_> {
    fn start(&mut self, cx: &mut ExecContext, desc: &Arc<TupleDesc>) -> Result<()> {
        if let Some(planned) = self.describe {
            super::rows::describe(&cx.catalog, desc, origins(planned), self.formats, &mut self.conn.out);
        }
        if self.writer.is_none() {
            *self.writer = Some(RowWriter::new(cx, desc, self.formats)?);
        }
        Ok(())
    }
    fn receive(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<bool> {
        let Some(writer) = self.writer else { return Ok(true) };
        writer.write(cx, batch, &mut self.conn.out)?;
        let interrupt = cx.interrupt().clone();
        self.conn.flush_if_full(&interrupt)?;
        Ok(true)
    }
}

/// The command tag of a plan.
pub(super) fn plan_tag(planned: &PlannedStmt, rows: u64) -> String {
    match planned.command_type {
        CmdType::Select if rows == 1 => "SELECT 1".to_owned(),
        CmdType::Select => format!("SELECT {rows}"),
        CmdType::Insert => format!("INSERT 0 {rows}"),
        CmdType::Update => format!("UPDATE {rows}"),
        CmdType::Delete => format!("DELETE {rows}"),
        CmdType::Merge => format!("MERGE {rows}"),
        CmdType::Utility => String::new(),
    }
}
