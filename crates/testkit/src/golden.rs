//! SQL golden files: what a server must answer, in blocks separated by empty lines.
//!
//! ```text
//! # A comment.
//! statement ok
//! CREATE TABLE t (a int)
//!
//! statement error (22012)
//! SELECT 1 / 0
//!
//! statement error (42P01) relation "u" does not exist
//! SELECT * FROM u
//!
//! query
//! SELECT a, b FROM t ORDER BY a
//! ----
//! 1|x
//! 2|NULL
//!
//! s2: query
//! SELECT count(*) FROM t
//! ----
//! 2
//!
//! s1: begin-wait
//! UPDATE t SET a = 1
//!
//! s1: end-wait
//! UPDATE 2
//! ```
//!
//! `sN:` names one of several connections (without it: `s1`). `query unordered` sorts rows before comparing. `begin-wait`
//! starts a statement that must block; `end-wait` takes its outcome: a tag, or `error (CODE)`. Every file runs in a
//! fresh database and passes unchanged on PostgreSQL 18.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::client::{Client, ServerError, StatementResult, Target};

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Of its first line.
    pub line: usize,
    pub session: usize,
    pub kind: Kind,
    pub sql: String,
    pub expected: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    StatementOk,
    StatementError { code: String, message: Option<String> },
    Query { unordered: bool },
    BeginWait,
    EndWait,
}

/// Reads a file's text. Errors: a line that is no block's head.
pub fn parse(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((i, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (session, head) = match line.split_once(": ") {
            Some((s, rest)) if s.starts_with('s') && s[1..].parse::<usize>().is_ok() => {
                (s[1..].parse().unwrap_or(1), rest)
            }
            _ => (1, line),
        };
        let kind = head_kind(head).ok_or_else(|| format!("line {}: what is \"{line}\"?", i + 1))?;
        let mut body: Vec<String> = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, l)| !l.trim().is_empty()) {
            body.push(line.to_owned());
        }
        let (sql, expected) = match kind {
            Kind::EndWait => (String::new(), body),
            _ => match body.iter().position(|l| l == "----") {
                Some(at) => (body[..at].join("\n"), body[at + 1..].to_vec()),
                None => (body.join("\n"), Vec::new()),
            },
        };
        blocks.push(Block { line: i + 1, session, kind, sql, expected });
    }
    Ok(blocks)
}

fn head_kind(head: &str) -> Option<Kind> {
    Some(match head.trim_end() {
        "statement ok" => Kind::StatementOk,
        "query" => Kind::Query { unordered: false },
        "query unordered" => Kind::Query { unordered: true },
        "begin-wait" => Kind::BeginWait,
        "end-wait" => Kind::EndWait,
        other => {
            let (code, message) = other.strip_prefix("statement error (")?.split_once(')')?;
            let message = Some(message.trim()).filter(|m| !m.is_empty()).map(str::to_owned);
            Kind::StatementError { code: code.to_owned(), message }
        }
    })
}

/// A row as golden files show it.
fn show_rows(result: &StatementResult, unordered: bool) -> Vec<String> {
    let show = |v: &Option<String>| match v.as_deref() {
        None => "NULL".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(s) => s.replace('\n', "\\n"),
    };
    let mut rows: Vec<String> = result.rows.iter().map(|r| r.iter().map(show).collect::<Vec<_>>().join("|")).collect();
    if unordered {
        rows.sort();
    }
    rows
}

type Outcome = Result<Vec<StatementResult>, ServerError>;

struct Runner<'a> {
    target: &'a Target,
    sessions: HashMap<usize, Client>,
}

impl Runner<'_> {
    fn session(&mut self, number: usize) -> io::Result<&mut Client> {
        if !self.sessions.contains_key(&number) {
            self.sessions.insert(number, Client::connect(self.target)?);
        }
        self.sessions.get_mut(&number).ok_or_else(|| io::Error::other("no session"))
    }

    /// `None` if the block holds, else what was wrong.
    fn run(&mut self, block: &Block) -> io::Result<Option<String>> {
        let session = self.session(block.session)?;
        Ok(match &block.kind {
            Kind::BeginWait => {
                session.start_query(&block.sql)?;
                std::thread::sleep(Duration::from_millis(100));
                None
            }
            Kind::EndWait => {
                let shown = match session.finish_query()? {
                    Ok(results) => results.last().map_or(String::new(), |r| r.tag.clone()),
                    Err(e) => format!("error ({})", e.sqlstate()),
                };
                differ(&block.expected, &[shown])
            }
            Kind::StatementOk => session.query(&block.sql)?.err().map(|e| format!("failed: {e:?}")),
            Kind::StatementError { code, message } => check_error(session.query(&block.sql)?, code, message.as_deref()),
            Kind::Query { unordered } => match session.query(&block.sql)? {
                Err(e) => Some(format!("failed: {e:?}")),
                Ok(results) => {
                    let last = results.into_iter().next_back().unwrap_or_default();
                    differ(&block.expected, &show_rows(&last, *unordered))
                }
            },
        })
    }
}

