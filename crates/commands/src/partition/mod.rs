//! Declarative partitioning: keys of new partitioned tables, bounds of new partitions.
//!
//! - here: what `PARTITION BY` and `FOR VALUES` mean and how they are stored;
//! - [`tree`]: walks over a table and its children.
//!
//! Whoever adds or takes away a partition invalidates its parent, on whose catalog entry the sorted bounds hang.
//!
//! PostgreSQL: `ComputePartitionAttrs`, `StorePartitionKey`, `transformPartitionBound`, `StorePartitionBound`.

pub mod attach;
pub mod foreign_keys;
pub mod indexes;
pub mod tree;

use std::sync::Arc;

use analyze::partition::{self, PartitionDesc, Strategy};
use analyze::query as q;
use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{DependencyType, ObjectAddress, PgPartitionedTable, Relation, oids, relkind};
use executor::row_expr;
use parser::ast::{self, PartitionStrategy};
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, alter_table, constraint, index, table_scan};

/// At most so many columns make a key. (PostgreSQL: `PARTITION_MAX_KEYS`)
const MAX_KEYS: usize = 32;

fn invalid(text: impl Into<String>, at: Location) -> PgError {
    PgError::new(INVALID_OBJECT_DEFINITION, text.into()).at(at)
}

/// A key's element as it is stored.
struct Element {
    attnum: i16,
    expr: Option<q::Expr>,
    collation: Oid,
    opclass: Oid,
}

/// Stores how a new table is partitioned.
pub fn define_key(cmd: &mut CommandContext<'_>, rel: Oid, spec: &ast::PartitionSpec) -> Result<()> {
    if spec.part_params.len() > MAX_KEYS {
        let text = format!("cannot partition using more than {MAX_KEYS} columns");
        return Err(PgError::new(TOO_MANY_COLUMNS, text));
    }
    if spec.strategy == PartitionStrategy::List && spec.part_params.len() != 1 {
        let text = "cannot use \"list\" partition strategy with more than one column";
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    }
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let mut elements = Vec::new();
    let mut cooked = Vec::new();
    for e in &spec.part_params {
        cooked.push(match &e.expr {
            Some(raw) => {
                let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
                let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
                Some(analyze::ddl::partition_expression(&mut cx, rel, raw, source)?)
            }
            None => None,
        });
    }
    for (e, cooked) in spec.part_params.iter().zip(cooked) {
        elements.push(element(cmd, &entry, e, cooked, spec.strategy)?);
    }
    let exprs: Vec<q::Expr> = elements.iter().filter_map(|e| e.expr.clone()).collect();
    let catalog = cmd.cx.catalog.clone();
    catalog.insert_row(&PgPartitionedTable {
        partrelid: rel,
        partstrat: spec.strategy.as_char() as u8,
        partnatts: elements.len() as i16,
        partdefid: Oid::INVALID,
        partattrs: elements.iter().map(|e| e.attnum).collect(),
        partclass: elements.iter().map(|e| e.opclass).collect(),
        partcollation: elements.iter().map(|e| e.collation).collect(),
        partexprs: match exprs.is_empty() {
            true => None,
            false => Some(analyze::nodes::write_exprs(&exprs, &catalog)?),
        },
    })?;
    let me = ObjectAddress::relation(rel);
    let mut on = Vec::new();
    for e in &elements {
        on.push(ObjectAddress::new(oids::OPERATOR_CLASS_RELATION, e.opclass));
        if e.collation.is_valid() && e.collation != oids::DEFAULT_COLLATION_OID {
            on.push(ObjectAddress::new(oids::COLLATION_RELATION, e.collation));
        }
    }
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    // No column of the key can go without the table.
    let internal = |column: &ObjectAddress| catalog.record_dependency(column, &me, DependencyType::Internal);
    for e in elements.iter().filter(|e| e.attnum != 0) {
        internal(&ObjectAddress::column(rel, e.attnum))?;
    }
    for e in &exprs {
        let all = constraint::dependencies_of(e, rel);
        let (own, other): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|o| o.class == oids::RELATION_RELATION && o.object == rel);
        catalog.record_dependencies(&me, &other, DependencyType::Normal)?;
        own.iter().try_for_each(internal)?;
    }
    catalog.invalidate_relation(rel);
    catalog.command_counter_increment()
}

