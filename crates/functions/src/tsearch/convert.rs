//! Text into `tsvector` and `tsquery` by a configuration; what parser and dictionaries say.
//!
//! PostgreSQL: `to_tsany.c`, `wparser.c`, `dict.c`.

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use types::search::TOKEN_TYPES;
use types::{Datum, FnCx, RowSource, builtin};

use super::dict::{self, Talk};
use super::lexize::{Configuration, Placed, parse_text};
use super::matching::matches;
use super::parser::Parser;
use super::query::{Node, Op, TsQuery, word};
use super::vector::{Entry, TsVector};
use super::{MAX_LEXEME, MAX_POSITION, Position};
use crate::err::error;

/// The configuration, made at the call site's first call and kept.
struct Kept {
    oid: Oid,
    name: std::sync::Arc<str>,
    config: Configuration,
}

/// Calls `f` with the configuration; an invalid id stands for the default one.
pub(super) fn with_configuration<T>(
    cx: &mut FnCx<'_>,
    oid: Oid,
    f: impl FnOnce(&mut FnCx<'_>, &Configuration) -> Result<T>,
) -> Result<T> {
    let name = cx.settings().text_search_config.clone();
    let kept = cx.state.take().and_then(|s| s.downcast::<Kept>().ok());
    let kept = match kept {
        Some(k) if k.oid == oid && (oid.is_valid() || k.name == name) => k,
        _ => Box::new(Kept { oid, name, config: Configuration::load(cx.rt, oid)? }),
    };
    let result = f(cx, &kept.config);
    *cx.state = Some(kept);
    result
}

pub(super) fn vector_of(words: Vec<Placed>) -> TsVector {
    let entry = |p: Placed| {
        let at = p.position.min(u32::from(MAX_POSITION)) as u16;
        Entry { word: p.lexeme.text, positions: vec![Position { at, weight: 0 }] }
    };
    TsVector::of(words.into_iter().map(entry).collect())
}

fn vector(cx: &mut FnCx<'_>, oid: Oid, text: &str) -> Result<TsVector> {
    with_configuration(cx, oid, |cx, config| {
        let mut words = Vec::new();
        parse_text(cx.rt, config, text, 0, &mut words)?;
        vector_of(words).checked()
    })
}
#[builtin("to_tsvector_byid")]
fn to_tsvector_byid(cx: &mut FnCx<'_>, config: Oid, text: &str) -> Result<TsVector> {
    vector(cx, config, text)
}
#[builtin("to_tsvector")]
fn to_tsvector(cx: &mut FnCx<'_>, text: &str) -> Result<TsVector> {
    vector(cx, Oid::INVALID, text)
}
#[builtin("ts_match_tt")]
fn ts_match_tt(cx: &mut FnCx<'_>, a: &str, b: &str) -> Result<bool> {
    let v = vector(cx, Oid::INVALID, a)?;
    let q = with_configuration(cx, Oid::INVALID, |cx, c| plain(cx, c, b, Op::And))?;
    matches(&v, &q)
}
#[builtin("ts_match_tq")]
fn ts_match_tq(cx: &mut FnCx<'_>, a: &str, q: TsQuery) -> Result<bool> {
    let v = vector(cx, Oid::INVALID, a)?;
    matches(&v, &q)
}

// Queries.

/// A query in the making: stop words hold their places until the end.
enum Draft {
    Stop,
    Word(Node),
    Not(Box<Draft>),
    Op(Op, u16, Box<Draft>, Box<Draft>),
}

fn both(op: Op, distance: u16, left: Option<Draft>, right: Draft) -> Option<Draft> {
    Some(match left {
        None => right,
        Some(left) => Draft::Op(op, distance, Box::new(left), Box::new(right)),
    })
}

/// What an operand's text becomes: its words joined, stop words between them counted. (PostgreSQL: `pushval_morph`)
fn operand(cx: &mut FnCx<'_>, config: &Configuration, text: &str, op: Op, weights: u8, prefix: bool) -> Result<Draft> {
    let mut words = Vec::new();
    parse_text(cx.rt, config, text, 0, &mut words)?;
    let distance = u16::from(op == Op::Phrase);
    let (mut all, mut position, mut i) = (None, 0, 0);
    while i < words.len() {
        if position > 0 {
            while position + 1 < words[i].position {
                all = both(op, distance, all, Draft::Stop);
                position += 1;
            }
        }
        position = words[i].position;
        let mut here = None;
        while i < words.len() && words[i].position == position {
            let variant = words[i].lexeme.variant;
            let mut parts = None;
            while i < words.len() && words[i].position == position && words[i].lexeme.variant == variant {
                let l = &words[i].lexeme;
                let leaf = Draft::Word(word(l.text.clone(), weights, prefix || l.prefix));
                parts = both(Op::And, 0, parts, leaf);
                i += 1;
            }
            if let Some(parts) = parts {
                here = both(Op::Or, 0, here, parts);
            }
        }
        if let Some(here) = here {
            all = both(op, distance, all, here);
        }
    }
    Ok(all.unwrap_or(Draft::Stop))
}

/// Takes the stop words out; phrases count the places where they were. Besides the query: what is to be added to the distances
/// on its left and right. (PostgreSQL: `clean_stopword_intree`)
fn clean(d: Draft) -> (Option<Node>, u32, u32) {
    match d {
        Draft::Word(n) => (Some(n), 0, 0),
        Draft::Stop => (None, 0, 0),
        Draft::Not(inner) => {
            let (node, l, r) = clean(*inner);
            (node.map(|n| Node::Op { op: Op::Not, distance: 0, children: vec![n] }), l, r)
        }
        Draft::Op(op, distance, left, right) => {
            let ((left, ll, lr), (right, rl, rr)) = (clean(*left), clean(*right));
            let phrase = op == Op::Phrase;
            let own = if phrase { u32::from(distance) } else { 0 };
            match (left, right) {
                (None, None) => {
                    let gap = if phrase { ll + own + rl } else { ll.max(rl) };
                    (None, gap, gap)
                }
                (None, Some(right)) if phrase => (Some(right), ll + own + rl, rr),
                (None, Some(right)) => (Some(right), rl, rr),
                (Some(left), None) if phrase => (Some(left), ll, lr + own + rr),
                (Some(left), None) => (Some(left), ll, lr),
                (Some(left), Some(right)) => {
                    let distance = match phrase {
                        true => (own + lr + rl).min(u32::from(u16::MAX)) as u16,
                        false => distance,
                    };
                    let node = Node::Op { op, distance, children: vec![right, left] };
                    if phrase { (Some(node), ll, rr) } else { (Some(node), 0, 0) }
                }
            }
        }
    }
}

fn finish(cx: &mut FnCx<'_>, d: Option<Draft>) -> TsQuery {
    let Some(d) = d else { return TsQuery(None) };
    let node = clean(d).0;
    if node.is_none() {
        let m = "text-search query contains only stop words or doesn't contain lexemes, ignored";
        cx.rt.notice(PgError::with_severity(Severity::Notice, SUCCESSFUL_COMPLETION, m));
    }
    TsQuery(node)
}

fn draft_of(cx: &mut FnCx<'_>, config: &Configuration, node: &Node) -> Result<Draft> {
    Ok(match node {
        Node::Word(w) => operand(cx, config, &w.text, Op::Phrase, w.weights, w.prefix)?,
        Node::Op { op: Op::Not, children, .. } => Draft::Not(Box::new(draft_of(cx, config, &children[0])?)),
        Node::Op { op, distance, children } => {
            let left = draft_of(cx, config, &children[1])?;
            let right = draft_of(cx, config, &children[0])?;
            Draft::Op(*op, *distance, Box::new(left), Box::new(right))
        }
    })
}

fn full(cx: &mut FnCx<'_>, config: &Configuration, text: &str) -> Result<TsQuery> {
    let parsed = super::query::read(text)?;
    let Some(root) = &parsed.0 else {
        let m = format!("text-search query doesn't contain lexemes: \"{text}\"");
        cx.rt.notice(PgError::with_severity(Severity::Notice, SUCCESSFUL_COMPLETION, m));
        return Ok(parsed);
    };
    let draft = draft_of(cx, config, root)?;
    Ok(finish(cx, Some(draft)))
}

fn plain(cx: &mut FnCx<'_>, config: &Configuration, text: &str, op: Op) -> Result<TsQuery> {
    let draft = operand(cx, config, text, op, 0, false)?;
    Ok(finish(cx, Some(draft)))
}

/// Reads what people type into search forms: words, phrases in quotes, `or`, `-` for not. (PostgreSQL:
/// `gettoken_query_websearch`)
struct Web<'a> {
    rest: &'a str,
}

