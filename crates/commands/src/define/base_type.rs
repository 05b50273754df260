//! CREATE TYPE of shells and base types; ALTER TYPE ... SET (...). (PostgreSQL: `DefineType`, `AlterType`)

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::oids::fmgr;
use catalog::{DependencyType, ObjectAddress, PgProc, PgType, oids};
use parser::ast::*;
use types::Datum;
use types::oid::*;

use super::*;
use crate::{create_type, object};

/// The row of a type that is only a name yet. (PostgreSQL: `TypeShellMake`)
fn shell_row(cmd: &CommandContext<'_>, namespace: Oid, tname: &str) -> Result<PgType> {
    Ok(PgType {
        typtype: b'p',
        typcategory: b'P',
        typisdefined: false,
        typarray: Oid::INVALID,
        typinput: fmgr::F_SHELL_IN,
        typoutput: fmgr::F_SHELL_OUT,
        typreceive: Oid::INVALID,
        typsend: Oid::INVALID,
        ..create_type::new_row(cmd, namespace, tname.to_owned())?
    })
}

/// Makes a shell type; the next command sees it.
pub(crate) fn make_shell(cmd: &mut CommandContext<'_>, namespace: Oid, tname: &str) -> Result<Oid> {
    let row = shell_row(cmd, namespace, tname)?;
    let catalog = &cmd.cx.catalog;
    catalog.insert_row(&row)?;
    let me = ObjectAddress::type_(row.oid);
    catalog.record_owner(&me, row.typowner)?;
    catalog.record_dependency(&me, &ObjectAddress::namespace(namespace), DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(row.oid)
}

#[derive(Default)]
struct Attributes<'a> {
    like: Option<&'a DefElem>,
    length: Option<&'a DefElem>,
    input: Option<&'a DefElem>,
    output: Option<&'a DefElem>,
    receive: Option<&'a DefElem>,
    send: Option<&'a DefElem>,
    typmod_in: Option<&'a DefElem>,
    typmod_out: Option<&'a DefElem>,
    analyze: Option<&'a DefElem>,
    subscript: Option<&'a DefElem>,
    category: Option<&'a DefElem>,
    preferred: Option<&'a DefElem>,
    delimiter: Option<&'a DefElem>,
    element: Option<&'a DefElem>,
    default: Option<&'a DefElem>,
    by_value: Option<&'a DefElem>,
    alignment: Option<&'a DefElem>,
    storage: Option<&'a DefElem>,
    collatable: Option<&'a DefElem>,
}

fn attributes<'a>(cmd: &mut CommandContext<'_>, list: &'a [DefElem]) -> Result<Attributes<'a>> {
    let mut a = Attributes::default();
    for d in list {
        let slot = match d.defname.as_str() {
            "like" => &mut a.like,
            "internallength" => &mut a.length,
            "input" => &mut a.input,
            "output" => &mut a.output,
            "receive" => &mut a.receive,
            "send" => &mut a.send,
            "typmod_in" => &mut a.typmod_in,
            "typmod_out" => &mut a.typmod_out,
            "analyze" | "analyse" => &mut a.analyze,
            "subscript" => &mut a.subscript,
            "category" => &mut a.category,
            "preferred" => &mut a.preferred,
            "delimiter" => &mut a.delimiter,
            "element" => &mut a.element,
            "default" => &mut a.default,
            "passedbyvalue" => &mut a.by_value,
            "alignment" => &mut a.alignment,
            "storage" => &mut a.storage,
            "collatable" => &mut a.collatable,
            other => {
                let text = format!("type attribute \"{other}\" not recognized");
                let e = PgError::with_severity(Severity::Warning, SYNTAX_ERROR, text).at(d.location);
                cmd.cx.notices.notice(e);
                continue;
            }
        };
        if slot.is_some() {
            return Err(conflicting(d));
        }
        *slot = Some(d);
    }
    Ok(a)
}

