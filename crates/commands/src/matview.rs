//! Materialized views: a view's query with its rows, as of the last REFRESH. (PostgreSQL: `matview.c`, `createas.c`)
//!
//! REFRESH writes the rows into a new file, which nobody may read meanwhile. CONCURRENTLY compares the new rows with the old
//! ones under a lock that lets others read, and changes only what differs.

use std::sync::Arc;

use access::heap::{HeapScan, InsertOptions, ModifyOptions, Outcome as RowOutcome, ScanOptions};
use access::index::{Direction, IndexInsert, UniqueCheck};
use access::tuple::Projection;
use analyze::query::Query;
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity, TupleId};
use catalog::ddl::truncate_name;
use catalog::{NewRelation, PgClass, Relation, oids, relkind};
use executor::heap::OpenTable;
use executor::row_expr::RowExprs;
use executor::{Destination, ExecContext, Execution, StartOptions};
use parser::ast::{CreateTableAsStmt, RefreshMatViewStmt, RelPersistence};
use planner::{PlanOptions, PlannedStmt};
use std::collections::HashMap;
use txn::LockMode;
use types::{Batch, Datum, Runtime};

use crate::{CommandContext, Outcome, create_table_as, index, name, options, truncate, view};

const CREATED: &str = "CREATE MATERIALIZED VIEW";
const REFRESHED: &str = "REFRESH MATERIALIZED VIEW";

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateTableAsStmt) -> Result<Outcome> {
    let into = &stmt.into;
    let refuse = |text: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    let query = view::analyze_stored(cmd, &stmt.query, "materialized views")?;
    if view::uses_temporary(cmd, &query)? {
        return refuse("materialized views must not use temporary tables or views");
    }
    if into.rel.relpersistence == RelPersistence::Unlogged {
        return refuse("materialized views cannot be unlogged");
    }
    let (namespace, persistence) = name::relation_schema(cmd.cx, &into.rel)?;
    let relname = truncate_name(&into.rel.relname).to_owned();
    if cmd.cx.catalog.relation_by_name(namespace.oid, &relname)?.is_some() {
        let text = format!("relation \"{relname}\" already exists");
        if !stmt.if_not_exists {
            return Err(PgError::new(DUPLICATE_TABLE, text));
        }
        cmd.notice(Severity::Notice, DUPLICATE_TABLE, format!("{text}, skipping"));
        return Ok(Outcome::tag(CREATED));
    }
    let mut named = query.clone();
    let visible = named.target_list.iter().filter(|t| !t.resjunk).count();
    if into.col_names.len() > visible {
        return Err(PgError::new(SYNTAX_ERROR, "too many column names were specified"));
    }
    view::name_columns(&mut named, &into.col_names)?;
    let columns = view::columns(cmd, &named)?;
    let mut new = NewRelation::new(&relname, namespace.oid, cmd.cx.settings.current_user, columns);
    new.kind = relkind::MATERIALIZED_VIEW;
    new.persistence = persistence;
    new.has_rules = true;
    new.tablespace = crate::tablespace::for_new(cmd, into.table_space_name.as_deref(), persistence)?;
    new.options = options::heap(&into.options)?;
    let oid = cmd.cx.catalog.create_relation(&new)?;
    cmd.cx.catalog.command_counter_increment()?;
    cmd.cx.catalog.create_toast_table(oid, None)?;
    cmd.cx.catalog.command_counter_increment()?;
    view::store_rule(cmd, oid, &named)?;
    if into.skip_data {
        set_populated(cmd, oid, false)?;
        return Ok(Outcome::tag(CREATED));
    }
    let planned = plan(cmd, named)?;
    let rows = create_table_as::fill(cmd.cx, oid, planned)?;
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Outcome::tag(format!("SELECT {rows}")))
}

/// The plan of a stored query.
fn plan(cmd: &mut CommandContext<'_>, query: Query) -> Result<Arc<PlannedStmt>> {
    let mut queries = {
        let mut lock = executor::relation_locker(cmd.cx)?;
        let catalog = cmd.cx.catalog.clone();
        let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
        cx.lock = Some(&mut lock);
        analyze::rewrite(&mut cx, query)?
    };
    match (queries.pop(), queries.is_empty()) {
        (Some(query), true) => executor::plan_query(cmd.cx, query, &PlanOptions::default()).map(Arc::new),
        _ => Err(PgError::internal("unexpected rewrite result for REFRESH MATERIALIZED VIEW")),
    }
}

fn set_populated(cmd: &mut CommandContext<'_>, oid: Oid, populated: bool) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a materialized view is gone"))?;
    let mut row = found.row.clone();
    row.relispopulated = populated;
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}