fn element(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    e: &ast::PartitionElem,
    cooked: Option<q::Expr>,
    strategy: PartitionStrategy,
) -> Result<Element> {
    let generated = |name: &str| {
        invalid("cannot use generated column in partition key", e.location)
            .detail(format!("Column \"{name}\" is a generated column."))
    };
    let (attnum, expr, ty) = match (&e.name, cooked) {
        (Some(name), _) => {
            if alter_table::catalog_system_column(name) {
                return Err(invalid(format!("cannot use system column \"{name}\" in partition key"), e.location));
            }
            let Some(n) = rel.desc.find(name) else {
                let text = format!("column \"{name}\" named in partition key does not exist");
                return Err(PgError::new(UNDEFINED_COLUMN, text).at(e.location));
            };
            let a = &rel.desc.attrs[n as usize - 1];
            if a.generated != 0 {
                return Err(generated(name));
            }
            (n, None, q::TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation })
        }
        (None, Some(mut expr)) => {
            let ty = expr.type_mod();
            storable(cmd, ty.oid, &e.location)?;
            while let q::Expr::CollateExpr(c) = expr {
                expr = c.arg;
            }
            let mut columns = constraint::columns_of(&expr);
            if columns.remove(&0) {
                columns.extend(1..=rel.desc.len() as i16);
            }
            for n in &columns {
                if *n < 0 {
                    let text = "partition key expressions cannot contain system column references";
                    return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
                }
                let a = &rel.desc.attrs[*n as usize - 1];
                if a.generated != 0 {
                    return Err(generated(&a.name));
                }
            }
            match expr {
                q::Expr::Var(v) if v.varattno > 0 => (v.varattno, None, ty),
                expr => {
                    if analyze::ddl::contains_mutable(&cmd.cx.catalog, &expr)? {
                        let text = "functions in partition key expression must be marked IMMUTABLE";
                        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
                    }
                    if columns.is_empty() {
                        let text = "cannot use constant expression as partition key";
                        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
                    }
                    (0, Some(expr), ty)
                }
            }
        }
        (None, None) => return Err(PgError::internal("a partition key without column and expression")),
    };
    let collation = match e.collation.as_slice() {
        [] => ty.collation,
        name => index::collation_by_name(cmd.cx, name)?,
    };
    if cmd.cx.catalog.type_row(ty.oid)?.typcollation.is_valid() {
        if !collation.is_valid() {
            let text = "could not determine which collation to use for partition expression";
            let hint = "Use the COLLATE clause to set the collation explicitly.";
            return Err(PgError::new(INDETERMINATE_COLLATION, text).hint(hint));
        }
    } else if collation.is_valid() {
        let shown = cmd.cx.catalog.format_type(ty.oid, None)?;
        return Err(PgError::new(DATATYPE_MISMATCH, format!("collations are not supported by type {shown}")));
    }
    let (am, am_name) = match strategy {
        PartitionStrategy::Hash => (Oid(405), "hash"),
        _ => (oids::BTREE_AM_OID, "btree"),
    };
    let opclass = match e.opclass.as_slice() {
        [] => match cmd.cx.catalog.default_opclass(ty.oid, am)? {
            Some(class) => class.oid,
            None => {
                let shown = cmd.cx.catalog.format_type(ty.oid, None)?;
                let text = format!("data type {shown} has no default operator class for access method \"{am_name}\"");
                let hint = format!(
                    "You must specify a {am_name} operator class or define a default {am_name} operator class for the data type."
                );
                return Err(PgError::new(UNDEFINED_OBJECT, text).hint(hint));
            }
        },
        name => {
            let oid = analyze::ddl::find_opclass(&cmd.cx.catalog, am, am_name, name)?;
            let input = cmd.cx.catalog.opclass_row(oid)?.opcintype;
            if !cmd.cx.catalog.binary_coercible(ty.oid, input)? {
                let shown = cmd.cx.catalog.format_type(ty.oid, None)?;
                let text = format!("operator class \"{}\" does not accept data type {shown}", name.join("."));
                return Err(PgError::new(DATATYPE_MISMATCH, text));
            }
            oid
        }
    };
    Ok(Element { attnum, expr, collation, opclass })
}

/// An expression's type must be one that a column could have.
fn storable(cmd: &CommandContext<'_>, oid: Oid, _: &Location) -> Result<()> {
    let t = cmd.cx.catalog.type_row(oid)?;
    if t.typtype == b'p' {
        let shown = cmd.cx.catalog.format_type(oid, None)?;
        let text = format!("partition key column 1 has pseudo-type {shown}");
        return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
    }
    Ok(())
}

/// A partitioned table's partitions.
pub fn desc(cmd: &mut CommandContext<'_>, rel: &Relation) -> Result<Arc<PartitionDesc>> {
    let catalog = cmd.cx.catalog.clone();
    partition::desc_of(&catalog, rel, cmd.cx)
}

