//! `thesaurus`: phrases for phrases. The words of both are normalized by another dictionary.
//!
//! PostgreSQL: `dict_thesaurus.c`.

use std::sync::Arc;

use base::sqlstate::*;
use base::{PgError, Result};
use types::Runtime;

use super::{Dictionary, Lexeme, Talk, files, once, required, unrecognized};

struct Rule {
    /// For each word what it is normalized to, in variants; a stop word has none.
    sample: Vec<Option<Vec<String>>>,
    result: Vec<Lexeme>,
}

pub struct Thesaurus {
    inner: Arc<dyn Dictionary>,
    rules: Vec<Rule>,
}

fn bad(text: String) -> PgError {
    PgError::new(CONFIG_FILE_ERROR, text)
}

/// The rules that fit what was seen so far, and how many words that were.
struct Candidates {
    rules: Vec<usize>,
    seen: usize,
}

impl Thesaurus {
    pub fn new(rt: &mut dyn Runtime, options: &[(String, String)]) -> Result<Thesaurus> {
        let (mut file, mut inner) = (None, None);
        for (name, value) in options {
            match name.as_str() {
                "dictfile" => once(&mut file, value, "DictFile")?,
                "dictionary" => once(&mut inner, value, "Dictionary")?,
                other => return Err(unrecognized("Thesaurus", other)),
            }
        }
        let file = required(file, "DictFile")?;
        let inner = required(inner, "Dictionary")?;
        let text = files::read(file, "ths", "thesaurus file")?;
        let info = rt.search_dictionary_named(inner)?;
        let mut t = Thesaurus { inner: super::make(rt, &info)?, rules: Vec::new() };
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        for (n, line) in lines.enumerate() {
            t.add(n + 1, line)?;
        }
        Ok(t)
    }

    fn normal(&self, word: &str) -> Result<Option<Vec<Lexeme>>> {
        self.inner.lexize(word, &mut Talk::default())
    }

    fn add(&mut self, n: usize, line: &str) -> Result<()> {
        let Some((sample, substitute)) = line.split_once(':') else {
            return Err(bad("unexpected end of line or lexeme".to_owned()));
        };
        let mut words = Vec::new();
        for w in sample.split_whitespace() {
            if w == "?" {
                words.push(None);
                continue;
            }
            let unknown = || bad(format!("thesaurus sample word \"{w}\" isn't recognized by subdictionary (rule {n})"));
            let forms = self.normal(w)?.ok_or_else(unknown)?;
            if forms.is_empty() {
                let text = format!("thesaurus sample word \"{w}\" is a stop word (rule {n})");
                return Err(bad(text).hint("Use \"?\" to represent a stop word within a sample phrase."));
            }
            words.push(Some(forms.into_iter().map(|l| l.text).collect()));
        }
        let mut result: Vec<Lexeme> = Vec::new();
        for w in substitute.split_whitespace() {
            let begun = !result.is_empty();
            let mut forms = match w.strip_prefix('*') {
                Some(exact) => vec![Lexeme::of(exact)],
                None => {
                    let unknown = || {
                        bad(format!("thesaurus substitute word \"{w}\" isn't recognized by subdictionary (rule {n})"))
                    };
                    self.normal(w)?.ok_or_else(unknown)?
                }
            };
            match forms.first_mut() {
                Some(first) => first.next_position |= begun,
                None => return Err(bad(format!("thesaurus substitute word \"{w}\" is a stop word (rule {n})"))),
            }
            result.extend(forms);
        }
        if result.is_empty() {
            return Err(bad(format!("thesaurus substitute phrase is empty (rule {n})")));
        }
        self.rules.push(Rule { sample: words, result });
        Ok(())
    }
}

impl Dictionary for Thesaurus {
    fn lexize(&self, word: &str, talk: &mut Talk) -> Result<Option<Vec<Lexeme>>> {
        talk.more = false;
        if talk.at_end {
            return Ok(None);
        }
        let before = talk.kept.take().and_then(|k| k.downcast::<Candidates>().ok());
        let at = before.as_ref().map_or(0, |b| b.seen);
        let Some(forms) = self.normal(word)? else { return Ok(None) };
        let fits = |rule: &Rule| match rule.sample.get(at) {
            None => false,
            Some(None) => forms.is_empty(),
            Some(Some(wanted)) => forms.iter().any(|f| wanted.contains(&f.text)),
        };
        let open: Vec<usize> = match &before {
            Some(b) => b.rules.iter().copied().filter(|r| fits(&self.rules[*r])).collect(),
            None => (0..self.rules.len()).filter(|r| fits(&self.rules[*r])).collect(),
        };
        if open.is_empty() {
            return Ok(None);
        }
        let seen = at + 1;
        let complete = open.iter().find(|r| self.rules[**r].sample.len() == seen).copied();
        talk.more = complete.is_none() || open.iter().any(|r| self.rules[*r].sample.len() > seen);
        talk.kept = Some(Box::new(Candidates { rules: open, seen }));
        Ok(complete.map(|r| self.rules[r].result.clone()))
    }
}
