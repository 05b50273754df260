//! Raw expressions to analyzed ones.
//!
//! PostgreSQL: `parser/parse_expr.c`.

use std::sync::Arc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use parser::ast;
use types::Datum;
use types::oid::*;

use crate::coerce::*;
use crate::context::ParamTypes;
use crate::func::CallParts;
use crate::lookup::{Lookup, format_type};
use crate::query::*;
use crate::state::{Analyzer, ExprKind, MultiAssign};

fn name(op: &str) -> Vec<String> {
    vec![op.to_owned()]
}

/// The names of a column reference, for messages.
pub(crate) fn fields_text(fields: &[ast::Field]) -> String {
    let one = |f: &ast::Field| match f {
        ast::Field::Name(n) => n.clone(),
        ast::Field::Star => "*".to_owned(),
    };
    fields.iter().map(one).collect::<Vec<_>>().join(".")
}

impl Analyzer<'_, '_> {
    /// (PostgreSQL: `transformExpr`)
    pub(crate) fn transform_expr(&mut self, e: &ast::Expr, kind: ExprKind) -> Result<Expr> {
        self.with_kind(kind, |a| a.expr(e))
    }
    /// (PostgreSQL: `transformWhereClause`)
    pub(crate) fn where_clause(&mut self, e: &ast::Expr, kind: ExprKind, construct: &str) -> Result<Expr> {
        let e = self.transform_expr(e, kind)?;
        self.coerce_to_boolean(e, construct)
    }

    pub(crate) fn expr(&mut self, e: &ast::Expr) -> Result<Expr> {
        crate::walker::check_depth()?;
        match e {
            ast::Expr::ColumnRef(c) => self.column_ref(c),
            ast::Expr::ParamRef(p) => self.param_ref(p),
            ast::Expr::AConst(c) => self.literal(c),
            ast::Expr::AExpr(a) => self.a_expr(a),
            ast::Expr::BoolExpr(b) => self.bool_expr(b),
            ast::Expr::NullTest(n) => {
                let arg = self.expr(&n.arg)?;
                let argisrow = self.cat().is_rowtype(arg.type_oid())?;
                let not = n.nulltesttype == ast::NullTestType::IsNotNull;
                Ok(Expr::NullTest(Box::new(NullTest { arg, not, argisrow, location: n.location })))
            }
            ast::Expr::BooleanTest(b) => {
                use ast::BoolTestType as T;
                let (t, clause) = match b.booltesttype {
                    T::IsTrue => (BoolTestType::IsTrue, "IS TRUE"),
                    T::IsNotTrue => (BoolTestType::IsNotTrue, "IS NOT TRUE"),
                    T::IsFalse => (BoolTestType::IsFalse, "IS FALSE"),
                    T::IsNotFalse => (BoolTestType::IsNotFalse, "IS NOT FALSE"),
                    T::IsUnknown => (BoolTestType::IsUnknown, "IS UNKNOWN"),
                    T::IsNotUnknown => (BoolTestType::IsNotUnknown, "IS NOT UNKNOWN"),
                };
                let arg = self.expr(&b.arg)?;
                let arg = self.coerce_to_boolean(arg, clause)?;
                Ok(Expr::BooleanTest(Box::new(BooleanTest { arg, booltesttype: t, location: b.location })))
            }
            ast::Expr::SubLink(s) => self.sub_link(s),
            ast::Expr::FuncCall(f) => self.func_call(f),
            ast::Expr::NamedArgExpr(n) => {
                let arg = self.expr(&n.arg)?;
                Ok(Expr::NamedArgExpr(Box::new(NamedArgExpr {
                    arg,
                    name: n.name.clone(),
                    argnumber: -1,
                    location: n.location,
                })))
            }
            ast::Expr::TypeCast(t) => self.type_cast(t),
            ast::Expr::CollateClause(c) => {
                let arg = c.arg.as_ref().ok_or_else(|| PgError::internal("COLLATE without an argument"))?;
                let arg = self.expr(arg)?;
                let t = arg.type_oid();
                if !self.cat().is_collatable(t)? && t != UNKNOWNOID {
                    let m = format!("collations are not supported by type {}", format_type(self.cat(), t)?);
                    return Err(PgError::new(DATATYPE_MISMATCH, m).at(c.location));
                }
                let coll_oid = self.find_collation(&c.collname, c.location)?;
                Ok(Expr::CollateExpr(Box::new(CollateExpr { arg, coll_oid, location: c.location })))
            }
            ast::Expr::CaseExpr(c) => self.case_expr(c),
            ast::Expr::CoalesceExpr(c) => {
                let (last, l) = (self.level().srfs, c.location);
                let (args, t) = self.common_args(&c.args, "COALESCE")?;
                self.no_srf_in("COALESCE", last)?;
                Ok(Expr::CoalesceExpr(Box::new(CoalesceExpr {
                    coalescetype: t,
                    coalescecollid: Oid::INVALID,
                    args,
                    location: l,
                })))
            }
            ast::Expr::MinMaxExpr(m) => {
                let greatest = m.op == ast::MinMaxOp::Greatest;
                let (args, t) = self.common_args(&m.args, if greatest { "GREATEST" } else { "LEAST" })?;
                Ok(Expr::MinMaxExpr(Box::new(MinMaxExpr {
                    minmaxtype: t,
                    minmaxcollid: Oid::INVALID,
                    inputcollid: Oid::INVALID,
                    greatest,
                    args,
                    location: m.location,
                })))
            }
            ast::Expr::RowExpr(r) => self.row_expr(r, false),
            ast::Expr::AArrayExpr(a) => self.array_expr(a, Oid::INVALID, Oid::INVALID, -1),
            ast::Expr::AIndirection(i) => self.indirection(i),
            ast::Expr::SQLValueFunction(s) => self.sql_value_function(s),
            ast::Expr::GroupingFunc(g) => self.grouping_func(g),
            ast::Expr::CurrentOfExpr(c) => self.current_of(c),
            ast::Expr::SetToDefault(l) => {
                Err(PgError::new(SYNTAX_ERROR, "DEFAULT is not allowed in this context").at(*l))
            }
            ast::Expr::MultiAssignRef(m) => self.multi_assign_ref(m),
            ast::Expr::MergeSupportFunc(l) => {
                let merge = self.levels.iter().any(|lv| lv.kind == ExprKind::MergeReturning);
                if !merge {
                    let m = "MERGE_ACTION() can only be used in the RETURNING list of a MERGE command";
                    return Err(PgError::new(SYNTAX_ERROR, m).at(*l));
                }
                Ok(Expr::MergeSupportFunc(plain(TEXTOID)))
            }
            ast::Expr::XmlExpr(_) | ast::Expr::XmlSerialize(_) => Err(PgError::unsupported("SQL/XML")),
            ast::Expr::List(_) => Err(PgError::internal("a list where an expression was expected")),
            ast::Expr::GroupingSet(_) => Err(PgError::internal("a grouping set where an expression was expected")),
            other => self.json_expr(other),
        }
    }

