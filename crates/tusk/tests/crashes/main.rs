//! Simulated crashes under random SQL: two sessions work on a simulated file system, which fails at a random operation and then
//! forgets what was not synced and tears what was being written; after recovery nothing acknowledged is missing, nothing else is
//! visible, each index agrees with its table, and work goes on.
//!
//! Each seed is one run of up to three crashes, also during recovery, and reproducible from its number:
//! `CRASH_SEED=n[,n...] cargo test -p tusk --test crashes`. `CRASH_SEEDS=n` runs that many (default 60, in a release build 300), from `CRASH_FROM` (default 1).

#[path = "../common/mod.rs"]
mod common;

mod check;
mod model;
mod workload;

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::embedded::{Template, connect};
use model::{Model, Op, Rng};
use server::embed::Embedded;
use storage::SimVfs;
use testkit::Client;
use workload::{Effect, Prepared, Side, Step};

/// Seeds that failed once: unlogged tables (4), bulk insertion with few buffers (23), unlogged tables after a restart (163), a
/// sequence's value promised by another's open transaction (307).
const REGRESSIONS: &[u64] = &[4, 23, 163, 307];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
fn random_sql_and_crashes() {
    let template = Template::new("crashes", &[]);
    let chosen = std::env::var("CRASH_SEED").unwrap_or_default();
    let chosen: Vec<u64> = chosen.split(',').filter_map(|s| s.parse().ok()).collect();
    let from = number("CRASH_FROM", 1);
    let seeds: Vec<u64> = match chosen.is_empty() {
        true => REGRESSIONS.iter().copied().chain(from..from + number("CRASH_SEEDS", default_seeds())).collect(),
        false => chosen,
    };
    let (next, failures) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let totals = Totals::default();
    let running = Arc::new(Mutex::new(Vec::<u64>::new()));
    name_seeds_in_panics(&running);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..number("CRASH_THREADS", 2) {
            scope.spawn(|| {
                while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    running.lock().expect("no panic").push(seed);
                    let done = Run::new(&template, seed, seeds.len() == 1).and_then(|mut run| run.all(&totals));
                    running.lock().expect("no panic").retain(|s| *s != seed);
                    if let Err(text) = done {
                        let _ = writeln!(std::io::stderr(), "seed {seed}: {text}");
                        failures.lock().expect("no panic").push(seed);
                    }
                }
            });
        }
    });
    println!("{} seeds in {:.1} s: {totals:?}", seeds.len(), start.elapsed().as_secs_f64());
    let failures = failures.into_inner().expect("no panic");
    assert!(failures.is_empty(), "{} seeds fail: {failures:?}", failures.len());
}

/// As many as take some twenty seconds.
fn default_seeds() -> u64 {
    if cfg!(debug_assertions) { 60 } else { 300 }
}

/// A panic in a critical section ends this process: say which seeds were running.
fn name_seeds_in_panics(running: &Arc<Mutex<Vec<u64>>>) {
    let (running, before) = (Arc::clone(running), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(seeds) = running.try_lock() {
            let _ = writeln!(std::io::stderr(), "panic while seeds {seeds:?} ran: {info}");
        }
        before(info);
    }));
}

/// What all seeds did together.
#[derive(Debug, Default)]
struct Totals {
    statements: AtomicU64,
    crashes: AtomicU64,
    crashes_in_recovery: AtomicU64,
    /// In which a commit was under way.
    undecided: AtomicU64,
    rows: AtomicU64,
}

fn count(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}

struct Run<'a> {
    template: &'a Template,
    vfs: SimVfs,
    rng: Rng,
    seed: u64,
    committed: Model,
    /// The highest value of the sequence that a committed transaction may have used.
    sequence: i64,
    settings: Vec<(&'static str, &'static str)>,
    verbose: bool,
    /// Prepared when the file system failed; whether that was acknowledged, and whether a commit was under way.
    left: Option<(Prepared, Left)>,
}

/// How far a transaction was on the way of two phases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Preparing,
    Prepared,
    Committing,
    RollingBack,
}

