//! CREATE TYPE (enum, composite), CREATE DOMAIN, ALTER TYPE ... ADD VALUE. (PostgreSQL: `typecmds.c`, `pg_enum.c`)

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::ddl::truncate_name;
use catalog::oids::fmgr;
use catalog::{DependencyType, NewConstraint, NewRelation, ObjectAddress, PgEnum, PgType, oids, relkind};
use parser::ast::*;
use types::{Datum, Runtime};

use crate::{CommandContext, Outcome, constraint, index, name};

/// Schema and name for a new type, which must be free.
pub(crate) fn new_name(cmd: &CommandContext<'_>, parts: &[String]) -> Result<(Oid, String)> {
    let (schema, tname) = name::split(cmd.cx, parts)?;
    let namespace = name::creation_schema(cmd.cx, schema.as_deref())?.oid;
    let tname = truncate_name(&tname).to_owned();
    if cmd.cx.catalog.type_by_name(namespace, &tname)?.is_some() {
        // An array type made automatically gives way.
        cmd.cx
            .catalog
            .free_type_name(namespace, &tname)
            .map_err(|_| PgError::new(DUPLICATE_OBJECT, format!("type \"{tname}\" already exists")))?;
    }
    Ok((namespace, tname))
}

/// A type's row as enums have it; domains change what they take from their base.
pub(crate) fn new_row(cmd: &CommandContext<'_>, namespace: Oid, tname: String) -> Result<PgType> {
    let fresh = || cmd.cx.catalog.new_oid(oids::TYPE_RELATION, oids::TYPE_OID_INDEX);
    Ok(PgType {
        oid: fresh()?,
        typname: tname,
        typnamespace: namespace,
        typowner: cmd.cx.settings.current_user,
        typlen: 4,
        typbyval: true,
        typtype: b'e',
        typcategory: b'E',
        typispreferred: false,
        typisdefined: true,
        typdelim: b',',
        typrelid: Oid::INVALID,
        typsubscript: Oid::INVALID,
        typelem: Oid::INVALID,
        typarray: fresh()?,
        typinput: fmgr::F_ENUM_IN,
        typoutput: fmgr::F_ENUM_OUT,
        typreceive: fmgr::F_ENUM_RECV,
        typsend: fmgr::F_ENUM_SEND,
        typmodin: Oid::INVALID,
        typmodout: Oid::INVALID,
        typanalyze: Oid::INVALID,
        typalign: b'i',
        typstorage: b'p',
        typnotnull: false,
        typbasetype: Oid::INVALID,
        typtypmod: -1,
        typndims: 0,
        typcollation: Oid::INVALID,
        typdefaultbin: None,
        typdefault: None,
        typacl: None,
    })
}

/// The rows of a new type and its array type with what they depend on.
pub(crate) fn store(cmd: &CommandContext<'_>, row: &PgType) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    catalog.insert_row(row)?;
    let me = ObjectAddress::type_(row.oid);
    catalog.record_owner(&me, row.typowner)?;
    record_type_dependencies(cmd, row)?;
    catalog.command_counter_increment()?;
    catalog.create_array_type(row, row.typarray)?;
    catalog.command_counter_increment()
}

fn record_type_dependencies(cmd: &CommandContext<'_>, row: &PgType) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let me = ObjectAddress::type_(row.oid);
    catalog.record_dependency(&me, &ObjectAddress::namespace(row.typnamespace), DependencyType::Normal)?;
    for f in [row.typinput, row.typoutput, row.typreceive, row.typsend, row.typmodin, row.typmodout, row.typanalyze] {
        if f.is_valid() {
            catalog.record_dependency(&me, &ObjectAddress::function(f), DependencyType::Normal)?;
        }
    }
    if row.typbasetype.is_valid() {
        catalog.record_dependency(&me, &ObjectAddress::type_(row.typbasetype), DependencyType::Normal)?;
    }
    if row.typcollation.is_valid() && row.typcollation != oids::DEFAULT_COLLATION_OID {
        let on = ObjectAddress::new(oids::COLLATION_RELATION, row.typcollation);
        catalog.record_dependency(&me, &on, DependencyType::Normal)?;
    }
    Ok(())
}

fn check_label(label: &str) -> Result<()> {
    if label.len() >= base::NAMEDATALEN {
        let e = PgError::new(INVALID_NAME, format!("invalid enum label \"{label}\""));
        return Err(e.detail(format!("Labels must be {} bytes or less.", base::NAMEDATALEN - 1)));
    }
    Ok(())
}

