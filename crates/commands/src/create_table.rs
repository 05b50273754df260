//! CREATE TABLE: columns, defaults, constraints, serial and identity columns. (PostgreSQL: `tablecmds.c`, `parse_utilcmd.c`)
//!
//! 1. Elements are sorted: columns with their own constraints, table constraints; `serial` becomes integer with a sequence.
//! 2. The relation is made; then defaults and CHECKs are analyzed over it, and indexes for keys are built.

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::ddl::new_attribute;
use catalog::{DependencyType, NewRelation, ObjectAddress, PgAttrdef, PgAttribute, oids, relkind};
use parser::ast::*;

use crate::{CommandContext, Outcome, constraint, index, inherit, like, name, options, partition, sequence, temp};

/// A column with what belongs to it until the table exists.
pub struct NewColumn {
    pub attribute: PgAttribute,
    pub default: Option<Expr>,
    /// A stored or virtual generation expression is in `default`.
    pub generated: u8,
    /// The sequence a serial or identity column gets: options, and whether it is an identity.
    pub sequence: Option<(Vec<DefElem>, bool)>,
    pub not_null_name: Option<Option<String>>,
    /// Of a typed table: options were written for it.
    pub given: bool,
}

impl NewColumn {
    /// A column without anything of its own.
    pub fn new(attribute: PgAttribute) -> NewColumn {
        NewColumn { attribute, default: None, generated: 0, sequence: None, not_null_name: None, given: false }
    }
}

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &CreateStmt) -> Result<Outcome> {
    let at = |e: PgError| if e.fields().position.is_some() { e } else { e.at(stmt.relation.location) };
    if stmt.partspec.is_some() && stmt.relation.relpersistence == RelPersistence::Unlogged {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "partitioned tables cannot be unlogged"));
    }
    if stmt.partspec.is_some() && stmt.partbound.is_none() && !stmt.inh_relations.is_empty() {
        let text = "cannot create partitioned table as inheritance child";
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    }
    let (namespace, persistence) = name::relation_schema(cmd.cx, &stmt.relation).map_err(at)?;
    temp::check_on_commit(stmt.oncommit, persistence)?;
    let relname = catalog::ddl::truncate_name(&stmt.relation.relname).to_owned();
    if cmd.cx.catalog.relation_by_name(namespace.oid, &relname)?.is_some() {
        let text = format!("relation \"{relname}\" already exists");
        if !stmt.if_not_exists {
            return Err(PgError::new(DUPLICATE_TABLE, text));
        }
        cmd.notice(base::Severity::Notice, DUPLICATE_TABLE, format!("{text}, skipping"));
        return Ok(Outcome::tag("CREATE TABLE"));
    }

    let parents = inherit::parents(cmd, &stmt.inh_relations, persistence, stmt.partbound.is_some())?;
    if stmt.partbound.is_some()
        && let Some(parent) = parents.first().filter(|p| p.kind() != relkind::PARTITIONED_TABLE)
    {
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, format!("\"{}\" is not partitioned", parent.name())));
    }
    let mut columns: Vec<NewColumn> = Vec::new();
    let mut constraints: Vec<(Constraint, Option<String>)> = Vec::new();
    let mut likes = Vec::new();
    let mut of_type = Oid::INVALID;
    if let Some(type_name) = &stmt.of_typename {
        of_type = name::type_name(cmd.cx, type_name)?.0;
        columns = columns_of_type(cmd, of_type)?;
    }
    let typed = columns.len();
    for element in &stmt.table_elts {
        match element {
            TableElement::ColumnDef(def) if def.type_name.is_none() && of_type.is_valid() => {
                let at = columns[..typed].iter().position(|c| c.attribute.attname == def.colname);
                let at = at.ok_or_else(|| {
                    PgError::new(UNDEFINED_COLUMN, format!("column \"{}\" does not exist", def.colname))
                })?;
                if std::mem::replace(&mut columns[at].given, true) {
                    let text = format!("column \"{}\" specified more than once", def.colname);
                    return Err(PgError::new(DUPLICATE_COLUMN, text));
                }
                let base = columns[at].attribute.clone();
                columns[at] = NewColumn { given: true, ..column_options(cmd, def, &base, &mut constraints)? };
            }
            TableElement::ColumnDef(def) if def.type_name.is_none() => {
                let base =
                    parents.first().and_then(|p| p.desc.find(&def.colname).map(|n| &p.attributes[n as usize - 1]));
                let base = base.ok_or_else(|| {
                    PgError::new(UNDEFINED_COLUMN, format!("column \"{}\" does not exist", def.colname))
                })?;
                let own = column_options(cmd, def, base, &mut constraints)?;
                if columns.iter().any(|c| c.attribute.attname == def.colname) {
                    let text = format!("column \"{}\" specified more than once", def.colname);
                    return Err(PgError::new(DUPLICATE_COLUMN, text));
                }
                columns.push(own);
            }
            TableElement::ColumnDef(def) => columns.push(column(cmd, def, &mut constraints)?),
            TableElement::Constraint(c) => constraints.push(((**c).clone(), None)),
            TableElement::TableLikeClause(clause) => likes.push(like::columns(cmd, clause, &mut columns)?),
        }
    }
    if !parents.is_empty() {
        columns = inherit::merge(cmd, &parents, columns, stmt.partbound.is_some())?;
    }
    primary_key_columns_are_not_null(&mut columns, &constraints)?;

    let mut new = NewRelation::new(
        &relname,
        namespace.oid,
        cmd.cx.settings.current_user,
        columns.iter().map(|c| c.attribute.clone()).collect(),
    );
    new.kind = if stmt.partspec.is_some() { relkind::PARTITIONED_TABLE } else { relkind::TABLE };
    if stmt.partspec.is_some() {
        new.am = Oid::INVALID;
    }
    new.of_type = of_type;
    new.persistence = persistence;
    new.tablespace = crate::tablespace::for_new(cmd, stmt.tablespacename.as_deref(), persistence)?;
    new.options = options::heap(&stmt.options)?;
    let oid = cmd.cx.catalog.create_relation(&new)?;
    temp::register_on_commit(cmd.cx, oid, stmt.oncommit);
    cmd.cx.catalog.command_counter_increment()?;
    cmd.cx.catalog.create_toast_table(oid, None)?;
    cmd.cx.catalog.command_counter_increment()?;

    for (i, column) in columns.iter().enumerate() {
        finish_column(cmd, oid, i as i16 + 1, column)?;
    }
    let (checks, keys): (Vec<_>, Vec<_>) = constraints.into_iter().partition(|(c, _)| c.contype == ConstrType::Check);
    add_constraints(cmd, oid, &checks)?;
    let mut cloned_from = None;
    if let (Some(bound), Some(parent)) = (&stmt.partbound, parents.first()) {
        let bound = partition::transform_bound(cmd, parent, bound)?;
        partition::check_bound(cmd, parent, &relname, &bound)?;
        inherit::finish(cmd, oid, &parents, &columns, true)?;
        partition::store_bound(cmd, oid, parent.oid, &bound)?;
        cloned_from = Some(parent.oid);
    } else if !parents.is_empty() {
        inherit::finish(cmd, oid, &parents, &columns, false)?;
    }
    if let Some(spec) = &stmt.partspec {
        partition::define_key(cmd, oid, spec)?;
    }
    if let Some(parent) = cloned_from {
        partition::indexes::ensure_all(cmd, parent, oid)?;
        crate::trigger::clone_row_triggers(cmd, parent, oid)?;
        partition::foreign_keys::clone_to(cmd, parent, oid, false)?;
    }
    add_constraints(cmd, oid, &keys)?;
    for l in &likes {
        like::finish(cmd, oid, l)?;
    }
    Ok(Outcome::tag("CREATE TABLE"))
}

