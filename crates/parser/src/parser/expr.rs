//! Expressions: precedence climbing over operators, and the primaries.
//!
//! `a_expr` is the general expression; `b_expr` leaves out what would be ambiguous where AND, IN, or a keyword may follow.
//! An operator that does not associate (`<`, LIKE, IN, ..) may not follow a right operand of its own level.
//!
//! PostgreSQL: `a_expr`, `b_expr`, `c_expr` of `gram.y`. Different here: parentheses that may hold a query or an expression are
//! read once, without looking ahead (see [`Paren`]).

use super::*;

/// From loose to tight. (PostgreSQL: the `%left`, `%right`, `%nonassoc` lines)
mod level {
    pub const ANY: u8 = 0;
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const IS: u8 = 4;
    pub const COMPARE: u8 = 5;
    pub const LIKE: u8 = 6;
    pub const OP: u8 = 9;
    pub const ADD: u8 = 10;
    pub const MUL: u8 = 11;
    pub const POW: u8 = 12;
    pub const AT: u8 = 13;
    pub const COLLATE: u8 = 14;
    pub const SIGN: u8 = 15;
    pub const CAST: u8 = 16;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    A,
    B,
}

/// What parentheses turned out to hold.
pub(super) enum Paren {
    Select(Box<SelectStmt>),
    Expr(Expr),
    /// Two or more expressions.
    Row(Vec<Expr>),
}

impl<'a> Parser<'a> {
    pub(super) fn a_expr(&mut self) -> Result<Expr> {
        self.expr(level::ANY, Kind::A)
    }
    pub(super) fn b_expr(&mut self) -> Result<Expr> {
        self.expr(level::ANY, Kind::B)
    }

    /// An expression of operators that bind at least as tight as `min`.
    fn expr(&mut self, min: u8, kind: Kind) -> Result<Expr> {
        // An operand nests through more calls than plain parentheses do.
        self.deeper(2)?;
        let left = match self.peek() {
            Tok::Char(b'+' | b'-') | Tok::Op => self.prefix(kind)?,
            Tok::Keyword(Kw::Not | Kw::Operator | Kw::Default | Kw::Unique) | Tok::Ahead(Kw::Not) => {
                self.prefix(kind)?
            }
            _ => self.c_expr()?,
        };
        let result = self.climb(left, min, kind)?;
        self.depth -= 2;
        Ok(result)
    }

    /// Applies the operators that follow `left`.
    fn climb(&mut self, mut left: Expr, min: u8, kind: Kind) -> Result<Expr> {
        let depth = self.depth;
        let mut blocked = u8::MAX;
        loop {
            let level = self.infix_level(kind);
            if level == 0 || level < min {
                break;
            }
            if level == blocked {
                return self.fail();
            }
            (left, blocked) = match level {
                level::AND | level::OR => self.and_or(left, level)?,
                level::COMPARE | level::OP..=level::POW => self.operator(left, level, kind)?,
                level::CAST => self.cast(left)?,
                level::IS => self.is_test(left, kind)?,
                level::LIKE => self.like_in_between(left)?,
                _ => self.at_or_collate(left, level)?,
            };
        }
        self.depth = depth;
        Ok(left)
    }

    /// The level of the operator at the cursor, 0 if there is none.
    fn infix_level(&self, kind: Kind) -> u8 {
        match self.peek() {
            Tok::TypeCast => level::CAST,
            Tok::Char(c) => match c {
                b'<' | b'>' | b'=' => level::COMPARE,
                b'+' | b'-' => level::ADD,
                b'*' | b'/' | b'%' => level::MUL,
                b'^' => level::POW,
                _ => 0,
            },
            Tok::LessEquals | Tok::GreaterEquals | Tok::NotEquals => level::COMPARE,
            Tok::Op => level::OP,
            Tok::Keyword(kw) => match kw {
                Kw::Operator if self.is_char_at(1, b'(') => level::OP,
                Kw::Is => level::IS,
                _ if kind == Kind::B => 0,
                Kw::Or => level::OR,
                Kw::And => level::AND,
                Kw::Isnull | Kw::Notnull => level::IS,
                Kw::Between | Kw::In | Kw::Like | Kw::Ilike => level::LIKE,
                Kw::Similar if self.is_at(1, Kw::To) => level::LIKE,
                Kw::At if self.is_at(1, Kw::Time) || self.is_at(1, Kw::Local) => level::AT,
                Kw::Collate => level::COLLATE,
                _ => 0,
            },
            Tok::Ahead(Kw::Not) if kind == Kind::A => level::LIKE,
            _ => 0,
        }
    }

