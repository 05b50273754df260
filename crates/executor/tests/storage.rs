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
    fn temporary_session(&self, _: Oid) -> i32 {
        1
    }
}

struct Cluster {
    manager: Arc<TransactionManager>,
    files: Arc<CatalogFiles>,
    shared: Arc<SharedCatalog>,
    _lower: txn::startup::Cluster,
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
        let shared = SharedCatalog::with_environment(Arc::new(Env { registry: functions::registry(), btree }));
        Cluster { manager: lower.manager.clone(), files, shared, _lower: lower }
    }
    fn session(&self, id: i32) -> Session {
        let proc = self.manager.register(SessionId(id), oids::POSTGRES_DB, Interrupt::new()).unwrap();
        let store = CatalogStore::new(self.files.clone());
        let catalog = Catalog::new(self.shared.clone(), oids::POSTGRES_DB, store.clone());
        let cx = ExecContext::new(catalog, Arc::new(functions::registry()));
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
