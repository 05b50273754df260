//! Aggregates, window functions and GROUPING: where they may stand, which level they belong to, and the rule that what is not
//! grouped must be aggregated.
//!
//! PostgreSQL: `parser/parse_agg.c`.

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use parser::ast;

use crate::clause::{SortHow, sort_group_ref};
use crate::level::{Levels, equal, locate_agg, locate_var, locate_window};
use crate::lookup::format_type;
use crate::query::*;
use crate::state::{Analyzer, ExprKind};
use crate::walker::*;

/// Grouping sets may unfold into so many. (PostgreSQL: 4096)
const MAX_GROUPING_SETS: usize = 4096;

/// Finds what may not stand in an aggregate's arguments.
struct ArgCheck {
    levels: u32,
}

impl Walker for ArgCheck {
    type Break = PgError;
    fn expr(&mut self, e: &Expr) -> Result<()> {
        if self.levels == 0 {
            let srf = match e {
                Expr::FuncExpr(f) => f.funcretset,
                Expr::OpExpr(o) => o.opretset,
                _ => false,
            };
            if srf {
                let m = "aggregate function calls cannot contain set-returning function calls";
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
                    .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
                    .at(e.location()));
            }
            if let Expr::WindowFunc(w) = e {
                let m = "aggregate function calls cannot contain window function calls";
                return Err(PgError::new(GROUPING_ERROR, m).at(w.location));
            }
        }
        walk_expr(self, e)
    }
    fn query(&mut self, q: &Query) -> Result<()> {
        self.levels += 1;
        let r = walk_query(self, q);
        self.levels -= 1;
        r
    }
}

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `transformAggregateCall`)
    pub(crate) fn aggregate_call(
        &mut self,
        mut agg: Aggref,
        mut args: Vec<Expr>,
        order: &[ast::SortBy],
        distinct: bool,
    ) -> Result<Expr> {
        agg.aggargtypes = args.iter().map(Expr::type_oid).collect();
        let save = self.level().next_resno;
        let entry = |i: usize, expr| TargetEntry {
            expr,
            resno: i as AttrNumber + 1,
            resname: None,
            ressortgroupref: 0,
            resorigtbl: Oid::INVALID,
            resorigcol: 0,
            resjunk: false,
        };
        let mut tlist: Vec<TargetEntry>;
        let mut sort = Vec::new();
        if agg.aggkind != b'n' {
            let ordered = args.split_off(args.len() - order.len());
            agg.aggdirectargs = args;
            tlist = ordered.into_iter().enumerate().map(|(i, e)| entry(i, e)).collect();
            for (i, by) in order.iter().enumerate() {
                self.add_to_sort_list(i, &mut sort, &mut tlist, by)?;
            }
        } else {
            tlist = args.into_iter().enumerate().map(|(i, e)| entry(i, e)).collect();
            self.lv().next_resno = tlist.len() as AttrNumber + 1;
            sort = self.sort_clause(order, &mut tlist, ExprKind::OrderBy, SortHow::Sql99)?;
            if distinct {
                agg.aggdistinct = self.distinct_clause(&mut tlist, &sort, true)?;
                for d in &agg.aggdistinct {
                    if !d.sortop.is_valid() {
                        let e = &tlist[sort_group_ref(&tlist, d.tle_sort_group_ref)?].expr;
                        let t = format_type(self.cat(), e.type_oid())?;
                        let m = format!("could not identify an ordering operator for type {t}");
                        return Err(PgError::new(UNDEFINED_FUNCTION, m)
                            .detail("Aggregates with DISTINCT must be able to sort their inputs.")
                            .at(e.location()));
                    }
                }
            }
        }
        self.lv().next_resno = save;
        agg.args = tlist;
        agg.aggorder = sort;
        let location = agg.location;
        let args: Vec<&Expr> = agg.args.iter().map(|t| &t.expr).collect();
        let level =
            self.agg_level(&agg.aggdirectargs.iter().collect::<Vec<_>>(), &args, agg.aggfilter.as_ref(), location)?;
        agg.agglevelsup = level;
        self.check_agg_placement(level, location, "aggregate functions")?;
        Ok(Expr::Aggref(Box::new(agg)))
    }

    /// The level an aggregate belongs to: that of the lowest variable in its arguments. (PostgreSQL: `check_agg_arguments`)
    fn agg_level(&self, direct: &[&Expr], args: &[&Expr], filter: Option<&Expr>, at: Location) -> Result<u32> {
        let mut l = Levels::default();
        for e in args.iter().copied().chain(filter) {
            ArgCheck { levels: 0 }.expr(e)?;
            l.expr(e)?;
        }
        let level = match (l.var, l.agg) {
            (None, None) => 0,
            (Some((v, _)), None) => v,
            (None, Some((a, _))) => a,
            (Some((v, _)), Some((a, _))) => v.min(a),
        };
        let nested = "aggregate function calls cannot be nested";
        if let Some((a, _)) = l.agg
            && a == level
        {
            let mut place = at;
            for e in args.iter().copied().chain(filter) {
                if let Some(p) = locate_agg(e, level)? {
                    place = p;
                    break;
                }
            }
            return Err(PgError::new(GROUPING_ERROR, nested).at(place));
        }
        let mut d = Levels::default();
        for e in direct {
            ArgCheck { levels: 0 }.expr(e)?;
            d.expr(e)?;
        }
        if let Some((v, p)) = d.var
            && v < level
        {
            let m = "outer-level aggregate cannot contain a lower-level variable in its direct arguments";
            return Err(PgError::new(GROUPING_ERROR, m).at(p));
        }
        if let Some((a, p)) = d.agg
            && a <= level
        {
            return Err(PgError::new(GROUPING_ERROR, nested).at(p));
        }
        Ok(level)
    }

    /// (PostgreSQL: `check_agglevels_and_constraints`)
    fn check_agg_placement(&mut self, up: u32, location: Location, what: &str) -> Result<()> {
        use ExprKind::*;
        let lv = self.level_up(up)?;
        lv.has_aggs = true;
        let place = match lv.kind {
            None | Other | Having | WindowPartition | WindowOrder | SelectTarget | OrderBy | DistinctOn => {
                return Ok(());
            }
            JoinOn | JoinUsing => "JOIN conditions",
            FromSubselect => "FROM clause of their own query level",
            FromFunction => "functions in FROM",
            Policy => "policy expressions",
            WindowFrameRange => "window RANGE",
            WindowFrameRows => "window ROWS",
            WindowFrameGroups => "window GROUPS",
            MergeWhen => "MERGE WHEN conditions",
            CheckConstraint | DomainCheck => "check constraints",
            ColumnDefault | FunctionDefault => "DEFAULT expressions",
            IndexExpression => "index expressions",
            IndexPredicate => "index predicates",
            StatsExpression => "statistics expressions",
            AlterColTransform => "transform expressions",
            ExecuteParameter => "EXECUTE parameters",
            TriggerWhen => "trigger WHEN conditions",
            PartitionBound => "partition bound",
            PartitionExpression => "partition key expressions",
            GeneratedColumn => "column generation expressions",
            CallArgument => "CALL arguments",
            CopyWhere => "COPY FROM WHERE conditions",
            k => k.name(),
        };
        Err(PgError::new(GROUPING_ERROR, format!("{what} are not allowed in {place}")).at(location))
    }

    /// (PostgreSQL: `transformGroupingFunc`)
    pub(crate) fn grouping_func(&mut self, g: &ast::GroupingFunc) -> Result<Expr> {
        if g.args.len() > 31 {
            let m = "GROUPING must have fewer than 32 arguments";
            return Err(PgError::new(TOO_MANY_ARGUMENTS, m).at(g.location));
        }
        let mut args = Vec::new();
        for a in &g.args {
            args.push(self.expr(a)?);
        }
        let level = self.agg_level(&[], &args.iter().collect::<Vec<_>>(), None, g.location)?;
        self.check_agg_placement(level, g.location, "grouping operations")?;
        Ok(Expr::GroupingFunc(Box::new(GroupingFunc {
            args,
            refs: Vec::new(),
            agglevelsup: level,
            location: g.location,
        })))
    }

    /// (PostgreSQL: `transformWindowFuncCall`)
    pub(crate) fn window_func_call(&mut self, mut w: WindowFunc, over: &ast::WindowDef) -> Result<Expr> {
        use ExprKind::*;
        if self.level().has_window_funcs {
            for a in &w.args {
                if let Some(l) = locate_window(a)? {
                    return Err(PgError::new(WINDOWING_ERROR, "window function calls cannot be nested").at(l));
                }
            }
        }
        let place = match self.kind() {
            None | Other | SelectTarget | OrderBy | DistinctOn | FromSubselect => Option::None,
            JoinOn | JoinUsing => Some("JOIN conditions"),
            FromFunction => Some("functions in FROM"),
            Policy => Some("policy expressions"),
            WindowPartition | WindowOrder | WindowFrameRange | WindowFrameRows | WindowFrameGroups => {
                Some("window definitions")
            }
            MergeWhen => Some("MERGE WHEN conditions"),
            CheckConstraint | DomainCheck => Some("check constraints"),
            ColumnDefault | FunctionDefault => Some("DEFAULT expressions"),
            IndexExpression => Some("index expressions"),
            StatsExpression => Some("statistics expressions"),
            IndexPredicate => Some("index predicates"),
            AlterColTransform => Some("transform expressions"),
            ExecuteParameter => Some("EXECUTE parameters"),
            TriggerWhen => Some("trigger WHEN conditions"),
            PartitionBound => Some("partition bound"),
            PartitionExpression => Some("partition key expressions"),
            CallArgument => Some("CALL arguments"),
            CopyWhere => Some("COPY FROM WHERE conditions"),
            GeneratedColumn => Some("column generation expressions"),
            k => Some(k.name()),
        };
        if let Some(place) = place {
            let m = format!("window functions are not allowed in {place}");
            return Err(PgError::new(WINDOWING_ERROR, m).at(w.location));
        }
        let lv = self.lv();
        if let Some(name) = &over.name {
            let found = lv.windowdefs.iter().position(|d| d.name.as_ref() == Some(name));
            let Some(i) = found else {
                let m = format!("window \"{name}\" does not exist");
                return Err(PgError::new(UNDEFINED_OBJECT, m).at(over.location));
            };
            w.winref = i as u32 + 1;
        } else {
            let same = |d: &ast::WindowDef| {
                let mut d = d.clone();
                d.location = over.location;
                d == *over
            };
            let i = lv.windowdefs.iter().position(same).unwrap_or_else(|| {
                lv.windowdefs.push(over.clone());
                lv.windowdefs.len() - 1
            });
            w.winref = i as u32 + 1;
        }
        lv.has_window_funcs = true;
        Ok(Expr::WindowFunc(Box::new(w)))
    }

    /// Checks grouping and makes grouped expressions refer to the grouping step. (PostgreSQL: `parseCheckAggregates`)
    pub(crate) fn check_aggregates(&mut self, q: &mut Query) -> Result<()> {
        let mut common: Option<Vec<u32>> = None;
        if !q.grouping_sets.is_empty() {
            let Some(sets) = expand_grouping_sets(&q.grouping_sets, q.group_distinct, MAX_GROUPING_SETS) else {
                let m = "too many grouping sets present (maximum 4096)";
                let at = q
                    .group_clause
                    .first()
                    .and_then(|g| q.target_list.iter().find(|t| t.ressortgroupref == g.tle_sort_group_ref));
                return Err(
                    PgError::new(STATEMENT_TOO_COMPLEX, m).at(at.map_or(Location::UNKNOWN, |t| t.expr.location()))
                );
            };
            let first = sets.first().cloned().unwrap_or_default();
            let shared = sets[1..].iter().fold(first, |a, s| a.into_iter().filter(|x| s.contains(x)).collect());
            common = Some(shared);
            if sets.len() == 1 && !q.group_clause.is_empty() {
                q.grouping_sets.clear();
                common = None;
            }
        }
        let has_joins = q.rtable.iter().any(|r| matches!(r.kind, RteKind::Join(_)));
        let self_ref = q.rtable.iter().any(|r| matches!(r.kind, RteKind::Cte { self_reference: true, .. }));
        let mut groups: Vec<(Expr, u32)> = Vec::new();
        let mut names = Vec::new();
        for g in &q.group_clause {
            let t = &q.target_list[sort_group_ref(&q.target_list, g.tle_sort_group_ref)?];
            groups.push((t.expr.clone(), t.ressortgroupref));
            names.push(t.resname.clone().unwrap_or_else(|| "?column?".to_owned()));
        }
        let mut group_rte = 0;
        if !groups.is_empty() {
            let eref = Alias { aliasname: "*GROUP*".to_owned(), colnames: names };
            q.rtable.push(RangeTblEntry {
                alias: None,
                eref,
                kind: RteKind::Group { exprs: groups.iter().map(|g| g.0.clone()).collect() },
                lateral: false,
                in_from_cl: false,
                security_quals: Vec::new(),
            });
            group_rte = q.rtable.len() as RtIndex;
            q.has_group_rte = true;
        }
        if has_joins {
            for g in &mut groups {
                flatten_join_aliases(&q.rtable, &mut g.0)?;
            }
        }
        let mut s = Substitute {
            catalog: self.cat().clone(),
            non_var: groups.iter().any(|g| !matches!(g.0, Expr::Var(_))),
            groups,
            common,
            has_sets: !q.grouping_sets.is_empty(),
            rtable: q.rtable.clone(),
            group_rte,
            depth: 0,
            in_direct_args: false,
            functional: Vec::new(),
            constraint_deps: Vec::new(),
            has_joins,
        };
        for t in &mut q.target_list {
            s.run(&mut t.expr)?;
        }
        if let Some(h) = &mut q.having_qual {
            s.run(h)?;
        }
        for d in s.constraint_deps {
            if !q.constraint_deps.contains(&d) {
                q.constraint_deps.push(d);
            }
        }
        if self_ref && self.level().has_aggs {
            let m = "aggregate functions are not allowed in a recursive query's recursive term";
            let mut at = None;
            for t in &q.target_list {
                if at.is_none() {
                    at = locate_agg(&t.expr, 0)?;
                }
            }
            return Err(PgError::new(INVALID_RECURSION, m).at(at.unwrap_or_default()));
        }
        Ok(())
    }
}

