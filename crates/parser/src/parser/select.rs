//! SELECT, VALUES, TABLE, set operations, WITH, and the clauses around them.
//!
//! PostgreSQL: `SelectStmt`, `select_no_parens`, `simple_select`, `with_clause`, ... of `gram.y`.

use super::*;

/// The clauses after a query, which belong to the whole of it. (PostgreSQL: `insertSelectOptions`)
#[derive(Default)]
struct Tail {
    sort: Vec<SortBy>,
    locking: Vec<LockingClause>,
    offset: Option<Expr>,
    count: Option<Expr>,
    option: LimitOption,
    sort_location: Location,
    offset_location: Location,
    count_location: Location,
    option_location: Location,
    limit: bool,
}

impl<'a> Parser<'a> {
    /// A query, in parentheses or not.
    pub(super) fn select_statement(&mut self) -> Result<Statement> {
        Ok(Statement::Select(Box::new(self.select()?)))
    }

    /// (PostgreSQL: `SelectStmt`)
    pub(super) fn select(&mut self) -> Result<SelectStmt> {
        if !self.is_char(b'(') {
            return self.select_no_parens();
        }
        let first = *self.select_with_parens()?;
        self.select_rest(first)
    }

    /// A query in parentheses. (PostgreSQL: `select_with_parens`)
    pub(super) fn select_with_parens(&mut self) -> Result<Box<SelectStmt>> {
        self.deeper(1)?;
        self.expect_char(b'(')?;
        let select = self.select()?;
        self.expect_char(b')')?;
        self.depth -= 1;
        Ok(Box::new(select))
    }

    /// A query that starts with a word.
    pub(super) fn select_no_parens(&mut self) -> Result<SelectStmt> {
        // Queries by value make large frames.
        self.deeper(8)?;
        let select = match self.peek() {
            Tok::Keyword(Kw::With) | Tok::Ahead(Kw::With) => {
                let with = self.with_clause()?;
                self.select_after_with(with)?
            }
            _ => {
                let first = self.simple_select()?;
                self.select_rest(first)?
            }
        };
        self.depth -= 8;
        Ok(select)
    }

    fn select_after_with(&mut self, with: WithClause) -> Result<SelectStmt> {
        let location = with.location;
        let first = self.select_primary()?;
        let mut select = self.select_rest(first)?;
        if select.with_clause.is_some() {
            return Err(error_at("multiple WITH clauses not allowed", location));
        }
        select.with_clause = Some(Box::new(with));
        Ok(select)
    }

    /// WITH at the start of a statement: what comes after says which.
    pub(super) fn with_statement(&mut self) -> Result<Statement> {
        let with = self.with_clause()?;
        match self.peek() {
            Tok::Keyword(Kw::Insert) => self.insert(Some(with)),
            Tok::Keyword(Kw::Update) => self.update(Some(with)),
            Tok::Keyword(Kw::Delete) => self.delete(Some(with)),
            Tok::Keyword(Kw::Merge) => self.merge(Some(with)),
            _ => Ok(Statement::Select(Box::new(self.select_after_with(with)?))),
        }
    }

    /// At a clause that may follow a query in parentheses.
    pub(super) fn at_select_rest(&self) -> bool {
        use Kw::*;
        matches!(self.peek(), Tok::Keyword(Union | Intersect | Except | Order | Limit | Offset | Fetch | For))
    }

    /// Set operations after `first`, and the clauses after them.
    pub(super) fn select_rest(&mut self, first: SelectStmt) -> Result<SelectStmt> {
        let depth = self.depth;
        let select = self.set_operations(first, false)?;
        self.depth = depth;
        let mut tail = Tail::default();
        self.select_tail(&mut tail)?;
        self.apply_tail(select, tail)
    }

