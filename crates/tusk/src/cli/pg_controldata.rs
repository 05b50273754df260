//! `pg_controldata`: a data directory's control information, in PostgreSQL's words.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;

const HELP: &str = "pg_controldata displays control information of a PostgreSQL database cluster.\n\n\
Usage:\n  pg_controldata [OPTION] [DATADIR]\n\n\
Options:\n [-D, --pgdata=]DATADIR  data directory\n  -V, --version          output version information, then exit\n  \
-?, --help             show this help, then exit\n";

pub fn main(args: Vec<OsString>) -> ExitCode {
    let data = match parse(args) {
        Ok(Some(data)) => data,
        Ok(None) => return ExitCode::SUCCESS,
        Err(e) => return super::usage_error("pg_controldata", e),
    };
    let Some(data) = super::data_directory(data) else {
        return super::usage_error("pg_controldata", "no data directory specified");
    };
    let vfs = storage::RealVfs::new(&data);
    match wal::control::ControlFile::read(&vfs) {
        Ok(control) => {
            print!("{}", wal::control::describe(&control, &wal::control::ctime_utc));
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("pg_controldata: error: {}", e.message());
            ExitCode::FAILURE
        }
    }
}

fn parse(args: Vec<OsString>) -> Result<Option<Option<PathBuf>>, lexopt::Error> {
    let mut data = None;
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('D') | Long("pgdata") => data = Some(parser.value()?.into()),
            Short('V') | Long("version") => {
                println!("pg_controldata (PostgreSQL) {}", super::VERSION);
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
    Ok(Some(data))
}