/// Replaces grouped expressions and complains of ungrouped columns. (PostgreSQL: `substitute_grouped_columns`)
struct Substitute {
    catalog: catalog::Catalog,
    groups: Vec<(Expr, u32)>,
    non_var: bool,
    /// What all grouping sets have in common.
    common: Option<Vec<u32>>,
    has_sets: bool,
    rtable: Vec<RangeTblEntry>,
    group_rte: RtIndex,
    depth: u32,
    in_direct_args: bool,
    /// Tables whose primary key is grouped.
    functional: Vec<RtIndex>,
    constraint_deps: Vec<Oid>,
    has_joins: bool,
}

impl Substitute {
    fn run(&mut self, e: &mut Expr) -> Result<()> {
        FinalizeGrouping { groups: &self.groups, rtable: &self.rtable, has_joins: self.has_joins, depth: 0 }.expr(e)?;
        if self.has_joins {
            flatten_join_aliases(&self.rtable, e)?;
        }
        self.expr(e)
    }

    fn grouped_var(&self, i: usize, location: Location) -> Expr {
        let (e, reference) = &self.groups[i];
        let nulled = match (&self.common, self.has_sets) {
            (Some(c), true) => !c.contains(reference),
            _ => false,
        };
        Expr::Var(Var {
            varno: self.group_rte,
            varattno: i as AttrNumber + 1,
            vartype: e.type_mod(),
            varnullingrels: if nulled { vec![self.group_rte] } else { Vec::new() },
            varlevelsup: self.depth,
            varreturning: VarReturning::Default,
            varnosyn: self.group_rte,
            varattnosyn: i as AttrNumber + 1,
            location,
        })
    }
}

