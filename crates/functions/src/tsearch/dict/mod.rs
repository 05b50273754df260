//! Dictionaries: what a word is looked up as.
//!
//! | file | template |
//! | --- | --- |
//! | `files.rs` | the files that dictionaries are made of; they come with the server |
//! | `simple.rs` | `simple`, `synonym`, `snowball` |
//! | `thesaurus.rs` | `thesaurus`: phrases for phrases |
//! | `ispell.rs` | `ispell`: words with affixes, as Ispell, MySpell and Hunspell describe them |
//!
//! PostgreSQL: `dict_*.c`, `spell.c`.

mod affix;
pub mod files;
mod ispell;
mod simple;
mod thesaurus;

use std::any::Any;
use std::sync::Arc;

use base::sqlstate::*;
use base::{PgError, Result};
use types::Runtime;
use types::search::DictionaryInfo;

/// What a word becomes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lexeme {
    pub text: String,
    /// Lexemes of one variant belong together: a split compound.
    pub variant: u16,
    /// It takes the next position.
    pub next_position: bool,
    /// It is a prefix.
    pub prefix: bool,
    /// The next dictionary is asked about this instead.
    pub filter: bool,
}

impl Lexeme {
    pub fn of(text: impl Into<String>) -> Lexeme {
        Lexeme { text: text.into(), ..Lexeme::default() }
    }
}

/// The talk with a dictionary that looks at several words. (PostgreSQL: `DictSubState`)
#[derive(Default)]
pub struct Talk {
    /// The text has ended.
    pub at_end: bool,
    /// It wants the next word before it decides.
    pub more: bool,
    pub kept: Option<Box<dyn Any + Send>>,
}

pub trait Dictionary: Send + Sync {
    /// `None`: the word is not known here. An empty list: it is a stop word.
    fn lexize(&self, word: &str, talk: &mut Talk) -> Result<Option<Vec<Lexeme>>>;
}

pub(super) fn lower(s: &str) -> String {
    s.to_lowercase()
}

fn unrecognized(what: &str, name: &str) -> PgError {
    PgError::new(INVALID_PARAMETER_VALUE, format!("unrecognized {what} parameter: \"{name}\""))
}

/// An option that may be given once.
fn once<T>(slot: &mut Option<T>, value: T, name: &str) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(PgError::new(INVALID_PARAMETER_VALUE, format!("multiple {name} parameters"))),
    }
}

fn required<T>(slot: Option<T>, name: &str) -> Result<T> {
    slot.ok_or_else(|| PgError::new(INVALID_PARAMETER_VALUE, format!("missing {name} parameter")))
}

/// Makes a dictionary of what the catalogs say.
pub fn make(rt: &mut dyn Runtime, info: &DictionaryInfo) -> Result<Arc<dyn Dictionary>> {
    Ok(match info.lexize.as_str() {
        "dsimple_lexize" => Arc::new(simple::Simple::new(&info.options)?),
        "dsynonym_lexize" => Arc::new(simple::Synonym::new(&info.options)?),
        "dsnowball_lexize" => Arc::new(simple::Snowball::new(&info.options)?),
        "dispell_lexize" => Arc::new(ispell::Ispell::new(&info.options)?),
        "thesaurus_lexize" => Arc::new(thesaurus::Thesaurus::new(rt, &info.options)?),
        other => return Err(PgError::unsupported(format!("text search template function {other}"))),
    })
}

pub fn check(rt: &mut dyn Runtime, info: &DictionaryInfo) -> Result<()> {
    make(rt, info).map(drop)
}
