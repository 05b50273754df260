//! RETURN and its like. (PostgreSQL: `exec_stmt_return`, `exec_stmt_return_next`, `exec_stmt_return_query`)

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use executor::ExecContext;
use parser::ast::Statement;
use types::oid::*;
use types::{Datum, TupleDesc};

use super::query::Want;
use super::{Flow, Frame, Returned};
use crate::expr::{Prepared, in_query};
use crate::tree::*;
use crate::value::{Record, Slot, lost};

impl<'f> Frame<'f> {
    /// The values of OUT parameters as a row.
    pub fn out_row(&mut self, cx: &mut ExecContext, dnos: &[Dno]) -> Result<Vec<Datum>> {
        dnos.iter()
            .map(|d| match &mut self.slots[*d] {
                Slot::Scalar(v) => Ok(v.clone()),
                Slot::Record(Some(r)) => r.datum(cx),
                Slot::Record(None) => Ok(Datum::Null),
            })
            .collect()
    }

    #[inline(never)]
    pub(super) fn return_statement(
        &mut self,
        cx: &mut ExecContext,
        expr: Option<&'f SqlExpr>,
        var: Option<Dno>,
    ) -> Result<Flow<'f>> {
        if self.f.returns_set {
            return Ok(Flow::Return);
        }
        let not_a_row = || {
            let text = "cannot return non-composite value from function returning composite type";
            Err(PgError::new(DATATYPE_MISMATCH, text))
        };
        self.returned = match (expr, var) {
            (None, Some(d)) => match &self.slots[d] {
                Slot::Scalar(v) => {
                    if self.f.returns_row && !v.is_null() {
                        return not_a_row();
                    }
                    let ty = self.type_of(d);
                    Returned::Value(v.clone(), ty.oid, ty.typmod)
                }
                Slot::Record(r) => Returned::Row(r.clone()),
            },
            (Some(e), _) => {
                let (v, ty, typmod) = self.eval(cx, e)?;
                if self.f.returns_row && !v.is_null() && !is_row(cx, ty)? {
                    return not_a_row();
                }
                match is_row(cx, ty)? {
                    true if v.is_null() => Returned::Row(None),
                    true if self.f.returns_row => Returned::Row(Some(Record::open(cx, &v)?)),
                    _ => Returned::Value(v, ty, typmod),
                }
            }
            (None, None) => Returned::None,
        };
        Ok(Flow::Return)
    }

    #[inline(never)]
    pub(super) fn return_next(
        &mut self,
        cx: &mut ExecContext,
        expr: Option<&'f SqlExpr>,
        var: Option<Dno>,
    ) -> Result<Flow<'f>> {
        let desc = self.result_desc.clone();
        let wrong = || PgError::new(DATATYPE_MISMATCH, "wrong result type supplied in RETURN NEXT");
        let scalar = |me: &mut Self, cx: &mut ExecContext, v: Datum, ty: Oid, typmod: i32| -> Result<Vec<Datum>> {
            let to = crate::vartype::of_oid(cx, me.return_type, -1, Oid::INVALID)?;
            let (to, v) = match &desc {
                Some(d) if d.len() == 1 => {
                    let a = &d.attrs[0];
                    (VarType { oid: a.type_oid, typmod: a.typmod, collation: a.collation, kind: TypeKind::Scalar }, v)
                }
                Some(_) => return Err(wrong()),
                None => (to, v),
            };
            Ok(vec![me.convert(cx, v, ty, typmod, &to)?])
        };
        let row = match (expr, var) {
            (None, None) => match &self.f.out {
                Some(Out::One(d)) => {
                    let d = *d;
                    match self.slots[d].clone() {
                        Slot::Scalar(v) => vec![v],
                        Slot::Record(r) => self.row_values(cx, r)?,
                    }
                }
                Some(Out::Row(dnos)) => self.out_row(cx, dnos)?,
                None => return Err(PgError::new(SYNTAX_ERROR, "RETURN NEXT must have a parameter")),
            },
            (None, Some(d)) => match self.slots[d].clone() {
                Slot::Scalar(v) => {
                    let (ty, typmod) = (self.type_of(d).oid, self.type_of(d).typmod);
                    scalar(self, cx, v, ty, typmod)?
                }
                Slot::Record(None) if self.f.vars[d].ty.oid == RECORDOID => {
                    let text = format!("record \"{}\" is not assigned yet", self.f.vars[d].name);
                    let detail = "The tuple structure of a not-yet-assigned record is indeterminate.";
                    return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).detail(detail));
                }
                Slot::Record(r) => self.row_values(cx, r)?,
            },
            (Some(e), _) => {
                let (v, ty, typmod) = self.eval(cx, e)?;
                if !self.f.returns_row {
                    scalar(self, cx, v, ty, typmod)?
                } else if v.is_null() {
                    self.row_values(cx, None)?
                } else if !is_row(cx, ty)? {
                    let text = "cannot return non-composite value from function returning composite type";
                    return Err(PgError::new(DATATYPE_MISMATCH, text));
                } else {
                    let r = Record::open(cx, &v)?;
                    match self.result_desc.clone() {
                        Some(desc) => {
                            let message = "returned record type does not match expected record type";
                            by_position(cx, &r.desc, r.values, &desc, message)?
                        }
                        None => self.row_values(cx, Some(r))?,
                    }
                }
            }
        };
        self.rows.push(row);
        Ok(Flow::Next)
    }

    /// A row's values as the function's result has them.
    fn row_values(&mut self, cx: &mut ExecContext, row: Option<Record>) -> Result<Vec<Datum>> {
        let Some(desc) = self.result_desc.clone() else {
            // One value: the row itself.
            return Ok(vec![match row {
                Some(mut r) => r.datum(cx)?,
                None => Datum::Null,
            }]);
        };
        match row {
            None => Ok(vec![Datum::Null; desc.len()]),
            Some(r) => by_position(cx, &r.desc, r.values, &desc, "wrong record type supplied in RETURN NEXT"),
        }
    }

    #[inline(never)]
    pub(super) fn return_query(
        &mut self,
        cx: &mut ExecContext,
        query: Option<&'f SqlExpr>,
        dynamic: Option<&'f SqlExpr>,
        params: &'f [SqlExpr],
    ) -> Result<Flow<'f>> {
        let (desc, rows, text) = match (query, dynamic) {
            (Some(e), _) => {
                let mut inst = self.inst(cx, e)?;
                if let Prepared::Units(units) = &inst.prepared
                    && !units.iter().any(|u| match u {
                        crate::expr::Unit::Plan(p) => {
                            p.command_type == analyze::query::CmdType::Select || p.has_returning
                        }
                        crate::expr::Unit::Utility(s) => !matches!(&**s, Statement::CreateTableAs(_)),
                        crate::expr::Unit::Nothing => false,
                    })
                {
                    let name = units.first().map_or("empty", unit_name);
                    let text = format!("{name} query does not return tuples");
                    self.keep(e, inst);
                    return Err(in_query(PgError::new(SYNTAX_ERROR, text), &e.text, Mode::Statement));
                }
                let done = self.run_inst(cx, e, &mut inst, Want::Rows(0));
                self.keep(e, inst);
                let out = done?;
                (out.desc, out.rows, e.text.clone())
            }
            (None, Some(e)) => {
                let text = self.text(cx, e)?;
                let text = text
                    .ok_or_else(|| PgError::new(NULL_VALUE_NOT_ALLOWED, "query string argument of EXECUTE is null"))?;
                let params = self.param_values(cx, params)?;
                self.place.runs(Some((text.as_str().into(), Mode::Statement)));
                let done = self.dynamic_rows(cx, &text, &params).and_then(|(p, values)| {
                    let out = self.run_plan(cx, &p, values, Want::Rows(0), &mut None)?;
                    Ok((out.desc, out.rows))
                });
                self.place.runs(None);
                let (desc, rows) = done.map_err(|e| in_query(e, &text, Mode::Statement))?;
                (desc, rows, text)
            }
            (None, None) => return Err(lost()),
        };
        let Some(desc) = desc else { return Err(PgError::new(SYNTAX_ERROR, "query is not a SELECT")) };
        let wanted = self.set_desc(cx)?;
        let n = rows.len() as u64;
        let message = "structure of query does not match function result type";
        check_position(cx, &desc, &wanted, message).map_err(|e| in_query(e, &text, Mode::Statement))?;
        let plain = desc.attrs.iter().all(|a| !a.dropped) && wanted.attrs.iter().all(|a| !a.dropped);
        for row in rows {
            let row = match plain {
                true => row,
                false => by_position(cx, &desc, row, &wanted, message)?,
            };
            self.rows.push(row);
        }
        self.processed = n;
        self.set_found(n != 0);
        Ok(Flow::Next)
    }

    /// The plan of a dynamic text, which must give rows.
    fn dynamic_rows(
        &mut self,
        cx: &mut ExecContext,
        text: &str,
        params: &[(Datum, Oid, i32)],
    ) -> Result<(Arc<planner::PlannedStmt>, Arc<[Datum]>)> {
        let types: Vec<Oid> = params.iter().map(|p| p.1).collect();
        let prepared = crate::expr::prepare_dynamic(cx, text, &types, &[])?;
        let refuse = |name: &str| Err(PgError::new(SYNTAX_ERROR, format!("{name} query does not return tuples")));
        match prepared.first().map(|p| p.1.as_slice()) {
            None => refuse("empty"),
            Some([crate::expr::Unit::Plan(p)])
                if p.command_type == analyze::query::CmdType::Select || p.has_returning =>
            {
                Ok((p.clone(), params.iter().map(|p| p.0.clone()).collect()))
            }
            Some(units) => refuse(units.first().map_or("empty", unit_name)),
        }
    }

    /// The columns that a set of this function has.
    fn set_desc(&mut self, cx: &mut ExecContext) -> Result<Arc<TupleDesc>> {
        if let Some(d) = &self.result_desc {
            return Ok(d.clone());
        }
        let info = types::Runtime::type_info(cx, self.return_type)?;
        let mut a = types::Attribute::new(&self.f.name, self.return_type, info.len, info.byval, info.align);
        a.collation = info.collation;
        Ok(Arc::new(TupleDesc::new(vec![a])))
    }
}

