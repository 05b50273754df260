//! Quoting of identifiers and literals. (PostgreSQL: `quote_identifier`, `quote_literal`)

use base::Result;
use base::sqlstate::INVALID_PARAMETER_VALUE;
use types::{FnCx, builtin};

/// Key words that may not stand as a plain identifier everywhere, sorted. (PostgreSQL: `pg_get_keywords`, all but "unreserved")
static KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// An identifier as it may stand in SQL text: quoted where needed.
pub fn identifier(s: &str, always: bool) -> String {
    let mut chars = s.bytes();
    let plain = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == b'_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
    if plain && !always && KEYWORDS.binary_search(&s).is_err() {
        return s.to_owned();
    }
    format!("\"{}\"", s.replace('"', "\"\""))
}
/// A string literal; with backslashes it takes the `E` form.
pub fn literal(s: &str) -> String {
    let prefix = if s.contains('\\') { "E" } else { "" };
    format!("{prefix}'{}'", s.replace('\\', "\\\\").replace('\'', "''"))
}

#[builtin("quote_ident")]
fn quote_ident(cx: &mut FnCx<'_>, s: &str) -> String {
    identifier(s, cx.settings().quote_all_identifiers)
}
#[builtin("quote_literal")]
fn quote_literal(s: &str) -> String {
    literal(s)
}
#[builtin("quote_nullable")]
fn quote_nullable(s: Option<&str>) -> String {
    s.map_or_else(|| "NULL".to_owned(), literal)
}

/// Splits a qualified identifier into its parts. (PostgreSQL: `parse_ident`)
#[builtin("parse_ident")]
fn parse_ident(s: &str, strict: bool) -> Result<types::Datum> {
    let bad = || crate::err::error(INVALID_PARAMETER_VALUE, format!("string is not a valid identifier: \"{s}\""));
    let (mut parts, mut rest, mut after_dot) =
        (Vec::<String>::new(), s.trim_start_matches(crate::int::is_space), false);
    loop {
        if let Some(mut tail) = rest.strip_prefix('"') {
            let mut name = String::new();
            loop {
                let Some(end) = tail.find('"') else { return Err(bad().detail("String has unclosed double quotes.")) };
                name.push_str(&tail[..end]);
                tail = &tail[end + 1..];
                match tail.strip_prefix('"') {
                    Some(t) => {
                        name.push('"');
                        tail = t;
                    }
                    None => break,
                }
            }
            if name.is_empty() {
                return Err(bad().detail("Quoted identifier must not be empty."));
            }
            parts.push(name);
            rest = tail;
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()));
            let (name, tail) = rest.split_at(end.unwrap_or(rest.len()));
            parts.push(name.to_ascii_lowercase());
            rest = tail;
        } else if rest.starts_with('.') {
            return Err(bad().detail("No valid identifier before \".\"."));
        } else if after_dot {
            return Err(bad().detail("No valid identifier after \".\"."));
        } else {
            return Err(bad());
        }
        rest = rest.trim_start_matches(crate::int::is_space);
        match rest.strip_prefix('.') {
            Some(r) => {
                after_dot = true;
                rest = r.trim_start_matches(crate::int::is_space);
            }
            None if rest.is_empty() || !strict => break,
            None => return Err(bad()),
        }
    }
    crate::arrays::text_array(parts.iter().map(|p| Some(p.as_str())))
}
