//! `postgresql.conf` and `postgresql.auto.conf`: lines of `name = value`. (PostgreSQL: manual, "Parameter Interaction via
//! the Configuration File")

/// One setting or include line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub name: String,
    pub value: String,
    pub line: usize,
}

/// A line that cannot be read: its number and what stands there (`None` at its end).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    pub line: usize,
    pub near: Option<String>,
}

impl SyntaxError {
    /// PostgreSQL's message for a syntax error in `file`.
    pub fn message(&self, file: &str) -> String {
        match &self.near {
            Some(token) => format!("syntax error in file \"{file}\" line {}, near token \"{token}\"", self.line),
            None => format!("syntax error in file \"{file}\" line {}, near end of line", self.line),
        }
    }
}

/// Reads a file's text: the good lines and the bad ones.
pub fn parse(text: &str) -> (Vec<Entry>, Vec<SyntaxError>) {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        match parse_line(line) {
            Ok(Some((name, value))) => entries.push(Entry { name, value, line: i + 1 }),
            Ok(None) => {}
            Err(near) => errors.push(SyntaxError { line: i + 1, near }),
        }
    }
    (entries, errors)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-:/+*".contains(c) || !c.is_ascii()
}

fn parse_line(line: &str) -> Result<Option<(String, String)>, Option<String>> {
    let near = |s: &str| Some(s.split_whitespace().next()?.to_owned());
    let rest = line.trim();
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(None);
    }
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '$' || !c.is_ascii()));
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(near(line.trim()));
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').map_or(rest, str::trim_start);
    let (value, rest) = match rest.strip_prefix('\'') {
        Some(quoted) => unquote(quoted).ok_or_else(|| near(rest))?,
        None => {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if end == 0 {
                return Err(if rest.starts_with('#') { None } else { near(rest) });
            }
            (rest[..end].to_owned(), &rest[end..])
        }
    };
    let rest = rest.trim_start();
    match rest.is_empty() || rest.starts_with('#') {
        true => Ok(Some((name.to_owned(), value))),
        false => Err(near(rest)),
    }
}

/// The text up to the closing quote, with `''` and backslash escapes resolved, and what follows.
fn unquote(s: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = s.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        match c {
            '\'' if chars.peek().is_some_and(|&(_, c)| c == '\'') => {
                chars.next();
                out.push('\'');
            }
            '\'' => return Some((out, &s[i + 1..])),
            '\\' => {
                let (_, e) = chars.next()?;
                out.push(match e {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    '0'..='7' => {
                        let mut n = e as u32 - '0' as u32;
                        for _ in 0..2 {
                            match chars.peek() {
                                Some(&(_, d @ '0'..='7')) => n = n * 8 + (d as u32 - '0' as u32),
                                _ => break,
                            }
                            chars.next();
                        }
                        char::from(n as u8)
                    }
                    other => other,
                });
            }
            c => out.push(c),
        }
    }
    None
}

/// A value as a file holds it: quoted.
pub fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let check = |line: &str, expected: Result<Option<(&str, &str)>, Option<&str>>| {
            let got = parse_line(line);
            let got = got.as_ref().map(|o| o.as_ref().map(|(a, b)| (a.as_str(), b.as_str()))).map_err(|e| e.as_deref());
            assert_eq!(got, expected.as_ref().map(|o| *o).map_err(|e| *e), "{line}");
        };
        check("# comment", Ok(None));
        check("port = 5432 # x", Ok(Some(("port", "5432"))));
        check("port 5432", Ok(Some(("port", "5432"))));
        check("a.b='it''s \\'q\\' \\101'", Ok(Some(("a.b", "it's 'q' A"))));
        check("listen_addresses='*'", Ok(Some(("listen_addresses", "*"))));
        check("port = ", Err(None));
        check("port = 1 2", Err(Some("2")));
        assert_eq!(parse_line(&format!("x = {}", quote("a'b\\c"))), Ok(Some(("x".into(), "a'b\\c".into()))));
    }
}
