//! Simple expressions by the row: the few kinds of nodes that loops and conditions are made of, evaluated on the variables
//! themselves. Whatever else an expression holds is left to the executor's compiled expressions.
//!
//! The figure that justifies it: a loop of integer arithmetic takes a fifth of the time it needs with batches of one row.

use std::sync::Arc;

use analyze::query::{BoolExprType, Expr, ParamKind};
use base::{Oid, PgError, Result};
use executor::ExecContext;
use executor::language::Language;
use executor::scalar_expr::{ScalarExpr, plain};
use types::registry::RowFn;
use types::{Body, Datum, DatumRef, FnCall, FnCx, FnState};

use crate::expr::Source;
use crate::value::{Slot, lost};

/// What a call runs.
enum Callee {
    Builtin(RowFn),
    Language(Arc<dyn Language>),
}

struct Call {
    callee: Callee,
    strict: bool,
    /// Takes values as they are stored.
    call: FnCall,
    state: FnState,
    args: Vec<Scalar>,
    /// Of integers: the result has eight bytes.
    wide: bool,
}

enum Node {
    Const(Datum),
    /// A parameter: its place among the expression's.
    Param(usize),
    /// A scalar variable.
    Var(usize),
    Call(Box<Call>),
    /// Arithmetic and comparison of integers; what fails is left to the call.
    Int(IntOp, Box<Call>),
    And(Vec<Scalar>),
    Or(Vec<Scalar>),
    Not(Box<Scalar>),
    IsNull(Box<Scalar>, bool),
    Other(Box<ScalarExpr>),
}

/// What is done with two integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IntOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl IntOp {
    /// By the function's name, with whether the result has eight bytes. All integers are sign-extended words.
    fn of(prosrc: &str) -> Option<(IntOp, bool)> {
        let rest = prosrc.strip_prefix("int")?;
        let digits = rest.len() - rest.trim_start_matches(['2', '4', '8']).len();
        let (sizes, op) = rest.split_at(digits);
        if !(1..=2).contains(&digits) {
            return None;
        }
        let wide = sizes.contains('8');
        let arithmetic = wide || sizes.contains('4');
        Some((
            match op {
                "pl" if arithmetic => IntOp::Add,
                "mi" if arithmetic => IntOp::Sub,
                "mul" if arithmetic => IntOp::Mul,
                "div" if arithmetic => IntOp::Div,
                "mod" if arithmetic => IntOp::Mod,
                "eq" => IntOp::Eq,
                "ne" => IntOp::Ne,
                "lt" => IntOp::Lt,
                "le" => IntOp::Le,
                "gt" => IntOp::Gt,
                "ge" => IntOp::Ge,
                _ => return None,
            },
            wide,
        ))
    }

    /// `None` where the function itself must tell what is wrong.
    #[inline]
    fn apply(self, wide: bool, a: i64, b: i64) -> Option<u64> {
        let fit = |v: Option<i64>| match v {
            Some(v) if wide || i32::try_from(v).is_ok() => Some(v as u64),
            _ => None,
        };
        match self {
            IntOp::Add => fit(a.checked_add(b)),
            IntOp::Sub => fit(a.checked_sub(b)),
            IntOp::Mul => fit(a.checked_mul(b)),
            IntOp::Div => fit(a.checked_div(b)),
            IntOp::Mod => fit(a.checked_rem(b)),
            IntOp::Eq => Some(u64::from(a == b)),
            IntOp::Ne => Some(u64::from(a != b)),
            IntOp::Lt => Some(u64::from(a < b)),
            IntOp::Le => Some(u64::from(a <= b)),
            IntOp::Gt => Some(u64::from(a > b)),
            IntOp::Ge => Some(u64::from(a >= b)),
        }
    }
}

/// A compiled simple expression.
pub struct Scalar(Node);

/// What an evaluation reads.
pub struct Inputs<'a> {
    pub slots: &'a [Slot],
    pub sources: &'a [Source],
    /// Values of parameters that are no plain variables, made on demand.
    pub params: Option<Arc<[Datum]>>,
}

impl Inputs<'_> {
    fn all(&mut self, cx: &mut ExecContext) -> Result<Arc<[Datum]>> {
        if let Some(p) = &self.params {
            return Ok(p.clone());
        }
        let mut values = Vec::with_capacity(self.sources.len());
        for s in self.sources {
            values.push(s.value(cx, self.slots)?);
        }
        let values: Arc<[Datum]> = values.into();
        self.params = Some(values.clone());
        Ok(values)
    }
}

impl Scalar {
    pub fn compile(cx: &mut ExecContext, e: &Expr, sources: &[Source]) -> Result<Scalar> {
        Ok(Scalar(match Scalar::node(cx, e, sources)? {
            Some(node) => node,
            None => Node::Other(Box::new(ScalarExpr::new(cx, e)?)),
        }))
    }

