//! EXPLAIN: the plan of a statement, with ANALYZE after running it. (PostgreSQL: `explain.c`)

use std::sync::Arc;
use std::time::Instant;

use analyze::ParamTypes;
use analyze::query::{CmdType, Query};
use base::guc::{self, Flags, Guc};
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use executor::explain::{ExplainFormat, ExplainOptions, Serialization, explain};
use executor::{Destination, ExecContext, Execution, StartOptions};
use parser::ast::{CreateTableAsStmt, DefElem, ExplainStmt, Statement};
use planner::{PlanOptions, PlannedStmt};
use storage::BufferUsage;
use types::oid::{JSONOID, TEXTOID, XMLOID};
use types::{Align, Attribute, Batch, Column, Datum, DatumRef, Physical, Runtime, TupleDesc};

use crate::{CommandContext, Outcome, create_table_as, options, query};

fn on(option: &DefElem) -> Result<bool> {
    if option.arg.is_none() {
        return Ok(true);
    }
    base::guc::boolean(&options::text(option)).ok_or_else(|| {
        PgError::new(SYNTAX_ERROR, format!("{} requires a Boolean value", option.defname)).at(option.location)
    })
}

/// SERIALIZE's argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Serialize {
    Text,
    Binary,
}

/// What EXPLAIN was asked for.
struct Wanted {
    show: ExplainOptions,
    serialize: Option<Serialize>,
    generic_plan: bool,
}

fn parse(cmd: &CommandContext<'_>, list: &[DefElem]) -> Result<Wanted> {
    let mut out = ExplainOptions::default();
    let (mut timing, mut summary, mut buffers) = (None, None, None);
    let (mut serialize, mut generic_plan, mut memory, mut settings) = (None, false, false, false);
    let unrecognized = |option: &DefElem, value: &str| {
        let text = format!("unrecognized value for EXPLAIN option \"{}\": \"{value}\"", option.defname);
        Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(option.location))
    };
    for option in list {
        match option.defname.as_str() {
            "analyze" => out.analyze = on(option)?,
            "verbose" => out.verbose = on(option)?,
            "costs" => out.costs = on(option)?,
            "buffers" => buffers = Some(on(option)?),
            "timing" => timing = Some(on(option)?),
            "summary" => summary = Some(on(option)?),
            "memory" => memory = on(option)?,
            "settings" => settings = on(option)?,
            "generic_plan" => generic_plan = on(option)?,
            "serialize" if option.arg.is_none() => serialize = Some(Serialize::Text),
            "serialize" => {
                serialize = match options::text(option).as_str() {
                    "off" | "none" => None,
                    "text" => Some(Serialize::Text),
                    "binary" => Some(Serialize::Binary),
                    other => return unrecognized(option, other),
                }
            }
            "format" => {
                out.format = match options::text(option).as_str() {
                    "text" => ExplainFormat::Text,
                    "json" => ExplainFormat::Json,
                    "xml" => ExplainFormat::Xml,
                    "yaml" => ExplainFormat::Yaml,
                    other => return unrecognized(option, other),
                }
            }
            "wal" => {
                if on(option)? {
                    return Err(PgError::unsupported("EXPLAIN (WAL)"));
                }
            }
            other => {
                let text = format!("unrecognized EXPLAIN option \"{other}\"");
                return Err(PgError::new(SYNTAX_ERROR, text).at(option.location));
            }
        }
    }
    for (wanted, name) in [(timing == Some(true), "TIMING"), (serialize.is_some(), "SERIALIZE")] {
        if wanted && !out.analyze {
            let text = format!("EXPLAIN option {name} requires ANALYZE");
            return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
        }
    }
    if generic_plan && out.analyze {
        let text = "EXPLAIN options ANALYZE and GENERIC_PLAN cannot be used together";
        return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
    }
    out.timing = timing.unwrap_or(out.analyze);
    out.summary = summary.unwrap_or(out.analyze);
    out.buffers = buffers.unwrap_or(out.analyze);
    out.memory = memory.then_some((0, 0));
    let values = cmd.session.values();
    out.settings = settings.then(|| changed_settings(values));
    out.io_timing = values.bool(guc::TRACK_IO_TIMING);
    Ok(Wanted { show: out, serialize, generic_plan })
}

/// The settings that decide about plans, where they are not what they are by default. (PostgreSQL: `get_explain_guc_options`)
fn changed_settings(values: &guc::Values) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for i in 0..guc::LIST.len() {
        let g = Guc(i as u16);
        let def = g.def();
        if def.flags.has(Flags::EXPLAIN) && guc::Values::default().get(g) != values.get(g) {
            out.push((g.name().to_owned(), values.show(g)));
        }
    }
    out
}

