//! Functions.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn create_function(&mut self, _replace: bool) -> Result<Statement> {
        Err(PgError::unsupported("CREATE FUNCTION"))
    }
}
