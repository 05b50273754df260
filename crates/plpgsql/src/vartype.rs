//! Types of variables. (PostgreSQL: `build_datatype`, `parse_datatype`, `plpgsql_parse_cwordtype`)

use analyze::AnalyzeContext;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use executor::ExecContext;
use types::oid::*;

use crate::tree::{TypeKind, VarType};

/// A variable's type by its id.
pub fn of_oid(cx: &ExecContext, oid: Oid, typmod: i32, collation: Oid) -> Result<VarType> {
    let t = cx.catalog.type_row(oid)?;
    if !t.typisdefined {
        return Err(PgError::new(UNDEFINED_OBJECT, format!("type \"{}\" is only a shell", t.typname)));
    }
    let kind = match t.typtype {
        b'c' => TypeKind::Row,
        b'd' => {
            let (base, _) = cx.catalog.base_type(oid, -1)?;
            if cx.catalog.type_row(base)?.typtype == b'c' || base == RECORDOID {
                TypeKind::Row
            } else {
                TypeKind::Scalar
            }
        }
        b'p' if oid == RECORDOID => TypeKind::Row,
        b'p' => TypeKind::Pseudo,
        _ => TypeKind::Scalar,
    };
    let collation = match (t.typcollation.is_valid(), collation.is_valid()) {
        (true, true) => collation,
        _ => t.typcollation,
    };
    Ok(VarType { oid, typmod, collation, kind })
}

/// A type by the text of its name.
pub fn of_text(cx: &mut ExecContext, text: &str) -> Result<VarType> {
    let name = parser::parse_type_name(text)?;
    if name.setof {
        return Err(PgError::new(SYNTAX_ERROR, format!("invalid type name \"{text}\"")));
    }
    let catalog = cx.catalog.clone();
    let found = analyze::ddl::transform_type_name(&mut AnalyzeContext::new(catalog, cx), &name);
    let (oid, typmod) = found.map_err(|mut e| {
        e.fields_mut().position = None;
        e
    })?;
    of_oid(cx, oid, typmod, Oid::INVALID)
}

/// The array over a type. (PostgreSQL: `plpgsql_build_datatype_arrayof`)
pub fn array_of(cx: &ExecContext, t: &VarType) -> Result<VarType> {
    if cx.catalog.element_type(t.oid)?.is_some() {
        return Ok(t.clone());
    }
    match cx.catalog.array_type(t.oid)? {
        Some(array) => of_oid(cx, array, t.typmod, t.collation),
        None => {
            let name = cx.catalog.format_type(t.oid, None)?;
            Err(PgError::new(UNDEFINED_OBJECT, format!("could not find array type for data type {name}")))
        }
    }
}

fn relation(cx: &ExecContext, parts: &[String]) -> Result<Oid> {
    let (schema, name) = match parts {
        [name] => (None, name),
        [schema, name] => (Some(schema.as_str()), name),
        [database, schema, name] if *database != *cx.settings.database_name => {
            let text = format!("cross-database references are not implemented: \"{database}.{schema}.{name}\"");
            return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
        }
        [.., schema, name] => (Some(schema.as_str()), name),
        [] => return Err(PgError::internal("an empty name")),
    };
    if let Some(s) = schema {
        cx.catalog.explicit_namespace(s, false)?;
    }
    cx.catalog.find_relation(schema, name, true)?.ok_or_else(|| {
        let shown = match schema {
            Some(s) => format!("{s}.{name}"),
            None => name.clone(),
        };
        PgError::new(UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"))
    })
}

/// `table%ROWTYPE`
pub fn row_type(cx: &ExecContext, parts: &[String]) -> Result<VarType> {
    let class = cx.catalog.relation_entry(relation(cx, parts)?)?.class.clone();
    if !class.reltype.is_valid() {
        let text = format!("relation \"{}\" does not have a composite type", class.relname);
        return Err(PgError::new(WRONG_OBJECT_TYPE, text));
    }
    of_oid(cx, class.reltype, -1, Oid::INVALID)
}

/// `table.column%TYPE`
pub fn column_type(cx: &ExecContext, parts: &[String]) -> Result<VarType> {
    let Some((column, table)) = parts.split_last() else { return Err(PgError::internal("an empty name")) };
    let rel = relation(cx, table)?;
    match cx.catalog.attribute_by_name(rel, column)? {
        Some(a) => of_oid(cx, a.atttypid, a.atttypmod, a.attcollation),
        None => {
            let name = table.last().map(String::as_str).unwrap_or_default();
            let text = format!("column \"{column}\" of relation \"{name}\" does not exist");
            Err(PgError::new(UNDEFINED_COLUMN, text))
        }
    }
}
