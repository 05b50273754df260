//! One query level from start to end: preparation, scans and joins, and hand-over to the upper steps.
//!
//! PostgreSQL: `subquery_planner`, `query_planner`, `preprocess_expression`.

use analyze::query::*;
use base::{PgError, Result};

use crate::node::*;
use crate::pathnode::*;
use crate::pullup::*;
use crate::relids::Relids;
use crate::util::*;

impl Root {
    fn new(parse: Query, level: usize, tuple_fraction: f64) -> Root {
        Root {
            parse,
            level,
            has_recursion: false,
            base: Vec::new(),
            joins: hashbrown::HashMap::new(),
            all_baserels: Relids::new(),
            outer_join_rels: Relids::new(),
            sj: Vec::new(),
            ecs: Vec::new(),
            ec_merging_done: false,
            left_join_clauses: Vec::new(),
            right_join_clauses: Vec::new(),
            full_join_clauses: Vec::new(),
            next_domain: 0,
            domains: Vec::new(),
            next_serial: 0,
            query_pathkeys: Vec::new(),
            group_pathkeys: Vec::new(),
            num_groupby_pathkeys: 0,
            window_pathkeys: Vec::new(),
            distinct_pathkeys: Vec::new(),
            sort_pathkeys: Vec::new(),
            tlist: Vec::new(),
            row_marks: Vec::new(),
            init_plans: Vec::new(),
            tuple_fraction,
            limit_tuples: -1.0,
            total_table_pages: 0.0,
            has_join_rtes: false,
            has_lateral: false,
            has_pseudoconstant: false,
            has_having: false,
            cur_outer_params: Vec::new(),
            cur_outer_rels: Relids::new(),
            final_paths: Vec::new(),
            final_rows: 0.0,
            processed_groups: Vec::new(),
            run_conditions: Vec::new(),
            grouping_sets: None,
            processed_distinct: Vec::new(),
            update_columns: Vec::new(),
            minmax_params: Vec::new(),
            group_rti: 0,
            computed_srfs: Vec::new(),
            subquery_params: Vec::new(),
            minmax_chosen: false,
        }
    }
}

impl Planner<'_, '_> {
    /// Plans a query level down to its final paths. (PostgreSQL: `subquery_planner`)
    pub(crate) fn subquery_planner(
        &mut self,
        parse: Query,
        has_recursion: bool,
        tuple_fraction: f64,
        wt: Option<i32>,
    ) -> Result<Root> {
        analyze::walker::check_depth()?;
        let mut root = Root::new(parse, self.levels.len(), tuple_fraction);
        root.has_recursion = has_recursion;
        root.run_conditions = std::mem::take(&mut self.run_conditions);
        self.levels.push(Level { wt_param: wt, ..Level::default() });
        let done = self.plan_level(&mut root);
        self.levels.pop();
        done?;
        Ok(root)
    }

    fn plan_level(&mut self, root: &mut Root) -> Result<()> {
        if root.has_recursion {
            let p = self.new_exec_param(types::oid::INTERNALOID);
            self.levels[root.level].wt_param = Some(p);
        }
        self.glob.depends_on_role |= root.parse.has_row_security;
        if !root.parse.cte_list.is_empty() {
            self.process_ctes(root)?;
        }
        if root.parse.command_type == CmdType::Merge {
            self.merge_to_join(root)?;
        }
        let mut q = std::mem::replace(&mut root.parse, Query::new(CmdType::Select));
        let prepared = self.prepare(root, &mut q);
        root.parse = q;
        prepared?;
        self.set_nulling_rels(root)?;
        self.preprocess(root)?;
        self.grouping_planner(root)
    }

    fn prepare(&mut self, root: &mut Root, q: &mut Query) -> Result<()> {
        if q.jointree.fromlist.is_empty() && q.set_operations.is_none() {
            replace_empty_jointree(q);
        }
        self.flatten_aliases(q)?;
        root.group_rti = self.flatten_group(q)?;
        if q.has_sub_links {
            self.pull_up_sublinks(q)?;
        }
        self.pull_up_subqueries(q, false)?;
        // Folding first helps to see which conditions are strict.
        self.fold_query(q)?;
        self.place_having(root, q)?;
        root.has_join_rtes = q.rtable.iter().any(|r| matches!(r.kind, RteKind::Join(_)));
        if root.has_join_rtes {
            self.reduce_outer_joins(q)?;
        }
        remove_useless_results(q);
        Ok(())
    }

