//! A panic in one session's statement harms nobody else: its locks and pins go, its changes are undone, the client gets an error
//! (XX000) and can go on; other sessions notice nothing.
//!
//! The function that panics exists in this test's server only.

mod common;

use base::Result;
use common::embedded::{Template, connect};
use server::embed::Embedded;
use testkit::Client;
use types::builtin;

/// Panics on 50, is its argument otherwise.
#[builtin("test_panic")]
fn test_panic(n: i32) -> Result<i32> {
    assert!(n != 50, "an injected panic");
    Ok(n)
}

const SETUP: &[&str] = &[
    "CREATE FUNCTION test_panic(int) RETURNS int LANGUAGE internal AS 'test_panic' STRICT",
    "CREATE FUNCTION calm(int) RETURNS int LANGUAGE internal AS 'test_panic' STRICT IMMUTABLE",
    "CREATE FUNCTION in_sql(int) RETURNS int LANGUAGE sql AS 'SELECT test_panic($1) + 1'",
    "CREATE TABLE t (a int PRIMARY KEY, v int, filler text)",
    "INSERT INTO t SELECT n, n, repeat('x', 300) FROM generate_series(1, 200) n",
    "CREATE TABLE u (a int)",
];

fn start(template: &Template, seed: u64) -> Embedded {
    let server = template.open(&template.fork(seed), &[("shared_buffers", "2MB")]).expect("a server");
    let mut client = connect(&server);
    SETUP.iter().for_each(|sql| client.execute(sql).expect(sql));
    server
}

fn fails(client: &mut Client, sql: &str, state: &str) {
    let error = client.query(sql).expect("an answer").expect_err(sql);
    assert_eq!(error.sqlstate(), state, "{sql}: {error:?}");
}

/// One test, since initdb is the most of it.
#[test]
fn a_panic_harms_no_other_session() {
    let template = Template::new("panic", &[__BUILTIN_test_panic]);
    other_sessions_go_on(&template);
    savepoints_cursors_and_the_extended_protocol(&template);
    many_panics_at_once(&template);
}

/// Statements that panic at many places of the engine.
const PANICS: &[&str] = &[
    "SELECT test_panic(v) FROM t",
    "SELECT test_panic(v) FROM t WHERE a = 50",
    "SELECT in_sql(v) FROM t",
    "SELECT count(*) FROM t WHERE test_panic(v) > 0",
    "SELECT x.a FROM t x JOIN t y ON test_panic(x.v) = y.v",
    "SELECT test_panic(v), count(*) FROM t GROUP BY 1",
    "SELECT a FROM t ORDER BY test_panic(v) DESC",
    "SELECT (SELECT test_panic(x.v)) FROM t x",
    "SELECT sum(test_panic(v)) OVER (ORDER BY a) FROM t",
    "WITH c AS MATERIALIZED (SELECT test_panic(v) w FROM t) SELECT sum(w) FROM c",
    "UPDATE t SET v = test_panic(v)",
    "DELETE FROM t WHERE test_panic(v) > 0",
    "INSERT INTO t SELECT a + 1000, test_panic(v) FROM t",
    "INSERT INTO t VALUES (1, 1) ON CONFLICT (a) DO UPDATE SET v = test_panic(50)",
    "INSERT INTO t SELECT a + 2000, v FROM t RETURNING test_panic(50)",
    "CREATE INDEX ON t (calm(v))",
    "ALTER TABLE t ADD CHECK (test_panic(v) > 0)",
    "CREATE TABLE w AS SELECT test_panic(v) FROM t",
    "COPY (SELECT test_panic(v) FROM t) TO STDOUT",
    "SELECT * FROM t WHERE a IN (SELECT test_panic(v) FROM t) FOR UPDATE",
    "EXPLAIN ANALYZE SELECT test_panic(v) FROM t",
];

