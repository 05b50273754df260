//! FROM and WHERE: scans with the conditions that concern them, joined in an order that keeps to connected tables.

use analyze::query::*;
use base::sqlstate::FEATURE_NOT_SUPPORTED;
use base::{Oid, PgError, Result};

use super::prep::exec_param;
use super::{Planner, Rel, refer, relids_of, tlist, unsupported};
use crate::plan::*;

fn subset(a: &[RtIndex], b: &[RtIndex]) -> bool {
    a.iter().all(|x| b.contains(x))
}
fn rels(e: &Expr) -> Vec<RtIndex> {
    let mut out = Vec::new();
    relids_of(e, &mut out);
    out
}
/// Takes out the conditions that `f` accepts.
fn take(quals: &mut Vec<Expr>, f: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    let (yes, no) = std::mem::take(quals).into_iter().partition(f);
    *quals = no;
    yes
}

/// The columns of each range-table entry that the query level reads.
pub(super) type Needed = Vec<Expr>;

impl Planner<'_, '_> {
    /// Plans the join tree.
    pub fn from(&mut self, from: &FromExpr, needed: &Needed) -> Result<Rel> {
        self.from_expr(from, Vec::new(), needed)
    }

    fn node_rels(&mut self, node: &JoinTreeNode, out: &mut Vec<RtIndex>) {
        let offset = self.level().offset;
        match node {
            JoinTreeNode::RangeTblRef(r) => out.push(r + offset),
            JoinTreeNode::FromExpr(f) => f.fromlist.iter().for_each(|n| self.node_rels(n, out)),
            JoinTreeNode::JoinExpr(j) => {
                self.node_rels(&j.larg, out);
                self.node_rels(&j.rarg, out);
            }
        }
    }

    fn from_expr(&mut self, from: &FromExpr, mut quals: Vec<Expr>, needed: &Needed) -> Result<Rel> {
        quals.extend(self.prep_quals(from.quals.as_ref())?);
        // Inner joins and nested lists are one list.
        let mut items: Vec<JoinTreeNode> = Vec::new();
        let mut todo: Vec<JoinTreeNode> = from.fromlist.iter().rev().cloned().collect();
        while let Some(node) = todo.pop() {
            match node {
                JoinTreeNode::FromExpr(f) => {
                    quals.extend(self.prep_quals(f.quals.as_ref())?);
                    todo.extend(f.fromlist.into_iter().rev());
                }
                JoinTreeNode::JoinExpr(j) if j.jointype == JoinType::Inner => {
                    quals.extend(self.prep_quals(j.quals.as_ref())?);
                    todo.push(j.rarg);
                    todo.push(j.larg);
                }
                other => items.push(other),
            }
        }
        self.join_list(items, quals, needed)
    }

