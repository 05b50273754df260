//! ALTER TYPE of a composite type's attributes. (PostgreSQL: `ATPrepAddColumn` and its like for `RELKIND_COMPOSITE_TYPE`)

use base::sqlstate::*;
use base::{PgError, Result, Severity};
use catalog::{DropOptions, ObjectAddress, Relation, relkind};
use parser::ast::*;
use std::sync::Arc;
use txn::LockMode;

use crate::alter_table::{check_column_name, edit_class, edit_column};
use crate::{CommandContext, Outcome, alter_domain, create_table, drop, name};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &AlterTableStmt) -> Result<Outcome> {
    let done = Outcome::tag("ALTER TYPE");
    let Some(rel) = name::relation_if_exists(cmd.cx, &stmt.relation, LockMode::AccessExclusive)? else {
        let shown = stmt.relation.schemaname.iter().chain([&stmt.relation.relname]);
        let shown: Vec<&str> = shown.map(String::as_str).collect();
        let text = format!("relation \"{}\" does not exist", shown.join("."));
        if !stmt.missing_ok {
            return Err(PgError::new(UNDEFINED_TABLE, text));
        }
        cmd.notice(Severity::Notice, UNDEFINED_TABLE, format!("{text}, skipping"));
        return Ok(done);
    };
    check_composite(cmd, &rel)?;
    // Attributes go before others come, as with tables.
    let pass = |c: &&AlterTableCmd| match c.subtype {
        AlterTableType::DropColumn => 0,
        AlterTableType::AlterColumnType => 1,
        _ => 2,
    };
    let mut list: Vec<&AlterTableCmd> = stmt.cmds.iter().collect();
    list.sort_by_key(pass);
    for c in list {
        let rel = cmd.cx.catalog.relation_entry(rel.oid)?;
        subcommand(cmd, &rel, c)?;
    }
    Ok(done)
}

/// The type must be composite by itself, and the user's.
pub fn check_composite(cmd: &mut CommandContext<'_>, rel: &Arc<Relation>) -> Result<()> {
    if rel.kind() != relkind::COMPOSITE {
        let text = format!("\"{}\" is not a composite type", rel.name());
        return Err(PgError::new(WRONG_OBJECT_TYPE, text));
    }
    match cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, rel.owner())? {
        true => Ok(()),
        false => Err(catalog::lookup::must_be_owner("type", rel.name())),
    }
}

fn check_typed_tables(cmd: &CommandContext<'_>, rel: &Relation, behavior: DropBehavior) -> Result<()> {
    let users = cmd.cx.catalog.dependents_of(&ObjectAddress::type_(rel.class.reltype))?;
    let mut typed = false;
    for d in users {
        if d.classid == catalog::oids::RELATION_RELATION && d.objsubid == 0 {
            typed |= cmd.cx.catalog.relation(d.objid)?.is_some_and(|r| r.class.reloftype == rel.class.reltype);
        }
    }
    if !typed {
        return Ok(());
    }
    if behavior == DropBehavior::Cascade {
        return Err(PgError::unsupported("altering typed tables with their type"));
    }
    let text = format!("cannot alter type \"{}\" because it is the type of a typed table", rel.name());
    let hint = "Use ALTER ... CASCADE to alter the typed tables too.";
    Err(PgError::new(DEPENDENT_OBJECTS_STILL_EXIST, text).hint(hint))
}

