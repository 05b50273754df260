//! ANALYZE of one table: a sample of its rows becomes the planner's statistics. (PostgreSQL: `analyze.c`)

use base::{PgError, Result};
use catalog::Relation;

use crate::CommandContext;

/// Samples the table and writes `pg_statistic` and `pg_class`; `columns` empty: all.
pub fn analyze(cmd: &mut CommandContext<'_>, rel: &Relation, columns: &[String]) -> Result<()> {
    let _ = (cmd, rel, columns);
    Err(PgError::unsupported("ANALYZE"))
}
