//! Foreign keys from and to partitioned tables.

use base::{Oid, PgError, Result};
use catalog::Relation;

use crate::CommandContext;

/// Gives a new or attached partition its parent's foreign keys. (PostgreSQL: `CloneForeignKeyConstraints`)
pub fn clone_to(cmd: &mut CommandContext<'_>, parent: Oid, _child: Oid) -> Result<()> {
    match cmd.cx.catalog.constraints_of_relation(parent)?.iter().any(|c| c.contype == b'f') {
        true => Err(PgError::unsupported("foreign keys of partitioned tables")),
        false => Ok(()),
    }
}

/// (PostgreSQL: `ATDetachCheckNoForeignKeyRefs`)
pub fn check_not_referenced(_: &mut CommandContext<'_>, _: &Relation) -> Result<()> {
    Ok(())
}

/// A detached partition keeps its foreign keys as its own.
pub fn detach(_: &mut CommandContext<'_>, _: Oid) -> Result<()> {
    Ok(())
}
