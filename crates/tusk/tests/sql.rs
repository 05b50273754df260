//! The SQL golden files of `tests/sql`, run through a real client against the real server.

mod common;

use std::path::{Path, PathBuf};

use common::{DataDirectory, Server};
use testkit::golden;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sql");
    let entries = std::fs::read_dir(&folder).expect("tests/sql is there");
    let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "test"));
    files.sort();
    files
}

#[test]
fn golden_files_hold() {
    let dir = DataDirectory::new("sql");
    let server = Server::start(&dir);
    let mut wrong = String::new();
    for file in files() {
        if let Err(e) = golden::run_file(server.port, &file) {
            wrong.push_str(&e);
            wrong.push('\n');
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(server.stop().success(), "the server did not end cleanly");
}