    fn prefix(&mut self, kind: Kind) -> Result<Expr> {
        let location = self.loc();
        match self.peek() {
            Tok::Char(b'+') => {
                self.advance();
                let rexpr = self.expr(level::SIGN, kind)?;
                Ok(make_op(AExprKind::Op, vec!["+".to_owned()], None, rexpr, location))
            }
            Tok::Char(b'-') => {
                self.advance();
                let rexpr = self.expr(level::SIGN, kind)?;
                Ok(negate(rexpr, location))
            }
            Tok::Op | Tok::Keyword(Kw::Operator) => {
                let name = self.qual_op()?;
                let rexpr = self.expr(level::OP + 1, kind)?;
                Ok(make_op(AExprKind::Op, name, None, rexpr, location))
            }
            Tok::Keyword(Kw::Not) | Tok::Ahead(Kw::Not) if kind == Kind::A => {
                self.advance();
                let arg = self.expr(level::NOT, kind)?;
                Ok(make_not(arg, location))
            }
            Tok::Keyword(Kw::Default) if kind == Kind::A => {
                self.advance();
                Ok(Expr::SetToDefault(location))
            }
            Tok::Keyword(Kw::Unique) if kind == Kind::A => {
                self.advance();
                self.nulls_treatment()?;
                self.select_with_parens()?;
                Err(unsupported_at("UNIQUE predicate is not yet implemented", location))
            }
            _ => self.fail(),
        }
    }

    fn and_or(&mut self, left: Expr, level: u8) -> Result<(Expr, u8)> {
        let location = self.loc();
        self.advance();
        let right = self.expr(level + 1, Kind::A)?;
        let boolop = if level == level::AND { BoolExprType::And } else { BoolExprType::Or };
        let result = match left {
            Expr::BoolExpr(mut b) if b.boolop == boolop => {
                b.args.push(right);
                Expr::BoolExpr(b)
            }
            _ => Expr::BoolExpr(Box::new(BoolExpr { boolop, args: vec![left, right], location })),
        };
        Ok((result, u8::MAX))
    }

    fn operator(&mut self, left: Expr, level: u8, kind: Kind) -> Result<(Expr, u8)> {
        let location = self.loc();
        let name = self.qual_all_op()?;
        if kind == Kind::A && self.at_sub_type() {
            return self.any_all(left, name, location);
        }
        let rexpr = self.expr(level + 1, kind)?;
        let blocked = if level == level::COMPARE { level } else { u8::MAX };
        Ok((make_op(AExprKind::Op, name, Some(left), rexpr, location), blocked))
    }

    fn at_sub_type(&self) -> bool {
        matches!(self.peek(), Tok::Keyword(Kw::Any | Kw::Some | Kw::All))
    }

    /// `left op ANY (..)`
    fn any_all(&mut self, left: Expr, name: Vec<String>, location: Location) -> Result<(Expr, u8)> {
        let all = self.is(Kw::All);
        self.advance();
        self.deeper(1)?;
        let result = match self.paren()? {
            Paren::Select(subselect) => Expr::SubLink(Box::new(SubLink {
                sub_link_type: if all { SubLinkType::All } else { SubLinkType::Any },
                testexpr: Some(left),
                oper_name: name,
                subselect,
                location,
            })),
            Paren::Expr(rexpr) => {
                let kind = if all { AExprKind::OpAll } else { AExprKind::OpAny };
                make_op(kind, name, Some(left), rexpr, location)
            }
            Paren::Row(_) => return self.fail(),
        };
        Ok((result, u8::MAX))
    }

