//! EXPLAIN: the plan of a statement, with ANALYZE after running it. (PostgreSQL: `explain.c`)

use std::sync::Arc;
use std::time::Instant;

use analyze::query::{CmdType, Query};
use base::sqlstate::*;
use base::{PgError, Result};
use executor::explain::{ExplainFormat, ExplainOptions, explain};
use executor::{Execution, StartOptions};
use parser::ast::{DefElem, ExplainStmt};
use planner::PlanOptions;
use storage::BufferUsage;
use types::oid::{JSONOID, TEXTOID, XMLOID};
use types::{Align, Attribute, Batch, Column, Datum, Physical, TupleDesc};

use crate::{CommandContext, Outcome, options, query};

fn on(option: &DefElem) -> Result<bool> {
    if option.arg.is_none() {
        return Ok(true);
    }
    base::guc::boolean(&options::text(option)).ok_or_else(|| {
        PgError::new(SYNTAX_ERROR, format!("{} requires a Boolean value", option.defname)).at(option.location)
    })
}

fn parse(list: &[DefElem]) -> Result<ExplainOptions> {
    let mut out = ExplainOptions::default();
    let (mut timing, mut summary, mut buffers) = (None, None, None);
    for option in list {
        match option.defname.as_str() {
            "analyze" => out.analyze = on(option)?,
            "verbose" => out.verbose = on(option)?,
            "costs" => out.costs = on(option)?,
            "buffers" => buffers = Some(on(option)?),
            "timing" => timing = Some(on(option)?),
            "summary" => summary = Some(on(option)?),
            "format" => {
                out.format = match options::text(option).as_str() {
                    "text" => ExplainFormat::Text,
                    "json" => ExplainFormat::Json,
                    "xml" => ExplainFormat::Xml,
                    "yaml" => ExplainFormat::Yaml,
                    other => {
                        let text = format!("unrecognized value for EXPLAIN option \"format\": \"{other}\"");
                        return Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(option.location));
                    }
                }
            }
            name @ ("wal" | "settings" | "memory" | "serialize" | "generic_plan") => {
                if on(option).unwrap_or(true) {
                    return Err(PgError::unsupported(format!("EXPLAIN ({})", name.to_uppercase())));
                }
            }
            other => {
                let text = format!("unrecognized EXPLAIN option \"{other}\"");
                return Err(PgError::new(SYNTAX_ERROR, text).at(option.location));
            }
        }
    }
    if timing == Some(true) && !out.analyze {
        return Err(PgError::new(INVALID_PARAMETER_VALUE, "EXPLAIN option TIMING requires ANALYZE"));
    }
    out.timing = timing.unwrap_or(out.analyze);
    out.summary = summary.unwrap_or(out.analyze);
    out.buffers = buffers.unwrap_or(out.analyze);
    Ok(out)
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
    let options = parse(&stmt.options)?;
    let desc = result_desc(stmt);
    let mut lines = Vec::new();
    for (i, q) in query::rewrite(cmd, &stmt.query)?.into_iter().enumerate() {
        if i > 0 && options.format == ExplainFormat::Text {
            lines.push(String::new());
        }
        lines.extend(one(cmd, q, &options)?);
    }
    // Formats other than text are one value.
    let rows = match options.format {
        ExplainFormat::Text => lines.iter().flat_map(|l| l.split('\n')).map(str::to_owned).collect(),
        _ => vec![lines.join("\n")],
    };
    let mut column = Column::new(Physical::Bytes);
    rows.iter().for_each(|r: &String| column.push(Datum::text(r).as_ref()));
    let batch = Batch { rows: rows.len(), columns: vec![Arc::new(column)], selection: None };
    Ok(Outcome { tag: "EXPLAIN".into(), result: Some((desc, vec![batch])) })
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn one(cmd: &mut CommandContext<'_>, q: Query, options: &ExplainOptions) -> Result<Vec<String>> {
    if q.command_type == CmdType::Utility {
        return Err(PgError::unsupported("EXPLAIN of this statement"));
    }
    let (start, before) = (Instant::now(), BufferUsage::of_this_thread());
    let planned = Arc::new(executor::plan_query(cmd.cx, q, &PlanOptions::default())?);
    let planning = (milliseconds(start), BufferUsage::of_this_thread().since(before));
    if !options.analyze {
        return explain(cmd.cx, &planned, None, options, planning, None);
    }
    let start = Instant::now();
    let begin = StartOptions { snapshot: cmd.cx.snapshot.clone(), instrument: true, ..StartOptions::default() };
    let mut execution = Execution::start(Arc::clone(&planned), cmd.cx, begin)?;
    execution.run(cmd.cx, 0, &mut ())?;
    execution.finish(cmd.cx)?;
    let time = milliseconds(start);
    explain(cmd.cx, &planned, Some(&execution), options, planning, Some(time))
}
