//! What a server finds wrong with its directory, its port and its files, it says in PostgreSQL's words; and what is damaged harms
//! only those who need it.

mod common;

use std::fs::{self, OpenOptions, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use common::{DataDirectory, Server, command};

/// Starts a server that refuses; its exit code and what it says, without time and process.
fn refused(dir: &Path, port: u16) -> (Option<i32>, String) {
    let output = command(dir, port).output().expect("the program runs");
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    let line = |l: &str| l.split_once("] ").map_or(l, |(_, rest)| rest).to_owned();
    let lines = text.lines().filter(|l| !l.starts_with("WARNING:  running as root") && !l.contains("LOG:  starting"));
    (output.status.code(), lines.map(line).collect::<Vec<_>>().join("\n"))
}

/// A file of the cluster, changed for a moment.
struct Changed(PathBuf, Vec<u8>);

impl Changed {
    fn new(path: PathBuf, change: impl FnOnce(&mut Vec<u8>)) -> Changed {
        let before = fs::read(&path).expect("the file");
        let mut bytes = before.clone();
        change(&mut bytes);
        fs::write(&path, bytes).expect("written");
        Changed(path, before)
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        fs::write(&self.0, &self.1).expect("restored");
    }
}

#[test]
fn refusals_in_postgresqls_words() {
    let dir = DataDirectory::new("refusals");
    let (path, shown) = (dir.path(), dir.path().display());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    assert_eq!(
        refused(path, port),
        (
            Some(1),
            format!(
                "LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n\
                 HINT:  Is another postmaster already running on port {port}? If not, wait a few seconds and retry.\n\
                 WARNING:  could not create listen socket for \"127.0.0.1\"\n\
                 FATAL:  could not create any TCP/IP sockets\n\
                 LOG:  database system is shut down"
            )
        )
    );
    assert!(!path.join("postmaster.pid").exists());
    drop(taken);

    let check = |code: i32, text: &str| assert_eq!(refused(path, port), (Some(code), text.to_owned()));
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("changed");
    check(
        1,
        &format!(
            "FATAL:  data directory \"{shown}\" has invalid permissions\n\
             DETAIL:  Permissions should be u=rwx (0700) or u=rwx,g=rx (0750)."
        ),
    );
    fs::set_permissions(path, Permissions::from_mode(0o700)).expect("changed");

    let control = path.join("global/pg_control");
    let aside = path.join("pg_control.aside");
    fs::rename(&control, &aside).expect("renamed");
    check(
        2,
        &format!(
            "postgres: could not find the database system\nExpected to find it in the directory \"{shown}\",\n\
             but could not open file \"{shown}/global/pg_control\": No such file or directory"
        ),
    );
    fs::rename(&aside, &control).expect("renamed");
    for at in [16, 40, 180, 260] {
        let _damaged = Changed::new(control.clone(), |b| b[at] ^= 0x55);
        check(1, "FATAL:  incorrect checksum in control file\nLOG:  database system is shut down");
    }
    {
        let _other = Changed::new(control.clone(), |b| b[8] = 1);
        check(
            1,
            "FATAL:  database files are incompatible with server\n\
             DETAIL:  The database cluster was initialized with PG_CONTROL_VERSION 1793, but the server was compiled with PG_CONTROL_VERSION 1800.\n\
             HINT:  It looks like you need to initdb.\nLOG:  database system is shut down",
        );
    }
    {
        let _short = Changed::new(control, |b| b.truncate(100));
        let (_, text) = refused(path, port);
        assert!(text.starts_with("PANIC:  could not read file \"global/pg_control\": read 100 of 296"), "{text}");
    }
    {
        let _old = Changed::new(path.join("PG_VERSION"), |b| *b = b"17\n".to_vec());
        let (code, text) = refused(path, port);
        assert_eq!(code, Some(1));
        assert!(text.starts_with("FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version 17, "), "{text}");
    }
    assert_eq!(
        refused(Path::new("/nonexistent/tusk"), port),
        (
            Some(2),
            "postgres: could not access directory \"/nonexistent/tusk\": No such file or directory\n\
             Run initdb or pg_basebackup to initialize a PostgreSQL data directory."
                .to_owned()
        )
    );

    let server = Server::start(&dir);
    let pid = fs::read_to_string(path.join("postmaster.pid")).expect("the file");
    check(
        1,
        &format!(
            "FATAL:  lock file \"postmaster.pid\" already exists\n\
             HINT:  Is another postmaster (PID {}) running in data directory \"{shown}\"?",
            pid.lines().next().unwrap_or_default()
        ),
    );
    assert_eq!(server.connect().value("SELECT 1").expect("the first one lives"), "1");
}

#[test]
fn a_damaged_page_harms_its_readers_only() {
    let dir = DataDirectory::new("damaged");
    let server = Server::start(&dir);
    let mut client = server.connect();
    client.execute("CREATE TABLE t (a int PRIMARY KEY, b text)").expect("create");
    client.execute("INSERT INTO t SELECT n, repeat('row ' || n, 20) FROM generate_series(1, 2000) n").expect("insert");
    let path = client.value("SELECT pg_relation_filepath('t')").expect("a path");
    drop(client);
    assert!(server.stop().success());
    let file = OpenOptions::new().read(true).write(true).open(dir.path().join(&path)).expect("the table's file");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 3 * 8192 + 8000).expect("a byte");
    file.write_all_at(&[byte[0] ^ 1], 3 * 8192 + 8000).expect("flipped");

    let server = Server::start(&dir);
    let mut client = server.connect();
    let error = client.query("SELECT count(b) FROM t").expect("an answer").expect_err("an error");
    assert_eq!(
        (error.sqlstate(), error.message()),
        ("XX001", format!("invalid page in block 3 of relation \"{path}\"").as_str())
    );
    assert!(server.log().contains("page verification failed, calculated checksum"), "{}", server.log());
    // Other pages of the table, the same session, and writers go on.
    assert_eq!(client.value("SELECT count(b) FROM t WHERE a <= 20").expect("rows"), "20");
    client.execute("INSERT INTO t VALUES (3000, 'new')").expect("insert");
    assert_eq!(client.value("SELECT b FROM t WHERE a = 3000").expect("rows"), "new");
    client.execute("CHECKPOINT").expect("checkpoint");
    assert!(server.stop().success());
}

