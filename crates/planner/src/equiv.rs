//! Equivalence classes: expressions that conditions make equal, from which new conditions follow; and the orders that
//! they define (pathkeys).
//!
//! PostgreSQL: `equivclass.c`, `pathkeys.c`.

use analyze::query::*;
use base::{Oid, Result};
use catalog::oids;

use crate::node::*;
use crate::relids::Relids;
use crate::util::*;

/// The expression with the collation and type that a class compares it by.
fn canonical(e: &Expr, ty: Oid, collation: Oid) -> Expr {
    let (actual, coll) = (e.type_oid(), e.collation());
    let wanted = if matches!(
        ty,
        types::oid::RECORDOID
            | types::oid::ANYARRAYOID
            | types::oid::ANYENUMOID
            | types::oid::ANYRANGEOID
            | types::oid::ANYMULTIRANGEOID
            | types::oid::ANYELEMENTOID
    ) || !ty.is_valid()
    {
        actual
    } else {
        ty
    };
    if (actual, coll) == (wanted, collation) {
        return e.clone();
    }
    let typmod = if wanted == actual { e.typmod() } else { -1 };
    let ty = TypeMod { oid: wanted, typmod, collation };
    // Nothing is left of a relabelling that is undone.
    let inner = match e {
        Expr::RelabelType(r) => r.arg.clone(),
        e => e.clone(),
    };
    if inner.type_oid() == wanted && inner.collation() == collation {
        return inner;
    }
    if let Expr::Const(c) = &inner {
        let mut c = c.clone();
        c.ty = ty;
        return Expr::Const(c);
    }
    Expr::RelabelType(Box::new(RelabelType {
        arg: inner,
        resulttype: ty,
        relabelformat: CoercionForm::ImplicitCast,
        location: base::error::Location::UNKNOWN,
    }))
}

impl Root {
    /// The class that one was merged into.
    pub(crate) fn ec_id(&self, mut id: EcId) -> EcId {
        while let Some(m) = self.ecs[id].merged {
            id = m;
        }
        id
    }
    pub(crate) fn ec(&self, id: EcId) -> &Ec {
        &self.ecs[self.ec_id(id)]
    }
}

impl Planner<'_, '_> {
    /// Takes an equality into the classes; false if it is not of that kind. (PostgreSQL: `process_equivalence`)
    pub(crate) fn process_equivalence(&mut self, root: &mut Root, r: &Ri) -> Result<bool> {
        let Some(o) = r.op() else { return Ok(false) };
        if r.has_volatile || o.args.len() != 2 {
            return Ok(false);
        }
        let op = self.cx.catalog.operator(o.opno)?;
        let (lt, rt) = op.map_or((Oid::INVALID, Oid::INVALID), |p| (p.oprleft, p.oprright));
        let collation = o.inputcollid;
        let e1 = canonical(&o.args[0], lt, collation);
        let e2 = canonical(&o.args[1], rt, collation);
        // `x = x` is `x IS NOT NULL`.
        if e1 == e2 {
            return Ok(false);
        }
        if r.clause_relids.is_empty() {
            return Ok(false);
        }
        let (l, rr) = (self.required_relids(root, &e1), self.required_relids(root, &e2));
        let (t1, t2) = (member_type(lt, &e1), member_type(rt, &e2));
        let find = |root: &Root, e: &Expr, ty: Oid, relids: &Relids| -> Option<EcId> {
            for (i, ec) in root.ecs.iter().enumerate() {
                if ec.merged.is_some()
                    || ec.has_volatile
                    || ec.collation != collation
                    || ec.opfamilies != r.merge_families
                {
                    continue;
                }
                for m in &ec.members {
                    if m.is_const && m.domain != r.domain {
                        continue;
                    }
                    if m.datatype == ty && m.relids == *relids && m.expr == *e {
                        return Some(i);
                    }
                }
            }
            None
        };
        let (a, b) = (find(root, &e1, t1, &l), find(root, &e2, t2, &rr));
        let id = match (a, b) {
            (Some(a), Some(b)) if a == b => {
                root.ecs[a].sources.push(r.clone());
                a
            }
            (Some(a), Some(b)) => {
                if root.ec_merging_done {
                    return Err(base::PgError::internal("too late to merge equivalence classes"));
                }
                let gone = std::mem::take(&mut root.ecs[b]);
                let ec = &mut root.ecs[a];
                ec.members.extend(gone.members);
                ec.sources.extend(gone.sources);
                ec.derives.extend(gone.derives);
                ec.relids.add(&gone.relids);
                ec.has_const |= gone.has_const;
                ec.sources.push(r.clone());
                root.ecs[b].merged = Some(a);
                a
            }
            (Some(a), None) => {
                add_member(&mut root.ecs[a], e2, rr, t2, r.domain);
                root.ecs[a].sources.push(r.clone());
                a
            }
            (None, Some(b)) => {
                add_member(&mut root.ecs[b], e1, l, t1, r.domain);
                root.ecs[b].sources.push(r.clone());
                b
            }
            (None, None) => {
                let mut ec = Ec { opfamilies: r.merge_families.clone(), collation, ..Ec::default() };
                ec.sources.push(r.clone());
                add_member(&mut ec, e1, l, t1, r.domain);
                add_member(&mut ec, e2, rr, t2, r.domain);
                root.ecs.push(ec);
                root.ecs.len() - 1
            }
        };
        r.left_ec.set(Some(id));
        r.right_ec.set(Some(id));
        Ok(true)
    }

