//! ORDER BY, GROUP BY, DISTINCT, LIMIT and WINDOW.
//!
//! PostgreSQL: `parser/parse_clause.c` (second half).

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use parser::ast;
use parser::ast::frame_option as fo;
use types::oid::*;

use crate::coerce::Context;
use crate::level::{equal, locate_agg, locate_window};
use crate::lookup::{Lookup, format_type};
use crate::oper::find_operator;
use crate::query::*;
use crate::state::{Analyzer, ExprKind};

/// Which rules bare names and numbers follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortHow {
    /// Output columns by name or number first.
    Sql92,
    /// Plain expressions.
    Sql99,
}

/// The place of the target that a sort or group clause refers to. (PostgreSQL: `get_sortgroupref_tle`)
pub(crate) fn sort_group_ref(tlist: &[TargetEntry], r: u32) -> Result<usize> {
    let i = tlist.iter().position(|t| t.ressortgroupref == r);
    i.ok_or_else(|| PgError::internal("ORDER/GROUP BY expression not found in targetlist"))
}

/// Gives the target a number to refer to it by. (PostgreSQL: `assignSortGroupRef`)
pub(crate) fn assign_ref(tlist: &mut [TargetEntry], i: usize) -> u32 {
    if tlist[i].ressortgroupref == 0 {
        let max = tlist.iter().map(|t| t.ressortgroupref).max().unwrap_or(0);
        tlist[i].ressortgroupref = max + 1;
    }
    tlist[i].ressortgroupref
}

/// (PostgreSQL: `targetIsInSortList`) Without an operator any will do.
fn in_sort_list(t: &TargetEntry, sortop: Option<(Oid, Oid)>, list: &[SortGroupClause]) -> bool {
    t.ressortgroupref != 0
        && list.iter().any(|s| {
            s.tle_sort_group_ref == t.ressortgroupref
                && sortop.is_none_or(|(op, commutator)| s.sortop == op || s.sortop == commutator)
        })
}

