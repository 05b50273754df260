//! Names of types and collations: found by the search path, with their modifiers.
//!
//! PostgreSQL: `parser/parse_type.c`.

use std::sync::Arc;

use base::error::Location;
use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::PgType;
use parser::ast;
use types::oid::*;
use types::{Datum, DatumRef};

use crate::AnalyzeContext;
use crate::lookup::{Lookup, format_type};
use crate::resolve::split_name;
use crate::state::Analyzer;

/// As messages show it. (PostgreSQL: `TypeNameToString`)
pub(crate) fn type_name_text(cx: &AnalyzeContext<'_>, t: &ast::TypeName) -> Result<String> {
    let mut s = if t.names.is_empty() { format_type(&cx.catalog, t.type_oid)? } else { t.names.join(".") };
    if t.pct_type {
        s.push_str("%TYPE");
    }
    if !t.array_bounds.is_empty() {
        s.push_str("[]");
    }
    Ok(s)
}

/// The type, or `None`; shells are found too. (PostgreSQL: `LookupTypeName`)
pub(crate) fn lookup_type(cx: &mut AnalyzeContext<'_>, t: &ast::TypeName) -> Result<Option<Arc<PgType>>> {
    let c = &cx.catalog;
    let found = if t.names.is_empty() {
        c.type_by_oid(t.type_oid)?
    } else if t.pct_type {
        let syntax = |what: &str| {
            let m = format!("improper %TYPE reference ({what}): {}", t.names.join("."));
            PgError::new(SYNTAX_ERROR, m).at(t.location)
        };
        let (schema, rel, col) = match &t.names[..] {
            [] | [_] => return Err(syntax("too few dotted names")),
            [rel, col] => (None, rel, col),
            [schema, rel, col] | [_, schema, rel, col] => (Some(schema.as_str()), rel, col),
            _ => return Err(syntax("too many dotted names")),
        };
        let relid = c.find_relation(schema, rel, true)?.ok_or_else(|| {
            let full = schema.map_or(rel.clone(), |s| format!("{s}.{rel}"));
            PgError::new(UNDEFINED_TABLE, format!("relation \"{full}\" does not exist")).at(t.location)
        })?;
        let a = c.attribute_by_name(relid, col)?.ok_or_else(|| {
            let m = format!("column \"{col}\" of relation \"{rel}\" does not exist");
            PgError::new(UNDEFINED_COLUMN, m).at(t.location)
        })?;
        let (from, to) = (type_name_text(cx, t)?, format_type(&cx.catalog, a.atttypid)?);
        let m = format!("type reference {from} converted to {to}");
        cx.rt.notice(PgError::with_severity(base::Severity::Notice, SUCCESSFUL_COMPLETION, m));
        cx.catalog.type_by_oid(a.atttypid)?
    } else {
        if t.names.len() > 3 {
            let m = format!("improper qualified name (too many dotted names): {}", t.names.join("."));
            return Err(PgError::new(SYNTAX_ERROR, m).at(t.location));
        }
        let (schema, name) = split_name(&t.names);
        c.find_type(schema, name, schema.is_none()).map_err(|e| e.at(t.location))?
    };
    let Some(found) = found else { return Ok(None) };
    if t.array_bounds.is_empty() {
        return Ok(Some(found));
    }
    let array = cx.catalog.array_of(found.oid)?;
    if array.is_valid() { cx.catalog.type_by_oid(array) } else { Ok(None) }
}

/// The type and its modifier; must exist and be more than a shell. (PostgreSQL: `typenameTypeIdAndMod`)
pub(crate) fn type_and_typmod(cx: &mut AnalyzeContext<'_>, t: &ast::TypeName) -> Result<(Oid, i32)> {
    let missing = |cx: &AnalyzeContext<'_>, tail: &str| -> Result<PgError> {
        let m = format!("type \"{}\" {tail}", type_name_text(cx, t)?);
        Ok(PgError::new(UNDEFINED_OBJECT, m).at(t.location))
    };
    let Some(row) = lookup_type(cx, t)? else { return Err(missing(cx, "does not exist")?) };
    if !row.typisdefined {
        return Err(missing(cx, "is only a shell")?);
    }
    let typmod = type_modifier(cx, t, &row)?;
    Ok((row.oid, typmod))
}

