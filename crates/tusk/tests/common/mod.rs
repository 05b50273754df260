//! A server for tests: the real binary on a data directory of its own, stopped when dropped.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod embedded;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use testkit::Client;
use testkit::client::Target;

const TUSK: &str = env!("CARGO_BIN_EXE_tusk");

/// A data directory in the temporary folder; gone when dropped.
pub struct DataDirectory(PathBuf);

impl DataDirectory {
    pub fn new(name: &str) -> DataDirectory {
        DataDirectory::with(name, &[])
    }
    /// With further options for initdb.
    pub fn with(name: &str, options: &[&str]) -> DataDirectory {
        let path = std::env::temp_dir().join(format!("tusk-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let done = Command::new(TUSK)
            .args(["initdb", "-U", "postgres", "-D"])
            .arg(&path)
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("initdb starts");
        assert!(done.success(), "initdb failed");
        DataDirectory(path)
    }
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

pub fn command(dir: &Path, port: u16) -> Command {
    let mut command = Command::new(TUSK);
    command.args(["postgres", "-D"]).arg(dir).args(["-p", &port.to_string()]);
    command.args(["-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1"]);
    command.stdin(Stdio::null());
    command
}

/// A running server.
pub struct Server {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Server {
    pub fn start(dir: &DataDirectory) -> Server {
        Server::start_with(dir, &[])
    }
    pub fn start_with(dir: &DataDirectory, options: &[&str]) -> Server {
        let port = free_port();
        let log = dir.path().with_extension("log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log file");
        let mut command = command(dir.path(), port);
        command.args(options).stdout(file.try_clone().expect("a second handle")).stderr(file);
        let child = command.spawn().expect("the server starts");
        let mut server = Server { child, port, log };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if Client::connect(&Target::new(self.port)).is_ok() {
                return;
            }
            let ended = self.child.try_wait().expect("the child is ours");
            assert!(ended.is_none() && Instant::now() < end, "the server does not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn connect(&self) -> Client {
        Client::connect(&Target::new(self.port)).expect("a connection")
    }
    pub fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        stream
    }
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        let _ = kill_process(pid, signal);
    }
    /// A fast shutdown.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::INT);
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status;
            }
            assert!(Instant::now() < end, "the server does not stop:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    /// As a power cut: the supervisor and the server it started are killed at once.
    pub fn crash(mut self, dir: &DataDirectory) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
        let pidfile = std::fs::read_to_string(dir.path().join("postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pidfile.lines().next().and_then(|l| l.parse().ok()).and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::QUIT);
            let end = Instant::now() + Duration::from_secs(5);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_file(&self.log);
        let _ = std::io::stdout().flush();
    }
}
