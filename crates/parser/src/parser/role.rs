//! Roles and privileges: CREATE, ALTER and DROP ROLE, GRANT, REVOKE.
//!
//! PostgreSQL: `CreateRoleStmt`, `GrantStmt`, `RevokeStmt`, `AlterDefaultPrivilegesStmt`, ... of `gram.y`.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn role_spec(&mut self) -> Result<RoleSpec> {
        let location = self.loc();
        let special = match self.peek() {
            Tok::Keyword(Kw::CurrentRole) => Some(RoleSpecType::CurrentRole),
            Tok::Keyword(Kw::CurrentUser) => Some(RoleSpecType::CurrentUser),
            Tok::Keyword(Kw::SessionUser) => Some(RoleSpecType::SessionUser),
            _ => None,
        };
        if let Some(roletype) = special {
            self.advance();
            return Ok(RoleSpec { roletype, rolename: None, location });
        }
        let name = self.non_reserved_word()?;
        match name.as_str() {
            "public" => Ok(RoleSpec { roletype: RoleSpecType::Public, rolename: None, location }),
            "none" => {
                let text = "role name \"none\" is reserved";
                Err(PgError::new(RESERVED_NAME, text).at(location))
            }
            _ => Ok(RoleSpec { roletype: RoleSpecType::CString, rolename: Some(name), location }),
        }
    }

    /// A role that is named, not PUBLIC or CURRENT_USER. (PostgreSQL: `RoleId`)
    pub(super) fn role_id(&mut self) -> Result<String> {
        let spec = self.role_spec()?;
        let reserved = |word: &str| format!("{word} cannot be used as a role name here");
        let text = match spec.roletype {
            RoleSpecType::CString => return Ok(spec.rolename.unwrap_or_default()),
            RoleSpecType::Public => "role name \"public\" is reserved".to_owned(),
            RoleSpecType::SessionUser => reserved("SESSION_USER"),
            RoleSpecType::CurrentUser => reserved("CURRENT_USER"),
            RoleSpecType::CurrentRole => reserved("CURRENT_ROLE"),
        };
        Err(PgError::new(RESERVED_NAME, text).at(spec.location))
    }

    pub(super) fn create_role(&mut self) -> Result<Statement> {
        let stmt_type = match self.peek() {
            Tok::Keyword(Kw::User) => RoleStmtType::User,
            Tok::Keyword(Kw::Group) => RoleStmtType::Group,
            _ => RoleStmtType::Role,
        };
        self.advance();
        let role = self.role_id()?;
        self.eat_any_with();
        let options = self.role_options(true)?;
        Ok(Statement::CreateRole(Box::new(CreateRoleStmt { stmt_type, role, options })))
    }

    fn role_options(&mut self, create: bool) -> Result<Vec<DefElem>> {
        let mut list = Vec::new();
        loop {
            let location = self.loc();
            let kw = match self.peek() {
                Tok::Ident => {
                    list.push(self.role_flag()?);
                    continue;
                }
                Tok::Keyword(kw) => kw,
                _ => return Ok(list),
            };
            self.advance();
            let (name, arg) = match kw {
                Kw::Password | Kw::Encrypted => {
                    if kw == Kw::Encrypted {
                        self.expect(Kw::Password)?;
                    }
                    match kw == Kw::Password && self.eat(Kw::Null) {
                        true => ("password", None),
                        false => ("password", Some(DefArg::String(self.string()?))),
                    }
                }
                Kw::Unencrypted => {
                    self.expect(Kw::Password)?;
                    self.string()?;
                    let error = unsupported_at("UNENCRYPTED PASSWORD is no longer supported", location);
                    return Err(error.hint("Remove UNENCRYPTED to store the password in encrypted form instead."));
                }
                Kw::Inherit => ("inherit", Some(DefArg::Boolean(true))),
                Kw::Connection => {
                    self.expect(Kw::Limit)?;
                    ("connectionlimit", Some(DefArg::Integer(self.signed_iconst()?)))
                }
                Kw::Valid => {
                    self.expect(Kw::Until)?;
                    ("validUntil", Some(DefArg::String(self.string()?)))
                }
                Kw::User => ("rolemembers", Some(DefArg::Roles(self.list(Self::role_spec)?))),
                Kw::Sysid if create => ("sysid", Some(DefArg::Integer(self.iconst()?))),
                Kw::Admin if create => ("adminmembers", Some(DefArg::Roles(self.list(Self::role_spec)?))),
                Kw::Role if create => ("rolemembers", Some(DefArg::Roles(self.list(Self::role_spec)?))),
                Kw::In if create => {
                    if !self.eat(Kw::Role) {
                        self.expect(Kw::Group)?;
                    }
                    ("addroleto", Some(DefArg::Roles(self.list(Self::role_spec)?)))
                }
                _ => {
                    self.pos -= 1;
                    return Ok(list);
                }
            };
            list.push(def_elem(name, arg, location));
        }
    }

    /// SUPERUSER, NOLOGIN and such, which are no keywords.
    fn role_flag(&mut self) -> Result<DefElem> {
        let location = self.loc();
        let word = self.text().to_owned();
        let (name, value) = match word.as_str() {
            "superuser" => ("superuser", true),
            "nosuperuser" => ("superuser", false),
            "createrole" => ("createrole", true),
            "nocreaterole" => ("createrole", false),
            "replication" => ("isreplication", true),
            "noreplication" => ("isreplication", false),
            "createdb" => ("createdb", true),
            "nocreatedb" => ("createdb", false),
            "login" => ("canlogin", true),
            "nologin" => ("canlogin", false),
            "bypassrls" => ("bypassrls", true),
            "nobypassrls" => ("bypassrls", false),
            "noinherit" => ("inherit", false),
            _ => return Err(error_at(format!("unrecognized role option \"{word}\""), location)),
        };
        self.advance();
        Ok(def_elem(name, Some(DefArg::Boolean(value)), location))
    }

    pub(super) fn alter_role(&mut self) -> Result<Statement> {
        let group = self.is(Kw::Group);
        self.advance();
        if !group && self.eat(Kw::All) {
            return self.alter_role_set(None);
        }
        let at = self.pos;
        let role = self.role_spec()?;
        if self.is(Kw::Rename) {
            self.pos = at;
            let subname = Some(self.role_id()?);
            self.expect_all(&[Kw::Rename, Kw::To])?;
            let newname = self.role_id()?;
            return Ok(Statement::Rename(Box::new(RenameStmt {
                rename_type: ObjectType::Role,
                relation_type: ObjectType::Role,
                relation: None,
                object: None,
                subname,
                newname,
                behavior: DropBehavior::Restrict,
                missing_ok: false,
            })));
        }
        if group {
            let action = if self.eat(Kw::Add) {
                1
            } else {
                self.expect(Kw::Drop)?;
                -1
            };
            let location = self.loc();
            self.expect(Kw::User)?;
            let members = DefArg::Roles(self.list(Self::role_spec)?);
            let options = vec![def_elem("rolemembers", Some(members), location)];
            return Ok(Statement::AlterRole(Box::new(AlterRoleStmt { role, options, action })));
        }
        if matches!(self.peek(), Tok::Keyword(Kw::In | Kw::Set | Kw::Reset)) {
            return self.alter_role_set(Some(role));
        }
        self.eat_any_with();
        let options = self.role_options(false)?;
        Ok(Statement::AlterRole(Box::new(AlterRoleStmt { role, options, action: 1 })))
    }

    fn alter_role_set(&mut self, role: Option<RoleSpec>) -> Result<Statement> {
        let mut database = None;
        if self.eat(Kw::In) {
            self.expect(Kw::Database)?;
            database = Some(self.col_id()?);
        }
        let Some(setstmt) = self.opt_set_reset()? else { return self.fail() };
        Ok(Statement::AlterRoleSet(Box::new(AlterRoleSetStmt { role, database, setstmt })))
    }

    pub(super) fn drop_role(&mut self) -> Result<Statement> {
        self.advance();
        let missing_ok = self.if_exists()?;
        let roles = self.list(Self::role_spec)?;
        Ok(Statement::DropRole(Box::new(DropRoleStmt { roles, missing_ok })))
    }

    pub(super) fn reassign_owned(&mut self) -> Result<Statement> {
        self.advance();
        self.expect_all(&[Kw::Owned, Kw::By])?;
        let roles = self.list(Self::role_spec)?;
        self.expect(Kw::To)?;
        let newrole = self.role_spec()?;
        Ok(Statement::ReassignOwned(Box::new(ReassignOwnedStmt { roles, newrole })))
    }

    fn privilege(&mut self) -> Result<AccessPriv> {
        let name = match self.peek() {
            Tok::Keyword(kw @ (Kw::Select | Kw::References | Kw::Create)) => {
                self.advance();
                kw.word().to_owned()
            }
            Tok::Keyword(Kw::Alter) => {
                self.advance();
                self.expect(Kw::System)?;
                return Ok(AccessPriv { priv_name: Some("alter system".to_owned()), cols: Vec::new() });
            }
            _ => self.col_id()?,
        };
        let cols = self.opt_paren_list(Self::col_id)?;
        Ok(AccessPriv { priv_name: Some(name), cols })
    }

    /// ALL, or a list; empty means ALL.
    fn privileges(&mut self) -> Result<Vec<AccessPriv>> {
        if !self.eat(Kw::All) {
            return self.list(Self::privilege);
        }
        self.eat(Kw::Privileges);
        match self.is_char(b'(') {
            true => Ok(vec![AccessPriv { priv_name: None, cols: self.paren_list(Self::col_id)? }]),
            false => Ok(Vec::new()),
        }
    }

    fn grantee(&mut self) -> Result<RoleSpec> {
        if self.is(Kw::Group) && is_non_reserved(self.peek_at(1)) && !self.is_at(1, Kw::Granted) {
            self.advance();
        }
        self.role_spec()
    }

    fn granted_by(&mut self) -> Result<Option<RoleSpec>> {
        if !self.eat(Kw::Granted) {
            return Ok(None);
        }
        self.expect(Kw::By)?;
        self.role_spec().map(Some)
    }

    pub(super) fn grant(&mut self) -> Result<Statement> {
        self.advance();
        let privileges = self.privileges()?;
        if self.eat(Kw::On) {
            let mut stmt = self.privilege_target(true, privileges)?;
            self.expect(Kw::To)?;
            stmt.grantees = self.list(Self::grantee)?;
            stmt.grant_option = self.with_grant_option()?;
            stmt.grantor = self.granted_by()?;
            return Ok(Statement::Grant(Box::new(stmt)));
        }
        if privileges.is_empty() {
            return self.fail();
        }
        self.expect(Kw::To)?;
        let grantee_roles = self.list(Self::role_spec)?;
        let mut opt = Vec::new();
        if self.eat(Kw::With) {
            opt = self.list(|p| {
                let location = p.loc();
                let name = p.col_label()?;
                let value = match p.peek() {
                    Tok::Keyword(Kw::Option | Kw::True) => true,
                    Tok::Keyword(Kw::False) => false,
                    _ => return p.fail(),
                };
                p.advance();
                Ok(def_elem(&name, Some(DefArg::Boolean(value)), location))
            })?;
        }
        let grantor = self.granted_by()?;
        Ok(Statement::GrantRole(Box::new(GrantRoleStmt {
            granted_roles: privileges,
            grantee_roles,
            is_grant: true,
            opt,
            grantor,
            behavior: DropBehavior::Restrict,
        })))
    }

    fn with_grant_option(&mut self) -> Result<bool> {
        if !self.eat(Kw::With) {
            return Ok(false);
        }
        self.expect_all(&[Kw::Grant, Kw::Option])?;
        Ok(true)
    }

    pub(super) fn revoke(&mut self) -> Result<Statement> {
        self.advance();
        let location = self.loc();
        let grant_option = self.eat2(Kw::Grant, Kw::Option);
        let mut opt = Vec::new();
        if grant_option {
            self.expect(Kw::For)?;
        } else if self.is_at(1, Kw::Option) {
            let name = self.col_id()?;
            self.advance();
            self.expect(Kw::For)?;
            opt.push(def_elem(&name, Some(DefArg::Boolean(false)), location));
        }
        let privileges = self.privileges()?;
        if opt.is_empty() && self.eat(Kw::On) {
            let mut stmt = self.privilege_target(false, privileges)?;
            stmt.grant_option = grant_option;
            self.expect(Kw::From)?;
            stmt.grantees = self.list(Self::grantee)?;
            stmt.grantor = self.granted_by()?;
            stmt.behavior = self.drop_behavior();
            return Ok(Statement::Grant(Box::new(stmt)));
        }
        if privileges.is_empty() || grant_option {
            return self.fail();
        }
        self.expect(Kw::From)?;
        let grantee_roles = self.list(Self::role_spec)?;
        let grantor = self.granted_by()?;
        let behavior = self.drop_behavior();
        Ok(Statement::GrantRole(Box::new(GrantRoleStmt {
            granted_roles: privileges,
            grantee_roles,
            is_grant: false,
            opt,
            grantor,
            behavior,
        })))
    }

    /// What follows ON.
    fn privilege_target(&mut self, is_grant: bool, privileges: Vec<AccessPriv>) -> Result<GrantStmt> {
        use ObjectType as T;
        let mut stmt = new_grant(is_grant, privileges);
        if self.eat(Kw::All) {
            stmt.targtype = GrantTargetType::AllInSchema;
            stmt.objtype = match self.peek() {
                Tok::Keyword(Kw::Tables) => T::Table,
                Tok::Keyword(Kw::Sequences) => T::Sequence,
                Tok::Keyword(Kw::Functions) => T::Function,
                Tok::Keyword(Kw::Procedures) => T::Procedure,
                Tok::Keyword(Kw::Routines) => T::Routine,
                _ => return self.fail(),
            };
            self.advance();
            self.expect_all(&[Kw::In, Kw::Schema])?;
            stmt.objects = self.name_list()?.into_iter().map(Object::Name).collect();
            return Ok(stmt);
        }
        let named = |ahead: Tok| is_col_id(ahead);
        let kind = match self.peek() {
            Tok::Keyword(Kw::Table) => Some(T::Table),
            Tok::Keyword(Kw::Foreign) => {
                self.advance();
                let server = self.eat(Kw::Server);
                if !server {
                    self.expect_all(&[Kw::Data, Kw::Wrapper])?;
                }
                stmt.objtype = if server { T::ForeignServer } else { T::Fdw };
                stmt.objects = self.name_list()?.into_iter().map(Object::Name).collect();
                return Ok(stmt);
            }
            Tok::Keyword(kw) if named(self.peek_at(1)) || is_type_function_name(self.peek_at(1)) => match kw {
                Kw::Sequence => Some(T::Sequence),
                Kw::Function => Some(T::Function),
                Kw::Procedure => Some(T::Procedure),
                Kw::Routine => Some(T::Routine),
                Kw::Database => Some(T::Database),
                Kw::Domain => Some(T::Domain),
                Kw::Language => Some(T::Language),
                Kw::Large => Some(T::LargeObject),
                Kw::Parameter => Some(T::ParameterAcl),
                Kw::Schema => Some(T::Schema),
                Kw::Tablespace => Some(T::Tablespace),
                Kw::Type => Some(T::Type),
                _ => None,
            },
            _ => None,
        };
        if kind.is_some() {
            self.advance();
        }
        stmt.objtype = kind.unwrap_or(T::Table);
        if stmt.objtype == T::LargeObject {
            self.expect(Kw::Object)?;
        }
        loop {
            let object = match stmt.objtype {
                T::Table | T::Sequence => Object::RangeVar(self.qualified_name()?),
                T::Domain | T::Type => Object::QualifiedName(self.any_name()?),
                T::ParameterAcl => Object::Name(self.var_name()?),
                other => self.object_name(other)?,
            };
            stmt.objects.push(object);
            if !self.eat_char(b',') {
                return Ok(stmt);
            }
        }
    }

    pub(super) fn alter_default_privileges(&mut self) -> Result<Statement> {
        self.advance();
        self.expect(Kw::Privileges)?;
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            if self.eat(Kw::In) {
                self.expect(Kw::Schema)?;
                let names = self.name_list()?;
                options.push(def_elem("schemas", Some(DefArg::Names(names)), location));
            } else if self.eat(Kw::For) {
                if !self.eat(Kw::Role) {
                    self.expect(Kw::User)?;
                }
                let roles = self.list(Self::role_spec)?;
                options.push(def_elem("roles", Some(DefArg::Roles(roles)), location));
            } else {
                break;
            }
        }
        let is_grant = self.eat(Kw::Grant);
        let mut grant_option = false;
        if !is_grant {
            self.expect(Kw::Revoke)?;
            if self.eat2(Kw::Grant, Kw::Option) {
                self.expect(Kw::For)?;
                grant_option = true;
            }
        }
        let privileges = self.privileges()?;
        let mut action = new_grant(is_grant, privileges);
        action.targtype = GrantTargetType::Defaults;
        self.expect(Kw::On)?;
        action.objtype = match self.peek() {
            Tok::Keyword(Kw::Tables) => ObjectType::Table,
            Tok::Keyword(Kw::Functions | Kw::Routines) => ObjectType::Function,
            Tok::Keyword(Kw::Sequences) => ObjectType::Sequence,
            Tok::Keyword(Kw::Types) => ObjectType::Type,
            Tok::Keyword(Kw::Schemas) => ObjectType::Schema,
            Tok::Keyword(Kw::Large) if self.is_at(1, Kw::Objects) => {
                self.advance();
                ObjectType::LargeObject
            }
            _ => return self.fail(),
        };
        self.advance();
        self.expect(if is_grant { Kw::To } else { Kw::From })?;
        action.grantees = self.list(Self::grantee)?;
        action.grant_option = grant_option;
        if is_grant {
            action.grant_option = self.with_grant_option()?;
        } else {
            action.behavior = self.drop_behavior();
        }
        let stmt = AlterDefaultPrivilegesStmt { options, action };
        Ok(Statement::AlterDefaultPrivileges(Box::new(stmt)))
    }
}

fn new_grant(is_grant: bool, privileges: Vec<AccessPriv>) -> GrantStmt {
    GrantStmt {
        is_grant,
        targtype: GrantTargetType::Object,
        objtype: ObjectType::Table,
        objects: Vec::new(),
        privileges,
        grantees: Vec::new(),
        grant_option: false,
        grantor: None,
        behavior: DropBehavior::Restrict,
    }
}