/// The one column, of the format's type.
pub fn result_desc(stmt: &ExplainStmt) -> Arc<TupleDesc> {
    let format = stmt.options.iter().rev().find(|o| o.defname == "format").map(options::text);
    let type_oid = match format.as_deref() {
        Some("json") => JSONOID,
        Some("xml") => XMLOID,
        _ => TEXTOID,
    };
    let mut a = Attribute::new("QUERY PLAN", type_oid, -1, false, Align::Int);
    if type_oid == TEXTOID {
        a.collation = types::oid::DEFAULT_COLLATION;
    }
    Arc::new(TupleDesc::new(vec![a]))
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &ExplainStmt) -> Result<Outcome> {
    let wanted = parse(cmd, &stmt.options)?;
    let mut texts = Vec::new();
    let mut params = if wanted.generic_plan { ParamTypes::Variable(Vec::new()) } else { ParamTypes::None };
    for q in query::rewrite_with(cmd, &stmt.query, &mut params)? {
        texts.push(one(cmd, q, &wanted)?);
    }
    Ok(outcome(stmt, wanted.show.format, texts))
}

/// EXPLAIN of plans that the session knows: EXECUTE, or with `into` CREATE TABLE AS EXECUTE, whose table is not there yet.
pub fn plans(
    cmd: &mut CommandContext<'_>,
    stmt: &ExplainStmt,
    plans: &[Arc<PlannedStmt>],
    into: Option<&CreateTableAsStmt>,
    params: Arc<[Datum]>,
    planning: (f64, BufferUsage),
) -> Result<Outcome> {
    let wanted = parse(cmd, &stmt.options)?;
    let mut texts = Vec::new();
    executor::lock_plan_relations(cmd.cx, plans.iter().map(|p| &**p))?;
    for planned in plans {
        texts.push(explain_plan(cmd, planned, &wanted, into, Arc::clone(&params), planning)?);
    }
    Ok(outcome(stmt, wanted.show.format, texts))
}

