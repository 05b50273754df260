//! A new cluster: the data directory as PostgreSQL 18's initdb leaves it, in one go.
//!
//! 1. The published rows become heap files and B-trees, in memory ([`image`]); template1's are written to `base/1`, shared ones to `global`.
//! 2. Configuration files ([`config`]), transaction logs, the first log segment, pg_control.
//! 3. A [`SqlRunner`], if there is one, opens the cluster and runs the SQL that makes system views and `information_schema`.
//! 4. template0 and postgres are copies of template1's files.
//!
//! PostgreSQL: `initdb.c`, `bootstrap.c`. Different here: no bootstrap mode, no server is started for step 1; the default locale is
//! the built-in C.UTF-8.

mod config;
mod heap;
mod image;

pub(crate) use image::catalog_comparator;
pub use image::compare_oidvectors;

use std::io;

use base::sqlstate::{FEATURE_NOT_SUPPORTED, INVALID_PARAMETER_VALUE, OBJECT_IN_USE};
use base::{FullXid, Lsn, MultiXactId, Oid, PgError, Result, TimelineId, Xid};
use storage::Vfs;
use storage::vfs::{FileKind, IoContext, OpenMode};
use wal::CheckPoint;

use crate::scram::ScramSecret;

/// The SQL that makes the system views: run in template1, statement by statement, as the bootstrap superuser.
pub const SYSTEM_VIEWS_SQL: &str = include_str!("../../sql/system_views.sql");
/// The SQL that makes `information_schema`.
pub const INFORMATION_SCHEMA_SQL: &str = include_str!("../../sql/information_schema.sql");

/// The first id for objects that the SQL files make: beyond the published ones, below the users'.
pub const FIRST_SQL_OBJECT: Oid = Oid(14000);

/// Runs SQL on a cluster that is not open yet: opens it, runs the files in database template1 (objects get ids from
/// the counter in pg_control on, below 16384), and shuts it down cleanly.
pub trait SqlRunner {
    fn run(&mut self, files: &[(&str, &str)]) -> Result<()>;
}

/// A method of authentication in pg_hba.conf.
pub type AuthMethod = String;

/// What initdb is asked for. [`Options::default`] is what `initdb -D dir` means.
#[derive(Clone, Debug)]
pub struct Options {
    pub superuser: String,
    pub password: Option<String>,
    /// For connections by Unix socket, and by TCP.
    pub auth_local: AuthMethod,
    pub auth_host: AuthMethod,
    /// Only UTF8 for now.
    pub encoding: String,
    pub locale: Locale,
    /// Names of the system's locale, for the settings `lc_messages` and so on, and `datcollate`, `datctype`.
    pub lc_collate: String,
    pub lc_ctype: String,
    pub lc_messages: String,
    pub lc_monetary: String,
    pub lc_numeric: String,
    pub lc_time: String,
    pub time_zone: String,
    pub text_search_config: String,
    pub checksums: bool,
    /// Bytes.
    pub wal_segment_size: u32,
    pub sync: Sync,
    /// Settings for postgresql.conf.
    pub settings: Vec<(String, String)>,
}

/// Where collation and character classes come from. (PostgreSQL: `--locale-provider`)
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Locale {
    /// `C`, `C.UTF-8` or `PG_UNICODE_FAST`.
    Builtin(String),
    /// As `lc_collate` and `lc_ctype` say: only `C`, `POSIX` and `C.UTF-8` for now.
    Libc,
    Icu(String),
}

/// How a new cluster becomes durable before initdb returns. (PostgreSQL: `--sync-method`, `--no-sync`)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sync {
    No,
    /// File by file.
    Files,
    /// All at once, where the system can: some thousand small files take a fraction of the time.
    FileSystem,
}

impl Default for Options {
    fn default() -> Options {
        let c = || "C".to_owned();
        Options {
            superuser: "postgres".into(),
            password: None,
            auth_local: "trust".into(),
            auth_host: "trust".into(),
            encoding: "UTF8".into(),
            locale: Locale::Builtin("C.UTF-8".into()),
            lc_collate: c(),
            lc_ctype: c(),
            lc_messages: c(),
            lc_monetary: c(),
            lc_numeric: c(),
            lc_time: c(),
            time_zone: "UTC".into(),
            text_search_config: "pg_catalog.english".into(),
            checksums: true,
            wal_segment_size: 16 << 20,
            sync: Sync::FileSystem,
            settings: Vec::new(),
        }
    }
}