/// What a bound as written means for that parent. (PostgreSQL: `transformPartitionBound`)
pub fn transform_bound(
    cmd: &mut CommandContext<'_>,
    parent: &Relation,
    spec: &ast::PartitionBoundSpec,
) -> Result<q::PartitionBoundSpec> {
    let desc = desc(cmd, parent)?;
    let wrong = |text: &str| PgError::new(INVALID_TABLE_DEFINITION, text);
    let mut out = q::PartitionBoundSpec {
        strategy: match desc.key.strategy {
            Strategy::List => b'l',
            Strategy::Range => b'r',
            Strategy::Hash => b'h',
        },
        is_default: spec.is_default,
        location: spec.location,
        ..q::PartitionBoundSpec::default()
    };
    if spec.is_default {
        return match desc.key.strategy {
            Strategy::Hash => Err(wrong("a hash-partitioned table may not have a default partition")),
            _ => Ok(out),
        };
    }
    let misfit = |kind: &str| wrong(&format!("invalid bound specification for a {kind} partition")).at(spec.location);
    match (desc.key.strategy, spec.strategy) {
        (Strategy::Hash, Some(PartitionStrategy::Hash)) => {
            if spec.modulus <= 0 {
                return Err(wrong("modulus for hash partition must be an integer value greater than zero"));
            }
            if spec.remainder >= spec.modulus {
                return Err(wrong("remainder for hash partition must be less than modulus"));
            }
            (out.modulus, out.remainder) = (spec.modulus, spec.remainder);
        }
        (Strategy::List, Some(PartitionStrategy::List)) => {
            let name = column_name(cmd, parent, &desc, 0)?;
            for raw in &spec.listdatums {
                let value = bound_value(cmd, &desc, 0, raw, &name)?;
                let same = |e: &q::Expr| match (e, &value) {
                    (q::Expr::Const(a), q::Expr::Const(b)) => a.value == b.value,
                    _ => false,
                };
                if !out.listdatums.iter().any(same) {
                    out.listdatums.push(value);
                }
            }
        }
        (Strategy::Range, Some(PartitionStrategy::Range)) => {
            let n = desc.key.columns.len();
            if spec.lowerdatums.len() != n {
                return Err(wrong("FROM must specify exactly one value per partitioning column"));
            }
            if spec.upperdatums.len() != n {
                return Err(wrong("TO must specify exactly one value per partitioning column"));
            }
            out.lowerdatums = range_end(cmd, parent, &desc, &spec.lowerdatums)?;
            out.upperdatums = range_end(cmd, parent, &desc, &spec.upperdatums)?;
        }
        (Strategy::Hash, _) => return Err(misfit("hash")),
        (Strategy::List, _) => return Err(misfit("list")),
        (Strategy::Range, _) => return Err(misfit("range")),
    }
    Ok(out)
}

/// A key's column as messages show it.
fn column_name(cmd: &mut CommandContext<'_>, parent: &Relation, desc: &PartitionDesc, i: usize) -> Result<String> {
    let k = &desc.key.columns[i];
    if k.attnum != 0 {
        return Ok(parent.attributes[k.attnum as usize - 1].attname.clone());
    }
    let catalog = cmd.cx.catalog.clone();
    analyze::deparse::Deparser::new(cmd.cx, catalog, analyze::deparse::Pretty::default())
        .expr_of_relation(&k.expr, parent.oid)
}

fn bound_value(
    cmd: &mut CommandContext<'_>,
    desc: &PartitionDesc,
    i: usize,
    raw: &ast::Expr,
    name: &str,
) -> Result<q::Expr> {
    let ty = desc.key.columns[i].ty;
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let (e, location) = {
        let mut cx = analyze::AnalyzeContext::new(catalog.clone(), cmd.cx);
        analyze::ddl::partition_bound_value(&mut cx, raw, ty, name, source)?
    };
    let value = match e {
        q::Expr::Const(c) => c.value,
        e => row_expr::evaluate(cmd.cx, &e)?,
    };
    let t = catalog.type_row(ty.oid)?;
    Ok(q::Expr::Const(q::Const { ty, len: t.typlen, byval: t.typbyval, value, location }))
}

fn range_end(
    cmd: &mut CommandContext<'_>,
    parent: &Relation,
    desc: &PartitionDesc,
    list: &[ast::Expr],
) -> Result<Vec<q::PartitionRangeDatum>> {
    let mut out: Vec<q::PartitionRangeDatum> = Vec::new();
    for (i, raw) in list.iter().enumerate() {
        if let ast::Expr::ColumnRef(c) = raw
            && let [ast::Field::Name(word)] = c.fields.as_slice()
            && let Some(kind) = [("minvalue", -1), ("maxvalue", 1)].iter().find(|k| k.0 == word)
        {
            out.push(q::PartitionRangeDatum { kind: kind.1, value: None, location: c.location });
            continue;
        }
        let name = column_name(cmd, parent, desc, i)?;
        let value = bound_value(cmd, desc, i, raw, &name)?;
        let q::Expr::Const(c) = &value else { continue };
        if c.value.is_null() {
            return Err(PgError::new(INVALID_OBJECT_DEFINITION, "cannot specify NULL in range bound"));
        }
        let location = c.location;
        out.push(q::PartitionRangeDatum { kind: 0, value: Some(value), location });
    }
    let mut kind = 0;
    for d in &out {
        if kind != 0 && d.kind != kind {
            let word = if kind < 0 { "MINVALUE" } else { "MAXVALUE" };
            let text = format!("every bound following {word} must also be {word}");
            return Err(PgError::new(DATATYPE_MISMATCH, text).at(d.location));
        }
        kind = d.kind;
    }
    Ok(out)
}

