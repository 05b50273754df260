//! GROUP BY columns that follow from others: where the columns of a unique key are there, the table's other columns add nothing.
//!
//! PostgreSQL: `remove_useless_groupby_columns`.

use analyze::query::*;
use base::Result;

use crate::node::*;
use crate::util::*;

impl Planner<'_, '_> {
    pub(crate) fn drop_dependent_groups(&mut self, root: &mut Root) -> Result<()> {
        if root.processed_groups.len() < 2 || !root.parse.grouping_sets.is_empty() {
            return Ok(());
        }
        let mut columns: Vec<(RtIndex, AttrNumber)> = Vec::new();
        for g in &root.processed_groups {
            if let Expr::Var(v) = &sortgroup_tle(&root.tlist, g.tle_sort_group_ref)?.expr
                && v.varlevelsup == 0
                && v.varattno > 0
            {
                columns.push((v.varno, v.varattno));
            }
        }
        let mut tables: Vec<RtIndex> = columns.iter().map(|c| c.0).collect();
        tables.sort_unstable();
        tables.dedup();
        let mut surplus: Vec<(RtIndex, AttrNumber)> = Vec::new();
        for rti in tables {
            let mine: Vec<AttrNumber> = columns.iter().filter(|c| c.0 == rti).map(|c| c.1).collect();
            let rte = root.parse.rte(rti).clone();
            let RteKind::Relation { relid, relkind, .. } = &rte.kind else { continue };
            if mine.len() < 2 || (*relkind != b'p' && self.has_members(&rte)?) {
                continue;
            }
            let table = self.cx.catalog.relation_entry(*relid)?;
            let mut best: Option<Vec<AttrNumber>> = None;
            for index in &table.indexes {
                let Some(entry) = self.cx.catalog.relation(*index)? else { continue };
                let Some(info) = &entry.index else { continue };
                if !info.row.indisunique || !info.row.indimmediate || !info.row.indisvalid || info.predicate.is_some() {
                    continue;
                }
                let keys: Vec<AttrNumber> = info.columns[..info.key_count].to_vec();
                let fits = keys.iter().all(|k| {
                    *k > 0
                        && mine.contains(k)
                        && (info.row.indnullsnotdistinct || table.desc.attrs[*k as usize - 1].not_null)
                });
                if fits && keys.len() < mine.len() && best.as_ref().is_none_or(|b| keys.len() < b.len()) {
                    best = Some(keys);
                }
            }
            if let Some(keys) = best {
                surplus.extend(mine.iter().filter(|c| !keys.contains(c)).map(|c| (rti, *c)));
            }
        }
        if surplus.is_empty() {
            return Ok(());
        }
        let mut kept = Vec::new();
        for g in std::mem::take(&mut root.processed_groups) {
            let follows = match &sortgroup_tle(&root.tlist, g.tle_sort_group_ref)?.expr {
                Expr::Var(v) if v.varlevelsup == 0 => surplus.contains(&(v.varno, v.varattno)),
                _ => false,
            };
            if !follows {
                kept.push(g);
            }
        }
        root.processed_groups = kept;
        Ok(())
    }
}