    /// UNION and EXCEPT, or INTERSECT alone, which binds tighter.
    fn set_operations(&mut self, mut left: SelectStmt, intersect_only: bool) -> Result<SelectStmt> {
        loop {
            let op = match self.peek() {
                Tok::Keyword(Kw::Intersect) => SetOperation::Intersect,
                Tok::Keyword(Kw::Union) if !intersect_only => SetOperation::Union,
                Tok::Keyword(Kw::Except) if !intersect_only => SetOperation::Except,
                _ => return Ok(left),
            };
            self.advance();
            self.deeper(1)?;
            let all = self.eat(Kw::All);
            if !all {
                self.eat(Kw::Distinct);
            }
            let mut right = self.select_primary()?;
            if op != SetOperation::Intersect {
                right = self.set_operations(right, true)?;
            }
            let (larg, rarg) = (Some(Box::new(left)), Some(Box::new(right)));
            left = SelectStmt { op, all, larg, rarg, ..SelectStmt::default() };
        }
    }

    /// An operand of a set operation. (PostgreSQL: `select_clause`)
    fn select_primary(&mut self) -> Result<SelectStmt> {
        match self.is_char(b'(') {
            true => Ok(*self.select_with_parens()?),
            false => self.simple_select(),
        }
    }

    fn simple_select(&mut self) -> Result<SelectStmt> {
        match self.peek() {
            Tok::Keyword(Kw::Select) => self.plain_select(),
            Tok::Keyword(Kw::Values) => {
                self.advance();
                let values_lists = self.list(|p| p.paren_list(Self::a_expr))?;
                Ok(SelectStmt { values_lists, ..SelectStmt::default() })
            }
            Tok::Keyword(Kw::Table) => {
                self.advance();
                let relation = self.relation_expr()?;
                let star = ColumnRef { fields: vec![Field::Star], location: Location::UNKNOWN };
                let (val, location) = (Some(Expr::ColumnRef(star)), Location::UNKNOWN);
                Ok(SelectStmt {
                    target_list: vec![ResTarget { name: None, indirection: Vec::new(), val, location }],
                    from_clause: vec![FromItem::RangeVar(Box::new(relation))],
                    ..SelectStmt::default()
                })
            }
            _ => self.fail(),
        }
    }

    fn plain_select(&mut self) -> Result<SelectStmt> {
        self.advance();
        let mut select = SelectStmt::default();
        self.distinct_and_targets(&mut select)?;
        if self.eat(Kw::Into) {
            select.into_clause = Some(Box::new(self.into_clause()?));
        }
        self.select_body(&mut select)?;
        Ok(select)
    }

    fn distinct_and_targets(&mut self, select: &mut SelectStmt) -> Result<()> {
        let mut required = false;
        if self.eat(Kw::Distinct) {
            required = true;
            select.distinct_clause = Some(match self.eat(Kw::On) {
                true => DistinctClause::On(self.paren_list(Self::a_expr)?),
                false => DistinctClause::Distinct,
            });
        } else {
            self.eat(Kw::All);
        }
        let none = match self.peek() {
            Tok::Eof | Tok::Char(b')' | b';') => true,
            Tok::Keyword(kw) => matches!(
                kw,
                Kw::Into
                    | Kw::From
                    | Kw::Where
                    | Kw::Group
                    | Kw::Having
                    | Kw::Window
                    | Kw::Union
                    | Kw::Intersect
                    | Kw::Except
                    | Kw::Order
                    | Kw::Limit
                    | Kw::Offset
                    | Kw::Fetch
                    | Kw::For
                    | Kw::On
                    | Kw::Returning
                    | Kw::With
            ),
            Tok::Ahead(Kw::Format | Kw::With) => true,
            _ => false,
        };
        if required || !none {
            select.target_list = self.target_list()?;
        }
        Ok(())
    }

