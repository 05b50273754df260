//! Text search between the floors: what a session tells of configurations and dictionaries, and what the dictionaries' code
//! offers to whoever makes them.
//!
//! PostgreSQL: `ts_cache.c`, `TSConfigCacheEntry`, `TSDictionaryCacheEntry`.

use base::sqlstate::SYNTAX_ERROR;
use base::{Oid, PgError, Result};

use crate::registry::Runtime;

/// The default parser's kinds of tokens with their descriptions; the first has number 1.
pub const TOKEN_TYPES: [(&str, &str); 23] = [
    ("asciiword", "Word, all ASCII"),
    ("word", "Word, all letters"),
    ("numword", "Word, letters and digits"),
    ("email", "Email address"),
    ("url", "URL"),
    ("host", "Host"),
    ("sfloat", "Scientific notation"),
    ("version", "Version number"),
    ("hword_numpart", "Hyphenated word part, letters and digits"),
    ("hword_part", "Hyphenated word part, all letters"),
    ("hword_asciipart", "Hyphenated word part, all ASCII"),
    ("blank", "Space symbols"),
    ("tag", "XML tag"),
    ("protocol", "Protocol head"),
    ("numhword", "Hyphenated word, letters and digits"),
    ("asciihword", "Hyphenated word, all ASCII"),
    ("hword", "Hyphenated word, all letters"),
    ("url_path", "URL path"),
    ("file", "File or path name"),
    ("float", "Decimal notation"),
    ("int", "Signed integer"),
    ("uint", "Unsigned integer"),
    ("entity", "XML entity"),
];

/// A dictionary as the catalogs describe it.
#[derive(Clone, Debug, Default)]
pub struct DictionaryInfo {
    pub oid: Oid,
    pub name: String,
    /// The template's functions by their `prosrc`; `init` is empty if there is none.
    pub init: String,
    pub lexize: String,
    pub options: Vec<(String, String)>,
}

/// A configuration: which dictionaries see the tokens of each kind, in order.
#[derive(Clone, Debug, Default)]
pub struct ConfigurationInfo {
    pub oid: Oid,
    pub parser: Oid,
    /// By token type.
    pub maps: Vec<Vec<DictionaryInfo>>,
}

/// What text search's code offers to upper floors.
#[derive(Clone, Copy)]
pub struct SearchFns {
    /// An error if a dictionary cannot be made like this.
    pub check_dictionary: fn(&mut dyn Runtime, &DictionaryInfo) -> Result<()>,
}

/// `name = 'value', ...`: name, value, whether it was written as a bare number. (PostgreSQL: `deserialize_deflist`)
pub fn parse_options(text: &str) -> Result<Vec<(String, String, bool)>> {
    let bad = || PgError::new(SYNTAX_ERROR, format!("invalid parameter list format: \"{text}\""));
    let mut chars = text.chars().peekable();
    let mut out = Vec::new();
    loop {
        while chars.next_if(|c| c.is_ascii_whitespace() || *c == ',').is_some() {}
        if chars.peek().is_none() {
            return Ok(out);
        }
        let mut name = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next().ok_or_else(bad)? {
                    '"' if chars.next_if_eq(&'"').is_some() => name.push('"'),
                    '"' => break,
                    c => name.push(c),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace() && *c != '=') {
                name.push(c.to_ascii_lowercase());
            }
        }
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        if chars.next() != Some('=') {
            return Err(bad());
        }
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        let mut value = String::new();
        let mut number = false;
        let mut quote = None;
        if chars.peek() == Some(&'E') {
            let mut ahead = chars.clone();
            ahead.next();
            if ahead.peek() == Some(&'\'') {
                chars.next();
            }
        }
        if let Some(q) = chars.next_if(|c| matches!(c, '\'' | '"')) {
            quote = Some(q);
        }
        match quote {
            Some(q) => loop {
                match chars.next().ok_or_else(bad)? {
                    c if c == q && chars.next_if_eq(&q).is_some() => value.push(q),
                    c if c == q => break,
                    '\\' if q == '\'' => {
                        chars.next_if_eq(&'\\');
                        value.push('\\');
                    }
                    c => value.push(c),
                }
            },
            None => {
                while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace() && *c != ',') {
                    value.push(c);
                }
                if value.is_empty() {
                    return Err(bad());
                }
                number = value.parse::<f64>().is_ok();
            }
        }
        out.push((name, value, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let check = |text: &str, expected: &[(&str, &str, bool)]| {
            let found = parse_options(text).unwrap();
            let found: Vec<(&str, &str, bool)> = found.iter().map(|(k, v, n)| (k.as_str(), v.as_str(), *n)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check(
            "language = 'english', stopwords = 'english'",
            &[("language", "english", false), ("stopwords", "english", false)],
        );
        check("a = 5, \"B c\" = E'x\\\\y''z'", &[("a", "5", true), ("B c", "x\\y'z", false)]);
        check("", &[]);
        assert!(parse_options("a 5").is_err());
    }
}