fn is_web_operator(c: char) -> bool {
    matches!(c, '!' | '&' | '|' | '(' | ')')
}

impl Web<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }
    fn step(&mut self) {
        let n = self.peek().map_or(0, char::len_utf8);
        self.rest = &self.rest[n..];
    }
    /// Whether "or" stands here, as a word of its own with something after it.
    fn at_or(&self) -> bool {
        let Some(head) = self.rest.get(..2) else { return false };
        if !head.eq_ignore_ascii_case("or") {
            return false;
        }
        let tail = &self.rest[2..];
        match tail.chars().next() {
            None => false,
            Some(c) if c == '-' || c == '_' || c.is_alphanumeric() => false,
            Some(c) => tail[c.len_utf8()..].chars().any(|c| !c.is_whitespace()),
        }
    }
    fn operand(&mut self, cx: &mut FnCx<'_>, config: &Configuration, first: bool) -> Result<Option<Draft>> {
        loop {
            match self.peek() {
                Some('-') => {
                    self.step();
                    let inner = self.operand(cx, config, false)?;
                    return Ok(inner.map(|d| Draft::Not(Box::new(d))));
                }
                Some('"') => {
                    self.step();
                    let end = self.rest.find('"');
                    let inside = &self.rest[..end.unwrap_or(self.rest.len())];
                    let d = operand(cx, config, inside, Op::Phrase, 0, false)?;
                    self.rest = end.map_or("", |e| &self.rest[e + 1..]);
                    return Ok(Some(d));
                }
                Some(c) if is_web_operator(c) || c.is_whitespace() => self.step(),
                None if first => return Ok(None),
                None => return Ok(Some(Draft::Stop)),
                Some(c) => {
                    let stops = |c: char| c.is_whitespace() || is_web_operator(c) || c == '"' || c == ':';
                    let n = c.len_utf8();
                    let end = self.rest[n..].find(stops).map_or(self.rest.len(), |e| e + n);
                    if end > MAX_LEXEME {
                        return Err(error(PROGRAM_LIMIT_EXCEEDED, "word is too long in tsquery"));
                    }
                    let d = operand(cx, config, &self.rest[..end], Op::Phrase, 0, false)?;
                    self.rest = &self.rest[end..];
                    return Ok(Some(d));
                }
            }
        }
    }
    fn query(&mut self, cx: &mut FnCx<'_>, config: &Configuration) -> Result<Option<Draft>> {
        let Some(first) = self.operand(cx, config, true)? else { return Ok(None) };
        let (mut any, mut all) = (None, Some(first));
        loop {
            while self.peek().is_some_and(char::is_whitespace) {
                self.step();
            }
            if self.peek().is_none() {
                break;
            }
            let or = self.at_or();
            if or {
                self.rest = &self.rest[2..];
            }
            let Some(next) = self.operand(cx, config, false)? else { break };
            if or {
                if let Some(group) = all.take() {
                    any = both(Op::Or, 0, any, group);
                }
                all = Some(next);
            } else {
                all = both(Op::And, 0, all, next);
            }
        }
        Ok(match all {
            Some(group) => both(Op::Or, 0, any, group),
            None => any,
        })
    }
}