    /// (PostgreSQL: `make_const`)
    fn literal(&mut self, c: &ast::AConst) -> Result<Expr> {
        let mk =
            |oid, len, byval, value| Expr::Const(Const { ty: plain(oid), len, byval, value, location: c.location });
        Ok(match &c.val {
            ast::Value::Integer(i) => mk(INT4OID, 4, true, Datum::i32(*i)),
            ast::Value::Float(s) => {
                // Too large for an int4 but an integer: int8 if it fits, else numeric.
                match parser_int64(s) {
                    Some(v) => match i32::try_from(v) {
                        Ok(v) => mk(INT4OID, 4, true, Datum::i32(v)),
                        Err(_) => mk(INT8OID, 8, true, Datum::i64(v)),
                    },
                    None => {
                        let t = self.cat().type_row(NUMERICOID)?;
                        let v = input_literal(self.cx, &t, s.as_bytes(), -1).map_err(|e| e.at(c.location))?;
                        mk(NUMERICOID, -1, false, v)
                    }
                }
            }
            ast::Value::Boolean(b) => mk(BOOLOID, 1, true, Datum::bool(*b)),
            ast::Value::String(s) => unknown_const(Datum::text(s), c.location),
            ast::Value::BitString(s) => {
                let t = self.cat().type_row(BITOID)?;
                let v = input_literal(self.cx, &t, s.as_bytes(), -1).map_err(|e| e.at(c.location))?;
                mk(BITOID, -1, false, v)
            }
            ast::Value::Null => unknown_const(Datum::Null, c.location),
        })
    }

    fn param_ref(&mut self, p: &ast::ParamRef) -> Result<Expr> {
        if let Some(h) = &mut self.cx.hooks
            && let Some(e) = h.param(p.number, p.location)?
        {
            return Ok(e);
        }
        let missing =
            || PgError::new(UNDEFINED_PARAMETER, format!("there is no parameter ${}", p.number)).at(p.location);
        let index = usize::try_from(p.number - 1).map_err(|_| missing())?;
        let oid = match &mut *self.params {
            ParamTypes::None => return Err(missing()),
            ParamTypes::Fixed(t) => t.get(index).copied().filter(|t| t.is_valid()).ok_or_else(missing)?,
            ParamTypes::Variable(t) => {
                if index >= 65535 {
                    return Err(missing());
                }
                if t.len() <= index {
                    t.resize(index + 1, Oid::INVALID);
                }
                if !t[index].is_valid() {
                    t[index] = UNKNOWNOID;
                }
                t[index]
            }
        };
        let collation = self.cat().type_collation(oid)?;
        let ty = TypeMod { oid, typmod: -1, collation };
        Ok(Expr::Param(Param { kind: ParamKind::Extern, id: p.number, ty, location: p.location }))
    }

