//! Text search objects: parsers, dictionaries, templates, configurations. (PostgreSQL: `tsearchcmds.c`)

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{
    CacheId, CatalogRow, DependencyType, ObjectAddress, PgTsConfig, PgTsConfigMap, PgTsDict, PgTsParser, PgTsTemplate,
    oids,
};
use parser::ast::*;
use types::Datum;
use types::oid::{INTERNALOID, VOIDOID};
use types::search::{DictionaryInfo, TOKEN_TYPES};

use super::*;

/// A row by its name, in a schema or along the search path.
fn in_path<T: CatalogRow>(cmd: &CommandContext<'_>, cache: CacheId, parts: &[String]) -> Result<Option<Arc<T>>> {
    let catalog = &cmd.cx.catalog;
    let (schema, oname) = name::split(cmd.cx, parts)?;
    let path = catalog.search_path()?;
    let schemas = match &schema {
        Some(s) => catalog.explicit_namespace(s, true)?.into_iter().collect(),
        // Never in the temporary schema.
        None => path.schemas.iter().copied().filter(|s| *s != path.temp).collect::<Vec<_>>(),
    };
    for s in schemas {
        if let Some(row) = catalog.get::<T>(cache, &[Datum::text(&oname), Datum::oid(s)])? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

fn missing(noun: &str, parts: &[String]) -> PgError {
    PgError::new(UNDEFINED_OBJECT, format!("text search {noun} \"{}\" does not exist", parts.join(".")))
}

/// The object of one of the four kinds, by name.
pub(crate) fn find(cmd: &CommandContext<'_>, kind: ObjectType, parts: &[String]) -> Result<ObjectAddress> {
    let (class, found, noun) = match kind {
        ObjectType::TsParser => (
            oids::TS_PARSER_RELATION,
            in_path::<PgTsParser>(cmd, CacheId::TSPARSERNAMENSP, parts)?.map(|r| r.oid),
            "parser",
        ),
        ObjectType::TsDictionary => (
            oids::TS_DICTIONARY_RELATION,
            in_path::<PgTsDict>(cmd, CacheId::TSDICTNAMENSP, parts)?.map(|r| r.oid),
            "dictionary",
        ),
        ObjectType::TsTemplate => (
            oids::TS_TEMPLATE_RELATION,
            in_path::<PgTsTemplate>(cmd, CacheId::TSTEMPLATENAMENSP, parts)?.map(|r| r.oid),
            "template",
        ),
        _ => (
            oids::TS_CONFIG_RELATION,
            in_path::<PgTsConfig>(cmd, CacheId::TSCONFIGNAMENSP, parts)?.map(|r| r.oid),
            "configuration",
        ),
    };
    found.map(|oid| ObjectAddress::new(class, oid)).ok_or_else(|| missing(noun, parts))
}

/// A function of `internal` arguments that gives `result`.
fn method(cmd: &CommandContext<'_>, d: &DefElem, count: usize, result: Oid) -> Result<Oid> {
    let (parts, args) = (names(d)?, vec![INTERNALOID; count]);
    let p = required_function(cmd, &parts, &args)?;
    if p.prorettype != result {
        let catalog = &cmd.cx.catalog;
        let shown = analyze::definitions::signature(catalog, &parts, &args)?;
        return Err(bad_object(format!("function {shown} should return type {}", catalog.format_type(result, None)?)));
    }
    Ok(p.oid)
}

fn finish(
    cmd: &CommandContext<'_>,
    me: ObjectAddress,
    namespace: Oid,
    on: Vec<ObjectAddress>,
    owned: bool,
) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let on: Vec<ObjectAddress> = std::iter::once(ObjectAddress::namespace(namespace)).chain(on).collect();
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    if owned {
        catalog.record_owner(&me, cmd.cx.settings.current_user)?;
    }
    catalog.command_counter_increment()
}

fn taken(noun: &str, name: &str) -> PgError {
    // Nothing looks for it first: the unique index objects.
    let text = format!("duplicate key value violates unique constraint \"pg_ts_{noun}_{}name_index\"", prefix(noun));
    PgError::new(UNIQUE_VIOLATION, text).detail(format!(
        "Key ({}name, {}namespace)=({name}, ",
        prefix(noun),
        prefix(noun)
    ))
}

fn prefix(noun: &str) -> &'static str {
    match noun {
        "parser" => "prs",
        "dict" => "dict",
        "template" => "tmpl",
        _ => "cfg",
    }
}

