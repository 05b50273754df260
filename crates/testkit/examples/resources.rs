//! What `bench/resources` measures with: `resources answer PORT COMMAND...` starts a server and prints the milliseconds until it
//! has answered a query, then waits for it; `resources hold PORT N` opens N connections, prints the milliseconds that took, keeps
//! them until its input ends, and says how many still answer.

use std::io::Read;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use testkit::Client;
use testkit::client::Target;

fn answer(port: u16, command: &[String]) -> std::io::Result<()> {
    let start = Instant::now();
    let mut child = Command::new(&command[0]).args(&command[1..]).spawn()?;
    loop {
        if let Ok(mut client) = Client::connect(&Target::new(port))
            && client.value("SELECT 1").is_ok()
        {
            println!("{:.1}", start.elapsed().as_secs_f64() * 1e3);
            break;
        }
        if child.try_wait()?.is_some() || start.elapsed() > Duration::from_secs(60) {
            return Err(std::io::Error::other("the server does not start"));
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    child.wait().map(drop)
}

fn hold(port: u16, count: usize) -> std::io::Result<()> {
    let start = Instant::now();
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        let mut client = Client::connect(&Target::new(port))?;
        // As after a first query: what a session keeps is there.
        client.value("SELECT 1")?;
        clients.push(client);
    }
    println!("{:.0}", start.elapsed().as_secs_f64() * 1e3);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let alive = clients.iter_mut().filter_map(|c| c.value("SELECT 1").ok()).count();
    println!("{alive}");
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let port = args.get(1).and_then(|p| p.parse().ok()).unwrap_or(0);
    let done = match (args.first().map(String::as_str), args.get(2)) {
        (Some("answer"), Some(_)) => answer(port, &args[2..]),
        (Some("hold"), Some(n)) => hold(port, n.parse().unwrap_or(0)),
        _ => Err(std::io::Error::other("usage: resources answer PORT COMMAND... | hold PORT N")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("resources: {e}");
            ExitCode::FAILURE
        }
    }
}