    fn cast(&mut self, arg: Expr) -> Result<(Expr, u8)> {
        let location = self.loc();
        self.advance();
        self.deeper(1)?;
        let type_name = self.type_name()?;
        Ok((Expr::TypeCast(Box::new(TypeCast { arg, type_name, location })), u8::MAX))
    }

    fn at_or_collate(&mut self, left: Expr, level: u8) -> Result<(Expr, u8)> {
        let location = self.loc();
        self.advance();
        self.deeper(1)?;
        if level == level::COLLATE {
            let collname = self.any_name()?;
            let clause = CollateClause { arg: Some(left), collname, location };
            return Ok((Expr::CollateClause(Box::new(clause)), u8::MAX));
        }
        if self.eat(Kw::Local) {
            return Ok((sql_function("timezone", vec![left], Location::UNKNOWN), u8::MAX));
        }
        self.expect_all(&[Kw::Time, Kw::Zone])?;
        let zone = self.expr(level::AT + 1, Kind::A)?;
        Ok((sql_function("timezone", vec![zone, left], location), u8::MAX))
    }

    /// `IS ...`, ISNULL, NOTNULL.
    fn is_test(&mut self, arg: Expr, kind: Kind) -> Result<(Expr, u8)> {
        let location = self.loc();
        self.deeper(1)?;
        let word = self.peek();
        self.advance();
        let null_test = |arg, nulltesttype| Expr::NullTest(Box::new(NullTest { arg, nulltesttype, location }));
        if word == Tok::Keyword(Kw::Isnull) {
            return Ok((null_test(arg, NullTestType::IsNull), u8::MAX));
        }
        if word == Tok::Keyword(Kw::Notnull) {
            return Ok((null_test(arg, NullTestType::IsNotNull), u8::MAX));
        }
        let not = self.eat(Kw::Not);
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        if kind == Kind::B && !matches!(kw, Kw::Distinct | Kw::Document) {
            return self.fail();
        }
        let wrap = |e: Expr| if not { make_not(e, location) } else { e };
        let pick = |yes: BoolTestType, no: BoolTestType| if not { no } else { yes };
        let bool_test = |arg, booltesttype| Expr::BooleanTest(Box::new(BooleanTest { arg, booltesttype, location }));
        let normal_form = matches!(kw, Kw::Nfc | Kw::Nfd | Kw::Nfkc | Kw::Nfkd);
        let at = self.loc();
        self.advance();
        let result = match kw {
            Kw::Null => null_test(arg, if not { NullTestType::IsNotNull } else { NullTestType::IsNull }),
            Kw::True => bool_test(arg, pick(BoolTestType::IsTrue, BoolTestType::IsNotTrue)),
            Kw::False => bool_test(arg, pick(BoolTestType::IsFalse, BoolTestType::IsNotFalse)),
            Kw::Unknown => bool_test(arg, pick(BoolTestType::IsUnknown, BoolTestType::IsNotUnknown)),
            Kw::Distinct => {
                self.expect(Kw::From)?;
                let rexpr = self.expr(level::IS + 1, kind)?;
                let op = if not { AExprKind::NotDistinct } else { AExprKind::Distinct };
                return Ok((make_op(op, vec!["=".to_owned()], Some(arg), rexpr, location), level::IS));
            }
            Kw::Document => wrap(Expr::XmlExpr(Box::new(XmlExpr {
                op: XmlExprOp::IsDocument,
                name: None,
                named_args: Vec::new(),
                args: vec![arg],
                xmloption: XmlOptionType::Document,
                location,
            }))),
            Kw::Normalized => wrap(sql_function("is_normalized", vec![arg], location)),
            _ if normal_form => {
                self.expect(Kw::Normalized)?;
                wrap(sql_function("is_normalized", vec![arg, string_const(kw.word(), at)], location))
            }
            Kw::Json => wrap(self.is_json(arg, location)?),
            _ => {
                self.pos -= 1;
                return self.fail();
            }
        };
        Ok((result, u8::MAX))
    }

