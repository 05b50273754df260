//! ALTER TABLE, and what it shares with ALTER INDEX, VIEW and SEQUENCE.
//!
//! Subcommands run in passes, as PostgreSQL's do: first what drops, then changes of types, new columns, columns' attributes,
//! constraints, the rest. A new column whose default is the same for all rows is only noted in the catalog
//! (`attmissingval`); otherwise the table is written anew.
//!
//! PostgreSQL: `tablecmds.c` (`ATController`).

use std::sync::Arc;

use analyze::query as q;
use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{DropOptions, ObjectAddress, PgAttrdef, PgAttribute, PgClass, PgConstraint, Relation, oids, relkind};
use executor::row_expr::{self, RowExprs};
use parser::ast::*;
use txn::LockMode;
use types::array::{ElementType, build_vector};
use types::{Datum, Runtime};

use crate::table_scan::{Writer, rows};
use crate::trigger::{self, Which};
use crate::{CommandContext, Outcome, alter_children, create_table, index, name, options, owner, sequence, truncate};

/// What the command is called in its tag.
pub fn tag(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::Index => "ALTER INDEX",
        ObjectType::Sequence => "ALTER SEQUENCE",
        ObjectType::View => "ALTER VIEW",
        ObjectType::Matview => "ALTER MATERIALIZED VIEW",
        ObjectType::ForeignTable => "ALTER FOREIGN TABLE",
        ObjectType::Type => "ALTER TYPE",
        _ => "ALTER TABLE",
    }
}

fn pass(kind: AlterTableType) -> u8 {
    use AlterTableType::*;
    match kind {
        DropColumn | DropConstraint | DropNotNull | DropExpression | DropIdentity => 0,
        AlterColumnType => 1,
        AddColumn => 2,
        ColumnDefault | SetNotNull | SetStatistics | SetStorage | SetCompression | SetOptions | ResetOptions
        | AddIdentity | SetIdentity => 3,
        AddConstraint => 4,
        _ => 5,
    }
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &AlterTableStmt) -> Result<Outcome> {
    let tag = tag(stmt.objtype);
    if stmt.objtype == ObjectType::Type {
        return crate::alter_composite::execute(cmd, stmt);
    }
    let Some(rel) = name::relation_if_exists(cmd.cx, &stmt.relation, LockMode::AccessExclusive)? else {
        if !stmt.missing_ok {
            return Err(name::missing_relation(&stmt.relation));
        }
        let text = format!("relation \"{}\" does not exist, skipping", stmt.relation.relname);
        cmd.notice(Severity::Notice, UNDEFINED_TABLE, text);
        return Ok(Outcome::tag(tag));
    };
    let partitioned = matches!(rel.kind(), relkind::PARTITIONED_TABLE | relkind::PARTITIONED_INDEX);
    let usual = matches!(
        rel.kind(),
        relkind::TABLE | relkind::INDEX | relkind::SEQUENCE | relkind::VIEW | relkind::MATERIALIZED_VIEW
    );
    if !partitioned && !usual {
        return Err(PgError::unsupported(format!("{tag} of this kind of relation")));
    }
    name::check_owner(cmd.cx, &rel)?;
    crate::in_use::check(cmd, &rel, "ALTER TABLE")?;
    let mut cmds: Vec<&AlterTableCmd> = stmt.cmds.iter().collect();
    cmds.sort_by_key(|c| pass(c.subtype));
    for c in cmds {
        let rel = cmd.cx.catalog.relation_entry(rel.oid)?;
        subcommand(cmd, &rel, c, stmt.relation.inh)?;
        cmd.cx.catalog.command_counter_increment()?;
    }
    Ok(Outcome::tag(tag))
}

fn wrong_kind(rel: &Relation, c: &AlterTableCmd) -> PgError {
    let text = format!("ALTER action {} cannot be performed on relation \"{}\"", action(c.subtype), rel.name());
    let detail = format!("This operation is not supported for {}.", plural(rel.kind()));
    PgError::new(WRONG_OBJECT_TYPE, text).detail(detail)
}

