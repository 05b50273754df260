//! Table constraints: NOT NULL, CHECK, PRIMARY KEY and UNIQUE. (PostgreSQL: `AddRelationNewConstraints`, `DefineIndex`)

use std::collections::BTreeSet;

use analyze::query as q;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{NewConstraint, ObjectAddress, PgAttribute, PgClass, PgConstraint, Relation, oids};
use parser::ast::*;
use types::Datum;

use crate::{CommandContext, foreign_key, index, name, table_scan};

/// Adds a constraint to a table that exists. `column` is the one it was written at.
pub fn add(cmd: &mut CommandContext<'_>, rel: Oid, c: &Constraint, column: Option<&str>) -> Result<()> {
    add_and_recurse(cmd, rel, c, column, true)
}

/// As `add`; without `recurse` the partitions do not get the index of a key.
pub fn add_and_recurse(
    cmd: &mut CommandContext<'_>,
    rel: Oid,
    c: &Constraint,
    column: Option<&str>,
    recurse: bool,
) -> Result<()> {
    if (c.deferrable || c.initdeferred) && c.contype != ConstrType::Foreign {
        return Err(PgError::unsupported("deferrable constraints"));
    }
    match c.contype {
        ConstrType::Primary | ConstrType::Unique => key(cmd, rel, c, recurse),
        ConstrType::Check => check(cmd, rel, c, column),
        ConstrType::NotNull => {
            let entry = cmd.cx.catalog.relation_entry(rel)?;
            let column = c.keys.first().map_or("", String::as_str);
            let attnum = name::column(&entry, column)?;
            set_not_null(cmd, &entry, attnum)?;
            add_not_null(cmd, rel, attnum, c.conname.as_deref())
        }
        ConstrType::Foreign => foreign_key::add(cmd, rel, c, column),
        ConstrType::Exclusion => Err(PgError::unsupported("exclusion constraints")),
        _ => Err(PgError::internal("an attribute of a constraint stands alone")),
    }
}

/// Marks a column NOT NULL in `pg_attribute`; no row may have a null there.
pub fn set_not_null(cmd: &mut CommandContext<'_>, rel: &Relation, attnum: i16) -> Result<()> {
    let key = [Datum::oid(rel.oid), Datum::i16(attnum)];
    let found = cmd.cx.catalog.find_row::<PgAttribute>(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)?;
    let found = found.ok_or_else(|| PgError::internal("a column is gone"))?;
    if !found.row.attnotnull {
        table_scan::verify_not_null(cmd, rel, attnum)?;
        let mut row = found.row.clone();
        row.attnotnull = true;
        cmd.cx.catalog.update_row(&found, &row)?;
        cmd.cx.catalog.command_counter_increment()?;
    }
    Ok(())
}

fn names_of(cmd: &CommandContext<'_>, rel: Oid) -> Result<BTreeSet<String>> {
    Ok(cmd.cx.catalog.constraints_of_relation(rel)?.into_iter().map(|c| c.conname).collect())
}

/// A constraint name that the table has not yet. (PostgreSQL: `ChooseConstraintName`)
pub fn choose_name(cmd: &CommandContext<'_>, rel: &Relation, name2: Option<&str>, label: &str) -> Result<String> {
    let taken = names_of(cmd, rel.oid)?;
    let mut n = 0;
    loop {
        let label = if n == 0 { label.to_owned() } else { format!("{label}{n}") };
        let name = catalog::ddl::make_object_name(rel.name(), name2, Some(&label));
        if !taken.contains(&name) {
            return Ok(name);
        }
        n += 1;
    }
}

