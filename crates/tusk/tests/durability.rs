//! What survives: crashes, a second server on the same directory, damaged pages.

mod common;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use common::{DataDirectory, Server, command};

#[test]
fn committed_rows_survive_a_crash() {
    let dir = DataDirectory::new("crash");
    let server = Server::start(&dir);
    let mut client = server.connect();
    client.execute("CREATE TABLE t (a int PRIMARY KEY)").expect("create");
    for i in 0..50 {
        client.execute(&format!("INSERT INTO t VALUES ({i})")).expect("insert");
    }
    client.execute("BEGIN").expect("begin");
    client.execute("INSERT INTO t VALUES (1000)").expect("insert");
    server.crash(&dir);
    let server = Server::start(&dir);
    let mut client = server.connect();
    assert_eq!(client.value("SELECT count(*) FROM t").expect("rows"), "50");
    assert_eq!(client.value("SELECT max(a) FROM t WHERE a >= 0").expect("rows"), "49");
    assert!(server.stop().success());
}

#[test]
fn one_server_per_directory() {
    let dir = DataDirectory::new("second");
    let server = Server::start(&dir);
    let second = command(dir.path(), server.port.wrapping_add(1)).output().expect("the program runs");
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains("lock file \"postmaster.pid\" already exists"), "{text}");
    assert_eq!(server.connect().value("SELECT 1").expect("the first one lives"), "1");
}

#[test]
fn a_damaged_page_is_noticed() {
    let dir = DataDirectory::new("damage");
    let server = Server::start(&dir);
    let mut client = server.connect();
    client.execute("CREATE TABLE t (a int, b text)").expect("create");
    client.execute("INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 100) n").expect("insert");
    let path = client.value("SELECT pg_relation_filepath('t')").expect("a path");
    drop(client);
    assert!(server.stop().success());

    let file = OpenOptions::new().read(true).write(true).open(dir.path().join(path)).expect("the table's file");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 8000).expect("a byte");
    file.write_all_at(&[byte[0] ^ 0x10], 8000).expect("flipped");

    let server = Server::start(&dir);
    let error = server.connect().query("SELECT sum(a) FROM t").expect("an answer").expect_err("an error");
    assert_eq!(error.sqlstate(), "XX001", "{error:?}");
    assert!(error.message().starts_with("invalid page in block 0 of relation"), "{error:?}");
    assert_eq!(server.connect().value("SELECT 1").expect("the server lives"), "1");
}

#[test]
fn unlogged_tables_are_empty_and_temporary_ones_gone_after_a_crash() {
    let dir = DataDirectory::new("unlogged");
    let server = Server::start(&dir);
    let mut client = server.connect();
    for text in [
        "CREATE UNLOGGED TABLE u (a int PRIMARY KEY, b text, c serial)",
        "INSERT INTO u SELECT n, repeat('x', 9000) FROM generate_series(1, 100) n",
        "CREATE TEMP TABLE t (a int PRIMARY KEY, b text)",
        "INSERT INTO t SELECT n, repeat('x', 9000) FROM generate_series(1, 100) n",
        "CHECKPOINT",
        "DELETE FROM u WHERE a > 50",
    ] {
        client.execute(text).expect(text);
    }
    let file = client.value("SELECT pg_relation_filepath('t')").expect("a path");
    assert!(dir.path().join(&file).exists(), "{file}");
    server.crash(&dir);
    let server = Server::start(&dir);
    assert!(!dir.path().join(&file).exists());
    let mut client = server.connect();
    assert_eq!(client.value("SELECT count(*) FROM u").expect("rows"), "0");
    client.execute("INSERT INTO u VALUES (1, 'y')").expect("insert");
    assert_eq!(client.value("SELECT a || b || c FROM u WHERE a = 1").expect("rows"), "1y1");
    client.execute("CREATE TEMP TABLE t (a int)").expect("create");
    client.execute("INSERT INTO t VALUES (1)").expect("insert");
    assert!(server.stop().success());
    // An orderly stop keeps them.
    let server = Server::start(&dir);
    let mut client = server.connect();
    assert_eq!(client.value("SELECT count(*) FROM u").expect("rows"), "1");
}
