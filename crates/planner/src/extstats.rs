//! Extended statistics: what CREATE STATISTICS and ANALYZE left about several columns or expressions of a table.
//!
//! Conditions on columns that belong together are estimated together: by the list of most common combinations, what that does
//! not cover by functional dependencies. Groups are counted by the numbers of distinct combinations.
//!
//! PostgreSQL: `extended_stats.c`, `mcv.c`, `dependencies.c`, `estimate_multivariate_ndistinct`.

use std::sync::Arc;

use analyze::query::*;
use base::{Oid, Result};
use catalog::{CatalogRow, PgStatistic, PgStatisticExtData, Relation};
use types::extended_stats::{Dependency, McvList, read_dependencies, read_ndistinct};
use types::Datum;

use crate::fold::array_values;
use crate::node::*;
use crate::relids::Relids;
use crate::selfuncs::{SelContext, VarStats};
use crate::util::*;

/// A statistics object of a table.
pub(crate) struct ExtStats {
    keys: Vec<i16>,
    exprs: Vec<Expr>,
    data: Arc<PgStatisticExtData>,
}

impl ExtStats {
    /// The dimension that an expression is, if it is one.
    fn dimension(&self, e: &Expr) -> Option<usize> {
        match e {
            Expr::Var(v) => self.keys.iter().position(|k| *k == v.varattno),
            e => self.exprs.iter().position(|x| x == e).map(|i| self.keys.len() + i),
        }
    }
    fn covers(&self, c: &Clause) -> bool {
        c.columns.iter().all(|k| self.keys.contains(k)) && c.exprs.iter().all(|e| self.exprs.contains(e))
    }
    /// The number that the stored data give a column or an expression.
    fn number(&self, dimension: usize) -> i16 {
        match self.keys.get(dimension) {
            Some(k) => *k,
            None => -((dimension - self.keys.len()) as i16) - 1,
        }
    }
}

/// What a condition is about.
#[derive(Default)]
struct Clause {
    columns: Vec<i16>,
    exprs: Vec<Expr>,
}

impl Clause {
    fn is_simple(&self) -> bool {
        self.columns.len() + self.exprs.len() == 1
    }
}

fn probability(s: f64) -> f64 {
    s.clamp(0.0, 1.0)
}

/// (PostgreSQL: `mcv_combine_selectivities`)
fn combine(simple: f64, mcv: f64, base: f64, total: f64) -> f64 {
    let other = probability(simple - base).min(1.0 - total);
    probability(mcv + other)
}

/// The side of a comparison that is not a constant, the constant, and whether the former is on the left.
/// (PostgreSQL: `examine_opclause_args`)
fn sides(args: &[Expr]) -> Option<(&Expr, &Const, bool)> {
    let [l, r] = args else { return None };
    let (l, r) = (strip_one(l), strip_one(r));
    match (l, r) {
        (e, Expr::Const(c)) => Some((e, c, true)),
        (Expr::Const(c), e) => Some((e, c, false)),
        _ => None,
    }
}

fn strip_one(e: &Expr) -> &Expr {
    match e {
        Expr::RelabelType(x) => &x.arg,
        e => e,
    }
}

impl Planner<'_, '_> {
    /// The statistics objects of a table that ANALYZE has filled. (PostgreSQL: `get_relation_statistics`)
    pub(crate) fn extended_statistics(&mut self, relation: &Relation, rti: RtIndex) -> Result<Vec<ExtStats>> {
        let mut out = Vec::new();
        for oid in &relation.statistics {
            let (Some(object), Some(data)) =
                (self.cx.catalog.statistics_object(*oid)?, self.cx.catalog.statistics_data(*oid, false)?)
            else {
                continue;
            };
            let mut exprs = match &object.stxexprs {
                Some(text) => analyze::nodes::read_exprs(text, &self.cx.catalog)?,
                None => Vec::new(),
            };
            for e in &mut exprs {
                mutate(e, &mut |x| {
                    forget_location(x);
                    if let Expr::Var(v) = x {
                        v.varno = rti;
                    }
                    Ok(true)
                })?;
                self.fold(e)?;
            }
            out.push(ExtStats { keys: object.stxkeys.clone(), exprs, data });
        }
        Ok(out)
    }

