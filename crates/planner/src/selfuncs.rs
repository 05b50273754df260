//! Selectivities and numbers of distinct values, from `pg_statistic` where there are statistics.
//!
//! PostgreSQL: `clausesel.c`, `selfuncs.c`, `like_support.c` (in part).

use std::sync::Arc;

use analyze::query::*;
use base::{Oid, Result};
use catalog::PgStatistic;
use types::oid::*;
use types::{Datum, DatumRef};

use crate::cost::clamp_row_est;
use crate::fold::array_values;
use crate::node::*;
use crate::relids::Relids;
use crate::util::*;

pub(crate) const DEFAULT_EQ_SEL: f64 = 0.005;
pub(crate) const DEFAULT_INEQ_SEL: f64 = 0.333_333_333_333_333_3;
pub(crate) const DEFAULT_RANGE_INEQ_SEL: f64 = 0.005;
pub(crate) const DEFAULT_MATCH_SEL: f64 = 0.005;
pub(crate) const DEFAULT_UNK_SEL: f64 = 0.005;
pub(crate) const DEFAULT_NUM_DISTINCT: f64 = 200.0;

fn clamp(s: f64) -> f64 {
    if s.is_nan() { 0.0 } else { s.clamp(0.0, 1.0) }
}

/// What a selectivity is asked for.
#[derive(Clone, Copy)]
pub(crate) struct SelContext<'s> {
    /// 0, or the only relation whose columns vary.
    pub rel: RtIndex,
    pub jointype: JoinType,
    pub sj: Option<&'s SpecialJoin>,
}

impl SelContext<'_> {
    pub fn scan(rel: RtIndex) -> SelContext<'static> {
        SelContext { rel, jointype: JoinType::Inner, sj: None }
    }
}

/// What is known of an expression's values. (PostgreSQL: `VariableStatData`)
#[derive(Clone)]
pub(crate) struct VarStats {
    pub ty: Oid,
    pub stats: Option<Arc<PgStatistic>>,
    pub unique: bool,
    /// Rows of the relation; 0 unknown.
    pub tuples: f64,
    pub rel_rows: f64,
    pub relid: RtIndex,
    pub attno: i16,
    pub is_system: Option<i16>,
}

struct Mcv {
    values: Vec<Datum>,
    numbers: Vec<f32>,
}

struct Range {
    var: Expr,
    have_lo: bool,
    have_hi: bool,
    lo: f64,
    hi: f64,
}

/// The share of a table's rows before or behind a place; its last page counts half. (PostgreSQL: in `scalarineqsel`)
fn ctid_selectivity(rel: &Rel, greater: bool, equal: bool, value: &Datum) -> f64 {
    let Ok(tid) = <base::TupleId as types::FromDatum>::from_datum(value.as_ref()) else { return DEFAULT_INEQ_SEL };
    if rel.pages == 0 {
        return 1.0;
    }
    let pages = f64::from(rel.pages);
    let mut block = f64::from(tid.block.0);
    let mut density = rel.tuples / (pages - 0.5);
    if block >= pages - 1.0 {
        density *= 0.5;
    }
    if density > 0.0 {
        block += (f64::from(tid.offset) / density).min(1.0);
    }
    let mut s = block / (pages - 0.5);
    if equal == greater && rel.tuples >= 1.0 {
        s -= 1.0 / rel.tuples;
    }
    clamp(if greater { 1.0 - s } else { s })
}

impl Planner<'_, '_> {
    /// The share of rows that pass all clauses. (PostgreSQL: `clauselist_selectivity`)
    pub(crate) fn list_selectivity(&mut self, root: &Root, list: &[Ri], cx: SelContext<'_>) -> Result<f64> {
        self.list_selectivity_with(root, list, cx, true)
    }

    /// With or without statistics of several columns.
    pub(crate) fn list_selectivity_with(
        &mut self,
        root: &Root,
        list: &[Ri],
        cx: SelContext<'_>,
        extended: bool,
    ) -> Result<f64> {
        if let [only] = list {
            return self.rinfo_selectivity_with(root, only, cx, extended);
        }
        let mut s = 1.0;
        let mut known = Vec::new();
        let each: Vec<&[Ri]> = if extended { list.iter().map(std::slice::from_ref).collect() } else { Vec::new() };
        if extended && let Some(rel) = self.single_table(root, &each) {
            known = vec![false; list.len()];
            s = self.extended_selectivity(root, rel, &each, cx, false, &mut known)?;
        }
        let mut ranges: Vec<Range> = Vec::new();
        for (i, r) in list.iter().enumerate() {
            if known.get(i).is_some_and(|k| *k) {
                continue;
            }
            if r.pseudoconstant {
                s *= self.rinfo_selectivity_with(root, r, cx, extended)?;
                continue;
            }
            let one = self.rinfo_selectivity_with(root, r, cx, extended)?;
            if let Some(o) = r.op()
                && o.args.len() == 2
                && (r.clause_relids.len() == 1 || cx.rel != 0)
                && self.note_range(&mut ranges, o, one)?
            {
                continue;
            }
            s *= one;
        }
        for r in ranges {
            if r.have_lo && r.have_hi {
                let mut both = if r.hi == DEFAULT_INEQ_SEL || r.lo == DEFAULT_INEQ_SEL {
                    DEFAULT_RANGE_INEQ_SEL
                } else {
                    let null = self.null_fraction(root, &r.var)?;
                    let x = r.hi + r.lo - 1.0 + null;
                    if x <= 0.0 { if x < -0.01 { DEFAULT_RANGE_INEQ_SEL } else { 1.0e-10 } } else { x }
                };
                both = clamp(both);
                s *= both;
            } else {
                s *= if r.have_lo { r.lo } else { r.hi };
            }
        }
        Ok(s)
    }

    /// Notes a comparison that bounds a column from one side.
    fn note_range(&mut self, ranges: &mut Vec<Range>, o: &OpExpr, s: f64) -> Result<bool> {
        let on_left = is_constant(&o.args[1]);
        if !on_left && !is_constant(&o.args[0]) {
            return Ok(false);
        }
        let var = if on_left { &o.args[0] } else { &o.args[1] };
        if is_constant(var) {
            return Ok(false);
        }
        let Some(op) = self.cx.catalog.operator(o.opno)? else { return Ok(false) };
        let less = match self.rest_name(op.oprrest)?.as_str() {
            "scalarltsel" | "scalarlesel" => true,
            "scalargtsel" | "scalargesel" => false,
            _ => return Ok(false),
        };
        let is_hi = less == on_left;
        let found = ranges.iter_mut().find(|r| r.var == *var);
        match found {
            Some(r) => {
                if is_hi {
                    r.hi = if r.have_hi { r.hi.min(s) } else { s };
                    r.have_hi = true;
                } else {
                    r.lo = if r.have_lo { r.lo.min(s) } else { s };
                    r.have_lo = true;
                }
            }
            None => ranges.push(Range { var: var.clone(), have_lo: !is_hi, have_hi: is_hi, lo: s, hi: s }),
        }
        Ok(true)
    }

    /// The name of the function that estimates an operator's selectivity.
    pub(crate) fn restriction_name(&self, opno: Oid) -> Result<String> {
        match self.cx.catalog.operator(opno)? {
            Some(op) => self.rest_name(op.oprrest),
            None => Ok(String::new()),
        }
    }

    fn rest_name(&self, f: Oid) -> Result<String> {
        if !f.is_valid() {
            return Ok(String::new());
        }
        Ok(self.cx.catalog.function(f)?.map_or(String::new(), |p| p.proname.clone()))
    }

    /// With the result kept in the clause. (PostgreSQL: `clause_selectivity`)
    pub(crate) fn rinfo_selectivity(&mut self, root: &Root, r: &Ri, cx: SelContext<'_>) -> Result<f64> {
        self.rinfo_selectivity_with(root, r, cx, true)
    }

