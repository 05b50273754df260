//! Sizes on disk, and where relations lie. (PostgreSQL: `dbsize.c`)

use analyze::lookup::Lookup;
use base::sqlstate::*;
use base::{ForkNumber, PgError, RelFileLocator, Result};
use catalog::{PgClass, relkind};
use storage::smgr::path;
use types::{FnCx, builtin};

use super::*;

const FORKS: [(&str, ForkNumber); 4] =
    [("main", ForkNumber::Main), ("fsm", ForkNumber::Fsm), ("vm", ForkNumber::Vm), ("init", ForkNumber::Init)];

fn fork(name: &str) -> Result<ForkNumber> {
    FORKS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f).ok_or_else(|| {
        PgError::new(INVALID_PARAMETER_VALUE, "invalid fork name")
            .hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".")
    })
}

fn fork_size(cluster: &Cluster, locator: RelFileLocator, fork: ForkNumber) -> Result<i64> {
    if !locator.rel.is_valid() {
        return Ok(0);
    }
    Ok(i64::from(cluster.pool.smgr().nblocks_or_zero(locator, fork)?) * 8192)
}
fn all_forks(cluster: &Cluster, locator: RelFileLocator) -> Result<i64> {
    FORKS.iter().try_fold(0, |sum, (_, f)| Ok(sum + fork_size(cluster, locator, *f)?))
}

fn class(catalog: &Catalog, rel: Oid) -> Result<Option<(Arc<PgClass>, RelFileLocator)>> {
    let Some(class) = catalog.class(rel)? else { return Ok(None) };
    let locator = catalog.locator(&class)?;
    Ok(Some((class, locator)))
}

/// (PostgreSQL: `calculate_table_size`): with the TOAST table and its index.
fn table_size(cluster: &Cluster, catalog: &Catalog, rel: Oid) -> Result<Option<i64>> {
    let Some((class, locator)) = class(catalog, rel)? else { return Ok(None) };
    let mut size = all_forks(cluster, locator)?;
    if let Some(toast) = class.reltoastrelid.valid() {
        size += table_size(cluster, catalog, toast)?.unwrap_or(0);
        size += indexes_size(cluster, catalog, toast)?.unwrap_or(0);
    }
    Ok(Some(size))
}
fn indexes_size(cluster: &Cluster, catalog: &Catalog, rel: Oid) -> Result<Option<i64>> {
    let Some(relation) = catalog.relation(rel)? else { return Ok(None) };
    let mut size = 0;
    for index in &relation.indexes {
        if let Some((_, locator)) = class(catalog, *index)? {
            size += all_forks(cluster, locator)?;
        }
    }
    Ok(Some(size))
}

