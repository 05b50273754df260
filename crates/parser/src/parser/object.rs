//! Statements on objects of any kind: DROP, COMMENT, SECURITY LABEL, TRUNCATE, and the kinds and names they share with ALTER.
//!
//! PostgreSQL: `DropStmt`, `RemoveFuncStmt`, `CommentStmt`, `SecLabelStmt`, `object_type_*` of `gram.y`.

use super::*;

impl<'a> Parser<'a> {
    /// The words for a kind of object. (PostgreSQL: `object_type_any_name` and its kin)
    pub(super) fn object_type(&mut self) -> Result<ObjectType> {
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        Ok(match kw {
            Kw::Table => ObjectType::Table,
            Kw::Sequence => ObjectType::Sequence,
            Kw::View => ObjectType::View,
            Kw::Materialized => {
                self.expect(Kw::View)?;
                ObjectType::Matview
            }
            Kw::Index => ObjectType::Index,
            Kw::Foreign => {
                if self.eat(Kw::Table) {
                    return Ok(ObjectType::ForeignTable);
                }
                self.expect_all(&[Kw::Data, Kw::Wrapper])?;
                ObjectType::Fdw
            }
            Kw::Collation => ObjectType::Collation,
            Kw::Conversion => ObjectType::Conversion,
            Kw::Statistics => ObjectType::StatisticExt,
            Kw::Text => {
                self.expect(Kw::Search)?;
                let kind = match self.peek() {
                    Tok::Keyword(Kw::Parser) => ObjectType::TsParser,
                    Tok::Keyword(Kw::Dictionary) => ObjectType::TsDictionary,
                    Tok::Keyword(Kw::Template) => ObjectType::TsTemplate,
                    Tok::Keyword(Kw::Configuration) => ObjectType::TsConfiguration,
                    _ => return self.fail(),
                };
                self.advance();
                kind
            }
            Kw::Access => {
                self.expect(Kw::Method)?;
                ObjectType::AccessMethod
            }
            Kw::Event => {
                self.expect(Kw::Trigger)?;
                ObjectType::EventTrigger
            }
            Kw::Extension => ObjectType::Extension,
            Kw::Procedural => {
                self.expect(Kw::Language)?;
                ObjectType::Language
            }
            Kw::Language => ObjectType::Language,
            Kw::Publication => ObjectType::Publication,
            Kw::Schema => ObjectType::Schema,
            Kw::Server => ObjectType::ForeignServer,
            Kw::Database => ObjectType::Database,
            Kw::Role => ObjectType::Role,
            Kw::Subscription => ObjectType::Subscription,
            Kw::Tablespace => ObjectType::Tablespace,
            Kw::Column => ObjectType::Column,
            Kw::Type => ObjectType::Type,
            Kw::Domain => ObjectType::Domain,
            Kw::Aggregate => ObjectType::Aggregate,
            Kw::Function => ObjectType::Function,
            Kw::Procedure => ObjectType::Procedure,
            Kw::Routine => ObjectType::Routine,
            Kw::Operator if self.is(Kw::Class) && !self.is_char_at(1, b'.') => {
                self.advance();
                ObjectType::Opclass
            }
            Kw::Operator if self.is(Kw::Family) && !self.is_char_at(1, b'.') => {
                self.advance();
                ObjectType::Opfamily
            }
            Kw::Operator => ObjectType::Operator,
            Kw::Constraint => ObjectType::TabConstraint,
            Kw::Policy => ObjectType::Policy,
            Kw::Rule => ObjectType::Rule,
            Kw::Trigger => ObjectType::Trigger,
            Kw::Transform => ObjectType::Transform,
            Kw::Cast => ObjectType::Cast,
            Kw::Large => {
                self.expect(Kw::Object)?;
                ObjectType::LargeObject
            }
            _ => {
                self.pos -= 1;
                return self.fail();
            }
        })
    }