    fn join_list(&mut self, items: Vec<JoinTreeNode>, mut quals: Vec<Expr>, needed: &Needed) -> Result<Rel> {
        if items.is_empty() {
            let plan = Plan { rows: 1.0, total_cost: 0.01, ..Plan::new(PlanNode::Result { constant_qual: quals }) };
            return Ok(Rel { plan, out: Vec::new(), relids: Vec::new() });
        }
        let mut left: Vec<(JoinTreeNode, Vec<RtIndex>, Vec<RtIndex>)> = Vec::new();
        for node in items {
            let mut r = Vec::new();
            self.node_rels(&node, &mut r);
            let deps = self.lateral_deps(&node, &r)?;
            left.push((node, r, deps));
        }
        // Begin with the table that a condition of its own narrows most surely.
        let mut first = left.iter().position(|i| i.2.is_empty()).unwrap_or(0);
        for (k, item) in left.iter().enumerate() {
            let narrowed = quals.iter().any(|q| {
                subset(&rels(q), &item.1)
                    && !rels(q).is_empty()
                    && matches!(q, Expr::OpExpr(_) | Expr::ScalarArrayOpExpr(_))
            });
            if narrowed && item.2.is_empty() {
                first = k;
                break;
            }
        }
        let (node, r, _) = left.remove(first);
        let single = left.is_empty();
        let own = take(&mut quals, |q| single || (!rels(q).is_empty() && subset(&rels(q), &r)));
        let (own, constant): (Vec<Expr>, Vec<Expr>) = own.into_iter().partition(|q| !rels(q).is_empty());
        quals.extend(constant);
        let mut joined = self.item(&node, own, needed)?;
        while !left.is_empty() {
            let ready = |i: &(JoinTreeNode, Vec<RtIndex>, Vec<RtIndex>)| subset(&i.2, &joined.relids);
            let connected = |i: &(JoinTreeNode, Vec<RtIndex>, Vec<RtIndex>)| {
                let mut both = joined.relids.clone();
                both.extend(&i.1);
                quals.iter().any(|q| {
                    let r = rels(q);
                    subset(&r, &both)
                        && r.iter().any(|x| i.1.contains(x))
                        && r.iter().any(|x| joined.relids.contains(x))
                })
            };
            let next = left.iter().position(|i| ready(i) && connected(i)).or_else(|| left.iter().position(ready));
            let (node, r, _) = left.remove(next.unwrap_or(0));
            let mut both = joined.relids.clone();
            both.extend(&r);
            let own = take(&mut quals, |q| !rels(q).is_empty() && subset(&rels(q), &r));
            let on = take(&mut quals, |q| !rels(q).is_empty() && subset(&rels(q), &both));
            joined = self.join(joined, &node, JoinType::Inner, own, on, needed)?;
        }
        if !quals.is_empty() {
            // Conditions without columns decide once.
            let plan = joined.plan;
            joined.plan = Planner::pass(PlanNode::Result { constant_qual: quals }, plan);
        }
        Ok(joined)
    }

    fn item(&mut self, node: &JoinTreeNode, quals: Vec<Expr>, needed: &Needed) -> Result<Rel> {
        match node {
            JoinTreeNode::RangeTblRef(r) => {
                let rti = r + self.level().offset;
                self.scan(rti, quals, &[], needed).map(|(rel, _)| rel)
            }
            JoinTreeNode::FromExpr(f) => self.from_expr(f, quals, needed),
            JoinTreeNode::JoinExpr(j) => self.join_expr(j, quals, needed),
        }
    }

    fn join_expr(&mut self, j: &JoinExpr, mut quals: Vec<Expr>, needed: &Needed) -> Result<Rel> {
        let (larg, rarg, jointype) = match j.jointype {
            JoinType::Right => (&j.rarg, &j.larg, JoinType::Left),
            t => (&j.larg, &j.rarg, t),
        };
        let (mut l, mut r) = (Vec::new(), Vec::new());
        self.node_rels(larg, &mut l);
        self.node_rels(rarg, &mut r);
        let mut on = self.prep_quals(j.quals.as_ref())?;
        match jointype {
            JoinType::Inner => {
                on.extend(quals);
                return self.join_list(vec![larg.clone(), rarg.clone()], on, needed);
            }
            JoinType::Left => {
                // A strict condition on the nullable side makes it an inner join.
                let strict = |q: &Expr| matches!(q, Expr::OpExpr(o) if o.args.iter().any(|a| matches!(a, Expr::Var(v) if r.contains(&v.varno))));
                let mut reduces = false;
                for q in quals.iter().filter(|q| strict(q)) {
                    if let Expr::OpExpr(o) = q {
                        reduces = reduces || self.cx.catalog.function(o.opfuncid)?.is_some_and(|f| f.proisstrict);
                    }
                }
                if reduces {
                    on.extend(quals);
                    return self.join_list(vec![larg.clone(), rarg.clone()], on, needed);
                }
                let left_quals = take(&mut quals, |q| subset(&rels(q), &l));
                let left = self.item(larg, left_quals, needed)?;
                let own = take(&mut on, |q| !rels(q).is_empty() && subset(&rels(q), &r));
                let rel = self.join(left, rarg, JoinType::Left, own, on, needed)?;
                Ok(Planner::filtered(rel, quals))
            }
            JoinType::Full => {
                let left = self.item(larg, Vec::new(), needed)?;
                let rel = self.join(left, rarg, JoinType::Full, Vec::new(), on, needed)?;
                Ok(Planner::filtered(rel, quals))
            }
            _ => Err(PgError::internal("unexpected join type in a query")),
        }
    }

