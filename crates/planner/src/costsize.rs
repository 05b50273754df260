//! Costs of expressions and of paths, and row estimates of relations.
//!
//! PostgreSQL: `costsize.c`; the formulas are facts, see the manual, "Query Planning".

use std::rc::Rc;

use analyze::query::*;
use base::Result;

use crate::cost::clamp_row_est;
use crate::node::*;
use crate::relids::Relids;
use crate::selfuncs::SelContext;
use crate::util::*;

/// Startup, total.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Cost2 {
    pub startup: f64,
    pub total: f64,
}

pub(crate) fn relation_bytes(rows: f64, width: i32) -> f64 {
    rows * (f64::from((width + 7) & !7) + 24.0)
}
pub(crate) fn page_size(rows: f64, width: i32) -> f64 {
    (relation_bytes(rows, width) / 8192.0).ceil()
}

impl Planner<'_, '_> {
    /// Once, and for each row. (PostgreSQL: `cost_qual_eval_node`)
    pub(crate) fn expr_cost(&self, e: &Expr) -> (f64, f64) {
        let mut cost = (0.0, 0.0);
        self.add_expr_cost(e, &mut cost);
        cost
    }
    pub(crate) fn exprs_cost<'e>(&self, list: impl IntoIterator<Item = &'e Expr>) -> (f64, f64) {
        let mut cost = (0.0, 0.0);
        list.into_iter().for_each(|e| self.add_expr_cost(e, &mut cost));
        cost
    }
    fn add_expr_cost(&self, e: &Expr, cost: &mut (f64, f64)) {
        let op = self.cx.cost.cpu_operator_cost;
        let func = |f: base::Oid| -> f64 {
            match self.cx.catalog.function(f) {
                Ok(Some(p)) => f64::from(p.procost) * op,
                _ => op,
            }
        };
        let opfunc = |o: &OpExpr| op_func(&self.cx.catalog, o).map_or(op, &func);
        match e {
            Expr::FuncExpr(f) => cost.1 += func(f.funcid),
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => cost.1 += opfunc(o),
            Expr::ScalarArrayOpExpr(s) => {
                let n = array_length(&s.args[1]);
                let f = self.cx.catalog.operator(s.opno).ok().flatten().map_or(op, |o| func(o.oprcode));
                let hashed = matches!(&s.args[1], Expr::Const(_)) && n >= 9.0;
                cost.1 += if hashed { op + f } else { f * n * 0.5 };
            }
            // Aggregates and window functions are charged where they are computed.
            Expr::Aggref(_) | Expr::WindowFunc(_) => return,
            Expr::GroupingFunc(_) => {
                cost.1 += op;
                return;
            }
            Expr::CoerceViaIO(c) => {
                if let (Ok(a), Ok(b)) = (self.cx.catalog.type_row(c.resulttype), self.cx.catalog.type_row(c.arg.type_oid())) {
                    cost.1 += func(a.typinput) + func(b.typoutput);
                }
            }
            Expr::ArrayCoerceExpr(a) => {
                let per = self.expr_cost(&a.elemexpr);
                cost.0 += per.0;
                if per.1 > 0.0 {
                    cost.1 += per.1 * array_length(&a.arg);
                }
                self.add_expr_cost(&a.arg, cost);
                return;
            }
            Expr::RowCompareExpr(r) => {
                for o in &r.opnos {
                    cost.1 += self.cx.catalog.operator(*o).ok().flatten().map_or(op, |o| func(o.oprcode));
                }
            }
            Expr::MinMaxExpr(_) | Expr::SQLValueFunction(_) | Expr::XmlExpr(_) | Expr::CoerceToDomain(_) | Expr::NextValueExpr { .. } | Expr::JsonExpr(_) => {
                cost.1 += op;
            }
            Expr::CurrentOfExpr(_) => cost.0 += 1.0e10,
            Expr::SubPlan(s) => {
                cost.0 += s.startup_cost;
                cost.1 += s.per_call_cost;
                return;
            }
            _ => {}
        }
        e.children(&mut |c| self.add_expr_cost(c, cost));
    }

    pub(crate) fn rinfo_cost(&self, r: &Ri) -> (f64, f64) {
        if let Some(c) = r.eval_cost.get() {
            return c;
        }
        let mut c = self.expr_cost(&r.clause);
        if r.pseudoconstant {
            c = (c.0 + c.1, 0.0);
        }
        r.eval_cost.set(Some(c));
        c
    }
    pub(crate) fn rinfos_cost<'r>(&self, list: impl IntoIterator<Item = &'r Ri>) -> (f64, f64) {
        list.into_iter().fold((0.0, 0.0), |a, r| {
            let c = self.rinfo_cost(r);
            (a.0 + c.0, a.1 + c.1)
        })
    }

    /// A target with its width and costs. (PostgreSQL: `set_pathtarget_cost_width`)
    pub(crate) fn cost_target(&mut self, root: &Root, mut t: Target) -> Result<Rc<Target>> {
        let mut width = 0;
        for e in &t.exprs {
            width += self.expr_width(root, e)?;
        }
        let c = self.exprs_cost(t.exprs.iter().filter(|e| !matches!(e, Expr::Var(_))));
        (t.width, t.startup, t.per_tuple) = (width, c.0, c.1);
        Ok(Rc::new(t))
    }

    // ---- scans ----

    pub(crate) fn scan_quals_cost(&self, rel: &Rel, param: Option<&ParamInfo>) -> (f64, f64) {
        match param {
            Some(p) => {
                let c = self.rinfos_cost(&p.clauses);
                (c.0 + rel.baserestrict_cost.0, c.1 + rel.baserestrict_cost.1)
            }
            None => rel.baserestrict_cost,
        }
    }

    pub(crate) fn cost_seqscan(&self, rel: &Rel, param: Option<&ParamInfo>) -> Cost2 {
        let c = self.cx.cost;
        let q = self.scan_quals_cost(rel, param);
        let rows = param.map_or(rel.rows, |p| p.rows);
        let startup = q.0 + rel.target.startup;
        let cpu = (c.cpu_tuple_cost + q.1) * rel.tuples + rel.target.per_tuple * rows;
        Cost2 { startup, total: startup + cpu + c.seq_page_cost * f64::from(rel.pages) }
    }

    /// Scans whose rows come from a function, VALUES, CTE or the like: a cost for each row.
    pub(crate) fn cost_rows_scan(&self, rel: &Rel, param: Option<&ParamInfo>, startup: f64, per_row: f64) -> Cost2 {
        let q = self.scan_quals_cost(rel, param);
        let rows = param.map_or(rel.rows, |p| p.rows);
        let startup = startup + q.0 + rel.target.startup;
        let run = (self.cx.cost.cpu_tuple_cost + per_row + q.1) * rel.tuples + rel.target.per_tuple * rows;
        Cost2 { startup, total: startup + run }
    }

    /// Pages fetched by an index scan, given caching. (Mackert and Lohman; PostgreSQL: `index_pages_fetched`)
    pub(crate) fn pages_fetched(&self, root: &Root, tuples: f64, pages: f64, index_pages: f64) -> f64 {
        let t = if pages > 1.0 { pages } else { 1.0 };
        let total = (root.total_table_pages + index_pages).max(t);
        let b = (self.cx.cost.effective_cache_size * t / total).max(1.0);
        let b = if b <= 1.0 { 1.0 } else { b.ceil() };
        if t <= b {
            let x = (2.0 * t * tuples) / (2.0 * t + tuples);
            if x >= t { t } else { x.ceil() }
        } else {
            let lim = (2.0 * t * b) / (2.0 * t - b);
            let x = if tuples <= lim {
                (2.0 * t * tuples) / (2.0 * t + tuples)
            } else {
                b + (tuples - lim) * (t - b) / t
            };
            x.ceil()
        }
    }

    // ---- sorts ----

    /// Of the sort step itself. (PostgreSQL: `cost_tuplesort`)
    pub(crate) fn cost_tuplesort(&self, tuples: f64, width: i32, comparison: f64, limit: f64) -> Cost2 {
        let c = self.cx.cost;
        let tuples = tuples.max(2.0);
        let comparison = comparison + 2.0 * c.cpu_operator_cost;
        let input = relation_bytes(tuples, width);
        let (out_tuples, out_bytes) =
            if limit > 0.0 && limit < tuples { (limit, relation_bytes(limit, width)) } else { (tuples, input) };
        let mem = c.work_mem * 1024.0;
        let startup = if out_bytes > mem {
            let npages = (input / 8192.0).ceil();
            let runs = input / mem;
            let order = ((mem / (8192.0 * 2.0 + 32.0 * 8192.0 / 32.0)).floor()).clamp(6.0, 500.0);
            let mut s = comparison * tuples * tuples.log2();
            let passes = if runs > order { (runs.ln() / order.ln()).ceil() } else { 1.0 };
            s += 2.0 * npages * passes * (c.seq_page_cost * 0.75 + c.random_page_cost * 0.25);
            s
        } else if tuples > 2.0 * out_tuples || input > mem {
            comparison * tuples * (2.0 * out_tuples).log2()
        } else {
            comparison * tuples * tuples.log2()
        };
        Cost2 { startup, total: startup + c.cpu_operator_cost * tuples }
    }

    /// A sort on top of an input. (PostgreSQL: `cost_sort`)
    pub(crate) fn cost_sort(&self, input_total: f64, tuples: f64, width: i32, limit: f64) -> Cost2 {
        let s = self.cost_tuplesort(tuples, width, 0.0, limit);
        Cost2 { startup: s.startup + input_total, total: s.total + input_total }
    }

    /// (PostgreSQL: `cost_incremental_sort`)
    pub(crate) fn cost_incremental_sort(
        &mut self,
        root: &Root,
        keys: &[PathKey],
        presorted: usize,
        sub: &Path,
        limit: f64,
    ) -> Result<Cost2> {
        let c = self.cx.cost;
        let tuples = sub.rows.max(2.0);
        let mut groups = (0.1 * tuples).max(1.0).min(tuples);
        let mut exprs = Vec::new();
        let mut unknown = false;
        for k in &keys[..presorted] {
            let m = root.ec(k.ec).members.first();
            match m {
                Some(m) if !varnos(&m.expr).is_empty() => exprs.push(m.expr.clone()),
                Some(_) => unknown = true,
                None => {}
            }
        }
        if !unknown && !exprs.is_empty() {
            groups = self.num_groups(root, &exprs, tuples)?;
        } else if unknown {
            groups = groups.min(200.0f64.min(tuples));
        }
        let group_tuples = tuples / groups;
        let run = sub.total - sub.startup;
        let group_run = run / groups;
        let s = self.cost_tuplesort(group_tuples, sub.target.width, 0.0, limit);
        let startup = s.startup + sub.startup + group_run;
        let mut total_run = (s.total - s.startup) + s.total * (groups - 1.0) + group_run * (groups - 1.0);
        total_run += (c.cpu_tuple_cost + 0.0) * tuples;
        total_run += 2.0 * c.cpu_tuple_cost * groups;
        Ok(Cost2 { startup, total: startup + total_run })
    }

    pub(crate) fn cost_material(&self, input: &Path) -> Cost2 {
        let c = self.cx.cost;
        let bytes = relation_bytes(input.rows, input.target.width);
        let mut run = input.total - input.startup + 2.0 * c.cpu_operator_cost * input.rows;
        if bytes > c.work_mem * 1024.0 {
            run += c.seq_page_cost * (bytes / 8192.0).ceil();
        }
        Cost2 { startup: input.startup, total: input.startup + run }
    }

    /// (PostgreSQL: `cost_agg`)
    pub(crate) fn cost_agg(
        &self,
        strategy: crate::plan::AggStrategy,
        agg: &AggCosts,
        ngroupcols: usize,
        groups: f64,
        having: &(f64, f64),
        input: (f64, f64),
        tuples: f64,
        width: i32,
    ) -> Cost2 {
        use crate::plan::AggStrategy::*;
        let c = self.cx.cost;
        let cols = ngroupcols as f64;
        let (startup, mut total);
        let mut start;
        match strategy {
            Plain => {
                start = input.1 + agg.trans.0 + agg.trans.1 * tuples + agg.fin.0 + agg.fin.1;
                total = start + c.cpu_tuple_cost;
            }
            Sorted | Mixed => {
                start = input.0;
                total = input.1 + agg.trans.0 + agg.trans.1 * tuples + c.cpu_operator_cost * cols * tuples;
                total += agg.fin.0 + agg.fin.1 * groups + c.cpu_tuple_cost * groups;
            }
            Hashed => {
                start = input.1 + agg.trans.0 + agg.trans.1 * tuples + c.cpu_operator_cost * cols * tuples + agg.fin.0;
                total = start + agg.fin.1 * groups + c.cpu_tuple_cost * groups;
            }
        }
        if matches!(strategy, Hashed | Mixed) {
            // What does not fit is written out and read again.
            let entry = f64::from((width + 7) & !7) + 16.0 + 40.0 + agg.trans_space;
            let mem = c.work_mem * c.hash_mem_multiplier * 1024.0;
            let limit_groups = (mem / entry).max(1.0);
            let batches = (groups / limit_groups).max(1.0).ceil();
            let partitions = 4.0f64.max(2.0);
            let depth = (batches.ln() / partitions.ln()).ceil().max(0.0);
            let pages = relation_bytes(tuples, width) / 8192.0;
            let io = pages * depth * 2.0;
            start += io / 2.0 * c.random_page_cost;
            total += io / 2.0 * c.random_page_cost + io / 2.0 * c.seq_page_cost;
            let spill = depth * tuples * 2.0 * c.cpu_tuple_cost;
            start += spill;
            total += spill;
        }
        startup = start + having.0;
        total += having.0;
        if having.1 > 0.0 {
            total += groups * having.1;
        }
        Cost2 { startup, total }
    }

    // ---- row estimates ----

    /// (PostgreSQL: `set_baserel_size_estimates`)
    pub(crate) fn set_base_size(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let (clauses, tuples, target) = (rel.baserestrict.clone(), rel.tuples, rel.target.clone());
        let s = self.list_selectivity(root, &clauses, SelContext::scan(0))?;
        let cost = self.rinfos_cost(&clauses);
        let target = self.set_rel_width(root, &target, rti)?;
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.rows = clamp_row_est(tuples * s);
            rel.baserestrict_cost = cost;
            rel.target = Rc::new(target);
        }
        Ok(())
    }

    /// Rows of a join. (PostgreSQL: `calc_joinrel_size_estimate`)
    pub(crate) fn join_rows(
        &mut self,
        root: &Root,
        joinrelids: &Relids,
        outer_rows: f64,
        inner_rows: f64,
        sj: &SpecialJoin,
        clauses: &[Ri],
    ) -> Result<f64> {
        let cx = SelContext { rel: 0, jointype: sj.jointype, sj: Some(sj) };
        let (mut join, mut pushed) = (Vec::new(), Vec::new());
        if matches!(sj.jointype, JoinType::Left | JoinType::Full | JoinType::Anti | JoinType::Right) {
            for r in clauses {
                if r.is_pushed_down(joinrelids) { pushed.push(r.clone()) } else { join.push(r.clone()) }
            }
        } else {
            join = clauses.to_vec();
        }
        let js = self.list_selectivity(root, &join, cx)?;
        let ps = self.list_selectivity(root, &pushed, cx)?;
        let rows = match sj.jointype {
            JoinType::Left => (outer_rows * inner_rows * js).max(outer_rows) * ps,
            JoinType::Full => (outer_rows * inner_rows * js).max(outer_rows).max(inner_rows) * ps,
            JoinType::Semi => outer_rows * js,
            JoinType::Anti => outer_rows * (1.0 - js) * ps,
            _ => outer_rows * inner_rows * js,
        };
        Ok(clamp_row_est(rows))
    }
}

