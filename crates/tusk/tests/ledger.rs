//! Killed in the middle of work, a server comes back with every transaction it had acknowledged. `conformance/run` does more
//! rounds of it, and lets PostgreSQL look at what is left.

mod common;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use common::{DataDirectory, Server};
use testkit::client::Target;
use testkit::ledger;

#[test]
fn acknowledged_commits_survive_kills() {
    let dir = DataDirectory::new("ledger");
    let notes = dir.path().with_extension("notes");
    let _ = std::fs::remove_file(&notes);
    let mut server = Server::start(&dir);
    ledger::setup(&Target::new(server.port)).expect("the tables");
    for round in 0..3 {
        let (target, stop) = (Target::new(server.port), AtomicBool::new(false));
        let work = std::thread::scope(|scope| {
            let work = scope.spawn(|| ledger::work(&target, &notes, 4, round, &stop));
            let noted = || std::fs::metadata(&notes).map_or(0, |m| m.len());
            let (before, start) = (noted(), Instant::now());
            while noted() < before + 500 && start.elapsed() < Duration::from_secs(30) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(211 * round));
            server.crash(&dir);
            work.join().expect("no panic")
        });
        work.expect("the clients' work");
        server = Server::start(&dir);
        let figures = ledger::check(&Target::new(server.port), &notes);
        let figures = figures.unwrap_or_else(|e| panic!("round {round}: {e}"));
        assert!(figures.acknowledged > 0, "{figures:?}");
        println!("round {round}: {figures:?}");
    }
    let _ = std::fs::remove_file(&notes);
    assert!(server.stop().success());
}