/// The columns of a typed table. (PostgreSQL: `transformOfType`, `check_of_type`)
pub fn columns_of_type(cmd: &mut CommandContext<'_>, of_type: Oid) -> Result<Vec<NewColumn>> {
    let t = cmd.cx.catalog.type_row(of_type)?;
    let shown = cmd.cx.catalog.format_type(of_type, None)?;
    let wrong = |text: String| PgError::new(WRONG_OBJECT_TYPE, text);
    if t.typtype != b'c' {
        return Err(wrong(format!("type {shown} is not a composite type")));
    }
    let rel = cmd.cx.catalog.relation_entry(t.typrelid)?;
    if rel.kind() != relkind::COMPOSITE {
        let detail = "A typed table must use a stand-alone composite type created with CREATE TYPE.";
        return Err(wrong(format!("type {shown} is the row type of another table")).detail(detail));
    }
    executor::lock_relation(cmd.cx, rel.oid, txn::LockMode::AccessShare)?;
    let mut columns = Vec::new();
    for a in rel.attributes.iter().filter(|a| !a.attisdropped) {
        let t = cmd.cx.catalog.type_row(a.atttypid)?;
        let mut attribute = new_attribute(&a.attname, &t, a.atttypmod, a.attcollation);
        attribute.attndims = a.attndims;
        columns.push(NewColumn::new(attribute));
    }
    Ok(columns)
}

