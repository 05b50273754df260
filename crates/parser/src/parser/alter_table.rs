//! ALTER of anything: the subcommands of ALTER TABLE, and RENAME, SET SCHEMA, OWNER TO, DEPENDS ON for all kinds.
//!
//! PostgreSQL: `AlterTableStmt`, `alter_table_cmd`, `RenameStmt`, `AlterObjectSchemaStmt`, `AlterOwnerStmt`, ... of `gram.y`.

use super::*;
use AlterTableType as At;

impl<'a> Parser<'a> {
    pub(super) fn alter(&mut self) -> Result<Statement> {
        self.advance();
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        match kw {
            Kw::Role | Kw::Group => return self.alter_role(),
            Kw::User if self.is_at(1, Kw::Mapping) => return self.alter_user_mapping(),
            Kw::User => return self.alter_role(),
            Kw::System => return self.alter_system(),
            Kw::Default => return self.alter_default_privileges(),
            _ => {}
        }
        let kind = self.object_type()?;
        match kind {
            ObjectType::Table
            | ObjectType::Index
            | ObjectType::Sequence
            | ObjectType::View
            | ObjectType::Matview
            | ObjectType::ForeignTable => return self.alter_relation(kind),
            ObjectType::Column | ObjectType::TabConstraint | ObjectType::Cast | ObjectType::Transform => {
                return self.fail();
            }
            _ => {}
        }
        let policy_missing_ok = kind == ObjectType::Policy && self.if_exists()?;
        let statistics_missing_ok = kind == ObjectType::StatisticExt && self.if_exists()?;
        let object = match kind {
            ObjectType::Type | ObjectType::Domain => Object::QualifiedName(self.any_name()?),
            _ => self.object_name(kind)?,
        };
        if self.is(Kw::Owner) && self.is_at(1, Kw::To) {
            self.pos += 2;
            let newowner = self.role_spec()?;
            let stmt = AlterOwnerStmt { object_type: kind, object, newowner };
            return Ok(Statement::AlterOwner(Box::new(stmt)));
        }
        if self.is(Kw::Set) && self.is_at(1, Kw::Schema) {
            self.pos += 2;
            let newschema = self.col_id()?;
            let stmt = AlterObjectSchemaStmt {
                object_type: kind,
                relation: None,
                object: Some(object),
                newschema,
                missing_ok: false,
            };
            return Ok(Statement::AlterObjectSchema(Box::new(stmt)));
        }
        if self.is(Kw::Rename) && self.is_at(1, Kw::To) {
            self.pos += 2;
            return self.rename_object(kind, object, policy_missing_ok);
        }
        if let Some(remove) = self.depends()? {
            return self.depends_on(kind, object, remove);
        }
        self.alter_object(kind, object, statistics_missing_ok)
    }

    fn rename_object(&mut self, kind: ObjectType, object: Object, missing_ok: bool) -> Result<Statement> {
        let newname = self.col_id()?;
        let mut stmt = new_rename(kind, newname);
        stmt.missing_ok = missing_ok;
        match (kind, object) {
            (ObjectType::Policy | ObjectType::Rule | ObjectType::Trigger, Object::QualifiedName(mut names)) => {
                stmt.subname = names.pop();
                stmt.relation = Some(make_range_var(names, Location::UNKNOWN)?);
            }
            (ObjectType::Database | ObjectType::Schema | ObjectType::Tablespace, Object::Name(name)) => {
                stmt.subname = Some(name);
            }
            (_, object) => stmt.object = Some(object),
        }
        Ok(Statement::Rename(Box::new(stmt)))
    }

    /// `[NO] DEPENDS ON EXTENSION`: whether NO.
    fn depends(&mut self) -> Result<Option<bool>> {
        let no = self.is(Kw::No) && self.is_at(1, Kw::Depends);
        if no {
            self.advance();
        }
        if !self.eat(Kw::Depends) {
            return Ok(None);
        }
        self.expect_all(&[Kw::On, Kw::Extension])?;
        Ok(Some(no))
    }
    fn depends_on(&mut self, object_type: ObjectType, object: Object, remove: bool) -> Result<Statement> {
        let extname = self.col_id()?;
        let (relation, object) = match (object_type, object) {
            (ObjectType::Trigger, Object::QualifiedName(mut names)) => {
                let name = names.pop().unwrap_or_default();
                (Some(make_range_var(names, Location::UNKNOWN)?), Some(Object::QualifiedName(vec![name])))
            }
            (_, object) => (None, Some(object)),
        };
        let stmt = AlterObjectDependsStmt { object_type, relation, object, extname, remove };
        Ok(Statement::AlterObjectDepends(Box::new(stmt)))
    }

