//! GRANT and REVOKE of privileges on objects. (PostgreSQL: `aclchk.c`; roles are granted in `role.rs`)

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::acl::{ACL_CREATE_TEMP, ACL_NAMES, AclMode, acldefault};
use catalog::privileges::AclChange;
use catalog::{
    AclItem, AclKind, ObjectAddress, PgAttribute, PgClass, PgDatabase, PgLanguage, PgNamespace, PgProc, PgTablespace,
    PgType, oids, relkind,
};
use parser::ast::*;
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, Outcome, drop, name, object, schema};

/// An object with the privileges it has.
struct Target {
    address: ObjectAddress,
    kind: AclKind,
    noun: &'static str,
    name: String,
    owner: Oid,
    acl: Option<Vec<AclItem>>,
}

fn kind_of(kind: ObjectType) -> Result<(AclKind, &'static str)> {
    Ok(match kind {
        ObjectType::Table => (AclKind::Table, "table"),
        ObjectType::Sequence => (AclKind::Sequence, "sequence"),
        ObjectType::Database => (AclKind::Database, "database"),
        ObjectType::Schema => (AclKind::Schema, "schema"),
        ObjectType::Function => (AclKind::Function, "function"),
        ObjectType::Procedure => (AclKind::Function, "procedure"),
        ObjectType::Routine => (AclKind::Function, "routine"),
        ObjectType::Type => (AclKind::Type, "type"),
        ObjectType::Domain => (AclKind::Type, "domain"),
        ObjectType::Language => (AclKind::Language, "language"),
        ObjectType::Tablespace => (AclKind::Tablespace, "tablespace"),
        other => return Err(PgError::unsupported(format!("GRANT ON {other:?}"))),
    })
}

fn mode(word: &str) -> Result<AclMode> {
    let upper = word.to_ascii_uppercase();
    if upper == "TEMP" {
        return Ok(ACL_CREATE_TEMP);
    }
    match ACL_NAMES.iter().position(|n| n.eq_ignore_ascii_case(&upper)) {
        Some(bit) => Ok(1 << bit),
        None => Err(PgError::new(SYNTAX_ERROR, format!("unrecognized privilege type \"{word}\""))),
    }
}

/// What is granted on whole objects, and on columns.
struct Privileges {
    /// `None`: all.
    whole: Option<AclMode>,
    columns: Vec<(Option<AclMode>, Vec<String>)>,
}

fn privileges(stmt: &GrantStmt, kind: AclKind, noun: &str) -> Result<Privileges> {
    if stmt.privileges.is_empty() {
        return Ok(Privileges { whole: None, columns: Vec::new() });
    }
    let mut p = Privileges { whole: Some(0), columns: Vec::new() };
    for item in &stmt.privileges {
        let m = item.priv_name.as_deref().map(mode).transpose()?;
        let allowed = match (item.cols.is_empty(), kind) {
            (false, AclKind::Table) => AclKind::Column.all_rights(),
            // Rights of a sequence may be given as a table's too.
            (true, AclKind::Table) => kind.all_rights() | AclKind::Sequence.all_rights(),
            _ => kind.all_rights(),
        };
        if let Some(m) = m
            && m & !allowed != 0
        {
            let shown = item.priv_name.as_deref().unwrap_or_default().to_ascii_uppercase();
            let what = if item.cols.is_empty() { noun } else { "column" };
            let what = if what == "table" { "relation" } else { what };
            let text = format!("invalid privilege type {shown} for {what}");
            return Err(PgError::new(INVALID_GRANT_OPERATION, text));
        }
        if !item.cols.is_empty() {
            if kind != AclKind::Table {
                let text = "column privileges are only valid for relations";
                return Err(PgError::new(INVALID_GRANT_OPERATION, text));
            }
            p.columns.push((m, item.cols.clone()));
        } else {
            p.whole = match (p.whole, m) {
                (Some(a), Some(b)) => Some(a | b),
                _ => None,
            };
        }
    }
    Ok(p)
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &GrantStmt) -> Result<Outcome> {
    let (kind, noun) = kind_of(stmt.objtype)?;
    let p = privileges(stmt, kind, noun)?;
    let mut grantees = Vec::new();
    for spec in &stmt.grantees {
        grantees.push(match spec.roletype {
            RoleSpecType::Public => {
                if stmt.is_grant && stmt.grant_option {
                    let text = "grant options can only be granted to roles";
                    return Err(PgError::new(INVALID_GRANT_OPERATION, text));
                }
                catalog::acl::PUBLIC
            }
            _ => schema::role(cmd, spec)?,
        });
    }
    for target in targets(cmd, stmt, kind, noun)? {
        if target.kind == AclKind::Sequence && kind == AclKind::Table {
            let allowed = AclKind::Sequence.all_rights();
            if p.whole.is_some_and(|w| w & !allowed != 0) {
                let text = format!("sequence \"{}\" only supports USAGE, SELECT, and UPDATE privileges", target.name);
                cmd.notice(Severity::Warning, INVALID_GRANT_OPERATION, text);
            }
        }
        if p.whole != Some(0) {
            let all = target.kind.all_rights();
            on_object(cmd, stmt, &target, p.whole.map_or(all, |w| w & all), &grantees, p.whole.is_none())?;
        }
        for (m, columns) in &p.columns {
            for column in columns {
                let rel = cmd.cx.catalog.relation_entry(target.address.object)?;
                let attnum = name::column(&rel, column)?;
                let m = m.unwrap_or(AclKind::Column.all_rights());
                on_column(cmd, stmt, &target, attnum, m, &grantees)?;
            }
        }
    }
    Ok(Outcome::tag(if stmt.is_grant { "GRANT" } else { "REVOKE" }))
}

