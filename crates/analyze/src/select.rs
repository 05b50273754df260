//! SELECT, VALUES, set operations and row locks.
//!
//! PostgreSQL: `transformSelectStmt`, `transformValuesClause`, `transformSetOperationStmt`, `transformLockingClause` (`analyze.c`).

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::acl::ACL_SELECT_FOR_UPDATE;
use parser::ast;
use types::oid::*;

use crate::clause::SortHow;
use crate::lookup::format_type;
use crate::query::*;
use crate::relation::lock;
use crate::state::*;
use crate::target::target_entry;

/// `FOR UPDATE` and its like, as messages name them. (PostgreSQL: `LCS_asString`)
pub(crate) fn strength_name(s: ast::LockClauseStrength) -> &'static str {
    match s {
        ast::LockClauseStrength::None => "FOR some",
        ast::LockClauseStrength::ForKeyShare => "FOR KEY SHARE",
        ast::LockClauseStrength::ForShare => "FOR SHARE",
        ast::LockClauseStrength::ForNoKeyUpdate => "FOR NO KEY UPDATE",
        ast::LockClauseStrength::ForUpdate => "FOR UPDATE",
    }
}

impl Analyzer<'_, '_> {
    /// A subquery on a level of its own. (PostgreSQL: `parse_sub_analyze`)
    pub(crate) fn sub_analyze(
        &mut self,
        stmt: &ast::Statement,
        parent_cte: Option<usize>,
        locked: bool,
        resolve_unknowns: bool,
    ) -> Result<Query> {
        crate::walker::check_depth()?;
        let mut lv = Level::new();
        lv.parent_cte = parent_cte;
        lv.locked_from_parent = locked;
        lv.resolve_unknowns = resolve_unknowns;
        self.levels.push(lv);
        let r = self.transform_statement(stmt);
        self.levels.pop();
        r
    }

    /// Moves the finished level's parts into the query.
    pub(crate) fn finish_level(&mut self, q: &mut Query, quals: Option<Expr>) {
        let lv = self.lv();
        q.rtable.append(&mut lv.rtable);
        q.rteperminfos = std::mem::take(&mut lv.perminfos);
        q.jointree = FromExpr { fromlist: std::mem::take(&mut lv.joinlist), quals };
        self.finish_flags(q);
    }
    pub(crate) fn finish_flags(&mut self, q: &mut Query) {
        let lv = self.lv();
        q.has_aggs = lv.has_aggs;
        q.has_window_funcs = lv.has_window_funcs;
        q.has_target_srfs = lv.has_target_srfs;
        q.has_sub_links = lv.has_sub_links;
        q.has_modifying_cte |= lv.has_modifying_cte;
    }

    pub(crate) fn with_clause(&mut self, w: Option<&ast::WithClause>, q: &mut Query) -> Result<()> {
        if let Some(w) = w {
            q.has_recursive = w.recursive;
            self.ctes(w)?;
        }
        Ok(())
    }
    /// The finished CTEs go into the query.
    pub(crate) fn finish_ctes(&mut self, q: &mut Query) {
        let lv = self.lv();
        for c in std::mem::take(&mut lv.ctes) {
            let Some(query) = c.query else { continue };
            q.has_modifying_cte |= query.command_type != CmdType::Select;
            let m = match c.raw.ctematerialized {
                ast::CTEMaterialize::Default => CteMaterialize::Default,
                ast::CTEMaterialize::Always => CteMaterialize::Always,
                ast::CTEMaterialize::Never => CteMaterialize::Never,
            };
            q.cte_list.push(CommonTableExpr {
                ctename: c.name,
                aliascolnames: c.raw.aliascolnames.clone(),
                ctematerialized: m,
                ctequery: Box::new(std::rc::Rc::unwrap_or_clone(query)),
                search_clause: c.search_clause,
                cycle_clause: c.cycle_clause,
                location: c.location,
                cterecursive: c.recursive,
                cterefcount: c.refcount,
                ctecolnames: c.colnames,
                ctecoltypes: c.coltypes,
            });
        }
    }

