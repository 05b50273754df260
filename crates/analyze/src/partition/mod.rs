//! Partitioned tables: their keys, the bounds of their partitions, which partition a row belongs to.
//!
//! A [`PartitionDesc`] is made once for each state of a partitioned table's catalog entry and hangs on that entry, so all sessions
//! share it and it goes when the entry is invalidated: whoever adds, takes away or changes a partition invalidates its parent.
//! Rows find their partition by binary search over the sorted bounds ([`PartitionDesc::route`]), without allocation.
//!
//! - [`bounds`]: sorted bounds, the search, and whether a new bound overlaps.
//! - [`quals`]: a partition's bound as a condition over its columns.
//! - [`prune`]: which partitions may hold rows that satisfy given conditions.
//!
//! PostgreSQL: `partcache.c`, `partdesc.c`, `partbounds.c`.

pub mod bounds;
pub mod prune;
pub mod quals;

use std::sync::Arc;

use base::{Oid, PgError, Result};
use catalog::{Catalog, PgPartitionedTable, Relation, oids};
use types::{Comparator, Datum, DatumRef, Runtime};

use crate::query::{Expr, PartitionBoundSpec, TypeMod, Var};

pub use bounds::PartitionDesc;

/// How rows are spread over partitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    List,
    Range,
    Hash,
}

impl Strategy {
    pub fn of(letter: u8) -> Result<Strategy> {
        match letter {
            b'l' => Ok(Strategy::List),
            b'r' => Ok(Strategy::Range),
            b'h' => Ok(Strategy::Hash),
            _ => Err(PgError::internal(format!("unexpected partition strategy: {letter}"))),
        }
    }
}

/// One column of a partition key.
#[derive(Debug)]
pub struct KeyColumn {
    /// 0 for an expression.
    pub attnum: i16,
    /// The column, or the expression, over `varno` 1.
    pub expr: Expr,
    pub ty: TypeMod,
    pub collation: Oid,
    pub opclass: Oid,
    pub opfamily: Oid,
    pub opcintype: Oid,
    /// Comparison, or extended hash function.
    pub support: Oid,
    /// For lists and ranges.
    pub compare: Option<Comparator>,
}

/// How a table is partitioned. (PostgreSQL: `PartitionKeyData`)
#[derive(Debug)]
pub struct PartitionKey {
    pub relid: Oid,
    pub strategy: Strategy,
    pub columns: Vec<KeyColumn>,
}

/// The seed of hash partitioning. (PostgreSQL: `HASH_PARTITION_SEED`)
const HASH_SEED: u64 = 0x7A5B_2236_7996_DCFD;

/// (PostgreSQL: `hash_combine64`)
fn hash_combine(a: u64, b: u64) -> u64 {
    a ^ b.wrapping_add(0x49a0_f4dd_15e5_a8e3).wrapping_add(a << 54).wrapping_add(a >> 7)
}

impl PartitionKey {
    fn load(c: &Catalog, rel: &Relation, row: &PgPartitionedTable) -> Result<PartitionKey> {
        let strategy = Strategy::of(row.partstrat)?;
        let mut exprs = match &row.partexprs {
            Some(text) => crate::nodes::read_exprs(text, c)?.into_iter(),
            None => Vec::new().into_iter(),
        };
        let mut columns = Vec::with_capacity(row.partattrs.len());
        for (i, attnum) in row.partattrs.iter().enumerate() {
            let expr = match attnum {
                0 => exprs.next().ok_or_else(|| PgError::internal("wrong number of partition key expressions"))?,
                n => column_var(rel, *n),
            };
            let (opclass, collation) = (row.partclass[i], row.partcollation[i]);
            let class = c.opclass_row(opclass)?;
            let (family, input) = (class.opcfamily, class.opcintype);
            let number = if strategy == Strategy::Hash { 2 } else { 1 };
            let support = c.opfamily_proc(family, input, input, number)?;
            let support = support.ok_or_else(|| {
                let (am, shown) = (if number == 2 { "hash" } else { "btree" }, c.format_type(input, None));
                let text = format!(
                    "operator class \"{}\" of access method {am} is missing support function {number} for type {}",
                    class.opcname,
                    shown.unwrap_or_default()
                );
                PgError::new(base::sqlstate::INVALID_OBJECT_DEFINITION, text)
            })?;
            let compare = match strategy {
                Strategy::Hash => None,
                _ => Some(c.comparator(support, collation)?),
            };
            columns.push(KeyColumn {
                attnum: *attnum,
                ty: expr.type_mod(),
                expr,
                collation,
                opclass,
                opfamily: family,
                opcintype: input,
                support,
                compare,
            });
        }
        Ok(PartitionKey { relid: rel.oid, strategy, columns })
    }

