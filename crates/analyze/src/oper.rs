//! Operators: which one is meant, and the nodes for `a op b` and `a op ANY (array)`.
//!
//! PostgreSQL: `parser/parse_oper.c`.

use std::sync::Arc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{Catalog, PgOperator};
use types::oid::*;

use crate::coerce::{Context, is_polymorphic};
use crate::lookup::{Lookup, format_type};
use crate::poly;
use crate::query::*;
use crate::resolve::{Candidate, exact_operator, matching, operator_candidates, select};
use crate::state::Analyzer;

/// The default operators of a type for sorting and grouping. (PostgreSQL: `get_sort_group_operators`)
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct SortGroupOps {
    pub lt: Oid,
    pub eq: Oid,
    pub gt: Oid,
    pub hashable: bool,
}

pub(crate) fn signature(c: &Catalog, names: &[String], left: Oid, right: Oid) -> Result<String> {
    let mut s = String::new();
    if left.is_valid() {
        s.push_str(&format_type(c, left)?);
        s.push(' ');
    }
    s.push_str(&names.join("."));
    s.push(' ');
    s.push_str(&format_type(c, right)?);
    Ok(s)
}

enum Choice {
    One(Oid),
    None,
    Several,
}

fn choose(c: &Catalog, input: &[Oid], all: Vec<Candidate>) -> Result<Choice> {
    let list = matching(c, input, all)?;
    Ok(match list.len() {
        0 => Choice::None,
        1 => Choice::One(list[0].oid),
        _ => match select(c, input, list)? {
            Some(k) => Choice::One(k.oid),
            None => Choice::Several,
        },
    })
}

/// The operator that `left op right` means; an invalid left type is a prefix operator's. (PostgreSQL: `oper`, `left_oper`)
pub(crate) fn find_operator(
    c: &Catalog,
    names: &[String],
    left: Oid,
    right: Oid,
    location: Location,
) -> Result<Arc<PgOperator>> {
    find_operator_if(c, names, left, right, location)?.map_or_else(|missing| Err(missing), |oid| c.operator_row(oid))
}

/// As `find_operator`; what is wrong is the inner error, so that a caller can ignore it.
pub(crate) fn find_operator_if(
    c: &Catalog,
    names: &[String],
    left: Oid,
    right: Oid,
    location: Location,
) -> Result<Result<Oid>> {
    let mut oid;
    let choice;
    if left.is_valid() {
        oid = binary_exact(c, names, left, right)?;
        choice = match oid.is_valid() {
            true => Choice::One(oid),
            false => choose(c, &[left, right], operator_candidates(c, names, b'b')?)?,
        };
    } else {
        oid = exact_operator(c, names, Oid::INVALID, right)?;
        choice = match oid.is_valid() {
            true => Choice::One(oid),
            false => choose(c, &[right], operator_candidates(c, names, b'l')?)?,
        };
    }
    if let Choice::One(o) = choice {
        oid = o;
        return Ok(Ok(oid));
    }
    let sig = signature(c, names, left, right)?;
    Ok(Err(match choice {
        Choice::Several => PgError::new(AMBIGUOUS_FUNCTION, format!("operator is not unique: {sig}"))
            .hint("Could not choose a best candidate operator. You might need to add explicit type casts."),
        _ => {
            let e = PgError::new(UNDEFINED_FUNCTION, format!("operator does not exist: {sig}"));
            e.hint(match left.is_valid() {
                true => {
                    "No operator matches the given name and argument types. You might need to add explicit type casts."
                }
                false => {
                    "No operator matches the given name and argument type. You might need to add an explicit type cast."
                }
            })
        }
    }
    .at(location)))
}