    /// `[NOT] LIKE, ILIKE, SIMILAR TO, IN, BETWEEN`
    fn like_in_between(&mut self, left: Expr) -> Result<(Expr, u8)> {
        let location = self.loc();
        let not = self.eat_tok(Tok::Ahead(Kw::Not));
        let Tok::Keyword(kw) = self.peek() else { return self.fail() };
        self.advance();
        let (kind, name) = match (kw, not) {
            (Kw::Like, false) => (AExprKind::Like, "~~"),
            (Kw::Like, true) => (AExprKind::Like, "!~~"),
            (Kw::Ilike, false) => (AExprKind::Ilike, "~~*"),
            (Kw::Ilike, true) => (AExprKind::Ilike, "!~~*"),
            (Kw::Similar, false) => (AExprKind::Similar, "~"),
            (Kw::Similar, true) => (AExprKind::Similar, "!~"),
            (Kw::In, _) => return self.in_list(left, not, location),
            _ => return self.between(left, not, location),
        };
        if kw == Kw::Similar {
            self.expect(Kw::To)?;
        } else if self.at_sub_type() {
            return self.any_all(left, vec![name.to_owned()], location);
        }
        let pattern = self.expr(level::LIKE + 1, Kind::A)?;
        let escape = if self.eat(Kw::Escape) { Some(self.expr(level::LIKE + 1, Kind::A)?) } else { None };
        let rexpr = match (kw, escape) {
            (Kw::Similar, None) => system_function("similar_to_escape", vec![pattern], location),
            (Kw::Similar, Some(escape)) => system_function("similar_to_escape", vec![pattern, escape], location),
            (_, Some(escape)) => system_function("like_escape", vec![pattern, escape], location),
            (_, None) => pattern,
        };
        Ok((make_op(kind, vec![name.to_owned()], Some(left), rexpr, location), level::LIKE))
    }

    fn in_list(&mut self, left: Expr, not: bool, location: Location) -> Result<(Expr, u8)> {
        self.deeper(1)?;
        let start = self.loc();
        let list = match self.paren()? {
            Paren::Select(subselect) => {
                let link = Expr::SubLink(Box::new(SubLink {
                    sub_link_type: SubLinkType::Any,
                    testexpr: Some(left),
                    oper_name: Vec::new(),
                    subselect,
                    location,
                }));
                return Ok((if not { make_not(link, location) } else { link }, u8::MAX));
            }
            Paren::Expr(e) => vec![e],
            Paren::Row(list) => list,
        };
        let end = Location(self.last_end() as i32 - 1);
        let name = if not { "<>" } else { "=" };
        let expr = AExpr {
            kind: AExprKind::In,
            name: vec![name.to_owned()],
            lexpr: Some(left),
            rexpr: Some(Expr::List(list)),
            rexpr_list_start: start,
            rexpr_list_end: end,
            location,
        };
        Ok((Expr::AExpr(Box::new(expr)), u8::MAX))
    }

    fn between(&mut self, left: Expr, not: bool, location: Location) -> Result<(Expr, u8)> {
        let symmetric = self.eat(Kw::Symmetric);
        if !symmetric {
            self.eat(Kw::Asymmetric);
        }
        let low = self.b_expr()?;
        self.expect(Kw::And)?;
        let high = self.expr(level::LIKE + 1, Kind::A)?;
        let (kind, name) = match (not, symmetric) {
            (false, false) => (AExprKind::Between, "BETWEEN"),
            (true, false) => (AExprKind::NotBetween, "NOT BETWEEN"),
            (false, true) => (AExprKind::BetweenSym, "BETWEEN SYMMETRIC"),
            (true, true) => (AExprKind::NotBetweenSym, "NOT BETWEEN SYMMETRIC"),
        };
        let list = Expr::List(vec![low, high]);
        Ok((make_op(kind, vec![name.to_owned()], Some(left), list, location), level::LIKE))
    }

