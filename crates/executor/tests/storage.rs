//! Statements on a cluster that initdb has just made: tables and catalogs in heap pages and B-trees.

use std::sync::Arc;

use access::index::IndexAm;
use access::nbtree::Nbtree;
use base::{Interrupt, Oid, Result, SessionId};
use catalog::CatalogScan as _;
use catalog::ddl::new_attribute;
use catalog::{
    Catalog, CatalogFiles, CatalogFollower, CatalogStore, Environment, NewIndex, NewRelation, SharedCatalog, initdb,
    oids,
};
use executor::{ExecContext, Execution, StartOptions};
use planner::PlanOptions;
use storage::{SimVfs, Vfs};
use txn::startup::StartupOptions;
use txn::{Transaction, TransactionManager, TransactionOptions};
use types::oid::{INT4OID, TEXTOID};
use types::{Comparator, Datum, Registry};

struct Env {
    registry: Registry,
    btree: Arc<dyn IndexAm>,
}
impl Environment for Env {
    fn registry(&self) -> &Registry {
        &self.registry
    }
    fn index_am(&self, am: Oid) -> Option<Arc<dyn IndexAm>> {
        (am == oids::BTREE_AM_OID).then(|| self.btree.clone())
    }
    fn comparator(&self, function: Oid, _: Oid) -> Result<Comparator> {
        Err(base::PgError::unsupported(function))
    }
}

struct Cluster {
    manager: Arc<TransactionManager>,
    files: Arc<CatalogFiles>,
    shared: Arc<SharedCatalog>,
    _lower: txn::startup::Cluster,
}

fn registry() -> Registry {
    let registry = functions::registry();
    // Some names stand in both lists.
    let new: Vec<types::Builtin> =
        analyze::BUILTINS.iter().filter(|b| b.names.iter().all(|n| registry.function(n).is_none())).copied().collect();
    registry.with_functions(&new)
}

impl Cluster {
    fn new() -> Cluster {
        let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(1));
        initdb::initdb(&*vfs, &initdb::Options::default(), None).unwrap();
        let register = |table: &mut wal::RmgrTable, _: &Arc<TransactionManager>| {
            access::register_redo(table);
            catalog::relmap::register(table);
        };
        let lower = txn::startup::open(vfs.clone(), StartupOptions::default(), &register, &|_| {}).unwrap();
        let btree: Arc<dyn IndexAm> = Arc::new(Nbtree::new());
        let files = CatalogFiles::open(vfs, oids::POSTGRES_DB, oids::DEFAULTTABLESPACE_OID, btree.clone()).unwrap();
        let shared = SharedCatalog::with_environment(Arc::new(Env { registry: registry(), btree }));
        Cluster { manager: lower.manager.clone(), files, shared, _lower: lower }
    }
    fn session(&self, id: i32) -> Session {
        let proc = self.manager.register(SessionId(id), oids::POSTGRES_DB, Interrupt::new()).unwrap();
        let store = CatalogStore::new(self.files.clone());
        let catalog = Catalog::new(self.shared.clone(), oids::POSTGRES_DB, store.clone());
        let cx = ExecContext::new(catalog, Arc::new(registry()));
        Session { manager: self.manager.clone(), files: self.files.clone(), proc, store, cx }
    }
}

struct Session {
    manager: Arc<TransactionManager>,
    files: Arc<CatalogFiles>,
    proc: Arc<txn::Proc>,
    store: Arc<CatalogStore>,
    cx: ExecContext,
}