fn web(cx: &mut FnCx<'_>, config: &Configuration, text: &str) -> Result<TsQuery> {
    let draft = Web { rest: text }.query(cx, config)?;
    if draft.is_none() {
        let m = "text-search query contains only stop words or doesn't contain lexemes, ignored";
        cx.rt.notice(PgError::with_severity(Severity::Notice, SUCCESSFUL_COMPLETION, m));
    }
    Ok(finish(cx, draft))
}

#[builtin("to_tsquery_byid")]
fn to_tsquery_byid(cx: &mut FnCx<'_>, config: Oid, text: &str) -> Result<TsQuery> {
    with_configuration(cx, config, |cx, c| full(cx, c, text))
}
#[builtin("to_tsquery")]
fn to_tsquery(cx: &mut FnCx<'_>, text: &str) -> Result<TsQuery> {
    with_configuration(cx, Oid::INVALID, |cx, c| full(cx, c, text))
}
#[builtin("plainto_tsquery_byid")]
fn plainto_tsquery_byid(cx: &mut FnCx<'_>, config: Oid, text: &str) -> Result<TsQuery> {
    with_configuration(cx, config, |cx, c| plain(cx, c, text, Op::And))
}
#[builtin("plainto_tsquery")]
fn plainto_tsquery(cx: &mut FnCx<'_>, text: &str) -> Result<TsQuery> {
    with_configuration(cx, Oid::INVALID, |cx, c| plain(cx, c, text, Op::And))
}
#[builtin("phraseto_tsquery_byid")]
fn phraseto_tsquery_byid(cx: &mut FnCx<'_>, config: Oid, text: &str) -> Result<TsQuery> {
    with_configuration(cx, config, |cx, c| plain(cx, c, text, Op::Phrase))
}
#[builtin("phraseto_tsquery")]
fn phraseto_tsquery(cx: &mut FnCx<'_>, text: &str) -> Result<TsQuery> {
    with_configuration(cx, Oid::INVALID, |cx, c| plain(cx, c, text, Op::Phrase))
}
#[builtin("websearch_to_tsquery_byid")]
fn websearch_to_tsquery_byid(cx: &mut FnCx<'_>, config: Oid, text: &str) -> Result<TsQuery> {
    with_configuration(cx, config, |cx, c| web(cx, c, text))
}
#[builtin("websearch_to_tsquery")]
fn websearch_to_tsquery(cx: &mut FnCx<'_>, text: &str) -> Result<TsQuery> {
    with_configuration(cx, Oid::INVALID, |cx, c| web(cx, c, text))
}

