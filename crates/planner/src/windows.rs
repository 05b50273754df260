//! Window functions: frames that can be cheaper, conditions on results that only grow.
//!
//! PostgreSQL: `optimize_window_clauses`, `find_window_run_conditions`, the functions' planner support.

use analyze::query::*;
use base::{Oid, Result};
use parser::ast::frame_option as frame;

use crate::node::*;
use crate::util::*;

const COUNT_ANY: Oid = Oid(2147);
const COUNT_STAR: Oid = Oid(2803);
const INCREASING: u8 = 1;
const DECREASING: u8 = 2;

/// A condition from outside on a window function's result in the target list.
#[derive(Clone)]
pub(crate) struct RunCondition {
    pub attno: AttrNumber,
    opno: Oid,
    collation: Oid,
    /// The function stands on the left.
    left: bool,
    other: Expr,
}

impl Planner<'_, '_> {
    /// Whether a function's value depends on the row's place in the partition alone, whatever the frame.
    fn ignores_frame(&self, func: Oid) -> Result<bool> {
        let name = self.cx.catalog.function_row(func)?.prosrc.clone();
        Ok(matches!(
            name.as_str(),
            "window_row_number"
                | "window_rank"
                | "window_dense_rank"
                | "window_percent_rank"
                | "window_cume_dist"
                | "window_ntile"
        ))
    }

    /// Gives windows of such functions the cheapest frame; windows that are then alike become one.
    /// (PostgreSQL: `optimize_window_clauses`)
    pub(crate) fn optimize_windows(&mut self, root: &mut Root) -> Result<()> {
        const CHEAP: u32 = frame::NONDEFAULT | frame::ROWS | frame::START_UNBOUNDED_PRECEDING | frame::END_CURRENT_ROW;
        let mut functions: Vec<WindowFunc> = Vec::new();
        for t in &root.tlist {
            walk(&t.expr, &mut |x| {
                if let Expr::WindowFunc(w) = x {
                    functions.push((**w).clone());
                }
                true
            });
        }
        for i in 0..root.parse.window_clause.len() {
            let winref = root.parse.window_clause[i].winref;
            let mut mine = functions.iter().filter(|f| f.winref == winref).peekable();
            if mine.peek().is_none() || root.parse.window_clause[i].frame_options == CHEAP {
                continue;
            }
            let mut all = true;
            for f in mine {
                all = all && self.ignores_frame(f.winfnoid)?;
            }
            if !all {
                continue;
            }
            let w = &mut root.parse.window_clause[i];
            (w.frame_options, w.start_offset, w.end_offset) = (CHEAP, None, None);
            let w = root.parse.window_clause[i].clone();
            let same = |o: &&WindowClause| {
                o.winref != winref
                    && o.partition_clause == w.partition_clause
                    && o.order_clause == w.order_clause
                    && o.frame_options == w.frame_options
                    && o.start_offset == w.start_offset
                    && o.end_offset == w.end_offset
            };
            let Some(other) = root.parse.window_clause.iter().find(same).map(|o| o.winref) else { continue };
            for f in functions.iter_mut().filter(|f| f.winref == winref) {
                f.winref = other;
            }
            for t in &mut root.tlist {
                mutate(&mut t.expr, &mut |x| {
                    if let Expr::WindowFunc(f) = x
                        && f.winref == winref
                    {
                        f.winref = other;
                    }
                    Ok(true)
                })?;
            }
        }
        Ok(())
    }

    /// How the function's value runs within a partition.
    fn monotonic(&self, q: &Query, f: &WindowFunc) -> Result<u8> {
        if self.ignores_frame(f.winfnoid)? {
            return Ok(INCREASING);
        }
        if f.winfnoid != COUNT_ANY && f.winfnoid != COUNT_STAR {
            return Ok(0);
        }
        let Some(w) = q.window_clause.iter().find(|w| w.winref == f.winref) else { return Ok(0) };
        if w.order_clause.is_empty() {
            return Ok(INCREASING | DECREASING);
        }
        let mut out = 0;
        if w.frame_options & frame::EXCLUSION == 0 {
            if w.frame_options & frame::START_UNBOUNDED_PRECEDING != 0 {
                out |= INCREASING;
            }
            if w.frame_options & frame::END_UNBOUNDED_FOLLOWING != 0 {
                out |= DECREASING;
            }
        }
        Ok(out)
    }

    /// A condition on a subquery's window function as one that ends the window's work early, and whether the condition must
    /// still be checked outside. (PostgreSQL: `find_window_run_conditions`)
    pub(crate) fn run_condition(
        &mut self,
        q: &Query,
        clause: &Expr,
        rti: RtIndex,
    ) -> Result<Option<(RunCondition, bool)>> {
        let Expr::OpExpr(o) = clause else { return Ok(None) };
        if !q.has_window_funcs || o.args.len() != 2 || !op_strict(&self.cx.catalog, o.opno)? {
            return Ok(None);
        }
        for left in [true, false] {
            let (this, other) = if left { (&o.args[0], &o.args[1]) } else { (&o.args[1], &o.args[0]) };
            let Expr::Var(v) = this else { continue };
            if v.varno != rti || v.varattno <= 0 {
                continue;
            }
            let Some(t) = q.target_list.iter().find(|t| t.resno == v.varattno && !t.resjunk) else { continue };
            let Expr::WindowFunc(f) = strip_relabel(&t.expr) else { continue };
            let inner = contains(&Expr::WindowFunc(f.clone()), |x| matches!(x, Expr::SubLink(_) | Expr::SubPlan(_)));
            let mut vars = Vec::new();
            vars_of(other, &mut vars);
            if inner || !vars.is_empty() || has_subplan(other) || is_volatile(&self.cx.catalog, other)? {
                continue;
            }
            let runs = self.monotonic(q, f)?;
            if runs == 0 {
                continue;
            }
            for m in self.cx.catalog.operator_memberships(o.opno)?.iter() {
                if m.amopmethod != Oid(403) {
                    continue;
                }
                let up = runs & INCREASING != 0;
                let down = runs & DECREASING != 0;
                let (opno, keep) = match m.amopstrategy {
                    1 | 2 if (left && up) || (!left && down) => (o.opno, false),
                    4 | 5 if (left && down) || (!left && up) => (o.opno, false),
                    3 if up && down => (o.opno, false),
                    3 => {
                        let strategy = if up == left { 2 } else { 4 };
                        let (l, r) = (m.amoplefttype, m.amoprighttype);
                        match self.cx.catalog.opfamily_member(m.amopfamily, l, r, strategy)? {
                            Some(op) => (op, true),
                            None => continue,
                        }
                    }
                    _ => continue,
                };
                let (attno, collation) = (v.varattno, o.inputcollid);
                return Ok(Some((RunCondition { attno, opno, collation, left, other: other.clone() }, keep)));
            }
        }
        Ok(None)
    }

    /// The run conditions of one window, over the target list as it is now.
    pub(crate) fn run_conditions(&mut self, root: &Root, winref: u32) -> Result<Vec<Expr>> {
        let mut out = Vec::new();
        for c in &root.run_conditions {
            let Some(t) = root.tlist.iter().find(|t| t.resno == c.attno) else { continue };
            let e = strip_relabel(&t.expr);
            if !matches!(e, Expr::WindowFunc(f) if f.winref == winref) {
                continue;
            }
            let (a, b) = if c.left { (e.clone(), c.other.clone()) } else { (c.other.clone(), e.clone()) };
            out.push(make_op(&self.cx.catalog, c.opno, a, b, c.collation)?);
        }
        Ok(out)
    }
}
