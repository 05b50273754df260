//! FOREIGN KEY: checks, the `pg_constraint` row and the rows of its triggers in `pg_trigger`. What the triggers do is native:
//! see `executor::foreign_key`. (PostgreSQL: `ATAddForeignKeyConstraint`, `addFkConstraint`, `createForeignKeyActionTriggers`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{DependencyType, NewConstraint, ObjectAddress, PgConstraint, PgTrigger, Relation, oids, relkind};
use parser::ast::{Constraint, FkAction};
use txn::LockMode;

use crate::{CommandContext, alter_table, constraint, name};

/// B-tree's equality.
const EQUAL: i16 = 3;

/// Adds a foreign key; `column` is the one it was written at.
pub fn add(cmd: &mut CommandContext<'_>, rel: Oid, c: &Constraint, column: Option<&str>) -> Result<()> {
    if c.fk_with_period || c.pk_with_period {
        return Err(PgError::unsupported("FOREIGN KEY with PERIOD"));
    }
    let var = c.pktable.as_ref().ok_or_else(|| PgError::internal("a foreign key without its table"))?;
    let table = cmd.cx.catalog.relation_entry(rel)?;
    let other = name::relation(cmd.cx, var, LockMode::ShareRowExclusive)?;
    check_tables(cmd, &table, &other)?;
    let own_names: Vec<String> = match (c.fk_attrs.as_slice(), column) {
        ([], Some(column)) => vec![column.to_owned()],
        (list, _) => list.to_vec(),
    };
    let own = columns(&table, &own_names)?;
    let (keys, index) = match c.pk_attrs.as_slice() {
        [] => primary_key(cmd, &other)?,
        list => unique_key(cmd, &other, columns(&other, list)?)?,
    };
    check_references(cmd, &other, &keys)?;
    check_generated(&table, &own, c)?;
    if own.len() != keys.len() {
        let text = "number of referencing and referenced columns for foreign key disagree";
        return Err(PgError::new(INVALID_FOREIGN_KEY, text));
    }
    let set_columns = set_columns(&table, &own, c)?;
    let name = match &c.conname {
        Some(name) => {
            constraint::check_name_is_free(cmd, &table, name)?;
            name.clone()
        }
        None => constraint::choose_name(cmd, &table, Some(&own_names.join("_")), "fkey")?,
    };
    let operators = operators(cmd, &name, (&table, &own), (&other, &keys), index)?;

    let mut new = NewConstraint::new(&name, table.namespace(), b'f', rel, Some(own));
    let row = &mut new.row;
    (row.condeferrable, row.condeferred) = (c.deferrable, c.initdeferred);
    row.conenforced = c.is_enforced;
    row.convalidated = c.is_enforced && !c.skip_validation;
    (row.conindid, row.confrelid, row.confkey) = (index, other.oid, Some(keys));
    (row.confupdtype, row.confdeltype) = (c.fk_upd_action.as_char() as u8, c.fk_del_action.as_char() as u8);
    row.confmatchtype = c.fk_matchtype.as_char() as u8;
    (row.conpfeqop, row.conppeqop, row.conffeqop) = (Some(operators.0), Some(operators.1), Some(operators.2));
    row.confdelsetcols = set_columns;
    row.connoinherit = true;
    let oid = cmd.cx.catalog.create_constraint(&new)?;
    cmd.cx.catalog.command_counter_increment()?;
    if c.is_enforced {
        let made = PgConstraint { oid, ..new.row.clone() };
        action_triggers(cmd, &made, other.oid, None)?;
        check_triggers(cmd, &made, rel, None)?;
        if new.row.convalidated {
            validate(cmd, oid)?;
        }
    }
    crate::partition::foreign_keys::to_partitions(cmd, oid)
}

