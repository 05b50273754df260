//! Which CTEs a raw query refers to, and whether a recursive one has the form that recursion needs.
//!
//! PostgreSQL: `makeDependencyGraph`, `checkWellFormedRecursion` (`parse_cte.c`).

use base::error::Location;
use base::sqlstate::*;
use base::{PgError, Result};
use parser::ast;

/// Where a recursive reference stands. (PostgreSQL: `RecursionContext`)
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Ok,
    NonRecursiveTerm,
    SubLink,
    OuterJoin,
    Intersect,
    Except,
}

impl Place {
    fn refusal(self, name: &str) -> Option<String> {
        let tail = match self {
            Place::Ok => return None,
            Place::NonRecursiveTerm => "within its non-recursive term",
            Place::SubLink => "within a subquery",
            Place::OuterJoin => "within an outer join",
            Place::Intersect => "within INTERSECT",
            Place::Except => "within EXCEPT",
        };
        Some(format!("recursive reference to query \"{name}\" must not appear {tail}"))
    }
}

/// Goes over raw queries and reports each table name that is not hidden by an inner WITH.
struct Walk<'a> {
    /// Names of CTEs further in, which hide outer ones.
    hidden: Vec<String>,
    place: Place,
    report: &'a mut dyn FnMut(&ast::RangeVar, Place) -> Result<()>,
}

