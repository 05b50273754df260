//! The order of joins: dynamic programming over sets of relations, a greedy search where there are too many.
//!
//! PostgreSQL: `joinrels.c`, `allpaths.c` (`standard_join_search`). Different here: past `GEQO_THRESHOLD` relations a greedy
//! search takes the place of the genetic one.

use std::rc::Rc;

use analyze::query::*;
use base::{PgError, Result};

use crate::init::JoinList;
use crate::node::*;
use crate::pathnode::dummy_path;
use crate::relids::Relids;
use crate::util::*;

/// (PostgreSQL: `geqo_threshold`)
const GEQO_THRESHOLD: usize = 12;

impl Root {
    pub(crate) fn rel(&self, relids: &Relids) -> Option<&Rel> {
        match relids.as_single() {
            Some(i) => self.base.get(i as usize).and_then(|r| r.as_deref()),
            None => self.joins.get(relids).map(|r| &**r),
        }
    }
    pub(crate) fn rel_mut(&mut self, relids: &Relids) -> Option<&mut Rel> {
        match relids.as_single() {
            Some(i) => self.base.get_mut(i as usize).and_then(|r| r.as_deref_mut()),
            None => self.joins.get_mut(relids).map(|r| &mut **r),
        }
    }
}

pub(crate) fn no_rel() -> PgError {
    PgError::internal("a relation of the join search is missing")
}

/// What making join paths needs of one side.
#[derive(Clone)]
pub(crate) struct Side {
    pub relids: Relids,
    pub rows: f64,
    pub paths: Vec<P>,
    pub cheapest_startup: Option<P>,
    pub cheapest_total: P,
    pub cheapest_param: Vec<P>,
    pub lateral: Relids,
    pub dummy: bool,
}

impl Planner<'_, '_> {
    pub(crate) fn side(&self, root: &Root, relids: &Relids) -> Result<Side> {
        let r = root.rel(relids).ok_or_else(no_rel)?;
        Ok(Side {
            relids: relids.clone(),
            rows: r.rows,
            paths: r.paths.clone(),
            cheapest_startup: r.cheapest_startup.clone(),
            cheapest_total: r.cheapest_total.clone().ok_or_else(no_rel)?,
            cheapest_param: r.cheapest_param.clone(),
            lateral: r.lateral.clone(),
            dummy: r.is_dummy(),
        })
    }

    /// The relation that a join list amounts to. (PostgreSQL: `make_rel_from_joinlist`)
    pub(crate) fn rel_from_joinlist(&mut self, root: &mut Root, list: &[JoinList]) -> Result<Relids> {
        let mut items = Vec::new();
        for l in list {
            items.push(match l {
                JoinList::Rel(i) => Relids::single(*i),
                JoinList::List(v) => self.rel_from_joinlist(root, v)?,
            });
        }
        match items.len() {
            0 => Err(PgError::internal("empty join list")),
            1 => Ok(items.swap_remove(0)),
            n if n >= GEQO_THRESHOLD => self.greedy_search(root, items),
            _ => self.join_search(root, items),
        }
    }

    /// (PostgreSQL: `standard_join_search`)
    fn join_search(&mut self, root: &mut Root, initial: Vec<Relids>) -> Result<Relids> {
        let n = initial.len();
        let mut levels: Vec<Vec<Relids>> = vec![Vec::new(), initial];
        for level in 2..=n {
            let mut found: Vec<Relids> = Vec::new();
            self.search_level(root, &levels, level, &mut found)?;
            for r in &found {
                let rel = root.rel_mut(r).ok_or_else(no_rel)?;
                rel.set_cheapest()?;
            }
            levels.push(found);
        }
        let last = levels.pop().unwrap_or_default();
        last.into_iter().next().ok_or_else(|| PgError::internal(format!("failed to build any {n}-way joins")))
    }

