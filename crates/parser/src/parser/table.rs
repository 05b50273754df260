//! CREATE TABLE, INDEX, VIEW, SEQUENCE, and the constraints and options they share with others.
//!
//! PostgreSQL: `CreateStmt`, `columnDef`, `ConstraintElem`, `IndexStmt`, `ViewStmt`, `CreateAsStmt`, ... of `gram.y`.

use super::select::new_into;
use super::*;

impl<'a> Parser<'a> {
    /// CREATE TABLE, VIEW or SEQUENCE, with the words for how long it lives.
    pub(super) fn create_relation(&mut self, replace: bool) -> Result<Statement> {
        let mut persistence = RelPersistence::Permanent;
        if self.eat(Kw::Unlogged) {
            persistence = RelPersistence::Unlogged;
        } else if self.is(Kw::Local) || self.is(Kw::Global) {
            self.advance();
            persistence = RelPersistence::Temp;
            if !self.eat(Kw::Temp) {
                self.expect(Kw::Temporary)?;
            }
        } else if self.eat(Kw::Temp) || self.eat(Kw::Temporary) {
            persistence = RelPersistence::Temp;
        }
        match self.peek() {
            Tok::Keyword(Kw::View | Kw::Recursive) => self.create_view(replace, persistence),
            _ if replace => self.fail(),
            Tok::Keyword(Kw::Table) => self.create_table(persistence),
            Tok::Keyword(Kw::Sequence) => self.create_sequence(persistence),
            Tok::Keyword(Kw::Materialized) if persistence != RelPersistence::Temp => self.create_mat_view(persistence),
            _ => self.fail(),
        }
    }

    fn create_table(&mut self, persistence: RelPersistence) -> Result<Statement> {
        self.advance();
        let if_not_exists = self.if_not_exists()?;
        let mut relation = self.qualified_name()?;
        relation.relpersistence = persistence;
        let at = self.pos;
        if self.is(Kw::As) || self.is(Kw::Using) || self.is(Kw::With) || self.is(Kw::On) || self.is(Kw::Tablespace) {
            return self.create_table_as(relation, Vec::new(), if_not_exists);
        }
        if self.is_char(b'(') && is_col_id(self.peek_at(1)) && matches!(self.peek_at(2), Tok::Char(b',' | b')')) {
            let names = self.paren_list(Self::col_id)?;
            if self.is(Kw::Inherits) || self.peek() == Tok::Eof || self.is_char(b';') || self.is(Kw::Partition) {
                self.pos = at + 2;
                return self.fail();
            }
            return self.create_table_as(relation, names, if_not_exists);
        }
        let mut stmt = CreateStmt { relation, if_not_exists, ..CreateStmt::default() };
        self.table_elements(&mut stmt)?;
        if self.is(Kw::Partition) && self.is_at(1, Kw::By) {
            stmt.partspec = Some(self.partition_spec()?);
        }
        if self.eat(Kw::Using) {
            stmt.access_method = Some(self.col_id()?);
        }
        stmt.options = self.opt_with_or_without_oids()?;
        stmt.oncommit = self.on_commit()?;
        stmt.tablespacename = self.opt_col_id_if(Kw::Tablespace)?;
        Ok(Statement::CreateStmt(Box::new(stmt)))
    }

    /// The columns: `(..) [INHERITS]`, `OF type`, `PARTITION OF parent`.
    pub(super) fn table_elements(&mut self, stmt: &mut CreateStmt) -> Result<()> {
        if self.is(Kw::Of) {
            self.advance();
            let location = self.loc();
            let names = self.any_name()?;
            stmt.of_typename = Some(TypeName { names, typemod: -1, location, ..TypeName::default() });
            stmt.table_elts = self.opt_paren_list(Self::typed_table_element)?;
            return Ok(());
        }
        if self.is(Kw::Partition) {
            self.advance();
            self.expect(Kw::Of)?;
            stmt.inh_relations = vec![self.qualified_name()?];
            stmt.table_elts = self.opt_paren_list(Self::typed_table_element)?;
            stmt.partbound = Some(self.partition_bound()?);
            return Ok(());
        }
        self.expect_char(b'(')?;
        if !self.is_char(b')') {
            stmt.table_elts = self.list(Self::table_element)?;
        }
        self.expect_char(b')')?;
        if self.eat(Kw::Inherits) {
            stmt.inh_relations = self.paren_list(Self::qualified_name)?;
        }
        Ok(())
    }

    /// `CREATE TABLE name (columns) options AS query [WITH [NO] DATA]`
    fn create_table_as(&mut self, rel: RangeVar, col_names: Vec<String>, if_not_exists: bool) -> Result<Statement> {
        let persistence = rel.relpersistence;
        let mut into = new_into(rel, persistence);
        into.col_names = col_names;
        if self.eat(Kw::Using) {
            into.access_method = Some(self.col_id()?);
        }
        into.options = self.opt_with_or_without_oids()?;
        into.on_commit = self.on_commit()?;
        into.table_space_name = self.opt_col_id_if(Kw::Tablespace)?;
        self.expect(Kw::As)?;
        let query = match self.is(Kw::Execute) {
            true => self.utility(Kw::Execute)?,
            false => self.select_statement()?,
        };
        into.skip_data = self.opt_with_no_data()?;
        Ok(Statement::CreateTableAs(Box::new(CreateTableAsStmt {
            query,
            into,
            objtype: ObjectType::Table,
            is_select_into: false,
            if_not_exists,
        })))
    }