/// `serial` and its like: the integer type it stands for.
fn serial_type(t: &TypeName) -> Option<Oid> {
    if !t.array_bounds.is_empty() || t.pct_type {
        return None;
    }
    let [name] = t.names.as_slice() else { return None };
    match name.as_str() {
        "serial" | "serial4" => Some(types::oid::INT4OID),
        "bigserial" | "serial8" => Some(types::oid::INT8OID),
        "smallserial" | "serial2" => Some(types::oid::INT2OID),
        _ => None,
    }
}

/// What a column definition says; constraints that are the table's are added to `constraints`.
pub fn column(
    cmd: &mut CommandContext<'_>,
    def: &ColumnDef,
    constraints: &mut Vec<(Constraint, Option<String>)>,
) -> Result<NewColumn> {
    let type_name = def.type_name.as_ref().ok_or_else(|| PgError::unsupported("columns without a type"))?;
    let serial = serial_type(type_name);
    let (type_oid, typmod) = match serial {
        Some(oid) => (oid, -1),
        None => name::type_name(cmd.cx, type_name)?,
    };
    let t = cmd.cx.catalog.type_row(type_oid)?;
    if t.typtype == b'p' {
        let shown = cmd.cx.catalog.format_type(type_oid, None)?;
        let text = format!("column \"{}\" has pseudo-type {shown}", def.colname);
        return Err(PgError::new(INVALID_TABLE_DEFINITION, text).at(def.location));
    }
    let collation = match &def.coll_clause {
        Some(clause) => collation(cmd, clause, &t)?,
        None => t.typcollation,
    };
    let mut attribute = new_attribute(&def.colname, &t, typmod, collation);
    attribute.attndims = type_name.array_bounds.len() as i16;
    let column = NewColumn::new(attribute);
    options_of(def, column, serial.is_some(), t.typstorage, constraints)
}

/// `name WITH OPTIONS ...`: a column of a partition or typed table, whose type is known.
pub fn column_options(
    cmd: &mut CommandContext<'_>,
    def: &ColumnDef,
    base: &PgAttribute,
    constraints: &mut Vec<(Constraint, Option<String>)>,
) -> Result<NewColumn> {
    let t = cmd.cx.catalog.type_row(base.atttypid)?;
    let mut attribute = new_attribute(&def.colname, &t, base.atttypmod, base.attcollation);
    (attribute.attndims, attribute.attstorage) = (base.attndims, base.attstorage);
    attribute.attcompression = base.attcompression;
    options_of(def, NewColumn::new(attribute), false, t.typstorage, constraints)
}

