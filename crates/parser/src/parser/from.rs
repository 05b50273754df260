//! FROM: relations, queries, functions, joins.
//!
//! Joins lean to the left, each one deeper. PostgreSQL: `table_ref`, `joined_table` of `gram.y`.

use super::*;

/// What parentheses in FROM turned out to hold.
enum TableParen {
    Select(Box<SelectStmt>),
    Join(FromItem),
}

impl<'a> Parser<'a> {
    pub(super) fn from_list(&mut self) -> Result<Vec<FromItem>> {
        self.list(Self::table_ref)
    }

    pub(super) fn table_ref(&mut self) -> Result<FromItem> {
        let depth = self.depth;
        self.deeper(1)?;
        let left = self.table_primary()?;
        let item = self.joins(left)?.0;
        self.depth = depth;
        Ok(item)
    }

    /// The joins that follow `left`; whether there were any.
    fn joins(&mut self, mut left: FromItem) -> Result<(FromItem, bool)> {
        let mut any = false;
        loop {
            let (mut is_natural, mut cross, mut jointype) = (false, false, JoinType::Inner);
            match self.peek() {
                Tok::Keyword(Kw::Cross) => {
                    self.advance();
                    cross = true;
                }
                Tok::Keyword(Kw::Natural) => {
                    self.advance();
                    is_natural = true;
                    jointype = self.join_type();
                }
                Tok::Keyword(Kw::Join | Kw::Inner | Kw::Left | Kw::Right | Kw::Full) => jointype = self.join_type(),
                _ => return Ok((left, any)),
            }
            self.expect(Kw::Join)?;
            self.deeper(1)?;
            any = true;
            let mut join = JoinExpr {
                jointype,
                is_natural,
                larg: left,
                rarg: self.table_primary()?,
                using_clause: Vec::new(),
                join_using_alias: None,
                quals: None,
                alias: None,
            };
            if !cross && !is_natural {
                // `a JOIN b JOIN c ON .. ON ..`: the inner join comes first.
                if !self.is(Kw::On) && !self.is(Kw::Using) {
                    let (inner, found) = self.joins(join.rarg)?;
                    join.rarg = inner;
                    if !found {
                        return self.fail();
                    }
                }
                self.join_qual(&mut join)?;
            }
            left = FromItem::JoinExpr(Box::new(join));
            // Within an outer join's right side, its condition ends ours.
            if self.is(Kw::On) || self.is(Kw::Using) {
                return Ok((left, true));
            }
        }
    }

    fn join_type(&mut self) -> JoinType {
        let jointype = match self.peek() {
            Tok::Keyword(Kw::Left) => JoinType::Left,
            Tok::Keyword(Kw::Right) => JoinType::Right,
            Tok::Keyword(Kw::Full) => JoinType::Full,
            _ => {
                self.eat(Kw::Inner);
                return JoinType::Inner;
            }
        };
        self.advance();
        self.eat(Kw::Outer);
        jointype
    }

    fn join_qual(&mut self, join: &mut JoinExpr) -> Result<()> {
        if self.eat(Kw::Using) {
            join.using_clause = self.paren_list(Self::col_id)?;
            if self.eat(Kw::As) {
                join.join_using_alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
            }
            return Ok(());
        }
        self.expect(Kw::On)?;
        join.quals = Some(self.a_expr()?);
        Ok(())
    }