    /// FROM to WINDOW.
    fn select_body(&mut self, select: &mut SelectStmt) -> Result<()> {
        if self.eat(Kw::From) {
            select.from_clause = self.from_list()?;
        }
        select.where_clause = self.where_clause()?;
        if self.is(Kw::Group) {
            self.advance();
            self.expect(Kw::By)?;
            select.group_distinct = self.eat(Kw::Distinct);
            if !select.group_distinct {
                self.eat(Kw::All);
            }
            select.group_clause = self.list(Self::group_by_item)?;
        }
        if self.eat(Kw::Having) {
            select.having_clause = Some(self.a_expr()?);
        }
        if self.eat(Kw::Window) {
            select.window_clause = self.list(|p| {
                let name = p.col_id()?;
                p.expect(Kw::As)?;
                let mut window = p.window_specification()?;
                window.name = Some(name);
                Ok(window)
            })?;
        }
        Ok(())
    }

    pub(super) fn where_clause(&mut self) -> Result<Option<Expr>> {
        if self.eat(Kw::Where) { self.a_expr().map(Some) } else { Ok(None) }
    }

    pub(super) fn target_list(&mut self) -> Result<Vec<ResTarget>> {
        self.list(Self::target)
    }

    fn target(&mut self) -> Result<ResTarget> {
        let location = self.loc();
        if self.eat_char(b'*') {
            let star = Expr::ColumnRef(ColumnRef { fields: vec![Field::Star], location });
            return Ok(ResTarget { name: None, indirection: Vec::new(), val: Some(star), location });
        }
        let val = Some(self.a_expr()?);
        let name = if self.eat(Kw::As) {
            Some(self.col_label()?)
        } else if is_bare_label(self.peek()) {
            Some(self.col_label()?)
        } else {
            None
        };
        Ok(ResTarget { name, indirection: Vec::new(), val, location })
    }

    fn into_clause(&mut self) -> Result<IntoClause> {
        let persistence = self.opt_temp()?;
        if persistence == RelPersistence::Permanent && self.is(Kw::Unlogged) {
            self.advance();
            self.eat(Kw::Table);
            return Ok(new_into(self.qualified_name()?, RelPersistence::Unlogged));
        }
        self.eat(Kw::Table);
        Ok(new_into(self.qualified_name()?, persistence))
    }

    /// `[LOCAL | GLOBAL] TEMP | TEMPORARY`
    pub(super) fn opt_temp(&mut self) -> Result<RelPersistence> {
        let scoped = (self.is(Kw::Local) || self.is(Kw::Global))
            && matches!(self.peek_at(1), Tok::Keyword(Kw::Temp | Kw::Temporary));
        if scoped {
            self.advance();
        }
        Ok(match self.eat(Kw::Temp) || self.eat(Kw::Temporary) {
            true => RelPersistence::Temp,
            false => RelPersistence::Permanent,
        })
    }

    fn group_by_item(&mut self) -> Result<Expr> {
        let location = self.loc();
        let set = |kind, content| Ok(Expr::GroupingSet(Box::new(GroupingSet { kind, content, location })));
        match self.peek() {
            Tok::Char(b'(') if self.is_char_at(1, b')') => {
                self.advance();
                self.advance();
                set(GroupingSetKind::Empty, Vec::new())
            }
            Tok::Keyword(kw @ (Kw::Rollup | Kw::Cube)) if self.is_char_at(1, b'(') => {
                self.advance();
                let content = self.paren_list(Self::a_expr)?;
                set(if kw == Kw::Cube { GroupingSetKind::Cube } else { GroupingSetKind::Rollup }, content)
            }
            Tok::Keyword(Kw::Grouping) if self.is_at(1, Kw::Sets) => {
                self.advance();
                self.advance();
                let content = self.nested(|p| p.paren_list(Self::group_by_item))?;
                set(GroupingSetKind::Sets, content)
            }
            _ => self.a_expr(),
        }
    }

