//! Function calls, the functions with a syntax of their own, and window definitions.
//!
//! PostgreSQL: `func_expr`, `func_application`, `func_expr_common_subexpr`, `window_specification` of `gram.y`.

use super::expr::{make_op, sql_function, system_function};
use super::*;

impl<'a> Parser<'a> {
    /// A call of `funcname`, at the parenthesis, with WITHIN GROUP, FILTER and OVER; or a constant of a type with modifiers.
    pub(super) fn function_call(&mut self, funcname: Vec<String>, location: Location) -> Result<Expr> {
        let mut call = self.func_application(funcname, location)?;
        if self.peek() == Tok::Sconst {
            return self.modified_const(call);
        }
        if self.is(Kw::Within) && self.is_at(1, Kw::Group) {
            self.within_group(&mut call)?;
        }
        call.agg_filter = self.filter_clause()?;
        call.over = self.over_clause()?;
        Ok(Expr::FuncCall(Box::new(call)))
    }

    /// `varchar(10) 'abc'`
    fn modified_const(&mut self, call: FuncCall) -> Result<Expr> {
        for arg in &call.args {
            if let Expr::NamedArgExpr(named) = arg {
                return Err(error_at("type modifier cannot have parameter name", named.location));
            }
        }
        if !call.agg_order.is_empty() {
            return Err(error_at("type modifier cannot have ORDER BY", call.location));
        }
        if call.agg_star || call.agg_distinct || call.func_variadic {
            return self.fail();
        }
        self.typed_const(call.funcname, call.args, call.location)
    }

    pub(super) fn func_application(&mut self, funcname: Vec<String>, location: Location) -> Result<FuncCall> {
        let mut call = FuncCall { funcname, location, ..FuncCall::default() };
        self.expect_char(b'(')?;
        if self.eat_char(b')') {
            return Ok(call);
        }
        if self.is_char(b'*') && self.is_char_at(1, b')') {
            self.advance();
            self.advance();
            call.agg_star = true;
            return Ok(call);
        }
        let quantified = match self.peek() {
            Tok::Keyword(Kw::All) => true,
            Tok::Keyword(Kw::Distinct) => {
                call.agg_distinct = true;
                true
            }
            _ => false,
        };
        if quantified {
            self.advance();
        }
        loop {
            call.func_variadic = !quantified && self.eat(Kw::Variadic);
            call.args.push(self.func_arg()?);
            if call.func_variadic || !self.eat_char(b',') {
                break;
            }
        }
        call.agg_order = self.opt_sort_clause()?;
        self.expect_char(b')')?;
        Ok(call)
    }

    fn at_named_arg(&self) -> bool {
        matches!(self.peek_at(1), Tok::ColonEquals | Tok::EqualsGreater) && is_type_function_name(self.peek())
    }

    pub(super) fn func_arg(&mut self) -> Result<Expr> {
        if !self.at_named_arg() {
            return self.a_expr();
        }
        let location = self.loc();
        let name = self.type_function_name()?;
        self.advance();
        let arg = self.a_expr()?;
        Ok(Expr::NamedArgExpr(Box::new(NamedArgExpr { name, arg, location })))
    }

    fn within_group(&mut self, call: &mut FuncCall) -> Result<()> {
        let location = self.loc();
        self.advance();
        self.advance();
        self.expect_char(b'(')?;
        if !self.is(Kw::Order) {
            return self.fail();
        }
        let order = self.opt_sort_clause()?;
        self.expect_char(b')')?;
        if !call.agg_order.is_empty() {
            return Err(error_at("cannot use multiple ORDER BY clauses with WITHIN GROUP", location));
        }
        if call.agg_distinct {
            return Err(error_at("cannot use DISTINCT with WITHIN GROUP", location));
        }
        if call.func_variadic {
            return Err(error_at("cannot use VARIADIC with WITHIN GROUP", location));
        }
        call.agg_order = order;
        call.agg_within_group = true;
        Ok(())
    }

    pub(super) fn filter_clause(&mut self) -> Result<Option<Expr>> {
        if !(self.is(Kw::Filter) && self.is_char_at(1, b'(')) {
            return Ok(None);
        }
        self.advance();
        self.advance();
        self.expect(Kw::Where)?;
        let filter = self.a_expr()?;
        self.expect_char(b')')?;
        Ok(Some(filter))
    }

