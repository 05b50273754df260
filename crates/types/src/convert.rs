//! Between datums and Rust values: what a built-in's argument and result types may be.
//!
//! | Rust | SQL types |
//! | --- | --- |
//! | `bool`, `u8`, `i16`, `i32`, `i64`, `f32`, `f64`, `Oid` | by-value types of that width (`i32` also `date`, `i64` also `timestamp`, ...) |
//! | `Xid`, `CommandId`, `FullXid`, `Lsn`, `TupleId` | `xid`, `cid`, `xid8`, `pg_lsn`, `tid` |
//! | `&str`, `String` | text family, `name`, `cstring` (valid UTF-8 or the server encoding's bytes were checked on input) |
//! | `&[u8]`, `Vec<u8>`, `Bytes` | any by-reference type's bytes |
//! | `DatumRef`, `Datum` | anything, also null |
//! | `Option<T>` | `T` or null; an argument that is not an `Option` (or `DatumRef`) makes the function strict |

use base::sqlstate::DATA_CORRUPTED;
use base::{CommandId, FullXid, Lsn, Oid, PgError, Result, TupleId, Xid};

use crate::datum::{Bytes, Datum, DatumRef};

/// An argument of a built-in.
pub trait FromDatum<'a>: Sized {
    /// Whether a null reaches the function.
    const ACCEPTS_NULL: bool = false;
    fn from_datum(d: DatumRef<'a>) -> Result<Self>;
}

/// A result of a built-in.
pub trait IntoDatum {
    fn into_datum(self) -> Datum;
}

/// By-value types: conversions that cannot fail, for batch kernels.
pub trait Word: Copy {
    fn from_word(w: u64) -> Self;
    fn to_word(self) -> u64;
}

macro_rules! word {
    ($t:ty, $from:expr, $to:expr) => {
        impl Word for $t {
            #[inline]
            fn from_word(w: u64) -> Self {
                let f: fn(u64) -> $t = $from;
                f(w)
            }
            #[inline]
            fn to_word(self) -> u64 {
                let f: fn($t) -> u64 = $to;
                f(self)
            }
        }
        impl<'a> FromDatum<'a> for $t {
            #[inline]
            fn from_datum(d: DatumRef<'a>) -> Result<Self> {
                match d {
                    DatumRef::Word(w) => Ok(<$t as Word>::from_word(w)),
                    _ => Err(mismatch(stringify!($t))),
                }
            }
        }
        impl IntoDatum for $t {
            #[inline]
            fn into_datum(self) -> Datum {
                Datum::Word(self.to_word())
            }
        }
    };
}

word!(bool, |w| w & 0xff != 0, u64::from);
word!(u8, |w| w as u8, u64::from);
word!(i16, |w| w as i16, |v| v as u64);
word!(i32, |w| w as i32, |v| v as u64);
word!(i64, |w| w as i64, |v| v as u64);
word!(f32, |w| f32::from_bits(w as u32), |v| v.to_bits() as i32 as u64);
word!(f64, f64::from_bits, f64::to_bits);
word!(Oid, |w| Oid(w as u32), |v| v.0 as i32 as u64);
word!(Xid, |w| Xid(w as u32), |v| v.0 as i32 as u64);
word!(CommandId, |w| CommandId(w as u32), |v| v.0 as i32 as u64);
word!(FullXid, FullXid, |v| v.0);
word!(Lsn, Lsn, |v| v.0);

#[cold]
fn mismatch(wanted: &str) -> PgError {
    PgError::internal(format!("a value of another physical form where {wanted} was expected"))
}

impl<'a> FromDatum<'a> for &'a [u8] {
    #[inline]
    fn from_datum(d: DatumRef<'a>) -> Result<Self> {
        match d {
            DatumRef::Bytes(b) => Ok(b),
            _ => Err(mismatch("bytes")),
        }
    }
}
impl<'a> FromDatum<'a> for &'a str {
    #[inline]
    fn from_datum(d: DatumRef<'a>) -> Result<Self> {
        let bytes = <&[u8]>::from_datum(d)?;
        std::str::from_utf8(bytes).map_err(|_| PgError::new(DATA_CORRUPTED, "a text value is not valid UTF-8"))
    }
}
impl<'a> FromDatum<'a> for TupleId {
    fn from_datum(d: DatumRef<'a>) -> Result<Self> {
        match d {
            DatumRef::Bytes(&[a, b, c, d, e, f]) => Ok(TupleId::from_bytes([a, b, c, d, e, f])),
            _ => Err(mismatch("tid")),
        }
    }
}
impl<'a> FromDatum<'a> for DatumRef<'a> {
    const ACCEPTS_NULL: bool = true;
    fn from_datum(d: DatumRef<'a>) -> Result<Self> {
        Ok(d)
    }
}
impl<'a> FromDatum<'a> for Datum {
    const ACCEPTS_NULL: bool = true;
    fn from_datum(d: DatumRef<'a>) -> Result<Self> {
        Ok(d.to_owned())
    }
}
impl<'a, T: FromDatum<'a>> FromDatum<'a> for Option<T> {
    const ACCEPTS_NULL: bool = true;
    #[inline]
    fn from_datum(d: DatumRef<'a>) -> Result<Self> {
        if d.is_null() { Ok(None) } else { T::from_datum(d).map(Some) }
    }
}

impl IntoDatum for () {
    /// A function that returns `void`: the empty value.
    fn into_datum(self) -> Datum {
        Datum::Bytes(Bytes::new(&[]))
    }
}
impl IntoDatum for TupleId {
    fn into_datum(self) -> Datum {
        Datum::Bytes(Bytes::new(&self.to_bytes()))
    }
}
impl IntoDatum for Datum {
    fn into_datum(self) -> Datum {
        self
    }
}
impl IntoDatum for Bytes {
    fn into_datum(self) -> Datum {
        Datum::Bytes(self)
    }
}
impl IntoDatum for &[u8] {
    fn into_datum(self) -> Datum {
        Datum::Bytes(Bytes::new(self))
    }
}
impl IntoDatum for Vec<u8> {
    fn into_datum(self) -> Datum {
        Datum::Bytes(self.into())
    }
}
impl IntoDatum for &str {
    fn into_datum(self) -> Datum {
        Datum::text(self)
    }
}
impl IntoDatum for String {
    fn into_datum(self) -> Datum {
        Datum::Bytes(self.into_bytes().into())
    }
}
impl<T: IntoDatum> IntoDatum for Option<T> {
    fn into_datum(self) -> Datum {
        self.map_or(Datum::Null, T::into_datum)
    }
}
