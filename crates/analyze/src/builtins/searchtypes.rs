//! `regconfig` and `regdictionary`: text search objects by name, in and out; their visibility.
//!
//! PostgreSQL: `utils/adt/regproc.c`, `pg_ts_*_is_visible` (`namespace.c`).

use base::sqlstate::UNDEFINED_OBJECT;
use base::{Oid, PgError, Result};
use catalog::{CacheId, Catalog, PgTsConfig, PgTsDict, PgTsParser, PgTsTemplate};
use parser::{quote_identifier, quote_qualified};
use types::{Datum, FnCx, builtin};

use super::regtypes::{catalog_of, dash_or_oid, split_qualified};

#[builtin("regconfigin")]
fn regconfigin(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    if let Some(oid) = dash_or_oid(s) {
        return Ok(oid);
    }
    let parts = split_qualified(s)?;
    let missing = || {
        let text = format!("text search configuration \"{}\" does not exist", parts.join("."));
        PgError::new(UNDEFINED_OBJECT, text)
    };
    c.search_configuration_named(&parts)?.ok_or_else(missing)
}

#[builtin("regdictionaryin")]
fn regdictionaryin(cx: &mut FnCx<'_>, s: &str) -> Result<Oid> {
    let c = catalog_of(cx)?;
    if let Some(oid) = dash_or_oid(s) {
        return Ok(oid);
    }
    let parts = split_qualified(s)?;
    let missing = || {
        let text = format!("text search dictionary \"{}\" does not exist", parts.join("."));
        PgError::new(UNDEFINED_OBJECT, text)
    };
    c.search_dictionary_named(&parts)?.ok_or_else(missing)
}

fn shown(c: &Catalog, schema: Oid, name: &str, visible: bool) -> Result<String> {
    match visible {
        true => Ok(quote_identifier(name).into_owned()),
        false => Ok(quote_qualified(c.namespace_name(schema)?.as_deref(), name)),
    }
}
fn or_number(o: Oid, name: Option<String>) -> String {
    match name {
        Some(n) => n,
        None if o.is_valid() => o.to_string(),
        None => "-".to_owned(),
    }
}

#[builtin("regconfigout", write)]
fn regconfigout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    let name = match c.get::<PgTsConfig>(CacheId::TSCONFIGOID, &[Datum::oid(o)])? {
        Some(row) => {
            let visible = c.search_configuration_named(std::slice::from_ref(&row.cfgname))? == Some(o);
            Some(shown(&c, row.cfgnamespace, &row.cfgname, visible)?)
        }
        None => None,
    };
    out.extend_from_slice(or_number(o, name).as_bytes());
    Ok(())
}

#[builtin("regdictionaryout", write)]
fn regdictionaryout(cx: &mut FnCx<'_>, o: Oid, out: &mut Vec<u8>) -> Result<()> {
    let c = catalog_of(cx)?;
    let name = match c.get::<PgTsDict>(CacheId::TSDICTOID, &[Datum::oid(o)])? {
        Some(row) => {
            let visible = c.search_dictionary_named(std::slice::from_ref(&row.dictname))? == Some(o);
            Some(shown(&c, row.dictnamespace, &row.dictname, visible)?)
        }
        None => None,
    };
    out.extend_from_slice(or_number(o, name).as_bytes());
    Ok(())
}

#[builtin("pg_ts_config_is_visible")]
fn pg_ts_config_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let row = c.get::<PgTsConfig>(CacheId::TSCONFIGOID, &[Datum::oid(o)])?;
    row.map(|r| Ok(c.search_configuration_named(std::slice::from_ref(&r.cfgname))? == Some(o))).transpose()
}
#[builtin("pg_ts_dict_is_visible")]
fn pg_ts_dict_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let row = c.get::<PgTsDict>(CacheId::TSDICTOID, &[Datum::oid(o)])?;
    row.map(|r| Ok(c.search_dictionary_named(std::slice::from_ref(&r.dictname))? == Some(o))).transpose()
}
#[builtin("pg_ts_parser_is_visible")]
fn pg_ts_parser_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let row = c.get::<PgTsParser>(CacheId::TSPARSEROID, &[Datum::oid(o)])?;
    row.map(|r| Ok(c.search_parser_named(std::slice::from_ref(&r.prsname))? == Some(o))).transpose()
}
#[builtin("pg_ts_template_is_visible")]
fn pg_ts_template_is_visible(cx: &mut FnCx<'_>, o: Oid) -> Result<Option<bool>> {
    let c = catalog_of(cx)?;
    let row = c.get::<PgTsTemplate>(CacheId::TSTEMPLATEOID, &[Datum::oid(o)])?;
    let path = c.search_path()?;
    Ok(row.map(|r| path.schemas.contains(&r.tmplnamespace)))
}