fn targets(cmd: &mut CommandContext<'_>, stmt: &GrantStmt, kind: AclKind, noun: &'static str) -> Result<Vec<Target>> {
    let mut out = Vec::new();
    match stmt.targtype {
        GrantTargetType::Object => {
            for o in &stmt.objects {
                let address = match kind {
                    AclKind::Table | AclKind::Sequence => {
                        let var = match o {
                            Object::RangeVar(v) => v.clone(),
                            Object::QualifiedName(parts) => drop::range_var(parts),
                            Object::Name(n) => drop::range_var(std::slice::from_ref(n)),
                            _ => return Err(PgError::internal("a relation's name has an unexpected form")),
                        };
                        let rel = name::relation(cmd.cx, &var, LockMode::AccessShare)?;
                        if kind == AclKind::Sequence && rel.kind() != relkind::SEQUENCE {
                            let text = format!("\"{}\" is not a sequence", rel.name());
                            return Err(PgError::new(WRONG_OBJECT_TYPE, text));
                        }
                        if matches!(rel.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX) {
                            let text = format!("\"{}\" is an index", rel.name());
                            return Err(PgError::new(WRONG_OBJECT_TYPE, text));
                        }
                        ObjectAddress::relation(rel.oid)
                    }
                    _ => object::find(cmd, stmt.objtype, o, LockMode::AccessShare)?,
                };
                out.push(target(cmd, address, kind, noun)?);
            }
        }
        GrantTargetType::AllInSchema => {
            for o in &stmt.objects {
                let Object::Name(name) = o else { continue };
                let schema = cmd.cx.catalog.explicit_namespace(name, false)?.unwrap_or_default();
                for address in all_in_schema(cmd, schema, kind)? {
                    out.push(target(cmd, address, kind, noun)?);
                }
            }
        }
        GrantTargetType::Defaults => return Err(PgError::unsupported("ALTER DEFAULT PRIVILEGES")),
    }
    Ok(out)
}

fn all_in_schema(cmd: &CommandContext<'_>, schema: Oid, kind: AclKind) -> Result<Vec<ObjectAddress>> {
    Ok(match kind {
        AclKind::Table | AclKind::Sequence => {
            let fits = |k: u8| match kind {
                AclKind::Sequence => k == relkind::SEQUENCE,
                _ => matches!(k, relkind::TABLE | relkind::VIEW | relkind::MATERIALIZED_VIEW | b'f' | b'p'),
            };
            let all = cmd.cx.catalog.rows::<PgClass>(Oid::INVALID, &[])?;
            let here = all.iter().filter(|c| c.relnamespace == schema && fits(c.relkind));
            here.map(|c| ObjectAddress::relation(c.oid)).collect()
        }
        _ => {
            let all = cmd.cx.catalog.rows::<PgProc>(Oid::INVALID, &[])?;
            let here = all.iter().filter(|p| p.pronamespace == schema);
            here.map(|p| ObjectAddress::function(p.oid)).collect()
        }
    })
}

