//! SQL/XML and SQL/JSON functions, JSON_TABLE and XMLTABLE.
//!
//! PostgreSQL: the `xml*` and `json*` rules of `gram.y`.

use super::*;

impl<'a> Parser<'a> {
    pub(super) fn xml_json_function(&mut self, kw: Kw) -> Result<Option<Expr>> {
        let expr = match kw {
            Kw::Xmlconcat => {
                let location = self.loc();
                self.advance();
                let args = self.paren_list(Self::a_expr)?;
                xml(XmlExprOp::IsXmlConcat, None, Vec::new(), args, location)
            }
            Kw::Xmlelement => self.xml_element()?,
            Kw::Xmlexists => {
                let location = self.open()?;
                let path = self.c_expr()?;
                let arg = self.xmlexists_argument()?;
                self.expect_char(b')')?;
                super::expr::sql_function("xmlexists", vec![path, arg], location)
            }
            Kw::Xmlforest => {
                let location = self.loc();
                self.advance();
                let named = self.paren_list(Self::xml_attribute)?;
                xml(XmlExprOp::IsXmlForest, None, named, Vec::new(), location)
            }
            Kw::Xmlparse => self.xml_parse()?,
            Kw::Xmlpi => {
                let location = self.open()?;
                self.expect(Kw::Name)?;
                let name = self.col_label()?;
                let args = if self.eat_char(b',') { vec![self.a_expr()?] } else { Vec::new() };
                self.expect_char(b')')?;
                xml(XmlExprOp::IsXmlPi, Some(name), Vec::new(), args, location)
            }
            Kw::Xmlroot => self.xml_root()?,
            Kw::Xmlserialize => self.xml_serialize()?,
            Kw::JsonObject => self.json_object()?,
            Kw::JsonArray => self.json_array()?,
            Kw::Json => {
                let location = self.open()?;
                let expr = self.json_value_expr()?;
                let unique_keys = self.json_unique_keys()?;
                self.expect_char(b')')?;
                Expr::JsonParseExpr(Box::new(JsonParseExpr { expr, output: None, unique_keys, location }))
            }
            Kw::JsonScalar => {
                let location = self.open()?;
                let expr = self.a_expr()?;
                self.expect_char(b')')?;
                Expr::JsonScalarExpr(Box::new(JsonScalarExpr { expr, output: None, location }))
            }
            Kw::JsonSerialize => {
                let location = self.open()?;
                let expr = self.json_value_expr()?;
                let output = self.json_returning()?;
                self.expect_char(b')')?;
                Expr::JsonSerializeExpr(Box::new(JsonSerializeExpr { expr, output, location }))
            }
            Kw::JsonQuery | Kw::JsonExists | Kw::JsonValue => self.json_func(kw)?,
            Kw::JsonObjectagg | Kw::JsonArrayagg => self.json_aggregate(kw)?,
            _ => return Ok(None),
        };
        Ok(Some(expr))
    }

    fn xml_element(&mut self) -> Result<Expr> {
        let location = self.open()?;
        self.expect(Kw::Name)?;
        let name = self.col_label()?;
        let (mut named, mut args) = (Vec::new(), Vec::new());
        if self.eat_char(b',') {
            if self.is(Kw::Xmlattributes) && self.is_char_at(1, b'(') {
                self.advance();
                named = self.paren_list(Self::xml_attribute)?;
                if self.eat_char(b',') {
                    args = self.list(Self::a_expr)?;
                }
            } else {
                args = self.list(Self::a_expr)?;
            }
        }
        self.expect_char(b')')?;
        Ok(xml(XmlExprOp::IsXmlElement, Some(name), named, args, location))
    }

    fn xml_attribute(&mut self) -> Result<ResTarget> {
        let location = self.loc();
        let val = Some(self.a_expr()?);
        let name = if self.eat(Kw::As) { Some(self.col_label()?) } else { None };
        Ok(ResTarget { name, indirection: Vec::new(), val, location })
    }

    fn document_or_content(&mut self) -> Result<XmlOptionType> {
        if self.eat(Kw::Document) {
            return Ok(XmlOptionType::Document);
        }
        self.expect(Kw::Content)?;
        Ok(XmlOptionType::Content)
    }

