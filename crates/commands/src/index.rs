//! CREATE INDEX, also for keys of constraints: the catalog rows, then the entries. (PostgreSQL: `DefineIndex`, `index_build`)

use std::sync::Arc;

use access::index::IndexBuild;
use base::guc;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{NewConstraint, NewIndex, ObjectAddress, PgClass, Relation, oids, relkind};
use executor::ExecContext;
use executor::row_expr::RowExprs;
use parser::ast::*;
use txn::LockMode;
use types::{Datum, DatumRef};

use crate::{CommandContext, Outcome, constraint, name, options, partition};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &IndexStmt) -> Result<Outcome> {
    if stmt.concurrent {
        cmd.session.prevent_in_transaction_block("CREATE INDEX CONCURRENTLY")?;
    }
    let rel = name::relation(cmd.cx, &stmt.relation, LockMode::Share)?;
    match rel.kind() {
        relkind::TABLE | relkind::MATERIALIZED_VIEW => {}
        relkind::PARTITIONED_TABLE if stmt.concurrent => {
            let text = format!("cannot create index on partitioned table \"{}\" concurrently", rel.name());
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        relkind::PARTITIONED_TABLE => {}
        _ => {
            let text = format!("cannot create index on relation \"{}\"", rel.name());
            return Err(PgError::new(WRONG_OBJECT_TYPE, text));
        }
    }
    name::check_owner(cmd.cx, &rel)?;
    crate::in_use::check(cmd, &rel, "CREATE INDEX")?;
    if let (Some(name), true) = (&stmt.idxname, stmt.if_not_exists)
        && cmd.cx.catalog.relation_by_name(rel.namespace(), name)?.is_some()
    {
        cmd.notice(base::Severity::Notice, DUPLICATE_TABLE, format!("relation \"{name}\" already exists, skipping"));
        return Ok(Outcome::tag("CREATE INDEX"));
    }
    define(cmd, rel.oid, stmt)?;
    Ok(Outcome::tag("CREATE INDEX"))
}

/// The collation of that name.
pub fn collation_by_name(cx: &ExecContext, parts: &[String]) -> Result<Oid> {
    let (schema, name) = name::split(cx, parts)?;
    let schemas = match &schema {
        Some(schema) => vec![cx.catalog.explicit_namespace(schema, false)?.unwrap_or_default()],
        None => cx.catalog.search_path()?.schemas.clone(),
    };
    for schema in schemas {
        if let Some(c) = cx.catalog.collation_by_name(&name, 6, schema)? {
            return Ok(c.oid);
        }
    }
    let text = format!("collation \"{}\" for encoding \"UTF8\" does not exist", parts.join("."));
    Err(PgError::new(UNDEFINED_OBJECT, text))
}

/// What an index element stands for.
struct Key {
    /// 0 for an expression.
    column: i16,
    name: String,
    type_oid: Oid,
    typmod: i32,
    collation: Oid,
    opclass: Oid,
    option: i16,
}

/// Makes an index with its constraint, if it is one's, and fills it. (PostgreSQL: `DefineIndex`)
pub fn define(cmd: &mut CommandContext<'_>, table: Oid, stmt: &IndexStmt) -> Result<Oid> {
    let rel = cmd.cx.catalog.relation_entry(table)?;
    let am = cmd.cx.catalog.am_by_name(&stmt.access_method)?.ok_or_else(|| {
        PgError::new(UNDEFINED_OBJECT, format!("access method \"{}\" does not exist", stmt.access_method))
    })?;
    if am.oid != oids::BTREE_AM_OID {
        return Err(PgError::unsupported(format!("access method \"{}\"", am.amname)));
    }
    let mut expressions = Vec::new();
    let mut keys = Vec::new();
    for element in &stmt.index_params {
        keys.push(key(cmd, &rel, am.oid, element, &mut expressions)?);
    }
    let mut included = Vec::new();
    for element in &stmt.index_including_params {
        let Some(name) = &element.name else {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "expressions are not supported in included columns"));
        };
        included.push(name::column(&rel, name)?);
    }
    let predicate = predicate(cmd, table, stmt)?;

    let name = match &stmt.idxname {
        Some(name) => name.clone(),
        None => choose_name(cmd.cx, &rel, stmt, &keys)?,
    };
    let mut new = NewIndex::new(&name, table, keys.iter().map(|k| k.column).chain(included.iter().copied()).collect());
    new.am = am.oid;
    new.key_count = keys.len();
    new.column_names = column_names(&rel, &keys, &included);
    new.expression_types = keys.iter().filter(|k| k.column == 0).map(|k| (k.type_oid, k.typmod)).collect();
    new.opclasses = keys.iter().map(|k| k.opclass).collect();
    new.collations = keys.iter().map(|k| k.collation).collect();
    new.options = keys.iter().map(|k| k.option).collect();
    new.tablespace = crate::tablespace::for_new(cmd, stmt.table_space.as_deref(), rel.class.relpersistence)?;
    new.unique = stmt.unique;
    new.nulls_not_distinct = stmt.nulls_not_distinct;
    new.primary = stmt.primary;
    new.reloptions = options::btree(&stmt.options)?;
    for e in expressions.iter().chain(&predicate) {
        new.expression_dependencies.extend(constraint::dependencies_of(e, table));
    }
    new.expressions = match expressions.is_empty() {
        true => None,
        false => Some(crate::stored::list_text(&expressions, &cmd.cx.catalog)?),
    };
    // A predicate is stored as the list of its conjuncts would be executed: one expression.
    new.predicate = predicate.as_ref().map(|p| crate::stored::text(p, &cmd.cx.catalog)).transpose()?;
    new.partitioned = rel.kind() == relkind::PARTITIONED_TABLE;
    if new.partitioned {
        let what = match (stmt.primary, stmt.isconstraint) {
            (true, _) => "PRIMARY KEY",
            _ => "UNIQUE",
        };
        partition::indexes::check_key(cmd, &rel, &new, what)?;
    }
    let index = cmd.cx.catalog.create_index(&new)?;
    if stmt.isconstraint {
        own_by_constraint(cmd, &rel, stmt, &new, index)?;
    }
    cmd.cx.catalog.command_counter_increment()?;
    if new.partitioned {
        partition::indexes::mark_indexed(cmd, table)?;
        partition::indexes::to_partitions(cmd, table, index, !stmt.relation.inh)?;
    } else {
        build(cmd, table, index)?;
    }
    Ok(index)
}