impl MutWalker for Substitute {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        check_depth()?;
        match e {
            Expr::Aggref(a) if a.agglevelsup == self.depth => {
                // Its arguments are computed before grouping, its direct ones after.
                self.in_direct_args = true;
                let r = a.aggdirectargs.iter_mut().try_for_each(|d| self.expr(d));
                self.in_direct_args = false;
                return r;
            }
            Expr::Aggref(a) if a.agglevelsup > self.depth => return Ok(()),
            Expr::GroupingFunc(g) if g.agglevelsup >= self.depth => return Ok(()),
            _ => {}
        }
        if self.non_var && self.depth == 0 {
            for i in 0..self.groups.len() {
                if equal(e, &self.groups[i].0)? {
                    *e = self.grouped_var(i, e.location());
                    return Ok(());
                }
            }
        }
        let Expr::Var(v) = e else {
            return match e {
                Expr::Const(_) | Expr::Param(_) => Ok(()),
                _ => walk_expr_mut(self, e),
            };
        };
        if v.varlevelsup != self.depth {
            return Ok(());
        }
        if !self.non_var || self.depth != 0 {
            for (i, (g, _)) in self.groups.iter().enumerate() {
                if let Expr::Var(gv) = g
                    && gv.varno == v.varno
                    && gv.varattno == v.varattno
                    && gv.varlevelsup == 0
                {
                    *e = self.grouped_var(i, v.location);
                    return Ok(());
                }
            }
        }
        if self.functional.contains(&v.varno) {
            return Ok(());
        }
        let rte = &self.rtable[v.varno as usize - 1];
        if let RteKind::Relation { relid, .. } = &rte.kind {
            let mut cols = Vec::new();
            for (g, reference) in &self.groups {
                if let Expr::Var(gv) = g
                    && gv.varno == v.varno
                    && self.common.as_ref().is_none_or(|c| c.contains(reference))
                {
                    cols.push(gv.varattno);
                }
            }
            if let Some(con) = primary_key_within(&self.catalog, *relid, &cols)? {
                self.functional.push(v.varno);
                self.constraint_deps.push(con);
                return Ok(());
            }
        }
        let attname = if v.varattno == 0 {
            "*".to_owned()
        } else if v.varattno < 0 {
            crate::names::system_column_by_number(v.varattno).map_or("?", |c| c.0).to_owned()
        } else {
            rte.eref.colnames.get(v.varattno as usize - 1).cloned().unwrap_or_default()
        };
        let table = &rte.eref.aliasname;
        if self.depth > 0 {
            let m = format!("subquery uses ungrouped column \"{table}.{attname}\" from outer query");
            return Err(PgError::new(GROUPING_ERROR, m).at(v.location));
        }
        let m = format!(
            "column \"{table}.{attname}\" must appear in the GROUP BY clause or be used in an aggregate function"
        );
        let err = PgError::new(GROUPING_ERROR, m).at(v.location);
        Err(if self.in_direct_args {
            err.detail("Direct arguments of an ordered-set aggregate must use only grouped columns.")
        } else {
            err
        })
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.depth += 1;
        let r = walk_query_mut(self, q);
        self.depth -= 1;
        r
    }
}

