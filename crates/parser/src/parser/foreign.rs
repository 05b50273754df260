//! Foreign data wrappers, servers, user mappings, foreign tables; publications and subscriptions.
//!
//! PostgreSQL: `CreateFdwStmt`, `CreateForeignServerStmt`, `CreatePublicationStmt`, `CreateSubscriptionStmt`, ... of `gram.y`.

use super::*;

impl<'a> Parser<'a> {
    /// FOREIGN DATA WRAPPER or FOREIGN TABLE.
    pub(super) fn create_foreign(&mut self) -> Result<Statement> {
        self.advance();
        if self.eat(Kw::Table) {
            let if_not_exists = self.if_not_exists()?;
            let relation = self.qualified_name()?;
            let mut base = CreateStmt { relation, if_not_exists, ..CreateStmt::default() };
            if self.is(Kw::Of) {
                return self.fail();
            }
            self.table_elements(&mut base)?;
            self.expect(Kw::Server)?;
            let servername = self.col_id()?;
            let options = self.create_generic_options()?;
            let stmt = CreateForeignTableStmt { base, servername, options };
            return Ok(Statement::CreateForeignTable(Box::new(stmt)));
        }
        self.expect_all(&[Kw::Data, Kw::Wrapper])?;
        let fdwname = self.col_id()?;
        let func_options = self.fdw_options()?;
        let options = self.create_generic_options()?;
        Ok(Statement::CreateFdw(Box::new(CreateFdwStmt { fdwname, func_options, options })))
    }

    fn fdw_options(&mut self) -> Result<Vec<DefElem>> {
        let mut list = Vec::new();
        loop {
            let location = self.loc();
            let no = self.is(Kw::No);
            if no {
                self.advance();
            }
            let Tok::Keyword(kw @ (Kw::Handler | Kw::Validator)) = self.peek() else {
                return if no { self.fail() } else { Ok(list) };
            };
            self.advance();
            let arg = if no { None } else { Some(DefArg::Names(self.any_name()?)) };
            list.push(def_elem(kw.word(), arg, location));
        }
    }

    pub(super) fn create_server(&mut self) -> Result<Statement> {
        self.advance();
        let if_not_exists = self.if_not_exists()?;
        let servername = self.col_id()?;
        let servertype = self.opt_string_if(Kw::Type)?;
        let version = self.server_version()?.flatten();
        self.expect_all(&[Kw::Foreign, Kw::Data, Kw::Wrapper])?;
        let fdwname = self.col_id()?;
        let options = self.create_generic_options()?;
        Ok(Statement::CreateForeignServer(Box::new(CreateForeignServerStmt {
            servername,
            servertype,
            version,
            fdwname,
            if_not_exists,
            options,
        })))
    }

    /// `[VERSION 'x' | NULL]`
    fn server_version(&mut self) -> Result<Option<Option<String>>> {
        if !self.eat(Kw::Version) {
            return Ok(None);
        }
        if self.eat(Kw::Null) { Ok(Some(None)) } else { Ok(Some(Some(self.string()?))) }
    }

    fn auth_ident(&mut self) -> Result<RoleSpec> {
        let location = self.loc();
        if self.eat(Kw::User) {
            return Ok(RoleSpec { roletype: RoleSpecType::CurrentUser, rolename: None, location });
        }
        self.role_spec()
    }

    /// After USER MAPPING: `FOR user SERVER name`.
    fn mapping(&mut self) -> Result<(RoleSpec, String)> {
        self.expect(Kw::For)?;
        let user = self.auth_ident()?;
        self.expect(Kw::Server)?;
        Ok((user, self.col_id()?))
    }

    pub(super) fn create_user_mapping(&mut self) -> Result<Statement> {
        self.expect_all(&[Kw::User, Kw::Mapping])?;
        let if_not_exists = self.if_not_exists()?;
        let (user, servername) = self.mapping()?;
        let options = self.create_generic_options()?;
        let stmt = CreateUserMappingStmt { user, servername, if_not_exists, options };
        Ok(Statement::CreateUserMapping(Box::new(stmt)))
    }
    pub(super) fn alter_user_mapping(&mut self) -> Result<Statement> {
        self.expect_all(&[Kw::User, Kw::Mapping])?;
        let (user, servername) = self.mapping()?;
        let options = self.alter_generic_options()?;
        Ok(Statement::AlterUserMapping(Box::new(AlterUserMappingStmt { user, servername, options })))
    }
    pub(super) fn drop_user_mapping(&mut self) -> Result<Statement> {
        self.expect_all(&[Kw::User, Kw::Mapping])?;
        let missing_ok = self.if_exists()?;
        let (user, servername) = self.mapping()?;
        Ok(Statement::DropUserMapping(Box::new(DropUserMappingStmt { user, servername, missing_ok })))
    }