    /// Statistics of an expression over one table. (PostgreSQL: `statext_expressions_load`)
    pub(crate) fn expression_stats(&mut self, rel: &Rel, e: &Expr) -> Result<Option<Arc<PgStatistic>>> {
        for s in rel.statistics.iter() {
            let Some(at) = s.exprs.iter().position(|x| x == e) else { continue };
            let Some(array @ Datum::Bytes(bytes)) = &s.data.stxdexpr else { continue };
            let element = types::array::ArrayRef::new(bytes)?.elem_type();
            let elem = self.elem_type(element)?;
            let rows = array_values(array, &elem)?;
            let Some(Datum::Bytes(row)) = rows.get(at) else { continue };
            let desc = self.cx.rt.row_type(element, -1)?;
            let values: Vec<Datum> = types::record::open(row, &desc)?.into_iter().map(types::DatumRef::to_owned).collect();
            return Ok(Some(Arc::new(PgStatistic::from_row(&values)?)));
        }
        Ok(None)
    }

    /// What a condition on one table is about, if extended statistics can say something of it.
    /// (PostgreSQL: `statext_is_compatible_clause_internal`)
    fn compatible(&mut self, e: &Expr, rti: RtIndex, out: &mut Clause) -> Result<bool> {
        let e = strip_one(e);
        let comparison = |me: &mut Self, opno: Oid, args: &[Expr], left_only: bool, out: &mut Clause| -> Result<bool> {
            let Some((side, _, on_left)) = sides(args) else { return Ok(false) };
            if left_only && !on_left {
                return Ok(false);
            }
            let name = me.restriction_name(opno)?;
            let known =
                ["eqsel", "neqsel", "scalarltsel", "scalarlesel", "scalargtsel", "scalargesel"].contains(&name.as_str());
            if !known {
                return Ok(false);
            }
            match side {
                Expr::Var(_) => me.compatible(side, rti, out),
                e => {
                    out.exprs.push(e.clone());
                    Ok(true)
                }
            }
        };
        match e {
            Expr::Var(v) => {
                if v.varno != rti || v.varlevelsup > 0 || v.varattno <= 0 {
                    return Ok(false);
                }
                if !out.columns.contains(&v.varattno) {
                    out.columns.push(v.varattno);
                }
                Ok(true)
            }
            Expr::OpExpr(o) => comparison(self, o.opno, &o.args, false, out),
            Expr::ScalarArrayOpExpr(s) => comparison(self, s.opno, &s.args, true, out),
            Expr::BoolExpr(b) => {
                for a in &b.args {
                    if !self.compatible(a, rti, out)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::NullTest(n) => match &n.arg {
                v @ Expr::Var(_) => self.compatible(v, rti, out),
                e => {
                    out.exprs.push(e.clone());
                    Ok(true)
                }
            },
            e => {
                out.exprs.push(e.clone());
                Ok(true)
            }
        }
    }

    fn clause_of(&mut self, arms: &[Ri], rti: RtIndex) -> Result<Option<Clause>> {
        let mut out = Clause::default();
        for r in arms {
            if r.pseudoconstant
                || r.clause_relids.as_single() != Some(rti)
                || !self.compatible(&r.clause, rti, &mut out)?
            {
                return Ok(None);
            }
        }
        Ok(Some(out))
    }

    /// The only table that conditions are about, if it has statistics of several columns.
    /// (PostgreSQL: `find_single_rel_for_clauses`)
    pub(crate) fn single_table<'r>(&self, root: &'r Root, list: &[&[Ri]]) -> Option<&'r Rel> {
        let mut all = Relids::new();
        for r in list.iter().flat_map(|l| l.iter()) {
            all.add(&r.clause_relids);
        }
        let rel = root.base.get(all.as_single()? as usize)?.as_ref()?;
        (!rel.statistics.is_empty()).then_some(rel)
    }

