//! Text search configurations and dictionaries as their code needs them: by name, with templates and options.
//!
//! PostgreSQL: `lookup_ts_config_cache`, `lookup_ts_dictionary_cache` (`ts_cache.c`), `get_ts_config_oid` (`namespace.c`).

use std::sync::Arc;

use base::sqlstate::UNDEFINED_OBJECT;
use base::{Oid, PgError, Result};
use types::Datum;
use types::search::{ConfigurationInfo, DictionaryInfo, TOKEN_TYPES, parse_options};

use crate::oids;
use crate::row::*;
use crate::syscache::{CacheId, Catalog};

/// The parts of a dotted name, folded unless quoted.
fn parts(name: &str) -> Vec<String> {
    let (mut out, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in name.trim().chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => out.push(std::mem::take(&mut part)),
            c if quoted => part.push(c),
            c => part.extend(c.to_lowercase()),
        }
    }
    out.push(part);
    out
}

impl Catalog {
    fn search_object<T: CatalogRow>(&self, cache: CacheId, parts: &[String]) -> Result<Option<Arc<T>>> {
        let path = self.search_path()?;
        let (schemas, name) = match parts {
            [.., schema, name] => (self.explicit_namespace(schema, true)?.into_iter().collect(), name),
            [name] => (path.schemas.iter().copied().filter(|s| *s != path.temp).collect::<Vec<_>>(), name),
            [] => return Ok(None),
        };
        for s in schemas {
            if let Some(row) = self.get::<T>(cache, &[Datum::text(name), Datum::oid(s)])? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
    pub fn search_configuration_named(&self, parts: &[String]) -> Result<Option<Oid>> {
        Ok(self.search_object::<PgTsConfig>(CacheId::TSCONFIGNAMENSP, parts)?.map(|c| c.oid))
    }
    pub fn search_dictionary_named(&self, parts: &[String]) -> Result<Option<Oid>> {
        Ok(self.search_object::<PgTsDict>(CacheId::TSDICTNAMENSP, parts)?.map(|d| d.oid))
    }
    pub fn search_parser_named(&self, parts: &[String]) -> Result<Option<Oid>> {
        Ok(self.search_object::<PgTsParser>(CacheId::TSPARSERNAMENSP, parts)?.map(|p| p.oid))
    }
    /// A configuration by its name as a setting has it.
    pub fn search_configuration_by_text(&self, name: &str) -> Result<Oid> {
        let missing = || PgError::new(UNDEFINED_OBJECT, format!("text search configuration \"{name}\" does not exist"));
        self.search_configuration_named(&parts(name))?.ok_or_else(missing)
    }
    pub fn search_dictionary_by_text(&self, name: &str) -> Result<Oid> {
        let missing = || PgError::new(UNDEFINED_OBJECT, format!("text search dictionary \"{name}\" does not exist"));
        self.search_dictionary_named(&parts(name))?.ok_or_else(missing)
    }

    pub fn search_dictionary(&self, oid: Oid) -> Result<DictionaryInfo> {
        let gone = |what: &str| PgError::internal(format!("cache lookup failed for text search {what} {oid}"));
        let dict = self.get::<PgTsDict>(CacheId::TSDICTOID, &[Datum::oid(oid)])?.ok_or_else(|| gone("dictionary"))?;
        let template = self.get::<PgTsTemplate>(CacheId::TSTEMPLATEOID, &[Datum::oid(dict.dicttemplate)])?;
        let template = template.ok_or_else(|| gone("template"))?;
        let source = |f: Oid| match f.valid() {
            Some(f) => self.function_row(f).map(|p| p.prosrc.clone()),
            None => Ok(String::new()),
        };
        let options = parse_options(dict.dictinitoption.as_deref().unwrap_or_default())?;
        Ok(DictionaryInfo {
            oid,
            name: dict.dictname.clone(),
            init: source(template.tmplinit)?,
            lexize: source(template.tmpllexize)?,
            options: options.into_iter().map(|(k, v, _)| (k, v)).collect(),
        })
    }

    pub fn search_configuration(&self, oid: Oid) -> Result<ConfigurationInfo> {
        let row = self.get::<PgTsConfig>(CacheId::TSCONFIGOID, &[Datum::oid(oid)])?;
        let row =
            row.ok_or_else(|| PgError::internal(format!("cache lookup failed for text search configuration {oid}")))?;
        let mut maps = vec![Vec::new(); TOKEN_TYPES.len() + 1];
        let mut rows = self.rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &[Datum::oid(oid)])?;
        rows.sort_by_key(|m| (m.maptokentype, m.mapseqno));
        for m in rows {
            if let Some(map) = usize::try_from(m.maptokentype).ok().and_then(|t| maps.get_mut(t)) {
                map.push(self.search_dictionary(m.mapdict)?);
            }
        }
        Ok(ConfigurationInfo { oid, parser: row.cfgparser, maps })
    }
}