pub fn check_name_is_free(cmd: &CommandContext<'_>, rel: &Relation, name: &str) -> Result<()> {
    if names_of(cmd, rel.oid)?.contains(name) {
        let text = format!("constraint \"{name}\" for relation \"{}\" already exists", rel.name());
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    Ok(())
}

/// The `pg_constraint` row of a NOT NULL column. (PostgreSQL: `StoreRelNotNull`)
pub fn add_not_null(cmd: &mut CommandContext<'_>, rel: Oid, attnum: i16, name: Option<&str>) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let existing = cmd.cx.catalog.constraints_of_relation(rel)?;
    if existing.iter().any(|c| c.contype == b'n' && c.conkey.as_deref() == Some(&[attnum])) {
        return Ok(());
    }
    let column = &entry.attributes[attnum as usize - 1].attname;
    let name = match name {
        Some(name) => {
            check_name_is_free(cmd, &entry, name)?;
            name.to_owned()
        }
        None => choose_name(cmd, &entry, Some(column), "not_null")?,
    };
    let new = NewConstraint::new(&name, entry.namespace(), b'n', rel, Some(vec![attnum]));
    cmd.cx.catalog.create_constraint(&new)?;
    cmd.cx.catalog.invalidate_relation(rel);
    cmd.cx.catalog.command_counter_increment()
}

/// PRIMARY KEY and UNIQUE: an index and the constraint that owns it.
fn key(cmd: &mut CommandContext<'_>, rel: Oid, c: &Constraint, recurse: bool) -> Result<()> {
    if c.without_overlaps {
        return Err(PgError::unsupported("WITHOUT OVERLAPS"));
    }
    if c.indexname.is_some() {
        return Err(PgError::unsupported("ADD CONSTRAINT USING INDEX"));
    }
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let primary = c.contype == ConstrType::Primary;
    if primary && entry.primary_key.is_valid() {
        let text = format!("multiple primary keys for table \"{}\" are not allowed", entry.name());
        return Err(PgError::new(INVALID_TABLE_DEFINITION, text).at(c.location));
    }
    for key in &c.keys {
        let attnum = entry.desc.find(key).ok_or_else(|| {
            PgError::new(UNDEFINED_COLUMN, format!("column \"{key}\" named in key does not exist")).at(c.location)
        })?;
        if primary {
            if !entry.attributes[attnum as usize - 1].attnotnull {
                set_not_null(cmd, &entry, attnum)?;
            }
            add_not_null(cmd, rel, attnum, None)?;
        }
    }
    let element = |name: &String| IndexElem { name: Some(name.clone()), ..IndexElem::default() };
    let stmt = IndexStmt {
        idxname: c.conname.clone(),
        relation: RangeVar {
            catalogname: None,
            schemaname: None,
            relname: entry.name().to_owned(),
            inh: recurse,
            relpersistence: RelPersistence::Permanent,
            alias: None,
            location: c.location,
        },
        access_method: "btree".into(),
        table_space: c.indexspace.clone(),
        index_params: c.keys.iter().map(element).collect(),
        index_including_params: c.including.iter().map(element).collect(),
        options: c.options.clone(),
        where_clause: None,
        unique: true,
        nulls_not_distinct: c.nulls_not_distinct,
        concurrent: false,
        if_not_exists: false,
        exclude_op_names: Vec::new(),
        primary,
        isconstraint: true,
        iswithoutoverlaps: false,
        deferrable: false,
        initdeferred: false,
    };
    index::define(cmd, rel, &stmt).map(drop)
}

/// CHECK: analyzed over the table, tested on the rows that are there, stored.
fn check(cmd: &mut CommandContext<'_>, rel: Oid, c: &Constraint, column: Option<&str>) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let raw = c.raw_expr.as_ref().ok_or_else(|| PgError::internal("a CHECK without condition"))?;
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let cooked = {
        let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
        analyze::ddl::cook_check(&mut cx, rel, raw, source)?
    };
    let columns = columns_of(&cooked);
    let name = match &c.conname {
        Some(name) => {
            check_name_is_free(cmd, &entry, name)?;
            name.clone()
        }
        None => {
            // Named after its column if there is exactly one.
            let only = match (columns.len(), columns.first()) {
                (1, Some(n)) if *n > 0 => Some(entry.attributes[*n as usize - 1].attname.clone()),
                _ => column.map(str::to_owned).filter(|_| columns.len() == 1),
            };
            choose_name(cmd, &entry, only.as_deref(), "check")?
        }
    };
    let mut new = NewConstraint::new(&name, entry.namespace(), b'c', rel, Some(columns.into_iter().collect()));
    new.row.conbin = Some(crate::stored::text(&cooked, &cmd.cx.catalog)?);
    new.row.connoinherit = c.is_no_inherit;
    new.row.conenforced = c.is_enforced;
    new.row.convalidated = c.is_enforced && !c.skip_validation;
    new.expression_dependencies = dependencies_of(&cooked, rel);
    if new.row.convalidated {
        table_scan::verify_check(cmd, &entry, &name, &cooked)?;
    }
    cmd.cx.catalog.create_constraint(&new)?;
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel)])?;
    let found = found.ok_or_else(|| PgError::internal("a relation is gone"))?;
    let mut row = found.row.clone();
    row.relchecks += 1;
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}

