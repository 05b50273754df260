//! CREATE LANGUAGE with a handler of its own. (PostgreSQL: `proclang.c`)

use base::sqlstate::*;
use base::{Oid, PgError, Result};
use catalog::{DependencyType, ObjectAddress, PgLanguage, oids};
use parser::ast::*;
use types::Datum;
use types::oid::{INTERNALOID, LANGUAGEHANDLEROID, OIDOID};

use super::*;

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreatePLangStmt) -> Result<Outcome> {
    must_be_superuser(cmd, "create custom procedural language")?;
    let handler = required_function(cmd, &stmt.plhandler, &[])?;
    if handler.prorettype != LANGUAGEHANDLEROID {
        let text = format!("function {} must return type language_handler", stmt.plhandler.join("."));
        return Err(PgError::new(WRONG_OBJECT_TYPE, text));
    }
    let optional = |parts: &[String], arg: Oid| match parts.is_empty() {
        true => Ok(Oid::INVALID),
        false => required_function(cmd, parts, &[arg]).map(|p| p.oid),
    };
    let inline = optional(&stmt.plinline, INTERNALOID)?;
    let validator = optional(&stmt.plvalidator, OIDOID)?;
    let catalog = cmd.cx.catalog.clone();
    let mut row = PgLanguage {
        oid: Oid::INVALID,
        lanname: stmt.plname.clone(),
        lanowner: cmd.cx.settings.current_user,
        lanispl: true,
        lanpltrusted: stmt.pltrusted,
        lanplcallfoid: handler.oid,
        laninline: inline,
        lanvalidator: validator,
        lanacl: None,
    };
    let old = catalog.language_by_name(&stmt.plname)?;
    match &old {
        Some(_) if !stmt.replace => {
            return Err(PgError::new(DUPLICATE_OBJECT, format!("language \"{}\" already exists", stmt.plname)));
        }
        Some(old) => {
            let found = catalog.find_row::<PgLanguage>(oids::LANGUAGE_OID_INDEX, &[Datum::oid(old.oid)])?;
            let found = found.ok_or_else(|| PgError::internal("a language is gone"))?;
            (row.oid, row.lanowner, row.lanacl) = (old.oid, old.lanowner, old.lanacl.clone());
            catalog.update_row(&found, &row)?;
        }
        None => {
            row.oid = catalog.new_oid(oids::LANGUAGE_RELATION, oids::LANGUAGE_OID_INDEX)?;
            catalog.insert_row(&row)?;
        }
    }
    let me = ObjectAddress::new(oids::LANGUAGE_RELATION, row.oid);
    match old {
        Some(_) => catalog.delete_dependencies(&me, true)?,
        None => catalog.record_owner(&me, row.lanowner)?,
    }
    let on: Vec<ObjectAddress> =
        [handler.oid, inline, validator].iter().filter_map(|f| f.valid()).map(ObjectAddress::function).collect();
    catalog.record_dependencies(&me, &on, DependencyType::Normal)?;
    catalog.command_counter_increment()?;
    Ok(Outcome::tag("CREATE LANGUAGE"))
}
