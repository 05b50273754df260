//! Random statements of two sessions that never wait for each other: even keys belong to one, odd keys to the other; tables are
//! created, altered and dropped only while the other is outside a transaction.

use super::model::{INDEXES, Model, Op, Rng, Row, Text};

/// A session's side of the workload.
pub struct Side {
    parity: i32,
    next_key: i32,
    names: u32,
    /// In a transaction block: what it has done so far.
    pub block: Option<Block>,
    /// A prepared transaction that it has yet to end.
    pub prepared: Option<Prepared>,
}

pub struct Prepared {
    pub gid: String,
    pub ops: Vec<Op>,
}

pub struct Block {
    pub ops: Vec<Op>,
    savepoints: Vec<(String, usize)>,
    pub failed: bool,
    /// It holds strong locks.
    pub exclusive: bool,
}

/// What a statement does when it succeeds.
pub enum Effect {
    /// Changes data, within the block or, outside one, at once.
    Change(Vec<Op>),
    Begin,
    Commit,
    Rollback,
    Prepare(String),
    /// COMMIT PREPARED, or ROLLBACK PREPARED.
    Finish(bool),
    Savepoint(String),
    RollbackTo(usize),
    Release(usize),
    NextVal,
}

pub struct Step {
    pub sql: String,
    pub effect: Effect,
    /// The error it must give.
    pub fails: Option<&'static str>,
}

fn step(sql: impl Into<String>, ops: Vec<Op>) -> Step {
    Step { sql: sql.into(), effect: Effect::Change(ops), fails: None }
}

fn literal(text: Option<Text>) -> String {
    text.map_or("NULL".into(), |t| format!("'{}'", t.text()))
}

fn number(v: Option<i32>) -> String {
    v.map_or("NULL".into(), |v| v.to_string())
}

fn row(rng: &mut Rng) -> Row {
    let v = if rng.one_in(15) { None } else { Some(rng.below(100) as i32) };
    Row { v, t: if rng.one_in(10) { None } else { Some(Text::random(rng)) } }
}

impl Side {
    pub fn new(parity: i32) -> Side {
        Side { parity, next_key: parity, names: 0, block: None, prepared: None }
    }

    /// Keys and names that no earlier round used.
    pub fn start_after(&mut self, key: i32, names: u32) {
        self.next_key = (key / 2 + 1) * 2 + self.parity;
        self.names = names;
    }

    /// The next statement. `alone`: the other session is outside a transaction.
    pub fn step(&mut self, rng: &mut Rng, committed: &Model, alone: bool) -> Step {
        if let Some(prepared) = &self.prepared {
            let commit = rng.below(4) > 0;
            let sql = format!("{} PREPARED '{}'", if commit { "COMMIT" } else { "ROLLBACK" }, prepared.gid);
            return Step { sql, effect: Effect::Finish(commit), fails: None };
        }
        if let Some(block) = &self.block {
            if block.failed {
                let back = block.savepoints.len();
                return match back > 0 && rng.below(3) > 0 {
                    true => self.rollback_to(rng),
                    false => Step { sql: "ROLLBACK".into(), effect: Effect::Rollback, fails: None },
                };
            }
            match rng.below(30) {
                0 if rng.one_in(2) => {
                    self.names += 1;
                    let gid = format!("g{}_{}", self.parity, self.names);
                    return Step {
                        sql: format!("PREPARE TRANSACTION '{gid}'"),
                        effect: Effect::Prepare(gid),
                        fails: None,
                    };
                }
                0..=3 => return Step { sql: "COMMIT".into(), effect: Effect::Commit, fails: None },
                4 => return Step { sql: "ROLLBACK".into(), effect: Effect::Rollback, fails: None },
                5 | 6 => return self.savepoint(),
                7 if !block.savepoints.is_empty() => return self.rollback_to(rng),
                8 if !block.savepoints.is_empty() => return self.release(rng),
                _ => {}
            }
        } else if rng.one_in(4) {
            return Step { sql: "BEGIN".into(), effect: Effect::Begin, fails: None };
        }
        let view = self.block.as_ref().map_or_else(|| committed.clone(), |b| committed.with(&b.ops));
        let outside = self.block.is_none();
        match rng.below(100) {
            0..=7 if alone => self.ddl(rng, &view),
            8..=11 if outside => maintenance(rng, &view),
            12 => step("CHECKPOINT", Vec::new()),
            13 => Step { sql: "SELECT nextval('s')".into(), effect: Effect::NextVal, fails: None },
            _ => self.dml(rng, &view),
        }
    }