    fn opt_with_no_data(&mut self) -> Result<bool> {
        if !self.eat(Kw::With) {
            return Ok(false);
        }
        let no = self.eat(Kw::No);
        self.expect(Kw::Data)?;
        Ok(no)
    }

    fn opt_with_or_without_oids(&mut self) -> Result<Vec<DefElem>> {
        if self.eat2(Kw::Without, Kw::Oids) {
            return Ok(Vec::new());
        }
        self.opt_with_reloptions()
    }
    pub(super) fn opt_with_reloptions(&mut self) -> Result<Vec<DefElem>> {
        if self.eat(Kw::With) { self.reloptions() } else { Ok(Vec::new()) }
    }

    fn on_commit(&mut self) -> Result<OnCommitAction> {
        if !self.eat2(Kw::On, Kw::Commit) {
            return Ok(OnCommitAction::Noop);
        }
        if self.eat(Kw::Drop) {
            return Ok(OnCommitAction::Drop);
        }
        let action = if self.eat(Kw::Delete) {
            OnCommitAction::DeleteRows
        } else {
            self.expect(Kw::Preserve)?;
            OnCommitAction::PreserveRows
        };
        self.expect(Kw::Rows)?;
        Ok(action)
    }

    /// `(name = value, ns.name)`
    pub(super) fn reloptions(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let location = p.loc();
            let mut defname = p.col_label()?;
            let mut defnamespace = None;
            if p.eat_char(b'.') {
                defnamespace = Some(std::mem::replace(&mut defname, p.col_label()?));
            }
            let arg = if p.eat_char(b'=') { Some(p.def_arg()?) } else { None };
            Ok(DefElem { defnamespace, defname, arg, defaction: DefElemAction::Unspec, location })
        })
    }

    /// `(name = value, name)`. (PostgreSQL: `definition`)
    pub(super) fn definition(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(Self::def_elem)
    }
    pub(super) fn opt_definition(&mut self) -> Result<Vec<DefElem>> {
        if self.eat(Kw::With) { self.definition() } else { Ok(Vec::new()) }
    }
    fn def_elem(&mut self) -> Result<DefElem> {
        let location = self.loc();
        let name = self.col_label()?;
        let arg = if self.eat_char(b'=') { Some(self.def_arg()?) } else { None };
        Ok(def_elem(&name, arg, location))
    }

    pub(super) fn def_arg(&mut self) -> Result<DefArg> {
        match self.peek() {
            Tok::Sconst => self.string().map(DefArg::String),
            Tok::Iconst(_) | Tok::Fconst => self.numeric_only(),
            Tok::Char(b'+' | b'-') if matches!(self.peek_at(1), Tok::Iconst(_) | Tok::Fconst) => self.numeric_only(),
            Tok::Keyword(Kw::None) => {
                self.advance();
                Ok(DefArg::String("none".to_owned()))
            }
            Tok::Keyword(Kw::Operator) if self.is_char_at(1, b'(') => self.qual_all_op().map(DefArg::Names),
            Tok::Keyword(kw) if kw.category() == Category::Reserved => {
                self.advance();
                Ok(DefArg::String(kw.word().to_owned()))
            }
            Tok::Op | Tok::LessEquals | Tok::GreaterEquals | Tok::NotEquals | Tok::Char(_) => {
                self.qual_all_op().map(DefArg::Names)
            }
            _ => self.func_type().map(DefArg::TypeName),
        }
    }

    /// A number with its sign. (PostgreSQL: `NumericOnly`)
    pub(super) fn numeric_only(&mut self) -> Result<DefArg> {
        let negative = self.eat_char(b'-');
        if !negative {
            self.eat_char(b'+');
        }
        let value = match self.peek() {
            Tok::Iconst(n) => DefArg::Integer(if negative { -n } else { n }),
            Tok::Fconst if negative => DefArg::Float(format!("-{}", self.text())),
            Tok::Fconst => DefArg::Float(self.text().to_owned()),
            _ => return self.fail(),
        };
        self.advance();
        Ok(value)
    }

    fn table_element(&mut self) -> Result<TableElement> {
        match self.peek() {
            Tok::Keyword(Kw::Like) => self.like_clause().map(TableElement::TableLikeClause),
            _ if self.at_table_constraint() => Ok(TableElement::Constraint(Box::new(self.table_constraint()?))),
            _ => Ok(TableElement::ColumnDef(Box::new(self.column_def()?))),
        }
    }

    /// A column of a typed table or partition: its type is known.
    fn typed_table_element(&mut self) -> Result<TableElement> {
        if self.at_table_constraint() {
            return Ok(TableElement::Constraint(Box::new(self.table_constraint()?)));
        }
        let location = self.loc();
        let colname = self.col_id()?;
        let mut column = ColumnDef { colname, is_local: true, location, ..ColumnDef::default() };
        if self.eat(Kw::With) {
            self.expect(Kw::Options)?;
        }
        self.column_qualifiers(&mut column)?;
        Ok(TableElement::ColumnDef(Box::new(column)))
    }

    pub(super) fn at_table_constraint(&self) -> bool {
        matches!(
            self.peek(),
            Tok::Keyword(Kw::Constraint | Kw::Check | Kw::Unique | Kw::Primary | Kw::Foreign | Kw::Not)
        ) || self.is(Kw::Exclude) && (self.is_char_at(1, b'(') || self.is_at(1, Kw::Using))
    }

    pub(super) fn column_def(&mut self) -> Result<ColumnDef> {
        let location = self.loc();
        let colname = self.col_id()?;
        let type_name = Some(self.type_name()?);
        let mut column = ColumnDef { colname, type_name, is_local: true, location, ..ColumnDef::default() };
        if self.eat(Kw::Storage) {
            column.storage_name = Some(self.col_id_or_default()?);
        }
        if self.eat(Kw::Compression) {
            column.compression = Some(self.col_id_or_default()?);
        }
        column.fdwoptions = self.create_generic_options()?;
        self.column_qualifiers(&mut column)?;
        Ok(column)
    }
    pub(super) fn col_id_or_default(&mut self) -> Result<String> {
        if self.eat(Kw::Default) { Ok("default".to_owned()) } else { self.col_id() }
    }

    /// The constraints of a column, and COLLATE among them.
    pub(super) fn column_qualifiers(&mut self, column: &mut ColumnDef) -> Result<()> {
        loop {
            let location = self.loc();
            if self.is(Kw::Collate) {
                let clause = self.opt_collate()?;
                if column.coll_clause.is_some() {
                    return Err(error_at("multiple COLLATE clauses not allowed", location));
                }
                column.coll_clause = clause;
                continue;
            }
            match self.column_constraint()? {
                Some(constraint) => column.constraints.push(constraint),
                None => return Ok(()),
            }
        }
    }

    fn column_constraint(&mut self) -> Result<Option<Constraint>> {
        let location = self.loc();
        let conname = self.opt_col_id_if(Kw::Constraint)?;
        let named = conname.is_some();
        let mut c = Constraint::new(ConstrType::Null, location);
        c.conname = conname;
        let Tok::Keyword(kw) = self.peek() else {
            return if named { self.fail() } else { Ok(None) };
        };
        match kw {
            Kw::Not if self.is_at(1, Kw::Null) => {
                self.advance();
                self.advance();
                c.contype = ConstrType::NotNull;
                c.is_no_inherit = self.no_inherit()?;
            }
            Kw::Null => self.advance(),
            Kw::Unique | Kw::Primary => {
                self.advance();
                c.contype = ConstrType::Unique;
                if kw == Kw::Primary {
                    self.expect(Kw::Key)?;
                    c.contype = ConstrType::Primary;
                } else {
                    c.nulls_not_distinct = self.nulls_treatment()?;
                }
                c.options = self.opt_definition()?;
                c.indexspace = self.index_tablespace()?;
            }
            Kw::Check => {
                self.advance();
                c.contype = ConstrType::Check;
                c.raw_expr = Some(self.paren_expr_only()?);
                c.is_no_inherit = self.no_inherit()?;
            }
            Kw::Default => {
                self.advance();
                c.contype = ConstrType::Default;
                c.raw_expr = Some(self.b_expr()?);
            }
            Kw::Generated => self.generated(&mut c)?,
            Kw::References => {
                self.advance();
                c.contype = ConstrType::Foreign;
                c.pktable = Some(self.qualified_name()?);
                c.pk_attrs = self.opt_paren_list(Self::col_id)?;
                self.key_match_actions(&mut c)?;
            }
            _ if named => return self.fail(),
            Kw::Deferrable => {
                self.advance();
                c.contype = ConstrType::AttrDeferrable;
            }
            Kw::Enforced => {
                self.advance();
                c.contype = ConstrType::AttrEnforced;
            }
            Kw::Not => {
                self.advance();
                c.contype = if self.eat(Kw::Enforced) {
                    ConstrType::AttrNotEnforced
                } else {
                    self.expect(Kw::Deferrable)?;
                    ConstrType::AttrNotDeferrable
                };
            }
            Kw::Initially => {
                self.advance();
                c.contype = if self.eat(Kw::Deferred) {
                    ConstrType::AttrDeferred
                } else {
                    self.expect(Kw::Immediate)?;
                    ConstrType::AttrImmediate
                };
            }
            _ => return Ok(None),
        }
        Ok(Some(c))
    }

    pub(super) fn paren_expr_only(&mut self) -> Result<Expr> {
        self.expect_char(b'(')?;
        let expr = self.a_expr()?;
        self.expect_char(b')')?;
        Ok(expr)
    }

    fn no_inherit(&mut self) -> Result<bool> {
        if !self.eat(Kw::No) {
            return Ok(false);
        }
        self.expect(Kw::Inherit)?;
        Ok(true)
    }
    /// `NULLS [NOT] DISTINCT`: whether NOT.
    pub(super) fn nulls_treatment(&mut self) -> Result<bool> {
        if !self.eat(Kw::Nulls) {
            return Ok(false);
        }
        let not = self.eat(Kw::Not);
        self.expect(Kw::Distinct)?;
        Ok(not)
    }
    fn index_tablespace(&mut self) -> Result<Option<String>> {
        if !self.eat(Kw::Using) {
            return Ok(None);
        }
        self.expect_all(&[Kw::Index, Kw::Tablespace])?;
        self.col_id().map(Some)
    }

    pub(super) fn generated_when(&mut self) -> Result<GeneratedWhen> {
        if self.eat(Kw::Always) {
            return Ok(GeneratedWhen::Always);
        }
        self.expect_all(&[Kw::By, Kw::Default])?;
        Ok(GeneratedWhen::ByDefault)
    }

    fn generated(&mut self, c: &mut Constraint) -> Result<()> {
        self.advance();
        let when_location = self.loc();
        let when = self.generated_when()?;
        c.generated_when = Some(when);
        self.expect(Kw::As)?;
        if self.eat(Kw::Identity) {
            c.contype = ConstrType::Identity;
            c.options = self.opt_paren_seq_options()?;
            return Ok(());
        }
        c.contype = ConstrType::Generated;
        c.raw_expr = Some(self.paren_expr_only()?);
        c.generated_kind = Some(match self.eat(Kw::Stored) {
            true => GeneratedKind::Stored,
            false => {
                self.eat(Kw::Virtual);
                GeneratedKind::Virtual
            }
        });
        if when != GeneratedWhen::Always {
            let text = "for a generated column, GENERATED ALWAYS must be specified";
            return Err(error_at(text, when_location));
        }
        Ok(())
    }
    pub(super) fn opt_paren_seq_options(&mut self) -> Result<Vec<DefElem>> {
        if !self.eat_char(b'(') {
            return Ok(Vec::new());
        }
        let options = self.seq_options()?;
        if options.is_empty() {
            return self.fail();
        }
        self.expect_char(b')')?;
        Ok(options)
    }

    fn like_clause(&mut self) -> Result<TableLikeClause> {
        self.advance();
        let relation = self.qualified_name()?;
        let mut options = 0;
        loop {
            let including = self.eat(Kw::Including);
            if !including && !self.eat(Kw::Excluding) {
                return Ok(TableLikeClause { relation, options });
            }
            let Tok::Keyword(kw) = self.peek() else { return self.fail() };
            let bit = match kw {
                Kw::Comments => table_like::COMMENTS,
                Kw::Compression => table_like::COMPRESSION,
                Kw::Constraints => table_like::CONSTRAINTS,
                Kw::Defaults => table_like::DEFAULTS,
                Kw::Identity => table_like::IDENTITY,
                Kw::Generated => table_like::GENERATED,
                Kw::Indexes => table_like::INDEXES,
                Kw::Statistics => table_like::STATISTICS,
                Kw::Storage => table_like::STORAGE,
                Kw::All => table_like::ALL,
                _ => return self.fail(),
            };
            self.advance();
            options = if including { options | bit } else { options & !bit };
        }
    }

    pub(super) fn table_constraint(&mut self) -> Result<Constraint> {
        let location = self.loc();
        let conname = self.opt_col_id_if(Kw::Constraint)?;
        let mut c = Constraint::new(ConstrType::Check, location);
        c.conname = conname;
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        match kw {
            Kw::Check => {
                c.raw_expr = Some(self.paren_expr_only()?);
                self.constraint_attributes(&mut c, "CHECK", true)?;
                c.initially_valid = !c.skip_validation;
            }
            Kw::Not => {
                self.expect(Kw::Null)?;
                c.contype = ConstrType::NotNull;
                c.keys = vec![self.col_id()?];
                self.constraint_attributes(&mut c, "NOT NULL", true)?;
                c.initially_valid = !c.skip_validation;
            }
            Kw::Unique | Kw::Primary => self.unique_constraint(&mut c, kw)?,
            Kw::Exclude => self.exclude_constraint(&mut c)?,
            Kw::Foreign => self.foreign_key(&mut c)?,
            _ => {
                self.pos -= 1;
                return self.fail();
            }
        }
        Ok(c)
    }

    fn unique_constraint(&mut self, c: &mut Constraint, kw: Kw) -> Result<()> {
        let what = if kw == Kw::Primary { "PRIMARY KEY" } else { "UNIQUE" };
        c.contype = if kw == Kw::Primary { ConstrType::Primary } else { ConstrType::Unique };
        if kw == Kw::Primary {
            self.expect(Kw::Key)?;
        } else {
            c.nulls_not_distinct = self.nulls_treatment()?;
        }
        if !c.nulls_not_distinct && self.eat(Kw::Using) {
            self.expect(Kw::Index)?;
            c.indexname = Some(self.col_id()?);
            return self.constraint_attributes(c, what, false);
        }
        self.expect_char(b'(')?;
        c.keys = self.name_list()?;
        if self.eat(Kw::Without) {
            self.expect(Kw::Overlaps)?;
            c.without_overlaps = true;
        }
        self.expect_char(b')')?;
        if self.eat(Kw::Include) {
            c.including = self.paren_list(Self::col_id)?;
        }
        c.options = self.opt_definition()?;
        c.indexspace = self.index_tablespace()?;
        self.constraint_attributes(c, what, false)
    }

    fn exclude_constraint(&mut self, c: &mut Constraint) -> Result<()> {
        c.contype = ConstrType::Exclusion;
        c.access_method = Some(match self.eat(Kw::Using) {
            true => self.col_id()?,
            false => "btree".to_owned(),
        });
        c.exclusions = self.paren_list(|p| {
            let elem = p.index_elem()?;
            p.expect(Kw::With)?;
            let oper = match p.is(Kw::Operator) {
                true => p.qual_all_op()?,
                false => p.any_operator()?,
            };
            Ok(ExclusionElem { elem, oper })
        })?;
        if self.eat(Kw::Include) {
            c.including = self.paren_list(Self::col_id)?;
        }
        c.options = self.opt_definition()?;
        c.indexspace = self.index_tablespace()?;
        if self.eat(Kw::Where) {
            c.where_clause = Some(self.paren_expr_only()?);
        }
        self.constraint_attributes(c, "EXCLUDE", false)
    }

    /// `(a, b, PERIOD c)`
    fn period_columns(&mut self) -> Result<(Vec<String>, bool)> {
        self.expect_char(b'(')?;
        let mut columns = vec![self.col_id()?];
        let mut period = false;
        while !period && self.eat_char(b',') {
            period = self.is(Kw::Period) && is_col_id(self.peek_at(1));
            if period {
                self.advance();
            }
            columns.push(self.col_id()?);
        }
        self.expect_char(b')')?;
        Ok((columns, period))
    }

    fn foreign_key(&mut self, c: &mut Constraint) -> Result<()> {
        self.expect(Kw::Key)?;
        c.contype = ConstrType::Foreign;
        (c.fk_attrs, c.fk_with_period) = self.period_columns()?;
        self.expect(Kw::References)?;
        c.pktable = Some(self.qualified_name()?);
        if self.is_char(b'(') {
            (c.pk_attrs, c.pk_with_period) = self.period_columns()?;
        }
        self.key_match_actions(c)?;
        self.constraint_attributes(c, "FOREIGN KEY", true)?;
        c.is_no_inherit = false;
        c.initially_valid = !c.skip_validation;
        Ok(())
    }

    fn key_match_actions(&mut self, c: &mut Constraint) -> Result<()> {
        let location = self.loc();
        if self.eat(Kw::Match) {
            if self.eat(Kw::Full) {
                c.fk_matchtype = FkMatch::Full;
            } else if self.eat(Kw::Partial) {
                return Err(unsupported_at("MATCH PARTIAL not yet implemented", location));
            } else {
                self.expect(Kw::Simple)?;
            }
        }
        let (mut update, mut delete) = (false, false);
        while self.is(Kw::On) {
            if !update && self.is_at(1, Kw::Update) {
                update = true;
                let at = self.loc();
                self.pos += 2;
                let (action, columns) = self.key_action()?;
                if !columns.is_empty() {
                    let text = "a column list with SET NULL is only supported for ON DELETE actions";
                    let text =
                        if action == FkAction::SetDefault { text.replace("NULL", "DEFAULT") } else { text.into() };
                    return Err(unsupported_at(text, at));
                }
                c.fk_upd_action = action;
            } else if !delete && self.is_at(1, Kw::Delete) {
                delete = true;
                self.pos += 2;
                (c.fk_del_action, c.fk_del_set_cols) = self.key_action()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn key_action(&mut self) -> Result<(FkAction, Vec<String>)> {
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        let action = match kw {
            Kw::No => {
                self.expect(Kw::Action)?;
                FkAction::NoAction
            }
            Kw::Restrict => FkAction::Restrict,
            Kw::Cascade => FkAction::Cascade,
            Kw::Set => {
                let action = match self.eat(Kw::Null) {
                    true => FkAction::SetNull,
                    false => {
                        self.expect(Kw::Default)?;
                        FkAction::SetDefault
                    }
                };
                return Ok((action, self.opt_paren_list(Self::col_id)?));
            }
            _ => {
                self.pos -= 1;
                return self.fail();
            }
        };
        Ok((action, Vec::new()))
    }

    /// DEFERRABLE and such after a constraint of kind `what`; `checked` kinds may be NOT VALID and NO INHERIT.
    pub(super) fn constraint_attributes(&mut self, c: &mut Constraint, what: &str, checked: bool) -> Result<()> {
        let (mut deferrable, mut not_deferrable, mut immediate) = (false, false, false);
        let (mut enforced, mut not_enforced) = (false, false);
        let foreign = what == "FOREIGN KEY";
        let can_defer = foreign || !checked || what == "CONSTRAINT TRIGGER";
        loop {
            let location = self.loc();
            let Tok::Keyword(kw) = self.peek() else { break };
            let next = self.peek_at(1);
            let word = match (kw, next) {
                (Kw::Deferrable, _) => {
                    deferrable = true;
                    "DEFERRABLE"
                }
                (Kw::Initially, Tok::Keyword(Kw::Deferred)) => {
                    c.initdeferred = true;
                    "DEFERRABLE"
                }
                (Kw::Initially, Tok::Keyword(Kw::Immediate)) => {
                    immediate = true;
                    ""
                }
                (Kw::Not, Tok::Keyword(Kw::Deferrable)) => {
                    not_deferrable = true;
                    ""
                }
                (Kw::Not, Tok::Keyword(Kw::Valid)) => {
                    c.skip_validation = true;
                    "NOT VALID"
                }
                (Kw::Not, Tok::Keyword(Kw::Enforced)) => {
                    not_enforced = true;
                    "NOT ENFORCED"
                }
                (Kw::No, Tok::Keyword(Kw::Inherit)) => {
                    c.is_no_inherit = true;
                    "NO INHERIT"
                }
                (Kw::Enforced, _) => {
                    enforced = true;
                    "ENFORCED"
                }
                (Kw::Initially | Kw::Not, _) => {
                    self.advance();
                    return self.fail();
                }
                _ => break,
            };
            self.advance();
            if !matches!(kw, Kw::Deferrable | Kw::Enforced) {
                self.advance();
            }
            if deferrable && not_deferrable
                || c.initdeferred && immediate
                || c.initdeferred && not_deferrable
                || enforced && not_enforced
            {
                let text = match c.initdeferred && not_deferrable && !deferrable {
                    true => "constraint declared INITIALLY DEFERRED must be DEFERRABLE",
                    false => "conflicting constraint properties",
                };
                return Err(error_at(text, location));
            }
            let allowed = match word {
                "DEFERRABLE" => can_defer,
                "NOT VALID" => checked && what != "CONSTRAINT TRIGGER" && what != "ASSERTION",
                "NO INHERIT" => what == "CHECK" || what == "NOT NULL",
                "ENFORCED" | "NOT ENFORCED" => what == "CHECK" || foreign,
                _ => true,
            };
            if what == "ALTER CONSTRAINT" {
                if word != "NOT VALID" {
                    continue;
                }
                return Err(unsupported_at("constraints cannot be altered to be NOT VALID", location));
            }
            if !allowed {
                let text = match word {
                    "DEFERRABLE" | "NOT VALID" | "NO INHERIT" | "ENFORCED" | "NOT ENFORCED" => {
                        format!("{what} constraints cannot be marked {word}")
                    }
                    _ => String::new(),
                };
                return Err(unsupported_at(text, location));
            }
        }
        c.deferrable = deferrable || c.initdeferred;
        if not_enforced {
            c.is_enforced = false;
            c.skip_validation = true;
            c.initially_valid = false;
        }
        Ok(())
    }

    fn partition_spec(&mut self) -> Result<PartitionSpec> {
        let location = self.loc();
        self.advance();
        self.advance();
        let strategy_at = self.loc();
        let name = self.col_id()?;
        let part_params = self.paren_list(|p| {
            let location = p.loc();
            let (name, expr) = p.column_or_expr()?;
            let collation = if p.eat(Kw::Collate) { p.any_name()? } else { Vec::new() };
            let opclass = if is_col_id(p.peek()) { p.any_name()? } else { Vec::new() };
            Ok(PartitionElem { name, expr, collation, opclass, location })
        })?;
        let strategy = match name.to_ascii_lowercase().as_str() {
            "list" => PartitionStrategy::List,
            "range" => PartitionStrategy::Range,
            "hash" => PartitionStrategy::Hash,
            _ => {
                let text = format!("unrecognized partitioning strategy \"{name}\"");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(strategy_at));
            }
        };
        Ok(PartitionSpec { strategy, part_params, location })
    }

    /// FOR VALUES ..., or DEFAULT.
    pub(super) fn partition_bound(&mut self) -> Result<PartitionBoundSpec> {
        let mut spec = PartitionBoundSpec {
            strategy: None,
            is_default: false,
            modulus: -1,
            remainder: -1,
            listdatums: Vec::new(),
            lowerdatums: Vec::new(),
            upperdatums: Vec::new(),
            location: self.loc(),
        };
        if self.eat(Kw::Default) {
            spec.is_default = true;
            return Ok(spec);
        }
        self.expect_all(&[Kw::For, Kw::Values])?;
        spec.location = self.loc();
        if self.eat(Kw::In) {
            spec.strategy = Some(PartitionStrategy::List);
            spec.listdatums = self.paren_list(Self::a_expr)?;
        } else if self.eat(Kw::From) {
            spec.strategy = Some(PartitionStrategy::Range);
            spec.lowerdatums = self.paren_list(Self::a_expr)?;
            self.expect(Kw::To)?;
            spec.upperdatums = self.paren_list(Self::a_expr)?;
        } else {
            self.expect(Kw::With)?;
            spec.strategy = Some(PartitionStrategy::Hash);
            self.hash_bound(&mut spec)?;
        }
        Ok(spec)
    }

    fn hash_bound(&mut self, spec: &mut PartitionBoundSpec) -> Result<()> {
        let twice = |what: &str, at| {
            let text = format!("{what} for hash partition provided more than once");
            Err(PgError::new(DUPLICATE_OBJECT, text).at(at))
        };
        let items = self.paren_list(|p| {
            let at = p.loc();
            Ok((at, p.non_reserved_word()?, p.iconst()?))
        })?;
        for (at, name, value) in items {
            match name.as_str() {
                "modulus" if spec.modulus != -1 => return twice("modulus", at),
                "modulus" => spec.modulus = value,
                "remainder" if spec.remainder != -1 => return twice("remainder", at),
                "remainder" => spec.remainder = value,
                _ => {
                    let text = format!("unrecognized hash partition bound specification \"{name}\"");
                    return Err(error_at(text, at));
                }
            }
        }
        if spec.modulus == -1 {
            return Err(PgError::new(SYNTAX_ERROR, "modulus for hash partition must be specified"));
        }
        if spec.remainder == -1 {
            return Err(PgError::new(SYNTAX_ERROR, "remainder for hash partition must be specified"));
        }
        Ok(())
    }

    /// A column's name, a function call, or an expression in parentheses.
    fn column_or_expr(&mut self) -> Result<(Option<String>, Option<Expr>)> {
        if self.eat_char(b'(') {
            let expr = self.a_expr()?;
            self.expect_char(b')')?;
            return Ok((None, Some(expr)));
        }
        let plain = is_col_id(self.peek()) && !matches!(self.peek_at(1), Tok::Char(b'(' | b'.'));
        if plain {
            return Ok((Some(self.col_id()?), None));
        }
        Ok((None, Some(self.func_expr_windowless()?)))
    }

    pub(super) fn index_elem(&mut self) -> Result<IndexElem> {
        let (name, expr) = self.column_or_expr()?;
        let collation = if self.eat(Kw::Collate) { self.any_name()? } else { Vec::new() };
        let mut opclass = Vec::new();
        let mut opclassopts = Vec::new();
        if is_col_id(self.peek()) {
            opclass = self.any_name()?;
            if self.is_char(b'(') {
                opclassopts = self.reloptions()?;
            }
        }
        let ordering = self.opt_asc_desc();
        let nulls_ordering = self.opt_nulls_order()?;
        Ok(IndexElem { name, expr, indexcolname: None, collation, opclass, opclassopts, ordering, nulls_ordering })
    }

    pub(super) fn create_index(&mut self) -> Result<Statement> {
        let unique = self.eat(Kw::Unique);
        self.expect(Kw::Index)?;
        let concurrent = self.eat(Kw::Concurrently);
        let if_not_exists = self.if_not_exists()?;
        let idxname = if !if_not_exists && self.is(Kw::On) { None } else { Some(self.col_id()?) };
        self.expect(Kw::On)?;
        let relation = self.relation_expr()?;
        let access_method = if self.eat(Kw::Using) { self.col_id()? } else { "btree".to_owned() };
        let index_params = self.paren_list(Self::index_elem)?;
        let index_including_params =
            if self.eat(Kw::Include) { self.paren_list(Self::index_elem)? } else { Vec::new() };
        let nulls_not_distinct = self.nulls_treatment()?;
        let options = self.opt_with_reloptions()?;
        let table_space = self.opt_col_id_if(Kw::Tablespace)?;
        let where_clause = self.where_clause()?;
        Ok(Statement::IndexStmt(Box::new(IndexStmt {
            idxname,
            relation,
            access_method,
            table_space,
            index_params,
            index_including_params,
            options,
            where_clause,
            unique,
            nulls_not_distinct,
            concurrent,
            if_not_exists,
            ..IndexStmt::default()
        })))
    }

    fn create_view(&mut self, replace: bool, persistence: RelPersistence) -> Result<Statement> {
        let recursive = self.eat(Kw::Recursive);
        self.expect(Kw::View)?;
        let mut view = self.qualified_name()?;
        view.relpersistence = persistence;
        let aliases = if recursive { self.paren_list(Self::col_id)? } else { self.opt_paren_list(Self::col_id)? };
        let options = self.opt_with_reloptions()?;
        self.expect(Kw::As)?;
        let mut query = self.select()?;
        let check_at = self.loc();
        let mut with_check_option = ViewCheckOption::None;
        if self.eat(Kw::With) {
            with_check_option = if self.eat(Kw::Local) {
                ViewCheckOption::Local
            } else {
                self.eat(Kw::Cascaded);
                ViewCheckOption::Cascaded
            };
            self.expect_all(&[Kw::Check, Kw::Option])?;
        }
        if recursive {
            if with_check_option != ViewCheckOption::None {
                return Err(unsupported_at("WITH CHECK OPTION not supported on recursive views", check_at));
            }
            query = recursive_view_query(&view.relname, &aliases, query);
        }
        let query = Box::new(query);
        Ok(Statement::ViewStmt(Box::new(ViewStmt { view, aliases, query, replace, options, with_check_option })))
    }

    pub(super) fn create_mat_view(&mut self, persistence: RelPersistence) -> Result<Statement> {
        self.advance();
        self.expect(Kw::View)?;
        let if_not_exists = self.if_not_exists()?;
        let rel = self.qualified_name()?;
        let mut into = new_into(rel, persistence);
        into.col_names = self.opt_paren_list(Self::col_id)?;
        if self.eat(Kw::Using) {
            into.access_method = Some(self.col_id()?);
        }
        into.options = self.opt_with_reloptions()?;
        into.table_space_name = self.opt_col_id_if(Kw::Tablespace)?;
        self.expect(Kw::As)?;
        let query = self.select_statement()?;
        into.skip_data = self.opt_with_no_data()?;
        Ok(Statement::CreateTableAs(Box::new(CreateTableAsStmt {
            query,
            into,
            objtype: ObjectType::Matview,
            is_select_into: false,
            if_not_exists,
        })))
    }

    pub(super) fn refresh_mat_view(&mut self) -> Result<Statement> {
        self.advance();
        self.expect_all(&[Kw::Materialized, Kw::View])?;
        let concurrent = self.eat(Kw::Concurrently);
        let relation = self.qualified_name()?;
        let skip_data = self.opt_with_no_data()?;
        Ok(Statement::RefreshMatView(Box::new(RefreshMatViewStmt { concurrent, skip_data, relation })))
    }

    pub(super) fn create_sequence(&mut self, persistence: RelPersistence) -> Result<Statement> {
        self.advance();
        let if_not_exists = self.if_not_exists()?;
        let mut sequence = self.qualified_name()?;
        sequence.relpersistence = persistence;
        let options = self.seq_options()?;
        let stmt = CreateSeqStmt { sequence, options, for_identity: false, if_not_exists };
        Ok(Statement::CreateSeq(Box::new(stmt)))
    }

    pub(super) fn seq_options(&mut self) -> Result<Vec<DefElem>> {
        let mut options = Vec::new();
        while let Some(option) = self.seq_option()? {
            options.push(option);
        }
        Ok(options)
    }

    pub(super) fn seq_option(&mut self) -> Result<Option<DefElem>> {
        let location = self.loc();
        let Tok::Keyword(kw) = self.peek() else { return Ok(None) };
        let option = |name: &str, arg| Ok(Some(def_elem(name, arg, location)));
        self.advance();
        match kw {
            Kw::As => {
                let name = self.simple_type_name()?;
                option("as", Some(DefArg::TypeName(name)))
            }
            Kw::Cache | Kw::Maxvalue | Kw::Minvalue => {
                let value = self.numeric_only()?;
                option(kw.word(), Some(value))
            }
            Kw::Cycle => option("cycle", Some(DefArg::Boolean(true))),
            Kw::Logged | Kw::Unlogged => option(kw.word(), None),
            Kw::No => {
                let Tok::Keyword(kw @ (Kw::Cycle | Kw::Maxvalue | Kw::Minvalue)) = self.peek() else {
                    return self.fail();
                };
                self.advance();
                option(kw.word(), if kw == Kw::Cycle { Some(DefArg::Boolean(false)) } else { None })
            }
            Kw::Increment => {
                self.eat(Kw::By);
                let value = self.numeric_only()?;
                option("increment", Some(value))
            }
            Kw::Owned => {
                self.expect(Kw::By)?;
                let names = self.any_name()?;
                option("owned_by", Some(DefArg::Names(names)))
            }
            Kw::Sequence => {
                self.expect(Kw::Name)?;
                let names = self.any_name()?;
                option("sequence_name", Some(DefArg::Names(names)))
            }
            Kw::Start => {
                self.eat(Kw::With);
                let value = self.numeric_only()?;
                option("start", Some(value))
            }
            Kw::Restart => {
                let with = self.eat_any_with();
                let number = matches!(self.peek(), Tok::Iconst(_) | Tok::Fconst | Tok::Char(b'+' | b'-'));
                let value = if with || number { Some(self.numeric_only()?) } else { None };
                option("restart", value)
            }
            _ => {
                self.pos -= 1;
                Ok(None)
            }
        }
    }

    /// `OPTIONS (name 'value', ..)`
    pub(super) fn create_generic_options(&mut self) -> Result<Vec<DefElem>> {
        if !self.eat(Kw::Options) {
            return Ok(Vec::new());
        }
        self.paren_list(Self::generic_option)
    }
    pub(super) fn generic_option(&mut self) -> Result<DefElem> {
        let location = self.loc();
        let name = self.col_label()?;
        let value = self.string()?;
        Ok(def_elem(&name, Some(DefArg::String(value)), location))
    }
}

/// `CREATE RECURSIVE VIEW v (a) AS q` is `AS WITH RECURSIVE v (a) AS (q) SELECT a FROM v`.
fn recursive_view_query(name: &str, aliases: &[String], query: SelectStmt) -> SelectStmt {
    let unknown = Location::UNKNOWN;
    let cte = CommonTableExpr {
        ctename: name.to_owned(),
        aliascolnames: aliases.to_vec(),
        ctematerialized: CTEMaterialize::Default,
        ctequery: Statement::Select(Box::new(query)),
        search_clause: None,
        cycle_clause: None,
        location: unknown,
    };
    let target = |column: &String| ResTarget {
        name: None,
        indirection: Vec::new(),
        val: Some(Expr::ColumnRef(ColumnRef { fields: vec![Field::Name(column.clone())], location: unknown })),
        location: unknown,
    };
    let relation = RangeVar { relname: name.to_owned(), inh: true, location: unknown, ..RangeVar::default() };
    SelectStmt {
        with_clause: Some(Box::new(WithClause { ctes: vec![cte], recursive: true, location: unknown })),
        target_list: aliases.iter().map(target).collect(),
        from_clause: vec![FromItem::RangeVar(Box::new(relation))],
        ..SelectStmt::default()
    }
}
