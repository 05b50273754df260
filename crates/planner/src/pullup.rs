//! The join tree before planning: sublinks turned into joins, simple subqueries merged into their parent, outer joins
//! reduced where a condition makes their null rows vanish, and `varnullingrels` set.
//!
//! `varnullingrels` are dropped at the start and computed anew at the end of this step ([`Planner::set_nulling_rels`]), so
//! that they are exact for the join tree that is planned.
//!
//! PostgreSQL: `prepjointree.c`. Different here: a subquery below an outer join's nullable side is merged only if its outputs
//! are plain columns, so that no PlaceHolderVars are needed.

use analyze::query::*;
use base::{Oid, Result};

use crate::levels::*;
use crate::node::{Planner, Root};
use crate::relids::Relids;
use crate::util::*;

/// The relations below a join tree node.
pub(crate) fn node_relids(n: &JoinTreeNode, joins: bool) -> Relids {
    let mut r = Relids::new();
    collect(n, joins, &mut r);
    r
}
fn collect(n: &JoinTreeNode, joins: bool, r: &mut Relids) {
    match n {
        JoinTreeNode::RangeTblRef(i) => r.insert(*i),
        JoinTreeNode::FromExpr(f) => f.fromlist.iter().for_each(|x| collect(x, joins, r)),
        JoinTreeNode::JoinExpr(j) => {
            collect(&j.larg, joins, r);
            collect(&j.rarg, joins, r);
            if joins && j.rtindex != 0 {
                r.insert(j.rtindex);
            }
        }
    }
}

/// Drops what the planner sets itself or must not look at, of all levels: `varnullingrels`, places in the text.
pub(crate) fn strip_query(q: &mut Query) -> Result<()> {
    deep_query(q, &mut |x, _| {
        forget_location(x);
        if let Expr::Var(v) = x {
            v.varnullingrels.clear();
        }
        Ok(true)
    })
}

impl Planner<'_, '_> {
    /// Join aliases replaced by what they stand for, in this level and wherever subqueries refer to it.
    /// (PostgreSQL: `flatten_join_alias_vars`)
    pub(crate) fn flatten_aliases(&mut self, q: &mut Query) -> Result<()> {
        let has_joins = q.rtable.iter().any(|r| matches!(r.kind, RteKind::Join(_)));
        let mut aliases: Vec<Option<JoinRte>> = Vec::new();
        let mut names: Vec<Vec<String>> = Vec::new();
        if has_joins {
            for r in &q.rtable {
                aliases.push(match &r.kind {
                    RteKind::Join(j) => Some(j.clone()),
                    _ => None,
                });
                names.push(r.eref.colnames.clone());
            }
        }
        let mut f = |x: &mut Expr, depth: u32| -> Result<bool> {
            if let Expr::Var(v) = x
                && v.varlevelsup == depth
                && has_joins
            {
                resolve_alias(x, depth, &aliases, &names)?;
            }
            Ok(true)
        };
        deep_query(q, &mut f)
    }

    // ---- sublinks to joins ----

    /// (PostgreSQL: `pull_up_sublinks`)
    pub(crate) fn pull_up_sublinks(&mut self, q: &mut Query) -> Result<()> {
        let tree = std::mem::take(&mut q.jointree);
        let (node, _) = self.sublinks_in_node(q, JoinTreeNode::FromExpr(Box::new(tree)))?;
        q.jointree = match node {
            JoinTreeNode::FromExpr(f) => *f,
            other => FromExpr { fromlist: vec![other], quals: None },
        };
        Ok(())
    }

    fn sublinks_in_node(&mut self, q: &mut Query, n: JoinTreeNode) -> Result<(JoinTreeNode, Relids)> {
        analyze::walker::check_depth()?;
        match n {
            JoinTreeNode::RangeTblRef(i) => Ok((n, Relids::single(i))),
            JoinTreeNode::FromExpr(f) => {
                let mut rels = Relids::new();
                let mut list = Vec::new();
                for x in f.fromlist {
                    let (x, r) = self.sublinks_in_node(q, x)?;
                    rels.add(&r);
                    list.push(x);
                }
                let mut node = JoinTreeNode::FromExpr(Box::new(FromExpr { fromlist: list, quals: None }));
                let quals = match f.quals {
                    Some(e) => self.sublinks_in_quals(q, e, &mut node, &rels)?,
                    None => None,
                };
                // The conditions stay above the joins that were made of some of them.
                let node = match node {
                    JoinTreeNode::FromExpr(mut f) => {
                        f.quals = quals;
                        JoinTreeNode::FromExpr(f)
                    }
                    join => JoinTreeNode::FromExpr(Box::new(FromExpr { fromlist: vec![join], quals })),
                };
                Ok((node, rels))
            }
            JoinTreeNode::JoinExpr(mut j) => {
                let (l, lrels) = self.sublinks_in_node(q, j.larg)?;
                let (r, rrels) = self.sublinks_in_node(q, j.rarg)?;
                (j.larg, j.rarg) = (l, r);
                if let Some(e) = j.quals.take() {
                    j.quals = match j.jointype {
                        JoinType::Inner => {
                            // The new joins go above this one, whose own conditions stay.
                            let both = lrels.union(&rrels);
                            let mut node = JoinTreeNode::JoinExpr(j);
                            let rest = self.sublinks_in_quals(q, e, &mut node, &both)?;
                            let rels = node_relids(&node, false);
                            let node = match (node, rest) {
                                (JoinTreeNode::JoinExpr(mut j), rest)
                                    if j.jointype == JoinType::Inner && j.quals.is_none() =>
                                {
                                    j.quals = rest;
                                    JoinTreeNode::JoinExpr(j)
                                }
                                (n, None) => n,
                                (n, quals) => JoinTreeNode::FromExpr(Box::new(FromExpr { fromlist: vec![n], quals })),
                            };
                            let _ = rels;
                            return Ok((node, both));
                        }
                        JoinType::Left => self.sublinks_in_quals(q, e, &mut j.rarg, &rrels)?,
                        JoinType::Right => self.sublinks_in_quals(q, e, &mut j.larg, &lrels)?,
                        _ => Some(e),
                    };
                }
                let rels = lrels.union(&rrels);
                Ok((JoinTreeNode::JoinExpr(j), rels))
            }
        }
    }

