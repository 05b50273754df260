//! Which index serves a table's conditions: the one with the longest run of leading columns compared for equality.

use std::sync::Arc;

use analyze::query::*;
use base::{Oid, Result};
use catalog::Relation;

use super::{Planner, var};

/// An index with the conditions it takes.
pub(super) struct IndexMatch {
    pub index: Arc<Relation>,
    pub quals: Vec<Expr>,
    /// The same over the table's columns, and their places among the given conditions.
    pub orig: Vec<Expr>,
    pub used: Vec<usize>,
    pub equals: usize,
    /// At most one row.
    pub unique: bool,
}

fn is_column(e: &Expr, rti: RtIndex, attno: i16) -> bool {
    match e {
        Expr::Var(v) => v.varno == rti && v.varattno == attno,
        Expr::RelabelType(r) => is_column(&r.arg, rti, attno),
        _ => false,
    }
}

fn mentions(e: &Expr, rti: RtIndex) -> bool {
    e.any(&mut |x| matches!(x, Expr::Var(v) if v.varno == rti))
}

impl Planner<'_, '_> {
    /// The best match among a table's indexes.
    pub fn match_index(&self, rel: &Relation, rti: RtIndex, quals: &[Expr]) -> Result<Option<IndexMatch>> {
        let mut best: Option<IndexMatch> = None;
        for oid in &rel.indexes {
            let Some(index) = self.cx.catalog.relation(*oid)? else { continue };
            let Some(found) = self.match_one(&index, rti, quals)? else { continue };
            let score = |m: &IndexMatch| (m.unique, m.equals, m.quals.len());
            if best.as_ref().is_none_or(|b| score(&found) > score(b)) {
                best = Some(found);
            }
        }
        Ok(best)
    }

    fn match_one(&self, index: &Arc<Relation>, rti: RtIndex, quals: &[Expr]) -> Result<Option<IndexMatch>> {
        let Some(info) = &index.index else { return Ok(None) };
        if info.am != Oid(403) || !info.row.indisvalid || info.predicate.is_some() {
            return Ok(None);
        }
        let mut m = IndexMatch {
            index: index.clone(),
            quals: Vec::new(),
            orig: Vec::new(),
            used: Vec::new(),
            equals: 0,
            unique: false,
        };
        for key in 0..info.key_count {
            let attno = info.columns[key];
            if attno <= 0 {
                break;
            }
            let mut equal = false;
            for (i, q) in quals.iter().enumerate() {
                let Some((strategy, clause)) = self.match_qual(q, rti, attno, key, info)? else { continue };
                // One equality settles a column.
                if equal && strategy == 3 || m.used.contains(&i) {
                    continue;
                }
                equal = equal || strategy == 3;
                m.quals.push(clause);
                m.orig.push(q.clone());
                m.used.push(i);
            }
            if !equal {
                break;
            }
            m.equals += 1;
        }
        let arrays = m.quals.iter().any(|q| matches!(q, Expr::ScalarArrayOpExpr(_)));
        m.unique = info.row.indisunique && m.equals == info.key_count && !arrays;
        Ok((!m.quals.is_empty()).then_some(m))
    }

    fn match_qual(
        &self,
        q: &Expr,
        rti: RtIndex,
        attno: i16,
        key: usize,
        info: &catalog::IndexInfo,
    ) -> Result<Option<(i16, Expr)>> {
        let (family, collation) = (info.opfamilies[key], info.collations[key]);
        let fits = |c: Oid| !collation.is_valid() || c == collation;
        match q {
            Expr::OpExpr(o) if o.args.len() == 2 && fits(o.inputcollid) => {
                let left = is_column(&o.args[0], rti, attno) && !mentions(&o.args[1], rti);
                let right = is_column(&o.args[1], rti, attno) && !mentions(&o.args[0], rti);
                if !left && !right {
                    return Ok(None);
                }
                let mut clause = (**o).clone();
                if !left {
                    let commuted = self.cx.catalog.operator(o.opno)?.and_then(|x| x.oprcom.valid());
                    let Some(op) = commuted else { return Ok(None) };
                    clause.opno = op;
                    clause.opfuncid = self.cx.catalog.operator(op)?.map(|x| x.oprcode).unwrap_or_default();
                    clause.args.swap(0, 1);
                }
                if self.is_volatile(&clause.args[1])? {
                    return Ok(None);
                }
                let Some(member) = self.cx.catalog.operator_in_family(clause.opno, b's', family)? else {
                    return Ok(None);
                };
                clause.args[0] = var(INDEX_VAR, key as i16 + 1, clause.args[0].type_mod());
                Ok(Some((member.amopstrategy, Expr::OpExpr(Box::new(clause)))))
            }
            Expr::ScalarArrayOpExpr(s) if s.use_or && fits(s.inputcollid) => {
                if !is_column(&s.args[0], rti, attno) || mentions(&s.args[1], rti) || self.is_volatile(&s.args[1])? {
                    return Ok(None);
                }
                let member = self.cx.catalog.operator_in_family(s.opno, b's', family)?;
                if member.is_none_or(|m| m.amopstrategy != 3) {
                    return Ok(None);
                }
                let mut clause = (**s).clone();
                clause.args[0] = var(INDEX_VAR, key as i16 + 1, clause.args[0].type_mod());
                Ok(Some((3, Expr::ScalarArrayOpExpr(Box::new(clause)))))
            }
            _ => Ok(None),
        }
    }
}
