//! Partitioned tables in SQL: `pg_partition_tree` and its like, keys and conditions as text, `satisfies_hash_partition`.
//!
//! PostgreSQL: `utils/adt/partitionfuncs.c`, `satisfies_hash_partition`.

use base::sqlstate::INVALID_PARAMETER_VALUE;
use base::{Oid, PgError, Result};
use catalog::{Catalog, relkind};
use types::array::{ArrayRef, ElementType};
use types::{Datum, DatumRef, FnCx, FromDatum, IntoDatum, RowList, RowSource, builtin};

use super::regtypes::catalog_of;
use crate::partition::{self, Strategy};

/// What is or may be part of a partition tree.
fn in_tree(c: &Catalog, rel: Oid) -> Result<bool> {
    let Some(r) = c.relation(rel)? else { return Ok(false) };
    let partitioned = matches!(r.kind(), relkind::PARTITIONED_TABLE | relkind::PARTITIONED_INDEX);
    Ok(partitioned || r.class.relispartition || matches!(r.kind(), relkind::TABLE | relkind::INDEX | b'f'))
}

fn ancestors(c: &Catalog, rel: Oid) -> Result<Vec<Oid>> {
    let mut out = vec![rel];
    out.extend(partition::ancestors(c, rel)?);
    Ok(out)
}

/// Whether it has a place in a tree: tables that are neither partitions nor partitioned have none.
fn has_place(c: &Catalog, rel: Oid) -> Result<bool> {
    let Some(r) = c.relation(rel)? else { return Ok(false) };
    let kinds = [relkind::PARTITIONED_TABLE, relkind::PARTITIONED_INDEX];
    Ok(r.class.relispartition || kinds.contains(&r.kind()))
}

#[builtin("pg_partition_tree", set)]
fn pg_partition_tree(cx: &mut FnCx<'_>, root: Oid) -> Result<Box<dyn RowSource>> {
    let c = catalog_of(cx)?;
    let mut rows = Vec::new();
    if in_tree(&c, root)? {
        let mut all = vec![(root, 0)];
        let mut at = 0;
        while let Some((rel, level)) = all.get(at).copied() {
            let mut children: Vec<Oid> = c.inheritance_children(rel)?.iter().map(|i| i.inhrelid).collect();
            children.sort_unstable();
            all.extend(children.into_iter().map(|o| (o, level + 1)));
            at += 1;
            let Some(entry) = c.relation(rel)? else { continue };
            let parent = partition::parent_of(&c, &entry)?;
            let leaf = !matches!(entry.kind(), relkind::PARTITIONED_TABLE | relkind::PARTITIONED_INDEX);
            rows.push(vec![
                rel.into_datum(),
                parent.map_or(Datum::Null, IntoDatum::into_datum),
                leaf.into_datum(),
                Datum::i32(level),
            ]);
        }
    }
    Ok(Box::new(RowList(rows.into_iter())))
}