fn target(cmd: &CommandContext<'_>, address: ObjectAddress, kind: AclKind, noun: &'static str) -> Result<Target> {
    let c = &cmd.cx.catalog;
    let oid = address.object;
    let gone = || PgError::internal(format!("cache lookup failed for {noun} {oid}"));
    let (kind, noun, name, owner, acl) = match kind {
        AclKind::Table | AclKind::Sequence => {
            let rel = c.relation_entry(oid)?;
            let kind = if rel.kind() == relkind::SEQUENCE { AclKind::Sequence } else { AclKind::Table };
            (kind, name::kind_name(rel.kind()), rel.name().to_owned(), rel.owner(), rel.class.relacl.clone())
        }
        AclKind::Database => {
            let d = c.database(oid)?.ok_or_else(gone)?;
            (kind, noun, d.datname.clone(), d.datdba, d.datacl.clone())
        }
        AclKind::Schema => {
            let n = c.namespace(oid)?.ok_or_else(gone)?;
            (kind, noun, n.nspname.clone(), n.nspowner, n.nspacl.clone())
        }
        AclKind::Function => {
            let p = c.function_row(oid)?;
            (kind, noun, p.proname.clone(), p.proowner, p.proacl.clone())
        }
        AclKind::Type => {
            let t = c.type_row(oid)?;
            (kind, noun, t.typname.clone(), t.typowner, t.typacl.clone())
        }
        AclKind::Language => {
            let l = c.language(oid)?.ok_or_else(gone)?;
            (kind, noun, l.lanname.clone(), l.lanowner, l.lanacl.clone())
        }
        AclKind::Tablespace => {
            let t = c.tablespace(oid)?.ok_or_else(gone)?;
            (kind, noun, t.spcname.clone(), t.spcowner, t.spcacl.clone())
        }
        _ => return Err(PgError::unsupported("GRANT on this kind of object")),
    };
    Ok(Target { address, kind, noun, name, owner, acl })
}

/// Who grants, and which of the wanted privileges he can. (PostgreSQL: `restrict_and_check_grant`)
fn grantor(
    cmd: &mut CommandContext<'_>,
    stmt: &GrantStmt,
    t: &Target,
    acl: &[AclItem],
    wanted: AclMode,
    all: bool,
) -> Result<(Oid, AclMode)> {
    let user = cmd.cx.settings.current_user;
    let (grantor, can) = cmd.cx.catalog.select_best_grantor(user, wanted, acl, t.owner)?;
    if can == 0 && wanted != 0 {
        let holds = cmd.cx.catalog.privileges(
            user,
            t.kind,
            t.owner,
            Some(acl),
            t.kind.all_rights(),
            catalog::acl::AclMaskHow::Any,
        )?;
        if holds == 0 {
            return Err(catalog::lookup::permission_denied(t.noun, &t.name));
        }
    }
    if !all && can & wanted != wanted || all && can == 0 {
        let (none, some, code) = match stmt.is_grant {
            true => {
                ("no privileges were granted for", "not all privileges were granted for", WARNING_PRIVILEGE_NOT_GRANTED)
            }
            false => {
                let code = WARNING_PRIVILEGE_NOT_REVOKED;
                ("no privileges could be revoked for", "not all privileges could be revoked for", code)
            }
        };
        let text = format!("{} \"{}\"", if can == 0 { none } else { some }, t.name);
        cmd.notice(Severity::Warning, code, text);
    }
    Ok((grantor, can & wanted))
}

fn changed(
    cmd: &CommandContext<'_>,
    stmt: &GrantStmt,
    mut acl: Vec<AclItem>,
    owner: Oid,
    grantor: Oid,
    m: AclMode,
    grantees: &[Oid],
) -> Result<Vec<AclItem>> {
    let how = if stmt.is_grant { AclChange::Add } else { AclChange::Remove };
    for g in grantees {
        let (plain, option) = match (stmt.is_grant, stmt.grant_option) {
            (true, true) | (false, false) => (m, m),
            (true, false) => (m, 0),
            (false, true) => (0, m),
        };
        let change = AclItem::new(*g, grantor, plain, option);
        acl = cmd.cx.catalog.aclupdate(&acl, &change, how, owner, drop::behavior(stmt.behavior))?;
    }
    Ok(acl)
}