fn own_by_constraint(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    stmt: &IndexStmt,
    new: &NewIndex,
    index: Oid,
) -> Result<()> {
    let kind = if stmt.primary { b'p' } else { b'u' };
    let columns = new.columns[..new.key_count].to_vec();
    let mut c = NewConstraint::new(&new.name, rel.namespace(), kind, rel.oid, Some(columns));
    c.row.conindid = index;
    let oid = cmd.cx.catalog.create_constraint(&c)?;
    let me = ObjectAddress::relation(index);
    let owner = ObjectAddress::new(oids::CONSTRAINT_RELATION, oid);
    // The index depends on its constraint instead of the columns.
    cmd.cx.catalog.delete_dependencies_on_class(&me, oids::RELATION_RELATION, catalog::DependencyType::Auto)?;
    cmd.cx.catalog.record_dependency(&me, &owner, catalog::DependencyType::Internal)
}

fn key(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    am: Oid,
    element: &IndexElem,
    expressions: &mut Vec<analyze::query::Expr>,
) -> Result<Key> {
    let mut key = match (&element.name, &element.expr) {
        (Some(name), _) => {
            let column = rel
                .desc
                .find(name)
                .ok_or_else(|| PgError::new(UNDEFINED_COLUMN, format!("column \"{name}\" does not exist")))?;
            let a = &rel.desc.attrs[column as usize - 1];
            let (type_oid, typmod, collation) = (a.type_oid, a.typmod, a.collation);
            Key { column, name: name.clone(), type_oid, typmod, collation, opclass: Oid::INVALID, option: 0 }
        }
        (None, Some(raw)) => {
            let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
            let e = {
                let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
                analyze::ddl::index_expression(&mut cx, rel.oid, raw, source)?
            };
            let ty = e.type_mod();
            let name = element.indexcolname.clone().unwrap_or_else(|| "expr".into());
            expressions.push(e);
            let (type_oid, typmod, collation) = (ty.oid, ty.typmod, ty.collation);
            Key { column: 0, name, type_oid, typmod, collation, opclass: Oid::INVALID, option: 0 }
        }
        _ => return Err(PgError::internal("an index element without column and expression")),
    };
    if !element.collation.is_empty() {
        key.collation = collation_by_name(cmd.cx, &element.collation)?;
    }
    key.opclass = match element.opclass.as_slice() {
        [] => match cmd.cx.catalog.default_opclass(key.type_oid, am)? {
            Some(class) => class.oid,
            None => {
                let shown = cmd.cx.catalog.format_type(key.type_oid, None)?;
                let text = format!("data type {shown} has no default operator class for access method \"btree\"");
                let hint = "You must specify an operator class for the index or define a default operator class for the data type.";
                return Err(PgError::new(UNDEFINED_OBJECT, text).hint(hint));
            }
        },
        parts => opclass_by_name(cmd.cx, am, parts)?,
    };
    let descending = element.ordering == SortByDir::Desc;
    let nulls_first = match element.nulls_ordering {
        SortByNulls::First => true,
        SortByNulls::Last => false,
        SortByNulls::Default => descending,
    };
    key.option = i16::from(descending) | i16::from(nulls_first) << 1;
    Ok(key)
}