    /// The class of an expression that is sorted by. (PostgreSQL: `get_eclass_for_sort_expr`)
    pub(crate) fn ec_for_sort(
        &mut self,
        root: &mut Root,
        e: &Expr,
        opfamilies: &[Oid],
        ty: Oid,
        collation: Oid,
        sortref: u32,
        create: bool,
    ) -> Result<Option<EcId>> {
        let e = canonical(e, ty, collation);
        let ty = member_type(ty, &e);
        for (i, ec) in root.ecs.iter().enumerate() {
            if ec.merged.is_some() || ec.collation != collation || ec.opfamilies != opfamilies {
                continue;
            }
            if ec.has_volatile && (sortref == 0 || sortref != ec.sortref) {
                continue;
            }
            for m in &ec.members {
                if m.is_const && m.domain != 0 {
                    continue;
                }
                if m.datatype == ty && m.expr == e {
                    return Ok(Some(i));
                }
            }
        }
        if !create {
            return Ok(None);
        }
        let has_volatile = is_volatile(&self.cx.catalog, &e)?;
        let relids = self.required_relids(root, &e);
        let mut ec = Ec { opfamilies: opfamilies.to_vec(), collation, has_volatile, sortref, ..Ec::default() };
        let constant = relids.is_empty();
        add_member(&mut ec, e.clone(), relids, ty, 0);
        if constant && (has_volatile || has_srf(&e) || has_aggs(&e) || has_window(&e)) {
            ec.has_const = false;
            ec.members[0].is_const = false;
        }
        root.ecs.push(ec);
        Ok(Some(root.ecs.len() - 1))
    }

    /// (PostgreSQL: `initialize_mergeclause_eclasses`)
    pub(crate) fn init_mergeclause_ecs(&mut self, root: &mut Root, r: &Ri) -> Result<()> {
        if r.left_ec.get().is_some() || r.merge_families.is_empty() {
            return Ok(());
        }
        let Some(o) = r.op() else { return Ok(()) };
        let op = self.cx.catalog.operator(o.opno)?;
        let (lt, rt) = op.map_or((Oid::INVALID, Oid::INVALID), |p| (p.oprleft, p.oprright));
        let (a, b) = (o.args[0].clone(), o.args[1].clone());
        let l = self.ec_for_sort(root, &a, &r.merge_families, lt, o.inputcollid, 0, true)?;
        let rr = self.ec_for_sort(root, &b, &r.merge_families, rt, o.inputcollid, 0, true)?;
        r.left_ec.set(l);
        r.right_ec.set(rr);
        Ok(())
    }

    fn ec_operator(&self, ec: &Ec, left: Oid, right: Oid) -> Result<Option<Oid>> {
        for f in &ec.opfamilies {
            if let Some(op) = self.cx.catalog.opfamily_member(*f, left, right, 3)?
                && op_strict(&self.cx.catalog, op)?
            {
                return Ok(Some(op));
            }
        }
        Ok(None)
    }

    // ---- conditions on single relations ----

