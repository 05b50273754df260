//! Autovacuum and the cumulative statistics, in a server of their own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::Client;
use testkit::client::Target;

struct Server {
    data: PathBuf,
    port: u16,
    child: Child,
}

fn tusk() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tusk"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Server {
    fn start(data: &Path) -> Server {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let settings = ["autovacuum_naptime=1s", "unix_socket_directories=", "shared_buffers=16MB"];
        let mut command = tusk();
        command.arg("postgres").arg("-D").arg(data).arg("-p").arg(port.to_string());
        settings.iter().for_each(|s| _ = command.arg("-c").arg(s));
        let server = Server { data: data.to_owned(), port, child: command.spawn().unwrap() };
        server.wait("it answers", |s| Client::connect(&Target::new(s.port)).is_ok());
        server
    }
    fn wait(&self, what: &str, mut done: impl FnMut(&Server) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !done(self) {
            assert!(Instant::now() < end, "waited too long until {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    /// The first row of the last statement's result, its columns with `|` between them.
    fn ask(&self, sql: &str) -> String {
        let mut client = Client::connect(&Target::new(self.port)).unwrap();
        let results = client.query(sql).unwrap().unwrap();
        let row = results.last().and_then(|r| r.rows.first()).cloned().unwrap_or_default();
        row.iter().map(|v| v.as_deref().unwrap_or("")).collect::<Vec<_>>().join("|")
    }
    fn stop(mut self) {
        let pid = std::fs::read_to_string(self.data.join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

/// A failed test leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn dead_rows_are_vacuumed_and_figures_survive_a_restart() {
    let data = std::env::temp_dir().join(format!("tusk-autovacuum-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    assert!(tusk().arg("initdb").arg("-D").arg(&data).args(["-U", "postgres"]).status().unwrap().success());
    let server = Server::start(&data);
    server.ask("CREATE TABLE quiet (a int) WITH (autovacuum_enabled = off)");
    server.ask("INSERT INTO quiet SELECT generate_series(1, 100)");
    server.ask("DELETE FROM quiet");
    server.ask("CREATE TABLE busy (a int PRIMARY KEY)");
    server.ask("INSERT INTO busy SELECT generate_series(1, 1000)");
    server.ask("DELETE FROM busy WHERE a <= 400");
    server.ask("BEGIN; INSERT INTO busy SELECT generate_series(2001, 2010); ROLLBACK");
    let figures = "SELECT n_tup_ins, n_tup_del, n_live_tup, n_dead_tup FROM pg_stat_user_tables WHERE relname = ";
    assert_eq!(server.ask(&format!("{figures} 'quiet'")), "100|100|0|100");
    let count = "SELECT autovacuum_count > 0 FROM pg_stat_user_tables WHERE relname = ";
    server.wait("busy is vacuumed", |s| {
        s.ask(&format!("{count} 'busy'")) == "t" && s.ask(&format!("{figures} 'busy'")) == "1010|400|600|0"
    });
    assert_eq!(server.ask("SELECT relpages > 0, reltuples FROM pg_class WHERE relname = 'busy'"), "t|600");
    server.stop();

    let server = Server::start(&data);
    assert_eq!(server.ask(&format!("{figures} 'busy'")), "1010|400|600|0");
    assert_eq!(server.ask(&format!("{count} 'quiet'")), "f");
    assert_eq!(server.ask(&format!("{figures} 'quiet'")), "100|100|0|100");
    server.stop();
    std::fs::remove_dir_all(&data).unwrap();
}
