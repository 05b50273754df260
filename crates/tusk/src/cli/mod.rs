//! Which program was asked for: by the name we were invoked under, else by the first argument.

mod initdb;
mod links;
mod pg_controldata;
mod pg_ctl;
mod pg_isready;
mod postgres;
mod supervisor;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The programs, as PostgreSQL names them, with what each is for.
const PROGRAMS: &[(&str, &str, fn(Vec<OsString>) -> ExitCode)] = &[
    ("postgres", "run a server on an existing data directory", postgres::main),
    ("initdb", "create a data directory", initdb::main),
    ("pg_ctl", "start, stop, restart, reload, promote a server, or ask for its status", pg_ctl::main),
    ("pg_controldata", "show a data directory's control information", pg_controldata::main),
    ("pg_isready", "ask whether a server accepts connections", pg_isready::main),
];

pub const VERSION: &str = "18.6 (Tusk 0.1.0)";

/// Runs the program asked for.
pub fn dispatch(mut args: Vec<OsString>) -> ExitCode {
    let invoked = args.first().map(PathBuf::from).unwrap_or_default();
    let name = invoked.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    if let Some((_, _, main)) = PROGRAMS.iter().find(|(p, ..)| *p == name) {
        args.remove(0);
        return main(args);
    }
    let command = args.get(1).map(|a| a.to_string_lossy().into_owned());
    match command.as_deref() {
        Some("links") => links::main(args.split_off(2)),
        Some("--help" | "-?" | "help") => {
            print!("{}", help());
            ExitCode::SUCCESS
        }
        Some("--version" | "-V") => {
            println!("tusk {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(word) if !word.starts_with('-') => match PROGRAMS.iter().find(|(p, ..)| *p == word) {
            Some((_, _, main)) => main(args.split_off(2)),
            None => {
                eprintln!("tusk: unknown command \"{word}\"\nTry \"tusk --help\" for more information.");
                ExitCode::FAILURE
            }
        },
        _ => postgres::quick_start(args.split_off(1.min(args.len()))),
    }
}

fn help() -> String {
    let mut text = String::from(
        "tusk is a PostgreSQL 18 compatible database server.\n\n\
         Usage:\n  \
         tusk [-D DIR] [-p PORT] [-c NAME=VALUE]...   serve DIR (default ./tusk-data), which is created when it is not there\n  \
         tusk COMMAND [OPTION]...\n\n\
         Commands:\n",
    );
    for (name, what, _) in PROGRAMS {
        text.push_str(&format!("  {name:<16} {what}\n"));
    }
    text.push_str(&format!("  {:<16} make links of these names to this binary in DIR\n", "links DIR"));
    text.push_str("\nEach command takes --help. A link to this binary named as a command is that command.\n");
    text
}

/// All built-ins of this server.
fn registry() -> std::sync::Arc<types::Registry> {
    let lists = [analyze::BUILTINS, commands::BUILTINS, server::BUILTINS];
    std::sync::Arc::new(lists.iter().fold(functions::registry(), |r, list| r.with_functions(list)))
}

/// The data directory from `-D` or the environment.
fn data_directory(option: Option<PathBuf>) -> Option<PathBuf> {
    option.or_else(|| std::env::var_os("PGDATA").map(PathBuf::from))
}

/// An absolute path, also for something that does not exist yet.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Prints a bad option the way PostgreSQL's programs do.
fn usage_error(program: &str, message: impl std::fmt::Display) -> ExitCode {
    eprintln!("{program}: {message}\n{program}: hint: Try \"{program} --help\" for more information.");
    ExitCode::FAILURE
}

/// The arguments in the order given, options and their values as the parser finds them.
fn value(parser: &mut lexopt::Parser) -> Result<String, lexopt::Error> {
    Ok(parser.value()?.to_string_lossy().into_owned())
}
