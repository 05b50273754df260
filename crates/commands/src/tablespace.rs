//! Tablespaces: CREATE, DROP and ALTER TABLESPACE; relations that lie in one or move to another. (PostgreSQL: `tablespace.c`,
//! `ATExecSetTableSpace`)

use std::io;

use base::guc;
use base::sqlstate::*;
use base::{BlockNumber, ForkNumber, Oid, PgError, Result, Severity};
use catalog::{AclKind, Found, ObjectAddress, PgClass, PgTablespace, Relation, oids, relkind};
use executor::lock_relation;
use parser::ast::{AlterTableSpaceOptionsStmt, CreateTableSpaceStmt, DefElem, DropTableSpaceStmt};
use storage::{Persistence, critical};
use txn::LockMode;
use txn::database_files as files;
use types::Datum;

use crate::{CommandContext, Outcome, options, schema};

const OPTIONS: [&str; 4] =
    ["random_page_cost", "seq_page_cost", "effective_io_concurrency", "maintenance_io_concurrency"];

fn missing(name: &str) -> PgError {
    PgError::new(UNDEFINED_OBJECT, format!("tablespace \"{name}\" does not exist"))
}

fn is_superuser(cmd: &CommandContext<'_>) -> Result<bool> {
    cmd.cx.catalog.is_superuser(cmd.cx.settings.current_user)
}

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreateTableSpaceStmt) -> Result<Outcome> {
    cmd.session.prevent_in_transaction_block("CREATE TABLESPACE")?;
    let name = &stmt.tablespacename;
    if !is_superuser(cmd)? {
        let text = format!("permission denied to create tablespace \"{name}\"");
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text).hint("Must be superuser to create a tablespace."));
    }
    let owner = match &stmt.owner {
        Some(spec) => schema::role(cmd, spec)?,
        None => cmd.cx.settings.current_user,
    };
    let location = match stmt.location.trim_end_matches('/') {
        "" if stmt.location.starts_with('/') => "/".to_owned(),
        trimmed => trimmed.to_owned(),
    };
    check_location(cmd, &location)?;
    if name.starts_with("pg_") {
        let text = format!("unacceptable tablespace name \"{name}\"");
        let detail = "The prefix \"pg_\" is reserved for system tablespaces.";
        return Err(PgError::new(RESERVED_NAME, text).detail(detail));
    }
    if cmd.cx.catalog.tablespace_by_name(name)?.is_some() {
        return Err(PgError::new(DUPLICATE_OBJECT, format!("tablespace \"{name}\" already exists")));
    }
    let oid = cmd.cx.catalog.new_oid(oids::TABLE_SPACE_RELATION, oids::TABLESPACE_OID_INDEX)?;
    let spcoptions = changed_options(None, &stmt.options, false)?;
    let row = PgTablespace { oid, spcname: name.clone(), spcowner: owner, spcacl: None, spcoptions };
    cmd.cx.catalog.insert_row(&row)?;
    cmd.cx.catalog.record_owner(&ObjectAddress::new(oids::TABLE_SPACE_RELATION, oid), owner)?;
    let manager = cmd.cx.txn()?.manager().clone();
    files::create_tablespace_dir(&**manager.pool().smgr().vfs(), oid, &location, false)?;
    critical(|section| files::log_create_tablespace(manager.wal(), section, oid, &location));
    cmd.cx.txn()?.force_sync_commit();
    Ok(Outcome::tag("CREATE TABLESPACE"))
}

