//! CREATE CAST and CREATE TRANSFORM. (PostgreSQL: `CreateCast`, `CreateTransform` in `functioncmds.c`)

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{DependencyType, ObjectAddress, PgCast, PgProc, PgTransform, oids};
use parser::ast::*;
use types::Datum;
use types::oid::*;

use super::*;
use crate::object;

fn pseudo(cmd: &CommandContext<'_>, t: &TypeName, oid: Oid, what: &str) -> Result<()> {
    match cmd.cx.catalog.type_row(oid)?.typtype {
        b'p' => {
            let text = format!("{what} data type {} is a pseudo-type", t.names.join("."));
            Err(PgError::new(WRONG_OBJECT_TYPE, text))
        }
        _ => Ok(()),
    }
}

/// What a cast's function must look like.
fn check_function(cmd: &CommandContext<'_>, p: &PgProc, source: Oid, target: Oid) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let args = &p.proargtypes;
    if args.is_empty() || args.len() > 3 {
        return Err(bad_object("cast function must take one to three arguments"));
    }
    if !catalog.binary_coercible(source, args[0])? {
        let text = "argument of cast function must match or be binary-coercible from source data type";
        return Err(bad_object(text));
    }
    if args.len() > 1 && args[1] != INT4OID {
        return Err(bad_object("second argument of cast function must be type integer"));
    }
    if args.len() > 2 && args[2] != BOOLOID {
        return Err(bad_object("third argument of cast function must be type boolean"));
    }
    if !catalog.binary_coercible(p.prorettype, target)? {
        let text = "return data type of cast function must match or be binary-coercible to target data type";
        return Err(bad_object(text));
    }
    if p.prokind != b'f' {
        return Err(bad_object("cast function must be a normal function"));
    }
    if p.proretset {
        return Err(bad_object("cast function must not return a set"));
    }
    Ok(())
}

