//! From the pattern's text to a tree.

use base::Result;

use super::{Flags, invalid};

/// A set of characters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Set {
    pub negated: bool,
    /// Of a negated set under newline-sensitive matching: never matches a newline.
    pub not_newline: bool,
    pub ranges: Vec<(char, char)>,
    pub classes: Vec<(Class, bool)>,
    pub icase: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Class {
    Alnum,
    Alpha,
    Ascii,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
    Word,
}

impl Class {
    fn named(name: &str) -> Option<Class> {
        Some(match name {
            "alnum" => Class::Alnum,
            "alpha" => Class::Alpha,
            "ascii" => Class::Ascii,
            "blank" => Class::Blank,
            "cntrl" => Class::Cntrl,
            "digit" => Class::Digit,
            "graph" => Class::Graph,
            "lower" => Class::Lower,
            "print" => Class::Print,
            "punct" => Class::Punct,
            "space" => Class::Space,
            "upper" => Class::Upper,
            "xdigit" => Class::Xdigit,
            "word" => Class::Word,
            _ => return None,
        })
    }
    pub fn contains(self, c: char) -> bool {
        match self {
            Class::Alnum => c.is_alphanumeric(),
            Class::Alpha => c.is_alphabetic(),
            Class::Ascii => c.is_ascii(),
            Class::Blank => c == ' ' || c == '\t',
            Class::Cntrl => c.is_control(),
            Class::Digit => c.is_ascii_digit(),
            Class::Graph => !c.is_whitespace() && !c.is_control(),
            Class::Lower => c.is_lowercase(),
            Class::Print => !c.is_control(),
            Class::Punct => match c.is_ascii() {
                true => c.is_ascii_punctuation(),
                false => !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control(),
            },
            Class::Space => c.is_whitespace(),
            Class::Upper => c.is_uppercase(),
            Class::Xdigit => c.is_ascii_hexdigit(),
            Class::Word => c.is_alphanumeric() || c == '_',
        }
    }
}

impl Set {
    fn one(c: char, icase: bool) -> Set {
        Set { ranges: vec![(c, c)], icase, ..Set::default() }
    }
    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|&(a, b)| a <= c && c <= b)
            || self.classes.iter().any(|&(k, positive)| k.contains(c) == positive)
    }
    pub fn contains(&self, c: char) -> bool {
        if self.not_newline && c == '\n' {
            return false;
        }
        let found = self.has(c)
            || self.icase && {
                let (l, u) = (crate::strings::lower_char(c), crate::strings::upper_char(c));
                self.has(l) || self.has(u)
            };
        found != self.negated
    }
}

/// A place, not a character.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Anchor {
    Bol,
    Eol,
    LineBol,
    LineEol,
    WordStart,
    WordEnd,
    WordEdge,
    NotWordEdge,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Empty,
    Set(Set),
    Anchor(Anchor),
    Group(usize, Box<Node>),
    Concat(Vec<Node>),
    Alt(Vec<Node>),
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, greedy: bool },
    Backref(usize),
    Look { ahead: bool, positive: bool, node: Box<Node> },
}

impl Node {
    /// Whether it prefers the longest match; `None` if it has no preference.
    pub fn prefers_longest(&self) -> Option<bool> {
        match self {
            Node::Group(_, n) => n.prefers_longest(),
            Node::Concat(list) => list.iter().find_map(Node::prefers_longest),
            Node::Alt(_) => Some(true),
            Node::Repeat { node, min, max, .. } if Some(*min) == *max => node.prefers_longest(),
            Node::Repeat { greedy, .. } => Some(*greedy),
            _ => None,
        }
    }
    pub fn has_groups(&self) -> bool {
        match self {
            Node::Group(..) | Node::Backref(_) => true,
            Node::Concat(list) | Node::Alt(list) => list.iter().any(Node::has_groups),
            Node::Repeat { node, .. } => node.has_groups(),
            _ => false,
        }
    }
}

pub struct Parsed {
    pub node: Node,
    pub groups: usize,
    pub backrefs: bool,
    pub icase: bool,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    flags: Flags,
    groups: usize,
    backrefs: bool,
    depth: u32,
    /// Inside a lookaround: parentheses do not capture.
    inside_look: u32,
}

