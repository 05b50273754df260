//! CREATE TRIGGER, ALTER TRIGGER ... RENAME, ALTER TABLE ... ENABLE TRIGGER; what DROP and COMMENT find. Firing them is
//! `executor::trigger`'s business.
//!
//! PostgreSQL: `trigger.c` (`CreateTriggerFiringOn`, `renametrig`, `EnableDisableTrigger`).

use analyze::query::{Alias, Expr, RangeTblEntry, RteKind};
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{DependencyType, NewConstraint, ObjectAddress, PgTrigger, Relation, acl, oids, relkind};
use parser::ast::trigger_type::{AFTER, DELETE, INSERT, INSTEAD, ROW, TRUNCATE, UPDATE};
use parser::ast::{CreateTrigStmt, RangeVar};
use std::sync::Arc;
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, Outcome, alter_table, name};

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateTrigStmt) -> Result<Outcome> {
    let rel = name::relation(cmd.cx, &stmt.relation, LockMode::ShareRowExclusive)?;
    check_relation(&rel, stmt)?;
    let mut other = Oid::INVALID;
    if let Some(var) = stmt.constrrel.as_ref().filter(|_| stmt.isconstraint) {
        other = name::relation(cmd.cx, var, LockMode::AccessShare)?.oid;
    }
    check_privilege(cmd, &rel)?;
    if other.is_valid() {
        let other = cmd.cx.catalog.relation_entry(other)?;
        check_privilege(cmd, &other)?;
    }
    check_kind(stmt)?;
    let (old_table, new_table) = transition_tables(cmd, &rel, stmt)?;
    let tgtype = tgtype(stmt);
    let when = match &stmt.when_clause {
        Some(raw) => {
            let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
            let mut cx = analyze::AnalyzeContext::new(catalog, cmd.cx);
            Some(analyze::ddl::trigger_when(&mut cx, &rel, raw, tgtype, source)?)
        }
        None => None,
    };
    let function = function(cmd, &stmt.funcname)?;
    let columns = columns(&rel, stmt)?;
    let row = PgTrigger {
        oid: Oid::INVALID,
        tgrelid: rel.oid,
        tgparentid: Oid::INVALID,
        tgname: catalog::ddl::truncate_name(&stmt.trigname).to_owned(),
        tgfoid: function,
        tgtype,
        tgenabled: b'O',
        tgisinternal: false,
        tgconstrrelid: other,
        tgconstrindid: Oid::INVALID,
        tgconstraint: Oid::INVALID,
        tgdeferrable: stmt.deferrable,
        tginitdeferred: stmt.initdeferred,
        tgnargs: stmt.args.len() as i16,
        tgattr: columns,
        tgargs: stmt.args.iter().flat_map(|a| a.bytes().chain([0])).collect(),
        tgqual: when.as_ref().map(|e| crate::stored::text(e, &cmd.cx.catalog)).transpose()?,
        tgoldtable: old_table,
        tgnewtable: new_table,
    };
    let new = New { row, replace: stmt.replace, is_constraint: stmt.isconstraint, when, in_partition: false };
    store(cmd, &rel, new)?;
    Ok(Outcome::tag("CREATE TRIGGER"))
}

fn tgtype(stmt: &CreateTrigStmt) -> i16 {
    (if stmt.row { ROW } else { 0 }) | stmt.timing | stmt.events
}