    /// An operator as a single token. (PostgreSQL: `all_Op`)
    pub(super) fn all_op(&mut self) -> Result<String> {
        let name = match self.peek() {
            Tok::Op => self.text().to_owned(),
            Tok::Char(c @ (b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'<' | b'>' | b'=')) => (c as char).to_string(),
            Tok::LessEquals => "<=".to_owned(),
            Tok::GreaterEquals => ">=".to_owned(),
            Tok::NotEquals => "<>".to_owned(),
            _ => return self.fail(),
        };
        self.advance();
        Ok(name)
    }
    /// `schema.op`. (PostgreSQL: `any_operator`)
    pub(super) fn any_operator(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        while is_col_id(self.peek()) {
            names.push(self.col_id()?);
            self.expect_char(b'.')?;
        }
        names.push(self.all_op()?);
        Ok(names)
    }
    /// `op` or `OPERATOR(schema.op)`.
    pub(super) fn qual_all_op(&mut self) -> Result<Vec<String>> {
        if !self.eat(Kw::Operator) {
            return Ok(vec![self.all_op()?]);
        }
        self.expect_char(b'(')?;
        let name = self.any_operator()?;
        self.expect_char(b')')?;
        Ok(name)
    }
    fn qual_op(&mut self) -> Result<Vec<String>> {
        match self.peek() {
            Tok::Op | Tok::Keyword(Kw::Operator) => self.qual_all_op(),
            _ => self.fail(),
        }
    }

    /// At the start of a query without parentheses.
    pub(super) fn at_select(&self) -> bool {
        match self.peek() {
            Tok::Keyword(Kw::Select | Kw::With | Kw::Table) | Tok::Ahead(Kw::With) => true,
            Tok::Keyword(Kw::Values) => self.is_char_at(1, b'('),
            _ => false,
        }
    }

    /// Parentheses around a query, an expression or a list. `((SELECT 1))` is a query, `((SELECT 1) + 1)` an expression: what
    /// the inner parentheses hold is carried outwards until the difference shows.
    pub(super) fn paren(&mut self) -> Result<Paren> {
        self.deeper(2)?;
        let location = self.loc();
        self.expect_char(b'(')?;
        let first = if self.at_select() {
            let select = self.select_no_parens()?;
            self.expect_char(b')')?;
            self.depth -= 2;
            return Ok(Paren::Select(Box::new(select)));
        } else if self.is_char(b'(') {
            let inner_location = self.loc();
            match self.paren()? {
                Paren::Select(select) if self.is_char(b')') || self.at_select_rest() => {
                    let select = self.select_rest(*select)?;
                    self.expect_char(b')')?;
                    self.depth -= 2;
                    return Ok(Paren::Select(Box::new(select)));
                }
                inner => {
                    let left = self.paren_expr(inner, inner_location)?;
                    self.climb(left, level::ANY, Kind::A)?
                }
            }
        } else {
            self.a_expr()?
        };
        let _ = location;
        let result = if self.is_char(b',') {
            let mut list = vec![first];
            while self.eat_char(b',') {
                list.push(self.a_expr()?);
            }
            Paren::Row(list)
        } else {
            Paren::Expr(first)
        };
        self.expect_char(b')')?;
        self.depth -= 2;
        Ok(result)
    }

    /// Parentheses as an operand.
    fn paren_expr(&mut self, paren: Paren, location: Location) -> Result<Expr> {
        match paren {
            Paren::Select(subselect) => {
                let link = SubLink {
                    sub_link_type: SubLinkType::Expr,
                    testexpr: None,
                    oper_name: Vec::new(),
                    subselect,
                    location,
                };
                self.opt_indirection(Expr::SubLink(Box::new(link)))
            }
            Paren::Expr(e) => self.opt_indirection(e),
            Paren::Row(args) => self.row_overlaps(RowExpr { args, row_format: CoercionForm::ImplicitCast, location }),
        }
    }