fn other_sessions_go_on(template: &Template) {
    let server = start(template, 1);
    let (mut bad, mut good) = (connect(&server), connect(&server));
    let pool = &server.cluster().pool;
    good.execute("SET lock_timeout = '5s'").expect("set");
    for sql in PANICS {
        // A neighbour in a transaction of its own, which keeps what it has.
        good.execute("BEGIN").expect("begin");
        good.execute("UPDATE t SET filler = 'mine' WHERE a = 2").expect("update");
        bad.execute("BEGIN").expect("begin");
        bad.execute("LOCK TABLE u IN ACCESS EXCLUSIVE MODE").expect("lock");
        bad.execute("UPDATE t SET filler = 'undone' WHERE a = 1").expect("update");
        if ["CREATE INDEX", "ALTER", "UPDATE", "DELETE"].iter().any(|s| sql.starts_with(s))
            || sql.contains("FOR UPDATE")
        {
            // They would wait for the neighbour.
            good.execute("COMMIT").expect("commit");
            good.execute("BEGIN").expect("begin");
        }
        fails(&mut bad, sql, "XX000");
        assert_eq!(bad.status, b'E', "{sql}");
        // The locks are gone with the error, not only with the ROLLBACK.
        good.execute("LOCK TABLE u IN ACCESS EXCLUSIVE MODE").expect(sql);
        good.execute("UPDATE t SET filler = 'other' WHERE a = 1").expect(sql);
        assert_eq!(good.value("SELECT v FROM t WHERE a = 1 FOR UPDATE").expect(sql), "1");
        good.execute("COMMIT").expect("commit");
        fails(&mut bad, "SELECT 1", "25P02");
        bad.execute("ROLLBACK").expect("rollback");
        assert_eq!(pool.pinned(), 0, "{sql}");
        assert_eq!(bad.value("SELECT count(*) FROM t WHERE filler = 'undone'").expect(sql), "0");
        assert_eq!(bad.value("SELECT count(*) FROM t").expect(sql), "200", "{sql}");
        // Needs every page for itself.
        good.execute("VACUUM (FREEZE) t").expect(sql);
        // Outside a block.
        fails(&mut bad, sql, "XX000");
        assert_eq!(bad.value("SELECT sum(v) FROM t").expect(sql), "20100", "{sql}");
    }
    server.stop().expect("an orderly end");
}

fn savepoints_cursors_and_the_extended_protocol(template: &Template) {
    let server = start(template, 2);
    let mut c = connect(&server);
    c.execute("BEGIN").expect("begin");
    c.execute("UPDATE t SET v = -1 WHERE a = 1").expect("update");
    c.execute("SAVEPOINT s").expect("savepoint");
    c.execute("UPDATE t SET v = -2 WHERE a = 2").expect("update");
    fails(&mut c, "SELECT test_panic(v) FROM t", "XX000");
    c.execute("ROLLBACK TO s").expect("rollback to");
    c.execute("DECLARE c CURSOR FOR SELECT test_panic(v) FROM t WHERE a > 10 ORDER BY a").expect("declare");
    assert_eq!(c.value("FETCH 10 FROM c").expect("rows"), "11");
    c.execute("SAVEPOINT s2").expect("savepoint");
    fails(&mut c, "FETCH 100 FROM c", "XX000");
    c.execute("ROLLBACK TO s2").expect("rollback to");
    fails(&mut c, "FETCH 1 FROM c", "34000");
    c.execute("ROLLBACK TO s").expect("rollback to");
    c.execute("COMMIT").expect("commit");
    assert_eq!(c.value("SELECT string_agg(v::text, ',' ORDER BY a) FROM t WHERE a < 4").expect("rows"), "-1,2,3");

    // Parse, Bind, Execute, Execute again without Sync, Sync.
    let text = |s: &str| [s.as_bytes(), b"\0"].concat();
    c.send(b'P', &[text(""), text("SELECT test_panic(50)"), vec![0, 0]].concat()).expect("sent");
    c.send(b'B', &[0; 8]).expect("sent");
    c.send(b'E', &[0; 5]).expect("sent");
    c.send(b'E', &[0; 5]).expect("sent");
    c.send(b'S', &[]).expect("sent");
    let mut kinds = Vec::new();
    while kinds.last() != Some(&b'Z') {
        kinds.push(c.read_message().expect("a message").0);
    }
    assert_eq!(kinds.iter().filter(|k| **k == b'E').count(), 1, "{kinds:?}");
    assert_eq!(c.value("SELECT 1").expect("goes on"), "1");
    assert_eq!(server.cluster().pool.pinned(), 0);
    server.stop().expect("an orderly end");
}

/// Many panics from several sessions at once: nothing leaks.
fn many_panics_at_once(template: &Template) {
    let server = start(template, 3);
    std::thread::scope(|scope| {
        for id in 0..4 {
            let mut c = connect(&server);
            scope.spawn(move || {
                for n in 0..60 {
                    c.execute("BEGIN").expect("begin");
                    c.execute(&format!("INSERT INTO u VALUES ({id})")).expect("insert");
                    if n % 3 == 0 {
                        c.execute("COMMIT").expect("commit");
                    } else {
                        fails(&mut c, "SELECT test_panic(v) FROM t", "XX000");
                        c.execute("ROLLBACK").expect("rollback");
                    }
                }
            });
        }
    });
    let mut c = connect(&server);
    assert_eq!(c.value("SELECT count(*) FROM u").expect("rows"), "80");
    assert_eq!(c.value("SELECT count(*) FROM pg_locks WHERE NOT pid = pg_backend_pid()").expect("rows"), "0");
    c.execute("DROP TABLE t, u").expect("drop");
    drop(c);
    assert_eq!(server.cluster().pool.pinned(), 0);
    server.stop().expect("an orderly end");
}