/// What kinds of relations may have which triggers.
fn check_relation(rel: &Relation, stmt: &CreateTrigStmt) -> Result<()> {
    let wrong = |what: &str, detail: &str| {
        Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is {what}", rel.name())).detail(detail))
    };
    match rel.kind() {
        relkind::TABLE | relkind::PARTITIONED_TABLE if stmt.timing == INSTEAD => {
            return wrong("a table", "Tables cannot have INSTEAD OF triggers.");
        }
        relkind::PARTITIONED_TABLE if stmt.row && !stmt.transition_rels.is_empty() => {
            let text = format!("\"{}\" is a partitioned table", rel.name());
            let detail = "ROW triggers with transition tables are not supported on partitioned tables.";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).detail(detail));
        }
        relkind::TABLE | relkind::PARTITIONED_TABLE => {}
        relkind::VIEW if stmt.timing != INSTEAD && stmt.row => {
            return wrong("a view", "Views cannot have row-level BEFORE or AFTER triggers.");
        }
        relkind::VIEW if stmt.events & TRUNCATE != 0 => {
            return wrong("a view", "Views cannot have TRUNCATE triggers.");
        }
        relkind::VIEW => {}
        relkind::FOREIGN_TABLE if stmt.timing == INSTEAD => {
            return wrong("a foreign table", "Foreign tables cannot have INSTEAD OF triggers.");
        }
        relkind::FOREIGN_TABLE if stmt.isconstraint => {
            return wrong("a foreign table", "Foreign tables cannot have constraint triggers.");
        }
        relkind::FOREIGN_TABLE => {}
        kind => {
            let text = format!("relation \"{}\" cannot have triggers", rel.name());
            let plural = match kind {
                relkind::MATERIALIZED_VIEW => "materialized views",
                relkind::COMPOSITE => "composite types",
                relkind::PARTITIONED_INDEX => "partitioned indexes",
                relkind::TOAST => "TOAST tables",
                kind => alter_table::plural(kind),
            };
            let detail = format!("This operation is not supported for {plural}.");
            return Err(PgError::new(WRONG_OBJECT_TYPE, text).detail(detail));
        }
    }
    if rel.oid < Oid(12000) {
        let text = format!("permission denied: \"{}\" is a system catalog", rel.name());
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    Ok(())
}

fn check_privilege(cmd: &CommandContext<'_>, rel: &Relation) -> Result<()> {
    match cmd.cx.catalog.may_class(cmd.cx.settings.current_user, &rel.class, acl::ACL_TRIGGER)? {
        true => Ok(()),
        false => Err(catalog::lookup::permission_denied(name::kind_name(rel.kind()), rel.name())),
    }
}

fn check_kind(stmt: &CreateTrigStmt) -> Result<()> {
    let refuse = |text: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    if stmt.row && stmt.events & TRUNCATE != 0 {
        return refuse("TRUNCATE FOR EACH ROW triggers are not supported");
    }
    if stmt.timing == INSTEAD {
        if !stmt.row {
            return refuse("INSTEAD OF triggers must be FOR EACH ROW");
        }
        if stmt.when_clause.is_some() {
            return refuse("INSTEAD OF triggers cannot have WHEN conditions");
        }
        if !stmt.columns.is_empty() {
            return refuse("INSTEAD OF triggers cannot have column lists");
        }
    }
    Ok(())
}

/// REFERENCING: the names of the old and the new table.
fn transition_tables(
    cmd: &CommandContext<'_>,
    rel: &Relation,
    stmt: &CreateTrigStmt,
) -> Result<(Option<String>, Option<String>)> {
    let refuse = |text: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    let invalid = |text: &str| Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    let wrong = |what: &str, detail: &str| {
        Err(PgError::new(WRONG_OBJECT_TYPE, format!("\"{}\" is {what}", rel.name())).detail(detail))
    };
    let (mut old, mut new) = (None, None);
    for t in &stmt.transition_rels {
        if !t.is_table {
            let text = "ROW variable naming in the REFERENCING clause is not supported";
            let hint = "Use OLD TABLE or NEW TABLE for naming transition tables.";
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).hint(hint));
        }
        match rel.kind() {
            relkind::FOREIGN_TABLE => {
                return wrong("a foreign table", "Triggers on foreign tables cannot have transition tables.");
            }
            relkind::VIEW => return wrong("a view", "Triggers on views cannot have transition tables."),
            _ => {}
        }
        if stmt.row && !cmd.cx.catalog.inheritance_parents(rel.oid)?.is_empty() {
            return match rel.class.relispartition {
                true => refuse("ROW triggers with transition tables are not supported on partitions"),
                false => refuse("ROW triggers with transition tables are not supported on inheritance children"),
            };
        }
        if stmt.timing != AFTER {
            return invalid("transition table name can only be specified for an AFTER trigger");
        }
        if stmt.events & TRUNCATE != 0 {
            return refuse("TRUNCATE triggers with transition tables are not supported");
        }
        if (stmt.events & (INSERT | UPDATE | DELETE)).count_ones() != 1 {
            return refuse("transition tables cannot be specified for triggers with more than one event");
        }
        if !stmt.columns.is_empty() {
            return refuse("transition tables cannot be specified for triggers with column lists");
        }
        let (needs, slot, what, events) = match t.is_new {
            true => (INSERT | UPDATE, &mut new, "NEW", "an INSERT or UPDATE"),
            false => (DELETE | UPDATE, &mut old, "OLD", "a DELETE or UPDATE"),
        };
        if stmt.events & needs == 0 {
            return invalid(&format!("{what} TABLE can only be specified for {events} trigger"));
        }
        if slot.is_some() {
            return invalid(&format!("{what} TABLE cannot be specified multiple times"));
        }
        *slot = Some(t.name.clone());
    }
    if old.is_some() && old == new {
        return invalid("OLD TABLE name and NEW TABLE name cannot be the same");
    }
    Ok((old, new))
}