fn check_error(outcome: Outcome, code: &str, message: Option<&str>) -> Option<String> {
    match outcome {
        Ok(_) => Some(format!("succeeded, expected error {code}")),
        Err(e) if e.sqlstate() != code => Some(format!("expected error {code}, got {e:?}")),
        Err(e) => match message {
            Some(m) if m != e.message() => Some(format!("expected message \"{m}\", got \"{}\"", e.message())),
            _ => None,
        },
    }
}

fn differ(expected: &[String], actual: &[String]) -> Option<String> {
    if expected == actual {
        return None;
    }
    Some(format!("expected:\n    {}\n  got:\n    {}", expected.join("\n    "), actual.join("\n    ")))
}

/// Runs a file in a database of its own on the server at `port`. Errors say file, line, and what differed.
pub fn run_file(port: u16, path: &Path) -> Result<usize, String> {
    let name = path.file_stem().map_or(String::new(), |s| s.to_string_lossy().replace('-', "_"));
    let database = format!("golden_{name}");
    run_path(path, |blocks| run_blocks(port, &database, blocks))
}

/// As [`run_file`], in a database that is there and that nothing else uses.
pub fn run_file_in(port: u16, database: &str, path: &Path) -> Result<usize, String> {
    run_path(path, |blocks| run_all(&Target::new(port).database(database), blocks))
}

fn run_path(path: &Path, run: impl FnOnce(&[Block]) -> io::Result<Vec<(usize, String)>>) -> Result<usize, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let blocks = parse(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let result = run(&blocks);
    let mut report = String::new();
    for (line, what) in result.map_err(|e| format!("{}: {e}", path.display()))? {
        let _ = writeln!(report, "{}:{line}: {what}", path.display());
    }
    if report.is_empty() { Ok(blocks.len()) } else { Err(report) }
}

fn run_blocks(port: u16, database: &str, blocks: &[Block]) -> io::Result<Vec<(usize, String)>> {
    let mut admin = Client::connect(&Target::new(port))?;
    admin.execute(&format!("DROP DATABASE IF EXISTS {database}"))?;
    admin.execute(&format!("CREATE DATABASE {database}"))?;
    let wrong = run_all(&Target::new(port).database(database), blocks)?;
    // Sessions end in their own time.
    for _ in 0..100 {
        if admin.query(&format!("DROP DATABASE {database}"))?.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(wrong)
}

/// The blocks that do not hold.
fn run_all(target: &Target, blocks: &[Block]) -> io::Result<Vec<(usize, String)>> {
    let mut runner = Runner { target, sessions: HashMap::new() };
    let mut wrong = Vec::new();
    for block in blocks {
        if let Some(what) = runner.run(block)? {
            wrong.push((block.line, format!("{}\n  {what}", block.sql)));
        }
    }
    Ok(wrong)
}

/// Rewrites a file's expected blocks with what the server at `port` (a PostgreSQL) answers.
pub fn record_file(port: u16, path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let blocks = parse(&text)?;
    let recorded = record_blocks(port, &blocks).map_err(|e| e.to_string())?;
    let mut out = String::new();
    let mut skip = false;
    let mut at = 0;
    for (i, line) in text.lines().enumerate() {
        if let Some(block) = blocks.get(at)
            && block.line == i + 1
        {
            at += 1;
            skip = false;
        }
        if line.trim().is_empty() {
            skip = false;
        }
        if skip {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if line == "----"
            && let Some(rows) = at.checked_sub(1).and_then(|b| recorded.get(b))
        {
            rows.iter().for_each(|r| out.push_str(&format!("{r}\n")));
            skip = true;
        }
    }
    std::fs::write(path, out).map_err(|e| e.to_string())
}

fn record_blocks(port: u16, blocks: &[Block]) -> io::Result<Vec<Vec<String>>> {
    let mut admin = Client::connect(&Target::new(port))?;
    admin.execute("DROP DATABASE IF EXISTS golden_record")?;
    admin.execute("CREATE DATABASE golden_record")?;
    let target = Target::new(port).database("golden_record");
    let mut runner = Runner { target: &target, sessions: HashMap::new() };
    let mut recorded = Vec::new();
    for block in blocks {
        recorded.push(match &block.kind {
            Kind::Query { unordered } => match runner.session(block.session)?.query(&block.sql)? {
                Ok(results) => show_rows(&results.into_iter().next_back().unwrap_or_default(), *unordered),
                Err(e) => vec![format!("{e:?}")],
            },
            _ => {
                runner.run(block)?;
                Vec::new()
            }
        });
    }
    drop(runner);
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        let text = "# c\nstatement ok\nSELECT 1\n\ns2: query unordered\nSELECT a\nFROM t\n----\n1|x\n\nstatement error (22012) division by zero\nSELECT 1/0\n";
        let blocks = parse(text).unwrap();
        assert_eq!(blocks.len(), 3);
        assert_eq!((blocks[1].session, blocks[1].sql.as_str()), (2, "SELECT a\nFROM t"));
        assert_eq!(blocks[1].expected, ["1|x"]);
        let kind = Kind::StatementError { code: "22012".into(), message: Some("division by zero".into()) };
        assert_eq!(blocks[2].kind, kind);
        assert!(parse("nonsense").is_err());
    }
}