    fn alter_relation(&mut self, objtype: ObjectType) -> Result<Statement> {
        let movable = matches!(objtype, ObjectType::Table | ObjectType::Index | ObjectType::Matview);
        if movable && self.eat(Kw::All) {
            return self.move_all(objtype);
        }
        let missing_ok = self.if_exists()?;
        let relation = match objtype {
            ObjectType::Table | ObjectType::ForeignTable => self.relation_expr()?,
            _ => self.qualified_name()?,
        };
        if self.eat(Kw::Rename) {
            return self.rename_in_relation(objtype, relation, missing_ok);
        }
        if self.eat2(Kw::Set, Kw::Schema) {
            let newschema = self.col_id()?;
            let relation = Some(relation);
            let stmt = AlterObjectSchemaStmt { object_type: objtype, relation, object: None, newschema, missing_ok };
            return Ok(Statement::AlterObjectSchema(Box::new(stmt)));
        }
        if let Some(remove) = self.depends()? {
            let extname = self.col_id()?;
            let relation = Some(relation);
            let stmt = AlterObjectDependsStmt { object_type: objtype, relation, object: None, extname, remove };
            return Ok(Statement::AlterObjectDepends(Box::new(stmt)));
        }
        if objtype == ObjectType::Sequence {
            let at = self.pos;
            let options = self.seq_options_or_none()?;
            if !options.is_empty() {
                let stmt = AlterSeqStmt { sequence: relation, options, for_identity: false, missing_ok };
                return Ok(Statement::AlterSeq(Box::new(stmt)));
            }
            self.pos = at;
        }
        let cmds = match self.partition_cmd()? {
            Some(cmd) => vec![cmd],
            None => self.list(Self::alter_table_cmd)?,
        };
        Ok(Statement::AlterTable(Box::new(AlterTableStmt { relation, cmds, objtype, missing_ok })))
    }

    fn seq_options_or_none(&mut self) -> Result<Vec<DefElem>> {
        if matches!(self.peek(), Tok::Keyword(Kw::Set | Kw::Owner)) { Ok(Vec::new()) } else { self.seq_options() }
    }

    fn move_all(&mut self, objtype: ObjectType) -> Result<Statement> {
        self.expect_all(&[Kw::In, Kw::Tablespace])?;
        let orig_tablespacename = self.col_id()?;
        let mut roles = Vec::new();
        if self.eat(Kw::Owned) {
            self.expect(Kw::By)?;
            roles = self.list(Self::role_spec)?;
        }
        self.expect_all(&[Kw::Set, Kw::Tablespace])?;
        let new_tablespacename = self.col_id()?;
        let nowait = self.eat(Kw::Nowait);
        let stmt = AlterTableMoveAllStmt { orig_tablespacename, objtype, roles, new_tablespacename, nowait };
        Ok(Statement::AlterTableMoveAll(Box::new(stmt)))
    }

    /// After RENAME: the relation itself, a column, a constraint.
    fn rename_in_relation(&mut self, kind: ObjectType, relation: RangeVar, missing_ok: bool) -> Result<Statement> {
        let mut stmt = new_rename(kind, String::new());
        stmt.relation = Some(relation);
        stmt.missing_ok = missing_ok;
        if self.is(Kw::Constraint) && is_col_id(self.peek_at(1)) && kind == ObjectType::Table {
            self.advance();
            stmt.rename_type = ObjectType::TabConstraint;
            stmt.subname = Some(self.col_id()?);
        } else if !self.is(Kw::To) {
            self.eat(Kw::Column);
            stmt.rename_type = ObjectType::Column;
            stmt.relation_type = kind;
            stmt.subname = Some(self.col_id()?);
        }
        self.expect(Kw::To)?;
        stmt.newname = self.col_id()?;
        Ok(Statement::Rename(Box::new(stmt)))
    }

