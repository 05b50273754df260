//! Temporary tables: what happens to them at commit and when their session ends. Which schema they go to is the catalog's
//! business (`catalog::temp`); their pages live in the shared pool, marked so that they are neither logged nor written by
//! checkpoints. (PostgreSQL: `PreCommit_on_commit_actions`, `RemoveTempRelationsCallback`, `ResetTempTableNamespace`)

use std::sync::Arc;

use base::sqlstate::*;
use base::{BlockNumber, ForkNumber, Oid, PgError, Result};
use catalog::{DropBehavior, DropOptions, ObjectAddress, relkind};
use executor::ExecContext;
use parking_lot::Mutex;
use parser::ast::OnCommitAction;

/// A session's temporary tables that a commit empties or drops. An entry whose table is gone means nothing.
#[derive(Clone, Default)]
struct OnCommit(Arc<Mutex<Vec<(Oid, OnCommitAction)>>>);

pub fn check_on_commit(action: OnCommitAction, persistence: u8) -> Result<()> {
    if action != OnCommitAction::Noop && persistence != b't' {
        return Err(PgError::new(INVALID_TABLE_DEFINITION, "ON COMMIT can only be used on temporary tables"));
    }
    Ok(())
}

/// (PostgreSQL: `register_on_commit_action`)
pub fn register_on_commit(cx: &mut ExecContext, table: Oid, action: OnCommitAction) {
    if matches!(action, OnCommitAction::DeleteRows | OnCommitAction::Drop) {
        cx.extension_or_default::<OnCommit>().0.lock().push((table, action));
    }
}

/// What is due before the transaction commits: rows go, tables go.
pub fn before_commit(cx: &mut ExecContext) -> Result<()> {
    if !cx.catalog.temp_schema().is_valid() {
        return Ok(());
    }
    let list = cx.extension_or_default::<OnCommit>().clone();
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    let entries = std::mem::take(&mut *list.0.lock());
    for (table, action) in entries {
        if cx.catalog.relation(table)?.is_none() {
            continue;
        }
        match action {
            OnCommitAction::Drop => dropped.push(ObjectAddress::relation(table)),
            _ => {
                empty(cx, table)?;
                kept.push((table, action));
            }
        }
    }
    *list.0.lock() = kept;
    if !dropped.is_empty() {
        let options = DropOptions { quietly: true, ..DropOptions::default() };
        cx.catalog.perform_deletion(&dropped, DropBehavior::Cascade, options)?;
    }
    Ok(())
}

/// Empties a temporary table in place. (PostgreSQL: `heap_truncate`)
fn empty(cx: &ExecContext, table: Oid) -> Result<()> {
    let entry = cx.catalog.relation_entry(table)?;
    if entry.kind() == relkind::PARTITIONED_TABLE {
        // Its partitions say themselves what becomes of their rows.
        return Ok(());
    }
    let heap = cx.catalog.heap_of(&entry)?;
    let txn = cx.txn()?;
    if heap.nblocks(txn)? > 0 {
        access::heap::vacuum::truncate(&heap, txn, 0)?;
        for index in &entry.indexes {
            let index = cx.catalog.index(*index)?;
            let pool = txn.manager().pool();
            pool.discard_from(index.locator, ForkNumber::Main, BlockNumber(0));
            pool.smgr().truncate(index.locator, ForkNumber::Main, 0)?;
            let mut nothing = |_: &mut dyn FnMut(&[types::DatumRef<'_>], base::TupleId, bool) -> Result<()>| Ok(());
            index.am.build(txn, &index, &mut nothing, 1 << 20)?;
        }
    }
    match entry.class.reltoastrelid.valid() {
        Some(toast) => empty(cx, toast),
        None => Ok(()),
    }
}

/// Drops all that the session made in its temporary schema: at its end, and by DISCARD TEMP.
pub fn discard(cx: &mut ExecContext) -> Result<()> {
    match cx.catalog.temp_schema().valid() {
        Some(schema) => cx.catalog.empty_temp_schema(schema),
        None => Ok(()),
    }
}
