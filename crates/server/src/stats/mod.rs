//! Cumulative statistics between runs of the server, and as SQL sees them. What is counted, and how: [`txn::stats`].
//!
//! | file | what |
//! | --- | --- |
//! | `mod.rs` | saving the counters at a clean shutdown, reading them at the next start |
//! | `builtins.rs` | `pg_stat_get_*` |
//!
//! The file is `pg_stat/tusk_stat.dat`: lines of text, first the shutdown checkpoint's position. It is removed once read, so
//! that a crash leaves none; and one that does not belong to the last checkpoint (PostgreSQL ran in between) is not believed.
//!
//! PostgreSQL: `pgstat_write_statsfile`, `pgstat_read_statsfile`.

pub(crate) mod builtins;

use std::fmt::Write as _;
use std::str::SplitWhitespace;

use base::{Lsn, Oid};
use storage::Vfs;
use txn::stats::{DatabaseCounter, Stats, TableCounter};

const DIRECTORY: &str = "pg_stat";
const FILE: &str = "pg_stat/tusk_stat.dat";
const HEADER: &str = "tusk statistics 1";

/// Writes the counters; `redo` is the shutdown checkpoint's.
pub fn save(vfs: &dyn Vfs, stats: &Stats, redo: Lsn) -> std::io::Result<()> {
    let (tables, databases) = stats.all();
    let mut text = format!("{HEADER} {}\n", redo.0);
    for t in tables {
        let _ = write!(text, "t {} {}", t.database.0, t.oid.0);
        TableCounter::ALL.iter().for_each(|c| _ = write!(text, " {}", t.get(*c)));
        text.push('\n');
    }
    for d in databases {
        let _ = write!(text, "d {}", d.database.0);
        DatabaseCounter::ALL.iter().for_each(|c| _ = write!(text, " {}", d.get(*c)));
        text.push('\n');
    }
    text.push_str("end\n");
    vfs.create_dir_all(DIRECTORY)?;
    vfs.write_file_durably(FILE, text.as_bytes())
}

/// Reads what the last shutdown left and removes the file; `redo` is the position of the checkpoint the server starts from.
/// `crashed`: the file is only removed.
pub fn load(vfs: &dyn Vfs, stats: &Stats, redo: Lsn, crashed: bool) {
    let Ok(bytes) = vfs.read_file(FILE) else { return };
    let _ = vfs.remove_file(FILE);
    let Ok(text) = String::from_utf8(bytes) else { return };
    let first = format!("{HEADER} {}\n", redo.0);
    if !crashed && let Some(lines) = text.strip_prefix(&first).and_then(|t| t.strip_suffix("end\n")) {
        lines.lines().for_each(|line| _ = read_line(stats, line));
    }
}

fn read_line(stats: &Stats, line: &str) -> Option<()> {
    let mut words = line.split_whitespace();
    let kind = words.next()?;
    let database = Oid(words.next()?.parse().ok()?);
    match kind {
        "t" => {
            let oid = Oid(words.next()?.parse().ok()?);
            let values = values(words, TableCounter::ALL.len())?;
            let table = stats.table(database, oid);
            TableCounter::ALL.iter().zip(values).for_each(|(c, v)| table.set(*c, v));
        }
        _ => {
            let values = values(words, DatabaseCounter::ALL.len())?;
            let database = stats.database(database);
            DatabaseCounter::ALL.iter().zip(values).for_each(|(c, v)| database.set(*c, v));
        }
    }
    Some(())
}

fn values(words: SplitWhitespace<'_>, count: usize) -> Option<Vec<i64>> {
    let values: Option<Vec<i64>> = words.map(|w| w.parse().ok()).collect();
    values.filter(|v| v.len() == count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_over_a_clean_restart_only() {
        let directory = std::env::temp_dir().join(format!("tusk-stats-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let vfs = storage::RealVfs::new(&directory);
        let stats = Stats::default();
        stats.table(Oid(5), Oid(20000)).set(TableCounter::Live, 42);
        stats.database(Oid(5)).set(DatabaseCounter::Commits, 7);
        // (position at start, crashed, kept)
        for (redo, crashed, kept) in [(100, false, true), (100, true, false), (101, false, false)] {
            save(&vfs, &stats, Lsn(100)).unwrap();
            let read = Stats::default();
            load(&vfs, &read, Lsn(redo), crashed);
            assert_eq!(read.find_table(Oid(5), Oid(20000)).map(|t| t.get(TableCounter::Live)), kept.then_some(42));
            assert_eq!(read.sum(Oid(5), DatabaseCounter::Commits), if kept { 7 } else { 0 });
            assert!(!vfs.exists(FILE));
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
