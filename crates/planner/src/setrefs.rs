//! The last step: expressions of each node refer to the columns of the nodes below (`OUTER_VAR`, `INNER_VAR`), of an index
//! (`INDEX_VAR`) or of the scanned relation in the flat range table; capacities and parameter lists are set.
//!
//! PostgreSQL: `setrefs.c`, `SS_finalize_plan`.

use analyze::query::*;
use base::{Oid, PgError, Result};

use crate::create::same;
use crate::node::*;
use crate::plan::*;
use crate::util::*;

/// What expressions of one query level need.
struct Fix<'r> {
    offset: u32,
    minmax: &'r [(Aggref, Param)],
}

impl Planner<'_, '_> {
    /// (PostgreSQL: `set_plan_references`)
    pub(crate) fn set_references(&mut self, root: &mut Root, plan: &mut Plan) -> Result<()> {
        let offset = self.glob.rtable.len() as u32;
        self.flatten_rtable(root)?;
        for m in &root.row_marks {
            let mut m = m.clone();
            m.rti += offset;
            self.glob.row_marks.push(m);
        }
        let minmax = if root.minmax_chosen { std::mem::take(&mut root.minmax_params) } else { Vec::new() };
        let fix = Fix { offset, minmax: &minmax };
        self.fix_plan(root, plan, &fix)
    }

    /// Adds a level's range table and permission infos. (PostgreSQL: `add_rtes_to_flat_rtable`)
    fn flatten_rtable(&mut self, root: &mut Root) -> Result<()> {
        let infos = std::mem::take(&mut root.parse.rteperminfos);
        for (i, r) in root.parse.rtable.iter().enumerate() {
            let mut r = r.clone();
            r.security_quals.clear();
            let slot = match &mut r.kind {
                RteKind::Relation { relid, perminfoindex, .. } => {
                    if !self.glob.relation_oids.contains(relid) {
                        self.glob.relation_oids.push(*relid);
                    }
                    Some(perminfoindex)
                }
                RteKind::Subquery { view: Some(v), .. } => {
                    if !self.glob.relation_oids.contains(&v.relid) {
                        self.glob.relation_oids.push(v.relid);
                    }
                    Some(&mut v.perminfoindex)
                }
                _ => None,
            };
            if let Some(index) = slot
                && *index > 0
            {
                let info = infos.get(*index as usize - 1).cloned();
                let info = info.ok_or_else(|| PgError::internal("invalid perminfoindex"))?;
                self.glob.perminfos.push(info);
                *index = self.glob.perminfos.len() as u32;
            }
            // A subquery that was never planned still has permissions to check.
            let planned = root.base.get(i + 1).and_then(|b| b.as_ref()).is_some_and(|b| b.subroot.is_some());
            if !planned && let RteKind::Subquery { subquery, .. } = &root.parse.rtable[i].kind {
                self.unplanned_permissions(subquery);
            }
            self.glob.rtable.push(r);
        }
        Ok(())
    }

    fn unplanned_permissions(&mut self, q: &Query) {
        self.glob.perminfos.extend(q.rteperminfos.iter().cloned());
        for r in &q.rtable {
            match &r.kind {
                RteKind::Subquery { subquery, .. } => self.unplanned_permissions(subquery),
                RteKind::Relation { relid, .. } if !self.glob.relation_oids.contains(relid) => {
                    self.glob.relation_oids.push(*relid);
                }
                _ => {}
            }
        }
    }

    // ---- expressions ----

    /// An expression that reads no node below.
    fn fix_scan(&mut self, fix: &Fix<'_>, e: &mut Expr) -> Result<()> {
        self.fix_with(fix, e, &mut |_, _| Ok(None))
    }
    fn fix_scan_list(&mut self, fix: &Fix<'_>, list: &mut [Expr]) -> Result<()> {
        list.iter_mut().try_for_each(|e| self.fix_scan(fix, e))
    }

