//! Starting, listening, stopping: the server process below its supervisor. (PostgreSQL: the postmaster)

use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base::guc::{self, Values};
use base::{PgError, Result, Severity};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;
use socket2::SockRef;
use types::Registry;

use crate::background::Background;
use crate::cluster::{Cluster, Purpose};
use crate::config::{self, Sources, os_error};
use crate::log;
use crate::pidfile::{LockFile, PidFile, Protects};
use crate::protocol::Stream;
use crate::scheduler::Scheduler;
use crate::session::{Arrival, Work};

/// A socket that clients connect to.
enum Listener {
    Tcp(TcpListener),
    /// With its path and lock file, which both go with it.
    Unix(UnixListener, PathBuf, #[allow(dead_code, reason = "held for its drop")] LockFile),
}

/// Serves a data directory until a signal ends it. The exit code is the process's.
pub fn run(sources: Sources, registry: Arc<Registry>) -> ExitCode {
    // The supervisor's end must not leave the server behind.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    match serve(sources, registry) {
        Ok(code) => code,
        Err(e) => {
            log::error(&e, None);
            log::message("database system is shut down");
            ExitCode::FAILURE
        }
    }
}

fn serve(sources: Sources, registry: Arc<Registry>) -> Result<ExitCode> {
    let loaded = config::load(&sources)?;
    let values = loaded.values.clone();
    // Before a port is taken. (PostgreSQL: `LocalProcessControlFile`)
    wal::control::ControlFile::read(&storage::RealVfs::new(&sources.data_directory))?;
    log::message(&format!(
        "starting Tusk {} (PostgreSQL {})",
        env!("CARGO_PKG_VERSION"),
        values.str(guc::SERVER_VERSION)
    ));
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2])
        .map_err(|e| PgError::internal(format!("could not handle signals: {e}")).fatal())?;
    let listeners = listen(&values)?;
    let cluster = Cluster::open(sources, loaded, registry, Purpose::Serve).map_err(PgError::fatal)?;
    let scheduler = Scheduler::new().map_err(|e| PgError::internal(format!("could not create epoll: {e}")).fatal())?;
    let monitor = Arc::clone(&scheduler);
    spawn("monitor", move || monitor.watch());
    let background = Background::start(&cluster);
    let accepting = Arc::new(AtomicBool::new(true));
    let listeners: Vec<Arc<Listener>> = listeners.into_iter().map(Arc::new).collect();
    for listener in &listeners {
        let (listener, cluster, scheduler) = (Arc::clone(listener), Arc::clone(&cluster), Arc::clone(&scheduler));
        let accepting = Arc::clone(&accepting);
        spawn("listener", move || accept(&listener, &cluster, &scheduler, &accepting));
    }
    status(&cluster, "ready");
    log::message("database system is ready to accept connections");
    log::message(&how_to_connect(&values));

    let mut smart = false;
    for signal in signals.forever() {
        match signal {
            SIGHUP => {
                log::message("received SIGHUP, reloading configuration files");
                if let Err(e) = cluster.reload() {
                    log::error(&e, None);
                }
            }
            SIGTERM => {
                log::message("received smart shutdown request");
                smart = true;
                break;
            }
            SIGINT => {
                log::message("received fast shutdown request");
                break;
            }
            SIGQUIT => {
                log::message("received immediate shutdown request");
                cleanup(&listeners);
                std::process::exit(0);
            }
            _ => {}
        }
    }
    status(&cluster, "stopping");
    accepting.store(false, Ordering::Release);
    listeners.iter().for_each(|l| shut(l));
    if smart {
        wait_for_clients(&cluster, &mut signals);
    }
    stop_sessions(&cluster);
    background.stop();
    log::message("shutting down");
    cluster.shut_down()?;
    scheduler.stop();
    cleanup(&listeners);
    log::message("database system is shut down");
    // Threads that hang on to something must not keep the process.
    std::process::exit(0);
}

