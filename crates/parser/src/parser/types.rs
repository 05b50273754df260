//! Type names.
//!
//! PostgreSQL: `Typename` and `func_type` of `gram.y`.

use super::*;

/// Bits of an interval's fields. (PostgreSQL: `INTERVAL_MASK`)
mod interval {
    pub const MONTH: i32 = 1 << 1;
    pub const YEAR: i32 = 1 << 2;
    pub const DAY: i32 = 1 << 3;
    pub const HOUR: i32 = 1 << 10;
    pub const MINUTE: i32 = 1 << 11;
    pub const SECOND: i32 = 1 << 12;
    pub const FULL_RANGE: i32 = 0x7FFF;
}

impl<'a> Parser<'a> {
    /// `[SETOF] type [array]`. (PostgreSQL: `Typename`)
    pub(super) fn type_name(&mut self) -> Result<TypeName> {
        let setof = self.eat(Kw::Setof);
        let mut name = self.simple_type_name()?;
        name.setof = setof;
        if self.eat(Kw::Array) {
            let bound = match self.eat_char(b'[') {
                true => {
                    let n = self.iconst()?;
                    self.expect_char(b']')?;
                    n
                }
                false => -1,
            };
            name.array_bounds = vec![bound];
            return Ok(name);
        }
        while self.eat_char(b'[') {
            name.array_bounds.push(if self.is_char(b']') { -1 } else { self.iconst()? });
            self.expect_char(b']')?;
        }
        Ok(name)
    }

    /// As `type_name`, and `name%TYPE`. (PostgreSQL: `func_type`)
    pub(super) fn func_type(&mut self) -> Result<TypeName> {
        let from = self.pos;
        let setof = self.eat(Kw::Setof);
        let location = self.loc();
        if is_type_function_name(self.peek()) && self.is_char_at(1, b'.') {
            let mut names = vec![self.type_function_name()?];
            self.attrs(&mut names)?;
            if self.is_char(b'%') && self.is_at(1, Kw::Type) {
                self.advance();
                self.advance();
                return Ok(TypeName { names, setof, pct_type: true, typemod: -1, location, ..TypeName::default() });
            }
        }
        self.pos = from;
        self.type_name()
    }

    /// Without SETOF and array bounds. (PostgreSQL: `SimpleTypename`)
    pub(super) fn simple_type_name(&mut self) -> Result<TypeName> {
        let location = self.loc();
        if let Tok::Keyword(kw) = self.peek() {
            if kw == Kw::Interval {
                self.advance();
                if self.is_char(b'(') {
                    let precision = self.precision()?;
                    let typmods = vec![int_const(interval::FULL_RANGE, Location::UNKNOWN), precision];
                    return Ok(system_type("interval", typmods, location));
                }
                let typmods = self.opt_interval()?;
                return Ok(system_type("interval", typmods, location));
            }
            if let Some(name) = self.keyword_type(kw, false)? {
                return Ok(name);
            }
        }
        let mut names = vec![self.type_function_name()?];
        self.attrs(&mut names)?;
        let typmods = self.opt_paren_list(Self::a_expr)?;
        Ok(TypeName { names, typmods, typemod: -1, location, ..TypeName::default() })
    }

    /// `(n)` as a constant.
    fn precision(&mut self) -> Result<Expr> {
        self.expect_char(b'(')?;
        let location = self.loc();
        let n = self.iconst()?;
        self.expect_char(b')')?;
        Ok(int_const(n, location))
    }

