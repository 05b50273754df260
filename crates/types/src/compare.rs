//! Orders: one comparator for btree, sort, merge join, min/max. Built-in types compare without a function call.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use base::{Oid, Result};

use crate::convert::Word;
use crate::datum::DatumRef;
use crate::registry::Registry;

pub type CompareFn = Arc<dyn Fn(DatumRef<'_>, DatumRef<'_>) -> Result<Ordering> + Send + Sync>;

/// How two non-null values compare. (PostgreSQL: btree support function 1)
#[derive(Clone)]
pub enum Comparator {
    Bool,
    Char,
    Int2,
    Int4,
    Int8,
    /// Signed integers of different widths: their words are sign-extended already. (PostgreSQL: `btint48cmp`, ...)
    Integer,
    Oid,
    /// 64 bits without a sign: `xid8`, `pg_lsn`.
    Unsigned,
    Float4,
    Float8,
    /// `float4` with `float8`, `float8` with `float4`. (PostgreSQL: `btfloat48cmp`, `btfloat84cmp`)
    Float48,
    Float84,
    Tid,
    /// Bytewise: text under C-like collations, bytea, name, uuid.
    Bytes,
    /// Bytewise without trailing blanks: `bpchar`.
    Bpchar,
    /// A built-in's order that needs no context.
    Plain(fn(&[u8], &[u8]) -> Ordering),
    /// Anything else: arrays, records, other collations, users' functions.
    Function(CompareFn),
}

impl fmt::Debug for Comparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Comparator::Bool => "Bool",
            Comparator::Char => "Char",
            Comparator::Int2 => "Int2",
            Comparator::Int4 => "Int4",
            Comparator::Int8 => "Int8",
            Comparator::Integer => "Integer",
            Comparator::Oid => "Oid",
            Comparator::Unsigned => "Unsigned",
            Comparator::Float4 => "Float4",
            Comparator::Float8 => "Float8",
            Comparator::Float48 => "Float48",
            Comparator::Float84 => "Float84",
            Comparator::Tid => "Tid",
            Comparator::Bytes => "Bytes",
            Comparator::Bpchar => "Bpchar",
            Comparator::Plain(_) => "Plain",
            Comparator::Function(_) => "Function",
        };
        f.write_str(name)
    }
}

