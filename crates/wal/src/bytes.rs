//! Reading little-endian fields from bytes that may be damaged, and appending them.

use base::{BlockNumber, ForkNumber, Lsn, MultiXactId, Oid, PgError, RelFileLocator, Result, Xid};

/// Walks over bytes; running out of them is an error.
#[derive(Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }
    pub fn position(&self) -> usize {
        self.at
    }
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8]> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..n)) {
            Some(part) => {
                self.at += n;
                Ok(part)
            }
            None => Err(too_short()),
        }
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut a = [0; N];
        a.copy_from_slice(self.bytes(N)?);
        Ok(a)
    }
    /// Skips to a multiple of `n` from the start.
    pub fn align(&mut self, n: usize) -> Result<()> {
        let to = self.at.next_multiple_of(n);
        self.bytes(to - self.at).map(|_| ())
    }
    pub fn skip(&mut self, n: usize) -> Result<()> {
        self.bytes(n).map(|_| ())
    }
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    pub fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.array()?))
    }
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }
    pub fn xid(&mut self) -> Result<Xid> {
        self.u32().map(Xid)
    }
    pub fn oid(&mut self) -> Result<Oid> {
        self.u32().map(Oid)
    }
    pub fn multi(&mut self) -> Result<MultiXactId> {
        self.u32().map(MultiXactId)
    }
    pub fn lsn(&mut self) -> Result<Lsn> {
        self.u64().map(Lsn)
    }
    pub fn block(&mut self) -> Result<BlockNumber> {
        self.u32().map(BlockNumber)
    }
    pub fn locator(&mut self) -> Result<RelFileLocator> {
        Ok(RelFileLocator { spc: self.oid()?, db: self.oid()?, rel: self.oid()? })
    }
    /// A fork number in four bytes.
    pub fn fork(&mut self) -> Result<ForkNumber> {
        let n = self.u32()?;
        u8::try_from(n).ok().and_then(ForkNumber::from_u8).ok_or_else(|| {
            PgError::new(base::sqlstate::DATA_CORRUPTED, format!("invalid fork number {n} in WAL record"))
        })
    }
    /// How many items follow, when each takes at least `size` bytes: a damaged count must not make us allocate.
    pub fn count(&mut self, size: usize) -> Result<usize> {
        let n = self.i32()?;
        match usize::try_from(n) {
            Ok(n) if n.saturating_mul(size) <= self.remaining() => Ok(n),
            _ => Err(too_short()),
        }
    }
    /// Up to a terminating zero.
    pub fn cstring(&mut self) -> Result<String> {
        let rest = self.rest();
        let len = rest.iter().position(|b| *b == 0).ok_or_else(too_short)?;
        self.at += len + 1;
        Ok(String::from_utf8_lossy(&rest[..len]).into_owned())
    }
}

#[cold]
fn too_short() -> PgError {
    PgError::new(base::sqlstate::DATA_CORRUPTED, "WAL record is too short for its contents")
}

/// Appends little-endian fields.
pub trait Put {
    fn put(&mut self, bytes: &[u8]);
    fn put_u8(&mut self, n: u8) {
        self.put(&[n]);
    }
    fn put_u16(&mut self, n: u16) {
        self.put(&n.to_le_bytes());
    }
    fn put_u32(&mut self, n: u32) {
        self.put(&n.to_le_bytes());
    }
    fn put_i32(&mut self, n: i32) {
        self.put(&n.to_le_bytes());
    }
    fn put_u64(&mut self, n: u64) {
        self.put(&n.to_le_bytes());
    }
    fn put_i64(&mut self, n: i64) {
        self.put(&n.to_le_bytes());
    }
    fn put_locator(&mut self, l: RelFileLocator) {
        self.put_u32(l.spc.0);
        self.put_u32(l.db.0);
        self.put_u32(l.rel.0);
    }
}
impl Put for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
