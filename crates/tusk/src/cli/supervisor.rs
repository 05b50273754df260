//! The process that `postmaster.pid` names: starts the server proper, passes signals on, and starts it again, into
//! recovery, when it dies. It holds nothing that a crash could damage.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base::PgError;
use base::sqlstate::CONFIG_FILE_ERROR;
use rustix::process::{Pid, Signal, kill_process};
use server::config::{self, Sources};
use server::log;
use server::pidfile::{LockFile, PidFile, Protects};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// A server that dies this soon after its start, this many times in a row, is not started again.
const TOO_SOON: Duration = Duration::from_secs(5);
const TOO_OFTEN: u32 = 5;

pub fn run(sources: &Sources) -> ExitCode {
    let loaded = match config::load(sources) {
        Ok(loaded) => loaded,
        Err(e) => {
            log::error(&e.fatal(), None);
            return ExitCode::FAILURE;
        }
    };
    if let Some(bad) = loaded.error() {
        for s in loaded.settings.iter().filter(|s| s.error.is_some()) {
            log::message(s.error.as_deref().unwrap_or_default());
        }
        let text = format!("configuration file \"{}\" contains errors", bad.path.display());
        log::error(&PgError::new(CONFIG_FILE_ERROR, text).fatal(), None);
        return ExitCode::FAILURE;
    }
    let content = PidFile::starting(&sources.data_directory, &loaded.values);
    let path = sources.data_directory.join("postmaster.pid");
    let lock = match LockFile::create(&path, Protects::DataDirectory(&sources.data_directory), &content) {
        Ok(lock) => lock,
        Err(e) => {
            log::error(&e, None);
            return ExitCode::FAILURE;
        }
    };
    let code = supervise(sources);
    drop(lock);
    code
}

fn supervise(sources: &Sources) -> ExitCode {
    let mut signals = match Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD]) {
        Ok(signals) => signals,
        Err(e) => {
            eprintln!("FATAL:  could not handle signals: {e}");
            return ExitCode::FAILURE;
        }
    };
    let stopping = Arc::new(AtomicBool::new(false));
    let mut last_start = Instant::now();
    let mut deaths = 0;
    let Some(mut child) = start(sources) else { return ExitCode::FAILURE };
    for signal in signals.forever() {
        if signal != SIGCHLD {
            if matches!(signal, SIGTERM | SIGINT | SIGQUIT) {
                stopping.store(true, Ordering::Release);
            }
            pass_on(&child, signal);
            continue;
        }
        let Ok(Some(status)) = child.try_wait() else { continue };
        // An orderly end, or a refusal to start, is final; death is not.
        if let Some(code) = status.code() {
            return ExitCode::from(u8::try_from(code).unwrap_or(1));
        }
        if stopping.load(Ordering::Acquire) {
            return ExitCode::FAILURE;
        }
        eprintln!("LOG:  server process was terminated by signal {}", status.signal().unwrap_or(0));
        deaths = if last_start.elapsed() < TOO_SOON { deaths + 1 } else { 1 };
        if deaths > TOO_OFTEN {
            eprintln!("FATAL:  server process keeps dying; giving up");
            return ExitCode::FAILURE;
        }
        eprintln!("LOG:  restarting the server into recovery");
        last_start = Instant::now();
        match start(sources) {
            Some(again) => child = again,
            None => return ExitCode::FAILURE,
        }
    }
    ExitCode::FAILURE
}

fn start(sources: &Sources) -> Option<Child> {
    let binary = std::env::current_exe();
    let spawned = binary.and_then(|binary| {
        let mut command = Command::new(binary);
        command.arg("postgres").arg("--tusk-serve").arg("-D").arg(&sources.data_directory);
        for (name, value) in &sources.command_line {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.spawn()
    });
    spawned.map_err(|e| eprintln!("FATAL:  could not start server process: {}", config::os_error(&e))).ok()
}

fn pass_on(child: &Child, signal: i32) {
    let signal = match signal {
        SIGTERM => Signal::TERM,
        SIGINT => Signal::INT,
        SIGQUIT => Signal::QUIT,
        SIGHUP => Signal::HUP,
        SIGUSR1 => Signal::USR1,
        _ => Signal::USR2,
    };
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}