pub fn plural(kind: u8) -> &'static str {
    match kind {
        relkind::INDEX => "indexes",
        relkind::SEQUENCE => "sequences",
        relkind::VIEW => "views",
        relkind::PARTITIONED_TABLE => "partitioned tables",
        relkind::PARTITIONED_INDEX => "partitioned indexes",
        relkind::MATERIALIZED_VIEW => "materialized views",
        relkind::COMPOSITE => "composite types",
        _ => "tables",
    }
}

/// (PostgreSQL: `alter_table_type_to_string`)
fn action(kind: AlterTableType) -> &'static str {
    use AlterTableType::*;
    match kind {
        AddColumn => "ADD COLUMN",
        ColumnDefault => "ALTER COLUMN ... SET DEFAULT",
        DropNotNull => "ALTER COLUMN ... DROP NOT NULL",
        SetNotNull => "ALTER COLUMN ... SET NOT NULL",
        SetStatistics => "ALTER COLUMN ... SET STATISTICS",
        SetStorage => "ALTER COLUMN ... SET STORAGE",
        SetCompression => "ALTER COLUMN ... SET COMPRESSION",
        ClusterOn => "CLUSTER ON",
        DropCluster => "SET WITHOUT CLUSTER",
        SetTableSpace => "SET TABLESPACE",
        DropColumn => "DROP COLUMN",
        AddConstraint => "ADD CONSTRAINT",
        DropConstraint => "DROP CONSTRAINT",
        AlterColumnType => "ALTER COLUMN ... SET DATA TYPE",
        ValidateConstraint => "VALIDATE CONSTRAINT",
        AddIdentity => "ALTER COLUMN ... ADD IDENTITY",
        DropIdentity => "ALTER COLUMN ... DROP IDENTITY",
        AttachPartition => "ATTACH PARTITION",
        DetachPartition => "DETACH PARTITION",
        AddInherit => "INHERIT",
        DropInherit => "NO INHERIT",
        EnableTrig => "ENABLE TRIGGER",
        EnableAlwaysTrig => "ENABLE ALWAYS TRIGGER",
        EnableReplicaTrig => "ENABLE REPLICA TRIGGER",
        DisableTrig => "DISABLE TRIGGER",
        EnableTrigAll => "ENABLE TRIGGER ALL",
        DisableTrigAll => "DISABLE TRIGGER ALL",
        EnableTrigUser => "ENABLE TRIGGER USER",
        DisableTrigUser => "DISABLE TRIGGER USER",
        _ => "of this kind",
    }
}

