//! Statements.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn drop(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("DROP"))
    }
    pub(super) fn comment(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("COMMENT"))
    }
    pub(super) fn security_label(&mut self) -> Result<Statement> {
        Err(PgError::unsupported("SECURITY LABEL"))
    }
    pub(super) fn truncate(&mut self) -> Result<Statement> {
        self.advance();
        self.eat(Kw::Table);
        let relations = self.list(Self::relation_expr)?;
        let restart_seqs = self.eat2(Kw::Restart, Kw::Identity);
        if !restart_seqs {
            self.eat2(Kw::Continue, Kw::Identity);
        }
        let behavior = self.drop_behavior();
        Ok(Statement::TruncateStmt(Box::new(TruncateStmt { relations, restart_seqs, behavior })))
    }
}