fn subcommand(cmd: &mut CommandContext<'_>, rel: &Arc<Relation>, c: &AlterTableCmd) -> Result<()> {
    check_typed_tables(cmd, rel, c.behavior)?;
    let aname = c.name.as_deref().unwrap_or_default();
    match (c.subtype, &c.def) {
        (AlterTableType::AddColumn, Some(AlterTableDef::ColumnDef(def))) => {
            alter_domain::refuse_users(cmd, rel.class.reltype, rel.name())?;
            check_column_name(rel, &def.colname)?;
            let mut none = Vec::new();
            let column = create_table::column(cmd, def, &mut none)?;
            check_not_itself(cmd, rel, column.attribute.atttypid)?;
            let attnum = rel.class.relnatts + 1;
            if attnum > 1600 {
                return Err(PgError::new(TOO_MANY_COLUMNS, "tables can have at most 1600 columns"));
            }
            cmd.cx.catalog.insert_column(rel.oid, &column.attribute, attnum)?;
            edit_class(cmd, rel.oid, |c| c.relnatts = attnum)
        }
        (AlterTableType::DropColumn, _) => {
            let attnum = match name::column(rel, aname) {
                Err(e) if c.missing_ok => {
                    cmd.notice(Severity::Notice, UNDEFINED_COLUMN, format!("{}, skipping", e.message()));
                    return Ok(());
                }
                other => other?,
            };
            let address = ObjectAddress::column(rel.oid, attnum);
            let behavior = drop::behavior(c.behavior);
            let notice = cmd.cx.catalog.perform_deletion(&[address], behavior, DropOptions::default())?;
            if let Some(notice) = notice {
                cmd.cx.notices.notice(notice);
            }
            cmd.cx.catalog.command_counter_increment()
        }
        (AlterTableType::AlterColumnType, Some(AlterTableDef::ColumnDef(def))) => {
            alter_domain::refuse_users(cmd, rel.class.reltype, rel.name())?;
            let attnum = name::column(rel, aname)?;
            let mut none = Vec::new();
            let renamed = ColumnDef { colname: aname.to_owned(), ..(**def).clone() };
            let column = create_table::column(cmd, &renamed, &mut none)?;
            check_not_itself(cmd, rel, column.attribute.atttypid)?;
            let me = ObjectAddress::column(rel.oid, attnum);
            cmd.cx.catalog.delete_dependencies(&me, true)?;
            let new = column.attribute.clone();
            edit_column(cmd, rel, attnum, |a| {
                let old = a.clone();
                *a = new;
                a.attrelid = old.attrelid;
                a.attnum = old.attnum;
                a.attname = old.attname;
            })?;
            let on = [
                Some(ObjectAddress::type_(column.attribute.atttypid)),
                column
                    .attribute
                    .attcollation
                    .valid()
                    .filter(|c| *c != catalog::oids::DEFAULT_COLLATION_OID)
                    .map(|c| ObjectAddress::new(catalog::oids::COLLATION_RELATION, c)),
            ];
            let on: Vec<ObjectAddress> = on.into_iter().flatten().collect();
            cmd.cx.catalog.record_dependencies(&me, &on, catalog::DependencyType::Normal)?;
            cmd.cx.catalog.command_counter_increment()
        }
        (other, _) => Err(PgError::unsupported(format!("ALTER TYPE {other:?}"))),
    }
}

/// A row cannot hold itself. (PostgreSQL: `CheckAttributeType`)
fn check_not_itself(cmd: &CommandContext<'_>, rel: &Relation, type_oid: base::Oid) -> Result<()> {
    let catalog = &cmd.cx.catalog;
    let mut pending = vec![type_oid];
    let mut seen = Vec::new();
    while let Some(oid) = pending.pop() {
        if oid == rel.class.reltype {
            let text = format!("composite type {} cannot be made a member of itself", rel.name());
            return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
        }
        if seen.contains(&oid) {
            continue;
        }
        seen.push(oid);
        let t = catalog.type_row(oid)?;
        pending.extend(catalog.element_type(oid)?);
        match t.typtype {
            b'd' => pending.push(t.typbasetype),
            b'r' => pending.extend(catalog.range(oid)?.map(|r| r.rngsubtype)),
            b'm' => pending.extend(catalog.range_of_multirange(oid)?.map(|r| r.rngsubtype)),
            b'c' => {
                let entry = catalog.relation_entry(t.typrelid)?;
                pending.extend(entry.attributes.iter().filter(|a| !a.attisdropped).map(|a| a.atttypid));
            }
            _ => {}
        }
    }
    Ok(())
}

/// RENAME ATTRIBUTE.
pub fn rename(cmd: &mut CommandContext<'_>, rel: &Arc<Relation>, stmt: &RenameStmt, new: &str) -> Result<()> {
    check_composite(cmd, rel)?;
    check_typed_tables(cmd, rel, stmt.behavior)?;
    let old = stmt.subname.as_deref().unwrap_or_default();
    let missing = || PgError::new(UNDEFINED_COLUMN, format!("column \"{old}\" does not exist"));
    let attnum = rel.desc.find(old).ok_or_else(missing)?;
    check_column_name(rel, new)?;
    edit_column(cmd, rel, attnum, |a| a.attname = new.to_owned())
}
