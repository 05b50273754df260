//! One binary, many names: `tusk COMMAND`, or invoked as `postgres`, `initdb`, `pg_ctl`, ... through a link of that name.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::dispatch(std::env::args_os().collect())
}
