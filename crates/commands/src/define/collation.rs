//! CREATE COLLATION, ALTER COLLATION ... REFRESH VERSION, CREATE CONVERSION. (PostgreSQL: `collationcmds.c`,
//! `conversioncmds.c`)

use base::sqlstate::*;
use base::{PgError, Result, Severity};
use catalog::oids::fmgr;
use catalog::{DependencyType, ObjectAddress, PgCollation, PgConversion, oids};
use parser::ast::*;
use types::oid::*;
use types::{Datum, Runtime};

use super::*;

/// UTF-8's number.
const UTF8: i32 = 6;
/// The collation serves every encoding.
const ANY_ENCODING: i32 = -1;

#[derive(Default)]
struct Attributes<'a> {
    from: Option<&'a DefElem>,
    locale: Option<&'a DefElem>,
    lc_collate: Option<&'a DefElem>,
    lc_ctype: Option<&'a DefElem>,
    provider: Option<&'a DefElem>,
    deterministic: Option<&'a DefElem>,
    rules: Option<&'a DefElem>,
    version: Option<&'a DefElem>,
}

fn attributes(list: &[DefElem]) -> Result<Attributes<'_>> {
    let mut a = Attributes::default();
    for d in list {
        let slot = match d.defname.as_str() {
            "from" => &mut a.from,
            "locale" => &mut a.locale,
            "lc_collate" => &mut a.lc_collate,
            "lc_ctype" => &mut a.lc_ctype,
            "provider" => &mut a.provider,
            "deterministic" => &mut a.deterministic,
            "rules" => &mut a.rules,
            "version" => &mut a.version,
            other => {
                let text = format!("collation attribute \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text).at(d.location));
            }
        };
        if slot.is_some() {
            return Err(conflicting(d));
        }
        *slot = Some(d);
    }
    let redundant = |detail: &str| PgError::new(SYNTAX_ERROR, "conflicting or redundant options").detail(detail);
    if a.locale.is_some() && (a.lc_collate.is_some() || a.lc_ctype.is_some()) {
        return Err(redundant("LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE."));
    }
    if a.from.is_some() && list.len() != 1 {
        return Err(redundant("FROM cannot be specified together with any other options."));
    }
    Ok(a)
}

/// The builtin provider's locales under their proper names. (PostgreSQL: `builtin_validate_locale`)
fn builtin_locale(name: &str) -> Result<&'static str> {
    match name {
        "C" => Ok("C"),
        "C.UTF-8" | "C.UTF8" => Ok("C.UTF-8"),
        "PG_UNICODE_FAST" => Ok("PG_UNICODE_FAST"),
        _ => {
            let text = format!("invalid locale name \"{name}\" for builtin provider");
            Err(PgError::new(WRONG_OBJECT_TYPE, text))
        }
    }
}

fn required(value: Option<String>, what: &str) -> Result<String> {
    value.ok_or_else(|| bad_object(format!("parameter \"{what}\" must be specified")))
}

/// Everything but name, schema and owner.
fn properties(a: &Attributes<'_>) -> Result<PgCollation> {
    let text = |d: Option<&DefElem>| d.map(string).transpose();
    let provider = match text(a.provider)? {
        None => b'c',
        Some(p) if p.eq_ignore_ascii_case("builtin") => b'b',
        Some(p) if p.eq_ignore_ascii_case("icu") => b'i',
        Some(p) if p.eq_ignore_ascii_case("libc") => b'c',
        Some(p) => return Err(bad_object(format!("unrecognized collation provider: {p}"))),
    };
    let deterministic = a.deterministic.map_or(Ok(true), boolean)?;
    let rules = text(a.rules)?;
    let locale = text(a.locale)?;
    let (mut collate, mut ctype) = (text(a.lc_collate)?, text(a.lc_ctype)?);
    let mut encoding = ANY_ENCODING;
    let mut shown_locale = None;
    match provider {
        b'b' => {
            let name = builtin_locale(&required(locale, "locale")?)?;
            encoding = if name == "C" { ANY_ENCODING } else { UTF8 };
            shown_locale = Some(name.to_owned());
        }
        b'c' => {
            collate = Some(required(collate.or(locale.clone()), "lc_collate")?);
            ctype = Some(required(ctype.or(locale), "lc_ctype")?);
        }
        _ => {
            required(locale, "locale")?;
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "ICU is not supported in this build"));
        }
    }
    if !deterministic {
        let text = "nondeterministic collations not supported with this provider";
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    if rules.is_some() {
        return Err(bad_object("ICU rules cannot be specified unless locale provider is ICU"));
    }
    if provider == b'c' {
        for name in [&collate, &ctype].into_iter().flatten() {
            if !catalog::open::libc_is_bytewise(name) {
                let text = format!("could not create locale \"{name}\": No such file or directory");
                let detail =
                    format!("The operating system could not find any locale data for the locale name \"{name}\".");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text).detail(detail));
            }
        }
        let plain = |n: &Option<String>| matches!(n.as_deref(), Some("C" | "POSIX"));
        encoding = if plain(&collate) && plain(&ctype) { ANY_ENCODING } else { UTF8 };
    }
    Ok(PgCollation {
        oid: Oid::INVALID,
        collname: String::new(),
        collnamespace: Oid::INVALID,
        collowner: Oid::INVALID,
        collprovider: provider,
        collisdeterministic: deterministic,
        collencoding: encoding,
        collcollate: collate,
        collctype: ctype,
        colllocale: shown_locale,
        collicurules: None,
        collversion: text(a.version)?.or_else(|| (provider == b'b').then(|| "1".to_owned())),
    })
}

