//! Tables with inheritance children: the scan of such a table is an Append over the scans of all its members, itself first.
//!
//! Each member gets a range-table entry and a relation of its own; conditions and columns are translated to its columns, which
//! are found by name. What stands above speaks of the parent's columns: the Append's.
//!
//! PostgreSQL: `inherit.c`, `appendinfo.c`, `set_append_rel_size`, `set_append_rel_pathlist`.

use std::cell::Cell;
use std::rc::Rc;

use analyze::query::*;
use base::{Oid, PgError, Result};

use crate::node::*;
use crate::pathnode::*;
use crate::relids::Relids;
use crate::util::*;

/// A member: its range-table index, and for each column of the parent its own (0: dropped).
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub rti: RtIndex,
    pub columns: Vec<AttrNumber>,
}

impl Planner<'_, '_> {
    /// A table and all its descendants, those of one generation together. (PostgreSQL: `find_all_inheritors`)
    fn descendants(&self, oid: Oid) -> Result<Vec<Oid>> {
        let mut list = vec![oid];
        let mut at = 0;
        while at < list.len() {
            for c in self.cx.catalog.inheritance_children(list[at])? {
                if !list.contains(&c.inhrelid) {
                    list.push(c.inhrelid);
                }
            }
            at += 1;
        }
        Ok(list)
    }

    /// The leaves of a partitioned table in the order of their bounds. (PostgreSQL: `expand_partitioned_rtentry`)
    /// Partitions that the conditions exclude are left out.
    fn leaves(
        &mut self,
        root: &Root,
        rti: RtIndex,
        named: &catalog::Relation,
        parent: &catalog::Relation,
        out: &mut Vec<Oid>,
    ) -> Result<()> {
        let catalog = self.cx.catalog.clone();
        let desc = analyze::partition::desc_of(&catalog, parent, self.cx.rt)?;
        let mut wanted = vec![true; desc.parts.len()];
        if self.cx.cost.enable_partition_pruning {
            let keys = self.partition_keys(&desc, rti, named, parent)?;
            let clauses: Vec<Expr> = match root.base.get(rti as usize) {
                Some(Some(rel)) => rel.baserestrict.iter().map(|r| r.clause.clone()).collect(),
                _ => Vec::new(),
            };
            let mut bounds = Vec::new();
            if parent.oid != named.oid && !clauses.is_empty() {
                let map = analyze::partition::column_map(parent, named)?;
                for mut e in analyze::partition::quals::of_partition(&catalog, self.cx.rt, parent)? {
                    self.over_named(&mut e, rti, map.as_deref())?;
                    bounds.extend(implicit_and(Some(self.canonical_qual(e))));
                }
            }
            wanted = self.prune_now(&desc, &keys, &bounds, &clauses)?;
        }
        for (part, _) in desc.parts.iter().zip(wanted).filter(|(_, w)| *w) {
            if part.is_leaf {
                out.push(part.oid);
            } else {
                self.leaves(root, rti, named, &*catalog.relation_entry(part.oid)?, out)?;
            }
        }
        Ok(())
    }

    /// An expression over a table in a partition tree (`varno` 1) as the query would write it over the table it names.
    fn over_named(&mut self, e: &mut Expr, rti: RtIndex, map: Option<&[i16]>) -> Result<()> {
        mutate(e, &mut |x| {
            forget_location(x);
            if let Expr::Var(v) = x {
                if let (Some(map), true) = (map, v.varattno > 0) {
                    v.varattno = map[v.varattno as usize - 1];
                }
                v.varno = rti;
                (v.varnosyn, v.varattnosyn) = (0, 0);
            }
            Ok(true)
        })?;
        self.fold(e)
    }

