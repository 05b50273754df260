//! `postgres`: runs a server. Also `tusk` without a command, which makes the data directory when it is not there.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use base::PgError;
use base::sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE;
use lexopt::prelude::*;
use server::config::{self, Sources};
use server::log;

use super::supervisor;

const HELP: &str = "postgres is the PostgreSQL server.\n\n\
Usage:\n  postgres [OPTION]...\n\n\
Options:\n  -B NBUFFERS        number of shared buffers\n  -c NAME=VALUE      set run-time parameter\n  \
-C NAME            print value of run-time parameter, then exit\n  -D DATADIR         database directory\n  \
-F                 turn fsync off\n  -h HOSTNAME        host name or IP address to listen on\n  \
-i                 enable TCP/IP connections\n  -k DIRECTORY       Unix-domain socket location\n  \
-N MAX-CONNECT     maximum number of allowed connections\n  -p PORT            port number to listen on\n  \
-S WORK-MEM        set amount of memory for sorts (in kB)\n  --NAME=VALUE       set run-time parameter\n  \
--describe-config  describe configuration parameters, then exit\n  -V, --version      output version information, then exit\n  \
-?, --help         show this help, then exit\n";

/// What the command line said.
#[derive(Debug, Default)]
struct Options {
    data: Option<PathBuf>,
    settings: Vec<(String, String)>,
    print: Option<String>,
    /// Our own: the process that serves, below its supervisor.
    serve: bool,
}

enum Parsed {
    Run(Options),
    Done,
    Refused(String),
}

pub fn main(args: Vec<OsString>) -> ExitCode {
    let given: Vec<String> = args.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let options = match parse(args) {
        Ok(Parsed::Run(options)) => options,
        Ok(Parsed::Done) => return ExitCode::SUCCESS,
        Ok(Parsed::Refused(what)) => {
            eprintln!("FATAL:  0A000: {what} is not supported yet");
            return ExitCode::FAILURE;
        }
        Err(e) => return super::usage_error("postgres", e),
    };
    let Some(data) = super::data_directory(options.data.clone()) else {
        eprintln!(
            "postgres does not know where to find the server configuration file.\n\
             You must specify the --config-file or -D invocation option or set the PGDATA environment variable."
        );
        return ExitCode::from(2);
    };
    let sources = Sources { data_directory: super::absolute(&data), command_line: options.settings };
    if let Some(name) = options.print {
        return print_setting(&sources, &name);
    }
    run(sources, &given, options.serve)
}

/// `tusk`: the directory is `./tusk-data` unless said otherwise, and is made when it is not there.
pub fn quick_start(args: Vec<OsString>) -> ExitCode {
    let given: Vec<String> = args.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let options = match parse(args) {
        Ok(Parsed::Run(options)) => options,
        Ok(Parsed::Done) => return ExitCode::SUCCESS,
        Ok(Parsed::Refused(what)) => {
            eprintln!("FATAL:  0A000: {what} is not supported yet");
            return ExitCode::FAILURE;
        }
        Err(e) => return super::usage_error("tusk", e),
    };
    let data = super::absolute(&super::data_directory(options.data.clone()).unwrap_or_else(|| "tusk-data".into()));
    let empty = std::fs::read_dir(&data).map_or(true, |mut entries| entries.next().is_none());
    if empty && !options.serve {
        println!(
            "Creating a database cluster in {} (superuser postgres; connections from this machine are trusted).",
            data.display()
        );
        let made = super::initdb::main(vec![
            "-D".into(),
            data.clone().into(),
            "-U".into(),
            "postgres".into(),
            "-A".into(),
            "trust".into(),
        ]);
        if made != ExitCode::SUCCESS {
            return made;
        }
    }
    let sources = Sources { data_directory: data, command_line: options.settings };
    if let Some(name) = options.print {
        return print_setting(&sources, &name);
    }
    run(sources, &given, options.serve)
}

fn run(sources: Sources, given: &[String], serve: bool) -> ExitCode {
    match check_directory(&sources.data_directory) {
        Ok(()) => {}
        Err(Refusal::Text(text)) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
        Err(Refusal::Fatal(e)) => {
            log::error(&e, None);
            return ExitCode::FAILURE;
        }
    }
    if serve {
        return server::run(sources, super::registry());
    }
    if rustix::process::geteuid().is_root() {
        eprintln!("WARNING:  running as root: the operating system cannot confine the server");
    }
    if let Err(e) = super::pg_ctl::write_opts(&sources.data_directory, given) {
        eprintln!("LOG:  could not write \"postmaster.opts\": {e}");
    }
    supervisor::run(&sources)
}

/// Why a directory is not served: plain text before there could be a server log, or an entry of it.
enum Refusal {
    Text(String),
    Fatal(PgError),
}