    pub(super) fn over_clause(&mut self) -> Result<Option<Box<WindowDef>>> {
        if !(self.is(Kw::Over) && (self.is_char_at(1, b'(') || is_col_id(self.peek_at(1)))) {
            return Ok(None);
        }
        self.advance();
        let location = self.loc();
        if self.is_char(b'(') {
            return self.window_specification().map(|w| Some(Box::new(w)));
        }
        let name = Some(self.col_id()?);
        let frame_options = frame_option::DEFAULTS;
        Ok(Some(Box::new(WindowDef { name, frame_options, location, ..WindowDef::default() })))
    }

    pub(super) fn window_specification(&mut self) -> Result<WindowDef> {
        let location = self.loc();
        self.expect_char(b'(')?;
        let mut window = WindowDef { location, ..WindowDef::default() };
        let clause = matches!(self.peek(), Tok::Keyword(Kw::Partition | Kw::Range | Kw::Rows | Kw::Groups));
        if is_col_id(self.peek()) && !clause {
            window.refname = Some(self.col_id()?);
        }
        if self.eat(Kw::Partition) {
            self.expect(Kw::By)?;
            window.partition_clause = self.list(Self::a_expr)?;
        }
        window.order_clause = self.opt_sort_clause()?;
        self.frame_clause(&mut window)?;
        self.expect_char(b')')?;
        Ok(window)
    }

    fn frame_clause(&mut self, window: &mut WindowDef) -> Result<()> {
        use frame_option::*;
        window.frame_options = NONDEFAULT
            | match self.peek() {
                Tok::Keyword(Kw::Range) => RANGE,
                Tok::Keyword(Kw::Rows) => ROWS,
                Tok::Keyword(Kw::Groups) => GROUPS,
                _ => {
                    window.frame_options = DEFAULTS;
                    return Ok(());
                }
            };
        self.advance();
        let error = |text: &str, at: Location| Err(PgError::new(WINDOWING_ERROR, text).at(at));
        if self.eat(Kw::Between) {
            let (start_at, start, start_offset) = self.frame_bound()?;
            self.expect(Kw::And)?;
            let (end_at, end, end_offset) = self.frame_bound()?;
            // The end's bits are one to the left of the start's.
            let options = start | end << 1 | BETWEEN;
            if options & START_UNBOUNDED_FOLLOWING != 0 {
                return error("frame start cannot be UNBOUNDED FOLLOWING", start_at);
            }
            if options & END_UNBOUNDED_PRECEDING != 0 {
                return error("frame end cannot be UNBOUNDED PRECEDING", end_at);
            }
            if options & START_CURRENT_ROW != 0 && options & END_OFFSET_PRECEDING != 0 {
                return error("frame starting from current row cannot have preceding rows", end_at);
            }
            if options & START_OFFSET_FOLLOWING != 0 && options & (END_OFFSET_PRECEDING | END_CURRENT_ROW) != 0 {
                return error("frame starting from following row cannot have preceding rows", end_at);
            }
            window.frame_options |= options;
            (window.start_offset, window.end_offset) = (start_offset, end_offset);
        } else {
            let (at, start, offset) = self.frame_bound()?;
            if start & START_UNBOUNDED_FOLLOWING != 0 {
                return error("frame start cannot be UNBOUNDED FOLLOWING", at);
            }
            if start & START_OFFSET_FOLLOWING != 0 {
                return error("frame starting from following row cannot end with current row", at);
            }
            window.frame_options |= start | END_CURRENT_ROW;
            window.start_offset = offset;
        }
        if self.eat(Kw::Exclude) {
            window.frame_options |= match self.peek() {
                Tok::Keyword(Kw::Current) if self.is_at(1, Kw::Row) => EXCLUDE_CURRENT_ROW,
                Tok::Keyword(Kw::No) if self.is_at(1, Kw::Others) => 0,
                Tok::Keyword(Kw::Group) => EXCLUDE_GROUP,
                Tok::Keyword(Kw::Ties) => EXCLUDE_TIES,
                Tok::Keyword(Kw::Current | Kw::No) => {
                    self.advance();
                    return self.fail();
                }
                _ => return self.fail(),
            };
            if matches!(self.peek(), Tok::Keyword(Kw::Current | Kw::No)) {
                self.advance();
            }
            self.advance();
        }
        Ok(())
    }

