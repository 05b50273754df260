//! `ispell`: a word list with flags, and rules of what the flags add to words. A word is brought to its base forms; where the
//! language builds compounds, also to their parts.
//!
//! PostgreSQL: `dict_ispell.c`, `NINormalizeWord`, `SplitToVariants` (`spell.c`).

use std::collections::BTreeMap;

use base::Result;

use super::affix::{Affix, Affixes, flag};
use super::files::{self, StopWords};
use super::{Dictionary, Lexeme, Talk, lower, once, required, unrecognized};

/// Longer words are not known.
const MAX_LENGTH: usize = 256;

struct Word {
    flags: Vec<String>,
    compound: u8,
}

/// What links parts of a compound.
struct Link {
    text: String,
    suffix: bool,
}

pub struct Ispell {
    words: BTreeMap<String, Word>,
    affixes: Affixes,
    links: Vec<Link>,
    stop: StopWords,
}

impl Ispell {
    pub fn new(options: &[(String, String)]) -> Result<Ispell> {
        let (mut words_file, mut affix_file, mut stop) = (None, None, None);
        for (name, value) in options {
            match name.as_str() {
                "dictfile" => once(&mut words_file, value, "DictFile")?,
                "afffile" => once(&mut affix_file, value, "AffFile")?,
                "stopwords" => once(&mut stop, StopWords::read(value)?, "StopWords")?,
                other => return Err(unrecognized("Ispell", other)),
            }
        }
        let affix_file = required(affix_file, "AffFile")?;
        let words_file = required(words_file, "DictFile")?;
        let words = files::read(words_file, "dict", "dictionary file")?;
        let affixes = Affixes::read(affix_file, files::read(affix_file, "affix", "affix file")?)?;
        let mut d = Ispell { words: BTreeMap::new(), affixes, links: Vec::new(), stop: stop.unwrap_or_default() };
        words.lines().for_each(|l| d.add(l));
        let used = |a: &&Affix| d.words.values().any(|w| w.flags.contains(&a.name));
        let mut links: Vec<Link> = Vec::new();
        let mut linking: Vec<&Affix> =
            d.affixes.list.iter().filter(|a| a.flags & flag::ANY != 0 && !a.repl.is_empty()).filter(used).collect();
        linking.sort_by(|a, b| a.suffix.cmp(&b.suffix).then(a.repl.cmp(&b.repl)));
        for a in linking {
            // Only the shortest of those that begin alike.
            if links.last().is_none_or(|l| l.suffix != a.suffix || !a.repl.starts_with(&l.text)) {
                links.push(Link { text: a.repl.clone(), suffix: a.suffix });
            }
        }
        d.links = links;
        Ok(d)
    }

    fn add(&mut self, line: &str) {
        let (word, said) = line.split_once('/').unwrap_or((line, ""));
        let word = lower(word.trim());
        if word.is_empty() {
            return;
        }
        let mut flags = self.affixes.flags_of(said.split_whitespace().next().unwrap_or_default());
        let mut forget_only = false;
        if let Some(old) = self.words.get(&word) {
            forget_only = old.compound & self.affixes.compound_bits(&flags) & flag::ONLY == 0;
            flags.extend(old.flags.iter().cloned());
        }
        let mut compound = self.affixes.compound_bits(&flags);
        if compound & flag::ONLY != 0 && compound & flag::ANY == 0 {
            compound |= flag::ANY;
        }
        if forget_only {
            compound &= !flag::ONLY;
        }
        self.words.insert(word, Word { flags, compound });
    }

    /// Whether the word is there, may stand at that place of a compound, and takes the affix.
    fn has(&self, word: &str, affix: Option<&str>, place: u8) -> bool {
        let Some(w) = self.words.get(word) else { return false };
        let allowed = match place {
            0 => w.compound & flag::ONLY == 0,
            p => w.compound & p != 0,
        };
        allowed && affix.is_none_or(|a| w.flags.iter().any(|f| f == a))
    }