    /// (PostgreSQL: `generate_base_implied_equalities`)
    pub(crate) fn base_equalities(&mut self, root: &mut Root) -> Result<()> {
        root.ec_merging_done = true;
        for i in 0..root.ecs.len() {
            if root.ecs[i].merged.is_some() {
                continue;
            }
            let n = root.ecs[i].members.len();
            if n > 1 {
                if root.ecs[i].has_const {
                    self.base_equalities_const(root, i)?;
                } else {
                    self.base_equalities_plain(root, i)?;
                }
                if root.ecs[i].broken {
                    for r in root.ecs[i].sources.clone() {
                        if r.required.len() == 1 || root.ecs[i].has_const {
                            self.attach_restrict(root, r)?;
                        }
                    }
                }
            }
            // Relations of classes that may give join conditions.
            let ec = &root.ecs[i];
            if ec.members.iter().filter(|m| !m.is_const).count() > 1 && !ec.has_const && !ec.has_volatile {
                let rels = ec.relids.clone();
                for r in rels.iter() {
                    if let Some(Some(rel)) = root.base.get_mut(r as usize) {
                        rel.has_eclass_joins = true;
                    }
                }
            }
        }
        Ok(())
    }

    fn base_equalities_const(&mut self, root: &mut Root, id: EcId) -> Result<()> {
        // One equality with a constant is used as it is.
        if root.ecs[id].members.len() == 2 && root.ecs[id].sources.len() == 1 {
            let r = root.ecs[id].sources[0].clone();
            return self.attach_restrict(root, r);
        }
        let members = root.ecs[id].members.clone();
        let real = |m: &Em| matches!(m.expr, Expr::Const(_));
        let Some(at) =
            members.iter().position(|m| m.is_const && real(m)).or_else(|| members.iter().position(|m| m.is_const))
        else {
            return Ok(());
        };
        let constant = &members[at];
        for (i, m) in members.iter().enumerate() {
            if i == at {
                continue;
            }
            let Some(op) = self.ec_operator(&root.ecs[id], m.datatype, constant.datatype)? else {
                root.ecs[id].broken = true;
                return Ok(());
            };
            let domain = if m.is_const { constant.domain } else { m.domain };
            self.implied_equality(root, id, op, (i, m), (at, constant), domain)?;
        }
        Ok(())
    }

    fn base_equalities_plain(&mut self, root: &mut Root, id: EcId) -> Result<()> {
        let members = root.ecs[id].members.clone();
        let mut last: Vec<Option<usize>> = vec![None; root.base.len()];
        for (i, m) in members.iter().enumerate() {
            let Some(rel) = m.relids.as_single() else { continue };
            let rel = rel as usize;
            if rel >= last.len() {
                continue;
            }
            if let Some(p) = last[rel] {
                let Some(op) = self.ec_operator(&root.ecs[id], members[p].datatype, m.datatype)? else {
                    root.ecs[id].broken = true;
                    break;
                };
                self.implied_equality(root, id, op, (p, &members[p]), (i, m), m.domain)?;
            }
            last[rel] = Some(i);
        }
        // Columns that join conditions will need are needed at all of the class's relations.
        let relids = root.ecs[id].relids.clone();
        for m in &members {
            let mut vars = Vec::new();
            crate::init::pull_all_vars(&m.expr, &mut vars);
            self.need_vars(root, &vars, &relids);
        }
        Ok(())
    }

    /// (PostgreSQL: `process_implied_equality`)
    fn implied_equality(
        &mut self,
        root: &mut Root,
        id: EcId,
        op: Oid,
        (ai, a): (usize, &Em),
        (bi, b): (usize, &Em),
        domain: u32,
    ) -> Result<()> {
        let collation = root.ecs[id].collation;
        let mut clause = make_op(&self.cx.catalog, op, a.expr.clone(), b.expr.clone(), collation)?;
        let both_const = a.is_const && b.is_const;
        if both_const {
            self.fold(&mut clause)?;
            if is_const_true(&clause) {
                return Ok(());
            }
        }
        let mut relids = a.relids.union(&b.relids);
        let pseudo = relids.is_empty();
        if pseudo {
            // A contradiction of constants: nothing qualifies, on the null side of an outer join nothing there.
            let known = root.domains.iter().find(|d| d.0 == domain).map(|d| d.1.clone());
            relids = known.unwrap_or_else(|| root.all_baserels.clone());
            root.has_pseudoconstant = true;
        }
        let _ = (ai, bi);
        let r = self.restrict_info(root, clause, true, pseudo, relids, Relids::new(), domain)?;
        if r.required.len() > 1 {
            let mut vars = Vec::new();
            crate::init::pull_all_vars(&r.clause, &mut vars);
            let needed = r.required.clone();
            self.need_vars(root, &vars, &needed);
        }
        if !r.merge_families.is_empty() {
            r.left_ec.set(Some(id));
            r.right_ec.set(Some(id));
        }
        self.attach_restrict(root, r)
    }