fn subcommand(cmd: &mut CommandContext<'_>, rel: &Arc<Relation>, c: &AlterTableCmd, recurse: bool) -> Result<()> {
    use AlterTableType::*;
    let for_all_kinds = matches!(c.subtype, ChangeOwner | SetRelOptions | ResetRelOptions);
    let partitions = matches!(c.subtype, AttachPartition | DetachPartition | DetachPartitionFinalize);
    let stored =
        matches!(c.subtype, ClusterOn | DropCluster | SetTableSpace | SetStatistics | SetStorage | SetCompression)
            && rel.kind() == relkind::MATERIALIZED_VIEW
            || c.subtype == SetTableSpace && matches!(rel.kind(), relkind::INDEX | relkind::PARTITIONED_INDEX);
    let fits = for_all_kinds
        || stored
        || rel.kind() == relkind::PARTITIONED_TABLE
        || (rel.kind() == relkind::PARTITIONED_INDEX && c.subtype == AttachPartition)
        || (rel.kind() == relkind::TABLE && !partitions)
        || (rel.kind() == relkind::VIEW && c.subtype == ColumnDefault);
    if !fits {
        return Err(wrong_kind(rel, c));
    }
    let column = c.name.as_deref().unwrap_or_default();
    match (c.subtype, &c.def) {
        (AddColumn, Some(AlterTableDef::ColumnDef(def))) => {
            alter_children::add_column(cmd, rel, def, c.missing_ok, recurse)
        }
        (DropColumn, _) => alter_children::drop_column(cmd, rel, c, recurse),
        (AddConstraint, Some(AlterTableDef::Constraint(k))) => {
            alter_children::add_constraint(cmd, rel, k, None, recurse)
        }
        (DropConstraint, _) => alter_children::drop_constraint(cmd, rel, c, recurse),
        (ValidateConstraint, _) => alter_children::validate_constraint(cmd, rel, column, recurse),
        (ColumnDefault, def) => match def {
            Some(AlterTableDef::Expr(e)) => {
                alter_children::each(cmd, rel, recurse, &mut |cmd, rel| set_default(cmd, rel, column, Some(e)))
            }
            _ => alter_children::each(cmd, rel, recurse, &mut |cmd, rel| set_default(cmd, rel, column, None)),
        },
        (SetNotNull, _) => {
            let attnum = column_number(rel, column)?;
            alter_children::set_not_null(cmd, rel, attnum, None, recurse)
        }
        (DropNotNull, _) => alter_children::drop_not_null(cmd, rel, column_number(rel, column)?, recurse),
        (SetStatistics, def) => {
            let target = match def {
                Some(AlterTableDef::Integer(n)) if *n >= 0 => Some(statistics_target(cmd, *n)?),
                _ => None,
            };
            alter_children::each(cmd, rel, recurse, &mut |cmd, rel| {
                edit_column(cmd, rel, column_number(rel, column)?, |a| a.attstattarget = target)
            })
        }
        (SetStorage, Some(AlterTableDef::String(s))) => {
            alter_children::each(cmd, rel, recurse, &mut |cmd, rel| set_storage(cmd, rel, column, s))
        }
        (SetCompression, Some(AlterTableDef::String(s))) => {
            let method = compression(s)?;
            alter_children::each(cmd, rel, recurse, &mut |cmd, rel| {
                edit_column(cmd, rel, column_number(rel, column)?, |a| a.attcompression = method)
            })
        }
        (AlterColumnType, Some(AlterTableDef::ColumnDef(def))) => {
            alter_children::alter_type(cmd, rel, column, def, recurse)
        }
        (SetRelOptions, Some(AlterTableDef::Options(list))) => set_options(cmd, rel, list, false),
        (ResetRelOptions, Some(AlterTableDef::Options(list))) => set_options(cmd, rel, list, true),
        (ChangeOwner, _) => match &c.newowner {
            Some(role) => {
                let role = crate::schema::role(cmd, role)?;
                owner::relation(cmd, rel, role)
            }
            None => Err(PgError::internal("OWNER TO without a role")),
        },
        (AddIdentity, Some(AlterTableDef::Constraint(k))) => {
            alter_children::add_identity(cmd, rel, column, k, recurse)
        }
        (DropIdentity, _) => alter_children::drop_identity(cmd, rel, column, c.missing_ok, recurse),
        (SetIdentity, Some(AlterTableDef::Options(list))) => {
            alter_children::set_identity(cmd, rel, column, list, recurse)
        }
        (EnableRule, _) => crate::rule::set_enabled(cmd, rel, column, b'O'),
        (EnableAlwaysRule, _) => crate::rule::set_enabled(cmd, rel, column, b'A'),
        (EnableReplicaRule, _) => crate::rule::set_enabled(cmd, rel, column, b'R'),
        (DisableRule, _) => crate::rule::set_enabled(cmd, rel, column, b'D'),
        (EnableTrig, _) => trigger::set_enabled(cmd, rel, Which::Named(column), b'O'),
        (EnableAlwaysTrig, _) => trigger::set_enabled(cmd, rel, Which::Named(column), b'A'),
        (EnableReplicaTrig, _) => trigger::set_enabled(cmd, rel, Which::Named(column), b'R'),
        (DisableTrig, _) => trigger::set_enabled(cmd, rel, Which::Named(column), b'D'),
        (EnableTrigAll, _) => trigger::set_enabled(cmd, rel, Which::All, b'O'),
        (DisableTrigAll, _) => trigger::set_enabled(cmd, rel, Which::All, b'D'),
        (EnableTrigUser, _) => trigger::set_enabled(cmd, rel, Which::User, b'O'),
        (DisableTrigUser, _) => trigger::set_enabled(cmd, rel, Which::User, b'D'),
        (ClusterOn | DropCluster, _) if rel.kind() == relkind::PARTITIONED_TABLE => {
            let text = "cannot mark index clustered in partitioned table";
            Err(PgError::new(FEATURE_NOT_SUPPORTED, text))
        }
        (ClusterOn, _) => {
            let found = cmd.cx.catalog.relation_by_name(rel.namespace(), column)?;
            let Some(index) = found else {
                let text = format!("index \"{column}\" for table \"{}\" does not exist", rel.name());
                return Err(PgError::new(UNDEFINED_OBJECT, text));
            };
            crate::cluster::check_clusterable(cmd, rel, index)?;
            crate::cluster::mark_clustered(cmd, rel, Some(index))
        }
        (DropCluster, _) => crate::cluster::mark_clustered(cmd, rel, None),
        (SetTableSpace, _) => crate::tablespace::set(cmd, rel, column),
        (AttachPartition, Some(AlterTableDef::PartitionCmd(p))) if rel.kind() == relkind::PARTITIONED_INDEX => {
            crate::partition::indexes::attach_by_name(cmd, rel, &p.name)
        }
        (AttachPartition, Some(AlterTableDef::PartitionCmd(p))) => crate::partition::attach::attach(cmd, rel, p),
        (DetachPartition, Some(AlterTableDef::PartitionCmd(p))) => crate::partition::attach::detach(cmd, rel, p),
        (AddInherit, Some(AlterTableDef::RangeVar(v))) => crate::partition::attach::add_inherit(cmd, rel, v),
        (DropInherit, Some(AlterTableDef::RangeVar(v))) => crate::partition::attach::drop_inherit(cmd, rel, v),
        (SetOptions | ResetOptions, _) => Err(PgError::unsupported("ALTER COLUMN ... SET (...)")),
        (other, _) => Err(PgError::unsupported(format!("ALTER TABLE {other:?}"))),
    }
}

