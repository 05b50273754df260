//! `pg_ctl`: starts, stops and asks after a server, with PostgreSQL's messages and exit codes.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lexopt::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use server::pidfile::{PidFile, is_alive};

const HELP: &str = "pg_ctl is a utility to initialize, start, stop, or control a PostgreSQL server.\n\n\
Usage:\n  pg_ctl init[db]   [-D DATADIR] [-s] [-o OPTIONS]\n  \
pg_ctl start      [-D DATADIR] [-l FILENAME] [-W] [-t SECS] [-s] [-o OPTIONS]\n  \
pg_ctl stop       [-D DATADIR] [-m SHUTDOWN-MODE] [-W] [-t SECS] [-s]\n  \
pg_ctl restart    [-D DATADIR] [-m SHUTDOWN-MODE] [-W] [-t SECS] [-s] [-o OPTIONS]\n  \
pg_ctl reload     [-D DATADIR] [-s]\n  pg_ctl status     [-D DATADIR]\n  \
pg_ctl promote    [-D DATADIR] [-W] [-t SECS] [-s]\n  pg_ctl logrotate  [-D DATADIR] [-s]\n  pg_ctl kill       SIGNALNAME PID\n\n\
Shutdown modes are:\n  smart       quit after all clients have disconnected\n  \
fast        quit directly, with proper shutdown (default)\n  \
immediate   quit without complete shutdown; will lead to recovery on restart\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Smart,
    Fast,
    Immediate,
}

struct Options {
    data: Option<PathBuf>,
    log: Option<PathBuf>,
    mode: Mode,
    wait: bool,
    timeout: Duration,
    silent: bool,
    server_options: Vec<String>,
    words: Vec<String>,
}

pub fn main(args: Vec<OsString>) -> ExitCode {
    let options = match parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(e) => return super::usage_error("pg_ctl", e),
    };
    let Some(command) = options.words.first().cloned() else {
        return super::usage_error("pg_ctl", "no operation specified");
    };
    if command == "kill" {
        return kill(&options.words[1..]);
    }
    let Some(data) = super::data_directory(options.data.clone()) else {
        return super::usage_error("pg_ctl", "no database directory specified and environment variable PGDATA unset");
    };
    let data = super::absolute(&data);
    let ctl = Ctl { data, options };
    if !matches!(command.as_str(), "init" | "initdb") && !ctl.data.is_dir() {
        let text = format!("directory \"{}\" does not exist", ctl.data.display());
        eprintln!("pg_ctl: {text}");
        return ExitCode::from(if command == "status" { 4 } else { 1 });
    }
    match command.as_str() {
        "init" | "initdb" => ctl.initdb(),
        "start" => ctl.start(),
        "stop" => ctl.stop(),
        "restart" => ctl.restart(),
        "reload" => ctl.signal(Signal::HUP),
        "status" => ctl.status(),
        "promote" => ctl.promote(),
        "logrotate" => ctl.signal(Signal::USR1),
        other => super::usage_error("pg_ctl", format!("unrecognized operation mode \"{other}\"")),
    }
}

