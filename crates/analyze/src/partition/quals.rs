//! A partition's bound as a condition over its columns: what `\d+` shows, and what planner and ALTER TABLE weigh.
//!
//! PostgreSQL: `get_qual_from_partbound`, `RelationGetPartitionQual`.

use base::error::Location;
use base::{Oid, PgError, Result};
use catalog::{Catalog, Relation};
use types::oid::{BOOLOID, INT4OID, OIDOID};
use types::{Datum, Runtime};

use super::{KeyColumn, PartitionDesc, Strategy, column_map, operator};
use crate::expr::bool_expr;
use crate::query::*;

const NOWHERE: Location = Location::UNKNOWN;
const LT: i16 = 1;
const LE: i16 = 2;
const EQ: i16 = 3;
const GE: i16 = 4;
const GT: i16 = 5;

fn word(oid: Oid, len: i16, value: Datum) -> Expr {
    let ty = TypeMod { oid, typmod: -1, collation: Oid::INVALID };
    Expr::Const(Const { ty, len, byval: true, value, location: NOWHERE })
}

fn null_test(arg: &Expr, not: bool) -> Expr {
    Expr::NullTest(Box::new(NullTest { arg: arg.clone(), not, argisrow: false, location: NOWHERE }))
}

/// One element itself, several under AND or OR.
fn joined(kind: BoolExprType, mut list: Vec<Expr>) -> Expr {
    match list.len() {
        1 => list.remove(0),
        _ => bool_expr(kind, list, NOWHERE),
    }
}

/// The left side: the column, relabelled where the operator takes another type or collation.
fn operand(k: &KeyColumn, relabel: bool) -> Expr {
    if !relabel && k.collation == k.ty.collation {
        return k.expr.clone();
    }
    Expr::RelabelType(Box::new(RelabelType {
        arg: k.expr.clone(),
        resulttype: TypeMod { oid: k.opcintype, typmod: -1, collation: k.collation },
        relabelformat: CoercionForm::ExplicitCast,
        location: NOWHERE,
    }))
}

fn compare(c: &Catalog, k: &KeyColumn, strategy: i16, value: &Expr) -> Result<Expr> {
    let (opno, relabel) = operator(c, k, strategy)?;
    let opfuncid = c.operator(opno)?.map_or(Oid::INVALID, |o| o.oprcode);
    Ok(Expr::OpExpr(Box::new(OpExpr {
        opno,
        opfuncid,
        opresulttype: BOOLOID,
        opretset: false,
        opcollid: Oid::INVALID,
        inputcollid: k.collation,
        args: vec![operand(k, relabel), value.clone()],
        location: NOWHERE,
    })))
}

fn in_list(c: &Catalog, k: &KeyColumn, values: &[Expr]) -> Result<Expr> {
    let is_array = c.type_row(k.ty.oid)?.typelem.is_valid() && c.element_type(k.ty.oid)?.is_some();
    if values.len() == 1 || is_array {
        let arms: Result<Vec<Expr>> = values.iter().map(|v| compare(c, k, EQ, v)).collect();
        return Ok(joined(BoolExprType::Or, arms?));
    }
    let (opno, relabel) = operator(c, k, EQ)?;
    let array = ArrayExpr {
        array_typeid: c.array_type(k.ty.oid)?.unwrap_or_default(),
        array_collid: k.ty.collation,
        element_typeid: k.ty.oid,
        elements: values.to_vec(),
        multidims: false,
        location: NOWHERE,
    };
    Ok(Expr::ScalarArrayOpExpr(Box::new(ScalarArrayOpExpr {
        opno,
        opfuncid: c.operator(opno)?.map_or(Oid::INVALID, |o| o.oprcode),
        use_or: true,
        inputcollid: k.collation,
        args: vec![operand(k, relabel), Expr::ArrayExpr(Box::new(array))],
        location: NOWHERE,
    })))
}

fn not_all(list: Vec<Expr>) -> Vec<Expr> {
    vec![bool_expr(BoolExprType::Not, vec![joined(BoolExprType::And, list)], NOWHERE)]
}

impl PartitionDesc {
    /// The conjuncts that rows of a partition with this bound satisfy, over the columns of the partitioned table.
    pub fn quals(&self, c: &Catalog, rt: &mut dyn Runtime, spec: &PartitionBoundSpec) -> Result<Vec<Expr>> {
        match self.key.strategy {
            Strategy::Hash => self.hash_quals(spec),
            Strategy::List => self.list_quals(c, spec),
            Strategy::Range => self.range_quals(c, rt, spec),
        }
    }

    fn hash_quals(&self, spec: &PartitionBoundSpec) -> Result<Vec<Expr>> {
        let mut args = vec![
            word(OIDOID, 4, Datum::oid(self.key.relid)),
            word(INT4OID, 4, Datum::i32(spec.modulus)),
            word(INT4OID, 4, Datum::i32(spec.remainder)),
        ];
        args.extend(self.key.columns.iter().map(|k| k.expr.clone()));
        Ok(vec![Expr::FuncExpr(Box::new(FuncExpr {
            funcid: Oid(5028),
            funcresulttype: BOOLOID,
            funcresulttypmod: -1,
            args,
            location: NOWHERE,
            ..FuncExpr::default()
        }))])
    }

