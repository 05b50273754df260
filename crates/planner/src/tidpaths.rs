//! Scans by a row's place: `ctid = ..`, `ctid = ANY (..)`, WHERE CURRENT OF, ranges of places; and the size of samples.
//!
//! PostgreSQL: `tidpath.c`, `cost_tidscan`, `cost_tidrangescan`, the methods' `SampleScanGetSampleSize`.

use std::rc::Rc;

use analyze::query::*;
use base::{Oid, Result};
use types::FromDatum;

use crate::basepaths::movable_to;
use crate::cost::clamp_row_est;
use crate::node::*;
use crate::pathnode::*;
use crate::relids::Relids;
use crate::selfuncs::SelContext;
use crate::util::*;

const TID_EQ: Oid = Oid(387);
/// `<`, `<=`, `>`, `>=`
const TID_RANGE: [Oid; 4] = [Oid(2799), Oid(2801), Oid(2800), Oid(2802)];
const SYSTEM: Oid = Oid(3314);

fn is_ctid(e: &Expr, rti: RtIndex) -> bool {
    matches!(e, Expr::Var(v) if v.varno == rti && v.varattno == sysattr::CTID && v.varlevelsup == 0 && v.varnullingrels.is_empty())
}

impl Planner<'_, '_> {
    /// Whether one of two operands is the relation's ctid and the other one free of the relation.
    fn ctid_and_value(&self, e: &Expr, ops: &[Oid], rti: RtIndex) -> Result<bool> {
        let Expr::OpExpr(o) = e else { return Ok(false) };
        if o.args.len() != 2 || !ops.contains(&o.opno) {
            return Ok(false);
        }
        let other = if is_ctid(&o.args[0], rti) {
            &o.args[1]
        } else if is_ctid(&o.args[1], rti) {
            &o.args[0]
        } else {
            return Ok(false);
        };
        Ok(!varnos(other).contains(rti) && !is_volatile(&self.cx.catalog, other)?)
    }

    /// (PostgreSQL: `TidQualFromRestrictInfo`)
    fn is_tid_qual(&self, e: &Expr, rti: RtIndex) -> Result<bool> {
        Ok(match e {
            Expr::OpExpr(_) => self.ctid_and_value(e, &[TID_EQ], rti)?,
            Expr::ScalarArrayOpExpr(s) if s.opno == TID_EQ && s.use_or => {
                is_ctid(&s.args[0], rti)
                    && !varnos(&s.args[1]).contains(rti)
                    && !is_volatile(&self.cx.catalog, &s.args[1])?
            }
            Expr::CurrentOfExpr(c) => c.cvarno == rti,
            _ => false,
        })
    }

    /// Conditions of which any one must hold, from a list of which all hold. (PostgreSQL: `TidQualFromRestrictInfoList`)
    fn tid_quals(&self, list: &[Ri], rti: RtIndex) -> Result<Option<(Vec<Expr>, Option<Ri>)>> {
        let mut found: Option<(Vec<Expr>, Option<Ri>)> = None;
        for r in list.iter().filter(|r| !r.pseudoconstant) {
            let this = if r.or_arms.is_empty() {
                self.is_tid_qual(&r.clause, rti)?.then(|| vec![r.clause.clone()])
            } else {
                let mut all = Some(Vec::new());
                for arm in &r.or_arms {
                    let some = self.tid_quals(arm, rti)?;
                    all = all.zip(some).map(|(mut a, (s, _))| {
                        a.extend(s);
                        a
                    });
                }
                all
            };
            let Some(quals) = this else { continue };
            let current = matches!(quals[..], [Expr::CurrentOfExpr(_)]);
            if current || found.as_ref().is_none_or(|f| quals.len() < f.0.len()) {
                found = Some((quals, Some(r.clone())));
            }
            if current {
                break;
            }
        }
        Ok(found)
    }