    fn savepoint(&mut self) -> Step {
        self.names += 1;
        let name = format!("s{}", self.names);
        Step { sql: format!("SAVEPOINT {name}"), effect: Effect::Savepoint(name), fails: None }
    }
    fn some_savepoint(&self, rng: &mut Rng) -> (usize, String) {
        let names: Vec<&String> = self.block.iter().flat_map(|b| b.savepoints.iter().map(|(n, _)| n)).collect();
        let at = rng.below(names.len());
        (at, names[at].clone())
    }
    fn rollback_to(&mut self, rng: &mut Rng) -> Step {
        let (at, name) = self.some_savepoint(rng);
        Step { sql: format!("ROLLBACK TO {name}"), effect: Effect::RollbackTo(at), fails: None }
    }
    fn release(&mut self, rng: &mut Rng) -> Step {
        let (at, name) = self.some_savepoint(rng);
        Step { sql: format!("RELEASE {name}"), effect: Effect::Release(at), fails: None }
    }

    fn ddl(&mut self, rng: &mut Rng, view: &Model) -> Step {
        self.names += 1;
        let new = format!("n{}_{}", self.parity, self.names);
        let tables: Vec<&String> = view.tables.keys().collect();
        let Some(&name) = rng.pick(&tables) else { return create(rng, new) };
        let table = &view.tables[name];
        match rng.below(12) {
            0 | 1 if tables.len() < 5 => create(rng, new),
            2 if tables.len() > 1 => step(format!("DROP TABLE {name}"), vec![Op::Drop(name.clone())]),
            3 => step(format!("TRUNCATE {name}"), vec![Op::Truncate(name.clone())]),
            4 => step(format!("ALTER TABLE {name} RENAME TO {new}"), vec![Op::Rename(name.clone(), new)]),
            5 if table.added.len() < 4 => {
                let (n, default) = (table.added.len(), rng.below(1000) as i32);
                let sql = format!("ALTER TABLE {name} ADD COLUMN c{n} int DEFAULT {default}");
                step(sql, vec![Op::AddColumn(name.clone(), default)])
            }
            6 if !table.indexes.is_empty() => {
                let names: Vec<&String> = table.indexes.keys().collect();
                let index = names[rng.below(names.len())];
                step(format!("DROP INDEX {index}"), vec![Op::DropIndex(name.clone(), index.clone())])
            }
            7 if tables.len() < 5 => {
                let sql = format!(
                    "CREATE TABLE {new} (k, v, t) AS SELECT k, v, t FROM {name}; ALTER TABLE {new} ADD PRIMARY KEY (k)"
                );
                let mut ops = vec![Op::Create(new.clone(), false)];
                ops.extend(table.rows.iter().map(|(k, r)| Op::Put(new.clone(), *k, r.clone())));
                step(sql, ops)
            }
            8 => step(format!("REINDEX TABLE {name}"), Vec::new()),
            _ => {
                let index = INDEXES[rng.below(INDEXES.len())];
                let predicate =
                    if index.predicate.is_empty() { String::new() } else { format!(" WHERE {}", index.predicate) };
                let unique = if index.unique { "UNIQUE " } else { "" };
                let sql = format!("CREATE {unique}INDEX {new} ON {name} ({}){predicate}", index.columns);
                step(sql, vec![Op::CreateIndex(name.clone(), new, index)])
            }
        }
    }

    fn dml(&mut self, rng: &mut Rng, view: &Model) -> Step {
        let tables: Vec<&String> = view.tables.keys().collect();
        let Some(&name) = rng.pick(&tables) else { return step("SELECT 1", Vec::new()) };
        let table = &view.tables[name];
        let p = self.parity;
        let mine: Vec<i32> = table.rows.keys().copied().filter(|k| k.rem_euclid(2) == p).collect();
        let Some(&key) = rng.pick(&mine) else { return self.insert(rng, name) };
        match rng.below(20) {
            0..=5 => self.insert(rng, name),
            6 => self.insert_many(rng, name),
            7 => Step {
                sql: format!("INSERT INTO {name} VALUES ({}, 1, 'x'), ({key}, 1, 'twice')", self.next_key + 2000),
                effect: Effect::Change(Vec::new()),
                fails: Some("23505"),
            },
            8 => {
                let new = row(rng);
                let sql = format!(
                    "INSERT INTO {name} (k, v, t) VALUES ({key}, {}, {}) ON CONFLICT (k) DO UPDATE SET v = excluded.v, t = excluded.t",
                    number(new.v),
                    literal(new.t)
                );
                step(sql, vec![Op::Put(name.clone(), key, new)])
            }
            9 | 10 => {
                let last = key + 2 * rng.below(30) as i32;
                let sql = format!("DELETE FROM {name} WHERE k BETWEEN {key} AND {last} AND k % 2 = {p}");
                let gone = mine.iter().filter(|k| (key..=last).contains(*k));
                step(sql, gone.map(|k| Op::Delete(name.clone(), *k)).collect())
            }
            11 => {
                let last = key + 2 * rng.below(60) as i32;
                let sql = format!("UPDATE {name} SET v = v + 1 WHERE k BETWEEN {key} AND {last} AND k % 2 = {p}");
                let changed = table.rows.range(key..=last).filter(|(k, _)| k.rem_euclid(2) == p);
                let ops = changed.map(|(k, r)| Op::Put(name.clone(), *k, Row { v: r.v.map(|v| v + 1), ..r.clone() }));
                step(sql, ops.collect())
            }
            12..=14 => {
                let new = row(rng);
                let sql = format!("UPDATE {name} SET v = {}, t = {} WHERE k = {key}", number(new.v), literal(new.t));
                step(sql, vec![Op::Put(name.clone(), key, new)])
            }
            15 | 16 => {
                // Leaves indexed columns alone, unless there is an index on the length.
                let t = Some(Text::random(rng));
                let new = Row { t, ..table.rows[&key].clone() };
                let sql = format!("UPDATE {name} SET t = {} WHERE k = {key}", literal(t));
                step(sql, vec![Op::Put(name.clone(), key, new)])
            }
            17 => {
                let to = self.fresh_key(1);
                let ops = vec![Op::Delete(name.clone(), key), Op::Put(name.clone(), to, table.rows[&key].clone())];
                step(format!("UPDATE {name} SET k = {to} WHERE k = {key}"), ops)
            }
            18 => step(format!("SELECT * FROM {name} WHERE k % 2 = {p} AND k <= {key} FOR UPDATE"), Vec::new()),
            _ => step(format!("SELECT * FROM {name} WHERE k = {key} FOR SHARE"), Vec::new()),
        }
    }