    pub(super) fn with_clause(&mut self) -> Result<WithClause> {
        let location = self.loc();
        self.advance();
        let recursive = self.eat(Kw::Recursive);
        let ctes = self.list(Self::cte)?;
        Ok(WithClause { ctes, recursive, location })
    }

    fn cte(&mut self) -> Result<CommonTableExpr> {
        let location = self.loc();
        let ctename = self.col_id()?;
        let aliascolnames = self.opt_paren_list(Self::col_id)?;
        self.expect(Kw::As)?;
        let ctematerialized = if self.eat(Kw::Materialized) {
            CTEMaterialize::Always
        } else if self.eat(Kw::Not) {
            self.expect(Kw::Materialized)?;
            CTEMaterialize::Never
        } else {
            CTEMaterialize::Default
        };
        self.expect_char(b'(')?;
        let ctequery = self.nested(|p| p.preparable_statement())?;
        self.expect_char(b')')?;
        let mut search_clause = None;
        if self.is(Kw::Search) {
            search_clause = Some(Box::new(self.search_clause()?));
        }
        let mut cycle_clause = None;
        if self.is(Kw::Cycle) {
            cycle_clause = Some(Box::new(self.cycle_clause()?));
        }
        Ok(CommonTableExpr { ctename, aliascolnames, ctematerialized, ctequery, search_clause, cycle_clause, location })
    }

    fn search_clause(&mut self) -> Result<CTESearchClause> {
        let location = self.loc();
        self.advance();
        let search_breadth_first = self.eat(Kw::Breadth);
        if !search_breadth_first {
            self.expect(Kw::Depth)?;
        }
        self.expect_all(&[Kw::First, Kw::By])?;
        let search_col_list = self.name_list()?;
        self.expect(Kw::Set)?;
        let search_seq_column = self.col_id()?;
        Ok(CTESearchClause { search_col_list, search_breadth_first, search_seq_column, location })
    }

    fn cycle_clause(&mut self) -> Result<CTECycleClause> {
        let location = self.loc();
        self.advance();
        let cycle_col_list = self.name_list()?;
        self.expect(Kw::Set)?;
        let cycle_mark_column = self.col_id()?;
        let flag = |b| Expr::AConst(AConst { val: Value::Boolean(b), location: Location::UNKNOWN });
        let (mut cycle_mark_value, mut cycle_mark_default) = (flag(true), flag(false));
        if self.eat(Kw::To) {
            cycle_mark_value = self.c_expr()?;
            self.expect(Kw::Default)?;
            cycle_mark_default = self.c_expr()?;
        }
        self.expect(Kw::Using)?;
        let cycle_path_column = self.col_id()?;
        Ok(CTECycleClause {
            cycle_col_list,
            cycle_mark_column,
            cycle_mark_value,
            cycle_mark_default,
            cycle_path_column,
            location,
        })
    }

    /// SELECT, INSERT, UPDATE, DELETE, MERGE. (PostgreSQL: `PreparableStmt`)
    pub(super) fn preparable_statement(&mut self) -> Result<Statement> {
        match self.peek() {
            Tok::Keyword(Kw::Insert) => self.insert(None),
            Tok::Keyword(Kw::Update) => self.update(None),
            Tok::Keyword(Kw::Delete) => self.delete(None),
            Tok::Keyword(Kw::Merge) => self.merge(None),
            Tok::Keyword(Kw::With) | Tok::Ahead(Kw::With) => self.with_statement(),
            _ => self.select_statement(),
        }
    }

    pub(super) fn opt_sort_clause(&mut self) -> Result<Vec<SortBy>> {
        if !self.eat(Kw::Order) {
            return Ok(Vec::new());
        }
        self.expect(Kw::By)?;
        self.list(Self::sort_by)
    }

