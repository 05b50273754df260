//! The wire protocol: order and content of messages, and what a server does with bad ones.

mod common;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use common::{DataDirectory, Server};
use testkit::Client;
use testkit::client::{Target, error_fields};

struct Setup {
    server: Server,
    _dir: DataDirectory,
}

fn setup(name: &str) -> Setup {
    let dir = DataDirectory::new(name);
    Setup { server: Server::start(&dir), _dir: dir }
}

fn text(parts: &[&str]) -> Vec<u8> {
    parts.iter().flat_map(|p| p.bytes().chain([0])).collect()
}
fn parse(client: &mut Client, name: &str, sql: &str) {
    let mut body = text(&[name, sql]);
    body.extend([0, 0]);
    client.send(b'P', &body).expect("sent");
}
fn bind(client: &mut Client, portal: &str, statement: &str, values: &[&str]) {
    let mut body = text(&[portal, statement]);
    body.extend([0, 0]);
    body.extend((values.len() as u16).to_be_bytes());
    for v in values {
        body.extend((v.len() as u32).to_be_bytes());
        body.extend(v.as_bytes());
    }
    body.extend([0, 0]);
    client.send(b'B', &body).expect("sent");
}
fn execute(client: &mut Client, portal: &str, limit: u32) {
    let mut body = text(&[portal]);
    body.extend(limit.to_be_bytes());
    client.send(b'E', &body).expect("sent");
}
/// The kinds of the messages up to ReadyForQuery.
fn kinds(client: &mut Client) -> String {
    let mut kinds = String::new();
    loop {
        let (kind, _) = client.read_message().expect("a message");
        kinds.push(char::from(kind));
        if kind == b'Z' {
            return kinds;
        }
    }
}
/// What a server says to a first packet before it closes: the SQLSTATE of its error, if any.
fn answer_to(server: &Server, packet: &[u8]) -> Option<String> {
    let mut stream = server.raw();
    stream.write_all(packet).expect("sent");
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    // AuthenticationOk may come before.
    let mut rest = &answer[..];
    while let [kind, a, b, c, d, ..] = *rest {
        let end = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
        if kind == b'E' {
            return Some(error_fields(&rest[5..end]).sqlstate().to_owned());
        }
        rest = rest.get(end..)?;
    }
    None
}

#[test]
fn bad_first_packets() {
    let s = setup("first");
    let version = |v: u32, rest: &[u8]| {
        let mut p = (8 + rest.len() as u32).to_be_bytes().to_vec();
        p.extend(v.to_be_bytes());
        p.extend(rest);
        p
    };
    assert_eq!(answer_to(&s.server, &version(0x0002_0000, b"\0")).as_deref(), Some("0A000"));
    assert_eq!(answer_to(&s.server, &version(0x0003_0000, b"\0")).as_deref(), Some("28000"));
    assert_eq!(answer_to(&s.server, &version(0x0003_0000, b"user\0x")).as_deref(), Some("08P01"));
    let unknown = b"user\0postgres\0database\0nope\0\0";
    assert_eq!(answer_to(&s.server, &version(0x0003_0000, unknown)).as_deref(), Some("3D000"));
    let nobody = b"user\0nobody\0database\0postgres\0\0";
    assert_eq!(answer_to(&s.server, &version(0x0003_0000, nobody)).as_deref(), Some("28000"));
    answer_to(&s.server, &[0xff; 64]);
    answer_to(&s.server, &[0, 0, 0, 4]);
    answer_to(&s.server, b"");
    assert_eq!(s.server.connect().value("SELECT 1").expect("the server lives"), "1");
}

#[test]
fn bad_messages_end_only_their_session() {
    let s = setup("messages");
    let mut other = s.server.connect();
    // An unknown kind, lengths too small and too large, a body that ends early, text that is not UTF-8.
    for (bytes, code) in [
        (&b"~\0\0\0\x04"[..], "08P01"),
        (&b"Q\0\0\0\x02"[..], "08P01"),
        (&b"Q\x7f\xff\xff\xff"[..], "08P01"),
        (&b"B\0\0\0\x08abcd"[..], "08P01"),
        (&b"Q\0\0\0\x0fSELECT '\xff'\0"[..], "22021"),
    ] {
        let mut client = s.server.connect();
        client.send_raw(bytes).expect("sent");
        let (kind, body) = client.read_message().expect("an answer");
        assert_eq!((kind, error_fields(&body).sqlstate()), (b'E', code), "{bytes:?}");
    }
    assert_eq!(other.value("SELECT 1").expect("others live"), "1");
}