    fn table_primary(&mut self) -> Result<FromItem> {
        if self.is_char(b'(') {
            return match self.table_paren()? {
                TableParen::Select(subquery) => self.subselect(subquery, false),
                TableParen::Join(item) => Ok(item),
            };
        }
        let lateral = self.eat(Kw::Lateral);
        if lateral && self.is_char(b'(') {
            let subquery = self.select_with_parens()?;
            return self.subselect(subquery, true);
        }
        let (kw, paren) = (self.peek(), self.is_char_at(1, b'('));
        match kw {
            Tok::Keyword(Kw::Xmltable) if paren => {
                let mut table = self.xml_table(lateral)?;
                table.alias = self.opt_alias()?;
                return Ok(FromItem::RangeTableFunc(Box::new(table)));
            }
            Tok::Keyword(Kw::JsonTable) if paren => {
                let mut table = self.json_table(lateral)?;
                table.alias = self.opt_alias()?;
                return Ok(FromItem::JsonTable(Box::new(table)));
            }
            Tok::Keyword(Kw::Rows) if self.is_at(1, Kw::From) && self.is_char_at(2, b'(') => {
                return self.rows_from(lateral);
            }
            _ => {}
        }
        if lateral || self.at_function() {
            return self.range_function(lateral);
        }
        let mut relation = self.relation_expr()?;
        relation.alias = self.opt_alias()?;
        let item = FromItem::RangeVar(Box::new(relation));
        if self.is(Kw::Tablesample) { self.table_sample(item) } else { Ok(item) }
    }

    /// A name and then a parenthesis, or a word that is a function by itself.
    fn at_function(&self) -> bool {
        use Kw::*;
        if let Tok::Keyword(kw) = self.peek() {
            let bare = matches!(
                kw,
                CurrentDate
                    | CurrentTime
                    | CurrentTimestamp
                    | Localtime
                    | Localtimestamp
                    | CurrentRole
                    | CurrentUser
                    | SessionUser
                    | SystemUser
                    | User
                    | CurrentCatalog
                    | Cast
            );
            if bare || kw == CurrentSchema && !self.is_char_at(1, b'.') || kw == Collation && self.is_at(1, For) {
                return true;
            }
            if !is_col_id(self.peek()) && !is_type_function_name(self.peek()) {
                return false;
            }
        }
        let mut ahead = 1;
        while self.is_char_at(ahead, b'.') {
            ahead += 2;
        }
        self.is_char_at(ahead, b'(')
    }

    fn subselect(&mut self, subquery: Box<SelectStmt>, lateral: bool) -> Result<FromItem> {
        let alias = self.opt_alias()?;
        Ok(FromItem::RangeSubselect(Box::new(RangeSubselect { lateral, subquery, alias })))
    }

    fn table_paren(&mut self) -> Result<TableParen> {
        self.deeper(1)?;
        self.expect_char(b'(')?;
        if self.at_select() {
            let select = self.select_no_parens()?;
            self.expect_char(b')')?;
            self.depth -= 1;
            return Ok(TableParen::Select(Box::new(select)));
        }
        let mut joined = false;
        let left = if self.is_char(b'(') {
            match self.table_paren()? {
                TableParen::Select(select) if self.is_char(b')') || self.at_select_rest() => {
                    let select = self.select_rest(*select)?;
                    self.expect_char(b')')?;
                    self.depth -= 1;
                    return Ok(TableParen::Select(Box::new(select)));
                }
                TableParen::Select(select) => self.subselect(select, false)?,
                TableParen::Join(item) => {
                    joined = true;
                    item
                }
            }
        } else {
            self.table_primary()?
        };
        let depth = self.depth;
        let (item, found) = self.joins(left)?;
        self.depth = depth;
        if !found && !joined {
            return self.fail();
        }
        self.expect_char(b')')?;
        self.depth -= 1;
        let mut item = item;
        if let Some(alias) = self.opt_alias()?
            && let FromItem::JoinExpr(join) = &mut item
        {
            join.alias = Some(alias);
        }
        Ok(TableParen::Join(item))
    }

    /// `ONLY t`, `t *`, `t`.
    pub(super) fn relation_expr(&mut self) -> Result<RangeVar> {
        if self.eat(Kw::Only) {
            let paren = self.eat_char(b'(');
            let mut relation = self.qualified_name()?;
            if paren {
                self.expect_char(b')')?;
            }
            relation.inh = false;
            return Ok(relation);
        }
        let relation = self.qualified_name()?;
        self.eat_char(b'*');
        Ok(relation)
    }

