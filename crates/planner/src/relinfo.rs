//! Base relations: size, columns' widths, indexes.
//!
//! PostgreSQL: `relnode.c`, `plancat.c`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use analyze::query::*;
use base::{Oid, PgError, Result};
use catalog::{Relation, oids, relkind};
use types::oid::*;

use crate::cost::clamp_row_est;
use crate::node::*;
use crate::relids::Relids;
use crate::util::*;

/// Bytes before a tuple's data, and its line pointer.
const TUPLE_OVERHEAD: f64 = 24.0 + 4.0;
const PAGE_ROOM: f64 = 8192.0 - 24.0;

impl Planner<'_, '_> {
    /// (PostgreSQL: `add_base_rels_to_query`)
    pub(crate) fn build_base_rels(&mut self, root: &mut Root) -> Result<()> {
        root.base = (0..=root.parse.rtable.len()).map(|_| None).collect();
        let rels = crate::init::from_relids(&root.parse.jointree);
        root.all_baserels = rels.clone();
        for i in rels.clone().iter() {
            let mut rel = self.simple_rel(root, i)?;
            // An index of the parent tells nothing about its children, unless it spans them.
            let rte = root.parse.rte(i);
            if !matches!(rte.kind, RteKind::Relation { relkind: relkind::PARTITIONED_TABLE, .. })
                && self.has_members(rte)?
            {
                rel.indexes.clear();
            }
            root.base[i as usize] = Some(Box::new(rel));
        }
        Ok(())
    }

    pub(crate) fn simple_rel(&mut self, root: &Root, rti: RtIndex) -> Result<Rel> {
        let mut rel = Rel::new(Relids::single(rti));
        rel.relid = rti;
        rel.consider_startup = root.tuple_fraction > 0.0;
        let rte = root.parse.rte(rti).clone();
        match &rte.kind {
            RteKind::Relation { relid, relkind, .. } => self.relation_info(root, &mut rel, *relid, *relkind)?,
            RteKind::Subquery { .. }
            | RteKind::Function { .. }
            | RteKind::Values { .. }
            | RteKind::Cte { .. }
            | RteKind::NamedTuplestore { .. }
            | RteKind::Result => {}
            RteKind::TableFunc(_) => {}
            RteKind::Join(_) | RteKind::Group { .. } => {
                return Err(PgError::internal("unexpected entry in the join tree"));
            }
        }
        Ok(rel)
    }

    fn relation_info(&mut self, root: &Root, rel: &mut Rel, oid: Oid, kind: u8) -> Result<()> {
        let entry = self.cx.catalog.relation_entry(oid)?;
        match kind {
            relkind::TABLE | relkind::MATERIALIZED_VIEW | relkind::TOAST | relkind::SEQUENCE => {}
            relkind::PARTITIONED_TABLE => {
                for i in &entry.indexes {
                    if let Some(index) = self.index_info(rel, *i)? {
                        rel.indexes.push(Rc::new(index));
                    }
                }
                rel.indexes.reverse();
                rel.relation = Some(entry);
                return Ok(());
            }
            relkind::FOREIGN_TABLE => return Err(PgError::unsupported("reading foreign tables")),
            _ => return Err(PgError::internal(format!("cannot scan relation \"{}\"", entry.name()))),
        }
        let (pages, tuples, vis) = self.relation_size(&entry)?;
        (rel.pages, rel.tuples, rel.allvisfrac) = (pages, tuples, vis);
        if kind != relkind::SEQUENCE {
            let target = root.parse.result_relation == Some(rel.relid);
            let _ = target;
            for i in &entry.indexes {
                if let Some(index) = self.index_info(rel, *i)? {
                    rel.indexes.push(Rc::new(index));
                }
            }
            // The newest first, as PostgreSQL lists them.
            rel.indexes.reverse();
        }
        if !entry.statistics.is_empty() {
            rel.statistics = std::sync::Arc::new(self.extended_statistics(&entry, rel.relid)?);
        }
        rel.relation = Some(entry);
        Ok(())
    }

