//! For build scripts: finds the `#[builtin]` functions of a crate and writes `BUILTINS`, the list of their entries, so that
//! adding a built-in touches one place. The crate includes it with
//! `include!(concat!(env!("OUT_DIR"), "/builtins.rs"));` at its root.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

/// Scans `src/` of the crate being built.
pub fn generate() -> io::Result<()> {
    let mut entries = Vec::new();
    scan(Path::new("src"), "crate", &mut entries)?;
    entries.sort();
    let (lists, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|e| e.starts_with('&'));
    let mut text =
        String::from("/// Every `#[builtin]` of this crate.\npub static BUILTINS: &[::types::Builtin] = &[\n");
    for path in &entries {
        let _ = writeln!(text, "    {path},");
    }
    text.push_str("];\n");
    if !lists.is_empty() {
        text.push_str("/// Families of built-ins made by macros: `pub static NAME: &[Builtin]`.\n");
        text.push_str("pub static BUILTIN_LISTS: &[&[::types::Builtin]] = &[\n");
        for path in &lists {
            let _ = writeln!(text, "    {},", &path[1..]);
        }
        text.push_str("];\n");
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    println!("cargo::rerun-if-changed=src");
    fs::write(Path::new(&out).join("builtins.rs"), text)
}

fn scan(dir: &Path, module: &str, entries: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            scan(&path, &format!("{module}::{stem}"), entries)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            let module = match stem.as_str() {
                "lib" | "mod" => module.to_owned(),
                _ => format!("{module}::{stem}"),
            };
            collect(&fs::read_to_string(&path)?, &module, entries);
        }
    }
    Ok(())
}

/// After an attribute line `#[builtin(` comes, some lines later, the function's name.
fn collect(source: &str, module: &str, entries: &mut Vec<String>) {
    let mut pending = false;
    for line in source.lines() {
        let line = line.trim_start();
        if let Some((name, _)) = line.strip_prefix("pub static ").and_then(|l| l.split_once(": &[Builtin] =")) {
            entries.push(format!("&{module}::{name}"));
        } else if line.starts_with("#[builtin(") {
            pending = true;
        } else if pending
            && let Some(rest) = line
                .strip_prefix("pub fn ")
                .or_else(|| line.strip_prefix("fn "))
                .or_else(|| line.strip_prefix("pub(crate) fn "))
        {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            entries.push(format!("{module}::__BUILTIN_{name}"));
            pending = false;
        }
    }
}
