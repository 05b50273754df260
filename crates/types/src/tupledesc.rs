//! What the columns of a row are. (PostgreSQL: `TupleDesc`, `pg_attribute`)

use base::Oid;

use crate::column::{Column, Physical};
use crate::datum::Datum;

/// How values are aligned on a page. (PostgreSQL: `typalign`)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Align {
    Char = 1,
    Short = 2,
    Int = 4,
    Double = 8,
}

impl Align {
    pub fn from_char(c: u8) -> Align {
        match c {
            b's' => Align::Short,
            b'i' => Align::Int,
            b'd' => Align::Double,
            _ => Align::Char,
        }
    }
    pub fn to_char(self) -> u8 {
        match self {
            Align::Char => b'c',
            Align::Short => b's',
            Align::Int => b'i',
            Align::Double => b'd',
        }
    }
    /// The next aligned offset at or after `offset`.
    #[inline]
    pub fn up(self, offset: usize) -> usize {
        let a = self as usize;
        (offset + a - 1) & !(a - 1)
    }
}

/// One column. (PostgreSQL: `pg_attribute`)
#[derive(Clone, PartialEq, Debug)]
pub struct Attribute {
    pub name: Box<str>,
    pub type_oid: Oid,
    pub typmod: i32,
    /// Bytes of a fixed-length type; -1 varlena, -2 cstring.
    pub len: i16,
    pub byval: bool,
    pub align: Align,
    /// `p`lain, `e`xternal, e`x`tended, `m`ain. (PostgreSQL: `attstorage`)
    pub storage: u8,
    /// `p`glz, `l`z4, or 0: the default. (PostgreSQL: `attcompression`)
    pub compression: u8,
    pub collation: Oid,
    pub not_null: bool,
    pub has_default: bool,
    pub dropped: bool,
    /// `a`lways, by `d`efault, or 0. (PostgreSQL: `attidentity`)
    pub identity: u8,
    /// `s`tored, `v`irtual, or 0. (PostgreSQL: `attgenerated`)
    pub generated: u8,
    pub ndims: i16,
    /// Whether it comes only from parents. (PostgreSQL: `attislocal`, `attinhcount`)
    pub is_local: bool,
    pub inhcount: i16,
    /// What rows that end before this column hold. (PostgreSQL: `attmissingval`)
    pub missing: Option<Datum>,
}

impl Attribute {
    /// A column of a built-in's physical shape; the rest as for a plain nullable column.
    pub fn new(name: &str, type_oid: Oid, len: i16, byval: bool, align: Align) -> Attribute {
        Attribute {
            name: name.into(),
            type_oid,
            typmod: -1,
            len,
            byval,
            align,
            storage: if len == -1 { b'x' } else { b'p' },
            compression: 0,
            collation: Oid::INVALID,
            not_null: false,
            has_default: false,
            dropped: false,
            identity: 0,
            generated: 0,
            ndims: 0,
            is_local: true,
            inhcount: 0,
            missing: None,
        }
    }
    pub fn physical(&self) -> Physical {
        Physical::of(self.len, self.byval)
    }
    /// Whether values are 64-byte names, held without their padding. (PostgreSQL: `name` and domains over it)
    pub fn is_name(&self) -> bool {
        self.len == 64 && !self.byval
    }
}

/// The columns of a row, dropped ones included: column number `n` (from 1) is `attrs[n - 1]`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TupleDesc {
    pub attrs: Vec<Attribute>,
    /// The composite type; `record` (2249) for an anonymous row.
    pub type_oid: Oid,
    pub typmod: i32,
}

impl TupleDesc {
    pub fn new(attrs: Vec<Attribute>) -> TupleDesc {
        TupleDesc { attrs, type_oid: crate::oid::RECORDOID, typmod: -1 }
    }
    pub fn len(&self) -> usize {
        self.attrs.len()
    }
    pub fn is_empty(&self) -> bool {
        self.attrs.is_empty()
    }
    /// The number (from 1) of the live column of that name.
    pub fn find(&self, name: &str) -> Option<i16> {
        let i = self.attrs.iter().position(|a| !a.dropped && &*a.name == name)?;
        Some(i as i16 + 1)
    }
    /// Empty columns, one an attribute.
    pub fn columns(&self) -> Vec<Column> {
        self.attrs.iter().map(|a| Column::new(a.physical())).collect()
    }
}
