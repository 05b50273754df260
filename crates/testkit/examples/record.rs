//! Writes the expected blocks of golden files: `record PORT FILE...` asks the PostgreSQL at that port of 127.0.0.1;
//! `record --check PORT FILE...` runs the files there and says what differs, with `--in DATABASE` before PORT in that database
//! rather than a new one.

use std::path::Path;
use std::process::ExitCode;

use testkit::golden;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let check = args.first().is_some_and(|a| a == "--check");
    if check {
        args.remove(0);
    }
    let mut database = None;
    if args.len() > 1 && args[0] == "--in" {
        database = Some(args.remove(1));
        args.remove(0);
    }
    let Some((port, files)) = args.split_first().and_then(|(p, f)| Some((p.parse::<u16>().ok()?, f))) else {
        eprintln!("usage: record [--check] PORT FILE...");
        return ExitCode::FAILURE;
    };
    let mut failed = false;
    for file in files {
        let path = Path::new(file);
        let outcome = match check {
            true => match &database {
                Some(database) => golden::run_file_in(port, database, path),
                None => golden::run_file(port, path),
            }
            .map(|n| println!("{file}: {n} blocks hold")),
            false => golden::record_file(port, path).map(|()| println!("{file}: recorded")),
        };
        if let Err(e) = outcome {
            eprintln!("{e}");
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
