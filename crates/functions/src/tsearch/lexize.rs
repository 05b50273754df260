//! From text to lexemes: the parser's tokens go to the dictionaries of their kind, one after the other, until one knows them.
//!
//! A dictionary may want to see the next token before it decides; then tokens wait here until it has.
//!
//! PostgreSQL: `ts_parse.c`.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use types::Runtime;
use types::search::{ConfigurationInfo, DictionaryInfo};

use super::MAX_LEXEME;
use super::dict::{self, Dictionary, Lexeme, Talk};
use super::parser::Parser;

/// A configuration with its dictionaries made.
pub struct Configuration {
    /// By token type.
    maps: Vec<Vec<(Oid, Arc<dyn Dictionary>)>>,
}

impl Configuration {
    pub fn load(rt: &mut dyn Runtime, oid: Oid) -> Result<Configuration> {
        let info = rt.search_configuration(oid)?;
        Configuration::of(rt, &info)
    }
    fn of(rt: &mut dyn Runtime, info: &ConfigurationInfo) -> Result<Configuration> {
        let mut made: HashMap<Oid, Arc<dyn Dictionary>> = HashMap::new();
        let mut maps = Vec::with_capacity(info.maps.len());
        for list in &info.maps {
            let mut map = Vec::with_capacity(list.len());
            for d in list {
                let dictionary = match made.get(&d.oid) {
                    Some(d) => d.clone(),
                    None => {
                        let new = make(rt, d)?;
                        made.insert(d.oid, new.clone());
                        new
                    }
                };
                map.push((d.oid, dictionary));
            }
            maps.push(map);
        }
        Ok(Configuration { maps })
    }
    fn map(&self, kind: u8) -> &[(Oid, Arc<dyn Dictionary>)] {
        self.maps.get(usize::from(kind)).map_or(&[], Vec::as_slice)
    }
}

fn make(rt: &mut dyn Runtime, d: &DictionaryInfo) -> Result<Arc<dyn Dictionary>> {
    dict::make(rt, d)
}

struct Waiting {
    kind: u8,
    text: String,
}

pub struct Lexizer<'a> {
    config: &'a Configuration,
    work: VecDeque<Waiting>,
    /// The dictionary that wants more.
    asking: Option<Oid>,
    /// The dictionary to go on with for the first token.
    next: usize,
    /// The token that the asking dictionary sees next.
    sub: usize,
    /// What it found so far, with the number of tokens that this takes.
    found: Option<(Vec<Lexeme>, usize)>,
    talk: Talk,
}

impl<'a> Lexizer<'a> {
    pub fn new(config: &'a Configuration) -> Lexizer<'a> {
        Lexizer { config, work: VecDeque::new(), asking: None, next: 0, sub: 0, found: None, talk: Talk::default() }
    }
    /// A token; kind 0 is the end of the text.
    pub fn add(&mut self, kind: u8, text: &str) {
        self.work.push_back(Waiting { kind, text: text.to_owned() });
        self.sub = self.work.len() - 1;
    }
    fn drop_first(&mut self, n: usize) {
        self.work.drain(..n);
        self.next = 0;
    }

    /// The next lexemes; `None` if there must be more tokens first.
    pub fn answer_next(&mut self) -> Result<Option<Vec<Lexeme>>> {
        loop {
            let Some(asking) = self.asking else {
                let Some(first) = self.work.front() else { return Ok(None) };
                let map = self.config.map(first.kind);
                if first.kind == 0 || map.is_empty() {
                    self.drop_first(1);
                    continue;
                }
                let mut text = first.text.clone();
                let mut answer = None;
                let mut i = self.next;
                while let Some((oid, dictionary)) = map.get(i) {
                    i += 1;
                    self.talk = Talk::default();
                    let said = dictionary.lexize(&text, &mut self.talk)?;
                    if self.talk.more {
                        self.asking = Some(*oid);
                        self.next = i;
                        self.sub = 1;
                        self.found = said.map(|l| (l, 1));
                        break;
                    }
                    match said {
                        None => {}
                        Some(list) if list.first().is_some_and(|l| l.filter) => text = list[0].text.clone(),
                        Some(list) => {
                            answer = Some(list);
                            break;
                        }
                    }
                }
                if self.asking.is_some() {
                    continue;
                }
                self.drop_first(1);
                if let Some(list) = answer {
                    return Ok(Some(list));
                }
                continue;
            };
            let Some(token) = self.work.get(self.sub) else { return Ok(None) };
            let kind = token.kind;
            let owner = if kind == 0 { self.work.front().map_or(0, |w| w.kind) } else { kind };
            let map = self.config.map(owner);
            if kind != 0 && map.is_empty() {
                self.sub += 1;
                continue;
            }
            let Some((_, dictionary)) = map.iter().find(|d| d.0 == asking) else {
                // This kind is not the dictionary's: the first token goes to the next one.
                self.asking = None;
                self.found = None;
                continue;
            };
            self.talk.at_end = kind == 0;
            self.talk.more = false;
            let said = dictionary.lexize(&token.text, &mut self.talk)?;
            if self.talk.more {
                self.sub += 1;
                if let Some(list) = said {
                    self.found = Some((list, self.sub));
                }
                continue;
            }
            self.asking = None;
            let (list, taken) = match (said, self.found.take()) {
                (Some(list), _) => (list, self.sub + 1),
                (None, Some(found)) => found,
                (None, None) => continue,
            };
            self.drop_first(taken);
            return Ok(Some(list));
        }
    }
}

/// A lexeme at its position.
pub struct Placed {
    pub lexeme: Lexeme,
    pub position: u32,
}

fn too_long() -> PgError {
    PgError::with_severity(Severity::Notice, PROGRAM_LIMIT_EXCEEDED, "word is too long to be indexed")
        .detail(format!("Words longer than {MAX_LEXEME} characters are ignored."))
}

/// A text's lexemes, from position `after` on; returns the last position. (PostgreSQL: `parsetext`)
pub fn parse_text(
    rt: &mut dyn Runtime,
    config: &Configuration,
    text: &str,
    after: u32,
    out: &mut Vec<Placed>,
) -> Result<u32> {
    let mut lexizer = Lexizer::new(config);
    let mut position = after;
    let mut parser = Parser::new(text);
    loop {
        rt.interrupt().check()?;
        let token = parser.next();
        match token {
            Some(t) if t.text.len() >= MAX_LEXEME => {
                rt.notice(too_long());
                continue;
            }
            Some(t) => lexizer.add(t.kind, t.text),
            None => lexizer.add(0, ""),
        }
        while let Some(lexemes) = lexizer.answer_next()? {
            position += 1;
            for lexeme in lexemes {
                if lexeme.text.len() > MAX_LEXEME {
                    rt.notice(too_long());
                    continue;
                }
                position += u32::from(lexeme.next_position);
                out.push(Placed { lexeme, position });
            }
        }
        if token.is_none() {
            return Ok(position);
        }
    }
}
