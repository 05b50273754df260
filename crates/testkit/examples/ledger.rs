//! `ledger setup PORT`, `ledger work PORT NOTES CLIENTS SEED` (until the server is gone), `ledger check PORT NOTES`: see
//! `testkit::ledger`. `conformance/run` uses it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use testkit::client::Target;
use testkit::ledger;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize| args.get(i).and_then(|a| a.parse::<u64>().ok()).unwrap_or(0);
    let target = Target::new(number(2) as u16);
    let notes = PathBuf::from(args.get(3).map_or("", String::as_str));
    let done = match args.get(1).map(String::as_str) {
        Some("setup") => ledger::setup(&target),
        Some("work") => ledger::work(&target, &notes, number(4) as u32, number(5), &AtomicBool::new(false)),
        Some("check") => ledger::check(&target, &notes).map(|f| {
            println!(
                "{} acknowledged, {} undecided of which {} are there, {} side tables",
                f.acknowledged, f.undecided, f.undecided_there, f.side_tables
            );
        }),
        _ => Err(std::io::Error::other("usage: ledger setup|work|check PORT [NOTES [CLIENTS SEED]]")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("ledger: {e}");
            ExitCode::FAILURE
        }
    }
}