/// The primary key constraint whose columns are all among these. (PostgreSQL: `check_functional_grouping`)
fn primary_key_within(c: &catalog::Catalog, relid: Oid, cols: &[AttrNumber]) -> Result<Option<Oid>> {
    for con in c.constraints_of_relation(relid)? {
        if con.contype != b'p' || con.condeferrable {
            continue;
        }
        let key = con.conkey.clone().unwrap_or_default();
        return Ok(key.iter().all(|k| cols.contains(k)).then_some(con.oid));
    }
    Ok(None)
}

/// Resolves the arguments of GROUPING to grouping expressions. (PostgreSQL: `finalize_grouping_exprs`)
struct FinalizeGrouping<'a> {
    groups: &'a [(Expr, u32)],
    rtable: &'a [RangeTblEntry],
    has_joins: bool,
    depth: u32,
}

impl MutWalker for FinalizeGrouping<'_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::GroupingFunc(g) = e
            && g.agglevelsup == self.depth
        {
            let mut refs = Vec::new();
            for a in &g.args {
                let mut a = a.clone();
                if self.has_joins {
                    flatten_join_aliases(self.rtable, &mut a)?;
                }
                if self.depth > 0 {
                    crate::level::increment_levels(&mut a, -i64::from(self.depth), self.depth)?;
                }
                let mut hit = None;
                for (x, r) in self.groups {
                    let same = match (&a, x) {
                        (Expr::Var(v), Expr::Var(w)) => v.varno == w.varno && v.varattno == w.varattno,
                        _ => equal(&a, x)?,
                    };
                    if same {
                        hit = Some(*r);
                        break;
                    }
                }
                let Some(r) = hit else {
                    let m = "arguments to GROUPING must be grouping expressions of the associated query level";
                    return Err(PgError::new(GROUPING_ERROR, m).at(a.location()));
                };
                refs.push(r);
            }
            g.refs = refs;
            return Ok(());
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.depth += 1;
        let r = walk_query_mut(self, q);
        self.depth -= 1;
        r
    }
}