    fn fresh_key(&mut self, count: i32) -> i32 {
        let key = self.next_key;
        self.next_key += 2 * count;
        key
    }
    fn insert(&mut self, rng: &mut Rng, name: &str) -> Step {
        let (key, new) = (self.fresh_key(1), row(rng));
        let sql = format!("INSERT INTO {name} (k, v, t) VALUES ({key}, {}, {})", number(new.v), literal(new.t));
        step(sql, vec![Op::Put(name.into(), key, new)])
    }
    /// Enough for page splits.
    fn insert_many(&mut self, rng: &mut Rng, name: &str) -> Step {
        let most = if rng.one_in(4) { 400 } else { 60 };
        let n = 10 + rng.below(most) as i32;
        let first = self.fresh_key(n);
        let factor = 1 + rng.below(90) as i32;
        let sql = format!(
            "INSERT INTO {name} (k, v) SELECT {first} + 2 * n, n * {factor} % 97 FROM generate_series(0, {}) n",
            n - 1
        );
        let ops = (0..n).map(|i| Op::Put(name.into(), first + 2 * i, Row { v: Some(i * factor % 97), t: None }));
        step(sql, ops.collect())
    }

    /// Takes note that a statement succeeded; gives back what is committed by it.
    pub fn succeeded(&mut self, effect: Effect, exclusive: bool) -> Vec<Op> {
        if let Effect::Finish(commit) = effect {
            return self.prepared.take().filter(|_| commit).map(|p| p.ops).unwrap_or_default();
        }
        if let Effect::Prepare(gid) = effect {
            self.prepared = self.block.take().map(|b| Prepared { gid, ops: b.ops });
            return Vec::new();
        }
        let Some(block) = &mut self.block else {
            return match effect {
                Effect::Change(ops) => ops,
                Effect::Begin => {
                    let (ops, savepoints) = (Vec::new(), Vec::new());
                    self.block = Some(Block { ops, savepoints, failed: false, exclusive: false });
                    Vec::new()
                }
                _ => Vec::new(),
            };
        };
        match effect {
            Effect::Change(ops) => {
                block.ops.extend(ops);
                block.exclusive |= exclusive;
            }
            Effect::Commit => return self.block.take().map(|b| b.ops).unwrap_or_default(),
            Effect::Rollback => self.block = None,
            Effect::Savepoint(name) => block.savepoints.push((name, block.ops.len())),
            Effect::RollbackTo(at) => {
                block.ops.truncate(block.savepoints[at].1);
                block.savepoints.truncate(at + 1);
                block.failed = false;
            }
            Effect::Release(at) => block.savepoints.truncate(at),
            Effect::Begin | Effect::NextVal | Effect::Prepare(_) | Effect::Finish(_) => {}
        }
        Vec::new()
    }
}

fn create(rng: &mut Rng, name: String) -> Step {
    let unlogged = rng.one_in(8);
    let kind = if unlogged { "UNLOGGED " } else { "" };
    step(format!("CREATE {kind}TABLE {name} (k int PRIMARY KEY, v int, t text)"), vec![Op::Create(name, unlogged)])
}

/// What runs in transactions of its own.
fn maintenance(rng: &mut Rng, view: &Model) -> Step {
    let tables: Vec<&String> = view.tables.keys().collect();
    let Some(&name) = rng.pick(&tables) else { return step("VACUUM pg_class", Vec::new()) };
    let sql = match rng.below(8) {
        0 => format!("VACUUM (FREEZE) {name}"),
        1 => format!("VACUUM (ANALYZE) {name}"),
        2 => format!("ANALYZE {name}"),
        3 => format!("VACUUM {}", ["pg_class", "pg_attribute", "pg_depend", "pg_type"][rng.below(4)]),
        _ => format!("VACUUM {name}"),
    };
    step(sql, Vec::new())
}
