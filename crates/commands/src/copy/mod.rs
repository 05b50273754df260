//! COPY in its three formats. (PostgreSQL: `copy.c`, `copyfrom.c`, `copyto.c`)

mod from;
mod text;
mod to;

use base::sqlstate::*;
use base::{PgError, Result};
use catalog::Relation;
use parser::ast::{CopyStmt, DefArg, DefElem};

use crate::{CommandContext, Outcome, name, options};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Text,
    Csv,
    Binary,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Header {
    No,
    Yes,
    Match,
}

/// The options of WITH (...). (PostgreSQL: `CopyFormatOptions`)
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub format: Format,
    pub freeze: bool,
    pub header: Header,
    pub delimiter: u8,
    pub null: String,
    /// What stands for a column's default in the input.
    pub default: Option<String>,
    pub quote: u8,
    pub escape: u8,
    pub force_quote: Vec<String>,
    pub force_quote_all: bool,
    pub force_not_null: Vec<String>,
    pub force_null: Vec<String>,
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &CopyStmt) -> Result<Outcome> {
    if stmt.is_program {
        return Err(PgError::unsupported("COPY PROGRAM"));
    }
    if stmt.filename.is_some() && !cmd.cx.catalog.is_superuser(cmd.cx.settings.current_user)? {
        let text =
            if stmt.is_from { "permission denied to COPY from a file" } else { "permission denied to COPY to a file" };
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    let options = parse_options(&stmt.options, stmt.is_from)?;
    let rows = if stmt.is_from { from::execute(cmd, stmt, &options)? } else { to::execute(cmd, stmt, &options)? };
    Ok(Outcome::tag(format!("COPY {rows}")))
}

fn names(option: &DefElem) -> Vec<String> {
    match &option.arg {
        Some(DefArg::Names(names)) => names.clone(),
        Some(DefArg::String(s)) => vec![s.clone()],
        Some(DefArg::List(list)) => list
            .iter()
            .filter_map(|a| match a {
                DefArg::String(s) => Some(s.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn one_byte(option: &DefElem, what: &str) -> Result<u8> {
    match options::text(option).as_bytes() {
        [b] => Ok(*b),
        _ => Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("COPY {what} must be a single one-byte character"))),
    }
}

fn parse_options(list: &[DefElem], is_from: bool) -> Result<Options> {
    let format = match list.iter().find(|o| o.defname == "format") {
        None => Format::Text,
        Some(o) => match options::text(o).as_str() {
            "text" => Format::Text,
            "csv" => Format::Csv,
            "binary" => Format::Binary,
            other => {
                let text = format!("COPY format \"{other}\" not recognized");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text).at(o.location));
            }
        },
    };
    let csv = format == Format::Csv;
    let mut out = Options {
        format,
        freeze: false,
        header: Header::No,
        delimiter: if csv { b',' } else { b'\t' },
        null: if csv { String::new() } else { "\\N".into() },
        default: None,
        quote: b'"',
        escape: b'"',
        force_quote: Vec::new(),
        force_quote_all: false,
        force_not_null: Vec::new(),
        force_null: Vec::new(),
    };
    let mut escape = None;
    for (i, o) in list.iter().enumerate() {
        if list[..i].iter().any(|p| p.defname == o.defname) {
            return Err(PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(o.location));
        }
        let on = || o.arg.is_none() || base::guc::boolean(&options::text(o)).unwrap_or(false);
        let only_csv = |what: &str| {
            if csv {
                Ok(())
            } else {
                Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("COPY {what} requires CSV mode")))
            }
        };
        match o.defname.as_str() {
            "format" => {}
            "freeze" => out.freeze = on(),
            "header" => {
                out.header = match options::text(o).as_str() {
                    "match" if is_from => Header::Match,
                    "match" => {
                        let text = "cannot use \"match\" with HEADER in COPY TO";
                        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
                    }
                    _ if on() => Header::Yes,
                    _ => Header::No,
                }
            }
            "delimiter" => out.delimiter = one_byte(o, "delimiter")?,
            "null" => out.null = options::text(o),
            "default" => out.default = Some(options::text(o)),
            "quote" => {
                only_csv("QUOTE")?;
                out.quote = one_byte(o, "quote")?;
            }
            "escape" => {
                only_csv("ESCAPE")?;
                escape = Some(one_byte(o, "escape")?);
            }
            "force_quote" => {
                only_csv("FORCE_QUOTE")?;
                out.force_quote_all = matches!(o.arg, Some(DefArg::Star));
                out.force_quote = names(o);
            }
            "force_not_null" => {
                only_csv("FORCE_NOT_NULL")?;
                out.force_not_null = names(o);
            }
            "force_null" => {
                only_csv("FORCE_NULL")?;
                out.force_null = names(o);
            }
            "encoding" => {
                let name = options::text(o).to_ascii_lowercase().replace('-', "");
                if !matches!(name.as_str(), "utf8" | "unicode" | "sql_ascii") {
                    return Err(PgError::unsupported(format!("COPY with ENCODING '{}'", options::text(o))));
                }
            }
            "on_error" if options::text(o) == "stop" => {}
            "on_error" | "reject_limit" => return Err(PgError::unsupported("COPY ON_ERROR")),
            "log_verbosity" => {}
            other => {
                let text = format!("option \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
            }
        }
    }
    out.escape = escape.unwrap_or(out.quote);
    check_options(&out, list)?;
    Ok(out)
}

fn check_options(o: &Options, list: &[DefElem]) -> Result<()> {
    let given = |name: &str| list.iter().any(|d| d.defname == name);
    let refuse = |code, text: &str| Err(PgError::new(code, text));
    if o.format == Format::Binary {
        for (name, what) in [("delimiter", "DELIMITER"), ("null", "NULL"), ("default", "DEFAULT"), ("header", "HEADER")]
        {
            if given(name) && (name != "header" || o.header != Header::No) {
                return refuse(SYNTAX_ERROR, &format!("cannot specify {what} in BINARY mode"));
            }
        }
    }
    if matches!(o.delimiter, b'\r' | b'\n') {
        return refuse(INVALID_PARAMETER_VALUE, "COPY delimiter cannot be newline or carriage return");
    }
    if o.null.contains(['\r', '\n']) {
        return refuse(INVALID_PARAMETER_VALUE, "COPY null representation cannot use newline or carriage return");
    }
    if o.format == Format::Text && b"\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(&o.delimiter) {
        let text = format!("COPY delimiter cannot be \"{}\"", char::from(o.delimiter));
        return refuse(INVALID_PARAMETER_VALUE, &text);
    }
    if o.format == Format::Csv && o.delimiter == o.quote {
        return refuse(INVALID_PARAMETER_VALUE, "COPY delimiter and quote must be different");
    }
    if o.format != Format::Binary && o.null.as_bytes().contains(&o.delimiter) {
        return refuse(INVALID_PARAMETER_VALUE, "COPY delimiter character must not appear in the NULL specification");
    }
    Ok(())
}

/// The columns a statement names, or all that can be copied; numbers from 1. (PostgreSQL: `CopyGetAttnums`)
pub(crate) fn columns(rel: &Relation, list: &[String]) -> Result<Vec<i16>> {
    if list.is_empty() {
        let live = rel.attributes.iter().filter(|a| !a.attisdropped && a.attgenerated == 0);
        return Ok(live.map(|a| a.attnum).collect());
    }
    let mut out = Vec::new();
    for column in list {
        let attnum = name::column(rel, column)?;
        if rel.attributes[attnum as usize - 1].attgenerated != 0 {
            let text = format!("column \"{column}\" is a generated column");
            let detail = "Generated columns cannot be used in COPY.";
            return Err(PgError::new(INVALID_COLUMN_REFERENCE, text).detail(detail));
        }
        if out.contains(&attnum) {
            return Err(PgError::new(DUPLICATE_COLUMN, format!("column \"{column}\" specified more than once")));
        }
        out.push(attnum);
    }
    Ok(out)
}