fn parse(args: Vec<OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        data: None,
        log: None,
        mode: Mode::Fast,
        wait: true,
        timeout: Duration::from_secs(std::env::var("PGCTLTIMEOUT").ok().and_then(|t| t.parse().ok()).unwrap_or(60)),
        silent: false,
        server_options: Vec::new(),
        words: Vec::new(),
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('D') | Long("pgdata") => options.data = Some(parser.value()?.into()),
            Short('l') | Long("log") => options.log = Some(parser.value()?.into()),
            Short('m') | Long("mode") => {
                options.mode = match super::value(&mut parser)?.as_str() {
                    "s" | "smart" => Mode::Smart,
                    "f" | "fast" => Mode::Fast,
                    "i" | "immediate" => Mode::Immediate,
                    other => return Err(format!("unrecognized shutdown mode \"{other}\"").into()),
                }
            }
            Short('w') | Long("wait") => options.wait = true,
            Short('W') | Long("no-wait") => options.wait = false,
            Short('t') | Long("timeout") => options.timeout = Duration::from_secs(parser.value()?.parse()?),
            Short('s') | Long("silent") => options.silent = true,
            Short('o') | Long("options") => {
                let text = super::value(&mut parser)?;
                options.server_options.extend(split_words(&text));
            }
            Short('p') => drop(parser.value()?),
            Short('c') | Long("core-files") => {}
            Short('V') | Long("version") => {
                println!("pg_ctl (PostgreSQL) {}", super::VERSION);
                return Ok(None);
            }
            Short('?') | Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            Value(word) => options.words.push(word.to_string_lossy().into_owned()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

/// Splits as a shell would: blanks separate, quotes and backslashes protect.
fn split_words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(q), c) if c == q => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

struct Ctl {
    data: PathBuf,
    options: Options,
}

impl Ctl {
    fn say(&self, text: &str) {
        if !self.options.silent {
            print!("{text}");
            let _ = std::io::stdout().flush();
        }
    }

    /// The running server's pid file; `None` if there is none or its process is gone.
    fn running(&self) -> Option<PidFile> {
        PidFile::read(&self.data).ok().flatten().filter(|p| is_alive(p.pid))
    }

    fn no_server(&self) -> ExitCode {
        let path = self.data.join("postmaster.pid");
        eprintln!("pg_ctl: PID file \"{}\" does not exist\nIs server running?", path.display());
        ExitCode::FAILURE
    }

    /// Waits until `done`, with a dot a second; false when the time is over.
    fn wait_for(&self, mut done: impl FnMut() -> Option<bool>) -> Option<bool> {
        let (start, mut dots) = (Instant::now(), 0);
        while start.elapsed() < self.options.timeout {
            if let Some(outcome) = done() {
                return Some(outcome);
            }
            if start.elapsed().as_secs() >= dots {
                self.say(".");
                dots += 1;
            }
            sleep(Duration::from_millis(20));
        }
        None
    }

    fn initdb(&self) -> ExitCode {
        let mut args: Vec<OsString> = vec!["-D".into(), self.data.clone().into()];
        args.extend(self.options.server_options.iter().map(OsString::from));
        super::initdb::main(args)
    }

    fn start(&self) -> ExitCode {
        if let Some(other) = self.running() {
            eprintln!("pg_ctl: another server might be running; trying to start server anyway");
            eprintln!("pg_ctl: PID {} holds \"{}\"", other.pid, self.data.display());
        }
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(e) => {
                eprintln!("pg_ctl: could not start server: {}", server::config::os_error(&e));
                return ExitCode::FAILURE;
            }
        };
        if !self.options.wait {
            self.say("server starting\n");
            return ExitCode::SUCCESS;
        }
        self.say("waiting for server to start...");
        let pid = child.id();
        let outcome = self.wait_for(|| {
            if let Ok(Some(_)) = child.try_wait() {
                return Some(false);
            }
            let ready = |p: &PidFile| p.pid == pid && matches!(p.status.as_str(), "ready" | "standby");
            PidFile::read(&self.data).ok().flatten().is_some_and(|p| ready(&p)).then_some(true)
        });
        match outcome {
            Some(true) => {
                self.say(" done\nserver started\n");
                ExitCode::SUCCESS
            }
            Some(false) => {
                self.say(" stopped waiting\n");
                eprintln!("pg_ctl: could not start server\nExamine the log output.");
                ExitCode::FAILURE
            }
            None => {
                self.say(" stopped waiting\n");
                eprintln!("pg_ctl: server did not start in time");
                ExitCode::FAILURE
            }
        }
    }

    fn spawn(&self) -> std::io::Result<std::process::Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg0("postgres").arg("postgres").arg("-D").arg(&self.data).args(&self.options.server_options);
        // The program is chosen by the first argument; the name shown is PostgreSQL's.
        command.arg0("tusk").stdin(Stdio::null()).process_group(0);
        if let Some(log) = &self.options.log {
            let out: File = OpenOptions::new().create(true).append(true).open(log)?;
            command.stdout(out.try_clone()?).stderr(out);
        }
        command.spawn()
    }

    fn stop(&self) -> ExitCode {
        let Some(running) = self.running() else { return self.no_server() };
        let signal = match self.options.mode {
            Mode::Smart => Signal::TERM,
            Mode::Fast => Signal::INT,
            Mode::Immediate => Signal::QUIT,
        };
        if !send(running.pid, signal) {
            eprintln!("pg_ctl: could not send stop signal (PID: {})", running.pid);
            return ExitCode::FAILURE;
        }
        if !self.options.wait {
            self.say("server shutting down\n");
            return ExitCode::SUCCESS;
        }
        self.say("waiting for server to shut down...");
        let gone = || (self.running().is_none_or(|p| p.pid != running.pid)).then_some(true);
        if self.wait_for(gone).is_none() {
            self.say(" failed\n");
            eprintln!("pg_ctl: server does not shut down");
            return ExitCode::FAILURE;
        }
        self.say(" done\nserver stopped\n");
        ExitCode::SUCCESS
    }

    fn restart(&self) -> ExitCode {
        if self.running().is_some() {
            let stopped = self.stop();
            if stopped != ExitCode::SUCCESS {
                return stopped;
            }
        } else {
            let path = self.data.join("postmaster.pid");
            eprintln!(
                "pg_ctl: PID file \"{}\" does not exist\nIs server running?\ntrying to start server anyway",
                path.display()
            );
        }
        self.start()
    }

    fn signal(&self, signal: Signal) -> ExitCode {
        let Some(running) = self.running() else { return self.no_server() };
        if !send(running.pid, signal) {
            eprintln!("pg_ctl: could not send signal (PID: {})", running.pid);
            return ExitCode::FAILURE;
        }
        self.say("server signaled\n");
        ExitCode::SUCCESS
    }

    fn promote(&self) -> ExitCode {
        if self.running().is_none() {
            return self.no_server();
        }
        if !self.data.join("standby.signal").exists() {
            eprintln!("pg_ctl: cannot promote server; server is not in standby mode");
            return ExitCode::FAILURE;
        }
        if let Err(e) = File::create(self.data.join("promote")) {
            eprintln!("pg_ctl: could not create promote signal file: {e}");
            return ExitCode::FAILURE;
        }
        self.signal(Signal::USR1)
    }

    fn status(&self) -> ExitCode {
        match self.running() {
            Some(running) => {
                println!("pg_ctl: server is running (PID: {})", running.pid);
                if let Ok(options) = std::fs::read_to_string(self.data.join("postmaster.opts")) {
                    print!("{options}");
                }
                ExitCode::SUCCESS
            }
            None => {
                println!("pg_ctl: no server running");
                ExitCode::from(3)
            }
        }
    }
}

