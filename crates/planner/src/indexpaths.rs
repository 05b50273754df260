//! Index scans, index-only scans and bitmap scans: which conditions an index can use, what that costs.
//!
//! PostgreSQL: `indxpath.c`, `btcostestimate`, `predtest.c` (in small part).

use std::rc::Rc;

use analyze::query::*;
use base::{Oid, Result};
use types::oid::*;

use crate::basepaths::movable_to;
use crate::cost::clamp_row_est;
use crate::node::*;
use crate::pathnode::*;
use crate::relids::Relids;
use crate::selfuncs::SelContext;
use crate::util::*;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Bitmap,
    Any,
}

/// Conditions by index column.
type ByColumn = Vec<Vec<IndexClause>>;

impl Planner<'_, '_> {
    /// Which partial indexes the query's conditions allow. (PostgreSQL: `check_index_predicates`)
    pub(crate) fn check_predicates(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let indexes = rel.indexes.clone();
        for index in &indexes {
            let mut kept = rel.baserestrict.clone();
            if !index.predicate.is_empty() {
                let known: Vec<&Expr> = rel.baserestrict.iter().map(|r| &r.clause).collect();
                let ok = self.implied_by(known, &index.predicate)?;
                index.pred_ok.set(ok);
                // A row that is locked or changed is checked again when it has changed meanwhile, without the index.
                let is_target = root.parse.result_relation == Some(rti) || root.row_marks.iter().any(|m| m.rti == rti);
                if ok && !is_target {
                    let mut rest = Vec::new();
                    for r in kept {
                        // What the index promises need not be checked.
                        let promised = !is_mutable(&self.cx.catalog, &r.clause)?
                            && self.implied_by(&index.predicate, [&r.clause])?;
                        if !promised {
                            rest.push(r);
                        }
                    }
                    kept = rest;
                }
            }
            *index.restrict.borrow_mut() = kept;
        }
        Ok(())
    }

