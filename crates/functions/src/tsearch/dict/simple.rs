//! Dictionaries without grammar: `simple`, `synonym`, and `snowball`, which stems by an algorithm.
//!
//! PostgreSQL: `dict_simple.c`, `dict_synonym.c`, `snowball/dict_snowball.c`.

use std::collections::HashMap;

use base::sqlstate::*;
use base::{PgError, Result};
use rust_stemmers::{Algorithm, Stemmer};

use super::files::{self, StopWords};
use super::{Dictionary, Lexeme, Talk, lower, once, required, unrecognized};

fn boolean(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => Err(PgError::new(SYNTAX_ERROR, format!("{name} requires a Boolean value"))),
    }
}

pub struct Simple {
    stop: StopWords,
    /// Words that are not stop words are known.
    accept: bool,
}

impl Simple {
    pub fn new(options: &[(String, String)]) -> Result<Simple> {
        let (mut stop, mut accept) = (None, None);
        for (name, value) in options {
            match name.as_str() {
                "stopwords" => once(&mut stop, StopWords::read(value)?, "StopWords")?,
                "accept" => once(&mut accept, boolean(name, value)?, "Accept")?,
                other => return Err(unrecognized("simple dictionary", other)),
            }
        }
        Ok(Simple { stop: stop.unwrap_or_default(), accept: accept.unwrap_or(true) })
    }
}

impl Dictionary for Simple {
    fn lexize(&self, word: &str, _: &mut Talk) -> Result<Option<Vec<Lexeme>>> {
        let word = lower(word);
        Ok(match () {
            () if word.is_empty() || self.stop.has(&word) => Some(Vec::new()),
            () if self.accept => Some(vec![Lexeme::of(word)]),
            () => None,
        })
    }
}

pub struct Synonym {
    words: HashMap<String, Lexeme>,
    case_sensitive: bool,
}

impl Synonym {
    pub fn new(options: &[(String, String)]) -> Result<Synonym> {
        let (mut file, mut case_sensitive) = (None, false);
        for (name, value) in options {
            match name.as_str() {
                "synonyms" => file = Some(value),
                "casesensitive" => case_sensitive = boolean(name, value)?,
                other => {
                    let text = format!("unrecognized synonym parameter: \"{other}\"");
                    return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
                }
            }
        }
        let file = required(file, "Synonyms")?;
        let mut words = HashMap::new();
        let fold = |s: &str| if case_sensitive { s.to_owned() } else { lower(s) };
        for line in files::read(file, "syn", "synonym file")?.lines() {
            let mut parts = line.split_whitespace();
            let (Some(from), Some(to)) = (parts.next(), parts.next()) else { continue };
            let (to, prefix) = match to.strip_suffix('*') {
                Some(stem) if !stem.is_empty() => (stem, true),
                _ => (to, false),
            };
            words.insert(fold(from), Lexeme { prefix, ..Lexeme::of(fold(to)) });
        }
        Ok(Synonym { words, case_sensitive })
    }
}

impl Dictionary for Synonym {
    fn lexize(&self, word: &str, _: &mut Talk) -> Result<Option<Vec<Lexeme>>> {
        if word.is_empty() {
            return Ok(None);
        }
        let key = if self.case_sensitive { word.to_owned() } else { lower(word) };
        Ok(self.words.get(&key).map(|l| vec![l.clone()]))
    }
}

pub struct Snowball {
    stemmer: Stemmer,
    stop: StopWords,
}

/// Longer words are left alone.
const MAX_STEMMED: usize = 1000;

fn algorithm(language: &str) -> Option<Algorithm> {
    Some(match language {
        "arabic" => Algorithm::Arabic,
        "danish" => Algorithm::Danish,
        "dutch" => Algorithm::Dutch,
        "english" | "porter" => Algorithm::English,
        "finnish" => Algorithm::Finnish,
        "french" => Algorithm::French,
        "german" => Algorithm::German,
        "greek" => Algorithm::Greek,
        "hungarian" => Algorithm::Hungarian,
        "italian" => Algorithm::Italian,
        "norwegian" => Algorithm::Norwegian,
        "portuguese" => Algorithm::Portuguese,
        "romanian" => Algorithm::Romanian,
        "russian" => Algorithm::Russian,
        "spanish" => Algorithm::Spanish,
        "swedish" => Algorithm::Swedish,
        "tamil" => Algorithm::Tamil,
        "turkish" => Algorithm::Turkish,
        _ => return None,
    })
}

/// Languages that PostgreSQL has besides.
const OTHERS: &[&str] = &[
    "armenian",
    "basque",
    "catalan",
    "estonian",
    "hindi",
    "indonesian",
    "irish",
    "lithuanian",
    "nepali",
    "serbian",
    "yiddish",
];

impl Snowball {
    pub fn new(options: &[(String, String)]) -> Result<Snowball> {
        let (mut stop, mut language) = (None, None);
        for (name, value) in options {
            match name.as_str() {
                "stopwords" => once(&mut stop, StopWords::read(value)?, "StopWords")?,
                "language" => once(&mut language, value.to_ascii_lowercase(), "Language")?,
                other => return Err(unrecognized("Snowball", other)),
            }
        }
        let language = required(language, "Language")?;
        let Some(algorithm) = algorithm(&language) else {
            if OTHERS.contains(&language.as_str()) {
                return Err(PgError::unsupported(format!("the Snowball stemmer for {language}")));
            }
            let text = format!("no Snowball stemmer available for language \"{language}\" and encoding \"UTF8\"");
            return Err(PgError::new(UNDEFINED_OBJECT, text));
        };
        Ok(Snowball { stemmer: Stemmer::create(algorithm), stop: stop.unwrap_or_default() })
    }
}

impl Dictionary for Snowball {
    fn lexize(&self, word: &str, _: &mut Talk) -> Result<Option<Vec<Lexeme>>> {
        let word = lower(word);
        Ok(Some(match () {
            () if word.len() > MAX_STEMMED => vec![Lexeme::of(word)],
            () if word.is_empty() || self.stop.has(&word) => Vec::new(),
            () => vec![Lexeme::of(self.stemmer.stem(&word).into_owned())],
        }))
    }
}