    fn list(cx: &mut ExecContext, list: &[Expr], sources: &[Source]) -> Result<Vec<Scalar>> {
        list.iter().map(|e| Scalar::compile(cx, e, sources)).collect()
    }

    fn node(cx: &mut ExecContext, e: &Expr, sources: &[Source]) -> Result<Option<Node>> {
        Ok(Some(match e {
            Expr::Const(c) => Node::Const(plain(cx, c.value.clone())?),
            Expr::Param(p) if p.kind == ParamKind::Extern => {
                let at = usize::try_from(p.id - 1).map_err(|_| lost())?;
                match sources.get(at) {
                    Some(Source::Var { dno, .. }) => Node::Var(*dno),
                    _ => Node::Param(at),
                }
            }
            Expr::RelabelType(r) => return Scalar::node(cx, &r.arg, sources),
            Expr::FuncExpr(f) if !f.funcretset => {
                let types = f.args.iter().map(Expr::type_oid).collect();
                let call = FnCall {
                    function: f.funcid,
                    arg_types: types,
                    result_type: f.funcresulttype,
                    collation: f.inputcollid,
                    variadic: f.funcvariadic,
                    ..FnCall::default()
                };
                return Scalar::call(cx, call, &f.args, sources);
            }
            Expr::OpExpr(o) if !o.opretset => {
                let types = o.args.iter().map(Expr::type_oid).collect();
                let call = FnCall {
                    function: cx.operator_function(o.opno)?,
                    arg_types: types,
                    result_type: o.opresulttype,
                    collation: o.inputcollid,
                    ..FnCall::default()
                };
                return Scalar::call(cx, call, &o.args, sources);
            }
            Expr::BoolExpr(b) => match b.boolop {
                BoolExprType::And => Node::And(Scalar::list(cx, &b.args, sources)?),
                BoolExprType::Or => Node::Or(Scalar::list(cx, &b.args, sources)?),
                BoolExprType::Not => Node::Not(Box::new(Scalar::compile(cx, &b.args[0], sources)?)),
            },
            Expr::NullTest(n) if !n.argisrow => Node::IsNull(Box::new(Scalar::compile(cx, &n.arg, sources)?), n.not),
            _ => return Ok(None),
        }))
    }

    fn call(cx: &mut ExecContext, mut call: FnCall, args: &[Expr], sources: &[Source]) -> Result<Option<Node>> {
        let proc = cx.catalog.function_row(call.function)?;
        // Whoever may not call it, or has its settings changed, goes the long way.
        let plain_call = proc.proacl.is_none() && !proc.prosecdef && proc.proconfig.is_none();
        let raw = matches!(&*proc.prosrc, "pg_column_size" | "pg_column_compression" | "pg_column_toast_chunk_id");
        if !plain_call || raw {
            return Ok(None);
        }
        let callee = match proc.prolang {
            Oid(12) | Oid(13) => match cx.registry.function(&proc.prosrc).map(|b| b.body) {
                Some(Body::Row(f)) => Callee::Builtin(f),
                _ => return Ok(None),
            },
            Oid(14) => return Ok(None),
            other => match cx.language(other)? {
                Some(l) => Callee::Language(l),
                None => return Ok(None),
            },
        };
        if call.result_type == types::oid::RECORDOID {
            return Ok(None);
        }
        let is_row = cx.catalog.type_row(call.result_type)?.typtype == b'c';
        if is_row {
            call.result_desc = Some(cx.catalog.row_type(call.result_type)?);
        }
        let args = Scalar::list(cx, args, sources)?;
        let call = Call { callee, strict: proc.proisstrict, call, state: None, args, wide: false };
        if call.args.len() == 2
            && matches!(proc.prolang, Oid(12))
            && let Some((op, wide)) = IntOp::of(&proc.prosrc)
        {
            return Ok(Some(Node::Int(op, Box::new(Call { wide, ..call }))));
        }
        Ok(Some(Node::Call(Box::new(call))))
    }