    fn partition_cmd(&mut self) -> Result<Option<AlterTableCmd>> {
        let attach = self.is(Kw::Attach);
        if !attach && !self.is(Kw::Detach) {
            return Ok(None);
        }
        self.advance();
        self.expect(Kw::Partition)?;
        let name = self.qualified_name()?;
        let mut cmd = PartitionCmd { name, bound: None, concurrent: false };
        let mut subtype = if attach { At::AttachPartition } else { At::DetachPartition };
        if attach {
            if self.is(Kw::For) || self.is(Kw::Default) {
                cmd.bound = Some(self.partition_bound()?);
            }
        } else if self.eat(Kw::Finalize) {
            subtype = At::DetachPartitionFinalize;
        } else {
            cmd.concurrent = self.eat(Kw::Concurrently);
        }
        Ok(Some(with_def(subtype, None, AlterTableDef::PartitionCmd(Box::new(cmd)))))
    }

    fn alter_table_cmd(&mut self) -> Result<AlterTableCmd> {
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        match kw {
            Kw::Add => self.add_cmd(),
            Kw::Alter => self.alter_cmd(),
            Kw::Drop => {
                let constraint = self.eat(Kw::Constraint);
                if !constraint {
                    self.eat(Kw::Column);
                }
                let mut cmd = new_cmd(if constraint { At::DropConstraint } else { At::DropColumn });
                cmd.missing_ok = self.if_exists()?;
                cmd.name = Some(self.col_id()?);
                cmd.behavior = self.drop_behavior();
                Ok(cmd)
            }
            Kw::Validate => {
                self.expect(Kw::Constraint)?;
                Ok(named_cmd(At::ValidateConstraint, self.col_id()?))
            }
            Kw::Cluster => {
                self.expect(Kw::On)?;
                Ok(named_cmd(At::ClusterOn, self.col_id()?))
            }
            Kw::Set => self.set_cmd(),
            Kw::Reset => Ok(with_def(At::ResetRelOptions, None, AlterTableDef::Options(self.reloptions()?))),
            Kw::Enable | Kw::Disable => self.enable_cmd(kw == Kw::Enable),
            Kw::Inherit => Ok(with_def(At::AddInherit, None, AlterTableDef::RangeVar(self.qualified_name()?))),
            Kw::No if self.eat(Kw::Inherit) => {
                Ok(with_def(At::DropInherit, None, AlterTableDef::RangeVar(self.qualified_name()?)))
            }
            Kw::No => {
                self.expect_all(&[Kw::Force, Kw::Row, Kw::Level, Kw::Security])?;
                Ok(new_cmd(At::NoForceRowSecurity))
            }
            Kw::Force => {
                self.expect_all(&[Kw::Row, Kw::Level, Kw::Security])?;
                Ok(new_cmd(At::ForceRowSecurity))
            }
            Kw::Of => {
                let location = self.loc();
                let names = self.any_name()?;
                let name = TypeName { names, typemod: -1, location, ..TypeName::default() };
                Ok(with_def(At::AddOf, None, AlterTableDef::TypeName(name)))
            }
            Kw::Not => {
                self.expect(Kw::Of)?;
                Ok(new_cmd(At::DropOf))
            }
            Kw::Owner => {
                self.expect(Kw::To)?;
                let mut cmd = new_cmd(At::ChangeOwner);
                cmd.newowner = Some(self.role_spec()?);
                Ok(cmd)
            }
            Kw::Replica => {
                self.expect(Kw::Identity)?;
                let (identity_type, name) = if self.eat(Kw::Nothing) {
                    ('n', None)
                } else if self.eat(Kw::Full) {
                    ('f', None)
                } else if self.eat(Kw::Default) {
                    ('d', None)
                } else {
                    self.expect_all(&[Kw::Using, Kw::Index])?;
                    ('i', Some(self.col_id()?))
                };
                let identity = ReplicaIdentityStmt { identity_type, name };
                Ok(with_def(At::ReplicaIdentity, None, AlterTableDef::ReplicaIdentity(identity)))
            }
            Kw::Options => {
                self.pos -= 1;
                let options = self.alter_generic_options()?;
                Ok(with_def(At::GenericOptions, None, AlterTableDef::Options(options)))
            }
            _ => {
                self.pos -= 1;
                self.fail()
            }
        }
    }