    /// The share of rows that pass those of the conditions that extended statistics know, each a conjunction; `known` tells
    /// which these are. (PostgreSQL: `statext_clauselist_selectivity`)
    pub(crate) fn extended_selectivity(
        &mut self,
        root: &Root,
        rel: &Rel,
        list: &[&[Ri]],
        cx: SelContext<'_>,
        is_or: bool,
        known: &mut [bool],
    ) -> Result<f64> {
        let s = self.mcv_selectivity(root, rel, list, cx, is_or, known)?;
        if is_or {
            return Ok(s);
        }
        Ok(s * self.dependency_selectivity(root, rel, list, cx, known)?)
    }

    /// (PostgreSQL: `statext_mcv_clauselist_selectivity`)
    fn mcv_selectivity(
        &mut self,
        root: &Root,
        rel: &Rel,
        list: &[&[Ri]],
        cx: SelContext<'_>,
        is_or: bool,
        known: &mut [bool],
    ) -> Result<f64> {
        let mut selectivity = if is_or { 0.0 } else { 1.0 };
        if !rel.statistics.iter().any(|s| s.data.stxdmcv.is_some()) {
            return Ok(selectivity);
        }
        let mut clauses: Vec<Option<Clause>> = Vec::new();
        for arms in list {
            clauses.push(self.clause_of(arms, rel.relid)?);
        }
        let statistics = Arc::clone(&rel.statistics);
        while let Some(best) = best(&statistics, &clauses) {
            let Some(bytes) = &best.data.stxdmcv else { break };
            let mcv = McvList::read(bytes)?;
            let total: f64 = mcv.items.iter().map(|i| i.frequency).sum();
            let mut mine: Vec<(usize, bool)> = Vec::new();
            for (i, c) in clauses.iter_mut().enumerate() {
                if c.as_ref().is_some_and(|c| best.covers(c)) {
                    mine.push((i, c.take().is_some_and(|c| c.is_simple())));
                    known[i] = true;
                }
            }
            if is_or {
                let mut matched = vec![false; mcv.items.len()];
                let (mut simple_or, mut sum) = (0.0, 0.0);
                for (i, is_simple) in &mine {
                    let simple = self.list_selectivity_with(root, list[*i], cx, false)?;
                    let overlap_simple = simple_or * simple;
                    simple_or = probability(simple_or + simple - overlap_simple);
                    let exprs: Vec<Expr> = list[*i].iter().map(|r| r.clause.clone()).collect();
                    let new = self.mcv_matches(best, &mcv, &exprs, false)?;
                    let (mut s, mut base, mut both, mut both_base) = (0.0, 0.0, 0.0, 0.0);
                    for (k, item) in mcv.items.iter().enumerate().filter(|(k, _)| new[*k]) {
                        s += item.frequency;
                        base += item.base_frequency;
                        if matched[k] {
                            both += item.frequency;
                            both_base += item.base_frequency;
                        }
                        matched[k] = true;
                    }
                    let this = if *is_simple { simple } else { combine(simple, s, base, total) };
                    let overlap = combine(overlap_simple, both, both_base, total);
                    sum = probability(sum + this - overlap);
                }
                selectivity = selectivity + sum - selectivity * sum;
            } else {
                let rinfos: Vec<Ri> = mine.iter().flat_map(|(i, _)| list[*i].iter().cloned()).collect();
                let simple = self.list_selectivity_with(root, &rinfos, cx, false)?;
                let exprs: Vec<Expr> = rinfos.iter().map(|r| r.clause.clone()).collect();
                let matched = self.mcv_matches(best, &mcv, &exprs, false)?;
                let (mut s, mut base) = (0.0, 0.0);
                for (item, _) in mcv.items.iter().zip(&matched).filter(|(_, m)| **m) {
                    s += item.frequency;
                    base += item.base_frequency;
                }
                selectivity *= combine(simple, s, base, total);
            }
        }
        Ok(selectivity)
    }

