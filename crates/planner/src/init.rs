//! From the join tree to relations and conditions: base relations with the columns that are needed of them, each condition
//! at the place where it can first be checked, the limits that outer joins and semijoins set on the order of joins.
//!
//! A condition's `required` relids are those of its columns, together with the sides of each outer join that may null one of
//! them: it cannot be checked below.
//!
//! PostgreSQL: `initsplan.c`, `restrictinfo.c`.

use std::cell::Cell;
use std::rc::Rc;

use analyze::query::*;
use analyze::walker::check_depth;
use base::{Oid, Result};

use crate::node::*;
use crate::pullup::node_relids;
use crate::relids::Relids;
use crate::util::*;

/// What the join search works on: relations, and groups of them that are joined among themselves first.
#[derive(Clone, Debug)]
pub(crate) enum JoinList {
    Rel(RtIndex),
    List(Vec<JoinList>),
}

/// Where a condition stands.
struct Place<'p> {
    domain: u32,
    qualscope: &'p Relids,
    ojscope: Option<&'p Relids>,
    nonnull: &'p Relids,
}

struct Below {
    list: Vec<JoinList>,
    scope: Relids,
    inner: Relids,
}

impl Planner<'_, '_> {
    // ---- columns ----

    /// Marks columns as needed at joins of `needed` (0: in the end result). (PostgreSQL: `add_vars_to_targetlist`)
    pub(crate) fn need_vars(&mut self, root: &mut Root, exprs: &[Expr], needed: &Relids) {
        for e in exprs {
            let Expr::Var(v) = e else { continue };
            let Some(Some(rel)) = root.base.get_mut(v.varno as usize) else { continue };
            match rel.attrs_needed.iter_mut().find(|a| a.0 == v.varattno) {
                Some((_, n)) => n.add(needed),
                None => {
                    rel.attrs_needed.push((v.varattno, needed.clone()));
                    let mut bare = v.clone();
                    bare.varnullingrels.clear();
                    bare.varreturning = VarReturning::Default;
                    let mut t = (*rel.target).clone();
                    t.push(Expr::Var(bare), 0);
                    rel.target = Rc::new(t);
                }
            }
        }
    }

    /// The columns of the final target list, HAVING and window clauses. (PostgreSQL: `build_base_rel_tlists`)
    pub(crate) fn need_final_vars(&mut self, root: &mut Root) {
        let mut vars = Vec::new();
        for t in &root.tlist {
            pull_all_vars(&t.expr, &mut vars);
        }
        if let Some(h) = &root.parse.having_qual {
            pull_all_vars(h, &mut vars);
        }
        for w in &root.parse.window_clause {
            for e in [&w.start_offset, &w.end_offset].into_iter().flatten() {
                pull_all_vars(e, &mut vars);
            }
        }
        let end = Relids::single(0);
        self.need_vars(root, &vars, &end);
    }