fn check_free<T: CatalogRow>(
    cmd: &CommandContext<'_>,
    cache: CacheId,
    noun: &str,
    oname: &str,
    namespace: Oid,
) -> Result<()> {
    match cmd.cx.catalog.get::<T>(cache, &[Datum::text(oname), Datum::oid(namespace)])? {
        None => Ok(()),
        Some(_) => {
            let e = taken(noun, oname);
            let detail = e.fields().detail.clone().unwrap_or_default();
            Err(e.detail(format!("{detail}{namespace}) already exists.")))
        }
    }
}

pub(super) fn create_parser(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    must_be_superuser(cmd, "create text search parsers")?;
    let (namespace, oname) = new_object(cmd, &stmt.defnames)?;
    let catalog = cmd.cx.catalog.clone();
    let mut row = PgTsParser {
        oid: Oid::INVALID,
        prsname: oname,
        prsnamespace: namespace,
        prsstart: Oid::INVALID,
        prstoken: Oid::INVALID,
        prsend: Oid::INVALID,
        prsheadline: Oid::INVALID,
        prslextype: Oid::INVALID,
    };
    for d in &stmt.definition {
        match d.defname.as_str() {
            "start" => row.prsstart = method(cmd, d, 2, INTERNALOID)?,
            "gettoken" => row.prstoken = method(cmd, d, 3, INTERNALOID)?,
            "end" => row.prsend = method(cmd, d, 1, VOIDOID)?,
            "headline" => row.prsheadline = method(cmd, d, 3, INTERNALOID)?,
            "lextypes" => row.prslextype = method(cmd, d, 1, INTERNALOID)?,
            other => {
                let text = format!("text search parser parameter \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
        }
    }
    let needed =
        [(row.prsstart, "start"), (row.prstoken, "gettoken"), (row.prsend, "end"), (row.prslextype, "lextypes")];
    if let Some((_, what)) = needed.iter().find(|n| !n.0.is_valid()) {
        return Err(bad_object(format!("text search parser {what} method is required")));
    }
    check_free::<PgTsParser>(cmd, CacheId::TSPARSERNAMENSP, "parser", &row.prsname, namespace)?;
    row.oid = catalog.new_oid(oids::TS_PARSER_RELATION, oids::TS_PARSER_OID_INDEX)?;
    catalog.insert_row(&row)?;
    let functions = [row.prsstart, row.prstoken, row.prsend, row.prslextype, row.prsheadline];
    let on = functions.iter().filter_map(|f| f.valid()).map(ObjectAddress::function).collect();
    finish(cmd, ObjectAddress::new(oids::TS_PARSER_RELATION, row.oid), namespace, on, false)?;
    Ok(Outcome::tag("CREATE TEXT SEARCH PARSER"))
}

pub(super) fn create_template(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    must_be_superuser(cmd, "create text search templates")?;
    let (namespace, oname) = new_object(cmd, &stmt.defnames)?;
    let catalog = cmd.cx.catalog.clone();
    let (mut init, mut lexize) = (Oid::INVALID, Oid::INVALID);
    for d in &stmt.definition {
        match d.defname.as_str() {
            "init" => init = method(cmd, d, 1, INTERNALOID)?,
            "lexize" => lexize = method(cmd, d, 4, INTERNALOID)?,
            other => {
                let text = format!("text search template parameter \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
        }
    }
    if !lexize.is_valid() {
        return Err(bad_object("text search template lexize method is required"));
    }
    check_free::<PgTsTemplate>(cmd, CacheId::TSTEMPLATENAMENSP, "template", &oname, namespace)?;
    let row = PgTsTemplate {
        oid: catalog.new_oid(oids::TS_TEMPLATE_RELATION, oids::TS_TEMPLATE_OID_INDEX)?,
        tmplname: oname,
        tmplnamespace: namespace,
        tmplinit: init,
        tmpllexize: lexize,
    };
    catalog.insert_row(&row)?;
    let on = [init, lexize].iter().filter_map(|f| f.valid()).map(ObjectAddress::function).collect();
    finish(cmd, ObjectAddress::new(oids::TS_TEMPLATE_RELATION, row.oid), namespace, on, false)?;
    Ok(Outcome::tag("CREATE TEXT SEARCH TEMPLATE"))
}

/// Options as `dictinitoption` holds them: `name = 'value', ...`. (PostgreSQL: `serialize_deflist`)
fn options_text(list: &[(String, String, bool)]) -> Option<String> {
    let mut parts = Vec::new();
    for (key, value, number) in list {
        let shown = match number {
            true => value.clone(),
            false => {
                let escape = if value.contains('\\') { "E" } else { "" };
                format!("{escape}'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
            }
        };
        parts.push(format!("{} = {shown}", catalog::quote_identifier(key)));
    }
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

fn option_of(d: &DefElem) -> Result<(String, String, bool)> {
    let number = matches!(d.arg, Some(DefArg::Integer(_) | DefArg::Float(_)));
    Ok((d.defname.clone(), string(d)?, number))
}

/// The template takes these options? (PostgreSQL: `verify_dictoptions`)
fn verify_options(cmd: &mut CommandContext<'_>, template: Oid, options: &[(String, String, bool)]) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let t = catalog.get::<PgTsTemplate>(CacheId::TSTEMPLATEOID, &[Datum::oid(template)])?;
    let t = t.ok_or_else(|| PgError::internal("a text search template is gone"))?;
    if !t.tmplinit.is_valid() {
        if !options.is_empty() {
            let text = format!("text search template \"{}\" does not accept options", t.tmplname);
            return Err(PgError::new(SYNTAX_ERROR, text));
        }
        return Ok(());
    }
    let info = DictionaryInfo {
        oid: Oid::INVALID,
        name: String::new(),
        init: catalog.function_row(t.tmplinit)?.prosrc.clone(),
        lexize: catalog.function_row(t.tmpllexize)?.prosrc.clone(),
        options: options.iter().map(|(k, v, _)| (k.clone(), v.clone())).collect(),
    };
    let check = cmd.cx.registry.search()?.check_dictionary;
    check(cmd.cx, &info)
}

pub(super) fn create_dictionary(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    let (namespace, oname) = new_object(cmd, &stmt.defnames)?;
    let (mut template, mut options) = (None, Vec::new());
    for d in &stmt.definition {
        match d.defname.as_str() {
            "template" => template = Some(find(cmd, ObjectType::TsTemplate, &names(d)?)?.object),
            _ => options.push(option_of(d)?),
        }
    }
    let Some(template) = template else { return Err(bad_object("text search template is required")) };
    verify_options(cmd, template, &options)?;
    let catalog = cmd.cx.catalog.clone();
    check_free::<PgTsDict>(cmd, CacheId::TSDICTNAMENSP, "dict", &oname, namespace)?;
    let row = PgTsDict {
        oid: catalog.new_oid(oids::TS_DICTIONARY_RELATION, oids::TS_DICTIONARY_OID_INDEX)?,
        dictname: oname,
        dictnamespace: namespace,
        dictowner: cmd.cx.settings.current_user,
        dicttemplate: template,
        dictinitoption: options_text(&options),
    };
    catalog.insert_row(&row)?;
    let on = vec![ObjectAddress::new(oids::TS_TEMPLATE_RELATION, template)];
    finish(cmd, ObjectAddress::new(oids::TS_DICTIONARY_RELATION, row.oid), namespace, on, true)?;
    Ok(Outcome::tag("CREATE TEXT SEARCH DICTIONARY"))
}

fn check_owner(cmd: &CommandContext<'_>, owner: Oid, noun: &str, parts: &[String]) -> Result<()> {
    match cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, owner)? {
        true => Ok(()),
        false => Err(catalog::lookup::must_be_owner(&format!("text search {noun}"), &parts.join("."))),
    }
}

pub fn alter_dictionary(cmd: &mut CommandContext<'_>, stmt: &AlterTSDictionaryStmt) -> Result<Outcome> {
    let oid = find(cmd, ObjectType::TsDictionary, &stmt.dictname)?.object;
    let found = cmd.cx.catalog.find_row::<PgTsDict>(oids::TS_DICTIONARY_OID_INDEX, &[Datum::oid(oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a text search dictionary is gone"))?;
    check_owner(cmd, found.row.dictowner, "dictionary", &stmt.dictname)?;
    let old = found.row.dictinitoption.as_deref().unwrap_or_default();
    let mut options: Vec<(String, String, bool)> = types::search::parse_options(old)?;
    for d in &stmt.options {
        options.retain(|o| o.0 != d.defname);
        if d.arg.is_some() {
            options.push(option_of(d)?);
        }
    }
    verify_options(cmd, found.row.dicttemplate, &options)?;
    let row = PgTsDict { dictinitoption: options_text(&options), ..found.row.clone() };
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Outcome::tag("ALTER TEXT SEARCH DICTIONARY"))
}

pub(super) fn create_configuration(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    let (namespace, oname) = new_object(cmd, &stmt.defnames)?;
    let (mut parser, mut source) = (None, None);
    for d in &stmt.definition {
        match d.defname.as_str() {
            "parser" => parser = Some(find(cmd, ObjectType::TsParser, &names(d)?)?.object),
            "copy" => source = Some(find(cmd, ObjectType::TsConfiguration, &names(d)?)?.object),
            other => {
                let text = format!("text search configuration parameter \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
        }
    }
    if parser.is_some() && source.is_some() {
        return Err(PgError::new(SYNTAX_ERROR, "cannot specify both PARSER and COPY options"));
    }
    let catalog = cmd.cx.catalog.clone();
    if let Some(source) = source {
        let row = catalog.get::<PgTsConfig>(CacheId::TSCONFIGOID, &[Datum::oid(source)])?;
        parser = row.map(|r| r.cfgparser);
    }
    let Some(parser) = parser else { return Err(bad_object("text search parser is required")) };
    check_free::<PgTsConfig>(cmd, CacheId::TSCONFIGNAMENSP, "config", &oname, namespace)?;
    let row = PgTsConfig {
        oid: catalog.new_oid(oids::TS_CONFIG_RELATION, oids::TS_CONFIG_OID_INDEX)?,
        cfgname: oname,
        cfgnamespace: namespace,
        cfgowner: cmd.cx.settings.current_user,
        cfgparser: parser,
    };
    catalog.insert_row(&row)?;
    let me = ObjectAddress::new(oids::TS_CONFIG_RELATION, row.oid);
    catalog.record_owner(&me, row.cfgowner)?;
    if let Some(source) = source {
        for map in catalog.rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &[Datum::oid(source)])? {
            catalog.insert_row(&PgTsConfigMap { mapcfg: row.oid, ..map })?;
        }
        catalog.command_counter_increment()?;
    }
    configuration_dependencies(cmd, &row)?;
    Ok(Outcome::tag("CREATE TEXT SEARCH CONFIGURATION"))
}

/// (PostgreSQL: `makeConfigurationDependencies`)
fn configuration_dependencies(cmd: &CommandContext<'_>, row: &PgTsConfig) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let me = ObjectAddress::new(oids::TS_CONFIG_RELATION, row.oid);
    catalog.delete_dependencies(&me, true)?;
    let mut on =
        vec![ObjectAddress::namespace(row.cfgnamespace), ObjectAddress::new(oids::TS_PARSER_RELATION, row.cfgparser)];
    for map in catalog.rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &[Datum::oid(row.oid)])? {
        on.push(ObjectAddress::new(oids::TS_DICTIONARY_RELATION, map.mapdict));
    }
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.command_counter_increment()
}

fn token_numbers(list: &[String]) -> Result<Vec<(i32, String)>> {
    let mut out: Vec<(i32, String)> = Vec::new();
    for alias in list.iter() {
        if out.iter().any(|t| t.1 == *alias) {
            continue;
        }
        let at = TOKEN_TYPES.iter().position(|t| t.0 == alias);
        let at =
            at.ok_or_else(|| PgError::new(INVALID_PARAMETER_VALUE, format!("token type \"{alias}\" does not exist")))?;
        out.push((at as i32 + 1, alias.clone()));
    }
    Ok(out)
}

pub fn alter_configuration(cmd: &mut CommandContext<'_>, stmt: &AlterTSConfigurationStmt) -> Result<Outcome> {
    let oid = find(cmd, ObjectType::TsConfiguration, &stmt.cfgname)?.object;
    let catalog = cmd.cx.catalog.clone();
    let row = catalog.get::<PgTsConfig>(CacheId::TSCONFIGOID, &[Datum::oid(oid)])?;
    let row = row.ok_or_else(|| PgError::internal("a text search configuration is gone"))?;
    check_owner(cmd, row.cfgowner, "configuration", &stmt.cfgname)?;
    let tokens = token_numbers(&stmt.tokentype)?;
    let of_token = |n: i32| [Datum::oid(oid), Datum::i32(n)];
    if stmt.kind == AlterTSConfigType::DropMapping {
        for (n, alias) in &tokens {
            if catalog.delete_rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &of_token(*n))? > 0 {
                continue;
            }
            let text = format!("mapping for token type \"{alias}\" does not exist");
            if !stmt.missing_ok {
                return Err(PgError::new(UNDEFINED_OBJECT, text));
            }
            cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, format!("{text}, skipping"));
        }
    } else {
        if stmt.override_ {
            for (n, _) in &tokens {
                catalog.delete_rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &of_token(*n))?;
            }
            catalog.command_counter_increment()?;
        }
        let mut dictionaries = Vec::new();
        for d in &stmt.dicts {
            dictionaries.push(find(cmd, ObjectType::TsDictionary, d)?.object);
        }
        if stmt.replace {
            let &[old, new] = dictionaries.as_slice() else {
                return Err(PgError::internal("two dictionaries are needed"));
            };
            for found in catalog.find_rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &[Datum::oid(oid)])? {
                let wanted = tokens.is_empty() || tokens.iter().any(|t| t.0 == found.row.maptokentype);
                if wanted && found.row.mapdict == old {
                    catalog.update_row(&found, &PgTsConfigMap { mapdict: new, ..found.row.clone() })?;
                }
            }
        } else {
            for (n, _) in &tokens {
                for (i, dict) in dictionaries.iter().enumerate() {
                    let key = [Datum::oid(oid), Datum::i32(*n), Datum::i32(i as i32 + 1)];
                    if !catalog.rows::<PgTsConfigMap>(oids::TS_CONFIG_MAP_INDEX, &key)?.is_empty() {
                        let text = "duplicate key value violates unique constraint \"pg_ts_config_map_index\"";
                        let detail =
                            format!("Key (mapcfg, maptokentype, mapseqno)=({oid}, {n}, {}) already exists.", i + 1);
                        return Err(PgError::new(UNIQUE_VIOLATION, text).detail(detail));
                    }
                    catalog.insert_row(&PgTsConfigMap {
                        mapcfg: oid,
                        maptokentype: *n,
                        mapseqno: i as i32 + 1,
                        mapdict: *dict,
                    })?;
                }
            }
        }
    }
    catalog.command_counter_increment()?;
    configuration_dependencies(cmd, &row)?;
    Ok(Outcome::tag("ALTER TEXT SEARCH CONFIGURATION"))
}
