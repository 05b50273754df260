//! Two-phase commit over stops and crashes, and its limits.

mod common;

use common::{DataDirectory, Server};

#[test]
fn prepared_transactions_outlive_the_server() {
    let dir = DataDirectory::new("twophase");
    let options = ["-c", "max_prepared_transactions=2"];
    let mut server = Server::start_with(&dir, &options);
    let mut c = server.connect();
    c.execute("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)").expect("made");
    c.execute("BEGIN; INSERT INTO t VALUES (2); SAVEPOINT s; INSERT INTO t VALUES (3); PREPARE TRANSACTION 'a'")
        .expect("a");
    c.execute("CHECKPOINT").expect("a checkpoint");
    c.execute("BEGIN; DELETE FROM t; CREATE TABLE u (a int); PREPARE TRANSACTION 'b'").expect("b");
    for (sql, code) in [
        ("BEGIN; PREPARE TRANSACTION 'a'", "42710"),
        ("BEGIN; PREPARE TRANSACTION 'c'", "53200"),
        ("BEGIN; SELECT pg_advisory_lock(1); SELECT pg_advisory_xact_lock(1); PREPARE TRANSACTION 'd'", "0A000"),
        ("BEGIN; LISTEN x; PREPARE TRANSACTION 'e'", "0A000"),
        ("BEGIN; DECLARE x CURSOR WITH HOLD FOR SELECT 1; PREPARE TRANSACTION 'e'", "0A000"),
    ] {
        let error = c.query(sql).expect("an answer").unwrap_err();
        assert_eq!(error.sqlstate(), code, "{sql}: {}", error.message());
    }
    for crash in [true, false, true] {
        if crash {
            server.crash(&dir);
        } else {
            assert!(server.stop().success());
        }
        server = Server::start_with(&dir, &options);
        c = server.connect();
        assert_eq!(c.value("SELECT string_agg(gid, ' ' ORDER BY gid) FROM pg_prepared_xacts").expect("gids"), "a b");
        assert_eq!(c.value("SELECT count(*) FROM t").expect("a count"), "1");
        // The row is locked by the one that deleted it.
        c.execute("SET lock_timeout = '50ms'").expect("set");
        let error = c.query("UPDATE t SET a = 5").expect("an answer").unwrap_err();
        assert_eq!(error.sqlstate(), "55P03");
        let pids = "SELECT count(*) FROM pg_locks WHERE pid IS NULL AND virtualtransaction LIKE '-1/%'";
        assert_ne!(c.value(pids).expect("a count"), "0");
    }
    c.execute("COMMIT PREPARED 'a'").expect("committed");
    c.execute("ROLLBACK PREPARED 'b'").expect("rolled back");
    server.crash(&dir);
    server = Server::start_with(&dir, &options);
    c = server.connect();
    assert_eq!(c.value("SELECT string_agg(a::text, ' ' ORDER BY a) FROM t").expect("rows"), "1 2 3");
    assert_eq!(c.value("SELECT count(*) FROM pg_prepared_xacts").expect("a count"), "0");
    c.execute("CREATE TABLE u (a int)").expect("the name is free");
    assert!(server.stop().success());
    let left = std::fs::read_dir(dir.path().join("pg_twophase")).expect("a directory").count();
    assert_eq!(left, 0);
}
