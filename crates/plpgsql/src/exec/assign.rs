//! Values and rows into variables. (PostgreSQL: `exec_assign_value`, `exec_move_row`)

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use executor::ExecContext;
use executor::scalar_expr::plain;
use types::oid::*;
use types::{Datum, Runtime, TupleDesc};

use super::Frame;
use crate::tree::*;
use crate::value::{Record, Slot, cast, convert_row, row_desc};

impl<'f> Frame<'f> {
    /// `target := expr`
    pub(super) fn assign_expr(&mut self, cx: &mut ExecContext, target: &Target, e: &'f SqlExpr) -> Result<()> {
        let (value, ty, typmod) = self.eval(cx, e)?;
        self.assign(cx, target, value, ty, typmod)
    }
    pub(super) fn assign_value_of(&mut self, cx: &mut ExecContext, dno: Dno, e: &'f SqlExpr) -> Result<()> {
        let (value, ty, typmod) = self.eval(cx, e)?;
        self.assign(cx, &Target::Var(dno), value, ty, typmod)
    }

    pub(crate) fn assign(
        &mut self,
        cx: &mut ExecContext,
        target: &Target,
        value: Datum,
        from: Oid,
        typmod: i32,
    ) -> Result<()> {
        match target {
            Target::Var(dno) => {
                let var = &self.f.vars[*dno];
                if matches!(var.what, VarKind::Record) {
                    return self.assign_record(cx, *dno, value, from);
                }
                let ty = self.type_of(*dno);
                let value = if from == ty.oid && (ty.typmod == -1 || typmod == ty.typmod) {
                    value
                } else {
                    let ty = ty.clone();
                    self.convert(cx, value, from, typmod, &ty)?
                };
                if var.not_null && value.is_null() {
                    let text = format!("null value cannot be assigned to variable \"{}\" declared NOT NULL", var.name);
                    return Err(PgError::new(NULL_VALUE_NOT_ALLOWED, text));
                }
                self.slots[*dno] = Slot::Scalar(match value {
                    v @ Datum::Toasted(_) => plain(cx, v)?,
                    v => v,
                });
                Ok(())
            }
            Target::Field { record, name } => self.assign_field(cx, *record, name, value, from, typmod),
        }
    }

    /// A null of a type without constraints stays one.
    #[inline(never)]
    pub(crate) fn convert(
        &mut self,
        cx: &mut ExecContext,
        value: Datum,
        from: Oid,
        typmod: i32,
        to: &VarType,
    ) -> Result<Datum> {
        if value.is_null() && (to.oid.0 < 12000 || cx.catalog.type_row(to.oid)?.typtype != b'd') {
            return Ok(value);
        }
        cast(cx, value, from, typmod, to)
    }

    #[inline(never)]
    fn assign_record(&mut self, cx: &mut ExecContext, dno: Dno, value: Datum, from: Oid) -> Result<()> {
        let var = &self.f.vars[dno];
        if value.is_null() {
            if var.not_null {
                let text = format!("null value cannot be assigned to variable \"{}\" declared NOT NULL", var.name);
                return Err(PgError::new(NULL_VALUE_NOT_ALLOWED, text));
            }
            if var.ty.oid != RECORDOID && cx.catalog.type_row(var.ty.oid)?.typtype == b'd' {
                cx.check_domain(var.ty.oid, Datum::Null.as_ref())?;
            }
            self.slots[dno] = Slot::Record(None);
            return Ok(());
        }
        if from != RECORDOID {
            let (base, _) = cx.catalog.base_type(from, -1)?;
            if cx.catalog.type_row(base)?.typtype != b'c' && base != RECORDOID {
                let text = "cannot assign non-composite value to a record variable";
                return Err(PgError::new(DATATYPE_MISMATCH, text));
            }
        }
        let row = Record::open(cx, &value)?;
        self.move_row(cx, dno, Some((row.desc, row.values)))
    }