    /// An operand. (PostgreSQL: `c_expr`)
    pub(super) fn c_expr(&mut self) -> Result<Expr> {
        let location = self.loc();
        match self.peek() {
            Tok::Ident => self.name_expr(),
            Tok::Iconst(n) => {
                self.advance();
                Ok(int_const(n, location))
            }
            Tok::Fconst | Tok::Sconst | Tok::Bconst | Tok::Xconst => Ok(self.text_const()),
            Tok::Param(number) => {
                self.advance();
                self.opt_indirection(Expr::ParamRef(ParamRef { number, location }))
            }
            Tok::Char(b'(') => {
                let paren = self.paren()?;
                self.paren_expr(paren, location)
            }
            Tok::Keyword(kw) => self.keyword_expr(kw),
            _ => self.fail(),
        }
    }

    fn text_const(&mut self) -> Expr {
        let (location, text) = (self.loc(), self.text().to_owned());
        let val = match self.peek() {
            Tok::Fconst => Value::Float(text),
            Tok::Bconst => Value::BitString(format!("b{text}")),
            Tok::Xconst => Value::BitString(format!("x{text}")),
            _ => Value::String(text),
        };
        self.advance();
        Expr::AConst(AConst { val, location })
    }

    fn keyword_expr(&mut self, kw: Kw) -> Result<Expr> {
        let location = self.loc();
        let constant = |val| Ok(Expr::AConst(AConst { val, location }));
        match kw {
            Kw::Null => {
                self.advance();
                constant(Value::Null)
            }
            Kw::True | Kw::False => {
                self.advance();
                constant(Value::Boolean(kw == Kw::True))
            }
            Kw::Case => self.case(),
            Kw::Exists if self.is_char_at(1, b'(') => {
                self.advance();
                let subselect = self.select_with_parens()?;
                Ok(sub_link(SubLinkType::Exists, subselect, location))
            }
            Kw::Array => {
                self.advance();
                if self.is_char(b'(') {
                    let subselect = self.select_with_parens()?;
                    return Ok(sub_link(SubLinkType::Array, subselect, location));
                }
                let mut array = self.array_expr()?;
                if let Expr::AArrayExpr(a) = &mut array {
                    a.location = location;
                }
                Ok(array)
            }
            Kw::Row if self.is_char_at(1, b'(') => {
                self.advance();
                let row = self.explicit_row(location)?;
                self.row_overlaps(row)
            }
            Kw::Grouping if self.is_char_at(1, b'(') => {
                self.advance();
                let args = self.paren_list(Self::a_expr)?;
                Ok(Expr::GroupingFunc(Box::new(GroupingFunc { args, location })))
            }
            _ => match self.common_subexpr(kw)? {
                Some(expr) => Ok(expr),
                None => self.name_expr(),
            },
        }
    }

    /// After ROW.
    fn explicit_row(&mut self, location: Location) -> Result<RowExpr> {
        self.expect_char(b'(')?;
        let args = if self.is_char(b')') { Vec::new() } else { self.list(Self::a_expr)? };
        self.expect_char(b')')?;
        Ok(RowExpr { args, row_format: CoercionForm::ExplicitCall, location })
    }

    /// `row OVERLAPS row`, or the row alone.
    fn row_overlaps(&mut self, left: RowExpr) -> Result<Expr> {
        if !self.is(Kw::Overlaps) {
            return Ok(Expr::RowExpr(Box::new(left)));
        }
        let location = self.loc();
        self.advance();
        let right_location = self.loc();
        let right = if self.eat(Kw::Row) {
            self.explicit_row(right_location)?.args
        } else {
            match self.paren()? {
                Paren::Row(args) => args,
                _ => return self.fail(),
            }
        };
        for (args, side, at) in [(&left.args, "left", left.location), (&right, "right", right_location)] {
            if args.len() != 2 {
                let text = format!("wrong number of parameters on {side} side of OVERLAPS expression");
                return Err(error_at(text, at));
            }
        }
        let mut args = left.args;
        args.extend(right);
        Ok(sql_function("overlaps", args, location))
    }

