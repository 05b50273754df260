//! `x IN (VALUES (..), ..)` with constants becomes `x = ANY (array)`. (PostgreSQL: `convert_VALUES_to_ANY`)

use analyze::query::*;
use base::error::Location;
use base::{Oid, Result};
use types::DatumRef;

use crate::node::Planner;
use crate::util::*;

impl Planner<'_, '_> {
    pub(crate) fn values_to_any(&mut self, s: &SubLink) -> Result<Option<Expr>> {
        let Some(Expr::OpExpr(test)) = &s.testexpr else { return Ok(None) };
        let [left, right] = &test.args[..] else { return Ok(None) };
        let sub = &s.subselect;
        let plain = sub.target_list.len() == 1
            && sub.limit_count.is_none()
            && sub.limit_offset.is_none()
            && sub.sort_clause.is_empty()
            && sub.cte_list.is_empty()
            && sub.jointree.quals.is_none();
        let [rte] = &sub.rtable[..] else { return Ok(None) };
        let RteKind::Values { lists, types, .. } = &rte.kind else { return Ok(None) };
        let is_column = matches!(sub.target_list.first().map(|t| &t.expr), Some(Expr::Var(v)) if v.varattno == 1);
        if !plain || !is_column || lists.len() < 2 || lists.iter().any(|l| l.len() != 1) {
            return Ok(None);
        }
        let element = right.type_oid();
        let array = self.cx.catalog.type_row(element)?.typarray;
        if !array.is_valid() {
            return Ok(None);
        }
        let mut constants = Vec::new();
        for value in lists.iter().flatten() {
            if is_volatile(&self.cx.catalog, value)? {
                return Ok(None);
            }
            // The value in the place of the column it is compared as.
            let mut e = right.clone();
            mutate(&mut e, &mut |x| {
                if matches!(x, Expr::Param(p) if p.kind == ParamKind::Sublink) {
                    *x = value.clone();
                    return Ok(false);
                }
                Ok(true)
            })?;
            self.fold(&mut e)?;
            match e {
                Expr::Const(c) if !matches!(c.value.as_ref(), DatumRef::Toasted(_)) => constants.push(c.value),
                _ => return Ok(None),
            }
        }
        let elem = self.elem_type(element)?;
        let refs: Vec<DatumRef<'_>> = constants.iter().map(types::Datum::as_ref).collect();
        let value = ::types::array::build_vector(&elem, &refs)?;
        let collation = types.first().map_or(Oid::INVALID, |t| t.collation);
        let list = Expr::Const(Const {
            ty: TypeMod { oid: array, typmod: -1, collation },
            len: -1,
            byval: false,
            value,
            location: Location::UNKNOWN,
        });
        Ok(Some(Expr::ScalarArrayOpExpr(Box::new(ScalarArrayOpExpr {
            opno: test.opno,
            opfuncid: test.opfuncid,
            use_or: true,
            inputcollid: test.inputcollid,
            args: vec![left.clone(), list],
            location: Location::UNKNOWN,
        }))))
    }
}