/// A user column's number; system columns cannot be altered.
pub(crate) fn column_number(rel: &Relation, column: &str) -> Result<i16> {
    if catalog_system_column(column) {
        let text = format!("cannot alter system column \"{column}\"");
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    name::column(rel, column)
}

pub fn catalog_system_column(column: &str) -> bool {
    ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"].contains(&column)
}

fn statistics_target(cmd: &mut CommandContext<'_>, n: i32) -> Result<i16> {
    if n > 10_000 {
        cmd.notice(Severity::Warning, INVALID_PARAMETER_VALUE, "lowering statistics target to 10000");
    }
    Ok(n.min(10_000) as i16)
}

/// Changes a column's row.
pub fn edit_column(
    cmd: &mut CommandContext<'_>,
    rel: &Relation,
    attnum: i16,
    change: impl FnOnce(&mut PgAttribute),
) -> Result<()> {
    let key = [Datum::oid(rel.oid), Datum::i16(attnum)];
    let found = cmd.cx.catalog.find_row::<PgAttribute>(oids::ATTRIBUTE_RELID_NUM_INDEX, &key)?;
    let found = found.ok_or_else(|| PgError::internal("a column is gone"))?;
    let mut row = found.row.clone();
    change(&mut row);
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}

/// Changes a relation's row.
pub fn edit_class(cmd: &mut CommandContext<'_>, rel: Oid, change: impl FnOnce(&mut PgClass)) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel)])?;
    let found = found.ok_or_else(|| PgError::internal("a relation is gone"))?;
    let mut row = found.row.clone();
    change(&mut row);
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}

/// A name that a new column or a renamed one may have. (PostgreSQL: `check_for_column_name_collision`)
pub fn check_column_name(rel: &Relation, column: &str) -> Result<()> {
    if catalog_system_column(column) && rel.kind() != relkind::VIEW {
        let text = format!("column name \"{column}\" conflicts with a system column name");
        return Err(PgError::new(DUPLICATE_COLUMN, text));
    }
    if rel.desc.find(column).is_some() {
        let text = format!("column \"{column}\" of relation \"{}\" already exists", rel.name());
        return Err(PgError::new(DUPLICATE_COLUMN, text));
    }
    Ok(())
}

/// Gives the rows that are there the new column's default.
pub(crate) fn fill_column(cmd: &mut CommandContext<'_>, old: &Arc<Relation>, attnum: i16) -> Result<()> {
    let rel = cmd.cx.catalog.relation_entry(old.oid)?;
    let a = rel.attributes[attnum as usize - 1].clone();
    if a.attgenerated == b'v' || !relkind::has_storage(rel.kind()) {
        return Ok(());
    }
    let expr = match (rel.default_of(attnum), a.attidentity) {
        (Some(text), _) => analyze::nodes::read_expr(text, &cmd.cx.catalog)?,
        (None, 0) => return Ok(()),
        (None, _) => {
            let seqid = analyze::ddl::identity_sequence(&cmd.cx.catalog, rel.oid, attnum)?;
            q::Expr::NextValueExpr { seqid, type_oid: a.atttypid }
        }
    };
    let is_constant = a.attgenerated == 0 && !analyze::ddl::contains_volatile(&cmd.cx.catalog, &expr)?;
    if is_constant {
        let value = row_expr::evaluate(cmd.cx, &expr)?;
        if value.is_null() {
            return Ok(());
        }
        let element = ElementType::of(&*cmd.cx.type_info(a.atttypid)?);
        let array = build_vector(&element, &[value.as_ref()])?;
        return edit_column(cmd, &rel, attnum, |a| {
            a.atthasmissing = true;
            a.attmissingval = Some(array);
        });
    }
    if cmd.cx.catalog.heap_of(old)?.nblocks(cmd.cx.txn()?)? == 0 {
        return Ok(());
    }
    let mut compiled = RowExprs::new(cmd.cx, rel.oid, &[expr], &[])?;
    rewrite(cmd, old, &mut |cx, mut row| {
        row.push(Datum::Null);
        let value = compiled.values(cx, &row)?.pop().unwrap_or_default();
        row[attnum as usize - 1] = value;
        Ok(row)
    })
}

/// Writes a table anew, each row changed, and rebuilds its indexes. `old`: the table as its rows are now. Values in its
/// TOAST table stay there. (PostgreSQL: `ATRewriteTable`)
fn rewrite(
    cmd: &mut CommandContext<'_>,
    old: &Arc<Relation>,
    change: &mut dyn FnMut(&mut executor::ExecContext, Vec<Datum>) -> Result<Vec<Datum>>,
) -> Result<()> {
    if !relkind::has_storage(old.kind()) {
        return Ok(());
    }
    let source = cmd.cx.catalog.heap_of(old)?;
    let entry = cmd.cx.catalog.relation_entry(old.oid)?;
    truncate::new_file(cmd, &entry)?;
    // All values are in the rows now.
    for a in entry.attributes.iter().filter(|a| a.atthasmissing) {
        edit_column(cmd, &entry, a.attnum, |a| {
            a.atthasmissing = false;
            a.attmissingval = None;
        })?;
    }
    let mut writer = Writer::new(cmd.cx.catalog.heap(old.oid)?);
    rows(cmd.cx, &source, &mut |cx, row| {
        let row = change(cx, row)?;
        writer.add(cx, row)
    })?;
    writer.finish(cmd.cx)?;
    for i in &entry.indexes {
        let index_entry = cmd.cx.catalog.relation_entry(*i)?;
        truncate::new_file(cmd, &index_entry)?;
        index::build(cmd, old.oid, *i)?;
    }
    Ok(())
}

pub(crate) fn delete(
    cmd: &mut CommandContext<'_>,
    object: ObjectAddress,
    behavior: catalog::DropBehavior,
) -> Result<()> {
    let notice = cmd.cx.catalog.perform_deletion(&[object], behavior, DropOptions::default())?;
    if let Some(notice) = notice {
        cmd.cx.notices.notice(notice);
    }
    cmd.cx.catalog.command_counter_increment()
}

pub(crate) fn find_constraint(cmd: &CommandContext<'_>, rel: &Relation, name: &str) -> Result<Option<PgConstraint>> {
    Ok(cmd.cx.catalog.constraints_of_relation(rel.oid)?.into_iter().find(|c| c.conname == name))
}

pub(crate) fn missing_constraint(rel: &Relation, name: &str) -> PgError {
    PgError::new(UNDEFINED_OBJECT, format!("constraint \"{name}\" of relation \"{}\" does not exist", rel.name()))
}

pub(crate) fn drop_not_null_of(cmd: &mut CommandContext<'_>, rel: &Relation, attnum: i16) -> Result<()> {
    let a = &rel.attributes[attnum as usize - 1];
    if a.attidentity != 0 {
        let text = format!("column \"{}\" of relation \"{}\" is an identity column", a.attname, rel.name());
        return Err(PgError::new(SYNTAX_ERROR, text));
    }
    let constraints = cmd.cx.catalog.constraints_of_relation(rel.oid)?;
    let uses = |c: &PgConstraint| c.conkey.as_deref().is_some_and(|k| k.contains(&attnum));
    if constraints.iter().any(|c| c.contype == b'p' && uses(c)) {
        let text = format!("column \"{}\" is in a primary key", a.attname);
        return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
    }
    edit_column(cmd, rel, attnum, |a| a.attnotnull = false)?;
    if let Some(c) = constraints.iter().find(|c| c.contype == b'n' && uses(c)) {
        let object = ObjectAddress::new(oids::CONSTRAINT_RELATION, c.oid);
        delete(cmd, object, catalog::DropBehavior::Restrict)?;
    }
    Ok(())
}

pub(crate) fn validate_one(cmd: &mut CommandContext<'_>, rel: &Relation, name: &str) -> Result<()> {
    let c = find_constraint(cmd, rel, name)?.ok_or_else(|| missing_constraint(rel, name))?;
    if c.convalidated {
        return Ok(());
    }
    match (c.contype, &c.conbin, c.conkey.as_deref()) {
        (b'c', Some(text), _) => {
            let e = analyze::nodes::read_expr(text, &cmd.cx.catalog)?;
            crate::table_scan::verify_check(cmd, rel, name, &e)?;
        }
        (b'n', _, Some([attnum])) => crate::table_scan::verify_not_null(cmd, rel, *attnum)?,
        (b'f', _, _) if c.conenforced => crate::foreign_key::validate(cmd, c.oid)?,
        (b'f', _, _) => {
            return Err(PgError::new(WRONG_OBJECT_TYPE, "cannot validate NOT ENFORCED constraint"));
        }
        _ => return Err(PgError::unsupported("VALIDATE CONSTRAINT of this kind")),
    }
    let found = cmd.cx.catalog.find_row::<PgConstraint>(oids::CONSTRAINT_OID_INDEX, &[Datum::oid(c.oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a constraint is gone"))?;
    cmd.cx.catalog.update_row(&found, &PgConstraint { convalidated: true, ..found.row.clone() })?;
    cmd.cx.catalog.command_counter_increment()
}

fn remove_default(cmd: &mut CommandContext<'_>, rel: &Relation, attnum: i16) -> Result<()> {
    let key = [Datum::oid(rel.oid), Datum::i16(attnum)];
    if let Some(found) = cmd.cx.catalog.find_row::<PgAttrdef>(oids::ATTR_DEFAULT_INDEX, &key)? {
        let object = ObjectAddress::new(oids::ATTR_DEFAULT_RELATION, found.row.oid);
        let options = DropOptions { quietly: true, ..DropOptions::default() };
        cmd.cx.catalog.perform_deletion(&[object], catalog::DropBehavior::Restrict, options)?;
        cmd.cx.catalog.invalidate_relation(rel.oid);
        cmd.cx.catalog.command_counter_increment()?;
    }
    Ok(())
}

fn set_default(cmd: &mut CommandContext<'_>, rel: &Relation, column: &str, e: Option<&Expr>) -> Result<()> {
    let attnum = column_number(rel, column)?;
    let a = &rel.attributes[attnum as usize - 1];
    if a.attidentity != 0 {
        let text = format!("column \"{column}\" of relation \"{}\" is an identity column", rel.name());
        let e2 = PgError::new(SYNTAX_ERROR, text);
        return Err(match e {
            Some(_) => e2,
            None => e2.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."),
        });
    }
    if a.attgenerated != 0 {
        let text = format!("column \"{column}\" of relation \"{}\" is a generated column", rel.name());
        let e2 = PgError::new(SYNTAX_ERROR, text);
        return Err(match (e, a.attgenerated) {
            (None, b's') => e2.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead."),
            (Some(_), _) => e2.hint("Use ALTER TABLE ... ALTER COLUMN ... SET EXPRESSION instead."),
            _ => e2,
        });
    }
    remove_default(cmd, rel, attnum)?;
    match e {
        Some(e) => create_table::store_default(cmd, rel.oid, attnum, e, 0),
        None => Ok(()),
    }
}

fn compression(method: &str) -> Result<u8> {
    match method {
        "pglz" => Ok(b'p'),
        "lz4" => Ok(b'l'),
        "default" => Ok(0),
        other => Err(PgError::new(INVALID_PARAMETER_VALUE, format!("invalid compression method \"{other}\""))),
    }
}

fn set_storage(cmd: &mut CommandContext<'_>, rel: &Relation, column: &str, storage: &str) -> Result<()> {
    let attnum = column_number(rel, column)?;
    let t = cmd.cx.catalog.type_row(rel.attributes[attnum as usize - 1].atttypid)?;
    let kind = match storage.to_ascii_lowercase().as_str() {
        "plain" => b'p',
        "external" => b'e',
        "extended" => b'x',
        "main" => b'm',
        "default" => t.typstorage,
        _ => return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("invalid storage type \"{storage}\""))),
    };
    if kind != b'p' && t.typstorage == b'p' {
        let shown = cmd.cx.catalog.format_type(t.oid, None)?;
        let text = format!("column data type {shown} can only have storage PLAIN");
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    edit_column(cmd, rel, attnum, |a| a.attstorage = kind)?;
    cmd.cx.catalog.create_toast_table(rel.oid, None).map(std::mem::drop)
}

fn set_options(cmd: &mut CommandContext<'_>, rel: &Relation, list: &[DefElem], reset: bool) -> Result<()> {
    if rel.kind() == relkind::VIEW {
        return Err(PgError::unsupported("ALTER VIEW ... SET (...)"));
    }
    let new = options::changed(rel.class.reloptions.as_deref(), list, rel.kind(), reset)?;
    edit_class(cmd, rel.oid, |c| c.reloptions = new)
}

/// ALTER COLUMN ... TYPE of a column that nothing else refers to.
pub(crate) fn alter_type_of(
    cmd: &mut CommandContext<'_>,
    rel: &Arc<Relation>,
    column: &str,
    def: &ColumnDef,
) -> Result<()> {
    let attnum = column_number(rel, column)?;
    let a = rel.attributes[attnum as usize - 1].clone();
    let type_name = def.type_name.as_ref().ok_or_else(|| PgError::internal("a new type without its name"))?;
    let (type_oid, typmod) = name::type_name(cmd.cx, type_name)?;
    let t = cmd.cx.catalog.type_row(type_oid)?;
    let collation = match &def.coll_clause {
        Some(clause) => index::collation_by_name(cmd.cx, &clause.collname)?,
        None => t.typcollation,
    };
    // NOT NULL and its like go on; whatever holds an expression or an operator of the old type would have to be made anew.
    for d in cmd.cx.catalog.dependents_of(&ObjectAddress::column(rel.oid, attnum))? {
        let is_not_null = d.classid == oids::CONSTRAINT_RELATION
            && cmd.cx.catalog.constraint(d.objid)?.is_some_and(|c| c.contype == b'n');
        if !is_not_null {
            return Err(PgError::unsupported("ALTER COLUMN TYPE of a column that other objects depend on"));
        }
    }
    let var = q::Expr::Var(q::Var {
        varno: 1,
        varattno: attnum,
        vartype: q::TypeMod { oid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation },
        varnullingrels: Vec::new(),
        varlevelsup: 0,
        varreturning: q::VarReturning::Default,
        varnosyn: 1,
        varattnosyn: attnum,
        location: base::error::Location::UNKNOWN,
    });
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let converted = {
        let mut cx = analyze::AnalyzeContext::new(catalog.clone(), cmd.cx);
        let e = match &def.raw_default {
            Some(raw) => analyze::ddl::alter_using(&mut cx, rel.oid, raw, source)?,
            None => var.clone(),
        };
        analyze::ddl::assign_to(&mut cx, e, type_oid, typmod)?
    };
    let Some(converted) = converted else {
        let shown = catalog.format_type(type_oid, None)?;
        return Err(match &def.raw_default {
            Some(_) => {
                let text = format!(
                    "result of USING clause for column \"{column}\" cannot be cast automatically to type {shown}"
                );
                PgError::new(DATATYPE_MISMATCH, text).hint("You might need to add an explicit cast.")
            }
            None => {
                let text = format!("column \"{column}\" cannot be cast automatically to type {shown}");
                let full = catalog.format_type(type_oid, Some(typmod))?;
                let hint =
                    format!("You might need to specify \"USING {}::{full}\".", catalog::quote_identifier(column));
                PgError::new(DATATYPE_MISMATCH, text).hint(hint)
            }
        });
    };
    let mut compiled = RowExprs::new(cmd.cx, rel.oid, &[converted], &[])?;
    let me = ObjectAddress::column(rel.oid, attnum);
    cmd.cx.catalog.delete_dependencies(&me, true)?;
    let ndims = type_name.array_bounds.len() as i16;
    edit_column(cmd, rel, attnum, |a| {
        (a.atttypid, a.atttypmod, a.attcollation, a.attndims) = (t.oid, typmod, collation, ndims);
        (a.attlen, a.attbyval, a.attalign, a.attstorage) = (t.typlen, t.typbyval, t.typalign, t.typstorage);
        (a.atthasmissing, a.attmissingval) = (false, None);
    })?;
    let dependency = catalog::DependencyType::Normal;
    cmd.cx.catalog.record_dependency(&me, &ObjectAddress::type_(type_oid), dependency)?;
    if collation.is_valid() && collation != oids::DEFAULT_COLLATION_OID {
        let on = ObjectAddress::new(oids::COLLATION_RELATION, collation);
        cmd.cx.catalog.record_dependency(&me, &on, dependency)?;
    }
    let key = [Datum::oid(rel.oid), Datum::i16(attnum), Datum::bool(false)];
    cmd.cx.catalog.delete_rows::<catalog::PgStatistic>(oids::STATISTIC_RELID_ATTNUM_INH_INDEX, &key)?;
    cmd.cx.catalog.command_counter_increment()?;
    cmd.cx.catalog.create_toast_table(rel.oid, None)?;
    cmd.cx.catalog.command_counter_increment()?;
    rewrite(cmd, rel, &mut |cx, mut row| {
        let value = compiled.values(cx, &row)?.pop().unwrap_or_default();
        row[attnum as usize - 1] = value;
        Ok(row)
    })
}

pub(crate) fn add_identity_of(cmd: &mut CommandContext<'_>, rel: &Relation, column: &str, c: &Constraint) -> Result<()> {
    let attnum = column_number(rel, column)?;
    let a = &rel.attributes[attnum as usize - 1];
    let refuse = |text: String| Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
    if !a.attnotnull {
        let of = rel.name();
        return refuse(format!(
            "column \"{column}\" of relation \"{of}\" must be declared NOT NULL before identity can be added"
        ));
    }
    if a.attidentity != 0 {
        return refuse(format!("column \"{column}\" of relation \"{}\" is already an identity column", rel.name()));
    }
    if a.atthasdef {
        return refuse(format!("column \"{column}\" of relation \"{}\" already has a default value", rel.name()));
    }
    let kind = if matches!(c.generated_when, Some(GeneratedWhen::Always)) { b'a' } else { b'd' };
    edit_column(cmd, rel, attnum, |a| a.attidentity = kind)?;
    sequence::create_for_column(cmd, rel.oid, attnum, &c.options, true).map(std::mem::drop)
}

pub(crate) fn drop_identity_of(cmd: &mut CommandContext<'_>, rel: &Relation, column: &str, missing_ok: bool) -> Result<()> {
    let attnum = column_number(rel, column)?;
    if rel.attributes[attnum as usize - 1].attidentity == 0 {
        let text = format!("column \"{column}\" of relation \"{}\" is not an identity column", rel.name());
        if !missing_ok {
            return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text));
        }
        cmd.notice(Severity::Notice, OBJECT_NOT_IN_PREREQUISITE_STATE, format!("{text}, skipping"));
        return Ok(());
    }
    edit_column(cmd, rel, attnum, |a| a.attidentity = 0)?;
    for seq in cmd.cx.catalog.owned_sequences(rel.oid, attnum, Some(catalog::DependencyType::Internal))? {
        let me = ObjectAddress::relation(seq);
        let (class, kind) = (oids::RELATION_RELATION, catalog::DependencyType::Internal);
        cmd.cx.catalog.delete_dependencies_on_class(&me, class, kind)?;
        cmd.cx.catalog.command_counter_increment()?;
        delete(cmd, me, catalog::DropBehavior::Restrict)?;
    }
    Ok(())
}
