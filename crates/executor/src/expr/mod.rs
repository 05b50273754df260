//! Expressions over batches. An expression compiles once per plan into a tree of kernels; each node keeps its result column
//! and reuses it batch after batch.
//!
//! | file | what |
//! | --- | --- |
//! | `compile.rs` | analyzed expressions to [`CExpr`] |
//! | `eval.rs` | evaluation of each kind of node for the chosen rows |
//! | `function.rs` | calls: built-ins by batch or by row, SQL functions |
//! | `special.rs` | arrays, rows, casts by text, domains, row comparison, MIN/MAX |
//! | `subplan.rs` | sublinks: correlated, hashed, ARRAY, initplans |
//! | `project.rs` | target lists and filters over batches |
//!
//! Invariants
//! - A node evaluates only the rows it is asked for: AND, OR, CASE and COALESCE narrow them. Other rows of its result hold
//!   anything.
//! - The result is read through [`CExpr::result`] with the same input batch.

mod array_assign;
pub mod compile;
mod eval;
pub mod function;
pub mod project;
pub(crate) mod setfn;
pub(crate) mod special;
pub(crate) mod sqljson;
mod subplan;

use base::Oid;
use types::array::ElementType;
use types::{Arg, Batch, Column, Datum, DatumRef, Physical};

pub use compile::{Compiler, Scope};
pub use function::FuncNode;
pub use project::{Filter, Projection};
pub(crate) use subplan::SubPlanNode;

/// `ARRAY(SELECT ..)` as an initplan.
pub(crate) fn subplan_array(run: &mut crate::state::Run<'_>, plan: &analyze::query::SubPlan) -> base::Result<Datum> {
    let params = run.st.planned.as_ref().and_then(|p| p.subplans.get(plan.plan_id)).map(|p| p.params.clone());
    subplan::array_result(run, plan, &params.unwrap_or_default())
}

/// A compiled expression.
pub struct CExpr {
    pub(crate) kind: Kind,
    pub physical: Physical,
    pub type_oid: Oid,
    /// The result, for kinds that compute one.
    pub(crate) out: Column,
}

/// A comparison for NULLIF, DISTINCT, ANY and such: the function over two argument slots.
pub(crate) enum Kind {
    /// A column of the input batch.
    Input(usize),
    Const(Datum),
    ExternParam {
        id: i32,
        value: Datum,
    },
    ExecParam {
        id: usize,
        value: Datum,
    },
    Func(Box<FuncNode>),
    And(Vec<CExpr>),
    Or(Vec<CExpr>),
    Not(Box<CExpr>),
    /// `arg`, where present, is appended to the input as a column that the conditions read.
    Case {
        arg: Option<Box<CExpr>>,
        whens: Vec<(CExpr, CExpr)>,
        default: Box<CExpr>,
    },
    Coalesce(Vec<CExpr>),
    NullTest {
        arg: Box<CExpr>,
        not: bool,
    },
    /// IS [NOT] NULL of a row value.
    RowNullTest {
        arg: Box<CExpr>,
        not: bool,
    },
    BoolTest {
        arg: Box<CExpr>,
        test: analyze::query::BoolTestType,
    },
    Distinct(Box<FuncNode>),
    NullIf(Box<FuncNode>),
    ScalarArray(Box<special::ScalarArrayNode>),
    Array(Box<special::ArrayNode>),
    Row {
        args: Vec<CExpr>,
        desc: std::sync::Arc<types::TupleDesc>,
        layout: access::tuple::TupleLayout,
    },
    FieldSelect(Box<special::FieldSelectNode>),
    FieldStore(Box<special::FieldStoreNode>),
    Subscript(Box<special::SubscriptNode>),
    ArrayCoerce(Box<special::ArrayCoerceNode>),
    ViaIo(Box<special::ViaIoNode>),
    Domain(Box<special::DomainNode>),
    RowCompare(Box<special::RowCompareNode>),
    MinMax(Box<special::MinMaxNode>),
    ConvertRow(Box<special::ConvertRowNode>),
    JsonExpr(Box<sqljson::JsonExprNode>),
    JsonMake(Box<sqljson::JsonMakeNode>),
    IsJson(Box<sqljson::IsJsonNode>),
    SqlValue {
        op: analyze::query::SvfOp,
        typmod: i32,
        value: Datum,
    },
    NextValue {
        seqid: Oid,
    },
    SubPlan(Box<SubPlanNode>),
    /// Fails when evaluated: a part that is not built yet.
    Unsupported(String),
}

impl CExpr {
    /// The result of the last evaluation.
    #[inline]
    pub fn result<'a>(&'a self, input: &'a Batch) -> Arg<'a> {
        match &self.kind {
            Kind::Input(i) => Arg::Column(&input.columns[*i]),
            Kind::Const(d) => Arg::Const(d.as_ref()),
            Kind::ExternParam { value, .. } | Kind::ExecParam { value, .. } | Kind::SqlValue { value, .. } => {
                Arg::Const(value.as_ref())
            }
            _ => Arg::Column(&self.out),
        }
    }
    /// The result in one row.
    #[inline]
    pub fn value<'a>(&'a self, input: &'a Batch, row: usize) -> DatumRef<'a> {
        self.result(input).get(row)
    }
    /// The constant it is, if it is one.
    pub fn as_const(&self) -> Option<&Datum> {
        match &self.kind {
            Kind::Const(d) => Some(d),
            _ => None,
        }
    }
    /// Whether it computes the values of `(a, b) = (SELECT ..)`.
    pub(crate) fn is_multi_assignment(&self) -> bool {
        matches!(&self.kind, Kind::SubPlan(s) if s.is_multi_assignment())
    }
    /// The input column it is, if it is one.
    pub fn as_input(&self) -> Option<usize> {
        match self.kind {
            Kind::Input(i) => Some(i),
            _ => None,
        }
    }
    pub(crate) fn new(kind: Kind, physical: Physical, type_oid: Oid) -> CExpr {
        CExpr { kind, physical, type_oid, out: Column::new(physical) }
    }
}

/// True of a boolean value that is not null.
#[inline]
pub(crate) fn is_true(d: DatumRef<'_>) -> bool {
    matches!(d, DatumRef::Word(w) if w & 0xff != 0)
}

/// What array nodes need to know of an element type.
pub(crate) type Elem = ElementType;
