//! How a type is shown: `integer`, `character varying(10)`, `public.t[]`.
//!
//! PostgreSQL: `utils/adt/format_type.c`.

use base::{Oid, Result};
use catalog::Catalog;
use parser::{quote_identifier, quote_qualified};
use types::oid::*;

use crate::lookup::{Lookup, is_true_array};

/// When the schema is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Qualify {
    /// Where the type is not found by its bare name.
    IfNeeded,
    /// Always. (PostgreSQL: `FORMAT_TYPE_FORCE_QUALIFY`)
    Always,
}

/// The name of a type without a modifier, for messages. (PostgreSQL: `format_type_be`)
pub fn format_type(catalog: &Catalog, oid: Oid) -> Result<String> {
    Ok(format_type_extended(catalog, oid, None, Qualify::IfNeeded)?.unwrap_or_else(|| unknown_name(oid)))
}

/// With the modifier, if any. (PostgreSQL: `format_type_with_typmod`)
pub fn format_type_with_typmod(catalog: &Catalog, oid: Oid, typmod: i32) -> Result<String> {
    let text = format_type_extended(catalog, oid, Some(typmod), Qualify::IfNeeded)?;
    Ok(text.unwrap_or_else(|| unknown_name(oid)))
}

fn unknown_name(oid: Oid) -> String {
    if oid.is_valid() { "???".to_owned() } else { "-".to_owned() }
}

/// `None` where there is no such type. A typmod of `None` shows plain names (`bpchar` as `character`), -1 those that read back
/// as the same type (`bpchar`). (PostgreSQL: `format_type_extended`)
pub fn format_type_extended(
    catalog: &Catalog,
    oid: Oid,
    typmod: Option<i32>,
    qualify: Qualify,
) -> Result<Option<String>> {
    let Some(mut t) = (if oid.is_valid() { catalog.type_by_oid(oid)? } else { None }) else { return Ok(None) };
    let mut is_array = false;
    let mut oid = oid;
    if is_true_array(&t) && t.typstorage != b'p' {
        let Some(elem) = catalog.type_by_oid(t.typelem)? else { return Ok(Some("???[]".to_owned())) };
        oid = elem.oid;
        t = elem;
        is_array = true;
    }
    let m = typmod.unwrap_or(-1);
    let with_typmod = typmod.is_some() && m >= 0;
    let plain = |name: &str| Some(if with_typmod { format!("{name}{}", typmod_text(oid, m)) } else { name.to_owned() });
    let middle = |head: &str, tail: &str| {
        Some(if with_typmod { format!("{head}{}{tail}", typmod_text(oid, m)) } else { format!("{head}{tail}") })
    };
    let standard = match oid {
        BITOID => match typmod {
            // `bit` alone means bit(1), so one without a modifier needs its internal name.
            Some(-1) => None,
            _ => plain("bit"),
        },
        BOOLOID => Some("boolean".to_owned()),
        BPCHAROID => match typmod {
            Some(-1) => None,
            _ => plain("character"),
        },
        FLOAT4OID => Some("real".to_owned()),
        FLOAT8OID => Some("double precision".to_owned()),
        INT2OID => Some("smallint".to_owned()),
        INT4OID => Some("integer".to_owned()),
        INT8OID => Some("bigint".to_owned()),
        NUMERICOID => plain("numeric"),
        INTERVALOID => plain("interval"),
        TIMEOID => middle("time", " without time zone"),
        TIMETZOID => middle("time", " with time zone"),
        TIMESTAMPOID => middle("timestamp", " without time zone"),
        TIMESTAMPTZOID => middle("timestamp", " with time zone"),
        VARBITOID => plain("bit varying"),
        VARCHAROID => plain("character varying"),
        JSONOID => Some("json".to_owned()),
        _ => None,
    };
    let mut text = match standard {
        Some(s) => s,
        None => {
            let visible = qualify == Qualify::IfNeeded && catalog.type_is_visible(&t)?;
            let name = if visible {
                quote_identifier(&t.typname).into_owned()
            } else {
                let schema = catalog.namespace_name(t.typnamespace)?;
                quote_qualified(schema.as_deref(), &t.typname)
            };
            if with_typmod { name + &typmod_text(oid, m) } else { name }
        }
    };
    if is_array {
        text.push_str("[]");
    }
    Ok(Some(text))
}

/// A modifier as its type's typmod output function gives it. (PostgreSQL: `printTypmod`)
pub fn typmod_text(oid: Oid, m: i32) -> String {
    if m < 0 {
        return String::new();
    }
    match oid {
        BPCHAROID | VARCHAROID if m > 4 => format!("({})", m - 4),
        BPCHAROID | VARCHAROID => String::new(),
        NUMERICOID if m >= 4 => {
            let scale = ((m - 4) & 0x7ff) ^ 1024;
            format!("({},{})", ((m - 4) >> 16) & 0xffff, scale - 1024)
        }
        NUMERICOID => String::new(),
        INTERVALOID => interval_typmod(m),
        _ => format!("({m})"),
    }
}

/// (PostgreSQL: `intervaltypmodout`)
fn interval_typmod(m: i32) -> String {
    const MONTH: i32 = 1 << 1;
    const YEAR: i32 = 1 << 2;
    const DAY: i32 = 1 << 3;
    const HOUR: i32 = 1 << 10;
    const MINUTE: i32 = 1 << 11;
    const SECOND: i32 = 1 << 12;
    let fields = match (m >> 16) & 0x7fff {
        r if r == YEAR => " year",
        r if r == MONTH => " month",
        r if r == DAY => " day",
        r if r == HOUR => " hour",
        r if r == MINUTE => " minute",
        r if r == SECOND => " second",
        r if r == YEAR | MONTH => " year to month",
        r if r == DAY | HOUR => " day to hour",
        r if r == DAY | HOUR | MINUTE => " day to minute",
        r if r == DAY | HOUR | MINUTE | SECOND => " day to second",
        r if r == HOUR | MINUTE => " hour to minute",
        r if r == HOUR | MINUTE | SECOND => " hour to second",
        r if r == MINUTE | SECOND => " minute to second",
        _ => "",
    };
    let precision = m & 0xffff;
    if precision == 0xffff { fields.to_owned() } else { format!("{fields}({precision})") }
}
