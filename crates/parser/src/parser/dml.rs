//! INSERT, UPDATE, DELETE, MERGE.
//!
//! PostgreSQL: `InsertStmt`, `UpdateStmt`, `DeleteStmt`, `MergeStmt` of `gram.y`.

use super::*;
use std::sync::Arc;

impl<'a> Parser<'a> {
    pub(super) fn insert(&mut self, with: Option<WithClause>) -> Result<Statement> {
        self.advance();
        self.expect(Kw::Into)?;
        let mut relation = self.qualified_name()?;
        if self.eat(Kw::As) {
            relation.alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
        }
        let mut stmt = InsertStmt {
            relation,
            cols: Vec::new(),
            select_stmt: None,
            on_conflict_clause: None,
            returning_clause: None,
            with_clause: with.map(Box::new),
            override_: OverridingKind::NotSet,
        };
        if self.eat2(Kw::Default, Kw::Values) {
        } else {
            if self.is_char(b'(') && !self.at_select_in_parens() {
                stmt.cols = self.paren_list(Self::insert_column)?;
            }
            stmt.override_ = self.opt_overriding()?;
            stmt.select_stmt = Some(Box::new(self.select()?));
        }
        if self.is(Kw::On) {
            stmt.on_conflict_clause = Some(self.on_conflict()?);
        }
        stmt.returning_clause = self.returning_clause()?;
        Ok(Statement::Insert(Box::new(stmt)))
    }

    /// At parentheses, however many, around a query.
    pub(super) fn at_select_in_parens(&self) -> bool {
        let mut ahead = 0;
        while self.is_char_at(ahead, b'(') {
            ahead += 1;
        }
        matches!(self.peek_at(ahead), Tok::Keyword(Kw::Select | Kw::With | Kw::Table) | Tok::Ahead(Kw::With))
            || self.is_at(ahead, Kw::Values) && self.is_char_at(ahead + 1, b'(')
    }

    fn insert_column(&mut self) -> Result<ResTarget> {
        let location = self.loc();
        let name = Some(self.col_id()?);
        let indirection = self.indirection()?;
        self.check_indirection(&indirection)?;
        Ok(ResTarget { name, indirection, val: None, location })
    }

    fn opt_overriding(&mut self) -> Result<OverridingKind> {
        if !self.eat(Kw::Overriding) {
            return Ok(OverridingKind::NotSet);
        }
        let kind = if self.eat(Kw::User) {
            OverridingKind::User
        } else {
            self.expect(Kw::System)?;
            OverridingKind::System
        };
        self.expect(Kw::Value)?;
        Ok(kind)
    }

    fn on_conflict(&mut self) -> Result<OnConflictClause> {
        let location = self.loc();
        self.advance();
        self.expect(Kw::Conflict)?;
        let at = self.loc();
        let mut infer = None;
        if self.is_char(b'(') {
            let index_elems = self.paren_list(Self::index_elem)?;
            let where_clause = self.where_clause()?;
            infer = Some(InferClause { index_elems, where_clause, conname: None, location: at });
        } else if self.eat(Kw::On) {
            self.expect(Kw::Constraint)?;
            let conname = Some(self.col_id()?);
            infer = Some(InferClause { index_elems: Vec::new(), where_clause: None, conname, location: at });
        }
        self.expect(Kw::Do)?;
        if self.eat(Kw::Nothing) {
            let (target_list, where_clause) = (Vec::new(), None);
            return Ok(OnConflictClause {
                action: OnConflictAction::Nothing,
                infer,
                target_list,
                where_clause,
                location,
            });
        }
        self.expect_all(&[Kw::Update, Kw::Set])?;
        let target_list = self.set_clauses()?;
        let where_clause = self.where_clause()?;
        Ok(OnConflictClause { action: OnConflictAction::Update, infer, target_list, where_clause, location })
    }

    pub(super) fn returning_clause(&mut self) -> Result<Option<ReturningClause>> {
        if !self.eat(Kw::Returning) {
            return Ok(None);
        }
        let mut options = Vec::new();
        if self.eat(Kw::With) {
            options = self.paren_list(|p| {
                let location = p.loc();
                let option = if p.eat(Kw::Old) {
                    ReturningOptionKind::Old
                } else {
                    p.expect(Kw::New)?;
                    ReturningOptionKind::New
                };
                p.expect(Kw::As)?;
                Ok(ReturningOption { option, value: p.col_id()?, location })
            })?;
        }
        Ok(Some(ReturningClause { options, exprs: self.target_list()? }))
    }