    fn sort_by(&mut self) -> Result<SortBy> {
        let node = self.a_expr()?;
        let (mut use_op, mut location) = (Vec::new(), Location::UNKNOWN);
        let sortby_dir = if self.eat(Kw::Using) {
            location = self.loc();
            use_op = self.qual_all_op()?;
            SortByDir::Using
        } else {
            self.opt_asc_desc()
        };
        let sortby_nulls = self.opt_nulls_order()?;
        Ok(SortBy { node, sortby_dir, sortby_nulls, use_op, location })
    }

    pub(super) fn opt_asc_desc(&mut self) -> SortByDir {
        if self.eat(Kw::Asc) {
            SortByDir::Asc
        } else if self.eat(Kw::Desc) {
            SortByDir::Desc
        } else {
            SortByDir::Default
        }
    }
    pub(super) fn opt_nulls_order(&mut self) -> Result<SortByNulls> {
        if !self.eat_tok(Tok::Ahead(Kw::Nulls)) {
            return Ok(SortByNulls::Default);
        }
        if self.eat(Kw::First) {
            return Ok(SortByNulls::First);
        }
        self.expect(Kw::Last)?;
        Ok(SortByNulls::Last)
    }

    /// ORDER BY, LIMIT, OFFSET, FETCH and FOR; locking may come before or after the limit.
    fn select_tail(&mut self, tail: &mut Tail) -> Result<()> {
        tail.sort_location = self.loc();
        tail.sort = self.opt_sort_clause()?;
        if self.is(Kw::For) {
            tail.locking = self.locking_clauses()?;
            self.limit_clauses(tail)
        } else {
            self.limit_clauses(tail)?;
            if tail.limit && self.is(Kw::For) {
                tail.locking = self.locking_clauses()?;
            }
            Ok(())
        }
    }

    fn limit_clauses(&mut self, tail: &mut Tail) -> Result<()> {
        for _ in 0..2 {
            let location = self.loc();
            match self.peek() {
                Tok::Keyword(Kw::Limit) if tail.count.is_none() => {
                    self.advance();
                    tail.count_location = location;
                    let at = self.loc();
                    tail.count = Some(match self.eat(Kw::All) {
                        true => Expr::AConst(AConst { val: Value::Null, location: at }),
                        false => self.a_expr()?,
                    });
                    if self.is_char(b',') {
                        self.advance();
                        self.a_expr()?;
                        let error = error_at("LIMIT #,# syntax is not supported", location);
                        return Err(error.hint("Use separate LIMIT and OFFSET clauses."));
                    }
                }
                Tok::Keyword(Kw::Fetch) if tail.count.is_none() => self.fetch_clause(tail)?,
                Tok::Keyword(Kw::Offset) if tail.offset.is_none() => {
                    self.advance();
                    tail.offset_location = location;
                    tail.offset = Some(self.a_expr()?);
                    if !self.eat(Kw::Row) {
                        self.eat(Kw::Rows);
                    }
                }
                _ => break,
            }
            tail.limit = true;
        }
        Ok(())
    }

    fn fetch_clause(&mut self, tail: &mut Tail) -> Result<()> {
        tail.count_location = self.loc();
        self.advance();
        if !self.eat(Kw::First) {
            self.expect(Kw::Next)?;
        }
        let at = self.loc();
        tail.count = Some(match self.peek() {
            Tok::Keyword(Kw::Row | Kw::Rows) => int_const(1, Location::UNKNOWN),
            Tok::Char(sign @ (b'+' | b'-')) => {
                self.advance();
                let negative = sign == b'-';
                match self.peek() {
                    Tok::Iconst(n) => {
                        self.advance();
                        int_const(if negative { -n } else { n }, at)
                    }
                    Tok::Fconst => {
                        let text = format!("{}{}", if negative { "-" } else { "" }, self.text());
                        self.advance();
                        Expr::AConst(AConst { val: Value::Float(text), location: at })
                    }
                    _ => return self.fail(),
                }
            }
            _ => self.c_expr()?,
        });
        if !self.eat(Kw::Row) {
            self.expect(Kw::Rows)?;
        }
        if self.eat(Kw::Only) {
            return Ok(());
        }
        tail.option_location = self.loc();
        self.expect_all(&[Kw::With, Kw::Ties])?;
        tail.option = LimitOption::WithTies;
        Ok(())
    }