    #[inline(never)]
    fn assign_field(
        &mut self,
        cx: &mut ExecContext,
        dno: Dno,
        name: &str,
        value: Datum,
        from: Oid,
        typmod: i32,
    ) -> Result<()> {
        let var = &self.f.vars[dno];
        if matches!(self.slots[dno], Slot::Record(None)) {
            let Some(desc) = row_desc(cx, &var.ty)? else {
                let text = format!("record \"{}\" is not assigned yet", var.name);
                let detail = "The tuple structure of a not-yet-assigned record is indeterminate.";
                return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).detail(detail));
            };
            self.slots[dno] = Slot::Record(Some(Record::empty(desc)));
        }
        let Slot::Record(Some(row)) = &self.slots[dno] else { return Err(crate::value::lost()) };
        let Some(at) = row.field(name) else {
            if analyze_system_column(name) {
                let text = format!("cannot assign to system column \"{name}\"");
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
            }
            let text = format!("record \"{}\" has no field \"{name}\"", var.name);
            return Err(PgError::new(UNDEFINED_COLUMN, text));
        };
        let a = &row.desc.attrs[at];
        let ty = VarType { oid: a.type_oid, typmod: a.typmod, collation: a.collation, kind: TypeKind::Scalar };
        let value = self.convert(cx, value, from, typmod, &ty)?;
        let value = plain(cx, value)?;
        let Slot::Record(Some(row)) = &mut self.slots[dno] else { return Err(crate::value::lost()) };
        let before = std::mem::replace(&mut row.values[at], value);
        if var.ty.oid.0 >= 12000 && cx.catalog.type_row(var.ty.oid)?.typtype == b'd' {
            let whole = row.clone().datum(cx)?;
            if let Err(e) = cx.check_domain(var.ty.oid, whole.as_ref()) {
                if let Slot::Record(Some(row)) = &mut self.slots[dno] {
                    row.values[at] = before;
                }
                return Err(e);
            }
        }
        Ok(())
    }

    /// A row into a record variable.
    pub(crate) fn move_row(
        &mut self,
        cx: &mut ExecContext,
        dno: Dno,
        row: Option<(Arc<TupleDesc>, Vec<Datum>)>,
    ) -> Result<()> {
        let var = &self.f.vars[dno];
        let Some((desc, mut values)) = row else {
            self.slots[dno] = Slot::Record(None);
            return Ok(());
        };
        let record = match row_desc(cx, &var.ty)? {
            None => {
                for v in &mut values {
                    if matches!(v, Datum::Toasted(_)) {
                        *v = plain(cx, std::mem::take(v))?;
                    }
                }
                Record { desc, values }
            }
            Some(own) if own.type_oid == desc.type_oid => {
                for v in &mut values {
                    if matches!(v, Datum::Toasted(_)) {
                        *v = plain(cx, std::mem::take(v))?;
                    }
                }
                Record { desc: own, values }
            }
            Some(own) => {
                let (got, wanted) = (count(&desc), count(&own));
                self.check_count(cx, got, wanted)?;
                Record { values: convert_row(cx, &desc, &values, &own)?, desc: own }
            }
        };
        let mut record = record;
        if var.ty.oid.0 >= 12000 && cx.catalog.type_row(var.ty.oid)?.typtype == b'd' {
            let whole = record.datum(cx)?;
            cx.check_domain(var.ty.oid, whole.as_ref())?;
        }
        self.slots[dno] = Slot::Record(Some(record));
        Ok(())
    }

    /// A row, or nulls for none, to where INTO says.
    pub(crate) fn store(
        &mut self,
        cx: &mut ExecContext,
        into: &Into,
        desc: &Arc<TupleDesc>,
        row: Option<Vec<Datum>>,
    ) -> Result<()> {
        match into {
            Into::Record(dno) => {
                let values = row.unwrap_or_else(|| vec![Datum::Null; desc.len()]);
                self.move_row(cx, *dno, Some((desc.clone(), values)))
            }
            Into::List(targets) => {
                let there = row.is_some();
                let mut values =
                    desc.attrs.iter().zip(row.unwrap_or_default().into_iter().chain(std::iter::repeat(Datum::Null)));
                if there {
                    self.check_count(cx, count(desc), targets.len())?;
                }
                for t in targets {
                    match values.find(|(a, _)| !a.dropped) {
                        Some((a, v)) => self.assign(cx, t, v, a.type_oid, a.typmod)?,
                        None => self.assign(cx, t, Datum::Null, UNKNOWNOID, -1)?,
                    }
                }
                Ok(())
            }
        }
    }

    /// `strict_multi_assignment`
    fn check_count(&mut self, cx: &mut ExecContext, got: usize, wanted: usize) -> Result<()> {
        let (warn, fail) = (self.f.warnings.multi_assignment, self.f.errors.multi_assignment);
        if got == wanted || !(warn || fail) {
            return Ok(());
        }
        let severity = if fail { Severity::Error } else { Severity::Warning };
        let setting = if fail { "extra_errors" } else { "extra_warnings" };
        let text = "number of source and target fields in assignment does not match";
        let e = PgError::with_severity(severity, DATATYPE_MISMATCH, text)
            .detail(format!("strict_multi_assignment check of {setting} is active."))
            .hint("Make sure the query returns the exact list of columns.");
        if fail {
            return Err(e);
        }
        let e = crate::context::with_stack(cx, e);
        cx.notices.notice(e);
        Ok(())
    }
}

fn count(desc: &TupleDesc) -> usize {
    desc.attrs.iter().filter(|a| !a.dropped).count()
}

fn analyze_system_column(name: &str) -> bool {
    matches!(name, "ctid" | "xmin" | "cmin" | "xmax" | "cmax" | "tableoid")
}
