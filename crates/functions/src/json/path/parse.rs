//! The grammar of `jsonpath`, by recursive descent. Expressions and predicates share parentheses, so each part says which of
//! them it is.

use base::Result;
use base::sqlstate::*;

use super::scan::{Scanner, Token};
use super::*;
use crate::err::{error, invalid_input};
use crate::regex::{Flags, Regex};

/// How deep parentheses may nest.
const MAX_DEPTH: u32 = 400;

struct Parser<'a> {
    scan: Scanner<'a>,
    token: Token,
    depth: u32,
}

/// A part and whether it is a predicate.
type Part = (Item, bool);

/// (PostgreSQL: `jsonPathFromCstring`)
pub fn parse(text: &str) -> Result<JsonPath> {
    let mut p = Parser { scan: Scanner::new(text), token: Token::End, depth: 0 };
    p.advance()?;
    if p.token == Token::End {
        return Err(invalid_input("jsonpath", text));
    }
    let mut lax = true;
    if p.is_word("strict") {
        lax = false;
        p.advance()?;
    } else if p.is_word("lax") {
        p.advance()?;
    }
    let (expr, _) = p.either()?;
    if p.token != Token::End {
        return Err(p.unexpected());
    }
    check(&expr, 0, false)?;
    Ok(JsonPath { lax, expr })
}