/// NaN is equal to itself and greater than everything else.
pub fn compare_f64(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn f32_of(d: DatumRef<'_>) -> f64 {
    f64::from(f32::from_word(d.word()))
}

fn without_trailing_blanks(b: &[u8]) -> &[u8] {
    let end = b.iter().rposition(|&c| c != b' ').map_or(0, |i| i + 1);
    &b[..end]
}

impl Comparator {
    /// The comparator for a btree support function of a built-in operator class, by its `prosrc`; `None` where it needs a
    /// context (arrays, records, collations that are not bytewise): the caller makes a [`Comparator::Function`] then.
    pub fn builtin(prosrc: &str, bytewise_collation: bool, registry: &Registry) -> Option<Comparator> {
        Some(match prosrc {
            "btboolcmp" => Comparator::Bool,
            "btcharcmp" => Comparator::Char,
            "btint2cmp" => Comparator::Int2,
            "btint4cmp" | "date_cmp" => Comparator::Int4,
            "btint8cmp" | "timestamp_cmp" | "time_cmp" | "cash_cmp" => Comparator::Int8,
            "btint24cmp" | "btint42cmp" | "btint28cmp" | "btint82cmp" | "btint48cmp" | "btint84cmp" => {
                Comparator::Integer
            }
            "btoidcmp" => Comparator::Oid,
            "xid8cmp" | "pg_lsn_cmp" => Comparator::Unsigned,
            "btfloat4cmp" => Comparator::Float4,
            "btfloat8cmp" => Comparator::Float8,
            "btfloat48cmp" => Comparator::Float48,
            "btfloat84cmp" => Comparator::Float84,
            "bttidcmp" => Comparator::Tid,
            "byteacmp" | "uuid_cmp" | "bttext_pattern_cmp" => Comparator::Bytes,
            "bttextcmp" | "btnamecmp" | "btnametextcmp" | "bttextnamecmp" if bytewise_collation => Comparator::Bytes,
            "bpcharcmp" if bytewise_collation => Comparator::Bpchar,
            "btbpchar_pattern_cmp" => Comparator::Bpchar,
            _ => Comparator::Plain(registry.order(prosrc)?.cmp),
        })
    }

    /// Compares two values, neither of them null nor toasted.
    #[inline]
    pub fn compare(&self, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Ordering> {
        Ok(match self {
            Comparator::Int4 => i32::from_word(a.word()).cmp(&i32::from_word(b.word())),
            Comparator::Int8 | Comparator::Integer => i64::from_word(a.word()).cmp(&i64::from_word(b.word())),
            Comparator::Oid => Oid::from_word(a.word()).cmp(&Oid::from_word(b.word())),
            Comparator::Unsigned => a.word().cmp(&b.word()),
            Comparator::Bytes => a.as_bytes().cmp(b.as_bytes()),
            Comparator::Bool | Comparator::Char => (a.word() as u8).cmp(&(b.word() as u8)),
            Comparator::Int2 => i16::from_word(a.word()).cmp(&i16::from_word(b.word())),
            Comparator::Float4 => compare_f64(f32_of(a), f32_of(b)),
            Comparator::Float8 => compare_f64(f64::from_word(a.word()), f64::from_word(b.word())),
            Comparator::Float48 => compare_f64(f32_of(a), f64::from_word(b.word())),
            Comparator::Float84 => compare_f64(f64::from_word(a.word()), f32_of(b)),
            Comparator::Tid => {
                let key = |b: &[u8]| <[u8; 6]>::try_from(b).map(base::TupleId::from_bytes).ok();
                key(a.as_bytes()).cmp(&key(b.as_bytes()))
            }
            Comparator::Bpchar => without_trailing_blanks(a.as_bytes()).cmp(without_trailing_blanks(b.as_bytes())),
            Comparator::Plain(cmp) => cmp(a.as_bytes(), b.as_bytes()),
            Comparator::Function(f) => return f(a, b),
        })
    }
}

/// A comparator with its direction: one column of an ORDER BY or of an index. (PostgreSQL: `SortSupport`)
#[derive(Clone, Debug)]
pub struct SortKey {
    pub comparator: Comparator,
    pub descending: bool,
    pub nulls_first: bool,
}

impl SortKey {
    pub fn ascending(comparator: Comparator) -> SortKey {
        SortKey { comparator, descending: false, nulls_first: false }
    }
    /// Compares two values in the key's direction; nulls are equal to each other.
    #[inline]
    pub fn compare(&self, a: DatumRef<'_>, b: DatumRef<'_>) -> Result<Ordering> {
        match (a.is_null(), b.is_null()) {
            (false, false) => {
                let order = self.comparator.compare(a, b)?;
                Ok(if self.descending { order.reverse() } else { order })
            }
            (true, true) => Ok(Ordering::Equal),
            (true, false) => Ok(if self.nulls_first { Ordering::Less } else { Ordering::Greater }),
            (false, true) => Ok(if self.nulls_first { Ordering::Greater } else { Ordering::Less }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datum::Datum;

    #[test]
    fn orders() {
        let check = |c: Comparator, a: Datum, b: Datum, expected: Ordering| {
            assert_eq!(c.compare(a.as_ref(), b.as_ref()).unwrap(), expected, "{c:?} {a:?} {b:?}");
        };
        check(Comparator::Int4, Datum::i32(-1), Datum::i32(1), Ordering::Less);
        check(Comparator::Oid, Datum::oid(Oid(u32::MAX)), Datum::oid(Oid(1)), Ordering::Greater);
        check(Comparator::Integer, Datum::i16(-5), Datum::i64(-5), Ordering::Equal);
        let f = |v: f64| Datum::Word(v.to_bits());
        check(Comparator::Float8, f(f64::NAN), f(f64::INFINITY), Ordering::Greater);
        check(Comparator::Float8, f(0.0), f(-0.0), Ordering::Equal);
        check(Comparator::Bpchar, Datum::text("a  "), Datum::text("a"), Ordering::Equal);
    }
}