fn check_location(cmd: &mut CommandContext<'_>, location: &str) -> Result<()> {
    if location.contains('\'') {
        return Err(PgError::new(INVALID_NAME, "tablespace location cannot contain single quotes"));
    }
    let in_place = location.is_empty() && cmd.session.values().bool(guc::ALLOW_IN_PLACE_TABLESPACES);
    if in_place {
        return Ok(());
    }
    if !location.starts_with('/') {
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, "tablespace location must be an absolute path"));
    }
    if location.len() > 900 {
        let text = format!("tablespace location \"{location}\" is too long");
        return Err(PgError::new(INVALID_OBJECT_DEFINITION, text));
    }
    let inside = location.strip_prefix(cmd.session.values().str(guc::DATA_DIRECTORY));
    if inside.is_some_and(|rest| rest.starts_with('/') || rest.is_empty()) {
        let text = "tablespace location should not be inside the data directory";
        cmd.notice(Severity::Warning, INVALID_OBJECT_DEFINITION, text);
    }
    Ok(())
}

/// (PostgreSQL: `tablespace_reloptions`)
fn changed_options(old: Option<&[String]>, given: &[DefElem], reset: bool) -> Result<Option<Vec<String>>> {
    let mut list: Vec<String> = old.unwrap_or_default().to_vec();
    for o in given {
        let name = o.defname.as_str();
        if reset && o.arg.is_some() {
            return Err(PgError::new(SYNTAX_ERROR, "RESET must not include values for parameters"));
        }
        if !reset && !OPTIONS.contains(&name) {
            return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("unrecognized parameter \"{name}\"")));
        }
        list.retain(|l| l.split('=').next() != Some(name));
        if !reset {
            let value = options::text(o);
            if value.parse::<f64>().is_err() {
                let text = format!("invalid value for floating point option \"{name}\": {value}");
                return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
            }
            list.push(format!("{name}={value}"));
        }
    }
    Ok((!list.is_empty()).then_some(list))
}

fn find(cmd: &CommandContext<'_>, name: &str) -> Result<Option<Found<PgTablespace>>> {
    match cmd.cx.catalog.tablespace_by_name(name)? {
        Some(row) => cmd.cx.catalog.find_row(oids::TABLESPACE_OID_INDEX, &[Datum::oid(row.oid)]),
        None => Ok(None),
    }
}

pub fn alter_options(cmd: &mut CommandContext<'_>, stmt: &AlterTableSpaceOptionsStmt) -> Result<Outcome> {
    let found = find(cmd, &stmt.tablespacename)?.ok_or_else(|| missing(&stmt.tablespacename))?;
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, found.row.spcowner)? {
        return Err(catalog::lookup::must_be_owner("tablespace", &stmt.tablespacename));
    }
    let spcoptions = changed_options(found.row.spcoptions.as_deref(), &stmt.options, stmt.is_reset)?;
    cmd.cx.catalog.update_row(&found, &PgTablespace { spcoptions, ..found.row.clone() })?;
    Ok(Outcome::tag("ALTER TABLESPACE"))
}

pub fn drop_tablespace(cmd: &mut CommandContext<'_>, stmt: &DropTableSpaceStmt) -> Result<Outcome> {
    const TAG: &str = "DROP TABLESPACE";
    cmd.session.prevent_in_transaction_block(TAG)?;
    let name = &stmt.tablespacename;
    let Some(found) = find(cmd, name)? else {
        if !stmt.missing_ok {
            return Err(missing(name));
        }
        let text = format!("tablespace \"{name}\" does not exist, skipping");
        cmd.notice(Severity::Notice, SUCCESSFUL_COMPLETION, text);
        return Ok(Outcome::tag(TAG));
    };
    let oid = found.row.oid;
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, found.row.spcowner)? {
        return Err(catalog::lookup::must_be_owner("tablespace", name));
    }
    if oid == oids::DEFAULTTABLESPACE_OID || oid == oids::GLOBALTABLESPACE_OID {
        return Err(catalog::lookup::permission_denied("tablespace", name));
    }
    let me = ObjectAddress::new(oids::TABLE_SPACE_RELATION, oid);
    cmd.cx.catalog.delete_shared_dependencies(&me)?;
    cmd.cx.catalog.delete_row(&found)?;
    let manager = cmd.cx.txn()?.manager().clone();
    let vfs = manager.pool().smgr().vfs().clone();
    let dir = format!("pg_tblspc/{oid}/{}", files::TABLESPACE_VERSION_DIRECTORY);
    if !is_empty(&*vfs, &dir)? {
        // Files of relations that were dropped go with the next checkpoint.
        txn::checkpoint::run(&manager, wal::checkpoint::Kind::Online, txn::checkpoint::Pace::Fast, true)?;
        if !is_empty(&*vfs, &dir)? {
            return Err(PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, format!("tablespace \"{name}\" is not empty")));
        }
    }
    critical(|section| files::log_drop_tablespace(manager.wal(), section, oid));
    files::remove_tablespace_dir(&*vfs, oid, false)?;
    cmd.cx.txn()?.force_sync_commit();
    Ok(Outcome::tag(TAG))
}

