//! CREATE and ALTER of schemas, databases, types, domains, triggers, rules, policies, operators and the rest.
//!
//! PostgreSQL: `DefineStmt`, `CreateSchemaStmt`, `CreateTrigStmt`, `RuleStmt`, `AlterDomainStmt`, ... of `gram.y`.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn create_schema(&mut self) -> Result<Statement> {
        self.advance();
        let if_not_exists = self.if_not_exists()?;
        let at = self.loc();
        let (mut schemaname, mut authrole) = (None, None);
        if !self.is(Kw::Authorization) {
            schemaname = Some(self.col_id()?);
        }
        if self.eat(Kw::Authorization) {
            authrole = Some(self.role_spec()?);
        }
        let mut schema_elts = Vec::new();
        let elements_at = self.loc();
        let _ = at;
        loop {
            let pos = self.pos;
            let stmt = match self.peek() {
                Tok::Keyword(Kw::Create) => self.create()?,
                Tok::Keyword(Kw::Grant) => self.grant()?,
                _ => break,
            };
            let allowed = matches!(
                stmt,
                Statement::CreateStmt(_)
                    | Statement::IndexStmt(_)
                    | Statement::CreateSeq(_)
                    | Statement::CreateTrigger(_)
                    | Statement::Grant(_)
                    | Statement::ViewStmt(_)
            );
            if !allowed {
                self.pos = pos + 1;
                return self.fail();
            }
            schema_elts.push(stmt);
        }
        if if_not_exists && !schema_elts.is_empty() {
            let text = "CREATE SCHEMA IF NOT EXISTS cannot include schema elements";
            return Err(unsupported_at(text, elements_at));
        }
        let stmt = CreateSchemaStmt { schemaname, authrole, schema_elts, if_not_exists };
        Ok(Statement::CreateSchema(Box::new(stmt)))
    }

    pub(super) fn create_database(&mut self) -> Result<Statement> {
        self.advance();
        let dbname = self.col_id()?;
        self.eat_any_with();
        let options = self.database_options()?;
        Ok(Statement::CreateDatabase(Box::new(CreatedbStmt { dbname, options })))
    }

    fn database_options(&mut self) -> Result<Vec<DefElem>> {
        let mut list = Vec::new();
        loop {
            let location = self.loc();
            let name = match self.peek() {
                Tok::Ident => self.text().to_owned(),
                Tok::Keyword(Kw::Connection) => {
                    self.advance();
                    if !self.is(Kw::Limit) {
                        return self.fail();
                    }
                    "connection_limit".to_owned()
                }
                Tok::Keyword(kw @ (Kw::Encoding | Kw::Location | Kw::Owner | Kw::Tablespace | Kw::Template)) => {
                    kw.word().to_owned()
                }
                _ => return Ok(list),
            };
            self.advance();
            self.eat_char(b'=');
            let arg = match self.peek() {
                Tok::Keyword(Kw::Default) => {
                    self.advance();
                    None
                }
                Tok::Iconst(_) | Tok::Fconst | Tok::Char(b'+' | b'-') => Some(self.numeric_only()?),
                _ => Some(DefArg::String(self.boolean_or_string()?)),
            };
            list.push(def_elem(&name, arg, location));
        }
    }

    pub(super) fn drop_database(&mut self) -> Result<Statement> {
        self.advance();
        let missing_ok = self.if_exists()?;
        let dbname = self.col_id()?;
        let mut options = Vec::new();
        if self.eat_any_with() || self.is_char(b'(') {
            options = self.paren_list(|p| {
                let location = p.loc();
                p.expect(Kw::Force)?;
                Ok(def_elem("force", None, location))
            })?;
        }
        Ok(Statement::DropDatabase(Box::new(DropdbStmt { dbname, missing_ok, options })))
    }

    pub(super) fn create_tablespace(&mut self) -> Result<Statement> {
        self.advance();
        let tablespacename = self.col_id()?;
        let owner = if self.eat(Kw::Owner) { Some(self.role_spec()?) } else { None };
        self.expect(Kw::Location)?;
        let location = self.string()?;
        let options = self.opt_with_reloptions()?;
        let stmt = CreateTableSpaceStmt { tablespacename, owner, location, options };
        Ok(Statement::CreateTableSpace(Box::new(stmt)))
    }

    pub(super) fn create_extension(&mut self) -> Result<Statement> {
        self.advance();
        let if_not_exists = self.if_not_exists()?;
        let extname = self.col_id()?;
        self.eat_any_with();
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            if self.eat(Kw::Schema) {
                let name = self.col_id()?;
                options.push(def_elem("schema", Some(DefArg::String(name)), location));
            } else if self.eat(Kw::Version) {
                let version = self.word_or_string()?;
                options.push(def_elem("new_version", Some(DefArg::String(version)), location));
            } else if self.eat(Kw::From) {
                self.word_or_string()?;
                return Err(unsupported_at("CREATE EXTENSION ... FROM is no longer supported", location));
            } else if self.eat(Kw::Cascade) {
                options.push(def_elem("cascade", Some(DefArg::Boolean(true)), location));
            } else {
                break;
            }
        }
        let stmt = CreateExtensionStmt { extname, if_not_exists, options };
        Ok(Statement::CreateExtension(Box::new(stmt)))
    }

    fn define(kind: ObjectType, defnames: Vec<String>, definition: Vec<DefElem>) -> Statement {
        Statement::Define(Box::new(DefineStmt {
            kind,
            oldstyle: false,
            defnames,
            args: None,
            definition,
            if_not_exists: false,
            replace: false,
        }))
    }

    pub(super) fn create_type(&mut self) -> Result<Statement> {
        self.advance();
        let location = self.loc();
        let names = self.any_name()?;
        if self.is_char(b'(') {
            return Ok(Self::define(ObjectType::Type, names, self.definition()?));
        }
        if !self.eat(Kw::As) {
            return Ok(Self::define(ObjectType::Type, names, Vec::new()));
        }
        if self.eat(Kw::Enum) {
            self.expect_char(b'(')?;
            let vals = if self.is_char(b')') { Vec::new() } else { self.list(Self::string)? };
            self.expect_char(b')')?;
            return Ok(Statement::CreateEnum(Box::new(CreateEnumStmt { type_name: names, vals })));
        }
        if self.eat(Kw::Range) {
            let params = self.definition()?;
            return Ok(Statement::CreateRange(Box::new(CreateRangeStmt { type_name: names, params })));
        }
        self.expect_char(b'(')?;
        let coldeflist = if self.is_char(b')') { Vec::new() } else { self.list(Self::table_func_element)? };
        self.expect_char(b')')?;
        let typevar = make_range_var(names, location)?;
        Ok(Statement::CompositeType(Box::new(CompositeTypeStmt { typevar, coldeflist })))
    }

    pub(super) fn create_domain(&mut self) -> Result<Statement> {
        self.advance();
        let domainname = self.any_name()?;
        self.eat(Kw::As);
        let type_name = self.type_name()?;
        let mut column = ColumnDef::default();
        self.column_qualifiers(&mut column)?;
        Ok(Statement::CreateDomain(Box::new(CreateDomainStmt {
            domainname,
            type_name,
            coll_clause: column.coll_clause,
            constraints: column.constraints,
        })))
    }

    pub(super) fn create_text_search(&mut self) -> Result<Statement> {
        let kind = self.object_type()?;
        let names = self.any_name()?;
        Ok(Self::define(kind, names, self.definition()?))
    }

    pub(super) fn create_collation(&mut self) -> Result<Statement> {
        self.advance();
        let if_not_exists = self.if_not_exists()?;
        let defnames = self.any_name()?;
        let definition = if self.eat(Kw::From) {
            let location = self.loc();
            vec![def_elem("from", Some(DefArg::Names(self.any_name()?)), location)]
        } else {
            self.definition()?
        };
        Ok(Statement::Define(Box::new(DefineStmt {
            kind: ObjectType::Collation,
            oldstyle: false,
            defnames,
            args: None,
            definition,
            if_not_exists,
            replace: false,
        })))
    }

    pub(super) fn create_operator(&mut self) -> Result<Statement> {
        self.advance();
        let dotted = self.is_char_at(1, b'.');
        if !dotted && self.eat(Kw::Class) {
            return self.create_opclass();
        }
        if !dotted && self.eat(Kw::Family) {
            let opfamilyname = self.any_name()?;
            self.expect(Kw::Using)?;
            let stmt = CreateOpFamilyStmt { opfamilyname, amname: self.col_id()? };
            return Ok(Statement::CreateOpFamily(Box::new(stmt)));
        }
        let names = self.any_operator()?;
        Ok(Self::define(ObjectType::Operator, names, self.definition()?))
    }

    fn create_opclass(&mut self) -> Result<Statement> {
        let opclassname = self.any_name()?;
        let is_default = self.eat(Kw::Default);
        self.expect_all(&[Kw::For, Kw::Type])?;
        let datatype = self.type_name()?;
        self.expect(Kw::Using)?;
        let amname = self.col_id()?;
        let opfamilyname = if self.eat(Kw::Family) { self.any_name()? } else { Vec::new() };
        self.expect(Kw::As)?;
        let items = self.list(Self::opclass_item)?;
        let stmt = CreateOpClassStmt { opclassname, opfamilyname, amname, datatype, items, is_default };
        Ok(Statement::CreateOpClass(Box::new(stmt)))
    }

    fn opclass_item(&mut self) -> Result<CreateOpClassItem> {
        let mut item = new_item(OpClassItemType::Operator);
        if self.eat(Kw::Storage) {
            item.itemtype = OpClassItemType::StorageType;
            item.storedtype = Some(self.type_name()?);
        } else if self.eat(Kw::Function) {
            item.itemtype = OpClassItemType::Function;
            item.number = self.iconst()?;
            if self.is_char(b'(') {
                item.class_args = self.paren_list(Self::type_name)?.into_iter().map(Some).collect();
            }
            item.name = Some(self.function_with_argtypes()?);
        } else {
            self.expect(Kw::Operator)?;
            item.number = self.iconst()?;
            let objname = self.any_operator()?;
            let objargs = if self.is_char(b'(') { self.oper_argtypes()? } else { Vec::new() };
            item.name = Some(ObjectWithArgs { objname, objargs, ..ObjectWithArgs::default() });
            if self.eat(Kw::For) && !self.eat(Kw::Search) {
                self.expect_all(&[Kw::Order, Kw::By])?;
                item.order_family = self.any_name()?;
            }
        }
        Ok(item)
    }

    fn opclass_drop(&mut self) -> Result<CreateOpClassItem> {
        let mut item = new_item(OpClassItemType::Operator);
        if self.eat(Kw::Function) {
            item.itemtype = OpClassItemType::Function;
        } else {
            self.expect(Kw::Operator)?;
        }
        item.number = self.iconst()?;
        item.class_args = self.paren_list(Self::type_name)?.into_iter().map(Some).collect();
        Ok(item)
    }

    pub(super) fn create_cast(&mut self) -> Result<Statement> {
        self.advance();
        self.expect_char(b'(')?;
        let sourcetype = self.type_name()?;
        self.expect(Kw::As)?;
        let targettype = self.type_name()?;
        self.expect_char(b')')?;
        let (mut func, mut inout) = (None, false);
        if self.eat(Kw::Without) {
            self.expect(Kw::Function)?;
        } else {
            self.expect(Kw::With)?;
            inout = self.eat(Kw::Inout);
            if !inout {
                self.expect(Kw::Function)?;
                func = Some(self.function_with_argtypes()?);
            }
        }
        let mut context = CoercionContext::Explicit;
        if self.eat(Kw::As) {
            context = if self.eat(Kw::Implicit) {
                CoercionContext::Implicit
            } else {
                self.expect(Kw::Assignment)?;
                CoercionContext::Assignment
            };
        }
        let stmt = CreateCastStmt { sourcetype, targettype, func, context, inout };
        Ok(Statement::CreateCast(Box::new(stmt)))
    }

    pub(super) fn create_transform(&mut self, replace: bool) -> Result<Statement> {
        self.advance();
        self.expect(Kw::For)?;
        let type_name = self.type_name()?;
        self.expect(Kw::Language)?;
        let lang = self.col_id()?;
        let (mut fromsql, mut tosql) = (None, None);
        self.expect_char(b'(')?;
        loop {
            let from = fromsql.is_none() && self.eat(Kw::From);
            if !from && !(tosql.is_none() && self.eat(Kw::To)) {
                return self.fail();
            }
            self.expect_all(&[Kw::Sql, Kw::With, Kw::Function])?;
            let function = Some(self.function_with_argtypes()?);
            if from {
                fromsql = function;
            } else {
                tosql = function;
            }
            if !self.eat_char(b',') {
                break;
            }
        }
        self.expect_char(b')')?;
        let stmt = CreateTransformStmt { replace, type_name, lang, fromsql, tosql };
        Ok(Statement::CreateTransform(Box::new(stmt)))
    }

    pub(super) fn create_conversion(&mut self) -> Result<Statement> {
        let def = self.eat(Kw::Default);
        self.expect(Kw::Conversion)?;
        let conversion_name = self.any_name()?;
        self.expect(Kw::For)?;
        let for_encoding_name = self.string()?;
        self.expect(Kw::To)?;
        let to_encoding_name = self.string()?;
        self.expect(Kw::From)?;
        let func_name = self.any_name()?;
        let stmt = CreateConversionStmt { conversion_name, for_encoding_name, to_encoding_name, func_name, def };
        Ok(Statement::CreateConversion(Box::new(stmt)))
    }

    pub(super) fn create_access_method(&mut self) -> Result<Statement> {
        self.advance();
        self.expect(Kw::Method)?;
        let amname = self.col_id()?;
        self.expect(Kw::Type)?;
        let table = self.eat(Kw::Table);
        if !table {
            self.expect(Kw::Index)?;
        }
        self.expect(Kw::Handler)?;
        let handler_name = self.any_name()?;
        let amtype = if table { 't' } else { 'i' };
        Ok(Statement::CreateAm(Box::new(CreateAmStmt { amname, handler_name, amtype })))
    }

    pub(super) fn create_language(&mut self, replace: bool) -> Result<Statement> {
        let pltrusted = self.eat(Kw::Trusted);
        self.eat(Kw::Procedural);
        self.expect(Kw::Language)?;
        let plname = self.col_id()?;
        if !self.eat(Kw::Handler) {
            // Without a handler it names an extension.
            let stmt = CreateExtensionStmt { extname: plname, if_not_exists: replace, options: Vec::new() };
            return Ok(Statement::CreateExtension(Box::new(stmt)));
        }
        let plhandler = self.any_name()?;
        let plinline = if self.eat(Kw::Inline) { self.any_name()? } else { Vec::new() };
        let mut plvalidator = Vec::new();
        if self.eat(Kw::Validator) {
            plvalidator = self.any_name()?;
        } else if self.eat(Kw::No) {
            self.expect(Kw::Validator)?;
        }
        let stmt = CreatePLangStmt { replace, plname, plhandler, plinline, plvalidator, pltrusted };
        Ok(Statement::CreatePLang(Box::new(stmt)))
    }

    pub(super) fn create_event_trigger(&mut self) -> Result<Statement> {
        self.advance();
        self.expect(Kw::Trigger)?;
        let trigname = self.col_id()?;
        self.expect(Kw::On)?;
        let eventname = self.col_label()?;
        let mut whenclause = Vec::new();
        if self.eat(Kw::When) {
            loop {
                let location = self.loc();
                let name = self.col_id()?;
                self.expect(Kw::In)?;
                let values = self.paren_list(Self::string)?;
                whenclause.push(def_elem(&name, Some(DefArg::Names(values)), location));
                if !self.eat(Kw::And) {
                    break;
                }
            }
        }
        let funcname = self.trigger_function()?;
        self.expect_char(b'(')?;
        self.expect_char(b')')?;
        let stmt = CreateEventTrigStmt { trigname, eventname, whenclause, funcname };
        Ok(Statement::CreateEventTrigger(Box::new(stmt)))
    }

    fn trigger_function(&mut self) -> Result<Vec<String>> {
        self.expect(Kw::Execute)?;
        if !self.eat(Kw::Procedure) {
            self.expect(Kw::Function)?;
        }
        self.func_name()
    }

    pub(super) fn create_trigger(&mut self, replace: bool) -> Result<Statement> {
        let isconstraint = self.eat(Kw::Constraint);
        self.expect(Kw::Trigger)?;
        let trigname = self.col_id()?;
        let timing = if self.eat(Kw::After) {
            trigger_type::AFTER
        } else if !isconstraint && self.eat(Kw::Before) {
            trigger_type::BEFORE
        } else if !isconstraint && self.eat(Kw::Instead) {
            self.expect(Kw::Of)?;
            trigger_type::INSTEAD
        } else {
            return self.fail();
        };
        let (events, columns) = self.trigger_events()?;
        self.expect(Kw::On)?;
        let relation = self.qualified_name()?;
        let mut stmt = CreateTrigStmt {
            replace,
            isconstraint,
            trigname,
            relation,
            funcname: Vec::new(),
            args: Vec::new(),
            row: isconstraint,
            timing,
            events,
            columns,
            when_clause: None,
            transition_rels: Vec::new(),
            deferrable: false,
            initdeferred: false,
            constrrel: None,
        };
        if isconstraint {
            if self.eat(Kw::From) {
                stmt.constrrel = Some(self.qualified_name()?);
            }
            let mut c = Constraint::new(ConstrType::Check, self.loc());
            self.constraint_attributes(&mut c, "CONSTRAINT TRIGGER", true)?;
            (stmt.deferrable, stmt.initdeferred) = (c.deferrable, c.initdeferred);
            self.expect_all(&[Kw::For, Kw::Each, Kw::Row])?;
        } else {
            if self.eat(Kw::Referencing) {
                while matches!(self.peek(), Tok::Keyword(Kw::New | Kw::Old)) || stmt.transition_rels.is_empty() {
                    stmt.transition_rels.push(self.transition()?);
                }
            }
            if self.eat(Kw::For) {
                self.eat(Kw::Each);
                stmt.row = self.eat(Kw::Row);
                if !stmt.row {
                    self.expect(Kw::Statement)?;
                }
            }
        }
        if self.eat(Kw::When) {
            stmt.when_clause = Some(self.paren_expr_only()?);
        }
        stmt.funcname = self.trigger_function()?;
        self.expect_char(b'(')?;
        if !self.is_char(b')') {
            stmt.args = self.list(|p| match p.peek() {
                Tok::Iconst(n) => {
                    p.advance();
                    Ok(n.to_string())
                }
                Tok::Fconst | Tok::Sconst => {
                    let text = p.text().to_owned();
                    p.advance();
                    Ok(text)
                }
                _ => p.col_label(),
            })?;
        }
        self.expect_char(b')')?;
        Ok(Statement::CreateTrigger(Box::new(stmt)))
    }

    fn trigger_events(&mut self) -> Result<(i16, Vec<String>)> {
        let (mut events, mut columns) = (0, Vec::new());
        loop {
            let bit = match self.peek() {
                Tok::Keyword(Kw::Insert) => trigger_type::INSERT,
                Tok::Keyword(Kw::Delete) => trigger_type::DELETE,
                Tok::Keyword(Kw::Update) => trigger_type::UPDATE,
                Tok::Keyword(Kw::Truncate) => trigger_type::TRUNCATE,
                _ => return self.fail(),
            };
            self.advance();
            if bit == trigger_type::UPDATE && self.eat(Kw::Of) {
                columns.extend(self.name_list()?);
            }
            if events & bit != 0 {
                return Err(self.error_here("duplicate trigger events specified"));
            }
            events |= bit;
            if !self.eat(Kw::Or) {
                return Ok((events, columns));
            }
        }
    }

    fn transition(&mut self) -> Result<TriggerTransition> {
        let is_new = self.eat(Kw::New);
        if !is_new {
            self.expect(Kw::Old)?;
        }
        let is_table = self.eat(Kw::Table);
        if !is_table {
            self.expect(Kw::Row)?;
        }
        self.eat(Kw::As);
        Ok(TriggerTransition { name: self.col_id()?, is_new, is_table })
    }

    pub(super) fn create_rule(&mut self, replace: bool) -> Result<Statement> {
        self.advance();
        let rulename = self.col_id()?;
        self.expect_all(&[Kw::As, Kw::On])?;
        let event = match self.peek() {
            Tok::Keyword(Kw::Select) => CmdType::Select,
            Tok::Keyword(Kw::Update) => CmdType::Update,
            Tok::Keyword(Kw::Delete) => CmdType::Delete,
            Tok::Keyword(Kw::Insert) => CmdType::Insert,
            _ => return self.fail(),
        };
        self.advance();
        self.expect(Kw::To)?;
        let relation = self.qualified_name()?;
        let where_clause = self.where_clause()?;
        self.expect(Kw::Do)?;
        let instead = self.eat(Kw::Instead);
        if !instead {
            self.eat(Kw::Also);
        }
        let mut actions = Vec::new();
        if self.eat(Kw::Nothing) {
        } else if self.is_char(b'(') && !self.at_select_in_parens_alone() {
            self.advance();
            while !self.eat_char(b')') {
                if self.eat_char(b';') {
                    continue;
                }
                actions.push(self.rule_action()?);
                if !self.is_char(b')') {
                    self.expect_char(b';')?;
                }
            }
        } else {
            actions.push(self.rule_action()?);
        }
        let stmt = RuleStmt { relation, rulename, where_clause, event, instead, actions, replace };
        Ok(Statement::CreateRule(Box::new(stmt)))
    }

    /// At `((SELECT`, which no list of actions begins with.
    fn at_select_in_parens_alone(&self) -> bool {
        self.is_char_at(1, b'(') && self.at_select_in_parens()
    }

    fn rule_action(&mut self) -> Result<Statement> {
        match self.peek() {
            Tok::Keyword(Kw::Notify) => self.utility(Kw::Notify),
            Tok::Keyword(Kw::Merge) => self.fail(),
            _ => self.preparable_statement(),
        }
    }

    pub(super) fn create_policy(&mut self) -> Result<Statement> {
        self.advance();
        let policy_name = self.col_id()?;
        self.expect(Kw::On)?;
        let table = self.qualified_name()?;
        let mut permissive = true;
        if self.eat(Kw::As) {
            let at = self.loc();
            permissive = match self.peek() {
                Tok::Ident if self.text() == "permissive" => true,
                Tok::Ident if self.text() == "restrictive" => false,
                Tok::Ident => {
                    let text = format!("unrecognized row security option \"{}\"", self.text());
                    let error = error_at(text, at);
                    return Err(error.hint("Only PERMISSIVE or RESTRICTIVE policies are supported currently."));
                }
                _ => return self.fail(),
            };
            self.advance();
        }
        let mut cmd_name = "all".to_owned();
        if self.eat(Kw::For) {
            let Tok::Keyword(kw @ (Kw::All | Kw::Select | Kw::Insert | Kw::Update | Kw::Delete)) = self.peek() else {
                return self.fail();
            };
            self.advance();
            cmd_name = kw.word().to_owned();
        }
        let (roles, qual, with_check) = self.policy_rest()?;
        let roles = match roles.is_empty() {
            true => {
                vec![RoleSpec { roletype: RoleSpecType::Public, rolename: None, location: Location::UNKNOWN }]
            }
            false => roles,
        };
        let stmt = CreatePolicyStmt { policy_name, table, cmd_name, permissive, roles, qual, with_check };
        Ok(Statement::CreatePolicy(Box::new(stmt)))
    }

    fn policy_rest(&mut self) -> Result<(Vec<RoleSpec>, Option<Expr>, Option<Expr>)> {
        let roles = if self.eat(Kw::To) { self.list(Self::role_spec)? } else { Vec::new() };
        let qual = if self.eat(Kw::Using) { Some(self.paren_expr_only()?) } else { None };
        let mut with_check = None;
        if self.eat(Kw::With) {
            self.expect(Kw::Check)?;
            with_check = Some(self.paren_expr_only()?);
        }
        Ok((roles, qual, with_check))
    }

    pub(super) fn create_statistics(&mut self) -> Result<Statement> {
        self.advance();
        let if_not_exists = self.if_not_exists()?;
        let mut defnames = Vec::new();
        if if_not_exists || is_col_id(self.peek()) {
            defnames = self.any_name()?;
        }
        let stat_types = self.opt_paren_list(Self::col_id)?;
        self.expect(Kw::On)?;
        let exprs = self.list(|p| {
            let plain = is_col_id(p.peek()) && !matches!(p.peek_at(1), Tok::Char(b'(' | b'.'));
            if plain {
                return Ok(StatsElem { name: Some(p.col_id()?), expr: None });
            }
            let expr = if p.is_char(b'(') { p.paren_expr_only()? } else { p.func_expr_windowless()? };
            Ok(StatsElem { name: None, expr: Some(expr) })
        })?;
        self.expect(Kw::From)?;
        let relations = self.from_list()?;
        let stmt = CreateStatsStmt { defnames, stat_types, exprs, relations, if_not_exists };
        Ok(Statement::CreateStats(Box::new(stmt)))
    }

    /// ALTER of one kind, for what is not common to all.
    pub(super) fn alter_object(&mut self, kind: ObjectType, object: Object, missing_ok: bool) -> Result<Statement> {
        use ObjectType as T;
        match (kind, object) {
            (T::Function | T::Procedure | T::Routine, Object::WithArgs(func)) => {
                let mut actions = Vec::new();
                while let Some(action) = self.function_option(false)? {
                    actions.push(action);
                }
                if actions.is_empty() {
                    return self.fail();
                }
                self.eat(Kw::Restrict);
                Ok(Statement::AlterFunction(Box::new(AlterFunctionStmt { objtype: kind, func, actions })))
            }
            (T::Operator, Object::WithArgs(opername)) => {
                self.expect(Kw::Set)?;
                let options = self.definition()?;
                Ok(Statement::AlterOperator(Box::new(AlterOperatorStmt { opername, options })))
            }
            (T::Domain, Object::QualifiedName(names)) => self.alter_domain(names),
            (T::Type, Object::QualifiedName(names)) => self.alter_type_stmt(names),
            (T::Database, Object::Name(dbname)) => self.alter_database(dbname),
            (T::Tablespace, Object::Name(tablespacename)) => {
                let is_reset = self.eat(Kw::Reset);
                if !is_reset {
                    self.expect(Kw::Set)?;
                }
                let options = self.reloptions()?;
                let stmt = AlterTableSpaceOptionsStmt { tablespacename, options, is_reset };
                Ok(Statement::AlterTableSpaceOptions(Box::new(stmt)))
            }
            (T::Collation, Object::QualifiedName(collname)) => {
                self.expect_all(&[Kw::Refresh, Kw::Version])?;
                Ok(Statement::AlterCollation(Box::new(AlterCollationStmt { collname })))
            }
            (T::StatisticExt, Object::QualifiedName(defnames)) => {
                self.expect_all(&[Kw::Set, Kw::Statistics])?;
                let stxstattarget = if self.eat(Kw::Default) { None } else { Some(self.signed_iconst()?) };
                let stmt = AlterStatsStmt { defnames, stxstattarget, missing_ok };
                Ok(Statement::AlterStats(Box::new(stmt)))
            }
            (T::Policy, Object::QualifiedName(mut names)) => {
                let policy_name = names.pop().unwrap_or_default();
                let table = make_range_var(names, Location::UNKNOWN)?;
                let (roles, qual, with_check) = self.policy_rest()?;
                let stmt = AlterPolicyStmt { policy_name, table, roles, qual, with_check };
                Ok(Statement::AlterPolicy(Box::new(stmt)))
            }
            (T::EventTrigger, Object::Name(trigname)) => {
                let tgenabled = if self.eat(Kw::Disable) {
                    'D'
                } else {
                    self.expect(Kw::Enable)?;
                    if self.eat(Kw::Replica) {
                        'R'
                    } else if self.eat(Kw::Always) {
                        'A'
                    } else {
                        'O'
                    }
                };
                Ok(Statement::AlterEventTrigger(Box::new(AlterEventTrigStmt { trigname, tgenabled })))
            }
            (T::Opfamily, Object::QualifiedName(mut names)) => {
                let amname = names.remove(0);
                let is_drop = self.eat(Kw::Drop);
                if !is_drop {
                    self.expect(Kw::Add)?;
                }
                let items = if is_drop { self.list(Self::opclass_drop)? } else { self.list(Self::opclass_item)? };
                let stmt = AlterOpFamilyStmt { opfamilyname: names, amname, is_drop, items };
                Ok(Statement::AlterOpFamily(Box::new(stmt)))
            }
            (T::TsDictionary, Object::QualifiedName(dictname)) => {
                let options = self.definition()?;
                Ok(Statement::AlterTSDictionary(Box::new(AlterTSDictionaryStmt { dictname, options })))
            }
            (T::TsConfiguration, Object::QualifiedName(names)) => self.alter_ts_config(names),
            (T::Extension, Object::Name(extname)) => self.alter_extension(extname),
            (kind, Object::Name(name)) => self.alter_foreign(kind, name),
            _ => self.fail(),
        }
    }

    fn alter_extension(&mut self, extname: String) -> Result<Statement> {
        if self.eat(Kw::Update) {
            let mut options = Vec::new();
            let location = self.loc();
            if self.eat(Kw::To) {
                let version = self.word_or_string()?;
                options.push(def_elem("new_version", Some(DefArg::String(version)), location));
            }
            return Ok(Statement::AlterExtension(Box::new(AlterExtensionStmt { extname, options })));
        }
        let action = if self.eat(Kw::Add) { 1 } else { -1 };
        if action == -1 {
            self.expect(Kw::Drop)?;
        }
        let (objtype, object) = self.typed_object()?;
        let stmt = AlterExtensionContentsStmt { extname, action, objtype, object };
        Ok(Statement::AlterExtensionContents(Box::new(stmt)))
    }

    fn alter_ts_config(&mut self, cfgname: Vec<String>) -> Result<Statement> {
        let mut stmt = AlterTSConfigurationStmt {
            kind: AlterTSConfigType::AddMapping,
            cfgname,
            tokentype: Vec::new(),
            dicts: Vec::new(),
            override_: false,
            replace: false,
            missing_ok: false,
        };
        if self.eat(Kw::Drop) {
            self.expect(Kw::Mapping)?;
            stmt.kind = AlterTSConfigType::DropMapping;
            stmt.missing_ok = self.if_exists()?;
            self.expect(Kw::For)?;
            stmt.tokentype = self.name_list()?;
            return Ok(Statement::AlterTSConfiguration(Box::new(stmt)));
        }
        let alter = self.eat(Kw::Alter);
        if !alter {
            self.expect(Kw::Add)?;
        }
        self.expect(Kw::Mapping)?;
        if !alter || !self.is(Kw::Replace) {
            self.expect(Kw::For)?;
            stmt.tokentype = self.name_list()?;
        }
        stmt.override_ = alter;
        if alter && self.eat(Kw::Replace) {
            (stmt.replace, stmt.override_) = (true, false);
            stmt.kind = match stmt.tokentype.is_empty() {
                true => AlterTSConfigType::ReplaceDict,
                false => AlterTSConfigType::ReplaceDictForToken,
            };
            stmt.dicts.push(self.any_name()?);
            if !self.eat_any_with() {
                return self.fail();
            }
            stmt.dicts.push(self.any_name()?);
        } else {
            if alter {
                stmt.kind = AlterTSConfigType::AlterMappingForToken;
            }
            if !self.eat_any_with() {
                return self.fail();
            }
            stmt.dicts = self.list(Self::any_name)?;
        }
        Ok(Statement::AlterTSConfiguration(Box::new(stmt)))
    }

    fn alter_database(&mut self, dbname: String) -> Result<Statement> {
        if self.eat(Kw::Refresh) {
            self.expect_all(&[Kw::Collation, Kw::Version])?;
            let stmt = AlterDatabaseRefreshCollStmt { dbname };
            return Ok(Statement::AlterDatabaseRefreshColl(Box::new(stmt)));
        }
        let location = self.loc();
        if self.eat2(Kw::Set, Kw::Tablespace) {
            let name = self.col_id()?;
            let options = vec![def_elem("tablespace", Some(DefArg::String(name)), location)];
            return Ok(Statement::AlterDatabase(Box::new(AlterDatabaseStmt { dbname, options })));
        }
        if let Some(setstmt) = self.opt_set_reset()? {
            return Ok(Statement::AlterDatabaseSet(Box::new(AlterDatabaseSetStmt { dbname, setstmt })));
        }
        self.eat(Kw::With);
        let options = self.database_options()?;
        Ok(Statement::AlterDatabase(Box::new(AlterDatabaseStmt { dbname, options })))
    }

    fn alter_domain(&mut self, type_name: Vec<String>) -> Result<Statement> {
        let mut stmt = AlterDomainStmt {
            subtype: AlterDomainType::AlterDefault,
            type_name,
            name: None,
            def: None,
            constraint: None,
            behavior: DropBehavior::Restrict,
            missing_ok: false,
        };
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        match kw {
            Kw::Rename => {
                self.expect(Kw::Constraint)?;
                let name = self.col_id()?;
                self.expect(Kw::To)?;
                let newname = self.col_id()?;
                let mut rename = super::alter_table::new_rename(ObjectType::DomConstraint, newname);
                let type_name = TypeName { names: stmt.type_name, typemod: -1, ..TypeName::default() };
                rename.subname = Some(name.clone());
                rename.object = Some(Object::DomainConstraint { type_name, name });
                return Ok(Statement::Rename(Box::new(rename)));
            }
            Kw::Set | Kw::Drop if self.is(Kw::Not) => {
                self.advance();
                self.expect(Kw::Null)?;
                stmt.subtype = if kw == Kw::Set { AlterDomainType::SetNotNull } else { AlterDomainType::DropNotNull };
            }
            Kw::Set => {
                self.expect(Kw::Default)?;
                stmt.def = Some(self.a_expr()?);
            }
            Kw::Drop if self.eat(Kw::Default) => {}
            Kw::Drop => {
                self.expect(Kw::Constraint)?;
                stmt.subtype = AlterDomainType::DropConstraint;
                stmt.missing_ok = self.if_exists()?;
                stmt.name = Some(self.col_id()?);
                stmt.behavior = self.drop_behavior();
            }
            Kw::Add => {
                stmt.subtype = AlterDomainType::AddConstraint;
                stmt.constraint = Some(self.domain_constraint()?);
            }
            Kw::Validate => {
                self.expect(Kw::Constraint)?;
                stmt.subtype = AlterDomainType::ValidateConstraint;
                stmt.name = Some(self.col_id()?);
            }
            _ => {
                self.pos -= 1;
                return self.fail();
            }
        }
        Ok(Statement::AlterDomain(Box::new(stmt)))
    }

    fn domain_constraint(&mut self) -> Result<Constraint> {
        let location = self.loc();
        let conname = self.opt_col_id_if(Kw::Constraint)?;
        let mut c = Constraint::new(ConstrType::Check, location);
        c.conname = conname;
        if self.eat(Kw::Not) {
            self.expect(Kw::Null)?;
            c.contype = ConstrType::NotNull;
            c.keys = vec!["value".to_owned()];
            self.constraint_attributes(&mut c, "NOT NULL", false)?;
        } else {
            self.expect(Kw::Check)?;
            c.raw_expr = Some(self.paren_expr_only()?);
            let from = self.pos;
            self.constraint_attributes(&mut c, "CHECK", true)?;
            // A domain's check is always enforced.
            for pos in from..self.pos {
                let not = pos > from && self.lexed.tokens[pos - 1].tok == Tok::Keyword(Kw::Not);
                if self.lexed.tokens[pos].tok == Tok::Keyword(Kw::Enforced) {
                    let at = Location(self.lexed.tokens[pos - usize::from(not)].start as i32);
                    let word = if not { "NOT ENFORCED" } else { "ENFORCED" };
                    return Err(unsupported_at(format!("CHECK constraints cannot be marked {word}"), at));
                }
            }
            c.initially_valid = !c.skip_validation;
        }
        Ok(c)
    }

    fn alter_type_stmt(&mut self, names: Vec<String>) -> Result<Statement> {
        if self.is(Kw::Set) && self.is_char_at(1, b'(') {
            self.advance();
            let options = self.definition()?;
            return Ok(Statement::AlterType(Box::new(AlterTypeStmt { type_name: names, options })));
        }
        let mut alter = AlterEnumStmt {
            type_name: names,
            old_val: None,
            new_val: None,
            new_val_neighbor: None,
            new_val_is_after: true,
            skip_if_new_val_exists: false,
        };
        if self.eat2(Kw::Add, Kw::Value) {
            alter.skip_if_new_val_exists = self.if_not_exists()?;
            alter.new_val = Some(self.string()?);
            if self.eat(Kw::Before) {
                alter.new_val_is_after = false;
                alter.new_val_neighbor = Some(self.string()?);
            } else if self.eat(Kw::After) {
                alter.new_val_neighbor = Some(self.string()?);
            }
            return Ok(Statement::AlterEnum(Box::new(alter)));
        }
        if self.eat2(Kw::Rename, Kw::Value) {
            alter.old_val = Some(self.string()?);
            self.expect(Kw::To)?;
            alter.new_val = Some(self.string()?);
            alter.new_val_is_after = false;
            return Ok(Statement::AlterEnum(Box::new(alter)));
        }
        if self.is(Kw::Drop) && self.is_at(1, Kw::Value) {
            self.pos += 2;
            self.string()?;
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "dropping an enum value is not implemented"));
        }
        let relation = make_range_var(alter.type_name, Location::UNKNOWN)?;
        if self.eat2(Kw::Rename, Kw::Attribute) {
            let subname = Some(self.col_id()?);
            self.expect(Kw::To)?;
            let mut rename = super::alter_table::new_rename(ObjectType::Attribute, self.col_id()?);
            rename.relation_type = ObjectType::Type;
            rename.relation = Some(relation);
            rename.subname = subname;
            rename.behavior = self.drop_behavior();
            return Ok(Statement::Rename(Box::new(rename)));
        }
        let cmds = self.list(Self::alter_attribute)?;
        let objtype = ObjectType::Type;
        Ok(Statement::AlterTable(Box::new(AlterTableStmt { relation, cmds, objtype, missing_ok: false })))
    }

    fn alter_attribute(&mut self) -> Result<AlterTableCmd> {
        let Tok::Keyword(kw @ (Kw::Add | Kw::Drop | Kw::Alter)) = self.peek() else { return self.fail() };
        self.advance();
        self.expect(Kw::Attribute)?;
        let mut cmd = AlterTableCmd {
            subtype: AlterTableType::AddColumn,
            name: None,
            num: 0,
            newowner: None,
            def: None,
            behavior: DropBehavior::Restrict,
            missing_ok: false,
        };
        match kw {
            Kw::Add => cmd.def = Some(AlterTableDef::ColumnDef(Box::new(self.table_func_element()?))),
            Kw::Drop => {
                cmd.subtype = AlterTableType::DropColumn;
                cmd.missing_ok = self.if_exists()?;
                cmd.name = Some(self.col_id()?);
            }
            _ => {
                cmd.subtype = AlterTableType::AlterColumnType;
                cmd.name = Some(self.col_id()?);
                self.eat2(Kw::Set, Kw::Data);
                self.expect(Kw::Type)?;
                let type_name = Some(self.type_name()?);
                let coll_clause = self.opt_collate()?;
                let def = ColumnDef { type_name, coll_clause, ..ColumnDef::default() };
                cmd.def = Some(AlterTableDef::ColumnDef(Box::new(def)));
            }
        }
        cmd.behavior = self.drop_behavior();
        Ok(cmd)
    }
}

fn new_item(itemtype: OpClassItemType) -> CreateOpClassItem {
    CreateOpClassItem {
        itemtype,
        name: None,
        number: 0,
        order_family: Vec::new(),
        class_args: Vec::new(),
        storedtype: None,
    }
}