    /// An OR, each arm of it a conjunction, about a table with statistics of several columns.
    /// (PostgreSQL: `clauselist_selectivity_or`)
    fn or_selectivity(&mut self, root: &Root, rel: &Rel, arms: &[Vec<Ri>], cx: SelContext<'_>) -> Result<f64> {
        let each: Vec<&[Ri]> = arms.iter().map(Vec::as_slice).collect();
        let mut known = vec![false; each.len()];
        let mut s = self.extended_selectivity(root, rel, &each, cx, true, &mut known)?;
        for (arm, _) in each.iter().zip(&known).filter(|(_, k)| !**k) {
            let one = self.list_selectivity_with(root, arm, cx, true)?;
            s = s + one - s * one;
        }
        Ok(clamp(s))
    }

    pub(crate) fn rinfo_selectivity_with(
        &mut self,
        root: &Root,
        r: &Ri,
        cx: SelContext<'_>,
        extended: bool,
    ) -> Result<f64> {
        if r.pseudoconstant {
            return Ok(match &r.clause {
                Expr::Const(_) => {
                    if is_const_true(&r.clause) {
                        1.0
                    } else {
                        0.0
                    }
                }
                _ => 1.0,
            });
        }
        let cacheable = cx.rel == 0 || r.clause_relids.as_single() == Some(cx.rel);
        if cacheable {
            let cell = if cx.jointype == JoinType::Inner { &r.norm_sel } else { &r.outer_sel };
            if cell.get() >= 0.0 {
                return Ok(cell.get());
            }
            let each: Vec<&[Ri]> = r.or_arms.iter().map(Vec::as_slice).collect();
            let s = match self.single_table(root, &each).filter(|_| extended && !each.is_empty()) {
                Some(rel) => self.or_selectivity(root, rel, &r.or_arms, cx)?,
                None => self.clause_selectivity(root, &r.clause, cx)?,
            };
            cell.set(s);
            return Ok(s);
        }
        self.clause_selectivity(root, &r.clause, cx)
    }

    pub(crate) fn clause_selectivity(&mut self, root: &Root, e: &Expr, cx: SelContext<'_>) -> Result<f64> {
        let s = match e {
            Expr::Const(_) => {
                if is_const_true(e) {
                    1.0
                } else {
                    0.0
                }
            }
            Expr::Var(v) if v.varlevelsup == 0 => self.bool_var_selectivity(root, e)?,
            Expr::Param(_) => match self.estimate_value(e)? {
                c @ Expr::Const(_) => {
                    if is_const_true(&c) {
                        1.0
                    } else {
                        0.0
                    }
                }
                _ => 0.5,
            },
            Expr::BoolExpr(b) => match b.boolop {
                BoolExprType::Not => 1.0 - self.clause_selectivity(root, &b.args[0], cx)?,
                BoolExprType::And => {
                    let mut s = 1.0;
                    let mut ranges = Vec::new();
                    for a in &b.args {
                        let one = self.clause_selectivity(root, a, cx)?;
                        if let Expr::OpExpr(o) = a
                            && o.args.len() == 2
                            && self.note_range(&mut ranges, o, one)?
                        {
                            continue;
                        }
                        s *= one;
                    }
                    for r in ranges {
                        s *= match (r.have_lo, r.have_hi) {
                            (true, true) if r.hi == DEFAULT_INEQ_SEL || r.lo == DEFAULT_INEQ_SEL => {
                                DEFAULT_RANGE_INEQ_SEL
                            }
                            (true, true) => (r.hi + r.lo - 1.0 + self.null_fraction(root, &r.var)?).max(1.0e-10),
                            (true, false) => r.lo,
                            _ => r.hi,
                        };
                    }
                    s
                }
                BoolExprType::Or => {
                    let mut s = 0.0;
                    for a in &b.args {
                        let one = self.clause_selectivity(root, a, cx)?;
                        s = s + one - s * one;
                    }
                    s
                }
            },
            Expr::OpExpr(o) => self.op_selectivity(root, o, cx)?,
            Expr::DistinctExpr(o) => 1.0 - self.op_selectivity(root, o, cx)?,
            Expr::FuncExpr(_) => 0.333_333_3,
            Expr::ScalarArrayOpExpr(s) => self.saop_selectivity(root, s, cx)?,
            Expr::RowCompareExpr(r) => {
                let o = OpExpr {
                    opno: r.opnos[0],
                    opfuncid: Oid::INVALID,
                    opresulttype: BOOLOID,
                    opretset: false,
                    opcollid: Oid::INVALID,
                    inputcollid: r.inputcollids[0],
                    args: vec![r.largs[0].clone(), r.rargs[0].clone()],
                    location: base::error::Location::UNKNOWN,
                };
                self.op_selectivity(root, &o, cx)?
            }
            Expr::NullTest(n) => self.null_selectivity(root, &n.arg, n.not, cx)?,
            Expr::BooleanTest(b) => self.bool_test_selectivity(root, b, cx)?,
            Expr::CurrentOfExpr(_) => 1.0 / 1000.0,
            Expr::RelabelType(r) => self.clause_selectivity(root, &r.arg, cx)?,
            Expr::CoerceToDomain(c) => self.clause_selectivity(root, &c.arg, cx)?,
            _ => self.bool_var_selectivity(root, e)?,
        };
        Ok(clamp(s))
    }

    fn is_join_clause(&self, args: &[Expr], cx: SelContext<'_>) -> bool {
        if cx.rel != 0 || cx.sj.is_none() {
            return false;
        }
        let mut all = Relids::new();
        args.iter().for_each(|a| all.add(&varnos(a)));
        all.len() > 1
    }

    fn op_selectivity(&mut self, root: &Root, o: &OpExpr, cx: SelContext<'_>) -> Result<f64> {
        let Some(op) = self.cx.catalog.operator(o.opno)? else { return Ok(0.5) };
        if self.is_join_clause(&o.args, cx) {
            let name = self.rest_name(op.oprjoin)?;
            return self.join_op_selectivity(root, o, &name, cx);
        }
        let name = self.rest_name(op.oprrest)?;
        if o.args.len() != 2 {
            return Ok(if name.is_empty() { 0.5 } else { DEFAULT_UNK_SEL });
        }
        self.restriction_selectivity(root, o.opno, &name, &o.args, o.inputcollid, cx.rel)
    }

    fn restriction_selectivity(
        &mut self,
        root: &Root,
        opno: Oid,
        name: &str,
        args: &[Expr],
        collation: Oid,
        rel: RtIndex,
    ) -> Result<f64> {
        match name {
            "" => Ok(0.5),
            "eqsel" | "neqsel" => {
                let negate = name == "neqsel";
                let default = if negate { 1.0 - DEFAULT_EQ_SEL } else { DEFAULT_EQ_SEL };
                let opno = if negate {
                    match negator(&self.cx.catalog, opno)?.valid() {
                        Some(o) => o,
                        None => return Ok(default),
                    }
                } else {
                    opno
                };
                let Some((var, other, on_left)) = self.restriction_variable(root, args, rel)? else {
                    return Ok(default);
                };
                match &other {
                    Expr::Const(c) => self.var_eq_const(root, &var, opno, collation, &c.value, on_left, negate),
                    _ => self.var_eq_other(root, &var, negate),
                }
            }
            "scalarltsel" | "scalarlesel" | "scalargtsel" | "scalargesel" => {
                let mut greater = name.starts_with("scalargt") || name.starts_with("scalarge");
                let mut equal = name.ends_with("lesel") || name.ends_with("gesel");
                let Some((var, other, on_left)) = self.restriction_variable(root, args, rel)? else {
                    return Ok(DEFAULT_INEQ_SEL);
                };
                let Expr::Const(c) = &other else { return Ok(DEFAULT_INEQ_SEL) };
                if c.value.is_null() {
                    return Ok(0.0);
                }
                let mut opno = opno;
                if !on_left {
                    opno = commutator(&self.cx.catalog, opno)?;
                    if !opno.is_valid() {
                        return Ok(DEFAULT_INEQ_SEL);
                    }
                    greater = !greater;
                }
                let _ = &mut equal;
                if var.is_system == Some(sysattr::CTID)
                    && c.ty.oid == types::oid::TIDOID
                    && let Some(Some(rel)) = root.base.get(var.relid as usize)
                {
                    return Ok(ctid_selectivity(rel, greater, equal, &c.value));
                }
                self.inequality(&var, opno, greater, equal, collation, &c.value, c.ty.oid)
            }
            "likesel" | "iclikesel" | "regexeqsel" | "icregexeqsel" | "prefixsel" => {
                self.pattern_selectivity(root, name, args, collation, rel, false)
            }
            "nlikesel" | "icnlikesel" | "regexnesel" | "icregexnesel" => {
                self.pattern_selectivity(root, name, args, collation, rel, true)
            }
            "contsel" | "contjoinsel" | "matchingsel" => Ok(if name == "matchingsel" { 0.01 } else { 0.001 }),
            "areasel" => Ok(0.005),
            "positionsel" => Ok(0.1),
            "tsmatchsel" => Ok(0.005),
            "arraycontsel" => Ok(0.005),
            "rangesel" | "multirangesel" => Ok(0.005),
            "networksel" => Ok(0.005),
            _ => Ok(0.5),
        }
    }

