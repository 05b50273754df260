//! Partition keys, bounds and conditions as text. (PostgreSQL: `pg_get_partkeydef`, `get_range_partbound_string`)

use base::{Oid, PgError, Result};
use catalog::Catalog;
use parser::{quote_identifier, quote_qualified};
use types::Runtime;

use super::{Deparser, Pretty};
use crate::partition::{Strategy, quals};
use crate::query::*;

fn constant(rt: &mut dyn Runtime, c: &Catalog, e: &Expr) -> Result<String> {
    let Expr::Const(k) = e else { return Err(PgError::internal("a partition bound is not constant")) };
    let mut d = Deparser::new(rt, c.clone(), Pretty::default());
    let bare = Const { ty: TypeMod { collation: Oid::INVALID, ..k.ty }, ..k.clone() };
    d.constant(&bare, -1)?;
    Ok(d.out)
}

/// One end of a range, in parentheses.
pub fn range_end(rt: &mut dyn Runtime, c: &Catalog, list: &[PartitionRangeDatum]) -> Result<String> {
    let mut parts = Vec::with_capacity(list.len());
    for d in list {
        parts.push(match (d.kind, &d.value) {
            (-1, _) => "MINVALUE".to_owned(),
            (1, _) => "MAXVALUE".to_owned(),
            (_, Some(e)) => constant(rt, c, e)?,
            _ => return Err(PgError::internal("a bound without value")),
        });
    }
    Ok(format!("({})", parts.join(", ")))
}

/// `FOR VALUES ...` or `DEFAULT`.
pub fn partition_bound(rt: &mut dyn Runtime, c: &Catalog, b: &PartitionBoundSpec) -> Result<String> {
    if b.is_default {
        return Ok("DEFAULT".into());
    }
    Ok(match Strategy::of(b.strategy)? {
        Strategy::Hash => format!("FOR VALUES WITH (modulus {}, remainder {})", b.modulus, b.remainder),
        Strategy::List => {
            let mut parts = Vec::new();
            for e in &b.listdatums {
                parts.push(constant(rt, c, e)?);
            }
            format!("FOR VALUES IN ({})", parts.join(", "))
        }
        Strategy::Range => {
            let (from, to) = (range_end(rt, c, &b.lowerdatums)?, range_end(rt, c, &b.upperdatums)?);
            format!("FOR VALUES FROM {from} TO {to}")
        }
    })
}

/// `RANGE (a, lower(b))`; with `columns_only` what stands in the parentheses, without collations and operator classes.
pub fn partition_key(rt: &mut dyn Runtime, c: &Catalog, rel: Oid, columns_only: bool) -> Result<Option<String>> {
    let Some(entry) = c.relation(rel)? else { return Ok(None) };
    let Some(row) = &entry.partition_key else { return Ok(None) };
    let mut exprs = match &row.partexprs {
        Some(text) => crate::nodes::read_exprs(text, c)?.into_iter(),
        None => Vec::new().into_iter(),
    };
    let (am, name) = match row.partstrat {
        b'h' => (405, "HASH"),
        b'l' => (403, "LIST"),
        _ => (403, "RANGE"),
    };
    let mut parts = Vec::new();
    for (i, attnum) in row.partattrs.iter().enumerate() {
        let (mut text, ty) = match attnum {
            0 => {
                let e = exprs.next().ok_or_else(|| PgError::internal("too few entries in partexprs list"))?;
                let text = Deparser::new(rt, c.clone(), Pretty::default()).expr_of_relation(&e, rel)?;
                let bare = match &e {
                    Expr::FuncExpr(f) => matches!(f.funcformat, CoercionForm::ExplicitCall | CoercionForm::SqlSyntax),
                    Expr::CoalesceExpr(_) | Expr::MinMaxExpr(_) | Expr::NullIfExpr(_) | Expr::SQLValueFunction(_) => {
                        true
                    }
                    _ => false,
                };
                (if bare { text } else { format!("({text})") }, e.type_mod())
            }
            n => {
                let a = &entry.desc.attrs[*n as usize - 1];
                (quote_identifier(&a.name).into_owned(), crate::relation::attr_type(a))
            }
        };
        if !columns_only {
            let collation = row.partcollation[i];
            if collation.is_valid() && collation != ty.collation {
                text.push_str(&format!(" COLLATE {}", crate::builtins::regtypes::collation_text(c, collation)?));
            }
            let class = c.opclass_row(row.partclass[i])?;
            if c.default_opclass(ty.oid, Oid(am))?.is_none_or(|d| d.oid != class.oid) {
                let found = crate::ddl::find_opclass(c, Oid(am), "", std::slice::from_ref(&class.opcname));
                text.push(' ');
                text.push_str(&match found.is_ok_and(|f| f == class.oid) {
                    true => quote_identifier(&class.opcname).into_owned(),
                    false => quote_qualified(c.namespace_name(class.opcnamespace)?.as_deref(), &class.opcname),
                });
            }
        }
        parts.push(text);
    }
    let list = parts.join(", ");
    Ok(Some(if columns_only { list } else { format!("{name} ({list})") }))
}

/// What `\d+` shows as a partition's constraint. (PostgreSQL: `pg_get_partition_constraintdef`)
pub fn partition_condition(rt: &mut dyn Runtime, c: &Catalog, rel: Oid) -> Result<Option<String>> {
    let Some(entry) = c.relation(rel)? else { return Ok(None) };
    let mut list = quals::of_partition(c, rt, &entry)?;
    let e = match list.len() {
        0 => return Ok(None),
        1 => list.remove(0),
        _ => crate::expr::bool_expr(BoolExprType::And, list, base::error::Location::UNKNOWN),
    };
    Deparser::new(rt, c.clone(), Pretty::default()).expr_of_relation(&e, rel).map(Some)
}