    /// Which combinations satisfy all (or any) of the conditions. (PostgreSQL: `mcv_get_match_bitmap`)
    fn mcv_matches(&mut self, stats: &ExtStats, mcv: &McvList, list: &[Expr], is_or: bool) -> Result<Vec<bool>> {
        let mut matches = vec![!is_or; mcv.items.len()];
        for e in list {
            let e = strip_one(e);
            let found: Vec<bool> = match e {
                Expr::OpExpr(o) if sides(&o.args).is_some_and(|s| stats.dimension(s.0).is_some()) => {
                    let Some((side, constant, on_left)) = sides(&o.args) else { continue };
                    let d = stats.dimension(side).unwrap_or_default();
                    let mut out = Vec::new();
                    for item in &mcv.items {
                        let (v, c) = (item.values[d].as_ref(), constant.value.as_ref());
                        let (a, b) = if on_left { (v, c) } else { (c, v) };
                        out.push(self.op_holds(o.opno, side.collation(), a, b)?);
                    }
                    out
                }
                Expr::ScalarArrayOpExpr(s) if sides(&s.args).is_some_and(|x| stats.dimension(x.0).is_some()) => {
                    let Some((side, constant, _)) = sides(&s.args) else { continue };
                    let d = stats.dimension(side).unwrap_or_default();
                    let values = match &constant.value {
                        Datum::Bytes(b) => {
                            let elem = self.elem_type(types::array::ArrayRef::new(b)?.elem_type())?;
                            Some(array_values(&constant.value, &elem)?)
                        }
                        _ => None,
                    };
                    let mut out = Vec::new();
                    for item in &mcv.items {
                        let v = &item.values[d];
                        let Some(values) = values.as_ref().filter(|_| !v.is_null()) else {
                            out.push(false);
                            continue;
                        };
                        let mut matched = !s.use_or;
                        for x in values {
                            let one = !x.is_null() && self.op_holds(s.opno, side.collation(), v.as_ref(), x.as_ref())?;
                            matched = if s.use_or { matched || one } else { matched && one };
                        }
                        out.push(matched);
                    }
                    out
                }
                Expr::NullTest(n) if stats.dimension(&n.arg).is_some() => {
                    let d = stats.dimension(&n.arg).unwrap_or_default();
                    mcv.items.iter().map(|i| i.values[d].is_null() != n.not).collect()
                }
                Expr::BoolExpr(b) if stats.dimension(e).is_none() => match b.boolop {
                    BoolExprType::Not => {
                        let inner = self.mcv_matches(stats, mcv, &b.args, false)?;
                        inner.into_iter().map(|m| !m).collect()
                    }
                    op => self.mcv_matches(stats, mcv, &b.args, op == BoolExprType::Or)?,
                },
                e => {
                    let Some(d) = stats.dimension(e) else { continue };
                    let holds = |v: &Datum| !v.is_null() && v.as_ref().word() & 1 != 0;
                    mcv.items.iter().map(|i| holds(&i.values[d])).collect()
                }
            };
            for (m, f) in matches.iter_mut().zip(found) {
                *m = if is_or { *m || f } else { *m && f };
            }
        }
        Ok(matches)
    }