impl<'a> Run<'a> {
    fn new(template: &'a Template, seed: u64, verbose: bool) -> Result<Run<'a>, String> {
        let mut rng = Rng(seed);
        let mut settings =
            vec![("autovacuum", "off"), ("log_min_messages", "panic"), ("max_prepared_transactions", "4")];
        settings.push(("shared_buffers", ["128kB", "400kB", "1MB", "4MB"][rng.below(4)]));
        settings.push(("wal_buffers", ["64kB", "256kB"][rng.below(2)]));
        settings.push(("wal_compression", ["off", "lz4"][rng.below(2)]));
        settings.push(("wal_recycle", ["off", "on"][rng.below(2)]));
        settings.push(("wal_init_zero", ["off", "on"][rng.below(2)]));
        settings.push(("max_wal_size", ["2MB", "8MB"][rng.below(2)]));
        settings.push(("min_wal_size", "2MB"));
        let vfs = template.fork(seed);
        Ok(Run { template, vfs, rng, seed, committed: Model::default(), sequence: 0, settings, verbose, left: None })
    }

    fn all(&mut self, totals: &Totals) -> Result<(), String> {
        let mut server = self.template.open(&self.vfs, &self.settings).map_err(|e| format!("start: {e}"))?;
        connect(&server).execute("CREATE SEQUENCE s").map_err(|e| e.to_string())?;
        for round in 0..1 + self.rng.below(3) {
            let mut candidates = self.work(&server, totals).map_err(|e| format!("round {round}: {e}"))?;
            if !self.vfs.is_killed() && self.rng.one_in(6) {
                // It may crash at that, too; unlogged tables survive an orderly end only.
                match server.stop() {
                    Ok(()) => candidates = vec![self.committed.clone()],
                    Err(_) if self.vfs.is_killed() => candidates.push(self.committed.clone()),
                    Err(e) => return Err(format!("round {round}: stop: {e}")),
                }
            } else {
                server.abandon();
                candidates = candidates.iter().map(Model::after_crash).collect();
            }
            let report = self.vfs.crash();
            count(&totals.crashes, 1);
            if self.verbose {
                println!("crash: {report:?}");
            }
            server = self.recover(totals, &mut candidates).map_err(|e| format!("round {round}: recovery: {e}"))?;
            self.finish_prepared(&server, &mut candidates).map_err(|e| format!("round {round}: {e}"))?;
            self.verify(&server, &candidates, totals).map_err(|e| format!("round {round}: after the crash: {e}"))?;
        }
        server.abandon();
        Ok(())
    }

    /// Starts the server, which may crash meanwhile.
    fn recover(&mut self, totals: &Totals, candidates: &mut Vec<Model>) -> Result<Embedded, String> {
        for _ in 0..self.rng.below(3) {
            self.vfs.kill_after(1 << self.rng.below(12));
            if let Ok(server) = self.template.open(&self.vfs, &self.settings) {
                server.abandon();
            }
            self.vfs.crash();
            // After an orderly end this is the crash that unlogged tables do not survive.
            candidates.extend(candidates.clone().iter().map(Model::after_crash));
            count(&totals.crashes_in_recovery, 1);
        }
        self.template.open(&self.vfs, &self.settings).map_err(|e| format!("{e} {:?}", e.fields().detail))
    }

    /// Statements until the file system fails or there have been enough. What the database may hold then.
    fn work(&mut self, server: &Embedded, totals: &Totals) -> Result<Vec<Model>, String> {
        let mut sessions = [connect(server), connect(server)].map(Some);
        let mut sides = [Side::new(0), Side::new(1)];
        // Keys of earlier rounds are not used again.
        let last = self.committed.tables.values().filter_map(|t| t.rows.keys().next_back()).max().copied().unwrap_or(0);
        sides.iter_mut().for_each(|s| s.start_after(last, self.rng.next() as u32 >> 12));
        self.vfs.kill_after((1 << (4 + self.rng.below(10))) + self.rng.below(64) as u64);
        for _ in 0..20 + self.rng.below(80) {
            let who = self.turn(&sides);
            let alone = sides[1 - who].block.is_none() && sides[1 - who].prepared.is_none();
            let step = sides[who].step(&mut self.rng, &self.committed, alone);
            count(&totals.statements, 1);
            if self.verbose {
                println!("{who}: {}", step.sql.chars().take(200).collect::<String>());
            }
            let Some(client) = &mut sessions[who] else { continue };
            let answer = client.query(&step.sql);
            let crashed = self.vfs.is_killed() && !matches!(answer, Ok(Ok(_)));
            if crashed {
                self.note_prepared(&mut sides[who], &step.effect);
                let ops = sides[who].succeeded(step.effect, true);
                let mut candidates = vec![self.committed.clone()];
                if !ops.is_empty() {
                    count(&totals.undecided, 1);
                    candidates.push(self.committed.with(&ops));
                }
                return Ok(candidates);
            }
            self.note(&mut sides[who], step, answer, client)?;
        }
        if let Some(prepared) = sides.iter_mut().find_map(|s| s.prepared.take()) {
            self.left = Some((prepared, Left::Prepared));
        }
        Ok(vec![self.committed.after_crash()])
    }

    /// The machine has gone: what is there of a transaction in two phases?
    fn note_prepared(&mut self, side: &mut Side, effect: &Effect) {
        self.left = match (effect, side.prepared.take(), side.block.take()) {
            (Effect::Prepare(gid), _, Some(block)) => {
                Some((Prepared { gid: gid.clone(), ops: block.ops }, Left::Preparing))
            }
            (Effect::Finish(true), Some(p), _) => Some((p, Left::Committing)),
            (Effect::Finish(false), Some(p), _) => Some((p, Left::RollingBack)),
            (_, Some(p), _) => Some((p, Left::Prepared)),
            (_, None, block) => {
                side.block = block;
                None
            }
        };
    }

    /// After recovery a prepared transaction is there, unless its end or its beginning was under way; then it is ended.
    fn finish_prepared(&mut self, server: &Embedded, candidates: &mut Vec<Model>) -> Result<(), String> {
        let mut client = connect(server);
        let found = client.rows("SELECT gid FROM pg_prepared_xacts").map_err(|e| e.to_string())?;
        let Some((prepared, left)) = self.left.take() else {
            return if found.is_empty() { Ok(()) } else { Err(format!("prepared, but unknown: {found:?}")) };
        };
        let gid = &prepared.gid;
        let with = |models: &[Model]| models.iter().map(|m| m.with(&prepared.ops).after_crash()).collect();
        if found.is_empty() {
            match left {
                Left::Prepared => return Err(format!("the prepared transaction {gid} is lost")),
                Left::Committing => *candidates = with(candidates),
                Left::Preparing | Left::RollingBack => {}
            }
            return Ok(());
        }
        if found != [[Some(gid.clone())]] {
            return Err(format!("prepared: {found:?}, not {gid}"));
        }
        let commit = self.rng.one_in(2);
        let sql = format!("{} PREPARED '{gid}'", if commit { "COMMIT" } else { "ROLLBACK" });
        client.execute(&sql).map_err(|e| e.to_string())?;
        if commit {
            *candidates = with(candidates);
        }
        Ok(())
    }

    /// Whose turn it is: who holds strong locks goes on alone.
    fn turn(&mut self, sides: &[Side; 2]) -> usize {
        let exclusive = |s: &Side| s.prepared.is_some() || s.block.as_ref().is_some_and(|b| b.exclusive);
        match (exclusive(&sides[0]), exclusive(&sides[1])) {
            (true, _) => 0,
            (_, true) => 1,
            _ => self.rng.below(2),
        }
    }

    fn note(
        &mut self,
        side: &mut Side,
        step: Step,
        answer: std::io::Result<Result<Vec<testkit::client::StatementResult>, testkit::client::ServerError>>,
        client: &Client,
    ) -> Result<(), String> {
        let shown = || step.sql.chars().take(300).collect::<String>();
        let answer = answer.map_err(|e| format!("{}: {e}", shown()))?;
        match (answer, step.fails) {
            (Err(e), Some(state)) if e.sqlstate() == state => {
                if let Some(block) = &mut side.block {
                    block.failed = true;
                }
            }
            (Err(e), _) => return Err(format!("{}: {e:?}", shown())),
            (Ok(_), Some(state)) => return Err(format!("{} does not fail with {state}", shown())),
            (Ok(results), None) => {
                if let (Effect::NextVal, Some(row)) = (&step.effect, results.first().and_then(|r| r.rows.first())) {
                    let value = row[0].as_ref().and_then(|v| v.parse().ok()).unwrap_or(0);
                    if value <= self.sequence {
                        return Err(format!("nextval gives {value} again"));
                    }
                    // Within a block it is not promised yet.
                    if side.block.is_none() {
                        self.sequence = value;
                    }
                }
                let word = step.sql.split(' ').next().unwrap_or_default();
                let exclusive = matches!(word, "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "REINDEX");
                let ops: Vec<Op> = side.succeeded(step.effect, exclusive);
                ops.iter().for_each(|op| self.committed.apply(op));
                let status = if side.block.is_some() { b'T' } else { b'I' };
                if client.status != status {
                    return Err(format!("{}: transaction status {}", shown(), char::from(client.status)));
                }
            }
        }
        Ok(())
    }

    fn verify(&mut self, server: &Embedded, candidates: &[Model], totals: &Totals) -> Result<(), String> {
        let mut client = connect(server);
        let found = check::database(&mut client, candidates, self.seed.is_multiple_of(8))?;
        self.committed = candidates[found].clone();
        count(&totals.rows, self.committed.tables.values().map(|t| t.rows.len()).sum());
        let value = client.value("SELECT nextval('s')").map_err(|e| e.to_string())?;
        let value = value.parse().unwrap_or(0);
        if value <= self.sequence {
            return Err(format!("nextval gives {value} after {}", self.sequence));
        }
        self.sequence = value;
        let pinned = server.cluster().pool.pinned();
        if pinned > 0 { Err(format!("{pinned} pages are still pinned")) } else { Ok(()) }
    }
}