impl Analyzer<'_, '_> {
    /// The target that a name, number or expression of ORDER BY or GROUP BY means, appended if need be.
    /// (PostgreSQL: `findTargetlistEntrySQL92`)
    fn find_target_sql92(&mut self, e: &ast::Expr, tlist: &mut Vec<TargetEntry>, kind: ExprKind) -> Result<usize> {
        if let ast::Expr::ColumnRef(c) = e
            && let [ast::Field::Name(name)] = &c.fields[..]
        {
            // In GROUP BY a column of FROM comes before an output column.
            let skip = kind == ExprKind::GroupBy && self.column_to_var(name, true, c.location)?.is_some();
            if !skip {
                let mut hit: Option<usize> = None;
                for (i, t) in tlist.iter().enumerate() {
                    if t.resjunk || t.resname.as_deref() != Some(name) {
                        continue;
                    }
                    match hit {
                        Some(h) if !equal(&tlist[h].expr, &t.expr)? => {
                            let m = format!("{} \"{name}\" is ambiguous", kind.name());
                            return Err(PgError::new(AMBIGUOUS_COLUMN, m).at(c.location));
                        }
                        Some(_) => {}
                        None => hit = Some(i),
                    }
                }
                if let Some(i) = hit {
                    self.check_sql92_target(&tlist[i].expr, kind)?;
                    return Ok(i);
                }
            }
        }
        if let ast::Expr::AConst(c) = e {
            let ast::Value::Integer(n) = c.val else {
                let m = format!("non-integer constant in {}", kind.name());
                return Err(PgError::new(SYNTAX_ERROR, m).at(c.location));
            };
            let mut pos = 0;
            for (i, t) in tlist.iter().enumerate() {
                if !t.resjunk {
                    pos += 1;
                    if pos == n {
                        self.check_sql92_target(&t.expr, kind)?;
                        return Ok(i);
                    }
                }
            }
            let m = format!("{} position {n} is not in select list", kind.name());
            return Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(c.location));
        }
        self.find_target_sql99(e, tlist, kind)
    }

    /// (PostgreSQL: `findTargetlistEntrySQL99`)
    fn find_target_sql99(&mut self, e: &ast::Expr, tlist: &mut Vec<TargetEntry>, kind: ExprKind) -> Result<usize> {
        let expr = self.transform_expr(e, kind)?;
        for (i, t) in tlist.iter().enumerate() {
            // Implicit casts were perhaps put on the target since.
            if equal(&expr, &t.expr)? || equal(&expr, strip_implicit(&t.expr))? {
                return Ok(i);
            }
        }
        let resno = self.next_resno();
        tlist.push(TargetEntry {
            expr,
            resno,
            resname: None,
            ressortgroupref: 0,
            resorigtbl: Oid::INVALID,
            resorigcol: 0,
            resjunk: true,
        });
        Ok(tlist.len() - 1)
    }

    /// (PostgreSQL: `checkTargetlistEntrySQL92`)
    fn check_sql92_target(&self, e: &Expr, kind: ExprKind) -> Result<()> {
        if kind != ExprKind::GroupBy {
            return Ok(());
        }
        if self.level().has_aggs
            && let Some(l) = locate_agg(e, 0)?
        {
            return Err(PgError::new(GROUPING_ERROR, "aggregate functions are not allowed in GROUP BY").at(l));
        }
        if self.level().has_window_funcs
            && let Some(l) = locate_window(e)?
        {
            return Err(PgError::new(WINDOWING_ERROR, "window functions are not allowed in GROUP BY").at(l));
        }
        Ok(())
    }

    pub(crate) fn next_resno(&mut self) -> AttrNumber {
        let lv = self.lv();
        lv.next_resno += 1;
        lv.next_resno - 1
    }

    fn find_target(
        &mut self,
        e: &ast::Expr,
        tlist: &mut Vec<TargetEntry>,
        kind: ExprKind,
        how: SortHow,
    ) -> Result<usize> {
        match how {
            SortHow::Sql92 => self.find_target_sql92(e, tlist, kind),
            SortHow::Sql99 => self.find_target_sql99(e, tlist, kind),
        }
    }

    /// (PostgreSQL: `transformSortClause`)
    pub(crate) fn sort_clause(
        &mut self,
        order: &[ast::SortBy],
        tlist: &mut Vec<TargetEntry>,
        kind: ExprKind,
        how: SortHow,
    ) -> Result<Vec<SortGroupClause>> {
        let mut out = Vec::new();
        for by in order {
            let i = self.find_target(&by.node, tlist, kind, how)?;
            self.add_to_sort_list(i, &mut out, tlist, by)?;
        }
        Ok(out)
    }

    /// A target that is still an unknown literal becomes text.
    fn settle_unknown(&mut self, t: &mut TargetEntry) -> Result<Oid> {
        let oid = t.expr.type_oid();
        if oid != UNKNOWNOID {
            return Ok(oid);
        }
        let e = std::mem::replace(&mut t.expr, crate::coerce::bool_const(false));
        let (f, cx) = (CoercionForm::ImplicitCast, Context::Implicit);
        t.expr = self.coerce_type(e, UNKNOWNOID, TEXTOID, -1, cx, f, Location::UNKNOWN)?;
        Ok(TEXTOID)
    }

    /// (PostgreSQL: `addTargetToSortList`)
    pub(crate) fn add_to_sort_list(
        &mut self,
        i: usize,
        list: &mut Vec<SortGroupClause>,
        tlist: &mut [TargetEntry],
        by: &ast::SortBy,
    ) -> Result<()> {
        let t = self.settle_unknown(&mut tlist[i])?;
        let location = if by.location.is_known() { by.location } else { tlist[i].expr.location() };
        let (sortop, eqop, hashable, reverse) = match by.sortby_dir {
            ast::SortByDir::Default | ast::SortByDir::Asc => {
                let o = self.sort_group_ops(t, true, true, false).map_err(|e| e.at(location))?;
                (o.lt, o.eq, o.hashable, false)
            }
            ast::SortByDir::Desc => {
                let o = self.sort_group_ops(t, false, true, true).map_err(|e| e.at(location))?;
                (o.gt, o.eq, o.hashable, true)
            }
            ast::SortByDir::Using => {
                let op = find_operator(self.cat(), &by.use_op, t, t, by.location)?;
                let Some((eq, reverse)) = ordering_op(self.cat(), op.oid)? else {
                    let name = by.use_op.last().cloned().unwrap_or_default();
                    let m = format!("operator {name} is not a valid ordering operator");
                    return Err(PgError::new(WRONG_OBJECT_TYPE, m)
                        .hint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
                        .at(location));
                };
                (op.oid, eq, self.cat().operator_row(eq)?.oprcanhash, reverse)
            }
        };
        let commutator = self.cat().operator_row(sortop)?.oprcom;
        if in_sort_list(&tlist[i], Some((sortop, commutator)), list) {
            return Ok(());
        }
        let r = assign_ref(tlist, i);
        list.push(SortGroupClause {
            tle_sort_group_ref: r,
            eqop,
            sortop,
            reverse_sort: reverse,
            nulls_first: match by.sortby_nulls {
                ast::SortByNulls::Default => reverse,
                n => n == ast::SortByNulls::First,
            },
            hashable,
        });
        Ok(())
    }

    /// (PostgreSQL: `addTargetToGroupList`)
    fn add_to_group_list(
        &mut self,
        i: usize,
        list: &mut Vec<SortGroupClause>,
        tlist: &mut [TargetEntry],
        location: Location,
    ) -> Result<()> {
        let t = self.settle_unknown(&mut tlist[i])?;
        if in_sort_list(&tlist[i], None, list) {
            return Ok(());
        }
        let o = self.sort_group_ops(t, false, true, false).map_err(|e| e.at(location))?;
        let r = assign_ref(tlist, i);
        list.push(SortGroupClause {
            tle_sort_group_ref: r,
            eqop: o.eq,
            sortop: o.lt,
            reverse_sort: false,
            nulls_first: false,
            hashable: o.hashable,
        });
        Ok(())
    }

    /// GROUP BY. (PostgreSQL: `transformGroupClause`)
    pub(crate) fn group_clause(
        &mut self,
        group: &[ast::Expr],
        tlist: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
        kind: ExprKind,
        how: SortHow,
    ) -> Result<(Vec<SortGroupClause>, Vec<GroupingSet>)> {
        let mut list = Vec::new();
        let mut sets = Vec::new();
        let mut flat: Vec<ast::Expr> = Vec::new();
        // `(a, b)` is the same as `a, b`; empty sets and nested SETS are kept or spliced.
        let has_sets = flatten_grouping(group, &mut flat, true);
        for e in &flat {
            match e {
                ast::Expr::GroupingSet(g) => {
                    let s = self.grouping_set(g, &mut list, tlist, sort, kind, how, true)?;
                    sets.push(s);
                }
                e => {
                    let r = self.group_expr(e, &mut list, tlist, sort, kind, how)?;
                    if has_sets {
                        match sets.last_mut() {
                            Some(GroupingSet::Simple(v)) if false => v.push(r),
                            _ => sets.push(GroupingSet::Simple(vec![r])),
                        }
                    }
                }
            }
        }
        Ok((list, sets))
    }

    fn group_expr(
        &mut self,
        e: &ast::Expr,
        list: &mut Vec<SortGroupClause>,
        tlist: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
        kind: ExprKind,
        how: SortHow,
    ) -> Result<u32> {
        let i = self.find_target(e, tlist, kind, how)?;
        if tlist[i].ressortgroupref > 0 {
            let r = tlist[i].ressortgroupref;
            if list.iter().any(|g| g.tle_sort_group_ref == r) {
                return Ok(r);
            }
            // Group by the same operators as the rows are sorted by.
            if let Some(s) = sort.iter().find(|s| s.tle_sort_group_ref == r) {
                list.push(s.clone());
                return Ok(r);
            }
        }
        let location = tlist[i].expr.location();
        self.add_to_group_list(i, list, tlist, location)?;
        Ok(tlist[i].ressortgroupref)
    }

    fn grouping_set(
        &mut self,
        g: &ast::GroupingSet,
        list: &mut Vec<SortGroupClause>,
        tlist: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
        kind: ExprKind,
        how: SortHow,
        top: bool,
    ) -> Result<GroupingSet> {
        use ast::GroupingSetKind as K;
        if g.kind == K::Empty {
            return Ok(GroupingSet::Empty);
        }
        let mut parts = Vec::new();
        for e in &g.content {
            match e {
                ast::Expr::RowExpr(r) if r.row_format == ast::CoercionForm::ImplicitCast => {
                    let mut refs = Vec::new();
                    for a in &r.args {
                        refs.push(self.group_expr(a, list, tlist, sort, kind, how)?);
                    }
                    parts.push(GroupingSet::Simple(refs));
                }
                ast::Expr::GroupingSet(x) => {
                    // GROUPING SETS inside GROUPING SETS are those sets.
                    match self.grouping_set(x, list, tlist, sort, kind, how, false)? {
                        GroupingSet::Sets(v) if g.kind == K::Sets => parts.extend(v),
                        s => parts.push(s),
                    }
                }
                e => parts.push(GroupingSet::Simple(vec![self.group_expr(e, list, tlist, sort, kind, how)?])),
            }
        }
        let _ = top;
        if g.kind == K::Cube && parts.len() > 12 {
            return Err(PgError::new(TOO_MANY_COLUMNS, "CUBE is limited to 12 elements").at(g.location));
        }
        Ok(match g.kind {
            K::Rollup => GroupingSet::Rollup(parts),
            K::Cube => GroupingSet::Cube(parts),
            K::Simple => GroupingSet::Simple(
                parts.into_iter().flat_map(|p| if let GroupingSet::Simple(v) = p { v } else { Vec::new() }).collect(),
            ),
            _ => GroupingSet::Sets(parts),
        })
    }

    /// DISTINCT. (PostgreSQL: `transformDistinctClause`)
    pub(crate) fn distinct_clause(
        &mut self,
        tlist: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
        is_agg: bool,
    ) -> Result<Vec<SortGroupClause>> {
        let mut out = Vec::new();
        for s in sort {
            let t = &tlist[sort_group_ref(tlist, s.tle_sort_group_ref)?];
            if t.resjunk {
                let m = if is_agg {
                    "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"
                } else {
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list"
                };
                return Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(t.expr.location()));
            }
            out.push(s.clone());
        }
        for i in 0..tlist.len() {
            if !tlist[i].resjunk {
                let l = tlist[i].expr.location();
                self.add_to_group_list(i, &mut out, tlist, l)?;
            }
        }
        if out.is_empty() {
            let m = if is_agg {
                "an aggregate with DISTINCT must have at least one argument"
            } else {
                "SELECT DISTINCT must have at least one column"
            };
            return Err(PgError::new(SYNTAX_ERROR, m));
        }
        Ok(out)
    }

    /// DISTINCT ON. (PostgreSQL: `transformDistinctOnClause`)
    pub(crate) fn distinct_on(
        &mut self,
        on: &[ast::Expr],
        tlist: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
    ) -> Result<Vec<SortGroupClause>> {
        let mut refs = Vec::new();
        for e in on {
            let i = self.find_target_sql92(e, tlist, ExprKind::DistinctOn)?;
            refs.push((assign_ref(tlist, i), e));
        }
        let mismatch = |at: Location| {
            let m = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
            Err(PgError::new(INVALID_COLUMN_REFERENCE, m).at(at))
        };
        let mut out: Vec<SortGroupClause> = Vec::new();
        let mut skipped = false;
        for s in sort {
            let hit = refs.iter().find(|r| r.0 == s.tle_sort_group_ref);
            match hit {
                Some((r, _)) if skipped => {
                    let at = tlist[sort_group_ref(tlist, *r)?].expr.location();
                    return mismatch(at);
                }
                Some(_) => out.push(s.clone()),
                None => skipped = true,
            }
        }
        for (r, _) in refs {
            let i = sort_group_ref(tlist, r)?;
            if in_sort_list(&tlist[i], None, &out) {
                continue;
            }
            let at = tlist[i].expr.location();
            if skipped {
                return mismatch(at);
            }
            self.add_to_group_list(i, &mut out, tlist, at)?;
        }
        Ok(out)
    }

    /// LIMIT and OFFSET. (PostgreSQL: `transformLimitClause`)
    pub(crate) fn limit_clause(
        &mut self,
        e: Option<&ast::Expr>,
        kind: ExprKind,
        construct: &str,
        with_ties: bool,
    ) -> Result<Option<Expr>> {
        let Some(e) = e else { return Ok(None) };
        if with_ties && matches!(e, ast::Expr::AConst(c) if c.val == ast::Value::Null) {
            let m = "row count cannot be null in FETCH FIRST ... WITH TIES clause";
            return Err(PgError::new(INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, m));
        }
        let e = self.transform_expr(e, kind)?;
        let e = self.coerce_to_specific(e, INT8OID, -1, construct)?;
        crate::agg::refuse_vars(&e, construct)?;
        Ok(Some(e))
    }

    /// WINDOW and OVER. (PostgreSQL: `transformWindowDefinitions`)
    pub(crate) fn window_definitions(&mut self, tlist: &mut Vec<TargetEntry>) -> Result<Vec<WindowClause>> {
        let defs = self.level().windowdefs.clone();
        let mut out: Vec<WindowClause> = Vec::new();
        for (i, d) in defs.iter().enumerate() {
            let l = d.location;
            let wrong = |m: String| PgError::new(WINDOWING_ERROR, m).at(l);
            if let Some(n) = &d.name
                && out.iter().any(|w| w.name.as_ref() == Some(n))
            {
                return Err(wrong(format!("window \"{n}\" is already defined")));
            }
            let base =
                match &d.refname {
                    None => None,
                    Some(r) => Some(out.iter().find(|w| w.name.as_ref() == Some(r)).cloned().ok_or_else(|| {
                        PgError::new(UNDEFINED_OBJECT, format!("window \"{r}\" does not exist")).at(l)
                    })?),
                };
            let order = self.sort_clause(&d.order_clause, tlist, ExprKind::WindowOrder, SortHow::Sql99)?;
            let (partition, _) =
                self.group_clause(&d.partition_clause, tlist, &order, ExprKind::WindowPartition, SortHow::Sql99)?;
            let mut w = WindowClause {
                name: d.name.clone(),
                refname: d.refname.clone(),
                partition_clause: partition,
                order_clause: order,
                frame_options: d.frame_options,
                start_offset: None,
                end_offset: None,
                start_in_range_func: Oid::INVALID,
                end_in_range_func: Oid::INVALID,
                in_range_coll: Oid::INVALID,
                in_range_asc: false,
                in_range_nulls_first: false,
                winref: i as u32 + 1,
                copied_order: false,
            };
            if let Some(b) = base {
                let r = d.refname.clone().unwrap_or_default();
                if !w.partition_clause.is_empty() {
                    return Err(wrong(format!("cannot override PARTITION BY clause of window \"{r}\"")));
                }
                w.partition_clause = b.partition_clause.clone();
                if !w.order_clause.is_empty() && !b.order_clause.is_empty() {
                    return Err(wrong(format!("cannot override ORDER BY clause of window \"{r}\"")));
                }
                if w.order_clause.is_empty() {
                    w.order_clause = b.order_clause.clone();
                    w.copied_order = true;
                }
                if b.frame_options != fo::DEFAULTS {
                    let e = wrong(format!("cannot copy window \"{r}\" because it has a frame clause"));
                    let bare = d.order_clause.is_empty() && d.frame_options == fo::DEFAULTS && d.name.is_none();
                    return Err(if bare { e.hint("Omit the parentheses in this OVER clause.") } else { e });
                }
            }
            if d.frame_options & fo::RANGE != 0 && d.frame_options & (fo::START_OFFSET | fo::END_OFFSET) != 0 {
                let [s] = &w.order_clause[..] else {
                    let m = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
                    return Err(wrong(m.to_owned()));
                };
                let (s, t) = (s.clone(), sort_group_ref(tlist, s.tle_sort_group_ref)?);
                w.in_range_coll = tlist[t].expr.collation();
                w.in_range_asc = !s.reverse_sort;
                w.in_range_nulls_first = s.nulls_first;
                let (family, opcintype) = ordering_family(self.cat(), s.sortop)?.ok_or_else(|| {
                    PgError::internal(format!("operator {} is not a valid ordering operator", s.sortop))
                })?;
                let column_type = tlist[t].expr.type_oid();
                (w.start_offset, w.start_in_range_func) =
                    self.range_offset(d.start_offset.as_ref(), family, opcintype, column_type)?;
                (w.end_offset, w.end_in_range_func) =
                    self.range_offset(d.end_offset.as_ref(), family, opcintype, column_type)?;
            } else {
                if d.frame_options & fo::GROUPS != 0 && w.order_clause.is_empty() {
                    return Err(wrong("GROUPS mode requires an ORDER BY clause".to_owned()));
                }
                w.start_offset = self.row_offset(d.start_offset.as_ref(), d.frame_options)?;
                w.end_offset = self.row_offset(d.end_offset.as_ref(), d.frame_options)?;
            }
            out.push(w);
        }
        Ok(out)
    }

    fn row_offset(&mut self, e: Option<&ast::Expr>, options: u32) -> Result<Option<Expr>> {
        let Some(e) = e else { return Ok(None) };
        let (kind, name) = match options & fo::ROWS != 0 {
            true => (ExprKind::WindowFrameRows, "ROWS"),
            false => (ExprKind::WindowFrameGroups, "GROUPS"),
        };
        let e = self.transform_expr(e, kind)?;
        let e = self.coerce_to_specific(e, INT8OID, -1, name)?;
        crate::agg::refuse_vars(&e, name)?;
        Ok(Some(e))
    }

    /// The bound of a RANGE frame with the function that tests it. (PostgreSQL: `transformFrameOffset`)
    fn range_offset(
        &mut self,
        e: Option<&ast::Expr>,
        family: Oid,
        opcintype: Oid,
        column: Oid,
    ) -> Result<(Option<Expr>, Oid)> {
        const IN_RANGE: i16 = 3;
        let Some(e) = e else { return Ok((None, Oid::INVALID)) };
        let e = self.transform_expr(e, ExprKind::WindowFrameRange)?;
        let t = e.type_oid();
        // An unknown literal is taken as the column's own type, if that will do.
        let mut hits = Vec::new();
        let mut any = 0;
        for p in self.cat().opfamily_procs(family)?.iter() {
            if p.amprocnum != IN_RANGE || p.amproclefttype != opcintype {
                continue;
            }
            any += 1;
            let right = p.amprocrighttype;
            let fits = crate::coerce::can_coerce(self.cat(), &[t], &[right], Context::Implicit)?;
            if t == right || (t == UNKNOWNOID && column == right) {
                hits = vec![(right, p.amproc)];
                break;
            }
            if fits {
                hits.push((right, p.amproc));
            }
        }
        let at = e.location();
        let column_name = format_type(self.cat(), opcintype)?;
        if any == 0 {
            let m = format!("RANGE with offset PRECEDING/FOLLOWING is not supported for column type {column_name}");
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(at));
        }
        let offset = format_type(self.cat(), t)?;
        let Some(&(right, func)) = hits.first() else {
            let m = format!(
                "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {column_name} and offset type {offset}"
            );
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
                .hint("Cast the offset value to an appropriate type.")
                .at(at));
        };
        if hits.len() > 1 {
            let m = format!(
                "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type {column_name} and offset type {offset}"
            );
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
                .hint("Cast the offset value to the exact intended type.")
                .at(at));
        }
        let e = self.coerce_to_specific(e, right, -1, "RANGE")?;
        crate::agg::refuse_vars(&e, "RANGE")?;
        Ok((Some(e), func))
    }
}

