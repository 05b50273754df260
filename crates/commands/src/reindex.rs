//! REINDEX: indexes are written anew from their tables. (PostgreSQL: `ExecReindex`, `reindex_index`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{PgClass, relkind};
use executor::lock_relation;
use parser::ast::{ReindexObjectType, ReindexStmt};
use txn::LockMode;

use crate::{CommandContext, Outcome, index, name, truncate};

/// What the options say. CONCURRENTLY is accepted, and locks as without it.
struct How {
    concurrently: bool,
    /// Where the indexes go.
    tablespace: Option<Oid>,
}

impl How {
    fn parse(cmd: &mut CommandContext<'_>, stmt: &ReindexStmt) -> Result<How> {
        let mut how = How { concurrently: false, tablespace: None };
        for o in &stmt.params {
            let on = || o.arg.is_none() || base::guc::boolean(&crate::options::text(o)).unwrap_or(true);
            match o.defname.as_str() {
                "verbose" => {}
                "concurrently" => how.concurrently = on(),
                "tablespace" => {
                    let oid = crate::tablespace::by_name(cmd, &crate::options::text(o))?;
                    if oid == catalog::oids::GLOBALTABLESPACE_OID {
                        let text = "cannot move non-shared relation to tablespace \"pg_global\"";
                        return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
                    }
                    let own = cmd.cx.catalog.default_tablespace()?;
                    how.tablespace = Some(if oid == own { Oid::INVALID } else { oid });
                }
                other => {
                    let text = format!("unrecognized REINDEX option \"{other}\"");
                    return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
                }
            }
        }
        if how.concurrently {
            cmd.session.prevent_in_transaction_block("REINDEX CONCURRENTLY")?;
        }
        Ok(how)
    }
    fn refuse_system(&self, rel: &catalog::Relation) -> Result<()> {
        let system = rel.oid < Oid(16384);
        if self.concurrently && system {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "cannot reindex system catalogs concurrently"));
        }
        if self.tablespace.is_some() && system {
            let text = format!("cannot move system relation \"{}\"", rel.name());
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        Ok(())
    }
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &ReindexStmt) -> Result<Outcome> {
    let how = How::parse(cmd, stmt)?;
    match (stmt.kind, &stmt.relation) {
        (ReindexObjectType::Index, Some(var)) => {
            let rel = name::relation(cmd.cx, var, LockMode::AccessExclusive)?;
            let Some(info) = &rel.index else {
                return Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is not an index", rel.name())));
            };
            let table = cmd.cx.catalog.relation_entry(info.table)?;
            name::check_owner(cmd.cx, &table)?;
            lock_relation(cmd.cx, table.oid, LockMode::Share)?;
            how.refuse_system(&rel)?;
            one(cmd, table.oid, rel.oid, how.tablespace)?;
        }
        (ReindexObjectType::Table, Some(var)) => {
            let rel = name::relation(cmd.cx, var, LockMode::Share)?;
            if !matches!(rel.kind(), relkind::TABLE | relkind::MATERIALIZED_VIEW) {
                let text = format!("\"{}\" is not a table or materialized view", rel.name());
                return Err(PgError::new(WRONG_OBJECT_TYPE, text));
            }
            name::check_owner(cmd.cx, &rel)?;
            how.refuse_system(&rel)?;
            table(cmd, rel.oid, how.tablespace)?;
        }
        (ReindexObjectType::Schema, _) => {
            let name = stmt.name.as_deref().unwrap_or_default();
            cmd.session.prevent_in_transaction_block("REINDEX SCHEMA")?;
            let schema = cmd.cx.catalog.explicit_namespace(name, false)?.unwrap_or_default();
            for class in cmd.cx.catalog.rows::<PgClass>(Oid::INVALID, &[])? {
                // Catalogs with a fixed file would need a map's change.
                if class.relnamespace == schema && class.relkind == relkind::TABLE && class.relfilenode.is_valid() {
                    lock_relation(cmd.cx, class.oid, LockMode::Share)?;
                    table(cmd, class.oid, how.tablespace)?;
                }
            }
        }
        _ => return Err(PgError::unsupported("REINDEX DATABASE and SYSTEM")),
    }
    Ok(Outcome::tag("REINDEX"))
}

/// All indexes of a table and of its TOAST table.
fn table(cmd: &mut CommandContext<'_>, oid: Oid, tablespace: Option<Oid>) -> Result<()> {
    let rel = cmd.cx.catalog.relation_entry(oid)?;
    for i in &rel.indexes {
        lock_relation(cmd.cx, *i, LockMode::AccessExclusive)?;
        one(cmd, oid, *i, tablespace)?;
    }
    match rel.class.reltoastrelid.valid() {
        Some(toast) => table(cmd, toast, None),
        None => Ok(()),
    }
}

fn one(cmd: &mut CommandContext<'_>, table: Oid, i: Oid, tablespace: Option<Oid>) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(i)?;
    truncate::new_file_in(cmd, &entry, tablespace.unwrap_or(entry.class.reltablespace))?;
    index::build(cmd, table, i)
}