impl Walk<'_> {
    fn at(&mut self, place: Place, f: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let save = self.place;
        if self.place == Place::Ok {
            self.place = place;
        }
        let r = f(self);
        self.place = save;
        r
    }

    fn range_var(&mut self, r: &ast::RangeVar) -> Result<()> {
        if r.schemaname.is_none() && !self.hidden.contains(&r.relname) {
            (self.report)(r, self.place)?;
        }
        Ok(())
    }

    fn with(&mut self, w: Option<&ast::WithClause>, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let n = self.hidden.len();
        if let Some(w) = w {
            if w.recursive {
                self.hidden.extend(w.ctes.iter().map(|c| c.ctename.clone()));
            }
            for c in &w.ctes {
                self.at(Place::SubLink, |s| s.statement(&c.ctequery))?;
                if !w.recursive {
                    self.hidden.push(c.ctename.clone());
                }
            }
        }
        let r = body(self);
        self.hidden.truncate(n);
        r
    }

    fn statement(&mut self, s: &ast::Statement) -> Result<()> {
        match s {
            ast::Statement::Select(s) => self.select(s),
            ast::Statement::Insert(i) => self.with(i.with_clause.as_deref(), |w| {
                i.select_stmt.as_ref().map_or(Ok(()), |s| w.select(s))?;
                w.returning(i.returning_clause.as_ref())
            }),
            ast::Statement::Update(u) => self.with(u.with_clause.as_deref(), |w| {
                w.targets(&u.target_list)?;
                u.from_clause.iter().try_for_each(|f| w.from(f))?;
                w.opt(u.where_clause.as_ref())?;
                w.returning(u.returning_clause.as_ref())
            }),
            ast::Statement::Delete(d) => self.with(d.with_clause.as_deref(), |w| {
                d.using_clause.iter().try_for_each(|f| w.from(f))?;
                w.opt(d.where_clause.as_ref())?;
                w.returning(d.returning_clause.as_ref())
            }),
            ast::Statement::Merge(m) => self.with(m.with_clause.as_deref(), |w| {
                w.from(&m.source_relation)?;
                w.expr(&m.join_condition)?;
                w.returning(m.returning_clause.as_ref())
            }),
            _ => Ok(()),
        }
    }

    fn returning(&mut self, r: Option<&ast::ReturningClause>) -> Result<()> {
        r.map_or(Ok(()), |r| self.targets(&r.exprs))
    }
    fn targets(&mut self, t: &[ast::ResTarget]) -> Result<()> {
        t.iter().try_for_each(|t| self.opt(t.val.as_ref()))
    }
    fn opt(&mut self, e: Option<&ast::Expr>) -> Result<()> {
        e.map_or(Ok(()), |e| self.expr(e))
    }
    fn exprs(&mut self, e: &[ast::Expr]) -> Result<()> {
        e.iter().try_for_each(|e| self.expr(e))
    }

    fn select(&mut self, s: &ast::SelectStmt) -> Result<()> {
        crate::walker::check_depth()?;
        self.with(s.with_clause.as_deref(), |w| {
            if let (Some(l), Some(r)) = (&s.larg, &s.rarg) {
                match s.op {
                    ast::SetOperation::Except => {
                        w.select(l)?;
                        w.at(Place::Except, |w| w.select(r))?;
                    }
                    ast::SetOperation::Intersect => {
                        w.at(Place::Intersect, |w| {
                            w.select(l)?;
                            w.select(r)
                        })?;
                    }
                    _ => {
                        w.select(l)?;
                        w.select(r)?;
                    }
                }
            }
            s.from_clause.iter().try_for_each(|f| w.from(f))?;
            w.targets(&s.target_list)?;
            w.opt(s.where_clause.as_ref())?;
            w.exprs(&s.group_clause)?;
            w.opt(s.having_clause.as_ref())?;
            s.values_lists.iter().try_for_each(|v| w.exprs(v))?;
            s.sort_clause.iter().try_for_each(|s| w.expr(&s.node))?;
            w.opt(s.limit_offset.as_ref())?;
            w.opt(s.limit_count.as_ref())
        })
    }

    fn from(&mut self, f: &ast::FromItem) -> Result<()> {
        crate::walker::check_depth()?;
        match f {
            ast::FromItem::RangeVar(r) => self.range_var(r),
            ast::FromItem::RangeSubselect(s) => self.select(&s.subquery),
            ast::FromItem::RangeFunction(r) => r.functions.iter().try_for_each(|f| self.expr(&f.func)),
            ast::FromItem::RangeTableSample(s) => self.from(&s.relation),
            ast::FromItem::RangeTableFunc(t) => self.expr(&t.docexpr),
            ast::FromItem::JsonTable(t) => self.expr(&t.context_item.raw_expr),
            ast::FromItem::JoinExpr(j) => {
                let (l, r) = match j.jointype {
                    ast::JoinType::Inner => (Place::Ok, Place::Ok),
                    ast::JoinType::Left => (Place::Ok, Place::OuterJoin),
                    ast::JoinType::Full => (Place::OuterJoin, Place::OuterJoin),
                    ast::JoinType::Right => (Place::OuterJoin, Place::Ok),
                };
                self.at(l, |w| w.from(&j.larg))?;
                self.at(r, |w| w.from(&j.rarg))?;
                self.opt(j.quals.as_ref())
            }
        }
    }

    fn expr(&mut self, e: &ast::Expr) -> Result<()> {
        crate::walker::check_depth()?;
        match e {
            ast::Expr::SubLink(s) => {
                self.at(Place::SubLink, |w| w.select(&s.subselect))?;
                self.opt(s.testexpr.as_ref())
            }
            ast::Expr::AExpr(a) => {
                self.opt(a.lexpr.as_ref())?;
                self.opt(a.rexpr.as_ref())
            }
            ast::Expr::BoolExpr(b) => self.exprs(&b.args),
            ast::Expr::NullTest(n) => self.expr(&n.arg),
            ast::Expr::BooleanTest(n) => self.expr(&n.arg),
            ast::Expr::FuncCall(f) => {
                self.exprs(&f.args)?;
                f.agg_order.iter().try_for_each(|s| self.expr(&s.node))?;
                self.opt(f.agg_filter.as_ref())
            }
            ast::Expr::NamedArgExpr(n) => self.expr(&n.arg),
            ast::Expr::TypeCast(t) => self.expr(&t.arg),
            ast::Expr::CollateClause(c) => self.opt(c.arg.as_ref()),
            ast::Expr::CaseExpr(c) => {
                self.opt(c.arg.as_ref())?;
                for w in &c.args {
                    self.expr(&w.expr)?;
                    self.expr(&w.result)?;
                }
                self.opt(c.defresult.as_ref())
            }
            ast::Expr::CoalesceExpr(c) => self.exprs(&c.args),
            ast::Expr::MinMaxExpr(m) => self.exprs(&m.args),
            ast::Expr::RowExpr(r) => self.exprs(&r.args),
            ast::Expr::AArrayExpr(a) => self.exprs(&a.elements),
            ast::Expr::AIndirection(i) => self.expr(&i.arg),
            ast::Expr::MultiAssignRef(m) => self.expr(&m.source),
            ast::Expr::List(l) => self.exprs(l),
            ast::Expr::GroupingSet(g) => self.exprs(&g.content),
            _ => Ok(()),
        }
    }
}