/// (PostgreSQL: `defGetTypeLength`)
fn type_length(d: &DefElem) -> Result<i16> {
    match &d.arg {
        Some(DefArg::Integer(i)) => i16::try_from(*i)
            .map_err(|_| PgError::new(INVALID_PARAMETER_VALUE, format!("invalid argument for {}: \"{i}\"", d.defname))),
        None => Err(PgError::new(SYNTAX_ERROR, format!("{} requires a parameter", d.defname))),
        Some(DefArg::Float(_)) => Err(PgError::new(SYNTAX_ERROR, format!("{} requires an integer value", d.defname))),
        _ => {
            let text = string(d)?;
            if text.eq_ignore_ascii_case("variable") {
                return Ok(-1);
            }
            Err(PgError::new(SYNTAX_ERROR, format!("invalid argument for {}: \"{text}\"", d.defname)))
        }
    }
}

fn alignment(d: &DefElem) -> Result<u8> {
    let text = string(d)?;
    let is = |names: &[&str]| names.iter().any(|n| text.eq_ignore_ascii_case(n));
    Ok(match () {
        () if is(&["double", "float8", "pg_catalog.float8"]) => b'd',
        () if is(&["int4", "pg_catalog.int4"]) => b'i',
        () if is(&["int2", "pg_catalog.int2"]) => b's',
        () if is(&["char", "pg_catalog.bpchar"]) => b'c',
        () => {
            return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("alignment \"{text}\" not recognized")));
        }
    })
}

fn storage(d: &DefElem) -> Result<u8> {
    let text = string(d)?;
    match text.to_ascii_lowercase().as_str() {
        "plain" => Ok(b'p'),
        "external" => Ok(b'e'),
        "extended" => Ok(b'x'),
        "main" => Ok(b'm'),
        _ => Err(PgError::new(INVALID_PARAMETER_VALUE, format!("storage \"{text}\" not recognized"))),
    }
}

/// A support function: one of two possible signatures, a result type.
fn support(cmd: &mut CommandContext<'_>, d: &DefElem, what: &str, signatures: &[&[Oid]], result: Oid) -> Result<Oid> {
    let parts = names(d)?;
    let mut found: Option<Arc<PgProc>> = None;
    for args in signatures {
        if let Some(p) = exact_function(cmd, &parts, args)? {
            if found.is_some() {
                let text = format!("{what} function {} has multiple matches", parts.join("."));
                return Err(PgError::new(AMBIGUOUS_FUNCTION, text));
            }
            found = Some(p);
        }
    }
    let Some(p) = found else { return Err(no_function(cmd, &parts, signatures[0])?) };
    if p.prorettype != result {
        let shown = cmd.cx.catalog.format_type(result, None)?;
        return Err(bad_object(format!("{what} function {} must return type {shown}", parts.join("."))));
    }
    if p.provolatile == b'v' {
        let what = match what {
            "typmod_in" => "type modifier input",
            "typmod_out" => "type modifier output",
            other => other,
        };
        let text = format!("{what} function {} should not be volatile", parts.join("."));
        cmd.notice(Severity::Warning, INVALID_OBJECT_DEFINITION, text);
    }
    check_function_owner(cmd, &p)?;
    Ok(p.oid)
}

fn check_function_owner(cmd: &CommandContext<'_>, p: &PgProc) -> Result<()> {
    match cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, p.proowner)? {
        true => Ok(()),
        false => Err(catalog::lookup::must_be_owner("function", &p.proname)),
    }
}

/// Length, passing, alignment and storage must go together. (PostgreSQL: `TypeCreate`)
fn check_layout(row: &PgType) -> Result<()> {
    let len = row.typlen;
    let bad = |text: String| Err(bad_object(text));
    if !(len > 0 || len == -1 || len == -2) {
        return bad(format!("invalid type internal size {len}"));
    }
    let align = row.typalign as char;
    if row.typbyval {
        let fitting = match len {
            1 => b'c',
            2 => b's',
            4 => b'i',
            8 => b'd',
            _ => return bad(format!("internal size {len} is invalid for passed-by-value type")),
        };
        if row.typalign != fitting {
            return bad(format!("alignment \"{align}\" is invalid for passed-by-value type of size {len}"));
        }
    } else if (len == -1 && !matches!(row.typalign, b'i' | b'd')) || (len == -2 && row.typalign != b'c') {
        return bad(format!("alignment \"{align}\" is invalid for variable-length type"));
    }
    if row.typstorage != b'p' && len != -1 {
        return bad("fixed-size types must have storage PLAIN".to_owned());
    }
    Ok(())
}

