//! CREATE TABLE ... (LIKE other INCLUDING ...). (PostgreSQL: `transformTableLikeClause`, `expandTableLikeClause`)

use std::sync::Arc;

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::ddl::new_attribute;
use catalog::{NewConstraint, ObjectAddress, PgDescription, Relation, oids, relkind};
use parser::ast::table_like::*;
use parser::ast::*;
use txn::LockMode;
use types::Datum;

use crate::create_table::NewColumn;
use crate::{CommandContext, alter_table, comment, constraint, create_table, index, name};

/// A LIKE clause with its source, for what can be done only when the table exists.
pub struct Like {
    source: Arc<Relation>,
    options: u32,
    /// How many columns came before those of the source.
    offset: i16,
}

/// The source's columns, appended to those there are.
pub fn columns(cmd: &mut CommandContext<'_>, clause: &TableLikeClause, columns: &mut Vec<NewColumn>) -> Result<Like> {
    let source = name::relation(cmd.cx, &clause.relation, LockMode::AccessShare)?;
    if !matches!(
        source.kind(),
        relkind::TABLE | relkind::VIEW | relkind::MATERIALIZED_VIEW | relkind::COMPOSITE | b'f' | b'p'
    ) {
        let text = format!("relation \"{}\" is invalid in LIKE clause", source.name());
        return Err(PgError::new(WRONG_OBJECT_TYPE, text).at(clause.relation.location));
    }
    let (user, acl) = (cmd.cx.settings.current_user, source.class.relacl.as_deref());
    let select = catalog::acl::ACL_SELECT;
    if !cmd.cx.catalog.has_privilege(user, catalog::AclKind::Table, source.owner(), acl, select)? {
        return Err(catalog::lookup::permission_denied(name::kind_name(source.kind()), source.name()));
    }
    let like = Like { source: source.clone(), options: clause.options, offset: columns.len() as i16 };
    // Expressions are copied with their column numbers.
    let moved = like.offset != 0 || source.attributes.iter().any(|a| a.attisdropped);
    let generated = source.attributes.iter().any(|a| a.attgenerated != 0) && clause.options & GENERATED != 0;
    let checks = source.checks.iter().any(|c| c.contype == b'c') && clause.options & CONSTRAINTS != 0;
    if moved && (generated || checks) {
        return Err(PgError::unsupported("LIKE of expressions over columns that get other numbers"));
    }
    for a in source.attributes.iter().filter(|a| !a.attisdropped) {
        let t = cmd.cx.catalog.type_row(a.atttypid)?;
        let mut attribute = new_attribute(&a.attname, &t, a.atttypmod, a.attcollation);
        attribute.attndims = a.attndims;
        attribute.attnotnull = a.attnotnull;
        if clause.options & STORAGE != 0 {
            attribute.attstorage = a.attstorage;
        }
        if clause.options & COMPRESSION != 0 {
            attribute.attcompression = a.attcompression;
        }
        let mut column = NewColumn::new(attribute);
        if a.attnotnull {
            let list = source.checks.iter();
            let named = list.filter(|c| c.contype == b'n' && c.conkey.as_deref() == Some(&[a.attnum]));
            column.not_null_name = Some(named.map(|c| c.conname.clone()).next());
        }
        if a.attidentity != 0 && clause.options & IDENTITY != 0 {
            column.attribute.attidentity = a.attidentity;
            column.sequence = Some((sequence_options(cmd, source.oid, a.attnum)?, true));
        }
        columns.push(column);
    }
    Ok(like)
}

fn sequence_options(cmd: &CommandContext<'_>, rel: Oid, attnum: i16) -> Result<Vec<DefElem>> {
    let Some(seq) = cmd.cx.catalog.owned_sequences(rel, attnum, None)?.first().copied() else { return Ok(Vec::new()) };
    let Some(row) = cmd.cx.catalog.sequence(seq)? else { return Ok(Vec::new()) };
    let option = |name: &str, arg| DefElem {
        defnamespace: None,
        defname: name.to_owned(),
        arg: Some(arg),
        defaction: DefElemAction::Unspec,
        location: base::error::Location::UNKNOWN,
    };
    let number = |v: i64| DefArg::Float(v.to_string());
    Ok(vec![
        option("start", number(row.seqstart)),
        option("increment", number(row.seqincrement)),
        option("minvalue", number(row.seqmin)),
        option("maxvalue", number(row.seqmax)),
        option("cache", number(row.seqcache)),
        option("cycle", DefArg::Boolean(row.seqcycle)),
    ])
}

