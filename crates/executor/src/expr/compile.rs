//! From analyzed expressions to kernels: done once, when a plan starts.

use std::sync::Arc;

use access::tuple::TupleLayout;
use analyze::query::*;
use base::{Oid, PgError, Result};
use hashbrown::HashMap;
use types::oid::*;
use types::{Attribute, Body, Datum, FnCall, Physical, Runtime, TupleDesc, TypeInfo};

use super::function::{FuncNode, Impl};
use super::special::*;
use super::sqljson;
use super::{CExpr, Filter, Kind, Projection, SubPlanNode};
use crate::context::ExecContext;

/// Where the columns of the input batch come from.
#[derive(Clone, Default, Debug)]
pub struct Scope {
    /// Single columns: (varno, attno, returning) to input column.
    pub vars: HashMap<(RtIndex, AttrNumber, VarReturning), usize>,
    /// Whole inputs: column `attno` of `varno` is input column `offset + attno - 1`.
    pub ranges: Vec<(RtIndex, usize)>,
    /// Whole rows: `varno`'s columns stand side by side from an input column on; `None` for one that is not there.
    pub rows: Vec<(RtIndex, VarReturning, Arc<TupleDesc>, Vec<Option<usize>>)>,
    /// Columns of the input batch.
    pub width: usize,
    /// The input columns that were referred to.
    pub used: Vec<bool>,
    /// Where the value of the innermost CASE or element conversion stands.
    pub(crate) case_test: Option<usize>,
    pub(crate) domain_value: Option<usize>,
    /// Columns appended so far by CASE and its like.
    pub(crate) extra: usize,
    /// Collects aggregates, grouping and window functions: each becomes a column after the plain ones.
    pub computed: Option<Vec<Expr>>,
    pub computed_base: usize,
}

impl Scope {
    /// One child, whose columns are `OUTER_VAR`.
    pub fn outer(width: usize) -> Scope {
        Scope { ranges: vec![(OUTER_VAR, 0)], width, ..Scope::default() }
    }
    /// Two children side by side.
    pub fn joined(outer: usize, inner: usize) -> Scope {
        Scope { ranges: vec![(OUTER_VAR, 0), (INNER_VAR, outer)], width: outer + inner, ..Scope::default() }
    }
    /// No columns.
    pub fn empty() -> Scope {
        Scope::default()
    }
    fn find(&mut self, v: &Var) -> Option<usize> {
        let found = self.vars.get(&(v.varno, v.varattno, v.varreturning)).copied().or_else(|| {
            let range = self.ranges.iter().find(|r| r.0 == v.varno && v.varattno > 0)?;
            Some(range.1 + v.varattno as usize - 1)
        })?;
        if self.used.len() <= found {
            self.used.resize(found + 1, false);
        }
        self.used[found] = true;
        Some(found)
    }
    pub fn is_used(&self, column: usize) -> bool {
        self.used.get(column).copied().unwrap_or(false)
    }
}

/// Compiles expressions in one scope.
pub struct Compiler<'a> {
    pub cx: &'a mut ExecContext,
    pub scope: Scope,
}