    pub(super) fn import_foreign_schema(&mut self) -> Result<Statement> {
        self.advance();
        self.expect_all(&[Kw::Foreign, Kw::Schema])?;
        let remote_schema = self.col_id()?;
        let (mut list_type, mut table_list) = (ImportForeignSchemaType::All, Vec::new());
        if self.eat(Kw::Limit) {
            self.expect(Kw::To)?;
            list_type = ImportForeignSchemaType::LimitTo;
        } else if self.eat(Kw::Except) {
            list_type = ImportForeignSchemaType::Except;
        }
        if list_type != ImportForeignSchemaType::All {
            table_list = self.paren_list(Self::relation_expr)?;
        }
        self.expect_all(&[Kw::From, Kw::Server])?;
        let server_name = self.col_id()?;
        self.expect(Kw::Into)?;
        let local_schema = self.col_id()?;
        let options = self.create_generic_options()?;
        Ok(Statement::ImportForeignSchema(Box::new(ImportForeignSchemaStmt {
            server_name,
            remote_schema,
            local_schema,
            list_type,
            table_list,
            options,
        })))
    }

    pub(super) fn create_publication(&mut self) -> Result<Statement> {
        self.advance();
        let pubname = self.col_id()?;
        let (mut pubobjects, mut for_all_tables) = (Vec::new(), false);
        if self.eat(Kw::For) {
            if self.eat2(Kw::All, Kw::Tables) {
                for_all_tables = true;
            } else {
                pubobjects = self.publication_objects()?;
            }
        }
        let options = self.opt_definition()?;
        let stmt = CreatePublicationStmt { pubname, options, pubobjects, for_all_tables };
        Ok(Statement::CreatePublication(Box::new(stmt)))
    }

    /// `TABLE a, b, TABLES IN SCHEMA s, t`: a name alone continues the kind before it.
    fn publication_objects(&mut self) -> Result<Vec<PublicationObjSpec>> {
        let mut list = Vec::new();
        let mut schemas = None;
        loop {
            let location = self.loc();
            let from = self.pos;
            if self.eat(Kw::Table) {
                schemas = Some(false);
            } else if self.is(Kw::Tables) && self.is_at(1, Kw::In) {
                self.pos += 2;
                self.expect(Kw::Schema)?;
                schemas = Some(true);
            }
            match schemas {
                Some(false) if self.pos == from && self.is(Kw::CurrentSchema) => {
                    return Err(error_at("invalid table name", location));
                }
                Some(false) => {
                    let relation = self.relation_expr()?;
                    let columns = self.opt_paren_list(Self::col_id)?;
                    let where_clause = if self.eat(Kw::Where) { Some(self.paren_expr_only()?) } else { None };
                    let table = PublicationTable { relation, where_clause, columns };
                    list.push(PublicationObjSpec::Table(Box::new(table)));
                }
                Some(true) if self.eat(Kw::CurrentSchema) => {
                    list.push(PublicationObjSpec::TablesInCurSchema { location });
                }
                Some(true) => {
                    let at = self.loc();
                    let name = self.col_id()?;
                    if self.is_char(b'.') {
                        return Err(error_at("invalid schema name", at));
                    }
                    if self.pos == from + 1 && self.is_char(b'(') {
                        return Err(error_at("column specification not allowed for schema", location));
                    }
                    if self.pos == from + 1 && self.is(Kw::Where) {
                        return Err(error_at("WHERE clause not allowed for schema", location));
                    }
                    list.push(PublicationObjSpec::TablesInSchema { name, location });
                }
                None => {
                    if !is_col_id(self.peek()) && !self.is(Kw::CurrentSchema) && !self.is(Kw::Only) {
                        return self.fail();
                    }
                    let error = error_at("invalid publication object list", location);
                    let detail =
                        "One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.";
                    return Err(error.detail(detail));
                }
            }
            if !self.eat_char(b',') {
                return Ok(list);
            }
        }
    }

