//! Transactions, settings, COPY, EXPLAIN, VACUUM, prepared statements, cursors and the like.
//!
//! PostgreSQL: `TransactionStmt`, `VariableSetStmt`, `CopyStmt`, `ExplainStmt`, ... of `gram.y`.

use super::*;

impl<'a> Parser<'a> {
    /// The statements that begin with a word of their own; `kw` is at the cursor.
    pub(super) fn utility(&mut self, kw: Kw) -> Result<Statement> {
        let location = self.loc();
        if kw == Kw::Fetch || kw == Kw::Move {
            return self.fetch(kw);
        }
        self.advance();
        match kw {
            Kw::Commit | Kw::Rollback | Kw::Abort | Kw::Start | Kw::Savepoint | Kw::Release => {
                self.transaction(kw, location)
            }
            Kw::Prepare if self.is(Kw::Transaction) => {
                self.advance();
                let gid = Some(self.string()?);
                Ok(transaction(TransactionStmt { gid, ..new_transaction(TransactionStmtKind::Prepare, location) }))
            }
            Kw::Prepare => {
                let name = self.col_id()?;
                let argtypes = self.opt_paren_list(Self::type_name)?;
                self.expect(Kw::As)?;
                let query = self.preparable_statement()?;
                Ok(Statement::Prepare(Box::new(PrepareStmt { name, argtypes, query })))
            }
            Kw::Execute => {
                let name = self.col_id()?;
                let params = self.opt_paren_list(Self::a_expr)?;
                Ok(Statement::Execute(Box::new(ExecuteStmt { name, params })))
            }
            Kw::Deallocate => {
                if self.is(Kw::Prepare) && (is_col_id(self.peek_at(1)) || self.is_at(1, Kw::All)) {
                    self.advance();
                }
                let isall = self.eat(Kw::All);
                let at = self.loc();
                let name = if isall { None } else { Some(self.col_id()?) };
                let location = if isall { Location::UNKNOWN } else { at };
                Ok(Statement::Deallocate(Box::new(DeallocateStmt { name, isall, location })))
            }
            Kw::Set => self.set_statement(),
            Kw::Reset => Ok(Statement::VariableSet(Box::new(self.reset_rest()?))),
            Kw::Show => self.show(),
            Kw::Copy => self.copy(),
            Kw::Explain => self.explain(),
            Kw::Vacuum | Kw::Analyze | Kw::Analyse => self.vacuum(kw),
            Kw::Cluster => self.cluster(),
            Kw::Reindex => self.reindex(),
            Kw::Declare => self.declare_cursor(),
            Kw::Close => {
                let portalname = if self.eat(Kw::All) { None } else { Some(self.col_id()?) };
                Ok(Statement::ClosePortal(Box::new(ClosePortalStmt { portalname })))
            }
            Kw::Lock => self.lock(),
            Kw::Notify => {
                let conditionname = self.col_id()?;
                let payload = if self.eat_char(b',') { Some(self.string()?) } else { None };
                Ok(Statement::Notify(Box::new(NotifyStmt { conditionname, payload })))
            }
            Kw::Listen => Ok(Statement::Listen(Box::new(ListenStmt { conditionname: self.col_id()? }))),
            Kw::Unlisten => {
                let conditionname = if self.eat_char(b'*') { None } else { Some(self.col_id()?) };
                Ok(Statement::Unlisten(Box::new(UnlistenStmt { conditionname })))
            }
            Kw::Discard => self.discard(),
            Kw::Load => Ok(Statement::Load(Box::new(LoadStmt { filename: self.string()? }))),
            Kw::Checkpoint => Ok(Statement::Checkpoint),
            Kw::Do => self.do_statement(),
            Kw::Call => {
                let location = self.loc();
                let name = self.func_name()?;
                let funccall = self.func_application(name, location)?;
                Ok(Statement::Call(Box::new(CallStmt { funccall })))
            }
            _ => {
                self.pos -= 1;
                self.fail()
            }
        }
    }

    /// BEGIN and END, which mean something else inside a function's body.
    pub(super) fn transaction_legacy(&mut self) -> Result<Statement> {
        let location = self.loc();
        let begin = self.is(Kw::Begin);
        self.advance();
        self.opt_transaction();
        if begin {
            let options = self.transaction_modes(false)?;
            let stmt = new_transaction(TransactionStmtKind::Begin, Location::UNKNOWN);
            return Ok(transaction(TransactionStmt { options, ..stmt }));
        }
        let chain = self.and_chain()?;
        let _ = location;
        Ok(transaction(TransactionStmt { chain, ..new_transaction(TransactionStmtKind::Commit, Location::UNKNOWN) }))
    }