/// Defaults, checks, indexes and comments, now that the table is there.
pub fn finish(cmd: &mut CommandContext<'_>, rel: Oid, like: &Like) -> Result<()> {
    let (source, catalog) = (&like.source, cmd.cx.catalog.clone());
    let has = |bit| like.options & bit != 0;
    let mut number = like.offset;
    for a in source.attributes.iter().filter(|a| !a.attisdropped) {
        number += 1;
        let wanted = if a.attgenerated == 0 { has(DEFAULTS) } else { has(GENERATED) };
        if wanted && let Some(text) = source.default_of(a.attnum) {
            let cooked = analyze::nodes::read_expr(text, &catalog)?;
            create_table::store_cooked(cmd, rel, number, &cooked, a.attgenerated)?;
        }
        if has(COMMENTS) {
            copy_comment(cmd, &ObjectAddress::column(source.oid, a.attnum), &ObjectAddress::column(rel, number))?;
        }
        if has(STATISTICS) && a.attstattarget.is_some() {
            let entry = catalog.relation_entry(rel)?;
            alter_table::edit_column(cmd, &entry, number, |new| new.attstattarget = a.attstattarget)?;
        }
    }
    if has(CONSTRAINTS) {
        for c in source.checks.iter().filter(|c| c.contype == b'c') {
            let Some(text) = &c.conbin else { continue };
            let cooked = analyze::nodes::read_expr(text, &catalog)?;
            let entry = catalog.relation_entry(rel)?;
            let mut new = NewConstraint::new(&c.conname, entry.namespace(), b'c', rel, c.conkey.clone());
            new.row.conbin = Some(text.clone());
            new.row.conenforced = c.conenforced;
            new.row.convalidated = c.conenforced;
            new.expression_dependencies = constraint::dependencies_of(&cooked, rel);
            catalog.create_constraint(&new)?;
            alter_table::edit_class(cmd, rel, |row| row.relchecks += 1)?;
        }
    }
    if has(INDEXES) {
        for i in &source.indexes {
            copy_index(cmd, rel, source, *i)?;
        }
    }
    Ok(())
}

fn copy_comment(cmd: &CommandContext<'_>, from: &ObjectAddress, to: &ObjectAddress) -> Result<()> {
    let key = [Datum::oid(from.object), Datum::oid(from.class), Datum::i32(from.sub)];
    match cmd.cx.catalog.find_row::<PgDescription>(oids::DESCRIPTION_OBJ_INDEX, &key)? {
        Some(found) => comment::set(cmd, to, Some(&found.row.description)),
        None => Ok(()),
    }
}

/// An index over plain columns with default operator classes.
fn copy_index(cmd: &mut CommandContext<'_>, rel: Oid, source: &Relation, oid: Oid) -> Result<()> {
    let entry = cmd.cx.catalog.relation_entry(oid)?;
    let info = entry.index.as_ref().ok_or_else(|| PgError::internal("an index without its definition"))?;
    if info.expressions.is_some() || info.predicate.is_some() {
        return Err(PgError::unsupported("LIKE ... INCLUDING INDEXES of expression or partial indexes"));
    }
    let column = |n: i16| source.attributes[n as usize - 1].attname.clone();
    let mut elements = Vec::new();
    for k in 0..info.key_count {
        let a = &source.attributes[info.columns[k] as usize - 1];
        let default = cmd.cx.catalog.default_opclass(a.atttypid, info.am)?.map(|c| c.oid);
        if default != Some(info.opclasses[k]) || info.collations[k] != a.attcollation {
            return Err(PgError::unsupported("LIKE ... INCLUDING INDEXES with other operator classes or collations"));
        }
        elements.push(IndexElem {
            name: Some(a.attname.clone()),
            ordering: if info.is_descending(k) { SortByDir::Desc } else { SortByDir::Default },
            nulls_ordering: if info.nulls_first(k) { SortByNulls::First } else { SortByNulls::Last },
            ..IndexElem::default()
        });
    }
    let is_constraint =
        cmd.cx.catalog.constraints_of_relation(source.oid)?.iter().any(|c| c.conindid == oid && c.contype != b'f');
    let target = cmd.cx.catalog.relation_entry(rel)?;
    let included = &info.columns[info.key_count..];
    let element = |n: &i16| IndexElem { name: Some(column(*n)), ..IndexElem::default() };
    let stmt = IndexStmt {
        relation: RangeVar { relname: target.name().to_owned(), ..RangeVar::default() },
        access_method: "btree".into(),
        index_params: elements,
        index_including_params: included.iter().map(element).collect(),
        unique: info.row.indisunique,
        nulls_not_distinct: info.row.indnullsnotdistinct,
        primary: info.row.indisprimary,
        isconstraint: is_constraint,
        ..IndexStmt::default()
    };
    index::define(cmd, rel, &stmt).map(drop)
}
