//! Functions, procedures and aggregates: their parameters, options and bodies.
//!
//! PostgreSQL: `CreateFunctionStmt`, `AlterFunctionStmt`, `func_arg`, `aggr_args`, ... of `gram.y`.

use super::*;
use FunctionParameterMode as Mode;

impl<'a> Parser<'a> {
    /// `[mode] [name] type`, mode and name in either order.
    fn func_param(&mut self) -> Result<FunctionParameter> {
        let location = self.loc();
        let mut mode = self.opt_mode();
        let mut name = None;
        // A name is followed by a mode or by the start of a type.
        let named = is_type_function_name(self.peek())
            && match self.peek_at(1) {
                Tok::Ident => true,
                Tok::Keyword(Kw::Precision | Kw::Varying | Kw::Array | Kw::Default | Kw::Order | Kw::As) => {
                    self.is(Kw::Double) && false
                }
                Tok::Keyword(Kw::In | Kw::Out | Kw::Inout | Kw::Variadic) => mode.is_none(),
                Tok::Keyword(Kw::Setof) => true,
                Tok::Keyword(kw) => kw.category() != Category::Reserved,
                _ => false,
            };
        if named {
            name = Some(self.type_function_name()?);
            if mode.is_none() {
                mode = self.opt_mode();
            }
        }
        let arg_type = self.func_type()?;
        Ok(FunctionParameter { name, arg_type, mode: mode.unwrap_or(Mode::Default), defexpr: None, location })
    }

    fn opt_mode(&mut self) -> Option<Mode> {
        let mode = match self.peek() {
            Tok::Keyword(Kw::In) => Mode::In,
            Tok::Keyword(Kw::Out) => Mode::Out,
            Tok::Keyword(Kw::Inout) => Mode::InOut,
            Tok::Keyword(Kw::Variadic) => Mode::Variadic,
            _ => return None,
        };
        self.advance();
        Some(if mode == Mode::In && self.eat(Kw::Out) { Mode::InOut } else { mode })
    }

    fn func_param_with_default(&mut self) -> Result<FunctionParameter> {
        let mut param = self.func_param()?;
        if self.eat(Kw::Default) || self.eat_char(b'=') {
            param.defexpr = Some(self.a_expr()?);
        }
        Ok(param)
    }

    fn opt_params(&mut self, rule: Rule<'a, FunctionParameter>) -> Result<Vec<FunctionParameter>> {
        self.expect_char(b'(')?;
        let params = if self.is_char(b')') { Vec::new() } else { self.list(rule)? };
        self.expect_char(b')')?;
        Ok(params)
    }

    /// `name [(types)]`
    pub(super) fn function_with_argtypes(&mut self) -> Result<ObjectWithArgs> {
        let objname = match is_col_id(self.peek()) {
            true if !self.is_char_at(1, b'(') => self.any_name()?,
            _ => self.func_name()?,
        };
        if !self.is_char(b'(') {
            return Ok(ObjectWithArgs { objname, args_unspecified: true, ..ObjectWithArgs::default() });
        }
        let objfuncargs = self.opt_params(Self::func_param)?;
        let input = |p: &&FunctionParameter| !matches!(p.mode, Mode::Out | Mode::Table);
        let objargs = objfuncargs.iter().filter(input).map(|p| Some(p.arg_type.clone())).collect();
        Ok(ObjectWithArgs { objname, objargs, objfuncargs, args_unspecified: false })
    }