#[test]
fn extended_protocol() {
    let s = setup("extended");
    let mut c = s.server.connect();
    // A pipeline: an error skips what follows up to Sync, and what comes after Sync runs.
    parse(&mut c, "", "SELECT $1::int + 1");
    bind(&mut c, "", "", &["41"]);
    execute(&mut c, "", 0);
    c.send(b'S', b"").expect("sent");
    assert_eq!(kinds(&mut c), "12DCZ");
    parse(&mut c, "", "SELECT 1 / $1::int");
    bind(&mut c, "", "", &["0"]);
    execute(&mut c, "", 0);
    parse(&mut c, "", "SELECT 1");
    c.send(b'S', b"").expect("sent");
    parse(&mut c, "", "SELECT 2");
    bind(&mut c, "", "", &[]);
    execute(&mut c, "", 0);
    c.send(b'S', b"").expect("sent");
    assert_eq!(kinds(&mut c), "12EZ");
    assert_eq!(kinds(&mut c), "12DCZ");
    // A portal gives rows as they are asked for.
    parse(&mut c, "many", "SELECT n FROM generate_series(1, 5) n");
    bind(&mut c, "p", "many", &[]);
    execute(&mut c, "p", 2);
    execute(&mut c, "p", 2);
    execute(&mut c, "p", 2);
    c.send(b'S', b"").expect("sent");
    assert_eq!(kinds(&mut c), "12DDsDDsDCZ");
    // Describe, of a statement and a portal; an empty query; NoData.
    c.send(b'D', b"Smany\0").expect("sent");
    bind(&mut c, "", "many", &[]);
    c.send(b'D', b"P\0").expect("sent");
    parse(&mut c, "", "");
    bind(&mut c, "", "", &[]);
    execute(&mut c, "", 0);
    c.send(b'C', b"Smany\0").expect("sent");
    c.send(b'S', b"").expect("sent");
    assert_eq!(kinds(&mut c), "tT2T12I3Z");
    // Errors of the protocol's own.
    bind(&mut c, "", "gone", &[]);
    c.send(b'S', b"").expect("sent");
    let (_, body) = c.read_message().expect("an error");
    assert_eq!(error_fields(&body).sqlstate(), "26000");
    assert_eq!(kinds(&mut c), "Z");
    execute(&mut c, "gone", 0);
    c.send(b'S', b"").expect("sent");
    let (_, body) = c.read_message().expect("an error");
    assert_eq!(error_fields(&body).sqlstate(), "34000");
    assert_eq!(kinds(&mut c), "Z");
}

#[test]
fn errors_have_their_fields() {
    let s = setup("fields");
    let mut c = s.server.connect();
    let error = c.query("SELECT 'ä', nope").expect("an answer").expect_err("an error");
    assert_eq!((error.field(b'S'), error.field(b'V'), error.field(b'C')), ("ERROR", "ERROR", "42703"));
    // Positions count characters.
    assert_eq!((error.message(), error.field(b'P')), ("column \"nope\" does not exist", "13"));
    c.execute("CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0))").expect("create");
    let error = c.query("INSERT INTO t VALUES (0)").expect("an answer").expect_err("an error");
    assert_eq!((error.field(b's'), error.field(b't'), error.field(b'n')), ("public", "t", "positive"));
    assert_eq!(error.field(b'D'), "Failing row contains (0).");
    assert_eq!(c.status, b'I');
}

#[test]
fn cancel_and_terminate() {
    let s = setup("cancel");
    let mut c = s.server.connect();
    let (pid, key) = (c.pid, c.key.clone());
    let start = Instant::now();
    c.start_query("SELECT pg_sleep(30)").expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    Client::cancel(s.server.port, pid, &[0; 4]).expect("sent with a wrong key");
    Client::cancel(s.server.port, pid, &key).expect("sent");
    let error = c.finish_query().expect("an answer").expect_err("an error");
    assert_eq!((error.sqlstate(), error.message()), ("57014", "canceling statement due to user request"));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(c.value("SELECT 1").expect("the session lives"), "1");

    let mut other = s.server.connect();
    assert_eq!(other.value(&format!("SELECT pg_terminate_backend({pid}, 5000)")).expect("a row"), "t");
    assert!(c.value("SELECT 1").is_err());
    let rows = other.value(&format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"));
    assert_eq!(rows.expect("a row"), "0");
    other.execute("SET statement_timeout = '50ms'").expect("set");
    let error = other.query("SELECT pg_sleep(30)").expect("an answer").expect_err("an error");
    assert_eq!(error.message(), "canceling statement due to statement timeout");
}

#[test]
fn parameters_are_reported() {
    let s = setup("parameters");
    let mut c = Client::connect(&Target::new(s.server.port)).expect("a connection");
    assert_eq!(c.parameters.get("DateStyle").map(String::as_str), Some("ISO, MDY"));
    assert_eq!(c.parameters.get("server_encoding").map(String::as_str), Some("UTF8"));
    c.execute("SET TimeZone = 'Europe/Berlin'").expect("set");
    assert_eq!(c.parameters.get("TimeZone").map(String::as_str), Some("Europe/Berlin"));
    c.execute("SELECT set_config('application_name', 'test', false)").expect("set");
    assert_eq!(c.parameters.get("application_name").map(String::as_str), Some("test"));
}
