//! Expressions as written, with types, windows, SQL/XML and SQL/JSON.
//!
//! PostgreSQL: `A_Expr`, `ColumnRef`, `FuncCall`, `TypeName`, ... of `parsenodes.h`.

use super::{Location, SelectStmt};

/// A raw expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    ColumnRef(ColumnRef),
    ParamRef(ParamRef),
    AConst(AConst),
    AExpr(Box<AExpr>),
    BoolExpr(Box<BoolExpr>),
    NullTest(Box<NullTest>),
    BooleanTest(Box<BooleanTest>),
    SubLink(Box<SubLink>),
    FuncCall(Box<FuncCall>),
    NamedArgExpr(Box<NamedArgExpr>),
    TypeCast(Box<TypeCast>),
    CollateClause(Box<CollateClause>),
    CaseExpr(Box<CaseExpr>),
    CoalesceExpr(Box<CoalesceExpr>),
    MinMaxExpr(Box<MinMaxExpr>),
    RowExpr(Box<RowExpr>),
    AArrayExpr(Box<AArrayExpr>),
    AIndirection(Box<AIndirection>),
    SQLValueFunction(Box<SQLValueFunction>),
    GroupingFunc(Box<GroupingFunc>),
    /// Only as the whole condition of UPDATE and DELETE.
    CurrentOfExpr(Box<CurrentOfExpr>),
    /// `DEFAULT`, in VALUES and SET.
    SetToDefault(Location),
    /// The right side of `SET (a, b) = ...`, once for each column on the left.
    MultiAssignRef(Box<MultiAssignRef>),
    MergeSupportFunc(Location),
    XmlExpr(Box<XmlExpr>),
    XmlSerialize(Box<XmlSerialize>),
    JsonParseExpr(Box<JsonParseExpr>),
    JsonScalarExpr(Box<JsonScalarExpr>),
    JsonSerializeExpr(Box<JsonSerializeExpr>),
    JsonObjectConstructor(Box<JsonObjectConstructor>),
    JsonArrayConstructor(Box<JsonArrayConstructor>),
    JsonArrayQueryConstructor(Box<JsonArrayQueryConstructor>),
    JsonObjectAgg(Box<JsonObjectAgg>),
    JsonArrayAgg(Box<JsonArrayAgg>),
    JsonFuncExpr(Box<JsonFuncExpr>),
    JsonIsPredicate(Box<JsonIsPredicate>),
    /// The operand list of `IN (..)`, `BETWEEN` and such: the right side of an [`AExpr`] (PostgreSQL has a `List` there).
    List(Vec<Expr>),
    /// Only in GROUP BY. (PostgreSQL: `GroupingSet`)
    GroupingSet(Box<GroupingSet>),
}

/// `a`, `a.b`, `a.*`. (PostgreSQL: `ColumnRef`)
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRef {
    pub fields: Vec<Field>,
    pub location: Location,
}

/// A part of a [`ColumnRef`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    Name(String),
    /// `*`, always last. (PostgreSQL: `A_Star`)
    Star,
}

/// `$1`.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamRef {
    pub number: i32,
    pub location: Location,
}

/// A literal. (PostgreSQL: `A_Const`)
#[derive(Debug, Clone, PartialEq)]
pub struct AConst {
    pub val: Value,
    pub location: Location,
}

/// The value of a literal. (PostgreSQL: `ValUnion`)
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Integer(i32),
    /// Any other number, as written, or too large for an `Integer`.
    Float(String),
    Boolean(bool),
    String(String),
    /// `b` or `x`, then the digits.
    BitString(String),
    Null,
}

/// (PostgreSQL: `A_Expr_Kind`)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AExprKind {
    Op,
    /// `scalar op ANY (array)`
    OpAny,
    /// `scalar op ALL (array)`
    OpAll,
    /// IS DISTINCT FROM
    Distinct,
    NotDistinct,
    Nullif,
    /// `[NOT] IN (list)`: name is `=` or `<>`
    In,
    /// `~~` or `!~~`
    Like,
    /// `~~*` or `!~~*`
    Ilike,
    /// `~` or `!~`
    Similar,
    Between,
    NotBetween,
    BetweenSym,
    NotBetweenSym,
}

/// An operator at work: infix, or prefix when `lexpr` is `None`. (PostgreSQL: `A_Expr`)
#[derive(Debug, PartialEq)]
pub struct AExpr {
    pub kind: AExprKind,
    /// The operator, with its schema when written `OPERATOR(schema.op)`.
    pub name: Vec<String>,
    pub lexpr: Option<Expr>,
    pub rexpr: Option<Expr>,
    /// Of `In`: the parentheses around the list.
    pub rexpr_list_start: Location,
    pub rexpr_list_end: Location,
    pub location: Location,
}