/// The trigger function of that name, which the user may call.
fn function(cmd: &mut CommandContext<'_>, parts: &[String]) -> Result<Oid> {
    let wanted = parser::ast::ObjectWithArgs { objname: parts.to_vec(), ..Default::default() };
    let row = crate::object::function(cmd, parser::ast::ObjectType::Function, &wanted)?;
    let name = parts.join(".");
    let (user, kind) = (cmd.cx.settings.current_user, catalog::AclKind::Function);
    let row_acl = row.proacl.as_deref();
    if !cmd.cx.catalog.has_privilege(user, kind, row.proowner, row_acl, acl::ACL_EXECUTE)? {
        return Err(catalog::lookup::permission_denied("function", &name));
    }
    if row.prorettype != types::oid::TRIGGEROID {
        let text = format!("function {name} must return type trigger");
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    }
    Ok(row.oid)
}

/// UPDATE OF.
fn columns(rel: &Relation, stmt: &CreateTrigStmt) -> Result<Vec<i16>> {
    let mut out = Vec::new();
    for column in &stmt.columns {
        let n = rel.desc.find(column).ok_or_else(|| {
            let text = format!("column \"{column}\" of relation \"{}\" does not exist", rel.name());
            PgError::new(UNDEFINED_COLUMN, text)
        })?;
        if out.contains(&n) {
            return Err(PgError::new(DUPLICATE_COLUMN, format!("column \"{column}\" specified more than once")));
        }
        out.push(n);
    }
    Ok(out)
}

struct New {
    row: PgTrigger,
    replace: bool,
    is_constraint: bool,
    when: Option<Expr>,
    /// Made for a partition because its parent's was.
    in_partition: bool,
}