    /// Takes the sublinks out of a conjunction that can become joins on top of `node`. Returns the rest.
    fn sublinks_in_quals(
        &mut self,
        q: &mut Query,
        e: Expr,
        node: &mut JoinTreeNode,
        available: &Relids,
    ) -> Result<Option<Expr>> {
        match e {
            Expr::BoolExpr(b) if b.boolop == BoolExprType::And => {
                let mut rest = Vec::new();
                for a in b.args {
                    rest.extend(self.sublinks_in_quals(q, a, node, available)?);
                }
                Ok(Expr::and_all(rest))
            }
            Expr::SubLink(s) => {
                if s.sub_link_type == SubLinkType::Any
                    && let Some(e) = self.values_to_any(&s)?
                {
                    return Ok(Some(e));
                }
                let join = match s.sub_link_type {
                    SubLinkType::Any => self.any_to_join(q, &s, available)?,
                    SubLinkType::Exists => self.exists_to_join(q, &s, false, available)?,
                    _ => None,
                };
                self.attach(q, join, node, Expr::SubLink(s))
            }
            Expr::BoolExpr(mut b) if b.boolop == BoolExprType::Not => {
                if let [Expr::SubLink(s)] = &b.args[..]
                    && s.sub_link_type == SubLinkType::Exists
                {
                    let s = s.clone();
                    let join = self.exists_to_join(q, &s, true, available)?;
                    return self.attach(q, join, node, Expr::BoolExpr(b));
                }
                // NOT (a OR NOT EXISTS ..) would need De Morgan first; leave others alone.
                if let [Expr::BoolExpr(inner)] = &b.args[..]
                    && inner.boolop == BoolExprType::Not
                    && matches!(&inner.args[..], [Expr::SubLink(_)])
                    && let Expr::BoolExpr(mut inner) = b.args.swap_remove(0)
                {
                    return self.sublinks_in_quals(q, inner.args.swap_remove(0), node, available);
                }
                Ok(Some(Expr::BoolExpr(b)))
            }
            e => Ok(Some(e)),
        }
    }

    fn attach(
        &mut self,
        q: &mut Query,
        join: Option<JoinExpr>,
        node: &mut JoinTreeNode,
        e: Expr,
    ) -> Result<Option<Expr>> {
        let Some(mut j) = join else { return Ok(Some(e)) };
        let old = std::mem::replace(node, JoinTreeNode::RangeTblRef(0));
        // An already empty FromExpr of one item adds nothing.
        j.larg = match old {
            JoinTreeNode::FromExpr(mut f) if f.quals.is_none() && f.fromlist.len() == 1 => f.fromlist.swap_remove(0),
            n => n,
        };
        // The pulled-up part may contain sublinks of its own.
        let (r, rrels) = self.sublinks_in_node(q, j.rarg)?;
        j.rarg = r;
        if let Some(quals) = j.quals.take() {
            j.quals = self.sublinks_in_quals(q, quals, &mut j.rarg, &rrels)?;
        }
        *node = JoinTreeNode::JoinExpr(Box::new(j));
        Ok(None)
    }