impl Session {
    fn begin(&mut self) {
        let txn = Arc::new(Transaction::begin(&self.manager, &self.proc, TransactionOptions::default()).unwrap());
        txn.add_callback(Box::new(CatalogFollower::new(self.cx.catalog.clone(), self.files.clone())));
        self.store.set_transaction(Some(txn.clone()));
        self.cx.txn = Some(txn);
    }
    fn end(&mut self, commit: bool) {
        self.store.set_transaction(None);
        let txn = self.cx.txn.take().unwrap();
        let txn = Arc::try_unwrap(txn).unwrap_or_else(|_| panic!("the transaction is still in use"));
        if commit { txn.commit().unwrap() } else { txn.abort() }
    }
    /// `name (a int4 PRIMARY KEY, b text)`.
    fn create_table(&mut self, name: &str) {
        let c = &self.cx.catalog;
        let column = |name: &str, t| {
            let t = c.type_row(t).unwrap();
            new_attribute(name, &t, -1, t.typcollation)
        };
        let columns = vec![column("a", INT4OID), column("b", TEXTOID)];
        let oid = c.create_relation(&NewRelation::new(name, oids::PG_PUBLIC_NAMESPACE, Oid(10), columns)).unwrap();
        c.command_counter_increment().unwrap();
        let mut index = NewIndex::new(&format!("{name}_pkey"), oid, vec![1]);
        index.unique = true;
        index.primary = true;
        index.opclasses = vec![oids::INT4_BTREE_OPS_OID];
        c.create_index(&index).unwrap();
        c.command_counter_increment().unwrap();
        let index = c.relation_entry(oid).unwrap().primary_key;
        self.store.build_empty_index(&c.index(index).unwrap()).unwrap();
    }

    /// Runs a statement in the open transaction; rows as text, columns by `|`.
    fn run(&mut self, text: &str) -> Result<Vec<String>> {
        let mut out = Vec::new();
        for stmt in parser::parse(text)? {
            let mut acx = analyze::AnalyzeContext::new(self.cx.catalog.clone(), &mut self.cx);
            let query = analyze::analyze(&mut acx, &stmt, text, &mut analyze::ParamTypes::None)?;
            for q in analyze::rewrite(&mut acx, query)? {
                let planned = Arc::new(executor::plan_query(&mut self.cx, q, &PlanOptions::default())?);
                let mut e = Execution::start(planned.clone(), &mut self.cx, StartOptions::default())?;
                let mut rows: Vec<Vec<Datum>> = Vec::new();
                e.run(&mut self.cx, 0, &mut rows)?;
                e.finish(&mut self.cx)?;
                for row in &rows {
                    let mut texts = Vec::new();
                    for (a, v) in planned.result_desc.attrs.iter().zip(row) {
                        texts.push(match v.is_null() {
                            true => "-".to_owned(),
                            false => self.cx.output(a.type_oid, v.as_ref())?,
                        });
                    }
                    out.push(texts.join("|"));
                }
                if planned.command_type != analyze::query::CmdType::Select && !planned.has_returning {
                    out.push(format!("{} rows", e.processed()));
                }
                self.cx.txn()?.command_counter_increment()?;
            }
        }
        Ok(out)
    }
    fn check(&mut self, text: &str, expected: &[&str]) {
        match self.run(text) {
            Ok(rows) => assert_eq!(rows, expected, "{text}"),
            Err(e) => panic!("{text}: {e:?}"),
        }
    }
    fn fails(&mut self, text: &str, message: &str, detail: Option<&str>) {
        let e = self.run(text).expect_err(text);
        assert_eq!((e.message(), e.fields().detail.as_deref()), (message, detail), "{text}");
    }
}

#[test]
fn rows_come_and_go() {
    let cluster = Cluster::new();
    let mut s = cluster.session(1);
    s.begin();
    s.create_table("t");
    s.check("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL)", &["3 rows"]);
    s.check("SELECT * FROM t", &["1|one", "2|two", "3|-"]);
    s.check("SELECT b FROM t WHERE a = 2", &["two"]);
    s.check("SELECT a FROM t WHERE b IS NULL", &["3"]);
    s.check("UPDATE t SET b = 'drei' WHERE a = 3", &["1 rows"]);
    s.check("UPDATE t SET a = a + 10 WHERE a > 1 RETURNING a, b", &["12|two", "13|drei"]);
    s.check("SELECT a FROM t ORDER BY a DESC", &["13", "12", "1"]);
    s.check("DELETE FROM t WHERE a = 12 RETURNING b", &["two"]);
    s.check("SELECT count(*) FROM t", &["2"]);
    s.check("INSERT INTO t SELECT a + 100, b FROM t", &["2 rows"]);
    s.check("SELECT x.a, y.a FROM t x JOIN t y ON y.a = x.a + 100 ORDER BY x.a", &["1|101", "13|113"]);
    s.check("INSERT INTO t VALUES (1, 'again') ON CONFLICT DO NOTHING", &["0 rows"]);
    s.check(
        "INSERT INTO t VALUES (1, 'again') ON CONFLICT (a) DO UPDATE SET b = excluded.b || '!' RETURNING a, b",
        &["1|again!"],
    );
    s.end(true);
    s.begin();
    s.check("SELECT a, b FROM t WHERE a IN (1, 113) ORDER BY a", &["1|again!", "113|drei"]);
    let detail = Some("Key (a)=(1) already exists.");
    s.fails("INSERT INTO t VALUES (1, 'x')", "duplicate key value violates unique constraint \"t_pkey\"", detail);
    s.end(false);
}

