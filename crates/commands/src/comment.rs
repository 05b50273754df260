//! COMMENT ON. (PostgreSQL: `comment.c`)

use base::{PgError, Result};
use catalog::{PgDescription, PgShdescription, oids};
use parser::ast::{CommentStmt, ObjectType};
use txn::LockMode;
use types::Datum;

use crate::{CommandContext, Outcome, object};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &CommentStmt) -> Result<Outcome> {
    let address = object::find(cmd, stmt.objtype, &stmt.object, LockMode::ShareUpdateExclusive)?;
    object::check_owner(cmd, stmt.objtype, &address)?;
    // An empty comment is none.
    let text = stmt.comment.as_deref().filter(|t| !t.is_empty());
    let shared = matches!(stmt.objtype, ObjectType::Database | ObjectType::Role | ObjectType::Tablespace);
    if shared {
        let key = [Datum::oid(address.object), Datum::oid(address.class)];
        cmd.cx.catalog.delete_rows::<PgShdescription>(oids::SHARED_DESCRIPTION_OBJ_INDEX, &key)?;
        if let Some(text) = text {
            let (objoid, classoid) = (address.object, address.class);
            cmd.cx.catalog.insert_row(&PgShdescription { objoid, classoid, description: text.to_owned() })?;
        }
        return Ok(Outcome::tag("COMMENT"));
    }
    set(cmd, &address, text)?;
    Ok(Outcome::tag("COMMENT"))
}

/// Replaces an object's comment. (PostgreSQL: `CreateComments`)
pub fn set(cmd: &CommandContext<'_>, o: &catalog::ObjectAddress, text: Option<&str>) -> Result<(), PgError> {
    let key = [Datum::oid(o.object), Datum::oid(o.class), Datum::i32(o.sub)];
    cmd.cx.catalog.delete_rows::<PgDescription>(oids::DESCRIPTION_OBJ_INDEX, &key)?;
    if let Some(text) = text {
        let row = PgDescription { objoid: o.object, classoid: o.class, objsubid: o.sub, description: text.to_owned() };
        cmd.cx.catalog.insert_row(&row)?;
    }
    cmd.cx.catalog.command_counter_increment()
}