/// Replaces columns of joins by what they stand for. (PostgreSQL: `flatten_join_alias_vars`)
pub fn flatten_join_aliases(rtable: &[RangeTblEntry], e: &mut Expr) -> Result<()> {
    Flatten { rtable, depth: 0 }.expr(e)
}

struct Flatten<'a> {
    rtable: &'a [RangeTblEntry],
    depth: u32,
}

impl MutWalker for Flatten<'_> {
    type Break = PgError;
    fn expr(&mut self, e: &mut Expr) -> Result<()> {
        if let Expr::Var(v) = e {
            if v.varlevelsup != self.depth {
                return Ok(());
            }
            let Some(rte) = self.rtable.get(v.varno as usize - 1) else { return Ok(()) };
            let RteKind::Join(j) = &rte.kind else { return Ok(()) };
            let mut new = if v.varattno == 0 {
                let mut args = Vec::new();
                let mut colnames = Vec::new();
                for (a, n) in j.join_alias_vars.iter().zip(&rte.eref.colnames) {
                    args.push(a.clone());
                    colnames.push(n.clone());
                }
                Expr::RowExpr(Box::new(RowExpr {
                    args,
                    row_typeid: types::oid::RECORDOID,
                    row_format: CoercionForm::ImplicitCast,
                    colnames,
                    location: v.location,
                }))
            } else {
                let alias = j.join_alias_vars.get(v.varattno as usize - 1).cloned();
                alias.ok_or_else(|| PgError::internal("a join has no such column"))?
            };
            if self.depth > 0 {
                crate::level::increment_levels(&mut new, i64::from(self.depth), 0)?;
            }
            let location = v.location;
            if let Expr::Var(n) = &mut new {
                n.location = location;
                for r in &v.varnullingrels {
                    if !n.varnullingrels.contains(r) {
                        n.varnullingrels.push(*r);
                    }
                }
                n.varnullingrels.sort_unstable();
            }
            self.expr(&mut new)?;
            *e = new;
            return Ok(());
        }
        walk_expr_mut(self, e)
    }
    fn query(&mut self, q: &mut Query) -> Result<()> {
        self.depth += 1;
        let r = walk_query_mut(self, q);
        self.depth -= 1;
        r
    }
}