    /// (PostgreSQL: `create_index_paths`)
    pub(crate) fn index_paths(&mut self, root: &mut Root, rti: RtIndex) -> Result<()> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let indexes = rel.indexes.clone();
        if indexes.is_empty() {
            return Ok(());
        }
        let join_ok = rel.lateral.is_empty() || true;
        let mut bitmaps: Vec<P> = Vec::new();
        let mut join_bitmaps: Vec<P> = Vec::new();
        for index in &indexes {
            if !index.predicate.is_empty() && !index.pred_ok.get() {
                continue;
            }
            let mut clauses: ByColumn = vec![Vec::new(); index.nkeys];
            let restrict = index.restrict.borrow().clone();
            for r in &restrict {
                self.match_clause(root, index, r, &mut clauses)?;
            }
            for p in self.build_index_paths(root, rti, index, &clauses, Wanted::Any)? {
                let has_clauses = matches!(&p.kind, PathKind::Index { clauses, .. } if !clauses.is_empty());
                if has_clauses && p.param.is_none() {
                    bitmaps.push(p.clone());
                }
                self.add_index_path(root, rti, p);
            }
            if join_ok {
                self.join_index_paths(root, rti, index, &clauses, &mut join_bitmaps)?;
            }
        }
        self.or_bitmaps(root, rti, &mut bitmaps)?;
        if !bitmaps.is_empty() {
            if let Some(b) = self.choose_bitmap(root, rti, bitmaps.clone())? {
                self.add_bitmap(root, rti, b, 1.0)?;
            }
        }
        // For each set of outer relations, with those conditions that need fewer.
        let mut seen: Vec<Relids> = Vec::new();
        for p in &join_bitmaps {
            let req = p.req_outer();
            if !seen.contains(&req) {
                seen.push(req);
            }
        }
        for req in seen {
            let mut some: Vec<P> = join_bitmaps.iter().filter(|p| p.req_outer().is_subset(&req)).cloned().collect();
            some.extend(bitmaps.iter().cloned());
            if let Some(b) = self.choose_bitmap(root, rti, some)? {
                let loops = self.loop_count(root, rti, &bitmap_req(&b));
                self.add_bitmap(root, rti, b, loops)?;
            }
        }
        Ok(())
    }

    fn add_index_path(&self, root: &mut Root, rti: RtIndex, p: P) {
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.add(p);
        }
    }

    // ---- which conditions fit ----

    fn match_clause(&mut self, root: &Root, index: &Rc<IndexOpt>, r: &Ri, out: &mut ByColumn) -> Result<()> {
        if r.pseudoconstant {
            return Ok(());
        }
        for c in 0..index.nkeys {
            if out[c].iter().any(|k| Rc::ptr_eq(&k.rinfo, r)) {
                return Ok(());
            }
            if let Some(k) = self.match_column(root, index, r, c)? {
                out[c].push(k);
                return Ok(());
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `match_index_to_operand`)
    fn is_index_column(&self, index: &IndexOpt, c: usize, e: &Expr) -> bool {
        let e = strip_relabel(e);
        match &index.exprs[c] {
            Some(x) => strip_relabel(x) == e,
            None => {
                matches!(e, Expr::Var(v) if v.varno == index.relid && v.varattno == index.columns[c] && v.varlevelsup == 0)
            }
        }
    }

    /// (PostgreSQL: `match_clause_to_indexcol`)
    fn match_column(&mut self, _root: &Root, index: &Rc<IndexOpt>, r: &Ri, c: usize) -> Result<Option<IndexClause>> {
        let family = index.opfamilies[c];
        let collation_ok = |given: Oid| !index.collations[c].is_valid() || index.collations[c] == given;
        let whole = |quals: Vec<Expr>, lossy: bool| Some(IndexClause { rinfo: r.clone(), quals, lossy, column: c });
        let free = |me: &Self, e: &Expr| -> Result<bool> {
            Ok(!varnos(e).contains(index.relid) && !is_volatile(&me.cx.catalog, e)?)
        };
        // A boolean column by itself is a condition.
        if index.types[c].oid == BOOLOID {
            let value = match &r.clause {
                e if self.is_index_column(index, c, e) => Some((e.clone(), true)),
                Expr::BoolExpr(b) if b.boolop == BoolExprType::Not && self.is_index_column(index, c, &b.args[0]) => {
                    Some((b.args[0].clone(), false))
                }
                Expr::BooleanTest(b) if self.is_index_column(index, c, &b.arg) => match b.booltesttype {
                    BoolTestType::IsTrue => Some((b.arg.clone(), true)),
                    BoolTestType::IsFalse => Some((b.arg.clone(), false)),
                    _ => None,
                },
                _ => None,
            };
            if let Some((e, v)) = value {
                let q = make_op(&self.cx.catalog, Oid(91), e, Expr::bool_const(Some(v)), Oid::INVALID)?;
                return Ok(whole(vec![q], false));
            }
        }
        match &r.clause {
            Expr::OpExpr(o) if o.args.len() == 2 => {
                let (l, x) = (&o.args[0], &o.args[1]);
                if self.is_index_column(index, c, l) && free(self, x)? {
                    if collation_ok(o.inputcollid) && self.in_family(o.opno, family)?.is_some() {
                        return Ok(whole(vec![r.clause.clone()], false));
                    }
                    return self.match_pattern(index, r, o, c);
                }
                if self.is_index_column(index, c, x) && free(self, l)? && collation_ok(o.inputcollid) {
                    let com = commutator(&self.cx.catalog, o.opno)?;
                    if com.is_valid() && self.in_family(com, family)?.is_some() {
                        let mut q = o.clone();
                        q.opno = com;
                        q.opfuncid = self.cx.catalog.operator(com)?.map_or(Oid::INVALID, |p| p.oprcode);
                        q.args.swap(0, 1);
                        return Ok(whole(vec![Expr::OpExpr(q)], false));
                    }
                }
                Ok(None)
            }
            Expr::ScalarArrayOpExpr(s) if s.use_or => {
                if self.is_index_column(index, c, &s.args[0])
                    && free(self, &s.args[1])?
                    && collation_ok(s.inputcollid)
                    && self.in_family(s.opno, family)? == Some(3)
                {
                    return Ok(whole(vec![r.clause.clone()], false));
                }
                Ok(None)
            }
            Expr::BoolExpr(b) if b.boolop == BoolExprType::Or => {
                let quals = self.or_as_any(index, &b.args, c)?;
                Ok(quals.and_then(|q| whole(vec![q], false)))
            }
            Expr::NullTest(n) if !n.argisrow && self.is_index_column(index, c, &n.arg) => {
                Ok(whole(vec![r.clause.clone()], false))
            }
            Expr::RowCompareExpr(rc) => {
                // Only the first column decides, the others are checked again.
                use RowCompareType::*;
                if !matches!(rc.cmptype, Lt | Le | Ge | Gt) {
                    return Ok(None);
                }
                let mut all_right = Relids::new();
                rc.rargs.iter().for_each(|e| all_right.add(&varnos(e)));
                if !self.is_index_column(index, c, &rc.largs[0])
                    || all_right.contains(index.relid)
                    || !collation_ok(rc.inputcollids[0])
                {
                    return Ok(None);
                }
                let ops = self.cx.catalog.operator(rc.opnos[0])?;
                let Some(op) = ops else { return Ok(None) };
                let strategy = match rc.cmptype {
                    Lt | Le => 2,
                    _ => 4,
                };
                let Some(le) = self.cx.catalog.opfamily_member(family, op.oprleft, op.oprright, strategy)? else {
                    return Ok(None);
                };
                let q = make_op(&self.cx.catalog, le, rc.largs[0].clone(), rc.rargs[0].clone(), rc.inputcollids[0])?;
                Ok(whole(vec![q], true))
            }
            _ => Ok(None),
        }
    }

    /// `x = 1 OR x = 2` is `x = ANY ('{1,2}')`. (PostgreSQL: `match_orclause_to_indexcol`)
    fn or_as_any(&mut self, index: &IndexOpt, args: &[Expr], c: usize) -> Result<Option<Expr>> {
        let mut values = Vec::new();
        let mut first: Option<OpExpr> = None;
        for a in args {
            let Expr::OpExpr(o) = a else { return Ok(None) };
            let mut o = (**o).clone();
            if o.args.len() != 2 {
                return Ok(None);
            }
            if !self.is_index_column(index, c, &o.args[0]) {
                o.opno = commutator(&self.cx.catalog, o.opno)?;
                o.args.swap(0, 1);
            }
            let value = &o.args[1];
            let fits = o.opno.is_valid()
                && self.is_index_column(index, c, &o.args[0])
                && matches!(value, Expr::Const(_) | Expr::Param(_))
                && (!index.collations[c].is_valid() || index.collations[c] == o.inputcollid)
                && self.in_family(o.opno, index.opfamilies[c])? == Some(3);
            if !fits {
                return Ok(None);
            }
            if let Some(f) = &first
                && (f.opno != o.opno
                    || f.inputcollid != o.inputcollid
                    || f.args[0] != o.args[0]
                    || f.args[1].type_oid() != value.type_oid())
            {
                return Ok(None);
            }
            values.push(value.clone());
            first.get_or_insert(o);
        }
        let Some(first) = first else { return Ok(None) };
        let elem = first.args[1].type_oid();
        let Some(array) = self.cx.catalog.array_type(elem)? else { return Ok(None) };
        let mut list = Expr::ArrayExpr(Box::new(ArrayExpr {
            array_typeid: array,
            array_collid: first.args[1].collation(),
            element_typeid: elem,
            elements: values,
            multidims: false,
            location: base::error::Location::UNKNOWN,
        }));
        self.fold(&mut list)?;
        let func = self.cx.catalog.operator(first.opno)?.map_or(Oid::INVALID, |p| p.oprcode);
        Ok(Some(Expr::ScalarArrayOpExpr(Box::new(ScalarArrayOpExpr {
            opno: first.opno,
            opfuncid: func,
            use_or: true,
            inputcollid: first.inputcollid,
            args: vec![first.args[0].clone(), list],
            location: base::error::Location::UNKNOWN,
        }))))
    }

    fn in_family(&self, op: Oid, family: Oid) -> Result<Option<i16>> {
        Ok(self.cx.catalog.operator_in_family(op, b's', family)?.map(|m| m.amopstrategy))
    }

    /// LIKE and regular expressions with a fixed prefix bound the column. (PostgreSQL: `like_regex_support`)
    fn match_pattern(&mut self, index: &Rc<IndexOpt>, r: &Ri, o: &OpExpr, c: usize) -> Result<Option<IndexClause>> {
        let Some(op) = self.cx.catalog.operator(o.opno)? else { return Ok(None) };
        let name = self.cx.catalog.function(op.oprrest)?.map_or(String::new(), |p| p.proname.clone());
        let like = match name.as_str() {
            "likesel" => true,
            "regexeqsel" => false,
            _ => return Ok(None),
        };
        let value = self.estimate_value(&o.args[1])?;
        let (Expr::Const(k), Expr::Const(_)) = (&value, &o.args[1]) else { return Ok(None) };
        let types::Datum::Bytes(pattern) = &k.value else { return Ok(None) };
        let (prefix, _, exact) = if like {
            crate::selfuncs::like_prefix(pattern, false)
        } else {
            crate::selfuncs::regex_prefix(pattern, false)
        };
        if prefix.is_empty() {
            return Ok(None);
        }
        let family = index.opfamilies[c];
        // Comparisons of the pattern families are bytewise, those of the others only under collation C.
        const TEXT_PATTERN: Oid = Oid(2095);
        let bytewise = family == TEXT_PATTERN
            || index.collations[c] == C_COLLATION
            || (index.collations[c] == DEFAULT_COLLATION && self.cx.rt.settings().database_collation_is_c);
        let column = &o.args[0];
        let left_ty = column.type_oid();
        let right_ty = TEXTOID;
        let left = match left_ty {
            NAMEOID => NAMEOID,
            TEXTOID | VARCHAROID => TEXTOID,
            _ => return Ok(None),
        };
        let konst = |bytes: &[u8]| {
            let ty = TypeMod { oid: right_ty, typmod: -1, collation: DEFAULT_COLLATION };
            Expr::Const(Const {
                ty,
                len: -1,
                byval: false,
                value: types::Datum::bytes(bytes),
                location: base::error::Location::UNKNOWN,
            })
        };
        let member = |me: &Self, s: i16| -> Result<Option<Oid>> {
            let m = me.cx.catalog.opfamily_member(family, left, right_ty, s)?;
            Ok(m)
        };
        let coll = index.collations[c];
        if exact {
            let Some(eq) = member(self, 3)? else { return Ok(None) };
            let q = make_op(&self.cx.catalog, eq, column.clone(), konst(&prefix), coll)?;
            return Ok(Some(IndexClause { rinfo: r.clone(), quals: vec![q], lossy: true, column: c }));
        }
        if !bytewise {
            return Ok(None);
        }
        let Some(ge) = member(self, 4)? else { return Ok(None) };
        let mut quals = vec![make_op(&self.cx.catalog, ge, column.clone(), konst(&prefix), coll)?];
        if let (Some(next), Some(lt)) = (crate::selfuncs::next_string(&prefix), member(self, 1)?) {
            quals.push(make_op(&self.cx.catalog, lt, column.clone(), konst(&next), coll)?);
        }
        Ok(Some(IndexClause { rinfo: r.clone(), quals, lossy: true, column: c }))
    }

    // ---- join clauses ----

    /// (PostgreSQL: `match_join_clauses_to_index`, `match_eclass_clauses_to_index`, `consider_index_join_clauses`)
    fn join_index_paths(
        &mut self,
        root: &mut Root,
        rti: RtIndex,
        index: &Rc<IndexOpt>,
        restrict: &ByColumn,
        bitmaps: &mut Vec<P>,
    ) -> Result<()> {
        let mut joins: ByColumn = vec![Vec::new(); index.nkeys];
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let list: Vec<Ri> = rel.joininfo.iter().filter(|r| movable_to(r, rel)).cloned().collect();
        let (has_ec, referencers) = (rel.has_eclass_joins, rel.lateral_referencers.clone());
        for r in &list {
            self.match_clause(root, index, r, &mut joins)?;
        }
        let mut ecs: ByColumn = vec![Vec::new(); index.nkeys];
        if has_ec {
            for c in 0..index.nkeys {
                let (family, coll) = (index.opfamilies[c], index.collations[c]);
                let ix = index.clone();
                let column = self.index_column_expr(index, c);
                let mut matches = |ec: &Ec, m: &Em| {
                    (!coll.is_valid() || coll == ec.collation)
                        && ec.opfamilies.contains(&family)
                        && strip_relabel(&m.expr) == strip_relabel(&column)
                        && ix.relid == rti
                };
                let found = self.column_equalities(root, rti, &mut matches, &referencers)?;
                for r in found {
                    if let Some(k) = self.match_column(root, index, &r, c)? {
                        ecs[c].push(k);
                    }
                }
            }
        }
        if joins.iter().all(Vec::is_empty) && ecs.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let mut considered: Vec<Relids> = Vec::new();
        let mut total = 0;
        for c in 0..index.nkeys {
            total += joins[c].len() + ecs[c].len();
            for k in joins[c].iter().chain(&ecs[c]).cloned().collect::<Vec<_>>() {
                let relids = k.rinfo.clause_relids.clone();
                if considered.contains(&relids) {
                    continue;
                }
                let before = considered.clone();
                for old in before {
                    if relids.is_subset(&old) || old.is_subset(&relids) || considered.len() >= 10 * total {
                        continue;
                    }
                    let both = relids.union(&old);
                    self.join_index_paths_for(
                        root,
                        rti,
                        index,
                        restrict,
                        &joins,
                        &ecs,
                        &both,
                        &mut considered,
                        bitmaps,
                    )?;
                }
                self.join_index_paths_for(root, rti, index, restrict, &joins, &ecs, &relids, &mut considered, bitmaps)?;
            }
        }
        Ok(())
    }

    fn join_index_paths_for(
        &mut self,
        root: &mut Root,
        rti: RtIndex,
        index: &Rc<IndexOpt>,
        restrict: &ByColumn,
        joins: &ByColumn,
        ecs: &ByColumn,
        relids: &Relids,
        considered: &mut Vec<Relids>,
        bitmaps: &mut Vec<P>,
    ) -> Result<()> {
        if considered.contains(relids) {
            return Ok(());
        }
        considered.push(relids.clone());
        let mut clauses: ByColumn = Vec::new();
        for c in 0..index.nkeys {
            let mut list: Vec<IndexClause> = Vec::new();
            for k in joins[c].iter().chain(&ecs[c]) {
                if k.rinfo.clause_relids.is_subset(relids) && !list.iter().any(|x| same_ec(&x.rinfo, &k.rinfo)) {
                    list.push(k.clone());
                }
            }
            list.extend(restrict[c].iter().cloned());
            clauses.push(list);
        }
        for p in self.build_index_paths(root, rti, index, &clauses, Wanted::Any)? {
            if p.param.is_some() {
                bitmaps.push(p.clone());
            }
            self.add_index_path(root, rti, p);
        }
        Ok(())
    }

    // ---- paths of one index ----

    /// (PostgreSQL: `build_index_paths`)
    fn build_index_paths(
        &mut self,
        root: &mut Root,
        rti: RtIndex,
        index: &Rc<IndexOpt>,
        by_column: &ByColumn,
        wanted: Wanted,
    ) -> Result<Vec<P>> {
        let clauses: Vec<IndexClause> = by_column.iter().flatten().cloned().collect();
        let mut outer = Relids::new();
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(Vec::new()) };
        outer.add(&rel.lateral);
        for k in &clauses {
            outer.add(&k.rinfo.clause_relids);
        }
        outer.remove(rti);
        let relids_set = rel.relids.clone();
        let loops = self.loop_count(root, rti, &outer);
        let mut keys = Vec::new();
        let mut back_keys = Vec::new();
        let wants_order = !root.query_pathkeys.is_empty()
            || root.base[rti as usize].as_ref().is_some_and(|r| r.has_eclass_joins || !r.joininfo.is_empty());
        if wanted != Wanted::Bitmap && wants_order {
            keys = self.index_pathkeys(root, index, false)?;
            keys = self.useful_keys(root, rti, keys);
            back_keys = self.index_pathkeys(root, index, true)?;
            back_keys = self.useful_keys(root, rti, back_keys);
        }
        let only = wanted != Wanted::Bitmap && self.index_only_possible(root, rti, index);
        let useful_pred = !index.predicate.is_empty() && index.pred_ok.get();
        let mut out = Vec::new();
        if clauses.is_empty() && keys.is_empty() && back_keys.is_empty() && !useful_pred && !only {
            return Ok(out);
        }
        let param = self.base_param(root, rti, &outer)?;
        let _ = relids_set;
        if !clauses.is_empty() || !keys.is_empty() || useful_pred || only {
            out.push(self.index_path(root, rti, index, clauses.clone(), keys, false, only, param.clone(), loops)?);
        }
        if !back_keys.is_empty() {
            out.push(self.index_path(root, rti, index, clauses, back_keys, true, only, param, loops)?);
        }
        Ok(out)
    }

    fn index_path(
        &mut self,
        root: &Root,
        rti: RtIndex,
        index: &Rc<IndexOpt>,
        clauses: Vec<IndexClause>,
        keys: Vec<PathKey>,
        backward: bool,
        only: bool,
        param: Option<Rc<ParamInfo>>,
        loops: f64,
    ) -> Result<P> {
        let Some(Some(rel)) = root.base.get(rti as usize) else {
            return Err(base::PgError::internal("no such relation"));
        };
        let (cost, index_cost, selectivity) =
            self.cost_index(root, rel, index, &clauses, param.as_deref(), only, loops)?;
        let rows = param.as_ref().map_or(rel.rows, |p| p.rows);
        let kind = PathKind::Index { index: index.clone(), clauses, backward, only, selectivity, index_cost };
        let mut p = new_path(kind, rel, param, rows, cost);
        p.pathkeys = keys;
        p.disabled = i32::from(!self.cx.cost.enable_indexscan);
        Ok(Rc::new(p))
    }

    /// Whether the index holds all columns that are needed. (PostgreSQL: `check_index_only`)
    fn index_only_possible(&self, root: &Root, rti: RtIndex, index: &IndexOpt) -> bool {
        if !self.cx.cost.enable_indexonlyscan {
            return false;
        }
        let Some(Some(rel)) = root.base.get(rti as usize) else { return false };
        let mut needed: Vec<i16> = rel.attrs_needed.iter().map(|a| a.0).collect();
        for r in index.restrict.borrow().iter() {
            walk(&r.clause, &mut |x| {
                if let Expr::Var(v) = x
                    && v.varno == rti
                {
                    needed.push(v.varattno);
                }
                true
            });
        }
        for r in &rel.joininfo {
            walk(&r.clause, &mut |x| {
                if let Expr::Var(v) = x
                    && v.varno == rti
                {
                    needed.push(v.varattno);
                }
                true
            });
        }
        // A column of another type in the index (name as cstring) reads back the same.
        needed.iter().all(|n| *n > 0 && index.columns.contains(n))
    }

    /// How often a parameterised scan will be repeated. (PostgreSQL: `get_loop_count`)
    fn loop_count(&self, root: &Root, rti: RtIndex, outer: &Relids) -> f64 {
        if outer.is_empty() {
            return 1.0;
        }
        let mut best = 0.0;
        for r in outer.iter() {
            let Some(Some(rel)) = root.base.get(r as usize) else { continue };
            let mut rows = rel.rows;
            // Inside a semijoin's inner side at most as many as the outer one has different values: leave it at rows.
            for sj in &root.sj {
                if sj.jointype == JoinType::Semi && sj.syn_left.contains(rti) && sj.syn_right.contains(r) {
                    rows = rows.max(1.0);
                }
            }
            if best == 0.0 || rows < best {
                best = rows;
            }
        }
        if best > 0.0 { best } else { 1.0 }
    }

    /// The first keys that something can use. (PostgreSQL: `truncate_useless_pathkeys`)
    fn useful_keys(&self, root: &Root, rti: RtIndex, mut keys: Vec<PathKey>) -> Vec<PathKey> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Vec::new() };
        let mut merging = 0;
        for k in &keys {
            let id = root.ec_id(k.ec);
            let ec = &root.ecs[id];
            let by_ec = rel.has_eclass_joins
                && !ec.has_const
                && ec.members.len() > 1
                && !ec.relids.is_subset(&rel.relids)
                && ec.members.iter().any(|m| !m.relids.is_empty() && !m.relids.overlaps(&rel.relids));
            let by_clause = rel.joininfo.iter().any(|r| {
                !r.merge_families.is_empty()
                    && [r.left_ec.get(), r.right_ec.get()].into_iter().flatten().any(|e| root.ec_id(e) == id)
            });
            if !by_ec && !by_clause {
                break;
            }
            merging += 1;
        }
        let prefix = |want: &[PathKey]| want.iter().zip(&keys).take_while(|(a, b)| a == b).count();
        let ordering = prefix(&root.sort_pathkeys).max(prefix(&root.query_pathkeys));
        let grouping = keys.iter().take_while(|k| root.group_pathkeys.contains(k)).count();
        let distinct = keys.iter().take_while(|k| root.distinct_pathkeys.contains(k)).count();
        let window = prefix(&root.window_pathkeys);
        keys.truncate(merging.max(ordering).max(grouping).max(distinct).max(window));
        keys
    }

    // ---- costs ----

    /// Cost of the index's own part: startup, total, selectivity, correlation, pages. (PostgreSQL: `btcostestimate`)
    fn cost_btree(
        &mut self,
        root: &Root,
        rel: &Rel,
        index: &IndexOpt,
        clauses: &[IndexClause],
        loops: f64,
    ) -> Result<(f64, f64, f64, f64, f64)> {
        let c = self.cx.cost.clone();
        let (mut boundary, mut sa_scans, mut col, mut found_eq) = (Vec::<Ri>::new(), 1.0f64, 0usize, false);
        let (mut found_saop, mut found_null) = (false, false);
        let mut columns_with_eq = vec![false; index.nkeys];
        for k in clauses {
            if k.column != col {
                if !found_eq || k.column != col + 1 {
                    break;
                }
                (col, found_eq) = (k.column, false);
            }
            for q in &k.quals {
                match q {
                    Expr::OpExpr(o) => {
                        if self.in_family(o.opno, index.opfamilies[col])? == Some(3) {
                            columns_with_eq[col] = true;
                            found_eq = true;
                        }
                    }
                    Expr::ScalarArrayOpExpr(s) => {
                        let n = crate::costsize::array_length(&s.args[1]);
                        found_saop = true;
                        if n > 1.0 {
                            sa_scans *= n;
                        }
                        columns_with_eq[col] = true;
                        found_eq = true;
                    }
                    Expr::NullTest(n) => {
                        found_null = true;
                        if !n.not {
                            columns_with_eq[col] = true;
                            found_eq = true;
                        }
                    }
                    _ => {}
                }
            }
            boundary.push(k.rinfo.clone());
        }
        let eq_all = columns_with_eq.iter().all(|e| *e);
        let index_tuples;
        if index.unique && eq_all && !found_saop && !found_null {
            index_tuples = 1.0;
        } else {
            let s = self.index_selectivity(root, rel, index, &boundary)?;
            let n = (s * rel.tuples) / sa_scans;
            index_tuples = n.round_ties_even().max(1.0);
            sa_scans = sa_scans.min((index.pages * 0.333_333_3).ceil()).max(1.0);
        }
        let all: Vec<Ri> = clauses.iter().map(|k| k.rinfo.clone()).collect();
        let selectivity = self.index_selectivity(root, rel, index, &all)?;
        let index_tuples = index_tuples.min(index.tuples.max(1.0)).max(1.0);
        let pages = if index.pages > 1.0 && index.tuples > 1.0 {
            (index_tuples * index.pages / index.tuples).ceil()
        } else {
            1.0
        };
        let scans = sa_scans * loops;
        let mut total = if scans > 1.0 {
            let fetched = self.pages_fetched(root, pages * scans, index.pages, index.pages);
            fetched * c.random_page_cost / loops
        } else {
            pages * c.random_page_cost
        };
        let (mut arg, mut ops) = (0.0, 0usize);
        for k in clauses {
            for q in &k.quals {
                ops += 1;
                let value = match q {
                    Expr::OpExpr(o) => o.args.get(1),
                    Expr::ScalarArrayOpExpr(s) => s.args.get(1),
                    _ => None,
                };
                if let Some(v) = value {
                    let x = self.expr_cost(v);
                    arg += x.0 + x.1;
                }
            }
        }
        let mut startup = arg;
        total += arg;
        total += index_tuples * sa_scans * (c.cpu_index_tuple_cost + c.cpu_operator_cost * ops as f64);
        if index.tuples > 1.0 {
            let descent = index.tuples.log2().ceil() * c.cpu_operator_cost;
            startup += descent;
            total += sa_scans * descent;
        }
        let descent = f64::from(index.tree_height.get() + 1) * 50.0 * c.cpu_operator_cost;
        startup += descent;
        total += sa_scans * descent;
        // The first column's order on disk stands for the index's.
        let e = self.index_column_expr(index, 0);
        let mut correlation = 0.0;
        if let Some(v) = self.examine(root, &e, 0)?
            && let Some(x) = self.correlation(&v)?
        {
            let x = if index.descending[0] { -x } else { x };
            correlation = if index.nkeys > 1 { x * 0.75 } else { x };
        }
        Ok((startup, total, selectivity, correlation, pages * sa_scans))
    }

    fn index_selectivity(&mut self, root: &Root, rel: &Rel, index: &IndexOpt, clauses: &[Ri]) -> Result<f64> {
        let mut s = self.list_selectivity(root, clauses, SelContext::scan(rel.relid))?;
        for p in &index.predicate {
            if !self.implied_by(clauses.iter().map(|c| &c.clause), [p])? {
                s *= self.clause_selectivity(root, p, SelContext::scan(rel.relid))?;
            }
        }
        Ok(s)
    }

    /// (PostgreSQL: `cost_index`)
    fn cost_index(
        &mut self,
        root: &Root,
        rel: &Rel,
        index: &Rc<IndexOpt>,
        clauses: &[IndexClause],
        param: Option<&ParamInfo>,
        only: bool,
        loops: f64,
    ) -> Result<((f64, f64), f64, f64)> {
        let (istart, itotal, selectivity, correlation, ipages) = self.cost_btree(root, rel, index, clauses, loops)?;
        let c = self.cx.cost.clone();
        let rows = param.map_or(rel.rows, |p| p.rows);
        let mut quals: Vec<Ri> = index.restrict.borrow().clone();
        if let Some(p) = param {
            quals.extend(p.clauses.iter().cloned());
        }
        quals.retain(|r| !clauses.iter().any(|k| !k.lossy && (Rc::ptr_eq(&k.rinfo, r) || same_ec(&k.rinfo, r))));
        let tuples = clamp_row_est(selectivity * rel.tuples);
        let pages = f64::from(rel.pages);
        let (max_io, min_io);
        if loops > 1.0 {
            let mut f = self.pages_fetched(root, tuples * loops, pages, index.pages);
            if only {
                f = (f * (1.0 - rel.allvisfrac)).ceil();
            }
            max_io = f * c.random_page_cost / loops;
            let mut f = (selectivity * pages).ceil();
            f = self.pages_fetched(root, f * loops, pages, index.pages);
            if only {
                f = (f * (1.0 - rel.allvisfrac)).ceil();
            }
            min_io = f * c.random_page_cost / loops;
        } else {
            let mut f = self.pages_fetched(root, tuples, pages, index.pages);
            if only {
                f = (f * (1.0 - rel.allvisfrac)).ceil();
            }
            max_io = f * c.random_page_cost;
            let mut f = (selectivity * pages).ceil();
            if only {
                f = (f * (1.0 - rel.allvisfrac)).ceil();
            }
            min_io = if f > 0.0 { c.random_page_cost + (f - 1.0).max(0.0) * c.seq_page_cost } else { 0.0 };
        }
        let _ = ipages;
        let square = correlation * correlation;
        let q = self.rinfos_cost(&quals);
        let startup = istart + q.0 + rel.target.startup;
        let mut run = itotal - istart;
        run += max_io + square * (min_io - max_io);
        run += (c.cpu_tuple_cost + q.1) * tuples + rel.target.per_tuple * rows;
        Ok(((startup, startup + run), itotal, selectivity))
    }

    // ---- bitmaps ----

    fn bitmap_node_cost(&self, p: &P) -> (f64, f64) {
        match &p.kind {
            PathKind::Index { selectivity, index_cost, .. } => {
                (index_cost + 0.1 * self.cx.cost.cpu_operator_cost * p.rows, *selectivity)
            }
            PathKind::BitmapAnd { selectivity, .. } | PathKind::BitmapOr { selectivity, .. } => (p.total, *selectivity),
            _ => (p.total, 1.0),
        }
    }

    /// Pages, tuples and index cost. (PostgreSQL: `compute_bitmap_pages`)
    fn bitmap_pages(&self, root: &Root, rel: &Rel, bitmap: &P, loops: f64) -> (f64, f64, f64) {
        let (cost, s) = self.bitmap_node_cost(bitmap);
        let tuples = clamp_row_est(s * rel.tuples);
        let t = if rel.pages > 1 { f64::from(rel.pages) } else { 1.0 };
        let mut pages = (2.0 * t * tuples) / (2.0 * t + tuples);
        if loops > 1.0 {
            let f = self.pages_fetched(root, tuples * loops, f64::from(rel.pages), bitmap_index_pages(bitmap));
            pages = f / loops;
        }
        pages = if pages >= t { t } else { pages.ceil() };
        (pages, tuples, cost)
    }

    /// (PostgreSQL: `cost_bitmap_heap_scan`)
    fn cost_bitmap_heap(
        &self,
        root: &Root,
        rel: &Rel,
        param: Option<&ParamInfo>,
        bitmap: &P,
        loops: f64,
    ) -> (f64, f64) {
        let c = self.cx.cost;
        let (pages, tuples, index_cost) = self.bitmap_pages(root, rel, bitmap, loops);
        let t = if rel.pages > 1 { f64::from(rel.pages) } else { 1.0 };
        let q = self.scan_quals_cost(rel, param);
        let rows = param.map_or(rel.rows, |p| p.rows);
        let startup = index_cost + q.0 + rel.target.startup;
        let per_page = if pages >= 2.0 {
            c.random_page_cost - (c.random_page_cost - c.seq_page_cost) * (pages / t).sqrt()
        } else {
            c.random_page_cost
        };
        let run = pages * per_page + (c.cpu_tuple_cost + q.1) * tuples + rel.target.per_tuple * rows;
        (startup, startup + run)
    }

    fn add_bitmap(&mut self, root: &mut Root, rti: RtIndex, bitmap: P, loops: f64) -> Result<()> {
        let req = bitmap_req(&bitmap);
        let param = self.base_param(root, rti, &req)?;
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let cost = self.cost_bitmap_heap(root, rel, param.as_deref(), &bitmap, loops);
        let rows = param.as_ref().map_or(rel.rows, |p| p.rows);
        let mut p = new_path(PathKind::BitmapHeap { bitmap }, rel, param, rows, cost);
        p.disabled = i32::from(!self.cx.cost.enable_bitmapscan);
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.add(Rc::new(p));
        }
        Ok(())
    }

    /// The best single bitmap, or several that are worth combining. (PostgreSQL: `choose_bitmap_and`)
    fn choose_bitmap(&mut self, root: &Root, rti: RtIndex, mut paths: Vec<P>) -> Result<Option<P>> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(None) };
        // Of paths with the same conditions only the cheapest counts.
        let mut distinct: Vec<P> = Vec::new();
        paths.retain(|p| !matches!(&p.kind, PathKind::Index { clauses, .. } if clauses.is_empty()));
        for p in paths {
            let q = bitmap_quals(&p);
            match distinct.iter_mut().find(|d| bitmap_quals(d) == q) {
                Some(d) => {
                    if self.bitmap_node_cost(&p).0 < self.bitmap_node_cost(d).0 {
                        *d = p;
                    }
                }
                None => distinct.push(p),
            }
        }
        distinct.sort_by(|a, b| {
            let (x, y) = (self.bitmap_node_cost(a), self.bitmap_node_cost(b));
            x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1))
        });
        let mut best: Option<(f64, P)> = None;
        for i in 0..distinct.len() {
            let mut set = vec![distinct[i].clone()];
            let mut used = bitmap_quals(&distinct[i]);
            let mut cost = self.cost_bitmap_heap(root, rel, None, &distinct[i], 1.0).1;
            for other in &distinct[i + 1..] {
                let q = bitmap_quals(other);
                if q.iter().any(|x| used.contains(x)) {
                    continue;
                }
                set.push(other.clone());
                let and = self.bitmap_and(rel, set.clone());
                let c = self.cost_bitmap_heap(root, rel, None, &and, 1.0).1;
                if c < cost {
                    cost = c;
                    used.extend(q);
                } else {
                    set.pop();
                }
            }
            let path = if set.len() == 1 { set.swap_remove(0) } else { self.bitmap_and(rel, set) };
            if best.as_ref().is_none_or(|b| cost < b.0) {
                best = Some((cost, path));
            }
        }
        Ok(best.map(|b| b.1))
    }

    fn bitmap_and(&self, rel: &Rel, paths: Vec<P>) -> P {
        let (mut total, mut s) = (0.0, 1.0);
        for (i, p) in paths.iter().enumerate() {
            let (c, x) = self.bitmap_node_cost(p);
            total += c;
            s *= x;
            if i > 0 {
                total += 100.0 * self.cx.cost.cpu_operator_cost;
            }
        }
        let rows = clamp_row_est(s * rel.tuples);
        Rc::new(new_path(PathKind::BitmapAnd { paths, selectivity: s }, rel, None, rows, (total, total)))
    }

    /// ORs whose arms all have an index. (PostgreSQL: `generate_bitmap_or_paths`)
    fn or_bitmaps(&mut self, root: &mut Root, rti: RtIndex, out: &mut Vec<P>) -> Result<()> {
        let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
        let (clauses, indexes) = (rel.baserestrict.clone(), rel.indexes.clone());
        for r in clauses.iter().filter(|r| !r.or_arms.is_empty()) {
            let mut parts = Vec::new();
            for arm in &r.or_arms {
                let mut candidates = Vec::new();
                for index in &indexes {
                    // A partial index may fit one arm only.
                    let mut useful = false;
                    if !index.predicate.is_empty() && !index.pred_ok.get() {
                        let others = clauses.iter().filter(|o| !Rc::ptr_eq(o, r));
                        let all: Vec<&Expr> = arm.iter().chain(others.clone()).map(|x| &x.clause).collect();
                        if !self.implied_by(all, &index.predicate)? {
                            continue;
                        }
                        useful = !self.implied_by(others.map(|x| &x.clause), &index.predicate)?;
                    }
                    let mut by: ByColumn = vec![Vec::new(); index.nkeys];
                    for a in arm {
                        self.match_clause(root, index, a, &mut by)?;
                    }
                    if by.iter().all(Vec::is_empty) && !useful {
                        continue;
                    }
                    // The other conditions may help the arm.
                    for other in clauses.iter().filter(|o| !Rc::ptr_eq(o, r)) {
                        self.match_clause(root, index, other, &mut by)?;
                    }
                    candidates.extend(self.build_index_paths(root, rti, index, &by, Wanted::Bitmap)?);
                }
                candidates.retain(|p| p.param.is_none());
                match self.choose_bitmap(root, rti, candidates)? {
                    Some(p) => parts.push(p),
                    None => {
                        parts.clear();
                        break;
                    }
                }
            }
            if parts.is_empty() {
                continue;
            }
            let Some(Some(rel)) = root.base.get(rti as usize) else { return Ok(()) };
            let (mut total, mut s) = (0.0, 0.0f64);
            for (i, p) in parts.iter().enumerate() {
                let (c, x) = self.bitmap_node_cost(p);
                total += c;
                s += x;
                if i > 0 && !matches!(p.kind, PathKind::Index { .. }) {
                    total += 100.0 * self.cx.cost.cpu_operator_cost;
                }
            }
            let s = s.min(1.0);
            let rows = clamp_row_est(s * rel.tuples);
            out.push(Rc::new(new_path(
                PathKind::BitmapOr { paths: parts, selectivity: s },
                rel,
                None,
                rows,
                (total, total),
            )));
        }
        Ok(())
    }
}

