//! Statements.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn create_statistics(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE STATISTICS"))
    }
    pub(super) fn create_policy(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE POLICY"))
    }
    pub(super) fn create_operator(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE OPERATOR"))
    }
    pub(super) fn create_type(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE TYPE"))
    }
    pub(super) fn create_domain(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE DOMAIN"))
    }
    pub(super) fn create_text_search(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE TEXT SEARCH"))
    }
    pub(super) fn create_collation(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE COLLATION"))
    }
    pub(super) fn create_cast(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE CAST"))
    }
    pub(super) fn create_conversion(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE CONVERSION"))
    }
    pub(super) fn create_access_method(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE ACCESS METHOD"))
    }
    pub(super) fn create_event_trigger(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE EVENT TRIGGER"))
    }
    pub(super) fn create_extension(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE EXTENSION"))
    }
    pub(super) fn create_schema(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE SCHEMA"))
    }
    pub(super) fn create_database(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE DATABASE"))
    }
    pub(super) fn create_tablespace(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("CREATE TABLESPACE"))
    }
    pub(super) fn create_rule(&mut self, _replace: bool) -> Result<Statement> {
        Err(PgError::unsupported("CREATE RULE"))
    }
    pub(super) fn create_trigger(&mut self, _replace: bool) -> Result<Statement> {
        Err(PgError::unsupported("CREATE TRIGGER"))
    }
    pub(super) fn create_language(&mut self, _replace: bool) -> Result<Statement> {
        Err(PgError::unsupported("CREATE LANGUAGE"))
    }
    pub(super) fn create_aggregate(&mut self, _replace: bool) -> Result<Statement> {
        Err(PgError::unsupported("CREATE AGGREGATE"))
    }
    pub(super) fn create_transform(&mut self, _replace: bool) -> Result<Statement> {
        Err(PgError::unsupported("CREATE TRANSFORM"))
    }
}