fn options_of(
    def: &ColumnDef,
    mut column: NewColumn,
    serial: bool,
    typstorage: u8,
    constraints: &mut Vec<(Constraint, Option<String>)>,
) -> Result<NewColumn> {
    if let Some(method) = &def.compression {
        column.attribute.attcompression = match method.as_str() {
            "pglz" => b'p',
            "lz4" => b'l',
            "default" => 0,
            other => {
                let text = format!("invalid compression method \"{other}\"");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
            }
        };
    }
    if let Some(storage) = &def.storage_name {
        column.attribute.attstorage = match storage.to_ascii_lowercase().as_str() {
            "plain" => b'p',
            "external" => b'e',
            "extended" => b'x',
            "main" => b'm',
            "default" => typstorage,
            other => {
                let text = format!("invalid storage type \"{other}\"");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
            }
        };
    }
    if serial {
        column.sequence = Some((Vec::new(), false));
        column.not_null_name = Some(None);
    }
    let duplicate = |what: &str, at| {
        let text = format!("{what} for column \"{}\" of table", def.colname);
        PgError::new(SYNTAX_ERROR, text).at(at)
    };
    for c in &def.constraints {
        match c.contype {
            ConstrType::NotNull => {
                if column.not_null_name.is_none() || c.conname.is_some() {
                    column.not_null_name = Some(c.conname.clone());
                }
            }
            ConstrType::Null => {
                if column.not_null_name.is_some() {
                    return Err(duplicate("conflicting NULL/NOT NULL declarations", c.location));
                }
            }
            ConstrType::Default => {
                if column.default.is_some() || serial {
                    return Err(duplicate("multiple default values specified", c.location));
                }
                column.default = c.raw_expr.clone();
            }
            ConstrType::Identity => {
                let always = matches!(c.generated_when, Some(GeneratedWhen::Always));
                column.attribute.attidentity = if always { b'a' } else { b'd' };
                column.sequence = Some((c.options.clone(), true));
                column.not_null_name = column.not_null_name.take().or(Some(None));
            }
            ConstrType::Generated => {
                let stored = matches!(c.generated_kind, Some(GeneratedKind::Stored));
                column.generated = if stored { b's' } else { b'v' };
                column.attribute.attgenerated = column.generated;
                column.default = c.raw_expr.clone();
            }
            ConstrType::Check | ConstrType::Primary | ConstrType::Unique => {
                let mut c = c.clone();
                if c.contype != ConstrType::Check {
                    c.keys = vec![def.colname.clone()];
                }
                constraints.push((c, Some(def.colname.clone())));
            }
            ConstrType::Foreign => {
                let mut c = c.clone();
                c.fk_attrs = vec![def.colname.clone()];
                constraints.push((c, Some(def.colname.clone())));
            }
            ConstrType::Exclusion => return Err(PgError::unsupported("exclusion constraints")),
            _ => {
                let last = constraints.last_mut().filter(|(_, at)| at.as_deref() == Some(&def.colname));
                constraint_attribute(last.map(|l| &mut l.0), c)?;
            }
        }
    }
    column.attribute.attnotnull = column.not_null_name.is_some();
    Ok(column)
}

/// DEFERRABLE, NOT ENFORCED and their like, which belong to the constraint before. (PostgreSQL: `transformConstraintAttrs`)
fn constraint_attribute(of: Option<&mut Constraint>, c: &Constraint) -> Result<()> {
    use ConstrType::*;
    let (name, fits): (&str, &[ConstrType]) = match c.contype {
        AttrDeferrable => ("DEFERRABLE", &[Primary, Unique, Exclusion, Foreign]),
        AttrNotDeferrable => ("NOT DEFERRABLE", &[Primary, Unique, Exclusion, Foreign]),
        AttrDeferred => ("INITIALLY DEFERRED", &[Primary, Unique, Exclusion, Foreign]),
        AttrImmediate => ("INITIALLY IMMEDIATE", &[Primary, Unique, Exclusion, Foreign]),
        AttrEnforced => ("ENFORCED", &[Check, Foreign]),
        _ => ("NOT ENFORCED", &[Check, Foreign]),
    };
    let misplaced = || PgError::new(SYNTAX_ERROR, format!("misplaced {name} clause")).at(c.location);
    let of = of.filter(|of| fits.contains(&of.contype)).ok_or_else(misplaced)?;
    match c.contype {
        AttrDeferrable => of.deferrable = true,
        AttrNotDeferrable => {
            of.deferrable = false;
            if of.initdeferred {
                let text = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
                return Err(PgError::new(SYNTAX_ERROR, text).at(c.location));
            }
        }
        AttrDeferred => (of.deferrable, of.initdeferred) = (true, true),
        AttrImmediate => of.initdeferred = false,
        AttrEnforced => (of.is_enforced, of.skip_validation) = (true, false),
        _ => (of.is_enforced, of.skip_validation) = (false, true),
    }
    Ok(())
}

fn collation(cmd: &CommandContext<'_>, clause: &CollateClause, t: &catalog::PgType) -> Result<Oid> {
    let oid = index::collation_by_name(cmd.cx, &clause.collname)?;
    if !t.typcollation.is_valid() {
        let shown = cmd.cx.catalog.format_type(t.oid, None)?;
        let text = format!("collations are not supported by type {shown}");
        return Err(PgError::new(DATATYPE_MISMATCH, text).at(clause.location));
    }
    Ok(oid)
}

fn primary_key_columns_are_not_null(
    columns: &mut [NewColumn],
    constraints: &[(Constraint, Option<String>)],
) -> Result<()> {
    for (c, _) in constraints.iter().filter(|(c, _)| c.contype == ConstrType::Primary) {
        for key in &c.keys {
            let column = columns.iter_mut().find(|k| k.attribute.attname == *key).ok_or_else(|| {
                let text = format!("column \"{key}\" named in key does not exist");
                PgError::new(UNDEFINED_COLUMN, text).at(c.location)
            })?;
            column.attribute.attnotnull = true;
            column.not_null_name.get_or_insert(None);
        }
    }
    Ok(())
}