fn bitmap_req(p: &P) -> Relids {
    match &p.kind {
        PathKind::BitmapAnd { paths, .. } | PathKind::BitmapOr { paths, .. } => {
            let mut r = Relids::new();
            paths.iter().for_each(|x| r.add(&bitmap_req(x)));
            r
        }
        _ => p.req_outer(),
    }
}
fn bitmap_index_pages(p: &P) -> f64 {
    match &p.kind {
        PathKind::BitmapAnd { paths, .. } | PathKind::BitmapOr { paths, .. } => {
            paths.iter().map(bitmap_index_pages).sum()
        }
        PathKind::Index { index, .. } => index.pages,
        _ => 0.0,
    }
}
/// The conditions that a bitmap enforces, by number.
fn bitmap_quals(p: &P) -> Vec<u32> {
    match &p.kind {
        PathKind::BitmapAnd { paths, .. } | PathKind::BitmapOr { paths, .. } => {
            let mut v: Vec<u32> = paths.iter().flat_map(bitmap_quals).collect();
            v.sort_unstable();
            v
        }
        PathKind::Index { clauses, index, .. } => {
            let mut v: Vec<u32> = clauses.iter().map(|k| k.rinfo.serial).collect();
            if !index.predicate.is_empty() {
                v.push(u32::MAX);
            }
            v.sort_unstable();
            v
        }
        _ => Vec::new(),
    }
}

/// Made from the same class for the same column: one is enough.
pub(crate) fn same_ec(a: &Ri, b: &Ri) -> bool {
    Rc::ptr_eq(a, b) || (a.parent_ec.is_some() && a.parent_ec == b.parent_ec)
}

/// Whether the second condition need not be checked where the first one is: both say that a column equals one of the same
/// relations' values, which are equal among themselves. (PostgreSQL: `is_redundant_with_indexclauses`. Different here:
/// values of other relations may not have been compared yet.)
pub(crate) fn same_condition(a: &Ri, b: &Ri) -> bool {
    Rc::ptr_eq(a, b) || (same_ec(a, b) && a.clause_relids == b.clause_relids)
}
