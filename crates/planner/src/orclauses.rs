//! Conditions of single relations drawn from an OR that joins: of `(a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.z = 4)` the relation
//! `a` can already be asked for `x = 1 OR x = 3`.
//!
//! PostgreSQL: `orclauses.c`.

use analyze::query::*;
use base::Result;

use crate::basepaths::movable_to;
use crate::node::*;
use crate::relids::Relids;
use crate::selfuncs::SelContext;

impl Planner<'_, '_> {
    /// (PostgreSQL: `extract_restriction_or_clauses`)
    pub(crate) fn extract_or_clauses(&mut self, root: &mut Root) -> Result<()> {
        for rti in 1..root.base.len() {
            let Some(rel) = root.base[rti].as_deref().filter(|r| !r.is_child) else { continue };
            let found: Vec<(Ri, Expr)> = rel
                .joininfo
                .iter()
                .filter(|r| !r.or_arms.is_empty() && movable_to(r, rel))
                .filter_map(|r| Some((r.clone(), part_of(r, &rel.relids)?)))
                .collect();
            for (source, clause) in found {
                self.consider_or_clause(root, rti as RtIndex, clause, &source)?;
            }
        }
        Ok(())
    }

    /// (PostgreSQL: `consider_new_or_clause`)
    fn consider_or_clause(&mut self, root: &mut Root, rti: RtIndex, clause: Expr, source: &Ri) -> Result<()> {
        let required = Relids::single(rti);
        let own = self.restrict_info(root, clause, true, false, required, Relids::new(), source.domain)?;
        let selectivity = self.rinfo_selectivity(root, &own, SelContext::scan(0))?;
        // What keeps nearly all rows is not worth the test.
        if selectivity > 0.9 {
            return Ok(());
        }
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.baserestrict.push(own);
        }
        // The join's condition keeps the share of rows that it would have without the new one.
        if selectivity > 0.0 {
            let original = self.rinfo_selectivity(root, source, SelContext::scan(0))?;
            source.norm_sel.set((original / selectivity).min(1.0));
        }
        Ok(())
    }
}

/// What an OR says of one relation; `None` if some arm says nothing of it.
fn part_of(r: &Ri, relids: &Relids) -> Option<Expr> {
    let mut arms = Vec::new();
    for arm in &r.or_arms {
        let mut parts = Vec::new();
        for x in arm {
            if !x.or_arms.is_empty() && x.clause_relids != *relids {
                parts.extend(part_of(x, relids));
            } else if !x.pseudoconstant && !x.has_volatile && x.clause_relids == *relids {
                parts.push(x.clause.clone());
            }
        }
        match Expr::and_all(parts)? {
            // An OR in an OR is one OR.
            Expr::BoolExpr(b) if b.boolop == BoolExprType::Or => arms.extend(b.args),
            e => arms.push(e),
        }
    }
    Some(Expr::BoolExpr(Box::new(BoolExpr {
        boolop: BoolExprType::Or,
        args: arms,
        location: base::error::Location::UNKNOWN,
    })))
}