/// Default, sequence and NOT NULL constraint of a column, now that the table is there.
pub fn finish_column(cmd: &mut CommandContext<'_>, rel: Oid, attnum: i16, column: &NewColumn) -> Result<()> {
    if let Some(name) = &column.not_null_name {
        constraint::add_not_null(cmd, rel, attnum, name.as_deref())?;
    }
    if let Some((options, identity)) = &column.sequence {
        let default = sequence::create_for_column(cmd, rel, attnum, options, *identity)?;
        if let Some(default) = default {
            store_default(cmd, rel, attnum, &default, 0)?;
        }
    } else if let Some(expr) = &column.default {
        store_default(cmd, rel, attnum, expr, column.generated)?;
    }
    Ok(())
}

/// Analyzes and stores a column's default or generation expression. (PostgreSQL: `StoreAttrDefault`)
pub fn store_default(cmd: &mut CommandContext<'_>, rel: Oid, attnum: i16, expr: &Expr, generated: u8) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(rel)?;
    let attribute = entry.attributes[attnum as usize - 1].clone();
    let (catalog, source) = (cmd.cx.catalog.clone(), cmd.source);
    let cooked = {
        let mut cx = analyze::AnalyzeContext::new(catalog.clone(), cmd.cx);
        analyze::ddl::cook_default(
            &mut cx,
            rel,
            expr,
            attribute.atttypid,
            attribute.atttypmod,
            &attribute.attname,
            generated,
            source,
        )?
    };
    // DEFAULT NULL is no default.
    if generated == 0 && matches!(&cooked, analyze::query::Expr::Const(c) if c.value.is_null()) {
        return Ok(());
    }
    store_cooked(cmd, rel, attnum, &cooked, generated)
}

/// Stores a default or generation expression that is analyzed already.
pub fn store_cooked(
    cmd: &mut CommandContext<'_>,
    rel: Oid,
    attnum: i16,
    cooked: &analyze::query::Expr,
    generated: u8,
) -> Result<()> {
    let catalog = cmd.cx.catalog.clone();
    let oid = catalog.new_oid(oids::ATTR_DEFAULT_RELATION, oids::ATTR_DEFAULT_OID_INDEX)?;
    let adbin = crate::stored::text(cooked, &catalog)?;
    catalog.insert_row(&PgAttrdef { oid, adrelid: rel, adnum: attnum, adbin })?;
    let found = catalog.find_row::<PgAttribute>(
        oids::ATTRIBUTE_RELID_NUM_INDEX,
        &[types::Datum::oid(rel), types::Datum::i16(attnum)],
    )?;
    let found = found.ok_or_else(|| PgError::internal("the column of a default is gone"))?;
    let mut row = found.row.clone();
    row.atthasdef = true;
    row.attgenerated = generated;
    catalog.update_row(&found, &row)?;
    let me = ObjectAddress::new(oids::ATTR_DEFAULT_RELATION, oid);
    let kind = if generated == 0 { DependencyType::Auto } else { DependencyType::Internal };
    catalog.record_dependency(&me, &ObjectAddress::column(rel, attnum), kind)?;
    let objects = constraint::dependencies_of(cooked, rel);
    catalog.record_dependencies(&me, &objects, DependencyType::Normal)?;
    catalog.invalidate_relation(rel);
    catalog.command_counter_increment()
}

/// Adds table constraints: keys first get their indexes, then CHECKs.
pub fn add_constraints(cmd: &mut CommandContext<'_>, rel: Oid, list: &[(Constraint, Option<String>)]) -> Result<()> {
    let primaries = list.iter().filter(|(c, _)| c.contype == ConstrType::Primary).count();
    if primaries > 1 {
        let entry = cmd.cx.catalog.relation_entry(rel)?;
        let text = format!("multiple primary keys for table \"{}\" are not allowed", entry.name());
        return Err(PgError::new(INVALID_TABLE_DEFINITION, text));
    }
    let order = |c: &Constraint| match c.contype {
        ConstrType::Primary => 0,
        ConstrType::Unique => 1,
        _ => 2,
    };
    let mut sorted: Vec<&(Constraint, Option<String>)> = list.iter().collect();
    sorted.sort_by_key(|(c, _)| order(c));
    for (c, column) in sorted {
        constraint::add(cmd, rel, c, column.as_deref())?;
    }
    Ok(())
}
