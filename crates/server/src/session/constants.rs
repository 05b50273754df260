//! Statements that differ only in their constants share a plan.
//!
//! A text is split into its shape, with marks where constants were, and the constants. The first text of a shape is planned
//! as it is; the second one tries: its constants become parameters (`analyze::lift_constants`), and if the plan is then one
//! that no value of them could change (`planner::suits_any_values`), it serves all texts of that shape. Constants that
//! cannot be lifted (LIMIT 10, ORDER BY 1) become a part of the shape.
//!
//! Whatever is unusual about a text's constants sends it down the ordinary path, which also gives the errors.

use std::sync::Arc;

use analyze::query::{CmdType, Const, Query};
use analyze::{AnalyzeContext, LiftedConstant, ParamTypes};
use base::sqlstate::QUERY_CANCELED;
use base::{Oid, Result};
use executor::ExecContext;
use parser::ast::RawStmt;
use parser::lexer::{Lexed, Tok};
use planner::suits_any_values;
use types::Datum;
use types::oid::*;

use super::Session;
use super::extended::parameter;
use super::simple::plan_of;
use super::statement::{Unit, is_shareable};
use crate::protocol::Format;

/// What is known of a shape.
#[derive(Clone)]
pub(super) enum Shape {
    /// A text of it was planned.
    Seen,
    /// These constants (by place) belong to the shape.
    Keeps(Arc<[bool]>),
    Plan(Arc<Shared>),
    /// Its texts are planned one by one.
    Single,
}

/// A plan for all texts of a shape, and what its parameters stand for.
#[derive(Default)]
pub(super) struct Shared {
    units: Arc<[Unit]>,
    params: Vec<LiftedConstant>,
}

/// A constant of a text.
#[derive(Clone, Copy)]
struct Constant {
    start: usize,
    end: usize,
    /// A minus right before it: its place.
    sign: Option<usize>,
    kind: Kind,
    /// Into the text's tokens.
    token: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Int4(i32),
    Int8(i64),
    /// Digits with a point.
    Numeric,
    Text,
}

/// The bytes that stand for constants; no text with such bytes of its own is split.
const LAST_MARK: u8 = 4;

impl Kind {
    fn mark(self) -> char {
        match self {
            Kind::Int4(_) => '\x01',
            Kind::Int8(_) => '\x02',
            Kind::Numeric => '\x03',
            Kind::Text => '\x04',
        }
    }
}

/// A text with its constants.
pub(super) struct Split<'a> {
    lexed: &'a Lexed<'a>,
    constants: Vec<Constant>,
    shape: String,
}

impl<'a> Split<'a> {
    /// `None` where there is nothing to share: no constants, several statements, something wrong.
    pub fn of(lexed: &'a Lexed<'a>) -> Option<Split<'a>> {
        let (text, tokens) = (lexed.sql, &lexed.tokens[..]);
        let mut constants = Vec::new();
        for (i, t) in tokens.iter().enumerate() {
            let (start, end) = (t.start as usize, t.end as usize);
            let kind = match t.tok {
                Tok::Iconst(n) => Kind::Int4(n),
                Tok::Fconst => match number(lexed.raw(*t)) {
                    Some(kind) => kind,
                    None => continue,
                },
                Tok::Sconst => Kind::Text,
                Tok::Error => return None,
                Tok::Char(b';') if i + 2 < tokens.len() => return None,
                _ => continue,
            };
            let minus = i.checked_sub(1).map(|p| tokens[p]).filter(|p| p.tok == Tok::Char(b'-') && kind != Kind::Text);
            constants.push(Constant { start, end, sign: minus.map(|p| p.start as usize), kind, token: i });
        }
        if constants.is_empty() || !lexed.notices.is_empty() || text.bytes().any(|b| b <= LAST_MARK) {
            return None;
        }
        let mut split = Split { lexed, constants, shape: String::new() };
        split.shape = split.shape_keeping(&[]);
        Some(split)
    }

    /// The text with marks for its constants, but for those to keep.
    fn shape_keeping(&self, keep: &[bool]) -> String {
        let text = self.lexed.sql;
        let mut shape = String::with_capacity(text.len());
        let mut from = 0;
        for (i, c) in self.constants.iter().enumerate() {
            if !keep.get(i).is_some_and(|k| *k) {
                shape.push_str(&text[from..c.start]);
                shape.push(c.kind.mark());
                from = c.end;
            }
        }
        shape.push_str(&text[from..]);
        shape
    }

    /// A constant's value as a parameter takes it; `None` for what the grammar would read as another type.
    fn value(&self, cx: &mut ExecContext, lifted: &LiftedConstant) -> Option<Datum> {
        let c = self.constants.get(lifted.constant)?;
        let text = || self.lexed.text(self.lexed.tokens[c.token]);
        let value = match (c.kind, lifted.negated) {
            (Kind::Int4(n), negated) => Datum::i32(if negated { n.checked_neg()? } else { n }),
            // Less one digit's worth: the smallest int4 is written like this.
            (Kind::Int8(n), true) => Datum::i64(n.checked_neg().filter(|n| *n < i64::from(i32::MIN))?),
            (Kind::Int8(n), false) => Datum::i64(n),
            (Kind::Numeric, negated) => {
                let number = if negated { format!("-{}", text()) } else { text().to_owned() };
                parameter(cx, NUMERICOID, Format::Text, Some(number.as_bytes())).ok()?
            }
            (Kind::Text, _) => parameter(cx, lifted.ty.oid, Format::Text, Some(text().as_bytes())).ok()?,
        };
        Some(value)
    }

    /// Whether `value` gives what the analyzer made of the constant.
    fn accepts(&self, cx: &mut ExecContext, lifted: LiftedConstant, analyzed: &Const) -> bool {
        let Some(c) = self.constants.get(lifted.constant) else { return false };
        let plain = match c.kind {
            Kind::Int4(_) => lifted.ty.oid == INT4OID,
            Kind::Int8(_) => lifted.ty.oid == INT8OID,
            Kind::Numeric => lifted.ty.oid == NUMERICOID,
            Kind::Text => lifted.ty.typmod == -1 && is_plain(lifted.ty.oid),
        };
        plain && self.value(cx, &lifted).is_some_and(|v| v == analyzed.value)
    }
}