    pub(crate) fn select(&mut self, s: &ast::SelectStmt) -> Result<Query> {
        if let Some(into) = &s.into_clause {
            let m = "SELECT ... INTO is not allowed here";
            return Err(PgError::new(SYNTAX_ERROR, m).at(into.rel.location));
        }
        if !s.values_lists.is_empty() {
            return self.values(s);
        }
        if s.op != ast::SetOperation::None {
            return self.set_operation(s);
        }
        let mut q = Query::new(CmdType::Select);
        self.with_clause(s.with_clause.as_deref(), &mut q)?;
        self.lv().locking = s.locking_clause.clone();
        self.lv().windowdefs = s.window_clause.clone();
        self.from_clause(&s.from_clause)?;
        q.target_list = self.target_list(&s.target_list, ExprKind::SelectTarget)?;
        let mut tlist = std::mem::take(&mut q.target_list);
        self.mark_origins(&mut tlist);
        let quals = match &s.where_clause {
            Some(w) => Some(self.where_clause(w, ExprKind::Where, "WHERE")?),
            None => None,
        };
        let having = match &s.having_clause {
            Some(h) => Some(self.where_clause(h, ExprKind::Having, "HAVING")?),
            None => None,
        };
        q.sort_clause = self.sort_clause(&s.sort_clause, &mut tlist, ExprKind::OrderBy, SortHow::Sql92)?;
        (q.group_clause, q.grouping_sets) =
            self.group_clause(&s.group_clause, &mut tlist, &q.sort_clause, ExprKind::GroupBy, SortHow::Sql92)?;
        q.group_distinct = s.group_distinct;
        match &s.distinct_clause {
            None => {}
            Some(ast::DistinctClause::Distinct) => {
                q.distinct_clause = self.distinct_clause(&mut tlist, &q.sort_clause, false)?;
            }
            Some(ast::DistinctClause::On(on)) => {
                q.distinct_clause = self.distinct_on(on, &mut tlist, &q.sort_clause)?;
                q.has_distinct_on = true;
            }
        }
        let ties = s.limit_option == ast::LimitOption::WithTies;
        q.limit_offset = self.limit_clause(s.limit_offset.as_ref(), ExprKind::Offset, "OFFSET", false)?;
        q.limit_count = self.limit_clause(s.limit_count.as_ref(), ExprKind::Limit, "LIMIT", ties)?;
        q.limit_with_ties = ties;
        q.window_clause = self.window_definitions(&mut tlist)?;
        if self.level().resolve_unknowns {
            self.resolve_unknowns(&mut tlist)?;
        }
        q.target_list = tlist;
        q.having_qual = having;
        self.finish_level(&mut q, quals);
        for l in &s.locking_clause {
            self.locking_clause(&mut q, l, false)?;
        }
        self.assign_query_collations(&mut q)?;
        if q.has_aggs || !q.group_clause.is_empty() || !q.grouping_sets.is_empty() || q.having_qual.is_some() {
            self.check_aggregates(&mut q)?;
        }
        self.finish_ctes(&mut q);
        Ok(q)
    }