pub(super) fn create(cmd: &mut CommandContext<'_>, stmt: &DefineStmt) -> Result<Outcome> {
    must_be_superuser(cmd, "create a base type")?;
    let (namespace, tname) = new_object(cmd, &stmt.defnames)?;
    let catalog = cmd.cx.catalog.clone();
    let mut existing = catalog.type_by_name(namespace, &tname)?;
    if existing.as_ref().is_some_and(|t| t.typisdefined) {
        let taken = || PgError::new(DUPLICATE_OBJECT, format!("type \"{tname}\" already exists"));
        catalog.free_type_name(namespace, &tname).map_err(|_| taken())?;
        existing = None;
    }
    if stmt.definition.is_empty() {
        if existing.is_some() {
            return Err(PgError::new(DUPLICATE_OBJECT, format!("type \"{tname}\" already exists")));
        }
        make_shell(cmd, namespace, &tname)?;
        return Ok(Outcome::tag("CREATE TYPE"));
    }
    let Some(shell) = existing else {
        let e = PgError::new(DUPLICATE_OBJECT, format!("type \"{tname}\" does not exist"));
        let hint = "Create the type as a shell type, then create its I/O functions, then do a full CREATE TYPE.";
        return Err(e.hint(hint));
    };
    let a = attributes(cmd, &stmt.definition)?;
    let mut row = PgType {
        oid: shell.oid,
        typtype: b'b',
        typcategory: b'U',
        typlen: -1,
        typbyval: false,
        typreceive: Oid::INVALID,
        typsend: Oid::INVALID,
        ..create_type::new_row(cmd, namespace, tname.clone())?
    };
    if let Some(d) = a.like {
        let like = catalog.type_row(name::type_name(cmd.cx, &type_name(d)?)?.0)?;
        (row.typlen, row.typbyval) = (like.typlen, like.typbyval);
        (row.typalign, row.typstorage) = (like.typalign, like.typstorage);
    }
    if let Some(d) = a.length {
        row.typlen = type_length(d)?;
    }
    if let Some(d) = a.category {
        let text = string(d)?;
        row.typcategory = text.bytes().next().unwrap_or(0);
        if !(32..=126).contains(&row.typcategory) {
            let text = format!("invalid type category \"{text}\": must be simple ASCII");
            return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
        }
    }
    if let Some(d) = a.preferred {
        row.typispreferred = boolean(d)?;
    }
    if let Some(d) = a.delimiter {
        row.typdelim = string(d)?.bytes().next().unwrap_or(b',');
    }
    if let Some(d) = a.element {
        row.typelem = name::type_name(cmd.cx, &type_name(d)?)?.0;
        if catalog.type_row(row.typelem)?.typtype == b'p' {
            let shown = catalog.format_type(row.typelem, None)?;
            return Err(PgError::new(DATATYPE_MISMATCH, format!("array element type cannot be {shown}")));
        }
    }
    if let Some(d) = a.default {
        row.typdefault = Some(string(d)?);
    }
    if let Some(d) = a.by_value {
        row.typbyval = boolean(d)?;
    }
    if let Some(d) = a.alignment {
        row.typalign = alignment(d)?;
    }
    if let Some(d) = a.storage {
        row.typstorage = storage(d)?;
    }
    if let Some(d) = a.collatable
        && boolean(d)?
    {
        row.typcollation = oids::DEFAULT_COLLATION_OID;
    }
    let (Some(input), output) = (a.input, a.output) else {
        return Err(bad_object("type input function must be specified"));
    };
    let Some(output) = output else { return Err(bad_object("type output function must be specified")) };
    if a.typmod_in.is_none() && a.typmod_out.is_some() {
        return Err(bad_object("type modifier output function is useless without a type modifier input function"));
    }
    let me = shell.oid;
    let from_text: [&[Oid]; 2] = [&[CSTRINGOID], &[CSTRINGOID, OIDOID, INT4OID]];
    row.typinput = support(cmd, input, "type input", &from_text, me)?;
    row.typoutput = support(cmd, output, "type output", &[&[me]], CSTRINGOID)?;
    if let Some(d) = a.receive {
        let from_bytes: [&[Oid]; 2] = [&[INTERNALOID], &[INTERNALOID, OIDOID, INT4OID]];
        row.typreceive = support(cmd, d, "type receive", &from_bytes, me)?;
    }
    if let Some(d) = a.send {
        row.typsend = support(cmd, d, "type send", &[&[me]], BYTEAOID)?;
    }
    if let Some(d) = a.typmod_in {
        row.typmodin = support(cmd, d, "typmod_in", &[&[CSTRINGARRAYOID]], INT4OID)?;
    }
    if let Some(d) = a.typmod_out {
        row.typmodout = support(cmd, d, "typmod_out", &[&[INT4OID]], CSTRINGOID)?;
    }
    if let Some(d) = a.analyze {
        row.typanalyze = support(cmd, d, "type analyze", &[&[INTERNALOID]], BOOLOID)?;
    }
    if let Some(d) = a.subscript {
        row.typsubscript = support(cmd, d, "type subscripting", &[&[INTERNALOID]], INTERNALOID)?;
        if row.typsubscript == fmgr::F_ARRAY_SUBSCRIPT_HANDLER {
            let text = format!("user-defined types cannot use subscripting function {}", names(d)?.join("."));
            return Err(bad_object(text));
        }
    } else if row.typelem.is_valid() {
        if row.typlen <= 0 || row.typbyval {
            let text = "element type cannot be specified without a subscripting function";
            return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
        }
        row.typsubscript = fmgr::F_RAW_ARRAY_SUBSCRIPT_HANDLER;
    }
    check_layout(&row)?;
    replace(cmd, &row)?;
    catalog.create_array_type(&row, row.typarray)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE TYPE"))
}