    fn xml_parse(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let xmloption = self.document_or_content()?;
        let text = self.a_expr()?;
        let preserve = self.eat(Kw::Preserve);
        if preserve || self.eat(Kw::Strip) {
            self.expect(Kw::Whitespace)?;
        }
        self.expect_char(b')')?;
        let flag = Expr::AConst(AConst { val: Value::Boolean(preserve), location: Location::UNKNOWN });
        let (op, args) = (XmlExprOp::IsXmlParse, vec![text, flag]);
        Ok(Expr::XmlExpr(Box::new(XmlExpr { op, name: None, named_args: Vec::new(), args, xmloption, location })))
    }

    /// The last argument is 0 for YES, 1 for NO, 2 for NO VALUE, 3 for none. (PostgreSQL: `XmlStandaloneType`)
    fn xml_root(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let doc = self.a_expr()?;
        self.expect_char(b',')?;
        self.expect(Kw::Version)?;
        let version = match self.eat2(Kw::No, Kw::Value) {
            true => Expr::AConst(AConst { val: Value::Null, location: Location::UNKNOWN }),
            false => self.a_expr()?,
        };
        let mut standalone = 3;
        if self.eat_char(b',') {
            self.expect(Kw::Standalone)?;
            standalone = if self.eat(Kw::Yes) {
                0
            } else {
                self.expect(Kw::No)?;
                if self.eat(Kw::Value) { 2 } else { 1 }
            };
        }
        self.expect_char(b')')?;
        let args = vec![doc, version, int_const(standalone, Location::UNKNOWN)];
        Ok(xml(XmlExprOp::IsXmlRoot, None, Vec::new(), args, location))
    }

    fn xml_serialize(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let xmloption = self.document_or_content()?;
        let expr = self.a_expr()?;
        self.expect(Kw::As)?;
        let type_name = self.simple_type_name()?;
        let indent = self.eat(Kw::Indent);
        if !indent && self.eat(Kw::No) {
            self.expect(Kw::Indent)?;
        }
        self.expect_char(b')')?;
        Ok(Expr::XmlSerialize(Box::new(XmlSerialize { xmloption, expr, type_name, indent, location })))
    }

    /// `PASSING [BY REF] doc [BY REF]`
    fn xmlexists_argument(&mut self) -> Result<Expr> {
        self.expect(Kw::Passing)?;
        self.xml_passing_mech()?;
        let arg = self.c_expr()?;
        self.xml_passing_mech()?;
        Ok(arg)
    }
    fn xml_passing_mech(&mut self) -> Result<()> {
        if self.eat(Kw::By) && !self.eat(Kw::Ref) {
            self.expect(Kw::Value)?;
        }
        Ok(())
    }

    /// After `x IS [NOT]` and JSON.
    pub(super) fn is_json(&mut self, expr: Expr, location: Location) -> Result<Expr> {
        let item_type = match self.peek() {
            Tok::Keyword(Kw::Value) => JsonValueType::Any,
            Tok::Keyword(Kw::Array) => JsonValueType::Array,
            Tok::Keyword(Kw::Object) => JsonValueType::Object,
            Tok::Keyword(Kw::Scalar) => JsonValueType::Scalar,
            _ => {
                let unique_keys = self.json_unique_keys()?;
                return Ok(is_json(expr, JsonValueType::Any, unique_keys, location));
            }
        };
        self.advance();
        let unique_keys = self.json_unique_keys()?;
        Ok(is_json(expr, item_type, unique_keys, location))
    }

    /// `[WITH | WITHOUT UNIQUE [KEYS]]`
    fn json_unique_keys(&mut self) -> Result<bool> {
        let with = self.is(Kw::With);
        if !with && !self.is(Kw::Without) {
            return Ok(false);
        }
        self.advance();
        self.expect(Kw::Unique)?;
        self.eat(Kw::Keys);
        Ok(with)
    }

    fn json_value_expr(&mut self) -> Result<JsonValueExpr> {
        let raw_expr = self.a_expr()?;
        Ok(JsonValueExpr { raw_expr, format: self.json_format()? })
    }

