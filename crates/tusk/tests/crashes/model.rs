//! What the database should hold: tables as ordered maps, and the operations that statements stand for.

use std::collections::BTreeMap;

/// A random number generator that only its seed decides. (SplitMix64)
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 11) as usize % n.max(1)
    }
    /// True once in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())) }
    }
}

/// A text by its length and a number: long ones are not kept as such.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text {
    pub seed: u64,
    pub len: usize,
}

impl Text {
    pub fn random(rng: &mut Rng) -> Text {
        let len = match rng.below(40) {
            0 => 20_000 + rng.below(20_000),
            1..=3 => 1900 + rng.below(6000),
            _ => rng.below(90),
        };
        Text { seed: rng.next(), len }
    }
    /// Does not compress well.
    pub fn text(self) -> String {
        const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-";
        let mut rng = Rng(self.seed);
        let mut text = String::with_capacity(self.len);
        let mut bits = 0;
        for i in 0..self.len {
            if i % 10 == 0 {
                bits = rng.next();
            }
            text.push(char::from(LETTERS[(bits & 63) as usize]));
            bits >>= 6;
        }
        text
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub v: Option<i32>,
    pub t: Option<Text>,
}

/// An index's columns and predicate, as its definition and the query that must use it have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Index {
    pub unique: bool,
    pub columns: &'static str,
    pub predicate: &'static str,
}

pub const INDEXES: &[Index] = &[
    Index { unique: false, columns: "v", predicate: "" },
    Index { unique: true, columns: "k", predicate: "" },
    Index { unique: true, columns: "v, k", predicate: "" },
    Index { unique: false, columns: "k DESC, v", predicate: "" },
    Index { unique: false, columns: "v", predicate: "v > 50" },
    Index { unique: false, columns: "(v % 7)", predicate: "" },
    Index { unique: false, columns: "(length(t)), k", predicate: "" },
];

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    pub rows: BTreeMap<i32, Row>,
    /// By name, besides the primary key.
    pub indexes: BTreeMap<String, Index>,
    /// Columns added later hold their default everywhere.
    pub added: Vec<i32>,
    pub unlogged: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    Put(String, i32, Row),
    Delete(String, i32),
    Truncate(String),
    Create(String, bool),
    Drop(String),
    Rename(String, String),
    AddColumn(String, i32),
    CreateIndex(String, String, Index),
    DropIndex(String, String),
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Model {
    pub tables: BTreeMap<String, Table>,
}

impl Model {
    pub fn apply(&mut self, op: &Op) {
        let mut table = |name: &str, change: &mut dyn FnMut(&mut Table)| {
            change(self.tables.get_mut(name).expect("the workload names tables that are there"));
        };
        match op {
            Op::Put(name, k, row) => table(name, &mut |t| _ = t.rows.insert(*k, row.clone())),
            Op::Delete(name, k) => table(name, &mut |t| _ = t.rows.remove(k)),
            Op::Truncate(name) => table(name, &mut |t| t.rows.clear()),
            Op::Create(name, unlogged) => {
                self.tables.insert(name.clone(), Table { unlogged: *unlogged, ..Table::default() });
            }
            Op::Drop(name) => _ = self.tables.remove(name),
            Op::Rename(from, to) => {
                if let Some(t) = self.tables.remove(from) {
                    self.tables.insert(to.clone(), t);
                }
            }
            Op::AddColumn(name, default) => table(name, &mut |t| t.added.push(*default)),
            Op::CreateIndex(name, index, i) => table(name, &mut |t| _ = t.indexes.insert(index.clone(), *i)),
            Op::DropIndex(name, index) => table(name, &mut |t| _ = t.indexes.remove(index)),
        }
    }
    pub fn with(&self, ops: &[Op]) -> Model {
        let mut model = self.clone();
        ops.iter().for_each(|op| model.apply(op));
        model
    }
    /// What a crash leaves of it.
    pub fn after_crash(&self) -> Model {
        let mut model = self.clone();
        model.tables.values_mut().filter(|t| t.unlogged).for_each(|t| t.rows.clear());
        model
    }
}