    fn search_level(&mut self, root: &mut Root, levels: &[Vec<Relids>], level: usize, found: &mut Vec<Relids>) -> Result<()> {
        for (i, old) in levels[level - 1].iter().enumerate() {
            let first = if level == 2 { i + 1 } else { 0 };
            let others: Vec<Relids> = levels[1].get(first..).unwrap_or_default().to_vec();
            if self.has_join_reason(root, old) {
                for o in &others {
                    if !old.overlaps(o) && (self.relevant(root, old, o) || self.order_restricted(root, old, o)) {
                        self.make_join(root, old, o, found)?;
                    }
                }
            } else {
                for o in &levels[1] {
                    if !old.overlaps(o) {
                        self.make_join(root, old, o, found)?;
                    }
                }
            }
        }
        for k in 2..level {
            let other = level - k;
            if k > other {
                break;
            }
            for (i, old) in levels[k].iter().enumerate() {
                if !self.has_join_reason(root, old) {
                    continue;
                }
                let first = if k == other { i + 1 } else { 0 };
                for o in levels[other].get(first..).unwrap_or_default() {
                    if !old.overlaps(o) && (self.relevant(root, old, o) || self.order_restricted(root, old, o)) {
                        self.make_join(root, old, o, found)?;
                    }
                }
            }
        }
        if found.is_empty() {
            for old in &levels[level - 1] {
                for o in &levels[1] {
                    if !old.overlaps(o) {
                        self.make_join(root, old, o, found)?;
                    }
                }
            }
            if found.is_empty() && root.sj.is_empty() && !root.has_lateral {
                return Err(PgError::internal(format!("failed to build any {level}-way joins")));
            }
        }
        Ok(())
    }

    /// Joins, again and again, the two that give the fewest rows. Linked relations come first.
    fn greedy_search(&mut self, root: &mut Root, mut items: Vec<Relids>) -> Result<Relids> {
        while items.len() > 1 {
            let mut best: Option<(f64, f64, usize, usize, Relids)> = None;
            for linked in [true, false] {
                for i in 0..items.len() {
                    for j in i + 1..items.len() {
                        let (a, b) = (items[i].clone(), items[j].clone());
                        let link = self.relevant(root, &a, &b) || self.order_restricted(root, &a, &b);
                        if linked != link {
                            continue;
                        }
                        let mut found = Vec::new();
                        self.make_join(root, &a, &b, &mut found)?;
                        let Some(r) = found.pop().or_else(|| Some(a.union(&b)).filter(|u| root.joins.contains_key(u))) else { continue };
                        let rel = root.rel_mut(&r).ok_or_else(no_rel)?;
                        rel.set_cheapest()?;
                        let (rows, cost) = (rel.rows, rel.cheapest_total.as_ref().map_or(f64::MAX, |p| p.total));
                        if best.as_ref().is_none_or(|x| (cost, rows) < (x.0, x.1)) {
                            best = Some((cost, rows, i, j, r));
                        }
                    }
                }
                if best.is_some() {
                    break;
                }
            }
            let Some((_, _, i, j, r)) = best else { return Err(PgError::internal("no two relations can be joined")) };
            items.remove(j);
            items[i] = r;
        }
        items.pop().ok_or_else(no_rel)
    }

    fn has_join_reason(&self, root: &Root, relids: &Relids) -> bool {
        let Some(r) = root.rel(relids) else { return false };
        !r.joininfo.is_empty() || r.has_eclass_joins || self.has_order_restriction(root, relids)
    }

    fn has_order_restriction(&self, root: &Root, relids: &Relids) -> bool {
        let Some(r) = root.rel(relids) else { return false };
        if !r.lateral.is_empty() || !r.lateral_referencers.is_empty() {
            return true;
        }
        root.sj.iter().any(|s| {
            if s.jointype == JoinType::Full || (s.min_left.is_subset(relids) && s.min_right.is_subset(relids)) {
                return false;
            }
            s.min_left.overlaps(relids) || s.min_right.overlaps(relids)
        })
    }

    /// (PostgreSQL: `have_relevant_joinclause`)
    fn relevant(&self, root: &Root, a: &Relids, b: &Relids) -> bool {
        let (Some(ra), Some(rb)) = (root.rel(a), root.rel(b)) else { return false };
        let (list, other) = if ra.joininfo.len() <= rb.joininfo.len() { (&ra.joininfo, b) } else { (&rb.joininfo, a) };
        list.iter().any(|r| r.required.overlaps(other)) || (ra.has_eclass_joins && rb.has_eclass_joins && self.has_eclass_link(root, a, b))
    }

