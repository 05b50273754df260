//! `initdb`: makes a data directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use catalog::initdb::{Locale, Options, Sync};
use lexopt::prelude::*;

const HELP: &str = "initdb initializes a PostgreSQL database cluster.\n\n\
Usage:\n  initdb [OPTION]... [DATADIR]\n\n\
Options:\n  -A, --auth=METHOD         default authentication method for local connections\n      \
--auth-host=METHOD    default authentication method for local TCP/IP connections\n      \
--auth-local=METHOD   default authentication method for local-socket connections\n \
[-D, --pgdata=]DATADIR     location for this database cluster\n  \
-E, --encoding=ENCODING   set default encoding for new databases\n  \
-k, --data-checksums      use data page checksums\n      --no-data-checksums   do not use data page checksums\n      \
--locale=LOCALE       set default locale for new databases\n      --no-locale           equivalent to --locale=C\n      \
--locale-provider={builtin|libc|icu}\n      --builtin-locale=LOCALE\n      \
--pwfile=FILE         read password for the new superuser from file\n  \
-U, --username=NAME       database superuser name\n  -c, --set NAME=VALUE      override default setting for server parameter\n  \
-N, --no-sync             do not wait for changes to be written safely to disk\n      \
--sync-method=METHOD  set method for syncing files to disk: fsync or syncfs (the default)
      \
--wal-segsize=SIZE    size of WAL segments, in megabytes\n  \
-V, --version             output version information, then exit\n  -?, --help                show this help, then exit\n";