#[builtin("pg_relation_size")]
fn pg_relation_size(cx: &mut FnCx<'_>, rel: Oid, name: &str) -> Result<Option<i64>> {
    let (cluster, catalog) = (cluster(cx)?, catalog(cx)?);
    let Some((_, locator)) = class(&catalog, rel)? else { return Ok(None) };
    fork_size(&cluster, locator, fork(name)?).map(Some)
}
#[builtin("pg_table_size")]
fn pg_table_size(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<i64>> {
    let (cluster, catalog) = (cluster(cx)?, catalog(cx)?);
    table_size(&cluster, &catalog, rel)
}
#[builtin("pg_indexes_size")]
fn pg_indexes_size(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<i64>> {
    let (cluster, catalog) = (cluster(cx)?, catalog(cx)?);
    indexes_size(&cluster, &catalog, rel)
}
#[builtin("pg_total_relation_size")]
fn pg_total_relation_size(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<i64>> {
    let (cluster, catalog) = (cluster(cx)?, catalog(cx)?);
    let Some(table) = table_size(&cluster, &catalog, rel)? else { return Ok(None) };
    Ok(Some(table + indexes_size(&cluster, &catalog, rel)?.unwrap_or(0)))
}

/// The bytes of the files in a directory of the data directory; 0 if there is none.
fn directory_size(cluster: &Cluster, dir: &str) -> i64 {
    let mut size = 0;
    for item in cluster.vfs.list(dir).unwrap_or_default() {
        let path = format!("{dir}/{}", item.name);
        match cluster.vfs.is_dir(&path) {
            true => size += directory_size(cluster, &path),
            false => size += cluster.vfs.metadata(&path).map_or(0, |m| i64::try_from(m.len).unwrap_or(0)),
        }
    }
    size
}

fn database_size(cx: &mut FnCx<'_>, db: Oid, name: &str) -> Result<i64> {
    let (cluster, catalog) = (cluster(cx)?, catalog(cx)?);
    let user = cx.settings().current_user;
    if let Some(row) = catalog.database(db)? {
        let acl = row.datacl.as_deref();
        let may =
            catalog.has_privilege(user, catalog::AclKind::Database, row.datdba, acl, catalog::acl::ACL_CONNECT)?;
        if !may && !has_role(cx, "pg_read_all_stats")? {
            let text = format!("permission denied for database {name}");
            return Err(PgError::new(INSUFFICIENT_PRIVILEGE, text));
        }
    }
    let mut size = directory_size(&cluster, &path::database_dir(db, path::DEFAULT_TABLESPACE));
    for item in cluster.vfs.list("pg_tblspc").unwrap_or_default() {
        if let Ok(spc) = item.name.parse() {
            size += directory_size(&cluster, &path::database_dir(db, Oid(spc)));
        }
    }
    Ok(size)
}
#[builtin("pg_database_size_oid")]
fn pg_database_size_oid(cx: &mut FnCx<'_>, db: Oid) -> Result<Option<i64>> {
    let Some(row) = catalog(cx)?.database(db)? else { return Ok(None) };
    database_size(cx, db, &row.datname).map(Some)
}
#[builtin("pg_database_size_name")]
fn pg_database_size_name(cx: &mut FnCx<'_>, name: &str) -> Result<i64> {
    let missing = || PgError::new(UNDEFINED_DATABASE, format!("database \"{name}\" does not exist"));
    let row = catalog(cx)?.database_by_name(name)?.ok_or_else(missing)?;
    database_size(cx, row.oid, name)
}

fn tablespace_size(cx: &mut FnCx<'_>, spc: Oid, name: &str) -> Result<i64> {
    let cluster = cluster(cx)?;
    let own = catalog(cx)?.default_tablespace()?;
    if spc != own && !has_role(cx, "pg_read_all_stats")? {
        return Err(PgError::new(INSUFFICIENT_PRIVILEGE, format!("permission denied for tablespace {name}")));
    }
    Ok(match spc {
        path::DEFAULT_TABLESPACE => directory_size(&cluster, "base"),
        path::GLOBAL_TABLESPACE => directory_size(&cluster, "global"),
        spc => directory_size(&cluster, &format!("pg_tblspc/{spc}/{}", path::TABLESPACE_VERSION_DIRECTORY)),
    })
}
#[builtin("pg_tablespace_size_oid")]
fn pg_tablespace_size_oid(cx: &mut FnCx<'_>, spc: Oid) -> Result<Option<i64>> {
    let Some(row) = catalog(cx)?.tablespace(spc)? else { return Ok(None) };
    tablespace_size(cx, spc, &row.spcname).map(Some)
}
#[builtin("pg_tablespace_size_name")]
fn pg_tablespace_size_name(cx: &mut FnCx<'_>, name: &str) -> Result<i64> {
    let missing = || PgError::new(UNDEFINED_OBJECT, format!("tablespace \"{name}\" does not exist"));
    let row = catalog(cx)?.tablespace_by_name(name)?.ok_or_else(missing)?;
    tablespace_size(cx, row.oid, name)
}
#[builtin("pg_tablespace_location")]
fn pg_tablespace_location(cx: &mut FnCx<'_>, spc: Oid) -> Result<String> {
    let spc = match spc {
        Oid::INVALID => catalog(cx)?.default_tablespace()?,
        spc => spc,
    };
    if matches!(spc, path::DEFAULT_TABLESPACE | path::GLOBAL_TABLESPACE) {
        return Ok(String::new());
    }
    let link = format!("pg_tblspc/{spc}");
    cluster(cx)?.vfs.read_link(&link).map_err(|e| {
        let text = format!("could not read symbolic link \"{link}\": {}", crate::config::os_error(&e));
        PgError::new(UNDEFINED_FILE, text)
    })
}
#[builtin("pg_tablespace_databases", set)]
fn pg_tablespace_databases(cx: &mut FnCx<'_>, spc: Oid) -> Result<Rows> {
    let cluster = cluster(cx)?;
    let dir = match spc {
        path::GLOBAL_TABLESPACE => {
            let text = "global tablespace never has databases";
            cx.rt.notice(PgError::with_severity(base::Severity::Warning, WARNING, text));
            return Ok(no_rows());
        }
        path::DEFAULT_TABLESPACE => "base".to_owned(),
        spc => format!("pg_tblspc/{spc}/{}", path::TABLESPACE_VERSION_DIRECTORY),
    };
    let names = cluster.vfs.list(&dir).unwrap_or_default();
    Ok(rows(names.iter().filter_map(|n| n.name.parse().ok()).map(|n| vec![Datum::oid(Oid(n))]).collect()))
}

#[builtin("pg_relation_filenode")]
fn pg_relation_filenode(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<Oid>> {
    Ok(class(&catalog(cx)?, rel)?.map(|(_, l)| l.rel).filter(|r| r.is_valid()))
}
#[builtin("pg_relation_filepath")]
fn pg_relation_filepath(cx: &mut FnCx<'_>, rel: Oid) -> Result<Option<String>> {
    let (cluster, catalog) = (cluster(cx)?, catalog(cx)?);
    Ok(match class(&catalog, rel)? {
        Some((class, locator)) if relkind::has_storage(class.relkind) => {
            Some(cluster.pool.smgr().path(locator, ForkNumber::Main))
        }
        _ => None,
    })
}
#[builtin("pg_filenode_relation")]
fn pg_filenode_relation(cx: &mut FnCx<'_>, tablespace: Oid, file: Oid) -> Result<Option<Oid>> {
    let catalog = catalog(cx)?;
    if !file.is_valid() {
        return Ok(None);
    }
    let spc = if tablespace.is_valid() { tablespace } else { catalog.default_tablespace()? };
    for class in catalog.rows::<PgClass>(Oid::INVALID, &[])? {
        let locator = catalog.locator(&class)?;
        if locator.rel == file && locator.spc == spc && class.relpersistence != b't' {
            return Ok(Some(class.oid));
        }
    }
    Ok(None)
}