    // ---- join conditions ----

    /// Join conditions that the classes imply between two sets of relations, as far as not enforced within either.
    /// (PostgreSQL: `generate_join_implied_equalities`)
    pub(crate) fn join_equalities(
        &mut self,
        root: &mut Root,
        join: &Relids,
        outer: &Relids,
        inner: &Relids,
    ) -> Result<Vec<Ri>> {
        let mut out = Vec::new();
        for i in 0..root.ecs.len() {
            let ec = &root.ecs[i];
            if ec.merged.is_some() || ec.has_const || ec.members.len() <= 1 || !ec.relids.overlaps(join) {
                continue;
            }
            if !ec.relids.overlaps(inner) || !ec.relids.overlaps(outer) {
                continue;
            }
            if !ec.broken {
                self.join_equalities_of(root, i, join, outer, inner, &mut out)?;
            }
            if root.ecs[i].broken {
                let wanted = root.ecs[i].sources.iter().filter(|r| {
                    r.required.is_subset(join) && !r.required.is_subset(outer) && !r.required.is_subset(inner)
                });
                out.extend(wanted.cloned());
            }
        }
        Ok(out)
    }

    fn join_equalities_of(
        &mut self,
        root: &mut Root,
        id: EcId,
        join: &Relids,
        outer: &Relids,
        inner: &Relids,
        out: &mut Vec<Ri>,
    ) -> Result<()> {
        let (mut o, mut n, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for (i, m) in root.ecs[id].members.iter().enumerate() {
            if m.is_const || !m.relids.is_subset(join) {
                continue;
            }
            if m.relids.is_subset(outer) {
                o.push(i);
            } else if m.relids.is_subset(inner) {
                n.push(i);
            } else {
                new.push(i);
            }
        }
        if !o.is_empty() && !n.is_empty() {
            // Plain columns first; hashable ones win.
            let mut best: Option<(i32, usize, usize, Oid)> = None;
            'search: for &a in &o {
                for &b in &n {
                    let (ma, mb) = (&root.ecs[id].members[a], &root.ecs[id].members[b]);
                    let Some(op) = self.ec_operator(&root.ecs[id], ma.datatype, mb.datatype)? else { continue };
                    let mut score = 0;
                    if matches!(strip_relabel(&ma.expr), Expr::Var(_)) {
                        score += 1;
                    }
                    if matches!(strip_relabel(&mb.expr), Expr::Var(_)) {
                        score += 1;
                    }
                    if op_hashjoinable(&self.cx.catalog, op, ma.expr.type_oid())? {
                        score += 1;
                    }
                    if best.is_none_or(|x| score > x.0) {
                        best = Some((score, a, b, op));
                    }
                    if score == 3 {
                        break 'search;
                    }
                }
            }
            let Some((_, a, b, op)) = best else {
                root.ecs[id].broken = true;
                return Ok(());
            };
            out.push(self.ec_clause(root, id, op, a, b)?);
        }
        if !new.is_empty() {
            let mut prev: Option<usize> = None;
            let first = o.first().or(n.first()).copied();
            for m in first.into_iter().chain(new) {
                if let Some(p) = prev {
                    let (tp, tm) = (root.ecs[id].members[p].datatype, root.ecs[id].members[m].datatype);
                    let Some(op) = self.ec_operator(&root.ecs[id], tp, tm)? else {
                        root.ecs[id].broken = true;
                        return Ok(());
                    };
                    // Not redundant with others of the class: no parent.
                    out.push(self.ec_clause_of(root, id, op, p, m, false)?);
                }
                prev = Some(m);
            }
        }
        Ok(())
    }