/// `@` belongs into filters, `last` into subscripts.
fn check(item: &Item, filters: u32, subscript: bool) -> Result<()> {
    match &item.op {
        Op::Current if filters == 0 => {
            return Err(error(SYNTAX_ERROR, "@ is not allowed in root expressions"));
        }
        Op::Last if !subscript => {
            return Err(error(SYNTAX_ERROR, "LAST is allowed only in array subscripts"));
        }
        Op::Binary(_, a, b) => {
            check(a, filters, subscript)?;
            check(b, filters, subscript)?;
        }
        Op::Unary(Unary::Filter, a) => check(a, filters + 1, subscript)?,
        Op::Unary(_, a) | Op::LikeRegex { expr: a, .. } => check(a, filters, subscript)?,
        Op::Index(list) => {
            for (from, to) in list {
                check(from, filters, true)?;
                to.as_ref().map_or(Ok(()), |t| check(t, filters, true))?;
            }
        }
        _ => {}
    }
    item.next.as_ref().map_or(Ok(()), |n| check(n, filters, subscript))
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token> {
        let next = self.scan.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }
    fn unexpected(&self) -> base::PgError {
        self.scan.bad("syntax error")
    }
    fn is_word(&self, word: &str) -> bool {
        // `null`, `true` and `false` count in lower case only.
        let exact = matches!(word, "null" | "true" | "false");
        matches!(&self.token, Token::Word(w) if if exact { w == word } else { w.eq_ignore_ascii_case(word) })
    }
    fn eat(&mut self, c: char) -> Result<bool> {
        if self.token == Token::Char(c) {
            self.advance()?;
            return Ok(true);
        }
        Ok(false)
    }
    fn need(&mut self, c: char) -> Result<()> {
        if self.eat(c)? { Ok(()) } else { Err(self.unexpected()) }
    }
    fn need_word(&mut self, word: &str) -> Result<()> {
        if !self.is_word(word) {
            return Err(self.unexpected());
        }
        self.advance().map(drop)
    }

    fn either(&mut self) -> Result<Part> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let mut left = self.conjunction()?;
        while self.token == Token::Or {
            left = self.connect(left, Binary::Or, Self::conjunction)?;
        }
        self.depth -= 1;
        Ok(left)
    }
    fn connect(&mut self, left: Part, op: Binary, right: fn(&mut Self) -> Result<Part>) -> Result<Part> {
        if !left.1 {
            return Err(self.unexpected());
        }
        self.advance()?;
        let right = right(self)?;
        if !right.1 {
            return Err(self.unexpected());
        }
        Ok((Item::new(Op::Binary(op, Box::new(left.0), Box::new(right.0))), true))
    }
    fn conjunction(&mut self) -> Result<Part> {
        let mut left = self.comparison()?;
        while self.token == Token::And {
            left = self.connect(left, Binary::And, Self::comparison)?;
        }
        Ok(left)
    }
    fn predicate(&mut self) -> Result<Item> {
        let (item, is_predicate) = self.either()?;
        if is_predicate { Ok(item) } else { Err(self.unexpected()) }
    }
    fn expression(&mut self) -> Result<Item> {
        let (item, is_predicate) = self.sum()?;
        if is_predicate { Err(self.unexpected()) } else { Ok(item) }
    }
    fn comparison(&mut self) -> Result<Part> {
        if self.token == Token::Not {
            self.advance()?;
            let inner = if self.is_word("exists") {
                self.exists()?
            } else {
                self.need('(')?;
                let inner = self.predicate()?;
                self.need(')')?;
                inner
            };
            return Ok((Item::new(Op::Unary(Unary::Not, Box::new(inner))), true));
        }
        if self.is_word("exists") {
            return Ok((self.exists()?, true));
        }
        let (left, is_predicate) = self.sum()?;
        if is_predicate {
            return Ok((left, true));
        }
        let op = match self.token {
            Token::Equal => Binary::Equal,
            Token::NotEqual => Binary::NotEqual,
            Token::Less => Binary::Less,
            Token::Greater => Binary::Greater,
            Token::LessOrEqual => Binary::LessOrEqual,
            Token::GreaterOrEqual => Binary::GreaterOrEqual,
            _ if self.is_word("starts") => {
                self.advance()?;
                self.need_word("with")?;
                let initial = match self.advance()? {
                    Token::String(s) => Op::String(s),
                    Token::Variable(v) => Op::Variable(v),
                    _ => return Err(self.unexpected()),
                };
                let op = Op::Binary(Binary::StartsWith, Box::new(left), Box::new(Item::new(initial)));
                return Ok((Item::new(op), true));
            }
            _ if self.is_word("like_regex") => return self.like_regex(left),
            _ => return Ok((left, false)),
        };
        self.advance()?;
        let right = self.expression()?;
        Ok((Item::new(Op::Binary(op, Box::new(left), Box::new(right))), true))
    }
    fn exists(&mut self) -> Result<Item> {
        self.advance()?;
        self.need('(')?;
        let inner = self.expression()?;
        self.need(')')?;
        Ok(Item::new(Op::Unary(Unary::Exists, Box::new(inner))))
    }
    fn string(&mut self) -> Result<String> {
        match &self.token {
            Token::String(s) => {
                let s = s.clone();
                self.advance()?;
                Ok(s)
            }
            _ => Err(self.unexpected()),
        }
    }
    fn like_regex(&mut self, expr: Item) -> Result<Part> {
        self.advance()?;
        let pattern = self.string()?;
        let mut flags = 0;
        if self.is_word("flag") {
            self.advance()?;
            for c in self.string()?.chars() {
                flags |= match c {
                    'i' => REGEX_ICASE,
                    's' => REGEX_DOTALL,
                    'm' => REGEX_MLINE,
                    'x' => REGEX_WSPACE,
                    'q' => REGEX_QUOTE,
                    c => {
                        let detail = format!("Unrecognized flag character \"{c}\" in LIKE_REGEX predicate.");
                        return Err(error(SYNTAX_ERROR, "invalid input syntax for type jsonpath").detail(detail));
                    }
                };
            }
        }
        regex(&pattern, flags)?;
        Ok((Item::new(Op::LikeRegex { expr: Box::new(expr), pattern, flags }), true))
    }

    fn binary(&mut self, left: Part, op: Binary, right: fn(&mut Self) -> Result<Part>) -> Result<Part> {
        if left.1 {
            return Err(self.unexpected());
        }
        self.advance()?;
        let right = right(self)?;
        if right.1 {
            return Err(self.unexpected());
        }
        Ok((Item::new(Op::Binary(op, Box::new(left.0), Box::new(right.0))), false))
    }
    fn sum(&mut self) -> Result<Part> {
        let mut left = self.product()?;
        loop {
            let op = match self.token {
                Token::Char('+') => Binary::Add,
                Token::Char('-') => Binary::Sub,
                _ => return Ok(left),
            };
            left = self.binary(left, op, Self::product)?;
        }
    }
    fn product(&mut self) -> Result<Part> {
        let mut left = self.signed()?;
        loop {
            let op = match self.token {
                Token::Char('*') => Binary::Mul,
                Token::Char('/') => Binary::Div,
                Token::Char('%') => Binary::Mod,
                _ => return Ok(left),
            };
            left = self.binary(left, op, Self::signed)?;
        }
    }
    fn signed(&mut self) -> Result<Part> {
        let op = match self.token {
            Token::Char('+') => Unary::Plus,
            Token::Char('-') => Unary::Minus,
            _ => return self.accessors(),
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.advance()?;
        let (inner, is_predicate) = self.signed()?;
        self.depth -= 1;
        if is_predicate { Err(self.unexpected()) } else { Ok((with_sign(op, inner), false)) }
    }
    fn accessors(&mut self) -> Result<Part> {
        let mut part = self.primary()?;
        if part.1 && self.is_word("is") {
            self.advance()?;
            self.need_word("unknown")?;
            return Ok((Item::new(Op::Unary(Unary::IsUnknown, Box::new(part.0))), true));
        }
        let mut steps = Vec::new();
        while let Some(step) = self.accessor()? {
            steps.push(step);
        }
        if !steps.is_empty() {
            part.1 = false;
            let mut end = &mut part.0;
            for step in steps {
                while end.next.is_some() {
                    end = end.next.as_mut().ok_or_else(|| base::PgError::internal("a step is gone"))?;
                }
                end = end.next.insert(Box::new(step));
            }
        }
        Ok(part)
    }
    fn primary(&mut self) -> Result<Part> {
        let op = match &self.token {
            Token::Char('(') => {
                self.advance()?;
                let inner = self.either()?;
                self.need(')')?;
                return Ok(inner);
            }
            Token::Char('$') => Op::Root,
            Token::Char('@') => Op::Current,
            Token::String(s) => Op::String(s.clone()),
            Token::Variable(v) => Op::Variable(v.clone()),
            Token::Integer(n) | Token::Decimal(n) => Op::Number(Numeric::parse(n)?),
            _ if self.is_word("null") => Op::Null,
            _ if self.is_word("true") => Op::Bool(true),
            _ if self.is_word("false") => Op::Bool(false),
            _ if self.is_word("last") => Op::Last,
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok((Item::new(op), false))
    }
    fn accessor(&mut self) -> Result<Option<Item>> {
        let op = match self.token {
            Token::Char('[') => {
                self.advance()?;
                self.subscripts()?
            }
            Token::Char('?') => {
                self.advance()?;
                self.need('(')?;
                let inner = self.predicate()?;
                self.need(')')?;
                Op::Unary(Unary::Filter, Box::new(inner))
            }
            Token::Char('.') => {
                self.advance()?;
                self.member()?
            }
            _ => return Ok(None),
        };
        Ok(Some(Item::new(op)))
    }
    fn subscripts(&mut self) -> Result<Op> {
        if self.eat('*')? {
            self.need(']')?;
            return Ok(Op::AnyArray);
        }
        let mut list = Vec::new();
        loop {
            let from = self.expression()?;
            let to = if self.is_word("to") {
                self.advance()?;
                Some(self.expression()?)
            } else {
                None
            };
            list.push((from, to));
            if !self.eat(',')? {
                break;
            }
        }
        self.need(']')?;
        Ok(Op::Index(list))
    }
    fn level(&mut self) -> Result<u32> {
        let level = match &self.token {
            Token::Integer(n) => {
                let range = || crate::err::value_out_of_range("integer", n);
                let v = Numeric::parse(n)?.to_i128().ok_or_else(range)?;
                u32::try_from(v).ok().filter(|v| *v <= i32::MAX as u32).ok_or_else(range)?
            }
            _ if self.is_word("last") => u32::MAX,
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok(level)
    }
    fn member(&mut self) -> Result<Op> {
        let name = match &self.token {
            Token::Char('*') => {
                self.advance()?;
                return Ok(Op::AnyKey);
            }
            Token::Any => {
                self.advance()?;
                if !self.eat('{')? {
                    return Ok(Op::Any(0, u32::MAX));
                }
                let first = self.level()?;
                let last = if self.is_word("to") {
                    self.advance()?;
                    self.level()?
                } else {
                    first
                };
                self.need('}')?;
                return Ok(Op::Any(first, last));
            }
            Token::String(s) => {
                let s = s.clone();
                self.advance()?;
                return Ok(Op::Key(s));
            }
            Token::Word(w) => w.clone(),
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        let method = METHODS.into_iter().find(|m| m.name().eq_ignore_ascii_case(&name));
        match method {
            Some(m) if self.token == Token::Char('(') => self.method(m),
            _ => Ok(Op::Key(name)),
        }
    }
    fn method(&mut self, m: Method) -> Result<Op> {
        self.need('(')?;
        let op = match m {
            Method::Decimal => return self.decimal(),
            Method::Datetime => {
                let template = match &self.token {
                    Token::String(s) => Some(Op::String(s.clone())),
                    _ => None,
                };
                self.optional(m, template)?
            }
            Method::Time | Method::TimeTz | Method::Timestamp | Method::TimestampTz => {
                let precision = match &self.token {
                    Token::Integer(n) => Some(Op::Number(Numeric::parse(n)?)),
                    _ => None,
                };
                self.optional(m, precision)?
            }
            m => Op::Method(m),
        };
        self.need(')')?;
        Ok(op)
    }
    fn optional(&mut self, m: Method, arg: Option<Op>) -> Result<Op> {
        if arg.is_some() {
            self.advance()?;
        }
        Ok(Op::Datetime(m, arg.map(|a| Box::new(Item::new(a)))))
    }
    fn decimal(&mut self) -> Result<Op> {
        let mut args = Vec::new();
        if self.token != Token::Char(')') {
            loop {
                let sign = match self.token {
                    Token::Char('+') => Some(Unary::Plus),
                    Token::Char('-') => Some(Unary::Minus),
                    _ => None,
                };
                if sign.is_some() {
                    self.advance()?;
                }
                let Token::Integer(n) = &self.token else { return Err(self.unexpected()) };
                let n = Item::new(Op::Number(Numeric::parse(n)?));
                self.advance()?;
                args.push(Box::new(sign.map_or(n.clone(), |s| with_sign(s, n))));
                if !self.eat(',')? {
                    break;
                }
            }
        }
        self.need(')')?;
        if args.len() > 2 {
            return Err(error(SYNTAX_ERROR, "invalid input syntax for type jsonpath")
                .detail(".decimal() can only have an optional precision[,scale]."));
        }
        let mut args = args.into_iter();
        Ok(Op::Decimal(args.next(), args.next()))
    }
}

/// A sign before a bare number becomes part of it.
fn with_sign(op: Unary, inner: Item) -> Item {
    match inner {
        Item { op: Op::Number(n), next: None } => {
            Item::new(Op::Number(if op == Unary::Minus { n.negate() } else { n }))
        }
        inner => Item::new(Op::Unary(op, Box::new(inner))),
    }
}

/// The regular expression of LIKE_REGEX. (PostgreSQL: `jspConvertRegexFlags`)
pub fn regex(pattern: &str, flags: u32) -> Result<Regex> {
    let has = |f: u32| flags & f != 0;
    let mut f = Flags { icase: has(REGEX_ICASE), ..Flags::NONE };
    if has(REGEX_QUOTE) {
        f.literal = true;
    } else {
        f.newline_stops = !has(REGEX_DOTALL);
        f.newline_anchors = has(REGEX_MLINE);
        if has(REGEX_WSPACE) {
            let text = "XQuery \"x\" flag (expanded regular expressions) is not implemented";
            return Err(error(FEATURE_NOT_SUPPORTED, text));
        }
    }
    Regex::new(pattern, f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        let path = parse(input).unwrap();
        let printed = super::print::to_text(&path);
        assert_eq!(printed, expected, "{input}");
        let stored = super::super::binary::encode(&path);
        assert_eq!(super::print::to_text(&super::super::binary::decode(&stored).unwrap()), expected, "{input} stored");
    }

    #[test]
    fn there_and_back() {
        check("$", "$");
        check("strict $.a.b[*] ? (@.c == 1 && !(@ > 2))", "strict $.\"a\".\"b\"[*]?(@.\"c\" == 1 && !(@ > 2))");
        check("$.a + 1 * -2", "($.\"a\" + 1 * -2)");
        check("$[0, 1 to last - 1].**{2 to last}.size()", "$[0,1 to last - 1].**{2 to last}.size()");
        check("$.a ? (@ like_regex \"^a\" flag \"i\")", "$.\"a\"?(@ like_regex \"^a\" flag \"i\")");
        check("(1.5).floor()", "(1.5).floor()");
        check("$.decimal(10, -2).datetime(\"YYYY\").time_tz(3)", "$.decimal(10,-2).datetime(\"YYYY\").time_tz(3)");
        check("exists ($.a) || $x starts with \"y\"", "(exists ($.\"a\") || $\"x\" starts with \"y\")");
        for bad in ["", "$.", "@", "last", "$ + (1 == 2)", "$ ? (1)", "1a", "$.a like_regex \"(\""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