/// Replaces references to the grouping step by the expressions they stand for. (PostgreSQL: `flatten_group_exprs`)
pub fn flatten_group_exprs(q: &mut Query) -> Result<()> {
    let exprs = q.rtable.iter().enumerate().find_map(|(i, r)| match &r.kind {
        RteKind::Group { exprs } => Some((i as RtIndex + 1, exprs.clone())),
        _ => None,
    });
    let Some((rti, exprs)) = exprs else { return Ok(()) };
    struct Ungroup {
        rti: RtIndex,
        exprs: Vec<Expr>,
        depth: u32,
    }
    impl MutWalker for Ungroup {
        type Break = PgError;
        fn expr(&mut self, e: &mut Expr) -> Result<()> {
            if let Expr::Var(v) = e {
                if v.varlevelsup == self.depth && v.varno == self.rti {
                    let mut new = self.exprs[v.varattno as usize - 1].clone();
                    if self.depth > 0 {
                        crate::level::increment_levels(&mut new, i64::from(self.depth), 0)?;
                    }
                    *e = new;
                }
                return Ok(());
            }
            walk_expr_mut(self, e)
        }
        fn query(&mut self, q: &mut Query) -> Result<()> {
            self.depth += 1;
            let r = walk_query_mut(self, q);
            self.depth -= 1;
            r
        }
    }
    let mut w = Ungroup { rti, exprs, depth: 0 };
    for t in &mut q.target_list {
        w.expr(&mut t.expr)?;
    }
    if let Some(h) = &mut q.having_qual {
        w.expr(h)?;
    }
    Ok(())
}