    /// The condition that two members are equal, made once. (PostgreSQL: `create_join_clause`)
    pub(crate) fn ec_clause(&mut self, root: &mut Root, id: EcId, op: Oid, a: usize, b: usize) -> Result<Ri> {
        self.ec_clause_of(root, id, op, a, b, true)
    }
    fn ec_clause_of(&mut self, root: &mut Root, id: EcId, op: Oid, a: usize, b: usize, parent: bool) -> Result<Ri> {
        let (ea, eb) = (&root.ecs[id].members[a], &root.ecs[id].members[b]);
        let made = root.ecs[id].derives.iter().find(|r| {
            (r.left_em, r.right_em) == (Some(a), Some(b))
                && r.parent_ec.is_some() == parent
                && r.op().is_some_and(|o| o.opno == op)
        });
        if let Some(r) = made {
            return Ok(r.clone());
        }
        let made = root.ecs[id]
            .derives
            .iter()
            .find(|r| (r.left_em, r.right_em) == (Some(b), Some(a)) && r.parent_ec.is_some() == parent);
        if let Some(r) = made {
            return Ok(r.clone());
        }
        let relids = ea.relids.union(&eb.relids);
        let clause = make_op(&self.cx.catalog, op, ea.expr.clone(), eb.expr.clone(), root.ecs[id].collation)?;
        let domain = ea.domain;
        let r = self.restrict_info_from(
            root,
            clause,
            true,
            false,
            relids,
            Relids::new(),
            domain,
            Some((parent.then_some(id), Some(a), Some(b))),
        )?;
        r.left_ec.set(Some(id));
        r.right_ec.set(Some(id));
        root.ecs[id].derives.push(r.clone());
        Ok(r)
    }

    /// Conditions by which other relations' values can be looked up in a column of `rel` that `matches` accepts.
    /// (PostgreSQL: `generate_implied_equalities_for_column`)
    pub(crate) fn column_equalities(
        &mut self,
        root: &mut Root,
        rel: RtIndex,
        matches: &mut dyn FnMut(&Ec, &Em) -> bool,
        prohibited: &Relids,
    ) -> Result<Vec<Ri>> {
        let mut out = Vec::new();
        let relset = Relids::single(rel);
        for i in 0..root.ecs.len() {
            let ec = &root.ecs[i];
            if ec.merged.is_some()
                || ec.has_const
                || ec.members.len() <= 1
                || !ec.relids.contains(rel)
                || ec.has_volatile
            {
                continue;
            }
            let Some(at) = ec.members.iter().position(|m| m.relids == relset && matches(ec, m)) else { continue };
            let others: Vec<usize> = (0..ec.members.len())
                .filter(|o| {
                    let m = &ec.members[*o];
                    *o != at && !m.relids.is_empty() && !m.relids.contains(rel) && !m.relids.overlaps(prohibited)
                })
                .collect();
            for o in others {
                let (ta, tb) = (root.ecs[i].members[at].datatype, root.ecs[i].members[o].datatype);
                if let Some(op) = self.ec_operator(&root.ecs[i], ta, tb)? {
                    let r = self.ec_clause(root, i, op, at, o)?;
                    out.push(r);
                }
            }
            if !out.is_empty() {
                break;
            }
        }
        Ok(out)
    }

    /// Whether some class links the two sets. (PostgreSQL: `have_relevant_eclass_joinclause`)
    pub(crate) fn has_eclass_link(&self, root: &Root, a: &Relids, b: &Relids) -> bool {
        root.ecs.iter().any(|ec| {
            ec.merged.is_none()
                && !ec.has_const
                && ec.members.len() > 1
                && ec.relids.overlaps(a)
                && ec.relids.overlaps(b)
        })
    }

    // ---- pathkeys ----

    pub(crate) fn pathkey_for(
        &mut self,
        root: &mut Root,
        e: &Expr,
        opfamily: Oid,
        opcintype: Oid,
        collation: Oid,
        descending: bool,
        nulls_first: bool,
        sortref: u32,
        create: bool,
    ) -> Result<Option<PathKey>> {
        let Some(eq) = self.cx.catalog.opfamily_member(opfamily, opcintype, opcintype, 3)? else { return Ok(None) };
        let families = mergejoin_families(&self.cx.catalog, eq)?;
        let ec = self.ec_for_sort(root, e, &families, opcintype, collation, sortref, create)?;
        Ok(ec.map(|ec| PathKey { ec, opfamily, descending, nulls_first }))
    }

    /// The order of sort clauses; constants and repetitions drop out. (PostgreSQL: `make_pathkeys_for_sortclauses`)
    pub(crate) fn pathkeys_for_clauses(
        &mut self,
        root: &mut Root,
        clauses: &[SortGroupClause],
        tlist: &[TargetEntry],
    ) -> Result<Vec<PathKey>> {
        Ok(self.pathkeys_for_clauses_ext(root, clauses, tlist)?.0)
    }