    pub(super) fn aggregate_args(&mut self) -> Result<AggregateArgs> {
        let mut args = AggregateArgs { params: Vec::new(), num_direct_args: -1 };
        self.expect_char(b'(')?;
        if self.eat_char(b'*') {
            self.expect_char(b')')?;
            return Ok(args);
        }
        if !self.is(Kw::Order) {
            args.params = self.list(Self::func_param)?;
        }
        if self.eat(Kw::Order) {
            self.expect(Kw::By)?;
            let mut direct = args.params.len();
            let ordered = self.list(Self::func_param)?;
            // A variadic direct argument stands for the aggregated one, too, which must be the same.
            if let Some(last) = args.params.last()
                && last.mode == Mode::Variadic
            {
                if ordered.len() != 1
                    || ordered[0].mode != Mode::Variadic
                    || ordered[0].arg_type.names != last.arg_type.names
                {
                    let text = "an ordered-set aggregate with a VARIADIC direct argument must have one VARIADIC \
                                aggregated argument of the same data type";
                    return Err(unsupported_at(text, ordered[0].location));
                }
                direct = args.params.len();
            } else {
                args.params.extend(ordered);
            }
            args.num_direct_args = direct as i32;
        }
        self.expect_char(b')')?;
        Ok(args)
    }

    pub(super) fn aggregate_with_argtypes(&mut self) -> Result<ObjectWithArgs> {
        let objname = self.func_name()?;
        let args = self.aggregate_args()?;
        let objargs = args.params.iter().map(|p| Some(p.arg_type.clone())).collect();
        Ok(ObjectWithArgs { objname, objargs, objfuncargs: args.params, args_unspecified: false })
    }

    /// `op (left, right)`, either of which may be NONE.
    pub(super) fn operator_with_argtypes(&mut self) -> Result<ObjectWithArgs> {
        let objname = self.any_operator()?;
        let objargs = self.oper_argtypes()?;
        Ok(ObjectWithArgs { objname, objargs, ..ObjectWithArgs::default() })
    }
    pub(super) fn oper_argtypes(&mut self) -> Result<Vec<Option<TypeName>>> {
        self.expect_char(b'(')?;
        let left = if self.eat(Kw::None) { None } else { Some(self.type_name()?) };
        let at = self.loc();
        if left.is_some() && self.is_char(b')') {
            let error = error_at("missing argument", at);
            return Err(error.hint("Use NONE to denote the missing argument of a unary operator."));
        }
        self.expect_char(b',')?;
        let right = if left.is_some() && self.eat(Kw::None) { None } else { Some(self.type_name()?) };
        self.expect_char(b')')?;
        Ok(vec![left, right])
    }

    pub(super) fn create_function(&mut self, replace: bool) -> Result<Statement> {
        let is_procedure = self.is(Kw::Procedure);
        self.advance();
        let funcname = self.func_name()?;
        let mut parameters = self.opt_params(Self::func_param_with_default)?;
        let mut return_type = None;
        if !is_procedure && self.is(Kw::Returns) && !self.is_at(1, Kw::Null) {
            self.advance();
            if self.is(Kw::Table) && self.is_char_at(1, b'(') {
                let location = self.loc();
                self.advance();
                let columns = self.paren_list(|p| {
                    let location = p.loc();
                    let name = Some(p.type_function_name()?);
                    let arg_type = p.func_type()?;
                    Ok(FunctionParameter { name, arg_type, mode: Mode::Table, defexpr: None, location })
                })?;
                return_type = Some(table_type(&columns, location));
                parameters.extend(columns);
            } else {
                return_type = Some(self.func_type()?);
            }
        }
        let mut options = Vec::new();
        while let Some(option) = self.function_option(true)? {
            options.push(option);
        }
        let sql_body = self.routine_body()?;
        Ok(Statement::CreateFunction(Box::new(CreateFunctionStmt {
            is_procedure,
            replace,
            funcname,
            parameters,
            return_type,
            options,
            sql_body,
        })))
    }

    fn routine_body(&mut self) -> Result<Option<SqlBody>> {
        if self.eat(Kw::Return) {
            return Ok(Some(SqlBody::Return(ReturnStmt { returnval: self.a_expr()? })));
        }
        if !self.eat2(Kw::Begin, Kw::Atomic) {
            return Ok(None);
        }
        let mut body = Vec::new();
        while !self.eat(Kw::End) {
            if self.eat_char(b';') {
                continue;
            }
            if self.eat(Kw::Return) {
                body.push(Statement::Return(Box::new(ReturnStmt { returnval: self.a_expr()? })));
            } else {
                body.push(self.nested(Self::statement)?);
            }
            self.expect_char(b';')?;
        }
        Ok(Some(SqlBody::Atomic(body)))
    }