    fn array_expr(&mut self) -> Result<Expr> {
        let start = self.loc();
        self.deeper(1)?;
        self.expect_char(b'[')?;
        let elements = match self.peek() {
            Tok::Char(b']') => Vec::new(),
            Tok::Char(b'[') => self.list(Self::array_expr)?,
            _ => self.list(Self::a_expr)?,
        };
        let list_end = self.loc();
        self.expect_char(b']')?;
        self.depth -= 1;
        let array = AArrayExpr { elements, list_start: start, list_end, location: start };
        Ok(Expr::AArrayExpr(Box::new(array)))
    }

    fn case(&mut self) -> Result<Expr> {
        let location = self.loc();
        self.advance();
        let arg = if self.is(Kw::When) { None } else { Some(self.a_expr()?) };
        let mut args = Vec::new();
        while self.is(Kw::When) || args.is_empty() {
            let location = self.loc();
            self.expect(Kw::When)?;
            let expr = self.a_expr()?;
            self.expect(Kw::Then)?;
            let result = self.a_expr()?;
            args.push(CaseWhen { expr, result, location });
        }
        let defresult = if self.eat(Kw::Else) { Some(self.a_expr()?) } else { None };
        self.expect(Kw::End)?;
        Ok(Expr::CaseExpr(Box::new(CaseExpr { arg, args, defresult, location })))
    }

    /// A column, a function call, or a constant of a named type.
    fn name_expr(&mut self) -> Result<Expr> {
        let location = self.loc();
        let token = self.peek();
        let column = is_col_id(token);
        let function = is_type_function_name(token);
        if !column && !function {
            return self.fail();
        }
        let name = self.col_label()?;
        match self.peek() {
            Tok::Char(b'.' | b'[') if column => {}
            Tok::Char(b'(') if function => return self.function_call(vec![name], location),
            Tok::Sconst if function => return self.typed_const(vec![name], Vec::new(), location),
            _ if !column => return self.fail(),
            _ => return Ok(Expr::ColumnRef(ColumnRef { fields: vec![Field::Name(name)], location })),
        }
        let mut fields = vec![Field::Name(name)];
        let indirection = self.indirection()?;
        let plain = indirection.iter().all(|i| matches!(i, Indirection::Field(_)));
        if plain && (self.is_char(b'(') || self.peek() == Tok::Sconst) {
            let mut names = Vec::with_capacity(indirection.len() + 1);
            for field in fields {
                if let Field::Name(name) = field {
                    names.push(name);
                }
            }
            names.extend(indirection.into_iter().filter_map(|i| match i {
                Indirection::Field(name) => Some(name),
                _ => None,
            }));
            return match self.is_char(b'(') {
                true => self.function_call(names, location),
                false => self.typed_const(names, Vec::new(), location),
            };
        }
        self.check_indirection(&indirection)?;
        let mut steps = indirection.into_iter().peekable();
        while let Some(step) = steps.next_if(|s| !matches!(s, Indirection::Indices(_))) {
            fields.push(match step {
                Indirection::Field(name) => Field::Name(name),
                _ => Field::Star,
            });
        }
        let column = Expr::ColumnRef(ColumnRef { fields, location });
        let rest: Vec<Indirection> = steps.collect();
        Ok(match rest.is_empty() {
            true => column,
            false => Expr::AIndirection(Box::new(AIndirection { arg: column, indirection: rest })),
        })
    }

    /// The string at the cursor as a constant of the type `names(typmods)`.
    pub(super) fn typed_const(&mut self, names: Vec<String>, typmods: Vec<Expr>, location: Location) -> Result<Expr> {
        let type_name = TypeName { names, typmods, typemod: -1, location, ..TypeName::default() };
        self.const_cast(type_name)
    }
    pub(super) fn const_cast(&mut self, type_name: TypeName) -> Result<Expr> {
        let location = self.loc();
        let arg = string_const(self.string()?, location);
        Ok(Expr::TypeCast(Box::new(TypeCast { arg, type_name, location: Location::UNKNOWN })))
    }

