//! Serializable transactions, where this server is stricter than PostgreSQL.

mod common;

use common::{DataDirectory, Server};

/// A row that INSERT ... ON CONFLICT DO NOTHING found in its way counts as read.
#[test]
fn on_conflict_reads_what_is_in_its_way() {
    let dir = DataDirectory::new("serializable");
    let server = Server::start(&dir);
    let (mut a, mut b) = (server.connect(), server.connect());
    a.execute("CREATE TABLE reserved (id int PRIMARY KEY); INSERT INTO reserved VALUES (1), (2)").expect("made");
    for c in [&mut a, &mut b] {
        c.execute("BEGIN ISOLATION LEVEL SERIALIZABLE").expect("begun");
    }
    a.execute("INSERT INTO reserved VALUES (1) ON CONFLICT DO NOTHING").expect("nothing");
    b.execute("INSERT INTO reserved VALUES (2) ON CONFLICT DO NOTHING").expect("nothing");
    a.execute("DELETE FROM reserved WHERE id = 2").expect("deleted");
    b.execute("DELETE FROM reserved WHERE id = 1").expect("deleted");
    a.execute("COMMIT").expect("committed");
    let error = b.query("COMMIT").expect("an answer").unwrap_err();
    assert_eq!(error.sqlstate(), "40001");
    assert_eq!(a.value("SELECT count(*) FROM reserved").expect("a count"), "1");
}