/// Reads the table to see that the constraint holds.
pub fn validate(cmd: &mut CommandContext<'_>, oid: Oid) -> Result<()> {
    let key = [types::Datum::oid(oid)];
    let row = cmd.cx.catalog.rows::<catalog::PgConstraint>(oids::CONSTRAINT_OID_INDEX, &key)?.pop();
    let row = row.ok_or_else(|| PgError::internal("a constraint is gone"))?;
    executor::foreign_key::check_table(cmd.cx, &row)
}

fn check_tables(cmd: &CommandContext<'_>, table: &Relation, other: &Relation) -> Result<()> {
    let wrong = |text: String| Err(PgError::new(WRONG_OBJECT_TYPE, text));
    if !matches!(other.kind(), relkind::TABLE | relkind::PARTITIONED_TABLE) {
        return wrong(format!("referenced relation \"{}\" is not a table", other.name()));
    }
    if other.oid < Oid(12000) {
        let text = format!("permission denied: \"{}\" is a system catalog", other.name());
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    let refuse = |text: &str| Err(PgError::new(INVALID_TABLE_DEFINITION, text));
    match (table.class.relpersistence, other.class.relpersistence) {
        (b'p', b'p') | (b'u', b'p' | b'u') => {}
        (b'p', _) => return refuse("constraints on permanent tables may reference only permanent tables"),
        (b'u', _) => return refuse("constraints on unlogged tables may reference only permanent or unlogged tables"),
        (_, b't') if cmd.cx.catalog.is_my_temp_schema(other.namespace()) => {}
        (_, b't') => return refuse("constraints on temporary tables must involve temporary tables of this session"),
        _ => return refuse("constraints on temporary tables may reference only temporary tables"),
    }
    Ok(())
}

/// (PostgreSQL: `transformColumnNameList`)
fn columns(rel: &Relation, names: &[String]) -> Result<Vec<i16>> {
    let mut out = Vec::new();
    for name in names {
        if catalog::ddl::SYSTEM_COLUMNS.iter().any(|s| s.0 == name) {
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, "system columns cannot be used in foreign keys"));
        }
        out.push(rel.desc.find(name).ok_or_else(|| {
            let text = format!("column \"{name}\" referenced in foreign key constraint does not exist");
            PgError::new(UNDEFINED_COLUMN, text)
        })?);
    }
    if out.len() > 32 {
        return Err(PgError::new(TOO_MANY_COLUMNS, "cannot have more than 32 keys in a foreign key"));
    }
    Ok(out)
}

/// (PostgreSQL: `transformFkeyGetPrimaryKey`)
fn primary_key(cmd: &CommandContext<'_>, other: &Relation) -> Result<(Vec<i16>, Oid)> {
    let Some(index) = other.primary_key.valid() else {
        let text = format!("there is no primary key for referenced table \"{}\"", other.name());
        return Err(PgError::new(UNDEFINED_OBJECT, text));
    };
    let entry = cmd.cx.catalog.relation_entry(index)?;
    let info = entry.index.as_ref().ok_or_else(|| PgError::internal("an index without its definition"))?;
    if !info.row.indimmediate {
        let text = format!("cannot use a deferrable primary key for referenced table \"{}\"", other.name());
        return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
    }
    Ok((info.columns[..info.key_count].to_vec(), index))
}

/// The unique index over exactly these columns, in any order. (PostgreSQL: `transformFkeyCheckAttrs`)
fn unique_key(cmd: &CommandContext<'_>, other: &Relation, keys: Vec<i16>) -> Result<(Vec<i16>, Oid)> {
    for (i, k) in keys.iter().enumerate() {
        if keys[..i].contains(k) {
            let text = "foreign key referenced-columns list must not contain duplicates";
            return Err(PgError::new(INVALID_FOREIGN_KEY, text));
        }
    }
    let mut deferrable = false;
    for index in &other.indexes {
        let entry = cmd.cx.catalog.relation_entry(*index)?;
        let Some(info) = &entry.index else { continue };
        let whole =
            info.row.indisunique && info.row.indisvalid && info.expressions.is_none() && info.predicate.is_none();
        if !whole || info.key_count != keys.len() || !info.columns[..info.key_count].iter().all(|c| keys.contains(c)) {
            continue;
        }
        if info.row.indimmediate {
            return Ok((keys, *index));
        }
        deferrable = true;
    }
    if deferrable {
        let text = format!("cannot use a deferrable unique constraint for referenced table \"{}\"", other.name());
        return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
    }
    let text = format!("there is no unique constraint matching given keys for referenced table \"{}\"", other.name());
    Err(PgError::new(INVALID_FOREIGN_KEY, text))
}

