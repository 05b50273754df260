//! REINDEX: indexes are written anew from their tables. (PostgreSQL: `ExecReindex`, `reindex_index`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{PgClass, relkind};
use executor::lock_relation;
use parser::ast::{ReindexObjectType, ReindexStmt};
use txn::LockMode;

use crate::{CommandContext, Outcome, index, name, truncate};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &ReindexStmt) -> Result<Outcome> {
    if stmt.params.iter().any(|o| o.defname == "concurrently") {
        return Err(PgError::unsupported("REINDEX CONCURRENTLY"));
    }
    match (stmt.kind, &stmt.relation) {
        (ReindexObjectType::Index, Some(var)) => {
            let rel = name::relation(cmd.cx, var, LockMode::AccessExclusive)?;
            let Some(info) = &rel.index else {
                return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not an index", rel.name())));
            };
            let table = cmd.cx.catalog.relation_entry(info.table)?;
            name::check_owner(cmd.cx, &table)?;
            lock_relation(cmd.cx, table.oid, LockMode::Share)?;
            one(cmd, table.oid, rel.oid)?;
        }
        (ReindexObjectType::Table, Some(var)) => {
            let rel = name::relation(cmd.cx, var, LockMode::Share)?;
            if !matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW) {
                let text = format!("\"{}\" is not a table or materialized view", rel.name());
                return Err(PgError::new(WRONG_OBJECT_TYPE, text));
            }
            name::check_owner(cmd.cx, &rel)?;
            table(cmd, rel.oid)?;
        }
        (ReindexObjectType::Schema, _) => {
            let name = stmt.name.as_deref().unwrap_or_default();
            cmd.session.prevent_in_transaction_block("REINDEX SCHEMA")?;
            let schema = cmd.cx.catalog.explicit_namespace(name, false)?.unwrap_or_default();
            for class in cmd.cx.catalog.rows::<PgClass>(Oid::INVALID, &[])? {
                // Catalogs with a fixed file would need a map's change.
                if class.relnamespace == schema && class.relkind == relkind::TABLE && class.relfilenode.is_valid() {
                    lock_relation(cmd.cx, class.oid, LockMode::Share)?;
                    table(cmd, class.oid)?;
                }
            }
        }
        _ => return Err(PgError::unsupported("REINDEX DATABASE and SYSTEM")),
    }
    Ok(Outcome::tag("REINDEX"))
}

/// All indexes of a table and of its TOAST table.
fn table(cmd: &mut CommandContext<'_>, oid: Oid) -> Result<()> {
    let rel = cmd.cx.catalog.relation_entry(oid)?;
    for i in &rel.indexes {
        lock_relation(cmd.cx, *i, LockMode::AccessExclusive)?;
        one(cmd, oid, *i)?;
    }
    match rel.class.reltoastrelid.valid() {
        Some(toast) => table(cmd, toast),
        None => Ok(()),
    }
}

fn one(cmd: &mut CommandContext<'_>, table: Oid, i: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(i)?;
    truncate::new_file(cmd, &entry)?;
    index::build(cmd, table, i)
}
