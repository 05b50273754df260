//! Joins that change nothing: an outer join to at most one row that nobody reads; a semijoin to a unique side, which is an
//! inner join.
//!
//! PostgreSQL: `analyzejoins.c`. Not here yet: self-joins on a unique key.

use std::rc::Rc;

use analyze::query::*;
use base::Result;

use crate::init::JoinList;
use crate::node::*;
use crate::relids::Relids;
use crate::util::{contains, varnos};

impl Planner<'_, '_> {
    /// (PostgreSQL: `remove_useless_joins`)
    pub(crate) fn remove_useless_joins(&mut self, root: &mut Root, list: &mut Vec<JoinList>) -> Result<()> {
        let mut at = 0;
        while at < root.sj.len() {
            let sj = root.sj[at].clone();
            match self.useless_side(root, &sj)? {
                Some(rti) => {
                    forget_rel(root, rti, &sj);
                    forget_in_list(list, rti);
                    // What was kept for its sake may be useless now.
                    at = 0;
                }
                None => at += 1,
            }
        }
        Ok(())
    }

    /// The inner relation, if it can go. (PostgreSQL: `join_is_removable`)
    fn useless_side(&mut self, root: &mut Root, sj: &Rc<SpecialJoin>) -> Result<Option<RtIndex>> {
        if sj.jointype != JoinType::Left || !sj.delay_free() {
            return Ok(None);
        }
        let Some(rti) = sj.min_right.as_single().filter(|_| sj.syn_right.len() == 1) else { return Ok(None) };
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        let join = sj.min_left.union(&sj.min_right);
        if rel.attrs_needed.iter().any(|a| !a.1.is_subset(&join))
            || !rel.lateral_referencers.is_empty()
            || !rel.lateral.is_empty()
        {
            return Ok(None);
        }
        // An equality above the join may use its result.
        let above =
            |m: &Em| contains(&m.expr, |x| matches!(x, Expr::Var(v) if v.varno == rti && !v.varnullingrels.is_empty()));
        if root.ecs.iter().any(|e| e.merged.is_none() && e.members.iter().any(above)) {
            return Ok(None);
        }
        let mut clauses = Vec::new();
        for r in &rel.joininfo {
            if r.is_pushed_down(&join) {
                // A condition above needs the relation.
                return Ok(None);
            }
            clauses.push(r.clone());
        }
        let (outer, inner) = (sj.min_left.clone(), sj.min_right.clone());
        Ok(self.inner_is_unique(root, &outer, &inner, JoinType::Left, &join, &clauses)?.then_some(rti))
    }

    /// (PostgreSQL: `reduce_unique_semijoins`)
    pub(crate) fn reduce_semijoins(&mut self, root: &mut Root) -> Result<()> {
        let mut at = 0;
        while at < root.sj.len() {
            let sj = root.sj[at].clone();
            at += 1;
            let Some(rti) = sj.min_right.as_single().filter(|_| sj.jointype == JoinType::Semi) else { continue };
            let join = sj.min_left.union(&sj.min_right);
            let mut clauses = self.join_equalities(root, &join, &sj.min_left, &sj.min_right)?;
            let Some(Some(rel)) = root.base.get(rti as usize) else { continue };
            clauses.extend(rel.joininfo.iter().filter(|r| r.required.is_subset(&join)).cloned());
            if self.inner_is_unique(root, &sj.min_left, &sj.min_right, JoinType::Semi, &join, &clauses)? {
                at -= 1;
                root.sj.remove(at);
            }
        }
        Ok(())
    }
}

impl SpecialJoin {
    fn delay_free(&self) -> bool {
        self.ojrelid != 0
    }
    fn without(&self, rti: RtIndex) -> SpecialJoin {
        let less = |r: &Relids| {
            let mut r = r.clone();
            r.remove(rti);
            r
        };
        SpecialJoin {
            min_left: less(&self.min_left),
            min_right: less(&self.min_right),
            syn_left: less(&self.syn_left),
            syn_right: less(&self.syn_right),
            jointype: self.jointype,
            ojrelid: self.ojrelid,
            lhs_strict: self.lhs_strict,
            delay_upper: self.delay_upper.clone(),
            semi_can_btree: self.semi_can_btree,
            semi_can_hash: self.semi_can_hash,
            semi_operators: self.semi_operators.clone(),
            semi_rhs: self.semi_rhs.clone(),
        }
    }
}

/// (PostgreSQL: `remove_leftjoinrel_from_query`)
fn forget_rel(root: &mut Root, rti: RtIndex, sj: &Rc<SpecialJoin>) {
    root.sj.retain(|s| !Rc::ptr_eq(s, sj));
    root.sj = root.sj.iter().map(|s| Rc::new(s.without(rti))).collect();
    root.all_baserels.remove(rti);
    root.base[rti as usize] = None;
    for rel in root.base.iter_mut().flatten() {
        rel.joininfo.retain(|r| !r.required.contains(rti));
        rel.nulling.remove(sj.ojrelid);
        for a in &mut rel.attrs_needed {
            a.1.remove(rti);
        }
    }
    for ec in &mut root.ecs {
        if !ec.relids.contains(rti) {
            continue;
        }
        ec.members.retain(|m| !m.relids.contains(rti));
        ec.sources.retain(|r| !varnos(&r.clause).contains(rti));
        ec.derives.clear();
        ec.relids.remove(rti);
    }
}

fn forget_in_list(list: &mut Vec<JoinList>, rti: RtIndex) {
    list.retain(|l| !matches!(l, JoinList::Rel(i) if *i == rti));
    for l in list.iter_mut() {
        if let JoinList::List(v) = l {
            forget_in_list(v, rti);
        }
    }
    list.retain(|l| !matches!(l, JoinList::List(v) if v.is_empty()));
}