    /// FOR UPDATE and such; FOR READ ONLY means nothing.
    fn locking_clauses(&mut self) -> Result<Vec<LockingClause>> {
        let mut list = Vec::new();
        if self.eat2(Kw::For, Kw::Read) {
            self.expect(Kw::Only)?;
            return Ok(list);
        }
        while self.eat(Kw::For) {
            let strength = if self.eat(Kw::Update) {
                LockClauseStrength::ForUpdate
            } else if self.eat(Kw::Share) {
                LockClauseStrength::ForShare
            } else if self.eat(Kw::Key) {
                self.expect(Kw::Share)?;
                LockClauseStrength::ForKeyShare
            } else {
                self.expect_all(&[Kw::No, Kw::Key, Kw::Update])?;
                LockClauseStrength::ForNoKeyUpdate
            };
            let locked_rels = if self.eat(Kw::Of) { self.list(Self::qualified_name)? } else { Vec::new() };
            let wait_policy = if self.eat(Kw::Nowait) {
                LockWaitPolicy::Error
            } else if self.eat2(Kw::Skip, Kw::Locked) {
                LockWaitPolicy::Skip
            } else {
                LockWaitPolicy::Block
            };
            list.push(LockingClause { locked_rels, strength, wait_policy });
        }
        Ok(list)
    }

    /// A query that came in parentheses may have clauses of its own: not the same twice.
    fn apply_tail(&self, mut select: SelectStmt, tail: Tail) -> Result<SelectStmt> {
        let twice = |what: &str, at: Location| Err(error_at(format!("multiple {what} clauses not allowed"), at));
        if !tail.sort.is_empty() {
            if !select.sort_clause.is_empty() {
                return twice("ORDER BY", tail.sort_location);
            }
            select.sort_clause = tail.sort;
        }
        select.locking_clause.extend(tail.locking);
        if tail.offset.is_some() {
            if select.limit_offset.is_some() {
                return twice("OFFSET", tail.offset_location);
            }
            select.limit_offset = tail.offset;
        }
        if tail.count.is_some() {
            if select.limit_count.is_some() {
                return twice("LIMIT", tail.count_location);
            }
            select.limit_count = tail.count;
        }
        if tail.option == LimitOption::WithTies {
            if select.sort_clause.is_empty() {
                return Err(error_at("WITH TIES cannot be specified without ORDER BY clause", tail.option_location));
            }
            if select.locking_clause.iter().any(|l| l.wait_policy == LockWaitPolicy::Skip) {
                let text = "SKIP LOCKED and WITH TIES options cannot be used together";
                return Err(error_at(text, tail.option_location));
            }
            select.limit_option = tail.option;
        }
        Ok(select)
    }

    /// What stands after SELECT in an expression of PL/pgSQL.
    pub(super) fn plpgsql_expr(&mut self) -> Result<SelectStmt> {
        let mut select = SelectStmt::default();
        self.distinct_and_targets(&mut select)?;
        self.select_body(&mut select)?;
        let mut tail = Tail::default();
        self.select_tail(&mut tail)?;
        self.apply_tail(select, tail)
    }

    /// A list in parentheses as the right side of `SET (a, b) = ...`.
    pub(super) fn row_source(&mut self) -> Result<Expr> {
        self.a_expr()
    }
}

pub(super) fn new_into(mut rel: RangeVar, persistence: RelPersistence) -> IntoClause {
    rel.relpersistence = persistence;
    IntoClause {
        rel,
        col_names: Vec::new(),
        access_method: None,
        options: Vec::new(),
        on_commit: OnCommitAction::Noop,
        table_space_name: None,
        skip_data: false,
    }
}