fn on_object(
    cmd: &mut CommandContext<'_>,
    stmt: &GrantStmt,
    t: &Target,
    wanted: AclMode,
    grantees: &[Oid],
    all: bool,
) -> Result<()> {
    let old = t.acl.clone().unwrap_or_else(|| acldefault(t.kind, t.owner));
    let (grantor, m) = grantor(cmd, stmt, t, &old, wanted, all)?;
    let new = changed(cmd, stmt, old.clone(), t.owner, grantor, m, grantees)?;
    if !stmt.is_grant && matches!(t.kind, AclKind::Table) {
        revoke_from_columns(cmd, stmt, t, grantor, m & AclKind::Column.all_rights(), grantees)?;
    }
    let before = t.acl.clone().unwrap_or_default();
    let (oid, acl) = (t.address.object, Some(new.clone()));
    match t.kind {
        AclKind::Table | AclKind::Sequence => {
            object::edit::<PgClass>(cmd, oids::CLASS_OID_INDEX, oid, |r| r.relacl = acl)?;
        }
        AclKind::Database => object::edit::<PgDatabase>(cmd, oids::DATABASE_OID_INDEX, oid, |r| r.datacl = acl)?,
        AclKind::Schema => object::edit::<PgNamespace>(cmd, oids::NAMESPACE_OID_INDEX, oid, |r| r.nspacl = acl)?,
        AclKind::Function => object::edit::<PgProc>(cmd, oids::PROCEDURE_OID_INDEX, oid, |r| r.proacl = acl)?,
        AclKind::Type => object::edit::<PgType>(cmd, oids::TYPE_OID_INDEX, oid, |r| r.typacl = acl)?,
        AclKind::Language => object::edit::<PgLanguage>(cmd, oids::LANGUAGE_OID_INDEX, oid, |r| r.lanacl = acl)?,
        _ => object::edit::<PgTablespace>(cmd, oids::TABLESPACE_OID_INDEX, oid, |r| r.spcacl = acl)?,
    }
    cmd.cx.catalog.update_acl_dependencies(&t.address, t.owner, &before, &new)
}

fn on_column(
    cmd: &mut CommandContext<'_>,
    stmt: &GrantStmt,
    t: &Target,
    attnum: i16,
    wanted: AclMode,
    grantees: &[Oid],
) -> Result<()> {
    let key = [Datum::oid(t.address.object), Datum::i16(attnum)];
    let found = cmd.cx.catalog.find_row::<PgAttribute>(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)?;
    let found = found.ok_or_else(|| PgError::internal("a column is gone"))?;
    let old = found.row.attacl.clone().unwrap_or_default();
    // The right to grant may come from the whole table.
    let mut both = t.acl.clone().unwrap_or_else(|| acldefault(AclKind::Table, t.owner));
    both.extend(old.iter().copied());
    let (grantor, m) = grantor(cmd, stmt, t, &both, wanted, false)?;
    store_column(cmd, stmt, t, &found, grantor, m, grantees)
}

fn store_column(
    cmd: &CommandContext<'_>,
    stmt: &GrantStmt,
    t: &Target,
    found: &catalog::Found<PgAttribute>,
    grantor: Oid,
    m: AclMode,
    grantees: &[Oid],
) -> Result<()> {
    let old = found.row.attacl.clone().unwrap_or_default();
    let new = changed(cmd, stmt, old.clone(), t.owner, grantor, m, grantees)?;
    let acl = (!new.is_empty()).then(|| new.clone());
    cmd.cx.catalog.update_row(found, &PgAttribute { attacl: acl, ..found.row.clone() })?;
    let me = ObjectAddress::column(t.address.object, found.row.attnum);
    cmd.cx.catalog.update_acl_dependencies(&me, t.owner, &old, &new)?;
    cmd.cx.catalog.command_counter_increment()
}

/// What is revoked on a table is revoked on its columns.
fn revoke_from_columns(
    cmd: &CommandContext<'_>,
    stmt: &GrantStmt,
    t: &Target,
    grantor: Oid,
    m: AclMode,
    grantees: &[Oid],
) -> Result<()> {
    let key = [Datum::oid(t.address.object)];
    for found in cmd.cx.catalog.find_rows::<PgAttribute>(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)? {
        if found.row.attacl.is_some() && !found.row.attisdropped {
            store_column(cmd, stmt, t, &found, grantor, m, grantees)?;
        }
    }
    Ok(())
}