    /// (PostgreSQL: `find_lateral_references`, `create_lateral_join_info`)
    pub(crate) fn find_laterals(&mut self, root: &mut Root) -> Result<()> {
        for rti in 1..root.base.len() {
            if root.base[rti].is_none() || !root.parse.rtable[rti - 1].lateral {
                continue;
            }
            let mut copy = root.parse.rtable[rti - 1].clone();
            let mut vars: Vec<Expr> = Vec::new();
            let mut f = |x: &mut Expr, depth: u32| {
                if let Expr::Var(v) = x
                    && v.varlevelsup == depth
                {
                    let mut v = v.clone();
                    v.varlevelsup = 0;
                    let e = Expr::Var(v);
                    if !vars.contains(&e) {
                        vars.push(e);
                    }
                }
                Ok(true)
            };
            analyze::walker::walk_rte_mut(&mut crate::levels::Deep { depth: 0, f: &mut f, rte: None }, &mut copy)?;
            if vars.is_empty() {
                continue;
            }
            self.need_vars(root, &vars, &Relids::single(rti as u32));
            let mut rels = Relids::new();
            vars.iter().for_each(|v| rels.add(&self.required_relids(root, v)));
            if let Some(rel) = &mut root.base[rti] {
                rel.direct_lateral.add(&rels);
                rel.lateral.add(&rels);
                rel.lateral_vars = vars;
                root.has_lateral = true;
            }
        }
        if !root.has_lateral {
            return Ok(());
        }
        // What a lateral reference needs may itself be lateral.
        loop {
            let mut changed = false;
            for rti in 1..root.base.len() {
                let Some(rel) = &root.base[rti] else { continue };
                let mut all = rel.lateral.clone();
                for r in rel.lateral.iter() {
                    if let Some(Some(other)) = root.base.get(r as usize) {
                        all.add(&other.lateral);
                    }
                }
                if all != rel.lateral {
                    changed = true;
                    if let Some(rel) = &mut root.base[rti] {
                        rel.lateral = all;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        for rti in 1..root.base.len() {
            let Some(lateral) = root.base[rti].as_ref().map(|r| r.lateral.clone()) else { continue };
            for r in lateral.iter() {
                if let Some(Some(other)) = root.base.get_mut(r as usize) {
                    other.lateral_referencers.insert(rti as u32);
                }
            }
        }
        Ok(())
    }

    /// The relations below which an expression cannot be computed.
    pub(crate) fn required_relids(&self, root: &Root, e: &Expr) -> Relids {
        let mut r = varnos(e);
        let nulling = nulling_rels(e);
        if !nulling.is_empty() {
            self.delay(root, &mut r, false);
        }
        r
    }

    /// Adds the sides of all outer joins so far that may null one of the relations: below, a condition about them would
    /// be checked too early. Adding may bring in relations that others null. (PostgreSQL before 16: `check_outerjoin_delay`)
    fn delay(&self, root: &Root, relids: &mut Relids, note: bool) {
        loop {
            let before = relids.clone();
            for s in &root.sj {
                if s.jointype == JoinType::Semi || (s.jointype == JoinType::Anti && s.ojrelid == 0) {
                    continue;
                }
                let full = s.jointype == JoinType::Full;
                if relids.overlaps(&s.min_right) || (full && relids.overlaps(&s.min_left)) {
                    if note && !full && relids.overlaps(&s.min_left) {
                        s.delay_upper.set(true);
                    }
                    relids.add(&s.min_left);
                    relids.add(&s.min_right);
                }
            }
            if *relids == before {
                break;
            }
        }
    }

    // ---- the join tree taken apart ----

    /// (PostgreSQL: `deconstruct_jointree`)
    pub(crate) fn deconstruct(&mut self, root: &mut Root) -> Result<Vec<JoinList>> {
        let tree = std::mem::take(&mut root.parse.jointree);
        let mut postponed = Vec::new();
        let below = self.deconstruct_from(root, &tree, 0, &mut postponed);
        root.parse.jointree = tree;
        Ok(below?.list)
    }

    fn deconstruct_node(
        &mut self,
        root: &mut Root,
        n: &JoinTreeNode,
        domain: u32,
        postponed: &mut Vec<Expr>,
    ) -> Result<Below> {
        check_depth()?;
        match n {
            JoinTreeNode::RangeTblRef(i) => {
                let scope = Relids::single(*i);
                // Conditions that the entry itself brings (row security).
                let quals = root.parse.rtable[*i as usize - 1].security_quals.clone();
                let none = Relids::new();
                for q in quals {
                    let place = Place { domain, qualscope: &scope, ojscope: None, nonnull: &none };
                    self.distribute(root, q, &place, postponed)?;
                }
                Ok(Below { list: vec![JoinList::Rel(*i)], scope, inner: Relids::new() })
            }
            JoinTreeNode::FromExpr(f) => self.deconstruct_from(root, f, domain, postponed),
            JoinTreeNode::JoinExpr(j) => self.deconstruct_join(root, j, domain, postponed),
        }
    }

    fn deconstruct_from(
        &mut self,
        root: &mut Root,
        f: &FromExpr,
        domain: u32,
        postponed: &mut Vec<Expr>,
    ) -> Result<Below> {
        let (mut list, mut scope, mut inner) = (Vec::new(), Relids::new(), Relids::new());
        let limit = self.cx.cost.from_collapse_limit.max(1) as usize;
        let mut waiting = Vec::new();
        let mut remaining = f.fromlist.len();
        for n in &f.fromlist {
            let b = self.deconstruct_node(root, n, domain, &mut waiting)?;
            scope.add(&b.scope);
            inner = b.inner;
            remaining -= 1;
            if b.list.len() <= 1 || list.len() + b.list.len() + remaining <= limit {
                list.extend(b.list);
            } else {
                list.push(JoinList::List(b.list));
            }
        }
        if f.fromlist.len() > 1 {
            inner = scope.clone();
        }
        let none = Relids::new();
        let place = Place { domain, qualscope: &scope, ojscope: None, nonnull: &none };
        for q in waiting.into_iter().chain(implicit_and(f.quals.clone())) {
            self.distribute(root, q, &place, postponed)?;
        }
        Ok(Below { list, scope, inner })
    }

    fn deconstruct_join(
        &mut self,
        root: &mut Root,
        j: &JoinExpr,
        domain: u32,
        postponed: &mut Vec<Expr>,
    ) -> Result<Below> {
        let new_domain = |root: &mut Root| {
            root.next_domain += 1;
            root.next_domain
        };
        let mut waiting = Vec::new();
        let (ldomain, rdomain) = match j.jointype {
            JoinType::Left | JoinType::Anti => (domain, new_domain(root)),
            JoinType::Full => (new_domain(root), new_domain(root)),
            _ => (domain, domain),
        };
        let l = self.deconstruct_node(root, &j.larg, ldomain, &mut waiting)?;
        let r = self.deconstruct_node(root, &j.rarg, rdomain, &mut waiting)?;
        for (d, side) in [(ldomain, &l), (rdomain, &r)] {
            if d != domain {
                root.domains.push((d, side.scope.clone()));
            }
        }
        let scope = l.scope.union(&r.scope);
        let inner = if j.jointype == JoinType::Inner { scope.clone() } else { l.inner.union(&r.inner) };
        let nonnull = match j.jointype {
            JoinType::Left | JoinType::Anti => l.scope.clone(),
            JoinType::Full => scope.clone(),
            _ => Relids::new(),
        };
        if matches!(j.jointype, JoinType::Left | JoinType::Full | JoinType::Anti) && j.rtindex != 0 {
            root.outer_join_rels.insert(j.rtindex);
            let nulled = if j.jointype == JoinType::Full { scope.clone() } else { r.scope.clone() };
            for x in nulled.iter() {
                if let Some(Some(rel)) = root.base.get_mut(x as usize) {
                    rel.nulling.insert(j.rtindex);
                }
            }
        }
        let quals: Vec<Expr> = waiting.into_iter().chain(implicit_and(j.quals.clone())).collect();
        let sj = match j.jointype {
            JoinType::Inner => None,
            _ => Some(self.special_join(root, &l.scope, &r.scope, &inner, j.jointype, j.rtindex, &quals)?),
        };
        let ojscope = sj.as_ref().filter(|s| s.jointype != JoinType::Semi).map(|s| s.min_left.union(&s.min_right));
        let place = Place { domain, qualscope: &scope, ojscope: ojscope.as_ref(), nonnull: &nonnull };
        for q in quals {
            self.distribute_in(root, q, &place, rdomain, postponed, sj.as_ref())?;
        }
        root.sj.extend(sj);
        let limit = self.cx.cost.join_collapse_limit.max(1) as usize;
        let list = if j.jointype == JoinType::Full {
            let side = |mut v: Vec<JoinList>| if v.len() == 1 { v.swap_remove(0) } else { JoinList::List(v) };
            vec![JoinList::List(vec![side(l.list), side(r.list)])]
        } else if l.list.len() + r.list.len() <= limit {
            let mut v = l.list;
            v.extend(r.list);
            v
        } else {
            let side = |mut v: Vec<JoinList>| if v.len() == 1 { v.swap_remove(0) } else { JoinList::List(v) };
            vec![side(l.list), side(r.list)]
        };
        Ok(Below { list, scope, inner })
    }

    /// (PostgreSQL: `make_outerjoininfo`)
    fn special_join(
        &mut self,
        root: &Root,
        left: &Relids,
        right: &Relids,
        inner: &Relids,
        jointype: JoinType,
        ojrelid: RtIndex,
        quals: &[Expr],
    ) -> Result<Rc<SpecialJoin>> {
        let mut sj = SpecialJoin {
            min_left: left.clone(),
            min_right: right.clone(),
            syn_left: left.clone(),
            syn_right: right.clone(),
            jointype,
            ojrelid,
            lhs_strict: false,
            delay_upper: Cell::new(false),
            semi_can_btree: false,
            semi_can_hash: false,
            semi_operators: Vec::new(),
            semi_rhs: Vec::new(),
        };
        if jointype == JoinType::Semi {
            self.semijoin_info(&mut sj, quals)?;
        }
        if jointype == JoinType::Full {
            return Ok(Rc::new(sj));
        }
        let (mut clause_relids, mut strict) = (Relids::new(), Relids::new());
        for q in quals {
            clause_relids.add(&varnos(q));
            strict.add(&nonnullable_rels(&self.cx.catalog, q, true)?);
        }
        sj.lhs_strict = strict.overlaps(left);
        let mut min_left = clause_relids.intersect(left);
        let mut min_right = clause_relids.union(inner).intersect(right);
        let anti = |t: JoinType| matches!(t, JoinType::Semi | JoinType::Anti);
        for other in &root.sj {
            let both = other.syn_left.union(&other.syn_right);
            if other.jointype == JoinType::Full {
                if left.overlaps(&both) {
                    min_left.add(&both);
                }
                if right.overlaps(&both) {
                    min_right.add(&both);
                }
                continue;
            }
            // A lower join in our left side: the order must stay if our condition needs its nullable columns unless
            // it is strict for them.
            if left.overlaps(&other.syn_right)
                && clause_relids.overlaps(&other.syn_right)
                && (anti(jointype) || !strict.overlaps(&other.min_right))
            {
                min_left.add(&both);
            }
            if right.overlaps(&other.syn_right)
                && (clause_relids.overlaps(&other.syn_right)
                    || !clause_relids.overlaps(&other.min_left)
                    || anti(jointype)
                    || anti(other.jointype)
                    || !other.lhs_strict
                    || other.delay_upper.get())
            {
                min_right.add(&both);
            }
        }
        if min_left.is_empty() {
            min_left = left.clone();
        }
        if min_right.is_empty() {
            min_right = right.clone();
        }
        (sj.min_left, sj.min_right) = (min_left, min_right);
        Ok(Rc::new(sj))
    }

    /// Whether the inner side may be made unique first, and by what. (PostgreSQL: `compute_semijoin_info`)
    fn semijoin_info(&mut self, sj: &mut SpecialJoin, quals: &[Expr]) -> Result<()> {
        let (mut hash, mut btree) = (true, true);
        let (mut ops, mut rhs) = (Vec::new(), Vec::new());
        for q in quals {
            let rels = varnos(q);
            if !rels.overlaps(&sj.syn_right) {
                if is_volatile(&self.cx.catalog, q)? {
                    return Ok(());
                }
                continue;
            }
            let Expr::OpExpr(o) = q else { return Ok(()) };
            if o.args.len() != 2 {
                // A condition on the inner side alone does no harm.
                if rels.is_subset(&sj.syn_right) && !is_volatile(&self.cx.catalog, q)? {
                    continue;
                }
                return Ok(());
            }
            let (l, r) = (varnos(&o.args[0]), varnos(&o.args[1]));
            let (expr, opno) = if rels.is_subset(&sj.syn_right) {
                if is_volatile(&self.cx.catalog, q)? {
                    return Ok(());
                }
                continue;
            } else if !l.overlaps(&sj.syn_right) && !r.is_empty() && r.is_subset(&sj.syn_right) {
                (&o.args[1], o.opno)
            } else if !r.overlaps(&sj.syn_right) && !l.is_empty() && l.is_subset(&sj.syn_right) {
                (&o.args[0], commutator(&self.cx.catalog, o.opno)?)
            } else {
                return Ok(());
            };
            if !opno.is_valid() {
                return Ok(());
            }
            if btree
                && !(op_mergejoinable(&self.cx.catalog, opno, o.args[0].type_oid())?
                    && !mergejoin_families(&self.cx.catalog, opno)?.is_empty())
            {
                btree = false;
            }
            if hash && !op_hashjoinable(&self.cx.catalog, opno, o.args[0].type_oid())? {
                hash = false;
            }
            if !btree && !hash {
                return Ok(());
            }
            ops.push(opno);
            rhs.push(expr.clone());
        }
        if ops.is_empty() {
            return Ok(());
        }
        for e in &rhs {
            if is_volatile(&self.cx.catalog, e)? {
                return Ok(());
            }
        }
        (sj.semi_can_btree, sj.semi_can_hash, sj.semi_operators, sj.semi_rhs) = (btree, hash, ops, rhs);
        Ok(())
    }

    /// A NOT NULL constraint that was added without looking at the rows proves nothing.
    fn trusts_not_null(&self, rel: &catalog::Relation, attno: i16) -> Result<bool> {
        Ok(!rel.checks.iter().any(|c| c.contype == b'n' && !c.convalidated && c.conkey.as_deref() == Some(&[attno])))
    }

    fn distribute(&mut self, root: &mut Root, e: Expr, place: &Place<'_>, postponed: &mut Vec<Expr>) -> Result<()> {
        self.distribute_in(root, e, place, place.domain, postponed, None)
    }

    /// Puts a condition where it belongs. (PostgreSQL: `distribute_qual_to_rels`)
    fn distribute_in(
        &mut self,
        root: &mut Root,
        e: Expr,
        place: &Place<'_>,
        inner_domain: u32,
        postponed: &mut Vec<Expr>,
        sj: Option<&Rc<SpecialJoin>>,
    ) -> Result<()> {
        let mut relids = varnos(&e);
        if !relids.is_subset(place.qualscope) {
            // A lateral reference: it is checked higher up.
            postponed.push(e);
            return Ok(());
        }
        // An antijoin made from an outer join has done the test for null rows itself.
        if let Expr::NullTest(n) = &e
            && !n.not
            && let Expr::Var(v) = &n.arg
            && root
                .sj
                .iter()
                .any(|s| s.jointype == JoinType::Anti && s.ojrelid != 0 && v.varnullingrels.contains(&s.ojrelid))
        {
            return Ok(());
        }
        // A column that cannot be null needs no test, or fails it.
        let mut e = e;
        if let Expr::NullTest(n) = &e
            && !n.argisrow
            && let Expr::Var(v) = &n.arg
            && v.varnullingrels.is_empty()
            && v.varattno > 0
            && let Some(Some(rel)) = root.base.get(v.varno as usize)
            && let Some(entry) = &rel.relation
            && entry.desc.attrs.get(v.varattno as usize - 1).is_some_and(|a| a.not_null)
            && self.trusts_not_null(entry, v.varattno)?
        {
            if n.not {
                return Ok(());
            }
            e = Expr::bool_const(Some(false));
        }
        let volatile = is_volatile(&self.cx.catalog, &e)?;
        let mut pseudoconstant = false;
        if relids.is_empty() {
            if let Some(oj) = place.ojscope {
                relids = oj.clone();
            } else {
                relids = place.qualscope.clone();
                if !volatile {
                    pseudoconstant = true;
                    root.has_pseudoconstant = true;
                    if place.domain == 0 {
                        relids = root.all_baserels.clone();
                    }
                }
            }
        }
        let (mut maybe_eq, mut maybe_oj) = (true, false);
        let mut pushed_down = true;
        let mut domain = place.domain;
        if relids.overlaps(place.nonnull) && !(pseudoconstant && place.ojscope.is_none()) {
            pushed_down = false;
            maybe_eq = false;
            maybe_oj = true;
            relids = place.ojscope.cloned().unwrap_or(relids);
        } else {
            if place.ojscope.is_some() {
                // Only about the nullable side: it filters that.
                domain = inner_domain;
            }
            if !pseudoconstant {
                self.delay(root, &mut relids, true);
            }
        }
        if pseudoconstant {
            maybe_eq = false;
        }
        let outer_relids = if maybe_oj { place.nonnull.clone() } else { Relids::new() };
        let rinfo = self.restrict_info(root, e, pushed_down, pseudoconstant, relids, outer_relids, domain)?;
        if rinfo.required.len() > 1 {
            let mut vars = Vec::new();
            pull_all_vars(&rinfo.clause, &mut vars);
            let needed = rinfo.required.clone();
            self.need_vars(root, &vars, &needed);
        }
        if !rinfo.merge_families.is_empty() {
            if maybe_eq {
                if self.process_equivalence(root, &rinfo)? {
                    return Ok(());
                }
                self.init_mergeclause_ecs(root, &rinfo)?;
            } else if maybe_oj && rinfo.can_join {
                let outer = place.nonnull;
                if let Some(sj) = sj {
                    let (l, r) = (&rinfo.left_relids, &rinfo.right_relids);
                    if sj.jointype != JoinType::Full && l.is_subset(outer) && !r.overlaps(outer) {
                        root.left_join_clauses.push((rinfo, sj.clone()));
                        return Ok(());
                    }
                    if sj.jointype != JoinType::Full && r.is_subset(outer) && !l.overlaps(outer) {
                        root.right_join_clauses.push((rinfo, sj.clone()));
                        return Ok(());
                    }
                    if sj.jointype == JoinType::Full {
                        root.full_join_clauses.push((rinfo, sj.clone()));
                        return Ok(());
                    }
                }
                self.init_mergeclause_ecs(root, &rinfo)?;
            } else {
                self.init_mergeclause_ecs(root, &rinfo)?;
            }
        }
        self.attach_restrict(root, rinfo)
    }

    /// (PostgreSQL: `distribute_restrictinfo_to_rels`)
    pub(crate) fn attach_restrict(&mut self, root: &mut Root, r: Ri) -> Result<()> {
        if let Some(one) = r.required.as_single() {
            if let Some(Some(rel)) = root.base.get_mut(one as usize) {
                // A condition that holds for no row settles the matter; keep it alone.
                rel.baserestrict.push(r);
            }
            return Ok(());
        }
        if r.required.is_empty() {
            return Err(base::PgError::internal("cannot cope with variable-free clause"));
        }
        for i in r.required.clone().iter() {
            if let Some(Some(rel)) = root.base.get_mut(i as usize) {
                rel.joininfo.push(r.clone());
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `make_restrictinfo`)
    pub(crate) fn restrict_info(
        &mut self,
        root: &mut Root,
        clause: Expr,
        pushed_down: bool,
        pseudoconstant: bool,
        required: Relids,
        outer_relids: Relids,
        domain: u32,
    ) -> Result<Ri> {
        self.restrict_info_from(root, clause, pushed_down, pseudoconstant, required, outer_relids, domain, None)
    }

    /// As [`Self::restrict_info`], for a clause made from an equivalence class and two of its members.
    pub(crate) fn restrict_info_from(
        &mut self,
        root: &mut Root,
        clause: Expr,
        pushed_down: bool,
        pseudoconstant: bool,
        required: Relids,
        outer_relids: Relids,
        domain: u32,
        ec: Option<(Option<EcId>, Option<usize>, Option<usize>)>,
    ) -> Result<Ri> {
        let clause_relids = varnos(&clause);
        let mut nullable = Relids::new();
        walk(&clause, &mut |x| {
            if let Expr::Var(v) = x
                && !v.varnullingrels.is_empty()
            {
                nullable.insert(v.varno);
            }
            true
        });
        let has_volatile = is_volatile(&self.cx.catalog, &clause)?;
        let mut or_arms = Vec::new();
        if let Expr::BoolExpr(b) = &clause
            && b.boolop == BoolExprType::Or
        {
            for a in &b.args {
                let mut arm = Vec::new();
                for x in implicit_and(Some(a.clone())) {
                    let rels = varnos(&x);
                    arm.push(self.restrict_info(root, x, pushed_down, false, rels, outer_relids.clone(), domain)?);
                }
                or_arms.push(arm);
            }
        }
        let (mut left_relids, mut right_relids, mut can_join) = (Relids::new(), Relids::new(), false);
        let (mut merge_families, mut hash_op) = (Vec::new(), Oid::INVALID);
        if let Expr::OpExpr(o) = &clause
            && o.args.len() == 2
        {
            left_relids = varnos(&o.args[0]);
            right_relids = varnos(&o.args[1]);
            can_join = !left_relids.is_empty() && !right_relids.is_empty() && !left_relids.overlaps(&right_relids);
            let ty = o.args[0].type_oid();
            if !pseudoconstant && !has_volatile {
                if op_mergejoinable(&self.cx.catalog, o.opno, ty)? {
                    merge_families = mergejoin_families(&self.cx.catalog, o.opno)?;
                }
                if can_join && op_hashjoinable(&self.cx.catalog, o.opno, ty)? {
                    hash_op = o.opno;
                }
            }
        }
        root.next_serial += 1;
        let required = if required.is_empty() { clause_relids.clone() } else { required };
        Ok(Rc::new(RestrictInfo {
            serial: root.next_serial,
            clause,
            or_arms,
            pushed_down,
            can_join,
            pseudoconstant,
            has_volatile,
            clause_relids,
            required,
            outer_relids,
            left_relids,
            right_relids,
            nullable,
            merge_families,
            hash_op,
            left_ec: Cell::new(None),
            right_ec: Cell::new(None),
            parent_ec: ec.and_then(|e| e.0),
            left_em: ec.and_then(|e| e.1),
            right_em: ec.and_then(|e| e.2),
            domain,
            eval_cost: Cell::new(None),
            norm_sel: Cell::new(-1.0),
            outer_sel: Cell::new(-1.0),
            scan_sel: Cell::new(None),
            left_bucket: Cell::new(None),
            right_bucket: Cell::new(None),
        }))
    }

    /// Clauses of outer joins that were held back. (PostgreSQL: `reconsider_outer_join_clauses`)
    pub(crate) fn reconsider_outer_joins(&mut self, root: &mut Root) -> Result<()> {
        let lists = [
            (std::mem::take(&mut root.left_join_clauses), true),
            (std::mem::take(&mut root.right_join_clauses), false),
        ];
        for (list, outer_on_left) in lists {
            for (r, sj) in list {
                let _ = &sj;
                self.constant_for_inner(root, &r, outer_on_left)?;
                self.init_mergeclause_ecs(root, &r)?;
                self.attach_restrict(root, r)?;
            }
        }
        for (r, _) in std::mem::take(&mut root.full_join_clauses) {
            self.init_mergeclause_ecs(root, &r)?;
            self.attach_restrict(root, r)?;
        }
        Ok(())
    }

    /// `outer = inner` of an outer join, and outer is known to be a constant: inner rows with another value are never
    /// wanted.
    fn constant_for_inner(&mut self, root: &mut Root, r: &Ri, outer_on_left: bool) -> Result<()> {
        let Some(o) = r.op() else { return Ok(()) };
        let (outer, inner) = if outer_on_left { (&o.args[0], &o.args[1]) } else { (&o.args[1], &o.args[0]) };
        let inner_relids = varnos(inner);
        if inner_relids.len() != 1 || !op_strict(&self.cx.catalog, o.opno)? || nulling_rels(inner).len() > 0 {
            return Ok(());
        }
        let (outer_ty, inner_ty) = (outer.type_oid(), inner.type_oid());
        for i in 0..root.ecs.len() {
            let ec = &root.ecs[i];
            if ec.merged.is_some() || !ec.has_const || ec.has_volatile || ec.collation != o.inputcollid {
                continue;
            }
            if ec.opfamilies != r.merge_families || !ec.members.iter().any(|m| m.expr == *outer) {
                continue;
            }
            let constants: Vec<(Expr, Oid)> =
                ec.members.iter().filter(|m| m.is_const).map(|m| (m.expr.clone(), m.datatype)).collect();
            let families = ec.opfamilies.clone();
            for (c, ty) in constants {
                let mut op = None;
                for f in &families {
                    if let Some(found) = self.cx.catalog.opfamily_member(*f, inner_ty, ty, 3)? {
                        op = Some(found);
                        break;
                    }
                }
                let Some(op) = op else { continue };
                let clause = make_op(&self.cx.catalog, op, inner.clone(), c, o.inputcollid)?;
                let ri =
                    self.restrict_info(root, clause, true, false, inner_relids.clone(), Relids::new(), r.domain)?;
                self.attach_restrict(root, ri)?;
            }
            let _ = outer_ty;
            break;
        }
        Ok(())
    }
}

/// All Vars, also in aggregates and window functions, each once.
pub(crate) fn pull_all_vars(e: &Expr, out: &mut Vec<Expr>) {
    let mut refs = Vec::new();
    vars_of(e, &mut refs);
    for r in refs {
        if !out.contains(r) {
            out.push(r.clone());
        }
    }
}

/// The base relations of the join tree.
pub(crate) fn from_relids(f: &FromExpr) -> Relids {
    let mut r = Relids::new();
    f.fromlist.iter().for_each(|n| r.add(&node_relids(n, false)));
    r
}