    /// As above; also the clauses that are not redundant, and whether all can be sorted.
    pub(crate) fn pathkeys_for_clauses_ext(
        &mut self,
        root: &mut Root,
        clauses: &[SortGroupClause],
        tlist: &[TargetEntry],
    ) -> Result<(Vec<PathKey>, Vec<SortGroupClause>, bool)> {
        let (mut keys, mut kept, mut sortable) = (Vec::new(), Vec::new(), true);
        for c in clauses {
            if !c.sortop.is_valid() {
                sortable = false;
                kept.push(c.clone());
                continue;
            }
            let e = sortgroup_tle(tlist, c.tle_sort_group_ref)?.expr.clone();
            let Some((family, ty, desc)) = ordering_op(&self.cx.catalog, c.sortop)? else {
                sortable = false;
                kept.push(c.clone());
                continue;
            };
            let key =
                self.pathkey_for(root, &e, family, ty, e.collation(), desc, c.nulls_first, c.tle_sort_group_ref, true)?;
            let Some(k) = key else {
                sortable = false;
                continue;
            };
            if self.is_redundant(root, &k, &keys) {
                // One key must remain to group by.
                continue;
            }
            keys.push(k);
            kept.push(c.clone());
        }
        Ok((keys, kept, sortable))
    }

    /// (PostgreSQL: `pathkey_is_redundant`)
    pub(crate) fn is_redundant(&self, root: &Root, k: &PathKey, keys: &[PathKey]) -> bool {
        let id = root.ec_id(k.ec);
        let ec = &root.ecs[id];
        (ec.has_const && !ec.has_volatile) || keys.iter().any(|o| root.ec_id(o.ec) == id)
    }

    /// The order that an index gives. (PostgreSQL: `build_index_pathkeys`)
    pub(crate) fn index_pathkeys(&mut self, root: &mut Root, index: &IndexOpt, backward: bool) -> Result<Vec<PathKey>> {
        let mut keys = Vec::new();
        if !index.is_btree {
            return Ok(keys);
        }
        for c in 0..index.nkeys {
            let e = self.index_column_expr(index, c);
            // A member's orders are those of the table that is named.
            let e = self.over_parent(root, index.relid, &e);
            let desc = index.descending[c] != backward;
            let nulls_first = index.nulls_first[c] != backward;
            let ty = self.index_opcintype(index, c, &e)?;
            let key =
                self.pathkey_for(root, &e, index.opfamilies[c], ty, index.collations[c], desc, nulls_first, 0, false)?;
            match key {
                Some(k) => {
                    if !self.is_redundant(root, &k, &keys) {
                        keys.push(k);
                    }
                }
                // A boolean column that a condition fixes does not matter.
                None => {
                    if !self.index_column_is_fixed(root, index, c) {
                        break;
                    }
                }
            }
        }
        Ok(keys)
    }

    fn index_opcintype(&self, index: &IndexOpt, c: usize, _: &Expr) -> Result<Oid> {
        Ok(index.input_types[c])
    }

    fn index_column_is_fixed(&self, _: &Root, index: &IndexOpt, c: usize) -> bool {
        let _ = oids::BTREE_AM_OID;
        index.restrict.borrow().iter().any(|r| {
            let e = match &r.clause {
                Expr::BoolExpr(b) if b.boolop == BoolExprType::Not => &b.args[0],
                e => e,
            };
            index.columns[c] != 0
                && matches!(e, Expr::Var(v) if v.varattno == index.columns[c] && v.vartype.oid == types::oid::BOOLOID)
        })
    }

    /// Whether the order `have` satisfies `want`, and for how many keys. (PostgreSQL: `pathkeys_count_contained_in`)
    pub(crate) fn keys_contained(&self, want: &[PathKey], have: &[PathKey]) -> (bool, usize) {
        let n = want.iter().zip(have).take_while(|(a, b)| a == b).count();
        (n == want.len(), n)
    }
    pub(crate) fn satisfies(&self, have: &[PathKey], want: &[PathKey]) -> bool {
        self.keys_contained(want, have).0
    }
}

fn member_type(declared: Oid, e: &Expr) -> Oid {
    use types::oid::*;
    // Classes of polymorphic operators are known by their declared type.
    if matches!(declared, ANYARRAYOID | ANYENUMOID | ANYRANGEOID | ANYMULTIRANGEOID | RECORDOID) {
        declared
    } else if declared.is_valid() {
        declared
    } else {
        e.type_oid()
    }
}

fn add_member(ec: &mut Ec, expr: Expr, relids: Relids, datatype: Oid, domain: u32) {
    let is_const = relids.is_empty();
    if is_const {
        ec.has_const = true;
    }
    ec.relids.add(&relids);
    ec.members.push(Em { expr, relids, is_const, datatype, domain });
}