    /// (PostgreSQL: `have_join_order_restriction`)
    fn order_restricted(&self, root: &Root, a: &Relids, b: &Relids) -> bool {
        let (Some(ra), Some(rb)) = (root.rel(a), root.rel(b)) else { return false };
        if ra.lateral.overlaps(b) || rb.lateral.overlaps(a) {
            return true;
        }
        let mut result = false;
        for s in &root.sj {
            if s.jointype == JoinType::Full {
                continue;
            }
            if (s.min_left.is_subset(a) && s.min_right.is_subset(b)) || (s.min_left.is_subset(b) && s.min_right.is_subset(a)) {
                result = true;
                break;
            }
            // Two of the nullable side, needed together.
            if (s.min_right.overlaps(a) && s.min_right.overlaps(b)) || (s.min_left.overlaps(a) && s.min_left.overlaps(b)) {
                result = true;
                break;
            }
        }
        // Not if either one can be joined to something by a clause anyway.
        if result && (self.legal_clause_join(root, a) || self.legal_clause_join(root, b)) {
            result = false;
        }
        result
    }

    /// (PostgreSQL: `has_legal_joinclause`)
    fn legal_clause_join(&self, root: &Root, a: &Relids) -> bool {
        root.all_baserels.iter().any(|i| {
            let b = Relids::single(i);
            if b.overlaps(a) || !self.relevant(root, a, &b) {
                return false;
            }
            self.join_legal(root, a, &b, &a.union(&b)).is_some()
        })
    }

    /// Whether two sets may be joined; with the special join this would be, and whether the sides are swapped.
    /// (PostgreSQL: `join_is_legal`)
    fn join_legal(&self, root: &Root, a: &Relids, b: &Relids, join: &Relids) -> Option<(Option<Rc<SpecialJoin>>, bool)> {
        let (mut matched, mut reversed, mut unique, mut must_be_left): (Option<Rc<SpecialJoin>>, bool, bool, bool) =
            (None, false, false, false);
        for s in &root.sj {
            if !s.min_right.overlaps(join) || join.is_subset(&s.min_right) {
                continue;
            }
            if s.min_left.is_subset(a) && s.min_right.is_subset(a) {
                continue;
            }
            if s.min_left.is_subset(b) && s.min_right.is_subset(b) {
                continue;
            }
            if s.jointype == JoinType::Semi {
                // Its inner side was made unique and joined already.
                if s.syn_right.is_subset(a) && s.syn_right != *a {
                    continue;
                }
                if s.syn_right.is_subset(b) && s.syn_right != *b {
                    continue;
                }
            }
            if s.min_left.is_subset(a) && s.min_right.is_subset(b) {
                if matched.is_some() {
                    return None;
                }
                (matched, reversed) = (Some(s.clone()), false);
            } else if s.min_left.is_subset(b) && s.min_right.is_subset(a) {
                if matched.is_some() {
                    return None;
                }
                (matched, reversed) = (Some(s.clone()), true);
            } else if s.jointype == JoinType::Semi && s.syn_right == *b && (s.semi_can_hash || s.semi_can_btree) {
                if matched.is_some() {
                    return None;
                }
                (matched, reversed, unique) = (Some(s.clone()), false, true);
            } else if s.jointype == JoinType::Semi && s.syn_right == *a && (s.semi_can_hash || s.semi_can_btree) {
                if matched.is_some() {
                    return None;
                }
                (matched, reversed, unique) = (Some(s.clone()), true, true);
            } else {
                if a.overlaps(&s.min_right) && b.overlaps(&s.min_right) {
                    continue;
                }
                if s.jointype != JoinType::Left || join.overlaps(&s.min_left) {
                    return None;
                }
                must_be_left = true;
            }
        }
        if must_be_left && !matched.as_ref().is_some_and(|m| m.jointype == JoinType::Left && m.lhs_strict) {
            return None;
        }
        if root.has_lateral {
            let (ra, rb) = (root.rel(a)?, root.rel(b)?);
            let (fwd, rev) = (rb.lateral.overlaps(a), ra.lateral.overlaps(b));
            if fwd && rev {
                return None;
            }
            let full = matched.as_ref().is_some_and(|m| m.jointype == JoinType::Full);
            if fwd && matched.is_some() && (reversed || unique || full) {
                return None;
            }
            if rev && matched.is_some() && (!reversed || unique || full) {
                return None;
            }
            if fwd && !rb.direct_lateral.overlaps(a) {
                return None;
            }
            if rev && !ra.direct_lateral.overlaps(b) {
                return None;
            }
            // What the join would still need must not lie inside an outer join that is not done.
            let mut needed = ra.lateral.union(&rb.lateral).minus(join);
            if !needed.is_empty() {
                let mut inside = join.clone();
                loop {
                    let before = inside.len();
                    for s in &root.sj {
                        if inside.overlaps(&s.min_left) && inside.overlaps(&s.min_right) && !inside.is_subset(join) {
                            inside.add(&s.min_left);
                        }
                        if s.jointype == JoinType::Full && inside.overlaps(&s.min_left.union(&s.min_right)) {
                            inside.add(&s.min_left);
                            inside.add(&s.min_right);
                        } else if inside.overlaps(&s.min_left) && inside != *join && inside.overlaps(&s.min_right) {
                            inside.add(&s.min_right);
                        }
                    }
                    if inside.len() == before {
                        break;
                    }
                }
                needed = needed.intersect(&inside);
                if !needed.minus(join).is_empty() {
                    return None;
                }
            }
        }
        Some((matched, reversed))
    }