/// The CTEs of one WITH that a query refers to, by their places.
pub(crate) struct References<'a> {
    names: &'a [&'a str],
    pub found: Vec<usize>,
}

impl<'a> References<'a> {
    pub(crate) fn new(names: &'a [&'a str]) -> References<'a> {
        References { names, found: Vec::new() }
    }
    pub(crate) fn statement(&mut self, s: &ast::Statement) {
        let (names, found) = (self.names, &mut self.found);
        let mut report = |r: &ast::RangeVar, _: Place| {
            if let Some(i) = names.iter().position(|n| *n == r.relname)
                && !found.contains(&i)
            {
                found.push(i);
            }
            Ok(())
        };
        // Too deep a query is refused when it is analyzed.
        let _ = Walk { hidden: Vec::new(), place: Place::Ok, report: &mut report }.statement(s);
    }
}

/// Refuses a recursive CTE that is not `non-recursive UNION [ALL] recursive`. (PostgreSQL: `checkWellFormedRecursion`)
pub(crate) fn check(c: &ast::CommonTableExpr) -> Result<()> {
    let name = &c.ctename;
    let ast::Statement::Select(s) = &c.ctequery else {
        let m = format!("recursive query \"{name}\" must not contain data-modifying statements");
        return Err(PgError::new(INVALID_RECURSION, m).at(c.location));
    };
    let (Some(l), Some(r), ast::SetOperation::Union) = (&s.larg, &s.rarg, s.op) else {
        let m =
            format!("recursive query \"{name}\" does not have the form non-recursive-term UNION [ALL] recursive-term");
        return Err(PgError::new(INVALID_RECURSION, m).at(c.location));
    };
    let mut hits = 0;
    {
        let mut report = |rv: &ast::RangeVar, place: Place| -> Result<()> {
            if rv.relname != *name {
                return Ok(());
            }
            if let Some(m) = place.refusal(name) {
                return Err(PgError::new(INVALID_RECURSION, m).at(rv.location));
            }
            hits += 1;
            if hits > 1 {
                let m = format!("recursive reference to query \"{name}\" must not appear more than once");
                return Err(PgError::new(INVALID_RECURSION, m).at(rv.location));
            }
            Ok(())
        };
        let mut w = Walk { hidden: Vec::new(), place: Place::NonRecursiveTerm, report: &mut report };
        w.select(l)?;
        w.place = Place::Ok;
        w.select(r)?;
        // The parts of the UNION as a whole.
        if let Some(with) = &s.with_clause {
            w.place = Place::SubLink;
            w.with(Some(with), |_| Ok(()))?;
        }
    }
    let unsupported = |what: &str, l: Location| {
        Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("{what} in a recursive query is not implemented")).at(l))
    };
    let place = |e: &ast::Expr| raw_location(e);
    if let Some(o) = s.sort_clause.first() {
        return unsupported("ORDER BY", place(&o.node));
    }
    if let Some(e) = &s.limit_offset {
        return unsupported("OFFSET", place(e));
    }
    if let Some(e) = &s.limit_count {
        return unsupported("LIMIT", place(e));
    }
    if !s.locking_clause.is_empty() {
        return unsupported("FOR UPDATE/SHARE", Location::UNKNOWN);
    }
    Ok(())
}

/// The place of the commonest raw expressions.
pub(crate) fn raw_location(e: &ast::Expr) -> Location {
    match e {
        ast::Expr::ColumnRef(c) => c.location,
        ast::Expr::AConst(c) => c.location,
        ast::Expr::ParamRef(p) => p.location,
        ast::Expr::FuncCall(f) => f.location,
        ast::Expr::TypeCast(t) => raw_location(&t.arg),
        ast::Expr::AExpr(a) => a.lexpr.as_ref().map_or(a.location, raw_location),
        _ => Location::UNKNOWN,
    }
}