    /// The relation with a filter on top.
    pub fn filtered(mut rel: Rel, quals: Vec<Expr>) -> Rel {
        if !quals.is_empty() {
            let plan = Planner::pass(PlanNode::Result { constant_qual: Vec::new() }, rel.plan);
            let quals = quals.iter().map(|q| refer(q, &[(OUTER_VAR, &rel.out)])).collect();
            rel.plan = Plan { qual: quals, ..plan };
        }
        rel
    }

    /// Tables of this level that a LATERAL item reads.
    fn lateral_deps(&mut self, node: &JoinTreeNode, own: &[RtIndex]) -> Result<Vec<RtIndex>> {
        let offset = self.level().offset;
        let mut deps = Vec::new();
        for r in own {
            let rte = self.level().rtable[(r - offset) as usize - 1].clone();
            if !rte.lateral {
                continue;
            }
            let mut found = Vec::new();
            match &rte.kind {
                RteKind::Subquery { subquery, .. } => outer_refs(subquery, 1, &mut found),
                RteKind::Function { functions, .. } => {
                    functions.iter().for_each(|f| level_refs(&f.funcexpr, 0, &mut found))
                }
                RteKind::Values { lists, .. } => lists.iter().flatten().for_each(|e| level_refs(e, 0, &mut found)),
                _ => {}
            }
            for v in found {
                let e = self.prep(&Expr::Var(Var { varlevelsup: 0, ..v }))?;
                relids_of(&e, &mut deps);
            }
        }
        let _ = node;
        deps.retain(|d| !own.contains(d));
        Ok(deps)
    }

    /// Joins one more item to what there is.
    fn join(
        &mut self,
        outer: Rel,
        node: &JoinTreeNode,
        jointype: JoinType,
        own: Vec<Expr>,
        on: Vec<Expr>,
        needed: &Needed,
    ) -> Result<Rel> {
        let mut on = on;
        let mut params: Vec<(i32, Expr)> = Vec::new();
        let saved = std::mem::take(&mut self.level().plan_params);
        let full = jointype == JoinType::Full;
        let inner = match node {
            // A table may be searched by the outer row's values.
            JoinTreeNode::RangeTblRef(r) if !full => {
                let rti = r + self.level().offset;
                let mut all = own.clone();
                all.extend(on.iter().cloned());
                let (rel, used) = self.scan(rti, all, &outer.relids, needed)?;
                if let Some(used) = used {
                    params = used;
                    on = Vec::new();
                }
                rel
            }
            _ => self.item(node, own, needed)?,
        };
        // What a LATERAL item reads of us comes by parameters, too; the rest belongs to others.
        let passed = std::mem::replace(&mut self.level().plan_params, saved);
        for (id, value) in passed {
            if subset(&rels(&value), &outer.relids) {
                params.push((id, value));
            } else {
                self.level().plan_params.push((id, value));
            }
        }
        let out: Vec<Expr> = outer.out.iter().chain(&inner.out).cloned().collect();
        let sides = [(OUTER_VAR, &outer.out[..]), (INNER_VAR, &inner.out[..])];
        let list = tlist(out.iter().map(|e| refer(e, &sides)).collect());
        let mut relids = outer.relids.clone();
        relids.extend(&inner.relids);
        let (mut clauses, mut rest) = (Vec::new(), Vec::new());
        for q in on {
            match if params.is_empty() { self.hash_clause(&q, &outer.relids, &inner.relids)? } else { None } {
                Some(c) => clauses.push(c),
                None => rest.push(refer(&q, &sides)),
            }
        }
        let rows = (outer.plan.rows * inner.plan.rows * if clauses.is_empty() { 0.3 } else { 0.01 }).max(1.0);
        let cost = outer.plan.total_cost + inner.plan.total_cost;
        if !clauses.is_empty() {
            let keys = |i: usize, out: &[Expr]| -> Vec<Expr> {
                clauses.iter().map(|c: &OpExpr| refer(&c.args[i], &[(OUTER_VAR, out)])).collect()
            };
            let (outer_keys, inner_keys) = (keys(0, &outer.out), keys(1, &inner.out));
            let hash = Planner::pass(PlanNode::Hash { hashkeys: inner_keys }, inner.plan);
            let node = PlanNode::HashJoin {
                jointype,
                joinqual: rest,
                inner_unique: false,
                hashoperators: clauses.iter().map(|c| c.opno).collect(),
                hashcollations: clauses.iter().map(|c| c.inputcollid).collect(),
                hashclauses: clauses.iter().map(|c| refer(&Expr::OpExpr(Box::new(c.clone())), &sides)).collect(),
                hashkeys: outer_keys,
            };
            let plan = Plan { rows, total_cost: cost, targetlist: list, ..Plan::new(node) };
            let plan = Plan { outer: Some(Box::new(outer.plan)), inner: Some(Box::new(hash)), ..plan };
            return Ok(Rel { plan, out, relids });
        }
        if full {
            let text = "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        let inner_plan = match params.is_empty() {
            true => Planner::pass(PlanNode::Material, inner.plan),
            false => inner.plan,
        };
        let params = params
            .into_iter()
            .map(|(param, value)| NestLoopParam { param, value: refer(&value, &[(OUTER_VAR, &outer.out)]) })
            .collect();
        let node = PlanNode::NestLoop { jointype, joinqual: rest, inner_unique: false, params };
        let plan = Plan { rows, total_cost: cost, targetlist: list, ..Plan::new(node) };
        let plan = Plan { outer: Some(Box::new(outer.plan)), inner: Some(Box::new(inner_plan)), ..plan };
        Ok(Rel { plan, out, relids })
    }