/// Writes the rows.
fn store(cmd: &mut CommandContext<'_>, rel: &Arc<Relation>, new: New) -> Result<Oid> {
    let catalog = cmd.cx.catalog.clone();
    let New { mut row, replace, is_constraint, when, in_partition } = new;
    let key = [Datum::oid(rel.oid), Datum::text(&*row.tgname)];
    let existing = catalog.find_row::<PgTrigger>(oids::TRIGGER_RELID_NAME_INDEX, &key)?;
    if let Some(old) = &existing {
        let taken = |what: &str| {
            let text = format!("trigger \"{}\" for relation \"{}\" {what}", row.tgname, rel.name());
            Err(PgError::new(DUPLICATE_OBJECT, text))
        };
        if !replace {
            return taken("already exists");
        }
        if (old.row.tgisinternal || old.row.tgparentid.is_valid()) && !in_partition {
            return taken("is an internal or a child trigger");
        }
        if old.row.tgconstraint.is_valid() {
            return taken("is a constraint trigger");
        }
        row.oid = old.row.oid;
    } else {
        row.oid = catalog.new_oid(oids::TRIGGER_RELATION, oids::TRIGGER_OID_INDEX)?;
    }
    if is_constraint {
        let mut c = NewConstraint::new(&row.tgname, rel.namespace(), b't', rel.oid, None);
        (c.row.condeferrable, c.row.condeferred) = (row.tgdeferrable, row.tginitdeferred);
        c.row.connoinherit = true;
        row.tgconstraint = catalog.create_constraint(&c)?;
    }
    match &existing {
        Some(found) => drop(catalog.update_row(found, &row)?),
        None => drop(catalog.insert_row(&row)?),
    }
    if !rel.class.relhastriggers {
        alter_table::edit_class(cmd, rel.oid, |c| c.relhastriggers = true)?;
    }
    catalog.invalidate_relation(rel.oid);
    let me = ObjectAddress::new(oids::TRIGGER_RELATION, row.oid);
    if existing.is_some() {
        catalog.delete_dependencies(&me, true)?;
    }
    let table = ObjectAddress::relation(rel.oid);
    catalog.record_dependency(&me, &ObjectAddress::function(row.tgfoid), DependencyType::Normal)?;
    catalog.record_dependency(&me, &table, DependencyType::Auto)?;
    if row.tgconstrrelid.is_valid() {
        catalog.record_dependency(&me, &ObjectAddress::relation(row.tgconstrrelid), DependencyType::Auto)?;
    }
    if row.tgconstraint.is_valid() {
        let constraint = ObjectAddress::new(oids::CONSTRAINT_RELATION, row.tgconstraint);
        catalog.record_dependency(&constraint, &me, DependencyType::Internal)?;
    }
    if row.tgparentid.is_valid() {
        let parent = ObjectAddress::new(oids::TRIGGER_RELATION, row.tgparentid);
        catalog.record_dependency(&me, &parent, DependencyType::PartitionPrimary)?;
        catalog.record_dependency(&me, &table, DependencyType::PartitionSecondary)?;
    }
    for column in &row.tgattr {
        catalog.record_dependency(&me, &ObjectAddress::column(rel.oid, *column), DependencyType::Normal)?;
    }
    if let Some(e) = &when {
        let entry = |alias: &str| RangeTblEntry {
            eref: Alias { aliasname: alias.to_owned(), colnames: Vec::new() },
            kind: RteKind::Relation {
                relid: rel.oid,
                relkind: rel.kind(),
                lock_mode: 1,
                inh: false,
                perminfoindex: 0,
                table_sample: None,
            },
            ..RangeTblEntry::default()
        };
        let on = analyze::references::expr_references(&catalog, e, &[entry("old"), entry("new")])?;
        catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    }
    catalog.command_counter_increment()?;
    if row.tgtype & ROW != 0 && rel.kind() == relkind::PARTITIONED_TABLE {
        for child in catalog.inheritance_children(rel.oid)? {
            executor::lock_relation(cmd.cx, child.inhrelid, LockMode::ShareRowExclusive)?;
            clone_trigger(cmd, rel, &row, child.inhrelid, replace, is_constraint)?;
        }
    }
    Ok(row.oid)
}

/// Gives a partition its copy of its parent's row trigger.
fn clone_trigger(
    cmd: &mut CommandContext<'_>,
    parent: &Relation,
    row: &PgTrigger,
    partition: Oid,
    replace: bool,
    is_constraint: bool,
) -> Result<()> {
    let child = cmd.cx.catalog.relation_entry(partition)?;
    let place = |n: &i16| -> Result<i16> {
        let name = &parent.desc.attrs[*n as usize - 1].name;
        let missing = || PgError::internal(format!("column \"{name}\" of a partition is missing"));
        child.desc.find(name).ok_or_else(missing)
    };
    let when = match &row.tgqual {
        Some(text) => {
            let mut e = analyze::nodes::read_expr(text, &cmd.cx.catalog)?;
            analyze::ddl::map_columns(&mut e, parent, &child)?;
            Some(e)
        }
        None => None,
    };
    let copy = PgTrigger {
        oid: Oid::INVALID,
        tgrelid: partition,
        tgparentid: row.oid,
        tgconstraint: Oid::INVALID,
        tgattr: row.tgattr.iter().map(place).collect::<Result<_>>()?,
        tgqual: when.as_ref().map(|e| crate::stored::text(e, &cmd.cx.catalog)).transpose()?,
        ..row.clone()
    };
    // What the condition reads is the parent trigger's dependency.
    store(cmd, &child, New { row: copy, replace, is_constraint, when: None, in_partition: true }).map(drop)
}

