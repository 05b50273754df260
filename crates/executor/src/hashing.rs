//! Hashing and equality of keys for hash joins, hash aggregation, DISTINCT and hashed sublinks.
//!
//! Most types are equal exactly if their bits are; those hash without a call. The rest use the operator family's support
//! functions. Integers of different widths and text-like types share their physical form, so they hash alike.

use base::{Oid, PgError, Result};
use hashbrown::HashTable;
use types::oid::*;
use types::{Batch, Column, Datum, DatumRef, Physical, Rows};

use crate::context::ExecContext;
use crate::expr::function::{FuncNode, plain};
use crate::expr::{Compiler, Scope, is_true};
use crate::state::Run;

/// How one key hashes and compares.
pub(crate) enum KeyKind {
    Bits,
    Float4,
    Float8,
    /// Trailing blanks do not count.
    Bpchar,
    Function(Box<FuncNode>),
}

const K: u64 = 0x9E37_79B9_7F4A_7C15;

#[inline]
fn mix(h: u64, w: u64) -> u64 {
    let m = u128::from(h ^ w).wrapping_mul(u128::from(K) | 1 << 64);
    ((m >> 64) as u64 ^ m as u64).wrapping_mul(K).rotate_left(23)
}

#[inline]
fn hash_bytes(mut h: u64, b: &[u8]) -> u64 {
    let mut chunks = b.chunks_exact(8);
    for c in &mut chunks {
        h = mix(h, u64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]));
    }
    let mut last = [0u8; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(h, u64::from_le_bytes(last) ^ (b.len() as u64) << 56)
}

fn trimmed(b: &[u8]) -> &[u8] {
    &b[..b.iter().rposition(|&c| c != b' ').map_or(0, |i| i + 1)]
}

fn float_bits(f: f64) -> u64 {
    if f == 0.0 {
        0
    } else if f.is_nan() {
        f64::NAN.to_bits()
    } else {
        f.to_bits()
    }
}

/// Support functions of hash families whose types are equal if their bits are.
fn hashes_by_bits(prosrc: &str) -> bool {
    matches!(
        prosrc,
        "hashchar"
            | "hashint2"
            | "hashint4"
            | "hashint8"
            | "hashoid"
            | "hashname"
            | "hashbytea"
            | "uuid_hash"
            | "hashenum"
            | "timestamp_hash"
            | "timestamptz_hash"
            | "time_hash"
            | "hashdate"
            | "hashmacaddr"
            | "hashtid"
            | "hashxid"
            | "hashcid"
            | "hashxid8"
            | "hashbool"
            | "pg_lsn_hash"
            | "hash_aclitem"
            | "hashoidvector"
    )
}

/// Hashes rows by some operators' notion of equality.
pub(crate) struct KeyHasher {
    kinds: Vec<KeyKind>,
}

