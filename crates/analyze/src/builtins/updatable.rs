//! Which data-modifying statements a relation takes: `pg_relation_is_updatable`, `pg_column_is_updatable`.
//!
//! PostgreSQL: `rewriteHandler.c` (`relation_is_updatable`), `utils/adt/misc.c`.

use base::{Oid, Result};
use catalog::Catalog;
use types::{FnCx, builtin};

use super::regtypes::catalog_of;
use crate::lookup::relkind;
use crate::query::{Expr, JoinTreeNode, RteKind};
use crate::walker::check_depth;

/// Bits by the number of the command. (PostgreSQL: `1 << CMD_UPDATE` and so on)
const UPDATE: i32 = 1 << 2;
const INSERT: i32 = 1 << 3;
const DELETE: i32 = 1 << 4;
const ALL: i32 = UPDATE | INSERT | DELETE;

/// With `column`: whether that column can be written.
fn events(c: &Catalog, rel: Oid, triggers: bool, column: Option<i16>) -> Result<i32> {
    check_depth()?;
    let Some(rel) = c.relation(rel)? else { return Ok(0) };
    if matches!(rel.kind(), relkind::RELATION | relkind::PARTITIONED_TABLE) {
        return Ok(ALL);
    }
    let mut found = 0;
    for r in &rel.rules {
        if r.is_instead && r.ev_qual == "<>" {
            found |= match r.ev_type {
                b'2' => UPDATE,
                b'3' => INSERT,
                b'4' => DELETE,
                _ => 0,
            };
        }
    }
    if triggers {
        const INSTEAD: i16 = 1 << 6;
        for t in rel.triggers.iter().filter(|t| t.tgtype & INSTEAD != 0) {
            for (bit, event) in [(1 << 2, INSERT), (1 << 3, DELETE), (1 << 4, UPDATE)] {
                if t.tgtype & bit != 0 {
                    found |= event;
                }
            }
        }
    }
    if found == ALL || rel.kind() != relkind::VIEW {
        return Ok(found);
    }
    let Some(rule) = rel.view_rule() else { return Ok(found) };
    let Some(view) = crate::nodes::read_queries(&rule.ev_action, c)?.pop() else { return Ok(found) };
    if crate::rewrite::not_updatable(&view).is_some() {
        return Ok(found);
    }
    let Some(JoinTreeNode::RangeTblRef(base)) = view.jointree.fromlist.first() else { return Ok(found) };
    let RteKind::Relation { relid, .. } = view.rte(*base).kind else { return Ok(found) };
    let base_column = |no: i16| match view.target_list.iter().find(|t| t.resno == no && !t.resjunk).map(|t| &t.expr) {
        Some(Expr::Var(v)) if v.varno == *base && v.varlevelsup == 0 && v.varattno > 0 => Some(v.varattno),
        _ => None,
    };
    let columns: Vec<i16> = (1..=rel.desc.len() as i16).filter(|n| base_column(*n).is_some()).collect();
    let auto = match column {
        Some(n) if !columns.contains(&n) => DELETE,
        _ if columns.is_empty() => DELETE,
        _ => ALL,
    };
    let below = events(c, relid, triggers, column.and_then(base_column))?;
    Ok(found | auto & below)
}

#[builtin("pg_relation_is_updatable")]
fn pg_relation_is_updatable(cx: &mut FnCx<'_>, rel: Oid, triggers: bool) -> Result<i32> {
    events(&catalog_of(cx)?, rel, triggers, None)
}
#[builtin("pg_column_is_updatable")]
fn pg_column_is_updatable(cx: &mut FnCx<'_>, rel: Oid, column: i16, triggers: bool) -> Result<bool> {
    if column <= 0 {
        return Ok(false);
    }
    let found = events(&catalog_of(cx)?, rel, triggers, Some(column))?;
    Ok(found & (UPDATE | DELETE) == UPDATE | DELETE)
}