    /// `.name`, `.*`, `[1]`, `[1:2]`, any number of them.
    pub(super) fn indirection(&mut self) -> Result<Vec<Indirection>> {
        let mut list = Vec::new();
        loop {
            if self.eat_char(b'.') {
                list.push(match self.eat_char(b'*') {
                    true => Indirection::Star,
                    false => Indirection::Field(self.col_label()?),
                });
            } else if self.eat_char(b'[') {
                let lower = if self.is_char(b':') { None } else { Some(self.a_expr()?) };
                let is_slice = self.eat_char(b':');
                let upper = if !is_slice || self.is_char(b']') { None } else { Some(self.a_expr()?) };
                self.expect_char(b']')?;
                let (lidx, uidx) = if is_slice { (lower, upper) } else { (None, lower) };
                list.push(Indirection::Indices(AIndices { is_slice, lidx, uidx }));
            } else {
                return Ok(list);
            }
        }
    }
    /// `*` may only come last.
    pub(super) fn check_indirection(&self, list: &[Indirection]) -> Result<()> {
        match list.iter().rev().skip(1).any(|i| *i == Indirection::Star) {
            true => Err(self.error_here("improper use of \"*\"")),
            false => Ok(()),
        }
    }
    fn opt_indirection(&mut self, arg: Expr) -> Result<Expr> {
        if !matches!(self.peek(), Tok::Char(b'.' | b'[')) {
            return Ok(arg);
        }
        let indirection = self.indirection()?;
        self.check_indirection(&indirection)?;
        Ok(Expr::AIndirection(Box::new(AIndirection { arg, indirection })))
    }
}

pub(super) fn make_op(
    kind: AExprKind,
    name: Vec<String>,
    lexpr: Option<Expr>,
    rexpr: Expr,
    location: Location,
) -> Expr {
    let (rexpr_list_start, rexpr_list_end) = (Location::UNKNOWN, Location::UNKNOWN);
    Expr::AExpr(Box::new(AExpr { kind, name, lexpr, rexpr: Some(rexpr), rexpr_list_start, rexpr_list_end, location }))
}

pub(super) fn make_not(arg: Expr, location: Location) -> Expr {
    Expr::BoolExpr(Box::new(BoolExpr { boolop: BoolExprType::Not, args: vec![arg], location }))
}

/// A minus before a number becomes part of it. (PostgreSQL: `doNegate`)
fn negate(expr: Expr, location: Location) -> Expr {
    match expr {
        Expr::AConst(AConst { val: Value::Integer(n), .. }) => {
            Expr::AConst(AConst { val: Value::Integer(n.wrapping_neg()), location })
        }
        Expr::AConst(AConst { val: Value::Float(text), .. }) => {
            let text = match text.strip_prefix(['-', '+']) {
                Some(rest) if text.starts_with('-') => rest.to_owned(),
                Some(rest) => format!("-{rest}"),
                None => format!("-{text}"),
            };
            Expr::AConst(AConst { val: Value::Float(text), location })
        }
        other => make_op(AExprKind::Op, vec!["-".to_owned()], None, other, location),
    }
}

fn sub_link(sub_link_type: SubLinkType, subselect: Box<SelectStmt>, location: Location) -> Expr {
    Expr::SubLink(Box::new(SubLink { sub_link_type, testexpr: None, oper_name: Vec::new(), subselect, location }))
}

/// A call of a `pg_catalog` function in its own syntax.
pub(super) fn sql_function(name: &str, args: Vec<Expr>, location: Location) -> Expr {
    let funcformat = CoercionForm::SqlSyntax;
    Expr::FuncCall(Box::new(FuncCall {
        funcname: system_name(name),
        args,
        funcformat,
        location,
        ..FuncCall::default()
    }))
}
/// A call of a `pg_catalog` function in the ordinary syntax.
pub(super) fn system_function(name: &str, args: Vec<Expr>, location: Location) -> Expr {
    Expr::FuncCall(Box::new(FuncCall { funcname: system_name(name), args, location, ..FuncCall::default() }))
}