pub fn main(args: Vec<OsString>) -> ExitCode {
    let (options, data) = match parse(args) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return ExitCode::SUCCESS,
        Err(e) => return super::usage_error("initdb", e),
    };
    let Some(data) = super::data_directory(data) else {
        eprintln!("initdb: error: no data directory specified");
        eprintln!(
            "initdb: hint: You must identify the directory where the data for this database system will reside.  Do this with either the invocation option -D or the environment variable PGDATA."
        );
        return ExitCode::FAILURE;
    };
    let data = super::absolute(&data);
    match create(&data, &options) {
        Ok(()) => {
            println!(
                "Success. You can now start the database server using:\n\n    pg_ctl -D {} -l logfile start\n",
                data.display()
            );
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("initdb: error: {}", e.message());
            if let Some(hint) = &e.fields().hint {
                eprintln!("initdb: hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Makes the cluster, with nobody else able to look in.
pub fn create(data: &Path, options: &Options) -> base::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let fail = |what: &str, e: &std::io::Error| {
        let text = format!("could not {what} directory \"{}\": {}", data.display(), server::config::os_error(e));
        base::PgError::new(base::sqlstate::IO_ERROR, text)
    };
    if let Ok(mut entries) = std::fs::read_dir(data)
        && entries.next().is_some()
    {
        let text = format!("directory \"{}\" exists but is not empty", data.display());
        let hint = format!(
            "If you want to create a new database system, either remove or empty the directory \"{0}\" or run initdb with an argument other than \"{0}\".",
            data.display()
        );
        return Err(base::PgError::new(base::sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE, text).hint(hint));
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|e| fail("create", &e))?;
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700))
        .map_err(|e| fail("change permissions of", &e))?;
    let vfs = storage::RealVfs::new(data);
    let mut runner = server::bootstrap::Runner::new(data, super::registry());
    catalog::initdb::initdb(&vfs, options, Some(&mut runner))
}

fn parse(args: Vec<OsString>) -> Result<Option<(Options, Option<PathBuf>)>, lexopt::Error> {
    let mut options =
        Options { superuser: std::env::var("USER").unwrap_or_else(|_| "postgres".into()), ..Options::default() };
    let mut data = None;
    let mut provider = None;
    let mut locale = None;
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('D') | Long("pgdata") => data = Some(parser.value()?.into()),
            Short('U') | Long("username") => options.superuser = super::value(&mut parser)?,
            Short('A') | Long("auth") => {
                let method = super::value(&mut parser)?;
                options.auth_local = if method == "ident" { "peer".into() } else { method.clone() };
                options.auth_host = if method == "peer" { "ident".into() } else { method };
            }
            Long("auth-host") => options.auth_host = super::value(&mut parser)?,
            Long("auth-local") => options.auth_local = super::value(&mut parser)?,
            Long("pwfile") => {
                let path = super::value(&mut parser)?;
                let text = std::fs::read_to_string(&path).map_err(|e| {
                    format!("could not open file \"{path}\" for reading: {}", server::config::os_error(&e))
                })?;
                let password = text.lines().next().unwrap_or_default().to_owned();
                if password.is_empty() {
                    return Err(format!("password file \"{path}\" is empty").into());
                }
                options.password = Some(password);
            }
            Short('E') | Long("encoding") => options.encoding = super::value(&mut parser)?,
            Short('k') | Long("data-checksums") => options.checksums = true,
            Long("no-data-checksums") => options.checksums = false,
            Long("locale") => locale = Some(super::value(&mut parser)?),
            Long("no-locale") => locale = Some("C".into()),
            Long("locale-provider") => provider = Some(super::value(&mut parser)?),
            Long("builtin-locale") => {
                options.locale = Locale::Builtin(super::value(&mut parser)?);
            }
            Long("icu-locale") => options.locale = Locale::Icu(super::value(&mut parser)?),
            Long("lc-collate") => options.lc_collate = super::value(&mut parser)?,
            Long("lc-ctype") => options.lc_ctype = super::value(&mut parser)?,
            Long("lc-messages") => options.lc_messages = super::value(&mut parser)?,
            Long("lc-monetary") => options.lc_monetary = super::value(&mut parser)?,
            Long("lc-numeric") => options.lc_numeric = super::value(&mut parser)?,
            Long("lc-time") => options.lc_time = super::value(&mut parser)?,
            Short('T') | Long("text-search-config") => options.text_search_config = super::value(&mut parser)?,
            Long("wal-segsize") => {
                let megabytes: u32 = parser.value()?.parse()?;
                if !megabytes.is_power_of_two() || !(1..=1024).contains(&megabytes) {
                    return Err("argument of --wal-segsize must be a power of two between 1 and 1024".into());
                }
                options.wal_segment_size = megabytes << 20;
            }
            Short('c') | Long("set") => {
                let text = super::value(&mut parser)?;
                let (name, value) = text.split_once('=').ok_or_else(|| format!("-c {text} requires a value"))?;
                options.settings.push((name.to_owned(), value.to_owned()));
            }
            Short('N') | Long("no-sync") => options.sync = Sync::No,
            Long("sync-method") => {
                options.sync = match super::value(&mut parser)?.as_str() {
                    "fsync" => Sync::Files,
                    "syncfs" => Sync::FileSystem,
                    other => return Err(format!("unrecognized sync method: {other}").into()),
                }
            }
            Short('X') | Long("waldir") => return Err("--waldir is not supported yet".into()),
            Short('g') | Long("allow-group-access") => return Err("--allow-group-access is not supported yet".into()),
            Short('V') | Long("version") => {
                println!("initdb (PostgreSQL) {}", super::VERSION);
                return Ok(None);
            }
            Short('?') | Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            Value(dir) if data.is_none() => data = Some(dir.into()),
            other => return Err(other.unexpected()),
        }
    }
    apply_locale(&mut options, provider.as_deref(), locale)?;
    Ok(Some((options, data)))
}

/// `--locale` names the system's locale; the default provider is the built-in one, whose order does not change with
/// the system's libraries.
fn apply_locale(options: &mut Options, provider: Option<&str>, locale: Option<String>) -> Result<(), lexopt::Error> {
    if let Some(name) = &locale {
        for setting in [
            &mut options.lc_collate,
            &mut options.lc_ctype,
            &mut options.lc_messages,
            &mut options.lc_monetary,
            &mut options.lc_numeric,
            &mut options.lc_time,
        ] {
            setting.clone_from(name);
        }
    }
    match provider {
        None | Some("builtin") => {
            if let Some(name) = locale.filter(|l| l == "C" || l == "POSIX") {
                options.locale = Locale::Builtin(if name == "POSIX" { "C".into() } else { name });
            }
        }
        Some("libc") => options.locale = Locale::Libc,
        Some("icu") => options.locale = Locale::Icu(locale.unwrap_or_else(|| "und".into())),
        Some(other) => return Err(format!("unrecognized locale provider: {other}").into()),
    }
    Ok(())
}
