//! A disk that fails: what was acknowledged is there once it works again, and nothing is acknowledged in between.

mod common;

use common::embedded::{Template, connect};
use testkit::Client;

const SETTINGS: &[(&str, &str)] =
    &[("autovacuum", "off"), ("log_min_messages", "panic"), ("shared_buffers", "400kB"), ("max_wal_size", "2MB")];

/// Inserts rows one by one, with a checkpoint now and then, until one fails; how many were acknowledged, and the SQLSTATE of
/// the failure (empty if the connection was lost).
fn insert_until_failure(client: &mut Client, width: usize) -> (i64, String) {
    for n in 1..100_000 {
        let sql = match n % 25 {
            0 => format!("INSERT INTO t VALUES ({n}, repeat('x', {width})); CHECKPOINT"),
            _ => format!("INSERT INTO t VALUES ({n}, repeat('x', {width}))"),
        };
        match client.query(&sql) {
            Ok(Ok(_)) => {}
            Ok(Err(e)) => return (n - 1, e.sqlstate().to_owned()),
            Err(_) => return (n - 1, String::new()),
        }
    }
    panic!("nothing fails");
}

/// All rows that were acknowledged are there, in the table and its index, and at most one more.
fn check(client: &mut Client, acknowledged: i64, seed: u64) {
    let count: i64 = client.value("SELECT count(*) FROM t").expect("a count").parse().expect("a number");
    assert!((acknowledged..=acknowledged + 1).contains(&count), "seed {seed}: {count} rows of {acknowledged}");
    let last: i64 = client.value("SELECT coalesce(max(a), 0) FROM t").expect("a value").parse().expect("a number");
    assert_eq!(last, count, "seed {seed}");
    client.execute("SET enable_seqscan = off").expect("set");
    let by_index = client.value("SELECT count(*) FROM t WHERE a > 0").expect("a count");
    assert_eq!(by_index, count.to_string(), "seed {seed}");
}

/// A failed fsync leaves unknown what is on the disk: the server ends, and recovery tells.
#[test]
fn failed_fsync() {
    let template = Template::new("fsync", &[]);
    for seed in 1..=24 {
        let vfs = template.fork(seed);
        let server = template.open(&vfs, SETTINGS).expect("a server");
        let mut client = connect(&server);
        client.execute("CREATE TABLE t (a int PRIMARY KEY, b text)").expect("a table");
        vfs.fail_sync(seed * seed % 61 + 1);
        let (acknowledged, _) = insert_until_failure(&mut client, 200);
        // Not by a new attempt either.
        let mut still = 0;
        if let Ok(Ok(_)) = client.query("INSERT INTO t VALUES (-1)") {
            still += 1;
        }
        server.abandon();
        vfs.crash();
        let server = template.open(&vfs, SETTINGS).expect("recovery");
        let mut client = connect(&server);
        if still > 0 {
            // The failure was one that harmed nothing but a statement: then that must hold, too.
            assert_eq!(client.value("SELECT count(*) FROM t WHERE a = -1").expect("a count"), "1", "seed {seed}");
            client.execute("DELETE FROM t WHERE a = -1").expect("deleted");
        }
        check(&mut client, acknowledged, seed);
        client.execute("INSERT INTO t VALUES (1000000, 'more')").expect("work goes on");
        drop(client);
        server.stop().expect("an orderly end");
    }
}

/// A full disk fails statements (53100), or ends the server if the log has no room; with room again all is there.
#[test]
fn full_disk() {
    let template = Template::new("full", &[]);
    let mut refused = 0;
    for seed in 1..=4 {
        let vfs = template.fork(seed);
        let server = template.open(&vfs, SETTINGS).expect("a server");
        let mut client = connect(&server);
        client.execute("CREATE TABLE t (a int PRIMARY KEY, b text)").expect("a table");
        vfs.set_free_space(Some(seed * 250_000));
        let (acknowledged, state) = insert_until_failure(&mut client, 6000);
        let alive = state == "53100" && matches!(client.query("SELECT 1"), Ok(Ok(_)));
        if alive {
            refused += 1;
            vfs.set_free_space(None);
            check(&mut client, acknowledged, seed);
            client.execute("INSERT INTO t VALUES (1000000, 'more')").expect("work goes on");
            client.execute("DELETE FROM t WHERE a = 1000000").expect("deleted");
        }
        drop(client);
        server.abandon();
        vfs.crash();
        let server = template.open(&vfs, SETTINGS).expect("recovery");
        check(&mut connect(&server), acknowledged, seed);
        server.stop().expect("an orderly end");
    }
    assert!(refused > 0, "no statement was refused");
}