/// An id for a label: labels with even ids compare by their ids, so those must ascend as the labels do.
fn label_oid(cmd: &CommandContext<'_>, even: bool) -> Result<Oid> {
    loop {
        let oid = cmd.cx.catalog.new_oid(oids::ENUM_RELATION, oids::ENUM_OID_INDEX)?;
        if (oid.0 % 2 == 0) == even {
            return Ok(oid);
        }
    }
}

pub fn create_enum(cmd: &mut CommandContext<'_>, stmt: &CreateEnumStmt) -> Result<Outcome> {
    let (namespace, tname) = new_name(cmd, &stmt.type_name)?;
    for (i, label) in stmt.vals.iter().enumerate() {
        check_label(label)?;
        if stmt.vals[..i].contains(label) {
            let text = format!("enum label \"{label}\" used more than once");
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
    }
    let row = new_row(cmd, namespace, tname)?;
    store(cmd, &row)?;
    let mut ids = Vec::new();
    for _ in &stmt.vals {
        ids.push(label_oid(cmd, true)?);
    }
    ids.sort_unstable();
    for (i, (label, oid)) in stmt.vals.iter().zip(ids).enumerate() {
        let order = i as f32 + 1.0;
        cmd.cx.catalog.insert_row(&PgEnum {
            oid,
            enumtypid: row.oid,
            enumsortorder: order,
            enumlabel: label.clone(),
        })?;
    }
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE TYPE"))
}

fn no_label(label: &str) -> PgError {
    PgError::new(INVALID_PARAMETER_VALUE, format!("\"{label}\" is not an existing enum label"))
}

/// Where a new label goes, `None` if there is no number between its neighbours; and the last label's place.
fn place(labels: &[catalog::Found<PgEnum>], stmt: &AlterEnumStmt) -> Result<(Option<f32>, f32)> {
    let mut orders: Vec<f32> = labels.iter().map(|l| l.row.enumsortorder).collect();
    orders.sort_by(f32::total_cmp);
    let last = orders.last().copied().unwrap_or(0.0);
    let Some(neighbor) = &stmt.new_val_neighbor else { return Ok((Some(last + 1.0), last)) };
    let at = labels.iter().find(|l| l.row.enumlabel == *neighbor).ok_or_else(|| no_label(neighbor))?.row.enumsortorder;
    let other = match stmt.new_val_is_after {
        true => orders.iter().copied().find(|o| *o > at),
        false => orders.iter().rev().copied().find(|o| *o < at),
    };
    let order = match (other, stmt.new_val_is_after) {
        (Some(other), _) => Some((at + other) / 2.0).filter(|o| *o != at && *o != other),
        (None, true) => Some(at + 1.0),
        (None, false) => Some(at - 1.0),
    };
    Ok((order, last))
}

/// Gives the labels whole numbers again. (PostgreSQL: `RenumberEnumType`)
fn renumber(cmd: &CommandContext<'_>, enum_type: Oid) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let mut labels = catalog.find_rows::<PgEnum>(oids::ENUM_TYP_ID_LABEL_INDEX, &[Datum::oid(enum_type)])?;
    labels.sort_by(|a, b| a.row.enumsortorder.total_cmp(&b.row.enumsortorder));
    // From the end, so that no two are alike meanwhile.
    for (i, label) in labels.iter().enumerate().rev() {
        let enumsortorder = i as f32 + 1.0;
        if label.row.enumsortorder != enumsortorder {
            catalog.update_row(label, &PgEnum { enumsortorder, ..label.row.clone() })?;
        }
    }
    catalog.command_counter_increment()
}

pub fn alter_enum(cmd: &mut CommandContext<'_>, stmt: &AlterEnumStmt) -> Result<Outcome> {
    let (schema, tname) = name::split(cmd.cx, &stmt.type_name)?;
    let found = cmd.cx.catalog.find_type(schema.as_deref(), &tname, true)?;
    let shown = stmt.type_name.join(".");
    let t = found.ok_or_else(|| PgError::new(UNDEFINED_OBJECT, format!("type \"{shown}\" does not exist")))?;
    if t.typtype != b'e' {
        return Err(PgError::new(WRONG_OBJECT_TYPE, format!("{shown} is not an enum")));
    }
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, t.typowner)? {
        return Err(catalog::lookup::must_be_owner("type", &t.typname));
    }
    let mut labels = cmd.cx.catalog.find_rows::<PgEnum>(oids::ENUM_TYP_ID_LABEL_INDEX, &[Datum::oid(t.oid)])?;
    let find = |label: &str| labels.iter().find(|l| l.row.enumlabel == label);
    let new = stmt.new_val.clone().unwrap_or_default();
    check_label(&new)?;
    let exists = || PgError::new(DUPLICATE_OBJECT, format!("enum label \"{new}\" already exists"));
    if let Some(old) = &stmt.old_val {
        let found = find(old).ok_or_else(|| no_label(old))?;
        if find(&new).is_some() {
            return Err(exists());
        }
        cmd.cx.catalog.update_row(found, &PgEnum { enumlabel: new.clone(), ..found.row.clone() })?;
        cmd.cx.catalog.command_counter_increment()?;
        return Ok(Outcome::tag("ALTER TYPE"));
    }
    if find(&new).is_some() {
        if !stmt.skip_if_new_val_exists {
            return Err(exists());
        }
        cmd.notice(Severity::Notice, DUPLICATE_OBJECT, format!("{}, skipping", exists().message()));
        return Ok(Outcome::tag("ALTER TYPE"));
    }
    let (mut order, last) = match place(&labels, stmt)? {
        (Some(order), last) => (order, last),
        (None, _) => {
            renumber(cmd, t.oid)?;
            labels = cmd.cx.catalog.find_rows::<PgEnum>(oids::ENUM_TYP_ID_LABEL_INDEX, &[Datum::oid(t.oid)])?;
            let (order, last) = place(&labels, stmt)?;
            (order.ok_or_else(|| PgError::internal("no room between enum labels"))?, last)
        }
    };
    if labels.is_empty() {
        order = 1.0;
    }
    // An even id must be greater than all others: only a label at the end may have one.
    let highest = labels.iter().map(|l| l.row.oid).max().unwrap_or_default();
    let mut oid = label_oid(cmd, order > last)?;
    if oid < highest && oid.0 % 2 == 0 {
        oid = label_oid(cmd, false)?;
    }
    cmd.cx.catalog.insert_row(&PgEnum { oid, enumtypid: t.oid, enumsortorder: order, enumlabel: new })?;
    // Indexes know the labels' places since they were opened.
    cmd.cx.catalog.invalidate_relation(Oid::INVALID);
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Outcome::tag("ALTER TYPE"))
}