/// `1 + 1 + 1 + ...` leans to the left as deep as the text is long: no recursion along that side.
impl Drop for AExpr {
    fn drop(&mut self) {
        let mut next = self.lexpr.take();
        while let Some(Expr::AExpr(mut left)) = next {
            next = left.lexpr.take();
        }
    }
}

impl Clone for AExpr {
    fn clone(&self) -> AExpr {
        let mut chain = vec![self];
        while let Some(Expr::AExpr(left)) = &chain[chain.len() - 1].lexpr {
            chain.push(left);
        }
        let mut lexpr = chain[chain.len() - 1].lexpr.clone();
        for node in chain.drain(1..).rev() {
            lexpr = Some(Expr::AExpr(Box::new(node.clone_with(lexpr))));
        }
        self.clone_with(lexpr)
    }
}

impl AExpr {
    fn clone_with(&self, lexpr: Option<Expr>) -> AExpr {
        AExpr {
            kind: self.kind,
            name: self.name.clone(),
            lexpr,
            rexpr: self.rexpr.clone(),
            rexpr_list_start: self.rexpr_list_start,
            rexpr_list_end: self.rexpr_list_end,
            location: self.location,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoolExprType {
    And,
    Or,
    Not,
}

/// AND and OR are flat: `a AND b AND c` has three arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct BoolExpr {
    pub boolop: BoolExprType,
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullTestType {
    IsNull,
    IsNotNull,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NullTest {
    pub arg: Expr,
    pub nulltesttype: NullTestType,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoolTestType {
    IsTrue,
    IsNotTrue,
    IsFalse,
    IsNotFalse,
    IsUnknown,
    IsNotUnknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BooleanTest {
    pub arg: Expr,
    pub booltesttype: BoolTestType,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubLinkType {
    Exists,
    All,
    Any,
    /// Not from the grammar: the right side of a multiple assignment.
    MultiExpr,
    /// Not from the grammar: `Any`/`All` whose left side is a row are made so by the analyzer.
    RowCompare,
    Expr,
    Array,
    /// Not from the grammar: a CTE as a subplan.
    Cte,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SubLink {
    pub sub_link_type: SubLinkType,
    /// The left side of `x op ANY (SELECT ..)`.
    pub testexpr: Option<Expr>,
    /// The operator; empty for `x IN (SELECT ..)`.
    pub oper_name: Vec<String>,
    pub subselect: Box<SelectStmt>,
    pub location: Location,
}

/// How a function call was written, which is how it is shown again. (PostgreSQL: `CoercionForm`)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoercionForm {
    #[default]
    ExplicitCall,
    ExplicitCast,
    ImplicitCast,
    /// With a syntax of its own, such as `EXTRACT(year FROM x)`.
    SqlSyntax,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct FuncCall {
    pub funcname: Vec<String>,
    pub args: Vec<Expr>,
    pub agg_order: Vec<SortBy>,
    pub agg_filter: Option<Expr>,
    pub over: Option<Box<WindowDef>>,
    /// `agg_order` came from WITHIN GROUP.
    pub agg_within_group: bool,
    /// `count(*)`
    pub agg_star: bool,
    pub agg_distinct: bool,
    /// The last argument is marked VARIADIC.
    pub func_variadic: bool,
    pub funcformat: CoercionForm,
    pub location: Location,
}

/// `name => arg`
#[derive(Debug, Clone, PartialEq)]
pub struct NamedArgExpr {
    pub name: String,
    pub arg: Expr,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TypeCast {
    pub arg: Expr,
    pub type_name: TypeName,
    pub location: Location,
}

/// In a column definition `arg` is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct CollateClause {
    pub arg: Option<Expr>,
    pub collname: Vec<String>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CaseExpr {
    pub arg: Option<Expr>,
    pub args: Vec<CaseWhen>,
    pub defresult: Option<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CaseWhen {
    pub expr: Expr,
    pub result: Expr,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CoalesceExpr {
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinMaxOp {
    Greatest,
    Least,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MinMaxExpr {
    pub op: MinMaxOp,
    pub args: Vec<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RowExpr {
    pub args: Vec<Expr>,
    /// `ExplicitCall` for `ROW(..)`, `ImplicitCast` for `(a, b)`.
    pub row_format: CoercionForm,
    pub location: Location,
}

/// `ARRAY[..]`
#[derive(Debug, Clone, PartialEq)]
pub struct AArrayExpr {
    pub elements: Vec<Expr>,
    pub list_start: Location,
    pub list_end: Location,
    pub location: Location,
}

/// `(expr).field[1]`
#[derive(Debug, Clone, PartialEq)]
pub struct AIndirection {
    pub arg: Expr,
    pub indirection: Vec<Indirection>,
}

/// A step into a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Indirection {
    Field(String),
    /// (PostgreSQL: `A_Star`)
    Star,
    Indices(AIndices),
}

/// `[uidx]`, or with `is_slice` `[lidx:uidx]` whose bounds may both be missing. (PostgreSQL: `A_Indices`)
#[derive(Debug, Clone, PartialEq)]
pub struct AIndices {
    pub is_slice: bool,
    pub lidx: Option<Expr>,
    pub uidx: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SQLValueFunctionOp {
    CurrentDate,
    CurrentTime,
    CurrentTimeN,
    CurrentTimestamp,
    CurrentTimestampN,
    Localtime,
    LocaltimeN,
    Localtimestamp,
    LocaltimestampN,
    CurrentRole,
    CurrentUser,
    User,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SQLValueFunction {
    pub op: SQLValueFunctionOp,
    /// The precision, or -1.
    pub typmod: i32,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GroupingFunc {
    pub args: Vec<Expr>,
    pub location: Location,
}

/// `WHERE CURRENT OF cursor`
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentOfExpr {
    pub cursor_name: String,
}

/// All the references of one assignment have an equal `source`, which is shared.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiAssignRef {
    pub source: std::sync::Arc<Expr>,
    /// From 1.
    pub colno: i32,
    pub ncolumns: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupingSetKind {
    Empty,
    Simple,
    Rollup,
    Cube,
    Sets,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GroupingSet {
    pub kind: GroupingSetKind,
    pub content: Vec<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortByDir {
    #[default]
    Default,
    Asc,
    Desc,
    Using,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortByNulls {
    #[default]
    Default,
    First,
    Last,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SortBy {
    pub node: Expr,
    pub sortby_dir: SortByDir,
    pub sortby_nulls: SortByNulls,
    /// The operator of `USING op`.
    pub use_op: Vec<String>,
    /// Of the operator, if any.
    pub location: Location,
}

/// OVER or WINDOW.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WindowDef {
    /// The name it is given in WINDOW, or that `OVER name` refers to.
    pub name: Option<String>,
    /// The window it builds on: `OVER (name ...)`.
    pub refname: Option<String>,
    pub partition_clause: Vec<Expr>,
    pub order_clause: Vec<SortBy>,
    /// Bits of [`frame_option`].
    pub frame_options: u32,
    pub start_offset: Option<Expr>,
    pub end_offset: Option<Expr>,
    pub location: Location,
}

/// Bits of [`WindowDef::frame_options`]. (PostgreSQL: `FRAMEOPTION_*`)
pub mod frame_option {
    pub const NONDEFAULT: u32 = 0x00001;
    pub const RANGE: u32 = 0x00002;
    pub const ROWS: u32 = 0x00004;
    pub const GROUPS: u32 = 0x00008;
    pub const BETWEEN: u32 = 0x00010;
    pub const START_UNBOUNDED_PRECEDING: u32 = 0x00020;
    pub const END_UNBOUNDED_PRECEDING: u32 = 0x00040;
    pub const START_UNBOUNDED_FOLLOWING: u32 = 0x00080;
    pub const END_UNBOUNDED_FOLLOWING: u32 = 0x00100;
    pub const START_CURRENT_ROW: u32 = 0x00200;
    pub const END_CURRENT_ROW: u32 = 0x00400;
    pub const START_OFFSET_PRECEDING: u32 = 0x00800;
    pub const END_OFFSET_PRECEDING: u32 = 0x01000;
    pub const START_OFFSET_FOLLOWING: u32 = 0x02000;
    pub const END_OFFSET_FOLLOWING: u32 = 0x04000;
    pub const EXCLUDE_CURRENT_ROW: u32 = 0x08000;
    pub const EXCLUDE_GROUP: u32 = 0x10000;
    pub const EXCLUDE_TIES: u32 = 0x20000;
    pub const START_OFFSET: u32 = START_OFFSET_PRECEDING | START_OFFSET_FOLLOWING;
    pub const END_OFFSET: u32 = END_OFFSET_PRECEDING | END_OFFSET_FOLLOWING;
    pub const EXCLUSION: u32 = EXCLUDE_CURRENT_ROW | EXCLUDE_GROUP | EXCLUDE_TIES;
    pub const DEFAULTS: u32 = RANGE | START_UNBOUNDED_PRECEDING | END_CURRENT_ROW;
}

/// A type as written. `integer` and such are already `pg_catalog.int4`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TypeName {
    pub names: Vec<String>,
    /// Given instead of `names` by code that builds trees; the parser leaves it invalid.
    pub type_oid: base::Oid,
    pub setof: bool,
    /// `table.column%TYPE`
    pub pct_type: bool,
    pub typmods: Vec<Expr>,
    /// Used when `typmods` is empty; -1 from the parser.
    pub typemod: i32,
    /// A dimension each, -1 for `[]`.
    pub array_bounds: Vec<i32>,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XmlExprOp {
    IsXmlConcat,
    IsXmlElement,
    IsXmlForest,
    IsXmlParse,
    IsXmlPi,
    IsXmlRoot,
    IsXmlSerialize,
    IsDocument,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XmlOptionType {
    Document,
    Content,
}

#[derive(Debug, Clone, PartialEq)]
pub struct XmlExpr {
    pub op: XmlExprOp,
    pub name: Option<String>,
    /// XMLATTRIBUTES, or the items of XMLFOREST.
    pub named_args: Vec<super::ResTarget>,
    pub args: Vec<Expr>,
    pub xmloption: XmlOptionType,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct XmlSerialize {
    pub xmloption: XmlOptionType,
    pub expr: Expr,
    pub type_name: TypeName,
    pub indent: bool,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonEncoding {
    #[default]
    Default,
    Utf8,
    Utf16,
    Utf32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonFormatType {
    #[default]
    Default,
    Json,
    Jsonb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JsonFormat {
    pub format_type: JsonFormatType,
    pub encoding: JsonEncoding,
    pub location: Location,
}

/// `expr [FORMAT JSON ...]`
#[derive(Debug, Clone, PartialEq)]
pub struct JsonValueExpr {
    pub raw_expr: Expr,
    pub format: JsonFormat,
}

/// `RETURNING type [FORMAT JSON ...]`
#[derive(Debug, Clone, PartialEq)]
pub struct JsonOutput {
    pub type_name: TypeName,
    pub format: JsonFormat,
}

/// `PASSING val AS name`
#[derive(Debug, Clone, PartialEq)]
pub struct JsonArgument {
    pub val: JsonValueExpr,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonWrapper {
    #[default]
    Unspec,
    None,
    Conditional,
    Unconditional,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonQuotes {
    #[default]
    Unspec,
    Keep,
    Omit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonBehaviorType {
    Null,
    Error,
    Empty,
    True,
    False,
    Unknown,
    EmptyArray,
    EmptyObject,
    Default,
}

/// `... ON ERROR`, `... ON EMPTY`
#[derive(Debug, Clone, PartialEq)]
pub struct JsonBehavior {
    pub btype: JsonBehaviorType,
    pub expr: Option<Expr>,
    pub location: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonExprOp {
    Exists,
    Query,
    Value,
    Table,
}

/// JSON_EXISTS, JSON_QUERY, JSON_VALUE.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonFuncExpr {
    pub op: JsonExprOp,
    pub column_name: Option<String>,
    pub context_item: JsonValueExpr,
    pub pathspec: Expr,
    pub passing: Vec<JsonArgument>,
    pub output: Option<JsonOutput>,
    pub on_empty: Option<JsonBehavior>,
    pub on_error: Option<JsonBehavior>,
    pub wrapper: JsonWrapper,
    pub quotes: JsonQuotes,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonKeyValue {
    pub key: Expr,
    pub value: JsonValueExpr,
}

/// `JSON(..)`
#[derive(Debug, Clone, PartialEq)]
pub struct JsonParseExpr {
    pub expr: JsonValueExpr,
    pub output: Option<JsonOutput>,
    pub unique_keys: bool,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonScalarExpr {
    pub expr: Expr,
    pub output: Option<JsonOutput>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonSerializeExpr {
    pub expr: JsonValueExpr,
    pub output: Option<JsonOutput>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonObjectConstructor {
    pub exprs: Vec<JsonKeyValue>,
    pub output: Option<JsonOutput>,
    pub absent_on_null: bool,
    pub unique: bool,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonArrayConstructor {
    pub exprs: Vec<JsonValueExpr>,
    pub output: Option<JsonOutput>,
    pub absent_on_null: bool,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonArrayQueryConstructor {
    pub query: Box<SelectStmt>,
    pub output: Option<JsonOutput>,
    pub format: JsonFormat,
    pub absent_on_null: bool,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonAggConstructor {
    pub output: Option<JsonOutput>,
    pub agg_filter: Option<Expr>,
    pub agg_order: Vec<SortBy>,
    pub over: Option<Box<WindowDef>>,
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonObjectAgg {
    pub constructor: JsonAggConstructor,
    pub arg: JsonKeyValue,
    pub absent_on_null: bool,
    pub unique: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JsonArrayAgg {
    pub constructor: JsonAggConstructor,
    pub arg: JsonValueExpr,
    pub absent_on_null: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonValueType {
    Any,
    Object,
    Array,
    Scalar,
}

/// `expr IS JSON ...`; NOT stands around it as a [`BoolExpr`].
#[derive(Debug, Clone, PartialEq)]
pub struct JsonIsPredicate {
    pub expr: Expr,
    pub format: JsonFormat,
    pub item_type: JsonValueType,
    pub unique_keys: bool,
    pub location: Location,
}