    /// Pages, rows, share of all-visible pages. (PostgreSQL: `estimate_rel_size`)
    fn relation_size(&mut self, rel: &Arc<Relation>) -> Result<(u32, f64, f64)> {
        let mut pages = self.cx.sizes.nblocks(rel)?;
        let c = &rel.class;
        let (relpages, reltuples) = (c.relpages.max(0) as f64, f64::from(c.reltuples));
        if pages < 10 && reltuples < 0.0 && !c.relhassubclass {
            pages = 10;
        }
        if pages == 0 {
            return Ok((0, 0.0, 0.0));
        }
        let density = if reltuples >= 0.0 && relpages > 0.0 {
            reltuples / relpages
        } else {
            let mut width = 0.0;
            for (i, a) in rel.desc.attrs.iter().enumerate() {
                if !a.dropped {
                    width += f64::from(self.attr_width(rel, i as i16 + 1)?);
                }
            }
            let fill = f64::from(rel.fillfactor(100));
            clamp_row_est((PAGE_ROOM * fill / 100.0 / (width + TUPLE_OVERHEAD)).floor())
        };
        let tuples = (density * f64::from(pages)).round_ties_even();
        let vis = f64::from(c.relallvisible.max(0));
        let frac = if vis <= 0.0 { 0.0 } else { (vis / f64::from(pages)).min(1.0) };
        Ok((pages, tuples, frac))
    }

    /// A column's average width. (PostgreSQL: `get_attavgwidth`, `get_typavgwidth`)
    pub(crate) fn attr_width(&mut self, rel: &Relation, attno: i16) -> Result<i32> {
        if let Some(s) = self.cx.catalog.statistic(rel.oid, attno, false)?
            && s.stawidth > 0
        {
            return Ok(s.stawidth);
        }
        match usize::try_from(attno - 1).ok().and_then(|i| rel.desc.attrs.get(i)) {
            Some(a) => self.type_width(a.type_oid, a.typmod),
            None => Ok(8),
        }
    }
    pub(crate) fn type_width(&mut self, ty: Oid, typmod: i32) -> Result<i32> {
        if !ty.is_valid() {
            return Ok(32);
        }
        let t = self.cx.catalog.type_row(ty)?;
        if t.typlen > 0 {
            return Ok(i32::from(t.typlen));
        }
        let max = match ty {
            BPCHAROID | VARCHAROID if typmod > 4 => Some(typmod),
            NUMERICOID if typmod > 4 => {
                let precision = ((typmod - 4) >> 16) & 0xffff;
                Some(((precision + 2 * 3) / 4 + 1) * 2 + 8)
            }
            _ => None,
        };
        Ok(match (ty, max) {
            (BPCHAROID, Some(m)) => m,
            (_, Some(m)) if m <= 32 => m,
            (_, Some(m)) if m < 1000 => 32 + (m - 32) / 2,
            (_, Some(_)) => 32 + (1000 - 32) / 2,
            _ => 32,
        })
    }