    /// The clause as `outer = inner` if it can be hashed.
    fn hash_clause(&self, q: &Expr, outer: &[RtIndex], inner: &[RtIndex]) -> Result<Option<OpExpr>> {
        let Expr::OpExpr(o) = q else { return Ok(None) };
        if o.args.len() != 2 || !self.in_hash_family(o.opno)? || self.is_volatile(q)? {
            return Ok(None);
        }
        let (a, b) = (rels(&o.args[0]), rels(&o.args[1]));
        if a.is_empty() || b.is_empty() {
            return Ok(None);
        }
        if subset(&a, outer) && subset(&b, inner) {
            return Ok(Some((**o).clone()));
        }
        if !subset(&b, outer) || !subset(&a, inner) {
            return Ok(None);
        }
        let Some(op) = self.cx.catalog.operator(o.opno)?.and_then(|x| x.oprcom.valid()) else { return Ok(None) };
        let mut c = (**o).clone();
        c.opno = op;
        c.opfuncid = self.cx.catalog.operator(op)?.map(|x| x.oprcode).unwrap_or_default();
        c.args.swap(0, 1);
        Ok(Some(c))
    }

    /// Scans a range-table entry. With `outer`, conditions may speak of those tables, too: if an index uses one, all such
    /// conditions go into the scan with parameters, which are given; else `None` and they are left to the join.
    fn scan(
        &mut self,
        rti: RtIndex,
        quals: Vec<Expr>,
        outer: &[RtIndex],
        needed: &Needed,
    ) -> Result<(Rel, Option<Vec<(i32, Expr)>>)> {
        let out: Vec<Expr> = needed.iter().filter(|e| matches!(e, Expr::Var(v) if v.varno == rti)).cloned().collect();
        let targetlist = tlist(out.clone());
        let rte = self.rtable[rti as usize - 1].clone();
        let relids = vec![rti];
        let (own, foreign): (Vec<Expr>, Vec<Expr>) = quals.into_iter().partition(|q| subset(&rels(q), &[rti]));
        if !rte.security_quals.is_empty() {
            return unsupported("row-level security and security barrier views");
        }
        if let RteKind::Relation { table_sample: Some(_), .. } = &rte.kind {
            return unsupported("TABLESAMPLE");
        }
        if let RteKind::Relation { relid, .. } = &rte.kind {
            let rel = self.cx.catalog.relation_entry(*relid)?;
            let is_virtual = |e: &Expr| match e {
                Expr::Var(v) if v.varattno > 0 => rel.desc.attrs[v.varattno as usize - 1].generated == b'v',
                Expr::Var(v) if v.varattno == 0 => rel.desc.attrs.iter().any(|a| a.generated == b'v'),
                _ => false,
            };
            if out.iter().any(is_virtual) {
                return unsupported("virtual generated columns");
            }
            if rel.class.relhassubclass && matches!(rte.kind, RteKind::Relation { inh: true, .. }) {
                let children = self.cx.catalog.inheritance_children(*relid)?;
                if !children.is_empty() || rel.kind() == catalog::relkind::PARTITIONED_TABLE {
                    return unsupported("inheritance and partitioning");
                }
            }
            let pages = f64::from(self.cx.sizes.nblocks(&rel)?);
            let tuples = if rel.class.reltuples > 0.0 { f64::from(rel.class.reltuples) } else { pages * 60.0 };
            let mut all = own.clone();
            all.extend(foreign.iter().cloned());
            let parameterised = match outer.is_empty() || foreign.is_empty() {
                true => None,
                false => {
                    self.match_index(&rel, rti, &all)?.filter(|m| m.orig.iter().any(|q| !subset(&rels(q), &[rti])))
                }
            };
            if let Some(m) = parameterised {
                let mut params: Vec<(i32, Expr)> = Vec::new();
                let quals: Vec<Expr> = m.quals.iter().map(|q| self.parameterise(q, rti, &mut params)).collect();
                let orig = m.orig.iter().map(|q| self.parameterise(q, rti, &mut params)).collect();
                let rest: Vec<Expr> = all
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| !m.used.contains(i))
                    .map(|(_, q)| self.parameterise(q, rti, &mut params))
                    .collect();
                let rows = if m.unique { 1.0 } else { (tuples * 0.005).max(1.0) };
                let plan = index_plan(rti, &m, quals, orig, rest, targetlist, rows);
                return Ok((Rel { plan, out, relids }, Some(params)));
            }
            let plan = match self.match_index(&rel, rti, &own)? {
                Some(m) => {
                    let rest =
                        own.iter().enumerate().filter(|(i, _)| !m.used.contains(i)).map(|(_, q)| q.clone()).collect();
                    let rows = if m.unique { 1.0 } else { (tuples * 0.005).max(1.0) };
                    index_plan(rti, &m, m.quals.clone(), m.orig.clone(), rest, targetlist, rows)
                }
                None => {
                    let tid: Option<usize> = own.iter().position(|q| is_tid_qual(q, rti));
                    let mut own = own;
                    let node = match tid {
                        Some(i) => PlanNode::TidScan { scanrelid: rti, tidquals: vec![own.remove(i)] },
                        None => PlanNode::SeqScan { scanrelid: rti },
                    };
                    let rows = (tuples * 0.3f64.powi(own.len().min(4) as i32)).max(1.0).round();
                    let cost = pages + tuples * (0.01 + 0.0025 * own.len() as f64);
                    Plan { rows, total_cost: cost, qual: own, targetlist, ..Plan::new(node) }
                }
            };
            return Ok((Rel { plan, out, relids }, None));
        }
        let node = match rte.kind {
            RteKind::Subquery { subquery, .. } => {
                let subplan = self.query(*subquery)?;
                PlanNode::SubqueryScan { scanrelid: rti, subplan: Box::new(subplan) }
            }
            RteKind::Function { functions, ordinality } => {
                let mut list = Vec::new();
                for f in functions {
                    let funcexpr = self.lateral_expr(&f.funcexpr)?;
                    list.push(RangeTblFunction { funcexpr, ..f });
                }
                PlanNode::FunctionScan { scanrelid: rti, functions: list, ordinality }
            }
            RteKind::Values { lists, .. } => {
                let mut rows = Vec::new();
                for l in lists {
                    rows.push(l.iter().map(|e| self.lateral_expr(e)).collect::<Result<Vec<Expr>>>()?);
                }
                PlanNode::ValuesScan { scanrelid: rti, lists: rows }
            }
            RteKind::Cte { name, levels_up, .. } => {
                let depth = self.levels.len() - 1 - levels_up as usize;
                let cte = self.levels[depth].ctes.iter().rev().find(|c| c.0 == name).cloned();
                match cte {
                    Some((_, Some(plan_id), param)) => PlanNode::CteScan { scanrelid: rti, plan_id, cte_param: param },
                    Some((_, None, param)) => PlanNode::WorkTableScan { scanrelid: rti, wt_param: param },
                    None => return Err(PgError::internal(format!("could not find CTE \"{name}\""))),
                }
            }
            RteKind::Result => PlanNode::Result { constant_qual: Vec::new() },
            _ => return unsupported("this kind of FROM item"),
        };
        let rows = match &node {
            PlanNode::SubqueryScan { subplan, .. } => subplan.rows,
            PlanNode::ValuesScan { lists, .. } => lists.len() as f64,
            _ => 100.0,
        };
        let plan = Plan { rows, total_cost: rows * 0.01, qual: own, targetlist, ..Plan::new(node) };
        Ok((Rel { plan, out, relids }, None))
    }

    /// An expression of a FROM item: columns of the same level come by parameters.
    fn lateral_expr(&mut self, e: &Expr) -> Result<Expr> {
        let e = self.prep(e)?;
        let mut params = Vec::new();
        let e = self.parameterise(&e, 0, &mut params);
        self.level().plan_params.extend(params);
        Ok(e)
    }

    /// Columns of other tables than `rti` replaced by parameters.
    fn parameterise(&mut self, e: &Expr, rti: RtIndex, params: &mut Vec<(i32, Expr)>) -> Expr {
        if let Expr::Var(v) = e {
            if v.varno == rti || v.varno == INDEX_VAR {
                return e.clone();
            }
            if let Some((id, _)) = params.iter().find(|p| p.1 == *e) {
                return exec_param(*id, v.vartype);
            }
            let id = self.new_param(v.vartype.oid);
            params.push((id, e.clone()));
            return exec_param(id, v.vartype);
        }
        let mut copy = e.clone();
        copy.children_mut(&mut |c| *c = self.parameterise(c, rti, params));
        copy
    }
}