fn outcome(stmt: &ExplainStmt, format: ExplainFormat, texts: Vec<Vec<String>>) -> Outcome {
    let mut lines = Vec::new();
    for (i, text) in texts.into_iter().enumerate() {
        if i > 0 && format == ExplainFormat::Text {
            lines.push(String::new());
        }
        lines.extend(text);
    }
    // Formats other than text are one value.
    let rows = match format {
        ExplainFormat::Text => lines.iter().flat_map(|l| l.split('\n')).map(str::to_owned).collect(),
        _ => vec![lines.join("\n")],
    };
    let mut column = Column::new(Physical::Bytes);
    rows.iter().for_each(|r: &String| column.push(Datum::text(r).as_ref()));
    let batch = Batch { rows: rows.len(), columns: vec![Arc::new(column)], selection: None };
    Outcome { tag: "EXPLAIN".into(), result: Some((result_desc(stmt), vec![batch])) }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn one(cmd: &mut CommandContext<'_>, q: Query, wanted: &Wanted) -> Result<Vec<String>> {
    if q.command_type == CmdType::Utility {
        return utility(cmd, q, wanted);
    }
    planned(cmd, q, wanted, &PlanOptions::default(), None)
}

/// EXPLAIN of a statement that carries a query. (PostgreSQL: `ExplainOneUtility`)
fn utility(cmd: &mut CommandContext<'_>, q: Query, wanted: &Wanted) -> Result<Vec<String>> {
    let stmt = q.utility.ok_or_else(|| PgError::internal("a utility query without its statement"))?;
    match &*stmt {
        Statement::CreateTableAs(c) => {
            if create_table_as::exists(cmd, c)? {
                return Ok(Vec::new());
            }
            let mut queries = query::rewrite(cmd, &c.query)?;
            let Some(q) = queries.pop() else { return Ok(Vec::new()) };
            planned(cmd, q, wanted, &PlanOptions::default(), Some(c))
        }
        Statement::DeclareCursor(d) => {
            use parser::ast::cursor_opt;
            let inner = Statement::Select(d.query.clone());
            let Some(q) = query::rewrite(cmd, &inner)?.pop() else { return Ok(Vec::new()) };
            analyze::check_cursor(&q, d.options)?;
            let fraction = cmd.cx.cost.cursor_tuple_fraction;
            let tuple_fraction = if fraction >= 1.0 { 0.0 } else { fraction.max(1e-10) };
            let scroll = d.options & cursor_opt::SCROLL != 0;
            planned(cmd, q, wanted, &PlanOptions { tuple_fraction, scroll, ..PlanOptions::default() }, None)
        }
        _ => Ok(vec!["Utility statements have no plan structure".to_owned()]),
    }
}

fn planned(
    cmd: &mut CommandContext<'_>,
    q: Query,
    wanted: &Wanted,
    options: &PlanOptions,
    into: Option<&CreateTableAsStmt>,
) -> Result<Vec<String>> {
    let (start, before) = (Instant::now(), BufferUsage::of_this_thread());
    let planned = Arc::new(executor::plan_query(cmd.cx, q, options)?);
    let planning = (milliseconds(start), BufferUsage::of_this_thread().since(before));
    explain_plan(cmd, &planned, wanted, into, Arc::default(), planning)
}

/// The size of a plan's text in memory, about what planning has made. There is no account of what it threw away again.
fn plan_kilobytes(planned: &PlannedStmt) -> (u64, u64) {
    fn nodes(p: &planner::Plan) -> usize {
        1 + p.targetlist.len() + p.qual.len() + p.children().into_iter().map(nodes).sum::<usize>()
    }
    let nodes = nodes(&planned.plan) + planned.subplans.iter().map(nodes).sum::<usize>();
    let used = (nodes * std::mem::size_of::<planner::Plan>()).div_ceil(1024) as u64 + 1;
    (used, used.next_power_of_two().max(8))
}

fn explain_plan(
    cmd: &mut CommandContext<'_>,
    planned: &Arc<PlannedStmt>,
    wanted: &Wanted,
    into: Option<&CreateTableAsStmt>,
    params: Arc<[Datum]>,
    planning: (f64, BufferUsage),
) -> Result<Vec<String>> {
    let mut show = wanted.show.clone();
    show.memory = show.memory.map(|_| plan_kilobytes(planned));
    if !show.analyze {
        return explain(cmd.cx, planned, None, &show, planning, None, None);
    }
    let table = into.map(|c| create_table_as::create(cmd, c, &planned.result_desc)).transpose()?;
    let start = Instant::now();
    let begin = StartOptions { snapshot: cmd.cx.snapshot.clone(), instrument: true, params, ..StartOptions::default() };
    let mut execution = Execution::start(Arc::clone(planned), cmd.cx, begin)?;
    let mut serialization = wanted.serialize.map(|s| Serialization {
        format: if s == Serialize::Binary { "binary" } else { "text" },
        ..Serialization::default()
    });
    match (table, into, &mut serialization) {
        (Some(_), Some(c), _) if c.into.skip_data => execution.finish(cmd.cx)?,
        (Some(table), ..) => drop(create_table_as::run_into(cmd.cx, table, &mut execution)?),
        (None, _, sum) => {
            let mut rows = Rows { sum: sum.take(), columns: Vec::new() };
            execution.run(cmd.cx, 0, &mut rows)?;
            execution.finish(cmd.cx)?;
            *sum = rows.sum;
        }
    }
    let time = milliseconds(start);
    explain(cmd.cx, planned, Some(&execution), &show, planning, Some(time), serialization)
}

/// Throws rows away, after turning them into what a client would get if that was asked for.
struct Rows {
    sum: Option<Serialization>,
    /// Output functions and their result types.
    columns: Vec<Oid>,
}

impl Destination for Rows {
    fn start(&mut self, cx: &mut ExecContext, desc: &Arc<TupleDesc>) -> Result<()> {
        let Some(sum) = &self.sum else { return Ok(()) };
        for a in &desc.attrs {
            let info = cx.type_info(a.type_oid)?;
            self.columns.push(if sum.format == "binary" { info.send } else { info.output });
        }
        Ok(())
    }
    fn receive(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<bool> {
        let Some(sum) = &mut self.sum else { return Ok(true) };
        let (start, before) = (Instant::now(), BufferUsage::of_this_thread());
        for i in batch.selected().iter() {
            // A DataRow message: kind, length, number of columns, and four bytes of length for each of these.
            sum.bytes += 7 + 4 * self.columns.len() as u64;
            for (function, column) in self.columns.iter().zip(&batch.columns) {
                let value = match column.get(i) {
                    DatumRef::Null => continue,
                    DatumRef::Toasted(t) => Datum::bytes(cx.detoast(t)?),
                    plain => plain.to_owned(),
                };
                sum.bytes += cx.call(*function, Oid::INVALID, &[value.as_ref()])?.as_ref().as_bytes().len() as u64;
            }
        }
        sum.milliseconds += milliseconds(start);
        let used = BufferUsage::of_this_thread().since(before);
        sum.buffers.hit += used.hit;
        sum.buffers.read += used.read;
        Ok(true)
    }
}