    /// A bound, with the bits it has as a start.
    fn frame_bound(&mut self) -> Result<(Location, u32, Option<Expr>)> {
        use frame_option::*;
        let at = self.loc();
        if self.eat2(Kw::Unbounded, Kw::Preceding) {
            return Ok((at, START_UNBOUNDED_PRECEDING, None));
        }
        if self.eat2(Kw::Unbounded, Kw::Following) {
            return Ok((at, START_UNBOUNDED_FOLLOWING, None));
        }
        if self.eat2(Kw::Current, Kw::Row) {
            return Ok((at, START_CURRENT_ROW, None));
        }
        let offset = Some(self.a_expr()?);
        if self.eat(Kw::Preceding) {
            return Ok((at, START_OFFSET_PRECEDING, offset));
        }
        self.expect(Kw::Following)?;
        Ok((at, START_OFFSET_FOLLOWING, offset))
    }

    /// A function in FROM or an index: without FILTER and OVER. (PostgreSQL: `func_expr_windowless`)
    pub(super) fn func_expr_windowless(&mut self) -> Result<Expr> {
        let location = self.loc();
        if let Tok::Keyword(kw) = self.peek()
            && let Some(expr) = self.common_subexpr(kw)?
        {
            return Ok(expr);
        }
        let funcname = self.func_name()?;
        Ok(Expr::FuncCall(Box::new(self.func_application(funcname, location)?)))
    }

    /// The functions and constants that begin with a keyword; `None` when the word is a plain name after all.
    pub(super) fn common_subexpr(&mut self, kw: Kw) -> Result<Option<Expr>> {
        use SQLValueFunctionOp::*;
        let location = self.loc();
        let paren = self.is_char_at(1, b'(');
        let value = |op| Ok(Some(Expr::SQLValueFunction(Box::new(SQLValueFunction { op, typmod: -1, location }))));
        let timed = match kw {
            Kw::CurrentTime => Some((CurrentTime, CurrentTimeN)),
            Kw::CurrentTimestamp => Some((CurrentTimestamp, CurrentTimestampN)),
            Kw::Localtime => Some((Localtime, LocaltimeN)),
            Kw::Localtimestamp => Some((Localtimestamp, LocaltimestampN)),
            _ => None,
        };
        if let Some((plain, precise)) = timed {
            self.advance();
            if !self.eat_char(b'(') {
                return value(plain);
            }
            let typmod = self.iconst()?;
            self.expect_char(b')')?;
            return Ok(Some(Expr::SQLValueFunction(Box::new(SQLValueFunction { op: precise, typmod, location }))));
        }
        let constant = match kw {
            Kw::CurrentDate => Some(CurrentDate),
            Kw::CurrentRole => Some(CurrentRole),
            Kw::CurrentUser => Some(CurrentUser),
            Kw::SessionUser => Some(SessionUser),
            Kw::User => Some(User),
            Kw::CurrentCatalog => Some(CurrentCatalog),
            Kw::CurrentSchema if !paren => Some(CurrentSchema),
            _ => None,
        };
        if let Some(op) = constant {
            self.advance();
            return value(op);
        }
        if kw == Kw::SystemUser {
            self.advance();
            return Ok(Some(sql_function("system_user", Vec::new(), location)));
        }
        if kw == Kw::Collation && self.is_at(1, Kw::For) {
            self.advance();
            self.advance();
            self.expect_char(b'(')?;
            let arg = self.a_expr()?;
            self.expect_char(b')')?;
            return Ok(Some(sql_function("pg_collation_for", vec![arg], location)));
        }
        if let Some(expr) = self.keyword_const(kw)? {
            return Ok(Some(expr));
        }
        if !paren || kw.category() != Category::ColName && kw != Kw::Cast {
            return Ok(None);
        }
        let expr = match kw {
            Kw::Cast | Kw::Treat => self.cast_treat(kw)?,
            Kw::Extract => self.extract()?,
            Kw::Normalize => self.normalize()?,
            Kw::Overlay => self.overlay()?,
            Kw::Position => self.position()?,
            Kw::Substring => self.substring()?,
            Kw::Trim => self.trim()?,
            Kw::Nullif => self.nullif()?,
            Kw::Coalesce | Kw::Greatest | Kw::Least => {
                self.advance();
                let args = self.paren_list(Self::a_expr)?;
                match kw {
                    Kw::Coalesce => Expr::CoalesceExpr(Box::new(CoalesceExpr { args, location })),
                    Kw::Greatest => Expr::MinMaxExpr(Box::new(MinMaxExpr { op: MinMaxOp::Greatest, args, location })),
                    _ => Expr::MinMaxExpr(Box::new(MinMaxExpr { op: MinMaxOp::Least, args, location })),
                }
            }
            Kw::MergeAction => {
                self.advance();
                self.expect_char(b'(')?;
                self.expect_char(b')')?;
                Expr::MergeSupportFunc(location)
            }
            _ => return self.xml_json_function(kw),
        };
        Ok(Some(expr))
    }

