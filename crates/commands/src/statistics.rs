//! CREATE, ALTER STATISTICS. What ANALYZE makes of them: `extended_stats.rs`. (PostgreSQL: `statscmds.c`)

use std::sync::Arc;

use analyze::query::{Expr, RangeTblEntry, RteKind};
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::ddl::{DependencyType, truncate_name};
use catalog::{ObjectAddress, PgStatisticExt, Relation, oids, relkind};
use executor::ExecContext;
use parser::ast::{AlterStatsStmt, CreateStatsStmt, FromItem, ObjectType};
use txn::LockMode;
use types::Runtime;

use crate::{CommandContext, Outcome, name, object};

/// (PostgreSQL: `STATS_MAX_DIMENSIONS`)
const MAX_DIMENSIONS: usize = 8;

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateStatsStmt) -> Result<Outcome> {
    let done = Outcome::tag("CREATE STATISTICS");
    let single = || PgError::new(FEATURE_NOT_SUPPORTED, "only a single relation is allowed in CREATE STATISTICS");
    let [FromItem::RangeVar(var)] = &stmt.relations[..] else { return Err(single()) };
    let rel = name::relation(cmd.cx, var, LockMode::ShareUpdateExclusive)?;
    let kinds = [relkind::TABLE, relkind::MATERIALIZED_VIEW, relkind::FOREIGN_TABLE, relkind::PARTITIONED_TABLE];
    if !kinds.contains(&rel.kind()) {
        let text = format!("cannot define statistics for relation \"{}\"", rel.name());
        let detail = format!("This operation is not supported for {}.", crate::alter_table::plural(rel.kind()));
        return Err(PgError::new(WRONG_OBJECT_TYPE, text).detail(detail));
    }
    name::check_owner(cmd.cx, &rel)?;
    if rel.is_catalog() {
        let text = format!("permission denied: \"{}\" is a system catalog", rel.name());
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    let (namespace, given) = match stmt.defnames.split_last() {
        None => (rel.namespace(), None),
        Some((last, [])) => (creation_namespace(cmd.cx, None)?, Some(last)),
        Some((last, rest)) => (creation_namespace(cmd.cx, rest.last().map(String::as_str))?, Some(last)),
    };
    let chosen = match given {
        Some(name) => truncate_name(name).to_owned(),
        None => choose_name(cmd.cx, &rel, stmt)?,
    };
    if find(cmd.cx, namespace, &chosen)?.is_some() {
        let text = format!("statistics object \"{chosen}\" already exists");
        if stmt.if_not_exists {
            cmd.notice(Severity::Notice, DUPLICATE_OBJECT, format!("{text}, skipping"));
            return Ok(done);
        }
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    if stmt.exprs.len() > MAX_DIMENSIONS {
        let text = format!("cannot have more than {MAX_DIMENSIONS} columns in statistics");
        return Err(PgError::new(TOO_MANY_COLUMNS, text));
    }
    let (mut columns, exprs) = elements(cmd, &rel, stmt)?;
    let kinds = kinds_of(stmt, columns.len(), exprs.len())?;
    columns.sort_unstable();
    if columns.windows(2).any(|w| w[0] == w[1]) {
        return Err(PgError::new(DUPLICATE_COLUMN, "duplicate column name in statistics definition"));
    }
    for (i, e) in exprs.iter().enumerate() {
        if exprs[..i].iter().any(|o| same(o, e)) {
            return Err(PgError::new(DUPLICATE_COLUMN, "duplicate expression in statistics definition"));
        }
    }
    let catalog = cmd.cx.catalog.clone();
    let owner = cmd.cx.settings.current_user;
    let oid = catalog.new_oid(oids::STATISTIC_EXT_RELATION, oids::STATISTIC_EXT_OID_INDEX)?;
    let stxexprs = if exprs.is_empty() { None } else { Some(crate::stored::list_text(&exprs, &catalog)?) };
    catalog.insert_row(&PgStatisticExt {
        oid,
        stxrelid: rel.oid,
        stxname: chosen,
        stxnamespace: namespace,
        stxowner: owner,
        stxkeys: columns.clone(),
        stxstattarget: None,
        stxkind: kinds,
        stxexprs,
    })?;
    let me = ObjectAddress::new(oids::STATISTIC_EXT_RELATION, oid);
    let mut own: Vec<ObjectAddress> = columns.iter().map(|c| ObjectAddress::column(rel.oid, *c)).collect();
    let mut others = Vec::new();
    for e in &exprs {
        for o in analyze::references::expr_references(&catalog, e, &[table_entry(&rel)])? {
            let list = if o.class == oids::RELATION_RELATION && o.object == rel.oid { &mut own } else { &mut others };
            list.push(o);
        }
    }
    if own.is_empty() {
        own.push(ObjectAddress::relation(rel.oid));
    }
    catalog.record_dependencies(&me, &own, DependencyType::Auto)?;
    catalog.record_dependencies(&me, &others, DependencyType::Normal)?;
    catalog.record_dependency(&me, &ObjectAddress::namespace(namespace), DependencyType::Normal)?;
    catalog.record_owner(&me, owner)?;
    catalog.invalidate_relation(rel.oid);
    catalog.command_counter_increment()?;
    Ok(done)
}

fn table_entry(rel: &Relation) -> RangeTblEntry {
    RangeTblEntry {
        kind: RteKind::Relation {
            relid: rel.oid,
            relkind: rel.kind(),
            lock_mode: 1,
            inh: false,
            perminfoindex: 0,
            table_sample: None,
        },
        ..RangeTblEntry::default()
    }
}

/// Equal but for their places in the text.
fn same(a: &Expr, b: &Expr) -> bool {
    a == b
}

fn creation_namespace(cx: &ExecContext, schema: Option<&str>) -> Result<Oid> {
    name::creation_schema(cx, schema).map(|n| n.oid)
}

/// The statistics object of that name.
fn find(cx: &ExecContext, namespace: Oid, name: &str) -> Result<Option<Arc<PgStatisticExt>>> {
    cx.catalog.statistics_by_name(name, namespace)
}

/// The columns and expressions.
fn elements(cmd: &mut CommandContext<'_>, rel: &Relation, stmt: &CreateStatsStmt) -> Result<(Vec<i16>, Vec<Expr>)> {
    let unsupported = |text: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    let (mut columns, mut exprs) = (Vec::new(), Vec::new());
    for element in &stmt.exprs {
        let column = match (&element.name, &element.expr) {
            (Some(name), _) => {
                if analyze::system_column(name).is_some() {
                    return unsupported("statistics creation on system columns is not supported");
                }
                let missing = || PgError::new(UNDEFINED_COLUMN, format!("column \"{name}\" does not exist"));
                rel.desc.find(name).ok_or_else(missing)?
            }
            (None, Some(raw)) => {
                let mut cx = analyze::AnalyzeContext::new(cmd.cx.catalog.clone(), cmd.cx);
                let e = analyze::ddl::statistics_expression(&mut cx, rel.oid, raw, cmd.source)?;
                match &e {
                    Expr::Var(v) if v.varattno <= 0 => {
                        return unsupported("statistics creation on system columns is not supported");
                    }
                    Expr::Var(v) => v.varattno,
                    _ => {
                        let mut system = false;
                        let mut virtual_ = false;
                        columns_of(&e, &mut |n| {
                            system = system || n <= 0;
                            let attr = usize::try_from(n - 1).ok().and_then(|i| rel.desc.attrs.get(i));
                            virtual_ = virtual_ || attr.is_some_and(|a| a.generated == b'v');
                        });
                        if system {
                            return unsupported("statistics creation on system columns is not supported");
                        }
                        if virtual_ {
                            return unsupported("statistics creation on virtual generated columns is not supported");
                        }
                        if stmt.exprs.len() > 1 && !has_order(cmd.cx, e.type_oid())? {
                            let shown = cmd.cx.catalog.format_type(e.type_oid(), None)?;
                            let text = format!(
                                "expression cannot be used in multivariate statistics because its type {shown} has no default btree operator class"
                            );
                            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
                        }
                        exprs.push(e);
                        continue;
                    }
                }
            }
            (None, None) => return Err(PgError::internal("a statistics element of nothing")),
        };
        let attr = &rel.desc.attrs[column as usize - 1];
        if attr.generated == b'v' {
            return unsupported("statistics creation on virtual generated columns is not supported");
        }
        if !has_order(cmd.cx, attr.type_oid)? {
            let shown = cmd.cx.catalog.format_type(attr.type_oid, None)?;
            let text = format!(
                "column \"{}\" cannot be used in statistics because its type {shown} has no default btree operator class",
                attr.name
            );
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        columns.push(column);
    }
    Ok((columns, exprs))
}

fn columns_of(e: &Expr, f: &mut dyn FnMut(i16)) {
    if let Expr::Var(v) = e {
        f(v.varattno);
    }
    e.children(&mut |c| columns_of(c, f));
}

fn has_order(cx: &mut ExecContext, type_oid: Oid) -> Result<bool> {
    let base = cx.catalog.base_type(type_oid, -1)?.0;
    Ok(cx.type_info(base)?.lt_opr.is_valid())
}

/// (PostgreSQL: `STATS_EXT_NDISTINCT`, ...)
fn kinds_of(stmt: &CreateStatsStmt, columns: usize, exprs: usize) -> Result<Vec<u8>> {
    if columns == 0 && exprs == 1 && !stmt.stat_types.is_empty() {
        let text = "when building statistics on a single expression, statistics kinds may not be specified";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    let mut wanted = Vec::new();
    for kind in &stmt.stat_types {
        match kind.as_str() {
            "ndistinct" => wanted.push(b'd'),
            "dependencies" => wanted.push(b'f'),
            "mcv" => wanted.push(b'm'),
            other => return Err(PgError::new(SYNTAX_ERROR, format!("unrecognized statistics kind \"{other}\""))),
        }
    }
    if wanted.is_empty() && columns + exprs >= 2 {
        wanted = vec![b'd', b'f', b'm'];
    }
    if columns < 2 && exprs == 0 {
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, "extended statistics require at least 2 columns"));
    }
    let mut out: Vec<u8> = [b'd', b'f', b'm'].into_iter().filter(|k| wanted.contains(k)).collect();
    if exprs > 0 {
        out.push(b'e');
    }
    Ok(out)
}

/// TABLE_COLUMNS_stat. (PostgreSQL: `ChooseExtendedStatisticName`)
fn choose_name(cx: &ExecContext, rel: &Relation, stmt: &CreateStatsStmt) -> Result<String> {
    let names: Vec<&str> = stmt.exprs.iter().map(|e| e.name.as_deref().unwrap_or("expr")).collect();
    let mut second = String::new();
    for n in names {
        if !second.is_empty() {
            second.push('_');
        }
        second += n;
        if second.len() >= 64 {
            break;
        }
    }
    for n in 0.. {
        let label = if n == 0 { "stat".to_owned() } else { format!("stat{n}") };
        let name = catalog::ddl::make_object_name(rel.name(), Some(&second), Some(&label));
        if find(cx, rel.namespace(), &name)?.is_none() {
            return Ok(name);
        }
    }
    Err(PgError::internal("no name is free"))
}

pub fn alter(cmd: &mut CommandContext<'_>, stmt: &AlterStatsStmt) -> Result<Outcome> {
    let done = Outcome::tag("ALTER STATISTICS");
    let mut target = stmt.stxstattarget.filter(|t| *t != -1);
    if let Some(t) = target {
        if t < 0 {
            let text = format!("statistics target {t} is too low");
            return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
        }
        if t > 10_000 {
            let text = "lowering statistics target to 10000".to_owned();
            cmd.notice(Severity::Warning, INVALID_PARAMETER_VALUE, text);
            target = Some(10_000);
        }
    }
    let named = parser::ast::Object::QualifiedName(stmt.defnames.clone());
    let address = match object::find(cmd, ObjectType::StatisticExt, &named, LockMode::ShareUpdateExclusive) {
        Ok(a) => a,
        Err(e) if stmt.missing_ok && e.sqlstate() == UNDEFINED_OBJECT => {
            let shown = stmt.defnames.join(".");
            let text = format!("statistics object \"{shown}\" does not exist, skipping");
            cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
            return Ok(done);
        }
        Err(e) => return Err(e),
    };
    object::check_owner(cmd, ObjectType::StatisticExt, &address)?;
    object::edit::<PgStatisticExt>(cmd, oids::STATISTIC_EXT_OID_INDEX, address.object, |s| {
        s.stxstattarget = target.map(|t| t as i16);
    })?;
    if let Some(s) = cmd.cx.catalog.statistics_object(address.object)? {
        cmd.cx.catalog.invalidate_relation(s.stxrelid);
    }
    Ok(done)
}

/// The statistics object of that name, perhaps with its schema. (PostgreSQL: `get_statistics_object_oid`)
pub fn by_name(cx: &ExecContext, names: &[String]) -> Result<Option<Arc<PgStatisticExt>>> {
    let (schema, last) = name::split(cx, names)?;
    if let Some(schema) = &schema {
        let Some(namespace) = cx.catalog.explicit_namespace(schema, true)? else { return Ok(None) };
        return find(cx, namespace, &last);
    }
    for namespace in cx.catalog.search_path()?.schemas.clone() {
        if let Some(s) = find(cx, namespace, &last)? {
            return Ok(Some(s));
        }
    }
    Ok(None)
}