    fn json_format(&mut self) -> Result<JsonFormat> {
        let location = self.loc();
        if !self.eat_tok(Tok::Ahead(Kw::Format)) {
            return Ok(JsonFormat::default());
        }
        self.expect(Kw::Json)?;
        let mut encoding = JsonEncoding::Default;
        if self.eat(Kw::Encoding) {
            let at = self.loc();
            let name = self.col_id()?;
            encoding = match name.to_ascii_lowercase().as_str() {
                "utf8" => JsonEncoding::Utf8,
                "utf16" => JsonEncoding::Utf16,
                "utf32" => JsonEncoding::Utf32,
                _ => {
                    let text = format!("unrecognized JSON encoding: {name}");
                    return Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(at));
                }
            };
        }
        Ok(JsonFormat { format_type: JsonFormatType::Json, encoding, location })
    }

    fn json_returning(&mut self) -> Result<Option<JsonOutput>> {
        if !self.eat(Kw::Returning) {
            return Ok(None);
        }
        let type_name = self.type_name()?;
        Ok(Some(JsonOutput { type_name, format: self.json_format()? }))
    }

    /// `[NULL | ABSENT ON NULL]`: whether nulls are left out.
    fn json_null_clause(&mut self, default: bool) -> Result<bool> {
        let absent = match self.peek() {
            Tok::Keyword(Kw::Null) => false,
            Tok::Keyword(Kw::Absent) => true,
            _ => return Ok(default),
        };
        self.advance();
        self.expect_all(&[Kw::On, Kw::Null])?;
        Ok(absent)
    }

    fn json_name_and_value(&mut self) -> Result<JsonKeyValue> {
        let key = self.a_expr()?;
        self.json_value_of(key)
    }
    fn json_value_of(&mut self, key: Expr) -> Result<JsonKeyValue> {
        if !self.eat(Kw::Value) {
            self.expect_char(b':')?;
        }
        Ok(JsonKeyValue { key, value: self.json_value_expr()? })
    }

    fn json_object(&mut self) -> Result<Expr> {
        let location = self.open()?;
        let mut exprs = Vec::new();
        let (mut absent_on_null, mut unique) = (false, false);
        if !self.is_char(b')') && !self.is(Kw::Returning) {
            let first = self.func_arg()?;
            if !self.is(Kw::Value) && !self.is_char(b':') {
                // The function of that name.
                let mut args = vec![first];
                while self.eat_char(b',') {
                    args.push(self.func_arg()?);
                }
                self.expect_char(b')')?;
                let funcname = vec!["json_object".to_owned()];
                let call = FuncCall { funcname, args, location, ..FuncCall::default() };
                return Ok(Expr::FuncCall(Box::new(call)));
            }
            exprs.push(self.json_value_of(first)?);
            while self.eat_char(b',') {
                exprs.push(self.json_name_and_value()?);
            }
            absent_on_null = self.json_null_clause(false)?;
            unique = self.json_unique_keys()?;
        }
        let output = self.json_returning()?;
        self.expect_char(b')')?;
        let object = JsonObjectConstructor { exprs, output, absent_on_null, unique, location };
        Ok(Expr::JsonObjectConstructor(Box::new(object)))
    }

    fn json_array(&mut self) -> Result<Expr> {
        let location = self.open()?;
        if self.at_select() {
            let query = Box::new(self.select_no_parens()?);
            let format = self.json_format()?;
            let output = self.json_returning()?;
            self.expect_char(b')')?;
            let array = JsonArrayQueryConstructor { query, output, format, absent_on_null: true, location };
            return Ok(Expr::JsonArrayQueryConstructor(Box::new(array)));
        }
        let (mut exprs, mut absent_on_null) = (Vec::new(), true);
        if !self.is_char(b')') && !self.is(Kw::Returning) {
            exprs = self.list(Self::json_value_expr)?;
            absent_on_null = self.json_null_clause(true)?;
        }
        let output = self.json_returning()?;
        self.expect_char(b')')?;
        let array = JsonArrayConstructor { exprs, output, absent_on_null, location };
        Ok(Expr::JsonArrayConstructor(Box::new(array)))
    }

    fn json_passing(&mut self) -> Result<Vec<JsonArgument>> {
        if !self.eat(Kw::Passing) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let val = p.json_value_expr()?;
            p.expect(Kw::As)?;
            Ok(JsonArgument { val, name: p.col_label()? })
        })
    }

    fn json_wrapper(&mut self) -> Result<JsonWrapper> {
        let wrapper = match self.peek() {
            Tok::Keyword(Kw::Without) => {
                self.advance();
                JsonWrapper::None
            }
            Tok::Keyword(Kw::With) => {
                self.advance();
                if self.eat(Kw::Conditional) {
                    JsonWrapper::Conditional
                } else {
                    self.eat(Kw::Unconditional);
                    JsonWrapper::Unconditional
                }
            }
            _ => return Ok(JsonWrapper::Unspec),
        };
        self.eat(Kw::Array);
        self.expect(Kw::Wrapper)?;
        Ok(wrapper)
    }

    fn json_quotes(&mut self) -> Result<JsonQuotes> {
        let quotes = match self.peek() {
            Tok::Keyword(Kw::Keep) => JsonQuotes::Keep,
            Tok::Keyword(Kw::Omit) => JsonQuotes::Omit,
            _ => return Ok(JsonQuotes::Unspec),
        };
        self.advance();
        self.expect(Kw::Quotes)?;
        if self.eat(Kw::On) {
            self.expect_all(&[Kw::Scalar, Kw::String])?;
        }
        Ok(quotes)
    }

    fn opt_json_behavior(&mut self) -> Result<Option<JsonBehavior>> {
        let location = self.loc();
        let Tok::Keyword(kw) = self.peek() else { return Ok(None) };
        let mut expr = None;
        let btype = match kw {
            Kw::Default => JsonBehaviorType::Default,
            Kw::Error => JsonBehaviorType::Error,
            Kw::Null => JsonBehaviorType::Null,
            Kw::True => JsonBehaviorType::True,
            Kw::False => JsonBehaviorType::False,
            Kw::Unknown => JsonBehaviorType::Unknown,
            Kw::Empty => JsonBehaviorType::EmptyArray,
            _ => return Ok(None),
        };
        self.advance();
        let btype = match kw {
            Kw::Default => {
                expr = Some(self.a_expr()?);
                btype
            }
            Kw::Empty if self.eat(Kw::Object) => JsonBehaviorType::EmptyObject,
            Kw::Empty => {
                self.eat(Kw::Array);
                btype
            }
            _ => btype,
        };
        Ok(Some(JsonBehavior { btype, expr, location }))
    }

    /// `[... ON EMPTY] [... ON ERROR]`
    fn json_behaviors(&mut self) -> Result<(Option<JsonBehavior>, Option<JsonBehavior>)> {
        let first = self.opt_json_behavior()?;
        if first.is_none() {
            return Ok((None, None));
        }
        self.expect(Kw::On)?;
        if self.eat(Kw::Error) {
            return Ok((None, first));
        }
        self.expect(Kw::Empty)?;
        let second = self.json_on_error()?;
        Ok((first, second))
    }
    fn json_on_error(&mut self) -> Result<Option<JsonBehavior>> {
        let behavior = self.opt_json_behavior()?;
        if behavior.is_some() {
            self.expect_all(&[Kw::On, Kw::Error])?;
        }
        Ok(behavior)
    }

    fn json_func(&mut self, kw: Kw) -> Result<Expr> {
        let location = self.open()?;
        let context_item = self.json_value_expr()?;
        self.expect_char(b',')?;
        let pathspec = self.a_expr()?;
        let passing = self.json_passing()?;
        let (mut output, mut wrapper, mut quotes) = (None, JsonWrapper::Unspec, JsonQuotes::Unspec);
        let op = match kw {
            Kw::JsonQuery => JsonExprOp::Query,
            Kw::JsonValue => JsonExprOp::Value,
            _ => JsonExprOp::Exists,
        };
        if op != JsonExprOp::Exists {
            output = self.json_returning()?;
        }
        if op == JsonExprOp::Query {
            wrapper = self.json_wrapper()?;
            quotes = self.json_quotes()?;
        }
        let (on_empty, on_error) = match op {
            JsonExprOp::Exists => (None, self.json_on_error()?),
            _ => self.json_behaviors()?,
        };
        self.expect_char(b')')?;
        Ok(Expr::JsonFuncExpr(Box::new(JsonFuncExpr {
            op,
            column_name: None,
            context_item,
            pathspec,
            passing,
            output,
            on_empty,
            on_error,
            wrapper,
            quotes,
            location,
        })))
    }

    fn json_aggregate(&mut self, kw: Kw) -> Result<Expr> {
        let location = self.open()?;
        let object = kw == Kw::JsonObjectagg;
        let (mut pair, mut item, mut agg_order, mut unique) = (None, None, Vec::new(), false);
        let absent_on_null = if object {
            pair = Some(self.json_name_and_value()?);
            let absent = self.json_null_clause(false)?;
            unique = self.json_unique_keys()?;
            absent
        } else {
            item = Some(self.json_value_expr()?);
            agg_order = self.opt_sort_clause()?;
            self.json_null_clause(true)?
        };
        let output = self.json_returning()?;
        self.expect_char(b')')?;
        let agg_filter = self.filter_clause()?;
        let over = self.over_clause()?;
        let constructor = JsonAggConstructor { output, agg_filter, agg_order, over, location };
        Ok(match (pair, item) {
            (Some(arg), _) => Expr::JsonObjectAgg(Box::new(JsonObjectAgg { constructor, arg, absent_on_null, unique })),
            (_, Some(arg)) => Expr::JsonArrayAgg(Box::new(JsonArrayAgg { constructor, arg, absent_on_null })),
            _ => return self.fail(),
        })
    }

    /// JSON_TABLE, without its alias.
    pub(super) fn json_table(&mut self, lateral: bool) -> Result<JsonTable> {
        let location = self.open()?;
        let context_item = self.json_value_expr()?;
        self.expect_char(b',')?;
        let path_location = self.loc();
        let string = self.a_expr()?;
        if !matches!(&string, Expr::AConst(AConst { val: Value::String(_), .. })) {
            let text = "only string constants are supported in JSON_TABLE path specification";
            return Err(unsupported_at(text, path_location));
        }
        let (mut name, mut name_location) = (None, Location::UNKNOWN);
        if self.eat(Kw::As) {
            name_location = self.loc();
            name = Some(self.col_id()?);
        }
        let pathspec = JsonTablePathSpec { string, name, name_location, location: path_location };
        let passing = self.json_passing()?;
        self.expect(Kw::Columns)?;
        let columns = self.paren_list(Self::json_table_column)?;
        let on_error = self.json_on_error()?;
        self.expect_char(b')')?;
        Ok(JsonTable { context_item, pathspec, passing, columns, on_error, alias: None, lateral, location })
    }

    fn json_path(&mut self) -> Result<Option<JsonTablePathSpec>> {
        if !self.eat(Kw::Path) {
            return Ok(None);
        }
        let location = self.loc();
        let string = string_const(self.string()?, location);
        Ok(Some(JsonTablePathSpec { string, name: None, name_location: Location::UNKNOWN, location }))
    }

    fn json_table_column(&mut self) -> Result<JsonTableColumn> {
        let location = self.loc();
        let mut column = JsonTableColumn {
            coltype: JsonTableColumnType::Regular,
            name: None,
            type_name: None,
            pathspec: None,
            format: JsonFormat::default(),
            wrapper: JsonWrapper::Unspec,
            quotes: JsonQuotes::Unspec,
            columns: Vec::new(),
            on_empty: None,
            on_error: None,
            location,
        };
        let nested = self.is(Kw::Nested) && (self.is_at(1, Kw::Path) || self.peek_at(1) == Tok::Sconst);
        if nested && (self.peek_at(1) == Tok::Sconst || self.peek_at(2) == Tok::Sconst) {
            self.advance();
            self.eat(Kw::Path);
            let at = self.loc();
            let string = string_const(self.string()?, at);
            let (mut name, mut name_location) = (None, Location::UNKNOWN);
            if self.eat(Kw::As) {
                name_location = self.loc();
                name = Some(self.col_id()?);
            }
            column.coltype = JsonTableColumnType::Nested;
            column.pathspec = Some(JsonTablePathSpec { string, name, name_location, location: at });
            self.expect(Kw::Columns)?;
            column.columns = self.nested(|p| p.paren_list(Self::json_table_column))?;
            return Ok(column);
        }
        column.name = Some(self.col_id()?);
        if self.eat(Kw::For) {
            self.expect(Kw::Ordinality)?;
            column.coltype = JsonTableColumnType::ForOrdinality;
            return Ok(column);
        }
        column.type_name = Some(self.type_name()?);
        if self.eat(Kw::Exists) {
            column.coltype = JsonTableColumnType::Exists;
            column.pathspec = self.json_path()?;
            column.on_error = self.json_on_error()?;
            return Ok(column);
        }
        if self.peek() == Tok::Ahead(Kw::Format) {
            column.coltype = JsonTableColumnType::Formatted;
            column.format = self.json_format()?;
        }
        column.pathspec = self.json_path()?;
        column.wrapper = self.json_wrapper()?;
        column.quotes = self.json_quotes()?;
        (column.on_empty, column.on_error) = self.json_behaviors()?;
        Ok(column)
    }

    /// XMLTABLE, without its alias.
    pub(super) fn xml_table(&mut self, lateral: bool) -> Result<RangeTableFunc> {
        let location = self.open()?;
        let mut namespaces = Vec::new();
        if self.is(Kw::Xmlnamespaces) && self.is_char_at(1, b'(') {
            self.advance();
            namespaces = self.paren_list(Self::xml_namespace)?;
            self.expect_char(b',')?;
        }
        let rowexpr = self.c_expr()?;
        let docexpr = self.xmlexists_argument()?;
        self.expect(Kw::Columns)?;
        let columns = self.list(Self::xml_table_column)?;
        self.expect_char(b')')?;
        Ok(RangeTableFunc { lateral, docexpr, rowexpr, namespaces, columns, alias: None, location })
    }

    fn xml_namespace(&mut self) -> Result<ResTarget> {
        let location = self.loc();
        let default = self.eat(Kw::Default);
        let val = Some(self.b_expr()?);
        let name = match default {
            true => None,
            false => {
                self.expect(Kw::As)?;
                Some(self.col_label()?)
            }
        };
        Ok(ResTarget { name, indirection: Vec::new(), val, location })
    }

    fn xml_table_column(&mut self) -> Result<RangeTableFuncCol> {
        let location = self.loc();
        let mut column = RangeTableFuncCol {
            colname: self.col_id()?,
            type_name: None,
            for_ordinality: false,
            is_not_null: false,
            colexpr: None,
            coldefexpr: None,
            location,
        };
        if self.eat(Kw::For) {
            self.expect(Kw::Ordinality)?;
            column.for_ordinality = true;
            return Ok(column);
        }
        column.type_name = Some(self.type_name()?);
        let mut null_seen = false;
        loop {
            let at = self.loc();
            let null = match self.peek() {
                Tok::Keyword(Kw::Default) => {
                    self.advance();
                    let e = self.b_expr()?;
                    if column.coldefexpr.replace(e).is_some() {
                        return Err(error_at("only one DEFAULT value is allowed", at));
                    }
                    continue;
                }
                Tok::Keyword(Kw::Path) => {
                    self.advance();
                    let e = self.b_expr()?;
                    if column.colexpr.replace(e).is_some() {
                        return Err(error_at("only one PATH value per column is allowed", at));
                    }
                    continue;
                }
                Tok::Keyword(Kw::Not) => {
                    self.advance();
                    self.expect(Kw::Null)?;
                    false
                }
                Tok::Keyword(Kw::Null) => {
                    self.advance();
                    true
                }
                Tok::Ident => {
                    let name = self.text().to_owned();
                    self.advance();
                    self.b_expr()?;
                    let text = match name.as_str() {
                        "__pg__is_not_null" => format!("option name \"{name}\" cannot be used in XMLTABLE"),
                        _ => format!("unrecognized column option \"{name}\""),
                    };
                    return Err(error_at(text, at));
                }
                _ => return Ok(column),
            };
            if null_seen {
                let text =
                    format!("conflicting or redundant NULL / NOT NULL declarations for column \"{}\"", column.colname);
                return Err(error_at(text, at));
            }
            null_seen = true;
            column.is_not_null = !null;
        }
    }
}

fn is_json(expr: Expr, item_type: JsonValueType, unique_keys: bool, location: Location) -> Expr {
    let format = JsonFormat::default();
    Expr::JsonIsPredicate(Box::new(JsonIsPredicate { expr, format, item_type, unique_keys, location }))
}

fn xml(op: XmlExprOp, name: Option<String>, named_args: Vec<ResTarget>, args: Vec<Expr>, location: Location) -> Expr {
    let xmloption = XmlOptionType::Document;
    Expr::XmlExpr(Box::new(XmlExpr { op, name, named_args, args, xmloption, location }))
}