pub fn create_composite(cmd: &mut CommandContext<'_>, stmt: &CompositeTypeStmt) -> Result<Outcome> {
    let namespace = name::creation_schema(cmd.cx, stmt.typevar.schemaname.as_deref())?.oid;
    if cmd.cx.catalog.type_by_name(namespace, &stmt.typevar.relname)?.is_some_and(|t| !t.typname.starts_with('_')) {
        let text = format!("type \"{}\" already exists", stmt.typevar.relname);
        return Err(PgError::new(DUPLICATE_OBJECT, text));
    }
    let mut columns = Vec::new();
    for def in &stmt.coldeflist {
        let mut none = Vec::new();
        columns.push(crate::create_table::column(cmd, def, &mut none)?.attribute);
    }
    let owner = cmd.cx.settings.current_user;
    let mut new = NewRelation::new(&stmt.typevar.relname, namespace, owner, columns);
    new.kind = relkind::COMPOSITE;
    new.am = Oid::INVALID;
    cmd.cx.catalog.create_relation(&new)?;
    cmd.cx.catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE TYPE"))
}

pub fn create_domain(cmd: &mut CommandContext<'_>, stmt: &CreateDomainStmt) -> Result<Outcome> {
    let (base_oid, typmod) = name::type_name(cmd.cx, &stmt.type_name)?;
    let base = cmd.cx.catalog.type_row(base_oid)?;
    if !matches!(base.typtype, b'b' | b'c' | b'd' | b'e' | b'r' | b'm') {
        let text = format!("\"{}\" is not a valid base type for a domain", stmt.type_name.names.join("."));
        return Err(PgError::new(DATATYPE_MISMATCH, text).at(stmt.type_name.location));
    }
    let collation = match &stmt.coll_clause {
        Some(clause) => index::collation_by_name(cmd.cx, &clause.collname)?,
        None => base.typcollation,
    };
    if collation.is_valid() && !base.typcollation.is_valid() {
        let shown = cmd.cx.catalog.format_type(base_oid, None)?;
        let text = format!("collations are not supported by type {shown}");
        return Err(PgError::new(DATATYPE_MISMATCH, text).at(stmt.type_name.location));
    }
    let (namespace, dname) = new_name(cmd, &stmt.domainname)?;
    let mut row = PgType {
        typlen: base.typlen,
        typbyval: base.typbyval,
        typtype: b'd',
        typcategory: base.typcategory,
        typdelim: base.typdelim,
        typinput: fmgr::F_DOMAIN_IN,
        typoutput: base.typoutput,
        typreceive: fmgr::F_DOMAIN_RECV,
        typsend: base.typsend,
        typanalyze: base.typanalyze,
        typalign: base.typalign,
        typstorage: base.typstorage,
        typbasetype: base_oid,
        typtypmod: typmod,
        typndims: stmt.type_name.array_bounds.len() as i32,
        typcollation: collation,
        typdefaultbin: base.typdefaultbin.clone(),
        typdefault: base.typdefault.clone(),
        ..new_row(cmd, namespace, dname)?
    };
    let mut default_dependencies = Vec::new();
    let (mut null_said, mut default_said) = (None, false);
    for c in &stmt.constraints {
        check_domain_constraint(c)?;
        match c.contype {
            ConstrType::NotNull | ConstrType::Null => {
                let not_null = c.contype == ConstrType::NotNull;
                if null_said.is_some_and(|n| n != not_null) {
                    let text = "conflicting NULL/NOT NULL constraints";
                    return Err(PgError::new(SYNTAX_ERROR, text).at(c.location));
                }
                null_said = Some(not_null);
                row.typnotnull = not_null;
            }
            ConstrType::Default => {
                if std::mem::replace(&mut default_said, true) {
                    return Err(PgError::new(SYNTAX_ERROR, "multiple default expressions").at(c.location));
                }
                let Some(raw) = &c.raw_expr else { continue };
                let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
                let cooked = {
                    let mut cx = analyze::AnalyzeContext::new(catalog.clone(), cmd.cx);
                    analyze::ddl::cook_domain_default(&mut cx, raw, base_oid, typmod, &row.typname, source)?
                };
                let text = crate::stored::text(&cooked, &catalog)?;
                row.typdefault = default_text(cmd, &text);
                row.typdefaultbin = Some(text);
                default_dependencies = constraint::dependencies_of(&cooked, Oid::INVALID);
            }
            ConstrType::Check => {}
            _ => return Err(PgError::unsupported("this constraint of a domain")),
        }
    }
    store(cmd, &row)?;
    let me = ObjectAddress::type_(row.oid);
    cmd.cx.catalog.record_dependencies(&me, &default_dependencies, DependencyType::Normal)?;
    for c in &stmt.constraints {
        match c.contype {
            ConstrType::Check => {
                add_domain_check(cmd, &row, c)?;
            }
            ConstrType::NotNull => add_domain_not_null(cmd, &row, c.conname.as_deref())?,
            _ => {}
        }
    }
    Ok(Outcome::tag("CREATE DOMAIN"))
}