    /// `t [AS] alias`, as in UPDATE and DELETE: SET is no alias.
    pub(super) fn relation_expr_opt_alias(&mut self) -> Result<RangeVar> {
        let mut relation = self.relation_expr()?;
        if self.eat(Kw::As) || is_col_id(self.peek()) && !self.is(Kw::Set) {
            relation.alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
        }
        Ok(relation)
    }

    pub(super) fn opt_alias(&mut self) -> Result<Option<Alias>> {
        if !self.eat(Kw::As) && !is_col_id(self.peek()) {
            return Ok(None);
        }
        let aliasname = self.col_id()?;
        let colnames = self.opt_paren_list(Self::col_id)?;
        Ok(Some(Alias { aliasname, colnames }))
    }

    fn opt_ordinality(&mut self) -> Result<bool> {
        if self.peek() == Tok::Ahead(Kw::With) && self.is_at(1, Kw::Ordinality) {
            self.advance();
            self.advance();
            return Ok(true);
        }
        Ok(false)
    }

    fn range_function(&mut self, lateral: bool) -> Result<FromItem> {
        let func = self.func_expr_windowless()?;
        let ordinality = self.opt_ordinality()?;
        let functions = vec![RangeFunctionItem { func, coldeflist: Vec::new() }];
        self.function_alias(RangeFunction {
            lateral,
            ordinality,
            is_rowsfrom: false,
            functions,
            alias: None,
            coldeflist: Vec::new(),
        })
    }

    fn rows_from(&mut self, lateral: bool) -> Result<FromItem> {
        self.advance();
        self.advance();
        let functions = self.paren_list(|p| {
            let func = p.func_expr_windowless()?;
            let coldeflist = if p.eat(Kw::As) { p.paren_list(Self::table_func_element)? } else { Vec::new() };
            Ok(RangeFunctionItem { func, coldeflist })
        })?;
        let ordinality = self.opt_ordinality()?;
        self.function_alias(RangeFunction {
            lateral,
            ordinality,
            is_rowsfrom: true,
            functions,
            alias: None,
            coldeflist: Vec::new(),
        })
    }

    /// An alias with names of columns, or with their definitions.
    fn function_alias(&mut self, mut function: RangeFunction) -> Result<FromItem> {
        let as_ = self.eat(Kw::As);
        if as_ && self.is_char(b'(') {
            function.coldeflist = self.paren_list(Self::table_func_element)?;
        } else if as_ || is_col_id(self.peek()) {
            let mut alias = Alias { aliasname: self.col_id()?, colnames: Vec::new() };
            if self.is_char(b'(') {
                match self.peek_at(2) {
                    Tok::Char(b',' | b')') => alias.colnames = self.paren_list(Self::col_id)?,
                    _ => function.coldeflist = self.paren_list(Self::table_func_element)?,
                }
            }
            function.alias = Some(alias);
        }
        Ok(FromItem::RangeFunction(Box::new(function)))
    }

    /// `name type [COLLATE c]`
    pub(super) fn table_func_element(&mut self) -> Result<ColumnDef> {
        let location = self.loc();
        let colname = self.col_id()?;
        let type_name = Some(self.type_name()?);
        let coll_clause = self.opt_collate()?;
        Ok(ColumnDef { colname, type_name, coll_clause, is_local: true, location, ..ColumnDef::default() })
    }

    pub(super) fn opt_collate(&mut self) -> Result<Option<CollateClause>> {
        let location = self.loc();
        if !self.eat(Kw::Collate) {
            return Ok(None);
        }
        Ok(Some(CollateClause { arg: None, collname: self.any_name()?, location }))
    }

    fn table_sample(&mut self, relation: FromItem) -> Result<FromItem> {
        self.advance();
        let location = self.loc();
        let method = self.func_name()?;
        let args = self.paren_list(Self::a_expr)?;
        let mut repeatable = None;
        if self.eat(Kw::Repeatable) {
            self.expect_char(b'(')?;
            repeatable = Some(self.a_expr()?);
            self.expect_char(b')')?;
        }
        Ok(FromItem::RangeTableSample(Box::new(RangeTableSample { relation, method, args, repeatable, location })))
    }
}