/// (PostgreSQL: `checkFkeyPermissions`)
fn check_references(cmd: &CommandContext<'_>, other: &Relation, keys: &[i16]) -> Result<()> {
    let (user, references) = (cmd.cx.settings.current_user, catalog::acl::ACL_REFERENCES);
    for k in keys {
        if !cmd.cx.catalog.may_column(user, other, *k, references)? {
            return Err(catalog::lookup::permission_denied("table", other.name()));
        }
    }
    Ok(())
}

fn check_generated(table: &Relation, own: &[i16], c: &Constraint) -> Result<()> {
    for n in own {
        let generated = table.attributes[*n as usize - 1].attgenerated;
        if generated == 0 {
            continue;
        }
        let refuse = |what: &str| {
            let text = format!("invalid {what} action for foreign key constraint containing generated column");
            Err(PgError::new(SYNTAX_ERROR, text))
        };
        if matches!(c.fk_upd_action, FkAction::SetNull | FkAction::SetDefault | FkAction::Cascade) {
            return refuse("ON UPDATE");
        }
        if matches!(c.fk_del_action, FkAction::SetNull | FkAction::SetDefault) {
            return refuse("ON DELETE");
        }
        if generated == b'v' {
            let text = "foreign key constraints on virtual generated columns are not supported";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
    }
    Ok(())
}

/// The columns of `ON DELETE SET NULL (..)`.
fn set_columns(table: &Relation, own: &[i16], c: &Constraint) -> Result<Option<Vec<i16>>> {
    if c.fk_del_set_cols.is_empty() {
        return Ok(None);
    }
    let mut out = columns(table, &c.fk_del_set_cols)?;
    for (n, name) in out.iter().zip(&c.fk_del_set_cols) {
        if !own.contains(n) {
            let text = format!("column \"{name}\" referenced in ON DELETE SET action must be part of foreign key");
            return Err(PgError::new(INVALID_COLUMN_REFERENCE, text));
        }
    }
    let mut seen = Vec::new();
    out.retain(|n| {
        let new = !seen.contains(n);
        seen.push(*n);
        new
    });
    Ok(Some(out))
}

type Operators = (Vec<Oid>, Vec<Oid>, Vec<Oid>);

/// The equality operators: referenced with referencing, and each among themselves.
fn operators(
    cmd: &CommandContext<'_>,
    conname: &str,
    (table, own): (&Relation, &[i16]),
    (other, keys): (&Relation, &[i16]),
    index: Oid,
) -> Result<Operators> {
    let catalog = &cmd.cx.catalog;
    let entry = catalog.relation_entry(index)?;
    let info = entry.index.as_ref().ok_or_else(|| PgError::internal("an index without its definition"))?;
    let mut out: Operators = (Vec::new(), Vec::new(), Vec::new());
    for (f, p) in own.iter().zip(keys) {
        let at = info.columns.iter().position(|c| c == p).ok_or_else(|| PgError::internal("a key's column is gone"))?;
        let (family, input) = (info.opfamilies[at], info.input_types[at]);
        let (fk, pk) = (&table.attributes[*f as usize - 1], &other.attributes[*p as usize - 1]);
        let (fk_type, _) = catalog.base_type(fk.atttypid, -1)?;
        let pp = catalog.opfamily_member(family, input, input, EQUAL)?;
        let pp =
            pp.ok_or_else(|| PgError::internal(format!("missing operator 3({input},{input}) in opfamily {family}")))?;
        let direct = catalog.opfamily_member(family, input, fk_type, EQUAL)?;
        let ff = catalog.opfamily_member(family, fk_type, fk_type, EQUAL)?;
        let (pf, ff) = match (direct, ff) {
            (Some(pf), Some(ff)) => (pf, ff),
            // Where both can become the index's type, that one's operator serves.
            _ if analyze::ddl::implicitly_coercible(catalog, &[pk.atttypid, fk.atttypid], input)? => (pp, pp),
            _ => {
                let text = format!("foreign key constraint \"{conname}\" cannot be implemented");
                let detail = format!(
                    "Key columns \"{}\" of the referencing table and \"{}\" of the referenced table are of incompatible types: {} and {}.",
                    fk.attname,
                    pk.attname,
                    catalog.format_type(fk.atttypid, None)?,
                    catalog.format_type(pk.atttypid, None)?
                );
                return Err(PgError::new(DATATYPE_MISMATCH, text).detail(detail));
            }
        };
        out.0.push(pf);
        out.1.push(pp);
        out.2.push(ff);
    }
    Ok(out)
}

/// The ids of the trigger functions, by action: for a deleted and for an updated referenced row.
fn action_functions(action: FkAction) -> (Oid, Oid) {
    let first = match action {
        FkAction::Cascade => 1646,
        FkAction::Restrict => 1648,
        FkAction::SetNull => 1650,
        FkAction::SetDefault => 1652,
        FkAction::NoAction => 1654,
    };
    (Oid(first), Oid(first + 1))
}

const INSERT: i16 = 1 << 2;
const DELETE: i16 = 1 << 3;
const UPDATE: i16 = 1 << 4;

/// The ids of the trigger functions of an action, as `pg_constraint` has it.
fn functions_of(action: u8) -> (Oid, Oid) {
    action_functions(match action {
        b'c' => FkAction::Cascade,
        b'r' => FkAction::Restrict,
        b'n' => FkAction::SetNull,
        b'd' => FkAction::SetDefault,
        _ => FkAction::NoAction,
    })
}

/// What happens when rows of `on`, the referenced table or one of its partitions, go. `parent`: the constraint whose triggers
/// these are parts of. (PostgreSQL: `createForeignKeyActionTriggers`)
pub fn action_triggers(cmd: &mut CommandContext<'_>, c: &PgConstraint, on: Oid, parent: Option<Oid>) -> Result<()> {
    // Only the checks of NO ACTION may wait.
    let delete = (functions_of(c.confdeltype).0, DELETE, 'a', c.confdeltype == b'a');
    let update = (functions_of(c.confupdtype).1, UPDATE, 'a', c.confupdtype == b'a');
    triggers(cmd, c, on, c.conrelid, parent, &[delete, update])
}

/// What checks rows of `on`, the referencing table or one of its partitions. (PostgreSQL: `createForeignKeyCheckTriggers`)
pub fn check_triggers(cmd: &mut CommandContext<'_>, c: &PgConstraint, on: Oid, parent: Option<Oid>) -> Result<()> {
    let list = [(Oid(1644), INSERT, 'c', true), (Oid(1645), UPDATE, 'c', true)];
    triggers(cmd, c, on, c.confrelid, parent, &list)
}

fn triggers(
    cmd: &mut CommandContext<'_>,
    c: &PgConstraint,
    on: Oid,
    opposite: Oid,
    parent: Option<Oid>,
    list: &[(Oid, i16, char, bool)],
) -> Result<()> {
    const ROW: i16 = 1;
    let above = match parent {
        Some(parent) => {
            let all = cmd.cx.catalog.rows::<PgConstraint>(oids::CONSTRAINT_OID_INDEX, &[types::Datum::oid(parent)])?;
            let mut found = Vec::new();
            for rel in all.iter().flat_map(|c| [c.conrelid, c.confrelid]) {
                let entry = cmd.cx.catalog.relation_entry(rel)?;
                found.extend(entry.triggers.iter().filter(|t| t.tgconstraint == parent).cloned());
            }
            found
        }
        None => Vec::new(),
    };
    for (function, event, letter, waits) in list {
        let oid = cmd.cx.catalog.new_oid(oids::TRIGGER_RELATION, oids::TRIGGER_OID_INDEX)?;
        let same = |t: &&std::sync::Arc<PgTrigger>| t.tgfoid == *function && t.tgtype & event != 0;
        let tgparentid = above.iter().find(same).map_or(Oid::INVALID, |t| t.oid);
        cmd.cx.catalog.insert_row(&PgTrigger {
            oid,
            tgrelid: on,
            tgparentid,
            tgname: format!("RI_ConstraintTrigger_{letter}_{oid}"),
            tgfoid: *function,
            tgtype: ROW | event,
            tgenabled: b'O',
            tgisinternal: true,
            tgconstrrelid: opposite,
            tgconstrindid: c.conindid,
            tgconstraint: c.oid,
            tgdeferrable: c.condeferrable && *waits,
            tginitdeferred: c.condeferred && *waits,
            tgnargs: 0,
            tgattr: Vec::new(),
            tgargs: Vec::new(),
            tgqual: None,
            tgoldtable: None,
            tgnewtable: None,
        })?;
        let me = ObjectAddress::new(oids::TRIGGER_RELATION, oid);
        let constraint = ObjectAddress::new(oids::CONSTRAINT_RELATION, c.oid);
        cmd.cx.catalog.record_dependency(&me, &constraint, DependencyType::Internal)?;
        cmd.cx.catalog.command_counter_increment()?;
    }
    if !cmd.cx.catalog.relation_entry(on)?.class.relhastriggers {
        alter_table::edit_class(cmd, on, |row| row.relhastriggers = true)?;
    }
    cmd.cx.catalog.invalidate_relation(on);
    cmd.cx.catalog.command_counter_increment()
}

/// The foreign keys that refer to a table. (PostgreSQL: `heap_truncate_find_FKs`)
pub fn referencing(table: &Relation) -> Vec<Oid> {
    let mut out = Vec::new();
    for t in &table.triggers {
        if t.tgconstraint.is_valid() && t.tgtype & (1 << 3) != 0 && !out.contains(&t.tgconstrrelid) {
            out.push(t.tgconstrrelid);
        }
    }
    out
}

/// A constraint by its name, along the search path, for SET CONSTRAINTS. (PostgreSQL: `AfterTriggerSetState`)
pub fn deferrable_by_name(cmd: &CommandContext<'_>, schema: Option<&str>, conname: &str) -> Result<Vec<Oid>> {
    let schemas = match schema {
        Some(s) => vec![cmd.cx.catalog.explicit_namespace(s, false)?.unwrap_or_default()],
        None => cmd.cx.catalog.search_path()?.schemas.clone(),
    };
    for schema in schemas {
        let key = [types::Datum::text(conname), types::Datum::oid(schema)];
        let rows = cmd.cx.catalog.rows::<catalog::PgConstraint>(oids::CONSTRAINT_NAME_NSP_INDEX, &key)?;
        let mut found = Vec::new();
        for row in rows {
            if !row.condeferrable {
                let text = format!("constraint \"{conname}\" is not deferrable");
                return Err(PgError::new(WRONG_OBJECT_TYPE, text));
            }
            found.push(row.oid);
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let text = format!("constraint \"{conname}\" does not exist");
    Err(PgError::new(UNDEFINED_OBJECT, text))
}

/// SET CONSTRAINTS.
pub fn set_constraints(cmd: &mut CommandContext<'_>, stmt: &parser::ast::ConstraintsSetStmt) -> Result<()> {
    let mut list = Vec::new();
    for var in &stmt.constraints {
        list.extend(deferrable_by_name(cmd, var.schemaname.as_deref(), &var.relname)?);
    }
    let all = stmt.constraints.is_empty();
    executor::after::set_constraints(cmd.cx, (!all).then_some(list.as_slice()), stmt.deferred)
}