    /// The base forms of a word or part. (PostgreSQL: `NormalizeSubWord`)
    fn base_forms(&self, word: &str, place: u8) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        if word.len() > MAX_LENGTH {
            return out;
        }
        let mut push = |form: String| {
            if out.last() != Some(&form) {
                out.push(form);
            }
        };
        let of_kind = |suffix: bool| self.affixes.list.iter().filter(move |a| a.suffix == suffix);
        if self.has(word, None, place) {
            push(word.to_owned());
        }
        for prefix in of_kind(false) {
            if let Some(base) = prefix.undo(word, place)
                && self.has(&base, Some(&prefix.name), place)
            {
                push(base);
            }
        }
        for suffix in of_kind(true) {
            let Some(stem) = suffix.undo(word, place) else { continue };
            if self.has(&stem, Some(&suffix.name), place) {
                push(stem.clone());
            }
            // What of the stem is the word's own; a prefix may not be all of it.
            let own = word.len() - suffix.repl.len();
            for prefix in of_kind(false) {
                if own + prefix.find.len() <= prefix.repl.len() {
                    continue;
                }
                let Some(base) = prefix.undo(&stem, place) else { continue };
                let both = prefix.flags & suffix.flags & flag::CROSS != 0;
                if self.has(&base, (!both).then_some(prefix.name.as_str()), place) {
                    push(base);
                }
            }
        }
        out
    }

    fn begins_a_word(&self, part: &str) -> bool {
        self.words.range(part.to_owned()..).next().is_some_and(|(w, _)| w.starts_with(part))
    }

    /// Where a linking affix ends next, from byte `level` on, trying the links from `next` on.
    fn link_end(&self, next: &mut usize, rest: &str, in_place: bool) -> Option<usize> {
        while let Some(link) = self.links.get(*next) {
            *next += 1;
            if rest.len() <= link.text.len() {
                continue;
            }
            let at = match in_place {
                true => rest.starts_with(&link.text).then_some(0),
                false => rest.find(&link.text),
            };
            if let Some(at) = at {
                return Some(if link.suffix { at + link.text.len() } else { 0 });
            }
        }
        None
    }

    /// The ways to split a word from byte `start` on. With `resume`, a word of the list ends before it and a longer one is
    /// looked for. The last part of each way is what is left, not looked up.
    fn split(
        &self,
        word: &str,
        stems: &[String],
        start: usize,
        resume: Option<usize>,
        minimum: isize,
    ) -> Vec<Vec<String>> {
        let mut own = stems.to_vec();
        let mut others: Vec<Vec<String>> = Vec::new();
        let mut probed = vec![false; word.len()];
        let (mut start, mut in_list) = (start, true);
        let mut level = resume.unwrap_or(start);
        if let Some(r) = resume {
            in_list = self.begins_a_word(&word[start..r]);
        }
        while level < word.len() {
            let mut next = 0;
            while level > start {
                let Some(len) = self.link_end(&mut next, &word[level..], in_list) else { break };
                let len = level - start + len;
                if len == 0 || probed[start + len - 1] || (level + len) as isize - 1 <= minimum || len >= MAX_LENGTH {
                    continue;
                }
                let Some(part) = word.get(start..start + len) else { continue };
                let place = match level {
                    0 => flag::BEGIN,
                    l if l + 1 == word.len() => flag::LAST,
                    _ => flag::MIDDLE,
                };
                let forms = self.base_forms(part, place);
                if !forms.is_empty() {
                    probed[start + len - 1] = true;
                    let mut with = own.clone();
                    with.extend(forms);
                    others.extend(self.split(word, &with, start + len, None, (start + len) as isize));
                }
            }
            if !in_list {
                break;
            }
            let width = word[level..].chars().next().map_or(1, char::len_utf8);
            let end = level + width;
            let here = &word[start..end];
            if self.begins_a_word(here) {
                let place = match (start, end == word.len()) {
                    (0, _) => flag::BEGIN,
                    (_, true) => flag::LAST,
                    _ => flag::MIDDLE,
                };
                let fits = self.words.get(here).is_some_and(|w| w.compound & place != 0);
                if fits && !probed[end - 1] && (end - 1) as isize > minimum {
                    if end == word.len() {
                        own.push(here.to_owned());
                        others.insert(0, own);
                        return others;
                    }
                    // A longer word may begin here as well.
                    others.extend(self.split(word, &own, start, Some(end), (end - 1) as isize));
                    own.push(here.to_owned());
                    (start, level) = (end, end);
                    continue;
                }
            } else {
                in_list = false;
            }
            level = end;
        }
        own.push(word[start..].to_owned());
        others.insert(0, own);
        others
    }
}

impl Dictionary for Ispell {
    fn lexize(&self, word: &str, _: &mut Talk) -> Result<Option<Vec<Lexeme>>> {
        if word.is_empty() {
            return Ok(None);
        }
        let word = lower(word);
        let mut out: Vec<Lexeme> = Vec::new();
        let mut variant = 1;
        for form in self.base_forms(&word, 0) {
            out.push(Lexeme { variant, ..Lexeme::of(form) });
            variant += 1;
        }
        if self.affixes.compounds {
            for way in self.split(&word, &[], 0, None, -1) {
                let Some((last, first)) = way.split_last() else { continue };
                if first.is_empty() {
                    continue;
                }
                for form in self.base_forms(last, flag::LAST) {
                    out.extend(first.iter().map(|p| Lexeme { variant, ..Lexeme::of(p.clone()) }));
                    out.push(Lexeme { variant, ..Lexeme::of(form) });
                    variant += 1;
                }
            }
        }
        if out.is_empty() {
            return Ok(None);
        }
        out.retain(|l| !self.stop.has(&l.text));
        Ok(Some(out))
    }
}