pub(crate) fn opclass_by_name(cx: &ExecContext, am: Oid, parts: &[String]) -> Result<Oid> {
    let (schema, name) = name::split(cx, parts)?;
    let schemas = match &schema {
        Some(schema) => vec![cx.catalog.explicit_namespace(schema, false)?.unwrap_or_default()],
        None => cx.catalog.search_path()?.schemas.clone(),
    };
    for schema in schemas {
        if let Some(class) = cx.catalog.opclass_by_name(am, &name, schema)? {
            return Ok(class.oid);
        }
    }
    let text = format!("operator class \"{}\" does not exist for access method \"btree\"", parts.join("."));
    Err(PgError::new(UNDEFINED_OBJECT, text))
}

fn predicate(cmd: &mut CommandContext<'_>, table: Oid, stmt: &IndexStmt) -> Result<Option<analyze::query::Expr>> {
    let Some(raw) = &stmt.where_clause else { return Ok(None) };
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
    analyze::ddl::index_predicate(&mut cx, table, raw, source).map(Some)
}

/// (PostgreSQL: `ChooseIndexName`)
fn choose_name(cx: &ExecContext, rel: &Relation, stmt: &IndexStmt, keys: &[Key]) -> Result<String> {
    if stmt.primary {
        return name::choose_relation_name(cx, rel.name(), None, "pkey", rel.namespace(), &[]);
    }
    let mut columns = String::new();
    for key in keys {
        if !columns.is_empty() {
            columns.push('_');
        }
        columns.push_str(&key.name);
        if columns.len() >= base::NAMEDATALEN {
            break;
        }
    }
    let label = if stmt.isconstraint { "key" } else { "idx" };
    name::choose_relation_name(cx, rel.name(), Some(&columns), label, rel.namespace(), &[])
}

/// Columns of the index are named as the table's; repeated names get a number. (PostgreSQL: `ChooseIndexColumnNames`)
fn column_names(rel: &Relation, keys: &[Key], included: &[i16]) -> Vec<String> {
    let included = included.iter().map(|n| rel.attributes[*n as usize - 1].attname.clone());
    let mut names: Vec<String> = Vec::new();
    for wanted in keys.iter().map(|k| k.name.clone()).chain(included) {
        let mut name = wanted.clone();
        let mut n = 0;
        while names.contains(&name) {
            n += 1;
            name = format!("{wanted}{n}");
        }
        names.push(name);
    }
    names
}

