//! A ledger that tells whether a server keeps its word across crashes: clients move money between accounts and note each commit
//! that the server has acknowledged; after the server was killed and has come back, every acknowledged transaction must be
//! there, none that was rolled back, and the sums must hold.
//!
//! The notes are lines of a file: `T client seq` before a COMMIT, `A client seq hash` after its acknowledgement. What has a `T`
//! and no `A` may be there or not: the crash came in between.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Client;
use crate::client::Target;

const ACCOUNTS: u64 = 100;
const START: i64 = 1000;

const SETUP: &[&str] = &[
    "CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL, note text)",
    "CREATE TABLE ledger (client int, seq int, src int, dst int, amount int, payload text, PRIMARY KEY (client, seq))",
    "CREATE INDEX ledger_src ON ledger (src)",
    "CREATE INDEX ledger_dst ON ledger (dst, amount)",
    "INSERT INTO account SELECT n, 1000, 'account ' || n FROM generate_series(0, 99) n",
];

/// Makes the tables.
pub fn setup(target: &Target) -> io::Result<()> {
    let mut client = Client::connect(target)?;
    SETUP.iter().try_for_each(|sql| client.execute(sql))
}

/// How a crash is looked at: what the clients had noted, and what was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub acknowledged: usize,
    /// COMMITs without an answer, and how many of them are there.
    pub undecided: usize,
    pub undecided_there: usize,
    pub side_tables: usize,
}

fn random(state: &mut u64) -> u64 {
    // xorshift*
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
}

/// Works with this many clients until the server is gone or `stop` is set.
pub fn work(target: &Target, notes: &Path, clients: u32, seed: u64, stop: &AtomicBool) -> io::Result<()> {
    let starts = last_numbers(notes)?;
    let file = Mutex::new(OpenOptions::new().create(true).append(true).open(notes)?);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..clients)
            .map(|id| {
                let (file, start) = (&file, starts.get(&id).copied().unwrap_or(0));
                scope.spawn(move || one_client(target, file, id, start, seed, stop))
            })
            .collect();
        running.into_iter().try_for_each(|r| r.join().map_err(|_| io::Error::other("a client panicked"))?)
    })
}

/// The highest number that each client has used.
fn last_numbers(notes: &Path) -> io::Result<BTreeMap<u32, u32>> {
    let mut last = BTreeMap::new();
    for line in lines(notes)? {
        last.insert(line.client, line.seq.max(last.get(&line.client).copied().unwrap_or(0)));
    }
    Ok(last)
}

struct Line {
    acknowledged: bool,
    client: u32,
    seq: u32,
    hash: String,
}

fn lines(notes: &Path) -> io::Result<Vec<Line>> {
    let file = match File::open(notes) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let bad = || io::Error::other("a bad line in the notes");
    let parse = |line: String| {
        let mut words = line.split(' ');
        let acknowledged = words.next() == Some("A");
        let mut number = || words.next().and_then(|w| w.parse().ok()).ok_or_else(bad);
        let (client, seq) = (number()?, number()?);
        Ok(Line { acknowledged, client, seq, hash: words.next().unwrap_or_default().to_owned() })
    };
    BufReader::new(file).lines().map(|l| parse(l?)).collect()
}

fn one_client(
    target: &Target,
    notes: &Mutex<File>,
    id: u32,
    start: u32,
    seed: u64,
    stop: &AtomicBool,
) -> io::Result<()> {
    let mut rng = (seed.wrapping_mul(31) + u64::from(id) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let Ok(mut client) = Client::connect(target) else { return Ok(()) };
    // Gone in the middle of something: the end of the round, not an error. Errors the server sends are.
    for seq in start + 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match transfer(&mut client, notes, id, seq, &mut rng) {
            Err(e) if e.kind() == io::ErrorKind::Other && !e.to_string().contains("57P0") => return Err(e),
            Err(_) => break,
            Ok(()) => {}
        }
    }
    Ok(())
}

/// One transaction.
fn transfer(client: &mut Client, notes: &Mutex<File>, id: u32, seq: u32, rng: &mut u64) -> io::Result<()> {
    let (a, b) = (random(rng) % ACCOUNTS, random(rng) % ACCOUNTS);
    let amount = random(rng) % 100;
    let size = match random(rng) % 20 {
        0 => 20_000 + random(rng) % 60_000,
        1 | 2 => 3000 + random(rng) % 4000,
        _ => random(rng) % 100,
    };
    let kind = random(rng) % 40;
    client.execute("BEGIN")?;
    // In one order, so that no two wait for each other.
    let update = |id: u64, sign: &str| format!("UPDATE account SET balance = balance {sign} {amount} WHERE id = {id}");
    let mut updates = [(a, update(a, "-")), (b, update(b, "+"))];
    updates.sort();
    for (_, sql) in &updates {
        client.execute(sql)?;
    }
    if kind < 4 {
        client.execute("SAVEPOINT s")?;
        client.execute(&format!("INSERT INTO ledger VALUES ({id}, {}, 0, 0, 0, 'undone')", -i64::from(seq)))?;
        // A row that is ours already.
        client.execute(&format!("UPDATE account SET note = 'undone' WHERE id = {a}"))?;
        client.execute("ROLLBACK TO s")?;
    }
    let payload = payload(rng, size as usize);
    let insert = format!(
        "INSERT INTO ledger VALUES ({id}, {seq}, {a}, {b}, {amount}, '{payload}') RETURNING hashtextextended(payload, 0)"
    );
    let hash = client.value(&insert)?;
    match kind {
        0 => client.execute(&format!("CREATE TABLE side_{id}_{seq} (a int PRIMARY KEY, b text)"))?,
        1 => {
            client.execute(&format!("CREATE TABLE side_{id}_{seq} AS SELECT * FROM account"))?;
            client.execute(&format!("CREATE INDEX ON side_{id}_{seq} (balance)"))?;
        }
        2 => drop_one(client, id)?,
        5 | 6 => return client.execute("ROLLBACK"),
        _ => {}
    }
    note(notes, &format!("T {id} {seq}\n"))?;
    client.execute("COMMIT")?;
    note(notes, &format!("A {id} {seq} {hash} {kind}\n"))
}