    /// Makes (or adds paths to) the join of two sets. (PostgreSQL: `make_join_rel`)
    fn make_join(&mut self, root: &mut Root, a: &Relids, b: &Relids, found: &mut Vec<Relids>) -> Result<()> {
        let join = a.union(b);
        let Some((sj, reversed)) = self.join_legal(root, a, b, &join) else { return Ok(()) };
        let (a, b) = if reversed { (b, a) } else { (a, b) };
        let sj = match sj {
            Some(s) => s,
            None => Rc::new(plain_join(a, b)),
        };
        let clauses = self.join_clauses(root, &join, a, b)?;
        if !root.joins.contains_key(&join) {
            let rel = self.new_joinrel(root, &join, a, b, &sj, &clauses)?;
            root.joins.insert(join.clone(), Box::new(rel));
        }
        if !found.contains(&join) {
            found.push(join.clone());
        }
        if root.rel(&join).is_some_and(Rel::is_dummy) {
            return Ok(());
        }
        self.populate(root, &join, a, b, &sj, clauses)
    }

    /// (PostgreSQL: `build_joinrel_restrictlist`)
    fn join_clauses(&mut self, root: &mut Root, join: &Relids, a: &Relids, b: &Relids) -> Result<Vec<Ri>> {
        let mut out: Vec<Ri> = Vec::new();
        for side in [a, b] {
            let r = root.rel(side).ok_or_else(no_rel)?;
            for c in &r.joininfo {
                if c.required.is_subset(join) && !out.iter().any(|o| Rc::ptr_eq(o, c)) {
                    out.push(c.clone());
                }
            }
        }
        for c in self.join_equalities(root, join, a, b)? {
            if !out.iter().any(|o| Rc::ptr_eq(o, &c)) {
                out.push(c);
            }
        }
        Ok(out)
    }

    fn new_joinrel(
        &mut self,
        root: &mut Root,
        join: &Relids,
        a: &Relids,
        b: &Relids,
        sj: &Rc<SpecialJoin>,
        clauses: &[Ri],
    ) -> Result<Rel> {
        let (ra, rb) = (root.rel(a).ok_or_else(no_rel)?, root.rel(b).ok_or_else(no_rel)?);
        let mut rel = Rel::new(join.clone());
        rel.is_join = true;
        rel.consider_startup = root.tuple_fraction > 0.0;
        rel.direct_lateral = ra.direct_lateral.union(&rb.direct_lateral).minus(join);
        rel.lateral = ra.lateral.union(&rb.lateral).minus(join);
        rel.lateral_referencers = Relids::new();
        let mut t = Target::default();
        let mut width = 0;
        for side in [ra, rb] {
            for e in &side.target.exprs {
                let Expr::Var(v) = e else { continue };
                let Some(Some(base)) = root.base.get(v.varno as usize) else { continue };
                let needed = base.attrs_needed.iter().find(|n| n.0 == v.varattno);
                if needed.is_some_and(|n| !n.1.is_subset(join)) {
                    t.push(e.clone(), 0);
                }
            }
        }
        let exprs = t.exprs.clone();
        let mut seen: Vec<Ri> = Vec::new();
        for side in [ra, rb] {
            for c in &side.joininfo {
                if !c.required.is_subset(join) && !seen.iter().any(|o| Rc::ptr_eq(o, c)) {
                    seen.push(c.clone());
                }
            }
        }
        rel.joininfo = seen;
        rel.has_eclass_joins = root.ecs.iter().any(|e| {
            e.merged.is_none() && !e.has_const && e.members.len() > 1 && e.relids.overlaps(join) && !e.relids.is_subset(join)
        });
        let (rows_a, rows_b) = (ra.rows, rb.rows);
        for e in &exprs {
            width += self.expr_width(root, e)?;
        }
        t.width = width;
        rel.target = Rc::new(t);
        rel.rows = self.join_rows(root, join, rows_a, rows_b, sj, clauses)?;
        Ok(rel)
    }

