//! `pg_isready`: whether a server accepts connections. Exit codes as PostgreSQL's: 0 accepting, 1 rejecting, 2 no answer,
//! 3 no attempt.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;

const HELP: &str = "pg_isready issues a connection check to a PostgreSQL database.\n\n\
Usage:\n  pg_isready [OPTION]...\n\n\
Options:\n  -d, --dbname=DBNAME      database name\n  -q, --quiet              run quietly\n  \
-V, --version            output version information, then exit\n  -?, --help               show this help, then exit\n  \
-h, --host=HOSTNAME      database server host or socket directory\n  -p, --port=PORT          database server port\n  \
-t, --timeout=SECS       seconds to wait when attempting connection, 0 disables (default: 3)\n  \
-U, --username=USERNAME  user name to connect as\n";

struct Options {
    host: String,
    port: u16,
    user: String,
    database: Option<String>,
    timeout: u64,
    quiet: bool,
}

enum Status {
    Accepting,
    Rejecting,
    NoResponse,
}

pub fn main(args: Vec<OsString>) -> ExitCode {
    let options = match parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(e) => {
            super::usage_error("pg_isready", e);
            return ExitCode::from(3);
        }
    };
    let (text, code) = match check(&options) {
        Status::Accepting => ("accepting connections", 0),
        Status::Rejecting => ("rejecting connections", 1),
        Status::NoResponse => ("no response", 2),
    };
    if !options.quiet {
        println!("{}:{} - {text}", options.host, options.port);
    }
    ExitCode::from(code)
}

fn parse(args: Vec<OsString>) -> Result<Option<Options>, lexopt::Error> {
    let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let mut options = Options {
        host: env("PGHOST").unwrap_or_else(|| "/tmp".into()),
        port: env("PGPORT").and_then(|p| p.parse().ok()).unwrap_or(5432),
        user: env("PGUSER").or_else(|| env("USER")).unwrap_or_else(|| "postgres".into()),
        database: env("PGDATABASE"),
        timeout: 3,
        quiet: false,
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("host") => options.host = super::value(&mut parser)?,
            Short('p') | Long("port") => options.port = parser.value()?.parse()?,
            Short('U') | Long("username") => options.user = super::value(&mut parser)?,
            Short('d') | Long("dbname") => options.database = Some(super::value(&mut parser)?),
            Short('t') | Long("timeout") => options.timeout = parser.value()?.parse()?,
            Short('q') | Long("quiet") => options.quiet = true,
            Short('V') | Long("version") => {
                println!("pg_isready (PostgreSQL) {}", super::VERSION);
                return Ok(None);
            }
            Short('?') | Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn check(options: &Options) -> Status {
    let timeout = (options.timeout > 0).then(|| Duration::from_secs(options.timeout));
    let answer = if options.host.starts_with('/') {
        let path = format!("{}/.s.PGSQL.{}", options.host, options.port);
        UnixStream::connect(path).and_then(|mut s| {
            s.set_read_timeout(timeout)?;
            ask(&mut s, options)
        })
    } else {
        let addresses = (options.host.as_str(), options.port).to_socket_addrs();
        addresses.and_then(|mut list| list.next().ok_or_else(|| std::io::Error::other("no address"))).and_then(
            |address| {
                let mut s = match timeout {
                    Some(t) => TcpStream::connect_timeout(&address, t)?,
                    None => TcpStream::connect(address)?,
                };
                s.set_read_timeout(timeout)?;
                ask(&mut s, options)
            },
        )
    };
    answer.unwrap_or(Status::NoResponse)
}

/// Any answer but "cannot connect now" (57P03) means that the server is there.
fn ask(stream: &mut (impl Read + Write), options: &Options) -> std::io::Result<Status> {
    let mut packet = vec![0, 0, 0, 0, 0, 3, 0, 0];
    let database = options.database.as_deref().unwrap_or(&options.user);
    for text in ["user", &options.user, "database", database] {
        packet.extend_from_slice(text.as_bytes());
        packet.push(0);
    }
    packet.push(0);
    let len = packet.len() as u32;
    packet[..4].copy_from_slice(&len.to_be_bytes());
    stream.write_all(&packet)?;
    let mut header = [0; 5];
    stream.read_exact(&mut header)?;
    let [kind, a, b, c, d] = header;
    let mut body = vec![0; (u32::from_be_bytes([a, b, c, d]) as usize).clamp(4, 65_536) - 4];
    stream.read_exact(&mut body)?;
    let rejecting = kind == b'E' && body.split(|&b| b == 0).any(|field| field == b"C57P03");
    Ok(if rejecting { Status::Rejecting } else { Status::Accepting })
}