#[builtin("pg_partition_root")]
fn pg_partition_root(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<Oid>> {
    let c = catalog_of(cx)?;
    if !has_place(&c, rel)? {
        return Ok(None);
    }
    Ok(ancestors(&c, rel)?.pop())
}

#[builtin("pg_partition_ancestors", set)]
fn pg_partition_ancestors(cx: &mut FnCx<'_>, rel: Oid) -> Result<Box<dyn RowSource>> {
    let c = catalog_of(cx)?;
    let mut rows = Vec::new();
    if has_place(&c, rel)? {
        rows.extend(ancestors(&c, rel)?.into_iter().map(|o| vec![o.into_datum()]));
    }
    Ok(Box::new(RowList(rows.into_iter())))
}

#[builtin("pg_get_partkeydef")]
fn pg_get_partkeydef(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    crate::deparse::partition_key(cx.rt, &c, rel, false)
}

#[builtin("pg_get_partition_constraintdef")]
fn pg_get_partition_constraintdef(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<String>> {
    let c = catalog_of(cx)?;
    crate::deparse::partition_condition(cx.rt, &c, rel)
}

/// What a call site keeps: for each key its hash function and collation.
struct HashKeys {
    parent: Oid,
    support: Vec<(Oid, Oid)>,
}

fn refuse<T>(text: impl Into<String>) -> Result<T> {
    Err(PgError::new(INVALID_PARAMETER_VALUE, text.into()))
}

fn hash_keys(cx: &mut FnCx<'_>, parent: Oid, given: &[Oid]) -> Result<HashKeys> {
    let c = catalog_of(cx)?;
    let Some(rel) = c.relation(parent)? else {
        return Err(PgError::internal(format!("could not open relation with OID {parent}")));
    };
    let key = match partition::key(&c, &rel)? {
        Some(k) if k.strategy == Strategy::Hash => k,
        _ => return refuse(format!("\"{}\" is not a hash partitioned table", rel.name())),
    };
    let (n, m) = (key.columns.len(), given.len());
    if n != m && !cx.call.variadic {
        let text =
            format!("number of partitioning columns ({n}) does not match number of partition keys provided ({m})");
        return refuse(text);
    }
    for (i, k) in key.columns.iter().enumerate() {
        let Some(t) = given.get(i).or(given.last().filter(|_| cx.call.variadic)).copied() else { continue };
        let fits = k.ty.oid == t || (!cx.call.variadic && c.binary_coercible(t, k.ty.oid)?);
        if !fits {
            let (a, b) = (c.format_type(k.ty.oid, None)?, c.format_type(t, None)?);
            let text = match cx.call.variadic {
                true => format!(
                    "column {} of the partition key has type \"{a}\", but supplied value is of type \"{b}\"",
                    i + 1
                ),
                false => {
                    format!("column {} of the partition key has type {a}, but supplied value is of type {b}", i + 1)
                }
            };
            return refuse(text);
        }
    }
    if n != m {
        let text =
            format!("number of partitioning columns ({n}) does not match number of partition keys provided ({m})");
        return refuse(text);
    }
    Ok(HashKeys { parent, support: key.columns.iter().map(|k| (k.support, k.collation)).collect() })
}

#[builtin("satisfies_hash_partition", raw)]
fn satisfies_hash_partition(cx: &mut FnCx<'_>, args: &[DatumRef<'_>]) -> Result<bool> {
    if args.len() < 3 || args[..3].iter().any(|a| a.is_null()) {
        return Ok(false);
    }
    let (parent, modulus) = (Oid::from_datum(args[0])?, i32::from_datum(args[1])?);
    let remainder = i32::from_datum(args[2])?;
    if modulus <= 0 {
        return refuse("modulus for hash partition must be an integer value greater than zero");
    }
    if remainder < 0 {
        return refuse("remainder for hash partition must be an integer value greater than or equal to zero");
    }
    if remainder >= modulus {
        return refuse("remainder for hash partition must be less than modulus");
    }
    let opened: Vec<Datum>;
    let mut types = Vec::new();
    let values: Vec<DatumRef<'_>> = if cx.call.variadic {
        let Some(array) = args.get(3).filter(|a| !a.is_null()) else { return Ok(false) };
        let bytes = match array {
            DatumRef::Toasted(t) => cx.rt.detoast(t)?,
            other => other.as_bytes().to_vec(),
        };
        let array = ArrayRef::new(&bytes)?;
        let elem = array.elem_type();
        let element = ElementType::of(&*cx.rt.type_info(elem)?);
        opened = array.elements(&element).map(|v| v.map(|v| v.to_owned())).collect::<Result<_>>()?;
        types.resize(opened.len(), elem);
        opened.iter().map(Datum::as_ref).collect()
    } else {
        types.extend(cx.call.arg_types.iter().skip(3).copied());
        args[3..].to_vec()
    };
    let known = cx.state.as_ref().and_then(|s| s.downcast_ref::<HashKeys>()).is_some_and(|k| k.parent == parent);
    if !known {
        let keys = hash_keys(cx, parent, &types)?;
        *cx.state = Some(Box::new(keys));
    }
    let lost = || PgError::internal("lost function state");
    let support = cx.state.as_ref().and_then(|s| s.downcast_ref::<HashKeys>()).ok_or_else(lost)?.support.clone();
    let mut hash = 0;
    for ((function, collation), v) in support.into_iter().zip(values) {
        if !v.is_null() {
            hash = partition::combine(hash, partition::hash_value(cx.rt, function, collation, v)?);
        }
    }
    Ok(hash % modulus as u64 == remainder as u64)
}