/// Changes a constraint's row.
pub fn edit(cmd: &mut CommandContext<'_>, oid: Oid, change: impl FnOnce(&mut PgConstraint)) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<PgConstraint>(oids::CONSTRAINT_OID_INDEX, &[Datum::oid(oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a constraint is gone"))?;
    let mut row = found.row.clone();
    change(&mut row);
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}

/// The columns of the (only) relation that an expression uses.
pub fn columns_of(expr: &q::Expr) -> BTreeSet<i16> {
    let mut columns = BTreeSet::new();
    expr.any(&mut |e| {
        if let q::Expr::Var(v) = e {
            columns.insert(v.varattno);
        }
        false
    });
    columns
}

/// What a stored expression depends on: functions, operators, types, and columns of its own relation.
/// (PostgreSQL: `recordDependencyOnSingleRelExpr`)
pub fn dependencies_of(expr: &q::Expr, rel: Oid) -> Vec<ObjectAddress> {
    let mut objects: Vec<ObjectAddress> = Vec::new();
    let mut add = |class: Oid, object: Oid| {
        if object.is_valid() {
            objects.push(ObjectAddress::new(class, object));
        }
    };
    let mut columns = BTreeSet::new();
    expr.any(&mut |e| {
        match e {
            q::Expr::Var(v) => drop(columns.insert(v.varattno)),
            q::Expr::FuncExpr(f) => add(oids::PROCEDURE_RELATION, f.funcid),
            q::Expr::OpExpr(o) | q::Expr::DistinctExpr(o) | q::Expr::NullIfExpr(o) => {
                add(oids::OPERATOR_RELATION, o.opno)
            }
            q::Expr::ScalarArrayOpExpr(o) => add(oids::OPERATOR_RELATION, o.opno),
            q::Expr::Const(c) => {
                add(oids::TYPE_RELATION, c.ty.oid);
                if c.ty.oid == types::oid::REGCLASSOID
                    && let types::Datum::Word(w) = c.value
                {
                    add(oids::RELATION_RELATION, Oid(w as u32));
                }
            }
            q::Expr::RelabelType(r) => add(oids::TYPE_RELATION, r.resulttype.oid),
            q::Expr::CoerceViaIO(c) => add(oids::TYPE_RELATION, c.resulttype),
            q::Expr::CollateExpr(c) => add(oids::COLLATION_RELATION, c.coll_oid),
            q::Expr::CoerceToDomain(d) => add(oids::TYPE_RELATION, d.resulttype.oid),
            q::Expr::NextValueExpr { seqid, .. } => add(oids::RELATION_RELATION, *seqid),
            _ => {}
        }
        false
    });
    objects.extend(columns.into_iter().filter(|n| *n > 0).map(|n| ObjectAddress::column(rel, n)));
    let mut seen = Vec::new();
    objects.retain(|o| {
        let new = !seen.contains(o);
        seen.push(*o);
        new
    });
    objects
}
