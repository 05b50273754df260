//! Differential tests: calls of single functions whose results PostgreSQL 18 gave, in `tests/cases/*.txt`.
//!
//! A line is `name(type, ..)`, the arguments and the result in text form, separated by tabs; `\N` is null, rows of a set are
//! separated by ` ; `, an error is `ERROR code: message`. `in(type)` stands for reading and writing a value. The functions'
//! rows come from the catalog crate's data files. `tests/expect.py` fills in results from a running PostgreSQL.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use base::{Interrupt, Oid, PgError, Result};
use types::{Body, Datum, DatumRef, FnCall, FnCx, Registry, Runtime, Settings, TupleDesc, TypeInfo};

struct Proc {
    oid: Oid,
    name: String,
    source: String,
    args: Vec<Oid>,
    result: Oid,
    variadic: bool,
    strict: bool,
}

struct Catalog {
    procs: Vec<Proc>,
    by_oid: HashMap<Oid, usize>,
    types: HashMap<Oid, Arc<TypeInfo>>,
    names: HashMap<String, Oid>,
}

fn table(name: &str) -> Vec<HashMap<String, String>> {
    let path = format!("{}/../catalog/data/{name}.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    lines.map(|l| header.iter().map(|h| h.to_string()).zip(l.split('\t').map(str::to_owned)).collect()).collect()
}

fn load() -> Catalog {
    let num = |r: &HashMap<String, String>, k: &str| r[k].parse::<i64>().unwrap_or(0);
    let mut procs = Vec::new();
    for r in table("pg_proc") {
        procs.push(Proc {
            oid: Oid(num(&r, "oid") as u32),
            name: r["proname"].clone(),
            source: r["prosrc"].clone(),
            args: r["proargtypes"].split(' ').filter_map(|t| t.parse().ok().map(Oid)).collect(),
            result: Oid(num(&r, "prorettype") as u32),
            variadic: num(&r, "provariadic") != 0,
            strict: r["proisstrict"] == "t",
        });
    }
    let by_oid: HashMap<Oid, usize> = procs.iter().enumerate().map(|(i, p)| (p.oid, i)).collect();
    let by_name: HashMap<&str, Oid> = procs.iter().map(|p| (p.name.as_str(), p.oid)).collect();
    let (mut types, mut names) = (HashMap::new(), HashMap::new());
    let opclasses = table("pg_opclass");
    let amproc = table("pg_amproc");
    let amop = table("pg_amop");
    let ranges = table("pg_range");
    for r in table("pg_type") {
        let oid = Oid(num(&r, "oid") as u32);
        let function = |k: &str| by_name.get(r[k].as_str()).copied().unwrap_or_else(|| Oid(num(&r, k) as u32));
        let family = |am: &str| {
            let of = |t: Oid| {
                opclasses
                    .iter()
                    .find(|c| c["opcmethod"] == am && c["opcintype"] == t.0.to_string() && c["opcdefault"] == "t")
            };
            let t = match (r["typcategory"].as_str(), r["typname"].as_str()) {
                ("A", n) if n.starts_with('_') => Oid(2277),
                (_, "varchar") => Oid(25),
                _ => oid,
            };
            of(t).map(|c| (c["opcfamily"].clone(), t))
        };
        let support = |am: &str, n: &str| {
            let Some((f, t)) = family(am) else { return Oid::INVALID };
            let t = t.0.to_string();
            let row = amproc.iter().find(|p| {
                p["amprocfamily"] == f && p["amproclefttype"] == t && p["amprocrighttype"] == t && p["amprocnum"] == n
            });
            row.map_or(Oid::INVALID, |p| {
                by_name.get(p["amproc"].as_str()).copied().unwrap_or_else(|| Oid(num(p, "amproc") as u32))
            })
        };
        let operator = |n: &str| {
            let Some((f, t)) = family("403") else { return Oid::INVALID };
            let t = t.0.to_string();
            let row = amop.iter().find(|p| {
                p["amopfamily"] == f && p["amoplefttype"] == t && p["amoprighttype"] == t && p["amopstrategy"] == n
            });
            row.map_or(Oid::INVALID, |p| Oid(num(p, "amopopr") as u32))
        };
        let info = TypeInfo {
            oid,
            name: r["typname"].as_str().into(),
            namespace: Oid(11),
            len: num(&r, "typlen") as i16,
            byval: r["typbyval"] == "t",
            align: types::Align::from_char(r["typalign"].as_bytes()[0]),
            storage: r["typstorage"].as_bytes()[0],
            typtype: r["typtype"].as_bytes()[0],
            category: r["typcategory"].as_bytes()[0],
            delim: r["typdelim"].as_bytes()[0],
            relid: Oid(num(&r, "typrelid") as u32),
            elem: Oid(num(&r, "typelem") as u32),
            array: Oid(num(&r, "typarray") as u32),
            base_type: Oid(num(&r, "typbasetype") as u32),
            typmod: -1,
            collation: Oid(num(&r, "typcollation") as u32),
            input: function("typinput"),
            output: function("typoutput"),
            receive: function("typreceive"),
            send: function("typsend"),
            ioparam: Oid(if num(&r, "typelem") != 0 { num(&r, "typelem") } else { num(&r, "oid") } as u32),
            cmp_proc: support("403", "1"),
            eq_opr: operator("3"),
            lt_opr: operator("1"),
            gt_opr: operator("5"),
            hash_proc: support("405", "1"),
            hash_extended_proc: support("405", "2"),
            range_subtype: ranges
                .iter()
                .find(|x| x["rngtypid"] == r["oid"])
                .map_or(Oid::INVALID, |x| Oid(num(x, "rngsubtype") as u32)),
        };
        names.insert(r["typname"].clone(), oid);
        types.insert(oid, Arc::new(info));
    }
    Catalog { procs, by_oid, types, names }
}

/// A session of nothing but functions.
pub struct Stub {
    catalog: Arc<Catalog>,
    registry: Arc<Registry>,
    settings: Settings,
    interrupt: Interrupt,
    random: crate::random::Prng,
    rows: Vec<Arc<TupleDesc>>,
}

impl Stub {
    pub fn new() -> Stub {
        let settings = Settings { time_zone: "America/New_York".into(), ..Settings::default() };
        Stub {
            catalog: Arc::new(load()),
            registry: Arc::new(crate::registry()),
            settings,
            interrupt: Interrupt::new(),
            random: crate::random::Prng::from_u64(1),
            rows: Vec::new(),
        }
    }
    fn invoke(&mut self, call: &FnCall, prosrc: &str, args: &[DatumRef<'_>]) -> Result<Vec<Datum>> {
        let registry = self.registry.clone();
        let Some(b) = registry.function(prosrc) else { return Err(PgError::unsupported(prosrc)) };
        let mut state = None;
        let mut cx = FnCx { rt: self, call, state: &mut state };
        match b.body {
            Body::Row(f) => f(&mut cx, args).map(|d| vec![d]),
            Body::Set(f) => {
                let mut source = f(&mut cx, args)?;
                let mut rows = Vec::new();
                while let Some(mut row) = source.next(&mut cx)? {
                    rows.append(&mut row);
                }
                Ok(rows)
            }
        }
    }
    fn text(&mut self, t: Oid, d: &Datum) -> Result<String> {
        match d {
            Datum::Null => Ok("\\N".into()),
            d => crate::generic::text_of(self, t, d.as_ref()),
        }
    }
    fn run(&mut self, line: &[&str]) -> Result<String> {
        let (name, types) = line[0].trim_end_matches(')').split_once('(').unwrap();
        let types: Vec<Oid> = types.split(',').filter(|t| !t.is_empty()).map(|t| self.catalog.names[t]).collect();
        let mut args = Vec::new();
        for (t, text) in types.iter().zip(&line[1..]) {
            let text = text.replace("\\n", "\n").replace("\\\\", "\\");
            args.push(if text == "\\N" { Datum::Null } else { crate::generic::from_text(self, *t, -1, &text)? });
        }
        if name == "in" {
            return self.text(types[0], &args[0]);
        }
        let catalog = self.catalog.clone();
        let any = |t: Oid| matches!(t.0, 2276 | 2277 | 2283 | 2776 | 3500 | 5077..=5080 | 2249 | 3831);
        let fits = |p: &&Proc| {
            p.name == name
                && (p.args.len() == types.len() || p.variadic && types.len() + 1 >= p.args.len())
                && p.args.iter().zip(&types).all(|(a, b)| a == b || any(*a))
        };
        let exact = catalog.procs.iter().find(|p| p.name == name && p.args == types);
        let p = exact.or_else(|| catalog.procs.iter().find(fits)).unwrap_or_else(|| panic!("no function {}", line[0]));
        let element = |t: Oid| catalog.types[&t].elem;
        let result = match p.result.0 {
            2283 | 2776 | 3500 | 5077 | 5079 => {
                let i = p.args.iter().position(|a| matches!(a.0, 2283 | 2776 | 3500 | 5077 | 5079));
                let of = |t: Oid| match catalog.types[&t].range_subtype {
                    Oid::INVALID => element(t),
                    sub => sub,
                };
                i.map(|i| types[i]).unwrap_or_else(|| of(types[0]))
            }
            3831 => types[0],
            2277 | 5078 => {
                let i = p.args.iter().position(|a| matches!(a.0, 2277 | 5078));
                i.map(|i| types[i]).unwrap_or_else(|| catalog.types[&types[0]].array)
            }
            r => Oid(r),
        };
        let call = FnCall {
            function: p.oid,
            arg_types: types.clone(),
            result_type: result,
            collation: Oid(100),
            ..FnCall::default()
        };
        let refs: Vec<DatumRef<'_>> = args.iter().map(Datum::as_ref).collect();
        let rows = match p.strict && refs.iter().any(|a| a.is_null()) {
            true => vec![Datum::Null],
            false => self.invoke(&call, &p.source, &refs)?,
        };
        let texts: Vec<String> = rows.iter().map(|d| self.text(result, d)).collect::<Result<_>>()?;
        Ok(texts.join(" ; "))
    }
}

impl Runtime for Stub {
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }
    fn detoast(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        Err(PgError::unsupported("detoast"))
    }
    fn type_info(&mut self, oid: Oid) -> Result<Arc<TypeInfo>> {
        self.catalog.types.get(&oid).cloned().ok_or_else(|| PgError::internal(format!("no type {oid}")))
    }
    fn row_type(&mut self, _: Oid, typmod: i32) -> Result<Arc<TupleDesc>> {
        self.rows.get(typmod as usize).cloned().ok_or_else(|| PgError::internal("no row type"))
    }
    fn bless(&mut self, mut desc: TupleDesc) -> Arc<TupleDesc> {
        desc.typmod = self.rows.len() as i32;
        self.rows.push(Arc::new(desc));
        self.rows.last().unwrap().clone()
    }
    fn call(&mut self, function: Oid, collation: Oid, args: &[DatumRef<'_>]) -> Result<Datum> {
        let catalog = self.catalog.clone();
        let p = &catalog.procs[catalog.by_oid[&function]];
        let call =
            FnCall { function, arg_types: p.args.clone(), result_type: p.result, collation, ..FnCall::default() };
        self.invoke(&call, &p.source, args).map(|mut v| v.remove(0))
    }
    fn notice(&mut self, _: PgError) {}
    fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
    fn extension(&mut self, id: TypeId) -> Option<&mut (dyn Any + 'static)> {
        (id == TypeId::of::<crate::random::Prng>()).then_some(&mut self.random)
    }
}

#[test]
fn cases() {
    let mut stub = Stub::new();
    let (mut failed, mut count) = (Vec::new(), 0);
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            if line.starts_with('#') || fields.len() < 2 {
                continue;
            }
            count += 1;
            let (expected, call) = fields.split_last().unwrap();
            let got = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                stub.run(call).unwrap_or_else(|e| format!("ERROR {}: {}", e.sqlstate(), e.message()))
            }));
            let got = got
                .unwrap_or_else(|_| "PANIC".into())
                .replace('\\', "\\\\")
                .replace("\\\\N", "\\N")
                .replace('\n', "\\n");
            if got != *expected {
                failed.push(format!(
                    "{}: {}\n   got {got}\n  want {expected}",
                    file.file_stem().unwrap().display(),
                    call.join(" | ")
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{} of {count} cases differ:\n{}", failed.len(), failed.join("\n"));
}