    /// `a = 1, (b, c) = (2, 3)`
    fn set_clauses(&mut self) -> Result<Vec<ResTarget>> {
        let mut list = Vec::new();
        loop {
            if self.is_char(b'(') {
                let mut targets = self.paren_list(Self::insert_column)?;
                self.expect_char(b'=')?;
                let source = Arc::new(self.row_source()?);
                let ncolumns = targets.len() as i32;
                for (i, target) in targets.iter_mut().enumerate() {
                    let reference = MultiAssignRef { source: source.clone(), colno: i as i32 + 1, ncolumns };
                    target.val = Some(Expr::MultiAssignRef(Box::new(reference)));
                }
                list.extend(targets);
            } else {
                let mut target = self.insert_column()?;
                self.expect_char(b'=')?;
                target.val = Some(self.a_expr()?);
                list.push(target);
            }
            if !self.eat_char(b',') {
                return Ok(list);
            }
        }
    }

    fn where_or_current(&mut self) -> Result<Option<Expr>> {
        if self.is(Kw::Where) && self.is_at(1, Kw::Current) && self.is_at(2, Kw::Of) {
            self.pos += 3;
            let cursor_name = self.col_id()?;
            return Ok(Some(Expr::CurrentOfExpr(Box::new(CurrentOfExpr { cursor_name }))));
        }
        self.where_clause()
    }

    pub(super) fn update(&mut self, with: Option<WithClause>) -> Result<Statement> {
        self.advance();
        let relation = self.relation_expr_opt_alias()?;
        self.expect(Kw::Set)?;
        let target_list = self.set_clauses()?;
        let from_clause = if self.eat(Kw::From) { self.from_list()? } else { Vec::new() };
        let where_clause = self.where_or_current()?;
        let returning_clause = self.returning_clause()?;
        Ok(Statement::Update(Box::new(UpdateStmt {
            relation,
            target_list,
            where_clause,
            from_clause,
            returning_clause,
            with_clause: with.map(Box::new),
        })))
    }

    pub(super) fn delete(&mut self, with: Option<WithClause>) -> Result<Statement> {
        self.advance();
        self.expect(Kw::From)?;
        let relation = self.relation_expr_opt_alias()?;
        let using_clause = if self.eat(Kw::Using) { self.from_list()? } else { Vec::new() };
        let where_clause = self.where_or_current()?;
        let returning_clause = self.returning_clause()?;
        let with_clause = with.map(Box::new);
        Ok(Statement::Delete(Box::new(DeleteStmt {
            relation,
            using_clause,
            where_clause,
            returning_clause,
            with_clause,
        })))
    }

    pub(super) fn merge(&mut self, with: Option<WithClause>) -> Result<Statement> {
        self.advance();
        self.expect(Kw::Into)?;
        let relation = self.relation_expr_opt_alias()?;
        self.expect(Kw::Using)?;
        let source_relation = self.table_ref()?;
        self.expect(Kw::On)?;
        let join_condition = self.a_expr()?;
        let mut merge_when_clauses = Vec::new();
        while self.is(Kw::When) || merge_when_clauses.is_empty() {
            merge_when_clauses.push(self.merge_when()?);
        }
        let returning_clause = self.returning_clause()?;
        Ok(Statement::Merge(Box::new(MergeStmt {
            relation,
            source_relation,
            join_condition,
            merge_when_clauses,
            returning_clause,
            with_clause: with.map(Box::new),
        })))
    }

    fn merge_when(&mut self) -> Result<MergeWhenClause> {
        self.expect(Kw::When)?;
        let not = self.eat(Kw::Not);
        self.expect(Kw::Matched)?;
        let match_kind = if !not {
            MergeMatchKind::Matched
        } else if self.eat(Kw::By) {
            if self.eat(Kw::Source) {
                MergeMatchKind::NotMatchedBySource
            } else {
                self.expect(Kw::Target)?;
                MergeMatchKind::NotMatchedByTarget
            }
        } else {
            MergeMatchKind::NotMatchedByTarget
        };
        let condition = if self.eat(Kw::And) { Some(self.a_expr()?) } else { None };
        self.expect(Kw::Then)?;
        let mut clause = MergeWhenClause {
            match_kind,
            command_type: CmdType::Nothing,
            override_: OverridingKind::NotSet,
            condition,
            target_list: Vec::new(),
            values: Vec::new(),
        };
        let inserting = match_kind == MergeMatchKind::NotMatchedByTarget;
        if self.eat2(Kw::Do, Kw::Nothing) {
        } else if !inserting && self.eat(Kw::Delete) {
            clause.command_type = CmdType::Delete;
        } else if !inserting && self.eat(Kw::Update) {
            self.expect(Kw::Set)?;
            clause.command_type = CmdType::Update;
            clause.target_list = self.set_clauses()?;
        } else if inserting && self.eat(Kw::Insert) {
            clause.command_type = CmdType::Insert;
            if self.eat2(Kw::Default, Kw::Values) {
                return Ok(clause);
            }
            if self.is_char(b'(') {
                clause.target_list = self.paren_list(Self::insert_column)?;
            }
            clause.override_ = self.opt_overriding()?;
            self.expect(Kw::Values)?;
            clause.values = self.paren_list(Self::a_expr)?;
        } else {
            return self.fail();
        }
        Ok(clause)
    }
}
