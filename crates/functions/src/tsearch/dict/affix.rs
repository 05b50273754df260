//! Affix rules: files of Ispell and of Hunspell and its kin, read into one form.
//!
//! PostgreSQL: `NIImportAffixes`, `NIImportOOAffixes` (`spell.c`).

use base::sqlstate::*;
use base::{PgError, Result};

use super::lower;
use crate::regex::{Flags, Regex};

/// What a word or an affix may do in compounds, and whether prefixes and suffixes go together.
pub mod flag {
    pub const ONLY: u8 = 0x01;
    pub const BEGIN: u8 = 0x02;
    pub const MIDDLE: u8 = 0x04;
    pub const LAST: u8 = 0x08;
    pub const ANY: u8 = BEGIN | MIDDLE | LAST;
    pub const PERMIT: u8 = 0x10;
    pub const FORBID: u8 = 0x20;
    pub const CROSS: u8 = 0x40;
}

pub struct Affix {
    pub name: String,
    pub suffix: bool,
    pub flags: u8,
    /// What the base form has where the inflected one has `repl`.
    pub find: String,
    pub repl: String,
    /// What the base form must look like.
    mask: Option<Regex>,
}

impl Affix {
    fn new(name: &str, suffix: bool, flags: u8, mask: &str, find: &str, repl: &str) -> Result<Affix> {
        let mask = match mask {
            "." | "" => None,
            m => {
                let pattern = if suffix { format!("{m}$") } else { format!("^{m}") };
                Some(Regex::new(&pattern, Flags::parse("")?)?)
            }
        };
        let alone = flags & (flag::ONLY | flag::PERMIT) != 0 && flags & flag::ANY == 0;
        let flags = if alone { flags | flag::ANY } else { flags };
        Ok(Affix { name: name.to_owned(), suffix, flags, find: find.to_owned(), repl: repl.to_owned(), mask })
    }