/// Drops one of the client's side tables.
fn drop_one(client: &mut Client, id: u32) -> io::Result<()> {
    let find = format!("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'side\\_{id}\\_%' LIMIT 1");
    match client.rows(&find)?.first().and_then(|r| r[0].clone()) {
        Some(name) => client.execute(&format!("DROP TABLE {name}")),
        None => Ok(()),
    }
}

/// In one write, so that lines do not mix.
fn note(notes: &Mutex<File>, line: &str) -> io::Result<()> {
    let mut file = notes.lock().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    file.write_all(line.as_bytes())
}

/// Does not compress well.
fn payload(rng: &mut u64, len: usize) -> String {
    (0..len).map(|_| char::from(b'!' + 6 + (random(rng) % 80) as u8)).filter(|c| *c != '\\' && *c != '\'').collect()
}

/// Everything that must hold after a crash.
pub fn check(target: &Target, notes: &Path) -> io::Result<Figures> {
    let mut client = Client::connect(target)?;
    let (mut acknowledged, mut tried) = (BTreeMap::new(), BTreeSet::new());
    for line in lines(notes)? {
        match line.acknowledged {
            true => _ = acknowledged.insert((line.client, line.seq), line.hash),
            false => _ = tried.insert((line.client, line.seq)),
        }
    }
    let mut figures = Figures { acknowledged: acknowledged.len(), ..Figures::default() };
    figures.undecided = tried.len() - acknowledged.len();
    let mut there = 0;
    for row in client.rows("SELECT client, seq, hashtextextended(payload, 0) FROM ledger")? {
        let number = |i: usize| row[i].as_ref().and_then(|v| v.parse::<i64>().ok()).unwrap_or(-1);
        let key = (number(0) as u32, number(1) as u32);
        if number(1) < 0 || !tried.contains(&key) {
            return Err(io::Error::other(format!("row {key:?} was never committed")));
        }
        match acknowledged.get(&key) {
            Some(hash) if row[2].as_ref() != Some(hash) => {
                return Err(io::Error::other(format!("row {key:?} holds another payload")));
            }
            Some(_) => there += 1,
            None => figures.undecided_there += 1,
        }
    }
    if there != acknowledged.len() {
        return Err(io::Error::other(format!("{} acknowledged rows are missing", acknowledged.len() - there)));
    }
    sums(&mut client)?;
    indexes(&mut client)?;
    let count = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'side\\_%'";
    figures.side_tables = client.value(count)?.parse().unwrap_or(0);
    Ok(figures)
}

fn equal(client: &mut Client, what: &str, sql: &str, expected: &str) -> io::Result<()> {
    let found = client.value(sql)?;
    if found == expected { Ok(()) } else { Err(io::Error::other(format!("{what}: {found}, not {expected}"))) }
}

fn sums(client: &mut Client) -> io::Result<()> {
    equal(client, "sum of balances", "SELECT sum(balance) FROM account", &(ACCOUNTS as i64 * START).to_string())?;
    equal(client, "undone notes", "SELECT count(*) FROM account WHERE note = 'undone'", "0")?;
    let wrong = "SELECT count(*) FROM account a WHERE balance <> 1000 \
                 - (SELECT coalesce(sum(amount), 0) FROM ledger WHERE src = a.id) \
                 + (SELECT coalesce(sum(amount), 0) FROM ledger WHERE dst = a.id)";
    equal(client, "accounts that disagree with the ledger", wrong, "0")
}

/// The ledger through each index and through none.
fn indexes(client: &mut Client) -> io::Result<()> {
    let scan = |on: bool| format!("SET enable_seqscan = {on}; SET enable_bitmapscan = off; SET enable_sort = off");
    client.query(&scan(true))?.map_err(|e| io::Error::other(format!("{e:?}")))?;
    let all =
        client.value("SELECT count(*) || ' ' || coalesce(sum(seq) || ' ' || sum(src * 7 + dst), '') FROM ledger")?;
    client.query(&scan(false))?.map_err(|e| io::Error::other(format!("{e:?}")))?;
    for order in ["client, seq", "src", "dst, amount"] {
        let sql = format!(
            "SELECT count(*) || ' ' || coalesce(sum(seq) || ' ' || sum(src * 7 + dst), '') FROM (SELECT * FROM ledger ORDER BY {order} OFFSET 0)"
        );
        equal(client, &format!("index on {order}"), &sql, &all)?;
    }
    client.execute("SET enable_seqscan = on")
}