/// (PostgreSQL: `binary_oper_exact`)
fn binary_exact(c: &Catalog, names: &[String], mut left: Oid, mut right: Oid) -> Result<Oid> {
    let mut was_unknown = false;
    if left == UNKNOWNOID && right.is_valid() {
        left = right;
        was_unknown = true;
    } else if right == UNKNOWNOID && left.is_valid() {
        right = left;
        was_unknown = true;
    }
    let oid = exact_operator(c, names, left, right)?;
    if oid.is_valid() || !was_unknown {
        return Ok(oid);
    }
    let base = c.base_of(left)?;
    if base == left { Ok(oid) } else { exact_operator(c, names, base, base) }
}

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `make_op`)
    pub(crate) fn make_op(
        &mut self,
        names: &[String],
        left: Option<Expr>,
        right: Expr,
        last_srf: usize,
        location: Location,
    ) -> Result<Expr> {
        let (lt, rt) = (left.as_ref().map_or(Oid::INVALID, Expr::type_oid), right.type_oid());
        let op = find_operator(self.cat(), names, lt, rt, location)?;
        self.make_op_of(&op, names, left, right, last_srf, location)
    }

    fn make_op_of(
        &mut self,
        op: &PgOperator,
        names: &[String],
        left: Option<Expr>,
        right: Expr,
        last_srf: usize,
        location: Location,
    ) -> Result<Expr> {
        if !op.oprcode.is_valid() {
            let sig = signature(self.cat(), names, op.oprleft, op.oprright)?;
            return Err(PgError::new(UNDEFINED_FUNCTION, format!("operator is only a shell: {sig}")).at(location));
        }
        let (args, mut declared) = match left {
            Some(l) => (vec![l, right], vec![op.oprleft, op.oprright]),
            None => (vec![right], vec![op.oprright]),
        };
        let actual: Vec<Oid> = args.iter().map(Expr::type_oid).collect();
        let rettype = poly::enforce(self.cat(), &actual, &mut declared, op.oprresult, false)?;
        self.check_internal(&declared, rettype, location)?;
        let args = self.make_fn_arguments(args, &actual, &declared)?;
        let retset = self.cat().function_row(op.oprcode)?.proretset;
        if retset {
            self.check_srf_placement(last_srf, location)?;
        }
        let e = OpExpr {
            opno: op.oid,
            opfuncid: op.oprcode,
            opresulttype: rettype,
            opretset: retset,
            opcollid: Oid::INVALID,
            inputcollid: Oid::INVALID,
            args,
            location,
        };
        if retset {
            self.note_srf(location);
        }
        Ok(Expr::OpExpr(Box::new(e)))
    }

    /// Only the system may call what takes or gives `internal`.
    pub(crate) fn check_internal(&self, declared: &[Oid], rettype: Oid, location: Location) -> Result<()> {
        let refuse = |what: &str| {
            let m = format!("functions {what} type \"internal\" cannot be called explicitly");
            Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location))
        };
        if declared.contains(&INTERNALOID) {
            return refuse("accepting");
        }
        if rettype == INTERNALOID { refuse("returning") } else { Ok(()) }
    }

    /// Converts arguments to the declared types. (PostgreSQL: `make_fn_arguments`)
    pub(crate) fn make_fn_arguments(&mut self, args: Vec<Expr>, actual: &[Oid], declared: &[Oid]) -> Result<Vec<Expr>> {
        let mut out = Vec::with_capacity(args.len());
        for (i, arg) in args.into_iter().enumerate() {
            if actual[i] == declared[i] {
                out.push(arg);
                continue;
            }
            let f = CoercionForm::ImplicitCast;
            let cx = Context::Implicit;
            out.push(match arg {
                Expr::NamedArgExpr(mut n) => {
                    n.arg = self.coerce_type(n.arg, actual[i], declared[i], -1, cx, f, Location::UNKNOWN)?;
                    Expr::NamedArgExpr(n)
                }
                arg => self.coerce_type(arg, actual[i], declared[i], -1, cx, f, Location::UNKNOWN)?,
            });
        }
        Ok(out)
    }

    /// `scalar op ANY/ALL (array)`. (PostgreSQL: `make_scalar_array_op`)
    pub(crate) fn make_scalar_array_op(
        &mut self,
        names: &[String],
        use_or: bool,
        left: Expr,
        right: Expr,
        location: Location,
    ) -> Result<Expr> {
        let (lt, at) = (left.type_oid(), right.type_oid());
        let mut rt = UNKNOWNOID;
        let wrong = |m: &str| PgError::new(WRONG_OBJECT_TYPE, m).at(location);
        if at != UNKNOWNOID {
            rt = self.cat().base_elem_of(at)?;
            if !rt.is_valid() {
                return Err(wrong("op ANY/ALL (array) requires array on right side"));
            }
        }
        let op = find_operator(self.cat(), names, lt, rt, location)?;
        if !op.oprcode.is_valid() {
            let sig = signature(self.cat(), names, op.oprleft, op.oprright)?;
            return Err(PgError::new(UNDEFINED_FUNCTION, format!("operator is only a shell: {sig}")).at(location));
        }
        let mut declared = vec![op.oprleft, op.oprright];
        let rettype = poly::enforce(self.cat(), &[lt, rt], &mut declared, op.oprresult, false)?;
        if rettype != BOOLOID {
            return Err(wrong("op ANY/ALL (array) requires operator to yield boolean"));
        }
        if self.cat().function_row(op.oprcode)?.proretset {
            return Err(wrong("op ANY/ALL (array) requires operator not to return a set"));
        }
        if is_polymorphic(declared[1]) {
            declared[1] = at;
        } else {
            let array = self.cat().array_of(declared[1])?;
            if !array.is_valid() {
                let t = format_type(self.cat(), declared[1])?;
                let m = format!("could not find array type for data type {t}");
                return Err(PgError::new(UNDEFINED_OBJECT, m).at(location));
            }
            declared[1] = array;
        }
        let args = self.make_fn_arguments(vec![left, right], &[lt, at], &declared)?;
        Ok(Expr::ScalarArrayOpExpr(Box::new(ScalarArrayOpExpr {
            opno: op.oid,
            opfuncid: op.oprcode,
            use_or,
            inputcollid: Oid::INVALID,
            args,
            location,
        })))
    }

    /// (PostgreSQL: `get_sort_group_operators`)
    pub(crate) fn sort_group_ops(&self, t: Oid, need_lt: bool, need_eq: bool, need_gt: bool) -> Result<SortGroupOps> {
        let ops = sort_group_ops(self.cat(), t)?;
        let name = || format_type(self.cat(), t);
        if (need_lt && !ops.lt.is_valid()) || (need_gt && !ops.gt.is_valid()) {
            let m = format!("could not identify an ordering operator for type {}", name()?);
            return Err(
                PgError::new(UNDEFINED_FUNCTION, m).hint("Use an explicit ordering operator or modify the query.")
            );
        }
        if need_eq && !ops.eq.is_valid() {
            let m = format!("could not identify an equality operator for type {}", name()?);
            return Err(PgError::new(UNDEFINED_FUNCTION, m));
        }
        Ok(ops)
    }
}

/// The default sorting and grouping operators of a type; invalid ones where it has none. Arrays, rows and ranges have them as
/// far as their elements do. (PostgreSQL: `lookup_type_cache`)
pub(crate) fn sort_group_ops(c: &Catalog, t: Oid) -> Result<SortGroupOps> {
    let info = c.type_info(t)?;
    let hashable = info.hash_proc.is_valid();
    Ok(SortGroupOps { lt: info.lt_opr, eq: info.eq_opr, gt: info.gt_opr, hashable })
}