/// Are there no files in any database's directory?
fn is_empty(vfs: &dyn storage::Vfs, dir: &str) -> Result<bool> {
    use storage::vfs::IoContext;
    let entries = match vfs.list(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        other => other.or_pg("open directory", dir)?,
    };
    for e in entries {
        let path = format!("{dir}/{}", e.name);
        if !vfs.list(&path).or_pg("open directory", &path)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tablespace of that name, if the user may put things there. (PostgreSQL: `get_tablespace_oid`)
pub fn by_name(cmd: &CommandContext<'_>, name: &str) -> Result<Oid> {
    let row = cmd.cx.catalog.tablespace_by_name(name)?.ok_or_else(|| missing(name))?;
    if row.oid != cmd.cx.catalog.default_tablespace()? {
        let (user, acl) = (cmd.cx.settings.current_user, row.spcacl.as_deref());
        let create = catalog::acl::ACL_CREATE;
        if !cmd.cx.catalog.has_privilege(user, AclKind::Tablespace, row.spcowner, acl, create)? {
            return Err(catalog::lookup::permission_denied("tablespace", name));
        }
    }
    Ok(row.oid)
}

/// Where a new relation goes: what the statement says, else `default_tablespace`. Invalid: the database's own.
/// (PostgreSQL: `GetDefaultTablespace`)
pub fn for_new(cmd: &CommandContext<'_>, named: Option<&str>, persistence: u8) -> Result<Oid> {
    let oid = match named {
        Some(name) => by_name(cmd, name)?,
        // Temporary ones have a list of their own, which is not looked at.
        None if persistence == b't' => return Ok(Oid::INVALID),
        None => match cmd.session.values().str(guc::DEFAULT_TABLESPACE) {
            "" => return Ok(Oid::INVALID),
            name => match cmd.cx.catalog.tablespace_by_name(name)? {
                Some(_) => by_name(cmd, name)?,
                None => return Ok(Oid::INVALID),
            },
        },
    };
    check_not_global(oid)?;
    Ok(if oid == cmd.cx.catalog.default_tablespace()? { Oid::INVALID } else { oid })
}

fn check_not_global(oid: Oid) -> Result<()> {
    if oid == oids::GLOBALTABLESPACE_OID {
        let text = "only shared relations can be placed in pg_global tablespace";
        return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
    }
    Ok(())
}

/// ALTER TABLE ... SET TABLESPACE: the relation's files are copied; a table takes its TOAST table along.
pub fn set(cmd: &mut CommandContext<'_>, rel: &Relation, name: &str) -> Result<()> {
    let oid = by_name(cmd, name)?;
    if rel.is_shared() || !rel.class.relfilenode.is_valid() && relkind::has_storage(rel.kind()) {
        let text = format!("cannot move system relation \"{}\"", rel.name());
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text));
    }
    check_not_global(oid)?;
    if rel.is_temporary() && rel.kind() == relkind::TOAST {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "cannot move temporary tables of other sessions"));
    }
    let stored = if oid == cmd.cx.catalog.default_tablespace()? { Oid::INVALID } else { oid };
    if rel.class.reltablespace == stored {
        return Ok(());
    }
    if !relkind::has_storage(rel.kind()) {
        return change_row(cmd, rel.oid, |row| row.reltablespace = stored);
    }
    move_files(cmd, rel, stored)?;
    if let Some(toast) = rel.class.reltoastrelid.valid() {
        lock_relation(cmd.cx, toast, LockMode::AccessExclusive)?;
        let toast = cmd.cx.catalog.relation_entry(toast)?;
        move_files(cmd, &toast, stored)?;
        for i in &toast.indexes {
            lock_relation(cmd.cx, *i, LockMode::AccessExclusive)?;
            let index = cmd.cx.catalog.relation_entry(*i)?;
            move_files(cmd, &index, stored)?;
        }
    }
    Ok(())
}