fn is_tid_qual(q: &Expr, rti: RtIndex) -> bool {
    let ctid = |e: &Expr| matches!(e, Expr::Var(v) if v.varno == rti && v.varattno == sysattr::CTID);
    match q {
        Expr::OpExpr(o) => {
            o.opno == Oid(387)
                && ((ctid(&o.args[0]) && rels(&o.args[1]).is_empty())
                    || (ctid(&o.args[1]) && rels(&o.args[0]).is_empty()))
        }
        Expr::ScalarArrayOpExpr(s) => s.opno == Oid(387) && s.use_or && ctid(&s.args[0]) && rels(&s.args[1]).is_empty(),
        _ => false,
    }
}

fn index_plan(
    rti: RtIndex,
    m: &super::access::IndexMatch,
    indexqual: Vec<Expr>,
    indexqualorig: Vec<Expr>,
    qual: Vec<Expr>,
    targetlist: Vec<TargetEntry>,
    rows: f64,
) -> Plan {
    let node = PlanNode::IndexScan {
        scanrelid: rti,
        indexid: m.index.oid,
        indexqual,
        indexqualorig,
        indexorderby: Vec::new(),
        indexorderbyorig: Vec::new(),
        backward: false,
    };
    Plan { startup_cost: 0.28, total_cost: 8.0 + rows * 0.5, rows, qual, targetlist, ..Plan::new(node) }
}

/// Vars of the query `up` levels above.
pub(super) fn level_refs(e: &Expr, up: u32, out: &mut Vec<Var>) {
    match e {
        Expr::Var(v) if v.varlevelsup == up => out.push(v.clone()),
        Expr::SubLink(s) => outer_refs(&s.subselect, up + 1, out),
        _ => {}
    }
    e.children(&mut |c| level_refs(c, up, out));
}

pub(super) fn outer_refs(q: &Query, up: u32, out: &mut Vec<Var>) {
    q.for_each_expr(&mut |e| level_refs(e, up, out));
    for rte in &q.rtable {
        if let RteKind::Subquery { subquery, .. } = &rte.kind {
            outer_refs(subquery, up + 1, out);
        }
    }
    for c in &q.cte_list {
        outer_refs(&c.ctequery, up + 1, out);
    }
}

/// The columns that an expression reads, added to a set.
pub(super) fn collect_vars(e: &Expr, out: &mut Vec<Expr>) {
    if let Expr::Var(v) = e
        && v.varlevelsup == 0
    {
        if !out.contains(e) {
            out.push(e.clone());
        }
        return;
    }
    e.children(&mut |c| collect_vars(c, out));
}