    /// The key columns of a partitioned table in a tree over the columns of the one that the query names.
    pub(crate) fn partition_keys(
        &mut self,
        desc: &analyze::partition::PartitionDesc,
        rti: RtIndex,
        named: &catalog::Relation,
        parent: &catalog::Relation,
    ) -> Result<Vec<Expr>> {
        let map = if parent.oid == named.oid { None } else { analyze::partition::column_map(parent, named)? };
        let mut keys = Vec::new();
        for k in &desc.key.columns {
            let mut e = k.expr.clone();
            self.over_named(&mut e, rti, map.as_deref())?;
            keys.push(strip_relabel(&e).clone());
        }
        Ok(keys)
    }

    /// Adds the members of inherited tables to the range table. (PostgreSQL: `expand_inherited_rtentry`)
    pub(crate) fn expand_inherited(&mut self, root: &mut Root) -> Result<()> {
        for rti in root.all_baserels.clone().iter() {
            let Some(Some(rel)) = root.base.get(rti as usize) else { continue };
            let RteKind::Relation { relid, inh, .. } = root.parse.rte(rti).kind else { continue };
            let Some(parent) = rel.relation.clone() else { continue };
            let is_partitioned = parent.kind() == catalog::relkind::PARTITIONED_TABLE;
            if !is_partitioned && (!inh || !parent.class.relhassubclass) {
                continue;
            }
            let all = match (is_partitioned, inh) {
                (true, true) => {
                    let mut all = Vec::new();
                    self.leaves(root, rti, &parent, &parent, &mut all)?;
                    all
                }
                (true, false) => Vec::new(),
                _ => self.descendants(relid)?,
            };
            if !is_partitioned && all.len() < 2 {
                continue;
            }
            let mut members = Vec::new();
            for oid in all {
                let entry = self.cx.catalog.relation_entry(oid)?;
                // Other sessions' temporary tables are theirs.
                if entry.is_temporary()
                    && oid != relid
                    && entry.namespace() != parent.namespace()
                    && !self.is_mine(&entry)
                {
                    continue;
                }
                let mut columns = Vec::new();
                for a in parent.desc.attrs.iter() {
                    let at = entry.desc.attrs.iter().position(|c| !c.dropped && c.name == a.name);
                    columns.push(match (a.dropped, at) {
                        (true, _) => 0,
                        (false, Some(i)) => i as i16 + 1,
                        (false, None) => {
                            let text = format!(
                                "could not find inherited attribute \"{}\" of relation \"{}\"",
                                a.name,
                                entry.name()
                            );
                            return Err(PgError::internal(text));
                        }
                    });
                }
                let mut rte = root.parse.rte(rti).clone();
                if let RteKind::Relation { relid, relkind, inh, perminfoindex, .. } = &mut rte.kind {
                    (*relid, *relkind, *inh, *perminfoindex) = (oid, entry.kind(), false, 0);
                }
                let name = rte.alias.as_ref().map_or(&rte.eref.aliasname, |a| &a.aliasname).clone();
                // Columns keep the names that the query gave them.
                let given = &root.parse.rte(rti).eref.colnames;
                let mut names: Vec<String> = entry.desc.attrs.iter().map(|a| a.name.to_string()).collect();
                for (i, c) in columns.iter().enumerate().filter(|c| *c.1 > 0) {
                    if let Some(n) = given.get(i) {
                        names[*c as usize - 1].clone_from(n);
                    }
                }
                rte.alias = None;
                rte.eref = Alias { aliasname: name, colnames: names };
                root.parse.rtable.push(rte);
                let child = root.parse.rtable.len() as RtIndex;
                root.base.push(None);
                let mut rel = self.simple_rel(root, child)?;
                rel.is_child = true;
                rel.member_of = Some((rti, Rc::new(columns.clone())));
                root.base[child as usize] = Some(Box::new(rel));
                members.push(Member { rti: child, columns });
            }
            if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
                rel.members = members;
                rel.expanded = true;
                rel.indexes.clear();
                (rel.pages, rel.tuples) = (0, 0.0);
            }
        }
        Ok(())
    }

    /// Whether a range-table entry stands for several tables.
    pub(crate) fn has_members(&self, rte: &RangeTblEntry) -> Result<bool> {
        let RteKind::Relation { relid, inh: true, .. } = rte.kind else { return Ok(false) };
        let entry = self.cx.catalog.relation_entry(relid)?;
        let is_partitioned = entry.kind() == catalog::relkind::PARTITIONED_TABLE;
        Ok(is_partitioned || entry.class.relhassubclass && self.descendants(relid)?.len() > 1)
    }

    fn is_mine(&self, entry: &catalog::Relation) -> bool {
        self.cx.catalog.is_my_temp_schema(entry.namespace())
    }

    /// An expression over the parent as one over a member. (PostgreSQL: `adjust_appendrel_attrs`)
    pub(crate) fn for_member(&self, root: &Root, e: &Expr, parent: RtIndex, m: &Member) -> Result<Expr> {
        let mut e = e.clone();
        let whole = match root.parse.rte(m.rti).kind {
            RteKind::Relation { relid, .. } => self.cx.catalog.relation_entry(relid)?.class.reltype,
            _ => Oid::INVALID,
        };
        mutate(&mut e, &mut |x| {
            let Expr::Var(v) = x else { return Ok(true) };
            if v.varno != parent || v.varlevelsup != 0 {
                return Ok(false);
            }
            v.varno = m.rti;
            (v.varnosyn, v.varattnosyn) = (0, 0);
            if v.varattno > 0 {
                let n = m.columns.get(v.varattno as usize - 1).copied().unwrap_or(0);
                if n == 0 {
                    return Err(PgError::internal("a dropped column of an inherited table is read"));
                }
                v.varattno = n;
            } else if v.varattno == 0 && v.vartype.oid != whole {
                let to = v.vartype.oid;
                v.vartype.oid = whole;
                let arg = Expr::Var(v.clone());
                *x = Expr::ConvertRowtypeExpr(Box::new(ConvertRowtypeExpr {
                    arg,
                    resulttype: to,
                    convertformat: CoercionForm::ImplicitCast,
                    location: base::error::Location::UNKNOWN,
                }));
            }
            Ok(false)
        })?;
        Ok(e)
    }

    fn condition_for(&mut self, root: &Root, r: &Ri, parent: RtIndex, m: &Member) -> Result<Ri> {
        let swap = |s: &Relids| {
            let mut s = s.clone();
            if s.contains(parent) {
                s.remove(parent);
                s.insert(m.rti);
            }
            s
        };
        let clause = self.for_member(root, &r.clause, parent, m)?;
        let mut or_arms = Vec::new();
        for arm in &r.or_arms {
            let mut list = Vec::new();
            for x in arm {
                list.push(self.condition_for(root, x, parent, m)?);
            }
            or_arms.push(list);
        }
        Ok(Rc::new(RestrictInfo {
            serial: r.serial,
            clause,
            or_arms,
            pushed_down: r.pushed_down,
            can_join: r.can_join,
            pseudoconstant: r.pseudoconstant,
            has_volatile: r.has_volatile,
            clause_relids: swap(&r.clause_relids),
            required: swap(&r.required),
            outer_relids: swap(&r.outer_relids),
            left_relids: swap(&r.left_relids),
            right_relids: swap(&r.right_relids),
            nullable: swap(&r.nullable),
            merge_families: r.merge_families.clone(),
            hash_op: r.hash_op,
            left_ec: Cell::new(r.left_ec.get()),
            right_ec: Cell::new(r.right_ec.get()),
            parent_ec: r.parent_ec,
            left_em: r.left_em,
            right_em: r.right_em,
            domain: r.domain,
            eval_cost: Cell::new(None),
            norm_sel: Cell::new(-1.0),
            outer_sel: Cell::new(-1.0),
            scan_sel: Cell::new(None),
            left_bucket: Cell::new(None),
            right_bucket: Cell::new(None),
        }))
    }

    /// Whether a member's constraints, or its conditions among themselves, leave nothing to read.
    /// (PostgreSQL: `relation_excluded_by_constraints`)
    fn is_excluded(&mut self, root: &Root, rti: RtIndex) -> Result<bool> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(false) };
        let conditions: Vec<Expr> = rel.baserestrict.iter().map(|r| r.clause.clone()).collect();
        if conditions.iter().any(is_const_false_or_null) {
            return Ok(true);
        }
        if !self.cx.cost.constraint_exclusion || conditions.is_empty() {
            return Ok(false);
        }
        let catalog = self.cx.catalog.clone();
        let mut safe = Vec::new();
        for c in &conditions {
            if !analyze::ddl::contains_mutable(&catalog, c)? {
                safe.push(c.clone());
            }
        }
        if safe.is_empty() {
            return Ok(false);
        }
        if self.excluded_by(&safe, &safe)? {
            return Ok(true);
        }
        let Some(entry) = root.base[rti as usize].as_ref().and_then(|r| r.relation.clone()) else { return Ok(false) };
        let mut known = Vec::new();
        for c in entry.checks.iter().filter(|c| c.contype == b'c' && c.convalidated && c.conenforced) {
            let Some(text) = &c.conbin else { continue };
            let mut e = analyze::nodes::read_expr(text, &catalog)?;
            self.over_named(&mut e, rti, None)?;
            let e = self.canonical_qual(e);
            if !analyze::ddl::contains_mutable(&catalog, &e)? {
                known.extend(implicit_and(Some(e)));
            }
        }
        for (i, a) in entry.desc.attrs.iter().enumerate().filter(|(_, a)| a.not_null && !a.dropped) {
            let ty = TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation };
            let arg = make_var(rti, i as i16 + 1, ty);
            known.push(Expr::NullTest(Box::new(NullTest { arg, not: true, ..NullTest::default() })));
        }
        self.excluded_by(&known, &safe)
    }

    /// Sizes of the members and of all of them together. (PostgreSQL: `set_append_rel_size`)
    pub(crate) fn append_size(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let (members, restrict, target) = (rel.members.clone(), rel.baserestrict.clone(), rel.target.clone());
        let (needed, startup) = (rel.attrs_needed.clone(), rel.consider_startup);
        let (mut rows, mut bytes) = (0.0, 0.0);
        for m in &members {
            let mut list = Vec::new();
            for r in &restrict {
                list.push(self.condition_for(root, r, rti, m)?);
            }
            let mut t = Target::default();
            for (e, s) in target.exprs.iter().zip(&target.refs) {
                t.push(self.for_member(root, e, rti, m)?, *s);
            }
            let child_needed = needed
                .iter()
                .map(|(n, at)| match *n {
                    n if n > 0 => (m.columns[n as usize - 1], at.clone()),
                    n => (n, at.clone()),
                })
                .collect();
            if let Some(Some(child)) = root.base.get_mut(m.rti as usize) {
                (child.baserestrict, child.target) = (list, Rc::new(t));
                (child.attrs_needed, child.consider_startup) = (child_needed, startup);
            }
            if self.is_excluded(root, m.rti)? {
                if let Some(Some(child)) = root.base.get_mut(m.rti as usize) {
                    child.rows = 0.0;
                    let p = dummy_path(child);
                    child.add(p);
                }
                continue;
            }
            self.set_child_size(root, m.rti)?;
            if let Some(Some(child)) = root.base.get(m.rti as usize) {
                rows += child.rows;
                bytes += child.rows * f64::from(child.target.width);
            }
        }
        let target = self.set_rel_width(root, &target, rti)?;
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            let mut target = target;
            if rows > 0.0 {
                target.width = (bytes / rows).round_ties_even() as i32;
            }
            rel.target = Rc::new(target);
            (rel.rows, rel.tuples) = (rows, rows);
        }
        Ok(())
    }

    /// An expression over a member as one over the table that is named, if its columns are all that one's.
    pub(crate) fn over_parent(&self, root: &Root, rti: RtIndex, e: &Expr) -> Expr {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return e.clone() };
        let Some((parent, columns)) = rel.member_of.clone() else { return e.clone() };
        let mut out = e.clone();
        let mut whole = true;
        let done = mutate(&mut out, &mut |x| {
            if let Expr::Var(v) = x
                && v.varno == rti
            {
                match columns.iter().position(|c| *c == v.varattno && v.varattno > 0) {
                    Some(i) => (v.varno, v.varattno) = (parent, i as AttrNumber + 1),
                    None => whole = false,
                }
            }
            Ok(true)
        });
        if whole && done.is_ok() { out } else { e.clone() }
    }

    /// Appends that keep an order: one after the other where the partitions follow each other in it, else merged.
    /// (PostgreSQL: `generate_orderedappend_paths`)
    fn ordered_appends(&mut self, root: &mut Root, rti: RtIndex, children: &[RtIndex]) -> Result<()> {
        let mut orders: Vec<Vec<PathKey>> = Vec::new();
        for c in children {
            let Some(Some(child)) = root.base.get(*c as usize) else { continue };
            for p in child.paths.iter().filter(|p| !p.pathkeys.is_empty() && p.param.is_none()) {
                if !orders.contains(&p.pathkeys) {
                    orders.push(p.pathkeys.clone());
                }
            }
        }
        if orders.is_empty() {
            return Ok(());
        }
        let (forward, backward) = self.partition_order(root, rti, children)?;
        for keys in orders {
            let in_order = |order: &[PathKey]| {
                !order.is_empty() && order.len() >= keys.len() && order[..keys.len()] == keys[..]
            };
            let (ascending, descending) = (in_order(&forward), in_order(&backward));
            for by_startup in [true, false] {
                let mut list: Vec<P> = Vec::new();
                let mut all_sorted = true;
                for c in children {
                    let Some(Some(child)) = root.base.get(*c as usize) else { continue };
                    let sorted = child.paths.iter().filter(|p| {
                        p.param.is_none() && p.pathkeys.len() >= keys.len() && p.pathkeys[..keys.len()] == keys[..]
                    });
                    let cost = |p: &&P| if by_startup { (p.disabled, p.startup, p.total) } else { (p.disabled, p.total, p.startup) };
                    let best = sorted.min_by(|a, b| cost(a).partial_cmp(&cost(b)).unwrap_or(std::cmp::Ordering::Equal));
                    match best.cloned().or_else(|| child.cheapest_total.clone()) {
                        Some(p) => {
                            all_sorted &= p.pathkeys.len() >= keys.len() && p.pathkeys[..keys.len()] == keys[..];
                            list.push(p);
                        }
                        None => return Ok(()),
                    }
                }
                let made = if (ascending || descending) && all_sorted {
                    if descending {
                        list.reverse();
                    }
                    self.append_in_order(root, rti, list, &keys)
                } else {
                    self.merge_append(root, rti, list, &keys)
                };
                if let Some(p) = made {
                    self.add_base(root, rti, p);
                }
            }
        }
        Ok(())
    }

    /// The order in which the partitions' rows follow each other, and the reverse; empty if there is none.
    /// (PostgreSQL: `build_partition_pathkeys`, `partitions_are_ordered`)
    fn partition_order(&mut self, root: &mut Root, rti: RtIndex, children: &[RtIndex]) -> Result<(Vec<PathKey>, Vec<PathKey>)> {
        let none = Ok((Vec::new(), Vec::new()));
        let Some(Some(rel)) = root.base.get(rti as usize) else { return none };
        let Some(entry) = rel.relation.clone().filter(|r| r.partition_key.is_some()) else { return none };
        let catalog = self.cx.catalog.clone();
        let desc = analyze::partition::desc_of(&catalog, &entry, self.cx.rt)?;
        let mut places = Vec::new();
        for c in children {
            let RteKind::Relation { relid, .. } = root.parse.rte(*c).kind else { return none };
            // Partitions of partitions would have to be in order themselves.
            let Some(place) = desc.position(relid) else { return none };
            places.push(place);
        }
        if !desc.is_ordered(&places) {
            return none;
        }
        let keys = self.partition_keys(&desc, rti, &entry, &entry)?;
        let (mut forward, mut backward) = (Vec::new(), Vec::new());
        for (k, e) in desc.key.columns.iter().zip(&keys) {
            for down in [false, true] {
                let key = self.pathkey_for(root, e, k.opfamily, k.opcintype, k.collation, down, down, 0, false)?;
                let Some(key) = key else { return Ok((forward, backward)) };
                let out = if down { &mut backward } else { &mut forward };
                if !self.is_redundant(root, &key, out) {
                    out.push(key);
                }
            }
        }
        Ok((forward, backward))
    }

    fn append_in_order(&mut self, root: &Root, rti: RtIndex, paths: Vec<P>, keys: &[PathKey]) -> Option<P> {
        let rel = root.base.get(rti as usize)?.as_ref()?;
        let startup = paths.first().map_or(0.0, |p| p.startup);
        let total: f64 = paths.iter().map(|p| p.total).sum::<f64>() + self.cx.cost.cpu_tuple_cost * 0.5 * rel.rows;
        let disabled = paths.iter().map(|p| p.disabled).sum();
        let mut p = new_path(PathKind::Append { paths }, rel, None, rel.rows, (startup, total));
        (p.disabled, p.pathkeys) = (disabled, keys.to_vec());
        Some(Rc::new(p))
    }

    /// (PostgreSQL: `create_merge_append_path`, `cost_merge_append`)
    fn merge_append(&mut self, root: &Root, rti: RtIndex, paths: Vec<P>, keys: &[PathKey]) -> Option<P> {
        let rel = root.base.get(rti as usize)?.as_ref()?;
        // Its columns are compared: they must be among those it yields.
        for k in keys {
            let ec = root.ec(k.ec);
            let there = |m: &Em| rel.target.exprs.iter().any(|e| strip_relabel(e) == strip_relabel(&m.expr));
            if ec.has_volatile || !ec.members.iter().any(there) {
                return None;
            }
        }
        let c = self.cx.cost;
        let (mut startup, mut total, mut disabled) = (0.0, 0.0, 0);
        for p in &paths {
            let sorted = p.pathkeys.len() >= keys.len() && p.pathkeys[..keys.len()] == *keys;
            let (s, t) = match sorted {
                true => (p.startup, p.total),
                false => {
                    let cost = self.cost_sort(p.total, p.rows, p.target.width, -1.0);
                    (cost.startup, cost.total)
                }
            };
            startup += s;
            total += t;
            disabled += p.disabled + i32::from(!sorted && !c.enable_sort);
        }
        let n = paths.len().max(2) as f64;
        let compare = 2.0 * c.cpu_operator_cost;
        let first = compare * n * n.log2();
        let run = rel.rows * compare * n.log2() + c.cpu_tuple_cost * 0.5 * rel.rows;
        let cost = (startup + first, total + first + run);
        let mut p = new_path(PathKind::MergeAppend { paths }, rel, None, rel.rows, cost);
        (p.disabled, p.pathkeys) = (disabled, keys.to_vec());
        Some(Rc::new(p))
    }

    /// The members' paths, and the Append of the cheapest ones. (PostgreSQL: `set_append_rel_pathlist`)
    pub(crate) fn append_paths(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let members = rel.members.clone();
        let mut total: Vec<P> = Vec::new();
        let mut startup: Vec<P> = Vec::new();
        let mut live: Vec<RtIndex> = Vec::new();
        for m in &members {
            self.base_paths(root, m.rti)?;
            let Some(Some(child)) = root.base.get_mut(m.rti as usize) else { continue };
            if child.is_dummy() {
                continue;
            }
            child.set_cheapest()?;
            if child.is_dummy() {
                continue;
            }
            live.push(m.rti);
            total.extend(child.cheapest_total.clone());
            startup.extend(child.cheapest_startup.clone());
        }
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let (target, consider_startup) = (rel.target.clone(), rel.consider_startup);
        let mut lists = vec![total];
        if consider_startup {
            lists.push(startup);
        }
        for paths in lists {
            if paths.is_empty() {
                let p = dummy_path(root.base[rti as usize].as_ref().ok_or_else(crate::joinrels::no_rel)?);
                self.add_base(root, rti, p);
                return Ok(());
            }
            let made = self.append_path(paths, target.clone());
            let PathKind::Append { paths } = &made.kind else { continue };
            let Some(Some(rel)) = root.base.get(rti as usize) else { continue };
            let kind = PathKind::Append { paths: paths.clone() };
            let mut p = new_path(kind, rel, None, rel.rows, (made.startup, made.total));
            p.disabled = made.disabled;
            self.add_base(root, rti, Rc::new(p));
        }
        self.ordered_appends(root, rti, &live)
    }

    /// The Append of a partitioned table with other columns: its members compute them. (PostgreSQL:
    /// `apply_scanjoin_target_to_paths`)
    pub(crate) fn project_members(&mut self, root: &Root, p: &P, target: &Rc<Target>) -> Result<Option<P>> {
        let (PathKind::Append { paths } | PathKind::MergeAppend { paths }) = &p.kind else { return Ok(None) };
        let merged = matches!(p.kind, PathKind::MergeAppend { .. });
        if merged || !p.pathkeys.is_empty() {
            return self.project_in_order(root, p, paths, target, merged);
        }
        let Some(rti) = p.relids.as_single() else { return Ok(None) };
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        let partitioned = rel.relation.as_ref().is_some_and(|r| r.kind() == catalog::relkind::PARTITIONED_TABLE);
        if !partitioned || paths.is_empty() || p.target.exprs == target.exprs {
            return Ok(None);
        }
        let members = rel.members.clone();
        let mut below = Vec::with_capacity(paths.len());
        for child in paths {
            let Some(m) = members.iter().find(|m| child.relids.as_single() == Some(m.rti)) else { return Ok(None) };
            let mut t = Target::default();
            for (e, r) in target.exprs.iter().zip(&target.refs) {
                t.push(self.for_member(root, e, rti, m)?, *r);
            }
            let t = self.cost_target(root, t)?;
            below.push(self.project(child, t));
        }
        let made = self.append_path(below, target.clone());
        let PathKind::Append { paths } = &made.kind else { return Ok(None) };
        let mut out = upper_path(PathKind::Append { paths: paths.clone() }, p, target.clone());
        (out.startup, out.total) = (made.startup, made.total);
        Ok(Some(Rc::new(out)))
    }

    fn project_in_order(
        &mut self,
        root: &Root,
        p: &P,
        paths: &[P],
        target: &Rc<Target>,
        merged: bool,
    ) -> Result<Option<P>> {
        let Some(rti) = p.relids.as_single() else { return Ok(None) };
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        let partitioned = rel.relation.as_ref().is_some_and(|r| r.kind() == catalog::relkind::PARTITIONED_TABLE);
        // What is merged by must stay among the columns.
        let kept = |k: &PathKey| {
            let there = |m: &Em| target.exprs.iter().any(|e| strip_relabel(e) == strip_relabel(&m.expr));
            root.ec(k.ec).members.iter().any(there)
        };
        if !partitioned || p.target.exprs == target.exprs || (merged && !p.pathkeys.iter().all(kept)) {
            return Ok(None);
        }
        let members = rel.members.clone();
        let mut below = Vec::with_capacity(paths.len());
        let mut more = (0.0, 0.0);
        for child in paths {
            let Some(m) = members.iter().find(|m| child.relids.as_single() == Some(m.rti)) else { return Ok(None) };
            let mut t = Target::default();
            for (e, r) in target.exprs.iter().zip(&target.refs) {
                t.push(self.for_member(root, e, rti, m)?, *r);
            }
            let t = self.cost_target(root, t)?;
            let q = self.project(child, t);
            more = (more.0 + q.startup - child.startup, more.1 + q.total - child.total);
            below.push(q);
        }
        let kind = if merged { PathKind::MergeAppend { paths: below } } else { PathKind::Append { paths: below } };
        let mut out = upper_path(kind, p, target.clone());
        (out.startup, out.total) = (p.startup + more.0, p.total + more.1);
        Ok(Some(Rc::new(out)))
    }
}