pub fn parse(pattern: &str, mut flags: Flags) -> Result<Parsed> {
    let mut text = pattern;
    if let Some(rest) = text.strip_prefix("***=") {
        flags.literal = true;
        text = rest;
    } else if let Some(rest) = text.strip_prefix("***:") {
        flags.ere = false;
        text = rest;
    } else if text.starts_with("***") {
        return Err(invalid("quantifier operand invalid"));
    }
    if !flags.literal
        && !flags.ere
        && let Some(rest) = text.strip_prefix("(?")
        && rest.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        for c in rest[..end].chars() {
            if !flags.apply(c) {
                return Err(invalid("invalid embedded option"));
            }
        }
        text = rest[end..].strip_prefix(')').ok_or_else(|| invalid("invalid embedded option"))?;
    }
    if flags.literal {
        let list = text.chars().map(|c| Node::Set(Set::one(c, flags.icase))).collect();
        return Ok(Parsed { node: Node::Concat(list), groups: 0, backrefs: false, icase: flags.icase });
    }
    let chars = text.chars().collect();
    let mut p = Parser { chars, at: 0, flags, groups: 0, backrefs: false, depth: 0, inside_look: 0 };
    let node = p.alternatives()?;
    if p.at < p.chars.len() {
        return Err(invalid("parentheses () not balanced"));
    }
    Ok(Parsed { node, groups: p.groups, backrefs: p.backrefs, icase: flags.icase })
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
    fn ahead(&self, n: usize) -> Option<char> {
        self.chars.get(self.at + n).copied()
    }
    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }
    fn skip_blanks(&mut self) {
        loop {
            if self.flags.expanded {
                while self.peek().is_some_and(char::is_whitespace) {
                    self.at += 1;
                }
                if self.peek() == Some('#') {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                    continue;
                }
            }
            if !self.flags.ere && self.peek() == Some('(') && self.ahead(1) == Some('?') && self.ahead(2) == Some('#') {
                while self.peek().is_some_and(|c| c != ')') {
                    self.at += 1;
                }
                self.at += usize::from(self.peek().is_some());
                continue;
            }
            return;
        }
    }
    fn alternatives(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > 200 {
            return Err(invalid("regular expression is too complex"));
        }
        let mut list = vec![self.branch()?];
        while self.eat('|') {
            list.push(self.branch()?);
        }
        self.depth -= 1;
        Ok(if list.len() == 1 { list.remove(0) } else { Node::Alt(list) })
    }
    fn branch(&mut self) -> Result<Node> {
        let mut list = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('|') => break,
                Some(')') if self.depth > 1 => break,
                _ => {}
            }
            let atom = self.atom()?;
            list.push(self.quantified(atom)?);
        }
        Ok(match list.len() {
            0 => Node::Empty,
            1 => list.remove(0),
            _ => Node::Concat(list),
        })
    }
    fn quantified(&mut self, atom: Node) -> Result<Node> {
        self.skip_blanks();
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') if self.ahead(1).is_some_and(|c| c.is_ascii_digit()) => {
                self.at += 1;
                let bounds = self.bounds()?;
                self.at -= 1;
                bounds
            }
            Some('{') if self.flags.ere => return Err(invalid("invalid repetition count(s)")),
            _ => return Ok(atom),
        };
        if matches!(atom, Node::Anchor(_) | Node::Look { .. }) {
            return Err(invalid("quantifier operand invalid"));
        }
        self.at += 1;
        let greedy = self.flags.ere || !self.eat('?');
        self.skip_blanks();
        match self.peek() {
            Some('*' | '+' | '?') => return Err(invalid("quantifier operand invalid")),
            Some('{') if self.ahead(1).is_some_and(|c| c.is_ascii_digit()) => {
                return Err(invalid("quantifier operand invalid"));
            }
            _ => {}
        }
        Ok(Node::Repeat { node: Box::new(atom), min, max, greedy })
    }
    fn number(&mut self) -> Result<u32> {
        let mut n = 0;
        while let Some(d) = self.peek().and_then(|c| c.to_digit(10)) {
            n = n * 10 + d;
            self.at += 1;
            if n > 255 {
                return Err(invalid("invalid repetition count(s)"));
            }
        }
        Ok(n)
    }
    /// `m}`, `m,}` or `m,n}`; stays behind the closing brace.
    fn bounds(&mut self) -> Result<(u32, Option<u32>)> {
        let min = self.number()?;
        let mut max = Some(min);
        if self.eat(',') {
            max = match self.peek() {
                Some(c) if c.is_ascii_digit() => Some(self.number()?),
                _ => None,
            };
        }
        if !self.eat('}') {
            return Err(invalid(if self.peek().is_none() {
                "braces {} not balanced"
            } else {
                "invalid repetition count(s)"
            }));
        }
        if max.is_some_and(|m| m < min) {
            return Err(invalid("invalid repetition count(s)"));
        }
        Ok((min, max))
    }
    fn set(&self, c: char) -> Node {
        Node::Set(Set::one(c, self.flags.icase))
    }
    fn atom(&mut self) -> Result<Node> {
        let Some(c) = self.peek() else { return Ok(Node::Empty) };
        self.at += 1;
        Ok(match c {
            '(' => return self.group(),
            ')' if !self.flags.ere => return Err(invalid("parentheses () not balanced")),
            '[' => return self.bracket(),
            '.' => Node::Set(Set { negated: true, not_newline: self.flags.newline_stops, ..Set::default() }),
            '^' => Node::Anchor(if self.flags.newline_anchors { Anchor::LineBol } else { Anchor::Bol }),
            '$' => Node::Anchor(if self.flags.newline_anchors { Anchor::LineEol } else { Anchor::Eol }),
            '*' | '+' | '?' => return Err(invalid("quantifier operand invalid")),
            '{' if self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                return Err(invalid("quantifier operand invalid"));
            }
            '\\' => return self.escape(),
            c => self.set(c),
        })
    }
    fn group(&mut self) -> Result<Node> {
        let unbalanced = || invalid("parentheses () not balanced");
        let mut kind = None;
        if !self.flags.ere && self.peek() == Some('?') {
            kind = Some(match (self.ahead(1), self.ahead(2)) {
                (Some(':'), _) => (2, None),
                (Some('='), _) => (2, Some((true, true))),
                (Some('!'), _) => (2, Some((true, false))),
                (Some('<'), Some('=')) => (3, Some((false, true))),
                (Some('<'), Some('!')) => (3, Some((false, false))),
                _ => return Err(invalid("quantifier operand invalid")),
            });
        }
        let (skip, look) = kind.unwrap_or((0, None));
        self.at += skip;
        let number = (kind.is_none() && self.inside_look == 0).then(|| {
            self.groups += 1;
            self.groups
        });
        self.inside_look += u32::from(look.is_some());
        let node = self.alternatives()?;
        self.inside_look -= u32::from(look.is_some());
        if !self.eat(')') {
            return Err(unbalanced());
        }
        Ok(match (number, look) {
            (_, Some((ahead, positive))) => Node::Look { ahead, positive, node: Box::new(node) },
            (Some(n), None) => Node::Group(n, Box::new(node)),
            (None, None) => node,
        })
    }
    fn class(&self, class: Class, positive: bool) -> Node {
        let not_newline = !positive && self.flags.newline_stops;
        Node::Set(Set { classes: vec![(class, positive)], not_newline, ..Set::default() })
    }
    fn escape(&mut self) -> Result<Node> {
        let bad = || invalid("invalid escape \\ sequence");
        let Some(c) = self.peek() else { return Err(bad()) };
        if self.flags.ere || !c.is_alphanumeric() {
            self.at += 1;
            return Ok(self.set(c));
        }
        self.at += 1;
        Ok(match c {
            'd' => self.class(Class::Digit, true),
            'D' => self.class(Class::Digit, false),
            's' => self.class(Class::Space, true),
            'S' => self.class(Class::Space, false),
            'w' => self.class(Class::Word, true),
            'W' => self.class(Class::Word, false),
            'A' => Node::Anchor(Anchor::Bol),
            'Z' => Node::Anchor(Anchor::Eol),
            'm' => Node::Anchor(Anchor::WordStart),
            'M' => Node::Anchor(Anchor::WordEnd),
            'y' => Node::Anchor(Anchor::WordEdge),
            'Y' => Node::Anchor(Anchor::NotWordEdge),
            '1'..='9' => {
                let start = self.at - 1;
                let digits = self.chars[start..].iter().take_while(|c| c.is_ascii_digit()).count();
                let n: usize =
                    self.chars[start..start + digits].iter().collect::<String>().parse().unwrap_or(usize::MAX);
                // More than one digit is a back reference only if there are so many groups, else an octal escape.
                if digits == 1 || n <= self.groups {
                    if n > self.groups || self.inside_look > 0 {
                        return Err(invalid("invalid backreference number"));
                    }
                    self.at = start + digits;
                    self.backrefs = true;
                    return Ok(Node::Backref(n));
                }
                self.at = start;
                let c = self.octal()?;
                self.set(c)
            }
            c => {
                self.at -= 1;
                let _ = c;
                let c = self.char_escape()?;
                self.set(c)
            }
        })
    }
    fn octal(&mut self) -> Result<char> {
        let mut n = 0;
        for _ in 0..3 {
            let Some(d) = self.peek().and_then(|c| c.to_digit(8)) else { break };
            n = n * 8 + d;
            self.at += 1;
        }
        char::from_u32(n).ok_or_else(|| invalid("invalid escape \\ sequence"))
    }
    fn hexadecimal(&mut self, n: usize) -> Result<char> {
        let bad = || invalid("invalid escape \\ sequence");
        let mut value = 0u32;
        for _ in 0..n {
            let d = self.peek().and_then(|c| c.to_digit(16)).ok_or_else(bad)?;
            value = value.checked_mul(16).and_then(|v| v.checked_add(d)).ok_or_else(bad)?;
            self.at += 1;
        }
        char::from_u32(value).ok_or_else(bad)
    }
    /// What follows the backslash stands for one character.
    fn char_escape(&mut self) -> Result<char> {
        let bad = || invalid("invalid escape \\ sequence");
        let c = self.peek().ok_or_else(bad)?;
        if c.is_ascii_digit() {
            return if c == '0' { self.octal() } else { Err(bad()) };
        }
        self.at += 1;
        Ok(match c {
            'a' => '\x07',
            'b' => '\x08',
            'B' => '\\',
            'c' => {
                let c = self.peek().ok_or_else(bad)?;
                self.at += 1;
                char::from_u32(c as u32 & 0x1f).ok_or_else(bad)?
            }
            'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'u' => self.hexadecimal(4)?,
            'U' => self.hexadecimal(8)?,
            'x' => {
                let n = self.chars[self.at..].iter().take_while(|c| c.is_ascii_hexdigit()).count();
                if n == 0 {
                    return Err(bad());
                }
                self.hexadecimal(n)?
            }
            c if !c.is_alphanumeric() => c,
            _ => return Err(bad()),
        })
    }
    fn bracket(&mut self) -> Result<Node> {
        let unbalanced = || invalid("brackets [] not balanced");
        // Word borders have a form of their own.
        let rest: String = self.chars[self.at..].iter().take(7).collect();
        for (form, anchor) in [("[:<:]]", Anchor::WordStart), ("[:>:]]", Anchor::WordEnd)] {
            if rest.starts_with(form) {
                self.at += form.len();
                return Ok(Node::Anchor(anchor));
            }
        }
        let mut set = Set { icase: self.flags.icase, negated: self.eat('^'), ..Set::default() };
        set.not_newline = set.negated && self.flags.newline_stops;
        let mut first = true;
        loop {
            let c = self.peek().ok_or_else(unbalanced)?;
            if c == ']' && !first {
                self.at += 1;
                break;
            }
            first = false;
            if c == '[' && self.ahead(1) == Some(':') {
                let name = self.named(':')?;
                let class = Class::named(&name).ok_or_else(|| invalid("invalid character class"))?;
                set.classes.push((class, true));
                continue;
            }
            if c == '[' && self.ahead(1) == Some('=') {
                let one = self.named('=')?;
                let c = collating(&one)?;
                set.ranges.push((c, c));
                continue;
            }
            if c == '\\' && !self.flags.ere {
                let class = match self.ahead(1) {
                    Some('d') => Some((Class::Digit, true)),
                    Some('s') => Some((Class::Space, true)),
                    Some('w') => Some((Class::Word, true)),
                    Some('D') => Some((Class::Digit, false)),
                    Some('S') => Some((Class::Space, false)),
                    Some('W') => Some((Class::Word, false)),
                    _ => None,
                };
                if let Some(class) = class {
                    set.classes.push(class);
                    self.at += 2;
                    continue;
                }
            }
            let low = self.bracket_char()?;
            let mut high = low;
            if self.peek() == Some('-') && self.ahead(1).is_some_and(|c| c != ']') {
                self.at += 1;
                high = self.bracket_char()?;
                if high < low {
                    return Err(invalid("invalid character range"));
                }
            }
            set.ranges.push((low, high));
        }
        Ok(Node::Set(set))
    }
    fn named(&mut self, kind: char) -> Result<String> {
        self.at += 2;
        let start = self.at;
        while let Some(c) = self.peek() {
            if c == kind && self.ahead(1) == Some(']') {
                let name = self.chars[start..self.at].iter().collect();
                self.at += 2;
                return Ok(name);
            }
            self.at += 1;
        }
        Err(invalid("brackets [] not balanced"))
    }
    fn bracket_char(&mut self) -> Result<char> {
        let c = self.peek().ok_or_else(|| invalid("brackets [] not balanced"))?;
        if c == '[' && self.ahead(1) == Some('.') {
            let one = self.named('.')?;
            return collating(&one);
        }
        self.at += 1;
        if c == '\\' && !self.flags.ere {
            return self.char_escape();
        }
        Ok(c)
    }
}

fn collating(name: &str) -> Result<char> {
    let mut chars = name.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(invalid("invalid collating element")),
    }
}
