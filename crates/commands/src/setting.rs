//! Settings in statements: the text of SET's arguments, and settings kept in catalogs (`proconfig`, `setconfig`).

use base::PgError;
use base::Result;
use base::guc::{self, Guc};
use base::sqlstate::INVALID_PARAMETER_VALUE;
use parser::ast::{Expr, Value, VariableSetKind, VariableSetStmt};

/// A list of `name=value` after SET or RESET; `None` when nothing is left. (PostgreSQL: `update_proconfig_value`)
pub fn changed(
    old: Option<Vec<String>>,
    s: &VariableSetStmt,
    current: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Vec<String>>> {
    let mut list = old.unwrap_or_default();
    let name = s.name.clone().unwrap_or_default();
    let name = Guc::find(&name).map_or(name.clone(), |g| g.name().to_owned());
    let value = match s.kind {
        VariableSetKind::ResetAll => return Ok(None),
        VariableSetKind::Value => Some(set_value(&name, &s.args)?),
        VariableSetKind::Current => Some(current(&name).ok_or_else(|| guc::unrecognized(&name))?),
        _ => None,
    };
    if Guc::find(&name).is_none() {
        guc::check_custom_name(&name)?;
    }
    let at = list.iter().position(|e| e.split_once('=').is_some_and(|(n, _)| n.eq_ignore_ascii_case(&name)));
    match (value, at) {
        (Some(v), Some(at)) => list[at] = format!("{name}={v}"),
        (Some(v), None) => list.push(format!("{name}={v}")),
        (None, Some(at)) => drop(list.remove(at)),
        (None, None) => {}
    }
    Ok((!list.is_empty()).then_some(list))
}

/// The text of SET's arguments. (PostgreSQL: `flatten_set_variable_args`)
pub fn set_value(name: &str, args: &[Expr]) -> Result<String> {
    let list = Guc::find(name).is_some_and(|g| {
        matches!(
            g,
            guc::SEARCH_PATH
                | guc::TEMP_TABLESPACES
                | guc::SESSION_PRELOAD_LIBRARIES
                | guc::LOCAL_PRELOAD_LIBRARIES
                | guc::DATESTYLE
                | guc::CREATEROLE_SELF_GRANT
                | guc::UNIX_SOCKET_DIRECTORIES
                | guc::LISTEN_ADDRESSES
                | guc::SHARED_PRELOAD_LIBRARIES
                | guc::SYNCHRONOUS_STANDBY_NAMES
                | guc::LOG_DESTINATION
                | guc::WAL_CONSISTENCY_CHECKING
                | guc::DEBUG_IO_DIRECT
                | guc::RESTRICT_NONSYSTEM_RELATION_KIND
        )
    });
    if args.len() > 1 && !list {
        return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("SET {name} takes only one argument")));
    }
    let quote = list && Guc::find(name) != Some(guc::DATESTYLE);
    let mut words = Vec::new();
    for arg in args {
        let constant = match arg {
            Expr::AConst(c) => &c.val,
            Expr::TypeCast(t) => match &t.arg {
                Expr::AConst(c) => &c.val,
                _ => return Err(PgError::internal("unrecognized SET argument")),
            },
            _ => return Err(PgError::internal("unrecognized SET argument")),
        };
        words.push(match constant {
            Value::Integer(i) => i.to_string(),
            Value::Float(s) => s.clone(),
            Value::String(s) if quote => parser::quote_identifier(s).into_owned(),
            Value::String(s) => s.clone(),
            Value::Boolean(b) => if *b { "on" } else { "off" }.to_owned(),
            _ => return Err(PgError::internal("unrecognized SET argument")),
        });
    }
    Ok(words.join(", "))
}