    /// (PostgreSQL: `populate_joinrel_with_paths`)
    fn populate(
        &mut self,
        root: &mut Root,
        join: &Relids,
        a: &Relids,
        b: &Relids,
        sj: &Rc<SpecialJoin>,
        clauses: Vec<Ri>,
    ) -> Result<()> {
        let (sa, sb) = (self.side(root, a)?, self.side(root, b)?);
        let never = |pushed_only: bool| {
            clauses.iter().any(|r| is_const_false_or_null(&r.clause) && (!pushed_only || r.is_pushed_down(join)))
        };
        let dummy = match sj.jointype {
            JoinType::Inner => sa.dummy || sb.dummy || never(false),
            JoinType::Left | JoinType::Anti => sa.dummy || never(true),
            JoinType::Full => (sa.dummy && sb.dummy) || never(true),
            JoinType::Semi => sa.dummy || sb.dummy || never(false),
            _ => false,
        };
        if dummy {
            let rel = root.rel_mut(join).ok_or_else(no_rel)?;
            rel.rows = 0.0;
            let p = dummy_path(rel);
            rel.paths = vec![p];
            return rel.set_cheapest();
        }
        use JoinType::*;
        match sj.jointype {
            Inner => {
                self.join_paths(root, join, &sa, &sb, Inner, sj, &clauses)?;
                self.join_paths(root, join, &sb, &sa, Inner, sj, &clauses)
            }
            Left => {
                self.join_paths(root, join, &sa, &sb, Left, sj, &clauses)?;
                self.join_paths(root, join, &sb, &sa, Right, sj, &clauses)
            }
            Full => {
                self.join_paths(root, join, &sa, &sb, Full, sj, &clauses)?;
                self.join_paths(root, join, &sb, &sa, Full, sj, &clauses)?;
                if root.rel(join).is_some_and(|r| r.paths.is_empty()) {
                    return Err(PgError::new(
                        base::sqlstate::FEATURE_NOT_SUPPORTED,
                        "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions",
                    ));
                }
                Ok(())
            }
            Semi => {
                if sj.min_left.is_subset(a) && sj.min_right.is_subset(b) {
                    self.join_paths(root, join, &sa, &sb, Semi, sj, &clauses)?;
                    self.join_paths(root, join, &sb, &sa, RightSemi, sj, &clauses)?;
                }
                if sj.syn_right == *b
                    && let Some(u) = self.unique_side(root, &sb, sj)?
                {
                    self.join_paths(root, join, &sa, &u, Inner, sj, &clauses)?;
                    self.join_paths(root, join, &u, &sa, Inner, sj, &clauses)?;
                }
                Ok(())
            }
            Anti => {
                self.join_paths(root, join, &sa, &sb, Anti, sj, &clauses)?;
                self.join_paths(root, join, &sb, &sa, RightAnti, sj, &clauses)
            }
            _ => Err(PgError::internal("unexpected kind of join")),
        }
    }
}

/// The description of an ordinary inner join.
pub(crate) fn plain_join(a: &Relids, b: &Relids) -> SpecialJoin {
    SpecialJoin {
        min_left: a.clone(),
        min_right: b.clone(),
        syn_left: a.clone(),
        syn_right: b.clone(),
        jointype: JoinType::Inner,
        ojrelid: 0,
        lhs_strict: false,
        delay_upper: std::cell::Cell::new(false),
        semi_can_btree: false,
        semi_can_hash: false,
        semi_operators: Vec::new(),
        semi_rhs: Vec::new(),
    }
}
