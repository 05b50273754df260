//! Turns `data/*.tsv` into Rust: a struct for a row of each catalog, column numbers, ids by name. Rows stay text.
//!
//! Written to `$OUT_DIR`: `rows.rs` (structs and the table of catalogs), `cols.rs` (column numbers), `oids.rs`
//! (PostgreSQL's names for ids), `fmgroids.rs` (functions' ids by name), `syscaches.rs` (which index serves which cache).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// A TSV file: the names of its columns and its rows, fields as they stand.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(path: &Path) -> Table {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let split = |l: &str| l.split('\t').map(str::to_owned).collect::<Vec<_>>();
        let mut lines = text.lines();
        let names = split(lines.next().expect("a header line"));
        Table { names, rows: lines.map(split).collect() }
    }
    fn col(&self, name: &str) -> usize {
        self.names.iter().position(|n| n == name).unwrap_or_else(|| panic!("no column {name}"))
    }
}

/// The Rust type that holds a column of this SQL type.
fn rust_type(typid: u32) -> &'static str {
    match typid {
        16 => "bool",
        17 | 1002 | 3361 | 3402 | 5017 => "Vec<u8>",
        18 => "u8",
        19 | 25 | 194 => "String",
        20 | 1184 => "i64",
        21 => "i16",
        22 | 1005 => "Vec<i16>",
        23 => "i32",
        24 | 26 => "Oid",
        28 => "Xid",
        30 | 1028 => "Vec<Oid>",
        700 => "f32",
        701 => "f64",
        1009 => "Vec<String>",
        1021 => "Vec<f32>",
        1034 => "Vec<AclItem>",
        3220 => "Lsn",
        2277 | 10000.. => "Datum",
        _ => panic!("no Rust type for a catalog column of type {typid}"),
    }
}

fn camel(name: &str) -> String {
    name.split('_').map(|w| w[..1].to_uppercase() + &w[1..]).collect()
}

/// A field's name: a column's, unless Rust keeps that word for itself.
fn field(name: &str) -> String {
    match name {
        "type" | "match" | "ref" => format!("{name}_"),
        _ => name.to_owned(),
    }
}

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let out = env::var("OUT_DIR").expect("set by cargo");
    let data = Path::new(&here).join("data");
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");

    let class = Table::read(&data.join("pg_class.tsv"));
    let attribute = Table::read(&data.join("pg_attribute.tsv"));
    let (mut rows, mut cols) = (String::new(), String::new());

    let [oid, relname, relkind, shared] = ["oid", "relname", "relkind", "relisshared"].map(|n| class.col(n));
    let [attrelid, attname, atttypid, attnum, attnotnull] =
        ["attrelid", "attname", "atttypid", "attnum", "attnotnull"].map(|n| attribute.col(n));
    let mut by_name = BTreeMap::new();
    for c in class.rows.iter().filter(|c| c[relkind] == "r") {
        by_name.insert(c[relname].clone(), (c[oid].clone(), c[shared] == "t"));
    }
    let mut columns: HashMap<&str, Vec<(i16, &str, u32, bool)>> = HashMap::new();
    for a in &attribute.rows {
        let num: i16 = a[attnum].parse().expect("a number");
        if num > 0 {
            let typid = a[atttypid].parse().expect("a number");
            columns.entry(&a[attrelid]).or_default().push((num, &a[attname], typid, a[attnotnull] == "t"));
        }
    }
    let mut list = String::new();
    for (name, (oid, shared)) in &by_name {
        let cs = columns.get_mut(oid.as_str()).expect("its columns");
        cs.sort_unstable();
        let camel = camel(name);
        let (mut fields, mut from, mut to, mut defs) = (String::new(), String::new(), String::new(), String::new());
        writeln!(cols, "/// Column numbers of `{name}`.\npub mod {name} {{").unwrap();
        for (i, (num, column, typid, notnull)) in cs.iter().enumerate() {
            let (ty, f) = (rust_type(*typid), field(column));
            let ty = if *notnull { ty.to_owned() } else { format!("Option<{ty}>") };
            writeln!(fields, "    pub {f}: {ty},").unwrap();
            writeln!(from, "            {f}: Field::get(row, {i}, Self::NAME)?,").unwrap();
            writeln!(to, "            Field::put(&self.{f}, Oid({typid}))?,").unwrap();
            write!(defs, "({column:?}, Oid({typid}), {notnull}), ").unwrap();
            writeln!(cols, "    pub const {}: i16 = {num};", column.to_uppercase()).unwrap();
        }
        writeln!(cols, "}}").unwrap();
        writeln!(
            rows,
            "/// A row of `{name}`.\n#[derive(Clone, PartialEq, Debug)]\npub struct {camel} {{\n{fields}}}\n\
             impl CatalogRow for {camel} {{\n    const CATALOG: Oid = Oid({oid});\n    const NAME: &'static str = {name:?};\n    \
             fn from_row(row: &[Datum]) -> Result<{camel}> {{\n        Ok({camel} {{\n{from}        }})\n    }}\n    \
             fn to_row(&self) -> Result<Vec<Datum>> {{\n        Ok(vec![\n{to}        ])\n    }}\n}}"
        )
        .unwrap();
        let path = data.join(format!("{name}.tsv"));
        writeln!(
            list,
            "    CatalogDef {{ oid: Oid({oid}), name: {name:?}, shared: {shared}, columns: &[{defs}], data: include_str!({:?}) }},",
            path.display().to_string()
        )
        .unwrap();
    }
    writeln!(rows, "/// Every catalog, by name.\npub static CATALOGS: &[CatalogDef] = &[\n{list}];").unwrap();

    let mut oids = String::new();
    for r in Table::read(&data.join("oid_symbols.tsv")).rows {
        writeln!(oids, "pub const {}: Oid = Oid({});", r[0], r[1]).unwrap();
    }

    fs::write(Path::new(&out).join("syscaches.rs"), syscaches(&data, &class, &attribute))
        .expect("OUT_DIR can be written");
    fs::write(Path::new(&out).join("rows.rs"), rows).expect("OUT_DIR can be written");
    fs::write(Path::new(&out).join("cols.rs"), cols).expect("OUT_DIR can be written");
    fs::write(Path::new(&out).join("oids.rs"), oids).expect("OUT_DIR can be written");
    fs::write(Path::new(&out).join("fmgroids.rs"), fmgroids(&data)).expect("OUT_DIR can be written");
}