    /// Constant folding of all the level's expressions; conditions in normal form.
    fn fold_query(&mut self, q: &mut Query) -> Result<()> {
        let mut tree = std::mem::take(&mut q.jointree);
        let done = self.fold_from(&mut tree);
        q.jointree = tree;
        done?;
        // Expressions of subqueries, CTEs and joins are folded when these are planned, or not needed.
        for t in q.target_list.iter_mut().chain(&mut q.returning_list) {
            self.fold(&mut t.expr)?;
        }
        if let Some(h) = q.having_qual.take() {
            q.having_qual = self.fold_qual(h)?;
        }
        for e in [&mut q.limit_offset, &mut q.limit_count].into_iter().flatten() {
            self.fold(e)?;
        }
        if let Some(e) = &mut q.merge_join_condition {
            self.fold(e)?;
        }
        for a in &mut q.merge_actions {
            if let Some(e) = &mut a.qual {
                self.fold(e)?;
            }
            for t in &mut a.target_list {
                self.fold(&mut t.expr)?;
            }
        }
        if let Some(c) = &mut q.on_conflict {
            for e in &mut c.arbiter_elems {
                self.fold(&mut e.expr)?;
            }
            for e in [&mut c.arbiter_where, &mut c.on_conflict_where].into_iter().flatten() {
                self.fold(e)?;
            }
            for t in &mut c.on_conflict_set {
                self.fold(&mut t.expr)?;
            }
        }
        for w in &mut q.window_clause {
            for e in [&mut w.start_offset, &mut w.end_offset].into_iter().flatten() {
                self.fold(e)?;
            }
        }
        for w in &mut q.with_check_options {
            self.fold(&mut w.qual)?;
        }
        for r in &mut q.rtable {
            for e in &mut r.security_quals {
                self.fold(e)?;
            }
            match &mut r.kind {
                RteKind::Function { functions, .. } => {
                    for f in functions {
                        self.fold(&mut f.funcexpr)?;
                    }
                }
                RteKind::Values { lists, .. } => {
                    for e in lists.iter_mut().flatten() {
                        self.fold(e)?;
                    }
                }
                RteKind::Relation { table_sample: Some(s), .. } => {
                    for e in s.args.iter_mut().chain(&mut s.repeatable) {
                        self.fold(e)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
    fn fold_qual(&mut self, mut e: Expr) -> Result<Option<Expr>> {
        self.fold(&mut e)?;
        let e = self.canonical_qual(e);
        Ok(Expr::and_all(implicit_and(Some(e))))
    }
    fn fold_from(&mut self, f: &mut FromExpr) -> Result<()> {
        for n in &mut f.fromlist {
            self.fold_node(n)?;
        }
        if let Some(e) = f.quals.take() {
            f.quals = self.fold_qual(e)?;
        }
        Ok(())
    }
    fn fold_node(&mut self, n: &mut JoinTreeNode) -> Result<()> {
        match n {
            JoinTreeNode::RangeTblRef(_) => Ok(()),
            JoinTreeNode::FromExpr(f) => self.fold_from(f),
            JoinTreeNode::JoinExpr(j) => {
                self.fold_node(&mut j.larg)?;
                self.fold_node(&mut j.rarg)?;
                if let Some(e) = j.quals.take() {
                    j.quals = self.fold_qual(e)?;
                }
                Ok(())
            }
        }
    }

    /// Sublinks and references to outer levels go from all expressions. (PostgreSQL: the calls of `preprocess_expression`)
    fn preprocess(&mut self, root: &mut Root) -> Result<()> {
        let mut q = std::mem::replace(&mut root.parse, Query::new(CmdType::Select));
        let done = self.preprocess_query(root, &mut q);
        root.parse = q;
        done?;
        // Parameters of multi-column assignments whose sublinks came later in the list.
        for (link, ids) in std::mem::take(&mut self.multi) {
            let replace = |e: &mut Expr| {
                mutate(e, &mut |x| {
                    if let Expr::Param(p) = x
                        && p.kind == ParamKind::Multiexpr
                        && p.id >> 16 == link
                    {
                        (p.kind, p.id) = (ParamKind::Exec, ids[(p.id & 0xffff) as usize - 1]);
                    }
                    Ok(true)
                })
            };
            for t in &mut root.parse.target_list {
                replace(&mut t.expr)?;
            }
            for a in &mut root.parse.merge_actions {
                for t in &mut a.target_list {
                    replace(&mut t.expr)?;
                }
            }
            if let Some(c) = &mut root.parse.on_conflict {
                for t in &mut c.on_conflict_set {
                    replace(&mut t.expr)?;
                }
            }
        }
        Ok(())
    }

    fn one(&mut self, root: &mut Root, e: &mut Expr, qual: bool) -> Result<()> {
        self.process_sublinks(root, e, qual)?;
        if root.level > 0 {
            self.replace_outer_refs(e)?;
        }
        Ok(())
    }

    fn preprocess_query(&mut self, root: &mut Root, q: &mut Query) -> Result<()> {
        for t in q.target_list.iter_mut().chain(&mut q.returning_list) {
            self.one(root, &mut t.expr, false)?;
        }
        for w in &mut q.with_check_options {
            self.one(root, &mut w.qual, true)?;
        }
        let mut tree = std::mem::take(&mut q.jointree);
        let done = self.preprocess_from(root, &mut tree);
        q.jointree = tree;
        done?;
        if let Some(h) = &mut q.having_qual {
            self.one(root, h, true)?;
        }
        for w in &mut q.window_clause {
            for e in [&mut w.start_offset, &mut w.end_offset].into_iter().flatten() {
                self.one(root, e, false)?;
            }
        }
        for e in [&mut q.limit_offset, &mut q.limit_count].into_iter().flatten() {
            self.one(root, e, false)?;
        }
        if let Some(c) = &mut q.on_conflict {
            for e in &mut c.arbiter_elems {
                self.one(root, &mut e.expr, false)?;
            }
            for e in [&mut c.arbiter_where, &mut c.on_conflict_where].into_iter().flatten() {
                self.one(root, e, true)?;
            }
            for t in &mut c.on_conflict_set {
                self.one(root, &mut t.expr, false)?;
            }
        }
        for a in &mut q.merge_actions {
            if let Some(e) = &mut a.qual {
                self.one(root, e, true)?;
            }
            for t in &mut a.target_list {
                self.one(root, &mut t.expr, false)?;
            }
        }
        if let Some(e) = &mut q.merge_join_condition {
            self.one(root, e, true)?;
        }
        for r in &mut q.rtable {
            for e in &mut r.security_quals {
                self.one(root, e, true)?;
            }
            match &mut r.kind {
                RteKind::Function { functions, .. } => {
                    for f in functions {
                        self.one(root, &mut f.funcexpr, false)?;
                    }
                }
                RteKind::Values { lists, .. } => {
                    for e in lists.iter_mut().flatten() {
                        self.one(root, e, false)?;
                    }
                }
                RteKind::TableFunc(t) => {
                    self.one(root, &mut t.docexpr, false)?;
                    for e in t
                        .rowexpr
                        .iter_mut()
                        .chain(t.colexprs.iter_mut().flatten())
                        .chain(t.coldefexprs.iter_mut().flatten())
                    {
                        self.one(root, e, false)?;
                    }
                    for e in t.colvalexprs.iter_mut().flatten().chain(&mut t.passingvalexprs).chain(&mut t.ns_uris) {
                        self.one(root, e, false)?;
                    }
                }
                RteKind::Relation { table_sample: Some(s), .. } => {
                    for e in s.args.iter_mut().chain(&mut s.repeatable) {
                        self.one(root, e, false)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
    fn preprocess_from(&mut self, root: &mut Root, f: &mut FromExpr) -> Result<()> {
        for n in &mut f.fromlist {
            self.preprocess_node(root, n)?;
        }
        if let Some(e) = &mut f.quals {
            self.one(root, e, true)?;
        }
        Ok(())
    }
    fn preprocess_node(&mut self, root: &mut Root, n: &mut JoinTreeNode) -> Result<()> {
        match n {
            JoinTreeNode::RangeTblRef(_) => Ok(()),
            JoinTreeNode::FromExpr(f) => self.preprocess_from(root, f),
            JoinTreeNode::JoinExpr(j) => {
                self.preprocess_node(root, &mut j.larg)?;
                self.preprocess_node(root, &mut j.rarg)?;
                if let Some(e) = &mut j.quals {
                    self.one(root, e, true)?;
                }
                Ok(())
            }
        }
    }

    /// HAVING conditions without aggregates move to WHERE.
    fn place_having(&mut self, root: &mut Root, q: &mut Query) -> Result<()> {
        let list = implicit_and(q.having_qual.take());
        root.has_having = !list.is_empty();
        let (mut keep, mut moved) = (Vec::new(), Vec::new());
        for e in list {
            if has_aggs(&e) || is_volatile(&self.cx.catalog, &e)? || has_subplan(&e) || !q.grouping_sets.is_empty() {
                keep.push(e);
            } else if !q.group_clause.is_empty() {
                moved.push(e);
            } else {
                moved.push(e.clone());
                keep.push(e);
            }
        }
        if !moved.is_empty() {
            let all = implicit_and(q.jointree.quals.take()).into_iter().chain(moved).collect();
            q.jointree.quals = Expr::and_all(all);
        }
        q.having_qual = Expr::and_all(keep);
        Ok(())
    }

    /// Scans and joins; returns the relation of all of FROM. `keys` is asked for once the classes are known.
    /// (PostgreSQL: `query_planner`)
    pub(crate) fn query_planner(
        &mut self,
        root: &mut Root,
        keys: &mut dyn FnMut(&mut Self, &mut Root) -> Result<()>,
    ) -> Result<Relids> {
        self.build_base_rels(root)?;
        self.need_final_vars(root);
        self.find_laterals(root)?;
        let mut list = self.deconstruct(root)?;
        self.reconsider_outer_joins(root)?;
        self.base_equalities(root)?;
        self.remove_useless_joins(root, &mut list)?;
        self.reduce_semijoins(root)?;
        self.expand_inherited(root)?;
        self.mark_members(root);
        keys(self, root)?;
        self.extract_or_clauses(root)?;
        self.set_base_sizes(root)?;
        self.set_base_paths(root)?;
        let all = self.rel_from_joinlist(root, &list)?;
        if all != root.all_baserels {
            return Err(PgError::internal("the join search did not reach all relations"));
        }
        Ok(all)
    }

    /// The path to run if that share (or, from 1 on, number) of rows is wanted. (PostgreSQL: `get_cheapest_fractional_path`)
    pub(crate) fn choose_final(&self, root: &Root, fraction: f64) -> Result<P> {
        let missing = || PgError::internal("could not devise a query plan for the given query");
        let mut best: Option<&P> = None;
        for p in &root.final_paths {
            if best.is_none_or(|b| cheaper_total(p, b)) {
                best = Some(p);
            }
        }
        let best = best.ok_or_else(missing)?;
        if fraction <= 0.0 {
            return Ok(best.clone());
        }
        let f = if fraction >= 1.0 && best.rows > 0.0 { fraction / best.rows } else { fraction };
        if f >= 1.0 {
            return Ok(best.clone());
        }
        let cost = |p: &P| (p.disabled, p.startup + f * (p.total - p.startup));
        let mut chosen = best;
        for p in &root.final_paths {
            let (a, b) = (cost(p), cost(chosen));
            if a.0 < b.0 || (a.0 == b.0 && a.1 < b.1) {
                chosen = p;
            }
        }
        Ok(chosen.clone())
    }

    /// MERGE's target joined to its source. (PostgreSQL: `transform_MERGE_to_join`)
    fn merge_to_join(&mut self, root: &mut Root) -> Result<()> {
        let q = &mut root.parse;
        let has = |k: MergeMatchKind| q.merge_actions.iter().any(|a| a.match_kind == k);
        let by_source = has(MergeMatchKind::NotMatchedBySource);
        let by_target = has(MergeMatchKind::NotMatchedByTarget);
        let jointype = match (by_source, by_target) {
            (true, true) => JoinType::Full,
            (true, false) => JoinType::Left,
            (false, true) => JoinType::Right,
            _ => JoinType::Inner,
        };
        let target =
            if q.merge_target_relation != 0 { q.merge_target_relation } else { q.result_relation.unwrap_or(0) };
        let mut list = std::mem::take(&mut q.jointree.fromlist);
        list.retain(|n| !matches!(n, JoinTreeNode::RangeTblRef(i) if *i == target));
        let source = match list.len() {
            1 => list.swap_remove(0),
            _ => JoinTreeNode::FromExpr(Box::new(FromExpr { fromlist: list, quals: None })),
        };
        q.rtable.push(RangeTblEntry {
            alias: None,
            eref: Alias { aliasname: "*MERGE*".into(), colnames: Vec::new() },
            kind: RteKind::Join(JoinRte {
                jointype,
                join_merged_cols: 0,
                join_alias_vars: Vec::new(),
                join_left_cols: Vec::new(),
                join_right_cols: Vec::new(),
                join_using_alias: None,
            }),
            lateral: false,
            in_from_cl: true,
            security_quals: Vec::new(),
        });
        let rtindex = q.rtable.len() as u32;
        let quals = Expr::and_all(
            implicit_and(q.merge_join_condition.clone())
                .into_iter()
                .chain(implicit_and(q.jointree.quals.take()))
                .collect(),
        );
        q.jointree.fromlist = vec![JoinTreeNode::JoinExpr(Box::new(JoinExpr {
            jointype,
            is_natural: false,
            larg: JoinTreeNode::RangeTblRef(target),
            rarg: source,
            using_clause: Vec::new(),
            join_using_alias: None,
            quals,
            alias: None,
            rtindex,
        }))];
        if !by_source {
            q.merge_join_condition = None;
        }
        Ok(())
    }
}