/// Writes a type's row over the one that is there, and what it depends on anew.
fn replace(cmd: &CommandContext<'_>, row: &PgType) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let found = catalog.find_row::<PgType>(oids::TYPE_OID_INDEX, &[Datum::oid(row.oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a type is gone"))?;
    catalog.update_row(&found, row)?;
    let me = ObjectAddress::type_(row.oid);
    catalog.delete_dependencies(&me, true)?;
    catalog.delete_shared_dependencies(&me)?;
    catalog.record_owner(&me, row.typowner)?;
    let mut on = vec![ObjectAddress::namespace(row.typnamespace)];
    let functions = [
        row.typinput,
        row.typoutput,
        row.typreceive,
        row.typsend,
        row.typmodin,
        row.typmodout,
        row.typanalyze,
        row.typsubscript,
    ];
    on.extend(functions.iter().filter_map(|f| f.valid()).map(ObjectAddress::function));
    on.extend(row.typelem.valid().map(ObjectAddress::type_));
    on.extend(
        row.typcollation
            .valid()
            .filter(|c| *c != oids::DEFAULT_COLLATION_OID)
            .map(|c| ObjectAddress::new(oids::COLLATION_RELATION, c)),
    );
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.command_counter_increment()
}

/// ALTER TYPE ... SET (...): of base types, and of domains and arrays over them.
pub fn alter(cmd: &mut CommandContext<'_>, stmt: &AlterTypeStmt) -> Result<Outcome> {
    let t = TypeName { names: stmt.type_name.clone(), typemod: -1, ..TypeName::default() };
    let oid = name::type_name(cmd.cx, &t)?.0;
    let old = cmd.cx.catalog.type_row(oid)?;
    let mut row = (*old).clone();
    let (mut changed_storage, mut superuser) = (false, false);
    for d in &stmt.options {
        let none = matches!(&d.arg, None) || matches!(&d.arg, Some(DefArg::String(s)) if s == "none");
        let mut pick = |what: &str, signatures: &[&[Oid]], result: Oid| -> Result<Oid> {
            superuser = true;
            if none { Ok(Oid::INVALID) } else { support(cmd, d, what, signatures, result) }
        };
        match d.defname.as_str() {
            "storage" => {
                row.typstorage = storage(d)?;
                if row.typstorage != b'p' && row.typlen != -1 {
                    return Err(bad_object("fixed-size types must have storage PLAIN"));
                }
                if row.typstorage != b'p' && old.typstorage == b'p' {
                    superuser = true;
                } else if row.typstorage == b'p' && old.typstorage != b'p' {
                    let text = "cannot change type's storage to PLAIN";
                    return Err(bad_object(text));
                }
                changed_storage = true;
            }
            "receive" => {
                let from: [&[Oid]; 2] = [&[INTERNALOID], &[INTERNALOID, OIDOID, INT4OID]];
                row.typreceive = pick("type receive", &from, oid)?;
            }
            "send" => row.typsend = pick("type send", &[&[oid]], BYTEAOID)?,
            "typmod_in" => row.typmodin = pick("typmod_in", &[&[CSTRINGARRAYOID]], INT4OID)?,
            "typmod_out" => row.typmodout = pick("typmod_out", &[&[INT4OID]], CSTRINGOID)?,
            "analyze" => row.typanalyze = pick("type analyze", &[&[INTERNALOID]], BOOLOID)?,
            "subscript" => row.typsubscript = pick("type subscripting", &[&[INTERNALOID]], INTERNALOID)?,
            fixed @ ("input" | "output" | "internallength" | "passedbyvalue" | "alignment" | "like" | "category"
            | "preferred" | "default" | "element" | "delimiter" | "collatable") => {
                let text = format!("type attribute \"{fixed}\" cannot be changed");
                return Err(PgError::new(SYNTAX_ERROR, text));
            }
            other => {
                return Err(PgError::new(SYNTAX_ERROR, format!("type attribute \"{other}\" not recognized")));
            }
        }
    }
    if superuser {
        must_be_superuser(cmd, "alter a type")?;
    } else if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, old.typowner)? {
        return Err(catalog::lookup::must_be_owner("type", &cmd.cx.catalog.format_type(oid, None)?));
    }
    if old.typtype != b'b' || cmd.cx.catalog.element_type(oid)?.is_some() {
        let shown = cmd.cx.catalog.format_type(oid, None)?;
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("{shown} is not a base type")));
    }
    apply(cmd, &row, changed_storage)?;
    Ok(Outcome::tag("ALTER TYPE"))
}