/// A function's constant is its name, followed by its argument types where the name alone is not unique.
/// (PostgreSQL: `fmgroids.h`)
fn fmgroids(data: &Path) -> String {
    let (procs, types) = (Table::read(&data.join("pg_proc.tsv")), Table::read(&data.join("pg_type.tsv")));
    let type_names: HashMap<&str, &str> = types.rows.iter().map(|r| (&*r[0], &*r[1])).collect();
    let [oid, proname, args] = ["oid", "proname", "proargtypes"].map(|n| procs.col(n));
    let fixed = || procs.rows.iter().filter(|r| r[oid].parse::<u32>().is_ok_and(|n| n < 12000));
    let mut count: HashMap<&str, u32> = HashMap::new();
    fixed().for_each(|r| *count.entry(&r[proname]).or_default() += 1);
    let mut out = String::new();
    for r in fixed() {
        let mut name = r[proname].to_uppercase();
        if count[&*r[proname]] > 1 {
            r[args].split_whitespace().for_each(|a| name = format!("{name}_{}", type_names[a].to_uppercase()));
        }
        writeln!(out, "pub const F_{name}: Oid = Oid({});", r[oid]).unwrap();
    }
    out
}

/// The caches, each with its index and that index's key columns.
fn syscaches(data: &Path, class: &Table, attribute: &Table) -> String {
    let index = Table::read(&data.join("pg_index.tsv"));
    let oid_of = |name: &str| &class.rows.iter().find(|r| r[1] == name).unwrap_or_else(|| panic!("no {name}"))[0];
    let [indrelid, indkey] = ["indrelid", "indkey"].map(|n| index.col(n));
    let [attrelid, atttypid, attnum] = ["attrelid", "atttypid", "attnum"].map(|n| attribute.col(n));
    let shared = class.col("relisshared");
    let (mut ids, mut defs) = (String::new(), String::new());
    for r in Table::read(&data.join("syscaches.tsv")).rows {
        let oid = oid_of(&r[2]);
        let i = index.rows.iter().find(|i| i[0] == *oid).expect("its pg_index row");
        let keys: Vec<String> = i[indkey]
            .split(' ')
            .map(|k| {
                let a = attribute.rows.iter().find(|a| a[attrelid] == i[indrelid] && a[attnum] == k);
                format!("({k}, Oid({}))", a.expect("the key column")[atttypid])
            })
            .collect();
        let c = class.rows.iter().find(|c| c[0] == i[indrelid]).expect("its pg_class row");
        writeln!(ids, "    {} = {},", r[1], r[0]).unwrap();
        writeln!(
            defs,
            "    CacheDef {{ id: CacheId::{}, catalog: Oid({}), index: Oid({oid}), keys: &[{}], shared: {} }},",
            r[1],
            i[indrelid],
            keys.join(", "),
            c[shared] == "t"
        )
        .unwrap();
    }
    format!(
        "/// The system caches, by PostgreSQL's names and numbers. (PostgreSQL: `SysCacheIdentifier`)\n\
         #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]\n#[repr(u8)]\npub enum CacheId {{\n{ids}}}\n\
         /// In the order of their numbers.\npub static SYSCACHES: &[CacheDef] = &[\n{defs}];\n"
    )
}
