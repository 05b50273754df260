//! CREATE, ALTER and DROP DATABASE.
//!
//! A new database is a copy of another one's files, made while nobody else uses that one: a checkpoint before the copy brings
//! the files up to date, one after it makes sure that a crash does not repeat the copy from a source that has changed since.
//!
//! PostgreSQL: `dbcommands.c` (strategy FILE_COPY).

use base::sqlstate::*;
use base::{Oid, PgError, Result, Severity};
use catalog::{ObjectAddress, PgDatabase, PgDbRoleSetting, PgShdepend, PgShdescription, oids};
use parser::ast::*;
use storage::critical;
use txn::database_files as files;
use types::Datum;

use crate::{CommandContext, Outcome, object, options};

fn may_create(cmd: &CommandContext<'_>) -> Result<bool> {
    let user = cmd.cx.settings.current_user;
    let role = cmd.cx.catalog.role(user)?;
    Ok(cmd.cx.catalog.is_superuser(user)? || role.is_some_and(|r| r.rolcreatedb))
}

fn missing(name: &str) -> PgError {
    PgError::new(UNDEFINED_DATABASE, format!("database \"{name}\" does not exist"))
}

fn flag(o: &DefElem) -> Result<bool> {
    base::guc::boolean(&options::text(o))
        .ok_or_else(|| PgError::new(SYNTAX_ERROR, format!("{} requires a Boolean value", o.defname)).at(o.location))
}

fn checkpoint(cmd: &CommandContext<'_>) -> Result<()> {
    let (kind, pace) = (wal::checkpoint::Kind::Online, txn::checkpoint::Pace::Fast);
    txn::checkpoint::run(cmd.cx.txn()?.manager(), kind, pace, true).map(drop)
}

/// What CREATE DATABASE's options say.
#[derive(Default)]
struct Wanted {
    template: Option<String>,
    tablespace: Option<String>,
    owner: Option<String>,
    oid: Option<Oid>,
    is_template: Option<bool>,
    allow_connections: Option<bool>,
    connection_limit: Option<i32>,
    collate: Option<String>,
    ctype: Option<String>,
    locale: Option<String>,
    provider: Option<u8>,
}