    /// The base form of a word with this affix, if its place in a compound (`place`, 0 for none) allows it.
    pub fn undo(&self, word: &str, place: u8) -> Option<String> {
        let own = |bit: u8| self.flags & bit != 0;
        let refused = match place {
            0 => own(flag::ONLY),
            p if p & flag::BEGIN != 0 => own(flag::FORBID) || !own(flag::BEGIN) && self.suffix,
            p if p & flag::MIDDLE != 0 => !own(flag::MIDDLE) || own(flag::FORBID),
            p if p & flag::LAST != 0 => own(flag::FORBID) || !own(flag::LAST) && !self.suffix,
            _ => false,
        };
        if refused {
            return None;
        }
        let base = match self.suffix {
            true => format!("{}{}", word.strip_suffix(self.repl.as_str())?, self.find),
            false => format!("{}{}", self.find, word.strip_prefix(self.repl.as_str())?),
        };
        let fits = match &self.mask {
            None => true,
            Some(m) => m.is_match(&base.chars().collect::<Vec<char>>()),
        };
        fits.then_some(base)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Naming {
    #[default]
    Letter,
    Long,
    Number,
}

#[derive(Default)]
pub struct Affixes {
    pub list: Vec<Affix>,
    pub compounds: bool,
    naming: Naming,
    /// Sets of flags that go by number.
    aliases: Vec<String>,
    compound_flags: Vec<(String, u8)>,
}

fn format_error(file: &str) -> PgError {
    PgError::new(CONFIG_FILE_ERROR, format!("wrong affix file format for flag in \"{file}\""))
}

impl Affixes {
    pub fn read(file: &str, text: &str) -> Result<Affixes> {
        let mut a = Affixes::default();
        let new_form = ["COMPOUNDFLAG", "COMPOUNDMIN", "PFX", "SFX", "FLAG", "AF "];
        match text.lines().any(|l| new_form.iter().any(|k| l.starts_with(k))) {
            true => a.read_hunspell(file, text)?,
            false => a.read_ispell(text)?,
        }
        // Shorter affixes first, as they are found.
        a.list.sort_by(|x, y| x.suffix.cmp(&y.suffix).then(x.repl.len().cmp(&y.repl.len())));
        Ok(a)
    }

    fn read_ispell(&mut self, text: &str) -> Result<()> {
        let (mut suffix, mut flags, mut name) = (None, 0, String::new());
        for line in text.lines() {
            let line = line.trim();
            let lowered = lower(line);
            if let Some(rest) = lowered.strip_prefix("compoundwords") {
                let said = line[line.len() - rest.len()..].split_whitespace().last().unwrap_or_default();
                self.compound_flags.push((said.to_owned(), flag::ANY));
                self.compounds = true;
            } else if lowered.starts_with("suffixes") {
                suffix = Some(true);
            } else if lowered.starts_with("prefixes") {
                suffix = Some(false);
            } else if lowered.starts_with("flag") {
                flags = 0;
                let mut said = line[4..].trim_start();
                while let Some(first) = said.chars().next() {
                    match first {
                        '*' => flags |= flag::CROSS,
                        '~' => flags |= flag::ONLY,
                        _ => break,
                    }
                    said = &said[first.len_utf8()..];
                }
                let said = said.strip_prefix('\\').unwrap_or(said);
                name = said.chars().take(1).collect();
            } else if let (Some(suffix), Some((mask, change))) = (suffix, lowered.split_once('>')) {
                let change: String = change.split_whitespace().collect();
                let mask: String = mask.split_whitespace().collect();
                let (find, repl) = match change.strip_prefix('-') {
                    Some(rest) => rest.split_once(',').unwrap_or((rest, "")),
                    None => ("", change.as_str()),
                };
                let repl = if repl == "-" { "" } else { repl };
                self.list.push(Affix::new(&name, suffix, flags, &mask, find, repl)?);
            }
        }
        Ok(())
    }

    fn read_hunspell(&mut self, file: &str, text: &str) -> Result<()> {
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((&key, rest)) = words.split_first() else { continue };
            let value = match key {
                "COMPOUNDFLAG" => flag::ANY,
                "COMPOUNDBEGIN" => flag::BEGIN,
                "COMPOUNDMIDDLE" => flag::MIDDLE,
                "COMPOUNDLAST" | "COMPOUNDEND" => flag::LAST,
                "ONLYINCOMPOUND" => flag::ONLY,
                "COMPOUNDPERMITFLAG" => flag::PERMIT,
                "COMPOUNDFORBIDFLAG" => flag::FORBID,
                "FLAG" => {
                    self.naming = match rest.first().copied() {
                        Some("long") => Naming::Long,
                        Some("num") => Naming::Number,
                        Some("default") | None => Naming::Letter,
                        Some(_) => {
                            let text = "Ispell dictionary supports only \"default\", \"long\", and \"num\" flag values";
                            return Err(PgError::new(CONFIG_FILE_ERROR, text));
                        }
                    };
                    continue;
                }
                _ => continue,
            };
            if let Some(name) = rest.first() {
                self.compound_flags.push(((*name).to_owned(), value));
                self.compounds = true;
            }
        }
        let mut headed: Option<(String, bool, u8)> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                // The first says how many follow.
                ["AF", first, ..] => match first.parse::<usize>() {
                    Ok(_) if self.aliases.is_empty() => self.aliases.push(String::new()),
                    _ => self.aliases.push((*first).to_owned()),
                },
                [kind @ ("SFX" | "PFX"), name, cross @ ("Y" | "N"), count] if count.parse::<u32>().is_ok() => {
                    let flags = if *cross == "Y" { flag::CROSS } else { 0 };
                    headed = Some(((*name).to_owned(), *kind == "SFX", flags));
                }
                [kind @ ("SFX" | "PFX"), name, find, repl, rest @ ..] => {
                    let Some((_, suffix, flags)) = headed.as_ref().filter(|h| h.0 == *name && h.1 == (*kind == "SFX"))
                    else {
                        return Err(format_error(file));
                    };
                    let (repl, more) = repl.split_once('/').unwrap_or((repl, ""));
                    let own = self.compound_value(more);
                    let plain = |s: &str| if s == "0" { String::new() } else { lower(s) };
                    let mask = lower(rest.first().copied().unwrap_or("."));
                    let affix = Affix::new(name, *suffix, flags | own, &mask, &plain(find), &plain(repl))?;
                    self.list.push(affix);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The flags that a word's or affix's list names.
    pub fn flags_of<'a>(&'a self, said: &'a str) -> Vec<String> {
        let said = match said.parse::<usize>() {
            Ok(n) if !self.aliases.is_empty() => self.aliases.get(n).map_or("", String::as_str),
            _ => said,
        };
        match self.naming {
            Naming::Number => said.split(',').map(str::to_owned).filter(|s| !s.is_empty()).collect(),
            Naming::Letter => said.chars().map(String::from).collect(),
            Naming::Long => said.chars().collect::<Vec<char>>().chunks(2).map(|c| c.iter().collect()).collect(),
        }
    }

    fn compound_value(&self, said: &str) -> u8 {
        let named = self.flags_of(said);
        let value = |n: &String| self.compound_flags.iter().filter(|f| f.0 == *n).fold(0, |v, f| v | f.1);
        named.iter().fold(0, |v, n| v | value(n))
    }
    /// What a word with these flags may do in compounds.
    pub fn compound_bits(&self, flags: &[String]) -> u8 {
        let value = |n: &String| self.compound_flags.iter().filter(|f| f.0 == *n).fold(0, |v, f| v | f.1);
        flags.iter().fold(0, |v, n| v | value(n)) & (flag::ONLY | flag::ANY | flag::PERMIT)
    }
}