/// What WITHOUT FUNCTION demands.
fn check_binary(cmd: &CommandContext<'_>, source: Oid, target: Oid) -> Result<()> {
    must_be_superuser(cmd, "create a cast WITHOUT FUNCTION")?;
    let (s, t) = (cmd.cx.catalog.type_row(source)?, cmd.cx.catalog.type_row(target)?);
    if (s.typlen, s.typbyval, s.typalign) != (t.typlen, t.typbyval, t.typalign) {
        return Err(bad_object("source and target data types are not physically compatible"));
    }
    let any = |kind: u8| s.typtype == kind || t.typtype == kind;
    for (kind, noun) in [(b'c', "composite"), (b'e', "enum"), (b'r', "range"), (b'm', "multirange")] {
        // Arrays below, for the order of messages.
        if any(kind) {
            return Err(bad_object(format!("{noun} data types are not binary-compatible")));
        }
        if kind == b'c'
            && (cmd.cx.catalog.element_type(source)?.is_some() || cmd.cx.catalog.element_type(target)?.is_some())
        {
            return Err(bad_object("array data types are not binary-compatible"));
        }
    }
    if any(b'd') {
        return Err(bad_object("domain data types must not be marked binary-compatible"));
    }
    Ok(())
}

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateCastStmt) -> Result<Outcome> {
    let source = name::unplaced_type_name(cmd.cx, &stmt.sourcetype)?.0;
    let target = name::unplaced_type_name(cmd.cx, &stmt.targettype)?.0;
    pseudo(cmd, &stmt.sourcetype, source, "source")?;
    pseudo(cmd, &stmt.targettype, target, "target")?;
    let catalog = cmd.cx.catalog.clone();
    let user = cmd.cx.settings.current_user;
    let (s, t) = (catalog.type_row(source)?, catalog.type_row(target)?);
    let (sname, tname) = (catalog.format_type(source, None)?, catalog.format_type(target, None)?);
    if !catalog.is_owner(user, s.typowner)? && !catalog.is_owner(user, t.typowner)? {
        let text = format!("must be owner of type {sname} or type {tname}");
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    check_usage(cmd, source)?;
    check_usage(cmd, target)?;
    if s.typtype == b'd' || t.typtype == b'd' {
        let side = if s.typtype == b'd' { "source" } else { "target" };
        let text = format!("cast will be ignored because the {side} data type is a domain");
        cmd.notice(Severity::Warning, WRONG_OBJECT_TYPE, text);
    }
    let (mut function, mut incast, mut outcast) = (Oid::INVALID, Oid::INVALID, Oid::INVALID);
    let method = match &stmt.func {
        Some(f) => {
            let p = object::function(cmd, ObjectType::Function, f)?;
            check_function(cmd, &p, source, target)?;
            function = p.oid;
            // Conversions on the way in and out belong to the cast as well.
            if p.proargtypes[0] != source {
                incast = catalog.cast(source, p.proargtypes[0])?.map_or(Oid::INVALID, |c| c.oid);
            }
            if p.prorettype != target {
                outcast = catalog.cast(p.prorettype, target)?.map_or(Oid::INVALID, |c| c.oid);
            }
            b'f'
        }
        None if stmt.inout => b'i',
        None => {
            check_binary(cmd, source, target)?;
            b'b'
        }
    };
    if source == target {
        let p = function.valid().map(|f| catalog.function_row(f)).transpose()?;
        if p.is_none_or(|p| p.proargtypes.len() < 2) {
            return Err(bad_object("source data type and target data type are the same"));
        }
    }
    if catalog.cast(source, target)?.is_some() {
        let text = format!("cast from type {sname} to type {tname} already exists");
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    let row = PgCast {
        oid: catalog.new_oid(oids::CAST_RELATION, oids::CAST_OID_INDEX)?,
        castsource: source,
        casttarget: target,
        castfunc: function,
        castcontext: match stmt.context {
            CoercionContext::Implicit => b'i',
            CoercionContext::Assignment => b'a',
            CoercionContext::Explicit => b'e',
        },
        castmethod: method,
    };
    catalog.insert_row(&row)?;
    let me = ObjectAddress::new(oids::CAST_RELATION, row.oid);
    let mut on = vec![ObjectAddress::type_(source), ObjectAddress::type_(target)];
    on.extend(function.valid().map(ObjectAddress::function));
    on.extend([incast, outcast].iter().filter_map(|c| c.valid()).map(|c| ObjectAddress::new(oids::CAST_RELATION, c)));
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE CAST"))
}

fn transform_function(cmd: &mut CommandContext<'_>, f: &ObjectWithArgs, to: Oid, what: &str) -> Result<Oid> {
    let p = object::function(cmd, ObjectType::Function, f)?;
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, p.proowner)? {
        return Err(catalog::lookup::must_be_owner("function", &p.proname));
    }
    check_execute(cmd, &p)?;
    if p.prorettype != to {
        let shown = cmd.cx.catalog.format_type(to, None)?;
        return Err(bad_object(match what {
            "FROM" => format!("return data type of FROM SQL function must be {shown}"),
            _ => "return data type of TO SQL function must be the transform data type".to_owned(),
        }));
    }
    if p.provolatile == b'v' {
        return Err(bad_object("transform function must not be volatile"));
    }
    if p.prokind != b'f' {
        return Err(bad_object("transform function must be a normal function"));
    }
    if p.proretset {
        return Err(bad_object("transform function must not return a set"));
    }
    if p.proargtypes.len() != 1 {
        return Err(bad_object("transform function must take one argument"));
    }
    if p.proargtypes[0] != INTERNALOID {
        return Err(bad_object("first argument of transform function must be type internal"));
    }
    Ok(p.oid)
}

pub fn create_transform(cmd: &mut CommandContext<'_>, stmt: &CreateTransformStmt) -> Result<Outcome> {
    let t = name::unplaced_type_name(cmd.cx, &stmt.type_name)?.0;
    let row = cmd.cx.catalog.type_row(t)?;
    let shown = stmt.type_name.names.join(".");
    if row.typtype == b'p' {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("data type {shown} is a pseudo-type")));
    }
    if row.typtype == b'd' {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("data type {shown} is a domain")));
    }
    let catalog = cmd.cx.catalog.clone();
    if !catalog.is_owner(cmd.cx.settings.current_user, row.typowner)? {
        return Err(catalog::lookup::must_be_owner("type", &catalog.format_type(t, None)?));
    }
    check_usage(cmd, t)?;
    let language = catalog.language_by_name(&stmt.lang)?;
    let language = language
        .ok_or_else(|| PgError::new(UNDEFINED_OBJECT, format!("language \"{}\" does not exist", stmt.lang)))?
        .oid;
    let mut pick = |f: &Option<ObjectWithArgs>, to: Oid, what: &str| match f {
        Some(f) => transform_function(cmd, f, to, what),
        None => Ok(Oid::INVALID),
    };
    let (from, to) = (pick(&stmt.fromsql, INTERNALOID, "FROM")?, pick(&stmt.tosql, t, "TO")?);
    let key = [Datum::oid(t), Datum::oid(language)];
    let old = catalog.find_row::<PgTransform>(oids::TRANSFORM_TYPE_LANG_INDEX, &key)?;
    let mut row = PgTransform { oid: Oid::INVALID, trftype: t, trflang: language, trffromsql: from, trftosql: to };
    match &old {
        Some(_) if !stmt.replace => {
            let shown = catalog.format_type(t, None)?;
            let text = format!("transform for type {shown} language \"{}\" already exists", stmt.lang);
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
        Some(found) => {
            row.oid = found.row.oid;
            catalog.update_row(found, &row)?;
        }
        None => {
            row.oid = catalog.new_oid(oids::TRANSFORM_RELATION, oids::TRANSFORM_OID_INDEX)?;
            catalog.insert_row(&row)?;
        }
    }
    let me = ObjectAddress::new(oids::TRANSFORM_RELATION, row.oid);
    if old.is_some() {
        catalog.delete_dependencies(&me, true)?;
    }
    let mut on = vec![ObjectAddress::new(oids::LANGUAGE_RELATION, language), ObjectAddress::type_(t)];
    on.extend([from, to].iter().filter_map(|f| f.valid()).map(ObjectAddress::function));
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE TRANSFORM"))
}