/// Digits, with a point or too many for an int4. Other ways to write numbers are not worth it.
fn number(text: &str) -> Option<Kind> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    match text.len() - digits {
        0 => text.parse().ok().map(Kind::Int8),
        1 if text.contains('.') => Some(Kind::Numeric),
        _ => None,
    }
}

/// Types whose literals mean the same whatever the catalogs hold.
fn is_plain(ty: Oid) -> bool {
    ty < Oid::FIRST_NORMAL
        && !matches!(
            ty,
            REGCLASSOID
                | REGPROCOID
                | REGPROCEDUREOID
                | REGOPEROID
                | REGOPERATOROID
                | REGTYPEOID
                | REGROLEOID
                | REGNAMESPACEOID
                | REGCOLLATIONOID
                | REGCONFIGOID
                | REGDICTIONARYOID
                | UNKNOWNOID
        )
}

impl Session {
    /// Runs a text by the plan of its shape.
    pub(super) fn run_shared(&mut self, split: &Split<'_>) -> Result<bool> {
        let Some(shared) = self.shared_plan(&split.shape, split) else { return Ok(false) };
        let generation = self.cx.catalog.shared().generation();
        self.begin_plan()?;
        executor::lock_plan_relations(&self.cx, shared.units.iter().filter_map(plan_of))?;
        if self.cx.catalog.shared().generation() != generation {
            return Ok(false);
        }
        let Some(params) = self.constants(split, &shared.params) else { return Ok(false) };
        self.learn_template(split, &shared, generation);
        self.run_units(&shared.units, params, true)?;
        Ok(true)
    }

    /// Runs a text that a template tells.
    pub(super) fn run_template(&mut self, text: &str) -> Result<bool> {
        if self.cx.catalog.has_changes() {
            return Ok(false);
        }
        let era = (self.cx.catalog.shared().generation(), self.plan_key());
        let Some((shared, params)) = self.templates.find(text, era) else { return Ok(false) };
        self.begin_plan()?;
        executor::lock_plan_relations(&self.cx, shared.units.iter().filter_map(plan_of))?;
        if self.cx.catalog.shared().generation() != era.0 {
            return Ok(false);
        }
        self.run_units(&shared.units, params, true)?;
        Ok(true)
    }

    /// Leaves a text whose parameters are all int4 for the session's next texts.
    fn learn_template(&mut self, split: &Split<'_>, shared: &Arc<Shared>, generation: u64) {
        let mut used: Vec<usize> = shared.params.iter().map(|p| p.constant).collect();
        used.sort_unstable();
        used.dedup();
        let constant = |i: &usize| split.constants.get(*i).filter(|c| matches!(c.kind, Kind::Int4(_)));
        let Some(numbers) = used.iter().map(|i| constant(i).map(|c| (c.start, c.end))).collect::<Option<Vec<_>>>()
        else {
            return;
        };
        let params = shared.params.iter().filter_map(|p| Some((used.binary_search(&p.constant).ok()?, p.negated)));
        let era = (generation, self.plan_key());
        self.templates.learn(split.lexed.sql, &numbers, params.collect(), shared, era);
    }

    fn constants(&mut self, split: &Split<'_>, params: &[LiftedConstant]) -> Option<Arc<[Datum]>> {
        params.iter().map(|p| split.value(&mut self.cx, p)).collect()
    }

    fn shared_plan(&self, shape: &str, split: &Split<'_>) -> Option<Arc<Shared>> {
        match self.known_shape(shape)? {
            Shape::Plan(shared) => Some(shared),
            Shape::Keeps(keep) => match self.known_shape(&split.shape_keeping(&keep))? {
                Shape::Plan(shared) => Some(shared),
                _ => None,
            },
            Shape::Seen | Shape::Single => None,
        }
    }

