//! Where relation files lie. (PostgreSQL: `relpath.c`; manual, "Database File Layout")

use base::{ForkNumber, Oid, RelFileLocator};

/// The tablespace `pg_default`.
pub const DEFAULT_TABLESPACE: Oid = Oid(1663);
/// The tablespace `pg_global`.
pub const GLOBAL_TABLESPACE: Oid = Oid(1664);
/// The directory in a tablespace that holds this version's files. (PostgreSQL: `TABLESPACE_VERSION_DIRECTORY`)
pub const TABLESPACE_VERSION_DIRECTORY: &str = "PG_18_202506291";

/// A database's directory within a tablespace. (PostgreSQL: `GetDatabasePath`)
pub fn database_dir(db: Oid, spc: Oid) -> String {
    match spc {
        GLOBAL_TABLESPACE => "global".to_string(),
        DEFAULT_TABLESPACE => format!("base/{db}"),
        _ => format!("pg_tblspc/{spc}/{TABLESPACE_VERSION_DIRECTORY}/{db}"),
    }
}
/// A permanent relation's fork, first segment. (PostgreSQL: `relpathperm`)
pub fn permanent(l: RelFileLocator, fork: ForkNumber) -> String {
    format!("{}/{}{}", database_dir(l.db, l.spc), l.rel, fork.suffix())
}
/// A temporary relation's fork, first segment. (PostgreSQL: `relpathbackend`)
pub fn temporary(l: RelFileLocator, fork: ForkNumber, session: i32) -> String {
    format!("{}/t{session}_{}{}", database_dir(l.db, l.spc), l.rel, fork.suffix())
}

/// Whether it is a temporary relation's file.
pub fn is_temporary(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with('t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (spc, db, fork, expected) in [
            (1663, 5, ForkNumber::Main, "base/5/16384"),
            (1664, 0, ForkNumber::Fsm, "global/16384_fsm"),
            (16385, 5, ForkNumber::Vm, "pg_tblspc/16385/PG_18_202506291/5/16384_vm"),
        ] {
            let l = RelFileLocator { spc: Oid(spc), db: Oid(db), rel: Oid(16384) };
            assert_eq!(permanent(l, fork), expected);
        }
        let l = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(7) };
        assert!(is_temporary("base/5/t3_7_init") && !is_temporary("base/5/7_init"));
        assert_eq!(temporary(l, ForkNumber::Init, 3), "base/5/t3_7_init");
    }
}
