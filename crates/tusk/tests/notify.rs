//! LISTEN and NOTIFY: who is told what, and when.

mod common;

use common::{DataDirectory, Server};
use testkit::Client;
use testkit::client::Target;

/// The next notification's sender, channel and payload.
fn notification(client: &mut Client) -> (i32, String, String) {
    loop {
        let (kind, body) = client.read_message().expect("a message");
        if kind == b'A' {
            return parse(&body);
        }
    }
}
fn parse(body: &[u8]) -> (i32, String, String) {
    let mut texts = body[4..].split(|b| *b == 0).map(|t| String::from_utf8_lossy(t).into_owned());
    let pid = i32::from_be_bytes([body[0], body[1], body[2], body[3]]);
    (pid, texts.next().unwrap_or_default(), texts.next().unwrap_or_default())
}
/// Runs statements; the payloads of the notifications that came before ReadyForQuery.
fn run(client: &mut Client, sql: &str) -> Vec<String> {
    client.start_query(sql).expect("sent");
    let mut payloads = Vec::new();
    loop {
        let (kind, body) = client.read_message().expect("a message");
        match kind {
            b'A' => payloads.push(parse(&body).2),
            b'E' => panic!("{sql}: {:?}", testkit::client::error_fields(&body)),
            b'Z' => return payloads,
            _ => {}
        }
    }
}

#[test]
fn notifications() {
    let dir = DataDirectory::new("notify");
    let server = Server::start(&dir);
    let connect = || Client::connect(&Target::new(server.port)).expect("connected");
    let (mut a, mut b) = (connect(), connect());
    run(&mut a, "LISTEN one");
    run(&mut a, "LISTEN \"Two\"");
    // A parked session is told at once.
    run(&mut b, "NOTIFY one, 'x'");
    assert_eq!(notification(&mut a), (b.pid, "one".into(), "x".into()));
    // Not before the commit, once each, in order; nothing of what was rolled back.
    run(&mut b, "BEGIN; NOTIFY one, '1'; SAVEPOINT s; NOTIFY one, '2'; NOTIFY \"Two\", 'rolled back'; ROLLBACK TO s");
    run(&mut b, "NOTIFY one, '1'; NOTIFY \"Two\", '3'; SAVEPOINT t; NOTIFY one, '1'; NOTIFY one; RELEASE t");
    assert!(run(&mut a, "SELECT 1").is_empty());
    run(&mut b, "COMMIT");
    let got: Vec<_> = (0..3).map(|_| notification(&mut a).2).collect();
    assert_eq!(got, ["1", "3", ""]);
    run(&mut b, "BEGIN; NOTIFY one, 'never'; ROLLBACK");
    // Not inside the listener's transaction.
    run(&mut a, "BEGIN");
    run(&mut b, "SELECT pg_notify('one', 'later')");
    assert!(run(&mut a, "SELECT 1").is_empty());
    assert_eq!(run(&mut a, "COMMIT"), ["later"]);
    // To oneself, before ReadyForQuery.
    assert_eq!(run(&mut a, "NOTIFY one, 'self'"), ["self"]);
    assert_eq!(a.rows("SELECT pg_listening_channels()").expect("rows").len(), 2);
    // LISTEN is transactional too.
    run(&mut a, "BEGIN; UNLISTEN *; ROLLBACK");
    assert_eq!(run(&mut a, "NOTIFY one, 'still'"), ["still"]);
    run(&mut a, "UNLISTEN one");
    assert_eq!(run(&mut a, "NOTIFY one, 'gone'; NOTIFY \"Two\", 'here'"), ["here"]);
    run(&mut a, "DISCARD ALL");
    assert!(run(&mut a, "NOTIFY \"Two\"").is_empty());
    assert_eq!(a.value("SELECT pg_notification_queue_usage()").expect("a value"), "0");
    let long = a.query(&format!("NOTIFY one, '{}'", "x".repeat(8000))).expect("an answer").unwrap_err();
    assert_eq!((long.sqlstate(), long.message()), ("22023", "payload string too long"));
    let empty = a.query("SELECT pg_notify('', '')").expect("an answer").unwrap_err();
    assert_eq!(empty.message(), "channel name cannot be empty");
}