fn parse(list: &[DefElem]) -> Result<Wanted> {
    let mut w = Wanted::default();
    for (i, o) in list.iter().enumerate() {
        if list[..i].iter().any(|p| p.defname == o.defname) {
            return Err(PgError::new(SYNTAX_ERROR, "conflicting or redundant options").at(o.location));
        }
        // DEFAULT stands without an argument.
        if o.arg.is_none() {
            continue;
        }
        let text = options::text(o);
        match o.defname.as_str() {
            "template" => w.template = Some(text),
            "owner" => w.owner = Some(text),
            "encoding" => {
                let name = text.to_ascii_lowercase().replace(['-', '_'], "");
                if !matches!(name.as_str(), "utf8" | "unicode" | "6") {
                    return Err(PgError::unsupported(format!("CREATE DATABASE with ENCODING '{text}'")));
                }
            }
            "is_template" => w.is_template = Some(flag(o)?),
            "allow_connections" => w.allow_connections = Some(flag(o)?),
            "connection_limit" => w.connection_limit = Some(limit(&text)?),
            "lc_collate" => w.collate = Some(text),
            "lc_ctype" => w.ctype = Some(text),
            "locale" => {
                w.collate.get_or_insert_with(|| text.clone());
                w.ctype.get_or_insert_with(|| text.clone());
                w.locale.get_or_insert(text);
            }
            "builtin_locale" => w.locale = Some(text),
            "locale_provider" => {
                w.provider = Some(match text.to_ascii_lowercase().as_str() {
                    "builtin" => b'b',
                    "libc" => b'c',
                    "icu" => return Err(PgError::unsupported("locale provider icu")),
                    _ => {
                        let e = format!("unrecognized locale provider: {text}");
                        return Err(PgError::new(INVALID_OBJECT_DEFINITION, e));
                    }
                })
            }
            "strategy" if matches!(text.to_ascii_lowercase().as_str(), "wal_log" | "file_copy") => {}
            "strategy" => {
                let e = PgError::new(INVALID_PARAMETER_VALUE, format!("invalid create database strategy \"{text}\""));
                return Err(e.hint("Valid strategies are \"wal_log\" and \"file_copy\"."));
            }
            "oid" => w.oid = text.parse().ok().map(Oid),
            "collation_version" => {}
            "tablespace" => w.tablespace = Some(text),
            other => {
                let e = format!("option \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, e).at(o.location));
            }
        }
    }
    Ok(w)
}

fn limit(text: &str) -> Result<i32> {
    let invalid = || PgError::new(INVALID_PARAMETER_VALUE, format!("invalid connection limit: {text}"));
    text.parse().ok().filter(|n| *n >= -1).ok_or_else(invalid)
}

/// The sessions that stand in the way of copying or dropping.
fn refuse_if_used(cmd: &CommandContext<'_>, database: Oid, text: String) -> Result<()> {
    let n = cmd.session.count_sessions(database);
    let list = cmd.cx.txn()?.manager().prepared_transactions();
    let prepared = list.iter().filter(|p| p.database == database).count();
    let detail = match (n, prepared) {
        (0, 0) => return Ok(()),
        (1, 0) => "There is 1 other session using the database.".to_owned(),
        (n, 0) => format!("There are {n} other sessions using the database."),
        (0, 1) => "There is 1 prepared transaction using the database.".to_owned(),
        (0, p) => format!("There are {p} prepared transactions using the database."),
        (n, p) => {
            format!("There are {n} other session(s) and {p} prepared transaction(s) using the database.")
        }
    };
    Err(PgError::new(OBJECT_IN_USE, text).detail(detail))
}

pub fn create(cmd: &mut CommandContext<'_>, stmt: &CreatedbStmt) -> Result<Outcome> {
    cmd.session.prevent_in_transaction_block("CREATE DATABASE")?;
    let w = parse(&stmt.options)?;
    let user = cmd.cx.settings.current_user;
    let owner = match &w.owner {
        Some(name) => cmd.cx.catalog.role_oid(name)?,
        None => user,
    };
    if !may_create(cmd)? {
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, "permission denied to create database"));
    }
    if owner != user && !cmd.cx.catalog.member_can_set_role(user, owner)? {
        let text = format!("must be able to SET ROLE \"{}\"", cmd.cx.catalog.role_name(owner)?);
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    let template = w.template.as_deref().unwrap_or("template1");
    let name = catalog::ddl::truncate_name(&stmt.dbname).to_owned();
    lock(cmd, template)?;
    let source =
        cmd.cx.catalog.database_by_name(template)?.ok_or_else(|| {
            PgError::new(UNDEFINED_DATABASE, format!("template database \"{template}\" does not exist"))
        })?;
    if !source.datistemplate && !cmd.cx.catalog.is_owner(user, source.datdba)? {
        let text = format!("permission denied to copy database \"{template}\"");
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
    }
    check_locale(&w, &source)?;
    if cmd.cx.catalog.database_by_name(&name)?.is_some() {
        return Err(PgError::new(DUPLICATE_DATABASE, format!("database \"{name}\" already exists")));
    }
    let used = format!("source database \"{template}\" is being accessed by other users");
    refuse_if_used(cmd, source.oid, used)?;

    let oid = match w.oid {
        Some(oid) => oid,
        None => cmd.cx.catalog.new_oid(oids::DATABASE_RELATION, oids::DATABASE_OID_INDEX)?,
    };
    let dattablespace = match &w.tablespace {
        Some(name) => crate::tablespace::by_name(cmd, name)?,
        None => source.dattablespace,
    };
    if dattablespace == oids::GLOBALTABLESPACE_OID {
        return Err(PgError::new(INVALID_PARAMETER_VALUE, "pg_global cannot be used as default tablespace"));
    }
    let row = PgDatabase {
        oid,
        dattablespace,
        datname: name,
        datdba: owner,
        datistemplate: w.is_template.unwrap_or(false),
        datallowconn: w.allow_connections.unwrap_or(true),
        dathasloginevt: source.dathasloginevt,
        datconnlimit: w.connection_limit.unwrap_or(-1),
        datacl: None,
        ..source.clone()
    };
    cmd.cx.catalog.insert_row(&row)?;
    cmd.cx.catalog.record_owner(&ObjectAddress::new(oids::DATABASE_RELATION, oid), owner)?;
    copy_shared_dependencies(cmd, source.oid, oid)?;

    checkpoint(cmd)?;
    let manager = cmd.cx.txn()?.manager().clone();
    let vfs = manager.pool().smgr().vfs().clone();
    let others = crate::tablespace::others_of(&*vfs, source.oid, source.dattablespace)?;
    if others.contains(&row.dattablespace) {
        let name = w.tablespace.as_deref().unwrap_or_default();
        let text = format!("cannot assign new default tablespace \"{name}\"");
        let detail =
            format!("There is a conflict because database \"{template}\" already has some tables in this tablespace.");
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, text).detail(detail));
    }
    let own = ((source.dattablespace, source.oid), (row.dattablespace, oid));
    let pairs: Vec<_> =
        std::iter::once(own).chain(others.iter().map(|spc| ((*spc, source.oid), (*spc, oid)))).collect();
    for (from, to) in &pairs {
        if let Err(e) = files::copy_database(&*vfs, *from, *to) {
            // The row goes with the transaction; the files would stay.
            pairs.iter().try_for_each(|(_, to)| files::remove_database_dir(&*vfs, to.0, to.1))?;
            return Err(e);
        }
        critical(|section| files::log_copy_database(manager.wal(), section, *from, *to));
    }
    checkpoint(cmd)?;
    cmd.cx.txn()?.force_sync_commit();
    Ok(Outcome::tag("CREATE DATABASE"))
}

