//! Values of variables, and how one type's value becomes another's. (PostgreSQL: `exec_cast_value`, `exec_move_row`)

use std::sync::Arc;

use analyze::AnalyzeContext;
use analyze::query::TypeMod;
use base::{Oid, PgError, Result};
use executor::ExecContext;
use executor::scalar_expr::{ScalarExpr, plain};
use hashbrown::HashMap;
use types::oid::*;
use types::{Datum, DatumRef, Runtime, TupleDesc};

use crate::tree::VarType;

/// A variable's value.
#[derive(Clone, Debug)]
pub enum Slot {
    Scalar(Datum),
    /// `None`: a null row, or a record that nothing was assigned to yet.
    Record(Option<Record>),
}

/// A row.
#[derive(Clone, Debug)]
pub struct Record {
    pub desc: Arc<TupleDesc>,
    pub values: Vec<Datum>,
}

impl Record {
    /// A row of nulls.
    pub fn empty(desc: Arc<TupleDesc>) -> Record {
        Record { values: vec![Datum::Null; desc.len()], desc }
    }
    pub fn field(&self, name: &str) -> Option<usize> {
        self.desc.attrs.iter().position(|a| !a.dropped && *a.name == *name)
    }
    /// As one datum.
    pub fn datum(&mut self, cx: &mut ExecContext) -> Result<Datum> {
        if self.desc.type_oid == RECORDOID && self.desc.typmod < 0 {
            self.desc = cx.bless((*self.desc).clone());
        }
        let refs: Vec<DatumRef<'_>> = self.values.iter().map(Datum::as_ref).collect();
        types::record::build(&self.desc, &refs)
    }
    /// From one datum.
    pub fn open(cx: &mut ExecContext, value: &Datum) -> Result<Record> {
        let value = plain(cx, value.clone())?;
        let payload = value.as_ref().as_bytes();
        let (oid, typmod) = types::record::type_of(payload)?;
        let desc = cx.row_type(oid, typmod)?;
        let values = types::record::open(payload, &desc)?.into_iter().map(DatumRef::to_owned).collect::<Vec<_>>();
        let values = values.into_iter().map(|v| plain(cx, v)).collect::<Result<_>>()?;
        Ok(Record { desc, values })
    }
}

/// Conversions made so far, as long as the catalogs stay the same.
#[derive(Default)]
struct Casts {
    key: (u64, u64),
    map: HashMap<(Oid, i32, Oid, i32), Option<Box<ScalarExpr>>>,
}

/// The catalogs' state that things made from them depend on.
pub fn catalog_key(cx: &ExecContext) -> (u64, u64) {
    (cx.catalog.shared().generation(), cx.catalog.change_count())
}

/// A value as another type. (PostgreSQL: `do_cast_value`)
pub fn cast(cx: &mut ExecContext, value: Datum, from: Oid, from_typmod: i32, to: &VarType) -> Result<Datum> {
    let same = from == to.oid && (to.typmod == -1 || to.typmod == from_typmod);
    if same {
        return Ok(value);
    }
    let key = (from, from_typmod, to.oid, to.typmod);
    let now = catalog_key(cx);
    let casts = cx.extension_or_default::<Casts>();
    if casts.key != now {
        *casts = Casts { key: now, map: HashMap::new() };
    }
    let mut cast = match casts.map.remove(&key) {
        Some(cast) => cast,
        None => {
            let ty = TypeMod { oid: to.oid, typmod: to.typmod, collation: to.collation };
            let catalog = cx.catalog.clone();
            let e = analyze::plpgsql::plpgsql_cast(&mut AnalyzeContext::new(catalog, cx), from, from_typmod, ty)?;
            e.map(|e| ScalarExpr::new(cx, &e).map(Box::new)).transpose()?
        }
    };
    let done = match &mut cast {
        None => Ok(value),
        Some(e) => e.eval(cx, Arc::from([value])),
    };
    cx.extension_or_default::<Casts>().map.insert(key, cast);
    done
}

/// A row for a row type: field by field in order, dropped ones passed over on both sides, missing ones null.
pub fn convert_row(
    cx: &mut ExecContext,
    from: &TupleDesc,
    values: &[Datum],
    to: &Arc<TupleDesc>,
) -> Result<Vec<Datum>> {
    let mut source = from.attrs.iter().zip(values).filter(|(a, _)| !a.dropped);
    let mut out = Vec::with_capacity(to.len());
    for a in &to.attrs {
        if a.dropped {
            out.push(Datum::Null);
            continue;
        }
        let ty =
            VarType { oid: a.type_oid, typmod: a.typmod, collation: a.collation, kind: crate::tree::TypeKind::Scalar };
        out.push(match source.next() {
            Some((s, v)) => {
                let v = plain(cx, v.clone())?;
                cast(cx, v, s.type_oid, s.typmod, &ty)?
            }
            None => cast(cx, Datum::Null, UNKNOWNOID, -1, &ty)?,
        });
    }
    Ok(out)
}

/// A value's text.
pub fn text_of(cx: &mut ExecContext, value: &Datum, type_oid: Oid) -> Result<String> {
    match type_oid {
        TEXTOID | VARCHAROID | UNKNOWNOID => Ok(String::from_utf8_lossy(value.as_ref().as_bytes()).into_owned()),
        _ => cx.output(type_oid, value.as_ref()),
    }
}

/// The row type that a variable's type stands for; `None` for `record`.
pub fn row_desc(cx: &mut ExecContext, ty: &VarType) -> Result<Option<Arc<TupleDesc>>> {
    if ty.oid == RECORDOID {
        return Ok(None);
    }
    let (base, _) = cx.catalog.base_type(ty.oid, -1)?;
    if base == RECORDOID { Ok(None) } else { cx.catalog.row_type(base).map(Some) }
}

#[cold]
pub fn lost() -> PgError {
    PgError::internal("a variable holds another kind of value than expected")
}