    /// The side that varies, and the other one estimated. (PostgreSQL: `get_restriction_variable`)
    fn restriction_variable(
        &mut self,
        root: &Root,
        args: &[Expr],
        rel: RtIndex,
    ) -> Result<Option<(VarStats, Expr, bool)>> {
        let [l, r] = args else { return Ok(None) };
        let (lv, rv) = (self.examine(root, l, rel)?, self.examine(root, r, rel)?);
        Ok(match (lv, rv) {
            (Some(v), None) => Some((v, self.estimate_value(r)?, true)),
            (None, Some(v)) => Some((v, self.estimate_value(l)?, false)),
            _ => None,
        })
    }

    /// What is known of an expression's values; `None` if it has no columns (of that relation). (PostgreSQL: `examine_variable`)
    pub(crate) fn examine(&mut self, root: &Root, e: &Expr, rel: RtIndex) -> Result<Option<VarStats>> {
        let e = strip_relabel(e);
        let e = match e {
            Expr::PlaceHolderVar(p) => strip_relabel(&p.phexpr),
            e => e,
        };
        let rels = varnos(e);
        if rels.is_empty() || (rel != 0 && !rels.contains(rel)) {
            return Ok(None);
        }
        let mut out = VarStats {
            ty: e.type_oid(),
            stats: None,
            unique: false,
            tuples: 0.0,
            rel_rows: 0.0,
            relid: 0,
            attno: 0,
            is_system: None,
        };
        if let Expr::Var(v) = e
            && v.varlevelsup == 0
            && (rel == 0 || v.varno == rel)
        {
            self.examine_var(root, v, &mut out)?;
            return Ok(Some(out));
        }
        if let Some(one) = rels.as_single()
            && let Some(Some(r)) = root.base.get(one as usize)
        {
            (out.tuples, out.rel_rows, out.relid) = (r.tuples, r.rows, one);
            // An index on the expression has statistics of it.
            for index in &r.indexes {
                for (c, x) in index.exprs.iter().enumerate() {
                    if x.as_ref() == Some(e) {
                        if index.unique && index.nkeys == 1 && c == 0 && index.pred_ok.get() {
                            out.unique = true;
                        }
                        if out.stats.is_none() {
                            out.stats = self.cx.catalog.statistic(index.oid, c as i16 + 1, false)?;
                        }
                    }
                }
            }
            if out.stats.is_none() && !r.statistics.is_empty() {
                out.stats = self.expression_stats(r, e)?;
            }
        }
        Ok(Some(out))
    }