    fn opt_transaction(&mut self) {
        if !self.eat(Kw::Work) {
            self.eat(Kw::Transaction);
        }
    }
    fn and_chain(&mut self) -> Result<bool> {
        if !self.eat(Kw::And) {
            return Ok(false);
        }
        let no = self.eat(Kw::No);
        self.expect(Kw::Chain)?;
        Ok(!no)
    }

    fn transaction(&mut self, kw: Kw, location: Location) -> Result<Statement> {
        use TransactionStmtKind as Kind;
        let _ = location;
        let mut stmt = new_transaction(Kind::Commit, Location::UNKNOWN);
        match kw {
            Kw::Start => {
                self.expect(Kw::Transaction)?;
                stmt.kind = Kind::Start;
                stmt.options = self.transaction_modes(false)?;
            }
            Kw::Savepoint => {
                stmt.kind = Kind::Savepoint;
                stmt.location = self.loc();
                stmt.savepoint_name = Some(self.col_id()?);
            }
            Kw::Release => {
                stmt.kind = Kind::Release;
                if self.is(Kw::Savepoint) && is_col_id(self.peek_at(1)) {
                    self.advance();
                }
                stmt.location = self.loc();
                stmt.savepoint_name = Some(self.col_id()?);
            }
            Kw::Commit | Kw::Rollback if self.eat(Kw::Prepared) => {
                stmt.kind = if kw == Kw::Commit { Kind::CommitPrepared } else { Kind::RollbackPrepared };
                stmt.location = self.loc();
                stmt.gid = Some(self.string()?);
            }
            _ => {
                stmt.kind = if kw == Kw::Commit { Kind::Commit } else { Kind::Rollback };
                self.opt_transaction();
                if kw == Kw::Rollback && self.eat(Kw::To) {
                    stmt.kind = Kind::RollbackTo;
                    if self.is(Kw::Savepoint) && is_col_id(self.peek_at(1)) {
                        self.advance();
                    }
                    stmt.location = self.loc();
                    stmt.savepoint_name = Some(self.col_id()?);
                } else {
                    stmt.chain = self.and_chain()?;
                }
            }
        }
        Ok(transaction(stmt))
    }

    /// ISOLATION LEVEL and such, with or without commas between.
    fn transaction_modes(&mut self, required: bool) -> Result<Vec<DefElem>> {
        let mut list = Vec::new();
        let mut comma = false;
        loop {
            let location = self.loc();
            let (name, arg) = match self.peek() {
                Tok::Keyword(Kw::Isolation) => {
                    self.advance();
                    self.expect(Kw::Level)?;
                    ("transaction_isolation", DefArg::String(self.isolation_level()?.to_owned()))
                }
                Tok::Keyword(Kw::Read) => {
                    self.advance();
                    let only = self.eat(Kw::Only);
                    if !only {
                        self.expect(Kw::Write)?;
                    }
                    ("transaction_read_only", DefArg::Boolean(only))
                }
                Tok::Keyword(Kw::Deferrable) => {
                    self.advance();
                    ("transaction_deferrable", DefArg::Boolean(true))
                }
                Tok::Keyword(Kw::Not) => {
                    self.advance();
                    self.expect(Kw::Deferrable)?;
                    ("transaction_deferrable", DefArg::Boolean(false))
                }
                _ if comma || required && list.is_empty() => return self.fail(),
                _ => return Ok(list),
            };
            list.push(def_elem(name, Some(arg), location));
            comma = self.eat_char(b',');
        }
    }