fn send(pid: u32, signal: Signal) -> bool {
    i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(|p| kill_process(p, signal).is_ok())
}

fn kill(words: &[String]) -> ExitCode {
    let [name, pid] = words else { return super::usage_error("pg_ctl", "missing arguments for kill mode") };
    let signal = match name.trim_start_matches("SIG") {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        "ABRT" => Signal::ABORT,
        "KILL" => Signal::KILL,
        "TERM" => Signal::TERM,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        _ => return super::usage_error("pg_ctl", format!("unrecognized signal name \"{name}\"")),
    };
    match pid.parse() {
        Ok(pid) if send(pid, signal) => ExitCode::SUCCESS,
        _ => {
            eprintln!("pg_ctl: could not send signal {name} (PID: {pid})");
            ExitCode::FAILURE
        }
    }
}

/// Writes the command line for `pg_ctl status` and `restart`. (PostgreSQL: `postmaster.opts`)
pub fn write_opts(data: &Path, args: &[String]) -> std::io::Result<()> {
    let binary = std::env::current_exe()?;
    let mut line = binary.display().to_string();
    for arg in args {
        line.push_str(&format!(" \"{arg}\""));
    }
    std::fs::write(data.join("postmaster.opts"), line + "\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn words() {
        assert_eq!(
            super::split_words(r#"-c a=1  -c "b=x y" -c c='z'\ q"#),
            ["-c", "a=1", "-c", "b=x y", "-c", "c=z q"]
        );
    }
}
