//! Reads SQL from standard input and prints its tree, or the error: `parse [--check]`.
//!
//! With `--check`, the input is a list of texts separated by zero bytes, and each answers one line: `ok`, or the error's
//! SQLSTATE, position (in characters, from 1) and message.

use std::io::{Read, Write};

fn verdict(sql: &str) -> String {
    match parser::parse(sql) {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let position = error.fields().position.map_or(0, |p| sql[..p].chars().count() + 1);
            format!("{} {position} {}", error.sqlstate(), error.message().replace('\n', "\\n"))
        }
    }
}

fn main() -> std::io::Result<()> {
    let mut sql = String::new();
    std::io::stdin().read_to_string(&mut sql)?;
    let mut out = std::io::BufWriter::new(std::io::stdout());
    if std::env::args().nth(1).as_deref() == Some("--check") {
        for text in sql.split('\0') {
            writeln!(out, "{}", verdict(text))?;
        }
        return Ok(());
    }
    match parser::parse(&sql) {
        Ok(stmts) => writeln!(out, "{stmts:#?}"),
        Err(_) => writeln!(out, "{}", verdict(&sql)),
    }
}