    fn index_info(&mut self, rel: &Rel, oid: Oid) -> Result<Option<IndexOpt>> {
        let Some(entry) = self.cx.catalog.relation(oid)? else { return Ok(None) };
        let Some(info) = &entry.index else { return Ok(None) };
        if !info.row.indisvalid || !info.row.indislive || info.am != oids::BTREE_AM_OID {
            return Ok(None);
        }
        let read = |text: &Option<String>| -> Result<Option<Vec<Expr>>> {
            match text.as_deref() {
                None => Ok(Some(Vec::new())),
                Some(t) => match crate::stored::read_list(t, &self.cx.catalog) {
                    Ok(v) => Ok(Some(v)),
                    Err(e) if e.sqlstate() == base::sqlstate::FEATURE_NOT_SUPPORTED => Ok(None),
                    Err(e) => Err(e),
                },
            }
        };
        let (Some(expressions), Some(predicate)) = (read(&info.expressions)?, read(&info.predicate)?) else {
            return Ok(None);
        };
        let fix = |me: &mut Self, mut e: Expr| -> Result<Expr> {
            mutate(&mut e, &mut |x| {
                forget_location(x);
                if let Expr::Var(v) = x {
                    v.varno = rel.relid;
                }
                Ok(true)
            })?;
            me.fold(&mut e)?;
            Ok(e)
        };
        let mut exprs = Vec::new();
        let mut list = expressions.into_iter();
        for c in &info.columns {
            exprs.push(match c {
                0 => match list.next() {
                    Some(e) => Some(fix(self, e)?),
                    None => return Err(PgError::internal("too few entries in indexprs list")),
                },
                _ => None,
            });
        }
        let mut preds = Vec::new();
        for p in predicate {
            let p = fix(self, p)?;
            preds.extend(implicit_and(Some(self.canonical_qual(p))));
        }
        let pages = match entry.kind() {
            relkind::PARTITIONED_INDEX => 0,
            _ => self.cx.sizes.nblocks(&entry)?,
        };
        let mut pages = f64::from(pages);
        if pages < 1.0 {
            // One that was never written is taken as small.
            pages = 1.0;
        }
        let tuples = if preds.is_empty() {
            rel.tuples
        } else {
            let t = f64::from(entry.class.reltuples);
            let relpages = f64::from(entry.class.relpages.max(0));
            let guess =
                if t >= 0.0 && relpages > 1.0 { t / (relpages - 1.0) * (pages - 1.0).max(1.0) } else { rel.tuples };
            guess.round_ties_even().min(rel.tuples)
        };
        let types = entry
            .desc
            .attrs
            .iter()
            .map(|a| TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation })
            .collect();
        let n = info.key_count;
        // A page of inner keys points to some hundreds of pages.
        let height = if pages <= 2.0 { 0 } else { ((pages.ln() / 280f64.ln()).ceil() as i32).max(1) };
        let pred_ok = preds.is_empty();
        Ok(Some(IndexOpt {
            oid,
            relid: rel.relid,
            pages,
            tuples,
            tree_height: Cell::new(height),
            columns: info.columns.clone(),
            nkeys: n,
            opfamilies: info.opfamilies.clone(),
            input_types: info.input_types.clone(),
            collations: info.collations.clone(),
            descending: (0..n).map(|i| info.is_descending(i)).collect(),
            nulls_first: (0..n).map(|i| info.nulls_first(i)).collect(),
            exprs,
            predicate: preds,
            pred_ok: Cell::new(pred_ok),
            unique: info.row.indisunique,
            immediate: info.row.indimmediate,
            is_btree: true,
            restrict: RefCell::new(Vec::new()),
            types,
        }))
    }

    /// A key column of an index as an expression over the table.
    pub(crate) fn index_column_expr(&self, index: &IndexOpt, column: usize) -> Expr {
        match (&index.exprs[column], index.columns[column]) {
            (Some(e), _) => e.clone(),
            (None, attno) => make_var(index.relid, attno, self.index_table_type(index, column)),
        }
    }
    fn index_table_type(&self, index: &IndexOpt, column: usize) -> TypeMod {
        index.types[column]
    }

    /// Widths and evaluation costs of a relation's output. (PostgreSQL: `set_rel_width`)
    pub(crate) fn set_rel_width(&mut self, root: &Root, rel_target: &Target, rel: RtIndex) -> Result<Target> {
        let mut t = rel_target.clone();
        let mut width = 0;
        let entry = root.base[rel as usize].as_ref().and_then(|r| r.relation.clone());
        for e in &t.exprs {
            width += match (e, &entry) {
                (Expr::Var(v), Some(r)) if v.varattno > 0 => self.attr_width(r, v.varattno)?,
                (Expr::Var(v), Some(r)) if v.varattno == 0 => {
                    let mut w = 0;
                    for i in 0..r.desc.attrs.len() {
                        w += self.attr_width(r, i as i16 + 1)?;
                    }
                    w
                }
                (Expr::Var(v), _) if v.varattno > 0 => self.var_width(root, v)?,
                (e, _) => self.type_width(e.type_oid(), e.typmod())?,
            };
        }
        t.width = width;
        Ok(t)
    }
    fn var_width(&mut self, root: &Root, v: &Var) -> Result<i32> {
        if let Some(Some(rel)) = root.base.get(v.varno as usize)
            && let Some(sub) = &rel.subroot
            && let Some(te) = sub.tlist.iter().find(|t| t.resno == v.varattno)
            && let Expr::Var(inner) = &te.expr
            && let Some(Some(r)) = sub.base.get(inner.varno as usize)
            && let Some(entry) = &r.relation
            && inner.varattno > 0
        {
            return self.attr_width(&entry.clone(), inner.varattno);
        }
        self.type_width(v.vartype.oid, v.vartype.typmod)
    }
    /// The width of an expression's values.
    pub(crate) fn expr_width(&mut self, root: &Root, e: &Expr) -> Result<i32> {
        if let Expr::Var(v) = e
            && v.varlevelsup == 0
            && v.varattno > 0
        {
            if let Some(Some(rel)) = root.base.get(v.varno as usize)
                && let Some(r) = &rel.relation
            {
                return self.attr_width(&r.clone(), v.varattno);
            }
            return self.var_width(root, v);
        }
        self.type_width(e.type_oid(), e.typmod())
    }
}