    fn list_quals(&self, c: &Catalog, spec: &PartitionBoundSpec) -> Result<Vec<Expr>> {
        let k = &self.key.columns[0];
        let mut values: Vec<Expr> = Vec::new();
        let mut takes_null = false;
        if spec.is_default {
            takes_null = self.null.is_some();
            if let super::bounds::Bounds::List { values: all, .. } = &self.bounds {
                let t = c.type_row(k.ty.oid)?;
                for v in all {
                    let (len, byval) = (t.typlen, t.typbyval);
                    values.push(Expr::Const(Const { ty: k.ty, len, byval, value: v.clone(), location: NOWHERE }));
                }
            }
            if values.is_empty() && !takes_null {
                return Ok(Vec::new());
            }
        } else {
            for e in &spec.listdatums {
                match e {
                    Expr::Const(k) if k.value.is_null() => takes_null = true,
                    e => values.push(e.clone()),
                }
            }
        }
        let test = if values.is_empty() { None } else { Some(in_list(c, k, &values)?) };
        let mut list = vec![null_test(&k.expr, !takes_null)];
        list.extend(test);
        if takes_null {
            list = vec![joined(BoolExprType::Or, list)];
        }
        Ok(if spec.is_default { not_all(list) } else { list })
    }

    fn null_tests(&self) -> Vec<Expr> {
        self.key.columns.iter().map(|k| null_test(&k.expr, true)).collect()
    }

    fn range_quals(&self, c: &Catalog, rt: &mut dyn Runtime, spec: &PartitionBoundSpec) -> Result<Vec<Expr>> {
        if !spec.is_default {
            let mut list = self.null_tests();
            list.extend(self.one_range(c, rt, spec)?);
            return Ok(list);
        }
        let mut arms = Vec::new();
        // As the partitions were made, which PostgreSQL's are in the order of their bounds too.
        for p in self.parts.iter().filter(|p| !p.spec.is_default) {
            let mut list = self.one_range(c, rt, &p.spec)?;
            if list.is_empty() {
                list = self.null_tests();
            }
            arms.push(joined(BoolExprType::And, list));
        }
        if arms.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = self.null_tests();
        list.push(joined(BoolExprType::Or, arms));
        Ok(not_all(list))
    }

    /// Without the tests for nulls.
    fn one_range(&self, c: &Catalog, _: &mut dyn Runtime, spec: &PartitionBoundSpec) -> Result<Vec<Expr>> {
        let keys = &self.key.columns;
        let n = keys.len();
        let (lower, upper) = (&spec.lowerdatums, &spec.upperdatums);
        let mut result = Vec::new();
        // Leading columns in which both ends are equal.
        let mut first = 0;
        while first < n {
            let (Some(l), Some(u)) = (&lower[first].value, &upper[first].value) else { break };
            let (Expr::Const(a), Expr::Const(b)) = (l, u) else { break };
            if !self.key.compare(first, a.value.as_ref(), b.value.as_ref())?.is_eq() {
                break;
            }
            result.push(compare(c, &keys[first], EQ, l)?);
            first += 1;
        }
        for (ends, inclusive, exclusive, infinite) in [(lower, GE, GT, -1), (upper, LE, LT, 1)] {
            let mut arms = Vec::new();
            for last in first..n {
                let Some(value) = &ends[last].value else { break };
                let mut arm = Vec::new();
                for (k, e) in keys[first..last].iter().zip(&ends[first..last]) {
                    let v = e.value.as_ref().ok_or_else(|| PgError::internal("a bound without value"))?;
                    arm.push(compare(c, k, EQ, v)?);
                }
                let open = ends.get(last + 1).is_some_and(|d| d.kind == infinite);
                let at_end = infinite == -1 && last == n - 1;
                let strategy = if open || at_end { inclusive } else { exclusive };
                arm.push(compare(c, &keys[last], strategy, value)?);
                arms.push(joined(BoolExprType::And, arm));
                if ends.get(last + 1).is_none_or(|d| d.kind != 0) {
                    break;
                }
            }
            if !arms.is_empty() {
                result.push(joined(BoolExprType::Or, arms));
            }
        }
        Ok(result)
    }
}

/// A partition's whole condition, that of its ancestors first, over its own columns. (PostgreSQL: `RelationGetPartitionQual`)
pub fn of_partition(c: &Catalog, rt: &mut dyn Runtime, rel: &Relation) -> Result<Vec<Expr>> {
    let Some(parent) = super::parent_of(c, rel)? else { return Ok(Vec::new()) };
    let parent = c.relation_entry(parent)?;
    let mut list = of_partition(c, rt, &parent)?;
    if let Some(spec) = super::bound_of(c, rel)? {
        list.extend(super::desc_of(c, &parent, rt)?.quals(c, rt, &spec)?);
    }
    if let Some(map) = column_map(&parent, rel)? {
        for e in &mut list {
            renumber(e, &map)?;
        }
    }
    Ok(list)
}

/// Column numbers by a map, of an expression over one table.
pub fn renumber(e: &mut Expr, map: &[i16]) -> Result<()> {
    if let Expr::Var(v) = e
        && v.varattno > 0
        && v.varlevelsup == 0
    {
        v.varattno = map.get(v.varattno as usize - 1).copied().unwrap_or(0);
        v.varattnosyn = v.varattno;
    }
    e.try_children_mut(&mut |c| renumber(c, map))
}