/// What was being written when the power went may be anything: recovery ends before it.
#[test]
fn a_torn_end_of_the_log_is_where_it_ends() {
    let dir = DataDirectory::new("torn");
    let mut server = Server::start(&dir);
    server.connect().execute("CREATE TABLE t (a int PRIMARY KEY)").expect("create");
    for round in 0..4 {
        let mut client = server.connect();
        for i in 0..20 {
            client.execute(&format!("INSERT INTO t VALUES ({})", round * 100 + i)).expect("insert");
        }
        drop(client);
        server.crash(&dir);
        let mut segments: Vec<PathBuf> =
            fs::read_dir(dir.path().join("pg_wal")).expect("the log").map(|e| e.expect("an entry").path()).collect();
        segments.retain(|p| p.is_file());
        segments.sort();
        let (path, end) = segments
            .iter()
            .rev()
            .find_map(|p| {
                let bytes = fs::read(p).expect("a segment");
                bytes.iter().rposition(|b| *b != 0).map(|at| (p.clone(), at as u64))
            })
            .expect("some log");
        let file = OpenOptions::new().write(true).open(path).expect("a segment");
        // The last record's end goes, or rubbish follows it.
        match round % 2 {
            0 => file.write_all_at(&[0; 8], end.saturating_sub(6)).expect("torn"),
            _ => file.write_all_at(&[0xa5; 900], end.next_multiple_of(8)).expect("torn"),
        }
        server = Server::start(&dir);
        let found =
            server.connect().value(&format!("SELECT count(*) FROM t WHERE a >= {}", round * 100)).expect("rows");
        // A record may end in zeroes, so the rubbish may lie upon the last one, too.
        assert!(found.parse::<i32>().is_ok_and(|n| n >= 19), "round {round}: {found}");
    }
    assert!(server.stop().success());
}