/// (PostgreSQL: `RefreshMatViewByOid`)
pub fn refresh(cmd: &mut CommandContext<'_>, stmt: &RefreshMatViewStmt) -> Result<Outcome> {
    if stmt.concurrent && stmt.skip_data {
        let text = "CONCURRENTLY and WITH NO DATA options cannot be used together";
        return Err(PgError::new(SYNTAX_ERROR, text));
    }
    let mode = if stmt.concurrent { LockMode::Exclusive } else { LockMode::AccessExclusive };
    let rel = name::relation(cmd.cx, &stmt.relation, mode)?;
    let (role, acl) = (cmd.cx.settings.current_user, rel.class.relacl.as_deref());
    let kind = catalog::AclKind::Table;
    if !cmd.cx.catalog.has_privilege(role, kind, rel.owner(), acl, catalog::acl::ACL_MAINTAIN)? {
        return Err(catalog::lookup::permission_denied("materialized view", rel.name()));
    }
    if rel.kind() != relkind::MATERIALIZED_VIEW {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("\"{}\" is not a materialized view", rel.name())));
    }
    if stmt.concurrent {
        check_concurrent(cmd, &rel)?;
    }
    let missing = || PgError::internal(format!("materialized view \"{}\" is missing rewrite information", rel.name()));
    let rule = rel.view_rule().ok_or_else(missing)?;
    let query = analyze::nodes::read_queries(&rule.ev_action, &cmd.cx.catalog)?.pop().ok_or_else(missing)?;
    // The query runs as the owner's.
    let caller = cmd.cx.settings.current_user;
    Arc::make_mut(&mut cmd.cx.settings).current_user = rel.owner();
    let done = match (stmt.concurrent, stmt.skip_data) {
        (true, _) => refresh_changed(cmd, &rel, query),
        (false, skip) => refresh_whole(cmd, &rel, if skip { None } else { Some(query) }),
    };
    Arc::make_mut(&mut cmd.cx.settings).current_user = caller;
    done?;
    Ok(Outcome::tag(REFRESHED))
}

fn check_concurrent(cmd: &CommandContext<'_>, rel: &Relation) -> Result<()> {
    if !rel.class.relispopulated {
        let text = "CONCURRENTLY cannot be used when the materialized view is not populated";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    for i in &rel.indexes {
        let entry = cmd.cx.catalog.relation_entry(*i)?;
        if let Some(info) = &entry.index
            && info.row.indisunique
            && info.row.indisvalid
            && info.row.indpred.is_none()
            && info.columns.iter().take(info.key_count).all(|c| *c > 0)
        {
            return Ok(());
        }
    }
    let schema = cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
    let shown = format!("{}.{}", catalog::quote_identifier(&schema), catalog::quote_identifier(rel.name()));
    let text = format!("cannot refresh materialized view \"{shown}\" concurrently");
    let hint = "Create a unique index with no WHERE clause on one or more columns of the materialized view.";
    Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).hint(hint))
}

/// All rows into a new file; `None`: no rows, and it cannot be read.
fn refresh_whole(cmd: &mut CommandContext<'_>, rel: &Relation, query: Option<Query>) -> Result<()> {
    let populated = query.is_some();
    let rows = match query {
        Some(query) => {
            // Planned before the file is changed: the query may read the view itself.
            let planned = plan(cmd, query)?;
            Some(planned)
        }
        None => None,
    };
    truncate::new_file(cmd, &*cmd.cx.catalog.relation_entry(rel.oid)?)?;
    if let Some(toast) = rel.class.reltoastrelid.valid() {
        truncate::truncate(cmd, toast)?;
    }
    set_populated(cmd, rel.oid, populated)?;
    if let Some(planned) = rows {
        create_table_as::fill(cmd.cx, rel.oid, planned)?;
        cmd.cx.catalog.command_counter_increment()?;
    }
    for i in &rel.indexes {
        let entry = cmd.cx.catalog.relation_entry(*i)?;
        truncate::new_file(cmd, &entry)?;
        index::build(cmd, rel.oid, *i)?;
    }
    Ok(())
}

/// New rows, by their image: how often each comes.
struct Wanted {
    table: Arc<OpenTable>,
    rows: HashMap<Vec<u8>, (Vec<Datum>, usize)>,
}

impl Destination for Wanted {
    fn receive(&mut self, cx: &mut ExecContext, batch: &Batch) -> Result<bool> {
        for i in batch.selected().iter() {
            let row = plain(cx, batch.row(i))?;
            let image = self.table.heap.layout.form_composite(row.as_slice())?;
            self.rows.entry(image).or_insert((row, 0)).1 += 1;
        }
        Ok(true)
    }
}

fn plain(cx: &mut ExecContext, mut row: Vec<Datum>) -> Result<Vec<Datum>> {
    for value in &mut row {
        if let Datum::Toasted(bytes) = value {
            *value = Datum::bytes(cx.detoast(bytes)?);
        }
    }
    Ok(row)
}

