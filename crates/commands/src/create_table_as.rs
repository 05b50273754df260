//! CREATE TABLE AS and SELECT INTO. (PostgreSQL: `createas.c`)

use std::sync::Arc;

use access::heap::{BulkInsert, HeapRelation, InsertOptions};
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::NewRelation;
use catalog::ddl::{new_attribute, truncate_name};
use executor::{Destination, ExecContext, Execution, StartOptions};
use parser::ast::{CreateTableAsStmt, ObjectType};
use planner::PlannedStmt;
use types::{Batch, Datum, Runtime, TupleDesc};

use crate::{CommandContext, Outcome, name, options, query, temp};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &CreateTableAsStmt) -> Result<Outcome> {
    if stmt.objtype == ObjectType::Matview {
        return crate::matview::create(cmd, stmt);
    }
    if exists(cmd, stmt)? {
        return Ok(Outcome::tag("CREATE TABLE AS"));
    }
    let planned = Arc::new(query::plan(cmd, &stmt.query)?);
    from_plan(cmd, stmt, planned, Arc::default())
}

/// The table with the rows of a plan, also that of an EXECUTE, which the session knows. The caller has asked [`exists`].
pub fn from_plan(
    cmd: &mut CommandContext<'_>,
    stmt: &CreateTableAsStmt,
    planned: Arc<PlannedStmt>,
    params: Arc<[Datum]>,
) -> Result<Outcome> {
    let oid = create(cmd, stmt, &planned.result_desc)?;
    if stmt.into.skip_data {
        return Ok(Outcome::tag(if stmt.is_select_into { "SELECT INTO" } else { "CREATE TABLE AS" }));
    }
    let begin = StartOptions { snapshot: cmd.cx.snapshot.clone(), params, ..StartOptions::default() };
    let mut execution = Execution::start(planned, cmd.cx, begin)?;
    let rows = run_into(cmd.cx, oid, &mut execution)?;
    Ok(Outcome::tag(format!("SELECT {rows}")))
}

/// Is there such a table already? An error unless IF NOT EXISTS says otherwise. (PostgreSQL: `CreateTableAsRelExists`)
pub fn exists(cmd: &mut CommandContext<'_>, stmt: &CreateTableAsStmt) -> Result<bool> {
    if stmt.objtype == ObjectType::Matview {
        return Err(PgError::unsupported("CREATE MATERIALIZED VIEW"));
    }
    let (namespace, _) = name::relation_schema(cmd.cx, &stmt.into.rel)?;
    let relname = truncate_name(&stmt.into.rel.relname).to_owned();
    if cmd.cx.catalog.relation_by_name(namespace.oid, &relname)?.is_none() {
        return Ok(false);
    }
    let text = format!("relation \"{relname}\" already exists");
    if !stmt.if_not_exists {
        return Err(PgError::new(DUPLICATE_TABLE, text));
    }
    cmd.notice(Severity::Notice, DUPLICATE_TABLE, format!("{text}, skipping"));
    Ok(true)
}

/// Creates the table for a result like `desc`. (PostgreSQL: `intorel_startup`)
pub(crate) fn create(cmd: &mut CommandContext<'_>, stmt: &CreateTableAsStmt, desc: &TupleDesc) -> Result<Oid> {
    let into = &stmt.into;
    let (namespace, persistence) = name::relation_schema(cmd.cx, &into.rel)?;
    temp::check_on_commit(into.on_commit, persistence)?;
    let relname = truncate_name(&into.rel.relname).to_owned();
    if into.col_names.len() > desc.len() {
        return Err(PgError::new(SYNTAX_ERROR, "too many column names were specified"));
    }
    let mut columns = Vec::new();
    for (i, a) in desc.attrs.iter().enumerate() {
        let column = into.col_names.get(i).map_or(&*a.name, String::as_str);
        let t = cmd.cx.catalog.type_row(a.type_oid)?;
        if t.typtype == b'p' {
            let shown = cmd.cx.catalog.format_type(t.oid, None)?;
            let text = format!("column \"{column}\" has pseudo-type {shown}");
            return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
        }
        if t.typcollation.is_valid() && !a.collation.is_valid() {
            let shown = cmd.cx.catalog.format_type(t.oid, None)?;
            let text = format!("no collation was derived for column \"{column}\" with collatable type {shown}");
            let hint = "Use the COLLATE clause to set the collation explicitly.";
            return Err(PgError::new(INDETERMINATE_COLLATION, text).hint(hint));
        }
        columns.push(new_attribute(column, &t, a.typmod, a.collation));
    }
    for (i, c) in columns.iter().enumerate() {
        if columns[..i].iter().any(|d| d.attname == c.attname) {
            let text = format!("column \"{}\" specified more than once", c.attname);
            return Err(PgError::new(DUPLICATE_COLUMN, text));
        }
    }
    let mut new = NewRelation::new(&relname, namespace.oid, cmd.cx.settings.current_user, columns);
    new.persistence = persistence;
    new.tablespace = crate::tablespace::for_new(cmd, into.table_space_name.as_deref(), persistence)?;
    new.options = options::heap(&into.options)?;
    let oid = cmd.cx.catalog.create_relation(&new)?;
    temp::register_on_commit(cmd.cx, oid, into.on_commit);
    cmd.cx.catalog.command_counter_increment()?;
    cmd.cx.catalog.create_toast_table(oid, None)?;
    cmd.cx.catalog.command_counter_increment()?;
    Ok(oid)
}

/// Runs a query into a new table.
pub fn fill(cx: &mut ExecContext, table: Oid, planned: Arc<PlannedStmt>) -> Result<u64> {
    let begin = StartOptions { snapshot: cx.snapshot.clone(), ..StartOptions::default() };
    let mut execution = Execution::start(planned, cx, begin)?;
    run_into(cx, table, &mut execution)
}

/// Runs a started plan to its end, its rows going into a new table.
pub(crate) fn run_into(cx: &mut ExecContext, table: Oid, execution: &mut Execution) -> Result<u64> {
    let heap = cx.catalog.heap(table)?;
    let mut into = Into { heap, bulk: BulkInsert::new(), rows: 0 };
    execution.run(cx, 0, &mut into)?;
    execution.finish(cx)?;
    let txn = cx.txn()?.clone();
    into.bulk.finish(&into.heap, &txn)?;
    Ok(into.rows)
}

struct Into {
    heap: Arc<HeapRelation>,
    bulk: BulkInsert,
    rows: u64,
}

impl Destination for Into {
    fn receive(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<bool> {
        let mut rows = Vec::with_capacity(batch.selected_len());
        for i in batch.selected().iter() {
            let mut row = batch.row(i);
            // Long values lie in the TOAST tables of others: a row may only point into its own.
            for value in &mut row {
                if let Datum::Toasted(bytes) = value {
                    let plain = cx.detoast(bytes)?;
                    *value = Datum::bytes(plain);
                }
            }
            rows.push(row);
        }
        let txn = cx.txn()?.clone();
        let options = InsertOptions { skip_fsm: true, ..InsertOptions::default() };
        let mut tids = Vec::with_capacity(rows.len());
        self.heap.multi_insert(&txn, &rows, options, Some(&mut self.bulk), &mut tids)?;
        self.rows += rows.len() as u64;
        Ok(true)
    }
}
