//! Statements.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn import_foreign_schema(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("IMPORT FOREIGN SCHEMA"))
    }
    pub(super) fn create_user_mapping(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE USER MAPPING"))
    }
    pub(super) fn create_foreign(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE FOREIGN"))
    }
    pub(super) fn create_server(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE SERVER"))
    }
    pub(super) fn create_publication(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE PUBLICATION"))
    }
    pub(super) fn create_subscription(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE SUBSCRIPTION"))
    }
}