    /// Adds the relation's tid scans; true if no other way to scan it is allowed. (PostgreSQL: `create_tidscan_paths`)
    pub(crate) fn tid_paths(&mut self, root: &mut Root, rti: RtIndex) -> Result<bool> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(false) };
        let list = rel.baserestrict.clone();
        let lateral = rel.lateral.clone();
        let mentions = |r: &Ri| contains(&r.clause, |x| is_ctid(x, rti) || matches!(x, Expr::CurrentOfExpr(_)));
        let enabled = self.cx.cost.enable_tidscan;
        if list.iter().any(mentions) {
            if let Some((exprs, source)) = self.tid_quals(&list, rti)? {
                let current = matches!(exprs[..], [Expr::CurrentOfExpr(_)]);
                if enabled || current {
                    let quals = source.into_iter().collect();
                    self.add_tid_path(root, rti, quals, exprs, &lateral)?;
                }
                if current {
                    return Ok(true);
                }
            }
            let mut ranges: Vec<Ri> = Vec::new();
            for r in &list {
                if self.ctid_and_value(&r.clause, &TID_RANGE, rti)? {
                    ranges.push(r.clone());
                }
            }
            if !ranges.is_empty() && enabled {
                self.add_tid_range(root, rti, ranges, &lateral)?;
            }
        }
        if !enabled {
            return Ok(false);
        }
        // Joins by place.
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(false) };
        let mut joins: Vec<Ri> = rel.joininfo.iter().filter(|r| mentions(r) && movable_to(r, rel)).cloned().collect();
        let referencers = rel.lateral_referencers.clone();
        if rel.has_eclass_joins {
            let mut matches = |_: &Ec, m: &Em| is_ctid(&m.expr, rti);
            joins.extend(self.column_equalities(root, rti, &mut matches, &referencers)?);
        }
        for r in joins {
            if !self.is_tid_qual(&r.clause, rti)? {
                continue;
            }
            let mut outer = r.clause_relids.union(&lateral);
            outer.remove(rti);
            let clause = r.clause.clone();
            self.add_tid_path(root, rti, vec![r], vec![clause], &outer)?;
        }
        Ok(false)
    }

    /// (PostgreSQL: `cost_tidscan`)
    fn add_tid_path(
        &mut self,
        root: &mut Root,
        rti: RtIndex,
        quals: Vec<Ri>,
        exprs: Vec<Expr>,
        outer: &Relids,
    ) -> Result<()> {
        let param = self.base_param(root, rti, outer)?;
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let c = self.cx.cost;
        let mut n = 0.0;
        for e in &exprs {
            n += match e {
                Expr::ScalarArrayOpExpr(s) => crate::costsize::array_length(&s.args[1]),
                _ => 1.0,
            };
        }
        let current = matches!(exprs[..], [Expr::CurrentOfExpr(_)]);
        let q = self.scan_quals_cost(rel, param.as_deref());
        let own = if current { (0.0, 0.0) } else { self.exprs_cost(&exprs) };
        let q = if current { (0.0, q.1) } else { q };
        let rows = param.as_ref().map_or(rel.rows, |p| p.rows);
        let startup = q.0 + own.1 + rel.target.startup;
        let run = c.random_page_cost * n + (c.cpu_tuple_cost + q.1 - own.1) * n + rel.target.per_tuple * rows;
        let p = new_path(PathKind::Tid { quals, exprs }, rel, param, rows, (startup, startup + run));
        self.add_base(root, rti, Rc::new(p));
        Ok(())
    }

    /// (PostgreSQL: `cost_tidrangescan`)
    fn add_tid_range(&mut self, root: &mut Root, rti: RtIndex, quals: Vec<Ri>, outer: &Relids) -> Result<()> {
        let param = self.base_param(root, rti, outer)?;
        let share = self.list_selectivity(root, &quals, SelContext::scan(rti))?;
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let c = self.cx.cost;
        let pages = (share * f64::from(rel.pages)).ceil().max(1.0);
        let tuples = share * rel.tuples;
        let q = self.scan_quals_cost(rel, param.as_deref());
        let own = self.rinfos_cost(&quals);
        let rows = param.as_ref().map_or(rel.rows, |p| p.rows);
        let startup = q.0 + own.1 + rel.target.startup;
        let run = c.random_page_cost
            + c.seq_page_cost * (pages - 1.0)
            + (c.cpu_tuple_cost + q.1 - own.1) * tuples
            + rel.target.per_tuple * rows;
        let p = new_path(PathKind::TidRange { quals }, rel, param, rows, (startup, startup + run));
        self.add_base(root, rti, Rc::new(p));
        Ok(())
    }

    // ---- samples ----

    pub(crate) fn is_block_sample(&self, s: &TableSampleClause) -> Result<bool> {
        Ok(s.tsmhandler == SYSTEM)
    }

    /// How many pages and rows a sample has. (PostgreSQL: `set_tablesample_rel_size`)
    pub(crate) fn sample_size(&mut self, root: &mut Root, rti: RtIndex, s: &TableSampleClause) -> Result<()> {
        let mut share = 0.1;
        if let Some(e) = s.args.first()
            && let Expr::Const(c) = self.estimate_value(e)?
            && !c.value.is_null()
        {
            let percent = f64::from(f32::from_datum(c.value.as_ref())?);
            if (0.0..=100.0).contains(&percent) {
                share = percent / 100.0;
            }
        }
        let blocks = self.is_block_sample(s)?;
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            if blocks {
                rel.pages = clamp_row_est(f64::from(rel.pages) * share) as u32;
            }
            rel.tuples = clamp_row_est(rel.tuples * share);
        }
        Ok(())
    }
}