/// A smart shutdown waits for the clients, unless a faster one is asked for meanwhile.
fn wait_for_clients(cluster: &Cluster, signals: &mut Signals) {
    while !cluster.sessions.is_empty() {
        for signal in signals.pending() {
            match signal {
                SIGINT => {
                    log::message("received fast shutdown request");
                    return;
                }
                SIGQUIT => std::process::exit(0),
                _ => {}
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn stop_sessions(cluster: &Cluster) {
    if !cluster.sessions.is_empty() {
        log::message("aborting any active transactions");
    }
    let start = Instant::now();
    let mut asked = None::<Instant>;
    while !cluster.sessions.is_empty() {
        // Asked again now and then: a session may have been between looking and waiting.
        if asked.is_none_or(|t| t.elapsed() > Duration::from_millis(200)) {
            cluster.sessions.terminate_all();
            asked = Some(Instant::now());
        }
        if start.elapsed() > Duration::from_secs(60) {
            log::message("some sessions did not end in time");
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) {
    if let Err(e) = thread::Builder::new().name(name.into()).stack_size(8 << 20).spawn(body) {
        log::message(&format!("could not start thread \"{name}\": {e}"));
    }
}

/// The status line of postmaster.pid, which pg_ctl waits for. The file is the supervisor's; its first line stays.
fn status(cluster: &Cluster, status: &str) {
    let path = cluster.data_directory().join("postmaster.pid");
    if let Ok(Some(mut content)) = PidFile::read(cluster.data_directory()) {
        content.status = status.to_owned();
        if let Err(e) = content.write(&path) {
            log::message(&format!("could not write lock file \"postmaster.pid\": {}", os_error(&e)));
        }
    }
}

fn how_to_connect(values: &Values) -> String {
    let port = values.int(guc::PORT);
    match values.str(guc::LISTEN_ADDRESSES) {
        "" => format!("connect with: psql -h {} -p {port}", values.str(guc::UNIX_SOCKET_DIRECTORIES)),
        _ => format!("connect with: psql -h 127.0.0.1 -p {port} -U postgres postgres"),
    }
}

fn listen(values: &Values) -> Result<Vec<Listener>> {
    let port = u16::try_from(values.int(guc::PORT)).unwrap_or(5432);
    let mut listeners = Vec::new();
    for host in values.str(guc::LISTEN_ADDRESSES).split(',').map(str::trim).filter(|h| !h.is_empty()) {
        let hosts: &[&str] = if host == "*" { &["0.0.0.0", "::"] } else { &[host] };
        for host in hosts {
            listeners.extend(listen_tcp(host, port)?);
        }
    }
    if listeners.is_empty() && !values.str(guc::LISTEN_ADDRESSES).trim().is_empty() {
        return Err(PgError::new(base::sqlstate::IO_ERROR, "could not create any TCP/IP sockets").fatal());
    }
    for dir in values.str(guc::UNIX_SOCKET_DIRECTORIES).split(',').map(str::trim).filter(|d| !d.is_empty()) {
        listeners.push(listen_unix(dir, port, values)?);
    }
    Ok(listeners)
}

fn listen_tcp(host: &str, port: u16) -> Result<Vec<Listener>> {
    let addresses = (host, port).to_socket_addrs().map_err(|e| {
        let text = format!("could not translate host name \"{host}\", service \"{port}\" to address: {e}");
        PgError::new(base::sqlstate::IO_ERROR, text).fatal()
    })?;
    let mut listeners = Vec::new();
    let mut in_use = None;
    for address in addresses {
        match bind(address) {
            Ok(l) => {
                let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
                log::message(&format!("listening on {family} address \"{}\", port {port}", address.ip()));
                listeners.push(Listener::Tcp(l));
            }
            Err(e) => in_use = Some((address, e)),
        }
    }
    // That one address of several cannot be had is worth a word only; without any the start fails.
    if let Some((address, e)) = in_use
        && host != "::"
    {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        let text = format!("could not bind {family} address \"{}\": {}", address.ip(), os_error(&e));
        let hint =
            format!("Is another postmaster already running on port {port}? If not, wait a few seconds and retry.");
        let report = PgError::with_severity(Severity::Log, base::sqlstate::IO_ERROR, text);
        log::error(&if e.kind() == io::ErrorKind::AddrInUse { report.hint(hint) } else { report }, None);
        if listeners.is_empty() {
            let text = format!("could not create listen socket for \"{host}\"");
            log::error(&PgError::with_severity(Severity::Warning, base::sqlstate::IO_ERROR, text), None);
        }
    }
    Ok(listeners)
}

fn bind(address: std::net::SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

fn listen_unix(dir: &str, port: u16, values: &Values) -> Result<Listener> {
    let path = PathBuf::from(dir).join(format!(".s.PGSQL.{port}"));
    let content = PidFile::starting(std::path::Path::new(values.str(guc::DATA_DIRECTORY)), values);
    let lock_path = PathBuf::from(format!("{}.lock", path.display()));
    let lock = LockFile::create(&lock_path, Protects::Socket(&path), &content)?;
    let _ = std::fs::remove_file(&path);
    let fail = |e: io::Error| {
        let text = format!("could not bind Unix address \"{}\": {}", path.display(), os_error(&e));
        PgError::new(base::sqlstate::IO_ERROR, text).fatal()
    };
    let listener = UnixListener::bind(&path).map_err(fail)?;
    let mode = u32::try_from(values.int(guc::UNIX_SOCKET_PERMISSIONS)).unwrap_or(0o777);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).map_err(fail)?;
    log::message(&format!("listening on Unix socket \"{}\"", path.display()));
    Ok(Listener::Unix(listener, path, lock))
}

fn accept(listener: &Listener, cluster: &Arc<Cluster>, scheduler: &Arc<Scheduler<Work>>, accepting: &AtomicBool) {
    loop {
        let accepted = match listener {
            Listener::Tcp(l) => l.accept().map(|(s, a)| (Stream::Tcp(s), Some(a))),
            Listener::Unix(l, ..) => l.accept().map(|(s, _)| (Stream::Unix(s), None)),
        };
        if !accepting.load(Ordering::Acquire) {
            return;
        }
        match accepted {
            Ok((stream, address)) => {
                if let Stream::Tcp(s) = &stream {
                    let _ = s.set_nodelay(true);
                    let _ = SockRef::from(s).set_keepalive(true);
                }
                match Arrival::new(Arc::clone(cluster), Arc::clone(scheduler), stream, address) {
                    Ok(arrival) => scheduler.submit(Work::Arrival(Box::new(arrival))),
                    Err(e) => log::message(&format!("could not set up connection: {}", os_error(&e))),
                }
            }
            Err(e) => {
                log::message(&format!("could not accept new connection: {}", os_error(&e)));
                // Out of descriptors: let some sessions end.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Ends a listener's `accept`.
fn shut(listener: &Listener) {
    let _ = match listener {
        Listener::Tcp(l) => SockRef::from(l).shutdown(std::net::Shutdown::Both),
        Listener::Unix(l, ..) => SockRef::from(l).shutdown(std::net::Shutdown::Both),
    };
}

fn cleanup(listeners: &[Arc<Listener>]) {
    for listener in listeners {
        if let Listener::Unix(_, path, _) = &**listener {
            let _ = std::fs::remove_file(path);
            let _ = std::fs::remove_file(format!("{}.lock", path.display()));
        }
    }
}