/// As PostgreSQL checks its directory: it exists, is a cluster of this version, and others cannot look in.
/// (PostgreSQL: `checkDataDir`, `ValidatePgVersion`, `checkControlFile`)
fn check_directory(data: &std::path::Path) -> Result<(), Refusal> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let shown = data.display();
    let fatal = |text: String| PgError::new(OBJECT_NOT_IN_PREREQUISITE_STATE, text).fatal();
    let meta = std::fs::metadata(data).map_err(|e| {
        Refusal::Text(match e.kind() {
            std::io::ErrorKind::NotFound => format!("postgres: could not access directory \"{shown}\": No such file or directory\nRun initdb or pg_basebackup to initialize a PostgreSQL data directory."),
            _ => format!("postgres: could not access directory \"{shown}\": {}", config::os_error(&e)),
        })
    })?;
    if !meta.is_dir() {
        return Err(Refusal::Fatal(fatal(format!("specified data directory \"{shown}\" is not a directory"))));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() && !rustix::process::geteuid().is_root() {
        let e = fatal(format!("data directory \"{shown}\" has wrong ownership"));
        return Err(Refusal::Fatal(e.hint("The server must be started by the user that owns the data directory.")));
    }
    if meta.permissions().mode() & 0o027 != 0 {
        let e = fatal(format!("data directory \"{shown}\" has invalid permissions"));
        let detail = "Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).";
        return Err(Refusal::Fatal(e.detail(detail)));
    }
    let version = std::fs::read_to_string(data.join("PG_VERSION")).map_err(|_| {
        let e = fatal(format!("\"{shown}\" is not a valid data directory"));
        Refusal::Fatal(e.detail(format!("File \"{shown}/PG_VERSION\" is missing.")))
    })?;
    if version.trim() != "18" {
        let detail = format!(
            "The data directory was initialized by PostgreSQL version {}, which is not compatible with this version {}.",
            version.trim(),
            super::VERSION
        );
        return Err(Refusal::Fatal(fatal("database files are incompatible with server".into()).detail(detail)));
    }
    let control = data.join("global/pg_control");
    std::fs::File::open(&control).map(drop).map_err(|e| {
        Refusal::Text(format!(
            "postgres: could not find the database system\nExpected to find it in the directory \"{shown}\",\nbut could not open file \"{}\": {}",
            control.display(),
            config::os_error(&e)
        ))
    })
}

fn print_setting(sources: &Sources, name: &str) -> ExitCode {
    let shown = config::load(sources).and_then(|loaded| match base::guc::Guc::find(name) {
        Some(guc) => Ok(loaded.values.show(guc)),
        None => loaded.values.custom(name).map(str::to_owned).ok_or_else(|| base::guc::unrecognized(name).fatal()),
    });
    match shown {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("postgres: {}:  {}", e.severity().as_str(), e.message());
            ExitCode::FAILURE
        }
    }
}

fn parse(args: Vec<OsString>) -> Result<Parsed, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        let short = |name: &str| name.to_owned();
        let setting = match arg {
            Short('D') => {
                options.data = Some(parser.value()?.into());
                continue;
            }
            Short('C') => {
                options.print = Some(super::value(&mut parser)?);
                continue;
            }
            Short('V') | Long("version") => {
                println!("postgres (PostgreSQL) {}", super::VERSION);
                return Ok(Parsed::Done);
            }
            Short('?') | Long("help") => {
                print!("{HELP}");
                return Ok(Parsed::Done);
            }
            Long("single") => return Ok(Parsed::Refused("single-user mode".into())),
            Long("describe-config") => return Ok(Parsed::Refused("--describe-config".into())),
            Long("tusk-serve") => {
                options.serve = true;
                continue;
            }
            Short('c') => {
                let text = super::value(&mut parser)?;
                let (name, value) = text.split_once('=').ok_or_else(|| format!("-c {text} requires a value"))?;
                (name.replace('-', "_"), value.to_owned())
            }
            Short('p') => (short("port"), super::value(&mut parser)?),
            Short('B') => (short("shared_buffers"), super::value(&mut parser)?),
            Short('h') => (short("listen_addresses"), super::value(&mut parser)?),
            Short('k') => (short("unix_socket_directories"), super::value(&mut parser)?),
            Short('N') => (short("max_connections"), super::value(&mut parser)?),
            Short('S') => (short("work_mem"), super::value(&mut parser)?),
            Short('d') => (short("log_min_messages"), format!("debug{}", super::value(&mut parser)?)),
            Short('F') => (short("fsync"), "off".into()),
            Short('i') => (short("listen_addresses"), "*".into()),
            Long(name) => {
                let name = name.replace('-', "_");
                (name, super::value(&mut parser)?)
            }
            other => return Err(other.unexpected()),
        };
        options.settings.push(setting);
    }
    Ok(Parsed::Run(options))
}