pub(super) fn unit_name(u: &crate::expr::Unit) -> &'static str {
    use analyze::query::CmdType;
    match u {
        crate::expr::Unit::Plan(p) => match p.command_type {
            CmdType::Insert => "INSERT",
            CmdType::Update => "UPDATE",
            CmdType::Delete => "DELETE",
            CmdType::Merge => "MERGE",
            _ => "SELECT",
        },
        crate::expr::Unit::Utility(s) => match &**s {
            Statement::CreateTableAs(c) if c.is_select_into => "SELECT INTO",
            Statement::CreateTableAs(_) => "CREATE TABLE AS",
            _ => "utility",
        },
        crate::expr::Unit::Nothing => "empty",
    }
}

pub(super) fn is_row(cx: &mut ExecContext, ty: Oid) -> Result<bool> {
    if ty == RECORDOID {
        return Ok(true);
    }
    if ty.0 < 10000 && ty.0 > 100 {
        return Ok(false);
    }
    let (base, _) = cx.catalog.base_type(ty, -1)?;
    Ok(cx.catalog.type_row(base)?.typtype == b'c')
}

/// Do rows of one shape fit another by their columns' places? (PostgreSQL: `convert_tuples_by_position`)
pub fn check_position(cx: &mut ExecContext, from: &TupleDesc, to: &TupleDesc, message: &str) -> Result<()> {
    let source: Vec<_> = from.attrs.iter().filter(|a| !a.dropped).collect();
    let target: Vec<_> = to.attrs.iter().filter(|a| !a.dropped).collect();
    for (i, (s, t)) in source.iter().zip(&target).enumerate() {
        if s.type_oid != t.type_oid || (s.typmod != t.typmod && t.typmod >= 0) {
            let shown = |a: &types::Attribute| cx.catalog.format_type(a.type_oid, Some(a.typmod));
            let detail = format!(
                "Returned type {} does not match expected type {} in column \"{}\" (position {}).",
                shown(s)?,
                shown(t)?,
                t.name,
                i + 1
            );
            return Err(PgError::new(DATATYPE_MISMATCH, message).detail(detail));
        }
    }
    if source.len() != target.len() {
        let detail = format!(
            "Number of returned columns ({}) does not match expected column count ({}).",
            source.len(),
            target.len()
        );
        return Err(PgError::new(DATATYPE_MISMATCH, message).detail(detail));
    }
    Ok(())
}

/// A row in another shape, column by column.
pub fn by_position(
    cx: &mut ExecContext,
    from: &TupleDesc,
    values: Vec<Datum>,
    to: &TupleDesc,
    message: &str,
) -> Result<Vec<Datum>> {
    check_position(cx, from, to, message)?;
    let mut source = from.attrs.iter().zip(values).filter(|(a, _)| !a.dropped).map(|(_, v)| v);
    Ok(to.attrs.iter().map(|a| if a.dropped { Datum::Null } else { source.next().unwrap_or_default() }).collect())
}