/// Domains take over what their base type has. (PostgreSQL: `AlterTypeRecurse`)
fn apply(cmd: &mut CommandContext<'_>, row: &PgType, changed_storage: bool) -> Result<()> {
    let oid = row.oid;
    if row.typtype == b'b' {
        replace(cmd, row)?;
    } else {
        object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, oid, |t| {
            t.typstorage = row.typstorage;
            t.typsend = row.typsend;
            t.typanalyze = row.typanalyze;
        })?;
    }
    // An array type has its element's type modifiers.
    if let Some(array) = row.typarray.valid() {
        object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, array, |t| {
            t.typmodin = row.typmodin;
            t.typmodout = row.typmodout;
        })?;
    }
    let mut domains = Vec::new();
    for d in cmd.cx.catalog.dependents_of(&ObjectAddress::type_(oid))? {
        if d.classid == oids::TYPE_RELATION {
            let t = cmd.cx.catalog.type_row(d.objid)?;
            if t.typtype == b'd' && t.typbasetype == oid {
                domains.push(t);
            }
        }
    }
    for d in domains {
        let new = PgType {
            typstorage: if changed_storage { row.typstorage } else { d.typstorage },
            typsend: row.typsend,
            typanalyze: row.typanalyze,
            ..(*d).clone()
        };
        apply(cmd, &new, changed_storage)?;
    }
    Ok(())
}
