//! Statements.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn grant(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("GRANT"))
    }
    pub(super) fn revoke(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("REVOKE"))
    }
    pub(super) fn reassign_owned(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("REASSIGN OWNED"))
    }
    pub(super) fn create_role(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE ROLE"))
    }
}