/// Folders of a new cluster, parents first.
const FOLDERS: &[&str] = &[
    "global",
    "pg_wal",
    "pg_wal/archive_status",
    "pg_wal/summaries",
    "pg_commit_ts",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_subtrans",
    "pg_twophase",
    "pg_multixact",
    "pg_multixact/members",
    "pg_multixact/offsets",
    "base",
    "base/1",
    "base/4",
    "base/5",
    "pg_replslot",
    "pg_tblspc",
    "pg_stat",
    "pg_stat_tmp",
    "pg_xact",
    "pg_logical",
    "pg_logical/snapshots",
    "pg_logical/mappings",
];

/// Files of one zero page: transaction status, and what goes with it.
const ZERO_PAGES: &[&str] =
    &["pg_xact/0000", "pg_subtrans/0000", "pg_multixact/offsets/0000", "pg_multixact/members/0000"];

/// Makes a cluster in the file system's root, which must be empty or missing.
pub fn initdb(vfs: &dyn Vfs, options: &Options, sql: Option<&mut dyn SqlRunner>) -> Result<()> {
    check(options)?;
    check_empty(vfs)?;
    // Nothing needs to be durable before all is there.
    vfs.set_fsync(false);
    let mut files = Files { vfs };
    for folder in FOLDERS {
        vfs.create_dir(folder).or_pg("create directory", folder)?;
    }
    for folder in ["", "base/1/", "base/4/", "base/5/"] {
        files.write(&format!("{folder}PG_VERSION"), b"18\n")?;
    }
    for path in ZERO_PAGES {
        files.write(path, &[0; base::BLCKSZ])?;
    }
    config::write(options, &mut |path, text| files.write(path, text.as_bytes()))?;
    image::write(options, &mut |path, bytes| files.write(path, bytes))?;
    write_log(vfs, options)?;
    match sql {
        Some(runner) => {
            runner
                .run(&[("system_views.sql", SYSTEM_VIEWS_SQL), ("information_schema.sql", INFORMATION_SCHEMA_SQL)])?;
        }
        None => {}
    }
    copy_template(&mut files)?;
    vfs.set_fsync(true);
    match options.sync {
        Sync::No => Ok(()),
        Sync::Files => sync_files(vfs),
        Sync::FileSystem => match vfs.sync_file_system() {
            Err(e) if e.kind() == io::ErrorKind::Unsupported => sync_files(vfs),
            done => done.or_pg("sync file system for file", ""),
        },
    }
}

/// Makes all there is durable: also what ran SQL wrote. All files are on their way to the disk before the first is waited for.
/// (PostgreSQL: `sync_pgdata`)
fn sync_files(vfs: &dyn Vfs) -> Result<()> {
    let (mut folders, mut files) = (vec![String::new()], Vec::new());
    let mut next = 0;
    while let Some(folder) = folders.get(next).cloned() {
        for entry in vfs.list(&folder).or_pg("open directory", &folder)? {
            let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
            if entry.kind == FileKind::Directory { folders.push(path) } else { files.push(path) }
        }
        next += 1;
    }
    for path in &files {
        vfs.open(path, OpenMode::ReadWrite).or_pg("open file", path)?.start_writeback(0, 0);
    }
    for path in &files {
        let file = vfs.open(path, OpenMode::ReadWrite).or_pg("open file", path)?;
        file.sync_all().or_pg("fsync file", path)?;
    }
    // Below first: a directory's entry is in the one above.
    folders.iter().rev().try_for_each(|folder| vfs.sync_dir(folder).or_pg("fsync file", folder))
}