/// Fills an empty index from its table and notes both sizes in `pg_class`. (PostgreSQL: `index_build`)
pub fn build(cmd: &mut CommandContext<'_>, table: Oid, index: Oid) -> Result<()> {
    let rel = cmd.cx.catalog.relation_entry(table)?;
    let entry = cmd.cx.catalog.relation_entry(index)?;
    let info = entry.index.as_ref().ok_or_else(|| PgError::internal("an index without its definition"))?;
    let (heap, access) = (cmd.cx.catalog.heap(table)?, cmd.cx.catalog.index(index)?);
    let txn = Arc::clone(cmd.cx.txn()?);
    let kilobytes = usize::try_from(cmd.session.values().int(guc::MAINTENANCE_WORK_MEM)).unwrap_or(65_536);
    let opened = cmd.cx.open_table(table)?;
    let open = opened.indexes.iter().find(|i| i.entry.oid == index);
    let open = open.ok_or_else(|| PgError::internal("an index is not among its table's"))?;
    let computed = !open.expressions.is_empty() || !open.predicate.is_empty();
    let mut exprs = RowExprs::new(cmd.cx, table, &open.expressions, &open.predicate)?;
    let wanted: Vec<usize> = info.columns.iter().map(|n| (*n as usize).wrapping_sub(1)).collect();
    let mut heap_tuples = 0.0;
    let unique = info.row.indisunique;
    let layout = Arc::clone(&heap.layout);
    let cx = &mut *cmd.cx;
    let (index_rel, heap_rel, own_txn) = (Arc::clone(&access), Arc::clone(&heap), Arc::clone(&txn));
    // Long and external values go in as the index stores them.
    let stored = |values: &[DatumRef<'_>]| -> Result<Vec<Datum>> {
        let owned: Vec<Datum> = values.iter().map(|v| (*v).to_owned()).collect();
        let toast = heap_rel.toast.as_deref();
        Ok(access::index::stored_values(&own_txn, &index_rel, toast, &owned)?.into_owned())
    };
    let is_long = |v: &DatumRef<'_>| match v {
        DatumRef::Toasted(_) => true,
        DatumRef::Bytes(b) => b.len() > LONG,
        _ => false,
    };
    let mut source = |sink: &mut dyn FnMut(&[DatumRef<'_>], base::TupleId, bool) -> Result<()>| {
        let mut row = |tuple: &[u8], tid: base::TupleId, alive: bool| {
            if !computed {
                if let [one] = wanted[..] {
                    let value = layout.attr(tuple, one)?;
                    if !is_long(&value) {
                        return sink(&[value], tid, alive);
                    }
                }
                let values = wanted.iter().map(|i| layout.attr(tuple, *i)).collect::<Result<Vec<DatumRef<'_>>>>()?;
                if !values.iter().any(is_long) {
                    return sink(&values, tid, alive);
                }
                let values = stored(&values)?;
                let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
                return sink(&refs, tid, alive);
            }
            let mut refs = Vec::new();
            layout.deform_all(tuple, &mut refs)?;
            let whole: Vec<Datum> = refs.iter().map(|v| (*v).to_owned()).collect();
            if !exprs.test(cx, &whole)? {
                return Ok(());
            }
            let computed = exprs.values(cx, &whole)?;
            let mut next = computed.iter();
            let pick = |i: &usize| match whole.get(*i) {
                Some(v) => v.as_ref(),
                None => next.next().map_or(DatumRef::Null, Datum::as_ref),
            };
            let values: Vec<DatumRef<'_>> = wanted.iter().map(pick).collect();
            if values.iter().any(is_long) {
                let values = stored(&values)?;
                let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
                return sink(&refs, tid, alive);
            }
            sink(&values, tid, alive)
        };
        heap_tuples = heap.build_scan(&txn, None, unique, &mut row)?.live;
        Ok(())
    };
    let built = access.am.build(&txn, &access, &mut source, kilobytes << 10)?;
    if access.persistence == storage::Persistence::Unlogged {
        txn.create_fork(access.locator, base::ForkNumber::Init)?;
        access.am.build_empty(&txn, &access)?;
    }
    match built {
        IndexBuild::Built { index_tuples } => {
            let heap_pages = heap.nblocks(&txn)?;
            let index_pages = access.am.pages(&txn, &access)?;
            note_sizes(cmd, table, heap_pages, heap_tuples)?;
            note_sizes(cmd, index, index_pages, index_tuples)?;
            cmd.cx.catalog.command_counter_increment()
        }
        IndexBuild::Duplicate { key, .. } => {
            let mut shown = Vec::new();
            for (i, value) in key.iter().take(info.key_count).enumerate() {
                let a = &entry.desc.attrs[i];
                shown.push(match value {
                    Datum::Null => "null".to_owned(),
                    v => cmd.cx.output(a.type_oid, v.as_ref())?,
                });
            }
            let names: Vec<&str> = entry.desc.attrs[..info.key_count].iter().map(|a| &*a.name).collect();
            let text = format!("could not create unique index \"{}\"", entry.name());
            let detail = format!("Key ({})=({}) is duplicated.", names.join(", "), shown.join(", "));
            let schema = cmd.cx.catalog.namespace_name(rel.namespace())?.unwrap_or_default();
            Err(PgError::new(UNIQUE_VIOLATION, text).detail(detail).table(schema, rel.name()).constraint(entry.name()))
        }
    }
}

/// Values from here on may be compressed in an index.
const LONG: usize = 400;

/// Sizes for the planner, as CREATE INDEX leaves them. (PostgreSQL: `index_update_stats`)
fn note_sizes(cmd: &mut CommandContext<'_>, rel: Oid, pages: u32, tuples: f64) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel)])?;
    let found = found.ok_or_else(|| PgError::internal("a relation is gone"))?;
    let mut row = found.row.clone();
    // A table that was never vacuumed and is empty stays "unknown".
    if row.relkind == relkind::TABLE && row.reltuples < 0.0 && pages == 0 {
        return Ok(());
    }
    row.relpages = pages as i32;
    row.reltuples = tuples as f32;
    if row.relkind == relkind::TABLE {
        row.relhasindex = true;
    }
    cmd.cx.catalog.overwrite_row(&found, &row).map(drop)
}