    /// The column or expression of an equality with a constant. (PostgreSQL: `dependency_is_compatible_clause`)
    fn dependency_side(&mut self, e: &Expr) -> Result<Option<Expr>> {
        let side = match e {
            Expr::OpExpr(o) if o.args.len() == 2 => {
                let constant = |e: &Expr| varnos(e).is_empty();
                let side = if constant(&o.args[1]) {
                    &o.args[0]
                } else if constant(&o.args[0]) {
                    &o.args[1]
                } else {
                    return Ok(None);
                };
                if self.restriction_name(o.opno)? != "eqsel" {
                    return Ok(None);
                }
                side
            }
            Expr::ScalarArrayOpExpr(s) => {
                if !s.use_or || !varnos(&s.args[1]).is_empty() || self.restriction_name(s.opno)? != "eqsel" {
                    return Ok(None);
                }
                &s.args[0]
            }
            Expr::BoolExpr(b) if b.boolop == BoolExprType::Or => {
                let mut found: Option<Expr> = None;
                for a in &b.args {
                    let Some(side) = self.dependency_side(a)? else { return Ok(None) };
                    if found.as_ref().is_some_and(|f| *f != side) {
                        return Ok(None);
                    }
                    found = Some(side);
                }
                return Ok(found);
            }
            Expr::BoolExpr(b) if b.boolop == BoolExprType::Not => &b.args[0],
            e => e,
        };
        Ok(Some(strip_one(side).clone()))
    }

    /// (PostgreSQL: `dependencies_clauselist_selectivity`)
    fn dependency_selectivity(
        &mut self,
        root: &Root,
        rel: &Rel,
        list: &[&[Ri]],
        cx: SelContext<'_>,
        known: &mut [bool],
    ) -> Result<f64> {
        if !rel.statistics.iter().any(|s| s.data.stxddependencies.is_some()) {
            return Ok(1.0);
        }
        // What each condition is about: a place in `about`.
        let mut about: Vec<Expr> = Vec::new();
        let mut of_clause: Vec<Option<usize>> = vec![None; list.len()];
        for (i, arms) in list.iter().enumerate() {
            let [r] = arms else { continue };
            if known[i] || r.pseudoconstant || r.clause_relids.as_single() != Some(rel.relid) {
                continue;
            }
            let Some(side) = self.dependency_side(&r.clause)? else { continue };
            let fits = match &side {
                Expr::Var(v) => v.varattno > 0 && v.varlevelsup == 0,
                e => rel.statistics.iter().any(|s| s.data.stxddependencies.is_some() && s.exprs.contains(e)),
            };
            if fits {
                let at = about.iter().position(|a| *a == side).unwrap_or_else(|| {
                    about.push(side);
                    about.len() - 1
                });
                of_clause[i] = Some(at);
            }
        }
        if about.len() < 2 {
            return Ok(1.0);
        }
        // The dependencies between these, as places in `about`.
        let mut all: Vec<Vec<(Vec<usize>, f64)>> = Vec::new();
        for s in rel.statistics.iter() {
            let Some(bytes) = &s.data.stxddependencies else { continue };
            if about.iter().filter(|a| s.dimension(a).is_some()).count() < 2 {
                continue;
            }
            let numbers: Vec<Option<i16>> = about.iter().map(|a| s.dimension(a).map(|d| s.number(d))).collect();
            let place = |n: &i16| numbers.iter().position(|x| *x == Some(*n));
            let usable = |d: Dependency| {
                let places: Option<Vec<usize>> = d.attributes.iter().map(place).collect();
                places.map(|p| (p, d.degree))
            };
            all.push(read_dependencies(bytes)?.into_iter().filter_map(usable).collect());
        }
        let mut left: Vec<bool> = vec![true; about.len()];
        let mut chosen: Vec<(Vec<usize>, f64)> = Vec::new();
        loop {
            let mut strongest: Option<&(Vec<usize>, f64)> = None;
            for d in all.iter().flatten().filter(|d| d.0.iter().all(|p| left[*p])) {
                let weaker = strongest.is_some_and(|s| d.0.len() < s.0.len() || d.0.len() == s.0.len() && s.1 > d.1);
                if !weaker {
                    strongest = Some(d);
                }
            }
            let Some(d) = strongest else { break };
            if let Some(implied) = d.0.last() {
                left[*implied] = false;
            }
            chosen.push(d.clone());
        }
        if chosen.is_empty() {
            return Ok(1.0);
        }
        // (PostgreSQL: `clauselist_apply_dependencies`)
        let mut shares: Vec<Option<f64>> = vec![None; about.len()];
        for p in chosen.iter().flat_map(|d| d.0.iter()) {
            if shares[*p].is_some() {
                continue;
            }
            let mut mine = Vec::new();
            for (i, arms) in list.iter().enumerate() {
                if of_clause[i] == Some(*p) {
                    mine.extend(arms.iter().cloned());
                    known[i] = true;
                }
            }
            shares[*p] = Some(self.list_selectivity_with(root, &mine, cx, false)?);
        }
        for (places, degree) in chosen.iter().rev() {
            let Some((implied, determinants)) = places.split_last() else { continue };
            let s1: f64 = determinants.iter().map(|p| shares[*p].unwrap_or(1.0)).product();
            let s2 = shares[*implied].unwrap_or(1.0);
            let f = *degree;
            shares[*implied] = Some(if s1 <= s2 { f + (1.0 - f) * s2 } else { f * s2 / s1 + (1.0 - f) * s2 });
        }
        Ok(probability(shares.iter().flatten().product()))
    }