/// Only template0 has nothing in it that another locale would make wrong.
fn check_locale(w: &Wanted, source: &PgDatabase) -> Result<()> {
    let differs = |wanted: &Option<String>, is: &str| wanted.as_ref().is_some_and(|c| c != is);
    if w.provider.is_some_and(|p| p != source.datlocprovider)
        || differs(&w.collate, &source.datcollate)
        || differs(&w.ctype, &source.datctype)
    {
        if source.datname != "template0" {
            let name = w.collate.as_deref().unwrap_or(&source.datcollate);
            let text = format!(
                "new collation ({name}) is incompatible with the collation of the template database ({})",
                source.datcollate
            );
            let hint = "Use the same collation as in the template database, or use template0 as template.";
            return Err(PgError::new(INVALID_PARAMETER_VALUE, text).hint(hint));
        }
        return Err(PgError::unsupported("CREATE DATABASE with another locale"));
    }
    Ok(())
}

/// (PostgreSQL: `copyTemplateDependencies`)
fn copy_shared_dependencies(cmd: &CommandContext<'_>, from: Oid, to: Oid) -> Result<()> {
    let index = oids::SHARED_DEPEND_DEPENDER_INDEX;
    for row in cmd.cx.catalog.rows::<PgShdepend>(index, &[Datum::oid(from)])? {
        cmd.cx.catalog.insert_row(&PgShdepend { dbid: to, ..row })?;
    }
    Ok(())
}

/// Nobody may drop or copy it meanwhile.
fn lock(cmd: &CommandContext<'_>, name: &str) -> Result<()> {
    let Some(d) = cmd.cx.catalog.database_by_name(name)? else { return Ok(()) };
    lock_database(cmd, d.oid, txn::LockMode::AccessExclusive)
}

fn lock_database(cmd: &CommandContext<'_>, oid: Oid, mode: txn::LockMode) -> Result<()> {
    let txn = cmd.cx.txn()?;
    let tag = txn::LockTag::Object { db: Oid::INVALID, class: oids::DATABASE_RELATION, object: oid, sub: 0 };
    txn.manager().locks().lock(txn.proc(), tag, mode)
}