/// What a domain's constraint may be. (PostgreSQL: `DefineDomain`, `AlterDomainAddConstraint`)
pub(crate) fn check_domain_constraint(c: &Constraint) -> Result<()> {
    let refuse = |code, text: &str| Err(PgError::new(code, text).at(c.location));
    match c.contype {
        ConstrType::NotNull if c.is_no_inherit => {
            refuse(INVALID_OBJECT_DEFINITION, "not-null constraints for domains cannot be marked NO INHERIT")
        }
        ConstrType::Check if c.is_no_inherit => {
            refuse(INVALID_OBJECT_DEFINITION, "check constraints for domains cannot be marked NO INHERIT")
        }
        ConstrType::Unique => refuse(SYNTAX_ERROR, "unique constraints not possible for domains"),
        ConstrType::Primary => refuse(SYNTAX_ERROR, "primary key constraints not possible for domains"),
        ConstrType::Exclusion => refuse(SYNTAX_ERROR, "exclusion constraints not possible for domains"),
        ConstrType::Foreign => refuse(SYNTAX_ERROR, "foreign key constraints not possible for domains"),
        ConstrType::AttrDeferrable
        | ConstrType::AttrNotDeferrable
        | ConstrType::AttrDeferred
        | ConstrType::AttrImmediate => {
            refuse(FEATURE_NOT_SUPPORTED, "specifying constraint deferrability not supported for domains")
        }
        ConstrType::Generated | ConstrType::Identity => {
            refuse(FEATURE_NOT_SUPPORTED, "specifying GENERATED not supported for domains")
        }
        ConstrType::AttrEnforced | ConstrType::AttrNotEnforced => {
            refuse(INVALID_OBJECT_DEFINITION, "specifying constraint enforceability not supported for domains")
        }
        _ => Ok(()),
    }
}

