//! One SQL value by its physical form: a word, or bytes. What the bits mean is the type's business.
//!
//! - Types passed by value (`typbyval`) are a [`Datum::Word`]: the value's bits; of one byte zero-extended, of two and four
//!   sign-extended (also unsigned ones such as `oid`), so that equal values are equal words.
//! - All others are [`Datum::Bytes`]: a varlena's payload **without its header**, plain (neither compressed nor external);
//!   a fixed-length type's bytes (uuid 16, interval 16, tid 6, ...); a `name` or `cstring` without the terminating zero.
//! - [`Datum::Toasted`] is a whole varlena with its header, compressed or external, as it lies on the page: passed along
//!   unopened until a function looks inside ([`crate::Runtime::detoast`]).

use std::fmt;
use std::sync::Arc;

/// Bytes that are cheap to clone; up to 22 need no allocation.
#[derive(Clone)]
pub struct Bytes(Repr);

#[derive(Clone)]
enum Repr {
    Inline(u8, [u8; Bytes::INLINE]),
    Shared(Arc<[u8]>),
}

impl Bytes {
    const INLINE: usize = 22;

    pub fn new(bytes: &[u8]) -> Bytes {
        match u8::try_from(bytes.len()) {
            Ok(n) if bytes.len() <= Bytes::INLINE => {
                let mut data = [0; Bytes::INLINE];
                data[..bytes.len()].copy_from_slice(bytes);
                Bytes(Repr::Inline(n, data))
            }
            _ => Bytes(Repr::Shared(bytes.into())),
        }
    }
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(n, data) => &data[..usize::from(*n)],
            Repr::Shared(bytes) => bytes,
        }
    }
}
impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}
impl From<&[u8]> for Bytes {
    fn from(b: &[u8]) -> Bytes {
        Bytes::new(b)
    }
}
impl From<Vec<u8>> for Bytes {
    fn from(b: Vec<u8>) -> Bytes {
        if b.len() <= Bytes::INLINE { Bytes::new(&b) } else { Bytes(Repr::Shared(b.into())) }
    }
}
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self))
    }
}
impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        self.as_slice() == other.as_slice()
    }
}
impl Eq for Bytes {}
impl std::hash::Hash for Bytes {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

/// An owned value. Equality is of the physical form, not of the SQL type. (PostgreSQL: `Datum` with its null flag)
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub enum Datum {
    #[default]
    Null,
    Word(u64),
    Bytes(Bytes),
    Toasted(Arc<[u8]>),
}

/// A borrowed value, e.g. of a tuple on a page.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DatumRef<'a> {
    #[default]
    Null,
    Word(u64),
    Bytes(&'a [u8]),
    Toasted(&'a [u8]),
}

impl Datum {
    pub fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }
    pub fn as_ref(&self) -> DatumRef<'_> {
        match self {
            Datum::Null => DatumRef::Null,
            Datum::Word(w) => DatumRef::Word(*w),
            Datum::Bytes(b) => DatumRef::Bytes(b),
            Datum::Toasted(b) => DatumRef::Toasted(b),
        }
    }
    pub fn bytes(b: impl Into<Bytes>) -> Datum {
        Datum::Bytes(b.into())
    }
    pub fn text(s: &str) -> Datum {
        Datum::Bytes(Bytes::new(s.as_bytes()))
    }
    pub fn bool(b: bool) -> Datum {
        Datum::Word(u64::from(b))
    }
    pub fn i16(v: i16) -> Datum {
        Datum::Word(v as u64)
    }
    pub fn i32(v: i32) -> Datum {
        Datum::Word(v as u64)
    }
    pub fn i64(v: i64) -> Datum {
        Datum::Word(v as u64)
    }
    pub fn oid(v: base::Oid) -> Datum {
        Datum::Word(v.0 as i32 as u64)
    }
    pub fn char(v: u8) -> Datum {
        Datum::Word(u64::from(v))
    }
}

impl<'a> DatumRef<'a> {
    pub fn is_null(self) -> bool {
        matches!(self, DatumRef::Null)
    }
    pub fn to_owned(self) -> Datum {
        match self {
            DatumRef::Null => Datum::Null,
            DatumRef::Word(w) => Datum::Word(w),
            DatumRef::Bytes(b) => Datum::Bytes(Bytes::new(b)),
            DatumRef::Toasted(b) => Datum::Toasted(b.into()),
        }
    }
    /// The bits of a by-value type; 0 for anything else.
    pub fn word(self) -> u64 {
        match self {
            DatumRef::Word(w) => w,
            _ => 0,
        }
    }
    /// The bytes of a plain by-reference value; empty for anything else.
    pub fn as_bytes(self) -> &'a [u8] {
        match self {
            DatumRef::Bytes(b) | DatumRef::Toasted(b) => b,
            _ => &[],
        }
    }
}

impl fmt::Debug for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}
impl fmt::Debug for DatumRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatumRef::Null => f.write_str("NULL"),
            DatumRef::Word(w) => write!(f, "{}", *w as i64),
            DatumRef::Bytes(b) => write!(f, "{:?}", String::from_utf8_lossy(b)),
            DatumRef::Toasted(b) => write!(f, "toasted[{}]", b.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_equal() {
        assert_eq!(std::mem::size_of::<Datum>(), 24);
        for n in [0, 1, 21, 22, 23, 100] {
            let v = vec![7u8; n];
            assert_eq!(Bytes::new(&v), Bytes::from(v.clone()));
            assert_eq!(&*Bytes::new(&v), &v[..]);
        }
    }
}