fn check(options: &Options) -> Result<()> {
    let unsupported = |what: &str| Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("{what} is not supported yet")));
    match &options.locale {
        Locale::Icu(_) => return unsupported("locale provider icu"),
        // Locales that order by bytes need nothing of the host.
        Locale::Libc => {
            for name in [&options.lc_collate, &options.lc_ctype] {
                if !crate::open::libc_is_bytewise(name) {
                    return unsupported(&format!("locale \"{name}\" of provider libc"));
                }
            }
        }
        Locale::Builtin(name) if !matches!(name.as_str(), "C" | "C.UTF-8" | "PG_UNICODE_FAST") => {
            let text = format!("invalid locale name \"{name}\" for builtin provider");
            return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
        }
        Locale::Builtin(_) => {}
    }
    if !matches!(options.encoding.to_ascii_uppercase().as_str(), "UTF8" | "UTF-8" | "UNICODE") {
        return unsupported(&format!("encoding {}", options.encoding));
    }
    let size = options.wal_segment_size;
    if !size.is_power_of_two() || !(1 << 20..=1 << 30).contains(&size) {
        return Err(PgError::new(
            INVALID_PARAMETER_VALUE,
            "argument of --wal-segsize must be a power of two between 1 and 1024",
        ));
    }
    if options.superuser.starts_with("pg_") {
        let text =
            format!("superuser name \"{}\" is disallowed; role names cannot begin with \"pg_\"", options.superuser);
        return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
    }
    let by_password = |m: &str| matches!(m, "md5" | "password" | "scram-sha-256");
    if (by_password(&options.auth_local) || by_password(&options.auth_host)) && options.password.is_none() {
        let text = "must specify a password for the superuser to enable password authentication";
        return Err(PgError::new(INVALID_PARAMETER_VALUE, text));
    }
    Ok(())
}

fn check_empty(vfs: &dyn Vfs) -> Result<()> {
    if !vfs.is_dir("") {
        return vfs.create_dir("").or_pg("create directory", "");
    }
    let entries = vfs.list("").or_pg("open directory", "")?;
    if entries.iter().all(|e| e.name == "lost+found" || e.name.starts_with('.')) {
        return Ok(());
    }
    let root = vfs.root().map_or_else(String::new, |p| p.display().to_string());
    Err(PgError::new(OBJECT_IN_USE, format!("directory \"{root}\" exists but is not empty")).hint(format!(
        "If you want to create a new database system, either remove or empty the directory \"{root}\" or run initdb with an \
         argument other than \"{root}\"."
    )))
}

/// The superuser's stored password.
fn secret(options: &Options) -> Result<Option<String>> {
    match &options.password {
        Some(p) => Ok(Some(ScramSecret::generate(p, 4096)?.to_string())),
        None => Ok(None),
    }
}

/// pg_control and the first segment of the log.
fn write_log(vfs: &dyn Vfs, options: &Options) -> Result<()> {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce)
        .map_err(|e| PgError::internal(format!("could not generate secret authorization token: {e}")))?;
    let time = wal::control::unix_time();
    let mut low = [0; 4];
    getrandom::fill(&mut low).map_err(|e| PgError::internal(format!("could not generate a system identifier: {e}")))?;
    // Seconds above, randomness below: unique enough, and it tells the age. (PostgreSQL: time and process id)
    let system_identifier = (time as u64) << 32 | u64::from(u32::from_le_bytes(low));
    let parameters = wal::control::Parameters::default();
    let checkpoint = CheckPoint {
        redo: Lsn::INVALID,
        tli: TimelineId(1),
        prev_tli: TimelineId(1),
        full_page_writes: true,
        wal_level: parameters.wal_level,
        next_xid: FullXid(3),
        next_oid: FIRST_SQL_OBJECT,
        next_multi: MultiXactId::FIRST,
        next_multi_offset: 0,
        oldest_xid: Xid::FIRST_NORMAL,
        oldest_xid_db: crate::oids::TEMPLATE1_DB,
        oldest_multi: MultiXactId::FIRST,
        oldest_multi_db: crate::oids::TEMPLATE1_DB,
        time,
        oldest_commit_ts_xid: Xid::INVALID,
        newest_commit_ts_xid: Xid::INVALID,
        oldest_active_xid: Xid::INVALID,
    };
    let new = wal::bootstrap::NewCluster {
        system_identifier,
        nonce,
        segment_size: options.wal_segment_size,
        checksums: options.checksums,
        parameters,
        checkpoint,
    };
    wal::bootstrap::create(vfs, &new)?;
    Ok(())
}

/// template0 and postgres begin as copies.
fn copy_template(files: &mut Files<'_>) -> Result<()> {
    for entry in files.vfs.list("base/1").or_pg("open directory", "base/1")? {
        let from = format!("base/1/{}", entry.name);
        if entry.name == "PG_VERSION" {
            continue;
        }
        let bytes = files.vfs.read_file(&from).or_pg("read file", &from)?;
        for db in [4, 5] {
            files.write(&format!("base/{db}/{}", entry.name), &bytes)?;
        }
    }
    Ok(())
}

/// The new cluster's files.
struct Files<'a> {
    vfs: &'a dyn Vfs,
}

impl Files<'_> {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.vfs.write_file(path, bytes).or_pg("write file", path)
    }
}