/// Checks a new partition's bound: no overlap, and no row of the default partition that would belong to it.
pub fn check_bound(
    cmd: &mut CommandContext<'_>,
    parent: &Relation,
    name: &str,
    spec: &q::PartitionBoundSpec,
) -> Result<()> {
    let desc = desc(cmd, parent)?;
    let default = desc.default.map(|i| desc.parts[i].oid);
    if let Some(oid) = default {
        executor::lock_relation(cmd.cx, oid, LockMode::AccessExclusive)?;
    }
    let catalog = cmd.cx.catalog.clone();
    desc.check_new(&catalog, cmd.cx, name, spec)?;
    check_default(cmd, parent, &desc, spec)
}

/// No row of the default partition may belong to a new one. `desc`: as it was without it.
pub fn check_default(
    cmd: &mut CommandContext<'_>,
    parent: &Relation,
    desc: &PartitionDesc,
    spec: &q::PartitionBoundSpec,
) -> Result<()> {
    let Some(default) = desc.default.map(|i| desc.parts[i].oid) else { return Ok(()) };
    let catalog = cmd.cx.catalog.clone();
    let default = catalog.relation_entry(default)?;
    let list = desc.quals(&catalog, cmd.cx, spec)?;
    let mut condition = match list.len() {
        1 => list.into_iter().next().unwrap_or_default(),
        _ => bool_expr(q::BoolExprType::And, list),
    };
    if let Some(map) = partition::column_map(parent, &default)? {
        partition::quals::renumber(&mut condition, &map)?;
    }
    for oid in tree::inheritors(cmd, default.oid, Some(LockMode::AccessExclusive))? {
        let part = catalog.relation_entry(oid)?;
        if part.kind() != relkind::TABLE {
            continue;
        }
        let mut e = condition.clone();
        if let Some(map) = partition::column_map(&default, &part)? {
            partition::quals::renumber(&mut e, &map)?;
        }
        if table_scan::holds_for_some(cmd, &part, &e)? {
            let text = format!(
                "updated partition constraint for default partition \"{}\" would be violated by some row",
                default.name()
            );
            let schema = catalog.namespace_name(default.namespace())?.unwrap_or_default();
            return Err(PgError::new(CHECK_VIOLATION, text).table(schema, default.name()));
        }
    }
    Ok(())
}

pub(crate) fn bool_expr(boolop: q::BoolExprType, args: Vec<q::Expr>) -> q::Expr {
    q::Expr::BoolExpr(Box::new(q::BoolExpr { boolop, args, location: Location::UNKNOWN }))
}

/// Notes a partition's bound. (PostgreSQL: `StorePartitionBound`)
pub fn store_bound(cmd: &mut CommandContext<'_>, rel: Oid, parent: Oid, spec: &q::PartitionBoundSpec) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let text = analyze::nodes::write_bound(spec, &catalog)?;
    alter_table::edit_class(cmd, rel, |c| {
        c.relispartition = true;
        c.relpartbound = Some(text);
    })?;
    if spec.is_default {
        set_default(cmd, parent, rel)?;
    }
    forget(cmd, parent)
}

/// Notes which partition is the default one.
pub fn set_default(cmd: &mut CommandContext<'_>, parent: Oid, default: Oid) -> Result<()> {
    let key = [Datum::oid(parent)];
    let found = cmd.cx.catalog.find_row::<PgPartitionedTable>(oids::PARTITIONED_RELID_INDEX, &key)?;
    let found = found.ok_or_else(|| PgError::internal("a partitioned table's row is gone"))?;
    let row = PgPartitionedTable { partdefid: default, ..found.row.clone() };
    cmd.cx.catalog.update_row(&found, &row).map(drop)
}

/// A partitioned table's partitions changed: its entry and its default partition's, whose condition changed, are read anew.
pub fn forget(cmd: &mut CommandContext<'_>, parent: Oid) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    catalog.invalidate_relation(parent);
    if let Some(key) = catalog.relation(parent)?.and_then(|p| p.partition_key.clone())
        && key.partdefid.is_valid()
    {
        catalog.invalidate_relation(key.partdefid);
    }
    catalog.command_counter_increment()
}