    /// The hash of a row's key, by which hash partitions divide. (PostgreSQL: `compute_partition_hash_value`)
    pub fn hash(&self, rt: &mut dyn Runtime, values: &[DatumRef<'_>]) -> Result<u64> {
        let mut hash = 0;
        for (k, v) in self.columns.iter().zip(values) {
            if !v.is_null() {
                hash = hash_combine(hash, hash_value(rt, k.support, k.collation, *v)?);
            }
        }
        Ok(hash)
    }

    /// Whether the key has an expression.
    pub fn has_expressions(&self) -> bool {
        self.columns.iter().any(|k| k.attnum == 0)
    }

    /// Whether a key's expression or column uses this column of the table. (PostgreSQL: `has_partition_attrs`)
    pub fn uses(&self, attnum: i16) -> Option<UsedIn> {
        for k in &self.columns {
            if k.attnum == attnum {
                return Some(UsedIn::Column);
            }
            if k.attnum == 0 && k.expr.any(&mut |e| matches!(e, Expr::Var(v) if v.varattno == attnum)) {
                return Some(UsedIn::Expression);
            }
        }
        None
    }
}

/// Where a column stands in a partition key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsedIn {
    Column,
    Expression,
}

/// One value's part of a row's hash.
pub(crate) fn hash_value(rt: &mut dyn Runtime, support: Oid, collation: Oid, v: DatumRef<'_>) -> Result<u64> {
    let seed = Datum::Word(HASH_SEED);
    let h = rt.call(support, collation, &[v, seed.as_ref()])?;
    Ok(h.as_ref().word())
}

/// What `satisfies_hash_partition` combines.
pub(crate) fn combine(hash: u64, value: u64) -> u64 {
    hash_combine(hash, value)
}

/// A column of a table as a variable of `varno` 1.
pub fn column_var(rel: &Relation, attnum: i16) -> Expr {
    let a = &rel.desc.attrs[attnum as usize - 1];
    Expr::Var(Var {
        varno: 1,
        varattno: attnum,
        vartype: TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation },
        varnosyn: 1,
        varattnosyn: attnum,
        ..Var::default()
    })
}

/// How a table is partitioned and into what; `None` for tables that are not. (PostgreSQL: `RelationGetPartitionDesc`)
pub fn desc(c: &Catalog, rel: &Relation, rt: &mut dyn Runtime) -> Result<Option<Arc<PartitionDesc>>> {
    if rel.partition_key.is_none() {
        return Ok(None);
    }
    if let Some(known) = rel.derived.get() {
        return downcast(known.clone()).map(Some);
    }
    let made = Arc::new(load(c, rel, rt)?);
    // Another session may have been faster; both are the same.
    downcast(rel.derived.get_or_init(|| made).clone()).map(Some)
}

fn downcast(value: Arc<dyn std::any::Any + Send + Sync>) -> Result<Arc<PartitionDesc>> {
    value.downcast().map_err(|_| PgError::internal("a partitioned table's derived value is something else"))
}

/// As [`desc`], of a table that is partitioned.
pub fn desc_of(c: &Catalog, rel: &Relation, rt: &mut dyn Runtime) -> Result<Arc<PartitionDesc>> {
    desc(c, rel, rt)?.ok_or_else(|| PgError::internal(format!("table \"{}\" is not partitioned", rel.name())))
}

/// The key of a partitioned table.
pub fn key(c: &Catalog, rel: &Relation) -> Result<Option<PartitionKey>> {
    rel.partition_key.as_ref().map(|row| PartitionKey::load(c, rel, row)).transpose()
}

fn load(c: &Catalog, rel: &Relation, rt: &mut dyn Runtime) -> Result<PartitionDesc> {
    let row = rel.partition_key.as_ref().ok_or_else(|| PgError::internal("not a partitioned table"))?;
    let key = PartitionKey::load(c, rel, row)?;
    let mut parts = Vec::new();
    for child in c.inheritance_children(rel.oid)? {
        if child.inhdetachpending {
            continue;
        }
        let Some(entry) = c.relation(child.inhrelid)? else { continue };
        if let Some(spec) = bound_of(c, &entry)? {
            parts.push((entry.oid, entry.kind() != catalog::relkind::PARTITIONED_TABLE, spec));
        }
    }
    PartitionDesc::new(key, parts, rt)
}