    /// The number of distinct combinations of some of a table's grouping expressions, which are taken out of the list.
    /// (PostgreSQL: `estimate_multivariate_ndistinct`)
    pub(crate) fn multivariate_ndistinct(
        &mut self,
        rel: &Rel,
        vars: &mut Vec<(Expr, VarStats, f64)>,
    ) -> Result<Option<f64>> {
        let (mut best, mut most) = (None, (0, 0));
        for s in rel.statistics.iter().filter(|s| s.data.stxdndistinct.is_some()) {
            let (mut columns, mut exprs) = (0, 0);
            for (e, ..) in vars.iter() {
                match (strip_one(e), s.dimension(strip_one(e))) {
                    (Expr::Var(_), Some(_)) => columns += 1,
                    (_, Some(_)) => exprs += 1,
                    _ => {}
                }
            }
            if columns + exprs >= 2 && (exprs, columns) > most {
                (best, most) = (Some(s), (exprs, columns));
            }
        }
        let Some(s) = best else { return Ok(None) };
        let Some(bytes) = &s.data.stxdndistinct else { return Ok(None) };
        let (taken, rest): (Vec<_>, Vec<_>) = vars.drain(..).partition(|v| s.dimension(strip_one(&v.0)).is_some());
        *vars = rest;
        let mut numbers: Vec<i16> =
            taken.iter().filter_map(|v| s.dimension(strip_one(&v.0)).map(|d| s.number(d))).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for item in read_ndistinct(bytes)? {
            let mut mine = item.attributes.clone();
            mine.sort_unstable();
            if mine == numbers {
                return Ok(Some(item.ndistinct));
            }
        }
        Err(base::PgError::internal("corrupt MVNDistinct entry"))
    }
}

/// The statistics that cover most columns and expressions of the conditions, the smaller of two.
/// (PostgreSQL: `choose_best_statistics`)
fn best<'s>(list: &'s [ExtStats], clauses: &[Option<Clause>]) -> Option<&'s ExtStats> {
    let (mut found, mut most, mut fewest) = (None, 2, usize::MAX);
    for s in list.iter().filter(|s| s.data.stxdmcv.is_some()) {
        let (mut columns, mut exprs): (Vec<i16>, Vec<&Expr>) = (Vec::new(), Vec::new());
        for c in clauses.iter().flatten().filter(|c| s.covers(c)) {
            columns.extend(&c.columns);
            exprs.extend(&c.exprs);
        }
        columns.sort_unstable();
        columns.dedup();
        let exprs = s.exprs.iter().filter(|e| exprs.contains(e)).count();
        let (matched, size) = (columns.len() + exprs, s.keys.len() + s.exprs.len());
        if matched > most || matched == most && size < fewest {
            (found, most, fewest) = (Some(s), matched, size);
        }
    }
    found
}