/// The expression under implicit casts. (PostgreSQL: `strip_implicit_coercions`)
pub(crate) fn strip_implicit(e: &Expr) -> &Expr {
    match e {
        Expr::FuncExpr(f) if f.funcformat == CoercionForm::ImplicitCast && !f.args.is_empty() => {
            strip_implicit(&f.args[0])
        }
        Expr::RelabelType(r) if r.relabelformat == CoercionForm::ImplicitCast => strip_implicit(&r.arg),
        Expr::CoerceViaIO(c) if c.coerceformat == CoercionForm::ImplicitCast => strip_implicit(&c.arg),
        Expr::ArrayCoerceExpr(a) if a.coerceformat == CoercionForm::ImplicitCast => strip_implicit(&a.arg),
        Expr::ConvertRowtypeExpr(c) if c.convertformat == CoercionForm::ImplicitCast => strip_implicit(&c.arg),
        Expr::CoerceToDomain(c) if c.coercionformat == CoercionForm::ImplicitCast => strip_implicit(&c.arg),
        e => e,
    }
}

/// The family and input type of an ordering operator. (PostgreSQL: `get_ordering_op_properties`)
pub(crate) fn ordering_family(c: &catalog::Catalog, op: Oid) -> Result<Option<(Oid, Oid)>> {
    for m in c.operator_memberships(op)?.iter() {
        if m.amopmethod == catalog::oids::BTREE_AM_OID
            && matches!(m.amopstrategy, 1 | 5)
            && m.amoplefttype == m.amoprighttype
        {
            return Ok(Some((m.amopfamily, m.amoplefttype)));
        }
    }
    Ok(None)
}