impl<'a> Compiler<'a> {
    pub fn new(cx: &'a mut ExecContext, scope: Scope) -> Compiler<'a> {
        Compiler { cx, scope }
    }

    pub fn physical(&mut self, type_oid: Oid) -> Result<Physical> {
        match type_oid {
            BOOLOID | CHAROID => Ok(Physical::W1),
            INT4OID | OIDOID | DATEOID | FLOAT4OID => Ok(Physical::W4),
            INT8OID | FLOAT8OID | TIMESTAMPOID | TIMESTAMPTZOID => Ok(Physical::W8),
            TEXTOID | NAMEOID | NUMERICOID | RECORDOID | VARCHAROID | BPCHAROID => Ok(Physical::Bytes),
            Oid(0) => Ok(Physical::Bytes),
            _ => {
                let t = self.cx.type_info(type_oid)?;
                Ok(Physical::of(t.len, t.byval))
            }
        }
    }
    pub fn physicals(&mut self, list: &[TargetEntry]) -> Result<Vec<Physical>> {
        list.iter().map(|t| self.physical(t.expr.type_oid())).collect()
    }
    pub fn list(&mut self, exprs: &[Expr]) -> Result<Vec<CExpr>> {
        exprs.iter().map(|e| self.expr(e)).collect()
    }
    pub fn filter(&mut self, quals: &[Expr]) -> Result<Filter> {
        Ok(Filter::new(self.list(quals)?))
    }
    pub fn projection(&mut self, list: &[TargetEntry]) -> Result<Projection> {
        let exprs: Result<Vec<CExpr>> = list.iter().map(|t| self.expr(&t.expr)).collect();
        Ok(Projection::new(exprs?))
    }

    fn node(&mut self, kind: Kind, type_oid: Oid) -> Result<CExpr> {
        Ok(CExpr::new(kind, self.physical(type_oid)?, type_oid))
    }
    fn boxed(&mut self, e: &Expr) -> Result<Box<CExpr>> {
        self.expr(e).map(Box::new)
    }

    /// Compiles one expression.
    pub fn expr(&mut self, e: &Expr) -> Result<CExpr> {
        analyze::walker::check_depth()?;
        let type_oid = e.type_oid();
        let kind = match e {
            Expr::Var(v) => return self.var(v),
            Expr::Const(c) => Kind::Const(c.value.clone()),
            Expr::Param(p) => match p.kind {
                ParamKind::Extern => Kind::ExternParam { id: p.id, value: Datum::Null },
                ParamKind::Exec => Kind::ExecParam { id: p.id as usize, value: Datum::Null },
                _ => return Err(PgError::internal("unexpected parameter kind in a plan")),
            },
            Expr::Aggref(_) | Expr::GroupingFunc(_) | Expr::WindowFunc(_) => {
                let base = self.scope.computed_base;
                let Some(list) = &mut self.scope.computed else {
                    return Err(PgError::internal("aggregate function in a plan node that does not aggregate"));
                };
                let i = list.iter().position(|x| x == e).unwrap_or_else(|| {
                    list.push(e.clone());
                    list.len() - 1
                });
                Kind::Input(base + i)
            }
            Expr::FuncExpr(f) => {
                let node = self.function(f.funcid, &f.args, f.funcresulttype, f.inputcollid, f.funcvariadic)?;
                Kind::Func(Box::new(node))
            }
            Expr::OpExpr(o) => Kind::Func(Box::new(self.operator(o)?)),
            Expr::DistinctExpr(o) => Kind::Distinct(Box::new(self.operator(o)?)),
            Expr::NullIfExpr(o) => {
                let mut node = self.operator(o)?;
                node.call.result_type = BOOLOID;
                Kind::NullIf(Box::new(node))
            }
            Expr::BoolExpr(b) => match b.boolop {
                BoolExprType::And => Kind::And(self.list(&b.args)?),
                BoolExprType::Or => Kind::Or(self.list(&b.args)?),
                BoolExprType::Not => Kind::Not(self.boxed(&b.args[0])?),
            },
            Expr::CaseExpr(c) => return self.case(c),
            Expr::CaseTestExpr(_) => match self.scope.case_test {
                Some(i) => Kind::Input(i),
                None => return Err(PgError::internal("CASE value outside CASE")),
            },
            Expr::CoerceToDomainValue(_) => match self.scope.domain_value {
                Some(i) => Kind::Input(i),
                None => return Err(PgError::internal("domain value outside a domain's constraint")),
            },
            Expr::CoalesceExpr(c) => Kind::Coalesce(self.list(&c.args)?),
            Expr::NullTest(n) => {
                let arg = self.boxed(&n.arg)?;
                if n.argisrow { Kind::RowNullTest { arg, not: n.not } } else { Kind::NullTest { arg, not: n.not } }
            }
            Expr::BooleanTest(b) => Kind::BoolTest { arg: self.boxed(&b.arg)?, test: b.booltesttype },
            // A type's other name: the value stays the same.
            Expr::RelabelType(r) => {
                let mut inner = self.expr(&r.arg)?;
                inner.type_oid = type_oid;
                return Ok(inner);
            }
            Expr::CollateExpr(c) => return self.expr(&c.arg),
            Expr::NamedArgExpr(n) => return self.expr(&n.arg),
            Expr::PlaceHolderVar(p) => return self.expr(&p.phexpr),
            Expr::InferenceElem(i) => return self.expr(&i.expr),
            Expr::JsonValueExpr(j) => return self.expr(&j.formatted_expr),
            Expr::JsonConstructorExpr(j) if j.func.is_some() => {
                let Some(func) = &j.func else { return Err(PgError::internal("no JSON function")) };
                return match &j.coercion {
                    None => self.expr(func),
                    Some(coercion) => self.over(func, coercion),
                };
            }
            Expr::ScalarArrayOpExpr(s) => {
                let function = self.operator_function(s.opno, s.opfuncid)?;
                let elem = self.element_of(s.args[1].type_oid())?;
                let args = self.list(&s.args)?;
                let types = [s.args[0].type_oid(), elem.oid];
                let call = FnCall {
                    function,
                    arg_types: types.to_vec(),
                    result_type: BOOLOID,
                    collation: s.inputcollid,
                    ..FnCall::default()
                };
                let (body, strict, raw_toast) = self.body(function, &types)?;
                let func = FuncNode { body, strict, raw_toast, args: Vec::new(), call, state: None };
                let hash = self.array_hash(s, &elem)?;
                Kind::ScalarArray(Box::new(ScalarArrayNode::new(args, func, s.use_or, elem, hash)))
            }
            Expr::ArrayExpr(a) => {
                let elem = self.elem(a.element_typeid)?;
                Kind::Array(Box::new(ArrayNode { args: self.list(&a.elements)?, elem, multidims: a.multidims }))
            }
            Expr::RowExpr(r) => {
                let desc = self.row_desc(r)?;
                let mut args = self.list(&r.args)?;
                while args.len() < desc.len() {
                    args.push(CExpr::new(Kind::Const(Datum::Null), Physical::Bytes, Oid::INVALID));
                }
                let layout = TupleLayout::new(&desc);
                Kind::Row { args, desc, layout }
            }
            Expr::RowCompareExpr(r) => Kind::RowCompare(Box::new(self.row_compare(r)?)),
            Expr::FieldSelect(f) => {
                let arg = self.expr(&f.arg)?;
                Kind::FieldSelect(Box::new(FieldSelectNode { arg, field: f.fieldnum, layouts: Vec::new() }))
            }
            Expr::FieldStore(f) => {
                let desc = self.cx.row_type(f.resulttype, -1)?;
                let mut values = Vec::with_capacity(f.newvals.len());
                for (e, n) in f.newvals.iter().zip(&f.fieldnums) {
                    let field = desc.attrs.get(*n as usize - 1).filter(|_| reads_old_value(e));
                    values.push(match field {
                        None => self.expr(e)?,
                        Some(a) => {
                            let old = FieldSelect {
                                arg: f.arg.clone(),
                                fieldnum: *n,
                                resulttype: TypeMod { oid: a.type_oid, typmod: a.typmod, collation: a.collation },
                            };
                            self.over(&Expr::FieldSelect(Box::new(old)), e)?
                        }
                    });
                }
                Kind::FieldStore(Box::new(FieldStoreNode {
                    arg: self.expr(&f.arg)?,
                    values,
                    fields: f.fieldnums.clone(),
                    layout: TupleLayout::new(&desc),
                }))
            }
            Expr::SubscriptingRef(s) => self.subscript(s)?,
            Expr::CoerceViaIO(c) => {
                let arg = self.expr(&c.arg)?;
                Kind::ViaIo(Box::new(self.via_io(arg, c.arg.type_oid(), c.resulttype, c.resultcollid)?))
            }
            Expr::ArrayCoerceExpr(a) => {
                let arg = self.expr(&a.arg)?;
                let from = self.element_of(a.arg.type_oid())?;
                let to = self.element_of(a.resulttype.oid)?;
                let scope = Scope { case_test: Some(0), width: 1, ..Scope::default() };
                let elem = Compiler::new(self.cx, scope).expr(&a.elemexpr)?;
                let identity = elem.as_input() == Some(0);
                Kind::ArrayCoerce(Box::new(ArrayCoerceNode { arg, from, to, elem, identity }))
            }
            Expr::ConvertRowtypeExpr(c) => {
                let from = self.cx.row_type(c.arg.type_oid(), -1)?;
                let to = self.cx.row_type(c.resulttype, -1)?;
                let arg = self.expr(&c.arg)?;
                Kind::ConvertRow(Box::new(ConvertRowNode::new(arg, &from, &to)))
            }
            Expr::CoerceToDomain(c) => Kind::Domain(Box::new(self.domain(c)?)),
            Expr::MinMaxExpr(m) => {
                let key = self.cx.sort_key_for_type(m.minmaxtype, m.inputcollid)?;
                Kind::MinMax(Box::new(MinMaxNode { args: self.list(&m.args)?, key, greatest: m.greatest }))
            }
            Expr::SQLValueFunction(s) => Kind::SqlValue { op: s.op, typmod: s.typmod, value: Datum::Null },
            Expr::NextValueExpr { seqid, .. } => Kind::NextValue { seqid: *seqid },
            Expr::SubPlan(s) => Kind::SubPlan(Box::new(SubPlanNode::compile(self, s)?)),
            Expr::SubLink(_) => return Err(PgError::internal("sublink in a plan")),
            Expr::SetToDefault(..) => return Err(PgError::internal("DEFAULT in a plan")),
            Expr::MergeSupportFunc(_) => match self.scope.vars.get(&(0, 0, VarReturning::Default)) {
                Some(i) => Kind::Input(*i),
                None => return Err(PgError::internal("merge_action() outside MERGE")),
            },
            Expr::CurrentOfExpr(_) => Kind::Unsupported("WHERE CURRENT OF".into()),
            Expr::XmlExpr(_) => Kind::Unsupported("this XML expression".into()),
            Expr::JsonConstructorExpr(c) => return self.json_constructor(c),
            Expr::JsonIsPredicate(p) => self.is_json(p)?,
            Expr::JsonExpr(j) => self.json_query(j)?,
        };
        self.node(kind, type_oid)
    }

    fn var(&mut self, v: &Var) -> Result<CExpr> {
        if let Some(i) = self.scope.find(v) {
            return self.node(Kind::Input(i), v.vartype.oid);
        }
        let row = self.scope.rows.iter().find(|r| v.varattno == 0 && r.0 == v.varno && r.1 == v.varreturning);
        if let Some((_, _, desc, columns)) = row.cloned() {
            let mut args = Vec::with_capacity(columns.len());
            for (a, c) in desc.attrs.iter().zip(columns) {
                let kind = c.map_or(Kind::Const(Datum::Null), Kind::Input);
                args.push(CExpr::new(kind, a.physical(), a.type_oid));
            }
            let desc = match desc.type_oid {
                RECORDOID => self.cx.bless((*desc).clone()),
                _ => desc,
            };
            let layout = TupleLayout::new(&desc);
            return self.node(Kind::Row { args, desc, layout }, v.vartype.oid);
        }
        Err(PgError::internal(format!("no column for Var {}.{} in this plan node", v.varno, v.varattno)))
    }

    /// `outer` with its CaseTestExpr standing for `inner`'s value.
    fn over(&mut self, inner: &Expr, outer: &Expr) -> Result<CExpr> {
        let case = CaseExpr {
            casetype: outer.type_oid(),
            casecollid: outer.collation(),
            arg: Some(inner.clone()),
            args: Vec::new(),
            defresult: outer.clone(),
            location: base::error::Location::UNKNOWN,
        };
        self.case(&case)
    }

    fn case(&mut self, c: &CaseExpr) -> Result<CExpr> {
        let arg = c.arg.as_ref().map(|a| self.boxed(a)).transpose()?;
        let saved = (self.scope.case_test, self.scope.extra);
        if arg.is_some() {
            self.scope.case_test = Some(self.scope.width + self.scope.extra);
            self.scope.extra += 1;
        }
        let whens: Result<Vec<_>> = c.args.iter().map(|w| Ok((self.expr(&w.expr)?, self.expr(&w.result)?))).collect();
        let (whens, default) = (whens?, self.boxed(&c.defresult)?);
        (self.scope.case_test, self.scope.extra) = saved;
        self.node(Kind::Case { arg, whens, default }, c.casetype)
    }

    fn operator_function(&mut self, opno: Oid, known: Oid) -> Result<Oid> {
        match known.valid() {
            Some(f) => Ok(f),
            None => self.cx.operator_function(opno),
        }
    }
    fn operator(&mut self, o: &OpExpr) -> Result<FuncNode> {
        let function = self.operator_function(o.opno, o.opfuncid)?;
        self.function(function, &o.args, o.opresulttype, o.inputcollid, false)
    }
    pub(crate) fn function(
        &mut self,
        function: Oid,
        args: &[Expr],
        result_type: Oid,
        collation: Oid,
        variadic: bool,
    ) -> Result<FuncNode> {
        let arg_types: Vec<Oid> = args.iter().map(Expr::type_oid).collect();
        let args = self.list(args)?;
        let (body, strict, raw_toast) = self.body(function, &arg_types)?;
        let result_desc = self.cx.result_desc(function, result_type, &arg_types)?;
        let call = FnCall { function, arg_types, result_type, collation, variadic, result_desc };
        Ok(FuncNode { body, strict, raw_toast, args, call, state: None })
    }
    /// A function of given argument types without argument expressions: to be called by value.
    pub fn bare_function(&mut self, function: Oid, arg_types: &[Oid], result: Oid, collation: Oid) -> Result<FuncNode> {
        let (body, strict, raw_toast) = self.body(function, arg_types)?;
        let arg_types = arg_types.to_vec();
        let call = FnCall { function, arg_types, result_type: result, collation, ..FnCall::default() };
        Ok(FuncNode { body, strict, raw_toast, args: Vec::new(), call, state: None })
    }

    /// What runs for a function; whether it is strict; whether it wants toasted values unopened.
    pub(crate) fn body(&mut self, function: Oid, arg_types: &[Oid]) -> Result<(Impl, bool, bool)> {
        let proc = self.cx.catalog.function_row(function)?;
        self.cx.check_execute(&proc)?;
        let body = match proc.prolang {
            Oid(12) | Oid(13) => match self.cx.registry.function(&proc.prosrc) {
                Some(b) => match (b.body, b.batch) {
                    (Body::Row(row), Some(batch)) => Impl::Batch(batch, row),
                    (Body::Row(row), None) => Impl::Row(row),
                    (Body::Set(_), _) => Impl::Missing(format!("set-returning function {} here", proc.proname)),
                },
                None => Impl::Missing(format!("function {}", proc.proname)),
            },
            Oid(14) => Impl::Sql(Box::new(crate::sqlfunction::SqlFunction::new(&proc, arg_types))),
            other => match self.cx.language(other)? {
                Some(language) => Impl::Language(language),
                None => Impl::Missing(format!("calling function {} of its language", proc.proname)),
            },
        };
        let body = match proc.prosecdef || proc.proconfig.is_some() {
            true => Impl::Guarded(Box::new((proc.clone(), body))),
            false => body,
        };
        let raw = matches!(&*proc.prosrc, "pg_column_size" | "pg_column_compression" | "pg_column_toast_chunk_id");
        Ok((body, proc.proisstrict, raw))
    }

    pub(crate) fn elem(&mut self, type_oid: Oid) -> Result<super::Elem> {
        Ok(super::Elem::of(&*self.cx.type_info(type_oid)?))
    }
    fn element_of(&mut self, array: Oid) -> Result<super::Elem> {
        let mut t: Arc<TypeInfo> = self.cx.type_info(array)?;
        while t.typtype == b'd' {
            t = self.cx.type_info(t.base_type)?;
        }
        match t.elem.valid() {
            Some(e) => self.elem(e),
            None => Err(PgError::internal(format!("type {} is not an array", t.name))),
        }
    }

    fn array_hash(&mut self, s: &ScalarArrayOpExpr, elem: &super::Elem) -> Result<Option<ArrayHash>> {
        // Only where both sides hash by their bits: equality of the physical forms is then the operator's.
        let bitwise = matches!(
            elem.oid,
            BOOLOID
                | CHAROID
                | INT2OID
                | INT4OID
                | INT8OID
                | OIDOID
                | DATEOID
                | TIMESTAMPOID
                | TIMESTAMPTZOID
                | UUIDOID
                | TEXTOID
                | VARCHAROID
                | NAMEOID
                | REGCLASSOID
                | REGTYPEOID
                | REGPROCOID
        );
        let text = matches!(elem.oid, TEXTOID | VARCHAROID | NAMEOID);
        let same_type =
            s.args[0].type_oid() == elem.oid || (text && self.physical(s.args[0].type_oid())? == Physical::Bytes);
        let Some(op) = self.cx.catalog.operator(s.opno)? else { return Ok(None) };
        let wanted = if s.use_or { "=" } else { "<>" };
        let plain_collation = !text || self.cx.is_deterministic(s.inputcollid)?;
        let usable = bitwise && same_type && op.oprname == wanted && op.oprleft == op.oprright && plain_collation;
        Ok(usable.then(ArrayHash::default))
    }

    fn row_desc(&mut self, r: &RowExpr) -> Result<Arc<TupleDesc>> {
        if r.row_typeid != RECORDOID {
            return self.cx.row_type(r.row_typeid, -1);
        }
        let mut attrs = Vec::with_capacity(r.args.len());
        for (i, e) in r.args.iter().enumerate() {
            let name = r.colnames.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1));
            attrs.push(self.cx.attribute(&name, e.type_mod())?);
        }
        Ok(self.cx.bless(TupleDesc::new(attrs)))
    }

    fn row_compare(&mut self, r: &RowCompareExpr) -> Result<RowCompareNode> {
        let mut keys = Vec::new();
        let mut equal = Vec::new();
        for (i, family) in r.opfamilies.iter().enumerate() {
            let types = [r.largs[i].type_oid(), r.rargs[i].type_oid()];
            if matches!(r.cmptype, RowCompareType::Eq | RowCompareType::Ne) || !family.is_valid() {
                let f = self.operator_function(r.opnos[i], Oid::INVALID)?;
                equal.push(self.bare_function(f, &types, BOOLOID, r.inputcollids[i])?);
                continue;
            }
            let op = self.cx.catalog.operator(r.opnos[i])?.ok_or_else(|| PgError::internal("operator is gone"))?;
            keys.push(self.cx.comparator(*family, op.oprleft, op.oprright, r.inputcollids[i])?);
        }
        Ok(RowCompareNode { left: self.list(&r.largs)?, right: self.list(&r.rargs)?, cmp: r.cmptype, keys, equal })
    }

    fn subscript(&mut self, s: &SubscriptingRef) -> Result<Kind> {
        if s.refcontainertype == JSONBOID {
            return self.jsonb_subscript(s);
        }
        let t = self.cx.type_info(s.refcontainertype)?;
        if !s.refelemtype.is_valid() {
            return Ok(Kind::Unsupported(format!("subscripting of type {}", t.name)));
        }
        let elem = self.elem(s.refelemtype)?;
        let fixed_len = if t.len > 0 { Some(t.len as usize) } else { None };
        let mut optional = |list: &[Option<Expr>]| -> Result<Vec<Option<CExpr>>> {
            list.iter().map(|e| e.as_ref().map(|e| self.expr(e)).transpose()).collect()
        };
        let (upper, lower) = (optional(&s.refupperindexpr)?, optional(&s.reflowerindexpr)?);
        let container = self.expr(&s.refexpr)?;
        let assign = match &s.refassgnexpr {
            Some(a) if reads_old_value(a) => {
                let mut old = s.clone();
                old.refassgnexpr = None;
                old.refrestype = if old.reflowerindexpr.is_empty() { s.refelemtype } else { s.refcontainertype };
                Some(self.over(&Expr::SubscriptingRef(Box::new(old)), a)?)
            }
            Some(a) => Some(self.expr(a)?),
            None => None,
        };
        let slice = !s.reflowerindexpr.is_empty();
        Ok(Kind::Subscript(Box::new(SubscriptNode { container, upper, lower, slice, assign, elem, fixed_len })))
    }

    fn json_constructor(&mut self, c: &JsonConstructorExpr) -> Result<CExpr> {
        if let Some(coercion) = &c.coercion {
            let mut inner = c.clone();
            inner.coercion = None;
            let made = match (&c.func, c.args.first()) {
                (Some(f), _) => f.type_oid(),
                (None, Some(a)) if sqljson::makes(c.kind, c.unique).is_none() => a.type_oid(),
                _ if c.returning.jsonb => JSONBOID,
                _ => JSONOID,
            };
            (inner.returning.typid, inner.returning.typmod) = (made, -1);
            return self.over(&Expr::JsonConstructorExpr(Box::new(inner)), coercion);
        }
        if let Some(f) = &c.func {
            return self.expr(f);
        }
        let Some(make) = sqljson::makes(c.kind, c.unique) else {
            return match c.args.first() {
                Some(a) => self.expr(a),
                None => Err(PgError::internal("a JSON constructor without argument")),
            };
        };
        let maker = types::json::JsonMaker {
            make,
            jsonb: c.returning.jsonb,
            absent_on_null: c.absent_on_null,
            unique: c.unique,
        };
        let (args, types) = (self.list(&c.args)?, c.args.iter().map(Expr::type_oid).collect());
        let node = sqljson::JsonMakeNode { args, types, maker, fns: self.cx.registry.json()? };
        self.node(Kind::JsonMake(Box::new(node)), if c.returning.jsonb { JSONBOID } else { JSONOID })
    }

    fn is_json(&mut self, p: &JsonIsPredicate) -> Result<Kind> {
        use types::json::JsonKind;
        let kind = match p.item_type {
            JsonValueType::Any => JsonKind::Any,
            JsonValueType::Object => JsonKind::Object,
            JsonValueType::Array => JsonKind::Array,
            JsonValueType::Scalar => JsonKind::Scalar,
        };
        let arg = self.expr(&p.expr)?;
        let (unique, type_oid, fns) = (p.unique_keys, p.expr.type_oid(), self.cx.registry.json()?);
        Ok(Kind::IsJson(Box::new(sqljson::IsJsonNode { arg, kind, unique, type_oid, fns })))
    }

    fn json_query(&mut self, j: &JsonExpr) -> Result<Kind> {
        use types::json::{JsonQuery, JsonQueryOp, JsonWrap};
        let op = match j.op {
            JsonExprOp::Exists => JsonQueryOp::Exists,
            JsonExprOp::Query => JsonQueryOp::Query,
            JsonExprOp::Value => JsonQueryOp::Value,
            JsonExprOp::Table => return Ok(Kind::Unsupported("JSON_TABLE".into())),
        };
        let wrap = match j.wrapper {
            JsonWrapper::Unspecified | JsonWrapper::None => JsonWrap::Never,
            JsonWrapper::Conditional => JsonWrap::Conditional,
            JsonWrapper::Unconditional => JsonWrap::Always,
        };
        let query = JsonQuery {
            op,
            wrap,
            throw: j.on_error.as_ref().is_some_and(|b| b.btype == JsonBehaviorType::Error),
            omit_quotes: j.omit_quotes,
            column: j.column_name.clone(),
            returning: j.returning.typid,
            typmod: j.returning.typmod,
            io_coercion: j.use_io_coercion,
            json_coercion: j.use_json_coercion,
            names: j.passing_names.clone(),
            types: j.passing_values.iter().map(Expr::type_oid).collect(),
        };
        let mut behavior = |b: &Option<JsonBehavior>| -> Result<Option<sqljson::Behavior>> {
            let Some(b) = b else { return Ok(None) };
            let expr = b.expr.as_ref().map(|e| self.expr(e)).transpose()?;
            Ok(Some(sqljson::Behavior { btype: b.btype, expr, coerce: b.coerce }))
        };
        let (on_empty, on_error) = (behavior(&j.on_empty)?, behavior(&j.on_error)?);
        Ok(Kind::JsonExpr(Box::new(sqljson::JsonExprNode {
            json: self.expr(&j.formatted_expr)?,
            path: self.expr(&j.path_spec)?,
            passing: self.list(&j.passing_values)?,
            query,
            on_empty,
            on_error,
            fns: self.cx.registry.json()?,
        })))
    }

    /// A call of the handler with the value, whether and what is assigned, and the subscripts.
    fn jsonb_subscript(&mut self, s: &SubscriptingRef) -> Result<Kind> {
        let Some(Body::Row(handler)) = self.cx.registry.function("jsonb_subscript_handler").map(|b| b.body) else {
            return Ok(Kind::Unsupported("subscripting of type jsonb".to_owned()));
        };
        let flag = |set| {
            Expr::Const(Const {
                ty: TypeMod { oid: BOOLOID, typmod: -1, collation: Oid::INVALID },
                value: Datum::bool(set),
                ..Const::default()
            })
        };
        let null = Expr::Const(Const {
            ty: TypeMod { oid: JSONBOID, typmod: -1, collation: Oid::INVALID },
            ..Const::default()
        });
        let mut args = vec![s.refexpr.clone(), flag(s.refassgnexpr.is_some()), s.refassgnexpr.clone().unwrap_or(null)];
        args.extend(s.refupperindexpr.iter().flatten().cloned());
        let call =
            FnCall { arg_types: args.iter().map(Expr::type_oid).collect(), result_type: JSONBOID, ..FnCall::default() };
        let args = self.list(&args)?;
        let body = Impl::Row(handler);
        Ok(Kind::Func(Box::new(FuncNode { body, strict: false, raw_toast: false, args, call, state: None })))
    }

    fn via_io(&mut self, arg: CExpr, from: Oid, to: Oid, collation: Oid) -> Result<ViaIoNode> {
        let (source, target) = (self.cx.type_info(from)?, self.cx.type_info(to)?);
        let output = self.bare_function(source.output, &[from], CSTRINGOID, Oid::INVALID)?;
        let input = self.bare_function(target.input, &[CSTRINGOID, OIDOID, INT4OID], to, collation)?;
        Ok(ViaIoNode { arg, output, input, ioparam: target.ioparam })
    }

    fn domain(&mut self, c: &CoerceToDomain) -> Result<DomainNode> {
        let arg = self.expr(&c.arg)?;
        let saved = (self.scope.domain_value, self.scope.extra);
        self.scope.domain_value = Some(self.scope.width + self.scope.extra);
        self.scope.extra += 1;
        let constraints = self.cx.domain_constraints(c.resulttype.oid)?;
        let mut checks = Vec::new();
        for d in constraints.checks {
            checks.push(DomainCheck { name: d.name, expr: self.expr(&d.expr)? });
        }
        (self.scope.domain_value, self.scope.extra) = saved;
        Ok(DomainNode {
            arg,
            name: constraints.type_name,
            schema: constraints.schema,
            not_null: constraints.not_null,
            checks,
        })
    }
}

/// Whether what is assigned to an element changes a part of the element's old value, for which a CaseTestExpr stands.
/// (PostgreSQL: `isAssignmentIndirectionExpr`)
fn reads_old_value(e: &Expr) -> bool {
    match e {
        Expr::FieldStore(f) => matches!(f.arg, Expr::CaseTestExpr(_)),
        Expr::SubscriptingRef(s) => s.refassgnexpr.is_some() && matches!(s.refexpr, Expr::CaseTestExpr(_)),
        Expr::CoerceToDomain(c) => reads_old_value(&c.arg),
        _ => false,
    }
}

/// A column description for a value of that type.
pub fn attribute_of(t: &TypeInfo, name: &str, ty: TypeMod) -> Attribute {
    let mut a = Attribute::new(name, ty.oid, t.len, t.byval, t.align);
    (a.typmod, a.collation, a.storage) = (ty.typmod, ty.collation, t.storage);
    a
}