    pub fn eval(&mut self, cx: &mut ExecContext, inputs: &mut Inputs<'_>) -> Result<Datum> {
        Ok(match &mut self.0 {
            Node::Const(d) => d.clone(),
            Node::Var(dno) => match &inputs.slots[*dno] {
                Slot::Scalar(d) => d.clone(),
                Slot::Record(_) => return Err(lost()),
            },
            Node::Param(at) => inputs.sources[*at].value(cx, inputs.slots)?,
            Node::Int(op, call) => {
                let op = *op;
                let [a, b] = call.args.as_mut_slice() else { return Err(lost()) };
                let (Some(x), Some(y)) = (a.word(cx, inputs)?, b.word(cx, inputs)?) else { return Ok(Datum::Null) };
                match (op.apply(call.wide, x as i64, y as i64), &call.callee) {
                    (Some(w), _) => Datum::Word(w),
                    (None, Callee::Builtin(f)) => {
                        let args = [DatumRef::Word(x), DatumRef::Word(y)];
                        return f(&mut FnCx { rt: cx, call: &call.call, state: &mut call.state }, &args);
                    }
                    (None, Callee::Language(_)) => return Err(lost()),
                }
            }
            Node::Call(call) => return call.eval(cx, inputs),
            Node::And(list) => {
                let mut null = false;
                for e in list {
                    match e.eval(cx, inputs)? {
                        Datum::Null => null = true,
                        Datum::Word(w) if w & 0xff != 0 => {}
                        _ => return Ok(Datum::bool(false)),
                    }
                }
                if null { Datum::Null } else { Datum::bool(true) }
            }
            Node::Or(list) => {
                let mut null = false;
                for e in list {
                    match e.eval(cx, inputs)? {
                        Datum::Null => null = true,
                        Datum::Word(w) if w & 0xff != 0 => return Ok(Datum::bool(true)),
                        _ => {}
                    }
                }
                if null { Datum::Null } else { Datum::bool(false) }
            }
            Node::Not(e) => match e.eval(cx, inputs)? {
                Datum::Word(w) => Datum::bool(w & 0xff == 0),
                _ => Datum::Null,
            },
            Node::IsNull(e, not) => Datum::bool(e.eval(cx, inputs)?.is_null() != *not),
            Node::Other(e) => {
                let params = inputs.all(cx)?;
                return e.eval(cx, params);
            }
        })
    }

    /// The bits of a by-value result; `None` for a null.
    #[inline]
    fn word(&mut self, cx: &mut ExecContext, inputs: &mut Inputs<'_>) -> Result<Option<u64>> {
        match &self.0 {
            Node::Const(Datum::Word(w)) => Ok(Some(*w)),
            Node::Var(dno) => match &inputs.slots[*dno] {
                Slot::Scalar(Datum::Word(w)) => Ok(Some(*w)),
                Slot::Scalar(Datum::Null) => Ok(None),
                _ => Err(lost()),
            },
            _ => match self.eval(cx, inputs)? {
                Datum::Word(w) => Ok(Some(w)),
                Datum::Null => Ok(None),
                _ => Err(lost()),
            },
        }
    }

    /// As `eval`, borrowing what it can.
    #[inline]
    fn with<R>(
        &mut self,
        cx: &mut ExecContext,
        inputs: &mut Inputs<'_>,
        f: impl FnOnce(&mut ExecContext, &mut Inputs<'_>, DatumRef<'_>) -> Result<R>,
    ) -> Result<R> {
        match &self.0 {
            Node::Const(d) => f(cx, inputs, d.as_ref()),
            Node::Var(dno) => {
                let slots = inputs.slots;
                match &slots[*dno] {
                    Slot::Scalar(d) => f(cx, inputs, d.as_ref()),
                    Slot::Record(_) => Err(lost()),
                }
            }
            _ => {
                let v = self.eval(cx, inputs)?;
                f(cx, inputs, v.as_ref())
            }
        }
    }
}

impl Call {
    fn eval(&mut self, cx: &mut ExecContext, inputs: &mut Inputs<'_>) -> Result<Datum> {
        let Call { callee, strict, call, state, args, .. } = self;
        let value = match (args.as_mut_slice(), &*callee) {
            ([a], Callee::Builtin(f)) => a.with(cx, inputs, |cx, _, a| {
                if *strict && a.is_null() { Ok(Datum::Null) } else { f(&mut FnCx { rt: cx, call, state }, &[a]) }
            }),
            ([a, b], Callee::Builtin(f)) => a.with(cx, inputs, |cx, inputs, a| {
                b.with(cx, inputs, |cx, _, b| {
                    let null = *strict && (a.is_null() || b.is_null());
                    if null { Ok(Datum::Null) } else { f(&mut FnCx { rt: cx, call, state }, &[a, b]) }
                })
            }),
            (args, callee) => {
                let mut values = Vec::with_capacity(args.len());
                for a in args {
                    values.push(a.eval(cx, inputs)?);
                }
                if *strict && values.iter().any(Datum::is_null) {
                    return Ok(Datum::Null);
                }
                let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
                match callee {
                    Callee::Builtin(f) => f(&mut FnCx { rt: cx, call, state }, &refs),
                    Callee::Language(l) => l.call(cx, call, state, &refs),
                }
            }
        };
        match value {
            Ok(v @ Datum::Toasted(_)) => plain(cx, v),
            other => other,
        }
    }
}

/// A condition's value: null is false.
pub fn is_true(d: &Datum) -> bool {
    matches!(d, Datum::Word(w) if w & 0xff != 0)
}

#[cold]
pub fn not_simple() -> PgError {
    PgError::internal("not a simple expression")
}
