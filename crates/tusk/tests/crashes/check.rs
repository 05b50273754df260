//! Does the database hold what it should, and does each index agree with its table?

use std::collections::BTreeMap;

use testkit::Client;

use super::model::{Index, Model, Table, Text};

type Check<T = ()> = Result<T, String>;

fn rows(client: &mut Client, sql: &str) -> Check<Vec<Vec<Option<String>>>> {
    client.rows(sql).map_err(|e| e.to_string())
}

/// Only this kind of scan.
fn scans(client: &mut Client, kind: &str) -> Check {
    let all = ["seqscan", "indexscan", "indexonlyscan", "bitmapscan"];
    let set = all.map(|k| format!("SET enable_{k} = {}", k == kind)).join("; ");
    rows(client, &set).map(drop)
}

/// The database, read in every way there is, against each model it may match; `Ok` gives the one.
pub fn database(client: &mut Client, candidates: &[Model], thorough: bool) -> Check<usize> {
    rows(client, "SET enable_sort = off")?;
    scans(client, "seqscan")?;
    let names = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200 ORDER BY 1";
    let names: Vec<String> = rows(client, names)?.into_iter().flatten().flatten().collect();
    let mut contents = BTreeMap::new();
    for name in &names {
        contents.insert(name.clone(), rows(client, &format!("SELECT ctid, * FROM {name} ORDER BY k"))?);
    }
    let indexes = "SELECT indexrelid::regclass FROM pg_index WHERE indisvalid AND NOT indisprimary AND indrelid IN \
                   (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200)";
    let mut indexes: Vec<String> = rows(client, indexes)?.into_iter().flatten().flatten().collect();
    indexes.sort();
    let differs = |model: &Model| {
        let mut wanted: Vec<&String> = model.tables.values().flat_map(|t| t.indexes.keys()).collect();
        wanted.sort();
        let other = indexes.iter().ne(wanted.iter().copied()).then(|| format!("indexes {indexes:?}, not {wanted:?}"));
        differs(model, &contents).or(other)
    };
    let differences: Vec<String> = candidates.iter().filter_map(differs).collect();
    if differences.len() == candidates.len() {
        return Err(differences.join("\nor "));
    }
    let found = candidates.iter().position(|m| differs(m).is_none()).unwrap_or(0);
    for (name, table) in &candidates[found].tables {
        let content = &contents[name];
        let primary = Index { unique: true, columns: "k", predicate: "" };
        for index in table.indexes.values().chain([&primary]) {
            check_index(client, name, index, content)
                .map_err(|e| format!("index ({}) of {name}: {e}", index.columns))?;
        }
    }
    let mut catalogs = vec![("pg_class", "oid"), ("pg_index", "indexrelid"), ("pg_constraint", "oid")];
    if thorough {
        catalogs.extend([
            ("pg_type", "oid"),
            ("pg_attribute", "attrelid, attnum"),
            ("pg_class", "relname, relnamespace"),
        ]);
        catalogs
            .extend([("pg_depend", "classid, objid, objsubid"), ("pg_statistic", "starelid, staattnum, stainherit")]);
    }
    for (name, columns) in catalogs {
        let index = Index { unique: true, columns, predicate: "" };
        scans(client, "seqscan")?;
        let mut content = rows(client, &format!("SELECT ctid, {columns} FROM {name}"))?;
        scans(client, "indexscan")?;
        let mut through = rows(client, &format!("SELECT ctid, {columns} FROM {name} ORDER BY {}", index.columns))?;
        content.sort();
        through.sort();
        if content != through {
            return Err(format!("index ({columns}) of {name} disagrees with it: {} {}", content.len(), through.len()));
        }
    }
    for kind in ["seqscan", "indexscan", "indexonlyscan", "bitmapscan"] {
        rows(client, &format!("SET enable_{kind} = on"))?;
    }
    rows(client, "SET enable_sort = on")?;
    Ok(found)
}

/// Where the tables' rows differ from a model.
fn differs(model: &Model, contents: &BTreeMap<String, Vec<Vec<Option<String>>>>) -> Option<String> {
    let names: Vec<&String> = model.tables.keys().collect();
    if names != contents.keys().collect::<Vec<_>>() {
        return Some(format!("tables {:?}, not {names:?}", contents.keys()));
    }
    model.tables.iter().find_map(|(name, table)| table_differs(table, &contents[name]).map(|d| format!("{name}: {d}")))
}

fn table_differs(table: &Table, content: &[Vec<Option<String>>]) -> Option<String> {
    let shown = |row: &[Option<String>]| {
        let cut = |c: &Option<String>| c.as_ref().map_or("null".into(), |c| c.chars().take(12).collect::<String>());
        row.iter().map(cut).collect::<Vec<_>>().join(" ")
    };
    let mut found = content.iter();
    for (k, row) in &table.rows {
        let Some(there) = found.next() else { return Some(format!("row {k} is missing at the end")) };
        let mut wanted = vec![Some(k.to_string()), row.v.map(|v| v.to_string()), row.t.map(Text::text)];
        wanted.extend(table.added.iter().map(|a| Some(a.to_string())));
        if there[1..] != wanted {
            return Some(format!("found {}, not {}", shown(there), shown(&wanted)));
        }
    }
    found.next().map(|extra| format!("row {} is too much", shown(extra)))
}

/// Every row the table has, in the index's order, through an index scan and an index-only scan.
fn check_index(client: &mut Client, name: &str, index: &Index, content: &[Vec<Option<String>>]) -> Check {
    let Index { columns, predicate, .. } = *index;
    let filter = if predicate.is_empty() { String::new() } else { format!(" WHERE {predicate}") };
    let plain: Vec<&str> = columns.split(", ").map(|c| c.trim_end_matches(" DESC")).collect();
    scans(client, "indexscan")?;
    let mut through = rows(client, &format!("SELECT ctid, k, v FROM {name}{filter} ORDER BY {columns}"))?;
    let listed = plain.join(", ");
    let keys = rows(client, &format!("SELECT {listed} FROM {name}{filter} ORDER BY {columns}"))?;
    scans(client, "indexonlyscan")?;
    let only = rows(client, &format!("SELECT {listed} FROM {name}{filter} ORDER BY {columns}"))?;
    if only != keys {
        return Err(format!("an index-only scan gives {} rows other than an index scan's {}", only.len(), keys.len()));
    }
    let value = |row: &[Option<String>]| row[2].as_ref().and_then(|v| v.parse::<i32>().ok());
    let mut wanted: Vec<_> = content
        .iter()
        .filter(|r| predicate.is_empty() || value(r).is_some_and(|v| v > 50))
        .map(|r| r[..3].to_vec())
        .collect();
    wanted.sort();
    through.sort();
    if through != wanted {
        let missing = wanted.iter().find(|r| !through.contains(r));
        let extra = through.iter().find(|r| !wanted.contains(r));
        return Err(format!("{} rows, not {}; missing {missing:?}, too much {extra:?}", through.len(), wanted.len()));
    }
    scans(client, "seqscan")
}