    /// The name of an object, as its kind is named.
    pub(super) fn object_name(&mut self, kind: ObjectType) -> Result<Object> {
        use ObjectType as T;
        Ok(match kind {
            T::AccessMethod
            | T::EventTrigger
            | T::Extension
            | T::Fdw
            | T::Language
            | T::Publication
            | T::Schema
            | T::ForeignServer
            | T::Database
            | T::Role
            | T::Subscription
            | T::Tablespace => Object::Name(self.col_id()?),
            T::Type | T::Domain => Object::TypeName(self.type_name()?),
            T::Aggregate => Object::WithArgs(self.aggregate_with_argtypes()?),
            T::Function | T::Procedure | T::Routine => Object::WithArgs(self.function_with_argtypes()?),
            T::Operator => Object::WithArgs(self.operator_with_argtypes()?),
            T::Opclass | T::Opfamily => {
                let mut names = self.any_name()?;
                self.expect(Kw::Using)?;
                names.insert(0, self.col_id()?);
                Object::QualifiedName(names)
            }
            T::TabConstraint | T::Policy | T::Rule | T::Trigger => {
                let name = self.col_id()?;
                self.expect(Kw::On)?;
                if kind == T::TabConstraint && self.is(Kw::Domain) && is_col_id(self.peek_at(1)) {
                    self.advance();
                    let location = self.loc();
                    let names = self.any_name()?;
                    let type_name = TypeName { names, typemod: -1, location, ..TypeName::default() };
                    return Ok(Object::DomainConstraint { type_name, name });
                }
                let mut names = self.any_name()?;
                names.push(name);
                Object::QualifiedName(names)
            }
            T::Transform => {
                self.expect(Kw::For)?;
                let type_name = self.type_name()?;
                self.expect(Kw::Language)?;
                Object::Transform { type_name, lang: self.col_id()? }
            }
            T::Cast => {
                self.expect_char(b'(')?;
                let source = self.type_name()?;
                self.expect(Kw::As)?;
                let target = self.type_name()?;
                self.expect_char(b')')?;
                Object::Cast { source, target }
            }
            T::LargeObject => Object::LargeObject(match self.numeric_only()? {
                DefArg::Integer(n) => Value::Integer(n),
                DefArg::Float(text) => Value::Float(text),
                _ => return self.fail(),
            }),
            _ => Object::QualifiedName(self.any_name()?),
        })
    }

    pub(super) fn drop(&mut self) -> Result<Statement> {
        self.advance();
        match self.peek() {
            Tok::Keyword(Kw::Role | Kw::Group) => return self.drop_role(),
            Tok::Keyword(Kw::User) if self.is_at(1, Kw::Mapping) => return self.drop_user_mapping(),
            Tok::Keyword(Kw::User) => return self.drop_role(),
            Tok::Keyword(Kw::Database) => return self.drop_database(),
            Tok::Keyword(Kw::Owned) => {
                self.advance();
                self.expect(Kw::By)?;
                let roles = self.list(Self::role_spec)?;
                let behavior = self.drop_behavior();
                return Ok(Statement::DropOwned(Box::new(DropOwnedStmt { roles, behavior })));
            }
            Tok::Keyword(Kw::Tablespace) => {
                self.advance();
                let missing_ok = self.if_exists()?;
                let tablespacename = self.col_id()?;
                let stmt = DropTableSpaceStmt { tablespacename, missing_ok };
                return Ok(Statement::DropTableSpace(Box::new(stmt)));
            }
            Tok::Keyword(Kw::Subscription) => {
                self.advance();
                let missing_ok = self.if_exists()?;
                let subname = self.col_id()?;
                let behavior = self.drop_behavior();
                let stmt = DropSubscriptionStmt { subname, missing_ok, behavior };
                return Ok(Statement::DropSubscription(Box::new(stmt)));
            }
            Tok::Keyword(Kw::Column | Kw::Constraint | Kw::Large) => return self.fail(),
            _ => {}
        }
        let remove_type = self.object_type()?;
        let concurrent = remove_type == ObjectType::Index && self.eat(Kw::Concurrently);
        let missing_ok = self.if_exists()?;
        let single = matches!(
            remove_type,
            ObjectType::Policy
                | ObjectType::Rule
                | ObjectType::Trigger
                | ObjectType::Cast
                | ObjectType::Transform
                | ObjectType::Opclass
                | ObjectType::Opfamily
        );
        let mut objects = vec![self.object_name(remove_type)?];
        while !single && self.eat_char(b',') {
            objects.push(self.object_name(remove_type)?);
        }
        let behavior = self.drop_behavior();
        Ok(Statement::DropStmt(Box::new(DropStmt { objects, remove_type, behavior, missing_ok, concurrent })))
    }

    /// The kind and name that COMMENT and SECURITY LABEL are about.
    pub(super) fn typed_object(&mut self) -> Result<(ObjectType, Object)> {
        let kind = self.object_type()?;
        let object = self.object_name(kind)?;
        let kind = match object {
            Object::DomainConstraint { .. } => ObjectType::DomConstraint,
            _ => kind,
        };
        Ok((kind, object))
    }

    fn string_or_null(&mut self) -> Result<Option<String>> {
        if self.eat(Kw::Null) { Ok(None) } else { self.string().map(Some) }
    }

    pub(super) fn comment(&mut self) -> Result<Statement> {
        self.advance();
        self.expect(Kw::On)?;
        let (objtype, object) = self.typed_object()?;
        self.expect(Kw::Is)?;
        let comment = self.string_or_null()?;
        Ok(Statement::CommentStmt(Box::new(CommentStmt { objtype, object, comment })))
    }

    pub(super) fn security_label(&mut self) -> Result<Statement> {
        self.advance();
        self.expect(Kw::Label)?;
        let provider = if self.eat(Kw::For) { Some(self.word_or_string()?) } else { None };
        self.expect(Kw::On)?;
        let (objtype, object) = self.typed_object()?;
        self.expect(Kw::Is)?;
        let label = self.string_or_null()?;
        Ok(Statement::SecLabel(Box::new(SecLabelStmt { objtype, object, provider, label })))
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