/// All grouping sets written out, smallest first; `None` if there are too many. (PostgreSQL: `expand_grouping_sets`)
pub fn expand_grouping_sets(sets: &[GroupingSet], distinct: bool, limit: usize) -> Option<Vec<Vec<u32>>> {
    fn one(s: &GroupingSet) -> Vec<Vec<u32>> {
        let contents = |g: &GroupingSet| one(g).into_iter().flatten().collect::<Vec<u32>>();
        match s {
            GroupingSet::Empty => vec![Vec::new()],
            GroupingSet::Simple(v) => vec![v.clone()],
            GroupingSet::Rollup(v) => {
                let mut out = Vec::new();
                for n in (0..=v.len()).rev() {
                    out.push(v[..n].iter().flat_map(contents).collect());
                }
                out
            }
            GroupingSet::Cube(v) => {
                let mut out = Vec::new();
                for mask in 0..1u32 << v.len().min(12) {
                    let chosen = v.iter().enumerate().filter(|(i, _)| mask & (1 << i) == 0);
                    out.push(chosen.flat_map(|(_, g)| contents(g)).collect());
                }
                out
            }
            GroupingSet::Sets(v) => v.iter().flat_map(one).collect(),
        }
    }
    let mut result: Vec<Vec<u32>> = vec![Vec::new()];
    for s in sets {
        let expanded = one(s);
        if result.len().saturating_mul(expanded.len()) > limit {
            return None;
        }
        let mut next = Vec::new();
        for r in &result {
            for x in &expanded {
                let mut both = r.clone();
                both.extend(x);
                next.push(both);
            }
        }
        result = next;
    }
    for r in &mut result {
        let mut seen = Vec::new();
        r.retain(|x| {
            let new = !seen.contains(x);
            seen.push(*x);
            new
        });
    }
    result.sort_by_key(Vec::len);
    if distinct {
        let mut seen: Vec<Vec<u32>> = Vec::new();
        result.retain(|r| {
            let mut k = r.clone();
            k.sort_unstable();
            let new = !seen.contains(&k);
            seen.push(k);
            new
        });
    }
    Some(result)
}

/// Variables of the own level are not allowed in LIMIT and such.
pub(crate) fn refuse_vars(e: &Expr, construct: &str) -> Result<()> {
    if crate::expr::contains_vars(e)? {
        let m = format!("argument of {construct} must not contain variables");
        let at = locate_var(e, 0)?;
        return Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(at.unwrap_or_default()));
    }
    Ok(())
}
