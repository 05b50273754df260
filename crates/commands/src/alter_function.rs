//! ALTER FUNCTION, PROCEDURE and ROUTINE: their options. (PostgreSQL: `AlterFunction`)

use base::sqlstate::WRONG_OBJECT_TYPE;
use base::{Oid, PgError, Result};
use catalog::{DependencyType, ObjectAddress, PgProc, oids};
use parser::ast::{AlterFunctionStmt, ObjectType};
use types::Datum;

use crate::function_options::Common;
use crate::{CommandContext, Outcome, object};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &AlterFunctionStmt) -> Result<Outcome> {
    let proc = object::function(cmd, stmt.objtype, &stmt.func)?;
    let catalog = cmd.cx.catalog.clone();
    let noun = match proc.prokind {
        b'p' => "procedure",
        b'a' => "aggregate",
        _ => "function",
    };
    if !catalog.is_owner(cmd.cx.settings.current_user, proc.proowner)? {
        return Err(catalog::lookup::must_be_owner(noun, &proc.proname));
    }
    if proc.prokind == b'a' {
        let text = format!("\"{}\" is an aggregate function", stmt.func.objname.join("."));
        return Err(PgError::new(WRONG_OBJECT_TYPE, text));
    }
    let mut common = Common::default();
    for o in &stmt.actions {
        if !common.take(o, proc.prokind == b'p')? {
            return Err(PgError::internal(format!("option \"{}\" not recognized", o.defname)));
        }
    }
    let found = catalog.find_row::<PgProc>(oids::PROCEDURE_OID_INDEX, &[Datum::oid(proc.oid)])?;
    let found = found.ok_or_else(|| PgError::internal("a function is gone"))?;
    let mut row = (*proc).clone();
    let before: Oid = row.prosupport;
    common.apply(cmd, &mut row)?;
    catalog.update_row(&found, &row)?;
    if row.prosupport != before && row.prosupport.is_valid() {
        let me = ObjectAddress::function(row.oid);
        catalog.record_dependencies(&me, &[ObjectAddress::function(row.prosupport)], DependencyType::Normal)?;
    }
    catalog.command_counter_increment()?;
    Ok(Outcome::tag(match stmt.objtype {
        ObjectType::Procedure => "ALTER PROCEDURE",
        ObjectType::Routine => "ALTER ROUTINE",
        _ => "ALTER FUNCTION",
    }))
}