#[test]
fn a_changed_row_is_looked_at_again() {
    let cluster = Cluster::new();
    let (mut s1, mut s2) = (cluster.session(1), cluster.session(2));
    s1.begin();
    s1.create_table("t");
    s1.run("INSERT INTO t VALUES (1, 'a'), (2, 'b')").unwrap();
    s1.end(true);
    s1.begin();
    s1.check("UPDATE t SET b = 'changed' WHERE a = 1", &["1 rows"]);
    let other = std::thread::spawn(move || {
        s2.begin();
        let rows = s2.run("UPDATE t SET b = b || '+' WHERE a < 3 AND b <> 'b' RETURNING b").unwrap();
        s2.end(true);
        rows
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    s1.end(true);
    assert_eq!(other.join().unwrap(), ["changed+"]);
}

#[test]
fn catalogs_answer_queries() {
    let cluster = Cluster::new();
    let mut s = cluster.session(1);
    s.begin();
    s.create_table("t");
    s.check("SELECT relname FROM pg_class WHERE oid = 1259", &["pg_class"]);
    s.check(
        "SELECT c.relname, n.nspname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' ORDER BY 2, 1",
        &["t|public"],
    );
    s.check(
        "SELECT a.attname, a.attnotnull, (SELECT t.typname FROM pg_type t WHERE t.oid = a.atttypid) FROM pg_attribute a \
         WHERE a.attrelid = (SELECT oid FROM pg_class WHERE relname = 't') AND a.attnum > 0 ORDER BY a.attnum",
        &["a|f|int4", "b|f|text"],
    );
    s.check("SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'pg_catalog' AND p.proname = 'abs'", &["6"]);
    s.end(true);
}

/// What psql asks for `\\d t`, `\\dt` and `\\dn`.
#[test]
fn psql_describes() {
    let cluster = Cluster::new();
    let mut s = cluster.session(1);
    s.begin();
    s.create_table("t");
    s.end(true);
    s.begin();
    s.check(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1, 2",
        &["public|t"],
    );
    s.check(
        "SELECT n.nspname as \"Schema\", c.relname as \"Name\", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' \
         WHEN 'i' THEN 'index' END as \"Type\", pg_catalog.pg_get_userbyid(c.relowner) as \"Owner\" \
         FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' \
         AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2",
        &["public|t|table|postgres"],
    );
    s.check(
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) \
         FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, \
         (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid \
         AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a \
         WHERE a.attrelid = 't'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        &["a|integer|-|f|-||", "b|text|-|f|-||"],
    );
    s.check(
        "SELECT c2.relname, i.indisprimary, i.indisunique FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i \
         LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x')) \
         WHERE c.oid = 't'::regclass AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY i.indisprimary DESC, c2.relname",
        &["t_pkey|t|t"],
    );
    s.check(
        "SELECT n.nspname AS \"Name\", pg_catalog.pg_get_userbyid(n.nspowner) AS \"Owner\" FROM pg_catalog.pg_namespace n \
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1",
        &["public|pg_database_owner"],
    );
    s.check(
        "SELECT setting FROM (VALUES (1)) AS x(setting) WHERE EXISTS (SELECT FROM pg_type WHERE typname = 'int4')",
        &["1"],
    );
    s.end(true);
}

#[test]
fn more_statements() {
    let cluster = Cluster::new();
    let mut s = cluster.session(1);
    s.begin();
    s.create_table("t");
    s.create_table("u");
    s.run("INSERT INTO t SELECT n, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END FROM generate_series(1, 2000) AS n")
        .unwrap();
    s.check("SELECT b, count(*), max(a) FROM t GROUP BY b ORDER BY b", &["even|1000|2000", "odd|1000|1999"]);
    s.check(
        "SELECT b, count(*) FROM t GROUP BY ROLLUP (b) ORDER BY b NULLS LAST",
        &["even|1000", "odd|1000", "-|2000"],
    );
    s.check("SELECT DISTINCT ON (b) b, a FROM t ORDER BY b, a DESC", &["even|2000", "odd|1999"]);
    s.check("SELECT a FROM t ORDER BY a DESC LIMIT 2 OFFSET 1", &["1999", "1998"]);
    s.check("SELECT a FROM t WHERE a = 5 FOR UPDATE", &["5"]);
    s.check("WITH d AS (DELETE FROM t WHERE a > 3 RETURNING a) SELECT count(*) FROM d", &["1997"]);
    s.check("WITH i AS (INSERT INTO u SELECT a, b FROM t RETURNING a) SELECT sum(a) FROM i", &["6"]);
    s.check(
        "UPDATE t SET b = u.b || u.a FROM u WHERE u.a = t.a AND t.a > 1 RETURNING t.a, t.b, u.b",
        &["2|even2|even", "3|odd3|odd"],
    );
    s.check("SELECT a, lag(a) OVER (ORDER BY a), sum(a) OVER (ORDER BY a) FROM u", &["1|-|1", "2|1|3", "3|2|6"]);
    s.check("SELECT array_agg(a ORDER BY a DESC), count(DISTINCT b) FROM u", &["{3,2,1}|2"]);
    s.check("SELECT t FROM t WHERE a = 1", &["(1,odd)"]);
    s.check("SELECT ARRAY(SELECT a FROM u ORDER BY a), (ARRAY[7, 8, 9])[2]", &["{1,2,3}|8"]);
    s.check("SELECT generate_series(1, 3) AS n ORDER BY n DESC", &["3", "2", "1"]);
    s.check("DELETE FROM t USING u WHERE t.a = u.a AND u.b = 'odd'", &["2 rows"]);
    s.check("SELECT a FROM t", &["2"]);
    s.check("SELECT u.a FROM u WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.a = u.a) ORDER BY 1", &["1", "3"]);
    s.end(true);
}

#[test]
fn sorts_and_joins_spill() {
    let cluster = Cluster::new();
    let mut s = cluster.session(1);
    s.begin();
    (s.cx.cost.enable_mergejoin, s.cx.cost.enable_nestloop) = (false, false);
    let numbers = "generate_series(1, 6000) g";
    let texts =
        format!("SELECT g, (g * 7919 % 6007)::text || repeat('x', 20) AS t, nullif(g % 7, 3) AS m FROM {numbers}");
    let queries = [
        format!("SELECT * FROM ({texts}) x ORDER BY t"),
        format!("SELECT * FROM ({texts}) x ORDER BY m DESC, t"),
        format!("SELECT * FROM ({texts}) x ORDER BY m NULLS FIRST, g LIMIT 30 OFFSET 1500"),
        format!("SELECT x.g, y.t FROM ({texts}) x JOIN ({texts}) y ON x.g = y.g + 1 ORDER BY 1"),
        format!("SELECT x.g, y.g FROM ({texts}) x FULL JOIN ({texts}) y ON x.g = y.g + 3000 ORDER BY 1, 2"),
        format!("SELECT x.g FROM ({texts}) x LEFT JOIN ({texts}) y ON x.m = y.g + 5 AND y.m IS NULL ORDER BY 1, y.g"),
        format!("SELECT (SELECT t FROM ({texts}) x ORDER BY t DESC LIMIT 1 OFFSET n) FROM generate_series(0, 2) n"),
    ];
    for q in queries {
        let set = |s: &mut Session, kilobytes| {
            let settings = types::Settings { work_mem: kilobytes, ..(*s.cx.settings).clone() };
            s.cx.settings = Arc::new(settings);
        };
        set(&mut s, 100_000);
        let all = s.run(&q).unwrap();
        set(&mut s, 64);
        let few = s.run(&q).unwrap();
        assert!(!all.is_empty());
        assert_eq!(all, few, "{q}");
    }
    s.end(true);
}

#[test]
fn plans_read_as_in_postgresql() {
    let cluster = Cluster::new();
    let mut s = cluster.session(1);
    s.begin();
    s.create_table("t");
    let mut explain = |text: &str, expected: &[&str]| {
        let stmt = parser::parse(text).unwrap().remove(0);
        let mut acx = analyze::AnalyzeContext::new(s.cx.catalog.clone(), &mut s.cx);
        let q = analyze::analyze(&mut acx, &stmt, text, &mut analyze::ParamTypes::None).unwrap();
        let planned = executor::plan_query(&mut s.cx, q, &PlanOptions::default()).unwrap();
        let options = executor::explain::ExplainOptions { costs: false, ..Default::default() };
        let lines =
            executor::explain::explain(&mut s.cx, &planned, None, &options, (0.0, Default::default()), None, None).unwrap();
        assert_eq!(lines, expected, "{text}");
    };
    explain("SELECT b FROM t WHERE a = 1", &["Index Scan using t_pkey on t", "  Index Cond: (a = 1)"]);
    explain("SELECT a + 1 FROM t WHERE b = 'x'", &["Seq Scan on t", "  Filter: (b = 'x'::text)"]);
    explain(
        "UPDATE t SET b = 'y' WHERE a = 1",
        &["Update on t", "  ->  Index Scan using t_pkey on t", "        Index Cond: (a = 1)"],
    );
    explain("SELECT 1", &["Result"]);
    explain(
        "SELECT x.b FROM t x JOIN t y ON y.b = x.b ORDER BY x.a",
        &[
            "Sort",
            "  Sort Key: x.a",
            "  ->  Merge Join",
            "        Merge Cond: (x.b = y.b)",
            "        ->  Sort",
            "              Sort Key: x.b",
            "              ->  Seq Scan on t x",
            "        ->  Sort",
            "              Sort Key: y.b",
            "              ->  Seq Scan on t y",
        ],
    );
    explain("SELECT x.b FROM t x LEFT JOIN t y ON y.a = x.a", &["Seq Scan on t x"]);
    explain(
        "SELECT min(a), max(a) FROM t",
        &[
            "Result",
            "  InitPlan 1",
            "    ->  Limit",
            "          ->  Index Only Scan using t_pkey on t",
            "                Index Cond: (a IS NOT NULL)",
            "  InitPlan 2",
            "    ->  Limit",
            "          ->  Index Only Scan Backward using t_pkey on t t_1",
            "                Index Cond: (a IS NOT NULL)",
        ],
    );
    explain(
        "SELECT a FROM t WHERE a = 1 OR a = 2",
        &[
            "Bitmap Heap Scan on t",
            "  Recheck Cond: ((a = 1) OR (a = 2))",
            "  ->  Bitmap Index Scan on t_pkey",
            "        Index Cond: (a = ANY ('{1,2}'::integer[]))",
        ],
    );
    explain(
        "SELECT x.a FROM t x WHERE NOT EXISTS (SELECT 1 FROM t y WHERE y.a = x.a AND y.b = 'q')",
        &[
            "Hash Anti Join",
            "  Hash Cond: (x.a = y.a)",
            "  ->  Seq Scan on t x",
            "  ->  Hash",
            "        ->  Seq Scan on t y",
            "              Filter: (b = 'q'::text)",
        ],
    );
    explain("SELECT a FROM t ORDER BY a LIMIT 3", &["Limit", "  ->  Index Only Scan using t_pkey on t"]);
    explain(
        "SELECT x.a FROM t x LEFT JOIN t y ON y.b = x.b WHERE y.a > 3",
        &[
            "Hash Join",
            "  Hash Cond: (x.b = y.b)",
            "  ->  Seq Scan on t x",
            "  ->  Hash",
            "        ->  Bitmap Heap Scan on t y",
            "              Recheck Cond: (a > 3)",
            "              ->  Bitmap Index Scan on t_pkey",
            "                    Index Cond: (a > 3)",
        ],
    );
    s.end(true);
}