    /// VALUES by itself. (PostgreSQL: `transformValuesClause`)
    fn values(&mut self, s: &ast::SelectStmt) -> Result<Query> {
        let mut q = Query::new(CmdType::Select);
        self.with_clause(s.with_clause.as_deref(), &mut q)?;
        let mut rows: Vec<Vec<Expr>> = Vec::new();
        for list in &s.values_lists {
            let row = self.expression_list(list, ExprKind::Values, false)?;
            if let Some(first) = rows.first()
                && first.len() != row.len()
            {
                let at = row.first().map_or(Location::UNKNOWN, Expr::location);
                return Err(PgError::new(SYNTAX_ERROR, "VALUES lists must all be the same length").at(at));
            }
            rows.push(row);
        }
        // A common type for each column.
        let ncols = rows.first().map_or(0, Vec::len);
        let mut types = Vec::with_capacity(ncols);
        for c in 0..ncols {
            let all: Vec<&Expr> = rows.iter().map(|r| &r[c]).collect();
            let t = self.select_common_type(&all, Some("VALUES"))?.map_or(TEXTOID, |t| t.0);
            let mut column: Vec<Expr> = Vec::with_capacity(rows.len());
            for r in &mut rows {
                let e = std::mem::replace(&mut r[c], crate::coerce::bool_const(false));
                column.push(self.coerce_to_common_type(e, t, "VALUES")?);
            }
            let typmod = column[0].typmod();
            let typmod = if column.iter().all(|e| e.type_oid() == t && e.typmod() == typmod) { typmod } else { -1 };
            let collation = self.common_collation(&mut column, true)?;
            types.push(TypeMod { oid: t, typmod, collation });
            for (r, e) in rows.iter_mut().zip(column) {
                r[c] = e;
            }
        }
        let mut lateral = false;
        if self.levels.len() > 1 {
            for e in rows.iter().flatten() {
                lateral |= crate::expr::contains_vars(e)?;
            }
        }
        let item = self.add_values(rows, types, lateral);
        let vars = self.expand_item_vars(&item, 0, Location::UNKNOWN, true)?;
        let lv = self.lv();
        lv.joinlist.push(JoinTreeNode::RangeTblRef(item.rtindex));
        lv.namespace.push(item);
        let mut tlist = Vec::new();
        for (e, n) in vars {
            let resno = self.next_resno();
            tlist.push(target_entry(e, resno, Some(n)));
        }
        q.sort_clause = self.sort_clause(&s.sort_clause, &mut tlist, ExprKind::OrderBy, SortHow::Sql92)?;
        let ties = s.limit_option == ast::LimitOption::WithTies;
        q.limit_offset = self.limit_clause(s.limit_offset.as_ref(), ExprKind::Offset, "OFFSET", false)?;
        q.limit_count = self.limit_clause(s.limit_count.as_ref(), ExprKind::Limit, "LIMIT", ties)?;
        q.limit_with_ties = ties;
        if let Some(l) = s.locking_clause.first() {
            let m = format!("{} cannot be applied to VALUES", strength_name(l.strength));
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m));
        }
        q.target_list = tlist;
        self.finish_level(&mut q, None);
        self.assign_query_collations(&mut q)?;
        self.finish_ctes(&mut q);
        Ok(q)
    }

    /// (PostgreSQL: `transformSetOperationStmt`)
    fn set_operation(&mut self, s: &ast::SelectStmt) -> Result<Query> {
        let mut q = Query::new(CmdType::Select);
        let mut leftmost = s;
        while let Some(l) = &leftmost.larg {
            leftmost = l;
        }
        if let Some(into) = &leftmost.into_clause {
            let m = "SELECT ... INTO is not allowed here";
            return Err(PgError::new(SYNTAX_ERROR, m).at(into.rel.location));
        }
        if let Some(l) = s.locking_clause.first() {
            let m = format!("{} is not allowed with UNION/INTERSECT/EXCEPT", strength_name(l.strength));
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m));
        }
        self.with_clause(s.with_clause.as_deref(), &mut q)?;
        // The modifiers belong to the whole; the tree below is of bare operands.
        let (node, columns) = self.set_tree(s, true)?;
        let types: Vec<TypeMod> = match &node {
            SetOpNode::Op { col_types, .. } => col_types.clone(),
            SetOpNode::Leaf(_) => return Err(PgError::internal("a set operation that is none")),
        };
        let mut left = &node;
        while let SetOpNode::Op { larg, .. } = left {
            left = larg;
        }
        let SetOpNode::Leaf(leftmost_rti) = *left else { return Err(PgError::internal("no leftmost query")) };
        let names: Vec<(String, Location)> = match &self.level().rte(leftmost_rti).kind {
            RteKind::Subquery { subquery, .. } => subquery
                .target_list
                .iter()
                .filter(|t| !t.resjunk)
                .map(|t| (t.resname.clone().unwrap_or_default(), t.expr.location()))
                .collect(),
            _ => Vec::new(),
        };
        let _ = columns;
        let mut tlist = Vec::new();
        let mut cols = Vec::new();
        for (i, (ty, (name, location))) in types.iter().zip(&names).enumerate() {
            let no = i as AttrNumber + 1;
            let v = Var {
                varno: leftmost_rti,
                varattno: no,
                vartype: *ty,
                varnullingrels: Vec::new(),
                varlevelsup: 0,
                varreturning: VarReturning::Default,
                varnosyn: leftmost_rti,
                varattnosyn: no,
                location: *location,
            };
            let resno = self.next_resno();
            tlist.push(target_entry(Expr::Var(v), resno, Some(name.clone())));
            cols.push(NsColumn {
                varno: leftmost_rti,
                varattno: no,
                vartype: *ty,
                varreturning: VarReturning::Default,
                varnosyn: leftmost_rti,
                varattnosyn: no,
                dontexpand: false,
            });
        }
        // ORDER BY sees the output columns by name, and nothing else.
        let colnames: Vec<String> = names.iter().map(|n| n.0.clone()).collect();
        let item = NsItem {
            names: std::rc::Rc::new(Alias { aliasname: "*SETOP*".to_owned(), colnames }),
            rtindex: leftmost_rti,
            perminfo: 0,
            columns: cols.into(),
            rel_visible: false,
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
            returning: VarReturning::Default,
        };
        let hidden = std::mem::replace(&mut self.lv().namespace, vec![item]);
        let n = tlist.len();
        q.sort_clause = self.sort_clause(&s.sort_clause, &mut tlist, ExprKind::OrderBy, SortHow::Sql92)?;
        self.lv().namespace = hidden;
        if tlist.len() != n {
            let m = "invalid UNION/INTERSECT/EXCEPT ORDER BY clause";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
                .detail("Only result column names can be used, not expressions or functions.")
                .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
                .at(tlist[n].expr.location()));
        }
        let ties = s.limit_option == ast::LimitOption::WithTies;
        q.limit_offset = self.limit_clause(s.limit_offset.as_ref(), ExprKind::Offset, "OFFSET", false)?;
        q.limit_count = self.limit_clause(s.limit_count.as_ref(), ExprKind::Limit, "LIMIT", ties)?;
        q.limit_with_ties = ties;
        q.target_list = tlist;
        q.set_operations = Some(Box::new(node));
        self.finish_level(&mut q, None);
        self.assign_query_collations(&mut q)?;
        if q.has_aggs {
            self.check_aggregates(&mut q)?;
        }
        self.finish_ctes(&mut q);
        Ok(q)
    }

    /// A tree of set operations, and its columns as expressions. (PostgreSQL: `transformSetOperationTree`)
    fn set_tree(&mut self, s: &ast::SelectStmt, top: bool) -> Result<(SetOpNode, Vec<Expr>)> {
        crate::walker::check_depth()?;
        if let Some(into) = &s.into_clause {
            let m = "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT";
            return Err(PgError::new(SYNTAX_ERROR, m).at(into.rel.location));
        }
        if let Some(l) = s.locking_clause.first() {
            let m = format!("{} is not allowed with UNION/INTERSECT/EXCEPT", strength_name(l.strength));
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m));
        }
        let own =
            !s.sort_clause.is_empty() || s.limit_offset.is_some() || s.limit_count.is_some() || s.with_clause.is_some();
        let leaf = s.op == ast::SetOperation::None || (own && !top);
        if leaf {
            let sub = self.sub_analyze(&ast::Statement::Select(Box::new(s.clone())), None, false, false)?;
            // The operands of a set operation stand side by side: they do not see each other.
            if !self.level().namespace.is_empty() {
                if let Some(l) = query_outer_var(&sub)? {
                    let m =
                        "UNION/INTERSECT/EXCEPT member statement cannot refer to other relations of same query level";
                    return Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(l));
                }
            }
            let columns: Vec<Expr> = sub.target_list.iter().filter(|t| !t.resjunk).map(|t| t.expr.clone()).collect();
            let name = format!("*SELECT* {}", self.level().rtable.len() + 1);
            let alias = Alias { aliasname: name, colnames: Vec::new() };
            let item = self.add_subquery(sub, Some(alias), false, false)?;
            return Ok((SetOpNode::Leaf(item.rtindex), columns));
        }
        let (larg, rarg) = match (&s.larg, &s.rarg) {
            (Some(l), Some(r)) => (l, r),
            _ => return Err(PgError::internal("a set operation without operands")),
        };
        let (op, name) = match s.op {
            ast::SetOperation::Union => (SetOperation::Union, "UNION"),
            ast::SetOperation::Intersect => (SetOperation::Intersect, "INTERSECT"),
            _ => (SetOperation::Except, "EXCEPT"),
        };
        let (lnode, lcols) = self.set_tree(larg, false)?;
        // A recursive CTE's columns are those of its first term.
        let recursive = top && self.parent_cte_is_recursive();
        if recursive {
            self.recursive_columns(&lnode, &lcols)?;
        }
        let (rnode, rcols) = self.set_tree(rarg, false)?;
        if lcols.len() != rcols.len() {
            let m = format!("each {name} query must have the same number of columns");
            let at = rcols.first().map_or(Location::UNKNOWN, Expr::location);
            return Err(PgError::new(SYNTAX_ERROR, m).at(at));
        }
        let mut col_types = Vec::new();
        let mut groups = Vec::new();
        let mut columns = Vec::new();
        for (i, (l, r)) in lcols.iter().zip(&rcols).enumerate() {
            let pair = [l, r];
            let (t, which) = self.select_common_type(&pair, Some(name))?.unwrap_or((TEXTOID, 0));
            let best_location = pair[which].location();
            let mut exprs = vec![l.clone(), r.clone()];
            for (k, (e, node)) in exprs.iter_mut().zip([&lnode, &rnode]).enumerate() {
                let _ = k;
                if e.type_oid() == UNKNOWNOID {
                    if matches!(e, Expr::Const(_) | Expr::Param(_)) {
                        // Unknown literals of a leaf take the type here, in place.
                        let new = self.coerce_to_common_type(e.clone(), t, name)?;
                        if let SetOpNode::Leaf(rti) = node {
                            self.replace_leaf_column(*rti, i, new.clone());
                        }
                        *e = new;
                    }
                } else {
                    *e = self.coerce_to_common_type(e.clone(), t, name)?;
                }
            }
            let typmod = match exprs[0].type_oid() == t && exprs[1].type_oid() == t {
                true if exprs[0].typmod() == exprs[1].typmod() => exprs[0].typmod(),
                _ => -1,
            };
            let none_ok = op == SetOperation::Union && s.all;
            let collation = self.common_collation(&mut exprs, none_ok)?;
            let ty = TypeMod { oid: t, typmod, collation };
            if op != SetOperation::Union || !s.all {
                let ops = self.sort_group_ops(t, false, true, false).map_err(|e| e.at(best_location))?;
                groups.push(SortGroupClause {
                    tle_sort_group_ref: 0,
                    eqop: ops.eq,
                    sortop: ops.lt,
                    reverse_sort: false,
                    nulls_first: false,
                    hashable: ops.hashable,
                });
            }
            // What the operation gives, as an expression of that type at that place.
            let mut rescol = Expr::SetToDefault(ty, best_location);
            rescol.set_collation(collation);
            columns.push(rescol);
            col_types.push(ty);
        }
        let node = SetOpNode::Op {
            op,
            all: s.all,
            larg: Box::new(lnode),
            rarg: Box::new(rnode),
            col_types,
            group_clauses: groups,
        };
        Ok((node, columns))
    }

    fn replace_leaf_column(&mut self, rti: RtIndex, column: usize, new: Expr) {
        if let RteKind::Subquery { subquery, .. } = &mut self.lv().rtable[rti as usize - 1].kind {
            let t = subquery.target_list.iter_mut().filter(|t| !t.resjunk).nth(column);
            if let Some(t) = t {
                t.expr = new;
            }
        }
    }

    fn parent_cte_is_recursive(&self) -> bool {
        let Some(i) = self.level().parent_cte else { return false };
        let n = self.levels.len();
        n >= 2 && self.levels[n - 2].ctes.get(i).is_some_and(|c| c.recursive)
    }

    /// (PostgreSQL: `determineRecursiveColTypes`)
    fn recursive_columns(&mut self, left: &SetOpNode, cols: &[Expr]) -> Result<()> {
        let mut node = left;
        while let SetOpNode::Op { larg, .. } = node {
            node = larg;
        }
        let SetOpNode::Leaf(rti) = *node else { return Ok(()) };
        let names: Vec<String> = match &self.level().rte(rti).kind {
            RteKind::Subquery { subquery, .. } => subquery
                .target_list
                .iter()
                .filter(|t| !t.resjunk)
                .map(|t| t.resname.clone().unwrap_or_default())
                .collect(),
            _ => Vec::new(),
        };
        let types: Vec<TypeMod> = cols.iter().map(Expr::type_mod).collect();
        let Some(i) = self.level().parent_cte else { return Ok(()) };
        let n = self.levels.len();
        let up = n - 2;
        self.set_cte_columns(up, i, names, types)
    }

    /// FOR UPDATE and its like. (PostgreSQL: `transformLockingClause`)
    pub(crate) fn locking_clause(&mut self, q: &mut Query, l: &ast::LockingClause, pushed: bool) -> Result<()> {
        self.check_lockable(q, l.strength)?;
        let strength = match l.strength {
            ast::LockClauseStrength::ForKeyShare => LockClauseStrength::ForKeyShare,
            ast::LockClauseStrength::ForShare => LockClauseStrength::ForShare,
            ast::LockClauseStrength::ForNoKeyUpdate => LockClauseStrength::ForNoKeyUpdate,
            ast::LockClauseStrength::ForUpdate => LockClauseStrength::ForUpdate,
            ast::LockClauseStrength::None => LockClauseStrength::None,
        };
        let wait = match l.wait_policy {
            ast::LockWaitPolicy::Block => LockWaitPolicy::Block,
            ast::LockWaitPolicy::Skip => LockWaitPolicy::Skip,
            ast::LockWaitPolicy::Error => LockWaitPolicy::Error,
        };
        let all = ast::LockingClause { locked_rels: Vec::new(), ..l.clone() };
        if l.locked_rels.is_empty() {
            for i in 0..q.rtable.len() {
                if q.rtable[i].in_from_cl {
                    self.lock_rte(q, i, strength, wait, pushed, &all)?;
                }
            }
            return Ok(());
        }
        let name = strength_name(l.strength);
        for r in &l.locked_rels {
            if r.catalogname.is_some() || r.schemaname.is_some() {
                let m = format!("{name} must specify unqualified relation names");
                return Err(PgError::new(SYNTAX_ERROR, m).at(r.location));
            }
            let hit = q.rtable.iter().position(|t| {
                // A join that was given no name, and the like, cannot be named.
                let unnamed = t.alias.is_none()
                    && matches!(t.kind, RteKind::Join(_) | RteKind::Subquery { .. } | RteKind::Values { .. });
                t.in_from_cl && !unnamed && t.eref.aliasname == r.relname
            });
            let Some(i) = hit else {
                let m = format!("relation \"{}\" in {name} clause not found in FROM clause", r.relname);
                return Err(PgError::new(UNDEFINED_TABLE, m).at(r.location));
            };
            let what = match &q.rtable[i].kind {
                RteKind::Join(_) => Some("a join"),
                RteKind::Function { .. } => Some("a function"),
                RteKind::TableFunc(_) => Some("a table function"),
                RteKind::Values { .. } => Some("VALUES"),
                RteKind::Cte { .. } => Some("a WITH query"),
                RteKind::NamedTuplestore { .. } => Some("a named tuplestore"),
                _ => None,
            };
            if let Some(what) = what {
                let m = format!("{name} cannot be applied to {what}");
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(r.location));
            }
            self.lock_rte(q, i, strength, wait, pushed, &all)?;
        }
        Ok(())
    }

    fn lock_rte(
        &mut self,
        q: &mut Query,
        i: usize,
        strength: LockClauseStrength,
        wait: LockWaitPolicy,
        pushed: bool,
        all: &ast::LockingClause,
    ) -> Result<()> {
        match &mut q.rtable[i].kind {
            RteKind::Relation { perminfoindex, .. } => {
                let p = *perminfoindex as usize;
                apply_row_mark(q, i as RtIndex + 1, strength, wait, pushed);
                if p > 0 {
                    q.rteperminfos[p - 1].required_perms |= ACL_SELECT_FOR_UPDATE;
                }
            }
            RteKind::Subquery { subquery, .. } => {
                let mut sub = std::mem::replace(&mut **subquery, Query::new(CmdType::Select));
                let r = self.locking_clause(&mut sub, all, true);
                if let RteKind::Subquery { subquery, .. } = &mut q.rtable[i].kind {
                    **subquery = sub;
                }
                r?;
                apply_row_mark(q, i as RtIndex + 1, strength, wait, pushed);
            }
            _ => {}
        }
        Ok(())
    }

    /// (PostgreSQL: `CheckSelectLocking`)
    fn check_lockable(&self, q: &Query, s: ast::LockClauseStrength) -> Result<()> {
        let bad = [
            (q.set_operations.is_some(), "UNION/INTERSECT/EXCEPT"),
            (!q.distinct_clause.is_empty(), "DISTINCT clause"),
            (!q.group_clause.is_empty() || !q.grouping_sets.is_empty(), "GROUP BY clause"),
            (q.having_qual.is_some(), "HAVING clause"),
            (q.has_aggs, "aggregate functions"),
            (q.has_window_funcs, "window functions"),
            (q.has_target_srfs, "set-returning functions in the target list"),
        ];
        match bad.into_iter().find(|b| b.0) {
            Some((_, what)) => {
                let m = format!("{} is not allowed with {what}", strength_name(s));
                Err(PgError::new(FEATURE_NOT_SUPPORTED, m))
            }
            None => Ok(()),
        }
    }

    /// The lock mode of a table that is only read.
    #[allow(dead_code, reason = "for statements that open tables by themselves")]
    pub(crate) fn read_lock(&self) -> u8 {
        lock::ACCESS_SHARE
    }

    pub(crate) fn type_name(&self, t: Oid) -> Result<String> {
        format_type(self.cat(), t)
    }
}

/// (PostgreSQL: `applyLockingClause`)
fn apply_row_mark(q: &mut Query, rti: RtIndex, strength: LockClauseStrength, wait: LockWaitPolicy, pushed: bool) {
    if !pushed {
        q.has_for_update = true;
    }
    if let Some(m) = q.row_marks.iter_mut().find(|m| m.rti == rti) {
        m.strength = m.strength.max(strength);
        m.wait_policy = m.wait_policy.max(wait);
        m.pushed_down &= pushed;
        return;
    }
    q.row_marks.push(RowMarkClause { rti, strength, wait_policy: wait, pushed_down: pushed });
}

/// The place of a variable of the level just outside a query.
fn query_outer_var(q: &Query) -> Result<Option<Location>> {
    let e = Expr::SubLink(Box::new(SubLink {
        sub_link_type: SubLinkType::Exists,
        sub_link_id: 0,
        testexpr: None,
        oper_name: Vec::new(),
        subselect: Box::new(q.clone()),
        array_type: Oid::INVALID,
        location: Location::UNKNOWN,
    }));
    crate::level::locate_var(&e, 0)
}