    /// `INTERVAL '1' DAY`, `int '5'`, `timestamp(3) '..'`, when that is what it is.
    fn keyword_const(&mut self, kw: Kw) -> Result<Option<Expr>> {
        if kw.category() != Category::ColName {
            return Ok(None);
        }
        let (from, location) = (self.pos, self.loc());
        if kw == Kw::Interval {
            if self.peek_at(1) == Tok::Sconst {
                self.advance();
                let at = self.loc();
                let arg = string_const(self.string()?, at);
                let typmods = self.opt_interval()?;
                let type_name = system_type("interval", typmods, location);
                let cast = TypeCast { arg, type_name, location: Location::UNKNOWN };
                return Ok(Some(Expr::TypeCast(Box::new(cast))));
            }
            if self.is_char_at(1, b'(') {
                let type_name = self.simple_type_name()?;
                return self.const_cast(type_name).map(Some);
            }
            return Ok(None);
        }
        let plausible = match self.peek_at(1) {
            Tok::Sconst | Tok::Char(b'(') | Tok::Ahead(Kw::With | Kw::Without) => true,
            Tok::Keyword(Kw::Varying | Kw::Precision | Kw::Character | Kw::Char) => true,
            _ => false,
        };
        if !plausible || kw == Kw::Json && self.is_char_at(1, b'(') {
            return Ok(None);
        }
        if let Some(type_name) = self.keyword_type(kw, true)?
            && self.peek() == Tok::Sconst
        {
            return self.const_cast(type_name).map(Some);
        }
        self.pos = from;
        Ok(None)
    }

    /// The word and its parenthesis.
    pub(super) fn open(&mut self) -> Result<Location> {
        let location = self.loc();
        self.advance();
        self.expect_char(b'(')?;
        Ok(location)
    }

    fn cast_treat(&mut self, kw: Kw) -> Result<Expr> {
        let location = self.open()?;
        let arg = self.a_expr()?;
        self.expect(Kw::As)?;
        let type_name = self.type_name()?;
        self.expect_char(b')')?;
        if kw == Kw::Cast {
            return Ok(Expr::TypeCast(Box::new(TypeCast { arg, type_name, location })));
        }
        let name = type_name.names.last().cloned().unwrap_or_default();
        Ok(system_function(&name, vec![arg], location))
    }

    fn extract(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let at = self.loc();
        let field = match self.peek() {
            Tok::Ident | Tok::Sconst => self.text().to_owned(),
            Tok::Keyword(kw @ (Kw::Year | Kw::Month | Kw::Day | Kw::Hour | Kw::Minute | Kw::Second)) => {
                kw.word().to_owned()
            }
            _ => return self.fail(),
        };
        self.advance();
        self.expect(Kw::From)?;
        let arg = self.a_expr()?;
        self.expect_char(b')')?;
        Ok(sql_function("extract", vec![string_const(field, at), arg], location))
    }

    fn normalize(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let mut args = vec![self.a_expr()?];
        if self.eat_char(b',') {
            let at = self.loc();
            let Tok::Keyword(kw @ (Kw::Nfc | Kw::Nfd | Kw::Nfkc | Kw::Nfkd)) = self.peek() else { return self.fail() };
            self.advance();
            args.push(string_const(kw.word(), at));
        }
        self.expect_char(b')')?;
        Ok(sql_function("normalize", args, location))
    }

