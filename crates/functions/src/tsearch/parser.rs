//! The default parser: text into words, numbers, hosts, files, tags, ... See `rules` for what makes what.
//!
//! PostgreSQL: `wparser_def.c`.

use super::rules::{Act, Extra, State, Test};

/// Token types by number that the code speaks of.
pub const HOST: u8 = 6;
pub const SPACE: u8 = 12;
pub const TAG: u8 = 13;
pub const URL_PATH: u8 = 18;

/// A piece of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token<'a> {
    pub kind: u8,
    pub text: &'a str,
}

#[derive(Clone, Copy)]
struct Place {
    at: usize,
    len: usize,
    state: State,
    /// The rule to go on with after a failed attempt.
    resume: Option<usize>,
}

pub struct Parser<'a> {
    text: &'a str,
    /// The text's characters with where they begin.
    chars: std::rc::Rc<[(usize, char)]>,
    here: Place,
    stack: Vec<Place>,
    host_wanted: bool,
    ignored: bool,
    start: usize,
}

/// Combining marks. (PostgreSQL: characters of no width, and a list of spacing ones)
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036f | 0x0483..=0x0489 | 0x0591..=0x05bd | 0x05bf | 0x05c1..=0x05c2 | 0x05c4..=0x05c5 | 0x05c7
        | 0x0610..=0x061a | 0x064b..=0x065f | 0x0670 | 0x06d6..=0x06dc | 0x06df..=0x06e4 | 0x06e7..=0x06e8
        | 0x06ea..=0x06ed | 0x0711 | 0x0730..=0x074a | 0x07a6..=0x07b0 | 0x0816..=0x082d | 0x0859..=0x085b
        | 0x08d3..=0x0903 | 0x093a..=0x093c | 0x093e..=0x094f | 0x0951..=0x0957 | 0x0962..=0x0963 | 0x0981..=0x0983
        | 0x09bc | 0x09be..=0x09cd | 0x09d7 | 0x09e2..=0x09e3 | 0x0a01..=0x0a03 | 0x0a3c..=0x0a51 | 0x0a70..=0x0a71
        | 0x0a75 | 0x0a81..=0x0a83 | 0x0abc | 0x0abe..=0x0acd | 0x0ae2..=0x0ae3 | 0x0b01..=0x0b03 | 0x0b3c
        | 0x0b3e..=0x0b57 | 0x0b62..=0x0b63 | 0x0b82 | 0x0bbe..=0x0bcd | 0x0bd7 | 0x0c00..=0x0c04 | 0x0c3e..=0x0c56
        | 0x0c62..=0x0c63 | 0x0c81..=0x0c83 | 0x0cbc | 0x0cbe..=0x0cd6 | 0x0ce2..=0x0ce3 | 0x0d00..=0x0d03
        | 0x0d3b..=0x0d3c | 0x0d3e..=0x0d4d | 0x0d57 | 0x0d62..=0x0d63 | 0x0d82..=0x0d83 | 0x0dca..=0x0ddf
        | 0x0df2..=0x0df3 | 0x0e31 | 0x0e34..=0x0e3a | 0x0e47..=0x0e4e | 0x0eb1 | 0x0eb4..=0x0ebc | 0x0ec8..=0x0ecd
        | 0x0f18..=0x0f19 | 0x0f35 | 0x0f37 | 0x0f39 | 0x0f3e..=0x0f3f | 0x0f71..=0x0f84 | 0x0f86..=0x0f87
        | 0x0f8d..=0x0fbc | 0x102b..=0x103e | 0x1056..=0x1059 | 0x105e..=0x1060 | 0x1062..=0x1064 | 0x1067..=0x106d
        | 0x1071..=0x1074 | 0x1082..=0x108d | 0x108f | 0x17b4..=0x17d3 | 0x1920..=0x193b | 0x19b0..=0x19c9
        | 0x1a17..=0x1a1b | 0x1ab0..=0x1ace | 0x1b00..=0x1b04 | 0x1b34..=0x1b44 | 0x1b80..=0x1b82 | 0x1ba1..=0x1bad
        | 0x1c24..=0x1c37 | 0x1dc0..=0x1dff | 0x200b..=0x200f | 0x20d0..=0x20f0 | 0x302a..=0x302f | 0x3099..=0x309a
        | 0xa66f..=0xa672 | 0xa802 | 0xa806 | 0xa80b | 0xa823..=0xa827 | 0xa880..=0xa881 | 0xa8b4..=0xa8c5
        | 0xa926..=0xa92d | 0xa947..=0xa953 | 0xaa29..=0xaa36 | 0xaa4c..=0xaa4d | 0xfb1e | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f)
}