    /// Why no column may stand here, if so.
    fn no_columns_here(&self) -> Option<&'static str> {
        match self.kind() {
            ExprKind::ColumnDefault => Some("cannot use column reference in DEFAULT expression"),
            ExprKind::PartitionBound => Some("cannot use column reference in partition bound expression"),
            _ => None,
        }
    }

    /// (PostgreSQL: `transformColumnRef`)
    fn column_ref(&mut self, c: &ast::ColumnRef) -> Result<Expr> {
        if let Some(m) = self.no_columns_here() {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(c.location));
        }
        if let Some(h) = &mut self.cx.hooks
            && let Some(e) = h.before_column(c)?
        {
            return Ok(e);
        }
        let found = self.column_ref_parts(c)?;
        if let Some(h) = &mut self.cx.hooks {
            let own = found.as_ref().ok();
            if let Some(e) = h.after_column(c, own)? {
                if own.is_some() {
                    let m = format!("column reference \"{}\" is ambiguous", fields_text(&c.fields));
                    return Err(PgError::new(AMBIGUOUS_COLUMN, m).at(c.location));
                }
                return Ok(e);
            }
        }
        found.or_else(Err)
    }

    /// The column, or the error to give if nobody else knows the name.
    fn column_ref_parts(&mut self, c: &ast::ColumnRef) -> Result<Result<Expr>> {
        let l = c.location;
        let mut parts: Vec<&str> = Vec::new();
        let mut star = false;
        for f in &c.fields {
            match f {
                ast::Field::Name(n) => parts.push(n),
                ast::Field::Star => star = true,
            }
        }
        let (db, schema, rel, col) = match (&parts[..], star) {
            ([], _) => return Err(PgError::new(SYNTAX_ERROR, "row expansion via \"*\" is not supported here").at(l)),
            ([col], false) => {
                if let Some(e) = self.column_to_var(col, false, l)? {
                    return Ok(Ok(e));
                }
                if let (ExprKind::DomainCheck, "value") = (self.kind(), *col)
                    && let Some(t) = self.domain_value
                {
                    return Ok(Ok(Expr::CoerceToDomainValue(t)));
                }
                // A bare table name is its whole row.
                if let Some((up, item)) = self.find_item(None, col, l)? {
                    return Ok(Ok(self.whole_row(&item, up, l)?));
                }
                return Ok(Err(self.missing_column(None, col, l)?));
            }
            ([rel], true) => (None, None, *rel, None),
            ([rel, col], false) => (None, None, *rel, Some(*col)),
            ([schema, rel], true) => (None, Some(*schema), *rel, None),
            ([schema, rel, col], false) => (None, Some(*schema), *rel, Some(*col)),
            ([db, schema, rel], true) => (Some(*db), Some(*schema), *rel, None),
            ([db, schema, rel, col], false) => (Some(*db), Some(*schema), *rel, Some(*col)),
            _ => {
                let m = format!("improper qualified name (too many dotted names): {}", fields_text(&c.fields));
                return Ok(Err(PgError::new(SYNTAX_ERROR, m).at(l)));
            }
        };
        if let Some(db) = db
            && *db != *self.cx.settings().database_name
        {
            let m = format!("cross-database references are not implemented: {}", fields_text(&c.fields));
            return Ok(Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(l)));
        }
        let Some((up, item)) = self.find_item(schema, rel, l)? else {
            let rv = ast::RangeVar {
                schemaname: schema.map(str::to_owned),
                relname: rel.to_owned(),
                location: l,
                ..ast::RangeVar::default()
            };
            return Ok(Err(self.missing_rte(&rv)?));
        };
        let Some(col) = col else { return Ok(Ok(self.whole_row(&item, up, l)?)) };
        let level = self.levels.len() - 1 - up as usize;
        if let Some(e) = self.scan_item(&item, level, up, col, l)? {
            return Ok(Ok(e));
        }
        // Perhaps a function of the whole row.
        let row = self.whole_row(&item, up, l)?;
        let parts =
            CallParts { call: None, agg_filter: None, proc_call: false, last_srf: self.level().srfs, location: l };
        if let Some(e) = self.parse_func(&name(col), vec![row], parts)? {
            return Ok(Ok(e));
        }
        Ok(Err(self.missing_column(Some(rel), col, l)?))
    }

    fn a_expr(&mut self, a: &ast::AExpr) -> Result<Expr> {
        use ast::AExprKind as K;
        match a.kind {
            K::Op => self.a_expr_op(a),
            K::OpAny | K::OpAll => {
                let l = self.expr(operand(&a.lexpr)?)?;
                let r = self.expr(operand(&a.rexpr)?)?;
                self.make_scalar_array_op(&a.name, a.kind == K::OpAny, l, r, a.location)
            }
            K::Distinct | K::NotDistinct => self.a_expr_distinct(a),
            K::Nullif => self.a_expr_nullif(a),
            K::In => self.a_expr_in(a),
            K::Like | K::Ilike | K::Similar => self.a_expr_op(a),
            K::Between | K::NotBetween | K::BetweenSym | K::NotBetweenSym => self.a_expr_between(a),
        }
    }

    fn a_expr_op(&mut self, a: &ast::AExpr) -> Result<Expr> {
        let rexpr = operand(&a.rexpr)?;
        let is_null = |e: &ast::Expr| matches!(e, ast::Expr::AConst(c) if c.val == ast::Value::Null);
        // `x = NULL` for products that mean `x IS NULL`.
        if self.cx.settings().transform_null_equals
            && a.name.len() == 1
            && a.name[0] == "="
            && let Some(lexpr) = &a.lexpr
            && (is_null(lexpr) || is_null(rexpr))
            && !matches!(lexpr, ast::Expr::SubLink(_))
        {
            let arg = if is_null(lexpr) { rexpr } else { lexpr };
            let arg = self.expr(arg)?;
            let argisrow = self.cat().is_rowtype(arg.type_oid())?;
            return Ok(Expr::NullTest(Box::new(NullTest { arg, not: false, argisrow, location: a.location })));
        }
        // `row op (SELECT ..)`
        if let (Some(l @ ast::Expr::RowExpr(_)), ast::Expr::SubLink(s)) = (&a.lexpr, rexpr)
            && s.sub_link_type == ast::SubLinkType::Expr
        {
            let s = ast::SubLink {
                sub_link_type: ast::SubLinkType::RowCompare,
                testexpr: Some(l.clone()),
                oper_name: a.name.clone(),
                subselect: s.subselect.clone(),
                location: a.location,
            };
            return self.sub_link(&s);
        }
        if let (Some(ast::Expr::RowExpr(l)), ast::Expr::RowExpr(r)) = (&a.lexpr, rexpr) {
            let l = self.exprs(&l.args)?;
            let r = self.exprs(&r.args)?;
            return self.row_comparison(&a.name, l, r, a.location);
        }
        // A long `1 + 1 + ...` leans to the left: go down it without recursion.
        let mut chain = vec![a];
        while let Some(ast::Expr::AExpr(left)) = &chain[chain.len() - 1].lexpr {
            if left.kind != ast::AExprKind::Op || self.is_special(left) {
                break;
            }
            chain.push(left);
        }
        let bottom = chain[chain.len() - 1];
        let last_srf = self.level().srfs;
        let mut left = bottom.lexpr.as_ref().map(|e| self.expr(e)).transpose()?;
        while let Some(node) = chain.pop() {
            let right = self.expr(operand(&node.rexpr)?)?;
            left = Some(self.make_op(&node.name, left, right, last_srf, node.location)?);
        }
        left.ok_or_else(|| PgError::internal("an operator without operands"))
    }

    /// Whether an operator needs more than its operands.
    fn is_special(&self, a: &ast::AExpr) -> bool {
        self.cx.settings().transform_null_equals || matches!(a.lexpr, Some(ast::Expr::RowExpr(_)))
    }

    fn exprs(&mut self, list: &[ast::Expr]) -> Result<Vec<Expr>> {
        list.iter().map(|e| self.expr(e)).collect()
    }

    fn a_expr_distinct(&mut self, a: &ast::AExpr) -> Result<Expr> {
        let (le, re) = (operand(&a.lexpr)?, operand(&a.rexpr)?);
        let not = a.kind == ast::AExprKind::NotDistinct;
        let is_null = |e: &ast::Expr| matches!(e, ast::Expr::AConst(c) if c.val == ast::Value::Null);
        if is_null(re) || is_null(le) {
            let arg = self.expr(if is_null(re) { le } else { re })?;
            let t = NullTest { arg, not: !not, argisrow: false, location: a.location };
            return Ok(Expr::NullTest(Box::new(t)));
        }
        let last = self.level().srfs;
        let e = if let (ast::Expr::RowExpr(l), ast::Expr::RowExpr(r)) = (le, re) {
            let l = self.exprs(&l.args)?;
            let r = self.exprs(&r.args)?;
            self.row_distinct(&a.name, l, r, a.location)?
        } else {
            let l = self.expr(le)?;
            let r = self.expr(re)?;
            self.make_distinct(&a.name, l, r, last, a.location)?
        };
        Ok(if not { not_expr(e, a.location) } else { e })
    }

    fn make_distinct(&mut self, op: &[String], l: Expr, r: Expr, last: usize, at: Location) -> Result<Expr> {
        let Expr::OpExpr(o) = self.make_op(op, Some(l), r, last, at)? else {
            return Err(PgError::internal("an operator that is none"));
        };
        if o.opresulttype != BOOLOID {
            let m = "IS DISTINCT FROM requires = operator to yield boolean";
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(at));
        }
        if o.opretset {
            let m = "IS DISTINCT FROM must not return a set";
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(at));
        }
        Ok(Expr::DistinctExpr(o))
    }

    fn row_distinct(&mut self, op: &[String], l: Vec<Expr>, r: Vec<Expr>, at: Location) -> Result<Expr> {
        if l.len() != r.len() {
            return Err(PgError::new(SYNTAX_ERROR, "unequal number of entries in row expressions").at(at));
        }
        let last = self.level().srfs;
        let mut result = None;
        for (l, r) in l.into_iter().zip(r) {
            let cmp = self.make_distinct(op, l, r, last, at)?;
            result = Some(match result {
                None => cmp,
                Some(e) => bool_expr(BoolExprType::Or, vec![e, cmp], at),
            });
        }
        Ok(result.unwrap_or_else(|| bool_const_at(false, at)))
    }

    fn a_expr_nullif(&mut self, a: &ast::AExpr) -> Result<Expr> {
        let last = self.level().srfs;
        let l = self.expr(operand(&a.lexpr)?)?;
        let r = self.expr(operand(&a.rexpr)?)?;
        let Expr::OpExpr(mut o) = self.make_op(&a.name, Some(l), r, last, a.location)? else {
            return Err(PgError::internal("an operator that is none"));
        };
        if o.opresulttype != BOOLOID {
            let m = "NULLIF requires = operator to yield boolean";
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(a.location));
        }
        if o.opretset {
            return Err(PgError::new(DATATYPE_MISMATCH, "NULLIF must not return a set").at(a.location));
        }
        o.opresulttype = o.args[0].type_oid();
        Ok(Expr::NullIfExpr(o))
    }

    /// (PostgreSQL: `transformAExprIn`)
    fn a_expr_in(&mut self, a: &ast::AExpr) -> Result<Expr> {
        let use_or = a.name.first().is_none_or(|n| n != "<>");
        let ast::Expr::List(items) = operand(&a.rexpr)? else {
            return Err(PgError::internal("IN without a list"));
        };
        let l = self.expr(operand(&a.lexpr)?)?;
        let mut rexprs = Vec::new();
        let mut has_rvars = false;
        let mut vars = Vec::new();
        let mut nonvars = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let e = self.expr(item)?;
            let has_var = contains_vars(&e)?;
            has_rvars |= has_var;
            if has_var {
                vars.push(i)
            } else {
                nonvars.push(i)
            }
            rexprs.push(e);
        }
        let _ = has_rvars;
        let mut result = None;
        let mut singles: Vec<usize> = (0..rexprs.len()).collect();
        // Several constants become `= ANY (ARRAY[..])`, if they share a type with the left side.
        if nonvars.len() > 1 {
            let mut all: Vec<&Expr> = vec![&l];
            all.extend(nonvars.iter().map(|i| &rexprs[*i]));
            let scalar = match self.select_common_type(&all, None)? {
                Some((t, _)) if t != RECORDOID && self.verify_common_type(t, &all)? => t,
                _ => Oid::INVALID,
            };
            let array = if scalar.is_valid() { self.cat().array_of(scalar)? } else { Oid::INVALID };
            if array.is_valid() {
                let mut elements = Vec::with_capacity(nonvars.len());
                for i in &nonvars {
                    elements.push(self.coerce_to_common_type(rexprs[*i].clone(), scalar, "IN")?);
                }
                let array = Expr::ArrayExpr(Box::new(ArrayExpr {
                    array_typeid: array,
                    array_collid: Oid::INVALID,
                    element_typeid: scalar,
                    elements,
                    multidims: false,
                    location: Location::UNKNOWN,
                }));
                result = Some(self.make_scalar_array_op(&a.name, use_or, l.clone(), array, a.location)?);
                singles = vars;
            }
        }
        for i in singles {
            let r = std::mem::replace(&mut rexprs[i], bool_const(false));
            let last = self.level().srfs;
            let cmp = match (&l, &r) {
                (Expr::RowExpr(lr), Expr::RowExpr(rr)) => {
                    self.row_comparison(&a.name, lr.args.clone(), rr.args.clone(), a.location)?
                }
                _ => self.make_op(&a.name, Some(l.clone()), r, last, a.location)?,
            };
            let cmp = self.coerce_to_boolean(cmp, "IN")?;
            let op = if use_or { BoolExprType::Or } else { BoolExprType::And };
            result = Some(match result {
                None => cmp,
                Some(Expr::BoolExpr(mut b)) if b.boolop == op => {
                    b.args.push(cmp);
                    Expr::BoolExpr(b)
                }
                Some(e) => bool_expr(op, vec![e, cmp], a.location),
            });
        }
        result.ok_or_else(|| PgError::internal("IN with an empty list"))
    }

    fn a_expr_between(&mut self, a: &ast::AExpr) -> Result<Expr> {
        use ast::AExprKind as K;
        let ast::Expr::List(bounds) = operand(&a.rexpr)? else {
            return Err(PgError::internal("BETWEEN without bounds"));
        };
        let [lo, hi] = &bounds[..] else { return Err(PgError::internal("BETWEEN without two bounds")) };
        let x = operand(&a.lexpr)?;
        let cmp = |op: &str, b: &ast::Expr| {
            ast::Expr::AExpr(Box::new(ast::AExpr {
                kind: K::Op,
                name: name(op),
                lexpr: Some(x.clone()),
                rexpr: Some(b.clone()),
                rexpr_list_start: Location::UNKNOWN,
                rexpr_list_end: Location::UNKNOWN,
                location: a.location,
            }))
        };
        let both = |op, l, r| {
            ast::Expr::BoolExpr(Box::new(ast::BoolExpr { boolop: op, args: vec![l, r], location: a.location }))
        };
        use ast::BoolExprType::{And, Or};
        let e = match a.kind {
            K::Between => both(And, cmp(">=", lo), cmp("<=", hi)),
            K::NotBetween => both(Or, cmp("<", lo), cmp(">", hi)),
            K::BetweenSym => both(Or, both(And, cmp(">=", lo), cmp("<=", hi)), both(And, cmp(">=", hi), cmp("<=", lo))),
            _ => both(And, both(Or, cmp("<", lo), cmp(">", hi)), both(Or, cmp("<", hi), cmp(">", lo))),
        };
        self.expr(&e)
    }

    fn bool_expr(&mut self, b: &ast::BoolExpr) -> Result<Expr> {
        let (op, n) = match b.boolop {
            ast::BoolExprType::And => (BoolExprType::And, "AND"),
            ast::BoolExprType::Or => (BoolExprType::Or, "OR"),
            ast::BoolExprType::Not => (BoolExprType::Not, "NOT"),
        };
        let mut args = Vec::with_capacity(b.args.len());
        for a in &b.args {
            let a = self.expr(a)?;
            args.push(self.coerce_to_boolean(a, n)?);
        }
        Ok(bool_expr(op, args, b.location))
    }

    /// (PostgreSQL: `transformFuncCall`)
    fn func_call(&mut self, f: &ast::FuncCall) -> Result<Expr> {
        let last_srf = self.level().srfs;
        let mut args = self.exprs(&f.args)?;
        if f.agg_within_group {
            // The ordering columns are arguments too; resolved like any others.
            for s in &f.agg_order {
                args.push(self.transform_expr(&s.node, ExprKind::OrderBy)?);
            }
        }
        let agg_filter = match &f.agg_filter {
            Some(e) => Some(self.where_clause(e, ExprKind::Filter, "FILTER")?),
            None => None,
        };
        let parts = CallParts { call: Some(f), agg_filter, proc_call: false, last_srf, location: f.location };
        self.parse_func(&f.funcname, args, parts)?.ok_or_else(|| PgError::internal("a call of nothing"))
    }

    fn case_expr(&mut self, c: &ast::CaseExpr) -> Result<Expr> {
        let last = self.level().srfs;
        let arg = match &c.arg {
            None => None,
            Some(a) => {
                let mut arg = self.expr(a)?;
                // An unknown literal would be converted anew for each WHEN.
                if arg.type_oid() == UNKNOWNOID {
                    arg = self.coerce_to_common_type(arg, TEXTOID, "CASE")?;
                }
                self.assign_collations(&mut arg)?;
                Some(arg)
            }
        };
        let placeholder = arg.as_ref().map(|a| a.type_mod());
        let mut whens = Vec::new();
        for w in &c.args {
            let cond = match placeholder {
                None => self.expr(&w.expr)?,
                Some(ty) => {
                    let r = self.expr(&w.expr)?;
                    let last = self.level().srfs;
                    let l = Expr::CaseTestExpr(ty);
                    match (&arg, &r) {
                        (Some(Expr::RowExpr(_)), Expr::RowExpr(_)) | _ => {
                            self.make_op(&name("="), Some(l), r, last, w.location)?
                        }
                    }
                }
            };
            let expr = self.coerce_to_boolean(cond, "CASE/WHEN")?;
            let result = self.expr(&w.result)?;
            whens.push(CaseWhen { expr, result, location: w.location });
        }
        let def = match &c.defresult {
            Some(d) => self.expr(d)?,
            None => unknown_const(Datum::Null, Location::UNKNOWN),
        };
        // The ELSE counts first.
        let mut all = vec![&def];
        all.extend(whens.iter().map(|w| &w.result));
        let t = self.select_common_type(&all, Some("CASE"))?.map_or(TEXTOID, |t| t.0);
        let def = self.coerce_to_common_type(def, t, "CASE/ELSE")?;
        for w in &mut whens {
            let r = std::mem::replace(&mut w.result, bool_const(false));
            w.result = self.coerce_to_common_type(r, t, "CASE/WHEN")?;
        }
        self.no_srf_in("CASE", last)?;
        Ok(Expr::CaseExpr(Box::new(CaseExpr {
            casetype: t,
            casecollid: Oid::INVALID,
            arg,
            args: whens,
            defresult: def,
            location: c.location,
        })))
    }

    fn no_srf_in(&self, what: &str, last: usize) -> Result<()> {
        if self.level().srfs == last {
            return Ok(());
        }
        let m = format!("set-returning functions are not allowed in {what}");
        Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
            .at(self.level().last_srf))
    }

    fn common_args(&mut self, args: &[ast::Expr], what: &str) -> Result<(Vec<Expr>, Oid)> {
        let args = self.exprs(args)?;
        let all: Vec<&Expr> = args.iter().collect();
        let t = self.select_common_type(&all, Some(what))?.map_or(TEXTOID, |t| t.0);
        let args = args.into_iter().map(|a| self.coerce_to_common_type(a, t, what)).collect::<Result<_>>()?;
        Ok((args, t))
    }

    /// (PostgreSQL: `transformRowExpr`)
    pub(crate) fn row_expr(&mut self, r: &ast::RowExpr, allow_default: bool) -> Result<Expr> {
        let args = self.expression_list(&r.args, self.kind(), allow_default)?;
        if args.len() > 1664 {
            return Err(PgError::new(TOO_MANY_COLUMNS, "ROW expressions can have at most 1664 entries").at(r.location));
        }
        let colnames = (1..=args.len()).map(|i| format!("f{i}")).collect();
        Ok(Expr::RowExpr(Box::new(RowExpr {
            args,
            row_typeid: RECORDOID,
            row_format: crate::func::coercion_form(r.row_format),
            colnames,
            location: r.location,
        })))
    }

    /// (PostgreSQL: `transformArrayExpr`)
    fn array_expr(&mut self, a: &ast::AArrayExpr, array: Oid, element: Oid, typmod: i32) -> Result<Expr> {
        crate::walker::check_depth()?;
        let mut multidims = false;
        let mut new = Vec::new();
        for e in &a.elements {
            let e = match e {
                ast::Expr::AArrayExpr(inner) => {
                    multidims = true;
                    self.array_expr(inner, array, element, typmod)?
                }
                e => {
                    let e = self.expr(e)?;
                    if !multidims && self.cat().elem_of(e.type_oid())?.is_valid() {
                        multidims = true;
                    }
                    e
                }
            };
            new.push(e);
        }
        let (mut array, mut element) = (array, element);
        let coerce_to;
        let hard;
        if array.is_valid() {
            coerce_to = if multidims { array } else { element };
            hard = true;
        } else {
            hard = false;
            if new.is_empty() {
                return Err(PgError::new(INDETERMINATE_DATATYPE, "cannot determine type of empty array")
                    .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
                    .at(a.location));
            }
            let all: Vec<&Expr> = new.iter().collect();
            coerce_to = self.select_common_type(&all, Some("ARRAY"))?.map_or(TEXTOID, |t| t.0);
            if multidims {
                array = coerce_to;
                element = self.cat().elem_of(array)?;
                if !element.is_valid() {
                    let m = format!("could not find element type for data type {}", format_type(self.cat(), array)?);
                    return Err(PgError::new(UNDEFINED_OBJECT, m).at(a.location));
                }
            } else {
                element = coerce_to;
                array = self.cat().array_of(element)?;
                if !array.is_valid() {
                    let m = format!("could not find array type for data type {}", format_type(self.cat(), element)?);
                    return Err(PgError::new(UNDEFINED_OBJECT, m).at(a.location));
                }
            }
        }
        let mut elements = Vec::with_capacity(new.len());
        for e in new {
            elements.push(if hard {
                let (t, l) = (e.type_oid(), e.location());
                let f = CoercionForm::ExplicitCast;
                match self.coerce_to_target_type(e, t, coerce_to, typmod, Context::Explicit, f, Location::UNKNOWN)? {
                    Some(e) => e,
                    None => return Err(self.cannot_cast(t, coerce_to)?.at(l)),
                }
            } else {
                self.coerce_to_common_type(e, coerce_to, "ARRAY")?
            });
        }
        Ok(Expr::ArrayExpr(Box::new(ArrayExpr {
            array_typeid: array,
            array_collid: Oid::INVALID,
            element_typeid: element,
            elements,
            multidims,
            location: a.location,
        })))
    }

    pub(crate) fn cannot_cast(&self, from: Oid, to: Oid) -> Result<PgError> {
        let (from, to) = (format_type(self.cat(), from)?, format_type(self.cat(), to)?);
        Ok(PgError::new(CANNOT_COERCE, format!("cannot cast type {from} to {to}")))
    }

    /// (PostgreSQL: `transformTypeCast`)
    fn type_cast(&mut self, t: &ast::TypeCast) -> Result<Expr> {
        let (target, typmod) = self.type_and_typmod(&t.type_name)?;
        let e = match &t.arg {
            // The elements of an ARRAY[] take the cast's type.
            ast::Expr::AArrayExpr(a) => {
                let (base, basemod) = self.cat().base_type(target, typmod)?;
                let element = self.cat().elem_of(base)?;
                match element.is_valid() {
                    true => self.array_expr(a, base, element, basemod)?,
                    false => self.expr(&t.arg)?,
                }
            }
            arg => self.expr(arg)?,
        };
        let from = e.type_oid();
        if from == Oid::INVALID {
            return Ok(e);
        }
        let location = if t.location.is_known() { t.location } else { t.type_name.location };
        let f = CoercionForm::ExplicitCast;
        let arg_location = e.location();
        match self.coerce_to_target_type(e, from, target, typmod, Context::Explicit, f, location)? {
            Some(e) => Ok(e),
            None => {
                let at = if location.is_known() { location } else { arg_location };
                Err(self.cannot_cast(from, target)?.at(at))
            }
        }
    }

    /// (PostgreSQL: `transformSubLink`)
    fn sub_link(&mut self, s: &ast::SubLink) -> Result<Expr> {
        use ExprKind::*;
        let refuse = match self.kind() {
            CheckConstraint | DomainCheck => Some("cannot use subquery in check constraint"),
            ColumnDefault | FunctionDefault => Some("cannot use subquery in DEFAULT expression"),
            IndexExpression => Some("cannot use subquery in index expression"),
            IndexPredicate => Some("cannot use subquery in index predicate"),
            StatsExpression => Some("cannot use subquery in statistics expression"),
            AlterColTransform => Some("cannot use subquery in transform expression"),
            ExecuteParameter => Some("cannot use subquery in EXECUTE parameter"),
            TriggerWhen => Some("cannot use subquery in trigger WHEN condition"),
            PartitionBound => Some("cannot use subquery in partition bound"),
            PartitionExpression => Some("cannot use subquery in partition key expression"),
            CallArgument => Some("cannot use subquery in CALL argument"),
            CopyWhere => Some("cannot use subquery in COPY FROM WHERE condition"),
            GeneratedColumn => Some("cannot use subquery in column generation expression"),
            _ => Option::None,
        };
        if let Some(m) = refuse {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(s.location));
        }
        self.lv().has_sub_links = true;
        let q = self.sub_analyze(&ast::Statement::Select(s.subselect.clone()), Option::None, false, true)?;
        if q.command_type != CmdType::Select {
            return Err(PgError::internal("unexpected non-SELECT command in SubLink"));
        }
        let columns = q.target_list.iter().filter(|t| !t.resjunk).count();
        let mut link = SubLink {
            sub_link_type: SubLinkType::Exists,
            sub_link_id: 0,
            testexpr: Option::None,
            oper_name: Vec::new(),
            subselect: Box::new(q),
            array_type: Oid::INVALID,
            location: s.location,
        };
        match s.sub_link_type {
            ast::SubLinkType::Exists | ast::SubLinkType::Cte => {}
            ast::SubLinkType::Expr | ast::SubLinkType::Array => {
                if columns != 1 {
                    return Err(PgError::new(SYNTAX_ERROR, "subquery must return only one column").at(s.location));
                }
                link.sub_link_type = SubLinkType::Expr;
                if s.sub_link_type == ast::SubLinkType::Array {
                    link.sub_link_type = SubLinkType::Array;
                    let t = link.first_column().map_or(UNKNOWNOID, Expr::type_oid);
                    link.array_type = self.cat().promoted_array(t)?;
                    if !link.array_type.is_valid() {
                        let m = format!("could not find array type for data type {}", format_type(self.cat(), t)?);
                        return Err(PgError::new(UNDEFINED_OBJECT, m).at(s.location));
                    }
                }
            }
            ast::SubLinkType::MultiExpr => link.sub_link_type = SubLinkType::MultiExpr,
            kind => {
                link.sub_link_type = match kind {
                    ast::SubLinkType::All => SubLinkType::All,
                    ast::SubLinkType::Any => SubLinkType::Any,
                    _ => SubLinkType::RowCompare,
                };
                // `x IN (SELECT ..)` has no operator: it is `= ANY`.
                let op = if s.oper_name.is_empty() { name("=") } else { s.oper_name.clone() };
                let test = s.testexpr.as_ref().ok_or_else(|| PgError::internal("a sublink without a left side"))?;
                let left = self.expr(test)?;
                let left = match left {
                    Expr::RowExpr(r) => r.args,
                    e => vec![e],
                };
                let mut right = Vec::new();
                for t in link.subselect.target_list.iter().filter(|t| !t.resjunk) {
                    right.push(Expr::Param(Param {
                        kind: ParamKind::Sublink,
                        id: i32::from(t.resno),
                        ty: t.expr.type_mod(),
                        location: Location::UNKNOWN,
                    }));
                }
                if left.len() < right.len() {
                    return Err(PgError::new(SYNTAX_ERROR, "subquery has too many columns").at(s.location));
                }
                if left.len() > right.len() {
                    return Err(PgError::new(SYNTAX_ERROR, "subquery has too few columns").at(s.location));
                }
                link.testexpr = Some(self.row_comparison(&op, left, right, s.location)?);
                link.oper_name = s.oper_name.clone();
            }
        }
        Ok(Expr::SubLink(Box::new(link)))
    }

    /// (PostgreSQL: `make_row_comparison_op`)
    pub(crate) fn row_comparison(&mut self, op: &[String], l: Vec<Expr>, r: Vec<Expr>, at: Location) -> Result<Expr> {
        let n = l.len();
        if n != r.len() {
            return Err(PgError::new(SYNTAX_ERROR, "unequal number of entries in row expressions").at(at));
        }
        if n == 0 {
            let m = "cannot compare rows of zero length";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(at));
        }
        let mut ops = Vec::with_capacity(n);
        for (l, r) in l.into_iter().zip(r) {
            let last = self.level().srfs;
            let Expr::OpExpr(o) = self.make_op(op, Some(l), r, last, at)? else {
                return Err(PgError::internal("an operator that is none"));
            };
            if o.opresulttype != BOOLOID {
                let t = format_type(self.cat(), o.opresulttype)?;
                let m = format!("row comparison operator must yield type boolean, not type {t}");
                return Err(PgError::new(DATATYPE_MISMATCH, m).at(at));
            }
            if o.opretset {
                let m = "row comparison operator must not return a set";
                return Err(PgError::new(DATATYPE_MISMATCH, m).at(at));
            }
            ops.push(o);
        }
        if n == 1 {
            return Ok(Expr::OpExpr(ops.swap_remove(0)));
        }
        // The meaning that all operators share in some btree families.
        let mut common: Option<Vec<RowCompareType>> = None;
        let mut families: Vec<Vec<(RowCompareType, Oid)>> = Vec::new();
        for o in &ops {
            let f = self.op_interpretations(o.opno)?;
            let these: Vec<_> = f.iter().map(|x| x.0).collect();
            common = Some(match common {
                None => these,
                Some(c) => c.into_iter().filter(|t| these.contains(t)).collect(),
            });
            families.push(f);
        }
        let opname = op.last().cloned().unwrap_or_default();
        let cmptype = match common.unwrap_or_default().into_iter().min_by_key(|t| *t as u8) {
            Some(t) => t,
            None => {
                let m = format!("could not determine interpretation of row comparison operator {opname}");
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
                    .hint("Row comparison operators must be associated with btree operator families.")
                    .at(at));
            }
        };
        // = and <> mean the same for rows as for their fields.
        if matches!(cmptype, RowCompareType::Eq | RowCompareType::Ne) {
            let b = if cmptype == RowCompareType::Eq { BoolExprType::And } else { BoolExprType::Or };
            return Ok(bool_expr(b, ops.into_iter().map(Expr::OpExpr).collect(), at));
        }
        let mut row = RowCompareExpr {
            cmptype,
            opnos: Vec::new(),
            opfamilies: Vec::new(),
            inputcollids: Vec::new(),
            largs: Vec::new(),
            rargs: Vec::new(),
        };
        for (mut o, f) in ops.into_iter().zip(families) {
            let Some((_, family)) = f.into_iter().find(|x| x.0 == cmptype) else {
                let m = format!("could not determine interpretation of row comparison operator {opname}");
                return Err(PgError::new(FEATURE_NOT_SUPPORTED, m)
                    .detail("There are multiple equally-plausible candidates.")
                    .at(at));
            };
            row.opnos.push(o.opno);
            row.opfamilies.push(family);
            row.inputcollids.push(Oid::INVALID);
            let r = o.args.pop();
            let l = o.args.pop();
            row.largs.extend(l);
            row.rargs.extend(r);
        }
        Ok(Expr::RowCompareExpr(Box::new(row)))
    }

    /// What an operator means in the btree families it belongs to. (PostgreSQL: `get_op_index_interpretation`)
    fn op_interpretations(&self, op: Oid) -> Result<Vec<(RowCompareType, Oid)>> {
        use RowCompareType::*;
        let mut out = Vec::new();
        for m in self.cat().operator_memberships(op)?.iter() {
            if m.amopmethod != catalog::oids::BTREE_AM_OID || m.amoppurpose != b's' {
                continue;
            }
            let t = match m.amopstrategy {
                1 => Lt,
                2 => Le,
                3 => Eq,
                4 => Ge,
                5 => Gt,
                _ => continue,
            };
            out.push((t, m.amopfamily));
        }
        if out.is_empty() {
            let negator = self.cat().operator_row(op)?.oprnegate;
            if negator.is_valid() {
                for m in self.cat().operator_memberships(negator)?.iter() {
                    if m.amopmethod == catalog::oids::BTREE_AM_OID && m.amopstrategy == 3 {
                        out.push((Ne, m.amopfamily));
                    }
                }
            }
        }
        Ok(out)
    }

    /// `(expr).field`, `(expr)[1]`. (PostgreSQL: `transformIndirection`)
    fn indirection(&mut self, i: &ast::AIndirection) -> Result<Expr> {
        let last_srf = self.level().srfs;
        let mut result = self.expr(&i.arg)?;
        let location = result.location();
        let mut subscripts: Vec<&ast::AIndices> = Vec::new();
        for step in &i.indirection {
            match step {
                ast::Indirection::Indices(x) => subscripts.push(x),
                ast::Indirection::Star => {
                    let m = "row expansion via \"*\" is not supported here";
                    return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(location));
                }
                ast::Indirection::Field(field) => {
                    if !subscripts.is_empty() {
                        let (t, m) = (result.type_oid(), result.typmod());
                        result = self.subscripts(result, t, m, &subscripts, None)?;
                        subscripts.clear();
                    }
                    let parts = CallParts { call: None, agg_filter: None, proc_call: false, last_srf, location };
                    result = match self.parse_func(&name(field), vec![result.clone()], parts)? {
                        Some(e) => e,
                        None => return Err(self.unknown_attribute(&result, field, location)?),
                    };
                }
            }
        }
        if !subscripts.is_empty() {
            let (t, m) = (result.type_oid(), result.typmod());
            result = self.subscripts(result, t, m, &subscripts, None)?;
        }
        Ok(result)
    }

    /// (PostgreSQL: `unknown_attribute`)
    pub(crate) fn unknown_attribute(&self, e: &Expr, field: &str, at: Location) -> Result<PgError> {
        if let Expr::Var(v) = e
            && v.varattno == 0
        {
            let level = self.levels.len() - 1 - v.varlevelsup as usize;
            let name = &self.levels[level].rte(v.varno).eref.aliasname;
            let m = format!("column {name}.{field} does not exist");
            return Ok(PgError::new(UNDEFINED_COLUMN, m).at(at));
        }
        let t = e.type_oid();
        let e = if is_complex(self.cat(), t)? {
            let m = format!("column \"{field}\" not found in data type {}", format_type(self.cat(), t)?);
            PgError::new(UNDEFINED_COLUMN, m)
        } else if t == RECORDOID {
            PgError::new(UNDEFINED_COLUMN, format!("could not identify column \"{field}\" in record data type"))
        } else {
            let m = format!(
                "column notation .{field} applied to type {}, which is not a composite type",
                format_type(self.cat(), t)?
            );
            PgError::new(WRONG_OBJECT_TYPE, m)
        };
        Ok(e.at(at))
    }

    /// `container[..]`, or an assignment to it. (PostgreSQL: `transformContainerSubscripts`, `array_subscript_transform`,
    /// `jsonb_subscript_transform`)
    pub(crate) fn subscripts(
        &mut self,
        base: Expr,
        container: Oid,
        typmod: i32,
        indices: &[&ast::AIndices],
        assign: Option<Expr>,
    ) -> Result<Expr> {
        let (container, typmod) = self.container_type(container, typmod)?;
        let t = self.cat().type_row(container)?;
        let is_slice = indices.iter().any(|i| i.is_slice);
        let is_array = t.typsubscript.is_valid() && t.typelem.is_valid();
        if !is_array && container != JSONBOID {
            let m = format!(
                "cannot subscript type {} because it does not support subscripting",
                format_type(self.cat(), container)?
            );
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(base.location()));
        }
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        if container == JSONBOID {
            for i in indices {
                if is_slice {
                    let bad = i.uidx.as_ref().or(i.lidx.as_ref()).map(|e| self.expr(e)).transpose()?;
                    let l = bad.map_or(Location::UNKNOWN, |e| e.location());
                    return Err(PgError::new(DATATYPE_MISMATCH, "jsonb subscript does not support slices").at(l));
                }
                let e = self.expr(i.uidx.as_ref().ok_or_else(|| PgError::internal("an empty subscript"))?)?;
                upper.push(Some(self.jsonb_subscript(e)?));
            }
        } else {
            for i in indices {
                if is_slice {
                    let e = match (&i.lidx, i.is_slice) {
                        (Some(l), _) => Some(self.array_subscript(l)?),
                        // `[:n]` has no lower bound; `[n]` among slices means `[1:n]`.
                        (None, true) => None,
                        (None, false) => Some(int4_const(1)),
                    };
                    lower.push(e);
                }
                upper.push(match &i.uidx {
                    Some(u) => Some(self.array_subscript(u)?),
                    None => None,
                });
            }
            if upper.len() > 6 {
                let m = format!("number of array dimensions ({}) exceeds the maximum allowed (6)", upper.len());
                return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, m));
            }
        }
        let elem = if container == JSONBOID { Oid::INVALID } else { t.typelem };
        let restype = match (container == JSONBOID, is_slice) {
            (true, _) => JSONBOID,
            (false, true) => container,
            (false, false) => elem,
        };
        Ok(Expr::SubscriptingRef(Box::new(SubscriptingRef {
            refcontainertype: container,
            refelemtype: elem,
            refrestype: if assign.is_some() { container } else { restype },
            reftypmod: typmod,
            refcollid: Oid::INVALID,
            refupperindexpr: upper,
            reflowerindexpr: lower,
            refexpr: base,
            refassgnexpr: assign,
        })))
    }

    /// Domains are seen through, and int2vector and oidvector are arrays here. (PostgreSQL: `transformContainerType`)
    pub(crate) fn container_type(&self, t: Oid, typmod: i32) -> Result<(Oid, i32)> {
        let (t, typmod) = self.cat().base_type(t, typmod)?;
        Ok(match t {
            INT2VECTOROID => (INT2ARRAYOID, typmod),
            OIDVECTOROID => (OIDARRAYOID, typmod),
            t => (t, typmod),
        })
    }

    fn array_subscript(&mut self, e: &ast::Expr) -> Result<Expr> {
        let e = self.expr(e)?;
        let (t, l) = (e.type_oid(), e.location());
        let (f, cx) = (CoercionForm::ImplicitCast, Context::Assignment);
        self.coerce_to_target_type(e, t, INT4OID, -1, cx, f, Location::UNKNOWN)?
            .ok_or_else(|| PgError::new(DATATYPE_MISMATCH, "array subscript must have type integer").at(l))
    }

    fn jsonb_subscript(&mut self, e: Expr) -> Result<Expr> {
        let (t, l) = (e.type_oid(), e.location());
        let mut target = UNKNOWNOID;
        if t == UNKNOWNOID {
            target = TEXTOID;
        } else {
            for candidate in [INT4OID, TEXTOID] {
                if can_coerce(self.cat(), &[t], &[candidate], Context::Implicit)? {
                    if target != UNKNOWNOID {
                        let m = format!("subscript type {} is not supported", format_type(self.cat(), t)?);
                        return Err(PgError::new(DATATYPE_MISMATCH, m)
                            .hint("jsonb subscript must be coercible to only one type, integer or text.")
                            .at(l));
                    }
                    target = candidate;
                }
            }
            if target == UNKNOWNOID {
                let m = format!("subscript type {} is not supported", format_type(self.cat(), t)?);
                return Err(PgError::new(DATATYPE_MISMATCH, m)
                    .hint("jsonb subscript must be coercible to either integer or text.")
                    .at(l));
            }
        }
        let f = CoercionForm::ImplicitCast;
        self.coerce_type(e, t, target, -1, Context::Implicit, f, Location::UNKNOWN)
    }

    fn sql_value_function(&mut self, s: &ast::SQLValueFunction) -> Result<Expr> {
        use ast::SQLValueFunctionOp as O;
        let (op, type_oid) = match s.op {
            O::CurrentDate => (SvfOp::CurrentDate, DATEOID),
            O::CurrentTime => (SvfOp::CurrentTime, TIMETZOID),
            O::CurrentTimeN => (SvfOp::CurrentTimeN, TIMETZOID),
            O::CurrentTimestamp => (SvfOp::CurrentTimestamp, TIMESTAMPTZOID),
            O::CurrentTimestampN => (SvfOp::CurrentTimestampN, TIMESTAMPTZOID),
            O::Localtime => (SvfOp::LocalTime, TIMEOID),
            O::LocaltimeN => (SvfOp::LocalTimeN, TIMEOID),
            O::Localtimestamp => (SvfOp::LocalTimestamp, TIMESTAMPOID),
            O::LocaltimestampN => (SvfOp::LocalTimestampN, TIMESTAMPOID),
            O::CurrentRole => (SvfOp::CurrentRole, NAMEOID),
            O::CurrentUser => (SvfOp::CurrentUser, NAMEOID),
            O::User => (SvfOp::User, NAMEOID),
            O::SessionUser => (SvfOp::SessionUser, NAMEOID),
            O::CurrentCatalog => (SvfOp::CurrentCatalog, NAMEOID),
            O::CurrentSchema => (SvfOp::CurrentSchema, NAMEOID),
        };
        let mut typmod = s.typmod;
        if matches!(s.op, O::CurrentTimeN | O::CurrentTimestampN | O::LocaltimeN | O::LocaltimestampN) && typmod > 6 {
            let what = match s.op {
                O::CurrentTimeN | O::LocaltimeN => "TIME",
                _ => "TIMESTAMP",
            };
            let tz = if matches!(s.op, O::CurrentTimeN | O::CurrentTimestampN) { " WITH TIME ZONE" } else { "" };
            let m = format!("{what}({typmod}){tz} precision reduced to maximum allowed, 6");
            let n = PgError::with_severity(base::Severity::Warning, INVALID_PARAMETER_VALUE, m);
            self.cx.rt.notice(n);
            typmod = 6;
        }
        Ok(Expr::SQLValueFunction(SQLValueFunction { op, type_oid, typmod, location: s.location }))
    }

    fn current_of(&mut self, c: &ast::CurrentOfExpr) -> Result<Expr> {
        let target = self.level().target.as_ref().map(|t| t.item.rtindex);
        let cvarno = target.ok_or_else(|| PgError::internal("CURRENT OF without a target"))?;
        Ok(Expr::CurrentOfExpr(CurrentOfExpr { cvarno, cursor_name: Some(c.cursor_name.clone()), cursor_param: 0 }))
    }

    /// One column of `(a, b) = source`. (PostgreSQL: `transformMultiAssignRef`)
    fn multi_assign_ref(&mut self, m: &ast::MultiAssignRef) -> Result<Expr> {
        let known = self.level().multiassign.iter().position(|x| Arc::ptr_eq(&x.source, &m.source));
        let columns = m.ncolumns as usize;
        let i = match known {
            Some(i) if m.colno != 1 => i,
            _ => {
                let kind = self.kind();
                let wrong = |l| {
                    let m = "number of columns does not match number of values";
                    PgError::new(SYNTAX_ERROR, m).at(l)
                };
                let expr = match &*m.source {
                    ast::Expr::SubLink(s) if s.sub_link_type == ast::SubLinkType::Expr => {
                        let mut s = (**s).clone();
                        s.sub_link_type = ast::SubLinkType::MultiExpr;
                        let e = self.sub_link(&s)?;
                        if let Expr::SubLink(l) = &e
                            && l.subselect.target_list.iter().filter(|t| !t.resjunk).count() != columns
                        {
                            return Err(wrong(s.location));
                        }
                        e
                    }
                    ast::Expr::RowExpr(r) => {
                        let e = self.with_kind(kind, |a| a.row_expr(r, true))?;
                        if let Expr::RowExpr(x) = &e
                            && x.args.len() != columns
                        {
                            return Err(wrong(r.location));
                        }
                        e
                    }
                    other => {
                        let l = self.expr(other).map(|e| e.location()).unwrap_or_default();
                        let m = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
                        return Err(PgError::new(FEATURE_NOT_SUPPORTED, m).at(l));
                    }
                };
                let n = self.level().multiassign.iter().filter(|x| x.sublink_id > 0).count() as i32;
                let sublink_id = if matches!(expr, Expr::SubLink(_)) { n + 1 } else { 0 };
                self.lv().multiassign.push(MultiAssign { source: m.source.clone(), expr, sublink_id });
                self.level().multiassign.len() - 1
            }
        };
        let a = &mut self.lv().multiassign[i];
        match &mut a.expr {
            Expr::SubLink(link) => {
                link.sub_link_id = a.sublink_id;
                let t = link.subselect.target_list.iter().filter(|t| !t.resjunk).nth(m.colno as usize - 1);
                let t = t.ok_or_else(|| PgError::internal("a column that is not there"))?;
                Ok(Expr::Param(Param {
                    kind: ParamKind::Multiexpr,
                    id: (a.sublink_id << 16) | m.colno,
                    ty: t.expr.type_mod(),
                    location: t.expr.location(),
                }))
            }
            Expr::RowExpr(r) => Ok(r.args[m.colno as usize - 1].clone()),
            _ => Err(PgError::internal("unexpected expr type in multiassign list")),
        }
    }
}