    /// An option of CREATE FUNCTION (`create`) or ALTER FUNCTION.
    pub(super) fn function_option(&mut self, create: bool) -> Result<Option<DefElem>> {
        let location = self.loc();
        let Tok::Keyword(kw) = self.peek() else { return Ok(None) };
        let option = |name: &str, arg| Ok(Some(def_elem(name, Some(arg), location)));
        let word = |text: &str| DefArg::String(text.to_owned());
        if matches!(kw, Kw::Set | Kw::Reset) {
            if let Some(set) = self.opt_set_reset()? {
                return option("set", DefArg::VariableSet(Box::new(set)));
            }
            return Ok(None);
        }
        self.advance();
        match kw {
            Kw::Called => {
                self.expect_all(&[Kw::On, Kw::Null, Kw::Input])?;
                option("strict", DefArg::Boolean(false))
            }
            Kw::Returns => {
                self.expect_all(&[Kw::Null, Kw::On, Kw::Null, Kw::Input])?;
                option("strict", DefArg::Boolean(true))
            }
            Kw::Strict => option("strict", DefArg::Boolean(true)),
            Kw::Immutable | Kw::Stable | Kw::Volatile => option("volatility", word(kw.word())),
            Kw::External | Kw::Security => {
                if kw == Kw::External {
                    self.expect(Kw::Security)?;
                }
                let definer = self.eat(Kw::Definer);
                if !definer {
                    self.expect(Kw::Invoker)?;
                }
                option("security", DefArg::Boolean(definer))
            }
            Kw::Leakproof => option("leakproof", DefArg::Boolean(true)),
            Kw::Not => {
                self.expect(Kw::Leakproof)?;
                option("leakproof", DefArg::Boolean(false))
            }
            Kw::Cost | Kw::Rows => {
                let value = self.numeric_only()?;
                option(kw.word(), value)
            }
            Kw::Support => {
                let names = self.any_name()?;
                option("support", DefArg::Names(names))
            }
            Kw::Parallel => {
                let name = self.col_id()?;
                option("parallel", DefArg::String(name))
            }
            Kw::As if create => {
                let mut body = vec![self.string()?];
                if self.eat_char(b',') {
                    body.push(self.string()?);
                }
                option("as", DefArg::Names(body))
            }
            Kw::Language if create => {
                let name = self.word_or_string()?;
                option("language", DefArg::String(name))
            }
            Kw::Transform if create => {
                let types = self.list(|p| {
                    p.expect_all(&[Kw::For, Kw::Type])?;
                    p.type_name().map(DefArg::TypeName)
                })?;
                option("transform", DefArg::List(types))
            }
            Kw::Window if create => option("window", DefArg::Boolean(true)),
            _ => {
                self.pos -= 1;
                Ok(None)
            }
        }
    }

    pub(super) fn create_aggregate(&mut self, replace: bool) -> Result<Statement> {
        self.advance();
        let defnames = self.func_name()?;
        let oldstyle =
            self.is_char(b'(') && self.is_char_at(2, b'=') && matches!(self.peek_at(1), Tok::Ident | Tok::Keyword(_));
        let args = if oldstyle { None } else { Some(self.aggregate_args()?) };
        let definition = self.definition()?;
        Ok(Statement::Define(Box::new(DefineStmt {
            kind: ObjectType::Aggregate,
            oldstyle,
            defnames,
            args,
            definition,
            if_not_exists: false,
            replace,
        })))
    }
}

/// RETURNS TABLE of one column returns its type, of more a record. (PostgreSQL: `TableFuncTypeName`)
fn table_type(columns: &[FunctionParameter], location: Location) -> TypeName {
    let mut name = match columns {
        [one] => one.arg_type.clone(),
        _ => system_type("record", Vec::new(), Location::UNKNOWN),
    };
    name.setof = true;
    name.location = location;
    name
}