    fn examine_var(&mut self, root: &Root, v: &Var, out: &mut VarStats) -> Result<()> {
        let Some(Some(rel)) = root.base.get(v.varno as usize) else { return Ok(()) };
        (out.tuples, out.rel_rows, out.relid, out.attno) = (rel.tuples, rel.rows, v.varno, v.varattno);
        if let Some(entry) = &rel.relation {
            if v.varattno <= 0 {
                out.is_system = Some(v.varattno);
                return Ok(());
            }
            out.stats = self.cx.catalog.statistic(entry.oid, v.varattno, rel.expanded)?;
            out.unique =
                rel.indexes.iter().any(|i| i.unique && i.nkeys == 1 && i.columns[0] == v.varattno && i.pred_ok.get());
            return Ok(());
        }
        if let Some(sub) = &rel.subroot {
            let q = &sub.parse;
            if q.set_operations.is_some() || !q.grouping_sets.is_empty() {
                return Ok(());
            }
            let Some(te) = sub.tlist.iter().find(|t| t.resno == v.varattno && !t.resjunk) else { return Ok(()) };
            if !q.distinct_clause.is_empty() {
                out.unique = q.distinct_clause.len() == 1
                    && q.distinct_clause[0].tle_sort_group_ref == te.ressortgroupref
                    && te.ressortgroupref != 0;
                return Ok(());
            }
            if !q.group_clause.is_empty()
                && q.group_clause.len() == 1
                && te.ressortgroupref != 0
                && q.group_clause[0].tle_sort_group_ref == te.ressortgroupref
            {
                out.unique = true;
                return Ok(());
            }
            if let Expr::Var(inner) = &te.expr
                && inner.varlevelsup == 0
            {
                let (tuples, rows) = (rel.tuples, rel.rows);
                let mut deeper = out.clone();
                self.examine_var(sub, inner, &mut deeper)?;
                out.stats = deeper.stats;
                (out.tuples, out.rel_rows) = (tuples, rows);
                if q.jointree.fromlist.len() == 1
                    && q.group_clause.is_empty()
                    && matches!(q.jointree.fromlist[0], JoinTreeNode::RangeTblRef(_))
                {
                    out.unique = deeper.unique;
                }
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `get_variable_numdistinct`); also whether it is a guess.
    pub(crate) fn num_distinct(&mut self, v: &VarStats) -> (f64, bool) {
        let mut null = 0.0;
        let mut d = match &v.stats {
            Some(s) => {
                null = f64::from(s.stanullfrac);
                f64::from(s.stadistinct)
            }
            None if v.ty == BOOLOID => 2.0,
            None => match v.is_system {
                Some(sysattr::CTID) => -1.0,
                Some(sysattr::TABLEOID) => 1.0,
                _ => 0.0,
            },
        };
        if v.unique {
            d = -1.0 * (1.0 - null);
        }
        if d > 0.0 {
            return (clamp_row_est(d), false);
        }
        if v.tuples <= 0.0 {
            return (DEFAULT_NUM_DISTINCT, true);
        }
        if d < 0.0 {
            return (clamp_row_est(-d * v.tuples), false);
        }
        if v.tuples < DEFAULT_NUM_DISTINCT {
            return (clamp_row_est(v.tuples), false);
        }
        (DEFAULT_NUM_DISTINCT, true)
    }

    fn slot(&mut self, v: &VarStats, kind: i16) -> Result<Option<Mcv>> {
        let Some(s) = &v.stats else { return Ok(None) };
        let kinds = [s.stakind1, s.stakind2, s.stakind3, s.stakind4, s.stakind5];
        let Some(i) = kinds.iter().position(|k| *k == kind) else { return Ok(None) };
        let values = [&s.stavalues1, &s.stavalues2, &s.stavalues3, &s.stavalues4, &s.stavalues5][i].clone();
        let numbers = [&s.stanumbers1, &s.stanumbers2, &s.stanumbers3, &s.stanumbers4, &s.stanumbers5][i].clone();
        let values = match values {
            Some(array @ Datum::Bytes(_)) => {
                let ty = match &array {
                    Datum::Bytes(b) => types::array::ArrayRef::new(b)?.elem_type(),
                    _ => v.ty,
                };
                let elem = self.elem_type(ty)?;
                array_values(&array, &elem)?
            }
            _ => Vec::new(),
        };
        Ok(Some(Mcv { values, numbers: numbers.unwrap_or_default() }))
    }

    /// The correlation of a column's order with that of the rows on disk.
    pub(crate) fn correlation(&mut self, v: &VarStats) -> Result<Option<f64>> {
        Ok(self.slot(v, 3)?.and_then(|m| m.numbers.first().copied()).map(f64::from))
    }

    pub(crate) fn op_holds(&mut self, opno: Oid, collation: Oid, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<bool> {
        let Some(op) = self.cx.catalog.operator(opno)? else { return Ok(false) };
        if a.is_null() || b.is_null() || matches!(a, DatumRef::Toasted(_)) || matches!(b, DatumRef::Toasted(_)) {
            return Ok(false);
        }
        match self.cx.rt.call(op.oprcode, collation, &[a, b]) {
            Ok(v) => Ok(matches!(v.as_ref(), DatumRef::Word(w) if w & 0xff != 0)),
            Err(_) => Ok(false),
        }
    }

    /// (PostgreSQL: `var_eq_const`)
    fn var_eq_const(
        &mut self,
        _root: &Root,
        v: &VarStats,
        opno: Oid,
        collation: Oid,
        value: &Datum,
        on_left: bool,
        negate: bool,
    ) -> Result<f64> {
        if value.is_null() {
            return Ok(0.0);
        }
        let null = v.stats.as_ref().map_or(0.0, |s| f64::from(s.stanullfrac));
        let mut s = if v.unique && v.tuples >= 1.0 {
            1.0 / v.tuples
        } else if v.stats.is_some() {
            let mut found = None;
            let mut sum = 0.0;
            let (mut count, mut least) = (0, 0.0);
            if let Some(m) = self.slot(v, 1)? {
                for (x, f) in m.values.iter().zip(&m.numbers) {
                    let (a, b) = if on_left { (x.as_ref(), value.as_ref()) } else { (value.as_ref(), x.as_ref()) };
                    if found.is_none() && self.op_holds(opno, collation, a, b)? {
                        found = Some(f64::from(*f));
                    }
                    sum += f64::from(*f);
                }
                count = m.numbers.len();
                least = m.numbers.last().map_or(0.0, |f| f64::from(*f));
            }
            match found {
                Some(f) => f,
                None => {
                    let mut x = clamp(1.0 - sum - null);
                    let others = self.num_distinct(v).0 - count as f64;
                    if others > 1.0 {
                        x /= others;
                    }
                    if count > 0 && x > least { least } else { x }
                }
            }
        } else {
            1.0 / self.num_distinct(v).0
        };
        if negate {
            s = 1.0 - s - null;
        }
        Ok(clamp(s))
    }

    fn var_eq_other(&mut self, _root: &Root, v: &VarStats, negate: bool) -> Result<f64> {
        let null = v.stats.as_ref().map_or(0.0, |s| f64::from(s.stanullfrac));
        let mut s = if v.unique && v.tuples >= 1.0 {
            1.0 / v.tuples
        } else if v.stats.is_some() {
            let d = self.num_distinct(v).0;
            let mut s = (1.0 - null) / d.max(1.0);
            if let Some(m) = self.slot(v, 1)?
                && let Some(f) = m.numbers.first()
            {
                s = s.min(f64::from(*f));
            }
            s
        } else {
            1.0 / self.num_distinct(v).0
        };
        if negate {
            s = 1.0 - s - null;
        }
        Ok(clamp(s))
    }

    /// (PostgreSQL: `scalarineqsel`)
    fn inequality(
        &mut self,
        v: &VarStats,
        opno: Oid,
        greater: bool,
        equal: bool,
        collation: Oid,
        value: &Datum,
        value_type: Oid,
    ) -> Result<f64> {
        let Some(stats) = v.stats.clone() else { return Ok(DEFAULT_INEQ_SEL) };
        let (mut mcv_sel, mut sum) = (0.0, 0.0);
        if let Some(m) = self.slot(v, 1)? {
            for (x, f) in m.values.iter().zip(&m.numbers) {
                if self.op_holds(opno, collation, x.as_ref(), value.as_ref())? {
                    mcv_sel += f64::from(*f);
                }
                sum += f64::from(*f);
            }
        }
        let hist = self.histogram(v, opno, greater, equal, collation, value, value_type)?;
        let mut s = 1.0 - f64::from(stats.stanullfrac) - sum;
        s *= hist.unwrap_or(0.5);
        Ok(clamp(s + mcv_sel))
    }

    /// The share of histogram values that the comparison accepts. (PostgreSQL: `ineq_histogram_selectivity`)
    fn histogram(
        &mut self,
        v: &VarStats,
        opno: Oid,
        greater: bool,
        equal: bool,
        collation: Oid,
        value: &Datum,
        value_type: Oid,
    ) -> Result<Option<f64>> {
        let Some(h) = self.slot(v, 2)? else { return Ok(None) };
        let n = h.values.len();
        if n < 2 {
            return Ok(None);
        }
        let (mut lo, mut hi) = (0usize, n);
        while lo < hi {
            let probe = (lo + hi) / 2;
            let mut holds = self.op_holds(opno, collation, h.values[probe].as_ref(), value.as_ref())?;
            if greater {
                holds = !holds;
            }
            if holds {
                lo = probe + 1;
            } else {
                hi = probe;
            }
        }
        let frac = if lo == 0 {
            0.0
        } else if lo >= n {
            1.0
        } else {
            let i = lo;
            let (a, b) = (&h.values[i - 1], &h.values[i]);
            let inside = match (scalar(v.ty, a), scalar(v.ty, b), scalar(value_type, value)) {
                (Some(low), Some(high), Some(x)) => {
                    if high <= low {
                        0.5
                    } else if x <= low {
                        0.0
                    } else if x >= high {
                        1.0
                    } else {
                        (x - low) / (high - low)
                    }
                }
                _ => match (text_scale(v.ty, a, a, b), text_scale(v.ty, b, a, b), text_scale(v.ty, value, a, b)) {
                    (Some(low), Some(high), Some(x)) if high > low => ((x - low) / (high - low)).clamp(0.0, 1.0),
                    _ => 0.5,
                },
            };
            ((i - 1) as f64 + inside) / (n - 1) as f64
        };
        // Now `frac` is the share below; with `<` and `>=` the value itself is not among them.
        let mut s = if greater { 1.0 - frac } else { frac };
        let _ = equal;
        let cutoff = 0.01 / (n - 1) as f64;
        s = s.clamp(cutoff, 1.0 - cutoff);
        Ok(Some(s))
    }

    fn pattern_selectivity(
        &mut self,
        root: &Root,
        name: &str,
        args: &[Expr],
        collation: Oid,
        rel: RtIndex,
        negate: bool,
    ) -> Result<f64> {
        let base = if negate { 1.0 - DEFAULT_MATCH_SEL } else { DEFAULT_MATCH_SEL };
        let Some((v, other, true)) = self.restriction_variable(root, args, rel)? else { return Ok(base) };
        let Expr::Const(c) = &other else { return Ok(base) };
        if c.value.is_null() {
            return Ok(0.0);
        }
        let Datum::Bytes(pattern) = &c.value else { return Ok(base) };
        let pattern = pattern.to_vec();
        let like = name.contains("like");
        let (prefix, rest, exact) = if name == "prefixsel" {
            (pattern.clone(), 1.0, false)
        } else if like {
            like_prefix(&pattern, name.starts_with("ic"))
        } else {
            regex_prefix(&pattern, name.starts_with("ic"))
        };
        let mut s = if exact {
            let eq = self.text_op(v.ty, 3)?;
            match eq {
                Some(op) => self.var_eq_const(root, &v, op, collation, &Datum::bytes(prefix), true, false)?,
                None => DEFAULT_EQ_SEL,
            }
        } else {
            let mut s = rest;
            if !prefix.is_empty() {
                s *= self.prefix_selectivity(root, &v, &prefix, collation)?;
            }
            if v.stats.is_none() && prefix.is_empty() {
                DEFAULT_MATCH_SEL
            } else if v.stats.is_none() {
                DEFAULT_MATCH_SEL
            } else {
                s.clamp(0.0001, 0.9999)
            }
        };
        if negate {
            let null = v.stats.as_ref().map_or(0.0, |s| f64::from(s.stanullfrac));
            s = 1.0 - s - null;
        }
        Ok(clamp(s))
    }

    /// The comparison operator of a text-like type.
    fn text_op(&mut self, ty: Oid, strategy: i16) -> Result<Option<Oid>> {
        let ty = if matches!(ty, VARCHAROID) { TEXTOID } else { ty };
        let Some(class) = self.cx.catalog.default_opclass(ty, catalog::oids::BTREE_AM_OID)? else { return Ok(None) };
        self.cx.catalog.opfamily_member(class.opcfamily, class.opcintype, class.opcintype, strategy)
    }

    /// Values that begin with a prefix lie between it and the next one. (PostgreSQL: `prefix_selectivity`)
    fn prefix_selectivity(&mut self, root: &Root, v: &VarStats, prefix: &[u8], collation: Oid) -> Result<f64> {
        let (Some(ge), Some(lt), Some(eq)) = (self.text_op(v.ty, 4)?, self.text_op(v.ty, 1)?, self.text_op(v.ty, 3)?)
        else {
            return Ok(DEFAULT_MATCH_SEL);
        };
        let low = Datum::bytes(prefix);
        let Some(a) = self.histogram(v, ge, true, true, collation, &low, v.ty)? else {
            return Ok(if v.stats.is_some() { DEFAULT_MATCH_SEL.max(0.01) } else { DEFAULT_MATCH_SEL });
        };
        let mut s = a;
        if let Some(next) = next_string(prefix) {
            let b = self.histogram(v, lt, false, false, collation, &Datum::bytes(next), v.ty)?.unwrap_or(1.0);
            s = (a + b - 1.0).max(0.0);
        }
        let one = self.var_eq_const(root, v, eq, collation, &low, true, false)?;
        Ok(clamp(s.max(one)))
    }

    fn saop_selectivity(&mut self, root: &Root, s: &ScalarArrayOpExpr, cx: SelContext<'_>) -> Result<f64> {
        let Some(op) = self.cx.catalog.operator(s.opno)? else { return Ok(0.5) };
        let name = self.rest_name(op.oprrest)?;
        let (mut is_eq, mut is_ne) = (name == "eqsel", name == "neqsel");
        if !is_eq && !is_ne {
            is_eq = op.oprname == "=";
            is_ne = op.oprname == "<>";
        }
        let array = self.estimate_value(&s.args[1])?;
        let elem_ty = self.cx.catalog.element_type(self.cx.catalog.base_type(array.type_oid(), -1)?.0)?;
        let list: Option<Vec<Expr>> = match (&array, elem_ty) {
            (Expr::Const(c), Some(ety)) => {
                if c.value.is_null() {
                    return Ok(0.0);
                }
                let info = self.cx.catalog.type_row(ety)?;
                let elem = self.elem_type(ety)?;
                let ty = TypeMod { oid: ety, typmod: -1, collation: info.typcollation };
                Some(
                    array_values(&c.value, &elem)?
                        .into_iter()
                        .map(|v| {
                            Expr::Const(Const {
                                ty,
                                len: info.typlen,
                                byval: info.typbyval,
                                value: v,
                                location: base::error::Location::UNKNOWN,
                            })
                        })
                        .collect(),
                )
            }
            (Expr::ArrayExpr(a), _) if !a.multidims => Some(a.elements.clone()),
            _ => None,
        };
        let ety = elem_ty.unwrap_or(TEXTOID);
        let list = list.unwrap_or_else(|| {
            // An array that is not known is taken to have ten elements.
            let ty = TypeMod { oid: ety, typmod: -1, collation: Oid::INVALID };
            vec![Expr::CaseTestExpr(ty); 10]
        });
        let (mut total, mut disjoint) = (if s.use_or { 0.0 } else { 1.0 }, if s.use_or { 0.0 } else { 1.0 });
        for e in &list {
            let args = [s.args[0].clone(), e.clone()];
            let one = if self.is_join_clause(&args, cx) {
                0.5
            } else {
                self.restriction_selectivity(root, s.opno, &name, &args, s.inputcollid, cx.rel)?
            };
            if s.use_or {
                total = total + one - total * one;
                if is_eq {
                    disjoint += one;
                }
            } else {
                total *= one;
                if is_ne {
                    disjoint += one - 1.0;
                }
            }
        }
        if ((s.use_or && is_eq) || (!s.use_or && is_ne)) && (0.0..=1.0).contains(&disjoint) {
            total = disjoint;
        }
        Ok(clamp(total))
    }

    fn null_fraction(&mut self, root: &Root, e: &Expr) -> Result<f64> {
        Ok(match self.examine(root, e, 0)? {
            Some(VarStats { stats: Some(s), .. }) => f64::from(s.stanullfrac),
            Some(_) => DEFAULT_UNK_SEL,
            None => 0.0,
        })
    }

    fn null_selectivity(&mut self, root: &Root, e: &Expr, not: bool, cx: SelContext<'_>) -> Result<f64> {
        let v = self.examine(root, e, cx.rel)?;
        let null = match &v {
            Some(VarStats { stats: Some(s), .. }) => f64::from(s.stanullfrac),
            Some(VarStats { is_system: Some(_), .. }) => 0.0,
            _ => DEFAULT_UNK_SEL,
        };
        // The test of an antijoin made from an outer join: nearly all rows are like that.
        Ok(clamp(if not { 1.0 - null } else { null }))
    }

    fn bool_var_selectivity(&mut self, root: &Root, e: &Expr) -> Result<f64> {
        let Some(v) = self.examine(root, e, 0)? else {
            return Ok(0.5);
        };
        if v.stats.is_none() {
            return Ok(if matches!(e, Expr::FuncExpr(_)) { 0.333_333_3 } else { 0.5 });
        }
        self.var_eq_const(root, &v, Oid(91), Oid::INVALID, &Datum::bool(true), true, false)
    }

    fn bool_test_selectivity(&mut self, root: &Root, b: &BooleanTest, cx: SelContext<'_>) -> Result<f64> {
        use BoolTestType::*;
        let v = self.examine(root, &b.arg, cx.rel)?;
        if let Some(v) = &v
            && let Some(s) = &v.stats
        {
            let null = f64::from(s.stanullfrac);
            let t = self.var_eq_const(root, v, Oid(91), Oid::INVALID, &Datum::bool(true), true, false)?;
            let f = clamp(1.0 - t - null);
            return Ok(match b.booltesttype {
                IsUnknown => null,
                IsNotUnknown => 1.0 - null,
                IsTrue => t,
                IsNotTrue => 1.0 - t,
                IsFalse => f,
                IsNotFalse => 1.0 - f,
            });
        }
        Ok(match b.booltesttype {
            IsUnknown => DEFAULT_UNK_SEL,
            IsNotUnknown => 1.0 - DEFAULT_UNK_SEL,
            IsTrue | IsNotFalse => self.clause_selectivity(root, &b.arg, cx)?,
            IsFalse | IsNotTrue => 1.0 - self.clause_selectivity(root, &b.arg, cx)?,
        })
    }

    // ---- joins ----

    fn join_op_selectivity(&mut self, root: &Root, o: &OpExpr, name: &str, cx: SelContext<'_>) -> Result<f64> {
        match name {
            "eqjoinsel" => self.eq_join(root, o, cx),
            "neqjoinsel" => {
                if matches!(cx.jointype, JoinType::Semi | JoinType::Anti) {
                    let l = self.examine(root, &o.args[0], 0)?;
                    let null = l.and_then(|v| v.stats).map_or(0.0, |s| f64::from(s.stanullfrac));
                    return Ok(1.0 - null);
                }
                match negator(&self.cx.catalog, o.opno)?.valid() {
                    Some(n) => {
                        let mut e = o.clone();
                        e.opno = n;
                        Ok(1.0 - self.eq_join(root, &e, cx)?)
                    }
                    None => Ok(1.0 - DEFAULT_EQ_SEL),
                }
            }
            "scalarltjoinsel" | "scalarlejoinsel" | "scalargtjoinsel" | "scalargejoinsel" => Ok(DEFAULT_INEQ_SEL),
            "likejoinsel" | "regexeqjoinsel" | "icregexeqjoinsel" | "iclikejoinsel" | "prefixjoinsel" => {
                Ok(DEFAULT_MATCH_SEL)
            }
            "nlikejoinsel" | "regexnejoinsel" | "icregexnejoinsel" | "icnlikejoinsel" => Ok(1.0 - DEFAULT_MATCH_SEL),
            "contjoinsel" => Ok(0.001),
            "areajoinsel" | "networkjoinsel" | "arraycontjoinsel" | "tsmatchjoinsel" => Ok(0.005),
            "positionjoinsel" => Ok(0.1),
            "matchingjoinsel" => Ok(0.01),
            _ => Ok(0.5),
        }
    }

    /// (PostgreSQL: `eqjoinsel`)
    fn eq_join(&mut self, root: &Root, o: &OpExpr, cx: SelContext<'_>) -> Result<f64> {
        let v1 = self.examine(root, &o.args[0], 0)?;
        let v2 = self.examine(root, &o.args[1], 0)?;
        let (Some(mut v1), Some(mut v2)) = (v1, v2) else { return Ok(DEFAULT_EQ_SEL) };
        let mut opno = o.opno;
        // For semijoins the first one is of the outer side.
        if let Some(sj) = cx.sj
            && matches!(cx.jointype, JoinType::Semi | JoinType::Anti)
        {
            let left = varnos(&o.args[0]);
            if left.is_subset(&sj.syn_right) {
                std::mem::swap(&mut v1, &mut v2);
                let c = commutator(&self.cx.catalog, opno)?;
                if c.is_valid() {
                    opno = c;
                }
            }
        }
        let (nd1, def1) = self.num_distinct(&v1);
        let (nd2, def2) = self.num_distinct(&v2);
        let inner = self.eq_join_inner(opno, o.inputcollid, &v1, &v2, nd1, nd2)?;
        if !matches!(cx.jointype, JoinType::Semi | JoinType::Anti) {
            return Ok(inner);
        }
        let semi = self.eq_join_semi(opno, o.inputcollid, &v1, &v2, nd1, nd2, def1, def2, cx, root)?;
        let inner_rows = cx.sj.map_or(1.0, |sj| self.side_rows(root, &sj.min_right));
        Ok(semi.min(inner_rows * inner))
    }

    /// Rows of a set of relations, as far as known.
    fn side_rows(&self, root: &Root, relids: &Relids) -> f64 {
        if let Some(one) = relids.as_single() {
            return root.base.get(one as usize).and_then(|r| r.as_ref()).map_or(1.0, |r| r.rows);
        }
        root.joins.get(relids).map_or_else(
            || {
                relids
                    .iter()
                    .filter_map(|r| root.base.get(r as usize).and_then(|x| x.as_ref()))
                    .map(|r| r.rows)
                    .product()
            },
            |r| r.rows,
        )
    }

    fn eq_join_inner(
        &mut self,
        opno: Oid,
        collation: Oid,
        v1: &VarStats,
        v2: &VarStats,
        nd1: f64,
        nd2: f64,
    ) -> Result<f64> {
        let null1 = v1.stats.as_ref().map_or(0.0, |s| f64::from(s.stanullfrac));
        let null2 = v2.stats.as_ref().map_or(0.0, |s| f64::from(s.stanullfrac));
        if let (Some(m1), Some(m2)) = (self.slot(v1, 1)?, self.slot(v2, 1)?) {
            let (mut match_prod, mut matched1, mut matched2) = (0.0, 0.0, 0.0);
            let mut has2 = vec![false; m2.values.len()];
            let mut has1 = vec![false; m1.values.len()];
            for (i, a) in m1.values.iter().enumerate() {
                for (j, b) in m2.values.iter().enumerate() {
                    if !has2[j] && self.op_holds(opno, collation, a.as_ref(), b.as_ref())? {
                        (has1[i], has2[j]) = (true, true);
                        match_prod += f64::from(m1.numbers[i]) * f64::from(m2.numbers[j]);
                        break;
                    }
                }
            }
            let (mut un1, mut un2, mut n) = (0.0, 0.0, 0.0);
            for (i, f) in m1.numbers.iter().enumerate() {
                if has1.get(i) == Some(&true) {
                    matched1 += f64::from(*f);
                    n += 1.0;
                } else {
                    un1 += f64::from(*f);
                }
            }
            for (i, f) in m2.numbers.iter().enumerate() {
                if has2.get(i) == Some(&true) {
                    matched2 += f64::from(*f);
                } else {
                    un2 += f64::from(*f);
                }
            }
            let (matched1, matched2, un1, un2) = (clamp(matched1), clamp(matched2), clamp(un1), clamp(un2));
            let other1 = clamp(1.0 - null1 - matched1 - un1);
            let other2 = clamp(1.0 - null2 - matched2 - un2);
            let (c1, c2) = (m1.numbers.len() as f64, m2.numbers.len() as f64);
            let mut s1 = match_prod;
            if nd2 > c2 {
                s1 += un1 * other2 / (nd2 - c2);
            }
            if nd2 > n {
                s1 += other1 * (other2 + un2) / (nd2 - n);
            }
            let mut s2 = match_prod;
            if nd1 > c1 {
                s2 += un2 * other1 / (nd1 - c1);
            }
            if nd1 > n {
                s2 += other2 * (other1 + un1) / (nd1 - n);
            }
            return Ok(clamp(s1.min(s2)));
        }
        let s = (1.0 - null1) * (1.0 - null2);
        Ok(clamp(s / nd1.max(nd2)))
    }

    fn eq_join_semi(
        &mut self,
        opno: Oid,
        collation: Oid,
        v1: &VarStats,
        v2: &VarStats,
        nd1: f64,
        nd2: f64,
        def1: bool,
        def2: bool,
        cx: SelContext<'_>,
        root: &Root,
    ) -> Result<f64> {
        let null1 = v1.stats.as_ref().map_or(0.0, |s| f64::from(s.stanullfrac));
        let (mut nd2, mut def2) = (nd2, def2);
        if v2.rel_rows > 0.0 && nd2 >= v2.rel_rows {
            nd2 = v2.rel_rows;
            def2 = false;
        }
        let inner_rows = cx.sj.map_or(nd2, |sj| self.side_rows(root, &sj.min_right));
        if nd2 >= inner_rows {
            nd2 = inner_rows;
            def2 = false;
        }
        if let (Some(m1), Some(m2)) = (self.slot(v1, 1)?, self.slot(v2, 1)?) {
            let take = (m2.values.len() as f64).min(nd2) as usize;
            let mut has2 = vec![false; take];
            let (mut matched, mut n) = (0.0, 0.0);
            for (i, a) in m1.values.iter().enumerate() {
                for (j, b) in m2.values[..take].iter().enumerate() {
                    if !has2[j] && self.op_holds(opno, collation, a.as_ref(), b.as_ref())? {
                        has2[j] = true;
                        matched += f64::from(m1.numbers[i]);
                        n += 1.0;
                        break;
                    }
                }
            }
            let uncertain = if !def1 && !def2 {
                let (a, b) = (nd1 - n, nd2 - n);
                if a <= b || b < 0.0 { 1.0 } else { b / a }
            } else {
                0.5
            };
            return Ok(clamp(matched + uncertain * clamp(1.0 - matched - null1)));
        }
        if !def1 && !def2 {
            return Ok(clamp(if nd1 <= nd2 || nd2 < 0.0 { 1.0 - null1 } else { nd2 / nd1 * (1.0 - null1) }));
        }
        Ok(0.5 * (1.0 - null1))
    }

    /// How many groups the expressions make of so many rows. (PostgreSQL: `estimate_num_groups`)
    pub(crate) fn num_groups(&mut self, root: &Root, exprs: &[Expr], input_rows: f64) -> Result<f64> {
        let input_rows = clamp_row_est(input_rows);
        if exprs.is_empty() {
            return Ok(1.0);
        }
        let mut d = 1.0;
        let mut srf = 1.0f64;
        let mut vars: Vec<(Expr, VarStats, f64)> = Vec::new();
        for e in exprs {
            srf = srf.max(self.srf_rows(e)?);
            if e.type_oid() == BOOLOID {
                d *= 2.0;
                continue;
            }
            let mut note = |me: &mut Self, x: &Expr, v: VarStats| {
                if !vars.iter().any(|k| k.0 == *x) {
                    let n = me.num_distinct(&v).0;
                    vars.push((x.clone(), v, n));
                }
            };
            if let Some(v) = self.examine(root, e, 0)?
                && (v.stats.is_some() || v.unique || matches!(strip_relabel(e), Expr::Var(_)))
            {
                note(self, e, v);
                continue;
            }
            let mut parts = Vec::new();
            crate::init::pull_all_vars(e, &mut parts);
            if parts.is_empty() {
                if is_volatile(&self.cx.catalog, e)? {
                    return Ok(input_rows);
                }
                continue;
            }
            for p in parts {
                if let Some(v) = self.examine(root, &p, 0)? {
                    note(self, &p, v);
                }
            }
        }
        if vars.is_empty() {
            return Ok((d * srf).min(input_rows).max(1.0).ceil());
        }
        while let Some((_, first, _)) = vars.first().cloned() {
            let (mut mine, rest): (Vec<_>, Vec<_>) = vars.into_iter().partition(|v| v.1.relid == first.relid);
            vars = rest;
            let (mut n, mut rel_d, mut max) = (0, 1.0f64, 1.0f64);
            if let Some(Some(rel)) = root.base.get(first.relid as usize)
                && !rel.statistics.is_empty()
            {
                while let Some(distinct) = self.multivariate_ndistinct(rel, &mut mine)? {
                    rel_d *= distinct;
                    max = max.max(distinct);
                    n += 1;
                }
            }
            n += mine.len();
            rel_d *= mine.iter().map(|m| m.2).product::<f64>();
            max = mine.iter().map(|m| m.2).fold(max, f64::max);
            let tuples = first.tuples;
            if tuples > 0.0 {
                let mut limit = tuples;
                if n > 1 {
                    limit *= 0.1;
                    if limit < max {
                        limit = max.min(tuples);
                    }
                }
                rel_d = rel_d.min(limit);
                // Restrictions leave fewer values. (Yao's formula, as PostgreSQL approximates it)
                if rel_d > 0.0 && first.rel_rows < tuples {
                    rel_d *= 1.0 - ((tuples - first.rel_rows) / tuples).max(0.0).powf(tuples / rel_d);
                }
                rel_d = clamp_row_est(rel_d);
            }
            d *= rel_d;
        }
        d *= srf;
        Ok(d.ceil().min(input_rows).max(1.0))
    }

    /// Rows that set-returning functions in an expression make of one.
    pub(crate) fn srf_rows(&mut self, e: &Expr) -> Result<f64> {
        let mut rows = 1.0f64;
        let mut funcs = Vec::new();
        walk(e, &mut |x| {
            match x {
                Expr::FuncExpr(f) if f.funcretset => funcs.push((f.funcid, f.args.clone())),
                Expr::OpExpr(o) if o.opretset => funcs.push((o.opfuncid, o.args.clone())),
                _ => {}
            }
            true
        });
        for (f, args) in funcs {
            rows = rows.max(self.function_rows(f, &args)?);
        }
        Ok(rows)
    }

    /// (PostgreSQL: `get_function_rows`, with the support functions of `generate_series` and `unnest`)
    pub(crate) fn function_rows(&mut self, f: Oid, args: &[Expr]) -> Result<f64> {
        let proc = self.cx.catalog.function_row(f)?;
        match proc.prosrc.as_str() {
            "generate_series_int4"
            | "generate_series_int8"
            | "generate_series_step_int4"
            | "generate_series_step_int8" => {
                let mut v = Vec::new();
                for a in args {
                    match self.estimate_value(a)? {
                        Expr::Const(c) if c.value.is_null() => return Ok(1.0),
                        Expr::Const(c) => v.push(c.value.as_ref().word() as i64 as f64),
                        _ => return Ok(f64::from(proc.prorows)),
                    }
                }
                let step = v.get(2).copied().unwrap_or(1.0);
                if v.len() >= 2 && step != 0.0 {
                    return Ok(clamp_row_est(((v[1] - v[0] + step) / step).floor()));
                }
            }
            "array_unnest" => {
                if let Some(a) = args.first() {
                    return Ok(match self.estimate_value(a)? {
                        Expr::Const(Const { value: Datum::Bytes(b), .. }) => {
                            clamp_row_est(types::array::ArrayRef::new(&b)?.count() as f64)
                        }
                        Expr::ArrayExpr(x) if !x.multidims => clamp_row_est(x.elements.len() as f64),
                        _ => 10.0,
                    });
                }
            }
            _ => {}
        }
        Ok(f64::from(proc.prorows).max(1.0))
    }
}

/// An expression without columns.
fn is_constant(e: &Expr) -> bool {
    varnos(e).is_empty()
}

/// A value as a number, for interpolation. (PostgreSQL: `convert_numeric_to_scalar`, `convert_timevalue_to_scalar`)
fn scalar(ty: Oid, v: &Datum) -> Option<f64> {
    let w = match v {
        Datum::Word(w) => *w,
        _ => return None,
    };
    Some(match ty {
        BOOLOID => (w & 0xff) as f64,
        INT2OID | INT4OID | INT8OID | DATEOID | TIMESTAMPOID | TIMESTAMPTZOID | TIMEOID | MONEYOID => {
            let n = w as i64 as f64;
            // Dates compare with timestamps.
            if ty == DATEOID { n * 86_400_000_000.0 } else { n }
        }
        FLOAT4OID => f64::from(f32::from_bits(w as u32)),
        FLOAT8OID => f64::from_bits(w),
        OIDOID | REGPROCOID | REGCLASSOID | REGTYPEOID | XIDOID => f64::from(w as u32),
        _ => return None,
    })
}

/// A text as a number between two bounds. (PostgreSQL: `convert_string_to_scalar`)
fn text_scale(ty: Oid, v: &Datum, lo: &Datum, hi: &Datum) -> Option<f64> {
    if !matches!(ty, TEXTOID | VARCHAROID | BPCHAROID | NAMEOID | BYTEAOID) {
        return None;
    }
    let (Datum::Bytes(v), Datum::Bytes(lo), Datum::Bytes(hi)) = (v, lo, hi) else { return None };
    let common = lo.iter().zip(hi.iter()).take_while(|(a, b)| a == b).count();
    let (mut num, mut scale) = (0.0, 1.0 / 256.0);
    for b in v.get(common..).unwrap_or_default().iter().take(12) {
        num += f64::from(*b) * scale;
        scale /= 256.0;
    }
    Some(num)
}

/// The smallest string greater than all that begin with this one, bytewise.
pub(crate) fn next_string(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut s = prefix.to_vec();
    while let Some(last) = s.pop() {
        if last < 0x7f {
            s.push(last + 1);
            return Some(s);
        }
        if last >= 0x80 {
            // The start of a character: drop what follows of it.
            while s.last().is_some_and(|b| (0x80..0xc0).contains(b)) {
                s.pop();
            }
            if s.last().is_some_and(|b| *b >= 0xc0) {
                s.pop();
            }
        }
    }
    None
}

/// The fixed prefix of a LIKE pattern, the selectivity of the rest, whether the pattern is all prefix.
pub(crate) fn like_prefix(p: &[u8], nocase: bool) -> (Vec<u8>, f64, bool) {
    let mut prefix = Vec::new();
    let mut i = 0;
    while i < p.len() {
        match p[i] {
            b'%' | b'_' => break,
            b'\\' => {
                i += 1;
                if i >= p.len() {
                    break;
                }
            }
            _ => {}
        }
        if nocase && (p[i].is_ascii_alphabetic() || p[i] >= 0x80) {
            break;
        }
        prefix.push(p[i]);
        i += 1;
    }
    let exact = i >= p.len();
    let mut rest = &p[i..];
    while rest.first().is_some_and(|b| matches!(b, b'%' | b'_')) {
        rest = &rest[1..];
    }
    let mut s = 1.0f64;
    let mut it = rest.iter();
    while let Some(b) = it.next() {
        match b {
            b'%' => s *= 5.0,
            b'_' => s *= 0.9,
            b'\\' => {
                it.next();
                s *= 0.2;
            }
            _ => s *= 0.2,
        }
    }
    (prefix, s.min(1.0), exact)
}

/// As [`like_prefix`], for a regular expression.
pub(crate) fn regex_prefix(p: &[u8], nocase: bool) -> (Vec<u8>, f64, bool) {
    let mut prefix = Vec::new();
    let anchored = p.first() == Some(&b'^') && !p.contains(&b'|');
    let body = if p.first() == Some(&b'^') { &p[1..] } else { p };
    let mut exact = false;
    if anchored && !nocase {
        let mut i = 0;
        // `^(abc)$` is as good as `^abc$`.
        let (body, grouped) = match (body.first(), body.ends_with(b")$")) {
            (Some(b'('), true) if !body[1..body.len() - 2].iter().any(|b| matches!(b, b'(' | b')')) => {
                (&body[1..body.len() - 2], true)
            }
            _ => (body, false),
        };
        while i < body.len() {
            let b = body[i];
            if b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'_' | b' '
                        | b'-'
                        | b','
                        | b'/'
                        | b':'
                        | b';'
                        | b'='
                        | b'@'
                        | b'!'
                        | b'"'
                        | b'#'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'<'
                        | b'>'
                        | b'`'
                        | b'~'
                )
                || b >= 0x80
            {
                // A quantifier makes the character before it optional.
                if matches!(body.get(i + 1), Some(b'*' | b'?' | b'{' | b'+')) {
                    break;
                }
                prefix.push(b);
                i += 1;
            } else if b == b'\\' && body.get(i + 1).is_some_and(|c| !c.is_ascii_alphanumeric()) {
                if matches!(body.get(i + 2), Some(b'*' | b'?' | b'{' | b'+')) {
                    break;
                }
                prefix.push(body[i + 1]);
                i += 2;
            } else {
                break;
            }
        }
        exact = if grouped { i >= body.len() } else { i + 1 == body.len() && body[i] == b'$' };
    }
    let mut s = 1.0f64;
    for b in &body[prefix.len().min(body.len())..] {
        match b {
            b'.' => s *= 0.9,
            b'*' | b'+' | b'?' => s *= 5.0,
            b'[' => s *= 0.25,
            b'$' => s *= 0.1,
            b'(' | b')' | b']' | b'\\' => {}
            _ => s *= 0.2,
        }
    }
    if !anchored {
        s *= 2.5;
    }
    (prefix, s.min(1.0), exact)
}

impl Planner<'_, '_> {
    pub(crate) fn first_mcv(&mut self, v: &VarStats) -> Result<f64> {
        Ok(self.slot(v, 1)?.and_then(|m| m.numbers.first().copied()).map_or(0.0, f64::from))
    }
}

impl Planner<'_, '_> {
    /// The least and the greatest known value of a column. (PostgreSQL: `get_variable_range`)
    fn value_range(&mut self, v: &VarStats, lt: Oid, collation: Oid) -> Result<Option<(Datum, Datum)>> {
        let Some(h) = self.slot(v, 2)? else { return Ok(None) };
        let (Some(mut lo), Some(mut hi)) = (h.values.first().cloned(), h.values.last().cloned()) else {
            return Ok(None);
        };
        if let Some(m) = self.slot(v, 1)? {
            for x in m.values {
                if self.op_holds(lt, collation, x.as_ref(), lo.as_ref())? {
                    lo = x;
                } else if self.op_holds(lt, collation, hi.as_ref(), x.as_ref())? {
                    hi = x;
                }
            }
        }
        Ok(Some((lo, hi)))
    }

    /// Which parts of its inputs a merge join reads: start and end of the left one, of the right one.
    /// (PostgreSQL: `mergejoinscansel`)
    pub(crate) fn merge_scan_selectivity(&mut self, root: &Root, r: &Ri, family: Oid) -> Result<[f64; 4]> {
        if let Some(known) = r.scan_sel.get() {
            return Ok(known);
        }
        let all = [0.0, 1.0, 0.0, 1.0];
        let found = self.merge_scan_parts(root, r, family)?.unwrap_or(all);
        r.scan_sel.set(Some(found));
        Ok(found)
    }
    fn merge_scan_parts(&mut self, root: &Root, r: &Ri, family: Oid) -> Result<Option<[f64; 4]>> {
        let Some(o) = r.op() else { return Ok(None) };
        let (l, rr, collation) = (o.args[0].clone(), o.args[1].clone(), o.inputcollid);
        let (Some(lv), Some(rv)) = (self.examine(root, &l, 0)?, self.examine(root, &rr, 0)?) else { return Ok(None) };
        if lv.stats.is_none() || rv.stats.is_none() {
            return Ok(None);
        }
        let Some(op) = self.cx.catalog.operator_in_family(o.opno, b's', family)? else { return Ok(None) };
        let (lt, rt) = (op.amoplefttype, op.amoprighttype);
        let get = |me: &Self, a: Oid, b: Oid, s: i16| me.cx.catalog.opfamily_member(family, a, b, s);
        let (Some(l_lt), Some(r_lt)) = (get(self, lt, lt, 1)?, get(self, rt, rt, 1)?) else { return Ok(None) };
        let (Some(lr_lt), Some(lr_le)) = (get(self, lt, rt, 1)?, get(self, lt, rt, 2)?) else { return Ok(None) };
        let (Some(rl_lt), Some(rl_le)) = (get(self, rt, lt, 1)?, get(self, rt, lt, 2)?) else { return Ok(None) };
        let Some((lmin, lmax)) = self.value_range(&lv, l_lt, collation)? else { return Ok(None) };
        let Some((rmin, rmax)) = self.value_range(&rv, r_lt, collation)? else { return Ok(None) };
        let mut lend = self.inequality(&lv, lr_le, false, true, collation, &rmax, rt)?;
        let mut rend = self.inequality(&rv, rl_le, false, true, collation, &lmax, lt)?;
        let mut lstart = self.inequality(&lv, lr_lt, false, false, collation, &rmin, rt)?;
        let mut rstart = self.inequality(&rv, rl_lt, false, false, collation, &lmin, lt)?;
        // Only one side can end early, only one begin late.
        if lend > rend {
            lend = 1.0;
        } else if lend < rend {
            rend = 1.0;
        } else {
            (lend, rend) = (1.0, 1.0);
        }
        if lstart < rstart {
            lstart = 0.0;
        } else if lstart > rstart {
            rstart = 0.0;
        } else {
            (lstart, rstart) = (0.0, 0.0);
        }
        Ok(Some([lstart.min(lend), lend, rstart.min(rend), rend]))
    }
}
