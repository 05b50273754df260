//! Tables that a statement of this session is changing, or that have trigger events to come, cannot be altered meanwhile.
//!
//! PostgreSQL: `CheckTableNotInUse`.

use base::sqlstate::OBJECT_IN_USE;
use base::{PgError, Result};
use catalog::Relation;

use crate::CommandContext;

/// An error if the relation is in use; `what`: the command, as users write it.
pub fn check(cmd: &mut CommandContext<'_>, rel: &Relation, what: &str) -> Result<()> {
    if cmd.cx.is_in_use(rel.oid) {
        let text =
            format!("cannot {what} \"{}\" because it is being used by active queries in this session", rel.name());
        return Err(PgError::new(OBJECT_IN_USE, text));
    }
    if executor::after::pending_on(cmd.cx, rel.oid) {
        let text = format!("cannot {what} \"{}\" because it has pending trigger events", rel.name());
        return Err(PgError::new(OBJECT_IN_USE, text));
    }
    Ok(())
}
