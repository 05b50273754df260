//! CREATE STATISTICS back to text. (PostgreSQL: `pg_get_statisticsobj_worker`)

use super::*;

fn deparsed(rt: &mut dyn Runtime, c: &Catalog, s: &catalog::PgStatisticExt, parens: bool) -> Result<Vec<String>> {
    let Some(text) = &s.stxexprs else { return Ok(Vec::new()) };
    let p = Pretty { paren: parens, indent: !parens, schema: false };
    let mut out = Vec::new();
    for e in crate::nodes::read_exprs(text, c)? {
        let shown = Deparser::new(rt, c.clone(), p).expr_of_relation(&e, s.stxrelid)?;
        let call = matches!(&e, Expr::FuncExpr(f) if f.funcformat == CoercionForm::ExplicitCall);
        out.push(if call || !parens { shown } else { format!("({shown})") });
    }
    Ok(out)
}

/// The definition of a statistics object, or only its columns and expressions.
pub fn statistics_definition(
    rt: &mut dyn Runtime,
    c: &Catalog,
    oid: Oid,
    columns_only: bool,
) -> Result<Option<String>> {
    let Some(s) = c.statistics_object(oid)? else { return Ok(None) };
    let table = c.relation_entry(s.stxrelid)?;
    let mut parts: Vec<String> =
        s.stxkeys.iter().map(|k| quote_identifier(&table.desc.attrs[*k as usize - 1].name).into_owned()).collect();
    parts.extend(deparsed(rt, c, &s, true)?);
    if columns_only {
        return Ok(Some(parts.join(", ")));
    }
    let namespace = c.namespace_name(s.stxnamespace)?;
    let mut out = format!("CREATE STATISTICS {}", quote_qualified(namespace.as_deref(), &s.stxname));
    let kinds: Vec<&str> = [(b'd', "ndistinct"), (b'f', "dependencies"), (b'm', "mcv")]
        .into_iter()
        .filter(|(k, _)| s.stxkind.contains(k))
        .map(|(_, word)| word)
        .collect();
    if kinds.len() < 3 && parts.len() > 1 {
        out += &format!(" ({})", kinds.join(", "));
    }
    out += &format!(" ON {} FROM {}", parts.join(", "), relation_name(c, &table)?);
    Ok(Some(out))
}

/// The table's name, with its schema where the search path does not find it.
fn relation_name(c: &Catalog, table: &catalog::Relation) -> Result<String> {
    let visible = c.relation_is_visible(table.namespace(), table.name(), table.oid)?;
    let schema = if visible { None } else { c.namespace_name(table.namespace())? };
    Ok(quote_qualified(schema.as_deref(), table.name()))
}

/// The expressions of a statistics object.
pub fn statistics_expressions(rt: &mut dyn Runtime, c: &Catalog, oid: Oid) -> Result<Option<Vec<String>>> {
    let Some(s) = c.statistics_object(oid)? else { return Ok(None) };
    let list = deparsed(rt, c, &s, false)?;
    Ok((!list.is_empty()).then_some(list))
}
