//! FROM: its items one by one, joins with their merged columns, and what becomes visible where.
//!
//! PostgreSQL: `parser/parse_clause.c` (`transformFromClause`, `transformFromClauseItem`).

use std::rc::Rc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use parser::ast;
use types::oid::*;

use crate::coerce::Context;
use crate::expr::bool_expr;
use crate::lookup::relkind;
use crate::query::*;
use crate::relation::ast_alias;
use crate::state::*;

/// What an item of FROM becomes.
struct FromPart {
    node: JoinTreeNode,
    /// The item as a whole.
    item: NsItem,
    /// All that is visible through it.
    namespace: Vec<NsItem>,
}

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `transformFromClause`)
    pub(crate) fn from_clause(&mut self, list: &[ast::FromItem]) -> Result<()> {
        for f in list {
            let part = self.from_item(f)?;
            self.check_conflicts(&self.level().namespace, &part.namespace)?;
            // What comes later sees it only laterally, until FROM is complete.
            let mut ns = part.namespace;
            set_lateral(&mut ns, true, true);
            let lv = self.lv();
            lv.joinlist.push(part.node);
            lv.namespace.extend(ns);
        }
        set_lateral(&mut self.lv().namespace, false, true);
        Ok(())
    }

    /// Two items of one name. (PostgreSQL: `checkNameSpaceConflicts`)
    pub(crate) fn check_conflicts(&self, a: &[NsItem], b: &[NsItem]) -> Result<()> {
        let lv = self.level();
        let relation = |i: &NsItem| match &lv.rte(i.rtindex) {
            RangeTblEntry { alias: None, kind: RteKind::Relation { relid, .. }, .. } => *relid,
            _ => Oid::INVALID,
        };
        for x in a.iter().filter(|i| i.rel_visible) {
            for y in b.iter().filter(|i| i.rel_visible) {
                if x.names.aliasname != y.names.aliasname {
                    continue;
                }
                let (rx, ry) = (relation(x), relation(y));
                if rx.is_valid() && ry.is_valid() && rx != ry {
                    continue;
                }
                let m = format!("table name \"{}\" specified more than once", x.names.aliasname);
                return Err(PgError::new(DUPLICATE_ALIAS, m));
            }
        }
        Ok(())
    }

    fn single(&self, item: NsItem) -> FromPart {
        FromPart { node: JoinTreeNode::RangeTblRef(item.rtindex), namespace: vec![item.clone()], item }
    }

    /// A CTE of that name in sight. (PostgreSQL: `scanNameSpaceForCTE`)
    fn find_cte(&self, name: &str) -> Option<(u32, usize)> {
        for (up, i) in (0..self.levels.len()).rev().enumerate() {
            if let Some(k) = self.levels[i].ctes.iter().position(|c| c.name == name) {
                return Some((up as u32, k));
            }
        }
        None
    }

    fn from_item(&mut self, f: &ast::FromItem) -> Result<FromPart> {
        crate::walker::check_depth()?;
        match f {
            ast::FromItem::RangeVar(rv) => {
                let cte = if rv.schemaname.is_none() { self.find_cte(&rv.relname) } else { None };
                let item = match cte {
                    Some((up, i)) => self.add_cte(up, i, rv)?,
                    None => match self.add_named(rv)? {
                        Some(item) => item,
                        None => {
                            let alias = rv.alias.as_ref().map(ast_alias);
                            self.add_table(rv, alias.as_ref(), rv.inh)?
                        }
                    },
                };
                Ok(self.single(item))
            }
            ast::FromItem::RangeSubselect(s) => {
                self.lv().kind = ExprKind::FromSubselect;
                self.lv().lateral_active = s.lateral;
                let name = s.alias.as_ref().map(|a| a.aliasname.as_str());
                let locked = name.is_some_and(|n| self.is_locked(n)) || (name.is_none() && self.is_locked(""));
                let q = self.sub_analyze(&ast::Statement::Select(s.subquery.clone()), None, locked, true)?;
                self.lv().lateral_active = false;
                self.lv().kind = ExprKind::None;
                let item = self.add_subquery(q, s.alias.as_ref().map(ast_alias), s.lateral, true)?;
                Ok(self.single(item))
            }
            ast::FromItem::RangeFunction(r) => {
                let item = self.range_function(r)?;
                Ok(self.single(item))
            }
            ast::FromItem::RangeTableFunc(_) => Err(PgError::unsupported("XMLTABLE")),
            ast::FromItem::JsonTable(_) => Err(PgError::unsupported("JSON_TABLE")),
            ast::FromItem::RangeTableSample(s) => {
                let part = self.from_item(&s.relation)?;
                let rti = part.item.rtindex;
                let ok = match &self.level().rte(rti).kind {
                    RteKind::Relation { relkind: k, .. } => {
                        matches!(*k, relkind::RELATION | relkind::MATVIEW | relkind::PARTITIONED_TABLE)
                    }
                    _ => false,
                };
                if !ok {
                    let m = "TABLESAMPLE clause can only be applied to tables and materialized views";
                    let at = match &s.relation {
                        ast::FromItem::RangeVar(r) => r.location,
                        _ => s.location,
                    };
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(at));
                }
                let sample = self.table_sample(s)?;
                if let RteKind::Relation { table_sample, .. } = &mut self.lv().rtable[rti as usize - 1].kind {
                    *table_sample = Some(Box::new(sample));
                }
                Ok(part)
            }
            ast::FromItem::JoinExpr(j) => self.join(j),
        }
    }

    fn is_locked(&self, name: &str) -> bool {
        let lv = self.level();
        lv.locked_from_parent
            || lv.locking.iter().any(|l| {
                l.locked_rels.is_empty() || (!name.is_empty() && l.locked_rels.iter().any(|r| r.relname == name))
            })
    }

    /// (PostgreSQL: `transformRangeFunction`)
    fn range_function(&mut self, r: &ast::RangeFunction) -> Result<NsItem> {
        self.lv().lateral_active = true;
        let mut names = Vec::new();
        let mut exprs = Vec::new();
        let mut coldefs: Vec<&[ast::ColumnDef]> = Vec::new();
        for f in &r.functions {
            // unnest of several arrays is several unnests.
            if let ast::Expr::FuncCall(call) = &f.func
                && call.args.len() > 1
                && call.funcname.last().is_some_and(|n| n == "unnest")
                && (call.funcname.len() == 1 || (call.funcname.len() == 2 && call.funcname[0] == "pg_catalog"))
                && call.agg_order.is_empty()
                && call.agg_filter.is_none()
                && call.over.is_none()
                && !call.agg_star
                && !call.agg_distinct
                && !call.func_variadic
                && f.coldeflist.is_empty()
            {
                for arg in &call.args {
                    let one = ast::FuncCall {
                        funcname: vec!["pg_catalog".to_owned(), "unnest".to_owned()],
                        args: vec![arg.clone()],
                        location: call.location,
                        ..ast::FuncCall::default()
                    };
                    let last = self.level().srfs;
                    let e = self.transform_expr(&ast::Expr::FuncCall(Box::new(one)), ExprKind::FromFunction)?;
                    self.check_top_level_srf(&e, last)?;
                    names.push("unnest".to_owned());
                    exprs.push(e);
                    coldefs.push(&[]);
                }
                continue;
            }
            let last = self.level().srfs;
            let e = self.transform_expr(&f.func, ExprKind::FromFunction)?;
            self.check_top_level_srf(&e, last)?;
            names.push(crate::target::figure_name(&f.func));
            exprs.push(e);
            coldefs.push(&f.coldeflist);
        }
        self.lv().lateral_active = false;
        for e in &mut exprs {
            self.assign_collations(e)?;
        }
        if let Some(first) = r.coldeflist.first() {
            let at = first.location;
            let syntax = |m: &str| PgError::new(SYNTAX_ERROR, m).at(at);
            if exprs.len() != 1 {
                return Err(if r.is_rowsfrom {
                    syntax("ROWS FROM() with multiple functions cannot have a column definition list")
                        .hint("Put a separate column definition list for each function inside ROWS FROM().")
                } else {
                    syntax("UNNEST() with multiple arguments cannot have a column definition list").hint(
                        "Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition list to each one.",
                    )
                });
            }
            if r.ordinality {
                return Err(syntax("WITH ORDINALITY cannot be used with a column definition list")
                    .hint("Put the column definition list inside ROWS FROM()."));
            }
            if !coldefs[0].is_empty() {
                return Err(syntax("multiple column definition lists are not allowed for the same function"));
            }
            coldefs[0] = &r.coldeflist;
        }
        let mut lateral = r.lateral;
        for e in &exprs {
            lateral |= crate::expr::contains_vars(e)?;
        }
        self.add_functions(&names, exprs, &coldefs, r, lateral)
    }

    /// A set must come from the function itself, not from its arguments.
    fn check_top_level_srf(&self, e: &Expr, last: usize) -> Result<()> {
        let own = matches!(e, Expr::FuncExpr(f) if f.funcretset) || matches!(e, Expr::OpExpr(o) if o.opretset);
        if self.level().srfs > last + usize::from(own) || (self.level().srfs > last && !own) {
            let m = "set-returning functions must appear at top level of FROM";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(self.level().last_srf));
        }
        Ok(())
    }

    fn table_sample(&mut self, s: &ast::RangeTableSample) -> Result<TableSampleClause> {
        let name = s.method.join(".");
        let how = crate::resolve::FindFunctions::default();
        let found = crate::resolve::function_candidates(self.cat(), &s.method, Some(1), &[], how)?;
        let handler = found.iter().find(|c| c.args[..] == [INTERNALOID]).map(|c| c.oid);
        let Some(tsmhandler) = handler else {
            let m = format!("tablesample method {name} does not exist");
            return Err(PgError::new(UNDEFINED_OBJECT, m).at(s.location));
        };
        if s.args.len() != 1 {
            let m = format!("tablesample method {name} requires 1 argument, not {}", s.args.len());
            return Err(PgError::new(INVALID_TABLESAMPLE_ARGUMENT, m).at(s.location));
        }
        let e = self.transform_expr(&s.args[0], ExprKind::FromFunction)?;
        let mut e = self.coerce_to_specific(e, FLOAT4OID, -1, "TABLESAMPLE")?;
        self.assign_collations(&mut e)?;
        let repeatable = match &s.repeatable {
            None => None,
            Some(r) => {
                let r = self.transform_expr(r, ExprKind::FromFunction)?;
                let mut r = self.coerce_to_specific(r, FLOAT8OID, -1, "REPEATABLE")?;
                self.assign_collations(&mut r)?;
                Some(r)
            }
        };
        Ok(TableSampleClause { tsmhandler, args: vec![e], repeatable })
    }

    fn join(&mut self, j: &ast::JoinExpr) -> Result<FromPart> {
        let left = self.from_item(&j.larg)?;
        let jointype = match j.jointype {
            ast::JoinType::Inner => JoinType::Inner,
            ast::JoinType::Left => JoinType::Left,
            ast::JoinType::Full => JoinType::Full,
            ast::JoinType::Right => JoinType::Right,
        };
        // The right side may refer to the left one laterally, if it cannot be nulled.
        let lateral_ok = matches!(jointype, JoinType::Inner | JoinType::Left);
        let mut visible = left.namespace.clone();
        set_lateral(&mut visible, true, lateral_ok);
        let save = self.level().namespace.len();
        self.check_conflicts(&self.level().namespace, &visible)?;
        self.lv().namespace.extend(visible);
        let right = self.from_item(&j.rarg);
        self.lv().namespace.truncate(save);
        let right = right?;
        self.check_conflicts(&left.namespace, &right.namespace)?;
        let mut namespace = left.namespace;
        namespace.extend(right.namespace);

        let mut using: Vec<String> = j.using_clause.clone();
        if j.is_natural {
            using = natural_columns(&left.item, &right.item);
        }
        // The columns that are common, with their two places.
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (i, u) in using.iter().enumerate() {
            if using[..i].contains(u) {
                let m = format!("column name \"{u}\" appears more than once in USING clause");
                return Err(PgError::new(DUPLICATE_COLUMN, m));
            }
            let find = |item: &NsItem, side: &str| -> Result<usize> {
                let mut hit = None;
                for (k, n) in item.names.colnames.iter().enumerate() {
                    if n == u && item.columns[k].varno != 0 {
                        if hit.is_some() {
                            let m = format!("common column name \"{u}\" appears more than once in {side} table");
                            return Err(PgError::new(AMBIGUOUS_COLUMN, m));
                        }
                        hit = Some(k);
                    }
                }
                hit.ok_or_else(|| {
                    let m = format!("column \"{u}\" specified in USING clause does not exist in {side} table");
                    PgError::new(UNDEFINED_COLUMN, m)
                })
            };
            pairs.push((find(&left.item, "left")?, find(&right.item, "right")?));
        }

        let rtindex = self.level().rtable.len() as RtIndex + 1;
        // The outer join nulls one side's variables from here on, but not in its own condition.
        let mut quals = None;
        if !pairs.is_empty() {
            quals = Some(self.using_quals(&left.item, &right.item, &pairs)?);
        } else if let Some(q) = &j.quals {
            let save = self.level().namespace.len();
            let mut inner = namespace.clone();
            set_lateral(&mut inner, false, true);
            let hidden: Vec<NsItem> = self.lv().namespace.drain(..).collect();
            self.lv().namespace = inner;
            let r = self.where_clause(q, ExprKind::JoinOn, "JOIN/ON");
            self.lv().namespace = hidden;
            let _ = save;
            quals = Some(r?);
        }
        let (null_left, null_right) = match jointype {
            JoinType::Left => (false, true),
            JoinType::Right => (true, false),
            JoinType::Full => (true, true),
            _ => (false, false),
        };
        if null_left {
            self.mark_nullable(&left.node, rtindex);
        }
        if null_right {
            self.mark_nullable(&right.node, rtindex);
        }

        // Output columns: the merged ones, then the rest of both sides.
        let mut colnames = Vec::new();
        let mut cols: Vec<NsColumn> = Vec::new();
        let mut alias_vars = Vec::new();
        let (mut left_cols, mut right_cols) = (Vec::new(), Vec::new());
        for (l, r) in &pairs {
            let (lc, rc) = (&left.item.columns[*l], &right.item.columns[*r]);
            let lv = self.item_var(lc);
            let rv = self.item_var(rc);
            let (lt, rt) = (lv.type_mod(), rv.type_mod());
            let merged = self.merge_using(jointype, lv, rv)?;
            left_cols.push(*l as AttrNumber + 1);
            right_cols.push(*r as AttrNumber + 1);
            colnames.push(left.item.names.colnames[*l].clone());
            let same = |t: &TypeMod| merged.type_mod().oid == t.oid && merged.type_mod().typmod == t.typmod;
            let mut col = match (&merged, jointype) {
                // One side's own column, unless a conversion or COALESCE was put on it.
                (Expr::Var(_), JoinType::Inner | JoinType::Left) if same(&lt) => lc.clone(),
                (Expr::Var(_), JoinType::Right) if same(&rt) => rc.clone(),
                _ => NsColumn {
                    varno: rtindex,
                    varattno: colnames.len() as AttrNumber,
                    vartype: merged.type_mod(),
                    varreturning: VarReturning::Default,
                    varnosyn: rtindex,
                    varattnosyn: colnames.len() as AttrNumber,
                    dontexpand: false,
                },
            };
            (col.varnosyn, col.varattnosyn) = (rtindex, colnames.len() as AttrNumber);
            cols.push(col);
            alias_vars.push(merged);
        }
        for (side, list, is_left) in [(&left.item, &mut left_cols, true), (&right.item, &mut right_cols, false)] {
            for (k, (c, n)) in side.columns.iter().zip(&side.names.colnames).enumerate() {
                let merged = pairs.iter().any(|p| k == if is_left { p.0 } else { p.1 });
                if c.varno == 0 || merged {
                    continue;
                }
                list.push(k as AttrNumber + 1);
                colnames.push(n.clone());
                let mut v = self.item_var(c);
                if let Expr::Var(x) = &mut v {
                    (x.varnosyn, x.varattnosyn) = (c.varnosyn, c.varattnosyn);
                }
                alias_vars.push(v);
                let mut col = c.clone();
                (col.varnosyn, col.varattnosyn) = (rtindex, colnames.len() as AttrNumber);
                cols.push(col);
            }
        }
        if cols.len() > i16::MAX as usize {
            return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, "joins can have at most 32767 columns"));
        }
        let alias = j.alias.as_ref().map(ast_alias);
        let mut eref =
            alias.clone().unwrap_or_else(|| Alias { aliasname: "unnamed_join".to_owned(), colnames: Vec::new() });
        let given = eref.colnames.len();
        if given > colnames.len() {
            let m = format!(
                "join expression \"{}\" has {} columns available but {given} columns specified",
                eref.aliasname,
                colnames.len()
            );
            return Err(PgError::new(INVALID_COLUMN_REFERENCE, m));
        }
        eref.colnames.extend(colnames[given..].iter().cloned());
        let join_using_alias =
            j.join_using_alias.as_ref().map(|a| Alias { aliasname: a.aliasname.clone(), colnames: using.clone() });
        let names = Rc::new(eref.clone());
        let lv = self.lv();
        lv.rtable.push(RangeTblEntry {
            alias: alias.clone(),
            eref,
            kind: RteKind::Join(JoinRte {
                jointype,
                join_merged_cols: pairs.len(),
                join_alias_vars: alias_vars,
                join_left_cols: left_cols,
                join_right_cols: right_cols,
                join_using_alias: join_using_alias.clone(),
            }),
            lateral: false,
            in_from_cl: true,
            security_quals: Vec::new(),
        });
        lv.nullingrels.push(Vec::new());
        lv.join_sides.insert(rtindex, (left.item.rtindex, right.item.rtindex));
        let node = JoinTreeNode::JoinExpr(Box::new(JoinExpr {
            jointype,
            is_natural: j.is_natural,
            larg: left.node,
            rarg: right.node,
            using_clause: using,
            join_using_alias: join_using_alias.clone(),
            quals,
            alias: alias.clone(),
            rtindex,
        }));
        let item = NsItem {
            names,
            rtindex,
            perminfo: 0,
            columns: cols.clone().into(),
            rel_visible: alias.is_some(),
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
            returning: VarReturning::Default,
        };
        // An aliased join hides its tables; without an alias only the columns' bare names are the join's.
        if alias.is_some() {
            namespace.clear();
        } else {
            namespace.iter_mut().for_each(|n| n.cols_visible = false);
        }
        if let Some(a) = join_using_alias {
            let u = NsItem {
                names: Rc::new(a),
                columns: cols[..pairs.len()].to_vec().into(),
                rel_visible: true,
                cols_visible: false,
                ..item.clone()
            };
            self.check_conflicts(&namespace, std::slice::from_ref(&u))?;
            namespace.push(u);
        }
        namespace.push(item.clone());
        Ok(FromPart { node, item, namespace })
    }

    /// A column of the current level as a variable.
    fn item_var(&mut self, c: &NsColumn) -> Expr {
        let mut v = self.ns_var(c, 0, Location::UNKNOWN);
        if let Some(rels) = self.level().nullingrels.get(v.varno as usize - 1) {
            v.varnullingrels.clone_from(rels);
        }
        Expr::Var(v)
    }

    fn mark_nullable(&mut self, node: &JoinTreeNode, by: RtIndex) {
        match node {
            JoinTreeNode::RangeTblRef(i) => self.lv().nullingrels[*i as usize - 1].push(by),
            JoinTreeNode::JoinExpr(j) => {
                self.mark_nullable(&j.larg, by);
                self.mark_nullable(&j.rarg, by);
                self.lv().nullingrels[j.rtindex as usize - 1].push(by);
            }
            JoinTreeNode::FromExpr(_) => {}
        }
    }

    /// The condition that USING means. (PostgreSQL: `transformJoinUsingClause`)
    fn using_quals(&mut self, left: &NsItem, right: &NsItem, pairs: &[(usize, usize)]) -> Result<Expr> {
        let mut all = Vec::new();
        for (l, r) in pairs {
            let l = self.item_var(&left.columns[*l]);
            let r = self.item_var(&right.columns[*r]);
            self.mark_read(&l);
            self.mark_read(&r);
            let last = self.level().srfs;
            let e = self.make_op(&["=".to_owned()], Some(l), r, last, Location::UNKNOWN)?;
            all.push(self.coerce_to_boolean(e, "JOIN/USING")?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { bool_expr(BoolExprType::And, all, Location::UNKNOWN) })
    }

    /// What a merged column stands for. (PostgreSQL: `buildMergedJoinVar`)
    fn merge_using(&mut self, jointype: JoinType, l: Expr, r: Expr) -> Result<Expr> {
        let pair = [&l, &r];
        let t = self.select_common_type(&pair, Some("JOIN/USING"))?.map_or(l.type_oid(), |t| t.0);
        let typmod = match l.type_oid() == t && r.type_oid() == t && l.typmod() == r.typmod() {
            true => l.typmod(),
            false => -1,
        };
        let mut conv = |e: Expr| -> Result<Expr> {
            let from = e.type_oid();
            if from != t {
                let (f, cx) = (CoercionForm::ImplicitCast, Context::Implicit);
                return self.coerce_type(e, from, t, typmod, cx, f, Location::UNKNOWN);
            }
            if e.typmod() != typmod {
                let ty = TypeMod { oid: t, typmod, collation: e.collation() };
                return Ok(crate::coerce::apply_relabel(e, ty, CoercionForm::ImplicitCast, Location::UNKNOWN));
            }
            Ok(e)
        };
        let (l, r) = (conv(l)?, conv(r)?);
        let mut merged = match jointype {
            // A column that is never null is better than one that may be.
            JoinType::Inner => match (&l, &r) {
                (Expr::Var(_), _) => l,
                (_, Expr::Var(_)) => r,
                _ => l,
            },
            JoinType::Left => l,
            JoinType::Right => r,
            _ => Expr::CoalesceExpr(Box::new(CoalesceExpr {
                coalescetype: t,
                coalescecollid: Oid::INVALID,
                args: vec![l, r],
                location: Location::UNKNOWN,
            })),
        };
        self.assign_collations(&mut merged)?;
        Ok(merged)
    }
}

/// The columns that both sides have, in the left one's order.
fn natural_columns(l: &NsItem, r: &NsItem) -> Vec<String> {
    let live = |i: &NsItem| {
        i.names
            .colnames
            .iter()
            .zip(i.columns.iter())
            .filter(|c| c.1.varno != 0)
            .map(|c| c.0.clone())
            .collect::<Vec<_>>()
    };
    let right = live(r);
    live(l).into_iter().filter(|n| right.contains(n)).collect()
}

/// (PostgreSQL: `setNamespaceLateralState`)
pub(crate) fn set_lateral(ns: &mut [NsItem], only: bool, ok: bool) {
    for n in ns {
        (n.lateral_only, n.lateral_ok) = (only, ok);
    }
}