// Parser and dictionaries by themselves.

#[builtin("get_current_ts_config")]
fn get_current_ts_config(cx: &mut FnCx<'_>) -> Result<Oid> {
    Ok(cx.rt.search_configuration(Oid::INVALID)?.oid)
}

#[builtin("ts_lexize")]
fn ts_lexize(cx: &mut FnCx<'_>, dictionary: Oid, text: &str) -> Result<Option<Datum>> {
    let info = cx.rt.search_dictionary(dictionary)?;
    let d = dict::make(cx.rt, &info)?;
    let mut talk = Talk::default();
    let mut found = d.lexize(text, &mut talk)?;
    if talk.more {
        talk.at_end = true;
        talk.more = false;
        if let Some(list) = d.lexize(text, &mut talk)? {
            found = Some(list);
        }
    }
    let array = |list: Vec<dict::Lexeme>| crate::arrays::text_array(list.iter().map(|l| Some(l.text.as_str())));
    found.map(array).transpose()
}

fn token_types() -> Box<dyn RowSource> {
    let rows = TOKEN_TYPES.iter().enumerate();
    let rows = rows.map(|(i, t)| vec![Datum::i32(i as i32 + 1), Datum::text(t.0), Datum::text(t.1)]);
    Box::new(types::RowList(rows.collect::<Vec<_>>().into_iter()))
}
fn tokens(text: &str) -> Box<dyn RowSource> {
    let rows: Vec<Vec<Datum>> =
        Parser::new(text).map(|t| vec![Datum::i32(i32::from(t.kind)), Datum::text(t.text)]).collect();
    Box::new(types::RowList(rows.into_iter()))
}
fn check_parser(name: &str) -> Result<()> {
    match name {
        "default" | "pg_catalog.default" => Ok(()),
        _ => Err(error(UNDEFINED_OBJECT, format!("text search parser \"{name}\" does not exist"))),
    }
}
#[builtin("ts_token_type_byid", set)]
fn ts_token_type_byid(_parser: Oid) -> Result<Box<dyn RowSource>> {
    Ok(token_types())
}
#[builtin("ts_token_type_byname", set)]
fn ts_token_type_byname(name: &str) -> Result<Box<dyn RowSource>> {
    check_parser(name)?;
    Ok(token_types())
}
#[builtin("ts_parse_byid", set)]
fn ts_parse_byid(_parser: Oid, text: &str) -> Result<Box<dyn RowSource>> {
    Ok(tokens(text))
}
#[builtin("ts_parse_byname", set)]
fn ts_parse_byname(name: &str, text: &str) -> Result<Box<dyn RowSource>> {
    check_parser(name)?;
    Ok(tokens(text))
}