fn change_row(cmd: &mut CommandContext<'_>, rel: Oid, change: impl FnOnce(&mut PgClass)) -> Result<()> {
    let found = cmd.cx.catalog.find_row::<PgClass>(oids::CLASS_OID_INDEX, &[Datum::oid(rel)])?;
    let found = found.ok_or_else(|| PgError::internal("a relation is gone"))?;
    let mut row = found.row.clone();
    change(&mut row);
    cmd.cx.catalog.update_row(&found, &row)?;
    cmd.cx.catalog.command_counter_increment()
}

/// Copies all forks, page by page, into new files there. (PostgreSQL: `index_copy_data`, `RelationCopyStorage`)
fn move_files(cmd: &mut CommandContext<'_>, rel: &Relation, tablespace: Oid) -> Result<()> {
    let txn = cmd.cx.txn()?.clone();
    let (pool, wal) = (txn.manager().pool().clone(), txn.manager().wal().clone());
    let file = cmd.cx.catalog.new_file_number(tablespace, false)?;
    let row = PgClass { relfilenode: file, reltablespace: tablespace, ..rel.class.clone() };
    let locator = cmd.cx.catalog.locator(&row)?;
    let persistence = cmd.cx.catalog.persistence_of(rel)?;
    txn.create_storage(locator, persistence)?;
    for fork in ForkNumber::ALL {
        if !pool.smgr().exists(rel.locator, fork)? {
            continue;
        }
        if fork != ForkNumber::Main {
            txn.create_fork(locator, fork)?;
        }
        let logged = persistence == Persistence::Permanent || fork == ForkNumber::Init;
        for n in 0..pool.smgr().nblocks(rel.locator, fork)? {
            cmd.cx.interrupt.check()?;
            let tag = storage::BufferTag::new(rel.locator, fork, BlockNumber(n));
            let copy = pool.pin(tag, storage::ReadMode::Normal, None)?.shared().to_boxed();
            let mut page = pool.extend(locator, fork, None)?;
            critical(|section| {
                page.write(section).copy_from(&copy);
                if logged {
                    let tag = page.buffer().tag();
                    let lsn = wal.log_new_page(section, tag, &page, false);
                    page.set_lsn(section, lsn);
                }
            });
        }
    }
    txn.drop_storage(rel.locator);
    change_row(cmd, rel.oid, |r| (r.relfilenode, r.reltablespace) = (file, tablespace))
}

/// The tablespaces other than its own in which a database has files.
pub fn others_of(vfs: &dyn storage::Vfs, db: Oid, own: Oid) -> Result<Vec<Oid>> {
    use storage::vfs::IoContext;
    let mut found = Vec::new();
    if !vfs.is_dir("pg_tblspc") {
        return Ok(found);
    }
    for e in vfs.list("pg_tblspc").or_pg("open directory", "pg_tblspc")? {
        let Some(spc) = e.name.parse().ok().map(Oid) else { continue };
        if spc != own && vfs.is_dir(&files::database_path(spc, db)) {
            found.push(spc);
        }
    }
    Ok(found)
}