/// A default in words, as `pg_get_expr` prints it; `None` while it cannot: only `typdefaultbin` is ever evaluated.
pub(crate) fn default_text(cmd: &mut CommandContext<'_>, node_text: &str) -> Option<String> {
    let function = cmd.cx.catalog.functions_by_name("pg_get_expr").ok()?.iter().find(|p| p.pronargs == 2)?.oid;
    let (text, rel) = (Datum::text(node_text), Datum::oid(Oid::INVALID));
    let shown = cmd.cx.call(function, Oid::INVALID, &[text.as_ref(), rel.as_ref()]).ok()?;
    match shown.is_null() {
        true => None,
        false => Some(String::from_utf8_lossy(shown.as_ref().as_bytes()).into_owned()),
    }
}

fn constraint_name(cmd: &CommandContext<'_>, t: &PgType, given: Option<&str>, label: &str) -> Result<String> {
    let taken: Vec<String> = cmd.cx.catalog.constraints_of_domain(t.oid)?.into_iter().map(|c| c.conname).collect();
    if let Some(given) = given {
        if taken.iter().any(|n| n == given) {
            let text = format!("constraint \"{given}\" for domain \"{}\" already exists", t.typname);
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
        return Ok(given.to_owned());
    }
    let mut n = 0;
    loop {
        let label = if n == 0 { label.to_owned() } else { format!("{label}{n}") };
        let cname = catalog::ddl::make_object_name(&t.typname, None, Some(&label));
        if !taken.contains(&cname) {
            return Ok(cname);
        }
        n += 1;
    }
}

/// Adds a CHECK constraint to a domain; what is stored is not tested.
pub(crate) fn add_domain_check(
    cmd: &mut CommandContext<'_>,
    t: &PgType,
    c: &Constraint,
) -> Result<analyze::query::Expr> {
    let raw = c.raw_expr.as_ref().ok_or_else(|| PgError::internal("a CHECK without condition"))?;
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let cooked = {
        let mut cx = analyze::AnalyzeContext::new(catalog.clone(), cmd.cx);
        analyze::ddl::cook_domain_check(&mut cx, t.typbasetype, t.typtypmod, t.typcollation, raw, source)?
    };
    let cname = constraint_name(cmd, t, c.conname.as_deref(), "check")?;
    let text = crate::stored::text(&cooked, &catalog)?;
    let dependencies = constraint::dependencies_of(&cooked, Oid::INVALID);
    add_constraint(cmd, t, &cname, b'c', Some(text), dependencies, !c.skip_validation)?;
    Ok(cooked)
}

/// The row that says a domain is NOT NULL.
pub(crate) fn add_domain_not_null(cmd: &mut CommandContext<'_>, t: &PgType, given: Option<&str>) -> Result<()> {
    let cname = constraint_name(cmd, t, given, "not_null")?;
    add_constraint(cmd, t, &cname, b'n', None, Vec::new(), true)
}

/// What a domain depends on, after its default changed.
pub(crate) fn renew_domain_dependencies(
    cmd: &CommandContext<'_>,
    row: &PgType,
    default: &[ObjectAddress],
) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let me = ObjectAddress::type_(row.oid);
    catalog.delete_dependencies(&me, true)?;
    record_type_dependencies(cmd, row)?;
    catalog.record_dependencies(&me, default, DependencyType::Normal)?;
    catalog.command_counter_increment()
}

fn add_constraint(
    cmd: &CommandContext<'_>,
    t: &PgType,
    cname: &str,
    kind: u8,
    bin: Option<String>,
    dependencies: Vec<ObjectAddress>,
    validated: bool,
) -> Result<()> {
    let mut new = NewConstraint::new(cname, t.typnamespace, kind, Oid::INVALID, None);
    new.row.contypid = t.oid;
    new.row.conbin = bin;
    new.row.convalidated = validated;
    new.expression_dependencies = dependencies;
    cmd.cx.catalog.create_constraint(&new)?;
    cmd.cx.catalog.command_counter_increment()
}