/// Gives a new or attached partition its copies of its parent's row triggers. (PostgreSQL: `CloneRowTriggersToPartition`)
pub fn clone_row_triggers(cmd: &mut CommandContext<'_>, parent: Oid, partition: Oid) -> Result<()> {
    let parent = cmd.cx.catalog.relation_entry(parent)?;
    for t in &parent.triggers {
        if t.tgtype & ROW == 0 || t.tgisinternal {
            continue;
        }
        if t.tgtype & INSTEAD != 0 {
            return Err(PgError::internal(format!("unexpected trigger \"{}\" found", t.tgname)));
        }
        clone_trigger(cmd, &parent, t, partition, false, t.tgconstraint.is_valid())?;
    }
    Ok(())
}

/// The relation that a statement names before a trigger's name.
fn relation(cmd: &CommandContext<'_>, var: &RangeVar, mode: LockMode) -> Result<Result<Arc<Relation>, PgError>> {
    if let Some(schema) = &var.schemaname
        && cmd.cx.catalog.namespace_by_name(schema)?.is_none()
    {
        return Ok(Err(catalog::namespace::no_such_schema(schema)));
    }
    Ok(name::relation_if_exists(cmd.cx, var, mode)?.ok_or_else(|| name::missing_relation(var)))
}

/// The trigger that DROP and COMMENT name: the table's name, then its own. An inner error if there is none.
pub fn find(cmd: &CommandContext<'_>, parts: &[String], mode: LockMode) -> Result<Result<ObjectAddress, PgError>> {
    let Some((trigger, table)) = parts.split_last().filter(|(_, t)| !t.is_empty()) else {
        return Err(PgError::internal("a trigger's name without its table"));
    };
    let rel = match relation(cmd, &crate::drop::range_var(table), mode)? {
        Ok(rel) => rel,
        Err(e) => return Ok(Err(e)),
    };
    let Some(found) = rel.triggers.iter().find(|t| t.tgname == *trigger) else {
        let text = format!("trigger \"{trigger}\" for table \"{}\" does not exist", rel.name());
        return Ok(Err(PgError::new(UNDEFINED_OBJECT, text)));
    };
    name::check_owner(cmd.cx, &rel)?;
    Ok(Ok(ObjectAddress::new(oids::TRIGGER_RELATION, found.oid)))
}

/// ALTER TRIGGER ... RENAME, also of the partitions' copies. (PostgreSQL: `renametrig`)
pub fn rename(cmd: &mut CommandContext<'_>, rel: &Relation, old: &str, new: &str) -> Result<()> {
    if !matches!(rel.kind(), relkind::TABLE | relkind::VIEW | relkind::FOREIGN_TABLE | relkind::PARTITIONED_TABLE) {
        let text = format!("relation \"{}\" cannot have triggers", rel.name());
        let detail = format!("This operation is not supported for {}.", alter_table::plural(rel.kind()));
        return Err(PgError::new(WRONG_OBJECT_TYPE, text).detail(detail));
    }
    let Some(found) = rel.triggers.iter().find(|t| t.tgname == old) else {
        let text = format!("trigger \"{old}\" for table \"{}\" does not exist", rel.name());
        return Err(PgError::new(UNDEFINED_OBJECT, text));
    };
    if let Some(parent) = found.tgparentid.valid() {
        let parent = cmd.cx.catalog.rows::<PgTrigger>(oids::TRIGGER_OID_INDEX, &[Datum::oid(parent)])?.pop();
        let on = match parent {
            Some(p) => cmd.cx.catalog.relation_entry(p.tgrelid)?.name().to_owned(),
            None => String::new(),
        };
        let text = format!("cannot rename trigger \"{old}\" on table \"{}\"", rel.name());
        let hint = format!("Rename the trigger on the partitioned table \"{on}\" instead.");
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).hint(hint));
    }
    rename_one(cmd, rel, found, new)
}