    /// Replaces what `find` knows; other Vars are shifted to the flat range table.
    fn fix_with(
        &mut self,
        fix: &Fix<'_>,
        e: &mut Expr,
        find: &mut dyn FnMut(&mut Self, &Expr) -> Result<Option<Expr>>,
    ) -> Result<()> {
        analyze::walker::check_depth()?;
        if let Some(new) = find(self, e)? {
            *e = new;
            return Ok(());
        }
        match e {
            Expr::Var(v) => {
                if v.varno < ROWID_VAR {
                    v.varno += fix.offset;
                }
                if v.varnosyn > 0 && v.varnosyn < ROWID_VAR {
                    v.varnosyn += fix.offset;
                }
                return Ok(());
            }
            Expr::PlaceHolderVar(p) => {
                let mut inner = p.phexpr.clone();
                self.fix_with(fix, &mut inner, find)?;
                *e = inner;
                return Ok(());
            }
            Expr::CurrentOfExpr(c) => c.cvarno += fix.offset,
            Expr::Aggref(a) => {
                if let Some((_, p)) =
                    fix.minmax.iter().find(|(x, _)| same(&Expr::Aggref(Box::new(x.clone())), &Expr::Aggref(a.clone())))
                {
                    *e = Expr::Param(p.clone());
                    return Ok(());
                }
                self.depend(a.aggfnoid);
            }
            Expr::OpExpr(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => {
                o.opfuncid = op_func(&self.cx.catalog, o)?;
                self.depend(o.opfuncid);
            }
            Expr::ScalarArrayOpExpr(s) => {
                if !s.opfuncid.is_valid() {
                    s.opfuncid = self.cx.catalog.operator(s.opno)?.map_or(Oid::INVALID, |o| o.oprcode);
                }
                self.depend(s.opfuncid);
            }
            Expr::FuncExpr(f) => self.depend(f.funcid),
            Expr::WindowFunc(w) => self.depend(w.winfnoid),
            _ => {}
        }
        e.try_children_mut(&mut |c| self.fix_with(fix, c, find))
    }

    /// Functions of the user's may be changed or dropped.
    fn depend(&mut self, f: Oid) {
        if f >= Oid::FIRST_NORMAL {
            let d = Dependency { class: catalog::oids::PROCEDURE_RELATION, object: f };
            if !self.glob.depends_on.contains(&d) {
                self.glob.depends_on.push(d);
            }
        }
    }

    /// An expression over the columns of one node below. (PostgreSQL: `fix_upper_expr`)
    fn fix_upper(&mut self, fix: &Fix<'_>, e: &mut Expr, below: &[TargetEntry], varno: RtIndex) -> Result<()> {
        self.fix_with(fix, e, &mut |_, x| upper_ref(x, below, varno))
    }

    /// An expression over a join's two inputs. (PostgreSQL: `fix_join_expr`)
    fn fix_join(&mut self, fix: &Fix<'_>, e: &mut Expr, outer: &[TargetEntry], inner: &[TargetEntry]) -> Result<()> {
        self.fix_with(fix, e, &mut |_, x| {
            if let Some(r) = find_ref(x, outer, OUTER_VAR) {
                return Ok(Some(r));
            }
            if let Some(r) = find_ref(x, inner, INNER_VAR) {
                return Ok(Some(r));
            }
            if let Expr::Var(v) = x
                && v.varno < ROWID_VAR
            {
                return Err(PgError::internal(format!(
                    "variable {}.{} not found in subplan target lists",
                    v.varno, v.varattno
                )));
            }
            Ok(None)
        })
    }

    // ---- nodes ----

    fn fix_plan(&mut self, root: &mut Root, plan: &mut Plan, fix: &Fix<'_>) -> Result<()> {
        analyze::walker::check_depth()?;
        if let PlanNode::SubqueryScan { .. } = plan.node {
            return self.fix_subquery_scan(root, plan, fix);
        }
        let mut tlist = std::mem::take(&mut plan.targetlist);
        let mut qual = std::mem::take(&mut plan.qual);
        let outer: Vec<TargetEntry> = plan.outer.as_ref().map(|p| p.targetlist.clone()).unwrap_or_default();
        let inner: Vec<TargetEntry> = plan.inner.as_ref().map(|p| p.targetlist.clone()).unwrap_or_default();
        match &mut plan.node {
            PlanNode::SampleScan { scanrelid, sample } => {
                *scanrelid += fix.offset;
                for e in sample.args.iter_mut().chain(&mut sample.repeatable) {
                    self.fix_scan(fix, e)?;
                }
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::SeqScan { scanrelid }
            | PlanNode::CteScan { scanrelid, .. }
            | PlanNode::NamedTuplestoreScan { scanrelid }
            | PlanNode::WorkTableScan { scanrelid, .. } => {
                *scanrelid += fix.offset;
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::IndexScan { scanrelid, indexqual, indexqualorig, indexorderby, indexorderbyorig, .. } => {
                *scanrelid += fix.offset;
                for list in [indexqual, indexqualorig, indexorderby, indexorderbyorig] {
                    self.fix_scan_list(fix, list)?;
                }
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::IndexOnlyScan { scanrelid, indexqual, recheckqual, indextlist, .. } => {
                let columns = indextlist.clone();
                *scanrelid += fix.offset;
                self.fix_scan_list(fix, indexqual)?;
                for e in tlist.iter_mut().map(|t| &mut t.expr).chain(&mut qual).chain(recheckqual.iter_mut()) {
                    self.fix_upper(fix, e, &columns, INDEX_VAR)?;
                }
                for t in indextlist {
                    self.fix_scan(fix, &mut t.expr)?;
                }
            }
            PlanNode::BitmapIndexScan { scanrelid, indexqual, indexqualorig, .. } => {
                *scanrelid += fix.offset;
                self.fix_scan_list(fix, indexqual)?;
                self.fix_scan_list(fix, indexqualorig)?;
            }
            PlanNode::BitmapHeapScan { scanrelid, bitmapqualorig } => {
                *scanrelid += fix.offset;
                self.fix_scan_list(fix, bitmapqualorig)?;
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::TidScan { scanrelid, tidquals: list }
            | PlanNode::TidRangeScan { scanrelid, tidrangequals: list } => {
                *scanrelid += fix.offset;
                self.fix_scan_list(fix, list)?;
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::FunctionScan { scanrelid, functions, .. } => {
                *scanrelid += fix.offset;
                for f in functions {
                    self.fix_scan(fix, &mut f.funcexpr)?;
                }
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::ValuesScan { scanrelid, lists } => {
                *scanrelid += fix.offset;
                for l in lists {
                    self.fix_scan_list(fix, l)?;
                }
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::TableFuncScan { scanrelid, tablefunc } => {
                *scanrelid += fix.offset;
                self.fix_scan(fix, &mut tablefunc.docexpr)?;
                let t = &mut **tablefunc;
                for e in t
                    .rowexpr
                    .iter_mut()
                    .chain(t.colexprs.iter_mut().flatten())
                    .chain(t.coldefexprs.iter_mut().flatten())
                    .chain(t.colvalexprs.iter_mut().flatten())
                    .chain(&mut t.passingvalexprs)
                    .chain(&mut t.ns_uris)
                {
                    self.fix_scan(fix, e)?;
                }
                self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
            }
            PlanNode::SubqueryScan { .. } => {}
            PlanNode::NestLoop { joinqual, params, .. } => {
                for e in joinqual {
                    self.fix_join(fix, e, &outer, &inner)?;
                }
                for p in params {
                    self.fix_upper(fix, &mut p.value, &outer, OUTER_VAR)?;
                }
                self.fix_join_lists(fix, &mut tlist, &mut qual, &outer, &inner)?;
            }
            PlanNode::MergeJoin { joinqual, mergeclauses, .. } => {
                for e in joinqual.iter_mut().chain(mergeclauses) {
                    self.fix_join(fix, e, &outer, &inner)?;
                }
                self.fix_join_lists(fix, &mut tlist, &mut qual, &outer, &inner)?;
            }
            PlanNode::HashJoin { joinqual, hashclauses, hashkeys, .. } => {
                for e in joinqual.iter_mut().chain(hashclauses) {
                    self.fix_join(fix, e, &outer, &inner)?;
                }
                for e in hashkeys {
                    self.fix_upper(fix, e, &outer, OUTER_VAR)?;
                }
                self.fix_join_lists(fix, &mut tlist, &mut qual, &outer, &inner)?;
            }
            PlanNode::Hash { hashkeys } => {
                for e in hashkeys {
                    self.fix_upper(fix, e, &outer, OUTER_VAR)?;
                }
                pass_through(&mut tlist);
            }
            PlanNode::Memoize { param_exprs, .. } => {
                self.fix_scan_list(fix, param_exprs)?;
                pass_through(&mut tlist);
            }
            PlanNode::Limit { offset, count, .. } => {
                for e in [offset, count].into_iter().flatten() {
                    self.fix_scan(fix, e)?;
                }
                pass_through(&mut tlist);
            }
            PlanNode::LockRows { row_marks, .. } => {
                row_marks.iter_mut().for_each(|m| shift(m, fix.offset));
                pass_through(&mut tlist);
            }
            PlanNode::Material
            | PlanNode::Sort { .. }
            | PlanNode::IncrementalSort { .. }
            | PlanNode::Unique { .. }
            | PlanNode::SetOp { .. }
            | PlanNode::RecursiveUnion { .. } => pass_through(&mut tlist),
            PlanNode::Append { .. } | PlanNode::MergeAppend { .. } => {
                let columns: Vec<Option<AttrNumber>> = tlist
                    .iter()
                    .map(|t| match &t.expr {
                        Expr::Var(v) if plan.append_rel > 0 => Some(v.varattno),
                        _ => None,
                    })
                    .collect();
                pass_through(&mut tlist);
                for t in plan.prune.iter_mut().flat_map(|p| &mut p.tables) {
                    for v in [&mut t.starting, &mut t.running].into_iter().flatten().flat_map(|s| &mut s.values) {
                        self.fix_scan(fix, &mut v.expr)?;
                    }
                }
                if plan.append_rel > 0 {
                    plan.append_rel += fix.offset;
                    for (t, c) in tlist.iter_mut().zip(columns) {
                        if let (Expr::Var(v), Some(c)) = (&mut t.expr, c) {
                            (v.varnosyn, v.varattnosyn) = (plan.append_rel, c);
                        }
                    }
                }
            }
            PlanNode::BitmapAnd { .. } | PlanNode::BitmapOr { .. } => {}
            PlanNode::Result { constant_qual } => {
                if plan.outer.is_some() {
                    self.fix_upper_lists(fix, &mut tlist, &mut qual, &outer)?;
                    for e in constant_qual {
                        self.fix_upper(fix, e, &[], OUTER_VAR)?;
                    }
                } else {
                    self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
                    self.fix_scan_list(fix, constant_qual)?;
                    // Columns of relations that yield nothing are never looked at.
                    for e in tlist.iter_mut().map(|t| &mut t.expr).chain(&mut qual) {
                        mutate(e, &mut |x| {
                            if matches!(x, Expr::Var(_)) {
                                let ty = x.type_mod();
                                *x = self.null_const(ty)?;
                            }
                            Ok(true)
                        })?;
                    }
                }
            }
            PlanNode::WindowAgg(w) => {
                for e in [&mut w.start_offset, &mut w.end_offset].into_iter().flatten() {
                    self.fix_scan(fix, e)?;
                }
                for e in w.run_condition.iter_mut().chain(&mut w.run_condition_orig) {
                    self.fix_upper(fix, e, &outer, OUTER_VAR)?;
                }
                self.fix_upper_lists(fix, &mut tlist, &mut qual, &outer)?;
            }
            PlanNode::ProjectSet | PlanNode::Group { .. } | PlanNode::Agg { .. } => {
                self.fix_upper_lists(fix, &mut tlist, &mut qual, &outer)?;
            }
            PlanNode::ModifyTable(m) => {
                self.fix_modify(fix, m, &outer)?;
                tlist = m.returning.first().cloned().unwrap_or_default();
            }
        }
        (plan.targetlist, plan.qual) = (tlist, qual);
        for c in plan.children_mut() {
            self.fix_plan(root, c, fix)?;
        }
        // An Append of one input is that input. (PostgreSQL: `clean_up_removed_plan_level`)
        if let PlanNode::Append { plans } | PlanNode::MergeAppend { plans, .. } = &mut plan.node
            && plans.len() == 1
            && plan.append_rel > 0
            && let Some(mut only) = plans.pop()
        {
            for (t, shown) in only.targetlist.iter_mut().zip(&plan.targetlist) {
                (t.resname, t.resjunk) = (shown.resname.clone(), shown.resjunk);
                t.ressortgroupref = shown.ressortgroupref;
                (t.resorigtbl, t.resorigcol) = (shown.resorigtbl, shown.resorigcol);
            }
            only.init_plans.append(&mut plan.init_plans);
            *plan = only;
        }
        Ok(())
    }

    fn fix_scan_lists(&mut self, fix: &Fix<'_>, tlist: &mut [TargetEntry], qual: &mut [Expr]) -> Result<()> {
        for e in tlist.iter_mut().map(|t| &mut t.expr).chain(qual) {
            self.fix_scan(fix, e)?;
        }
        Ok(())
    }
    fn fix_upper_lists(
        &mut self,
        fix: &Fix<'_>,
        tlist: &mut [TargetEntry],
        qual: &mut [Expr],
        below: &[TargetEntry],
    ) -> Result<()> {
        for t in tlist {
            // A column that clauses refer to is the child's of the same number, also where it is volatile.
            if t.ressortgroupref != 0
                && let Some(c) = below.iter().find(|c| c.ressortgroupref == t.ressortgroupref && same(&c.expr, &t.expr))
            {
                t.expr = make_var(OUTER_VAR, c.resno, c.expr.type_mod());
                continue;
            }
            self.fix_upper(fix, &mut t.expr, below, OUTER_VAR)?;
        }
        for e in qual {
            self.fix_upper(fix, e, below, OUTER_VAR)?;
        }
        Ok(())
    }
    fn fix_join_lists(
        &mut self,
        fix: &Fix<'_>,
        tlist: &mut [TargetEntry],
        qual: &mut [Expr],
        outer: &[TargetEntry],
        inner: &[TargetEntry],
    ) -> Result<()> {
        for e in tlist.iter_mut().map(|t| &mut t.expr).chain(qual) {
            self.fix_join(fix, e, outer, inner)?;
        }
        Ok(())
    }

    /// RETURNING, MERGE's actions and conditions read the target's columns (with its range-table index) and the subplan's
    /// (`OUTER_VAR`); ON CONFLICT's read the target's and EXCLUDED's, each by its range-table index.
    fn fix_modify(&mut self, fix: &Fix<'_>, m: &mut ModifyTable, below: &[TargetEntry]) -> Result<()> {
        let target = m.nominal_relation;
        let targets = m.result_relations.clone();
        m.nominal_relation += fix.offset;
        if let Some(r) = &mut m.root_relation {
            *r += fix.offset;
        }
        for r in &mut m.result_relations {
            *r += fix.offset;
            self.glob.result_relations.push(*r);
        }
        m.row_marks.iter_mut().for_each(|r| shift(r, fix.offset));
        for w in &mut m.with_check_options {
            self.fix_scan(fix, &mut w.qual)?;
        }
        let roots = [target];
        let lists = m.returning.iter_mut().zip(&targets).chain(std::iter::once(&mut m.root_returning).zip(&roots));
        for (list, own) in lists {
            let mut find = |_: &mut Self, x: &Expr| -> Result<Option<Expr>> {
                match x {
                    Expr::Var(v) if v.varno == *own => Ok(None),
                    _ => upper_ref(x, below, OUTER_VAR),
                }
            };
            for t in list {
                self.fix_with(fix, &mut t.expr, &mut find)?;
            }
        }
        for (k, own) in targets.iter().enumerate() {
            let mut find = |_: &mut Self, x: &Expr| -> Result<Option<Expr>> {
                match x {
                    Expr::Var(v) if v.varno == *own => Ok(None),
                    _ => upper_ref(x, below, OUTER_VAR),
                }
            };
            for a in m.merge_actions.get_mut(k).into_iter().flatten() {
                for e in a.qual.iter_mut().chain(a.target_list.iter_mut().map(|t| &mut t.expr)) {
                    self.fix_with(fix, e, &mut find)?;
                }
            }
            for e in m.merge_join_conditions.get_mut(k).into_iter().flatten() {
                self.fix_with(fix, e, &mut find)?;
            }
        }
        if let Some(c) = &mut m.on_conflict {
            for e in c.set.iter_mut().map(|t| &mut t.expr).chain(&mut c.where_) {
                self.fix_scan(fix, e)?;
            }
            c.excl_rel_rti += fix.offset;
            for t in &mut c.excl_rel_tlist {
                self.fix_scan(fix, &mut t.expr)?;
            }
        }
        Ok(())
    }

    /// The subquery's plan is finished with its own level; a scan that does nothing vanishes.
    /// (PostgreSQL: `set_subqueryscan_references`, `trivial_subqueryscan`)
    fn fix_subquery_scan(&mut self, root: &mut Root, plan: &mut Plan, fix: &Fix<'_>) -> Result<()> {
        let PlanNode::SubqueryScan { scanrelid, subplan } = &mut plan.node else { return Ok(()) };
        let rti = *scanrelid as usize;
        let slot = root.base.get_mut(rti).and_then(|b| b.as_mut());
        let mut sub =
            slot.and_then(|r| r.subroot.take()).ok_or_else(|| PgError::internal("a subquery was finished twice"))?;
        self.set_references(&mut sub, subplan)?;
        let trivial = plan.qual.is_empty()
            && plan.targetlist.len() == subplan.targetlist.len()
            && plan.targetlist.iter().zip(&subplan.targetlist).enumerate().all(|(i, (t, s))| {
                t.resjunk == s.resjunk
                    && matches!(&t.expr, Expr::Var(v) if v.varattno == i as i16 + 1 && v.varno == rti as u32)
            });
        if trivial && plan.init_plans.is_empty() {
            let outer = std::mem::take(&mut plan.targetlist);
            let mut inner = std::mem::replace(&mut **subplan, Plan::new(PlanNode::Material));
            for (s, t) in inner.targetlist.iter_mut().zip(outer) {
                s.resname = t.resname;
                s.ressortgroupref = t.ressortgroupref;
            }
            *plan = inner;
            return Ok(());
        }
        *scanrelid += fix.offset;
        let (mut tlist, mut qual) = (std::mem::take(&mut plan.targetlist), std::mem::take(&mut plan.qual));
        self.fix_scan_lists(fix, &mut tlist, &mut qual)?;
        (plan.targetlist, plan.qual) = (tlist, qual);
        Ok(())
    }

    // ---- parameters and capacities ----

    /// Sets `Plan::params` and `Plan::capacity` throughout. `subs`: those of the subplans before.
    pub(crate) fn finalize(&mut self, plan: &mut Plan, subs: &[Vec<i32>]) -> Result<Vec<i32>> {
        let mut set: Vec<i32> = Vec::new();
        let mut volatile = false;
        let mut exprs: Vec<&Expr> = Vec::new();
        node_exprs(plan, &mut exprs);
        for e in &exprs {
            used_params(e, subs, &mut set);
            volatile = volatile || self.shows_running_ahead(e)?;
        }
        match &plan.node {
            PlanNode::CteScan { plan_id, cte_param, .. } => {
                set.push(*cte_param);
                set.extend(subs.get(*plan_id).into_iter().flatten());
            }
            PlanNode::WorkTableScan { wt_param, .. } => set.push(*wt_param),
            _ => {}
        }
        if volatile || matches!(plan.node, PlanNode::LockRows { .. }) {
            plan.capacity = 1;
        }
        if let Some(o) = &mut plan.outer {
            set.extend(self.finalize(o, subs)?);
        }
        if let Some(i) = &mut plan.inner {
            let mut inner = self.finalize(i, subs)?;
            if let PlanNode::NestLoop { params, .. } = &plan.node {
                inner.retain(|x| !params.iter().any(|p| p.param == *x));
            }
            set.extend(inner);
        }
        let list: &mut [Plan] = match &mut plan.node {
            PlanNode::Append { plans }
            | PlanNode::MergeAppend { plans, .. }
            | PlanNode::BitmapAnd { plans }
            | PlanNode::BitmapOr { plans } => plans,
            PlanNode::SubqueryScan { subplan, .. } => std::slice::from_mut(subplan),
            _ => &mut [],
        };
        for p in list {
            set.extend(self.finalize(p, subs)?);
        }
        if let PlanNode::RecursiveUnion { wt_param, .. } = &plan.node {
            set.retain(|x| x != wt_param);
        }
        for s in &plan.init_plans {
            set.extend(subs.get(s.plan_id).into_iter().flatten());
        }
        set.retain(|x| !plan.init_plans.iter().any(|s| s.set_param.contains(x)));
        set.sort_unstable();
        set.dedup();
        plan.params = set.clone();
        Ok(set)
    }

    /// Whether evaluating it for rows that are not wanted could be noticed.
    fn shows_running_ahead(&self, e: &Expr) -> Result<bool> {
        let mut found = false;
        let mut failed = None;
        walk(e, &mut |x| {
            if found {
                return false;
            }
            match x {
                Expr::NextValueExpr { .. } => found = true,
                // Its parameters hold one row's values at a time.
                Expr::SubPlan(s) if s.sub_link_type == SubLinkType::MultiExpr => found = true,
                Expr::Var(_) | Expr::Const(_) | Expr::Param(_) => return false,
                _ => {
                    let done = node_functions(&self.cx.catalog, x, &mut |f| {
                        if !f.is_valid() {
                            return;
                        }
                        match self.cx.catalog.function_row(f) {
                            Ok(p) if p.provolatile == b'v' => {
                                // Those give values that nothing else depends on.
                                let harmless = matches!(
                                    p.prosrc.as_str(),
                                    "drandom"
                                        | "gen_random_uuid"
                                        | "uuidv7"
                                        | "clock_timestamp"
                                        | "timeofday"
                                        | "pg_sleep_none"
                                );
                                found = found || !harmless;
                            }
                            Ok(_) => {}
                            Err(err) => failed = Some(err),
                        }
                    });
                    if let Err(err) = done {
                        failed = Some(err);
                    }
                }
            }
            true
        });
        failed.map_or(Ok(found), Err)
    }
}

/// The reference to a column of a target list that has this expression.
fn find_ref(e: &Expr, below: &[TargetEntry], varno: RtIndex) -> Option<Expr> {
    if matches!(e, Expr::Const(_) | Expr::Param(_)) {
        return None;
    }
    let t = below.iter().find(|t| same(&t.expr, e))?;
    let mut v = new_var(varno, t.resno, e.type_mod());
    if let Expr::Var(o) = e {
        (v.varnosyn, v.varattnosyn, v.varreturning) = (o.varnosyn, o.varattnosyn, VarReturning::Default);
    } else {
        (v.varnosyn, v.varattnosyn) = (0, 0);
    }
    Some(Expr::Var(v))
}

fn upper_ref(x: &Expr, below: &[TargetEntry], varno: RtIndex) -> Result<Option<Expr>> {
    if let Some(r) = find_ref(x, below, varno) {
        return Ok(Some(r));
    }
    if let Expr::Var(v) = x
        && v.varno < ROWID_VAR
    {
        return Err(PgError::internal(format!("variable {}.{} not found in subplan target list", v.varno, v.varattno)));
    }
    Ok(None)
}

/// Columns that come from below as they are. (PostgreSQL: `set_dummy_tlist_references`)
fn pass_through(tlist: &mut [TargetEntry]) {
    for t in tlist {
        let ty = t.expr.type_mod();
        let mut v = new_var(OUTER_VAR, t.resno, ty);
        if let Expr::Var(o) = &t.expr {
            (v.varnosyn, v.varattnosyn) = (o.varnosyn, o.varattnosyn);
        } else {
            (v.varnosyn, v.varattnosyn) = (0, 0);
        }
        t.expr = Expr::Var(v);
    }
}

/// All expressions that a node itself evaluates.
pub fn node_exprs<'p>(plan: &'p Plan, out: &mut Vec<&'p Expr>) {
    out.extend(plan.targetlist.iter().map(|t| &t.expr));
    out.extend(&plan.qual);
    for t in plan.prune.iter().flat_map(|p| &p.tables) {
        out.extend([&t.starting, &t.running].into_iter().flatten().flat_map(|s| &s.values).map(|v| &v.expr));
    }
    match &plan.node {
        PlanNode::Result { constant_qual } => out.extend(constant_qual),
        PlanNode::IndexScan { indexqual, indexqualorig, indexorderby, .. } => {
            out.extend(indexqual.iter().chain(indexqualorig).chain(indexorderby));
        }
        PlanNode::IndexOnlyScan { indexqual, recheckqual, .. } => out.extend(indexqual.iter().chain(recheckqual)),
        PlanNode::BitmapIndexScan { indexqual, .. } => out.extend(indexqual),
        PlanNode::BitmapHeapScan { bitmapqualorig, .. } => out.extend(bitmapqualorig),
        PlanNode::SampleScan { sample, .. } => out.extend(sample.args.iter().chain(&sample.repeatable)),
        PlanNode::TidScan { tidquals, .. } => out.extend(tidquals),
        PlanNode::TidRangeScan { tidrangequals, .. } => out.extend(tidrangequals),
        PlanNode::FunctionScan { functions, .. } => out.extend(functions.iter().map(|f| &f.funcexpr)),
        PlanNode::ValuesScan { lists, .. } => out.extend(lists.iter().flatten()),
        PlanNode::TableFuncScan { tablefunc, .. } => {
            out.push(&tablefunc.docexpr);
            out.extend(tablefunc.rowexpr.iter().chain(&tablefunc.passingvalexprs));
        }
        PlanNode::NestLoop { joinqual, params, .. } => {
            out.extend(joinqual);
            out.extend(params.iter().map(|p| &p.value));
        }
        PlanNode::MergeJoin { joinqual, mergeclauses, .. } => out.extend(joinqual.iter().chain(mergeclauses)),
        PlanNode::HashJoin { joinqual, hashclauses, .. } => out.extend(joinqual.iter().chain(hashclauses)),
        PlanNode::Hash { hashkeys } => out.extend(hashkeys),
        PlanNode::Memoize { param_exprs, .. } => out.extend(param_exprs),
        PlanNode::WindowAgg(w) => out.extend(w.start_offset.iter().chain(&w.end_offset).chain(&w.run_condition)),
        PlanNode::Limit { offset, count, .. } => out.extend(offset.iter().chain(count)),
        PlanNode::ModifyTable(m) => {
            out.extend(m.with_check_options.iter().map(|w| &w.qual));
            if let Some(c) = &m.on_conflict {
                out.extend(c.set.iter().map(|t| &t.expr).chain(&c.where_));
            }
            for a in m.merge_actions.iter().flatten() {
                out.extend(a.qual.iter().chain(a.target_list.iter().map(|t| &t.expr)));
            }
        }
        _ => {}
    }
}

/// Exec parameters that an expression reads and does not set itself.
fn used_params(e: &Expr, subs: &[Vec<i32>], out: &mut Vec<i32>) {
    match e {
        Expr::Param(p) if p.kind == ParamKind::Exec => out.push(p.id),
        Expr::SubPlan(s) => {
            let mut test = Vec::new();
            if let Some(t) = &s.testexpr {
                used_params(t, subs, &mut test);
            }
            test.retain(|p| !s.param_ids.contains(p));
            out.extend(test);
            s.args.iter().for_each(|a| used_params(a, subs, out));
            let inner = subs.get(s.plan_id).into_iter().flatten();
            out.extend(inner.filter(|p| !s.par_param.contains(p)));
        }
        e => e.children(&mut |c| used_params(c, subs, out)),
    }
}

/// A row mark in the flattened range table.
fn shift(m: &mut PlanRowMark, offset: RtIndex) {
    m.rti += offset;
    m.members.iter_mut().for_each(|x| x.1 += offset);
}