    /// `x = ANY (SELECT ..)`. (PostgreSQL: `convert_ANY_sublink_to_join`)
    fn any_to_join(&mut self, q: &mut Query, s: &SubLink, available: &Relids) -> Result<Option<JoinExpr>> {
        let Some(test) = &s.testexpr else { return Ok(None) };
        let mut sub = (*s.subselect).clone();
        let lateral = refers_up(&sub, 1)?;
        if lateral {
            // Correlated: it can become a lateral join only if it refers to what is available.
            let mut rels = Relids::new();
            let mut far = false;
            deep_query(&mut sub, &mut |x, depth| {
                if let Expr::Var(v) = x
                    && v.varlevelsup == depth + 1
                {
                    rels.insert(v.varno);
                }
                far = far
                    || (matches!(x, Expr::Aggref(_) | Expr::GroupingFunc(_)) && level_of(x).is_some_and(|l| l > depth));
                Ok(true)
            })?;
            if far || !rels.is_subset(available) {
                return Ok(None);
            }
        }
        let upper = varnos(test);
        if upper.is_empty() || !upper.is_subset(available) || is_volatile(&self.cx.catalog, test)? {
            return Ok(None);
        }
        let rti = q.rtable.len() as u32 + 1;
        let columns: Vec<&TargetEntry> = sub.target_list.iter().filter(|t| !t.resjunk).collect();
        let names = columns.iter().map(|t| t.resname.clone().unwrap_or_default()).collect();
        let types: Vec<TypeMod> = columns.iter().map(|t| t.expr.type_mod()).collect();
        let mut quals = test.clone();
        mutate(&mut quals, &mut |x| {
            if let Expr::Param(p) = x
                && p.kind == ParamKind::Sublink
            {
                *x = make_var(rti, p.id as i16, types[p.id as usize - 1]);
                return Ok(false);
            }
            Ok(!matches!(x, Expr::SubLink(_)))
        })?;
        q.rtable.push(RangeTblEntry {
            alias: None,
            eref: Alias { aliasname: "ANY_subquery".into(), colnames: names },
            kind: RteKind::Subquery { subquery: Box::new(sub), security_barrier: false, view: None },
            lateral,
            in_from_cl: false,
            security_quals: Vec::new(),
        });
        Ok(Some(new_join(JoinType::Semi, JoinTreeNode::RangeTblRef(rti), Some(quals))))
    }

    /// `[NOT] EXISTS (SELECT ..)`. (PostgreSQL: `convert_EXISTS_sublink_to_join`)
    fn exists_to_join(
        &mut self,
        q: &mut Query,
        s: &SubLink,
        not: bool,
        available: &Relids,
    ) -> Result<Option<JoinExpr>> {
        let mut sub = (*s.subselect).clone();
        if !sub.cte_list.is_empty() || !self.simplify_exists(&mut sub)? || sub.jointree.fromlist.is_empty() {
            return Ok(None);
        }
        self.flatten_aliases(&mut sub)?;
        self.flatten_group(&mut sub)?;
        let Some(mut quals) = sub.jointree.quals.take() else { return Ok(None) };
        if refers_up(&sub, 1)? {
            return Ok(None);
        }
        if !expr_refers_up(&quals, 1)? || is_volatile(&self.cx.catalog, &quals)? {
            return Ok(None);
        }
        let offset = q.rtable.len() as u32;
        offset_query(&mut sub, offset)?;
        deep_expr(&mut quals, &mut |x, depth| {
            if let Expr::Var(v) = x
                && v.varlevelsup == depth
            {
                v.varno += offset;
                v.varnosyn += offset;
            }
            Ok(true)
        })?;
        shift_query_levels(&mut sub, -1, 1)?;
        shift_levels(&mut quals, -1, 1)?;
        let upper: Relids = varnos(&quals).iter().filter(|v| *v <= offset).collect();
        if upper.is_empty() || !upper.is_subset(available) {
            return Ok(None);
        }
        combine_range_tables(&mut q.rtable, &mut q.rteperminfos, sub.rtable, sub.rteperminfos);
        q.has_sub_links = true;
        let rarg = match sub.jointree.fromlist.len() {
            1 => sub.jointree.fromlist.swap_remove(0),
            _ => JoinTreeNode::FromExpr(Box::new(sub.jointree)),
        };
        Ok(Some(new_join(if not { JoinType::Anti } else { JoinType::Semi }, rarg, Some(quals))))
    }

    /// Drops what does not matter for whether there is a row; false if that cannot be told.
    /// (PostgreSQL: `simplify_EXISTS_query`)
    pub(crate) fn simplify_exists(&mut self, q: &mut Query) -> Result<bool> {
        if q.command_type != CmdType::Select
            || q.set_operations.is_some()
            || q.has_aggs
            || !q.grouping_sets.is_empty()
            || q.has_window_funcs
            || q.has_target_srfs
            || q.has_modifying_cte
            || q.having_qual.is_some()
            || q.limit_offset.is_some()
            || !q.row_marks.is_empty()
        {
            return Ok(false);
        }
        if let Some(mut c) = q.limit_count.take() {
            self.fold(&mut c)?;
            let positive = match &c {
                Expr::Const(k) => k.value.is_null() || k.value.as_ref().word() as i64 > 0,
                _ => false,
            };
            if !positive {
                q.limit_count = Some(c);
                return Ok(false);
            }
        }
        q.target_list.clear();
        q.group_clause.clear();
        q.window_clause.clear();
        q.distinct_clause.clear();
        q.sort_clause.clear();
        q.has_distinct_on = false;
        if q.has_group_rte {
            q.has_group_rte = false;
            if matches!(q.rtable.last().map(|r| &r.kind), Some(RteKind::Group { .. })) {
                q.rtable.pop();
            }
        }
        Ok(true)
    }