/// A partition's bound.
pub fn bound_of(c: &Catalog, rel: &Relation) -> Result<Option<PartitionBoundSpec>> {
    rel.class.relpartbound.as_ref().map(|text| crate::nodes::read_bound(text, c)).transpose()
}

/// The table that a partition is part of. (PostgreSQL: `get_partition_parent`)
pub fn parent_of(c: &Catalog, rel: &Relation) -> Result<Option<Oid>> {
    if !rel.class.relispartition {
        return Ok(None);
    }
    Ok(c.inheritance_parents(rel.oid)?.first().map(|p| p.inhparent))
}

/// A partition's ancestors, the nearest first. (PostgreSQL: `get_partition_ancestors`)
pub fn ancestors(c: &Catalog, rel: Oid) -> Result<Vec<Oid>> {
    let mut out = Vec::new();
    let mut at = c.relation(rel)?;
    while let Some(r) = at {
        let Some(parent) = parent_of(c, &r)? else { break };
        out.push(parent);
        at = c.relation(parent)?;
    }
    Ok(out)
}

/// For each column of `from` (from 1), the one of the same name in `to`; 0 for dropped ones. `None`: they are the same.
/// (PostgreSQL: `build_attrmap_by_name_if_req`)
pub fn column_map(from: &Relation, to: &Relation) -> Result<Option<Vec<i16>>> {
    let (a, b) = (&from.desc.attrs, &to.desc.attrs);
    if a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.dropped == y.dropped && (x.dropped || x.name == y.name)) {
        return Ok(None);
    }
    let mut map = Vec::with_capacity(a.len());
    for (i, x) in a.iter().enumerate() {
        let same_place = b.get(i).is_some_and(|y| !y.dropped && y.name == x.name);
        let at = match () {
            () if x.dropped => None,
            () if same_place => Some(i),
            () => b.iter().position(|y| !y.dropped && y.name == x.name),
        };
        if at.is_none() && !x.dropped {
            let text =
                format!("could not convert row type: attribute \"{}\" does not exist in \"{}\"", x.name, to.name());
            return Err(PgError::new(base::sqlstate::DATATYPE_MISMATCH, text));
        }
        map.push(at.map_or(0, |i| i as i16 + 1));
    }
    Ok(Some(map))
}

/// The btree operator of a key column's family, and whether the column must be relabelled for it.
/// (PostgreSQL: `get_partition_operator`)
pub(crate) fn operator(c: &Catalog, k: &KeyColumn, strategy: i16) -> Result<(Oid, bool)> {
    let op = c.opfamily_member(k.opfamily, k.opcintype, k.opcintype, strategy)?;
    let op = op.ok_or_else(|| {
        PgError::internal(format!(
            "missing operator {strategy}({},{}) in partition opfamily {}",
            k.opcintype, k.opcintype, k.opfamily
        ))
    })?;
    let polymorphic = [types::oid::ANYARRAYOID, types::oid::ANYENUMOID, types::oid::RECORDOID, types::oid::ANYRANGEOID];
    let relabel = k.ty.oid != k.opcintype && !polymorphic.contains(&k.opcintype);
    Ok((op, relabel))
}

/// The catalog that describes keys.
pub const CATALOG: Oid = oids::PARTITIONED_RELATION;

/// An expression over one range-table entry of a table, over another table's columns: those of the same place in `map`
/// (from 1), whole rows converted. (PostgreSQL: `map_variable_attnos`)
pub fn map_vars(e: &mut Expr, rti: u32, map: &[i16], from_row: Oid, to_row: Oid) -> Result<()> {
    if let Expr::Var(v) = e {
        if v.varno != rti || v.varlevelsup != 0 || v.varattno < 0 {
            return Ok(());
        }
        if v.varattno > 0 {
            v.varattno = map.get(v.varattno as usize - 1).copied().unwrap_or(0);
            return Ok(());
        }
        if from_row != to_row {
            v.vartype.oid = to_row;
            let arg = Expr::Var(v.clone());
            *e = Expr::ConvertRowtypeExpr(Box::new(crate::query::ConvertRowtypeExpr {
                arg,
                resulttype: from_row,
                convertformat: crate::query::CoercionForm::ImplicitCast,
                location: base::error::Location::UNKNOWN,
            }));
        }
        return Ok(());
    }
    e.try_children_mut(&mut |c| map_vars(c, rti, map, from_row, to_row))
}