pub(super) fn create(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    let (namespace, cname) = new_object(cmd, &stmt.defnames)?;
    let a = attributes(&stmt.definition)?;
    let catalog = cmd.cx.catalog.clone();
    let model = match a.from {
        Some(d) => {
            let from = crate::index::collation_by_name(cmd.cx, &names(d)?)?;
            let row = catalog.collation(from)?.ok_or_else(|| PgError::internal("a collation is gone"))?;
            if row.collprovider == b'd' {
                return Err(bad_object("collation \"default\" cannot be copied"));
            }
            (*row).clone()
        }
        None => properties(&a)?,
    };
    let row = PgCollation {
        oid: catalog.new_oid(oids::COLLATION_RELATION, oids::COLLATION_OID_INDEX)?,
        collname: cname.clone(),
        collnamespace: namespace,
        collowner: cmd.cx.settings.current_user,
        ..model
    };
    // One for this encoding hides one for all, so that neither may be there.
    for encoding in [row.collencoding, ANY_ENCODING, UTF8] {
        let key = [Datum::text(&cname), Datum::i32(encoding), Datum::oid(namespace)];
        if catalog.get::<PgCollation>(catalog::CacheId::COLLNAMEENCNSP, &key)?.is_none() {
            continue;
        }
        let text = match encoding {
            ANY_ENCODING => format!("collation \"{cname}\" already exists"),
            _ => format!("collation \"{cname}\" for encoding \"UTF8\" already exists"),
        };
        if stmt.if_not_exists {
            cmd.notice(Severity::Notice, DUPLICATE_OBJECT, format!("{text}, skipping"));
            return Ok(Outcome::tag("CREATE COLLATION"));
        }
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    catalog.insert_row(&row)?;
    let me = ObjectAddress::new(oids::COLLATION_RELATION, row.oid);
    catalog.record_dependency(&me, &ObjectAddress::namespace(namespace), DependencyType::Normal)?;
    catalog.record_owner(&me, row.collowner)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE COLLATION"))
}

/// ALTER COLLATION ... REFRESH VERSION: none of our collations' versions ever changes.
pub fn refresh(cmd: &mut CommandContext<'_>, stmt: &AlterCollationStmt) -> Result<Outcome> {
    let oid = crate::index::collation_by_name(cmd.cx, &stmt.collname)?;
    let row = cmd.cx.catalog.collation(oid)?.ok_or_else(|| PgError::internal("a collation is gone"))?;
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, row.collowner)? {
        return Err(catalog::lookup::must_be_owner("collation", &row.collname));
    }
    if oid == oids::DEFAULT_COLLATION_OID {
        let hint = "Use ALTER DATABASE ... REFRESH COLLATION VERSION instead.";
        return Err(PgError::new(INTERNAL_ERROR, "cannot refresh version of default collation").hint(hint));
    }
    cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, "version has not changed");
    Ok(Outcome::tag("ALTER COLLATION"))
}

fn encoding_number(cmd: &mut CommandContext<'_>, name: &str) -> Result<Option<i32>> {
    let text = Datum::text(name);
    let found = cmd.cx.call(fmgr::F_PG_CHAR_TO_ENCODING, Oid::INVALID, &[text.as_ref()])?;
    Ok(Some(found.as_ref().word() as i32).filter(|n| *n >= 0))
}

pub fn create_conversion(cmd: &mut CommandContext<'_>, stmt: &CreateConversionStmt) -> Result<Outcome> {
    let (namespace, cname) = new_object(cmd, &stmt.conversion_name)?;
    let mut number = |which: &str, name: &str| match encoding_number(cmd, name)? {
        Some(n) => Ok(n),
        None => Err(PgError::new(UNDEFINED_OBJECT, format!("{which} encoding \"{name}\" does not exist"))),
    };
    let from = number("source", &stmt.for_encoding_name)?;
    let to = number("destination", &stmt.to_encoding_name)?;
    if from == 0 || to == 0 {
        return Err(bad_object("encoding conversion to or from \"SQL_ASCII\" is not supported"));
    }
    let args = [INT4OID, INT4OID, CSTRINGOID, INTERNALOID, INT4OID, BOOLOID];
    let p = required_function(cmd, &stmt.func_name, &args)?;
    if p.prorettype != INT4OID {
        let shown = stmt.func_name.join(".");
        return Err(bad_object(format!("encoding conversion function {shown} must return type integer")));
    }
    check_execute(cmd, &p)?;
    let catalog = cmd.cx.catalog.clone();
    let key = [Datum::text(&cname), Datum::oid(namespace)];
    if catalog.get::<PgConversion>(catalog::CacheId::CONNAMENSP, &key)?.is_some() {
        return Err(PgError::new(DUPLICATE_OBJECT, format!("conversion \"{cname}\" already exists")));
    }
    if stmt.def {
        let others = catalog.rows::<PgConversion>(oids::CONVERSION_DEFAULT_INDEX, &[Datum::oid(namespace)])?;
        if others.iter().any(|c| c.condefault && (c.conforencoding, c.contoencoding) == (from, to)) {
            let text = format!(
                "default conversion for {} to {} already exists",
                stmt.for_encoding_name, stmt.to_encoding_name
            );
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
    }
    let row = PgConversion {
        oid: catalog.new_oid(oids::CONVERSION_RELATION, oids::CONVERSION_OID_INDEX)?,
        conname: cname,
        connamespace: namespace,
        conowner: cmd.cx.settings.current_user,
        conforencoding: from,
        contoencoding: to,
        conproc: p.oid,
        condefault: stmt.def,
    };
    catalog.insert_row(&row)?;
    let me = ObjectAddress::new(oids::CONVERSION_RELATION, row.oid);
    let on = [ObjectAddress::function(p.oid), ObjectAddress::namespace(namespace)];
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.record_owner(&me, row.conowner)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE CONVERSION"))
}