fn operand(e: &Option<ast::Expr>) -> Result<&ast::Expr> {
    e.as_ref().ok_or_else(|| PgError::internal("an operator without an operand"))
}

pub(crate) fn bool_expr(boolop: BoolExprType, args: Vec<Expr>, location: Location) -> Expr {
    Expr::BoolExpr(Box::new(BoolExpr { boolop, args, location }))
}
pub(crate) fn not_expr(e: Expr, location: Location) -> Expr {
    bool_expr(BoolExprType::Not, vec![e], location)
}

/// Whether it has variables of this query level. (PostgreSQL: `contain_vars_of_level(.., 0)`)
pub(crate) fn contains_vars(e: &Expr) -> Result<bool> {
    Ok(crate::level::min_var_level(e)?.is_some_and(|(l, _)| l == 0))
}

/// An integer literal that fits 64 bits: decimal, or 0x, 0o, 0b, with underscores.
fn parser_int64(s: &str) -> Option<i64> {
    let s: String = s.chars().filter(|c| *c != '_').collect();
    let (digits, radix) = match s.get(..2) {
        Some("0x" | "0X") => (&s[2..], 16),
        Some("0o" | "0O") => (&s[2..], 8),
        Some("0b" | "0B") => (&s[2..], 2),
        _ => (&s[..], 10),
    };
    i64::from_str_radix(digits, radix).ok()
}