    /// The types that have a syntax of their own, but INTERVAL. Before a string (`constant`), `char` and `bit` without a
    /// length mean any length.
    pub(super) fn keyword_type(&mut self, kw: Kw, constant: bool) -> Result<Option<TypeName>> {
        let location = self.loc();
        let simple = match kw {
            Kw::Int | Kw::Integer => "int4",
            Kw::Smallint => "int2",
            Kw::Bigint => "int8",
            Kw::Real => "float4",
            Kw::Boolean => "bool",
            Kw::Json => "json",
            Kw::Decimal | Kw::Dec | Kw::Numeric => {
                self.advance();
                let typmods = self.opt_paren_list(Self::a_expr)?;
                return Ok(Some(system_type("numeric", typmods, location)));
            }
            Kw::Double if self.is_at(1, Kw::Precision) => {
                self.advance();
                self.expect(Kw::Precision)?;
                return Ok(Some(system_type("float8", Vec::new(), location)));
            }
            Kw::Float => {
                self.advance();
                let name = self.float_name()?;
                return Ok(Some(system_type(name, Vec::new(), location)));
            }
            Kw::Bit => {
                self.advance();
                let varying = self.eat(Kw::Varying);
                let mut typmods = self.opt_paren_list(Self::a_expr)?;
                if typmods.is_empty() && !varying && !constant {
                    typmods.push(int_const(1, Location::UNKNOWN));
                }
                return Ok(Some(system_type(if varying { "varbit" } else { "bit" }, typmods, location)));
            }
            Kw::Character | Kw::Char | Kw::Nchar | Kw::National | Kw::Varchar => {
                return self.character(kw, constant).map(Some);
            }
            Kw::Timestamp | Kw::Time => {
                self.advance();
                let typmods = if self.is_char(b'(') { vec![self.precision()?] } else { Vec::new() };
                let zone = self.opt_timezone()?;
                let name = match (kw, zone) {
                    (Kw::Timestamp, true) => "timestamptz",
                    (Kw::Timestamp, false) => "timestamp",
                    (_, true) => "timetz",
                    _ => "time",
                };
                return Ok(Some(system_type(name, typmods, location)));
            }
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(system_type(simple, Vec::new(), location)))
    }

    fn float_name(&mut self) -> Result<&'static str> {
        if !self.eat_char(b'(') {
            return Ok("float8");
        }
        let location = self.loc();
        let bits = self.iconst()?;
        let name = match bits {
            ..1 => {
                let text = "precision for type float must be at least 1 bit";
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(location));
            }
            1..=24 => "float4",
            25..=53 => "float8",
            54.. => {
                let text = "precision for type float must be less than 54 bits";
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(location));
            }
        };
        self.expect_char(b')')?;
        Ok(name)
    }

    fn character(&mut self, kw: Kw, constant: bool) -> Result<TypeName> {
        let location = self.loc();
        self.advance();
        if kw == Kw::National && !self.eat(Kw::Character) {
            self.expect(Kw::Char)?;
        }
        let varying = kw == Kw::Varchar || self.eat(Kw::Varying);
        let mut typmods = if self.is_char(b'(') { vec![self.precision()?] } else { Vec::new() };
        if typmods.is_empty() && !varying && !constant {
            typmods.push(int_const(1, Location::UNKNOWN));
        }
        Ok(system_type(if varying { "varchar" } else { "bpchar" }, typmods, location))
    }

    fn opt_timezone(&mut self) -> Result<bool> {
        let zone = match self.peek() {
            Tok::Ahead(Kw::With) if self.is_at(1, Kw::Time) => true,
            Tok::Ahead(Kw::Without) => false,
            _ => return Ok(false),
        };
        self.advance();
        self.expect_all(&[Kw::Time, Kw::Zone])?;
        Ok(zone)
    }

    /// The fields of an interval, as type modifiers. (PostgreSQL: `opt_interval`)
    pub(super) fn opt_interval(&mut self) -> Result<Vec<Expr>> {
        use interval::*;
        let location = self.loc();
        let fields = [(Kw::Year, YEAR), (Kw::Month, MONTH), (Kw::Day, DAY), (Kw::Hour, HOUR), (Kw::Minute, MINUTE)];
        if self.is(Kw::Second) {
            return self.interval_second(SECOND, location);
        }
        let Some(from) = fields.iter().position(|&(kw, _)| self.is(kw)) else { return Ok(Vec::new()) };
        self.advance();
        if !self.is(Kw::To) || fields[from].0 == Kw::Month {
            return Ok(vec![int_const(fields[from].1, location)]);
        }
        self.advance();
        // YEAR TO MONTH, or from a field of DAY TO SECOND to a later one.
        if from == 0 {
            self.expect(Kw::Month)?;
            return Ok(vec![int_const(YEAR | MONTH, location)]);
        }
        let mut mask = fields[from].1;
        for &(kw, bit) in &fields[from + 1..] {
            mask |= bit;
            if self.eat(kw) {
                return Ok(vec![int_const(mask, location)]);
            }
        }
        self.interval_second(mask | SECOND, location)
    }

    fn interval_second(&mut self, mask: i32, location: Location) -> Result<Vec<Expr>> {
        self.expect(Kw::Second)?;
        let mut typmods = vec![int_const(mask, location)];
        if self.is_char(b'(') {
            typmods.push(self.precision()?);
        }
        Ok(typmods)
    }
}