/// What aggregates cost. (PostgreSQL: `AggClauseCosts`)
#[derive(Clone, Default, Debug)]
pub(crate) struct AggCosts {
    pub trans: (f64, f64),
    pub fin: (f64, f64),
    pub trans_space: f64,
}

impl Planner<'_, '_> {
    /// Sums up the aggregates of these expressions.
    pub(crate) fn agg_costs(&self, exprs: &[&Expr]) -> Result<AggCosts> {
        let mut seen: Vec<&Aggref> = Vec::new();
        for e in exprs {
            walk(e, &mut |x| {
                if let Expr::Aggref(a) = x {
                    if !seen.iter().any(|s| **s == **a) {
                        seen.push(a);
                    }
                    return false;
                }
                true
            });
        }
        let mut out = AggCosts::default();
        for a in seen {
            let Some(row) = self.cx.catalog.aggregate(a.aggfnoid)? else { continue };
            let f = |oid: base::Oid| -> Result<f64> {
                Ok(match oid.valid() {
                    Some(o) => f64::from(self.cx.catalog.function_row(o)?.procost) * self.cx.cost.cpu_operator_cost,
                    None => 0.0,
                })
            };
            out.trans.1 += f(row.aggtransfn)?;
            out.fin.1 += f(row.aggfinalfn)?;
            let args = self.exprs_cost(a.args.iter().map(|t| &t.expr).chain(&a.aggfilter).chain(&a.aggdirectargs));
            out.trans.0 += args.0;
            out.trans.1 += args.1;
            if row.aggtranstype == types::oid::INTERNALOID {
                out.trans_space += if row.aggtransspace > 0 { f64::from(row.aggtransspace) } else { 1024.0 };
            } else if let Ok(t) = self.cx.catalog.type_row(row.aggtranstype)
                && !t.typbyval
            {
                out.trans_space += 48.0;
            }
            // Sorting for DISTINCT or ORDER BY is not charged, as in PostgreSQL.
        }
        Ok(out)
    }
}

/// (PostgreSQL: `estimate_array_length`)
pub(crate) fn array_length(e: &Expr) -> f64 {
    match strip_relabel(e) {
        Expr::Const(c) => match &c.value {
            types::Datum::Bytes(b) => types::array::ArrayRef::new(b).map_or(10.0, |a| a.count() as f64),
            _ => 0.0,
        },
        Expr::ArrayExpr(a) if !a.multidims => a.elements.len() as f64,
        _ => 10.0,
    }
}
