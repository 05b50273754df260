//! `jsonpath`: the language's tree. `scan` and `parse` read its text, `print` writes it, `binary` is the stored form, `exec`
//! evaluates it, `datetime` are its dates and times, `sql` the SQL functions.
//!
//! PostgreSQL: `jsonpath.c`, `jsonpath_gram.y`, `jsonpath_exec.c`.

pub mod binary;
pub mod datetime;
pub mod exec;
pub mod parse;
pub mod print;
mod scan;
pub mod sql;

use crate::numeric::Numeric;

#[derive(Clone, Debug)]
pub struct JsonPath {
    pub lax: bool,
    pub expr: Item,
}

/// A step with what is applied to its results.
#[derive(Clone, Debug)]
pub struct Item {
    pub op: Op,
    pub next: Option<Box<Item>>,
}

#[derive(Clone, Debug)]
pub enum Op {
    Null,
    String(String),
    Number(Numeric),
    Bool(bool),
    Root,
    Current,
    Last,
    Variable(String),
    Key(String),
    AnyKey,
    AnyArray,
    /// `.**{first to last}`; the largest number stands for "last".
    Any(u32, u32),
    /// Subscripts; those with a second expression are ranges.
    Index(Vec<(Item, Option<Item>)>),
    Binary(Binary, Box<Item>, Box<Item>),
    Unary(Unary, Box<Item>),
    LikeRegex {
        expr: Box<Item>,
        pattern: String,
        flags: u32,
    },
    Method(Method),
    /// `.datetime(template)`, `.time(precision)` and such.
    Datetime(Method, Option<Box<Item>>),
    Decimal(Option<Box<Item>>, Option<Box<Item>>),
}

pub const REGEX_ICASE: u32 = 1;
pub const REGEX_DOTALL: u32 = 2;
pub const REGEX_MLINE: u32 = 4;
pub const REGEX_WSPACE: u32 = 8;
pub const REGEX_QUOTE: u32 = 16;

/// Operators of two operands. The number is PostgreSQL's code of the item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binary {
    And = 4,
    Or = 5,
    Equal = 8,
    NotEqual = 9,
    Less = 10,
    Greater = 11,
    LessOrEqual = 12,
    GreaterOrEqual = 13,
    Add = 14,
    Sub = 15,
    Mul = 16,
    Div = 17,
    Mod = 18,
    StartsWith = 41,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unary {
    Not = 6,
    IsUnknown = 7,
    Plus = 19,
    Minus = 20,
    Filter = 29,
    Exists = 30,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Type = 31,
    Size = 32,
    Abs = 33,
    Floor = 34,
    Ceiling = 35,
    Double = 36,
    Datetime = 37,
    KeyValue = 38,
    Bigint = 43,
    Boolean = 44,
    Date = 45,
    Decimal = 46,
    Integer = 47,
    Number = 48,
    String = 49,
    Time = 50,
    TimeTz = 51,
    Timestamp = 52,
    TimestampTz = 53,
}

pub const BINARIES: [Binary; 14] = [
    Binary::And,
    Binary::Or,
    Binary::Equal,
    Binary::NotEqual,
    Binary::Less,
    Binary::Greater,
    Binary::LessOrEqual,
    Binary::GreaterOrEqual,
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::Mod,
    Binary::StartsWith,
];
pub const UNARIES: [Unary; 6] = [Unary::Not, Unary::IsUnknown, Unary::Plus, Unary::Minus, Unary::Filter, Unary::Exists];
pub const METHODS: [Method; 19] = [
    Method::Type,
    Method::Size,
    Method::Abs,
    Method::Floor,
    Method::Ceiling,
    Method::Double,
    Method::Datetime,
    Method::KeyValue,
    Method::Bigint,
    Method::Boolean,
    Method::Date,
    Method::Decimal,
    Method::Integer,
    Method::Number,
    Method::String,
    Method::Time,
    Method::TimeTz,
    Method::Timestamp,
    Method::TimestampTz,
];

impl Binary {
    pub fn name(self) -> &'static str {
        match self {
            Binary::And => "&&",
            Binary::Or => "||",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::Greater => ">",
            Binary::LessOrEqual => "<=",
            Binary::GreaterOrEqual => ">=",
            Binary::Add => "+",
            Binary::Sub => "-",
            Binary::Mul => "*",
            Binary::Div => "/",
            Binary::Mod => "%",
            Binary::StartsWith => "starts with",
        }
    }
    /// How strongly it binds.
    pub fn priority(self) -> u8 {
        match self {
            Binary::Or => 0,
            Binary::And => 1,
            Binary::Add | Binary::Sub => 3,
            Binary::Mul | Binary::Div | Binary::Mod => 4,
            _ => 2,
        }
    }
}
impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Method::Type => "type",
            Method::Size => "size",
            Method::Abs => "abs",
            Method::Floor => "floor",
            Method::Ceiling => "ceiling",
            Method::Double => "double",
            Method::Datetime => "datetime",
            Method::KeyValue => "keyvalue",
            Method::Bigint => "bigint",
            Method::Boolean => "boolean",
            Method::Date => "date",
            Method::Decimal => "decimal",
            Method::Integer => "integer",
            Method::Number => "number",
            Method::String => "string",
            Method::Time => "time",
            Method::TimeTz => "time_tz",
            Method::Timestamp => "timestamp",
            Method::TimestampTz => "timestamp_tz",
        }
    }
}
impl Item {
    pub fn new(op: Op) -> Item {
        Item { op, next: None }
    }
    pub fn priority(&self) -> u8 {
        match &self.op {
            Op::Binary(b, ..) => b.priority(),
            Op::Unary(Unary::Plus | Unary::Minus, _) => 5,
            _ => 6,
        }
    }
}