impl KeyHasher {
    /// For equality operators with their collations; the flag chooses the right argument's type.
    pub fn for_operators(cx: &mut ExecContext, keys: &[(Oid, Oid, bool)]) -> Result<KeyHasher> {
        let mut kinds = Vec::with_capacity(keys.len());
        for (op, collation, right) in keys {
            kinds.push(hash_kind(cx, *op, *collation, *right)?);
        }
        Ok(KeyHasher { kinds })
    }
    fn one(&mut self, run: &mut Run<'_>, i: usize, h: u64, v: DatumRef<'_>) -> Result<u64> {
        let fetched;
        let v = if let DatumRef::Toasted(_) = v {
            fetched = plain(run, v)?;
            fetched.as_ref()
        } else {
            v
        };
        Ok(match (&mut self.kinds[i], v) {
            (_, DatumRef::Null) => mix(h, 0x5bd1_e995),
            (KeyKind::Bits, DatumRef::Word(w)) => mix(h, w),
            (KeyKind::Bits, v) => hash_bytes(h, v.as_bytes()),
            (KeyKind::Float4, v) => mix(h, float_bits(f64::from(f32::from_bits(v.word() as u32)))),
            (KeyKind::Float8, v) => mix(h, float_bits(f64::from_bits(v.word()))),
            (KeyKind::Bpchar, v) => hash_bytes(h, trimmed(v.as_bytes())),
            (KeyKind::Function(f), v) => mix(h, f.call(run, &[v])?.as_ref().word()),
        })
    }
    pub fn hash_values(&mut self, run: &mut Run<'_>, values: &[Datum]) -> Result<u64> {
        let mut h = K;
        for (i, v) in values.iter().enumerate() {
            h = self.one(run, i, h, v.as_ref())?;
        }
        Ok(h)
    }
    /// The hashes of the chosen rows, at the rows' places in `out`.
    pub fn hash_rows(
        &mut self,
        run: &mut Run<'_>,
        columns: &[&Column],
        rows: Rows<'_>,
        out: &mut Vec<u64>,
    ) -> Result<()> {
        let n = columns.first().map_or(0, |c| c.len()).max(rows.iter().last().map_or(0, |i| i + 1));
        out.clear();
        out.resize(n, K);
        for (k, c) in columns.iter().enumerate() {
            match (&self.kinds[k], &c.data, &c.validity) {
                (KeyKind::Bits, types::ColumnData::W4(v), None) => {
                    rows.iter().for_each(|i| out[i] = mix(out[i], v[i] as u64))
                }
                (KeyKind::Bits, types::ColumnData::W8(v), None) => {
                    rows.iter().for_each(|i| out[i] = mix(out[i], v[i] as u64))
                }
                _ => {
                    for i in rows.iter() {
                        out[i] = self.one(run, k, out[i], c.get(i))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn hash_kind(cx: &mut ExecContext, op: Oid, collation: Oid, right: bool) -> Result<KeyKind> {
    for m in cx.catalog.operator_memberships(op)?.iter() {
        if m.amopmethod != Oid(405) {
            continue;
        }
        let ty = if right { m.amoprighttype } else { m.amoplefttype };
        let Some(function) = cx.catalog.opfamily_proc(m.amopfamily, ty, ty, 1)? else { continue };
        let proc = cx.catalog.function_row(function)?;
        return Ok(match &*proc.prosrc {
            s if hashes_by_bits(s) => KeyKind::Bits,
            "hashtext" if cx.is_deterministic(collation)? => KeyKind::Bits,
            "hashbpchar" if cx.is_deterministic(collation)? => KeyKind::Bpchar,
            "hashfloat4" => KeyKind::Float4,
            "hashfloat8" => KeyKind::Float8,
            _ => {
                let f = Compiler::new(cx, Scope::empty()).bare_function(function, &[ty], INT4OID, collation)?;
                KeyKind::Function(Box::new(f))
            }
        });
    }
    Err(PgError::internal(format!("could not find hash function for hash operator {op}")))
}

/// Compares key columns for equality; nulls are equal to each other.
pub(crate) struct KeyEq {
    kinds: Vec<KeyKind>,
}

impl KeyEq {
    pub fn for_operators(cx: &mut ExecContext, keys: &[(Oid, Oid)]) -> Result<KeyEq> {
        let mut kinds = Vec::with_capacity(keys.len());
        for (op, collation) in keys {
            let function = cx.operator_function(*op)?;
            let proc = cx.catalog.function_row(function)?;
            let bits = matches!(
                &*proc.prosrc,
                "int4eq"
                    | "int8eq"
                    | "int2eq"
                    | "int48eq"
                    | "int84eq"
                    | "int24eq"
                    | "int42eq"
                    | "int28eq"
                    | "int82eq"
                    | "oideq"
                    | "booleq"
                    | "chareq"
                    | "nameeq"
                    | "byteaeq"
                    | "uuid_eq"
                    | "date_eq"
                    | "timestamp_eq"
                    | "time_eq"
                    | "enum_eq"
                    | "tideq"
                    | "xideq"
                    | "cideq"
                    | "oidvectoreq"
            );
            let text = matches!(&*proc.prosrc, "texteq" | "nameeqtext" | "texteqname");
            kinds.push(match &*proc.prosrc {
                _ if bits || (text && cx.is_deterministic(*collation)?) => KeyKind::Bits,
                "bpchareq" if cx.is_deterministic(*collation)? => KeyKind::Bpchar,
                "float4eq" => KeyKind::Float4,
                "float8eq" => KeyKind::Float8,
                _ => {
                    let op = cx.catalog.operator(*op)?;
                    let types = op.map_or([Oid::INVALID; 2], |o| [o.oprleft, o.oprright]);
                    let f = Compiler::new(cx, Scope::empty()).bare_function(function, &types, BOOLOID, *collation)?;
                    KeyKind::Function(Box::new(f))
                }
            });
        }
        Ok(KeyEq { kinds })
    }

    pub fn equal(&mut self, run: &mut Run<'_>, i: usize, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<bool> {
        if a.is_null() || b.is_null() {
            return Ok(a.is_null() && b.is_null());
        }
        if matches!(a, DatumRef::Toasted(_)) || matches!(b, DatumRef::Toasted(_)) {
            let (a, b) = (plain(run, a)?, plain(run, b)?);
            return self.equal(run, i, a.as_ref(), b.as_ref());
        }
        let f32_of = |d: DatumRef<'_>| f64::from(f32::from_bits(d.word() as u32));
        Ok(match &mut self.kinds[i] {
            KeyKind::Bits => a == b,
            KeyKind::Float4 => types::compare::compare_f64(f32_of(a), f32_of(b)).is_eq(),
            KeyKind::Float8 => types::compare::compare_f64(f64::from_bits(a.word()), f64::from_bits(b.word())).is_eq(),
            KeyKind::Bpchar => trimmed(a.as_bytes()) == trimmed(b.as_bytes()),
            KeyKind::Function(f) => is_true(f.call(run, &[a, b])?.as_ref()),
        })
    }
    /// Whether two rows agree in all keys.
    pub fn rows_equal(
        &mut self,
        run: &mut Run<'_>,
        a: &[&Column],
        row_a: usize,
        b: &[&Column],
        row_b: usize,
    ) -> Result<bool> {
        for i in 0..a.len() {
            if !self.equal(run, i, a[i].get(row_a), b[i].get(row_b))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Distinct keys, numbered in the order of their arrival.
pub(crate) struct GroupTable {
    pub keys: Vec<Column>,
    hashes: Vec<u64>,
    table: HashTable<u32>,
    hasher: KeyHasher,
    eq: KeyEq,
    scratch: Vec<u64>,
}

impl GroupTable {
    pub fn new(physical: &[Physical], hasher: KeyHasher, eq: KeyEq) -> GroupTable {
        GroupTable {
            keys: physical.iter().map(|p| Column::new(*p)).collect(),
            hashes: Vec::new(),
            table: HashTable::new(),
            hasher,
            eq,
            scratch: Vec::new(),
        }
    }
    pub fn len(&self) -> usize {
        self.hashes.len()
    }
    pub fn clear(&mut self) {
        self.keys.iter_mut().for_each(Column::clear);
        self.hashes.clear();
        self.table.clear();
    }
    pub fn memory(&self) -> usize {
        self.keys.iter().map(Column::memory).sum::<usize>() + self.hashes.capacity() * 8 + self.table.capacity() * 5
    }
    /// The group number of each chosen row, at the row's place in `out`; new keys make new groups.
    pub fn assign(&mut self, run: &mut Run<'_>, columns: &[&Column], rows: Rows<'_>, out: &mut Vec<u32>) -> Result<()> {
        self.find(run, columns, rows, out, true)
    }
    /// The hashes of the rows that were looked for last, at the rows' places.
    pub fn last_hashes(&self) -> &[u64] {
        &self.scratch
    }
    /// As `assign`, but unknown keys get `u32::MAX`.
    pub fn lookup(&mut self, run: &mut Run<'_>, columns: &[&Column], rows: Rows<'_>, out: &mut Vec<u32>) -> Result<()> {
        self.find(run, columns, rows, out, false)
    }
    fn find(
        &mut self,
        run: &mut Run<'_>,
        columns: &[&Column],
        rows: Rows<'_>,
        out: &mut Vec<u32>,
        add: bool,
    ) -> Result<()> {
        let mut hashes = std::mem::take(&mut self.scratch);
        self.hasher.hash_rows(run, columns, rows, &mut hashes)?;
        out.clear();
        out.resize(hashes.len(), u32::MAX);
        let mut failed = None;
        for i in rows.iter() {
            let hash = hashes[i];
            let (keys, known, eq) = (&self.keys, &self.hashes, &mut self.eq);
            let found = self.table.find(hash, |&g| {
                known[g as usize] == hash
                    && columns.iter().enumerate().all(|(k, c)| {
                        match eq.equal(run, k, keys[k].get(g as usize), c.get(i)) {
                            Ok(b) => b,
                            Err(e) => {
                                failed = Some(e);
                                false
                            }
                        }
                    })
            });
            if let Some(e) = failed {
                return Err(e);
            }
            out[i] = match found {
                Some(g) => *g,
                None if !add => continue,
                None => {
                    let g = self.hashes.len() as u32;
                    for (k, c) in columns.iter().enumerate() {
                        let v = c.get(i);
                        match v {
                            DatumRef::Toasted(_) => self.keys[k].push(plain(run, v)?.as_ref()),
                            v => self.keys[k].push(v),
                        }
                    }
                    self.hashes.push(hash);
                    let hashes = &self.hashes;
                    self.table.insert_unique(hash, g, |&g| hashes[g as usize]);
                    g
                }
            };
        }
        self.scratch = hashes;
        Ok(())
    }
}

/// The named columns of a batch.
pub(crate) fn columns_of<'a>(batch: &'a Batch, numbers: &[usize]) -> Vec<&'a Column> {
    numbers.iter().map(|i| &*batch.columns[*i]).collect()
}