    fn add_cmd(&mut self) -> Result<AlterTableCmd> {
        if self.at_table_constraint() {
            let constraint = self.table_constraint()?;
            return Ok(with_def(At::AddConstraint, None, AlterTableDef::Constraint(Box::new(constraint))));
        }
        self.eat(Kw::Column);
        let missing_ok = self.if_not_exists()?;
        let column = self.column_def()?;
        let mut cmd = with_def(At::AddColumn, None, AlterTableDef::ColumnDef(Box::new(column)));
        cmd.missing_ok = missing_ok;
        Ok(cmd)
    }

    fn set_cmd(&mut self) -> Result<AlterTableCmd> {
        if self.is_char(b'(') {
            return Ok(with_def(At::SetRelOptions, None, AlterTableDef::Options(self.reloptions()?)));
        }
        if self.eat(Kw::Logged) {
            return Ok(new_cmd(At::SetLogged));
        }
        if self.eat(Kw::Unlogged) {
            return Ok(new_cmd(At::SetUnLogged));
        }
        if self.eat(Kw::Tablespace) {
            return Ok(named_cmd(At::SetTableSpace, self.col_id()?));
        }
        if self.eat(Kw::Access) {
            self.expect(Kw::Method)?;
            let mut cmd = new_cmd(At::SetAccessMethod);
            if !self.eat(Kw::Default) {
                cmd.name = Some(self.col_id()?);
            }
            return Ok(cmd);
        }
        self.expect(Kw::Without)?;
        if self.eat(Kw::Oids) {
            return Ok(new_cmd(At::DropOids));
        }
        self.expect(Kw::Cluster)?;
        Ok(new_cmd(At::DropCluster))
    }

    fn enable_cmd(&mut self, enable: bool) -> Result<AlterTableCmd> {
        if self.eat(Kw::Row) {
            self.expect_all(&[Kw::Level, Kw::Security])?;
            return Ok(new_cmd(if enable { At::EnableRowSecurity } else { At::DisableRowSecurity }));
        }
        let always = enable && self.eat(Kw::Always);
        let replica = enable && !always && self.eat(Kw::Replica);
        let plain = !always && !replica;
        if self.eat(Kw::Rule) {
            let subtype = match (enable, always, replica) {
                (false, ..) => At::DisableRule,
                (_, true, _) => At::EnableAlwaysRule,
                (_, _, true) => At::EnableReplicaRule,
                _ => At::EnableRule,
            };
            return Ok(named_cmd(subtype, self.col_id()?));
        }
        self.expect(Kw::Trigger)?;
        if plain && self.eat(Kw::All) {
            return Ok(new_cmd(if enable { At::EnableTrigAll } else { At::DisableTrigAll }));
        }
        if plain && self.eat(Kw::User) {
            return Ok(new_cmd(if enable { At::EnableTrigUser } else { At::DisableTrigUser }));
        }
        let subtype = match (enable, always, replica) {
            (false, ..) => At::DisableTrig,
            (_, true, _) => At::EnableAlwaysTrig,
            (_, _, true) => At::EnableReplicaTrig,
            _ => At::EnableTrig,
        };
        Ok(named_cmd(subtype, self.col_id()?))
    }