/// The equality operator that goes with an ordering operator, and whether that is `>`.
/// (PostgreSQL: `get_equality_op_for_ordering_op`)
pub fn ordering_op(c: &catalog::Catalog, op: Oid) -> Result<Option<(Oid, bool)>> {
    for m in c.operator_memberships(op)?.iter() {
        if m.amopmethod == catalog::oids::BTREE_AM_OID && matches!(m.amopstrategy, 1 | 5) {
            let eq = c.opfamily_member(m.amopfamily, m.amoplefttype, m.amoprighttype, 3)?;
            if let Some(eq) = eq {
                return Ok(Some((eq, m.amopstrategy == 5)));
            }
        }
    }
    Ok(None)
}

/// Splices rows into a GROUP BY list; whether any grouping set is in it. (PostgreSQL: `flatten_grouping_sets`)
fn flatten_grouping(list: &[ast::Expr], out: &mut Vec<ast::Expr>, top: bool) -> bool {
    let mut sets = false;
    for e in list {
        match e {
            ast::Expr::RowExpr(r) if r.row_format == ast::CoercionForm::ImplicitCast => {
                sets |= flatten_grouping(&r.args, out, false);
            }
            ast::Expr::GroupingSet(g) => {
                sets = true;
                out.push(ast::Expr::GroupingSet(g.clone()));
            }
            e => out.push(e.clone()),
        }
    }
    let _ = top;
    sets
}