    /// Analyzes and plans a text, for others of its shape where that is possible: then with the values of the parameters.
    pub(super) fn plan_split(
        &mut self,
        raw: &RawStmt,
        source: &str,
        split: &Split<'_>,
    ) -> Result<(Arc<[Unit]>, Arc<[Datum]>)> {
        let generation = self.cx.catalog.shared().generation();
        let mut shape = split.shape.clone();
        let mut keep: Arc<[bool]> = Arc::from([]);
        let mut known = self.known_shape(&shape);
        if let Some(Shape::Keeps(k)) = known {
            shape = split.shape_keeping(&k);
            known = self.known_shape(&shape);
            keep = k;
        }
        match known {
            Some(Shape::Seen) => {}
            Some(_) => return Ok((self.plan_text(raw, source)?, Arc::from([]))),
            None => {
                let units = self.plan_text(raw, source)?;
                if matches!(&*units, [Unit::Plan(_)]) {
                    self.learn_shape(&shape, generation, Shape::Seen);
                }
                return Ok((units, Arc::from([])));
            }
        }
        let catalog = self.cx.catalog.clone();
        let mut lock = executor::relation_locker(&self.cx)?;
        let mut cx = AnalyzeContext::new(catalog, &mut self.cx);
        cx.lock = Some(&mut lock);
        let query = analyze::analyze(&mut cx, raw, source, &mut ParamTypes::None)?;
        let lifted = match query.command_type {
            CmdType::Utility => None,
            _ => match self.lift(query.clone(), split, &keep) {
                Err(e) if e.sqlstate() == QUERY_CANCELED => return Err(e),
                tried => tried.ok().flatten(),
            },
        };
        match lifted {
            Some(Lifted::Plan(shared)) => {
                if let Some(params) = self.constants(split, &shared.params) {
                    let units = Arc::clone(&shared.units);
                    self.learn_shape(&shape, generation, Shape::Plan(Arc::new(shared)));
                    return Ok((units, params));
                }
            }
            Some(Lifted::Keeps(keep)) => self.learn_shape(&shape, generation, Shape::Keeps(keep)),
            None => self.learn_shape(&shape, generation, Shape::Single),
        }
        Ok((self.plan_analyzed(query, source, generation)?, Arc::from([])))
    }

    /// Tries to plan a query for all values of its constants, those to keep left out.
    fn lift(&mut self, mut query: Query, split: &Split<'_>, keep: &[bool]) -> Result<Option<Lifted>> {
        let places: Vec<_> = split.constants.iter().map(|c| (c.start, c.sign)).collect();
        let cx = &mut self.cx;
        let params = analyze::lift_constants(&mut query, &places, &mut |lifted, analyzed| {
            !keep.get(lifted.constant).is_some_and(|k| *k) && split.accepts(cx, lifted, analyzed)
        })?;
        if params.is_empty() {
            return Ok(None);
        }
        let kept: Arc<[bool]> = (0..places.len()).map(|i| !params.iter().any(|p| p.constant == i)).collect();
        if kept.iter().any(|k| *k) && *kept != *keep {
            return Ok(Some(Lifted::Keeps(kept)));
        }
        let units: Arc<[Unit]> = self.rewrite_and_plan(query)?;
        let suits = match &*units {
            [Unit::Plan(p)] => is_shareable(p) && suits_any_values(&self.cx.catalog, p)?,
            _ => false,
        };
        Ok(suits.then_some(Lifted::Plan(Shared { units, params })))
    }
}

/// What came of trying.
enum Lifted {
    Plan(Shared),
    Keeps(Arc<[bool]>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Option<String> {
        let lexed = parser::lexer::lex(text, &parser::Options::default());
        let split = Split::of(&lexed)?;
        Some(split.shape.chars().map(|c| if (c as u32) <= 4 { (b'0' + c as u8) as char } else { c }).collect())
    }

    #[test]
    fn shapes() {
        let check = |text: &str, expected: &str| assert_eq!(shape(text).as_deref(), Some(expected), "{text}");
        check("SELECT a FROM t WHERE b = 7;", "SELECT a FROM t WHERE b = 1;");
        check("SELECT 5000000000, 1.5, 'it''s' || E'\\n'", "SELECT 2, 3, 4 || 4");
        // Not worth it, or not a constant.
        check("SELECT 1e5, 0x1F00000000, B'1', $1, 2", "SELECT 1e5, 0x1F00000000, B'1', $1, 1");
        check("INSERT INTO t1 VALUES ('a'\n'b', -3)", "INSERT INTO t1 VALUES (4, -1)");
        for none in ["SELECT a", "SELECT 1; SELECT 2", "SELECT 'open", "SELECT \"\u{1}\", 1", "SELECT '\\x' 1 /*"] {
            assert_eq!(shape(none), None, "{none}");
        }
    }

    #[test]
    fn kept_constants_are_part_of_the_shape() {
        let lexed = parser::lexer::lex("SELECT 'x' LIMIT 10", &parser::Options::default());
        let split = Split::of(&lexed).unwrap();
        assert_eq!(split.shape_keeping(&[false, true]), "SELECT \x04 LIMIT 10");
        assert_eq!(split.shape_keeping(&[true, true]), lexed.sql);
    }
}