    /// The ordinary form of a function that has two: `first` and what follows are plain arguments.
    fn plain_call(&mut self, name: &str, first: Option<Expr>, location: Location) -> Result<Expr> {
        let mut args = Vec::new();
        match first {
            Some(first) => args.push(first),
            None if !self.is_char(b')') => args.push(self.func_arg()?),
            None => {}
        }
        if !args.is_empty() {
            while self.eat_char(b',') {
                args.push(self.func_arg()?);
            }
        }
        self.expect_char(b')')?;
        let funcname = vec![name.to_owned()];
        Ok(Expr::FuncCall(Box::new(FuncCall { funcname, args, location, ..FuncCall::default() })))
    }

    fn overlay(&mut self) -> Result<Expr> {
        let location = self.open()?;
        if self.is_char(b')') || self.at_named_arg() {
            return self.plain_call("overlay", None, location);
        }
        let first = self.a_expr()?;
        if !self.eat(Kw::Placing) {
            return self.plain_call("overlay", Some(first), location);
        }
        let mut args = vec![first, self.a_expr()?];
        self.expect(Kw::From)?;
        args.push(self.a_expr()?);
        if self.eat(Kw::For) {
            args.push(self.a_expr()?);
        }
        self.expect_char(b')')?;
        Ok(sql_function("overlay", args, location))
    }

    fn position(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let needle = self.b_expr()?;
        self.expect(Kw::In)?;
        let haystack = self.b_expr()?;
        self.expect_char(b')')?;
        Ok(sql_function("position", vec![haystack, needle], location))
    }

    fn substring(&mut self) -> Result<Expr> {
        let location = self.open()?;
        if self.is_char(b')') || self.at_named_arg() {
            return self.plain_call("substring", None, location);
        }
        let text = self.a_expr()?;
        let args = if self.eat(Kw::From) {
            let from = self.a_expr()?;
            match self.eat(Kw::For) {
                true => vec![text, from, self.a_expr()?],
                false => vec![text, from],
            }
        } else if self.eat(Kw::For) {
            let length = self.a_expr()?;
            match self.eat(Kw::From) {
                true => vec![text, self.a_expr()?, length],
                false => {
                    // The length is cast, so that it is not taken for a pattern.
                    let type_name = system_type("int4", Vec::new(), Location::UNKNOWN);
                    let cast = TypeCast { arg: length, type_name, location: Location::UNKNOWN };
                    vec![text, int_const(1, Location::UNKNOWN), Expr::TypeCast(Box::new(cast))]
                }
            }
        } else if self.eat(Kw::Similar) {
            let pattern = self.a_expr()?;
            self.expect(Kw::Escape)?;
            vec![text, pattern, self.a_expr()?]
        } else {
            return self.plain_call("substring", Some(text), location);
        };
        self.expect_char(b')')?;
        Ok(sql_function("substring", args, location))
    }

    fn trim(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let name = match self.peek() {
            Tok::Keyword(Kw::Leading) => "ltrim",
            Tok::Keyword(Kw::Trailing) => "rtrim",
            _ => "btrim",
        };
        if matches!(self.peek(), Tok::Keyword(Kw::Leading | Kw::Trailing | Kw::Both)) {
            self.advance();
        }
        let args = if self.eat(Kw::From) {
            self.list(Self::a_expr)?
        } else {
            let first = self.a_expr()?;
            if self.eat(Kw::From) {
                let mut args = self.list(Self::a_expr)?;
                args.push(first);
                args
            } else {
                let mut args = vec![first];
                while self.eat_char(b',') {
                    args.push(self.a_expr()?);
                }
                args
            }
        };
        self.expect_char(b')')?;
        Ok(sql_function(name, args, location))
    }

    fn nullif(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let left = self.a_expr()?;
        self.expect_char(b',')?;
        let right = self.a_expr()?;
        self.expect_char(b')')?;
        Ok(make_op(AExprKind::Nullif, vec!["=".to_owned()], Some(left), right, location))
    }
}