    /// `ALTER [COLUMN] name ...`, `ALTER CONSTRAINT`.
    fn alter_cmd(&mut self) -> Result<AlterTableCmd> {
        if self.is(Kw::Constraint) && is_col_id(self.peek_at(1)) {
            return self.alter_constraint();
        }
        self.eat(Kw::Column);
        if let Tok::Iconst(n) = self.peek() {
            let at = self.loc();
            self.advance();
            self.expect_all(&[Kw::Set, Kw::Statistics])?;
            let Ok(num @ 1..) = i16::try_from(n) else {
                let text = "column number must be in range from 1 to 32767";
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(at));
            };
            let mut cmd = self.statistics(None)?;
            cmd.num = num;
            return Ok(cmd);
        }
        let name = Some(self.col_id()?);
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        match kw {
            Kw::Drop => {
                self.advance();
                let mut cmd = new_cmd(At::ColumnDefault);
                if self.eat(Kw::Not) {
                    self.expect(Kw::Null)?;
                    cmd.subtype = At::DropNotNull;
                } else if self.eat(Kw::Expression) {
                    cmd.subtype = At::DropExpression;
                    cmd.missing_ok = self.if_exists()?;
                } else if self.eat(Kw::Identity) {
                    cmd.subtype = At::DropIdentity;
                    cmd.missing_ok = self.if_exists()?;
                } else {
                    self.expect(Kw::Default)?;
                }
                cmd.name = name;
                Ok(cmd)
            }
            Kw::Add => {
                let location = self.loc();
                self.advance();
                self.expect(Kw::Generated)?;
                let mut c = Constraint::new(ConstrType::Identity, location);
                c.generated_when = Some(self.generated_when()?);
                self.expect_all(&[Kw::As, Kw::Identity])?;
                c.options = self.opt_paren_seq_options()?;
                Ok(with_def(At::AddIdentity, name, AlterTableDef::Constraint(Box::new(c))))
            }
            Kw::Reset => {
                self.advance();
                Ok(with_def(At::ResetOptions, name, AlterTableDef::Options(self.reloptions()?)))
            }
            Kw::Options => {
                let options = self.alter_generic_options()?;
                Ok(with_def(At::AlterColumnGenericOptions, name, AlterTableDef::Options(options)))
            }
            Kw::Restart => self.identity_options(name),
            Kw::Type => self.alter_type(name),
            Kw::Set => self.alter_column_set(name),
            _ => self.fail(),
        }
    }

    fn alter_column_set(&mut self, name: Option<String>) -> Result<AlterTableCmd> {
        let at = self.pos;
        self.advance();
        if self.is_char(b'(') {
            return Ok(with_def(At::SetOptions, name, AlterTableDef::Options(self.reloptions()?)));
        }
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        match kw {
            Kw::Default => {
                let expr = self.a_expr()?;
                Ok(with_def(At::ColumnDefault, name, AlterTableDef::Expr(Box::new(expr))))
            }
            Kw::Not => {
                self.expect(Kw::Null)?;
                Ok(AlterTableCmd { name, ..new_cmd(At::SetNotNull) })
            }
            Kw::Expression => {
                self.expect(Kw::As)?;
                let expr = self.paren_expr_only()?;
                Ok(with_def(At::SetExpression, name, AlterTableDef::Expr(Box::new(expr))))
            }
            Kw::Statistics => self.statistics(name),
            Kw::Storage => Ok(with_def(At::SetStorage, name, AlterTableDef::String(self.col_id_or_default()?))),
            Kw::Compression => Ok(with_def(At::SetCompression, name, AlterTableDef::String(self.col_id_or_default()?))),
            Kw::Data => self.alter_type(name),
            _ => {
                self.pos = at;
                self.identity_options(name)
            }
        }
    }

    fn statistics(&mut self, name: Option<String>) -> Result<AlterTableCmd> {
        if self.eat(Kw::Default) {
            return Ok(AlterTableCmd { name, ..new_cmd(At::SetStatistics) });
        }
        Ok(with_def(At::SetStatistics, name, AlterTableDef::Integer(self.signed_iconst()?)))
    }

    /// `TYPE type [COLLATE c] [USING expr]`
    fn alter_type(&mut self, name: Option<String>) -> Result<AlterTableCmd> {
        self.expect(Kw::Type)?;
        let type_name = Some(self.type_name()?);
        let coll_clause = self.opt_collate()?;
        let raw_default = if self.eat(Kw::Using) { Some(self.a_expr()?) } else { None };
        let def = ColumnDef { type_name, coll_clause, raw_default, ..ColumnDef::default() };
        Ok(with_def(At::AlterColumnType, name, AlterTableDef::ColumnDef(Box::new(def))))
    }

    fn identity_options(&mut self, name: Option<String>) -> Result<AlterTableCmd> {
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            if self.is(Kw::Restart) {
                options.extend(self.seq_option()?);
            } else if self.eat(Kw::Set) {
                if self.eat(Kw::Generated) {
                    let when = match self.generated_when()? {
                        GeneratedWhen::Always => 'a',
                        GeneratedWhen::ByDefault => 'd',
                    };
                    options.push(def_elem("generated", Some(DefArg::Integer(when as i32)), location));
                } else {
                    match self.seq_option()? {
                        Some(option) => options.push(option),
                        None => return self.fail(),
                    }
                }
            } else {
                return Ok(with_def(At::SetIdentity, name, AlterTableDef::Options(options)));
            }
        }
    }

    fn alter_constraint(&mut self) -> Result<AlterTableCmd> {
        self.advance();
        let conname = self.col_id()?;
        let mut alter = ATAlterConstraint {
            conname,
            alter_enforceability: false,
            is_enforced: false,
            alter_deferrability: false,
            deferrable: false,
            initdeferred: false,
            alter_inheritability: false,
            noinherit: false,
        };
        if self.eat(Kw::Inherit) {
            alter.alter_inheritability = true;
        } else {
            let from = self.pos;
            let mut c = Constraint::new(ConstrType::Foreign, self.loc());
            self.constraint_attributes(&mut c, "ALTER CONSTRAINT", true)?;
            for pos in from..self.pos {
                match self.lexed.tokens[pos].tok {
                    Tok::Keyword(Kw::Enforced) => alter.alter_enforceability = true,
                    Tok::Keyword(Kw::Deferrable | Kw::Initially) => alter.alter_deferrability = true,
                    Tok::Keyword(Kw::Inherit) => alter.alter_inheritability = true,
                    _ => {}
                }
            }
            alter.is_enforced = alter.alter_enforceability && c.is_enforced;
            (alter.deferrable, alter.initdeferred, alter.noinherit) = (c.deferrable, c.initdeferred, c.is_no_inherit);
        }
        Ok(with_def(At::AlterConstraint, None, AlterTableDef::AlterConstraint(alter)))
    }

    /// `OPTIONS (SET a 'x', ADD b 'y', DROP c)`
    pub(super) fn alter_generic_options(&mut self) -> Result<Vec<DefElem>> {
        self.expect(Kw::Options)?;
        self.paren_list(|p| {
            let location = p.loc();
            let action = match p.peek() {
                _ if p.peek_at(1) == Tok::Sconst => DefElemAction::Unspec,
                Tok::Keyword(Kw::Set) => DefElemAction::Set,
                Tok::Keyword(Kw::Add) => DefElemAction::Add,
                Tok::Keyword(Kw::Drop) => {
                    p.advance();
                    let name = p.col_label()?;
                    return Ok(DefElem { defaction: DefElemAction::Drop, ..def_elem(&name, None, location) });
                }
                _ => DefElemAction::Unspec,
            };
            if action != DefElemAction::Unspec {
                p.advance();
            }
            Ok(DefElem { defaction: action, ..p.generic_option()? })
        })
    }
}

fn new_cmd(subtype: AlterTableType) -> AlterTableCmd {
    AlterTableCmd {
        subtype,
        name: None,
        num: 0,
        newowner: None,
        def: None,
        behavior: DropBehavior::Restrict,
        missing_ok: false,
    }
}
fn named_cmd(subtype: AlterTableType, name: String) -> AlterTableCmd {
    AlterTableCmd { name: Some(name), ..new_cmd(subtype) }
}
fn with_def(subtype: AlterTableType, name: Option<String>, def: AlterTableDef) -> AlterTableCmd {
    AlterTableCmd { name, def: Some(def), ..new_cmd(subtype) }
}

pub(super) fn new_rename(rename_type: ObjectType, newname: String) -> RenameStmt {
    RenameStmt {
        rename_type,
        relation_type: rename_type,
        relation: None,
        object: None,
        subname: None,
        newname,
        behavior: DropBehavior::Restrict,
        missing_ok: false,
    }
}