    fn isolation_level(&mut self) -> Result<&'static str> {
        if self.eat(Kw::Serializable) {
            return Ok("serializable");
        }
        if self.eat(Kw::Repeatable) {
            self.expect(Kw::Read)?;
            return Ok("repeatable read");
        }
        self.expect(Kw::Read)?;
        if self.eat(Kw::Committed) {
            return Ok("read committed");
        }
        self.expect(Kw::Uncommitted)?;
        Ok("read uncommitted")
    }

    /// `a.b.c` as one string.
    pub(super) fn var_name(&mut self) -> Result<String> {
        let mut name = self.col_id()?;
        while self.eat_char(b'.') {
            name.push('.');
            name.push_str(&self.col_id()?);
        }
        Ok(name)
    }

    fn set_statement(&mut self) -> Result<Statement> {
        if self.is(Kw::Constraints) && (self.is_at(1, Kw::All) || is_col_id(self.peek_at(1))) {
            return self.set_constraints();
        }
        let local = self.is(Kw::Local) && is_col_label(self.peek_at(1)) && !self.is_at(1, Kw::To);
        let session = self.is(Kw::Session)
            && is_col_label(self.peek_at(1))
            && !self.is_at(1, Kw::To)
            && !self.is_at(1, Kw::Characteristics)
            && !(self.is_at(1, Kw::Authorization)
                && !matches!(self.peek_at(2), Tok::Char(b'=') | Tok::Keyword(Kw::To)));
        if local || session {
            self.advance();
        }
        let mut stmt = self.set_rest()?;
        stmt.is_local = local;
        Ok(Statement::VariableSet(Box::new(stmt)))
    }

    fn set_constraints(&mut self) -> Result<Statement> {
        self.advance();
        let constraints = if self.eat(Kw::All) { Vec::new() } else { self.list(Self::qualified_name)? };
        let deferred = self.eat(Kw::Deferred);
        if !deferred {
            self.expect(Kw::Immediate)?;
        }
        Ok(Statement::ConstraintsSet(Box::new(ConstraintsSetStmt { constraints, deferred })))
    }

    /// After SET, in any statement that sets. (PostgreSQL: `set_rest`)
    pub(super) fn set_rest(&mut self) -> Result<VariableSetStmt> {
        let next_assigns = matches!(self.peek_at(1), Tok::Char(b'=' | b'.') | Tok::Keyword(Kw::To));
        let from_current = self.is_at(1, Kw::From);
        let Tok::Keyword(kw) = self.peek() else { return self.generic_set() };
        if next_assigns || from_current {
            return self.generic_set();
        }
        let at = self.loc();
        self.advance();
        match kw {
            Kw::Transaction if self.is(Kw::Snapshot) => {
                self.advance();
                let at = self.loc();
                let args = vec![string_const(self.string()?, at)];
                Ok(VariableSetStmt { args, ..set_multi("TRANSACTION SNAPSHOT") })
            }
            Kw::Transaction => {
                let options = self.transaction_modes(true)?;
                Ok(VariableSetStmt { options, ..set_multi("TRANSACTION") })
            }
            Kw::Session if self.is(Kw::Characteristics) => {
                self.expect_all(&[Kw::Characteristics, Kw::As, Kw::Transaction])?;
                let options = self.transaction_modes(true)?;
                Ok(VariableSetStmt { options, ..set_multi("SESSION CHARACTERISTICS") })
            }
            Kw::Session if self.eat(Kw::Authorization) => {
                if self.eat(Kw::Default) {
                    return Ok(set(VariableSetKind::Default, "session_authorization", Vec::new(), Location::UNKNOWN));
                }
                let at = self.loc();
                let value = self.word_or_string()?;
                Ok(set(VariableSetKind::Value, "session_authorization", vec![string_const(value, at)], at))
            }
            Kw::Time if self.is(Kw::Zone) => {
                self.advance();
                self.set_time_zone()
            }
            Kw::Catalog if self.peek() == Tok::Sconst => {
                Err(unsupported_at("current database cannot be changed", self.loc()))
            }
            Kw::Schema if self.peek() == Tok::Sconst => {
                let at = self.loc();
                let args = vec![string_const(self.string()?, at)];
                Ok(set(VariableSetKind::Value, "search_path", args, at))
            }
            Kw::Names => {
                let at = self.loc();
                if self.peek() != Tok::Sconst {
                    self.eat(Kw::Default);
                    return Ok(set(VariableSetKind::Default, "client_encoding", Vec::new(), Location::UNKNOWN));
                }
                let args = vec![string_const(self.string()?, at)];
                Ok(set(VariableSetKind::Value, "client_encoding", args, at))
            }
            Kw::Role => {
                let at = self.loc();
                let value = self.word_or_string()?;
                Ok(set(VariableSetKind::Value, "role", vec![string_const(value, at)], at))
            }
            Kw::Xml if self.is(Kw::Option) => {
                self.advance();
                let at = self.loc();
                let value = match self.peek() {
                    Tok::Keyword(kw @ (Kw::Document | Kw::Content)) => kw.word().to_uppercase(),
                    _ => return self.fail(),
                };
                self.advance();
                Ok(set(VariableSetKind::Value, "xmloption", vec![string_const(value, at)], at))
            }
            _ => {
                let _ = at;
                self.pos -= 1;
                self.generic_set()
            }
        }
    }

    fn set_time_zone(&mut self) -> Result<VariableSetStmt> {
        let at = self.loc();
        let value = match self.peek() {
            Tok::Keyword(Kw::Default | Kw::Local) => {
                self.advance();
                return Ok(set(VariableSetKind::Default, "timezone", Vec::new(), Location::UNKNOWN));
            }
            Tok::Sconst | Tok::Ident => {
                let text = self.text().to_owned();
                self.advance();
                string_const(text, at)
            }
            Tok::Keyword(Kw::Interval) => {
                let value = self.c_expr()?;
                if let Expr::TypeCast(cast) = &value
                    && let Some(Expr::AConst(AConst { val: Value::Integer(mask), location })) =
                        cast.type_name.typmods.first()
                    && mask & !(1 << 10 | 1 << 11) != 0
                    && *mask != 0x7FFF
                {
                    return Err(error_at("time zone interval must be HOUR or HOUR TO MINUTE", *location));
                }
                value
            }
            _ => self.numeric_const()?,
        };
        Ok(set(VariableSetKind::Value, "timezone", vec![value], at))
    }

    fn numeric_const(&mut self) -> Result<Expr> {
        let location = self.loc();
        let val = match self.numeric_only()? {
            DefArg::Integer(n) => Value::Integer(n),
            DefArg::Float(text) => Value::Float(text),
            _ => return self.fail(),
        };
        Ok(Expr::AConst(AConst { val, location }))
    }

    /// `name TO value, ..`, `name = DEFAULT`, `name FROM CURRENT`.
    fn generic_set(&mut self) -> Result<VariableSetStmt> {
        let name = self.var_name()?;
        if self.eat(Kw::From) {
            self.expect(Kw::Current)?;
            return Ok(set(VariableSetKind::Current, &name, Vec::new(), Location::UNKNOWN));
        }
        if !self.eat(Kw::To) {
            self.expect_char(b'=')?;
        }
        if self.eat(Kw::Default) {
            return Ok(set(VariableSetKind::Default, &name, Vec::new(), Location::UNKNOWN));
        }
        let at = self.loc();
        let args = self.list(Self::var_value)?;
        Ok(set(VariableSetKind::Value, &name, args, at))
    }

    pub(super) fn alter_system(&mut self) -> Result<Statement> {
        self.advance();
        let setstmt = if self.eat(Kw::Reset) {
            let name = if self.eat(Kw::All) { None } else { Some(self.var_name()?) };
            reset(name)
        } else {
            self.expect(Kw::Set)?;
            self.generic_set()?
        };
        Ok(Statement::AlterSystem(Box::new(AlterSystemStmt { setstmt })))
    }

    fn var_value(&mut self) -> Result<Expr> {
        let location = self.loc();
        match self.peek() {
            Tok::Iconst(_) | Tok::Fconst | Tok::Char(b'+' | b'-') => self.numeric_const(),
            _ => Ok(string_const(self.boolean_or_string()?, location)),
        }
    }

    /// A word that is not reserved, or a string.
    pub(super) fn word_or_string(&mut self) -> Result<String> {
        if self.peek() == Tok::Sconst { self.string() } else { self.non_reserved_word() }
    }
    /// As `word_or_string`, with TRUE, FALSE and ON.
    pub(super) fn boolean_or_string(&mut self) -> Result<String> {
        match self.peek() {
            Tok::Keyword(kw @ (Kw::True | Kw::False | Kw::On)) => {
                self.advance();
                Ok(kw.word().to_owned())
            }
            _ => self.word_or_string(),
        }
    }

    fn reset_rest(&mut self) -> Result<VariableSetStmt> {
        if self.eat(Kw::All) {
            return Ok(reset(None));
        }
        if self.eat2(Kw::Time, Kw::Zone) {
            return Ok(reset(Some("timezone".to_owned())));
        }
        if self.eat2(Kw::Session, Kw::Authorization) {
            return Ok(reset(Some("session_authorization".to_owned())));
        }
        if self.eat2(Kw::Transaction, Kw::Isolation) {
            self.expect(Kw::Level)?;
            return Ok(reset(Some("transaction_isolation".to_owned())));
        }
        Ok(reset(Some(self.var_name()?)))
    }

    /// `SET ...` or `RESET ...` within another statement, if it is there.
    pub(super) fn opt_set_reset(&mut self) -> Result<Option<VariableSetStmt>> {
        if self.eat(Kw::Set) {
            return self.set_rest().map(Some);
        }
        if self.eat(Kw::Reset) { self.reset_rest().map(Some) } else { Ok(None) }
    }

    fn show(&mut self) -> Result<Statement> {
        let name = if self.eat(Kw::All) {
            "all".to_owned()
        } else if self.eat2(Kw::Time, Kw::Zone) {
            "timezone".to_owned()
        } else if self.eat2(Kw::Session, Kw::Authorization) {
            "session_authorization".to_owned()
        } else if self.eat2(Kw::Transaction, Kw::Isolation) {
            self.expect(Kw::Level)?;
            "transaction_isolation".to_owned()
        } else {
            self.var_name()?
        };
        Ok(Statement::VariableShow(Box::new(VariableShowStmt { name })))
    }

    fn copy(&mut self) -> Result<Statement> {
        let mut stmt = CopyStmt {
            relation: None,
            query: None,
            attlist: Vec::new(),
            is_from: false,
            is_program: false,
            filename: None,
            options: Vec::new(),
            where_clause: None,
        };
        if self.is_char(b'(') {
            self.advance();
            stmt.query = Some(self.nested(|p| p.preparable_statement())?);
            self.expect_char(b')')?;
            self.expect(Kw::To)?;
        } else {
            let location = self.loc();
            if self.eat(Kw::Binary) {
                stmt.options.push(format_option("binary", location));
            }
            stmt.relation = Some(self.qualified_name()?);
            stmt.attlist = self.opt_paren_list(Self::col_id)?;
            stmt.is_from = self.eat(Kw::From);
            if !stmt.is_from {
                self.expect(Kw::To)?;
            }
        }
        let target = self.loc();
        stmt.is_program = self.eat(Kw::Program);
        if self.peek() == Tok::Sconst {
            stmt.filename = Some(self.string()?);
        } else if !self.eat(Kw::Stdin) {
            self.expect(Kw::Stdout)?;
        }
        if stmt.is_program && stmt.filename.is_none() {
            return Err(error_at("STDIN/STDOUT not allowed with PROGRAM", target));
        }
        if stmt.relation.is_some() {
            let location = self.loc();
            let using = self.eat(Kw::Using);
            if using || self.is(Kw::Delimiters) {
                self.expect(Kw::Delimiters)?;
                let value = self.string()?;
                stmt.options.push(def_elem("delimiter", Some(DefArg::String(value)), location));
            }
        }
        self.eat_any_with();
        if self.is_char(b'(') {
            stmt.options.extend(self.paren_list(Self::copy_generic_option)?);
        } else {
            while let Some(option) = self.copy_option()? {
                stmt.options.push(option);
            }
        }
        if stmt.relation.is_some() {
            let at = self.loc();
            stmt.where_clause = self.where_clause()?;
            if !stmt.is_from && stmt.where_clause.is_some() {
                let error = error_at("WHERE clause not allowed with COPY TO", at);
                return Err(error.hint("Try the COPY (SELECT ... WHERE ...) TO variant."));
            }
        }
        Ok(Statement::CopyStmt(Box::new(stmt)))
    }

    fn copy_generic_option(&mut self) -> Result<DefElem> {
        let location = self.loc();
        // FORMAT before JSON is a word of its own to the lexer.
        let name = self.col_label()?;
        let arg = match self.peek() {
            Tok::Char(b',' | b')') => None,
            Tok::Char(b'*') => {
                self.advance();
                Some(DefArg::Star)
            }
            Tok::Keyword(Kw::Default) => {
                self.advance();
                Some(DefArg::String("default".to_owned()))
            }
            Tok::Char(b'(') => {
                let list = self.paren_list(Self::boolean_or_string)?;
                Some(DefArg::List(list.into_iter().map(DefArg::String).collect()))
            }
            Tok::Iconst(_) | Tok::Fconst | Tok::Char(_) => Some(self.numeric_only()?),
            _ => Some(DefArg::String(self.boolean_or_string()?)),
        };
        Ok(def_elem(&name, arg, location))
    }

    /// The options as they were written before PostgreSQL 9.0.
    fn copy_option(&mut self) -> Result<Option<DefElem>> {
        let location = self.loc();
        let Tok::Keyword(kw) = self.peek() else { return Ok(None) };
        let option = |name: &str, arg| Ok(Some(def_elem(name, Some(arg), location)));
        self.advance();
        match kw {
            Kw::Binary | Kw::Csv => Ok(Some(format_option(kw.word(), location))),
            Kw::Freeze | Kw::Header => option(kw.word(), DefArg::Boolean(true)),
            Kw::Delimiter | Kw::Null | Kw::Quote | Kw::Escape | Kw::Encoding => {
                if kw != Kw::Encoding {
                    self.eat(Kw::As);
                }
                let value = self.string()?;
                option(kw.word(), DefArg::String(value))
            }
            Kw::Force => {
                let name = match self.peek() {
                    Tok::Keyword(Kw::Quote) => "force_quote",
                    Tok::Keyword(Kw::Null) => "force_null",
                    Tok::Keyword(Kw::Not) => {
                        self.advance();
                        "force_not_null"
                    }
                    _ => return self.fail(),
                };
                if name == "force_not_null" && !self.is(Kw::Null) {
                    return self.fail();
                }
                self.advance();
                if self.eat_char(b'*') {
                    return option(name, DefArg::Star);
                }
                let list = self.name_list()?.into_iter().map(DefArg::String).collect();
                option(name, DefArg::List(list))
            }
            _ => {
                self.pos -= 1;
                Ok(None)
            }
        }
    }

    /// `(name [value], ..)`
    pub(super) fn utility_options(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let location = p.loc();
            let name = match p.peek() {
                Tok::Keyword(Kw::Analyze | Kw::Analyse) => {
                    p.advance();
                    "analyze".to_owned()
                }
                Tok::Ahead(Kw::Format) => {
                    p.advance();
                    "format".to_owned()
                }
                _ => p.non_reserved_word()?,
            };
            let arg = match p.peek() {
                Tok::Char(b',' | b')') => None,
                Tok::Iconst(_) | Tok::Fconst | Tok::Char(_) => Some(p.numeric_only()?),
                _ => Some(DefArg::String(p.boolean_or_string()?)),
            };
            Ok(def_elem(&name, arg, location))
        })
    }

    fn explain(&mut self) -> Result<Statement> {
        let mut options = Vec::new();
        if self.is_char(b'(') && !self.at_select_in_parens() {
            options = self.utility_options()?;
        } else {
            for kw in [Kw::Analyze, Kw::Analyse, Kw::Verbose] {
                let location = self.loc();
                if self.eat(kw) {
                    let name = if kw == Kw::Verbose { "verbose" } else { "analyze" };
                    options.push(def_elem(name, None, location));
                }
            }
        }
        let query = self.nested(Self::explainable)?;
        Ok(Statement::ExplainStmt(Box::new(ExplainStmt { query, options })))
    }

    fn explainable(&mut self) -> Result<Statement> {
        let at = self.pos;
        match self.peek() {
            Tok::Keyword(kw @ (Kw::Declare | Kw::Execute)) => self.utility(kw),
            Tok::Keyword(Kw::Refresh) => self.refresh_mat_view(),
            Tok::Keyword(Kw::Create) => match self.create()? {
                stmt @ Statement::CreateTableAs(_) => Ok(stmt),
                _ => {
                    self.pos = at;
                    self.fail()
                }
            },
            _ => self.preparable_statement(),
        }
    }

    fn vacuum(&mut self, kw: Kw) -> Result<Statement> {
        let is_vacuumcmd = kw == Kw::Vacuum;
        let mut options = Vec::new();
        if self.is_char(b'(') {
            options = self.utility_options()?;
        } else {
            let words: &[Kw] = match is_vacuumcmd {
                true => &[Kw::Full, Kw::Freeze, Kw::Verbose, Kw::Analyze, Kw::Analyse],
                false => &[Kw::Verbose],
            };
            for &kw in words {
                let location = self.loc();
                if self.eat(kw) {
                    let name = if kw == Kw::Analyse { "analyze" } else { kw.word() };
                    options.push(def_elem(name, None, location));
                }
            }
        }
        let mut rels = Vec::new();
        if is_col_id(self.peek()) || self.is(Kw::Only) {
            rels = self.list(|p| {
                let relation = p.relation_expr()?;
                let va_cols = p.opt_paren_list(Self::col_id)?;
                Ok(VacuumRelation { relation, va_cols })
            })?;
        }
        Ok(Statement::VacuumStmt(Box::new(VacuumStmt { options, rels, is_vacuumcmd })))
    }

    fn cluster(&mut self) -> Result<Statement> {
        let mut stmt = ClusterStmt { relation: None, indexname: None, params: Vec::new() };
        let location = self.loc();
        let listed = self.is_char(b'(');
        if listed {
            stmt.params = self.utility_options()?;
        } else if self.eat(Kw::Verbose) {
            stmt.params.push(def_elem("verbose", None, location));
        }
        if is_col_id(self.peek()) {
            if !listed && self.is_at(1, Kw::On) {
                stmt.indexname = Some(self.col_id()?);
                self.advance();
                stmt.relation = Some(self.qualified_name()?);
            } else {
                stmt.relation = Some(self.qualified_name()?);
                stmt.indexname = self.opt_col_id_if(Kw::Using)?;
            }
        }
        Ok(Statement::Cluster(Box::new(stmt)))
    }

    fn reindex(&mut self) -> Result<Statement> {
        let mut params = if self.is_char(b'(') { self.utility_options()? } else { Vec::new() };
        let kind = match self.peek() {
            Tok::Keyword(Kw::Index) => ReindexObjectType::Index,
            Tok::Keyword(Kw::Table) => ReindexObjectType::Table,
            Tok::Keyword(Kw::Schema) => ReindexObjectType::Schema,
            Tok::Keyword(Kw::System) => ReindexObjectType::System,
            Tok::Keyword(Kw::Database) => ReindexObjectType::Database,
            _ => return self.fail(),
        };
        self.advance();
        let location = self.loc();
        if self.eat(Kw::Concurrently) {
            params.push(def_elem("concurrently", None, location));
        }
        let (mut relation, mut name) = (None, None);
        match kind {
            ReindexObjectType::Index | ReindexObjectType::Table => relation = Some(self.qualified_name()?),
            ReindexObjectType::Schema => name = Some(self.col_id()?),
            _ if is_col_id(self.peek()) => name = Some(self.col_id()?),
            _ => {}
        }
        Ok(Statement::Reindex(Box::new(ReindexStmt { kind, relation, name, params })))
    }

    fn declare_cursor(&mut self) -> Result<Statement> {
        let portalname = self.col_id()?;
        let mut options = cursor_opt::FAST_PLAN;
        loop {
            options |= match self.peek() {
                Tok::Keyword(Kw::No) => {
                    self.advance();
                    if !self.is(Kw::Scroll) {
                        return self.fail();
                    }
                    cursor_opt::NO_SCROLL
                }
                Tok::Keyword(Kw::Scroll) => cursor_opt::SCROLL,
                Tok::Keyword(Kw::Binary) => cursor_opt::BINARY,
                Tok::Keyword(Kw::Asensitive) => cursor_opt::ASENSITIVE,
                Tok::Keyword(Kw::Insensitive) => cursor_opt::INSENSITIVE,
                _ => break,
            };
            self.advance();
        }
        self.expect(Kw::Cursor)?;
        if self.eat(Kw::With) {
            self.expect(Kw::Hold)?;
            options |= cursor_opt::HOLD;
        } else if self.eat(Kw::Without) {
            self.expect(Kw::Hold)?;
        }
        self.expect(Kw::For)?;
        let query = Box::new(self.select()?);
        Ok(Statement::DeclareCursor(Box::new(DeclareCursorStmt { portalname, options, query })))
    }

    fn fetch(&mut self, kw: Kw) -> Result<Statement> {
        use FetchDirection::*;
        self.advance();
        let named = |p: &Self, ahead: usize| {
            matches!(p.peek_at(ahead), Tok::Keyword(Kw::From | Kw::In)) || is_col_id(p.peek_at(ahead))
        };
        let (direction, how_many) = match self.peek() {
            Tok::Keyword(Kw::Next) if named(self, 1) => (Forward, Some(1)),
            Tok::Keyword(Kw::Prior) if named(self, 1) => (Backward, Some(1)),
            Tok::Keyword(Kw::First) if named(self, 1) => (Absolute, Some(1)),
            Tok::Keyword(Kw::Last) if named(self, 1) => (Absolute, Some(-1)),
            Tok::Keyword(Kw::Absolute) if self.at_number(1) => (Absolute, None),
            Tok::Keyword(Kw::Relative) if self.at_number(1) => (Relative, None),
            Tok::Keyword(Kw::Forward) if self.at_number(1) => (Forward, None),
            Tok::Keyword(Kw::Backward) if self.at_number(1) => (Backward, None),
            Tok::Keyword(Kw::Forward) if self.is_at(1, Kw::All) => (Forward, Some(FETCH_ALL)),
            Tok::Keyword(Kw::Backward) if self.is_at(1, Kw::All) => (Backward, Some(FETCH_ALL)),
            Tok::Keyword(Kw::Forward) if named(self, 1) => (Forward, Some(1)),
            Tok::Keyword(Kw::Backward) if named(self, 1) => (Backward, Some(1)),
            Tok::Keyword(Kw::All) => (Forward, Some(FETCH_ALL)),
            _ if self.at_number(0) => {
                let how_many = i64::from(self.signed_iconst()?);
                return self.fetch_from(Forward, how_many, kw);
            }
            _ => return self.fetch_from(Forward, 1, kw),
        };
        self.advance();
        let how_many = match how_many {
            Some(FETCH_ALL) => {
                self.eat(Kw::All);
                FETCH_ALL
            }
            Some(n) => n,
            None => i64::from(self.signed_iconst()?),
        };
        self.fetch_from(direction, how_many, kw)
    }
    fn at_number(&self, ahead: usize) -> bool {
        matches!(self.peek_at(ahead), Tok::Iconst(_) | Tok::Char(b'+' | b'-'))
    }
    fn fetch_from(&mut self, direction: FetchDirection, how_many: i64, kw: Kw) -> Result<Statement> {
        if !self.eat(Kw::From) {
            self.eat(Kw::In);
        }
        let portalname = self.col_id()?;
        let ismove = kw == Kw::Move;
        Ok(Statement::Fetch(Box::new(FetchStmt { direction, how_many, portalname, ismove })))
    }

    fn lock(&mut self) -> Result<Statement> {
        self.eat(Kw::Table);
        let relations = self.list(Self::relation_expr)?;
        let mut mode = lock_mode::ACCESS_EXCLUSIVE;
        if self.eat(Kw::In) {
            mode = if self.eat(Kw::Access) {
                match self.eat(Kw::Share) {
                    true => lock_mode::ACCESS_SHARE,
                    false => {
                        self.expect(Kw::Exclusive)?;
                        lock_mode::ACCESS_EXCLUSIVE
                    }
                }
            } else if self.eat(Kw::Row) {
                match self.eat(Kw::Share) {
                    true => lock_mode::ROW_SHARE,
                    false => {
                        self.expect(Kw::Exclusive)?;
                        lock_mode::ROW_EXCLUSIVE
                    }
                }
            } else if self.eat(Kw::Share) {
                if self.eat(Kw::Update) {
                    self.expect(Kw::Exclusive)?;
                    lock_mode::SHARE_UPDATE_EXCLUSIVE
                } else if self.eat(Kw::Row) {
                    self.expect(Kw::Exclusive)?;
                    lock_mode::SHARE_ROW_EXCLUSIVE
                } else {
                    lock_mode::SHARE
                }
            } else {
                self.expect(Kw::Exclusive)?;
                lock_mode::EXCLUSIVE
            };
            self.expect(Kw::Mode)?;
        }
        let nowait = self.eat(Kw::Nowait);
        Ok(Statement::Lock(Box::new(LockStmt { relations, mode, nowait })))
    }

    fn discard(&mut self) -> Result<Statement> {
        let target = match self.peek() {
            Tok::Keyword(Kw::All) => DiscardMode::All,
            Tok::Keyword(Kw::Temp | Kw::Temporary) => DiscardMode::Temp,
            Tok::Keyword(Kw::Plans) => DiscardMode::Plans,
            Tok::Keyword(Kw::Sequences) => DiscardMode::Sequences,
            _ => return self.fail(),
        };
        self.advance();
        Ok(Statement::Discard(Box::new(DiscardStmt { target })))
    }

    fn do_statement(&mut self) -> Result<Statement> {
        let mut args = Vec::new();
        loop {
            let location = self.loc();
            if self.peek() == Tok::Sconst {
                let body = self.string()?;
                args.push(def_elem("as", Some(DefArg::String(body)), location));
            } else if self.eat(Kw::Language) {
                let name = self.word_or_string()?;
                args.push(def_elem("language", Some(DefArg::String(name)), location));
            } else if args.is_empty() {
                return self.fail();
            } else {
                return Ok(Statement::Do(Box::new(DoStmt { args })));
            }
        }
    }
}

fn format_option(format: &str, location: Location) -> DefElem {
    def_elem("format", Some(DefArg::String(format.to_owned())), location)
}

fn new_transaction(kind: TransactionStmtKind, location: Location) -> TransactionStmt {
    TransactionStmt { kind, options: Vec::new(), savepoint_name: None, gid: None, chain: false, location }
}
fn transaction(stmt: TransactionStmt) -> Statement {
    Statement::Transaction(Box::new(stmt))
}

fn set(kind: VariableSetKind, name: &str, args: Vec<Expr>, location: Location) -> VariableSetStmt {
    let name = Some(name.to_owned());
    VariableSetStmt { kind, name, args, options: Vec::new(), is_local: false, location }
}
fn set_multi(name: &str) -> VariableSetStmt {
    set(VariableSetKind::Multi, name, Vec::new(), Location::UNKNOWN)
}
fn reset(name: Option<String>) -> VariableSetStmt {
    let kind = if name.is_some() { VariableSetKind::Reset } else { VariableSetKind::ResetAll };
    VariableSetStmt { kind, name, args: Vec::new(), options: Vec::new(), is_local: false, location: Location::UNKNOWN }
}