/// Only what has changed. (PostgreSQL: `refresh_by_match_merge`)
fn refresh_changed(cmd: &mut CommandContext<'_>, rel: &Relation, query: Query) -> Result<()> {
    let planned = plan(cmd, query)?;
    let begin = StartOptions { snapshot: cmd.cx.snapshot.clone(), ..StartOptions::default() };
    let table = cmd.cx.open_table(rel.oid)?;
    let mut wanted = Wanted { table: Arc::clone(&table), rows: HashMap::new() };
    let mut execution = Execution::start(planned, cmd.cx, begin)?;
    execution.run(cmd.cx, 0, &mut wanted)?;
    execution.finish(cmd.cx)?;
    let twice = wanted.rows.values().find(|(row, n)| *n > 1 && !row.iter().any(Datum::is_null));
    if let Some((row, _)) = twice {
        let text = format!(
            "new data for materialized view \"{}\" contains duplicate rows without any null columns",
            rel.name()
        );
        let mut shown = Vec::new();
        for (a, v) in rel.desc.attrs.iter().zip(row) {
            shown.push(cmd.cx.output(a.type_oid, v.as_ref())?);
        }
        return Err(PgError::new(CARDINALITY_VIOLATION, text).detail(format!("Row: ({})", shown.join(","))));
    }
    for tid in stale(cmd, &table, &mut wanted)? {
        let txn = cmd.cx.txn()?.clone();
        let options = ModifyOptions::new(txn.command_id());
        if table.heap.delete(&txn, tid, options)? != RowOutcome::Ok {
            return Err(PgError::internal("a row of a materialized view was changed meanwhile"));
        }
    }
    cmd.cx.catalog.command_counter_increment()?;
    let mut keys = Keys::new(cmd, &table)?;
    for (row, n) in wanted.rows.into_values() {
        for _ in 0..n {
            let txn = cmd.cx.txn()?.clone();
            let tid = table.heap.insert(&txn, row.as_slice(), InsertOptions::default(), None)?;
            keys.insert(cmd, &table, &row, tid)?;
        }
    }
    cmd.cx.catalog.command_counter_increment()
}

/// The rows that must go; those that may stay are taken out of the wanted ones.
fn stale(cmd: &mut CommandContext<'_>, table: &OpenTable, wanted: &mut Wanted) -> Result<Vec<TupleId>> {
    let txn = cmd.cx.txn()?.clone();
    let projection = Projection::all(&table.heap.layout);
    let snapshot = txn.latest_snapshot()?;
    let mut scan = HeapScan::new(table.heap.clone(), &txn, snapshot, projection.clone(), ScanOptions::default())?;
    let mut gone = Vec::new();
    loop {
        cmd.cx.interrupt.check()?;
        let (mut columns, mut tids) = (projection.columns(&table.heap.layout), Vec::new());
        if scan.next(&txn, Direction::Forward, 512, &mut columns, Some(&mut tids))? == 0 {
            return Ok(gone);
        }
        for (i, tid) in tids.into_iter().enumerate() {
            let row = plain(cmd.cx, columns.iter().map(|c| c.get(i).to_owned()).collect())?;
            let image = table.heap.layout.form_composite(row.as_slice())?;
            match wanted.rows.get_mut(&image) {
                Some((_, n)) if *n > 0 => *n -= 1,
                _ => gone.push(tid),
            }
        }
    }
}

/// What index entries are made from.
struct Keys(Vec<Option<RowExprs>>);

impl Keys {
    fn new(cmd: &mut CommandContext<'_>, table: &OpenTable) -> Result<Keys> {
        let mut keys = Vec::new();
        for i in &table.indexes {
            keys.push(match i.expressions.is_empty() && i.predicate.is_empty() {
                true => None,
                false => Some(RowExprs::new(cmd.cx, table.entry.oid, &i.expressions, &i.predicate)?),
            });
        }
        Ok(Keys(keys))
    }
    fn insert(&mut self, cmd: &mut CommandContext<'_>, table: &OpenTable, row: &[Datum], tid: TupleId) -> Result<()> {
        let txn = cmd.cx.txn()?.clone();
        for (exprs, i) in self.0.iter_mut().zip(&table.indexes) {
            let mut computed = Vec::new();
            if let Some(exprs) = exprs {
                if !exprs.test(cmd.cx, row)? {
                    continue;
                }
                computed = exprs.values(cmd.cx, row)?;
            }
            let mut next = computed.into_iter();
            let info = i.info()?;
            let value = |n: &i16| match *n {
                0 => next.next().unwrap_or_default(),
                n => row[n as usize - 1].clone(),
            };
            let values: Vec<Datum> = info.columns.iter().map(value).collect();
            let check = if i.rel.unique { UniqueCheck::Yes } else { UniqueCheck::No };
            if let IndexInsert::Duplicate(_) = i.rel.am.insert(&txn, &i.rel, &table.heap, &values, tid, check, false)? {
                let text = format!("could not create unique index \"{}\"", i.entry.name());
                return Err(PgError::new(UNIQUE_VIOLATION, text));
            }
        }
        Ok(())
    }
}
