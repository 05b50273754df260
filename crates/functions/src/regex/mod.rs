//! PostgreSQL's advanced regular expressions (ARE), with ERE as a subset: no backtracking unless back references ask for it.
//!
//! 1. `parse` turns the text into a tree; 2. `program` compiles every subtree that must be matched on its own into a small
//! non-deterministic automaton; 3. `exec` finds the leftmost match of the preferred length by simulating it, and then, if
//! subexpressions are wanted, takes the match apart from left to right, each part as long or short as it prefers.
//!
//! PostgreSQL: manual, "Regular Expression Details". A `Regex` is immutable and shared.

mod exec;
mod parse;
mod program;

use base::sqlstate::{INVALID_PARAMETER_VALUE, INVALID_REGULAR_EXPRESSION};
use base::{PgError, Result};

/// How a pattern is to be read. (PostgreSQL: the `REG_*` flags)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags {
    pub icase: bool,
    /// `.` and negated brackets do not match a newline.
    pub newline_stops: bool,
    /// `^` and `$` also match at line borders.
    pub newline_anchors: bool,
    pub expanded: bool,
    pub literal: bool,
    pub ere: bool,
    pub global: bool,
}

impl Flags {
    pub const NONE: Flags = Flags {
        icase: false,
        newline_stops: false,
        newline_anchors: false,
        expanded: false,
        literal: false,
        ere: false,
        global: false,
    };
    /// One letter of an option string or embedded option list.
    fn apply(&mut self, c: char) -> bool {
        match c {
            'i' => self.icase = true,
            'c' => self.icase = false,
            'n' | 'm' => (self.newline_stops, self.newline_anchors) = (true, true),
            'p' => (self.newline_stops, self.newline_anchors) = (true, false),
            'w' => (self.newline_stops, self.newline_anchors) = (false, true),
            's' => (self.newline_stops, self.newline_anchors) = (false, false),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'e' => self.ere = true,
            'b' => self.ere = true,
            _ => return false,
        }
        true
    }
    /// (PostgreSQL: `parse_re_flags`)
    pub fn parse(options: &str) -> Result<Flags> {
        let mut flags = Flags::NONE;
        for c in options.chars() {
            if c == 'g' {
                flags.global = true;
            } else if c == 'b' {
                return Err(PgError::unsupported("basic regular expressions"));
            } else if !flags.apply(c) {
                let text = format!("invalid regular expression option: \"{c}\"");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
            }
        }
        Ok(flags)
    }
}

#[cold]
pub(crate) fn invalid(why: &str) -> PgError {
    PgError::new(INVALID_REGULAR_EXPRESSION, format!("invalid regular expression: {why}"))
}

/// A compiled pattern.
pub struct Regex {
    pub(crate) tree: program::Tree,
    /// Capturing groups.
    pub groups: usize,
    pub(crate) has_backrefs: bool,
    pub(crate) icase: bool,
}

/// Where a match and its groups lie, in characters.
pub type Captures = Vec<Option<(usize, usize)>>;

impl Regex {
    pub fn new(pattern: &str, flags: Flags) -> Result<Regex> {
        let parsed = parse::parse(pattern, flags)?;
        let tree = program::compile(&parsed.node)?;
        Ok(Regex { tree, groups: parsed.groups, has_backrefs: parsed.backrefs, icase: parsed.icase })
    }
    /// Whether the pattern matches anywhere.
    pub fn is_match(&self, text: &[char]) -> bool {
        if self.has_backrefs { self.find(text, 0).is_some() } else { exec::any(self, text) }
    }
    /// The first match at or after character `from`: entry 0 is all of it, then the groups.
    pub fn find(&self, text: &[char], from: usize) -> Option<Captures> {
        exec::find(self, text, from, true)
    }
    /// As `find`, without the groups.
    pub fn find_span(&self, text: &[char], from: usize) -> Option<(usize, usize)> {
        exec::find(self, text, from, self.has_backrefs).and_then(|c| c[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values as `regexp_match` gives them on PostgreSQL 18.
    #[test]
    fn matches() {
        let check = |pattern: &str, text: &str, expected: Option<&[&str]>| {
            let chars: Vec<char> = text.chars().collect();
            let regex = Regex::new(pattern, Flags::NONE).unwrap();
            let got = regex.find(&chars, 0);
            let got: Option<Vec<String>> =
                got.map(|c| c.iter().map(|g| g.map_or("NULL".into(), |(a, b)| chars[a..b].iter().collect())).collect());
            let expected = expected.map(|e| e.iter().map(|s| s.to_string()).collect::<Vec<_>>());
            assert_eq!(got, expected, "{pattern} on {text}");
            assert_eq!(regex.is_match(&chars), expected.is_some(), "{pattern} on {text}");
        };
        check("^(pg_class)$", "pg_class", Some(&["pg_class", "pg_class"]));
        check("^(pg_class)$", "pg_classs", None);
        check("a|ab", "xabc", Some(&["ab"]));
        check("(a|ab)(c|bcd)(d*)", "abcd", Some(&["abcd", "ab", "c", "d"]));
        check("XY*?Y{1,3}", "abcXYYYY", Some(&["XY"]));
        check("(?:XY*?Y{1,3})*", "XYYYYa", Some(&["XYYYY"]));
        check("Y*([0-9]{1,3})", "XYYY123Z", Some(&["YYY123", "123"]));
        check("Y*?([0-9]{1,3})", "XYYY123Z", Some(&["YYY1", "1"]));
        check("(x)*", "xxx", Some(&["xxx", "x"]));
        check("([ab])\\1", "xabbc", Some(&["bb", "b"]));
        check("(a*)*", "b", Some(&["", ""]));
        check("[[:digit:]]+", "ab12", Some(&["12"]));
        check("\\mfoo\\M", "a foo b", Some(&["foo"]));
        check("a(?=b)", "acab", Some(&["a"]));
        check("(?<=x)a", "axa", Some(&["a"]));
        check("(?i)ABC", "xabc", Some(&["abc"]));
        check("[]a]+", "x]a", Some(&["]a"]));
        check("", "abc", Some(&[""]));
        check("a{2,3}", "aaaa", Some(&["aaa"]));
        check("(foo|foobar)baz?", "foobarba", Some(&["foobarba", "foobar"]));
    }
    #[test]
    fn errors() {
        let check = |pattern: &str, expected: &str| {
            let e = Regex::new(pattern, Flags::NONE).err().unwrap();
            assert_eq!(e.message(), format!("invalid regular expression: {expected}"), "{pattern}");
        };
        check("(a", "parentheses () not balanced");
        check("[a", "brackets [] not balanced");
        check("*a", "quantifier operand invalid");
        check("a{1,300}", "invalid repetition count(s)");
        check("[[:foo:]]", "invalid character class");
        check("\\2(a)", "invalid backreference number");
        check("[b-a]", "invalid character range");
    }
}