pub fn drop_database(cmd: &mut CommandContext<'_>, stmt: &DropdbStmt) -> Result<Outcome> {
    cmd.session.prevent_in_transaction_block("DROP DATABASE")?;
    let name = &stmt.dbname;
    let force = stmt.options.iter().any(|o| o.defname == "force");
    lock(cmd, name)?;
    let Some(d) = cmd.cx.catalog.database_by_name(name)? else {
        if !stmt.missing_ok {
            return Err(missing(name));
        }
        let text = format!("database \"{name}\" does not exist, skipping");
        cmd.notice(Severity::Notice, UNDEFINED_DATABASE, text);
        return Ok(Outcome::tag("DROP DATABASE"));
    };
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, d.datdba)? {
        return Err(catalog::lookup::must_be_owner("database", name));
    }
    if d.datistemplate {
        return Err(PgError::new(WRONG_OBJECT_TYPE, "cannot drop a template database"));
    }
    if d.oid == cmd.cx.settings.database {
        return Err(PgError::new(OBJECT_IN_USE, "cannot drop the currently open database"));
    }
    if force {
        cmd.session.terminate_sessions(d.oid)?;
    }
    refuse_if_used(cmd, d.oid, format!("database \"{name}\" is being accessed by other users"))?;
    let me = ObjectAddress::new(oids::DATABASE_RELATION, d.oid);
    let key = [Datum::oid(d.oid), Datum::oid(oids::DATABASE_RELATION)];
    cmd.cx.catalog.delete_rows::<PgShdescription>(oids::SHARED_DESCRIPTION_OBJ_INDEX, &key)?;
    let key = [Datum::oid(d.oid)];
    cmd.cx.catalog.delete_rows::<PgDbRoleSetting>(oids::DB_ROLE_SETTING_DATID_ROLID_INDEX, &key)?;
    cmd.cx.catalog.delete_shared_dependencies(&me)?;
    cmd.cx.catalog.delete_rows::<PgShdepend>(oids::SHARED_DEPEND_DEPENDER_INDEX, &key)?;
    // From here on the files may be gone whatever becomes of the transaction: nobody may connect any more.
    let found = cmd.cx.catalog.find_row::<PgDatabase>(oids::DATABASE_OID_INDEX, &key)?;
    let found = found.ok_or_else(|| missing(name))?;
    cmd.cx.catalog.overwrite_row(&found, &PgDatabase { datconnlimit: -2, ..found.row.clone() })?;
    let found = cmd.cx.catalog.find_row::<PgDatabase>(oids::DATABASE_OID_INDEX, &key)?;
    cmd.cx.catalog.delete_row(&found.ok_or_else(|| missing(name))?)?;

    let manager = cmd.cx.txn()?.manager().clone();
    manager.pool().drop_database(d.oid);
    checkpoint(cmd)?;
    manager.pool().smgr().forget_database(d.oid);
    let vfs = manager.pool().smgr().vfs().clone();
    let mut spaces = vec![d.dattablespace];
    spaces.extend(crate::tablespace::others_of(&*vfs, d.oid, d.dattablespace)?);
    spaces.iter().try_for_each(|spc| files::remove_database_dir(&*vfs, *spc, d.oid))?;
    critical(|section| files::log_drop_database(manager.wal(), section, d.oid, &spaces));
    cmd.cx.txn()?.force_sync_commit();
    Ok(Outcome::tag("DROP DATABASE"))
}

pub fn alter(cmd: &mut CommandContext<'_>, stmt: &AlterDatabaseStmt) -> Result<Outcome> {
    let d = cmd.cx.catalog.database_by_name(&stmt.dbname)?.ok_or_else(|| missing(&stmt.dbname))?;
    if !cmd.cx.catalog.is_owner(cmd.cx.settings.current_user, d.datdba)? {
        return Err(catalog::lookup::must_be_owner("database", &stmt.dbname));
    }
    let mut new = d.clone();
    for o in &stmt.options {
        match o.defname.as_str() {
            "is_template" => new.datistemplate = flag(o)?,
            "allow_connections" => {
                new.datallowconn = flag(o)?;
                if !new.datallowconn && d.oid == cmd.cx.settings.database {
                    let text = "cannot disallow connections for current database";
                    return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
                }
            }
            "connection_limit" => new.datconnlimit = limit(&options::text(o))?,
            "tablespace" => return Err(PgError::unsupported("ALTER DATABASE ... SET TABLESPACE")),
            other => {
                let text = format!("option \"{other}\" not recognized");
                return Err(PgError::new(SYNTAX_ERROR, text).at(o.location));
            }
        }
    }
    object::edit::<PgDatabase>(cmd, oids::DATABASE_OID_INDEX, d.oid, |row| *row = new)?;
    Ok(Outcome::tag("ALTER DATABASE"))
}

/// Renaming needs CREATEDB and nobody in the database.
pub fn may_rename(cmd: &CommandContext<'_>, oid: Oid) -> Result<()> {
    if !may_create(cmd)? {
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, "permission denied to rename database"));
    }
    if oid == cmd.cx.settings.database {
        return Err(PgError::new(FEATURE_NOT_SUPPORTED, "current database cannot be renamed"));
    }
    lock_database(cmd, oid, txn::LockMode::AccessExclusive)?;
    let name = cmd.cx.catalog.database(oid)?.map(|d| d.datname.clone()).unwrap_or_default();
    refuse_if_used(cmd, oid, format!("database \"{name}\" is being accessed by other users"))
}
