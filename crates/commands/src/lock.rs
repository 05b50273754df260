//! LOCK TABLE. (PostgreSQL: `lockcmds.c`)

use base::sqlstate::*;
use base::{PgError, Result};
use catalog::acl::{ACL_DELETE, ACL_INSERT, ACL_MAINTAIN, ACL_SELECT, ACL_TRUNCATE, ACL_UPDATE};
use catalog::{AclKind, relkind};
use parser::ast::LockStmt;
use txn::lock::{Acquired, LockLevel, Wait};
use txn::{LockMode, LockTag};

use crate::partition::tree;
use crate::{CommandContext, Outcome, name};

pub fn execute(cmd: &mut CommandContext<'_>, stmt: &LockStmt) -> Result<Outcome> {
    let mode = u8::try_from(stmt.mode).ok().and_then(LockMode::from_u8);
    let mode = mode.ok_or_else(|| PgError::internal("an unknown lock mode"))?;
    for var in &stmt.relations {
        let found = cmd.cx.catalog.find_relation(var.schemaname.as_deref(), &var.relname, true)?;
        let oid = found.ok_or_else(|| name::missing_relation(var))?;
        let rel = cmd.cx.catalog.relation_entry(oid)?;
        if !matches!(rel.kind(), relkind::TABLE | relkind::VIEW | b'p') {
            let text = format!("cannot lock relation \"{}\"", rel.name());
            return Err(PgError::new(WRONG_OBJECT_TYPE, text));
        }
        if rel.kind() == relkind::VIEW {
            return Err(PgError::unsupported("LOCK TABLE of a view"));
        }
        let writes = ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE | ACL_MAINTAIN;
        let enough = match mode {
            LockMode::AccessShare => ACL_SELECT | writes,
            LockMode::RowShare | LockMode::RowExclusive => ACL_INSERT | writes,
            _ => writes,
        };
        let (user, acl) = (cmd.cx.settings.current_user, rel.class.relacl.as_deref());
        let how = catalog::acl::AclMaskHow::Any;
        if cmd.cx.catalog.privileges(user, AclKind::Table, rel.owner(), acl, enough, how)? == 0 {
            return Err(catalog::lookup::permission_denied("table", rel.name()));
        }
        if stmt.nowait {
            nowait(cmd, oid, mode)?;
        } else {
            name::relation(cmd.cx, var, mode)?;
        }
        // The privilege on the parent is enough.
        if var.inh && rel.class.relhassubclass {
            for child in &tree::inheritors(cmd, oid, if stmt.nowait { None } else { Some(mode) })?[1..] {
                if stmt.nowait {
                    nowait(cmd, *child, mode)?;
                }
            }
        }
    }
    Ok(Outcome::tag("LOCK TABLE"))
}

fn nowait(cmd: &CommandContext<'_>, oid: base::Oid, mode: LockMode) -> Result<()> {
    let rel = cmd.cx.catalog.relation_entry(oid)?;
    let db = if rel.is_shared() { base::Oid::INVALID } else { cmd.cx.catalog.database_oid() };
    let txn = cmd.cx.txn()?;
    let (tag, level) = (LockTag::Relation { db, rel: oid }, LockLevel::Transaction);
    if txn.manager().locks().acquire(txn.proc(), tag, mode, level, Wait::No)? == Acquired::NotAvailable {
        let text = format!("could not obtain lock on relation \"{}\"", rel.name());
        return Err(PgError::new(LOCK_NOT_AVAILABLE, text));
    }
    Ok(())
}
