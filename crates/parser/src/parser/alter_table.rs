//! Statements.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn alter(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("ALTER"))
    }
}