/// (PostgreSQL: `typenameTypeMod`)
fn type_modifier(cx: &mut AnalyzeContext<'_>, t: &ast::TypeName, row: &PgType) -> Result<i32> {
    if t.typmods.is_empty() {
        // Trees are also made by code that leaves the field zero.
        return Ok(if t.names.is_empty() || t.typemod != 0 { t.typemod } else { -1 });
    }
    let syntax = |m: String| PgError::new(SYNTAX_ERROR, m).at(t.location);
    if !row.typmodin.is_valid() {
        let name = type_name_text(cx, t)?;
        return Err(syntax(format!("type modifier is not allowed for type \"{name}\"")));
    }
    let mut texts: Vec<String> = Vec::new();
    for m in &t.typmods {
        texts.push(match m {
            ast::Expr::AConst(c) => match &c.val {
                ast::Value::Integer(i) => i.to_string(),
                ast::Value::Float(s) | ast::Value::String(s) => s.clone(),
                _ => return Err(syntax("type modifiers must be simple constants or identifiers".to_owned())),
            },
            ast::Expr::ColumnRef(c) => match &c.fields[..] {
                [ast::Field::Name(n)] => n.clone(),
                _ => return Err(syntax("type modifiers must be simple constants or identifiers".to_owned())),
            },
            _ => return Err(syntax("type modifiers must be simple constants or identifiers".to_owned())),
        });
    }
    let arg = Datum::bytes(cstring_array(&texts));
    let d = cx.rt.call(row.typmodin, Oid::INVALID, &[arg.as_ref()]).map_err(|e| e.at(t.location))?;
    Ok(match d.as_ref() {
        DatumRef::Word(w) => w as i32,
        _ => -1,
    })
}

/// A one-dimensional `cstring[]`, as typmod input functions take it.
pub(crate) fn cstring_array(items: &[String]) -> Vec<u8> {
    let mut b = Vec::new();
    b.extend_from_slice(&1i32.to_le_bytes());
    b.extend_from_slice(&0i32.to_le_bytes());
    b.extend_from_slice(&CSTRINGOID.0.to_le_bytes());
    b.extend_from_slice(&(items.len() as i32).to_le_bytes());
    b.extend_from_slice(&1i32.to_le_bytes());
    for s in items {
        b.extend_from_slice(s.as_bytes());
        b.push(0);
    }
    b
}

/// The collation of that name. (PostgreSQL: `get_collation_oid`)
pub(crate) fn find_collation(c: &catalog::Catalog, names: &[String]) -> Result<Oid> {
    const UTF8: i32 = 6;
    let (schema, name) = split_name(names);
    let found = match schema {
        Some(s) => {
            let ns = c.explicit_namespace(s, false)?.unwrap_or_default();
            c.collation_by_name(name, UTF8, ns)?
        }
        None => {
            let mut found = None;
            for ns in &c.search_path()?.schemas {
                found = c.collation_by_name(name, UTF8, *ns)?;
                if found.is_some() {
                    break;
                }
            }
            found
        }
    };
    found.map(|f| f.oid).ok_or_else(|| {
        let m = format!("collation \"{}\" for encoding \"UTF8\" does not exist", names.join("."));
        PgError::new(UNDEFINED_OBJECT, m)
    })
}

impl Analyzer<'_, '_> {
    pub(crate) fn type_and_typmod(&mut self, t: &ast::TypeName) -> Result<(Oid, i32)> {
        type_and_typmod(self.cx, t)
    }
    pub(crate) fn find_collation(&self, names: &[String], location: Location) -> Result<Oid> {
        find_collation(self.cat(), names).map_err(|e| e.at(location))
    }
    /// A column definition's collation. (PostgreSQL: `GetColumnDefCollation`)
    pub(crate) fn column_collation(&self, c: &ast::ColumnDef, oid: Oid) -> Result<Oid> {
        let own = self.cat().type_collation(oid)?;
        let Some(clause) = &c.coll_clause else { return Ok(own) };
        let coll = self.find_collation(&clause.collname, clause.location)?;
        if !own.is_valid() {
            let m = format!("collations are not supported by type {}", format_type(self.cat(), oid)?);
            return Err(PgError::new(DATATYPE_MISMATCH, m).at(clause.location));
        }
        Ok(coll)
    }
}