fn is_url_char(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str) -> Parser<'a> {
        let chars = text.char_indices().collect();
        Parser::at(text, chars, Place { at: 0, len: 0, state: State::Base, resume: None })
    }
    fn at(text: &'a str, chars: std::rc::Rc<[(usize, char)]>, here: Place) -> Parser<'a> {
        Parser { text, chars, start: here.at, here, stack: Vec::new(), host_wanted: false, ignored: false }
    }
    fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.text.len(), |c| c.0)
    }
    fn slice(&self, from: usize, len: usize) -> &'a str {
        &self.text[self.byte(from)..self.byte(from + len)]
    }

    /// A parser of its own from here on; what it finds is taken in if it is of this kind.
    fn takes_in(&mut self, state: State, kind: u8, want_host: bool) -> bool {
        let here = Place { at: self.here.at, len: 0, state, resume: None };
        let mut inner = Parser::at(self.text, self.chars.clone(), here);
        inner.host_wanted = want_host;
        match inner.token() {
            Some((found, len)) if found == kind => {
                self.here.at += len;
                self.here.len += len;
                true
            }
            _ => false,
        }
    }

    fn holds(&mut self, test: Test) -> bool {
        let c = self.chars.get(self.here.at).map(|c| c.1);
        let is = |f: &dyn Fn(char) -> bool| c.is_some_and(f);
        match test {
            Test::Any => true,
            Test::End => c.is_none(),
            Test::Is(wanted) => c == Some(wanted),
            Test::Ignored => self.ignored,
            Test::Ascii => is(&|c| c.is_ascii_alphabetic()),
            Test::Alpha => is(&char::is_alphabetic),
            Test::Digit => is(&|c| c.is_ascii_digit()),
            Test::Alnum => is(&char::is_alphanumeric),
            Test::NotAlnum => is(&|c| !c.is_alphanumeric()),
            Test::Mark => is(&is_mark),
            Test::Space => is(&char::is_whitespace),
            Test::Hex => is(&|c| c.is_ascii_hexdigit()),
            Test::UrlChar => is(&is_url_char),
            Test::HostWanted => std::mem::take(&mut self.host_wanted),
            Test::Host => c.is_some() && self.takes_in(State::Base, HOST, true),
            Test::UrlPath => c.is_some() && self.takes_in(State::URLPathFirst, URL_PATH, false),
        }
    }

    fn extra(&mut self, extra: Extra) {
        match extra {
            Extra::None => {}
            Extra::Tags => {
                let token = self.slice(self.start, self.here.len).to_ascii_lowercase();
                match token.as_str() {
                    "</script" | "</style" => self.ignored = false,
                    "<script" | "<style" => self.ignored = true,
                    _ => {}
                }
            }
            Extra::Url => {
                self.host_wanted = true;
                self.here.at -= self.here.len;
            }
            Extra::Back => self.here.at -= self.here.len,
            Extra::Restart => {
                self.here.at -= self.here.len;
                self.here.len = 0;
            }
        }
    }

    /// The next token's kind and length in characters.
    fn token(&mut self) -> Option<(u8, usize)> {
        let end = self.chars.len();
        if self.here.at >= end {
            return None;
        }
        self.start = self.here.at;
        self.here.resume = None;
        loop {
            let rules = self.here.state.rules();
            let mut i = self.here.resume.take().unwrap_or(0);
            while i + 1 < rules.len() && !self.holds(rules[i].test) {
                i += 1;
            }
            let rule = rules.get(i)?;
            self.extra(rule.extra);
            let mut found = None;
            if let Act::Found(kind) | Act::FoundClear(kind) | Act::FoundAll(kind) = rule.act {
                found = Some((kind, std::mem::take(&mut self.here.len)));
            }
            match rule.act {
                Act::Pop => self.here = self.stack.pop()?,
                Act::Push => self.stack.push(Place { resume: Some(i + 1), ..self.here }),
                Act::Clear | Act::FoundClear(_) => {
                    self.stack.pop();
                }
                Act::FoundAll(_) => self.stack.clear(),
                Act::Merge => {
                    let state = self.stack.pop()?.state;
                    self.here.state = state;
                }
                Act::Next | Act::Rerun | Act::Found(_) => {}
            }
            if rule.to != State::Same {
                self.here.state = rule.to;
            }
            if found.is_some() {
                return found;
            }
            if self.here.at >= end && rule.act != Act::Rerun && rule.act != Act::Pop {
                // Nothing is left to decide with.
                if self.here.at > end || rule.test == Test::End {
                    return None;
                }
            }
            if matches!(rule.act, Act::Rerun | Act::Pop) {
                continue;
            }
            if self.here.at < end {
                self.here.at += 1;
                self.here.len += 1;
            }
        }
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Token<'a>;
    fn next(&mut self) -> Option<Token<'a>> {
        let (kind, len) = self.token()?;
        Some(Token { kind, text: self.slice(self.start, len) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u8, &str)]) {
        let found: Vec<(u8, &str)> = Parser::new(text).map(|t| (t.kind, t.text)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tokens() {
        check("The cat", &[(1, "The"), (12, " "), (1, "cat")]);
        check(
            "-5 3.14 1.2.3 1e5",
            &[(21, "-5"), (12, " "), (20, "3.14"), (12, " "), (8, "1.2.3"), (12, " "), (7, "1e5")],
        );
        check("foo-bar", &[(16, "foo-bar"), (11, "foo"), (12, "-"), (11, "bar")]);
        check("a@b.com /usr/x", &[(4, "a@b.com"), (12, " "), (19, "/usr/x")]);
        check("http://e.com/x?y", &[(14, "http://"), (5, "e.com/x?y"), (6, "e.com"), (18, "/x?y")]);
        check("<b>x</b> &amp;", &[(13, "<b>"), (1, "x"), (13, "</b>"), (12, " "), (23, "&amp;")]);
    }
}