fn rename_one(cmd: &mut CommandContext<'_>, rel: &Relation, t: &PgTrigger, new: &str) -> Result<()> {
    if t.tgname != new {
        if rel.triggers.iter().any(|t| t.tgname == new) {
            let text = format!("trigger \"{new}\" for relation \"{}\" already exists", rel.name());
            return Err(PgError::new(DUPLICATE_OBJECT, text));
        }
        crate::object::edit::<PgTrigger>(cmd, oids::TRIGGER_OID_INDEX, t.oid, |t| t.tgname = new.to_owned())?;
        cmd.cx.catalog.invalidate_relation(rel.oid);
        cmd.cx.catalog.command_counter_increment()?;
    }
    if rel.kind() != relkind::PARTITIONED_TABLE {
        return Ok(());
    }
    for child in cmd.cx.catalog.inheritance_children(rel.oid)? {
        executor::lock_relation(cmd.cx, child.inhrelid, LockMode::AccessExclusive)?;
        let child = cmd.cx.catalog.relation_entry(child.inhrelid)?;
        for copy in child.triggers.iter().filter(|c| c.tgparentid == t.oid) {
            if copy.tgname != t.tgname {
                let text = format!("renamed trigger \"{}\" on relation \"{}\"", copy.tgname, child.name());
                cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
            }
            rename_one(cmd, &child, copy, new)?;
        }
    }
    Ok(())
}

/// Which triggers ALTER TABLE ... ENABLE TRIGGER means.
#[derive(Clone, Copy)]
pub enum Which<'a> {
    Named(&'a str),
    All,
    User,
}

/// ENABLE and DISABLE TRIGGER. (PostgreSQL: `EnableDisableTrigger`)
pub fn set_enabled(cmd: &mut CommandContext<'_>, rel: &Relation, which: Which<'_>, enabled: u8) -> Result<()> {
    enable(cmd, rel, which, enabled, Oid::INVALID)
}

fn enable(cmd: &mut CommandContext<'_>, rel: &Relation, which: Which<'_>, enabled: u8, parent: Oid) -> Result<()> {
    let mut found = false;
    for t in &rel.triggers {
        if parent.is_valid() && t.tgparentid != parent {
            continue;
        }
        if let Which::Named(name) = which
            && !parent.is_valid()
            && t.tgname != name
        {
            continue;
        }
        if t.tgisinternal {
            // Those of foreign keys are the superuser's.
            if matches!(which, Which::User) {
                continue;
            }
            if !cmd.cx.catalog.is_superuser(cmd.cx.settings.current_user)? {
                let text = format!("permission denied: \"{}\" is a system trigger", t.tgname);
                return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
            }
        }
        found = true;
        if t.tgenabled != enabled {
            crate::object::edit::<PgTrigger>(cmd, oids::TRIGGER_OID_INDEX, t.oid, |t| t.tgenabled = enabled)?;
            cmd.cx.catalog.invalidate_relation(rel.oid);
        }
        if rel.kind() == relkind::PARTITIONED_TABLE && t.tgtype & ROW != 0 {
            for child in cmd.cx.catalog.inheritance_children(rel.oid)? {
                executor::lock_relation(cmd.cx, child.inhrelid, LockMode::ShareRowExclusive)?;
                let child = cmd.cx.catalog.relation_entry(child.inhrelid)?;
                enable(cmd, &child, which, enabled, t.oid)?;
            }
        }
    }
    if let Which::Named(name) = which
        && !found
        && !parent.is_valid()
    {
        let text = format!("trigger \"{name}\" for table \"{}\" does not exist", rel.name());
        return Err(PgError::new(UNDEFINED_OBJECT, text));
    }
    Ok(())
}
