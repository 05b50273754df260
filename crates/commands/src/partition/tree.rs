//! Walks over a table and its children. (PostgreSQL: `find_all_inheritors`, `find_inheritance_children`)

use base::{Oid, Result};
use txn::LockMode;

use crate::CommandContext;

/// The direct children, by id, locked.
pub fn children(cmd: &CommandContext<'_>, rel: Oid, mode: Option<LockMode>) -> Result<Vec<Oid>> {
    let mut list: Vec<Oid> = cmd.cx.catalog.inheritance_children(rel)?.iter().map(|c| c.inhrelid).collect();
    list.sort_unstable();
    list.dedup();
    for oid in &list {
        if let Some(mode) = mode {
            executor::lock_relation(cmd.cx, *oid, mode)?;
        }
    }
    // One may have gone while we waited.
    list.retain(|oid| cmd.cx.catalog.relation(*oid).is_ok_and(|r| r.is_some()));
    Ok(list)
}

/// The table itself and all that descend from it, those of one generation together.
pub fn inheritors(cmd: &CommandContext<'_>, rel: Oid, mode: Option<LockMode>) -> Result<Vec<Oid>> {
    let mut list = vec![rel];
    let mut at = 0;
    while at < list.len() {
        for child in children(cmd, list[at], mode)? {
            if !list.contains(&child) {
                list.push(child);
            }
        }
        at += 1;
    }
    Ok(list)
}