    /// Vars of the grouping step replaced by their expressions. (PostgreSQL: `flatten_group_exprs`)
    pub(crate) fn flatten_group(&mut self, q: &mut Query) -> Result<RtIndex> {
        if !q.has_group_rte {
            return Ok(0);
        }
        let Some(pos) = q.rtable.iter().position(|r| matches!(r.kind, RteKind::Group { .. })) else { return Ok(0) };
        let rti = pos as u32 + 1;
        let RteKind::Group { mut exprs } = q.rtable[pos].kind.clone() else { return Ok(0) };
        for e in &mut exprs {
            mutate(e, &mut |x| {
                forget_location(x);
                Ok(true)
            })?;
        }
        let nulled = !q.grouping_sets.is_empty();
        q.rtable[pos].kind = RteKind::Group { exprs: Vec::new() };
        deep_query(q, &mut |x, depth| {
            let Expr::Var(v) = x else { return Ok(true) };
            if v.varlevelsup != depth || v.varno != rti {
                return Ok(false);
            }
            let i = v.varattno as usize - 1;
            let mut e = exprs[i].clone();
            shift_levels(&mut e, depth as i32, 0)?;
            if nulled {
                e = group_nulled(e, rti, depth);
            }
            *x = e;
            Ok(false)
        })?;
        q.has_group_rte = false;
        q.rtable[pos].kind = RteKind::Group { exprs };
        Ok(if nulled { rti } else { 0 })
    }

    // ---- subqueries merged into the parent ----

    /// (PostgreSQL: `pull_up_subqueries`)
    /// `nullable`: an outer join may null what comes out.
    pub(crate) fn pull_up_subqueries(&mut self, q: &mut Query, nullable: bool) -> Result<()> {
        let tree = std::mem::take(&mut q.jointree);
        // Merging replaces Vars all over the query, also in the part of the tree that is not done; so the tree stays
        // in the query and is addressed by paths.
        q.jointree = tree;
        let mut path = Vec::new();
        self.pull_up_at(q, &mut path, nullable)
    }

    fn pull_up_at(&mut self, q: &mut Query, path: &mut Vec<usize>, nullable: bool) -> Result<()> {
        analyze::walker::check_depth()?;
        enum What {
            Leaf(RtIndex),
            From(usize),
            Join(JoinType),
        }
        let what = match node_at(&mut q.jointree, path) {
            NodeRef::From(f) => What::From(f.fromlist.len()),
            NodeRef::Join(j) => What::Join(j.jointype),
            NodeRef::Leaf(n) => match n {
                JoinTreeNode::RangeTblRef(i) => What::Leaf(*i),
                _ => return Ok(()),
            },
        };
        match what {
            What::From(n) => {
                for i in 0..n {
                    path.push(i);
                    self.pull_up_at(q, path, nullable)?;
                    path.pop();
                }
            }
            What::Join(t) => {
                let (l, r) = match t {
                    JoinType::Left | JoinType::Anti => (nullable, true),
                    JoinType::Semi => (nullable, nullable),
                    JoinType::Right => (true, nullable),
                    JoinType::Full => (true, true),
                    _ => (nullable, nullable),
                };
                for (i, n) in [(0, l), (1, r)] {
                    path.push(i);
                    self.pull_up_at(q, path, n)?;
                    path.pop();
                }
            }
            What::Leaf(rti) => {
                if self.is_simple_subquery(q, rti, nullable)? {
                    self.pull_up_subquery(q, rti, path, nullable)?;
                }
            }
        }
        Ok(())
    }

