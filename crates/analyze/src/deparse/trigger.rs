//! CREATE TRIGGER as text. (PostgreSQL: `pg_get_triggerdef_worker`)

use catalog::PgTrigger;

use super::*;

/// `None` if there is no such trigger.
pub fn trigger_definition(rt: &mut dyn Runtime, c: &Catalog, oid: Oid, pretty: bool) -> Result<Option<String>> {
    let key = [types::Datum::oid(oid)];
    let Some(t) = c.rows::<PgTrigger>(catalog::oids::TRIGGER_OID_INDEX, &key)?.pop() else { return Ok(None) };
    let rel = c.relation_entry(t.tgrelid)?;
    let is_constraint = t.tgconstraint.is_valid();
    let kind = if is_constraint { "CONSTRAINT " } else { "" };
    let mut out = format!("CREATE {kind}TRIGGER {} ", quote_identifier(&t.tgname));
    out.push_str(match t.tgtype & (1 << 1 | 1 << 6) {
        0 => "AFTER",
        2 => "BEFORE",
        _ => "INSTEAD OF",
    });
    let mut glue = " ";
    for (bit, event) in [(1 << 2, "INSERT"), (1 << 3, "DELETE"), (1 << 4, "UPDATE"), (1 << 5, "TRUNCATE")] {
        if t.tgtype & bit == 0 {
            continue;
        }
        out.push_str(&format!("{glue}{event}"));
        glue = " OR ";
        if event == "UPDATE" && !t.tgattr.is_empty() {
            let name = |n: &i16| quote_identifier(&rel.desc.attrs[*n as usize - 1].name).into_owned();
            let names: Vec<String> = t.tgattr.iter().map(name).collect();
            out.push_str(&format!(" OF {}", names.join(", ")));
        }
    }
    let table = match pretty {
        true => crate::builtins::regtypes::regclass_text(c, rel.oid)?,
        false => quote_qualified(c.namespace_name(rel.namespace())?.as_deref(), rel.name()),
    };
    out.push_str(&format!(" ON {table} "));
    if is_constraint {
        if t.tgconstrrelid.is_valid() {
            out.push_str(&format!("FROM {} ", crate::builtins::regtypes::regclass_text(c, t.tgconstrrelid)?));
        }
        let not = if t.tgdeferrable { "" } else { "NOT " };
        let initially = if t.tginitdeferred { "DEFERRED" } else { "IMMEDIATE" };
        out.push_str(&format!("{not}DEFERRABLE INITIALLY {initially} "));
    }
    if t.tgoldtable.is_some() || t.tgnewtable.is_some() {
        out.push_str("REFERENCING ");
        for (what, name) in [("OLD", &t.tgoldtable), ("NEW", &t.tgnewtable)] {
            if let Some(name) = name {
                out.push_str(&format!("{what} TABLE AS {} ", quote_identifier(name)));
            }
        }
    }
    out.push_str(if t.tgtype & 1 != 0 { "FOR EACH ROW " } else { "FOR EACH STATEMENT " });
    if let Some(text) = &t.tgqual {
        let e = crate::nodes::read_expr(text, c)?;
        let layout = if pretty { Pretty::FULL } else { Pretty::INDENT };
        let when = Deparser::new(rt, c.clone(), layout).old_and_new(&e, t.tgrelid)?;
        out.push_str(&format!("WHEN ({when}) "));
    }
    let function = Deparser::new(rt, c.clone(), Pretty::INDENT).function_name(t.tgfoid, &[], false)?;
    out.push_str(&format!("EXECUTE FUNCTION {function}("));
    let args = t.tgargs.split(|b| *b == 0).take(t.tgnargs.max(0) as usize);
    let args: Vec<String> = args.map(|a| parser::quote_literal(&String::from_utf8_lossy(a))).collect();
    out.push_str(&args.join(", "));
    out.push(')');
    Ok(Some(out))
}