    pub(super) fn create_subscription(&mut self) -> Result<Statement> {
        self.advance();
        let subname = self.col_id()?;
        self.expect(Kw::Connection)?;
        let conninfo = self.string()?;
        self.expect(Kw::Publication)?;
        let publication = self.name_list()?;
        let options = self.opt_definition()?;
        let stmt = CreateSubscriptionStmt { subname, conninfo, publication, options };
        Ok(Statement::CreateSubscription(Box::new(stmt)))
    }

    /// ALTER of a wrapper, server, publication or subscription.
    pub(super) fn alter_foreign(&mut self, kind: ObjectType, name: String) -> Result<Statement> {
        match kind {
            ObjectType::Fdw => {
                let func_options = self.fdw_options()?;
                let options = match func_options.is_empty() || self.is(Kw::Options) {
                    true => self.alter_generic_options()?,
                    false => Vec::new(),
                };
                let stmt = AlterFdwStmt { fdwname: name, func_options, options };
                Ok(Statement::AlterFdw(Box::new(stmt)))
            }
            ObjectType::ForeignServer => {
                let version = self.server_version()?;
                let has_version = version.is_some();
                let options = match !has_version || self.is(Kw::Options) {
                    true => self.alter_generic_options()?,
                    false => Vec::new(),
                };
                let stmt =
                    AlterForeignServerStmt { servername: name, version: version.flatten(), options, has_version };
                Ok(Statement::AlterForeignServer(Box::new(stmt)))
            }
            ObjectType::Publication => self.alter_publication(name),
            ObjectType::Subscription => self.alter_subscription(name),
            _ => self.fail(),
        }
    }

    fn alter_publication(&mut self, pubname: String) -> Result<Statement> {
        let mut stmt = AlterPublicationStmt {
            pubname,
            options: Vec::new(),
            pubobjects: Vec::new(),
            for_all_tables: false,
            action: AlterPublicationAction::SetObjects,
        };
        if self.eat(Kw::Add) {
            stmt.action = AlterPublicationAction::AddObjects;
        } else if self.eat(Kw::Drop) {
            stmt.action = AlterPublicationAction::DropObjects;
        } else {
            self.expect(Kw::Set)?;
        }
        if stmt.action == AlterPublicationAction::SetObjects && self.is_char(b'(') {
            stmt.options = self.definition()?;
        } else {
            stmt.pubobjects = self.publication_objects()?;
        }
        Ok(Statement::AlterPublication(Box::new(stmt)))
    }

    fn alter_subscription(&mut self, subname: String) -> Result<Statement> {
        use AlterSubscriptionType as Type;
        let (conninfo, publication, options) = (None, Vec::new(), Vec::new());
        let mut stmt = AlterSubscriptionStmt { kind: Type::Options, subname, conninfo, publication, options };
        let location = self.loc();
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        match kw {
            Kw::Set if self.is_char(b'(') => stmt.options = self.definition()?,
            Kw::Skip => {
                stmt.kind = Type::Skip;
                stmt.options = self.definition()?;
            }
            Kw::Connection => {
                stmt.kind = Type::Connection;
                stmt.conninfo = Some(self.string()?);
            }
            Kw::Enable | Kw::Disable => {
                stmt.kind = Type::Enabled;
                stmt.options = vec![def_elem("enabled", Some(DefArg::Boolean(kw == Kw::Enable)), location)];
            }
            Kw::Refresh => {
                stmt.kind = Type::Refresh;
                self.expect(Kw::Publication)?;
                stmt.options = self.opt_definition()?;
            }
            Kw::Set | Kw::Add | Kw::Drop => {
                stmt.kind = match kw {
                    Kw::Set => Type::SetPublication,
                    Kw::Add => Type::AddPublication,
                    _ => Type::DropPublication,
                };
                self.expect(Kw::Publication)?;
                stmt.publication = self.name_list()?;
                stmt.options = self.opt_definition()?;
            }
            _ => {
                self.pos -= 1;
                return self.fail();
            }
        }
        Ok(Statement::AlterSubscription(Box::new(stmt)))
    }
}
