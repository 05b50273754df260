//! Statements analyzed on the bootstrap catalog, without any storage.

use std::any::{Any, TypeId};
use std::sync::Arc;

use base::{Interrupt, Oid, PgError, Result};
use catalog::Catalog;
use types::oid::*;
use types::{Datum, DatumRef, Registry, Runtime, Settings, TupleDesc, TypeInfo};

use crate::query::*;
use crate::{AnalyzeContext, ParamTypes, analyze};

/// A session without a server: input functions of the commonest types only.
pub(crate) struct TestRuntime {
    settings: Settings,
    interrupt: Interrupt,
    registry: Arc<Registry>,
    pub catalog: Catalog,
}

impl TestRuntime {
    pub(crate) fn new() -> TestRuntime {
        TestRuntime {
            settings: Settings::default(),
            interrupt: Interrupt::default(),
            registry: Arc::new(Registry::new().with_functions(crate::BUILTINS)),
            catalog: Catalog::bootstrap(),
        }
    }
}

impl Runtime for TestRuntime {
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }
    fn detoast(&mut self, varlena: &[u8]) -> Result<Vec<u8>> {
        Ok(varlena.to_vec())
    }
    fn type_info(&mut self, oid: Oid) -> Result<Arc<TypeInfo>> {
        self.catalog.type_info(oid)
    }
    fn row_type(&mut self, oid: Oid, _: i32) -> Result<Arc<TupleDesc>> {
        self.catalog.row_type(oid)
    }
    fn bless(&mut self, desc: TupleDesc) -> Arc<TupleDesc> {
        Arc::new(desc)
    }
    fn call(&mut self, function: Oid, _: Oid, args: &[DatumRef<'_>]) -> Result<Datum> {
        let p = self.catalog.function_row(function)?;
        let text = String::from_utf8_lossy(args[0].as_bytes()).into_owned();
        let number = || text.trim().parse::<i64>();
        let bad = |t: &str| {
            let m = format!("invalid input syntax for type {t}: \"{text}\"");
            PgError::new(base::sqlstate::INVALID_TEXT_REPRESENTATION, m)
        };
        Ok(match p.prosrc.as_str() {
            "int4in" | "int2in" | "int8in" | "oidin" => Datum::i64(number().map_err(|_| bad("integer"))?),
            "charout" => Datum::bytes(&[args[0].word() as u8][..]),
            "boolin" => Datum::bool(matches!(&*text, "t" | "true" | "on" | "yes" | "1")),
            "charin" => Datum::char(args[0].as_bytes().first().copied().unwrap_or(0)),
            "timestamptz_in" | "timestamp_in" | "date_in" | "time_in" | "float8in" | "float4in" => Datum::i64(0),
            s if s.starts_with("reg") && s.ends_with("in") => Datum::oid(Oid(1259)),
            "varchartypmodin" | "bpchartypmodin" => Datum::i32(14),
            "numerictypmodin" => Datum::i32(((10 << 16) | 2) + 4),
            s if s.ends_with("typmodin") => Datum::i32(3),
            s if s.ends_with("in") || s.ends_with("_in") || s.ends_with("recv") => Datum::bytes(args[0].as_bytes()),
            s => return Err(PgError::unsupported(s)),
        })
    }
    fn notice(&mut self, _: PgError) {}
    fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
    fn extension(&mut self, id: TypeId) -> Option<&mut (dyn Any + 'static)> {
        (id == TypeId::of::<Catalog>()).then_some(&mut self.catalog as &mut (dyn Any + 'static))
    }
}

pub(crate) fn run(sql: &str) -> Result<Query> {
    let mut params = ParamTypes::Variable(Vec::new());
    run_with(sql, &mut params)
}

pub(crate) fn run_with(sql: &str, params: &mut ParamTypes) -> Result<Query> {
    let mut rt = TestRuntime::new();
    let catalog = rt.catalog.clone();
    let mut cx = AnalyzeContext::new(catalog, &mut rt);
    let stmts = parser::parse(sql)?;
    analyze(&mut cx, &stmts[0], sql, params)
}

/// The types of the output columns, or the error with its place.
fn outline(sql: &str) -> String {
    match run(sql) {
        Err(e) => {
            let f = e.fields();
            let at = f.position.map_or(String::new(), |p| format!(" @{}", p + 1));
            format!("{} {}{at}", e.sqlstate(), e.message())
        }
        Ok(q) => {
            let c = Catalog::bootstrap();
            let list = if q.command_type == CmdType::Select { &q.target_list } else { &q.returning_list };
            let one = |t: &TargetEntry| {
                let name = t.resname.clone().unwrap_or_default();
                format!("{name}:{}", c.format_type(t.expr.type_oid(), Some(t.expr.typmod())).unwrap())
            };
            list.iter().filter(|t| !t.resjunk).map(one).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn columns_and_errors() {
    let cases = [
        (
            "select 1, 'a', 1.5, null, true",
            "?column?:integer ?column?:text ?column?:numeric ?column?:text ?column?:boolean",
        ),
        ("select 1 + 2", "?column?:integer"),
        ("select 1 + 2.5", "?column?:numeric"),
        ("select 1::int8 + 2", "?column?:bigint"),
        ("select '1' + 2", "?column?:integer"),
        ("select 'a' || 'b'", "?column?:text"),
        ("select 'a' || 1", "?column?:text"),
        ("select relname from pg_class", "relname:name"),
        ("select c.* from pg_am c", "oid:oid amname:name amhandler:regproc amtype:\"char\""),
        ("select count(*), max(oid) from pg_class", "count:bigint max:oid"),
        ("select relkind, count(*) from pg_class group by 1 order by 2 desc", "relkind:\"char\" count:bigint"),
        ("select oid, relname from pg_class group by oid", "oid:oid relname:name"),
        (
            "select relname from pg_class group by relkind",
            "42803 column \"pg_class.relname\" must appear in the GROUP BY clause or be used in an aggregate function @8",
        ),
        ("select nope from pg_class", "42703 column \"nope\" does not exist @8"),
        ("select * from nope", "42P01 relation \"nope\" does not exist @15"),
        ("select nofunc(1)", "42883 function nofunc(integer) does not exist @8"),
        ("select 1 where 2", "42804 argument of WHERE must be type boolean, not type integer @16"),
        ("select true + 1", "42883 operator does not exist: boolean + integer @13"),
        ("select array[1,2], array['a']", "array:integer[] array:text[]"),
        ("select (array[1,2])[1]", "array:integer"),
        ("select case when true then 1 else 2.5 end", "case:numeric"),
        ("select coalesce(null, 1)", "coalesce:integer"),
        ("select a.oid from pg_class a join pg_class b using (oid)", "oid:oid"),
        ("select oid from pg_class a, pg_class b", "42702 column reference \"oid\" is ambiguous @8"),
        ("select * from (values (1, 'a'), (2, 'b')) v(x, y)", "x:integer y:text"),
        ("select 1 union select 2.5", "?column?:numeric"),
        ("select 1 union select 'a'::text", "42804 UNION types integer and text cannot be matched @23"),
        ("with recursive t(n) as (values (1) union all select n + 1 from t where n < 5) select n from t", "n:integer"),
        ("with w as (select 1 as a) select * from w", "a:integer"),
        ("select * from generate_series(1, 3) g", "g:integer"),
        ("select * from generate_series(1, 3) with ordinality as g(a, b)", "a:integer b:bigint"),
        ("select generate_series(1, 3)", "generate_series:integer"),
        ("select row_number() over (order by oid) from pg_class", "row_number:bigint"),
        ("select sum(relpages) over w from pg_class window w as (partition by relkind)", "sum:bigint"),
        ("select exists (select 1)", "exists:boolean"),
        ("select (select oid from pg_class limit 1)", "oid:oid"),
        ("select array(select relname from pg_class)", "array:name[]"),
        ("select oid in (1, 2, 3) from pg_class", "?column?:boolean"),
        ("select 1 in (select oid from pg_class)", "?column?:boolean"),
        ("select $1 + 1", "?column?:integer"),
        ("select $1", "?column?:text"),
        ("select relname::text || 'x' as n from pg_class", "n:text"),
        ("select 'x'::varchar(10)", "varchar:character varying(10)"),
        ("select 1::numeric(10,2)", "numeric:numeric(10,2)"),
        ("select sum(1) filter (where true)", "sum:bigint"),
        ("select string_agg(relname, ',' order by relname) from pg_class", "string_agg:text"),
        (
            "select percentile_cont(0.5) within group (order by relpages) from pg_class",
            "percentile_cont:double precision",
        ),
        ("select (1, 2) < (3, 4)", "?column?:boolean"),
        ("select c from pg_am c", "c:pg_am"),
        ("select (c).amname from pg_am c", "amname:name"),
        ("select c.amname.foo from pg_am c", "42P01 missing FROM-clause entry for table \"amname\" @8"),
        (
            "select current_date, now(), current_user",
            "current_date:date now:timestamp with time zone current_user:name",
        ),
        ("select extract(year from now())", "extract:numeric"),
        ("select count(count(*)) from pg_class", "42803 aggregate function calls cannot be nested @14"),
        ("select 1 from pg_class where count(*) > 1", "42803 aggregate functions are not allowed in WHERE @30"),
        ("insert into pg_am (oid, amname) values (1, 'a') returning oid, old.amname", "oid:oid amname:name"),
        (
            "update pg_am set amname = 'b' where oid = 1 returning *",
            "oid:oid amname:name amhandler:regproc amtype:\"char\"",
        ),
        ("delete from pg_am a using pg_class c where a.oid = c.relam returning c.oid", "oid:oid"),
        ("insert into pg_am (oid) values (1, 2)", "42601 INSERT has more expressions than target columns @36"),
        (
            "insert into pg_am (oid) values (true)",
            "42804 column \"oid\" is of type oid but expression is of type boolean @33",
        ),
        (
            "select relkind, relpersistence, grouping(relkind), count(*) from pg_class group by rollup (relkind, relpersistence)",
            "relkind:\"char\" relpersistence:\"char\" grouping:integer count:bigint",
        ),
        ("select distinct on (relkind) relname from pg_class order by relkind, relname", "relname:name"),
        ("select relname from pg_class for update", "relname:name"),
        (
            "merge into pg_am a using pg_class c on a.oid = c.relam when matched then delete when not matched then insert (oid) values (1) returning merge_action(), a.oid",
            "merge_action:text oid:oid",
        ),
        ("select unnest(array[1,2])", "unnest:integer"),
        ("select a from unnest(array[1,2], array['x']) u(a, b)", "a:integer"),
        ("select x.* from pg_am a, lateral (select a.oid as o) x", "o:oid"),
        ("select nullif(1, 2), greatest(1, 2.5)", "nullif:integer greatest:numeric"),
        (
            "select 'a' like 'b', 'a' between 'b' and 'c', 1 is distinct from 2",
            "?column?:boolean ?column?:boolean ?column?:boolean",
        ),
    ];
    let mut bad = Vec::new();
    for (sql, expected) in cases {
        let got = outline(sql);
        if got != expected {
            bad.push(format!("{sql}\n   got {got}\n  want {expected}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn parameters_are_inferred() {
    let mut p = ParamTypes::Variable(vec![]);
    run_with("select * from pg_class where oid = $1 and relname = $2 limit $3", &mut p).unwrap();
    assert_eq!(p, ParamTypes::Variable(vec![OIDOID, NAMEOID, INT8OID]));
}

#[test]
fn psql_queries_analyze() {
    let all = include_str!("../tests/psql.sql");
    // Views of the system are not in the bootstrap catalog.
    let mut bad = Vec::new();
    for sql in all.split("\n----\n") {
        if let Err(e) = run(sql.trim_end_matches(['\n'])) {
            let view = e.sqlstate() == base::sqlstate::UNDEFINED_TABLE;
            if !view {
                let at = e.fields().position.unwrap_or(0);
                bad.push(format!("{e:?}\n{}", sql.get(at..(at + 60).min(sql.len())).unwrap_or("")));
            }
        }
    }
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), all.split("\n----\n").count(), bad.join("\n"));
}

/// What PostgreSQL stored reads and writes back to the same text.
#[test]
fn stored_rules_round_trip() {
    let c = Catalog::bootstrap();
    let mut bad = Vec::new();
    for line in include_str!("../tests/rules.txt").lines() {
        match crate::nodes::read_queries(line, &c).and_then(|q| crate::nodes::write_queries(&q, &c)) {
            Ok(text) if text == line => {}
            Ok(text) => {
                let at = text.bytes().zip(line.bytes()).position(|(a, b)| a != b).unwrap_or(0);
                let from = at.saturating_sub(60);
                bad.push(format!(
                    "got  {}\nwant {}",
                    &text[from..(at + 60).min(text.len())],
                    &line[from..(at + 60).min(line.len())]
                ));
            }
            Err(e) => bad.push(format!("{e:?}")),
        }
    }
    assert!(bad.is_empty(), "{} bad:\n{}", bad.len(), bad.join("\n"));
}

/// Views are shown as PostgreSQL shows them.
#[test]
fn views_are_shown() {
    use crate::deparse::{Deparser, Pretty};
    let mut bad = Vec::new();
    for line in include_str!("../tests/views.txt").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let mut rt = TestRuntime::new();
        let c = rt.catalog.clone();
        let q = crate::nodes::read_queries(fields[0], &c).unwrap().remove(0);
        for (pretty, want) in [(Pretty::INDENT, fields[1]), (Pretty::FULL, fields[2])] {
            let first = &q.target_list;
            let names = first.iter().filter(|t| !t.resjunk).map(|t| t.resname.clone().unwrap()).collect();
            let got =
                Deparser::new(&mut rt, c.clone(), pretty).view(&q, Some(names)).map(|s| s.replace('\n', "\\n") + ";");
            if got.as_deref().ok() != Some(want) {
                bad.push(format!("got  {}\nwant {want}", got.unwrap_or_else(|e| format!("{e:?}"))));
            }
        }
    }
    assert!(bad.is_empty(), "{} bad:\n{}", bad.len(), bad.join("\n"));
}

/// What comes out of the rewriter has positional, complete calls, and its text reads back.
#[test]
fn rewritten_queries() {
    let mut rt = TestRuntime::new();
    let catalog = rt.catalog.clone();
    let sql = "select make_interval(days => 3), relname from pg_class where oid = 1";
    let stmts = parser::parse(sql).unwrap();
    let mut cx = AnalyzeContext::new(catalog.clone(), &mut rt);
    let q = analyze(&mut cx, &stmts[0], sql, &mut ParamTypes::None).unwrap();
    let text = crate::nodes::write_queries(std::slice::from_ref(&q), &catalog).unwrap();
    let again = crate::nodes::read_queries(&text, &catalog).unwrap();
    assert_eq!(crate::nodes::write_queries(&again, &catalog).unwrap(), text);
    let q = crate::rewrite(&mut cx, q).unwrap().remove(0);
    let Expr::FuncExpr(f) = &q.target_list[0].expr else { panic!("no call") };
    assert_eq!(f.args.len(), 7);
    let sql = "insert into pg_am (oid, amname) values (1, default), (default, 'x')";
    let stmts = parser::parse(sql).unwrap();
    let q = analyze(&mut cx, &stmts[0], sql, &mut ParamTypes::None).unwrap();
    let q = crate::rewrite(&mut cx, q).unwrap().remove(0);
    let RteKind::Values { lists, .. } = &q.rtable[1].kind else { panic!("no VALUES") };
    assert!(lists[0][1].is_const_null() && lists[1][0].is_const_null());
}