    fn is_simple_subquery(&mut self, q: &Query, rti: RtIndex, nullable: bool) -> Result<bool> {
        let rte = q.rte(rti);
        let RteKind::Subquery { subquery: s, security_barrier, .. } = &rte.kind else { return Ok(false) };
        if *security_barrier
            || !rte.security_quals.is_empty()
            || s.command_type != CmdType::Select
            || s.set_operations.is_some()
            || s.has_aggs
            || s.has_window_funcs
            || s.has_target_srfs
            || !s.group_clause.is_empty()
            || !s.grouping_sets.is_empty()
            || s.having_qual.is_some()
            || !s.sort_clause.is_empty()
            || !s.distinct_clause.is_empty()
            || s.limit_offset.is_some()
            || s.limit_count.is_some()
            || s.has_for_update
            || !s.row_marks.is_empty()
            || !s.cte_list.is_empty()
        {
            return Ok(false);
        }
        // Without FROM it is one row, which an outer join above may null.
        if s.jointree.fromlist.is_empty() && nullable {
            return Ok(false);
        }
        // Grouping sets null their columns one by one: each must stay what it is.
        let mut seen: Vec<&Expr> = Vec::new();
        if !q.grouping_sets.is_empty()
            && !s.target_list.iter().filter(|t| !t.resjunk).all(|t| {
                let fresh = !seen.contains(&&t.expr);
                seen.push(&t.expr);
                fresh && matches!(&t.expr, Expr::Var(v) if v.varlevelsup == 0)
            })
        {
            return Ok(false);
        }
        if nullable
            && (rte.lateral || s.target_list.iter().any(|t| !matches!(&t.expr, Expr::Var(v) if v.varlevelsup == 0)))
        {
            return Ok(false);
        }
        if nullable {
            // A whole row that is null is not a row of nulls.
            let mut whole = false;
            let mut copy = q.clone();
            deep_query(&mut copy, &mut |x, depth| {
                whole =
                    whole || matches!(x, Expr::Var(v) if v.varno == rti && v.varattno == 0 && v.varlevelsup == depth);
                Ok(!whole)
            })?;
            if whole {
                return Ok(false);
            }
        }
        for t in &s.target_list {
            if is_volatile(&self.cx.catalog, &t.expr)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn pull_up_subquery(&mut self, q: &mut Query, rti: RtIndex, path: &mut [usize], nullable: bool) -> Result<()> {
        let lateral = q.rte(rti).lateral;
        let RteKind::Subquery { subquery, .. } = &mut q.rtable[rti as usize - 1].kind else { return Ok(()) };
        let mut s = (**subquery).clone();
        self.flatten_aliases(&mut s)?;
        self.flatten_group(&mut s)?;
        if s.jointree.fromlist.is_empty() {
            replace_empty_jointree(&mut s);
        }
        if s.has_sub_links {
            self.pull_up_sublinks(&mut s)?;
        }
        self.pull_up_subqueries(&mut s, nullable)?;
        // A join condition that looks outside could not stay with its join.
        if lateral && s.jointree.fromlist.iter().map(outer_refs_in_joins).collect::<Result<Vec<_>>>()?.contains(&true) {
            return Ok(());
        }
        let offset = q.rtable.len() as u32;
        offset_query(&mut s, offset)?;
        shift_query_levels(&mut s, -1, 1)?;
        if lateral {
            for r in &mut s.rtable {
                if matches!(
                    r.kind,
                    RteKind::Subquery { .. }
                        | RteKind::Function { .. }
                        | RteKind::Values { .. }
                        | RteKind::TableFunc(_)
                ) {
                    r.lateral = true;
                }
            }
        }
        combine_range_tables(&mut q.rtable, &mut q.rteperminfos, s.rtable, s.rteperminfos);
        // The entry stays for permission checks (views); its query is needed no more.
        match node_at(&mut q.jointree, path) {
            NodeRef::Leaf(n) => *n = JoinTreeNode::FromExpr(Box::new(s.jointree)),
            _ => return Err(base::PgError::internal("lost a subquery in the join tree")),
        }
        if let RteKind::Subquery { subquery, .. } = &mut q.rtable[rti as usize - 1].kind {
            let mut empty = Query::new(CmdType::Select);
            empty.target_list = subquery.target_list.clone();
            for t in &mut empty.target_list {
                // Only types and names matter from here on.
                let ty = t.expr.type_mod();
                t.expr = Expr::CaseTestExpr(ty);
            }
            *subquery = Box::new(empty);
        }
        q.has_sub_links |= s.has_sub_links;
        q.has_row_security |= s.has_row_security;
        replace_vars(q, rti, &s.target_list)
    }

    // ---- outer joins ----

    /// Outer joins whose null-extended rows a condition above throws away become inner (or anti) joins.
    /// (PostgreSQL: `reduce_outer_joins`)
    pub(crate) fn reduce_outer_joins(&mut self, q: &mut Query) -> Result<()> {
        let mut tree = std::mem::take(&mut q.jointree);
        let done = self.reduce_from(&mut tree, &Relids::new(), &[]);
        q.jointree = tree;
        done
    }

    fn reduce_from(&mut self, f: &mut FromExpr, nonnull: &Relids, forced: &[(RtIndex, AttrNumber)]) -> Result<()> {
        let mut nonnull = nonnull.clone();
        let mut forced = forced.to_vec();
        if let Some(e) = &f.quals {
            nonnull.add(&nonnullable_rels(&self.cx.catalog, e, true)?);
            forced_null_vars(e, &mut forced);
        }
        for n in &mut f.fromlist {
            self.reduce_node(n, &nonnull, &forced)?;
        }
        Ok(())
    }

    fn reduce_node(&mut self, n: &mut JoinTreeNode, nonnull: &Relids, forced: &[(RtIndex, AttrNumber)]) -> Result<()> {
        analyze::walker::check_depth()?;
        let j = match n {
            JoinTreeNode::RangeTblRef(_) => return Ok(()),
            JoinTreeNode::FromExpr(f) => return self.reduce_from(f, nonnull, forced),
            JoinTreeNode::JoinExpr(j) => j,
        };
        let (left, right) = (node_relids(&j.larg, false), node_relids(&j.rarg, false));
        match j.jointype {
            JoinType::Left if nonnull.overlaps(&right) => j.jointype = JoinType::Inner,
            JoinType::Right if nonnull.overlaps(&left) => j.jointype = JoinType::Inner,
            JoinType::Full => match (nonnull.overlaps(&left), nonnull.overlaps(&right)) {
                (true, true) => j.jointype = JoinType::Inner,
                (true, false) => j.jointype = JoinType::Left,
                (false, true) => j.jointype = JoinType::Right,
                _ => {}
            },
            _ => {}
        }
        // Right joins are turned round.
        if j.jointype == JoinType::Right {
            std::mem::swap(&mut j.larg, &mut j.rarg);
            j.jointype = JoinType::Left;
        }
        let (left, right) = (node_relids(&j.larg, false), node_relids(&j.rarg, false));
        if j.jointype == JoinType::Left
            && !forced.is_empty()
            && let Some(e) = &j.quals
        {
            let strict = nonnullable_vars(&self.cx.catalog, e)?;
            if strict.iter().any(|v| right.contains(v.0) && forced.contains(v)) {
                j.jointype = JoinType::Anti;
            }
        }
        let (mut own, mut own_forced) = (Relids::new(), Vec::new());
        if j.jointype != JoinType::Full
            && let Some(e) = &j.quals
        {
            own = nonnullable_rels(&self.cx.catalog, e, true)?;
            forced_null_vars(e, &mut own_forced);
        }
        let _ = left;
        let none = Relids::new();
        match j.jointype {
            JoinType::Inner | JoinType::Semi => {
                own.add(nonnull);
                own_forced.extend_from_slice(forced);
                self.reduce_node(&mut j.larg, &own, &own_forced)?;
                self.reduce_node(&mut j.rarg, &own, &own_forced)
            }
            JoinType::Left | JoinType::Anti => {
                self.reduce_node(&mut j.larg, nonnull, forced)?;
                self.reduce_node(&mut j.rarg, &own, &own_forced)
            }
            _ => {
                self.reduce_node(&mut j.larg, &none, &[])?;
                self.reduce_node(&mut j.rarg, &none, &[])
            }
        }
    }

    /// Sets `varnullingrels` throughout. Also numbers the outer joins that have no range-table entry.
    pub(crate) fn set_nulling_rels(&mut self, root: &mut Root) -> Result<()> {
        let q = &mut root.parse;
        let mut tree = std::mem::take(&mut q.jointree);
        let mut map: Vec<Vec<RtIndex>> = vec![Vec::new(); q.rtable.len() + 1];
        let done = nulling_from(q, &mut tree, &mut map);
        q.jointree = tree;
        done?;
        // Everything outside the join tree sees the final state.
        if map.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let tree = std::mem::take(&mut q.jointree);
        let mut held: Vec<(usize, RteKind)> = Vec::new();
        for (i, r) in q.rtable.iter_mut().enumerate() {
            if !matches!(r.kind, RteKind::Relation { .. }) {
                held.push((i, std::mem::replace(&mut r.kind, RteKind::Result)));
            }
        }
        let done = deep_query(q, &mut |x, depth| {
            apply_nulling(x, depth, &map);
            Ok(true)
        });
        for (i, k) in held {
            q.rtable[i].kind = k;
        }
        q.jointree = tree;
        done
    }
}

fn apply_nulling(x: &mut Expr, depth: u32, map: &[Vec<RtIndex>]) {
    if let Expr::Var(v) = x
        && v.varlevelsup == depth
        && let Some(n) = map.get(v.varno as usize)
        && !n.is_empty()
    {
        // A grouping step's mark, if there is one, is kept.
        let mut all = n.clone();
        all.extend(v.varnullingrels.iter().copied().filter(|x| !n.contains(x)));
        all.sort_unstable();
        v.varnullingrels = all;
    }
}

fn nulling_from(q: &mut Query, f: &mut FromExpr, map: &mut Vec<Vec<RtIndex>>) -> Result<()> {
    for n in &mut f.fromlist {
        nulling_node(q, n, map)?;
    }
    if let Some(e) = &mut f.quals {
        deep_expr(e, &mut |x, depth| {
            apply_nulling(x, depth, map);
            Ok(true)
        })?;
    }
    Ok(())
}

fn nulling_node(q: &mut Query, n: &mut JoinTreeNode, map: &mut Vec<Vec<RtIndex>>) -> Result<()> {
    match n {
        JoinTreeNode::FromExpr(f) => nulling_from(q, f, map),
        JoinTreeNode::RangeTblRef(i) => {
            // Lateral references see what lies to the left, as nulled so far.
            let rte = &mut q.rtable[*i as usize - 1];
            if rte.lateral || matches!(rte.kind, RteKind::Function { .. } | RteKind::TableFunc(_)) {
                let mut f = |x: &mut Expr, depth: u32| {
                    apply_nulling(x, depth, map);
                    Ok(true)
                };
                analyze::walker::walk_rte_mut(&mut Deep { depth: 0, f: &mut f, rte: None }, rte)?;
            }
            Ok(())
        }
        JoinTreeNode::JoinExpr(j) => {
            nulling_node(q, &mut j.larg, map)?;
            nulling_node(q, &mut j.rarg, map)?;
            if let Some(e) = &mut j.quals {
                deep_expr(e, &mut |x, depth| {
                    apply_nulling(x, depth, map);
                    Ok(true)
                })?;
            }
            let mut nulled = Relids::new();
            if matches!(j.jointype, JoinType::Left | JoinType::Full) || (j.jointype == JoinType::Anti && j.rtindex != 0)
            {
                nulled.add(&node_relids(&j.rarg, false));
            }
            if j.jointype == JoinType::Full {
                nulled.add(&node_relids(&j.larg, false));
            }
            for r in nulled.iter() {
                map[r as usize].push(j.rtindex);
                map[r as usize].sort_unstable();
            }
            Ok(())
        }
    }
}

/// Marks a grouping expression as one that grouping sets may null.
fn group_nulled(mut e: Expr, rti: RtIndex, depth: u32) -> Expr {
    if let Expr::Var(v) = &mut e
        && v.varlevelsup == depth
    {
        v.varnullingrels.push(rti);
        return e;
    }
    Expr::PlaceHolderVar(Box::new(PlaceHolderVar {
        phexpr: e,
        phrels: Vec::new(),
        phnullingrels: vec![rti],
        phid: 0,
        phlevelsup: depth,
    }))
}

fn resolve_alias(x: &mut Expr, depth: u32, aliases: &[Option<JoinRte>], names: &[Vec<String>]) -> Result<()> {
    let Expr::Var(v) = x else { return Ok(()) };
    let Some(Some(join)) = aliases.get(v.varno as usize - 1) else { return Ok(()) };
    if v.varattno == 0 {
        // A row of all the join's columns.
        let mut args = Vec::new();
        let mut colnames = Vec::new();
        for (i, a) in join.join_alias_vars.iter().enumerate() {
            let mut a = a.clone();
            shift_levels(&mut a, depth as i32, 0)?;
            resolve_deep(&mut a, depth, aliases, names)?;
            args.push(a);
            colnames.push(names[v.varno as usize - 1].get(i).cloned().unwrap_or_default());
        }
        *x = Expr::RowExpr(Box::new(RowExpr {
            args,
            row_typeid: v.vartype.oid,
            row_format: CoercionForm::ImplicitCast,
            colnames,
            location: v.location,
        }));
        return Ok(());
    }
    let mut a = join.join_alias_vars[v.varattno as usize - 1].clone();
    shift_levels(&mut a, depth as i32, 0)?;
    resolve_deep(&mut a, depth, aliases, names)?;
    *x = a;
    Ok(())
}

fn resolve_deep(e: &mut Expr, depth: u32, aliases: &[Option<JoinRte>], names: &[Vec<String>]) -> Result<()> {
    mutate(e, &mut |y| {
        forget_location(y);
        if let Expr::Var(v) = y {
            v.varnullingrels.clear();
            if v.varlevelsup == depth {
                resolve_alias(y, depth, aliases, names)?;
            }
            return Ok(false);
        }
        Ok(true)
    })
}

fn new_join(jointype: JoinType, rarg: JoinTreeNode, quals: Option<Expr>) -> JoinExpr {
    JoinExpr {
        jointype,
        is_natural: false,
        larg: JoinTreeNode::RangeTblRef(0),
        rarg,
        using_clause: Vec::new(),
        join_using_alias: None,
        quals,
        alias: None,
        rtindex: 0,
    }
}

/// A FROM that is empty becomes one row of nothing. (PostgreSQL: `replace_empty_jointree`)
pub(crate) fn replace_empty_jointree(q: &mut Query) {
    q.rtable.push(RangeTblEntry {
        alias: None,
        eref: Alias { aliasname: "*RESULT*".into(), colnames: Vec::new() },
        kind: RteKind::Result,
        lateral: false,
        in_from_cl: false,
        security_quals: Vec::new(),
    });
    q.jointree.fromlist.push(JoinTreeNode::RangeTblRef(q.rtable.len() as u32));
}

/// Entries that yield one row of nothing are dropped beside others. (PostgreSQL: `remove_useless_result_rtes`)
pub(crate) fn remove_useless_results(q: &mut Query) {
    let is_result = |rtable: &[RangeTblEntry], n: &JoinTreeNode| matches!(n, JoinTreeNode::RangeTblRef(i) if matches!(rtable[*i as usize - 1].kind, RteKind::Result));
    fn clean(rtable: &[RangeTblEntry], n: &mut JoinTreeNode, is: &dyn Fn(&[RangeTblEntry], &JoinTreeNode) -> bool) {
        match n {
            JoinTreeNode::RangeTblRef(_) => {}
            JoinTreeNode::FromExpr(f) => {
                clean_from(rtable, f, is);
                // A FROM of one item without conditions is that item.
                if f.quals.is_none() && f.fromlist.len() == 1 {
                    let only = f.fromlist.swap_remove(0);
                    *n = only;
                }
            }
            JoinTreeNode::JoinExpr(j) => {
                clean(rtable, &mut j.larg, is);
                clean(rtable, &mut j.rarg, is);
                if j.jointype == JoinType::Inner && (is(rtable, &j.larg) || is(rtable, &j.rarg)) {
                    let keep = if is(rtable, &j.larg) { &mut j.rarg } else { &mut j.larg };
                    let keep = std::mem::replace(keep, JoinTreeNode::RangeTblRef(0));
                    let quals = j.quals.take();
                    *n = match quals {
                        None => keep,
                        quals => JoinTreeNode::FromExpr(Box::new(FromExpr { fromlist: vec![keep], quals })),
                    };
                } else if j.jointype == JoinType::Left && is(rtable, &j.rarg) {
                    // One row is always added, at most as nulls that nobody can see.
                    let keep = std::mem::replace(&mut j.larg, JoinTreeNode::RangeTblRef(0));
                    *n = keep;
                }
            }
        }
    }
    fn clean_from(rtable: &[RangeTblEntry], f: &mut FromExpr, is: &dyn Fn(&[RangeTblEntry], &JoinTreeNode) -> bool) {
        for x in &mut f.fromlist {
            clean(rtable, x, is);
        }
        // Nested FROMs that only hold conditions are merged.
        let mut list = Vec::new();
        for x in std::mem::take(&mut f.fromlist) {
            match x {
                JoinTreeNode::FromExpr(inner) => {
                    list.extend(inner.fromlist);
                    if let Some(e) = inner.quals {
                        f.quals = Expr::and_all(
                            implicit_and(Some(e)).into_iter().chain(implicit_and(f.quals.take())).collect(),
                        );
                    }
                }
                x => list.push(x),
            }
        }
        let results = list.iter().filter(|n| is(rtable, n)).count();
        if results > 0 && list.len() > 1 {
            let mut kept_one = results < list.len();
            list.retain(|n| {
                if !is(rtable, n) {
                    return true;
                }
                !std::mem::replace(&mut kept_one, true)
            });
        }
        f.fromlist = list;
    }
    let mut tree = std::mem::take(&mut q.jointree);
    clean_from(&q.rtable, &mut tree, &is_result);
    q.jointree = tree;
}

/// Whether the condition of some outer join or semijoin refers to outer query levels.
/// (PostgreSQL: `jointree_contains_lateral_outer_refs`)
fn outer_refs_in_joins(n: &JoinTreeNode) -> Result<bool> {
    fn all(n: &JoinTreeNode, restricted: bool) -> Result<bool> {
        let bad = |q: &Option<Expr>| q.as_ref().map_or(Ok(false), |e| expr_refers_up(e, 1));
        match n {
            JoinTreeNode::RangeTblRef(_) => Ok(false),
            JoinTreeNode::FromExpr(f) => {
                if restricted && bad(&f.quals)? {
                    return Ok(true);
                }
                for x in &f.fromlist {
                    if all(x, restricted)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            JoinTreeNode::JoinExpr(j) => {
                let restricted = restricted || j.jointype != JoinType::Inner;
                Ok((restricted && bad(&j.quals)?) || all(&j.larg, restricted)? || all(&j.rarg, restricted)?)
            }
        }
    }
    all(n, false)
}

enum NodeRef<'a> {
    From(&'a mut FromExpr),
    Join(&'a mut JoinExpr),
    Leaf(&'a mut JoinTreeNode),
}

/// The node that a path of child numbers leads to.
fn node_at<'a>(tree: &'a mut FromExpr, path: &[usize]) -> NodeRef<'a> {
    let Some((first, rest)) = path.split_first() else { return NodeRef::From(tree) };
    let mut n = &mut tree.fromlist[*first];
    for i in rest {
        n = match n {
            JoinTreeNode::FromExpr(f) => &mut f.fromlist[*i],
            JoinTreeNode::JoinExpr(j) => {
                if *i == 0 {
                    &mut j.larg
                } else {
                    &mut j.rarg
                }
            }
            JoinTreeNode::RangeTblRef(_) => n,
        };
    }
    match n {
        JoinTreeNode::RangeTblRef(_) => NodeRef::Leaf(n),
        JoinTreeNode::FromExpr(f) => NodeRef::From(f),
        JoinTreeNode::JoinExpr(j) => NodeRef::Join(j),
    }
}

/// Replaces the Vars of a range-table entry by a target list's expressions, throughout the query.
pub(crate) fn replace_vars(q: &mut Query, rti: RtIndex, tlist: &[TargetEntry]) -> Result<()> {
    let names = q.rte(rti).eref.colnames.clone();
    deep_query(q, &mut |x, depth| {
        let Expr::Var(v) = x else { return Ok(true) };
        if v.varno != rti || v.varlevelsup != depth {
            return Ok(false);
        }
        let find = |attno: i16| tlist.iter().find(|t| t.resno == attno).map(|t| t.expr.clone());
        let mut e = match v.varattno {
            0 => {
                let columns: Vec<Expr> = tlist.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
                Expr::RowExpr(Box::new(RowExpr {
                    args: columns,
                    row_typeid: if v.vartype.oid.is_valid() { v.vartype.oid } else { Oid(2249) },
                    row_format: CoercionForm::ImplicitCast,
                    colnames: names.clone(),
                    location: v.location,
                }))
            }
            n => find(n).ok_or_else(|| {
                base::PgError::internal(format!("could not find attribute {n} in subquery targetlist"))
            })?,
        };
        shift_levels(&mut e, depth as i32, 0)?;
        *x = e;
        Ok(false)
    })
}
